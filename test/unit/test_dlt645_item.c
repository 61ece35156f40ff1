/*
 * test_dlt645_item.c -- each row of the identifier table against values worked out by hand
 */
#include "frames.h"

#include <stdlib.h>

static Decoded got;

/* A reply of meter 1 to a read: DI and data in plain, low byte first; sum and offset added here. */
static void
decode_reply(uint32_t di, const char *data_hex)
{
	uint8_t frame[EB_DLT645_MAX_FRAME] = {0x68, 1, 0, 0, 0, 0, 0, 0x68, 0x91};
	size_t n = 4 + from_hex(data_hex, frame + 14, 251);
	unsigned sum = 0;

	frame[9] = (uint8_t) n;
	for (int i = 0; i < 4; i++)
		frame[10 + i] = (uint8_t) (di >> 8 * i);
	for (size_t i = 0; i < n; i++)
		frame[10 + i] = (uint8_t) (frame[10 + i] + 0x33);
	for (size_t i = 0; i < 10 + n; i++)
		sum += frame[i];
	frame[10 + n] = (uint8_t) sum;
	frame[11 + n] = 0x16;
	decode(&eb_dlt645_codec, frame, 12 + n, &got);
}

static void
check_item(int i, const char *id, const char *value, const char *unit, const char *time)
{
	const EbFrameItem *item = &got.frame[0].items[i];

	CHECK_STR(eb_frame_get(&got.frame[0], item->id), id);
	CHECK_STR(eb_frame_get(&got.frame[0], item->value), value != NULL ? value : "");
	CHECK_INT(item->absent, value == NULL);
	CHECK_STR(eb_frame_get(&got.frame[0], item->unit), unit);
	CHECK_STR(eb_frame_get(&got.frame[0], item->time), time);
}

/* One identifier, one value. A NULL value: absent. */
static void
check_one(uint32_t di, const char *data_hex, const char *value, const char *unit)
{
	char id[16];

	snprintf(id, sizeof(id), "%08X", di);
	decode_reply(di, data_hex);
	if (!CHECK_INT(got.n, 1) || !CHECK_INT(got.frame[0].nitems, 1))
	{
		printf("    di %s\n", id);
		return;
	}
	CHECK_INT(got.frame[0].dlt645.nraw, strlen(data_hex) / 3 + 1);
	check_item(0, id, value, unit, "");
}

/* Sound, but not in the table: no item, all data raw. */
static void
check_raw(uint32_t di, const char *data_hex)
{
	uint8_t data[256];
	size_t n = from_hex(data_hex, data, sizeof(data));

	decode_reply(di, data_hex);
	if (!CHECK_INT(got.n, 1))
		return;
	CHECK_INT(got.frame[0].nitems, 0);
	if (!CHECK_INT(got.frame[0].dlt645.nraw, n))
		printf("    di %08X\n", di);
	CHECK_MEM(got.frame[0].dlt645.raw, data, n);
}

static void
check_refused(uint32_t di, const char *data_hex)
{
	decode_reply(di, data_hex);
	CHECK_INT(got.n, 0);
	CHECK_INT(got.verdict, EB_FRAME_VALUE);
}

static void
check_energies(void)
{
	static const unsigned first[] = {0x01, 0x15, 0x29, 0x3D};
	static const char *const unit[] = {"kWh",	"kWh",	 "kvarh", "kvarh", "kvarh",
									   "kvarh", "kvarh", "kvarh", "kVAh",  "kVAh"};

	check_one(0x00000000, "56 34 12 80", "-1234.56", "kWh");
	check_one(0x00000000, "56 34 12 00", "1234.56", "kWh");
	for (unsigned group = 0; group < 4; group++)
		for (unsigned k = 0; k < 10; k++)
		{
			uint32_t di = (first[group] + k) << 16;
			bool is_signed = k == 2 || k == 3;

			check_one(di, "56 34 12 00", "1234.56", unit[k]);
			check_one(di, "56 34 12 80", is_signed ? "-1234.56" : "801234.56", unit[k]);
			check_one(di, "FF FF FF FF", NULL, unit[k]);
		}
	check_one(0x00013F0C, "01 00 00 00", "0.01", "kWh");
	check_raw(0x00014000, "01 00 00 00");
	check_raw(0x0001000D, "01 00 00 00");
	check_raw(0x000000FF, "01 00 00 00");
	check_raw(0x000B0000, "01 00 00 00");
	check_raw(0x00140000, "01 00 00 00");
	check_raw(0x001F0000, "01 00 00 00");
	check_raw(0x00470000, "01 00 00 00");
	check_one(0x00900100, "50 02 00 00", "2.50", "kWh");
	check_one(0x00900200, "56 98 01 00", "198.56", "");
	check_raw(0x00900101, "50 02 00 00");
}

static void
check_blocks(void)
{
	char hex[62 * 8 + 1];

	decode_reply(0x0001FF03, "34 29 00 00 66 07 00 00 FF FF FF FF");
	CHECK_INT(got.frame[0].nitems, 3);
	check_item(0, "00010003", "29.34", "kWh", "");
	check_item(1, "00010103", "7.66", "kWh", "");
	check_item(2, "00010203", NULL, "kWh", "");

	/* A block of one value is still a block: total alone. */
	decode_reply(0x0001FF00, "34 29 00 00");
	CHECK_INT(got.frame[0].nitems, 1);
	check_item(0, "00010000", "29.34", "kWh", "");

	/* The largest a frame can carry: total and 61 tariffs. */
	for (int i = 0; i < 62; i++)
		snprintf(hex + 8 * i, 9, "%02u000000", (unsigned) i % 100);
	decode_reply(0x0001FF00, hex);
	CHECK_INT(got.frame[0].nitems, 62);
	CHECK_INT(got.frame[0].length, 264);
	check_item(61, "00013D00", "0.61", "kWh", "");

	decode_reply(0x0201FF00, "94 23 FF FF FF FF");
	CHECK_INT(got.frame[0].nitems, 3);
	check_item(0, "02010100", "239.4", "V", "");
	check_item(2, "02010300", NULL, "V", "");
	decode_reply(0x0203FF00, "34 12 00 34 12 80 00 00 00 00 00 80");
	CHECK_INT(got.frame[0].nitems, 4);
	check_item(0, "02030000", "0.1234", "kW", "");
	check_item(1, "02030100", "-0.1234", "kW", "");
	check_item(3, "02030300", "0.0000", "kW", "");
	check_raw(0x0201FF00, "94 23 94 23 94 23 94 23");
	check_raw(0x0203FF00, "34 12 00 34 12 00 34 12 00 34 12 00 34 12 00");
	check_raw(0x0001FF00, "34 29 00 00 66");
	check_raw(0x0001FF00, "");
	check_refused(0x0001FF00, "34 29 00 00 66 0A 00 00");
}

static void
check_demand(void)
{
	decode_reply(0x01010000, "00 00 78 00 12 01 01 23");
	check_item(0, "01010000", "78.0000", "kW", "2023-01-01 12:00");
	decode_reply(0x0101FF01, "00 00 78 00 12 01 01 23 01 00 00 59 23 31 12 99");
	CHECK_INT(got.frame[0].nitems, 2);
	check_item(0, "01010001", "78.0000", "kW", "2023-01-01 12:00");
	check_item(1, "01010101", "0.0001", "kW", "2099-12-31 23:59");
	decode_reply(0x01010000, "FF FF FF FF FF FF FF FF");
	check_item(0, "01010000", NULL, "kW", "");
	/* No demand since the reset: the meter's clock fields are zero, and are passed on. */
	decode_reply(0x01010000, "00 00 00 00 00 00 00 00");
	check_item(0, "01010000", "0.0000", "kW", "2000-00-00 00:00");
	/* Of other kinds, with their sign. */
	decode_reply(0x01020000, "00 00 78 00 12 01 01 23");
	check_item(0, "01020000", "78.0000", "kW", "2023-01-01 12:00");
	decode_reply(0x01030000, "01 00 80 00 12 01 01 23");
	check_item(0, "01030000", "-0.0001", "kvar", "2023-01-01 12:00");
	decode_reply(0x01460100, "01 00 50 00 12 01 01 23");
	check_item(0, "01460100", "50.0001", "kVA", "2023-01-01 12:00");
	check_raw(0x010B0000, "00 00 78 00 12 01 01 23");
	check_refused(0x01010000, "00 00 78 00 12 01 0A 23");
	check_refused(0x01010000, "0B 00 78 00 12 01 01 23");
	check_raw(0x01010000, "00 00 78");
}

static void
check_instants(void)
{
	check_one(0x02010100, "94 23", "239.4", "V");
	check_raw(0x02010000, "94 23");
	check_raw(0x02010400, "94 23");
	check_raw(0x02010101, "94 23");
	check_raw(0x02010100, "94 23 00");
	check_one(0x02020300, "99 49 00", "4.999", "A");
	check_one(0x02020300, "99 49 80", "-4.999", "A");
	check_one(0x02030000, "12 25 00", "0.2512", "kW");
	check_one(0x02040200, "12 25 80", "-0.2512", "kvar");
	check_one(0x02050000, "12 25 80", "80.2512", "kVA");
	check_one(0x02060000, "01 85", "-0.501", "");
	check_one(0x02060000, "00 10", "1.000", "");
	check_one(0x02800001, "23 01 00", "0.123", "A");
	check_one(0x02800002, "98 49", "49.98", "Hz");
	check_one(0x02800003, "12 25 00", "0.2512", "kW");
	check_one(0x02800007, "51 82", "-25.1", "Cel");
	check_one(0x02800008, "61 03", "3.61", "V");
	check_one(0x02800008, "FF FF", NULL, "V");
	check_raw(0x02800004, "98 49");
	check_one(0x03300D00, "12 00 00", "12", "");
	check_one(0x1D000001, "00 00 00", "0", "");
	check_refused(0x02010100, "9A 23");
	check_refused(0x02010100, "FF 23");
}

static void
check_clock_and_names(void)
{
	check_one(0x04000101, "05 29 02 24", "2024-02-29", "");
	check_refused(0x04000101, "0A 29 02 24");
	check_one(0x04000101, "FF FF FF FF", NULL, "");
	check_one(0x04000102, "59 30 23", "23:30:59", "");
	check_refused(0x04000102, "5F 30 23");
	check_one(0x04000401, "12 90 78 56 34 02", "023456789012", "");
	check_one(0x04000402, "01 00 00 00 00 00", "000000000001", "");
	check_refused(0x04000402, "01 00 00 00 00 AA");
	check_one(0x04000501, "04 80", "8004", "");
	check_one(0x04000507, "FF FF", NULL, "");
	check_raw(0x04000500, "04 80");
	check_raw(0x04000508, "04 80");
}

static void
check_freeze(void)
{
	check_one(0x05060001, "00 00 09 10 15", "2015-10-09 00:00", "");
	check_one(0x0506003E, "FF FF FF FF FF", NULL, "");
	check_raw(0x05060000, "00 00 09 10 15");
	decode_reply(0x05060101, "34 29 00 00 66 07 00 00");
	CHECK_INT(got.frame[0].nitems, 2);
	check_item(0, "05060101.0", "29.34", "kWh", "");
	check_item(1, "05060101.1", "7.66", "kWh", "");
	decode_reply(0x050601FE, "34 29 00 00");
	CHECK_INT(got.frame[0].nitems, 1);
	check_item(0, "050601FE.0", "29.34", "kWh", "");
	check_raw(0x050601FF, "34 29 00 00");
	check_raw(0x05060101, "34 29 00");
	/* A load profile has a form of its own; it is handed on as it is. */
	check_raw(0x06000001, "A0 A0 10 00 00 09 10 15");
}

/* Every value of every byte of one register, against the plain rule. */
static void
check_every_byte(void)
{
	for (unsigned place = 0; place < 4; place++)
		for (unsigned byte = 0; byte < 256; byte++)
		{
			unsigned at[4] = {0x11, 0x22, 0x33, 0x44};
			char hex[16], digits[16], want[16];

			at[place] = byte;
			snprintf(hex, sizeof(hex), "%02X %02X %02X %02X", at[0], at[1], at[2], at[3]);
			if ((byte & 15) > 9 || byte >> 4 > 9)
			{
				check_refused(0x00010000, hex);
				continue;
			}
			snprintf(digits, sizeof(digits), "%02X%02X%02X", at[3], at[2], at[1]);
			snprintf(want, sizeof(want), "%ld.%02X", strtol(digits, NULL, 10), at[0]);
			check_one(0x00010000, hex, want, "kWh");
		}
}

int
main(void)
{
	check_energies();
	check_blocks();
	check_demand();
	check_instants();
	check_clock_and_names();
	check_freeze();
	check_every_byte();
	return check_done("dlt645_item");
}
