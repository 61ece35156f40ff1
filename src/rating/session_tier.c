/*
 * session_tier.c -- components of a session with steps
 * In:  the groups of a component; steps whose scope is the session.
 * Out: lines by period and step, flats of the steps behind them.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/session.md (tiers).
 */
#include "rating/fault.h"
#include "rating/session_state.h"

/* Groups that share one counter: all of the component, or those of one period */
typedef struct Counter
{
	EbSessionWork *work;
	const EbComponent *component;
	const EbStep *step;
	const EbSessionGroup *first; /* its period, day and season are those of bounds and flats */
	int64_t total;
	EbLadder ladder; /* in the unit of the groups */
} Counter;

static EbStatus
not_supported(const EbSessionWork *work, const char *what)
{
	eb_fault_set(work->rating.fault, EB_NOT_SUPPORTED, "a session cannot be rated by such a tier",
				 NULL);
	return eb_fault_detail(work->rating.fault, EB_NOT_SUPPORTED, "%s", what);
}

EbStatus
eb_session_tier_check(const EbSessionWork *work, const EbComponent *component)
{
	const EbTier *tier = &component->tier;
	const EbStep *step = EB_ARRAY(work->rating.tariff, EbStep, tier->step);

	if (!component->has_tier)
		return EB_OK;
	if (tier->scope != EB_SCOPE_SESSION)
		return not_supported(work, "Its scope is not \"session\": it counts beyond the session.");
	if (tier->prorate != EB_PRORATE_NONE || tier->allowance.n > 0)
		return not_supported(work, "It has \"prorate\" or \"allowance\", which are for bills.");
	if (tier->has_by)
		return not_supported(work, "It has \"by\": the session is counted by what is priced.");
	for (int i = 0; i < tier->step.n; i++)
		if (step[i].unit != EB_STEP_KWH || step[i].step.n > 0)
			return not_supported(work, "A step has \"steps\", or a unit that is for bills.");
	return EB_OK;
}

bool
eb_session_by_period(const EbSessionWork *work, const EbComponent *component)
{
	const EbStep *step = EB_ARRAY(work->rating.tariff, EbStep, component->tier.step);

	if (component->tier.mode != EB_TIER_ADDER || component->tier.order == EB_ORDER_PER_PERIOD)
		return true;
	for (int k = 0; k < component->tier.step.n; k++)
		if (eb_price_uses(work->rating.tariff, step[k].price) & EB_USES_PERIOD)
			return true;
	return false;
}

static bool
shares_counter(const Counter *counter, const EbSessionGroup *group)
{
	return group->component == counter->first->component &&
		   (counter->component->tier.order != EB_ORDER_PER_PERIOD ||
			group->slot == counter->first->slot);
}

/* Bound k from 1e-9 of the tariff's unit to the unit of the groups */
static EbStatus
build_ladder(const EbSessionWork *work, const EbSessionGroup *group, EbLadder *ladder)
{
	const EbComponent *component = eb_session_component(work, group->component);
	const EbStep *step = EB_ARRAY(work->rating.tariff, EbStep, component->tier.step);
	EbPriceEnv env = eb_session_env(work, group);
	int64_t below = 0;

	if (component->tier.order != EB_ORDER_PER_PERIOD)
		env.period = EB_NONE;
	ladder->nsteps = component->tier.step.n;
	for (int k = 0; k < ladder->nsteps - 1; k++)
	{
		int64_t bound_n;
		EbStatus status =
			eb_price_value(&env, step[k].up_to, &eb_price_exact, &bound_n, work->rating.fault);

		if (status != EB_OK)
			return status;
		if (!eb_muldiv64(bound_n, eb_session_unit(component), EB_ONE, &ladder->bound_u[k]))
			return eb_overflow(work->rating.fault, "bound of a step");
		if (ladder->bound_u[k] < below)
			return eb_fault_set(work->rating.fault, EB_BAD_ARGUMENT, "bounds of a tier must rise",
								NULL);
		below = ladder->bound_u[k];
	}
	return EB_OK;
}

static EbStatus
step_price(const EbSessionWork *work, const EbSessionGroup *group, const EbStep *step,
		   int64_t *price_n)
{
	EbPriceEnv env = eb_session_env(work, group);

	return eb_price_value(&env, step->price, &work->rating.tariff->round_price, price_n,
						  work->rating.fault);
}

EbStatus
eb_session_tier_next(const EbSessionWork *work, const EbSessionGroup *group, int64_t counter,
					 int32_t *tier, int64_t *price_n, int64_t *room)
{
	const EbComponent *component = eb_session_component(work, group->component);
	const EbStep *step = EB_ARRAY(work->rating.tariff, EbStep, component->tier.step);
	EbLadder ladder;
	int k;
	EbStatus status = build_ladder(work, group, &ladder);

	if (status != EB_OK)
		return status;
	k = eb_ladder_next(&ladder, counter);
	*tier = k + 1;
	*room = k < ladder.nsteps - 1 ? ladder.bound_u[k] - counter : INT64_MAX;
	return step_price(work, group, &step[k], price_n);
}

/* ---------------------------------------------------------------- lines */

/* What lines that are for the whole counter show: one period only where each has its own */
static EbSessionGroup
whole_of(const Counter *counter)
{
	EbSessionGroup whole = *counter->first;

	if (counter->component->tier.order != EB_ORDER_PER_PERIOD)
		whole.slot = EB_NONE;
	return whole;
}

static EbStatus
push_step(const Counter *counter, const EbSessionGroup *group, int k, int64_t quantity)
{
	const EbStep *step = &counter->step[k];
	eb_int128 cost;
	int64_t price_n;
	EbStatus status;

	if (quantity == 0)
		return EB_OK;
	status = step_price(counter->work, group, step, &price_n);
	if (status != EB_OK || (price_n == 0 && counter->component->tier.mode == EB_TIER_ADDER))
		return status;
	/* 63 + 30 bits, then it is asked */
	if (!eb_mul128((eb_int128) quantity * EB_ONE, price_n, &cost))
		return eb_overflow(counter->work->rating.fault, "amount of a line");
	return eb_session_push_part(counter->work, group, k + 1, quantity, cost, step->factor_n);
}

/*
 * Step k takes what it holds out of the groups by their share of what earlier steps left; the
 * running share is rounded half-up, so a step gives out exactly what it has.
 */
static EbStatus
take_step(const Counter *counter, int k, int64_t step_quantity, int64_t left)
{
	EbSessionWork *work = counter->work;
	int64_t running = 0;
	int64_t taken = 0;

	for (int i = 0; i < work->ngroups; i++)
	{
		EbSessionGroup *group = &work->group[i];
		int64_t share;
		EbStatus status;

		if (!shares_counter(counter, group))
			continue;
		running += group->rest;
		share = (int64_t) eb_div_round((eb_int128) running * step_quantity, left, EB_HALF_UP);
		group->rest -= share - taken;
		status = push_step(counter, group, k, share - taken);
		if (status != EB_OK)
			return status;
		taken = share;
	}
	return EB_OK;
}

static EbStatus
push_steps(const Counter *counter)
{
	EbSessionWork *work = counter->work;
	const EbSessionGroup whole = whole_of(counter);
	int64_t step_quantity[EB_MAX_STEPS];
	int64_t left = counter->total;

	if (!eb_ladder_fill(&counter->ladder, 0, counter->total, step_quantity))
		return eb_overflow(work->rating.fault, "quantity of the session");
	for (int i = 0; i < work->ngroups; i++)
		work->group[i].rest = work->group[i].quantity;
	for (int k = 0; k < counter->ladder.nsteps; k++)
	{
		EbStatus status;

		if (step_quantity[k] == 0)
			continue;
		if (eb_session_by_period(work, counter->component))
			status = take_step(counter, k, step_quantity[k], left);
		else
			status = push_step(counter, &whole, k, step_quantity[k]);
		if (status != EB_OK)
			return status;
		left -= step_quantity[k];
	}
	return EB_OK;
}

static EbStatus
push_own_prices(const Counter *counter)
{
	EbSessionWork *work = counter->work;
	EbStatus status = EB_OK;

	for (int i = 0; i < work->ngroups && status == EB_OK; i++)
	{
		const EbSessionGroup *group = &work->group[i];

		if (shares_counter(counter, group))
			status = eb_session_push_part(work, group, 0, group->quantity, group->cost, EB_ONE);
	}
	return status;
}

static EbStatus
push_flat(const Counter *counter, int k)
{
	const EbSessionGroup whole = whole_of(counter);
	EbPriceEnv env = eb_session_env(counter->work, &whole);
	int64_t flat_n;
	EbStatus status = eb_price_value(&env, counter->step[k].flat, &eb_price_exact, &flat_n,
									 counter->work->rating.fault);

	if (status != EB_OK || flat_n == 0)
		return status;
	return eb_session_push_count(counter->work, &whole, k + 1, EB_UNIT_SESSION, EB_MICRO, flat_n);
}

/* The flat of each step entered; the first always */
static EbStatus
push_flats(const Counter *counter)
{
	EbStatus status = EB_OK;

	for (int k = 0; k < counter->ladder.nsteps && status == EB_OK; k++)
		if (k == 0 || counter->total > counter->ladder.bound_u[k - 1])
			status = push_flat(counter, k);
	return status;
}

static EbStatus
push_volume(const Counter *counter)
{
	EbSessionWork *work = counter->work;
	int k = eb_ladder_find(&counter->ladder, counter->total);
	EbStatus status = EB_OK;

	for (int i = 0; i < work->ngroups && status == EB_OK; i++)
		if (shares_counter(counter, &work->group[i]))
			status = push_step(counter, &work->group[i], k, work->group[i].quantity);
	return status == EB_OK ? push_flat(counter, k) : status;
}

static EbStatus
push_packages(const Counter *counter)
{
	const EbTier *tier = &counter->component->tier;
	const EbRating *rating = &counter->work->rating;
	const EbSessionGroup whole = whole_of(counter);
	EbPriceEnv env = eb_session_env(counter->work, &whole);
	int64_t unit = eb_session_unit(counter->component);
	int64_t size;
	int64_t free;
	int64_t packages;
	int64_t price_n;
	EbStatus status;

	if (!eb_muldiv64(tier->size_u, unit, EB_MICRO, &size) ||
		!eb_muldiv64(tier->free_u, unit, EB_MICRO, &free))
		return eb_overflow(rating->fault, "size of a package");
	packages = eb_package_count(counter->total, free, size);
	if (packages == 0)
		return EB_OK;
	status = eb_price_value(&env, counter->component->price, &rating->tariff->round_price, &price_n,
							rating->fault);
	if (status == EB_OK && !eb_mul64(packages, EB_MICRO, &packages))
		status = eb_overflow(rating->fault, "number of packages");
	if (status != EB_OK)
		return status;
	return eb_session_push_count(counter->work, &whole, 0, EB_UNIT_PIECE, packages, price_n);
}

static EbStatus
push_counter(Counter *counter)
{
	const EbTier *tier = &counter->component->tier;
	EbStatus status;

	if (tier->mode == EB_TIER_PACKAGE)
		return push_packages(counter);
	status = build_ladder(counter->work, counter->first, &counter->ladder);
	if (status != EB_OK)
		return status;
	if (tier->mode == EB_TIER_VOLUME)
		return push_volume(counter);
	if (tier->mode == EB_TIER_ADDER && counter->component->price != EB_NONE)
		status = push_own_prices(counter);
	if (status == EB_OK)
		status = push_steps(counter);
	return status == EB_OK ? push_flats(counter) : status;
}

/* In order time the groups are filled steps already. */
static EbStatus
push_filled(EbSessionWork *work, Counter *counter)
{
	bool adder = counter->component->tier.mode == EB_TIER_ADDER;
	EbStatus status = build_ladder(work, counter->first, &counter->ladder);

	for (int i = 0; i < work->ngroups && status == EB_OK; i++)
	{
		const EbSessionGroup *group = &work->group[i];
		int64_t factor_n = EB_ONE;

		if (!shares_counter(counter, group) || group->quantity == 0 || (adder && group->price == 0))
			continue;
		if (group->tier > 0)
			factor_n = counter->step[group->tier - 1].factor_n;
		status =
			eb_session_push_part(work, group, group->tier, group->quantity, group->cost, factor_n);
	}
	counter->total = work->counter[counter->first->component];
	return status == EB_OK ? push_flats(counter) : status;
}

/* Is a group before this one in the same counter? */
static bool
counted_before(const Counter *counter, int index)
{
	for (int i = 0; i < index; i++)
		if (shares_counter(counter, &counter->work->group[i]))
			return true;
	return false;
}

EbStatus
eb_session_push_tiers(EbSessionWork *work, int32_t index)
{
	Counter counter = {.work = work, .component = eb_session_component(work, index)};
	EbStatus status = EB_OK;

	counter.step = EB_ARRAY(work->rating.tariff, EbStep, counter.component->tier.step);
	for (int i = 0; i < work->ngroups && status == EB_OK; i++)
	{
		counter.first = &work->group[i];
		counter.total = 0;
		if (counter.first->component != index || counted_before(&counter, i))
			continue;
		if (eb_session_by_time(counter.component))
			return push_filled(work, &counter);
		for (int j = i; j < work->ngroups; j++)
			if (shares_counter(&counter, &work->group[j]) &&
				!eb_add64(counter.total, work->group[j].quantity, &counter.total))
				return eb_overflow(work->rating.fault, "quantity of the session");
		status = push_counter(&counter);
	}
	return status;
}
