/*
 * sink_connect.c -- the connection to the database: made, greeted, given up, made again
 * In:  a connection string without password; the answer to collector_hello().
 * Out: a connection that is free for batches, and the spool compared with what the database has.
 * Source: doc/collector.md.
 */
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "clock.h"
#include "sink_part.h"

#define CONNECT_MS 10000
#define STATEMENT_TIMEOUT "10s"
#define HOLD_MS 60000
#define HOLD_TELL_MS INT64_C(3600000)

void
eb_sink_disconnect(EbSink *sink)
{
	eb_loop_unwatch(sink->loop, &sink->watch);
	PQclear(sink->result);
	PQfinish(sink->conn);
	sink->result = NULL;
	sink->conn = NULL;
	sink->state = EB_SINK_OFF;
	sink->sending = 0;
	eb_sink_errands_lost(sink);
}

void
eb_sink_tell(EbSink *sink, const char *what, const char *why, bool hold)
{
	int64_t now_ms = eb_clock_mono_ms();
	char text[sizeof(sink->last_error)];
	bool again;

	snprintf(text, sizeof(text), "%s: %.150s", what, why != NULL ? why : "");
	text[strcspn(text, "\n")] = '\0';
	again = hold && sink->held && strcmp(text, sink->last_error) == 0 &&
			now_ms - sink->held_told_ms < HOLD_TELL_MS;
	memcpy(sink->last_error, text, sizeof(text));
	sink->held = hold;
	if (again)
		return;
	sink->held_told_ms = now_ms;
	eb_log(hold ? EB_LOG_ERROR : EB_LOG_WARNING, "database: %s: %.300s", what,
		   why != NULL ? why : "");
}

void
eb_sink_come_again(EbSink *sink, int64_t wait_ms)
{
	sink->backoff_ms = sink->backoff_ms * 2 < EB_SINK_BACKOFF_LAST_MS ? sink->backoff_ms * 2
																	  : EB_SINK_BACKOFF_LAST_MS;
	eb_timer_after(&sink->timer, wait_ms - random() % (wait_ms / 5 + 1));
}

void
eb_sink_fail(EbSink *sink, const char *what, const char *why, EbRemedy remedy)
{
	bool hold = remedy == EB_REMEDY_HOLD;

	sink->counts.failures++;
	eb_sink_tell(sink, what, why, hold);
	eb_sink_disconnect(sink);
	if (sink->closing && (hold || eb_spool_ready(sink->spool) == 0))
		sink->stuck(sink->owner);
	else
		eb_sink_come_again(sink, hold ? HOLD_MS : sink->backoff_ms);
}

void
eb_sink_fail_result(EbSink *sink, const char *what, PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	char text[320];

	snprintf(text, sizeof(text), "%s %s", state != NULL ? state : "", PQresultErrorMessage(result));
	eb_sink_fail(sink, what, text, eb_sink_remedy(state));
	PQclear(result);
}

void
eb_sink_flush_out(EbSink *sink)
{
	int left = PQflush(sink->conn);

	if (left < 0)
		eb_sink_fail(sink, "sending", PQerrorMessage(sink->conn), EB_REMEDY_RETRY);
	else
		eb_loop_watch(sink->loop, &sink->watch, PQsocket(sink->conn),
					  EPOLLIN | (left > 0 ? EPOLLOUT : 0));
}

bool
eb_sink_is_up(const EbSink *sink)
{
	return sink->state >= EB_SINK_IDLE;
}

/* What the database has acknowledged is compared with the spool. */
void
eb_sink_greeted(EbSink *sink, PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		eb_sink_fail_result(sink,
							state != NULL && strcmp(state, "42883") == 0
								? "the extension or its schema is older than this collector"
								: "asking for the last number",
							result);
		return;
	}
	if (PQntuples(result) != 1)
	{
		PQclear(result);
		eb_sink_fail(sink, "this collector is not registered", sink->conf->id, EB_REMEDY_HOLD);
		return;
	}
	sink->db_acked = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	eb_log(EB_LOG_INFO, "database is connected, extension %s, schema %s, last number %lld",
		   PQgetvalue(result, 0, 2), PQgetvalue(result, 0, 1), (long long) sink->db_acked);
	if (!PQgetisnull(result, 0, 3) && PQgetvalue(result, 0, 3)[0] != '\0')
		eb_log(EB_LOG_WARNING, "database: it does not know these meters: %.300s",
			   PQgetvalue(result, 0, 3));
	PQclear(result);
	eb_spool_compare(sink->spool, sink->db_acked);
	if (eb_spool_ready(sink->spool) == 0)
		sink->backoff_ms = EB_SINK_BACKOFF_FIRST_MS;
	sink->held = false;
	sink->state = EB_SINK_IDLE;
	sink->connected_ms = eb_clock_mono_ms();
	if (sink->errand_owner.connected != NULL && !sink->closing)
		sink->errand_owner.connected(sink->errand_owner.owner);
	if (sink->state == EB_SINK_IDLE)
		eb_sink_go_on(sink);
}

/* Serials of the configured meters as a text[]; NULL: no memory. */
static char *
serials_of(const EbConfig *conf, int *length)
{
	const char **serial = calloc((size_t) conf->nmeters + 1, sizeof(*serial));
	char *text = NULL;

	for (int i = 0; serial != NULL && i < conf->nmeters; i++)
		serial[i] = conf->meter[i].serial;
	if (serial != NULL)
		text = eb_batch_texts(serial, conf->nmeters, length);
	free(serial);
	return text;
}

static void
ask_seq(EbSink *sink)
{
	const int format[] = {0, 0, 1};
	int length[] = {0, 0, 0};
	char *serials = serials_of(sink->conf, &length[2]);
	const char *param[] = {sink->conf->id, ELECBILL_VERSION, serials};
	int sent;

	PQsetnonblocking(sink->conn, 1);
	eb_timer_after(&sink->timer, EB_SINK_ANSWER_MS);
	sent = PQsendQueryParams(sink->conn,
							 "SELECT acked_seq, schema_version, extension_version, "
							 "pg_catalog.array_to_string(unknown_meters, ', ') "
							 "FROM elecbill.collector_hello($1::uuid, $2::text, $3::text[])",
							 3, NULL, param, length, format, 0);
	free(serials);
	if (!sent)
	{
		eb_sink_fail(sink, "asking for the last number", PQerrorMessage(sink->conn),
					 EB_REMEDY_RETRY);
		return;
	}
	sink->state = EB_SINK_GREETING;
	eb_sink_flush_out(sink);
}

/* libpq may open another socket from one step to the next, so the watch is made anew. */
void
eb_sink_connect_step(EbSink *sink)
{
	PostgresPollingStatusType status = PQconnectPoll(sink->conn);

	eb_loop_unwatch(sink->loop, &sink->watch);
	if (status == PGRES_POLLING_OK)
		ask_seq(sink);
	else if (status == PGRES_POLLING_FAILED)
		eb_sink_fail(sink, "connecting", PQerrorMessage(sink->conn), EB_REMEDY_RETRY);
	else
		eb_loop_watch(sink->loop, &sink->watch, PQsocket(sink->conn),
					  status == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT);
}

/* libpq would write to stderr itself: as often as the server likes, and as it came. */
static void
take_notice(void *owner, const char *message)
{
	(void) owner;
	eb_log(EB_LOG_INFO, "database: %.300s", message);
}

void
eb_sink_connect(EbSink *sink)
{
	/* first ours, which the configuration may override, then what it may not */
	static const char *const keys[] = {"application_name",
									   "tcp_user_timeout",
									   "keepalives_idle",
									   "keepalives_interval",
									   "keepalives_count",
									   "options",
									   "dbname",
									   "client_encoding",
									   NULL};
	const char *values[] = {
		"elecbill-collector", "10000", "30", "10", "3", "-c statement_timeout=" STATEMENT_TIMEOUT,
		sink->conf->conninfo, "UTF8",  NULL};

	sink->conn = PQconnectStartParams(keys, values, 1);
	sink->state = EB_SINK_CONNECTING;
	if (sink->conn == NULL || PQstatus(sink->conn) == CONNECTION_BAD)
	{
		eb_sink_fail(sink, "connecting", PQerrorMessage(sink->conn), EB_REMEDY_RETRY);
		return;
	}
	PQsetNoticeProcessor(sink->conn, take_notice, NULL);
	eb_timer_after(&sink->timer, CONNECT_MS);
	eb_loop_watch(sink->loop, &sink->watch, PQsocket(sink->conn), EPOLLOUT);
}
