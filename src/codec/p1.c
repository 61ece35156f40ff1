/*
 * p1.c -- DSMR P1: the telegrams smart meters push by themselves every 1 to 10 s
 * In:  bytes of the customer port; out: one frame per telegram with an item per line.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * Without a CRC the form is all there is: "!" taken anywhere would let a telegram that lost a line
 * pass for a shorter one, and a telegram that lost its end would take the values of the next.
 */
#include "codec/p1.h"

#include "base/civil.h"
#include "base/crc.h"
#include "codec/obis.h"

#include <string.h>

/* Longest identification line; the norm allows 16 characters of ident. */
#define MAX_HEAD 128

#define CRC_DIGITS 4

/* Lasting state: this port once sent a telegram with a good CRC. */
#define STATE_HAS_CRC 0x10000u

/* Where the parts of a telegram stand, counted from its "/". */
typedef struct Telegram
{
	size_t body;   /* behind the identification's LF */
	size_t mark;   /* the "!" */
	size_t end;	   /* behind the CRC */
	int ndigits;   /* of the CRC, 0: none */
	unsigned sent; /* CRC as received */
} Telegram;

static bool
is_control(uint8_t byte)
{
	return (byte < 0x20 && byte != '\t' && byte != '\r' && byte != '\n') || byte == 0x7F;
}

static int
hex_digit(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return -1;
}

/* The identification line: sets body. What cannot become one is refused at once. */
static EbFrameError
find_body(const uint8_t *bytes, size_t n, Telegram *telegram)
{
	for (size_t i = 1; i < n; i++)
	{
		if (bytes[i] == '\n')
		{
			telegram->body = i + 1;
			return eb_obis_is_head(bytes, i) ? EB_FRAME_OK : EB_FRAME_STRUCTURE;
		}
		if (bytes[i] == '/' || i == MAX_HEAD)
			return EB_FRAME_STRUCTURE;
		if (is_control(bytes[i]))
			return EB_FRAME_CONTROL_BYTE;
	}
	return EB_FRAME_TRUNCATED;
}

/*
 * The line that begins with "!" at mark: the end of the telegram when four digits or a line end
 * follow, possibly behind fewer digits. STRUCTURE: it is no end.
 */
static EbFrameError
read_mark(const uint8_t *bytes, size_t n, size_t mark, Telegram *telegram)
{
	size_t at = mark + 1;

	telegram->mark = mark;
	telegram->ndigits = 0;
	telegram->sent = 0;
	while (at < n && telegram->ndigits < CRC_DIGITS && hex_digit(bytes[at]) >= 0)
	{
		telegram->sent = telegram->sent << 4 | (unsigned) hex_digit(bytes[at++]);
		telegram->ndigits++;
	}
	telegram->end = at;
	if (telegram->ndigits == CRC_DIGITS)
		return EB_FRAME_OK;
	if (at == n)
		return EB_FRAME_TRUNCATED;
	return bytes[at] == '\r' || bytes[at] == '\n' ? EB_FRAME_OK : EB_FRAME_STRUCTURE;
}

/*
 * Line by line to the end; *seen is a line's begin, or a place in a line that is no end.
 * STRUCTURE: another telegram begins first.
 */
static EbFrameError
find_end(const uint8_t *bytes, size_t n, size_t *seen, Telegram *telegram)
{
	size_t at = *seen > telegram->body ? *seen : telegram->body;

	while (at < n)
	{
		const uint8_t *lf;
		size_t line;

		if (bytes[at] == '!' && bytes[at - 1] == '\n')
		{
			EbFrameError error = read_mark(bytes, n, at, telegram);

			*seen = at;
			if (error != EB_FRAME_STRUCTURE)
				return error;
		}
		lf = memchr(bytes + at, '\n', n - at);
		if (lf == NULL)
			break;
		at = line = (size_t) (lf - bytes);
		while (bytes[line - 1] != '\n')
			line--;
		if (eb_obis_has_head(bytes + line, at - line))
			return EB_FRAME_STRUCTURE;
		at++;
	}
	*seen = n;
	return EB_FRAME_TRUNCATED;
}

/* A telegram whose parts are known. */
static EbFrameError
read_telegram(const uint8_t *bytes, const Telegram *telegram, EbFrame *frame)
{
	size_t ident = telegram->body - 1;

	for (size_t i = 0; i < telegram->mark; i++)
		if (is_control(bytes[i]))
			return EB_FRAME_CONTROL_BYTE;
	while (bytes[ident - 1] == '\r')
		ident--;
	frame->from_meter = true;
	frame->checked = telegram->ndigits > 0;
	frame->address[0] = '\0';
	eb_frame_clear(frame);
	frame->p1.has_crc = frame->checked;
	frame->p1.ident = eb_frame_keep(frame, (const char *) bytes, ident);
	eb_obis_lines(frame, (const char *) bytes + telegram->body, telegram->mark - telegram->body);
	return frame->full ? EB_FRAME_TOO_LONG : EB_FRAME_OK;
}

/* What is wrong with the n bytes from a slash on, or OK; *length is then that of the frame. */
static EbFrameError
check_telegram(const EbScanInput *in, size_t n, EbFrame *frame, size_t *length)
{
	const uint8_t *bytes = in->bytes;
	Telegram telegram;
	EbFrameError error = find_body(bytes, n, &telegram);

	if (error == EB_FRAME_OK)
		error = find_end(bytes, n, in->seen, &telegram);
	if (error != EB_FRAME_OK)
		return error;
	if (telegram.ndigits > 0)
	{
		if (eb_crc16_arc(bytes, telegram.mark + 1) != telegram.sent)
			return EB_FRAME_CHECKSUM;
		*in->state |= STATE_HAS_CRC;
	}
	else if ((*in->state & STATE_HAS_CRC) != 0)
		return EB_FRAME_CHECKSUM;
	*length = telegram.end;
	return read_telegram(bytes, &telegram, frame);
}

static EbScan
scan(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	const uint8_t *start = memchr(in->bytes, '/', in->n);
	bool all = in->n >= EB_FRAME_MAX_LENGTH;

	if (start != in->bytes)
	{
		*length = start != NULL ? (size_t) (start - in->bytes) : in->n;
		return EB_SCAN_SKIP;
	}
	*error = check_telegram(in, all ? EB_FRAME_MAX_LENGTH : in->n, frame, length);
	if (*error == EB_FRAME_OK)
		return EB_SCAN_FRAME;
	if (*error == EB_FRAME_TRUNCATED && !all && !in->ended)
		return EB_SCAN_MORE;
	if (*error == EB_FRAME_TRUNCATED && all)
		*error = EB_FRAME_TOO_LONG;
	*length = 1;
	return EB_SCAN_REFUSED;
}

static void
head(const EbFrame *frame, EbFrameText *text)
{
	eb_frame_put(text, "\"ident\":");
	eb_frame_put_text(text, eb_frame_get(frame, frame->p1.ident));
	eb_frame_put(text, ",\"has_crc\":%s,", frame->p1.has_crc ? "true" : "false");
}

const EbCodec eb_p1_codec = {
	.name = "p1",
	.scan = scan,
	.head = head,
};

bool
eb_p1_instant(const char *text, int32_t winter_offset_s, int64_t *at_us)
{
	int part[6]; /* year of the century, month, day, hour, minute, second */

	for (size_t i = 0; i < 12; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	for (size_t i = 0; i < 6; i++)
		part[i] = (text[2 * i] - '0') * 10 + (text[2 * i + 1] - '0');
	if ((text[12] != 'S' && text[12] != 'W') || text[13] != '\0' || part[1] < 1 || part[1] > 12 ||
		part[2] < 1 || part[2] > eb_month_days(2000 + part[0], part[1]) || part[3] > 23 ||
		part[4] > 59 || part[5] > 59)
		return false;
	*at_us = eb_day_from_date(2000 + part[0], part[1], part[2]) * EB_DAY_US +
			 (part[3] * 3600 + part[4] * 60 + part[5] - winter_offset_s) * EB_SECOND_US;
	if (text[12] == 'S')
		*at_us -= 3600 * EB_SECOND_US;
	return true;
}
