/*
 * sim_modbus.c -- Modbus RTU meters on one bus: registers as they are given
 * In:  options, requests of a master. Out: replies 01 to 04, exceptions.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define MAX_UNITS 248
#define MAX_VALUES 64
#define MAX_ANSWERS 64

/* A value in one to four registers. */
typedef struct Value
{
	int fc; /* 3 or 4 */
	unsigned addr;
	char type[8]; /* u16 s16 u32 s32 u64 float32 */
	char order[5];
	double real; /* of a float32 */
	long long whole;
	double step; /* per reply */
} Value;

typedef struct Unit
{
	int number;
	Value value[MAX_VALUES];
	int nvalues;
	const char *answer[MAX_ANSWERS];
	int nanswers;
	int served; /* requests so far: the next answer */
} Unit;

static Unit unit[MAX_UNITS];
static int nunits;
static bool answers_all;

static void take_bytes(const uint8_t *bytes, size_t n);

static void
add_unit(char *text)
{
	Unit *u = &unit[nunits];

	u->number = (int) strtol(text, NULL, 10);
	if (nunits == MAX_UNITS || u->number < 1 || u->number > 247)
		sim_die("--modbus takes a unit of 1 to 247", text);
	nunits++;
	sim.take_bytes = take_bytes;
}

/* FC:ADDR:TYPE[/ORDER]=VALUE[+STEP] */
static void
add_value(char *text)
{
	Unit *u = &unit[nunits - 1];
	Value *v = &u->value[nunits > 0 ? u->nvalues : 0];
	int used = 0;
	char *end;

	if (nunits == 0 || u->nvalues == MAX_VALUES ||
		sscanf(text, "%1d:%x:%7[a-z0-9]%n", &v->fc, &v->addr, v->type, &used) != 3)
		sim_die("--register takes FC:ADDR:TYPE[/ORDER]=VALUE[+STEP], behind --modbus", text);
	memcpy(v->order, "ABCD", 5);
	text += used;
	if (sscanf(text, "/%4[ABCD]%n", v->order, &used) == 1)
		text += used;
	if (*text++ != '=')
		sim_die("--register", "no value");
	v->whole = strtoll(text, &end, 10);
	v->real = strtod(text, &end);
	v->step = *end == '+' ? strtod(end + 1, NULL) : 0;
	u->nvalues++;
}

/* UNIT=KIND[,KIND...]: good, silent, busy, exception */
static void
add_answers(char *text)
{
	char *next = strchr(text, '=');
	Unit *u = NULL;
	char *word;

	for (int i = 0; i < nunits; i++)
		if (unit[i].number == (int) strtol(text, NULL, 10))
			u = &unit[i];
	if (u == NULL || next == NULL)
		sim_die("--answer takes UNIT=KIND[,KIND...] of a unit named before", text);
	next++;
	while ((word = strsep(&next, ",")) != NULL && u->nanswers < MAX_ANSWERS)
		u->answer[u->nanswers++] = word;
}

static void
take_all(char *value)
{
	(void) value;
	answers_all = true;
}

static int
words_of(const Value *v)
{
	return strcmp(v->type, "u64") == 0 ? 4 : strcmp(v->type + 1, "16") == 0 ? 1 : 2;
}

/* The registers of a value; ORDER names the bytes of each 32 bits. */
static void
put_value(const Value *v, uint8_t *out)
{
	int n = 2 * words_of(v);
	uint64_t bits = (uint64_t) v->whole;
	uint8_t plain[8];

	if (strcmp(v->type, "float32") == 0)
	{
		float real = (float) v->real;
		uint32_t word;

		memcpy(&word, &real, sizeof(word));
		bits = word;
	}
	for (int i = 0; i < n; i++)
		plain[i] = (uint8_t) (bits >> 8 * (n - 1 - i));
	for (int i = 0; i < n; i++)
	{
		int from = i;

		if (v->order[0] == 'C' || v->order[0] == 'D') /* low register first */
			from = n - 2 - i / 2 * 2 + i % 2;
		if (v->order[0] == 'B' || v->order[0] == 'D') /* low byte first */
			from ^= 1;
		out[i] = plain[from];
	}
}

/* Data of a reply 03 or 04; false: a register is not there. */
static bool
read_registers(Unit *u, int fc, unsigned addr, unsigned count, uint8_t *out)
{
	bool known[125] = {false};

	memset(out, 0, 2 * (size_t) count);
	for (int i = 0; i < u->nvalues; i++)
	{
		Value *v = &u->value[i];
		uint8_t bytes[8];
		bool read = false;

		if (v->fc != fc)
			continue;
		put_value(v, bytes);
		for (unsigned k = 0; k < (unsigned) words_of(v); k++)
			if (v->addr + k >= addr && v->addr + k < addr + count)
			{
				memcpy(out + 2 * (v->addr + k - addr), bytes + 2 * k, 2);
				known[v->addr + k - addr] = read = true;
			}
		if (read)
		{
			v->real += v->step;
			v->whole += (long long) v->step;
		}
	}
	for (unsigned k = 0; k < count; k++)
		if (!known[k])
			return false;
	return true;
}

static size_t
seal(uint8_t *reply, size_t n)
{
	uint16_t crc = sim_crc16(0xA001, 0xFFFF, reply, n);

	reply[n++] = (uint8_t) crc;
	reply[n++] = (uint8_t) (crc >> 8);
	return n;
}

static size_t
refuse(uint8_t *reply, int fc, int code)
{
	reply[1] = (uint8_t) (0x80 | fc);
	reply[2] = (uint8_t) code;
	return seal(reply, 3);
}

static size_t
answer(Unit *u, const uint8_t *request, uint8_t *reply)
{
	int fc = request[1];
	unsigned addr = (unsigned) request[2] << 8 | request[3];
	unsigned count = (unsigned) request[4] << 8 | request[5];

	reply[0] = (uint8_t) u->number;
	reply[1] = (uint8_t) fc;
	if (fc == 1 || fc == 2)
	{
		if (count < 1 || count > 2000)
			return refuse(reply, fc, 3);
		reply[2] = (uint8_t) ((count + 7) / 8);
		memset(reply + 3, 0x55, reply[2]);
		return seal(reply, 3u + reply[2]);
	}
	if (fc != 3 && fc != 4)
		return refuse(reply, fc, 1);
	if (count < 1 || count > 125)
		return refuse(reply, fc, 3);
	if (!read_registers(u, fc, addr, count, reply + 3))
		return refuse(reply, fc, 2);
	reply[2] = (uint8_t) (2 * count);
	return seal(reply, 3 + 2 * count);
}

static void
take_request(const uint8_t *request, size_t n)
{
	sim_asked(request, n);
	for (int i = 0; i < nunits; i++)
	{
		Unit *u = &unit[i];
		uint8_t reply[260];
		const char *kind;

		if (u->number != request[0] && !answers_all)
			continue;
		kind = u->served < u->nanswers ? u->answer[u->served] : "good";
		u->served++;
		reply[0] = (uint8_t) u->number;
		if (strcmp(kind, "silent") == 0)
			return;
		if (strcmp(kind, "busy") == 0 || strcmp(kind, "exception") == 0)
			n = refuse(reply, request[1], kind[0] == 'b' ? 6 : 4);
		else
			n = answer(u, request, reply);
		sim_serve(reply, n);
		return;
	}
}

/*
 * Requests of eight bytes whose CRC is right. Functions that write are no requests here: a
 * collector that sent one is found by its log, which has no line for it, and gets no answer.
 */
static long
request_length(const uint8_t *bytes, size_t n)
{
	if (n < 8)
		return 0;
	return sim_crc16(0xA001, 0xFFFF, bytes, 8) == 0 && bytes[1] != 5 && bytes[1] != 6 ? 8 : -1;
}

static void
take_bytes(const uint8_t *bytes, size_t n)
{
	sim_collect(bytes, n, request_length, take_request);
}

const SimOption sim_modbus_options[] = {
	{"modbus", true, add_unit, "UNIT: a Modbus RTU meter"},
	{"register", true, add_value,
	 "FC:ADDR:TYPE[/ORDER]=VALUE[+STEP]: what it holds; ADDR hex, from 0; TYPE u16 s16 u32 s32\n"
	 "        u64 float32; STEP is added with each reply"},
	{"answer", true, add_answers, "UNIT=KIND[,KIND...]: good silent busy exception, in order"},
	{"every-unit", false, take_all, "any unit is answered, by its own number"},
	{NULL, false, NULL, NULL},
};
