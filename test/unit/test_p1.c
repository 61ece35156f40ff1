/*
 * test_p1.c -- DSMR P1 telegrams: what is taken with and without a CRC, and what is refused
 */
#include "codec/p1.h"
#include "damage.h"

#define BODY "/XXX5elecbill\r\n\r\n1-0:1.8.0(000012.500*kWh)\r\n"
#define GOOD BODY "!1166\r\n"
#define PLAIN BODY "!\r\n"

static Decoded got;

static void
decode_text(const char *text)
{
	decode(&eb_p1_codec, (const uint8_t *) text, strlen(text), &got);
}

/* Another way to the CRC than that of base/crc.c: bit by bit over the reversed polynomial. */
static unsigned
arc(const char *text, size_t n)
{
	unsigned crc = 0;

	for (size_t i = 0; i < n; i++)
	{
		crc ^= (uint8_t) text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
	}
	return crc;
}

/* A telegram of this text up to "!", its CRC with as many digits as it needs, at least digits. */
static void
sign(const char *text, int digits, char *out, size_t size)
{
	snprintf(out, size, "%s!", text);
	snprintf(out + strlen(text) + 1, size - strlen(text) - 1, "%0*X\r\n", digits,
			 arc(out, strlen(text) + 1));
}

static void
check_refused(const char *text, EbFrameError why)
{
	decode_text(text);
	CHECK_INT(got.n, 0);
	if (!CHECK_INT(got.verdict, why))
		printf("    %s\n", text);
}

static void
check_good(void)
{
	char json[EB_FRAME_JSON_SIZE];

	decode_text(GOOD);
	CHECK_INT(got.verdict, EB_FRAME_OK);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].length, strlen(GOOD) - 2);
	CHECK(got.frame[0].checked && got.frame[0].from_meter && got.frame[0].p1.has_crc);
	CHECK(eb_frame_json(&got.frame[0], json, sizeof(json)) > 0);
	CHECK_STR(json, "{\"offset\":0,\"length\":49,\"ident\":\"/XXX5elecbill\",\"has_crc\":true,"
					"\"items\":[{\"id\":\"1-0:1.8.0\",\"value\":\"12.500\",\"unit\":\"kWh\"}]}");
	/* The CRC is whole: nothing has to follow it. */
	decode_text(BODY "!1166");
	CHECK_INT(got.n, 1);
	decode_text("\r\nx" GOOD GOOD);
	CHECK_INT(got.n, 2);
	CHECK_INT(got.frame[1].offset, 3 + strlen(GOOD));
	check_refused("", EB_FRAME_NO_START);
	check_refused("1-0:1.8.0(000012.500*kWh)\r\n!1166\r\n", EB_FRAME_NO_START);
}

static void
check_crc(void)
{
	char text[256], telegram[300];
	bool short_crc = false;

	check_refused(BODY "!1167\r\n", EB_FRAME_CHECKSUM);
	check_refused(BODY "!116\r\n", EB_FRAME_CHECKSUM);
	check_refused(BODY "!0\r\n", EB_FRAME_CHECKSUM);
	check_refused(BODY "!FFFF", EB_FRAME_CHECKSUM);
	/* Line ends belong to the CRC. */
	check_refused("/XXX5elecbill\n\n1-0:1.8.0(000012.500*kWh)\n!1166\n", EB_FRAME_CHECKSUM);
	/* Some meters drop leading zeros, some write small letters. */
	for (int i = 0; i < 400; i++)
	{
		snprintf(text, sizeof(text), "/XXX5x\r\n\r\n1-0:1.8.0(%06d*kWh)\r\n", i);
		sign(text, 1, telegram, sizeof(telegram));
		decode_text(telegram);
		CHECK_INT(got.n, 1);
		short_crc = short_crc || strlen(telegram) < strlen(text) + 7;
		for (char *c = telegram + strlen(text); *c != '\0'; c++)
			*c = (char) (*c >= 'A' && *c <= 'F' ? *c + 32 : *c);
		decode_text(telegram);
		CHECK_INT(got.n, 1);
	}
	CHECK(short_crc);
	/* "!" that begins a line, but nothing ends it. */
	snprintf(text, sizeof(text), "/XXX5x\r\n\r\n!12 x\r\n!x\r\n!\t\r\n1.8.0(5*kWh)\r\n");
	sign(text, 4, telegram, sizeof(telegram));
	decode_text(telegram);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 1);
	CHECK_INT(got.frame[0].length, strlen(telegram) - 2);
}

static void
check_plain(void)
{
	decode_text(PLAIN);
	CHECK_INT(got.verdict, EB_FRAME_OK);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].length, strlen(PLAIN) - 2);
	CHECK(!got.frame[0].checked && !got.frame[0].p1.has_crc);
	decode_text("/XXX5x\n1.8.0(5*kWh)\n!\n");
	CHECK_INT(got.n, 1);

	/* "!" anywhere, or without a line end, is none. */
	check_refused(BODY "!", EB_FRAME_TRUNCATED);
	check_refused(BODY "x!\r\n", EB_FRAME_TRUNCATED);
	check_refused(BODY " !\r\n", EB_FRAME_TRUNCATED);
	check_refused(BODY "!x\r\n", EB_FRAME_TRUNCATED);
	check_refused(BODY "!116", EB_FRAME_TRUNCATED);
	check_refused("/XXX5x", EB_FRAME_TRUNCATED);
	check_refused("/", EB_FRAME_TRUNCATED);
	/* The identification has to look like one. */
	check_refused("/XX5x\r\n1.8.0(5*kWh)\r\n!\r\n", EB_FRAME_STRUCTURE);
	check_refused("/\r\n1.8.0(5*kWh)\r\n!\r\n", EB_FRAME_STRUCTURE);
	check_refused("/8.1(5*kWh)\r\n1.8.0(5*kWh)\r\n!\r\n", EB_FRAME_STRUCTURE);
	/* A telegram that lost its end does not take the values of the next. */
	decode_text("/XXX5a\r\n\r\n1.8.1(1*kWh)\r\n1.8.2(00/XXX5a\r\n\r\n1.8.1(3*kWh)\r\n!\r\n");
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 32);
	CHECK_INT(got.frame[0].nitems, 1);
	CHECK_INT(got.reader.first_error, EB_FRAME_STRUCTURE);
	decode_text("/XXX5a\r\n\r\n1.8.1(1*kWh)\r\n/XXX5a\r\n\r\n1.8.1(3*kWh)\r\n!\r\n");
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, 24);
}

/* A port that once sent a good CRC is believed nothing without one, also after a silence. */
static void
check_port(void)
{
	const uint8_t *bytes = (const uint8_t *) PLAIN;
	size_t n = strlen(PLAIN);

	decode_text(GOOD PLAIN GOOD);
	CHECK_INT(got.n, 2);
	CHECK_INT(got.reader.refused[EB_FRAME_CHECKSUM], 1);
	CHECK(!eb_frame_feed(&got.reader, &bytes, &n, &got.frame[0]));
	CHECK_INT(got.reader.refused[EB_FRAME_CHECKSUM], 2);
	decode_text(PLAIN GOOD);
	CHECK_INT(got.n, 2);
	decode_text(BODY "!1167\r\n" PLAIN);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].offset, strlen(GOOD));
}

/* Bytes of a hostile or broken meter. */
static void
check_bytes(void)
{
	char text[300], telegram[320];

	for (unsigned byte = 0; byte < 256; byte++)
	{
		size_t n;

		memcpy(text, BODY "x(aXb)\r\n", strlen(BODY) + 9);
		text[strlen(BODY) + 3] = (char) byte;
		n = strlen(BODY) + 8;
		memcpy(telegram, text, n);
		telegram[n] = '!';
		snprintf(telegram + n + 1, 12, "%04X\r\n", arc(telegram, n + 1));
		decode(&eb_p1_codec, (const uint8_t *) telegram, n + 7, &got);
		if ((byte < 0x20 && strchr("\t\r\n", (int) byte) == NULL) || byte == 0 || byte == 0x7F)
			CHECK_INT(got.verdict, EB_FRAME_CONTROL_BYTE);
		else
			CHECK_INT(got.verdict, EB_FRAME_OK);
	}
	check_refused("/XXX\0015\r\n!\r\n", EB_FRAME_CONTROL_BYTE);
	/* Quotes and letters beyond ASCII reach the JSON escaped. */
	sign("/XXX5\"\\\r\n\r\nx(\xB5\"'\\*m\xB3)\r\n", 4, telegram, sizeof(telegram));
	decode_text(telegram);
	CHECK_INT(got.n, 1);
	CHECK(eb_frame_json(&got.frame[0], text, sizeof(text)) > 0);
	CHECK(strstr(text, "\"ident\":\"/XXX5\\\"\\\\\"") != NULL);
	CHECK(strstr(text, "\"value\":\"\\u00b5\\\"'\\\\\",\"unit\":\"m\\u00b3\"") != NULL);
}

static void
check_long(void)
{
	static char text[2 * EB_FRAME_MAX_LENGTH];
	size_t n = strlen(BODY);

	/* The last byte that counts is the 8192nd. */
	memset(text, 'x', sizeof(text));
	memcpy(text, BODY, n);
	memcpy(text + EB_FRAME_MAX_LENGTH - 7, "\r\n!", 3);
	snprintf(text + EB_FRAME_MAX_LENGTH - 4, 8, "%04X\r\n", arc(text, EB_FRAME_MAX_LENGTH - 4));
	decode_text(text);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].length, EB_FRAME_MAX_LENGTH);
	memset(text + EB_FRAME_MAX_LENGTH - 7, 'x', 8);
	memcpy(text + EB_FRAME_MAX_LENGTH - 6, "\r\n!", 3);
	snprintf(text + EB_FRAME_MAX_LENGTH - 3, 8, "%04X\r\n", arc(text, EB_FRAME_MAX_LENGTH - 3));
	check_refused(text, EB_FRAME_TOO_LONG);
	/* Nothing ends: judged when enough bytes are there. */
	memset(text, '\n', sizeof(text) - 1);
	memcpy(text, "/XXX5x", 6);
	text[sizeof(text) - 1] = '\0';
	check_refused(text, EB_FRAME_TOO_LONG);
	memset(text, 'x', 200);
	text[0] = '/';
	check_refused(text, EB_FRAME_STRUCTURE);
	/* The longest JSON: bytes that are escaped, and the most items. */
	memset(text, 0xFF, sizeof(text));
	memcpy(text, "/XXX5x\r\n", 8);
	for (size_t i = 0; i < EB_FRAME_MAX_ITEMS; i++)
		memcpy(text + 8 + i * 14, "\xFF(\xFF\xFF)(\xFF\xFF\xFF*\xFF\xFF)\n", 14);
	memcpy(text + 8 + EB_FRAME_MAX_ITEMS * 14, "!\r\n", 4);
	decode_text(text);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, EB_FRAME_MAX_ITEMS);
	memset(text, 0xFF, sizeof(text));
	memcpy(text, "/XXX5x\r\n\xFF(", 10);
	memcpy(text + EB_FRAME_MAX_LENGTH - 8, ")\r\n!\r\n", 7);
	decode_text(text);
	CHECK_INT(got.n, 1);
	/* More items than a frame may have. */
	n = (size_t) snprintf(text, sizeof(text), "/XXX5x\r\n");
	for (int i = 0; i <= EB_FRAME_MAX_ITEMS; i++)
		n += (size_t) snprintf(text + n, sizeof(text) - n, "a(1)\r\n");
	snprintf(text + n, sizeof(text) - n, "!\r\n");
	check_refused(text, EB_FRAME_TOO_LONG);
}

static void
check_instant(const char *text, int32_t offset_s, int64_t want_s)
{
	int64_t at_us = -1;

	if (CHECK(eb_p1_instant(text, offset_s, &at_us)))
		CHECK_INT(at_us, want_s * 1000000);
	else
		printf("    %s\n", text);
}

static void
check_instants(void)
{
	static const char *const bad[] = {"",
									  "161129200000",
									  "161129200000X",
									  "161129200000w",
									  "161129200000W ",
									  "161329200000W",
									  "160029200000W",
									  "160229240000W",
									  "160230000000W",
									  "150229000000W",
									  "160200000000W",
									  "160201006000W",
									  "160201000060W",
									  "1602010000W",
									  "16020100000:W"};
	int64_t at_us;

	check_instant("000101000000W", 0, 0);
	/* 2016-11-29 20:00:00 +01:00 is 19:00 UTC, 6177 days after 2000-01-01. */
	check_instant("161129200000W", 3600, INT64_C(6177) * 86400 + 19 * 3600);
	/* The hour that comes twice: 02:30 summer is an hour before 02:30 winter. */
	check_instant("161030023000S", 3600, INT64_C(6147) * 86400 + 30 * 60);
	check_instant("161030023000W", 3600, INT64_C(6147) * 86400 + 90 * 60);
	check_instant("160229235959W", 7200, INT64_C(5903) * 86400 + 22 * 3600 - 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK(!eb_p1_instant(bad[i], 0, &at_us)))
			printf("    %s\n", bad[i]);
}

int
main(void)
{
	check_good();
	check_crc();
	check_plain();
	check_port();
	check_bytes();
	check_long();
	check_instants();
	check_damage(&eb_p1_codec, (const uint8_t *) GOOD, strlen(GOOD), 8);
	check_damage(&eb_p1_codec, (const uint8_t *) GOOD GOOD, 2 * strlen(GOOD), 8);
	return check_done("p1");
}
