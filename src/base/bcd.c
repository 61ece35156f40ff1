/*
 * bcd.c -- packed decimal digits of meters, as text
 * In:  bytes with two digits each, low byte first, as meters send them; out: decimal text.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "base/bcd.h"

#include <string.h>

static bool
all_ff(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0xFF)
			return false;
	return true;
}

EbBcd
eb_bcd_digits(const uint8_t *bytes, size_t n, char *out)
{
	out[0] = '\0';
	if (all_ff(bytes, n))
		return EB_BCD_ABSENT;
	for (size_t i = 0; i < n; i++)
	{
		unsigned high = bytes[n - 1 - i] >> 4;
		unsigned low = bytes[n - 1 - i] & 0x0F;

		if (high > 9 || low > 9)
		{
			out[0] = '\0';
			return EB_BCD_BAD;
		}
		out[2 * i] = (char) ('0' + high);
		out[2 * i + 1] = (char) ('0' + low);
	}
	out[2 * n] = '\0';
	return EB_BCD_OK;
}

void
eb_bcd_point(const char *digits, size_t places, bool negative, char *out)
{
	size_t n = strlen(digits);
	size_t whole = n > places ? n - places : 0;
	size_t first = 0;

	while (first < whole && digits[first] == '0')
		first++;
	if (negative && strspn(digits, "0") < n)
		*out++ = '-';
	if (first == whole)
		*out++ = '0';
	memcpy(out, digits + first, whole - first);
	out += whole - first;
	if (places > 0)
	{
		*out++ = '.';
		memset(out, '0', places - (n - whole));
		out += places - (n - whole);
		memcpy(out, digits + whole, n - whole);
		out += n - whole;
	}
	*out = '\0';
}

EbBcd
eb_bcd_decimal(const uint8_t *bytes, size_t n, size_t places, bool is_signed, char *out)
{
	uint8_t magnitude[EB_BCD_MAX_BYTES];
	char digits[2 * EB_BCD_MAX_BYTES + 1];
	bool negative = is_signed && (bytes[n - 1] & 0x80) != 0;
	EbBcd status;

	out[0] = '\0';
	if (all_ff(bytes, n))
		return EB_BCD_ABSENT;
	memcpy(magnitude, bytes, n);
	if (negative)
		magnitude[n - 1] &= 0x7F;
	status = eb_bcd_digits(magnitude, n, digits);
	if (status == EB_BCD_OK)
		eb_bcd_point(digits, places, negative, out);
	return status;
}
