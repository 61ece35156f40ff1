/*
 * test_usage.c -- energy is cut exactly, and summed alike in any order; numbers worked out by hand
 */
#include <stdlib.h>

#include "check.h"
#include "kit_tariff.h"
#include "kit_memory.h"
#include "rating/register.h"

#define HOUR_US (60 * EB_MINUTE_US)
#define PARTS 64

static KitTariff kit;
static EbClassifier by;

static const EbZoneSpan shanghai_span[] = {{INT64_MIN, 28800}};
static const EbZone shanghai = {shanghai_span, 1};

static int64_t
local(int year, int month, int day, int hour, int minute)
{
	return eb_day_from_date(year, month, day) * EB_DAY_US + (hour - 8) * HOUR_US +
		   minute * EB_MINUTE_US;
}

static void
start(EbUsageSum *sum)
{
	CHECK_INT(eb_usage_sum_init(sum, &kit_memory, &by, 1), EB_OK);
}

static EbStatus
add_channel(EbUsageSum *sum, EbChannel channel, int64_t from_us, int64_t to_us, int64_t ukwh)
{
	EbUsageRow row = {.from_us = from_us,
					  .to_us = to_us,
					  .energy_ukwh = ukwh,
					  .price_n = EB_NO_PRICE,
					  .channel = channel};
	EbFault fault;

	return eb_usage_add(sum, &by, &row, &fault);
}

static EbStatus
add(EbUsageSum *sum, int64_t from_us, int64_t to_us, int64_t ukwh)
{
	return add_channel(sum, EB_IMPORT_KWH, from_us, to_us, ukwh);
}

static EbUsage
finish(const EbUsageSum *sum)
{
	EbUsage usage;
	EbFault fault;

	CHECK_INT(eb_usage_finish(sum, &by, false, &kit_memory, &usage, &fault), EB_OK);
	return usage;
}

static int64_t
total(const EbUsage *usage, int first, int n)
{
	int64_t sum = 0;

	for (int part = 0; part < usage->nparts; part++)
		for (int i = first; i < first + n; i++)
			sum += usage->cell[part * usage->ncells + i];
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
	EbUsageSum s;
	EbUsage usage;

	start(&s);
	CHECK_INT(add(&s, local(2026, 2, 4, 22, 0), local(2026, 2, 5, 6, 30), 17000000), EB_OK);
	usage = finish(&s);
	CHECK_INT(usage.nparts, 2); /* the tier month begins on the 5th */
	CHECK_INT(usage.part_day[0], eb_day_from_date(2026, 2, 1));
	CHECK_INT(usage.part_day[1], eb_day_from_date(2026, 2, 5));
	CHECK_INT(usage.cell[KIT_VALLEY], 4000000);
	CHECK_INT(usage.cell[KIT_SLOTS + KIT_VALLEY], 12000000);
	CHECK_INT(usage.cell[KIT_SLOTS + KIT_FLAT], 1000000);
	CHECK_INT(usage.cell[KIT_WEEKDAY], 4000000);
	CHECK_INT(usage.from_us, local(2026, 2, 4, 22, 0));
	CHECK_INT(usage.to_us, local(2026, 2, 5, 6, 30));
	CHECK_INT(usage.missing_s, 0);
	CHECK_INT(usage.quality, EB_ACTUAL);
}

/* A gap counts in seconds, rounded up */
static void
test_missing(void)
{
	EbUsageSum s;
	EbUsage usage;

	start(&s);
	add(&s, local(2026, 3, 7, 0, 0), local(2026, 3, 7, 1, 0), 5);
	add(&s, local(2026, 3, 9, 0, 0) + 1, local(2026, 3, 9, 1, 0), 5);
	usage = finish(&s);
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
	uint32_t seed = 7;
	EbUsageSum forward, backward, half;
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
	CHECK_INT(eb_usage_sum_merge(&backward, &half, &fault), EB_OK);
	a = finish(&forward);
	b = finish(&backward);
	CHECK_INT(a.nparts, b.nparts);
	CHECK_INT(a.from_us, b.from_us);
	CHECK_INT(a.to_us, b.to_us);
	CHECK_INT(a.missing_s, b.missing_s);
	CHECK_MEM(a.part_day, b.part_day, sizeof(int32_t) * (size_t) a.nparts);
	CHECK_MEM(a.cell, b.cell, sizeof(int64_t) * (size_t) (a.nparts * KIT_SLOTS));
	CHECK_INT(total(&a, 0, 2), sum);
	CHECK_INT(total(&a, KIT_DEEP, 4), sum);
}

/* A merge moves rows: what is added behind it goes to its own part */
static void
test_add_after_merge(void)
{
	int64_t may_us = local(2026, 5, 20, 12, 0);
	EbUsageSum first, second;
	EbUsage usage;
	EbFault fault;

	start(&first);
	start(&second);
	add(&first, may_us, may_us + HOUR_US, 1);
	add(&second, local(2026, 3, 20, 12, 0), local(2026, 3, 20, 13, 0), 10);
	CHECK_INT(eb_usage_sum_merge(&first, &second, &fault), EB_OK);
	add(&first, may_us + HOUR_US, may_us + 2 * HOUR_US, 100);
	usage = finish(&first);
	CHECK_INT(usage.nparts, 2);
	CHECK_INT(usage.cell[KIT_FLAT], 10);
	CHECK_INT(usage.cell[KIT_SLOTS + KIT_FLAT], 101);
}

/* Cutting an interval at whole units changes nothing */
static void
test_split_invariance(void)
{
	int64_t from_us = local(2026, 5, 30, 7, 10);
	EbUsageSum s;
	EbUsage a, b;

	start(&s);
	add(&s, from_us, from_us + 72 * HOUR_US, 72 * 3600);
	a = finish(&s);
	start(&s);
	for (int i = 71; i >= 0; i--)
		add(&s, from_us + i * HOUR_US, from_us + (i + 1) * HOUR_US, 3600);
	b = finish(&s);
	CHECK_INT(a.nparts, b.nparts);
	CHECK_MEM(a.cell, b.cell, sizeof(int64_t) * (size_t) (a.nparts * KIT_SLOTS));
}

/* Memory may end anywhere: no crash, no leak, and the status says it */
static void
test_no_space(void)
{
	int calls = 0;
	EbStatus status = EB_NO_SPACE;
	EbUsageRow row = {.from_us = local(2026, 2, 4, 12, 0),
					  .to_us = local(2026, 3, 4, 12, 0),
					  .energy_ukwh = 28000001};

	for (; status == EB_NO_SPACE && calls < 100; calls++)
	{
		EbUsageSum s;
		EbUsage usage;
		EbFault fault;

		kit_memory_left = calls;
		status = eb_usage_sum_init(&s, &kit_memory, &by, 1);
		if (status == EB_OK)
			status = eb_usage_add(&s, &by, &row, &fault);
		kit_memory_left = -1;
		if (status != EB_OK)
			continue;
		usage = finish(&s);
		CHECK_INT(usage.nparts, 3);
		CHECK_INT(total(&usage, 0, 2), 28000001);
		CHECK(row.crossed);
	}
	CHECK_INT(status, EB_OK);
	CHECK(calls > 3);
}

static void
test_overflow(void)
{
	int64_t at_us = local(2026, 2, 4, 12, 0);
	EbUsageSum s;

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
registers(EbRegisterValue *value, size_t n, int64_t wrap_wh)
{
	EbUsageSum s;
	EbFault fault;

	start(&s);
	qsort(value, n, sizeof(*value), compare);
	CHECK_INT(eb_register_usage(value, n, wrap_wh, EB_IMPORT_KWH, &s, &by, &fault), EB_OK);
	return finish(&s);
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
	EbRegisterValue value[8];
	EbUsage usage;

	morning(value);
	usage = registers(value, 5, 1000000);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 400 * EB_WH);
	CHECK_INT(usage.to_us - usage.from_us, HOUR_US);
	CHECK_INT(usage.quality, EB_ACTUAL);

	morning(value); /* rolls over */
	value[4] = eb_register_value(value[4].boundary_us, 50, false);
	usage = registers(value, 5, 1000000);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 1050 * EB_WH);
	CHECK_INT(usage.held, 0);
	usage = registers(value, 5, 0);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 300 * EB_WH);
	CHECK_INT(usage.held, 1);
	CHECK_INT(usage.missing_s, 900);
	CHECK_INT(usage.quality, EB_MISSING);

	morning(value); /* a restart */
	value[2] = eb_register_value(value[2].boundary_us, 17, true);
	value[3] = eb_register_value(value[3].boundary_us, 20, false);
	value[4] = eb_register_value(value[4].boundary_us, 20, false);
	usage = registers(value, 5, 1000000);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 103 * EB_WH);
	CHECK_INT(usage.missing_s, 900);
	CHECK_INT(usage.held, 0);

	morning(value); /* the same value twice, once as restart */
	value[5] = value[1];
	usage = registers(value, 6, 1000000);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 400 * EB_WH);
	CHECK_INT(usage.held, 0);
	morning(value);
	value[5] = eb_register_value(value[1].boundary_us, 999100, true);
	usage = registers(value, 6, 1000000);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 300 * EB_WH);

	morning(value); /* two values at one instant: passed over */
	value[5] = eb_register_value(value[1].boundary_us, 999101, false);
	usage = registers(value, 6, 1000000);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 400 * EB_WH);
	CHECK_INT(usage.held, 1);
	CHECK_INT(usage.missing_s, 0);
	CHECK_INT(usage.quality, EB_ESTIMATED);

	morning(value); /* the same with a restart among them: the way is broken */
	value[5] = eb_register_value(value[1].boundary_us, 5, true);
	usage = registers(value, 6, 1000000);
	CHECK_INT(total(&usage, KIT_FLAT, 1), 200 * EB_WH);
	CHECK_INT(usage.missing_s, 1800);

	morning(value);
	usage = registers(value, 1, 1000000);
	CHECK_INT(usage.nparts, 0);
	CHECK_INT(usage.from_us, usage.to_us);
	CHECK_INT(usage.missing_s, 0);
}

/* A difference of more than an hour over a boundary is an estimate, one of an hour is not */
static void
test_register_quality(void)
{
	EbRegisterValue value[2];
	EbUsage usage;

	value[0] = eb_register_value(local(2026, 2, 3, 5, 30), 0, false);
	value[1] = eb_register_value(local(2026, 2, 3, 6, 30), 10, false);
	usage = registers(value, 2, 0);
	CHECK_INT(usage.quality, EB_ACTUAL);
	CHECK_INT(usage.cell[KIT_VALLEY], 5 * EB_WH);
	CHECK_INT(usage.cell[KIT_FLAT], 5 * EB_WH);
	value[1].boundary_us++;
	usage = registers(value, 2, 0);
	CHECK_INT(usage.quality, EB_ESTIMATED);
	/* eleven hours of one period on a working day, over a midnight of UTC */
	value[0] = eb_register_value(local(2026, 2, 3, 6, 0), 0, false);
	value[1] = eb_register_value(local(2026, 2, 3, 17, 0), 11, false);
	usage = registers(value, 2, 0);
	CHECK_INT(usage.quality, EB_ACTUAL);
	CHECK_INT(usage.cell[KIT_FLAT], 11 * EB_WH);
}

int
main(void)
{
	kit = kit_tariff();
	eb_classifier_init(&by, &kit.tariff, &shanghai);
	by.cache = malloc(sizeof(EbTouCache));
	eb_tou_cache_init(by.cache, by.tariff, by.zone);
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
	free(by.cache);
	kit_memory_end();
	return check_done("test_usage");
}
