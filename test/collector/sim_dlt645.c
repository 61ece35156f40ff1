/*
 * sim_dlt645.c -- DL/T 645 meters of 2007 or of 1997 on one bus, with planted faults
 * In:  options, bytes of the master. Out: replies.
 * Shares no code with src/codec: a mistake there must not hide in here.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define MAX_METERS 256
#define MAX_FAULTS 64
#define TARIFFS 5 /* total and four */
#define PART 8	  /* bytes of a part of a block */

typedef struct Meter
{
	uint8_t address[6]; /* wire order */
	char name[13];
	long value[TARIFFS]; /* 0.01 kWh */
	int nvalues;
	long frozen[TARIFFS];
	int nfrozen;
	uint8_t frozen_at[5]; /* wire order */
	const char *number;	  /* what it calls itself; NULL: it has no such data */
	bool is_1997;
	bool has_relay;
	uint8_t relay[2]; /* third status word, wire order */
	const char *fault[MAX_FAULTS];
	int nfaults;
	int served; /* requests so far: the next fault */
	int part;	/* 1997: of its block, the next one; it is not asked for by number */
} Meter;

static Meter meter[MAX_METERS];
static int nmeters;
static int preambles = 4;
static bool no_blocks;
static bool in_parts;

static void take_bytes(const uint8_t *bytes, size_t n);

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

static Meter *
find_meter(const char *name, size_t len)
{
	for (int i = 0; i < nmeters; i++)
		if (len == 12 && strncmp(meter[i].name, name, 12) == 0)
			return &meter[i];
	return NULL;
}

static void
add_meter(char *text)
{
	Meter *m = &meter[nmeters];

	if (nmeters >= MAX_METERS || strspn(text, "0123456789") != 12 || text[12] != '=')
		sim_die("a meter is ADDRESS=KWH[,T1,T2,T3,T4] with 12 digits", text);
	nmeters++;
	memcpy(m->name, text, 12);
	sim_put_bcd(m->address, 6, strtol(m->name, NULL, 10));
	m->nvalues = parse_values(text + 13, m->value);
	sim.take_bytes = take_bytes;
}

static void
add_old_meter(char *text)
{
	add_meter(text);
	meter[nmeters - 1].is_1997 = true;
}

/* ADDRESS=DIGITS */
static void
add_number(char *text)
{
	Meter *m = find_meter(text, strcspn(text, "="));

	if (m == NULL || strspn(text + 13, "0123456789") != 12 || text[25] != '\0')
		sim_die("--number takes ADDRESS=DIGITS, twelve of them, of a meter named before", text);
	m->number = text + 13;
}

/* ADDRESS=2026-11-20T00:00,KWH[,T1...] */
static void
add_freeze(char *text)
{
	Meter *m = find_meter(text, strcspn(text, "="));
	int year, month, day, hour, minute, used = 0;

	if (m == NULL || sscanf(text + 13, "20%2d-%2d-%2dT%2d:%2d,%n", &year, &month, &day, &hour,
							&minute, &used) != 5)
		sim_die("--freeze takes ADDRESS=YYYY-MM-DDThh:mm,KWH[,T1...]", text);
	sim_put_bcd(m->frozen_at, 5,
				((((year * 100L) + month) * 100 + day) * 100 + hour) * 100 + minute);
	m->nfrozen = parse_values(text + 13 + used, m->frozen);
}

/* ADDRESS=WORD */
static void
add_relay(char *text)
{
	Meter *m = find_meter(text, strcspn(text, "="));
	char *end = text;
	unsigned long word = m != NULL ? strtoul(text + 13, &end, 16) : 0;

	if (m == NULL || end != text + 17 || *end != '\0')
		sim_die("--relay takes ADDRESS=HHHH of a meter named before", text);
	m->has_relay = true;
	m->relay[0] = (uint8_t) word;
	m->relay[1] = (uint8_t) (word >> 8);
}

/* ADDRESS=KIND[,KIND...] */
static void
add_faults(char *text)
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

	out[at++] = 0x68;
	memcpy(out + at, address, 6);
	at += 6;
	out[at++] = 0x68;
	out[at++] = control;
	out[at++] = (uint8_t) n;
	for (int i = 0; i < n; i++)
		out[at++] = (uint8_t) (data[i] + 0x33);
	out[at] = sim_sum(out, at);
	at++;
	out[at++] = 0x16;
	return at;
}

/* Data of the reply behind the identifier; -1: no such data. */
static int
value_of(Meter *m, uint32_t di, uint8_t *out)
{
	int tariff = di >> 8 & 0xFF;

	if (di == 0x04000402 && m->number != NULL)
	{
		sim_put_bcd(out, 6, strtol(m->number, NULL, 10));
		return 6;
	}
	if (di == 0x0001FF00 && !no_blocks)
	{
		for (int i = 0; i < m->nvalues; i++)
			sim_put_bcd(out + 4 * i, 4, m->value[i]);
		return 4 * m->nvalues;
	}
	if ((di & 0xFFFF00FF) == 0x00010000 && tariff < m->nvalues)
	{
		sim_put_bcd(out, 4, m->value[tariff]);
		return 4;
	}
	if (di == 0x05060001 && m->nfrozen > 0)
	{
		memcpy(out, m->frozen_at, 5);
		return 5;
	}
	if (di == 0x04000503 && m->has_relay)
	{
		memcpy(out, m->relay, 2);
		return 2;
	}
	if (di == 0x05060101 && m->nfrozen > 0)
	{
		for (int i = 0; i < m->nfrozen; i++)
			sim_put_bcd(out + 4 * i, 4, m->frozen[i]);
		return 4 * m->nfrozen;
	}
	return -1;
}

/* A reply in parts: the one of number seq, 0 is the first; the last bytes are the number. */
static size_t
answer_part(Meter *m, int seq, uint8_t *data, int n, uint8_t *out)
{
	int from = PART * seq < n ? PART * seq : n;
	int left = n - from < PART ? n - from : PART;
	bool more = from + left < n;

	memmove(data + 4, data + 4 + from, (size_t) left);
	if (seq == 0)
		return build(out, m->address, more ? 0xB1 : 0x91, data, 4 + left);
	data[4 + left] = (uint8_t) seq;
	return build(out, m->address, more ? 0xB2 : 0x92, data, 4 + left + 1);
}

/* Parts of 1997 have no number: each request behind the first gets the next one. */
static size_t
answer_part_1997(Meter *m, bool first, uint8_t *data, int n, uint8_t *out)
{
	int from, left;

	m->part = first ? 0 : m->part + 1;
	from = PART * m->part < n ? PART * m->part : n;
	left = n - from < PART ? n - from : PART;
	memmove(data + 2, data + 2 + from, (size_t) left);
	return build(out, m->address, (first ? 0x81 : 0x82) | (from + left < n ? 0x20 : 0), data,
				 2 + left);
}

/* 1997: 9010 is the total, 9011 the first tariff, 901F all of them. */
static size_t
answer_1997(Meter *m, const uint8_t *frame, uint8_t *out)
{
	uint8_t data[2 + 4 * TARIFFS] = {(uint8_t) (frame[10] - 0x33), (uint8_t) (frame[11] - 0x33)};
	int which = data[0] & 0xF;
	int n = which == 0xF ? m->nvalues : 1;

	if (data[1] != 0x90 || (data[0] & 0xF0) != 0x10 || (which != 0xF && which >= m->nvalues) ||
		(which == 0xF && no_blocks))
		return build(out, m->address, 0xC1, (const uint8_t[]){0x02}, 1);
	for (int i = 0; i < n; i++)
		sim_put_bcd(data + 2 + 4 * i, 4, m->value[which == 0xF ? i : which]);
	if (frame[8] == 0x02 || (in_parts && 4 * n > PART))
		return answer_part_1997(m, frame[8] != 0x02, data, 4 * n, out);
	return build(out, m->address, 0x81, data, 2 + 4 * n);
}

/* What is to be sent for a request; skip: of a part, the one that many behind it. */
static size_t
answer(Meter *m, const uint8_t *frame, int skip, uint8_t *out)
{
	uint8_t data[80];
	uint32_t di = 0;
	int n;

	if (m->is_1997)
		return answer_1997(m, frame, out);
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
	if (frame[8] == 0x12)
		return answer_part(m, (uint8_t) (frame[14] - 0x33) + skip, data, n, out);
	if (in_parts && n > PART)
		return answer_part(m, 0, data, n, out);
	return build(out, m->address, 0x91, data, 4 + n);
}

static void
send_preamble(void)
{
	for (int i = 0; i < preambles; i++)
		sim_send("\xFE", 1);
}

static void
reseal(uint8_t *reply, size_t n)
{
	reply[n - 2] = sim_sum(reply, n - 2);
}

/* Another byte of the reply; with the check of what it says now, but for the first fault. */
static void
spoil(const char *fault, bool is_1997, uint8_t *reply, size_t n)
{
	if (strcmp(fault, "checksum") == 0)
		reply[n - 2] ^= 0x01;
	else if (strcmp(fault, "foreign") == 0)
		reply[1] ^= 0x01;
	else if (strcmp(fault, "wild") == 0)
		memset(reply + 1, 0xAA, 6);
	else if (strcmp(fault, "item") == 0)
		reply[is_1997 ? 10 : 12] ^= is_1997 ? 0x30 : 0x03; /* of forward energy, reverse */
	else if (strcmp(fault, "nibble") == 0)
		reply[n - 3] = (uint8_t) (0x0A + 0x33);
	else if (strcmp(fault, "number") == 0)
		reply[n - 3]++; /* of a part */
	else
		return;
	if (strcmp(fault, "checksum") != 0)
		reseal(reply, n);
}

/* Sends the reply with a fault; true when it went out whole and true. */
static bool
send_faulty(const char *fault, bool is_1997, uint8_t *reply, size_t n)
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
	spoil(fault, is_1997, reply, n);
	if (strcmp(fault, "cut") == 0)
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
	for (int i = 0; i < m->nvalues && frame[8] != (m->is_1997 ? 0x02 : 0x12); i++)
		m->value[i] += sim.grow;
	n = answer(m, frame,
			   strcmp(fault, "skip") == 0	 ? 1
			   : strcmp(fault, "again") == 0 ? -1
											 : 0,
			   reply);
	if (strcmp(fault, "exception") == 0)
		n = build(reply, m->address, 0xD1, (const uint8_t[]){0x04}, 1);
	sim_nap(sim.delay_ms);
	if (send_faulty(fault, m->is_1997, reply, n))
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

	sim_asked(frame, n);
	for (int i = 0; i < 6; i++)
		wild = wild && frame[1 + i] == 0xAA;
	for (int i = 0; i < nmeters; i++)
		if (memcmp(meter[i].address, frame + 1, 6) == 0 || (wild && nmeters == 1))
			serve(&meter[i], frame);
}

/* Of a request at the front of the bytes. */
static long
request_length(const uint8_t *bytes, size_t n)
{
	size_t length = n < 10 ? 0 : 12u + bytes[9];

	if (bytes[0] != 0x68)
		return -1;
	return n < 10 || n < length ? 0 : (long) length;
}

static void
take_bytes(const uint8_t *bytes, size_t n)
{
	sim_collect(bytes, n, request_length, take_request);
}

static void
take_preambles(char *value)
{
	preambles = (int) strtol(value, NULL, 10);
}

static void
take_no_block(char *value)
{
	(void) value;
	no_blocks = true;
}

static void
take_parts(char *value)
{
	(void) value;
	in_parts = true;
}

const SimOption sim_dlt645_options[] = {
	{"dlt645", true, add_meter, "ADDRESS=KWH[,T1,T2,T3,T4]: a DL/T 645-2007 meter"},
	{"dlt645-1997", true, add_old_meter, "ADDRESS=KWH[,T1,T2,T3,T4]: one of 1997"},
	{"number", true, add_number, "ADDRESS=DIGITS: what it calls itself, 04000402"},
	{"freeze", true, add_freeze, "ADDRESS=YYYY-MM-DDThh:mm,KWH[,T1...]: its daily freeze"},
	{"relay", true, add_relay, "ADDRESS=HHHH: its third status word, 04000503"},
	{"fault", true, add_faults,
	 "ADDRESS=KIND[,KIND...]: what happens to its replies, in order: good silent checksum cut\n"
	 "        garbage noise foreign wild item exception nibble late slow twice; of parts also\n"
	 "        number (a wrong one) again (the one before) skip (the one behind)"},
	{"fe", true, take_preambles, "N: preambles in front of a reply (4)"},
	{"no-block", false, take_no_block, "no block identifiers"},
	{"parts", false, take_parts, "blocks in parts of eight bytes"},
	{NULL, false, NULL, NULL},
};
