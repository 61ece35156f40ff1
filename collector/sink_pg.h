/*
 * sink_pg.h -- records of the spool into the database, by one call of elecbill.ingest() per batch
 * A record is acknowledged when its batch is committed. What the database says decides whether a
 * batch is repeated at once, with fewer rows, later, or not before somebody has looked.
 */
#ifndef EB_SINK_PG_H
#define EB_SINK_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "loop.h"
#include "sink_remedy.h"
#include "spool.h"

typedef enum EbSinkState
{
	EB_SINK_OFF,		/* waits before connecting */
	EB_SINK_CONNECTING, /* PQconnectPoll */
	EB_SINK_GREETING,	/* asked what is acknowledged */
	EB_SINK_IDLE,
	EB_SINK_PAUSED,	   /* connected, waits before the next try */
	EB_SINK_SENDING,   /* a batch is out */
	EB_SINK_ON_ERRAND, /* another statement is out */
} EbSinkState;

#define EB_ERRAND_PARAMS 4

/*
 * A statement beside the batches, sent between two of them. Its owner keeps it, with its
 * parameters, until ended() has been called.
 */
typedef struct EbErrand
{
	const char *sql;
	int nparams;
	const char *param[EB_ERRAND_PARAMS];
	void (*ended)(void *owner, const PGresult *result); /* NULL: the connection was lost */
	void *owner;
	struct EbErrand *next;
} EbErrand;

/* Who has errands. */
typedef struct EbErrandOwner
{
	void (*connected)(void *owner); /* a connection was made: errands are taken; or NULL */
	void (*notified)(void *owner);	/* the database has notified; or NULL */
	void *owner;
} EbErrandOwner;

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
	EbSpool *spool;
	const EbConfig *conf;
	void (*drained)(void *owner); /* everything is delivered, while closing */
	void (*stuck)(void *owner);	  /* closing, and it is of no use to wait */
	void *owner;

	EbSinkState state;
	PGconn *conn;
	PGresult *result; /* of the statement that is out, until its end is there */
	EbWatch watch;
	EbTimer timer; /* back-off, the gathering of a batch, or the time limit of an answer */
	int64_t backoff_ms;
	bool closing;		/* send what is there, gather no longer */
	EbSpoolBatch batch; /* that is out, or was last */
	int sending;		/* rows of it; 0 with state SENDING: only the number is told */
	int64_t sent_ms;	/* monotonic */
	int limit;			/* rows per call; less after a timeout, or while a bad row is looked for */
	int64_t suspect;	/* last number of a run with a bad row in it; 0: none is known */
	int tries;			/* of a single bad row */
	int64_t db_acked;	/* what the database has acknowledged */

	EbErrandOwner errand_owner;
	EbErrand *errand; /* the first is out with state ON_ERRAND */
	bool errand_next; /* before a further batch */
	bool renewing;	  /* a new connection is made when nothing is out */

	int64_t connected_ms; /* monotonic: since when the connection is of use */
	bool held;			  /* somebody has to look */
	int64_t held_told_ms;
	char last_error[200]; /* empty: none since the last batch that went well */
	EbSinkCounts counts;
} EbSink;

/* False: no memory. */
extern bool eb_sink_open(EbSink *sink, EbLoop *loop, EbSpool *spool, const EbConfig *conf);
extern void eb_sink_free(EbSink *sink);

/* Whether there is a connection that has been greeted. */
extern bool eb_sink_is_up(const EbSink *sink);

/* Records were synced. */
extern void eb_sink_poke(EbSink *sink);

/* False, and nothing is kept, when there is no connection or the sink is closing. */
extern bool eb_sink_errand(EbSink *sink, EbErrand *errand);

/* The configuration is now conf: what is out comes to its end, then a new connection is made. */
extern void eb_sink_reload(EbSink *sink, const EbConfig *conf);

/* Syncs and sends all that is there; then calls drained(owner), or stuck(owner). */
extern void
eb_sink_close(EbSink *sink, void (*drained)(void *), void (*stuck)(void *), void *owner);

#endif
