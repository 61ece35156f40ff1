/*
 * test_tariff_defaults.c -- what the compiler fills in, and what it makes of the keys of demands,
 * losses, net, power factor, sessions and steps
 */
#include "check.h"
#include "kit_json.h"
#include "kit_lint.h"
#include "rating/tariff_json.h"

static EbFault fault;

static const EbTariff *
compiled(const char *head, const char *components)
{
	const EbTariff *tariff = kit_json_tariff(around(head, components), &fault);

	if (!CHECK(tariff != NULL))
		printf("    %s: %s\n", fault.message, fault.detail);
	return tariff;
}

static const EbComponent *
component(const EbTariff *tariff, int index)
{
	return EB_ARRAY(tariff, EbComponent, tariff->component) + index;
}

static EbText
text_of(const EbTariff *tariff, EbSlice slice)
{
	return (EbText){EB_ARRAY(tariff, char, slice), slice.n};
}

static void
test_kinds(void)
{
	static const struct
	{
		const char *keys; /* what the kind needs */
		int kind;
		int quantity;
		int per;
	} row[] = {
		{"'energy','price':1", EB_KIND_ENERGY, EB_QTY_IMPORT_KWH, EB_PER_KWH},
		{"'reactive','price':1", EB_KIND_REACTIVE, EB_QTY_IMPORT_KVARH, EB_PER_KVARH},
		{"'credit','price':1", EB_KIND_CREDIT, EB_QTY_EXPORT_KWH, EB_PER_KWH},
		{"'fixed','price':1", EB_KIND_FIXED, EB_QTY_ONE, EB_PER_BILL},
		{"'capacity','price':1", EB_KIND_CAPACITY, EB_QTY_ATTR, EB_PER_KVA},
		{"'custom','price':1,'quantity':'meters'", EB_KIND_CUSTOM, EB_QTY_NAMED, EB_PER_UNIT},
		{"'demand','price':1,'demand':'m'", EB_KIND_DEMAND, EB_QTY_ONE, EB_PER_KW},
		{"'percent','percent':1", EB_KIND_PERCENT, EB_QTY_ONE, EB_PER_BILL},
		{"'power_factor','table':'cn'", EB_KIND_POWER_FACTOR, EB_QTY_ONE, EB_PER_BILL},
		{"'minimum','amount':1", EB_KIND_MINIMUM, EB_QTY_ONE, EB_PER_BILL},
		{"'maximum','amount_incl':1", EB_KIND_MAXIMUM, EB_QTY_ONE, EB_PER_BILL},
		{"'session_flat','price':1", EB_KIND_SESSION_FLAT, EB_QTY_ONE, EB_PER_SESSION},
		{"'session_time','price':1", EB_KIND_SESSION_TIME, EB_QTY_ONE, EB_PER_HOUR},
		{"'idle','price':1", EB_KIND_IDLE, EB_QTY_ONE, EB_PER_HOUR},
		{"'reserve_flat','price':1", EB_KIND_RESERVE_FLAT, EB_QTY_ONE, EB_PER_SESSION},
		{"'reserve_time','price':1", EB_KIND_RESERVE_TIME, EB_QTY_ONE, EB_PER_HOUR},
	};
	char text[300];

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
	{
		const EbTariff *tariff;
		const EbComponent *made;

		snprintf(text, sizeof(text), ENERGY ",{'code':'b','kind':%s}", row[i].keys);
		tariff = compiled("'demands':{'m':{}},", text);
		made = component(tariff, 1);
		CHECK_INT(made->kind, row[i].kind);
		CHECK_INT(made->quantity.kind, row[i].quantity);
		CHECK_INT(made->per, row[i].per);
		CHECK_INT(made->demand, row[i].kind == EB_KIND_DEMAND ? 0 : EB_NONE);
		CHECK_INT(made->cap_n, EB_NO_CAP);
		CHECK_INT(made->offset, 1);
		CHECK(eb_text_is(text_of(tariff, made->lane), "b"));
		CHECK(eb_text_is(text_of(tariff, made->group), "b"));
		CHECK_INT(made->step_mwh + made->step_ms + made->grace_ms + made->vat_n, 0);
		CHECK_INT(made->base.n,
				  made->kind >= EB_KIND_PERCENT && made->kind <= EB_KIND_MAXIMUM ? 1 : 0);
		CHECK_INT(made->amount_incl == EB_NONE, row[i].kind != EB_KIND_MAXIMUM);
		CHECK_INT(made->each_min + made->each_max + made->has_when + made->has_tier, 0);
		CHECK(made->slots == ~UINT64_C(0));
	}
	CHECK(eb_text_is(
		text_of(
			compiled("", "{'code':'c','kind':'capacity','price':1}"),
			component(compiled("", "{'code':'c','kind':'capacity','price':1}"), 0)->quantity.name),
		"contract_kva"));
}

static void
test_demands(void)
{
	const EbTariff *tariff = compiled(
		TOU "'demands':{'a':{},'b':{'quantity':'import_kvar','agg':'top_mean','n':3,'distinct':"
			"'week','window':60,'slide':15,'per':'year','period':['valley'],'months':[1,12],"
			"'round':{'step':0.1,'mode':'up'},'floor_kw':1.5,'floor_contract_pct':40,'cap_kw':99,"
			"'ratchet':{'lookback':11,'percent':[1,2,3,4,5,6,7,8,9,10,11,12],'months':[6,7,8],"
			"'current':90}}},",
		ENERGY);
	const EbDemand *demand = EB_ARRAY(tariff, EbDemand, tariff->demand);

	CHECK_INT(demand[0].quantity, EB_IMPORT_KW);
	CHECK_INT(demand[0].window_min, 15);
	CHECK_INT(demand[0].slide_min, 15);
	CHECK_INT(demand[0].top_mean, 0);
	CHECK_INT(demand[0].n, 1);
	CHECK_INT(demand[0].distinct, EB_DISTINCT_WINDOW);
	CHECK_INT(demand[0].per, EB_SCOPE_BILL);
	CHECK_INT(demand[0].schedule, EB_NONE);
	CHECK(demand[0].slots == ~UINT64_C(0));
	CHECK_INT(demand[0].event, EB_NONE);
	CHECK_INT(demand[0].has_floor + demand[0].has_floor_pct + demand[0].has_cap, 0);
	CHECK_INT(demand[0].round.step_n, 0);
	CHECK_INT(demand[0].ratchet.lookback, 0);

	CHECK_INT(demand[1].quantity, EB_IMPORT_KVAR);
	CHECK_INT(demand[1].top_mean, 1);
	CHECK_INT(demand[1].n, 3);
	CHECK_INT(demand[1].distinct, EB_DISTINCT_WEEK);
	CHECK_INT(demand[1].per, EB_SCOPE_YEAR);
	CHECK_INT(demand[1].window_min, 60);
	CHECK_INT(demand[1].slide_min, 15);
	CHECK_INT(demand[1].schedule, 0);
	CHECK_INT(demand[1].slots, 2);
	CHECK_INT(demand[1].months, 1 << 1 | 1 << 12);
	CHECK_INT(demand[1].floor_ukw, 1500000);
	CHECK_INT(demand[1].floor_pct_n, INT64_C(40) * EB_ONE);
	CHECK_INT(demand[1].cap_ukw, 99000000);
	CHECK_INT(demand[1].round.mode, EB_UP);
	CHECK_INT(demand[1].ratchet.lookback, 11);
	CHECK_INT(demand[1].ratchet.months, 1 << 6 | 1 << 7 | 1 << 8);
	CHECK_INT(demand[1].ratchet.percent_n[11], INT64_C(12) * EB_ONE);
	CHECK_INT(demand[1].ratchet.current_n[0], INT64_C(90) * EB_ONE);
	tariff = compiled("'demands':{'a':{'ratchet':{'lookback':3,'percent':80}}},", ENERGY);
	demand = EB_ARRAY(tariff, EbDemand, tariff->demand);
	CHECK_INT(demand->ratchet.percent_n[0], INT64_C(80) * EB_ONE);
	CHECK_INT(demand->ratchet.percent_n[11], INT64_C(80) * EB_ONE);
	CHECK_INT(demand->ratchet.current_n[5], INT64_C(100) * EB_ONE);
	CHECK_INT(demand->ratchet.months, 0);
}

static void
test_losses_and_net(void)
{
	const EbTariff *tariff = compiled(
		TOU
		"'losses':[{'code':'c','kind':'copper','kva':'attr:contract_kva','load_kw':4.3},{'code':"
		"'i','kind':'constant','kva':'attr:contract_kva','minus':'meters','factor':0.01,'hours'"
		":720,'sign':-1,'cap_pct':10}],'net':{'mode':'offset_kwh','order':['valley','peak'],"
		"'excess':'lost','settle_month':3,'settle':'carry','true_up_price':-0.2,'expire':true},",
		ENERGY);
	const EbLoss *loss = EB_ARRAY(tariff, EbLoss, tariff->loss);
	const int32_t *order = EB_ARRAY(tariff, int32_t, tariff->net.order);

	CHECK_INT(loss[0].kind, EB_LOSS_COPPER);
	CHECK_INT(loss[0].kva.kind, EB_QTY_ATTR);
	CHECK_INT(loss[0].has_minus, 0);
	CHECK_INT(loss[0].hours_n, 0);
	CHECK_INT(loss[0].sign, 1);
	CHECK_INT(loss[0].k_n, EB_ONE);
	CHECK_INT(loss[0].load_kw_n, INT64_C(4300000000));
	CHECK_INT(loss[1].minus.kind, EB_QTY_NAMED);
	CHECK_INT(loss[1].hours_n, INT64_C(720) * EB_ONE);
	CHECK_INT(loss[1].sign, -1);
	CHECK_INT(loss[1].has_cap, 1);
	CHECK_INT(loss[1].cap_pct_n, INT64_C(10) * EB_ONE);
	CHECK_INT(tariff->net.mode, EB_NET_OFFSET_KWH);
	CHECK_INT(tariff->net.excess, EB_EXCESS_LOST);
	CHECK_INT(tariff->net.settle_month, 3);
	CHECK_INT(tariff->net.settle_carry, 1);
	CHECK_INT(tariff->net.expire, 1);
	CHECK_INT(tariff->net.true_up_n, -200000000);
	CHECK_INT(tariff->net.order.n, 2);
	CHECK(eb_text_is(text_of(tariff, EB_ARRAY(tariff, EbSlice, tariff->period_name)[order[0]]),
					 "valley"));
	tariff = compiled("", ENERGY);
	CHECK_INT(tariff->net.mode, EB_NET_NONE);
	CHECK_INT(tariff->net.settle_month, 12);
	CHECK_INT(tariff->net.settle_carry + tariff->net.match_time_of_day + tariff->net.excess, 0);
}

static void
test_conditions(void)
{
	const EbTariff *tariff = compiled(
		"'calendar':{'days':{'2026-01-01':['fest']}},",
		"{'code':'a','kind':'energy','price':1,'when':{'days':['fest','mon'],'not_days':['other'],"
		"'time':['22:00','06:00'],'kwh':{'lt':20},'kw':{'ge':5.5},'amp':{'gt':16},'seconds':{'le':"
		"3600},'reservation':'expired','attr':{'a':1}}}");
	const EbCondition *when = &component(tariff, 0)->when;
	const EbTest *test = EB_ARRAY(tariff, EbTest, when->test);

	CHECK(when->days == (UINT64_C(1) << EB_TAG_NAMED | 1));
	CHECK(when->not_days == UINT64_C(1) << (EB_TAG_NAMED + 1));
	CHECK_INT(tariff->tag.n, 2);
	CHECK_INT(when->test.n, 7);
	CHECK_INT(test[0].kind, EB_TEST_TIME);
	CHECK_INT(test[0].from_min, 22 * 60);
	CHECK_INT(test[0].to_min, 6 * 60);
	CHECK_INT(test[1].kind, EB_TEST_KWH);
	CHECK_INT(test[1].range.lt, 20000000);
	CHECK_INT(test[2].kind, EB_TEST_KW);
	CHECK_INT(test[2].range.ge, 5500000);
	CHECK_INT(test[3].kind, EB_TEST_AMP);
	CHECK_INT(test[4].kind, EB_TEST_SECONDS);
	CHECK_INT(test[4].range.has_le, 1);
	CHECK_INT(test[5].kind, EB_TEST_RESERVATION);
	CHECK_INT(test[5].reservation, EB_RESERVATION_EXPIRED);
	CHECK_INT(test[6].kind, EB_TEST_ATTR_IN);
}

static void
test_sessions_and_factor(void)
{
	const EbTariff *tariff = compiled(
		"",
		"{'code':'a','kind':'energy','price':1,'lane':'l','step_wh':0.5,'vat':6.5,'offset':false},{'code':'i','kind':'idle','price':1,'per':'minute',"
		"'step_s':60,'grace_s':900.5,'cap':30},{'code':'o','kind':'power_factor','base':['a'],"
		"'table':[[0.95,-0.5],[0.9,0]]},{'code':'n','kind':'power_factor','linear':{'target':"
		"0.8,'step':0.01,'percent':-0.1}},{'code':'e','kind':'custom','quantity':'sessions','price':1,"
		"'each':{'min':-1,'max':9.5}}");
	const EbPfRow *row = EB_ARRAY(tariff, EbPfRow, component(tariff, 2)->pf_row);

	CHECK(eb_text_is(text_of(tariff, component(tariff, 0)->lane), "l"));
	CHECK_INT(component(tariff, 0)->step_mwh, 500);
	CHECK_INT(component(tariff, 0)->each_min, 0);
	CHECK_INT(component(tariff, 4)->each_min, 1);
	CHECK_INT(component(tariff, 4)->each_min_n, -EB_ONE);
	CHECK_INT(component(tariff, 4)->each_max_n, INT64_C(9500000000));
	CHECK_INT(component(tariff, 0)->vat_n, INT64_C(6500000000));
	CHECK_INT(component(tariff, 0)->offset, 0);
	CHECK_INT(component(tariff, 1)->per, EB_PER_MINUTE);
	CHECK_INT(component(tariff, 1)->step_ms, 60000);
	CHECK_INT(component(tariff, 1)->grace_ms, 900500);
	CHECK_INT(component(tariff, 1)->cap_n, INT64_C(30) * EB_ONE);
	CHECK_INT(component(tariff, 2)->pf_table, EB_PF_OWN);
	CHECK_INT(component(tariff, 2)->base.n, 1);
	CHECK_INT(row[0].pf_n, 950000000);
	CHECK_INT(row[0].percent_n, -500000000);
	CHECK_INT(component(tariff, 3)->pf_table, EB_PF_LINEAR);
	CHECK_INT(component(tariff, 3)->base.n, 3);
	CHECK(component(tariff, 3)->pf_linear.cap_n == INT64_MAX);
	CHECK_INT(component(tariff, 3)->pf_linear.percent_n, -100000000);
}

static void
test_steps(void)
{
	const EbTariff *tariff = compiled(
		"'demands':{'m':{}},",
		"{'code':'a','kind':'energy','price':7,'tier':{'scope':'day','order':'time','steps':[{"
		"'up_to':200,'unit':'kwh_per_kw','steps':[{'up_to':50,'price':1},{'factor':2}]},{'up_to':"
		"400,'unit':'kwh_per_kw'},{'price':3}]}}");
	const EbTier *tier = &component(tariff, 0)->tier;
	const EbStep *step = EB_ARRAY(tariff, EbStep, tier->step);
	const EbStep *inside = EB_ARRAY(tariff, EbStep, step[0].step);

	CHECK_INT(tier->scope, EB_SCOPE_DAY);
	CHECK_INT(tier->order, EB_ORDER_TIME);
	CHECK_INT(tier->split, EB_SPLIT_DAYS);
	CHECK_INT(step[0].unit, EB_STEP_KWH_PER_KW);
	CHECK_INT(step[0].demand, 0);
	CHECK_INT(step[2].demand, EB_NONE);
	CHECK_INT(step[0].step.n, 2);
	CHECK_INT(step[1].step.n, 0);
	CHECK_INT(inside[0].unit, EB_STEP_KWH);
	CHECK_INT(inside[1].up_to, EB_NONE);
	CHECK_INT(inside[1].factor_n, INT64_C(2) * EB_ONE);
	CHECK_INT(inside[1].price, component(tariff, 0)->price);
	CHECK(inside[0].price != component(tariff, 0)->price);
}

int
main(void)
{
	test_kinds();
	test_demands();
	test_losses_and_net();
	test_conditions();
	test_sessions_and_factor();
	test_steps();
	return check_done("tariff_defaults");
}
