/*
 * test_rate_series.c -- prices that change: by date, by the month of the bill, inside days
 * Sources in brackets are sections of the tariff reference.
 */
#include "check.h"
#include "kit_rate.h"

#define HEAD "{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai',"
#define PEAK_VALLEY \
	"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]},"

/* The purchase price of a month, published by an agent: each date starts a line */
#define MONTHLY "'series':{'buy':[['2024-05-01',0.40],['2024-06-01',0.41],['2024-07-01',0.43]]},"

static void
test_days(void)
{
	const char *plain = HEAD MONTHLY "'components':[{'code':'e','kind':'energy','price':{"
									 "'series':'buy'}}]}";
	const char *product = HEAD PEAK_VALLEY MONTHLY
		"'values':{'f':{'period':{'peak':1.7,'valley':0.38}}},'components':[{'code':'e',"
		"'kind':'energy','price':{'mul':[{'series':'buy'},{'ref':'f'}],'round':{'step':0.001}}}]}";
	const char *fixed = HEAD MONTHLY "'components':[{'code':'f','kind':'fixed','price':{"
									 "'series':'buy'},'per':'day'}]}";

	kit_begin("2024-06-11", "2024-07-11");
	CHECK_STR(kit_rate(plain, "2024-06-11 - 7000, 2024-07-01 - 1000"),
			  "e 7000 x 0.41 = 2870; e 1000 x 0.43 = 430");
	CHECK_INT(kit_line[1].from_us, kit_instant("2024-07-01"));
	/* known late: 0.41 instead of 0.40 for 7,000 kWh are 70.00 more [2.14] */
	kit_begin("2024-05-01", "2024-06-01");
	CHECK_STR(kit_rate(plain, "2024-05-01 - 7000"), "e 7000 x 0.4 = 2800");
	/* a product has a rounding of its own: 0.43 x 1.7 = 0.731, 0.43 x 0.38 = 0.1634 */
	kit_begin("2024-07-01", "2024-08-01");
	CHECK_STR(kit_rate(product, "2024-07-01 peak 10, 2024-07-01 valley 10"),
			  "e/peak 10 x 0.731 = 7.31; e/valley 10 x 0.163 = 1.63");
	kit_begin("2024-06-11", "2024-07-11");
	CHECK_STR(kit_rate(fixed, ""), "f 20 x 0.41 = 8.2; f 10 x 0.43 = 4.3");
	/* before the first point there is no price */
	kit_begin("2024-04-20", "2024-05-20");
	CHECK_STR(kit_rate(plain, "2024-04-20 - 1"),
			  "2 no price before the first point of a series: The series is \"buy\".");
	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(plain, "- - 1"), "2 the price depends on the date, the usage has no dates");
}

/* Prices that hold in both: two series, one of which does not change in the bill */
static void
test_two_series(void)
{
	const char *json =
		HEAD "'series':{'a':[['2024-01-01',1]],'b':[['2024-01-01',2],['2024-06-15',3]]},"
			 "'components':[{'code':'a','kind':'energy','price':{'series':'a'}},"
			 "{'code':'b','kind':'energy','price':{'series':'b'}},"
			 "{'code':'t','kind':'energy','tier':{'steps':[{'up_to':150,'price':{'series':'b'}},"
			 "{'price':10}]}}]}";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(json, "2024-06-01 - 100, 2024-06-15 - 100"),
			  "a 200 x 1 = 200; b 100 x 2 = 200; b 100 x 3 = 300; "
			  "t#1 70 x 2 = 140; t#2 30 x 10 = 300; t#1 80 x 3 = 240; t#2 20 x 10 = 200");
}

/* One price for the bill: of the month of its last day, whatever days it covers */
static void
test_bill_month(void)
{
	const char *json =
		HEAD "'series':{'buy':{'by':'bill_month','points':[['2024-05-01',0.4],['2024-06-01',0.41],"
			 "['2024-07-01',0.43]]}},'components':[{'code':'e','kind':'energy','price':{"
			 "'series':'buy'}}]}";

	kit_begin("2024-06-11", "2024-07-11");
	CHECK_STR(kit_rate(json, "2024-06-11 - 70, 2024-07-01 - 30"), "e 100 x 0.43 = 43");
	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(json, "2024-06-01 - 100"), "e 100 x 0.41 = 41");
}

/* A spot price: energy x price is summed, the line shows the average */
#define SPOT                                                                           \
	"'series':{'spot':[['2024-06-01T00:00+08:00',0.2],['2024-06-01T08:00+08:00',0.5]," \
	"['2024-06-01T09:00+08:00',0.125],['2024-06-02T00:00+08:00',-0.1]]},"

static void
test_spot(void)
{
	const char *plain = HEAD SPOT "'components':[{'code':'e','kind':'energy','price':{"
								  "'series':'spot'}}]}";
	const char *linear = HEAD PEAK_VALLEY SPOT
		"'components':[{'code':'e','kind':'energy','price':{'add':[{'mul':[{'series':'spot'},"
		"{'period':{'peak':1.1,'valley':0.5}}]},0.05]}}]}";
	const char *adder = HEAD SPOT
		"'components':[{'code':'e','kind':'energy','price':{'series':'spot'},'tier':{'mode':"
		"'adder','steps':[{'up_to':10,'price':0},{'price':0.3}]}}]}";
	const char *usage = "2024-06-01T07:30 60 8, 2024-06-01T08:30 60 3, 2024-06-02T00:00 60 10";

	kit_begin("2024-06-01", "2024-07-01");
	/* 4 x 0.2 + 4 x 0.5 + 1.5 x 0.5 + 1.5 x 0.125 + 10 x -0.1 = 2.7375 */
	CHECK_STR(kit_rate(plain, usage), "e 21 x 0.130357143 = 2.74");
	CHECK(kit_line[0].amount_raw == (eb_int128) 27375 * 100000000000);
	/* valley: 14 x 0.05 + 0.5 x (0.8 - 1); peak: 7 x 0.05 + 1.1 x (2 + 0.75 + 0.1875) */
	CHECK_STR(kit_rate(linear, usage),
			  "e/peak 7 x 0.511607143 = 3.58; e/valley 14 x 0.042857143 = 0.6");
	CHECK_STR(kit_rate(adder, usage), "e 21 x 0.130357143 = 2.74; e#2 11 x 0.3 = 3.3");
	/* nothing used: the part of the price that is known */
	CHECK_STR(kit_rate(linear, "2024-06-01T09:00 60 0"), "e/peak 0 x 0.05 = 0");
}

/* Export at the spot price is a credit, and energy that cancels out still costs something */
static void
test_spot_channels(void)
{
	const char *json = HEAD SPOT "'components':[{'code':'c','kind':'credit','price':{'series':"
								 "'spot'}},{'code':'n','kind':'energy','quantity':'net_kwh',"
								 "'price':{'series':'spot'}}]}";
	const EbTariff *tariff = kit_tariff_of(json);
	EbUsage *usage;
	int export_at;
	int import_money;
	int export_money;

	if (!CHECK(tariff != NULL))
		return;
	kit_begin("2024-06-01", "2024-07-01");
	usage = kit_usage(tariff, "2024-06-01 - 10, 2024-06-01 - 10 export_kwh");
	export_at = eb_plane_at(tariff, eb_plane_find(tariff, EB_EXPORT_KWH, EB_NONE));
	import_money = eb_plane_at(tariff, eb_plane_find(tariff, EB_IMPORT_KWH, 0));
	export_money = eb_plane_at(tariff, eb_plane_find(tariff, EB_EXPORT_KWH, 0));
	CHECK_INT(usage->cell[export_at], 10000000);
	eb_money_add(&usage->cell[import_money], (eb_int128) 10000000 * 500000000);
	eb_money_add(&usage->cell[export_money], (eb_int128) 10000000 * 125000000);
	CHECK_INT(eb_rate(tariff, &kit_zone, usage, &kit_ctx, kit_line, KIT_MAX_LINES, &kit_nlines,
					  &kit_fault),
			  EB_OK);
	CHECK_INT(kit_nlines, 2);
	CHECK(kit_line[0].amount == (eb_int128) -125 * 10000000000000); /* -1.25 */
	CHECK_INT(kit_line[0].price_n, -125000000);
	CHECK_INT(kit_line[0].quantity_u, 10000000);
	CHECK(kit_line[1].amount == (eb_int128) 375 * 10000000000000); /* 5 - 1.25 */
	CHECK_INT(kit_line[1].quantity_u, 0);
}

/* The price of the next kWh reads the series at the instant */
static const char *
next_price(const char *json, const char *at)
{
	static char text[EB_DECIMAL_TEXT];
	const EbTariff *tariff = kit_tariff_of(json);
	eb_int128 price;

	if (tariff == NULL || eb_rate_marginal(tariff, &kit_zone, kit_instant(at), 0, NULL, 0, &price,
										   &kit_fault) != EB_OK)
		return kit_fault.message;
	eb_decimal_format(price, EB_AMOUNT_SCALE, text);
	return text;
}

static void
test_marginal(void)
{
	const char *linear = HEAD PEAK_VALLEY SPOT
		"'components':[{'code':'e','kind':'energy','price':{'add':[{'mul':[{'series':'spot'},"
		"{'period':{'peak':1.1,'valley':0.5}}]},0.05]}}]}";
	const char *monthly = HEAD MONTHLY "'components':[{'code':'e','kind':'energy','price':{"
									   "'series':'buy'}}]}";

	CHECK_STR(next_price(linear, "2024-06-01T07:59"), "0.15");	 /* 0.05 + 0.5 x 0.2 */
	CHECK_STR(next_price(linear, "2024-06-01T08:00"), "0.6");	 /* 0.05 + 1.1 x 0.5 */
	CHECK_STR(next_price(linear, "2024-06-01T09:00"), "0.1875"); /* 0.05 + 1.1 x 0.125 */
	CHECK_STR(next_price(linear, "2024-05-31T23:59"),
			  "no price before the first point of a series");
	CHECK_STR(next_price(monthly, "2024-06-30T23:59"), "0.41");
	CHECK_STR(next_price(monthly, "2024-07-01"), "0.43");
}

int
main(void)
{
	test_days();
	test_two_series();
	test_bill_month();
	test_spot();
	test_spot_channels();
	test_marginal();
	return check_done("rate_series");
}
