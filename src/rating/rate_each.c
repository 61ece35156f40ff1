/*
 * rate_each.c -- items that are priced one by one: payments, sessions
 * In:  the items of the usage, the price or the steps of a component.
 * Out: one line of all items: what each costs, within the limits of each, added up.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (each).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* Prices of the items, read once */
typedef struct Prices
{
	bool by_steps;
	EbTierMode mode;
	int64_t base_n; /* of the component: all modes but those whose steps have their own */
	EbSteps steps;
	int64_t price_n[EB_MAX_STEPS];
	int64_t flat_n[EB_MAX_STEPS];
} Prices;

static EbStatus
read_steps(EbWork *work, const EbPart *part, Prices *prices)
{
	EbStatus status = eb_steps_build(work, part, EB_NONE, &prices->steps);

	for (int k = 0; k < prices->steps.ladder.nsteps && status == EB_OK; k++)
	{
		const EbStep *step = prices->steps.step[k];

		status = eb_part_price(work, part, step->price, EB_NONE, &prices->price_n[k]);
		if (status == EB_OK && step->factor_n != EB_ONE &&
			!eb_muldiv64(prices->price_n[k], step->factor_n, EB_ONE, &prices->price_n[k]))
			status = eb_overflow(work->rating->fault, "price of a step");
		if (status == EB_OK)
			status = eb_step_flat(work, part, step, EB_NONE, &prices->flat_n[k]);
	}
	return status;
}

static EbStatus
read_prices(EbWork *work, const EbPart *part, Prices *prices)
{
	const EbComponent *component = work->component;

	prices->mode = (EbTierMode) component->tier.mode;
	prices->by_steps = component->has_tier && prices->mode != EB_TIER_PACKAGE;
	prices->base_n = 0;
	if (!prices->by_steps || prices->mode == EB_TIER_ADDER)
	{
		EbStatus status = eb_part_price(work, part, component->price, EB_NONE, &prices->base_n);

		if (status != EB_OK)
			return status;
	}
	return prices->by_steps ? read_steps(work, part, prices) : EB_OK;
}

/* What one item costs before its limits, in 1e-15; false on overflow */
static bool
item_amount(const EbWork *work, const Prices *prices, int64_t item_u, eb_int128 *amount)
{
	const EbTier *tier = &work->component->tier;
	bool packages = work->component->has_tier && prices->mode == EB_TIER_PACKAGE;

	*amount = (eb_int128) item_u * prices->base_n;
	if (packages)
		return eb_mul128(eb_package_count(item_u, tier->free_u, tier->size_u),
						 (eb_int128) prices->base_n * EB_NANO_MONEY, amount);
	if (prices->by_steps && (item_u != 0 || tier->flat_at_zero))
	{
		eb_int128 steps;
		EbTierMode mode = prices->mode == EB_TIER_ADDER ? EB_TIER_GRADUATED : prices->mode;

		return eb_tier_charge(&prices->steps.ladder, mode, prices->price_n, prices->flat_n, item_u,
							  &steps) &&
			   eb_add128(*amount, steps, amount);
	}
	return true;
}

static eb_int128
within_limits(const EbComponent *component, eb_int128 amount)
{
	eb_int128 least = (eb_int128) component->each_min_n * EB_NANO_MONEY;
	eb_int128 most = (eb_int128) component->each_max_n * EB_NANO_MONEY;

	if (component->each_min && amount < least)
		amount = least;
	if (component->each_max && amount > most)
		amount = most;
	return amount;
}

EbStatus
eb_rate_each(EbWork *work, const EbPart *part)
{
	const EbRating *rating = work->rating;
	EbDraft draft = EB_DRAFT_INIT;
	Prices prices;
	EbStatus status = read_prices(work, part, &prices);

	for (int i = 0; i < rating->usage->nitems && status == EB_OK; i++)
	{
		int64_t item_u = rating->usage->item_u[i];
		eb_int128 amount;

		if (!eb_add64(draft.quantity_u, item_u, &draft.quantity_u) ||
			!item_amount(work, &prices, item_u, &amount) ||
			!eb_add128(draft.extra, within_limits(work->component, amount), &draft.extra))
			status = eb_overflow(rating->fault, "amount of an item");
	}
	if (status != EB_OK)
		return status;
	draft.unit = work->unit;
	draft.averaged = true;
	return eb_push_line(work, part, &draft);
}
