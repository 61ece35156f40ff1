/*
 * config_port.c -- the groups "servers" and "ports" of the configuration file
 * In:  their settings. Out: EbServerConf, EbPortConf with the defaults of their protocol.
 * Meaning of each key: doc/collector.md.
 */
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "config_key.h"
#include "protocol.h"

/* Longest id of a terminal unit and longest heartbeat, in bytes. */
#define MAX_UNIT 64

static const EbKey server_keys[] = {
	EB_KEY_TEXT_OF("name", EbServerConf, name, true),
	EB_KEY_TEXT_OF("listen", EbServerConf, listen, true),
	EB_KEY_INT_OF("register_s", EbServerConf, register_s, 1, 3600),
	EB_KEY_INT_OF("idle_s", EbServerConf, idle_s, 0, 86400),
	EB_KEY_END,
};
static const EbKey port_keys[] = {
	EB_KEY_TEXT_OF("name", EbPortConf, name, true),
	EB_KEY_TEXT_OF("path", EbPortConf, path, true),
	EB_KEY_OTHER_OF("protocol"),
	EB_KEY_OTHER_OF("mode"),
	EB_KEY_OTHER_OF("backend"),
	EB_KEY_OTHER_OF("format"),
	EB_KEY_OTHER_OF("echo"),
	EB_KEY_OTHER_OF("ack"),
	EB_KEY_INT_OF("speed", EbPortConf, line.speed, 50, 4000000),
	EB_KEY_INT_OF("pause_ms", EbPortConf, pause_ms, 0, 10000),
	EB_KEY_INT_OF("open_pause_ms", EbPortConf, open_pause_ms, 0, 60000),
	EB_KEY_INT_OF("reply_ms", EbPortConf, reply_ms, 50, 60000),
	EB_KEY_INT_OF("gap_ms", EbPortConf, gap_ms, 10, 10000),
	EB_KEY_INT_OF("retries", EbPortConf, retries, 0, 5),
	EB_KEY_INT_OF("switch_ms", EbPortConf, switch_ms, 0, 1000),
	EB_KEY_INT_OF("switch_speed", EbPortConf, switch_speed, 50, 115200),
	EB_KEY_INT_OF("readout", EbPortConf, readout, 64, EB_FRAME_MAX_LENGTH),
	EB_KEY_BOOL_OF("low_latency", EbPortConf, low_latency),
	EB_KEY_BOOL_OF("rs485", EbPortConf, rs485),
	EB_KEY_BOOL_OF("gateway", EbPortConf, gateway),
	EB_KEY_TEXT_OF("heartbeat", EbPortConf, heartbeat, false),
	EB_KEY_INT_OF("connections", EbPortConf, connections, 1, 1000),
	EB_KEY_END,
};

/* Keys that mean nothing to a port of another kind are refused, not ignored. */
static void
only_for(EbConfig *conf, const EbPortConf *port, bool fits, const char *key, const char *what)
{
	if (!fits && eb_key_member(port->source, key) != NULL)
		eb_config_error(conf, eb_key_member(port->source, key), "%s: only for %s", key, what);
}

static void
check_keys(EbConfig *conf, const EbPortConf *port)
{
	bool iec = port->protocol == EB_PROTOCOL_IEC62056;
	bool tcp = strncmp(port->path, "tcp:", 4) == 0 || port->server != NULL;

	only_for(conf, port, iec, "mode", "iec62056");
	only_for(conf, port, iec && !port->listens, "ack", "iec62056 that is asked");
	only_for(conf, port, iec && !port->listens, "switch_ms", "iec62056 that is asked");
	only_for(conf, port, iec && !port->listens, "switch_speed", "iec62056 that is asked");
	only_for(conf, port, iec && !port->listens, "readout", "iec62056 that is asked");
	only_for(conf, port, !port->listens, "gateway", "meters that are asked");
	only_for(conf, port, !port->listens, "echo", "meters that are asked");
	only_for(conf, port, !port->listens, "reply_ms", "meters that are asked");
	only_for(conf, port, !port->listens, "pause_ms", "meters that are asked");
	only_for(conf, port, !port->listens, "retries", "meters that are asked");
	only_for(conf, port, !tcp, "low_latency", "serial ports");
	only_for(conf, port, !tcp, "rs485", "serial ports");
	only_for(conf, port, !tcp, "backend", "serial ports");
	only_for(conf, port, port->server != NULL, "heartbeat", "terminal units");
	only_for(conf, port, port->server != NULL && port->unit[0] == '\0', "connections",
			 "terminal units without an id");
}

/* "06 30 35 30 0D 0A": the mode must be readout, for programming mode could write. */
static bool
parse_ack(const char *text, uint8_t ack[6])
{
	for (int i = 0; i < 6; i++)
	{
		char *end;

		ack[i] = (uint8_t) strtoul(text, &end, 16);
		if (end != text + 2 || (*end != (i < 5 ? ' ' : '\0')))
			return false;
		text = end + 1;
	}
	return ack[0] == 0x06 && ack[1] >= '0' && ack[1] <= '2' && ack[2] >= '0' && ack[2] <= '6' &&
		   ack[3] == '0' && ack[4] == '\r' && ack[5] == '\n';
}

static void
read_ack(EbConfig *conf, const config_setting_t *group, EbPortConf *port)
{
	const char *text = eb_key_text(conf, group, "ack", NULL);

	port->has_ack = text != NULL;
	if (text != NULL && !parse_ack(text, port->ack))
		eb_config_error(conf, group,
						"ack must be six bytes like \"06 30 35 30 0D 0A\", mode 30 (readout)");
}

/* "SERVER/ID" behind "unit:" */
static void
read_unit(EbConfig *conf, EbPortConf *port)
{
	const char *name = port->path + 5;
	size_t len = strcspn(name, "/");

	for (int i = 0; i < conf->nservers; i++)
	{
		const char *server = conf->server[i].name;

		if (server != NULL && strlen(server) == len && strncmp(server, name, len) == 0)
			port->server = &conf->server[i];
	}
	port->unit = name[len] == '/' ? name + len + 1 : "";
	if (port->server == NULL)
		eb_config_error(conf, port->source, "there is no server \"%.*s\"", (int) len, name);
	if (strlen(port->unit) > MAX_UNIT || strlen(port->heartbeat) > MAX_UNIT)
		eb_config_error(conf, port->source, "id and heartbeat of a unit have at most %d bytes",
						MAX_UNIT);
	if (port->unit[0] == '\0' && !port->listens)
		eb_config_error(conf, port->source,
						"meters that are asked need a unit that tells its id: \"unit:SERVER/ID\"");
}

static void
set_defaults(EbPortConf *port)
{
	const EbProtocolInfo *protocol = eb_protocol(port->protocol);

	port->line = protocol->line;
	port->pause_ms = protocol->pause_ms;
	port->open_pause_ms = 300;
	port->reply_ms = protocol->reply_ms;
	port->gap_ms = protocol->gap_ms;
	port->retries = 2;
	port->switch_ms = 200;
	port->switch_speed = 9600;
	port->readout = 2048;
	port->heartbeat = "";
	port->connections = 16;
}

/* A gateway has a slower line of its own behind it. */
#define GATEWAY_REPLY_MS 5000

static void
read_port(EbConfig *conf, const config_setting_t *group, EbPortConf *port)
{
	static const char *const backends[] = {"auto", "lsp", "tty", NULL};
	static const char *const echoes[] = {"auto", "on", "off", NULL};
	static const char *const modes[] = {"C", "D", NULL};
	const char *name;
	const char *format;
	EbAddress address;
	int gateway = 0;

	port->source = group;
	port->print = eb_key_print(group);
	port->path = "";
	if (!config_setting_is_group(group))
	{
		eb_config_error(conf, group, "a port is a group { ... }");
		return;
	}
	name = eb_key_text(conf, group, "protocol", "dlt645");
	if (!eb_protocol_find(name, &port->protocol))
		eb_config_error(conf, group, "unknown protocol \"%s\"", name);
	set_defaults(port);
	port->listens =
		eb_protocol(port->protocol)->ask == NULL || eb_key_choice(conf, group, "mode", modes) == 1;
	if (port->listens && port->protocol == EB_PROTOCOL_IEC62056)
		port->line.speed = 2400; /* mode D */
	port->backend = (EbBackend) eb_key_choice(conf, group, "backend", backends);
	port->echo = (EbEcho) eb_key_choice(conf, group, "echo", echoes);
	if (config_setting_lookup_bool(group, "gateway", &gateway) == CONFIG_TRUE && gateway)
		port->reply_ms = GATEWAY_REPLY_MS;
	read_ack(conf, group, port);
	format = eb_key_text(conf, group, "format", NULL);
	if (format != NULL && !eb_line_parse(format, &port->line))
		eb_config_error(conf, group, "format must be like \"8E1\", not \"%s\"", format);
	eb_key_group(conf, group, port_keys, port);
	if (strncmp(port->path, "unit:", 5) == 0)
		read_unit(conf, port);
	else if (strncmp(port->path, "tcp:", 4) == 0 && !eb_address_parse(port->path + 4, &address))
		eb_config_error(conf, group, "path must be like \"tcp:10.0.0.5:4001\"");
	if (port->backend == EB_BACKEND_TTY && !eb_line_speed_ok(port->line.speed))
		eb_config_error(conf, group, "the tty backend has no speed %d", port->line.speed);
	check_keys(conf, port);
}

static void
read_server(EbConfig *conf, const config_setting_t *group, EbServerConf *server)
{
	EbAddress address;

	server->source = group;
	server->print = eb_key_print(group);
	server->register_s = 30;
	server->idle_s = 600;
	if (eb_key_group(conf, group, server_keys, server) &&
		!eb_address_parse(server->listen, &address))
		eb_config_error(conf, group, "listen must be like \"0.0.0.0:5000\" or \"[::]:5000\"");
}

void
eb_config_read_ports(EbConfig *conf)
{
	const config_setting_t *at;

	conf->server = eb_key_array(conf, "servers", sizeof(EbServerConf), &conf->nservers, &at);
	for (int i = 0; i < conf->nservers; i++)
		read_server(conf, config_setting_get_elem((config_setting_t *) at, (unsigned) i),
					&conf->server[i]);
	conf->port = eb_key_array(conf, "ports", sizeof(EbPortConf), &conf->nports, &at);
	for (int i = 0; i < conf->nports; i++)
		read_port(conf, config_setting_get_elem((config_setting_t *) at, (unsigned) i),
				  &conf->port[i]);
}
