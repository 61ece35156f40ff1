/*
 * sim_dlt645.c -- DL/T 645-2007 meters on one bus, with planted faults
 * In:  options, bytes of the master. Out: replies.
 * Shares no code with src/codec: a mistake there must not hide in here.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define MAX_METERS 256
#define MAX_FAULTS 64
#define TARIFFS 5 /* total and four */

typedef struct Meter
{
	uint8_t address[6]; /* wire order */
	char name[13];
	long value[TARIFFS]; /* 0.01 kWh */
	int nvalues;
	long frozen[TARIFFS];
	int nfrozen;
	uint8_t frozen_at[5]; /* wire order */
	const char *fault[MAX_FAULTS];
	int nfaults;
	int served; /* requests so far: the next fault */
} Meter;

static Meter meter[MAX_METERS];
static int nmeters;

static int
parse_values(const char *text, long value[TARIFFS])
{
	int n = 0;
	char *end;

	for (; n < TARIFFS && *text != '\0'; text = *end == ',' ? end + 1 : end)
	{
		value[n++] = sim_parse_kwh(text, &end);
		if (end == text || (*end != ',' && *end != '\0'))
			sim_die("value", text);
	}
	return n;
}

/* BCD of a number, low byte first. */
static void
put_bcd(uint8_t *out, int n, long value)
{
	for (int i = 0; i < n; i++, value /= 100)
		out[i] = (uint8_t) (value / 10 % 10 * 16 + value % 10);
}

static Meter *
find_meter(const char *name, size_t len)
{
	for (int i = 0; i < nmeters; i++)
		if (len == 12 && strncmp(meter[i].name, name, 12) == 0)
			return &meter[i];
	return NULL;
}

void
sim_add_meter(const char *text)
{
	Meter *m = &meter[nmeters];

	if (nmeters >= MAX_METERS || strspn(text, "0123456789") != 12 || text[12] != '=')
		sim_die("--dlt645 takes ADDRESS=KWH[,T1,T2,T3,T4] with 12 digits", text);
	nmeters++;
	memcpy(m->name, text, 12);
	put_bcd(m->address, 6, strtol(m->name, NULL, 10));
	m->nvalues = parse_values(text + 13, m->value);
}

/* ADDRESS=2026-11-20T00:00,KWH[,T1...] */
void
sim_add_freeze(const char *text)
{
	Meter *m = find_meter(text, strcspn(text, "="));
	int year, month, day, hour, minute, used = 0;

	if (m == NULL || sscanf(text + 13, "20%2d-%2d-%2dT%2d:%2d,%n", &year, &month, &day, &hour,
							&minute, &used) != 5)
		sim_die("--freeze takes ADDRESS=YYYY-MM-DDThh:mm,KWH[,T1...]", text);
	put_bcd(m->frozen_at, 5, ((((year * 100L) + month) * 100 + day) * 100 + hour) * 100 + minute);
	m->nfrozen = parse_values(text + 13 + used, m->frozen);
}

/* ADDRESS=KIND[,KIND...] */
void
sim_add_faults(char *text)
{
	Meter *m = find_meter(text, strcspn(text, "="));
	char *next = text + 13;
	char *word;

	if (m == NULL)
		sim_die("--fault takes ADDRESS=KIND[,KIND...] of a meter named before", text);
	while ((word = strsep(&next, ",")) != NULL && m->nfaults < MAX_FAULTS)
		m->fault[m->nfaults++] = word;
}

static size_t
build(uint8_t *out, const uint8_t address[6], uint8_t control, const uint8_t *data, int n)
{
	size_t at = 0;
	uint8_t sum = 0;

	out[at++] = 0x68;
	memcpy(out + at, address, 6);
	at += 6;
	out[at++] = 0x68;
	out[at++] = control;
	out[at++] = (uint8_t) n;
	for (int i = 0; i < n; i++)
		out[at++] = (uint8_t) (data[i] + 0x33);
	for (size_t i = 0; i < at; i++)
		sum = (uint8_t) (sum + out[i]);
	out[at++] = sum;
	out[at++] = 0x16;
	return at;
}

/* Data of the reply behind the identifier; -1: no such data. */
static int
value_of(Meter *m, uint32_t di, uint8_t *out)
{
	int tariff = di >> 8 & 0xFF;

	if (di == 0x0001FF00 && !sim.no_blocks)
	{
		for (int i = 0; i < m->nvalues; i++)
			put_bcd(out + 4 * i, 4, m->value[i]);
		return 4 * m->nvalues;
	}
	if ((di & 0xFFFF00FF) == 0x00010000 && tariff < m->nvalues)
	{
		put_bcd(out, 4, m->value[tariff]);
		return 4;
	}
	if (di == 0x05060001 && m->nfrozen > 0)
	{
		memcpy(out, m->frozen_at, 5);
		return 5;
	}
	if (di == 0x05060101 && m->nfrozen > 0)
	{
		for (int i = 0; i < m->nfrozen; i++)
			put_bcd(out + 4 * i, 4, m->frozen[i]);
		return 4 * m->nfrozen;
	}
	return -1;
}

/* What is to be sent for a request, without faults. */
static size_t
answer(Meter *m, const uint8_t *frame, uint8_t *out)
{
	uint8_t data[80];
	uint32_t di = 0;
	int n;

	if (frame[8] == 0x13)
		return build(out, m->address, 0x93, m->address, 6);
	for (int i = 0; i < 4; i++)
	{
		data[i] = (uint8_t) (frame[10 + i] - 0x33);
		di |= (uint32_t) data[i] << 8 * i;
	}
	n = value_of(m, di, data + 4);
	if (n < 0)
		return build(out, m->address, 0xD1, (const uint8_t[]){0x02}, 1);
	if (sim.in_parts && n > 8 && frame[8] == 0x11) /* the first eight bytes, then the rest */
		return build(out, m->address, 0xB1, data, 4 + 8);
	if (frame[8] == 0x12)
	{
		memmove(data + 4, data + 12, (size_t) n - 8);
		data[4 + n - 8] = 1;
		return build(out, m->address, 0x92, data, 4 + n - 8 + 1);
	}
	return build(out, m->address, 0x91, data, 4 + n);
}

static void
send_preamble(void)
{
	for (int i = 0; i < sim.preambles; i++)
		sim_send("\xFE", 1);
}

static void
reseal(uint8_t *reply, size_t n)
{
	reply[n - 2] = 0;
	for (size_t i = 0; i < n - 2; i++)
		reply[n - 2] = (uint8_t) (reply[n - 2] + reply[i]);
}

/* Sends the reply with a fault; true when it went out whole and true. */
static bool
send_faulty(const char *fault, uint8_t *reply, size_t n)
{
	if (strcmp(fault, "silent") == 0)
		return false;
	if (strcmp(fault, "garbage") == 0)
	{
		sim_send("\x00\x7F\x55garbage\xFF", 11);
		return false;
	}
	if (strcmp(fault, "noise") == 0)
		sim_send("\x00\x55\x68\x13", 4);
	if (strcmp(fault, "late") == 0)
		sim_nap(1200);
	send_preamble();
	if (strcmp(fault, "checksum") == 0)
		reply[n - 2] ^= 0x01;
	else if (strcmp(fault, "foreign") == 0)
	{
		reply[1] ^= 0x01;
		reseal(reply, n);
	}
	else if (strcmp(fault, "nibble") == 0)
	{
		reply[n - 3] = (uint8_t) (0x0A + 0x33);
		reseal(reply, n);
	}
	else if (strcmp(fault, "cut") == 0)
		n /= 2;
	if (strcmp(fault, "slow") == 0)
		for (size_t i = 0; i < n; i++, sim_nap(10))
			sim_send(reply + i, 1);
	else
		sim_send(reply, n);
	if (strcmp(fault, "twice") == 0)
		sim_send(reply, n);
	return strcmp(fault, "slow") == 0 || strcmp(fault, "twice") == 0 ||
		   strcmp(fault, "noise") == 0 || strcmp(fault, "good") == 0;
}

static void
serve(Meter *m, const uint8_t *frame)
{
	uint8_t reply[128];
	size_t n;
	const char *fault = m->served < m->nfaults ? m->fault[m->served] : "good";

	m->served++;
	m->value[0] += sim.grow;
	if (m->nvalues > 1)
		m->value[1] += sim.grow;
	n = answer(m, frame, reply);
	if (strcmp(fault, "exception") == 0)
		n = build(reply, m->address, 0xD1, (const uint8_t[]){0x04}, 1);
	sim_nap(sim.delay_ms);
	if (send_faulty(fault, reply, n))
		sim_log_hex("served", reply, n);
	else if (sim.log != NULL)
		fprintf(sim.log, "planted %s %s\n", m->name, fault);
	if (sim.log != NULL)
		fflush(sim.log);
}

/* A whole request in the n bytes from a 68 on. */
static void
take_request(const uint8_t *frame, size_t n)
{
	bool wild = true;

	sim_log_hex("request", frame, n);
	if (sim.echo)
		sim_send(frame, n);
	for (int i = 0; i < 6; i++)
		wild = wild && frame[1 + i] == 0xAA;
	for (int i = 0; i < nmeters; i++)
		if (memcmp(meter[i].address, frame + 1, 6) == 0 || (wild && nmeters == 1))
			serve(&meter[i], frame);
}

/* Bytes of the master, until requests are whole. */
void
sim_take_bytes(const uint8_t *bytes, size_t n)
{
	static uint8_t held[512];
	static size_t nheld;
	size_t at = 0;

	if (nheld + n > sizeof(held))
		nheld = 0;
	memcpy(held + nheld, bytes, n);
	nheld += n;
	while (at < nheld)
	{
		size_t length;

		if (held[at] != 0x68)
		{
			at++;
			continue;
		}
		if (nheld - at < 10 || nheld - at < (length = 12u + held[at + 9]))
			break;
		take_request(held + at, length);
		at += length;
	}
	memmove(held, held + at, nheld - at);
	nheld -= at;
}
