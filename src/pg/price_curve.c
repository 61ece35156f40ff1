/*
 * price_curve.c -- the price of energy over a range of time
 * In:  a tariff, a range.
 * Out: tariff_prices(): stretches of one period and one price.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "pg/convert.h"
#include "pg/fault.h"
#include "pg/period.h"
#include "pg/range.h"
#include "pg/rate_ctx.h"
#include "pg/tariff.h"
#include "rating/rate.h"

/* A stretch of one price; without a schedule the period is empty */
typedef struct Stretch
{
	int64 from_us;
	EbText period;
	eb_int128 price;
} Stretch;

static bool
same_price(const Stretch *a, const Stretch *b)
{
	return a->price == b->price && a->period.len == b->period.len &&
		   memcmp(a->period.data, b->period.data, a->period.len) == 0;
}

static void
put_stretch(ReturnSetInfo *result, const Stretch *stretch, int64 to_us)
{
	Datum value[3];
	bool null[3] = {false, stretch->period.len == 0, false};

	value[0] = eb_pg_range_make(stretch->from_us, to_us);
	value[1] =
		null[1]
			? (Datum) 0
			: PointerGetDatum(cstring_to_text_with_len(stretch->period.data, stretch->period.len));
	value[2] = eb_pg_numeric(stretch->price, EB_AMOUNT_SCALE, 0);
	tuplestore_putvalues(result->setResult, result->setDesc, value, null);
}

/* The first point of any series after the instant, or until_us */
static int64
next_point(const EbTariff *tariff, int64 at_us, int64 until_us)
{
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);

	for (int i = 0; i < tariff->series.n; i++)
	{
		const EbPoint *point = EB_ARRAY(tariff, EbPoint, series[i].point);
		int low = 0;
		int high = series[i].point.n;

		while (low < high)
		{
			int middle = low + (high - low) / 2;

			if (point[middle].at_us <= at_us)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < series[i].point.n)
			until_us = Min(until_us, point[low].at_us);
	}
	return until_us;
}

/* Period and price of an instant, which stay until *to_us at least */
static Stretch
stretch_at(EbPeriodSite *site, const text *schedule_name, const EbAttr *attr, int nattrs,
		   int64 at_us, int64 *to_us)
{
	const EbTariff *classifier;
	const EbSegment *segment = eb_pg_period_find(site, at_us, &classifier);
	int schedule = eb_pg_find_schedule(classifier, schedule_name);
	/* the classifier may be that of an earlier call with other prices */
	const EbTariff *tariff =
		eb_tariff_on(site->tariff, eb_local_day(site->zone, at_us, NULL), NULL);
	Stretch stretch = {.from_us = at_us, .period = {"", 0}};
	EbFault fault;

	if (schedule != EB_NONE)
		stretch.period = eb_pg_period_name(tariff, segment->slot[schedule]);
	*to_us = next_point(tariff, at_us, Min(*to_us, segment->to_us));
	eb_pg_check(
		eb_rate_marginal(tariff, site->zone, at_us, 0, attr, nattrs, &stretch.price, &fault),
		&fault);
	return stretch;
}

PG_FUNCTION_INFO_V1(elecbill_tariff_prices);
Datum
elecbill_tariff_prices(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	text *schedule = PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2);
	EbPeriodSite *site;
	const EbAttr *attr;
	int nattrs;
	int64 from_us;
	int64 to_us;
	int64 next_us;
	Stretch last;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		return (Datum) 0;
	site = eb_pg_period_site(fcinfo, PG_GETARG_EB_TARIFF(0));
	attr = eb_pg_attrs(PG_GETARG_JSONB_P(3), &nattrs);
	eb_pg_range(PG_GETARG_RANGE_P(1), "range", &from_us, &to_us);
	for (int64 at_us = from_us; at_us < to_us; at_us = next_us)
	{
		Stretch stretch;

		CHECK_FOR_INTERRUPTS();
		next_us = to_us;
		stretch = stretch_at(site, schedule, attr, nattrs, at_us, &next_us);
		if (at_us > from_us && same_price(&last, &stretch))
			continue;
		if (at_us > from_us)
			put_stretch(result, &last, at_us);
		last = stretch;
	}
	put_stretch(result, &last, to_us);
	return (Datum) 0;
}
