/*
 * frames_push.c -- the pure codecs behind a pipe, for test/vectors/run-frames
 * In:  one order per line of stdin, blanks between the words, hex without blanks ("-" is no byte):
 *          decode PROTOCOL whole HEX
 *          decode PROTOCOL bytes HEX
 *          decode PROTOCOL SEED HEX        random chunks of 1 to 24 bytes, some of them empty
 *          damage PROTOCOL HEX             every single-bit flip and every cut
 * Out: one line per order: the JSON of frame_decode, "unknown", "broken map", or
 *      "VARIANTS UNCHANGED WRONG". PROTOCOL may be "modbus:" and a register map.
 * Built with ASan and UBSan; each chunk lies in memory of its own size, so a read beyond it shows.
 */
#include "codec/modbus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE (4 << 20)

/* All frames of one input, as JSON. */
typedef struct Result
{
	int n;
	int room;
	char **frame;
	EbFrameError verdict;
} Result;

/* What an order decodes with. */
typedef struct Decoder
{
	const EbCodec *codec;
	const EbModbusMap *map;
} Decoder;

static void *
must(void *memory)
{
	if (memory == NULL)
	{
		fputs("frames_push: out of memory\n", stderr);
		exit(70);
	}
	return memory;
}

static void
keep(Result *result, EbFrame *frame, bool with_place)
{
	static char json[EB_FRAME_JSON_SIZE];

	if (!with_place)
		frame->offset = frame->length = 0;
	if (eb_frame_json(frame, json, sizeof(json)) == 0)
	{
		fputs("frames_push: a frame is too large\n", stderr);
		exit(70);
	}
	if (result->n == result->room)
	{
		result->room = 2 * result->room + 16;
		result->frame = must(realloc(result->frame, (size_t) result->room * sizeof(char *)));
	}
	result->frame[result->n++] = must(strdup(json));
}

static void
forget(Result *result)
{
	while (result->n > 0)
		free(result->frame[--result->n]);
}

/* The next chunk's size: all (plan 0), one byte (1), or random, where 0 is possible. */
static size_t
chunk_size(unsigned long plan, unsigned long *random, size_t left)
{
	size_t size;

	if (plan == 0)
		return left;
	if (plan == 1)
		return 1;
	*random = *random * 6364136223846793005UL + 1442695040888963407UL;
	size = (*random >> 33) % 25;
	return size < left ? size : left;
}

static void
decode(const Decoder *decoder, const uint8_t *bytes, size_t n, unsigned long plan, bool with_place,
	   Result *result)
{
	static EbFrameReader reader;
	static EbFrame frame;
	unsigned long random = plan;

	result->n = 0;
	eb_frame_begin(&reader, decoder->codec, decoder->map);
	while (n > 0)
	{
		size_t size = chunk_size(plan, &random, n);
		uint8_t *chunk = must(malloc(size + 1)); /* an empty chunk has an address too */
		const uint8_t *at = chunk + 1;
		size_t left = size;

		memcpy(chunk + 1, bytes, size);
		while (eb_frame_feed(&reader, &at, &left, &frame))
			keep(result, &frame, with_place);
		free(chunk);
		bytes += size;
		n -= size;
	}
	while (eb_frame_finish(&reader, &frame))
		keep(result, &frame, with_place);
	result->verdict = eb_frame_verdict(&reader);
}

static void
print_result(const EbCodec *codec, const Result *result)
{
	bool valid = result->verdict == EB_FRAME_OK;

	printf("{\"protocol\":\"%s\",\"valid\":%s,\"error\":", codec->name, valid ? "true" : "false");
	if (valid)
		printf("null");
	else
		printf("\"%s\"", eb_frame_error_word(result->verdict));
	printf(",\"frames\":[");
	for (int i = 0; i < result->n; i++)
		printf("%s%s", i > 0 ? "," : "", result->frame[i]);
	printf("]}\n");
}

/* Counts a damaged variant: a frame the whole input does not give is a wrong value. */
static void
count_variant(const Decoder *decoder, const Result *whole, const uint8_t *bytes, size_t n,
			  unsigned long count[3])
{
	static Result got;
	bool fine = true;

	decode(decoder, bytes, n, 0, false, &got);
	count[0]++;
	if (got.verdict == EB_FRAME_OK)
	{
		for (int i = 0; i < got.n; i++)
		{
			int k = 0;

			while (k < whole->n && strcmp(got.frame[i], whole->frame[k]) != 0)
				k++;
			fine = fine && k < whole->n;
		}
		count[fine ? 1 : 2]++;
	}
	forget(&got);
}

static void
damage(const Decoder *decoder, uint8_t *bytes, size_t n)
{
	static Result whole;
	unsigned long count[3] = {0, 0, 0};

	decode(decoder, bytes, n, 0, false, &whole);
	for (size_t bit = 0; bit < 8 * n; bit++)
	{
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		count_variant(decoder, &whole, bytes, n, count);
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	for (size_t cut = 1; cut < n; cut++)
		count_variant(decoder, &whole, bytes, cut, count);
	printf("%lu %lu %lu\n", count[0], count[1], count[2]);
	forget(&whole);
}

/* Hex to bytes in place; returns how many, or -1. */
static long
from_hex(char *hex)
{
	size_t n = strlen(hex);

	if (strcmp(hex, "-") == 0)
		return 0;
	if (n % 2 != 0 || strspn(hex, "0123456789abcdef") != n)
		return -1;
	for (size_t i = 0; i < n / 2; i++)
	{
		char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		hex[i] = (char) strtoul(pair, NULL, 16);
	}
	return (long) (n / 2);
}

/* false: told on stdout why there is none. */
static bool
find_decoder(const char *protocol, Decoder *decoder)
{
	static EbModbusMap map;
	const char *wanted;
	size_t at;

	decoder->codec = eb_codec_find(protocol, strlen(protocol));
	if (decoder->codec == NULL)
	{
		puts("unknown");
		return false;
	}
	decoder->map = eb_modbus_protocol_map(protocol, strlen(protocol), &map, &wanted, &at);
	if (wanted != NULL)
		puts("broken map");
	return wanted == NULL;
}

/* Plan of a way: see chunk_size(); false: no such way. */
static bool
find_plan(const char *way, unsigned long *plan)
{
	*plan = strcmp(way, "whole") == 0 ? 0 : strcmp(way, "bytes") == 0 ? 1 : strtoul(way, NULL, 10);
	return *plan >= 2 || way[0] == 'w' || way[0] == 'b';
}

/* One order, its words separated by strtok. false: not an order. */
static bool
obey(char *line)
{
	static Result result;
	const char *verb = strtok(line, " \n");
	const char *protocol = strtok(NULL, " \n");
	bool to_damage = verb != NULL && strcmp(verb, "damage") == 0;
	const char *way = to_damage ? "whole" : strtok(NULL, " \n");
	char *hex = strtok(NULL, " \n");
	Decoder decoder;
	unsigned long plan;
	long n;

	if (verb == NULL || protocol == NULL || way == NULL || hex == NULL || (n = from_hex(hex)) < 0 ||
		!find_plan(way, &plan) || (!to_damage && strcmp(verb, "decode") != 0))
		return false;
	if (!find_decoder(protocol, &decoder))
		return true;
	if (to_damage)
	{
		damage(&decoder, (uint8_t *) hex, (size_t) n);
		return true;
	}
	decode(&decoder, (const uint8_t *) hex, (size_t) n, plan, true, &result);
	print_result(decoder.codec, &result);
	forget(&result);
	return true;
}

int
main(void)
{
	char *line = must(malloc(MAX_LINE));

	while (fgets(line, MAX_LINE, stdin) != NULL)
	{
		if (!obey(line))
		{
			fputs("frames_push: not an order\n", stderr);
			free(line);
			return 1;
		}
		fflush(stdout);
	}
	free(line);
	return 0;
}
