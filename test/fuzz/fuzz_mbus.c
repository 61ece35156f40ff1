/*
 * fuzz_mbus.c -- libFuzzer: any bytes as an M-Bus line, and as the records of a reply
 * Raw noise seldom has a good sum, so the input is also framed: its bytes become the records of a
 * reply with the right sum, which must be found, or refused for its records alone.
 */
#include "codec/mbus.h"

#include "fuzz.h"

#define HEAD 19 /* 68 L L 68 C A CI and the header of CI 72 */

/* The input as one reply; returns its length. */
static size_t
frame_input(const uint8_t *bytes, size_t n, uint8_t *frame)
{
	static const uint8_t head[HEAD] = {0x68, 0,	   0,	 0x68, 0x08, 5, 0x72, 0x78, 0x56, 0x34,
									   0x12, 0x42, 0x04, 2,	   2,	 1, 0,	  0,	0};
	size_t length = n < 255 - (HEAD - 4) ? n : 255 - (HEAD - 4);
	unsigned sum = 0;

	memcpy(frame, head, HEAD);
	memcpy(frame + HEAD, bytes, length);
	frame[1] = frame[2] = (uint8_t) (HEAD - 4 + length);
	for (size_t i = 4; i < HEAD + length; i++)
		sum += frame[i];
	frame[HEAD + length] = (uint8_t) sum;
	frame[HEAD + length + 1] = 0x16;
	return HEAD + length + 2;
}

static void
framed_input_is_found(const uint8_t *frame, size_t n)
{
	static EbFrameReader reader;
	static EbFrame got, records;
	const uint8_t *from = frame;
	size_t left = n;
	bool more;
	EbFrameError error = eb_mbus_records(frame + HEAD, n - HEAD - 2, &records, &more);

	HOLD(error == EB_FRAME_OK || error == EB_FRAME_STRUCTURE);
	eb_frame_begin(&reader, &eb_mbus_codec, NULL);
	if (eb_frame_feed(&reader, &from, &left, &got) && got.offset == 0)
	{
		HOLD(error == EB_FRAME_OK && got.length == n && got.from_meter);
		HOLD(got.nitems == records.nitems && got.mbus.more == more);
		HOLD(strcmp(eb_frame_get(&got, got.mbus.meter_id), "12345678") == 0);
	}
	else
		HOLD(error == EB_FRAME_STRUCTURE && reader.first_error == error);
}

/* An integer of four bytes comes back in the unit of its VIF. */
static void
register_comes_back(const uint8_t *bytes)
{
	static EbFrame frame;
	uint8_t record[] = {0x04, 0x03, bytes[0], bytes[1], bytes[2], bytes[3]};
	int32_t number = (int32_t) ((uint32_t) bytes[3] << 24 | (uint32_t) bytes[2] << 16 |
								(uint32_t) bytes[1] << 8 | bytes[0]);
	char want[16];
	bool more;

	snprintf(want, sizeof(want), "%d", number);
	HOLD(eb_mbus_records(record, sizeof(record), &frame, &more) == EB_FRAME_OK);
	HOLD(frame.nitems == 1 && strcmp(eb_frame_get(&frame, frame.items[0].unit), "Wh") == 0);
	if (number == INT32_MIN)
		HOLD(frame.items[0].absent);
	else
		HOLD(strcmp(eb_frame_get(&frame, frame.items[0].value), want) == 0);
}

/* What a builder makes is found, is an echo, and asks whom it was to ask. */
static void
request_comes_back(const uint8_t *bytes)
{
	static EbFrameReader reader;
	static EbFrame frame;
	EbMbusRequest request;
	const uint8_t *from = request.bytes;
	size_t left;

	if (!(bytes[0] & 1 ? eb_mbus_nke(bytes[1], &request)
					   : eb_mbus_request(bytes[1], (bytes[0] & 2) != 0, &request)))
	{
		HOLD(bytes[1] > 250 && bytes[1] != 253 && bytes[1] != 254);
		return;
	}
	left = request.length;
	eb_frame_begin(&reader, &eb_mbus_codec, NULL);
	HOLD(eb_frame_feed(&reader, &from, &left, &frame) && left == 0);
	HOLD(frame.mbus.kind == EB_MBUS_SHORT && frame.mbus.address == bytes[1]);
	HOLD(eb_mbus_match(&request, &frame) == EB_MATCH_ECHO);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t frame[EB_MBUS_MAX_FRAME];

	fuzz_codec(&eb_mbus_codec, bytes, n);
	if (n < 4)
		return 0;
	n = frame_input(bytes, n, frame);
	fuzz_codec(&eb_mbus_codec, frame, n);
	framed_input_is_found(frame, n);
	register_comes_back(bytes);
	request_comes_back(bytes);
	return 0;
}
