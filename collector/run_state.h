/*
 * run_state.h -- the running collector, as run.c, reload.c, status.c and metrics.c see it
 */
#ifndef EB_RUN_STATE_H
#define EB_RUN_STATE_H

#include "buses.h"
#include "commands.h"
#include "events.h"
#include "health.h"
#include "run.h"
#include "sd.h"
#include "sink_pg.h"
#include "spool.h"

typedef enum EbRunPhase
{
	EB_RUN_WORKING,
	EB_RUN_FINISHING, /* buses finish */
	EB_RUN_FLUSHING,  /* the sink delivers */
} EbRunPhase;

/* A configuration that was replaced, until nothing in flight can refer to it any more. */
typedef struct EbRetired
{
	EbConfig *conf;
	int64_t free_ms; /* monotonic */
	struct EbRetired *next;
} EbRetired;

typedef struct EbRun
{
	EbConfig *conf;
	const char *file; /* of the configuration, as it was named at the start */
	EbRunMode mode;
	EbRunPhase phase;
	int status;

	EbLoop loop;
	EbSpool spool;
	EbIntake intake;
	EbSink sink;
	EbBuses buses;
	EbEvents events;
	EbCommands commands;
	EbHealth health;
	EbSd sd;

	EbWatch signals;
	EbWatch clock;
	int64_t clock_offset_ms; /* UTC less monotonic, to tell how far a step went */
	EbTimer limit;			 /* of the phase */
	EbTimer tick;
	uint64_t ticks;

	int64_t started_ms; /* UTC */
	int64_t loaded_ms;	/* UTC: the configuration */
	bool reload_asked;
	bool reloading; /* buses are being replaced */
	uint64_t reloads;
	uint64_t reloads_refused;
	EbRetired *retired;

	bool spool_full;	/* told as an event */
	int64_t sampled_ms; /* monotonic: how busy the buses are */
} EbRun;

/* For the database; the log has its line from whom it comes. */
extern void eb_run_tell(EbRun *run, const char *code, EbLogLevel severity, const char *detail);

/* Counts of every port, every meter and the database, to the log; with --once as JSON too. run_report.c */
extern void eb_run_report(EbRun *run);

/* Reads the file again and takes it, or keeps what there is; from loop->round. reload.c */
extern void eb_run_reload(EbRun *run);

/* From loop->round: goes on with a reload. */
extern void eb_run_settle(EbRun *run);

/* Frees replaced configurations; all: at once. */
extern void eb_run_retire(EbRun *run, bool all);

/* What is wrong, as words; the n-th, NULL when there are fewer. status.c */
extern const char *eb_run_problem(const EbRun *run, int n, char *buf, size_t size);

/* Writes a piece of the status or of the metrics: EbHealthWriter. */
extern bool eb_run_status(const EbRun *run, EbHealthCursor *cursor, FILE *out);
extern bool eb_run_metrics(const EbRun *run, EbHealthCursor *cursor, FILE *out);

/* The n-th meter of all buses, and its bus; NULL when there are fewer. status.c */
extern const EbMeter *eb_run_meter(const EbRun *run, int n, const EbBus **bus);

/* Counts of the n-th port, its connections added up; NULL when there are fewer. status.c */
extern const EbBus *eb_run_port(const EbRun *run, int n, EbCounts *counts, bool *open);

#endif
