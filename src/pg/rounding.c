/*
 * rounding.c -- rounding, shares and day shares for SQL
 * In:  numeric of any precision: unrounded numbers are what these functions are for.
 * Out: round_to(), prorate(), allocate(); exact, with the rounding modes of a tariff.
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "rating/allocate.h"

#define MAX_SHARES 100000

static Datum
call2(PGFunction function, Datum a, Datum b)
{
	return DirectFunctionCall2(function, a, b);
}

static int
sign_of(Datum value)
{
	return DatumGetInt32(call2(numeric_cmp, value, NumericGetDatum(int64_to_numeric(0))));
}

static Datum
absolute(Datum value)
{
	return DirectFunctionCall1(numeric_abs, value);
}

/* A finite number below 10^38; 10^131071 is a number for numeric, but no amount. */
static void
check_number(Datum value, const char *what)
{
	static const char limit[] = "1e38";
	Datum most;

	if (numeric_is_nan(DatumGetNumeric(value)) || numeric_is_inf(DatumGetNumeric(value)))
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must be a finite number", what)));
	most = DirectFunctionCall3(numeric_in, CStringGetDatum(limit), ObjectIdGetDatum(InvalidOid),
							   Int32GetDatum(-1));
	if (DatumGetInt32(call2(numeric_cmp, absolute(value), most)) >= 0)
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("%s is out of range", what)));
}

static void
check_step(Datum step)
{
	check_number(step, "step");
	if (sign_of(step) <= 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("step must be positive")));
}

/* Does the quotient go one away from zero? rest and den are magnitudes, 0 < rest < den. */
static bool
goes_away(Datum quotient, Datum rest, Datum den, bool negative, EbRoundMode mode)
{
	int half = DatumGetInt32(call2(numeric_cmp, call2(numeric_add, rest, rest), den));
	Datum two = NumericGetDatum(int64_to_numeric(2));

	switch (mode)
	{
		case EB_HALF_UP:
			return half >= 0;
		case EB_HALF_EVEN:
			return half > 0 || (half == 0 && sign_of(call2(numeric_mod, quotient, two)) != 0);
		case EB_UP:
			return true;
		case EB_DOWN:
			return false;
		case EB_FLOOR:
			return negative;
		case EB_CEIL:
			return !negative;
	}
	return false;
}

/* num / den as a whole number, rounded by mode; den > 0. Truncating division is exact. */
static Datum
divide(Datum num, Datum den, EbRoundMode mode)
{
	Datum quotient = call2(numeric_div_trunc, num, den);
	Datum rest = call2(numeric_mod, num, den);
	bool negative = sign_of(num) < 0;
	Datum one = NumericGetDatum(int64_to_numeric(negative ? -1 : 1));

	if (sign_of(rest) == 0 || !goes_away(quotient, absolute(rest), den, negative, mode))
		return quotient;
	return call2(numeric_add, quotient, one);
}

static EbRoundMode
read_mode(text *mode)
{
	static const char *const word[] = {"half_up", "half_even", "up", "down", "floor", "ceil"};
	char *given = text_to_cstring(mode);

	for (int i = 0; i < (int) lengthof(word); i++)
		if (strcmp(given, word[i]) == 0)
			return (EbRoundMode) i;
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("unknown rounding mode \"%s\"", given),
					errhint("Modes are half_up, half_even, up, down, floor, ceil.")));
}

PG_FUNCTION_INFO_V1(elecbill_round_to);
Datum
elecbill_round_to(PG_FUNCTION_ARGS)
{
	Datum value = PG_GETARG_DATUM(0);
	Datum step = PG_GETARG_DATUM(1);
	EbRoundMode mode = read_mode(PG_GETARG_TEXT_PP(2));

	check_number(value, "value");
	check_step(step);
	return call2(numeric_mul, divide(value, step, mode), step);
}

PG_FUNCTION_INFO_V1(elecbill_prorate);
Datum
elecbill_prorate(PG_FUNCTION_ARGS)
{
	Datum value = PG_GETARG_DATUM(0);
	int32 days = PG_GETARG_INT32(1);
	int32 of_days = PG_GETARG_INT32(2);
	Datum step = PG_GETARG_DATUM(3);
	Datum num;
	Datum den;

	check_number(value, "value");
	check_step(step);
	if (days < 0 || of_days <= 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("days must not be negative, of_days must be positive")));
	num = call2(numeric_mul, value, NumericGetDatum(int64_to_numeric(days)));
	den = call2(numeric_mul, step, NumericGetDatum(int64_to_numeric(of_days)));
	return call2(numeric_mul, divide(num, den, EB_HALF_UP), step);
}

/* The total in whole steps; one that is no multiple cannot be shared without a rest. */
static int64
whole_steps(Datum total, Datum step)
{
	if (sign_of(call2(numeric_mod, total, step)) != 0)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("total must be a multiple of the step"),
				 errhint("Round it first, with round_to().")));
	return eb_pg_int64_from_numeric(call2(numeric_div_trunc, total, step), 0, "total");
}

static void
check_weights(const int64 *weight, int n, int64 units)
{
	bool any = false;

	for (int i = 0; i < n; i++)
	{
		if (weight[i] < 0)
			ereport(ERROR,
					(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("weights must not be negative"),
					 errdetail("Weight %d is negative.", i + 1)));
		any = any || weight[i] > 0;
	}
	if (!any && units != 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("there must be a weight above 0"),
						errdetail("A total that is not 0 has to go somewhere.")));
}

PG_FUNCTION_INFO_V1(elecbill_allocate);
Datum
elecbill_allocate(PG_FUNCTION_ARGS)
{
	Datum total = PG_GETARG_DATUM(0);
	Datum step = PG_GETARG_DATUM(2);
	int n;
	int64 *weight =
		eb_pg_int64_array(PG_GETARG_ARRAYTYPE_P(1), EB_PRICE_SCALE, "weights", MAX_SHARES, &n);
	int64 units;
	int64 *share = palloc0(sizeof(int64) * Max(n, 1));
	Datum *result = palloc(sizeof(Datum) * Max(n, 1));

	check_number(total, "total");
	check_step(step);
	units = whole_steps(total, step);
	check_weights(weight, n, units);
	if (units != 0)
		eb_allocate(units, weight, n, share, palloc(sizeof(eb_int128) * n));
	for (int i = 0; i < n; i++)
		result[i] = call2(numeric_mul, NumericGetDatum(int64_to_numeric(share[i])), step);
	PG_RETURN_ARRAYTYPE_P(construct_array(result, n, NUMERICOID, -1, false, TYPALIGN_INT));
}
