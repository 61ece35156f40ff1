/*
 * axdr.c -- values as DL/T 698.45 and DLMS write them: a type byte, then the value, high byte first
 * In:  bytes of an APDU; out: numbers, texts and moments as decimal text.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "codec/axdr.h"

#include "base/civil.h"
#include "base/float32.h"
#include "base/scaled.h"

#include <string.h>

/* Powers of ten that a scaler may ask for: beyond them a register is no energy. */
#define MAX_EXPONENT 18

bool
eb_axdr_take(EbAxdr *in, size_t n, const uint8_t **bytes)
{
	if (in->left < n)
		return false;
	*bytes = in->at;
	in->at += n;
	in->left -= n;
	return true;
}

bool
eb_axdr_byte(EbAxdr *in, uint8_t *byte)
{
	const uint8_t *at;

	if (!eb_axdr_take(in, 1, &at))
		return false;
	*byte = *at;
	return true;
}

/* A count: one byte below 80H, else 81H or 82H and that many bytes. No frame holds more. */
static bool
take_count(EbAxdr *in, size_t *count)
{
	const uint8_t *bytes;
	uint8_t first;

	if (!eb_axdr_byte(in, &first))
		return false;
	*count = first;
	if (first < 0x80)
		return true;
	if (first > 0x82 || first == 0x80 || !eb_axdr_take(in, first - 0x80u, &bytes))
		return false;
	*count = first == 0x81 ? bytes[0] : (size_t) bytes[0] << 8 | bytes[1];
	return true;
}

/* Bytes of a type of one size, or -1. */
static int
fixed_size(uint8_t type)
{
	switch (type)
	{
		case EB_AXDR_NULL:
			return 0;
		case EB_AXDR_BOOL:
		case EB_AXDR_INT8:
		case EB_AXDR_UINT8:
		case EB_AXDR_ENUM:
			return 1;
		case EB_AXDR_INT16:
		case EB_AXDR_UINT16:
			return 2;
		case EB_AXDR_INT32:
		case EB_AXDR_UINT32:
		case EB_AXDR_FLOAT32:
			return 4;
		case EB_AXDR_INT64:
		case EB_AXDR_UINT64:
		case EB_AXDR_FLOAT64:
			return 8;
	}
	return -1;
}

bool
eb_axdr_is_list(uint8_t type)
{
	return type == EB_AXDR_ARRAY || type == EB_AXDR_STRUCTURE;
}

EbFrameError
eb_axdr_value(EbAxdr *in, EbAxdrValue *value)
{
	int size;

	value->bytes = in->at;
	value->n = 0;
	if (!eb_axdr_byte(in, &value->type))
		return EB_FRAME_STRUCTURE;
	size = fixed_size(value->type);
	if (size >= 0)
		value->n = (size_t) size;
	else if (eb_axdr_is_list(value->type))
		return take_count(in, &value->n) ? EB_FRAME_OK : EB_FRAME_STRUCTURE;
	else if (value->type == EB_AXDR_OCTETS || value->type == EB_AXDR_VISIBLE ||
			 value->type == EB_AXDR_UTF8 || value->type == EB_AXDR_BITS)
	{
		if (!take_count(in, &value->n))
			return EB_FRAME_STRUCTURE;
		if (value->type == EB_AXDR_BITS)
			value->n = (value->n + 7) / 8;
	}
	else
		return EB_FRAME_VALUE;
	return eb_axdr_take(in, value->n, &value->bytes) ? EB_FRAME_OK : EB_FRAME_STRUCTURE;
}

bool
eb_axdr_is_integer(uint8_t type)
{
	switch (type)
	{
		case EB_AXDR_BOOL:
		case EB_AXDR_INT8:
		case EB_AXDR_UINT8:
		case EB_AXDR_ENUM:
		case EB_AXDR_INT16:
		case EB_AXDR_UINT16:
		case EB_AXDR_INT32:
		case EB_AXDR_UINT32:
		case EB_AXDR_INT64:
		case EB_AXDR_UINT64:
			return true;
	}
	return false;
}

EbFrameError
eb_axdr_keep_integer(EbFrame *frame, EbFrameItem *item, const EbAxdrValue *value, int exponent)
{
	bool is_signed = value->type == EB_AXDR_INT8 || value->type == EB_AXDR_INT16 ||
					 value->type == EB_AXDR_INT32 || value->type == EB_AXDR_INT64;
	bool negative = is_signed && (value->bytes[0] & 0x80) != 0;
	uint64_t magnitude = 0;
	char text[EB_SCALED_TEXT];

	if (exponent < -MAX_EXPONENT || exponent > MAX_EXPONENT)
		return EB_FRAME_VALUE;
	for (size_t i = 0; i < value->n; i++)
		magnitude = magnitude << 8 | (uint8_t) (negative ? ~value->bytes[i] : value->bytes[i]);
	if (negative)
		magnitude++; /* two's complement; -2^63 fits */
	eb_scaled_text(negative, magnitude, exponent, text);
	item->value = eb_frame_keep(frame, text, strlen(text));
	return EB_FRAME_OK;
}

EbFrameError
eb_axdr_keep_float32(EbFrame *frame, EbFrameItem *item, const EbAxdrValue *value, int exponent)
{
	uint32_t bits = 0;
	EbFloat32 real;
	char text[EB_SCALED_TEXT];

	if (exponent < -MAX_EXPONENT || exponent > MAX_EXPONENT)
		return EB_FRAME_VALUE;
	for (size_t i = 0; i < value->n; i++)
		bits = bits << 8 | value->bytes[i];
	item->absent = !eb_float32_shortest(bits, &real);
	if (item->absent)
		return EB_FRAME_OK;
	eb_scaled_text(real.negative, real.digits, real.digits > 0 ? real.exponent + exponent : 0,
				   text);
	item->value = eb_frame_keep(frame, text, strlen(text));
	return EB_FRAME_OK;
}

void
eb_axdr_keep_string(EbFrame *frame, EbFrameItem *item, const uint8_t *bytes, size_t n)
{
	bool printable = true;

	for (size_t i = 0; i < n; i++)
		printable = printable && bytes[i] >= 0x20 && bytes[i] <= 0x7E;
	item->absent = n == 0;
	item->value = printable ? eb_frame_keep(frame, (const char *) bytes, n)
							: eb_frame_keep_hex(frame, bytes, n);
}

EbFrameRef
eb_axdr_keep_moment(EbFrame *frame, const uint8_t *date, const uint8_t *clock)
{
	int year = date[0] << 8 | date[1];

	/* Frames with impossible months under a good check have been published. */
	if (year < 1900 || year > 2999 || date[2] < 1 || date[2] > 12 || date[3] < 1 ||
		date[3] > eb_month_days(year, date[2]) || clock[0] > 23 || clock[1] > 59 || clock[2] > 59)
		return 0;
	return eb_frame_keep_as(frame, "%04d-%02d-%02d %02d:%02d:%02d", year, date[2], date[3],
							clock[0], clock[1], clock[2]);
}
