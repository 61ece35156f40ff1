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

/* A wall clock, and the instant that shows it */
typedef struct Moment
{
	DayFacts today;
	DayFacts yesterday; /* a span that wraps began there */
	int minute;
	int64_t at_us; /* INT64_MIN: not known; no event holds then */
} Moment;

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

static Moment
moment(const EbTariff *tariff, int32_t day, int minute, int64_t at_us)
{
	return (Moment){day_facts(tariff, day), day_facts(tariff, day - 1), minute, at_us};
}

/* Ranges of the event, and the first of them that ends after the instant: n when none does */
static const EbInstantRange *
event_ranges(const EbTariff *tariff, int32_t event, int64_t at_us, int *n, int *next)
{
	EbSlice slice = EB_ARRAY(tariff, EbEvent, tariff->event)[event].range;
	const EbInstantRange *range = EB_ARRAY(tariff, EbInstantRange, slice);
	int low = 0;
	int high = slice.n;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (range[middle].to_us <= at_us)
			low = middle + 1;
		else
			high = middle;
	}
	*n = slice.n;
	*next = low;
	return range;
}

static bool
event_holds(const EbTariff *tariff, int32_t event, int64_t at_us)
{
	int n;
	int next;
	const EbInstantRange *range = event_ranges(tariff, event, at_us, &n, &next);

	return next < n && range[next].from_us <= at_us;
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
rule_matches(const EbTariff *tariff, const EbRule *rule, const Moment *at)
{
	const EbSpan *span = EB_ARRAY(tariff, EbSpan, rule->span);
	const DayFacts *start = rule->anchor_start ? &at->yesterday : &at->today;

	if (at->today.day < rule->valid_from || at->today.day >= rule->valid_to)
		return false;
	if (rule->event != EB_NONE && !event_holds(tariff, rule->event, at->at_us))
		return false;
	if (rule->span.n == 0)
		return day_matches(rule, &at->today);
	for (int i = 0; i < rule->span.n; i++)
	{
		bool after = at->minute >= span[i].from_min;
		bool before = at->minute < span[i].to_min;

		if (span[i].from_min < span[i].to_min)
		{
			if (after && before && day_matches(rule, &at->today))
				return true;
		}
		else if ((after && day_matches(rule, &at->today)) || (before && day_matches(rule, start)))
			return true;
	}
	return false;
}

static int
find_slot(const EbTariff *tariff, const EbSchedule *schedule, const Moment *at)
{
	const EbRule *rule = EB_ARRAY(tariff, EbRule, schedule->rule);

	for (int i = 0; i < schedule->rule.n; i++)
		if (rule_matches(tariff, &rule[i], at))
			return rule[i].slot;
	return EB_NONE;
}

int
eb_tou_slot(const EbTariff *tariff, const EbSchedule *schedule, int32_t day, int minute)
{
	Moment at = moment(tariff, day, minute, INT64_MIN);

	return find_slot(tariff, schedule, &at);
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

static void
cut_at_instant(EbSegment *segment, int64_t at_us, int64_t boundary_us)
{
	if (boundary_us <= at_us)
		segment->from_us = boundary_us > segment->from_us ? boundary_us : segment->from_us;
	else
		segment->to_us = boundary_us < segment->to_us ? boundary_us : segment->to_us;
}

static void
cut_at_events(EbSegment *segment, int64_t at_us, const EbTariff *tariff, const EbSchedule *schedule)
{
	const EbRule *rule = EB_ARRAY(tariff, EbRule, schedule->rule);

	for (int i = 0; i < schedule->rule.n; i++)
	{
		const EbInstantRange *range;
		int n;
		int next;

		if (rule[i].event == EB_NONE)
			continue;
		range = event_ranges(tariff, rule[i].event, at_us, &n, &next);
		if (next > 0)
			cut_at_instant(segment, at_us, range[next - 1].to_us);
		if (next < n)
		{
			cut_at_instant(segment, at_us, range[next].from_us);
			cut_at_instant(segment, at_us, range[next].to_us);
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
	Moment at = moment(tariff, day, minute, at_us);
	int64_t midnight_us = day * EB_DAY_US - zone->span[span].offset_s * EB_SECOND_US;

	memset(segment, 0, sizeof(*segment));
	for (int i = 0; i < tariff->schedule.n; i++)
	{
		int slot = find_slot(tariff, &schedule[i], &at);

		if (slot == EB_NONE)
			return no_rule(tariff, &schedule[i], day, minute, fault);
		segment->slot[i] = (int16_t) slot;
		cut_at_spans(&range, minute, tariff, &schedule[i]);
	}
	segment->part_day = eb_part_range(tariff, day).from;
	segment->from_us = midnight_us + range.from * EB_MINUTE_US;
	segment->to_us = midnight_us + range.to * EB_MINUTE_US;
	if (span > 0)
		cut_at_instant(segment, at_us, zone->span[span].from_us);
	if (span + 1 < zone->nspans)
		cut_at_instant(segment, at_us, zone->span[span + 1].from_us);
	for (int i = 0; i < tariff->schedule.n; i++)
		cut_at_events(segment, at_us, tariff, &schedule[i]);
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

/* Appends the segments of [from, to), those alike as one; nothing is kept unless it answers EB_OK. */
static EbStatus
cache_append(EbTouCache *cache, int64_t from_us, int64_t to_us, EbFault *fault)
{
	EbSegment *first = cache->segment + cache->nsegments;
	EbSegment *last = NULL;

	while (from_us < to_us)
	{
		EbSegment segment;
		EbStatus status = eb_tou_segment(cache->tariff, cache->zone, from_us, &segment, fault);

		if (status != EB_OK)
			return status;
		segment.from_us = from_us;
		if (segment.to_us > to_us)
			segment.to_us = to_us;
		if (last != NULL && eb_segment_same(cache->tariff, last, &segment))
			last->to_us = segment.to_us;
		else
		{
			last = last == NULL ? first : last + 1;
			if (last - first == EB_TOU_DAY_SEGMENTS)
				return EB_NO_SPACE;
			*last = segment;
		}
		from_us = segment.to_us;
	}
	cache->nsegments = (int32_t) (last + 1 - cache->segment);
	return EB_OK;
}

/* Puts the segments of a UTC day into the cache, or the word that it has too many */
static EbStatus
cache_day(EbTouCache *cache, int64_t utc_day, EbTouCacheDay *entry, EbFault *fault)
{
	int32_t first;
	EbStatus status;

	if (cache->nsegments > EB_TOU_CACHE_SEGMENTS - EB_TOU_DAY_SEGMENTS)
		cache_clear(cache);
	first = cache->nsegments;
	status = cache_append(cache, utc_day * EB_DAY_US, (utc_day + 1) * EB_DAY_US, fault);
	if (status != EB_OK && status != EB_NO_SPACE)
		return status;
	entry->utc_day = (int32_t) utc_day;
	entry->first = status == EB_OK ? first : EB_NONE;
	return EB_OK;
}

const EbSegment *
eb_tou_find(EbTouCache *cache, int64_t at_us, EbFault *fault)
{
	int64_t utc_day = at_us / EB_DAY_US - (at_us % EB_DAY_US < 0 ? 1 : 0);
	EbTouCacheDay *entry = &cache->day[utc_day & (EB_TOU_CACHE_DAYS - 1)];
	const EbSegment *segment;

	if (entry->utc_day != utc_day && cache_day(cache, utc_day, entry, fault) != EB_OK)
		return NULL;
	if (entry->first == EB_NONE)
		return eb_tou_segment(cache->tariff, cache->zone, at_us, &cache->loose, fault) == EB_OK
				   ? &cache->loose
				   : NULL;
	for (segment = cache->segment + entry->first; segment->to_us <= at_us;)
		segment++;
	return segment;
}
