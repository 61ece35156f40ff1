/*
 * sched.h -- when each meter of a bus is read
 * A slot is a clock-aligned interval of UTC (a local day for the daily freeze). A meter is read
 * once per slot, at the slot's start plus its offset, in the order of the configuration. What was
 * missed stays missed: there is no catching up.
 * Source: doc/collector.md.
 */
#ifndef EB_SCHED_H
#define EB_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "meter.h"

typedef enum EbTaskKind
{
	EB_TASK_REGISTERS, /* what the meter is configured to be read for */
	EB_TASK_FREEZE,	   /* the values of last midnight */
} EbTaskKind;

/* One read that comes again and again. */
typedef struct EbTask
{
	EbMeter *meter;
	int64_t next_ms; /* UTC: not looked at before; see EbSched.seen_ms */
	EbTaskKind kind;
	int64_t interval_ms;
	int64_t phase_ms;  /* how far the slots' clock is ahead of UTC */
	int64_t offset_ms; /* from the slot's start to the read */
	int64_t window_ms; /* a read later than this after its due time is flagged late */
	int64_t slot;	   /* last one read or given up; EB_NO_INSTANT at the start */
	uint64_t gaps;	   /* slots without a read */
} EbTask;

typedef struct EbSched
{
	EbTask *task; /* registers of all meters, then their freezes */
	int ntasks;
	int64_t seen_ms; /* UTC of the last look: an earlier one means that the clock was set back */
} EbSched;

/*
 * Tasks of the meters of a bus whose worst case is budget_ms per shortest interval; false when
 * there is no memory.
 */
extern bool eb_sched_open(EbSched *sched, EbMeter *meters, int nmeters, int64_t budget_ms);
extern void eb_sched_close(EbSched *sched);

extern int64_t eb_sched_slot(const EbTask *task, int64_t at_ms);
extern int64_t eb_sched_start(const EbTask *task, int64_t slot);

/*
 * The first task that is due, its slot taken; NULL when none is, with *wait_ms until the next.
 * A slot is due from its offset until half of its interval has passed.
 */
extern EbTask *eb_sched_next(EbSched *sched, int64_t now_ms, int64_t *wait_ms);

/* The task that reads the registers of a meter, else its freeze; NULL: it is never asked. */
extern EbTask *eb_sched_of(const EbSched *sched, const EbMeter *meter);

/* Takes the slot of now_ms for a read outside the schedule: it is not read again in it. */
extern void eb_sched_take(EbTask *task, int64_t now_ms);

/* Slots that another schedule has read or given up of the same meters are not due here either. */
extern void eb_sched_inherit(EbSched *sched, const EbSched *old);

/* The read of the task's slot could not be tried: it is due again. */
extern void eb_sched_give_back(EbTask *task);

/* Whether a reply that arrived at at_ms is late for the task's slot. */
extern bool eb_sched_late(const EbTask *task, int64_t at_ms);

#endif
