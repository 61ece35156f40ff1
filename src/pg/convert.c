/*
 * convert.c -- numeric to the engine's integers and back, exactly
 * In:  numeric Datums of SQL-callable functions.
 * Out: integers of a stated scale for the pure floors, and the way back.
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "pg/convert.h"
#include "pg/errors.h"

/* Longest number quoted in a message; a numeric may have 131,072 digits before its point. */
#define QUOTED_DIGITS 40

static void
raise_bad_number(EbStatus status, const char *text, int scale, const char *what)
{
	const char *more = strlen(text) > QUOTED_DIGITS ? "..." : "";

	if (status == EB_TOO_PRECISE)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s has more than %d decimals", what, scale),
						errdetail("The value is %.*s%s.", QUOTED_DIGITS, text, more),
						errhint("Round it first; the engine never does so silently.")));
	if (status == EB_OUT_OF_RANGE)
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("%s is out of range", what),
						errdetail("The value is %.*s%s.", QUOTED_DIGITS, text, more)));
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must be a finite number", what),
					errdetail("The value is %.*s%s.", QUOTED_DIGITS, text, more)));
}

/* The decimal text of a numeric; NaN and the infinities come out as words the parser refuses. */
static EbText
numeric_text(Datum value)
{
	EbText text;

	text.data = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	text.len = (int) strlen(text.data);
	return text;
}

/* element: position in the array named what, from 1; 0: what is the number itself */
static int64
read_number(Datum value, int scale, const char *what, int element)
{
	EbText text = numeric_text(value);
	int64_t result;
	EbStatus status = eb_decimal_parse64(text, scale, &result);

	if (unlikely(status != EB_OK))
		raise_bad_number(status, text.data, scale,
						 element > 0 ? psprintf("element %d of %s", element, what) : what);
	return result;
}

int64
eb_pg_int64_from_numeric(Datum value, int scale, const char *what)
{
	return read_number(value, scale, what, 0);
}

eb_int128
eb_pg_int128_from_numeric(Datum value, int scale, const char *what)
{
	EbText text = numeric_text(value);
	eb_int128 result;
	EbStatus status = eb_decimal_parse(text, scale, &result);

	if (status != EB_OK)
		raise_bad_number(status, text.data, scale, what);
	return result;
}

Datum
eb_pg_numeric(eb_int128 value, int scale, int min_digits)
{
	char text[EB_DECIMAL_TEXT + EB_AMOUNT_SCALE + 2];
	int decimals;
	char *point;
	int len;

	if (value >= PG_INT64_MIN && value <= PG_INT64_MAX)
	{
		int64 small = (int64) value;

		for (; scale > min_digits && small % 10 == 0; scale--)
			small /= 10;
		return NumericGetDatum(int64_div_fast_to_numeric(small, scale));
	}
	len = eb_decimal_format(value, scale, text);
	point = strchr(text, '.');
	decimals = point ? (int) (text + len - point) - 1 : 0;
	if (point == NULL && min_digits > 0)
		text[len++] = '.';
	for (; decimals < Min(min_digits, EB_AMOUNT_SCALE); decimals++)
		text[len++] = '0';
	text[len] = '\0';
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
}

int64 *
eb_pg_int64_array(ArrayType *array, int scale, const char *what, int max, int *n)
{
	int64 *result;
	Datum *element;
	bool *null;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must be a plain list", what),
						errdetail("The array has %d dimensions.", ARR_NDIM(array))));
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &element, &null, n);
	if (*n > max)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("too many elements in %s", what),
						errdetail("There are %d, at most %d are allowed.", *n, max)));
	result = palloc(sizeof(int64) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		if (null[i])
			ereport(ERROR,
					(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must not contain NULL", what),
					 errdetail("Element %d is NULL.", i + 1)));
		result[i] = read_number(element[i], scale, what, i + 1);
	}
	return result;
}
