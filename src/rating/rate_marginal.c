/*
 * rate_marginal.c -- the price of the next kWh
 * In:  a tariff, an instant, what was used before in the tier scope.
 * Out: currency per kWh for tariff_price().
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (tariff_price).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

static EbStatus
open_month(EbRating *rating, EbRateContext *ctx, int32_t day, int64_t before_ukwh)
{
	EbDayRange month = eb_scope_range(rating->tariff, EB_SCOPE_MONTH, day);
	static const EbUsage nothing = {
		.from_us = INT64_MIN,
		.to_us = INT64_MIN,
		.channels = (1u << EB_NCHANNELS) - 1,
	};
	EbStatus status;

	ctx->from_us = eb_day_start(rating->zone, month.from);
	ctx->to_us = eb_day_start(rating->zone, month.to);
	status = eb_service_open(rating, &nothing);
	rating->total_u[EB_IMPORT_KWH] = before_ukwh;
	return status;
}

/* The instance of the component's scope that holds the run */
static void
enter_instance(EbWork *work, int run)
{
	const EbRating *rating = work->rating;
	EbTierScope scope = eb_tier_scope(work->component);
	int32_t instance = rating->run[run].scope_day[scope];

	for (work->first = run; work->first > 0; work->first--)
		if (rating->run[work->first - 1].scope_day[scope] != instance)
			break;
	for (work->end = run + 1; work->end < rating->nruns; work->end++)
		if (rating->run[work->end].scope_day[scope] != instance)
			break;
	eb_measure_instance(work, scope);
}

/* The component's own price at the instant; series that change inside days are read there */
static EbStatus
base_price(const EbWork *work, const EbPart *part, int32_t slot, int64_t at_us, eb_int128 *price)
{
	const EbRating *rating = work->rating;
	EbPriceEnv env = eb_part_env(rating, slot, part);
	EbLinear linear;
	EbStatus status = eb_price_linear(&env, work->component->price, &rating->tariff->round_price,
									  &linear, rating->fault);

	if (status != EB_OK)
		return status;
	*price = (eb_int128) linear.constant_n * EB_NANO_MONEY;
	for (int i = 0; i < linear.nterms; i++)
	{
		int64_t point_n;
		eb_int128 term;

		status =
			eb_series_at(rating->tariff, linear.term[i].series, at_us, &point_n, rating->fault);
		if (status != EB_OK)
			return status;
		/* 1e-9 times 1e-9, half-up at 1e-15 */
		term = eb_div_round((eb_int128) linear.term[i].factor_n * point_n, 1000, EB_HALF_UP);
		if (!eb_add128(*price, term, price))
			return eb_overflow(rating->fault, "price of the next kWh");
	}
	return EB_OK;
}

static EbStatus
tier_price(EbWork *work, const EbPart *part, int32_t slot, int64_t at_us, eb_int128 *price)
{
	const EbTier *tier = &work->component->tier;
	EbDraft draft = EB_DRAFT_INIT;
	eb_int128 base = 0;
	EbStatus status;

	if (tier->mode == EB_TIER_PACKAGE)
		return eb_fault_set(work->rating->fault, EB_NOT_SUPPORTED,
							"a package has no price of the next kWh", NULL);
	draft.slot = slot;
	status = eb_next_step(work, part, &draft);
	if (status == EB_OK && tier->mode == EB_TIER_ADDER)
		status = base_price(work, part, slot, at_us, &base);
	if (status != EB_OK)
		return status;
	if (!eb_scale128((eb_int128) draft.price_n * EB_NANO_MONEY, (EbRatio){draft.factor_n, EB_ONE},
					 price) ||
		!eb_add128(*price, base, price))
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

/* The instant whose price is asked */
typedef struct Moment
{
	int64_t at_us;
	int run;
	EbSegment segment;
	int64_t before_ukwh;
} Moment;

static EbStatus
component_price(EbRating *rating, int32_t index, const Moment *moment, eb_int128 *sum)
{
	EbWork work;
	EbPart part;
	int32_t slot = EB_NONE;
	bool found = false;
	eb_int128 price = 0;
	EbStatus status;

	eb_work_init(&work, rating, index);
	status = eb_work_energy(&work);
	if (status != EB_OK)
		return status;
	enter_instance(&work, moment->run);
	work.used_u = moment->before_ukwh;
	if (work.component->schedule != EB_NONE)
		slot = moment->segment.slot[work.component->schedule];
	for (int i = 0; i < work.nslots && !found; i++)
		found = work.slot[i] == slot;
	if (!found)
		return EB_OK;
	status = find_part(&work, moment->run, &part, &found);
	if (status != EB_OK || !found)
		return status;
	if (work.component->has_tier)
		status = tier_price(&work, &part, slot, moment->at_us, &price);
	else
		status = base_price(&work, &part, slot, moment->at_us, &price);
	if (status == EB_OK)
		status = eb_apply_factor_if(rating, work.component, part.factor_if, &price);
	if (status == EB_OK && !eb_add128(*sum, price, sum))
		status = eb_overflow(rating->fault, "price of the next kWh");
	return status;
}

/* Does the next kWh of import cost what the component says? */
static bool
counts_import(const EbComponent *component)
{
	return component->kind == EB_KIND_ENERGY && (component->quantity.kind == EB_QTY_IMPORT_KWH ||
												 component->quantity.kind == EB_QTY_NET_KWH);
}

static EbStatus
price_of(EbRating *rating, EbRateContext *ctx, Moment *moment, eb_int128 *price)
{
	const EbTariff *tariff = rating->tariff;
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	int32_t day = eb_local_day(rating->zone, moment->at_us, NULL);
	EbStatus status = open_month(rating, ctx, day, moment->before_ukwh);

	if (status == EB_OK)
		status =
			eb_tou_segment(tariff, rating->zone, moment->at_us, &moment->segment, rating->fault);
	if (status != EB_OK)
		return status;
	for (moment->run = 0; rating->run[moment->run].end <= day;)
		moment->run++;
	for (int32_t i = 0; i < tariff->component.n && status == EB_OK; i++)
		if (counts_import(&component[i]))
			status = component_price(rating, i, moment, price);
	return status;
}

EbStatus
eb_rate_marginal(const EbTariff *tariff, const EbZone *zone, int64_t at_us, int64_t before_ukwh,
				 const EbAttr *attr, int nattrs, eb_int128 *price, EbFault *fault)
{
	int32_t day = eb_local_day(zone, at_us, NULL);
	EbRateContext ctx = {
		.attr = attr,
		.nattrs = nattrs,
		.final = true,
	};
	Moment moment = {.at_us = at_us, .before_ukwh = before_ukwh};
	EbRating rating; /* too large to be cleared */

	*price = 0;
	rating.tariff = eb_tariff_on(tariff, day, NULL);
	if (rating.tariff == NULL)
		return eb_fault_set(fault, EB_UNKNOWN, "no version of the tariff holds at the instant",
							NULL);
	rating.zone = zone;
	rating.ctx = &ctx;
	rating.fault = fault;
	rating.version = NULL;
	rating.line = NULL;
	rating.capacity = rating.nlines = 0;
	return price_of(&rating, &ctx, &moment, price);
}
