/*
 * test_rate.c -- bills: published numbers of the tariff vectors, and rules one by one
 * Sources in brackets are cases of the tariff vectors and sections of the tariff reference.
 */
#include "check.h"
#include "kit_rate.h"

#define HEAD "{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai',"
#define PEAK_VALLEY \
	"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]},"

static const char seed_tier[] =
	HEAD "'components':[{'code':'energy','kind':'energy','tier':{'mode':'graduated','scope':'bill',"
		 "'steps':[{'up_to':200,'price':0.5},{'up_to':400,'price':0.6},{'price':0.8}]}}]}";

static const char seed_tou[] =
	HEAD PEAK_VALLEY "'components':[{'code':'energy','kind':'energy','price':{'period':{'peak':0.7,"
					 "'valley':0.4}}}]}";

static const char zhejiang[] = HEAD PEAK_VALLEY
	"'components':[{'code':'energy','kind':'energy','price':{'period':{'peak':0.568,"
	"'valley':0.288}},'tier':{'mode':'adder','scope':'year','allowance':[{'attr':'persons',"
	"'at_least':5,'add':100}],'steps':[{'up_to':2760,'price':0},{'up_to':4800,'price':0.05},"
	"{'price':0.3}]}}]}";

static const char beijing[] =
	HEAD "'components':[{'code':'energy','kind':'energy','tier':{'scope':'year','steps':["
		 "{'up_to':2880,'price':0.4883},{'up_to':4800,'price':0.5383},{'price':0.7883}]}}]}";

/* The seeds' own examples; 500 kWh are 300.00, the first seed prints 360 [3, examples 1 and 2] */
static void
test_seeds(void)
{
	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(seed_tier, "- - 150"), "energy#1 150 x 0.5 = 75");
	CHECK_STR(kit_total(seed_tier, "- - 200"), "100");
	CHECK_STR(kit_total(seed_tier, "- - 300"), "160");
	CHECK_STR(kit_rate(seed_tier, "- - 500"),
			  "energy#1 200 x 0.5 = 100; energy#2 200 x 0.6 = 120; energy#3 100 x 0.8 = 80");
	CHECK_STR(kit_rate(seed_tou, "- peak 100, - valley 50"),
			  "energy/peak 100 x 0.7 = 70; energy/valley 50 x 0.4 = 20");
	CHECK_STR(kit_total(seed_tou, "- peak 200, - valley 100"), "180");
	CHECK_STR(kit_total(seed_tier, "- - 200.01"), "100.01"); /* 2.2: 100.006 */
	CHECK_STR(kit_rate(seed_tier, "- - 0"), "energy#1 0 x 0.5 = 0");
	CHECK_STR(kit_rate(seed_tou, "- peak 0"), "energy/peak 0 x 0.7 = 0");
}

static void
test_zhejiang(void)
{
	kit_begin("2024-12-01", "2025-01-01");
	kit_before(EB_SCOPE_YEAR, "4700");
	CHECK_STR(kit_rate(zhejiang, "2024-12-05 peak 150, 2024-12-05 valley 100"),
			  "energy/peak 150 x 0.568 = 85.2; energy/valley 100 x 0.288 = 28.8; "
			  "energy#2 100 x 0.05 = 5; energy#3 150 x 0.3 = 45"); /* cn-zj-tou-tier-4 */
	/* five persons: bounds 3960 and 6000 [2.2] */
	kit_before(EB_SCOPE_YEAR, "3950");
	kit_add_attr("persons", "5");
	CHECK_STR(kit_rate(zhejiang, "2024-12-05 peak 30, 2024-12-05 valley 20"),
			  "energy/peak 30 x 0.568 = 17.04; energy/valley 20 x 0.288 = 5.76; "
			  "energy#2 40 x 0.05 = 2");
	kit_ctx.nattrs = 0;
	kit_before(EB_SCOPE_YEAR, "2759.99");
	CHECK_STR(kit_rate(zhejiang, "2024-12-05 peak 0.02"),
			  "energy/peak 0.02 x 0.568 = 0.01; energy#2 0.01 x 0.05 = 0"); /* cn-zj-tou-tier-7 */
	kit_add_attr("persons", "many");
	CHECK_STR(kit_rate(zhejiang, "2024-12-05 peak 1"),
			  "1 attribute must be a number: Attribute \"persons\" is \"many\".");
}

static void
test_beijing(void)
{
	kit_begin("2024-10-01", "2024-11-01");
	kit_before(EB_SCOPE_YEAR, "2800");
	CHECK_STR(kit_rate(beijing, "2024-10-01 - 300"),
			  "energy#1 80 x 0.4883 = 39.06; energy#2 220 x 0.5383 = 118.43");
	CHECK_STR(kit_total(beijing, "2024-10-01 - 300"), "157.49"); /* cn-bj-inc-2800-300 */
	/* a bill over New Year: the counter starts again */
	kit_begin("2024-12-15", "2025-01-15");
	kit_before(EB_SCOPE_YEAR, "2800");
	CHECK_STR(kit_rate(beijing, "2024-12-15 - 100, 2025-01-01 - 100"),
			  "energy#1 80 x 0.4883 = 39.06; energy#2 20 x 0.5383 = 10.77; "
			  "energy#1 100 x 0.4883 = 48.83");
	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(beijing, "- - 10"), "2 the tariff needs the dates of the usage: They decide "
										   "the month, quarter or year a tier belongs to.");
	/* undated usage in a known service range that a scope divides */
	kit_ctx.from_us = kit_instant("2024-12-15");
	kit_ctx.to_us = kit_instant("2025-01-15");
	CHECK_STR(kit_rate(beijing, "- - 10"),
			  "2 the tariff needs the dates of the usage: The service range has days that a "
			  "component treats differently.");
	kit_ctx.to_us = kit_instant("2025-01-01");
	CHECK_STR(kit_rate(beijing, "- - 10"), "energy#1 10 x 0.4883 = 4.88");
}

/* 80 kWh peak, then 80 valley; bound 100 [2.5] */
static void
test_orders(void)
{
	const char *format =
		HEAD PEAK_VALLEY "'components':[{'code':'e','kind':'energy','tier':{'order':'%s','steps':["
						 "{'up_to':100,'price':{'period':{'peak':0.7,'valley':0.4}}},"
						 "{'price':{'period':{'peak':1,'valley':0.45}}}]}}]}";
	char json[1000];

	kit_begin(NULL, NULL);
	snprintf(json, sizeof(json), format, "prorata");
	CHECK_STR(kit_rate(json, "- peak 80, - valley 80"),
			  "e/peak#1 50 x 0.7 = 35; e/peak#2 30 x 1 = 30; e/valley#1 50 x 0.4 = 20; "
			  "e/valley#2 30 x 0.45 = 13.5"); /* 55.00 + 43.50 = 98.50 */
	snprintf(json, sizeof(json), format, "per_period");
	CHECK_STR(kit_rate(json, "- peak 80, - valley 80"),
			  "e/peak#1 80 x 0.7 = 56; e/valley#1 80 x 0.4 = 32");
	kit_before(EB_SCOPE_BILL, "10");
	CHECK_STR(kit_rate(json, "- peak 80, - valley 80"),
			  "2 tiers per period need what each period used before");
}

static void
test_modes(void)
{
	const char *volume =
		HEAD "'components':[{'code':'v','kind':'energy','tier':{'mode':'volume','steps':["
			 "{'up_to':15,'price':10},{'price':5}]}}]}";
	const char *package =
		HEAD "'components':[{'code':'p','kind':'custom','quantity':'units','price':15,"
			 "'tier':{'mode':'package','size':10}}]}";
	const char *free =
		HEAD "'components':[{'code':'p','kind':'custom','quantity':'units','price':100,"
			 "'tier':{'mode':'package','size':10,'free':200}}]}";
	const char *chosen =
		HEAD "'components':[{'code':'v','kind':'custom','quantity':'part','tier':{"
			 "'mode':'volume','by':'full','steps':[{'up_to':10,'price':10,'flat':1},"
			 "{'price':5,'flat':2}]}}]}";

	kit_begin(NULL, NULL);
	CHECK_STR(kit_total(volume, "- - 16"), "80"); /* om-vol-16 */
	kit_before(EB_SCOPE_BILL, "15");
	CHECK_STR(kit_rate(volume, "- - 1"), "v#2 16 x 5 = 80; v#1 -15 x 10 = -150"); /* -70 */
	kit_before(EB_SCOPE_BILL, "16");
	CHECK_STR(kit_rate(volume, "- - 0"), "v#2 0 x 5 = 0");
	kit_begin(NULL, NULL);
	kit_add_qty("units", "10");
	CHECK_STR(kit_rate(package, "- - 0"), "p 1 x 15 = 15"); /* om-pkg-0-10 */
	kit_before(EB_SCOPE_BILL, "8");
	CHECK_STR(kit_rate(package, "- - 0"), "p 1 x 15 = 15");
	kit_begin(NULL, NULL);
	kit_add_qty("units", "121");
	CHECK_STR(kit_rate(free, "- - 0"), "p 0 x 100 = 0"); /* lago-pkg-121-free200 */
	kit_begin(NULL, NULL);
	kit_add_qty("part", "3");
	kit_add_qty("full", "12");
	CHECK_STR(kit_rate(chosen, "- - 0"), "v#2 3 x 5 = 15; v#2 1 x 2 = 2");
	kit_ctx.nqty = 1;
	CHECK_STR(kit_rate(chosen, "- - 0"),
			  "2 the tariff needs a quantity that is not given: It is the quantity \"full\".");
}

/* What packages leave free is a bound: 200 kWh for 20 of 30 days, or half of them for half a month */
static void
test_free_units(void)
{
	const char *by_days = HEAD "'components':[{'code':'p','kind':'energy','price':15,'tier':{"
							   "'mode':'package','size':10,'free':200,'prorate':'days'}}]}";
	const char *seasons = HEAD "'seasons':{'summer':[['06-16','09-01']]},'components':[{"
							   "'code':'p','kind':'energy','price':{'season':{'summer':15,'*':10}},"
							   "'tier':{'mode':'package','size':10,'free':200}}]}";

	kit_begin("2025-06-01", "2025-06-21");
	CHECK_STR(kit_rate(by_days, "2025-06-01 - 200"), "p 7 x 15 = 105");
	CHECK_STR(kit_rate(by_days, "2025-06-01 - 133.333333"), "p 0 x 15 = 0");
	CHECK_STR(kit_rate(by_days, "2025-06-01 - 133.333334"), "p 1 x 15 = 15");
	kit_begin("2025-06-01", "2025-07-01");
	CHECK_STR(kit_rate(seasons, "2025-06-01 - 150, 2025-06-16 - 150"),
			  "p 5 x 10 = 50; p 5 x 15 = 75");
}

static void
test_flats(void)
{
	const char *flats = HEAD "'components':[{'code':'f','kind':'energy','tier':{'steps':["
							 "{'up_to':5,'flat':100},{'up_to':10,'flat':50},{'flat':30}]}}]}";
	const char *late = HEAD "'components':[{'code':'f','kind':'energy','price':1,'tier':{"
							"'flat_at_zero':false,'steps':[{'up_to':5,'flat':100},{}]}}]}";

	kit_begin(NULL, NULL);
	CHECK_STR(kit_total(flats, "- - 5.001"), "150"); /* om-gradB-5.001 */
	CHECK_STR(kit_total(flats, "- - 5"), "100");
	CHECK_STR(kit_rate(flats, "- - 0"), "f#1 1 x 100 = 100");
	kit_before(EB_SCOPE_BILL, "7");
	CHECK_STR(kit_total(flats, "- - 1"), "0"); /* om-grad-7-8: +1 inside a flat-only step */
	CHECK_STR(kit_rate(flats, "- - 4"), "f#2 3 x 0 = 0; f#3 1 x 0 = 0; f#3 1 x 30 = 30");
	CHECK_STR(kit_rate(flats, "- - -3"), "f#1 -1 x 0 = 0; f#2 -2 x 0 = 0; f#2 -1 x 50 = -50");
	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(late, "- - 0"), "f#1 0 x 1 = 0");
	CHECK_STR(kit_rate(late, "- - 6"), "f#1 5 x 1 = 5; f#2 1 x 1 = 1; f#1 1 x 100 = 100");
}

static const char guangzhou[] =
	HEAD "'seasons':{'summer':[['05-01','11-01']]},'components':[{'code':'e','kind':'energy',"
		 "'tier':{'scope':'month','steps':[{'up_to':{'season':{'summer':260,'*':200}},"
		 "'price':0.589},{'up_to':{'season':{'summer':600,'*':400}},'price':0.639},"
		 "{'price':0.889}]}}]}";

static void
test_seasons(void)
{
	kit_begin("2024-07-01", "2024-08-01");
	CHECK_STR(kit_rate(guangzhou, "2024-07-01 - 300"),
			  "e#1 260 x 0.589 = 153.14; e#2 40 x 0.639 = 25.56"); /* 178.70 */
	kit_begin("2024-02-01", "2024-03-01");
	CHECK_STR(kit_total(guangzhou, "2024-02-01 - 300"), "181.7");
	/* two months, two scopes, two seasons */
	kit_begin("2024-04-01", "2024-06-01");
	CHECK_STR(kit_rate(guangzhou, "2024-04-01 - 250, 2024-05-01 - 250"),
			  "e#1 200 x 0.589 = 117.8; e#2 50 x 0.639 = 31.95; e#1 250 x 0.589 = 147.25");
	CHECK_INT(kit_line[0].to_us, kit_instant("2024-05-01"));
	CHECK_INT(kit_line[2].from_us, kit_instant("2024-05-01"));
	/* what was before belongs to the first month alone */
	kit_before(EB_SCOPE_MONTH, "100");
	CHECK_STR(kit_rate(guangzhou, "2024-04-01 - 250, 2024-05-01 - 250"),
			  "e#1 100 x 0.589 = 58.9; e#2 150 x 0.639 = 95.85; e#1 250 x 0.589 = 147.25");
}

/* A season that changes inside the scope: 10 of 30 days in summer */
static void
test_split(void)
{
	const char *format =
		HEAD "'seasons':{'summer':[['04-21','10-01']]},'components':[{'code':'e','kind':'energy',"
			 "'tier':{'scope':'month','split':'%s','steps':[{'up_to':{'season':{'summer':300,"
			 "'*':150}},'price':{'season':{'summer':1,'*':2}}},{'price':3}]}}]}";
	const char *usage = "2024-04-01 - 120, 2024-04-21 - 80";
	char json[1000];

	kit_begin("2024-04-01", "2024-05-01");
	snprintf(json, sizeof(json), format, "days");
	CHECK_STR(kit_rate(json, usage), "e#1 100 x 2 = 200; e#2 20 x 3 = 60; e#1 80 x 1 = 80");
	snprintf(json, sizeof(json), format, "continue");
	CHECK_STR(kit_rate(json, usage), "e#1 120 x 2 = 240; e#1 80 x 1 = 80");
	snprintf(json, sizeof(json), format, "start");
	CHECK_STR(kit_rate(json, usage), "e#1 150 x 2 = 300; e#2 50 x 3 = 150");
	snprintf(json, sizeof(json), format, "end");
	CHECK_STR(kit_rate(json, usage), "e#1 200 x 1 = 200");
	/* continued: the second part begins at 100 + 120 and meets the bound now in force */
	snprintf(json, sizeof(json), format, "continue");
	kit_before(EB_SCOPE_MONTH, "100");
	CHECK_STR(kit_rate(json, "2024-04-01 - 120, 2024-04-21 - 100"),
			  "e#1 50 x 2 = 100; e#2 70 x 3 = 210; e#1 80 x 1 = 80; e#2 20 x 3 = 60");
}

/* A price that changes on a date, as two components: the bounds are shared by days */
static void
test_versions(void)
{
	const char *plain =
		HEAD "'components':["
			 "{'code':'a','kind':'energy','price':0.5,'valid':[null,'2024-04-11']},"
			 "{'code':'b','kind':'energy','price':0.56,'valid':['2024-04-11',null]}]}";
	const char *tiers = HEAD
		"'components':["
		"{'code':'a','kind':'energy','valid':[null,'2024-04-11'],'tier':{'scope':'%s','steps':["
		"{'up_to':150,'price':1},{'price':2}]}},"
		"{'code':'b','kind':'energy','valid':['2024-04-11',null],'tier':{'scope':'%s','steps':["
		"{'up_to':150,'price':3},{'price':4}]}}]}";
	char json[1000];

	kit_begin("2024-04-01", "2024-05-01");
	/* 2.14: 100 before at 0.50 and 250 after at 0.56 */
	CHECK_STR(kit_rate(plain, "2024-04-01 - 100, 2024-04-11 - 250"),
			  "a 100 x 0.5 = 50; b 250 x 0.56 = 140");
	snprintf(json, sizeof(json), tiers, "month", "month");
	CHECK_STR(kit_rate(json, "2024-04-01 - 60, 2024-04-11 - 110"),
			  "a#1 50 x 1 = 50; a#2 10 x 2 = 20; b#1 100 x 3 = 300; b#2 10 x 4 = 40");
	/* the year counts on over the change: 60 before it, bound at 150 */
	snprintf(json, sizeof(json), tiers, "year", "year");
	CHECK_STR(kit_rate(json, "2024-04-01 - 60, 2024-04-11 - 110"),
			  "a#1 60 x 1 = 60; b#1 90 x 3 = 270; b#2 20 x 4 = 80");
}

static void
test_proration(void)
{
	const char *taiwan =
		HEAD "'components':[{'code':'e','kind':'energy','tier':{'prorate':'months',"
			 "'steps':[{'up_to':120,'price':1.78},{'up_to':330,'price':2.26},"
			 "{'price':3.13}]}}]}";
	const char *days = HEAD "'components':[{'code':'e','kind':'energy','tier':{'prorate':'days',"
							"'steps':[{'up_to':200,'price':0.5,'flat':3},{'up_to':400,'price':0.6},"
							"{'price':0.8}]}}]}";
	const char *per_day =
		HEAD "'components':[{'code':'e','kind':'energy','tier':{'scope':'%s','steps':["
			 "{'up_to':10,'unit':'kwh_per_day','price':1},{'price':2}]}}]}";
	char json[600];

	kit_begin("2024-06-01", "2024-08-01");
	CHECK_STR(
		kit_rate(taiwan, "2024-06-01 - 700"),
		"e#1 240 x 1.78 = 427.2; e#2 420 x 2.26 = 949.2; e#3 40 x 3.13 = 125.2"); /* 1501.60 */
	/* 200/400 over 20 of 30 days: 150 kWh = 76.666667 [2.2]; the flat is 3 x 20/30 */
	kit_begin("2024-06-01", "2024-06-21");
	CHECK_STR(kit_rate(days, "2024-06-01 - 150"),
			  "e#1 133.333333 x 0.5 = 66.67; e#2 16.666667 x 0.6 = 10; e#1 1 x 2 = 2");
	snprintf(json, sizeof(json), per_day, "bill");
	CHECK_STR(kit_rate(json, "2024-06-01 - 205"), "e#1 200 x 1 = 200; e#2 5 x 2 = 10");
	snprintf(json, sizeof(json), per_day, "month");
	kit_begin("2024-06-21", "2024-07-11");
	CHECK_STR(kit_rate(json, "2024-06-21 - 101, 2024-07-01 - 99"),
			  "e#1 100 x 1 = 100; e#2 1 x 2 = 2; e#1 99 x 1 = 99");
	/* a year has more bills: its own days count, 3650 kWh in 2025 */
	snprintf(json, sizeof(json), per_day, "year");
	kit_begin("2025-06-21", "2025-07-11");
	kit_before(EB_SCOPE_YEAR, "3600");
	CHECK_STR(kit_rate(json, "2025-06-21 - 30, 2025-07-01 - 30"),
			  "e#1 50 x 1 = 50; e#2 10 x 2 = 20");
	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(days, "- - 150"),
			  "2 the tariff needs the dates of the usage: They decide the number of days.");
	CHECK_STR(kit_rate(taiwan, "- - 150"),
			  "2 the tariff needs the dates of the usage: They decide the number of months.");
}

static void
test_allowance(void)
{
	const char *format = HEAD "'components':[{'code':'e','kind':'energy','tier':{'allowance':[{"
							  "'attr':'persons','at_least':5,'add':100,'per':'%s','widen':'%s'}],"
							  "'steps':[{'up_to':200,'price':1},{'up_to':400,'price':2},"
							  "{'price':3}]}}]}";
	char json[800];

	kit_begin("2024-06-01", "2024-08-01");
	kit_add_attr("persons", "6");
	snprintf(json, sizeof(json), format, "scope", "all");
	CHECK_STR(kit_rate(json, "2024-06-01 - 600"),
			  "e#1 300 x 1 = 300; e#2 200 x 2 = 400; e#3 100 x 3 = 300");
	snprintf(json, sizeof(json), format, "scope", "first");
	CHECK_STR(kit_rate(json, "2024-06-01 - 600"),
			  "e#1 300 x 1 = 300; e#2 100 x 2 = 200; e#3 200 x 3 = 600");
	snprintf(json, sizeof(json), format, "month", "all"); /* two months */
	CHECK_STR(kit_rate(json, "2024-06-01 - 600"), "e#1 400 x 1 = 400; e#2 200 x 2 = 400");
	snprintf(json, sizeof(json), format, "month", "first"); /* 400 reaches the second bound */
	CHECK_STR(kit_rate(json, "2024-06-01 - 600"), "e#1 400 x 1 = 400; e#3 200 x 3 = 600");
	kit_attr[0].value = kit_text("4");
	CHECK_STR(kit_rate(json, "2024-06-01 - 200"), "e#1 200 x 1 = 200");
}

int
main(void)
{
	test_seeds();
	test_zhejiang();
	test_beijing();
	test_orders();
	test_modes();
	test_free_units();
	test_flats();
	test_seasons();
	test_split();
	test_versions();
	test_proration();
	test_allowance();
	return check_done("rate");
}
