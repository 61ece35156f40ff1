/*
 * sim_dlt698.c -- DL/T 698.45 meters on one bus
 * In:  options, GET requests of a master. Out: replies of energies, address and clock.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_METERS 64
#define TARIFFS 5 /* total and four */

typedef struct Meter
{
	uint8_t address[6];	 /* wire order */
	long value[TARIFFS]; /* 0.01 kWh */
	int nvalues;
} Meter;

static Meter meter[MAX_METERS];
static int nmeters;

static void take_bytes(const uint8_t *bytes, size_t n);

/* ADDRESS=KWH[,T1...] */
static void
add_meter(char *text)
{
	Meter *m = &meter[nmeters];
	char *end = text + 12;

	if (nmeters == MAX_METERS || strspn(text, "0123456789") != 12 || *end != '=')
		sim_die("--dlt698 takes ADDRESS=KWH[,T1,T2,T3,T4] with 12 digits", text);
	sim_put_bcd(m->address, 6, strtol(text, NULL, 10));
	while (m->nvalues < TARIFFS && *end != '\0')
		m->value[m->nvalues++] = sim_parse_kwh(end + 1, &end);
	nmeters++;
	sim.take_bytes = take_bytes;
}

static uint8_t *
put_energy(uint8_t *at, long value)
{
	*at++ = 0x06;
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (uint8_t) (value >> shift);
	return at;
}

/* The result of an object: 01 and its value, or 00 and the reason. */
static uint8_t *
put_result(uint8_t *at, const Meter *m, const uint8_t *oad)
{
	unsigned long object =
		(unsigned long) oad[0] << 24 | (unsigned long) oad[1] << 16 | oad[2] << 8 | oad[3];
	time_t now = time(NULL) + 8 * 3600;
	struct tm clock;

	*at++ = 1;
	if (object == 0x00100200)
	{
		*at++ = 0x01;
		*at++ = (uint8_t) m->nvalues;
		for (int i = 0; i < m->nvalues; i++)
			at = put_energy(at, m->value[i]);
		return at;
	}
	if ((object & ~0xFFUL) == 0x00100200 && oad[3] <= m->nvalues)
		return put_energy(at, m->value[oad[3] - 1]);
	if (object == 0x40010200)
	{
		*at++ = 0x09;
		*at++ = 6;
		for (int i = 5; i >= 0; i--)
			*at++ = m->address[i];
		return at;
	}
	if (object == 0x40000200)
	{
		gmtime_r(&now, &clock);
		*at++ = 0x1C;
		*at++ = (uint8_t) ((clock.tm_year + 1900) >> 8);
		*at++ = (uint8_t) (clock.tm_year + 1900);
		*at++ = (uint8_t) (clock.tm_mon + 1);
		*at++ = (uint8_t) clock.tm_mday;
		*at++ = (uint8_t) clock.tm_hour;
		*at++ = (uint8_t) clock.tm_min;
		*at++ = (uint8_t) clock.tm_sec;
		return at;
	}
	at[-1] = 0;
	*at++ = 6; /* no such object */
	return at;
}

static void
serve(Meter *m, const uint8_t *request)
{
	const uint8_t *apdu = request + 14;
	uint8_t reply[512] = {0xFE, 0xFE, 0xFE, 0xFE, 0x68};
	uint8_t *frame = reply + 4;
	uint8_t *at = frame + 14;
	const uint8_t *oad = apdu + 3;
	int count = 1;

	if (apdu[0] != 5 || (apdu[1] != 1 && apdu[1] != 2))
		return;
	m->value[0] += sim.grow;
	*at++ = 0x85;
	*at++ = apdu[1];
	*at++ = apdu[2];
	if (apdu[1] == 2)
		*at++ = (uint8_t) (count = *oad++);
	for (; count > 0; count--, oad += 4)
	{
		memcpy(at, oad, 4);
		at = put_result(at + 4, m, oad);
	}
	*at++ = 0; /* no report follows, no time tag */
	*at++ = 0;
	frame[1] = (uint8_t) (at - frame + 1);
	frame[2] = (uint8_t) ((at - frame + 1) >> 8);
	frame[3] = 0xC3;
	frame[4] = 5;
	memcpy(frame + 5, m->address, 6);
	frame[11] = request[11];
	sim_put_x25(frame + 12, frame + 1);
	sim_put_x25(at, frame + 1);
	at[2] = 0x16;
	sim_serve(reply, (size_t) (at + 3 - reply));
}

static void
take_request(const uint8_t *request, size_t n)
{
	sim_asked(request, n);
	for (int i = 0; i < nmeters; i++)
	{
		bool fits = true;

		for (int k = 0; k < 6; k++)
			fits = fits && (request[5 + k] == 0xAA || request[5 + k] == meter[i].address[k]);
		if (fits && (nmeters == 1 || (request[4] & 0xC0) == 0))
			serve(&meter[i], request);
	}
}

/* Frames with addresses of six bytes, both checks right, at most what a reply has room for. */
static long
request_length(const uint8_t *bytes, size_t n)
{
	uint8_t copy[512];
	size_t length;

	if (bytes[0] != 0x68)
		return -1;
	if (n < 14)
		return 0;
	length = (bytes[1] | (size_t) bytes[2] << 8) + 2;
	if (length < 20 || length > 120 || (bytes[4] & 0x0F) != 5)
		return -1;
	if (n < length)
		return 0;
	memcpy(copy, bytes, length);
	sim_put_x25(copy + 12, copy + 1);
	sim_put_x25(copy + length - 3, copy + 1);
	return memcmp(copy, bytes, length) == 0 ? (long) length : -1;
}

static void
take_bytes(const uint8_t *bytes, size_t n)
{
	sim_collect(bytes, n, request_length, take_request);
}

const SimOption sim_dlt698_options[] = {
	{"dlt698", true, add_meter, "ADDRESS=KWH[,T1,T2,T3,T4]: a DL/T 698.45 meter"},
	{NULL, false, NULL, NULL},
};
