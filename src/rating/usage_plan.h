/*
 * usage_plan.h -- how a tariff cuts the values of a day, found once for all meters
 * Where the segments of a tariff cut equal intervals depends on the start and the step of the block
 * alone. A plan keeps it, so that each run of values between two cuts is summed as a whole.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/load_profile.md.
 */
#ifndef EB_USAGE_PLAN_H
#define EB_USAGE_PLAN_H

#include "rating/load_profile_sum.h"
#include "rating/usage_sum.h"

/* Where energy goes: a part and its periods */
typedef struct EbPlanPlace
{
	int32_t part_day;
	int32_t n;						/* values that go there */
	int16_t nsteps[3];				/* for values of so many bytes: one, two */
	int16_t slot[EB_MAX_SCHEDULES]; /* by schedule, as in EbSegment */
} EbPlanPlace;

/*
 * How one version of a tariff cuts n values of a step from an instant on: runs of values, counted
 * from the first, that lie in one segment each, as groups by the place where they go; and behind them
 * the runs of values that a segment cuts.
 */
typedef struct EbPlan
{
	/* the key, as it stands in a block */
	int64_t start_us;
	int32_t step_s;
	int32_t n; /* 0: no plan is kept here */

	int64_t end_us;
	int32_t run;	 /* the first one */
	int32_t place;	 /* the first one */
	int32_t step[3]; /* the first ones for values of so many bytes; EB_NONE: there are none */
	int32_t whole;	 /* values in runs */
	int32_t from;	 /* all of them lie in [from, to) */
	int32_t to;
	int16_t nruns;
	int16_t ncuts;
	int16_t nplaces;
	bool one_part; /* all places lie in one */
	bool simple;   /* ... of one schedule, and no value is cut */
} EbPlan;

/* What one plan covers at most: a local day, where clocks are set back too */
#define EB_PLAN_SECONDS (25 * 3600)
#define EB_PLAN_VALUES EB_PROFILE_FITTING

#define EB_PLAN_RUNS 256 /* what lies behind them is cut */
#define EB_PLANS 1024	 /* a power of 2 */
#define EB_PLANS_RUNS 16384
#define EB_PLANS_PLACES 8192
#define EB_PLANS_STEPS 32768

/* What simple blocks begin with whose plan is known: all of their header but the base, and their size */
typedef struct EbPlanHead
{
	uint32_t kind; /* format, width, channel, flags */
	int32_t unused;
	int64_t start_us;
	uint64_t step_n; /* step and number of values */
	size_t size;	 /* SIZE_MAX: none is known */
	const EbPlan *plan;
} EbPlanHead;

/* Plans that were made once, for many blocks; when there is no room it starts anew. */
typedef struct EbPlans
{
	EbPlanHead head;
	int32_t nplans;
	int32_t nruns;
	int32_t nplaces;
	int32_t nsteps;
	EbPlan *last;		   /* the one that was asked for last */
	EbPlan plan[EB_PLANS]; /* a hash table, open addressing */
	EbProfileRun run[EB_PLANS_RUNS];
	EbPlanPlace place[EB_PLANS_PLACES];
	EbProfileStep step[EB_PLANS_STEPS];
} EbPlans;

/* The caller gives the memory, and puts it into a classifier. */
extern void eb_plans_init(EbPlans *plans);

/* Looks for a plan among all; NULL: there is none. */
extern const EbPlan *eb_plan_find(EbPlans *plans, int64_t start_us, int32_t step_s, int32_t n);

/* The plan for n values of a step from start on, if there is one; else NULL. */
static inline const EbPlan *
eb_plan_known(EbPlans *plans, int64_t start_us, int32_t step_s, int32_t n)
{
	const EbPlan *last = plans->last;

	/* mostly the day is that of the block before */
	return EB_LIKELY(last->start_us == start_us && last->step_s == step_s && last->n == n)
			   ? last
			   : eb_plan_find(plans, start_us, step_s, n);
}

/* The same, made when it is new; NULL: the stop of the cache said so. */
extern const EbPlan *
eb_plan_for(const EbClassifier *by, int64_t start_us, int32_t step_s, int32_t n);

#endif /* EB_USAGE_PLAN_H */
