/*
 * test_tariff_measure.c -- lint of what is measured, of sessions, and of tariffs that change
 */
#include "kit_lint.h"

#define D(demand) around("'demands':{'m':{" demand "}},", ENERGY)

static void
test_demands(void)
{
	CHECK_CLEAN(D("'window':30,'slide':15"));
	CHECK_CLEAN(D("'agg':'top_mean','n':3,'distinct':'day'"));
	CHECK_FIRST(D("'window':25"), "error demands.m: \"window\" must divide a day of 1440 minutes");
	CHECK_FIRST(D("'window':15,'slide':30"), "error demands.m: \"slide\" is above \"window\"");
	CHECK_FIRST(D("'window':30,'slide':20"), "error demands.m: \"slide\" must divide \"window\"");
	CHECK_FIRST(D("'slide':4"), "error demands.m: \"slide\" must divide \"window\"");
	CHECK_FIRST(D("'n':3"), "error demands.m: \"n\" and \"distinct\" belong to \"top_mean\"");
	CHECK_FIRST(D("'months':[7,7]"), "error demands.m.months[1]: month 7 is given twice");
	CHECK_FIRST(D("'floor_kw':5,'cap_kw':4"), "error demands.m: \"floor_kw\" is above \"cap_kw\"");
	CHECK_FIRST(D("'period':['peak']"),
				"error demands.m.period[0]: it is not clear which schedule has period \"peak\"");
	CHECK_FIRST(D("'season':['s']"), "error demands.m.season[0]: there is no season \"s\"");
	CHECK_FIRST(D("'event':'e'"), "error demands.m.event: there is no event \"e\"");
	CHECK_FIRST(D("'ratchet':{'lookback':11,'percent':[1,2]}"),
				"error demands.m.ratchet.percent: has 2 elements, needs 12");
	CHECK_FIRST(around("", "{'code':'d','kind':'demand','price':1}"),
				"error components[0]: \"demand\" is missing");
	CHECK_FIRST(around("", "{'code':'d','kind':'demand','price':1,'demand':'m'}"),
				"error components[0].demand: there is no demand \"m\"");
}

#define L(loss) around("'losses':[{'code':'l'," loss "}],", ENERGY)

static void
test_losses(void)
{
	CHECK_CLEAN(L("'kind':'factor','factor':1.02"));
	CHECK_CLEAN(L("'kind':'constant','kva':'attr:contract_kva','factor':0.01,'hours':720"));
	CHECK_CLEAN(L("'kind':'copper','kva':'attr:contract_kva','load_kw':4.3,'k':1.05,'cap_pct':9"));
	CHECK_FIRST(L("'kind':'constant','kva':'attr:contract_kva'"),
				"error losses[0]: \"factor\" is missing");
	CHECK_FIRST(L("'kind':'percent','percent':3,'kva':'attr:contract_kva'"),
				"error losses[0].kva: is not used by kind \"percent\"");
	CHECK_FIRST(L("'kind':'percent','percent':-3"),
				"error losses[0].percent: must not be negative");
	CHECK_FIRST(L("'kind':'percent','percent':3,'sign':0"),
				"error losses[0]: \"sign\" must be 1 or -1");
	CHECK_FIRST(L("'kind':'iron'"),
				"error losses[0].kind: \"iron\" is not \"percent\", \"factor\", \"constant\" or "
				"\"copper\"");
}

#define CREDIT "{'code':'x','kind':'credit','price':1}"

static void
test_net(void)
{
	CHECK_CLEAN(around("'net':{'mode':'billing_carry','same_month':true},", ENERGY "," CREDIT));
	CHECK_FIRST(around("'net':{'mode':'billing'},", ENERGY),
				"warning net: no component of kind \"credit\" gives export a price");
	CHECK_FIRST(around("'net':{'mode':'rollover_kwh','order':['a']},", ENERGY),
				"error net.order: is not used by mode \"rollover_kwh\"");
	CHECK_FIRST(around("'net':{'mode':'offset_kwh','order':['a']},", ENERGY),
				"error net.order[0]: no schedule has a period \"a\"");
	CHECK_FIRST(around(TOU "'net':{'mode':'offset_kwh','order':['peak','peak']},", ENERGY),
				"error net.order[1]: \"peak\" is given twice");
	CHECK_FIRST(around("'net':{'mode':'offset_kwh','settle_month':0},", ENERGY),
				"error net.settle_month: must be a month from 1 to 12");
	CHECK_FIRST(around("'net':{'mode':'offset_kwh','settle_month':13},", ENERGY),
				"error net.settle_month: must be a month from 1 to 12");
}

static void
test_series_and_events(void)
{
	CHECK_FIRST(around("'series':{'a':'usage','b':'usage'},", ENERGY),
				"error series.b: another series is \"usage\" already");
	CHECK_FIRST(around("'series':{'a':'day-ahead'},", ENERGY),
				"note series.a: the points of series \"day-ahead\" are filled in by tariff_for()");
	CHECK_FIRST(around("'series':{'a':[]},", ENERGY), "error series.a: must not be empty");
	CHECK_FIRST(around("'series':{'a':[['2026-01-01',1],['2026-01-01',2]]},", ENERGY),
				"error series.a[1]: is not after the point before it");
	CHECK_FIRST(around("'series':{'a':{'by':'week','points':[['2026-01-01',1]]}},", ENERGY),
				"error series.a.by: \"week\" is not \"instant\" or \"bill_month\"");
	/* midnight of Shanghai is the evening before in Greenwich: only the zone can compare them */
	CHECK_CLEAN(
		around("'series':{'a':[['2026-01-01',1],['2026-01-01T01:00:00+08:00',2]]},", ENERGY));
	CHECK_FIRST(around("'series':{'a':[['2026-01-01',1]]},",
					   "{'code':'e','kind':'energy','price':{'series':'b'}}"),
				"error components[0].price.series: there is no series \"b\"");
	CHECK_FIRST(around("'events':{'e':[['2026-01-01','2026-01-01']]},", ENERGY),
				"error events.e[0]: the range ends before it begins");
	CHECK_FIRST(
		around("'events':{'e':[['2026-01-01','2026-01-03'],['2026-01-02','2026-01-04']]},", ENERGY),
		"error events.e[1]: begins before the range before it ends");
	CHECK_FIRST(around("'events':{'e':[['2026-01-01',null]]},", ENERGY),
				"error events.e[0][1]: must be an instant \"YYYY-MM-DDTHH:MM:SS+HH:MM\"");
	CHECK_FIRST(around("'schedules':{'s':[{'period':'a','event':'e'},{'period':'b'}]},", ENERGY),
				"error schedules.s[0].event: there is no event \"e\"");
	/* an event comes and goes: it covers no minute for sure, nor does it take one away */
	CHECK_FIRST(
		around("'events':{'e':[['2026-01-01','2026-01-02']]},'schedules':{'s':[{'period':"
			   "'a','event':'e'}]},",
			   ENERGY),
		"error schedules.s: no rule covers 00:00 to 24:00, for example on 2020-01-01 (wed)");
}

#define PF(keys) around("", ENERGY ",{'code':'f','kind':'power_factor'," keys "}")

static void
test_power_factor(void)
{
	CHECK_CLEAN(PF("'table':[[0.95,-0.5],[0.9,0],[0,5]]"));
	CHECK_FIRST(PF("'table':'cn_0.95'"),
				"error components[1].table: \"cn_0.95\" is not the name of a power factor table");
	CHECK_FIRST(PF("'table':[[0.9,-0.5],[0.95,0]]"),
				"error components[1].table[1]: is not below the power factor of the row before");
	CHECK_FIRST(PF("'table':[[0.9,-0.5],[0.9,0]]"),
				"error components[1].table[1]: is not below the power factor of the row before");
	CHECK_FIRST(PF("'table':[[1.1,-0.5]]"),
				"error components[1].table[0]: a power factor is not above 1");
	CHECK_FIRST(PF("'linear':{'target':1.2,'step':0.01,'percent':1}"),
				"error components[1].linear: \"target\" is above 1");
	CHECK_FIRST(PF("'linear':{'target':0.8,'step':0.01,'percent':1,'cap':0.7}"),
				"error components[1].linear: \"cap\" is below \"target\"");
	CHECK_FIRST(PF("'linear':{'target':0.8,'step':0,'percent':1}"),
				"error components[1].linear.step: must be above 0");
	CHECK_FIRST(PF("'table':'cn','linear':{'target':0.8,'step':0.01,'percent':1}"),
				"error components[1]: must not have both \"table\" and \"linear\"");
}

static void
test_sessions(void)
{
	CHECK_FIRST(around("", "{'code':'b','kind':'fixed','price':1,'when':{'kw':{'ge':5}}}"),
				"error components[0].when.kw: belongs to components of charging sessions");
	CHECK_FIRST(
		around("", "{'code':'b','kind':'custom','quantity':'meters','price':1,'factor_if':[{"
				   "'if':{'reservation':'held'},'factor':2}]}"),
		"error components[0].factor_if[0].if.reservation: belongs to components of charging "
		"sessions");
	CHECK_CLEAN(only("'price':1,'when':{'kw':{'ge':5}}"));
	CHECK_FIRST(only("'price':1,'when':{'time':['08:00','08:00']}"),
				"error components[0].when.time: the span has no minute");
	CHECK_FIRST(only("'price':1,'when':{'time':['24:00','08:00']}"),
				"error components[0].when.time: a span cannot begin at 24:00");
	CHECK_FIRST(only("'price':1,'when':{'kwh':{'ge':5,'lt':5}}"),
				"error components[0].when.kwh: no number lies in the range");
	CHECK_FIRST(only("'price':1,'step_wh':0.0001"),
				"error components[0].step_wh: has more than 3 decimals");
	CHECK_FIRST(only("'price':1,'step_wh':100000001"),
				"error components[0].step_wh: must not be above 100000000");
	CHECK_FIRST(around("", "{'code':'b','kind':'idle','price':1,'per':'kwh'}"),
				"error components[0].per: \"kwh\" does not fit kind \"idle\"");
	CHECK_FIRST(around("", "{'code':'b','kind':'session_flat','price':1,'period':['a']}"),
				"error components[0].period: is not used by kind \"session_flat\"");
	CHECK_FIRST(
		around("", "{'code':'a','kind':'energy','price':1,'lane':'l'},{'code':'b','kind':"
				   "'energy','price':2,'lane':'l'}"),
		"warning components[1].lane: never applies: component \"a\" of the lane comes first");
	CHECK_INT(
		lint(around("",
					"{'code':'a','kind':'energy','price':1,'lane':'l','when':{'kw':{'ge':5}}},"
					"{'code':'b','kind':'energy','price':2,'lane':'l'},{'code':'c','kind':'idle',"
					"'price':2,'lane':'l'}"))
			->nwarnings,
		0);
	CHECK_FIRST(around("", "{'code':'b','kind':'fixed','price':1,'each':{'min':2,'max':1}}"),
				"error components[0].each: \"min\" is above \"max\"");
}

#define STEPS(steps) only("'tier':{'steps':[" steps "]}")

static void
test_steps(void)
{
	char text[8000];
	int n = snprintf(text, sizeof(text), "'tier':{'steps':[");

	CHECK_FIRST(STEPS("{'up_to':200,'unit':'kwh_per_kw','price':1},{'price':2}"),
				"error components[0].tier.steps[0]: counts by kW, the tariff has no demand");
	CHECK_FIRST(around("'demands':{'a':{},'b':{}},",
					   "{'code':'e','kind':'energy','tier':{'steps':[{'up_to':200,'unit':"
					   "'kwh_per_kw_day','price':1},{'price':2}]}}"),
				"error components[0].tier.steps[0]: needs \"demand\", the tariff has several");
	CHECK_FIRST(STEPS("{'up_to':200,'demand':'a','price':1},{'price':2}"),
				"error components[0].tier.steps[0].demand: there is no demand \"a\"");
	CHECK_FIRST(around("'demands':{'a':{}},",
					   "{'code':'e','kind':'energy','tier':{'steps':[{'up_to'"
					   ":200,'demand':'a','price':1},{'price':2}]}}"),
				"error components[0].tier.steps[0].demand: belongs to the units \"kwh_per_kw\" and "
				"\"kwh_per_kw_day\"");
	CHECK_CLEAN(STEPS("{'up_to':200,'steps':[{'up_to':50,'price':1},{'price':2}]},{'price':2}"));
	CHECK_FIRST(STEPS("{'up_to':200,'price':9,'steps':[{'price':2}]},{'price':2}"),
				"warning components[0].tier.steps[0].price: is not used: the steps inside have "
				"theirs");
	CHECK_FIRST(STEPS("{'up_to':200,'steps':[{'up_to':50,'price':1},{'up_to':40,'price':1},{'price'"
					  ":2}]},{'price':2}"),
				"error components[0].tier.steps[0].steps[1].up_to: is not above the bound of the "
				"step before");
	CHECK_FIRST(STEPS("{'steps':[{'steps':[{'price':1}]}]}"),
				"error components[0].tier.steps[0].steps[0].steps: unknown key");
	CHECK_FIRST(only("'tier':{'mode':'volume','order':'time','steps':[{'price':1}]}"),
				"warning components[0].tier: mode \"volume\" has one price for all: the order says "
				"nothing");
	for (int i = 0; i < 9; i++)
	{
		n += snprintf(text + n, sizeof(text) - (size_t) n, "{'up_to':%d,'steps':[", i + 1);
		for (int j = 0; j < 7; j++)
			n += snprintf(text + n, sizeof(text) - (size_t) n, "{'up_to':%d,'price':1},", j + 1);
		n += snprintf(text + n, sizeof(text) - (size_t) n, "{'price':1}]},");
	}
	snprintf(text + n, sizeof(text) - (size_t) n, "{'price':1}]}");
	CHECK_FIRST(only(text), "error components[0].tier: has 73 steps with those inside, at most 64 "
							"are allowed");
}

#define V(n, from, to, rest)                                                                    \
	"{'version':" #n ",'valid':[" from "," to "],'tariff':{'elecbill':1,'currency':'CNY'," rest \
	"'components':[{'code':'e','kind':'energy','price':1}]}}"
#define VERSIONS(list) "{'elecbill':1,'versions':[" list "]}"

static void
test_versions(void)
{
	CHECK_CLEAN(VERSIONS(V(1, "null", "'2026-01-01'", "") "," V(2, "'2026-01-01'", "null", "")));
	CHECK_CLEAN("{'elecbill':1,'versions':[{'version':1,'tariff':{'elecbill':1,'currency':'CNY',"
				"'components':[{'code':'e','kind':'energy','price':1}]}}]}");
	CHECK_FIRST(
		VERSIONS(V(1, "'2025-01-01'", "'2026-01-01'", "") "," V(2, "'2026-01-02'", "null", "")),
		"error versions[1].valid: leaves a gap after the version before it");
	CHECK_FIRST(
		VERSIONS(V(1, "'2025-01-01'", "'2026-01-01'", "") "," V(2, "'2025-12-31'", "null", "")),
		"error versions[1].valid: overlaps with the version before it");
	CHECK_FIRST(VERSIONS(V(1, "'2025-01-01'", "null", "") "," V(2, "'2026-01-01'", "null", "")),
				"error versions[1].valid: overlaps with the version before it");
	CHECK_FIRST(VERSIONS(V(1, "null", "'2026-01-01'",
						   "'zone':'Asia/Shanghai',") "," V(2, "'2026-01-01'", "null", "")),
				"error versions[1].tariff.zone: is not that of the first version");
	CHECK_CLEAN(VERSIONS(V(1, "null", "'2026-01-01'",
						   "'zone':'UTC','minor_unit':2,") "," V(2, "'2026-01-01'", "null", "")));
	CHECK_FIRST(VERSIONS(V(1, "null", "'2026-01-01'", "'code':'a',") "," V(2, "'2026-01-01'",
																		   "null", "'code':'b',")),
				"error versions[1].tariff.code: is not that of the first version");
	CHECK_FIRST(VERSIONS(V(0, "null", "'2026-01-01'", "")),
				"error versions[0].version: must be a number from 1 on");
	CHECK_FIRST(VERSIONS(""), "error versions: must not be empty");
	CHECK_FIRST("{'elecbill':1,'versions':5}", "error versions: must be a list of versions");
	/* faults inside keep their path; names are looked up in the version */
	CHECK_FIRST(VERSIONS(V(1, "null", "'2026-01-01'",
						   "'values':{'a':1},") "," V(2, "'2026-01-01'", "null", "'colour':1,")),
				"error versions[1].tariff.colour: unknown key");
	CHECK_FIRST("{'elecbill':1,'versions':[{'version':1,'tariff':{'elecbill':1,'currency':'CNY',"
				"'components':[{'code':'e','kind':'energy','price':{'ref':'v'}}]}}]}",
				"error versions[0].tariff.components[0].price.ref: there is no value \"v\"");
	CHECK_FIRST("{'elecbill':1,'versions':[{'version':1,'tariff':{'elecbill':1,'versions':[]}}]}",
				"error versions[0].tariff.versions: unknown key");
}

int
main(void)
{
	test_demands();
	test_losses();
	test_net();
	test_series_and_events();
	test_power_factor();
	test_sessions();
	test_steps();
	test_versions();
	return check_done("tariff_measure");
}
