/*
 * tariff_builder.c -- the simple tariffs in one call: tiered_tariff(), tou_tariff()
 * In:  limits and prices, or rules and prices.
 * Out: a tariff, made from its JSON form through the same door as any other (tariff.c).
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "pg/errors.h"
#include "pg/tariff.h"

/* Decimal texts of the elements; UB400 when one is missing or no number. */
static char **
decimal_texts(ArrayType *array, const char *what, int *n)
{
	Datum *element;
	bool *null;
	char **text;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s must be an array of one dimension", what),
						errdetail("It has %d.", ARR_NDIM(array)),
						errhint("Give a plain list: '{200,400}'.")));
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &element, &null, n);
	text = palloc_array(char *, *n + 1);
	for (int i = 0; i < *n; i++)
	{
		if (null[i] || numeric_is_nan(DatumGetNumeric(element[i])) ||
			numeric_is_inf(DatumGetNumeric(element[i])))
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must be numbers", what),
							errdetail("Element %d is not one.", i + 1),
							errhint("NULL, NaN and the infinities are no limits and no prices.")));
		text[i] = DatumGetCString(DirectFunctionCall1(numeric_out, element[i]));
	}
	return text;
}

static void
begin_tariff(StringInfo json, text *currency, text *zone)
{
	initStringInfo(json);
	appendStringInfoString(json, "{\"elecbill\":1,\"currency\":");
	escape_json(json, text_to_cstring(currency));
	appendStringInfoString(json, ",\"zone\":");
	escape_json(json, text_to_cstring(zone));
}

static Datum
end_tariff(StringInfo json)
{
	Datum value = DirectFunctionCall1(jsonb_in, CStringGetDatum(json->data));

	return PointerGetDatum(eb_pg_tariff_make(DatumGetJsonbP(value)));
}

PG_FUNCTION_INFO_V1(elecbill_tariff_tiered);
Datum
elecbill_tariff_tiered(PG_FUNCTION_ARGS)
{
	int nlimits;
	int nprices;
	char **limit = decimal_texts(PG_GETARG_ARRAYTYPE_P(0), "limits", &nlimits);
	char **price = decimal_texts(PG_GETARG_ARRAYTYPE_P(1), "prices", &nprices);
	StringInfoData json;

	if (nprices != nlimits + 1)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("there must be one more price than limits"),
						errdetail("There are %d prices and %d limits.", nprices, nlimits),
						errhint("The last price holds above the last limit.")));
	begin_tariff(&json, PG_GETARG_TEXT_PP(2), PG_GETARG_TEXT_PP(3));
	appendStringInfoString(&json, ",\"components\":[{\"code\":\"energy\",\"kind\":\"energy\","
								  "\"tier\":{\"scope\":");
	escape_json(&json, text_to_cstring(PG_GETARG_TEXT_PP(4)));
	appendStringInfoString(&json, ",\"steps\":[");
	for (int i = 0; i < nlimits; i++)
		appendStringInfo(&json, "{\"up_to\":%s,\"price\":%s},", limit[i], price[i]);
	appendStringInfo(&json, "{\"price\":%s}]}}]}", price[nlimits]);
	return end_tariff(&json);
}

PG_FUNCTION_INFO_V1(elecbill_tariff_tou);
Datum
elecbill_tariff_tou(PG_FUNCTION_ARGS)
{
	Jsonb *rules = PG_GETARG_JSONB_P(0);
	Jsonb *prices = PG_GETARG_JSONB_P(1);
	StringInfoData json;

	begin_tariff(&json, PG_GETARG_TEXT_PP(2), PG_GETARG_TEXT_PP(3));
	appendStringInfo(&json,
					 ",\"schedules\":{\"tou\":%s},\"components\":[{\"code\":\"energy\","
					 "\"kind\":\"energy\",\"price\":{\"period\":%s}}]}",
					 JsonbToCString(NULL, &rules->root, VARSIZE(rules)),
					 JsonbToCString(NULL, &prices->root, VARSIZE(prices)));
	return end_tariff(&json);
}
