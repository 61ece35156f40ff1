/*
 * test_dlt698_data.c -- what APDUs of DL/T 698.45 say: types, arrays, units, dates, refusals
 * Values with a source are published ones; the others are made here.
 */
#include "frames.h"

#include "codec/dlt698.h"

#include <stdlib.h>

static EbFrame frame;

/* Reads an APDU as a meter's; its memory is of its own size, so a read beyond it shows. */
static EbFrameError
read_apdu(const char *hex)
{
	static uint8_t bytes[4096];
	size_t n = from_hex(hex, bytes, sizeof(bytes));
	uint8_t *apdu = malloc(n > 0 ? n : 1);
	EbFrameError error;

	memcpy(apdu, bytes, n);
	memset(&frame, 0, sizeof(frame));
	frame.dlt698.dar = frame.dlt698.piid = -1;
	eb_frame_clear(&frame);
	error = eb_dlt698_apdu(apdu, n, &frame);
	free(apdu);
	return error;
}

/* Item i; value NULL: absent. */
static void
check_item(int i, const char *id, const char *value, const char *unit)
{
	const EbFrameItem *item = &frame.items[i];

	if (!CHECK(i < frame.nitems))
		return;
	CHECK_STR(eb_frame_get(&frame, item->id), id);
	CHECK_STR(eb_frame_get(&frame, item->value), value != NULL ? value : "");
	CHECK_STR(eb_frame_get(&frame, item->unit), unit);
	CHECK_INT(item->absent, value == NULL);
}

/* One object with a value of its own, its reading as the only item. */
static void
check_value(const char *oad, const char *data, const char *value, const char *unit)
{
	char hex[400], id[16];
	unsigned b[4];

	snprintf(hex, sizeof(hex), "85 01 07 %s 01 %s 00 00", oad, data);
	CHECK_INT(read_apdu(hex), EB_FRAME_OK);
	sscanf(oad, "%x %x %x %x", &b[0], &b[1], &b[2], &b[3]);
	snprintf(id, sizeof(id), "%02X%02X%02X%02X", b[0], b[1], b[2], b[3]);
	CHECK_INT(frame.nitems, 1);
	check_item(0, id, value, unit);
	CHECK_INT(frame.dlt698.piid, 7);
	CHECK_INT(frame.dlt698.dar, -1);
}

static void
check_energies(void)
{
	check_value("00 10 02 01", "06 00 01 E2 40", "1234.56", "kWh");
	check_value("00 00 02 01", "05 FF FF FF FE", "-0.02", "kWh");
	check_value("00 00 02 01", "05 80 00 00 00", "-21474836.48", "kWh");
	check_value("00 20 02 01", "06 FF FF FF FF", "42949672.95", "kWh");
	check_value("00 10 04 01", "15 00 00 00 00 00 BC 61 4E", "1234.5678", "kWh");
	check_value("00 10 04 01", "14 FF FF FF FF FF FF FF FF", "-0.0001", "kWh");
	check_value("00 00 04 01", "14 80 00 00 00 00 00 00 00", "-922337203685477.5808", "kWh");
	check_value("00 10 04 01", "15 FF FF FF FF FF FF FF FF", "1844674407370955.1615", "kWh");
	check_value("00 13 02 01", "06 00 00 00 00", "0.00", "kWh");
	check_value("00 30 02 01", "05 00 00 00 05", "0.05", "kvarh");
	check_value("00 83 02 01", "06 00 00 00 05", "0.05", "kvarh");
	check_value("00 90 02 01", "06 00 00 00 05", "0.05", "kVAh");
	check_value("00 A0 02 01", "06 00 00 00 05", "0.05", "kVAh");
	check_value("00 10 02 01", "00", NULL, "kWh");
	/* Beyond the table: the number that was sent. */
	check_value("00 B0 02 01", "06 00 00 00 05", "5", "");
	check_value("00 14 02 01", "06 00 00 00 05", "5", "");
	check_value("00 10 03 01", "06 00 00 00 05", "5", "");
	check_value("20 00 02 01", "12 09 5A", "2394", "");
	/* The upper bits of the attribute choose a snapshot of it. */
	check_value("00 10 22 01", "06 00 01 E2 40", "1234.56", "kWh");
}

static void
check_types(void)
{
	check_value("20 01 02 01", "05 FF FF FC 18", "-1000", "");
	check_value("20 0A 02 01", "10 FC 18", "-1000", "");
	check_value("40 00 00 00", "0F 80", "-128", "");
	check_value("40 00 00 00", "11 FF", "255", "");
	check_value("40 00 00 00", "16 03", "3", "");
	check_value("40 00 00 00", "03 01", "1", "");
	check_value("40 01 02 00", "09 06 00 00 39 20 09 33", "000039200933", "");
	check_value("40 02 02 00", "09 00", NULL, "");
	check_value("20 14 02 01", "04 10 80 01", "8001", "");
	check_value("20 14 02 01", "04 09 80 80", "8080", "");
	check_value("43 00 03 00", "0A 04 56 31 2E 32", "V1.2", "");
	check_value("43 00 03 00", "0C 03 E7 94 B5", "E794B5", "");
	check_value("43 00 03 00", "09 81 02 01 02", "0102", "");
	check_value("43 00 03 00", "09 82 00 01 7F", "7F", "");
	check_value("40 00 00 00", "50 00 10", "0010", "");
	check_value("40 00 00 00", "51 00 10 02 01", "00100201", "");
	check_value("00 10 03 00", "59 FE 21", "FE21", "");
	check_value("43 00 03 00", "53 43 00 03 00", "43000300", "");
	check_value("43 00 03 00", "54 01 00 0F", "01000F", "");
	check_value("F2 01 02 00", "5F 06 02 08 01 00", "0602080100", "");
	/* A float32 is its shortest decimal (1234.567), NaN is absent; a float64 has no exact text. */
	check_value("20 00 02 01", "17 44 9A 52 25", "1234.567", "");
	check_value("20 00 02 01", "17 C2 C8 00 00", "-100", "");
	check_value("20 00 02 01", "17 7F C0 00 00", NULL, "");
	CHECK_INT(read_apdu("85 01 00 00 10 02 01 01 18 00 00 00 00 00 00 00 00 00 00"),
			  EB_FRAME_VALUE);
	CHECK_INT(read_apdu("85 01 00 00 10 02 01 01 5B 00 00"), EB_FRAME_VALUE);
	CHECK_INT(read_apdu("85 01 00 00 10 02 01 01 80 00 00"), EB_FRAME_VALUE);
}

/* Moments; an impossible one under a good check has been published, and is no value. */
static void
check_dates(void)
{
	check_value("40 00 02 00", "1C 07 E4 04 03 0F 02 0A", "2020-04-03 15:02:10", "");
	check_value("40 00 02 00", "1C 07 E4 02 1D 00 00 00", "2020-02-29 00:00:00", "");
	check_value("40 00 02 00", "1C 07 E3 02 1D 00 00 00", NULL, "");
	check_value("40 00 02 00", "1C 07 E4 00 03 0F 02 0A", NULL, "");
	check_value("40 00 02 00", "1C 07 E4 0D 03 0F 02 0A", NULL, "");
	check_value("40 00 02 00", "1C 07 E4 04 00 0F 02 0A", NULL, "");
	check_value("40 00 02 00", "1C 07 E4 04 1F 0F 02 0A", NULL, "");
	check_value("40 00 02 00", "1C 07 E4 04 03 18 02 0A", NULL, "");
	check_value("40 00 02 00", "1C 07 E4 04 03 0F 3C 0A", NULL, "");
	check_value("40 00 02 00", "1C 07 E4 04 03 0F 02 3C", NULL, "");
	check_value("40 00 02 00", "1C FF FF FF FF FF FF FF", NULL, "");
	check_value("40 00 02 00", "19 07 E4 04 03 05 0F 02 0A 01 F4", "2020-04-03 15:02:10", "");
	check_value("40 00 02 00", "19 07 E4 04 1F 05 0F 02 0A 01 F4", NULL, "");
	check_value("40 00 02 00", "1A 07 E4 04 03 05", "2020-04-03", "");
	check_value("40 00 02 00", "1A 07 E4 0D 03 05", NULL, "");
	check_value("40 00 02 00", "1B 17 3B 3B", "23:59:59", "");
	check_value("40 00 02 00", "1B 18 00 00", NULL, "");
}

static void
check_lists(void)
{
	/* Total and four tariffs, and a second object behind them. */
	CHECK_INT(
		read_apdu("85 02 01 02 00 10 02 00 01 01 05 06 00 00 02 BB 06 00 00 00 C6 06 00 00 00 "
				  "CB 06 00 00 00 AE 06 00 00 00 7C 00 20 02 00 01 01 01 06 00 00 00 01 00 00"),
		EB_FRAME_OK);
	CHECK_INT(frame.nitems, 6);
	check_item(0, "00100201", "6.99", "kWh");
	check_item(4, "00100205", "1.24", "kWh");
	check_item(5, "00200201", "0.01", "kWh");
	CHECK_INT(frame.dlt698.noads, 2);
	CHECK_INT(frame.dlt698.oad[1], 0x00200200);
	/* A maximum demand and its moment are one item; one that never was has no moment. */
	CHECK_INT(
		read_apdu("85 01 00 10 10 02 00 01 01 02 02 02 06 00 00 30 39 1C 07 E4 04 03 0F 02 00 "
				  "02 02 06 00 00 00 00 1C 00 00 00 00 00 00 00 00 00"),
		EB_FRAME_OK);
	CHECK_INT(frame.nitems, 2);
	check_item(0, "10100201", "12345", "");
	CHECK_STR(eb_frame_get(&frame, frame.items[0].time), "2020-04-03 15:02:00");
	check_item(1, "10100202", "0", "");
	CHECK_STR(eb_frame_get(&frame, frame.items[1].time), "");
	/* Other structures: their elements by number. */
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 02 03 11 05 01 02 11 06 0A 01 41 00 00 00"),
			  EB_FRAME_OK);
	CHECK_INT(frame.nitems, 4);
	check_item(0, "40070201", "5", "");
	check_item(1, "40070202.1", "6", "");
	check_item(2, "40070202.2", "A", "");
	check_item(3, "40070203", NULL, "");
	/* Of two, and the second no moment; the first too long for what is there. */
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 02 02 11 07 0A 01 41 00 00"), EB_FRAME_OK);
	CHECK_INT(frame.nitems, 2);
	check_item(0, "40070201", "7", "");
	check_item(1, "40070202", "A", "");
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 02 02 0A EE 00 30 00 00"), EB_FRAME_STRUCTURE);
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 02 02 09 82 FF FF 30 00"), EB_FRAME_STRUCTURE);
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 02 02 11 07 1C 07 E4"), EB_FRAME_STRUCTURE);
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 01 00 00 00"), EB_FRAME_OK);
	CHECK_INT(frame.nitems, 0);
	/* Deeper than any meter's, longer than an index. */
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 01 01 01 01 01 01 01 01 11 05 00 00"),
			  EB_FRAME_OK);
	check_item(0, "40070201.1.1.1", "5", "");
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 01 01 01 01 01 01 01 01 01 01 11 05 00 00"),
			  EB_FRAME_STRUCTURE);
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 01 82 01 00 00 00"), EB_FRAME_STRUCTURE);
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 01 80 00 00 00"), EB_FRAME_STRUCTURE);
	CHECK_INT(read_apdu("85 01 00 40 07 02 00 01 01 83 00 00 01 00"), EB_FRAME_STRUCTURE);
}

static void
check_results(void)
{
	CHECK_INT(read_apdu("06 01 02 40 00 02 00 1C 07 E8 01 01 00 00 00 00"), EB_FRAME_OK);
	CHECK_INT(frame.dlt698.service, EB_DLT698_SET_REQUEST);
	CHECK(frame.dlt698.noads == 1 && frame.dlt698.oad[0] == 0x40000200 && frame.nitems == 0);
	CHECK_INT(read_apdu("06 01 02 40 00 02"), EB_FRAME_STRUCTURE);
	CHECK_INT(read_apdu("86 01 00 40 00 03 00 03 00 00"), EB_FRAME_OK);
	CHECK_INT(frame.dlt698.service, EB_DLT698_SET_RESPONSE);
	CHECK_INT(frame.dlt698.dar, 3);
	CHECK_INT(frame.nitems, 0);
	CHECK_INT(read_apdu("86 02 00 02 40 00 03 00 00 40 00 02 00 06 00 00"), EB_FRAME_OK);
	CHECK_INT(frame.dlt698.dar, 6);
	CHECK_INT(frame.dlt698.noads, 2);
	CHECK_INT(read_apdu("86 01 00 40 00 03 00 00 00 00"), EB_FRAME_OK);
	CHECK_INT(frame.dlt698.dar, 0);
	CHECK_INT(read_apdu("85 01 00 00 10 02 00 00 06 00 00"), EB_FRAME_OK);
	CHECK_INT(frame.dlt698.dar, 6);
	CHECK_INT(frame.nitems, 0);
	CHECK_INT(read_apdu("88 01 01 01 40 00 02 00 01 1C 07 E0 0B 0E 00 02 00 00 00"), EB_FRAME_OK);
	CHECK_INT(frame.dlt698.service, EB_DLT698_REPORT);
	check_item(0, "40000200", "2016-11-14 00:02:00", "");
	CHECK_INT(read_apdu("05 02 05 02 00 10 02 00 00 20 02 00 00"), EB_FRAME_OK);
	CHECK_INT(frame.dlt698.noads, 2);
	CHECK_INT(frame.nitems, 0);
}

/* Every cut of an APDU inside its values is refused, never read as less. */
static void
check_cuts(void)
{
	static const char *const whole[] = {
		("85 02 01 02 00 10 02 00 01 01 02 06 00 00 02 BB 06 00 00 00 C6 40 00 02 00 01 1C 07 E4 04 "
		 "03 0F 02 0A"),
		"85 01 00 43 00 03 00 01 0A 04 56 31 2E 32", "86 01 00 40 00 03 00 03",
		"85 01 00 00 10 02 00 00 06", "05 02 05 02 00 10 02 00 00 20 02 00"};
	char cut[300];

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
	{
		CHECK_INT(read_apdu(whole[i]), EB_FRAME_OK);
		for (size_t n = 2; n < strlen(whole[i]) - 2; n += 3)
		{
			snprintf(cut, sizeof(cut), "%.*s", (int) n, whole[i]);
			CHECK_INT(read_apdu(cut), EB_FRAME_STRUCTURE);
		}
	}
}

/* More objects, more elements than a frame may have. */
static void
check_limits(void)
{
	static char hex[3 * 4096];
	int at = snprintf(hex, sizeof(hex), "05 02 00 41");

	for (int i = 0; i < 65; i++)
		at += snprintf(hex + at, sizeof(hex) - (size_t) at, " 00 10 02 00");
	CHECK_INT(read_apdu(hex), EB_FRAME_TOO_LONG);
	at = snprintf(hex, sizeof(hex), "85 02 00 03");
	for (int i = 0; i < 3; i++)
	{
		at += snprintf(hex + at, sizeof(hex) - (size_t) at, " 00 10 02 00 01 01 81 C8");
		for (int k = 0; k < 200; k++)
			at += snprintf(hex + at, sizeof(hex) - (size_t) at, " 11 01");
	}
	CHECK_INT(read_apdu(hex), EB_FRAME_TOO_LONG);
	CHECK_INT(frame.nitems, EB_FRAME_MAX_ITEMS);
}

int
main(void)
{
	check_energies();
	check_types();
	check_dates();
	check_lists();
	check_results();
	check_cuts();
	check_limits();
	return check_done("dlt698_data");
}
