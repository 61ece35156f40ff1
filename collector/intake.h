/*
 * intake.h -- from a frame to rows: which register, how many Wh, which flags
 * Stores what the meter said: nothing is estimated, smoothed or filled.
 */
#ifndef EB_INTAKE_H
#define EB_INTAKE_H

#include <stdio.h>

#include "codec/frame.h"
#include "config.h"
#include "queue.h"
#include "report.h"

/* A meter while the collector runs. */
typedef struct EbMeter
{
	const EbMeterConf *conf;
	EbCounts counts;
	char address[13];	  /* DL/T 645: where it is asked; learned when configured as AAAAAAAAAAAA */
	int tariffs;		  /* DL/T 645 without blocks: tariffs it has; -1: blocks work */
	int64_t last_read_ms; /* read_at of its last row, EB_NO_INSTANT at the start */
} EbMeter;

/* The bytes a reading rests on. */
typedef struct EbBytes
{
	const uint8_t *data;
	size_t len;
} EbBytes;

typedef struct EbIntake
{
	const EbConfig *conf;
	EbQueue *queue;				 /* NULL: nothing is delivered */
	void (*booked)(void *owner); /* a row was put into the queue */
	void *owner;
	FILE *lines;		/* JSON lines of everything booked or refused; NULL: none */
	int64_t bad_minute; /* monotonic; refused frames are told and sent so often in it */
	int bad_count;
} EbIntake;

/*
 * Books the items of a frame whose first byte arrived at at_ms. Energies of DL/T 645 by their
 * identifier, the usage of a CSV line as 1.8.0. Two frames of one meter within one millisecond
 * are a millisecond apart in the table.
 */
extern void eb_intake_frame(EbIntake *intake, EbMeter *meter, const EbFrame *frame, EbBytes bytes,
							int64_t at_ms, int quality);

/*
 * Books the daily freeze 0506 01nn, whose instant is frozen_at, the meter's wall clock as sent:
 * the same registers as read at that instant. Refused when it is no time or none of the last two
 * days, for then nobody knows what it belongs to.
 */
extern void eb_intake_freeze(EbIntake *intake, EbMeter *meter, const EbFrame *frame, EbBytes bytes,
							 const char *frozen_at, int64_t at_ms, int quality);

/* Tells and keeps bytes that could not be booked; meter NULL: whose they are is not known. */
extern void eb_intake_bad(EbIntake *intake, const EbPortConf *port, const EbMeter *meter,
						  const char *word, EbBytes bytes, int64_t at_ms);

#endif
