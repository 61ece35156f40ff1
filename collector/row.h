/*
 * row.h -- a reading on its way from a meter to the database
 */
#ifndef EB_ROW_H
#define EB_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* What is told about a reading: the bits of reading.quality. Source: doc/collector.md */
enum
{
	EB_QUALITY_UNCHECKED = 1,		  /* no checksum on this line */
	EB_QUALITY_LATE = 2,			  /* later than the bus alone explains */
	EB_QUALITY_CLOCK_UNSYNCED = 4,	  /* the computer's clock was not set since it started */
	EB_QUALITY_METER_CLOCK_OFF = 8,	  /* the meter's time cannot be right */
	EB_QUALITY_JUMP = 32,			  /* more than the meter can have drawn */
	EB_QUALITY_FOREIGN_ADDRESS = 128, /* the reply kept the wildcard address */
	EB_QUALITY_TRUNCATED = 256,		  /* digits were cut */
};

/* Longest serial of a meter, in bytes. */
#define EB_SERIAL_MAX 64

/* A reading; or, with an empty code, a frame that could not be read. */
typedef struct EbRow
{
	const char *serial; /* of the configuration; NULL when the meter is not known */
	char code[EB_CODE_SIZE];
	int64_t read_at_ms;
	int64_t meter_at_ms; /* EB_NO_INSTANT: none */
	int64_t register_wh;
	int quality;
	const uint8_t *frame; /* NULL: not sent along */
	size_t frame_len;
} EbRow;

#endif
