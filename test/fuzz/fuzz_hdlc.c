/*
 * fuzz_hdlc.c -- libFuzzer: any bytes as an HDLC line
 * Noise never has two good CRCs, so the input is also framed: its bytes become the information of a
 * frame with the right checks, once as they are and once as the body of a push.
 */
#include "fuzz.h"

#include "codec/hdlc.h"
#include "kit_x25.h"

#define MAX_INFORMATION 1200

static void
framed_input_is_found(const uint8_t *frame, size_t n)
{
	static EbFrameReader reader;
	static EbFrame got;
	const uint8_t *from = frame;
	size_t left = n;

	eb_frame_begin(&reader, &eb_hdlc_codec, NULL);
	if (eb_frame_feed(&reader, &from, &left, &got) && got.offset == 0)
	{
		HOLD(got.length == n && got.from_meter && got.checked);
		HOLD(strlen(eb_frame_get(&got, got.hdlc.information)) == 2 * (n - 12));
	}
	else
		HOLD(reader.first_error == EB_FRAME_VALUE || reader.first_error == EB_FRAME_STRUCTURE ||
			 reader.first_error == EB_FRAME_TOO_LONG);
}

/* A register of a push comes back as the same decimal, as far as its scaler allows. */
static void
register_comes_back(const uint8_t *bytes)
{
	static EbFrameReader reader;
	static EbFrame got;
	uint8_t push[] = {0xE6, 0xE7, 0, 0x0F, 0,	 0, 0, 0, 0, 1, 1, 2, 3,	9, 6,	 1,
					  0,	1,	  8, 0,	   0xFF, 6, 0, 0, 0, 0, 2, 2, 0x0F, 0, 0x16, 0x1E};
	uint8_t frame[64];
	int places = bytes[4] % 10;
	uint32_t number = bytes[0] * UINT32_C(16777216) + bytes[1] * UINT32_C(65536) +
					  bytes[2] * UINT32_C(256) + bytes[3];
	uint32_t power = 1;
	char want[32];
	const uint8_t *from = frame;
	size_t left;

	for (int i = 0; i < places; i++)
		power *= 10;
	if (places > 0)
		snprintf(want, sizeof(want), "%u.%0*u", number / power, places, number % power);
	else
		snprintf(want, sizeof(want), "%u", number);
	memcpy(push + 22, bytes, 4);
	push[29] = (uint8_t) -places;
	left = wrap_hdlc(push, sizeof(push), frame);
	eb_frame_begin(&reader, &eb_hdlc_codec, NULL);
	HOLD(eb_frame_feed(&reader, &from, &left, &got));
	HOLD(got.nitems == 1 && strcmp(eb_frame_get(&got, got.items[0].value), want) == 0);
	HOLD(strcmp(eb_frame_get(&got, got.items[0].id), "1-0:1.8.0*255") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t frame[MAX_INFORMATION + 40];
	uint8_t push[MAX_INFORMATION + 9] = {0xE6, 0xE7, 0, 0x0F};
	size_t used = n < MAX_INFORMATION ? n : MAX_INFORMATION;
	size_t length;

	fuzz_codec(&eb_hdlc_codec, bytes, n);
	if (n < 5)
		return 0;
	register_comes_back(bytes);
	length = wrap_hdlc(bytes, used, frame);
	fuzz_codec(&eb_hdlc_codec, frame, length);
	framed_input_is_found(frame, length);
	memcpy(push + 9, bytes, used);
	length = wrap_hdlc(push, used + 9, frame);
	fuzz_codec(&eb_hdlc_codec, frame, length);
	framed_input_is_found(frame, length);
	return 0;
}
