/*
 * usage_plan.c -- how a tariff cuts the values of a day, found once for all meters
 * In:  classifiers; start, step and number of values.
 * Out: plans for usage_profile.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/usage_plan.h"

void
eb_plans_init(EbPlans *plans)
{
	plans->nplans = plans->nruns = plans->nplaces = plans->nsteps = 0;
	plans->last = plans->plan;
	plans->head.size = SIZE_MAX;
	memset(plans->plan, 0, sizeof(plans->plan));
}

static bool
plan_is(const EbPlan *plan, int64_t start_us, int32_t step_s, int32_t n)
{
	return plan->start_us == start_us && plan->n == n && plan->step_s == step_s;
}

/* The plan, or the free place where it belongs */
static EbPlan *
find_plan(EbPlans *plans, int64_t start_us, int32_t step_s, int32_t n)
{
	uint64_t hash = (uint64_t) (start_us / EB_SECOND_US);
	EbPlan *plan;

	hash = (hash * 131 + (uint64_t) step_s) * 131 + (uint64_t) n;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	for (hash >>= 40;; hash++)
	{
		plan = &plans->plan[hash & (EB_PLANS - 1)];
		if (plan->n == 0 || plan_is(plan, start_us, step_s, n))
			return plan;
	}
}

/* A plan that is being made, its runs in order of time */
typedef struct Draft
{
	EbPlan plan;
	EbPlanPlace *place;
	EbProfileRun run[EB_PLAN_RUNS];
	EbProfileRun cut[EB_PLAN_RUNS + 1];
} Draft;

/* The place of a segment, which may be a new one */
static int32_t
place_of(Draft *draft, const EbSegment *segment)
{
	int32_t i = 0;

	while (i < draft->plan.nplaces &&
		   (draft->place[i].part_day != segment->part_day ||
			memcmp(draft->place[i].slot, segment->slot, sizeof(segment->slot)) != 0))
		i++;
	if (i == draft->plan.nplaces)
	{
		draft->place[i] = (EbPlanPlace){.part_day = segment->part_day};
		memcpy(draft->place[i].slot, segment->slot, sizeof(segment->slot));
		draft->plan.nplaces++;
	}
	return i;
}

static void
put_run(Draft *draft, int32_t from, int32_t to, int32_t place)
{
	EbPlan *plan = &draft->plan;

	if (plan->nruns == 0)
		plan->from = from;
	plan->to = to;
	plan->whole += to - from;
	draft->place[place].n += to - from;
	draft->run[plan->nruns++] = (EbProfileRun){from, to, place};
}

static void
put_cut(Draft *draft, int32_t from, int32_t to)
{
	EbPlan *plan = &draft->plan;

	if (plan->ncuts > 0 && draft->cut[plan->ncuts - 1].to == from)
		draft->cut[plan->ncuts - 1].to = to;
	else
		draft->cut[plan->ncuts++] = (EbProfileRun){from, to, 0};
}

/*
 * Cuts the values of a plan, all of them time of the classifier's version. Where no rule covers an
 * instant it ends: whoever adds the value says so.
 */
static void
cut_values(Draft *draft, const EbClassifier *by)
{
	const EbPlan *plan = &draft->plan;
	int64_t step_us = plan->step_s * EB_SECOND_US;
	EbFault fault;
	int32_t i = 0;

	while (i < plan->n && plan->nruns < EB_PLAN_RUNS && plan->ncuts < EB_PLAN_RUNS)
	{
		int64_t at_us = plan->start_us + i * step_us;
		const EbSegment *segment = eb_tou_find(by->cache, at_us, &fault);
		int64_t fitting;
		int32_t to;

		if (segment == NULL)
			break;
		fitting = (segment->to_us - at_us) / step_us;
		to = fitting < plan->n - i ? i + (int32_t) fitting : plan->n;
		if (to > i)
			put_run(draft, i, to, place_of(draft, segment));
		else
			put_cut(draft, i, to = i + 1);
		i = to;
	}
	if (i < plan->n)
		put_cut(draft, i, plan->n);
}

/* Is there room for any plan? */
static bool
has_room(const EbPlans *plans)
{
	return plans->nplans < EB_PLANS / 4 * 3 &&
		   plans->nruns <= EB_PLANS_RUNS - 2 * EB_PLAN_RUNS - 1 &&
		   plans->nplaces <= EB_PLANS_PLACES - EB_PLAN_RUNS &&
		   plans->nsteps <= EB_PLANS_STEPS - EB_PLAN_VALUES * 3 / 32 - 2 * EB_PLAN_RUNS;
}

/* The runs of each place as steps over values of that width */
static void
make_steps(EbPlans *plans, EbPlan *plan, int width)
{
	const EbProfileRun *run = plans->run + plan->run;
	const EbProfileRun *end = run + plan->nruns;
	EbPlanPlace *place = plans->place + plan->place;

	plan->step[width] = plan->n * width < 16 ? EB_NONE : plans->nsteps;
	for (int32_t i = 0; i < plan->nplaces; i++)
	{
		const EbProfileRun *first = run;

		while (run < end && run->group == i)
			run++;
		place[i].nsteps[width] = (int16_t) eb_profile_steps(first, (int32_t) (run - first), plan->n,
															width, plans->step + plans->nsteps);
		plans->nsteps += place[i].nsteps[width];
	}
}

/* Makes a plan and keeps it, its runs in groups. */
static void
make_plan(EbPlans *plans, EbPlan *plan, const EbClassifier *by)
{
	Draft draft;

	draft.plan = *plan;
	draft.plan.run = plans->nruns;
	draft.plan.place = plans->nplaces;
	draft.place = plans->place + plans->nplaces;
	cut_values(&draft, by);
	*plan = draft.plan;
	for (int32_t i = 0; i < plan->nplaces; i++)
		for (int32_t j = 0; j < plan->nruns; j++)
			if (draft.run[j].group == i)
				plans->run[plans->nruns++] = draft.run[j];
	for (int32_t j = 0; j < plan->ncuts; j++)
		plans->run[plans->nruns++] = draft.cut[j];
	plans->nplaces += plan->nplaces;
	plan->one_part = true;
	for (int32_t i = 1; i < plan->nplaces; i++)
		plan->one_part = plan->one_part && draft.place[i].part_day == draft.place[0].part_day;
	plan->simple = plan->one_part && plan->ncuts == 0 && by->layout.nschedules == 1;
	plan->step[0] = EB_NONE;
	make_steps(plans, plan, 1);
	make_steps(plans, plan, 2);
}

const EbPlan *
eb_plan_find(EbPlans *plans, int64_t start_us, int32_t step_s, int32_t n)
{
	EbPlan *plan = find_plan(plans, start_us, step_s, n);

	if (plan->n == 0)
		return NULL;
	plans->last = plan;
	return plan;
}

const EbPlan *
eb_plan_for(const EbClassifier *by, int64_t start_us, int32_t step_s, int32_t n)
{
	EbPlans *plans = by->plans;
	EbPlan *plan = find_plan(plans, start_us, step_s, n);

	if (plan->n == 0)
	{
		if (by->cache->stop != NULL && by->cache->stop())
			return NULL;
		if (!has_room(plans))
		{
			eb_plans_init(plans);
			plan = find_plan(plans, start_us, step_s, n);
		}
		*plan = (EbPlan){.start_us = start_us,
						 .step_s = step_s,
						 .n = n,
						 .end_us = start_us + n * (step_s * EB_SECOND_US)};
		plans->nplans++;
		make_plan(plans, plan, by);
	}
	plans->last = plan;
	return plan;
}
