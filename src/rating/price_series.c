/*
 * price_series.c -- the price of a series on a day, in a month, at an instant
 * In:  localized points (tariff_localize.c).
 * Out: prices for price.c and for all that follows a price through time.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md (series).
 */
#include "base/civil.h"
#include "rating/fault.h"
#include "rating/price_walk.h"

static EbStatus
before_first_point(const EbTariff *tariff, const EbSeries *series, EbFault *fault)
{
	eb_fault_set(fault, EB_UNKNOWN, "no price before the first point of a series",
				 "Give the series earlier points, or rate later usage.");
	return eb_fault_detail(
		fault, EB_UNKNOWN, "The series is \"%.*s\".",
		EB_TEXT_ARG(((EbText){EB_ARRAY(tariff, char, series->name), series->name.n})));
}

/* Months since year 0 */
static int
month_number(int32_t day)
{
	EbDate date = eb_date_from_day(day);

	return date.year * 12 + date.month;
}

EbStatus
eb_series_day(const EbPriceWalk *walk, const EbSeries *series, EbExact *result)
{
	const EbTariff *tariff = walk->env->tariff;
	const EbPoint *point = EB_ARRAY(tariff, EbPoint, series->point);
	bool by_month = series->kind == EB_SERIES_BILL_MONTH;
	int32_t day = by_month ? walk->env->bill_day : walk->env->day;
	int low = 0;
	int high = series->point.n;

	if (day == EB_NO_DAY)
		return eb_fault_set(walk->fault, EB_UNKNOWN,
							"the price depends on the date, the usage has no dates",
							"Give \"during\" with the usage, or in ctx.");
	while (low < high)
	{
		int middle = low + (high - low) / 2;
		bool after = by_month ? month_number(point[middle].day) > month_number(day)
							  : point[middle].day > day;

		if (after)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == 0)
		return before_first_point(tariff, series, walk->fault);
	*result = (EbExact){point[low - 1].price_n, EB_PRICE_SCALE};
	eb_exact_strip(result);
	return EB_OK;
}

EbStatus
eb_series_at(const EbTariff *tariff, int32_t index, int64_t at_us, int64_t *price_n, EbFault *fault)
{
	const EbSeries *series = eb_series_find(tariff, index);
	const EbPoint *point = EB_ARRAY(tariff, EbPoint, series->point);
	int low = 0;
	int high = series->point.n;

	*price_n = 0;
	if (series->kind == EB_SERIES_USAGE)
		return eb_fault_set(fault, EB_BAD_ARGUMENT,
							"the prices of a series come with the usage, they are not known here",
							NULL);
	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (point[middle].at_us > at_us)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == 0)
		return before_first_point(tariff, series, fault);
	*price_n = point[low - 1].price_n;
	return EB_OK;
}
