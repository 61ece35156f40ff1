/*
 * config.c -- the configuration file, group by group
 * In:  a libconfig file.
 * Out: EbConfig with defaults filled in. A table per group says which keys exist, of which kind
 *      and in which range, so that a key nobody reads is an error, never a silent mistake.
 */
#include "config.h"

#include <libgen.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

typedef enum KeyKind
{
	KEY_TEXT,
	KEY_INT,
	KEY_BOOL,
	KEY_OTHER, /* read by its own function */
} KeyKind;

typedef struct Key
{
	const char *name;
	KeyKind kind;
	bool required;
	size_t offset; /* of const char *, int or bool in the structure filled */
	int min;
	int max;
} Key;

#define TEXT(name, type, field, required)                     \
	{                                                         \
		name, KEY_TEXT, required, offsetof(type, field), 0, 0 \
	}
#define INT(name, type, field, min, max)                      \
	{                                                         \
		name, KEY_INT, false, offsetof(type, field), min, max \
	}
#define BOOL(name, type, field)                            \
	{                                                      \
		name, KEY_BOOL, false, offsetof(type, field), 0, 0 \
	}
#define OTHER(name)                     \
	{                                   \
		name, KEY_OTHER, false, 0, 0, 0 \
	}
#define END                             \
	{                                   \
		NULL, KEY_OTHER, false, 0, 0, 0 \
	}

static const Key root_keys[] = {OTHER("collector"), OTHER("database"),	OTHER("ports"),
								OTHER("meters"),	OTHER("registers"), END};
static const Key collector_keys[] = {TEXT("id", EbConfig, id, true), OTHER("log"), END};
static const Key database_keys[] = {
	TEXT("conninfo", EbConfig, conninfo, false),
	INT("batch", EbConfig, batch_rows, 1, 5000),
	INT("flush_ms", EbConfig, flush_ms, 10, 60000),
	INT("queue", EbConfig, queue_rows, 100, 1000000),
	BOOL("keep_frames", EbConfig, keep_frames),
	BOOL("keep_bad_frames", EbConfig, keep_bad_frames),
	END,
};
static const Key port_keys[] = {
	TEXT("name", EbPortConf, name, true),
	TEXT("path", EbPortConf, path, true),
	OTHER("protocol"),
	OTHER("backend"),
	OTHER("format"),
	INT("speed", EbPortConf, line.speed, 50, 4000000),
	INT("pause_ms", EbPortConf, pause_ms, 0, 10000),
	INT("open_pause_ms", EbPortConf, open_pause_ms, 0, 60000),
	INT("reply_ms", EbPortConf, reply_ms, 50, 10000),
	INT("retries", EbPortConf, retries, 0, 5),
	END,
};
static const Key meter_keys[] = {
	TEXT("serial", EbMeterConf, serial, true),
	TEXT("address", EbMeterConf, address, false),
	OTHER("port"),
	INT("interval", EbMeterConf, interval_s, 0, 86400),
	INT("offset", EbMeterConf, offset_s, 0, 43200),
	INT("decimals", EbMeterConf, decimals, 0, 3),
	BOOL("freeze", EbMeterConf, freeze),
	OTHER("utc_offset"),
	OTHER("read"),
	OTHER("registers"),
	END,
};
static const Key register_keys[] = {
	TEXT("code", EbRegisterConf, code, true),
	OTHER("di"),
	END,
};

void
eb_config_error(EbConfig *conf, const config_setting_t *at, const char *format, ...)
{
	const char *file = at != NULL ? config_setting_source_file(at) : NULL;
	va_list args;

	fprintf(stderr, "%s:%u: ", file != NULL ? file : conf->file,
			at != NULL ? config_setting_source_line(at) : 0);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	conf->nerrors++;
}

static void
read_key(EbConfig *conf, const config_setting_t *at, const Key *key, char *into)
{
	int type = config_setting_type(at);
	int value;

	switch (key->kind)
	{
		case KEY_TEXT:
			if (type != CONFIG_TYPE_STRING)
				eb_config_error(conf, at, "%s must be text in quotes", key->name);
			else
				*(const char **) (into + key->offset) = config_setting_get_string(at);
			break;
		case KEY_INT:
			value = config_setting_get_int(at);
			if (type != CONFIG_TYPE_INT)
				eb_config_error(conf, at, "%s must be a whole number", key->name);
			else if (value < key->min || value > key->max)
				eb_config_error(conf, at, "%s must be between %d and %d", key->name, key->min,
								key->max);
			else
				*(int *) (into + key->offset) = value;
			break;
		case KEY_BOOL:
			if (type != CONFIG_TYPE_BOOL)
				eb_config_error(conf, at, "%s must be true or false", key->name);
			else
				*(bool *) (into + key->offset) = config_setting_get_bool(at) != 0;
			break;
		case KEY_OTHER:
			break;
	}
}

/* Fills a structure from a group; keys that are not in the table are errors. */
static bool
read_group(EbConfig *conf, const config_setting_t *group, const Key *keys, void *into)
{
	int before = conf->nerrors;

	if (!config_setting_is_group(group))
	{
		eb_config_error(conf, group, "a group { ... } belongs here");
		return false;
	}
	for (int i = 0; i < config_setting_length(group); i++)
	{
		const config_setting_t *at = config_setting_get_elem((config_setting_t *) group, i);
		const Key *key = keys;

		while (key->name != NULL && strcmp(key->name, config_setting_name(at)) != 0)
			key++;
		if (key->name == NULL)
			eb_config_error(conf, at, "unknown key \"%s\"", config_setting_name(at));
		else
			read_key(conf, at, key, into);
	}
	for (const Key *key = keys; key->name != NULL; key++)
		if (key->required &&
			config_setting_get_member((config_setting_t *) group, key->name) == NULL)
			eb_config_error(conf, group, "\"%s\" is missing", key->name);
	return conf->nerrors == before;
}

/* Text of a key read by its own function, or the default. */
static const char *
text_of(EbConfig *conf, const config_setting_t *group, const char *name, const char *otherwise)
{
	const config_setting_t *at = config_setting_get_member((config_setting_t *) group, name);

	if (at == NULL)
		return otherwise;
	if (config_setting_type(at) == CONFIG_TYPE_STRING)
		return config_setting_get_string(at);
	eb_config_error(conf, at, "%s must be text in quotes", name);
	return otherwise;
}

/* Place of text in words, which end with NULL; an error and 0 when it is none of them. */
static int
choice(EbConfig *conf, const config_setting_t *group, const char *name, const char *const *words)
{
	const char *text = text_of(conf, group, name, words[0]);

	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	eb_config_error(conf, config_setting_get_member((config_setting_t *) group, name),
					"unknown %s \"%s\"", name, text);
	return 0;
}

/* "0001FF00" */
static bool
parse_di(const char *text, uint32_t *di)
{
	if (strlen(text) != 8 || strspn(text, "0123456789ABCDEFabcdef") != 8)
		return false;
	*di = (uint32_t) strtoul(text, NULL, 16);
	return true;
}

static void
read_port(EbConfig *conf, const config_setting_t *group, EbPortConf *port)
{
	static const char *const protocols[] = {"dlt645", "csvline", NULL};
	static const char *const backends[] = {"auto", "lsp", "tty", NULL};
	const char *format;

	port->source = group;
	port->pause_ms = 20;
	port->open_pause_ms = 300;
	port->reply_ms = 500;
	port->retries = 2;
	if (!config_setting_is_group(group))
	{
		eb_config_error(conf, group, "a port is a group { ... }");
		return;
	}
	port->protocol = (EbProtocol) choice(conf, group, "protocol", protocols);
	port->backend = (EbBackend) choice(conf, group, "backend", backends);
	port->line.speed = port->protocol == EB_PROTOCOL_DLT645 ? 2400 : 9600;
	format = text_of(conf, group, "format", port->protocol == EB_PROTOCOL_DLT645 ? "8E1" : "8N1");
	if (!eb_line_parse(format, &port->line))
		eb_config_error(conf, group, "format must be like \"8E1\", not \"%s\"", format);
	read_group(conf, group, port_keys, port);
	if (port->backend == EB_BACKEND_TTY && !eb_line_speed_ok(port->line.speed))
		eb_config_error(conf, group, "the tty backend has no speed %d", port->line.speed);
}

/* Text has the length 0 here: it would pass for an empty list. */
static bool
is_many(const config_setting_t *at)
{
	return config_setting_is_array(at) || config_setting_is_list(at);
}

static void
read_lists(EbConfig *conf, const config_setting_t *group, EbMeterConf *meter)
{
	const config_setting_t *read = config_setting_get_member((config_setting_t *) group, "read");
	const config_setting_t *codes =
		config_setting_get_member((config_setting_t *) group, "registers");

	if (read != NULL && !is_many(read))
		eb_config_error(conf, read, "read must be a list [ \"...\", \"...\" ]");
	if (codes != NULL && !is_many(codes))
		eb_config_error(conf, codes, "registers must be a list [ \"...\", \"...\" ]");
	if (read != NULL)
		meter->nread = 0;
	for (int i = 0; read != NULL && i < config_setting_length(read); i++)
	{
		const char *di = config_setting_get_string_elem(read, i);

		if (meter->nread >= EB_CONFIG_MAX_READ || di == NULL ||
			!parse_di(di, &meter->read[meter->nread++]))
			eb_config_error(conf, read, "read takes at most %d data identifiers like \"0001FF00\"",
							EB_CONFIG_MAX_READ);
	}
	for (int i = 0; codes != NULL && i < config_setting_length(codes); i++)
	{
		const char *code = config_setting_get_string_elem(codes, i);

		if (meter->ncodes >= EB_CONFIG_MAX_CODES || code == NULL)
			eb_config_error(conf, codes, "registers takes at most %d codes like \"1.8.0\"",
							EB_CONFIG_MAX_CODES);
		else
			meter->code[meter->ncodes++] = code;
	}
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
	meter->decimals = 3;
	if (!config_setting_is_group(group))
	{
		eb_config_error(conf, group, "a meter is a group { ... }");
		return;
	}
	port = text_of(conf, group, "port", "");
	meter->port = find_port(conf, port);
	if (meter->port == NULL)
		eb_config_error(conf, group, "there is no port \"%s\"", port);
	else if (meter->port->protocol == EB_PROTOCOL_DLT645)
	{
		meter->interval_s = 900;
		meter->nread = 1;
		meter->read[0] = 0x0001FF00;
	}
	offset = text_of(conf, group, "utc_offset", "+08:00");
	if (!eb_clock_parse_offset(offset, &meter->utc_offset_s))
		eb_config_error(conf, group, "utc_offset must be like \"+08:00\", not \"%s\"", offset);
	read_group(conf, group, meter_keys, meter);
	if (meter->address == NULL)
		meter->address = meter->serial;
	read_lists(conf, group, meter);
}

static void
read_register(EbConfig *conf, const config_setting_t *group, EbRegisterConf *reg)
{
	if (read_group(conf, group, register_keys, reg) &&
		!parse_di(text_of(conf, group, "di", ""), &reg->di))
		eb_config_error(conf, group, "di must be eight hex digits in quotes");
}

/* A list of groups as a zeroed array; *n is its length. */
static void *
list_of(EbConfig *conf, const char *name, size_t size, int *n, const config_setting_t **list)
{
	void *array;

	*n = 0;
	*list = config_lookup(&conf->source, name);
	if (*list == NULL)
		return NULL;
	if (!config_setting_is_list(*list))
	{
		eb_config_error(conf, *list, "%s must be a list ( { ... }, { ... } )", name);
		return NULL;
	}
	array = calloc((size_t) config_setting_length(*list) + 1, size);
	if (array != NULL)
		*n = config_setting_length(*list);
	else
		eb_config_error(conf, *list, "out of memory");
	return array;
}

static void
read_all(EbConfig *conf)
{
	static const char *const levels[] = {"info", "error", "warning", "debug", NULL};
	static const EbLogLevel level_of[] = {EB_LOG_INFO, EB_LOG_ERROR, EB_LOG_WARNING, EB_LOG_DEBUG};
	const config_setting_t *at = config_lookup(&conf->source, "collector");

	read_group(conf, config_root_setting(&conf->source), root_keys, conf);
	if (at == NULL)
		eb_config_error(conf, NULL, "group \"collector\" is missing");
	else if (read_group(conf, at, collector_keys, conf))
		conf->log_level = level_of[choice(conf, at, "log", levels)];
	if ((at = config_lookup(&conf->source, "database")) != NULL)
		read_group(conf, at, database_keys, conf);

	conf->port = list_of(conf, "ports", sizeof(EbPortConf), &conf->nports, &at);
	for (int i = 0; i < conf->nports; i++)
		read_port(conf, config_setting_get_elem((config_setting_t *) at, i), &conf->port[i]);
	conf->meter = list_of(conf, "meters", sizeof(EbMeterConf), &conf->nmeters, &at);
	for (int i = 0; i < conf->nmeters; i++)
		read_meter(conf, config_setting_get_elem((config_setting_t *) at, i), &conf->meter[i]);
	conf->reg = list_of(conf, "registers", sizeof(EbRegisterConf), &conf->nregisters, &at);
	for (int i = 0; i < conf->nregisters; i++)
		read_register(conf, config_setting_get_elem((config_setting_t *) at, i), &conf->reg[i]);
}

bool
eb_config_load(EbConfig *conf, const char *file)
{
	char dir[PATH_MAX];

	memset(conf, 0, sizeof(*conf));
	conf->file = file;
	conf->conninfo = "";
	conf->log_level = EB_LOG_INFO;
	conf->batch_rows = 500;
	conf->flush_ms = 1000;
	conf->queue_rows = 65536;
	conf->keep_bad_frames = true;
	config_init(&conf->source);
	if (!eb_config_includes_ok(file))
		return false;
	snprintf(dir, sizeof(dir), "%s", file);
	config_set_include_dir(&conf->source, dirname(dir));
	if (!config_read_file(&conf->source, file))
	{
		fprintf(stderr, "%s:%d: %s\n",
				config_error_file(&conf->source) ? config_error_file(&conf->source) : file,
				config_error_line(&conf->source), config_error_text(&conf->source));
		return false;
	}
	read_all(conf);
	if (conf->nerrors == 0)
		eb_config_check(conf);
	return conf->nerrors == 0;
}

void
eb_config_free(EbConfig *conf)
{
	config_destroy(&conf->source);
	free(conf->port);
	free(conf->meter);
	free(conf->reg);
	memset(conf, 0, sizeof(*conf));
}

/* 0001tt00 and 0002tt00 with the tariff in decimal: 1.8.0, 1.8.1, ... */
static bool
default_code(uint32_t di, char buf[EB_CODE_SIZE])
{
	uint32_t tariff = (di >> 8) & 0xFF;

	if ((di & 0xFF0000FF) != 0 || tariff > 63)
		return false;
	if (di >> 16 != 1 && di >> 16 != 2)
		return false;
	snprintf(buf, EB_CODE_SIZE, "%u.8.%u", (unsigned) (di >> 16), (unsigned) tariff);
	return true;
}

bool
eb_config_code(const EbConfig *conf, const EbMeterConf *meter, uint32_t di, char buf[EB_CODE_SIZE])
{
	bool found = default_code(di, buf);

	for (int i = 0; i < conf->nregisters; i++)
		if (conf->reg[i].di == di)
		{
			snprintf(buf, EB_CODE_SIZE, "%s", conf->reg[i].code);
			found = true;
		}
	for (int i = 0; found && i < meter->ncodes; i++)
		if (strcmp(meter->code[i], buf) == 0)
			return true;
	return found && meter->ncodes == 0;
}
