/*
 * test_net.c -- export against import, one bill at a time, numbers worked out by hand
 */
#include "check.h"
#include "kit_net.h"
#include "rating/net.h"

#define HEAD "{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai',"

/* Peak 8-22, else valley; in summer only there is a sharp period, 12-14 */
#define TOU                                                                                      \
	HEAD "'seasons':{'summer':[['06-01','09-01']]},'schedules':{'tou':["                         \
		 "{'period':'sharp','spans':[['12:00','14:00'],['17:00','18:00']],'season':['summer']}," \
		 "{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]},"

#define ENERGY \
	"{'code':'energy','kind':'energy','price':{'period':{'sharp':1,'peak':0.7,'valley':0.4}}}"
#define CREDIT \
	"{'code':'credit','kind':'credit','price':{'period':{'sharp':0.5,'peak':0.3,'valley':0.2}}}"
#define FIXED "{'code':'fixed','kind':'fixed','price':5}"

static EbNetBill
settle(EbNet net, int month, eb_int128 account, eb_int128 charge, eb_int128 credit)
{
	EbNetRules rules = eb_net_rules(&net);
	EbNetBill bill = {.charge = charge, .credit = credit, .account = account};

	net.settle_month = net.settle_month ? net.settle_month : 12;
	CHECK(eb_net_bill(&rules, month == net.settle_month, 1, &bill));
	return bill;
}

#define CHECK_BILL(bill, wcharge, wused, wpaid, wlost, waccount) \
	do                                                           \
	{                                                            \
		EbNetBill b = (bill);                                    \
		CHECK_INT(b.charge, wcharge);                            \
		CHECK_INT(b.used, wused);                                \
		CHECK_INT(b.paid, wpaid);                                \
		CHECK_INT(b.lost, wlost);                                \
		CHECK_INT(b.account, waccount);                          \
	} while (0)

static void
test_account(void)
{
	const EbNet carry = {.mode = EB_NET_BILLING_CARRY};
	const EbNet same = {.mode = EB_NET_BILLING_CARRY, .same_month = 1};
	const EbNet expire = {.mode = EB_NET_BILLING_CARRY, .same_month = 1, .expire = 1};
	const EbNet keep = {.mode = EB_NET_ROLLOVER_MONEY, .settle_carry = 1};
	const EbNet lost = {.mode = EB_NET_OFFSET_KWH, .excess = EB_EXCESS_LOST};
	const EbNet pay = {.mode = EB_NET_OFFSET_KWH, .excess = EB_EXCESS_PAY};
	const EbNet none = {.mode = EB_NET_NONE};
	EbNetBill bill = {.charge = 1};
	EbNetRules rules = eb_net_rules(&carry);

	/* what is earned pays from the next bill on, or at once */
	CHECK_BILL(settle(carry, 3, 10, 25, 40), 15, 10, 0, 0, 40);
	CHECK_BILL(settle(same, 3, 10, 25, 40), 0, 25, 0, 0, 25);
	/* the settlement pays, expires or keeps */
	CHECK_BILL(settle(carry, 12, 10, 25, 40), 15, 10, 40, 0, 0);
	CHECK_BILL(settle(expire, 12, 10, 25, 40), 0, 25, 0, 25, 0);
	CHECK_BILL(settle(keep, 12, 10, 25, 40), 0, 25, 0, 0, 25);
	/* a credit on the bill: nothing of it is paid by credit */
	CHECK_BILL(settle(same, 3, 10, -5, 0), -5, 0, 0, 0, 10);
	/* no account beyond the bill */
	CHECK_BILL(settle(lost, 3, 0, 25, 40), 0, 25, 0, 15, 0);
	CHECK_BILL(settle(pay, 12, 0, 25, 40), 0, 25, 15, 0, 0);
	CHECK_BILL(settle(none, 3, 0, 25, 40), 25, 0, 40, 0, 0);
	/* whole cents only */
	bill = (EbNetBill){.charge = 100, .account = 57};
	CHECK(eb_net_bill(&rules, false, 10, &bill));
	CHECK_BILL(bill, 50, 50, 0, 0, 7);
	/* out of range */
	bill =
		(EbNetBill){.account = (eb_int128) INT64_MAX << 64, .credit = (eb_int128) INT64_MAX << 64};
	CHECK(!eb_net_bill(&rules, false, 1, &bill));
}

static void
test_rollover_kwh(void)
{
	const char *json = TOU "'net':{'mode':'rollover_kwh','true_up_price':0.3},'components':[" ENERGY
						   "," FIXED "]}";

	/* each period nets; what is left over goes on, and beside it the running net */
	kit_begin("2026-03-01", "2026-04-01");
	CHECK_STR(kit_net(json, "2026-03-01 peak 100 130, 2026-03-01 valley 50 20"),
			  "energy/valley 30 x 0.4 = 12; fixed 1 x 5 = 5; net/peak 100 = 0; net/valley 20 = 0; "
			  "net_carry/peak 30 = 0; net_carry 0 = 0");
	/* the next bill begins with it */
	kit_begin("2026-04-01", "2026-05-01");
	kit_add_credit("peak", "30");
	kit_add_credit("", "0");
	CHECK_STR(kit_net(json, "2026-04-01 peak 100 20, 2026-04-01 valley 10 40"),
			  "energy/peak 50 x 0.7 = 35; fixed 1 x 5 = 5; net/peak 50 = 0; net/valley 10 = 0; "
			  "net_carry/valley 30 = 0; net_carry 0 = 0");
	/* December pays the running net, and nothing goes on */
	kit_begin("2026-12-01", "2027-01-01");
	kit_add_credit("peak", "30");
	kit_add_credit("valley", "5");
	kit_add_credit("", "25");
	CHECK_STR(kit_net(json, "2026-12-01 peak 10 20, 2026-12-01 valley 0 40"),
			  "energy/sharp 0 x 1 = 0; fixed 1 x 5 = 5; net/peak 10 = 0; net_paid 75 = -22.5");
	/* a preview settles nothing; the running net is the sum where it is not given */
	kit_ctx.final = false;
	kit_ctx.ncredit = 2;
	CHECK_STR(kit_net(json, "2026-12-01 peak 10 20, 2026-12-01 valley 0 40"),
			  "energy/sharp 0 x 1 = 0; fixed 1 x 5 = 5; net/peak 10 = 0; net_carry/peak 40 = 0; "
			  "net_carry/valley 45 = 0; net_carry 85 = 0");
	/* a bill that crosses the season: own days first, then from the first day on */
	kit_begin("2026-05-20", "2026-06-10");
	CHECK_STR(
		kit_net(json, "2026-05-20 peak 10 0, 2026-06-01 peak 30 25, 2026-06-01 sharp 4 0"),
		"energy/sharp 4 x 1 = 4; energy/peak 15 x 0.7 = 10.5; fixed 1 x 5 = 5; net/peak 25 = 0");
	/* without periods there is one account, which is the running net */
	json = HEAD "'net':{'mode':'rollover_kwh','true_up_price':0.25,'settle_month':6},"
				"'components':[{'code':'energy','kind':'energy','price':0.5}]}";
	kit_begin("2026-05-01", "2026-06-01");
	CHECK_STR(kit_net(json, "2026-05-01 - 10 30"),
			  "energy 0 x 0.5 = 0; net 10 = 0; net_carry 20 = 0");
	kit_ctx.credit_money = (eb_int128) 8 * 1000000000000000;
	CHECK_STR(kit_net(json, "2026-05-01 - 40 30"), "energy 2 x 0.5 = 1; net 38 = 0");
	kit_begin("2026-06-01", "2026-07-01");
	CHECK_STR(kit_net(json, "2026-06-01 - 10 30"),
			  "energy 0 x 0.5 = 0; net 10 = 0; net_paid 20 = -5");
}

static void
test_time_of_day(void)
{
	const char *json =
		TOU "'net':{'mode':'rollover_kwh','match':'time_of_day'},'components':[" ENERGY "]}";

	/* September has no sharp: at 17:00 there is peak now */
	kit_begin("2026-09-01", "2026-10-01");
	kit_add_credit("sharp", "30");
	CHECK_STR(kit_net(json, "2026-09-01 peak 50 0, 2026-09-01 valley 0 0"),
			  "energy/peak 20 x 0.7 = 14; net/peak 30 = 0");
	/* in August it is itself */
	kit_begin("2026-08-01", "2026-09-01");
	kit_add_credit("sharp", "30");
	CHECK_STR(
		kit_net(json, "2026-08-01 peak 50 0, 2026-08-01 sharp 10 0"),
		"energy/peak 50 x 0.7 = 35; net/sharp 10 = 0; net_carry/sharp 20 = 0; net_carry 0 = 0");
	/* by period it waits for the next summer */
	json = TOU "'net':{'mode':'rollover_kwh'},'components':[" ENERGY "]}";
	kit_begin("2026-09-01", "2026-10-01");
	kit_add_credit("sharp", "30");
	CHECK_STR(kit_net(json, "2026-09-01 peak 50 0"),
			  "energy/peak 50 x 0.7 = 35; net_carry/sharp 30 = 0; net_carry 0 = 0");
}

static void
test_offset(void)
{
	const char *json =
		TOU "'net':{'mode':'offset_kwh','order':['peak','valley'],'excess':'carry'},"
			"'components':[" ENERGY
			",{'code':'levy','kind':'energy','price':0.01,'offset':false}," CREDIT "]}";

	/* all export cancels peak first, then valley, and does not touch the levy; none is sold */
	kit_begin("2026-03-01", "2026-04-01");
	CHECK_STR(kit_net(json, "2026-03-01 peak 30 0, 2026-03-01 valley 50 45"),
			  "energy/valley 35 x 0.4 = 14; levy 80 x 0.01 = 0.8; credit/sharp 0 x -0.5 = 0; "
			  "net/peak 30 = 0; net/valley 15 = 0");
	/* one account; a number will do */
	kit_ctx.credit_money = (eb_int128) 40 * 1000000000000000;
	CHECK_STR(kit_net(json, "2026-03-01 peak 30 0, 2026-03-01 valley 50 45"),
			  "energy/sharp 0 x 1 = 0; levy 80 x 0.01 = 0.8; credit/sharp 0 x -0.5 = 0; "
			  "net/peak 30 = 0; net/valley 50 = 0; net_carry 5 = 0");
	json = HEAD "'net':{'mode':'offset_kwh','excess':'pay','true_up_price':0.2},"
				"'components':[{'code':'energy','kind':'energy','price':0.5}]}";
	kit_begin(NULL, NULL);
	CHECK_STR(kit_net(json, "- - 10 35"), "energy 0 x 0.5 = 0; net 10 = 0; net_paid 25 = -5");
	json = HEAD "'net':{'mode':'offset_kwh','excess':'lost'},"
				"'components':[{'code':'energy','kind':'energy','price':0.5}]}";
	CHECK_STR(kit_net(json, "- - 10 35"), "energy 0 x 0.5 = 0; net 10 = 0; net_lost 25 = 0");
	/* a correction takes export back: what it cancelled is due now */
	CHECK_STR(kit_net(json, "- - 10 -5"), "energy 15 x 0.5 = 7.5; net -5 = 0");
}

static void
test_money(void)
{
	const char *json = TOU "'net':{'mode':'billing_carry'},'components':[" ENERGY "," CREDIT
						   "," FIXED ",{'code':'minimum','kind':'minimum','amount':12}]}";
	const char *usage = "2026-03-01 peak 100 0, 2026-03-01 valley 0 300";

	/* what was carried in pays energy only; what was earned goes on */
	kit_begin("2026-03-01", "2026-04-01");
	CHECK_STR(kit_net(json, usage), "energy/peak 100 x 0.7 = 70; credit/valley 300 x -0.2 = -60; "
									"fixed 1 x 5 = 5; net_earned 60 = 60; net_carry 60 = 0");
	CHECK(kit_carried_money() == (eb_int128) 60 * 1000000000000000);
	/* the minimum looks at the bill after credit */
	kit_ctx.credit_money = kit_carried_money() * 2;
	CHECK_STR(kit_net(json, usage),
			  "energy/peak 100 x 0.7 = 70; credit/valley 300 x -0.2 = -60; fixed 1 x 5 = 5; "
			  "minimum 1 x 7 = 7; net_earned 60 = 60; net 70 = -70; net_carry 110 = 0");
	/* the settlement is not in the minimum */
	kit_begin("2026-12-01", "2027-01-01");
	kit_ctx.credit_money = (eb_int128) 120 * 1000000000000000;
	CHECK_STR(kit_net(json, "2026-12-01 peak 100 0, 2026-12-01 valley 0 300"),
			  "energy/peak 100 x 0.7 = 70; credit/valley 300 x -0.2 = -60; fixed 1 x 5 = 5; "
			  "minimum 1 x 7 = 7; net_earned 60 = 60; net 70 = -70; net_paid 110 = -110");
	/* kWh cancel kWh of their period first; credit is in whole cents */
	json = TOU "'net':{'mode':'rollover_money'},'components':[" ENERGY "," CREDIT "," FIXED "]}";
	kit_begin("2026-03-01", "2026-04-01");
	kit_ctx.credit_money = (eb_int128) 1005 * 1000000000000;
	CHECK_STR(
		kit_net(json, "2026-03-01 peak 100 40, 2026-03-01 valley 10 30"),
		"energy/peak 60 x 0.7 = 42; credit/valley 20 x -0.2 = -4; fixed 1 x 5 = 5; "
		"net/peak 40 = 0; net/valley 10 = 0; net_earned 4 = 4; net 5 = -5; net_carry 0.005 = 0");
	/* modes without an account: the bill may be negative */
	json = TOU "'net':{'mode':'buy_all_sell_all'},'components':[" ENERGY "," CREDIT "]}";
	kit_begin("2026-03-01", "2026-04-01");
	CHECK_STR(kit_net(json, "2026-03-01 peak 10 40"),
			  "energy/peak 10 x 0.7 = 7; credit/peak 40 x -0.3 = -12");
}

static void
test_bad(void)
{
	const char *kwh = TOU "'net':{'mode':'rollover_kwh'},'components':[" ENERGY "]}";
	const char *money = TOU "'net':{'mode':'billing_carry'},'components':[" ENERGY "," CREDIT "]}";
	const char *none = TOU "'components':[" ENERGY "," CREDIT "]}";
	const char *usage = "2026-03-01 peak 10 40";

	kit_begin("2026-03-01", "2026-04-01");
	kit_add_credit("peak", "1");
	CHECK_STR(kit_net(money, usage), "1 credit must be money");
	CHECK_STR(kit_net(none, usage), "1 the tariff keeps no credit");
	kit_credit[0].value_u = -1;
	CHECK_STR(kit_net(kwh, usage), "1 credit must not be negative");
	kit_begin("2026-03-01", "2026-04-01");
	kit_add_credit("noon", "1");
	CHECK_STR(kit_net(kwh, usage),
			  "2 credit is for a period that does not net: It is period \"noon\".");
	kit_begin("2026-03-01", "2026-04-01");
	kit_ctx.credit_money = 1000000000;
	CHECK_STR(kit_net(kwh, usage), "1 credit must be kWh by period");
	CHECK_STR(kit_net(none, usage), "1 the tariff keeps no credit");
	kit_ctx.credit_money = -1;
	CHECK_STR(kit_net(money, usage), "1 credit must not be negative");
	/* settlement needs dates */
	kit_begin(NULL, NULL);
	CHECK_STR(kit_net(money, "- peak 10 40"),
			  "2 the tariff needs the dates of the usage: They decide whether the bill settles the "
			  "account.");
	/* what cannot be cancelled */
	kit_begin("2026-03-01", "2026-04-01");
	CHECK_STR(kit_net(HEAD
					  "'schedules':{'a':[{'period':'x'}],'b':[{'period':'y'}]},"
					  "'net':{'mode':'offset_kwh'},'components':["
					  "{'code':'one','kind':'energy','schedule':'a','price':{'period':{'x':1}}},"
					  "{'code':'two','kind':'energy','schedule':'b','price':{'period':{'y':1}}}]}",
					  "2026-03-01 x 1 0, 2026-03-01 y 1 0"),
			  "6 kWh cannot be cancelled in this tariff: It has energy by the periods of two "
			  "schedules.");
}

int
main(void)
{
	test_account();
	test_rollover_kwh();
	test_time_of_day();
	test_offset();
	test_money();
	test_bad();
	return check_done("net");
}
