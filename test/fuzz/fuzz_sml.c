/*
 * fuzz_sml.c -- libFuzzer: any bytes as SML files
 * Raw noise seldom has a good CRC, so the input is also wrapped: its bytes become the messages of a
 * file, which must be found or refused for them alone. Numbers go in and come out as text.
 */
#include "codec/sml.h"
#include "fuzz.h"

/* Bit by bit, not by the table of base/crc.c. */
static unsigned
x25(const uint8_t *bytes, size_t n)
{
	unsigned crc = 0xFFFF;

	for (size_t i = 0; i < n; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1;
	}
	return crc ^ 0xFFFF;
}

/* The input as one file; returns its length. */
static size_t
wrap_input(const uint8_t *bytes, size_t n, uint8_t *file)
{
	size_t at = 8, run = 0, padding;
	unsigned crc;

	memcpy(file, "\x1B\x1B\x1B\x1B\1\1\1\1", 8);
	for (size_t i = 0; i < n; i++)
	{
		file[at++] = bytes[i];
		run = bytes[i] == 0x1B ? run + 1 : 0;
		for (int k = 0; run == 4 && k < 4; k++)
			file[at++] = 0x1B;
		run %= 4;
	}
	padding = (4 - at % 4) % 4;
	memset(file + at, 0, padding);
	at += padding;
	memcpy(file + at, "\x1B\x1B\x1B\x1B\x1A", 5);
	file[at + 5] = (uint8_t) padding;
	at += 6;
	crc = x25(file, at);
	file[at++] = (uint8_t) crc;
	file[at++] = (uint8_t) (crc >> 8);
	return at;
}

static void
wrapped_input_is_found(const uint8_t *file, size_t n)
{
	static EbFrameReader reader;
	static EbFrame frame;
	const uint8_t *from = file;
	size_t left = n;

	eb_frame_begin(&reader, &eb_sml_codec, NULL);
	if (eb_frame_feed(&reader, &from, &left, &frame) && frame.offset == 0)
		HOLD(frame.length == n);
	else
		HOLD(reader.first_error == EB_FRAME_STRUCTURE || reader.first_error == EB_FRAME_VALUE ||
			 reader.first_error == EB_FRAME_TOO_LONG);
}

/* A number of any length and scaler as printf writes it. */
static void
number_comes_back(const uint8_t *bytes)
{
	size_t n = 1 + bytes[0] % 8u;
	int scaler = bytes[1] % 37 - 18;
	EbSmlValue value = {bytes[2] & 1 ? EB_SML_INTEGER : EB_SML_UNSIGNED, n, bytes + 3};
	unsigned long long number = 0;
	char out[EB_SCALED_TEXT], digits[64], want[96];
	int length;

	for (size_t i = 0; i < n; i++)
		number = number << 8 | value.bytes[i];
	if (value.type == EB_SML_INTEGER && (value.bytes[0] & 0x80) != 0)
		number = n == 8 ? -number : (1ULL << 8 * n) - number;
	else
		value.type = EB_SML_UNSIGNED;
	length = snprintf(digits, sizeof(digits), "%0*llu", scaler < 0 ? 1 - scaler : 1, number);
	if (scaler < 0)
		snprintf(want, sizeof(want), "%s%.*s.%s", value.type == EB_SML_INTEGER ? "-" : "",
				 length + scaler, digits, digits + length + scaler);
	else
		snprintf(want, sizeof(want), "%s%s%.*s", value.type == EB_SML_INTEGER ? "-" : "", digits,
				 number > 0 ? scaler : 0, "000000000000000000");
	HOLD(eb_sml_decimal(&value, scaler, out));
	HOLD(strcmp(out, want) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static uint8_t file[EB_FRAME_MAX_LENGTH];

	fuzz_codec(&eb_sml_codec, bytes, n);
	fuzz_codec(&eb_sml_quirks_codec, bytes, n);
	if (n >= 11)
		number_comes_back(bytes);
	if (2 * n > sizeof(file) - 24)
		return 0;
	n = wrap_input(bytes, n, file);
	fuzz_codec(&eb_sml_quirks_codec, file, n);
	wrapped_input_is_found(file, n);
	return 0;
}
