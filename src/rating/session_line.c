/*
 * session_line.c -- lines of a session
 * In:  groups (session_lane.c) and steps (session_tier.c).
 * Out: EbLine with the exact amount and the rounded one; a line of the difference where a
 *      component has a cap.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/session.md, doc/architecture.md.
 */
#include "rating/fault.h"
#include "rating/session_state.h"

static EbLine
line_of(const EbSessionWork *work, const EbSessionGroup *group)
{
	return (EbLine){
		.component = group->component,
		.role = EB_LINE_COMPONENT,
		.version = EB_NONE,
		.slot = group->slot,
		.factor_n = EB_ONE,
		.from_us = group->from_us,
		.to_us = group->to_us,
		.quality = work->rating.quality,
	};
}

static int32_t
unit_of(const EbComponent *component)
{
	if (eb_session_dimension(component) == EB_DIM_ENERGY)
		return EB_UNIT_KWH;
	return component->per == EB_PER_MINUTE ? EB_UNIT_MINUTE : EB_UNIT_HOUR;
}

/* amount_raw times share, factor and the factor_if of the group; rounds, appends. */
static EbStatus
finish_line(EbSessionWork *work, const EbSessionGroup *group, EbRatio share, int64_t factor_n,
			EbLine *line)
{
	const EbComponent *component = eb_session_component(work, group->component);
	EbStatus status;

	line->factor_n = eb_shown_factor(&work->rating, component, group->factor_if, factor_n);
	status = eb_apply_factors(&work->rating, component, group->factor_if, share,
							  (EbRatio){factor_n, EB_ONE}, &line->amount_raw);
	return status == EB_OK ? eb_push_amount(&work->rating, line, &component->round) : status;
}

static bool
fits64(eb_int128 value)
{
	return value >= INT64_MIN && value <= INT64_MAX;
}

EbStatus
eb_session_push_part(EbSessionWork *work, const EbSessionGroup *group, int32_t tier,
					 int64_t quantity, eb_int128 cost, int64_t factor_n)
{
	const EbComponent *component = eb_session_component(work, group->component);
	int64_t unit = eb_session_unit(component);
	EbLine line = line_of(work, group);
	eb_int128 shown_u = eb_div_round((eb_int128) quantity * EB_MICRO, unit, EB_HALF_UP);
	eb_int128 price_n = 0;

	/* 1e-18 per unit to 1e-9; a price that changed is shown as its average */
	if (quantity != 0)
		price_n = eb_div_round(eb_div_round(cost, quantity, EB_HALF_UP), EB_ONE, EB_HALF_UP);
	if (!fits64(shown_u) || !fits64(price_n))
		return eb_overflow(work->rating.fault, "quantity or price of a line");
	line.tier = tier;
	line.unit = unit_of(component);
	line.quantity_u = (int64_t) shown_u;
	line.price_n = (int64_t) price_n;
	/* 1e-18 of quantity x price per unit to 1e-15 */
	line.amount_raw = cost;
	return finish_line(work, group, (EbRatio){1, unit * 1000}, factor_n, &line);
}

EbStatus
eb_session_push_count(EbSessionWork *work, const EbSessionGroup *group, int32_t tier, int32_t unit,
					  int64_t n_u, int64_t price_n)
{
	EbLine line = line_of(work, group);

	line.tier = tier;
	line.unit = unit;
	line.quantity_u = n_u;
	line.price_n = price_n;
	line.amount_raw = (eb_int128) n_u * price_n;
	return finish_line(work, group, (EbRatio){1, 1}, EB_ONE, &line);
}

/* What the lines [first, ...) of a component sum to beyond its cap is a line of its own. */
static EbStatus
push_cap(EbSessionWork *work, int32_t index, int first)
{
	EbRating *rating = &work->rating;
	const EbComponent *component = eb_session_component(work, index);
	const EbRounding none = {0};
	eb_int128 sum = 0;
	eb_int128 price_n;
	EbLine line;

	for (int i = first; i < rating->nlines; i++)
		if (!eb_add128(sum, rating->line[i].amount, &sum))
			return eb_overflow(rating->fault, "amount of a component");
	if (component->cap_n == EB_NO_CAP || sum <= (eb_int128) component->cap_n * EB_NANO_MONEY)
		return EB_OK;
	line = rating->line[rating->nlines - 1];
	line.slot = EB_NONE;
	line.tier = 0;
	line.unit = EB_UNIT_SESSION;
	line.quantity_u = EB_MICRO;
	line.factor_n = EB_ONE;
	line.from_us = rating->line[first].from_us;
	line.amount_raw = (eb_int128) component->cap_n * EB_NANO_MONEY - sum;
	price_n = eb_div_round(line.amount_raw, EB_NANO_MONEY, EB_HALF_UP);
	if (!fits64(price_n))
		return eb_overflow(rating->fault, "amount of a component");
	line.price_n = (int64_t) price_n;
	return eb_push_amount(rating, &line, &none);
}

static EbStatus
push_groups(EbSessionWork *work, int32_t index)
{
	const EbComponent *component = eb_session_component(work, index);
	bool flat = eb_session_dimension(component) > EB_NDIMENSIONS;
	EbStatus status = EB_OK;

	for (int i = 0; i < work->ngroups && status == EB_OK; i++)
	{
		const EbSessionGroup *group = &work->group[i];

		if (group->component != index)
			continue;
		if (!flat)
			status = eb_session_push_part(work, group, 0, group->quantity, group->cost, EB_ONE);
		else if (!fits64(group->price / EB_ONE))
			status = eb_overflow(work->rating.fault, "price");
		else
			status =
				eb_session_push_count(work, group, 0, EB_UNIT_SESSION, EB_MICRO,
									  (int64_t) eb_div_round(group->price, EB_ONE, EB_HALF_UP));
	}
	return status;
}

EbStatus
eb_session_push(EbSessionWork *work, int32_t index)
{
	const EbComponent *component = eb_session_component(work, index);
	int first = work->rating.nlines;
	EbStatus status =
		component->has_tier ? eb_session_push_tiers(work, index) : push_groups(work, index);

	return status == EB_OK ? push_cap(work, index, first) : status;
}
