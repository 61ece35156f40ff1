/*
 * test_wide.c -- 100,000 products and quotients of 256 bits against sums of shifted bytes
 * The seed is printed; EB_SEED=n repeats a run.
 */
#include <stdlib.h>
#include <time.h>

#include "base/wide.h"
#include "check.h"

#define CASES 100000
#define BYTES 32

static uint64_t state;

/* splitmix64 */
static uint64_t
next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Any number of bits, all ones and the ends of halves more often than chance has it */
static eb_uint128
draw(void)
{
	eb_uint128 value = (eb_uint128) next() << 64 | next();

	if (next() % 8 == 0)
		value = ~(eb_uint128) 0;
	value >>= next() % 128;
	return value + (next() % 4 == 0 ? 1 : 0);
}

/* The lowest byte first */
static void
to_bytes(EbWide value, unsigned *byte)
{
	for (int i = 0; i < BYTES; i++)
		byte[i] = (unsigned) ((i < 16 ? value.low : value.high) >> (i % 16 * 8)) & 0xff;
}

/* a * b + c as by hand; false when a carry is left over */
static int
by_hand(EbWide a, EbWide b, EbWide c, unsigned *sum)
{
	unsigned x[BYTES];
	unsigned y[BYTES];
	unsigned carry = 0;
	int whole = 1;

	to_bytes(a, x);
	to_bytes(b, y);
	to_bytes(c, sum);
	for (int i = 0; i < BYTES; i++)
		for (int j = 0; j < BYTES; j++)
		{
			unsigned product = x[i] * y[j];

			if (i + j >= BYTES)
				whole = whole && product == 0;
			else
				sum[i + j] += product;
		}
	for (int i = 0; i < BYTES; i++)
	{
		sum[i] += carry;
		carry = sum[i] >> 8;
		sum[i] &= 0xff;
	}
	return whole && carry == 0;
}

static int
equals(EbWide value, const unsigned *wanted)
{
	unsigned byte[BYTES];

	to_bytes(value, byte);
	return memcmp(byte, wanted, sizeof(byte)) == 0;
}

static int
multiplies(eb_uint128 a, eb_uint128 b)
{
	unsigned wanted[BYTES];

	return by_hand(eb_wide(a), eb_wide(b), eb_wide(0), wanted) && equals(eb_wide_mul(a, b), wanted);
}

static int
scales_and_adds(EbWide a, eb_uint128 b, EbWide c)
{
	unsigned wanted[BYTES];
	EbWide result;
	int fits = by_hand(a, eb_wide(b), eb_wide(0), wanted);

	if (eb_wide_scale(a, b, &result) != fits || (fits && !equals(result, wanted)))
		return 0;
	fits = by_hand(a, eb_wide(1), c, wanted);
	return eb_wide_add(a, c, &result) == fits && (!fits || equals(result, wanted));
}

static int
divides(EbWide num, EbWide den)
{
	unsigned product[BYTES];
	EbWide quotient;
	EbWide rest;

	den.high >>= 1;
	if (eb_wide_compare(den, eb_wide(0)) == 0)
		return 1;
	eb_wide_divide(num, den, &quotient, &rest);
	return by_hand(quotient, den, rest, product) && equals(num, product) &&
		   eb_wide_compare(rest, den) < 0 && eb_wide_compare(den, rest) > 0;
}

int
main(void)
{
	const char *given = getenv("EB_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);
	int wrong[3] = {0};

	state = seed;
	printf("wide: EB_SEED=%" PRIu64 "\n", seed);
	for (int i = 0; i < CASES; i++)
	{
		EbWide a = {next() % 3 == 0 ? 0 : draw(), draw()};
		EbWide b = {next() % 3 == 0 ? 0 : draw(), draw()};

		wrong[0] += !multiplies(a.low, b.low);
		wrong[1] += !scales_and_adds(a, b.low, b);
		wrong[2] += !divides(a, b);
	}
	for (int i = 0; i < 3; i++)
		CHECK_INT(wrong[i], 0);
	return check_done("wide");
}
