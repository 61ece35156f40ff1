/*
 * spool_fill.c -- a spool with a backlog, for tests and for make bench-collector
 *   spool_fill DIRECTORY UUID METERS REGISTERS ROWS START_S
 * ROWS readings of METERS meters (B000001, ...) with REGISTERS registers (1.8.0, 1.8.1, ...) each,
 * every 900 s from START_S (UTC), in the order a collector would have read them. The registers rise
 * by 0 to 399 Wh a step, drawn by a generator with a fixed seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "spool.h"

#define STEP_MS INT64_C(900000)

static uint32_t
draw(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

int
main(int argc, char **argv)
{
	static EbConfig conf;
	static EbLoop loop;
	static EbSpool spool;
	EbRow row = {.meter_at_ms = EB_NO_INSTANT};
	uint32_t state = 1;
	long meters, registers, rows;
	int64_t *wh;
	char serial[32];

	if (argc != 7)
	{
		fputs("usage: spool_fill DIRECTORY UUID METERS REGISTERS ROWS START_S\n", stderr);
		return 2;
	}
	conf.spool = (EbSpoolConf){argv[1], 4096, 0, 7, 10000, 1000, false};
	conf.id = argv[2];
	meters = strtol(argv[3], NULL, 10);
	registers = strtol(argv[4], NULL, 10);
	rows = strtol(argv[5], NULL, 10);
	wh = calloc((size_t) (meters * registers), sizeof(*wh));
	if (wh == NULL || !eb_spool_open(&spool, &loop, &conf))
		return 1;
	row.serial = serial;
	for (long i = 0; i < rows; i++)
	{
		long which = i % (meters * registers);

		snprintf(serial, sizeof(serial), "B%06ld", which / registers + 1);
		snprintf(row.code, sizeof(row.code), "1.8.%ld", which % registers);
		/* meters of a bus answer one after the other */
		row.read_at_ms = strtoll(argv[6], NULL, 10) * 1000 + i / (meters * registers) * STEP_MS +
						 which / registers * 37 % 60000;
		row.register_wh = wh[which] += draw(&state) % 400;
		if (!eb_spool_put(&spool, &row))
			return 1;
	}
	eb_spool_close(&spool);
	free(wh);
	return spool.counts.lost > 0;
}
