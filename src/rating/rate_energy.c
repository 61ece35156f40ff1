/*
 * rate_energy.c -- components by energy
 * In:  the parts of each instance of a tier scope (rate_part.c), what was used before.
 * Out: lines without tiers; parts with their counters for rate_tier.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (split, before).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"
#include "rating/tariff_json.h"

/* Lines without tiers: the price of each period */
static EbStatus
rate_plain(EbWork *work, const EbPart *part)
{
	EbStatus status = EB_OK;

	for (int i = 0; i < work->nslots && status == EB_OK; i++)
		status = eb_push_base(work, part, i, part->quantity_u[i], false);
	return status;
}

/* What a run adds to the counters of the scope though another version of the tariff rates it */
static EbStatus
count_run(const EbWork *work, const EbRun *run, int64_t *counter_u)
{
	bool counts;
	bool valid = false;
	EbStatus status = eb_component_when(work->rating, work->component, run, &counts);

	if (status == EB_OK && counts)
		status = eb_component_valid(work->rating, work->component, run, &valid);
	if (status != EB_OK || !counts || valid)
		return status;
	for (int i = 0; i < work->nslots; i++)
		if (!eb_run_energy(work, run, i, &counter_u[i]))
			return eb_overflow(work->rating->fault, "energy");
	return EB_OK;
}

static bool
add_all(const int64_t *value, int n, int64_t *sum)
{
	for (int i = 0; i < n; i++)
		if (!eb_add64(*sum, value[i], sum))
			return false;
	return true;
}

void
eb_forget_before(EbWork *work)
{
	work->before_all_u = 0;
	for (int i = 0; i < work->nslots; i++)
		work->before_u[i] = 0;
}

/*
 * Rates the part by its tiers. counter_u, by slot: what the instance used before it; it counts on
 * only with split continue, else each part has bounds of its own and the first one goes on from
 * what was used before the bill.
 */
static EbStatus
rate_part_tiers(EbWork *work, const EbPart *part, int *counted, int64_t *counter_u)
{
	const EbRating *rating = work->rating;
	bool continues = work->component->tier.split == EB_SPLIT_CONTINUE;
	EbStatus status = EB_OK;

	for (; continues && *counted < part->first && status == EB_OK; (*counted)++)
		status = count_run(work, &rating->run[*counted], counter_u);
	if (status != EB_OK)
		return status;
	work->used_u = work->before_all_u;
	if (!add_all(work->before_u, work->nslots, &work->used_u) ||
		!add_all(counter_u, work->nslots, &work->used_u))
		return eb_overflow(rating->fault, "energy");
	status = eb_rate_tiers(work, part, counter_u);
	if (status != EB_OK)
		return status;
	*counted = part->last + 1;
	/* of days only the first goes on, and its part may come later */
	if (!continues && eb_tier_scope(work->component) != EB_SCOPE_DAY)
		eb_forget_before(work);
	for (int i = 0; continues && i < work->nslots; i++)
		if (!eb_add64(counter_u[i], part->quantity_u[i], &counter_u[i]))
			return eb_overflow(rating->fault, "energy");
	return EB_OK;
}

/* One instance of the tier scope; its last part is left in *part */
static EbStatus
rate_instance(EbWork *work, EbPart *part, bool *any_part)
{
	const EbRun *rule = eb_split_rule(work);
	int64_t counter_u[EB_MAX_SLOTS];
	int counted = work->first;
	int run = work->first;
	EbStatus status = EB_OK;

	for (int i = 0; i < work->nslots; i++)
		counter_u[i] = 0;
	while (status == EB_OK)
	{
		bool found;

		status = eb_part_next(work, rule, &run, part, &found);
		if (status != EB_OK || !found)
			break;
		*any_part = true;
		status = work->component->has_tier ? rate_part_tiers(work, part, &counted, counter_u)
										   : rate_plain(work, part);
	}
	return status;
}

/* Without any energy the bill still shows the component: a line of 0 kWh at the price to come. */
static EbStatus
push_zero(EbWork *work, const EbPart *part)
{
	EbDraft draft = EB_DRAFT_INIT;
	EbStatus status;

	if (!work->component->has_tier || work->by_series)
		return eb_push_base(work, part, 0, 0, true);
	draft.slot = work->slot[0];
	draft.unit = work->unit;
	status = eb_zero_tier(work, part, &draft);
	return status == EB_OK ? eb_push_line(work, part, &draft) : status;
}

void
eb_measure_instance(EbWork *work, EbTierScope scope)
{
	const EbRating *rating = work->rating;
	int32_t first_day = rating->run[work->first].day;

	work->days_u = rating->days_u;
	work->months_u = rating->months_u;
	if (scope == EB_SCOPE_BILL)
		return;
	work->days = rating->run[work->end - 1].end - first_day;
	work->days_u = work->days * EB_MICRO;
	work->months_u = 0;
	switch (scope)
	{
		case EB_SCOPE_MONTH:
			work->months_u = EB_MICRO;
			break;
		case EB_SCOPE_QUARTER:
		case EB_SCOPE_YEAR:
			/* more bills count in it: its own length, not that of the bill */
			work->days_u = eb_scope_days(rating->tariff, scope, first_day) * EB_MICRO;
			work->months_u = (scope == EB_SCOPE_QUARTER ? 3 : 12) * EB_MICRO;
			break;
		default: /* a day, an interval */
			work->days_u = EB_MICRO;
			break;
	}
}

/* Which slot of the work the period is; EB_NONE: none of them */
static int
slot_of_period(const EbWork *work, EbText period)
{
	const EbTariff *tariff = work->rating->tariff;
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *name = EB_ARRAY(tariff, EbSlice, tariff->period_name);

	for (int i = 0; i < work->nslots && work->slot[i] != EB_NONE; i++)
	{
		EbSlice called = name[slot[work->slot[i]].name];

		if (eb_text_equal((EbText){EB_ARRAY(tariff, char, called), called.n}, period))
			return i;
	}
	return EB_NONE;
}

/* A component that counts some periods only goes on from what those used before. */
EbStatus
eb_take_before(EbWork *work, EbTierScope scope)
{
	const EbRateContext *ctx = work->rating->ctx;

	eb_forget_before(work);
	for (int i = 0; i < ctx->nbefore; i++)
	{
		const EbBefore *before = &ctx->before[i];
		int which = before->period.len > 0 ? slot_of_period(work, before->period) : EB_NONE;
		int64_t *sum = which == EB_NONE ? &work->before_all_u : &work->before_u[which];

		if (before->scope != scope ||
			(which == EB_NONE && before->period.len > 0 && work->slot[0] != EB_NONE))
			continue;
		if (!eb_add64(*sum, before->ukwh, sum))
			return eb_overflow(work->rating->fault, "energy used before");
	}
	return EB_OK;
}

/* The runs from work->first on that lie in one instance; days and intervals part them further in */
static void
find_instance(EbWork *work, EbTierScope scope)
{
	const EbRating *rating = work->rating;
	int32_t instance = rating->run[work->first].scope_day[scope];

	work->end = rating->nruns;
	if (scope == EB_SCOPE_DAY || !eb_scope_dated(scope))
		return;
	work->end = work->first + 1;
	while (work->end < rating->nruns && rating->run[work->end].scope_day[scope] == instance)
		work->end++;
}

EbStatus
eb_rate_energy(EbRating *rating, int32_t index)
{
	EbWork work;
	EbPart part;
	bool any_part = false;
	int before_lines = rating->nlines;
	EbTierScope scope;
	EbStatus status;

	eb_work_init(&work, rating, index);
	status = eb_work_energy(&work);
	scope = eb_tier_scope(work.component);
	if (status == EB_OK && eb_scope_dated(scope))
		status = eb_need_dates(rating, scope == EB_SCOPE_DAY
										   ? "the day a tier belongs to"
										   : "the month, quarter or year a tier belongs to");
	for (work.first = 0; status == EB_OK && work.first < rating->nruns; work.first = work.end)
	{
		find_instance(&work, scope);
		eb_forget_before(&work);
		if (work.component->has_tier && work.first == 0)
			status = eb_take_before(&work, scope);
		if (status == EB_OK && work.component->has_tier && rating->version != NULL)
			status = eb_version_before(&work, scope);
		eb_measure_instance(&work, scope);
		if (status == EB_OK)
			status = rate_instance(&work, &part, &any_part);
	}
	if (status == EB_OK && any_part && rating->nlines == before_lines && work.nslots > 0)
		status = push_zero(&work, &part);
	return status;
}
