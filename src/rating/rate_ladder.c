/*
 * rate_ladder.c -- bounds and flats of the steps of a part
 * In:  the tier of a component, the part and the instance of its scope (rate_energy.c).
 * Out: steps in the unit of the quantity for rate_tier.c, nested ones flattened.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md: units of a bound, nested steps, proration, allowance, split by days.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* What every bound and flat of a part is multiplied by */
typedef struct Stretch
{
	EbRatio prorate; /* days / nominal days, months of the bill, or 1 */
	EbRatio share;	 /* days of the part / days of the instance, or 1 */
} Stretch;

/* Bounds in work */
typedef struct Bounds
{
	const EbWork *work;
	const EbPart *part;
	Stretch stretch;
	EbPriceEnv env;
	EbSteps *steps;
	int64_t below_u; /* the last one that was appended */
} Bounds;

static const EbRatio once = {1, 1};

/* u in 1e-6 as a ratio; whole numbers stay short, so that products do */
static EbRatio
micro_ratio(int64_t u)
{
	return u % EB_MICRO == 0 ? (EbRatio){u / EB_MICRO, 1} : (EbRatio){u, EB_MICRO};
}

static bool
is_daily(const EbStep *step)
{
	return step->unit == EB_STEP_KWH_PER_DAY || step->unit == EB_STEP_KWH_PER_KW_DAY;
}

/* Are the days or months that stretch the bounds known? A day has no months: lint sees to it. */
static EbStatus
check_stretch(const EbWork *work, bool by_days)
{
	const EbTier *tier = &work->component->tier;

	if (by_days || tier->prorate == EB_PRORATE_DAYS)
		return eb_need_days(work->rating);
	if (tier->prorate == EB_PRORATE_MONTHS)
		return eb_need_months(work->rating);
	return EB_OK;
}

static Stretch
stretch_of(const EbWork *work, const EbPart *part)
{
	const EbTier *tier = &work->component->tier;
	Stretch stretch = {{1, 1}, {1, 1}};

	if (tier->prorate == EB_PRORATE_DAYS)
		stretch.prorate = (EbRatio){work->days_u, tier->nominal_days * EB_MICRO};
	if (tier->prorate == EB_PRORATE_MONTHS)
		stretch.prorate = micro_ratio(work->months_u);
	if (tier->scope == EB_SCOPE_DAY || tier->scope == EB_SCOPE_INTERVAL)
		return stretch;
	if (tier->split == EB_SPLIT_DAYS && part->days != work->days)
		stretch.share = (EbRatio){part->days, work->days};
	return stretch;
}

/* What one of the unit of a bound comes to, as the product of two ratios */
static EbStatus
unit_of(const EbWork *work, const EbStep *step, EbRatio *unit, EbRatio *days)
{
	const EbRating *rating = work->rating;
	EbText kva = {"contract_kva", 12};
	EbText kw = {"contract_kw", 11};
	int64_t value_u = EB_MICRO;
	EbStatus status = EB_OK;

	*unit = *days = once;
	switch ((EbStepUnit) step->unit)
	{
		case EB_STEP_KWH:
			return EB_OK;
		case EB_STEP_KWH_PER_DAY:
			break;
		case EB_STEP_KWH_PER_KW:
		case EB_STEP_KWH_PER_KW_DAY:
			status = eb_billing_demand(work->rating, step->demand, &value_u);
			break;
		case EB_STEP_KWH_PER_KVA:
			status = eb_attr_number(rating, kva, &value_u);
			break;
		case EB_STEP_PCT_CONTRACT:
			status = eb_attr_number(rating, kw, &value_u);
			break;
	}
	*unit = micro_ratio(value_u);
	if (step->unit == EB_STEP_PCT_CONTRACT)
		unit->den *= 100;
	if (is_daily(step))
		*days = micro_ratio(work->days_u);
	return status;
}

/* *value *= by.num; false on overflow. den collects by.den. */
static bool
times(EbRatio by, eb_int128 *value, eb_int128 *den)
{
	if (by.num == by.den)
		return true;
	return eb_mul128(*value, by.num, value) && eb_mul128(*den, by.den, den);
}

/* *sum += value * by, sum over den in 1e-9 */
static bool
add_over(eb_int128 value, EbRatio by, eb_int128 den, eb_int128 *sum)
{
	return eb_mul128(value, by.num, &value) && eb_mul128(value, den / by.den, &value) &&
		   eb_add128(*sum, value, sum);
}

/*
 * What the allowances of an account add to bound k, over den in 1e-9. "Per month" is added to a
 * bound that counts for a month before that is stretched; to any other it is added once per month.
 */
static EbStatus
add_allowances(const EbWork *work, int k, bool stretched, EbRatio prorate, eb_int128 den,
			   eb_int128 *sum)
{
	const EbRating *rating = work->rating;
	const EbTier *tier = &work->component->tier;
	const EbAllowance *allowance = EB_ARRAY(rating->tariff, EbAllowance, tier->allowance);

	for (int i = 0; i < tier->allowance.n; i++)
	{
		const EbAllowance *one = &allowance[i];
		EbQuantity attr = {.kind = EB_QTY_ATTR, .name = one->attr};
		EbRatio by = stretched ? prorate : once;
		int64_t value_u;
		EbStatus status = EB_OK;

		if (k > 0 && !one->widen_all)
			continue;
		if (eb_attr_find(rating->ctx->attr, rating->ctx->nattrs, rating->tariff, one->attr) == NULL)
			continue;
		status = eb_quantity_value(rating, &attr, &value_u);
		if (status != EB_OK)
			return status;
		if (value_u < one->at_least)
			continue;
		if (one->per_month && !stretched)
		{
			by = (EbRatio){work->months_u, EB_MICRO};
			status = eb_need_months(rating);
		}
		if (status != EB_OK)
			return status;
		if (!add_over((eb_int128) one->add_ukwh * 1000, by, den, sum))
			return eb_overflow(rating->fault, "bound of a step");
	}
	return EB_OK;
}

static EbStatus
bound_overflow(const EbWork *work)
{
	return eb_overflow(work->rating->fault, "bound of a step");
}

/* (value x unit x proration + allowances) x share, rounded half-up once at 1e-6 */
static EbStatus
scale_bound(const Bounds *bounds, const EbStep *step, int k, bool nested, int64_t value_n,
			int64_t *bound_u)
{
	const EbWork *work = bounds->work;
	const EbTier *tier = &work->component->tier;
	bool stretched = !is_daily(step) && tier->prorate != EB_PRORATE_NONE;
	EbRatio prorate = stretched ? bounds->stretch.prorate : once;
	eb_int128 num = value_n;
	eb_int128 den = 1;
	EbRatio unit;
	EbRatio days;
	EbStatus status = unit_of(work, step, &unit, &days);

	if (status != EB_OK)
		return status;
	if (!times(unit, &num, &den) || !times(days, &num, &den) || !times(prorate, &num, &den))
		return bound_overflow(work);
	if (tier->allowance.n > 0 && !nested)
	{
		eb_int128 common;

		/* months and proration count in 1e-6 at most */
		if (!eb_mul128(den, stretched ? 1 : EB_MICRO, &common) ||
			!eb_mul128(common, stretched ? prorate.den : 1, &common) ||
			!eb_mul128(num, common / den, &num))
			return bound_overflow(work);
		den = common;
		status = add_allowances(work, k, stretched, prorate, den, &num);
	}
	if (status != EB_OK)
		return status;
	if (!times(bounds->stretch.share, &num, &den) || !eb_mul128(den, 1000, &den))
		return bound_overflow(work);
	num = eb_div_round(num, den, EB_HALF_UP);
	if (num < INT64_MIN || num > INT64_MAX)
		return bound_overflow(work);
	*bound_u = (int64_t) num;
	return EB_OK;
}

static EbStatus
bound_of(const Bounds *bounds, const EbStep *step, int k, bool nested, int64_t *bound_u)
{
	const EbTier *tier = &bounds->work->component->tier;
	EbFault *fault = bounds->work->rating->fault;
	int64_t value_n;
	EbStatus status = eb_price_value(&bounds->env, step->up_to, &eb_price_exact, &value_n, fault);

	if (status != EB_OK)
		return status;
	*bound_u = value_n / 1000;
	/* mostly a bound is a number of kWh and nothing else */
	if (step->unit == EB_STEP_KWH && tier->prorate == EB_PRORATE_NONE && tier->allowance.n == 0 &&
		bounds->stretch.share.num == bounds->stretch.share.den && *bound_u * 1000 == value_n)
		return EB_OK;
	status = check_stretch(bounds->work, is_daily(step));
	return status == EB_OK ? scale_bound(bounds, step, k, nested, value_n, bound_u) : status;
}

static EbStatus
must_rise(const Bounds *bounds, int k)
{
	EbFault *fault = bounds->work->rating->fault;

	eb_fault_set(fault, EB_BAD_ARGUMENT, "bounds of a tier must rise", NULL);
	return eb_fault_detail(fault, EB_BAD_ARGUMENT, "The bound of step %d is below the one before.",
						   k + 1);
}

static EbStatus
append(Bounds *bounds, const EbStep *step, int64_t bound_u, bool empty)
{
	EbSteps *steps = bounds->steps;
	int k = steps->ladder.nsteps;

	if (k == EB_MAX_STEPS)
	{
		eb_fault_set(bounds->work->rating->fault, EB_BAD_ARGUMENT, "a tier has too many steps",
					 NULL);
		return eb_fault_detail(bounds->work->rating->fault, EB_BAD_ARGUMENT,
							   "With nested ones there are more than %d.", EB_MAX_STEPS);
	}
	steps->step[k] = step;
	steps->ladder.bound_u[k] = bound_u;
	steps->empty |= (uint64_t) (empty ? 1 : 0) << k;
	steps->ladder.nsteps++;
	bounds->below_u = bound_u;
	return EB_OK;
}

/* The steps inside one, cut off at its bounds: what they leave nothing is empty, but counted. */
static EbStatus
append_nested(Bounds *bounds, const EbStep *outer, int64_t from_u, int64_t to_u)
{
	const EbStep *step = EB_ARRAY(bounds->work->rating->tariff, EbStep, outer->step);
	int64_t before_u = INT64_MIN;
	EbStatus status = EB_OK;

	for (int k = 0; k < outer->step.n && status == EB_OK; k++)
	{
		bool last = k == outer->step.n - 1;
		int64_t bound_u = to_u;

		if (!last)
			status = bound_of(bounds, &step[k], k, true, &bound_u);
		if (status != EB_OK)
			break;
		if (!last && bound_u < before_u)
			return must_rise(bounds, bounds->steps->ladder.nsteps);
		before_u = bound_u;
		if (bound_u < from_u)
			bound_u = from_u;
		if (bound_u > to_u)
			bound_u = to_u;
		status = append(bounds, &step[k], bound_u, bound_u <= bounds->below_u);
	}
	return status;
}

/* Bounds by period belong to one period alone: without one they are refused. */
EbStatus
eb_steps_build(const EbWork *work, const EbPart *part, int32_t slot, EbSteps *steps)
{
	const EbTier *tier = &work->component->tier;
	const EbStep *step = EB_ARRAY(work->rating->tariff, EbStep, tier->step);
	Bounds bounds = {work,	part, stretch_of(work, part), eb_part_env(work->rating, slot, part),
					 steps, 0};
	int64_t from_u = 0;
	EbStatus status = EB_OK;

	steps->ladder.nsteps = 0;
	steps->empty = 0;
	for (int k = 0; k < tier->step.n && status == EB_OK; k++)
	{
		int64_t to_u = INT64_MAX;

		if (k < tier->step.n - 1)
			status = bound_of(&bounds, &step[k], k, false, &to_u);
		if (status != EB_OK)
			break;
		if (to_u < from_u)
			return must_rise(&bounds, k);
		if (step[k].step.n > 0)
			status = append_nested(&bounds, &step[k], from_u, to_u);
		else
			status = append(&bounds, &step[k], to_u, false);
		from_u = to_u;
	}
	return status;
}

/* value x proration x share of the part, half-up at its unit; false on overflow */
static bool
stretch_value(const EbWork *work, const EbPart *part, int64_t *value)
{
	Stretch stretch = stretch_of(work, part);
	eb_int128 den = 1;
	eb_int128 num = *value;

	if (!times(stretch.prorate, &num, &den) || !times(stretch.share, &num, &den))
		return false;
	num = eb_div_round(num, den, EB_HALF_UP);
	*value = (int64_t) num;
	return num >= INT64_MIN && num <= INT64_MAX;
}

/* What packages leave free is stretched as a bound is. */
EbStatus
eb_free_units(const EbWork *work, const EbPart *part, int64_t *free_u)
{
	EbStatus status = EB_OK;

	*free_u = work->component->tier.free_u;
	if (*free_u != 0)
		status = check_stretch(work, false);
	if (status == EB_OK && !stretch_value(work, part, free_u))
		status = bound_overflow(work);
	return status;
}

/* A flat is stretched as the bounds are, and rounded half-up at 1e-9. */
EbStatus
eb_step_flat(const EbWork *work, const EbPart *part, const EbStep *step, int32_t slot,
			 int64_t *flat_n)
{
	EbPriceEnv env = eb_part_env(work->rating, slot, part);
	EbStatus status =
		eb_price_value(&env, step->flat, &eb_price_exact, flat_n, work->rating->fault);

	if (status == EB_OK && *flat_n != 0)
		status = check_stretch(work, false);
	if (status == EB_OK && !stretch_value(work, part, flat_n))
		status = eb_overflow(work->rating->fault, "flat of a step");
	return status;
}
