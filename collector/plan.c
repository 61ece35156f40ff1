/*
 * plan.c -- the questions of one turn to one meter, in their order, and what they cost
 * In:  a meter and its protocol. Out: steps; milliseconds a bus needs in the worst case.
 * Source: doc/collector.md (budget).
 */
#include "plan.h"

#include <string.h>

#include "protocol.h"

#define DAY_MS INT64_C(86400000)

void
eb_plan_make(EbPlan *plan, EbPlanKind kind, bool identity, const EbMeterConf *conf,
			 const struct EbMeter *meter)
{
	plan->kind = kind;
	plan->identity = identity;
	plan->nsteps = plan->step = 0;
	eb_protocol(conf->port->protocol)->ask->plan(plan, conf, meter);
}

void
eb_plan_add(EbPlan *plan, EbStep step)
{
	if (plan->nsteps < EB_PLAN_STEPS)
		plan->steps[plan->nsteps++] = step;
}

void
eb_plan_end(EbPlan *plan)
{
	plan->step = plan->nsteps;
}

/* Each question with its longest delay, its answer and the pause behind it, as often as it is tried. */
static int64_t
plan_cost(const EbMeterConf *meter, EbPlanKind kind)
{
	const EbPortConf *port = meter->port;
	int64_t cost_ms = 0;
	EbPlan plan;

	eb_plan_make(&plan, kind, false, meter, NULL);
	for (int i = 0; i < plan.nsteps; i++)
	{
		const EbStep *step = &plan.steps[i];
		EbLine then = port->line;

		if (step->speed != 0)
			then.speed = step->speed;
		cost_ms += eb_line_ms(port->line, step->request) + port->reply_ms +
				   eb_line_ms(then, step->reply) + port->pause_ms;
	}
	return cost_ms * (1 + port->retries);
}

EbBudget
eb_plan_budget(const EbConfig *conf, const EbPortConf *port)
{
	EbBudget budget = {0, 0, 0};

	for (int i = 0; i < conf->nmeters && !port->listens; i++)
	{
		int64_t interval_ms = conf->meter[i].interval_s * INT64_C(1000);

		if (conf->meter[i].port != port)
			continue;
		budget.nmeters++;
		if (budget.interval_ms == 0 || interval_ms < budget.interval_ms)
			budget.interval_ms = interval_ms;
	}
	for (int i = 0; i < conf->nmeters && budget.interval_ms > 0; i++)
	{
		const EbMeterConf *meter = &conf->meter[i];
		int64_t interval_ms = meter->interval_s * INT64_C(1000);

		if (meter->port != port)
			continue;
		/* rarer reads by their share, rounded up */
		if (meter->reads)
			budget.cost_ms +=
				(plan_cost(meter, EB_PLAN_REGISTERS) * budget.interval_ms + interval_ms - 1) /
				interval_ms;
		if (meter->freeze)
			budget.cost_ms +=
				(plan_cost(meter, EB_PLAN_FREEZE) * budget.interval_ms + DAY_MS - 1) / DAY_MS;
	}
	return budget;
}
