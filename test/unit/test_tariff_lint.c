/*
 * test_tariff_lint.c -- every fault lint names, with its path: src/rating/tariff_lint*.c
 */
#include "kit_lint.h"

/* ---------------------------------------------------------------- keys and types */

static void
test_types(void)
{
	CHECK_CLEAN(around("", ENERGY));
	CHECK_FIRST("[]", "error : must be an object");
	CHECK_FIRST("1", "error : must be an object");
	CHECK_INT(lint("{}")->nerrors, 3);
	CHECK_FIRST(around("'colour':1,", ENERGY), "error colour: unknown key");
	CHECK_FIRST(around("'a b':1,", ENERGY), "error [\"a b\"]: unknown key");
	CHECK_FIRST(around("'code':5,", ENERGY), "error code: must be a text");
	CHECK_FIRST(around("'code':null,", ENERGY), "error code: must be a text");
	CHECK_FIRST(around("'code':'',", ENERGY), "error code: must not be empty");
	CHECK_FIRST(around("'code':'a\tb',", ENERGY), "error code: must not hold a control character");
	CHECK_FIRST("{'elecbill':2,'currency':'CNY','components':[" ENERGY "]}",
				"error elecbill: must be 1, the version of the format");
	CHECK_FIRST("{'elecbill':'1','currency':'CNY','components':[" ENERGY "]}",
				"error elecbill: must be 1, the version of the format");
	CHECK_FIRST("{'elecbill':1,'currency':'cny','components':[" ENERGY "]}",
				"error currency: must be a currency of three capital letters");
	CHECK_FIRST("{'elecbill':1,'currency':'YUAN','components':[" ENERGY "]}",
				"error currency: must be a currency of three capital letters");
	CHECK_FIRST("{'elecbill':1,'currency':'CNY','components':[]}",
				"error components: must not be empty");
	CHECK_FIRST(around("'minor_unit':7,", ENERGY),
				"error minor_unit: must be a number of decimals from 0 to 6");
	CHECK_CLEAN(around("'minor_unit':0,", ENERGY));
	CHECK_FIRST(around("'month_day':29,", ENERGY),
				"error month_day: must be a day of the month from 1 to 28");
	CHECK_FIRST(around("'month_day':0,", ENERGY),
				"error month_day: must be a day of the month from 1 to 28");
	CHECK_FIRST(around("'month_day':1.5,", ENERGY),
				"error month_day: must be a day of the month from 1 to 28");
	CHECK_FIRST(around("'year_start':'02-30',", ENERGY),
				"error year_start: must be a day \"MM-DD\"");
	CHECK_FIRST(around("'code':'a','code':'b',", ENERGY), "error code: key is given twice");
	CHECK_FIRST(around("'name':{},", ENERGY), "error name: must not be empty");
	CHECK_FIRST(around("'name':['a'],", ENERGY),
				"error name: must be a text or a text per language");
	CHECK_CLEAN(around("'name':{'en':'a','zh':'b'},", ENERGY));
	CHECK_FIRST(around("'round':{'line':{'step':0}},", ENERGY),
				"error round.line.step: must be above 0");
	CHECK_FIRST(around("'round':{'line':{'mode':'up'}},", ENERGY),
				"error round.line: \"step\" is missing");
	CHECK_FIRST(around("'round':{'total':{'step':1,'mode':'sideways'}},", ENERGY),
				"error round.total.mode: \"sideways\" is not a rounding mode");
	CHECK_CLEAN(around("'round':{'line':null,'total':{'step':1,'mode':'floor'}},", ENERGY));
}

static void
test_numbers(void)
{
	CHECK_CLEAN(only("'price':0.123456789"));
	CHECK_CLEAN(only("'price':'0.5'"));
	CHECK_CLEAN(only("'price':-0.1"));
	CHECK_FIRST(only("'price':0.1234567891"),
				"error components[0].price: has more than 9 decimals");
	CHECK_FIRST(only("'price':1e131071"), "error components[0].price: is too large");
	CHECK_FIRST(only("'price':1e-131071"), "error components[0].price: has more than 9 decimals");
	CHECK_FIRST(only("'price':9223372036.9"), "error components[0].price: is too large");
	CHECK_CLEAN(only("'price':9223372036.8"));
	CHECK_FIRST(only("'price':'NaN'"), "error components[0].price: must be a decimal number");
	CHECK_FIRST(only("'price':'Infinity'"), "error components[0].price: must be a decimal number");
	CHECK_FIRST(only("'price':'0x10'"), "error components[0].price: must be a decimal number");
	CHECK_FIRST(only("'price':''"), "error components[0].price: must be a decimal number");
	CHECK_FIRST(only("'price':true"), "error components[0].price: must be a decimal number");
	CHECK_FIRST(only("'price':null"),
				"error components[0].price: must be a decimal number or a price object");
	CHECK_FIRST(only("'tier':{'steps':[{'up_to':1.1234567,'price':1},{'price':2}]}"),
				"error components[0].tier.steps[0].up_to: has more than 6 decimals");
	CHECK_CLEAN(only("'tier':{'steps':[{'up_to':1.123456,'price':1},{'price':2}]}"));
	CHECK_FIRST(only("'tier':{'mode':'package','size':0},'price':1"),
				"error components[0].tier.size: must be above 0");
	CHECK_FIRST(only("'tier':{'mode':'package','size':5,'free':-1},'price':1"),
				"error components[0].tier.free: must not be negative");
}

/* Deeper than the limit: said once, and not walked into. */
static void
test_depth(void)
{
	char text[8000] = "'price':";
	int n = 60;

	for (int i = 0; i < n; i++)
		strncat(text, "{'season':{'*':", sizeof(text) - strlen(text) - 1);
	strncat(text, "1", sizeof(text) - strlen(text) - 1);
	for (int i = 0; i < n; i++)
		strncat(text, "}}", sizeof(text) - strlen(text) - 1);
	CHECK(strstr(lint(only(text))->first, "is nested deeper than 32 levels") != NULL);
	CHECK(lint(only(text))->nerrors <= 2);
	/* in a bound, which is walked a second time; by names as long as they may be */
	snprintf(text, sizeof(text), "'tier':{'steps':[{'price':1,'up_to':");
	for (int i = 0; i < 30; i++)
		strncat(text,
				"{'attr':'a','of':{'12345678901234567890123456789012345678901234567890"
				"1234567890123456789012345678901234567890':",
				sizeof(text) - strlen(text) - 1);
	strncat(text, "-1", sizeof(text) - strlen(text) - 1);
	for (int i = 0; i < 30; i++)
		strncat(text, "}}", sizeof(text) - strlen(text) - 1);
	strncat(text, "},{'price':2}]}", sizeof(text) - strlen(text) - 1);
	CHECK(strstr(lint(only(text))->all, "is nested deeper than 32 levels") != NULL);
	CHECK_INT(lint(only(text))->nerrors, 1);
}

/* ---------------------------------------------------------------- time */

static void
test_seasons(void)
{
	CHECK_CLEAN(around("'seasons':{'summer':[['06-01','10-01']]},", ENERGY));
	CHECK_CLEAN(
		around("'seasons':{'winter':[['11-01','03-01']],'summer':[['03-01','11-01']]},", ENERGY));
	CHECK_FIRST(around("'seasons':{'a':[['06-01','10-01']],'b':[['09-30','10-02']]},", ENERGY),
				"error seasons: season \"b\" and another one share a day");
	CHECK_FIRST(around("'seasons':{'a':[['06-01','10-01'],['01-01','06-02']]},", ENERGY),
				"error seasons: season \"a\" and another one share a day");
	CHECK_FIRST(around("'seasons':{'a':[['06-01','06-01']]},", ENERGY),
				"error seasons.a[0]: the range has no day");
	CHECK_FIRST(around("'seasons':{'*':[['06-01','07-01']]},", ENERGY),
				"error seasons[\"*\"]: \"*\" is the season of all other dates and is not given");
	CHECK_FIRST(around("'seasons':{'a':[['06-01']]},", ENERGY),
				"error seasons.a[0]: must be a range [from, to) of two days");
	CHECK_FIRST(only("'when':{'season':['sumer']},'price':1"),
				"error components[0].when.season[0]: there is no season \"sumer\"");
	CHECK_CLEAN(only("'when':{'season':['*']},'price':1"));
	CHECK_FIRST(around("'seasons':{'s':[['06-01','10-01']]},",
					   "{'code':'a','kind':'energy','price':{'season':{'s':1}}}"),
				"error components[0].price.season: has no price for dates outside all seasons: "
				"add \"*\"");
	CHECK_CLEAN(around("'seasons':{'s':[['06-01','01-01']],'w':[['01-01','06-01']]},",
					   "{'code':'a','kind':'energy','price':{'season':{'s':1,'w':2}}}"));
	CHECK_FIRST(around("'seasons':{'s':[['06-01','01-01']],'w':[['01-01','06-01']]},",
					   "{'code':'a','kind':'energy','price':{'season':{'s':1}}}"),
				"error components[0].price.season: has no price for season \"w\" and no \"*\"");
}

static void
test_calendar(void)
{
	CHECK_CLEAN(
		around("'calendar':{'weekend':['fri','sat'],'days':{'2026-01-01':['holiday']}},", ENERGY));
	CHECK_FIRST(around("'calendar':'cn',", ENERGY),
				"note calendar: the days of calendar \"cn\" are filled in by tariff_for()");
	CHECK_FIRST(around("'calendar':{'weekend':['sat','sat']},", ENERGY),
				"error calendar.weekend[1]: \"sat\" is given twice");
	CHECK_FIRST(around("'calendar':{'weekend':['weekday']},", ENERGY),
				"error calendar.weekend[0]: \"weekday\" is not a day of the week");
	CHECK_FIRST(around("'calendar':{'weekend':['caturday']},", ENERGY),
				"error calendar.weekend[0]: \"caturday\" is not a day of the week");
	CHECK_FIRST(around("'calendar':{'days':{'2026-02-29':['holiday']}},", ENERGY),
				"error calendar.days[\"2026-02-29\"]: must be a date \"YYYY-MM-DD\"");
	CHECK_FIRST(around("'calendar':{'days':{'2026-02-28':['workday']}},", ENERGY),
				"error calendar.days[\"2026-02-28\"][0]: \"workday\" follows from the date and is "
				"not given");
	CHECK_FIRST(around("'calendar':{'days':{'2026-02-28':['hot','hot']}},", ENERGY),
				"error calendar.days[\"2026-02-28\"][1]: \"hot\" is given twice");
	CHECK_FIRST(around("'calendar':{'days':{'2026-02-17':['spring_festival']}},'schedules':{'t':["
					   "{'period':'deep','days':['sprnig_festival']},{'period':'flat'}]},",
					   ENERGY),
				"warning schedules.t[0].days[0]: no day of the calendar has the tag "
				"\"sprnig_festival\"");
}

/* ---------------------------------------------------------------- prices */

#define SCHEDULED(component) around(TOU, "{'code':'a','kind':'energy'," component "}")

static void
test_prices(void)
{
	CHECK_CLEAN(SCHEDULED("'price':{'period':{'peak':0.7,'valley':0.4}}"));
	CHECK_CLEAN(SCHEDULED("'price':{'period':{'peak':0.7,'*':0.4}}"));
	CHECK_CLEAN(SCHEDULED("'period':['peak'],'price':{'period':{'peak':0.7}}"));
	CHECK_FIRST(SCHEDULED("'price':{'period':{'peak':0.7}}"),
				"error components[0].price.period: has no price for period \"valley\" of schedule "
				"\"tou\" and no \"*\"");
	CHECK_FIRST(SCHEDULED("'price':{'period':{'peak':0.7,'valley':0.4,'sharp':1}}"),
				"error components[0].price.period.sharp: no schedule has a period \"sharp\"");
	CHECK_FIRST(SCHEDULED("'period':['sharp'],'price':1"),
				"error components[0].period[0]: schedule \"tou\" has no period \"sharp\"");
	CHECK_FIRST(SCHEDULED("'schedule':'tuo','price':1"),
				"error components[0].schedule: there is no schedule \"tuo\"");
	CHECK_FIRST(only("'price':{'period':{'*':1}}"),
				"error components[0].price: needs a schedule, the tariff has none");
	CHECK_FIRST(only("'period':['peak'],'price':1"),
				"error components[0]: needs a schedule, the tariff has none");
	CHECK_FIRST(around("'schedules':{'a':[{'period':'p'}],'b':[{'period':'q'}]},",
					   "{'code':'a','kind':'energy','price':{'period':{'*':1}}}"),
				"error components[0].price: needs \"schedule\", the tariff has several");
	CHECK_FIRST(around("'schedules':{'a':[{'period':'p'}],'b':[{'period':'q'}]},",
					   "{'code':'a','kind':'energy','schedule':'a',"
					   "'price':{'period':{'p':1,'q':2}}}"),
				"error components[0].price.period.q: schedule \"a\" has no period \"q\"");
	CHECK_FIRST(around(TOU, "{'code':'a','kind':'fixed','price':{'period':{'*':1}}}"),
				"error components[0].price: kind \"fixed\" has no periods");
	CHECK_FIRST(only("'price':{}"), "error components[0].price: must have exactly one of "
									"\"period\", \"season\", \"attr\", \"series\", \"ref\", "
									"\"mul\", \"add\"");
	CHECK_FIRST(only("'price':{'mul':[1],'add':[2]}"),
				"error components[0].price: must have exactly one of \"period\", \"season\", "
				"\"attr\", \"series\", \"ref\", \"mul\", \"add\"");
	CHECK_FIRST(only("'price':{'attr':'a'}"), "error components[0].price: \"of\" is missing");
	CHECK_FIRST(only("'price':{'of':{'a':1},'mul':[1]}"),
				"error components[0].price: \"attr\" is missing");
	CHECK_FIRST(only("'price':{'season':{'*':1},'round':{'step':1}}"),
				"error components[0].price: \"round\" belongs to \"mul\" and \"add\"");
	CHECK_FIRST(only("'price':{'mul':[]}"), "error components[0].price.mul: must not be empty");
}

static void
test_values(void)
{
	CHECK_CLEAN(around("'values':{'a':1,'b':{'mul':[2,{'ref':'a'}]}},",
					   "{'code':'a','kind':'energy','price':{'ref':'b'}}"));
	CHECK_FIRST(only("'price':{'ref':'x'}"),
				"error components[0].price.ref: there is no value \"x\"");
	CHECK_FIRST(around("'values':{'a':{'ref':'b'},'b':{'add':[1,{'ref':'a'}]}},", ENERGY),
				"error values.a: refers to itself through value \"a\"");
	CHECK_FIRST(around("'values':{'a':{'ref':'a'}},", ENERGY),
				"error values.a: refers to itself through value \"a\"");
	CHECK_FIRST(around(TOU "'values':{'v':{'period':{'peak':1}}},",
					   "{'code':'a','kind':'energy','price':{'ref':'v'}}"),
				"error values.v.period: has no price for period \"valley\" of schedule \"tou\" and "
				"no \"*\"");
	/* a value may serve schedules with different periods */
	CHECK_CLEAN(around("'schedules':{'a':[{'period':'p'}],'b':[{'period':'q'}]},"
					   "'values':{'v':{'period':{'p':1,'q':2}}},",
					   "{'code':'a','kind':'energy','schedule':'a','price':{'ref':'v'}}"));
}

/* v1 = v0 + v0, v2 = v1 + v1, ...: two to the power of forty parts, or forty levels */
static void
test_value_growth(void)
{
	char values[8000] = "'values':{'v00':1";
	char chain[8000] = "'values':{'v00':1";
	char text[200];

	for (int i = 1; i <= 25; i++)
	{
		snprintf(text, sizeof(text), ",'v%02d':{'add':[{'ref':'v%02d'},{'ref':'v%02d'}]}", i, i - 1,
				 i - 1);
		strncat(values, text, sizeof(values) - strlen(values) - 1);
	}
	for (int i = 1; i <= 60; i++)
	{
		snprintf(text, sizeof(text), ",'v%02d':{'ref':'v%02d'}", i, i - 1);
		strncat(chain, text, sizeof(chain) - strlen(chain) - 1);
	}
	strncat(values, "},", sizeof(values) - strlen(values) - 1);
	strncat(chain, "},", sizeof(chain) - strlen(chain) - 1);
	CHECK(strstr(lint(around(values, ENERGY))->all, "is a price of more than 10000 parts") != NULL);
	CHECK(strstr(lint(around(chain, ENERGY))->all, "is nested deeper than 32 prices") != NULL);
}

/* ---------------------------------------------------------------- components and tiers */

#define STEPS(steps) only("'tier':{'steps':[" steps "]}")

static void
test_tiers(void)
{
	CHECK_FIRST(STEPS("{'up_to':200,'price':1},{'up_to':200,'price':2},{'price':3}"),
				"error components[0].tier.steps[1].up_to: is not above the bound of the step "
				"before");
	CHECK_FIRST(STEPS("{'up_to':400,'price':1},{'up_to':200,'price':2},{'price':3}"),
				"error components[0].tier.steps[1].up_to: is not above the bound of the step "
				"before");
	CHECK_FIRST(STEPS("{'price':1},{'up_to':200,'price':2},{'price':3}"),
				"error components[0].tier.steps[0]: \"up_to\" is missing: only the last step has "
				"no bound");
	CHECK_FIRST(STEPS("{'up_to':200,'price':1},{'up_to':400,'price':2}"),
				"error components[0].tier.steps[1].up_to: the last step has no bound");
	CHECK_FIRST(STEPS("{'up_to':0,'price':1},{'price':2}"),
				"error components[0].tier.steps[0].up_to: must be above 0");
	CHECK_FIRST(STEPS("{'up_to':5},{'price':2}"),
				"error components[0].tier.steps[0]: has no \"price\", and neither has the "
				"component");
	CHECK_FIRST(STEPS("{'up_to':5,'price':1},{'up_to':6,'unit':'kwh_per_day','price':1},"
					  "{'price':2}"),
				"error components[0].tier.steps[1]: steps of one tier must have the same unit");
	CHECK_CLEAN(STEPS("{'up_to':5,'unit':'kwh_per_day','price':1},{'price':2}"));
	CHECK_FIRST(only("'tier':{}"), "error components[0].tier: \"steps\" is missing");
	CHECK_FIRST(only("'tier':{'mode':'package','steps':[{'price':1}]},'price':1"),
				"error components[0].tier: \"size\" is missing");
	CHECK_FIRST(only("'tier':{'size':5,'steps':[{'price':1}]}"),
				"error components[0].tier: \"size\" and \"free\" belong to mode \"package\"");
	CHECK_FIRST(only("'tier':{'by':'days','steps':[{'price':1}]}"),
				"error components[0].tier: \"by\" belongs to mode \"volume\"");
	CHECK_FIRST(
		only("'tier':{'steps':[{'price':1}]},'price':5"),
		"warning components[0].tier: the price of the component is not used: every step has "
		"its own");
	CHECK_FIRST(only("'tier':{'order':'per_period','steps':[{'price':1}]}"),
				"error components[0]: needs a schedule, the tariff has none");
	CHECK_FIRST(
		around("", "{'code':'a','kind':'custom','quantity':'attr:n','tier':{'steps':["
				   "{'up_to':5,'unit':'kwh_per_day','price':1},{'price':2}]}}"),
		"error components[0].tier.steps[0].unit: \"kwh_per_day\" does not fit the quantity");
}

/* Prices of steps inside a step are looked at like those of any other. */
static void
test_inner_steps(void)
{
#define INNER(price) \
	"'schedule':'tou','tier':{'steps':[{'steps':[{'up_to':5,'price':1},{'price':" price "}]}]}"
#define CUSTOM(price)                                                                            \
	"{'code':'a','kind':'custom','quantity':'meters','tier':{'steps':[{'steps':[{'price':" price \
	"}]}]}}"
#define TEN "{'ref':'b'},{'ref':'b'},{'ref':'b'},{'ref':'b'},{'ref':'b'},"
	static const char values[] =
		"'values':{'a':{'add':[" TEN TEN TEN
		"0]},'b':{'add':[{'ref':'c'},{'ref':'c'},{'ref':'c'}]},"
		"'c':{'add':[{'ref':'d'},{'ref':'d'},{'ref':'d'},{'ref':'d'},{'ref':'d'}]},'d':{'add':["
		"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30]}},";

	CHECK_CLEAN(around(TOU, "{'code':'a','kind':'energy'," INNER("{'period':{'*':2}}") "}"));
	CHECK_FIRST(around(TOU, "{'code':'a','kind':'energy'," INNER("{'period':{'peak':2}}") "}"),
				"error components[0].tier.steps[0].steps[1].price.period: has no price for period "
				"\"valley\" of schedule \"tou\" and no \"*\"");
	CHECK_FIRST(around(TOU, CUSTOM("{'period':{'*':2}}")),
				"error components[0].tier.steps[0].steps[0].price: kind \"custom\" has no periods");
	CHECK_CLEAN(around(values, CUSTOM("{'ref':'a'}")));
	CHECK_FIRST(around(values, CUSTOM("{'mul':[{'ref':'a'},{'ref':'a'}]}")),
				"error components[0].tier.steps[0].steps[0].price: is a price of more than 10000 "
				"parts");
#define BY_KW(keys)                                                                              \
	around("'demands':{'x':{},'y':{}},",                                                         \
		   "{'code':'a','kind':'energy','price':1,'tier':{'steps':[{'steps':[{'up_to':5,'unit':" \
		   "'kwh_per_kw'" keys "},{'price':2}]}]}}")
	CHECK_CLEAN(BY_KW(",'demand':'y'"));
	CHECK_FIRST(BY_KW(""),
				"error components[0].tier.steps[0].steps[0]: needs \"demand\", the tariff "
				"has several");
}

static void
test_bounds(void)
{
#define SEASONS "'seasons':{'s':[['05-01','11-01']]},"
#define BOUNDS(first, second)                                                      \
	around(SEASONS, "{'code':'a','kind':'energy','tier':{'steps':[{'up_to':" first \
					",'price':1},{'up_to':" second ",'price':2},{'price':3}]}}")
	CHECK_CLEAN(BOUNDS("{'season':{'s':260,'*':200}}", "{'season':{'s':600,'*':400}}"));
	CHECK_FIRST(BOUNDS("{'season':{'s':260,'*':200}}", "{'season':{'s':260,'*':400}}"),
				"error components[0].tier.steps[1].up_to: is not above the bound of the step "
				"before");
	CHECK_FIRST(BOUNDS("{'season':{'s':260,'*':200}}", "250"),
				"error components[0].tier.steps[1].up_to: is not above the bound of the step "
				"before");
	CHECK_FIRST(
		BOUNDS("{'attr':'a','of':{'1':5,'2':50,'*':7}}", "{'attr':'a','of':{'1':6,'2':40,'*':8}}"),
		"error components[0].tier.steps[1].up_to: is not above the bound of the step "
		"before");
	CHECK_FIRST(BOUNDS("{'attr':'a','of':{'1':5,'2':50}}", "{'attr':'a','of':{'*':50}}"),
				"error components[0].tier.steps[1].up_to: is not above the bound of the step "
				"before");
	CHECK_FIRST(BOUNDS("{'season':{'s':1.0000001,'*':200}}", "300"),
				"error components[0].tier.steps[0].up_to.season.s: has more than 6 decimals");
	CHECK_CLEAN(BOUNDS("{'mul':[5,2]}", "300"));
	CHECK_FIRST(around(TOU, "{'code':'a','kind':'energy','tier':{'steps':[{'up_to':{'period':{"
							"'peak':5,'valley':6}},'price':1},{'price':2}]}}"),
				"error components[0].tier.steps[0].up_to: bounds by period need the order "
				"\"per_period\"");
	CHECK_CLEAN(around(TOU, "{'code':'a','kind':'energy','tier':{'order':'per_period','steps':[{"
							"'up_to':{'period':{'peak':5,'valley':6}},'price':1},{'price':2}]}}"));
}

static void
test_components(void)
{
	CHECK_FIRST(around("", ENERGY "," ENERGY),
				"error components[1].code: another component has the code \"a\"");
	CHECK_FIRST(around("", "{'code':'a','kind':'enrgy','price':1}"),
				"error components[0].kind: \"enrgy\" is not a kind of component");
	CHECK_FIRST(around("", "{'code':'a','kind':'fixed','price':1,'tier':{'steps':[{'price':1}]}}"),
				"error components[0].tier: is not used by kind \"fixed\"");
	CHECK_FIRST(around("", "{'code':'a','kind':'energy'}"),
				"error components[0]: \"price\" is missing");
	CHECK_FIRST(around("", "{'code':'a','kind':'custom','price':1}"),
				"error components[0]: \"quantity\" is missing");
	CHECK_FIRST(around("", "{'code':'a','kind':'energy','quantity':'days','price':1}"),
				"error components[0].quantity: \"days\" does not fit kind \"energy\"");
	CHECK_FIRST(around("", "{'code':'a','kind':'energy','quantity':'attr:x','price':1}"),
				"error components[0].quantity: \"attr:x\" is not metered: use kind \"custom\"");
	CHECK_FIRST(around("", "{'code':'a','kind':'custom','quantity':'attr:','price':1}"),
				"error components[0].quantity: the name of the attribute is missing");
	CHECK_FIRST(around("", "{'code':'a','kind':'energy','per':'day','price':1}"),
				"error components[0].per: \"day\" does not fit kind \"energy\"");
	CHECK_FIRST(around("", "{'code':'a','kind':'percent','percent':5}"),
				"error components[0]: no component comes before this one");
	CHECK_FIRST(around("", "{'code':'p','kind':'percent','percent':5,'base':['a']}," ENERGY),
				"error components[0].base[0]: \"a\" does not come before this component");
	CHECK_FIRST(around("", ENERGY ",{'code':'p','kind':'percent','percent':5,'base':['b']}"),
				"error components[1].base[0]: there is no component or group \"b\"");
	CHECK_FIRST(around("", ENERGY ",{'code':'p','kind':'percent','percent':5,'base':['p']}"),
				"error components[1].base[0]: there is no component or group \"p\"");
	CHECK_FIRST(around("", ENERGY ",{'code':'p','kind':'percent','percent':5,'base':['*','a']}"),
				"error components[1].base[0]: \"*\" stands alone");
	CHECK_FIRST(around("", "{'code':'x','kind':'energy','group':'g','price':1},"
						   "{'code':'p','kind':'percent','percent':5,'base':['g']},"
						   "{'code':'y','kind':'energy','group':'g','price':1}"),
				"warning components[1].base[0]: a later component of \"g\" is not counted");
	CHECK_FIRST(around("", ENERGY ",{'code':'lo','kind':'minimum','amount':9},"
								  "{'code':'hi','kind':'maximum','amount':8}"),
				"error components[2].amount: the maximum is below minimum \"lo\"");
	CHECK_FIRST(around("", ENERGY ",{'code':'m','kind':'minimum'}"),
				"error components[1]: \"amount\" is missing");
	CHECK_FIRST(only("'when':{'qty':{'import_kwh':{}}},'price':1"),
				"error components[0].when.qty.import_kwh: must have one of \"gt\", \"ge\", \"lt\", "
				"\"le\"");
	CHECK_FIRST(only("'when':{'qty':{'import_kwh':{'ge':5,'lt':5}}},'price':1"),
				"error components[0].when.qty.import_kwh: no number lies in the range");
	CHECK_FIRST(only("'when':{'qty':{'import_kwh':{'ge':5,'gt':4}}},'price':1"),
				"error components[0].when.qty.import_kwh: must not have both \"gt\" and \"ge\"");
	CHECK_FIRST(only("'valid':['2026-01-01','2026-01-01'],'price':1"),
				"error components[0].valid: the range ends before it begins");
	CHECK_FIRST(only("'valid':[null,null],'price':1"),
				"error components[0].valid: a range without beginning and end says nothing");
}

static void
test_measures(void)
{
	CHECK_INT(lint(around("'demands':{'m':{'window':0}},", ENERGY))->nerrors, 1);
	CHECK_INT(lint(around("'demands':{'m':{'floor_kw':5,'cap_kw':4}},", ENERGY))->nerrors, 1);
	CHECK_INT(lint(around("'series':{'s':[['2026-01-02T00:00:00Z',1],['2026-01-01T00:00:00Z',1]]},",
						  ENERGY))
				  ->nerrors,
			  1);
	CHECK_INT(lint(around("'losses':[{'code':'l','kind':'copper'}],", ENERGY))->nerrors, 2);
	CHECK_INT(lint(around("'net':{'mode':'offset_kwh','settle_month':13},", ENERGY))->nerrors, 1);
	CHECK_FIRST(around("", "{'code':'a','kind':'custom','quantity':'days','tier':{'steps':[{"
						   "'price':1}]}}"),
				"error components[0].tier: days and months have no tiers");
}

int
main(void)
{
	test_types();
	test_numbers();
	test_depth();
	test_seasons();
	test_calendar();
	test_prices();
	test_values();
	test_value_growth();
	test_tiers();
	test_inner_steps();
	test_bounds();
	test_components();
	test_measures();
	return check_done("tariff_lint");
}
