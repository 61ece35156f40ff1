/*
 * test_rate_step.c -- units of bounds, nested steps, bounds by period, what was used before
 * Sources in brackets are cases of the tariff vectors and sections of the tariff reference.
 */
#include "check.h"
#include "kit_rate.h"

#define HEAD "{'elecbill':1,'currency':'USD','zone':'Asia/Shanghai',"
#define PEAK_VALLEY \
	"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]},"
#define MAIN "'demands':{'main':{'window':15}},"

/* The highest quarter hour of June */
static EbPeak peak;

static const char *
rate_with_peak(const char *json, const char *usage, const char *kw)
{
	const EbTariff *tariff = kit_tariff_of(json);
	EbUsage *used;
	EbStatus status;

	kit_bill[kit_length = 0] = '\0';
	if (tariff == NULL)
		return kit_fault.detail;
	used = kit_usage(tariff, usage);
	peak = (EbPeak){.part_day = kit_part_day[0], .at_us = kit_instant(kit_from)};
	eb_decimal_parse64(kit_text(kw), EB_ENERGY_SCALE, &peak.ukw);
	used->peak = &peak;
	used->npeaks = 1;
	status = eb_rate(tariff, &kit_zone, used, &kit_ctx, kit_line, KIT_MAX_LINES, &kit_nlines,
					 &kit_fault);
	if (status != EB_OK)
		return kit_fault.message;
	for (int i = 0; i < kit_nlines; i++)
	{
		if (i > 0)
			kit_add("; ");
		kit_write_line(tariff, &kit_line[i]);
	}
	return kit_bill;
}

/* Hours of use of the billing demand: 200, 400, 600 h of 658 kW [ssceq-kwhkw-jan] */
static void
test_kwh_per_kw(void)
{
	const char *json =
		HEAD MAIN "'components':[{'code':'e','kind':'energy','tier':{'scope':'month','steps':["
				  "{'up_to':200,'unit':'kwh_per_kw','demand':'main','price':4},"
				  "{'up_to':400,'unit':'kwh_per_kw','demand':'main','price':3},"
				  "{'up_to':600,'unit':'kwh_per_kw','demand':'main','price':2},{'price':1}]}}]}";
	const char *daily = HEAD MAIN
		"'components':[{'code':'e','kind':'energy','tier':{'scope':'month','steps':["
		"{'up_to':2.5,'unit':'kwh_per_kw_day','demand':'main','price':4},{'price':1}]}}]}";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(rate_with_peak(json, "2024-06-01 - 400000", "658"),
			  "e#1 131600 x 4 = 526400; e#2 131600 x 3 = 394800; e#3 131600 x 2 = 263200; "
			  "e#4 5200 x 1 = 5200");
	/* 2.5 x 30 days x 10.5 kW */
	CHECK_STR(rate_with_peak(daily, "2024-06-01 - 1000", "10.5"),
			  "e#1 787.5 x 4 = 3150; e#2 212.5 x 1 = 212.5");
	CHECK_STR(rate_with_peak(daily, "2024-06-01 - 10", "0"), "e#2 10 x 1 = 10");
}

/*
 * Inner steps cut the outer one by kWh of their own: July with 709.26 kW [ssc-seasonal_per_kw_
 * charge_w_no_demand_charge]: 3,000 + 7,000 + 131,852, then 141,852 to 400 h, then 100,466.35
 */
static void
test_nested(void)
{
	const char *json =
		HEAD MAIN "'components':[{'code':'e','kind':'energy','tier':{'scope':'month','steps':["
				  "{'up_to':200,'unit':'kwh_per_kw','demand':'main','price':99,'steps':["
				  "{'up_to':3000,'price':1},{'up_to':10000,'price':2},{'price':3}]},"
				  "{'up_to':400,'unit':'kwh_per_kw','demand':'main','price':4},{'price':5}]}}]}";

	kit_begin("2024-07-01", "2024-08-01");
	CHECK_STR(rate_with_peak(json, "2024-07-01 - 384170.35", "709.26"),
			  "e#1 3000 x 1 = 3000; e#2 7000 x 2 = 14000; e#3 131852 x 3 = 395556; "
			  "e#4 141852 x 4 = 567408; e#5 100466.35 x 5 = 502331.75");
	/* 200 h of 20 kW are 4,000 kWh: the second inner step is cut off, the third vanishes */
	CHECK_STR(
		rate_with_peak(json, "2024-07-01 - 9000", "20"),
		"e#1 3000 x 1 = 3000; e#2 1000 x 2 = 2000; e#4 4000 x 4 = 16000; e#5 1000 x 5 = 5000");
	/* ... and of 10 kW the second one, too */
	CHECK_STR(rate_with_peak(json, "2024-07-01 - 2500", "10"),
			  "e#1 2000 x 1 = 2000; e#4 500 x 4 = 2000");
}

/* An empty step has no flat either; one inside the last step has no end */
static void
test_nested_flats(void)
{
	const char *json = HEAD
		"'components':[{'code':'e','kind':'energy','tier':{'steps':["
		"{'up_to':100,'flat':1,'steps':[{'up_to':150,'price':1,'flat':10},{'price':2,'flat':20}]},"
		"{'steps':[{'up_to':50,'price':3,'flat':30},{'up_to':200,'price':4,'flat':40},{'price':5,"
		"'flat':50}]}]}}]}";

	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(json, "- - 250"),
			  "e#1 100 x 1 = 100; e#4 100 x 4 = 400; e#5 50 x 5 = 250; e#1 1 x 10 = 10; "
			  "e#4 1 x 40 = 40; e#5 1 x 50 = 50");
}

static void
test_contract(void)
{
	const char *kva =
		HEAD "'components':[{'code':'e','kind':'energy','tier':{'steps':[{'up_to':260,"
			 "'unit':'kwh_per_kva','price':1},{'price':0.9}]}}]}";
	const char *pct = HEAD MAIN
		"'components':[{'code':'d','kind':'demand','demand':'main','tier':{'steps':["
		"{'up_to':100,'unit':'pct_contract','price':1},{'up_to':110,'unit':'pct_contract',"
		"'price':2},{'price':3}]}}]}";

	kit_begin("2024-06-01", "2024-07-01");
	kit_add_attr("contract_kva", "315");
	CHECK_STR(kit_rate(kva, "2024-06-01 - 81901"),
			  "e#1 81900 x 1 = 81900; e#2 1 x 0.9 = 0.9"); /* 260 x 315 [2.8] */
	kit_ctx.nattrs = 0;
	CHECK_STR(kit_rate(kva, "2024-06-01 - 1"),
			  "2 the tariff needs a quantity that is not given: It is the attribute "
			  "\"contract_kva\".");
	kit_add_attr("contract_kw", "500");
	CHECK_STR(rate_with_peak(pct, "2024-06-01 - 0", "560"),
			  "d#1 500 x 1 = 500; d#2 50 x 2 = 100; d#3 10 x 3 = 30"); /* [2.8] */
}

/* Bounds by period cannot share a counter [ssc-residential_tou_rates_w_tiers_exception] */
static void
test_bounds_by_period(void)
{
	const char *format = HEAD PEAK_VALLEY
		"'components':[{'code':'e','kind':'energy','tier':{'order':'%s','steps':[{'up_to':{"
		"'period':{'peak':%s,'valley':100}},'price':1},{'price':2}]}}]}";
	char json[600];

	kit_begin(NULL, NULL);
	snprintf(json, sizeof(json), format, "prorata", "60");
	CHECK_STR(kit_rate(json, "- peak 80, - valley 80"),
			  "1 tariff is not valid: components[0].tier.steps[0].up_to: bounds by period need the "
			  "order \"per_period\"");
	snprintf(json, sizeof(json), format, "per_period", "60");
	CHECK_STR(kit_rate(json, "- peak 80, - valley 80"),
			  "e/peak#1 60 x 1 = 60; e/peak#2 20 x 2 = 40; e/valley#1 80 x 1 = 80");
}

/* What each period used before */
static void
test_before(void)
{
	const char *format = HEAD PEAK_VALLEY
		"'components':[{'code':'e','kind':'energy','tier':{'scope':'%s','order':'%s','steps':["
		"{'up_to':100,'price':1,'flat':7},{'price':2,'flat':9}]}}]}";
	const char *one = HEAD PEAK_VALLEY
		"'components':[{'code':'e','kind':'energy','period':['peak'],'tier':{'steps':["
		"{'up_to':100,'price':1},{'price':2}]}}]}";
	char json[600];

	kit_begin("2024-06-01", "2024-08-01");
	snprintf(json, sizeof(json), format, "bill", "per_period");
	kit_before_period(EB_SCOPE_BILL, "peak", "90");
	kit_before_period(EB_SCOPE_BILL, "valley", "120");
	CHECK_STR(kit_rate(json, "2024-06-01 peak 20, 2024-06-01 valley 20"),
			  "e/peak#1 10 x 1 = 10; e/peak#2 10 x 2 = 20; e/peak#2 1 x 9 = 9; "
			  "e/valley#2 20 x 2 = 40");
	/* all together where the periods share the counter */
	snprintf(json, sizeof(json), format, "bill", "prorata");
	CHECK_STR(kit_rate(json, "2024-06-01 peak 20, 2024-06-01 valley 20"), "e#2 40 x 2 = 80");
	/* a component that counts one period goes on from what that one used */
	CHECK_STR(kit_rate(one, "2024-06-01 peak 20, 2024-06-01 valley 20"),
			  "e/peak#1 10 x 1 = 10; e/peak#2 10 x 2 = 20");
	/* the first instance only */
	kit_begin("2024-06-01", "2024-08-01");
	kit_before_period(EB_SCOPE_MONTH, "peak", "90");
	snprintf(json, sizeof(json), format, "month", "per_period");
	CHECK_STR(kit_rate(json, "2024-06-01 peak 20, 2024-07-01 peak 20"),
			  "e/peak#1 10 x 1 = 10; e/peak#2 10 x 2 = 20; e/peak#2 1 x 9 = 9; e/valley#1 1 x 7 = "
			  "7; e/peak#1 20 x 1 = 20; e/peak#1 1 x 7 = 7; e/valley#1 1 x 7 = 7");
	kit_before_period(EB_SCOPE_MONTH, "night", "90");
	CHECK_STR(kit_rate(json, "2024-06-01 peak 20"),
			  "2 the tariff has no such period: \"before\" names \"night\".");
	kit_begin("2024-06-01", "2024-08-01");
	kit_before(EB_SCOPE_MONTH, "90");
	CHECK_STR(kit_rate(json, "2024-06-01 peak 20"),
			  "2 tiers per period need what each period used before");
}

/* Two bills of which the second goes on: the sum is that of one bill */
static void
test_bill_by_bill(void)
{
	const char *json = HEAD PEAK_VALLEY
		"'components':[{'code':'e','kind':'energy','tier':{'scope':'year','order':'per_period',"
		"'steps':[{'up_to':{'period':{'peak':100,'valley':50}},'price':1,'flat':3},"
		"{'price':2,'flat':5}]}}]}";

	kit_begin("2024-06-01", "2024-08-01");
	CHECK_STR(kit_total(json, "2024-06-01 peak 80, 2024-06-01 valley 30, 2024-07-01 peak 80, "
							  "2024-07-01 valley 30"),
			  "306");
	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_total(json, "2024-06-01 peak 80, 2024-06-01 valley 30"), "116");
	kit_begin("2024-07-01", "2024-08-01");
	kit_before_period(EB_SCOPE_YEAR, "peak", "80");
	kit_before_period(EB_SCOPE_YEAR, "valley", "30");
	CHECK_STR(kit_total(json, "2024-07-01 peak 80, 2024-07-01 valley 30"), "190");
}

/* The price of the next kWh, in nested steps, by day and net of export */
static const char *
next_price(const char *json, const char *before)
{
	static char text[EB_DECIMAL_TEXT];
	const EbTariff *tariff = kit_tariff_of(json);
	int64_t before_u;
	eb_int128 price;

	eb_decimal_parse64(kit_text(before), EB_ENERGY_SCALE, &before_u);
	if (tariff == NULL ||
		eb_rate_marginal(tariff, &kit_zone, kit_instant("2024-06-03T09:00"), before_u, kit_attr,
						 kit_ctx.nattrs, &price, &kit_fault) != EB_OK)
		return kit_fault.message;
	eb_decimal_format(price, EB_AMOUNT_SCALE, text);
	return text;
}

static void
test_marginal(void)
{
	const char *nested =
		HEAD "'components':[{'code':'e','kind':'energy','quantity':'net_kwh','tier':{'steps':["
			 "{'up_to':100,'steps':[{'up_to':50,'price':1},{'price':2}]},{'price':3}]}},"
			 "{'code':'r','kind':'reactive','price':9},{'code':'c','kind':'credit','price':9}]}";
	const char *daily =
		HEAD "'components':[{'code':'e','kind':'energy','tier':{'scope':'day','steps':["
			 "{'up_to':10,'unit':'kwh_per_day','price':1},{'price':2}]}}]}";
	const char *kva = HEAD "'components':[{'code':'e','kind':'energy','tier':{'steps':[{'up_to':2,"
						   "'unit':'kwh_per_kva','price':1},{'price':2}]}}]}";
	const char *kw =
		HEAD MAIN "'components':[{'code':'e','kind':'energy','tier':{'steps':[{'up_to':200,'unit':"
				  "'kwh_per_kw','demand':'main','price':1},{'price':2}]}}]}";

	kit_begin(NULL, NULL);
	kit_add_attr("contract_kva", "100");
	CHECK_STR(next_price(nested, "49.999999"), "1");
	CHECK_STR(next_price(nested, "50"), "2");
	CHECK_STR(next_price(nested, "100"), "3");
	CHECK_STR(next_price(daily, "9"), "1");
	CHECK_STR(next_price(daily, "10"), "2");
	CHECK_STR(next_price(kva, "199"), "1");
	CHECK_STR(next_price(kva, "200"), "2");
	/* the demand of a bill that is not there yet */
	CHECK_STR(next_price(kw, "0"), "the tariff needs a demand that the usage lacks");
}

int
main(void)
{
	test_kwh_per_kw();
	test_marginal();
	test_nested();
	test_nested_flats();
	test_contract();
	test_bounds_by_period();
	test_before();
	test_bill_by_bill();
	return check_done("rate_step");
}
