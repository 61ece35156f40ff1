/*
 * test_calendar.c -- tags, seasons, tier scopes and parts of local days
 * What stands in kit_tariff.h is known by heart; the other answers were worked out by hand.
 */
#include "check.h"
#include "kit_tariff.h"

static KitTariff kit;

static int32_t
date(int year, int month, int day)
{
	return eb_day_from_date(year, month, day);
}

/* First day of the part: the months, the 5th, 20 August; December and the seasons begin months */
static int32_t
oracle_part(int32_t day)
{
	EbDate d = eb_date_from_day(day);
	int last = d.month == 8 && d.year == 2026 && d.day >= 20 ? 20 : 5;

	return date(d.year, d.month, d.day >= last ? last : d.day >= 5 ? 5 : 1);
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
	check_scope(EB_SCOPE_DAY, date(2026, 8, 31), date(2026, 8, 31), date(2026, 9, 1));
	check_scope(EB_SCOPE_BILL, date(2026, 8, 31), EB_DAY_MIN, EB_DAY_MAX);
	check_scope(EB_SCOPE_INTERVAL, date(2026, 8, 31), EB_DAY_MIN, EB_DAY_MAX);
	check_scope(EB_SCOPE_SESSION, date(2026, 8, 31), EB_DAY_MIN, EB_DAY_MAX);

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
			wrong += range.from != oracle_part(day);
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

/* A tariff with a series and a demand beside the kit's parts; offsets count from the tariff */
typedef struct KitMore
{
	KitTariff kit;
	EbSeries series[2];
	EbPoint point[3];
	EbDemand demand[1];
} KitMore;

#define MORE_SLICE(member, first, count)                                          \
	((EbSlice){(int32_t) (offsetof(KitMore, member) +                             \
						  (size_t) (first) * sizeof(((KitMore *) 0)->member[0])), \
			   (count)})

static KitMore
kit_more(void)
{
	KitMore more = {.kit = kit_tariff()};

	more.kit.tariff.series = MORE_SLICE(series, 0, 2);
	more.series[0] = (EbSeries){.kind = EB_SERIES_INSTANT, .point = MORE_SLICE(point, 0, 3)};
	more.series[1] = (EbSeries){.kind = EB_SERIES_BILL_MONTH, .point = MORE_SLICE(point, 0, 3)};
	more.point[0].day = date(2026, 2, 10);
	more.point[1].day = date(2026, 2, 11);
	more.point[2].day = date(2026, 3, 20);
	more.demand[0] = (EbDemand){.per = EB_SCOPE_BILL};
	return more;
}

static void
check_part(const EbTariff *tariff, int32_t day, int32_t from, int32_t to)
{
	EbDayRange range = eb_part_range(tariff, day);

	CHECK_INT(range.from, from);
	CHECK_INT(range.to, to);
}

/* Only the points of a series that is read by date start parts */
static void
test_series_parts(void)
{
	KitMore more = kit_more();
	const EbTariff *tariff = &more.kit.tariff;

	check_part(tariff, date(2026, 2, 10), date(2026, 2, 5), date(2026, 3, 1));
	more.series[0].kind = EB_SERIES_USAGE;
	check_part(tariff, date(2026, 2, 10), date(2026, 2, 5), date(2026, 3, 1));
	more.series[0].kind = EB_SERIES_DAYS;
	check_part(tariff, date(2026, 2, 9), date(2026, 2, 5), date(2026, 2, 10));
	check_part(tariff, date(2026, 2, 10), date(2026, 2, 10), date(2026, 2, 11));
	check_part(tariff, date(2026, 2, 11), date(2026, 2, 11), date(2026, 3, 1));
	check_part(tariff, date(2026, 3, 4), date(2026, 3, 1), date(2026, 3, 5));
	check_part(tariff, date(2026, 3, 19), date(2026, 3, 5), date(2026, 3, 20));
	check_part(tariff, date(2026, 3, 20), date(2026, 3, 20), date(2026, 4, 1));
	check_part(tariff, date(2027, 3, 20), date(2027, 3, 5), date(2027, 4, 1));
	more.series[0].point.n = 0;
	check_part(tariff, date(2026, 2, 10), date(2026, 2, 5), date(2026, 3, 1));
	more.kit.tariff.by_day = 1;
	check_part(tariff, date(2026, 2, 28), date(2026, 2, 28), date(2026, 3, 1));
}

/* A tariff of which it does not matter when energy was used, and each thing that makes it so */
static void
test_parts_matter(void)
{
	KitMore more = kit_more();
	EbTariff *tariff = &more.kit.tariff;
	EbComponent *component = &more.kit.component[0];
	EbFactorIf open = {.condition = {.date_from = INT32_MIN, .date_to = INT32_MAX}};

	CHECK(eb_parts_matter(tariff));
	tariff->season_range.n = 0;
	component->valid_to = INT32_MAX;
	component->when = open.condition;
	component->has_when = 1;
	tariff->demand = MORE_SLICE(demand, 0, 1);
	CHECK(!eb_parts_matter(tariff));
	tariff->by_day = 1;
	CHECK(eb_parts_matter(tariff));
	tariff->by_day = 0;
	component->when.not_days = KIT_BIT(EB_TAG_SUN);
	CHECK(eb_parts_matter(tariff));
	component->when.not_days = 0;
	component->when.days = KIT_BIT(EB_TAG_SUN);
	CHECK(eb_parts_matter(tariff));
	component->when.days = 0;
	component->when.months = 1 << 7;
	CHECK(eb_parts_matter(tariff));
	component->when.months = 0;
	component->has_tier = 1;
	for (int scope = 0; scope < EB_NSCOPES; scope++)
	{
		component->tier.scope = (int8_t) scope;
		CHECK_INT(eb_parts_matter(tariff), scope != EB_SCOPE_INTERVAL && scope != EB_SCOPE_BILL &&
											   scope != EB_SCOPE_SESSION);
	}
	component->has_tier = 0;
	more.series[1].kind = EB_SERIES_DAYS;
	CHECK(eb_parts_matter(tariff));
	more.series[1].kind = EB_SERIES_USAGE;
	CHECK(!eb_parts_matter(tariff));
	more.demand[0].per = EB_SCOPE_MONTH;
	CHECK(eb_parts_matter(tariff));
	more.demand[0] = (EbDemand){.per = EB_SCOPE_BILL, .months = 1 << 1};
	CHECK(eb_parts_matter(tariff));
	more.demand[0] = (EbDemand){.per = EB_SCOPE_BILL, .seasons = 1};
	CHECK(eb_parts_matter(tariff));
	more.demand[0] = (EbDemand){.per = EB_SCOPE_BILL, .ratchet = {.lookback = 11}};
	CHECK(eb_parts_matter(tariff));
}

/* Two versions with a hole between them */
typedef struct KitVersions
{
	EbTariff tariff;
	EbVersion version[2];
	EbTariff block[2];
} KitVersions;

static void
check_version(const KitVersions *all, int32_t day, int version, int32_t from, int32_t to)
{
	EbDayRange days;
	const EbTariff *want = version == EB_NONE ? NULL : &all->block[version];

	CHECK(eb_tariff_on(&all->tariff, day, &days) == want);
	CHECK(eb_tariff_on(&all->tariff, day, NULL) == want);
	CHECK_INT(days.from, from);
	CHECK_INT(days.to, to);
}

static void
test_versions(void)
{
	KitVersions all = {.tariff.version = {offsetof(KitVersions, version), 2}};
	EbDayRange days;

	CHECK(eb_tariff_on(&kit.tariff, 17, &days) == &kit.tariff);
	CHECK(days.from == INT32_MIN && days.to == INT32_MAX);
	for (int i = 0; i < 2; i++)
		all.version[i] = (EbVersion){
			.valid_from = 100 * i,
			.valid_to = 100 * i + 50,
			.block = {(int32_t) (offsetof(KitVersions, block) + (size_t) i * sizeof(EbTariff)),
					  sizeof(EbTariff)}};
	check_version(&all, -1, EB_NONE, INT32_MIN, 0);
	check_version(&all, 0, 0, 0, 50);
	check_version(&all, 49, 0, 0, 50);
	check_version(&all, 50, EB_NONE, 50, 100);
	check_version(&all, 100, 1, 100, 150);
	check_version(&all, 150, EB_NONE, 150, INT32_MAX);
}

int
main(void)
{
	kit = kit_tariff();
	test_tags();
	test_seasons();
	test_scopes();
	test_parts();
	test_series_parts();
	test_parts_matter();
	test_versions();
	return check_done("test_calendar");
}
