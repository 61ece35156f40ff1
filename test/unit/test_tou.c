/*
 * test_tou.c -- every minute of a year has the period that the wall clock says
 * The oracle below reads the clock in its own way and knows the rules of kit_tariff.h by heart.
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
	int holiday = (mmdd == 101 && d.year == 2026) || mmdd == 619 || mmdd == 1001;
	int work = (mmdd == 104 && d.year == 2026) || (weekday < 5 && !holiday);

	if (summer && (mmdd == 619 || mmdd == 620) && hm >= 1200 && hm < 1300)
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

	return date(d.year, d.month, d.month == 8 && d.day >= 20 ? 20 : d.day >= 5 ? 5 : 1);
}

static void
check_year(const char *name, const EbZone *zone, EbTouCache *cache)
{
	int64_t from_min = utc(2025, 12, 30, 0, 0) / EB_MINUTE_US;
	int64_t to_min = utc(2027, 1, 3, 0, 0) / EB_MINUTE_US;
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

static void
test_years(void)
{
	static const EbZoneSpan shanghai[] = {{INT64_MIN, 28800}};
	const EbZoneSpan london[] = {
		{INT64_MIN, 0}, {utc(2026, 3, 29, 1, 0), 3600}, {utc(2026, 10, 25, 1, 0), 0}};
	const EbZoneSpan new_york[] = {
		{INT64_MIN, -18000}, {utc(2026, 3, 8, 7, 0), -14400}, {utc(2026, 11, 1, 6, 0), -18000}};
	const EbZoneSpan howe[] = {
		{INT64_MIN, 39600}, {utc(2026, 4, 4, 15, 0), 37800}, {utc(2026, 10, 3, 15, 30), 39600}};
	const EbZoneSpan havana[] = {
		{INT64_MIN, -18000}, {utc(2026, 3, 8, 5, 0), -14400}, {utc(2026, 11, 1, 5, 0), -18000}};
	EbTouCache *cache = malloc(sizeof(EbTouCache));

	check_year("Asia/Shanghai", &(EbZone){shanghai, 1}, cache);
	check_year("Europe/London", &(EbZone){london, 3}, cache);
	check_year("America/New_York", &(EbZone){new_york, 3}, cache);
	check_year("Australia/Lord_Howe", &(EbZone){howe, 3}, cache);
	check_year("America/Havana", &(EbZone){havana, 3}, cache);
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
test_tags(void)
{
	const EbTariff *tariff = &kit.tariff;
	const int32_t thursday = date(2026, 1, 1); /* holiday */
	const int32_t sunday = date(2026, 1, 4);   /* worked instead */

	CHECK(eb_day_tags(tariff, thursday) == (KIT_BIT(EB_TAG_MON + 3) | KIT_BIT(EB_TAG_WEEKDAY) |
											KIT_BIT(EB_TAG_OFFDAY) | KIT_BIT(EB_TAG_HOLIDAY)));
	CHECK(eb_day_tags(tariff, sunday) == (KIT_BIT(EB_TAG_SUN) | KIT_BIT(EB_TAG_WEEKEND) |
										  KIT_BIT(EB_TAG_WORKDAY) | KIT_BIT(EB_TAG_MAKEUP)));
	CHECK(eb_day_tags(tariff, thursday + 1) ==
		  (KIT_BIT(EB_TAG_MON + 4) | KIT_BIT(EB_TAG_WEEKDAY) | KIT_BIT(EB_TAG_WORKDAY)));
	CHECK(eb_day_tags(tariff, thursday + 2) ==
		  (KIT_BIT(EB_TAG_MON + 5) | KIT_BIT(EB_TAG_WEEKEND) | KIT_BIT(EB_TAG_OFFDAY)));
}

static void
test_seasons(void)
{
	EbTariff *tariff = &kit.tariff;

	CHECK_INT(eb_season_of(tariff, date(2026, 5, 31)), 0);
	CHECK_INT(eb_season_of(tariff, date(2026, 6, 1)), 1);
	CHECK_INT(eb_season_of(tariff, date(2026, 9, 30)), 1);
	CHECK_INT(eb_season_of(tariff, date(2026, 10, 1)), 0);

	/* a season over the turn of the year, from 29 February on it is another one */
	kit.season[0].from_md = 11 * 32 + 15;
	kit.season[0].to_md = 2 * 32 + 29;
	CHECK_INT(eb_season_of(tariff, date(2026, 11, 14)), 0);
	CHECK_INT(eb_season_of(tariff, date(2026, 11, 15)), 1);
	CHECK_INT(eb_season_of(tariff, date(2027, 2, 28)), 1);
	CHECK_INT(eb_season_of(tariff, date(2027, 3, 1)), 0);
	CHECK_INT(eb_season_of(tariff, date(2028, 2, 29)), 0);
	CHECK_INT(eb_part_range(tariff, date(2028, 2, 10)).to, date(2028, 2, 29));
	CHECK_INT(eb_part_range(tariff, date(2027, 2, 10)).to, date(2027, 3, 1));
	kit = kit_tariff();
}

static void
check_scope(EbTierScope scope, int32_t day, int32_t from, int32_t to)
{
	EbDayRange range = eb_scope_range(&kit.tariff, scope, day);

	CHECK_INT(range.from, from);
	CHECK_INT(range.to, to);
	CHECK_INT(eb_scope_start(&kit.tariff, scope, day), from);
	CHECK_INT(eb_scope_days(&kit.tariff, scope, day), to - from);
}

static void
test_scopes(void)
{
	check_scope(EB_SCOPE_MONTH, date(2026, 1, 4), date(2025, 12, 5), date(2026, 1, 5));
	check_scope(EB_SCOPE_MONTH, date(2026, 1, 5), date(2026, 1, 5), date(2026, 2, 5));
	check_scope(EB_SCOPE_YEAR, date(2026, 11, 30), date(2025, 12, 1), date(2026, 12, 1));
	check_scope(EB_SCOPE_YEAR, date(2026, 12, 1), date(2026, 12, 1), date(2027, 12, 1));
	check_scope(EB_SCOPE_QUARTER, date(2026, 1, 15), date(2025, 12, 1), date(2026, 3, 1));
	check_scope(EB_SCOPE_QUARTER, date(2026, 8, 31), date(2026, 6, 1), date(2026, 9, 1));
	check_scope(EB_SCOPE_BILL, date(2026, 8, 31), EB_DAY_MIN, EB_DAY_MAX);

	/* quarters of a year from 30 November: February has no 30th */
	kit.tariff.year_start = 11 * 32 + 30;
	check_scope(EB_SCOPE_QUARTER, date(2026, 2, 28), date(2025, 11, 30), date(2026, 3, 1));
	check_scope(EB_SCOPE_QUARTER, date(2026, 3, 1), date(2026, 3, 1), date(2026, 5, 30));
	kit.tariff.year_start = 2 * 32 + 29;
	check_scope(EB_SCOPE_YEAR, date(2027, 2, 28), date(2026, 3, 1), date(2027, 3, 1));
	check_scope(EB_SCOPE_YEAR, date(2028, 2, 29), date(2028, 2, 29), date(2029, 3, 1));
	kit = kit_tariff();
}

/* Parts tile the days, and every boundary that there is starts one */
static void
test_parts(void)
{
	int wrong = 0;
	int32_t day = date(2025, 1, 1);

	while (day < date(2029, 1, 1))
	{
		EbDayRange range = eb_part_range(&kit.tariff, day);

		wrong += range.from != day || range.to <= day;
		for (; day < range.to; day++)
		{
			EbDayRange same = eb_part_range(&kit.tariff, day);

			wrong += same.from != range.from || same.to != range.to;
			wrong += range.from != oracle_part(day) && eb_date_from_day(day).year == 2026;
			for (int scope = EB_SCOPE_MONTH; scope <= EB_SCOPE_YEAR; scope++)
				wrong += eb_scope_start(&kit.tariff, (EbTierScope) scope, day) > range.from;
			wrong += eb_season_of(&kit.tariff, day) != eb_season_of(&kit.tariff, range.from);
		}
	}
	CHECK_INT(wrong, 0);
	kit.component[0].has_when = 1;
	kit.component[0].when.date_from = date(2026, 2, 20);
	kit.component[0].when.date_to = date(2026, 2, 25);
	CHECK_INT(eb_part_range(&kit.tariff, date(2026, 2, 21)).from, date(2026, 2, 20));
	CHECK_INT(eb_part_range(&kit.tariff, date(2026, 2, 21)).to, date(2026, 2, 25));
	kit = kit_tariff();
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

int
main(void)
{
	kit = kit_tariff();
	test_years();
	test_cache();
	test_tags();
	test_seasons();
	test_scopes();
	test_parts();
	test_rule_order();
	return check_done("test_tou");
}
