/*
 * tou.h -- which tariff period an instant belongs to, and where that ends
 * In:  a compiled tariff, a zone, instants.
 * Out: segments for usage.c, split_interval() and tariff_price(); they tile the time line.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#ifndef EB_TOU_H
#define EB_TOU_H

#include "rating/calendar.h"

/* Time in which each schedule has one period; inside one local date and one part */
typedef struct EbSegment
{
	int64_t from_us; /* [from, to) */
	int64_t to_us;
	int32_t part_day; /* eb_part_range(local date).from */
	int32_t unused;
	int16_t slot[EB_MAX_SCHEDULES]; /* by schedule; slot[0] = 0 when the tariff has none */
} EbSegment;

/*
 * Slot of one schedule at a wall clock (minute 0..1439 of a local day): that of the first rule
 * that matches. A wall clock is no instant: rules of an event do not match. EB_NONE when no rule
 * does; lint refuses such a tariff.
 */
extern int eb_tou_slot(const EbTariff *tariff, const EbSchedule *schedule, int32_t day, int minute);

/*
 * The segment that holds the instant. Read from the wall clock of the instant: an hour that
 * occurs twice is in two segments, one that does not exist in none; events are ranges of instants
 * and can tell the two apart. Neighbours may be alike. EB_UNKNOWN when no rule of a schedule
 * matches. The tariff is one without versions (eb_tariff_on()).
 */
extern EbStatus eb_tou_segment(const EbTariff *tariff, const EbZone *zone, int64_t at_us,
							   EbSegment *segment, EbFault *fault);

/* Same periods in the same part? Then the energy of both goes to the same place. */
extern bool eb_segment_same(const EbTariff *tariff, const EbSegment *a, const EbSegment *b);

/*
 * Segments that were asked for once, for many instants in any order. Kept by UTC day, so that
 * finding one takes a division and a short walk. A day that does not fit makes it start anew.
 */
#define EB_TOU_CACHE_DAYS 4096 /* a power of 2 */
#define EB_TOU_CACHE_SEGMENTS 32768
#define EB_TOU_DAY_SEGMENTS (2 * EB_DAY_MINUTES) /* a day with more of them is not kept */

typedef struct EbTouCacheDay
{
	int32_t utc_day; /* INT32_MIN: empty */
	int32_t first;	 /* EB_NONE: too many segments, ask eb_tou_segment() each time */
} EbTouCacheDay;

typedef struct EbTouCache
{
	const EbTariff *tariff;
	const EbZone *zone;
	EbStop stop; /* for those who ask for many segments (usage.c); NULL at first */
	int32_t nsegments;
	int32_t unused;
	EbSegment loose;					  /* the last answer that was not kept */
	EbTouCacheDay day[EB_TOU_CACHE_DAYS]; /* by utc_day modulo the size */
	EbSegment segment[EB_TOU_CACHE_SEGMENTS];
} EbTouCache;

/* The caller gives the memory; tariff and zone must outlive it. */
extern void eb_tou_cache_init(EbTouCache *cache, const EbTariff *tariff, const EbZone *zone);

/*
 * As eb_tou_segment(), neighbours that are alike as one; of a day that is kept, cut at the midnights
 * of UTC. The answer is good until the next call.
 * NULL with *fault filled where eb_tou_segment() fails; the reason is always EB_UNKNOWN.
 */
extern const EbSegment *eb_tou_find(EbTouCache *cache, int64_t at_us, EbFault *fault);

#endif
