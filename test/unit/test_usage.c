/*
 * test_usage.c -- energy is cut exactly, and summed alike in any order
 */
#include <stdlib.h>

#include "check.h"
#include "kit_tariff.h"
#include "rating/register.h"

#define HOUR_US (60 * EB_MINUTE_US)
#define PARTS 64

static KitTariff kit;
static EbTouCache *cache;

static const EbZoneSpan shanghai_span[] = {{INT64_MIN, 28800}};
static const EbZone shanghai = {shanghai_span, 1};

/* A sum with its memory */
typedef struct Sum
{
	EbUsageSum sum;
	int32_t part_day[PARTS];
	int64_t cell[PARTS * (KIT_SLOTS + 1)];
} Sum;

static int64_t
local(int year, int month, int day, int hour, int minute)
{
	return eb_day_from_date(year, month, day) * EB_DAY_US + (hour - 8) * HOUR_US +
		   minute * EB_MINUTE_US;
}

static void
start(Sum *s)
{
	eb_usage_sum_init(&s->sum, KIT_SLOTS, 2);
	eb_usage_sum_grow(&s->sum, PARTS, s->part_day, s->cell);
}

static EbStatus
add(Sum *s, int64_t from_us, int64_t to_us, int64_t ukwh)
{
	EbSpread spread = eb_spread(from_us, to_us, ukwh);
	EbFault fault;

	return eb_usage_add(&s->sum, cache, &spread, &fault);
}

static EbUsage
finish(const Sum *s, int64_t *energy)
{
	EbUsage usage;
	EbFault fault;

	CHECK_INT(eb_usage_finish(&s->sum, energy, &usage, &fault), EB_OK);
	return usage;
}

static int64_t
total(const EbUsage *usage, int first, int n)
{
	int64_t sum = 0;

	for (int part = 0; part < usage->nparts; part++)
		for (int i = first; i < first + n; i++)
			sum += usage->energy_ukwh[part * usage->nslots + i];
	return sum;
}

static void
test_spread(void)
{
	EbSpread spread = eb_spread(0, 3, 10);

	CHECK_INT(eb_spread_take(&spread, 1), 3);
	CHECK_INT(eb_spread_take(&spread, 2), 4);
	CHECK_INT(eb_spread_take(&spread, 3), 3);
	spread = eb_spread(-5, 5, 1);
	CHECK_INT(eb_spread_take(&spread, -1), 0);
	CHECK_INT(eb_spread_take(&spread, 0), 1); /* exactly a half goes up */
	CHECK_INT(eb_spread_take(&spread, 5), 0);
	spread = eb_spread(0, 32 * EB_DAY_US, INT64_MAX);
	CHECK_INT(eb_spread_take(&spread, 16 * EB_DAY_US), INT64_MAX / 2 + 1);
	CHECK_INT(eb_spread_take(&spread, 32 * EB_DAY_US), INT64_MAX / 2);
}

/* 2 kWh from 22:00 to 06:30 next day in winter: 8 h valley and half an hour flat */
static void
test_night(void)
{
	int64_t energy[PARTS * KIT_SLOTS];
	Sum s;
	EbUsage usage;

	start(&s);
	CHECK_INT(add(&s, local(2026, 2, 4, 22, 0), local(2026, 2, 5, 6, 30), 17000000), EB_OK);
	usage = finish(&s, energy);
	CHECK_INT(usage.nparts, 2); /* the tier month begins on the 5th */
	CHECK_INT(usage.part_day[0], eb_day_from_date(2026, 2, 1));
	CHECK_INT(usage.part_day[1], eb_day_from_date(2026, 2, 5));
	CHECK_INT(usage.energy_ukwh[KIT_VALLEY], 4000000);
	CHECK_INT(usage.energy_ukwh[KIT_SLOTS + KIT_VALLEY], 12000000);
	CHECK_INT(usage.energy_ukwh[KIT_SLOTS + KIT_FLAT], 1000000);
	CHECK_INT(usage.energy_ukwh[KIT_WEEKDAY], 4000000);
	CHECK_INT(usage.from_us, local(2026, 2, 4, 22, 0));
	CHECK_INT(usage.to_us, local(2026, 2, 5, 6, 30));
	CHECK_INT(usage.missing_s, 0);
	CHECK_INT(usage.quality, EB_ACTUAL);
}

/* A gap counts in seconds, rounded up */
static void
test_missing(void)
{
	int64_t energy[PARTS * KIT_SLOTS];
	Sum s;
	EbUsage usage;

	start(&s);
	add(&s, local(2026, 3, 7, 0, 0), local(2026, 3, 7, 1, 0), 5);
	add(&s, local(2026, 3, 9, 0, 0) + 1, local(2026, 3, 9, 1, 0), 5);
	usage = finish(&s, energy);
	CHECK_INT(usage.missing_s, 47 * 3600 + 1);
	CHECK_INT(usage.quality, EB_MISSING);
	CHECK_INT(total(&usage, KIT_DEEP, 4), 10);
	CHECK_INT(total(&usage, 0, 2), 10);
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* The same intervals in another order and in two halves: the same bytes */
static void
test_order(void)
{
	enum
	{
		N = 2000
	};
	static int64_t from[N], energy[N];
	int64_t first[PARTS * KIT_SLOTS], second[PARTS * KIT_SLOTS];
	uint32_t seed = 7;
	Sum forward, backward, half;
	EbUsage a, b;
	EbFault fault;
	int64_t sum = 0;

	start(&forward);
	start(&backward);
	start(&half);
	for (int i = 0; i < N; i++)
	{
		from[i] = local(2026, 1, 1, 0, 0) + (int64_t) i * 3 * HOUR_US + next_random(&seed) % 1000;
		energy[i] = next_random(&seed);
		sum += energy[i];
		CHECK_INT(add(&forward, from[i], from[i] + 2 * HOUR_US, energy[i]), EB_OK);
	}
	for (int i = N - 1; i >= 0; i--)
		add(i % 3 == 0 ? &half : &backward, from[i], from[i] + 2 * HOUR_US, energy[i]);
	CHECK_INT(eb_usage_sum_merge(&backward.sum, &half.sum, &fault), EB_OK);
	a = finish(&forward, first);
	b = finish(&backward, second);
	CHECK_INT(a.nparts, b.nparts);
	CHECK_INT(a.from_us, b.from_us);
	CHECK_INT(a.to_us, b.to_us);
	CHECK_INT(a.missing_s, b.missing_s);
	CHECK_MEM(a.part_day, b.part_day, sizeof(int32_t) * (size_t) a.nparts);
	CHECK_MEM(first, second, sizeof(int64_t) * (size_t) (a.nparts * KIT_SLOTS));
	CHECK_INT(total(&a, 0, 2), sum);
	CHECK_INT(total(&a, KIT_DEEP, 4), sum);
}

/* A merge moves rows: what is added behind it goes to its own part */
static void
test_add_after_merge(void)
{
	int64_t energy[PARTS * KIT_SLOTS];
	int64_t may_us = local(2026, 5, 20, 12, 0);
	Sum first, second;
	EbUsage usage;
	EbFault fault;

	start(&first);
	start(&second);
	add(&first, may_us, may_us + HOUR_US, 1);
	add(&second, local(2026, 3, 20, 12, 0), local(2026, 3, 20, 13, 0), 10);
	CHECK_INT(eb_usage_sum_merge(&first.sum, &second.sum, &fault), EB_OK);
	add(&first, may_us + HOUR_US, may_us + 2 * HOUR_US, 100);
	usage = finish(&first, energy);
	CHECK_INT(usage.nparts, 2);
	CHECK_INT(energy[KIT_FLAT], 10);
	CHECK_INT(energy[KIT_SLOTS + KIT_FLAT], 101);
}

/* Cutting an interval at whole units changes nothing */
static void
test_split_invariance(void)
{
	int64_t whole[PARTS * KIT_SLOTS], cut[PARTS * KIT_SLOTS];
	int64_t from_us = local(2026, 5, 30, 7, 10);
	Sum s;
	EbUsage a, b;

	start(&s);
	add(&s, from_us, from_us + 72 * HOUR_US, 72 * 3600);
	a = finish(&s, whole);
	start(&s);
	for (int i = 71; i >= 0; i--)
		add(&s, from_us + i * HOUR_US, from_us + (i + 1) * HOUR_US, 3600);
	b = finish(&s, cut);
	CHECK_INT(a.nparts, b.nparts);
	CHECK_MEM(whole, cut, sizeof(int64_t) * (size_t) (a.nparts * KIT_SLOTS));
}

static void
test_no_space(void)
{
	int32_t part_day[3];
	int64_t cell[3 * (KIT_SLOTS + 1)];
	int64_t energy[3 * KIT_SLOTS];
	EbSpread spread = eb_spread(local(2026, 2, 4, 12, 0), local(2026, 3, 4, 12, 0), 28000001);
	Sum s;
	EbUsage usage;
	EbFault fault;

	start(&s);
	s.sum.capacity = 1;
	CHECK_INT(eb_usage_add(&s.sum, cache, &spread, &fault), EB_NO_SPACE);
	eb_usage_sum_grow(&s.sum, 3, part_day, cell);
	CHECK_INT(eb_usage_add(&s.sum, cache, &spread, &fault), EB_OK);
	usage = finish(&s, energy);
	CHECK_INT(usage.nparts, 3);
	CHECK_INT(total(&usage, 0, 2), 28000001);
	CHECK(spread.crossed);
}

static void
test_overflow(void)
{
	int64_t at_us = local(2026, 2, 4, 12, 0);
	Sum s;

	start(&s);
	CHECK_INT(add(&s, at_us, at_us + HOUR_US, INT64_MAX), EB_OK);
	CHECK_INT(add(&s, at_us, at_us + HOUR_US, 1), EB_OUT_OF_RANGE);
}

static void
test_delta(void)
{
	int64_t delta = 0;

	/* doc/architecture.md: six digits */
	CHECK(eb_register_delta(999990, 12, 1000000, 100000, &delta) && delta == 22);
	CHECK(!eb_register_delta(5000, 4990, 1000000, 100000, &delta));
	CHECK(!eb_register_delta(950000, 90000, 1000000, 100000, &delta));
	CHECK(eb_register_delta(950000, 49999, 1000000, 100000, &delta) && delta == 99999);
	CHECK(!eb_register_delta(900000, 99999, 1000000, 1000000, &delta));
	CHECK(!eb_register_delta(900001, 100000, 1000000, 1000000, &delta));
	CHECK(eb_register_delta(900001, 99999, 1000000, 199998, &delta) && delta == 199998);
	CHECK(eb_register_delta(7, 7, 1000000, 0, &delta) && delta == 0);
	CHECK(eb_register_delta(7, 999999, 1000000, 0, &delta) && delta == 999992);
	CHECK(!eb_register_delta(8, 7, 0, 0, &delta)); /* never rolls over */
	CHECK(eb_register_delta(99998500, 1250, 100000000, 10000000, &delta) && delta == 2750);
}

static int
compare(const void *a, const void *b)
{
	return eb_register_compare(a, b);
}

static EbUsage
registers(EbRegisterValue *value, size_t n, int64_t wrap_wh, int64_t *energy)
{
	static Sum s;
	EbFault fault;

	start(&s);
	qsort(value, n, sizeof(*value), compare);
	CHECK_INT(eb_register_usage(value, n, wrap_wh, &s.sum, cache, &fault), EB_OK);
	return finish(&s, energy);
}

/* Values of one morning, every 15 minutes; each case changes some */
static void
morning(EbRegisterValue *value)
{
	for (int i = 0; i < 5; i++)
		value[i] =
			eb_register_value(local(2026, 2, 3, 7, 15 * i), 999000 + INT64_C(100) * i, false);
}

static void
test_registers(void)
{
	int64_t energy[PARTS * KIT_SLOTS];
	EbRegisterValue value[8];
	EbUsage usage;

	morning(value);
	usage = registers(value, 5, 1000000, energy);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 400 * EB_WH);
	CHECK_INT(usage.to_us - usage.from_us, HOUR_US);
	CHECK_INT(usage.quality, EB_ACTUAL);

	morning(value); /* rolls over */
	value[4] = eb_register_value(value[4].boundary_us, 50, false);
	usage = registers(value, 5, 1000000, energy);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 1050 * EB_WH);
	CHECK_INT(usage.held, 0);
	usage = registers(value, 5, 0, energy);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 300 * EB_WH);
	CHECK_INT(usage.held, 1);
	CHECK_INT(usage.missing_s, 900);
	CHECK_INT(usage.quality, EB_MISSING);

	morning(value); /* a restart */
	value[2] = eb_register_value(value[2].boundary_us, 17, true);
	value[3] = eb_register_value(value[3].boundary_us, 20, false);
	value[4] = eb_register_value(value[4].boundary_us, 20, false);
	usage = registers(value, 5, 1000000, energy);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 103 * EB_WH);
	CHECK_INT(usage.missing_s, 900);
	CHECK_INT(usage.held, 0);

	morning(value); /* the same value twice, once as restart */
	value[5] = value[1];
	usage = registers(value, 6, 1000000, energy);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 400 * EB_WH);
	CHECK_INT(usage.held, 0);
	morning(value);
	value[5] = eb_register_value(value[1].boundary_us, 999100, true);
	usage = registers(value, 6, 1000000, energy);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 300 * EB_WH);

	morning(value); /* two values at one instant: passed over */
	value[5] = eb_register_value(value[1].boundary_us, 999101, false);
	usage = registers(value, 6, 1000000, energy);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 400 * EB_WH);
	CHECK_INT(usage.held, 1);
	CHECK_INT(usage.missing_s, 0);
	CHECK_INT(usage.quality, EB_ESTIMATED);

	morning(value); /* the same with a restart among them: the way is broken */
	value[5] = eb_register_value(value[1].boundary_us, 5, true);
	usage = registers(value, 6, 1000000, energy);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 200 * EB_WH);
	CHECK_INT(usage.missing_s, 1800);

	morning(value);
	usage = registers(value, 1, 1000000, energy);
	CHECK_INT(usage.nparts, 0);
	CHECK_INT(usage.from_us, usage.to_us);
	CHECK_INT(usage.missing_s, 0);
}

/* A difference of more than an hour over a boundary is an estimate, one of an hour is not */
static void
test_register_quality(void)
{
	int64_t energy[PARTS * KIT_SLOTS];
	EbRegisterValue value[2];
	EbUsage usage;

	value[0] = eb_register_value(local(2026, 2, 3, 5, 30), 0, false);
	value[1] = eb_register_value(local(2026, 2, 3, 6, 30), 10, false);
	usage = registers(value, 2, 0, energy);
	CHECK_INT(usage.quality, EB_ACTUAL);
	CHECK_INT(usage.energy_ukwh[KIT_VALLEY], 5 * EB_WH);
	CHECK_INT(usage.energy_ukwh[KIT_FLAT], 5 * EB_WH);
	value[1].boundary_us++;
	usage = registers(value, 2, 0, energy);
	CHECK_INT(usage.quality, EB_ESTIMATED);
	/* eleven hours of one period on a working day, over a midnight of UTC */
	value[0] = eb_register_value(local(2026, 2, 3, 6, 0), 0, false);
	value[1] = eb_register_value(local(2026, 2, 3, 17, 0), 11, false);
	usage = registers(value, 2, 0, energy);
	CHECK_INT(usage.quality, EB_ACTUAL);
	CHECK_INT(usage.energy_ukwh[KIT_FLAT], 11 * EB_WH);
}

static void
test_merge(void)
{
	static int64_t energy[3][PARTS * KIT_SLOTS], ab[PARTS * KIT_SLOTS], left[PARTS * KIT_SLOTS],
		bc[PARTS * KIT_SLOTS], right[PARTS * KIT_SLOTS];
	int32_t day_ab[PARTS], day_left[PARTS], day_bc[PARTS], day_right[PARTS];
	static Sum s[3];
	EbUsage usage[3], first, second, x, y;
	EbFault fault;

	for (int i = 0; i < 3; i++)
	{
		int64_t at_us = local(2026, 2 + 2 * i, 1, 12, 0);

		start(&s[i]);
		add(&s[i], at_us, at_us + (2 - i) * 20 * EB_DAY_US + HOUR_US, 1000 + i);
		usage[i] = finish(&s[i], energy[i]);
		usage[i].held = i;
	}
	usage[1].quality = EB_ESTIMATED;
	CHECK_INT(eb_usage_merge(&usage[0], &usage[1], day_ab, ab, &first, &fault), EB_OK);
	CHECK_INT(eb_usage_merge(&first, &usage[2], day_left, left, &x, &fault), EB_OK);
	CHECK_INT(eb_usage_merge(&usage[2], &usage[1], day_bc, bc, &second, &fault), EB_OK);
	CHECK_INT(eb_usage_merge(&second, &usage[0], day_right, right, &y, &fault), EB_OK);
	CHECK_INT(x.nparts, y.nparts);
	CHECK_MEM(day_left, day_right, sizeof(int32_t) * (size_t) x.nparts);
	CHECK_MEM(left, right, sizeof(int64_t) * (size_t) (x.nparts * KIT_SLOTS));
	CHECK_INT(x.from_us, usage[0].from_us);
	CHECK_INT(y.to_us, usage[2].to_us);
	CHECK_INT(x.held, 3);
	CHECK_INT(y.quality, EB_ESTIMATED);
	CHECK_INT(total(&x, 0, 2), 3003);

	/* something without a range gives way */
	usage[1].from_us = usage[1].to_us = INT64_MIN;
	CHECK_INT(eb_usage_merge(&usage[1], &usage[2], day_ab, ab, &first, &fault), EB_OK);
	CHECK_INT(first.from_us, usage[2].from_us);
	CHECK_INT(first.to_us, usage[2].to_us);

	usage[2].fingerprint[3] = 1;
	CHECK_INT(eb_usage_merge(&usage[1], &usage[2], day_ab, ab, &first, &fault), EB_CONFLICT);
}

int
main(void)
{
	kit = kit_tariff();
	cache = malloc(sizeof(EbTouCache));
	eb_tou_cache_init(cache, &kit.tariff, &shanghai);
	test_spread();
	test_night();
	test_missing();
	test_order();
	test_add_after_merge();
	test_split_invariance();
	test_no_space();
	test_overflow();
	test_delta();
	test_registers();
	test_register_quality();
	test_merge();
	free(cache);
	return check_done("test_usage");
}
