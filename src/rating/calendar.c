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
	EbDate date = eb_date_from_day(day);
	int month_index = date.year * 12 + date.month - 1;
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
		case EB_SCOPE_BILL:
		case EB_NSCOPES:
			return (EbDayRange){EB_DAY_MIN, EB_DAY_MAX};
	}
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
	if (md / 32 == date.month)
		cut_at(range, day, day_in_month(date.year * 12 + date.month - 1, md % 32));
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

EbDayRange
eb_part_range(const EbTariff *tariff, int32_t day)
{
	const EbSeasonRange *season = EB_ARRAY(tariff, EbSeasonRange, tariff->season_range);
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	EbDate date = eb_date_from_day(day);
	EbDayRange range;

	range.from = eb_day_from_date(date.year, date.month, 1);
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
	return range;
}

bool
eb_parts_matter(const EbTariff *tariff)
{
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);

	if (tariff->season_range.n > 0)
		return true;
	for (int i = 0; i < tariff->component.n; i++)
	{
		const EbFactorIf *factor = EB_ARRAY(tariff, EbFactorIf, component[i].factor_if);

		if (!eb_days_open(component[i].valid_from, component[i].valid_to) ||
			(component[i].has_when && eb_condition_dated(&component[i].when)) ||
			(component[i].has_tier && component[i].tier.scope != EB_SCOPE_BILL))
			return true;
		for (int j = 0; j < component[i].factor_if.n; j++)
			if (eb_condition_dated(&factor[j].condition))
				return true;
	}
	return false;
}
