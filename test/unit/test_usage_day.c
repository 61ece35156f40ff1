/*
 * test_usage_day.c -- blocks that are added in one go, against a row for each value
 * Whole days of a tariff with periods, cut by its clock, of one and two bytes, with gaps; bytes that
 * are damaged; sums that come to their limit. Random blocks of all kinds are in test_usage_profile.c.
 */
#include "check.h"
#include "kit_json.h"
#include "kit_memory.h"
#include "kit_random.h"
#include "rating/load_profile_bytes.h"
#include "rating/usage_day.h"

#define DAYS 3000
#define MOST_VALUES 1500
#define DAMAGES 40000

static const EbZoneSpan span[] = {{INT64_MIN, 28800}};
static const EbZone zone = {span, 1};

static EbProfileValue value[MOST_VALUES];

typedef struct Block
{
	uint8_t *bytes; /* of their own size, so that reading behind them is seen */
	size_t size;
	EbProfile view;
} Block;

static void
make_block(Block *block, int64_t start_us, int step_s, int n)
{
	EbProfileDraft draft = {.start_us = start_us, .step_s = step_s, .n = n, .value = value};
	EbFault fault;

	CHECK_INT(eb_profile_size(&draft, &block->size, &fault), EB_OK);
	block->bytes = realloc(block->bytes, block->size);
	eb_profile_write(&draft, block->bytes);
	CHECK_INT(eb_profile_open(block->bytes, block->size, &block->view, &fault), EB_OK);
}

/* A day of draws up to most above base, one of missing lacking; the ends are there */
static void
draw_values(int n, int64_t base, int64_t most, int missing)
{
	for (int i = 0; i < n; i++)
	{
		value[i] = (EbProfileValue){.missing = missing > 0 && i > 0 && i < n - 1 &&
											   kit_below(missing) == 0};
		if (value[i].missing == 0)
			value[i].energy_wh = base + kit_below(most + 1);
	}
}

static void
open_classifier(EbClassifier *by)
{
	EbFault fault = {.message = ""};
	const EbTariff *tariff = kit_json_tariff(
		"{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai','seasons':{'s':[['06-01','09-01']]},"
		"'schedules':{'tou':[{'period':'sharp','spans':[['19:00','21:00']],'season':['s']},"
		"{'period':'peak','spans':[['08:00','11:00'],['17:00','23:00']]},"
		"{'period':'odd','spans':[['13:30','13:45']],'days':['weekend']},"
		"{'period':'valley','spans':[['23:00','07:00']]},{'period':'flat'}]},"
		"'components':[{'code':'energy','kind':'energy','price':{'period':{'sharp':1.2,'peak':0.9,"
		"'flat':0.568,'valley':0.288,'odd':0.1}}}]}",
		&fault);

	if (tariff == NULL)
		printf("%s: %s\n", fault.message, fault.detail);
	eb_classifier_init(by, tariff, &zone);
	by->cache = malloc(sizeof(EbTouCache));
	eb_tou_cache_init(by->cache, by->tariff, &zone);
	by->plans = malloc(sizeof(EbPlans));
	eb_plans_init(by->plans);
}

static void
close_classifier(EbClassifier *by)
{
	free(by->cache);
	free(by->plans);
	kit_memory_end();
}

/* ---------------------------------------------------------------- sums */

static EbStatus
add_rows(EbUsageSum *sum, const EbClassifier *by, const EbProfile *profile, EbFault *fault)
{
	int64_t step_us = eb_profile_step_us(profile);
	EbStatus status = EB_OK;

	for (int i = 0; i < profile->n && status == EB_OK; i++)
	{
		EbUsageRow row = {.from_us = profile->start_us + i * step_us,
						  .to_us = profile->start_us + (i + 1) * step_us,
						  .energy_ukwh = value[i].energy_wh * EB_WH,
						  .price_n = EB_NO_PRICE,
						  .channel = (EbChannel) profile->channel};

		if (value[i].missing == 0)
			status = eb_usage_add(sum, by, &row, fault);
	}
	return status;
}

static bool
same_sum(const EbUsageSum *is, const EbUsageSum *want, const EbClassifier *by)
{
	EbUsage a;
	EbUsage b;
	EbFault fault;

	CHECK_INT(eb_usage_finish(is, by, false, &kit_memory, &a, &fault), EB_OK);
	CHECK_INT(eb_usage_finish(want, by, false, &kit_memory, &b, &fault), EB_OK);
	return CHECK_INT(a.from_us, b.from_us) & CHECK_INT(a.to_us, b.to_us) &
			   CHECK_INT(a.missing_s, b.missing_s) & CHECK_INT(a.nparts, b.nparts) &
			   CHECK_INT(a.channels, b.channels) &&
		   CHECK_MEM(a.part_day, b.part_day, sizeof(int32_t) * (size_t) a.nparts) &
			   CHECK_MEM(a.cell, b.cell, sizeof(int64_t) * (size_t) (a.nparts * a.ncells));
}

/* Days in any order into one sum: in one go, as any block, and as rows */
static void
test_days(void)
{
	static const int steps[] = {60, 300, 900, 900, 900, 1800, 3600};
	static const int64_t mosts[] = {1, 200, 255, 256, 1500, 65535};
	Block block = {0};
	EbClassifier by;
	EbUsageSum day;
	EbUsageSum any;
	EbUsageSum rows;
	EbFault fault;
	int ndays = 0;

	open_classifier(&by);
	eb_usage_sum_init(&day, &kit_memory, &by, 1);
	eb_usage_sum_init(&any, &kit_memory, &by, 1);
	eb_usage_sum_init(&rows, &kit_memory, &by, 1);
	for (int i = 0; i < DAYS; i++)
	{
		int step_s = steps[kit_below(7)];
		int64_t start_us = (9250 + kit_below(60)) * EB_DAY_US - 28800 * EB_SECOND_US;
		EbStatus status;

		draw_values(86400 / step_s, kit_below(2) * kit_below(1000), mosts[kit_below(6)],
					(int) kit_below(3) * 40);
		make_block(&block, start_us, step_s, 86400 / step_s);
		status = eb_usage_add_day(&day, &by, block.bytes, block.size);
		ndays += status == EB_OK;
		if (status == EB_NOT_SUPPORTED)
			status = eb_usage_add_profile(&day, &by, &block.view, false, &fault);
		CHECK_INT(status, EB_OK);
		CHECK_INT(eb_usage_add_profile(&any, &by, &block.view, false, &fault), EB_OK);
		CHECK_INT(add_rows(&rows, &by, &block.view, &fault), EB_OK);
	}
	same_sum(&day, &rows, &by);
	same_sum(&any, &rows, &by);
	/* all but the first of each day and step, and what has one value throughout */
	CHECK(ndays > DAYS / 4);
	free(block.bytes);
	close_classifier(&by);
}

/* ---------------------------------------------------------------- what is not simple, and damage */

/*
 * Bytes of a block that were changed, or cut off: whatever is added in one go can be opened, and if
 * it still has the form of a block, it adds what it adds as any block.
 */
static void
test_damage(void)
{
	Block block = {0};
	EbClassifier by;
	EbFault fault;
	int nadded = 0;

	open_classifier(&by);
	for (int i = 0; i < DAMAGES; i++)
	{
		size_t size;
		uint8_t *bytes;
		EbProfile view;
		EbUsageSum day;
		EbUsageSum any;

		if (i % 50 == 0)
		{
			draw_values(96, kit_below(300), kit_below(2) * 1000 + 100, (int) kit_below(3) * 20);
			make_block(&block, 9500 * EB_DAY_US - 28800 * EB_SECOND_US, 900, 96);
		}
		eb_usage_sum_init(&day, &kit_memory, &by, 1);
		eb_usage_sum_init(&any, &kit_memory, &by, 1);
		CHECK_INT(eb_usage_add_profile(&any, &by, &block.view, false, &fault), EB_OK);
		eb_usage_sum_init(&any, &kit_memory, &by, 1);
		size = kit_below(4) == 0 ? (size_t) kit_below((int64_t) block.size + 1) : block.size;
		bytes = malloc(size);
		memcpy(bytes, block.bytes, size);
		for (int j = (int) kit_below(3); j > 0 && size > 0; j--)
			bytes[kit_below(kit_below(2) * 27 < (int64_t) size ? (int64_t) size : 1)] ^=
				(uint8_t) (1 << kit_below(8));
		if (eb_usage_add_day(&day, &by, bytes, size) == EB_OK &&
			CHECK_INT(eb_profile_open(bytes, size, &view, &fault), EB_OK) &&
			eb_profile_check(bytes, size, &view, &fault) == EB_OK &&
			CHECK_INT(eb_usage_add_profile(&any, &by, &view, false, &fault), EB_OK))
		{
			same_sum(&day, &any, &by);
			nadded++;
		}
		free(bytes);
		kit_memory_end();
	}
	CHECK(nadded > DAMAGES / 10);
	free(block.bytes);
	close_classifier(&by);
}

/* A block that is none of those that are added in one go; nothing is done with it. */
static void
check_other(const EbClassifier *by, const Block *block)
{
	EbUsageSum sum;
	EbFault fault;

	eb_usage_sum_init(&sum, &kit_memory, by, 1);
	CHECK_INT(eb_usage_add_profile(&sum, by, &block->view, false, &fault), EB_OK);
	eb_usage_sum_init(&sum, &kit_memory, by, 1);
	CHECK_INT(eb_usage_add_day(&sum, by, block->bytes, block->size), EB_NOT_SUPPORTED);
	CHECK(sum.from_us > sum.to_us && sum.of->nparts == 0);
}

static void
test_others(void)
{
	int64_t start_us = 9500 * EB_DAY_US - 28800 * EB_SECOND_US;
	Block block = {0};
	EbClassifier by;
	EbUsageSum sum;

	open_classifier(&by);
	draw_values(96, 0, 1000, 0);
	make_block(&block, start_us, 900, 96);
	eb_usage_sum_init(&sum, &kit_memory, &by, 1);
	CHECK_INT(eb_usage_add_day(&sum, &by, block.bytes, block.size), EB_NOT_SUPPORTED); /* no plan */
	value[7].quality = 1;
	make_block(&block, start_us, 900, 96);
	check_other(&by, &block);
	value[7].quality = 0;
	value[0] = (EbProfileValue){.missing = 1};
	make_block(&block, start_us, 900, 96);
	check_other(&by, &block);
	value[0] = (EbProfileValue){.energy_wh = 5};
	value[95] = (EbProfileValue){.missing = 1};
	make_block(&block, start_us, 900, 96);
	check_other(&by, &block);
	draw_values(96, 0, 100000, 0); /* of four bytes */
	value[3].energy_wh = 100000;
	make_block(&block, start_us, 900, 96);
	check_other(&by, &block);
	draw_values(96, INT64_C(1000000001), 1000, 0); /* too large a base */
	make_block(&block, start_us, 900, 96);
	check_other(&by, &block);
	draw_values(40, 0, 200, 0); /* more than a plan covers */
	make_block(&block, start_us, 3600, 40);
	check_other(&by, &block);
	draw_values(96, 0, 1000, 0); /* values that a period cuts */
	make_block(&block, start_us + 600 * EB_SECOND_US, 900, 96);
	check_other(&by, &block);
	free(block.bytes);
	close_classifier(&by);
}

/* ---------------------------------------------------------------- limits */

/* Into a sum that has room for so much energy in the period that the block's fourth value lies in */
static EbStatus
add_with_room(const EbClassifier *by, const Block *block, int64_t room_ukwh, bool day)
{
	EbUsageRow row = {.from_us = block->view.start_us + 3 * 900 * EB_SECOND_US,
					  .to_us = block->view.start_us + 4 * 900 * EB_SECOND_US,
					  .energy_ukwh = INT64_MAX - room_ukwh,
					  .price_n = EB_NO_PRICE,
					  .channel = EB_IMPORT_KWH};
	EbUsageSum sum;
	EbFault fault;

	eb_usage_sum_init(&sum, &kit_memory, by, 1);
	CHECK_INT(eb_usage_add(&sum, by, &row, &fault), EB_OK);
	return day ? eb_usage_add_day(&sum, by, block->bytes, block->size)
			   : eb_usage_add_profile(&sum, by, &block->view, false, &fault);
}

/* The last 1e-6 kWh that fits, and the first that does not; what is missing takes no room */
static void
test_limits(void)
{
	Block block = {0};
	EbClassifier by;

	open_classifier(&by);
	for (int i = 0; i < 200; i++)
	{
		int64_t valley_wh = 0;

		draw_values(96, kit_below(2) * 999000000, 60000, (int) kit_below(2) * 10);
		make_block(&block, 9500 * EB_DAY_US - 28800 * EB_SECOND_US, 900, 96);
		add_with_room(&by, &block, INT64_MAX, false); /* so that there is a plan */
		for (int j = 0; j < 96; j++)
			if (j < 28 || j >= 92)
				valley_wh += value[j].energy_wh;
		for (int day = 0; day < 2; day++)
		{
			CHECK_INT(add_with_room(&by, &block, valley_wh * EB_WH, day == 1), EB_OK);
			CHECK_INT(add_with_room(&by, &block, valley_wh * EB_WH - 1, day == 1), EB_OUT_OF_RANGE);
		}
		kit_memory_end();
	}
	free(block.bytes);
	close_classifier(&by);
}

int
main(void)
{
	kit_seed("usage_day");
	test_days();
	test_damage();
	test_others();
	test_limits();
	return check_done("test_usage_day");
}
