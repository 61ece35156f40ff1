/*
 * config_check.c -- the values of a configuration against each other
 * In:  EbConfig as read, each value of the right kind and in its range.
 * Out: errors for what cannot work: two things of one name, an address no meter can have, an
 *      identifier nobody could book, a password, a bus with more to do than time.
 */
#include <libpq-fe.h>
#include <string.h>

#include "codec/dlt645.h"
#include "config.h"
#include "plan.h"
#include "sched.h"

#define MAX_SERIAL 64

/* The daily freeze gives the registers of this block. */
#define FREEZE_AS 0x0001FF00

/* A first column as csvline.c takes it. */
#define CSV_METER "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-"

/* 8-4-4-4-12 hex digits */
static bool
is_uuid(const char *text)
{
	if (strlen(text) != 36)
		return false;
	for (int i = 0; i < 36; i++)
	{
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : strchr("0123456789abcdefABCDEF", text[i]) == NULL)
			return false;
	}
	return true;
}

/* Bytes of the UTF-8 character at text; 0 when it is none. The database refuses what is not. */
static size_t
utf8_size(const unsigned char *text)
{
	size_t size = text[0] < 0x80			 ? 1
				  : (text[0] & 0xE0) == 0xC0 ? 2
				  : (text[0] & 0xF0) == 0xE0 ? 3
				  : (text[0] & 0xF8) == 0xF0 ? 4
											 : 0;

	for (size_t i = 1; i < size; i++)
		if ((text[i] & 0xC0) != 0x80)
			return 0;
	/* longer than needed, half of a surrogate pair, beyond Unicode */
	if ((size == 2 && text[0] < 0xC2) || (text[0] == 0xE0 && text[1] < 0xA0) ||
		(text[0] == 0xED && text[1] > 0x9F) || (text[0] == 0xF0 && text[1] < 0x90) ||
		(text[0] == 0xF4 && text[1] > 0x8F) || text[0] > 0xF4)
		return 0;
	return size;
}

static bool
is_plain(const char *text, size_t max)
{
	const unsigned char *at = (const unsigned char *) text;
	size_t size = 1;

	for (; *at != 0 && size > 0; at += size)
		size = *at < 0x20 || *at == 0x7f ? 0 : utf8_size(at);
	return size > 0 && text[0] != '\0' && strlen(text) <= max;
}

/* Credentials belong into the service file or .pgpass. */
static void
check_conninfo(EbConfig *conf)
{
	const config_setting_t *at = config_lookup(&conf->source, "database.conninfo");
	char *message = NULL;
	PQconninfoOption *options = PQconninfoParse(conf->conninfo, &message);

	if (options == NULL)
		eb_config_error(conf, at, "conninfo: %.*s",
						message != NULL ? (int) strcspn(message, "\n") : 0,
						message != NULL ? message : "");
	for (const PQconninfoOption *option = options; option != NULL && option->keyword; option++)
		if (option->val != NULL && strstr(option->keyword, "password") != NULL)
			eb_config_error(conf, at,
							"a password does not belong here: use the service file or .pgpass");
	PQconninfoFree(options);
	PQfreemem(message);
}

static void
check_ports(EbConfig *conf)
{
	for (int i = 0; i < conf->nports; i++)
		for (int j = 0; j < i; j++)
		{
			const EbPortConf *port = &conf->port[i];

			if (strcmp(port->name, conf->port[j].name) == 0)
				eb_config_error(conf, port->source, "port \"%s\" is there twice", port->name);
			if (strcmp(port->path, conf->port[j].path) == 0)
				eb_config_error(conf, port->source, "path \"%s\" is there twice", port->path);
		}
}

/* Whether di, a block or a single identifier, gives a register of the meter; that code or any. */
static bool
gives_code(const EbConfig *conf, const EbMeterConf *meter, uint32_t di, const char *wanted)
{
	bool is_block = eb_plan_is_block(di);
	char code[EB_CODE_SIZE];

	for (uint32_t tariff = 0; tariff <= (is_block ? 0x3F : 0); tariff++)
		if (eb_config_code(conf, meter, is_block ? (di & 0xFFFF00FF) | tariff << 8 : di, code) &&
			(wanted == NULL || strcmp(code, wanted) == 0))
			return true;
	return false;
}

/* Everything the meter is asked for must end in a register, and each register must be asked for. */
static void
check_read(EbConfig *conf, const EbMeterConf *meter)
{
	for (int i = 0; i < meter->nread; i++)
		if (!gives_code(conf, meter, meter->read[i], NULL))
			eb_config_error(conf, meter->source, "%08X gives no register of this meter",
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

static void
check_dlt645(EbConfig *conf, const EbMeterConf *meter)
{
	if (!eb_dlt645_address_ok(meter->address) ||
		(eb_dlt645_wildcard(meter->address) && strcmp(meter->address, "AAAAAAAAAAAA") != 0))
		eb_config_error(conf, meter->source,
						"address must be 12 digits, or AAAAAAAAAAAA for a meter alone on its bus");
	if (meter->interval_s < 1 || 86400 % meter->interval_s != 0)
		eb_config_error(conf, meter->source, "interval must divide the day");
	if (meter->offset_s * 2 >= meter->interval_s)
		eb_config_error(conf, meter->source, "offset must be less than half the interval");
	if (meter->nread == 0 && !meter->freeze)
		eb_config_error(conf, meter->source, "nothing to read");
	check_read(conf, meter);
}

static void
check_csvline(EbConfig *conf, const EbMeterConf *meter)
{
	static const char *const pull_only[] = {"read", "freeze", "offset"};

	for (size_t i = 0; i < sizeof(pull_only) / sizeof(pull_only[0]); i++)
		if (config_setting_get_member((config_setting_t *) meter->source, pull_only[i]) != NULL)
			eb_config_error(conf, meter->source, "%s: a meter on a CSV line cannot be asked",
							pull_only[i]);
	if (meter->interval_s != 0 && 86400 % meter->interval_s != 0)
		eb_config_error(conf, meter->source, "interval must divide the day");
	if (meter->address[0] == '\0' || meter->address[strspn(meter->address, CSV_METER)] != '\0' ||
		strlen(meter->address) > MAX_SERIAL)
		eb_config_error(conf, meter->source, "address cannot be the first column of a line");
	if (meter->ncodes > 1)
		eb_config_error(conf, meter->source, "a CSV line has one register");
	if (meter->ncodes == 1 && !is_plain(meter->code[0], EB_CODE_SIZE - 1))
		eb_config_error(conf, meter->source, "a register code has 1 to %d printable bytes",
						EB_CODE_SIZE - 1);
}

/* Rows are kWh: volts under the code of an energy would be billed. */
static void
check_registers(EbConfig *conf)
{
	static const uint8_t zero[4];
	static EbFrame frame;
	const config_setting_t *at = config_lookup(&conf->source, "registers");

	for (int i = 0; i < conf->nregisters; i++)
	{
		const EbRegisterConf *reg = &conf->reg[i];

		if (!is_plain(reg->code, EB_CODE_SIZE - 1))
			eb_config_error(conf, at, "a register code has 1 to %d printable bytes",
							EB_CODE_SIZE - 1);
		if (eb_plan_is_block(reg->di) ||
			eb_dlt645_items(reg->di, zero, sizeof(zero), &frame) != EB_FRAME_OK ||
			strcmp(frame.items[0].unit, "kWh") != 0)
			eb_config_error(conf, at, "%08X is no single energy in kWh", (unsigned) reg->di);
		for (int j = 0; j < i; j++)
			if (reg->di == conf->reg[j].di)
				eb_config_error(conf, at, "%08X is there twice", (unsigned) reg->di);
	}
}

static void
check_meters(EbConfig *conf)
{
	for (int i = 0; i < conf->nmeters; i++)
	{
		const EbMeterConf *meter = &conf->meter[i];

		if (!is_plain(meter->serial, MAX_SERIAL))
			eb_config_error(conf, meter->source, "serial must have 1 to %d printable bytes",
							MAX_SERIAL);
		if (meter->port->protocol == EB_PROTOCOL_DLT645)
			check_dlt645(conf, meter);
		else
			check_csvline(conf, meter);
		for (int j = 0; j < i; j++)
		{
			const EbMeterConf *other = &conf->meter[j];

			if (strcmp(meter->serial, other->serial) == 0)
				eb_config_error(conf, meter->source, "meter \"%s\" is there twice", meter->serial);
			if (meter->port != other->port)
				continue;
			if (strcmp(meter->address, other->address) == 0)
				eb_config_error(conf, meter->source, "address \"%s\" is there twice",
								meter->address);
			if (eb_dlt645_wildcard(meter->address) != eb_dlt645_wildcard(other->address) &&
				meter->port->protocol == EB_PROTOCOL_DLT645)
				eb_config_error(conf, meter->source,
								"address AAAAAAAAAAAA needs a bus with one meter");
		}
	}
}

static void
check_budgets(EbConfig *conf)
{
	for (int i = 0; i < conf->nports; i++)
	{
		EbBudget budget = eb_sched_budget(conf, &conf->port[i]);

		if (budget.cost_ms > budget.interval_ms)
			eb_config_error(
				conf, conf->port[i].source,
				"bus \"%s\" needs up to %lld s for its %d meters, more than the interval "
				"of %lld s",
				conf->port[i].name, (long long) (budget.cost_ms + 999) / 1000, budget.nmeters,
				(long long) budget.interval_ms / 1000);
	}
}

void
eb_config_check(EbConfig *conf)
{
	if (!is_uuid(conf->id))
		eb_config_error(conf, config_lookup(&conf->source, "collector.id"), "id must be a uuid");
	check_conninfo(conf);
	check_ports(conf);
	check_meters(conf);
	check_registers(conf);
	if (conf->nmeters == 0)
		eb_config_error(conf, NULL, "no meter is configured");
	if (conf->nerrors == 0)
		check_budgets(conf);
}
