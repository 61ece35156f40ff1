/*
 * register.c -- which register an item of a frame is stored as, and how many Wh it says
 * In:  items as the codecs write them; models and the registers section of the configuration.
 * Out: register codes; integers of Wh. Numbers are decimal text until then, never floating point.
 * Source: doc/collector.md.
 */
#include "register.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/decimal.h"
#include "codec/obis.h"

/* Highest tariff that has a code of its own. */
#define MAX_TARIFF 63

static bool
put_code(char code[EB_CODE_SIZE], unsigned direction, unsigned tariff)
{
	if (tariff > MAX_TARIFF)
		return false;
	snprintf(code, EB_CODE_SIZE, "%u.8.%u", direction, tariff);
	return true;
}

/* 0001tt00 and 0002tt00 with the tariff in decimal: 1.8.0, 1.8.1, ... */
static bool
code_2007(const char *item, char code[EB_CODE_SIZE])
{
	unsigned long di = strtoul(item, NULL, 16);

	if ((di & 0xFF0000FF) != 0 || (di >> 16 != 1 && di >> 16 != 2))
		return false;
	return put_code(code, (unsigned) (di >> 16), (unsigned) (di >> 8 & 0xFF));
}

/* 901t forward, 902t reverse, of the present month. */
static bool
code_1997(const char *item, char code[EB_CODE_SIZE])
{
	unsigned long di = strtoul(item, NULL, 16);

	if (di >> 4 != 0x901 && di >> 4 != 0x902)
		return false;
	return put_code(code, (unsigned) (di >> 4 & 0xF), (unsigned) (di & 0xF));
}

/* 0010 02 nn and 0020 02 nn, nn = 1 the total; 04: the same with four decimals. */
static bool
code_698(const char *item, char code[EB_CODE_SIZE])
{
	unsigned long oad = strtoul(item, NULL, 16);
	unsigned long what = oad >> 16;
	unsigned long attribute = oad >> 8 & 0xFF;
	unsigned long index = oad & 0xFF;

	if ((what != 0x0010 && what != 0x0020) || (attribute != 2 && attribute != 4) || index == 0)
		return false;
	return put_code(code, what == 0x0010 ? 1 : 2, (unsigned) index - 1);
}

static bool
built_in(const EbMeterConf *meter, const char *item, char code[EB_CODE_SIZE], const char **unit)
{
	switch (meter->port->protocol)
	{
		case EB_PROTOCOL_DLT645:
			return code_2007(item, code);
		case EB_PROTOCOL_DLT645_1997:
			return code_1997(item, code);
		case EB_PROTOCOL_DLT698:
			return code_698(item, code);
		case EB_PROTOCOL_IEC62056:
		case EB_PROTOCOL_P1:
		case EB_PROTOCOL_SML:
		case EB_PROTOCOL_SML_QUIRKS:
		case EB_PROTOCOL_HDLC:
			return eb_obis_register(item, code);
		case EB_PROTOCOL_CSVLINE:
			*unit = "kWh";
			snprintf(code, EB_CODE_SIZE, "%s", meter->ncodes > 0 ? meter->code[0] : "1.8.0");
			return true;
		case EB_PROTOCOL_MODBUS:
			*unit = NULL;
			snprintf(code, EB_CODE_SIZE, "%s", item);
			return true;
		default: /* records of M-Bus have no meaning without the model */
			return false;
	}
}

/* Ids are compared without case: hex digits are written both ways. */
static const EbRegisterConf *
find(const EbRegisterConf *reg, int n, EbProtocol protocol, const char *item)
{
	for (int i = 0; i < n; i++)
		if (reg[i].protocol == protocol && strcasecmp(reg[i].item, item) == 0)
			return &reg[i];
	return NULL;
}

bool
eb_register_wanted(const EbMeterConf *meter, const char *code)
{
	for (int i = 0; i < meter->ncodes; i++)
		if (strcmp(meter->code[i], code) == 0)
			return true;
	return meter->ncodes == 0;
}

bool
eb_register_code(const EbConfig *conf, const EbMeterConf *meter, const char *item,
				 char code[EB_CODE_SIZE], const char **unit)
{
	EbProtocol protocol = meter->port->protocol;
	const EbRegisterConf *reg = NULL;

	*unit = NULL;
	if (meter->model != NULL)
		reg = find(meter->model->reg, meter->model->nregisters, protocol, item);
	if (reg == NULL)
		reg = find(conf->reg, conf->nregisters, protocol, item);
	if (reg == NULL)
		return built_in(meter, item, code, unit) && eb_register_wanted(meter, code);
	*unit = reg->unit;
	snprintf(code, EB_CODE_SIZE, "%s", reg->code);
	return eb_register_wanted(meter, code);
}

/* Places of a decimal of that unit that are worth 1e-6 kWh; -1: no energy. */
static int
places_of(const char *unit)
{
	if (unit == NULL)
		return -1;
	if (strcmp(unit, "kWh") == 0)
		return EB_ENERGY_SCALE;
	if (strcmp(unit, "Wh") == 0)
		return EB_ENERGY_SCALE - 3;
	return strcmp(unit, "MWh") == 0 ? EB_ENERGY_SCALE + 3 : -1;
}

bool
eb_register_is_energy(const char *unit)
{
	return places_of(unit) >= 0;
}

bool
eb_register_wh(const char *value, const char *unit, int decimals, int64_t *wh, bool *cut)
{
	static const int64_t step_of[] = {1000000, 100000, 10000, 1000};
	int places = places_of(unit);
	const char *point = strchr(value, '.');
	size_t len = strlen(value);
	int64_t ukwh;

	*cut = false;
	if (places < 0)
		return false;
	if (point != NULL && strlen(point + 1) > (size_t) places)
	{
		len = (size_t) (point + 1 - value) + (size_t) places;
		*cut = value[len + strspn(value + len, "0")] != '\0';
		/* what is behind must be digits too */
		if (value[len + strspn(value + len, "0123456789")] != '\0')
			return false;
	}
	if (point != NULL && len == (size_t) (point + 1 - value))
		len--;
	if (eb_decimal_parse64((EbText){value, (int) len}, places, &ukwh) != EB_OK)
		return false;
	*cut = *cut || ukwh % step_of[decimals] != 0;
	*wh = (ukwh - ukwh % step_of[decimals]) / EB_WH;
	return true;
}
