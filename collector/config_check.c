/*
 * config_check.c -- the values of a configuration against each other
 * In:  EbConfig as read, each value of the right kind and in its range.
 * Out: errors for what cannot work: two things of one name, a password, a bus with more to do than
 *      time. Meters and registers: config_check_meter.c.
 */
#include <libpq-fe.h>
#include <string.h>

#include "config_key.h"
#include "plan.h"
#include "spool_record.h"

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

/* Whether one text is the beginning of the other. */
static bool
one_begins_other(const char *a, const char *b)
{
	size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	return strncmp(a, b, len) == 0;
}

/* A unit is known by the first bytes it sends. */
static void
check_units(EbConfig *conf)
{
	for (int i = 0; i < conf->nports; i++)
		for (int j = 0; j < i; j++)
		{
			const EbPortConf *port = &conf->port[i];
			const EbPortConf *other = &conf->port[j];

			if (port->server != NULL && port->server == other->server && port->unit[0] != '\0' &&
				other->unit[0] != '\0' && one_begins_other(port->unit, other->unit))
				eb_config_error(conf, port->source, "id \"%s\" begins as \"%s\" does", port->unit,
								other->unit);
		}
	for (int i = 0; i < conf->nservers; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(conf->server[i].name, conf->server[j].name) == 0)
				eb_config_error(conf, conf->server[i].source, "server \"%s\" is there twice",
								conf->server[i].name);
}

static void
check_budgets(EbConfig *conf)
{
	for (int i = 0; i < conf->nports; i++)
	{
		EbBudget budget = eb_plan_budget(conf, &conf->port[i]);

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
	uint8_t uuid[EB_SPOOL_UUID];

	if (!eb_uuid_parse(conf->id, uuid))
		eb_config_error(conf, config_lookup(&conf->source, "collector.id"), "id must be a uuid");
	check_conninfo(conf);
	check_ports(conf);
	check_units(conf);
	eb_config_check_meters(conf);
	if (conf->nmeters == 0)
		eb_config_error(conf, NULL, "no meter is configured");
	if (conf->nerrors == 0)
		check_budgets(conf);
}
