/*
 * rate_ladder.c -- bounds and flats of the steps of a part
 * In:  the tier of a component, the part and the instance of its scope (rate_part.c).
 * Out: a ladder in the unit of the quantity for rate_tier.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md: units of a bound, proration, allowance, split by days.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* What every bound and flat of a part is multiplied by */
typedef struct Stretch
{
	EbRatio prorate; /* days / nominal days, months of the bill, or 1 */
	EbRatio share;	 /* days of the part / days of the instance, or 1 */
} Stretch;

/*
 * Are the days or months that stretch the bounds known? Days of the bill say nothing about a
 * quarter or year that has more bills: lint refuses such bounds there.
 */
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
		stretch.prorate = (EbRatio){work->months_u, EB_MICRO};
	if (tier->split == EB_SPLIT_DAYS && part->days != work->days)
		stretch.share = (EbRatio){part->days, work->days};
	return stretch;
}

/* *sum += value * by.num / by.den, as a number over den, which by.den divides */
static bool
add_over(eb_int128 value, EbRatio by, int64_t den, eb_int128 *sum)
{
	return eb_mul128(value, by.num, &value) && eb_mul128(value, den / by.den, &value) &&
		   eb_add128(*sum, value, sum);
}

/*
 * What the allowances of an account add to bound k, over den in 1e-9. "Per month" is added to a
 * bound that counts for a month before that is stretched; to any other it is added once per month.
 */
static EbStatus
add_allowances(const EbWork *work, int k, bool stretched, EbRatio prorate, int64_t den,
			   eb_int128 *sum)
{
	const EbRating *rating = work->rating;
	const EbTier *tier = &work->component->tier;
	const EbAllowance *allowance = EB_ARRAY(rating->tariff, EbAllowance, tier->allowance);

	for (int i = 0; i < tier->allowance.n; i++)
	{
		const EbAllowance *one = &allowance[i];
		EbQuantity attr = {.kind = EB_QTY_ATTR, .name = one->attr};
		EbRatio by = stretched ? prorate : (EbRatio){1, 1};
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
			status = work->months_u > 0 ? EB_OK : eb_need_months(rating);
		}
		if (status != EB_OK)
			return status;
		if (!add_over((eb_int128) one->add_ukwh * 1000, by, den, sum))
			return eb_overflow(rating->fault, "bound of a step");
	}
	return EB_OK;
}

/* Bound k in 1e-6, rounded half-up once */
static EbStatus
bound_of(const EbWork *work, const Stretch *stretch, const EbPriceEnv *env, int k,
		 const EbStep *step, int64_t *bound_u)
{
	EbFault *fault = work->rating->fault;
	bool by_days = step->unit == EB_STEP_KWH_PER_DAY;
	bool stretched = !by_days && work->component->tier.prorate != EB_PRORATE_NONE;
	EbRatio by = by_days ? (EbRatio){work->days_u, EB_MICRO} : stretch->prorate;
	int64_t den = stretched ? stretch->prorate.den : EB_MICRO;
	eb_int128 sum = 0;
	int64_t value_n;
	EbStatus status = check_stretch(work, by_days);

	if (status == EB_OK)
		status = eb_price_value(env, step->up_to, &eb_price_exact, &value_n, fault);
	if (status != EB_OK)
		return status;
	if (!add_over(value_n, by, den, &sum))
		return eb_overflow(fault, "bound of a step");
	status = add_allowances(work, k, stretched, stretch->prorate, den, &sum);
	if (status != EB_OK)
		return status;
	if (!eb_mul128(sum, stretch->share.num, &sum))
		return eb_overflow(fault, "bound of a step");
	sum = eb_div_round(sum, (eb_int128) den * stretch->share.den * 1000, EB_HALF_UP);
	if (sum < INT64_MIN || sum > INT64_MAX)
		return eb_overflow(fault, "bound of a step");
	*bound_u = (int64_t) sum;
	return EB_OK;
}

/* slot: the period whose own bounds they are (order per_period), else EB_NONE */
EbStatus
eb_ladder_build(const EbWork *work, const EbPart *part, int32_t slot, EbLadder *ladder)
{
	const EbRating *rating = work->rating;
	const EbTier *tier = &work->component->tier;
	const EbStep *step = EB_ARRAY(rating->tariff, EbStep, tier->step);
	EbPriceEnv env = eb_price_env(rating, slot, part->season);
	Stretch stretch = stretch_of(work, part);
	int64_t below_u = 0;

	ladder->nsteps = tier->step.n;
	for (int k = 0; k < tier->step.n - 1; k++)
	{
		EbStatus status = bound_of(work, &stretch, &env, k, &step[k], &ladder->bound_u[k]);

		if (status != EB_OK)
			return status;
		if (ladder->bound_u[k] < below_u)
		{
			eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "bounds of a tier must rise", NULL);
			return eb_fault_detail(rating->fault, EB_BAD_ARGUMENT,
								   "The bound of step %d is below the one before.", k + 1);
		}
		below_u = ladder->bound_u[k];
	}
	return EB_OK;
}

/* A flat is stretched as the bounds are, and rounded half-up at 1e-9. */
EbStatus
eb_step_flat(const EbWork *work, const EbPart *part, const EbStep *step, int32_t slot,
			 int64_t *flat_n)
{
	EbPriceEnv env = eb_price_env(work->rating, slot, part->season);
	Stretch stretch = stretch_of(work, part);
	eb_int128 flat = 0;
	EbStatus status =
		eb_price_value(&env, step->flat, &eb_price_exact, flat_n, work->rating->fault);

	if (status == EB_OK && *flat_n != 0)
		status = check_stretch(work, false);
	if (status != EB_OK || *flat_n == 0)
		return status;
	if (!add_over(*flat_n, stretch.prorate, stretch.prorate.den, &flat) ||
		!eb_mul128(flat, stretch.share.num, &flat))
		return eb_overflow(work->rating->fault, "flat of a step");
	flat = eb_div_round(flat, (eb_int128) stretch.prorate.den * stretch.share.den, EB_HALF_UP);
	if (flat < INT64_MIN || flat > INT64_MAX)
		return eb_overflow(work->rating->fault, "flat of a step");
	*flat_n = (int64_t) flat;
	return EB_OK;
}
