/*
 * sink_errand.c -- statements beside the batches: one connection, one statement at a time
 * In:  errands of commands.c and events.c. Out: their results, each once.
 */
#include "sink_part.h"

bool
eb_sink_errand(EbSink *sink, EbErrand *errand)
{
	EbErrand **last = &sink->errand;

	if (sink->closing || sink->state == EB_SINK_OFF || sink->state == EB_SINK_CONNECTING ||
		sink->state == EB_SINK_GREETING)
		return false;
	while (*last != NULL)
		last = &(*last)->next;
	errand->next = NULL;
	*last = errand;
	if (sink->state == EB_SINK_IDLE)
		eb_sink_errand_send(sink);
	return true;
}

bool
eb_sink_errand_send(EbSink *sink)
{
	const EbErrand *errand = sink->errand;

	if (errand == NULL)
		return false;
	eb_timer_after(&sink->timer, EB_SINK_ANSWER_MS);
	sink->state = EB_SINK_ON_ERRAND;
	sink->errand_next = false;
	if (PQsendQueryParams(sink->conn, errand->sql, errand->nparams, NULL, errand->param, NULL, NULL,
						  0))
		eb_sink_flush_out(sink);
	else
		eb_sink_fail(sink, "sending", PQerrorMessage(sink->conn), EB_REMEDY_RETRY);
	return true;
}

/* The connection may be broken by what the answer says; then all errands have ended. */
void
eb_sink_errand_answered(EbSink *sink, PGresult *result)
{
	EbErrand *errand = sink->errand;

	sink->errand = errand->next;
	eb_timer_stop(&sink->timer);
	errand->ended(errand->owner, result);
	PQclear(result);
	if (PQstatus(sink->conn) != CONNECTION_OK)
		eb_sink_fail(sink, "connection", PQerrorMessage(sink->conn), EB_REMEDY_RETRY);
	else
		eb_sink_go_on(sink);
}

void
eb_sink_errands_lost(EbSink *sink)
{
	EbErrand *errand = sink->errand;

	sink->errand = NULL;
	while (errand != NULL)
	{
		EbErrand *next = errand->next;

		errand->ended(errand->owner, NULL);
		errand = next;
	}
}
