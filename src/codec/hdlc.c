/*
 * hdlc.c -- HDLC frames of DLMS meters: finding them in a stream
 * In:  bytes of the line; out: frames. What the information says is in cosem.c.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 *		7E Al ll dst src control [HCS HCS information] FCS FCS 7E
 *
 * The length is that of everything between the flags. HCS covers the bytes before it, FCS all
 * before it, both CRC-16/X.25, low byte first. Of an address the last byte is odd.
 */
#include "codec/hdlc.h"

#include "base/crc.h"
#include "codec/cosem.h"

#include <string.h>

#define FLAG 0x7E
#define FORMAT_MASK 0xF0
#define FORMAT 0xA0
#define SEGMENTED 0x08
#define LENGTH_MASK 0x07

/* Format(2), two addresses of one byte, control, FCS. */
#define MIN_COUNTED 7

/* An address of HDLC has one, two or four bytes. */
#define MAX_ADDRESS 4

static unsigned
low_first(const uint8_t *bytes)
{
	return bytes[0] | (unsigned) bytes[1] << 8;
}

/* Bytes of the address at the front of n, or 0: it has no end. */
static size_t
address_length(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n && i < MAX_ADDRESS; i++)
		if ((bytes[i] & 1) != 0)
			return i + 1;
	return 0;
}

/* The n bytes between the flags, FCS right and left out. */
static EbFrameError
read_frame(const uint8_t *bytes, size_t n, EbFrame *frame)
{
	EbFrameHdlc *own = &frame->hdlc;
	size_t ndst = address_length(bytes + 2, n - 2);
	size_t nsrc = ndst > 0 ? address_length(bytes + 2 + ndst, n - 2 - ndst) : 0;
	size_t at = 2 + ndst + nsrc;

	if (nsrc == 0 || at == n)
		return EB_FRAME_STRUCTURE;
	eb_frame_clear(frame);
	frame->from_meter = true;
	frame->checked = true;
	own->control = bytes[at++];
	if (n != at && n < at + 2)
		return EB_FRAME_STRUCTURE;
	if (n != at && eb_crc16_x25(bytes, at) != low_first(bytes + at))
		return EB_FRAME_CHECKSUM;
	own->dst = eb_frame_keep_hex(frame, bytes + 2, ndst);
	own->src = eb_frame_keep_hex(frame, bytes + 2 + ndst, nsrc);
	memcpy(frame->address, eb_frame_get(frame, own->src), 2 * nsrc + 1);
	own->time = own->information = 0;
	if (n <= at + 2)
		return EB_FRAME_OK;
	own->information = eb_frame_keep_hex(frame, bytes + at + 2, n - at - 2);
	if ((bytes[0] & SEGMENTED) != 0)
		return EB_FRAME_OK;
	return eb_cosem_push(bytes + at + 2, n - at - 2, frame);
}

/* What is wrong with the n bytes from a flag on, or OK; *length is then that of the frame. */
static EbFrameError
check_frame(const uint8_t *bytes, size_t n, EbFrame *frame, size_t *length)
{
	size_t counted;

	if (n >= 2 && (bytes[1] & FORMAT_MASK) != FORMAT)
		return EB_FRAME_STRUCTURE;
	if (n < 3)
		return EB_FRAME_TRUNCATED;
	counted = (size_t) (bytes[1] & LENGTH_MASK) << 8 | bytes[2];
	if (counted < MIN_COUNTED)
		return EB_FRAME_STRUCTURE;
	if (n < counted + 2)
		return EB_FRAME_TRUNCATED;
	if (bytes[counted + 1] != FLAG)
		return EB_FRAME_STRUCTURE;
	if (eb_crc16_x25(bytes + 1, counted - 2) != low_first(bytes + counted - 1))
		return EB_FRAME_CHECKSUM;
	*length = counted + 2;
	return read_frame(bytes + 1, counted - 2, frame);
}

static EbScan
scan(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	const uint8_t *start = memchr(in->bytes, FLAG, in->n);

	if (start != in->bytes)
	{
		*length = start != NULL ? (size_t) (start - in->bytes) : in->n;
		return EB_SCAN_SKIP;
	}
	/* Flags that fill the time between two frames. */
	if (in->n >= 2 && in->bytes[1] == FLAG)
	{
		*length = 1;
		return EB_SCAN_SKIP;
	}
	*error = check_frame(in->bytes, in->n, frame, length);
	if (*error == EB_FRAME_OK)
		return EB_SCAN_FRAME;
	if (*error == EB_FRAME_TRUNCATED && !in->ended)
		return EB_SCAN_MORE;
	*length = 1;
	return EB_SCAN_REFUSED;
}

static void
head(const EbFrame *frame, EbFrameText *text)
{
	const EbFrameHdlc *own = &frame->hdlc;

	eb_frame_put(text, "\"dst\":\"%s\",\"src\":\"%s\",\"control\":\"%02X\",\"information\":",
				 eb_frame_get(frame, own->dst), eb_frame_get(frame, own->src), own->control);
	if (own->information == 0)
		eb_frame_put(text, "null,");
	else
		eb_frame_put(text, "\"%s\",", eb_frame_get(frame, own->information));
	if (own->time != 0)
		eb_frame_put(text, "\"time\":\"%s\",", eb_frame_get(frame, own->time));
}

const EbCodec eb_hdlc_codec = {
	.name = "hdlc",
	.scan = scan,
	.head = head,
};
