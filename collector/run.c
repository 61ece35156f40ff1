/*
 * run.c -- the collector at work: buses, queue and sink on one loop
 * In:  a checked configuration, signals.
 * Out: an exit code; the counts of every port and meter at the end.
 *
 * The end has two steps, also for --once: the buses finish what is in flight, then the sink
 * delivers what is queued. Each has its time limit.
 */
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bus.h"
#include "clock.h"
#include "sink_pg.h"

#define FINISH_MS 2000		/* a frame in flight */
#define FLUSH_MS 5000		/* the last batch */
#define FLUSH_ONCE_MS 15000 /* --once may have to wait for the server */
#define TICK_MS 10000
#define STEP_MS 1000 /* a clock step smaller than this is not worth a line */

typedef enum RunPhase
{
	RUN_WORKING,
	RUN_FINISHING, /* buses finish */
	RUN_FLUSHING,  /* the sink delivers */
} RunPhase;

typedef struct Run
{
	const EbConfig *conf;
	EbRunMode mode;
	RunPhase phase;
	int status;
	EbLoop loop;
	EbQueue queue;
	EbIntake intake;
	EbSink sink;
	EbMeter *meter;
	EbBus *bus;
	EbWatch signals;
	EbWatch clock;
	int64_t clock_offset_ms; /* UTC less monotonic, to tell how far a step went */
	EbTimer limit;			 /* of the phase */
	EbTimer tick;
} Run;

static void
finish_loop(void *owner)
{
	Run *run = owner;

	run->loop.stop = true;
}

static void
begin_flush(Run *run)
{
	run->phase = RUN_FLUSHING;
	if (run->mode.dry_run)
	{
		finish_loop(run);
		return;
	}
	eb_timer_after(&run->limit, run->mode.once ? FLUSH_ONCE_MS : FLUSH_MS);
	eb_sink_close(&run->sink, finish_loop, finish_loop, run);
}

/* A bus has finished; when it could not begin at all, the others stop too. */
static void
bus_done(void *owner)
{
	Run *run = owner;
	bool all = true;

	for (int i = 0; i < run->conf->nports; i++)
	{
		if (run->bus[i].locked)
			run->status = EB_EXIT_LOCKED;
		all = all && run->bus[i].done;
	}
	if (all && run->phase != RUN_FLUSHING)
		begin_flush(run);
	else if (run->status == EB_EXIT_LOCKED && run->phase == RUN_WORKING && !run->mode.once)
		eb_timer_after(&run->limit, 0);
}

/* Nothing new is begun. eb_bus_stop calls bus_done, which ends the phase with the last bus. */
static void
begin_finish(Run *run)
{
	run->phase = RUN_FINISHING;
	eb_timer_after(&run->limit, FINISH_MS);
	for (int i = 0; i < run->conf->nports; i++)
		eb_bus_stop(&run->bus[i]);
}

static void
limit_reached(void *owner)
{
	Run *run = owner;

	if (run->phase == RUN_WORKING)
		begin_finish(run);
	else if (run->phase == RUN_FINISHING)
		begin_flush(run);
	else
		finish_loop(run);
}

static void
signal_ready(void *owner, uint32_t events)
{
	Run *run = owner;
	struct signalfd_siginfo info;

	if (read(run->signals.fd, &info, sizeof(info)) != sizeof(info))
		return;
	eb_log(EB_LOG_INFO, "signal %u: finishing", info.ssi_signo);
	if (run->phase == RUN_WORKING)
		begin_finish(run);
}

static void
clock_ready(void *owner, uint32_t events)
{
	Run *run = owner;
	int64_t offset_ms = eb_clock_real_ms() - eb_clock_mono_ms();
	int64_t step_ms = offset_ms - run->clock_offset_ms;

	if (!eb_clock_stepped(run->clock.fd))
		return;
	if (llabs(step_ms) > STEP_MS)
		eb_log(EB_LOG_WARNING, "the clock was set by %lld ms", (long long) step_ms);
	run->clock_offset_ms = offset_ms;
	for (int i = 0; i < run->conf->nports; i++)
		eb_bus_clock_set(&run->bus[i]);
}

static void
tick(void *owner)
{
	Run *run = owner;

	eb_log_flush(1);
	eb_timer_after(&run->tick, TICK_MS);
}

static void
row_booked(void *owner)
{
	Run *run = owner;

	eb_sink_poke(&run->sink);
}

/* Signals come through the loop; a broken pipe is an error of write(), not a death. */
static bool
watch_signals(Run *run)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP); /* a closed terminal must not cost what is queued */
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	run->signals = (EbWatch){-1, signal_ready, run};
	return fd >= 0 && eb_loop_watch(&run->loop, &run->signals, fd, EPOLLIN);
}

static void
watch_clock(Run *run)
{
	int fd = eb_clock_watch();

	run->clock = (EbWatch){-1, clock_ready, run};
	run->clock_offset_ms = eb_clock_real_ms() - eb_clock_mono_ms();
	if (fd < 0 || !eb_loop_watch(&run->loop, &run->clock, fd, EPOLLIN))
		eb_log(EB_LOG_WARNING, "steps of the clock cannot be watched");
}

static bool
make_meters(Run *run)
{
	const EbConfig *conf = run->conf;

	run->meter = calloc((size_t) conf->nmeters, sizeof(EbMeter));
	run->bus = calloc((size_t) conf->nports, sizeof(EbBus));
	if (run->meter == NULL || run->bus == NULL)
		return false;
	for (int i = 0; i < conf->nmeters; i++)
	{
		EbMeter *meter = &run->meter[i];

		meter->conf = &conf->meter[i];
		meter->tariffs = -1;
		meter->last_read_ms = EB_NO_INSTANT;
		if (meter->conf->port->protocol == EB_PROTOCOL_DLT645)
			memcpy(meter->address, meter->conf->address, sizeof(meter->address));
	}
	return true;
}

static bool
set_up(Run *run)
{
	EbBusMode mode = {run->mode.once, run->mode.listen_s * INT64_C(1000), bus_done, run};

	if (!eb_loop_open(&run->loop) || !watch_signals(run) || !make_meters(run))
		return false;
	watch_clock(run);
	eb_loop_add_timer(&run->loop, &run->limit, limit_reached, run);
	eb_loop_add_timer(&run->loop, &run->tick, tick, run);
	eb_timer_after(&run->tick, TICK_MS);
	run->intake.conf = run->conf;
	run->intake.lines = run->mode.once ? stdout : NULL;
	run->intake.booked = row_booked;
	run->intake.owner = run;
	if (!run->mode.dry_run)
	{
		if (!eb_queue_open(&run->queue, (size_t) run->conf->queue_rows))
			return false;
		run->intake.queue = &run->queue;
		eb_sink_open(&run->sink, &run->loop, &run->queue, run->conf);
	}
	for (int i = 0; i < run->conf->nports; i++)
		if (!eb_bus_init(&run->bus[i], &run->loop, &run->intake, &run->conf->port[i], run->meter,
						 run->conf->nmeters, mode))
			return false;
	return true;
}

static void
report(Run *run)
{
	const EbSinkCounts *db = &run->sink.counts;

	for (int i = 0; i < run->conf->nports; i++)
	{
		eb_bus_tally(&run->bus[i]);
		eb_report_log("port", run->conf->port[i].name, &run->bus[i].counts);
		if (run->mode.once)
			eb_report_json(stdout, "port", run->conf->port[i].name, &run->bus[i].counts);
	}
	for (int i = 0; i < run->conf->nmeters; i++)
	{
		eb_report_log("meter", run->conf->meter[i].serial, &run->meter[i].counts);
		if (run->mode.once)
			eb_report_json(stdout, "meter", run->conf->meter[i].serial, &run->meter[i].counts);
	}
	if (run->mode.dry_run)
		return;
	eb_log(EB_LOG_INFO,
		   "database: batches %llu accepted %llu duplicate %llu conflict %llu rejected %llu "
		   "failures %llu undelivered %zu lost %llu",
		   (unsigned long long) db->batches, (unsigned long long) db->accepted,
		   (unsigned long long) db->duplicate, (unsigned long long) db->conflict,
		   (unsigned long long) db->rejected, (unsigned long long) db->failures, run->queue.count,
		   (unsigned long long) run->queue.lost);
	if (run->mode.once)
		printf("{\"report\":\"database\",\"batches\":%llu,\"accepted\":%llu,\"duplicate\":%llu,"
			   "\"conflict\":%llu,\"rejected\":%llu,\"undelivered\":%zu,\"lost\":%llu}\n",
			   (unsigned long long) db->batches, (unsigned long long) db->accepted,
			   (unsigned long long) db->duplicate, (unsigned long long) db->conflict,
			   (unsigned long long) db->rejected, run->queue.count,
			   (unsigned long long) run->queue.lost);
}

static int
exit_code(const Run *run)
{
	uint64_t rows = 0;

	for (int i = 0; i < run->conf->nmeters; i++)
		rows += run->meter[i].counts.rows;
	if (run->status != EB_EXIT_DONE)
		return run->status;
	if (run->queue.count > 0 || run->queue.lost > 0)
	{
		eb_log(EB_LOG_ERROR, "%zu rows could not be delivered and are lost, %llu found no room",
			   run->queue.count, (unsigned long long) run->queue.lost);
		return EB_EXIT_LOCKED;
	}
	return run->mode.once && rows == 0 ? EB_EXIT_NOTHING : EB_EXIT_DONE;
}

static void
tear_down(Run *run)
{
	for (int i = 0; run->bus != NULL && i < run->conf->nports; i++)
		eb_bus_free(&run->bus[i]);
	eb_sink_free(&run->sink);
	eb_queue_close(&run->queue);
	free(run->bus);
	free(run->meter);
	if (run->signals.fd > 0)
		close(run->signals.fd);
	if (run->clock.fd > 0)
		close(run->clock.fd);
	eb_loop_close(&run->loop);
}

int
eb_run(const EbConfig *conf, EbRunMode mode)
{
	static Run state;
	Run *run = &state;
	int status = EB_EXIT_INTERNAL;

	memset(run, 0, sizeof(*run));
	run->conf = conf;
	run->mode = mode;
	eb_log_level(conf->log_level);
	srandom((unsigned) (getpid() ^ eb_clock_real_ms()));
	if (!set_up(run))
		eb_log(EB_LOG_ERROR, "the collector cannot start: %s", strerror(errno));
	else
	{
		eb_log(EB_LOG_INFO, "elecbill-collector " ELECBILL_VERSION ": %d meters on %d ports",
			   conf->nmeters, conf->nports);
		for (int i = 0; i < conf->nports; i++)
			eb_bus_start(&run->bus[i]);
		if (!eb_loop_run(&run->loop))
			eb_log(EB_LOG_ERROR, "epoll: %s", strerror(errno));
		else
			status = exit_code(run);
		report(run);
	}
	eb_log_flush(0);
	tear_down(run);
	return status;
}
