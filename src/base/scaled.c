/*
 * scaled.c -- an integer times a power of ten, as plain decimal text
 * In:  numbers of meters; out: decimal text.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "base/scaled.h"

#include <string.h>

#define MAX_DIGITS 39 /* of 2^128 */

static char *
put_zeros(char *out, int n)
{
	memset(out, '0', (size_t) n);
	return out + n;
}

static char *
put_digits(char *out, const char *digits, int n)
{
	memcpy(out, digits, (size_t) n);
	return out + n;
}

void
eb_scaled_text(bool negative, eb_uint128 magnitude, int exponent, char *out)
{
	char digits[MAX_DIGITS];
	int n = 0;
	int whole;

	if (negative && magnitude != 0)
		*out++ = '-';
	for (; magnitude != 0; magnitude /= 10)
		digits[MAX_DIGITS - ++n] = (char) ('0' + (int) (magnitude % 10));
	whole = n + exponent;
	if (n == 0 || whole <= 0)
		*out++ = '0';
	if (n > 0 && exponent >= 0)
		out = put_zeros(put_digits(out, digits + MAX_DIGITS - n, n), exponent);
	else if (exponent < 0)
	{
		int before = whole > 0 ? whole : 0;

		out = put_digits(out, digits + MAX_DIGITS - n, before);
		*out++ = '.';
		out = put_zeros(out, -exponent - (n - before));
		out = put_digits(out, digits + MAX_DIGITS - n + before, n - before);
	}
	*out = '\0';
}
