/*
 * test_modbus.c -- finding Modbus RTU frames in a stream, asking for registers, matching answers
 * Frames with a source are published ones; the others are made here. The CRC of those is computed
 * bit by bit, not by the table of the codec.
 */
#include "codec/modbus.h"

#include "frames.h"

#include <stdlib.h>
#include <time.h>

/* Worked examples of the protocol guide: two registers from 000C on, and what they hold. */
#define ASK "01 03 00 0C 00 02 04 08"
#define REPLY "01 03 04 42 C8 00 00 6F B5"

static Decoded got;

static size_t
add_crc(uint8_t *bytes, size_t n)
{
	unsigned crc = 0xFFFF;

	for (size_t i = 0; i < n; i++)
	{
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xA001 : crc >> 1;
	}
	bytes[n] = (uint8_t) crc;
	bytes[n + 1] = (uint8_t) (crc >> 8);
	return n + 2;
}

/* The bytes of hex, each part between bars with its CRC. */
static size_t
with_crc(const char *hex, uint8_t *out)
{
	size_t n = 0;

	while (hex != NULL)
	{
		n += add_crc(out + n, from_hex(hex, out + n, 300));
		hex = strchr(hex, '|');
		if (hex != NULL)
			hex++;
	}
	return n;
}

static void
decode_crc(const char *hex)
{
	uint8_t bytes[1024];

	decode(&eb_modbus_codec, bytes, with_crc(hex, bytes), &got);
}

static void
check_refused(const char *hex, EbFrameError why)
{
	decode_hex(&eb_modbus_codec, hex, &got);
	CHECK_INT(got.n, 0);
	if (!CHECK_INT(got.verdict, why))
		printf("    %s\n", hex);
}

static void
check_refusals(void)
{
	check_refused("", EB_FRAME_NO_START);
	check_refused("FF FF FF FF FF FF", EB_FRAME_NO_START);
	check_refused("01 41 FF FF FF FF", EB_FRAME_NO_START);
	check_refused("01", EB_FRAME_TRUNCATED);
	check_refused("01 03", EB_FRAME_TRUNCATED);
	check_refused("01 03 04 42 C8 00", EB_FRAME_TRUNCATED);
	check_refused("01 03 04 42 C8 00 00 6F", EB_FRAME_TRUNCATED);
	check_refused("01 03 04 42 C8 00 00 B5 6F", EB_FRAME_CHECKSUM);
	check_refused("01 03 04 42 C8 00 01 6F B5", EB_FRAME_CHECKSUM);
	/* An exception of a code or a function that does not exist. */
	decode_crc("01 84 0C");
	CHECK_INT(got.n, 0);
	decode_crc("01 84 09");
	CHECK_INT(got.n, 0);
	decode_crc("01 C1 02");
	CHECK_INT(got.n, 0);
	/* A unit above 247; an odd number of bytes in registers; more bytes than a frame has. */
	decode_crc("F8 03 04 00 00 00 00");
	CHECK_INT(got.n, 0);
	decode_crc("01 03 05 00 00 00 00 00");
	CHECK_INT(got.n, 0);
	decode_crc("01 03 00");
	CHECK_INT(got.n, 0);
}

static void
check_kinds(void)
{
	decode_hex(&eb_modbus_codec, REPLY, &got);
	CHECK_INT(got.n, 1);
	CHECK(got.frame[0].from_meter && got.frame[0].checked);
	CHECK_STR(got.frame[0].address, "1");
	CHECK_INT(got.frame[0].modbus.nregisters, 2);
	CHECK_INT(got.frame[0].modbus.registers[0], 0x42C8);
	CHECK_INT(got.frame[0].nitems, 0);
	decode_hex(&eb_modbus_codec, ASK, &got);
	CHECK_INT(got.n, 1);
	CHECK(!got.frame[0].from_meter && got.frame[0].modbus.request);
	CHECK_INT(got.frame[0].modbus.addr, 0x000C);
	CHECK_INT(got.frame[0].modbus.count, 2);
	CHECK_INT(got.frame[0].modbus.nregisters, -1);
	decode_hex(&eb_modbus_codec, "01 84 02 C2 C1", &got);
	CHECK_INT(got.frame[0].modbus.exception, 2);
	CHECK_INT(got.frame[0].modbus.fc, 4);
	/* Coils; writes of another master and their replies. */
	decode_crc("02 01 03 CD 6B 05");
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].modbus.ndata, 3);
	CHECK_INT(got.frame[0].modbus.data[2], 0x05);
	decode_crc("02 06 00 01 00 03");
	CHECK(got.n == 1 && got.frame[0].modbus.request);
	decode_crc("02 10 00 01 00 02 04 00 0A 01 02");
	CHECK(got.n == 1 && got.frame[0].modbus.request && got.frame[0].length == 13);
	decode_crc("02 10 00 01 00 02");
	CHECK(got.n == 1 && !got.frame[0].modbus.request && got.frame[0].modbus.has_addr);
	CHECK_INT(got.verdict, EB_FRAME_OK);
}

/* The longest replies; one register more is none. */
static void
check_longest(void)
{
	uint8_t bytes[300] = {1, 4, 250};

	for (int i = 3; i < 253; i++)
		bytes[i] = (uint8_t) i;
	decode(&eb_modbus_codec, bytes, add_crc(bytes, 253), &got);
	CHECK(got.n == 1 && got.frame[0].length == 255 && got.frame[0].modbus.nregisters == 125);
	CHECK_INT(got.frame[0].modbus.registers[124], 251 << 8 | 252);
	bytes[1] = 2;
	decode(&eb_modbus_codec, bytes, add_crc(bytes, 253), &got);
	CHECK(got.n == 1 && got.frame[0].modbus.ndata == 250);
	bytes[1] = 4;
	bytes[2] = 252;
	decode(&eb_modbus_codec, bytes, add_crc(bytes, 255), &got);
	CHECK_INT(got.n, 0);
}

static void
check_resync(void)
{
	/* All captures of one bench have a 00 before and after: the bus turns around (see the vectors). */
	decode_hex(&eb_modbus_codec, "00 01 04 04 43 69 69 78 10 6E 00", &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 1);
	CHECK_INT(got.verdict, EB_FRAME_OK);
	decode_hex(&eb_modbus_codec, ASK " " REPLY, &got);
	CHECK_INT(got.n, 2);
	CHECK_INT(got.frame[1].offset, 8);
	decode_hex(&eb_modbus_codec, ASK " 00", &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.verdict, EB_FRAME_TRUNCATED);
	/* Cut and repeated; noise that looks like the start of something longer. */
	decode_hex(&eb_modbus_codec, "01 03 04 42 C8 " REPLY, &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 5);
	decode_hex(&eb_modbus_codec, "07 03 FA " REPLY " 01 10 00 00", &got);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 3);
	/*
	 * A request whose third byte could be the count of a reply: the reply goes first, so that its
	 * bytes are waited for, and a reply that is there wins.
	 */
	decode_crc("0A 03 10 04 00 02|0A 03 04 00 00 00 00");
	CHECK_INT(got.n, 2);
	CHECK(got.frame[0].modbus.request && got.frame[1].modbus.nregisters == 2);
	{
		uint8_t bytes[64];
		size_t n = with_crc("0A 03 10 04 00 02", bytes);

		memset(bytes + n, 0, 11);
		n = add_crc(bytes, n + 11);
		decode(&eb_modbus_codec, bytes, n, &got);
		CHECK_INT(got.n, 1);
		CHECK_INT(got.frame[0].modbus.nregisters, 8);
	}
}

/* Every single flipped bit and every cut of a reply and of an exception: nothing is found. */
static void
check_damage(void)
{
	static const char *const whole[] = {
		REPLY, "01 84 02 C2 C1",
		"02 04 14 08 9A 00 27 00 00 00 06 00 00 00 01 00 00 02 57 00 07 00 00 3C AB"};

	for (size_t w = 0; w < sizeof(whole) / sizeof(whole[0]); w++)
	{
		uint8_t bytes[64];
		size_t n = from_hex(whole[w], bytes, sizeof(bytes));
		int found = 0;

		for (size_t bit = 0; bit < 8 * n; bit++)
		{
			bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
			decode_by(&eb_modbus_codec, bytes, n, n, &got);
			found += got.n;
			bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		}
		for (size_t cut = 0; cut < n; cut++)
		{
			decode_by(&eb_modbus_codec, bytes, cut, 1, &got);
			found += got.n;
		}
		CHECK_INT(found, 0);
	}
}

static void
check_requests(void)
{
	static const unsigned bad[][4] = {
		{0, 3, 0, 1},	  {248, 3, 0, 1}, {1, 1, 0, 1},	  {1, 2, 0, 1},			{1, 5, 0, 1},
		{1, 6, 0, 1},	  {1, 16, 0, 1},  {1, 3, 0, 0},	  {1, 3, 0, 126},		{1, 3, 65535, 2},
		{1, 3, 65536, 1}, {1, 0, 0, 1},	  {257, 3, 0, 1}, {1, 3, 0, 0xFFFFFFFF}};
	EbModbusRequest request = {.unit = 77};
	uint8_t want[8];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!eb_modbus_read(bad[i][0], bad[i][1], bad[i][2], bad[i][3], &request));
	CHECK_INT(request.unit, 77);
	CHECK(eb_modbus_read(1, EB_MODBUS_HOLDING, 0x000C, 2, &request));
	from_hex(ASK, want, sizeof(want));
	CHECK_INT(request.length, 8);
	CHECK_MEM(request.bytes, want, 8);
	CHECK_INT(eb_modbus_reply_length(&request), 9);
	CHECK(eb_modbus_read(247, EB_MODBUS_INPUT, 65535, 1, &request));
	CHECK(eb_modbus_read(1, EB_MODBUS_INPUT, 65411, 125, &request));
}

static void
check_match(const EbModbusRequest *request, const char *hex, EbMatch want)
{
	decode_crc(hex);
	CHECK_INT(got.n, 1);
	if (!CHECK_INT(eb_modbus_match(request, &got.frame[0]), want))
		printf("    %s\n", hex);
}

static void
check_matches(void)
{
	EbModbusRequest request;

	eb_modbus_read(1, EB_MODBUS_HOLDING, 0x000C, 2, &request);
	check_match(&request, "01 03 04 42 C8 00 00", EB_MATCH_ANSWER);
	check_match(&request, "01 03 00 0C 00 02", EB_MATCH_ECHO);
	check_match(&request, "01 83 06", EB_MATCH_EXCEPTION);
	check_match(&request, "02 03 04 42 C8 00 00", EB_MATCH_FOREIGN);
	check_match(&request, "01 04 04 42 C8 00 00", EB_MATCH_FOREIGN);
	check_match(&request, "01 03 02 42 C8", EB_MATCH_FOREIGN);
	check_match(&request, "01 03 06 42 C8 00 00 00 00", EB_MATCH_FOREIGN);
	check_match(&request, "02 83 06", EB_MATCH_FOREIGN);
	check_match(&request, "01 84 06", EB_MATCH_FOREIGN);
	check_match(&request, "01 10 00 01 00 02", EB_MATCH_FOREIGN);
	decode_hex(&eb_dlt645_codec, "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16",
			   &got);
	CHECK_INT(eb_modbus_match(&request, &got.frame[0]), EB_MATCH_FOREIGN);
}

/* What a line without end may bring. Quadratic work would take hours here, linear takes seconds. */
static void
check_floods(void)
{
	static const char *const pattern[] = {"01", "00", "01 03", "01 03 FA", "FF", "01 10 FF", REPLY};
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
			decode_by(&eb_modbus_codec, bytes, n, chunk, &got);
			CHECK_INT(got.n, period == 9 ? n / 9 : 0);
			CHECK_INT(got.reader.fed, n);
			CHECK_INT(got.reader.skipped, n - 9 * (size_t) got.n);
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
	check_longest();
	check_resync();
	check_damage();
	check_requests();
	check_matches();
	check_floods();
	return check_done("modbus");
}
