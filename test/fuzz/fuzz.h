/*
 * fuzz.h -- what must hold for any codec and any bytes
 * Decoded whole, byte by byte and in chunks whose sizes the input chooses: the same frames, the
 * same verdict, the same counters. Frames rise, do not overlap, and lie inside the input; each is
 * made of the input's own bytes and decodes alone to the same frame.
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
		HOLD(frame->items[i].absent == (frame->items[i].value[0] == '\0'));
	*end = frame->offset + frame->length;
	for (size_t i = 0; i < length; i++)
		digest->hash = (digest->hash ^ (uint8_t) json[i]) * 1099511628211U;
}

static inline void
digest_input(const EbCodec *codec, const uint8_t *bytes, size_t n, Way way, Digest *digest)
{
	static EbFrame frame;
	uint64_t end = 0;
	size_t at = 0;

	digest->hash = 14695981039346656037U;
	eb_frame_begin(&digest->reader, codec);
	while (at < n)
	{
		size_t size = way == WAY_WHOLE ? n : way == WAY_BYTES ? 1 : 1 + bytes[at] % 40u;
		size_t left = size < n - at ? size : n - at;
		uint8_t *chunk = malloc(left); /* of its own size: a read beyond it is seen */
		const uint8_t *from = chunk;

		HOLD(chunk != NULL);
		memcpy(chunk, bytes + at, left);
		at += left;
		while (eb_frame_feed(&digest->reader, &from, &left, &frame))
			digest_frame(digest, &frame, bytes, n, &end);
		HOLD(left == 0);
		free(chunk);
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

/* The bytes of each frame, alone, are that frame. */
static inline void
frames_stand_alone(const EbCodec *codec, const uint8_t *bytes, size_t n)
{
	static EbFrameReader reader, again;
	static EbFrame frame, alone;
	static char one[EB_FRAME_JSON_SIZE], two[EB_FRAME_JSON_SIZE];

	eb_frame_begin(&reader, codec);
	while (eb_frame_feed(&reader, &bytes, &n, &frame))
	{
		const uint8_t *from = frame.wire;
		size_t left = frame.length;

		eb_frame_begin(&again, codec);
		HOLD(eb_frame_feed(&again, &from, &left, &alone) && left == 0);
		frame.offset = 0;
		eb_frame_json(&frame, one, sizeof(one));
		eb_frame_json(&alone, two, sizeof(two));
		HOLD(strcmp(one, two) == 0);
		HOLD(eb_frame_verdict(&again) == EB_FRAME_OK);
	}
}

static inline void
fuzz_codec(const EbCodec *codec, const uint8_t *bytes, size_t n)
{
	static Digest whole, other;

	digest_input(codec, bytes, n, WAY_WHOLE, &whole);
	digest_input(codec, bytes, n, WAY_BYTES, &other);
	same_digest(&whole, &other);
	digest_input(codec, bytes, n, WAY_CHUNKS, &other);
	same_digest(&whole, &other);
	frames_stand_alone(codec, bytes, n);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif /* ELECBILL_TEST_FUZZ_H */
