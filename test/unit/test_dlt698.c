/*
 * test_dlt698.c -- finding DL/T 698.45 frames in a stream, asking for objects, matching answers
 * Frames with a source are published ones; the others are made here, with a CRC of their own.
 */
#include "frames.h"
#include "kit_x25.h"

#include "codec/dlt698.h"

#include <stdlib.h>
#include <time.h>

/* Whoever is alone on the line is asked for its address, and says it (State Grid, 2021, annex H). */
#define ASK "68 17 00 43 45 AA AA AA AA AA AA 00 5B 4F 05 01 25 40 01 02 00 00 0A 92 16"
#define REPLY                                                                              \
	"68 21 00 C3 05 33 09 20 39 00 00 00 4A 55 85 01 25 40 01 02 00 01 09 06 00 00 39 20 " \
	"09 33 00 00 B2 D8 16"

/* 1234.56 kWh of meter 000000000000. */
#define ENERGY \
	"68 1E 00 C3 05 00 00 00 00 00 00 00 9E 54 85 01 00 00 10 02 01 01 06 00 01 E2 40 00 00 5A D4 16"

static const uint8_t meter[6] = {0x61, 0x01, 0, 0, 0, 0};

static Decoded got;

static void
check_refused(const char *hex, EbFrameError why)
{
	decode_hex(&eb_dlt698_codec, hex, &got);
	CHECK_INT(got.n, 0);
	if (!CHECK_INT(got.verdict, why))
		printf("    %s\n", hex);
}

static void
check_refusals(void)
{
	static uint8_t many[EB_FRAME_MAX_LENGTH];

	check_refused("", EB_FRAME_NO_START);
	check_refused("FE FE FE FE 16", EB_FRAME_NO_START);
	check_refused("68", EB_FRAME_TRUNCATED);
	check_refused("68 1E", EB_FRAME_TRUNCATED);
	check_refused("68 1E 00 C3 05 00 00 00 00 00 00 00 9E 54 85 01", EB_FRAME_TRUNCATED);
	check_refused("68 09 00 C3 05 00 00 00 00 00 00", EB_FRAME_STRUCTURE);
	/* An address longer than the frame. */
	check_refused("68 0F 00 C3 0F 00 00 00 00 00 00 00 00 00 00 00 16", EB_FRAME_STRUCTURE);
	check_refused("68 FF 3F C3 05 00 00 00 00 00 00", EB_FRAME_TRUNCATED);
	/* Longer than any frame may be, and so much is there. */
	memcpy(many, "\x68\xFF\x3F", 3);
	decode(&eb_dlt698_codec, many, sizeof(many), &got);
	CHECK_INT(got.verdict, EB_FRAME_TOO_LONG);
	/* HCS, then FCS, then the end byte. */
	check_refused("68 1E 00 C3 05 00 00 00 00 00 00 00 9F 54 85 01 00 00 10 02 01 01 06 00 01 E2 "
				  "40 00 00 5A D4 16",
				  EB_FRAME_CHECKSUM);
	check_refused("68 1E 00 C3 05 00 00 00 00 00 00 00 9E 54 85 01 00 00 10 02 01 01 06 00 01 E2 "
				  "41 00 00 5A D4 16",
				  EB_FRAME_CHECKSUM);
	check_refused("68 1E 00 C3 05 00 00 00 00 00 00 00 9E 54 85 01 00 00 10 02 01 01 06 00 01 E2 "
				  "40 00 00 5A D4 17",
				  EB_FRAME_STRUCTURE);
}

static void
check_resync(void)
{
	decode_hex(&eb_dlt698_codec, "00 68 55 FE FE " ENERGY " 68 21", &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 5);
	CHECK_INT(got.frame[0].length, 32);
	CHECK(got.frame[0].from_meter && got.frame[0].checked);
	CHECK_STR(got.frame[0].address, "000000000000");
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), "1234.56");
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].unit), "kWh");
	CHECK_INT(got.reader.skipped, 7);
	/* Cut in the middle, then repeated; two meters in one read. */
	decode_hex(&eb_dlt698_codec, "68 1E 00 C3 05 00 00 00 00 00 00 " ENERGY, &got);
	CHECK_INT(got.n, 1);
	decode_hex(&eb_dlt698_codec, ENERGY " FE FE FE FE " REPLY, &got);
	CHECK_INT(got.n, 2);
	CHECK_STR(got.frame[1].address, "000039200933");
	CHECK_STR(eb_frame_get(&got.frame[1], got.frame[1].items[0].value), "000039200933");
	/* A request in front of something is an echo; alone it is a frame. */
	decode_hex(&eb_dlt698_codec, ASK, &got);
	CHECK_INT(got.verdict, EB_FRAME_OK);
	CHECK_STR(got.frame[0].address, "AAAAAAAAAAAA");
	CHECK_INT(got.frame[0].dlt698.service, EB_DLT698_GET_REQUEST);
	CHECK_INT(got.frame[0].dlt698.oad[0], 0x40010200);
	CHECK_INT(got.frame[0].dlt698.piid, 0x25);
	decode_hex(&eb_dlt698_codec, ASK " FE", &got);
	CHECK_INT(got.verdict, EB_FRAME_NO_START);
	decode_hex(&eb_dlt698_codec, ASK " " REPLY, &got);
	CHECK_INT(got.n, 2);
	CHECK_INT(got.verdict, EB_FRAME_OK);
}

/* An APDU of meter 161, as a frame of its own. */
static void
decode_apdu(uint8_t control, const char *hex)
{
	uint8_t apdu[512], frame[600];
	size_t n = from_hex(hex, apdu, sizeof(apdu));

	decode(&eb_dlt698_codec, frame, wrap_dlt698(control, meter, 6, apdu, n, frame), &got);
}

/* Frames that are sound and say nothing that is read here. */
static void
check_silent_frames(void)
{
	static const char *const apdu[] = {
		"01 00 00 00 B4 07 E8 01 01 01 00 00 00 00 00", /* link request: log in */
		"85 03 05 50 04 02 00 01 20 21 02 00 00 00 00", /* record */
		"85 05 05 01 00 01 02",							/* block */
		"06 02 02 01 40 00 02 00 1C 07 E8 01 01 00 00 00 00",
		"88 02 01 00",
		"85 00 01 00",
		"10 00 11",
	};

	for (size_t i = 0; i < sizeof(apdu) / sizeof(apdu[0]); i++)
	{
		decode_apdu(0xC3, apdu[i]);
		CHECK_INT(got.n, 1);
		CHECK_INT(got.frame[0].nitems, 0);
		CHECK_INT(got.frame[0].dlt698.noads, 0);
		CHECK_STR(got.frame[0].address, "000000000161");
	}
	/* A part of an APDU means nothing by itself, whatever it begins with. */
	decode_apdu(0xE3, "85 01 00 00 10 02 01 01 06 00 01 E2 40 00 00");
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 0);
	CHECK_INT(got.frame[0].dlt698.tag, -1);
	decode_apdu(0xC3, "");
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 0);
	/* Scrambled: 33H on each byte of the APDU. */
	decode_apdu(0xCB, "B8 34 33 33 43 35 34 34 39 33 34 15 73 33 33");
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 1);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), "1234.56");
}

static void
check_bytes(const EbDlt698Request *request, const char *hex)
{
	uint8_t want[128];
	size_t n = from_hex(hex, want, sizeof(want));

	if (CHECK_INT(request->length, n))
		CHECK_MEM(request->bytes, want, n);
}

static void
check_requests(void)
{
	static const char *const bad[] = {"",
									  "1",
									  "123",
									  "12A4",
									  "A123",
									  "AAA1",
									  "12 4",
									  "abc",
									  "FFFFFF",
									  "1234-6",
									  ("00000000000000000000000000000000"
									   "00")};
	static const uint32_t own[] = {0x40010200};
	static const uint32_t both[] = {0x00100200, 0x00200200};
	uint32_t many[EB_DLT698_MAX_ASKED];
	EbDlt698Request request;

	CHECK(eb_dlt698_get("AAAAAAAAAAAA", own, 1, 0x25, &request));
	check_bytes(&request, "FE FE FE FE " ASK);
	CHECK(eb_dlt698_get("003708191239", both, 2, 5, &request));
	/* The published list of two objects, but for its client address, 0B there. */
	decode_by(&eb_dlt698_codec, request.bytes, request.length, 1, &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].length, 30);
	CHECK_STR(got.frame[0].address, "003708191239");
	CHECK_INT(got.frame[0].dlt698.noads, 2);
	CHECK_INT(got.frame[0].dlt698.oad[1], 0x00200200);
	CHECK_MEM(request.bytes + 4 + 14, "\x05\x02\x05\x02\x00\x10\x02\x00\x00\x20\x02\x00\x00", 13);
	/* The longest: 16 objects of an address of 16 bytes. */
	for (uint32_t i = 0; i < EB_DLT698_MAX_ASKED; i++)
		many[i] = 0x00100200 + (i << 16);
	CHECK(
		eb_dlt698_get("12345678901234567890123456789012", many, EB_DLT698_MAX_ASKED, 63, &request));
	CHECK_INT(request.length, sizeof(request.bytes));
	decode_by(&eb_dlt698_codec, request.bytes, request.length, 1, &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].dlt698.noads, EB_DLT698_MAX_ASKED);
	CHECK_MEM(got.frame[0].dlt698.oad, many, sizeof(many));
	CHECK_INT(got.frame[0].dlt698.piid, 63);

	CHECK(!eb_dlt698_get("12", own, 0, 0, &request));
	CHECK(!eb_dlt698_get("12", many, EB_DLT698_MAX_ASKED + 1, 0, &request));
	CHECK(!eb_dlt698_get("12", own, 1, 64, &request));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		CHECK(!eb_dlt698_address_ok(bad[i]));
		CHECK(!eb_dlt698_get(bad[i], own, 1, 0, &request));
	}
	CHECK(eb_dlt698_address_ok("12"));
	CHECK(eb_dlt698_address_ok("AA12"));
}

static void
check_match(const EbDlt698Request *request, EbMatch want)
{
	CHECK_INT(got.n, 1);
	CHECK_INT(eb_dlt698_match(request, &got.frame[0]), want);
}

static void
check_matches(void)
{
	static const uint32_t own[] = {0x40010200};
	static const uint32_t both[] = {0x00100201, 0x00200201};
	EbDlt698Request request;

	eb_dlt698_get("AAAAAAAAAAAA", own, 1, 0x25, &request);
	decode_hex(&eb_dlt698_codec, REPLY, &got);
	check_match(&request, EB_MATCH_ANSWER);
	decode_hex(&eb_dlt698_codec, ASK, &got);
	check_match(&request, EB_MATCH_ECHO);
	decode_hex(&eb_dlt698_codec, ENERGY, &got);
	check_match(&request, EB_MATCH_FOREIGN);
	decode_hex(&eb_dlt645_codec, "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16",
			   &got);
	check_match(&request, EB_MATCH_FOREIGN);
	eb_dlt698_get("000039200933", own, 1, 0x24, &request); /* a late reply: another number */
	decode_hex(&eb_dlt698_codec, REPLY, &got);
	check_match(&request, EB_MATCH_FOREIGN);
	eb_dlt698_get("000039200934", own, 1, 0x25, &request);
	check_match(&request, EB_MATCH_FOREIGN);
	eb_dlt698_get("0000000039200933", own, 1, 0x25, &request);
	check_match(&request, EB_MATCH_FOREIGN);
	eb_dlt698_get("AAAAAA200933", own, 1, 0x25, &request);
	check_match(&request, EB_MATCH_ANSWER);

	/* The follow-up bit of PIID is the meter's own. */
	eb_dlt698_get("000000000161", both, 2, 1, &request);
	decode_apdu(0xC3,
				"85 02 41 02 00 10 02 01 01 06 00 00 00 01 00 20 02 01 01 06 00 00 00 02 00 00");
	check_match(&request, EB_MATCH_ANSWER);
	decode_apdu(0xC3, "85 02 01 02 00 10 02 01 00 06 00 20 02 01 01 06 00 00 00 02 00 00");
	check_match(&request, EB_MATCH_ANSWER);
	CHECK_INT(got.frame[0].dlt698.dar, 6);
	CHECK_INT(got.frame[0].nitems, 1);
	decode_apdu(0xC3, "85 02 01 02 00 10 02 01 00 00 00 20 02 01 00 04 00 00");
	check_match(&request, EB_MATCH_EXCEPTION);
	CHECK_INT(got.frame[0].dlt698.dar, 4);
	/* Other objects, one too few, the wrong order, a report of the same. */
	decode_apdu(0xC3, "85 01 01 00 10 02 01 01 06 00 00 00 01 00 00");
	check_match(&request, EB_MATCH_FOREIGN);
	decode_apdu(0xC3,
				"85 02 01 02 00 20 02 01 01 06 00 00 00 02 00 10 02 01 01 06 00 00 00 01 00 00");
	check_match(&request, EB_MATCH_FOREIGN);
	decode_apdu(0x83,
				"88 01 01 02 00 10 02 01 01 06 00 00 00 01 00 20 02 01 01 06 00 00 00 02 00 00");
	check_match(&request, EB_MATCH_FOREIGN);
}

/* Every flipped bit and every cut: no frame that the whole does not give. */
static void
check_damage(void)
{
	uint8_t bytes[64];
	size_t n = from_hex(REPLY, bytes, sizeof(bytes));

	for (size_t bit = 0; bit < 8 * n; bit++)
	{
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		decode_by(&eb_dlt698_codec, bytes, n, n, &got);
		CHECK_INT(got.n, 0);
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	for (size_t cut = 1; cut < n; cut++)
	{
		decode_by(&eb_dlt698_codec, bytes, cut, cut, &got);
		CHECK_INT(got.verdict, EB_FRAME_TRUNCATED);
	}
}

/* Quadratic work would take very long here, linear takes seconds. */
static void
check_floods(void)
{
	static const char *const pattern[] = {"68", "68 FE 1F", "FE", "68 10 00 C3 05", ENERGY};
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
		decode_by(&eb_dlt698_codec, bytes, n, 4096, &got);
		CHECK_INT(got.n, period == 32 ? n / 32 : 0);
		CHECK_INT(got.reader.fed, n);
		CHECK_INT(got.reader.skipped, n - 32 * (size_t) got.n);
	}
	/* Heads that are right and announce 8 KiB each, byte by byte. */
	for (size_t i = 0; i < n / 16; i += 14)
	{
		memcpy(bytes + i, "\x68\xFE\x1F\xC3\x05\x61\x01\x00\x00\x00\x00\x00", 12);
		put_x25(bytes + i + 12, bytes + i + 1);
	}
	decode_by(&eb_dlt698_codec, bytes, n / 16, 1, &got);
	CHECK_INT(got.n, 0);
	CHECK((clock() - begin) / CLOCKS_PER_SEC < 60);
	free(bytes);
}

int
main(void)
{
	check_refusals();
	check_resync();
	check_silent_frames();
	check_requests();
	check_matches();
	check_damage();
	check_floods();
	return check_done("dlt698");
}
