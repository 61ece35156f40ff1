/*
 * config_check_meter.c -- the meters and registers of a configuration against each other
 * In:  EbConfig as read, each value of the right kind and in its range.
 * Out: errors for what cannot work: two meters of one name, an address no meter can have, a key that
 *      means nothing to its protocol, an identifier nobody could book.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_key.h"
#include "json.h"
#include "protocol.h"
#include "register.h"

#define MAX_SERIAL 64
#define WILDCARD "AAAAAAAAAAAA"

/* The daily freeze gives the registers of this block. */
#define FREEZE_AS 0x0001FF00

/* A first column as csvline.c takes it. */
#define CSV_METER "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-"

static bool
is_plain(const char *text, size_t max)
{
	const char *at = text;
	size_t size = 1;

	/* the database refuses what is not UTF-8 */
	for (; *at != '\0' && size > 0; at += size)
		size = (unsigned char) *at < 0x20 || *at == 0x7f ? 0 : eb_utf8_size(at);
	return size > 0 && text[0] != '\0' && strlen(text) <= max;
}

static void
check_code(EbConfig *conf, const config_setting_t *at, const char *code)
{
	if (!is_plain(code, EB_CODE_SIZE - 1))
		eb_config_error(conf, at, "a register code has 1 to %d printable bytes", EB_CODE_SIZE - 1);
}

/* Whether an identifier, a block or a single one, gives a register of the meter; that code or any. */
static bool
gives_code(const EbConfig *conf, const EbMeterConf *meter, uint32_t identifier, const char *wanted)
{
	EbProtocol protocol = meter->port->protocol;
	uint32_t unit = protocol == EB_PROTOCOL_DLT645 ? 0x100 : 1; /* from one tariff to the next */
	uint32_t mask = protocol == EB_PROTOCOL_DLT645	 ? 0xFF00
					: protocol == EB_PROTOCOL_DLT698 ? 0xFF
													 : 0xF;
	bool is_block = (identifier & mask) == (protocol == EB_PROTOCOL_DLT698 ? 0 : mask);
	uint32_t last = is_block ? mask / unit : 0;
	char code[EB_CODE_SIZE];
	const char *unit_of;

	for (uint32_t tariff = 0; tariff <= last && tariff < 64; tariff++)
	{
		char item[9];

		snprintf(item, sizeof(item), "%0*X", protocol == EB_PROTOCOL_DLT645_1997 ? 4 : 8,
				 is_block ? (unsigned) ((identifier & ~mask) | tariff * unit)
						  : (unsigned) identifier);
		if (eb_register_code(conf, meter, item, code, &unit_of) &&
			(wanted == NULL || strcmp(code, wanted) == 0))
			return true;
	}
	return false;
}

/* Everything the meter is asked for must end in a register, and each register must be asked for. */
static void
check_read(EbConfig *conf, const EbMeterConf *meter)
{
	for (int i = 0; i < meter->nread; i++)
		if (!gives_code(conf, meter, meter->read[i], NULL))
			eb_config_error(conf, meter->source, "%0*X gives no register of this meter",
							meter->port->protocol == EB_PROTOCOL_DLT645_1997 ? 4 : 8,
							(unsigned) meter->read[i]);
	for (int k = 0; k < meter->ncodes; k++)
	{
		bool found = meter->freeze && gives_code(conf, meter, FREEZE_AS, meter->code[k]);

		for (int i = 0; i < meter->nread && !found; i++)
			found = gives_code(conf, meter, meter->read[i], meter->code[k]);
		if (!found)
			eb_config_error(conf, meter->source, "nothing that is read gives register \"%s\"",
							meter->code[k]);
	}
}

/* Registers that no request can reach: beyond the last address, or wider than a reply may be. */
static void
check_reach(EbConfig *conf, const EbMeterConf *meter)
{
	EbModbusRequest request;
	EbModbusMap map;

	for (int from = 0, next; from < meter->nmodbus; from = next)
	{
		next = eb_modbus_gather(meter->modbus, meter->nmodbus, from, meter->model->max_count, 1,
								&request, &map);
		if (next >= 0)
			continue;
		eb_config_error(conf, meter->source, "register \"%s\" cannot be asked for",
						meter->modbus[from].code);
		return;
	}
}

static void
check_modbus(EbConfig *conf, const EbMeterConf *meter)
{
	if (meter->model == NULL)
		eb_config_error(conf, meter->source, "a Modbus meter needs a model or a map");
	else if (meter->nmodbus == 0)
		eb_config_error(conf, meter->source, "its model has none of its registers in Wh or kWh");
	check_reach(conf, meter);
	for (int k = 0; k < meter->ncodes && meter->model != NULL; k++)
	{
		bool found = false;

		for (int i = 0; i < meter->nmodbus && !found; i++)
			found = strcmp(meter->modbus[i].code, meter->code[k]) == 0;
		if (!found)
			eb_config_error(conf, meter->source, "its model has no register \"%s\" in Wh or kWh",
							meter->code[k]);
	}
}

/* A whole number of that range. */
static bool
is_number(const char *text, int min, int max)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits < 4 && text[digits] == '\0' && strtol(text, NULL, 10) >= min &&
		   strtol(text, NULL, 10) <= max;
}

static bool
is_hex(const char *text)
{
	return text[strspn(text, "0123456789ABCDEF")] == '\0' && strlen(text) % 2 == 0 &&
		   strlen(text) <= MAX_SERIAL;
}

/* What its protocol takes as an address; "" is told apart where the line names nobody. */
static const char *
address_fault(const EbMeterConf *meter)
{
	const char *address = meter->address;
	EbIec62056Request request;

	switch (meter->port->protocol)
	{
		case EB_PROTOCOL_DLT645:
		case EB_PROTOCOL_DLT645_1997:
			if (!eb_dlt645_address_ok(address) ||
				(eb_dlt645_wildcard(address) && strcmp(address, WILDCARD) != 0))
				return "address must be 12 digits, or AAAAAAAAAAAA for a meter alone on its bus";
			return NULL;
		case EB_PROTOCOL_DLT698:
			return eb_dlt698_address_ok(address) ? NULL : "address must be 2 to 32 digits";
		case EB_PROTOCOL_MODBUS:
			return is_number(address, 1, 247) ? NULL : "address must be a unit from 1 to 247";
		case EB_PROTOCOL_MBUS:
			return is_number(address, 0, EB_MBUS_LAST_METER) ||
						   is_number(address, EB_MBUS_ANY, EB_MBUS_ANY)
					   ? NULL
					   : "address must be 0 to 250, or 254 for a meter alone on its bus";
		case EB_PROTOCOL_IEC62056:
			return eb_iec62056_sign_on(address, &request)
					   ? NULL
					   : "address has at most 32 letters or digits";
		case EB_PROTOCOL_CSVLINE:
			return address[0] == '\0' || address[strspn(address, CSV_METER)] != '\0' ||
						   strlen(address) > MAX_SERIAL
					   ? "address cannot be the first column of a line"
					   : NULL;
		case EB_PROTOCOL_P1:
			return address[0] == '\0' ? NULL : "address: a P1 telegram names nobody";
		default: /* SML, HDLC: hex as the codec writes it */
			return is_hex(address) ? NULL : "address must be hex digits, in pairs, in capitals";
	}
}

/* Keys that mean nothing to meters of another protocol. */
static void
check_keys(EbConfig *conf, const EbMeterConf *meter)
{
	static const char *const pull_only[] = {"offset", "freeze", "read"};
	EbProtocol protocol = meter->port->protocol;

	for (size_t i = 0; i < sizeof(pull_only) / sizeof(pull_only[0]) && meter->port->listens; i++)
		if (eb_key_member(meter->source, pull_only[i]) != NULL)
			eb_config_error(conf, meter->source,
							"%s: a meter that speaks by itself cannot be asked", pull_only[i]);
	if (meter->freeze && protocol != EB_PROTOCOL_DLT645)
		eb_config_error(conf, meter->source, "freeze: only meters of dlt645 have one");
	if (meter->model != NULL && protocol == EB_PROTOCOL_CSVLINE)
		eb_config_error(conf, meter->source, "a CSV line has no model");
	if (protocol == EB_PROTOCOL_CSVLINE && meter->ncodes > 1)
		eb_config_error(conf, meter->source, "a CSV line has one register");
	if (protocol == EB_PROTOCOL_CSVLINE && eb_key_member(meter->source, "identity") != NULL)
		eb_config_error(conf, meter->source, "identity: a CSV line is known by its first column");
	if (protocol == EB_PROTOCOL_MODBUS && meter->identity != NULL)
		eb_config_error(conf, meter->source, "identity: a Modbus meter does not tell who it is");
	for (int k = 0; k < meter->ncodes; k++)
		check_code(conf, meter->source, meter->code[k]);
}

static void
check_times(EbConfig *conf, const EbMeterConf *meter)
{
	bool asked = !meter->port->listens;

	if ((asked && meter->interval_s < 1) ||
		(meter->interval_s > 0 && 86400 % meter->interval_s != 0))
		eb_config_error(conf, meter->source, "interval must divide the day");
	else if (asked && meter->offset_s * 2 >= meter->interval_s)
		eb_config_error(conf, meter->source, "offset must be less than half the interval");
}

/* M-Bus records have no meaning without a model or the registers section. */
static void
check_mbus(EbConfig *conf, const EbMeterConf *meter)
{
	bool known = meter->model != NULL && meter->model->nregisters > 0;

	for (int i = 0; i < conf->nregisters && !known; i++)
		known = conf->reg[i].protocol == EB_PROTOCOL_MBUS;
	if (!known)
		eb_config_error(
			conf, meter->source,
			"a meter of M-Bus needs a model, a map or registers that say what its records are");
}

static void
check_meter(EbConfig *conf, const EbMeterConf *meter)
{
	const char *fault = address_fault(meter);

	if (!is_plain(meter->serial, MAX_SERIAL))
		eb_config_error(conf, meter->source, "serial must have 1 to %d printable bytes",
						MAX_SERIAL);
	if (fault != NULL)
		eb_config_error(conf, meter->source, "%s", fault);
	check_keys(conf, meter);
	check_times(conf, meter);
	if (!meter->port->listens && !meter->reads && !meter->freeze &&
		meter->port->protocol != EB_PROTOCOL_MODBUS)
		eb_config_error(conf, meter->source, "nothing to read");
	if (meter->port->protocol == EB_PROTOCOL_MODBUS)
		check_modbus(conf, meter);
	else if (meter->port->protocol == EB_PROTOCOL_MBUS)
		check_mbus(conf, meter);
	else if (meter->read != NULL || meter->freeze)
		check_read(conf, meter);
}

static int
by_serial(const void *a, const void *b)
{
	return strcmp((*(const EbMeterConf *const *) a)->serial,
				  (*(const EbMeterConf *const *) b)->serial);
}

static int
by_address(const void *a, const void *b)
{
	const EbMeterConf *x = *(const EbMeterConf *const *) a;
	const EbMeterConf *y = *(const EbMeterConf *const *) b;

	return x->port != y->port ? (x->port < y->port ? -1 : 1) : strcmp(x->address, y->address);
}

/* An address that whoever hears it answers. */
static bool
is_wild(const EbMeterConf *meter)
{
	switch (meter->port->protocol)
	{
		case EB_PROTOCOL_DLT645:
		case EB_PROTOCOL_DLT645_1997:
		case EB_PROTOCOL_DLT698:
			return meter->address[0] == 'A';
		case EB_PROTOCOL_IEC62056:
			return meter->address[0] == '\0';
		case EB_PROTOCOL_MBUS:
			return is_number(meter->address, EB_MBUS_ANY, EB_MBUS_ANY);
		default:
			return false;
	}
}

/* sorted: by port and address. */
static void
check_bus(EbConfig *conf, const EbMeterConf *meter, const EbMeterConf *other)
{
	if (meter->port != other->port)
		return;
	if (strcmp(meter->address, other->address) == 0)
		eb_config_error(conf, meter->source, "address \"%s\" is there twice", meter->address);
	if (!meter->port->listens && is_wild(meter) != is_wild(other))
		eb_config_error(conf, meter->source, "address \"%s\" needs a bus with one meter",
						is_wild(meter) ? meter->address : other->address);
}

/* Twice the same serial, or address on a bus: neighbours when sorted. */
static void
check_twice(EbConfig *conf)
{
	const EbMeterConf **sorted = eb_config_memory(conf, (size_t) conf->nmeters * sizeof(*sorted));

	if (sorted == NULL)
		return;
	for (int i = 0; i < conf->nmeters; i++)
		sorted[i] = &conf->meter[i];
	qsort(sorted, (size_t) conf->nmeters, sizeof(*sorted), by_serial);
	for (int i = 1; i < conf->nmeters; i++)
		if (strcmp(sorted[i]->serial, sorted[i - 1]->serial) == 0)
			eb_config_error(conf, sorted[i]->source, "meter \"%s\" is there twice",
							sorted[i]->serial);
	qsort(sorted, (size_t) conf->nmeters, sizeof(*sorted), by_address);
	for (int i = 1; i < conf->nmeters; i++)
		check_bus(conf, sorted[i], sorted[i - 1]);
}

/* An identifier of DL/T 645 stands for what the table of the codec says. */
static bool
is_single_energy(const EbRegisterConf *reg)
{
	static const uint8_t zero[4];
	static EbFrame frame;
	EbDlt645Year year = reg->protocol == EB_PROTOCOL_DLT645 ? EB_DLT645_2007 : EB_DLT645_1997;
	uint32_t di = (uint32_t) strtoul(reg->item, NULL, 16);

	return strlen(reg->item) == (year == EB_DLT645_2007 ? 8 : 4) &&
		   reg->item[strspn(reg->item, "0123456789ABCDEFabcdef")] == '\0' &&
		   eb_dlt645_items(year, di, zero, sizeof(zero), &frame) == EB_FRAME_OK &&
		   frame.nitems == 1 && strcmp(eb_frame_get(&frame, frame.items[0].unit), "kWh") == 0;
}

/* Rows are kWh: volts under the code of an energy would be billed. */
static void
check_register(EbConfig *conf, const EbRegisterConf *reg)
{
	check_code(conf, reg->source, reg->code);
	if (reg->unit != NULL && !eb_register_is_energy(reg->unit))
		eb_config_error(conf, reg->source, "unit must be Wh, kWh or MWh");
	if (reg->protocol == EB_PROTOCOL_MODBUS || reg->protocol == EB_PROTOCOL_CSVLINE)
		eb_config_error(conf, reg->source, "meters of this protocol have no such registers");
	if (reg->protocol <= EB_PROTOCOL_DLT645_1997 && !is_single_energy(reg))
		eb_config_error(conf, reg->source, "%s is no single energy in kWh", reg->item);
}

static void
check_registers(EbConfig *conf, const EbRegisterConf *reg, int n)
{
	for (int i = 0; i < n; i++)
	{
		check_register(conf, &reg[i]);
		for (int j = 0; j < i; j++)
			if (reg[i].protocol == reg[j].protocol && strcasecmp(reg[i].item, reg[j].item) == 0)
				eb_config_error(conf, reg[i].source, "%s is there twice", reg[i].item);
	}
}

static void
check_model(EbConfig *conf, const EbModelConf *model)
{
	check_registers(conf, model->reg, model->nregisters);
	for (int i = 0; i < model->nmodbus; i++)
	{
		check_code(conf, model->source, model->modbus[i].code);
		for (int j = 0; j < i; j++)
			if (strcmp(model->modbus[i].code, model->modbus[j].code) == 0)
				eb_config_error(conf, model->source, "register \"%s\" is there twice",
								model->modbus[i].code);
	}
}

void
eb_config_check_meters(EbConfig *conf)
{
	for (int i = 0; i < conf->nmeters; i++)
	{
		const EbMeterConf *meter = &conf->meter[i];

		check_meter(conf, meter);
		if (meter->model != NULL && meter->model->name == NULL) /* its own map */
			check_model(conf, meter->model);
	}
	for (int i = 0; i < conf->nmodels; i++)
	{
		check_model(conf, &conf->model[i]);
		for (int j = 0; j < i; j++)
			if (strcmp(conf->model[i].name, conf->model[j].name) == 0)
				eb_config_error(conf, conf->model[i].source, "model \"%s\" is there twice",
								conf->model[i].name);
	}
	check_twice(conf);
	check_registers(conf, conf->reg, conf->nregisters);
}
