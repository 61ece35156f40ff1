/*
 * decimal.h -- exact decimal numbers as integers of a stated scale
 * Energy is int64 of 1e-6 kWh, a price int64 of 1e-9 currency per unit, an amount 128 bits
 * of 1e-15 currency. Arithmetic is checked; rounding has a name and happens once.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/architecture.md; rounding modes doc/rating.md.
 */
#ifndef EB_DECIMAL_H
#define EB_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* palloc and varlena data are aligned to 8 bytes only, so plain __int128 would be undefined there */
typedef __int128 eb_int128 __attribute__((aligned(8)));

#define EB_ENERGY_SCALE 6  /* 1e-6 kWh */
#define EB_PRICE_SCALE 9   /* 1e-9 currency per unit */
#define EB_AMOUNT_SCALE 15 /* 1e-15 currency */
#define EB_WH 1000		   /* 1 Wh in 1e-6 kWh */
#define EB_KWH 1000000	   /* 1 kWh in 1e-6 kWh */
#define EB_ONE 1000000000  /* 1 at the scale of prices and factors */

/* 100 % at that scale, where 0.45 means 0.45 % */
#define EB_HUNDRED_PERCENT (100 * (int64_t) EB_ONE)

typedef enum EbRoundMode
{
	EB_HALF_UP,	  /* half away from zero */
	EB_HALF_EVEN, /* half to the even neighbour */
	EB_UP,		  /* away from zero */
	EB_DOWN,	  /* towards zero */
	EB_FLOOR,	  /* towards minus infinity */
	EB_CEIL,	  /* towards plus infinity */
} EbRoundMode;

/* Longest text of eb_decimal_format with its terminator: sign, 39 digits, point. */
#define EB_DECIMAL_TEXT 44

/* Sum and product; false on overflow, *result then undefined. */
static inline bool
eb_add64(int64_t a, int64_t b, int64_t *result)
{
	return !__builtin_add_overflow(a, b, result);
}

static inline bool
eb_mul64(int64_t a, int64_t b, int64_t *result)
{
	return !__builtin_mul_overflow(a, b, result);
}

extern bool eb_add128(eb_int128 a, eb_int128 b, eb_int128 *result);
extern bool eb_mul128(eb_int128 a, eb_int128 b, eb_int128 *result);

/* num / den as an integer, rounded by mode; den > 0. Cannot overflow. */
extern eb_int128 eb_div_round(eb_int128 num, eb_int128 den, EbRoundMode mode);

/* a * b / den rounded half-up, all int64, den > 0; false when the result leaves int64. */
extern bool eb_muldiv64(int64_t a, int64_t b, int64_t den, int64_t *result);

/* The multiple of step (> 0, same scale as value) that mode chooses; false on overflow. */
extern bool eb_round_step(eb_int128 value, eb_int128 step, EbRoundMode mode, eb_int128 *result);

/* 10^n for 0 <= n <= 38. */
extern eb_int128 eb_pow10(int n);

/*
 * Text "[+-]digits[.digits][e[+-]digits]" to an integer of the given scale (0..18).
 * EB_BAD_ARGUMENT no number; EB_TOO_PRECISE non-zero digits beyond the scale;
 * EB_OUT_OF_RANGE does not fit 128 (64) bits.
 */
extern EbStatus eb_decimal_parse(EbText text, int scale, eb_int128 *result);
extern EbStatus eb_decimal_parse64(EbText text, int scale, int64_t *result);

/* Shortest decimal text, no trailing zeros, no exponent; buf has EB_DECIMAL_TEXT bytes. */
extern int eb_decimal_format(eb_int128 value, int scale, char *buf);

#endif
