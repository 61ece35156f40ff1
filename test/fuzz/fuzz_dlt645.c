/*
 * fuzz_dlt645.c -- libFuzzer: any bytes as a DL/T 645 line of either year
 * Raw noise seldom has a good sum, so the input is also framed: its bytes become address, control
 * and data of a frame with the right sum, which must be found or refused for its values alone.
 */
#include "fuzz.h"

/* The input as one frame; returns its length. */
static size_t
frame_input(const uint8_t *bytes, size_t n, uint8_t *frame)
{
	size_t length = n - 7 < 255 ? n - 7 : 255;
	unsigned sum = 0;

	frame[0] = frame[7] = 0x68;
	memcpy(frame + 1, bytes, 6);
	frame[8] = bytes[6];
	frame[9] = (uint8_t) length;
	memcpy(frame + 10, bytes + 7, length);
	for (size_t i = 0; i < 10 + length; i++)
		sum += frame[i];
	frame[10 + length] = (uint8_t) sum;
	frame[11 + length] = 0x16;
	return 12 + length;
}

static void
framed_input_is_found(const EbCodec *codec, const uint8_t *frame, size_t n)
{
	static EbFrameReader reader;
	static EbFrame got;
	const uint8_t *from = frame;
	size_t left = n;

	eb_frame_begin(&reader, codec, NULL);
	if (eb_frame_feed(&reader, &from, &left, &got) && got.offset == 0)
	{
		HOLD(got.length == n);
		HOLD(got.dlt645.control == frame[8] && got.from_meter == (frame[8] >= 0x80));
		HOLD(got.nitems == 0 || got.dlt645.nraw > 0);
	}
	else
		HOLD(reader.first_error == EB_FRAME_VALUE);
}

/* A register written as BCD by division comes back as the same decimal. */
static void
register_comes_back(EbDlt645Year year, const uint8_t *bytes)
{
	static EbFrame frame;
	uint8_t data[4];
	uint32_t number;
	char want[16];

	memcpy(&number, bytes, sizeof(number));
	number %= 100000000;
	snprintf(want, sizeof(want), "%u.%02u", number / 100, number % 100);
	for (int i = 0; i < 4; i++)
	{
		data[i] = (uint8_t) (number % 10 | (number / 10 % 10) << 4);
		number /= 100;
	}
	HOLD(eb_dlt645_items(year, year == EB_DLT645_2007 ? 0x00010000 : 0x9010, data, 4, &frame) ==
		 EB_FRAME_OK);
	HOLD(frame.nitems == 1 && strcmp(eb_frame_get(&frame, frame.items[0].value), want) == 0);
}

/* What a builder makes is found, is an echo, and asks what was to be asked. */
static void
request_comes_back(EbDlt645Year year, const uint8_t *bytes)
{
	static EbFrameReader reader;
	static EbFrame frame;
	EbDlt645Request request;
	uint32_t di;
	char address[13];
	const uint8_t *from = request.bytes;
	size_t left;

	memcpy(&di, bytes, sizeof(di));
	if (year == EB_DLT645_1997)
		di &= 0xFFFF;
	for (int i = 0; i < 12; i++)
		address[i] = (char) ('0' + (bytes[i % 6] >> (i / 6) * 4 & 7));
	address[12] = '\0';
	HOLD(bytes[6] & 1 ? eb_dlt645_read(year, address, di, &request)
					  : eb_dlt645_next(year, address, di, bytes[6] | 1, &request));
	left = request.length;
	eb_frame_begin(&reader, year == EB_DLT645_2007 ? &eb_dlt645_codec : &eb_dlt645_1997_codec,
				   NULL);
	HOLD(eb_frame_feed(&reader, &from, &left, &frame) && left == 0);
	HOLD(strcmp(frame.address, address) == 0 && frame.dlt645.di == di);
	HOLD(eb_dlt645_match(&request, &frame) == EB_MATCH_ECHO);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t frame[EB_DLT645_MAX_FRAME];
	size_t length;

	fuzz_codec(&eb_dlt645_codec, bytes, n);
	fuzz_codec(&eb_dlt645_1997_codec, bytes, n);
	if (n < 7)
		return 0;
	length = frame_input(bytes, n, frame);
	fuzz_codec(&eb_dlt645_codec, frame, length);
	fuzz_codec(&eb_dlt645_1997_codec, frame, length);
	framed_input_is_found(&eb_dlt645_codec, frame, length);
	framed_input_is_found(&eb_dlt645_1997_codec, frame, length);
	register_comes_back(EB_DLT645_2007, bytes);
	register_comes_back(EB_DLT645_1997, bytes);
	request_comes_back(EB_DLT645_2007, bytes);
	request_comes_back(EB_DLT645_1997, bytes);
	return 0;
}
