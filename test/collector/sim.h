/*
 * sim.h -- what the parts of meter_sim share: the terminal they speak on, pauses, the log
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
	long grow; /* hundredths of a kWh per reply or line */

	int preambles; /* DL/T 645 */
	int delay_ms;
	bool echo;
	bool no_blocks;
	bool in_parts;

	int gap_ms; /* lines */
	int every_ms;
} Sim;

extern Sim sim;

/* meter_sim.c */
extern void sim_die(const char *what, const char *why) __attribute__((noreturn));
extern void sim_nap(int ms);
extern void sim_send(const void *bytes, size_t n);
extern void sim_log_hex(const char *what, const uint8_t *bytes, size_t n);

/* "1234.56" in hundredths; *end behind it. */
extern long sim_parse_kwh(const char *text, char **end);

/* sim_dlt645.c: options, and bytes of the master */
extern void sim_add_meter(const char *text);
extern void sim_add_freeze(const char *text);
extern void sim_add_faults(char *text);
extern void sim_take_bytes(const uint8_t *bytes, size_t n);

/* sim_line.c: options, and the script */
extern void sim_add_step(char kind, const char *text);
extern int sim_nsteps(void);
extern void sim_run_step(int i);

#endif
