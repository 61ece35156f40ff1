/*
 * tariff_compile_measure.c -- the tariff compiler: demands, losses, net metering
 * In:  a node tree without lint errors; periods and slots of the build.
 * Out: EbDemand, EbLoss, EbNet with every default filled in.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "rating/tariff_build.h"
#include "rating/tariff_types.h"

/* ---------------------------------------------------------------- demands */

/* A percentage for all months, or one for each; initial when there is none */
static void
build_twelve(const EbNode *node, int64_t initial, int64_t percent_n[12])
{
	const EbNode *item = eb_node_first(node);

	for (int month = 0; month < 12; month++)
	{
		percent_n[month] = initial;
		if (node != NULL)
			eb_node_decimal(item != NULL ? item : node, EB_PRICE_SCALE, &percent_n[month]);
		item = item != NULL ? item->next : NULL;
	}
}

static void
build_ratchet(const EbNode *node, EbRatchet *ratchet)
{
	if (node == NULL)
		return;
	ratchet->lookback = eb_node_int(eb_node_get(node, "lookback"), 0);
	ratchet->months = eb_build_months(eb_node_get(node, "months"));
	build_twelve(eb_node_get(node, "percent"), 0, ratchet->percent_n);
	build_twelve(eb_node_get(node, "current"), INT64_C(100) * EB_ONE, ratchet->current_n);
}

static void
build_limits(const EbNode *node, EbDemand *demand)
{
	demand->has_floor = eb_node_get(node, "floor_kw") != NULL;
	demand->has_floor_pct = eb_node_get(node, "floor_contract_pct") != NULL;
	demand->has_cap = eb_node_get(node, "cap_kw") != NULL;
	demand->floor_ukw = eb_field_decimal(&eb_demand_type, node, "floor_kw");
	demand->floor_pct_n = eb_field_decimal(&eb_demand_type, node, "floor_contract_pct");
	demand->cap_ukw = eb_field_decimal(&eb_demand_type, node, "cap_kw");
	demand->round = eb_build_round(eb_node_find(node, "round"), (EbRounding){0, EB_HALF_UP, 0});
}

static bool
build_demand(EbBuild *build, const EbNode *node, EbDemand *demand)
{
	const EbNode *period = eb_node_get(node, "period");
	const EbNode *slide = eb_node_get(node, "slide");

	demand->quantity = (int8_t) eb_field_word(&eb_demand_type, node, "quantity");
	demand->top_mean = (int8_t) eb_field_word(&eb_demand_type, node, "agg");
	demand->distinct = (int8_t) eb_field_word(&eb_demand_type, node, "distinct");
	demand->per = (int8_t) eb_field_word(&eb_demand_type, node, "per");
	demand->window_min = (int16_t) eb_field_decimal(&eb_demand_type, node, "window");
	demand->slide_min = (int16_t) eb_node_int(slide, demand->window_min);
	demand->n = demand->top_mean ? (int32_t) eb_field_decimal(&eb_demand_type, node, "n") : 1;
	demand->schedule = period != NULL ? eb_build_schedule(build, node) : EB_NONE;
	demand->slots = eb_build_slots(build, demand->schedule, period);
	demand->seasons = eb_build_seasons(build, eb_node_get(node, "season"));
	demand->months = eb_build_months(eb_node_get(node, "months"));
	demand->event = eb_build_index(eb_node_get(build->root, "events"),
								   eb_node_text(eb_node_get(node, "event")));
	build_limits(node, demand);
	build_ratchet(eb_node_get(node, "ratchet"), &demand->ratchet);
	return eb_build_bytes(build, node->key, &demand->name);
}

static bool
build_demands(EbBuild *build)
{
	const EbNode *demands = eb_node_get(build->root, "demands");
	void *array;
	EbDemand *demand;

	if (!eb_build_array(build, eb_node_count(demands), sizeof(EbDemand), &build->tariff->demand,
						&array))
		return false;
	demand = array;
	EB_EACH(node, demands)
		if (!build_demand(build, node, demand++))
			return false;
	return true;
}

/* ---------------------------------------------------------------- losses */

static bool
build_loss(EbBuild *build, const EbNode *node, EbLoss *loss)
{
	loss->kind = eb_field_word(&eb_loss_type, node, "kind");
	loss->sign = (int32_t) eb_field_decimal(&eb_loss_type, node, "sign");
	loss->has_minus = eb_node_get(node, "minus") != NULL;
	loss->has_cap = eb_node_get(node, "cap_pct") != NULL;
	loss->percent_n = eb_field_decimal(&eb_loss_type, node, "percent");
	loss->factor_n = eb_field_decimal(&eb_loss_type, node, "factor");
	loss->hours_n = eb_field_decimal(&eb_loss_type, node, "hours");
	loss->cap_pct_n = eb_field_decimal(&eb_loss_type, node, "cap_pct");
	loss->load_kw_n = eb_field_decimal(&eb_loss_type, node, "load_kw");
	loss->k_n = eb_field_decimal(&eb_loss_type, node, "k");
	return eb_build_bytes(build, eb_node_text(eb_node_get(node, "code")), &loss->code) &&
		   eb_build_quantity(build, eb_node_text(eb_node_get(node, "kva")), &loss->kva) &&
		   eb_build_quantity(build, eb_node_text(eb_node_get(node, "minus")), &loss->minus);
}

static bool
build_losses(EbBuild *build)
{
	const EbNode *losses = eb_node_get(build->root, "losses");
	void *array;
	EbLoss *loss;

	if (!eb_build_array(build, eb_node_count(losses), sizeof(EbLoss), &build->tariff->loss, &array))
		return false;
	loss = array;
	EB_EACH(node, losses)
		if (!build_loss(build, node, loss++))
			return false;
	return true;
}

/* ---------------------------------------------------------------- net */

static bool
build_net(EbBuild *build)
{
	const EbNode *node = eb_node_get(build->root, "net");
	const EbNode *order = eb_node_get(node, "order");
	EbNet *net = &build->tariff->net;
	void *array;
	int32_t *period;

	net->mode = (int8_t) eb_field_word(&eb_net_type, node, "mode");
	net->settle_month = (int8_t) eb_field_decimal(&eb_net_type, node, "settle_month");
	net->settle_carry = (int8_t) eb_field_word(&eb_net_type, node, "settle");
	net->expire = eb_node_bool(eb_node_get(node, "expire"), false);
	net->same_month = eb_node_bool(eb_node_get(node, "same_month"), false);
	net->match_time_of_day = (int8_t) eb_field_word(&eb_net_type, node, "match");
	net->excess = (int8_t) eb_field_word(&eb_net_type, node, "excess");
	net->true_up_n = eb_field_decimal(&eb_net_type, node, "true_up_price");
	if (!eb_build_array(build, eb_node_count(order), sizeof(int32_t), &net->order, &array))
		return false;
	period = array;
	EB_EACH(name, order)
		*period++ = eb_build_period(build, eb_node_text(name));
	return true;
}

bool
eb_build_measures(EbBuild *build)
{
	return build_demands(build) && build_losses(build) && build_net(build);
}
