/*
 * frames.h -- what the tests of the codecs share: an input decoded in three ways
 */
#ifndef ELECBILL_TEST_FRAMES_H
#define ELECBILL_TEST_FRAMES_H

#include "codec/csvline.h"
#include "codec/dlt645.h"

#include "check.h"

#define MAX_DECODED 8

/* All frames of one input. wire is not kept: it points into the reader. */
typedef struct Decoded
{
	int n;
	EbFrame frame[MAX_DECODED];
	EbFrameError verdict;
	EbFrameReader reader;
} Decoded;

/* Hex text, blanks allowed, to bytes. */
static inline size_t
from_hex(const char *hex, uint8_t *bytes, size_t size)
{
	size_t n = 0;
	unsigned byte;
	int used;

	while (n < size && sscanf(hex, " %2x%n", &byte, &used) == 1)
	{
		bytes[n++] = (uint8_t) byte;
		hex += used;
	}
	return n;
}

/* Feeds chunks of the given size. More frames than MAX_DECODED are counted, not kept. */
static inline void
decode_by(const EbCodec *codec, const uint8_t *bytes, size_t n, size_t chunk, Decoded *out)
{
	static EbFrame frame;

	out->n = 0;
	eb_frame_begin(&out->reader, codec, NULL);
	for (size_t at = 0; at < n; at += chunk)
	{
		const uint8_t *from = bytes + at;
		size_t left = n - at < chunk ? n - at : chunk;

		while (eb_frame_feed(&out->reader, &from, &left, &frame))
			if (out->n++ < MAX_DECODED)
				out->frame[out->n - 1] = frame;
	}
	while (eb_frame_finish(&out->reader, &frame))
		if (out->n++ < MAX_DECODED)
			out->frame[out->n - 1] = frame;
	out->verdict = eb_frame_verdict(&out->reader);
}

/* Whole, and checks that single bytes and chunks of 7 give the same. */
static inline void
decode(const EbCodec *codec, const uint8_t *bytes, size_t n, Decoded *out)
{
	static const size_t chunks[] = {1, 7};
	static Decoded again;

	decode_by(codec, bytes, n, n > 0 ? n : 1, out);
	for (int way = 0; way < 2; way++)
	{
		decode_by(codec, bytes, n, chunks[way], &again);
		CHECK_INT(again.n, out->n);
		CHECK_INT(again.verdict, out->verdict);
		CHECK_MEM(again.reader.refused, out->reader.refused, sizeof(out->reader.refused));
		CHECK_INT(again.reader.skipped, out->reader.skipped);
		for (int i = 0; i < out->n && i < again.n && i < MAX_DECODED; i++)
		{
			static char one[EB_FRAME_JSON_SIZE], two[EB_FRAME_JSON_SIZE];

			CHECK(eb_frame_json(&out->frame[i], one, sizeof(one)) > 0);
			CHECK(eb_frame_json(&again.frame[i], two, sizeof(two)) > 0);
			CHECK_STR(two, one);
		}
	}
}

static inline void
decode_hex(const EbCodec *codec, const char *hex, Decoded *out)
{
	uint8_t bytes[2048];

	decode(codec, bytes, from_hex(hex, bytes, sizeof(bytes)), out);
}

#endif /* ELECBILL_TEST_FRAMES_H */
