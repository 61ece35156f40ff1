/*
 * sink_pg.c -- rows of the queue into the database, by one call of elecbill.ingest() per batch
 * In:  the queue; a connection string without password.
 * Out: committed rows. Asynchronous: everything waits in the loop, except that libpq looks up a
 *      host name itself (name the socket directory or hostaddr to avoid that).
 *
 * A batch that failed is sent again with the same numbers and the same instants: what was
 * committed although the answer was lost comes back as duplicate.
 * Source: doc/collector.md.
 */
#include "sink_pg.h"

#include <stdlib.h>
#include <string.h>

#include "batch.h"

#define BACKOFF_FIRST_MS 500
#define BACKOFF_LAST_MS 60000
#define CONNECT_MS 10000
#define STATEMENT_TIMEOUT "10s"
#define ANSWER_MS 15000 /* beyond the server's own limit: it is stopped, or the line is dead */
#define HOLD_MS 60000

/* What to do about an error of the database. */
typedef enum Remedy
{
	REMEDY_RETRY, /* connection, shutdown, resources: soon, then ever later */
	REMEDY_HALVE, /* the statement took too long: with fewer rows */
	REMEDY_HOLD,  /* schema, rights, wrong call: somebody has to look; once a minute */
} Remedy;

static void send_batch(EbSink *sink);

static bool
in_class(const char *state, const char *class)
{
	return strncmp(state, class, strlen(class)) == 0;
}

/* No SQLSTATE means that there is no connection. */
static Remedy
remedy_of(const char *state)
{
	static const char *const again[] = {"08", "57P", "53", "40", "25006"};

	if (state == NULL || state[0] == '\0')
		return REMEDY_RETRY;
	if (strcmp(state, "57014") == 0)
		return REMEDY_HALVE;
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		if (in_class(state, again[i]))
			return REMEDY_RETRY;
	return REMEDY_HOLD;
}

static void
disconnect(EbSink *sink)
{
	eb_loop_unwatch(sink->loop, &sink->watch);
	PQclear(sink->result);
	PQfinish(sink->conn);
	sink->result = NULL;
	sink->conn = NULL;
	sink->state = EB_SINK_OFF;
	sink->batch_rows = 0;
}

/* Closes the connection and comes again later; the batch stays in the queue. */
static void
fail(EbSink *sink, const char *what, const char *why, Remedy remedy)
{
	int64_t wait_ms = sink->backoff_ms;

	sink->counts.failures++;
	eb_log(remedy == REMEDY_HOLD ? EB_LOG_ERROR : EB_LOG_WARNING, "database: %s: %.300s", what,
		   why != NULL ? why : "");
	disconnect(sink);
	if (sink->closing && remedy == REMEDY_HOLD)
	{
		sink->stuck(sink->owner);
		return;
	}
	if (remedy == REMEDY_HALVE && sink->batch_limit > 1)
		sink->batch_limit /= 2;
	if (remedy == REMEDY_HOLD)
		wait_ms = HOLD_MS;
	sink->backoff_ms =
		sink->backoff_ms * 2 < BACKOFF_LAST_MS ? sink->backoff_ms * 2 : BACKOFF_LAST_MS;
	/* a fifth of chance, so that many collectors do not come back at one instant */
	eb_timer_after(&sink->timer, wait_ms - random() % (wait_ms / 5 + 1));
}

static void
fail_result(EbSink *sink, const char *what, PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	char text[320];

	snprintf(text, sizeof(text), "%s %s", state != NULL ? state : "", PQresultErrorMessage(result));
	fail(sink, what, text, remedy_of(state));
	PQclear(result);
}

/* What the database has acknowledged decides the number of the first row, and is compared later. */
static void
greet(EbSink *sink, PGresult *result)
{
	int64_t acked;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		fail_result(sink, "asking for the last number", result);
		return;
	}
	if (PQntuples(result) != 1)
	{
		PQclear(result);
		fail(sink, "this collector is not registered", sink->conf->id, REMEDY_HOLD);
		return;
	}
	acked = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	eb_log(EB_LOG_INFO, "database is connected, extension %s, last number %lld",
		   PQgetvalue(result, 0, 1), (long long) acked);
	PQclear(result);
	if (sink->have_seq && acked < sink->next_seq - 1)
		eb_log(EB_LOG_WARNING,
			   "database knows %lld numbers less than it has committed: was a backup restored?",
			   (long long) (sink->next_seq - 1 - acked));
	if (!sink->have_seq || acked > sink->next_seq + (int64_t) sink->queue->count)
		sink->next_seq = acked + 1;
	sink->have_seq = true;
	sink->backoff_ms = BACKOFF_FIRST_MS;
	sink->state = EB_SINK_IDLE;
	send_batch(sink);
}

static uint64_t
count_of(PGresult *result, int column)
{
	return strtoull(PQgetvalue(result, 0, column), NULL, 10);
}

/* The batch is committed: its rows leave the queue. */
static void
batch_done(EbSink *sink, PGresult *result)
{
	uint64_t bad;

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
	{
		fail_result(sink, "ingest", result);
		return;
	}
	bad = count_of(result, 2) + count_of(result, 3);
	sink->counts.batches++;
	sink->counts.accepted += count_of(result, 0);
	sink->counts.duplicate += count_of(result, 1);
	sink->counts.conflict += count_of(result, 2);
	sink->counts.rejected += count_of(result, 3);
	if (bad > 0)
		eb_log(EB_LOG_WARNING, "database: %s conflicting and %s rejected rows, see reading_inbox",
			   PQgetvalue(result, 0, 2), PQgetvalue(result, 0, 3));
	PQclear(result);
	eb_queue_ack(sink->queue, sink->batch_rows);
	sink->next_seq += (int64_t) sink->batch_rows;
	sink->batch_rows = 0;
	sink->batch_limit = (size_t) sink->conf->batch_rows;
	sink->state = EB_SINK_IDLE;
	send_batch(sink);
}

/* Lets libpq write what it still holds; the loop tells when the socket takes more. */
static void
flush_out(EbSink *sink)
{
	int left = PQflush(sink->conn);

	if (left < 0)
		fail(sink, "sending", PQerrorMessage(sink->conn), REMEDY_RETRY);
	else
		eb_loop_watch(sink->loop, &sink->watch, PQsocket(sink->conn),
					  EPOLLIN | (left > 0 ? EPOLLOUT : 0));
}

/* A full batch, or whatever is there when nothing more is waited for. */
static void
send_batch(EbSink *sink)
{
	EbBatch batch;
	size_t n = sink->queue->count < sink->batch_limit ? sink->queue->count : sink->batch_limit;
	int sent;

	eb_timer_stop(&sink->timer);
	if (n == 0)
	{
		if (sink->closing)
			sink->drained(sink->owner);
		return;
	}
	if (!eb_batch_make(&batch, sink->conf->id, sink->queue, n, sink->next_seq))
	{
		fail(sink, "batch", "out of memory", REMEDY_RETRY);
		return;
	}
	sent = PQsendQueryParams(sink->conn, eb_batch_sql, EB_BATCH_PARAMS, NULL,
							 (const char *const *) batch.param, NULL, NULL, 0);
	eb_batch_free(&batch);
	if (!sent)
	{
		fail(sink, "sending", PQerrorMessage(sink->conn), REMEDY_RETRY);
		return;
	}
	eb_timer_after(&sink->timer, ANSWER_MS);
	sink->batch_rows = n;
	sink->state = EB_SINK_SENDING;
	flush_out(sink);
}

static void
ask_seq(EbSink *sink)
{
	const char *param[] = {sink->conf->id};

	PQsetnonblocking(sink->conn, 1);
	eb_timer_after(&sink->timer, ANSWER_MS);
	if (!PQsendQueryParams(
			sink->conn,
			"SELECT c.acked_seq, (SELECT e.extversion FROM pg_catalog.pg_extension e "
			"WHERE e.extname = 'elecbill') FROM elecbill.collector c "
			"WHERE c.id = $1::uuid",
			1, NULL, param, NULL, NULL, 0))
	{
		fail(sink, "asking for the last number", PQerrorMessage(sink->conn), REMEDY_RETRY);
		return;
	}
	sink->state = EB_SINK_GREETING;
	flush_out(sink);
}

/* libpq may open another socket from one step to the next, so the watch is made anew. */
static void
connect_step(EbSink *sink)
{
	PostgresPollingStatusType status = PQconnectPoll(sink->conn);

	eb_loop_unwatch(sink->loop, &sink->watch);
	if (status == PGRES_POLLING_OK)
		ask_seq(sink);
	else if (status == PGRES_POLLING_FAILED)
		fail(sink, "connecting", PQerrorMessage(sink->conn), REMEDY_RETRY);
	else
		eb_loop_watch(sink->loop, &sink->watch, PQsocket(sink->conn),
					  status == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT);
}

/* libpq would write to stderr itself: as often as the server likes, and as it came. */
static void
take_notice(void *owner, const char *message)
{
	eb_log(EB_LOG_INFO, "database: %.300s", message);
}

static void
connect_now(EbSink *sink)
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
		fail(sink, "connecting", PQerrorMessage(sink->conn), REMEDY_RETRY);
		return;
	}
	PQsetNoticeProcessor(sink->conn, take_notice, NULL);
	eb_timer_after(&sink->timer, CONNECT_MS);
	eb_loop_watch(sink->loop, &sink->watch, PQsocket(sink->conn), EPOLLOUT);
}

/* One statement gives one result; the next may be sent only behind the NULL that ends it. */
static void
take_results(EbSink *sink)
{
	PGresult *result;

	if (!PQconsumeInput(sink->conn))
	{
		fail(sink, "connection", PQerrorMessage(sink->conn), REMEDY_RETRY);
		return;
	}
	flush_out(sink);
	while (sink->state != EB_SINK_OFF && !PQisBusy(sink->conn))
	{
		if ((result = PQgetResult(sink->conn)) != NULL)
		{
			PQclear(sink->result);
			sink->result = result;
			continue;
		}
		result = sink->result;
		sink->result = NULL;
		if (result == NULL)
			return;
		if (sink->state == EB_SINK_GREETING)
			greet(sink, result);
		else
			batch_done(sink, result);
	}
}

static void
sink_ready(void *owner, uint32_t events)
{
	EbSink *sink = owner;

	if (sink->state == EB_SINK_CONNECTING)
		connect_step(sink);
	else if (sink->state != EB_SINK_OFF)
		take_results(sink);
}

static void
sink_timer(void *owner)
{
	EbSink *sink = owner;

	if (sink->state == EB_SINK_OFF)
		connect_now(sink);
	else if (sink->state == EB_SINK_IDLE)
		send_batch(sink);
	else
		fail(sink, sink->state == EB_SINK_CONNECTING ? "connecting" : "waiting",
			 "no answer in time", REMEDY_RETRY);
}

void
eb_sink_open(EbSink *sink, EbLoop *loop, EbQueue *queue, const EbConfig *conf)
{
	memset(sink, 0, sizeof(*sink));
	sink->loop = loop;
	sink->queue = queue;
	sink->conf = conf;
	sink->backoff_ms = BACKOFF_FIRST_MS;
	sink->batch_limit = (size_t) conf->batch_rows;
	sink->watch = (EbWatch){-1, sink_ready, sink};
	eb_loop_add_timer(loop, &sink->timer, sink_timer, sink);
	connect_now(sink);
}

void
eb_sink_free(EbSink *sink)
{
	if (sink->loop == NULL)
		return;
	eb_timer_stop(&sink->timer);
	disconnect(sink);
	sink->loop = NULL;
}

/* The first row of a batch starts the gathering, a full batch ends it. */
void
eb_sink_poke(EbSink *sink)
{
	if (sink->state != EB_SINK_IDLE || sink->queue->count == 0)
		return;
	if (sink->closing || sink->queue->count >= sink->batch_limit)
		send_batch(sink);
	else if (!sink->timer.armed)
		eb_timer_after(&sink->timer, sink->conf->flush_ms);
}

void
eb_sink_close(EbSink *sink, void (*drained)(void *), void (*stuck)(void *), void *owner)
{
	sink->drained = drained;
	sink->stuck = stuck;
	sink->owner = owner;
	sink->closing = true;
	if (sink->queue->count == 0 && sink->state != EB_SINK_SENDING)
		drained(owner);
	else if (sink->state == EB_SINK_IDLE)
		send_batch(sink);
	else if (sink->state == EB_SINK_OFF)
		eb_timer_after(&sink->timer, 0);
}
