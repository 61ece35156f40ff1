/*
 * config.c -- the configuration file as a whole, and its groups "collector" and "database"
 * In:  a libconfig file. Out: EbConfig with defaults filled in.
 */
#include "config_key.h"
#include "health.h"

#include <libgen.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const EbKey root_keys[] = {EB_KEY_OTHER_OF("collector"), EB_KEY_OTHER_OF("database"),
								  EB_KEY_OTHER_OF("spool"),		EB_KEY_OTHER_OF("health"),
								  EB_KEY_OTHER_OF("servers"),	EB_KEY_OTHER_OF("ports"),
								  EB_KEY_OTHER_OF("models"),	EB_KEY_OTHER_OF("meters"),
								  EB_KEY_OTHER_OF("registers"), EB_KEY_END};
static const EbKey collector_keys[] = {
	EB_KEY_TEXT_OF("id", EbConfig, id, true),
	EB_KEY_OTHER_OF("log"),
	EB_KEY_BOOL_OF("ntp", EbConfig, ntp),
	EB_KEY_END,
};
static const EbKey database_keys[] = {
	EB_KEY_TEXT_OF("conninfo", EbConfig, conninfo, false),
	EB_KEY_INT_OF("batch", EbConfig, batch_rows, 1, EB_BATCH_ROWS),
	EB_KEY_INT_OF("flush_ms", EbConfig, flush_ms, 10, 60000),
	EB_KEY_BOOL_OF("keep_frames", EbConfig, keep_frames),
	EB_KEY_BOOL_OF("keep_bad_frames", EbConfig, keep_bad_frames),
	EB_KEY_END,
};

static const EbKey spool_keys[] = {
	EB_KEY_TEXT_OF("directory", EbConfig, spool.directory, false),
	EB_KEY_INT_OF("size_mib", EbConfig, spool.size_mib, 1, 1048576),
	EB_KEY_INT_OF("free_mib", EbConfig, spool.free_mib, 0, 1048576),
	EB_KEY_INT_OF("keep_days", EbConfig, spool.keep_days, 0, 3650),
	EB_KEY_INT_OF("sync_ms", EbConfig, spool.sync_ms, 0, 10000),
	EB_KEY_INT_OF("sync_records", EbConfig, spool.sync_records, 1, 10000),
	EB_KEY_OTHER_OF("drop"),
	EB_KEY_END,
};

static const EbKey health_keys[] = {
	EB_KEY_TEXT_OF("socket", EbConfig, health.socket, false),
	EB_KEY_TEXT_OF("listen", EbConfig, health.listen, false),
	EB_KEY_END,
};

static void
read_all(EbConfig *conf)
{
	static const char *const drops[] = {"newest", "oldest", NULL};
	static const char *const levels[] = {"info", "error", "warning", "debug", NULL};
	static const EbLogLevel level_of[] = {EB_LOG_INFO, EB_LOG_ERROR, EB_LOG_WARNING, EB_LOG_DEBUG};
	const config_setting_t *at = config_lookup(&conf->source, "collector");

	eb_key_group(conf, config_root_setting(&conf->source), root_keys, conf);
	if (at == NULL)
		eb_config_error(conf, NULL, "group \"collector\" is missing");
	else if (eb_key_group(conf, at, collector_keys, conf))
		conf->log_level = level_of[eb_key_choice(conf, at, "log", levels)];
	if ((at = config_lookup(&conf->source, "database")) != NULL)
		eb_key_group(conf, at, database_keys, conf);
	if ((at = config_lookup(&conf->source, "spool")) != NULL &&
		eb_key_group(conf, at, spool_keys, conf))
		conf->spool.drop_oldest = eb_key_choice(conf, at, "drop", drops) == 1;
	if ((at = config_lookup(&conf->source, "health")) != NULL &&
		eb_key_group(conf, at, health_keys, conf) && conf->health.listen != NULL &&
		!eb_health_listen_ok(conf->health.listen))
		eb_config_error(conf, at,
						"listen must be a loopback address with a port, like \"127.0.0.1:9810\"");

	eb_config_read_ports(conf);
	eb_config_read_meters(conf);
}

/* The tree of the file is several times as large as what was read from it. */
static void
forget_source(EbConfig *conf)
{
	for (int i = 0; i < conf->nservers; i++)
		conf->server[i].source = NULL;
	for (int i = 0; i < conf->nports; i++)
		conf->port[i].source = NULL;
	for (int i = 0; i < conf->nmodels; i++)
		conf->model[i].source = NULL;
	for (int i = 0; i < conf->nmeters; i++)
		conf->meter[i].source = NULL;
	for (int i = 0; i < conf->nregisters; i++)
		conf->reg[i].source = NULL;
	config_destroy(&conf->source);
	config_init(&conf->source);
	malloc_trim(0);
}

bool
eb_config_load(EbConfig *conf, const char *file)
{
	char dir[PATH_MAX];

	memset(conf, 0, sizeof(*conf));
	conf->file = file;
	conf->conninfo = "";
	conf->log_level = EB_LOG_INFO;
	conf->batch_rows = EB_BATCH_ROWS;
	conf->flush_ms = 1000;
	conf->spool = (EbSpoolConf){NULL, 512, 64, 7, 200, 100, false};
	conf->keep_bad_frames = true;
	conf->ntp = true;
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
	if (conf->nerrors == 0)
		forget_source(conf);
	return conf->nerrors == 0;
}

void
eb_config_free(EbConfig *conf)
{
	config_destroy(&conf->source);
	free(conf->server);
	free(conf->port);
	free(conf->model);
	free(conf->meter);
	free(conf->reg);
	for (int i = 0; i < conf->nblocks; i++)
		free(conf->block[i]);
	free(conf->block);
	memset(conf, 0, sizeof(*conf));
}
