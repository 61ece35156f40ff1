/*
 * test_loss.c -- losses between the meter and where energy is billed
 * Sources in brackets are sections of the tariff reference.
 */
#include "check.h"
#include "kit_rate.h"

#define HEAD "{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai',"
#define PEAK_VALLEY \
	"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]},"
#define ONE "'components':[{'code':'e','kind':'energy','price':1}]}"

static const char *
with_losses(const char *losses)
{
	static char json[1000];

	snprintf(json, sizeof(json), HEAD "'losses':[%s]," ONE, losses);
	return json;
}

/* Taiwan, high side: 0.98 x (reading - kVA x 720 x 0.01), the iron part at most 10 % [2.10] */
static void
test_taiwan(void)
{
	const char *high = with_losses("{'code':'iron','kind':'constant','kva':'attr:contract_kva',"
								   "'hours':720,'factor':0.01,'sign':-1,'cap_pct':10},"
								   "{'code':'copper','kind':'factor','factor':0.98}");
	const char *low;

	kit_begin("2024-06-01", "2024-07-01");
	kit_add_attr("contract_kva", "500");
	kit_add_attr("contract_kw", "300");
	/* 0.98 x (100000 - 3600) */
	CHECK_STR(kit_rate(high, "2024-06-01 - 100000"), "e 94472 x 1 = 94472");
	/* 3,600 kWh are more than a tenth of 20,000: 0.98 x 18,000 */
	CHECK_STR(kit_rate(high, "2024-06-01 - 20000"), "e 17640 x 1 = 17640");
	CHECK_STR(kit_rate(high, "2024-06-01 - 0"), "e 0 x 1 = 0");
	/* low side: reading + (kVA - contract kW) x 720 x 0.01 */
	low = with_losses("{'code':'iron','kind':'constant','kva':'attr:contract_kva','minus':"
					  "'attr:contract_kw','hours':720,'factor':0.01}");
	CHECK_STR(kit_rate(low, "2024-06-01 - 20000"), "e 21440 x 1 = 21440");
	kit_attr[1].value = kit_text("600");
	CHECK_STR(kit_rate(low, "2024-06-01 - 20000"), "e 20000 x 1 = 20000");
}

/* 400 kVA, P0 0.8, Pk 4.3, 720 h, 100,000 kWh, 40,000 kvarh: 432.99 + 576 [2.10] */
static void
test_china(void)
{
	const char *json =
		HEAD "'losses':[{'code':'copper','kind':'copper','kva':'attr:contract_kva','hours':720,"
			 "'load_kw':4.3,'k':1},{'code':'iron','kind':'constant','kva':'attr:no_load_kw',"
			 "'hours':720,'factor':1}]," ONE;
	const char *hours =
		HEAD "'losses':[{'code':'iron','kind':'constant','kva':'attr:no_load_kw','factor':1}]," ONE;

	kit_begin("2024-06-01", "2024-07-01");
	kit_add_attr("contract_kva", "400");
	kit_add_attr("no_load_kw", "0.8");
	CHECK_STR(kit_rate(json, "2024-06-01 - 100000, 2024-06-01 - 40000 import_kvarh"),
			  "e 101008.986111 x 1 = 101008.99"); /* 576 + 432.986111 */
	CHECK_STR(kit_rate(json, "2024-06-01 - 100000"),
			  "2 the tariff needs a quantity that is not given: It is the channel "
			  "\"import_kvarh\".");
	/* the hours of the bill: 31 days */
	kit_begin("2024-07-01", "2024-08-01");
	kit_add_attr("no_load_kw", "0.8");
	CHECK_STR(kit_rate(hours, "2024-07-01 - 100"), "e 695.2 x 1 = 695.2");
	kit_begin(NULL, NULL);
	kit_add_attr("no_load_kw", "0.8");
	CHECK_STR(kit_rate(hours, "- - 100"), "2 the tariff needs the dates of the usage: They decide "
										  "the hours of a transformer loss.");
}

/* Shares of the periods and schedules add up, to the last digit */
static void
test_shares(void)
{
	const char *json = HEAD
		"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}],"
		"'week':[{'period':'rest','days':['weekend']},{'period':'work'}]},"
		"'losses':[{'code':'l','kind':'percent','percent':3}],'components':["
		"{'code':'all','kind':'energy','price':1},"
		"{'code':'t','kind':'energy','schedule':'tou','price':{'period':{'peak':1,'valley':1}}},"
		"{'code':'w','kind':'energy','schedule':'week','price':{'period':{'rest':1,'work':1}}},"
		"{'code':'q','kind':'fixed','price':5,'when':{'qty':{'import_kwh':{'gt':100}}}}]}";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(json, "2024-06-01 peak 33.333333, 2024-06-01 valley 66.666668, "
							 "2024-06-01 rest 50.000001, 2024-06-01 work 50"),
			  "all 103.000001 x 1 = 103; t/peak 34.333333 x 1 = 34.33; t/valley 68.666668 x 1 = "
			  "68.67; w/rest 51.500001 x 1 = 51.5; w/work 51.5 x 1 = 51.5; q 1 x 5 = 5");
	/* over two months: each month and period by the running total */
	kit_begin("2024-06-01", "2024-08-01");
	CHECK_STR(kit_rate(with_losses("{'code':'l','kind':'percent','percent':10,'sign':-1}"),
					   "2024-06-01 - 0.000004, 2024-07-01 - 0.000004"),
			  "e 0.000007 x 1 = 0");
}

/* Energy in order of time: pieces and cells agree, so tiers in time order still add up */
static void
test_pieces(void)
{
	const char *format = HEAD PEAK_VALLEY
		"'losses':[{'code':'l','kind':'factor','factor':%s}],'components':[{'code':'e','kind':"
		"'energy','tier':{'order':'time','steps':[{'up_to':100,'price':{'period':{'peak':0.7,"
		"'valley':0.4}}},{'price':{'period':{'peak':1,'valley':0.45}}}]}}]}";
	const char *usage = "2024-06-03T08:00 840 80, 2024-06-03T22:00 120 80";
	char json[600];

	kit_begin("2024-06-01", "2024-07-01");
	snprintf(json, sizeof(json), format, "1.5");
	CHECK_STR(kit_rate(json, usage),
			  "e/peak#1 100 x 0.7 = 70; e/peak#2 20 x 1 = 20; e/valley#2 120 x 0.45 = 54");
	snprintf(json, sizeof(json), format, "1.0000001");
	CHECK_STR(kit_rate(json, usage), "e/peak#1 80.000008 x 0.7 = 56; e/valley#1 19.999992 x 0.4 = "
									 "8; e/valley#2 60.000016 x 0.45 = 27");
}

/* What a series costs grows with the energy */
static void
test_money(void)
{
	const char *json = HEAD
		"'series':{'spot':[['2024-06-01T00:00+08:00',0.2],['2024-06-01T08:00+08:00',0.5]]},"
		"'losses':[{'code':'l','kind':'percent','percent':10}],'components':[{'code':'e','kind':"
		"'energy','price':{'series':'spot'}}]}";

	kit_begin("2024-06-01", "2024-07-01");
	CHECK_STR(kit_rate(json, "2024-06-01T07:00 120 20"), "e 22 x 0.35 = 7.7");
}

/* Nothing used: iron loss is the same in each hour, 14 of 24 are peak */
static void
test_nothing_used(void)
{
	const char *json = HEAD PEAK_VALLEY
		"'losses':[{'code':'iron','kind':'constant','kva':'attr:no_load_kw','factor':1}],"
		"'components':[{'code':'e','kind':'energy','price':{'period':{'peak':1,'valley':1}}}]}";

	kit_begin("2024-06-01", "2024-07-01");
	kit_add_attr("no_load_kw", "1");
	CHECK_STR(kit_rate(json, "2024-06-01 peak 0"), "e/peak 420 x 1 = 420; e/valley 300 x 1 = 300");
	CHECK_STR(kit_rate(json, ""), "2 there is no energy to add a loss to");
	kit_attr[0].value = kit_text("-1");
	CHECK_STR(kit_rate(json, "2024-06-01 peak 0"),
			  "1 capacity of a transformer must not be negative");
	kit_attr[0].value = kit_text("9000000000000");
	CHECK_STR(kit_rate(json, "2024-06-01 peak 1"),
			  "4 number is out of range: It is the energy with its losses.");
}

int
main(void)
{
	test_taiwan();
	test_china();
	test_shares();
	test_pieces();
	test_money();
	test_nothing_used();
	return check_done("loss");
}
