/*
 * test_demand.c -- charges by kW: worked bills, then random windows
 * The billing demand of 100,000 random sets of windows against a sort by hand; the seed is
 * printed, EB_SEED=n repeats a run. Sources in brackets: cases of the tariff vectors.
 */
#include <time.h>

#include "check.h"
#include "kit_demand.h"

#define HEAD "{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai',"
#define DEMAND "{'code':'demand','kind':'demand','demand':'main',"

/* 500 kW of contract, 560 measured: nothing, twice, three times the price [tw-overcontract] */
static void
test_contract(void)
{
	static const char over[] =
		HEAD "'demands':{'main':{}},'components':[" DEMAND
			 "'tier':{'steps':[{'up_to':100,'unit':'pct_contract','price':223.6,'factor':0},"
			 "{'up_to':110,'unit':'pct_contract','price':223.6,'factor':2},"
			 "{'unit':'pct_contract','price':223.6,'factor':3}]}}]}";

	kit_measure(NULL, NULL);
	kit_add_attr("contract_kw", "500");
	kit_add_peak(0, NULL, 560 * EB_KWH);
	CHECK_STR(kit_measured_bill(over, "- - 0"),
			  "demand#1 500 x 223.6 x 0 = 0; demand#2 50 x 223.6 x 2 = 22360; "
			  "demand#3 10 x 223.6 x 3 = 6708");
	kit_ctx.nattrs = 0;
	CHECK(strncmp(kit_measured_bill(over, "- - 0"), "2 ", 2) == 0);
}

/* 315 kVA and 81,900 kWh are 260 kWh/kVA: 200 kW x 39 x 0.9; one kWh less pays all */
static void
test_factor(void)
{
	static const char json[] = HEAD "'demands':{'main':{}},'components':[" DEMAND
									"'price':39,'factor_if':[{'if':{'ratio':{'of':'import_kwh',"
									"'to':'attr:contract_kva','ge':260}},'factor':0.9}]}]}";

	kit_measure(NULL, NULL);
	kit_add_attr("contract_kva", "315");
	kit_add_peak(0, NULL, 200 * EB_KWH);
	CHECK_STR(kit_measured_bill(json, "- - 81900"), "demand 200 x 39 x 0.9 = 7020");
	CHECK_STR(kit_measured_bill(json, "- - 81899"), "demand 200 x 39 = 7800");
}

/* Floors, cap and rounding, in this order */
static void
test_floors(void)
{
	static const char json[] =
		HEAD "'demands':{'main':{'floor_kw':50,'floor_contract_pct':40,'cap_kw':300,"
			 "'round':{'step':1,'mode':'up'}}},'components':[" DEMAND "'price':1}]}";

	kit_measure(NULL, NULL);
	kit_add_attr("contract_kw", "200");
	kit_add_peak(0, NULL, 10 * EB_KWH);
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 80 x 1 = 80");
	kit_attr[0].value = kit_text("100");
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 50 x 1 = 50");
	peak[0].ukw = 120000001;
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 121 x 1 = 121");
	peak[0].ukw = 400 * EB_KWH;
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 300 x 1 = 300");
	kit_attr[0].value = kit_text("many");
	CHECK_STR(kit_measured_bill(json, "- - 0"),
			  "1 attribute must be a number: Attribute \"contract_kw\" is \"many\".");
	kit_ctx.nattrs = 0;
	CHECK_STR(kit_measured_bill(json, "- - 0"),
			  "2 the tariff needs a quantity that is not given: It is the "
			  "attribute \"contract_kw\".");
}

static void
test_lacking(void)
{
	static const char json[] = HEAD "'demands':{'main':{},'other':{}},'components':[" DEMAND
									"'price':39,'when':{'qty':{'import_kwh':{'gt':100}}}}]}";

	kit_measure(NULL, NULL);
	kit_add_peak(1, NULL, 5 * EB_KWH);
	CHECK_STR(kit_measured_bill(json, "- - 101"),
			  "2 the tariff needs a demand that the usage lacks: It is the "
			  "demand \"main\".");
	/* nothing is asked for what is not charged */
	CHECK_STR(kit_measured_bill(json, "- - 100"), "");
	/* a demand that was measured and never came up is 0 */
	kit_add_peak(0, NULL, 0);
	CHECK_STR(kit_measured_bill(json, "- - 101"), "demand 0 x 39 = 0");
}

/* No window: 0 where no time counts, else the usage lacks it */
static void
test_no_window(void)
{
	static const char season[] =
		HEAD "'seasons':{'summer':[['06-01','10-01']]},'demands':{'main':{'season':['summer']}},"
			 "'components':[" DEMAND "'price':39}]}";
	static const char hours[] = HEAD
		"'schedules':{'tou':[{'period':'sharp','spans':[['18:00','20:00']],'days':['workday']},"
		"{'period':'rest'}]},'demands':{'main':{'period':['sharp']}},'components':[" DEMAND
		"'price':39}]}";
	static const char event[] =
		HEAD "'events':{'hot':[['2025-07-10T14:00','2025-07-10T16:00']]},'demands':{'main':"
			 "{'event':'hot','per':'month','months':[6,7]}},'components':[" DEMAND "'price':39}]}";

	kit_measure("2025-05-01", "2025-06-01");
	CHECK_STR(kit_measured_bill(season, "- - 0"), "demand 0 x 39 = 0");
	kit_measure("2025-05-01", "2025-06-02");
	CHECK(strncmp(kit_measured_bill(season, "- - 0"), "2 ", 2) == 0);
	/* Saturday and Sunday, then the working day with them */
	kit_measure("2025-11-22", "2025-11-24");
	CHECK_STR(kit_measured_bill(hours, "- rest 10"), "demand 0 x 39 = 0");
	kit_measure("2025-11-22", "2025-11-25");
	CHECK(strncmp(kit_measured_bill(hours, "- rest 10"), "2 ", 2) == 0);
	/* a month without the event beside one that has it */
	kit_measure("2025-06-01", "2025-08-01");
	kit_add_peak(0, "2025-07-10T15:00", 7 * EB_KWH);
	CHECK_STR(kit_measured_bill(event, "- - 0"), "demand 0 x 39 = 0; demand 7 x 39 = 273");
	npeaks = 0;
	CHECK(strncmp(kit_measured_bill(event, "- - 0"), "2 ", 2) == 0);
	kit_measure("2025-06-01", "2025-07-10T14:00");
	CHECK_STR(kit_measured_bill(event, "- - 0"), "demand 0 x 39 = 0; demand 0 x 39 = 0");
}

/* 80 % of the highest summer peak of eleven months [ssceq-aps-e32-tou]; the month's own percentage */
static void
test_ratchet(void)
{
	static const char json[] =
		HEAD "'demands':{'main':{'floor_kw':500,'ratchet':{'lookback':11,"
			 "'percent':[0,0,0,0,80,80,80,80,80,80,0,0]}}},'components':[" DEMAND "'price':1}]}";
	static const char masked[] = HEAD
		"'demands':{'main':{'ratchet':{'lookback':2,'percent':100,'months':[1,3],"
		"'current':[50,50,50,50,50,50,50,50,50,50,50,60]}}},'components':[" DEMAND "'price':1}]}";

	kit_measure("2025-01-01", "2025-02-01");
	kit_add_peak(0, "2025-01-10T10:00", 1000 * EB_KWH);
	kit_add_past("main", 2024, 1, 5000); /* a year back: out of sight */
	kit_add_past("main", 2024, 2, 1400); /* no percentage */
	kit_add_past("main", 2024, 8, 1300);
	kit_add_past("main", 2024, 7, 1050);
	kit_add_past("other", 2024, 7, 9000);
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 1040 x 1 = 1040");
	past[2].ukw = 1200 * EB_KWH;
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 1000 x 1 = 1000");
	peak[0].ukw = 0;
	past[2].ukw = past[3].ukw = 0;
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 500 x 1 = 500");

	kit_measure("2024-12-01", "2025-01-01");
	kit_add_peak(0, "2024-12-10T10:00", 100 * EB_KWH);
	kit_add_past("main", 2024, 11, 90); /* not one of the months that count */
	CHECK_STR(kit_measured_bill(masked, "- - 0"), "demand 60 x 1 = 60");
	kit_measure("2025-02-20", "2025-03-20");
	kit_add_peak(0, "2025-03-10T10:00", 100 * EB_KWH);
	kit_add_past("main", 2025, 1, 90);
	kit_add_past("main", 2024, 12, 95);
	CHECK_STR(kit_measured_bill(masked, "- - 0"), "demand 90 x 1 = 90");
	kit_measure(NULL, NULL);
	kit_add_peak(0, NULL, 1);
	CHECK_STR(kit_measured_bill(masked, "- - 0"),
			  "2 the tariff needs the dates of the usage: They decide which "
			  "months a ratchet looks back to.");
}

/* The mean of the three highest hours on different days: 8.1, 7.4, 6.9 */
static void
test_top_mean(void)
{
	static const char json[] =
		HEAD "'demands':{'main':{'window':60,'agg':'top_mean','n':3,'distinct':'day'}},"
			 "'components':[" DEMAND "'price':1}]}";

	kit_measure("2025-01-01", "2025-02-01");
	kit_add_peak(0, "2025-01-10T10:00", 8100000);
	kit_add_peak(0, "2025-01-10T11:00", 8000000);
	kit_add_peak(0, "2025-01-20T07:00", 7400000);
	kit_add_peak(0, "2025-01-21T07:00", 6900000);
	kit_add_peak(0, "2025-01-22T07:00", 6800000);
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 7.466667 x 1 = 7.47");
	npeaks = 3;
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 7.75 x 1 = 7.75");
}

/* A charge for each month that the bill touches, the second with the first in its ratchet */
static void
test_months(void)
{
	static const char json[] =
		HEAD "'demands':{'main':{'per':'month','ratchet':{'lookback':1,'percent':75}}},"
			 "'components':[" DEMAND "'price':2}]}";

	kit_measure("2025-01-15", "2025-03-01");
	kit_add_peak(0, "2025-01-20T10:00", 100 * EB_KWH);
	kit_add_peak(0, "2025-02-20T10:00", 60 * EB_KWH);
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 100 x 2 = 200; demand 75 x 2 = 150");
	CHECK_INT(kit_line[1].from_us, kit_instant("2025-02-01"));
	CHECK_INT(kit_line[1].to_us, kit_instant("2025-03-01"));
	kit_add_past("main", 2024, 12, 200);
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 150 x 2 = 300; demand 75 x 2 = 150");
	kit_add_peak(0, NULL, 70 * EB_KWH);
	CHECK_STR(kit_measured_bill(json, "- - 0"),
			  "2 the tariff needs the dates of the usage: They decide which month, quarter or year "
			  "the demand \"main\" is of.");
}

/* One demand, 10 of 30 days at 30, 20 at 60; then 15 of the 30 days in service */
static void
test_prorated(void)
{
	static const char json[] =
		HEAD "'seasons':{'summer':[['06-11','10-01']]},'demands':{'main':{}},'components':[" DEMAND
			 "'prorate':'days','price':{'season':{'summer':60,'*':30}}}]}";
	static const char steps[] =
		HEAD "'demands':{'main':{}},'components':[" DEMAND
			 "'prorate':'days','tier':{'steps':[{'up_to':50,'unit':'kw','price':10},"
			 "{'unit':'kw','price':20}]}}]}";
	static const char once[] =
		HEAD "'seasons':{'summer':[['06-11','10-01']]},'demands':{'main':{}},'components':[" DEMAND
			 "'price':{'season':{'summer':60,'*':30}}}]}";

	kit_measure("2025-06-01", "2025-07-01");
	kit_add_peak(0, "2025-06-03T10:00", 90 * EB_KWH);
	kit_add_peak(0, "2025-06-20T10:00", 60 * EB_KWH);
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 30 x 30 = 900; demand 60 x 60 = 3600");
	CHECK_STR(kit_measured_bill(once, "- - 0"), "demand 90 x 60 = 5400");
	kit_ctx.service_days_u = 15 * EB_KWH;
	CHECK_STR(kit_measured_bill(json, "- - 0"), "demand 15 x 30 = 450; demand 30 x 60 = 1800");
	CHECK_STR(kit_measured_bill(steps, "- - 0"), "demand#1 25 x 10 = 250; demand#2 20 x 20 = 400");
}

/* ---------------------------------------------------------------- random windows */

static uint64_t state;

/* splitmix64 */
static uint64_t
next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int64_t
below(int64_t n)
{
	return (int64_t) (next() % (uint64_t) n);
}

/* What makes two windows one: the window, its day, week or month, of three months from 2024-12-02 */
static int64_t
key_of(const EbPeak *one, int distinct)
{
	int32_t day = eb_local_day(&kit_zone, one->at_us, NULL);
	EbDate date = eb_date_from_day(day);

	if (distinct == EB_DISTINCT_WINDOW)
		return one->at_us;
	if (distinct == EB_DISTINCT_DAY)
		return day;
	if (distinct == EB_DISTINCT_WEEK)
		return (day - eb_day_from_date(2024, 12, 2)) / 7;
	return date.year * 12 + date.month;
}

static int
compare_kw(const void *a, const void *b)
{
	const EbPeak *x = a;
	const EbPeak *y = b;

	return x->ukw != y->ukw ? (x->ukw > y->ukw ? -1 : 1) : x->at_us < y->at_us ? -1 : 1;
}

static int64_t
slow_mean(int n, int distinct)
{
	EbPeak sorted[MAX_PEAKS];
	int64_t used[MAX_PEAKS];
	int64_t sum = 0;
	int taken = 0;

	memcpy(sorted, peak, sizeof(sorted));
	qsort(sorted, (size_t) npeaks, sizeof(*sorted), compare_kw);
	for (int i = 0; i < npeaks && taken < n; i++)
	{
		int64_t key = key_of(&sorted[i], distinct);
		bool known = false;

		for (int j = 0; j < taken; j++)
			known = known || used[j] == key;
		if (known)
			continue;
		used[taken++] = key;
		sum += sorted[i].ukw;
	}
	return (2 * sum + taken) / (2 * taken);
}

static void
test_random(void)
{
	static const char *const word[] = {"window", "day", "week", "month"};
	int wrong = 0;
	int falls = 0;

	for (int kind = 0; kind < 16; kind++)
	{
		const EbTariff *tariff;
		char json[400];
		int n = 1 + kind / 4;

		snprintf(json, sizeof(json),
				 HEAD "'demands':{'main':{'agg':'top_mean','n':%d,'distinct':'%s'}},"
					  "'components':[" DEMAND "'price':1}]}",
				 n, word[kind % 4]);
		tariff = kit_json_tariff(json, &kit_fault);
		if (!CHECK(tariff != NULL))
			return;
		for (int i = 0; i < 100000 / 16; i++)
		{
			int64_t before;
			int more;

			kit_measure("2024-12-02", "2025-03-03");
			for (int k = 1 + (int) below(10); k > 0; k--)
			{
				kit_add_peak(0, NULL, below(20) * 1000 + below(3));
				peak[npeaks - 1].at_us = kit_instant("2024-12-02") +
										 (below(91) * 96 + below(4)) * 15 * EB_MINUTE_US +
										 (npeaks - 1) * EB_MINUTE_US;
			}
			more = (int) below(npeaks);
			for (int again = 0; again < 2; again++)
			{
				if (eb_rate(tariff, &kit_zone, kit_measured(tariff, "2024-12-02 - 0"), &kit_ctx,
							kit_line, KIT_MAX_LINES, &kit_nlines, &kit_fault) != EB_OK ||
					kit_nlines != 1 || kit_line[0].quantity_u != slow_mean(n, kind % 4))
					wrong++;
				if (again == 0)
					before = kit_line[0].quantity_u;
				peak[more].ukw += below(5000);
			}
			/* with one window, or of fewer than n, a higher peak raises the mean */
			falls += n == 1 && kit_line[0].quantity_u < before;
		}
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(falls, 0);
}

int
main(void)
{
	const char *given = getenv("EB_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);

	state = seed;
	printf("demand: EB_SEED=%" PRIu64 "\n", seed);
	test_contract();
	test_factor();
	test_floors();
	test_lacking();
	test_no_window();
	test_ratchet();
	test_top_mean();
	test_months();
	test_prorated();
	test_random();
	return check_done("demand");
}
