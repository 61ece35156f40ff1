/*
 * kit_tier_case.h -- random tariffs of one tier component, with random usage
 * A bill of three weeks with a month's end in it; peak is 08:00 to 22:00.
 */
#ifndef ELECBILL_TEST_KIT_TIER_CASE_H
#define ELECBILL_TEST_KIT_TIER_CASE_H

#include "kit_random.h"
#include "kit_rate.h"

#define FIRST_DAY 19 /* of May 2024: the bill is [20 May, 10 June) */
#define DAYS 21
#define MOST_INTERVALS 12

enum
{
	PEAK,
	VALLEY,
	PERIODS
};

typedef struct Interval
{
	int minute; /* since the bill began */
	int length;
	int64_t ukwh;
} Interval;

typedef struct Case
{
	int mode;  /* EbTierMode */
	int scope; /* EbTierScope */
	int order; /* EbTierOrder */
	int nsteps;
	int64_t bound_u[4];
	int64_t price[4][PERIODS]; /* 1e-9 */
	int64_t flat[4];
	int64_t base[PERIODS]; /* of mode adder, and of packages */
	int64_t size_u;
	int64_t free_u;
	int64_t before_u[PERIODS];
	int n;
	Interval interval[MOST_INTERVALS];
} Case;

static const char *const mode_name[] = {"graduated", "volume", "package", "adder"};
static const char *const order_name[] = {"prorata", "per_period", "time"};
static const char *const scope_name[] = {"interval", "day", "bill", "month", "quarter", "year"};
static const char *const period_name[] = {"peak", "valley"};

static inline Case
random_tariff(void)
{
	Case c = {.mode = (int) kit_below(4), .scope = (int) kit_below(6), .order = (int) kit_below(3)};
	int64_t bound = 0;

	c.nsteps = 1 + (int) kit_below(4);
	c.size_u = 100000 + kit_below(5000000);
	c.free_u = kit_below(3) == 0 ? kit_below(9000000) : 0;
	for (int k = 0; k < c.nsteps; k++)
	{
		bound += 1 + kit_below(kit_below(2) == 0 ? 40000000 : 4000000);
		c.bound_u[k] = bound;
		c.flat[k] = kit_below(3) == 0 ? kit_below(5000000000) : 0;
		for (int p = 0; p < PERIODS; p++)
			c.price[k][p] = 1 + kit_below(2000000000);
		/* one price where the whole of a step is a line of no period */
		if (c.mode == EB_TIER_ADDER || c.mode == EB_TIER_VOLUME)
			c.price[k][VALLEY] = c.price[k][PEAK];
	}
	for (int p = 0; p < PERIODS; p++)
		c.base[p] = 1 + kit_below(2000000000);
	if (c.mode == EB_TIER_PACKAGE)
		c.base[VALLEY] = c.base[PEAK];
	return c;
}

static inline void
random_usage(Case *c)
{
	int at = 0;

	c->n = (int) kit_below(MOST_INTERVALS + 1);
	for (int i = 0; i < c->n; i++)
	{
		at += (int) kit_below(3) == 0 ? (int) kit_below(2000) : (int) kit_below(60);
		c->interval[i].minute = at;
		c->interval[i].length = 1 + (int) kit_below(300);
		c->interval[i].ukwh = kit_below(4) == 0 ? kit_below(100) : kit_below(30000000);
		at += c->interval[i].length;
		if (at > DAYS * EB_DAY_MINUTES)
			c->n = i;
	}
	for (int p = 0; p < PERIODS; p++)
		c->before_u[p] = kit_below(2) == 0 ? 0 : kit_below(60000000);
	if (c->scope == EB_SCOPE_INTERVAL)
		c->before_u[PEAK] = c->before_u[VALLEY] = 0;
}

static inline void
write_steps(const Case *c, int64_t times)
{
	kit_add("'steps':[");
	for (int k = 0; k < c->nsteps; k++)
	{
		kit_add("%s{'price':", k > 0 ? "," : "");
		if (c->price[k][PEAK] == c->price[k][VALLEY])
			kit_number("", c->price[k][PEAK] * times, EB_PRICE_SCALE);
		else
		{
			kit_number("{'period':{'peak':", c->price[k][PEAK] * times, EB_PRICE_SCALE);
			kit_number(",'valley':", c->price[k][VALLEY] * times, EB_PRICE_SCALE);
			kit_add("}}");
		}
		kit_number(",'flat':", c->flat[k] * times, EB_PRICE_SCALE);
		if (k < c->nsteps - 1)
			kit_number(",'up_to':", c->bound_u[k], EB_ENERGY_SCALE);
		kit_add("}");
	}
	kit_add("]");
}

/* The tariff, all its prices multiplied */
static inline const EbTariff *
compile(const Case *c, int64_t times)
{
	static char json[sizeof(kit_bill)];

	kit_length = 0;
	kit_add("{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai','round':{'line':null},"
			"'schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},{'period':'valley'}]"
			"},'components':[{'code':'e','kind':'energy'");
	if (c->mode == EB_TIER_PACKAGE)
		kit_number(",'price':", c->base[PEAK] * times, EB_PRICE_SCALE);
	if (c->mode == EB_TIER_ADDER)
	{
		kit_number(",'price':{'period':{'peak':", c->base[PEAK] * times, EB_PRICE_SCALE);
		kit_number(",'valley':", c->base[VALLEY] * times, EB_PRICE_SCALE);
		kit_add("}}");
	}
	kit_add(",'tier':{'mode':'%s','scope':'%s','order':'%s','split':'continue',",
			mode_name[c->mode], scope_name[c->scope], order_name[c->order]);
	if (c->mode == EB_TIER_PACKAGE)
	{
		kit_number("'size':", c->size_u, EB_ENERGY_SCALE);
		kit_number(",'free':", c->free_u, EB_ENERGY_SCALE);
	}
	else
		write_steps(c, times);
	kit_add("}}]}");
	memcpy(json, kit_bill, kit_length + 1);
	return kit_tariff_of(json);
}

/* The usage; cut: each interval in two where both pieces are whole */
static inline EbUsage *
make_usage(const EbTariff *tariff, const Case *c, bool cut)
{
	EbUsage *usage = kit_usage(tariff, "");

	for (int i = 0; i < c->n; i++)
	{
		const Interval *it = &c->interval[i];
		int64_t from_us = usage->from_us + it->minute * EB_MINUTE_US;
		int64_t to_us = from_us + it->length * EB_MINUTE_US;
		int half = it->length / 2;

		if (cut && half > 0 && it->ukwh * half % it->length == 0)
		{
			int64_t middle_us = from_us + half * EB_MINUTE_US;
			int64_t first = it->ukwh * half / it->length;

			kit_spread(tariff, from_us, middle_us, first);
			kit_spread(tariff, middle_us, to_us, it->ukwh - first);
		}
		else
			kit_spread(tariff, from_us, to_us, it->ukwh);
	}
	return usage;
}

static inline void
set_before(const Case *c)
{
	for (int p = 0; p < PERIODS; p++)
	{
		char text[EB_DECIMAL_TEXT];

		if (c->before_u[p] == 0)
			continue;
		eb_decimal_format(c->before_u[p], EB_ENERGY_SCALE, text);
		kit_before_period((EbTierScope) c->scope, period_name[p], text);
	}
}

#endif /* ELECBILL_TEST_KIT_TIER_CASE_H */
