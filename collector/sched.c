/*
 * sched.c -- when each meter of a bus is read
 * In:  meters with interval and offset; the time of UTC, given by the caller.
 * Out: the next read that is due. Integer arithmetic only, no clock and no I/O of its own.
 */
#include "sched.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define DAY_MS INT64_C(86400000)

/* Half an hour after midnight: a meter's clock may be some minutes slow. */
#define FREEZE_OFFSET_MS INT64_C(1800000)

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

static EbTask
make_task(EbMeter *meter, EbTaskKind kind, int64_t budget_ms)
{
	const EbMeterConf *conf = meter->conf;
	EbTask task;

	memset(&task, 0, sizeof(task));
	task.meter = meter;
	task.kind = kind;
	task.interval_ms = kind == EB_TASK_FREEZE ? DAY_MS : conf->interval_s * INT64_C(1000);
	task.phase_ms = kind == EB_TASK_FREEZE ? conf->utc_offset_s * INT64_C(1000) : 0;
	task.offset_ms = kind == EB_TASK_FREEZE ? FREEZE_OFFSET_MS : conf->offset_s * INT64_C(1000);
	task.window_ms = task.interval_ms / 2 - task.offset_ms;
	if (kind == EB_TASK_REGISTERS && budget_ms < task.window_ms)
		task.window_ms = budget_ms;
	task.slot = EB_NO_INSTANT;
	task.next_ms = INT64_MIN;
	return task;
}

bool
eb_sched_open(EbSched *sched, EbMeter *meters, int nmeters, int64_t budget_ms)
{
	int n = 0;

	for (int i = 0; i < nmeters; i++)
		n += meters[i].conf->reads + meters[i].conf->freeze;
	sched->ntasks = 0;
	sched->seen_ms = INT64_MIN;
	sched->task = calloc((size_t) n + 1, sizeof(EbTask));
	if (sched->task == NULL)
		return false;
	for (int i = 0; i < nmeters; i++)
		if (meters[i].conf->reads)
			sched->task[sched->ntasks++] = make_task(&meters[i], EB_TASK_REGISTERS, budget_ms);
	for (int i = 0; i < nmeters; i++)
		if (meters[i].conf->freeze)
			sched->task[sched->ntasks++] = make_task(&meters[i], EB_TASK_FREEZE, budget_ms);
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
 * Whether the task is due; else task->next_ms says until when it is not. A clock that was set back
 * by less than a day repeats slots that were read: they are not read again. Set back further, it
 * was wrong before, and counting starts anew.
 */
static bool
is_due(EbTask *task, int64_t now_ms)
{
	int64_t slot = eb_sched_slot(task, now_ms);
	int64_t start_ms = eb_sched_start(task, slot);
	int64_t into_ms = now_ms - start_ms;
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
	task->next_ms = start_ms + due_ms;
	return false;
}

EbTask *
eb_sched_next(EbSched *sched, int64_t now_ms, int64_t *wait_ms)
{
	if (now_ms < sched->seen_ms)
		for (int i = 0; i < sched->ntasks; i++)
			sched->task[i].next_ms = INT64_MIN;
	sched->seen_ms = now_ms;
	*wait_ms = DAY_MS;
	for (int i = 0; i < sched->ntasks; i++)
	{
		EbTask *task = &sched->task[i];

		if (now_ms >= task->next_ms && is_due(task, now_ms))
		{
			task->slot = eb_sched_slot(task, now_ms);
			task->next_ms = INT64_MIN;
			return task;
		}
		if (task->next_ms - now_ms < *wait_ms)
			*wait_ms = task->next_ms - now_ms;
	}
	return NULL;
}

EbTask *
eb_sched_of(const EbSched *sched, const EbMeter *meter)
{
	for (int i = 0; i < sched->ntasks; i++)
		if (sched->task[i].meter == meter)
			return &sched->task[i];
	return NULL;
}

void
eb_sched_take(EbTask *task, int64_t now_ms)
{
	int64_t slot = eb_sched_slot(task, now_ms);

	if (task->slot != EB_NO_INSTANT && task->slot < slot - 1)
		task->gaps += (uint64_t) (slot - 1 - task->slot);
	if (task->slot == EB_NO_INSTANT || task->slot < slot)
		task->slot = slot;
	task->next_ms = INT64_MIN;
}

void
eb_sched_inherit(EbSched *sched, const EbSched *old)
{
	for (int i = 0; i < sched->ntasks; i++)
		for (int k = 0; k < old->ntasks; k++)
		{
			EbTask *task = &sched->task[i];
			const EbTask *before = &old->task[k];

			if (strcmp(task->meter->conf->serial, before->meter->conf->serial) != 0 ||
				task->kind != before->kind)
				continue;
			task->gaps = before->gaps;
			if (task->interval_ms == before->interval_ms && task->phase_ms == before->phase_ms)
				task->slot = before->slot;
		}
}

void
eb_sched_give_back(EbTask *task)
{
	if (task->slot != EB_NO_INSTANT)
		task->slot--;
	task->next_ms = INT64_MIN;
}

bool
eb_sched_late(const EbTask *task, int64_t at_ms)
{
	return task->slot != EB_NO_INSTANT &&
		   at_ms > eb_sched_start(task, task->slot) + task->offset_ms + task->window_ms;
}
