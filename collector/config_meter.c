/*
 * config_meter.c -- the groups "models", "meters" and "registers" of the configuration file
 * In:  their settings. Out: EbModelConf, EbMeterConf, EbRegisterConf with defaults filled in.
 * Meaning of each key: doc/collector.md.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config_key.h"
#include "protocol.h"
#include "register.h"

/* Registers of one Modbus reply that every meter gives, unless its model says otherwise. */
#define DEFAULT_COUNT 60

static const EbKey model_keys[] = {
	EB_KEY_TEXT_OF("name", EbModelConf, name, true),
	EB_KEY_OTHER_OF("protocol"),
	EB_KEY_OTHER_OF("registers"),
	EB_KEY_INT_OF("max_registers", EbModelConf, max_count, 1, EB_MODBUS_MAX_COUNT),
	EB_KEY_END,
};
static const EbKey register_keys[] = {
	EB_KEY_TEXT_OF("code", EbRegisterConf, code, true),
	EB_KEY_TEXT_OF("item", EbRegisterConf, item, false),
	EB_KEY_TEXT_OF("di", EbRegisterConf, item, false), /* item of dlt645 */
	EB_KEY_TEXT_OF("unit", EbRegisterConf, unit, false),
	EB_KEY_OTHER_OF("protocol"),
	EB_KEY_END,
};

/* A Modbus register as it stands in the file. */
typedef struct ModbusKeys
{
	const char *code;
	const char *type;
	const char *order;
	const char *scale;
	const char *unit;
	const char *invalid;
	int fc;
	int addr;
} ModbusKeys;

static const EbKey modbus_keys[] = {
	EB_KEY_TEXT_OF("code", ModbusKeys, code, true),
	EB_KEY_TEXT_OF("type", ModbusKeys, type, true),
	EB_KEY_TEXT_OF("order", ModbusKeys, order, false),
	EB_KEY_TEXT_OF("scale", ModbusKeys, scale, false),
	EB_KEY_TEXT_OF("unit", ModbusKeys, unit, false),
	EB_KEY_TEXT_OF("invalid", ModbusKeys, invalid, false),
	EB_KEY_INT_OF("fc", ModbusKeys, fc, EB_MODBUS_HOLDING, EB_MODBUS_INPUT),
	EB_KEY_INT_OF("addr", ModbusKeys, addr, 0, 65535),
	EB_KEY_END,
};
static const EbKey meter_keys[] = {
	EB_KEY_TEXT_OF("serial", EbMeterConf, serial, true),
	EB_KEY_TEXT_OF("address", EbMeterConf, address, false),
	EB_KEY_OTHER_OF("port"),
	EB_KEY_INT_OF("interval", EbMeterConf, interval_s, 0, 86400),
	EB_KEY_INT_OF("offset", EbMeterConf, offset_s, 0, 43200),
	EB_KEY_INT_OF("decimals", EbMeterConf, decimals, 0, 3),
	EB_KEY_INT_OF("max_kw", EbMeterConf, max_kw, 0, 1000000),
	EB_KEY_BOOL_OF("freeze", EbMeterConf, freeze),
	EB_KEY_OTHER_OF("utc_offset"),
	EB_KEY_OTHER_OF("read"),
	EB_KEY_OTHER_OF("registers"),
	EB_KEY_OTHER_OF("model"),
	EB_KEY_OTHER_OF("map"),
	EB_KEY_OTHER_OF("identity"),
	EB_KEY_END,
};

/* "0001FF00"; of DL/T 645-1997 "901F" */
static bool
parse_identifier(const char *text, size_t digits, uint32_t *identifier)
{
	if (strlen(text) != digits || strspn(text, "0123456789ABCDEFabcdef") != digits)
		return false;
	*identifier = (uint32_t) strtoul(text, NULL, 16);
	return true;
}

static bool
parse_form(EbConfig *conf, const config_setting_t *group, const ModbusKeys *keys,
		   EbModbusForm *form)
{
	char *end = NULL;

	form->unit = keys->unit;
	if (!eb_modbus_type_parse(keys->type, strlen(keys->type), &form->type))
		eb_config_error(conf, group, "unknown type \"%s\"", keys->type);
	else if (!eb_modbus_order_parse(keys->order, strlen(keys->order), &form->order))
		eb_config_error(conf, group, "unknown order \"%s\"", keys->order);
	else if (!eb_modbus_scale_parse(keys->scale, strlen(keys->scale), form))
		eb_config_error(
			conf, group,
			"scale must be a decimal in quotes like \"0.01\" or \"1/1600\", no fraction of a float32");
	else
	{
		form->has_invalid = keys->invalid != NULL;
		if (form->has_invalid)
			form->invalid = strtoull(keys->invalid, &end, 16);
		if (!form->has_invalid || (end != keys->invalid && *end == '\0'))
			return true;
		eb_config_error(conf, group, "invalid must be hex digits like \"FFFFFFFF\"");
	}
	return false;
}

static void
read_modbus(EbConfig *conf, const config_setting_t *group, EbModbusRegister *reg)
{
	ModbusKeys keys = {.order = "ABCD", .scale = "1", .unit = "kWh", .fc = -1, .addr = -1};

	if (!eb_key_group(conf, group, modbus_keys, &keys))
		return;
	if (keys.fc < 0 || keys.addr < 0)
	{
		eb_config_error(conf, group, "a Modbus register has code, fc, addr and type");
		return;
	}
	reg->code = keys.code;
	reg->fc = (uint8_t) keys.fc;
	reg->addr = (uint16_t) keys.addr;
	parse_form(conf, group, &keys, &reg->form);
}

static void
read_register(EbConfig *conf, const config_setting_t *group, EbRegisterConf *reg,
			  const EbProtocol *of_model)
{
	const char *name;

	reg->source = group;
	if (!eb_key_group(conf, group, register_keys, reg))
		return;
	name = eb_key_text(conf, group, "protocol", "dlt645");
	if (of_model != NULL)
		reg->protocol = *of_model;
	else if (!eb_protocol_find(name, &reg->protocol))
		eb_config_error(conf, group, "unknown protocol \"%s\"", name);
	if (reg->item == NULL)
		eb_config_error(conf, group, "\"item\" is missing");
}

static int
by_place(const void *a, const void *b)
{
	const EbModbusRegister *x = a;
	const EbModbusRegister *y = b;

	return x->fc != y->fc ? x->fc - y->fc : (int) x->addr - (int) y->addr;
}

/* The list of registers of a model, or of one meter. */
static void
read_map(EbConfig *conf, const config_setting_t *list, const char *name, EbModelConf *model)
{
	EbModbusRegister *modbus = NULL;
	int n;

	list = eb_key_list(conf, list, name, &n);
	if (n < 1 || n > EB_CONFIG_MAX_REGISTERS)
	{
		eb_config_error(conf, model->source, "%s takes 1 to %d registers", name,
						EB_CONFIG_MAX_REGISTERS);
		return;
	}
	if (model->protocol == EB_PROTOCOL_MODBUS)
		model->modbus = modbus = eb_config_memory(conf, (size_t) n * sizeof(EbModbusRegister));
	else
		model->reg = eb_config_memory(conf, (size_t) n * sizeof(EbRegisterConf));
	for (int i = 0; i < n; i++)
	{
		const config_setting_t *at =
			config_setting_get_elem((config_setting_t *) list, (unsigned) i);

		if (modbus != NULL)
			read_modbus(conf, at, &modbus[model->nmodbus++]);
		else if (model->reg != NULL)
			read_register(conf, at, &model->reg[model->nregisters++], &model->protocol);
	}
	if (modbus != NULL)
		qsort(modbus, (size_t) model->nmodbus, sizeof(*modbus), by_place);
}

static void
read_model(EbConfig *conf, const config_setting_t *group, EbModelConf *model)
{
	const char *name;

	model->source = group;
	model->print = eb_key_print(group);
	model->max_count = DEFAULT_COUNT;
	if (!eb_key_group(conf, group, model_keys, model))
		return;
	name = eb_key_text(conf, group, "protocol", "modbus");
	if (!eb_protocol_find(name, &model->protocol))
		eb_config_error(conf, group, "unknown protocol \"%s\"", name);
	else
		read_map(conf, eb_key_member(group, "registers"), "registers", model);
}

/* A model of the file, or one of the list of Modbus meters. */
static const EbModelConf *
find_model(EbConfig *conf, const char *name)
{
	const EbModbusMeter *ready = eb_modbus_meter_find(name);
	EbModelConf *model;

	for (int i = 0; i < conf->nmodels; i++)
		if (conf->model[i].name != NULL && strcmp(conf->model[i].name, name) == 0)
			return &conf->model[i];
	model = ready != NULL ? eb_config_memory(conf, sizeof(EbModelConf)) : NULL;
	if (model != NULL)
		*model = (EbModelConf){.name = ready->name,
							   .protocol = EB_PROTOCOL_MODBUS,
							   .nmodbus = ready->nregisters,
							   .modbus = ready->registers,
							   .max_count = ready->max_count};
	return model;
}

static void
take_model(EbConfig *conf, const config_setting_t *group, EbMeterConf *meter)
{
	const config_setting_t *map = eb_key_member(group, "map");
	const char *name = eb_key_text(conf, group, "model", NULL);
	EbModelConf *own;

	if (map != NULL && name != NULL)
		eb_config_error(conf, group, "a meter has a model or a map");
	if (name != NULL)
	{
		meter->model = find_model(conf, name);
		if (meter->model == NULL)
			eb_config_error(conf, group, "there is no model \"%s\"", name);
		else if (meter->model->protocol != meter->port->protocol)
			eb_config_error(conf, group, "model \"%s\" is of another protocol", name);
	}
	else if (map != NULL && (own = eb_config_memory(conf, sizeof(EbModelConf))) != NULL)
	{
		own->protocol = meter->port->protocol;
		own->max_count = DEFAULT_COUNT;
		own->source = group;
		own->print = meter->print;
		read_map(conf, map, "map", own);
		meter->model = own;
	}
}

/*
 * The registers of the model that the meter is asked for: energies, those named or all. A meter of
 * the list of Modbus meters has values under names too; only codes begin with a digit.
 */
static void
choose_modbus(EbConfig *conf, EbMeterConf *meter)
{
	const EbModelConf *model = meter->model;
	EbModbusRegister *chosen;

	if (meter->port->protocol != EB_PROTOCOL_MODBUS || model == NULL)
		return;
	chosen = eb_config_memory(conf, (size_t) model->nmodbus * sizeof(EbModbusRegister));
	for (int i = 0; chosen != NULL && i < model->nmodbus; i++)
	{
		const EbModbusRegister *reg = &model->modbus[i];

		/* no code: the register was refused, and the file with it */
		if (reg->code != NULL && eb_register_wanted(meter, reg->code) &&
			eb_register_is_energy(reg->form.unit) &&
			(model->source != NULL || isdigit((unsigned char) reg->code[0])))
			chosen[meter->nmodbus++] = *reg;
	}
	meter->modbus = chosen;
}

/* What a meter of that protocol is asked for when its group does not say. */
static void
default_read(EbMeterConf *meter)
{
	static const uint32_t forward_2007 = 0x0001FF00;
	static const uint32_t forward_1997 = 0x901F;
	static const uint32_t forward_698 = 0x00100200;

	meter->read = meter->port->protocol == EB_PROTOCOL_DLT645		 ? &forward_2007
				  : meter->port->protocol == EB_PROTOCOL_DLT645_1997 ? &forward_1997
				  : meter->port->protocol == EB_PROTOCOL_DLT698		 ? &forward_698
																	 : NULL;
	meter->nread = meter->read != NULL;
}

static void
take_read(EbConfig *conf, const config_setting_t *group, EbMeterConf *meter)
{
	bool is_1997 = meter->port->protocol == EB_PROTOCOL_DLT645_1997;
	const char *const *text;
	uint32_t *read;
	int n;

	default_read(meter);
	text = eb_key_texts(conf, group, "read", EB_CONFIG_MAX_READ, &n);
	if (text == NULL)
		return;
	if (meter->read == NULL)
	{
		eb_config_error(conf, group, "read: meters of this protocol have no identifiers");
		return;
	}
	meter->read = read = eb_config_memory(conf, (size_t) n * sizeof(uint32_t));
	meter->nread = read != NULL ? n : 0;
	for (int i = 0; i < meter->nread; i++)
		if (!parse_identifier(text[i], is_1997 ? 4 : 8, &read[i]))
			eb_config_error(conf, group, "read takes identifiers like \"%s\"",
							is_1997 ? "901F" : "0001FF00");
}

static bool
is_hex(const char *text, size_t digits)
{
	return strlen(text) == digits && strspn(text, "0123456789ABCDEFabcdef") == digits;
}

/* A serial that has the form of the number the device itself tells is compared with it. */
static void
take_identity(EbConfig *conf, const config_setting_t *group, EbMeterConf *meter)
{
	EbProtocol protocol = meter->port->protocol;
	bool numbered = (protocol <= EB_PROTOCOL_DLT645_1997 || protocol == EB_PROTOCOL_DLT698)
						? is_hex(meter->serial, 12)
						: protocol == EB_PROTOCOL_MBUS && is_hex(meter->serial, 8);

	meter->identity = eb_key_text(conf, group, "identity", numbered ? meter->serial : "");
	if (meter->identity[0] == '\0')
		meter->identity = NULL;
}

static const EbPortConf *
find_port(const EbConfig *conf, const char *name)
{
	for (int i = 0; i < conf->nports; i++)
		if (conf->port[i].name != NULL && strcmp(conf->port[i].name, name) == 0)
			return &conf->port[i];
	return NULL;
}

static void
read_meter(EbConfig *conf, const config_setting_t *group, EbMeterConf *meter)
{
	const char *port;
	const char *offset;

	meter->source = group;
	meter->print = eb_key_print(group);
	meter->decimals = 3;
	if (!config_setting_is_group(group))
	{
		eb_config_error(conf, group, "a meter is a group { ... }");
		return;
	}
	port = eb_key_text(conf, group, "port", "");
	meter->port = find_port(conf, port);
	if (meter->port == NULL)
		eb_config_error(conf, group, "there is no port \"%s\"", port);
	else
		meter->interval_s = eb_protocol(meter->port->protocol)->interval_s;
	meter->has_offset = eb_key_member(group, "utc_offset") != NULL;
	offset = eb_key_text(conf, group, "utc_offset", "+08:00");
	if (!eb_clock_parse_offset(offset, &meter->utc_offset_s))
		eb_config_error(conf, group, "utc_offset must be like \"+08:00\", not \"%s\"", offset);
	if (!eb_key_group(conf, group, meter_keys, meter) || meter->port == NULL)
		return;
	if (meter->address == NULL)
		meter->address = eb_protocol(meter->port->protocol)->named ? meter->serial : "";
	meter->code = eb_key_texts(conf, group, "registers", EB_CONFIG_MAX_CODES, &meter->ncodes);
	take_read(conf, group, meter);
	take_model(conf, group, meter);
	choose_modbus(conf, meter);
	take_identity(conf, group, meter);
	meter->reads = !meter->port->listens && (meter->nread > 0 || meter->nmodbus > 0 ||
											 meter->port->protocol == EB_PROTOCOL_MBUS ||
											 meter->port->protocol == EB_PROTOCOL_IEC62056);
}

void
eb_config_read_meters(EbConfig *conf)
{
	const config_setting_t *at;

	conf->model = eb_key_array(conf, "models", sizeof(EbModelConf), &conf->nmodels, &at);
	for (int i = 0; i < conf->nmodels; i++)
		read_model(conf, config_setting_get_elem((config_setting_t *) at, (unsigned) i),
				   &conf->model[i]);
	conf->meter = eb_key_array(conf, "meters", sizeof(EbMeterConf), &conf->nmeters, &at);
	for (int i = 0; i < conf->nmeters; i++)
		read_meter(conf, config_setting_get_elem((config_setting_t *) at, (unsigned) i),
				   &conf->meter[i]);
	conf->reg = eb_key_array(conf, "registers", sizeof(EbRegisterConf), &conf->nregisters, &at);
	conf->registers_print = eb_key_print(at);
	for (int i = 0; i < conf->nregisters; i++)
		read_register(conf, config_setting_get_elem((config_setting_t *) at, (unsigned) i),
					  &conf->reg[i], NULL);
}
