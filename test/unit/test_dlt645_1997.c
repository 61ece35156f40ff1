/*
 * test_dlt645_1997.c -- DL/T 645-1997: items, requests and answers; the framing is that of 2007
 * The framer has its tests in test_dlt645.c. Frames with a source are published ones.
 */
#include "frames.h"

/* Forward active 1426.79 kWh of meter 010003635927 (collector guide, 2.3). */
#define ENERGY "FE FE FE FE 68 27 59 63 03 00 01 68 81 06 43 C3 AC 59 47 33 C3 16"

static Decoded got;

/* Items of an identifier and its data (less 33H): "id=value unit time", "?" when not in the table. */
static void
check_items(uint32_t di, const char *hex, const char *want)
{
	static EbFrame frame;
	uint8_t data[64];
	char found[512] = "";
	EbFrameError error = eb_dlt645_1997_items(di, data, from_hex(hex, data, sizeof(data)), &frame);

	if (error != EB_FRAME_OK)
		snprintf(found, sizeof(found), "%s", error == EB_FRAME_VALUE ? "bad" : "?");
	else
		for (int i = 0; i < frame.nitems; i++)
		{
			const EbFrameItem *item = &frame.items[i];
			const char *unit = eb_frame_get(&frame, item->unit);
			size_t used = strlen(found);

			snprintf(found + used, sizeof(found) - used, "%s%s=%s%s%s", i > 0 ? ", " : "",
					 eb_frame_get(&frame, item->id),
					 item->absent ? "null" : eb_frame_get(&frame, item->value),
					 unit[0] != '\0' ? " " : "", unit);
		}
	if (!CHECK_STR(found, want))
		printf("    %04X %s\n", di, hex);
}

static void
check_table(void)
{
	check_items(0x9010, "79 26 14 00", "9010=1426.79 kWh");
	check_items(0x901E, "79 26 14 00", "901E=1426.79 kWh");
	check_items(0x9020, "FF FF FF FF", "9020=null kWh");
	check_items(0x901F, "03 00 00 00 01 00 00 00 02 00 00 00",
				"9010=0.03 kWh, 9011=0.01 kWh, 9012=0.02 kWh");
	check_items(0x9110, "79 26 14 00", "9110=1426.79 kvarh");
	check_items(0x9160, "79 26 14 00", "9160=1426.79 kvarh");
	check_items(0x9410, "79 26 14 00", "9410=1426.79 kWh");
	check_items(0x9810, "79 26 14 00", "9810=1426.79 kWh");
	check_items(0x991F, "79 26 14 00", "9910=1426.79 kvarh");
	check_items(0xA010, "56 34 12", "A010=12.3456 kW");
	check_items(0xB010, "30 15 28 02", "B010=02-28 15:30");
	check_items(0xB611, "23 02", "B611=223 V");
	check_items(0xB61F, "23 02 24 02 FF FF", "B611=223 V, B612=224 V, B613=null V");
	check_items(0xB621, "34 12", "B621=12.34 A");
	check_items(0xB630, "56 34 12", "B630=12.3456 kW");
	check_items(0xB63F, "56 34 12 01 00 00", "B630=12.3456 kW, B631=0.0001 kW");
	check_items(0xB640, "34 12", "B640=12.34 kvar");
	check_items(0xB650, "98 09", "B650=0.998");
	check_items(0xC010, "03 28 02 24", "C010=2024-02-28");
	check_items(0xC011, "05 30 15", "C011=15:30:05");
	check_items(0xC032, "12 90 78 56 34 12", "C032=123456789012");
}

static void
check_not_in_table(void)
{
	static const struct
	{
		uint32_t di;
		const char *hex;
	} cases[] = {
		{0x9000, "79 26 14 00"},
		{0x9030, "79 26 14 00"},
		{0x9170, "79 26 14 00"},
		{0x9210, "79 26 14 00"},
		{0x9310, "79 26 14 00"},
		{0x9C10, "79 26 14 00"},
		{0x9010, "79 26 14"},
		{0x9010, "79 26 14 00 00 00 00 00"},
		{0x9010, ""},
		{0xB610, "23 02"},
		{0xB614, "23 02"},
		{0xB634, "56 34 12"},
		{0xB61F, "23 02 24 02 25 02 26 02"},
		{0xB660, "23 02"},
		{0xC012, "05 30 15"},
		{0xC01F, "05 30 15"},
		{0x00010000, "79 26 14 00"},
		{0x00009010 | 0x10000, "79 26 14 00"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_items(cases[i].di, cases[i].hex, "?");
	check_items(0x9010, "7A 26 14 00", "bad");
	check_items(0x901F, "79 26 14 00 79 26 14 A0", "bad");
	check_items(0xC011, "05 3A 15", "bad");
}

static void
check_frames(void)
{
	decode_hex(&eb_dlt645_1997_codec, ENERGY, &got);
	CHECK_INT(got.n, 1);
	CHECK_STR(got.frame[0].address, "010003635927");
	CHECK_INT(got.frame[0].dlt645.di, 0x9010);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), "1426.79");
	/* The other year finds the frame and knows no such function. */
	decode_hex(&eb_dlt645_codec, ENERGY, &got);
	CHECK(got.n == 1 && got.frame[0].nitems == 0 && !got.frame[0].dlt645.has_di);
	/* A meter that repeats the DI in front of its error byte; one that does not; a part. */
	decode_hex(&eb_dlt645_1997_codec, "68 20 11 12 21 06 36 68 C5 03 E9 04 56 7B 16", &got);
	CHECK_INT(got.frame[0].dlt645.error_word, 0x23);
	decode_hex(&eb_dlt645_1997_codec, "68 01 00 00 00 00 00 68 C1 01 35 C8 16", &got);
	CHECK_INT(got.frame[0].dlt645.error_word, 0x02);
	decode_hex(&eb_dlt645_1997_codec, "68 01 00 00 00 00 00 68 A1 04 43 C3 44 55 15 16", &got);
	CHECK(got.n == 1 && got.frame[0].dlt645.more && got.frame[0].dlt645.nraw == 2);
	/* Parts of this year have no number: the last byte is data. */
	decode_hex(&eb_dlt645_1997_codec, "68 01 00 00 00 00 00 68 82 04 43 C3 44 35 D6 16", &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].dlt645.seq, -1);
	CHECK(got.frame[0].dlt645.nraw == 2 && got.frame[0].dlt645.raw[1] == 0x02);
	CHECK(!got.frame[0].dlt645.more);
}

static void
check_match(const EbDlt645Request *request, const char *hex, EbMatch want)
{
	decode_hex(&eb_dlt645_1997_codec, hex, &got);
	CHECK_INT(got.n, 1);
	if (!CHECK_INT(eb_dlt645_match(request, &got.frame[0]), want))
		printf("    %s\n", hex);
}

static void
check_requests(void)
{
	EbDlt645Request request;
	uint8_t want[32];
	size_t n;

	CHECK(eb_dlt645_read(EB_DLT645_1997, "010003635927", 0x9010, &request));
	n = from_hex("FE FE FE FE 68 27 59 63 03 00 01 68 01 02 43 C3 C0 16", want, sizeof(want));
	CHECK_INT(request.length, n);
	CHECK_MEM(request.bytes, want, n);
	check_match(&request, ENERGY, EB_MATCH_ANSWER);
	check_match(&request, "68 27 59 63 03 00 01 68 01 02 43 C3 C0 16", EB_MATCH_ECHO);
	check_match(&request, "68 27 59 63 03 00 01 68 81 04 44 E9 56 35 F4 16", EB_MATCH_FOREIGN);
	check_match(&request, "68 20 11 12 21 06 36 68 C5 03 E9 04 56 7B 16", EB_MATCH_FOREIGN);
	check_match(&request, "68 27 59 63 03 00 01 68 C1 01 35 AE 16", EB_MATCH_EXCEPTION);
	/* The same bytes by the codec of the other year are no answer. */
	decode_hex(&eb_dlt645_codec, ENERGY, &got);
	CHECK_INT(eb_dlt645_match(&request, &got.frame[0]), EB_MATCH_FOREIGN);
	CHECK(eb_dlt645_next(EB_DLT645_1997, "000000000001", 0x9010, 1, &request));
	n = from_hex("FE FE FE FE 68 01 00 00 00 00 00 68 02 02 43 C3 DB 16", want, sizeof(want));
	CHECK_INT(request.length, n);
	CHECK_MEM(request.bytes, want, n);
	check_match(&request, "68 01 00 00 00 00 00 68 82 04 43 C3 44 35 D6 16", EB_MATCH_ANSWER);
	CHECK(!eb_dlt645_read(EB_DLT645_1997, "999999999999", 0x9010, &request));
}

static void
check_equivalents(void)
{
	static const uint32_t pair[][2] = {
		{0x9010, 0x00010000}, {0x9011, 0x00010100}, {0x901E, 0x00010E00}, {0x901F, 0x0001FF00},
		{0x9020, 0x00020000}, {0x902F, 0x0002FF00}, {0x9410, 0x00010001}, {0x941F, 0x0001FF01},
		{0x9820, 0x00020002}, {0x911F, 0x0003FF00}, {0x912F, 0x0004FF00}, {0x913F, 0x0005FF00},
		{0x914F, 0x0008FF00}, {0x915F, 0x0006FF00}, {0x916F, 0x0007FF00}, {0x9516, 0x00030601},
		{0xB611, 0x02010100}, {0xB61F, 0x0201FF00}, {0xB621, 0x02020100}, {0xB630, 0x02030000},
		{0xB641, 0x02040100}, {0xB650, 0x02060000}, {0xC010, 0x04000101}, {0xC011, 0x04000102},
		{0xC032, 0x04000402}, {0x9000, 0},			{0x9030, 0},		  {0x9170, 0},
		{0x9210, 0},		  {0x9610, 0},			{0x9A10, 0},		  {0xA010, 0},
		{0xC033, 0},		  {0x00010000, 0},
	};

	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++)
		if (!CHECK_INT(eb_dlt645_equivalent(pair[i][0]), pair[i][1]))
			printf("    %04X\n", pair[i][0]);
}

int
main(void)
{
	check_table();
	check_not_in_table();
	check_frames();
	check_requests();
	check_equivalents();
	return check_done("dlt645_1997");
}
