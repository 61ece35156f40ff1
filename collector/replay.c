/*
 * replay.c -- recorded bytes through the codecs: --replay
 * In:  a file, hex or raw; a protocol as elecbill.frame_decode knows it, a register map too.
 * Out: one JSON object per input, as elecbill.frame_decode gives it.
 */
#include "replay.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/modbus.h"
#include "run.h"

#define REPLAY_MAX (64 * 1024 * 1024)

static EbFrameReader reader;
static EbFrame frame;

/* What is decoded with. */
typedef struct Decoder
{
	const EbCodec *codec;
	const EbModbusMap *map;
} Decoder;

static void
print_frame(bool *first)
{
	static char json[EB_FRAME_JSON_SIZE];

	if (eb_frame_json(&frame, json, sizeof(json)) == 0)
		return;
	printf("%s%s", *first ? "" : ",", json);
	*first = false;
}

static void
decode(const Decoder *decoder, const uint8_t *bytes, size_t n)
{
	EbFrameError verdict;
	bool first = true;

	printf("{\"protocol\":\"%s\",\"frames\":[", decoder->codec->name);
	eb_frame_begin(&reader, decoder->codec, decoder->map);
	while (eb_frame_feed(&reader, &bytes, &n, &frame))
		print_frame(&first);
	while (eb_frame_finish(&reader, &frame))
		print_frame(&first);
	verdict = eb_frame_verdict(&reader);
	if (verdict == EB_FRAME_OK)
		printf("],\"valid\":true,\"error\":null}\n");
	else
		printf("],\"valid\":false,\"error\":\"%s\"}\n", eb_frame_error_word(verdict));
}

/* The whole file with a 0 behind it; NULL with errno when it cannot be had. */
static char *
read_file(const char *file, size_t *n)
{
	FILE *stream = fopen(file, "rb");
	char *data = stream != NULL ? malloc(REPLAY_MAX + 1) : NULL;

	*n = 0;
	if (data != NULL)
	{
		*n = fread(data, 1, REPLAY_MAX, stream);
		data[*n] = '\0';
		if (ferror(stream) || fgetc(stream) != EOF)
		{
			errno = ferror(stream) ? errno : EFBIG;
			free(data);
			data = NULL;
		}
	}
	if (stream != NULL)
		fclose(stream);
	return data;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9'	  ? c - '0'
		   : c >= 'a' && c <= 'f' ? c - 'a' + 10
		   : c >= 'A' && c <= 'F' ? c - 'A' + 10
								  : -1;
}

/* Hex of one line to bytes, in place; -1 when it is no hex. */
static long
unhex(const char *line, size_t len, uint8_t *out)
{
	long n = 0;
	int high = -1;

	for (size_t i = 0; i < len && line[i] != '#'; i++)
	{
		int digit = hex_digit(line[i]);

		if (digit < 0 && strchr(" \t\r", line[i]) == NULL)
			return -1;
		if (digit < 0 && high >= 0)
			return -1;
		if (digit >= 0 && high >= 0)
		{
			out[n++] = (uint8_t) (high << 4 | digit);
			high = -1;
		}
		else if (digit >= 0)
			high = digit;
	}
	return high < 0 ? n : -1;
}

/* Decodes line by line; with decoder NULL only tells whether all of it is hex. */
static bool
decode_lines(const Decoder *decoder, const char *data, size_t n, uint8_t *bytes)
{
	const char *end = data + n;

	while (data < end)
	{
		const char *line_end = memchr(data, '\n', (size_t) (end - data));
		size_t len = (size_t) ((line_end != NULL ? line_end : end) - data);
		long got = unhex(data, len, bytes);

		if (got < 0)
			return false;
		if (got > 0 && decoder != NULL)
			decode(decoder, bytes, (size_t) got);
		data += len + 1;
	}
	return true;
}

/* false: told on stderr why not. */
static bool
find_decoder(const char *protocol, Decoder *decoder)
{
	static EbModbusMap map;
	size_t n = strlen(protocol);
	const char *wanted;
	size_t at;

	decoder->codec = eb_codec_find(protocol, n);
	if (decoder->codec == NULL)
	{
		fprintf(stderr, "elecbill-collector: unknown protocol \"%s\"\n", protocol);
		return false;
	}
	decoder->map = eb_modbus_protocol_map(protocol, n, &map, &wanted, &at);
	if (wanted != NULL)
		fprintf(stderr, "elecbill-collector: register map \"%s\": at \"%s\" there should be %s\n",
				protocol, protocol + at, wanted);
	return wanted == NULL;
}

int
eb_replay(const char *file, const char *protocol)
{
	Decoder decoder;
	uint8_t *bytes;
	char *data;
	size_t n;

	if (!find_decoder(protocol, &decoder))
		return EB_EXIT_USAGE;
	data = read_file(file, &n);
	bytes = data != NULL ? malloc(n / 2 + 1) : NULL;
	if (bytes == NULL)
	{
		fprintf(stderr, "elecbill-collector: %s: %s\n", file, strerror(errno));
		free(data);
		return EB_EXIT_USAGE;
	}
	if (!decode_lines(NULL, data, n, bytes))
		decode(&decoder, (const uint8_t *) data, n);
	else
		decode_lines(&decoder, data, n, bytes);
	free(bytes);
	free(data);
	return EB_EXIT_DONE;
}
