/*
 * test_frame.c -- the reader and the table of codecs, whatever the protocol
 */
#include "frames.h"

static Decoded got;

static void
check_codecs(void)
{
	static const char *const name[] = {"csvline", "dlt645", "dlt645-1997", "modbus", "iec62056",
									   "p1",	  "mbus",	"sml",		   "dlt698", "hdlc"};
	size_t n = 0;

	for (; eb_codec_at(n) != NULL; n++)
	{
		const EbCodec *codec = eb_codec_at(n);

		CHECK(eb_codec_find(codec->name, strlen(codec->name)) == codec);
		decode(codec, (const uint8_t *) "", 0, &got);
		CHECK_INT(got.n, 0);
		CHECK_INT(got.verdict, EB_FRAME_NO_START);
	}
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		CHECK(eb_codec_find(name[i], strlen(name[i])) != NULL);
	CHECK(n >= sizeof(name) / sizeof(name[0]));
	CHECK(eb_codec_find("dlt645", 6) == &eb_dlt645_codec);
	CHECK(eb_codec_find("dlt645-1997", 6) == &eb_dlt645_codec);
	CHECK(eb_codec_find("csvline", 7) == &eb_csvline_codec);
	CHECK(eb_codec_find("modbus:0=u16", 12) == eb_codec_find("modbus", 6));
	CHECK(eb_codec_find("modbus:", 7) == eb_codec_find("modbus", 6));
	CHECK(eb_codec_find("dlt645:0=u16", 12) == NULL);
	CHECK(eb_codec_find("modbusx:0=u16", 13) == NULL);
	CHECK(eb_codec_find("dlt645", 5) == NULL);
	CHECK(eb_codec_find("dlt645-1998", 11) == NULL);
	CHECK(eb_codec_find("DLT645", 6) == NULL);
	CHECK(eb_codec_find("", 0) == NULL);
}

static void
check_words(void)
{
	static const char *const word[] = {"ok",		   "no_start", "truncated",
									   "structure",	   "checksum", "too_long",
									   "control_byte", "value",	   "parity"};

	CHECK_INT(sizeof(word) / sizeof(word[0]), EB_FRAME_NERRORS);
	for (int i = 0; i < EB_FRAME_NERRORS; i++)
		CHECK_STR(eb_frame_error_word((EbFrameError) i), word[i]);
}

/*
 * Three frames and junk, cut at every place into two chunks: the same frames, at the same offsets,
 * and the bytes on the wire are the frame's own.
 */
static void
check_every_cut(void)
{
	static const char hex[] =
		"00 68 11 68 68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16"
		"FE FE 68 60 07 92 04 00 91 68 D1 01 37 67 16 68 01 02"
		"68 66 00 00 02 30 22 68 9C 00 26 16 68";
	static const size_t offset[] = {4, 26, 42};
	uint8_t bytes[128];
	size_t n = from_hex(hex, bytes, sizeof(bytes));

	for (size_t cut = 0; cut <= n; cut++)
	{
		const uint8_t *at = bytes;
		size_t left = cut;
		int found = 0;

		eb_frame_begin(&got.reader, &eb_dlt645_codec, NULL);
		for (int part = 0; part < 3; part++)
		{
			while (part < 2 ? eb_frame_feed(&got.reader, &at, &left, &got.frame[0])
							: eb_frame_finish(&got.reader, &got.frame[0]))
			{
				if (!CHECK(found < 3))
					return;
				CHECK_INT(got.frame[0].offset, offset[found]);
				CHECK_MEM(got.frame[0].wire, bytes + offset[found], got.frame[0].length);
				CHECK(got.frame[0].codec == &eb_dlt645_codec);
				found++;
			}
			CHECK_INT(left, 0);
			left = part == 0 ? n - cut : 0;
		}
		CHECK_INT(found, 3);
		CHECK_INT(got.reader.nframes, 3);
		CHECK_INT(got.reader.fed, n);
		CHECK_INT(got.reader.skipped, n - 20 - 13 - 12);
	}
}

/* A frame is given with its last byte, not with the first byte behind it. */
static void
check_promptness(void)
{
	uint8_t bytes[64];
	size_t n = from_hex("FE FE 68 60 07 92 04 00 91 68 D1 01 37 67 16", bytes, sizeof(bytes));

	eb_frame_begin(&got.reader, &eb_dlt645_codec, NULL);
	for (size_t i = 0; i < n; i++)
	{
		const uint8_t *at = bytes + i;
		size_t one = 1;

		CHECK_INT(eb_frame_feed(&got.reader, &at, &one, &got.frame[0]), i == n - 1);
		CHECK_INT(one, 0);
	}
}

/* Silence ends a cut frame; the next one is found, and the error says why the first was lost. */
static void
check_silence(void)
{
	uint8_t bytes[64];
	size_t n = from_hex("68 60 07 92 04 00 91 68 D1 01 37 67 16", bytes, sizeof(bytes));
	const uint8_t *at = bytes;
	size_t left = 10;

	eb_frame_begin(&got.reader, &eb_dlt645_codec, NULL);
	CHECK(!eb_frame_feed(&got.reader, &at, &left, &got.frame[0]));
	CHECK(!eb_frame_finish(&got.reader, &got.frame[0]));
	CHECK_INT(eb_frame_verdict(&got.reader), EB_FRAME_TRUNCATED);
	at = bytes;
	left = n;
	CHECK(eb_frame_feed(&got.reader, &at, &left, &got.frame[0]));
	CHECK_INT(got.frame[0].offset, 10);
	CHECK(!eb_frame_finish(&got.reader, &got.frame[0]));
	CHECK_INT(eb_frame_verdict(&got.reader), EB_FRAME_OK);
	CHECK_INT(got.reader.refused[EB_FRAME_TRUNCATED], 2);
	eb_frame_begin(&got.reader, &eb_dlt645_codec, NULL);
	CHECK_INT(eb_frame_verdict(&got.reader), EB_FRAME_NO_START);
	CHECK_INT(got.reader.fed, 0);
}

/* The JSON of a frame, and a buffer that is one byte too small for it. */
static void
check_json(void)
{
	static const char *const want =
		"{\"offset\":0,\"length\":22,\"address\":\"201000000012\",\"control\":\"91\","
		"\"from_meter\":true,\"more\":false,\"di\":\"0201FF00\",\"raw\":\"5622FFFFFFFF\",\"items\":["
		"{\"id\":\"02010100\",\"value\":\"225.6\",\"unit\":\"V\"},"
		"{\"id\":\"02010200\",\"value\":null,\"unit\":\"V\"},"
		"{\"id\":\"02010300\",\"value\":null,\"unit\":\"V\"}]}";
	char json[1024];

	decode_hex(&eb_dlt645_codec,
			   "68 12 00 00 00 10 20 68 91 0a 33 32 34 35 89 55 32 32 32 32 21 16", &got);
	CHECK_INT(eb_frame_json(&got.frame[0], json, sizeof(json)), strlen(want));
	CHECK_STR(json, want);
	CHECK_INT(eb_frame_json(&got.frame[0], json, strlen(want) + 1), strlen(want));
	for (size_t size = 1; size <= strlen(want); size++)
		CHECK_INT(eb_frame_json(&got.frame[0], json, size), 0);

	decode(&eb_csvline_codec, (const uint8_t *) "M1,5,2024-01-01T00:00Z\n", 23, &got);
	CHECK(eb_frame_json(&got.frame[0], json, sizeof(json)) > 0);
	CHECK_STR(json, "{\"offset\":0,\"length\":23,\"meter\":\"M1\",\"items\":[{\"id\":\"usage\","
					"\"value\":\"5\",\"time\":\"2024-01-01T00:00Z\"}]}");
}

/* More items and more text than a frame holds; what was kept stays readable. */
static void
check_room(void)
{
	static EbFrame frame, copy;
	char long_text[256];
	EbFrameRef first;

	eb_frame_clear(&frame);
	for (int i = 0; i < EB_FRAME_MAX_ITEMS; i++)
		CHECK(eb_frame_item(&frame, "0123456789abcde") == &frame.items[i]);
	CHECK(!frame.full);
	CHECK(eb_frame_item(&frame, "x") == NULL);
	CHECK(frame.full);
	CHECK_INT(frame.nitems, EB_FRAME_MAX_ITEMS);

	eb_frame_clear(&frame);
	memset(long_text, 'y', sizeof(long_text));
	first = eb_frame_keep(&frame, "first", 5);
	while (!frame.full)
		eb_frame_keep(&frame, long_text, sizeof(long_text));
	CHECK(frame.text_used <= EB_FRAME_TEXT_SIZE);
	CHECK_INT(eb_frame_keep(&frame, long_text, EB_FRAME_TEXT_SIZE - frame.text_used), 0);
	CHECK(eb_frame_keep(&frame, long_text, EB_FRAME_TEXT_SIZE - frame.text_used - 1) != 0);
	CHECK_INT(frame.text_used, EB_FRAME_TEXT_SIZE);
	CHECK_STR(eb_frame_get(&frame, first), "first");
	copy = frame;
	eb_frame_clear(&frame);
	CHECK_STR(eb_frame_get(&copy, first), "first");
	CHECK_STR(eb_frame_get(&frame, eb_frame_keep(&frame, "", 0)), "");
	CHECK_STR(eb_frame_get(&frame, eb_frame_keep_as(&frame, "%d.%s", 7, "x")), "7.x");
	CHECK_STR(eb_frame_get(&frame, eb_frame_keep_hex(&frame, (const uint8_t *) "\x0a\xf1", 2)),
			  "0AF1");
	CHECK(!frame.full);
}

/* Text of a meter in JSON. */
static void
check_escapes(void)
{
	char out[64];
	EbFrameText text = {.out = out, .size = sizeof(out)};

	eb_frame_put_text(&text, "a\"b\\c\td\xe9");
	CHECK_STR(out, "\"a\\\"b\\\\c\\u0009d\\u00e9\"");
	CHECK(!text.full);
}

int
main(void)
{
	check_codecs();
	check_words();
	check_every_cut();
	check_promptness();
	check_silence();
	check_json();
	check_room();
	check_escapes();
	return check_done("frame");
}
