/*
 * test_rate_vat.c -- tax lines of bills: one for each rate, limits with tax; worked out by hand
 */
#include "check.h"
#include "kit_rate.h"

#define TARIFF(components) "{'elecbill':1,'currency':'EUR','components':[" components "]}"
#define ENERGY(vat) "{'code':'energy','kind':'energy','price':0.25,'vat':" vat "}"
#define FEE(vat) "{'code':'fee','kind':'fixed','price':3.33,'vat':" vat "}"

static void
test_rates(void)
{
	/* rates in the order of the components, each on the sum of its rounded lines */
	CHECK_STR(kit_rate(TARIFF(ENERGY("20") "," FEE("5.5")), "- - 10"),
			  "energy 10 x 0.25 = 2.5; fee 1 x 3.33 = 3.33;  2.5 x 20 = 0.5;  3.33 x 5.5 = 0.18");
	CHECK_STR(kit_rate(TARIFF(ENERGY("20") "," FEE("20")), "- - 10"),
			  "energy 10 x 0.25 = 2.5; fee 1 x 3.33 = 3.33;  5.83 x 20 = 1.17");
	CHECK_STR(kit_rate(TARIFF(ENERGY("0") "," FEE("20")), "- - 10"),
			  "energy 10 x 0.25 = 2.5; fee 1 x 3.33 = 3.33;  3.33 x 20 = 0.67");
	CHECK_INT(kit_line[2].role, EB_LINE_VAT);
	CHECK_INT(kit_line[2].component, EB_NONE);
	/* a levy is taxed by its own rate; half a cent goes up, away from zero */
	CHECK_STR(kit_rate(TARIFF(ENERGY("10") ",{'code':'levy','kind':'percent','percent':10,"
										   "'vat':20}"),
					   "- - 10"),
			  "energy 10 x 0.25 = 2.5; levy 2.5 x 10 = 0.25;  2.5 x 10 = 0.25;  0.25 x 20 = 0.05");
	CHECK_STR(kit_rate(TARIFF("{'code':'back','kind':'fixed','price':-0.25,'vat':10}"), "- - 0"),
			  "back 1 x -0.25 = -0.25;  -0.25 x 10 = -0.03");
	/* a total that is rounded is rounded with its tax */
	CHECK_STR(kit_total("{'elecbill':1,'currency':'CHF','round':{'total':{'step':0.05}},"
						"'components':[" ENERGY("8") "]}",
						"- - 10"),
			  "2.7");
	CHECK_STR(kit_rate(TARIFF(ENERGY("0")), "- - 10"), "energy 10 x 0.25 = 2.5");
}

#define LEAST(more) "{'code':'least','kind':'minimum'," more "}"
#define MOST(more) "{'code':'most','kind':'maximum'," more "}"

static void
test_limits(void)
{
	/* a minimum bears its own tax, or is given with tax */
	CHECK_STR(kit_rate(TARIFF(ENERGY("20") "," LEAST("'amount':4,'vat':20")), "- - 10"),
			  "energy 10 x 0.25 = 2.5; least 1 x 1.5 = 1.5;  4 x 20 = 0.8");
	CHECK_STR(kit_rate(TARIFF(ENERGY("20") "," LEAST("'amount':4,'amount_incl':5")), "- - 10"),
			  "energy 10 x 0.25 = 2.5; least 1 x 1.5 = 1.5;  2.5 x 20 = 0.5; least 1 x 0.5 = 0.5");
	CHECK_STR(kit_total(TARIFF(ENERGY("20") "," LEAST("'amount_incl':5")), "- - 10"), "5");
	CHECK_STR(kit_total(TARIFF(ENERGY("20") "," MOST("'amount_incl':2.9")), "- - 10"), "2.9");
	CHECK_STR(kit_total(TARIFF(ENERGY("20") "," MOST("'amount_incl':3")), "- - 10"), "3");
	/* what the limit without tax adds does not go beyond the limit with tax */
	CHECK_STR(kit_total(TARIFF(ENERGY("20") "," LEAST("'amount':4,'amount_incl':4")), "- - 10"),
			  "4");
	/* two limits one after the other, and a base that is not all */
	CHECK_STR(
		kit_rate(TARIFF(ENERGY("20") "," LEAST("'amount_incl':5") "," MOST("'amount_incl':6")),
				 "- - 10"),
		"energy 10 x 0.25 = 2.5;  2.5 x 20 = 0.5; least 1 x 2 = 2");
	CHECK_STR(
		kit_rate(TARIFF(ENERGY("20") "," LEAST("'amount_incl':1") "," MOST("'amount_incl':2")),
				 "- - 10"),
		"energy 10 x 0.25 = 2.5;  2.5 x 20 = 0.5; most 1 x -1 = -1");
	CHECK_STR(kit_total(TARIFF(ENERGY("20") "," FEE("0") "," LEAST("'base':['energy'],"
																   "'amount_incl':5")),
						"- - 10"),
			  "8.33");
	/* by the month; not before the bill is final; one of a session never */
	kit_begin("2026-01-01", "2026-03-01");
	CHECK_STR(kit_total(TARIFF(ENERGY("20") "," LEAST("'scope':'month','amount_incl':5")),
						"2026-01-01 - 10"),
			  "10");
	kit_ctx.final = false;
	CHECK_STR(kit_total(TARIFF(ENERGY("20") "," LEAST("'amount_incl':5")), "2026-01-01 - 10"), "3");
	kit_begin(NULL, NULL);
	CHECK_STR(
		kit_total(TARIFF(ENERGY("20") "," LEAST("'scope':'session','amount_incl':5")), "- - 10"),
		"3");
}

int
main(void)
{
	kit_begin(NULL, NULL);
	test_rates();
	test_limits();
	return check_done("rate_vat");
}
