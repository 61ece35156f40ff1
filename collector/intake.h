/*
 * intake.h -- from a frame to rows: which register, how many Wh, which flags
 * Stores what the meter said: nothing is estimated, smoothed or filled.
 */
#ifndef EB_INTAKE_H
#define EB_INTAKE_H

#include <stdio.h>

#include "codec/frame.h"
#include "config.h"
#include "meter.h"
#include "spool.h"

/* The bytes a reading rests on. */
typedef struct EbBytes
{
	const uint8_t *data;
	size_t len;
} EbBytes;

typedef struct EbIntake
{
	const EbConfig *conf;
	EbSpool *spool; /* NULL: nothing is delivered */
	FILE *lines;	/* JSON lines of everything booked or refused; NULL: none */
	EbLogShare bad; /* of refused frames: what is told is kept too */
} EbIntake;

/*
 * Books the energies of a frame whose first byte arrived at at_ms, each as its register says.
 * Returns how many. Two frames of one meter within one millisecond are a millisecond apart in the
 * table.
 */
extern int eb_intake_frame(EbIntake *intake, EbMeter *meter, const EbFrame *frame, EbBytes bytes,
						   int64_t at_ms, int quality);

/*
 * Books the daily freeze 0506 01nn, whose instant is frozen_at, the meter's wall clock as sent:
 * the same registers as read at that instant. Refused when it is no time or none of the last two
 * days, for then nobody knows what it belongs to. Returns the rows booked.
 */
extern int eb_intake_freeze(EbIntake *intake, EbMeter *meter, const EbFrame *frame, EbBytes bytes,
							const char *frozen_at, int64_t at_ms, int quality);

/* Tells and keeps bytes that could not be booked; meter NULL: whose they are is not known. */
extern void eb_intake_bad(EbIntake *intake, const EbPortConf *port, const EbMeter *meter,
						  const char *word, EbBytes bytes, int64_t at_ms);

#endif
