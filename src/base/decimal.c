/*
 * decimal.c -- exact decimal numbers as integers of a stated scale
 * In:  integers, or decimal text from JSON, SQL numeric and meters.
 * Out: checked sums and products, quotients rounded by a named mode, shortest decimal text.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/architecture.md.
 */
#include "base/decimal.h"

typedef unsigned __int128 EbUint128;

#define EB_UINT128_MAX (~(EbUint128) 0)
#define EB_INT128_MAX ((__int128) (EB_UINT128_MAX >> 1))

/* Beyond this no exponent can matter: 38 digits and a scale of 18 are long passed. */
#define EB_EXPONENT_MAX 1000000

/* Magnitude; the smallest integer has one too. */
static EbUint128
magnitude(__int128 value)
{
	return value < 0 ? -(EbUint128) value : (EbUint128) value;
}

/* magnitude with a sign; false when it does not fit */
static bool
from_magnitude(EbUint128 value, bool negative, eb_int128 *result)
{
	EbUint128 limit = (EbUint128) EB_INT128_MAX + (negative ? 1 : 0);

	if (value > limit)
		return false;
	*result = negative ? (__int128) -value : (__int128) value;
	return true;
}

bool
eb_add128(eb_int128 a, eb_int128 b, eb_int128 *result)
{
	return !__builtin_add_overflow(a, b, result);
}

/* By hand: clang turns the overflow builtin of 128 bits into a call that libgcc does not have. */
bool
eb_mul128(eb_int128 a, eb_int128 b, eb_int128 *result)
{
	EbUint128 x = magnitude(a);
	EbUint128 y = magnitude(b);

	/* factors of 64 bits always fit, which saves the division */
	if ((x | y) >> 64 != 0 && x != 0 && y > EB_UINT128_MAX / x)
		return false;
	return from_magnitude(x * y, (a < 0) != (b < 0), result);
}

/* Does the quotient move one away from zero? rest: magnitude of the remainder, not 0. */
static bool
rounds_away(EbUint128 rest, EbUint128 den, bool odd, bool negative, EbRoundMode mode)
{
	EbUint128 to_next = den - rest;

	switch (mode)
	{
		case EB_HALF_UP:
			return rest >= to_next;
		case EB_HALF_EVEN:
			return rest > to_next || (rest == to_next && odd);
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

/* num / den; most numbers fit 64 bits, where dividing is quick */
static __int128
quotient_of(__int128 num, __int128 den)
{
	int64_t small = (int64_t) num;
	int64_t by = (int64_t) den;

	return small == num && by == den ? small / by : num / den;
}

eb_int128
eb_div_round(eb_int128 num, eb_int128 den, EbRoundMode mode)
{
	__int128 quotient = quotient_of(num, den);
	__int128 rest = num - quotient * den; /* one division, not two */
	bool negative = num < 0;

	if (rest != 0 &&
		rounds_away(magnitude(rest), (EbUint128) den, (quotient & 1) != 0, negative, mode))
		quotient += negative ? -1 : 1;
	return quotient;
}

bool
eb_muldiv64(int64_t a, int64_t b, int64_t den, int64_t *result)
{
	__int128 quotient = eb_div_round((__int128) a * b, den, EB_HALF_UP);

	if (quotient < INT64_MIN || quotient > INT64_MAX)
		return false;
	*result = (int64_t) quotient;
	return true;
}

bool
eb_round_step(eb_int128 value, eb_int128 step, EbRoundMode mode, eb_int128 *result)
{
	return eb_mul128(eb_div_round(value, step, mode), step, result);
}

eb_int128
eb_pow10(int n)
{
	__int128 power = 1;

	for (int i = 0; i < n; i++)
		power *= 10;
	return power;
}

/* What has been read of a number: digits x 10^exponent, the last digit not zero */
typedef struct Reading
{
	EbUint128 digits;
	bool too_long; /* digits no longer holds them all */
	int64_t exponent;
	int64_t zeros; /* zeros that count only when a digit follows */
} Reading;

static void
take_digit(Reading *reading, int digit, bool fraction)
{
	if (fraction)
		reading->exponent--;
	if (digit == 0)
	{
		if (reading->digits != 0)
			reading->zeros++;
		return;
	}
	for (; reading->zeros >= 0; reading->zeros--)
	{
		int add = reading->zeros == 0 ? digit : 0;

		if (reading->digits > (EB_UINT128_MAX - 9) / 10)
			reading->too_long = true;
		else
			reading->digits = reading->digits * 10 + (EbUint128) add;
	}
	reading->zeros = 0;
}

static bool
is_digit(EbText text, int at)
{
	return at < text.len && text.data[at] >= '0' && text.data[at] <= '9';
}

/* The exponent behind "e", from *at on; false when there is none */
static bool
take_exponent(EbText text, int *at, int64_t *exponent)
{
	bool negative = false;
	int64_t value = 0;

	if (*at < text.len && (text.data[*at] == '+' || text.data[*at] == '-'))
		negative = text.data[(*at)++] == '-';
	if (!is_digit(text, *at))
		return false;
	for (; is_digit(text, *at); (*at)++)
		if (value < EB_EXPONENT_MAX)
			value = value * 10 + (text.data[*at] - '0');
	*exponent = negative ? -value : value;
	return true;
}

EbStatus
eb_decimal_parse(EbText text, int scale, eb_int128 *result)
{
	Reading reading = {0};
	int64_t exponent = 0;
	bool negative = false;
	int at = 0;

	if (at < text.len && (text.data[at] == '+' || text.data[at] == '-'))
		negative = text.data[at++] == '-';
	if (!is_digit(text, at))
		return EB_BAD_ARGUMENT;
	for (; is_digit(text, at); at++)
		take_digit(&reading, text.data[at] - '0', false);
	if (at < text.len && text.data[at] == '.')
	{
		if (!is_digit(text, ++at))
			return EB_BAD_ARGUMENT;
		for (; is_digit(text, at); at++)
			take_digit(&reading, text.data[at] - '0', true);
	}
	if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E'))
	{
		at++;
		if (!take_exponent(text, &at, &exponent))
			return EB_BAD_ARGUMENT;
	}
	if (at != text.len)
		return EB_BAD_ARGUMENT;

	/* the trailing zeros belong to the exponent */
	exponent += reading.exponent + reading.zeros + scale;
	*result = 0;
	if (reading.digits == 0)
		return EB_OK;
	if (exponent < 0)
		return EB_TOO_PRECISE;
	if (reading.too_long || exponent > 38 || !from_magnitude(reading.digits, negative, result) ||
		!eb_mul128(*result, eb_pow10((int) exponent), result))
		return EB_OUT_OF_RANGE;
	return EB_OK;
}

EbStatus
eb_decimal_parse64(EbText text, int scale, int64_t *result)
{
	eb_int128 value;
	EbStatus status = eb_decimal_parse(text, scale, &value);

	if (status != EB_OK)
		return status;
	if (value < INT64_MIN || value > INT64_MAX)
		return EB_OUT_OF_RANGE;
	*result = (int64_t) value;
	return EB_OK;
}

int
eb_decimal_format(eb_int128 value, int scale, char *buf)
{
	char reversed[EB_DECIMAL_TEXT];
	EbUint128 rest = magnitude(value);
	int n = 0;
	int len = 0;

	for (; scale > 0 && rest % 10 == 0; scale--)
		rest /= 10;
	for (; rest != 0 || n <= scale; rest /= 10)
		reversed[n++] = (char) ('0' + (int) (rest % 10));
	if (value < 0)
		buf[len++] = '-';
	while (n > 0)
	{
		buf[len++] = reversed[--n];
		if (n == scale && n > 0)
			buf[len++] = '.';
	}
	buf[len] = '\0';
	return len;
}
