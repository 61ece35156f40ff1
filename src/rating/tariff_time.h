/*
 * tariff_time.h -- the compiled tariff: calendar, seasons, schedules, events, price series
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#ifndef EB_TARIFF_TIME_H
#define EB_TARIFF_TIME_H

#include "rating/tariff_base.h"

/* Day tags: the first ten are derived from the date, the weekend mask and the others */
enum
{
	EB_TAG_MON = 0, /* .. EB_TAG_SUN = 6 */
	EB_TAG_SUN = 6,
	EB_TAG_WEEKEND = 7,
	EB_TAG_WEEKDAY = 8,
	EB_TAG_WORKDAY = 9,
	EB_TAG_OFFDAY = 10,
	EB_TAG_HOLIDAY = 11,
	EB_TAG_MAKEUP = 12,
	EB_TAG_HOT = 13,
	EB_TAG_NAMED = 14, /* first tag that only this tariff knows */
};

typedef struct EbCalendarDay
{
	int32_t day; /* since 2000-01-01, ascending, unique */
	int32_t unused;
	uint64_t tags; /* as written: HOLIDAY, MAKEUP, HOT and named ones */
} EbCalendarDay;

/* Half-open [from, to) in month * 32 + day; to <= from wraps the year */
typedef struct EbSeasonRange
{
	int16_t season;
	int16_t from_md;
	int16_t to_md;
	int16_t unused;
} EbSeasonRange;

/* [from, to) in minutes of the local day; to <= from wraps past midnight */
typedef struct EbSpan
{
	int16_t from_min;
	int16_t to_min;
} EbSpan;

/* One rule of a schedule; an absent condition has mask 0 and holds */
typedef struct EbRule
{
	int16_t slot;		 /* the period it gives, as slot of the tariff */
	int8_t anchor_start; /* month, season, tags of the day the span began */
	int8_t unused;
	uint16_t months; /* bit 1..12 */
	uint16_t unused2;
	uint32_t seasons; /* bit 0 = no named season, bit i = season i (from 1) */
	uint32_t unused3;
	uint64_t days;		/* any of these tags */
	uint64_t not_days;	/* none of these tags */
	int32_t valid_from; /* local days [from, to); INT32_MIN, INT32_MAX = open */
	int32_t valid_to;
	int32_t event; /* only inside the ranges of this event; EB_NONE = any time */
	int32_t unused4;
	EbSlice span; /* EbSpan; none = whole day */
} EbRule;

/* Periods are counted per schedule; a slot is one (schedule, period) */
typedef struct EbSlot
{
	int16_t schedule;
	int16_t name; /* index of period_name */
} EbSlot;

typedef struct EbSchedule
{
	EbSlice name;
	int32_t first_slot;
	int32_t nslots;
	EbSlice rule; /* EbRule, first match wins */
} EbSchedule;

/* Half-open range of instants */
typedef struct EbInstantRange
{
	int64_t from_us;
	int64_t to_us;
	int8_t from_local; /* as EbPoint.local */
	int8_t to_local;
	int8_t unused[6];
} EbInstantRange;

typedef struct EbEvent
{
	EbSlice name;
	EbSlice range; /* EbInstantRange, ascending, no overlap */
} EbEvent;

typedef enum EbSeriesKind
{
	EB_SERIES_INSTANT,	  /* changes inside days: energy x price is summed (EbPlane) */
	EB_SERIES_DAYS,		  /* every point is a local midnight: each starts a part */
	EB_SERIES_USAGE,	  /* the price column of the rows: energy x price is summed */
	EB_SERIES_BILL_MONTH, /* the price of the month the bill is named after */
} EbSeriesKind;

/* The price from an instant on, until the next point */
typedef struct EbPoint
{
	int64_t at_us;
	int64_t price_n; /* 1e-9 */
	int32_t day;	 /* DAYS, BILL_MONTH: the local day of at_us; set by eb_tariff_localize() */
	int32_t local;	 /* 1: at_us is a wall clock still; 0 after eb_tariff_localize() */
} EbPoint;

typedef struct EbSeries
{
	EbSlice name;
	int32_t kind; /* EbSeriesKind; compiled as INSTANT, eb_tariff_localize() may make it DAYS */
	int32_t unused;
	EbSlice point; /* EbPoint, ascending; USAGE: none */
} EbSeries;

/*
 * What usage keeps for each slot of a part: the energy of a channel, or that times the price of a
 * series, in two cells (EbMoneyCells). Plane 0 is the energy of import_kwh, always.
 */
typedef struct EbPlane
{
	int16_t channel; /* EbChannel */
	int16_t series;	 /* EB_NONE: energy */
	int32_t unused;
} EbPlane;

#endif
