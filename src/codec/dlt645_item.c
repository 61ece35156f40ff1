/*
 * dlt645_item.c -- what the data of a DL/T 645-2007 identifier mean
 * In:  a data identifier DI3..DI0 and its data, less 33H, low byte first.
 * Out: items of the frame; blocks are taken apart into the identifiers they stand for.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * The table is that of the standard's annex A as far as billing needs it. What is not in it, or
 * does not have the length it says, stays raw; nothing is guessed.
 */
#include "codec/dlt645.h"

#include "base/bcd.h"

#include <stdio.h>
#include <string.h>

/* How the bytes of one value are written. */
typedef enum Form
{
	FORM_NUMBER, /* BCD with places; is_signed: sign in the top bit */
	FORM_DEMAND, /* XX.XXXX kW and YYMMDDhhmm of its moment */
	FORM_MINUTE, /* YYMMDDhhmm */
	FORM_DATE,	 /* YYMMDDWW, WW the weekday */
	FORM_SECOND, /* hhmmss */
	FORM_DIGITS, /* BCD digits of a number that is a name */
	FORM_BITS	 /* status word, as hex */
} Form;

/* Which identifiers a row stands for, beside its own di. */
typedef enum Span
{
	SPAN_ONE,	 /* this one alone */
	SPAN_TARIFF, /* DI1 00 total, 01..3F tariffs, FF block of all; DI0 00 now, 01..0C settlements */
	SPAN_PHASE,	 /* DI1 01..03, FF block of the three */
	SPAN_TOTAL,	 /* DI1 00 total, 01..03 phases, FF block of the four */
	SPAN_DAY,	 /* DI0 01 the last day, 02 the day before, ... */
	SPAN_DAYS /* as SPAN_DAY, each a block of total and tariffs without identifiers of their own */
} Span;

typedef struct Row
{
	uint32_t di;
	Span span;
	Form form;
	uint8_t size; /* bytes of one value */
	uint8_t places;
	bool is_signed;
	const char *unit;
} Row;

#define ENERGY(kind, is_signed, unit)                                              \
	{                                                                              \
		((uint32_t) (kind)) << 16, SPAN_TARIFF, FORM_NUMBER, 4, 2, is_signed, unit \
	}

/* Forward and reverse active, combined reactive 1 and 2, quadrants 1 to 4, apparent both ways. */
#define ENERGIES(first)                                                           \
	ENERGY((first), false, "kWh"), ENERGY((first) + 1, false, "kWh"),             \
		ENERGY((first) + 2, true, "kvarh"), ENERGY((first) + 3, true, "kvarh"),   \
		ENERGY((first) + 4, false, "kvarh"), ENERGY((first) + 5, false, "kvarh"), \
		ENERGY((first) + 6, false, "kvarh"), ENERGY((first) + 7, false, "kvarh"), \
		ENERGY((first) + 8, false, "kVAh"), ENERGY((first) + 9, false, "kVAh")

static const Row table[] = {
	ENERGY(0x00, true, "kWh"), /* combined active */
	ENERGIES(0x01),
	ENERGIES(0x15),											 /* phase A */
	ENERGIES(0x29),											 /* phase B */
	ENERGIES(0x3D),											 /* phase C */
	{0x00900100, SPAN_ONE, FORM_NUMBER, 4, 2, false, "kWh"}, /* prepaid: energy left */
	{0x00900200, SPAN_ONE, FORM_NUMBER, 4, 2, false, ""},	 /* prepaid: money left */
	{0x01010000, SPAN_TARIFF, FORM_DEMAND, 8, 4, false, "kW"},
	{0x02010000, SPAN_PHASE, FORM_NUMBER, 2, 1, false, "V"},
	{0x02020000, SPAN_PHASE, FORM_NUMBER, 3, 3, true, "A"},
	{0x02030000, SPAN_TOTAL, FORM_NUMBER, 3, 4, true, "kW"},
	{0x02040000, SPAN_TOTAL, FORM_NUMBER, 3, 4, true, "kvar"},
	{0x02050000, SPAN_TOTAL, FORM_NUMBER, 3, 4, false, "kVA"},
	{0x02060000, SPAN_TOTAL, FORM_NUMBER, 2, 3, true, ""}, /* power factor */
	{0x02800001, SPAN_ONE, FORM_NUMBER, 3, 3, false, "A"}, /* neutral */
	{0x02800002, SPAN_ONE, FORM_NUMBER, 2, 2, false, "Hz"},
	{0x02800003, SPAN_ONE, FORM_NUMBER, 3, 4, false, "kW"}, /* mean of one minute */
	{0x02800007, SPAN_ONE, FORM_NUMBER, 2, 1, true, "Cel"}, /* inside the meter */
	{0x02800008, SPAN_ONE, FORM_NUMBER, 2, 2, false, "V"},	/* battery of the clock */
	{0x03300D00, SPAN_ONE, FORM_NUMBER, 3, 0, false, ""},	/* covers opened (State Grid) */
	{0x1D000001, SPAN_ONE, FORM_NUMBER, 3, 0, false, ""},	/* trips (State Grid) */
	{0x04000101, SPAN_ONE, FORM_DATE, 4, 0, false, ""},
	{0x04000102, SPAN_ONE, FORM_SECOND, 3, 0, false, ""},
	{0x04000401, SPAN_ONE, FORM_DIGITS, 6, 0, false, ""}, /* communication address */
	{0x04000402, SPAN_ONE, FORM_DIGITS, 6, 0, false, ""}, /* number of the meter */
	{0x04000501, SPAN_ONE, FORM_BITS, 2, 0, false, ""},	  /* status words */
	{0x04000502, SPAN_ONE, FORM_BITS, 2, 0, false, ""},
	{0x04000503, SPAN_ONE, FORM_BITS, 2, 0, false, ""},
	{0x04000504, SPAN_ONE, FORM_BITS, 2, 0, false, ""},
	{0x04000505, SPAN_ONE, FORM_BITS, 2, 0, false, ""},
	{0x04000506, SPAN_ONE, FORM_BITS, 2, 0, false, ""},
	{0x04000507, SPAN_ONE, FORM_BITS, 2, 0, false, ""},
	{0x05060000, SPAN_DAY, FORM_MINUTE, 5, 0, false, ""},	  /* daily freeze: when */
	{0x05060100, SPAN_DAYS, FORM_NUMBER, 4, 2, false, "kWh"}, /* daily freeze: forward active */
};

/* Where the values of a block begin and how many it can have; count 1: a single identifier. */
typedef struct Block
{
	unsigned first;
	size_t count;
} Block;

/* Whether di is one that the row stands for. */
static bool
row_covers(const Row *row, uint32_t di, Block *block)
{
	unsigned di1 = (di >> 8) & 0xFF;
	unsigned di0 = di & 0xFF;
	bool is_block = di1 == 0xFF;

	block->first = row->span == SPAN_PHASE ? 1 : 0;
	block->count = 1;
	switch (row->span)
	{
		case SPAN_ONE:
			return di == row->di;
		case SPAN_TARIFF:
			if (is_block)
				block->count = 1 + 0x3F;
			return (di & 0xFFFF0000) == row->di && (is_block || di1 <= 0x3F) && di0 <= 0x0C;
		case SPAN_PHASE:
		case SPAN_TOTAL:
			if (is_block)
				block->count = 4 - block->first;
			return (di & 0xFFFF0000) == row->di && di0 == 0 &&
				   (is_block || (di1 >= block->first && di1 <= 3));
		case SPAN_DAYS:
			block->count = 1 + 0x3F;
			return (di & 0xFFFFFF00) == row->di && di0 >= 1 && di0 <= 0xFE;
		case SPAN_DAY:
			return (di & 0xFFFFFF00) == row->di && di0 >= 1 && di0 <= 0xFE;
	}
	return false;
}

/*
 * BCD digits, low byte first, into a pattern whose letters 'x' are digits from the left. The
 * meter's clock is passed on as it stands: whether it is a date at all is for the reader of the
 * value to judge (a demand that never occurred says 2000-00-00 00:00).
 */
static EbBcd
read_pattern(const uint8_t *data, size_t n, const char *pattern, char *out)
{
	char digits[2 * EB_BCD_MAX_BYTES + 1];
	const char *digit = digits;
	EbBcd status = eb_bcd_digits(data, n, digits);

	if (status == EB_BCD_OK)
	{
		for (; *pattern != '\0'; pattern++)
			*out++ = *pattern == 'x' ? *digit++ : *pattern;
	}
	*out = '\0';
	return status;
}

/* The date is in the upper three bytes; the weekday below says nothing more, but must be BCD. */
static EbBcd
read_date(const uint8_t *data, char *out)
{
	char weekday[3];
	EbBcd date = read_pattern(data + 1, 3, "20xx-xx-xx", out);

	if (date == EB_BCD_OK && eb_bcd_digits(data, 1, weekday) == EB_BCD_BAD)
		return EB_BCD_BAD;
	return date;
}

/* A demand and its moment; either may be absent. */
static EbBcd
read_demand(const Row *row, const uint8_t *data, EbFrameItem *item)
{
	if (read_pattern(data + 3, 5, "20xx-xx-xx xx:xx", item->time) == EB_BCD_BAD)
		return EB_BCD_BAD;
	return eb_bcd_decimal(data, 3, row->places, false, item->value);
}

static EbBcd
read_bits(const uint8_t *data, char *out, size_t size)
{
	if (data[0] == 0xFF && data[1] == 0xFF)
		return EB_BCD_ABSENT;
	snprintf(out, size, "%02X%02X", data[1], data[0]);
	return EB_BCD_OK;
}

static EbBcd
read_value(const Row *row, const uint8_t *data, EbFrameItem *item)
{
	switch (row->form)
	{
		case FORM_NUMBER:
			return eb_bcd_decimal(data, row->size, row->places, row->is_signed, item->value);
		case FORM_DEMAND:
			return read_demand(row, data, item);
		case FORM_MINUTE:
			return read_pattern(data, row->size, "20xx-xx-xx xx:xx", item->value);
		case FORM_DATE:
			return read_date(data, item->value);
		case FORM_SECOND:
			return read_pattern(data, row->size, "xx:xx:xx", item->value);
		case FORM_DIGITS:
			return read_pattern(data, row->size, "xxxxxxxxxxxx", item->value);
		case FORM_BITS:
			return read_bits(data, item->value, sizeof(item->value));
	}
	return EB_BCD_BAD;
}

/* The identifier of value k of what was asked by di. */
static void
name_item(const Row *row, uint32_t di, unsigned k, char *id, size_t size)
{
	if (row->span == SPAN_DAYS)
		snprintf(id, size, "%08X.%u", di, k);
	else if ((di & 0xFF00) == 0xFF00)
		snprintf(id, size, "%08X", (di & 0xFFFF00FF) | (uint32_t) k << 8);
	else
		snprintf(id, size, "%08X", di);
}

EbFrameError
eb_dlt645_items(uint32_t di, const uint8_t *data, size_t n, EbFrame *frame)
{
	const Row *row = table;
	const Row *end = table + sizeof(table) / sizeof(table[0]);
	Block block;

	frame->nitems = 0;
	while (row < end && !row_covers(row, di, &block))
		row++;
	if (row == end || n == 0 || n % row->size != 0 || n / row->size > block.count)
		return EB_FRAME_STRUCTURE;
	for (unsigned k = 0; k < n / row->size; k++)
	{
		char id[sizeof(frame->items[0].id)];
		EbFrameItem *item;
		EbBcd status;

		name_item(row, di, block.first + k, id, sizeof(id));
		item = eb_frame_item(frame, id);
		if (item == NULL)
			return EB_FRAME_STRUCTURE;
		memcpy(item->unit, row->unit, strlen(row->unit) + 1);
		status = read_value(row, data + (size_t) k * row->size, item);
		if (status == EB_BCD_BAD)
			return EB_FRAME_VALUE;
		item->absent = status == EB_BCD_ABSENT;
	}
	return EB_FRAME_OK;
}
