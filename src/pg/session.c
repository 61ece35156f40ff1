/*
 * session.c -- rate_session(), session_total(), session_increment()
 * In:  a tariff, a charging session (session_json.c).
 * Out: rows of elecbill.rate_line; amounts without and with tax.
 * Floor: pg.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/jsonb.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/rate.h"
#include "pg/session.h"
#include "pg/tariff.h"
#include "pg/zone.h"

#define FEW_GROUPS 32
#define FEW_LINES 32
#define MOST_LINES (1 << 20) /* percentages by line of percentages by line double them each time */

/* Lines of one session, and the tariff or version of it that made them */
typedef struct SessionLines
{
	const EbTariff *tariff;
	EbLine *line;
	int n;
} SessionLines;

/* Rates in memory that grows as needed: groups until they suffice, then lines. */
static void
rate_lines(const EbTariff *tariff, const EbZone *zone, const EbSession *session,
		   SessionLines *lines)
{
	EbSessionSpace space = {NULL, FEW_GROUPS, NULL, FEW_LINES};
	EbFault fault;
	int32_t version;
	EbStatus status;

	eb_pg_check(eb_session_check(session, &fault), &fault);
	eb_pg_check(
		eb_session_version(tariff, zone, session->start_us, &lines->tariff, &version, &fault),
		&fault);
	for (;;)
	{
		space.group = palloc_array(EbSessionGroup, space.groups);
		space.line = palloc_array(EbLine, space.lines);
		status = eb_session_rate(lines->tariff, zone, session, &space, &lines->n, &fault);
		pfree(space.group);
		if (status != EB_NO_SPACE)
			break;
		CHECK_FOR_INTERRUPTS();
		pfree(space.line);
		if (lines->n < space.lines)
			space.groups *= 2;
		else if (space.lines < MOST_LINES)
			space.lines *= 2;
		else
			ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT),
							errmsg("session has more than %d lines", MOST_LINES),
							errhint("Leave out \"per_line\".")));
	}
	eb_pg_check(status, &fault);
	lines->line = space.line;
	for (int i = 0; i < lines->n; i++)
		lines->line[i].version = version;
}

PG_FUNCTION_INFO_V1(elecbill_session_rate);
Datum
elecbill_session_rate(PG_FUNCTION_ARGS)
{
	const EbTariff *tariff = PG_GETARG_EB_TARIFF(0);
	const EbZone *zone = eb_pg_tariff_zone(tariff);
	EbPgRateContext ctx = {.has_version = false};
	EbPgSession session;
	SessionLines lines;

	eb_pg_session(PG_GETARG_JSONB_P(1), zone, &session);
	rate_lines(tariff, zone, &session.session, &lines);
	ctx.lang = session.lang;
	eb_pg_return_lines(fcinfo, tariff, &ctx, lines.line, lines.n);
	PG_RETURN_NULL();
}

static void
session_total(const EbTariff *tariff, const EbZone *zone, const EbSession *session,
			  EbSessionTotal *total)
{
	SessionLines lines;
	EbFault fault;

	rate_lines(tariff, zone, session, &lines);
	eb_pg_check(eb_session_total(lines.tariff, lines.line, lines.n, total, &fault), &fault);
	pfree(lines.line);
}

/* (excl, incl) with the decimals of the currency or more */
static Datum
total_datum(FunctionCallInfo fcinfo, const EbTariff *tariff, eb_int128 excl, eb_int128 incl)
{
	TupleDesc desc;
	bool null[2] = {false, false};
	Datum value[2] = {
		eb_pg_numeric(excl, EB_AMOUNT_SCALE, tariff->minor_unit),
		eb_pg_numeric(incl, EB_AMOUNT_SCALE, tariff->minor_unit),
	};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "result of a session is no row");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), value, null));
}

PG_FUNCTION_INFO_V1(elecbill_session_total);
Datum
elecbill_session_total(PG_FUNCTION_ARGS)
{
	const EbTariff *tariff = PG_GETARG_EB_TARIFF(0);
	const EbZone *zone = eb_pg_tariff_zone(tariff);
	EbPgSession session;
	EbSessionTotal total;

	eb_pg_session(PG_GETARG_JSONB_P(1), zone, &session);
	session_total(tariff, zone, &session.session, &total);
	return total_datum(fcinfo, tariff, total.excl, total.incl);
}

static int64
session_end(const EbSession *session)
{
	return session->nsegments > 0 ? session->segment[session->nsegments - 1].to_us
								  : session->start_us;
}

PG_FUNCTION_INFO_V1(elecbill_session_increment);
Datum
elecbill_session_increment(PG_FUNCTION_ARGS)
{
	const EbTariff *tariff;
	const EbZone *zone;
	EbPgSession before;
	EbPgSession after;
	EbSessionTotal old = {0, 0};
	EbSessionTotal now;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	tariff = PG_GETARG_EB_TARIFF(0);
	zone = eb_pg_tariff_zone(tariff);
	eb_pg_session(PG_GETARG_JSONB_P(2), zone, &after);
	if (!PG_ARGISNULL(1))
	{
		eb_pg_session(PG_GETARG_JSONB_P(1), zone, &before);
		if (before.session.start_us != after.session.start_us ||
			session_end(&before.session) > session_end(&after.session))
			ereport(ERROR, (errcode(EB_ERRCODE_CONFLICT),
							errmsg("session does not go on from the one before"),
							errdetail("They start at different times, or it ends earlier.")));
		session_total(tariff, zone, &before.session, &old);
	}
	session_total(tariff, zone, &after.session, &now);
	/* amounts that could be rounded fit: far below 2^126 */
	return total_datum(fcinfo, tariff, now.excl - old.excl, now.incl - old.incl);
}
