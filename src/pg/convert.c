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

/*
 * The short stored form of a numeric, which no header of the server shows: a word of sign, scale
 * and weight, then digits of base 10000 (utils/adt/numeric.c). It is read here because every row
 * of usage() and every element of a price list comes this way, and because all that the server
 * offers instead allocates: a product with 10^scale, its rounding and the comparison that shows
 * whether digits were lost, or the text. What lies on every disk hardly changes, but nobody has
 * promised so. Therefore: each backend first reads numbers that it knows (knows_stored()), what
 * does not look as it should goes by its text, and builds with assertions read everything twice.
 */
#define NUMERIC_KIND 0xC000
#define NUMERIC_SHORT_KIND 0x8000
#define NUMERIC_SHORT_NEGATIVE 0x2000
#define NUMERIC_SHORT_WEIGHT 0x003F
#define NUMERIC_SHORT_WEIGHT_SIGN 0x0040
#define FEW_DIGITS 7 /* of base 10000: below 2^94 */

/* A number of few digits that the scale holds exactly, as most are; false: read its text */
static bool
read_stored(Datum value, int scale, int64 *result)
{
	static const int64 power[] = {1, 10, 100, 1000};
	struct varlena *stored = PG_DETOAST_DATUM_PACKED(value);
	const char *data = VARDATA_ANY(stored);
	Size size = VARSIZE_ANY_EXHDR(stored);
	int ndigits;
	eb_int128 sum = 0;
	uint16 head;
	int places;

	if (size < sizeof(head) || size > sizeof(head) + FEW_DIGITS * sizeof(int16))
		return false;
	memcpy(&head, data, sizeof(head));
	if ((head & NUMERIC_KIND) != NUMERIC_SHORT_KIND)
		return false;
	ndigits = (int) ((size - sizeof(head)) / sizeof(int16));
	for (int i = 0; i < ndigits; i++)
	{
		int16 digit;

		memcpy(&digit, data + sizeof(head) + i * sizeof(digit), sizeof(digit));
		if (unlikely(digit < 0 || digit > 9999))
			return false;
		sum = sum * 10000 + digit;
	}
	places = head & NUMERIC_SHORT_WEIGHT;
	if (head & NUMERIC_SHORT_WEIGHT_SIGN)
		places -= NUMERIC_SHORT_WEIGHT + 1;
	/* decimal places that the digits lack, or have too many */
	places = scale + 4 * (places + 1 - ndigits);
	if (ndigits == 0)
		places = 0;
	if (places < -3 || places > 18)
		return false;
	if (places < 0 && sum % power[-places] != 0)
		return false;
	if (places < 0)
		sum /= power[-places];
	for (; places > 0 && sum <= PG_INT64_MAX; places -= Min(places, 3))
		sum *= power[Min(places, 3)];
	if (sum > PG_INT64_MAX)
		return false;
	*result = (head & NUMERIC_SHORT_NEGATIVE) ? -(int64) sum : (int64) sum;
	return true;
}

/* Does this server store numbers as read_stored() reads them? Asked once by each backend. */
static bool
knows_stored(void)
{
	static const struct
	{
		const char *text;
		int64 micro;
	} sample[] = {
		{"0", 0},
		{"1", 1000000},
		{"-1", -1000000},
		{"0.000001", 1},
		{"-0.0100", -10000},
		{"10000", INT64CONST(10000000000)},
		{"12345678.000009", INT64CONST(12345678000009)},
		{"-9999.9999", INT64CONST(-9999999900)},
		{"100000000", INT64CONST(100000000000000)},
	};
	static enum
	{
		NOT_ASKED,
		NO,
		YES
	} answer = NOT_ASKED;

	if (likely(answer != NOT_ASKED))
		return answer == YES;
	answer = YES;
	for (int i = 0; i < (int) lengthof(sample); i++)
	{
		Datum value = DirectFunctionCall3(numeric_in, CStringGetDatum(sample[i].text),
										  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
		int64 micro;

		if (!read_stored(value, EB_ENERGY_SCALE, &micro) || micro != sample[i].micro)
			answer = NO;
	}
	return answer == YES;
}

#ifdef USE_ASSERT_CHECKING
static bool
text_says(Datum value, int scale, int64 result)
{
	int64 same;

	return eb_decimal_parse64(numeric_text(value), scale, &same) == EB_OK && same == result;
}
#endif

/* element: position in the array named what, from 1; 0: what is the number itself */
static int64
read_number(Datum value, int scale, const char *what, int element)
{
	EbText text;
	int64 result;
	EbStatus status;

	if (likely(knows_stored() && read_stored(value, scale, &result)))
	{
		Assert(text_says(value, scale, result));
		return result;
	}
	text = numeric_text(value);
	status = eb_decimal_parse64(text, scale, &result);
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

		/* amounts mostly end in many zeros */
		for (; scale >= min_digits + 6 && small % 1000000 == 0; scale -= 6)
			small /= 1000000;
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

Datum *
eb_pg_numeric_elements(ArrayType *array, const char *what, int max, int *n)
{
	Datum *element;
	bool *null;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must be a plain list", what),
						errdetail("The array has %d dimensions.", ARR_NDIM(array))));
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &element, &null, n);
	if (*n > max)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("too many elements in %s", what),
						errdetail("There are %d, at most %d are allowed.", *n, max)));
	for (int i = 0; i < *n; i++)
		if (null[i])
			ereport(ERROR,
					(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must not contain NULL", what),
					 errdetail("Element %d is NULL.", i + 1)));
	return element;
}

int64 *
eb_pg_int64_array(ArrayType *array, int scale, const char *what, int max, int *n)
{
	Datum *element = eb_pg_numeric_elements(array, what, max, n);
	int64 *result = palloc(sizeof(int64) * Max(*n, 1));

	for (int i = 0; i < *n; i++)
		result[i] = read_number(element[i], scale, what, i + 1);
	return result;
}
