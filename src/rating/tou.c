/*
 * tou.c -- which tariff period an instant belongs to, and where that ends
 * In:  a compiled tariff, a zone, instants.
 * Out: segments for usage.c, split_interval() and tariff_price(); they tile the time line.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <stdio.h>
#include <string.h>

#include "rating/tou.h"

/* What rules ask of a date */
typedef struct DayFacts
{
	int32_t day;
	int month;
	int season;
	uint64_t tags;
} DayFacts;

/* The date of an instant, and the one before it: a span that wraps began there */
typedef struct TwoDays
{
	DayFacts today;
	DayFacts yesterday;
} TwoDays;

static DayFacts
day_facts(const EbTariff *tariff, int32_t day)
{
	return (DayFacts){
		.day = day,
		.month = eb_date_from_day(day).month,
		.season = eb_season_of(tariff, day),
		.tags = eb_day_tags(tariff, day),
	};
}

static bool
day_matches(const EbRule *rule, const DayFacts *facts)
{
	return (rule->months == 0 || ((rule->months >> facts->month) & 1) != 0) &&
		   (rule->seasons == 0 || ((rule->seasons >> facts->season) & 1) != 0) &&
		   (rule->days == 0 || (rule->days & facts->tags) != 0) &&
		   (rule->not_days & facts->tags) == 0;
}

static bool
rule_matches(const EbTariff *tariff, const EbRule *rule, const TwoDays *days, int minute)
{
	const EbSpan *span = EB_ARRAY(tariff, EbSpan, rule->span);
	const DayFacts *start = rule->anchor_start ? &days->yesterday : &days->today;

	if (days->today.day < rule->valid_from || days->today.day >= rule->valid_to)
		return false;
	if (rule->span.n == 0)
		return day_matches(rule, &days->today);
	for (int i = 0; i < rule->span.n; i++)
	{
		bool after = minute >= span[i].from_min;
		bool before = minute < span[i].to_min;

		if (span[i].from_min < span[i].to_min)
		{
			if (after && before && day_matches(rule, &days->today))
				return true;
		}
		else if ((after && day_matches(rule, &days->today)) || (before && day_matches(rule, start)))
			return true;
	}
	return false;
}

static int
find_slot(const EbTariff *tariff, const EbSchedule *schedule, const TwoDays *days, int minute)
{
	const EbRule *rule = EB_ARRAY(tariff, EbRule, schedule->rule);

	for (int i = 0; i < schedule->rule.n; i++)
		if (rule_matches(tariff, &rule[i], days, minute))
			return rule[i].slot;
	return EB_NONE;
}

int
eb_tou_slot(const EbTariff *tariff, const EbSchedule *schedule, int32_t day, int minute)
{
	TwoDays days = {day_facts(tariff, day), day_facts(tariff, day - 1)};

	return find_slot(tariff, schedule, &days, minute);
}

/* Minutes of the day [from, to) that neither rule nor midnight cuts */
typedef struct MinuteRange
{
	int from;
	int to;
} MinuteRange;

static void
cut_at_minute(MinuteRange *range, int minute, int boundary)
{
	if (boundary <= minute)
		range->from = boundary > range->from ? boundary : range->from;
	else
		range->to = boundary < range->to ? boundary : range->to;
}

static void
cut_at_spans(MinuteRange *range, int minute, const EbTariff *tariff, const EbSchedule *schedule)
{
	const EbRule *rule = EB_ARRAY(tariff, EbRule, schedule->rule);

	for (int i = 0; i < schedule->rule.n; i++)
	{
		const EbSpan *span = EB_ARRAY(tariff, EbSpan, rule[i].span);

		for (int j = 0; j < rule[i].span.n; j++)
		{
			cut_at_minute(range, minute, span[j].from_min);
			cut_at_minute(range, minute, span[j].to_min);
		}
	}
}

static EbStatus
no_rule(const EbTariff *tariff, const EbSchedule *schedule, int32_t day, int minute, EbFault *fault)
{
	EbDate date = eb_date_from_day(day);

	memset(fault, 0, sizeof(*fault));
	snprintf(fault->message, sizeof(fault->message),
			 "no rule of schedule \"%.*s\" covers %02d:%02d", schedule->name.n,
			 EB_ARRAY(tariff, char, schedule->name), minute / 60, minute % 60);
	snprintf(fault->detail, sizeof(fault->detail), "The local date is %04d-%02d-%02d.", date.year,
			 date.month, date.day);
	snprintf(fault->hint, sizeof(fault->hint), "Add a last rule without conditions.");
	return EB_UNKNOWN;
}

EbStatus
eb_tou_segment(const EbTariff *tariff, const EbZone *zone, int64_t at_us, EbSegment *segment,
			   EbFault *fault)
{
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	int span = eb_zone_find(zone, at_us);
	MinuteRange range = {0, EB_DAY_MINUTES};
	int minute;
	int32_t day = eb_local_day(zone, at_us, &minute);
	TwoDays days = {day_facts(tariff, day), day_facts(tariff, day - 1)};
	int64_t midnight_us = day * EB_DAY_US - zone->span[span].offset_s * EB_SECOND_US;

	memset(segment, 0, sizeof(*segment));
	for (int i = 0; i < tariff->schedule.n; i++)
	{
		int slot = find_slot(tariff, &schedule[i], &days, minute);

		if (slot == EB_NONE)
			return no_rule(tariff, &schedule[i], day, minute, fault);
		segment->slot[i] = (int16_t) slot;
		cut_at_spans(&range, minute, tariff, &schedule[i]);
	}
	segment->part_day = eb_part_range(tariff, day).from;
	segment->from_us = midnight_us + range.from * EB_MINUTE_US;
	segment->to_us = midnight_us + range.to * EB_MINUTE_US;
	if (segment->from_us < zone->span[span].from_us)
		segment->from_us = zone->span[span].from_us;
	if (span + 1 < zone->nspans && segment->to_us > zone->span[span + 1].from_us)
		segment->to_us = zone->span[span + 1].from_us;
	return EB_OK;
}

bool
eb_segment_same(const EbTariff *tariff, const EbSegment *a, const EbSegment *b)
{
	return a->part_day == b->part_day &&
		   memcmp(a->slot, b->slot, sizeof(a->slot[0]) * (size_t) tariff->schedule.n) == 0;
}

static void
cache_clear(EbTouCache *cache)
{
	cache->nsegments = 0;
	for (int i = 0; i < EB_TOU_CACHE_DAYS; i++)
		cache->day[i].utc_day = INT32_MIN;
}

void
eb_tou_cache_init(EbTouCache *cache, const EbTariff *tariff, const EbZone *zone)
{
	cache->tariff = tariff;
	cache->zone = zone;
	cache->stop = NULL;
	cache_clear(cache);
}

/* Appends the segments of [from, to), those alike as one; nothing is kept when it fails. */
static bool
cache_append(EbTouCache *cache, int64_t from_us, int64_t to_us, EbFault *fault)
{
	EbSegment *first = cache->segment + cache->nsegments;
	EbSegment *last = NULL;

	while (from_us < to_us)
	{
		EbSegment segment;

		if (eb_tou_segment(cache->tariff, cache->zone, from_us, &segment, fault) != EB_OK)
			return false;
		segment.from_us = from_us;
		if (segment.to_us > to_us)
			segment.to_us = to_us;
		if (last != NULL && eb_segment_same(cache->tariff, last, &segment))
			last->to_us = segment.to_us;
		else
		{
			last = last == NULL ? first : last + 1;
			*last = segment;
		}
		from_us = segment.to_us;
	}
	cache->nsegments = (int32_t) (last + 1 - cache->segment);
	return true;
}

const EbSegment *
eb_tou_find(EbTouCache *cache, int64_t at_us, EbFault *fault)
{
	int64_t utc_day = at_us / EB_DAY_US - (at_us % EB_DAY_US < 0 ? 1 : 0);
	EbTouCacheDay *entry = &cache->day[utc_day & (EB_TOU_CACHE_DAYS - 1)];
	const EbSegment *segment;

	if (entry->utc_day != utc_day)
	{
		int32_t first = cache->nsegments;

		/* a day of two zone offsets has at most two dates of a segment per minute */
		if (first > EB_TOU_CACHE_SEGMENTS - 2 * EB_DAY_MINUTES)
		{
			cache_clear(cache);
			first = 0;
		}
		if (!cache_append(cache, utc_day * EB_DAY_US, (utc_day + 1) * EB_DAY_US, fault))
			return NULL;
		entry->utc_day = (int32_t) utc_day;
		entry->first = first;
	}
	for (segment = cache->segment + entry->first; segment->to_us <= at_us;)
		segment++;
	return segment;
}
