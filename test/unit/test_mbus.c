/*
 * test_mbus.c -- M-Bus: finding frames in a stream, asking for data, matching answers, records
 * Whole telegrams of meters are in the frame vectors; the frames here are made.
 */
#include "codec/mbus.h"

#include "frames.h"

#include <stdlib.h>
#include <time.h>

/* Number 12345678, ABB, version 2, electricity, access 1, status 0, no encryption. */
#define HEADER "78 56 34 12 42 04 02 02 01 00 00 00"

static Decoded got;

/* Adds more to content again and again, up to n bytes of hex with a blank behind each but the last. */
static void
fill_up(char *content, size_t n, const char *more)
{
	while (strlen(content) < 3 * n - 1)
		snprintf(content + strlen(content), strlen(more) + 1, "%s", more);
}

/* A long frame of the bytes from C on, with its lengths and sum. */
static size_t
make_long(const char *content, uint8_t *out)
{
	size_t n = from_hex(content, out + 4, 255);
	unsigned sum = 0;

	out[0] = out[3] = 0x68;
	out[1] = out[2] = (uint8_t) n;
	for (size_t i = 0; i < n; i++)
		sum += out[4 + i];
	out[4 + n] = (uint8_t) sum;
	out[5 + n] = 0x16;
	return n + 6;
}

static void
decode_long(const char *content)
{
	uint8_t bytes[300];

	decode(&eb_mbus_codec, bytes, make_long(content, bytes), &got);
}

static void
check_refused(const char *hex, EbFrameError why)
{
	decode_hex(&eb_mbus_codec, hex, &got);
	CHECK_INT(got.n, 0);
	if (!CHECK_INT(got.verdict, why))
		printf("    %s\n", hex);
}

static void
check_refusals(void)
{
	check_refused("", EB_FRAME_NO_START);
	check_refused("00 FF 16", EB_FRAME_NO_START);
	check_refused("10 7B 19 94", EB_FRAME_TRUNCATED);
	check_refused("10 7B 19 95 16", EB_FRAME_CHECKSUM);
	check_refused("10 7B 19 94 17", EB_FRAME_STRUCTURE);
	check_refused("10 08 19 21 16", EB_FRAME_STRUCTURE); /* no master speaks so */
	check_refused("10 C0 19 D9 16", EB_FRAME_STRUCTURE);
	check_refused("68 03 03 68 08", EB_FRAME_TRUNCATED);
	check_refused("68 03 03 68 08 05 70", EB_FRAME_TRUNCATED);
	check_refused("68 03 04 68 08 05 70 7D 16", EB_FRAME_STRUCTURE);
	check_refused("68 03 03 69 08 05 70 7D 16", EB_FRAME_STRUCTURE);
	check_refused("68 02 02 68 08 05 0D 16", EB_FRAME_STRUCTURE);
	check_refused("68 03 03 68 08 05 70 7E 16", EB_FRAME_CHECKSUM);
	check_refused("68 03 03 68 08 05 70 7D 17", EB_FRAME_STRUCTURE);
	check_refused("68 03 03 68 88 05 70 FD 16", EB_FRAME_STRUCTURE); /* top bit of C */
}

static void
check_kinds(void)
{
	decode_hex(&eb_mbus_codec, "E5", &got);
	CHECK(got.n == 1 && got.frame[0].mbus.kind == EB_MBUS_ACK && got.frame[0].from_meter);
	CHECK(!got.frame[0].checked);
	decode_hex(&eb_mbus_codec, "10 40 FD 3D 16", &got);
	CHECK(got.n == 1 && got.frame[0].mbus.kind == EB_MBUS_SHORT && !got.frame[0].from_meter);
	CHECK(got.frame[0].mbus.address == 253 && got.frame[0].mbus.control == 0x40);
	CHECK_STR(got.frame[0].address, "253");
	CHECK_INT(got.verdict, EB_FRAME_OK);
	decode_hex(&eb_mbus_codec, "68 03 03 68 08 05 70 7D 16", &got);
	CHECK(got.n == 1 && got.frame[0].mbus.application_error == 0);
	decode_long("08 05 70 08");
	CHECK_INT(got.frame[0].mbus.application_error, 8);
	CHECK_INT(got.frame[0].nitems, 0);
	/* What a master sends to select a meter; another application of the same layer. */
	decode_long("53 FD 52 78 56 34 12 FF FF FF FF");
	CHECK(got.n == 1 && !got.frame[0].from_meter);
	decode_long("08 05 73 01 02 03");
	CHECK(got.n == 1 && got.frame[0].nitems == 0 && got.frame[0].mbus.meter_id == 0);
	decode_long("08 05 72 " HEADER);
	CHECK_INT(got.n, 1);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].mbus.meter_id), "12345678");
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].mbus.manufacturer), "ABB");
	CHECK(got.frame[0].mbus.medium == 2 && !got.frame[0].mbus.more);
	decode_long("08 05 72 78 56 34 12 42 04 02 02 01 00 00");
	CHECK(got.n == 0 && got.verdict == EB_FRAME_STRUCTURE);
	decode_long("08 05 72 " HEADER " 1F E5 E5 10 40 FD 3D 16");
	CHECK(got.n == 1 && got.frame[0].mbus.more);
	/* AES: nothing is read from bytes that hide what they are; a signature that is none. */
	decode_long("08 05 72 78 56 34 12 42 04 02 02 01 00 10 05 04 03 D2 04 00 00");
	CHECK(got.n == 1 && got.frame[0].mbus.encrypted && got.frame[0].nitems == 0);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].mbus.meter_id), "12345678");
	decode_long("08 05 72 78 56 34 12 42 04 02 02 01 00 27 B6 04 03 D2 04 00 00");
	CHECK(got.n == 1 && !got.frame[0].mbus.encrypted && got.frame[0].nitems == 1);
}

/* An E5 proves nothing: it counts where nothing is in doubt. */
static void
check_acknowledge(void)
{
	static const struct
	{
		const char *hex;
		int n;
	} cases[] = {
		{"00 E5", 1},
		{"00 FF E5 00", 1},
		{"E5 E5", 2},
		{"41 E5", 0},
		{"68 E5", 0},
		{"10 40 FD 3D 16 E5", 2},
		{"E4 E5 E5 68", 0},
		{"10 40 FD 3E 16 E5", 0},
		{"68 E5 E4 68 E5 E5 E5 E5 E5", 0},
		{"16 10 40 FD 3D 16 00 E5", 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		decode_hex(&eb_mbus_codec, cases[i].hex, &got);
		if (!CHECK_INT(got.n, cases[i].n))
			printf("    %s\n", cases[i].hex);
	}
	/* A damaged frame full of them, and of short frames: only these come out, as the master's. */
	decode_long("08 05 72 " HEADER " 0F E5 E5 E5 E5");
	CHECK_INT(got.n, 1);
}

/* Every flipped bit and every cut of a frame with E5 as length, and inside. */
static void
check_damage(void)
{
	uint8_t bytes[300];
	size_t n;
	int found = 0;
	char content[3 * 0xE5 + 1] = "08 05 72 " HEADER " 0F";

	fill_up(content, 0xE5, " E5");
	n = make_long(content, bytes);
	CHECK_INT(bytes[1], 0xE5);
	decode(&eb_mbus_codec, bytes, n, &got);
	CHECK_INT(got.n, 1);
	for (size_t bit = 0; bit < 8 * n; bit++)
	{
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		decode_by(&eb_mbus_codec, bytes, n, n, &got);
		found += got.n;
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	for (size_t cut = 0; cut < n; cut++)
	{
		decode_by(&eb_mbus_codec, bytes, cut, n, &got);
		found += got.n;
	}
	CHECK_INT(found, 0);
}

/* Items of the records as "id=value unit", null for none, "?" when refused. */
static void
check_records(const char *hex, const char *want)
{
	static EbFrame frame;
	uint8_t bytes[300];
	char found[512] = "";
	bool more;

	if (eb_mbus_records(bytes, from_hex(hex, bytes, sizeof(bytes)), &frame, &more) != EB_FRAME_OK)
		snprintf(found, sizeof(found), "?");
	else
		for (int i = 0; i < frame.nitems; i++)
		{
			const EbFrameItem *item = &frame.items[i];
			const char *unit = eb_frame_get(&frame, item->unit);
			size_t used = strlen(found);

			CHECK_INT(item->absent, item->value == 0);
			snprintf(found + used, sizeof(found) - used, "%s%s=%s%s%s", i > 0 ? ", " : "",
					 eb_frame_get(&frame, item->id),
					 item->absent ? "null" : eb_frame_get(&frame, item->value),
					 unit[0] != '\0' ? " " : "", unit);
		}
	if (!CHECK_STR(found, want))
		printf("    %s\n", hex);
}

static void
check_numbers(void)
{
	check_records("", "");
	check_records("2F 2F", "");
	check_records("01 03 FB", "0=-5 Wh");
	check_records("02 03 FF 7F", "0=32767 Wh");
	check_records("03 03 01 00 80", "0=-8388607 Wh");
	check_records("04 00 D2 04 00 00", "0=1.234 Wh");
	check_records("04 06 D2 04 00 00", "0=1234000 Wh");
	check_records("06 03 FF FF FF FF FF 7F", "0=140737488355327 Wh");
	check_records("07 03 01 00 00 00 00 00 00 80", "0=-9223372036854775807 Wh");
	/* The lowest number of a field says "none". */
	check_records("01 03 80, 02 03 00 80", "0=null Wh");
	check_records("07 03 00 00 00 00 00 00 00 80", "0=null Wh");
	check_records("09 03 12 0A 03 34 12", "0=12 Wh, 1=1234 Wh");
	check_records("0C 03 78 56 34 12 0E 03 12 90 78 56 34 12", "0=12345678 Wh, 1=123456789012 Wh");
	check_records("0B 2B 56 34 F2", "0=-23456 W");
	check_records("0B 2B 56 34 E2", "0=null W");
	check_records("0B 2B 5A 34 02", "0=null W");
	check_records("0A 03 FF FF", "0=null Wh");
	check_records("05 2B 79 69 69 43", "0=233.412 W");
	check_records("05 03 00 00 C0 7F", "0=null Wh");
	check_records("00 03 08 03", "0=null Wh, 1=null Wh");
	check_records("0D 03 C2 34 12 0D 03 D2 34 12", "0=1234 Wh, 1=-1234 Wh");
	check_records("0D 78 03 43 42 41 0D 78 02 00 41 0D 78 00", "0=ABC, 1=4100, 2=null");
	check_records("0D 78 E2 34 12", "0=1234");
}

static void
check_units(void)
{
	check_records("01 0B 01 01 16 01 01 2E 01 01 22 01", "0=1000 J, 1=1 m3, 2=1000 W, 3=1 h");
	check_records("02 FD 48 60 03 02 FD 59 BD 03", "0=86.4 V, 1=0.957 A");
	check_records("01 FB 00 02 01 FB 01 02", "0=200000 Wh, 1=2000000 Wh");
	check_records("01 FB 02 02 01 FB 17 02 01 FB 2E 02", "0=2000 varh, 1=2000 var, 2=0.2 Hz");
	check_records("01 FB 7F 02 01 FD 3A 02 01 7F 05 01 FF 03 05", "0=2, 1=2, 2=5, 3=5");
	check_records("01 6E 05 01 79 05", "0=5, 1=5");
	/* Extensions that leave a value what it is, and those that do not. */
	check_records("01 83 00 05 01 83 3B 05 01 83 3C 05", "0=5 Wh, 1=5 Wh, 2=5 Wh");
	check_records("01 83 FF 01 05 01 83 FC 01 05", "0=5 Wh, 1=5 Wh");
	check_records("01 83 70 05 01 83 77 05 01 83 7D 05", "0=0.000005 Wh, 1=50 Wh, 2=5000 Wh");
	check_records("01 83 15 05 01 83 18 05", "0=null Wh, 1=null Wh");
	check_records("01 86 20 05 01 86 40 05 01 86 7B 05", "0=5, 1=5, 2=5");
	check_records("05 83 F0 F0 F0 70 01 00 00 00", "0=null");
	/* Tariffs, sub-units and storage leave the item alone. */
	check_records("8C 10 04 52 12 00 00 8C 91 40 04 52 12 00 00", "0=12520 Wh, 1=12520 Wh");
	/* A unit in words, behind the extensions or in front of them (Elvaco CMa11: 45.64 %RH). */
	check_records("03 FC 20 03 43 42 41 15 31 00", "0=12565 ABC");
	check_records("02 FC 03 48 52 25 74 D4 11 22 FC 03 48 52 25 74 C8 11",
				  "0=45.64 %RH, 1=45.52 %RH");
	check_records("01 FC 74 01 57 05", "0=0.05 W");
	check_records("01 7C 03 68 57 6B 05 01 7C 01 07 05", "0=5 kWh, 1=5");
}

static void
check_moments(void)
{
	check_records("02 6C CA 17", "0=2014-07-10");
	check_records("02 6C FF 0C", "0=2007-12-31");
	check_records("02 6C 41 B1 02 6C E1 A1 02 6C 01 B1",
				  "0=1990-01-01, 1=1987-01-01, 2=1988-01-01");
	check_records("04 6D 19 0F CA 17", "0=2014-07-10 15:25");
	check_records("04 6D 19 2F 41 B1", "0=2090-01-01 15:25");
	check_records("06 6D 3B 19 0F CA 17 00", "0=2014-07-10 15:25:59");
	check_records("06 6D 3C 19 0F CA 17 00", "0=null");
	check_records("06 6D 3B 19 0F CA 17", "?");
	check_records("02 6C 00 00 02 6C 7E 12 02 6C 0A 0D", "0=null, 1=null, 2=null");
	check_records("04 6D 99 0F CA 17 04 6D 3C 0F CA 17 04 6D 19 18 CA 17",
				  "0=null, 1=null, 2=null");
	check_records("04 6C 19 0F CA 17", "0=399118105");
}

static void
check_broken(void)
{
	static const char *const broken[] = {"04",
										 "04 03",
										 "04 03 01 02 03",
										 "84",
										 "84 80",
										 "04 83",
										 "04 FD",
										 "0D 78",
										 "0D 78 01",
										 "0D 78 CA 00",
										 "0D 78 F7",
										 "01 7C",
										 "01 7C 05 41 42",
										 "3F",
										 "7F 01",
										 "8F 00 03 05",
										 "84 80 80 80 80 80 80 80 80 80 80 00 03 00 00 00 00",
										 "04 83 84 84 84 84 84 84 84 84 84 84 04 00 00 00 00"};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		check_records(broken[i], "?");
	/* Ten extensions are still allowed. */
	check_records("81 80 80 80 80 80 80 80 80 80 00 03 05", "0=5 Wh");
	check_records("01 83 80 80 80 80 80 80 80 80 80 00 05", "0=5 Wh");
	/* Behind the end of the records everything is the manufacturer's. */
	check_records("01 03 05 0F 04", "0=5 Wh");
	check_records("01 03 05 1F 84 84", "0=5 Wh");
	/* One bad record refuses the frame. */
	decode_long("08 05 72 " HEADER " 01 03 05 04 03");
	CHECK(got.n == 0 && got.verdict == EB_FRAME_STRUCTURE);
}

/* As many records as a frame can have. */
static void
check_full(void)
{
	char content[3 * 256] = "08 05 72 " HEADER;

	fill_up(content, 253, " 00 00");
	decode_long(content);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 119);
	CHECK(got.frame[0].items[118].absent);
}

static void
check_requests(void)
{
	EbMbusRequest request = {.address = 77};
	uint8_t want[5];

	CHECK(!eb_mbus_nke(251, &request) && !eb_mbus_nke(252, &request));
	CHECK(!eb_mbus_nke(255, &request) && !eb_mbus_request(256, true, &request));
	CHECK_INT(request.address, 77);
	CHECK(eb_mbus_nke(253, &request));
	from_hex("10 40 FD 3D 16", want, 5);
	CHECK(request.length == 5 && memcmp(request.bytes, want, 5) == 0);
	CHECK(eb_mbus_request(25, true, &request));
	from_hex("10 7B 19 94 16", want, 5);
	CHECK_MEM(request.bytes, want, 5);
	CHECK(eb_mbus_request(0, false, &request));
	from_hex("10 5B 00 5B 16", want, 5);
	CHECK_MEM(request.bytes, want, 5);
}

static void
check_matches(void)
{
	EbMbusRequest reset, data, any;

	eb_mbus_nke(5, &reset);
	eb_mbus_request(5, true, &data);
	eb_mbus_request(EB_MBUS_ANY, true, &any);
	decode_hex(&eb_mbus_codec, "E5", &got);
	CHECK_INT(eb_mbus_match(&reset, &got.frame[0]), EB_MATCH_ANSWER);
	CHECK_INT(eb_mbus_match(&data, &got.frame[0]), EB_MATCH_FOREIGN);
	decode_hex(&eb_mbus_codec, "10 40 05 45 16", &got);
	CHECK_INT(eb_mbus_match(&reset, &got.frame[0]), EB_MATCH_ECHO);
	decode_long("08 05 72 " HEADER);
	CHECK_INT(eb_mbus_match(&reset, &got.frame[0]), EB_MATCH_FOREIGN);
	CHECK_INT(eb_mbus_match(&data, &got.frame[0]), EB_MATCH_ANSWER);
	CHECK_INT(eb_mbus_match(&any, &got.frame[0]), EB_MATCH_ANSWER);
	decode_long("08 06 72 " HEADER);
	CHECK_INT(eb_mbus_match(&data, &got.frame[0]), EB_MATCH_FOREIGN);
	decode_long("08 05 70 08");
	CHECK_INT(eb_mbus_match(&data, &got.frame[0]), EB_MATCH_EXCEPTION);
	decode_long("08 05 73 01");
	CHECK_INT(eb_mbus_match(&data, &got.frame[0]), EB_MATCH_FOREIGN);
}

/* What a line without end may bring. Quadratic work would take hours here, linear takes seconds. */
static void
check_floods(void)
{
	static const char *const pattern[] = {"68", "10", "00", "68 FF FF 68", "10 40", "41 E5"};
	static const size_t n = 1 << 18;
	uint8_t *bytes = malloc(n);
	clock_t begin = clock();

	if (!CHECK(bytes != NULL))
		return;
	for (size_t p = 0; p < sizeof(pattern) / sizeof(pattern[0]); p++)
	{
		size_t period = from_hex(pattern[p], bytes, 64);

		for (size_t i = period; i < n; i++)
			bytes[i] = bytes[i - period];
		for (size_t chunk = 1; chunk <= 4096; chunk *= 4096)
		{
			decode_by(&eb_mbus_codec, bytes, n, chunk, &got);
			CHECK_INT(got.n, 0);
			CHECK_INT(got.reader.skipped, n);
		}
	}
	CHECK((clock() - begin) / CLOCKS_PER_SEC < 60);
	free(bytes);
}

int
main(void)
{
	check_refusals();
	check_kinds();
	check_acknowledge();
	check_damage();
	check_numbers();
	check_units();
	check_moments();
	check_broken();
	check_full();
	check_requests();
	check_matches();
	check_floods();
	return check_done("mbus");
}
