/*
 * fuzz.h -- what must hold for any codec and any bytes
 * Decoded whole, byte by byte and in chunks whose sizes the input chooses: the same frames, the
 * same verdict, the same counters. Frames rise, do not overlap, and lie inside the input; each is
 * made of the input's own bytes and decodes alone to the same frame. No byte behind the input is read.
 */
#ifndef ELECBILL_TEST_FUZZ_H
#define ELECBILL_TEST_FUZZ_H

#include "codec/csvline.h"
#include "codec/dlt645.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stops the fuzzer with the input when a property is broken; stays in optimised builds. */
#define HOLD(cond)                                                             \
	do                                                                         \
	{                                                                          \
		if (!(cond))                                                           \
		{                                                                      \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                           \
		}                                                                      \
	} while (0)

/* What of a decoding must not depend on the chunks. */
typedef struct Digest
{
	EbFrameReader reader;
	uint64_t hash; /* over the JSON of all frames */
} Digest;

typedef enum Way
{
	WAY_WHOLE,
	WAY_BYTES,
	WAY_CHUNKS
} Way;

static inline void
digest_frame(Digest *digest, EbFrame *frame, const uint8_t *bytes, size_t n, uint64_t *end)
{
	static char json[EB_FRAME_JSON_SIZE];
	size_t length = eb_frame_json(frame, json, sizeof(json));

	HOLD(length > 0 && strlen(json) == length);
	HOLD(frame->offset >= *end && frame->length > 0 && frame->offset + frame->length <= n);
	HOLD(memcmp(frame->wire, bytes + frame->offset, frame->length) == 0);
	HOLD(frame->nitems >= 0 && frame->nitems <= EB_FRAME_MAX_ITEMS);
	for (int i = 0; i < frame->nitems; i++)
		HOLD(!frame->items[i].absent || eb_frame_get(frame, frame->items[i].value)[0] == '\0');
	*end = frame->offset + frame->length;
	/* ASCII, whatever the meter sent: no database encoding can refuse it. */
	for (size_t i = 0; i < length; i++)
		HOLD(json[i] >= 0x20 && json[i] <= 0x7E);
	for (size_t i = 0; i < length; i++)
		digest->hash = (digest->hash ^ (uint8_t) json[i]) * 1099511628211U;
}

/*
 * Memory of just that size, so that a read beyond it is seen; small ones are taken once and kept,
 * for the sanitizer holds back what is given free, and counts a byte where it holds a line of them.
 */
static inline uint8_t *
take_chunk(size_t n)
{
	static uint8_t *small[64];
	uint8_t *chunk = n < 64 && small[n] != NULL ? small[n] : malloc(n);

	HOLD(chunk != NULL);
	if (n < 64)
		small[n] = chunk;
	return chunk;
}

static inline void
drop_chunk(uint8_t *chunk, size_t n)
{
	if (n >= 64)
		free(chunk);
}

static inline void
digest_input(const EbCodec *codec, const struct EbModbusMap *map, const uint8_t *bytes, size_t n,
			 Way way, Digest *digest)
{
	static EbFrame frame;
	uint64_t end = 0;
	size_t at = 0;

	digest->hash = 14695981039346656037U;
	eb_frame_begin(&digest->reader, codec, map);
	while (at < n)
	{
		size_t size = way == WAY_WHOLE ? n : way == WAY_BYTES ? 1 : 1 + bytes[at] % 40u;
		size_t left = size < n - at ? size : n - at;
		size_t taken = left;
		uint8_t *chunk = take_chunk(taken);
		const uint8_t *from = chunk;

		memcpy(chunk, bytes + at, left);
		at += left;
		while (eb_frame_feed(&digest->reader, &from, &left, &frame))
			digest_frame(digest, &frame, bytes, n, &end);
		HOLD(left == 0);
		drop_chunk(chunk, taken);
	}
	while (eb_frame_finish(&digest->reader, &frame))
		digest_frame(digest, &frame, bytes, n, &end);
	HOLD(digest->reader.fed == n && digest->reader.start == digest->reader.held);
}

static inline void
same_digest(const Digest *one, const Digest *two)
{
	HOLD(one->hash == two->hash);
	HOLD(one->reader.nframes == two->reader.nframes);
	HOLD(one->reader.skipped == two->reader.skipped);
	HOLD(one->reader.first_error == two->reader.first_error);
	HOLD(memcmp(one->reader.refused, two->reader.refused, sizeof(one->reader.refused)) == 0);
	HOLD(eb_frame_verdict(&one->reader) == eb_frame_verdict(&two->reader));
}

/* The bytes of each frame, alone, are that frame; where more could follow, at their end. */
static inline void
frames_stand_alone(const EbCodec *codec, const struct EbModbusMap *map, const uint8_t *bytes,
				   size_t n)
{
	static EbFrameReader reader, again;
	static EbFrame frame, alone;
	static char one[EB_FRAME_JSON_SIZE], two[EB_FRAME_JSON_SIZE];

	eb_frame_begin(&reader, codec, map);
	while (eb_frame_feed(&reader, &bytes, &n, &frame))
	{
		const uint8_t *from = frame.wire;
		size_t left = frame.length;

		eb_frame_begin(&again, codec, map);
		HOLD(eb_frame_feed(&again, &from, &left, &alone) || eb_frame_finish(&again, &alone));
		HOLD(left == 0);
		frame.offset = 0;
		eb_frame_json(&frame, one, sizeof(one));
		eb_frame_json(&alone, two, sizeof(two));
		HOLD(strcmp(one, two) == 0);
		HOLD(eb_frame_verdict(&again) == EB_FRAME_OK);
	}
}

/*
 * The codec alone on memory of the input's size: the reader's buffer is larger than what it holds, and
 * would hide a read beyond it.
 */
static inline void
stays_within(const EbCodec *codec, const struct EbModbusMap *map, const uint8_t *bytes, size_t n)
{
	static EbFrame frame;
	uint8_t *input = take_chunk(n);
	unsigned state = 0;

	memcpy(input, bytes, n);
	for (size_t at = 0, length; at < n; at += length)
	{
		size_t seen = 0;
		EbFrameError error = EB_FRAME_OK;
		EbScanInput in = {.bytes = input + at,
						  .n = n - at,
						  .ended = true,
						  .state = &state,
						  .seen = &seen,
						  .map = map};

		length = 0;
		HOLD(codec->scan(&in, &frame, &length, &error) != EB_SCAN_MORE);
		HOLD(length > 0 && length <= n - at);
	}
	drop_chunk(input, n);
}

static inline void
fuzz_codec_map(const EbCodec *codec, const struct EbModbusMap *map, const uint8_t *bytes, size_t n)
{
	static Digest whole, other;

	digest_input(codec, map, bytes, n, WAY_WHOLE, &whole);
	digest_input(codec, map, bytes, n, WAY_BYTES, &other);
	same_digest(&whole, &other);
	digest_input(codec, map, bytes, n, WAY_CHUNKS, &other);
	same_digest(&whole, &other);
	frames_stand_alone(codec, map, bytes, n);
	stays_within(codec, map, bytes, n);
}

static inline void
fuzz_codec(const EbCodec *codec, const uint8_t *bytes, size_t n)
{
	fuzz_codec_map(codec, NULL, bytes, n);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif /* ELECBILL_TEST_FUZZ_H */
