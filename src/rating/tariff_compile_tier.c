/*
 * tariff_compile_tier.c -- the tariff compiler: tiers
 * In:  a tier without lint errors; its component, as far as it is built.
 * Out: EbTier with its steps, allowances and every default filled in.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "rating/tariff_build.h"

/* The demand by whose kW a step counts: the one it names, else the only one */
static int
step_demand(const EbBuild *build, const EbNode *node, const EbStep *step)
{
	const EbNode *demands = eb_node_get(build->root, "demands");
	EbText name = eb_text_of(node, "demand");

	if (step->unit != EB_STEP_KWH_PER_KW && step->unit != EB_STEP_KWH_PER_KW_DAY)
		return EB_NONE;
	if (name.len == 0 && eb_node_first(demands) != NULL)
		return 0;
	return eb_build_index(demands, name);
}

/* A flat of 0 is none: written out or not, the block is the same. */
static const EbNode *
flat_of(const EbNode *step)
{
	const EbNode *flat = eb_node_get(step, "flat");

	return !eb_node_is(flat, EB_NODE_OBJECT) &&
				   eb_build_decimal(step, "flat", EB_PRICE_SCALE, 0) == 0
			   ? NULL
			   : flat;
}

/* A step without a price takes that of its component; in mode adder it adds nothing. */
static bool
build_steps(EbBuild *build, const EbNode *steps, const EbComponent *component, EbSlice *slice,
			bool *reads)
{
	void *array;
	EbStep *step;

	if (!eb_build_array(build, eb_node_count(steps), sizeof(EbStep), slice, &array))
		return false;
	step = array;
	EB_EACH(node, steps)
	{
		step->unit = eb_build_word(eb_step_unit_word, eb_text_of(node, "unit"), EB_STEP_KWH);
		step->factor_n = eb_build_decimal(node, "factor", EB_PRICE_SCALE, EB_ONE);
		step->demand = step_demand(build, node, step);
		if (!eb_build_price(build, eb_node_get(node, "up_to"), &step->up_to, reads) ||
			!eb_build_price(build, eb_node_get(node, "price"), &step->price, reads) ||
			!eb_build_price(build, flat_of(node), &step->flat, reads) ||
			!build_steps(build, eb_node_get(node, "steps"), component, &step->step, reads))
			return false;
		if (step->price == EB_NONE && component->tier.mode != EB_TIER_ADDER)
			step->price = component->price;
		step++;
	}
	return true;
}

static bool
build_allowances(EbBuild *build, const EbNode *list, EbSlice *slice)
{
	void *array;
	EbAllowance *allowance;

	if (!eb_build_array(build, eb_node_count(list), sizeof(EbAllowance), slice, &array))
		return false;
	allowance = array;
	EB_EACH(node, list)
	{
		allowance->at_least = eb_build_decimal(node, "at_least", EB_ENERGY_SCALE, 0);
		allowance->add_ukwh = eb_build_decimal(node, "add", EB_ENERGY_SCALE, 0);
		allowance->per_month = !eb_text_is(eb_text_of(node, "per"), "scope");
		allowance->widen_all = !eb_text_is(eb_text_of(node, "widen"), "first");
		if (!eb_build_bytes(build, eb_text_of(node, "attr"), &allowance->attr))
			return false;
		allowance++;
	}
	return true;
}

bool
eb_build_tier(EbBuild *build, const EbNode *node, EbComponent *component, bool *reads)
{
	EbTier *tier = &component->tier;
	EbText by = eb_text_of(node, "by");
	bool runs_on;

	component->has_tier = node != NULL;
	if (node == NULL)
		return true;
	tier->mode =
		(int8_t) eb_build_word(eb_tier_mode_word, eb_text_of(node, "mode"), EB_TIER_GRADUATED);
	tier->scope =
		(int8_t) eb_build_word(eb_tier_scope_word, eb_text_of(node, "scope"), EB_SCOPE_BILL);
	tier->order =
		(int8_t) eb_build_word(eb_tier_order_word, eb_text_of(node, "order"), EB_ORDER_PRORATA);
	tier->prorate =
		(int8_t) eb_build_word(eb_prorate_word, eb_text_of(node, "prorate"), EB_PRORATE_NONE);
	runs_on = tier->scope == EB_SCOPE_YEAR || tier->scope == EB_SCOPE_QUARTER;
	tier->split = (int8_t) eb_build_word(eb_split_word, eb_text_of(node, "split"),
										 runs_on ? EB_SPLIT_CONTINUE : EB_SPLIT_DAYS);
	tier->nominal_days = eb_node_int(eb_node_get(node, "nominal_days"), 30);
	tier->flat_at_zero = eb_node_bool(eb_node_get(node, "flat_at_zero"), true);
	tier->has_by = by.len > 0;
	tier->size_u = eb_build_decimal(node, "size", EB_ENERGY_SCALE, 0);
	tier->free_u = eb_build_decimal(node, "free", EB_ENERGY_SCALE, 0);
	return eb_build_quantity(build, by, &tier->by) &&
		   build_allowances(build, eb_node_get(node, "allowance"), &tier->allowance) &&
		   build_steps(build, eb_node_get(node, "steps"), component, &tier->step, reads);
}
