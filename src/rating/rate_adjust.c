/*
 * rate_adjust.c -- components by the lines before them: percentage, minimum, maximum, rounding
 * In:  the rounded amounts of earlier lines, so that a stranger can repeat the bill from the bill.
 * Out: lines. A line counts by the rules of its last day: of two tax rates that follow each other
 *      exactly one applies.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* A percent at 1e-9 is this times the number */
#define PERCENT_ONE INT64_C(100000000000)

typedef unsigned __int128 Magnitude;

/* Base lines that take the same percentage */
typedef struct Sum
{
	bool open;
	int64_t percent_n;
	int32_t factor_if;
	EbLine line; /* amount_raw: the sum of their amounts */
} Sum;

/* Which components are in the base of this one */
typedef struct Base
{
	bool has[EB_MAX_COMPONENTS];
} Base;

static void
read_base(const EbRating *rating, const EbComponent *component, Base *base)
{
	const int32_t *index = EB_ARRAY(rating->tariff, int32_t, component->base);

	memset(base, 0, sizeof(*base));
	for (int i = 0; i < component->base.n; i++)
		base->has[index[i]] = true;
}

/*
 * value * mul / den rounded half-up, value < den: bit by bit, because the product may have 190
 * bits. den below 2^126.
 */
static Magnitude
mul_div(Magnitude value, Magnitude mul, Magnitude den)
{
	Magnitude quotient = 0;
	Magnitude rest = 0;

	for (int bit = 127; bit >= 0; bit--)
	{
		quotient *= 2;
		rest *= 2;
		if (rest >= den)
		{
			rest -= den;
			quotient++;
		}
		if ((mul >> bit & 1) == 0)
			continue;
		rest += value;
		if (rest >= den)
		{
			rest -= den;
			quotient++;
		}
	}
	return quotient + (rest >= den - rest ? 1 : 0);
}

/* percent of base, of which only num / den counts; exact, rounded once at 1e-15 */
static bool
percent_of(eb_int128 base, int64_t percent_n, EbRatio share, eb_int128 *result)
{
	eb_int128 den = (eb_int128) share.den * PERCENT_ONE;
	eb_int128 mul = (eb_int128) share.num * percent_n;
	bool negative = (base < 0) != (mul < 0);
	Magnitude value = base < 0 ? -(Magnitude) base : (Magnitude) base;
	Magnitude by = mul < 0 ? -(Magnitude) mul : (Magnitude) mul;
	eb_int128 whole;

	if (share.num == share.den)
		return eb_scale128(base, (EbRatio){percent_n, PERCENT_ONE}, result);
	if (!eb_mul128((eb_int128) (value / (Magnitude) den), (eb_int128) by, &whole) ||
		!eb_add128(whole, (eb_int128) mul_div(value % (Magnitude) den, by, (Magnitude) den),
				   &whole))
		return false;
	*result = negative ? -whole : whole;
	return true;
}

/* The share of the bill that lies above the limit: (Q - limit) / Q */
static EbStatus
share_above(const EbRating *rating, const EbComponent *component, EbRatio *share)
{
	int64_t quantity_u;
	EbStatus status;

	*share = (EbRatio){1, 1};
	if (!component->has_share_above)
		return EB_OK;
	status = eb_quantity_value(rating, &component->share_of, &quantity_u);
	if (status != EB_OK)
		return status;
	*share = (EbRatio){0, 1};
	if (quantity_u > 0 && quantity_u > component->share_above_u)
		*share = (EbRatio){quantity_u - component->share_above_u, quantity_u};
	return EB_OK;
}

/* What the percentage of a line that ends in the run is, if any */
static EbStatus
judge_percent(const EbRating *rating, const EbComponent *component, int run, bool *applies,
			  int64_t *percent_n, int32_t *factor_if)
{
	const EbRun *at = &rating->run[run];
	EbPriceEnv env = eb_price_env(rating, EB_NONE, at->season);
	bool valid = false;
	EbStatus status = eb_component_when(rating, component, at, applies);

	if (status == EB_OK && *applies)
		status = eb_component_valid(rating, component, at, &valid);
	*applies = *applies && valid;
	if (status == EB_OK && *applies)
		status = eb_component_factor(rating, component, at, factor_if);
	if (status == EB_OK && *applies)
		status =
			eb_price_value(&env, component->percent, &eb_price_exact, percent_n, rating->fault);
	return status;
}

/* The line of a percentage; sum->line.amount_raw is its base and becomes its amount. */
static EbStatus
push_percent(EbRating *rating, int32_t index, Sum *sum)
{
	const EbComponent *component =
		EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component) + index;
	EbLine *line = &sum->line;
	EbRatio share;
	eb_int128 base_u = eb_div_round(line->amount_raw, EB_ONE, EB_HALF_UP);
	int64_t share_n;
	EbStatus status = share_above(rating, component, &share);

	if (status != EB_OK)
		return status;
	if (base_u < INT64_MIN || base_u > INT64_MAX ||
		!percent_of(line->amount_raw, sum->percent_n, share, &line->amount_raw) ||
		!eb_muldiv64(share.num, EB_ONE, share.den, &share_n))
		return eb_overflow(rating->fault, "amount of a percentage");
	status = eb_apply_factor_if(rating, component, sum->factor_if, &line->amount_raw);
	if (status != EB_OK)
		return status;
	line->component = index;
	line->unit = EB_UNIT_PERCENT;
	line->quantity_u = (int64_t) base_u;
	line->price_n = sum->percent_n;
	line->factor_n = eb_shown_factor(rating, component, sum->factor_if, share_n);
	sum->open = false;
	return eb_push_amount(rating, line, &component->round);
}

/* Adds a base line to the sum; the line of the percentage spans all of them. */
static bool
add_base_line(Sum *sum, const EbLine *line)
{
	if (!sum->open)
	{
		sum->open = true;
		sum->line = *line;
		sum->line.slot = EB_NONE;
		sum->line.tier = 0;
		sum->line.amount_raw = line->amount;
		return true;
	}
	if (line->from_us < sum->line.from_us)
		sum->line.from_us = line->from_us;
	if (line->to_us > sum->line.to_us)
		sum->line.to_us = line->to_us;
	if (line->quality > sum->line.quality)
		sum->line.quality = line->quality;
	if (line->last_run > sum->line.last_run)
		sum->line.last_run = line->last_run;
	return eb_add128(sum->line.amount_raw, line->amount, &sum->line.amount_raw);
}

/* Lines that end in the run join the sum, or begin a new one when their percentage differs. */
static EbStatus
add_run_lines(EbRating *rating, int32_t index, const Base *base, int run, int nlines, Sum *sum)
{
	const EbComponent *component =
		EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component) + index;
	bool judged = false;
	bool applies = false;
	int64_t percent_n = 0;
	int32_t factor_if = EB_NONE;
	EbStatus status = EB_OK;

	for (int i = 0; i < nlines; i++)
	{
		const EbLine *line = &rating->line[i];

		if (line->last_run != run || !base->has[line->component])
			continue;
		if (!judged)
			status = judge_percent(rating, component, run, &applies, &percent_n, &factor_if);
		judged = true;
		if (status != EB_OK || !applies)
			return status;
		if (sum->open && (sum->percent_n != percent_n || sum->factor_if != factor_if))
			status = push_percent(rating, index, sum);
		if (status != EB_OK)
			return status;
		sum->percent_n = percent_n;
		sum->factor_if = factor_if;
		if (!add_base_line(sum, line))
			return eb_overflow(rating->fault, "base of a percentage");
	}
	return EB_OK;
}

static EbStatus
rate_each_line(EbRating *rating, int32_t index, const Base *base)
{
	const EbComponent *component =
		EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component) + index;
	int nlines = rating->nlines;
	EbStatus status = EB_OK;

	for (int i = 0; i < nlines && status == EB_OK; i++)
	{
		Sum sum = {.line = rating->line[i], .factor_if = EB_NONE};
		bool applies = false;

		if (!base->has[sum.line.component])
			continue;
		status = judge_percent(rating, component, sum.line.last_run, &applies, &sum.percent_n,
							   &sum.factor_if);
		sum.line.amount_raw = sum.line.amount;
		if (status == EB_OK && applies)
			status = push_percent(rating, index, &sum);
	}
	return status;
}

EbStatus
eb_rate_percent(EbRating *rating, int32_t index)
{
	const EbComponent *component =
		EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component) + index;
	int nlines = rating->nlines;
	Base base;
	Sum sum = {.open = false};
	EbStatus status = EB_OK;

	read_base(rating, component, &base);
	if (component->per_line)
		return rate_each_line(rating, index, &base);
	for (int run = 0; run < rating->nruns && status == EB_OK; run++)
		status = add_run_lines(rating, index, &base, run, nlines, &sum);
	if (status == EB_OK && sum.open)
		status = push_percent(rating, index, &sum);
	return status;
}

static EbLine
line_over_all(const EbRating *rating, int32_t index, eb_int128 amount)
{
	eb_int128 price_n = eb_div_round(amount, EB_NANO_MONEY, EB_HALF_UP);
	int64_t most = price_n < 0 ? INT64_MIN : INT64_MAX;

	return (EbLine){
		.component = index,
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

static EbStatus
limit_amount(const EbRating *rating, const EbComponent *component, const EbPart *part,
			 eb_int128 *amount)
{
	EbPriceEnv env = eb_price_env(rating, EB_NONE, rating->run[part->last].season);
	int64_t amount_n;
	EbStatus status =
		eb_price_value(&env, component->amount, &eb_price_exact, &amount_n, rating->fault);

	if (status != EB_OK)
		return status;
	*amount = (eb_int128) amount_n * EB_NANO_MONEY;
	if (component->min_scope == EB_MIN_MONTH)
	{
		status = eb_need_months(rating);
		if (status == EB_OK && !eb_scale128(*amount, (EbRatio){rating->months_u, EB_MICRO}, amount))
			status = eb_overflow(rating->fault, "amount of a minimum or maximum");
	}
	if (status != EB_OK)
		return status;
	return eb_apply_factor_if(rating, component, part->factor_if, amount);
}

/* Minimum and maximum: a line of the difference, when the bill is final */
EbStatus
eb_rate_limit(EbRating *rating, int32_t index)
{
	EbWork work;
	EbPart part;
	Base base;
	EbLine line;
	eb_int128 limit = 0;
	eb_int128 sum = 0;
	bool applies;
	bool minimum;
	EbStatus status;

	if (!rating->ctx->final)
		return EB_OK;
	eb_work_init(&work, rating, index);
	status = eb_part_whole(&work, &part, &applies);
	if (status == EB_OK && applies)
		status = limit_amount(rating, work.component, &part, &limit);
	if (status != EB_OK || !applies)
		return status;
	read_base(rating, work.component, &base);
	for (int i = 0; i < rating->nlines; i++)
		if (base.has[rating->line[i].component] && !eb_add128(sum, rating->line[i].amount, &sum))
			return eb_overflow(rating->fault, "base of a minimum or maximum");
	minimum = work.component->kind == EB_KIND_MINIMUM;
	if (minimum ? sum >= limit : sum <= limit)
		return EB_OK;
	if (!eb_add128(limit, -sum, &limit))
		return eb_overflow(rating->fault, "amount of a minimum or maximum");
	line = line_over_all(rating, index, limit);
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
