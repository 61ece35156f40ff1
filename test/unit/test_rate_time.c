/*
 * test_rate_time.c -- tiers that are filled in the order of time, by day and by interval
 * Sources in brackets are sections of the tariff reference.
 */
#include "check.h"
#include "kit_rate.h"

#define HEAD "{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai',"
#define PEAK_VALLEY \
	"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]},"

/* The example of 2.5 with the keys of the tier that come before its steps */
static const char *
two_steps(const char *keys)
{
	static char json[1000];

	snprintf(json, sizeof(json),
			 HEAD PEAK_VALLEY "'components':[{'code':'e','kind':'energy','tier':{%s,'steps':["
							  "{'up_to':100,'price':{'period':{'peak':0.7,'valley':0.4}}},"
							  "{'price':{'period':{'peak':1,'valley':0.45}}}]}}]}",
			 keys);
	return json;
}

/* 80 kWh peak, then 80 valley; bound 100: 64.00 + 27.00 = 91.00 [2.5] */
static void
test_order(void)
{
	const char *usage = "2024-06-03T08:00 840 80, 2024-06-03T22:00 120 80";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(two_steps("'order':'time'"), usage),
			  "e/peak#1 80 x 0.7 = 56; e/valley#1 20 x 0.4 = 8; e/valley#2 60 x 0.45 = 27");
	CHECK_STR(kit_total(two_steps("'order':'time'"), usage), "91");
	CHECK_STR(kit_total(two_steps("'order':'prorata'"), usage), "98.5");
	CHECK_STR(kit_total(two_steps("'order':'per_period'"), usage), "88");
	/* the other way round, in one interval that both periods share: 30 valley, 90 peak */
	CHECK_STR(kit_rate(two_steps("'order':'time'"), "2024-06-03T07:00 240 120"),
			  "e/peak#1 70 x 0.7 = 49; e/peak#2 20 x 1 = 20; e/valley#1 30 x 0.4 = 12");
	/* more of it before: the crossing piece is cut exactly */
	kit_before(EB_SCOPE_BILL, "19.999999");
	CHECK_STR(kit_rate(two_steps("'order':'time'"), usage),
			  "e/peak#1 80 x 0.7 = 56; e/valley#1 0.000001 x 0.4 = 0; "
			  "e/valley#2 79.999999 x 0.45 = 36");
}

/* A scope that begins anew, and one that runs on */
static void
test_scopes(void)
{
	const char *usage = "2024-06-29T08:00 60 80, 2024-06-30T22:00 60 40, 2024-07-01T07:00 120 120";

	kit_begin("2024-06-01", "2024-08-01");
	/* June: 80 peak, 40 valley; July: 60 valley, 60 peak */
	CHECK_STR(kit_rate(two_steps("'order':'time','scope':'month'"), usage),
			  "e/peak#1 80 x 0.7 = 56; e/valley#1 20 x 0.4 = 8; e/valley#2 20 x 0.45 = 9; "
			  "e/peak#1 40 x 0.7 = 28; e/peak#2 20 x 1 = 20; e/valley#1 60 x 0.4 = 24");
	CHECK_STR(kit_rate(two_steps("'order':'time','scope':'quarter'"), usage),
			  "e/peak#1 80 x 0.7 = 56; e/valley#1 20 x 0.4 = 8; e/valley#2 20 x 0.45 = 9; "
			  "e/peak#1 40 x 0.7 = 28; e/peak#2 20 x 1 = 20; e/valley#1 60 x 0.4 = 24");
	kit_before(EB_SCOPE_YEAR, "10");
	CHECK_STR(kit_rate(two_steps("'order':'time','scope':'year'"), usage),
			  "e/peak#1 80 x 0.7 = 56; e/peak#2 60 x 1 = 60; e/valley#1 10 x 0.4 = 4; "
			  "e/valley#2 90 x 0.45 = 40.5");
}

/* A season inside the year: the counter runs on and meets the bounds now in force */
static void
test_split(void)
{
	const char *format = HEAD PEAK_VALLEY
		"'seasons':{'summer':[['07-01','10-01']]},'components':[{'code':'e','kind':'energy',"
		"'tier':{'scope':'year','order':'time','split':'%s','steps':[{'up_to':{'season':{"
		"'summer':150,'*':100}},'price':1},{'price':{'season':{'summer':3,'*':2}}}]}}]}";
	const char *usage = "2024-06-29T08:00 60 80, 2024-06-30T22:00 60 40, 2024-07-01T07:00 120 120";
	char json[800];

	kit_begin("2024-06-01", "2024-08-01");
	snprintf(json, sizeof(json), format, "continue");
	CHECK_STR(kit_rate(json, usage), "e#1 100 x 1 = 100; e#2 20 x 2 = 40; e#1 30 x 1 = 30; "
									 "e#2 90 x 3 = 270");
	snprintf(json, sizeof(json), format, "end");
	CHECK_STR(kit_rate(json, usage), "e#1 150 x 1 = 150; e#2 90 x 3 = 270");
}

/* Flats, adders and negative energy in order of time */
static void
test_modes(void)
{
	const char *flats = HEAD PEAK_VALLEY
		"'components':[{'code':'e','kind':'energy','tier':{'order':'time','steps':[{'up_to':100,"
		"'price':{'period':{'peak':1,'valley':2}},'flat':5},{'price':3,'flat':7}]}}]}";
	const char *adder = HEAD PEAK_VALLEY
		"'components':[{'code':'e','kind':'energy','price':{'period':{'peak':0.5,'valley':0.3}},"
		"'tier':{'mode':'adder','order':'time','steps':[{'up_to':100,'price':0},{'price':{"
		"'period':{'peak':0.2,'valley':0.1}}}]}}]}";
	const char *volume = HEAD PEAK_VALLEY
		"'components':[{'code':'e','kind':'energy','tier':{'mode':'volume','order':'time',"
		"'steps':[{'up_to':100,'price':1},{'price':{'period':{'peak':3,'valley':2}}}]}}]}";
	const char *usage = "2024-06-03T08:00 60 80, 2024-06-03T22:00 60 80";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(flats, usage),
			  "e/peak#1 80 x 1 = 80; e/valley#1 20 x 2 = 40; e/valley#2 60 x "
			  "3 = 180; e#1 1 x 5 = 5; e#2 1 x 7 = 7");
	CHECK_STR(kit_rate(flats, "2024-06-03T08:00 60 120, 2024-06-03T22:00 60 -50"),
			  "e/peak#1 100 x 1 = 100; e/peak#2 20 x 3 = 60; e/valley#1 -30 x 2 = -60; "
			  "e/valley#2 -20 x 3 = -60; e#1 1 x 5 = 5");
	CHECK_STR(kit_rate(adder, usage),
			  "e/peak 80 x 0.5 = 40; e/valley 80 x 0.3 = 24; e/valley#2 60 x 0.1 = 6");
	/* all units are at one step: when they were used does not matter, nor must it be known */
	CHECK_STR(kit_rate(volume, "2024-06-01 peak 80, 2024-06-01 valley 80"),
			  "e/peak#2 80 x 3 = 240; e/valley#2 80 x 2 = 160");
}

static void
test_unknown_order(void)
{
	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(
		kit_rate(two_steps("'order':'time'"), "2024-06-01 peak 80, 2024-06-01 valley 80"),
		"2 the tariff needs the intervals of the energy: They decide in which order tiers are "
		"filled.");
	CHECK_STR(
		kit_rate(two_steps("'scope':'interval'"), "2024-06-01 peak 80"),
		"2 the tariff needs the intervals of the energy: They decide what a tier per interval "
		"counts.");
	/* one period alone has no order */
	CHECK_STR(kit_rate(two_steps("'order':'time'"), "2024-06-01 peak 120"),
			  "e/peak#1 100 x 0.7 = 70; e/peak#2 20 x 1 = 20");
	CHECK_STR(kit_rate(two_steps("'order':'time'"), "2024-06-01 peak 0"), "e/peak#1 0 x 0.7 = 0");
	CHECK_STR(kit_rate(two_steps("'scope':'interval'"), ""), "e/peak#1 0 x 0.7 = 0");
}

/* 10 kWh a day at 1, more at 2: each day for itself, added up per line */
static void
test_day(void)
{
	const char *json = HEAD "'seasons':{'summer':[['06-04','09-01']]},'components':[{'code':'e',"
							"'kind':'energy','tier':{'scope':'day','steps':[{'up_to':10,'price':{"
							"'season':{'summer':3,'*':1}},'flat':0.5},{'price':2}]}}]}";
	const char *usage = "2024-06-01 - 7, 2024-06-02 - 15, 2024-06-03 - 12.5, 2024-06-04 - 30";

	kit_begin("2024-06-01", "2024-06-06");
	CHECK_STR(kit_rate(json, usage),
			  "e#1 27 x 1 = 27; e#2 7.5 x 2 = 15; e#1 3 x 0.5 = 1.5; "
			  "e#1 10 x 3 = 30; e#2 20 x 2 = 40; e#1 2 x 0.5 = 1"); /* two days of summer */
	/* what was used on the first day before */
	kit_before(EB_SCOPE_DAY, "5");
	CHECK_STR(kit_rate(json, "2024-06-01 - 7, 2024-06-02 - 15"),
			  "e#1 15 x 1 = 15; e#2 7 x 2 = 14; e#1 2 x 0.5 = 1; e#1 2 x 0.5 = 1");
	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(json, "- - 7"),
			  "2 the tariff needs the dates of the usage: They decide the day a tier belongs to.");
	kit_begin("2024-06-01", "2024-06-06");
	CHECK_STR(kit_rate(json, "- - 7"),
			  "2 the tariff needs the dates of the usage: The service range has days that a "
			  "component treats differently.");
}

/* Rounding of quantities is done on the lines, not on each day */
static void
test_day_rounding(void)
{
	const char *json =
		HEAD "'round':{'quantity':{'step':1}},'components':[{'code':'e','kind':'energy',"
			 "'tier':{'scope':'day','steps':[{'up_to':10,'price':1},{'price':2}]}}]}";

	kit_begin("2024-06-01", "2024-06-04");
	CHECK_STR(kit_rate(json, "2024-06-01 - 0.4, 2024-06-02 - 10.4, 2024-06-03 - 10.4"),
			  "e#1 20 x 1 = 20; e#2 1 x 2 = 2");
}

/* Days in the order of time: each day the counter is 0 again */
static void
test_day_in_time(void)
{
	const char *usage = "2024-06-03T08:00 60 80, 2024-06-03T22:00 60 80, 2024-06-04T07:00 120 160";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(two_steps("'scope':'day','order':'time'"), usage),
			  "e/peak#1 100 x 0.7 = 70; e/peak#2 60 x 1 = 60; e/valley#1 100 x 0.4 = 40; "
			  "e/valley#2 60 x 0.45 = 27");
	CHECK_STR(kit_rate(two_steps("'scope':'day','order':'per_period'"), usage),
			  "e/peak#1 160 x 0.7 = 112; e/valley#1 160 x 0.4 = 64");
	/* pro rata on each day: 50/30 and 50/30 kWh of either period */
	CHECK_STR(kit_rate(two_steps("'scope':'day'"), usage),
			  "e/peak#1 100 x 0.7 = 70; e/peak#2 60 x 1 = 60; e/valley#1 100 x 0.4 = 40; "
			  "e/valley#2 60 x 0.45 = 27");
}

/* Each metered interval for itself; one that two periods share is one */
static void
test_interval(void)
{
	const char *package = HEAD "'components':[{'code':'p','kind':'energy','price':2,'tier':{"
							   "'mode':'package','scope':'interval','size':10}}]}";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(two_steps("'scope':'interval'"),
					   "2024-06-03T08:00 60 80, 2024-06-03T09:00 60 130, 2024-06-04T07:00 120 160"),
			  "e/peak#1 230 x 0.7 = 161; e/peak#2 60 x 1 = 60; e/valley#1 50 x 0.4 = 20; "
			  "e/valley#2 30 x 0.45 = 13.5");
	CHECK_STR(kit_rate(two_steps("'scope':'interval','order':'time'"), "2024-06-04T07:00 120 160"),
			  "e/peak#1 20 x 0.7 = 14; e/peak#2 60 x 1 = 60; e/valley#1 80 x 0.4 = 32");
	CHECK_STR(kit_rate(package, "2024-06-03T08:00 60 1, 2024-06-03T09:00 60 11"), "p 3 x 2 = 6");
	kit_before(EB_SCOPE_INTERVAL, "1");
	CHECK_STR(kit_rate(package, "2024-06-03T08:00 60 1"),
			  "1 nothing is used before in the scope of an interval");
}

/* Day tags part the days of a stretch; each kind of day is one line */
static void
test_kinds_of_day(void)
{
	const char *json =
		HEAD "'calendar':{'days':{'2024-06-10':['holiday']}},'components':["
			 "{'code':'w','kind':'energy','price':1,'when':{'days':['workday']}},"
			 "{'code':'o','kind':'energy','price':1,'when':{'not_days':['workday']},'factor_if':["
			 "{'if':{'days':['holiday']},'factor':3},{'if':{'days':['sun']},'factor':2}]},"
			 "{'code':'f','kind':'fixed','price':1,'per':'day','when':{'days':['weekend']}}]}";

	kit_begin("2024-06-07", "2024-06-17"); /* a Friday; Monday is a holiday */
	CHECK_STR(kit_rate(json, "2024-06-07 - 1, 2024-06-08 - 2, 2024-06-09 - 4, 2024-06-10 - 8, "
							 "2024-06-11 - 16, 2024-06-15 - 32, 2024-06-16 - 64"),
			  "w 17 x 1 = 17; o 34 x 1 = 34; o 8 x 1 x 3 = 24; o 68 x 1 x 2 = 136; f 4 x 1 = 4");
	CHECK_INT(kit_line[1].from_us, kit_instant("2024-06-08"));
	CHECK_INT(kit_line[1].to_us, kit_instant("2024-06-16"));
}

int
main(void)
{
	test_order();
	test_scopes();
	test_split();
	test_modes();
	test_unknown_order();
	test_day();
	test_day_rounding();
	test_day_in_time();
	test_interval();
	test_kinds_of_day();
	return check_done("rate_time");
}
