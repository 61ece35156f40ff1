/*
 * wide.h -- products that 128 bits do not hold
 * A number of 256 bits without sign: enough for the product of two of 128. Used where two exact
 * products are compared or divided; nothing is kept in this form.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_WIDE_H
#define EB_WIDE_H

#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 eb_uint128 __attribute__((aligned(8)));

/* high x 2^128 + low */
typedef struct EbWide
{
	eb_uint128 high;
	eb_uint128 low;
} EbWide;

static inline EbWide
eb_wide(eb_uint128 value)
{
	return (EbWide){0, value};
}

/* a * b; cannot overflow. */
extern EbWide eb_wide_mul(eb_uint128 a, eb_uint128 b);

/* a * b and a + b; false when they leave 256 bits, *result then undefined. */
extern bool eb_wide_scale(EbWide a, eb_uint128 b, EbWide *result);
extern bool eb_wide_add(EbWide a, EbWide b, EbWide *result);

/* Below 0, 0 or above 0, as a is below, equal to or above b. */
extern int eb_wide_compare(EbWide a, EbWide b);

/* num = quotient * den + rest, rest < den; den > 0 and below 2^255. */
extern void eb_wide_divide(EbWide num, EbWide den, EbWide *quotient, EbWide *rest);

#endif
