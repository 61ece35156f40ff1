/*
 * test_bcd.c -- packed decimal digits become exactly the text a bill may print
 */
#include "base/bcd.h"

#include "check.h"

/* Every value of a byte beside a good one: ten by ten are digits, FF FF alone is absent. */
static void
check_every_byte(void)
{
	for (unsigned byte = 0; byte < 256; byte++)
	{
		uint8_t bytes[2] = {(uint8_t) byte, 0x12};
		bool good = (byte >> 4) <= 9 && (byte & 15) <= 9;
		char out[EB_BCD_TEXT_SIZE];
		char want[8] = "";

		if (good)
			snprintf(want, sizeof(want), "12%02X", byte);
		CHECK_INT(eb_bcd_digits(bytes, 2, out), good ? EB_BCD_OK : EB_BCD_BAD);
		CHECK_STR(out, want);
		bytes[1] = 0xFF;
		CHECK_INT(eb_bcd_digits(bytes, 2, out), byte == 0xFF ? EB_BCD_ABSENT : EB_BCD_BAD);
		CHECK_STR(out, "");
	}
}

static void
check_decimal(const char *hex, size_t places, bool is_signed, EbBcd want, const char *text)
{
	uint8_t bytes[EB_BCD_MAX_BYTES];
	size_t n = strlen(hex) / 2;
	char out[EB_BCD_TEXT_SIZE];
	unsigned byte;

	for (size_t i = 0; i < n && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		bytes[i] = (uint8_t) byte;
	CHECK_INT(eb_bcd_decimal(bytes, n, places, is_signed, out), want);
	CHECK_STR(out, text);
}

static void
check_point(const char *digits, size_t places, bool negative, const char *text)
{
	char out[32];

	eb_bcd_point(digits, places, negative, out);
	CHECK_STR(out, text);
}

int
main(void)
{
	check_every_byte();

	check_decimal("56341200", 2, false, EB_BCD_OK, "1234.56");
	check_decimal("00000000", 2, false, EB_BCD_OK, "0.00");
	check_decimal("01000000", 2, false, EB_BCD_OK, "0.01");
	check_decimal("99999999", 2, false, EB_BCD_OK, "999999.99");
	check_decimal("000000", 0, false, EB_BCD_OK, "0");
	check_decimal("070000", 0, false, EB_BCD_OK, "7");
	check_decimal("0010", 3, false, EB_BCD_OK, "1.000");
	check_decimal("9999999999999999", 1, false, EB_BCD_OK, "999999999999999.9");

	/* The sign is the top bit of the last byte, and zero has none. */
	check_decimal("00010080", 2, true, EB_BCD_OK, "-1.00");
	check_decimal("00000080", 2, true, EB_BCD_OK, "0.00");
	check_decimal("999999F9", 2, true, EB_BCD_OK, "-799999.99");
	check_decimal("99999979", 2, true, EB_BCD_OK, "799999.99");
	check_decimal("00010080", 2, false, EB_BCD_OK, "800001.00");

	/* FF everywhere is no number; FF in one place is a bad one. */
	check_decimal("FFFFFFFF", 2, true, EB_BCD_ABSENT, "");
	check_decimal("FFFFFFFF", 2, false, EB_BCD_ABSENT, "");
	check_decimal("FF", 0, false, EB_BCD_ABSENT, "");
	check_decimal("FFFFFF7F", 2, true, EB_BCD_BAD, "");
	check_decimal("FF000000", 2, false, EB_BCD_BAD, "");
	check_decimal("0A000000", 2, false, EB_BCD_BAD, "");
	check_decimal("A0000000", 2, true, EB_BCD_BAD, "");

	check_point("0001", 2, false, "0.01");
	check_point("1", 3, false, "0.001");
	check_point("5", 1, true, "-0.5");
	check_point("000", 1, true, "0.0");
	check_point("000123", 0, false, "123");
	check_point("000000", 0, true, "0");
	check_point("999999999999999999", 6, false, "999999999999.999999");
	return check_done("bcd");
}
