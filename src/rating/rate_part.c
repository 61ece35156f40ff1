/*
 * rate_part.c -- gathering runs into parts; components by energy
 * In:  the runs of the service range (rate_service.c), the conditions of a component.
 * Out: parts with their energy by period, for rate_tier.c; lines without tiers.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (split).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

static bool
uses_season(const EbTariff *tariff, const EbComponent *component)
{
	const EbStep *step = EB_ARRAY(tariff, EbStep, component->tier.step);
	unsigned uses = eb_price_uses(tariff, component->price);

	if (tariff->season.n == 0)
		return false;
	for (int i = 0; component->has_tier && i < component->tier.step.n; i++)
		uses |= eb_price_uses(tariff, step[i].price) | eb_price_uses(tariff, step[i].up_to) |
				eb_price_uses(tariff, step[i].flat);
	return (uses & EB_USES_SEASON) != 0;
}

static int32_t
line_unit(const EbComponent *component)
{
	switch ((EbPer) component->per)
	{
		case EB_PER_KWH:
			return EB_UNIT_KWH;
		case EB_PER_BILL:
			return EB_UNIT_BILL;
		case EB_PER_DAY:
			return EB_UNIT_DAY;
		case EB_PER_MONTH:
			return EB_UNIT_MONTH;
		case EB_PER_UNIT:
			break;
	}
	return EB_UNIT_PIECE;
}

void
eb_work_init(EbWork *work, EbRating *rating, int32_t index)
{
	const EbTariff *tariff = rating->tariff;
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component) + index;

	work->rating = rating;
	work->component = component;
	work->index = index;
	work->unit = line_unit(component);
	work->quality = EB_ACTUAL;
	work->by_season = uses_season(tariff, component);
	work->nslots = 0;
	work->first = 0;
	work->end = rating->nruns;
	work->days = rating->end_day - rating->first_day;
	work->days_u = rating->days_u;
	work->months_u = rating->months_u;
	work->before_u = 0;
	work->used_u = 0;
}

void
eb_work_energy(EbWork *work)
{
	const EbTariff *tariff = work->rating->tariff;
	const EbComponent *component = work->component;
	const EbSchedule *schedule;

	work->unit = EB_UNIT_KWH;
	work->quality = work->rating->quality;
	work->nslots = 1;
	work->slot[0] = EB_NONE;
	if (component->schedule == EB_NONE)
		return;
	schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule) + component->schedule;
	work->nslots = 0;
	for (int i = schedule->first_slot; i < schedule->first_slot + schedule->nslots; i++)
		if (component->slots >> i & 1)
			work->slot[work->nslots++] = i;
}

/* Energy of one of the work's slots in a run */
static bool
add_energy(const EbWork *work, const EbRun *run, int which, int64_t *sum_u)
{
	const EbTariff *tariff = work->rating->tariff;
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	int slot = work->slot[which];
	int n = 1;

	if (run->energy_ukwh == NULL)
		return true;
	if (slot == EB_NONE)
	{
		/* every schedule sorts the same energy: the first will do */
		slot = tariff->schedule.n > 0 ? schedule->first_slot : 0;
		n = tariff->schedule.n > 0 ? schedule->nslots : 1;
	}
	for (int i = 0; i < n; i++)
		if (!eb_add64(*sum_u, run->energy_ukwh[slot + i], sum_u))
			return false;
	return true;
}

/* Rounds the quantities of a finished part as the tariff says, and adds them up */
static EbStatus
close_part(const EbWork *work, EbPart *part)
{
	const EbRounding *round = &work->rating->tariff->round_quantity;

	part->total_u = 0;
	for (int i = 0; i < work->nslots; i++)
	{
		eb_int128 rounded = part->quantity_u[i];

		/* the step is in 1e-9, the quantity in 1e-6 */
		if (round->step_n > 0 &&
			!eb_round_step(rounded * 1000, round->step_n, (EbRoundMode) round->mode, &rounded))
			return eb_overflow(work->rating->fault, "energy");
		if (round->step_n > 0)
			rounded = eb_div_round(rounded, 1000, EB_HALF_UP);
		if (rounded < INT64_MIN || rounded > INT64_MAX ||
			!eb_add64(part->total_u, (int64_t) rounded, &part->total_u))
			return eb_overflow(work->rating->fault, "energy");
		part->quantity_u[i] = (int64_t) rounded;
	}
	return EB_OK;
}

static void
open_part(const EbWork *work, EbPart *part, int run, int32_t season, int32_t factor_if)
{
	part->first = part->last = run;
	part->days = 0;
	part->season = season;
	part->factor_if = factor_if;
	for (int i = 0; i < work->nslots; i++)
		part->quantity_u[i] = 0;
}

/*
 * How the component treats a run: does it count, at whose season and factor? With split start or
 * end, rule is the run at that end, and its version of the rules holds for all.
 */
static EbStatus
judge_run(const EbWork *work, const EbRun *run, const EbRun *rule, bool *counts, int32_t *factor_if)
{
	const EbRating *rating = work->rating;
	bool valid = false;
	EbStatus status = eb_component_when(rating, work->component, run, counts);

	if (status == EB_OK && *counts)
		status = eb_component_valid(rating, work->component, rule, &valid);
	*counts = *counts && valid;
	if (status == EB_OK && *counts)
		status = eb_component_factor(rating, work->component, rule, factor_if);
	return status;
}

/* Energy without dates can only be rated where all days are treated alike. */
static EbStatus
check_undated(const EbWork *work, const EbPart *part)
{
	const EbRating *rating = work->rating;

	if (work->nslots == 0 || rating->energy_dated ||
		part->days == rating->end_day - rating->first_day)
		return EB_OK;
	eb_fault_set(rating->fault, EB_UNKNOWN, "the tariff needs the dates of the usage",
				 "Give \"during\" with the usage.");
	return eb_fault_detail(rating->fault, EB_UNKNOWN,
						   "The service range has days that a component treats differently.");
}

/*
 * The next part at or after *run, inside the instance: neighbouring runs that count, of the same
 * season when it matters, with the same factor. *run moves behind it; found is false at the end.
 */
EbStatus
eb_part_next(EbWork *work, const EbRun *rule, int *run, EbPart *part, bool *found)
{
	EbRating *rating = work->rating;

	*found = false;
	for (; *run < work->end; (*run)++)
	{
		const EbRun *current = &rating->run[*run];
		const EbRun *judge = rule != NULL ? rule : current;
		int32_t season = work->by_season ? judge->season : 0;
		int32_t factor_if = EB_NONE;
		bool counts;
		EbStatus status = judge_run(work, current, judge, &counts, &factor_if);

		if (status != EB_OK)
			return status;
		if (!counts && !(*found && rule != NULL))
		{
			if (*found)
				break;
			continue;
		}
		if (*found && counts && (season != part->season || factor_if != part->factor_if))
			break;
		if (!*found)
			open_part(work, part, *run, season, factor_if);
		*found = true;
		if (!counts)
			continue;
		part->last = *run;
		part->days += current->end - current->day;
		for (int i = 0; i < work->nslots; i++)
			if (!add_energy(work, current, i, &part->quantity_u[i]))
				return eb_overflow(rating->fault, "energy");
	}
	if (!*found)
		return EB_OK;
	if (check_undated(work, part) != EB_OK)
		return EB_UNKNOWN;
	return close_part(work, part);
}

/* The whole service range as one part, by the rules of its last day; no energy in it. */
EbStatus
eb_part_whole(EbWork *work, EbPart *part, bool *applies)
{
	const EbRun *last = &work->rating->run[work->rating->nruns - 1];
	int32_t factor_if = EB_NONE;
	EbStatus status = judge_run(work, last, last, applies, &factor_if);

	if (status != EB_OK || !*applies)
		return status;
	open_part(work, part, 0, work->by_season ? last->season : 0, factor_if);
	part->last = work->rating->nruns - 1;
	part->days = work->days;
	return EB_OK;
}

/* Lines without tiers: the price of each period */
static EbStatus
rate_plain(EbWork *work, const EbPart *part)
{
	for (int i = 0; i < work->nslots; i++)
	{
		EbDraft draft = EB_DRAFT_INIT;
		EbStatus status;

		if (part->quantity_u[i] == 0)
			continue;
		draft.slot = work->slot[i];
		draft.unit = work->unit;
		draft.quantity_u = part->quantity_u[i];
		status = eb_unit_price(work->rating, work->component->price, draft.slot, part->season,
							   &draft.price_n);
		if (status == EB_OK)
			status = eb_push_line(work, part, &draft);
		if (status != EB_OK)
			return status;
	}
	return EB_OK;
}

/* What a run adds to the counters of the scope though another version of the tariff rates it */
static EbStatus
count_run(const EbWork *work, const EbRun *run, int64_t *counter_u)
{
	bool counts;
	EbStatus status = eb_component_when(work->rating, work->component, run, &counts);

	if (status != EB_OK || !counts)
		return status;
	for (int i = 0; i < work->nslots; i++)
		if (!add_energy(work, run, i, &counter_u[i]))
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
	work->used_u = work->before_u;
	if (!add_all(counter_u, work->nslots, &work->used_u))
		return eb_overflow(rating->fault, "energy");
	status = eb_rate_tiers(work, part, counter_u);
	if (status != EB_OK)
		return status;
	*counted = part->last + 1;
	if (!continues)
		work->before_u = 0;
	for (int i = 0; continues && i < work->nslots; i++)
		if (!eb_add64(counter_u[i], part->quantity_u[i], &counter_u[i]))
			return eb_overflow(rating->fault, "energy");
	return EB_OK;
}

const EbRun *
eb_split_rule(const EbWork *work)
{
	const EbComponent *component = work->component;

	if (component->has_tier && component->tier.split == EB_SPLIT_START)
		return &work->rating->run[work->first];
	if (component->has_tier && component->tier.split == EB_SPLIT_END)
		return &work->rating->run[work->end - 1];
	return NULL;
}

/* One instance of the tier scope; its last part is left in *part */
static EbStatus
rate_instance(EbWork *work, EbPart *part, bool *any_part)
{
	const EbRun *rule = eb_split_rule(work);
	int64_t counter_u[EB_MAX_SLOTS] = {0};
	int counted = work->first;
	int run = work->first;
	EbStatus status = EB_OK;

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

	draft.slot = work->slot[0];
	draft.unit = work->unit;
	if (work->component->has_tier)
		status = eb_zero_tier(work, part, &draft);
	else
		status = eb_unit_price(work->rating, work->component->price, draft.slot, part->season,
							   &draft.price_n);
	return status == EB_OK ? eb_push_line(work, part, &draft) : status;
}

void
eb_measure_instance(EbWork *work, EbTierScope scope)
{
	const EbRating *rating = work->rating;

	work->days_u = rating->days_u;
	work->months_u = rating->months_u;
	if (scope == EB_SCOPE_BILL)
		return;
	work->days = rating->run[work->end - 1].end - rating->run[work->first].day;
	work->days_u = work->days * EB_MICRO;
	work->months_u = scope == EB_SCOPE_MONTH	 ? 1000000
					 : scope == EB_SCOPE_QUARTER ? 3000000
												 : 12000000;
}

EbStatus
eb_rate_energy(EbRating *rating, int32_t index)
{
	EbWork work;
	EbPart part;
	bool any_part = false;
	int before_lines = rating->nlines;
	EbTierScope scope;
	EbStatus status = EB_OK;

	eb_work_init(&work, rating, index);
	eb_work_energy(&work);
	scope = work.component->has_tier ? (EbTierScope) work.component->tier.scope : EB_SCOPE_BILL;
	if (scope != EB_SCOPE_BILL)
		status = eb_need_dates(rating, "the month, quarter or year a tier belongs to");
	for (work.first = 0; status == EB_OK && work.first < rating->nruns; work.first = work.end)
	{
		int32_t instance = rating->run[work.first].scope_day[scope];

		work.end = work.first + 1;
		while (work.end < rating->nruns && rating->run[work.end].scope_day[scope] == instance)
			work.end++;
		work.before_u = work.first == 0 ? rating->ctx->before_ukwh[scope] : 0;
		eb_measure_instance(&work, scope);
		status = rate_instance(&work, &part, &any_part);
	}
	if (status == EB_OK && any_part && rating->nlines == before_lines && work.nslots > 0)
		status = push_zero(&work, &part);
	return status;
}
