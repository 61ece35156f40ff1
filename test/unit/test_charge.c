/*
 * test_charge.c -- fixed charges, percentages, minimums, rounding, conditions, what is refused
 * Sources in brackets are cases of the tariff vectors and sections of the tariff reference.
 */
#include "check.h"
#include "kit_rate.h"

#define HEAD "{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai',"
#define ONE_YUAN "{'code':'e','kind':'energy','price':1}"

static const char *
with_fixed(const char *keys)
{
	static char json[1000];

	snprintf(json, sizeof(json),
			 HEAD "'seasons':{'summer':[['06-16','09-01']]},'components':[{'code':'f',%s}]}", keys);
	return json;
}

static void
test_fixed(void)
{
	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':12.5"), ""), "f 1 x 12.5 = 12.5");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':0.4,'per':'day'"), ""),
			  "f 30 x 0.4 = 12");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':10,'per':'month'"), ""), "f 1 x 10 = 10");
	/* by days the price follows the season, 15 of 30 days in each */
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':{'season':{'summer':2,'*':1}},"
								  "'per':'day'"),
					   ""),
			  "f 15 x 1 = 15; f 15 x 2 = 30");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':{'season':{'summer':30,'*':20}},"
								  "'per':'month'"),
					   ""),
			  "f 0.5 x 20 = 10; f 0.5 x 30 = 15");
	/* once per bill: the rules of the last day */
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':{'season':{'summer':2,'*':1}}"), ""),
			  "f 1 x 2 = 2");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':7,'valid':['2024-06-11',null]"), ""),
			  "f 1 x 7 = 7");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':7,'valid':[null,'2024-06-11']"), ""), "");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':3,'per':'day',"
								  "'valid':['2024-06-11','2024-06-21']"),
					   ""),
			  "f 10 x 3 = 30");
	kit_add_attr("meters", "3");
	CHECK_STR(
		kit_rate(with_fixed("'kind':'fixed','quantity':'attr:meters','price':2,'per':'day'"), ""),
		"f 90 x 2 = 180");
}

static void
test_proration(void)
{
	const char *kva = "'kind':'fixed','quantity':'attr:kva','price':25,'prorate':'days'";

	/* 400 kVA x 25 x 20/30 = 6,666.67 [2.8] */
	kit_begin("2024-06-11", "2024-07-01");
	kit_add_attr("kva", "400");
	CHECK_STR(kit_rate(with_fixed(kva), ""), "f 266.666667 x 25 = 6666.67");
	/* exact, not through the shown quantity: 5,000,000 x 2/3 */
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':5000000,'prorate':'days'"), ""),
			  "f 0.666667 x 5000000 = 3333333.33");
	/* over two months: 20/30 + 10/31 */
	kit_begin("2024-06-11", "2024-07-11");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':93,'per':'month','prorate':'days'"), ""),
			  "f 0.989247 x 93 = 92");
	/* months are counted from the first day, to the nearest whole one, at least one */
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':9,'per':'month'"), ""), "f 1 x 9 = 9");
	kit_begin("2024-01-31", "2024-03-31");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':9,'per':'month'"), ""), "f 2 x 9 = 18");
	kit_begin("2024-06-01", "2024-06-05");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':9,'per':'month'"), ""), "f 1 x 9 = 9");
	kit_begin("2024-06-01", "2024-07-18");
	CHECK_STR(kit_rate(with_fixed("'kind':'custom','quantity':'months','price':9"), ""),
			  "f 2 x 9 = 18");
	CHECK_STR(kit_rate(with_fixed("'kind':'custom','quantity':'days','price':2"), ""),
			  "f 47 x 2 = 94");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':9,'prorate':'months'"), ""),
			  "f 2 x 9 = 18");
	/* 7 of 30 days at 7.40, half as much again, are 2.59 exactly: nothing to round up */
	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':7.4,'per':'month','valid':['2024-06-01',"
								  "'2024-06-08'],'factor_if':[{'if':{'months':[6]},'factor':1.5,"
								  "'round':{'step':0.001,'mode':'up'}}]"),
					   ""),
			  "f 0.233333 x 7.4 x 1.5 = 2.59");
	/* two months that begin and end in other months, one of them in summer: one price each */
	kit_begin("2024-06-16", "2024-10-01");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':{'season':{'summer':1,'*':2}},"
								  "'per':'month'"),
					   ""),
			  "f 2.516129 x 1 = 2.52; f 1.483871 x 2 = 2.97");
	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':1,'per':'day'"), ""),
			  "2 the tariff needs the dates of the usage: They decide the number of days.");
	CHECK_STR(kit_rate(with_fixed("'kind':'fixed','price':1,'prorate':'days'"), ""),
			  "2 the tariff needs the dates of the usage: They decide days as a part of their "
			  "month.");
}

/* Energy of some periods only, and two schedules over the same energy */
static void
test_periods(void)
{
	const char *json = HEAD
		"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]},"
		"'components':[{'code':'all','kind':'energy','price':1},"
		"{'code':'p','kind':'energy','price':2,'period':['peak']},"
		"{'code':'v','kind':'energy','price':{'period':{'valley':3}},'period':['valley']}]}";

	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(json, "- peak 10, - valley 4"),
			  "all 14 x 1 = 14; p/peak 10 x 2 = 20; v/valley 4 x 3 = 12");
	CHECK_STR(kit_rate(json, "- peak 10"),
			  "all 10 x 1 = 10; p/peak 10 x 2 = 20; v/valley 0 x 3 = 0");
}

/* The kWh of the bill as a custom quantity, and as a fixed one that is no energy charge */
static void
test_import_quantity(void)
{
	const char *seasonal =
		HEAD "'seasons':{'summer':[['06-16','09-01']]},'components':[{'code':'c',"
			 "'kind':'custom','quantity':'import_kwh','price':{'season':{"
			 "'summer':2,'*':1}}},{'code':'f','kind':'fixed','quantity':'import_kwh',"
			 "'price':0.5},{'code':'d','kind':'custom','quantity':'import_kwh',"
			 "'price':0.01,'per':'day'}]}";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(seasonal, "2024-06-01 - 3, 2024-06-16 - 4"),
			  "c 3 x 1 = 3; c 4 x 2 = 8; f 7 x 0.5 = 3.5; d 210 x 0.01 = 2.1");
	CHECK_INT(kit_line[0].unit, EB_UNIT_KWH);
	CHECK_INT(kit_line[2].unit, EB_UNIT_BILL);
	CHECK_INT(kit_line[3].unit, EB_UNIT_DAY);
}

static const char tepco[] =
	HEAD "'round':{'quantity':{'step':1},'line':null,'total':{'step':1,'mode':'floor'}},"
		 "'components':[{'code':'basic','kind':'fixed','price':{'attr':'ampere','of':{'10':286,"
		 "'30':858}},'factor_if':[{'if':{'qty':{'import_kwh':{'le':0}}},'factor':0.5}]},"
		 "{'code':'energy','kind':'energy','tier':{'steps':[{'up_to':120,'price':19.88},"
		 "{'up_to':300,'price':26.48},{'price':30.57}]}},"
		 "{'code':'least','kind':'minimum','amount':231.55}]}";

/* Quantity to 1 kWh, half the basic charge at 0, minimum, floor to whole yen [2.9, 2.13] */
static void
test_japan(void)
{
	kit_begin(NULL, NULL);
	kit_add_attr("ampere", "10");
	CHECK_STR(kit_rate(tepco, "- - 0"),
			  "basic 1 x 286 x 0.5 = 143; energy#1 0 x 19.88 = 0; least 1 x 88.55 = 88.55; "
			  " 1 x -0.55 = -0.55"); /* jp-tepco-10A-0: 231 */
	/* 0.4 kWh are 0 on the bill, but the charge is not halved */
	CHECK_STR(kit_total(tepco, "- - 0.4"), "286");
	CHECK_STR(kit_rate(tepco, "- - 120.5"), "basic 1 x 286 = 286; energy#1 120 x 19.88 = 2385.6; "
											"energy#2 1 x 26.48 = 26.48;  1 x -0.08 = -0.08");
	kit_attr[0].value = kit_text("15");
	CHECK_STR(kit_rate(tepco, "- - 1"), "2 no price for the value of an attribute: Attribute "
										"\"ampere\" is 15.");
}

static void
test_percent(void)
{
	const char *levy = HEAD "'components':[{'code':'base','kind':'fixed','price':100},"
							"{'code':'levy','kind':'percent','percent':1.6,'when':{'qty':{"
							"'import_kwh':{'gt':300}}}}]}";
	const char *sst = HEAD "'components':[{'code':'base','kind':'fixed','price':%s},"
						   "{'code':'sst','kind':'percent','percent':8,'share_above':{"
						   "'import_kwh':600}}]}";
	const char *retail = HEAD "'components':[{'code':'retail','kind':'fixed','price':10,'when':{"
							  "'qty':{'import_kwh':{'gt':600}}}}]}";
	char json[600];

	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(levy, "- - 300"), "base 1 x 100 = 100"); /* my-kwtbb-300 */
	CHECK_STR(kit_rate(levy, "- - 400"), "base 1 x 100 = 100; levy 100 x 1.6 = 1.6");
	snprintf(json, sizeof(json), sst, "200");
	CHECK_STR(kit_rate(json, "- - 800"),
			  "base 1 x 200 = 200; sst 200 x 8 x 0.25 = 4"); /* my-sst-800 */
	CHECK_STR(kit_rate(json, "- - 600"), "base 1 x 200 = 200; sst 200 x 8 x 0 = 0");
	CHECK_STR(kit_rate(json, "- - 0"), "base 1 x 200 = 200; sst 200 x 8 x 0 = 0");
	/* my-sst-900: 2.6667, rounded to the cent */
	snprintf(json, sizeof(json), sst, "100");
	CHECK_STR(kit_rate(json, "- - 900"), "base 1 x 100 = 100; sst 100 x 8 x 0.333333333 = 2.67");
	CHECK_INT((int64_t) (kit_line[1].amount_raw % EB_ONE), 666666667);
	/* a share that has no short form, of a large base */
	snprintf(json, sizeof(json), sst, "8765432109.87");
	CHECK_STR(kit_rate(json, "- - 723.456789"),
			  "base 1 x 8765432109.87 = 8765432109.87; "
			  "sst 8765432109.87 x 8 x 0.170648463 = 119664601.28");
	CHECK_STR(kit_rate(retail, "- - 600"), "");
	CHECK_STR(kit_rate(retail, "- - 700"), "retail 1 x 10 = 10"); /* my-retail-700 */
}

/* A percentage takes the rounded amounts; a tax rate holds for the lines that end in its time */
static void
test_percent_base(void)
{
	const char *format = HEAD "'components':[{'code':'a','kind':'energy','price':0.333},"
							  "{'code':'b','kind':'energy','group':'other','price':0.333},"
							  "{'code':'t','kind':'percent','percent':10%s}]}";
	const char *tax = HEAD "'components':[{'code':'d','kind':'energy','tier':{'scope':'month',"
						   "'steps':[{'price':1}]}},"
						   "{'code':'old','kind':'percent','percent':6,'valid':[null,'2024-05-01'],"
						   "'base':['d']},"
						   "{'code':'new','kind':'percent','percent':9,'valid':['2024-05-01',null],"
						   "'base':['d']}]}";
	char json[600];

	kit_begin("2024-04-01", "2024-06-01");
	snprintf(json, sizeof(json), format, "");
	/* 0.333 + 0.333 are 0.33 + 0.33 on the bill, 10 % of 0.66 is 0.07 */
	CHECK_STR(kit_rate(json, "2024-04-01 - 1"),
			  "a 1 x 0.333 = 0.33; b 1 x 0.333 = 0.33; t 0.66 x 10 = 0.07");
	snprintf(json, sizeof(json), format, ",'per_line':true");
	CHECK_STR(kit_rate(json, "2024-04-01 - 1"),
			  "a 1 x 0.333 = 0.33; b 1 x 0.333 = 0.33; t 0.33 x 10 = 0.03; t 0.33 x 10 = 0.03");
	snprintf(json, sizeof(json), format, ",'base':['other']");
	CHECK_STR(kit_rate(json, "2024-04-01 - 1"),
			  "a 1 x 0.333 = 0.33; b 1 x 0.333 = 0.33; t 0.33 x 10 = 0.03");
	CHECK_STR(kit_rate(tax, "2024-04-01 - 100, 2024-05-01 - 50"),
			  "d#1 100 x 1 = 100; d#1 50 x 1 = 50; old 100 x 6 = 6; new 50 x 9 = 4.5");
	/* a charge that ends in May takes the rate of May */
	kit_begin("2024-04-15", "2024-05-15");
	CHECK_STR(kit_rate(tax, "2024-04-15 - 100"), "d#1 100 x 1 = 100; old 100 x 6 = 6");
}

static void
test_limits(void)
{
	const char *format = HEAD "'components':[{'code':'base','kind':'fixed','price':%s},"
							  "{'code':'least','kind':'minimum','amount':1000%s},"
							  "{'code':'most','kind':'maximum','amount':1700,'base':['base']}]}";
	char json[600];

	kit_begin("2024-04-01", "2024-06-01");
	snprintf(json, sizeof(json), format, "100", "");
	CHECK_STR(kit_rate(json, ""), "base 1 x 100 = 100; least 1 x 900 = 900"); /* om-grad-min1000 */
	snprintf(json, sizeof(json), format, "100", ",'scope':'month'");
	CHECK_STR(kit_rate(json, ""), "base 1 x 100 = 100; least 1 x 1900 = 1900");
	snprintf(json, sizeof(json), format, "1720", "");
	CHECK_STR(kit_rate(json, ""), "base 1 x 1720 = 1720; most 1 x -20 = -20");
	snprintf(json, sizeof(json), format, "1000", "");
	CHECK_STR(kit_rate(json, ""), "base 1 x 1000 = 1000");
	kit_ctx.final = false;
	snprintf(json, sizeof(json), format, "100", "");
	CHECK_STR(kit_rate(json, ""), "base 1 x 100 = 100");
}

static void
test_rounding(void)
{
	const char *format =
		HEAD "'round':{%s},'components':[{'code':'e','kind':'energy','price':%s}]}";
	char json[600];

	kit_begin(NULL, NULL);
	snprintf(json, sizeof(json), format, "'price':{'step':0.0001}", "{'mul':[0.12345,1]}");
	CHECK_STR(kit_rate(json, "- - 1000"), "e 1000 x 0.1235 = 123.5");
	snprintf(json, sizeof(json), format, "", "-0.125");
	CHECK_STR(kit_rate(json, "- - 1"), "e 1 x -0.125 = -0.13"); /* 2.13: away from zero */
	snprintf(json, sizeof(json), format, "'line':{'step':10,'mode':'floor'}", "1");
	CHECK_STR(kit_rate(json, "- - 19"), "e 19 x 1 = 10");
	snprintf(json, sizeof(json), format, "'line':null,'total':{'step':0.01}", "0.453968");
	/* cn-zj-feb2026 has such a total: 8.28032 -> 8.28 */
	CHECK_STR(kit_rate(json, "- - 18.24"),
			  "e 18.24 x 0.453968 = 8.28037632;  1 x -0.00037632 = -0.00037632");
	snprintf(json, sizeof(json), format, "'line':null", "0.333333333");
	CHECK_STR(kit_rate(json, "- - 0.000001"), "e 0.000001 x 0.333333333 = 0.000000333333333");
	snprintf(json, sizeof(json), format, "'quantity':{'step':0.000000001}", "1");
	CHECK_STR(kit_rate(json, "- - 1.234567"), "e 1.234567 x 1 = 1.23");
	snprintf(json, sizeof(json), format, "'quantity':{'step':0.5,'mode':'up'}", "1");
	CHECK_STR(kit_rate(json, "- - 1.2"), "e 1.5 x 1 = 1.5");
}

static const char *
with_when(const char *condition)
{
	static char json[1000];

	snprintf(json, sizeof(json),
			 HEAD "'seasons':{'summer':[['06-16','09-01']]},'components':[{'code':'e',"
				  "'kind':'energy','price':1,'when':%s}]}",
			 condition);
	return json;
}

static void
test_conditions(void)
{
	const char *usage = "2024-06-01 - 10, 2024-06-16 - 5, 2024-07-01 - 3";

	kit_begin("2024-06-01", "2024-08-01");
	CHECK_STR(kit_rate(with_when("{'season':['summer']}"), usage), "e 8 x 1 = 8");
	CHECK_STR(kit_rate(with_when("{'season':['*']}"), usage), "e 10 x 1 = 10");
	CHECK_STR(kit_rate(with_when("{'months':[7]}"), usage), "e 3 x 1 = 3");
	CHECK_STR(kit_rate(with_when("{'months':[12]}"), usage), "");
	CHECK_STR(kit_rate(with_when("{'date':['2024-06-20',null]}"), "2024-06-16 - 2, 2024-06-20 - 4"),
			  "e 4 x 1 = 4");
	CHECK_STR(kit_rate(with_when("{'qty':{'import_kwh':{'ge':18,'le':18}}}"), usage),
			  "e 18 x 1 = 18");
	CHECK_STR(kit_rate(with_when("{'qty':{'import_kwh':{'lt':18}}}"), usage), "");
	CHECK_STR(kit_rate(with_when("{'qty':{'days':{'gt':60}}}"), usage), "e 18 x 1 = 18");
	CHECK_STR(kit_rate(with_when("{'attr':{'kind':'shop'}}"), usage), "");
	kit_add_attr("kind", "shop");
	kit_add_attr("kva", "0");
	CHECK_STR(kit_rate(with_when("{'attr':{'kind':'shop'}}"), usage), "e 18 x 1 = 18");
	CHECK_STR(kit_rate(with_when("{'attr':{'kind':['home','shop']}}"), usage), "e 18 x 1 = 18");
	CHECK_STR(kit_rate(with_when("{'attr':{'kva':{'ge':100}}}"), usage), "");
	/* a ratio to nothing is in no range */
	CHECK_STR(kit_rate(with_when("{'ratio':{'of':'import_kwh','to':'attr:kva','ge':1}}"), usage),
			  "");
	kit_attr[1].value = kit_text("2");
	CHECK_STR(
		kit_rate(with_when("{'ratio':{'of':'import_kwh','to':'attr:kva','ge':9,'le':9}}"), usage),
		"e 18 x 1 = 18");
	CHECK_STR(kit_rate(with_when("{'ratio':{'of':'import_kwh','to':'attr:kva','gt':9}}"), usage),
			  "");
	CHECK_STR(kit_rate(with_when("{'ratio':{'of':'import_kwh','to':'attr:area','gt':9}}"), usage),
			  "2 the tariff needs a quantity that is not given: It is the attribute \"area\".");
	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(with_when("{'months':[7]}"), "- - 1"),
			  "2 the tariff needs the dates of the usage: They decide whether a condition holds.");
}

/* China: demand price x 0.9 from 260 kWh/kVA, with a rounding of its own [2.8] */
static void
test_factor_if(void)
{
	const char *json =
		HEAD "'components':[{'code':'d','kind':'custom','quantity':'kw','price':39,"
			 "'factor_if':[{'if':{'ratio':{'of':'import_kwh','to':'attr:kva','ge':260}},"
			 "'factor':0.9,'round':{'step':0.1,'mode':'down'}}]}]}";
	const char *season = HEAD "'seasons':{'summer':[['06-16','09-01']]},'components':[{'code':'e',"
							  "'kind':'energy','price':1,'factor_if':[{'if':{'season':['summer']},"
							  "'factor':2}]}]}";

	kit_begin("2024-06-01", "2024-07-01");
	kit_add_attr("kva", "315");
	kit_add_qty("kw", "200");
	CHECK_STR(kit_rate(json, "2024-06-01 - 81900"), "d 200 x 39 x 0.9 = 7020");
	CHECK_STR(kit_rate(json, "2024-06-01 - 81899.999999"), "d 200 x 39 = 7800");
	kit_qty[0].value_u = 200001000;
	CHECK_STR(kit_rate(json, "2024-06-01 - 90000"), "d 200.001 x 39 x 0.9 = 7020");
	CHECK_STR(kit_rate(season, "2024-06-01 - 3, 2024-06-16 - 4"), "e 3 x 1 = 3; e 4 x 1 x 2 = 8");
}

static void
test_refused(void)
{
	const char *units =
		HEAD "'components':[{'code':'e','kind':'energy','tier':{'steps':[{'price':1}]}},"
			 "{'code':'u','kind':'custom','quantity':'units','tier':{'steps':[{"
			 "'price':1}]}}]}";
	const char *dear = HEAD "'components':[{'code':'e','kind':'energy','price':9000000000},"
							"{'code':'f','kind':'energy','price':9000000000},"
							"{'code':'g','kind':'energy','price':9000000000},"
							"{'code':'t','kind':'percent','percent':10}]}";
	EbUsage usage = {.nslots = 1, .from_us = INT64_MIN, .to_us = INT64_MIN};
	const EbTariff *tariff;
	EbLine line[1];
	int n;

	kit_begin(NULL, NULL);
	kit_add_qty("units", "1");
	kit_before(EB_SCOPE_BILL, "5");
	CHECK_STR(kit_rate(units, "- - 1"), "3 tiers of one scope count different quantities");
	kit_before(EB_SCOPE_BILL, "0");
	CHECK_STR(kit_rate(units, "- - 1"), "e#1 1 x 1 = 1; u#1 1 x 1 = 1");
	CHECK_STR(kit_rate(dear, "- - 9223372036854"),
			  "4 number is out of range: It is the base of a percentage.");
	kit_begin("2024-06-01", "2024-06-01");
	CHECK_STR(kit_rate(units, ""), "1 service range is empty");
	kit_begin("1950-01-01", "2050-01-01");
	CHECK_STR(kit_rate(units, ""), "4 service range is too long for one bill: Months, seasons and "
								   "dates cut it into more than 1024 parts.");
	kit_begin("2024-06-01", "2024-08-01");
	kit_ctx.from_us = kit_instant("2024-07-01");
	kit_ctx.to_us = kit_instant("2024-08-01");
	CHECK_STR(kit_rate(units, "2024-06-01 - 1"),
			  "3 usage lies outside the service range: There is energy in the days from 2024-06-01 "
			  "on.");
	tariff = kit_json_tariff(dear, &kit_fault);
	kit_begin(NULL, NULL);
	usage.fingerprint[3] = 1;
	CHECK_INT(eb_rate(tariff, &kit_zone, &usage, &kit_ctx, line, 1, &n, &kit_fault), EB_CONFLICT);
	CHECK_STR(kit_fault.message, "usage was classified by different tariffs");
	usage.fingerprint[3] = 0;
	CHECK_INT(eb_rate(tariff, &kit_zone, &usage, &kit_ctx, line, 1, &n, &kit_fault), EB_UNKNOWN);
	CHECK_STR(kit_fault.detail, "It is the channel \"import_kwh\".");
	usage.channels = 1u << EB_IMPORT_KWH;
	CHECK_INT(eb_rate(tariff, &kit_zone, &usage, &kit_ctx, line, 1, &n, &kit_fault), EB_NO_SPACE);
}

static void
test_quality(void)
{
	const char *json = HEAD "'components':[" ONE_YUAN ",{'code':'f','kind':'fixed','price':1},"
							"{'code':'t','kind':'percent','percent':10,'base':['e']}]}";

	kit_begin("2024-06-01", "2024-07-01");
	kit_quality = EB_ESTIMATED;
	kit_rate(json, "2024-06-01 - 10");
	CHECK_INT(kit_line[0].quality, EB_ESTIMATED);
	CHECK_INT(kit_line[1].quality, EB_ACTUAL);
	CHECK_INT(kit_line[2].quality, EB_ESTIMATED);
	kit_missing_s = 900;
	kit_rate(json, "2024-06-01 - 10");
	CHECK_INT(kit_line[0].quality, EB_MISSING);
	CHECK_INT(kit_line[0].from_us, kit_instant("2024-06-01"));
	CHECK_INT(kit_line[0].to_us, kit_instant("2024-07-01"));
}

/* The price of the next kWh */
static const char *
next_price(const char *json, const char *at, const char *before)
{
	static char text[200];
	const EbTariff *tariff = kit_json_tariff(json, &kit_fault);
	int64_t before_u;
	eb_int128 price;

	eb_decimal_parse64(kit_text(before), EB_ENERGY_SCALE, &before_u);
	if (tariff == NULL || eb_rate_marginal(tariff, &kit_zone, kit_instant(at), before_u, kit_attr,
										   kit_ctx.nattrs, &price, &kit_fault) != EB_OK)
		return kit_fault.message;
	eb_decimal_format(price, EB_AMOUNT_SCALE, text);
	return text;
}

static void
test_marginal(void)
{
	const char *json = HEAD
		"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]},"
		"'components':[{'code':'energy','kind':'energy','price':{'period':{'peak':0.568,"
		"'valley':0.288}},'tier':{'mode':'adder','scope':'year','steps':[{'up_to':2760,'price':0},"
		"{'up_to':4800,'price':0.05},{'price':0.3}]}},"
		"{'code':'fund','kind':'energy','price':0.01,'period':['peak']},"
		"{'code':'f','kind':'fixed','price':5}]}";
	const char *steps =
		HEAD "'seasons':{'summer':[['06-16','09-01']]},'components':[{'code':'e',"
			 "'kind':'energy','tier':{'scope':'month','steps':[{'up_to':300,'price':{"
			 "'season':{'summer':1,'*':2}}},{'price':3,'factor':1.5}]}}]}";

	kit_begin(NULL, NULL);
	CHECK_STR(next_price(json, "2024-06-01T08:00", "0"), "0.578");
	CHECK_STR(next_price(json, "2024-06-01T07:59", "0"), "0.288");
	CHECK_STR(next_price(json, "2024-06-01T07:59", "2759.999999"), "0.288");
	CHECK_STR(next_price(json, "2024-06-01T07:59", "2760"), "0.338");
	CHECK_STR(next_price(json, "2024-06-01T12:00", "4800"), "0.878");
	CHECK_STR(next_price(steps, "2024-06-01", "149"), "2"); /* half the month, half the bound */
	CHECK_STR(next_price(steps, "2024-06-01", "150"), "4.5");
	CHECK_STR(next_price(steps, "2024-06-30", "149"), "1");
	CHECK_STR(next_price(steps, "2024-07-30", "299"), "1");
	CHECK_STR(next_price(HEAD "'components':[{'code':'p','kind':'energy','price':1,'tier':{"
							  "'mode':'package','size':10}}]}",
						 "2024-06-01", "0"),
			  "a package has no price of the next kWh");
}

int
main(void)
{
	test_fixed();
	test_proration();
	test_periods();
	test_import_quantity();
	test_japan();
	test_percent();
	test_percent_base();
	test_limits();
	test_rounding();
	test_conditions();
	test_factor_if();
	test_refused();
	test_quality();
	test_marginal();
	return check_done("charge");
}
