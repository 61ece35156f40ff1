/*
 * sml_value.c -- SML: type-length-value, one value after the other
 * In:  bytes of messages, escapes taken out; out: values, decimal text.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * The first byte has the type in bits 6..4 and a digit of the length in bits 3..0; with bit 7 another
 * byte with the next digit follows. The length counts these bytes too, but for lists.
 */
#include "codec/sml.h"

/* Digits of a length: 4 bits each, far more than a frame has bytes. */
#define MAX_LENGTH_DIGITS 4

bool
eb_sml_next(EbSmlReader *reader, EbSmlValue *value)
{
	const uint8_t *bytes = reader->bytes + reader->at;
	size_t left = reader->n - reader->at;
	size_t used = 0, length = 0;

	do
	{
		if (used == left || used == MAX_LENGTH_DIGITS || (used > 0 && (bytes[used] & 0x70) != 0))
			return false;
		length = length << 4 | (bytes[used] & 0x0F);
	} while ((bytes[used++] & 0x80) != 0);
	value->type = (EbSmlType) (bytes[0] >> 4 & 7);
	value->bytes = bytes + used;
	value->n = length;
	if (value->type == EB_SML_LIST)
	{
		if (length > left - used)
			return false;
		reader->at += used;
		return true;
	}
	if (bytes[0] == 0)
	{
		value->type = EB_SML_END;
		reader->at++;
		return true;
	}
	if (length < used || length > left)
		return false;
	value->n = length - used;
	reader->at += length;
	switch (value->type)
	{
		case EB_SML_OCTETS:
			return true;
		case EB_SML_BOOLEAN:
			if (value->n == 1)
				return true;
			break;
		case EB_SML_INTEGER:
		case EB_SML_UNSIGNED:
			if (value->n >= 1 && value->n <= 8)
				return true;
			break;
		default:
			break;
	}
	reader->at -= length;
	return false;
}

bool
eb_sml_skip(EbSmlReader *reader, size_t count)
{
	EbSmlValue value;

	while (count > 0)
	{
		if (!eb_sml_next(reader, &value))
			return false;
		count--;
		if (value.type == EB_SML_LIST)
			count += value.n;
	}
	return true;
}

/* Sign and magnitude; false: no number. */
static bool
read_number(const EbSmlValue *value, bool *negative, uint64_t *magnitude)
{
	uint64_t number = 0;

	if (value->type != EB_SML_INTEGER && value->type != EB_SML_UNSIGNED)
		return false;
	*negative = value->type == EB_SML_INTEGER && (value->bytes[0] & 0x80) != 0;
	if (*negative)
		number = UINT64_MAX;
	for (size_t i = 0; i < value->n; i++)
		number = number << 8 | value->bytes[i];
	*magnitude = *negative ? 0 - number : number;
	return true;
}

bool
eb_sml_small(const EbSmlValue *value, int32_t *number)
{
	bool negative;
	uint64_t magnitude;

	if (!read_number(value, &negative, &magnitude) || magnitude > INT32_MAX)
		return false;
	*number = negative ? -(int32_t) magnitude : (int32_t) magnitude;
	return true;
}

bool
eb_sml_decimal(const EbSmlValue *value, int32_t scaler, char *out)
{
	bool negative;
	uint64_t magnitude;

	if (scaler < -EB_SML_MAX_SCALER || scaler > EB_SML_MAX_SCALER ||
		!read_number(value, &negative, &magnitude))
		return false;
	eb_scaled_text(negative, magnitude, scaler, out);
	return true;
}
