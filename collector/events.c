/*
 * events.c -- what happened, on its way to elecbill.collector_event()
 * In:  events of buses, spool and clock. Out: errands of the sink; the same event told twice adds
 *      nothing in the database, so what may have been lost with a connection is told again.
 */
#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "sink_remedy.h"

static const char *const tell_sql = "SELECT elecbill.collector_event($1::uuid, $2::jsonb)";

/* No longer than its place, and no half of a character at its end. */
static void
copy(char *to, size_t size, const char *from)
{
	size_t used = 0;
	size_t n;

	while (from != NULL && from[used] != '\0')
	{
		n = eb_utf8_size(from + used);
		n = n > 0 ? n : 1;
		if (used + n >= size)
			break;
		memcpy(to + used, from + used, n);
		used += n;
	}
	to[used] = '\0';
}

static void
put_event(FILE *out, const EbEventKept *event)
{
	char instant[EB_CLOCK_TEXT];

	fputs("{\"code\":", out);
	eb_json_put_text(out, event->code);
	fprintf(out, ",\"severity\":\"%s\",\"at\":\"%s\"",
			event->severity == EB_LOG_ERROR		? "error"
			: event->severity == EB_LOG_WARNING ? "warn"
												: "info",
			eb_clock_text(instant, event->at_ms));
	if (event->serial[0] != '\0')
	{
		fputs(",\"meter\":", out);
		eb_json_put_text(out, event->serial);
	}
	fputs(",\"details\":{", out);
	if (event->port[0] != '\0')
	{
		fputs("\"port\":", out);
		eb_json_put_text(out, event->port);
	}
	if (event->detail[0] != '\0')
	{
		fputs(event->port[0] != '\0' ? ",\"text\":" : "\"text\":", out);
		eb_json_put_text(out, event->detail);
	}
	fputs("}}", out);
}

/* The oldest n as one array; NULL when there is no memory. */
static char *
as_json(const EbEvents *events, int n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	for (int i = 0; i < n; i++)
	{
		fputc(i == 0 ? '[' : ',', out);
		put_event(out, &events->kept[(events->first + i) % EB_EVENTS_MAX]);
	}
	fputc(']', out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void
forget(EbEvents *events, int n)
{
	events->first = (events->first + n) % EB_EVENTS_MAX;
	events->n -= n;
}

/* What the database refuses for good is in the log already; it must not keep the others waiting. */
static void
told(void *owner, const PGresult *result)
{
	EbEvents *events = owner;
	bool done = result != NULL && PQresultStatus(result) == PGRES_TUPLES_OK;
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	int n = events->nout;

	events->out = false;
	events->nout = 0;
	free(events->json);
	events->json = NULL;
	if (!done && eb_sink_remedy(state) == EB_REMEDY_RETRY)
		return; /* again with the next connection, or the next event */
	if (!done)
		eb_log(EB_LOG_ERROR, "database: %d events are refused: %.300s", n,
			   PQresultErrorMessage(result));
	events->told += done ? (uint64_t) n : 0;
	forget(events, n);
	eb_events_tell(events);
}

static void
keep(EbEvents *events, const EbEvent *event)
{
	EbEventKept *kept;

	if (events->n == EB_EVENTS_MAX)
	{
		if (events->nout > 0)
			events->nout--; /* it is on its way */
		forget(events, 1);
		events->lost++;
	}
	kept = &events->kept[(events->first + events->n) % EB_EVENTS_MAX];
	copy(kept->code, sizeof(kept->code), event->code);
	copy(kept->port, sizeof(kept->port), event->port);
	copy(kept->serial, sizeof(kept->serial), event->serial);
	copy(kept->detail, sizeof(kept->detail), event->detail);
	kept->severity = event->severity;
	kept->at_ms = event->at_ms;
	events->n++;
}

/* Those that had to make room are an event of their own. */
static void
keep_lost(EbEvents *events)
{
	char detail[60];
	EbEvent event = {.code = "events_lost",
					 .severity = EB_LOG_WARNING,
					 .detail = detail,
					 .at_ms = eb_clock_real_ms()};

	snprintf(detail, sizeof(detail), "%llu events found no room",
			 (unsigned long long) events->lost);
	events->lost = 0;
	keep(events, &event);
}

void
eb_events_tell(EbEvents *events)
{
	int n;

	if (events->sink == NULL || events->out)
		return;
	if (events->lost > 0 && events->n < EB_EVENTS_MAX)
		keep_lost(events);
	n = events->n < EB_EVENTS_AT_ONCE ? events->n : EB_EVENTS_AT_ONCE;
	if (n == 0 || (events->json = as_json(events, n)) == NULL)
		return;
	events->errand = (EbErrand){.sql = tell_sql,
								.nparams = 2,
								.param = {events->conf->id, events->json},
								.ended = told,
								.owner = events};
	events->out = true;
	events->nout = n;
	if (eb_sink_errand(events->sink, &events->errand))
		return;
	events->out = false;
	events->nout = 0;
	free(events->json);
	events->json = NULL;
}

void
eb_events_add(EbEvents *events, const EbEvent *event)
{
	if (events->sink == NULL)
		return;
	keep(events, event);
	eb_events_tell(events);
}

void
eb_events_open(EbEvents *events, const EbConfig *conf, EbSink *sink)
{
	memset(events, 0, sizeof(*events));
	events->conf = conf;
	events->sink = sink;
}

void
eb_events_close(EbEvents *events)
{
	free(events->json);
	events->json = NULL;
	events->sink = NULL;
}
