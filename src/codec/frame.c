/*
 * frame.c -- the way of a stream of bytes through a codec
 * In:  chunks of any size; out: the frames the codec finds, in order, with their offsets.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * The reader holds only bytes that cannot be judged yet. Each position is judged once as start of
 * a frame, and a judgement looks at no more bytes than the longest frame has: the work is linear
 * in the input, whatever the input is, also when it comes byte by byte (EbScanInput.seen).
 */
#include "codec/frame.h"

#include <string.h>

void
eb_frame_begin(EbFrameReader *reader, const EbCodec *codec, const struct EbModbusMap *map)
{
	memset(reader, 0, offsetof(EbFrameReader, buffer));
	reader->codec = codec;
	reader->map = map;
}

/* Notes the reason; scanning goes on behind the refused bytes. */
static void
refuse(EbFrameReader *reader, EbFrameError error)
{
	reader->refused[error]++;
	if (reader->first_error == EB_FRAME_OK)
		reader->first_error = error;
}

static void
found(EbFrameReader *reader, EbFrame *frame, size_t length)
{
	frame->codec = reader->codec;
	frame->offset = reader->fed - (reader->held - reader->start);
	frame->length = length;
	frame->wire = reader->buffer + reader->start;
	reader->nframes++;
	if (frame->from_meter)
		reader->nreplies++;
	reader->last_end = frame->offset + length;
}

/* Judges what is held. true: a frame; false: nothing is left that can be judged. */
static bool
next_frame(EbFrameReader *reader, bool ended, EbFrame *frame)
{
	while (reader->start < reader->held)
	{
		size_t length = 0;
		EbFrameError error = EB_FRAME_OK;
		EbScanInput in = {
			.bytes = reader->buffer + reader->start,
			.n = reader->held - reader->start,
			.ended = ended,
			.state = &reader->state,
			.seen = &reader->seen,
			.map = reader->map,
		};
		EbScan scan = reader->codec->scan(&in, frame, &length, &error);

		if (scan == EB_SCAN_MORE)
			return false;
		if (scan == EB_SCAN_FRAME)
			found(reader, frame, length);
		else
			reader->skipped += length;
		if (scan == EB_SCAN_REFUSED)
			refuse(reader, error);
		reader->start += length;
		reader->seen = 0;
		if (scan == EB_SCAN_FRAME)
			return true;
	}
	return false;
}

/*
 * Takes as many bytes as there is room. Held bytes are moved to the front only when the buffer is
 * full; they are less than half of it then (see EbCodec), so moving costs at most a copy per byte.
 */
static void
take(EbFrameReader *reader, const uint8_t **bytes, size_t *n)
{
	size_t room;

	if (reader->start == reader->held)
		reader->start = reader->held = 0;
	if (reader->held == EB_FRAME_BUFFER)
	{
		reader->held -= reader->start;
		memmove(reader->buffer, reader->buffer + reader->start, reader->held);
		reader->start = 0;
	}
	room = EB_FRAME_BUFFER - reader->held;
	if (room > *n)
		room = *n;
	memcpy(reader->buffer + reader->held, *bytes, room);
	reader->held += room;
	reader->fed += room;
	*bytes += room;
	*n -= room;
}

bool
eb_frame_feed(EbFrameReader *reader, const uint8_t **bytes, size_t *n, EbFrame *frame)
{
	for (;;)
	{
		if (next_frame(reader, false, frame))
			return true;
		if (*n == 0)
			return false;
		take(reader, bytes, n);
	}
}

bool
eb_frame_finish(EbFrameReader *reader, EbFrame *frame)
{
	if (next_frame(reader, true, frame))
		return true;
	reader->state &= EB_STATE_LASTING;
	return false;
}

EbFrameError
eb_frame_verdict(const EbFrameReader *reader)
{
	/* Only a request that ends the input is no echo. */
	if (reader->nreplies > 0 || (reader->nframes > 0 && reader->last_end == reader->fed))
		return EB_FRAME_OK;
	return reader->first_error == EB_FRAME_OK ? EB_FRAME_NO_START : reader->first_error;
}

const char *
eb_frame_error_word(EbFrameError error)
{
	static const char *const word[EB_FRAME_NERRORS] = {
		[EB_FRAME_OK] = "ok",
		[EB_FRAME_NO_START] = "no_start",
		[EB_FRAME_TRUNCATED] = "truncated",
		[EB_FRAME_STRUCTURE] = "structure",
		[EB_FRAME_CHECKSUM] = "checksum",
		[EB_FRAME_TOO_LONG] = "too_long",
		[EB_FRAME_CONTROL_BYTE] = "control_byte",
		[EB_FRAME_VALUE] = "value",
		[EB_FRAME_PARITY] = "parity",
	};

	return word[error];
}
