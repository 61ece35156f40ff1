/*
 * kit_x25.h -- DL/T 698.45 and HDLC frames around given insides, with checks of their own
 * The CRC is that of the polynomial bit by bit: it shares nothing with src/base/crc.c.
 */
#ifndef ELECBILL_TEST_KIT_X25_H
#define ELECBILL_TEST_KIT_X25_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t
x25(const uint8_t *bytes, size_t n)
{
	unsigned crc = 0xFFFF;

	for (size_t i = 0; i < n; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1;
	}
	return (uint16_t) ~crc;
}

static inline void
put_x25(uint8_t *at, const uint8_t *from)
{
	uint16_t crc = x25(from, (size_t) (at - from));

	at[0] = (uint8_t) crc;
	at[1] = (uint8_t) (crc >> 8);
}

/* 68 LL LL control SA address CA HCS apdu FCS 16; address in wire order; returns the length. */
static inline size_t
wrap_dlt698(uint8_t control, const uint8_t *address, size_t naddress, const uint8_t *apdu, size_t n,
			uint8_t *out)
{
	size_t length = 11 + naddress + n;

	out[0] = 0x68;
	out[1] = (uint8_t) (length - 2);
	out[2] = (uint8_t) ((length - 2) >> 8);
	out[3] = control;
	out[4] = (uint8_t) (naddress - 1);
	memcpy(out + 5, address, naddress);
	out[5 + naddress] = 0;
	put_x25(out + 6 + naddress, out + 1);
	memcpy(out + 8 + naddress, apdu, n);
	put_x25(out + length - 3, out + 1);
	out[length - 1] = 0x16;
	return length;
}

/* 7E A. .. dst src(2) control HCS information FCS 7E; returns the length. */
static inline size_t
wrap_hdlc(const uint8_t *information, size_t n, uint8_t *out)
{
	size_t counted = 10 + n;

	out[0] = 0x7E;
	out[1] = (uint8_t) (0xA0 | counted >> 8);
	out[2] = (uint8_t) counted;
	memcpy(out + 3, "\x41\x08\x83\x13", 4);
	put_x25(out + 7, out + 1);
	memcpy(out + 9, information, n);
	put_x25(out + 9 + n, out + 1);
	out[11 + n] = 0x7E;
	return 12 + n;
}

#endif /* ELECBILL_TEST_KIT_X25_H */
