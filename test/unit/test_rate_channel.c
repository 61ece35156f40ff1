/*
 * test_rate_channel.c -- export, reactive and net energy; items; days in service
 * Sources in brackets are cases of the tariff vectors and sections of the tariff reference.
 */
#include "check.h"
#include "kit_rate.h"

#define HEAD "{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai',"
#define PEAK_VALLEY \
	"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]},"

static void
test_channels(void)
{
	const char *json = HEAD PEAK_VALLEY
		"'components':[{'code':'e','kind':'energy','price':0.5},"
		"{'code':'c','kind':'credit','price':{'period':{'peak':0.3,'valley':0.1}}},"
		"{'code':'n','kind':'energy','quantity':'net_kwh','price':{'period':{'peak':1,"
		"'valley':2}}},{'code':'r','kind':'reactive','price':0.02},"
		"{'code':'x','kind':'custom','quantity':'export_kvarh','price':0.01}]}";
	const char *usage =
		"2024-06-01 peak 100, 2024-06-01 valley 50, 2024-06-01 peak 120 export_kwh, "
		"2024-06-01 valley 5.5 export_kwh, 2024-06-01 peak 30 import_kvarh, "
		"2024-06-01 valley 10 export_kvarh";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(json, usage),
			  "e 150 x 0.5 = 75; c/peak 120 x -0.3 = -36; c/valley 5.5 x -0.1 = -0.55; "
			  "n/peak -20 x 1 = -20; n/valley 44.5 x 2 = 89; r 30 x 0.02 = 0.6; x 10 x 0.01 = 0.1");
	CHECK_INT(kit_line[1].unit, EB_UNIT_KWH);
	CHECK_INT(kit_line[5].unit, EB_UNIT_KVARH);
	CHECK_INT(kit_line[6].unit, EB_UNIT_KVARH);
}

/* A channel that is needed and not given is named; import that nobody gave is none */
static void
test_lacking(void)
{
	const char *format = HEAD "'components':[{'code':'c',%s}]}";
	const char *usage = "2024-06-01 - 10";
	char json[400];

	kit_begin("2024-06-01", "2024-07-01");
	snprintf(json, sizeof(json), format, "'kind':'credit','price':1");
	CHECK_STR(kit_rate(json, usage), "2 the tariff needs a quantity that is not given: It is the "
									 "channel \"export_kwh\".");
	snprintf(json, sizeof(json), format, "'kind':'reactive','price':1");
	CHECK_STR(kit_rate(json, usage), "2 the tariff needs a quantity that is not given: It is the "
									 "channel \"import_kvarh\".");
	snprintf(json, sizeof(json), format, "'kind':'custom','quantity':'net_kwh','price':1");
	CHECK_STR(kit_rate(json, usage), "2 the tariff needs a quantity that is not given: It is the "
									 "channel \"export_kwh\".");
	snprintf(json, sizeof(json), format,
			 "'kind':'fixed','price':1,'when':{'qty':{'export_kwh':{'gt':5}}}");
	CHECK_STR(kit_rate(json, usage), "2 the tariff needs a quantity that is not given: It is the "
									 "channel \"export_kwh\".");
	CHECK_STR(kit_rate(json, "2024-06-01 - 5 export_kwh"), "");
	CHECK_STR(kit_rate(json, "2024-06-01 - 5.000001 export_kwh"), "c 1 x 1 = 1");
}

/* Steps of export, and credit with flats: all of it negative */
static void
test_credit_tiers(void)
{
	const char *json = HEAD "'components':[{'code':'c','kind':'credit','tier':{'steps':[{'up_to':"
							"100,'price':0.4,'flat':1},{'price':0.2,'factor':0.5}]}}]}";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(json, "2024-06-01 - 150 export_kwh"),
			  "c#1 100 x -0.4 = -40; c#2 50 x -0.2 x 0.5 = -5; c#1 1 x -1 = -1");
	CHECK_STR(kit_rate(json, "2024-06-01 - 0 export_kwh"), "c#1 1 x -1 = -1");
}

/* Named quantities come from ctx, else from the usage */
static void
test_named(void)
{
	const char *json = HEAD "'components':[{'code':'q','kind':'custom','quantity':'points',"
							"'price':2}]}";
	const EbTariff *tariff = kit_tariff_of(json);
	EbNamedQuantity points = {kit_text("points"), 7000000};
	EbUsage *usage;

	kit_begin(NULL, NULL);
	CHECK_STR(kit_rate(json, ""), "2 the tariff needs a quantity that is not given: It is the "
								  "quantity \"points\".");
	tariff = kit_tariff_of(json);
	usage = kit_usage(tariff, "");
	usage->qty = &points;
	usage->nqty = 1;
	CHECK_INT(eb_rate(tariff, &kit_zone, usage, &kit_ctx, kit_line, KIT_MAX_LINES, &kit_nlines,
					  &kit_fault),
			  EB_OK);
	CHECK_INT(kit_line[0].quantity_u, 7000000);
	kit_add_qty("points", "3");
	CHECK_INT(eb_rate(tariff, &kit_zone, usage, &kit_ctx, kit_line, KIT_MAX_LINES, &kit_nlines,
					  &kit_fault),
			  EB_OK);
	CHECK_INT(kit_line[0].quantity_u, 3000000);
}

/* Each item alone: 1 % and 0.50, at least 1.00, at most 3.00 */
static void
test_each(void)
{
	const char *fee = HEAD
		"'components':[{'code':'fee','kind':'custom','quantity':'items','each':{'min':1,'max':3},"
		"'tier':{'steps':[{'unit':'money','price':0.01,'flat':0.5}]}}]}";
	const char *plain = HEAD "'components':[{'code':'fee','kind':'custom','quantity':'items',"
							 "'each':{'min':0.1},'price':0.333}]}";
	const char *package = HEAD "'components':[{'code':'fee','kind':'custom','quantity':'items',"
							   "'each':{'max':5},'price':2,'tier':{'mode':'package','size':10}}]}";

	kit_begin(NULL, NULL);
	kit_add_item("20");	 /* 0.70, at least 1 */
	kit_add_item("100"); /* 1.50 */
	kit_add_item("400"); /* 4.50, at most 3 */
	CHECK_STR(kit_rate(fee, ""), "fee 520 x 0.010576923 = 5.5");
	kit_nitems = 0;
	kit_add_item("0.1");
	kit_add_item("1");
	kit_add_item("1");
	/* 0.1 + 0.333 + 0.333, rounded once */
	CHECK_STR(kit_rate(plain, ""), "fee 2.1 x 0.364761905 = 0.77");
	kit_nitems = 0;
	kit_add_item("11");
	kit_add_item("50");
	CHECK_STR(kit_rate(package, ""), "fee 61 x 0.147540984 = 9");
	kit_nitems = 0;
	CHECK_STR(kit_rate(fee, ""), "fee 0 x 0 = 0");
}

/* 400 kVA x 25 x 20/30 = 6,666.67 [2.8]: 20 days in service of a bill of June */
static void
test_service_days(void)
{
	const char *json = HEAD "'components':[{'code':'c','kind':'capacity','price':25,"
							"'prorate':'days'},{'code':'f','kind':'fixed','price':30,'prorate':"
							"'days'},{'code':'d','kind':'fixed','price':1,'per':'day'}]}";

	kit_begin("2024-06-01", "2024-07-01");
	kit_add_attr("contract_kva", "400");
	CHECK_STR(kit_rate(json, ""), "c 400 x 25 = 10000; f 1 x 30 = 30; d 30 x 1 = 30");
	CHECK_INT(kit_line[0].unit, EB_UNIT_KVA);
	kit_ctx.service_days_u = 20000000;
	CHECK_STR(kit_rate(json, ""),
			  "c 266.666667 x 25 = 6666.67; f 0.666667 x 30 = 20; d 30 x 1 = 30");
	/* two months, 40 of their 61 days */
	kit_begin("2024-06-01", "2024-08-01");
	kit_add_attr("contract_kva", "400");
	kit_ctx.service_days_u = 40000000;
	CHECK_STR(kit_rate(json, ""),
			  "c 524.590164 x 25 = 13114.75; f 1.311475 x 30 = 39.34; d 61 x 1 = 61");
	kit_ctx.service_days_u = 62000000;
	CHECK_STR(kit_rate(json, ""), "1 days in service must be positive and not more than the days "
								  "of the bill");
}

int
main(void)
{
	test_channels();
	test_lacking();
	test_credit_tiers();
	test_named();
	test_each();
	test_service_days();
	return check_done("rate_channel");
}
