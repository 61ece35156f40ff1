/*
 * modbus_meter.c -- the register lists of meters that are met often
 * In:  the name of a meter. Out: its registers, and the requests that read them.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * Codes are OBIS C.D.E: 1.8.0 active import, 2.8.0 active export, 15.8.0 both added up, 3.8.0 and
 * 4.8.0 reactive; 16.7.0 active power of all phases, 14.7.0 frequency, 13.7.0 power factor; voltage
 * 32.7.0 52.7.0 72.7.0 and current 31.7.0 51.7.0 71.7.0 of the phases. Where a meter has the same
 * energy as float32 and as integer, the integer is taken: a float32 moves in steps of 0.016 kWh at
 * 167,772 kWh. Firmware differs; a list of the configuration goes before these.
 */
#include "codec/modbus.h"

#include <string.h>

#define REAL(code, fc, addr, unit)                                     \
	{                                                                  \
		code, fc, addr,                                                \
		{                                                              \
			EB_MODBUS_FLOAT32, EB_MODBUS_ABCD, 1, 0, false, 0, unit, 0 \
		}                                                              \
	}
#define REAL_PART(code, fc, addr, places, unit)                             \
	{                                                                       \
		code, fc, addr,                                                     \
		{                                                                   \
			EB_MODBUS_FLOAT32, EB_MODBUS_ABCD, 1, places, false, 0, unit, 0 \
		}                                                                   \
	}
#define WHOLE(code, fc, addr, type, order, places, unit) \
	{                                                    \
		code, fc, addr,                                  \
		{                                                \
			type, order, 1, places, false, 0, unit, 0    \
		}                                                \
	}
#define WHOLE_OR(code, fc, addr, type, places, invalid, unit)       \
	{                                                               \
		code, fc, addr,                                             \
		{                                                           \
			type, EB_MODBUS_ABCD, 1, places, true, invalid, unit, 0 \
		}                                                           \
	}

/* Eastron: one phase. */
static const EbModbusRegister sdm120[] = {
	REAL("32.7.0", 4, 0x0000, "V"),	   REAL("31.7.0", 4, 0x0006, "A"),
	REAL("16.7.0", 4, 0x000C, "W"),	   REAL("14.7.0", 4, 0x0046, "Hz"),
	REAL("1.8.0", 4, 0x0048, "kWh"),   REAL("2.8.0", 4, 0x004A, "kWh"),
	REAL("3.8.0", 4, 0x004C, "kvarh"), REAL("4.8.0", 4, 0x004E, "kvarh"),
	REAL("15.8.0", 4, 0x0156, "kWh"),
};

/* Eastron: three phases. */
static const EbModbusRegister sdm630[] = {
	REAL("32.7.0", 4, 0x0000, "V"),	   REAL("52.7.0", 4, 0x0002, "V"),
	REAL("72.7.0", 4, 0x0004, "V"),	   REAL("31.7.0", 4, 0x0006, "A"),
	REAL("51.7.0", 4, 0x0008, "A"),	   REAL("71.7.0", 4, 0x000A, "A"),
	REAL("16.7.0", 4, 0x0034, "W"),	   REAL("14.7.0", 4, 0x0046, "Hz"),
	REAL("1.8.0", 4, 0x0048, "kWh"),   REAL("2.8.0", 4, 0x004A, "kWh"),
	REAL("3.8.0", 4, 0x004C, "kvarh"), REAL("4.8.0", 4, 0x004E, "kvarh"),
	REAL("15.8.0", 4, 0x0156, "kWh"),
};

/* Chint, one phase. */
static const EbModbusRegister ddsu666[] = {
	REAL("32.7.0", 3, 0x2000, "V"),	 REAL("31.7.0", 3, 0x2002, "A"),
	REAL("16.7.0", 3, 0x2004, "kW"), REAL("13.7.0", 3, 0x200A, NULL),
	REAL("14.7.0", 3, 0x200E, "Hz"), REAL("1.8.0", 3, 0x4000, "kWh"),
	REAL("2.8.0", 3, 0x400A, "kWh"),
};

/* Chint, three phases; its momentary values are whole numbers of a tenth, hundredth, thousandth. */
static const EbModbusRegister dtsu666[] = {
	REAL("1.8.0", 3, 0x101E, "kWh"),		REAL("2.8.0", 3, 0x1028, "kWh"),
	REAL_PART("32.7.0", 3, 0x2006, 1, "V"), REAL_PART("52.7.0", 3, 0x2008, 1, "V"),
	REAL_PART("72.7.0", 3, 0x200A, 1, "V"), REAL_PART("31.7.0", 3, 0x200C, 3, "A"),
	REAL_PART("51.7.0", 3, 0x200E, 3, "A"), REAL_PART("71.7.0", 3, 0x2010, 3, "A"),
	REAL_PART("16.7.0", 3, 0x2012, 1, "W"), REAL_PART("14.7.0", 3, 0x2044, 2, "Hz"),
};

/* Peacefair PZEM-004T version 3, PZEM-016. */
static const EbModbusRegister pzem[] = {
	WHOLE("32.7.0", 4, 0, EB_MODBUS_U16, EB_MODBUS_ABCD, 1, "V"),
	WHOLE("31.7.0", 4, 1, EB_MODBUS_U32, EB_MODBUS_CDAB, 3, "A"),
	WHOLE("16.7.0", 4, 3, EB_MODBUS_U32, EB_MODBUS_CDAB, 1, "W"),
	WHOLE("1.8.0", 4, 5, EB_MODBUS_U32, EB_MODBUS_CDAB, 0, "Wh"),
	WHOLE("14.7.0", 4, 7, EB_MODBUS_U16, EB_MODBUS_ABCD, 1, "Hz"),
	WHOLE("13.7.0", 4, 8, EB_MODBUS_U16, EB_MODBUS_ABCD, 2, NULL),
};

/* ABB B21, B23, B24: all bits set, but for the sign, say "not available". */
static const EbModbusRegister abb_b2x[] = {
	WHOLE_OR("1.8.0", 3, 0x5000, EB_MODBUS_U64, 2, UINT64_MAX, "kWh"),
	WHOLE_OR("2.8.0", 3, 0x5004, EB_MODBUS_U64, 2, UINT64_MAX, "kWh"),
	WHOLE_OR("3.8.0", 3, 0x500C, EB_MODBUS_U64, 2, UINT64_MAX, "kvarh"),
	WHOLE_OR("4.8.0", 3, 0x5010, EB_MODBUS_U64, 2, UINT64_MAX, "kvarh"),
	WHOLE_OR("32.7.0", 3, 0x5B00, EB_MODBUS_U32, 1, UINT32_MAX, "V"),
	WHOLE_OR("52.7.0", 3, 0x5B02, EB_MODBUS_U32, 1, UINT32_MAX, "V"),
	WHOLE_OR("72.7.0", 3, 0x5B04, EB_MODBUS_U32, 1, UINT32_MAX, "V"),
	WHOLE_OR("31.7.0", 3, 0x5B0C, EB_MODBUS_U32, 2, UINT32_MAX, "A"),
	WHOLE_OR("51.7.0", 3, 0x5B0E, EB_MODBUS_U32, 2, UINT32_MAX, "A"),
	WHOLE_OR("71.7.0", 3, 0x5B10, EB_MODBUS_U32, 2, UINT32_MAX, "A"),
	WHOLE_OR("16.7.0", 3, 0x5B14, EB_MODBUS_S32, 2, INT32_MAX, "W"),
	WHOLE_OR("14.7.0", 3, 0x5B2C, EB_MODBUS_U16, 2, UINT16_MAX, "Hz"),
};

/* Schneider iEM3000 family: energies as 64-bit integers of Wh, the lowest of which is none. */
#define NO_INT64 (UINT64_C(1) << 63)
static const EbModbusRegister iem3000[] = {
	REAL("31.7.0", 3, 0x0BB7, "A"),
	REAL("51.7.0", 3, 0x0BB9, "A"),
	REAL("71.7.0", 3, 0x0BBB, "A"),
	REAL("32.7.0", 3, 0x0BD3, "V"),
	REAL("52.7.0", 3, 0x0BD5, "V"),
	REAL("72.7.0", 3, 0x0BD7, "V"),
	REAL("16.7.0", 3, 0x0BF3, "kW"),
	REAL("14.7.0", 3, 0x0C25, "Hz"),
	WHOLE_OR("1.8.0", 3, 0x0C83, EB_MODBUS_U64, 0, NO_INT64, "Wh"),
	WHOLE_OR("2.8.0", 3, 0x0C87, EB_MODBUS_U64, 0, NO_INT64, "Wh"),
	WHOLE_OR("3.8.0", 3, 0x0C93, EB_MODBUS_U64, 0, NO_INT64, "varh"),
	WHOLE_OR("4.8.0", 3, 0x0C97, EB_MODBUS_U64, 0, NO_INT64, "varh"),
};

#define METER(name, about, max_count, list)                                  \
	{                                                                        \
		name, about, max_count, (int) (sizeof(list) / sizeof(list[0])), list \
	}

static const EbModbusMeter meters[] = {
	METER("sdm120", "Eastron SDM120, one phase", 60, sdm120),
	METER("sdm230", "Eastron SDM230, one phase", 60, sdm120),
	METER("sdm630", "Eastron SDM630, three phases", 60, sdm630),
	METER("ddsu666", "Chint DDSU666, one phase", 60, ddsu666),
	METER("dtsu666", "Chint DTSU666, three phases", 60, dtsu666),
	METER("pzem004t", "Peacefair PZEM-004T version 3, one phase", 10, pzem),
	METER("pzem016", "Peacefair PZEM-016, one phase", 10, pzem),
	METER("b2x", "ABB B21, B23, B24", 125, abb_b2x),
	METER("iem3000", "Schneider iEM3150, iEM3155, iEM3250, iEM3255 and their kin", 125, iem3000),
};

const EbModbusMeter *
eb_modbus_meter_at(size_t i)
{
	return i < sizeof(meters) / sizeof(meters[0]) ? &meters[i] : NULL;
}

const EbModbusMeter *
eb_modbus_meter_find(const char *name)
{
	const EbModbusMeter *meter;

	for (size_t i = 0; (meter = eb_modbus_meter_at(i)) != NULL; i++)
		if (strcmp(meter->name, name) == 0)
			return meter;
	return NULL;
}

/* Registers from first's address to the end of last, when both come in one reply; else a lot. */
static int
span(const EbModbusRegister *first, const EbModbusRegister *last)
{
	if (first->fc != last->fc || last->addr < first->addr)
		return EB_MODBUS_MAX_COUNT + 1;
	return last->addr - first->addr + eb_modbus_words(last->form.type);
}

int
eb_modbus_gather(const EbModbusRegister *registers, int n, int from, int max_count, unsigned unit,
				 EbModbusRequest *request, EbModbusMap *map)
{
	const EbModbusRegister *first = &registers[from];
	int count = 0;
	int at = from;

	if (max_count > EB_MODBUS_MAX_COUNT)
		max_count = EB_MODBUS_MAX_COUNT;
	map->nparts = 0;
	for (; at < n && map->nparts < EB_MODBUS_MAX_COUNT; at++)
	{
		const EbModbusRegister *next = &registers[at];
		int end = span(first, next);

		if (end > max_count && at > from)
			break;
		if (end > count)
			count = end;
		map->part[map->nparts++] =
			(EbModbusPart){.index = next->addr - first->addr, .id = next->code, .form = next->form};
	}
	return eb_modbus_read(unit, first->fc, first->addr, (unsigned) count, request) ? at : -1;
}
