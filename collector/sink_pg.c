/*
 * sink_pg.c -- records of the spool into the database, by one call of elecbill.ingest() per batch
 * In:  the spool; a connection string without password.
 * Out: committed rows. Asynchronous: everything waits in the loop, except that libpq looks up a
 *      host name itself (name the socket directory or hostaddr to avoid that).
 *
 * A batch that failed is sent again with the same numbers and the same instants: what was
 * committed although the answer was lost comes back as duplicate.
 * Source: doc/collector.md.
 */
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "clock.h"
#include "crashpoint.h"
#include "sink_part.h"

#define ENOUGH_ROWS 200 /* a batch of so many need not wait for more */
#define BAD_ROW_TRIES 3
#define QUICK_MS 4000 /* twice as many rows would still be within the limit of a statement */

static uint64_t
count_of(PGresult *result, int column)
{
	return strtoull(PQgetvalue(result, 0, column), NULL, 10);
}

/* Rows of a call at most. */
static int
most_rows(const EbSink *sink)
{
	return sink->conf->batch_rows < sink->batch.size ? sink->conf->batch_rows : sink->batch.size;
}

/* Rows of the next call: half of those among which a bad one is; else more, step by step. */
static void
widen(EbSink *sink)
{
	int64_t left = sink->suspect - sink->spool->acked;
	bool quick = eb_clock_mono_ms() - sink->sent_ms < QUICK_MS;

	if (left > 0)
	{
		sink->limit = left / 2 > 1 ? (int) (left / 2) : 1;
		return;
	}
	sink->suspect = 0;
	/* a batch of fewer rows than were allowed does not tell how long more would take */
	if (quick && (sink->sending == 0 || sink->sending >= sink->limit))
		sink->limit = sink->limit * 2 < most_rows(sink) ? sink->limit * 2 : most_rows(sink);
}

/* The batch is committed: its records are done with. */
static void
batch_done(EbSink *sink, PGresult *result)
{
	uint64_t bad = count_of(result, 2) + count_of(result, 3);

	EB_CRASH_POINT("sink_commit_seen");
	sink->counts.batches++;
	sink->counts.accepted += count_of(result, 0);
	sink->counts.duplicate += count_of(result, 1);
	sink->counts.conflict += count_of(result, 2);
	sink->counts.rejected += count_of(result, 3);
	if (bad > 0)
		eb_log(EB_LOG_WARNING, "database: %s conflicting and %s rejected rows, see reading_inbox",
			   PQgetvalue(result, 0, 2), PQgetvalue(result, 0, 3));
	PQclear(result);
	if (sink->sending > 0)
	{
		sink->db_acked = sink->batch.row[sink->sending - 1].seq;
		eb_spool_ack(sink->spool, &sink->batch.row[sink->sending - 1]);
		widen(sink);
	}
	else
		sink->db_acked = sink->spool->acked;
	sink->sending = sink->tries = 0;
	sink->backoff_ms = EB_SINK_BACKOFF_FIRST_MS;
	sink->last_error[0] = '\0';
	sink->state = EB_SINK_IDLE;
	eb_sink_go_on(sink);
}

/* A single row that the database refuses goes aside at the third time. */
static void
bad_row(EbSink *sink, const char *why)
{
	const EbSpoolRow *row = &sink->batch.row[0];

	sink->suspect = row->seq;
	sink->limit = 1;
	if (++sink->tries < BAD_ROW_TRIES)
	{
		eb_sink_come_again(sink, sink->backoff_ms);
		return;
	}
	eb_log(EB_LOG_ERROR, "database: number %lld is set aside: %.300s", (long long) row->seq, why);
	eb_spool_reject(sink->spool, row);
	eb_spool_ack(sink->spool, row);
	sink->tries = 0;
	sink->backoff_ms = EB_SINK_BACKOFF_FIRST_MS;
	widen(sink);
	eb_timer_after(&sink->timer, 0);
}

/* The connection is good, the batch was not: smaller, or a little later. */
static void
batch_refused(EbSink *sink, PGresult *result, EbRemedy remedy)
{
	int n = sink->sending;
	char why[320];

	snprintf(why, sizeof(why), "%s %s", PQresultErrorField(result, PG_DIAG_SQLSTATE),
			 PQresultErrorMessage(result));
	PQclear(result);
	sink->counts.failures++;
	eb_sink_tell(sink, "ingest", why, false);
	sink->state = EB_SINK_PAUSED;
	sink->sending = 0;
	if (remedy == EB_REMEDY_BISECT && n == 1)
	{
		bad_row(sink, why);
		return;
	}
	if (remedy == EB_REMEDY_BISECT && n > 1)
		sink->suspect = sink->batch.row[n - 1].seq;
	if (remedy != EB_REMEDY_RETRY && n > 1)
		sink->limit = n / 2;
	if (remedy == EB_REMEDY_BISECT && n > 1)
		eb_timer_after(&sink->timer, 0);
	else
		eb_sink_come_again(sink, sink->backoff_ms);
}

static void
batch_answered(EbSink *sink, PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		batch_done(sink, result);
	else if (eb_sink_stays(state) && PQstatus(sink->conn) == CONNECTION_OK)
		batch_refused(sink, result, eb_sink_remedy(state));
	else
		eb_sink_fail_result(sink, "ingest", result);
}

/* Rows, or none when only the number is behind. */
static void
send_rows(EbSink *sink, int n)
{
	int64_t first = n > 0 ? sink->batch.row[0].seq : sink->spool->acked + 1;
	EbBatch batch;
	int sent;

	if (!eb_batch_make(&batch, sink->spool->uuid, sink->batch.row, n, first))
	{
		eb_sink_fail(sink, "batch", "out of memory", EB_REMEDY_RETRY);
		return;
	}
	EB_CRASH_POINT("sink_before_send");
	sent = PQsendQueryParams(sink->conn, eb_batch_sql, EB_BATCH_PARAMS, NULL,
							 (const char *const *) batch.value, batch.length, eb_batch_format, 0);
	eb_batch_free(&batch);
	if (!sent)
	{
		eb_sink_fail(sink, "sending", PQerrorMessage(sink->conn), EB_REMEDY_RETRY);
		return;
	}
	eb_timer_after(&sink->timer, EB_SINK_ANSWER_MS);
	sink->sending = n;
	sink->sent_ms = eb_clock_mono_ms();
	sink->state = EB_SINK_SENDING;
	eb_sink_flush_out(sink);
	EB_CRASH_POINT("sink_after_send");
}

/* What a new configuration asks for, when nothing is out. */
static void
renew(EbSink *sink)
{
	EbSpoolBatch batch;

	if (sink->conf->batch_rows > sink->batch.size &&
		eb_spool_batch_open(&batch, sink->conf->batch_rows))
	{
		eb_spool_batch_free(&sink->batch);
		sink->batch = batch;
	}
	sink->limit = most_rows(sink);
	sink->renewing = false;
	sink->backoff_ms = EB_SINK_BACKOFF_FIRST_MS;
	eb_timer_stop(&sink->timer);
	eb_sink_disconnect(sink);
	eb_sink_connect(sink);
}

/* An errand and a batch in turn; of a batch whatever is there, up to the limit. */
void
eb_sink_go_on(EbSink *sink)
{
	int n;

	eb_timer_stop(&sink->timer);
	sink->state = EB_SINK_IDLE;
	if (sink->renewing && !sink->closing)
	{
		renew(sink);
		return;
	}
	if (sink->errand_next && eb_sink_errand_send(sink))
		return;
	n = eb_spool_read(sink->spool, &sink->batch, sink->limit);
	sink->errand_next = true;
	if (n > 0 || sink->spool->acked > sink->db_acked)
		send_rows(sink, n);
	else if (!eb_sink_errand_send(sink) && sink->closing)
		sink->drained(sink->owner);
}

/* Somebody has called NOTIFY; what for is in no need to be known. */
static void
take_notifications(EbSink *sink)
{
	PGnotify *notify;
	bool any = false;

	while (sink->conn != NULL && (notify = PQnotifies(sink->conn)) != NULL)
	{
		PQfreemem(notify);
		any = true;
	}
	if (any && sink->errand_owner.notified != NULL)
		sink->errand_owner.notified(sink->errand_owner.owner);
}

/* One statement gives one result; the next may be sent only behind the NULL that ends it. */
static void
take_results(EbSink *sink)
{
	PGresult *result;

	if (!PQconsumeInput(sink->conn))
	{
		eb_sink_fail(sink, "connection", PQerrorMessage(sink->conn), EB_REMEDY_RETRY);
		return;
	}
	eb_sink_flush_out(sink);
	take_notifications(sink);
	while (sink->state != EB_SINK_OFF && sink->state != EB_SINK_CONNECTING && !PQisBusy(sink->conn))
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
			eb_sink_greeted(sink, result);
		else if (sink->state == EB_SINK_ON_ERRAND)
			eb_sink_errand_answered(sink, result);
		else
			batch_answered(sink, result);
	}
}

static void
sink_ready(void *owner, uint32_t events)
{
	EbSink *sink = owner;

	(void) events;
	if (sink->state == EB_SINK_CONNECTING)
		eb_sink_connect_step(sink);
	else if (sink->state != EB_SINK_OFF)
		take_results(sink);
}

static void
sink_timer(void *owner)
{
	EbSink *sink = owner;

	if (sink->state == EB_SINK_OFF)
		eb_sink_connect(sink);
	else if (sink->state == EB_SINK_IDLE || sink->state == EB_SINK_PAUSED)
		eb_sink_go_on(sink);
	else
		eb_sink_fail(sink, sink->state == EB_SINK_CONNECTING ? "connecting" : "waiting",
					 "no answer in time", EB_REMEDY_RETRY);
}

bool
eb_sink_open(EbSink *sink, EbLoop *loop, EbSpool *spool, const EbConfig *conf)
{
	memset(sink, 0, sizeof(*sink));
	sink->loop = loop;
	sink->spool = spool;
	sink->conf = conf;
	sink->backoff_ms = EB_SINK_BACKOFF_FIRST_MS;
	sink->limit = conf->batch_rows;
	sink->watch = (EbWatch){-1, sink_ready, sink};
	eb_loop_add_timer(loop, &sink->timer, sink_timer, sink);
	if (!eb_spool_batch_open(&sink->batch, conf->batch_rows))
		return false;
	eb_sink_connect(sink);
	return true;
}

void
eb_sink_free(EbSink *sink)
{
	if (sink->loop == NULL)
		return;
	eb_timer_stop(&sink->timer);
	eb_sink_disconnect(sink);
	eb_spool_batch_free(&sink->batch);
	sink->loop = NULL;
}

/* The first record of a batch starts the gathering, enough of them end it. */
void
eb_sink_poke(EbSink *sink)
{
	int64_t ready = eb_spool_ready(sink->spool);

	if (sink->state != EB_SINK_IDLE || ready == 0)
		return;
	if (sink->closing || ready >= ENOUGH_ROWS || ready >= sink->limit)
		eb_sink_go_on(sink);
	else if (!sink->timer.armed)
		eb_timer_after(&sink->timer, sink->conf->flush_ms);
}

void
eb_sink_close(EbSink *sink, void (*drained)(void *), void (*stuck)(void *), void *owner)
{
	sink->drained = drained;
	sink->stuck = stuck;
	sink->owner = owner;
	eb_spool_sync(sink->spool);
	sink->closing = true;
	if (eb_spool_ready(sink->spool) == 0 && sink->errand == NULL && sink->state != EB_SINK_SENDING)
		drained(owner);
	else if (sink->state == EB_SINK_IDLE)
		eb_sink_go_on(sink);
	else if (sink->state == EB_SINK_OFF || sink->state == EB_SINK_PAUSED)
		eb_timer_after(&sink->timer, 0);
}

void
eb_sink_reload(EbSink *sink, const EbConfig *conf)
{
	sink->conf = conf;
	sink->renewing = true;
	if (sink->state != EB_SINK_SENDING && sink->state != EB_SINK_ON_ERRAND && !sink->closing)
		renew(sink);
}
