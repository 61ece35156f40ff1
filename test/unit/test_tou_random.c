/*
 * test_tou_random.c -- random schedules: their segments tile the time line and are right everywhere
 * The seed is printed; EB_SEED=n repeats a run. The oracle takes a span as the range of wall clocks
 * that begins on a date, and searches nothing: it looks at every range, season, day and offset.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "rating/tou.h"

#define CASES 3000
#define DAYS 9 /* of a case */
#define HOUR_US (60 * EB_MINUTE_US)

#define SCHEDULES 2
#define RULES 6
#define SPANS 2
#define SLOTS 4
#define EVENTS 2
#define RANGES 5
#define SEASONS 2
#define CALENDAR 6
#define OFFSETS 3

typedef struct Case
{
	EbTariff tariff;
	EbSeasonRange season[SEASONS];
	EbCalendarDay calendar[CALENDAR];
	EbSchedule schedule[SCHEDULES];
	EbSlot slot[SLOTS];
	EbRule rule[SCHEDULES * RULES];
	EbSpan span[SCHEDULES * RULES * SPANS];
	EbEvent event[EVENTS];
	EbInstantRange range[EVENTS * RANGES];
	EbZoneSpan offset[OFFSETS];
	EbZone zone;
	int64_t from_us; /* what is looked at */
	int64_t to_us;
} Case;

#define SLICE(member, first, count)                                                              \
	((EbSlice){                                                                                  \
		(int32_t) (offsetof(Case, member) + (size_t) (first) * sizeof(((Case *) 0)->member[0])), \
		(count)})

static uint64_t state;

/* splitmix64 */
static uint64_t
next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int64_t
below(int64_t n)
{
	return (int64_t) (next() % (uint64_t) n);
}

/* True once in n times */
static bool
one_in(int64_t n)
{
	return below(n) == 0;
}

/* ---------------------------------------------------------------- drawing */

static int16_t
draw_minute(void)
{
	return (int16_t) (one_in(3) ? below(EB_DAY_MINUTES) : below(48) * 30);
}

static void
draw_rule(Case *c, int schedule, int index)
{
	int number = schedule * RULES + index;
	int32_t day = (int32_t) (c->from_us / EB_DAY_US);
	EbRule *rule = &c->rule[number];
	int nspans = one_in(4) ? 0 : 1 + (int) below(SPANS);

	*rule = (EbRule){.slot = (int16_t) (schedule * SLOTS / SCHEDULES + below(SLOTS / SCHEDULES)),
					 .valid_from = INT32_MIN,
					 .valid_to = INT32_MAX,
					 .event = EB_NONE};
	if (index == RULES - 1 && !one_in(10))
		return; /* covers what the others leave */
	rule->anchor_start = one_in(2);
	rule->months = one_in(3) ? (uint16_t) (below(1 << 12) << 1) : 0;
	rule->seasons = one_in(3) ? (uint32_t) below(1 << (SEASONS + 1)) : 0;
	rule->days = one_in(3) ? next() & next() : 0;
	rule->not_days = one_in(3) ? next() & next() & next() : 0;
	rule->event = one_in(3) ? (int32_t) below(EVENTS) : EB_NONE;
	if (one_in(4))
		rule->valid_from = day + (int32_t) below(DAYS);
	if (one_in(4))
		rule->valid_to = day + (int32_t) below(DAYS);
	rule->span = SLICE(span, number * SPANS, nspans);
	for (int i = 0; i < nspans; i++)
	{
		EbSpan *span = &c->span[number * SPANS + i];

		*span = (EbSpan){draw_minute(), draw_minute()};
		if (one_in(6))
			span->to_min = EB_DAY_MINUTES;
	}
}

static void
draw_events(Case *c)
{
	for (int i = 0; i < EVENTS; i++)
	{
		int64_t at_us = c->from_us - 2 * HOUR_US;

		c->event[i].range = SLICE(range, i * RANGES, (int) below(RANGES + 1));
		for (int j = 0; j < RANGES; j++)
		{
			EbInstantRange *range = &c->range[i * RANGES + j];

			at_us += below(3) * below(3000) * EB_MINUTE_US + below(60) * EB_SECOND_US;
			range->from_us = at_us;
			at_us += EB_SECOND_US + below(2) * below(500) * EB_MINUTE_US + below(EB_SECOND_US);
			range->to_us = at_us;
		}
	}
}

/* Two changes of the clock inside, each by minutes or by an hour */
static void
draw_zone(Case *c)
{
	static const int32_t jump[] = {3600, -3600, 1800, -1800, 7200, -86400 + 3600, 60};
	int64_t at_us = c->from_us;
	int32_t offset_s = (int32_t) (below(27) - 12) * 3600;

	c->offset[0] = (EbZoneSpan){INT64_MIN, offset_s};
	for (int i = 1; i < OFFSETS; i++)
	{
		at_us += HOUR_US + below(96) * HOUR_US + (one_in(2) ? 30 * EB_MINUTE_US : 0);
		offset_s += jump[below(7)];
		c->offset[i] = (EbZoneSpan){at_us, offset_s};
	}
	c->zone = (EbZone){c->offset, 1 + (int) below(OFFSETS)};
}

static void
draw_calendar(Case *c)
{
	int32_t day = (int32_t) (c->from_us / EB_DAY_US) - 1;

	for (int i = 0; i < SEASONS; i++)
		c->season[i] = (EbSeasonRange){
			.season = (int16_t) (i + 1),
			.from_md = (int16_t) ((1 + below(12)) * 32 + 1 + below(28)),
			.to_md = (int16_t) ((1 + below(12)) * 32 + 1 + below(28)),
		};
	for (int i = 0; i < CALENDAR; i++)
	{
		c->calendar[i] = (EbCalendarDay){.day = day, .tags = (next() & next()) >> 1};
		c->calendar[i].tags &= ~((UINT64_C(1) << EB_TAG_HOLIDAY) - 1);
		day += 1 + (int32_t) below(3);
	}
}

static void
draw_case(Case *c)
{
	c->tariff = (EbTariff){
		.month_day = (int16_t) (1 + below(28)),
		.year_start = (int16_t) ((1 + below(12)) * 32 + 1 + below(28)),
		.weekend = (uint16_t) below(1 << 7),
		.by_day = one_in(5),
		.season_range = SLICE(season, 0, (int) below(SEASONS + 1)),
		.calendar_day = SLICE(calendar, 0, CALENDAR),
		.schedule = SLICE(schedule, 0, SCHEDULES),
		.slot = SLICE(slot, 0, SLOTS),
		.event = SLICE(event, 0, EVENTS),
	};
	c->from_us = eb_day_from_date(2024, 1, 1) * EB_DAY_US + below(5 * 365 * 24) * HOUR_US;
	c->to_us = c->from_us + DAYS * EB_DAY_US;
	draw_calendar(c);
	draw_events(c);
	draw_zone(c);
	for (int i = 0; i < SCHEDULES; i++)
	{
		c->schedule[i] = (EbSchedule){.first_slot = i * SLOTS / SCHEDULES,
									  .nslots = SLOTS / SCHEDULES,
									  .rule = SLICE(rule, i * RULES, RULES)};
		for (int j = 0; j < RULES; j++)
			draw_rule(c, i, j);
	}
}

/* ---------------------------------------------------------------- oracle */

static uint64_t
slow_tags(const Case *c, int64_t day)
{
	int weekday = (int) ((day + 5) % 7);
	bool weekend = c->tariff.weekend >> weekday & 1;
	uint64_t tags = 0;
	bool works;

	for (int i = 0; i < CALENDAR; i++)
		if (c->calendar[i].day == day)
			tags = c->calendar[i].tags;
	works = !weekend && !(tags >> EB_TAG_HOLIDAY & 1);
	works = works || (tags >> EB_TAG_MAKEUP & 1);
	return tags | UINT64_C(1) << weekday |
		   UINT64_C(1) << (weekend ? EB_TAG_WEEKEND : EB_TAG_WEEKDAY) |
		   UINT64_C(1) << (works ? EB_TAG_WORKDAY : EB_TAG_OFFDAY);
}

static int
slow_season(const Case *c, EbDate date)
{
	int md = date.month * 32 + date.day;

	for (int i = 0; i < c->tariff.season_range.n; i++)
	{
		int from = c->season[i].from_md;
		int length = (c->season[i].to_md - from + 12 * 32) % (12 * 32);

		if ((md - from + 12 * 32) % (12 * 32) < (length == 0 ? 12 * 32 : length))
			return c->season[i].season;
	}
	return 0;
}

static bool
slow_day(const Case *c, const EbRule *rule, int64_t day)
{
	EbDate date = eb_date_from_day((int32_t) day);
	uint64_t tags = slow_tags(c, day);

	if (rule->months != 0 && !(rule->months >> date.month & 1))
		return false;
	if (rule->seasons != 0 && !(rule->seasons >> slow_season(c, date) & 1))
		return false;
	return (rule->days == 0 || (tags & rule->days)) && !(tags & rule->not_days);
}

/* Does a span of the rule that began on the date hold the wall clock? */
static bool
slow_span(const Case *c, const EbRule *rule, int64_t began, int64_t wall_us)
{
	int first = (int) (rule - c->rule) * SPANS;

	for (int i = first; i < first + rule->span.n; i++)
	{
		int64_t from_us = began * EB_DAY_US + c->span[i].from_min * EB_MINUTE_US;
		int64_t to_us = began * EB_DAY_US + c->span[i].to_min * EB_MINUTE_US;

		if (to_us <= from_us)
			to_us += EB_DAY_US;
		if (wall_us >= from_us && wall_us < to_us)
			return true;
	}
	return false;
}

static bool
slow_rule(const Case *c, const EbRule *rule, int64_t at_us, int64_t wall_us)
{
	int64_t day = wall_us / EB_DAY_US;
	bool runs = rule->event == EB_NONE;

	for (int i = 0; !runs && i < c->event[rule->event].range.n; i++)
	{
		const EbInstantRange *range = &c->range[rule->event * RANGES + i];

		runs = at_us >= range->from_us && at_us < range->to_us;
	}
	if (!runs || day < rule->valid_from || day >= rule->valid_to)
		return false;
	if (rule->span.n == 0)
		return slow_day(c, rule, day);
	return (slow_span(c, rule, day, wall_us) && slow_day(c, rule, day)) ||
		   (slow_span(c, rule, day - 1, wall_us) &&
			slow_day(c, rule, rule->anchor_start ? day - 1 : day));
}

static int64_t
slow_wall(const Case *c, int64_t at_us)
{
	int32_t offset_s = 0;

	for (int i = 0; i < c->zone.nspans; i++)
		if (at_us >= c->offset[i].from_us)
			offset_s = c->offset[i].offset_s;
	return at_us + offset_s * EB_SECOND_US;
}

static int
slow_slot(const Case *c, int schedule, int64_t at_us)
{
	int64_t wall_us = slow_wall(c, at_us);

	for (int i = schedule * RULES; i < (schedule + 1) * RULES; i++)
		if (slow_rule(c, &c->rule[i], at_us, wall_us))
			return c->rule[i].slot;
	return EB_NONE;
}

/* ---------------------------------------------------------------- checks */

static int64_t nsegments; /* looked at, so that an empty test does not pass */

/* Faults in what is said of an instant */
static int
check_instant(const Case *c, const EbSegment *segment, EbTouCache *cache, int64_t at_us)
{
	EbFault fault;
	const EbSegment *found = eb_tou_find(cache, at_us, &fault);
	int wrong = segment->from_us > at_us || segment->to_us <= at_us;

	for (int i = 0; i < SCHEDULES; i++)
		wrong += segment->slot[i] != slow_slot(c, i, at_us);
	if (found == NULL) /* another instant of the UTC day has no period */
		return wrong;
	wrong += !eb_segment_same(&c->tariff, segment, found);
	return wrong + (found->from_us > at_us || found->to_us <= at_us);
}

static bool
has_hole(const Case *c, int64_t at_us)
{
	for (int i = 0; i < SCHEDULES; i++)
		if (slow_slot(c, i, at_us) == EB_NONE)
			return true;
	return false;
}

static int
check_case(const Case *c, EbTouCache *cache)
{
	int64_t at_us = c->from_us;
	int64_t end_us = INT64_MIN;
	int wrong = 0;
	EbSegment segment;
	EbFault fault;

	eb_tou_cache_init(cache, &c->tariff, &c->zone);
	while (at_us < c->to_us)
	{
		int64_t length_us;

		if (eb_tou_segment(&c->tariff, &c->zone, at_us, &segment, &fault) != EB_OK)
		{
			wrong += !has_hole(c, at_us) || eb_tou_find(cache, at_us, &fault) != NULL;
			at_us += 7 * EB_MINUTE_US;
			end_us = INT64_MIN;
			continue;
		}
		nsegments++;
		length_us = segment.to_us - segment.from_us;
		wrong += end_us != INT64_MIN && segment.from_us != end_us;
		wrong += length_us <= 0;
		wrong += slow_wall(c, segment.from_us) / EB_DAY_US !=
				 slow_wall(c, segment.to_us - 1) / EB_DAY_US;
		wrong += check_instant(c, &segment, cache, segment.from_us);
		wrong += check_instant(c, &segment, cache, segment.to_us - 1);
		wrong += check_instant(c, &segment, cache, segment.from_us + below(length_us));
		wrong += check_instant(c, &segment, cache, segment.from_us + below(length_us));
		at_us = end_us = segment.to_us;
	}
	return wrong;
}

int
main(void)
{
	const char *given = getenv("EB_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);
	EbTouCache *cache = malloc(sizeof(EbTouCache));
	static Case c;
	int wrong = 0;

	state = seed;
	printf("tou_random: EB_SEED=%" PRIu64 "\n", seed);
	for (int i = 0; i < CASES; i++)
	{
		draw_case(&c);
		wrong += check_case(&c, cache);
	}
	CHECK_INT(wrong, 0);
	CHECK(nsegments > 20 * CASES);
	free(cache);
	return check_done("tou_random");
}
