/*
 * cosem.c -- DLMS data notifications: what a meter pushes inside HDLC
 * In:  the information of an HDLC frame; out: items by OBIS code.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 *		E6 E7 00 0F invoke(4) time body
 *
 * time is 00, or a moment of 12 bytes behind 0C or 09 0C. The body is a list of one of three
 * shapes, and which one only its elements tell:
 *
 *		structures of code, value, and scaler with unit		(Aidon)
 *		a text, then codes and values in turn				(Kamstrup)
 *		values alone, known by their place					(Kaifa)
 *
 * Only the first says unit and scale; the numbers of the others stay as they are sent.
 */
#include "codec/cosem.h"

#include "codec/axdr.h"
#include "codec/obis.h"

#include <stdio.h>
#include <string.h>

#define OBIS_SIZE 6
#define MOMENT_SIZE 12
#define TYPE_DATE_TIME 0x19 /* as an octet string of 12 bytes, without its length */

/* As eb_axdr_value, with the one type of DLMS that meters send beside those. */
static EbFrameError
take_value(EbAxdr *in, EbAxdrValue *value)
{
	if (in->left == 0 || in->at[0] != TYPE_DATE_TIME)
		return eb_axdr_value(in, value);
	eb_axdr_byte(in, &value->type);
	value->n = MOMENT_SIZE;
	return eb_axdr_take(in, value->n, &value->bytes) ? EB_FRAME_OK : EB_FRAME_STRUCTURE;
}

/* Passes over n values with all that is inside them. */
static EbFrameError
skip(EbAxdr *in, size_t n)
{
	EbAxdrValue value;

	/* Each value takes a byte at least, so this ends with the input whatever the counts say. */
	for (; n > 0; n--)
	{
		if (take_value(in, &value) != EB_FRAME_OK)
			return EB_FRAME_STRUCTURE;
		if (eb_axdr_is_list(value.type))
			n += value.n;
	}
	return EB_FRAME_OK;
}

/* Year(2) month day weekday hour minute second hundredths deviation(2) status. */
static EbFrameRef
keep_moment(EbFrame *frame, const uint8_t *bytes)
{
	return eb_axdr_keep_moment(frame, bytes, bytes + 5);
}

static bool
is_code(const EbAxdrValue *value)
{
	return value->type == EB_AXDR_OCTETS && value->n == OBIS_SIZE;
}

/*
 * A new item of a value that is no list. Octet strings are moments, identifications in plain
 * characters, or bytes.
 */
static EbFrameError
add_item(EbFrame *frame, const char *id, const EbAxdrValue *value, int exponent, const char *unit)
{
	EbFrameItem *item = eb_frame_item(frame, id);
	bool moment =
		value->type == TYPE_DATE_TIME || (value->type == EB_AXDR_OCTETS && value->n == MOMENT_SIZE);

	if (item == NULL)
		return EB_FRAME_TOO_LONG;
	if (eb_axdr_is_integer(value->type) || value->type == EB_AXDR_FLOAT32)
	{
		item->unit = eb_frame_keep(frame, unit, strlen(unit));
		return value->type == EB_AXDR_FLOAT32 ? eb_axdr_keep_float32(frame, item, value, exponent)
											  : eb_axdr_keep_integer(frame, item, value, exponent);
	}
	if (value->type == EB_AXDR_FLOAT64)
		return EB_FRAME_VALUE;
	if (moment)
		item->value = keep_moment(frame, value->bytes);
	if (item->value == 0 && value->type != TYPE_DATE_TIME)
		eb_axdr_keep_string(frame, item, value->bytes, value->n);
	item->absent = item->value == 0;
	return EB_FRAME_OK;
}

/* Scaler and unit: a structure of an integer and an enumeration. */
static bool
take_scaler(EbAxdr *in, int *exponent, const char **unit)
{
	EbAxdrValue value;

	if (take_value(in, &value) != EB_FRAME_OK || value.type != EB_AXDR_STRUCTURE || value.n != 2)
		return false;
	if (take_value(in, &value) != EB_FRAME_OK || value.type != EB_AXDR_INT8)
		return false;
	*exponent = (int8_t) value.bytes[0];
	if (take_value(in, &value) != EB_FRAME_OK || value.type != EB_AXDR_ENUM)
		return false;
	*unit = eb_obis_unit(value.bytes[0]);
	if (*unit == NULL)
		*unit = "";
	return true;
}

/* Elements of a list as pairs or triples of their own. */
static EbFrameError
read_structures(EbAxdr *in, size_t n, EbFrame *frame)
{
	for (EbFrameError error = EB_FRAME_OK; n > 0; n--)
	{
		EbAxdrValue head, code, value;
		const char *unit = "";
		char id[EB_OBIS_TEXT_SIZE];
		int exponent = 0;

		if (take_value(in, &head) != EB_FRAME_OK || head.n < 2 || head.n > 3 ||
			take_value(in, &code) != EB_FRAME_OK || !is_code(&code) ||
			take_value(in, &value) != EB_FRAME_OK || eb_axdr_is_list(value.type) ||
			(head.n == 3 && !take_scaler(in, &exponent, &unit)))
			return EB_FRAME_STRUCTURE;
		eb_obis_text(code.bytes, id);
		error = add_item(frame, id, &value, exponent, unit);
		if (error != EB_FRAME_OK)
			return error;
	}
	return EB_FRAME_OK;
}

/* Codes, each with its value behind it; what stands between (a name of the list) is passed over. */
static EbFrameError
read_pairs(EbAxdr *in, size_t n, EbFrame *frame)
{
	EbFrameError error = EB_FRAME_OK;
	EbAxdrValue value;
	char id[EB_OBIS_TEXT_SIZE];

	while (n > 0 && error == EB_FRAME_OK)
	{
		error = take_value(in, &value);
		n--;
		if (error == EB_FRAME_OK && eb_axdr_is_list(value.type))
			error = skip(in, value.n);
		if (error != EB_FRAME_OK || !is_code(&value) || n == 0)
			continue;
		eb_obis_text(value.bytes, id);
		error = take_value(in, &value);
		n--;
		if (error == EB_FRAME_OK)
			error = eb_axdr_is_list(value.type) ? skip(in, value.n)
												: add_item(frame, id, &value, 0, "");
	}
	return error;
}

/* Values by their place, counted from 1. */
static EbFrameError
read_places(EbAxdr *in, size_t n, EbFrame *frame)
{
	EbFrameError error = EB_FRAME_OK;

	for (size_t i = 1; i <= n && error == EB_FRAME_OK; i++)
	{
		EbAxdrValue value;
		char id[EB_OBIS_TEXT_SIZE];

		snprintf(id, sizeof(id), "#%zu", i);
		error = take_value(in, &value);
		if (error == EB_FRAME_OK)
			error = eb_axdr_is_list(value.type) ? skip(in, value.n)
												: add_item(frame, id, &value, 0, "");
	}
	return error;
}

static EbFrameError
read_body(EbAxdr *in, EbFrame *frame)
{
	EbAxdrValue head, value;
	size_t nlists = 0, ncodes = 0;
	EbAxdr ahead;

	if (take_value(in, &head) != EB_FRAME_OK || !eb_axdr_is_list(head.type))
		return EB_FRAME_STRUCTURE;
	ahead = *in;
	for (size_t i = 0; i < head.n; i++)
	{
		if (take_value(&ahead, &value) != EB_FRAME_OK)
			return EB_FRAME_STRUCTURE;
		ncodes += is_code(&value) ? 1 : 0;
		if (!eb_axdr_is_list(value.type))
			continue;
		nlists++;
		if (skip(&ahead, value.n) != EB_FRAME_OK)
			return EB_FRAME_STRUCTURE;
	}
	if (nlists > 0 && nlists == head.n)
		return read_structures(in, head.n, frame);
	if (ncodes > 0)
		return read_pairs(in, head.n, frame);
	return read_places(in, head.n, frame);
}

EbFrameError
eb_cosem_push(const uint8_t *bytes, size_t n, EbFrame *frame)
{
	static const uint8_t start[] = {0xE6, 0xE7, 0x00, 0x0F};
	EbAxdr in = {bytes, n};
	const uint8_t *part;
	uint8_t length;
	EbFrameError error;

	if (!eb_axdr_take(&in, sizeof(start), &part) || memcmp(part, start, sizeof(start)) != 0)
		return EB_FRAME_OK;
	if (!eb_axdr_take(&in, 4, &part) || !eb_axdr_byte(&in, &length))
		return EB_FRAME_STRUCTURE;
	if (length == EB_AXDR_OCTETS && !eb_axdr_byte(&in, &length))
		return EB_FRAME_STRUCTURE;
	if ((length != 0 && length != MOMENT_SIZE) || !eb_axdr_take(&in, length, &part))
		return EB_FRAME_STRUCTURE;
	if (length == MOMENT_SIZE)
		frame->hdlc.time = keep_moment(frame, part);
	error = read_body(&in, frame);
	return frame->full ? EB_FRAME_TOO_LONG : error;
}
