/*
 * test_obis.c -- lines id(value*unit), identification lines, and OBIS codes
 */
#include "check.h"
#include "codec/obis.h"

#include <stdlib.h>

static EbFrame frame;

static void
read_lines(const char *text)
{
	eb_frame_clear(&frame);
	eb_obis_lines(&frame, text, strlen(text));
}

static void
check_item(const char *text, const char *id, const char *value, const char *unit, const char *time)
{
	read_lines(text);
	if (!CHECK_INT(frame.nitems, 1))
	{
		printf("    %s\n", text);
		return;
	}
	CHECK_STR(eb_frame_get(&frame, frame.items[0].id), id);
	CHECK_STR(eb_frame_get(&frame, frame.items[0].value), value);
	CHECK_STR(eb_frame_get(&frame, frame.items[0].unit), unit);
	CHECK_STR(eb_frame_get(&frame, frame.items[0].time), time);
	CHECK(!frame.items[0].absent);
}

static void
check_no_items(void)
{
	static const char *const none[] = {
		"",
		"\r\n",
		"!",
		"1.8.0",
		"1.8.0(",
		"1.8.0)",
		"1.8.0(5*kWh",
		"1.8.0 (5*kWh)",
		"(5*kWh)",
		"a/b(5*kWh)",
		"a!b(5*kWh)",
		"1.8.0(5*kWh)x",
		"1.8.0(5*kWh) (6)",
		"1.8.0(1)(2)(3)",
		"1.8.0((5*kWh))",
		"1.8.0(5(6)*kWh)",
		"1.8.0(1)(5(6)*kWh)",
		"1.8.0(5)6)",
		"1.8.0(*kWh)",
		"1.8.0( *kWh)",
		"0-1:24.3.0(161107190000)(00)(60)(1)(0-1:24.2.1)(m3)",
		"0123456789012345678901234567890123456789012345678901234567890123(5)",
	};

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
	{
		read_lines(none[i]);
		if (!CHECK_INT(frame.nitems, 0))
			printf("    %s\n", none[i]);
	}
}

static void
check_lines(void)
{
	check_item("1.8.0(001846.0*kWh)\r\n", "1.8.0", "1846.0", "kWh", "");
	check_item("1-0:1.8.0*255(00052185.7825309*kWh)", "1-0:1.8.0*255", "52185.7825309", "kWh", "");
	check_item("F.F(00000000)\r\n", "F.F", "00000000", "", "");
	check_item("0.0.0( 20000)\n", "0.0.0", "20000", "", "");
	check_item(" \tC.1.0(\t1 2 )\t\r\r\n", "C.1.0", "1 2", "", "");
	check_item("0-0:96.13.1()", "0-0:96.13.1", "", "", "");
	check_item("0-1:24.2.1(161129200000W)(00981.443*m3)", "0-1:24.2.1", "981.443", "m3",
			   "161129200000W");
	check_item("1-0:1.7.0(-000.50*kW)", "1-0:1.7.0", "-0.50", "kW", "");
	check_item("1-0:1.7.0(-5*kW)", "1-0:1.7.0", "-5", "kW", "");
	check_item("1-0:1.7.0(0*kW)", "1-0:1.7.0", "0", "kW", "");
	check_item("1-0:1.7.0(-0*kW)", "1-0:1.7.0", "-0", "kW", "");
	check_item("x( 07 *V)", "x", "7", "V", "");
	check_item("x(5*)", "x", "5", "", "");
	check_item("x(5*a*b)", "x", "5", "a*b", "");
	/* No plain decimal: as it is. */
	check_item("x(.5*V)", "x", ".5", "V", "");
	check_item("x(5.*V)", "x", "5.", "V", "");
	check_item("x(05,5*V)", "x", "05,5", "V", "");
	check_item("x(+05*V)", "x", "+05", "V", "");
	check_item("x(0-5*V)", "x", "0-5", "V", "");
	check_item("x(01.2.3*V)", "x", "01.2.3", "V", "");
	check_item("x(-*V)", "x", "-", "V", "");
	check_item("x(0x10*V)", "x", "0x10", "V", "");
	check_item("x(01e3*V)", "x", "01e3", "V", "");
	check_item("012345678901234567890123456789012345678901234567890123456789012(5)",
			   "012345678901234567890123456789012345678901234567890123456789012", "5", "", "");
	/* A maximum and its moment, as IEC 62056-21 writes them. */
	check_item("1.6.1(000.12*kW)(24-03-15 12:15)", "1.6.1", "0.12", "kW", "24-03-15 12:15");
	check_item("1.6.1(1*kW)(2*kW)", "1.6.1", "2", "kW", "1*kW");
	check_item("x(1)(2)", "x", "2", "", "1");
	/* Several in a row; one that is broken takes the others with it. */
	read_lines("1.8.0(01*kWh)2.8.0(2*kWh)1.6.0(3*kW)(24-03-15)F.F(00)\r\n");
	CHECK_INT(frame.nitems, 4);
	CHECK_STR(eb_frame_get(&frame, frame.items[0].value), "1");
	CHECK_STR(eb_frame_get(&frame, frame.items[1].id), "2.8.0");
	CHECK_STR(eb_frame_get(&frame, frame.items[2].time), "24-03-15");
	CHECK_STR(eb_frame_get(&frame, frame.items[3].value), "00");
	read_lines("1.8.0(1*kWh)2.8.0(2*kWh");
	CHECK_INT(frame.nitems, 0);
	read_lines("a(1)\r\n\r\nb\r\nc(2)\nd(3");
	CHECK_INT(frame.nitems, 2);
	CHECK_STR(eb_frame_get(&frame, frame.items[1].id), "c");
}

/* Numbers written with zeros in front come back as printf writes them. */
static void
check_numbers(void)
{
	for (int i = 0; i < 2000; i++)
	{
		unsigned long whole = (unsigned long) rand() % 100000000,
					  part = (unsigned long) rand() % 1000;
		char line[64], want[32];

		snprintf(line, sizeof(line), "1.8.0(%0*lu.%03lu*kWh)", 8 + i % 5, whole, part);
		snprintf(want, sizeof(want), "%lu.%03lu", whole, part);
		check_item(line, "1.8.0", want, "kWh", "");
	}
}

static void
check_full(void)
{
	static char many[(EB_FRAME_MAX_ITEMS + 1) * 5 + 1];

	for (int i = 0; i <= EB_FRAME_MAX_ITEMS; i++)
		memcpy(many + 5 * i, "a(1)\n", 5);
	eb_frame_clear(&frame);
	eb_obis_lines(&frame, many, 5 * EB_FRAME_MAX_ITEMS);
	CHECK(!frame.full);
	CHECK_INT(frame.nitems, EB_FRAME_MAX_ITEMS);
	read_lines(many);
	CHECK(frame.full);
}

static void
check_head(const char *line, int want)
{
	if (!CHECK_INT(eb_obis_is_head((const uint8_t *) line, strlen(line)), want))
		printf("    %s\n", line);
}

static void
check_heads(void)
{
	const uint8_t with_parity[] = {0xAF, 'A', 'C', 0xC5, '0', 0x8D};

	check_head("/ISk5\\2MT382-1004\r", 1);
	check_head("/KAM5", 1);
	check_head("/KAM5\r\r", 1);
	check_head("/NWA-WARMTELINK", 1);
	check_head("/KAM", 0);
	check_head("/KAM\r", 0);
	check_head("KAM5x", 0);
	check_head("/8.0(1*kWh)", 0);
	check_head("/ABC(5)", 0);
	check_head("/AB15x", 0);
	check_head("/ABC5/x", 0);
	check_head("/ABC5!", 0);
	check_head("/ABC5\tx", 0);
	check_head("", 0);
	CHECK(eb_obis_is_head(with_parity, sizeof(with_parity)));
	CHECK(eb_obis_has_head((const uint8_t *) "1-0:1.8.1(0015/XMX5LGBB\r", 24));
	CHECK(eb_obis_has_head((const uint8_t *) "/a/XMX5LGBB", 11));
	CHECK(!eb_obis_has_head((const uint8_t *) "x(a/b)(5*V)", 11));
	CHECK(!eb_obis_has_head((const uint8_t *) "x(5*V)", 6));
	CHECK(!eb_obis_has_head((const uint8_t *) "", 0));
}

static void
check_obis(const char *id, int a, int b, int c, int d, int e, int f)
{
	EbObis got = {0, 0, 0, 0, 0, 0};
	const EbObis want = {a, b, c, d, e, f};

	if (!CHECK(eb_obis_parse(id, &got)) || !CHECK_MEM(&got, &want, sizeof(got)))
		printf("    %s\n", id);
}

static void
check_ids(void)
{
	static const char *const bad[] = {
		"",			 "1",			"1.",		   "1.8.",		  "1.8.0.",		"1.8.0*",
		"C.1.0",	 "F.F",			"256.8.0",	   "1.8.256",	  "1.8.0*256",	"1-0:1.8.0*2555",
		"1-0.1.8.0", "1:1.8.0",		"1-:1.8.0",	   "-0:1.8.0",	  "1.8.0 ",		" 1.8.0",
		"1.8.0*1*2", "1.8.0(5)",	"1-0:1",	   "1..0",		  "1.8.0000",	"0001.8.0",
		"+1.8.0",	 "1-0:1.8.0*x", "1-0:1.8.0**", "1-0:1-0:1.8", "1.8.0.255.1"};
	EbObis obis;

	check_obis("1.8", -1, -1, 1, 8, -1, -1);
	check_obis("1.8.0", -1, -1, 1, 8, 0, -1);
	check_obis("1.8.0*1", -1, -1, 1, 8, 0, 1);
	check_obis("1.8.0.255", -1, -1, 1, 8, 0, 255);
	check_obis("1.8.0&12", -1, -1, 1, 8, 0, 12);
	check_obis("1-0:1.8.0*255", 1, 0, 1, 8, 0, 255);
	check_obis("0-1:24.2.1", 0, 1, 24, 2, 1, -1);
	check_obis("1-0:99.97.0", 1, 0, 99, 97, 0, -1);
	check_obis("129-129:199.130.3*255", 129, 129, 199, 130, 3, 255);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK(!eb_obis_parse(bad[i], &obis)))
			printf("    %s\n", bad[i]);
}

static void
check_registers(void)
{
	static const char *const pair[][2] = {{"1.8.0", "1.8.0"},
										  {"2.8.1", "2.8.1"},
										  {"1-0:1.8.2", "1.8.2"},
										  {"1.8.0*255", "1.8.0"},
										  {"1-0:2.8.0*255", "2.8.0"},
										  {"1-0:1.8.63", "1.8.63"},
										  {"1.8.0*1", NULL},
										  {"1-0:1.8.0*101", NULL},
										  {"1-1:1.8.0", NULL},
										  {"0-0:1.8.0", NULL},
										  {"7-0:1.8.0", NULL},
										  {"3.8.0", NULL},
										  {"1.7.0", NULL},
										  {"1.9.0", NULL},
										  {"1.8", NULL},
										  {"C.8.0", NULL},
										  {"15.8.0", NULL}};

	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++)
	{
		char code[EB_OBIS_CODE_SIZE] = "";
		bool known = eb_obis_register(pair[i][0], code);

		CHECK_INT(known, pair[i][1] != NULL);
		CHECK_STR(code, pair[i][1] != NULL ? pair[i][1] : "");
	}
}

/* What eb_obis_text writes is read back, at the ends of every part. */
static void
check_text(void)
{
	const uint8_t largest[6] = {255, 255, 255, 255, 255, 255};
	const uint8_t total[6] = {1, 0, 1, 8, 0, 255};
	char text[EB_OBIS_TEXT_SIZE];

	eb_obis_text(largest, text);
	CHECK_STR(text, "255-255:255.255.255*255");
	CHECK_INT(strlen(text) + 1, EB_OBIS_TEXT_SIZE);
	check_obis(text, 255, 255, 255, 255, 255, 255);
	eb_obis_text(total, text);
	CHECK_STR(text, "1-0:1.8.0*255");
	CHECK_STR(eb_obis_unit(0x1E), "Wh");
	CHECK_STR(eb_obis_unit(0x1B), "W");
	CHECK_STR(eb_obis_unit(0x2C), "Hz");
	CHECK(eb_obis_unit(0x22) == NULL && eb_obis_unit(0) == NULL && eb_obis_unit(255) == NULL);
}

int
main(void)
{
	check_no_items();
	check_lines();
	check_numbers();
	check_full();
	check_heads();
	check_ids();
	check_registers();
	check_text();
	return check_done("obis");
}
