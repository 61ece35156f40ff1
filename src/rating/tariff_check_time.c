/*
 * tariff_check_time.c -- the check of a stored tariff: calendar, seasons, schedules, events, series
 * In:  a block whose head is sound.
 * Out: yes, or what is wrong.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "base/civil.h"
#include "rating/tariff_check_state.h"
#include "rating/tariff_grammar.h"

/* Any instant that a text can name, and some days around */
#define LOWEST_US ((int64_t) (EB_DAY_MIN - 3) * EB_DAY_US)
#define HIGHEST_US ((int64_t) (EB_DAY_MAX + 3) * EB_DAY_US)

bool
eb_check_dates(EbCheck *check, int32_t from, int32_t to, const char *why)
{
	return eb_check_that(check,
						 from < to && (from == INT32_MIN || from >= EB_DAY_MIN) &&
							 (to == INT32_MAX || to <= EB_DAY_MAX),
						 why);
}

static bool
check_names(EbCheck *check, EbSlice names, int max, const char *why)
{
	const EbSlice *name = EB_ARRAY(check->tariff, EbSlice, names);

	if (!eb_check_slice(check, names, sizeof(EbSlice), max, why))
		return false;
	for (int i = 0; i < names.n; i++)
		if (!eb_check_text(check, name[i], why))
			return false;
	return true;
}

static bool
check_calendar(EbCheck *check)
{
	EbSlice list = check->tariff->calendar_day;
	const EbCalendarDay *day = EB_ARRAY(check->tariff, EbCalendarDay, list);

	if (!check_names(check, check->tariff->tag, EB_MAX_TAGS - EB_TAG_NAMED, "tags") ||
		!eb_check_slice(check, list, sizeof(EbCalendarDay), EB_MAX_CALENDAR_DAYS, "calendar"))
		return false;
	for (int i = 0; i < list.n; i++)
		if (!eb_check_that(check,
						   eb_check_within(day[i].day, EB_DAY_MIN, EB_DAY_MAX) &&
							   (i == 0 || day[i].day > day[i - 1].day),
						   "calendar"))
			return false;
	return true;
}

static bool
is_month_day(int md)
{
	return eb_check_within(md / 32, 1, 12) && eb_check_within(md % 32, 1, 31);
}

static bool
check_seasons(EbCheck *check)
{
	EbSlice list = check->tariff->season_range;
	const EbSeasonRange *range = EB_ARRAY(check->tariff, EbSeasonRange, list);

	if (!check_names(check, check->tariff->season, EB_MAX_SEASONS, "seasons") ||
		!eb_check_slice(check, list, sizeof(EbSeasonRange), EB_MAX_SEASONS * EB_MAX_SEASON_RANGES,
						"seasons"))
		return false;
	for (int i = 0; i < list.n; i++)
		if (!eb_check_that(check,
						   eb_check_within(range[i].season, 1, check->tariff->season.n) &&
							   is_month_day(range[i].from_md) && is_month_day(range[i].to_md),
						   "seasons"))
			return false;
	return true;
}

static bool
check_rule(EbCheck *check, const EbSchedule *schedule, const EbRule *rule)
{
	const EbSpan *span = EB_ARRAY(check->tariff, EbSpan, rule->span);

	if (!eb_check_that(check,
					   eb_check_within(rule->slot, schedule->first_slot,
									   schedule->first_slot + schedule->nslots - 1) &&
						   eb_check_within(rule->event, EB_NONE, check->tariff->event.n - 1),
					   "rules") ||
		!eb_check_dates(check, rule->valid_from, rule->valid_to, "rules") ||
		!eb_check_slice(check, rule->span, sizeof(EbSpan), EB_MAX_SPANS, "spans"))
		return false;
	for (int i = 0; i < rule->span.n; i++)
		if (!eb_check_that(check,
						   eb_check_within(span[i].from_min, 0, EB_DAY_MINUTES) &&
							   eb_check_within(span[i].to_min, 0, EB_DAY_MINUTES),
						   "spans"))
			return false;
	return true;
}

/* The slots of a schedule follow those of the one before. */
static bool
check_schedule(EbCheck *check, int index, int *first_slot)
{
	const EbTariff *tariff = check->tariff;
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule) + index;
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbRule *rule = EB_ARRAY(tariff, EbRule, schedule->rule);

	if (!eb_check_that(check,
					   schedule->first_slot == *first_slot && schedule->nslots >= 1 &&
						   schedule->nslots <= tariff->slot.n - *first_slot,
					   "slots") ||
		!eb_check_text(check, schedule->name, "schedules") ||
		!eb_check_slice(check, schedule->rule, sizeof(EbRule), EB_MAX_RULES, "rules"))
		return false;
	*first_slot += schedule->nslots;
	for (int i = schedule->first_slot; i < *first_slot; i++)
		if (!eb_check_that(check,
						   slot[i].schedule == index &&
							   eb_check_within(slot[i].name, 0, tariff->period_name.n - 1),
						   "slots"))
			return false;
	for (int i = 0; i < schedule->rule.n; i++)
		if (!check_rule(check, schedule, &rule[i]))
			return false;
	return true;
}

static bool
check_schedules(EbCheck *check)
{
	const EbTariff *tariff = check->tariff;
	int first_slot = 0;

	if (!check_names(check, tariff->period_name, EB_MAX_SLOTS, "periods") ||
		!eb_check_slice(check, tariff->slot, sizeof(EbSlot), EB_MAX_SLOTS, "slots") ||
		!eb_check_slice(check, tariff->schedule, sizeof(EbSchedule), EB_MAX_SCHEDULES, "schedules"))
		return false;
	for (int i = 0; i < tariff->schedule.n; i++)
		if (!check_schedule(check, i, &first_slot))
			return false;
	return eb_check_that(check, first_slot == tariff->slot.n, "slots");
}

static bool
check_events(EbCheck *check)
{
	EbSlice list = check->tariff->event;
	const EbEvent *event = EB_ARRAY(check->tariff, EbEvent, list);

	if (!eb_check_slice(check, list, sizeof(EbEvent), EB_MAX_EVENTS, "events"))
		return false;
	for (int i = 0; i < list.n; i++)
	{
		const EbInstantRange *range = EB_ARRAY(check->tariff, EbInstantRange, event[i].range);
		int64_t before_us = LOWEST_US;

		if (!eb_check_text(check, event[i].name, "events") ||
			!eb_check_slice(check, event[i].range, sizeof(EbInstantRange), EB_MAX_ENTRIES,
							"events"))
			return false;
		for (int j = 0; j < event[i].range.n; j++)
		{
			if (!eb_check_that(check,
							   range[j].from_us >= before_us && range[j].to_us > range[j].from_us &&
								   range[j].to_us <= HIGHEST_US && range[j].from_local == 0 &&
								   range[j].to_local == 0,
							   "events"))
				return false;
			before_us = range[j].to_us;
		}
	}
	return true;
}

static bool
check_points(EbCheck *check, const EbSeries *series)
{
	const EbPoint *point = EB_ARRAY(check->tariff, EbPoint, series->point);

	if (!eb_check_slice(check, series->point, sizeof(EbPoint), EB_TARIFF_MAX_SIZE, "series"))
		return false;
	for (int i = 0; i < series->point.n; i++)
		if (!eb_check_that(check,
						   eb_check_within(point[i].at_us, LOWEST_US, HIGHEST_US) &&
							   eb_check_within(point[i].day, EB_DAY_MIN - 3, EB_DAY_MAX + 3) &&
							   point[i].local == 0 &&
							   (i == 0 || (point[i].at_us > point[i - 1].at_us &&
										   point[i].day >= point[i - 1].day)),
						   "series"))
			return false;
	return true;
}

static bool
check_series(EbCheck *check)
{
	EbSlice list = check->tariff->series;
	const EbSeries *series = EB_ARRAY(check->tariff, EbSeries, list);

	if (!eb_check_slice(check, list, sizeof(EbSeries), EB_MAX_SERIES, "series"))
		return false;
	for (int i = 0; i < list.n; i++)
		if (!eb_check_text(check, series[i].name, "series") ||
			!eb_check_that(
				check,
				eb_check_within(series[i].kind, EB_SERIES_INSTANT, EB_SERIES_BILL_MONTH) &&
					(series[i].kind == EB_SERIES_USAGE) == (series[i].point.n == 0),
				"series") ||
			!check_points(check, &series[i]))
			return false;
	return true;
}

bool
eb_check_time(EbCheck *check)
{
	return check_calendar(check) && check_seasons(check) && check_events(check) &&
		   check_schedules(check) && check_series(check);
}
