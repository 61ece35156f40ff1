/*
 * bus_dlt645.c -- the master of a DL/T 645-2007 bus: which meter is asked, and what it said
 * In:  tasks of sched.c that are due, the questions of plan.c, outcomes of exchange.c.
 * Out: frames for intake.c. One request is in flight at a time; a task is a few requests to one
 *      meter, one after the other.
 *
 * A daily freeze is booked only when its time was the same before and after its values.
 */
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "clock.h"
#include "exchange.h"
#include "plan.h"
#include "sched.h"

#define WILDCARD "AAAAAAAAAAAA"

#define MAX_JOINED 1024

/* Longest sleep of the schedule, so that a clock that jumps is noticed. */
#define SLEEP_MS 60000

typedef struct Master
{
	EbSched sched;
	EbExchange exchange;
	EbTimer timer; /* until the next task, or the pause between two requests */
	int next_once;

	EbTask *task; /* in hand; NULL between tasks */
	EbMeter *meter;
	EbPlan plan;
	bool failed; /* some step gave nothing */

	/* a reply in several frames */
	uint8_t seq; /* of the part that is asked for; 0: a question of the plan */
	size_t njoined;
	uint8_t joined[MAX_JOINED];
	EbFrame part; /* the first part, whose instant and bytes count */
	int64_t part_at_ms;
	size_t part_len;
	uint8_t part_bytes[EB_DLT645_MAX_FRAME];

	/* a freeze */
	bool again; /* its time changed in between: once more */
	char frozen_at[24];
	EbFrame frozen;
	int64_t frozen_read_ms;
	size_t frozen_len;
	uint8_t frozen_bytes[EB_DLT645_MAX_FRAME];
} Master;

static void ask(EbBus *bus);

static uint32_t
asked_di(const Master *master)
{
	return master->plan.di[master->plan.step];
}

static void
make_plan(Master *master)
{
	eb_plan_make(&master->plan, master->meter, master->task->kind);
	master->frozen_at[0] = '\0';
	master->frozen_len = 0;
}

/* No further question of this task. */
static void
end_plan(Master *master)
{
	master->plan.step = master->plan.nsteps;
}

static void
begin_task(EbBus *bus, EbTask *task)
{
	Master *master = bus->own;

	master->task = task;
	master->meter = eb_bus_meter(bus, task->meter);
	master->failed = false;
	master->again = false;
	master->seq = 0; /* the port may have gone in the midst of a reply */
	master->njoined = 0;
	make_plan(master);
	ask(bus);
}

static void
end_task(EbBus *bus)
{
	Master *master = bus->own;

	if (master->failed)
		master->task->gaps++;
	master->task = NULL;
	if (bus->stopping)
		eb_bus_done(bus);
	else
		eb_timer_after(&master->timer, bus->conf->pause_ms);
}

static void
next_task(EbBus *bus)
{
	Master *master = bus->own;
	EbTask *task = NULL;
	int64_t wait_ms = 0;

	if (bus->mode.once)
	{
		if (master->next_once < master->sched.ntasks)
			task = &master->sched.task[master->next_once++];
		else
		{
			eb_bus_done(bus);
			return;
		}
	}
	else
		task = eb_sched_next(&master->sched, eb_clock_real_ms(), &wait_ms);
	if (task != NULL)
		begin_task(bus, task);
	else
		eb_timer_after(&master->timer, wait_ms < SLEEP_MS ? wait_ms : SLEEP_MS);
}

/* The question of the plan, or the next part of its reply. */
static void
ask(EbBus *bus)
{
	Master *master = bus->own;
	EbDlt645Request *request = &master->exchange.request;
	uint32_t di = asked_di(master);
	size_t reply_data = 8;

	if (master->seq > 0)
	{
		eb_dlt645_next(master->meter->address, di, master->seq, request);
		reply_data = EB_FRAME_MAX_RAW;
	}
	else if (di == EB_DI_ASK_ADDRESS)
		eb_dlt645_address(request);
	else
		eb_dlt645_read(master->meter->address, di, request);
	if (eb_plan_is_block(di) || di == EB_DI_FREEZE_VALUES)
		reply_data = EB_FRAME_MAX_RAW;
	eb_exchange_start(&master->exchange, master->meter, reply_data);
}

/* The next request after a pause, or the end of the task. */
static void
next_step(EbBus *bus)
{
	Master *master = bus->own;

	master->seq = 0;
	master->njoined = 0;
	master->plan.step++;
	if (master->plan.step >= master->plan.nsteps || bus->stopping)
		end_task(bus);
	else
		eb_timer_after(&master->timer, bus->conf->pause_ms);
}

static void
master_timer(void *owner)
{
	EbBus *bus = owner;
	Master *master = bus->own;

	if (!bus->is_open || bus->done)
		return;
	if (master->task != NULL)
		ask(bus);
	else
		next_task(bus);
}

static int
quality_of(EbBus *bus, const EbFrame *frame, int64_t at_ms)
{
	Master *master = bus->own;
	int quality = 0;

	if (!bus->mode.once && eb_sched_late(master->task, at_ms))
		quality |= EB_QUALITY_LATE;
	if (eb_dlt645_wildcard(frame->address))
		quality |= EB_QUALITY_FOREIGN_ADDRESS;
	return quality;
}

/* Both times of a freeze were the same: its values are those of that midnight. */
static void
freeze_time(EbBus *bus, const EbFrame *frame)
{
	Master *master = bus->own;
	const char *time = frame->nitems == 1 ? frame->items[0].value : "";

	if (master->frozen_at[0] == '\0')
	{
		snprintf(master->frozen_at, sizeof(master->frozen_at), "%s", time);
		if (time[0] == '\0') /* never frozen, or no such clock */
			end_plan(master);
		return;
	}
	if (master->frozen_len == 0)
		return; /* the values were not readable, and told */
	if (strcmp(master->frozen_at, time) == 0)
	{
		eb_intake_freeze(bus->intake, master->meter, &master->frozen,
						 (EbBytes){master->frozen_bytes, master->frozen_len}, master->frozen_at,
						 master->frozen_read_ms,
						 quality_of(bus, &master->frozen, master->frozen_read_ms));
		return;
	}
	master->failed = master->again;
	if (!master->again)
	{
		master->again = true;
		make_plan(master);
		master->plan.step = -1; /* next_step() comes after this */
	}
}

static void
freeze_values(Master *master, const EbFrame *frame, EbBytes bytes, int64_t at_ms)
{
	master->frozen = *frame;
	master->frozen_read_ms = at_ms;
	master->frozen_len = bytes.len;
	memcpy(master->frozen_bytes, bytes.data, bytes.len);
}

/* A whole reply, its items decoded. */
static void
take_reply(EbBus *bus, const EbFrame *frame, EbBytes bytes, int64_t at_ms)
{
	Master *master = bus->own;

	if (master->exchange.request.function == EB_DLT645_ADDRESS)
	{
		memcpy(master->meter->address, frame->dlt645.read_address, sizeof(master->meter->address));
		if (!eb_dlt645_address_ok(master->meter->address))
			memcpy(master->meter->address, WILDCARD, sizeof(WILDCARD));
	}
	else if (frame->nitems == 0)
	{
		/* a sound frame with data that are not in the table of the codec */
		master->meter->counts.error[EB_FRAME_STRUCTURE]++;
		eb_intake_bad(bus->intake, bus->conf, master->meter, "structure", bytes, at_ms);
		master->failed = true;
	}
	else if (asked_di(master) == EB_DI_FREEZE_TIME)
		freeze_time(bus, frame);
	else if (asked_di(master) == EB_DI_FREEZE_VALUES)
		freeze_values(master, frame, bytes, at_ms);
	else
		eb_intake_frame(bus->intake, master->meter, frame, bytes, at_ms,
						quality_of(bus, frame, at_ms));
	next_step(bus);
}

/* All parts are there: the first one's address, instant and bytes, the data of all. */
static void
take_joined(EbBus *bus)
{
	Master *master = bus->own;
	EbBytes bytes = {master->part_bytes, master->part_len};
	EbFrameError error;

	master->part.nitems = 0;
	error = eb_dlt645_items(asked_di(master), master->joined, master->njoined, &master->part);
	if (error == EB_FRAME_VALUE)
	{
		master->meter->counts.error[EB_FRAME_VALUE]++;
		eb_intake_bad(bus->intake, bus->conf, master->meter, "value", bytes, master->part_at_ms);
		master->failed = true;
		next_step(bus);
		return;
	}
	if (error != EB_FRAME_OK)
		master->part.nitems = 0;
	take_reply(bus, &master->part, bytes, master->part_at_ms);
}

/* A part of a reply; asks for the next one, whose number must follow. */
static void
take_part(EbBus *bus)
{
	Master *master = bus->own;
	EbExchange *exchange = &master->exchange;
	const EbFrameDlt645 *data = &exchange->frame.dlt645;
	size_t n = data->nraw > 0 ? (size_t) data->nraw : 0;

	if (master->seq == 0)
	{
		master->part = exchange->frame;
		master->part_at_ms = exchange->read_at_ms;
		master->part_len = exchange->answer.len;
		memcpy(master->part_bytes, exchange->answer.data, exchange->answer.len);
	}
	if (n == 0 || master->njoined + n > MAX_JOINED || master->seq == 255)
	{
		master->meter->counts.error[EB_FRAME_STRUCTURE]++;
		eb_intake_bad(bus->intake, bus->conf, master->meter, "structure", exchange->answer,
					  exchange->read_at_ms);
		master->failed = true;
		next_step(bus);
		return;
	}
	memcpy(master->joined + master->njoined, data->raw, n);
	master->njoined += n;
	if (!data->more)
	{
		take_joined(bus);
		return;
	}
	master->seq++;
	eb_timer_after(&master->timer, bus->conf->pause_ms);
}

static void
take_exception(EbBus *bus)
{
	Master *master = bus->own;
	int error_word = master->exchange.frame.dlt645.error_word;

	/* a meter that does not tell its address may still answer to the wildcard */
	if (master->exchange.request.function != EB_DLT645_ADDRESS &&
		!eb_plan_refused(&master->plan, master->meter, error_word))
	{
		master->meter->counts.exceptions++;
		master->failed = true;
		eb_log(EB_LOG_WARNING, "meter %s refuses %08X: error %02X", master->meter->conf->serial,
			   (unsigned) asked_di(master), (unsigned) error_word);
		if (master->task->kind == EB_TASK_FREEZE)
			end_plan(master);
	}
	next_step(bus);
}

static void
exchange_done(EbBus *bus, EbOutcome outcome)
{
	Master *master = bus->own;
	EbExchange *exchange = &master->exchange;

	if (outcome == EB_UNANSWERED)
	{
		/* the others on this bus must not wait for the rest of its questions */
		master->failed = true;
		end_plan(master);
		next_step(bus);
	}
	else if (outcome == EB_EXCEPTION)
		take_exception(bus);
	else if (exchange->frame.dlt645.more || exchange->request.function == EB_DLT645_NEXT)
		take_part(bus);
	else
		take_reply(bus, &exchange->frame, exchange->answer, exchange->read_at_ms);
}

static bool
master_create(EbBus *bus)
{
	Master *master = calloc(1, sizeof(Master));

	bus->own = master;
	if (master == NULL || !eb_sched_open(&master->sched, bus->intake->conf, bus->conf))
		return false;
	eb_exchange_init(&master->exchange, bus, exchange_done);
	eb_loop_add_timer(bus->loop, &master->timer, master_timer, bus);
	return true;
}

static void
master_destroy(EbBus *bus)
{
	Master *master = bus->own;

	if (master == NULL)
		return;
	eb_sched_close(&master->sched);
	free(master);
	bus->own = NULL;
}

static void
master_ready(EbBus *bus)
{
	next_task(bus);
}

static void
master_bytes(EbBus *bus, const uint8_t *bytes, size_t n, int64_t at_ms)
{
	Master *master = bus->own;

	eb_exchange_bytes(&master->exchange, bytes, n, at_ms);
}

static void
master_lost(EbBus *bus)
{
	Master *master = bus->own;

	eb_exchange_drop(&master->exchange);
	eb_timer_stop(&master->timer);
	if (master->task != NULL)
		eb_sched_give_back(master->task);
	master->task = NULL;
}

static void
master_stop(EbBus *bus)
{
	Master *master = bus->own;

	if (master->task == NULL || !master->exchange.waiting)
		eb_bus_done(bus);
}

/* When nothing is in hand, the schedule is looked at again. */
static void
master_clock_set(EbBus *bus)
{
	Master *master = bus->own;

	if (master->task == NULL && master->timer.armed)
		eb_timer_after(&master->timer, 0);
}

/* Gaps are counted per task; here they become the meters'. */
static void
master_tally(EbBus *bus)
{
	Master *master = bus->own;

	for (int i = 0; i < master->sched.ntasks; i++)
	{
		EbTask *task = &master->sched.task[i];

		eb_bus_meter(bus, task->meter)->counts.gaps += task->gaps;
		task->gaps = 0;
	}
}

const EbBusDriver eb_bus_dlt645 = {
	.create = master_create,
	.destroy = master_destroy,
	.ready = master_ready,
	.bytes = master_bytes,
	.lost = master_lost,
	.stop = master_stop,
	.clock_set = master_clock_set,
	.tally = master_tally,
};
