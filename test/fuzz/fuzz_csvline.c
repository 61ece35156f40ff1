/*
 * fuzz_csvline.c -- libFuzzer: any bytes as lines of a printing meter
 */
#include "fuzz.h"

/* A usage, read by another rule than the codec's: numbers in, numbers out. */
static void
usage_comes_back(const uint8_t *bytes, size_t n)
{
	static EbFrameReader reader;
	static EbFrame frame;
	unsigned long long usage;
	char line[64], want[32];
	const uint8_t *from = (const uint8_t *) line;
	size_t left;
	unsigned places;

	if (n < 8)
		return;
	memcpy(&usage, bytes, sizeof(usage));
	places = (unsigned) (usage % 7);
	usage %= 1000000000000U;
	snprintf(line, sizeof(line), "m%u,%012llu", places, usage);
	snprintf(want, sizeof(want), "%llu", usage);
	if (places > 0)
	{
		snprintf(line, sizeof(line), "m%u,%012llu.%0*u", places, usage, (int) places, places);
		snprintf(want, sizeof(want), "%llu.%0*u", usage, (int) places, places);
	}
	left = strlen(line);
	line[left++] = '\n';
	eb_frame_begin(&reader, &eb_csvline_codec, NULL);
	HOLD(eb_frame_feed(&reader, &from, &left, &frame));
	HOLD(strcmp(eb_frame_get(&frame, frame.items[0].value), want) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	fuzz_codec(&eb_csvline_codec, bytes, n);
	usage_comes_back(bytes, n);
	return 0;
}
