/*
 * import_ocpi_restrict.c -- restrictions of an OCPI tariff element as conditions
 * In:  the node "restrictions" of an element.
 * Out: the member "when" of a component: minimum inclusive, maximum exclusive.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: OCPI 2.2.1, module Tariffs, class TariffRestrictions.
 */
#include <stdio.h>

#include "base/civil.h"
#include "rating/fault.h"
#include "rating/import_ocpi.h"
#include "rating/tariff_json.h"

/* Two restrictions that are the bounds of one running value */
typedef struct Bounds
{
	const char *min;
	const char *max;
	const char *key; /* of the condition */
} Bounds;

static const Bounds bounds[] = {
	{"min_kwh", "max_kwh", "kwh"},
	{"min_power", "max_power", "kw"},
	{"min_current", "max_current", "amp"},
	{"min_duration", "max_duration", "seconds"},
};

static const char *const known[] = {
	"start_time",	"end_time",		"start_date",  "end_date",	  "min_kwh",
	"max_kwh",		"min_current",	"max_current", "min_power",	  "max_power",
	"min_duration", "max_duration", "day_of_week", "reservation", NULL,
};

static EbStatus
refuse_key(const EbOcpi *ocpi, const char *path, const char *key, const char *wanted)
{
	char below[2 * EB_OCPI_PATH];

	snprintf(below, sizeof(below), "%s.%s", path, key);
	return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, below, "must be %s", wanted);
}

/* start_time, end_time: one alone reaches to midnight, and midnight as an end is that of the day */
static EbStatus
write_time(EbOcpi *ocpi, const EbNode *restrictions, const char *path)
{
	const EbNode *start = eb_node_get(restrictions, "start_time");
	const EbNode *end = eb_node_get(restrictions, "end_time");
	int from = 0;
	int to = EB_DAY_MINUTES;

	if (start == NULL && end == NULL)
		return EB_OK;
	if (start != NULL && (!eb_parse_minute(eb_node_text(start), &from) || from == EB_DAY_MINUTES))
		return refuse_key(ocpi, path, "start_time", "a time HH:MM");
	if (end != NULL && !eb_parse_minute(eb_node_text(end), &to))
		return refuse_key(ocpi, path, "end_time", "a time HH:MM");
	if (to == 0)
		to = EB_DAY_MINUTES;
	if (from == 0 && to == EB_DAY_MINUTES)
		return EB_OK;
	eb_json_key(ocpi->json, "time");
	eb_json_open_array(ocpi->json);
	eb_json_minute(ocpi->json, from);
	eb_json_minute(ocpi->json, to);
	eb_json_close_array(ocpi->json);
	return EB_OK;
}

static EbStatus
write_date(EbOcpi *ocpi, const EbNode *restrictions, const char *path)
{
	static const char *const key[] = {"start_date", "end_date"};
	int32_t day[2];
	bool found[2];

	for (int i = 0; i < 2; i++)
	{
		const EbNode *node = eb_node_get(restrictions, key[i]);

		found[i] = node != NULL;
		if (node != NULL && !eb_parse_date(eb_node_text(node), &day[i]))
			return refuse_key(ocpi, path, key[i], "a date YYYY-MM-DD");
	}
	if (!found[0] && !found[1])
		return EB_OK;
	eb_json_key(ocpi->json, "date");
	eb_json_open_array(ocpi->json);
	for (int i = 0; i < 2; i++)
		if (found[i])
			eb_json_date(ocpi->json, day[i]);
		else
			eb_json_null(ocpi->json);
	eb_json_close_array(ocpi->json);
	return EB_OK;
}

static EbStatus
write_days(EbOcpi *ocpi, const EbNode *restrictions, const char *path)
{
	static const char *const name[] = {"MONDAY", "TUESDAY",	 "WEDNESDAY", "THURSDAY",
									   "FRIDAY", "SATURDAY", "SUNDAY"};
	static const char *const tag[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	const EbNode *days = eb_node_get(restrictions, "day_of_week");
	unsigned mask = 0;

	if (days != NULL && days->kind != EB_NODE_ARRAY)
		return refuse_key(ocpi, path, "day_of_week", "a list of days");
	EB_EACH(item, days)
	{
		int i = 0;

		while (i < 7 && !eb_text_is(eb_node_text(item), name[i]))
			i++;
		if (i == 7)
			return refuse_key(ocpi, path, "day_of_week", "a list of days, as MONDAY");
		mask |= 1u << i;
	}
	if (mask == 0)
		return EB_OK;
	eb_json_key(ocpi->json, "days");
	eb_json_open_array(ocpi->json);
	for (int i = 0; i < 7; i++)
		if (mask >> i & 1)
			eb_json_string(ocpi->json, tag[i]);
	eb_json_close_array(ocpi->json);
	return EB_OK;
}

static EbStatus
write_bounds(EbOcpi *ocpi, const EbNode *restrictions, const char *path, const Bounds *of)
{
	bool has_min;
	bool has_max;
	int64_t min_u;
	int64_t max_u;
	EbStatus status =
		eb_ocpi_number(ocpi, restrictions, path, of->min, EB_ENERGY_SCALE, &has_min, &min_u);

	if (status == EB_OK)
		status =
			eb_ocpi_number(ocpi, restrictions, path, of->max, EB_ENERGY_SCALE, &has_max, &max_u);
	if (status != EB_OK || (!has_min && !has_max))
		return status;
	if (has_min && has_max && min_u >= max_u)
		return refuse_key(ocpi, path, of->max, "above the minimum");
	eb_json_key(ocpi->json, of->key);
	eb_json_open_object(ocpi->json);
	if (has_min)
		eb_json_put_decimal(ocpi->json, "ge", min_u, EB_ENERGY_SCALE);
	if (has_max)
		eb_json_put_decimal(ocpi->json, "lt", max_u, EB_ENERGY_SCALE);
	eb_json_close_object(ocpi->json);
	return EB_OK;
}

/* Costs of any reservation, or only of those that nobody came for */
static EbStatus
read_reservation(const EbOcpi *ocpi, const EbNode *restrictions, const char *path, bool *is,
				 bool *expired)
{
	const EbNode *node = eb_node_get(restrictions, "reservation");
	EbText text = eb_node_text(node);

	*is = node != NULL;
	*expired = eb_text_is(text, "RESERVATION_EXPIRES");
	if (node == NULL || *expired || eb_text_is(text, "RESERVATION"))
		return EB_OK;
	return refuse_key(ocpi, path, "reservation", "RESERVATION or RESERVATION_EXPIRES");
}

EbStatus
eb_ocpi_reservation(const EbOcpi *ocpi, const EbNode *restrictions, const char *path, bool *is)
{
	bool expired;

	return read_reservation(ocpi, restrictions, path, is, &expired);
}

EbStatus
eb_ocpi_restrictions(EbOcpi *ocpi, const EbNode *restrictions, const char *path)
{
	bool reservation;
	bool expired;
	EbStatus status;

	if (restrictions == NULL)
		return EB_OK;
	status = eb_ocpi_keys(ocpi, restrictions, path, known, NULL);
	if (status != EB_OK)
		return status;
	eb_json_key(ocpi->json, "when");
	eb_json_open_object(ocpi->json);
	status = write_time(ocpi, restrictions, path);
	if (status == EB_OK)
		status = write_date(ocpi, restrictions, path);
	if (status == EB_OK)
		status = write_days(ocpi, restrictions, path);
	for (int i = 0; i < (int) (sizeof(bounds) / sizeof(bounds[0])) && status == EB_OK; i++)
		status = write_bounds(ocpi, restrictions, path, &bounds[i]);
	if (status == EB_OK)
		status = read_reservation(ocpi, restrictions, path, &reservation, &expired);
	if (status == EB_OK && expired)
		eb_json_put_string(ocpi->json, "reservation", "expired");
	eb_json_close_object(ocpi->json);
	return status;
}
