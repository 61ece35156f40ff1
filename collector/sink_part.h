/*
 * sink_part.h -- what the parts of the sink share: sink_pg.c, sink_connect.c, sink_errand.c
 */
#ifndef EB_SINK_PART_H
#define EB_SINK_PART_H

#include "sink_pg.h"

#define EB_SINK_BACKOFF_FIRST_MS 500
#define EB_SINK_BACKOFF_LAST_MS 60000

/* Beyond the server's own limit of a statement: it is stopped, or the line is dead. */
#define EB_SINK_ANSWER_MS 15000

/* sink_pg.c: the connection is free: the next batch, an errand, or nothing. */
extern void eb_sink_go_on(EbSink *sink);

/* sink_connect.c */
extern void eb_sink_connect(EbSink *sink);
extern void eb_sink_connect_step(EbSink *sink);
extern void eb_sink_greeted(EbSink *sink, PGresult *result);
extern void eb_sink_disconnect(EbSink *sink);

/* Lets libpq write what it still holds; the loop tells when the socket takes more. */
extern void eb_sink_flush_out(EbSink *sink);

/* Comes again after wait_ms, less a fifth of chance: many collectors must not come at one instant. */
extern void eb_sink_come_again(EbSink *sink, int64_t wait_ms);

/* What waits for a person (hold) is told once an hour. */
extern void eb_sink_tell(EbSink *sink, const char *what, const char *why, bool hold);

/* Closes the connection and comes again later; the records stay in the spool. */
extern void eb_sink_fail(EbSink *sink, const char *what, const char *why, EbRemedy remedy);
extern void eb_sink_fail_result(EbSink *sink, const char *what, PGresult *result);

/* sink_errand.c: sends the first errand; false: there is none. */
extern bool eb_sink_errand_send(EbSink *sink);
extern void eb_sink_errand_answered(EbSink *sink, PGresult *result);

/* The connection is gone: all errands end. */
extern void eb_sink_errands_lost(EbSink *sink);

#endif
