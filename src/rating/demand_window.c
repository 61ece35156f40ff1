/*
 * demand_window.c -- the windows of a demand in an instance of its scope
 * In:  the peaks of the usage; of all versions, when the bill has more than one.
 * Out: the measured kW for billing_demand.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (demand).
 */
#include "rating/billing_demand.h"
#include "rating/fault.h"
#include "rating/peak.h"
#include "rating/tariff_json.h"

/* A walk over the windows of a demand; a bill of several versions has those of all */
typedef struct Walk
{
	const EbDemandScope *demand;
	const EbTariff *tariff; /* whose usage it is in */
	const EbUsage *usage;
	int32_t index; /* of the demand in that tariff */
	int version;
	int at;
} Walk;

static int32_t
find_demand(const EbTariff *tariff, EbText name)
{
	for (int32_t i = 0; i < tariff->demand.n; i++)
		if (eb_text_equal(eb_demand_name(tariff, i), name))
			return i;
	return EB_NONE;
}

static Walk
walk_begin(const EbDemandScope *demand)
{
	return (Walk){demand, demand->rating->tariff, demand->rating->usage, demand->index, 0, 0};
}

/* The usage of the next version that has the demand */
static bool
walk_version(Walk *walk)
{
	const EbRateContext *ctx = walk->demand->rating->ctx;
	EbText name = eb_demand_name(walk->demand->rating->tariff, walk->demand->index);
	const EbVersion *version;

	if (ctx->bill_tariff == NULL)
		return walk->version++ == 0;
	version = EB_ARRAY(ctx->bill_tariff, EbVersion, ctx->bill_tariff->version);
	while (walk->version < ctx->bill_tariff->version.n)
	{
		walk->tariff = eb_version_tariff(ctx->bill_tariff, &version[walk->version]);
		walk->usage = &ctx->bill_usage->sub[walk->version++];
		walk->index = find_demand(walk->tariff, name);
		if (walk->index != EB_NONE)
			return true;
	}
	return false;
}

/* Does a window lie in the instance? One without a date lies in all of them. */
static bool
is_inside(const EbDemandScope *demand, const EbPeak *peak)
{
	return demand->scope == EB_SCOPE_BILL || peak->part_day == EB_NO_DAY ||
		   eb_scope_start(demand->rating->tariff, demand->scope, peak->part_day) ==
			   demand->first_day;
}

/* The next window of the demand, whatever instance it lies in; NULL at the end */
static const EbPeak *
walk_any(Walk *walk)
{
	while (walk->version > 0 || walk_version(walk))
	{
		while (walk->at < walk->usage->npeaks)
		{
			const EbPeak *peak = &walk->usage->peak[walk->at++];

			if (peak->demand == walk->index)
				return peak;
		}
		walk->at = 0;
		if (!walk_version(walk))
			break;
	}
	return NULL;
}

static const EbPeak *
walk_next(Walk *walk)
{
	const EbPeak *peak;

	do
		peak = walk_any(walk);
	while (peak != NULL && !is_inside(walk->demand, peak));
	return peak;
}

/* Two windows count as one: of the same day, week or month */
static bool
is_same(const EbDemandScope *demand, const EbPeak *a, const EbPeak *b)
{
	const EbZone *zone = demand->rating->zone;
	EbDistinct distinct = (EbDistinct) demand->demand->distinct;

	return a->at_us != INT64_MIN && b->at_us != INT64_MIN &&
		   eb_peak_number(zone, distinct, a->at_us) == eb_peak_number(zone, distinct, b->at_us);
}

/* Does a come before b, the highest first, of equal ones the earliest? */
static bool
is_before(const EbPeak *a, const EbPeak *b)
{
	return eb_peak_is_above(a, b) || (a < b && !eb_peak_is_above(b, a));
}

/* Is there a window before it that counts as the same one? */
static bool
is_repeated(const EbDemandScope *demand, const EbPeak *peak)
{
	Walk walk = walk_begin(demand);
	const EbPeak *other;

	while ((other = walk_next(&walk)) != NULL)
		if (is_before(other, peak) && is_same(demand, other, peak))
			return true;
	return false;
}

/* The next lower window after last (NULL: the highest) that is not the same as a higher one */
static const EbPeak *
next_highest(const EbDemandScope *demand, const EbPeak *last)
{
	for (;;)
	{
		Walk walk = walk_begin(demand);
		const EbPeak *found = NULL;
		const EbPeak *peak;

		while ((peak = walk_next(&walk)) != NULL)
			if ((last == NULL || is_before(last, peak)) &&
				(found == NULL || is_before(peak, found)))
				found = peak;
		if (found == NULL || !is_repeated(demand, found))
			return found;
		last = found;
	}
}

/*
 * Do the windows that another version kept hold those that the demand needs? It kept as many as it
 * needs itself.
 */
static bool
keeps_enough(const EbDemand *other, const EbDemand *demand)
{
	return other->quantity == demand->quantity &&
		   (demand->n == 1 || (other->n >= demand->n && other->distinct == demand->distinct));
}

static EbStatus
check_kept(const EbDemandScope *demand)
{
	Walk walk = walk_begin(demand);

	while (walk_next(&walk) != NULL)
	{
		const EbDemand *other = EB_ARRAY(walk.tariff, EbDemand, walk.tariff->demand) + walk.index;

		if (!keeps_enough(other, demand->demand))
			return eb_fault_set(demand->rating->fault, EB_NOT_SUPPORTED,
								"a demand is measured otherwise by another version of the tariff",
								"Bill up to the day of the change and from it on.");
	}
	return EB_OK;
}

/* The highest window, or the mean of the n highest, half-up at 1e-6; of fewer, when there are not n */
EbStatus
eb_demand_measured(const EbDemandScope *demand, int64_t *ukw)
{
	const EbPeak *peak = NULL;
	eb_int128 sum = 0;
	int n = 0;
	EbStatus status = check_kept(demand);

	if (status != EB_OK)
		return status;
	while (n < demand->demand->n && (peak = next_highest(demand, peak)) != NULL)
	{
		if (eb_rate_stopped(demand->rating))
			return EB_STOPPED;
		sum += peak->ukw;
		n++;
	}
	*ukw = n > 0 ? (int64_t) eb_div_round(sum, n, EB_HALF_UP) : 0;
	return EB_OK;
}

/* ---------------------------------------------------------------- what is lacking */

/* Is there time of its event in [from, to)? */
static bool
event_touches(const EbTariff *tariff, int32_t event, int64_t from_us, int64_t to_us)
{
	EbSlice slice;
	const EbInstantRange *range;

	if (event == EB_NONE)
		return true;
	slice = EB_ARRAY(tariff, EbEvent, tariff->event)[event].range;
	range = EB_ARRAY(tariff, EbInstantRange, slice);
	for (int i = 0; i < slice.n; i++)
		if (range[i].from_us < to_us && range[i].to_us > from_us)
			return true;
	return false;
}

/* Does the demand count windows that begin in the segment? */
static bool
counts_in(const EbDemandScope *demand, const EbSegment *segment)
{
	const EbTariff *tariff = demand->rating->tariff;
	const EbDemand *what = demand->demand;
	int32_t day = eb_local_day(demand->rating->zone, segment->from_us, NULL);

	return (what->schedule == EB_NONE || (what->slots >> segment->slot[what->schedule] & 1) != 0) &&
		   (what->months == 0 || (what->months >> eb_date_from_day(day).month & 1) != 0) &&
		   (what->seasons == 0 || (what->seasons >> eb_season_of(tariff, day) & 1) != 0) &&
		   event_touches(tariff, what->event, segment->from_us, segment->to_us);
}

/* Is there any time in the instance, as far as it is in service, that the demand counts? */
static EbStatus
counts_at_all(const EbDemandScope *demand, bool *counts)
{
	const EbRating *rating = demand->rating;
	int64_t at_us = rating->from_us;
	EbSegment segment;

	*counts = !rating->dated;
	while (rating->dated && !*counts && at_us < rating->to_us)
	{
		EbStatus status =
			eb_tou_segment(rating->tariff, rating->zone, at_us, &segment, rating->fault);

		if (status != EB_OK)
			return status;
		if (eb_rate_stopped(rating))
			return EB_STOPPED;
		segment.from_us = at_us;
		if (segment.to_us > rating->to_us)
			segment.to_us = rating->to_us;
		*counts =
			eb_scope_start(rating->tariff, demand->scope, segment.part_day) == demand->first_day &&
			counts_in(demand, &segment);
		at_us = segment.to_us;
	}
	return EB_OK;
}

/* A window without a date must not lie in an instance that is one of several. */
static EbStatus
check_dates(const EbDemandScope *demand, const EbPeak *peak)
{
	const EbRating *rating = demand->rating;

	if (peak->part_day != EB_NO_DAY || rating->run[0].scope_day[demand->scope] ==
										   rating->run[rating->nruns - 1].scope_day[demand->scope])
		return EB_OK;
	eb_fault_set(rating->fault, EB_UNKNOWN, "the tariff needs the dates of the usage",
				 "Give each month a usage of its own, or measure it with usage().");
	return eb_fault_detail(rating->fault, EB_UNKNOWN,
						   "They decide which month, quarter or year the demand \"%.*s\" is of.",
						   EB_TEXT_ARG(eb_demand_name(rating->tariff, demand->index)));
}

/* Where there is time that counts, there must be a window. */
EbStatus
eb_demand_check(const EbDemandScope *demand)
{
	const EbRating *rating = demand->rating;
	Walk walk = walk_begin(demand);
	const EbPeak *peak = NULL;
	bool counts = true;
	EbStatus status = EB_OK;

	if (rating->usage != NULL)
	{
		peak = walk_next(&walk);
		if (peak == NULL)
			status = counts_at_all(demand, &counts);
	}
	if (status != EB_OK || !counts)
		return status;
	if (peak == NULL)
	{
		eb_fault_set(rating->fault, EB_UNKNOWN, "the tariff needs a demand that the usage lacks",
					 "Measure it with usage(), or give it in \"max_kw\".");
		return eb_fault_detail(rating->fault, EB_UNKNOWN, "It is the demand \"%.*s\".",
							   EB_TEXT_ARG(eb_demand_name(rating->tariff, demand->index)));
	}
	for (; peak != NULL && status == EB_OK; peak = walk_next(&walk))
		status = check_dates(demand, peak);
	return status;
}
