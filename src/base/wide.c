/*
 * wide.c -- products that 128 bits do not hold
 * In:  factors of 64 and 128 bits (rating/power_factor.c, rating/transformer.c).
 * Out: their exact products, compared and divided.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "base/wide.h"

#define HALF_MASK ((eb_uint128) UINT64_MAX)

EbWide
eb_wide_mul(eb_uint128 a, eb_uint128 b)
{
	/* halves of 64 bits; middle takes two products' halves and a carry, far below 2^128 */
	eb_uint128 low = (a & HALF_MASK) * (b & HALF_MASK);
	eb_uint128 cross = (a >> 64) * (b & HALF_MASK);
	eb_uint128 other = (a & HALF_MASK) * (b >> 64);
	eb_uint128 middle = (low >> 64) + (cross & HALF_MASK) + (other & HALF_MASK);

	return (EbWide){
		.high = (a >> 64) * (b >> 64) + (cross >> 64) + (other >> 64) + (middle >> 64),
		.low = (middle << 64) | (low & HALF_MASK),
	};
}

bool
eb_wide_add(EbWide a, EbWide b, EbWide *result)
{
	eb_uint128 low = a.low + b.low;
	eb_uint128 high = a.high + b.high;
	eb_uint128 carried = high + (low < a.low ? 1 : 0);

	*result = (EbWide){carried, low};
	return high >= a.high && carried >= high;
}

bool
eb_wide_scale(EbWide a, eb_uint128 b, EbWide *result)
{
	EbWide low = eb_wide_mul(a.low, b);
	EbWide high = eb_wide_mul(a.high, b);

	return high.high == 0 && eb_wide_add(low, (EbWide){high.low, 0}, result);
}

int
eb_wide_compare(EbWide a, EbWide b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	if (a.low != b.low)
		return a.low < b.low ? -1 : 1;
	return 0;
}

/* value * 2 + bit; the highest bit must be free */
static EbWide
shift_in(EbWide value, unsigned bit)
{
	return (EbWide){value.high << 1 | value.low >> 127, value.low << 1 | bit};
}

/* Bit by bit: it is asked for once per bill */
void
eb_wide_divide(EbWide num, EbWide den, EbWide *quotient, EbWide *rest)
{
	*quotient = eb_wide(0);
	*rest = eb_wide(0);
	for (int i = 255; i >= 0; i--)
	{
		eb_uint128 half = i >= 128 ? num.high : num.low;
		bool fits;

		*rest = shift_in(*rest, (unsigned) (half >> (i % 128) & 1));
		fits = eb_wide_compare(*rest, den) >= 0;
		*quotient = shift_in(*quotient, fits);
		if (!fits)
			continue;
		rest->high -= den.high + (rest->low < den.low ? 1 : 0);
		rest->low -= den.low;
	}
}
