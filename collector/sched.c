/*
 * sched.c -- when each meter of a bus is read
 * In:  meters with interval and offset; the time of UTC, given by the caller.
 * Out: the next read that is due, the time a bus needs in the worst case. Integer arithmetic
 *      only, no clock and no I/O of its own.
 */
#include "sched.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codec/dlt645.h"

#define DAY_MS INT64_C(86400000)

/* Half an hour after midnight: a meter's clock may be some minutes slow. */
#define FREEZE_OFFSET_MS INT64_C(1800000)

/* Requests of a freeze: its time, its values, its time again. */
#define FREEZE_REQUESTS 3

#define PREAMBLE 4

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t
eb_sched_slot(const EbTask *task, int64_t at_ms)
{
	return floor_div(at_ms + task->phase_ms, task->interval_ms);
}

int64_t
eb_sched_start(const EbTask *task, int64_t slot)
{
	return slot * task->interval_ms - task->phase_ms;
}

/* Data bytes of a reply behind its identifier: a block of five values, or one. */
static size_t
reply_bytes(uint32_t di)
{
	return (di & 0xFF00) == 0xFF00 || di >> 16 == 0x0506 ? 20 : 4;
}

/* Request, longest delay, reply and pause, as often as it is tried. */
static int64_t
request_cost(const EbPortConf *port, size_t data)
{
	int64_t request_ms = eb_line_ms(port->line, PREAMBLE + EB_DLT645_MIN_FRAME + 4);
	int64_t reply_ms = eb_line_ms(port->line, PREAMBLE + EB_DLT645_MIN_FRAME + 4 + data);

	return (request_ms + port->reply_ms + reply_ms + port->pause_ms) * (1 + port->retries);
}

static int64_t
registers_cost(const EbMeterConf *meter)
{
	int64_t cost_ms = 0;

	for (int i = 0; i < meter->nread; i++)
		cost_ms += request_cost(meter->port, reply_bytes(meter->read[i]));
	return cost_ms;
}

EbBudget
eb_sched_budget(const EbConfig *conf, const EbPortConf *port)
{
	EbBudget budget = {0, 0, 0};

	for (int i = 0; i < conf->nmeters; i++)
	{
		int64_t interval_ms = conf->meter[i].interval_s * INT64_C(1000);

		if (conf->meter[i].port != port || port->protocol != EB_PROTOCOL_DLT645)
			continue;
		budget.nmeters++;
		if (budget.interval_ms == 0 || interval_ms < budget.interval_ms)
			budget.interval_ms = interval_ms;
	}
	for (int i = 0; i < conf->nmeters; i++)
	{
		const EbMeterConf *meter = &conf->meter[i];
		int64_t freeze_ms = FREEZE_REQUESTS * request_cost(port, 20);

		if (meter->port != port || budget.interval_ms == 0)
			continue;
		/* rarer reads by their share, rounded up */
		budget.cost_ms +=
			(registers_cost(meter) * budget.interval_ms + meter->interval_s * INT64_C(1000) - 1) /
			(meter->interval_s * INT64_C(1000));
		if (meter->freeze)
			budget.cost_ms += (freeze_ms * budget.interval_ms + DAY_MS - 1) / DAY_MS;
	}
	return budget;
}

static EbTask
make_task(const EbMeterConf *meter, EbTaskKind kind, int64_t budget_ms)
{
	EbTask task;

	memset(&task, 0, sizeof(task));
	task.meter = meter;
	task.kind = kind;
	task.interval_ms = kind == EB_TASK_FREEZE ? DAY_MS : meter->interval_s * INT64_C(1000);
	task.phase_ms = kind == EB_TASK_FREEZE ? meter->utc_offset_s * INT64_C(1000) : 0;
	task.offset_ms = kind == EB_TASK_FREEZE ? FREEZE_OFFSET_MS : meter->offset_s * INT64_C(1000);
	task.window_ms = task.interval_ms / 2 - task.offset_ms;
	if (kind == EB_TASK_REGISTERS && budget_ms < task.window_ms)
		task.window_ms = budget_ms;
	task.slot = EB_NO_INSTANT;
	return task;
}

bool
eb_sched_open(EbSched *sched, const EbConfig *conf, const EbPortConf *port)
{
	int64_t budget_ms = eb_sched_budget(conf, port).cost_ms;

	sched->ntasks = 0;
	sched->task = calloc((size_t) conf->nmeters * 2 + 1, sizeof(EbTask));
	if (sched->task == NULL)
		return false;
	for (int kind = EB_TASK_REGISTERS; kind <= EB_TASK_FREEZE; kind++)
		for (int i = 0; i < conf->nmeters; i++)
		{
			const EbMeterConf *meter = &conf->meter[i];

			if (meter->port == port && (kind == EB_TASK_FREEZE ? meter->freeze : meter->nread > 0))
				sched->task[sched->ntasks++] = make_task(meter, (EbTaskKind) kind, budget_ms);
		}
	return true;
}

void
eb_sched_close(EbSched *sched)
{
	free(sched->task);
	sched->task = NULL;
	sched->ntasks = 0;
}

/*
 * Whether the task is due; *wait_ms is lowered to the time it has to wait otherwise. A clock that
 * was set back by less than a day repeats slots that were read: they are not read again. Set back
 * further, it was wrong before, and counting starts anew.
 */
static bool
is_due(EbTask *task, int64_t now_ms, int64_t *wait_ms)
{
	int64_t slot = eb_sched_slot(task, now_ms);
	int64_t into_ms = now_ms - eb_sched_start(task, slot);
	int64_t due_ms = task->offset_ms;
	bool first;

	if (task->slot != EB_NO_INSTANT && task->slot > slot + DAY_MS / task->interval_ms)
		task->slot = EB_NO_INSTANT;
	first = task->slot == EB_NO_INSTANT;
	if (first || task->slot < slot)
	{
		if (!first && task->slot < slot - 1)
		{
			task->gaps += (uint64_t) (slot - 1 - task->slot);
			task->slot = slot - 1;
		}
		if (into_ms >= task->interval_ms / 2)
		{
			task->gaps += first ? 0 : 1;
			task->slot = slot;
		}
		else if (into_ms >= due_ms)
			return true;
	}
	if (task->slot >= slot)
		due_ms += (task->slot + 1 - slot) * task->interval_ms;
	if (due_ms - into_ms < *wait_ms)
		*wait_ms = due_ms - into_ms;
	return false;
}

EbTask *
eb_sched_next(EbSched *sched, int64_t now_ms, int64_t *wait_ms)
{
	*wait_ms = DAY_MS;
	for (int i = 0; i < sched->ntasks; i++)
	{
		EbTask *task = &sched->task[i];

		if (!is_due(task, now_ms, wait_ms))
			continue;
		task->slot = eb_sched_slot(task, now_ms);
		return task;
	}
	return NULL;
}

void
eb_sched_give_back(EbTask *task)
{
	if (task->slot != EB_NO_INSTANT)
		task->slot--;
}

bool
eb_sched_late(const EbTask *task, int64_t at_ms)
{
	return task->slot != EB_NO_INSTANT &&
		   at_ms > eb_sched_start(task, task->slot) + task->offset_ms + task->window_ms;
}
