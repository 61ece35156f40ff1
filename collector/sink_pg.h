/*
 * sink_pg.h -- rows of the queue into the database, by one call of elecbill.ingest() per batch
 * A row leaves the queue when its batch is committed. What the database says decides whether a
 * batch is repeated at once, later, or not before somebody has looked.
 */
#ifndef EB_SINK_PG_H
#define EB_SINK_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "loop.h"
#include "queue.h"

typedef enum EbSinkState
{
	EB_SINK_OFF,		/* waits before connecting */
	EB_SINK_CONNECTING, /* PQconnectPoll */
	EB_SINK_GREETING,	/* asked for acked_seq */
	EB_SINK_IDLE,
	EB_SINK_SENDING, /* a batch is out */
} EbSinkState;

typedef struct EbSinkCounts
{
	uint64_t batches;
	uint64_t accepted;
	uint64_t duplicate;
	uint64_t conflict;
	uint64_t rejected;
	uint64_t failures; /* connections and batches that failed */
} EbSinkCounts;

typedef struct EbSink
{
	EbLoop *loop;
	EbQueue *queue;
	const EbConfig *conf;
	void (*drained)(void *owner); /* the queue became empty while closing */
	void (*stuck)(void *owner);	  /* closing, and it is of no use to wait */
	void *owner;

	EbSinkState state;
	PGconn *conn;
	PGresult *result; /* of the statement that is out, until its end is there */
	EbWatch watch;
	EbTimer timer; /* back-off, the gathering of a batch, or the time limit of an answer */
	int64_t backoff_ms;
	bool closing;		/* send what is there, gather no longer */
	bool have_seq;		/* next_seq is known */
	int64_t next_seq;	/* sequence number of the queue's oldest row */
	size_t batch_limit; /* rows per call; halved after a timeout of the statement */
	size_t batch_rows;	/* of the batch that is out */
	EbSinkCounts counts;
} EbSink;

extern void eb_sink_open(EbSink *sink, EbLoop *loop, EbQueue *queue, const EbConfig *conf);
extern void eb_sink_free(EbSink *sink);

/* Rows were put into the queue. */
extern void eb_sink_poke(EbSink *sink);

/* Sends all that is there; then calls drained(owner), or stuck(owner). */
extern void
eb_sink_close(EbSink *sink, void (*drained)(void *), void (*stuck)(void *), void *owner);

#endif
