/*
 * bus_master.c -- the master of a bus: which meter is asked, and what becomes of its answers
 * In:  tasks of sched.c that are due, demands, probes of meters that fail; outcomes of exchange.c.
 * Out: frames for intake.c. One request is in flight at a time; a turn is a few requests to one
 *      meter, one after the other. The protocol's part is in ask_*.c.
 * Source: doc/collector.md (schedule, breaker, identity, demands).
 */
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "clock.h"
#include "exchange.h"
#include "sched.h"

/* Longest sleep of the schedule, so that a clock that jumps is noticed. */
#define SLEEP_MS 60000

/* A meter that had no time is asked once more. */
#define BUSY_MS 1000

typedef struct Master
{
	EbSched sched;
	EbExchange exchange;
	EbTimer timer; /* until the next turn, or the pause between two requests */
	int next_once;
	int nopen; /* breakers that are open */
	EbTurn turn;
	bool in_turn;
	bool probing;	  /* the turn is that of a meter whose breaker is open */
	int64_t quiet_ms; /* monotonic: the pause behind the last turn lasts until then */
	EbDemands demands;
} Master;

/* The question of the plan in hand. */
static void
ask(EbBus *bus)
{
	Master *master = bus->own;
	EbQuestion *question = &master->exchange.question;

	memset(question, 0, sizeof(*question));
	question->line = question->then = bus->conf->line;
	question->most = eb_turn_step(&master->turn)->most;
	if (bus->protocol->ask->build(&master->turn, question))
	{
		eb_exchange_start(&master->exchange, master->turn.meter,
						  master->probing && !master->turn.answered ? 0 : bus->conf->retries);
		return;
	}
	eb_turn_refused(&master->turn, "cannot be asked at address \"%s\"",
					master->turn.meter->address);
	eb_plan_end(&master->turn.plan);
	eb_timer_after(&master->timer, 0);
}

/* An answer or an exception: the meter is there. */
static void
note_answer(EbBus *bus)
{
	Master *master = bus->own;
	EbMeter *meter = master->turn.meter;

	master->turn.answered = true;
	if (eb_breaker_answered(&meter->breaker))
	{
		master->nopen--;
		eb_bus_event(bus, "breaker_closed", EB_LOG_INFO, meter, "it answers again");
	}
}

/* A slot that had to be read and was not. */
static void
note_failure(EbBus *bus)
{
	Master *master = bus->own;
	EbMeter *meter = master->turn.meter;

	if (!eb_breaker_failed(&meter->breaker, eb_clock_mono_ms()))
		return;
	master->nopen++;
	eb_bus_event(bus, "breaker_open", EB_LOG_WARNING, meter, "no answer in %d slots",
				 meter->breaker.failures);
}

static void
begin_turn(EbBus *bus, EbMeter *meter, EbTask *task, EbDemand *demand)
{
	Master *master = bus->own;
	EbTurn *turn = &master->turn;
	EbPlanKind kind = demand != NULL && demand->kind == EB_DEMAND_RELAY ? EB_PLAN_RELAY
					  : demand == NULL && task->kind == EB_TASK_FREEZE	? EB_PLAN_FREEZE
																		: EB_PLAN_REGISTERS;
	bool identity = !bus->mode.once && eb_identity_due(meter, eb_clock_real_ms());

	turn->meter = meter;
	turn->task = task;
	turn->demand = demand;
	turn->rows = 0;
	turn->again = 0;
	turn->answered = turn->failed = turn->busy = false;
	eb_plan_make(&turn->plan, kind, identity, meter->conf, meter);
	if (bus->protocol->ask->begin != NULL)
		bus->protocol->ask->begin(turn);
	master->in_turn = true;
	if (turn->plan.nsteps > 0)
		ask(bus);
	else
		eb_timer_after(&master->timer, 0);
}

static void
tell_demand(EbTurn *turn)
{
	EbDemand *demand = turn->demand;
	bool has = demand->kind == EB_DEMAND_RELAY ? demand->has_relay : turn->rows > 0;

	demand->rows = turn->rows;
	if (has && !turn->failed)
		eb_demand_end(demand, EB_DEMAND_DONE, NULL);
	else
		eb_demand_end(demand, EB_DEMAND_FAILED,
					  turn->meter->identity.foreign ? "another device answers"
					  : turn->plan.nsteps == 0		? "its meter cannot be asked that"
					  : turn->answered				? "the meter refuses"
													: "no answer");
}

static void
end_turn(EbBus *bus)
{
	Master *master = bus->own;
	EbTurn *turn = &master->turn;

	master->in_turn = false;
	if (turn->task != NULL && turn->demand == NULL)
	{
		turn->task->gaps += turn->failed && !master->probing;
		/* a probe that is answered is the read of its slot */
		if (master->probing && turn->answered)
			eb_sched_take(turn->task, eb_clock_real_ms());
		if (!turn->answered && turn->task->kind == EB_TASK_REGISTERS)
			note_failure(bus);
	}
	master->probing = false;
	if (turn->demand != NULL)
		tell_demand(turn);
	if (bus->stopping)
		eb_bus_done(bus);
	else if (!bus->done)
		eb_timer_after(&master->timer, bus->conf->pause_ms);
	master->quiet_ms = eb_clock_mono_ms() + bus->conf->pause_ms;
}

/* The meter whose probe is due first; NULL: none is, *wait_ms until one. */
static EbMeter *
next_probe(EbBus *bus, int64_t *wait_ms)
{
	Master *master = bus->own;
	int64_t now_ms = eb_clock_mono_ms();
	EbMeter *first = NULL;

	for (int i = 0; i < bus->nmeters && master->nopen > 0; i++)
	{
		EbMeter *meter = &bus->meter[i];

		if (meter->breaker.open &&
			(first == NULL || meter->breaker.probe_ms < first->breaker.probe_ms))
			first = meter;
	}
	if (first == NULL || first->breaker.probe_ms <= now_ms)
		return first;
	if (first->breaker.probe_ms - now_ms < *wait_ms)
		*wait_ms = first->breaker.probe_ms - now_ms;
	return NULL;
}

/* The next task that is due; slots of meters that do not answer are given up here. */
static EbTask *
next_task(EbBus *bus, int64_t *wait_ms)
{
	Master *master = bus->own;
	EbTask *task;

	while ((task = eb_sched_next(&master->sched, eb_clock_real_ms(), wait_ms)) != NULL &&
		   task->meter->breaker.open)
		task->gaps++;
	return task;
}

static void
next_scheduled(EbBus *bus)
{
	Master *master = bus->own;
	int64_t wait_ms = SLEEP_MS;
	EbTask *task = next_task(bus, &wait_ms);
	EbMeter *probe = task == NULL ? next_probe(bus, &wait_ms) : NULL;

	if (probe != NULL)
	{
		task = eb_sched_of(&master->sched, probe);
		master->probing = true;
	}
	if (task != NULL)
		begin_turn(bus, task->meter, task, NULL);
	else
		eb_timer_after(&master->timer, wait_ms < SLEEP_MS ? wait_ms : SLEEP_MS);
}

static void
next_turn(EbBus *bus)
{
	Master *master = bus->own;
	EbDemand *demand = eb_demands_take(&master->demands);

	if (demand != NULL)
		begin_turn(bus, demand->meter, eb_sched_of(&master->sched, demand->meter), demand);
	else if (!bus->mode.once)
		next_scheduled(bus);
	else if (master->next_once < master->sched.ntasks)
	{
		EbTask *task = &master->sched.task[master->next_once++];

		begin_turn(bus, task->meter, task, NULL);
	}
	else
		eb_bus_done(bus);
}

/* The next request after a pause, or the end of the turn. */
static void
go_on(EbBus *bus, EbNext next)
{
	Master *master = bus->own;
	EbTurn *turn = &master->turn;
	int64_t pause_ms = bus->conf->pause_ms;

	if (next == EB_NEXT_BUSY && !turn->busy)
	{
		turn->busy = true;
		pause_ms = BUSY_MS;
	}
	else if (next == EB_NEXT_BUSY)
		eb_turn_refused(turn, "is busy");
	if (next == EB_NEXT_STEP || next == EB_NEXT_HEAR || (next == EB_NEXT_BUSY && turn->failed))
	{
		turn->plan.step++;
		turn->busy = false;
	}
	else if (next == EB_NEXT_END)
		eb_plan_end(&turn->plan);
	if (turn->plan.step >= turn->plan.nsteps || bus->stopping)
		end_turn(bus);
	else if (next == EB_NEXT_HEAR)
		ask(bus);
	else
		eb_timer_after(&master->timer, pause_ms);
}

static void
master_timer(void *owner)
{
	EbBus *bus = owner;
	Master *master = bus->own;

	if (!bus->is_open || bus->done)
		return;
	if (!master->in_turn)
		next_turn(bus);
	else if (master->turn.plan.step < master->turn.plan.nsteps)
		ask(bus);
	else
		end_turn(bus);
}

static void
exchange_done(EbBus *bus, EbOutcome outcome)
{
	Master *master = bus->own;
	EbTurn *turn = &master->turn;
	const EbReply *reply = &master->exchange.reply;

	if (outcome == EB_UNANSWERED)
	{
		const EbAsk *protocol = bus->protocol->ask;

		if (turn->again < bus->conf->retries && protocol->again != NULL && protocol->again(turn))
		{
			turn->again++;
			go_on(bus, EB_NEXT_SAME);
			return;
		}
		/* the others on this bus must not wait for the rest of its questions */
		turn->failed = true;
		go_on(bus, EB_NEXT_END);
		return;
	}
	note_answer(bus);
	go_on(bus, outcome == EB_EXCEPTION ? bus->protocol->ask->refused(turn, reply)
									   : bus->protocol->ask->take(turn, reply));
	if (outcome == EB_ANSWERED && !turn->meter->identity.foreign)
		turn->meter->last_ok_ms = reply->at_ms;
}

static bool
master_create(EbBus *bus)
{
	Master *master = calloc(1, sizeof(Master));
	size_t own_size = bus->protocol->ask->own_size;

	bus->own = master;
	if (master == NULL || !eb_sched_open(&master->sched, bus->meter, bus->nmeters,
										 eb_plan_budget(bus->config, bus->conf).cost_ms))
		return false;
	master->turn.bus = bus;
	master->turn.own = calloc(1, own_size > 0 ? own_size : 1);
	eb_exchange_init(&master->exchange, bus, exchange_done);
	eb_loop_add_timer(bus->loop, &master->timer, master_timer, bus);
	eb_demands_open(&master->demands, bus->loop);
	return master->turn.own != NULL;
}

static void
master_destroy(EbBus *bus)
{
	Master *master = bus->own;

	if (master == NULL)
		return;
	/* a turn that was broken off */
	if (master->in_turn && master->turn.demand != NULL)
		eb_demand_end(master->turn.demand, EB_DEMAND_FAILED, "the collector ends");
	eb_demands_close(&master->demands);
	eb_exchange_close(&master->exchange);
	eb_loop_drop_timer(bus->loop, &master->timer);
	eb_sched_close(&master->sched);
	free(master->turn.own);
	free(master);
	bus->own = NULL;
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
	if (!master->in_turn)
		return;
	master->in_turn = false;
	if (master->turn.demand != NULL) /* it is the first again when the port comes back in time */
		eb_demands_back(&master->demands, master->turn.demand);
	else if (!master->probing)
		eb_sched_give_back(master->turn.task);
	master->probing = false;
}

static void
master_stop(EbBus *bus)
{
	Master *master = bus->own;

	if (!master->in_turn || !eb_exchange_in_flight(&master->exchange))
		eb_bus_done(bus);
}

/* When nothing is in hand, the schedule is looked at again, behind the pause of the last turn. */
static void
master_clock_set(EbBus *bus)
{
	Master *master = bus->own;

	if (!master->in_turn && master->timer.armed)
		eb_timer_after(&master->timer, master->quiet_ms - eb_clock_mono_ms());
}

/* Gaps are counted per task; here they become the meters'. */
static void
master_tally(EbBus *bus)
{
	Master *master = bus->own;

	for (int i = 0; i < master->sched.ntasks; i++)
	{
		EbTask *task = &master->sched.task[i];

		task->meter->counts.gaps += task->gaps;
		task->gaps = 0;
	}
}

static void
master_demand(EbBus *bus, EbDemand *demand)
{
	Master *master = bus->own;

	eb_demands_add(&master->demands, demand);
	master_clock_set(bus);
}

static void
master_inherit(EbBus *bus, const EbBus *old)
{
	Master *master = bus->own;
	const Master *before = old->own;

	eb_sched_inherit(&master->sched, &before->sched);
	master->nopen = 0;
	for (int i = 0; i < bus->nmeters; i++)
		master->nopen += bus->meter[i].breaker.open;
}

static int64_t
master_deadline(const EbBus *bus)
{
	const Master *master = bus->own;
	int64_t exchange_ms = eb_exchange_deadline(&master->exchange);

	if (exchange_ms != INT64_MAX)
		return exchange_ms;
	return master->timer.armed ? master->timer.due_ms : 0;
}

const EbBusDriver eb_bus_master = {
	.create = master_create,
	.destroy = master_destroy,
	.ready = next_turn,
	.bytes = master_bytes,
	.lost = master_lost,
	.stop = master_stop,
	.clock_set = master_clock_set,
	.tally = master_tally,
	.demand = master_demand,
	.inherit = master_inherit,
	.deadline = master_deadline,
};
