/*
 * test_sml.c -- SML files: transport, values, quirks; and the damage a file must not survive
 * The list entry of 1.8.1 is one of a published file (volkszaehler/vzlogger, EMH eHZ); the files
 * around it are made here.
 */
#include "codec/sml.h"
#include "damage.h"

/* 14796777.1 Wh of 1-0:1.8.1. */
#define ENTRY "77 07 01 00 01 08 01 FF 63 01 80 01 62 1E 52 FF 56 00 08 D1 CF 1B 01"

#define EMH_ID "09 30 32 32 38 30 38 31 36"
#define HOLLEY_ID "0B 0A 01 48 4C 59 02 00 01 59 BB" /* spacemanspiff2007/SmlLib issue 22 */
#define DZG_OLD_ID "0B 0A 01 44 5A 47 00 02 82 C0 B0"
#define DZG_NEW_ID "0B 0A 01 44 5A 47 00 03 93 87 00"

typedef enum Crc
{
	X25,
	KERMIT
} Crc;

typedef struct Bytes
{
	size_t n;
	uint8_t at[2048];
} Bytes;

static Decoded got;

/* Another way to the checks than that of base/crc.c: bit by bit. */
static unsigned
check_value(Crc crc, const uint8_t *bytes, size_t n)
{
	unsigned value = crc == X25 ? 0xFFFF : 0;

	for (size_t i = 0; i < n; i++)
	{
		value ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			value = value & 1 ? value >> 1 ^ 0x8408 : value >> 1;
	}
	return crc == X25 ? value ^ 0xFFFF : value;
}

static void
add_hex(Bytes *out, const char *hex)
{
	out->n += from_hex(hex, out->at + out->n, sizeof(out->at) - out->n);
}

/* The two bytes of a check as each kind of meter sends them. */
static void
add_check(Bytes *out, Crc crc, size_t from)
{
	unsigned value = check_value(crc, out->at + from, out->n - from);
	uint8_t low = (uint8_t) value, high = (uint8_t) (value >> 8);

	out->at[out->n++] = crc == X25 ? low : high;
	out->at[out->n++] = crc == X25 ? high : low;
}

/* One message: six elements, body is "72 tag content". */
static void
add_message(Bytes *out, Crc crc, const char *body)
{
	Bytes message = {0};
	unsigned value;

	add_hex(&message, "76 05 00 00 1A FA 62 00 62 00");
	add_hex(&message, body);
	value = check_value(crc, message.at, message.n);
	memcpy(out->at + out->n, message.at, message.n);
	out->n += message.n;
	out->at[out->n++] = 0x63;
	out->at[out->n++] = (uint8_t) (crc == X25 ? value : value >> 8);
	out->at[out->n++] = (uint8_t) (crc == X25 ? value >> 8 : value);
	out->at[out->n++] = 0;
}

/* The file of these messages: escapes, padding, check. */
static void
close_file(const Bytes *messages, Crc crc, Bytes *file)
{
	size_t run = 0, padding;

	file->n = 0;
	add_hex(file, "1B 1B 1B 1B 01 01 01 01");
	for (size_t i = 0; i < messages->n; i++)
	{
		file->at[file->n++] = messages->at[i];
		run = messages->at[i] == 0x1B ? run + 1 : 0;
		if (run == 4)
		{
			add_hex(file, "1B 1B 1B 1B");
			run = 0;
		}
	}
	padding = (4 - file->n % 4) % 4;
	for (size_t i = 0; i < padding; i++)
		file->at[file->n++] = 0;
	add_hex(file, "1B 1B 1B 1B 1A");
	file->at[file->n++] = (uint8_t) padding;
	add_check(file, crc, 0);
}

/* A file with one GetListResponse of n entries between an opening and a closing message. */
static void
make_file(Crc crc, const char *server, int n, const char *entries, Bytes *file)
{
	Bytes messages = {0};
	char body[4096];

	add_message(&messages, crc, "72 63 01 01 76 01 01 02 31 02 32 01 01");
	snprintf(body, sizeof(body), "72 63 07 01 77 01 %s 01 72 62 01 65 04 48 7D 89 7%d %s 01 01",
			 server, n, entries);
	add_message(&messages, crc, body);
	add_message(&messages, crc, "72 63 02 01 71 01");
	close_file(&messages, crc, file);
}

static void
decode_file(const EbCodec *codec, const Bytes *file)
{
	decode(codec, file->at, file->n, &got);
}

/* An entry 1-0:1.8.0 with these unit, scaler and value gives that value; NULL: no item. */
static void
check_value_of(const char *unit_scaler_value, const char *want)
{
	char entry[256];
	Bytes file;

	snprintf(entry, sizeof(entry), "77 07 01 00 01 08 00 FF 01 01 %s 01", unit_scaler_value);
	make_file(X25, EMH_ID, 1, entry, &file);
	decode_file(&eb_sml_codec, &file);
	CHECK_INT(got.n, 1);
	if (!CHECK_INT(got.frame[0].nitems, want != NULL))
		printf("    %s\n", unit_scaler_value);
	else if (want != NULL)
		CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), want);
}

static void
check_good(void)
{
	static char json[EB_FRAME_JSON_SIZE];
	Bytes file;
	size_t n;

	make_file(X25, EMH_ID, 1, ENTRY, &file);
	decode_file(&eb_sml_codec, &file);
	CHECK_INT(got.verdict, EB_FRAME_OK);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].length, file.n);
	CHECK_STR(got.frame[0].address, "3032323830383136");
	CHECK(got.frame[0].checked && got.frame[0].from_meter);
	CHECK(eb_frame_json(&got.frame[0], json, sizeof(json)) > 0);
	CHECK(strstr(json,
				 "\"server_id\":\"3032323830383136\",\"items\":["
				 "{\"id\":\"1-0:1.8.1*255\",\"value\":\"14796777.1\",\"unit\":\"Wh\"}]}") != NULL);
	decode_file(&eb_sml_quirks_codec, &file);
	CHECK_INT(got.n, 1);

	/* Two files, the first begun a second time in its middle. */
	n = file.n;
	memmove(file.at + 40, file.at, n);
	memcpy(file.at + 40 + n, file.at + 40, n);
	memcpy(file.at, file.at + 40, 40);
	file.n = 40 + 2 * n;
	decode_file(&eb_sml_codec, &file);
	CHECK_INT(got.n, 2);
	CHECK_INT(got.frame[0].offset, 40);
	CHECK_INT(got.frame[1].offset, 40 + n);
	CHECK_INT(got.reader.first_error, EB_FRAME_STRUCTURE);

	/* No list in it: a file without values. */
	make_file(X25, "01", 0, "", &file);
	decode_file(&eb_sml_codec, &file);
	CHECK_INT(got.n, 1);
	CHECK_STR(got.frame[0].address, "");
	CHECK(eb_frame_json(&got.frame[0], json, sizeof(json)) > 0);
	CHECK(strstr(json, "\"server_id\":null,\"items\":[]}") != NULL);
}

static void
check_values(void)
{
	check_value_of("62 1E 52 FF 56 00 08 D1 CF 1B", "14796777.1");
	check_value_of("62 1E 52 00 62 05", "5");
	check_value_of("62 1E 01 62 05", "5");
	check_value_of("62 1E 52 03 62 05", "5000");
	check_value_of("62 1E 52 03 62 00", "0");
	check_value_of("62 1E 52 FD 62 00", "0.000");
	check_value_of("62 1E 52 FD 62 05", "0.005");
	check_value_of("62 1E 52 FE 52 FF", "-0.01");
	check_value_of("62 1B 52 02 53 FF 38", "-20000");
	check_value_of("62 1B 52 FF 52 80", "-12.8");
	check_value_of("62 1B 52 FF 62 80", "12.8");
	check_value_of("62 1E 52 00 59 80 00 00 00 00 00 00 00", "-9223372036854775808");
	check_value_of("62 1E 52 00 69 FF FF FF FF FF FF FF FF", "18446744073709551615");
	check_value_of("62 1E 52 12 69 FF FF FF FF FF FF FF FF",
				   "18446744073709551615000000000000000000");
	check_value_of("62 1E 52 EE 59 80 00 00 00 00 00 00 00", "-9.223372036854775808");
	check_value_of("62 1E 53 FF FF 62 05", "0.5");
	/* Neither a number with a known unit nor octets. */
	check_value_of("01 01 62 05", NULL);
	check_value_of("62 08 52 00 62 05", NULL);
	check_value_of("62 1E 52 00 42 01", NULL);
	check_value_of("62 1E 52 00 01", NULL);
	check_value_of("62 1E 52 00 72 62 01 72 71 62 01 01", NULL);
	check_value_of("01 01 04 45 4D 48", "454D48");
}

/* The reader of values by itself: what it refuses, it does not move over. */
static void
check_reader(void)
{
	static const char *const bad[] = {"71",
									  "72 01",
									  "F1",
									  "81",
									  "02",
									  "00 51",
									  "51",
									  "61",
									  "41",
									  "43 01 01",
									  "12 01",
									  "22 01",
									  "32 01",
									  "81 01",
									  "F0 70 01",
									  "F0 80 80 80 01",
									  "8F 8F 8F 0F 01",
									  "6A 00 00 00 00 00 00 00 00 00"};
	uint8_t bytes[16];
	EbSmlReader reader = {bytes, 0, 0};
	EbSmlValue value;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		reader.n = from_hex(bad[i], bytes, sizeof(bytes));
		reader.at = bytes[0] == 0 ? 1 : 0;
		if (!CHECK(!eb_sml_next(&reader, &value)) || !CHECK_INT(reader.at, bytes[0] == 0 ? 1 : 0))
			printf("    %s\n", bad[i]);
	}
	reader.n = from_hex("72 62 05 F1 02 00", bytes, sizeof(bytes));
	reader.at = 0;
	CHECK(eb_sml_next(&reader, &value) && value.type == EB_SML_LIST && value.n == 2);
	CHECK_INT(reader.at, 1);
	CHECK(eb_sml_skip(&reader, 1));
	CHECK_INT(reader.at, 3);
	CHECK(!eb_sml_next(&reader, &value));
	CHECK_INT(reader.at, 3);
	reader.n = from_hex("72 71 71 01 01 00", bytes, sizeof(bytes));
	reader.at = 0;
	CHECK(eb_sml_skip(&reader, 2));
	CHECK_INT(reader.at, 6);
	CHECK(!eb_sml_skip(&reader, 1));
}

/* A good check over something that is no list of values. */
static void
check_refused(const char *unit_scaler_value, EbFrameError why)
{
	char entry[256];
	Bytes file;

	snprintf(entry, sizeof(entry), "77 07 01 00 01 08 00 FF 01 01 %s 01", unit_scaler_value);
	make_file(X25, EMH_ID, 1, entry, &file);
	decode_file(&eb_sml_codec, &file);
	CHECK_INT(got.n, 0);
	if (!CHECK_INT(got.verdict, why))
		printf("    %s\n", unit_scaler_value);
}

static void
check_refusals(void)
{
	static const char *const bodies[] = {
		"",
		"01",
		"62 05",
		"71 01",
		"73 63 07 01 01 01",
		"72 01 01",
		"72 63 07 01 01",
		"72 63 07 01 76 01 " EMH_ID " 01 01 71 " ENTRY " 01",
		"72 63 07 01 77 01 62 05 01 01 71 " ENTRY " 01 01",
		"72 63 07 01 77 01 " EMH_ID " 01 01 62 05 01 01",
		"72 63 07 01 77 01 " EMH_ID " 01 01 72 " ENTRY " 01 01",
		"72 63 07 01 77 01 " EMH_ID " 01 01 7F " ENTRY " 01 01",
		"72 63 07 01 77 01 " EMH_ID " 01 01 71 62 05 01 01",
		("72 63 07 01 77 01 82 02 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38 39 "
		 "30 31 32 33 34 35 36 37 38 39 30 31 32 01 01 70 01 01"),
	};
	Bytes messages, file;

	check_refused("62 1E 52 13 62 05", EB_FRAME_VALUE);
	check_refused("62 1E 52 ED 62 05", EB_FRAME_VALUE);
	check_refused("62 1E 02 30 62 05", EB_FRAME_VALUE);
	check_refused("62 1E 52 00 5A 00 00 00 00 00 00 00 00 05", EB_FRAME_STRUCTURE);
	check_refused("62 1E 52 00 51", EB_FRAME_STRUCTURE);
	check_refused("62 1E 52 00 41", EB_FRAME_STRUCTURE);
	check_refused("62 1E 52 00 22 05", EB_FRAME_STRUCTURE);
	check_refused("62 1E 52 00 8F 0F 05", EB_FRAME_STRUCTURE);
	check_refused("71 01 52 00 62 05", EB_FRAME_STRUCTURE);
	check_refused("62 1E 52 00 F0 80 80 80 00", EB_FRAME_STRUCTURE);
	check_refused("62 1E 52 00 82 12 00", EB_FRAME_STRUCTURE);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
	{
		messages.n = 0;
		add_message(&messages, X25, bodies[i]);
		close_file(&messages, X25, &file);
		decode_file(&eb_sml_codec, &file);
		CHECK_INT(got.n, 0);
		if (!CHECK_INT(got.verdict, EB_FRAME_STRUCTURE))
			printf("    %s\n", bodies[i]);
	}
	/* Lists in lists, to no end. */
	messages.n = 0;
	while (messages.n < 1500)
		add_hex(&messages, "71");
	close_file(&messages, X25, &file);
	decode_file(&eb_sml_codec, &file);
	CHECK_INT(got.verdict, EB_FRAME_STRUCTURE);
}

/* Octets with that many escape bytes among them come back as they were sent. */
static void
check_escapes(int run)
{
	char entry[256], want[128] = "31";
	size_t n;
	Bytes file;

	n = (size_t) snprintf(entry, sizeof(entry), "77 07 01 00 60 01 00 FF 01 01 01 01 %02X %02X 31",
						  0x80 | (run + 4) >> 4, (run + 4) & 0x0F);
	for (int i = 0; i < run; i++)
	{
		n += (size_t) snprintf(entry + n, sizeof(entry) - n, " 1B");
		snprintf(want + 2 + 2 * i, sizeof(want) - 2 - 2 * (size_t) i, "1B");
	}
	snprintf(entry + n, sizeof(entry) - n, " 1A 01");
	snprintf(want + strlen(want), sizeof(want) - strlen(want), "1A");
	make_file(X25, EMH_ID, 1, entry, &file);
	decode_file(&eb_sml_codec, &file);
	CHECK_INT(got.n, 1);
	CHECK_INT(got.frame[0].nitems, 1);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), want);
}

/* Starts, ends and escapes. */
static void
check_transport(void)
{
	Bytes file, other;

	for (int run = 0; run <= 31; run++)
		check_escapes(run);
	make_file(X25, EMH_ID, 1, ENTRY, &file);
	for (size_t cut = 1; cut < file.n; cut++)
	{
		other = file;
		other.n = cut;
		decode_file(&eb_sml_codec, &other);
		CHECK_INT(got.n, 0);
		CHECK_INT(got.verdict, EB_FRAME_TRUNCATED);
	}
	other.n = 0;
	decode_file(&eb_sml_codec, &other);
	CHECK_INT(got.verdict, EB_FRAME_NO_START);
	add_hex(&other, "1B 1B 1B 1B 02 01 01 01 FF");
	decode_file(&eb_sml_codec, &other);
	CHECK_INT(got.verdict, EB_FRAME_NO_START);
	/* Another escape than the end's; more padding than there is; a run no value has. */
	other.n = 0;
	add_hex(&other, "1B 1B 1B 1B 01 01 01 01 1B 1B 1B 1B 02 00 00 00");
	decode_file(&eb_sml_codec, &other);
	CHECK_INT(got.verdict, EB_FRAME_STRUCTURE);
	other.n = 0;
	add_hex(&other, "1B 1B 1B 1B 01 01 01 01 1B 1B 1B 1B 1A 01");
	add_check(&other, X25, 0);
	decode_file(&eb_sml_codec, &other);
	CHECK_INT(got.verdict, EB_FRAME_STRUCTURE);
	other.n = 0;
	add_hex(&other, "1B 1B 1B 1B 01 01 01 01 00 00 00 00 1B 1B 1B 1B 1A 04");
	add_check(&other, X25, 0);
	decode_file(&eb_sml_codec, &other);
	CHECK_INT(got.verdict, EB_FRAME_STRUCTURE);
	other.n = 0;
	add_hex(&other, "1B 1B 1B 1B 01 01 01 01");
	memset(other.at + 8, 0x1B, 200);
	other.n = 208;
	decode_file(&eb_sml_codec, &other);
	CHECK_INT(got.verdict, EB_FRAME_STRUCTURE);
	file.at[file.n - 1] ^= 1;
	decode_file(&eb_sml_codec, &file);
	CHECK_INT(got.verdict, EB_FRAME_CHECKSUM);
}

/* No end within the longest frame. */
static void
check_long(void)
{
	static uint8_t bytes[EB_FRAME_MAX_LENGTH + 100];

	memset(bytes, 0x55, sizeof(bytes));
	from_hex("1B 1B 1B 1B 01 01 01 01", bytes, 8);
	decode(&eb_sml_codec, bytes, sizeof(bytes), &got);
	CHECK_INT(got.verdict, EB_FRAME_TOO_LONG);
	decode(&eb_sml_codec, bytes, EB_FRAME_MAX_LENGTH - 1, &got);
	CHECK_INT(got.verdict, EB_FRAME_TRUNCATED);
}

/* Off in "sml", by server id in "sml-quirks". */
static void
check_quirks(void)
{
	static const char power[] = "77 07 01 00 10 07 00 FF 01 01 62 1B 52 FE 53 80 25 01 ";
	static const char others[] = "77 07 01 00 10 07 00 FF 01 01 62 1B 52 FE 55 FF FE 13 93 01 "
								 "77 07 01 00 02 08 00 FF 01 01 62 1E 52 FE 53 80 25 01";
	char entries[256];
	Bytes file, messages = {0};

	make_file(KERMIT, HOLLEY_ID, 1, ENTRY, &file);
	decode_file(&eb_sml_codec, &file);
	CHECK_INT(got.verdict, EB_FRAME_CHECKSUM);
	decode_file(&eb_sml_quirks_codec, &file);
	CHECK_INT(got.n, 1);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), "14796777.1");
	check_damage(&eb_sml_quirks_codec, file.at, file.n, 8);
	/* Another maker's meter, and a file whose messages have another check. */
	make_file(KERMIT, EMH_ID, 1, ENTRY, &file);
	decode_file(&eb_sml_quirks_codec, &file);
	CHECK_INT(got.verdict, EB_FRAME_CHECKSUM);
	add_message(&messages, X25, "72 63 07 01 77 01 " HOLLEY_ID " 01 01 71 " ENTRY " 01 01");
	close_file(&messages, KERMIT, &file);
	decode_file(&eb_sml_quirks_codec, &file);
	CHECK_INT(got.verdict, EB_FRAME_CHECKSUM);
	make_file(X25, HOLLEY_ID, 1, ENTRY, &file);
	decode_file(&eb_sml_codec, &file);
	CHECK_INT(got.n, 1);
	decode_file(&eb_sml_quirks_codec, &file);
	CHECK_INT(got.n, 1);
	check_damage(&eb_sml_quirks_codec, file.at, file.n, 8);

	snprintf(entries, sizeof(entries), "%s%s", power, others);
	make_file(X25, DZG_OLD_ID, 3, entries, &file);
	decode_file(&eb_sml_codec, &file);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), "-327.31");
	decode_file(&eb_sml_quirks_codec, &file);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), "328.05");
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[1].value), "-1260.61");
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[2].value), "-327.31");
	make_file(X25, DZG_NEW_ID, 3, entries, &file);
	decode_file(&eb_sml_quirks_codec, &file);
	CHECK_STR(eb_frame_get(&got.frame[0], got.frame[0].items[0].value), "-327.31");
}

int
main(void)
{
	Bytes file;

	check_good();
	check_values();
	check_reader();
	check_refusals();
	check_transport();
	check_long();
	check_quirks();
	make_file(X25, EMH_ID, 1, ENTRY, &file);
	check_damage(&eb_sml_codec, file.at, file.n, 8);
	return check_done("sml");
}
