/*
 * spool_drain.c -- spool and sink of the collector, without a meter
 *   spool_drain DIRECTORY UUID CONNINFO [BATCH]
 * Delivers what is in the spool and ends; prints what became of it, the seconds from the start on,
 * and how many of them a server process on this machine spent on a core (-1: the system does not
 * tell). Exit status 1 when something is left.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "sink_pg.h"

static EbLoop loop;

static void
finish(void *owner)
{
	loop.stop = true;
}

/* The first number of /proc/PID/schedstat: ns on a core. */
static double
core_seconds(const EbSink *sink)
{
	unsigned long long ns;
	char path[64];
	FILE *in;
	int n;

	if (sink->conn == NULL)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/schedstat", PQbackendPID(sink->conn));
	in = fopen(path, "r");
	if (in == NULL)
		return -1;
	n = fscanf(in, "%llu", &ns);
	fclose(in);
	return n == 1 ? (double) ns / 1e9 : -1;
}

int
main(int argc, char **argv)
{
	static EbConfig conf;
	static EbSpool spool;
	static EbSink sink;
	int64_t begun_ms;
	long long left;

	if (argc < 4)
	{
		fputs("usage: spool_drain DIRECTORY UUID CONNINFO [BATCH]\n", stderr);
		return 2;
	}
	eb_log_level(EB_LOG_WARNING);
	conf.spool = (EbSpoolConf){argv[1], 4096, 0, 7, 200, 100, false};
	conf.id = argv[2];
	conf.conninfo = argv[3];
	conf.batch_rows = argc > 4 ? (int) strtol(argv[4], NULL, 10) : EB_BATCH_ROWS;
	conf.flush_ms = 1000;
	if (!eb_loop_open(&loop) || !eb_spool_open(&spool, &loop, &conf))
		return 1;
	begun_ms = eb_clock_mono_ms();
	if (!eb_sink_open(&sink, &loop, &spool, &conf))
		return 1;
	eb_sink_close(&sink, finish, finish, NULL);
	eb_loop_run(&loop);
	left = (long long) eb_spool_ready(&spool);
	printf("{\"accepted\": %llu, \"duplicate\": %llu, \"conflict\": %llu, \"rejected\": %llu, "
		   "\"batches\": %llu, \"failures\": %llu, \"damaged\": %llu, \"left\": %lld, "
		   "\"seconds\": %.3f, \"core\": %.3f}\n",
		   (unsigned long long) sink.counts.accepted, (unsigned long long) sink.counts.duplicate,
		   (unsigned long long) sink.counts.conflict, (unsigned long long) sink.counts.rejected,
		   (unsigned long long) sink.counts.batches, (unsigned long long) sink.counts.failures,
		   (unsigned long long) spool.counts.damaged, left,
		   (double) (eb_clock_mono_ms() - begun_ms) / 1000, core_seconds(&sink));
	eb_sink_free(&sink);
	eb_spool_close(&spool);
	eb_loop_close(&loop);
	return left > 0;
}
