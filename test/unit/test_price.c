/*
 * test_price.c -- price nodes: products rounded once, maps, what depends on what
 * Sources in brackets are cases of the tariff vectors and sections of the tariff reference.
 */
#include <stdio.h>

#include "base/civil.h"
#include "check.h"
#include "kit_json.h"
#include "rating/price.h"
#include "rating/tariff_json.h"

static const EbAttr attrs[] = {{{"kv", 2}, {"110", 3}}, {{"green", 5}, {"true", 4}}};
static EbFault fault;
static EbRounding round_price; /* of the tariff; step 0: none */

/* The price of a component in a tariff with periods peak, valley and season summer */
static const EbTariff *
tariff_of(const char *values, const char *price)
{
	static char text[4000];

	snprintf(text, sizeof(text),
			 "{'elecbill':1,'currency':'CNY','seasons':{'summer':[['06-01','10-01']]},"
			 "'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},"
			 "{'period':'valley'}]},'values':%s,"
			 "'components':[{'code':'e','kind':'energy','price':%s}]}",
			 values, price);
	return kit_json_tariff(text, &fault);
}

static int32_t
price_node(const EbTariff *tariff)
{
	return EB_ARRAY(tariff, EbComponent, tariff->component)->price;
}

static int32_t
period_index(const EbTariff *tariff, const char *name)
{
	const EbSlice *period = EB_ARRAY(tariff, EbSlice, tariff->period_name);

	for (int i = 0; name != NULL && i < tariff->period_name.n; i++)
		if (eb_text_is((EbText){EB_ARRAY(tariff, char, period[i]), period[i].n}, name))
			return i;
	return EB_NONE;
}

/* The price as text, or "status message" */
static const char *
price_with(const char *values, const char *price, const char *period, int season)
{
	static char text[400];
	const EbTariff *tariff = tariff_of(values, price);
	EbPriceEnv env = {.tariff = tariff, .attr = attrs, .nattrs = 2, .season = season};
	int64_t value_n;
	EbStatus status;

	if (tariff == NULL)
		return fault.message;
	env.period = period_index(tariff, period);
	status = eb_price_value(&env, price_node(tariff), &round_price, &value_n, &fault);
	if (status != EB_OK)
		snprintf(text, sizeof(text), "%d %s", (int) status, fault.message);
	else
		eb_decimal_format(value_n, EB_PRICE_SCALE, text);
	return text;
}

static const char *
price_of(const char *price)
{
	return price_with("{}", price, "peak", 0);
}

static void
test_arithmetic(void)
{
	CHECK_STR(price_of("0.5383"), "0.5383");
	CHECK_STR(price_of("-0.000000001"), "-0.000000001");
	CHECK_STR(price_of("{'add':[0.1,0.2,-0.05]}"), "0.25");
	CHECK_STR(price_of("{'mul':[0.3,0.3]}"), "0.09");
	/* exact to 1e-18, then half-up at 1e-9, away from zero */
	CHECK_STR(price_of("{'mul':[0.00005,0.00001]}"), "0.000000001");
	CHECK_STR(price_of("{'mul':[-0.00005,0.00001]}"), "-0.000000001");
	CHECK_STR(price_of("{'mul':[0.000049999,0.00001]}"), "0");
	/* a product inside a product is not rounded: 1e-18 x 1e9 is 1e-9 */
	CHECK_STR(price_of("{'mul':[{'mul':[0.000000001,0.000000001]},1000000000]}"), "0.000000001");
	CHECK_STR(price_of("{'add':[{'mul':[0.00005,0.00001]},{'mul':[0.00005,0.00001]}]}"),
			  "0.000000001");
	CHECK_STR(price_of("{'mul':[0.12345,1],'round':{'step':0.0001,'mode':'floor'}}"), "0.1234");
	CHECK_STR(price_of("{'mul':[0.12345,1],'round':{'step':0.0001,'mode':'half_even'}}"), "0.1234");
	CHECK_STR(price_of("{'mul':[0.12345,1],'round':{'step':0.0001}}"), "0.1235");
	CHECK_STR(price_of("{'add':[0.12,0.006],'round':{'step':0.05,'mode':'up'}}"), "0.15");
}

/* round.price of the tariff acts on the unrounded product too, not on what 1e-9 leaves of it */
static void
test_round_price(void)
{
	round_price = (EbRounding){100000, EB_HALF_UP, 0};
	CHECK_STR(price_of("{'mul':[0.00001,12344.99999]}"), "0.1234");
	CHECK_STR(price_of("{'mul':[0.00001,12345]}"), "0.1235");
	CHECK_STR(price_of("0.12345"), "0.1235");
	round_price.mode = EB_CEIL;
	CHECK_STR(price_of("{'mul':[0.00001,12340.00001]}"), "0.1235");
	round_price = eb_price_exact;
}

/* Derived prices are rounded once, from the unrounded product [cn-price-gd-0.6500] */
static void
test_guangdong(void)
{
	const char *values = "{'flat':0.65,'to_peak':1.7}";

	CHECK_STR(price_with(values,
						 "{'mul':[{'ref':'flat'},{'ref':'to_peak'}],'round':{'step':0.0001}}",
						 "peak", 0),
			  "1.105");
	CHECK_STR(
		price_with(values, "{'mul':[{'ref':'flat'},0.38],'round':{'step':0.0001}}", "peak", 0),
		"0.247");
	/* sharp = peak x 1.25 = 1.38125, from the unrounded peak */
	CHECK_STR(price_with("{'peak':{'mul':[0.65,1.7]}}",
						 "{'mul':[{'ref':'peak'},1.25],'round':{'step':0.0001}}", "peak", 0),
			  "1.3813");
	/* cn-sz-tou: 0.6542 x 1.7 and x 0.38 */
	CHECK_STR(price_of("{'mul':[0.6542,1.7],'round':{'step':0.0001}}"), "1.1121");
	CHECK_STR(price_of("{'mul':[0.6542,0.38],'round':{'step':0.0001}}"), "0.2486");
}

static void
test_maps(void)
{
	const char *by_period = "{'period':{'peak':0.7,'*':0.4}}";
	const char *by_season = "{'season':{'summer':1,'*':2}}";

	CHECK_STR(price_with("{}", by_period, "peak", 0), "0.7");
	CHECK_STR(price_with("{}", by_period, "valley", 0), "0.4");
	CHECK_STR(price_with("{}", by_season, "peak", 1), "1");
	CHECK_STR(price_with("{}", by_season, "peak", 0), "2");
	CHECK_STR(price_of("{'attr':'kv','of':{'10':0.1,'110':0.2}}"), "0.2");
	CHECK_STR(price_of("{'attr':'green','of':{'true':0.3,'*':9}}"), "0.3");
	CHECK_STR(price_of("{'attr':'unknown','of':{'x':0.3,'*':9}}"), "9");
	CHECK_STR(price_with("{'tou':{'period':{'peak':1.6,'valley':0.4}}}",
						 "{'mul':[0.3894,{'ref':'tou'}],'round':{'step':0.0001}}", "valley", 0),
			  "0.1558"); /* example 4 */
}

static void
test_errors(void)
{
	CHECK_STR(price_with("{}", "{'season':{'summer':1,'*':2}}", "peak", EB_NONE),
			  "2 the price depends on the season, the usage has no dates");
	CHECK_STR(price_with("{}", "{'period':{'peak':1,'valley':2}}", NULL, 0),
			  "1 a value that is one for all periods must not depend on the period");
	CHECK_STR(price_of("{'attr':'unknown','of':{'x':0.3}}"),
			  "2 no price for the value of an attribute");
	CHECK_STR(price_of("{'mul':[9000000000,9000000000]}"), "4 price is out of range");
	CHECK_STR(price_of("{'mul':[9000000000.123456789,9000000000.123456789,9000000000.123456789]}"),
			  "4 price has too many digits to be exact");
}

static void
test_uses(void)
{
	const EbTariff *tariff =
		tariff_of("{'a':{'season':{'*':1}}}",
				  "{'mul':[{'ref':'a'},{'period':{'*':{'attr':'kv','of':{'*':1}}}}]}");

	if (!CHECK(tariff != NULL))
		return;
	CHECK_INT(eb_price_uses(tariff, price_node(tariff)),
			  EB_USES_PERIOD | EB_USES_SEASON | EB_USES_ATTR);
	CHECK_INT(eb_price_uses(tariff, EB_NONE), 0);
	tariff = tariff_of("{}", "{'add':[1,2]}");
	CHECK_INT(eb_price_uses(tariff, price_node(tariff)), 0);
}

/* ---------------------------------------------------------------- series */

/* Series d changes at midnights, m by month, i inside a day, u comes with the rows */
static const EbTariff *
series_tariff(const char *price)
{
	static char text[4000];

	snprintf(
		text, sizeof(text),
		"{'elecbill':1,'currency':'CNY','series':{'d':[['2026-01-01',0.5],['2026-02-01',0.6]],"
		"'i':[['2026-01-01T01:00:00',0.1],['2026-01-01T02:00:00',0.2]],'m':{'by':'bill_month',"
		"'points':[['2026-01-01',4],['2026-03-15',5]]},'u':'usage'},'schedules':{'s':[{'period':"
		"'a','months':[1]},{'period':'b'}]},'components':[{'code':'e','kind':'energy','price':%s}]}",
		price);
	return kit_json_tariff(text, &fault);
}

/* The price on a day of a bill that ends on bill_day, or the fault */
static const char *
price_on(const char *price, const char *date, const char *bill_date)
{
	static char text[400];
	const EbTariff *tariff = series_tariff(price);
	EbPriceEnv env = {.tariff = tariff, .period = EB_NONE, .day = EB_NO_DAY, .bill_day = EB_NO_DAY};
	int64_t value_n;

	if (tariff == NULL)
		return fault.detail;
	eb_parse_date((EbText){date, (int) strlen(date)}, &env.day);
	eb_parse_date((EbText){bill_date, (int) strlen(bill_date)}, &env.bill_day);
	if (eb_price_value(&env, price_node(tariff), &eb_price_exact, &value_n, &fault) != EB_OK)
		return fault.message;
	eb_decimal_format(value_n, EB_PRICE_SCALE, text);
	return text;
}

static void
test_series(void)
{
	CHECK_STR(price_on("{'series':'d'}", "2026-01-01", ""), "0.5");
	CHECK_STR(price_on("{'series':'d'}", "2026-01-31", ""), "0.5");
	CHECK_STR(price_on("{'series':'d'}", "2026-02-01", ""), "0.6");
	CHECK_STR(price_on("{'series':'d'}", "2030-02-01", ""), "0.6");
	CHECK_STR(price_on("{'series':'d'}", "2025-12-31", ""),
			  "no price before the first point of a series");
	CHECK_STR(price_on("{'series':'d'}", "", ""),
			  "the price depends on the date, the usage has no dates");
	CHECK_STR(price_on("{'mul':[{'series':'d'},{'series':'m'}],'round':{'step':0.1}}", "2026-02-05",
					   "2026-02-28"),
			  "2.4");
	/* the month the bill is named after, whatever day of it: the point of the 15th is that of March */
	CHECK_STR(price_on("{'series':'m'}", "", "2026-01-05"), "4");
	CHECK_STR(price_on("{'series':'m'}", "", "2026-02-28"), "4");
	CHECK_STR(price_on("{'series':'m'}", "", "2026-03-01"), "5");
	CHECK_STR(price_on("{'series':'m'}", "", "2025-12-31"),
			  "no price before the first point of a series");
	CHECK_STR(price_on("{'series':'m'}", "2026-01-01", ""),
			  "the price depends on the date, the usage has no dates");
	CHECK_STR(price_on("{'series':'i'}", "2026-01-02", ""),
			  "a price that changes inside days is not one number");
}

static void
test_series_at(void)
{
	const EbTariff *tariff = series_tariff("{'series':'i'}");
	int64_t hour_us = 60 * EB_MINUTE_US;
	int64_t day_us = eb_day_from_date(2026, 1, 1) * EB_DAY_US - 8 * hour_us;
	int64_t price_n;

	CHECK_INT(eb_series_at(tariff, 1, day_us + hour_us, &price_n, &fault), EB_OK);
	CHECK_INT(price_n, 100000000);
	CHECK_INT(eb_series_at(tariff, 1, day_us + 2 * hour_us - 1, &price_n, &fault), EB_OK);
	CHECK_INT(price_n, 100000000);
	CHECK_INT(eb_series_at(tariff, 1, day_us + 2 * hour_us, &price_n, &fault), EB_OK);
	CHECK_INT(price_n, 200000000);
	CHECK_INT(eb_series_at(tariff, 1, day_us + hour_us - 1, &price_n, &fault), EB_UNKNOWN);
	CHECK_STR(fault.detail, "The series is \"i\".");
	CHECK_INT(eb_series_at(tariff, 0, day_us, &price_n, &fault), EB_OK);
	CHECK_INT(price_n, 500000000);
	CHECK_INT(eb_series_at(tariff, 3, day_us, &price_n, &fault), EB_BAD_ARGUMENT);
}

/* "constant + factor x series + ..." in the period named, on 5 February, or the fault */
static const char *
linear_of(const char *price, const char *period)
{
	static char text[400];
	const EbTariff *tariff = series_tariff(price);
	EbPriceEnv env = {.tariff = tariff, .bill_day = EB_NO_DAY};
	EbLinear linear;
	size_t len;

	if (tariff == NULL)
		return fault.detail;
	env.period = period_index(tariff, period);
	env.day = eb_day_from_date(2026, 2, 5);
	if (eb_price_linear(&env, price_node(tariff), &eb_price_exact, &linear, &fault) != EB_OK)
		return fault.message;
	len = (size_t) eb_decimal_format(linear.constant_n, EB_PRICE_SCALE, text);
	for (int i = 0; i < linear.nterms; i++)
	{
		char factor[EB_DECIMAL_TEXT];

		eb_decimal_format(linear.term[i].factor_n, EB_PRICE_SCALE, factor);
		len += (size_t) snprintf(text + len, sizeof(text) - len, " + %s x %d", factor,
								 (int) linear.term[i].series);
	}
	return text;
}

static void
test_linear(void)
{
	CHECK_STR(linear_of("0.5", "a"), "0.5");
	CHECK_STR(linear_of("{'series':'d'}", "a"), "0.6");
	CHECK_STR(linear_of("{'series':'i'}", "a"), "0 + 1 x 1");
	CHECK_STR(
		linear_of("{'add':[0.1,{'mul':[1.2,{'add':[{'series':'i'},0.05]},{'series':'d'}]}]}", "a"),
		"0.136 + 0.72 x 1");
	CHECK_STR(linear_of("{'add':[{'series':'u'},{'series':'i'},{'series':'i'},{'mul':[-2,{'series':"
						"'u'}]}]}",
						"a"),
			  "0 + 2 x 1 + -1 x 3");
	/* terms that cancel out are none, a branch without series is a plain price */
	CHECK_STR(linear_of("{'add':[{'series':'i'},{'mul':[-1,{'series':'i'}]},3]}", "a"), "3");
	CHECK_STR(linear_of("{'period':{'a':{'series':'i'},'b':0.7}}", "a"), "0 + 1 x 1");
	CHECK_STR(linear_of("{'period':{'a':{'series':'i'},'b':0.7}}", "b"), "0.7");
	CHECK_STR(linear_of("{'mul':[{'series':'i'},1.00001,1.00001]}", "a"),
			  "the factor of a series has more than 9 decimals");
	CHECK_STR(linear_of("{'mul':[{'series':'i'},0]}", "a"), "0");
	CHECK_INT(eb_price_series(series_tariff("{'add':[{'series':'i'},{'series':'u'}]}"),
							  price_node(series_tariff("{'add':[{'series':'i'},{'series':'u'}]}"))),
			  1 << 1 | 1 << 3);
}

int
main(void)
{
	test_arithmetic();
	test_round_price();
	test_guangdong();
	test_maps();
	test_errors();
	test_uses();
	test_series();
	test_series_at();
	test_linear();
	return check_done("price");
}
