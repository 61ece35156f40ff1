/*
 * test_usage_moving.c -- frames that move, against sums of the rows that are in them
 * Random rows of all channels enter a frame and leave it in the order they came. Now and then the
 * frame is finished, and so is a fresh sum of its rows: both must be the same to the last byte.
 */
#include "check.h"
#include "kit_json.h"
#include "kit_memory.h"
#include "kit_random.h"
#include "rating/usage_moving.h"

#define CASES 1500
#define MOST_ROWS 120
#define VERSIONS 2
#define HOUR_US (60 * EB_MINUTE_US)

/* Single days are parts until 29 March (the day on which London loses an hour), then prices of the hour and the row. */
#define SCHEDULE \
	"'schedules':{'tou':[{'period':'day','spans':[['08:00','20:00']]},{'period':'night'}]}"
#define HEAD "{'elecbill':1,'currency':'GBP','zone':'Europe/London'," SCHEDULE
#define ENERGY "'code':'energy','kind':'energy','price':{'period':{'day':2,'night':1}}"
static const char json[] =
	"{'elecbill':1,'versions':["
	"{'version':1,'valid':['2026-03-01','2026-03-29'],'tariff':" HEAD ",'components':[{" ENERGY
	",'when':{'not_days':['sat']}}]}},"
	"{'version':2,'valid':['2026-03-29','2026-05-01'],'tariff':" HEAD
	",'series':{'row':'usage','spot':[['2026-03-28T00:00:00Z',0.5],['2026-03-29T00:30:00Z',-0.25],"
	"['2026-03-29T10:17:00Z',1.000000001]]},'components':[{" ENERGY
	"},{'code':'spot','kind':'energy','price':{'series':'spot'}}"
	",{'code':'sold','kind':'credit','price':{'series':'row'}}"
	",{'code':'q','kind':'reactive','price':0.01}]}}]}";
static const char in_order[] =
	HEAD ",'components':[{" ENERGY
		 ",'tier':{'mode':'adder','order':'time','steps':[{'up_to':10,'price':0},{'price':1}]}}]}";
static const char demand[] = HEAD
	",'demands':{'main':{'window':30}},'components':[{'code':'d','kind':'demand','demand':'main','price':1}]}";

static const EbZoneSpan london_span[] = {{INT64_MIN, 0},
										 {INT64_C(9584) * EB_DAY_US + HOUR_US, 3600}};
static const EbZone london = {london_span, 2};

static EbUsageRow row[MOST_ROWS];

/* From 26 March to 1 April, some of hours and some of days; the channels of one case may be few */
static void
some_rows(int nrows)
{
	int nchannels = 1 + (int) kit_below(4);
	bool in_time = kit_below(2) == 0;

	for (int i = 0; i < nrows; i++)
	{
		int64_t at = in_time ? i * INT64_C(144) / nrows : kit_below(144);

		row[i] = (EbUsageRow){.from_us = 9581 * EB_DAY_US + at * HOUR_US,
							  .energy_ukwh = kit_below(kit_below(3) == 0 ? 2 : 100000000),
							  .price_n = kit_below(2000000001) - 500000000,
							  .channel = (EbChannel) kit_below(nchannels)};
		row[i].to_us =
			row[i].from_us + (1 + kit_below(kit_below(5) == 0 ? 60 * 3600 : 3600)) * EB_SECOND_US;
	}
}

static bool
same_usage(const EbUsage *is, const EbUsage *want)
{
	size_t cells = (size_t) want->nparts * (size_t) want->ncells;

	return CHECK_INT(is->from_us, want->from_us) & CHECK_INT(is->to_us, want->to_us) &
			   CHECK_INT(is->missing_s, want->missing_s) & CHECK_INT(is->held, want->held) &
			   CHECK_INT(is->quality, want->quality) & CHECK_INT(is->channels, want->channels) &
			   CHECK_INT(is->npeaks + is->npieces, 0) &&
		   CHECK_INT(is->nparts, want->nparts) &&
		   (cells == 0 ||
			(CHECK_MEM(is->part_day, want->part_day, sizeof(int32_t) * (size_t) want->nparts) &
			 CHECK_MEM(is->cell, want->cell, sizeof(int64_t) * cells)));
}

/* The frame is that of rows from first up to before last. */
static bool
compare(const EbUsageMoving *moving, const EbClassifier *by, int first, int last)
{
	EbUsageSum sum;
	EbUsage is;
	EbUsage want;
	EbFault fault;
	bool same;

	eb_usage_sum_init(&sum, &kit_memory, by, VERSIONS);
	for (int i = first; i < last; i++)
		CHECK_INT(eb_usage_add(&sum, by, &row[i], &fault), EB_OK);
	same = CHECK_INT(moving->sum.from_us, sum.from_us) & CHECK_INT(moving->sum.to_us, sum.to_us);
	CHECK_INT(eb_usage_finish(&moving->sum, by, true, &kit_memory, &is, &fault), EB_OK);
	CHECK_INT(eb_usage_finish(&sum, by, true, &kit_memory, &want, &fault), EB_OK);
	same &= same_usage(&is, &want);
	for (int i = 0; i < VERSIONS && same; i++)
		same &= same_usage(&is.sub[i], &want.sub[i]);
	return same;
}

static bool
test_case(const EbClassifier *by)
{
	int nrows = 1 + (int) kit_below(MOST_ROWS);
	int most = 1 + (int) kit_below(30); /* rows of a frame, more or less */
	EbUsageMoving moving;
	EbFault fault;
	int first = 0;
	int last = 0;
	bool same = true;

	some_rows(nrows);
	CHECK_INT(eb_usage_moving_init(&moving, &kit_memory, by, VERSIONS), EB_OK);
	CHECK(moving.goes);
	while (same && (last < nrows || first < last))
	{
		if (last < nrows && (first == last || last - first < kit_below(2 * most)))
			CHECK_INT(eb_usage_moving_add(&moving, by, &row[last++], &fault), EB_OK);
		else
			CHECK_INT(eb_usage_moving_take(&moving, by, &row[first++], &fault), EB_OK);
		if (kit_below(4) == 0 || first == last)
			same = compare(&moving, by, first, last);
	}
	same &= CHECK_INT(moving.sum.of[0].nparts + moving.sum.of[1].nparts, 0);
	kit_memory_end();
	return same;
}

/* What keeps rows in order, or windows, is summed anew. */
static void
test_what_cannot_move(const char *text, int64_t want_kwh)
{
	EbFault fault;
	const EbTariff *tariff = kit_json_tariff(text, &fault);
	EbUsageMoving moving;
	EbClassifier by;

	if (!CHECK(tariff != NULL))
		return;
	some_rows(1);
	eb_classifier_init(&by, tariff, &london);
	by.cache = malloc(sizeof(EbTouCache));
	eb_tou_cache_init(by.cache, tariff, &london);
	CHECK(!eb_usage_can_move(&by, 1));
	CHECK_INT(eb_usage_moving_init(&moving, &kit_memory, &by, 1), EB_OK);
	CHECK(!moving.goes);
	row[0] = (EbUsageRow){.from_us = 9581 * EB_DAY_US,
						  .to_us = 9581 * EB_DAY_US + HOUR_US,
						  .energy_ukwh = want_kwh * 1000000};
	CHECK_INT(eb_usage_moving_add(&moving, &by, &row[0], &fault), EB_OK);
	CHECK_INT(moving.sum.of[0].nparts, 1);
	CHECK_INT(moving.sum.of[0].rows->npieces + moving.sum.of[0].layout->ntables, 1);
	free(by.cache);
	kit_memory_end();
}

/* A sum that leaves 64 bits says so when the row comes. */
static void
test_overflow(const EbClassifier *by)
{
	EbUsageMoving moving;
	EbFault fault;

	CHECK_INT(eb_usage_moving_init(&moving, &kit_memory, by, VERSIONS), EB_OK);
	row[0] = (EbUsageRow){
		.from_us = 9581 * EB_DAY_US, .to_us = 9581 * EB_DAY_US + HOUR_US, .energy_ukwh = INT64_MAX};
	CHECK_INT(eb_usage_moving_add(&moving, by, &row[0], &fault), EB_OK);
	CHECK_INT(eb_usage_moving_take(&moving, by, &row[0], &fault), EB_OK);
	CHECK_INT(moving.sum.of[0].nparts, 0);
	CHECK_INT(eb_usage_moving_add(&moving, by, &row[0], &fault), EB_OK);
	row[1] = row[0];
	row[1].energy_ukwh = 1;
	CHECK_INT(eb_usage_moving_add(&moving, by, &row[1], &fault), EB_OUT_OF_RANGE);
	CHECK_STR(fault.message, "energy is out of range");
	kit_memory_end();
}

int
main(void)
{
	EbFault fault;
	const EbTariff *tariff = kit_json_tariff(json, &fault);
	EbClassifier by[VERSIONS];

	if (tariff == NULL || tariff->version.n != VERSIONS)
	{
		fprintf(stderr, "%s: %s\n", fault.message, fault.detail);
		return 1;
	}
	eb_classifier_init(by, tariff, &london);
	for (int i = 0; i < VERSIONS; i++)
	{
		by[i].cache = malloc(sizeof(EbTouCache));
		eb_tou_cache_init(by[i].cache, by[i].tariff, by[i].zone);
	}
	kit_seed("usage_moving");
	for (int i = 0; i < CASES; i++)
		if (!test_case(by))
		{
			printf("in case %d\n", i);
			break;
		}
	test_what_cannot_move(in_order, 1);
	test_what_cannot_move(demand, 1);
	test_overflow(by);
	for (int i = 0; i < VERSIONS; i++)
		free(by[i].cache);
	return check_done("test_usage_moving");
}
