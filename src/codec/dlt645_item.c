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
#include "codec/dlt645_value.h"

#include <stdio.h>

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
	EbDlt645Kind kind;
} Row;

#define ENERGY(kind, is_signed, unit)               \
	{                                               \
		((uint32_t) (kind)) << 16, SPAN_TARIFF,     \
		{                                           \
			EB_DLT645_NUMBER, 4, 2, is_signed, unit \
		}                                           \
	}

/* Forward and reverse active, combined reactive 1 and 2, quadrants 1 to 4, apparent both ways. */
#define ENERGIES(first)                                                           \
	ENERGY((first), false, "kWh"), ENERGY((first) + 1, false, "kWh"),             \
		ENERGY((first) + 2, true, "kvarh"), ENERGY((first) + 3, true, "kvarh"),   \
		ENERGY((first) + 4, false, "kvarh"), ENERGY((first) + 5, false, "kvarh"), \
		ENERGY((first) + 6, false, "kvarh"), ENERGY((first) + 7, false, "kvarh"), \
		ENERGY((first) + 8, false, "kVAh"), ENERGY((first) + 9, false, "kVAh")

#define DEMAND(kind, is_signed, unit)                        \
	{                                                        \
		0x01000000 | ((uint32_t) (kind)) << 16, SPAN_TARIFF, \
		{                                                    \
			EB_DLT645_DEMAND, 8, 4, is_signed, unit          \
		}                                                    \
	}

/* Maximum demands and their moments, in the same order. */
#define DEMANDS(first)                                                          \
	DEMAND((first), false, "kW"), DEMAND((first) + 1, false, "kW"),             \
		DEMAND((first) + 2, true, "kvar"), DEMAND((first) + 3, true, "kvar"),   \
		DEMAND((first) + 4, false, "kvar"), DEMAND((first) + 5, false, "kvar"), \
		DEMAND((first) + 6, false, "kvar"), DEMAND((first) + 7, false, "kvar"), \
		DEMAND((first) + 8, false, "kVA"), DEMAND((first) + 9, false, "kVA")

static const Row table[] = {
	ENERGY(0x00, true, "kWh"), /* combined active */
	ENERGIES(0x01),
	ENERGIES(0x15),													/* phase A */
	ENERGIES(0x29),													/* phase B */
	ENERGIES(0x3D),													/* phase C */
	{0x00900100, SPAN_ONE, {EB_DLT645_NUMBER, 4, 2, false, "kWh"}}, /* prepaid: energy left */
	{0x00900200, SPAN_ONE, {EB_DLT645_NUMBER, 4, 2, false, ""}},	/* prepaid: money left */
	DEMANDS(0x01),
	DEMANDS(0x15), /* phase A */
	DEMANDS(0x29), /* phase B */
	DEMANDS(0x3D), /* phase C */
	{0x02010000, SPAN_PHASE, {EB_DLT645_NUMBER, 2, 1, false, "V"}},
	{0x02020000, SPAN_PHASE, {EB_DLT645_NUMBER, 3, 3, true, "A"}},
	{0x02030000, SPAN_TOTAL, {EB_DLT645_NUMBER, 3, 4, true, "kW"}},
	{0x02040000, SPAN_TOTAL, {EB_DLT645_NUMBER, 3, 4, true, "kvar"}},
	{0x02050000, SPAN_TOTAL, {EB_DLT645_NUMBER, 3, 4, false, "kVA"}},
	{0x02060000, SPAN_TOTAL, {EB_DLT645_NUMBER, 2, 3, true, ""}}, /* power factor */
	{0x02800001, SPAN_ONE, {EB_DLT645_NUMBER, 3, 3, false, "A"}}, /* neutral */
	{0x02800002, SPAN_ONE, {EB_DLT645_NUMBER, 2, 2, false, "Hz"}},
	{0x02800003, SPAN_ONE, {EB_DLT645_NUMBER, 3, 4, false, "kW"}}, /* mean of one minute */
	{0x02800007, SPAN_ONE, {EB_DLT645_NUMBER, 2, 1, true, "Cel"}}, /* inside the meter */
	{0x02800008, SPAN_ONE, {EB_DLT645_NUMBER, 2, 2, false, "V"}},  /* battery of the clock */
	{0x03300D00, SPAN_ONE, {EB_DLT645_NUMBER, 3, 0, false, ""}},   /* covers opened (State Grid) */
	{0x1D000001, SPAN_ONE, {EB_DLT645_NUMBER, 3, 0, false, ""}},   /* trips (State Grid) */
	{0x04000101, SPAN_ONE, {EB_DLT645_DATE, 4, 0, false, ""}},
	{0x04000102, SPAN_ONE, {EB_DLT645_SECOND, 3, 0, false, ""}},
	{0x04000401, SPAN_ONE, {EB_DLT645_DIGITS, 6, 0, false, ""}}, /* communication address */
	{0x04000402, SPAN_ONE, {EB_DLT645_DIGITS, 6, 0, false, ""}}, /* number of the meter */
	{0x04000501, SPAN_ONE, {EB_DLT645_BITS, 2, 0, false, ""}},	 /* status words */
	{0x04000502, SPAN_ONE, {EB_DLT645_BITS, 2, 0, false, ""}},
	{0x04000503, SPAN_ONE, {EB_DLT645_BITS, 2, 0, false, ""}},
	{0x04000504, SPAN_ONE, {EB_DLT645_BITS, 2, 0, false, ""}},
	{0x04000505, SPAN_ONE, {EB_DLT645_BITS, 2, 0, false, ""}},
	{0x04000506, SPAN_ONE, {EB_DLT645_BITS, 2, 0, false, ""}},
	{0x04000507, SPAN_ONE, {EB_DLT645_BITS, 2, 0, false, ""}},
	{0x05060000, SPAN_DAY, {EB_DLT645_MINUTE, 5, 0, false, ""}}, /* daily freeze: when */
	{0x05060100,
	 SPAN_DAYS,
	 {EB_DLT645_NUMBER, 4, 2, false, "kWh"}}, /* daily freeze: forward active */
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
eb_dlt645_2007_items(uint32_t di, const uint8_t *data, size_t n, EbFrame *frame)
{
	const Row *row = table;
	const Row *end = table + sizeof(table) / sizeof(table[0]);
	Block block;

	eb_frame_clear(frame);
	while (row < end && !row_covers(row, di, &block))
		row++;
	if (row == end || n == 0 || n % row->kind.size != 0 || n / row->kind.size > block.count)
		return EB_FRAME_STRUCTURE;
	for (unsigned k = 0; k < n / row->kind.size; k++)
	{
		char id[16];
		EbFrameError error;

		name_item(row, di, block.first + k, id, sizeof(id));
		error = eb_dlt645_add(frame, id, &row->kind, data + (size_t) k * row->kind.size);
		if (error != EB_FRAME_OK)
			return error;
	}
	return EB_FRAME_OK;
}
