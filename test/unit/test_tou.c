/*
 * test_tou.c -- every minute of five years has the one period that the wall clock says
 * Property 10 of the tariff reference. The oracle below reads the clock in its own way and knows
 * the rules of kit_tariff.h by heart; test_tou_random.c draws schedules.
 */
#include <stdlib.h>

#include "check.h"
#include "kit_tariff.h"

#define HOUR_US (60 * EB_MINUTE_US)

static KitTariff kit;

static int64_t
utc(int year, int month, int day, int hour, int minute)
{
	return eb_day_from_date(year, month, day) * EB_DAY_US + hour * HOUR_US + minute * EB_MINUTE_US;
}

static int32_t
date(int year, int month, int day)
{
	return eb_day_from_date(year, month, day);
}

/* Period in the second schedule, from the wall clock in minutes since 2000-01-01 */
static int
oracle(int64_t wall_min)
{
	int hm = (int) (wall_min % 1440 / 60 * 100 + wall_min % 60);
	EbDate d = eb_date_from_day((int32_t) (wall_min / 1440));
	int weekday = (int) ((wall_min / 1440 + 5) % 7);
	int mmdd = d.month * 100 + d.day;
	int summer = d.month >= 6 && d.month <= 9;
	int holiday = d.year == 2026 && (mmdd == 101 || mmdd == 619 || mmdd == 1001);
	int work = (mmdd == 104 && d.year == 2026) || (weekday < 5 && !holiday);

	if (d.year == 2026 && (mmdd == 619 || mmdd == 620) && hm >= 1200 && hm < 1300)
		return KIT_DEEP;
	if (summer && hm >= 800 && hm < 1130)
		return KIT_PEAK;
	if (summer && hm >= 2300)
		return KIT_VALLEY;
	/* the hour after midnight belongs to the evening before: 1 October still, 1 June not yet */
	if (hm < 100 && ((summer && mmdd != 601) || mmdd == 1001))
		return KIT_VALLEY;
	if (!summer && work && hm >= 1700 && hm < 2100)
		return KIT_PEAK;
	if (!summer && (hm >= 2200 || hm < 600))
		return KIT_VALLEY;
	return KIT_FLAT;
}

/* First day of the part: the months, the 5th, 20 August; December and the seasons begin months */
static int32_t
oracle_part(int32_t day)
{
	EbDate d = eb_date_from_day(day);

	if (d.year == 2026 && d.month == 8 && d.day >= 20)
		return date(2026, 8, 20);
	return date(d.year, d.month, d.day >= 5 ? 5 : 1);
}

/* All minutes of the years: one segment each, they tile, and the cache finds the same */
static void
check_years(const char *name, const EbZone *zone, int from_year, int to_year, EbTouCache *cache)
{
	int64_t from_min = utc(from_year, 1, 1, 0, 0) / EB_MINUTE_US;
	int64_t to_min = utc(to_year + 1, 1, 1, 0, 0) / EB_MINUTE_US;
	int wrong = 0;
	int untiled = 0;
	int64_t end_us = from_min * EB_MINUTE_US;
	EbSegment segment = {0};
	EbFault fault;

	eb_tou_cache_init(cache, &kit.tariff, zone);
	for (int64_t minute = from_min; minute < to_min; minute++)
	{
		int64_t at_us = minute * EB_MINUTE_US;
		int span = eb_zone_find(zone, at_us);
		int64_t wall_min = minute + zone->span[span].offset_s / 60;
		int32_t day = (int32_t) (wall_min / 1440);
		int weekend = (wall_min / 1440 + 5) % 7 >= 5;
		const EbSegment *found = eb_tou_find(cache, at_us + 30 * EB_SECOND_US, &fault);

		if (at_us >= segment.to_us || minute == from_min)
		{
			wrong += eb_tou_segment(&kit.tariff, zone, at_us, &segment, &fault) != EB_OK;
			untiled += minute > from_min && segment.from_us != end_us;
			untiled += segment.from_us > at_us || segment.to_us <= at_us;
			end_us = segment.to_us;
		}
		wrong += segment.slot[1] != oracle(wall_min);
		wrong += segment.slot[0] != (weekend ? KIT_WEEKEND : KIT_WEEKDAY);
		wrong += segment.part_day != oracle_part(day);
		wrong += !eb_segment_same(&kit.tariff, &segment, found);
		untiled += found->from_us > at_us || found->to_us <= at_us;
	}
	if (!CHECK_INT(wrong, 0) || !CHECK_INT(untiled, 0))
		printf("    zone %s\n", name);
}

/* The nth Sunday of a month; 0: the last */
static int
sunday(int year, int month, int nth)
{
	int first = 1 + (6 - (date(year, month, 1) + 5) % 7);

	if (nth == 0)
		return first + (eb_month_days(year, month) - first) / 7 * 7;
	return first + (nth - 1) * 7;
}

/* Summer time of a zone by a rule that these years have in common; instants in UTC */
typedef struct SummerRule
{
	const char *name;
	int32_t winter_s; /* offset */
	int32_t summer_s;
	int from_month; /* summer begins on this Sunday, ... */
	int from_nth;
	int from_utc_min; /* minutes after that day's midnight UTC; of the day before: negative */
	int to_month;
	int to_nth;
	int to_utc_min;
} SummerRule;

#define FIRST_YEAR 2023
#define LAST_YEAR 2027
#define MAX_SPANS (2 * (LAST_YEAR - FIRST_YEAR + 1) + 1)

static EbZone
make_zone(const SummerRule *rule, EbZoneSpan *span)
{
	int n = 0;
	bool south = rule->from_month > rule->to_month;

	span[n++] = (EbZoneSpan){INT64_MIN, south ? rule->summer_s : rule->winter_s};
	for (int year = FIRST_YEAR; year <= LAST_YEAR; year++)
	{
		int from = sunday(year, rule->from_month, rule->from_nth);
		int to = sunday(year, rule->to_month, rule->to_nth);
		EbZoneSpan summer = {utc(year, rule->from_month, from, 0, rule->from_utc_min),
							 rule->summer_s};
		EbZoneSpan winter = {utc(year, rule->to_month, to, 0, rule->to_utc_min), rule->winter_s};

		span[n++] = south ? winter : summer;
		span[n++] = south ? summer : winter;
	}
	return (EbZone){span, n};
}

static void
test_years(void)
{
	static const EbZoneSpan shanghai[] = {{INT64_MIN, 28800}};
	static const SummerRule rule[] = {
		{"Europe/London", 0, 3600, 3, 0, 60, 10, 0, 60},
		{"America/New_York", -18000, -14400, 3, 2, 7 * 60, 11, 1, 6 * 60},
		{"Australia/Lord_Howe", 37800, 39600, 10, 1, -(8 * 60 + 30), 4, 1, -9 * 60},
		/* summer time begins and ends at midnight, which comes twice or not at all */
		{"America/Havana", -18000, -14400, 3, 2, 5 * 60, 11, 1, 5 * 60},
	};
	EbTouCache *cache = malloc(sizeof(EbTouCache));
	EbZoneSpan span[MAX_SPANS];

	check_years("Asia/Shanghai", &(EbZone){shanghai, 1}, FIRST_YEAR, LAST_YEAR, cache);
	for (int i = 0; i < 4; i++)
	{
		EbZone zone = make_zone(&rule[i], span);

		check_years(rule[i].name, &zone, FIRST_YEAR, LAST_YEAR, cache);
	}
	free(cache);
}

/* A cache that overflows forgets and stays right */
static void
test_cache(void)
{
	static const EbZoneSpan span[] = {{INT64_MIN, 28800}};
	const EbZone zone = {span, 1};
	EbTouCache *cache = malloc(sizeof(EbTouCache));
	int wrong = 0;
	int64_t day = 0;
	EbFault fault;

	eb_tou_cache_init(cache, &kit.tariff, &zone);
	for (int i = 0; i < 60000; i++)
	{
		int64_t at_us;
		EbSegment segment;

		day = (day * 31 + 17) % 36000;
		at_us = day * EB_DAY_US + (i * INT64_C(7919) % 86400) * EB_SECOND_US;
		wrong += eb_tou_segment(&kit.tariff, &zone, at_us, &segment, &fault) != EB_OK;
		wrong += !eb_segment_same(&kit.tariff, eb_tou_find(cache, at_us, &fault), &segment);
		wrong += eb_tou_find(cache, at_us, &fault)->from_us > at_us;
		wrong += eb_tou_find(cache, -at_us - 1, &fault)->to_us <= -at_us - 1;
	}
	CHECK_INT(wrong, 0);
	free(cache);
}

static void
test_rule_order(void)
{
	static const EbZoneSpan span[] = {{INT64_MIN, 0}};
	const EbZone zone = {span, 1};
	EbSegment segment;
	EbFault fault;

	/* valid is read from the date of the instant: the second half of a night may be without */
	kit.rule[6].valid_to = date(2026, 3, 2);
	CHECK_INT(eb_tou_slot(&kit.tariff, &kit.schedule[1], date(2026, 3, 1), 1439), KIT_VALLEY);
	CHECK_INT(eb_tou_slot(&kit.tariff, &kit.schedule[1], date(2026, 3, 2), 0), KIT_FLAT);
	/* not_days and months */
	kit.rule[7].not_days = KIT_BIT(EB_TAG_SUN);
	kit.rule[7].months = 1 << 3;
	CHECK_INT(eb_tou_slot(&kit.tariff, &kit.schedule[1], date(2026, 3, 2), 0), KIT_FLAT);
	CHECK_INT(eb_tou_slot(&kit.tariff, &kit.schedule[1], date(2026, 4, 1), 0), EB_NONE);
	CHECK_INT(eb_tou_slot(&kit.tariff, &kit.schedule[1], date(2026, 3, 8), 0), EB_NONE);
	CHECK_INT(eb_tou_segment(&kit.tariff, &zone, utc(2026, 3, 8, 0, 30), &segment, &fault),
			  EB_UNKNOWN);
	CHECK_STR(fault.message, "no rule of schedule \"\" covers 00:30");
	CHECK_STR(fault.detail, "The local date is 2026-03-08.");
	kit = kit_tariff();

	/* [08:00, 08:00) is the whole day, from 08:00 to 08:00 */
	kit.span[0] = (EbSpan){480, 480};
	kit.rule[3].seasons = 0;
	CHECK_INT(eb_tou_slot(&kit.tariff, &kit.schedule[1], date(2026, 3, 1), 479), KIT_PEAK);
	CHECK_INT(eb_tou_slot(&kit.tariff, &kit.schedule[1], date(2026, 3, 1), 480), KIT_PEAK);
	kit = kit_tariff();
}

#define DENSE_RANGES 3000

/* The kit with an event: its rule stands before all others of the second schedule */
typedef struct KitEvent
{
	KitTariff kit;
	EbEvent event[1];
	EbInstantRange range[DENSE_RANGES];
	EbRule rule[7];
} KitEvent;

#define EVENT_AT(member) ((int32_t) offsetof(KitEvent, member))

static void
kit_event_init(KitEvent *event, int nranges)
{
	event->kit = kit_tariff();
	event->kit.tariff.event = (EbSlice){EVENT_AT(event), 1};
	event->event[0].range = (EbSlice){EVENT_AT(range), nranges};
	event->rule[0] = kit_rule(KIT_DEEP, 0, 0, 0);
	event->rule[0].event = 0;
	memcpy(event->rule + 1, event->kit.rule + 2, 6 * sizeof(EbRule));
	event->kit.schedule[1].rule = (EbSlice){EVENT_AT(rule), 7};
}

static void
check_segment(const KitEvent *event, const EbZone *zone, int64_t at_us, int slot, int64_t from_us,
			  int64_t to_us)
{
	EbSegment segment;
	EbFault fault;

	CHECK_INT(eb_tou_segment(&event->kit.tariff, zone, at_us, &segment, &fault), EB_OK);
	CHECK_INT(segment.slot[1], slot);
	CHECK_INT(segment.from_us, from_us);
	CHECK_INT(segment.to_us, to_us);
}

/*
 * London, 25 October 2026: the clock shows 01:00 to 02:00 twice, first at 00:00 UTC, then at
 * 01:00 UTC. Two events, 00:30 to 00:45 UTC and 01:15 to 01:30 UTC, each in one of the two hours.
 */
static void
test_events(void)
{
	static KitEvent event;
	const EbZoneSpan span[] = {
		{INT64_MIN, 0}, {utc(2026, 3, 29, 1, 0), 3600}, {utc(2026, 10, 25, 1, 0), 0}};
	const EbZone zone = {span, 3};
	const int64_t hour = utc(2026, 10, 25, 0, 0);
	const int64_t minute = EB_MINUTE_US;

	kit_event_init(&event, 2);
	event.range[0] = (EbInstantRange){.from_us = hour + 30 * minute, .to_us = hour + 45 * minute};
	event.range[1] = (EbInstantRange){.from_us = hour + 75 * minute, .to_us = hour + 90 * minute};
	check_segment(&event, &zone, hour, KIT_VALLEY, hour, hour + 30 * minute);
	check_segment(&event, &zone, hour + 30 * minute - 1, KIT_VALLEY, hour, hour + 30 * minute);
	check_segment(&event, &zone, hour + 30 * minute, KIT_DEEP, hour + 30 * minute,
				  hour + 45 * minute);
	check_segment(&event, &zone, hour + 45 * minute, KIT_VALLEY, hour + 45 * minute,
				  hour + 60 * minute);
	check_segment(&event, &zone, hour + 60 * minute, KIT_VALLEY, hour + 60 * minute,
				  hour + 75 * minute);
	check_segment(&event, &zone, hour + 90 * minute - 1, KIT_DEEP, hour + 75 * minute,
				  hour + 90 * minute);
	check_segment(&event, &zone, hour + 90 * minute, KIT_VALLEY, hour + 90 * minute,
				  hour + 360 * minute);
	/* a wall clock is no instant: no event */
	CHECK_INT(eb_tou_slot(&event.kit.tariff, &event.kit.schedule[1], date(2026, 10, 25), 90),
			  KIT_VALLEY);
	/* the other conditions of its rule hold, too */
	event.rule[0].months = 1 << 9;
	check_segment(&event, &zone, hour + 30 * minute, KIT_VALLEY, hour + 30 * minute,
				  hour + 45 * minute);
	event.event[0].range.n = 0;
	check_segment(&event, &zone, hour, KIT_VALLEY, hour, hour + 60 * minute);
}

/* A day with more pieces than the cache keeps is answered without it, and its neighbours are kept */
static void
test_dense_day(void)
{
	static const EbZoneSpan span[] = {{INT64_MIN, 28800}};
	static KitEvent event;
	const EbZone zone = {span, 1};
	const int64_t from_us = utc(2026, 10, 25, 1, 0);
	EbTouCache *cache = malloc(sizeof(EbTouCache));
	EbFault fault;
	int wrong = 0;

	kit_event_init(&event, DENSE_RANGES);
	for (int i = 0; i < DENSE_RANGES; i++)
	{
		event.range[i].from_us = from_us + i * 20 * EB_SECOND_US;
		event.range[i].to_us = event.range[i].from_us + 7 * EB_SECOND_US;
	}
	eb_tou_cache_init(cache, &event.kit.tariff, &zone);
	for (int i = 0; i < 4 * 86400; i += 13)
	{
		int64_t at_us = utc(2026, 10, 24, 0, 0) + i * EB_SECOND_US;
		int64_t after_s = (at_us - from_us) / EB_SECOND_US;
		bool deep = at_us >= from_us && after_s < DENSE_RANGES * 20 && after_s % 20 < 7;
		const EbSegment *found = eb_tou_find(cache, at_us, &fault);

		wrong += (found->slot[1] == KIT_DEEP) != deep;
		wrong += found->from_us > at_us || found->to_us <= at_us;
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(eb_tou_find(cache, utc(2026, 10, 25, 12, 0), &fault) == &cache->loose, 1);
	CHECK_INT(eb_tou_find(cache, utc(2026, 10, 24, 12, 0), &fault) == &cache->loose, 0);
	free(cache);
}

int
main(void)
{
	kit = kit_tariff();
	test_years();
	test_cache();
	test_rule_order();
	test_events();
	test_dense_day();
	return check_done("test_tou");
}
