/*
 * rate_limit.c -- what is due at the end of a bill: minimum, maximum, rounding of the total
 * In:  the rounded amounts of earlier lines, what was billed before in the tier year.
 * Out: lines of the difference.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* A minimum or maximum in work */
typedef struct Limit
{
	EbRating *rating;
	const EbComponent *component;
	EbPart part;
	bool in_base[EB_MAX_COMPONENTS];
} Limit;

static EbLine
line_over_all(const EbRating *rating, int32_t index, eb_int128 amount)
{
	eb_int128 price_n = eb_div_round(amount, EB_NANO_MONEY, EB_HALF_UP);
	int64_t most = price_n < 0 ? INT64_MIN : INT64_MAX;

	return (EbLine){
		.component = index,
		.role = index == EB_NONE ? EB_LINE_ROUNDING : EB_LINE_COMPONENT,
		.version = EB_NONE,
		.slot = EB_NONE,
		.unit = EB_UNIT_BILL,
		.quantity_u = EB_MICRO,
		.price_n = price_n < INT64_MIN || price_n > INT64_MAX ? most : (int64_t) price_n,
		.factor_n = EB_ONE,
		.amount_raw = amount,
		.from_us = rating->from_us,
		.to_us = rating->to_us,
		.quality = EB_ACTUAL,
		.last_run = rating->nruns - 1,
	};
}

/* Its amount in money, for the months of the bill when it is one per month */
static EbStatus
limit_amount(const Limit *limit, eb_int128 *amount)
{
	const EbRating *rating = limit->rating;
	EbPriceEnv env = eb_run_env(rating, EB_NONE, &rating->run[limit->part.last]);
	int64_t amount_n;
	EbStatus status =
		eb_price_value(&env, limit->component->amount, &eb_price_exact, &amount_n, rating->fault);

	if (status != EB_OK)
		return status;
	*amount = (eb_int128) amount_n * EB_NANO_MONEY;
	if (limit->component->min_scope == EB_MIN_MONTH)
	{
		status = eb_need_months(rating);
		if (status == EB_OK && !eb_scale128(*amount, (EbRatio){rating->months_u, EB_MICRO}, amount))
			status = eb_overflow(rating->fault, "amount of a minimum or maximum");
	}
	if (status != EB_OK)
		return status;
	return eb_apply_factor_if(rating, limit->component, limit->part.factor_if, amount);
}

/*
 * What it is held against: the base of the bill; a yearly one against the bills of the year, what
 * they came to and this one, not below 0.
 */
static EbStatus
base_sum(const Limit *limit, eb_int128 *sum)
{
	const EbRating *rating = limit->rating;
	EbStatus status;

	*sum = 0;
	for (int i = 0; i < rating->nlines; i++)
	{
		const EbLine *line = &rating->line[i];

		if (line->component != EB_NONE && limit->in_base[line->component] &&
			!eb_add128(*sum, line->amount, sum))
			return eb_overflow(rating->fault, "base of a minimum or maximum");
	}
	status = eb_version_base(rating, limit->in_base, sum);
	if (status == EB_OK)
		status = eb_net_limit_base(rating, limit->in_base, sum);
	if (status != EB_OK || limit->component->min_scope != EB_MIN_YEAR)
		return status;
	if (!eb_add128(*sum > 0 ? *sum : 0, rating->ctx->charged[EB_SCOPE_YEAR], sum))
		return eb_overflow(rating->fault, "base of a minimum or maximum");
	return EB_OK;
}

/* Is a yearly amount due: does the bill hold the last day of a tier year? */
static EbStatus
check_year(const EbRating *rating, bool *due)
{
	EbDayRange year;
	EbStatus status = eb_need_dates(rating, "the tier year of a minimum or maximum");

	if (status != EB_OK)
		return status;
	year = eb_scope_range(rating->tariff, EB_SCOPE_YEAR, rating->first_day);
	*due = year.to <= rating->end_day;
	if (*due && eb_scope_range(rating->tariff, EB_SCOPE_YEAR, year.to).to <= rating->end_day)
		return eb_fault_set(rating->fault, EB_NOT_SUPPORTED,
							"a bill must not end two years of a yearly minimum or maximum",
							"Bill each year alone.");
	return EB_OK;
}

/* Is it due with this bill? A session has its own; what is given with tax is in rate_vat.c. */
static EbStatus
is_due(const EbRating *rating, const EbComponent *component, bool *due)
{
	*due = rating->ctx->final && component->min_scope != EB_MIN_SESSION &&
		   component->amount != EB_NONE;
	if (*due && component->min_scope == EB_MIN_YEAR)
		return check_year(rating, due);
	return EB_OK;
}

/* Minimum and maximum: a line of the difference, when the bill is final */
EbStatus
eb_rate_limit(EbRating *rating, int32_t index)
{
	EbWork work;
	Limit limit;
	EbLine line;
	eb_int128 amount = 0;
	eb_int128 sum = 0;
	bool due;
	EbStatus status;

	eb_work_init(&work, rating, index);
	limit.rating = rating;
	limit.component = work.component;
	status = is_due(rating, work.component, &due);
	if (status == EB_OK && due)
		status = eb_part_whole(&work, &limit.part, &due);
	if (status != EB_OK || !due)
		return status;
	eb_base_read(rating, work.component, limit.in_base);
	status = limit_amount(&limit, &amount);
	if (status == EB_OK)
		status = base_sum(&limit, &sum);
	if (status != EB_OK)
		return status;
	if (work.component->kind == EB_KIND_MINIMUM ? sum >= amount : sum <= amount)
		return EB_OK;
	if (!eb_add128(amount, -sum, &amount))
		return eb_overflow(rating->fault, "amount of a minimum or maximum");
	line = line_over_all(rating, index, amount);
	return eb_push_amount(rating, &line, &work.component->round);
}

/* What the rounding of the total adds or takes is a line of its own. */
EbStatus
eb_rate_total_rounding(EbRating *rating)
{
	const EbRounding *round = &rating->tariff->round_total;
	const EbRounding none = {0};
	eb_int128 sum = 0;
	eb_int128 rounded;
	EbLine line;

	if (rating->version != NULL && !rating->last_version)
		return EB_OK;
	for (int i = 0; rating->version != NULL && i < rating->nearlier; i++)
		if (!eb_add128(sum, rating->earlier[i].amount, &sum))
			return eb_overflow(rating->fault, "total");
	for (int i = 0; i < rating->nlines; i++)
		if (!eb_add128(sum, rating->line[i].amount, &sum))
			return eb_overflow(rating->fault, "total");
	if (round->step_n == 0)
		return EB_OK;
	if (!eb_round_step(sum, (eb_int128) round->step_n * EB_NANO_MONEY, (EbRoundMode) round->mode,
					   &rounded))
		return eb_overflow(rating->fault, "total");
	if (rounded == sum)
		return EB_OK;
	line = line_over_all(rating, EB_NONE, rounded - sum);
	return eb_push_amount(rating, &line, &none);
}
