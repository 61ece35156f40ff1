/*
 * session_lane.c -- which component of each lane prices a piece of a session, and the steps
 * In:  pieces (session_cut.c), conditions (session_when.c), prices (price.c).
 * Out: groups: quantity and cost by component, period and price.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/session.md (what prices a piece; grace, step, cap).
 */
#include "rating/fault.h"
#include "rating/session_state.h"

EbDimension
eb_session_dimension(const EbComponent *component)
{
	switch ((EbComponentKind) component->kind)
	{
		case EB_KIND_ENERGY:
			return EB_DIM_ENERGY;
		case EB_KIND_SESSION_TIME:
			return EB_DIM_TIME;
		case EB_KIND_IDLE:
			return EB_DIM_IDLE;
		case EB_KIND_RESERVE_TIME:
			return EB_DIM_RESERVE;
		case EB_KIND_SESSION_FLAT:
			return EB_DIM_FLAT;
		case EB_KIND_RESERVE_FLAT:
			return EB_DIM_RESERVE_FLAT;
		case EB_KIND_REACTIVE:
		case EB_KIND_CREDIT:
		case EB_KIND_FIXED:
		case EB_KIND_CAPACITY:
		case EB_KIND_CUSTOM:
		case EB_KIND_DEMAND:
		case EB_KIND_PERCENT:
		case EB_KIND_POWER_FACTOR:
		case EB_KIND_MINIMUM:
		case EB_KIND_MAXIMUM:
			break;
	}
	return EB_DIM_NONE;
}

/* ---------------------------------------------------------------- groups */

EbPriceEnv
eb_session_env(const EbSessionWork *work, const EbSessionGroup *group)
{
	EbPriceEnv env = eb_price_env(&work->rating, group->slot, group->season);

	env.day = group->day;
	return env;
}

/* Both go into one line. */
static bool
same_line(const EbSessionWork *work, const EbSessionGroup *a, const EbSessionGroup *b)
{
	bool tiers = eb_session_component(work, a->component)->has_tier != 0;

	return a->component == b->component && a->slot == b->slot && a->tier == b->tier &&
		   a->factor_if == b->factor_if && (!tiers || a->season == b->season) &&
		   ((a->series && b->series) || a->price == b->price);
}

static EbStatus
find_group(EbSessionWork *work, const EbSessionGroup *key, int32_t *index)
{
	for (int32_t i = work->ngroups - 1; i >= 0; i--)
		if (same_line(work, &work->group[i], key))
		{
			*index = i;
			return EB_OK;
		}
	if (work->ngroups == work->capacity)
		return EB_NO_SPACE;
	*index = work->ngroups++;
	work->group[*index] = *key;
	work->group[*index].quantity = 0;
	work->group[*index].cost = 0;
	return EB_OK;
}

EbStatus
eb_session_add(EbSessionWork *work, const EbSessionGroup *key, int64_t quantity, int32_t *index)
{
	EbSessionGroup *group;
	eb_int128 cost;
	EbStatus status = find_group(work, key, index);

	if (status != EB_OK)
		return status;
	group = &work->group[*index];
	group->price = key->price;
	if (key->to_us > group->to_us)
		group->to_us = key->to_us;
	if (!eb_mul128(quantity, key->price, &cost) || !eb_add128(group->cost, cost, &group->cost) ||
		!eb_add64(group->quantity, quantity, &group->quantity))
		return eb_overflow(work->rating.fault, "amount of a line");
	return EB_OK;
}

/*
 * The component's own price, 1e-18: exact when it follows a series, as bills have it, else rounded
 * as the tariff rounds prices.
 */
static EbStatus
piece_price(const EbSessionWork *work, const EbComponent *component, EbSessionGroup *key)
{
	const EbRating *rating = &work->rating;
	EbPriceEnv env = eb_session_env(work, key);
	EbLinear linear;
	EbStatus status = eb_price_linear(&env, component->price, &rating->tariff->round_price, &linear,
									  rating->fault);

	if (status != EB_OK)
		return status;
	key->series = linear.nterms > 0;
	key->price = (eb_int128) linear.constant_n * EB_ONE;
	for (int i = 0; i < linear.nterms; i++)
	{
		int64_t value_n;

		status = eb_series_at(rating->tariff, linear.term[i].series, work->piece.from_us, &value_n,
							  rating->fault);
		if (status != EB_OK)
			return status;
		if (!eb_add128(key->price, (eb_int128) linear.term[i].factor_n * value_n, &key->price))
			return eb_overflow(rating->fault, "price");
	}
	return EB_OK;
}

/* Where in the piece a component has priced that much of it */
static int64_t
instant_in(const EbSessionWork *work, const EbSessionGroup *key, int64_t quantity)
{
	const EbComponent *component = eb_session_component(work, key->component);

	if (eb_session_dimension(component) != EB_DIM_ENERGY)
		return key->from_us + quantity;
	return eb_session_instant(work->piece.segment, work->next_ukwh - work->piece.ukwh + quantity);
}

/*
 * Adds to the step that comes next, and moves key behind what was added. running: the quantity is
 * of the piece; else it is what a begun step adds at the end of it.
 */
static EbStatus
add_to_step(EbSessionWork *work, const EbSessionGroup *key, int64_t done, int64_t quantity,
			bool running, int64_t *taken)
{
	int64_t *counter = &work->counter[key->component];
	EbSessionGroup step = *key;
	int64_t price_n;
	int64_t room;
	int32_t index;
	EbStatus status = eb_session_tier_next(work, key, *counter, &step.tier, &price_n, &room);

	if (status != EB_OK)
		return status;
	*taken = room < quantity ? room : quantity;
	step.series = 0;
	step.price = (eb_int128) price_n * EB_ONE;
	step.from_us = running && done > 0 ? instant_in(work, key, done) : key->from_us;
	if (running && *taken < quantity)
		step.to_us = instant_in(work, key, done + *taken);
	if (!eb_session_by_period(work, eb_session_component(work, key->component)))
		step.slot = EB_NONE;
	if (!eb_add64(*counter, *taken, counter))
		return eb_overflow(work->rating.fault, "quantity of the session");
	return eb_session_add(work, &step, *taken, &index);
}

/* Adds quantity to the groups of a component, step by step where steps fill in order of time. */
static EbStatus
add_quantity(EbSessionWork *work, const EbSessionGroup *key, int64_t quantity, bool running,
			 int32_t *index)
{
	const EbComponent *component = eb_session_component(work, key->component);
	bool by_time = eb_session_by_time(component);
	bool adder = component->tier.mode == EB_TIER_ADDER;
	int64_t done = 0;
	/* what the steps are added to; else nothing, so that a later step_size knows period and day */
	EbStatus status = eb_session_add(work, key, by_time && !adder ? 0 : quantity, index);

	while (by_time && done < quantity && status == EB_OK)
	{
		int64_t taken = 0;

		status = add_to_step(work, key, done, quantity - done, running, &taken);
		done += taken;
	}
	return status;
}

/* ---------------------------------------------------------------- pieces */

static EbSessionGroup
key_of(const EbSessionWork *work, int32_t index)
{
	const EbComponent *component = eb_session_component(work, index);
	const EbSessionPiece *piece = &work->piece;

	return (EbSessionGroup){
		.component = index,
		.slot = component->schedule == EB_NONE ? EB_NONE : piece->time.slot[component->schedule],
		.season = piece->season,
		.day = piece->day,
		.factor_if = EB_NONE,
		.from_us = piece->from_us,
		.to_us = piece->to_us,
	};
}

/* How much of its dimension the piece has; 0: the component does not price it */
static int64_t
piece_quantity(const EbSessionPiece *piece, const EbComponent *component, EbDimension dimension)
{
	static const int32_t state[] = {
		[EB_DIM_TIME] = EB_SESSION_CHARGE,
		[EB_DIM_IDLE] = EB_SESSION_IDLE,
		[EB_DIM_RESERVE] = EB_SESSION_RESERVE,
	};

	if (component->schedule != EB_NONE &&
		(component->slots >> piece->time.slot[component->schedule] & 1) == 0)
		return 0;
	if (dimension == EB_DIM_ENERGY)
		return piece->ukwh;
	return piece->segment->state == state[dimension] ? piece->to_us - piece->from_us : 0;
}

/* What is left of the piece after the grace time of the component */
static int64_t
take_grace(EbSessionWork *work, EbSessionGroup *key, EbDimension dimension, int64_t quantity)
{
	int64_t *grace_us = &work->grace_us[key->component];
	int64_t free_us = *grace_us < quantity ? *grace_us : quantity;

	if (dimension == EB_DIM_ENERGY)
		return quantity;
	*grace_us -= free_us;
	key->from_us += free_us;
	return quantity - free_us;
}

static EbStatus
add_measured(EbSessionWork *work, int32_t index, EbDimension dimension, int64_t quantity)
{
	const EbComponent *component = eb_session_component(work, index);
	EbSessionLane *lane = &work->total[dimension][work->lane[index]];
	EbSessionGroup key = key_of(work, index);
	EbStatus status;

	if (component->quantity.kind != EB_QTY_IMPORT_KWH && dimension == EB_DIM_ENERGY)
		return eb_fault_set(work->rating.fault, EB_UNKNOWN,
							"a session has no energy but what the car takes",
							"Energy components of sessions count import_kwh.");
	quantity = take_grace(work, &key, dimension, quantity);
	if (quantity == 0)
		return EB_OK;
	status = eb_session_factor(work, component, &key.factor_if);
	if (status == EB_OK)
		status = piece_price(work, component, &key);
	if (status == EB_OK)
		status = add_quantity(work, &key, quantity, true, &lane->last_group);
	if (status == EB_OK && !eb_add64(lane->total, quantity, &lane->total))
		status = eb_overflow(work->rating.fault, "quantity of the session");
	work->last_piece[dimension] = work->piece.number;
	return status;
}

static EbStatus
add_flat(EbSessionWork *work, int32_t index)
{
	const EbComponent *component = eb_session_component(work, index);
	EbSessionGroup key = key_of(work, index);
	int32_t group;
	EbStatus status = eb_session_factor(work, component, &key.factor_if);

	/* it covers the whole session, wherever in it the condition came to hold */
	key.from_us = work->rating.from_us;
	key.to_us = work->rating.to_us;
	if (status == EB_OK)
		status = piece_price(work, component, &key);
	return status == EB_OK ? eb_session_add(work, &key, 1, &group) : status;
}

static bool
bit_is_set(const uint64_t *set, int32_t bit)
{
	return (set[bit / 64] >> (bit % 64) & 1) != 0;
}

static void
set_bit(uint64_t *set, int32_t bit)
{
	set[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* A flat takes no time or energy from the others of its lane. */
static EbStatus
try_flat(EbSessionWork *work, int32_t index, bool reservation)
{
	const EbComponent *component = eb_session_component(work, index);
	uint64_t *done = work->flat_done[reservation ? 1 : 0];
	bool reserved = work->piece.segment->state == EB_SESSION_RESERVE;
	bool holds;
	EbStatus status;

	if (reserved != reservation || bit_is_set(done, work->lane[index]))
		return EB_OK;
	status = eb_session_when(work, component, &holds);
	if (status != EB_OK || !holds)
		return status;
	set_bit(done, work->lane[index]);
	return add_flat(work, index);
}

static EbStatus
try_measured(EbSessionWork *work, int32_t index, EbDimension dimension, uint64_t *taken)
{
	const EbComponent *component = eb_session_component(work, index);
	int64_t quantity = piece_quantity(&work->piece, component, dimension);
	bool holds;
	EbStatus status;

	if (quantity == 0 || bit_is_set(taken, work->lane[index]))
		return EB_OK;
	status = eb_session_when(work, component, &holds);
	if (status != EB_OK || !holds)
		return status;
	set_bit(taken, work->lane[index]);
	return add_measured(work, index, dimension, quantity);
}

EbStatus
eb_session_add_piece(EbSessionWork *work)
{
	uint64_t taken[EB_MAX_COMPONENTS / 64] = {0};
	bool valid = false;
	EbStatus status = EB_OK;

	for (int32_t i = 0; i < work->rating.tariff->component.n && status == EB_OK; i++)
	{
		const EbComponent *component = eb_session_component(work, i);
		EbDimension dimension = eb_session_dimension(component);

		if (dimension == EB_DIM_NONE || work->piece.day < component->valid_from ||
			work->piece.day >= component->valid_to)
			continue;
		valid = true;
		if (dimension < EB_NDIMENSIONS)
			status = try_measured(work, i, dimension, taken);
		else
			status = try_flat(work, i, dimension == EB_DIM_RESERVE_FLAT);
	}
	if (status == EB_OK && !valid)
		return eb_fault_set(work->rating.fault, EB_UNKNOWN,
							"the tariff is not valid at the time of the session", NULL);
	return status;
}

/* ---------------------------------------------------------------- steps */

/*
 * Charging and idle time share one step, that of whichever is paid last: the driver who pays for
 * idle time after the charge is not charged a begun step of the charge.
 */
static bool
is_stepped(const EbSessionWork *work, EbDimension dimension)
{
	if (dimension == EB_DIM_TIME)
		return work->last_piece[EB_DIM_TIME] > work->last_piece[EB_DIM_IDLE];
	if (dimension == EB_DIM_IDLE)
		return work->last_piece[EB_DIM_IDLE] > work->last_piece[EB_DIM_TIME];
	return true;
}

static EbStatus
add_step(EbSessionWork *work, EbDimension dimension, EbSessionLane *lane)
{
	EbSessionGroup key = work->group[lane->last_group];
	const EbComponent *component = eb_session_component(work, key.component);
	int64_t step = dimension == EB_DIM_ENERGY ? component->step_mwh : component->step_ms * 1000;
	int64_t over = step > 0 ? lane->total % step : 0;

	if (over == 0)
		return EB_OK;
	key.from_us = key.to_us;
	return add_quantity(work, &key, step - over, false, &lane->last_group);
}

/* Rounds what a line of energy counts, as the tariff says; a price that follows a series has none. */
static EbStatus
round_quantity(const EbSessionWork *work, EbSessionGroup *group)
{
	const EbRounding *round = &work->rating.tariff->round_quantity;
	EbDimension dimension = eb_session_dimension(eb_session_component(work, group->component));

	if (dimension != EB_DIM_ENERGY || round->step_n == 0 || group->series)
		return EB_OK;
	if (!eb_round_micro(round, &group->quantity))
		return eb_overflow(work->rating.fault, "quantity of a line");
	if (!eb_mul128(group->quantity, group->price, &group->cost))
		return eb_overflow(work->rating.fault, "amount of a line");
	return EB_OK;
}

EbStatus
eb_session_add_steps(EbSessionWork *work)
{
	EbStatus status = EB_OK;

	for (int dimension = 0; dimension < EB_NDIMENSIONS; dimension++)
		for (int i = 0; i < work->rating.tariff->component.n && status == EB_OK; i++)
		{
			EbSessionLane *lane = &work->total[dimension][i];

			if (lane->last_group != EB_NONE && is_stepped(work, (EbDimension) dimension))
				status = add_step(work, (EbDimension) dimension, lane);
		}
	for (int i = 0; i < work->ngroups && status == EB_OK; i++)
		status = round_quantity(work, &work->group[i]);
	return status;
}
