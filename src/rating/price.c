/*
 * price.c -- what a price node is worth here and now
 * In:  the price nodes of a tariff (tariff.h), attributes, period and season.
 * Out: unit prices, bounds, flats and percentages for rate_*.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/fault.h"
#include "rating/price_walk.h"
#include "rating/tariff_grammar.h"
#include "rating/tariff_json.h"

static EbText
tariff_text(const EbTariff *tariff, EbSlice text)
{
	return (EbText){EB_ARRAY(tariff, char, text), text.n};
}

/* ---------------------------------------------------------------- exact numbers */

void
eb_exact_strip(EbExact *number)
{
	while (number->scale > 0 && number->digits % 10 == 0)
	{
		number->digits /= 10;
		number->scale--;
	}
}

EbStatus
eb_price_too_long(EbFault *fault)
{
	return eb_fault_set(fault, EB_OUT_OF_RANGE, "price has too many digits to be exact",
						"Give the inner product a round of its own.");
}

bool
eb_exact_add(const EbExact *a, const EbExact *b, EbExact *sum)
{
	const EbExact *coarse = a->scale < b->scale ? a : b;
	const EbExact *fine = a->scale < b->scale ? b : a;
	eb_int128 scaled;

	if (fine->scale - coarse->scale > 38 ||
		!eb_mul128(coarse->digits, eb_pow10(fine->scale - coarse->scale), &scaled) ||
		!eb_add128(scaled, fine->digits, &scaled))
		return false;
	*sum = (EbExact){scaled, fine->scale};
	eb_exact_strip(sum);
	return true;
}

bool
eb_exact_mul(const EbExact *a, const EbExact *b, EbExact *product)
{
	eb_int128 digits;

	if (!eb_mul128(a->digits, b->digits, &digits))
		return false;
	*product = (EbExact){digits, a->scale + b->scale};
	eb_exact_strip(product);
	return true;
}

bool
eb_exact_round(EbExact *number, int64_t step_n, int32_t mode)
{
	eb_int128 value = number->digits;
	eb_int128 step = step_n;
	int shift = number->scale - EB_PRICE_SCALE;

	if (shift > 38 || shift < -38)
		return false;
	if (shift < 0 && !eb_mul128(value, eb_pow10(-shift), &value))
		return false;
	if (shift > 0 && !eb_mul128(step, eb_pow10(shift), &step))
		return false;
	number->digits = eb_div_round(value, step, (EbRoundMode) mode);
	number->scale = EB_PRICE_SCALE;
	return eb_mul128(number->digits, step_n, &number->digits);
}

/* ---------------------------------------------------------------- maps */

const EbAttr *
eb_attr_find(const EbAttr *attr, int nattrs, const EbTariff *tariff, EbSlice name)
{
	EbText wanted = tariff_text(tariff, name);

	for (int i = 0; i < nattrs; i++)
		if (eb_text_equal(attr[i].name, wanted))
			return &attr[i];
	return NULL;
}

/* The entry whose index is wanted, else the fallback, else EB_NONE */
static int32_t
entry_by_index(const EbTariff *tariff, const EbPriceNode *map, int32_t wanted)
{
	const EbPriceEntry *entry = EB_ARRAY(tariff, EbPriceEntry, map->entry);

	for (int i = 0; i < map->entry.n; i++)
		if (entry[i].index == wanted)
			return entry[i].node;
	return map->fallback;
}

static EbStatus
choose_period(EbPriceWalk *walk, const EbPriceNode *map, int32_t *chosen)
{
	const EbTariff *tariff = walk->env->tariff;
	EbText name;

	if (walk->env->period == EB_NONE)
		return eb_fault_set(walk->fault, EB_BAD_ARGUMENT,
							"a value that is one for all periods must not depend on the period",
							"With order per_period each period has bounds and flats of its own.");
	*chosen = entry_by_index(tariff, map, walk->env->period);
	if (*chosen != EB_NONE)
		return EB_OK;
	name = tariff_text(tariff, EB_ARRAY(tariff, EbSlice, tariff->period_name)[walk->env->period]);
	eb_fault_set(walk->fault, EB_UNKNOWN, "no price for a period", "Add the period, or \"*\".");
	return eb_fault_detail(walk->fault, EB_UNKNOWN, "The period is \"%.*s\".", EB_TEXT_ARG(name));
}

static EbStatus
choose_season(EbPriceWalk *walk, const EbPriceNode *map, int32_t *chosen)
{
	const EbTariff *tariff = walk->env->tariff;
	EbText name = {"*", 1};

	if (walk->env->season == EB_NONE)
		return eb_fault_set(walk->fault, EB_UNKNOWN,
							"the price depends on the season, the usage has no dates",
							"Give \"during\" with the usage, or in ctx.");
	*chosen = entry_by_index(tariff, map, walk->env->season);
	if (*chosen != EB_NONE)
		return EB_OK;
	if (walk->env->season > 0)
		name =
			tariff_text(tariff, EB_ARRAY(tariff, EbSlice, tariff->season)[walk->env->season - 1]);
	eb_fault_set(walk->fault, EB_UNKNOWN, "no price for a season", "Add the season, or \"*\".");
	return eb_fault_detail(walk->fault, EB_UNKNOWN, "The season is \"%.*s\".", EB_TEXT_ARG(name));
}

static EbStatus
choose_attr(EbPriceWalk *walk, const EbPriceNode *map, int32_t *chosen)
{
	const EbPriceEnv *env = walk->env;
	const EbPriceEntry *entry = EB_ARRAY(env->tariff, EbPriceEntry, map->entry);
	const EbAttr *attr = eb_attr_find(env->attr, env->nattrs, env->tariff, map->attr);
	EbText name = tariff_text(env->tariff, map->attr);
	EbText value = {"missing", 7};

	*chosen = map->fallback;
	if (attr != NULL)
	{
		value = attr->value;
		for (int i = 0; i < map->entry.n; i++)
			if (eb_text_equal(tariff_text(env->tariff, entry[i].key), value))
				*chosen = entry[i].node;
	}
	if (*chosen != EB_NONE)
		return EB_OK;
	eb_fault_set(walk->fault, EB_UNKNOWN, "no price for the value of an attribute",
				 "Give the attribute in ctx.attrs, or the price \"*\".");
	return eb_fault_detail(walk->fault, EB_UNKNOWN, "Attribute \"%.*s\" is %.*s.",
						   EB_TEXT_ARG(name), EB_TEXT_ARG(value));
}

EbStatus
eb_price_choose(EbPriceWalk *walk, const EbPriceNode *map, int32_t *chosen)
{
	if (map->kind == EB_PRICE_PERIOD)
		return choose_period(walk, map, chosen);
	if (map->kind == EB_PRICE_SEASON)
		return choose_season(walk, map, chosen);
	return choose_attr(walk, map, chosen);
}

/* ---------------------------------------------------------------- values */

/* MUL and ADD over their operands, then their own rounding */
static EbStatus
combine(EbPriceWalk *walk, const EbPriceNode *node, EbExact *result)
{
	const int32_t *operand = EB_ARRAY(walk->env->tariff, int32_t, node->entry);
	bool product = node->kind == EB_PRICE_MUL;

	*result = (EbExact){product ? 1 : 0, 0};
	for (int i = 0; i < node->entry.n; i++)
	{
		EbExact next;
		EbStatus status = eb_price_node(walk, operand[i], &next);

		if (status != EB_OK)
			return status;
		if (!(product ? eb_exact_mul(result, &next, result) : eb_exact_add(result, &next, result)))
			return eb_price_too_long(walk->fault);
	}
	if (node->round.step_n > 0 && !eb_exact_round(result, node->round.step_n, node->round.mode))
		return eb_price_too_long(walk->fault);
	return EB_OK;
}

EbStatus
eb_price_node(EbPriceWalk *walk, int32_t index, EbExact *result)
{
	const EbPriceNode *node = eb_price_node_at(walk->env->tariff, index);
	int32_t chosen = EB_NONE;
	EbStatus status;

	if (++walk->visits > EB_MAX_PRICE_NODES || walk->depth >= EB_PRICE_NESTING)
		return eb_fault_set(walk->fault, EB_OUT_OF_RANGE, "price is nested too deep", NULL);
	if (node->kind == EB_PRICE_CONST)
	{
		*result = (EbExact){node->value_n, EB_PRICE_SCALE};
		eb_exact_strip(result);
		return EB_OK;
	}
	if (node->kind == EB_PRICE_SERIES)
	{
		const EbSeries *series = eb_series_find(walk->env->tariff, node->series);

		*result = (EbExact){0, 0};
		if (!eb_series_summed(series))
			return eb_series_day(walk, series, result);
		if (!walk->linear)
			return eb_fault_set(walk->fault, EB_BAD_ARGUMENT,
								"a price that changes inside days is not one number", NULL);
		return EB_OK;
	}
	walk->depth++;
	if (node->kind == EB_PRICE_MUL || node->kind == EB_PRICE_ADD)
		status = combine(walk, node, result);
	else if (node->kind == EB_PRICE_REF)
		status = eb_price_node(walk, EB_ARRAY(walk->env->tariff, int32_t, node->entry)[0], result);
	else
	{
		status = eb_price_choose(walk, node, &chosen);
		if (status == EB_OK)
			status = eb_price_node(walk, chosen, result);
	}
	walk->depth--;
	return status;
}

const EbRounding eb_price_exact = {0, EB_HALF_UP, 0};

/* Where choices among nodes lead: a price is mostly a number, and needs no arithmetic then */
static EbStatus
follow(EbPriceWalk *walk, int32_t *node)
{
	for (;;)
	{
		const EbPriceNode *at = eb_price_node_at(walk->env->tariff, *node);
		EbStatus status = EB_OK;

		if (at->kind == EB_PRICE_REF)
			*node = EB_ARRAY(walk->env->tariff, int32_t, at->entry)[0];
		else if (at->kind <= EB_PRICE_ATTR && at->kind != EB_PRICE_CONST)
			status = eb_price_choose(walk, at, node);
		else
			return EB_OK;
		if (status != EB_OK)
			return status;
		if (++walk->visits > EB_MAX_PRICE_NODES)
			return eb_fault_set(walk->fault, EB_OUT_OF_RANGE, "price is nested too deep", NULL);
	}
}

EbStatus
eb_price_value(const EbPriceEnv *env, int32_t node, const EbRounding *round, int64_t *value_n,
			   EbFault *fault)
{
	bool exact_step = round->step_n == 0;
	EbPriceWalk walk = {env, fault, 0, 0, false};
	EbExact exact;
	EbStatus status;

	*value_n = 0;
	if (node == EB_NONE)
		return EB_OK;
	status = follow(&walk, &node);
	if (status != EB_OK)
		return status;
	if (exact_step && eb_price_node_at(env->tariff, node)->kind == EB_PRICE_CONST)
	{
		*value_n = eb_price_node_at(env->tariff, node)->value_n;
		return EB_OK;
	}
	status = eb_price_node(&walk, node, &exact);
	if (status != EB_OK)
		return status;
	if (!eb_exact_round(&exact, exact_step ? 1 : round->step_n,
						exact_step ? EB_HALF_UP : round->mode))
		return eb_price_too_long(fault);
	if (exact.digits < INT64_MIN || exact.digits > INT64_MAX)
		return eb_fault_set(fault, EB_OUT_OF_RANGE, "price is out of range", NULL);
	*value_n = (int64_t) exact.digits;
	return EB_OK;
}
