/*
 * rate.c -- rate(), rate_total(), rate_increment(), tariff_price()
 * In:  a tariff, usage summaries, ctx (rate_ctx.c).
 * Out: rows of elecbill.rate_line (rate_row.c), a total, a price.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/rate.h"
#include "pg/tariff.h"
#include "pg/usage.h"
#include "pg/zone.h"
#include "rating/rate_service.h"

#define MOST_LINES (1 << 20) /* percentages by line of percentages by line double them each time */

/* What stays the same from call to call of one expression, in fn_extra */
typedef struct RateCache
{
	const EbTariff *tariff; /* a constant */
	const EbZone *zone;
	int zone_len;
	char zone_name[64];
	EbUsageMap map;
	EbKeptRuns kept;	   /* of a constant tariff */
	EbPgRateContext plain; /* of an empty ctx */
	bool has_plain;
} RateCache;

static RateCache *
rate_cache(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(RateCache));
	return (RateCache *) fcinfo->flinfo->fn_extra;
}

/* Is the first argument a constant of the expression? A parameter may be another in each call. */
static bool
tariff_is_constant(FunctionCallInfo fcinfo)
{
	const FuncExpr *call = (const FuncExpr *) fcinfo->flinfo->fn_expr;

	return call != NULL && IsA(call, FuncExpr) && IsA(linitial(call->args), Const);
}

/* The first argument; a constant is looked at once. */
static const EbTariff *
rate_tariff(FunctionCallInfo fcinfo)
{
	RateCache *cache = rate_cache(fcinfo);
	Datum value = PG_GETARG_DATUM(0);
	const EbTariff *tariff;

	if (likely(cache->tariff != NULL))
		return cache->tariff;
	tariff = eb_pg_tariff(value);
	/* unless it lies in a copy that the next call has no more */
	if (tariff_is_constant(fcinfo) &&
		(const char *) tariff == ((const EbTariffDatum *) DatumGetPointer(value))->data)
	{
		cache->tariff = cache->map.tariff = tariff;
		cache->map.context = fcinfo->flinfo->fn_mcxt;
	}
	return tariff;
}

/* The zone of the tariff; one expression mostly sees one zone */
static const EbZone *
tariff_zone(FunctionCallInfo fcinfo, const EbTariff *tariff)
{
	RateCache *cache = rate_cache(fcinfo);
	const char *name = EB_ARRAY(tariff, char, tariff->zone);

	if (cache->zone != NULL && cache->zone_len == tariff->zone.n &&
		memcmp(cache->zone_name, name, cache->zone_len) == 0)
		return cache->zone;
	if (tariff->zone.n > (int) sizeof(cache->zone_name))
		return eb_pg_tariff_zone(tariff);
	cache->zone = NULL;
	cache->zone_len = tariff->zone.n;
	memcpy(cache->zone_name, name, cache->zone_len);
	cache->zone = eb_pg_tariff_zone(tariff);
	return cache->zone;
}

/* The ctx argument; mostly it is the default, which is read once. */
static const EbPgRateContext *
rate_context(FunctionCallInfo fcinfo, int argument, const EbZone *zone)
{
	RateCache *cache = rate_cache(fcinfo);
	Jsonb *json = PG_GETARG_JSONB_P(argument);
	EbPgRateContext *ctx = &cache->plain;

	if (!JB_ROOT_IS_OBJECT(json) || JB_ROOT_COUNT(json) > 0)
		ctx = palloc(sizeof(EbPgRateContext));
	else if (cache->has_plain)
		return ctx;
	eb_pg_rate_context(json, zone, ctx);
	if (cache->tariff != NULL)
		ctx->rating.kept = &cache->kept;
	cache->has_plain = cache->has_plain || ctx == &cache->plain;
	return ctx;
}

void
eb_pg_rate_lines(const EbTariff *tariff, const EbZone *zone, const EbUsage *usage,
				 const EbRateContext *ctx, EbPgLines *lines)
{
	EbFault fault;
	EbStatus status;
	int capacity = EB_FEW_LINES;

	lines->line = lines->few;
	for (;;)
	{
		status = eb_rate(tariff, zone, eb_pg_usage_fresh(usage, tariff), ctx, lines->line, capacity,
						 &lines->n, &fault);
		if (status != EB_NO_SPACE)
			break;
		CHECK_FOR_INTERRUPTS();
		if (capacity == MOST_LINES)
			ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT),
							errmsg("bill has more than %d lines", MOST_LINES),
							errhint("Rate a shorter range, or leave out \"per_line\".")));
		if (capacity > EB_FEW_LINES)
			pfree(lines->line);
		capacity *= 4;
		lines->line = palloc(sizeof(EbLine) * capacity);
	}
	eb_pg_check(status, &fault);
}

/* Rates a summary of the running function's arguments; the sum was checked when it was rounded. */
static eb_int128
rate_sum(FunctionCallInfo fcinfo, const EbTariff *tariff, Datum usage, const EbRateContext *ctx)
{
	EbUsage mapped;
	EbPgLines lines;
	eb_int128 sum = 0;

	eb_pg_usage_map(usage, tariff, &rate_cache(fcinfo)->map, &mapped);
	eb_pg_rate_lines(tariff, tariff_zone(fcinfo, tariff), &mapped, ctx, &lines);
	for (int i = 0; i < lines.n; i++)
		sum += lines.line[i].amount;
	return sum;
}

PG_FUNCTION_INFO_V1(elecbill_rate);
Datum
elecbill_rate(PG_FUNCTION_ARGS)
{
	const EbTariff *tariff = rate_tariff(fcinfo);
	const EbZone *zone = tariff_zone(fcinfo, tariff);
	const EbPgRateContext *ctx;
	EbUsage usage;
	EbPgLines lines;

	eb_pg_usage_map(PG_GETARG_DATUM(1), tariff, &rate_cache(fcinfo)->map, &usage);
	ctx = rate_context(fcinfo, 2, zone);
	eb_pg_rate_lines(tariff, zone, &usage, &ctx->rating, &lines);
	eb_pg_return_lines(fcinfo, tariff, ctx, lines.line, lines.n);
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(elecbill_rate_total);
Datum
elecbill_rate_total(PG_FUNCTION_ARGS)
{
	const EbTariff *tariff = rate_tariff(fcinfo);
	const EbPgRateContext *ctx = rate_context(fcinfo, 2, tariff_zone(fcinfo, tariff));

	return eb_pg_numeric(rate_sum(fcinfo, tariff, PG_GETARG_DATUM(1), &ctx->rating),
						 EB_AMOUNT_SCALE, tariff->minor_unit);
}

/*
 * Each total is rounded by the same rule, so increments add up to the last bill. What was charged
 * before was not final: no minimum was due then.
 */
PG_FUNCTION_INFO_V1(elecbill_rate_increment);
Datum
elecbill_rate_increment(PG_FUNCTION_ARGS)
{
	const EbTariff *tariff;
	EbPgRateContext ctx;
	eb_int128 before = 0;
	eb_int128 increment;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		PG_RETURN_NULL();
	tariff = rate_tariff(fcinfo);
	eb_pg_rate_context(PG_GETARG_JSONB_P(3), tariff_zone(fcinfo, tariff), &ctx);
	ctx.rating.final = false;
	if (!PG_ARGISNULL(1))
		before = rate_sum(fcinfo, tariff, PG_GETARG_DATUM(1), &ctx.rating);
	ctx.rating.final = PG_GETARG_BOOL(4);
	increment = rate_sum(fcinfo, tariff, PG_GETARG_DATUM(2), &ctx.rating);
	if (!eb_add128(increment, -before, &increment))
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("increment is out of range")));
	return eb_pg_numeric(increment, EB_AMOUNT_SCALE, tariff->minor_unit);
}

PG_FUNCTION_INFO_V1(elecbill_tariff_price);
Datum
elecbill_tariff_price(PG_FUNCTION_ARGS)
{
	const EbTariff *tariff = PG_GETARG_EB_TARIFF(0);
	int64 at_us = eb_pg_instant(PG_GETARG_TIMESTAMPTZ(1), "instant");
	int64 before_ukwh = eb_pg_energy(PG_GETARG_DATUM(2), "before");
	int nattrs;
	const EbAttr *attr = eb_pg_attrs(PG_GETARG_JSONB_P(3), &nattrs);
	eb_int128 price;
	EbFault fault;

	if (before_ukwh < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("before must not be negative")));
	eb_pg_check(eb_rate_marginal(tariff, tariff_zone(fcinfo, tariff), at_us, before_ukwh, attr,
								 nattrs, &price, &fault),
				&fault);
	return eb_pg_numeric(price, EB_AMOUNT_SCALE, 0);
}
