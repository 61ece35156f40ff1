/*
 * rate.c -- rate(), rate_total(), tariff_price()
 * In:  a tariff, a usage summary, ctx (rate_ctx.c).
 * Out: rows of elecbill.rate_line, a total, a price.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/rate_ctx.h"
#include "pg/tariff.h"
#include "pg/usage.h"
#include "pg/zone.h"
#include "rating/rate.h"

#define FEW_LINES 64
#define MOST_LINES (1 << 20) /* percentages by line of percentages by line double them each time */

#define RATE_LINE_COLUMNS 15
#define DURING_COLUMN 12 /* of rate_line, from 0 */

/* What stays the same from call to call of one expression, in fn_extra */
typedef struct RateCache
{
	const EbZone *zone;
	int zone_len;
	char zone_name[64];
} RateCache;

/* Lines of one rating; few fit in it */
typedef struct RateLines
{
	EbLine few[FEW_LINES];
	EbLine *line;
	int n;
} RateLines;

static RateCache *
rate_cache(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(RateCache));
	return (RateCache *) fcinfo->flinfo->fn_extra;
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

/* Rates into lines->line[0 .. n), in memory that grows as needed. */
static void
rate_lines(const EbTariff *tariff, const EbZone *zone, const EbUsage *usage,
		   const EbRateContext *ctx, RateLines *lines)
{
	EbFault fault;
	EbStatus status;
	int capacity = FEW_LINES;

	lines->line = lines->few;
	for (;;)
	{
		status = eb_rate(tariff, zone, usage, ctx, lines->line, capacity, &lines->n, &fault);
		if (status != EB_NO_SPACE)
			break;
		CHECK_FOR_INTERRUPTS();
		if (capacity == MOST_LINES)
			ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT),
							errmsg("bill has more than %d lines", MOST_LINES),
							errhint("Rate a shorter range, or leave out \"per_line\".")));
		if (capacity > FEW_LINES)
			pfree(lines->line);
		capacity *= 4;
		lines->line = palloc(sizeof(EbLine) * capacity);
	}
	eb_pg_check(status, &fault);
}

static Datum
text_datum(const char *text)
{
	return CStringGetTextDatum(text);
}

static Datum
slice_datum(const EbTariff *tariff, EbSlice slice)
{
	return PointerGetDatum(cstring_to_text_with_len(EB_ARRAY(tariff, char, slice), slice.n));
}

/* The label in the language, or EB_NONE */
static int
find_label(const EbTariff *tariff, const EbComponent *component, const char *lang)
{
	const EbLabel *label = EB_ARRAY(tariff, EbLabel, component->label);

	for (int i = 0; i < component->label.n; i++)
		if (label[i].lang.n == (int) strlen(lang) &&
			memcmp(EB_ARRAY(tariff, char, label[i].lang), lang, label[i].lang.n) == 0)
			return i;
	return EB_NONE;
}

/* The label in the language, else the one for all, else Chinese, else any; without one, the code */
static Datum
label_datum(const EbTariff *tariff, const EbComponent *component, const char *lang)
{
	int found = find_label(tariff, component, lang);

	if (component->label.n == 0)
		return slice_datum(tariff, component->code);
	if (found == EB_NONE)
		found = find_label(tariff, component, "");
	if (found == EB_NONE)
		found = find_label(tariff, component, "zh");
	if (found == EB_NONE)
		found = 0;
	return slice_datum(tariff, EB_ARRAY(tariff, EbLabel, component->label)[found].text);
}

static const char *
unit_name(const EbLine *line)
{
	static const char *const name[] = {
		[EB_UNIT_KWH] = "kwh",	   [EB_UNIT_BILL] = "bill",	 [EB_UNIT_DAY] = "day",
		[EB_UNIT_MONTH] = "month", [EB_UNIT_PIECE] = "unit", [EB_UNIT_PERCENT] = "percent",
	};

	return name[line->unit];
}

static const char *
quality_name(const EbLine *line)
{
	static const char *const name[] = {"actual", "estimated", "missing"};

	return name[line->quality];
}

static Datum
during_datum(TypeCacheEntry *range, const EbLine *line)
{
	RangeBound from = {.val = TimestampTzGetDatum(line->from_us), .inclusive = true, .lower = true};
	RangeBound to = {.val = TimestampTzGetDatum(line->to_us)};

	return RangeTypePGetDatum(make_range(range, &from, &to, false));
}

/* code, grp, label of a line */
static void
name_line(const EbTariff *tariff, const EbLine *line, const char *lang, Datum *value)
{
	const EbComponent *component;

	if (line->component == EB_NONE)
	{
		value[0] = value[1] = text_datum("rounding");
		value[2] = text_datum(strcmp(lang, "zh") == 0 ? "尾差" : "rounding");
		return;
	}
	component = EB_ARRAY(tariff, EbComponent, tariff->component) + line->component;
	value[0] = slice_datum(tariff, component->code);
	value[1] = slice_datum(tariff, component->group);
	value[2] = label_datum(tariff, component, lang);
}

static void
put_line(ReturnSetInfo *result, TypeCacheEntry *range, const EbTariff *tariff,
		 const EbPgRateContext *ctx, const EbLine *line, int n)
{
	Datum value[RATE_LINE_COLUMNS];
	bool null[RATE_LINE_COLUMNS] = {false};

	memset(value, 0, sizeof(value));
	value[0] = Int32GetDatum(n);
	name_line(tariff, line, ctx->lang, &value[1]);
	null[4] = line->slot == EB_NONE;
	if (!null[4])
		value[4] = slice_datum(
			tariff,
			EB_ARRAY(tariff, EbSlice,
					 tariff->period_name)[EB_ARRAY(tariff, EbSlot, tariff->slot)[line->slot].name]);
	null[5] = line->tier == 0;
	value[5] = Int32GetDatum(line->tier);
	value[6] = eb_pg_numeric(line->quantity_u, EB_ENERGY_SCALE, 0);
	value[7] = text_datum(unit_name(line));
	value[8] = eb_pg_numeric(line->price_n, EB_PRICE_SCALE, 0);
	value[9] = eb_pg_numeric(line->factor_n, EB_PRICE_SCALE, 0);
	value[10] = eb_pg_numeric(line->amount_raw, EB_AMOUNT_SCALE, 0);
	value[11] = eb_pg_numeric(line->amount, EB_AMOUNT_SCALE, tariff->minor_unit);
	null[DURING_COLUMN] = line->from_us == PG_INT64_MIN;
	if (!null[DURING_COLUMN])
		value[DURING_COLUMN] = during_datum(range, line);
	null[13] = !ctx->has_version;
	value[13] = Int32GetDatum(ctx->version);
	value[14] = text_datum(quality_name(line));
	tuplestore_putvalues(result->setResult, result->setDesc, value, null);
}

PG_FUNCTION_INFO_V1(elecbill_rate);
Datum
elecbill_rate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const EbTariff *tariff = PG_GETARG_EB_TARIFF(0);
	const EbUsage *usage = PG_GETARG_EB_USAGE_FOR(1, tariff);
	const EbZone *zone = eb_pg_tariff_zone(tariff);
	EbPgRateContext ctx;
	RateLines lines;
	TypeCacheEntry *range;

	eb_pg_rate_context(PG_GETARG_JSONB_P(2), zone, &ctx);
	rate_lines(tariff, zone, usage, &ctx.rating, &lines);
	InitMaterializedSRF(fcinfo, 0);
	range = lookup_type_cache(TupleDescAttr(result->setDesc, DURING_COLUMN)->atttypid,
							  TYPECACHE_RANGE_INFO);
	for (int i = 0; i < lines.n; i++)
		put_line(result, range, tariff, &ctx, &lines.line[i], i + 1);
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(elecbill_rate_total);
Datum
elecbill_rate_total(PG_FUNCTION_ARGS)
{
	const EbTariff *tariff = PG_GETARG_EB_TARIFF(0);
	const EbUsage *usage = PG_GETARG_EB_USAGE_FOR(1, tariff);
	const EbZone *zone = tariff_zone(fcinfo, tariff);
	EbPgRateContext ctx;
	RateLines lines;
	eb_int128 total = 0;

	eb_pg_rate_context(PG_GETARG_JSONB_P(2), zone, &ctx);
	rate_lines(tariff, zone, usage, &ctx.rating, &lines);
	/* the sum was checked when the total was rounded */
	for (int i = 0; i < lines.n; i++)
		total += lines.line[i].amount;
	return eb_pg_numeric(total, EB_AMOUNT_SCALE, tariff->minor_unit);
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
