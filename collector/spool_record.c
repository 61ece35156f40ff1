/*
 * spool_record.c -- the bytes of the spool: segment header, record, acknowledgement
 * In:  rows; bytes of files, which may be cut or damaged anywhere.
 * Out: bytes; rows whose check value is right. Nothing is read beyond what was given.
 */
#include "spool_record.h"

#include <string.h>

#include "base/crc.h"
#include "base/decimal.h"
#include "clock.h"

#define VERSION 1
#define FIXED 28 /* seq, read_at, meter_at, quality */

/* shortest content of a record: the fixed fields and four lengths of zero */
#define CONTENT_MIN (FIXED + 2 + 2 + 2 + 4)

static const char segment_magic[] = "EBSPOOL1";
static const char acked_magic[] = "EBACKED1";

static uint8_t *
put_number(uint8_t *out, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*out++ = (uint8_t) (value >> 8 * i);
	return out;
}

static uint64_t
get_number(const uint8_t *bytes, int n)
{
	uint64_t value = 0;

	for (int i = n - 1; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

static uint8_t *
put_text(uint8_t *out, const char *text, size_t max)
{
	size_t len = text != NULL ? strnlen(text, max) : 0;

	out = put_number(out, len, 2);
	if (len > 0)
		memcpy(out, text, len);
	return out + len;
}

static uint64_t
us_of(int64_t at_ms)
{
	return (uint64_t) (at_ms == EB_NO_INSTANT ? INT64_MIN : at_ms * 1000);
}

size_t
eb_record_put(uint8_t out[EB_RECORD_MAX], int64_t seq, const EbRow *row)
{
	size_t frame_len = row->frame_len < EB_RECORD_FRAME ? row->frame_len : EB_RECORD_FRAME;
	char kwh[EB_DECIMAL_TEXT] = "";
	uint8_t *at = put_number(out + EB_RECORD_HEAD, (uint64_t) seq, 8);

	if (row->code[0] != '\0')
		eb_decimal_format(row->register_wh, 3, kwh);
	at = put_number(at, us_of(row->read_at_ms), 8);
	at = put_number(at, us_of(row->meter_at_ms), 8);
	at = put_number(at, (uint64_t) row->quality, 4);
	at = put_text(at, row->serial, EB_SERIAL_MAX);
	at = put_text(at, row->code, EB_CODE_SIZE - 1);
	at = put_text(at, kwh, sizeof(kwh));
	if (row->frame == NULL)
		frame_len = 0;
	at = put_number(at, frame_len, 4);
	if (frame_len > 0)
		memcpy(at, row->frame, frame_len);
	at += frame_len;
	put_number(out, (uint64_t) (at - out - EB_RECORD_HEAD), 4);
	put_number(out + 4, eb_crc32c(0, out + EB_RECORD_HEAD, (size_t) (at - out - EB_RECORD_HEAD)),
			   4);
	return (size_t) (at - out);
}

/* A text of a record: where it lies within n bytes; false when it does not. */
static bool
get_text(const uint8_t *bytes, size_t n, size_t *at, int width, size_t max, EbText *text)
{
	size_t len;

	if (n - *at < (size_t) width)
		return false;
	len = (size_t) get_number(bytes + *at, width);
	*at += (size_t) width;
	if (len > max || n - *at < len)
		return false;
	*text = (EbText){(const char *) bytes + *at, (int) len};
	*at += len;
	return true;
}

/* The parts of n bytes of content; they must fill it. */
typedef struct Parts
{
	EbText serial;
	EbText code;
	EbText kwh;
	EbText frame;
} Parts;

static bool
get_parts(const uint8_t *content, size_t n, Parts *parts)
{
	size_t at = FIXED;

	return get_text(content, n, &at, 2, EB_SERIAL_MAX, &parts->serial) &&
		   get_text(content, n, &at, 2, EB_CODE_SIZE - 1, &parts->code) &&
		   get_text(content, n, &at, 2, 24, &parts->kwh) &&
		   get_text(content, n, &at, 4, EB_RECORD_FRAME, &parts->frame) && at == n;
}

static int64_t
ms_of(const uint8_t *bytes)
{
	int64_t us = (int64_t) get_number(bytes, 8);

	return us == INT64_MIN ? EB_NO_INSTANT : us / 1000 - (us % 1000 < 0);
}

static bool
fill(const uint8_t *content, const Parts *parts, EbSpoolRow *into)
{
	EbRow *row = &into->row;
	uint64_t quality = get_number(content + 24, 4);

	memset(into, 0, sizeof(*into));
	into->seq = (int64_t) get_number(content, 8);
	row->read_at_ms = ms_of(content + 8);
	row->meter_at_ms = ms_of(content + 16);
	if (into->seq < 1 || row->read_at_ms == EB_NO_INSTANT || quality > INT32_MAX)
		return false;
	row->quality = (int) quality;
	if (memchr(parts->serial.data, '\0', (size_t) parts->serial.len) != NULL ||
		memchr(parts->code.data, '\0', (size_t) parts->code.len) != NULL)
		return false;
	if (parts->code.len == 0 ? parts->kwh.len != 0
							 : eb_decimal_parse64(parts->kwh, 3, &row->register_wh) != EB_OK)
		return false;
	memcpy(into->serial, parts->serial.data, (size_t) parts->serial.len);
	memcpy(row->code, parts->code.data, (size_t) parts->code.len);
	row->serial = parts->serial.len > 0 ? into->serial : NULL;
	row->frame = parts->frame.len > 0 ? (const uint8_t *) parts->frame.data : NULL;
	row->frame_len = (size_t) parts->frame.len;
	return true;
}

EbRecordSign
eb_record_get(const uint8_t *bytes, size_t n, EbSpoolRow *row, size_t *length)
{
	Parts parts;
	size_t content;

	if (n < EB_RECORD_HEAD)
		return EB_RECORD_SHORT;
	content = (size_t) get_number(bytes, 4);
	if (content < CONTENT_MIN || content > EB_RECORD_MAX - EB_RECORD_HEAD)
		return EB_RECORD_BAD;
	if (n - EB_RECORD_HEAD < content)
		return EB_RECORD_SHORT;
	bytes += EB_RECORD_HEAD;
	/* the check value last: the search behind damage asks at every place */
	if (!get_parts(bytes, content, &parts) ||
		eb_crc32c(0, bytes, content) != (uint32_t) get_number(bytes - 4, 4) ||
		!fill(bytes, &parts, row))
		return EB_RECORD_BAD;
	*length = EB_RECORD_HEAD + content;
	return EB_RECORD_GOOD;
}

size_t
eb_record_find(const uint8_t *bytes, size_t n, size_t from, int64_t low, int64_t high)
{
	EbSpoolRow row;
	size_t length;

	for (size_t at = from; at < n && n - at >= EB_RECORD_HEAD + CONTENT_MIN; at++)
	{
		int64_t seq = (int64_t) get_number(bytes + at + EB_RECORD_HEAD, 8);

		if (seq >= low && seq < high &&
			eb_record_get(bytes + at, n - at, &row, &length) == EB_RECORD_GOOD)
			return at;
	}
	return n;
}

void
eb_segment_put(uint8_t out[EB_SEGMENT_HEADER], const uint8_t uuid[EB_SPOOL_UUID], unsigned flags)
{
	memcpy(out, segment_magic, 8);
	put_number(out + 8, VERSION, 2);
	put_number(out + 10, flags, 2);
	memcpy(out + 12, uuid, EB_SPOOL_UUID);
	put_number(out + 28, eb_crc32c(0, out, 28), 4);
}

EbHeaderSign
eb_segment_get(const uint8_t *bytes, size_t n, const uint8_t uuid[EB_SPOOL_UUID], unsigned *flags)
{
	if (n < EB_SEGMENT_HEADER || memcmp(bytes, segment_magic, 8) != 0 ||
		eb_crc32c(0, bytes, 28) != get_number(bytes + 28, 4))
		return EB_HEADER_BAD;
	if (get_number(bytes + 8, 2) != VERSION)
		return EB_HEADER_LATER;
	if (memcmp(bytes + 12, uuid, EB_SPOOL_UUID) != 0)
		return EB_HEADER_FOREIGN;
	*flags = (unsigned) get_number(bytes + 10, 2);
	return EB_HEADER_GOOD;
}

void
eb_acked_put(uint8_t out[EB_ACKED_SIZE], const uint8_t uuid[EB_SPOOL_UUID], EbAcked acked)
{
	memcpy(out, acked_magic, 8);
	memcpy(out + 8, uuid, EB_SPOOL_UUID);
	put_number(out + 24, (uint64_t) acked.acked, 8);
	put_number(out + 32, (uint64_t) acked.next, 8);
	put_number(out + 40, eb_crc32c(0, out, 40), 4);
}

EbHeaderSign
eb_acked_get(const uint8_t *bytes, size_t n, const uint8_t uuid[EB_SPOOL_UUID], EbAcked *acked)
{
	if (n != EB_ACKED_SIZE || memcmp(bytes, acked_magic, 8) != 0 ||
		eb_crc32c(0, bytes, 40) != get_number(bytes + 40, 4))
		return EB_HEADER_BAD;
	if (memcmp(bytes + 8, uuid, EB_SPOOL_UUID) != 0)
		return EB_HEADER_FOREIGN;
	acked->acked = (int64_t) get_number(bytes + 24, 8);
	acked->next = (int64_t) get_number(bytes + 32, 8);
	return acked->acked >= 0 && acked->next > acked->acked ? EB_HEADER_GOOD : EB_HEADER_BAD;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);

	return c != '\0' && at != NULL ? (int) (at - digits) : -1;
}

bool
eb_uuid_parse(const char *text, uint8_t uuid[EB_SPOOL_UUID])
{
	if (strlen(text) != 36)
		return false;
	for (int i = 0; i < EB_SPOOL_UUID; i++)
	{
		int high, low;

		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (*text++ != '-')
				return false;
		high = hex_digit(*text++);
		low = hex_digit(*text++);
		if (high < 0 || low < 0)
			return false;
		uuid[i] = (uint8_t) (high << 4 | low);
	}
	return true;
}
