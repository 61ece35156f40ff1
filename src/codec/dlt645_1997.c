/*
 * dlt645_1997.c -- what the data of a DL/T 645-1997 identifier mean
 * In:  a data identifier DI1 DI0 and its data, less 33H, low byte first.
 * Out: items of the frame; blocks are taken apart into the identifiers they stand for.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * DI1 says what (90 active energy, A0 demand, B6 momentary values, C0 parameters) and when (a
 * second nibble of 4 or 8: last month, the month before); the high digit of DI0 the direction or
 * quadrant, its low digit 0 total, 1..E tariffs, F the block. What is not in the table, or does not
 * have the length it says, stays raw; nothing is guessed.
 */
#include "codec/dlt645.h"
#include "codec/dlt645_value.h"

#include <stdio.h>

/* What the low digit of DI0 counts. */
typedef enum Span
{
	SPAN_ONE,	 /* nothing: this identifier alone */
	SPAN_TARIFF, /* 0 total, 1..E tariffs, F block of all */
	SPAN_PHASE,	 /* 1..3, F block of the three */
	SPAN_TOTAL	 /* 0 total, 1..3 phases, F block of the four */
} Span;

/* Identifiers first..last without their low digit, by steps of 10H. */
typedef struct Row
{
	uint16_t first;
	uint16_t last;
	Span span;
	EbDlt645Kind kind;
} Row;

/* Of now, of last month and of the month before. */
#define OF_MONTHS(first, last, ...)                                    \
	{(first), (last), SPAN_TARIFF, __VA_ARGS__},                       \
		{(first) + 0x0400, (last) + 0x0400, SPAN_TARIFF, __VA_ARGS__}, \
	{                                                                  \
		(first) + 0x0800, (last) + 0x0800, SPAN_TARIFF, __VA_ARGS__    \
	}

static const Row table[] = {
	/* forward, reverse */
	OF_MONTHS(0x9010, 0x9020, {EB_DLT645_NUMBER, 4, 2, false, "kWh"}),
	/* forward, reverse, quadrants */
	OF_MONTHS(0x9110, 0x9160, {EB_DLT645_NUMBER, 4, 2, false, "kvarh"}),
	/* maximum demand, and when it was */
	OF_MONTHS(0xA010, 0xA020, {EB_DLT645_NUMBER, 3, 4, false, "kW"}),
	OF_MONTHS(0xA110, 0xA160, {EB_DLT645_NUMBER, 3, 4, false, "kvar"}),
	OF_MONTHS(0xB010, 0xB020, {EB_DLT645_YEARLESS, 4, 0, false, ""}),
	OF_MONTHS(0xB110, 0xB160, {EB_DLT645_YEARLESS, 4, 0, false, ""}),
	{0xB610, 0xB610, SPAN_PHASE, {EB_DLT645_NUMBER, 2, 0, false, "V"}},
	{0xB620, 0xB620, SPAN_PHASE, {EB_DLT645_NUMBER, 2, 2, false, "A"}},
	{0xB630, 0xB630, SPAN_TOTAL, {EB_DLT645_NUMBER, 3, 4, false, "kW"}},
	{0xB640, 0xB640, SPAN_TOTAL, {EB_DLT645_NUMBER, 2, 2, false, "kvar"}},
	{0xB650, 0xB650, SPAN_TOTAL, {EB_DLT645_NUMBER, 2, 3, false, ""}}, /* power factor */
	{0xC010, 0xC010, SPAN_ONE, {EB_DLT645_DATE, 4, 0, false, ""}},
	{0xC011, 0xC011, SPAN_ONE, {EB_DLT645_SECOND, 3, 0, false, ""}},
	{0xC032, 0xC032, SPAN_ONE, {EB_DLT645_DIGITS, 6, 0, false, ""}}, /* number of the meter */
};

/* Low digits that stand for one value: first..last. */
static void
digits_of(Span span, unsigned *first, unsigned *last)
{
	*first = span == SPAN_PHASE ? 1 : 0;
	*last = span == SPAN_TARIFF ? 0xE : 3;
}

/* Values that di can have: 0 when it is none of the row's. *first: low digit of the first. */
static size_t
count_values(const Row *row, uint32_t di, unsigned *first)
{
	unsigned digit = di & 0x0F;
	uint32_t stem = di - digit;
	unsigned last;

	if (row->span == SPAN_ONE)
		return di == row->first ? 1 : 0;
	if (stem < row->first || stem > row->last)
		return 0;
	digits_of(row->span, first, &last);
	if (digit == 0x0F)
		return last - *first + 1;
	if (digit < *first || digit > last)
		return 0;
	*first = digit;
	return 1;
}

EbFrameError
eb_dlt645_1997_items(uint32_t di, const uint8_t *data, size_t n, EbFrame *frame)
{
	const Row *row = table;
	const Row *end = table + sizeof(table) / sizeof(table[0]);
	unsigned first = di & 0x0F;
	size_t count = 0;

	eb_frame_clear(frame);
	while (row < end && (count = count_values(row, di, &first)) == 0)
		row++;
	if (row == end || n == 0 || n % row->kind.size != 0 || n / row->kind.size > count)
		return EB_FRAME_STRUCTURE;
	for (unsigned k = 0; k < n / row->kind.size; k++)
	{
		char id[16];
		EbFrameError error;

		snprintf(id, sizeof(id), "%04X", (unsigned) (di & 0xFFF0) | (first + k));
		error = eb_dlt645_add(frame, id, &row->kind, data + (size_t) k * row->kind.size);
		if (error != EB_FRAME_OK)
			return error;
	}
	return EB_FRAME_OK;
}

/* DI2 of the 2007 energy that the high digit of a 1997 reactive energy stands for. */
static uint32_t
reactive_kind(unsigned digit)
{
	/* forward, reverse, quadrants I, IV, II, III */
	static const uint8_t kind[] = {0x03, 0x04, 0x05, 0x08, 0x06, 0x07};

	return digit >= 1 && digit <= sizeof(kind) ? kind[digit - 1] : 0;
}

/* 9x1t: total, tariff t or block, of now or of a settlement. */
static uint32_t
energy_equivalent(uint32_t di)
{
	unsigned group = di >> 8;
	unsigned high = di >> 4 & 0x0F;
	uint32_t tariff = (di & 0x0F) == 0x0F ? 0xFF : di & 0x0F;
	uint32_t kind = (group & 1) == 0 ? (high <= 2 ? high : 0) : reactive_kind(high);

	if (kind == 0 || (group & 0x02) != 0)
		return 0;
	return kind << 16 | tariff << 8 | (group - 0x90) >> 2;
}

uint32_t
eb_dlt645_equivalent(uint32_t di_1997)
{
	uint32_t stem = di_1997 & 0xFFF0;
	uint32_t phase = (di_1997 & 0x0F) == 0x0F ? 0xFF : di_1997 & 0x0F;

	if (stem >= 0x9010 && stem <= 0x9960)
		return energy_equivalent(di_1997);
	if (stem >= 0xB610 && stem <= 0xB640)
		return 0x02000000 | (stem >> 4 & 0x0F) << 16 | phase << 8;
	if (stem == 0xB650)
		return 0x02060000 | phase << 8;
	switch (di_1997)
	{
		case 0xC010:
			return 0x04000101;
		case 0xC011:
			return 0x04000102;
		case 0xC032:
			return 0x04000402;
	}
	return 0;
}
