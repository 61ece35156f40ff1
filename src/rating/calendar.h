/*
 * calendar.h -- what a local day is to a tariff: tags, season, tier scope, part
 * In:  a compiled tariff and a local date (base/civil.h).
 * Out: what tou.c asks of a rule's day, and the day boundaries that usage.c and rate.c cut at.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#ifndef EB_CALENDAR_H
#define EB_CALENDAR_H

#include "base/civil.h"
#include "rating/tariff.h"

/* Local days [from, to) */
typedef struct EbDayRange
{
	int32_t from;
	int32_t to;
} EbDayRange;

/* Every tag the day carries, derived ones included: bit EB_TAG_... */
extern uint64_t eb_day_tags(const EbTariff *tariff, int32_t day);

/* 0 = the season "*", i = season i of the tariff */
extern int eb_season_of(const EbTariff *tariff, int32_t day);

/*
 * The instance of a tier scope that holds the day: tier month (month_day), tier quarter and tier
 * year (year_start). A start date that the month lacks (02-29, 30 February of a quarter) is the
 * first of the next month. Scopes that dates do not bound (interval, bill, session) have no
 * instance of their own: [EB_DAY_MIN, EB_DAY_MAX].
 */
extern EbDayRange eb_scope_range(const EbTariff *tariff, EbTierScope scope, int32_t day);

/* Does the scope begin anew on a date? */
static inline bool
eb_scope_dated(EbTierScope scope)
{
	return scope != EB_SCOPE_INTERVAL && scope != EB_SCOPE_BILL && scope != EB_SCOPE_SESSION;
}

static inline int32_t
eb_scope_start(const EbTariff *tariff, EbTierScope scope, int32_t day)
{
	return eb_scope_range(tariff, scope, day).from;
}

static inline int32_t
eb_scope_days(const EbTariff *tariff, EbTierScope scope, int32_t day)
{
	EbDayRange range = eb_scope_range(tariff, scope, day);

	return range.to - range.from;
}

/*
 * The run of days around day that no boundary cuts: calendar month, tier month, quarter and year,
 * season, valid and when.date of components and their factors, points of series of kind DAYS
 * (usage.h: "part"). The day alone when the tariff is by_day; at most 31 days.
 */
extern EbDayRange eb_part_range(const EbTariff *tariff, int32_t day);

/* Does a range of days leave both ends open? */
static inline bool
eb_days_open(int32_t from, int32_t to)
{
	return from == INT32_MIN && to == INT32_MAX;
}

/* Does a condition hold on some days and not on others? */
static inline bool
eb_condition_dated(const EbCondition *condition)
{
	return condition->seasons != 0 || condition->months != 0 || condition->days != 0 ||
		   condition->not_days != 0 || !eb_days_open(condition->date_from, condition->date_to);
}

/*
 * Can it change an amount in which of two parts energy lies? False for a tariff without seasons,
 * dates, prices by date, single days, demands of a month and tiers beyond the bill: its parts are
 * added up again before they are priced.
 */
extern bool eb_parts_matter(const EbTariff *tariff);

/*
 * The tariff that holds on a local day: that version of a tariff that changes, else the tariff
 * itself. *days, if not NULL, is how long it holds. NULL before the first version and after the
 * last; *days is then the time up to the next one.
 */
extern const EbTariff *eb_tariff_on(const EbTariff *tariff, int32_t day, EbDayRange *days);

#endif
