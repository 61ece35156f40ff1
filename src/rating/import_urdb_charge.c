/*
 * import_urdb_charge.c -- charges of a URDB record that are neither by energy nor by demand
 * In:  fixed charges and minimums with their units.
 * Out: what a month or a day costs, and the least that a month and a year do.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/import_urdb.h"
#include "rating/tariff_json.h"

/* What a charge is for, as its units say */
typedef enum Span
{
	SPAN_DAY,
	SPAN_MONTH,
	SPAN_YEAR,
} Span;

static EbStatus
read_span(const EbUrdb *urdb, const char *key, Span *span)
{
	static const char *const name[] = {"$/day", "$/month", "$/year"};
	const EbNode *node = eb_node_get(urdb->root, key);

	*span = SPAN_MONTH;
	for (int i = 0; i < 3; i++)
		if (eb_text_is(eb_node_text(node), name[i]))
		{
			*span = (Span) i;
			return EB_OK;
		}
	if (node == NULL)
		return EB_OK;
	return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, key, "is none of $/day, $/month, $/year");
}

EbStatus
eb_urdb_read_fixed(const EbUrdb *urdb, EbUrdbCharges *charges)
{
	static const char *const key = "fixedchargefirstmeter";
	int64_t month_n;
	Span span;
	EbStatus status = eb_urdb_decimal(urdb, eb_node_get(urdb->root, key), key, &charges->fixed_n);

	if (status == EB_OK)
		status = read_span(urdb, "fixedchargeunits", &span);
	if (status == EB_OK)
		status = eb_urdb_decimal(urdb, eb_node_get(urdb->root, "fixedmonthlycharge"),
								 "fixedmonthlycharge", &month_n);
	if (status != EB_OK)
		return status;
	charges->per_day = span == SPAN_DAY;
	if (span == SPAN_YEAR)
	{
		if (charges->fixed_n % 12 != 0)
			return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, key, "a twelfth of it is not exact");
		charges->fixed_n /= 12;
	}
	if (month_n == 0)
		return EB_OK;
	if (charges->fixed_n != 0 && (charges->fixed_n != month_n || charges->per_day))
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, "fixedmonthlycharge",
							  "%s is given, too, and is another", key);
	charges->fixed_n = month_n;
	charges->per_day = false;
	return EB_OK;
}

/* One of two keys that may give the same charge */
static EbStatus
merge_minimum(const EbUrdb *urdb, const char *key, int64_t value_n, int64_t *minimum_n)
{
	if (value_n != 0 && *minimum_n != 0 && value_n != *minimum_n)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, key,
							  "mincharge is given, too, and is another");
	if (value_n != 0)
		*minimum_n = value_n;
	return EB_OK;
}

EbStatus
eb_urdb_read_minimums(const EbUrdb *urdb, EbUrdbCharges *charges)
{
	int64_t value_n;
	int64_t month_n;
	int64_t year_n;
	Span span;
	EbStatus status = eb_urdb_amount(urdb, "mincharge", &value_n);

	charges->month_min_n = charges->year_min_n = 0;
	if (status == EB_OK)
		status = read_span(urdb, "minchargeunits", &span);
	if (status == EB_OK)
		status = eb_urdb_amount(urdb, "minmonthlycharge", &month_n);
	if (status == EB_OK)
		status = eb_urdb_amount(urdb, "annualmincharge", &year_n);
	if (status != EB_OK)
		return status;
	if (span == SPAN_DAY && value_n != 0)
		return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, "minchargeunits",
							  "a minimum of each day is not measured");
	if (span == SPAN_YEAR)
		charges->year_min_n = value_n;
	else
		charges->month_min_n = value_n;
	status = merge_minimum(urdb, "minmonthlycharge", month_n, &charges->month_min_n);
	return status == EB_OK ? merge_minimum(urdb, "annualmincharge", year_n, &charges->year_min_n)
						   : status;
}
