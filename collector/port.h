/*
 * port.h -- a port moves bytes and never waits; it knows no frame, no meter, no database
 * Backends: lsp (libserialport, real serial ports), tty (termios, pseudo-terminals), tcp (raw TCP to
 * a serial server), unit (a connection a terminal unit has made). All give a descriptor for the
 * loop. A further backend is one more EbPortOps.
 * Source: doc/collector.md.
 */
#ifndef EB_PORT_H
#define EB_PORT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

typedef enum EbBackend
{
	EB_BACKEND_AUTO, /* tty for a pseudo-terminal, lsp else */
	EB_BACKEND_LSP,
	EB_BACKEND_TTY,
} EbBackend;

/* How a byte looks on the wire. */
typedef struct EbLine
{
	int speed;	   /* baud */
	int data_bits; /* 7 or 8 */
	char parity;   /* N, E or O */
	int stop_bits; /* 1 or 2 */
} EbLine;

/* A port as the configuration has it. */
typedef struct EbPortHow
{
	const char *path; /* a device, "usb:SERIAL" or "tcp:HOST:PORT" */
	EbBackend backend;
	EbLine line;
	bool low_latency; /* the adapter gives bytes at once: FTDI 1 ms instead of 16 */
	bool rs485;		  /* the kernel switches the direction by RTS */
} EbPortHow;

typedef enum EbPortStatus
{
	EB_PORT_OK,
	EB_PORT_CONNECTING, /* it is open when the descriptor can be written: eb_port_connected() */
	EB_PORT_LOCKED,		/* another process holds the port */
	EB_PORT_FAILED,		/* see EbPort.fault */
	EB_PORT_GONE,		/* unplugged: close it and open it anew later */
} EbPortStatus;

/* What a terminal unit says beside its meters' bytes: its id, its heartbeat. */
#define EB_PORT_SAYINGS 2
#define EB_PORT_SAYING 65

typedef struct EbPort
{
	const struct EbPortOps *ops; /* of the open port, NULL when closed */
	int fd;						 /* for the loop; -1 when closed */
	int guard_fd;				 /* holds the lock and outlives fd, to put the settings back */
	EbLine line;
	struct sp_port *sp;	  /* lsp */
	struct termios saved; /* the settings found, put back when the port is closed */
	char saying[EB_PORT_SAYINGS][EB_PORT_SAYING]; /* unit; empty: none */
	int held_of;								  /* unit: the one that has begun to come */
	size_t held;								  /* and so many bytes of it */
	uint64_t sayings;							  /* unit: how many were taken off */
	char fault[200];							  /* why the last call failed */
} EbPort;

typedef struct EbPortOps
{
	const char *name;
	EbPortStatus (*open)(EbPort *port, const char *path);
	/* *got == 0: nothing there at the moment */
	EbPortStatus (*read)(EbPort *port, uint8_t *buf, size_t size, size_t *got);
	/* *put may be less than size: the rest when the loop says the port takes bytes again */
	EbPortStatus (*write)(EbPort *port, const uint8_t *buf, size_t size, size_t *put);
	EbPortStatus (*set_line)(EbPort *port); /* to port->line; NULL: it has no line of its own */
	void (*close)(EbPort *port);
} EbPortOps;

extern const EbPortOps eb_port_lsp;
extern const EbPortOps eb_port_tty;
extern const EbPortOps eb_port_tcp;
extern const EbPortOps eb_port_unit;

/* Resolves the path, takes the port for this process alone, sets the line. */
extern EbPortStatus eb_port_open(EbPort *port, const EbPortHow *how);
extern void eb_port_close(EbPort *port);

/* The descriptor of a port that was connecting can be written, or has failed. */
extern EbPortStatus eb_port_connected(EbPort *port);

/* Takes a connection of a unit, whose id and heartbeat are no bytes of its meters. */
extern void eb_port_adopt(EbPort *port, int fd, const char *id, const char *heartbeat, EbLine line);

/* Changes speed and format of an open port that has a line; nothing else of it. */
extern EbPortStatus eb_port_set_line(EbPort *port, EbLine line);

/* Milliseconds nbytes take on the wire, rounded up. */
extern int64_t eb_line_ms(EbLine line, size_t nbytes);

/* "8E1": data bits, parity, stop bits; false when it is none. speed is left alone. */
extern bool eb_line_parse(const char *format, EbLine *line);

/* A speed the tty backend can set; the lsp backend takes any. */
extern bool eb_line_speed_ok(int speed);

/*
 * Name of the device with that USB serial number into path, of PATH_MAX bytes; false when none is
 * plugged in. port_name.c
 */
extern bool eb_port_by_usb(const char *serial, char *path);

/* Sets the options of how on an open serial port; what an adapter cannot do is told. port_option.c */
extern EbPortStatus eb_port_options(EbPort *port, const EbPortHow *how);

/* For backends: notes what failed and why, and returns status. */
extern EbPortStatus
eb_port_fault(EbPort *port, EbPortStatus status, const char *what, const char *why);

#endif
