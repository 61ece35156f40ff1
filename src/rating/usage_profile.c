/*
 * usage_profile.c -- blocks of equal intervals, classified and summed without looking at each value
 * In:  views of blocks (load_profile.h), classifiers.
 * Out: sums of usage, the same to the last digit as by a row for each value.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/fault.h"
#include "rating/register.h"
#include "rating/usage_profile.h"

/* A block on its way into a sum */
typedef struct Job
{
	EbUsageSum *sum;
	const EbClassifier *by;
	const EbProfile *profile;
	bool differences;
	EbFault *fault;
} Job;

static int64_t
instant_of(const EbProfile *profile, int32_t i)
{
	return profile->start_us + i * eb_profile_step_us(profile);
}

/* ---------------------------------------------------------------- one by one */

static EbStatus
add_value(const Job *job, int64_t from_us, int64_t to_us, int64_t wh, bool difference)
{
	EbChannel channel = (EbChannel) job->profile->channel;
	EbUsageRow row = {.from_us = from_us,
					  .to_us = to_us,
					  .energy_ukwh = wh * EB_WH, /* at most 1e18 */
					  .price_n = EB_NO_PRICE,
					  .channel = channel};

	/* they differ where the whole is long */
	if (difference || to_us - from_us <= EB_REGISTER_EXACT_US)
		return eb_register_add(job->sum, job->by, channel, from_us, to_us, wh, job->fault);
	return eb_usage_add(job->sum, job->by, &row, job->fault);
}

/* Adds the values [from, to); none of them is over a span. */
static EbStatus
add_values(const Job *job, int32_t from, int32_t to)
{
	const EbProfile *profile = job->profile;
	EbStatus status = EB_OK;

	for (int32_t i = from; i < to && status == EB_OK; i++)
		if (!eb_profile_is_missing(profile, i))
			status = add_value(job, instant_of(profile, i), instant_of(profile, i + 1),
							   eb_profile_wh(profile, i), job->differences);
	return status;
}

static bool
has_span(const EbProfile *profile)
{
	int32_t quality = 0;

	for (int32_t i = 0; i < profile->nruns && (quality & EB_PROFILE_SPAN) == 0; i++)
		eb_profile_run(profile, i, &quality);
	return (quality & EB_PROFILE_SPAN) != 0;
}

/* Adds all values; one over a span goes to all the time since the value before it. */
static EbStatus
add_spans(const Job *job)
{
	const EbProfile *profile = job->profile;
	EbProfileQuality walk = {0};
	EbStatus status = EB_OK;
	int32_t from = 0; /* behind the value before this one */

	for (int32_t i = 0; i < profile->n && status == EB_OK; i++)
	{
		bool span = (eb_profile_next_quality(profile, &walk) & EB_PROFILE_SPAN) != 0;

		if (eb_profile_is_missing(profile, i))
			continue;
		status = add_value(job, instant_of(profile, span ? from : i), instant_of(profile, i + 1),
						   eb_profile_wh(profile, i), span || job->differences);
		from = i + 1;
	}
	return status;
}

/* ---------------------------------------------------------------- by plan */

/* The time from the first value of [from, to) that is there to the end of the last one */
static void
extend(const Job *job, int32_t from, int32_t to)
{
	const EbProfile *profile = job->profile;

	while (from < to && eb_profile_is_missing(profile, from))
		from++;
	while (from < to && eb_profile_is_missing(profile, to - 1))
		to--;
	if (from < to)
		eb_usage_extend(job->sum, (EbChannel) profile->channel, instant_of(profile, from),
						instant_of(profile, to));
}

/* How many values of the plan are missing by place, in lost[]; in all, if they lie in a run */
static int32_t
count_missing(const Job *job, const EbPlan *plan, const EbProfileRun *run, int32_t first,
			  int32_t *lost)
{
	const EbProfile *profile = job->profile;
	int32_t n = 0;

	memset(lost, 0, sizeof(*lost) * (size_t) plan->nplaces);
	for (int32_t i = eb_profile_next_missing(profile, first); i < first + plan->n;
		 i = eb_profile_next_missing(profile, i + 1))
	{
		int32_t j = 0;

		while (j < plan->nruns && (i - first < run[j].from || i - first >= run[j].to))
			j++;
		if (j == plan->nruns)
			continue;
		lost[run[j].group]++;
		n++;
	}
	return n;
}

/* What the offsets of the values in each place come to */
static inline void
sum_places(const EbProfile *profile, int32_t first, const EbPlans *plans, const EbPlan *plan,
		   uint64_t *sum)
{
	const EbPlanPlace *place = &plans->place[plan->place];
	int width = profile->width;
	const EbProfileStep *step;

	if (width > 2 || plan->step[width] == EB_NONE)
	{
		eb_profile_sum_runs(profile, first, &plans->run[plan->run], plan->nruns, sum);
		return;
	}
	step = &plans->step[plan->step[width]];
	for (int i = 0; i < plan->nplaces; i++)
	{
		sum[i] = eb_profile_sum_steps(profile, first, step, place[i].nsteps[width], place[i].n);
		step += place[i].nsteps[width];
	}
}

/* Adds energy, >= 0, to the periods of a place; false on overflow. */
static inline bool
put_energy(int64_t *cell, const EbPlanPlace *place, int nschedules, int64_t energy_wh)
{
	int64_t energy;

	if (!eb_mul64(energy_wh, EB_WH, &energy))
		return false;
	/* a tariff without schedules has one, too */
	for (int i = 0;;)
	{
		int64_t *of_slot = cell + place->slot[i];

		if (!eb_add64(*of_slot, energy, of_slot))
			return false;
		if (++i >= nschedules)
			return true;
	}
}

/* Adds the energy of each place, all of whose values are there, all in one part. */
static EbStatus
put_day(const Job *job, EbVersionSum *version, const EbPlan *plan, const EbPlanPlace *place,
		const uint64_t *sum)
{
	int64_t base_wh = job->profile->base_wh;
	int nschedules = version->layout->nschedules;
	int64_t *cell = eb_usage_part(version, &job->sum->memory, place->part_day);

	if (cell == NULL)
		return EB_NO_SPACE;
	cell += version->layout->channel[job->profile->channel].at;
	for (const EbPlanPlace *end = place + plan->nplaces; place < end; place++, sum++)
		if (!put_energy(cell, place, nschedules, (int64_t) *sum + base_wh * place->n))
			return eb_usage_overflow(job->fault);
	return EB_OK;
}

/* Adds the energy of each place; lost: how many of its values are missing. */
static EbStatus
put_places(const Job *job, EbVersionSum *version, const EbPlan *plan, const EbPlanPlace *place,
		   const uint64_t *sum, const int32_t *lost)
{
	const EbUsageLayout *layout = version->layout;
	int64_t base_wh = job->profile->base_wh;

	for (int i = 0; i < plan->nplaces; i++)
	{
		int32_t present = place[i].n - lost[i];
		int64_t *cell;

		if (present == 0)
			continue;
		cell = eb_usage_part(version, &job->sum->memory, place[i].part_day);
		if (cell == NULL)
			return EB_NO_SPACE;
		if (!put_energy(cell + layout->channel[job->profile->channel].at, &place[i],
						layout->nschedules, (int64_t) sum[i] + base_wh * present))
			return eb_usage_overflow(job->fault);
	}
	return EB_OK;
}

/*
 * Adds the values in the runs of a plan, whose first value is that one of the block. No value is
 * negative, and as many as fit together are at most 4.1e18 Wh.
 */
static EbStatus
add_runs(const Job *job, EbVersionSum *version, const EbPlans *plans, const EbPlan *plan,
		 int32_t first)
{
	const EbProfile *profile = job->profile;
	const EbPlanPlace *place = &plans->place[plan->place];
	int64_t *covered_us = &version->covered_us[profile->channel];
	int64_t covered = plan->whole;
	EbStatus status;
	int32_t lost[EB_PLAN_RUNS];
	uint64_t sum[EB_PLAN_RUNS];

	sum_places(profile, first, plans, plan, sum);
	if (profile->missing == NULL && plan->one_part)
		status = put_day(job, version, plan, place, sum);
	else
	{
		covered -= count_missing(job, plan, &plans->run[plan->run], first, lost);
		status = put_places(job, version, plan, place, sum, lost);
	}
	if (status == EB_OK &&
		!eb_add64(*covered_us, covered * eb_profile_step_us(profile), covered_us))
		status = eb_usage_overflow(job->fault);
	return status;
}

/* Adds the values of a plan, whose first value is that one of the block. */
static EbStatus
add_plan(const Job *job, int version, const EbPlan *plan, int32_t first)
{
	const EbPlans *plans = job->by[version].plans;
	const EbProfileRun *cut = &plans->run[plan->run + plan->nruns];
	EbStatus status = EB_OK;

	if (plan->nruns > 0)
	{
		extend(job, first + plan->from, first + plan->to);
		status = add_runs(job, &job->sum->of[version], plans, plan, first);
	}
	for (int i = 0; i < plan->ncuts && status == EB_OK; i++)
		status = add_values(job, first + cut[i].from, first + cut[i].to);
	return status;
}

/* Adds the values [from, to), all of them time of one version, by plans of a day. */
static EbStatus
add_planned(const Job *job, int version, int32_t from, int32_t to)
{
	const EbProfile *profile = job->profile;
	EbStatus status = EB_OK;

	for (int32_t n; from < to && status == EB_OK; from += n)
	{
		const EbPlan *plan;

		n = to - from < EB_PLAN_VALUES ? to - from : EB_PLAN_VALUES;
		if (n * profile->step_s > EB_PLAN_SECONDS)
			n = EB_PLAN_SECONDS / profile->step_s;
		plan = eb_plan_for(&job->by[version], instant_of(profile, from), profile->step_s, n);
		if (plan == NULL)
			return EB_STOPPED;
		status = add_plan(job, version, plan, from);
	}
	return status;
}

/* The values [*from, *to) whose whole time is that of the version */
static void
values_of_version(const EbProfile *profile, const EbClassifier *by, int32_t *from, int32_t *to)
{
	int64_t step_us = eb_profile_step_us(profile);

	*from = 0;
	*to = profile->n;
	if (by->from_us >= eb_profile_end_us(profile) || by->to_us <= profile->start_us)
		*to = 0;
	else
	{
		if (by->from_us > profile->start_us)
			*from = (int32_t) ((by->from_us - profile->start_us + step_us - 1) / step_us);
		if (by->to_us < eb_profile_end_us(profile))
			*to = (int32_t) ((by->to_us - profile->start_us) / step_us);
	}
}

static bool
is_plain(const EbClassifier *by, int channel)
{
	return by->plans != NULL && by->layout.channel[channel].plain;
}

/* Adds what each version has of the block, and one by one what it has no plan for. */
static EbStatus
add_versions(const Job *job)
{
	const EbProfile *profile = job->profile;
	EbStatus status = EB_OK;
	int32_t done = 0;

	for (int i = 0; i < job->sum->n && status == EB_OK; i++)
	{
		int32_t from;
		int32_t to;

		values_of_version(profile, &job->by[i], &from, &to);
		if (from >= to || !is_plain(&job->by[i], profile->channel))
			continue;
		status = add_values(job, done, from);
		if (status == EB_OK)
			status = add_planned(job, i, from, to);
		done = to;
	}
	return status == EB_OK ? add_values(job, done, profile->n) : status;
}

EbStatus
eb_usage_add_profile(EbUsageSum *sum, const EbClassifier *by, const EbProfile *profile,
					 bool differences, EbFault *fault)
{
	Job job = {sum, by, profile, differences, fault};

	if (profile->base_wh < 0)
		return eb_fault_set(fault, EB_BAD_ARGUMENT, "energy of an interval must not be negative",
							"Export is a quantity of its own; a correction is a reading.");
	if (profile->nruns > 0 && has_span(profile))
		return add_spans(&job);
	/* a long difference may be an estimate */
	if (differences && eb_profile_step_us(profile) > EB_REGISTER_EXACT_US)
		return add_values(&job, 0, profile->n);
	for (int i = 0; i < sum->n; i++)
	{
		const EbPlan *plan;

		if (!is_plain(&by[i], profile->channel))
			continue;
		plan = eb_plan_known(by[i].plans, profile->start_us, profile->step_s, profile->n);
		if (plan != NULL)
			return add_plan(&job, i, plan, 0);
	}
	return add_versions(&job);
}
