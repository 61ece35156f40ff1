/*
 * iec62056.c -- IEC 62056-21 frames: finding them in a stream, and what they say
 * In:  bytes of the line; out: frames. Where their parts stand is found by iec62056_parts.c, what
 *      asks for them is made by iec62056_ask.c.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "codec/iec62056.h"

#include "codec/iec62056_parts.h"
#include "codec/obis.h"

#include <string.h>

/* Something stood in front of this position since the input began. */
#define STATE_BEGUN 1U

/* Keeps what an identification of n characters says. */
static void
keep_ident(EbFrame *frame, const char *text, size_t n)
{
	EbFrameIec62056 *own = &frame->iec62056;

	own->manufacturer = eb_frame_keep(frame, text + 1, 3);
	own->baud_char = text[4];
	own->baud = eb_iec62056_baud(text[4]);
	own->ident = eb_frame_keep(frame, text + 5, n - 5);
}

/* A command block: two characters, then perhaps STX and a text. */
static EbFrameError
keep_command(EbFrame *frame, const char *text, size_t n)
{
	EbFrameIec62056 *own = &frame->iec62056;

	if (n < 2 || !eb_iec_printable((uint8_t) text[0]) || !eb_iec_printable((uint8_t) text[1]))
		return EB_FRAME_STRUCTURE;
	own->command = eb_frame_keep(frame, text, 2);
	/* P0 asks for a password, B0 ends; all other commands are a master's. */
	frame->from_meter = memcmp(text, "P0", 2) == 0 || memcmp(text, "B0", 2) == 0;
	text += 2;
	n -= 2;
	if (n > 0 && text[0] == EB_IEC_STX)
	{
		text++;
		n--;
	}
	own->text = eb_frame_keep(frame, text, n);
	return EB_FRAME_OK;
}

/* A frame whose parts are known and whose checksum, if it has one, is right. */
static EbFrameError
read_frame(const EbIecInput *in, const EbIecParts *parts, EbFrame *frame)
{
	EbFrameIec62056 *own = &frame->iec62056;
	char text[EB_FRAME_MAX_LENGTH];
	size_t from = parts->body + (parts->block ? 1 : 0);

	for (size_t i = 0; i < parts->end; i++)
		text[i] = (char) eb_iec_plain(in->bytes[i]);
	eb_frame_clear(frame);
	*own = (EbFrameIec62056){.kind = parts->kind, .baud = -1, .mode = -1, .bcc = -1};
	frame->address[0] = '\0';
	frame->from_meter = parts->kind != EB_IEC_REQUEST && parts->kind != EB_IEC_ACK;
	frame->checked = parts->block;
	if (parts->block)
		own->bcc = text[parts->mark + 1];
	if (parts->has_ident)
		keep_ident(frame, text, parts->ident);
	if (parts->kind == EB_IEC_ACK)
	{
		own->baud_char = text[2];
		own->baud = eb_iec62056_baud(text[2]);
		own->mode = text[3];
	}
	else if (parts->kind == EB_IEC_COMMAND)
	{
		EbFrameError error = keep_command(frame, text + from, parts->mark - from);

		if (error != EB_FRAME_OK)
			return error;
	}
	else if (parts->mark > 0)
		eb_obis_lines(frame, text + from, parts->mark - from);
	return frame->full ? EB_FRAME_TOO_LONG : EB_FRAME_OK;
}

/* An acknowledgement counts when it is all there is, else it is an echo. */
static EbScan
scan_ack(const EbScanInput *given, EbFrame *frame, size_t *length, EbFrameError *error)
{
	EbIecInput in = eb_iec_input(given->bytes, given->n, given->ended, given->seen);
	EbIecParts parts = {.kind = EB_IEC_ACK, .end = EB_IEC62056_ACK_SIZE};

	if ((*given->state & STATE_BEGUN) != 0 || !eb_iec_is_ack(given->bytes, given->n))
		return EB_SCAN_SKIP;
	if (given->n > EB_IEC62056_ACK_SIZE)
	{
		*length = EB_IEC62056_ACK_SIZE;
		return EB_SCAN_SKIP;
	}
	if (!given->ended)
		return EB_SCAN_MORE;
	/* 06 is the same with and without parity. */
	for (size_t i = 0; i < given->n; i++)
		in.parity = in.parity || (given->bytes[i] & 0x80) != 0;
	*error = given->n < EB_IEC62056_ACK_SIZE ? EB_FRAME_TRUNCATED : EB_FRAME_OK;
	for (size_t i = 0; i < given->n; i++)
		if (eb_iec_is_odd(&in, given->bytes[i]))
			*error = EB_FRAME_PARITY;
	if (*error != EB_FRAME_OK)
		return EB_SCAN_REFUSED;
	*error = read_frame(&in, &parts, frame);
	*length = EB_IEC62056_ACK_SIZE;
	return EB_SCAN_FRAME;
}

static bool
is_start(uint8_t byte)
{
	switch (byte)
	{
		case EB_IEC_SOH:
		case EB_IEC_SOH | 0x80:
		case EB_IEC_STX:
		case EB_IEC_STX | 0x80:
		case '/':
		case '/' | 0x80:
		case EB_IEC_ACK_BYTE:
			return true;
	}
	return false;
}

static EbScan
scan_any(const EbScanInput *given, EbFrame *frame, size_t *length, EbFrameError *error)
{
	EbIecInput in = eb_iec_input(given->bytes, given->n, given->ended, given->seen);
	EbIecParts parts;
	size_t junk = 0;

	while (junk < given->n && !is_start(given->bytes[junk]))
		junk++;
	*length = junk > 0 ? junk : 1;
	if (junk > 0)
		return EB_SCAN_SKIP;
	if (given->bytes[0] == EB_IEC_ACK_BYTE)
		return scan_ack(given, frame, length, error);
	*error = eb_iec_find(&in, &parts);
	if (*error == EB_FRAME_OK && parts.odd)
	{
		/* Its data would be those of a meter whose name was not understood. */
		*error = EB_FRAME_PARITY;
		*length = parts.end;
		return EB_SCAN_REFUSED;
	}
	if (parts.one_bit)
	{
		*length = parts.end;
		return EB_SCAN_REFUSED;
	}
	if (*error == EB_FRAME_OK)
		*error = read_frame(&in, &parts, frame);
	if (*error == EB_FRAME_OK)
	{
		*length = parts.end;
		return EB_SCAN_FRAME;
	}
	if (*error == EB_FRAME_TRUNCATED && in.n == EB_FRAME_MAX_LENGTH)
		*error = EB_FRAME_TOO_LONG;
	else if (*error == EB_FRAME_TRUNCATED && !in.ended)
		return EB_SCAN_MORE;
	return EB_SCAN_REFUSED;
}

static EbScan
scan(const EbScanInput *given, EbFrame *frame, size_t *length, EbFrameError *error)
{
	EbScan answer = scan_any(given, frame, length, error);

	if (answer != EB_SCAN_MORE)
		*given->state |= STATE_BEGUN;
	return answer;
}

static void
put_key(EbFrameText *text, const EbFrame *frame, const char *key, EbFrameRef value)
{
	eb_frame_put(text, "\"%s\":", key);
	eb_frame_put_text(text, eb_frame_get(frame, value));
	eb_frame_put(text, ",");
}

static void
put_char(EbFrameText *text, const char *key, int c)
{
	char string[2] = {(char) c, '\0'};

	eb_frame_put(text, "\"%s\":", key);
	eb_frame_put_text(text, string);
	eb_frame_put(text, ",");
}

static void
head(const EbFrame *frame, EbFrameText *text)
{
	static const char *const kinds[] = {
		[EB_IEC_REQUEST] = "request",	[EB_IEC_ACK] = "ack",	[EB_IEC_IDENT] = "ident",
		[EB_IEC_TELEGRAM] = "telegram", [EB_IEC_DATA] = "data", [EB_IEC_COMMAND] = "command"};
	const EbFrameIec62056 *own = &frame->iec62056;

	eb_frame_put(text, "\"kind\":\"%s\",", kinds[own->kind]);
	if (own->manufacturer != 0)
	{
		put_key(text, frame, "manufacturer", own->manufacturer);
		put_key(text, frame, "ident", own->ident);
	}
	if (own->baud_char != '\0')
	{
		put_char(text, "baud_char", own->baud_char);
		if (own->baud < 0)
			eb_frame_put(text, "\"baud\":null,");
		else
			eb_frame_put(text, "\"baud\":%d,", own->baud);
	}
	if (own->mode >= 0)
		put_char(text, "mode", own->mode);
	if (own->kind == EB_IEC_COMMAND)
	{
		put_key(text, frame, "command", own->command);
		put_key(text, frame, "text", own->text);
	}
	if (own->bcc >= 0)
		eb_frame_put(text, "\"bcc\":\"%02X\",", (unsigned) own->bcc);
	else if (own->kind == EB_IEC_TELEGRAM)
		eb_frame_put(text, "\"bcc\":null,");
}

const EbCodec eb_iec62056_codec = {
	.name = "iec62056",
	.scan = scan,
	.head = head,
};

bool
eb_iec62056_waits(const EbFrameReader *reader)
{
	size_t n = reader->held - reader->start, seen = 0;
	EbIecInput in;

	if (reader->codec != &eb_iec62056_codec || n == 0)
		return false;
	in = eb_iec_input(reader->buffer + reader->start, n, false, &seen);
	return eb_iec_is_ident(&in);
}
