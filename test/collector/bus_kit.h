/*
 * bus_kit.h -- a bus on a pseudo-terminal, with DL/T 645 meters that answer as they are told
 * Meters and bus share one loop. The replies are built here, not with the codec of the collector.
 */
#ifndef ELECBILL_TEST_BUS_KIT_H
#define ELECBILL_TEST_BUS_KIT_H

#include "bus.h"
#include "buses.h"

#define KIT_METERS 4
#define KIT_ASKED 256

/* One meter behind the terminal. */
typedef struct KitMeter
{
	char address[13];
	char number[13]; /* what it says of 04000402; empty: no such data */
	long kwh;		 /* hundredths */
	bool silent;
	unsigned word; /* third status word */
	int requests;
} KitMeter;

typedef struct Kit
{
	EbLoop loop;
	EbConfig conf;
	EbPortConf port;
	EbMeterConf meter[KIT_METERS];
	EbIntake intake;
	EbBuses buses;
	EbBus *bus;
	char *lines; /* JSON of what was booked or refused */
	size_t lines_size;
	char events[2048]; /* codes and serials, in order */

	int master; /* the meters' side of the terminal */
	char path[64];
	EbWatch watch;
	EbTimer stop;
	KitMeter device[KIT_METERS];
	char asked[KIT_ASKED]; /* a letter per request: its meter, A to D */
	int nasked;
	size_t nheld;
	uint8_t held[256];
	/* instead of answering; NULL: answer. False: answer as well. */
	bool (*script)(struct Kit *kit, const uint8_t *request, size_t n);
	int step; /* of the script */
} Kit;

/* n meters of 1 s interval that read block 0001FF00, one try, 60 ms. Nothing is opened. */
extern void kit_begin(Kit *kit, int n);

/* The configuration is as the test wants it: makes the buses and opens the port. */
extern void kit_start(Kit *kit);

/* Lets the loop run for so long. */
extern void kit_run(Kit *kit, int64_t ms);
extern void kit_end(Kit *kit);

/* Sends a frame: control byte, data not yet plus 33H. */
extern void
kit_reply(Kit *kit, const char *address, uint8_t control, const uint8_t *data, size_t n);
extern void kit_send(Kit *kit, const void *bytes, size_t n);

/* How often text stands in what was booked or refused. */
extern int kit_count(Kit *kit, const char *text);

#endif
