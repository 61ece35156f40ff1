/*
 * sim_sum.c -- sums, CRCs and BCD of the simulated meters, in the plainest form there is
 */
#include "sim.h"

uint8_t
sim_sum(const uint8_t *bytes, size_t n)
{
	unsigned sum = 0;

	while (n > 0)
		sum += bytes[--n];
	return (uint8_t) sum;
}

uint8_t
sim_xor(const uint8_t *bytes, size_t n)
{
	uint8_t sum = 0;

	while (n > 0)
		sum ^= bytes[--n];
	return sum;
}

uint16_t
sim_crc16(unsigned polynomial, unsigned start, const uint8_t *bytes, size_t n)
{
	unsigned crc = start;

	for (size_t i = 0; i < n; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
	}
	return (uint16_t) crc;
}

void
sim_put_x25(uint8_t *at, const uint8_t *from)
{
	unsigned crc = sim_crc16(0x8408, 0xFFFF, from, (size_t) (at - from)) ^ 0xFFFFu;

	at[0] = (uint8_t) crc;
	at[1] = (uint8_t) (crc >> 8);
}

void
sim_put_bcd(uint8_t *out, int n, long value)
{
	for (int i = 0; i < n; i++, value /= 100)
		out[i] = (uint8_t) (value / 10 % 10 * 16 + value % 10);
}
