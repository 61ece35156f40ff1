/*
 * calendar.c -- what a local day is to a tariff: tags, season, tier scope, part
 * In:  a compiled tariff and a local date (base/civil.h).
 * Out: what tou.c asks of a rule's day, and the day boundaries that usage.c and rate.c cut at.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/calendar.h"

#define TAG(bit) (UINT64_C(1) << (bit))

static uint64_t
written_tags(const EbTariff *tariff, int32_t day)
{
	const EbCalendarDay *days = EB_ARRAY(tariff, EbCalendarDay, tariff->calendar_day);
	int low = 0;
	int high = tariff->calendar_day.n;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (days[middle].day == day)
			return days[middle].tags;
		if (days[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

uint64_t
eb_day_tags(const EbTariff *tariff, int32_t day)
{
	int weekday = eb_weekday(day);
	uint64_t tags = written_tags(tariff, day) | TAG(EB_TAG_MON + weekday);
	bool weekend = ((tariff->weekend >> weekday) & 1) != 0;
	bool works = !weekend && (tags & TAG(EB_TAG_HOLIDAY)) == 0;

	tags |= weekend ? TAG(EB_TAG_WEEKEND) : TAG(EB_TAG_WEEKDAY);
	works = works || (tags & TAG(EB_TAG_MAKEUP)) != 0;
	return tags | (works ? TAG(EB_TAG_WORKDAY) : TAG(EB_TAG_OFFDAY));
}

int
eb_season_of(const EbTariff *tariff, int32_t day)
{
	const EbSeasonRange *range = EB_ARRAY(tariff, EbSeasonRange, tariff->season_range);
	EbDate date = eb_date_from_day(day);
	int md = date.month * 32 + date.day;

	for (int i = 0; i < tariff->season_range.n; i++)
	{
		bool after = md >= range[i].from_md;
		bool before = md < range[i].to_md;

		if (range[i].from_md < range[i].to_md ? after && before : after || before)
			return range[i].season;
	}
	return 0;
}

/* The given day of a month (counted from January of year 0), or the first of the next month */
static int32_t
day_in_month(int month_index, int mday)
{
	int year = month_index / 12;
	int month = month_index % 12 + 1;
	int last = eb_month_days(year, month);

	return eb_day_from_date(year, month, mday <= last ? mday : last + 1);
}

EbDayRange
eb_scope_range(const EbTariff *tariff, EbTierScope scope, int32_t day)
{
	EbDate date;
	int month_index;
	int start_month = tariff->year_start / 32 - 1;
	int mday = tariff->year_start % 32;
	int months = 12;

	switch (scope)
	{
		case EB_SCOPE_MONTH:
			months = 1;
			start_month = 0;
			mday = tariff->month_day;
			break;
		case EB_SCOPE_QUARTER:
			months = 3;
			break;
		case EB_SCOPE_YEAR:
			break;
		case EB_SCOPE_DAY:
			return (EbDayRange){day, day + 1};
		case EB_SCOPE_INTERVAL:
		case EB_SCOPE_SESSION:
		case EB_SCOPE_BILL:
		case EB_NSCOPES:
			return (EbDayRange){EB_DAY_MIN, EB_DAY_MAX};
	}
	date = eb_date_from_day(day);
	month_index = date.year * 12 + date.month - 1;
	month_index -= (month_index + 12 - start_month) % months;
	if (day_in_month(month_index, mday) > day)
		month_index -= months;
	return (EbDayRange){day_in_month(month_index, mday), day_in_month(month_index + months, mday)};
}

/* Makes range end, or begin, at a boundary that lies in it */
static void
cut_at(EbDayRange *range, int32_t day, int32_t boundary)
{
	if (boundary <= day)
		range->from = boundary > range->from ? boundary : range->from;
	else
		range->to = boundary < range->to ? boundary : range->to;
}

/* A boundary that comes back each year; only the month of the day matters, range is inside it */
static void
cut_at_month_day(EbDayRange *range, int32_t day, EbDate date, int md)
{
	int32_t end = day - date.day + 1 + eb_month_days(date.year, date.month);
	int32_t boundary = day - date.day + md % 32;

	if (md / 32 == date.month)
		cut_at(range, day, boundary < end ? boundary : end);
}

static void
cut_at_component(EbDayRange *range, int32_t day, const EbTariff *tariff,
				 const EbComponent *component)
{
	const EbFactorIf *factor = EB_ARRAY(tariff, EbFactorIf, component->factor_if);

	cut_at(range, day, component->valid_from);
	cut_at(range, day, component->valid_to);
	if (component->has_when)
	{
		cut_at(range, day, component->when.date_from);
		cut_at(range, day, component->when.date_to);
	}
	for (int i = 0; i < component->factor_if.n; i++)
	{
		cut_at(range, day, factor[i].condition.date_from);
		cut_at(range, day, factor[i].condition.date_to);
	}
}

/* At the last price that began by the day, and at the next one */
static void
cut_at_points(EbDayRange *range, int32_t day, const EbTariff *tariff, const EbSeries *series)
{
	const EbPoint *point = EB_ARRAY(tariff, EbPoint, series->point);
	int low = 0;
	int high = series->point.n;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (point[middle].day <= day)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0)
		cut_at(range, day, point[low - 1].day);
	if (low < series->point.n)
		cut_at(range, day, point[low].day);
}

EbDayRange
eb_part_range(const EbTariff *tariff, int32_t day)
{
	const EbSeasonRange *season = EB_ARRAY(tariff, EbSeasonRange, tariff->season_range);
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);
	EbDate date = eb_date_from_day(day);
	EbDayRange range;

	if (tariff->by_day)
		return (EbDayRange){day, day + 1};
	range.from = day - date.day + 1;
	range.to = range.from + eb_month_days(date.year, date.month);
	cut_at_month_day(&range, day, date, date.month * 32 + tariff->month_day);
	for (int quarter = 0; quarter < 4; quarter++)
	{
		int month = (tariff->year_start / 32 - 1 + 3 * quarter) % 12 + 1;

		cut_at_month_day(&range, day, date, month * 32 + tariff->year_start % 32);
	}
	for (int i = 0; i < tariff->season_range.n; i++)
	{
		cut_at_month_day(&range, day, date, season[i].from_md);
		cut_at_month_day(&range, day, date, season[i].to_md);
	}
	for (int i = 0; i < tariff->component.n; i++)
		cut_at_component(&range, day, tariff, &component[i]);
	for (int i = 0; i < tariff->series.n; i++)
		if (series[i].kind == EB_SERIES_DAYS)
			cut_at_points(&range, day, tariff, &series[i]);
	return range;
}

/* Does the component read dates, or count anew where a part begins? */
static bool
component_dated(const EbTariff *tariff, const EbComponent *component)
{
	const EbFactorIf *factor = EB_ARRAY(tariff, EbFactorIf, component->factor_if);

	if (!eb_days_open(component->valid_from, component->valid_to) ||
		(component->has_when && eb_condition_dated(&component->when)) ||
		(component->has_tier && eb_scope_dated((EbTierScope) component->tier.scope)))
		return true;
	for (int i = 0; i < component->factor_if.n; i++)
		if (eb_condition_dated(&factor[i].condition))
			return true;
	return false;
}

/* Is the peak of one date another one than that of the next? */
static bool
demand_dated(const EbDemand *demand)
{
	return demand->per != EB_SCOPE_BILL || demand->seasons != 0 || demand->months != 0 ||
		   demand->ratchet.lookback > 0;
}

bool
eb_parts_matter(const EbTariff *tariff)
{
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);
	const EbDemand *demand = EB_ARRAY(tariff, EbDemand, tariff->demand);

	if (tariff->by_day || tariff->season_range.n > 0)
		return true;
	for (int i = 0; i < tariff->component.n; i++)
		if (component_dated(tariff, &component[i]))
			return true;
	for (int i = 0; i < tariff->series.n; i++)
		if (series[i].kind == EB_SERIES_DAYS)
			return true;
	for (int i = 0; i < tariff->demand.n; i++)
		if (demand_dated(&demand[i]))
			return true;
	return false;
}

const EbTariff *
eb_tariff_on(const EbTariff *tariff, int32_t day, EbDayRange *days)
{
	const EbVersion *version = EB_ARRAY(tariff, EbVersion, tariff->version);
	const EbTariff *found = tariff->version.n > 0 ? NULL : tariff;
	EbDayRange range = {INT32_MIN, INT32_MAX};

	for (int i = 0; i < tariff->version.n; i++)
	{
		if (version[i].valid_from <= day && day < version[i].valid_to)
			found = eb_version_tariff(tariff, &version[i]);
		cut_at(&range, day, version[i].valid_from);
		cut_at(&range, day, version[i].valid_to);
	}
	if (days != NULL)
		*days = range;
	return found;
}
