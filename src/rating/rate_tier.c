/*
 * rate_tier.c -- lines of a part with tiers
 * In:  a part with its quantities (rate_part.c), its steps (rate_ladder.c), filled (rate_fill.c).
 * Out: lines by period and step, flats as lines of their own.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (modes, flats, order).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

static EbStatus
push_step(const EbGroup *group, int32_t slot, int k, int64_t quantity_u)
{
	EbWork *work = group->work;
	EbDraft draft = EB_DRAFT_INIT;
	EbStatus status = work->piecewise ? eb_round_quantity(work->rating, &quantity_u) : EB_OK;

	if (quantity_u == 0 || status != EB_OK)
		return status;
	draft.slot = slot;
	draft.tier = k + 1;
	draft.unit = work->unit;
	draft.quantity_u = quantity_u;
	draft.factor_n = group->steps.step[k]->factor_n;
	status = eb_part_price(work, group->part, group->steps.step[k]->price, slot, &draft.price_n);
	if (status != EB_OK)
		return status;
	if (draft.price_n == 0 && work->component->tier.mode == EB_TIER_ADDER)
		return EB_OK;
	return eb_push_line(work, group->part, &draft);
}

/* The flat of step k, as often as it was entered, less how often it was left */
static EbStatus
push_flat(const EbGroup *group, int k, int64_t times)
{
	EbDraft draft = EB_DRAFT_INIT;
	EbStatus status;

	if (times == 0 || group->steps.step[k]->flat == EB_NONE)
		return EB_OK;
	draft.slot = group->slot;
	draft.tier = k + 1;
	draft.unit = EB_UNIT_BILL;
	draft.quantity_u = times * EB_MICRO;
	status =
		eb_step_flat(group->work, group->part, group->steps.step[k], group->slot, &draft.price_n);
	if (status != EB_OK || draft.price_n == 0)
		return status;
	return eb_push_line(group->work, group->part, &draft);
}

static EbStatus
push_flats(const EbGroup *group)
{
	EbStatus status = EB_OK;

	for (int k = 0; k < group->steps.ladder.nsteps && status == EB_OK; k++)
		status = push_flat(group, k, group->flats[k]);
	return status;
}

/* Lines of units by period and step */
static EbStatus
push_cells(const EbGroup *group)
{
	EbStatus status = EB_OK;

	for (int i = 0; i < group->n; i++)
		for (int k = 0; k < group->steps.ladder.nsteps && status == EB_OK; k++)
			status = push_step(group, group->work->slot[group->first + i], k,
							   group->cell_u[k * group->n + i]);
	return status;
}

static EbStatus
push_graduated(const EbGroup *group)
{
	EbStatus status = push_cells(group);

	return status == EB_OK ? push_flats(group) : status;
}

static bool
adders_by_period(const EbGroup *group)
{
	const EbTariff *tariff = group->work->rating->tariff;

	for (int k = 0; k < group->steps.ladder.nsteps; k++)
		if (eb_price_uses(tariff, group->steps.step[k]->price) & EB_USES_PERIOD)
			return true;
	return false;
}

/* All units at the price of their period, then what the steps add. */
static EbStatus
push_adder(const EbGroup *group)
{
	EbWork *work = group->work;
	EbStatus status = EB_OK;

	for (int i = group->first; i < group->first + group->n && status == EB_OK; i++)
	{
		int64_t quantity_u = group->part->quantity_u[i];

		if (work->component->price == EB_NONE)
			break;
		if (work->piecewise)
			status = eb_round_quantity(work->rating, &quantity_u);
		if (status == EB_OK)
			status = eb_push_base(work, group->part, i, quantity_u, false);
	}
	if (status == EB_OK && !group->undivided)
		return push_graduated(group);
	for (int k = 0; k < group->steps.ladder.nsteps && status == EB_OK; k++)
		status = push_step(group, group->slot, k, group->step_u[k]);
	return status == EB_OK ? push_flats(group) : status;
}

/* Units of before move from a step to another, and with them its flat. */
static EbStatus
push_moved(EbGroup *group)
{
	EbStatus status = EB_OK;

	if (group->n > 1)
		status = push_step(group, EB_NONE, group->again_to, group->again_u);
	if (status == EB_OK)
		status = push_step(group, group->slot, group->again_from, -group->again_u);
	if (status == EB_OK)
		status = push_flat(group, group->again_to, group->flats[group->again_to] + 1);
	if (status == EB_OK)
		status = push_flat(group, group->again_from, group->flats[group->again_from] - 1);
	group->flats[group->again_to] = group->flats[group->again_from] = 0;
	return status;
}

static EbStatus
push_volume(EbGroup *group)
{
	int64_t *moved_u = group->cell_u;
	EbStatus status;

	if (group->again_u == 0)
		return push_graduated(group);
	moved_u += group->again_to * group->n;
	if (group->n == 1 && !eb_add64(*moved_u, group->again_u, moved_u))
		return eb_overflow(group->work->rating->fault, "energy of a tier scope");
	status = push_cells(group);
	if (status == EB_OK)
		status = push_moved(group);
	return status == EB_OK ? push_flats(group) : status;
}

static EbStatus
push_packages(const EbGroup *group)
{
	EbWork *work = group->work;
	EbDraft draft = EB_DRAFT_INIT;
	EbStatus status;

	if (group->packages == 0)
		return EB_OK;
	draft.slot = group->slot;
	draft.unit = EB_UNIT_PIECE;
	if (!eb_mul64(group->packages, EB_MICRO, &draft.quantity_u))
		return eb_overflow(work->rating->fault, "number of packages");
	status = eb_part_price(work, group->part, work->component->price, group->slot, &draft.price_n);
	return status == EB_OK ? eb_push_line(work, group->part, &draft) : status;
}

static EbStatus
rate_group(EbGroup *group)
{
	EbTierMode mode = (EbTierMode) group->work->component->tier.mode;
	EbStatus status = EB_OK;

	group->steps.ladder.nsteps = 0;
	if (mode == EB_TIER_PACKAGE)
		status = eb_free_units(group->work, group->part, &group->free_u);
	else
		status = eb_steps_build(group->work, group->part, group->slot, &group->steps);
	group->undivided = mode == EB_TIER_ADDER && !adders_by_period(group);
	if (status == EB_OK)
		status = eb_group_fill(group);
	if (status != EB_OK)
		return status;
	switch (mode)
	{
		case EB_TIER_GRADUATED:
			break;
		case EB_TIER_VOLUME:
			return push_volume(group);
		case EB_TIER_PACKAGE:
			return push_packages(group);
		case EB_TIER_ADDER:
			return push_adder(group);
	}
	return push_graduated(group);
}

/* Each period has a counter of its own. */
static EbStatus
rate_per_period(EbGroup *group, const int64_t *counter_u)
{
	EbWork *work = group->work;
	EbStatus status = EB_OK;

	if (work->before_all_u != 0)
	{
		eb_fault_set(work->rating->fault, EB_UNKNOWN,
					 "tiers per period need what each period used before",
					 "Give \"before\" as {scope: {period: kWh}}.");
		return EB_UNKNOWN;
	}
	for (int i = 0; i < work->nslots && status == EB_OK; i++)
	{
		group->first = i;
		group->n = 1;
		group->slot = work->slot[i];
		if (!eb_add64(work->before_u[i], counter_u[i], &group->used_u))
			return eb_overflow(work->rating->fault, "energy of a tier scope");
		status = rate_group(group);
	}
	return status;
}

static bool
one_period(const EbPart *part, int nslots)
{
	int used = 0;

	for (int i = 0; i < nslots; i++)
		used += part->quantity_u[i] != 0;
	return used <= 1;
}

/* Do the pieces decide how the steps are filled, and are they there? */
static EbStatus
look_at_pieces(EbGroup *group)
{
	const EbWork *work = group->work;
	const EbTier *tier = &work->component->tier;
	bool complete = true;
	EbStatus status = EB_OK;

	group->in_time = work->piecewise && tier->order == EB_ORDER_TIME &&
					 (tier->mode == EB_TIER_GRADUATED || tier->mode == EB_TIER_ADDER) &&
					 !one_period(group->part, work->nslots);
	if (group->in_time || (work->piecewise && tier->scope == EB_SCOPE_INTERVAL))
		status = eb_piece_complete(work, group->part, &complete);
	if (status != EB_OK || complete)
		return status;
	eb_fault_set(work->rating->fault, EB_UNKNOWN, "the tariff needs the intervals of the energy",
				 "Sum intervals with usage(); totals by period do not say when they were used.");
	return eb_fault_detail(work->rating->fault, EB_UNKNOWN, "They decide %s.",
						   group->in_time ? "in which order tiers are filled"
										  : "what a tier per interval counts");
}

EbStatus
eb_rate_tiers(EbWork *work, const EbPart *part, const int64_t *counter_u)
{
	EbGroup group;
	EbStatus status;

	group.work = work;
	group.part = part;
	status = look_at_pieces(&group);
	if (status != EB_OK)
		return status;
	if (work->component->tier.order == EB_ORDER_PER_PERIOD && work->nslots > 1)
		return rate_per_period(&group, counter_u);
	group.first = 0;
	group.n = work->nslots;
	group.slot = work->nslots == 1 ? work->slot[0] : EB_NONE;
	group.used_u = work->used_u;
	return rate_group(&group);
}

EbStatus
eb_next_step(const EbWork *work, const EbPart *part, EbDraft *draft)
{
	const EbTier *tier = &work->component->tier;
	EbSteps steps;
	int64_t by_u;
	int k;
	bool alone = tier->order == EB_ORDER_PER_PERIOD || work->nslots == 1;
	EbStatus status = eb_steps_build(work, part, alone ? draft->slot : EB_NONE, &steps);

	if (status == EB_OK && tier->has_by)
		status = eb_quantity_value(work->rating, &tier->by, &by_u);
	if (status != EB_OK)
		return status;
	k = tier->has_by ? eb_ladder_find(&steps.ladder, by_u)
					 : eb_ladder_next(&steps.ladder, work->used_u);
	draft->tier = k + 1;
	draft->factor_n = steps.step[k]->factor_n;
	return eb_part_price(work, part, steps.step[k]->price, draft->slot, &draft->price_n);
}

EbStatus
eb_zero_tier(const EbWork *work, const EbPart *part, EbDraft *draft)
{
	const EbComponent *component = work->component;
	bool package = component->tier.mode == EB_TIER_PACKAGE;
	bool alone = component->tier.order == EB_ORDER_PER_PERIOD || work->nslots == 1;

	if (!package && (component->tier.mode != EB_TIER_ADDER || component->price == EB_NONE))
		return eb_next_step(work, part, draft);
	if (package)
	{
		draft->slot = alone ? draft->slot : EB_NONE;
		draft->unit = EB_UNIT_PIECE;
	}
	return eb_part_price(work, part, component->price, draft->slot, &draft->price_n);
}
