/*
 * test_iec62056.c -- IEC 62056-21: finding frames, parity, checksums, asking and matching
 * Frames with a source are published ones; the others are made here.
 */
#include "codec/iec62056.h"
#include "damage.h"

/* pwitab/iec62056-21 issue 33. */
#define IDENT "/LGZ4\\2ZMD120APt.G03\r\n"

/* 1.8.0 = 12.5 kWh, BCC 7C. */
#define BLOCK "\x02" LINE "\r\n!\r\n\x03\x7C"
#define LINE "1.8.0(000012.5*kWh)"

/* Two lines alike, whose XOR is nothing. */
#define TWICE "1.8.0(1*kWh)\r\n1.8.0(1*kWh)\r"

#define ACK_9600 "\x06\x30\x35\x30\r\n"

static Decoded got;
static char json[EB_FRAME_JSON_SIZE];

static void
decode_n(const char *text, size_t n)
{
	decode(&eb_iec62056_codec, (const uint8_t *) text, n, &got);
}

static void
decode_text(const char *text)
{
	decode_n(text, strlen(text));
}

static void
check_json(const char *text, const char *want)
{
	decode_text(text);
	CHECK_INT(got.verdict, EB_FRAME_OK);
	if (!CHECK_INT(got.n, 1))
		return;
	CHECK(eb_frame_json(&got.frame[0], json, sizeof(json)) > 0);
	CHECK_STR(json, want);
}

static void
check_refused(const char *text, EbFrameError why)
{
	decode_text(text);
	CHECK_INT(got.n, 0);
	if (!CHECK_INT(got.verdict, why))
		printf("    %s\n", text);
}

/* Another way to even parity than that of the codec: by counting. Returns the length. */
static size_t
with_parity(const char *text, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
	{
		int ones = 0;

		for (int bit = 0; bit < 7; bit++)
			ones += text[i] >> bit & 1;
		out[i] = (char) (text[i] | (ones % 2) << 7);
	}
	return n;
}

static void
check_kinds(void)
{
	check_json("/?!\r\n", "{\"offset\":0,\"length\":5,\"kind\":\"request\",\"items\":[]}");
	check_json("x/?00012345!\r\n",
			   "{\"offset\":1,\"length\":13,\"kind\":\"request\",\"items\":[]}");
	check_json(ACK_9600, "{\"offset\":0,\"length\":6,\"kind\":\"ack\",\"baud_char\":\"5\","
						 "\"baud\":9600,\"mode\":\"0\",\"items\":[]}");
	check_json("\x06\x30\x58\x30\r\n",
			   "{\"offset\":0,\"length\":6,\"kind\":\"ack\","
			   "\"baud_char\":\"X\",\"baud\":null,\"mode\":\"0\",\"items\":[]}");
	check_json(IDENT,
			   "{\"offset\":0,\"length\":22,\"kind\":\"ident\",\"manufacturer\":\"LGZ\","
			   "\"ident\":\"\\\\2ZMD120APt.G03\",\"baud_char\":\"4\",\"baud\":4800,\"items\":[]}");
	check_json("/ABCx\n", "{\"offset\":0,\"length\":6,\"kind\":\"ident\",\"manufacturer\":\"ABC\","
						  "\"ident\":\"\",\"baud_char\":\"x\",\"baud\":null,\"items\":[]}");
	check_json(BLOCK, "{\"offset\":0,\"length\":27,\"kind\":\"data\",\"bcc\":\"7C\",\"items\":["
					  "{\"id\":\"1.8.0\",\"value\":\"12.5\",\"unit\":\"kWh\"}]}");
	check_json("/ABC5x\r\n" BLOCK,
			   "{\"offset\":0,\"length\":35,\"kind\":\"telegram\",\"manufacturer\":\"ABC\","
			   "\"ident\":\"x\",\"baud_char\":\"5\",\"baud\":9600,\"bcc\":\"7C\",\"items\":["
			   "{\"id\":\"1.8.0\",\"value\":\"12.5\",\"unit\":\"kWh\"}]}");
	check_json("/ABC x\r\n" LINE "\r\n!\r\n",
			   "{\"offset\":0,\"length\":30,\"kind\":\"telegram\",\"manufacturer\":\"ABC\","
			   "\"ident\":\"x\",\"baud_char\":\" \",\"baud\":null,\"bcc\":null,\"items\":["
			   "{\"id\":\"1.8.0\",\"value\":\"12.5\",\"unit\":\"kWh\"}]}");
	/* P0 with a text, as a meter asks for a password, and the end of a session. */
	check_json("\x01P0\x02(1234567)\x03\x50",
			   "{\"offset\":0,\"length\":15,\"kind\":\"command\",\"command\":\"P0\","
			   "\"text\":\"(1234567)\",\"bcc\":\"50\",\"items\":[]}");
	CHECK(got.frame[0].from_meter && got.frame[0].checked);
	check_json("\x01"
			   "B0\x03q",
			   "{\"offset\":0,\"length\":5,\"kind\":\"command\",\"command\":\"B0\","
			   "\"text\":\"\",\"bcc\":\"71\",\"items\":[]}");
}

/* What is in front, behind and between. */
static void
check_streams(void)
{
	decode_text("\x7F\x7F/?!\r\n" IDENT BLOCK "\x7F");
	CHECK_INT(got.n, 2);
	CHECK_INT(got.frame[0].offset, 2);
	CHECK(!got.frame[0].from_meter);
	CHECK_INT(got.frame[1].offset, 7);
	CHECK_INT(got.frame[1].iec62056.kind, EB_IEC_TELEGRAM);
	CHECK_INT(got.verdict, EB_FRAME_OK);

	/* An echo alone makes nothing valid. */
	decode_text("/?!\r\nx");
	CHECK_INT(got.n, 1);
	CHECK_INT(got.verdict, EB_FRAME_NO_START);

	/* A whole session with every echo. */
	decode_text("/?!\r\n" IDENT ACK_9600 BLOCK);
	CHECK_INT(got.n, 3);
	CHECK_INT(got.frame[1].iec62056.kind, EB_IEC_IDENT);
	CHECK_INT(got.frame[2].iec62056.kind, EB_IEC_DATA);
	CHECK_INT(got.reader.skipped, 6);
	decode_text(IDENT "/?!\r\n" IDENT);
	CHECK_INT(got.n, 3);

	/* Lines without a checksum end at "!", the line end, or the end of the input. */
	decode_text("/ABC5x\r\n\r\n" LINE "\r\n!");
	CHECK_INT(got.n, 1);
	CHECK(!got.frame[0].checked);
	CHECK_INT(got.frame[0].nitems, 1);
	decode_text("/ABC5x\r\na(1)\n!\n/ABC5x\r\nb(2)\n!\r\n");
	CHECK_INT(got.n, 2);
	CHECK_STR(eb_frame_get(&got.frame[1], got.frame[1].items[0].id), "b");
	decode_text("/ABC5x\r\na(!)\r\n!x\r\nb(2)\r\n!\r");
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 2);
	/* A telegram that lost its end does not take the values of the next. */
	decode_text("/ABC5x\r\na(1)\r\nb(/ABC5x\r\nb(3)\r\n!\r\n");
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 1);
	CHECK_INT(got.reader.first_error, EB_FRAME_STRUCTURE);
	/* Noise that begins a block does not swallow the real one. */
	decode_text("\x02ZZ" IDENT BLOCK BLOCK);
	CHECK_INT(got.n, 2);
	decode_text("/ABC5x\r\r\n" LINE "\r\r\n!\r\r\n");
	CHECK_INT(got.n, 1);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].iec62056.ident), "x");
	CHECK_INT(got.frame[0].nitems, 1);
	/* A line end that became STX: the lines behind it have a BCC that fits, and are no block. */
	decode_text("\x02" TWICE "\n!\r\n\x03%");
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 2);
	check_refused("\x02" TWICE "\x02!\r\n\x03%", EB_FRAME_STRUCTURE);
	check_refused("/ABC5x\r\n\x02" TWICE "\x02!\r\n\x03%", EB_FRAME_STRUCTURE);
	decode_text("\x02" TWICE "\x02!\r\n\x03%" BLOCK);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 1);
	/* An acknowledgement behind anything is an echo, also as the last. */
	decode_text(IDENT ACK_9600);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].iec62056.kind, EB_IEC_IDENT);
	/* A block that lost its ETX does not take the next one with it. */
	decode_text("\x02" LINE "\r\n!\r\n" BLOCK);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.reader.first_error, EB_FRAME_STRUCTURE);
}

static void
check_refusals(void)
{
	char text[64];

	check_refused("", EB_FRAME_NO_START);
	check_refused("1.8.0(5*kWh)\r\n!\r\n", EB_FRAME_NO_START);
	check_refused("/", EB_FRAME_TRUNCATED);
	check_refused("/?", EB_FRAME_TRUNCATED);
	check_refused("/?!\r", EB_FRAME_TRUNCATED);
	check_refused("/?!x", EB_FRAME_STRUCTURE);
	check_refused("/?a\tb!\r\n", EB_FRAME_STRUCTURE);
	check_refused("/?012345678901234567890123456789012!\r\n", EB_FRAME_STRUCTURE);
	check_refused("/ABC5x\r", EB_FRAME_TRUNCATED);
	check_refused("/ABC5x\r\nF.F(00)\r\n", EB_FRAME_TRUNCATED);
	check_refused("/ABC\r\n", EB_FRAME_STRUCTURE);
	check_refused("/AB15x\r\n", EB_FRAME_STRUCTURE);
	check_refused("/ABC5\rx\r\n", EB_FRAME_STRUCTURE);
	check_refused("/ABC5!\r\n", EB_FRAME_STRUCTURE);
	check_refused("/ABC5\tx\r\n", EB_FRAME_STRUCTURE);
	check_refused("/ABC5x\r\n\x04", EB_FRAME_STRUCTURE);
	check_refused("/ABC5x\r\na(1)\r\n\x04\r\n!\r\n", EB_FRAME_STRUCTURE);
	check_refused("/ABC5x\r\n\x06xx", EB_FRAME_TRUNCATED);
	check_refused("/ABC5x\r\n\x06xxxxx", EB_FRAME_STRUCTURE);
	check_refused("\x06\x30\x35", EB_FRAME_TRUNCATED);
	check_refused("\x06\x30\x35\x30x\n", EB_FRAME_NO_START);
	check_refused("\x02" LINE "\r\n!\r\n", EB_FRAME_TRUNCATED);
	check_refused("\x02" LINE "\r\n!\r\n\x03", EB_FRAME_TRUNCATED);
	check_refused("\x02" LINE "\r\n!\r\n\x03\x7D", EB_FRAME_CHECKSUM);
	check_refused("/ABC5x\r\n\x02" LINE "\r\n!\r\n\x03\x7D", EB_FRAME_CHECKSUM);
	/* A lost STX does not make a block without checksum of it. */
	check_refused("/ABC5x\r\n" LINE "\r\n!\r\n\x03\x7C", EB_FRAME_STRUCTURE);
	/* A good checksum over a byte that no text has. */
	check_refused("\x02"
				  "a(\x04)\x03g",
				  EB_FRAME_STRUCTURE);
	check_refused("\x01P0\x02(1\x02)\x03h", EB_FRAME_STRUCTURE);
	check_refused("\x01P\x03S", EB_FRAME_STRUCTURE);
	check_refused("\x01P\r\x03\x5E", EB_FRAME_STRUCTURE);
	/* Too many line ends between identification and data. */
	snprintf(text, sizeof(text), "/ABC5x\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\na(1)\r\n!\r\n");
	check_refused(text, EB_FRAME_STRUCTURE);
}

/* 7E1 received as 8N1: right, every single bit wrong, and a mixture. */
static void
check_parity(void)
{
	static const char telegram[] = "/ABC5x\r\n" BLOCK;
	static const char lines[] = "/ABC5x\r\n" LINE "\r\n!\r\n";
	char bytes[64];
	size_t n = with_parity(telegram, strlen(telegram), bytes);
	int other = 0;

	decode_n(bytes, n);
	CHECK_INT(got.n, 1);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), "12.5");
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].iec62056.manufacturer), "ABC");
	CHECK_INT(got.frame[0].iec62056.bcc, 0x7C);
	/* Behind the first three bytes nothing of a telegram with one wrong bit is used. */
	for (size_t bit = 8 * 4; bit < 8 * n; bit++)
	{
		bytes[bit / 8] = (char) (bytes[bit / 8] ^ 1 << bit % 8);
		decode_n(bytes, n);
		other += got.n;
		if (!CHECK_INT(got.verdict, EB_FRAME_PARITY))
			printf("    bit %zu\n", bit);
		bytes[bit / 8] = (char) (bytes[bit / 8] ^ 1 << bit % 8);
	}
	CHECK_INT(other, 0);
	bytes[5] ^= 1;
	bytes[6] ^= 1;
	decode_n(bytes, n);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].iec62056.kind, EB_IEC_DATA);
	CHECK_INT(got.reader.first_error, EB_FRAME_PARITY);

	n = with_parity(lines, strlen(lines), bytes);
	decode_n(bytes, n);
	CHECK_INT(got.n, 1);
	bytes[12] ^= 4;
	decode_n(bytes, n);
	CHECK_INT(got.verdict, EB_FRAME_PARITY);
	n = with_parity("/?!\r\n", 5, bytes);
	decode_n(bytes, n);
	CHECK_INT(got.n, 1);
	bytes[3] ^= 1;
	decode_n(bytes, n);
	CHECK_INT(got.verdict, EB_FRAME_PARITY);
	n = with_parity(ACK_9600, 6, bytes);
	decode_n(bytes, n);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].iec62056.baud, 9600);
	bytes[2] ^= 1;
	decode_n(bytes, n);
	CHECK_INT(got.verdict, EB_FRAME_PARITY);
	/* A byte with bit 7 among bytes without. */
	check_refused("\x02"
				  "a(\xB1)\x03\x52",
				  EB_FRAME_PARITY);
}

static void
check_long(void)
{
	static char text[EB_FRAME_MAX_LENGTH + 64];
	uint8_t bcc = 0;

	memset(text, 'x', sizeof(text));
	memcpy(text, "\x02" LINE "\r\n", 21);
	memcpy(text + EB_FRAME_MAX_LENGTH - 7, "\r\n!\r\n\x03", 6);
	for (size_t i = 1; i < EB_FRAME_MAX_LENGTH - 1; i++)
		bcc ^= (uint8_t) text[i];
	text[EB_FRAME_MAX_LENGTH - 1] = (char) bcc;
	decode_n(text, EB_FRAME_MAX_LENGTH);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].length, EB_FRAME_MAX_LENGTH);
	memmove(text + EB_FRAME_MAX_LENGTH - 6, "x\r\n!\r\n\x03\x04", 8);
	decode_n(text, EB_FRAME_MAX_LENGTH + 2);
	CHECK_INT(got.n, 0);
	CHECK_INT(got.verdict, EB_FRAME_TOO_LONG);
	memset(text, 'x', sizeof(text));
	memcpy(text, "/ABC5x\r\n", 8);
	decode_n(text, sizeof(text));
	CHECK_INT(got.verdict, EB_FRAME_TOO_LONG);
}

static void
check_requests(void)
{
	static const uint8_t bad[][6] = {
		{0x06, '0', '5', '1', '\r', '\n'},	{0x05, '0', '5', '0', '\r', '\n'},
		{0x06, '0', '5', '0', '\n', '\r'},	{0x06, ' ', '5', '0', '\r', '\n'},
		{0x06, '0', 0x7F, '0', '\r', '\n'}, {0x06, '0', '5', 0xB0, '\r', '\n'}};
	EbIec62056Request request;
	uint8_t six[EB_IEC62056_ACK_SIZE];

	CHECK(eb_iec62056_sign_on("", &request));
	CHECK_INT(request.length, 5);
	CHECK_MEM(request.bytes, "/?!\r\n", 5);
	CHECK(eb_iec62056_sign_on("Ab 0123456789012345678901234567Z", &request));
	CHECK_INT(request.length, EB_IEC62056_MAX_REQUEST);
	CHECK_MEM(request.bytes, "/?Ab 0123456789012345678901234567Z!\r\n", 37);
	CHECK(!eb_iec62056_sign_on("012345678901234567890123456789012", &request));
	CHECK(!eb_iec62056_sign_on("1!", &request));
	CHECK(!eb_iec62056_sign_on("1/", &request));
	CHECK(!eb_iec62056_sign_on("1\r\n", &request));
	CHECK(!eb_iec62056_sign_on("\xC4", &request));
	eb_iec62056_readout('5', six);
	CHECK_MEM(six, ACK_9600, 6);
	CHECK(eb_iec62056_ack(six, &request));
	CHECK_INT(request.length, 6);
	CHECK_MEM(request.bytes, ACK_9600, 6);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!eb_iec62056_ack(bad[i], &request));

	CHECK_INT(eb_iec62056_baud('0'), 300);
	CHECK_INT(eb_iec62056_baud('6'), 19200);
	CHECK_INT(eb_iec62056_baud('7'), -1);
	CHECK_INT(eb_iec62056_baud('A'), 600);
	CHECK_INT(eb_iec62056_baud('F'), 19200);
	CHECK_INT(eb_iec62056_baud('G'), -1);
	CHECK_INT(eb_iec62056_mode('4'), 'C');
	CHECK_INT(eb_iec62056_mode('C'), 'B');
	CHECK_INT(eb_iec62056_mode('\\'), 'A');
}

/* An identification is known to be complete only by silence. */
static void
check_waits(void)
{
	const char *steps[] = {"/", "?!\r\n", "/", "ABC5x", "\r", "\n", "\r\n", "a", "(1)\r\n!\r\n"};
	const int waits[] = {0, 0, 0, 0, 0, 1, 1, 0, 0};
	static EbFrameReader reader;
	const uint8_t *at = (const uint8_t *) IDENT;
	size_t n = strlen(IDENT);

	eb_frame_begin(&reader, &eb_iec62056_codec, NULL);
	CHECK(!eb_iec62056_waits(&reader));
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
	{
		const uint8_t *bytes = (const uint8_t *) steps[i];
		size_t left = strlen(steps[i]);

		while (eb_frame_feed(&reader, &bytes, &left, &got.frame[0]))
			continue;
		if (!CHECK_INT(eb_iec62056_waits(&reader), waits[i]))
			printf("    step %zu\n", i);
	}
	eb_frame_begin(&reader, &eb_iec62056_codec, NULL);
	CHECK(!eb_frame_feed(&reader, &at, &n, &got.frame[0]));
	CHECK(eb_iec62056_waits(&reader));
	CHECK(eb_frame_finish(&reader, &got.frame[0]));
	CHECK_INT(got.frame[0].iec62056.kind, EB_IEC_IDENT);
	CHECK(!eb_iec62056_waits(&reader));
	reader.codec = &eb_dlt645_codec;
	CHECK(!eb_iec62056_waits(&reader));
}

static void
check_match(const EbIec62056Request *request, const char *text, EbMatch want)
{
	decode_text(text);
	if (!CHECK(got.n > 0) || !CHECK_INT(eb_iec62056_match(request, &got.frame[got.n - 1]), want))
		printf("    %s\n", text);
}

static void
check_matches(void)
{
	EbIec62056Request sign_on, ack;
	uint8_t six[EB_IEC62056_ACK_SIZE];

	eb_iec62056_sign_on("", &sign_on);
	eb_iec62056_readout('5', six);
	eb_iec62056_ack(six, &ack);
	check_match(&sign_on, "/?!\r\n", EB_MATCH_ECHO);
	check_match(&sign_on, IDENT, EB_MATCH_ANSWER);
	check_match(&sign_on, IDENT BLOCK, EB_MATCH_ANSWER);
	check_match(&sign_on, BLOCK, EB_MATCH_FOREIGN);
	check_match(&ack, ACK_9600, EB_MATCH_ECHO);
	check_match(&ack, BLOCK, EB_MATCH_ANSWER);
	check_match(&ack, IDENT, EB_MATCH_FOREIGN);
	check_match(&ack, IDENT BLOCK, EB_MATCH_ANSWER);
	check_match(&ack, "\x01P0\x02(1234567)\x03\x50", EB_MATCH_EXCEPTION);
	check_match(&ack,
				"\x01"
				"B0\x03q",
				EB_MATCH_EXCEPTION);
	/* Another master asks for a value. */
	check_match(&ack,
				"\x01R1\x02"
				"1.8.0()\x03\x5A",
				EB_MATCH_ECHO);
	got.frame[0].codec = &eb_csvline_codec;
	CHECK_INT(eb_iec62056_match(&ack, &got.frame[0]), EB_MATCH_FOREIGN);
}

int
main(void)
{
	static const char telegram[] = IDENT BLOCK;
	char bytes[64];

	check_kinds();
	check_streams();
	check_refusals();
	check_parity();
	check_long();
	check_requests();
	check_waits();
	check_matches();
	check_damage(&eb_iec62056_codec, (const uint8_t *) BLOCK, strlen(BLOCK), 8);
	check_damage(&eb_iec62056_codec, (const uint8_t *) telegram, strlen(telegram), 8);
	check_damage(&eb_iec62056_codec, (const uint8_t *) bytes,
				 with_parity(telegram, strlen(telegram), bytes), 8);
	return check_done("iec62056");
}
