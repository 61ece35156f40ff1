/*
 * run.c -- the collector at work: buses, spool and sink on one loop
 * In:  a checked configuration, signals.
 * Out: an exit code; the counts of every port and meter at the end.
 *
 * The end has two steps, also for --once: the buses finish what is in flight, then the sink
 * delivers what is in the spool. Each has its time limit; what is left stays in the spool.
 */
#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "run_state.h"
#include "trace.h"

#define FINISH_MS 2000		/* a frame in flight */
#define FLUSH_MS 5000		/* the last batch */
#define FLUSH_ONCE_MS 15000 /* --once may have to wait for the server */
#define TICK_MS 1000
#define TICKS_PER_STATUS 10
#define STEP_MS 1000 /* a clock step smaller than this is not worth a line */
#define SAMPLE_MS 60000

static void
finish_loop(void *owner)
{
	EbRun *run = owner;

	run->loop.stop = true;
}

void
eb_run_tell(EbRun *run, const char *code, EbLogLevel severity, const char *detail)
{
	EbEvent event = {
		.code = code, .severity = severity, .detail = detail, .at_ms = eb_clock_real_ms()};

	eb_events_add(&run->events, &event);
}

static void
bus_event(void *owner, const EbEvent *event)
{
	EbRun *run = owner;

	eb_events_add(&run->events, event);
}

static void
begin_flush(EbRun *run)
{
	run->phase = EB_RUN_FLUSHING;
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
	EbRun *run = owner;

	if (eb_buses_locked(&run->buses))
		run->status = EB_EXIT_LOCKED;
	if (eb_buses_done(&run->buses) && run->phase != EB_RUN_FLUSHING)
		begin_flush(run);
	else if (run->status == EB_EXIT_LOCKED && run->phase == EB_RUN_WORKING && !run->mode.once)
		eb_timer_after(&run->limit, 0);
}

/* Nothing new is begun. eb_bus_stop calls bus_done, which ends the phase with the last bus. */
static void
begin_finish(EbRun *run)
{
	run->phase = EB_RUN_FINISHING;
	run->commands.dropping = true;
	eb_sd_stopping(&run->sd);
	eb_timer_after(&run->limit, FINISH_MS);
	eb_buses_stop(&run->buses);
}

static void
limit_reached(void *owner)
{
	EbRun *run = owner;

	if (run->phase == EB_RUN_WORKING)
		begin_finish(run);
	else if (run->phase == EB_RUN_FINISHING)
		begin_flush(run);
	else
		finish_loop(run);
}

static void
signal_ready(void *owner, uint32_t events)
{
	EbRun *run = owner;
	struct signalfd_siginfo info;

	(void) events;
	if (read(run->signals.fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGUSR1)
	{
		eb_run_report(run);
		return;
	}
	if (info.ssi_signo == SIGHUP && !run->mode.once)
	{
		run->reload_asked = true; /* at the end of this round */
		return;
	}
	eb_log(EB_LOG_INFO, "signal %u: finishing", info.ssi_signo);
	if (run->phase == EB_RUN_WORKING)
	{
		eb_run_tell(run, "stopping", EB_LOG_INFO, strsignal((int) info.ssi_signo));
		begin_finish(run);
	}
}

static void
clock_ready(void *owner, uint32_t events)
{
	EbRun *run = owner;
	int64_t offset_ms = eb_clock_real_ms() - eb_clock_mono_ms();
	int64_t step_ms = offset_ms - run->clock_offset_ms;
	char detail[60];

	(void) events;
	if (!eb_clock_stepped(run->clock.fd))
		return;
	if (llabs(step_ms) > STEP_MS)
	{
		snprintf(detail, sizeof(detail), "by %lld ms", (long long) step_ms);
		eb_log(EB_LOG_WARNING, "the clock was set %s", detail);
		eb_run_tell(run, "clock_set", EB_LOG_WARNING, detail);
	}
	run->clock_offset_ms = offset_ms;
	eb_buses_clock_set(&run->buses);
}

static void
watch_spool(EbRun *run)
{
	if (run->mode.dry_run || run->spool.full == run->spool_full)
		return;
	run->spool_full = run->spool.full;
	if (run->spool_full)
		eb_run_tell(run, "spool_full", EB_LOG_ERROR, "readings are lost");
	else
		eb_run_tell(run, "spool_ok", EB_LOG_INFO, "there is room again");
}

/* One line for people: systemctl status shows it. */
static void
tell_status(EbRun *run)
{
	char problem[200];
	const char *first = eb_run_problem(run, 0, problem, sizeof(problem));
	int silent = 0;

	for (int i = 0; i < run->buses.nbuses; i++)
		for (int k = 0; k < run->buses.bus[i]->nmeters && !run->buses.bus[i]->borrows; k++)
			silent += run->buses.bus[i]->meter[k].breaker.failures > 0;
	if (run->mode.dry_run)
		eb_sd_status(&run->sd, "%d meters, %d silent; dry run", run->conf->nmeters, silent);
	else
		eb_sd_status(&run->sd, "%d meters, %d silent; %lld rows wait; database %s%s%s",
					 run->conf->nmeters, silent, (long long) eb_spool_ready(&run->spool),
					 eb_sink_is_up(&run->sink) ? "up" : "down", first != NULL ? "; " : "",
					 first != NULL ? first : "");
}

static void
tick(void *owner)
{
	EbRun *run = owner;
	int64_t now_ms = eb_clock_mono_ms();

	eb_timer_after(&run->tick, TICK_MS);
	eb_log_flush(1);
	watch_spool(run);
	if (++run->ticks % TICKS_PER_STATUS == 0)
		tell_status(run);
	if (now_ms - run->sampled_ms >= SAMPLE_MS)
	{
		eb_buses_sample(&run->buses, now_ms - run->sampled_ms);
		run->sampled_ms = now_ms;
		eb_events_tell(&run->events);
		eb_run_retire(run, false);
	}
}

/* The manager hears from us only while the loop turns and every bus does what it has to. */
static void
feed_watchdog(EbRun *run)
{
	const EbBus *overdue;

	if (!eb_sd_hungry(&run->sd))
		return;
	overdue = eb_buses_overdue(&run->buses);
	if (overdue == NULL)
		eb_sd_feed(&run->sd);
	else
		eb_log(EB_LOG_ERROR, "port %s hangs: the watchdog is not fed", overdue->conf->name);
}

static void
round_over(void *owner)
{
	EbRun *run = owner;

	if (run->reloading)
		eb_run_settle(run);
	if (run->reload_asked && !run->reloading && run->phase == EB_RUN_WORKING)
		eb_run_reload(run);
	if (run->commands.nanswered > 0)
		eb_commands_tell(&run->commands);
	feed_watchdog(run);
}

static void
rows_synced(void *owner)
{
	EbRun *run = owner;

	eb_sink_poke(&run->sink);
}

static void
sink_connected(void *owner)
{
	EbRun *run = owner;

	if (!run->mode.once)
		eb_commands_connected(&run->commands);
	eb_events_tell(&run->events);
}

static void
sink_notified(void *owner)
{
	EbRun *run = owner;

	eb_commands_notified(&run->commands);
}

/* Signals come through the loop; a broken pipe is an error of write(), not a death. */
static bool
watch_signals(EbRun *run)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	run->signals = (EbWatch){-1, signal_ready, run};
	return fd >= 0 && eb_loop_watch(&run->loop, &run->signals, fd, EPOLLIN);
}

static void
watch_clock(EbRun *run)
{
	int fd = eb_clock_watch();

	run->clock = (EbWatch){-1, clock_ready, run};
	run->clock_offset_ms = eb_clock_real_ms() - eb_clock_mono_ms();
	if (fd < 0 || !eb_loop_watch(&run->loop, &run->clock, fd, EPOLLIN))
		eb_log(EB_LOG_WARNING, "steps of the clock cannot be watched");
}

/* Where readings go: the spool, and from there the database. */
static bool
open_delivery(EbRun *run)
{
	if (!eb_spool_open(&run->spool, &run->loop, run->conf))
	{
		run->status = EB_EXIT_LOCKED;
		return false;
	}
	run->intake.spool = &run->spool;
	eb_commands_open(&run->commands, &run->loop, run->conf, &run->sink, &run->buses);
	if (!eb_sink_open(&run->sink, &run->loop, &run->spool, run->conf))
		return false;
	run->sink.errand_owner = (EbErrandOwner){sink_connected, sink_notified, run};
	run->spool.synced = rows_synced;
	run->spool.owner = run;
	if (!run->mode.once)
	{
		eb_events_open(&run->events, run->conf, &run->sink);
		eb_run_tell(run, "started", EB_LOG_INFO, "elecbill-collector " ELECBILL_VERSION);
		eb_run_tell(run, "spool_ok", EB_LOG_INFO, "the collector has started");
	}
	return true;
}

static bool
health_writer(void *owner, EbHealthCursor *cursor, FILE *out)
{
	EbRun *run = owner;

	if (cursor->part == 0)
		eb_buses_tally(&run->buses);
	return cursor->topic == EB_HEALTH_STATUS ? eb_run_status(run, cursor, out)
											 : eb_run_metrics(run, cursor, out);
}

static bool
set_up(EbRun *run)
{
	EbBusMode mode = {.once = run->mode.once,
					  .listen_ms = run->mode.listen_s * INT64_C(1000),
					  .done = bus_done,
					  .event = bus_event,
					  .trace = run->mode.trace ? eb_trace_bytes : NULL,
					  .owner = run};

	if (!eb_loop_open(&run->loop) || !watch_signals(run))
		return false;
	watch_clock(run);
	eb_loop_add_timer(&run->loop, &run->limit, limit_reached, run);
	eb_loop_add_timer(&run->loop, &run->tick, tick, run);
	eb_timer_after(&run->tick, TICK_MS);
	run->loop.round = round_over;
	run->loop.owner = run;
	run->intake.conf = run->conf;
	run->intake.lines = run->mode.once ? stdout : NULL;
	if (!run->mode.dry_run && !open_delivery(run))
		return false;
	if (!eb_buses_init(&run->buses, &run->loop, &run->intake, run->conf, mode))
		return false;
	if (!run->mode.once)
		eb_health_open(&run->health, &run->loop, health_writer, run, &run->conf->health);
	return true;
}

static void
no_port(void *arg, const EbBus *bus)
{
	(void) arg;
	(void) bus;
}

static void
add_rows(void *arg, const EbBus *bus, const EbMeter *meter)
{
	uint64_t *rows = arg;

	(void) bus;
	*rows += meter->counts.rows;
}

static int
exit_code(const EbRun *run)
{
	uint64_t rows = 0;

	eb_buses_each(&run->buses, &rows, no_port, add_rows);
	if (run->status != EB_EXIT_DONE)
		return run->status;
	if (!run->mode.dry_run && eb_spool_ready(&run->spool) > 0)
		eb_log(EB_LOG_WARNING, "%lld rows are kept in the spool and delivered at the next start",
			   (long long) eb_spool_ready(&run->spool));
	if (!run->mode.once)
		return EB_EXIT_DONE;
	if (run->spool.counts.lost > 0)
		return EB_EXIT_LOCKED;
	return rows == 0 ? EB_EXIT_NOTHING : EB_EXIT_DONE;
}

static void
tear_down(EbRun *run)
{
	eb_health_close(&run->health);
	eb_buses_free(&run->buses);
	eb_sink_free(&run->sink);
	eb_events_close(&run->events);
	eb_sd_close(&run->sd);
	if (run->signals.fd > 0)
		close(run->signals.fd);
	if (run->clock.fd > 0)
		close(run->clock.fd);
	eb_loop_close(&run->loop);
	eb_run_retire(run, true);
	eb_config_free(run->conf);
	free(run->conf);
}

/* Until something ends it; the exit code. */
static int
work(EbRun *run)
{
	int status = EB_EXIT_INTERNAL;

	eb_log(EB_LOG_INFO, "elecbill-collector " ELECBILL_VERSION ": %d meters on %d ports",
		   run->conf->nmeters, run->conf->nports);
	eb_sd_ready(&run->sd);
	tell_status(run);
	eb_buses_start(&run->buses);
	if (!eb_loop_run(&run->loop))
		eb_log(EB_LOG_ERROR, "epoll: %s", strerror(errno));
	else
		status = EB_EXIT_DONE;
	eb_spool_close(&run->spool);
	if (status == EB_EXIT_DONE)
		status = exit_code(run);
	eb_run_report(run);
	return status;
}

int
eb_run(EbConfig *conf, EbRunMode mode)
{
	static EbRun state;
	EbRun *run = &state;
	int status = EB_EXIT_INTERNAL;

	memset(run, 0, sizeof(*run));
	run->conf = conf;
	run->file = conf->file;
	run->mode = mode;
	run->started_ms = run->loaded_ms = eb_clock_real_ms();
	run->sampled_ms = eb_clock_mono_ms();
	run->sd.fd = -1;
	eb_log_level(conf->log_level);
	srandom((unsigned) (getpid() ^ eb_clock_real_ms()));
	if (!mode.once)
		eb_sd_open(&run->sd);
	if (set_up(run))
		status = work(run);
	else
	{
		if (run->status != EB_EXIT_DONE)
			status = run->status;
		else
			eb_log(EB_LOG_ERROR, "the collector cannot start: %s", strerror(errno));
		eb_spool_close(&run->spool);
	}
	eb_log_flush(0);
	tear_down(run);
	return status;
}
