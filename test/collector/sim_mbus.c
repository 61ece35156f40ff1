/*
 * sim_mbus.c -- M-Bus meters on one bus
 * In:  options, SND_NKE and REQ_UD2 of a master. Out: E5, and energy and power in fixed records.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define MAX_METERS 250
#define ANYONE 0xFE

typedef struct Meter
{
	int address;
	long id;	/* eight digits */
	long kwh;	/* hundredths */
	int fcb;	/* of the last request, or -1 */
	int access; /* number of the reply */
} Meter;

static Meter meter[MAX_METERS];
static int nmeters;

static void take_bytes(const uint8_t *bytes, size_t n);

/* ADDRESS=ID:KWH */
static void
add_meter(char *text)
{
	Meter *m = &meter[nmeters];
	int used = 0;
	char *end;

	if (nmeters == MAX_METERS || sscanf(text, "%d=%8ld:%n", &m->address, &m->id, &used) != 2 ||
		used == 0 || m->address < 0 || m->address > 250)
		sim_die("--mbus takes ADDRESS=ID:KWH, address 0 to 250, id of eight digits", text);
	m->kwh = sim_parse_kwh(text + used, &end);
	m->fcb = -1;
	nmeters++;
	sim.take_bytes = take_bytes;
}

/* 68 L L 68 08 A 72 header records CS 16. */
static size_t
build(const Meter *m, uint8_t *out)
{
	uint8_t *at = out + 4;

	*at++ = 0x08;
	*at++ = (uint8_t) m->address;
	*at++ = 0x72;
	sim_put_bcd(at, 4, m->id);
	at += 4;
	memcpy(at, "\x43\x4C\x12\x02", 4); /* SBC, version, electricity */
	at += 4;
	*at++ = (uint8_t) m->access;
	memset(at, 0, 3); /* status, signature */
	at += 3;
	memcpy(at, "\x0C\x04", 2); /* eight digits of 10 Wh */
	sim_put_bcd(at + 2, 4, m->kwh);
	at += 6;
	memcpy(at, "\x8C\x10\x04", 3); /* the same of tariff 1 */
	sim_put_bcd(at + 3, 4, m->kwh);
	at += 7;
	memcpy(at, "\x02\x2B\xE8\x03", 4); /* 16 bits of W */
	at += 4;
	memcpy(at,
		   "\x0D\x78\x03"
		   "321",
		   6); /* a name */
	at += 6;
	out[0] = out[3] = 0x68;
	out[1] = out[2] = (uint8_t) (at - out - 4);
	at[0] = sim_sum(out + 4, (size_t) (at - out) - 4);
	at[1] = 0x16;
	return (size_t) (at - out) + 2;
}

static void
serve(Meter *m, const uint8_t *request)
{
	uint8_t reply[128];
	int fcb = request[1] & 0x20;
	size_t n;

	if (request[1] == 0x40)
	{
		m->fcb = -1;
		sim_nap(sim.delay_ms);
		sim_send("\xE5", 1);
		return;
	}
	/* The same bit again asks for the same reply. */
	if (m->fcb != fcb)
	{
		m->kwh += m->fcb >= 0 ? sim.grow : 0;
		m->access++;
	}
	m->fcb = fcb;
	n = build(m, reply);
	sim_serve(reply, n);
}

static void
take_request(const uint8_t *request, size_t n)
{
	sim_asked(request, n);
	for (int i = 0; i < nmeters; i++)
		if (meter[i].address == request[2] || (request[2] == ANYONE && nmeters == 1))
			serve(&meter[i], request);
}

/* Short frames of SND_NKE and REQ_UD2; nothing else is a request. */
static long
request_length(const uint8_t *bytes, size_t n)
{
	if (bytes[0] != 0x10)
		return -1;
	if (n < 5)
		return 0;
	if (bytes[4] != 0x16 || sim_sum(bytes + 1, 2) != bytes[3] ||
		(bytes[1] != 0x40 && (bytes[1] & 0xDF) != 0x5B))
		return -1;
	return 5;
}

static void
take_bytes(const uint8_t *bytes, size_t n)
{
	sim_collect(bytes, n, request_length, take_request);
}

const SimOption sim_mbus_options[] = {
	{"mbus", true, add_meter, "ADDRESS=ID:KWH: an M-Bus meter; record 0 is its energy"},
	{NULL, false, NULL, NULL},
};
