/*
 * usage_day.c -- the blocks that most blocks are, added in one go
 * What usage_profile.c asks of each block and of each run is asked of the plan, or follows from it.
 * In:  blocks as they are stored, classifiers with plans.
 * Out: sums of usage, the same as by usage_profile.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "base/expect.h"
#include "rating/load_profile_bytes.h"
#include "rating/load_profile_step.h"
#include "rating/usage_day.h"

/* So that no block comes near 64 bits in 1e-6 kWh: EB_PLAN_VALUES of them, and their offsets */
#define MOST_BASE_WH INT64_C(1000000000)

/* The plan of a block; NULL: it is not known. */
static inline const EbPlan *
plan_of(EbPlans *plans, const uint8_t *bytes)
{
	int64_t start_us;
	int32_t step_s;
	int32_t n;

	memcpy(&start_us, bytes + EB_AT_START, sizeof(start_us));
	memcpy(&step_s, bytes + EB_AT_STEP, sizeof(step_s));
	memcpy(&n, bytes + EB_AT_N, sizeof(n));
	return eb_plan_known(plans, start_us, step_s, n);
}

/* Are the first value and the last one of n there, and no bits behind that? */
static inline bool
reaches_both_ends(const uint8_t *missing, int32_t n)
{
	return (missing[0] & 1) == 0 && missing[(n - 1) / 8] >> ((n - 1) % 8) == 0;
}

/*
 * The plan of a simple block; NULL: it is none. What the plan was made for need not be looked at. What
 * is missing stands behind the values.
 */
static inline const EbPlan *
simple_plan(const EbClassifier *by, const uint8_t *bytes, size_t size)
{
	const EbPlan *plan;
	int64_t base_wh;
	size_t need;
	int width;
	int channel;

	if (EB_UNLIKELY(size < EB_PROFILE_HEADER || bytes[EB_AT_FORMAT] != EB_PROFILE_FORMAT))
		return NULL;
	width = bytes[EB_AT_WIDTH];
	channel = bytes[EB_AT_CHANNEL];
	memcpy(&base_wh, bytes + EB_AT_BASE, sizeof(base_wh));
	plan = plan_of(by->plans, bytes);
	if (EB_UNLIKELY(plan == NULL || !plan->simple || width > 2 || plan->step[width] == EB_NONE ||
					channel >= EB_NCHANNELS || !by->layout.channel[channel].plain ||
					(uint64_t) base_wh > MOST_BASE_WH))
		return NULL;
	need = EB_PROFILE_HEADER + (size_t) (plan->n * width);
	if (EB_LIKELY(bytes[EB_AT_FLAGS] == 0))
		return size == need ? plan : NULL;
	return bytes[EB_AT_FLAGS] == EB_PROFILE_HAS_MISSING &&
				   size == need + eb_profile_bitmap_size(plan->n) &&
				   reaches_both_ends(bytes + need, plan->n)
			   ? plan
			   : NULL;
}

/*
 * Takes what is missing out of cells and covered time, to which it was added as if it were there.
 * Answers all of these in one number: negative, as what overflows.
 */
static uint64_t
take_missing(const EbClassifier *by, const EbPlan *plan, const uint8_t *missing, int64_t base_wh,
			 int64_t *cell, int64_t *covered_us)
{
	const EbProfileRun *run = &by->plans->run[plan->run];
	const EbPlanPlace *place = &by->plans->place[plan->place];
	uint64_t all;

	for (int32_t at = 0; at < plan->n; at += 8)
		for (unsigned bits = missing[at / 8]; bits != 0; bits &= bits - 1)
		{
			int32_t i = at + __builtin_ctz(bits);
			const EbProfileRun *in = run;
			int64_t *of_slot;

			while (i < in->from || i >= in->to)
				in++;
			of_slot = cell + place[in->group].slot[0];
			*of_slot = (int64_t) ((uint64_t) *of_slot - (uint64_t) (base_wh * EB_WH));
			*covered_us -= plan->step_s * EB_SECOND_US;
		}
	all = (uint64_t) *covered_us;
	for (int i = 0; i < plan->nplaces; i++)
		all |= (uint64_t) cell[place[i].slot[0]];
	return all;
}

/* Adds what the values come to. */
static inline __attribute__((always_inline)) EbStatus
put_values(EbUsageSum *sum, const EbClassifier *by, const EbPlan *plan, const uint8_t *bytes,
		   int width)
{
	const EbPlanPlace *place = &by->plans->place[plan->place];
	const EbPlanPlace *last = place + plan->nplaces;
	const EbProfileStep *step = &by->plans->step[plan->step[width]];
	const uint8_t *value = bytes + EB_PROFILE_HEADER;
	EbChannel channel = (EbChannel) bytes[EB_AT_CHANNEL];
	int64_t *covered_us = &sum->of->covered_us[channel];
	int64_t *cell = eb_usage_part(sum->of, &sum->memory, place->part_day);
	uint64_t all; /* negative, as what overflows */
	int64_t base_wh;

	if (EB_UNLIKELY(cell == NULL))
		return EB_NO_SPACE;
	cell += by->layout.channel[channel].at;
	memcpy(&base_wh, bytes + EB_AT_BASE, sizeof(base_wh));
	all = (uint64_t) *covered_us + (uint64_t) (plan->end_us - plan->start_us);
	*covered_us = (int64_t) all;
	for (; place < last; place++)
	{
		const EbProfileStep *end = step + place->nsteps[width];
		int64_t wh =
			eb_steps_sum(value, step, end, width) + (base_wh + EB_STEP_LESS(width)) * place->n;
		uint64_t energy = (uint64_t) cell[place->slot[0]] + (uint64_t) (wh * EB_WH);

		cell[place->slot[0]] = (int64_t) energy;
		all |= energy;
		step = end;
	}
	if (EB_UNLIKELY(bytes[EB_AT_FLAGS] != 0))
		all = take_missing(by, plan, value + plan->n * width, base_wh, cell, covered_us);
	eb_usage_extend(sum, channel, plan->start_us, plan->end_us);
	return (int64_t) all < 0 ? EB_OUT_OF_RANGE : EB_OK;
}

/* The head of a block that has one */
static inline EbPlanHead
head_of(const uint8_t *bytes, size_t size)
{
	EbPlanHead head = {.size = size};

	memcpy(&head.kind, bytes, sizeof(head.kind));
	memcpy(&head.start_us, bytes + EB_AT_START, sizeof(head.start_us));
	memcpy(&head.step_n, bytes + EB_AT_STEP, sizeof(head.step_n));
	return head;
}

/* Is all that was asked of the block before true of this one, too? Mostly it is one of the same day. */
static inline bool
same_head(const EbPlanHead *known, const uint8_t *bytes, size_t size)
{
	EbPlanHead head;
	uint64_t base_wh;

	if (size != known->size)
		return false;
	head = head_of(bytes, size);
	memcpy(&base_wh, bytes + EB_AT_BASE, sizeof(base_wh));
	return head.kind == known->kind && head.start_us == known->start_us &&
		   head.step_n == known->step_n && base_wh <= MOST_BASE_WH;
}

EbStatus
eb_usage_add_day(EbUsageSum *sum, const EbClassifier *by, const uint8_t *bytes, size_t size)
{
	EbPlans *plans = by->plans;
	const EbPlan *plan;

	if (EB_UNLIKELY(sum->n != 1 || plans == NULL))
		return EB_NOT_SUPPORTED;
	if (EB_LIKELY(same_head(&plans->head, bytes, size)))
		plan = plans->head.plan;
	else
	{
		plan = simple_plan(by, bytes, size);
		if (plan == NULL)
			return EB_NOT_SUPPORTED;
		if (bytes[EB_AT_FLAGS] == 0)
		{
			plans->head = head_of(bytes, size);
			plans->head.plan = plan;
		}
	}
	return EB_LIKELY(bytes[EB_AT_WIDTH] == 2) ? put_values(sum, by, plan, bytes, 2)
											  : put_values(sum, by, plan, bytes, 1);
}
