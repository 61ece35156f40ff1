/*
 * float32.c -- the shortest decimal of an IEEE 754 binary32
 * In:  32 bits; out: digits and exponent.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * A binary32 is m * 2^e. Every decimal between the midpoints to its two neighbours reads back as
 * the same bits, and a midpoint itself does when m is even (ties go to even). The shortest decimal
 * in there is the multiple of the highest power of ten that lies in it. Value and midpoints are
 * therefore taken as multiples of a power of ten small enough that the value has eleven digits or
 * more: nine always suffice for a binary32, so that a step of 100 finds one at the latest. The
 * quotients are exact integers of at most 40 bits, and each knows whether something was cut off.
 */
#include "base/float32.h"

#include "base/decimal.h"
#include "base/wide.h"

/* What 10^p goes into so many times; exact: with nothing left. */
typedef struct Quotient
{
	uint64_t times;
	bool exact;
} Quotient;

/* floor(2^x as power of ten), or one less; -149 <= x <= 127. */
static int
log10_of_power2(int x)
{
	return (x * 1233 - (x < 0 ? 4095 : 0)) / 4096;
}

static int
bit_length(uint32_t m)
{
	int n = 0;

	for (; m != 0; m >>= 1)
		n++;
	return n;
}

/* value * 2^twos * 10^tens, both at least 0. The callers below stay within 200 bits. */
static EbWide
scale_up(eb_uint128 value, int twos, int tens)
{
	EbWide result = eb_wide(value);
	bool fits = true;

	for (; twos > 0; twos -= 60)
		fits = eb_wide_scale(result, (eb_uint128) 1 << (twos < 60 ? twos : 60), &result) && fits;
	for (; tens > 0; tens -= 30)
		fits = eb_wide_scale(result, (eb_uint128) eb_pow10(tens < 30 ? tens : 30), &result) && fits;
	return fits ? result : eb_wide(0);
}

/* q * 2^e / 10^p */
static Quotient
divide(uint32_t q, int e, int p)
{
	EbWide num = scale_up(q, e > 0 ? e : 0, p < 0 ? -p : 0);
	EbWide den = scale_up(1, e < 0 ? -e : 0, p > 0 ? p : 0);
	EbWide quotient, rest;

	eb_wide_divide(num, den, &quotient, &rest);
	return (Quotient){(uint64_t) quotient.low, rest.high == 0 && rest.low == 0};
}

/* Whether x lies between the midpoints. */
static bool
reads_back(uint64_t x, Quotient low, Quotient high, bool even)
{
	bool above = x > low.times || (x == low.times && low.exact && even);
	bool below = x < high.times || (x == high.times && (!high.exact || even));

	return above && below;
}

/* Whether q + 1 steps are nearer to the value than q. */
static bool
upper_is_nearer(Quotient value, uint64_t q, uint64_t step)
{
	uint64_t half = q * step + step / 2;

	if (value.times != half)
		return value.times > half;
	return !value.exact || q % 2 == 1;
}

bool
eb_float32_shortest(uint32_t bits, EbFloat32 *out)
{
	int biased = (int) (bits >> 23 & 0xFF);
	uint32_t m = bits & 0x7FFFFF;
	int e = (biased == 0 ? 1 : biased) - 150;
	uint64_t step = UINT64_C(1000000000000);
	Quotient low, value, high;
	int p;

	if (biased == 0xFF)
		return false;
	*out = (EbFloat32){.negative = bits >> 31 != 0 && (biased != 0 || m != 0)};
	if (biased != 0)
		m |= 0x800000;
	if (m == 0)
		return true;
	p = log10_of_power2(bit_length(m) - 1 + e) - 10;
	/* in quarters; below a power of two the neighbours are half as far apart */
	low = divide(4 * m - (m == 0x800000 && biased > 1 ? 1 : 2), e - 2, p);
	value = divide(4 * m, e - 2, p);
	high = divide(4 * m + 2, e - 2, p);
	for (out->exponent = p + 12; step >= 10; step /= 10, out->exponent--)
	{
		uint64_t q = value.times / step;
		bool lower = reads_back(q * step, low, high, m % 2 == 0);
		bool upper = reads_back((q + 1) * step, low, high, m % 2 == 0);

		if (!lower && !upper)
			continue;
		out->digits = (uint32_t) (q + (!lower || (upper && upper_is_nearer(value, q, step))));
		return true;
	}
	return false; /* not reached: nine digits suffice */
}
