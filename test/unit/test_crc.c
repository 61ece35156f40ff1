/*
 * test_crc.c -- the cyclic checks against their published check values and a bitwise form
 */
#include "base/crc.h"

#include "check.h"

/* One bit at a time, as the polynomials are defined. */
static uint32_t
bitwise(uint32_t polynomial, uint32_t crc, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
	}
	return crc;
}

int
main(void)
{
	const uint8_t *digits = (const uint8_t *) "123456789";
	uint8_t bytes[256];

	CHECK_INT(eb_crc16_modbus(digits, 9), 0x4B37);
	CHECK_INT(eb_crc16_arc(digits, 9), 0xBB3D);
	CHECK_INT(eb_crc16_x25(digits, 9), 0x906E);
	CHECK_INT(eb_crc16_kermit(digits, 9), 0x2189);
	CHECK_INT(eb_crc32c(0, digits, 9), 0xE3069283);
	CHECK_INT(eb_crc32c(eb_crc32c(0, digits, 4), digits + 4, 5), 0xE3069283);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t) (i * 167 + 13);
	for (size_t n = 0; n <= sizeof(bytes); n++)
	{
		CHECK_INT(eb_crc16_modbus(bytes, n), bitwise(0xA001, 0xFFFF, bytes, n));
		CHECK_INT(eb_crc16_arc(bytes, n), bitwise(0xA001, 0, bytes, n));
		CHECK_INT(eb_crc16_x25(bytes, n), 0xFFFF ^ bitwise(0x8408, 0xFFFF, bytes, n));
		CHECK_INT(eb_crc16_kermit(bytes, n), bitwise(0x8408, 0, bytes, n));
		CHECK_INT(eb_crc32c(0, bytes, n), 0xFFFFFFFF ^ bitwise(0x82F63B78, 0xFFFFFFFF, bytes, n));
	}
	return check_done("crc");
}
