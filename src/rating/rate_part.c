/*
 * rate_part.c -- gathering runs into parts
 * In:  the runs of the service range (rate_service.c), the conditions of a component.
 * Out: parts with their energy by period, for rate_energy.c and rate_fixed.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (split).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* Rounds the quantities of a finished part as the tariff says, and adds them up */
static EbStatus
close_part(const EbWork *work, EbPart *part)
{
	part->total_u = 0;
	for (int i = 0; i < work->nslots; i++)
	{
		EbStatus status =
			work->piecewise ? EB_OK : eb_round_quantity(work->rating, &part->quantity_u[i]);

		if (status != EB_OK)
			return status;
		if (!eb_add64(part->total_u, part->quantity_u[i], &part->total_u))
			return eb_overflow(work->rating->fault, "energy");
	}
	return EB_OK;
}

static void
open_part(const EbWork *work, EbPart *part, int run, const EbRun *judge, int32_t factor_if)
{
	part->first = part->last = run;
	part->days = 0;
	part->day = work->rating->dated ? judge->day : EB_NO_DAY;
	part->season = work->by_season ? judge->season : 0;
	part->factor_if = factor_if;
	memset(part->run, 0, ((size_t) work->rating->nruns + 63) / 64 * sizeof(part->run[0]));
	for (int i = 0; i < work->nslots; i++)
		part->quantity_u[i] = 0;
}

static EbStatus
add_run(const EbWork *work, EbPart *part, int run)
{
	const EbRun *added = &work->rating->run[run];

	part->last = run;
	part->days += added->end - added->day;
	part->run[run / 64] |= UINT64_C(1) << (run % 64);
	for (int i = 0; i < work->nslots; i++)
		if (!eb_run_energy(work, added, i, &part->quantity_u[i]))
			return eb_overflow(work->rating->fault, "energy");
	return EB_OK;
}

/* The point of the series that holds on the day, or EB_NONE */
static int
point_on(const EbTariff *tariff, const EbSeries *series, int32_t day)
{
	const EbPoint *point = EB_ARRAY(tariff, EbPoint, series->point);
	int low = 0;
	int high = series->point.n;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (point[middle].day <= day)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

/* Do the prices of the component hold on both days? */
static bool
same_prices(const EbWork *work, const EbRun *a, const EbRun *b)
{
	const EbTariff *tariff = work->rating->tariff;
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);

	if (work->by_season && a->season != b->season)
		return false;
	for (int i = 0; work->day_series >> i != 0; i++)
		if ((work->day_series >> i & 1) != 0 &&
			point_on(tariff, &series[i], a->day) != point_on(tariff, &series[i], b->day))
			return false;
	return true;
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

/* Neighbouring runs that count, with the same prices and factor */
static EbStatus
next_neighbours(EbWork *work, const EbRun *rule, int *run, EbPart *part, bool *found)
{
	EbRating *rating = work->rating;
	const EbRun *first = NULL;
	EbStatus status = EB_OK;

	for (; *run < work->end && status == EB_OK; (*run)++)
	{
		const EbRun *current = &rating->run[*run];
		const EbRun *judge = rule != NULL ? rule : current;
		int32_t factor_if = EB_NONE;
		bool counts;

		status = judge_run(work, current, judge, &counts, &factor_if);
		if (status != EB_OK)
			break;
		if (!counts && !(*found && rule != NULL))
		{
			if (*found)
				break;
			continue;
		}
		if (*found && counts && (factor_if != part->factor_if || !same_prices(work, first, judge)))
			break;
		if (!*found)
			open_part(work, part, *run, first = judge, factor_if);
		*found = true;
		if (counts)
			status = add_run(work, part, *run);
	}
	return status;
}

/* Runs from run on whose prices and whose being valid no date changes: they end before the result */
static EbStatus
find_stretch(EbWork *work, int run)
{
	const EbRating *rating = work->rating;
	const EbRun *first = &rating->run[run];
	bool valid;
	EbStatus status = eb_component_valid(rating, work->component, first, &valid);

	for (work->stretch_end = run + 1; work->stretch_end < work->end; work->stretch_end++)
	{
		const EbRun *next = &rating->run[work->stretch_end];
		bool still;

		if (status == EB_OK)
			status = eb_component_valid(rating, work->component, next, &still);
		if (status != EB_OK || still != valid || !same_prices(work, first, next))
			break;
	}
	work->stretch_factor = EB_NONE;
	return status;
}

/* The days of a stretch that have the same factor, though others lie between them */
static EbStatus
gather_days(EbWork *work, int run, int32_t factor_if, EbPart *part, bool *found)
{
	EbRating *rating = work->rating;

	for (; run < work->stretch_end; run++)
	{
		const EbRun *current = &rating->run[run];
		int32_t factor = EB_NONE;
		bool counts;
		EbStatus status = judge_run(work, current, current, &counts, &factor);

		if (status == EB_OK && counts && factor == factor_if)
		{
			if (!*found)
				open_part(work, part, run, current, factor);
			*found = true;
			status = add_run(work, part, run);
		}
		if (status != EB_OK)
			return status;
	}
	return EB_OK;
}

/* *run stays at the beginning of a stretch until each factor had its turn. */
static EbStatus
next_days(EbWork *work, int *run, EbPart *part, bool *found)
{
	EbStatus status = EB_OK;

	while (*run < work->end && !*found && status == EB_OK)
	{
		if (work->stretch_end <= *run)
			status = find_stretch(work, *run);
		if (status == EB_OK)
			status = gather_days(work, *run, work->stretch_factor++, part, found);
		if (work->stretch_factor == work->component->factor_if.n)
			*run = work->stretch_end;
	}
	return status;
}

/*
 * The next part at or after *run, inside the instance: runs that the component treats alike. *run
 * moves behind it; found is false at the end. With a rule, the rules of that run hold for all.
 */
EbStatus
eb_part_next(EbWork *work, const EbRun *rule, int *run, EbPart *part, bool *found)
{
	EbStatus status;

	*found = false;
	if (work->by_kind_of_day && rule == NULL)
		status = next_days(work, run, part, found);
	else
		status = next_neighbours(work, rule, run, part, found);
	if (status != EB_OK || !*found)
		return status;
	if (check_undated(work, part) != EB_OK)
		return EB_UNKNOWN;
	return close_part(work, part);
}

/* The instance in work as one part, by the rules of its last day; no energy in it. */
EbStatus
eb_part_whole(EbWork *work, EbPart *part, bool *applies)
{
	const EbRun *last = &work->rating->run[work->end - 1];
	int32_t factor_if = EB_NONE;
	EbStatus status = judge_run(work, last, last, applies, &factor_if);

	if (status != EB_OK || !*applies)
		return status;
	open_part(work, part, work->first, last, factor_if);
	for (int run = work->first; run < work->end; run++)
		part->run[run / 64] |= UINT64_C(1) << (run % 64);
	part->last = work->end - 1;
	part->days = work->days;
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
