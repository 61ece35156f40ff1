/*
 * test_modbus_map.c -- register maps: their text, what they make of registers, lists of meters
 */
#include "codec/modbus.h"

#include "frames.h"

static EbModbusMap map;
static EbFrame frame;

/* The map is broken, at that place. */
static void
check_broken(const char *text, size_t where)
{
	size_t at = 999;
	const char *wanted = eb_modbus_map_parse(text, strlen(text), &map, &at);

	CHECK(wanted != NULL && wanted[0] != '\0');
	if (!CHECK_INT(at, where))
		printf("    \"%s\"\n", text);
}

static void
check_broken_maps(void)
{
	char many[126 * 6 + 1];

	check_broken("", 0);
	check_broken(",", 0);
	check_broken("=u16", 0);
	check_broken("x=u16", 0);
	check_broken("-1=u16", 0);
	check_broken("1 =u16", 0);
	check_broken("125=u16", 0);
	check_broken("0000=u16", 0);
	check_broken("99999999999999999999=u16", 0);
	check_broken("124=u32", 0);
	check_broken("122=u64", 0);
	check_broken("0", 1);
	check_broken("0,1=u16", 1);
	check_broken("0=", 2);
	check_broken("0=u8", 2);
	check_broken("0=U16", 2);
	check_broken("0=u16 ", 2);
	check_broken("0=float64", 2);
	check_broken("0=u16/", 6);
	check_broken("0=u16/abcd", 6);
	check_broken("0=u16/ABC", 6);
	check_broken("0=u16/ABCD/ABCD", 6);
	check_broken("0=u16*", 6);
	check_broken("0=u16*0", 6);
	check_broken("0=u16*0.00", 6);
	check_broken("0=u16*1e3", 6);
	check_broken("0=u16*.5", 6);
	check_broken("0=u16*5.", 6);
	check_broken("0=u16*1.2.3", 6);
	check_broken("0=u16*-", 6);
	check_broken("0=u16*--1", 6);
	check_broken("0=u16*1/ABCD", 6);
	check_broken("0=u16*1234567890123456789", 6);
	check_broken("0=u16*0.1234567890123456789", 6);
	check_broken("0=u16*1/0", 6);
	check_broken("0=u16*1/", 6);
	check_broken("0=u16*/2", 6);
	check_broken("0=u16*1/1600.5", 6);
	check_broken("0=u16*1/1000000001", 6);
	check_broken("0=u16*1000000000000000/2", 6);
	check_broken("0=float32*1/1600", 10);
	check_broken("0=u16,", 6);
	check_broken("0=u16,,1=u16", 6);
	check_broken("0=u16,1=flaot32", 8);
	many[0] = '\0';
	for (int i = 0; i < 126; i++)
		snprintf(many + 6 * i - (i > 0), 7, "%s", i == 0 ? "0=u16" : ",0=u16");
	check_broken(many, 6 * 125);
	many[6 * 125 - 1] = '\0';
	CHECK(eb_modbus_map_parse(many, strlen(many), &map, &(size_t){0}) == NULL);
	CHECK_INT(map.nparts, 125);
}

/* Registers under a map; want is "id=value id=value", null for none, "?" when the map is longer. */
static void
check_items(const char *text, const char *registers, const char *want)
{
	uint8_t bytes[250];
	size_t n = from_hex(registers, bytes, sizeof(bytes));
	size_t at;
	char found[512] = "";

	if (!CHECK(eb_modbus_map_parse(text, strlen(text), &map, &at) == NULL))
	{
		printf("    \"%s\" at %zu\n", text, at);
		return;
	}
	CHECK_INT(at, strlen(text));
	frame.modbus.nregisters = (int) (n / 2);
	for (size_t i = 0; i < n / 2; i++)
		frame.modbus.registers[i] = (uint16_t) (bytes[2 * i] << 8 | bytes[2 * i + 1]);
	if (eb_modbus_items(&map, &frame) == EB_FRAME_VALUE)
	{
		CHECK_STR("?", want);
		return;
	}
	for (int i = 0; i < frame.nitems; i++)
	{
		const EbFrameItem *item = &frame.items[i];
		const char *value = item->absent ? "null" : eb_frame_get(&frame, item->value);
		size_t used = strlen(found);

		CHECK_INT(item->absent, item->value == 0);
		snprintf(found + used, sizeof(found) - used, "%s%s=%s", i > 0 ? " " : "",
				 eb_frame_get(&frame, item->id), value);
	}
	if (!CHECK_STR(found, want))
		printf("    \"%s\"\n", text);
}

static void
check_values(void)
{
	check_items("0=u16", "FFFF", "0=65535");
	check_items("0=s16", "FFFF", "0=-1");
	check_items("0=s16", "8000", "0=-32768");
	check_items("0=u16/CDAB", "1234", "0=4660");
	check_items("0=u16/BADC", "1234", "0=13330");
	check_items("0=s16/DCBA", "FE7F", "0=32766");
	check_items("0=u32", "53FD AEF0", "0=1409134320");
	check_items("0=u32/CDAB", "AEF0 53FD", "0=1409134320");
	check_items("0=u32/BADC", "FD53 F0AE", "0=1409134320");
	check_items("0=u32/DCBA", "F0AE FD53", "0=1409134320");
	check_items("0=s32", "FFFF FFFE", "0=-2");
	check_items("0=s32", "8000 0000", "0=-2147483648");
	check_items("0=u64", "FFFF FFFF FFFF FFFF", "0=18446744073709551615");
	check_items("0=u64/CDAB", "0004 0003 0002 0001", "0=281483566841860");
	check_items("0=u64/DCBA", "0400 0300 0200 0100", "0=281483566841860");
	check_items("0=float32", "42C8 0000", "0=100");
	check_items("0=float32/CDAB", "6978 4369", "0=233.41199");
	check_items("0=float32/BADC", "6943 7869", "0=233.41199");
	check_items("0=float32/DCBA", "7869 6943", "0=233.41199");
	check_items("0=float32", "8000 0000", "0=0");
	check_items("0=float32", "7FC0 0000", "0=null");
	check_items("0=float32", "FF80 0000", "0=null");
	check_items("0=float32", "FFFF FFFF", "0=null");
}

static void
check_scales(void)
{
	check_items("0=u16*0.1", "089A", "0=220.2");
	check_items("0=u16*0.01", "0007", "0=0.07");
	check_items("0=u16*0.10", "0000", "0=0.00");
	check_items("0=u16*10", "0007", "0=70");
	check_items("0=u16*+2.5", "0003", "0=7.5");
	check_items("0=s16*-0.1", "FFF6", "0=1.0");
	check_items("0=u16*-1", "0000", "0=0");
	check_items("0=float32*0.1", "449A 5225", "0=123.4567");
	check_items("0=float32*-1000", "449A 5225", "0=-1234567");
	check_items("0=float32*0.1", "7FC0 0000", "0=null");
	check_items("0=u64*999999999999999999", "FFFF FFFF FFFF FFFF",
				"0=18446744073709551596553255926290448385");
	check_items("0=u16*0.000000000000000001", "0001", "0=0.000000000000000001");
	/* Pulses: 1600 or 1200 of them are a kWh; cut to the Wh, never rounded up. */
	check_items("0=u32*1/1600", "0000 063F", "0=0.999");
	check_items("0=u32*1/1600", "0000 0640", "0=1.000");
	check_items("0=u32*1/1200", "0000 0001", "0=0.000");
	check_items("0=u32*1/1200", "0000 0002", "0=0.001");
	check_items("0=u32*1/1200", "0000 04AF", "0=0.999");
	check_items("0=s16*0.1/3", "FFFF", "0=-0.0333");
	check_items("0=u64*999999999999999/1", "FFFF FFFF FFFF FFFF",
				"0=18446744073709533168255926290448385.000");
	check_items("0=u64*1/1000000000", "FFFF FFFF FFFF FFFF", "0=18446744073.709");
	/* The published reply of a PZEM, its map as configured. */
	check_items("0=u16*0.1,1=u32/CDAB*0.001,3=u32/CDAB*0.1,5=u32/CDAB,7=u16*0.1,8=u16*0.01",
				"089A 0027 0000 0006 0000 0001 0000 0257 0007 0000",
				"0=220.2 1=0.039 3=0.6 5=1 7=59.9 8=0.07");
	check_items("1=u16,0=u16,1=s16", "0001 FFFF", "1=65535 0=1 1=-1");
	check_items("1=u16", "0001", "?");
	check_items("0=u32", "0001", "?");
	check_items("0=u16,1=u64", "0001 0002 0003 0004", "?");
	check_items("1=u64", "0001 0000 0000 0000 0004", "1=4");
}

/* A map of the configuration: names, units, what says "not available". */
static void
check_named(void)
{
	map = (EbModbusMap){
		.nparts = 2,
		.part = {{0, "1.8.0", {EB_MODBUS_U32, EB_MODBUS_ABCD, 1, 2, true, UINT32_MAX, "kWh", 0}},
				 {2, NULL, {EB_MODBUS_S16, EB_MODBUS_ABCD, 1, 0, true, 0x8000, NULL, 0}}}};
	frame.modbus.nregisters = 3;
	memcpy(frame.modbus.registers, (uint16_t[]){0xFFFF, 0xFFFF, 0x8000}, 6);
	CHECK_INT(eb_modbus_items(&map, &frame), EB_FRAME_OK);
	CHECK_STR(eb_frame_get(&frame, frame.items[0].id), "1.8.0");
	CHECK_STR(eb_frame_get(&frame, frame.items[0].unit), "kWh");
	CHECK_STR(eb_frame_get(&frame, frame.items[1].id), "2");
	CHECK(frame.items[0].absent && frame.items[1].absent && frame.items[1].unit == 0);
	memcpy(frame.modbus.registers, (uint16_t[]){0xFFFF, 0xFFFE, 0x8001}, 6);
	CHECK_INT(eb_modbus_items(&map, &frame), EB_FRAME_OK);
	CHECK_STR(eb_frame_get(&frame, frame.items[0].value), "42949672.94");
	CHECK_STR(eb_frame_get(&frame, frame.items[1].value), "-32767");
}

static void
check_protocol(void)
{
	const char *wanted;
	size_t at = 0;

	CHECK(eb_modbus_protocol_map("modbus", 6, &map, &wanted, &at) == NULL && wanted == NULL);
	CHECK(eb_modbus_protocol_map("modbus:0=u16", 12, &map, &wanted, &at) == &map && wanted == NULL);
	CHECK(eb_modbus_protocol_map("modbus:", 7, &map, &wanted, &at) == NULL && wanted != NULL);
	CHECK_INT(at, 7);
	CHECK(eb_modbus_protocol_map("modbus:0=u16,1", 14, &map, &wanted, &at) == NULL);
	CHECK_INT(at, 14);
}

/* Each list rises, is within the limits, and gathers into requests that hold every register once. */
static void
check_meter(const EbModbusMeter *meter)
{
	EbModbusRequest request;
	int from = 0;

	CHECK(eb_modbus_meter_find(meter->name) == meter);
	CHECK(meter->nregisters > 0 && meter->max_count <= EB_MODBUS_MAX_COUNT);
	while (from >= 0 && from < meter->nregisters)
	{
		int next = eb_modbus_gather(meter->registers, meter->nregisters, from, meter->max_count, 9,
									&request, &map);

		if (!CHECK(next > from && map.nparts == next - from))
			return;
		CHECK_INT(request.fc, meter->registers[from].fc);
		CHECK_INT(request.addr, meter->registers[from].addr);
		CHECK(request.count <= meter->max_count);
		for (int i = from; i < next; i++)
		{
			const EbModbusPart *part = &map.part[i - from];
			int behind = part->index + eb_modbus_words(part->form.type);

			CHECK_STR(part->id, meter->registers[i].code);
			CHECK_INT(request.addr + part->index, meter->registers[i].addr);
			CHECK(behind <= request.count && (i + 1 < next || behind == request.count));
		}
		from = next;
	}
}

static void
check_meters(void)
{
	static const char *const name[] = {"sdm120",   "sdm230",  "sdm630", "ddsu666", "dtsu666",
									   "pzem004t", "pzem016", "b2x",	"iem3000"};
	EbModbusRequest request;
	const EbModbusMeter *meter;

	for (size_t i = 0; (meter = eb_modbus_meter_at(i)) != NULL; i++)
		check_meter(meter);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		CHECK(eb_modbus_meter_find(name[i]) != NULL);
	CHECK(eb_modbus_meter_find("SDM630") == NULL);
	CHECK(eb_modbus_meter_find("") == NULL);
	/* A PZEM is read at once; an SDM630 in its groups, the total far behind alone. */
	meter = eb_modbus_meter_find("pzem016");
	CHECK_INT(eb_modbus_gather(meter->registers, meter->nregisters, 0, 10, 1, &request, &map),
			  meter->nregisters);
	CHECK_INT(request.count, 9);
	meter = eb_modbus_meter_find("sdm630");
	CHECK_INT(eb_modbus_gather(meter->registers, meter->nregisters, 0, 60, 1, &request, &map), 7);
	CHECK_INT(request.count, 0x36);
	/* Single registers longer than the limit; addresses that do not exist; a unit that does not. */
	CHECK_INT(eb_modbus_gather(meter->registers, meter->nregisters, 0, 1, 1, &request, &map), 1);
	CHECK_INT(eb_modbus_gather(meter->registers, meter->nregisters, 0, 60, 0, &request, &map), -1);
	{
		EbModbusRegister last[] = {{"x", 3, 65535, {.type = EB_MODBUS_U16, .factor = 1}},
								   {"y", 3, 65535, {.type = EB_MODBUS_U32, .factor = 1}}};

		CHECK_INT(eb_modbus_gather(last, 1, 0, 60, 1, &request, &map), 1);
		CHECK_INT(eb_modbus_gather(last, 2, 1, 60, 1, &request, &map), -1);
	}
}

int
main(void)
{
	check_broken_maps();
	check_values();
	check_scales();
	check_named();
	check_protocol();
	check_meters();
	return check_done("modbus_map");
}
