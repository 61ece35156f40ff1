/*
 * rate_fill.c -- units by step and period of the quantities that share one counter
 * In:  the steps of a part (rate_ladder.c), its quantities by period, day or piece.
 * Out: cells that rate_tier.c makes lines of. Where a scope begins anew each day or interval, the
 *      cells of all of them are added up: the price of a cell is the same in all.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (modes, order, scope day and interval).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* One beginning of the counter while pieces are walked */
typedef struct Instance
{
	bool open;
	int64_t key; /* the day or interval it belongs to */
	int64_t used_u;
	int64_t counter_u;
	int64_t quantity_u[EB_MAX_SLOTS];
} Instance;

static EbStatus
overflow(const EbGroup *group)
{
	return eb_overflow(group->work->rating->fault, "energy of a tier scope");
}

/* The flat of the first step is due with the first units, and at zero unless named. */
static void
count_flats(EbGroup *group, int64_t used_u, int64_t after_u)
{
	const EbTier *tier = &group->work->component->tier;

	if (used_u == 0 && (after_u != used_u || tier->flat_at_zero))
		group->flats[0]++;
	for (int k = 1; k < group->steps.ladder.nsteps; k++)
		if ((group->steps.empty >> k & 1) == 0)
			group->flats[k] += eb_ladder_entered(&group->steps.ladder, k, used_u, after_u);
}

/* Units in order of time: those of one period, at the counter */
static bool
add_in_time(EbGroup *group, int i, int64_t counter_u, int64_t quantity_u)
{
	int64_t step_u[EB_MAX_STEPS];

	if (!eb_ladder_fill(&group->steps.ladder, counter_u, quantity_u, step_u))
		return false;
	for (int k = 0; k < group->steps.ladder.nsteps; k++)
		if (!eb_add64(group->step_u[k], step_u[k], &group->step_u[k]) ||
			!eb_add64(group->cell_u[k * group->n + i], step_u[k], &group->cell_u[k * group->n + i]))
			return false;
	return true;
}

/* Each step is split over the periods by their share. */
static bool
add_by_share(EbGroup *group, const int64_t *quantity_u, int64_t used_u, int64_t total_u)
{
	const EbLadder *ladder = &group->steps.ladder;
	int64_t step_u[EB_MAX_STEPS];
	int64_t cell_u[EB_MAX_STEPS * EB_MAX_SLOTS];

	if (!eb_ladder_fill(ladder, used_u, total_u, step_u))
		return false;
	for (int k = 0; k < ladder->nsteps; k++)
		if (!eb_add64(group->step_u[k], step_u[k], &group->step_u[k]))
			return false;
	if (group->undivided)
		return true;
	eb_tier_spread(step_u, ladder->nsteps, quantity_u, group->n, eb_ladder_next(ladder, used_u),
				   cell_u);
	for (int i = 0; i < ladder->nsteps * group->n; i++)
		if (!eb_add64(group->cell_u[i], cell_u[i], &group->cell_u[i]))
			return false;
	return true;
}

/*
 * All units since the scope began at the step where they end, less what was charged before at the
 * step where those ended: F(before + q) - F(before).
 */
static EbStatus
add_volume(EbGroup *group, const int64_t *quantity_u, int64_t used_u, int64_t total_u)
{
	const EbTier *tier = &group->work->component->tier;
	const EbLadder *ladder = &group->steps.ladder;
	int64_t chooser_u = used_u + total_u;
	EbStatus status = EB_OK;
	int before;
	int after;

	if (tier->has_by)
		status = eb_quantity_value(group->work->rating, &tier->by, &chooser_u);
	if (status != EB_OK)
		return status;
	after = eb_ladder_find(ladder, chooser_u);
	before = tier->has_by ? after : eb_ladder_find(ladder, used_u);
	for (int i = 0; i < group->n; i++)
		if (!eb_add64(group->cell_u[after * group->n + i], quantity_u[i],
					  &group->cell_u[after * group->n + i]))
			return overflow(group);
	if (used_u != 0 && before != after)
	{
		group->again_u = used_u;
		group->again_from = before;
		group->again_to = after;
	}
	else if (used_u == 0 && (total_u != 0 || tier->flat_at_zero))
		group->flats[after]++;
	return EB_OK;
}

/* The quantities of one beginning of the counter */
static EbStatus
add_instance(EbGroup *group, const int64_t *quantity_u, int64_t used_u)
{
	const EbTier *tier = &group->work->component->tier;
	int64_t total_u = 0;
	int64_t after_u;

	for (int i = 0; i < group->n; i++)
		if (!eb_add64(total_u, quantity_u[i], &total_u))
			return overflow(group);
	if (!eb_add64(used_u, total_u, &after_u))
		return overflow(group);
	if (tier->mode == EB_TIER_PACKAGE)
	{
		group->packages += eb_package_count(after_u, group->free_u, tier->size_u) -
						   eb_package_count(used_u, group->free_u, tier->size_u);
		return EB_OK;
	}
	if (tier->mode == EB_TIER_VOLUME)
		return add_volume(group, quantity_u, used_u, total_u);
	if (!add_by_share(group, quantity_u, used_u, total_u))
		return overflow(group);
	count_flats(group, used_u, after_u);
	return EB_OK;
}

static EbStatus
close_instance(EbGroup *group, Instance *instance)
{
	if (!instance->open)
		return EB_OK;
	instance->open = false;
	if (!group->in_time)
		return add_instance(group, instance->quantity_u, instance->used_u);
	count_flats(group, instance->used_u, instance->counter_u);
	return EB_OK;
}

/* What is used before a day belongs to the first one of the service range. */
static int64_t
used_before(const EbGroup *group, int run)
{
	return run == 0 ? group->used_u : 0;
}

static int64_t
instance_key(const EbGroup *group, const EbPieceWalk *walk, const EbPiece *piece)
{
	EbTierScope scope = eb_tier_scope(group->work->component);

	if (scope == EB_SCOPE_INTERVAL)
		return piece->interval_us;
	return scope == EB_SCOPE_DAY ? walk->run : 0;
}

static EbStatus
add_piece(EbGroup *group, Instance *instance, const EbPieceWalk *walk, const EbPiece *piece)
{
	EbTierScope scope = eb_tier_scope(group->work->component);
	int64_t key = instance_key(group, walk, piece);
	int i = walk->which - group->first;
	EbStatus status = EB_OK;

	if (instance->open && key != instance->key)
		status = close_instance(group, instance);
	if (status != EB_OK)
		return status;
	if (!instance->open)
	{
		instance->open = true;
		instance->key = key;
		instance->used_u = scope == EB_SCOPE_INTERVAL ? 0
						   : scope == EB_SCOPE_DAY	  ? used_before(group, walk->run)
													  : group->used_u;
		instance->counter_u = instance->used_u;
		memset(instance->quantity_u, 0, (size_t) group->n * sizeof(instance->quantity_u[0]));
	}
	if (group->in_time && !add_in_time(group, i, instance->counter_u, piece->energy_ukwh))
		return overflow(group);
	if (!eb_add64(instance->counter_u, piece->energy_ukwh, &instance->counter_u) ||
		!eb_add64(instance->quantity_u[i], piece->energy_ukwh, &instance->quantity_u[i]))
		return overflow(group);
	return EB_OK;
}

/* Days on which there is no piece still owe the flat of the first step. */
static EbStatus
add_empty_days(EbGroup *group, const uint64_t *seen)
{
	static const int64_t nothing[EB_MAX_SLOTS] = {0};
	const EbPart *part = group->part;
	EbStatus status = EB_OK;

	for (int run = part->first; run <= part->last && status == EB_OK; run++)
		if (eb_part_has(part, run) && (seen[run / 64] >> (run % 64) & 1) == 0)
			status = add_instance(group, nothing, used_before(group, run));
	return status;
}

static EbStatus
fill_by_pieces(EbGroup *group)
{
	uint64_t seen[EB_MAX_RUNS / 64] = {0};
	Instance instance = {.open = false};
	EbPieceWalk walk;
	const EbPiece *piece;
	EbStatus status;

	eb_piece_open(&walk, group->work, group->part);
	while ((status = eb_piece_next(&walk, &piece)) == EB_OK && piece != NULL)
	{
		if (walk.which < group->first || walk.which >= group->first + group->n)
			continue;
		seen[walk.run / 64] |= UINT64_C(1) << (walk.run % 64);
		status = add_piece(group, &instance, &walk, piece);
		if (status != EB_OK)
			return status;
	}
	if (status == EB_OK)
		status = close_instance(group, &instance);
	if (status == EB_OK && eb_tier_scope(group->work->component) == EB_SCOPE_DAY)
		status = add_empty_days(group, seen);
	return status;
}

static EbStatus
fill_by_days(EbGroup *group)
{
	const EbPart *part = group->part;
	EbStatus status = EB_OK;

	for (int run = part->first; run <= part->last && status == EB_OK; run++)
	{
		int64_t quantity_u[EB_MAX_SLOTS] = {0};

		if (!eb_part_has(part, run))
			continue;
		for (int i = 0; i < group->n; i++)
			if (!eb_run_energy(group->work, &group->work->rating->run[run], group->first + i,
							   &quantity_u[i]))
				return overflow(group);
		status = add_instance(group, quantity_u, used_before(group, run));
	}
	return status;
}

EbStatus
eb_group_fill(EbGroup *group)
{
	EbTierScope scope = eb_tier_scope(group->work->component);
	size_t nsteps = (size_t) group->steps.ladder.nsteps;

	memset(group->step_u, 0, nsteps * sizeof(group->step_u[0]));
	memset(group->cell_u, 0, nsteps * (size_t) group->n * sizeof(group->cell_u[0]));
	memset(group->flats, 0, nsteps * sizeof(group->flats[0]));
	group->packages = 0;
	group->again_u = 0;
	if (group->in_time || (scope == EB_SCOPE_INTERVAL && group->work->piecewise))
		return fill_by_pieces(group);
	if (scope == EB_SCOPE_DAY && group->work->piecewise)
		return fill_by_days(group);
	return add_instance(group, group->part->quantity_u + group->first, group->used_u);
}
