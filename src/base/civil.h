/*
 * civil.h -- instants, local dates and wall clocks
 * Instants (_us) are microseconds since 2000-01-01 00:00 UTC, days are local dates counted
 * from 2000-01-01, both as PostgreSQL counts them. Proleptic Gregorian calendar, no leap
 * second. A zone is a table of (instant, offset), made outside from the zone database.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/architecture.md, doc/rating.md.
 */
#ifndef EB_CIVIL_H
#define EB_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define EB_SECOND_US INT64_C(1000000)
#define EB_MINUTE_US (60 * EB_SECOND_US)
#define EB_DAY_US (86400 * EB_SECOND_US)
#define EB_DAY_MINUTES 1440
#define EB_UNIX_TO_2000_S INT64_C(946684800)

/* Days the civil functions accept: years 1900 to 2999, wide enough for any bill. */
#define EB_DAY_MIN (-36524)
#define EB_DAY_MAX 365242

typedef struct EbDate
{
	int year;
	int month; /* 1..12 */
	int day;   /* 1..31 */
} EbDate;

/* From from_us on the wall clock is UTC + offset_s; the first row begins at INT64_MIN. */
typedef struct EbZoneSpan
{
	int64_t from_us;
	int32_t offset_s;
} EbZoneSpan;

typedef struct EbZone
{
	const EbZoneSpan *span; /* ascending from_us */
	int nspans;				/* >= 1 */
} EbZone;

extern int32_t eb_day_from_date(int year, int month, int day);
extern EbDate eb_date_from_day(int32_t day);

/* 0 = Monday .. 6 = Sunday */
extern int eb_weekday(int32_t day);
extern int eb_month_days(int year, int month);

/* Index of the span that holds the instant. */
extern int eb_zone_find(const EbZone *zone, int64_t at_us);

/* Local date of an instant; wall minute of the day into *minute when not NULL. */
extern int32_t eb_local_day(const EbZone *zone, int64_t at_us, int *minute);

/*
 * First instant whose wall clock shows wall_us (microseconds of local time since 2000-01-01 00:00)
 * or, where the clock jumps over it, the first after the gap.
 */
extern int64_t eb_wall_instant(const EbZone *zone, int64_t wall_us);

/* First instant whose local date is day (the instant after the gap where midnight is missing). */
extern int64_t eb_day_start(const EbZone *zone, int32_t day);

/* "YYYY-MM-DD" or "MM-DD" or "HH:MM" (00:00..24:00, in minutes); false when malformed or out of range. */
extern bool eb_parse_date(EbText text, int32_t *day);
extern bool eb_parse_month_day(EbText text, int *month, int *day);
extern bool eb_parse_minute(EbText text, int *minute);

/*
 * "YYYY-MM-DD", or that with "T" or a blank and "HH:MM[:SS[.ffffff]]", or that with "Z", "+HH" or
 * "-HH[:]MM" behind. Without an offset it is the wall clock of the zone, as eb_wall_instant()
 * reads it; zone NULL: an offset must be there. False when malformed or out of range.
 */
extern bool eb_parse_instant(EbText text, const EbZone *zone, int64_t *at_us);

/* "YYYY-MM-DD" and "YYYY-MM-DDTHH:MM:SS[.ffffff]Z" with their terminators */
#define EB_DATE_TEXT 11
#define EB_INSTANT_TEXT 28

/* Years 1900 to 2999; return the length. */
extern int eb_format_date(int32_t day, char *buf);
extern int eb_format_instant(int64_t at_us, char *buf);

#endif
