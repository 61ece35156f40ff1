/*
 * test_tariff_use.c -- keys that nothing would read, and what every key needs to be read
 */
#include "kit_lint.h"

/* ---------------------------------------------------------------- all is read */

/* Every key of the format, in a tariff without a finding that compiles */
static void
test_whole_format(void)
{
	static const char *const component[] = {
		"{'code':'a','kind':'reactive','price':1}",
		"{'code':'a','kind':'credit','price':1}",
		"{'code':'a','kind':'capacity','price':25,'prorate':'days'}",
		"{'code':'a','kind':'energy','price':1,'lane':'b'}",
		"{'code':'a','kind':'energy','price':1,'vat':13}",
		"{'code':'a','kind':'energy','price':1,'step_wh':100}",
		"{'code':'a','kind':'custom','quantity':'sessions','price':1,'each':{'max':5}}",
		"{'code':'a','kind':'energy','price':1,'when':{'days':['mon']}}",
		"{'code':'a','kind':'energy','quantity':'net_kwh','price':1}",
		"{'code':'a','kind':'energy','tier':{'scope':'day','steps':[{'price':1}]}}",
		"{'code':'a','kind':'energy','tier':{'scope':'year','prorate':'days','steps':[{'price':1}]}"
		"}",
		"{'code':'a','kind':'energy','tier':{'order':'time','steps':[{'price':1}]}}",
		"{'code':'a','kind':'energy','tier':{'steps':[{'up_to':5,'unit':'kwh_per_kva','price':1},"
		"{'price':2}]}}",
		"{'code':'a','kind':'energy','tier':{'steps':[{'steps':[{'price':1}]}]}}",
		"{'code':'a','kind':'fixed','price':1},{'code':'b','kind':'power_factor','table':'cn'}",
		"{'code':'a','kind':'fixed','price':1},{'code':'b','kind':'power_factor','linear':"
		"{'target':0.8,'step':0.01,'percent':0.1,'cap':0.95}}",
		"{'code':'a','kind':'fixed','price':1},{'code':'b','kind':'minimum','amount_incl':5,"
		"'scope':'month'}",
	};
	static const char *const head[] = {
		"'demands':{'m':{}},",
		("'demands':{'m':{'agg':'top_mean','n':3,'distinct':'day','window':60,'ratchet':"
		 "{'lookback':11,'percent':[1,2,3,4,5,6,7,8,9,10,11,12],'months':[6,7]}}},"),
		"'losses':[{'code':'l','kind':'percent','percent':3}],",
		"'net':{'mode':'offset_kwh'},",
		"'series':{'spot':'usage'},",
		"'series':{'spot':[['2026-01-01',1],['2026-02-01T00:00:00+08:00',2]]},",
		"'series':{'spot':{'by':'bill_month','points':[['2026-01-01',1]]}},",
		"'events':{'e':[['2026-01-01T00:00:00+08:00','2026-01-01T01:00:00+08:00']]},",
	};
	EbFault fault;

	for (size_t i = 0; i < sizeof(component) / sizeof(component[0]); i++)
	{
		CHECK_CLEAN(around("", component[i]));
		if (!CHECK(kit_json_tariff(around("", component[i]), &fault) != NULL))
			printf("    %s: %s %s\n", component[i], fault.message, fault.detail);
	}
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
	{
		CHECK_CLEAN(around(head[i], ENERGY));
		if (!CHECK(kit_json_tariff(around(head[i], ENERGY), &fault) != NULL))
			printf("    %s: %s %s\n", head[i], fault.message, fault.detail);
	}
}

/* Sessions have a note each: whoever bills by such a tariff should know. */
static void
test_sessions(void)
{
	static const char *const component[] = {
		"'kind':'session_time','price':1,'when':{'time':['08:00','09:00'],'kw':{'ge':5}}",
		"'kind':'session_time','tier':{'scope':'session','steps':[{'up_to':2,'price':1},{'price':2}]}",
		"'kind':'idle','price':0.5,'per':'minute','step_s':60,'grace_s':900,'cap':30,'lane':'l'",
		"'kind':'reserve_flat','price':2,'when':{'reservation':'expired'}",
	};
	char text[500];
	EbFault fault;

	for (size_t i = 0; i < sizeof(component) / sizeof(component[0]); i++)
	{
		Findings *found;

		snprintf(text, sizeof(text), "{'code':'a',%s}", component[i]);
		found = lint(around("", text));
		CHECK_INT(found->nerrors + found->nwarnings, 0);
		CHECK_INT(found->nnotes, 1);
		CHECK(kit_json_tariff(around("", text), &fault) != NULL);
	}
	CHECK_FIRST(around("", "{'code':'a','kind':'idle','price':1}"),
				"note components[0]: kind \"idle\" prices sessions: it gives no line in a bill");
}

/* ---------------------------------------------------------------- other kinds */

#define KIND(kind, keys) around("", "{'code':'a','kind':'" kind "','price':1," keys "}")

static void
test_kinds(void)
{
	CHECK_CLEAN(KIND("energy", "'lane':'l','step_wh':1,'cap':5"));
	CHECK_FIRST(KIND("energy", "'step_s':1"),
				"error components[0].step_s: is not used by kind \"energy\"");
	CHECK_FIRST(KIND("energy", "'grace_s':1"),
				"error components[0].grace_s: is not used by kind \"energy\"");
	CHECK_FIRST(KIND("energy", "'each':{'min':1}"),
				"error components[0].each: is not used by kind \"energy\"");
	CHECK_FIRST(KIND("idle", "'step_wh':1"),
				"error components[0].step_wh: is not used by kind \"idle\"");
	CHECK_FIRST(KIND("idle", "'offset':true"),
				"error components[0].offset: is not used by kind \"idle\"");
	CHECK_FIRST(KIND("session_flat", "'cap':1"),
				"error components[0].cap: is not used by kind \"session_flat\"");
	CHECK_FIRST(KIND("reserve_flat", "'step_s':1"),
				"error components[0].step_s: is not used by kind \"reserve_flat\"");
	CHECK_FIRST(KIND("fixed", "'lane':'l'"),
				"error components[0].lane: is not used by kind \"fixed\"");
	CHECK_FIRST(KIND("fixed", "'each':{}"),
				"warning components[0].each: is not used: it has neither \"min\" nor \"max\"");
	CHECK_CLEAN(KIND("fixed", "'per':'month','prorate':'months'"));
	CHECK_FIRST(KIND("fixed", "'per':'day','prorate':'days'"),
				"warning components[0].prorate: is not used: days or months are counted already");
	CHECK_FIRST(KIND("fixed", "'quantity':'months','prorate':'days'"),
				"warning components[0].prorate: is not used: days or months are counted already");
	CHECK_FIRST(KIND("fixed", "'quantity':'months','per':'day'"),
				"warning components[0].per: is not used: the quantity says what is counted");
	CHECK_CLEAN(KIND("fixed", "'quantity':'months','per':'month'"));
	CHECK_FIRST(KIND("fixed", "'per':'month','each':{'min':1}"),
				"error components[0].each: is not used: items are not counted by days or months");
	CHECK_FIRST(around("", "{'code':'a','kind':'capacity','prorate':'days','tier':{'steps':["
						   "{'up_to':5,'unit':'unit','price':1},{'price':2}]}}"),
				"error components[0].tier: is not used: what is prorated has one price");
	CHECK_FIRST(around(TOU, "{'code':'a','kind':'energy','schedule':'tou','price':1}"),
				"warning components[0].schedule: is not used: no price reads a period");
	CHECK_CLEAN(around(TOU,
					   "{'code':'a','kind':'energy','schedule':'tou','tier':{'steps':[{'price':"
					   "{'period':{'*':1}}}]}}"));
	CHECK_CLEAN(around(TOU, "{'code':'a','kind':'energy','schedule':'tou','price':1,'period':["
							"'peak']}"));
}

#define LIMIT(keys) around("", ENERGY ",{'code':'m','kind':'minimum'," keys "}")

static void
test_limits(void)
{
	CHECK_CLEAN(LIMIT("'amount':5,'amount_incl':6,'round':{'step':1}"));
	CHECK_CLEAN(LIMIT("'amount':5,'vat':19"));
	CHECK_FIRST(LIMIT("'amount_incl':6,'vat':19"),
				"error components[1].vat: is not used: \"amount_incl\" is with tax");
	CHECK_FIRST(LIMIT("'amount_incl':6,'round':{'step':1}"),
				"error components[1].round: is not used: \"amount_incl\" is not rounded");
	CHECK_FIRST(LIMIT("'amount_incl':6,'factor_if':[{'if':{'months':[1]},'factor':2}]"),
				"error components[1].factor_if: is not used: \"amount_incl\" has no factor");
	CHECK_FIRST(LIMIT("'amount_incl':6,'scope':'year'"),
				"error components[1].amount_incl: a yearly minimum or maximum has no amount with "
				"tax");
}

/* ---------------------------------------------------------------- losses, net, demands */

#define LOSS(keys) around("'losses':[{'code':'l'," keys "}],", ENERGY)
#define NET(net) around("'net':{" net "},", ENERGY)
#define CREDIT "{'code':'x','kind':'credit','price':1}"

static void
test_measures(void)
{
	CHECK_CLEAN(LOSS("'kind':'percent','percent':3,'sign':-1,'cap_pct':5"));
	CHECK_FIRST(LOSS("'kind':'factor','factor':0.98,'sign':-1"),
				"error losses[0].sign: is not used by kind \"factor\"");
	CHECK_FIRST(LOSS("'kind':'factor','factor':0.98,'cap_pct':1"),
				"error losses[0].cap_pct: is not used by kind \"factor\"");
	CHECK_FIRST(LOSS("'kind':'percent','percent':3,'hours':720"),
				"error losses[0].hours: is not used by kind \"percent\"");
	CHECK_CLEAN(NET("'mode':'rollover_kwh','settle_month':4,'expire':true"));
	CHECK_CLEAN(NET("'mode':'rollover_kwh','settle_month':4,'settle':'pay','true_up_price':1"));
	CHECK_CLEAN(NET("'mode':'offset_kwh','excess':'pay','true_up_price':1"));
	CHECK_FIRST(NET("'settle_month':4"), "error net.settle_month: is not used by mode \"none\"");
	CHECK_FIRST(NET("'mode':'billing','expire':true"),
				"error net.expire: is not used by mode \"billing\"");
	CHECK_FIRST(NET("'mode':'buy_all_sell_all','settle':'carry'"),
				"error net.settle: is not used by mode \"buy_all_sell_all\"");
	CHECK_FIRST(NET("'mode':'rollover_money','true_up_price':1"),
				"error net.true_up_price: is not used by mode \"rollover_money\"");
	CHECK_FIRST(NET("'mode':'rollover_kwh','settle':'carry','expire':true"),
				"warning net.settle: is not used: \"expire\" leaves nothing to pay");
	CHECK_FIRST(NET("'mode':'offset_kwh','true_up_price':1,'expire':true"),
				"warning net.true_up_price: is not used: \"expire\" leaves nothing to pay");
	CHECK_FIRST(NET("'mode':'rollover_money','settle':'carry','settle_month':4"),
				"warning net.settle_month: is not used: \"settle\" is \"carry\"");
	CHECK_FIRST(NET("'mode':'offset_kwh','excess':'pay','settle_month':4"),
				"warning net.settle_month: is not used: \"excess\" leaves nothing to settle");
	CHECK_FIRST(NET("'mode':'offset_kwh','excess':'lost','true_up_price':1"),
				"warning net.true_up_price: is not used: \"excess\" leaves nothing to settle");
	CHECK_FIRST(around("", "{'code':'a','kind':'energy','price':1,'offset':false}"),
				"warning components[0].offset: is not used: \"net\" keeps no account");
	CHECK_CLEAN(around("'net':{'mode':'offset_kwh'},",
					   "{'code':'a','kind':'energy','price':1,'offset':false}"));
	CHECK_FIRST(
		around("'net':{'mode':'rollover_kwh'},", ENERGY "," CREDIT),
		"warning components[1].offset: the net mode leaves no export to a credit that takes "
		"part");
	CHECK_CLEAN(around("'net':{'mode':'offset_kwh'},",
					   ENERGY ",{'code':'x','kind':'credit','price':1,'offset':false}"));
	CHECK_FIRST(around(TOU "'demands':{'m':{'schedule':'tou'}},", ENERGY),
				"warning demands.m.schedule: is not used: all periods count");
}

/* ---------------------------------------------------------------- rules */

#define RULE(rule) around("'schedules':{'t':[{'period':'a'," rule "},{'period':'b'}]},", ENERGY)

static void
test_anchor(void)
{
	CHECK_CLEAN(RULE("'anchor':'start','spans':[['08:00','09:00'],['22:00','06:00']]"));
	CHECK_CLEAN(RULE("'anchor':'instant','spans':[['08:00','09:00']]"));
	CHECK_FIRST(RULE("'anchor':'start','spans':[['22:00','24:00'],['20:00','00:00']]"),
				"warning schedules.t[0].anchor: is not used: no span goes on after midnight");
	CHECK_FIRST(RULE("'anchor':'start','months':[1]"),
				"warning schedules.t[0].anchor: is not used: no span goes on after midnight");
}

/* ---------------------------------------------------------------- what 0.1.0 took */

/*
 * Version 0.1.0 took these, and definitions outlive versions: they are read anew with every new
 * binary form. What changes nothing may be a warning, never an error.
 */
static void
test_former(void)
{
	static const char *const component[] = {
		"{'code':'a','kind':'energy','price':1,'each':{}}",
		"{'code':'a','kind':'fixed','price':1,'lane':'a'}",
		"{'code':'a','kind':'custom','quantity':'meters','price':1,'lane':'a','each':{}}",
		"{'code':'a','kind':'fixed','price':1},{'code':'b','kind':'percent','percent':1,'lane':'b',"
		"'each':{},'vat':0,'offset':true}",
		"{'code':'a','kind':'fixed','price':1},{'code':'b','kind':'minimum','amount':1,'lane':'b'}",
		"{'code':'a','kind':'fixed','price':1,'per':'day','prorate':'days','each':{}}",
		"{'code':'a','kind':'fixed','price':1,'quantity':'months','per':'day','prorate':'months'}",
		"{'code':'a','kind':'custom','quantity':'import_kwh','price':1,'tier':{'order':'per_period'"
		",'steps':[{'up_to':5},{'price':2}]}}",
	};
	static const char *const head[] = {
		"'net':{},",
		"'net':{'settle_month':12},",
		("'net':{'mode':'none','settle':'pay','expire':false,'same_month':false,'match':'period',"
		 "'excess':'carry','true_up_price':'0.0'},"),
		"'events':{},'series':{},'demands':{},'losses':[],",
	};
	EbFault fault;

	for (size_t i = 0; i < sizeof(component) / sizeof(component[0]); i++)
	{
		CHECK_INT(lint(around(TOU, component[i]))->nerrors, 0);
		if (!CHECK(kit_json_tariff(around(TOU, component[i]), &fault) != NULL))
			printf("    %s: %s\n", component[i], fault.detail);
	}
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
	{
		CHECK_INT(lint(around(head[i], ENERGY))->nerrors, 0);
		CHECK(kit_json_tariff(around(head[i], ENERGY), &fault) != NULL);
	}
	CHECK_FIRST(around("", component[1]),
				"warning components[0].lane: is not used by kind \"fixed\"");
	CHECK_FIRST(around("", "{'code':'a','kind':'fixed','price':1,'each':{'min':1},'lane':'b'}"),
				"error components[0].lane: is not used by kind \"fixed\"");
	CHECK_FIRST(around(head[1], ENERGY), "warning net.settle_month: is not used by mode \"none\"");
}

/* ---------------------------------------------------------------- tiers */

#define TIER(keys, steps) only("'tier':{" keys ",'steps':[" steps "]}")
#define OF(kind, keys, tier) \
	around("'demands':{'d':{}},", "{'code':'a','kind':'" kind "'," keys "'tier':{" tier "}}")

static void
test_tiers(void)
{
	CHECK_FIRST(TIER("'nominal_days':31", "{'price':1}"),
				"warning components[0].tier.nominal_days: is not used: \"prorate\" is not "
				"\"days\"");
	CHECK_CLEAN(TIER("'nominal_days':31,'prorate':'days'", "{'price':1}"));
	CHECK_FIRST(TIER("'flat_at_zero':false", "{'price':1}"),
				"warning components[0].tier.flat_at_zero: is not used: no step has a \"flat\"");
	CHECK_CLEAN(TIER("'flat_at_zero':false", "{'price':1,'flat':2}"));
	CHECK_CLEAN(TIER("'flat_at_zero':false", "{'steps':[{'price':1,'flat':2}]}"));
	CHECK_FIRST(TIER("'scope':'day','split':'start'", "{'price':1}"),
				"warning components[0].tier.split: is not used: the scope is not cut");
	CHECK_FIRST(TIER("'scope':'bill'", "{'up_to':5,'flat':3,'steps':[{'price':1}]},{'price':1}"),
				"warning components[0].tier.steps[0].flat: is not used: the steps inside have "
				"theirs");
	CHECK_FIRST(TIER("'scope':'bill'", "{'up_to':5,'factor':3,'steps':[{'price':1}]},{'price':1}"),
				"warning components[0].tier.steps[0].factor: is not used: the steps inside have "
				"theirs");
	CHECK_FIRST(OF("demand", "'demand':'d',", "'scope':'month','steps':[{'price':1}]"),
				"error components[0].tier.scope: is not used: \"per\" of the demand says how often "
				"it is due");
	CHECK_FIRST(OF("demand", "'demand':'d',", "'order':'per_period','steps':[{'price':1}]"),
				"error components[0]: needs a schedule, the tariff has none");
	CHECK_FIRST(OF("demand", "'demand':'d',", "'order':'time','steps':[{'price':1}]"),
				"error components[0].tier.order: kind \"demand\" has no periods and no time");
	CHECK_FIRST(OF("custom", "'quantity':'meters',", "'scope':'interval','steps':[{'price':1}]"),
				"error components[0].tier.scope: kind \"custom\" has no intervals");
	CHECK_FIRST(OF("credit", "", "'scope':'session','steps':[{'price':1}]"),
				"error components[0].tier.scope: kind \"credit\" is not of sessions");
}

static void
test_short_scopes(void)
{
#define ADD(per) "'allowance':[{'attr':'p','at_least':5,'add':9" per "}]"
	CHECK_FIRST(TIER("'scope':'day','prorate':'months'", "{'price':1}"),
				"error components[0].tier.prorate: a tier per day or interval does not count by "
				"months");
	CHECK_CLEAN(TIER("'scope':'day','prorate':'days'", "{'price':1}"));
	CHECK_FIRST(TIER("'scope':'interval','prorate':'days'", "{'price':1}"),
				"error components[0].tier.prorate: a tier per interval does not count by days");
	CHECK_FIRST(
		TIER("'scope':'interval'", "{'up_to':5,'unit':'kwh_per_day','price':1},{'price':1}"),
		"error components[0].tier.steps: a tier per interval does not count by days");
	CHECK_CLEAN(TIER("'scope':'day'", "{'up_to':5,'unit':'kwh_per_day','price':1},{'price':1}"));
	CHECK_FIRST(
		TIER("'scope':'day'," ADD(""), "{'up_to':5,'price':1},{'price':1}"),
		"error components[0].tier.allowance[0]: a tier per day or interval does not count by "
		"months: \"per\" \"scope\"");
	CHECK_CLEAN(TIER("'scope':'day'," ADD(",'per':'scope'"), "{'up_to':5,'price':1},{'price':1}"));
	CHECK_CLEAN(
		TIER("'scope':'day','prorate':'days'," ADD(""), "{'up_to':5,'price':1},{'price':1}"));
	CHECK_CLEAN(TIER("'scope':'month'," ADD(""), "{'up_to':5,'price':1},{'price':1}"));
}

static void
test_session_tiers(void)
{
	CHECK_CLEAN(TIER("'scope':'session'", "{'up_to':5,'price':1},{'price':1}"));
	CHECK_INT(lint(KIND("idle", "'tier':{'steps':[{'price':1}]}"))->nerrors, 1);
	CHECK(strstr(lint(KIND("idle", "'tier':{'steps':[{'price':1}]}"))->all,
				 "error components[0].tier: kind \"idle\" needs the scope \"session\"") != NULL);
	CHECK_FIRST(TIER("'scope':'session','prorate':'days'", "{'price':1}"),
				"error components[0].tier.prorate: is not used: a session has no days or months");
	CHECK_FIRST(
		TIER("'scope':'session'," ADD(",'per':'scope'"), "{'up_to':5,'price':1},{'price':1}"),
		"error components[0].tier.allowance: is not used: it is for bills");
	CHECK_FIRST(TIER("'scope':'session','mode':'volume','by':'meters'", "{'price':1}"),
				"error components[0].tier.by: is not used: a session counts what is priced");
	CHECK_FIRST(TIER("'scope':'session'", "{'steps':[{'price':1}]}"),
				"error components[0].tier.steps: a session has no steps inside of steps");
	CHECK_FIRST(
		TIER("'scope':'session'", "{'up_to':5,'unit':'kwh_per_kva','price':1},{'price':1}"),
		"error components[0].tier.steps: a session has no contract and no days: the unit is "
		"for bills");
}

/* ---------------------------------------------------------------- many findings */

static void
test_many_findings(void)
{
	char text[30000] = "'values':{";
	int n = 0;

	for (int i = 0; i < 150; i++)
	{
		char value[40];

		snprintf(value, sizeof(value), "%s'v%03d':{'ref':'x'}", i > 0 ? "," : "", i);
		strncat(text, value, sizeof(text) - strlen(text) - 1);
	}
	strncat(text, "},", sizeof(text) - strlen(text) - 1);
	lint(around(text, ENERGY));
	for (const char *at = lint(around(text, ENERGY))->all; (at = strchr(at, '\n')) != NULL; at++)
		n++;
	CHECK_INT(n, EB_LINT_MAX_FINDINGS + 1);
	CHECK(strstr(lint(around(text, ENERGY))->all, "note : there are more findings") != NULL);
}

/* Behind more warnings than are shown an error is still told, and refuses the tariff. */
static void
test_error_behind_warnings(void)
{
	char head[8000] = "'schedules':{'t':[{'period':'a'}";
	const char *faulty = "{'code':'a','kind':'custom','price':1}";
	Findings *found;
	EbFault fault;

	for (int i = 0; i < EB_LINT_MAX_FINDINGS + 50; i++)
		strncat(head, ",{'period':'b'}", sizeof(head) - strlen(head) - 1);
	strncat(head, "]},", sizeof(head) - strlen(head) - 1);
	found = lint(around(head, faulty));
	CHECK_INT(found->nwarnings, EB_LINT_MAX_FINDINGS);
	CHECK_INT(found->nerrors, 1);
	CHECK(strstr(found->all, "error components[0]: \"quantity\" is missing") != NULL);
	CHECK(kit_json_tariff(around(head, faulty), &fault) == NULL);
	CHECK_STR(fault.detail, "components[0]: \"quantity\" is missing");
}

int
main(void)
{
	test_whole_format();
	test_sessions();
	test_kinds();
	test_limits();
	test_measures();
	test_anchor();
	test_former();
	test_tiers();
	test_short_scopes();
	test_session_tiers();
	test_many_findings();
	test_error_behind_warnings();
	return check_done("tariff_use");
}
