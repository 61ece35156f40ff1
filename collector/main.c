/*
 * main.c -- the command line of elecbill-collector
 * In:  options. Out: an exit code; run.c, replay.c and config.c do the work.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "replay.h"
#include "run.h"
#include "sched.h"

#define LISTEN_DEFAULT_S 10
#define LISTEN_MAX_S 86400
#define BUDGET_WARN_PERCENT 70

typedef struct Options
{
	const char *config;
	const char *replay;
	const char *protocol;
	bool check;
	EbRunMode mode;
} Options;

enum
{
	OPT_CHECK = 256,
	OPT_ONCE,
	OPT_FOR,
	OPT_DRY_RUN,
	OPT_REPLAY,
	OPT_PROTOCOL,
	OPT_VERSION,
	OPT_HELP
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", required_argument, NULL, OPT_CHECK},
	{"once", no_argument, NULL, OPT_ONCE},
	{"for", required_argument, NULL, OPT_FOR},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"replay", required_argument, NULL, OPT_REPLAY},
	{"protocol", required_argument, NULL, OPT_PROTOCOL},
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
	"  elecbill-collector --replay FILE       decode recorded bytes, JSON lines on stdout\n"
	"\n"
	"  -c, --config FILE    configuration\n"
	"      --for SECONDS    with --once: how long to listen on lines of meters that speak by\n"
	"                       themselves (default 10)\n"
	"      --dry-run        read, but do not connect to the database\n"
	"      --protocol NAME  with --replay: dlt645 (default) or csvline\n"
	"      --version, --help\n"
	"\n"
	"Exit status: 0 done, 1 wrong usage, 2 wrong configuration, 3 a port is held by another\n"
	"process or readings could not be delivered, 4 --once read nothing, 70 internal error.\n";

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

/* -1: go on; else the exit code. */
static int
take_option(int option, Options *options)
{
	switch (option)
	{
		case 'c':
			options->config = optarg;
			return -1;
		case OPT_CHECK:
			options->config = optarg;
			options->check = true;
			return -1;
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
		case OPT_REPLAY:
			options->replay = optarg;
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
		EbBudget budget = eb_sched_budget(conf, port);
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

static int
work(const Options *options)
{
	static EbConfig conf;
	int status = EB_EXIT_CONFIG;

	if (eb_config_load(&conf, options->config))
	{
		status = EB_EXIT_DONE;
		if (options->check)
			print_budgets(&conf);
		else
			status = eb_run(&conf, options->mode);
	}
	eb_config_free(&conf);
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
	if (optind < argc || (options.replay == NULL) == (options.config == NULL))
	{
		fputs("elecbill-collector: one of -c FILE, --check FILE, --replay FILE; see --help\n",
			  stderr);
		return EB_EXIT_USAGE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (options.replay != NULL)
		return eb_replay(options.replay, options.protocol);
	return work(&options);
}
