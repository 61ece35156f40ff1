/*
 * rate_vat.c -- tax: one line for each rate
 * In:  the rounded lines so far, the vat of their components.
 * Out: lines of role EB_LINE_VAT; without them the sum is the amount without tax.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/session.md (limits and tax).
 */
#include "rating/fault.h"
#include "rating/rate_vat.h"

static const EbComponent *
component_at(const EbRating *rating, int32_t index)
{
	return EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component) + index;
}

static bool
is_limit(const EbComponent *component)
{
	return component->kind == EB_KIND_MINIMUM || component->kind == EB_KIND_MAXIMUM;
}

/* What such a component adds is given with tax, in a line of its own. */
static bool
has_incl(const EbComponent *component)
{
	return is_limit(component) && component->amount_incl != EB_NONE;
}

/* Does the line bear the tax of its component? */
static bool
is_taxed(const EbRating *rating, const EbLine *line)
{
	return line->component != EB_NONE && line->role == EB_LINE_COMPONENT &&
		   !has_incl(component_at(rating, line->component));
}

/* Sum of the taxed lines [0, n) at one rate, of components in base (NULL: all) */
static bool
sum_at_rate(const EbRating *rating, const bool *base, int n, int64_t vat_n, bool *any,
			eb_int128 *sum)
{
	*sum = 0;
	*any = false;
	for (int i = 0; i < n; i++)
	{
		const EbLine *line = &rating->line[i];

		if (!is_taxed(rating, line) || (base != NULL && !base[line->component]) ||
			component_at(rating, line->component)->vat_n != vat_n)
			continue;
		*any = true;
		if (!eb_add128(*sum, line->amount, sum))
			return false;
	}
	return true;
}

/* Is it the first component with its rate? */
static bool
is_first_of_rate(const EbRating *rating, int32_t index)
{
	for (int32_t i = 0; i < index; i++)
		if (component_at(rating, i)->vat_n == component_at(rating, index)->vat_n)
			return false;
	return true;
}

/* vat_n percent of sum, exact but for 1e-15, and as rounded for a line */
static bool
tax_of(const EbRating *rating, eb_int128 sum, int64_t vat_n, eb_int128 *raw, eb_int128 *rounded)
{
	const EbRounding *round = &rating->tariff->round_line;

	if (!eb_scale128(sum, (EbRatio){vat_n, EB_HUNDRED_PERCENT}, raw))
		return false;
	*rounded = *raw;
	return round->step_n == 0 || eb_round_step(*raw, (eb_int128) round->step_n * EB_NANO_MONEY,
											   (EbRoundMode) round->mode, rounded);
}

static EbLine
line_over_all(const EbRating *rating, int32_t component)
{
	EbLine line = {
		.component = component,
		.role = EB_LINE_VAT,
		.version = EB_NONE,
		.slot = EB_NONE,
		.factor_n = EB_ONE,
		.from_us = rating->from_us,
		.to_us = rating->to_us,
		.quality = EB_ACTUAL,
		.last_run = rating->nruns - 1,
	};

	for (int i = 0; i < rating->nlines; i++)
		if (rating->line[i].quality > line.quality)
			line.quality = rating->line[i].quality;
	return line;
}

static EbStatus
push_rate(EbRating *rating, int n, int64_t vat_n)
{
	EbLine line = line_over_all(rating, EB_NONE);
	eb_int128 sum;
	eb_int128 rounded;
	eb_int128 base_u;
	bool any;

	if (!sum_at_rate(rating, NULL, n, vat_n, &any, &sum))
		return eb_overflow(rating->fault, "amount to be taxed");
	if (!any)
		return EB_OK;
	base_u = eb_div_round(sum, EB_ONE, EB_HALF_UP);
	if (base_u < INT64_MIN || base_u > INT64_MAX ||
		!tax_of(rating, sum, vat_n, &line.amount_raw, &rounded))
		return eb_overflow(rating->fault, "amount of a tax");
	line.unit = EB_UNIT_PERCENT;
	line.quantity_u = (int64_t) base_u;
	line.price_n = vat_n;
	return eb_push_amount(rating, &line, &rating->tariff->round_line);
}

/* ---------------------------------------------------------------- limits with tax */

/* What each limit changed of the amount with tax, by component */
typedef struct Changes
{
	eb_int128 by[EB_MAX_COMPONENTS];
} Changes;

static EbStatus
limit_incl(const EbRating *rating, const EbComponent *component, eb_int128 *limit)
{
	EbPriceEnv env = eb_run_env(rating, EB_NONE, &rating->run[rating->nruns - 1]);
	int64_t amount_n;
	EbStatus status =
		eb_price_value(&env, component->amount_incl, &eb_price_exact, &amount_n, rating->fault);

	if (status != EB_OK)
		return status;
	*limit = (eb_int128) amount_n * EB_NANO_MONEY;
	if (component->min_scope != EB_MIN_MONTH)
		return EB_OK;
	status = eb_need_months(rating);
	if (status == EB_OK && !eb_scale128(*limit, (EbRatio){rating->months_u, EB_MICRO}, limit))
		status = eb_overflow(rating->fault, "amount of a minimum or maximum");
	return status;
}

/* The base of a limit with tax: its lines, their tax, and what earlier limits changed */
static bool
base_incl(const EbRating *rating, const EbComponent *component, int n, const Changes *changes,
		  eb_int128 *sum)
{
	const int32_t *index = EB_ARRAY(rating->tariff, int32_t, component->base);
	bool base[EB_MAX_COMPONENTS] = {false};

	*sum = 0;
	for (int i = 0; i < component->base.n; i++)
	{
		base[index[i]] = true;
		if (!eb_add128(*sum, changes->by[index[i]], sum))
			return false;
	}
	for (int32_t i = 0; i < rating->tariff->component.n; i++)
	{
		int64_t vat_n = component_at(rating, i)->vat_n;
		eb_int128 part;
		eb_int128 raw;
		eb_int128 tax;
		bool any;

		if (!is_first_of_rate(rating, i))
			continue;
		if (!sum_at_rate(rating, base, n, vat_n, &any, &part) ||
			!tax_of(rating, part, vat_n, &raw, &tax) || !eb_add128(*sum, part, sum) ||
			!eb_add128(*sum, tax, sum))
			return false;
	}
	return true;
}

/* The limit's own line stands in the amount without tax: what it makes there is taken out again. */
static EbStatus
push_limit(EbRating *rating, int32_t index, int n, Changes *changes)
{
	const EbComponent *component = component_at(rating, index);
	const EbRounding none = {0};
	EbLine line = line_over_all(rating, index);
	eb_int128 limit = 0;
	eb_int128 sum;
	eb_int128 price_n;
	EbStatus status = limit_incl(rating, component, &limit);

	if (status != EB_OK)
		return status;
	if (!base_incl(rating, component, n, changes, &sum))
		return eb_overflow(rating->fault, "base of a minimum or maximum");
	if (component->kind == EB_KIND_MINIMUM ? sum < limit : sum > limit)
		changes->by[index] = limit - sum;
	line.amount_raw = changes->by[index];
	for (int i = 0; i < n; i++)
		if (rating->line[i].component == index)
			line.amount_raw -= rating->line[i].amount;
	if (line.amount_raw == 0)
		return EB_OK;
	price_n = eb_div_round(line.amount_raw, EB_NANO_MONEY, EB_HALF_UP);
	if (price_n < INT64_MIN || price_n > INT64_MAX)
		return eb_overflow(rating->fault, "amount of a minimum or maximum");
	line.unit = component->min_scope == EB_MIN_SESSION ? EB_UNIT_SESSION : EB_UNIT_BILL;
	line.quantity_u = EB_MICRO;
	line.price_n = (int64_t) price_n;
	return eb_push_amount(rating, &line, &none);
}

EbStatus
eb_vat_lines(EbRating *rating, const bool *due)
{
	int n = rating->nlines;
	Changes changes = {{0}};
	EbStatus status = EB_OK;

	for (int32_t i = 0; i < rating->tariff->component.n && status == EB_OK; i++)
		if (component_at(rating, i)->vat_n != 0 && is_first_of_rate(rating, i))
			status = push_rate(rating, n, component_at(rating, i)->vat_n);
	for (int32_t i = 0; i < rating->tariff->component.n && status == EB_OK; i++)
		if (due[i] && has_incl(component_at(rating, i)))
			status = push_limit(rating, i, n, &changes);
	return status;
}

/* Most tariffs name no tax: no work, and no arrays to clear, then */
static bool
has_taxes(const EbRating *rating)
{
	for (int32_t i = 0; i < rating->tariff->component.n; i++)
		if (component_at(rating, i)->vat_n != 0 || has_incl(component_at(rating, i)))
			return true;
	return false;
}

/* Bills: limits are due when the bill is final and they apply; those of sessions never are. */
EbStatus
eb_rate_vat(EbRating *rating)
{
	bool due[EB_MAX_COMPONENTS];

	if (!has_taxes(rating))
		return EB_OK;
	memset(due, 0, sizeof(due));
	for (int32_t i = 0; i < rating->tariff->component.n && rating->ctx->final; i++)
	{
		EbWork work;
		EbPart part;
		EbStatus status;

		if (!has_incl(component_at(rating, i)) ||
			component_at(rating, i)->min_scope == EB_MIN_SESSION)
			continue;
		eb_work_init(&work, rating, i);
		status = eb_part_whole(&work, &part, &due[i]);
		if (status != EB_OK)
			return status;
	}
	return eb_vat_lines(rating, due);
}
