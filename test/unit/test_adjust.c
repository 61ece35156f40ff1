/*
 * test_adjust.c -- percentages by power factor, yearly minimums
 */
#include "check.h"
#include "kit_demand.h"

#define HEAD "{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai',"

#define BASES                                                                                    \
	"{'code':'energy','kind':'energy','price':0.5},{'code':'basic','kind':'fixed','price':100}," \
	"{'code':'funds','kind':'energy','price':0.1},"

/* 1,000 kWh and 450 kvarh are 0.91: -0.15 % of energy and basic fee, not of the funds */
static void
test_power_factor(void)
{
	static const char table[] =
		HEAD "'components':[" BASES
			 "{'code':'pf','kind':'power_factor','base':['energy','basic'],'table':'cn_0.90'}]}";
	static const char lines[] =
		HEAD "'components':[" BASES "{'code':'pf','kind':'power_factor','base':['energy','basic'],"
			 "'table':'cn','per_line':true}]}";
	static const char linear[] =
		HEAD "'components':[" BASES "{'code':'pf','kind':'power_factor','base':['basic'],'linear':"
			 "{'target':0.8,'step':0.01,'percent':0.1,'cap':0.95}}]}";
	static const char own[] =
		HEAD "'components':[" BASES "{'code':'pf','kind':'power_factor','base':['basic'],'table':"
			 "[[0.95,-1],[0.9,0],[0,5]]}]}";

	kit_measure(NULL, NULL);
	kvarh_u = 450 * EB_KWH;
	CHECK_STR(kit_measured_bill(table, "- - 1000"),
			  "energy 1000 x 0.5 = 500; basic 1 x 100 = 100; funds 1000 x 0.1 = 100; "
			  "pf 600 x -0.15 = -0.9");
	kit_add_attr("pf_standard", "0.85");
	CHECK_STR(kit_measured_bill(lines, "- - 1000"),
			  "energy 1000 x 0.5 = 500; basic 1 x 100 = 100; funds 1000 x 0.1 = 100; "
			  "pf 500 x -0.65 = -3.25; pf 100 x -0.65 = -0.65");
	kit_attr[0].value = kit_text("0.95");
	CHECK_STR(kit_measured_bill(lines, "- - 1000"), "1 there is no such power factor standard");
	kit_ctx.nattrs = 0;
	CHECK_STR(kit_measured_bill(lines, "- - 1000"),
			  "2 the tariff needs a quantity that is not given: It is the "
			  "attribute \"pf_standard\".");
	/* nothing used: no power factor; reactive energy alone: the last row */
	kvarh_u = 0;
	CHECK_STR(kit_measured_bill(table, "- - 0"),
			  "energy 0 x 0.5 = 0; basic 1 x 100 = 100; funds 0 x 0.1 = 0");
	kvarh_u = 1;
	CHECK_STR(kit_measured_bill(table, "- - 0"),
			  "energy 0 x 0.5 = 0; basic 1 x 100 = 100; funds 0 x 0.1 = 0; pf 100 x 65 = 65");
	kvarh_u = -1;
	CHECK_STR(kit_measured_bill(table, "- - 1000"),
			  "2 the tariff needs a power factor that the usage lacks");
	/* given, rounded half-up to 0.01 */
	pf_u = 899999;
	CHECK_STR(kit_measured_bill(linear, "- - 0"),
			  "energy 0 x 0.5 = 0; basic 1 x 100 = 100; funds 0 x 0.1 = 0; "
			  "pf 100 x -1 = -1");
	pf_u = 944999;
	CHECK_STR(kit_measured_bill(own, "- - 0"),
			  "energy 0 x 0.5 = 0; basic 1 x 100 = 100; funds 0 x 0.1 = 0; pf 100 x 0 = 0");
	pf_u = 945000;
	CHECK_STR(kit_measured_bill(own, "- - 0"),
			  "energy 0 x 0.5 = 0; basic 1 x 100 = 100; funds 0 x 0.1 = 0; pf 100 x -1 = -1");
}

/* A yearly minimum is due with the bill that holds the last day of the tier year */
static void
test_year(void)
{
	static const char json[] =
		HEAD "'year_start':'07-01','components':[{'code':'energy','kind':'energy','price':1},"
			 "{'code':'least','kind':'minimum','scope':'year','amount':1000}]}";

	kit_measure("2025-05-01", "2025-06-01");
	kit_ctx.charged[EB_SCOPE_YEAR] = (eb_int128) 600 * 1000000 * EB_ONE;
	CHECK_STR(kit_measured_bill(json, "2025-05-03 - 50"), "energy 50 x 1 = 50");
	kit_measure("2025-06-01", "2025-07-01");
	kit_ctx.charged[EB_SCOPE_YEAR] = (eb_int128) 600 * 1000000 * EB_ONE;
	CHECK_STR(kit_measured_bill(json, "2025-06-03 - 50"),
			  "energy 50 x 1 = 50; least 1 x 350 = 350");
	/* a bill below 0 counts as 0 */
	CHECK_STR(kit_measured_bill(json, "2025-06-03 - -50"),
			  "energy -50 x 1 = -50; least 1 x 400 = 400");
	kit_ctx.charged[EB_SCOPE_YEAR] = (eb_int128) 960 * 1000000 * EB_ONE;
	CHECK_STR(kit_measured_bill(json, "2025-06-03 - 50"), "energy 50 x 1 = 50");
	kit_measure("2025-06-20", "2025-07-20");
	CHECK_STR(kit_measured_bill(json, "2025-06-23 - 50"),
			  "energy 50 x 1 = 50; least 1 x 950 = 950");
	kit_measure("2024-06-20", "2025-07-20");
	CHECK_STR(kit_measured_bill(json, "2024-06-23 - 50"),
			  "6 a bill must not end two years of a yearly minimum or maximum");
	kit_measure(NULL, NULL);
	CHECK_STR(kit_measured_bill(json, "- - 50"),
			  "2 the tariff needs the dates of the usage: They decide the "
			  "tier year of a minimum or maximum.");
}

int
main(void)
{
	test_power_factor();
	test_year();
	return check_done("adjust");
}
