/*
 * test_dlt645.c -- finding DL/T 645-2007 frames in a stream, asking for them, matching answers
 * Frames with a source are published ones; the others are made here.
 */
#include "frames.h"

#include <stdlib.h>
#include <time.h>

/* Voltage block of meter 652022122018, request and reply (Ebyte IoT lab, eet-china.com). */
#define ASK "FE FE FE FE 68 18 20 12 22 20 65 68 11 04 33 32 34 35 A4 16"
#define REPLY "FE FE FE FE 68 18 20 12 22 20 65 68 91 0A 33 32 34 35 33 33 33 33 C7 56 13 16"

/* Forward active 0.26 kWh of meter 161 (hwhale.com/article/138066). */
#define ENERGY "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16"

static Decoded got;

static void
check_refused(const char *hex, EbFrameError why)
{
	decode_hex(&eb_dlt645_codec, hex, &got);
	CHECK_INT(got.n, 0);
	if (!CHECK_INT(got.verdict, why))
		printf("    %s\n", hex);
}

static void
check_refusals(void)
{
	check_refused("", EB_FRAME_NO_START);
	check_refused("FE FE FE FE", EB_FRAME_NO_START);
	check_refused("00 16 FF", EB_FRAME_NO_START);
	check_refused("68", EB_FRAME_TRUNCATED);
	check_refused("68 61 01 00 00 00 00 68 91 08 33", EB_FRAME_TRUNCATED);
	check_refused("68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A", EB_FRAME_TRUNCATED);
	check_refused("68 61 01 00 00 00 00 69 91 08 33 33 34 33 59 33 33 33 8B 16",
				  EB_FRAME_STRUCTURE);
	check_refused("68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8B 16", EB_FRAME_CHECKSUM);
	check_refused("68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 17",
				  EB_FRAME_STRUCTURE);
	/* Wrong sum and wrong end: the sum is looked at first. */
	check_refused("68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8B 17", EB_FRAME_CHECKSUM);
	check_refused("68 61 01 00 00 00 00 68 91 08 33 33 34 33 5D 33 33 33 8E 16", EB_FRAME_VALUE);
	/* The preamble does not count in the sum. */
	check_refused("FE FE 68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 86 16",
				  EB_FRAME_CHECKSUM);
}

/* Junk, cuts and neighbours around a frame. */
static void
check_resync(void)
{
	decode_hex(&eb_dlt645_codec, "00 68 68 FE 68 61 " ENERGY " 68 00", &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 6);
	CHECK_INT(got.frame[0].length, 20);
	CHECK_STR(got.frame[0].address, "000000000161");
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), "0.26");
	CHECK_INT(got.verdict, EB_FRAME_OK);
	CHECK_INT(got.reader.skipped, 8);

	/* Cut in the middle, then repeated. */
	decode_hex(&eb_dlt645_codec, "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 " ENERGY, &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 15);

	/* A false start that announces more than there is must not swallow what follows. */
	decode_hex(&eb_dlt645_codec, "68 01 02 03 04 05 06 68 91 FF " ENERGY " " ENERGY, &got);
	CHECK_INT(got.n, 2);
	CHECK_INT(got.frame[1].offset, 30);
	CHECK_INT(got.reader.first_error, EB_FRAME_TRUNCATED);

	/* A frame inside the data of a damaged one. */
	decode_hex(&eb_dlt645_codec, "68 01 02 03 04 05 06 68 91 18 33 33 34 33 " ENERGY " 00 16",
			   &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 14);

	/* A good frame that contains another: only the outer one. */
	decode_hex(&eb_dlt645_codec, "68 01 00 00 00 00 00 68 9F 14 " ENERGY " AE 16", &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 0);
	CHECK_INT(got.frame[0].length, 32);
}

/* A request in front of further bytes is an echo and makes nothing valid. */
static void
check_echo(void)
{
	decode_hex(&eb_dlt645_codec, ASK, &got);
	CHECK_INT(got.n, 1);
	CHECK(!got.frame[0].from_meter);
	CHECK_INT(got.frame[0].dlt645.di, 0x0201FF00);
	CHECK_INT(got.verdict, EB_FRAME_OK);
	decode_hex(&eb_dlt645_codec, ASK " FE", &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.verdict, EB_FRAME_NO_START);
	decode_hex(&eb_dlt645_codec, ASK " 68 18 20", &got);
	CHECK_INT(got.verdict, EB_FRAME_TRUNCATED);
	decode_hex(&eb_dlt645_codec, ASK " " REPLY, &got);
	CHECK_INT(got.n, 2);
	CHECK_INT(got.frame[1].offset, 24);
	CHECK_STR(eb_frame_get(&got.frame[1], got.frame[1].items[2].value), "239.4");
	CHECK_INT(got.verdict, EB_FRAME_OK);
	decode_hex(&eb_dlt645_codec, ASK " " ASK, &got);
	CHECK_INT(got.n, 2);
	CHECK_INT(got.verdict, EB_FRAME_OK);
}

/* Control byte and data of frames that carry no value. */
static void
check_other_frames(void)
{
	decode_hex(&eb_dlt645_codec, "68 60 07 92 04 00 91 68 D1 01 37 67 16", &got);
	CHECK_INT(got.frame[0].dlt645.error_word, 4);
	CHECK(!got.frame[0].dlt645.has_di);
	CHECK_INT(got.frame[0].nitems, 0);
	/* A meter that repeats the DI in front of its error byte. */
	decode_hex(&eb_dlt645_codec, "68 01 00 00 00 00 00 68 D1 05 33 33 34 33 35 A9 16", &got);
	CHECK_INT(got.frame[0].dlt645.error_word, 2);
	decode_hex(&eb_dlt645_codec, "68 94 41 03 26 12 18 68 93 06 C7 74 36 59 45 4B EB 16", &got);
	CHECK_STR(got.frame[0].dlt645.read_address, "181226034194");
	decode_hex(&eb_dlt645_codec, "68 66 00 00 02 30 22 68 9C 00 26 16", &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].dlt645.nraw, -1);
	/* An exception without its byte; a read reply without room for a DI. */
	decode_hex(&eb_dlt645_codec, "68 01 00 00 00 00 00 68 D1 00 A2 16", &got);
	CHECK_INT(got.frame[0].dlt645.error_word, 0);
	decode_hex(&eb_dlt645_codec, "68 01 00 00 00 00 00 68 91 01 33 96 16", &got);
	CHECK_INT(got.n, 1);
	CHECK(!got.frame[0].dlt645.has_di);
	/* An address with letters, as wildcard servers send it. */
	decode_hex(&eb_dlt645_codec, "68 01 AA AA AA AA AA 68 9C 00 BF 16", &got);
	CHECK_STR(got.frame[0].address, "AAAAAAAAAA01");
}

static void
check_multi_frames(void)
{
	decode_hex(&eb_dlt645_codec, "68 01 00 00 00 00 00 68 B1 06 33 33 34 33 44 55 EE 16", &got);
	CHECK_INT(got.n, 1);
	CHECK(got.frame[0].dlt645.more);
	CHECK_INT(got.frame[0].nitems, 0);
	CHECK_INT(got.frame[0].dlt645.nraw, 2);
	CHECK_INT(got.frame[0].dlt645.raw[0], 0x11);
	CHECK_INT(got.frame[0].dlt645.seq, -1);
	decode_hex(&eb_dlt645_codec, "68 01 00 00 00 00 00 68 92 06 33 33 34 33 44 35 AF 16", &got);
	CHECK_INT(got.n, 1);
	CHECK(!got.frame[0].dlt645.more);
	CHECK_INT(got.frame[0].dlt645.seq, 2);
	CHECK_INT(got.frame[0].dlt645.nraw, 1);
	/* A follow-up as long as a whole value is still a part of one. */
	decode_hex(&eb_dlt645_codec, "68 01 00 00 00 00 00 68 92 09 33 33 34 33 44 44 44 44 34 7D 16",
			   &got);
	CHECK_INT(got.frame[0].nitems, 0);
	CHECK_INT(got.frame[0].dlt645.nraw, 4);
}

static void
check_bytes(const EbDlt645Request *request, const char *hex)
{
	uint8_t want[64];
	size_t n = from_hex(hex, want, sizeof(want));

	if (CHECK_INT(request->length, n))
		CHECK_MEM(request->bytes, want, n);
}

static void
check_requests(void)
{
	static const char *const bad[] = {"",
									  "1",
									  "99999999999",
									  "1234567890123",
									  "12345678901a",
									  "12345678901 ",
									  "A23456789012",
									  "AAA456789012",
									  "12AA56789012",
									  "BB3456789012",
									  "999999999999",
									  "aaaaaaaaaaaa"};
	EbDlt645Request request;

	CHECK(eb_dlt645_read(EB_DLT645_2007, "652022122018", 0x0201FF00, &request));
	check_bytes(&request, ASK);
	CHECK(eb_dlt645_read(EB_DLT645_2007, "000102030425", 0x00010000, &request));
	check_bytes(&request, "FE FE FE FE 68 25 04 03 02 01 00 68 11 04 33 33 34 33 E1 16");
	CHECK(eb_dlt645_next(EB_DLT645_2007, "000000000001", 0x03300D01, 1, &request));
	check_bytes(&request, "FE FE FE FE 68 01 00 00 00 00 00 68 12 05 34 40 63 36 34 29 16");
	eb_dlt645_address(&request);
	check_bytes(&request, "FE FE FE FE 68 AA AA AA AA AA AA 68 13 00 DF 16");
	CHECK(eb_dlt645_read(EB_DLT645_2007, "AAAAAAAA0161", 0x00010000, &request));
	CHECK_INT(request.bytes[5], 0x61);
	CHECK_INT(request.bytes[7], 0xAA);
	CHECK(!eb_dlt645_next(EB_DLT645_2007, "000000000001", 0x03300D01, 0, &request));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		CHECK(!eb_dlt645_address_ok(bad[i]));
		CHECK(!eb_dlt645_read(EB_DLT645_2007, bad[i], 0x00010000, &request));
	}
	CHECK(eb_dlt645_wildcard("AAAAAAAA0161"));
	CHECK(!eb_dlt645_wildcard("000000000161"));
}

static void
check_match(const EbDlt645Request *request, const char *hex, EbMatch want)
{
	decode_hex(&eb_dlt645_codec, hex, &got);
	CHECK_INT(got.n, 1);
	if (!CHECK_INT(eb_dlt645_match(request, &got.frame[0]), want))
		printf("    %s\n", hex);
}

static void
check_matches(void)
{
	EbDlt645Request request;

	eb_dlt645_read(EB_DLT645_2007, "652022122018", 0x0201FF00, &request);
	check_match(&request, REPLY, EB_MATCH_ANSWER);
	check_match(&request, ASK, EB_MATCH_ECHO);
	check_match(&request, ENERGY, EB_MATCH_FOREIGN);
	eb_dlt645_read(EB_DLT645_2007, "000000000161", 0x00020000, &request);
	check_match(&request, ENERGY, EB_MATCH_FOREIGN);
	eb_dlt645_read(EB_DLT645_2007, "AAAAAAAAAA61", 0x00010000, &request);
	check_match(&request, ENERGY, EB_MATCH_ANSWER);
	eb_dlt645_read(EB_DLT645_2007, "AAAAAAAA0061", 0x00010000, &request);
	check_match(&request, ENERGY, EB_MATCH_FOREIGN);
	/* A server that gives the wildcard back answers whoever asked by wildcard, nobody else. */
	eb_dlt645_read(EB_DLT645_2007, "AAAAAAAAAAAA", 0x00010000, &request);
	check_match(&request, "68 AA AA AA AA AA AA 68 91 08 33 33 34 33 59 33 33 33 24 16",
				EB_MATCH_ANSWER);
	eb_dlt645_read(EB_DLT645_2007, "000000000161", 0x00010000, &request);
	check_match(&request, "68 AA AA AA AA AA AA 68 91 08 33 33 34 33 59 33 33 33 24 16",
				EB_MATCH_FOREIGN);
	/* The asked meter refuses; another one refuses. */
	eb_dlt645_read(EB_DLT645_2007, "910004920760", 0x00010000, &request);
	check_match(&request, "68 60 07 92 04 00 91 68 D1 01 37 67 16", EB_MATCH_EXCEPTION);
	check_match(&request, "68 11 11 11 11 11 11 68 D1 01 35 3D 16", EB_MATCH_FOREIGN);
	/* The answer to another function. */
	check_match(&request, "68 60 07 92 04 00 91 68 93 06 33 33 33 33 33 33 29 16",
				EB_MATCH_FOREIGN);
	/* A follow-up is known by its number too. */
	eb_dlt645_next(EB_DLT645_2007, "000000000001", 0x00010000, 2, &request);
	check_match(&request, "68 01 00 00 00 00 00 68 92 06 33 33 34 33 44 35 AF 16", EB_MATCH_ANSWER);
	eb_dlt645_next(EB_DLT645_2007, "000000000001", 0x00010000, 1, &request);
	check_match(&request, "68 01 00 00 00 00 00 68 92 06 33 33 34 33 44 35 AF 16",
				EB_MATCH_FOREIGN);
	eb_dlt645_address(&request);
	check_match(&request, "68 94 41 03 26 12 18 68 93 06 C7 74 36 59 45 4B EB 16", EB_MATCH_ANSWER);
	check_match(&request, "68 94 41 03 26 12 18 68 93 00 8B 16", EB_MATCH_FOREIGN);
}

/* What a line without end may bring. Quadratic work would take hours here, linear takes seconds. */
static void
check_floods(void)
{
	static const char *const pattern[] = {
		"68", "FE", "16", "68 68 68 68 68 68 68 68 91 FF", "68 00 00 00 00 00 00 68 00 FF", ENERGY};
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
		decode_by(&eb_dlt645_codec, bytes, n, 4096, &got);
		CHECK_INT(got.n, period == 20 ? n / 20 : 0);
		CHECK_INT(got.reader.fed, n);
		CHECK_INT(got.reader.skipped, n - 20 * (size_t) got.n);
	}
	CHECK((clock() - begin) / CLOCKS_PER_SEC < 60);
	free(bytes);
}

int
main(void)
{
	check_refusals();
	check_resync();
	check_echo();
	check_other_frames();
	check_multi_frames();
	check_requests();
	check_matches();
	check_floods();
	return check_done("dlt645");
}
