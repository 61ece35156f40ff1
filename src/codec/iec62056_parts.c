/*
 * iec62056_parts.c -- where the parts of an IEC 62056-21 frame stand
 * In:  the bytes from a start byte on; out: places in them, checked against parity and BCC.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * Damage must not turn a block with a checksum into one without: data without STX are refused when
 * ETX follows them, and so is an identification behind which neither data nor a sound
 * acknowledgement stand.
 */
#include "codec/iec62056_parts.h"

#include "codec/iec62056.h"
#include "codec/obis.h"

#include <string.h>

/* Longest identification line; the norm allows 16 characters of ident. */
#define MAX_HEAD 128

/* Line ends between identification and data. */
#define MAX_BLANK 16

/* Of *seen: a second begin was passed over. */
#define SEEN_INNER ((size_t) 1 << 31)

EbIecInput
eb_iec_input(const uint8_t *bytes, size_t n, bool ended, size_t *seen)
{
	bool all = n >= EB_FRAME_MAX_LENGTH;

	return (EbIecInput){bytes, all ? EB_FRAME_MAX_LENGTH : n, ended && !all, (bytes[0] & 0x80) != 0,
						seen};
}

bool
eb_iec_is_odd(const EbIecInput *in, uint8_t byte)
{
	unsigned ones = byte;

	if (!in->parity)
		return (byte & 0x80) != 0;
	ones ^= ones >> 4;
	ones ^= ones >> 2;
	ones ^= ones >> 1;
	return (ones & 1) != 0;
}

static bool
is_line_end(uint8_t byte)
{
	return eb_iec_plain(byte) == '\r' || eb_iec_plain(byte) == '\n';
}

static bool
is_letter(uint8_t byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

bool
eb_iec_is_ack(const uint8_t *bytes, size_t n)
{
	return (n < 1 || bytes[0] == EB_IEC_ACK_BYTE) && (n < 2 || eb_iec_printable(bytes[1])) &&
		   (n < 3 || eb_iec_printable(bytes[2])) && (n < 4 || eb_iec_printable(bytes[3])) &&
		   (n < 5 || eb_iec_plain(bytes[4]) == '\r') && (n < 6 || eb_iec_plain(bytes[5]) == '\n');
}

/* "/?address! CR LF" */
static EbFrameError
find_request(const EbIecInput *in, EbIecParts *parts)
{
	size_t at = 1;

	for (; at < in->n && eb_iec_plain(in->bytes[at]) != '!'; at++)
	{
		uint8_t byte = in->bytes[at];

		if (eb_iec_is_odd(in, byte))
			return EB_FRAME_PARITY;
		if (!eb_iec_printable(byte) || eb_iec_plain(byte) == '/' ||
			at == 2 + EB_IEC62056_MAX_ADDRESS)
			return EB_FRAME_STRUCTURE;
	}
	for (size_t i = 0; i < 3; i++, at++)
	{
		if (at == in->n)
			return EB_FRAME_TRUNCATED;
		if (eb_iec_is_odd(in, in->bytes[at]))
			return EB_FRAME_PARITY;
		if (eb_iec_plain(in->bytes[at]) != "!\r\n"[i])
			return EB_FRAME_STRUCTURE;
	}
	parts->kind = EB_IEC_REQUEST;
	parts->end = at;
	return EB_FRAME_OK;
}

/*
 * The end of the identification line: its LF, or where that is damaged the block behind it. One byte
 * of wrong parity is passed over, so that the telegram can be refused as a whole.
 */
static EbFrameError
find_line(const EbIecInput *in, EbIecParts *parts, size_t *end)
{
	bool cr = false;

	for (size_t i = 1; i < in->n; i++)
	{
		uint8_t c = eb_iec_plain(in->bytes[i]);

		if (i == MAX_HEAD)
			return EB_FRAME_STRUCTURE;
		if (eb_iec_is_odd(in, in->bytes[i]))
		{
			if (parts->odd)
				return EB_FRAME_PARITY;
			parts->odd = true;
			continue;
		}
		*end = i;
		if (c == '\n' || (parts->odd && (c == EB_IEC_STX || c == EB_IEC_SOH)))
			return EB_FRAME_OK;
		if ((cr && c != '\r') || c == '/' || c == '!' || (i <= 3 && !is_letter(c)) ||
			(c != '\r' && !eb_iec_printable(c)))
			return EB_FRAME_STRUCTURE;
		cr = c == '\r';
	}
	return EB_FRAME_TRUNCATED;
}

/* The identification and the line ends behind it; sets odd, ident and body. */
static EbFrameError
find_ident(const EbIecInput *in, EbIecParts *parts)
{
	size_t end = 0;
	EbFrameError error = find_line(in, parts, &end);

	if (error != EB_FRAME_OK)
		return error;
	parts->has_ident = true;
	parts->ident = parts->body = end;
	while (eb_iec_plain(in->bytes[parts->ident - 1]) == '\r')
		parts->ident--;
	if (parts->ident < 5)
		return EB_FRAME_STRUCTURE;
	while (parts->body < in->n && is_line_end(in->bytes[parts->body]) &&
		   !eb_iec_is_odd(in, in->bytes[parts->body]))
		if (++parts->body > end + MAX_BLANK)
			return EB_FRAME_STRUCTURE;
	return EB_FRAME_OK;
}

/* A byte of text between the ends of a block or in lines. */
static bool
is_text(uint8_t byte)
{
	return eb_iec_printable(byte) || is_line_end(byte) || eb_iec_plain(byte) == '\t';
}

static bool
is_block_start(uint8_t byte)
{
	return eb_iec_plain(byte) == EB_IEC_SOH || eb_iec_plain(byte) == EB_IEC_STX;
}

/*
 * The ETX of the block that SOH or STX begins at body; *inner: a second begin stands in front of it.
 * No other control byte stands in a block but the STX of a command, so that a lost ETX is noticed
 * where the blocks behind it begin.
 */
static EbFrameError
find_etx(const EbIecInput *in, const EbIecParts *parts, bool *inner, size_t *etx)
{
	size_t seen = *in->seen & ~SEEN_INNER;
	size_t at = seen > parts->body ? seen : parts->body + 1;
	bool command = eb_iec_plain(in->bytes[parts->body]) == EB_IEC_SOH;

	*inner = (*in->seen & SEEN_INNER) != 0;
	for (; at < in->n && eb_iec_plain(in->bytes[at]) != EB_IEC_ETX; at++)
	{
		uint8_t byte = in->bytes[at];

		if (eb_iec_is_odd(in, byte))
			return EB_FRAME_PARITY;
		if (is_text(byte) || (command && at == parts->body + 3 && eb_iec_plain(byte) == EB_IEC_STX))
			continue;
		if (*inner || !is_block_start(byte))
			return EB_FRAME_STRUCTURE;
		*inner = true;
	}
	*in->seen = at | (*inner ? SEEN_INNER : 0);
	*etx = at;
	if (at < in->n && eb_iec_is_odd(in, in->bytes[at]))
		return EB_FRAME_PARITY;
	if (at + 1 >= in->n)
		return EB_FRAME_TRUNCATED;
	return eb_iec_is_odd(in, in->bytes[at + 1]) ? EB_FRAME_PARITY : EB_FRAME_OK;
}

/*
 * The block at body. One bit that flipped can make a begin out of a line end, and in one of 128 cases
 * the BCC fits what is left: a block that is wrong by one bit sets nothing free that is in it.
 */
static EbFrameError
find_block(const EbIecInput *in, EbIecParts *parts)
{
	size_t etx;
	bool inner;
	unsigned bcc;
	EbFrameError error = find_etx(in, parts, &inner, &etx);

	if (error != EB_FRAME_OK)
		return error;
	bcc = eb_iec_plain(in->bytes[etx + 1]);
	for (size_t i = parts->body + 1; i <= etx; i++)
		bcc ^= eb_iec_plain(in->bytes[i]);
	parts->block = true;
	parts->mark = etx;
	parts->end = etx + 2;
	parts->one_bit = bcc != 0 && (bcc & (bcc - 1)) == 0;
	if (inner)
		return EB_FRAME_STRUCTURE;
	return bcc == 0 ? EB_FRAME_OK : EB_FRAME_CHECKSUM;
}

/*
 * Whether the "!" that begins a line at mark ends data without a checksum: a line end or the end of
 * the input follows, and then no ETX. VALUE: it is no end.
 */
static EbFrameError
read_mark(const EbIecInput *in, size_t mark)
{
	size_t at = mark + 1;

	while (at < in->n && at < mark + 3 && is_line_end(in->bytes[at]))
		at++;
	if (at == in->n)
		return in->ended ? EB_FRAME_OK : EB_FRAME_TRUNCATED;
	if (eb_iec_plain(in->bytes[at]) == EB_IEC_ETX)
		return EB_FRAME_STRUCTURE;
	return at > mark + 1 ? EB_FRAME_OK : EB_FRAME_VALUE;
}

/* Lines without STX from body on. */
static EbFrameError
find_lines(const EbIecInput *in, EbIecParts *parts)
{
	for (size_t at = *in->seen > parts->body ? *in->seen : parts->body; at < in->n; at++)
	{
		uint8_t c = eb_iec_plain(in->bytes[at]);
		size_t line = at;

		*in->seen = at;
		if (eb_iec_is_odd(in, in->bytes[at]))
			return EB_FRAME_PARITY;
		if (c == '!' && (at == parts->body || eb_iec_plain(in->bytes[at - 1]) == '\n'))
		{
			EbFrameError error = read_mark(in, at);

			parts->mark = at;
			parts->end = at + 1;
			if (error != EB_FRAME_VALUE)
				return error;
		}
		if (!is_text(c))
			return EB_FRAME_STRUCTURE;
		if (c != '\n')
			continue;
		/* Another telegram began: this one has lost its end. */
		while (line > parts->body && eb_iec_plain(in->bytes[line - 1]) != '\n')
			line--;
		if (eb_obis_has_head(in->bytes + line, at - line))
			return EB_FRAME_STRUCTURE;
	}
	*in->seen = in->n;
	return EB_FRAME_TRUNCATED;
}

/* What stands behind an identification. */
static EbFrameError
find_data(const EbIecInput *in, EbIecParts *parts)
{
	size_t left = in->n - parts->body;
	const uint8_t *body = in->bytes + parts->body;

	parts->kind = EB_IEC_IDENT;
	parts->end = parts->body;
	if (left == 0)
		return in->ended ? EB_FRAME_OK : EB_FRAME_TRUNCATED;
	if (eb_iec_is_odd(in, body[0]))
		return EB_FRAME_PARITY;
	switch (eb_iec_plain(body[0]))
	{
		case EB_IEC_SOH:
		case EB_IEC_STX:
			parts->kind = eb_iec_plain(body[0]) == EB_IEC_SOH ? EB_IEC_COMMAND : EB_IEC_TELEGRAM;
			return find_block(in, parts);
		case EB_IEC_ACK_BYTE:
			if (!eb_iec_is_ack(body, left))
				return EB_FRAME_STRUCTURE;
			return left < EB_IEC62056_ACK_SIZE ? EB_FRAME_TRUNCATED : EB_FRAME_OK;
		case '/':
			return EB_FRAME_OK;
	}
	parts->kind = EB_IEC_TELEGRAM;
	return find_lines(in, parts);
}

EbFrameError
eb_iec_find(const EbIecInput *in, EbIecParts *parts)
{
	EbFrameError error;

	memset(parts, 0, sizeof(*parts));
	if (eb_iec_plain(in->bytes[0]) != '/')
	{
		parts->kind = eb_iec_plain(in->bytes[0]) == EB_IEC_SOH ? EB_IEC_COMMAND : EB_IEC_DATA;
		return find_block(in, parts);
	}
	if (in->n < 2)
		return EB_FRAME_TRUNCATED;
	if (eb_iec_plain(in->bytes[1]) == '?')
		return find_request(in, parts);
	error = find_ident(in, parts);
	return error == EB_FRAME_OK ? find_data(in, parts) : error;
}

bool
eb_iec_is_ident(const EbIecInput *in)
{
	EbIecParts parts = {.body = 0};

	return in->n > 1 && eb_iec_plain(in->bytes[0]) == '/' && eb_iec_plain(in->bytes[1]) != '?' &&
		   find_ident(in, &parts) == EB_FRAME_OK && parts.body == in->n;
}
