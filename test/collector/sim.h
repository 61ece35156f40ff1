/*
 * sim.h -- what the parts of meter_sim share: the terminal they speak on, options, the log
 * Shares no code with src/: a mistake there must not hide in here.
 */
#ifndef EB_SIM_H
#define EB_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct Sim
{
	int port;
	volatile bool stopped;
	FILE *log; /* NULL: none */
	long grow; /* hundredths of a kWh per reply, line or telegram */

	/* How it reacts; NULL: not at all. A meter of a protocol sets what it needs. */
	void (*take_bytes)(const uint8_t *bytes, size_t n); /* of the master */
	bool (*speak)(bool just_opened); /* by itself, while the terminal is open; false: nothing now */

	int delay_ms; /* before a reply */
	bool echo;	  /* requests come back */
	int every_ms; /* of what is sent by itself; 0: once */
} Sim;

extern Sim sim;

/* An option: take gets its value, or its name when it has none. A NULL name ends a list. */
typedef struct SimOption
{
	const char *name;
	bool has_value;
	void (*take)(char *value);
	const char *help;
} SimOption;

/* One list per protocol. */
extern const SimOption sim_dlt645_options[];
extern const SimOption sim_dlt698_options[];
extern const SimOption sim_modbus_options[];
extern const SimOption sim_mbus_options[];
extern const SimOption sim_iec62056_options[];
extern const SimOption sim_push_options[];
extern const SimOption sim_line_options[];

/* meter_sim.c */
extern void sim_die(const char *what, const char *why) __attribute__((noreturn));
extern void sim_nap(int ms);
extern void sim_send(const void *bytes, size_t n);

/* A log line: the word and the bytes as hex. */
extern void sim_log_hex(const char *what, const uint8_t *bytes, size_t n);

/* A request came; echoes it where that is wanted. */
extern void sim_asked(const uint8_t *bytes, size_t n);

/* Waits sim.delay_ms, sends the reply and logs it as served. */
extern void sim_serve(const uint8_t *bytes, size_t n);

/* "1234.56" in hundredths; *end behind it. */
extern long sim_parse_kwh(const char *text, char **end);

/* Bits per second that the master has set on the pseudo-terminal; 0: unknown. */
extern long sim_speed(void);

/*
 * Collects what comes and hands over what is whole. length says of n > 0 bytes how long the
 * request at their front is: 0 when it is not whole yet, -k when k bytes start none.
 */
extern void sim_collect(const uint8_t *bytes, size_t n, long (*length)(const uint8_t *, size_t),
						void (*take)(const uint8_t *, size_t));

/* sim_sum.c: checks of the protocols, bit by bit */
extern uint8_t sim_sum(const uint8_t *bytes, size_t n);
extern uint8_t sim_xor(const uint8_t *bytes, size_t n);

/* Reflected CRC of 16 bits, not inverted at the end. */
extern uint16_t sim_crc16(unsigned polynomial, unsigned start, const uint8_t *bytes, size_t n);

/* X.25, inverted, low byte first, of the bytes from..at, at at. */
extern void sim_put_x25(uint8_t *at, const uint8_t *from);

/* BCD of a number, low byte first. */
extern void sim_put_bcd(uint8_t *out, int n, long value);

#endif /* EB_SIM_H */
