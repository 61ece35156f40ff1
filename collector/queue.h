/*
 * queue.h -- readings between the meters and the database
 * A ring in memory of fixed size. Rows leave it only when the database has committed them; when it
 * is full, the newest are refused and counted. It stands where a spool on disk can stand: put at
 * one end, look and acknowledge at the other.
 */
#ifndef EB_QUEUE_H
#define EB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* What is told about a reading: the bits of reading.quality. Source: doc/collector.md */
enum
{
	EB_QUALITY_UNCHECKED = 1,		  /* no checksum on this line */
	EB_QUALITY_LATE = 2,			  /* later than the bus alone explains */
	EB_QUALITY_METER_CLOCK_OFF = 8,	  /* the meter's time cannot be right */
	EB_QUALITY_FOREIGN_ADDRESS = 128, /* the reply kept the wildcard address */
	EB_QUALITY_TRUNCATED = 256,		  /* digits were cut */
};

/* A reading; or, with an empty code, a frame that could not be read. */
typedef struct EbRow
{
	const char *serial; /* of the configuration; NULL when the meter is not known */
	char code[EB_CODE_SIZE];
	int64_t read_at_ms;
	int64_t meter_at_ms; /* EB_NO_INSTANT: none */
	int64_t register_wh;
	int quality;
	uint8_t *frame; /* NULL: not sent along */
	size_t frame_len;
} EbRow;

typedef struct EbQueue
{
	EbRow *row;
	size_t size;
	size_t first; /* place of the oldest */
	size_t count;
	uint64_t acked; /* rows that left */
	uint64_t lost;	/* rows refused because it was full */
} EbQueue;

extern bool eb_queue_open(EbQueue *queue, size_t size);
extern void eb_queue_close(EbQueue *queue);

/* Copies the row and its frame; false when the queue is full or memory is short. */
extern bool eb_queue_put(EbQueue *queue, const EbRow *row);

/* The i-th oldest row, i < count. */
extern const EbRow *eb_queue_at(const EbQueue *queue, size_t i);

/* The n oldest rows are in the database. */
extern void eb_queue_ack(EbQueue *queue, size_t n);

#endif
