/*
 * rate_tier.c -- lines of a part with tiers
 * In:  a part with its quantities (rate_part.c), its ladder (rate_ladder.c).
 * Out: lines by period and step, flats as lines of their own.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (modes, flats, prorata, per_period).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* Quantities that share one counter: all periods, or one of them (order per_period) */
typedef struct Group
{
	EbWork *work;
	const EbPart *part;
	const EbStep *step;
	int first; /* slots [first, first + n) of the work */
	int n;
	int32_t slot;	/* the period when there is one alone, else EB_NONE */
	int64_t used_u; /* by the counter before */
	int64_t total_u;
	EbLadder ladder;
} Group;

static EbStatus
push_step(const Group *group, int32_t slot, int k, int64_t quantity_u)
{
	EbDraft draft = EB_DRAFT_INIT;
	EbStatus status;

	if (quantity_u == 0)
		return EB_OK;
	draft.slot = slot;
	draft.tier = k + 1;
	draft.unit = group->work->unit;
	draft.quantity_u = quantity_u;
	draft.factor_n = group->step[k].factor_n;
	status = eb_unit_price(group->work->rating, group->step[k].price, slot, group->part->season,
						   &draft.price_n);
	if (status != EB_OK)
		return status;
	if (draft.price_n == 0 && group->work->component->tier.mode == EB_TIER_ADDER)
		return EB_OK;
	return eb_push_line(group->work, group->part, &draft);
}

/* The flat of step k, times it is entered (+1) or left (-1) */
static EbStatus
push_flat(const Group *group, int k, int times)
{
	EbDraft draft = EB_DRAFT_INIT;
	EbStatus status;

	if (times == 0)
		return EB_OK;
	draft.slot = group->slot;
	draft.tier = k + 1;
	draft.unit = EB_UNIT_BILL;
	draft.quantity_u = times * EB_MICRO;
	status = eb_step_flat(group->work, group->part, &group->step[k], group->slot, &draft.price_n);
	if (status != EB_OK || draft.price_n == 0)
		return status;
	return eb_push_line(group->work, group->part, &draft);
}

/* Is the flat of the first step due? It is with the first units, and at zero unless named. */
static bool
first_flat_due(const Group *group)
{
	return group->used_u == 0 && (group->total_u != 0 || group->work->component->tier.flat_at_zero);
}

/* Lines of units by period and step: each step is split over the periods by their share. */
static EbStatus
push_cells(const Group *group, const int64_t *step_u)
{
	const int64_t *quantity_u = group->part->quantity_u + group->first;
	int64_t cell[EB_MAX_STEPS * EB_MAX_SLOTS];

	eb_tier_spread(step_u, group->ladder.nsteps, quantity_u, group->n,
				   eb_ladder_next(&group->ladder, group->used_u), cell);
	for (int i = 0; i < group->n; i++)
		for (int k = 0; k < group->ladder.nsteps; k++)
		{
			EbStatus status =
				push_step(group, group->work->slot[group->first + i], k, cell[k * group->n + i]);

			if (status != EB_OK)
				return status;
		}
	return EB_OK;
}

static EbStatus
push_flats(const Group *group)
{
	int64_t after_u = group->used_u + group->total_u;
	EbStatus status = EB_OK;

	for (int k = 0; k < group->ladder.nsteps && status == EB_OK; k++)
	{
		int times = eb_ladder_entered(&group->ladder, k, group->used_u, after_u);

		if (k == 0)
			times = first_flat_due(group) ? 1 : 0;
		status = push_flat(group, k, times);
	}
	return status;
}

static EbStatus
rate_graduated(const Group *group, const int64_t *step_u)
{
	EbStatus status = push_cells(group, step_u);

	return status == EB_OK ? push_flats(group) : status;
}

static bool
adders_by_period(const Group *group)
{
	const EbTariff *tariff = group->work->rating->tariff;

	for (int k = 0; k < group->ladder.nsteps; k++)
		if (eb_price_uses(tariff, group->step[k].price) & EB_USES_PERIOD)
			return true;
	return false;
}

/* All units at the price of their period, then what the steps add. */
static EbStatus
rate_adder(const Group *group, const int64_t *step_u)
{
	const EbComponent *component = group->work->component;
	EbStatus status = EB_OK;

	for (int i = group->first; i < group->first + group->n && status == EB_OK; i++)
	{
		EbDraft draft = EB_DRAFT_INIT;

		draft.slot = group->work->slot[i];
		draft.unit = group->work->unit;
		draft.quantity_u = group->part->quantity_u[i];
		if (draft.quantity_u == 0 || component->price == EB_NONE)
			continue;
		status = eb_unit_price(group->work->rating, component->price, draft.slot,
							   group->part->season, &draft.price_n);
		if (status == EB_OK)
			status = eb_push_line(group->work, group->part, &draft);
	}
	if (status == EB_OK && adders_by_period(group))
		return rate_graduated(group, step_u);
	for (int k = 0; k < group->ladder.nsteps && status == EB_OK; k++)
		status = push_step(group, group->slot, k, step_u[k]);
	return status == EB_OK ? push_flats(group) : status;
}

/*
 * All units since the scope began at the step where they end, less what was charged before at the
 * step where those ended: F(before + q) - F(before).
 */
static EbStatus
rate_volume(const Group *group)
{
	const EbTier *tier = &group->work->component->tier;
	int64_t chooser_u = group->used_u + group->total_u;
	int64_t again_u = 0;
	int before;
	int after;
	EbStatus status = EB_OK;

	if (tier->has_by)
		status = eb_quantity_value(group->work->rating, &tier->by, &chooser_u);
	if (status != EB_OK)
		return status;
	after = eb_ladder_find(&group->ladder, chooser_u);
	before = tier->has_by ? after : eb_ladder_find(&group->ladder, group->used_u);
	if (group->used_u != 0 && before != after)
		again_u = group->used_u;
	for (int i = group->first; i < group->first + group->n && status == EB_OK; i++)
		status = push_step(group, group->work->slot[i], after,
						   group->part->quantity_u[i] + (group->n == 1 ? again_u : 0));
	if (status == EB_OK && group->n > 1)
		status = push_step(group, EB_NONE, after, again_u);
	if (status == EB_OK)
		status = push_step(group, group->slot, before, -again_u);
	if (status == EB_OK && (again_u != 0 || first_flat_due(group)))
		status = push_flat(group, after, 1);
	if (status == EB_OK && again_u != 0)
		status = push_flat(group, before, -1);
	return status;
}

static EbStatus
rate_package(const Group *group)
{
	const EbTier *tier = &group->work->component->tier;
	EbDraft draft = EB_DRAFT_INIT;
	EbFault *fault = group->work->rating->fault;
	int64_t packages;
	EbStatus status;

	packages = eb_package_count(group->used_u + group->total_u, tier->free_u, tier->size_u) -
			   eb_package_count(group->used_u, tier->free_u, tier->size_u);
	if (packages == 0)
		return EB_OK;
	draft.slot = group->slot;
	draft.unit = EB_UNIT_PIECE;
	if (!eb_mul64(packages, EB_MICRO, &draft.quantity_u))
		return eb_overflow(fault, "number of packages");
	status = eb_unit_price(group->work->rating, group->work->component->price, group->slot,
						   group->part->season, &draft.price_n);
	return status == EB_OK ? eb_push_line(group->work, group->part, &draft) : status;
}

static EbStatus
rate_group(Group *group)
{
	const EbTier *tier = &group->work->component->tier;
	const EbRating *rating = group->work->rating;
	int64_t step_u[EB_MAX_STEPS];
	int64_t after_u;
	EbStatus status;

	if (!eb_add64(group->used_u, group->total_u, &after_u))
		return eb_overflow(rating->fault, "energy of a tier scope");
	if (tier->mode == EB_TIER_PACKAGE)
		return rate_package(group);
	status = eb_ladder_build(group->work, group->part, group->slot, &group->ladder);
	if (status != EB_OK)
		return status;
	if (tier->mode == EB_TIER_VOLUME)
		return rate_volume(group);
	if (!eb_ladder_fill(&group->ladder, group->used_u, group->total_u, step_u))
		return eb_overflow(rating->fault, "energy of a tier scope");
	return tier->mode == EB_TIER_ADDER ? rate_adder(group, step_u) : rate_graduated(group, step_u);
}

/* Each period has a counter of its own; what the bill does not know is how far each had come. */
static EbStatus
rate_per_period(Group *group, const int64_t *counter_u)
{
	EbWork *work = group->work;
	EbStatus status = EB_OK;

	if (work->before_u != 0)
		return eb_fault_set(work->rating->fault, EB_NOT_SUPPORTED,
							"tiers per period cannot go on from an earlier bill yet",
							"Use a scope that the bill covers whole, or order prorata.");
	for (int i = 0; i < work->nslots && status == EB_OK; i++)
	{
		group->first = i;
		group->n = 1;
		group->slot = work->slot[i];
		group->used_u = counter_u[i];
		group->total_u = group->part->quantity_u[i];
		status = rate_group(group);
	}
	return status;
}

EbStatus
eb_rate_tiers(EbWork *work, const EbPart *part, const int64_t *counter_u)
{
	const EbTier *tier = &work->component->tier;
	Group group;

	group.work = work;
	group.part = part;
	group.step = EB_ARRAY(work->rating->tariff, EbStep, tier->step);
	if (tier->order == EB_ORDER_PER_PERIOD && work->nslots > 1)
		return rate_per_period(&group, counter_u);
	group.first = 0;
	group.n = work->nslots;
	group.slot = work->nslots == 1 ? work->slot[0] : EB_NONE;
	group.used_u = work->used_u;
	group.total_u = part->total_u;
	return rate_group(&group);
}

/* Bounds of one period alone (order per_period, or a component of one period), else EB_NONE */
static int32_t
bounds_slot(const EbWork *work, int32_t slot)
{
	bool alone = work->component->tier.order == EB_ORDER_PER_PERIOD || work->nslots == 1;

	return alone ? slot : EB_NONE;
}

EbStatus
eb_next_step(const EbWork *work, const EbPart *part, EbDraft *draft)
{
	const EbTier *tier = &work->component->tier;
	const EbStep *step = EB_ARRAY(work->rating->tariff, EbStep, tier->step);
	EbLadder ladder;
	int64_t by_u;
	int k;
	EbStatus status = eb_ladder_build(work, part, bounds_slot(work, draft->slot), &ladder);

	if (status == EB_OK && tier->has_by)
		status = eb_quantity_value(work->rating, &tier->by, &by_u);
	if (status != EB_OK)
		return status;
	k = tier->has_by ? eb_ladder_find(&ladder, by_u) : eb_ladder_next(&ladder, work->used_u);
	draft->tier = k + 1;
	draft->factor_n = step[k].factor_n;
	return eb_unit_price(work->rating, step[k].price, draft->slot, part->season, &draft->price_n);
}

EbStatus
eb_zero_tier(const EbWork *work, const EbPart *part, EbDraft *draft)
{
	const EbComponent *component = work->component;
	bool package = component->tier.mode == EB_TIER_PACKAGE;

	if (!package && (component->tier.mode != EB_TIER_ADDER || component->price == EB_NONE))
		return eb_next_step(work, part, draft);
	if (package)
	{
		draft->slot = bounds_slot(work, draft->slot);
		draft->unit = EB_UNIT_PIECE;
	}
	return eb_unit_price(work->rating, component->price, draft->slot, part->season,
						 &draft->price_n);
}
