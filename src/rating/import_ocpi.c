/*
 * import_ocpi.c -- an OCPI tariff as the JSON form of a tariff
 * In:  a Tariff object of OCPI 2.2.1 (2.1.1 and 2.2 have less of the same).
 * Out: JSON text. A price component is a component; those of one dimension share a lane, in the
 *      order of the elements. Amounts stay exact: OCPI leaves rounding to the invoice.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: OCPI 2.2.1, module Tariffs; doc/import.md.
 */
#include <stdio.h>

#include "base/civil.h"
#include "rating/fault.h"
#include "rating/import_ocpi.h"
#include "rating/tariff_json.h"

static const char *const tariff_key[] = {
	"id",		"currency",		   "tariff_alt_text", "min_price", "max_price",
	"elements", "start_date_time", "end_date_time",	  NULL,
};

/* Whose tariff it is, for whom, where to read more */
static const char *const idle_key[] = {
	"country_code", "party_id", "type", "tariff_alt_url", "energy_mix", "last_updated", NULL,
};

/* How the dimensions of OCPI are called here */
typedef struct Lane
{
	const char *type; /* of the price component */
	const char *name; /* of lane and group */
	const char *kind;
	const char *step; /* NULL: nothing to count */
} Lane;

static const Lane lane_of[EB_OCPI_LANES] = {
	[EB_OCPI_ENERGY] = {"ENERGY", "energy", "energy", "step_wh"},
	[EB_OCPI_FLAT] = {"FLAT", "flat", "session_flat", NULL},
	[EB_OCPI_TIME] = {"TIME", "time", "session_time", "step_s"},
	[EB_OCPI_PARKING_TIME] = {"PARKING_TIME", "parking_time", "idle", "step_s"},
	[EB_OCPI_RESERVATION_FLAT] = {"FLAT", "reservation_flat", "reserve_flat", NULL},
	[EB_OCPI_RESERVATION_TIME] = {"TIME", "reservation_time", "reserve_time", "step_s"},
};

/* ---------------------------------------------------------------- price components */

static EbStatus
find_lane(const EbOcpi *ocpi, const EbNode *price, const char *path, bool reservation,
		  EbOcpiLane *lane)
{
	EbText type = eb_node_text(eb_node_get(price, "type"));
	char below[2 * EB_OCPI_PATH];

	snprintf(below, sizeof(below), "%s.type", path);
	for (int i = EB_OCPI_ENERGY; i <= EB_OCPI_PARKING_TIME; i++)
	{
		*lane = (EbOcpiLane) i;
		if (!eb_text_is(type, lane_of[i].type))
			continue;
		if (!reservation)
			return EB_OK;
		if (i == EB_OCPI_FLAT || i == EB_OCPI_TIME)
		{
			*lane = i == EB_OCPI_FLAT ? EB_OCPI_RESERVATION_FLAT : EB_OCPI_RESERVATION_TIME;
			return EB_OK;
		}
		return eb_ocpi_refuse(ocpi, EB_NOT_SUPPORTED, below,
							  "a reservation has FLAT and TIME, no %s", lane_of[i].type);
	}
	return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, below,
						  "must be ENERGY, FLAT, TIME or PARKING_TIME");
}

/* code, kind, group, lane */
static void
write_names(EbOcpi *ocpi, EbOcpiLane lane)
{
	char code[40];
	int n = ++ocpi->count[lane];

	snprintf(code, sizeof(code), n > 1 ? "%s_%d" : "%s", lane_of[lane].name, n);
	eb_json_put_string(ocpi->json, "code", code);
	eb_json_put_string(ocpi->json, "kind", lane_of[lane].kind);
	eb_json_put_string(ocpi->json, "group", lane_of[lane].name);
	eb_json_put_string(ocpi->json, "lane", lane_of[lane].name);
}

static EbStatus
write_price(EbOcpi *ocpi, const EbNode *price, const char *path, EbOcpiLane lane)
{
	bool found;
	int64_t price_n;
	int64_t vat_n;
	int64_t step;
	EbStatus status = eb_ocpi_number(ocpi, price, path, "price", EB_PRICE_SCALE, &found, &price_n);

	if (status == EB_OK && !found)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, path, "\"price\" is missing");
	if (status == EB_OK)
		status = eb_ocpi_number(ocpi, price, path, "step_size", 0, &found, &step);
	if (status == EB_OK && step < 0)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, path, "\"step_size\" must not be negative");
	if (status == EB_OK)
		status = eb_ocpi_number(ocpi, price, path, "vat", EB_PRICE_SCALE, &found, &vat_n);
	if (status == EB_OK && vat_n < 0)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, path, "\"vat\" must not be negative");
	if (status != EB_OK)
		return status;
	eb_json_put_decimal(ocpi->json, "price", price_n, EB_PRICE_SCALE);
	if (lane_of[lane].step != NULL && step > 0)
		eb_json_put_int(ocpi->json, lane_of[lane].step, step);
	eb_json_put_decimal(ocpi->json, "vat", vat_n, EB_PRICE_SCALE);
	ocpi->vat_differs = ocpi->vat_differs || (ocpi->any && ocpi->vat_n != vat_n);
	ocpi->vat_n = vat_n;
	ocpi->any = true;
	return EB_OK;
}

static EbStatus
write_component(EbOcpi *ocpi, const EbNode *price, const char *path, const EbNode *restrictions,
				const char *restrictions_path)
{
	static const char *const known[] = {"type", "price", "vat", "step_size", NULL};
	bool reservation;
	EbOcpiLane lane;
	EbStatus status = eb_ocpi_keys(ocpi, price, path, known, NULL);

	if (status == EB_OK)
		status = eb_ocpi_reservation(ocpi, restrictions, restrictions_path, &reservation);
	if (status == EB_OK)
		status = find_lane(ocpi, price, path, reservation, &lane);
	if (status != EB_OK)
		return status;
	eb_json_open_object(ocpi->json);
	write_names(ocpi, lane);
	status = eb_ocpi_restrictions(ocpi, restrictions, restrictions_path);
	if (status == EB_OK)
		status = write_price(ocpi, price, path, lane);
	eb_json_close_object(ocpi->json);
	return status;
}

static EbStatus
write_element(EbOcpi *ocpi, const EbNode *element, int number)
{
	static const char *const known[] = {"price_components", "restrictions", NULL};
	const EbNode *prices = eb_node_get(element, "price_components");
	const EbNode *restrictions = eb_node_get(element, "restrictions");
	char path[EB_OCPI_PATH];
	char below[2 * EB_OCPI_PATH];
	int n = 0;
	EbStatus status;

	snprintf(path, sizeof(path), "elements[%d]", number);
	status = eb_ocpi_keys(ocpi, element, path, known, NULL);
	if (status != EB_OK)
		return status;
	snprintf(below, sizeof(below), "elements[%d].restrictions", number);
	if (eb_node_first(prices) == NULL || prices->kind != EB_NODE_ARRAY)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, path,
							  "\"price_components\" must be a list that is not empty");
	EB_EACH(price, prices)
	{
		snprintf(path, sizeof(path), "elements[%d].price_components[%d]", number, n++);
		status = write_component(ocpi, price, path, restrictions, below);
		if (status != EB_OK)
			return status;
	}
	return EB_OK;
}

/* ---------------------------------------------------------------- limits of the session */

/* excl_vat, incl_vat; without the latter the limit is taxed as everything is */
static EbStatus
write_limit(EbOcpi *ocpi, const char *key, const char *kind)
{
	static const char *const known[] = {"excl_vat", "incl_vat", NULL};
	const EbNode *price = eb_node_get(ocpi->root, key);
	bool has_excl;
	bool has_incl;
	int64_t excl_n;
	int64_t incl_n;
	EbStatus status;

	if (price == NULL)
		return EB_OK;
	status = eb_ocpi_keys(ocpi, price, key, known, NULL);
	if (status == EB_OK)
		status = eb_ocpi_number(ocpi, price, key, "excl_vat", EB_PRICE_SCALE, &has_excl, &excl_n);
	if (status == EB_OK)
		status = eb_ocpi_number(ocpi, price, key, "incl_vat", EB_PRICE_SCALE, &has_incl, &incl_n);
	if (status != EB_OK)
		return status;
	if (!has_excl && !has_incl)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, key, "\"excl_vat\" is missing");
	if (!has_incl && ocpi->vat_differs)
		return eb_ocpi_refuse(ocpi, EB_NOT_SUPPORTED, key,
							  "without \"incl_vat\" needs one rate of tax, there are several");
	eb_json_open_object(ocpi->json);
	eb_json_put_string(ocpi->json, "code", key);
	eb_json_put_string(ocpi->json, "kind", kind);
	if (has_excl)
		eb_json_put_decimal(ocpi->json, "amount", excl_n, EB_PRICE_SCALE);
	if (has_incl)
		eb_json_put_decimal(ocpi->json, "amount_incl", incl_n, EB_PRICE_SCALE);
	eb_json_put_string(ocpi->json, "scope", "session");
	if (!has_incl)
		eb_json_put_decimal(ocpi->json, "vat", ocpi->vat_n, EB_PRICE_SCALE);
	eb_json_close_object(ocpi->json);
	return EB_OK;
}

/* ---------------------------------------------------------------- tariff */

/* The texts that stand beside a tariff, by language */
static EbStatus
write_name(EbOcpi *ocpi)
{
	static const char *const known[] = {"language", "text", NULL};
	const EbNode *texts = eb_node_get(ocpi->root, "tariff_alt_text");

	if (texts == NULL || (texts->kind == EB_NODE_ARRAY && texts->child == NULL))
		return EB_OK;
	if (texts->kind != EB_NODE_ARRAY)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, "tariff_alt_text", "must be a list");
	eb_json_key(ocpi->json, "name");
	eb_json_open_object(ocpi->json);
	EB_EACH(item, texts)
	{
		EbText language = eb_node_text(eb_node_get(item, "language"));
		EbText text = eb_node_text(eb_node_get(item, "text"));
		EbStatus status = eb_ocpi_keys(ocpi, item, "tariff_alt_text", known, NULL);

		if (status != EB_OK)
			return status;
		if (language.len == 0 || text.len == 0)
			return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, "tariff_alt_text",
								  "each needs \"language\" and \"text\"");
		for (const EbNode *other = texts->child; other != item; other = other->next)
			if (eb_text_equal(eb_node_text(eb_node_get(other, "language")), language))
				return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, "tariff_alt_text",
									  "has a language twice");
		eb_json_key_text(ocpi->json, language);
		eb_json_text(ocpi->json, text);
	}
	eb_json_close_object(ocpi->json);
	return EB_OK;
}

static EbStatus
write_head(EbOcpi *ocpi, EbText zone)
{
	EbText id = eb_node_text(eb_node_get(ocpi->root, "id"));
	EbText currency = eb_node_text(eb_node_get(ocpi->root, "currency"));
	EbStatus status;

	if (currency.len == 0)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, "currency", "must be a text of three letters");
	eb_json_put_int(ocpi->json, "elecbill", 1);
	if (id.len > 0)
	{
		eb_json_key(ocpi->json, "code");
		eb_json_text(ocpi->json, id);
	}
	status = write_name(ocpi);
	eb_json_key(ocpi->json, "currency");
	eb_json_text(ocpi->json, currency);
	eb_json_key(ocpi->json, "zone");
	eb_json_text(ocpi->json, zone);
	eb_json_key(ocpi->json, "round");
	eb_json_open_object(ocpi->json);
	eb_json_key(ocpi->json, "line");
	eb_json_null(ocpi->json);
	eb_json_close_object(ocpi->json);
	return status;
}

static EbStatus
write_components(EbOcpi *ocpi)
{
	const EbNode *elements = eb_node_get(ocpi->root, "elements");
	EbStatus status = EB_OK;
	int n = 0;

	if (eb_node_first(elements) == NULL || elements->kind != EB_NODE_ARRAY)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, "elements",
							  "must be a list that is not empty");
	eb_json_key(ocpi->json, "components");
	eb_json_open_array(ocpi->json);
	EB_EACH(element, elements)
	{
		status = write_element(ocpi, element, n++);
		if (status != EB_OK)
			return status;
	}
	status = write_limit(ocpi, "min_price", "minimum");
	if (status == EB_OK)
		status = write_limit(ocpi, "max_price", "maximum");
	eb_json_close_array(ocpi->json);
	return status;
}

/* OCPI's instants are of UTC, whether they say so or not. */
static EbStatus
read_instant(const EbOcpi *ocpi, const char *key, int64_t open_us, int64_t *at_us)
{
	static const EbZoneSpan span = {INT64_MIN, 0};
	static const EbZone utc = {&span, 1};
	const EbNode *node = eb_node_get(ocpi->root, key);

	*at_us = open_us;
	if (node == NULL || eb_parse_instant(eb_node_text(node), &utc, at_us))
		return EB_OK;
	return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, key,
						  "must be an instant like 2026-01-05T16:35:00Z");
}

static EbStatus
read_valid(const EbOcpi *ocpi, int64_t *from_us, int64_t *to_us)
{
	EbStatus status = read_instant(ocpi, "start_date_time", INT64_MIN, from_us);

	if (status == EB_OK)
		status = read_instant(ocpi, "end_date_time", INT64_MAX, to_us);
	if (status == EB_OK && *from_us >= *to_us)
		return eb_ocpi_refuse(ocpi, EB_BAD_ARGUMENT, "end_date_time",
							  "is not after start_date_time");
	return status;
}

EbStatus
eb_import_ocpi_valid(const EbNode *source, int64_t *from_us, int64_t *to_us, EbFault *fault)
{
	EbOcpi ocpi = {.root = source, .fault = fault};

	return read_valid(&ocpi, from_us, to_us);
}

EbStatus
eb_import_ocpi(const EbNode *source, EbText zone, EbJson *json, EbFault *fault)
{
	EbOcpi ocpi = {.root = source, .json = json, .fault = fault};
	int64_t from_us;
	int64_t to_us;
	EbStatus status = eb_ocpi_keys(&ocpi, source, "", tariff_key, idle_key);

	if (status == EB_OK)
		status = read_valid(&ocpi, &from_us, &to_us);
	if (status != EB_OK)
		return status;
	eb_json_open_object(json);
	status = write_head(&ocpi, zone);
	if (status == EB_OK)
		status = write_components(&ocpi);
	eb_json_close_object(json);
	return status;
}
