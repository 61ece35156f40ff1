/*
 * price_linear.c -- a price as a linear form over series, and what a price depends on
 * In:  price nodes; series that change inside days.
 * Out: constant and factors: what energy cost is then constant x energy + factor x (energy x series),
 *      which usage has summed.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/fault.h"
#include "rating/price_walk.h"

static EbStatus
not_linear(EbPriceWalk *walk)
{
	return eb_fault_set(walk->fault, EB_BAD_ARGUMENT,
						"a price that changes inside days must stay linear",
						"Do not round it, and do not multiply it with another one.");
}

/* Does the node, or one below it, read a series that is summed? */
static bool
reads_summed(const EbTariff *tariff, int32_t node)
{
	uint32_t bits = eb_price_series(tariff, node);

	for (int i = 0; i < tariff->series.n; i++)
		if ((bits >> i & 1) != 0 && eb_series_summed(eb_series_find(tariff, i)))
			return true;
	return false;
}

static EbStatus node_slope(EbPriceWalk *walk, int32_t index, int32_t series, EbExact *slope);

/* The slope of a sum is the sum of slopes; that of a product is one slope times the other factors. */
static EbStatus
combine_slope(EbPriceWalk *walk, const EbPriceNode *node, int32_t series, EbExact *slope)
{
	const EbTariff *tariff = walk->env->tariff;
	const int32_t *operand = EB_ARRAY(tariff, int32_t, node->entry);
	bool product = node->kind == EB_PRICE_MUL;
	int nsummed = 0;
	EbStatus status = EB_OK;

	*slope = (EbExact){product ? 1 : 0, 0};
	for (int i = 0; i < node->entry.n && status == EB_OK; i++)
	{
		bool summed = reads_summed(tariff, operand[i]);
		EbExact next = {0, 0};

		nsummed += summed;
		if (summed)
			status = node_slope(walk, operand[i], series, &next);
		else if (product)
			status = eb_price_node(walk, operand[i], &next);
		if (status == EB_OK &&
			!(product ? eb_exact_mul(slope, &next, slope) : eb_exact_add(slope, &next, slope)))
			status = eb_price_too_long(walk->fault);
	}
	if (status != EB_OK)
		return status;
	if (nsummed == 0)
		*slope = (EbExact){0, 0};
	if (nsummed > 0 && (node->round.step_n > 0 || (product && nsummed > 1)))
		return not_linear(walk);
	return EB_OK;
}

/* How much the node rises for each unit of the series */
static EbStatus
node_slope(EbPriceWalk *walk, int32_t index, int32_t series, EbExact *slope)
{
	const EbTariff *tariff = walk->env->tariff;
	const EbPriceNode *node = eb_price_node_at(tariff, index);
	int32_t chosen = EB_NONE;
	EbStatus status = EB_OK;

	*slope = (EbExact){0, 0};
	if (++walk->visits > EB_MAX_PRICE_NODES || walk->depth >= EB_PRICE_NESTING)
		return eb_fault_set(walk->fault, EB_OUT_OF_RANGE, "price is nested too deep", NULL);
	if (node->kind == EB_PRICE_CONST)
		return EB_OK;
	if (node->kind == EB_PRICE_SERIES)
	{
		slope->digits = node->series == series;
		return EB_OK;
	}
	walk->depth++;
	if (node->kind == EB_PRICE_MUL || node->kind == EB_PRICE_ADD)
		status = combine_slope(walk, node, series, slope);
	else
	{
		if (node->kind == EB_PRICE_REF)
			chosen = EB_ARRAY(tariff, int32_t, node->entry)[0];
		else
			status = eb_price_choose(walk, node, &chosen);
		if (status == EB_OK)
			status = node_slope(walk, chosen, series, slope);
	}
	walk->depth--;
	return status;
}

/* As an integer of 1e-9, rounded by round, half-up when its step is 0 */
static EbStatus
to_nano(const EbPriceWalk *walk, EbExact *exact, const EbRounding *round, int64_t *value_n)
{
	bool plain = round->step_n == 0;

	if (!eb_exact_round(exact, plain ? 1 : round->step_n, plain ? EB_HALF_UP : round->mode))
		return eb_price_too_long(walk->fault);
	if (exact->digits < INT64_MIN || exact->digits > INT64_MAX)
		return eb_fault_set(walk->fault, EB_OUT_OF_RANGE, "price is out of range", NULL);
	*value_n = (int64_t) exact->digits;
	return EB_OK;
}

static EbStatus
add_term(const EbPriceEnv *env, int32_t node, int32_t series, EbLinear *linear, EbFault *fault)
{
	EbPriceWalk walk = {env, fault, 0, 0, true};
	EbLinearTerm *term = &linear->term[linear->nterms];
	EbExact slope;
	EbStatus status = node_slope(&walk, node, series, &slope);

	if (status != EB_OK || slope.digits == 0)
		return status;
	if (slope.scale > EB_PRICE_SCALE)
		return eb_fault_set(fault, EB_OUT_OF_RANGE,
							"the factor of a series has more than 9 decimals", NULL);
	*term = (EbLinearTerm){.series = series};
	linear->nterms++;
	return to_nano(&walk, &slope, &eb_price_exact, &term->factor_n);
}

EbStatus
eb_price_linear(const EbPriceEnv *env, int32_t node, const EbRounding *round, EbLinear *linear,
				EbFault *fault)
{
	const EbTariff *tariff = env->tariff;
	EbPriceWalk walk = {env, fault, 0, 0, true};
	EbStatus status = EB_OK;
	EbExact constant;
	uint32_t bits;

	linear->nterms = 0;
	if (node == EB_NONE || tariff->series.n == 0 || !reads_summed(tariff, node))
		return eb_price_value(env, node, round, &linear->constant_n, fault);
	bits = eb_price_series(tariff, node);
	for (int32_t i = 0; i < tariff->series.n && status == EB_OK; i++)
		if ((bits >> i & 1) != 0 && eb_series_summed(eb_series_find(tariff, i)))
			status = add_term(env, node, i, linear, fault);
	if (status != EB_OK)
		return status;
	if (round->step_n > 0 && linear->nterms > 0)
		return not_linear(&walk);
	/* here and now it may take a branch without series: then it is a plain price */
	status = eb_price_node(&walk, node, &constant);
	return status != EB_OK ? status : to_nano(&walk, &constant, round, &linear->constant_n);
}

/* ---------------------------------------------------------------- what a node depends on */

typedef struct Uses
{
	unsigned bits;	 /* EB_USES_... */
	uint32_t series; /* bit by index */
	int visits;
} Uses;

/* Past the budget everything is assumed, evaluation will refuse the node anyway. */
static void
gather_uses(const EbTariff *tariff, int32_t index, int depth, Uses *uses)
{
	static const unsigned bit_of[] = {
		[EB_PRICE_PERIOD] = EB_USES_PERIOD,
		[EB_PRICE_SEASON] = EB_USES_SEASON,
		[EB_PRICE_ATTR] = EB_USES_ATTR,
		[EB_PRICE_SERIES] = EB_USES_SERIES,
		[EB_PRICE_ADD] = 0,
	};
	const EbPriceNode *node = eb_price_node_at(tariff, index);
	bool map = node->kind == EB_PRICE_PERIOD || node->kind == EB_PRICE_SEASON ||
			   node->kind == EB_PRICE_ATTR;

	if (++uses->visits > EB_MAX_PRICE_NODES || depth >= EB_PRICE_NESTING)
	{
		*uses = (Uses){~0u, ~UINT32_C(0), uses->visits};
		return;
	}
	uses->bits |= bit_of[node->kind];
	if (node->kind == EB_PRICE_SERIES)
		uses->series |= UINT32_C(1) << node->series;
	for (int i = 0; i < node->entry.n; i++)
		gather_uses(tariff,
					map ? EB_ARRAY(tariff, EbPriceEntry, node->entry)[i].node
						: EB_ARRAY(tariff, int32_t, node->entry)[i],
					depth + 1, uses);
	if (map && node->fallback != EB_NONE)
		gather_uses(tariff, node->fallback, depth + 1, uses);
}

unsigned
eb_price_uses(const EbTariff *tariff, int32_t node)
{
	Uses uses = {0, 0, 0};

	if (node != EB_NONE)
		gather_uses(tariff, node, 0, &uses);
	return uses.bits;
}

uint32_t
eb_price_series(const EbTariff *tariff, int32_t node)
{
	Uses uses = {0, 0, 0};

	if (node != EB_NONE && tariff->series.n > 0)
		gather_uses(tariff, node, 0, &uses);
	return uses.series;
}
