/*
 * test_float32.c -- shortest decimals of binary32, and integers times a power of ten
 * The oracle for binary32 is the C library: strtof reads the decimal back, printf gives the digits.
 */
#include "base/float32.h"
#include "base/scaled.h"

#include "check.h"

#include <stdlib.h>

#define RANDOM_CASES 60000

static void
text_of(uint32_t bits, char *out)
{
	EbFloat32 got;

	snprintf(out, EB_SCALED_TEXT, "none");
	if (eb_float32_shortest(bits, &got))
		eb_scaled_text(got.negative, got.digits, got.exponent, out);
}

static void
check_text(uint32_t bits, const char *want)
{
	char text[EB_SCALED_TEXT];

	text_of(bits, text);
	CHECK_STR(text, want);
}

static void
check_known(void)
{
	check_text(0x42C80000, "100");
	check_text(0x43696978, "233.41199");
	check_text(0x449A5225, "1234.567");
	check_text(0x3DCCCCCD, "0.1");
	check_text(0xC0490FDB, "-3.1415927");
	check_text(0x4823D70A, "167772.16");
	check_text(0x4823D70B, "167772.17");
	check_text(0x4B800000, "16777216");
	check_text(0x4CBEBC20, "100000000");
	check_text(0x00000000, "0");
	check_text(0x80000000, "0");
	check_text(0x00000001, "0.000000000000000000000000000000000000000000001");
	check_text(0x00800000, "0.000000000000000000000000000000000000011754944");
	check_text(0x7F7FFFFF, "340282350000000000000000000000000000000");
	check_text(0xFF7FFFFF, "-340282350000000000000000000000000000000");
	check_text(0x7F800000, "none");
	check_text(0xFF800000, "none");
	check_text(0x7FC00000, "none");
	check_text(0x7F800001, "none");
	check_text(0xFFFFFFFF, "none");
}

/* Digits behind the leading zeros, without the zeros at the end. */
static int
significant(const char *text)
{
	int n = 0, zeros = 0;

	for (; *text != '\0' && *text != 'e'; text++)
		if (*text >= '0' && *text <= '9' && (n > 0 || *text != '0'))
		{
			n++;
			zeros = *text == '0' ? zeros + 1 : 0;
		}
	return n - zeros;
}

/* Reads back as the same bits; printf needs at least as many digits, and is no nearer with as many. */
static bool
is_shortest(uint32_t bits)
{
	char text[EB_SCALED_TEXT], other[64];
	float value, back;
	int digits;

	memcpy(&value, &bits, sizeof(value));
	text_of(bits, text);
	back = strtof(text, NULL);
	if (memcmp(&back, &value, sizeof(value)) != 0)
		return false;
	digits = significant(text);
	for (int n = 1; n < digits; n++)
	{
		snprintf(other, sizeof(other), "%.*e", n - 1, (double) value);
		if (strtof(other, NULL) == value)
			return false;
	}
	snprintf(other, sizeof(other), "%.*e", digits - 1, (double) value);
	return strtof(other, NULL) != value || strtod(other, NULL) == strtod(text, NULL);
}

static void
check_shortest(void)
{
	static const uint32_t fraction[] = {0, 1, 2, 3, 0x400000, 0x7FFFFE, 0x7FFFFF};
	uint64_t random = 20240131;
	int wrong = 0;

	for (uint32_t biased = 0; biased < 255; biased++)
		for (size_t i = 0; i < sizeof(fraction) / sizeof(fraction[0]); i++)
			if ((biased > 0 || fraction[i] > 0) && !is_shortest(biased << 23 | fraction[i]))
				wrong++;
	CHECK_INT(wrong, 0);
	for (int i = 0; i < RANDOM_CASES; i++)
	{
		uint32_t bits;

		random = random * 6364136223846793005U + 1442695040888963407U;
		bits = (uint32_t) (random >> 32);
		/* every second one between 0.001 and ten millions, as registers are */
		if (i % 2 == 0)
			bits = (bits & 0x7FFFFF) | (117 + (bits >> 23) % 34) << 23;
		if ((bits & 0x7F800000) == 0x7F800000 || (bits & 0x7FFFFFFF) == 0)
			continue;
		if (!is_shortest(bits) && wrong++ < 5)
			printf("    %08x\n", bits);
	}
	CHECK_INT(wrong, 0);
}

static void
check_scale(bool negative, uint64_t number, int exponent, const char *want)
{
	char text[EB_SCALED_TEXT];

	eb_scaled_text(negative, number, exponent, text);
	CHECK_STR(text, want);
}

static void
check_scaled(void)
{
	char text[EB_SCALED_TEXT];

	check_scale(false, 0, 0, "0");
	check_scale(true, 0, 0, "0");
	check_scale(false, 0, 5, "0");
	check_scale(true, 0, -3, "0.000");
	check_scale(false, 1252, 1, "12520");
	check_scale(false, 2202, -1, "220.2");
	check_scale(true, 7, -2, "-0.07");
	check_scale(false, 12, -2, "0.12");
	check_scale(false, 123, -2, "1.23");
	check_scale(false, 100, -2, "1.00");
	check_scale(true, UINT64_MAX, 0, "-18446744073709551615");
	check_scale(false, UINT64_MAX, -20, "0.18446744073709551615");
	eb_scaled_text(true, ~(eb_uint128) 0, EB_SCALED_MAX_EXPONENT, text);
	CHECK_INT(strlen(text), 1 + 39 + 60);
	CHECK(strncmp(text, "-340282366920938463463374607431768211455000", 43) == 0);
	eb_scaled_text(true, ~(eb_uint128) 0, EB_SCALED_MIN_EXPONENT, text);
	CHECK_INT(strlen(text), 3 + 80);
	CHECK_STR(text + 3 + 41, "340282366920938463463374607431768211455");
}

int
main(void)
{
	check_known();
	check_shortest();
	check_scaled();
	return check_done("float32");
}
