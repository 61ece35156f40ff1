/*
 * mbus_record.c -- what the records of an M-Bus reply mean
 * In:  DIF [DIFE] VIF [VIFE] data, one after the other. Out: an item per record.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * Values are written in the basic unit of their VIF: 10 Wh x 1252 is 12520 Wh. A record keeps its
 * unit only when each VIFE leaves it what it is; a value "per hour" or a count of exceeded limits
 * comes as it was sent, without a unit, so that nobody takes it for energy. Source: EN 13757-3.
 */
#include "codec/mbus.h"

#include "base/civil.h"
#include "base/float32.h"
#include "base/scaled.h"

#include <stdio.h>
#include <string.h>

#define EXTENDED 0x80 /* bit of DIF, DIFE, VIF, VIFE: one more follows */
#define MAX_EXTENSIONS 10

#define DIF_END 0x0F  /* what follows is the manufacturer's */
#define DIF_MORE 0x1F /* and the next telegram has further records */
#define DIF_FILLER 0x2F

#define VIF_DATE 0x6C
#define VIF_MOMENT 0x6D
#define VIF_TABLE_FB 0x7B
#define VIF_TEXT 0x7C
#define VIF_TABLE_FD 0x7D

/* Data field, the low four bits of the DIF. */
#define DATA_NONE 0
#define DATA_REAL 5
#define DATA_SELECT 8
#define DATA_LVAR 13

#define MAX_TEXT 64		/* of a unit in words */
#define MAX_EXPONENT 20 /* either way; no meter has more, the text of a value has room for it */

/* The bytes not yet read. */
typedef struct Cursor
{
	const uint8_t *bytes;
	size_t n;
	size_t at;
} Cursor;

/* A record in its parts. */
typedef struct Record
{
	uint8_t field; /* data field of the DIF */
	uint8_t vif;   /* without the extension bit */
	int nvife;
	uint8_t vife[MAX_EXTENSIONS]; /* without it, too */
	const uint8_t *words;		  /* unit in words, last character first */
	size_t nwords;
	uint8_t lvar; /* DATA_LVAR: the byte that says what follows */
	const uint8_t *data;
	size_t size;
} Record;

/* What a number of a record counts. */
typedef struct Meaning
{
	const char *unit; /* NULL: none that is known */
	int exponent;	  /* the value is the number times ten to this */
	bool failed;	  /* the meter says that the value is not valid */
} Meaning;

/* A row of VIFs first..last: the exponent of the first, one more for each following one. */
typedef struct Row
{
	uint8_t first;
	uint8_t last;
	int exponent;
	const char *unit;
} Row;

static const Row primary[] = {
	{0x00, 0x07, -3, "Wh"},		{0x08, 0x0F, 0, "J"},	  {0x10, 0x17, -6, "m3"},
	{0x18, 0x1F, -3, "kg"},		{0x20, 0x20, 0, "s"},	  {0x21, 0x21, 0, "min"},
	{0x22, 0x22, 0, "h"},		{0x23, 0x23, 0, "d"},	  {0x24, 0x24, 0, "s"},
	{0x25, 0x25, 0, "min"},		{0x26, 0x26, 0, "h"},	  {0x27, 0x27, 0, "d"},
	{0x28, 0x2F, -3, "W"},		{0x30, 0x37, 0, "J/h"},	  {0x38, 0x3F, -6, "m3/h"},
	{0x40, 0x47, -7, "m3/min"}, {0x48, 0x4F, -9, "m3/s"}, {0x50, 0x57, -3, "kg/h"},
	{0x58, 0x5B, -3, "Cel"},	{0x5C, 0x5F, -3, "Cel"},  {0x60, 0x63, -3, "K"},
	{0x64, 0x67, -3, "Cel"},	{0x68, 0x6B, -3, "bar"},
};

/* First VIFE behind FB; the standard counts in MWh, kvarh, GJ and so on. */
static const Row table_fb[] = {
	{0x00, 0x01, 5, "Wh"}, {0x02, 0x03, 3, "varh"}, {0x04, 0x05, 3, "VAh"},
	{0x08, 0x09, 8, "J"},  {0x10, 0x11, 2, "m3"},	{0x14, 0x17, 0, "var"},
	{0x28, 0x29, 5, "W"},  {0x2C, 0x2F, -3, "Hz"},	{0x34, 0x37, 0, "VA"},
};

static const Row table_fd[] = {
	{0x40, 0x4F, -9, "V"},
	{0x50, 0x5F, -12, "A"},
};

static bool
take(Cursor *cursor, size_t n, const uint8_t **bytes)
{
	if (n > cursor->n - cursor->at)
		return false;
	*bytes = cursor->bytes + cursor->at;
	cursor->at += n;
	return true;
}

static bool
take_byte(Cursor *cursor, uint8_t *byte)
{
	const uint8_t *bytes;

	if (!take(cursor, 1, &bytes))
		return false;
	*byte = bytes[0];
	return true;
}

/* Extension bytes behind byte, as long as each has the bit; kept where kept is not NULL. */
static bool
take_extensions(Cursor *cursor, uint8_t byte, uint8_t *kept, int *n)
{
	*n = 0;
	while ((byte & EXTENDED) != 0)
	{
		if (*n == MAX_EXTENSIONS || !take_byte(cursor, &byte))
			return false;
		if (kept != NULL)
			kept[*n] = byte & (uint8_t) ~EXTENDED;
		++*n;
	}
	return true;
}

/* Bytes of the data behind an LVAR, or -1. */
static int
lvar_size(uint8_t lvar)
{
	if (lvar <= 0xBF)
		return lvar; /* text */
	if (lvar <= 0xDF)
		return (lvar & 0x0F) <= 9 ? lvar & 0x0F : -1; /* BCD, from D0 on negative */
	if (lvar <= 0xEF)
		return lvar & 0x0F; /* binary */
	if (lvar <= 0xF4)
		return 4 * (lvar - 0xEC);
	return lvar == 0xF5 ? 48 : lvar == 0xF6 ? 64 : -1;
}

static bool
take_data(Cursor *cursor, Record *record)
{
	static const int size[16] = {0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, -1, 6, -1};
	int n = size[record->field];

	if (record->field == DATA_LVAR)
		n = take_byte(cursor, &record->lvar) ? lvar_size(record->lvar) : -1;
	record->size = n < 0 ? 0 : (size_t) n;
	return n >= 0 && take(cursor, record->size, &record->data);
}

/* A unit in words: a length, then that many characters. */
static bool
take_words(Cursor *cursor, Record *record)
{
	uint8_t n;

	if (!take_byte(cursor, &n) || !take(cursor, n, &record->words))
		return false;
	record->nwords = n;
	return true;
}

/* The same where the next byte is a length: so many characters follow that can be printed. */
static bool
take_words_first(Cursor *cursor, Record *record)
{
	Cursor ahead = *cursor;

	if (!take_words(&ahead, record) || record->nwords == 0)
		return false;
	for (size_t i = 0; i < record->nwords; i++)
		if (record->words[i] < 0x20 || record->words[i] > 0x7E)
			return false;
	*cursor = ahead;
	return true;
}

/*
 * VIF, VIFE and the words of a unit. Meters send the words in front of the VIFE (the older text of
 * the standard) or behind them.
 */
static bool
take_unit(Cursor *cursor, Record *record)
{
	bool words_first;
	uint8_t vif;

	if (!take_byte(cursor, &vif))
		return false;
	record->vif = vif & (uint8_t) ~EXTENDED;
	words_first = record->vif == VIF_TEXT && take_words_first(cursor, record);
	return take_extensions(cursor, vif, record->vife, &record->nvife) &&
		   (record->vif != VIF_TEXT || words_first || take_words(cursor, record));
}

/* A record whose DIF was read. false: it runs over the end, or is none. */
static bool
take_record(Cursor *cursor, uint8_t dif, Record *record)
{
	int ndife;

	record->field = dif & 0x0F;
	return take_extensions(cursor, dif, NULL, &ndife) && take_unit(cursor, record) &&
		   take_data(cursor, record);
}

static void
look_up(const Row *rows, size_t n, uint8_t vif, Meaning *meaning)
{
	for (size_t i = 0; i < n; i++)
		if (vif >= rows[i].first && vif <= rows[i].last)
		{
			meaning->unit = rows[i].unit;
			meaning->exponent = rows[i].exponent + (vif - rows[i].first);
			return;
		}
}

/* What the VIFE from the given one on change. */
static void
apply_extensions(const Record *record, int from, Meaning *meaning)
{
	for (int i = from; i < record->nvife; i++)
	{
		uint8_t vife = record->vife[i];

		if (vife == 0x7F) /* the rest is the manufacturer's */
			return;
		if (vife >= 0x01 && vife <= 0x1F) /* an error of the record */
			meaning->failed = true;
		else if (vife >= 0x70 && vife <= 0x77)
			meaning->exponent += vife - 0x76;
		else if (vife == 0x7D)
			meaning->exponent += 3;
		else if (vife == 0x7C) /* which phase: the next one says it */
			i++;
		else if (vife != 0x00 && vife != 0x3A && vife != 0x3B && vife != 0x3C && vife != 0x3E)
		{
			/* not: no error, uncorrected, only when positive, only when negative, at base conditions */
			meaning->unit = NULL;
			meaning->exponent = 0;
			return;
		}
	}
}

static Meaning
meaning_of(const Record *record)
{
	Meaning meaning = {NULL, 0, false};
	uint8_t first = record->nvife > 0 ? record->vife[0] : 0;

	if (record->vif == VIF_TABLE_FB && record->nvife > 0)
		look_up(table_fb, sizeof(table_fb) / sizeof(table_fb[0]), first, &meaning);
	else if (record->vif == VIF_TABLE_FD && record->nvife > 0)
		look_up(table_fd, sizeof(table_fd) / sizeof(table_fd[0]), first, &meaning);
	else
		look_up(primary, sizeof(primary) / sizeof(primary[0]), record->vif, &meaning);
	if (record->vif < 0x7E) /* behind 7E and 7F nothing is known */
		apply_extensions(record, record->vif == VIF_TABLE_FB || record->vif == VIF_TABLE_FD ? 1 : 0,
						 &meaning);
	if (meaning.exponent < -MAX_EXPONENT || meaning.exponent > MAX_EXPONENT)
		meaning = (Meaning){.failed = true};
	return meaning;
}

/* Two's complement, low byte first; its lowest value says "none". */
static bool
write_integer(const Record *record, int exponent, char *out)
{
	uint64_t bits = 0;
	uint64_t sign = UINT64_C(1) << (8 * record->size - 1);
	bool negative;

	for (size_t i = record->size; i-- > 0;)
		bits = bits << 8 | record->data[i];
	negative = (bits & sign) != 0;
	if (negative)
		bits = 2 * sign - bits; /* 2 * sign is 0 for eight bytes, which comes to the same */
	eb_scaled_text(negative, bits, exponent, out);
	return bits != sign;
}

static bool
write_real(const Record *record, int exponent, char *out)
{
	uint32_t bits = (uint32_t) record->data[3] << 24 | (uint32_t) record->data[2] << 16 |
					(uint32_t) record->data[1] << 8 | record->data[0];
	EbFloat32 real;

	if (!eb_float32_shortest(bits, &real))
		return false;
	eb_scaled_text(real.negative, real.digits, real.exponent + exponent, out);
	return true;
}

/* BCD, low byte first; F as the first digit is a minus, another one above 9 says "none". */
static bool
write_bcd(const Record *record, bool negative, int exponent, char *out)
{
	uint64_t number = 0;

	for (size_t i = 2 * record->size; i-- > 0;)
	{
		unsigned digit = record->data[i / 2] >> 4 * (i % 2) & 0x0F;

		if (digit == 0x0F && i == 2 * record->size - 1)
		{
			negative = true;
			digit = 0;
		}
		if (digit > 9)
			return false;
		number = 10 * number + digit;
	}
	eb_scaled_text(negative, number, exponent, out);
	return record->size > 0;
}

static bool
is_bcd(const Record *record)
{
	if (record->field == DATA_LVAR)
		return record->lvar >= 0xC0 && record->lvar <= 0xDF;
	return record->field > DATA_SELECT;
}

static bool
is_moment(const Record *record)
{
	if (record->nvife > 0)
		return false;
	return (record->vif == VIF_DATE && record->field == 2) ||
		   (record->vif == VIF_MOMENT && (record->field == 4 || record->field == 6));
}

/*
 * A date of two bytes, or a moment of four (to the minute) or six (to the second). The year has
 * seven bits, four of them above the month; two more above the hour count centuries from 1900 on,
 * and are 0 in meters that do not know them.
 */
static bool
write_moment(const Record *record, char *out, size_t size)
{
	const uint8_t *date = record->data + record->size - (record->size == 6 ? 3 : 2);
	const uint8_t *clock = record->data + (record->size == 6 ? 1 : 0); /* not of a date */
	unsigned day = date[0] & 0x1F;
	unsigned month = date[1] & 0x0F;
	unsigned year = (unsigned) (date[0] >> 5 | (date[1] & 0xF0) >> 1);
	unsigned century = record->size == 4 ? clock[1] >> 5 & 3U : 0;
	unsigned minute = clock[0] & 0x3F;
	unsigned hour = clock[1] & 0x1F;
	unsigned second = record->size == 6 ? record->data[0] & 0x3FU : 0;

	if (month < 1 || month > 12 || year > 99)
		return false;
	year += century > 0 ? 1900 + 100 * century : year <= 80 ? 2000 : 1900;
	if (day < 1 || day > (unsigned) eb_month_days((int) year, (int) month))
		return false;
	if (record->size == 2)
	{
		snprintf(out, size, "%04u-%02u-%02u", year, month, day);
		return true;
	}
	if (hour > 23 || minute > 59 || second > 59 || (clock[0] & 0x80) != 0) /* top bit: not valid */
		return false;
	if (record->size == 4)
		snprintf(out, size, "%04u-%02u-%02u %02u:%02u", year, month, day, hour, minute);
	else
		snprintf(out, size, "%04u-%02u-%02u %02u:%02u:%02u", year, month, day, hour, minute,
				 second);
	return true;
}

/* Characters sent last first, as a text of the frame; 0 when one cannot be printed. */
static EbFrameRef
keep_words(EbFrame *frame, const uint8_t *bytes, size_t n)
{
	char words[0xBF];

	for (size_t i = 0; i < n; i++)
	{
		words[i] = (char) bytes[n - 1 - i];
		if (words[i] < 0x20 || words[i] > 0x7E)
			return 0;
	}
	return eb_frame_keep(frame, words, n);
}

/* Text, or the bytes of a long number as hex, the most significant first. */
static EbFrameRef
keep_string(EbFrame *frame, const Record *record)
{
	uint8_t reversed[0xBF];
	EbFrameRef words = record->lvar <= 0xBF ? keep_words(frame, record->data, record->size) : 0;

	if (words != 0)
		return words;
	for (size_t i = 0; i < record->size; i++)
		reversed[i] = record->data[record->size - 1 - i];
	return eb_frame_keep_hex(frame, reversed, record->size);
}

/* false: no value. */
static bool
write_value(const Record *record, const Meaning *meaning, char *out, size_t size)
{
	if (meaning->failed || record->field == DATA_NONE || record->field == DATA_SELECT)
		return false;
	if (is_moment(record))
		return write_moment(record, out, size);
	if (is_bcd(record))
		return write_bcd(record, record->lvar >= 0xD0, meaning->exponent, out);
	if (record->field == DATA_REAL)
		return write_real(record, meaning->exponent, out);
	return write_integer(record, meaning->exponent, out);
}

static void
fill_item(EbFrame *frame, EbFrameItem *item, const Record *record)
{
	Meaning meaning = meaning_of(record);
	char text[EB_SCALED_TEXT];
	bool is_string = record->field == DATA_LVAR && !is_bcd(record);

	if (is_string)
		item->value = keep_string(frame, record);
	else if (write_value(record, &meaning, text, sizeof(text)))
		item->value = eb_frame_keep(frame, text, strlen(text));
	item->absent = item->value == 0;
	if (is_string)
		return;
	if (meaning.unit != NULL)
		item->unit = eb_frame_keep(frame, meaning.unit, strlen(meaning.unit));
	else if (record->vif == VIF_TEXT && record->nwords <= MAX_TEXT)
		item->unit = keep_words(frame, record->words, record->nwords);
}

EbFrameError
eb_mbus_records(const uint8_t *bytes, size_t n, EbFrame *frame, bool *more)
{
	Cursor cursor = {bytes, n, 0};
	uint8_t dif = 0;

	eb_frame_clear(frame);
	while (take_byte(&cursor, &dif) && dif != DIF_END && dif != DIF_MORE)
	{
		Record record = {0};
		char id[8];
		EbFrameItem *item;

		if (dif == DIF_FILLER)
			continue;
		if (!take_record(&cursor, dif, &record))
			return EB_FRAME_STRUCTURE;
		snprintf(id, sizeof(id), "%d", frame->nitems);
		item = eb_frame_item(frame, id);
		if (item == NULL)
			return EB_FRAME_TOO_LONG;
		fill_item(frame, item, &record);
		if (frame->full)
			return EB_FRAME_TOO_LONG;
	}
	*more = dif == DIF_MORE;
	return EB_FRAME_OK;
}
