/*
 * test_load_profile.c -- load profiles: bytes, what is refused of them, text, messages
 * The bytes and texts are written here by hand.
 */
#include <stdlib.h>

#include "kit_profile.h"
#include "rating/load_profile_bytes.h"
#include "rating/load_profile_wire.h"

/* 2025-02-28T16:00:00Z */
#define START_US INT64_C(794073600000000)

static EbStatus
size_of(const EbProfileDraft *draft, EbFault *fault)
{
	size_t size;

	return eb_profile_size(draft, &size, fault);
}

/* ---------------------------------------------------------------- bytes */

static void
the_bytes(void)
{
	static const uint8_t want[] = {
		1,	  1,	0,	  3,							/* format, width, import, both flags */
		0x00, 0x02, 0xd2, 0x34, 0xaa, 0xda, 0x80, 0x00, /* start */
		0,	  0,	3,	  0x84, 0,	  0,	0,	  5,	/* 900 s, 5 values */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* base -1 */
		122,  0,	0,	  1,	1,						/* offsets */
		2,												/* the second is missing */
		0,	  0,	0,	  2,	0,	  0,	0,	  2,	0, 0,
		0,	  0,	0,	  0,	0,	  1,	0,	  0,	0, 2, /* 2 x 0, 1 x 2, the rest 0 */
	};
	KitProfile made = kit_profile_of("import 2025-02-28T16:00:00Z/PT15M 121 - -1~2 0*2");
	uint8_t *wire = malloc(made.size);

	CHECK_INT(made.view.start_us, START_US);
	CHECK_INT(made.size, sizeof(want));
	memcpy(wire, made.bytes, made.size);
	eb_profile_to_wire(wire, made.size);
	CHECK_MEM(wire, want, sizeof(want));
	free(wire);
	kit_profile_free(&made);
}

/* The header, and for each width one value that needs it and one that does not */
static void
the_widths(void)
{
	static const struct
	{
		const char *values;
		int32_t width;
	} of[] = {
		{"", 0},
		{"-*9", 0},
		{"7*9", 0},
		{"0 255", 1},
		{"-55 200", 1},
		{"0 256", 2},
		{"1000 66535", 2},
		{"1000 66536", 4},
		{"-1 4294967294", 4},
		{"-1 4294967295", 8},
		{"-1000000000000000 1000000000000000", 8},
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
	{
		char text[120];
		KitProfile made;
		size_t bytes;

		snprintf(text, sizeof(text), "export 2025-02-28T16:00:00Z/P1D %s", of[i].values);
		made = kit_profile_of(text);
		bytes = (size_t) made.view.n * (size_t) of[i].width;
		CHECK_INT(made.view.width, of[i].width);
		CHECK_INT(made.size, EB_PROFILE_HEADER + bytes + (made.view.missing != NULL ? 2u : 0u));
		kit_profile_free(&made);
	}
}

/* A day of 96 values of two bytes takes at most 300 bytes of a row */
static void
a_day_is_small(void)
{
	KitProfile day = kit_profile_of("import 2025-02-28T16:00:00Z/PT15M 0*50 1500*46");

	CHECK_INT(day.size, EB_PROFILE_HEADER + 96 * 2);
	kit_profile_free(&day);
}

/* ---------------------------------------------------------------- what drafts are refused */

static void
drafts(void)
{
	EbProfileValue value[2] = {{120, 0, 0}, {130, 0, 0}};
	EbProfileDraft good = {START_US, 900, 2, EB_IMPORT_KWH, 0, value};
	EbProfileDraft bad = good;
	EbFault fault;

	CHECK_INT(size_of(&good, &fault), EB_OK);
	bad.step_s = 420;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	CHECK_STR(fault.detail, "The step is 420 s.");
	bad.step_s = 0;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	bad.step_s = -900;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	bad.step_s = 172800;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	bad = good;
	bad.start_us++;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	CHECK_STR(fault.message, "load profile must start at a whole second");
	bad.start_us = EB_PROFILE_FROM_US - EB_SECOND_US;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	CHECK_STR(fault.message, "load profile must lie between 1900 and 2200");
	bad.start_us = EB_PROFILE_TO_US - 2 * 900 * EB_SECOND_US;
	CHECK_INT(size_of(&bad, &fault), EB_OK);
	bad.start_us += EB_SECOND_US;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	bad.start_us = INT64_MIN;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	bad = good;
	bad.channel = EB_NCHANNELS;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	bad.channel = -1;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	bad = good;
	bad.n = EB_PROFILE_MOST_VALUES + 1;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
	bad.n = -1;
	CHECK_INT(size_of(&bad, &fault), EB_BAD_ARGUMENT);
}

static void
values(void)
{
	EbProfileValue value[2] = {{120, 0, 0}, {EB_PROFILE_MOST_WH, 0, 0}};
	EbProfileDraft draft = {START_US, 900, 2, EB_IMPORT_KWH, 0, value};
	EbFault fault;

	CHECK_INT(size_of(&draft, &fault), EB_OK);
	value[1].energy_wh++;
	CHECK_INT(size_of(&draft, &fault), EB_OUT_OF_RANGE);
	CHECK_STR(fault.detail, "Value 2 is 1000000000000001 Wh.");
	value[1].energy_wh = INT64_MIN;
	CHECK_INT(size_of(&draft, &fault), EB_OUT_OF_RANGE);
	value[1].missing = 1; /* then it is not looked at */
	CHECK_INT(size_of(&draft, &fault), EB_OK);
	value[1].quality = EB_PROFILE_SPAN;
	CHECK_INT(size_of(&draft, &fault), EB_BAD_ARGUMENT);
	CHECK_STR(fault.detail, "Value 2 is missing, its quality is 1024.");
	value[1].quality = -1;
	CHECK_INT(size_of(&draft, &fault), EB_BAD_ARGUMENT);
	CHECK_STR(fault.detail, "That of value 2 is -1.");
}

/* ---------------------------------------------------------------- what bytes are refused */

/* The change of one byte of a good profile that opens, but is another form of a content, or is not */
typedef struct Change
{
	size_t at;
	uint8_t byte;
	bool opens; /* every access is safe */
} Change;

static void
changed(const char *text, const Change *change, size_t n)
{
	KitProfile made = kit_profile_of(text);
	uint8_t *bytes = malloc(made.size);
	EbProfile view;
	EbFault fault;

	for (size_t i = 0; i < n; i++)
	{
		memcpy(bytes, made.bytes, made.size);
		CHECK(bytes[change[i].at] != change[i].byte);
		bytes[change[i].at] = change[i].byte;
		if (!CHECK_INT(eb_profile_open(bytes, made.size, &view, &fault) == EB_OK, change[i].opens))
			printf("    byte %zu: %s\n", change[i].at, fault.detail);
		if (!CHECK_INT(eb_profile_check(bytes, made.size, &view, &fault), EB_BAD_ARGUMENT))
			printf("    byte %zu is %d\n", change[i].at, change[i].byte);
	}
	free(bytes);
	kit_profile_free(&made);
}

/* The places of bytes are those of a machine that stores the lowest byte of a number first. */
static void
bytes(void)
{
	static const Change of[] = {
		{0, 2, false},	   {1, 3, false},	  {1, 9, false},	 /* format, width */
		{1, 0, false},	   {1, 2, false},						 /* sizes do not add up */
		{2, 4, false},	   {2, 255, false},						 /* channel */
		{3, 7, false},	   {3, 1, false},	  {3, 2, false},	 /* flags */
		{4, 1, true},	   {11, 0x80, false},					 /* start: no whole second */
		{12, 7, true},	   {15, 0x80, false},					 /* step: does not divide the day */
		{16, 6, false},	   {19, 0x80, false}, {19, 1, false},	 /* n */
		{27, 0x80, false},										 /* base */
		{30, 1, true},											 /* no offset is 0: not the least */
		{29, 5, true},											 /* what is missing has no value */
		{33, 0, true},											 /* nothing is missing */
		{33, 0x22, true},										 /* a spare bit */
		{34, 1, false},	   {34, 3, false},	  {37, 0x80, false}, /* number of runs */
		{38, 0, false},	   {41, 0x80, false},					 /* count of a run */
		{38, 200, false},  {42, 2, true},						 /* as its neighbour */
		{45, 0x80, false},										 /* quality below 0 */
		{50, 0, true},											 /* as the one before it */
	};
	static const Change last_quality = {38, 0, true};
	static const Change missing_span = {51, 4, true};

	changed("import 2025-02-28T16:00:00Z/PT15M 3 - 0~2 1*2", of, sizeof(of) / sizeof(of[0]));
	changed("import 2025-02-28T16:00:00Z/PT15M 3~2 1", &last_quality, 1);
	changed("import 2025-02-28T16:00:00Z/PT15M 3 0 -~2 1*2", &missing_span, 1);
}

/* Width, base and range: each form opens and is not the one of its content */
static void
wide_bytes(void)
{
	EbProfileValue value[2] = {{0, 0, 0}, {300, 0, 0}};
	EbProfileDraft draft = {START_US, 900, 2, EB_IMPORT_KWH, 0, value};
	KitProfile made = kit_profile(&draft);
	EbProfile view;
	EbFault fault;

	made.bytes[31] = 0; /* 300 = 0x12c; one byte would be enough */
	CHECK_INT(eb_profile_open(made.bytes, made.size, &view, &fault), EB_OK);
	CHECK_INT(eb_profile_check(made.bytes, made.size, &view, &fault), EB_BAD_ARGUMENT);
	kit_profile_free(&made);
	value[1].energy_wh = INT64_C(1) << 40;
	made = kit_profile(&draft);
	made.bytes[42] = 0x10; /* beyond 2e15 */
	CHECK_INT(eb_profile_open(made.bytes, made.size, &view, &fault), EB_BAD_ARGUMENT);
	CHECK_STR(fault.detail, "A value is out of range.");
	kit_profile_free(&made);
	value[0].energy_wh = EB_PROFILE_MOST_WH - 1;
	value[1].energy_wh = EB_PROFILE_MOST_WH;
	made = kit_profile(&draft);
	made.bytes[29] = 2;
	CHECK_INT(eb_profile_open(made.bytes, made.size, &view, &fault), EB_OK);
	CHECK_INT(eb_profile_check(made.bytes, made.size, &view, &fault), EB_BAD_ARGUMENT);
	kit_profile_free(&made);
}

/* Every length but the right one */
static void
cut_bytes(void)
{
	KitProfile made = kit_profile_of("import 2025-02-28T16:00:00Z/PT15M 3 - 0~2 700*30");
	EbProfile view;
	EbFault fault;

	for (size_t size = 0; size < made.size; size++)
	{
		uint8_t *cut = malloc(size + 1);

		memcpy(cut, made.bytes, size);
		CHECK_INT(eb_profile_open(cut, size, &view, &fault), EB_BAD_ARGUMENT);
		memcpy(cut, made.bytes, size);
		if (size >= EB_PROFILE_HEADER)
			eb_profile_to_wire(cut, size); /* of what is there, so that the header is in order */
		CHECK_INT(eb_profile_from_wire(cut, size, &view, &fault), EB_BAD_ARGUMENT);
		free(cut);
	}
	made.bytes = realloc(made.bytes, made.size + 1);
	made.bytes[made.size] = 0;
	CHECK_INT(eb_profile_open(made.bytes, made.size + 1, &view, &fault), EB_BAD_ARGUMENT);
	kit_profile_free(&made);
}

/* ---------------------------------------------------------------- text */

static void
same_text(const char *text, const char *want)
{
	KitProfile made = kit_profile_of(text);
	char *written = kit_profile_text(&made.view);

	CHECK_STR(written, want);
	free(written);
	kit_profile_free(&made);
}

static void
texts(void)
{
	static const char *const one[] = {
		"import 2025-02-28T16:00:00Z/PT15M 120 130 - 140~2 0*92",
		"export 1900-01-01T00:00:00Z/P1D",
		"import_kvarh 2199-12-31T23:59:59Z/PT1S -5",
		"export_kvarh 2000-01-01T00:00:00Z/PT1H30M -*3 -~7 -5~7*2 -1000000000000000",
		"import 2025-02-28T16:00:01Z/PT30S 1~2147483647 1",
		"import 2025-02-28T16:00:00Z/PT2M15S 0*1048576",
	};

	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++)
		same_text(one[i], one[i]);
}

static void
other_forms(void)
{
	static const char *const want = "import 2025-02-28T16:00:00Z/PT1H 5*3 0~1*2";

	same_text(" import\t2025-02-28T16:00:00Z/PT1H\n5\r\n5 5\v0~1\f0~1 ", want);
	same_text("import 2025-03-01T00:00:00+08:00/PT60M 5*2 05*1 -0~01*2", want);
	same_text("import 2025-02-28T16:00:00.000Z/PT3600S 5*3 0~1*2", want);
}

static void
bad_texts(void)
{
	static const struct
	{
		const char *text;
		const char *detail;
	} of[] = {
		{"", "There is no direction."},
		{"Import 2025-02-28T16:00:00Z/PT15M", "This is no direction: \"Import\"."},
		{"import", "There is no start with its step."},
		{"import 2025-02-28T16:00:00/PT15M",
		 "This is no start with its step: \"2025-02-28T16:00:00/PT15M\"."},
		{"import 2025-02-30T16:00:00Z/PT15M",
		 "This is no start with its step: \"2025-02-30T16:00:00Z/PT15M\"."},
		{"import 2025-02-28T16:00:00Z",
		 "This is no start with its step: \"2025-02-28T16:00:00Z\"."},
		{"import 2025-02-28T16:00:00Z/15M",
		 "This is no start with its step: \"2025-02-28T16:00:00Z/15M\"."},
		{"import 2025-02-28T16:00:00Z/PT15M 1.5", "This is no value: \"1.5\"."},
		{"import 2025-02-28T16:00:00Z/PT15M +1", "This is no value: \"+1\"."},
		{"import 2025-02-28T16:00:00Z/PT15M --", "This is no value: \"--\"."},
		{"import 2025-02-28T16:00:00Z/PT15M ~2", "This is no value: \"~2\"."},
		{"import 2025-02-28T16:00:00Z/PT15M 1~", "This is no value: \"1~\"."},
		{"import 2025-02-28T16:00:00Z/PT15M 1~-2", "This is no value: \"1~-2\"."},
		{"import 2025-02-28T16:00:00Z/PT15M 1~2147483648", "This is no value: \"1~2147483648\"."},
		{"import 2025-02-28T16:00:00Z/PT15M 1*0", "This is no value: \"1*0\"."},
		{"import 2025-02-28T16:00:00Z/PT15M 1*2~3", "This is no value: \"1*2~3\"."},
		{"import 2025-02-28T16:00:00Z/PT15M 1*1048577", "This is no value: \"1*1048577\"."},
		{"import 2025-02-28T16:00:00Z/PT15M 1 1*1048576", "At most 1048576 are allowed."},
		{"import 2025-02-28T16:00:00Z/PT15M 12345678901234567890123456789012345678901x",
		 "This is no value: \"1234567890123456789012345678901234567890...\"."},
		{"import 2025-02-28T16:00:00Z/PT15M 123456789012345678901234567890123456789\xC3\xA4",
		 "This is no value: \"123456789012345678901234567890123456789...\"."},
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
	{
		EbProfileDraft draft;
		EbFault fault = {.message = ""};

		CHECK_INT(eb_profile_parse(kit_profile_word(of[i].text), &draft, NULL, &fault),
				  EB_BAD_ARGUMENT);
		CHECK_STR(fault.detail, of[i].detail);
	}
}

/* Digits without end are a number that is too large, not another one. */
static void
long_numbers(void)
{
	static const char *const text =
		"import 2025-02-28T16:00:00Z/PT15M -18446744073709551616000000000000000000";
	EbProfileDraft draft;
	EbProfileValue value[1];
	EbFault fault;

	CHECK_INT(eb_profile_parse(kit_profile_word(text), &draft, value, &fault), EB_OUT_OF_RANGE);
	CHECK_STR(fault.detail, "It is written \"-18446744073709551616000000000000000000\".");
}

static void
steps(void)
{
	static const char *const bad[] = {"",
									  "P",
									  "PT",
									  "P1DT",
									  "P2D",
									  "PT0S",
									  "PT24H1S",
									  "PT15",
									  "15M",
									  "PT1M1H",
									  "PTM",
									  "PT1M1M",
									  "PT-1H",
									  "PT15m",
									  "PT1.5H",
									  "P1D ",
									  "PT99999999999999999999S"};
	char text[EB_STEP_TEXT];
	int32_t step_s;
	int good = 0;

	for (int32_t s = 1; s <= 86400; s++)
	{
		int len = eb_profile_step_text(s, text);

		good += len == (int) strlen(text) && len < EB_STEP_TEXT &&
				eb_profile_parse_step(kit_profile_word(text), &step_s) && step_s == s;
	}
	CHECK_INT(good, 86400);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!eb_profile_parse_step(kit_profile_word(bad[i]), &step_s));
	CHECK(eb_profile_parse_step(kit_profile_word("PT24H"), &step_s) && step_s == 86400);
}

static void
directions(void)
{
	for (int i = 0; i < EB_NCHANNELS; i++)
		CHECK_INT(eb_profile_channel(kit_profile_word(eb_profile_direction[i])), i);
	CHECK_INT(eb_profile_channel(kit_profile_word("import_kwh")), -1);
	CHECK_INT(eb_profile_channel(kit_profile_word("impor")), -1);
	CHECK_INT(eb_profile_channel(kit_profile_word("")), -1);
}

int
main(void)
{
	the_bytes();
	the_widths();
	a_day_is_small();
	drafts();
	values();
	bytes();
	wide_bytes();
	cut_bytes();
	texts();
	other_forms();
	bad_texts();
	long_numbers();
	steps();
	directions();
	return check_done("load_profile");
}
