/*
 * modbus_map.c -- which values stand in the registers of a Modbus reply, and how
 * In:  the text of a register map; the registers of a reply. Out: items as decimal text.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * A float32 becomes the shortest decimal that reads back as the same 32 bits (base/float32.h),
 * times the scale; integers are multiplied exactly. No floating point anywhere.
 */
#include "codec/modbus.h"

#include "base/float32.h"
#include "base/scaled.h"

#include <stdio.h>
#include <string.h>

#define MAX_FACTOR INT64_C(1000000000000000000)
#define MAX_PLACES 18
/* Of a scale with a divisor. */
#define MAX_DIVIDED INT64_C(1000000000000000)
#define MAX_DIVISOR INT64_C(1000000000)
#define DIVIDED_PLACES 3
#define DIVIDED_UNIT 1000

static const char *const type_names[] = {
	[EB_MODBUS_U16] = "u16", [EB_MODBUS_S16] = "s16", [EB_MODBUS_U32] = "u32",
	[EB_MODBUS_S32] = "s32", [EB_MODBUS_U64] = "u64", [EB_MODBUS_FLOAT32] = "float32",
};

static const char *const order_names[] = {
	[EB_MODBUS_ABCD] = "ABCD",
	[EB_MODBUS_CDAB] = "CDAB",
	[EB_MODBUS_BADC] = "BADC",
	[EB_MODBUS_DCBA] = "DCBA",
};

int
eb_modbus_words(EbModbusType type)
{
	return type == EB_MODBUS_U64 ? 4 : type <= EB_MODBUS_S16 ? 1 : 2;
}

/* Place of the n characters in a list of names, or -1. */
static int
find_name(const char *text, size_t n, const char *const *names, int nnames)
{
	for (int i = 0; i < nnames; i++)
		if (strlen(names[i]) == n && memcmp(names[i], text, n) == 0)
			return i;
	return -1;
}

bool
eb_modbus_type_parse(const char *text, size_t n, EbModbusType *type)
{
	int found = find_name(text, n, type_names, sizeof(type_names) / sizeof(type_names[0]));

	if (found >= 0)
		*type = (EbModbusType) found;
	return found >= 0;
}

bool
eb_modbus_order_parse(const char *text, size_t n, EbModbusOrder *order)
{
	int found = find_name(text, n, order_names, sizeof(order_names) / sizeof(order_names[0]));

	if (found >= 0)
		*order = (EbModbusOrder) found;
	return found >= 0;
}

/* A whole number from 1 to limit. */
static bool
parse_divisor(const char *text, size_t n, int64_t limit, int64_t *divisor)
{
	*divisor = 0;
	for (size_t at = 0; at < n; at++)
	{
		if (text[at] < '0' || text[at] > '9' || *divisor > limit)
			return false;
		*divisor = 10 * *divisor + (text[at] - '0');
	}
	return *divisor >= 1 && *divisor <= limit;
}

bool
eb_modbus_scale_parse(const char *text, size_t n, EbModbusForm *form)
{
	const char *slash = memchr(text, '/', n);
	int64_t limit = slash != NULL ? MAX_DIVIDED : MAX_FACTOR;
	size_t first = n > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
	size_t point;
	int64_t sum = 0;

	form->divisor = 0;
	if (slash != NULL)
	{
		size_t length = (size_t) (slash - text);

		if (form->type == EB_MODBUS_FLOAT32 ||
			!parse_divisor(slash + 1, n - length - 1, MAX_DIVISOR, &form->divisor))
			return false;
		n = length;
	}
	point = n;

	for (size_t at = first; at < n; at++)
	{
		if (text[at] == '.' && point == n)
			point = at;
		else if (text[at] < '0' || text[at] > '9' || sum >= limit / 10)
			return false;
		else
			sum = 10 * sum + (text[at] - '0');
	}
	/* a digit before the point and one behind it */
	if (sum == 0 || point == first || point + 1 == n || (point < n && n - point - 1 > MAX_PLACES))
		return false;
	form->factor = text[0] == '-' ? -sum : sum;
	form->places = point < n ? (int) (n - point - 1) : 0;
	return true;
}

/* Characters from at on that belong to a word: up to the next of the given ends, or all. */
static size_t
word_length(const char *text, size_t n, size_t at, const char *ends)
{
	size_t length = 0;

	while (at + length < n && strchr(ends, text[at + length]) == NULL)
		length++;
	return length;
}

static bool
parse_index(const char *text, size_t n, int *index)
{
	int sum = 0;

	if (n < 1 || n > 3)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return false;
		sum = 10 * sum + (text[i] - '0');
	}
	*index = sum;
	return sum < EB_MODBUS_MAX_COUNT;
}

/* One entry, *at behind it afterwards; NULL, or what should stand there. */
static const char *
parse_part(const char *text, size_t n, EbModbusPart *part, size_t *at)
{
	size_t begin = *at;
	size_t length = word_length(text, n, *at, "=,");

	*part = (EbModbusPart){.form = {.factor = 1}};
	if (!parse_index(text + *at, length, &part->index))
		return "a register of the reply, 0 to 124";
	*at += length;
	if (*at == n || text[*at] != '=')
		return "\"=\" and a type";
	length = word_length(text, n, ++*at, "/*,");
	if (!eb_modbus_type_parse(text + *at, length, &part->form.type))
		return "a type: u16, s16, u32, s32, u64 or float32";
	*at += length;
	if (*at < n && text[*at] == '/')
	{
		length = word_length(text, n, ++*at, "*,");
		if (!eb_modbus_order_parse(text + *at, length, &part->form.order))
			return "an order: ABCD, CDAB, BADC or DCBA";
		*at += length;
	}
	if (*at < n && text[*at] == '*')
	{
		length = word_length(text, n, ++*at, ",");
		if (!eb_modbus_scale_parse(text + *at, length, &part->form))
			return "a decimal of at most 18 digits, not 0, or one of 15 and a divisor like 1/1600";
		*at += length;
	}
	if (part->index + eb_modbus_words(part->form.type) > EB_MODBUS_MAX_COUNT)
	{
		*at = begin;
		return "a value that ends before register 125";
	}
	return NULL;
}

const char *
eb_modbus_map_parse(const char *text, size_t n, EbModbusMap *map, size_t *at)
{
	const char *wanted;

	*at = 0;
	map->nparts = 0;
	do
	{
		if (map->nparts > 0)
			++*at;
		if (map->nparts == EB_MODBUS_MAX_COUNT)
			return "the end: a map has at most 125 values";
		wanted = parse_part(text, n, &map->part[map->nparts++], at);
		if (wanted == NULL && *at < n && text[*at] != ',')
			wanted = "\",\" or the end";
	} while (wanted == NULL && *at < n);
	return wanted;
}

const EbModbusMap *
eb_modbus_protocol_map(const char *protocol, size_t n, EbModbusMap *map, const char **wanted,
					   size_t *at)
{
	const char *colon = memchr(protocol, ':', n);
	size_t skipped;

	*wanted = NULL;
	if (colon == NULL)
		return NULL;
	skipped = (size_t) (colon - protocol) + 1;
	*wanted = eb_modbus_map_parse(protocol + skipped, n - skipped, map, at);
	*at += skipped;
	return *wanted == NULL ? map : NULL;
}

/* The bits of a value, its most significant byte first, whatever the order of the meter. */
static uint64_t
take_bits(const uint16_t *registers, const EbModbusForm *form)
{
	int words = eb_modbus_words(form->type);
	bool low_first = form->order == EB_MODBUS_CDAB || form->order == EB_MODBUS_DCBA;
	bool swapped = form->order == EB_MODBUS_BADC || form->order == EB_MODBUS_DCBA;
	uint64_t bits = 0;

	for (int i = 0; i < words; i++)
	{
		unsigned word = registers[low_first ? words - 1 - i : i];

		if (swapped)
			word = (word >> 8 | word << 8) & 0xFFFF;
		bits = bits << 16 | word;
	}
	return bits;
}

static eb_uint128
size_of(int64_t factor)
{
	return factor < 0 ? (eb_uint128) (-factor) : (eb_uint128) factor;
}

/* false: the meter says that it has no such value. */
static bool
write_value(uint64_t bits, const EbModbusForm *form, char *out)
{
	bool negative = form->factor < 0;
	eb_uint128 factor = size_of(form->factor);
	int width = 16 * eb_modbus_words(form->type);
	EbFloat32 real;
	eb_uint128 product;
	int exponent;

	if (form->has_invalid && bits == form->invalid)
		return false;
	if (form->type == EB_MODBUS_FLOAT32)
	{
		if (!eb_float32_shortest((uint32_t) bits, &real))
			return false;
		product = real.digits * factor;
		exponent = real.exponent - form->places;
		/* the places of a float are none that the meter chose: zeros at their end go */
		for (; exponent < 0 && product % 10 == 0 && product > 0; product /= 10)
			exponent++;
		eb_scaled_text(real.negative != negative, product, product > 0 ? exponent : 0, out);
		return true;
	}
	if ((form->type == EB_MODBUS_S16 || form->type == EB_MODBUS_S32) && bits >> (width - 1) != 0)
	{
		negative = !negative;
		bits = (UINT64_C(1) << width) - bits;
	}
	product = bits * factor;
	exponent = -form->places;
	if (form->divisor > 0)
	{
		/* below 2^64 x 10^15 x 10^3, which 128 bits hold */
		product = product * DIVIDED_UNIT / (eb_uint128) form->divisor;
		exponent -= DIVIDED_PLACES;
	}
	eb_scaled_text(negative, product, exponent, out);
	return true;
}

static bool
add_item(const EbModbusPart *part, uint64_t bits, EbFrame *frame)
{
	const char *unit = part->form.unit;
	char text[EB_SCALED_TEXT];
	char index[8];
	EbFrameItem *item;

	snprintf(index, sizeof(index), "%d", part->index);
	item = eb_frame_item(frame, part->id != NULL ? part->id : index);
	if (item == NULL)
		return false;
	item->absent = !write_value(bits, &part->form, text);
	if (!item->absent)
		item->value = eb_frame_keep(frame, text, strlen(text));
	if (unit != NULL)
		item->unit = eb_frame_keep(frame, unit, strlen(unit));
	return !frame->full;
}

EbFrameError
eb_modbus_items(const EbModbusMap *map, EbFrame *frame)
{
	const EbFrameModbus *own = &frame->modbus;

	eb_frame_clear(frame);
	for (int i = 0; i < map->nparts; i++)
	{
		const EbModbusPart *part = &map->part[i];

		if (part->index + eb_modbus_words(part->form.type) > own->nregisters)
			return EB_FRAME_VALUE;
		if (!add_item(part, take_bits(own->registers + part->index, &part->form), frame))
			return EB_FRAME_TOO_LONG;
	}
	return EB_FRAME_OK;
}
