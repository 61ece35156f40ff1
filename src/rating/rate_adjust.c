/*
 * rate_adjust.c -- components by the lines before them: percentages
 * In:  the rounded amounts of earlier lines, so that a stranger can repeat the bill from the bill.
 * Out: lines. A line counts by the rules of its last day: of two tax rates that follow each other
 *      exactly one applies.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

typedef unsigned __int128 Magnitude;

/* Base lines that take the same percentage */
typedef struct Sum
{
	bool open;
	int64_t percent_n;
	int32_t factor_if;
	EbLine line; /* amount_raw: the sum of their amounts */
} Sum;

/* A component that takes a percentage of others */
typedef struct Percent
{
	EbRating *rating;
	int32_t index;
	const EbComponent *component;
	const int64_t *given_n; /* the percentage; NULL: its price node */
	bool in_base[EB_MAX_COMPONENTS];
} Percent;

void
eb_base_read(const EbRating *rating, const EbComponent *component, bool *in_base)
{
	const int32_t *index = EB_ARRAY(rating->tariff, int32_t, component->base);

	memset(in_base, 0, EB_MAX_COMPONENTS * sizeof(*in_base));
	for (int i = 0; i < component->base.n; i++)
		in_base[index[i]] = true;
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
	eb_int128 den = (eb_int128) share.den * EB_HUNDRED_PERCENT;
	eb_int128 mul = (eb_int128) share.num * percent_n;
	bool negative = (base < 0) != (mul < 0);
	Magnitude value = base < 0 ? -(Magnitude) base : (Magnitude) base;
	Magnitude by = mul < 0 ? -(Magnitude) mul : (Magnitude) mul;
	eb_int128 whole;

	if (share.num == share.den)
		return eb_scale128(base, (EbRatio){percent_n, EB_HUNDRED_PERCENT}, result);
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
judge_percent(const Percent *percent, int run, bool *applies, int64_t *percent_n,
			  int32_t *factor_if)
{
	const EbRating *rating = percent->rating;
	const EbComponent *component = percent->component;
	const EbRun *at = &rating->run[run];
	EbPriceEnv env = eb_run_env(rating, EB_NONE, at);
	bool valid = false;
	EbStatus status = eb_component_when(rating, component, at, applies);

	if (status == EB_OK && *applies)
		status = eb_component_valid(rating, component, at, &valid);
	*applies = *applies && valid;
	if (status == EB_OK && *applies)
		status = eb_component_factor(rating, component, at, factor_if);
	if (status != EB_OK || !*applies)
		return status;
	if (percent->given_n == NULL)
		return eb_price_value(&env, component->percent, &eb_price_exact, percent_n, rating->fault);
	*percent_n = *percent->given_n;
	return EB_OK;
}

/* The line of a percentage; sum->line.amount_raw is its base and becomes its amount. */
static EbStatus
push_percent(const Percent *percent, Sum *sum)
{
	EbRating *rating = percent->rating;
	const EbComponent *component = percent->component;
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
	line->component = percent->index;
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

static bool
in_base(const Percent *percent, const EbLine *line)
{
	return line->component != EB_NONE && percent->in_base[line->component];
}

/* Lines that end in the run join the sum, or begin a new one when their percentage differs. */
static EbStatus
add_run_lines(const Percent *percent, int run, int nlines, Sum *sum)
{
	EbRating *rating = percent->rating;
	bool judged = false;
	bool applies = false;
	int64_t percent_n = 0;
	int32_t factor_if = EB_NONE;
	EbStatus status = EB_OK;

	for (int i = 0; i < nlines; i++)
	{
		const EbLine *line = &rating->line[i];

		if (line->last_run != run || !in_base(percent, line))
			continue;
		if (!judged)
			status = judge_percent(percent, run, &applies, &percent_n, &factor_if);
		judged = true;
		if (status != EB_OK || !applies)
			return status;
		if (sum->open && (sum->percent_n != percent_n || sum->factor_if != factor_if))
			status = push_percent(percent, sum);
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
rate_each_line(const Percent *percent)
{
	const EbRating *rating = percent->rating;
	int nlines = rating->nlines;
	EbStatus status = EB_OK;

	for (int i = 0; i < nlines && status == EB_OK; i++)
	{
		Sum sum = {.line = rating->line[i], .factor_if = EB_NONE};
		bool applies = false;

		if (!in_base(percent, &sum.line))
			continue;
		status =
			judge_percent(percent, sum.line.last_run, &applies, &sum.percent_n, &sum.factor_if);
		sum.line.amount_raw = sum.line.amount;
		if (status == EB_OK && applies)
			status = push_percent(percent, &sum);
	}
	return status;
}

EbStatus
eb_rate_percent_of(EbRating *rating, int32_t index, const int64_t *given_n)
{
	Percent percent;
	Sum sum = {.open = false};
	int nlines = rating->nlines;
	EbStatus status = EB_OK;

	percent.rating = rating;
	percent.index = index;
	percent.component = EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component) + index;
	percent.given_n = given_n;
	eb_base_read(rating, percent.component, percent.in_base);
	if (percent.component->per_line)
		return rate_each_line(&percent);
	for (int run = 0; run < rating->nruns && status == EB_OK; run++)
		status = add_run_lines(&percent, run, nlines, &sum);
	if (status == EB_OK && sum.open)
		status = push_percent(&percent, &sum);
	return status;
}

EbStatus
eb_rate_percent(EbRating *rating, int32_t index)
{
	return eb_rate_percent_of(rating, index, NULL);
}
