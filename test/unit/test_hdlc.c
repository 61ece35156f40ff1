/*
 * test_hdlc.c -- HDLC frames of DLMS meters in a stream, and the three shapes of what they push
 * Frames with a source are published ones (toreamun/amshan, tests/test_hdlc.py); the others are
 * made here, with a CRC of their own.
 */
#include "frames.h"
#include "kit_x25.h"

#include "codec/hdlc.h"

#include <stdlib.h>
#include <time.h>

/* Aidon: 1661 W; 7D inside. Kaifa: 5502 W; 7E inside. A short frame. All published. */
#define AIDON                                                                                    \
	"7E A0 2A 41 08 83 13 04 13 E6 E7 00 0F 40 00 00 00 00 01 01 02 03 09 06 01 00 01 07 00 FF " \
	"06 00 00 06 7D 02 02 0F 00 16 1B 1C 05 7E"
#define KAIFA                                                                                       \
	"7E A0 27 01 02 01 10 5A 87 E6 E7 00 0F 40 00 00 00 09 0C 07 E4 02 0F 06 01 19 22 FF 80 00 00 " \
	"02 01 06 00 00 15 7E EA 5E 7E"
#define SHORT "7E A0 0C 01 02 01 10 27 A0 02 01 E7 DE 7E"

#define PUSH "E6 E7 00 0F 40 00 00 00 00 "

static Decoded got;

static void
check_refused(const char *hex, EbFrameError why)
{
	decode_hex(&eb_hdlc_codec, hex, &got);
	CHECK_INT(got.n, 0);
	if (!CHECK_INT(got.verdict, why))
		printf("    %s\n", hex);
}

static void
check_refusals(void)
{
	check_refused("", EB_FRAME_NO_START);
	check_refused("A0 0C 01 02", EB_FRAME_NO_START);
	check_refused("7E", EB_FRAME_TRUNCATED);
	check_refused("7E A0", EB_FRAME_TRUNCATED);
	check_refused("7E 00", EB_FRAME_STRUCTURE);
	check_refused("7E A0 06 01 02", EB_FRAME_STRUCTURE);
	check_refused("7E A0 0C 01 02 01 10 27 A0 02 01 E7 DE", EB_FRAME_TRUNCATED);
	check_refused("7E A0 0C 01 02 01 10 27 A0 02 01 E7 DE 7F", EB_FRAME_STRUCTURE);
	check_refused("7E A0 0C 01 02 01 10 27 A0 02 01 E7 DF 7E", EB_FRAME_CHECKSUM);
	check_refused("7E A0 0C 01 02 01 10 27 A0 02 03 E7 DE 7E", EB_FRAME_CHECKSUM);
}

static void
check_item(int i, const char *id, const char *value, const char *unit)
{
	const EbFrame *frame = &got.frame[0];
	const EbFrameItem *item = &frame->items[i];

	if (!CHECK(got.n == 1 && i < frame->nitems))
		return;
	CHECK_STR(eb_frame_get(frame, item->id), id);
	CHECK_STR(eb_frame_get(frame, item->value), value != NULL ? value : "");
	CHECK_STR(eb_frame_get(frame, item->unit), unit);
	CHECK_INT(item->absent, value == NULL);
}

static void
check_published(void)
{
	decode_hex(&eb_hdlc_codec, AIDON, &got);
	CHECK_INT(got.frame[0].length, 44);
	CHECK_STR(got.frame[0].address, "0883");
	CHECK(got.frame[0].from_meter && got.frame[0].checked);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].hdlc.dst), "41");
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].hdlc.time), "");
	check_item(0, "1-0:1.7.0*255", "1661", "W");
	decode_hex(&eb_hdlc_codec, KAIFA, &got);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].hdlc.time), "2020-02-15 01:25:34");
	check_item(0, "#1", "5502", "");
	decode_hex(&eb_hdlc_codec, SHORT, &got);
	CHECK_INT(got.frame[0].nitems, 0);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].hdlc.information), "0201");

	/* In a stream: junk, flags in between, a cut one, one behind the other. */
	decode_hex(&eb_hdlc_codec, "00 7E 55 " AIDON " 7E 7E " KAIFA SHORT " 7E A0", &got);
	CHECK_INT(got.n, 3);
	CHECK_INT(got.frame[0].offset, 3);
	CHECK_INT(got.frame[1].offset, 49);
	CHECK_INT(got.frame[2].offset, 90);
	decode_hex(&eb_hdlc_codec, "7E A0 27 01 02 01 10 5A 87 E6 " KAIFA, &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 10);
}

/* Addresses of four bytes; none that ends; no information, and half of one. */
static void
check_heads(void)
{
	uint8_t frame[40] = {0x7E, 0xA0, 0x0D, 2, 4, 6, 9, 0x10, 0x20, 0x31, 0x73};

	put_x25(frame + 11, frame + 1);
	put_x25(frame + 12, frame + 1);
	frame[14] = 0x7E;
	decode(&eb_hdlc_codec, frame, 15, &got); /* one byte between control and FCS */
	CHECK_INT(got.verdict, EB_FRAME_STRUCTURE);
	frame[2] = 0x0C;
	put_x25(frame + 11, frame + 1);
	frame[13] = 0x7E;
	decode(&eb_hdlc_codec, frame, 14, &got);
	CHECK_INT(got.n, 1);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].hdlc.dst), "02040609");
	CHECK_STR(got.frame[0].address, "102031");
	CHECK_INT(got.frame[0].hdlc.control, 0x73);
	CHECK_INT(got.frame[0].hdlc.information, 0);
	memset(frame + 3, 2, 8);
	put_x25(frame + 11, frame + 1);
	decode(&eb_hdlc_codec, frame, 14, &got);
	CHECK_INT(got.verdict, EB_FRAME_STRUCTURE);
	/* HCS wrong under a good FCS. */
	from_hex(SHORT, frame, sizeof(frame));
	frame[7] ^= 1;
	put_x25(frame + 11, frame + 1);
	decode(&eb_hdlc_codec, frame, 14, &got);
	CHECK_INT(got.verdict, EB_FRAME_CHECKSUM);
}

/* The information of a frame. */
static EbFrameError
push(const char *hex)
{
	uint8_t information[2048], frame[2060];
	size_t n = from_hex(hex, information, sizeof(information));

	decode(&eb_hdlc_codec, frame, wrap_hdlc(information, n, frame), &got);
	return got.verdict;
}

/* Codes, values, scaler and unit. */
static void
check_structures(void)
{
	CHECK_INT(push(PUSH "01 06 "
						"02 02 09 06 01 01 00 02 81 FF 0A 0B 41 49 44 4F 4E 5F 56 30 30 30 31 "
						"02 03 09 06 01 00 01 08 00 FF 06 00 BC 61 4E 02 02 0F 01 16 1E "
						"02 03 09 06 01 00 20 07 00 FF 12 09 5A 02 02 0F FF 16 23 "
						"02 03 09 06 01 00 1F 07 00 FF 10 FF FB 02 02 0F FE 16 21 "
						"02 02 09 06 00 00 01 00 00 FF 09 0C 07 E4 02 0F 06 01 19 22 FF 80 00 00 "
						"02 03 09 06 01 00 0D 07 00 FF 12 03 E8 02 02 0F FD 16 FF"),
			  EB_FRAME_OK);
	CHECK_INT(got.frame[0].nitems, 6);
	check_item(0, "1-1:0.2.129*255", "AIDON_V0001", "");
	check_item(1, "1-0:1.8.0*255", "123456780", "Wh");
	check_item(2, "1-0:32.7.0*255", "239.4", "V");
	check_item(3, "1-0:31.7.0*255", "-0.05", "A");
	check_item(4, "0-0:1.0.0*255", "2020-02-15 01:25:34", "");
	check_item(5, "1-0:13.7.0*255", "1.000", "");
	/* Zero keeps no zeros behind it; a scaler that no register has. */
	CHECK_INT(push(PUSH "01 01 02 03 09 06 01 00 01 08 00 FF 06 00 00 00 00 02 02 0F 03 16 1E"),
			  EB_FRAME_OK);
	check_item(0, "1-0:1.8.0*255", "0", "Wh");
	CHECK_INT(push(PUSH "01 01 02 03 09 06 01 00 01 08 00 FF 06 00 00 00 01 02 02 0F 7F 16 1E"),
			  EB_FRAME_VALUE);
	/* A float32 is its shortest decimal, NaN is absent; a float64 has no exact text. */
	CHECK_INT(push(PUSH "01 01 02 03 09 06 01 00 01 08 00 FF 17 44 9A 52 25 02 02 0F FF 16 1E"),
			  EB_FRAME_OK);
	check_item(0, "1-0:1.8.0*255", "123.4567", "Wh");
	CHECK_INT(push(PUSH "01 01 02 03 09 06 01 00 01 08 00 FF 17 7F C0 00 00 02 02 0F 00 16 1E"),
			  EB_FRAME_OK);
	CHECK(got.frame[0].nitems == 1 && got.frame[0].items[0].absent);
	CHECK_INT(push(PUSH "01 01 02 03 09 06 01 00 01 08 00 FF 17 44 9A 52 25 02 02 0F 7F 16 1E"),
			  EB_FRAME_VALUE);
	CHECK_INT(push(PUSH "01 01 02 03 09 06 01 00 01 08 00 FF 18 3F F0 00 00 00 00 00 00 "
						"02 02 0F 00 16 1E"),
			  EB_FRAME_VALUE);
	/* A name that is none, a scaler that is none, one member, four. */
	CHECK_INT(push(PUSH "01 01 02 03 09 05 01 00 01 08 00 06 00 00 00 01 02 02 0F 00 16 1E"),
			  EB_FRAME_STRUCTURE);
	CHECK_INT(push(PUSH "01 01 02 03 09 06 01 00 01 08 00 FF 06 00 00 00 01 02 02 16 1E 0F 00"),
			  EB_FRAME_STRUCTURE);
	CHECK_INT(push(PUSH "01 01 02 01 06 00 00 00 01"), EB_FRAME_STRUCTURE);
	CHECK_INT(push(PUSH "01 01 02 04 09 06 01 00 01 08 00 FF 00 00 00"), EB_FRAME_STRUCTURE);
}

/* A text, then codes and values in turn. */
static void
check_pairs(void)
{
	CHECK_INT(push("E6 E7 00 0F 00 00 00 00 0C 07 E4 02 0F 06 01 19 22 FF 80 00 00 "
				   "02 09 0A 0E 4B 61 6D 73 74 72 75 70 5F 56 30 30 30 31 "
				   "09 06 01 01 00 00 05 FF 0A 03 31 32 33 "
				   "09 06 01 01 01 07 00 FF 06 00 00 09 D9 "
				   "09 06 01 01 01 08 00 FF 06 00 01 86 A0 "
				   "09 06 00 01 01 00 00 FF 09 0C 07 E4 02 0F 06 01 19 22 FF 80 00 00"),
			  EB_FRAME_OK);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].hdlc.time), "2020-02-15 01:25:34");
	CHECK_INT(got.frame[0].nitems, 4);
	check_item(0, "1-1:0.0.5*255", "123", "");
	check_item(1, "1-1:1.7.0*255", "2521", "");
	check_item(2, "1-1:1.8.0*255", "100000", "");
	check_item(3, "0-1:1.0.0*255", "2020-02-15 01:25:34", "");
	/* A code without a value behind it, a value that is a list. */
	CHECK_INT(push(PUSH "02 03 09 06 01 01 01 07 00 FF 02 01 11 05 09 06 01 01 01 08 00 FF"),
			  EB_FRAME_OK);
	CHECK_INT(got.frame[0].nitems, 0);
}

/* Values by place; lists among them keep their place. */
static void
check_places(void)
{
	CHECK_INT(push(PUSH "02 07 09 07 4B 46 4D 5F 30 30 31 06 00 00 15 7E 02 02 11 01 01 01 00 "
						"09 0C 07 E4 02 0F 06 01 19 22 FF 80 00 00 00 09 02 01 FF "
						"19 07 E4 02 1F 06 01 19 22 FF 80 00 00"),
			  EB_FRAME_OK);
	CHECK_INT(got.frame[0].nitems, 6);
	check_item(0, "#1", "KFM_001", "");
	check_item(1, "#2", "5502", "");
	check_item(2, "#4", "2020-02-15 01:25:34", "");
	check_item(3, "#5", NULL, "");
	check_item(4, "#6", "01FF", "");
	check_item(5, "#7", NULL, "");
	CHECK_INT(push(PUSH "02 00"), EB_FRAME_OK);
	CHECK_INT(got.frame[0].nitems, 0);
}

/* Information of another kind gives no items; a body that is broken refuses the frame. */
static void
check_bodies(void)
{
	static const char *const foreign[] = {"E6 E7 00 C4 01 00 00 06 00 00 00 01", "E6 E7 00",
										  "DB 08 4B 46 4D 10 20 01 12 F7", "00"};
	static const char *const broken[] = {
		"E6 E7 00 0F",
		"E6 E7 00 0F 40 00 00",
		PUSH,
		PUSH "06 00 00 00",
		PUSH "11 05",
		PUSH "02 01",
		PUSH "02 02 11 05",
		PUSH "02 01 06 00 00",
		PUSH "02 01 09 06 01 00 01",
		PUSH "02 01 7F",
		PUSH "02 01 02 82 FF FF",
		PUSH "01 82 FF FF 02 02",
		PUSH "01 80",
		PUSH "02 01 19 07 E4",
		"E6 E7 00 0F 40 00 00 00 05 01 02 03 04 05 02 00",
	};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
	{
		CHECK_INT(push(foreign[i]), EB_FRAME_OK);
		CHECK_INT(got.frame[0].nitems, 0);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		if (!CHECK_INT(push(broken[i]), EB_FRAME_STRUCTURE))
			printf("    %s\n", broken[i]);
	/* An impossible moment is none. */
	CHECK_INT(push("E6 E7 00 0F 00 00 00 00 0C 07 E4 0D 0F 06 01 19 22 FF 80 00 00 02 00"),
			  EB_FRAME_OK);
	CHECK_INT(got.frame[0].hdlc.time, 0);
}

/* The longest frame there is, of more items than a frame may have, and of as many as it may. */
static void
check_limits(void)
{
	uint8_t information[2037] = {0xE6, 0xE7, 0, 0x0F, 0, 0, 0, 0, 0, 2, 0x82};
	uint8_t frame[2060];

	for (size_t count = 512; count <= 513; count++)
	{
		information[11] = (uint8_t) (count >> 8);
		information[12] = (uint8_t) count;
		for (size_t i = 0; i < count; i++)
			memcpy(information + 13 + 2 * i, "\x11\x07", 2);
		decode(&eb_hdlc_codec, frame, wrap_hdlc(information, sizeof(information), frame), &got);
		CHECK_INT(got.verdict, count == 512 ? EB_FRAME_OK : EB_FRAME_TOO_LONG);
	}
	CHECK_INT(frame[1] << 8 | frame[2], 0xA7FF);
	/* The same as a segment: its bytes are given, nothing is read from them. */
	frame[1] |= 0x08;
	put_x25(frame + 7, frame + 1);
	put_x25(frame + 9 + sizeof(information), frame + 1);
	decode(&eb_hdlc_codec, frame, sizeof(information) + 12, &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 0);
	CHECK_INT(strlen(eb_frame_get(&got.frame[0], got.frame[0].hdlc.information)),
			  2 * sizeof(information));
}

static void
check_damage(void)
{
	static const char *const whole[] = {AIDON, KAIFA, SHORT};
	uint8_t bytes[64];

	for (int i = 0; i < 3; i++)
	{
		size_t n = from_hex(whole[i], bytes, sizeof(bytes));

		for (size_t bit = 0; bit < 8 * n; bit++)
		{
			bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
			decode_by(&eb_hdlc_codec, bytes, n, n, &got);
			CHECK_INT(got.n, 0);
			bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		}
		for (size_t cut = 1; cut < n; cut++)
		{
			decode_by(&eb_hdlc_codec, bytes, cut, cut, &got);
			CHECK_INT(got.verdict, EB_FRAME_TRUNCATED);
		}
	}
}

/* Quadratic work would take very long here, linear takes seconds. */
static void
check_floods(void)
{
	static const char *const pattern[] = {"7E", "7E A7 FF", "7E A0", "00", SHORT};
	static const size_t n = 1 << 20;
	uint8_t *bytes = malloc(n);
	clock_t begin = clock();

	if (!CHECK(bytes != NULL))
		return;
	for (size_t p = 0; p < sizeof(pattern) / sizeof(pattern[0]); p++)
	{
		size_t period = from_hex(pattern[p], bytes, 64);

		for (size_t i = period; i < n; i++)
			bytes[i] = bytes[i - period];
		decode_by(&eb_hdlc_codec, bytes, n, 4096, &got);
		CHECK_INT(got.n, period == 14 ? n / 14 : 0);
		CHECK_INT(got.reader.fed, n);
	}
	CHECK((clock() - begin) / CLOCKS_PER_SEC < 60);
	free(bytes);
}

int
main(void)
{
	check_refusals();
	check_published();
	check_heads();
	check_structures();
	check_pairs();
	check_places();
	check_bodies();
	check_limits();
	check_damage();
	check_floods();
	return check_done("hdlc");
}
