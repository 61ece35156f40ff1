/*
 * rate_marginal.c -- the price of the next kWh
 * In:  a tariff, an instant, what was used before in the tier scope.
 * Out: currency per kWh for tariff_price().
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (tariff_price).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"
#include "rating/tou.h"

static EbStatus
open_month(EbRating *rating, EbRateContext *ctx, int32_t day, int64_t before_ukwh)
{
	EbDayRange month = eb_scope_range(rating->tariff, EB_SCOPE_MONTH, day);
	EbUsage usage = {.from_us = INT64_MIN, .to_us = INT64_MIN};
	EbStatus status;

	ctx->from_us = eb_day_start(rating->zone, month.from);
	ctx->to_us = eb_day_start(rating->zone, month.to);
	status = eb_service_open(rating, &usage);
	rating->import_ukwh = before_ukwh;
	return status;
}

/* The instance of the component's scope that holds the run */
static void
enter_instance(EbWork *work, int run)
{
	const EbRating *rating = work->rating;
	EbTierScope scope =
		work->component->has_tier ? (EbTierScope) work->component->tier.scope : EB_SCOPE_BILL;
	int32_t instance = rating->run[run].scope_day[scope];

	for (work->first = run; work->first > 0; work->first--)
		if (rating->run[work->first - 1].scope_day[scope] != instance)
			break;
	for (work->end = run + 1; work->end < rating->nruns; work->end++)
		if (rating->run[work->end].scope_day[scope] != instance)
			break;
	eb_measure_instance(work, scope);
}

static EbStatus
tier_price(EbWork *work, const EbPart *part, int32_t slot, eb_int128 *price)
{
	const EbTier *tier = &work->component->tier;
	EbDraft draft = EB_DRAFT_INIT;
	int64_t base_n = 0;
	EbStatus status;

	if (tier->mode == EB_TIER_PACKAGE)
		return eb_fault_set(work->rating->fault, EB_NOT_SUPPORTED,
							"a package has no price of the next kWh", NULL);
	draft.slot = slot;
	status = eb_next_step(work, part, &draft);
	if (status == EB_OK && tier->mode == EB_TIER_ADDER)
		status = eb_unit_price(work->rating, work->component->price, slot, part->season, &base_n);
	if (status != EB_OK)
		return status;
	if (!eb_scale128((eb_int128) draft.price_n * EB_NANO_MONEY, (EbRatio){draft.factor_n, EB_ONE},
					 price) ||
		!eb_add128(*price, (eb_int128) base_n * EB_NANO_MONEY, price))
		return eb_overflow(work->rating->fault, "price of the next kWh");
	return EB_OK;
}

/* The part that holds the run, if the component counts that run at all */
static EbStatus
find_part(EbWork *work, int run, EbPart *part, bool *found)
{
	const EbRun *rule = eb_split_rule(work);
	int next = work->first;
	EbStatus status;

	do
		status = eb_part_next(work, rule, &next, part, found);
	while (status == EB_OK && *found && part->last < run);
	*found = *found && part->first <= run;
	return status;
}

static EbStatus
component_price(EbRating *rating, int32_t index, int run, const EbSegment *segment,
				int64_t before_ukwh, eb_int128 *sum)
{
	EbWork work;
	EbPart part;
	int32_t slot = EB_NONE;
	bool found = false;
	eb_int128 price = 0;
	int64_t price_n;
	EbStatus status;

	eb_work_init(&work, rating, index);
	eb_work_energy(&work);
	enter_instance(&work, run);
	work.used_u = before_ukwh;
	if (work.component->schedule != EB_NONE)
		slot = segment->slot[work.component->schedule];
	for (int i = 0; i < work.nslots && !found; i++)
		found = work.slot[i] == slot;
	if (!found)
		return EB_OK;
	status = find_part(&work, run, &part, &found);
	if (status != EB_OK || !found)
		return status;
	if (work.component->has_tier)
		status = tier_price(&work, &part, slot, &price);
	else
	{
		status = eb_unit_price(rating, work.component->price, slot, part.season, &price_n);
		price = (eb_int128) price_n * EB_NANO_MONEY;
	}
	if (status == EB_OK)
		status = eb_apply_factor_if(rating, work.component, part.factor_if, &price);
	if (status == EB_OK && !eb_add128(*sum, price, sum))
		status = eb_overflow(rating->fault, "price of the next kWh");
	return status;
}

EbStatus
eb_rate_marginal(const EbTariff *tariff, const EbZone *zone, int64_t at_us, int64_t before_ukwh,
				 const EbAttr *attr, int nattrs, eb_int128 *price, EbFault *fault)
{
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	EbRateContext ctx = {.attr = attr, .nattrs = nattrs, .final = true};
	EbRating rating = {.tariff = tariff, .zone = zone, .ctx = &ctx, .fault = fault};
	EbSegment segment;
	int32_t day = eb_local_day(zone, at_us, NULL);
	int run = 0;
	EbStatus status = open_month(&rating, &ctx, day, before_ukwh);

	*price = 0;
	if (status == EB_OK)
		status = eb_tou_segment(tariff, zone, at_us, &segment, fault);
	if (status != EB_OK)
		return status;
	while (rating.run[run].end <= day)
		run++;
	for (int32_t i = 0; i < tariff->component.n && status == EB_OK; i++)
		if (component[i].kind == EB_KIND_ENERGY && component[i].quantity.kind == EB_QTY_IMPORT_KWH)
			status = component_price(&rating, i, run, &segment, before_ukwh, price);
	return status;
}
