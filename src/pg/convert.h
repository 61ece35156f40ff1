/*
 * convert.h -- numeric to the engine's integers and back, exactly
 * Into the engine: NaN, infinity and more decimals than the scale holds are UB400, a number too
 * big for 64 bits is UB422; nothing is rounded. "what" names the argument in the message.
 * Source: doc/architecture.md.
 */
#ifndef ELECBILL_PG_CONVERT_H
#define ELECBILL_PG_CONVERT_H

#include "postgres.h"

#include "utils/array.h"

#include "base/decimal.h"

/* A numeric as an integer of 10^-scale, 0 <= scale <= 18. */
extern int64 eb_pg_int64_from_numeric(Datum value, int scale, const char *what);
extern eb_int128 eb_pg_int128_from_numeric(Datum value, int scale, const char *what);

/* kWh in 1e-6, a price per unit in 1e-9 */
static inline int64
eb_pg_energy(Datum value, const char *what)
{
	return eb_pg_int64_from_numeric(value, EB_ENERGY_SCALE, what);
}

static inline int64
eb_pg_price(Datum value, const char *what)
{
	return eb_pg_int64_from_numeric(value, EB_PRICE_SCALE, what);
}

/*
 * An integer of 10^-scale as numeric; decimals beyond min_digits are shown only when they are not
 * zero (75.000000000000000 with min_digits 2 is 75.00).
 */
extern Datum eb_pg_numeric(eb_int128 value, int scale, int min_digits);

/*
 * The elements of a numeric[], *n of them, in the current memory context. One dimension or empty,
 * no NULL, at most max elements, else UB400.
 */
extern Datum *eb_pg_numeric_elements(ArrayType *array, const char *what, int max, int *n);

/* The same as integers of 10^-scale */
extern int64 *eb_pg_int64_array(ArrayType *array, int scale, const char *what, int max, int *n);

#endif /* ELECBILL_PG_CONVERT_H */
