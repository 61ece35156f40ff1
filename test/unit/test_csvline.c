/*
 * test_csvline.c -- lines of printing meters: what is read, what is refused and why
 */
#include "frames.h"

static Decoded got;

static void
decode_text(const char *text)
{
	decode(&eb_csvline_codec, (const uint8_t *) text, strlen(text), &got);
}

/* One good line. */
static void
check_line(const char *text, const char *meter, const char *usage, const char *time)
{
	decode_text(text);
	CHECK_INT(got.verdict, EB_FRAME_OK);
	if (!CHECK_INT(got.n, 1))
		return;
	CHECK_STR(got.frame[0].address, meter);
	CHECK_INT(got.frame[0].offset, 0);
	CHECK_INT(got.frame[0].length, strlen(text));
	CHECK_INT(got.frame[0].nitems, 1);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].id), "usage");
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), usage);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].unit), "");
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].time), time);
	CHECK(!got.frame[0].items[0].absent);
	CHECK(got.frame[0].from_meter);
}

static void
check_refused(const char *text, EbFrameError why)
{
	decode_text(text);
	CHECK_INT(got.n, 0);
	if (!CHECK_INT(got.verdict, why))
		printf("    line: %s\n", text);
	CHECK_INT(got.reader.skipped, strlen(text));
}

static void
check_good_lines(void)
{
	check_line("METER001,1234.56\r\n", "METER001", "1234.56", "");
	check_line("12345,0.5\n", "12345", "0.5", "");
	check_line(" M1\t,\t 7 \r\n", "M1", "7", "");
	check_line("a_.:-Z,000000000000.000001\n", "a_.:-Z", "0.000001", "");
	check_line("M1,999999999999.999999\n", "M1", "999999999999.999999", "");
	check_line("M1,0\n", "M1", "0", "");
	check_line("M1,1.50\r\r\n", "M1", "1.50", "");
	/* A decimal comma reads as 1: only the second column counts. */
	check_line("M1,1,5\r\n", "M1", "1", "");
	check_line("M1,1,,,,x\r\n", "M1", "1", "");
	check_line("0123456789012345678901234567890123456789012345678901234567890123,1\n",
			   "0123456789012345678901234567890123456789012345678901234567890123", "1", "");
}

/* The third column counts when it is an instant, and is ignored otherwise. */
static void
check_times(void)
{
	static const char *const instant[] = {
		"2024-02-29T23:59:59Z",		"2000-02-29 00:00+08:00", "2024-01-31T00:00:00.123456-05:30",
		"2024-06-01T12:00:00.5+08", "9999-12-31T23:59:59Z",
	};
	static const char *const other[] = {
		"2023-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2024-13-01T00:00:00Z",
		"2024-00-01T00:00:00Z",
		"2024-04-31T00:00:00Z",
		"2024-01-00T00:00:00Z",
		"0000-01-01T00:00:00Z",
		"2024-01-01T24:00:00Z",
		"2024-01-01T00:60:00Z",
		"2024-01-01T00:00:60Z",
		"2024-01-01T00:00:00",
		"2024-01-01",
		"2024-01-01T00:00:00.Z",
		"2024-01-01T00:00:00.1234567Z",
		"2024-01-01T00:00:00+8",
		"2024-01-01T00:00:00+16:00",
		"2024-01-01T00:00:00+08:60",
		"2024-01-01T00:00:00+08:0",
		"2024-01-01T00:00:00+08:000",
		"2024-01-01T00:00:00ZZ",
		"20240101T000000Z",
		"2024-1-1T00:00:00Z",
		"5",
		"'; drop table reading; --",
		"2024-01-01T00:00",
	};
	char line[128];

	for (size_t i = 0; i < sizeof(instant) / sizeof(instant[0]); i++)
	{
		snprintf(line, sizeof(line), "M1,5, %s ,x\r\n", instant[i]);
		check_line(line, "M1", "5", instant[i]);
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
	{
		snprintf(line, sizeof(line), "M1,5,%s\n", other[i]);
		check_line(line, "M1", "5", "");
	}
}

static void
check_refusals(void)
{
	static const char *const usage[] = {
		"",		"-5",	"+5",  "1e3", "NaN",	   "Infinity",		"1.",  ".5",  "1..2",
		"1.5.", "0x10", "1 2", "abc", "1.2345678", "1234567890123", "1;5", "5kWh"};
	static const char *const meter[] = {"", " ", "M 1", "M/1", "M'1", "M\"1", "M\\1", "M$1"};
	char line[128];

	for (size_t i = 0; i < sizeof(usage) / sizeof(usage[0]); i++)
	{
		snprintf(line, sizeof(line), "M1,%s\r\n", usage[i]);
		check_refused(line, EB_FRAME_VALUE);
	}
	for (size_t i = 0; i < sizeof(meter) / sizeof(meter[0]); i++)
	{
		snprintf(line, sizeof(line), "%s,5\r\n", meter[i]);
		check_refused(line, EB_FRAME_STRUCTURE);
	}
	check_refused("01234567890123456789012345678901234567890123456789012345678901234,1\n",
				  EB_FRAME_STRUCTURE);
	check_refused("\n", EB_FRAME_STRUCTURE);
	check_refused("\r\n", EB_FRAME_STRUCTURE);
	check_refused("M1 5\n", EB_FRAME_STRUCTURE);
	check_refused("M1,5", EB_FRAME_TRUNCATED);
	check_refused("M1,5\r", EB_FRAME_TRUNCATED);
	check_refused("", EB_FRAME_NO_START);
}

/* Every byte in every column: TAB and LF have their meaning, other control bytes refuse the line. */
static void
check_control_bytes(void)
{
	for (unsigned byte = 0; byte < 256; byte++)
	{
		uint8_t line[] = {'M', '1', ',', '5', ',', 0, 'x', '\n'};

		line[5] = (uint8_t) byte;
		decode(&eb_csvline_codec, line, sizeof(line), &got);
		if ((byte >= 0x20 && byte <= 0x7E) || byte == '\t' || byte == '\n')
			CHECK_INT(got.verdict, EB_FRAME_OK);
		else
			CHECK_INT(got.verdict, EB_FRAME_CONTROL_BYTE);
		CHECK_INT(got.reader.refused[EB_FRAME_STRUCTURE], byte == '\n' ? 1 : 0);
	}
}

/* 256 bytes with the line end are a line, 257 are not, and the tail of a long line is none either. */
static void
check_long_lines(void)
{
	char text[1024];

	for (size_t n = 255; n <= 258; n++)
	{
		memset(text, ' ', sizeof(text));
		memcpy(text, "M1,5", 4);
		memcpy(text + n - 1, "\n", 2);
		if (n <= EB_CSVLINE_MAX_LINE)
			check_line(text, "M1", "5", "");
		else
			check_refused(text, EB_FRAME_TOO_LONG);
	}
	memset(text, 'x', 600);
	memcpy(text + 600, ",\nM2,6\n", 8);
	memcpy(text + 256, "M9,9", 4);
	decode_text(text);
	CHECK_INT(got.n, 1);
	CHECK_STR(got.frame[0].address, "M2");
	CHECK_INT(got.frame[0].offset, 602);
	CHECK_INT(got.reader.refused[EB_FRAME_TOO_LONG], 1);
	CHECK_INT(got.reader.skipped, 602);

	/* Whether a line is too long shows at its 257th byte, not before. */
	memset(text, 'x', 257);
	text[256] = '\0';
	check_refused(text, EB_FRAME_TRUNCATED);
	memcpy(text + 256, "x", 2);
	check_refused(text, EB_FRAME_TOO_LONG);
}

/* A bad line costs itself alone; silence ends a line, long or not. */
static void
check_streams(void)
{
	const uint8_t *bytes = (const uint8_t *) "M2,6\n";
	uint8_t noise[300];
	const uint8_t *at = noise;
	size_t n = sizeof(noise);

	decode_text("M1,5\nM1 ,x\n\nmeter one,5\r\nM2,6\r\nM3,7");
	CHECK_INT(got.n, 2);
	CHECK_STR(got.frame[0].address, "M1");
	CHECK_STR(got.frame[1].address, "M2");
	CHECK_INT(got.frame[1].offset, 25);
	CHECK_INT(got.verdict, EB_FRAME_OK);
	CHECK_INT(got.reader.refused[EB_FRAME_VALUE], 1);
	CHECK_INT(got.reader.refused[EB_FRAME_STRUCTURE], 2);
	CHECK_INT(got.reader.refused[EB_FRAME_TRUNCATED], 1);
	CHECK_INT(got.reader.first_error, EB_FRAME_VALUE);

	memset(noise, 'x', sizeof(noise));
	eb_frame_begin(&got.reader, &eb_csvline_codec, NULL);
	CHECK(!eb_frame_feed(&got.reader, &at, &n, &got.frame[0]));
	CHECK(!eb_frame_finish(&got.reader, &got.frame[0]));
	n = 5;
	CHECK(eb_frame_feed(&got.reader, &bytes, &n, &got.frame[0]));
	CHECK_STR(got.frame[0].address, "M2");
	CHECK_INT(got.frame[0].offset, 300);
	CHECK_MEM(got.frame[0].wire, "M2,6\n", 5);
}

int
main(void)
{
	check_good_lines();
	check_times();
	check_refusals();
	check_control_bytes();
	check_long_lines();
	check_streams();
	return check_done("csvline");
}
