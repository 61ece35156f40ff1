/*
 * crc.c -- the cyclic checks of meter protocols and of the collector's files
 * In:  bytes; out: check values.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * Half a byte at a time by tables of 16: no set-up, no large table in the cache, and far above the
 * speed of any line or disk record.
 */
#include "base/crc.h"

/* Entry i: the remainder of i, four bits further. */
static const uint16_t table_a001[16] = {
	0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
	0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
};

static const uint16_t table_8408[16] = {
	0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387,
	0x8408, 0x9489, 0xA50A, 0xB58B, 0xC60C, 0xD68D, 0xE70E, 0xF78F,
};

static const uint32_t table_82f63b78[16] = {
	0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
	0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
};

static uint16_t
crc16(const uint16_t table[16], uint16_t crc, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		crc = (uint16_t) (crc >> 4 ^ table[(crc ^ bytes[i]) & 0x0F]);
		crc = (uint16_t) (crc >> 4 ^ table[(crc ^ bytes[i] >> 4) & 0x0F]);
	}
	return crc;
}

uint16_t
eb_crc16_modbus(const uint8_t *bytes, size_t n)
{
	return crc16(table_a001, 0xFFFF, bytes, n);
}

uint16_t
eb_crc16_arc(const uint8_t *bytes, size_t n)
{
	return crc16(table_a001, 0, bytes, n);
}

uint16_t
eb_crc16_x25(const uint8_t *bytes, size_t n)
{
	return (uint16_t) ~crc16(table_8408, 0xFFFF, bytes, n);
}

uint16_t
eb_crc16_kermit(const uint8_t *bytes, size_t n)
{
	return crc16(table_8408, 0, bytes, n);
}

uint32_t
eb_crc32c(uint32_t crc, const void *bytes, size_t n)
{
	const uint8_t *byte = bytes;

	crc = ~crc;
	for (size_t i = 0; i < n; i++)
	{
		crc = crc >> 4 ^ table_82f63b78[(crc ^ byte[i]) & 0x0F];
		crc = crc >> 4 ^ table_82f63b78[(crc ^ (uint32_t) byte[i] >> 4) & 0x0F];
	}
	return ~crc;
}
