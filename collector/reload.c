/*
 * reload.c -- another configuration for a running collector
 * In:  SIGHUP; the file, read and checked whole. Out: the new configuration at work, or the old one
 *      as if nothing had happened, and a line that says which.
 * Source: doc/collector.md.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "run_state.h"

/* Longer than any request that is out, with all its retries, can last. */
#define RETIRE_MS INT64_C(900000)

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What a running collector cannot change: whose readings these are, and where they lie. */
static bool
fits(const EbRun *run, const EbConfig *conf)
{
	const char *what = strcasecmp(run->conf->id, conf->id) != 0 ? "collector.id"
					   : !same_text(run->conf->spool.directory, conf->spool.directory)
						   ? "spool.directory"
						   : NULL;

	if (what != NULL)
		eb_log(EB_LOG_ERROR, "%s: %s cannot change while the collector runs: restart it",
			   conf->file, what);
	return what == NULL;
}

static void
refuse(EbRun *run, EbConfig *conf)
{
	char since[EB_CLOCK_TEXT];

	eb_log(EB_LOG_ERROR, "%s is not taken: the configuration of %s stays", run->file,
		   eb_clock_text(since, run->loaded_ms));
	eb_run_tell(run, "config_refused", EB_LOG_ERROR, run->file);
	run->reloads_refused++;
	eb_config_free(conf);
	free(conf);
	eb_sd_ready(&run->sd);
}

static void
retire(EbRun *run, EbConfig *conf)
{
	EbRetired *retired = malloc(sizeof(EbRetired));

	if (retired == NULL)
		return; /* it stays for ever: better than a request that refers to nothing */
	*retired = (EbRetired){conf, eb_clock_mono_ms() + RETIRE_MS, run->retired};
	run->retired = retired;
}

void
eb_run_retire(EbRun *run, bool all)
{
	EbRetired **at = &run->retired;

	while (*at != NULL)
	{
		EbRetired *retired = *at;

		if (!all && retired->free_ms > eb_clock_mono_ms())
		{
			at = &retired->next;
			continue;
		}
		*at = retired->next;
		eb_config_free(retired->conf);
		free(retired->conf);
		free(retired);
	}
}

/* Everybody who looks into the configuration looks into this one from now on. */
static void
take(EbRun *run, EbConfig *conf)
{
	EbConfig *former = run->conf;

	run->conf = conf;
	run->intake.conf = conf;
	run->events.conf = conf;
	run->commands.conf = conf;
	eb_log_level(conf->log_level);
	if (!run->mode.dry_run)
	{
		eb_spool_reload(&run->spool, conf);
		eb_sink_reload(&run->sink, conf);
	}
	if (same_text(former->health.socket, conf->health.socket) &&
		same_text(former->health.listen, conf->health.listen))
		eb_health_drop_clients(&run->health);
	else
		eb_health_reopen(&run->health, &conf->health);
	retire(run, former);
}

void
eb_run_reload(EbRun *run)
{
	EbConfig *conf = calloc(1, sizeof(EbConfig));

	run->reload_asked = false;
	eb_sd_reloading(&run->sd);
	if (conf == NULL)
	{
		eb_log(EB_LOG_ERROR, "%s is not taken: %s", run->file, strerror(errno));
		eb_sd_ready(&run->sd);
		return;
	}
	if (!eb_config_load(conf, run->file) || !fits(run, conf))
	{
		refuse(run, conf);
		return;
	}
	if (!eb_buses_reload(&run->buses, conf))
	{
		eb_log(EB_LOG_ERROR, "%s: out of memory", run->file);
		refuse(run, conf);
		return;
	}
	take(run, conf);
	run->reloading = true;
}

void
eb_run_settle(EbRun *run)
{
	/* commands in the queue of a bus that goes are handed out again */
	run->commands.dropping = true;
	run->reloading = !eb_buses_settle(&run->buses);
	run->commands.dropping = run->phase != EB_RUN_WORKING;
	if (run->reloading || run->phase != EB_RUN_WORKING)
		return;
	run->reloads++;
	run->loaded_ms = eb_clock_real_ms();
	eb_log(EB_LOG_INFO, "%s is taken: %d meters on %d ports", run->file, run->conf->nmeters,
		   run->conf->nports);
	eb_run_tell(run, "config_loaded", EB_LOG_INFO, run->file);
	eb_sd_ready(&run->sd);
}
