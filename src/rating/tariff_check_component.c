/*
 * tariff_check_component.c -- the check of a stored tariff: prices, components, demands, losses, net
 * In:  a block whose head, periods, seasons, events and series are sound.
 * Out: yes, or what is wrong.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "base/civil.h"
#include "rating/tariff_check_state.h"
#include "rating/tariff_grammar.h"

/* Lists inside a component: as long as the JSON form allows, and no longer */
#define MAX_FACTORS 16
#define MAX_TESTS 64
#define MAX_ALLOWANCES 16
#define MAX_STEP (INT64_C(1000) * EB_MAX_SESSION_STEP)

/* ---------------------------------------------------------------- price nodes */

static bool
is_node(const EbCheck *check, int32_t node)
{
	return eb_check_within(node, EB_NONE, check->tariff->node.n - 1);
}

static bool
check_entries(EbCheck *check, const EbPriceNode *node, int index)
{
	const EbPriceEntry *entry = EB_ARRAY(check->tariff, EbPriceEntry, node->entry);
	int low = node->kind == EB_PRICE_ATTR ? EB_NONE : node->kind == EB_PRICE_SEASON ? 1 : 0;
	int high = node->kind == EB_PRICE_ATTR	   ? EB_NONE
			   : node->kind == EB_PRICE_SEASON ? check->tariff->season.n
											   : check->tariff->period_name.n - 1;

	if (!eb_check_slice(check, node->entry, sizeof(EbPriceEntry), EB_MAX_PRICES, "prices") ||
		!eb_check_text(check, node->attr, "prices"))
		return false;
	for (int i = 0; i < node->entry.n; i++)
		if (!eb_check_text(check, entry[i].key, "prices") ||
			!eb_check_that(check,
						   eb_check_within(entry[i].index, low, high) &&
							   eb_check_within(entry[i].node, 0, index - 1),
						   "prices"))
			return false;
	return eb_check_that(check, eb_check_within(node->fallback, EB_NONE, index - 1), "prices");
}

static bool
check_operands(EbCheck *check, const EbPriceNode *node, int index)
{
	const int32_t *operand = EB_ARRAY(check->tariff, int32_t, node->entry);

	if (!eb_check_slice(check, node->entry, sizeof(int32_t), EB_MAX_PRICES, "prices") ||
		!eb_check_that(check, node->entry.n > 0, "prices") || !eb_check_round(check, &node->round))
		return false;
	for (int i = 0; i < node->entry.n; i++)
		if (!eb_check_that(check, eb_check_within(operand[i], 0, index - 1), "prices"))
			return false;
	return true;
}

static bool
check_node(EbCheck *check, const EbPriceNode *node, int index)
{
	switch (node->kind)
	{
		case EB_PRICE_CONST:
			return eb_check_that(check, node->entry.n == 0 && node->fallback == EB_NONE, "prices");
		case EB_PRICE_PERIOD:
		case EB_PRICE_SEASON:
		case EB_PRICE_ATTR:
			return check_entries(check, node, index);
		case EB_PRICE_SERIES:
			return eb_check_that(check,
								 node->entry.n == 0 &&
									 eb_check_within(node->series, 0, check->tariff->series.n - 1),
								 "prices");
		case EB_PRICE_REF:
		case EB_PRICE_MUL:
		case EB_PRICE_ADD:
			return check_operands(check, node, index) &&
				   eb_check_that(check, node->kind != EB_PRICE_REF || node->entry.n == 1, "prices");
	}
	return eb_check_that(check, false, "prices");
}

bool
eb_check_nodes(EbCheck *check)
{
	EbSlice list = check->tariff->node;
	const EbPriceNode *node = EB_ARRAY(check->tariff, EbPriceNode, list);

	if (!eb_check_slice(check, list, sizeof(EbPriceNode), EB_TARIFF_MAX_SIZE, "prices"))
		return false;
	for (int i = 0; i < list.n; i++)
		if (!check_node(check, &node[i], i))
			return false;
	return true;
}

/* ---------------------------------------------------------------- conditions */

static bool
check_quantity(EbCheck *check, const EbQuantity *quantity)
{
	return eb_check_that(check, eb_check_within(quantity->kind, 0, EB_QTY_NAMED), "quantities") &&
		   eb_check_text(check, quantity->name, "quantities");
}

static bool
check_test(EbCheck *check, const EbTest *test)
{
	const EbSlice *value = EB_ARRAY(check->tariff, EbSlice, test->value);

	if (!eb_check_that(check,
					   eb_check_within(test->kind, 0, EB_TEST_RESERVATION) &&
						   eb_check_within(test->from_min, 0, EB_DAY_MINUTES) &&
						   eb_check_within(test->to_min, 0, EB_DAY_MINUTES) &&
						   eb_check_within(test->reservation, 0, EB_RESERVATION_EXPIRED),
					   "conditions") ||
		!check_quantity(check, &test->of) || !check_quantity(check, &test->to) ||
		!eb_check_slice(check, test->value, sizeof(EbSlice), EB_MAX_ENTRIES, "conditions"))
		return false;
	for (int i = 0; i < test->value.n; i++)
		if (!eb_check_text(check, value[i], "conditions"))
			return false;
	return true;
}

static bool
check_condition(EbCheck *check, const EbCondition *condition)
{
	const EbTest *test = EB_ARRAY(check->tariff, EbTest, condition->test);

	if (!eb_check_dates(check, condition->date_from, condition->date_to, "conditions") ||
		!eb_check_slice(check, condition->test, sizeof(EbTest), MAX_TESTS, "conditions"))
		return false;
	for (int i = 0; i < condition->test.n; i++)
		if (!check_test(check, &test[i]))
			return false;
	return true;
}

static bool
check_factors(EbCheck *check, EbSlice list)
{
	const EbFactorIf *factor = EB_ARRAY(check->tariff, EbFactorIf, list);

	if (!eb_check_slice(check, list, sizeof(EbFactorIf), MAX_FACTORS, "factors"))
		return false;
	for (int i = 0; i < list.n; i++)
		if (!check_condition(check, &factor[i].condition) ||
			!eb_check_round(check, &factor[i].round))
			return false;
	return true;
}

/* ---------------------------------------------------------------- tiers */

/* Only the last step has no bound; steps inside a step have none inside themselves. */
static bool
check_steps(EbCheck *check, EbSlice list, bool inside, int *total)
{
	const EbStep *step = EB_ARRAY(check->tariff, EbStep, list);

	if (!eb_check_slice(check, list, sizeof(EbStep), EB_MAX_STEPS, "steps"))
		return false;
	for (int i = 0; i < list.n; i++)
	{
		bool by_kw = step[i].unit == EB_STEP_KWH_PER_KW || step[i].unit == EB_STEP_KWH_PER_KW_DAY;
		bool bounded = step[i].up_to != EB_NONE;

		if (!eb_check_that(check,
						   is_node(check, step[i].up_to) && bounded == (i < list.n - 1) &&
							   is_node(check, step[i].price) && is_node(check, step[i].flat) &&
							   eb_check_within(step[i].unit, 0, EB_STEP_PCT_CONTRACT) &&
							   eb_check_within(step[i].demand, by_kw && bounded ? 0 : EB_NONE,
											   check->tariff->demand.n - 1) &&
							   (!inside || step[i].step.n == 0),
						   "steps") ||
			!check_steps(check, step[i].step, true, total))
			return false;
		*total += step[i].step.n == 0;
	}
	return true;
}

static bool
check_allowances(EbCheck *check, EbSlice list)
{
	const EbAllowance *allowance = EB_ARRAY(check->tariff, EbAllowance, list);

	if (!eb_check_slice(check, list, sizeof(EbAllowance), MAX_ALLOWANCES, "allowances"))
		return false;
	for (int i = 0; i < list.n; i++)
		if (!eb_check_text(check, allowance[i].attr, "allowances") ||
			!eb_check_that(check, allowance[i].at_least >= 0 && allowance[i].add_ukwh >= 0,
						   "allowances"))
			return false;
	return true;
}

static bool
check_tier(EbCheck *check, const EbTier *tier)
{
	bool package = tier->mode == EB_TIER_PACKAGE;
	int total = 0;
	bool sound = eb_check_within(tier->mode, 0, EB_TIER_ADDER) &&
				 eb_check_within(tier->scope, 0, EB_NSCOPES - 1) &&
				 eb_check_within(tier->order, 0, EB_ORDER_TIME) &&
				 eb_check_within(tier->prorate, 0, EB_PRORATE_MONTHS) &&
				 eb_check_within(tier->split, 0, EB_SPLIT_END) &&
				 eb_check_within(tier->nominal_days, 1, 366) && tier->free_u >= 0 &&
				 (tier->size_u > 0) == package && (tier->step.n == 0) == package;

	return eb_check_that(check, sound, "tiers") && check_quantity(check, &tier->by) &&
		   check_allowances(check, tier->allowance) &&
		   check_steps(check, tier->step, false, &total) &&
		   eb_check_that(check, total <= EB_MAX_STEPS, "steps");
}

/* ---------------------------------------------------------------- components */

/* Lines before the component, ascending */
static bool
check_base(EbCheck *check, const EbComponent *component, int index)
{
	const int32_t *base = EB_ARRAY(check->tariff, int32_t, component->base);

	if (!eb_check_slice(check, component->base, sizeof(int32_t), EB_MAX_COMPONENTS, "bases"))
		return false;
	for (int i = 0; i < component->base.n; i++)
		if (!eb_check_that(check, eb_check_within(base[i], i == 0 ? 0 : base[i - 1] + 1, index - 1),
						   "bases"))
			return false;
	return true;
}

static bool
check_power_factor(EbCheck *check, const EbComponent *component)
{
	const EbPfRow *row = EB_ARRAY(check->tariff, EbPfRow, component->pf_row);
	const EbPfLinear *linear = &component->pf_linear;

	if (!eb_check_slice(check, component->pf_row, sizeof(EbPfRow), EB_MAX_ENTRIES,
						"power factor") ||
		!eb_check_that(check,
					   eb_check_within(component->pf_table, 0, EB_PF_LINEAR) &&
						   (component->kind != EB_KIND_POWER_FACTOR ||
							component->pf_table != EB_PF_OWN || component->pf_row.n > 0),
					   "power factor"))
		return false;
	for (int i = 0; i < component->pf_row.n; i++)
		if (!eb_check_that(check,
						   eb_check_within(row[i].pf_n, 0, EB_ONE) &&
							   (i == 0 || row[i].pf_n < row[i - 1].pf_n),
						   "power factor"))
			return false;
	return eb_check_that(check,
						 component->pf_table != EB_PF_LINEAR ||
							 (eb_check_within(linear->target_n, 0, EB_ONE) &&
							  linear->cap_n >= linear->target_n && linear->step_n > 0),
						 "power factor");
}

/* Metered kinds read what intervals have, demands their demand, the others what they need. */
static bool
check_kind(EbCheck *check, const EbComponent *component)
{
	int kind = component->kind;
	bool metered = kind == EB_KIND_ENERGY || kind == EB_KIND_REACTIVE || kind == EB_KIND_CREDIT;
	bool tiered = metered || kind == EB_KIND_CAPACITY || kind == EB_KIND_CUSTOM ||
				  kind == EB_KIND_DEMAND || kind == EB_KIND_SESSION_TIME || kind == EB_KIND_IDLE ||
				  kind == EB_KIND_RESERVE_TIME;
	bool sound = eb_check_within(kind, 0, EB_KIND_RESERVE_TIME) &&
				 eb_check_within(component->per, 0, EB_PER_UNIT) &&
				 (!metered || component->quantity.kind <= EB_QTY_NET_KWH) &&
				 eb_check_within(component->demand, kind == EB_KIND_DEMAND ? 0 : EB_NONE,
								 check->tariff->demand.n - 1) &&
				 (!component->has_tier || tiered);

	return eb_check_that(check, sound, "components");
}

static bool
check_numbers(EbCheck *check, const EbComponent *component)
{
	const EbTariff *tariff = check->tariff;
	bool sound = is_node(check, component->price) && is_node(check, component->percent) &&
				 is_node(check, component->amount) && is_node(check, component->amount_incl) &&
				 eb_check_within(component->schedule, EB_NONE, tariff->schedule.n - 1) &&
				 eb_check_within(component->prorate, 0, EB_PRORATE_MONTHS) &&
				 eb_check_within(component->min_scope, 0, EB_MIN_SESSION) &&
				 eb_check_within(component->step_mwh, 0, MAX_STEP) &&
				 eb_check_within(component->step_ms, 0, MAX_STEP) &&
				 eb_check_within(component->grace_ms, 0, MAX_STEP) && component->cap_n >= 0 &&
				 component->vat_n >= 0 && component->share_above_u >= 0;

	return eb_check_that(check, sound, "components") &&
		   eb_check_dates(check, component->valid_from, component->valid_to, "components");
}

static bool
check_component(EbCheck *check, const EbComponent *component, int index)
{
	return eb_check_text(check, component->code, "components") &&
		   eb_check_text(check, component->group, "components") &&
		   eb_check_text(check, component->rider, "components") &&
		   eb_check_text(check, component->lane, "components") &&
		   eb_check_labels(check, component->label) && check_kind(check, component) &&
		   check_numbers(check, component) && check_quantity(check, &component->quantity) &&
		   check_quantity(check, &component->share_of) &&
		   check_condition(check, &component->when) && check_factors(check, component->factor_if) &&
		   eb_check_round(check, &component->round) && check_base(check, component, index) &&
		   check_power_factor(check, component) &&
		   (!component->has_tier || check_tier(check, &component->tier));
}

bool
eb_check_components(EbCheck *check)
{
	EbSlice list = check->tariff->component;
	const EbComponent *component = EB_ARRAY(check->tariff, EbComponent, list);

	if (!eb_check_slice(check, list, sizeof(EbComponent), EB_MAX_COMPONENTS, "components") ||
		!eb_check_that(check, list.n > 0, "components"))
		return false;
	for (int i = 0; i < list.n; i++)
		if (!check_component(check, &component[i], i))
			return false;
	return true;
}

/* ---------------------------------------------------------------- demands, losses, net */

static bool
check_demand(EbCheck *check, const EbDemand *demand)
{
	const EbTariff *tariff = check->tariff;
	bool sound = eb_check_within(demand->quantity, 0, EB_IMPORT_KVAR) &&
				 eb_check_within(demand->top_mean, 0, 1) &&
				 eb_check_within(demand->distinct, 0, EB_DISTINCT_MONTH) &&
				 (demand->per == EB_SCOPE_BILL || demand->per == EB_SCOPE_MONTH ||
				  demand->per == EB_SCOPE_QUARTER || demand->per == EB_SCOPE_YEAR) &&
				 eb_check_within(demand->window_min, 1, EB_DAY_MINUTES) &&
				 eb_check_within(demand->slide_min, 1, demand->window_min) &&
				 EB_DAY_MINUTES % demand->window_min == 0 &&
				 demand->window_min % demand->slide_min == 0 &&
				 eb_check_within(demand->n, 1, demand->top_mean ? 1000 : 1) &&
				 eb_check_within(demand->schedule, EB_NONE, tariff->schedule.n - 1) &&
				 eb_check_within(demand->event, EB_NONE, tariff->event.n - 1) &&
				 demand->floor_ukw >= 0 && demand->floor_pct_n >= 0 && demand->cap_ukw >= 0 &&
				 eb_check_within(demand->ratchet.lookback, 0, 36);

	for (int month = 0; month < 12; month++)
		sound =
			sound && demand->ratchet.percent_n[month] >= 0 && demand->ratchet.current_n[month] >= 0;
	return eb_check_that(check, sound, "demands") &&
		   eb_check_text(check, demand->name, "demands") && eb_check_round(check, &demand->round);
}

static bool
check_loss(EbCheck *check, const EbLoss *loss)
{
	return eb_check_that(check,
						 eb_check_within(loss->kind, 0, EB_LOSS_COPPER) &&
							 (loss->sign == 1 || loss->sign == -1) && loss->hours_n >= 0 &&
							 loss->percent_n >= 0 && loss->factor_n >= 0 && loss->load_kw_n >= 0 &&
							 loss->k_n >= 0 && loss->cap_pct_n >= 0,
						 "losses") &&
		   eb_check_text(check, loss->code, "losses") && check_quantity(check, &loss->kva) &&
		   check_quantity(check, &loss->minus);
}

static bool
check_net(EbCheck *check)
{
	const EbNet *net = &check->tariff->net;
	const int32_t *order = EB_ARRAY(check->tariff, int32_t, net->order);

	if (!eb_check_that(check,
					   eb_check_within(net->mode, 0, EB_NET_OFFSET_KWH) &&
						   eb_check_within(net->settle_month, 1, 12) &&
						   eb_check_within(net->excess, 0, EB_EXCESS_LOST),
					   "net") ||
		!eb_check_slice(check, net->order, sizeof(int32_t), EB_MAX_SLOTS, "net"))
		return false;
	for (int i = 0; i < net->order.n; i++)
		if (!eb_check_that(check, eb_check_within(order[i], 0, check->tariff->period_name.n - 1),
						   "net"))
			return false;
	return true;
}

bool
eb_check_measures(EbCheck *check)
{
	EbSlice demands = check->tariff->demand;
	EbSlice losses = check->tariff->loss;
	const EbDemand *demand = EB_ARRAY(check->tariff, EbDemand, demands);
	const EbLoss *loss = EB_ARRAY(check->tariff, EbLoss, losses);

	if (!eb_check_slice(check, demands, sizeof(EbDemand), EB_MAX_DEMANDS, "demands") ||
		!eb_check_slice(check, losses, sizeof(EbLoss), EB_MAX_LOSSES, "losses"))
		return false;
	for (int i = 0; i < demands.n; i++)
		if (!check_demand(check, &demand[i]))
			return false;
	for (int i = 0; i < losses.n; i++)
		if (!check_loss(check, &loss[i]))
			return false;
	return check_net(check);
}
