/*
 * fuzz_config.c -- libFuzzer: any bytes as a configuration file
 * Whatever they are, the file is taken or refused, the same way each time; a refusal has a message
 * with file and line, and of a file that is taken every bus can be budgeted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../collector/config.h"
#include "../../collector/plan.h"

#define HOLD(cond)                                                    \
	do                                                                \
	{                                                                 \
		if (!(cond))                                                  \
		{                                                             \
			printf("%s:%d: broken: %s\n", __FILE__, __LINE__, #cond); \
			fflush(stdout);                                           \
			abort();                                                  \
		}                                                             \
	} while (0)

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
extern const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets what it holds of a text without an end, and of an @include that fails. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static char folder[64];
static char file[80];

static void
clean_up(void)
{
	unlink(file);
	rmdir(folder);
}

static void
set_up(void)
{
	snprintf(folder, sizeof(folder), "%s/elecbill-fuzz-config.XXXXXX",
			 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	HOLD(mkdtemp(folder) != NULL);
	snprintf(file, sizeof(file), "%s/c", folder);
	atexit(clean_up);
}

/* Loads the file; what was told is in *messages, to be freed. */
static bool
load(EbConfig *conf, char **messages)
{
	FILE *real = stderr;
	size_t n;
	bool ok;

	stderr = open_memstream(messages, &n);
	HOLD(stderr != NULL);
	ok = eb_config_load(conf, file);
	fclose(stderr);
	stderr = real;
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	EbConfig conf;
	EbConfig again;
	char *messages;
	char *once_more;
	FILE *out;
	bool ok;

	if (folder[0] == '\0')
		set_up();
	out = fopen(file, "w");
	HOLD(out != NULL && fwrite(bytes, 1, n, out) == n);
	fclose(out);

	ok = load(&conf, &messages);
	HOLD(load(&again, &once_more) == ok);
	HOLD(strcmp(messages, once_more) == 0);
	HOLD(ok == (messages[0] == '\0'));
	HOLD(ok || strncmp(messages, folder, strlen(folder)) == 0);
	if (ok)
	{
		HOLD(conf.nmeters > 0 && conf.nmeters == again.nmeters && conf.nports == again.nports);
		for (int i = 0; i < conf.nports; i++)
		{
			EbBudget budget = eb_plan_budget(&conf, &conf.port[i]);

			HOLD(budget.cost_ms >= 0 && budget.cost_ms <= budget.interval_ms);
			HOLD(conf.port[i].print == again.port[i].print);
		}
		for (int i = 0; i < conf.nmeters; i++)
			HOLD(conf.meter[i].port >= conf.port && conf.meter[i].port < conf.port + conf.nports &&
				 conf.meter[i].print == again.meter[i].print);
	}
	eb_config_free(&conf);
	eb_config_free(&again);
	free(messages);
	free(once_more);
	return 0;
}
