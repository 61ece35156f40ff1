/*
 * import.c -- tariffs of other formats
 * In:  jsonb in the format of somebody else.
 * Out: a tariff, by its JSON form (rating/import.h) through the same door as any other (tariff.c).
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/jsonb_node.h"
#include "pg/tariff.h"
#include "rating/import.h"

/* Of the source; a rate with all its periods and tiers takes a hundredth of it. */
#define MAX_SOURCE (4 << 20)

#define FIRST_SIZE 8192

static const EbNode *
read_source(Jsonb *json)
{
	if (VARSIZE_ANY_EXHDR(json) > MAX_SOURCE)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("rate is too large"),
						errdetail("It has more than %d bytes.", MAX_SOURCE)));
	return eb_pg_jsonb_node(json);
}

/* The JSON form that an importer writes, as C string */
static char *
write_form(EbImport import, const EbNode *source, EbText zone)
{
	size_t size = FIRST_SIZE;

	for (;;)
	{
		char *text = palloc(size + 1);
		EbFault fault;
		EbJson json;

		eb_json_init(&json, text, size);
		eb_pg_check(import(source, zone, &json, &fault), &fault);
		if (eb_json_fits(&json))
		{
			text[json.len] = '\0';
			return text;
		}
		size = json.len;
		pfree(text);
	}
}

static Datum
import_tariff(EbImport import, Jsonb *json, text *zone)
{
	EbText name = {VARDATA_ANY(zone), (int) VARSIZE_ANY_EXHDR(zone)};
	char *form = write_form(import, read_source(json), name);

	return PointerGetDatum(
		eb_pg_tariff_make(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(form)))));
}

/* [lower, upper) of a built-in range type; open where a bound is infinite */
static Datum
make_open_range(Oid type, Datum lower, bool no_lower, Datum upper, bool no_upper)
{
	RangeBound from = {.val = lower, .infinite = no_lower, .inclusive = true, .lower = true};
	RangeBound to = {.val = upper, .infinite = no_upper};

	return RangeTypePGetDatum(
		make_range(lookup_type_cache(type, TYPECACHE_RANGE_INFO), &from, &to, false));
}

PG_FUNCTION_INFO_V1(elecbill_import_urdb);
Datum
elecbill_import_urdb(PG_FUNCTION_ARGS)
{
	return import_tariff(eb_import_urdb, PG_GETARG_JSONB_P(0), PG_GETARG_TEXT_PP(1));
}

PG_FUNCTION_INFO_V1(elecbill_import_urdb_valid);
Datum
elecbill_import_urdb_valid(PG_FUNCTION_ARGS)
{
	int32_t from;
	int32_t to;
	EbFault fault;

	eb_pg_check(eb_import_urdb_valid(read_source(PG_GETARG_JSONB_P(0)), &from, &to, &fault),
				&fault);
	return make_open_range(DATERANGEOID, DateADTGetDatum(from), from == INT32_MIN,
						   DateADTGetDatum(to), to == INT32_MAX);
}

PG_FUNCTION_INFO_V1(elecbill_import_ocpi);
Datum
elecbill_import_ocpi(PG_FUNCTION_ARGS)
{
	return import_tariff(eb_import_ocpi, PG_GETARG_JSONB_P(0), PG_GETARG_TEXT_PP(1));
}

PG_FUNCTION_INFO_V1(elecbill_import_ocpi_valid);
Datum
elecbill_import_ocpi_valid(PG_FUNCTION_ARGS)
{
	int64_t from_us;
	int64_t to_us;
	EbFault fault;

	eb_pg_check(eb_import_ocpi_valid(read_source(PG_GETARG_JSONB_P(0)), &from_us, &to_us, &fault),
				&fault);
	return make_open_range(TSTZRANGEOID, TimestampTzGetDatum(from_us), from_us == INT64_MIN,
						   TimestampTzGetDatum(to_us), to_us == INT64_MAX);
}
