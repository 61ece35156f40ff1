/*
 * fuzz_iec62056.c -- libFuzzer: any bytes as an IEC 62056-21 line
 * The input is also made into a block with its BCC, with and without parity bits: both must be the
 * same frame, or both be refused.
 */
#include "codec/iec62056.h"
#include "fuzz.h"

/* The input as one block of 7 bits; returns its length. */
static size_t
block_input(const uint8_t *bytes, size_t n, uint8_t *block)
{
	uint8_t bcc = 0x03;

	block[0] = 0x02;
	for (size_t i = 0; i < n; i++)
	{
		block[1 + i] = (bytes[i] & 0x7F) == 0x03 ? 'x' : bytes[i] & 0x7F;
		bcc ^= block[1 + i];
	}
	block[1 + n] = 0x03;
	block[2 + n] = bcc;
	return n + 3;
}

static void
add_parity(uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] |= (uint8_t) (__builtin_parity(bytes[i]) << 7);
}

/* What the input gives at its begin: the JSON of a frame, or the reason. */
static const char *
first_of(const uint8_t *bytes, size_t n, char *json)
{
	static EbFrameReader reader;
	static EbFrame frame;

	eb_frame_begin(&reader, &eb_iec62056_codec, NULL);
	if (!eb_frame_feed(&reader, &bytes, &n, &frame) || frame.offset != 0)
		return eb_frame_error_word(reader.first_error);
	eb_frame_json(&frame, json, EB_FRAME_JSON_SIZE);
	return json;
}

/* What an address makes is found, and is an echo. */
static void
request_comes_back(const uint8_t *bytes, size_t n)
{
	static EbFrameReader reader;
	static EbFrame frame;
	EbIec62056Request request;
	char address[EB_IEC62056_MAX_ADDRESS + 1] = "";
	const uint8_t *from = request.bytes;
	size_t left;

	for (size_t i = 0; i < n && i < EB_IEC62056_MAX_ADDRESS; i++)
		address[i] = "0123456789 ABCxyz"[bytes[i] % 17];
	HOLD(eb_iec62056_sign_on(address, &request));
	left = request.length;
	eb_frame_begin(&reader, &eb_iec62056_codec, NULL);
	HOLD(eb_frame_feed(&reader, &from, &left, &frame) && left == 0);
	HOLD(eb_iec62056_match(&request, &frame) == EB_MATCH_ECHO);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static uint8_t block[EB_FRAME_MAX_LENGTH];
	static char plain[EB_FRAME_JSON_SIZE], parity[EB_FRAME_JSON_SIZE];
	const char *one, *two;

	fuzz_codec(&eb_iec62056_codec, bytes, n);
	request_comes_back(bytes, n);
	if (n > sizeof(block) - 3)
		return 0;
	n = block_input(bytes, n, block);
	fuzz_codec(&eb_iec62056_codec, block, n);
	one = first_of(block, n, plain);
	add_parity(block, n);
	two = first_of(block, n, parity);
	HOLD(strcmp(one, two) == 0);
	HOLD(one == plain || strcmp(one, "structure") == 0 || strcmp(one, "too_long") == 0);
	return 0;
}
