/*
 * fuzz_p1.c -- libFuzzer: any bytes as DSMR P1 telegrams
 * Raw noise seldom has a good CRC, so the input is also signed: its bytes become the lines of a
 * telegram, which must be found or refused for its bytes alone.
 */
#include "codec/p1.h"
#include "fuzz.h"

#define HEAD "/XXX5fuzz\r\n\r\n"

/* Bit by bit, not by the table of base/crc.c. */
static unsigned
arc(const uint8_t *bytes, size_t n)
{
	unsigned crc = 0;

	for (size_t i = 0; i < n; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
	}
	return crc;
}

/* The bytes of each frame, with the line end behind them, are that frame. */
static void
telegrams_stand_alone(const uint8_t *bytes, size_t n)
{
	static EbFrameReader reader, again;
	static EbFrame frame, alone;
	static char one[EB_FRAME_JSON_SIZE], two[EB_FRAME_JSON_SIZE];
	const uint8_t *at = bytes;
	size_t size = n;

	eb_frame_begin(&reader, &eb_p1_codec, NULL);
	while (eb_frame_feed(&reader, &at, &size, &frame))
	{
		const uint8_t *from = bytes + frame.offset;
		size_t left = frame.length + (frame.offset + frame.length < n ? 1 : 0);

		eb_frame_begin(&again, &eb_p1_codec, NULL);
		HOLD(eb_frame_feed(&again, &from, &left, &alone));
		frame.offset = 0;
		eb_frame_json(&frame, one, sizeof(one));
		eb_frame_json(&alone, two, sizeof(two));
		HOLD(strcmp(one, two) == 0);
	}
}

static void
fuzz_p1(const uint8_t *bytes, size_t n)
{
	static Digest whole, other;

	digest_input(&eb_p1_codec, NULL, bytes, n, WAY_WHOLE, &whole);
	digest_input(&eb_p1_codec, NULL, bytes, n, WAY_BYTES, &other);
	same_digest(&whole, &other);
	digest_input(&eb_p1_codec, NULL, bytes, n, WAY_CHUNKS, &other);
	same_digest(&whole, &other);
	telegrams_stand_alone(bytes, n);
}

/* The input as the lines of one telegram; returns its length. */
static size_t
sign_input(const uint8_t *bytes, size_t n, uint8_t *telegram)
{
	size_t at = strlen(HEAD);

	memcpy(telegram, HEAD, at);
	memcpy(telegram + at, bytes, n);
	at += n;
	memcpy(telegram + at, "\r\n!", 3);
	at += 3;
	return at + (size_t) snprintf((char *) telegram + at, 8, "%04X\r\n", arc(telegram, at));
}

static void
signed_input_is_found(const uint8_t *telegram, size_t n)
{
	static EbFrameReader reader;
	static EbFrame frame;
	const uint8_t *from = telegram;
	size_t left = n;

	eb_frame_begin(&reader, &eb_p1_codec, NULL);
	if (!eb_frame_feed(&reader, &from, &left, &frame) || frame.offset != 0)
		HOLD(reader.first_error != EB_FRAME_OK && reader.first_error != EB_FRAME_TRUNCATED);
	else if (frame.length == n - 2)
		HOLD(frame.checked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static uint8_t telegram[EB_FRAME_MAX_LENGTH];

	fuzz_p1(bytes, n);
	if (n > sizeof(telegram) - 64)
		return 0;
	n = sign_input(bytes, n, telegram);
	fuzz_p1(telegram, n);
	signed_input_is_found(telegram, n);
	return 0;
}
