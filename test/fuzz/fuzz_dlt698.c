/*
 * fuzz_dlt698.c -- libFuzzer: any bytes as a DL/T 698.45 line
 * Noise never has two good CRCs, so the input is also framed: its bytes become control, address and
 * APDU of a frame with the right checks, which must be found or refused for what the APDU says.
 */
#include "fuzz.h"

#include "codec/dlt698.h"
#include "kit_x25.h"

#include <inttypes.h>

#define MAX_APDU 1200

static void
framed_input_is_found(const uint8_t *frame, size_t n)
{
	static EbFrameReader reader;
	static EbFrame got;
	const uint8_t *from = frame;
	size_t left = n;

	eb_frame_begin(&reader, &eb_dlt698_codec, NULL);
	if (eb_frame_feed(&reader, &from, &left, &got) && got.offset == 0)
	{
		HOLD(got.length == n && got.from_meter == (frame[3] >= 0x80));
		HOLD(strlen(got.address) == 2 * (size_t) (frame[4] + 1));
		HOLD(got.dlt698.noads >= 0 && got.dlt698.noads <= EB_DLT698_MAX_OADS);
		HOLD(got.nitems == 0 || got.dlt698.noads > 0);
	}
	else
		HOLD(reader.first_error == EB_FRAME_VALUE || reader.first_error == EB_FRAME_STRUCTURE ||
			 reader.first_error == EB_FRAME_TOO_LONG);
}

/* A register written high byte first comes back as the same decimal. */
static void
register_comes_back(const uint8_t *bytes)
{
	static EbFrame frame;
	uint8_t apdu[] = {0x85, 1, 0, 0, 0x10, 2, 1, 1, 0x06, bytes[0], bytes[1], bytes[2], bytes[3]};
	uint32_t number = bytes[0] * UINT32_C(16777216) + bytes[1] * UINT32_C(65536) +
					  bytes[2] * UINT32_C(256) + bytes[3];
	char want[16];

	snprintf(want, sizeof(want), "%" PRIu32 ".%02" PRIu32, number / 100, number % 100);
	memset(&frame.dlt698, 0, sizeof(frame.dlt698));
	eb_frame_clear(&frame);
	HOLD(eb_dlt698_apdu(apdu, sizeof(apdu), &frame) == EB_FRAME_OK);
	HOLD(frame.nitems == 1 && strcmp(eb_frame_get(&frame, frame.items[0].value), want) == 0);
}

/* What the builder makes is found, is an echo, and asks what was to be asked. */
static void
request_comes_back(const uint8_t *bytes, size_t n)
{
	static EbFrameReader reader;
	static EbFrame frame;
	EbDlt698Request request;
	uint32_t oad[EB_DLT698_MAX_ASKED];
	int noads = 1 + bytes[0] % EB_DLT698_MAX_ASKED;
	size_t naddress = 1 + bytes[1] % 16u;
	char address[33];
	const uint8_t *from = request.bytes;
	size_t left;

	for (size_t i = 0; i < 2 * naddress; i++)
		address[i] = (char) ('0' + bytes[i % n] % 10);
	address[2 * naddress] = '\0';
	for (size_t i = 0; i < sizeof(oad); i++)
		((uint8_t *) oad)[i] = bytes[(i * 7) % n];
	HOLD(eb_dlt698_get(address, oad, noads, bytes[2] & 63, &request));
	left = request.length;
	eb_frame_begin(&reader, &eb_dlt698_codec, NULL);
	HOLD(eb_frame_feed(&reader, &from, &left, &frame) && left == 0);
	HOLD(strcmp(frame.address, address) == 0 && frame.dlt698.noads == noads);
	HOLD(memcmp(frame.dlt698.oad, oad, (size_t) noads * sizeof(uint32_t)) == 0);
	HOLD(frame.dlt698.piid == (bytes[2] & 63));
	HOLD(eb_dlt698_match(&request, &frame) == EB_MATCH_ECHO);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t frame[MAX_APDU + 40];
	size_t naddress;

	fuzz_codec(&eb_dlt698_codec, bytes, n);
	if (n < 20)
		return 0;
	register_comes_back(bytes);
	request_comes_back(bytes, n);
	/* Control, a number of address bytes, these, and the rest is the APDU. */
	naddress = 1 + bytes[1] % 16u;
	n -= 2 + naddress;
	n = wrap_dlt698(bytes[0], bytes + 2, naddress, bytes + 2 + naddress,
					n < MAX_APDU ? n : MAX_APDU, frame);
	fuzz_codec(&eb_dlt698_codec, frame, n);
	framed_input_is_found(frame, n);
	return 0;
}
