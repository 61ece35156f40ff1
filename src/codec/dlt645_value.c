/*
 * dlt645_value.c -- the values of DL/T 645, both years: how their bytes become text
 * In:  data less 33H, low byte first; out: items of the frame.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "codec/dlt645_value.h"

#include "base/bcd.h"

#include <stdio.h>
#include <string.h>

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

/* A value as text, and its moment where it has one. */
typedef struct Value
{
	char text[EB_BCD_TEXT_SIZE + 8];
	char time[EB_BCD_TEXT_SIZE + 8];
} Value;

/* A demand and its moment; either may be absent. */
static EbBcd
read_demand(const EbDlt645Kind *kind, const uint8_t *data, Value *value)
{
	if (read_pattern(data + 3, 5, "20xx-xx-xx xx:xx", value->time) == EB_BCD_BAD)
		return EB_BCD_BAD;
	return eb_bcd_decimal(data, 3, kind->places, kind->is_signed, value->text);
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
read_value(const EbDlt645Kind *kind, const uint8_t *data, Value *value)
{
	switch (kind->form)
	{
		case EB_DLT645_NUMBER:
			return eb_bcd_decimal(data, kind->size, kind->places, kind->is_signed, value->text);
		case EB_DLT645_DEMAND:
			return read_demand(kind, data, value);
		case EB_DLT645_MINUTE:
			return read_pattern(data, kind->size, "20xx-xx-xx xx:xx", value->text);
		case EB_DLT645_YEARLESS:
			return read_pattern(data, kind->size, "xx-xx xx:xx", value->text);
		case EB_DLT645_DATE:
			return read_date(data, value->text);
		case EB_DLT645_SECOND:
			return read_pattern(data, kind->size, "xx:xx:xx", value->text);
		case EB_DLT645_DIGITS:
			return read_pattern(data, kind->size, "xxxxxxxxxxxx", value->text);
		case EB_DLT645_BITS:
			return read_bits(data, value->text, sizeof(value->text));
	}
	return EB_BCD_BAD;
}

EbFrameError
eb_dlt645_add(EbFrame *frame, const char *id, const EbDlt645Kind *kind, const uint8_t *data)
{
	Value value = {"", ""};
	EbFrameItem *item = eb_frame_item(frame, id);
	EbBcd status;

	if (item == NULL)
		return EB_FRAME_STRUCTURE;
	status = read_value(kind, data, &value);
	if (status == EB_BCD_BAD)
		return EB_FRAME_VALUE;
	item->absent = status == EB_BCD_ABSENT;
	item->value = eb_frame_keep(frame, value.text, strlen(value.text));
	item->unit = eb_frame_keep(frame, kind->unit, strlen(kind->unit));
	item->time = eb_frame_keep(frame, value.time, strlen(value.time));
	return frame->full ? EB_FRAME_STRUCTURE : EB_FRAME_OK;
}
