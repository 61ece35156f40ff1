/*
 * main.c -- the command line of elecbill-collector
 * In:  options. Out: an exit code; run.c, replay.c and config.c do the work.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "list.h"
#include "plan.h"
#include "probe.h"
#include "replay.h"
#include "run.h"
#include "spool_dump.h"

#define LISTEN_DEFAULT_S 10
#define LISTEN_MAX_S 86400
#define BUDGET_WARN_PERCENT 70

typedef enum Work
{
	WORK_RUN,
	WORK_CHECK,
	WORK_DUMP,
	WORK_LIST,
	WORK_PROBE,
	WORK_REPLAY,
} Work;

typedef struct Options
{
	Work work;
	int works;		  /* how many were named */
	const char *file; /* of the configuration, the port or the recorded bytes */
	const char *protocol;
	EbRunMode mode;
} Options;

enum
{
	OPT_CHECK = 256,
	OPT_ONCE,
	OPT_FOR,
	OPT_DRY_RUN,
	OPT_TRACE,
	OPT_LIST,
	OPT_PROBE,
	OPT_REPLAY,
	OPT_PROTOCOL,
	OPT_SPOOL_DUMP,
	OPT_VERSION,
	OPT_HELP
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", required_argument, NULL, OPT_CHECK},
	{"once", no_argument, NULL, OPT_ONCE},
	{"for", required_argument, NULL, OPT_FOR},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"trace", no_argument, NULL, OPT_TRACE},
	{"list", no_argument, NULL, OPT_LIST},
	{"probe", required_argument, NULL, OPT_PROBE},
	{"replay", required_argument, NULL, OPT_REPLAY},
	{"protocol", required_argument, NULL, OPT_PROTOCOL},
	{"spool-dump", required_argument, NULL, OPT_SPOOL_DUMP},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static const char help[] =
	"elecbill-collector reads electricity meters and delivers their readings to PostgreSQL.\n"
	"\n"
	"  elecbill-collector -c FILE             read the meters of FILE for ever\n"
	"  elecbill-collector --once -c FILE      read each meter once, JSON lines on stdout\n"
	"  elecbill-collector --check FILE        check FILE and print how busy each bus will be\n"
	"  elecbill-collector --list              the serial ports of this computer\n"
	"  elecbill-collector --probe PORT        what answers on a port; only reads\n"
	"  elecbill-collector --replay FILE       decode recorded bytes, JSON lines on stdout\n"
	"  elecbill-collector --spool-dump FILE   what the spool of the configuration FILE holds\n"
	"\n"
	"  -c, --config FILE    configuration\n"
	"      --for SECONDS    with --once: how long to listen on lines of meters that speak by\n"
	"                       themselves (default 10)\n"
	"      --dry-run        read, but without spool and database\n"
	"      --trace          bytes sent and received, with microseconds, on stderr\n"
	"      --protocol NAME  with --replay: dlt645 (default), csvline, modbus, ...\n"
	"      --version, --help\n"
	"\n"
	"Exit status: 0 done, 1 wrong usage, 2 wrong configuration, 3 a port or the spool is held by\n"
	"another process or cannot be used, 4 --once read nothing, --probe found nothing, 70 internal\n"
	"error.\n";

static bool
parse_seconds(const char *text, int *seconds)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end != '\0' || value < 0 || value > LISTEN_MAX_S)
		return false;
	*seconds = (int) value;
	return true;
}

static int
take_work(Options *options, Work work, const char *file)
{
	options->work = work;
	options->works++;
	options->file = file;
	return -1;
}

/* -1: go on; else the exit code. */
static int
take_option(int option, Options *options)
{
	switch (option)
	{
		case 'c':
			return take_work(options, WORK_RUN, optarg);
		case OPT_CHECK:
			return take_work(options, WORK_CHECK, optarg);
		case OPT_SPOOL_DUMP:
			return take_work(options, WORK_DUMP, optarg);
		case OPT_LIST:
			return take_work(options, WORK_LIST, NULL);
		case OPT_PROBE:
			return take_work(options, WORK_PROBE, optarg);
		case OPT_REPLAY:
			return take_work(options, WORK_REPLAY, optarg);
		case OPT_ONCE:
			options->mode.once = true;
			return -1;
		case OPT_FOR:
			if (parse_seconds(optarg, &options->mode.listen_s))
				return -1;
			fprintf(stderr, "elecbill-collector: --for takes 0 to %d seconds\n", LISTEN_MAX_S);
			return EB_EXIT_USAGE;
		case OPT_DRY_RUN:
			options->mode.dry_run = true;
			return -1;
		case OPT_TRACE:
			options->mode.trace = true;
			return -1;
		case OPT_PROTOCOL:
			options->protocol = optarg;
			return -1;
		case OPT_VERSION:
			puts("elecbill-collector " ELECBILL_VERSION);
			return EB_EXIT_DONE;
		case OPT_HELP:
			fputs(help, stdout);
			return EB_EXIT_DONE;
		default:
			fputs("elecbill-collector: see --help\n", stderr);
			return EB_EXIT_USAGE;
	}
}

/* How busy the buses are in the worst case. */
static void
print_budgets(const EbConfig *conf)
{
	for (int i = 0; i < conf->nports; i++)
	{
		const EbPortConf *port = &conf->port[i];
		EbBudget budget = eb_plan_budget(conf, port);
		long long percent;

		if (budget.interval_ms == 0)
		{
			printf("port %s: %s, listens\n", port->name, port->path);
			continue;
		}
		percent = (budget.cost_ms * 100 + budget.interval_ms - 1) / budget.interval_ms;
		printf("port %s: %s, %d meters, at worst %lld.%lld s of %lld s (%lld %%)%s\n", port->name,
			   port->path, budget.nmeters, (long long) budget.cost_ms / 1000,
			   (long long) budget.cost_ms % 1000 / 100, (long long) budget.interval_ms / 1000,
			   percent, percent > BUDGET_WARN_PERCENT ? ", warning: busy" : "");
	}
	printf("%s: %d meters on %d ports, no error\n", conf->file, conf->nmeters, conf->nports);
}

/* What needs a configuration; a running collector keeps it and releases it. */
static int
work_with_config(const Options *options)
{
	EbConfig *conf = calloc(1, sizeof(EbConfig));
	int status = EB_EXIT_CONFIG;

	if (conf == NULL)
		return EB_EXIT_INTERNAL;
	if (eb_config_load(conf, options->file))
	{
		status = EB_EXIT_DONE;
		if (options->work == WORK_RUN)
			return eb_run(conf, options->mode);
		if (options->work == WORK_CHECK)
			print_budgets(conf);
		else if (!eb_spool_dump(conf, stdout))
			status = EB_EXIT_LOCKED;
	}
	eb_config_free(conf);
	free(conf);
	return status;
}

int
main(int argc, char **argv)
{
	Options options = {.protocol = "dlt645", .mode = {.listen_s = LISTEN_DEFAULT_S}};
	int option;

	while ((option = getopt_long(argc, argv, "c:", long_options, NULL)) != -1)
	{
		int status = take_option(option, &options);

		if (status >= 0)
			return status;
	}
	if (optind < argc || options.works != 1)
	{
		fputs(
			"elecbill-collector: one of -c FILE, --check FILE, --list, --probe PORT, --replay FILE, "
			"--spool-dump FILE; see --help\n",
			stderr);
		return EB_EXIT_USAGE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	switch (options.work)
	{
		case WORK_LIST:
			return eb_list();
		case WORK_PROBE:
			return eb_probe(options.file, options.mode.trace);
		case WORK_REPLAY:
			return eb_replay(options.file, options.protocol);
		default:
			return work_with_config(&options);
	}
}
