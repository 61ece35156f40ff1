/*
 * port.h -- a port moves bytes and never waits; it knows no frame, no meter, no database
 * Backends: lsp (libserialport, real serial ports), tty (termios, pseudo-terminals). Both give a
 * descriptor for the loop. A further backend is one more EbPortOps.
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

typedef enum EbPortStatus
{
	EB_PORT_OK,
	EB_PORT_LOCKED, /* another process holds the port */
	EB_PORT_FAILED, /* see EbPort.fault */
	EB_PORT_GONE,	/* unplugged: close it and open it anew later */
} EbPortStatus;

typedef struct EbPort
{
	const struct EbPortOps *ops; /* of the open port, NULL when closed */
	int fd;						 /* for the loop; -1 when closed */
	int guard_fd;				 /* holds the lock and outlives fd, to put the settings back */
	EbLine line;
	struct sp_port *sp;	  /* lsp */
	struct termios saved; /* the settings found, put back when the port is closed */
	char fault[200];	  /* why the last call failed */
} EbPort;

typedef struct EbPortOps
{
	const char *name;
	EbPortStatus (*open)(EbPort *port, const char *path);
	/* *got == 0: nothing there at the moment */
	EbPortStatus (*read)(EbPort *port, uint8_t *buf, size_t size, size_t *got);
	/* *put may be less than size: the rest when the loop says the port takes bytes again */
	EbPortStatus (*write)(EbPort *port, const uint8_t *buf, size_t size, size_t *put);
	void (*close)(EbPort *port);
} EbPortOps;

extern const EbPortOps eb_port_lsp;
extern const EbPortOps eb_port_tty;

/* Resolves the path, takes the port for this process alone, sets the line. */
extern EbPortStatus eb_port_open(EbPort *port, const char *path, EbBackend backend, EbLine line);
extern void eb_port_close(EbPort *port);

/* Milliseconds nbytes take on the wire, rounded up. */
extern int64_t eb_line_ms(EbLine line, size_t nbytes);

/* "8E1": data bits, parity, stop bits; false when it is none. speed is left alone. */
extern bool eb_line_parse(const char *format, EbLine *line);

/* A speed the tty backend can set; the lsp backend takes any. */
extern bool eb_line_speed_ok(int speed);

/* For backends: notes what failed and why, and returns status. */
extern EbPortStatus
eb_port_fault(EbPort *port, EbPortStatus status, const char *what, const char *why);

#endif
