/*
 * session.c -- a charging session under a tariff gives lines
 * In:  a compiled tariff, a session.
 * Out: EbLine in the order of the components, tax, rounding of the total; src/pg/session.c makes
 *      rows of them.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/session.md.
 */
#include "rating/fault.h"
#include "rating/rate_vat.h"
#include "rating/session_state.h"

EbStatus
eb_session_version(const EbTariff *tariff, const EbZone *zone, int64_t start_us,
				   const EbTariff **version, int32_t *index, EbFault *fault)
{
	const EbVersion *list = EB_ARRAY(tariff, EbVersion, tariff->version);
	int32_t day = eb_local_day(zone, start_us, NULL);

	*version = tariff;
	*index = EB_NONE;
	if (tariff->version.n == 0)
		return EB_OK;
	for (int32_t i = 0; i < tariff->version.n; i++)
		if (day >= list[i].valid_from && day < list[i].valid_to)
		{
			*version = eb_version_tariff(tariff, &list[i]);
			*index = i;
			return EB_OK;
		}
	return eb_fault_set(fault, EB_UNKNOWN, "no version of the tariff holds when the session starts",
						NULL);
}

/* ---------------------------------------------------------------- open */

static bool
same_lane(const EbTariff *tariff, const EbComponent *a, const EbComponent *b)
{
	return a->lane.n == b->lane.n &&
		   memcmp(EB_ARRAY(tariff, char, a->lane), EB_ARRAY(tariff, char, b->lane),
				  (size_t) a->lane.n) == 0;
}

/* Lanes, grace times; is there anything that prices sessions? */
static EbStatus
open_components(EbSessionWork *work)
{
	const EbTariff *tariff = work->rating.tariff;
	bool any = false;

	for (int32_t i = 0; i < tariff->component.n; i++)
	{
		const EbComponent *component = eb_session_component(work, i);
		EbStatus status = EB_OK;

		work->lane[i] = i;
		for (int32_t j = i - 1; j >= 0; j--)
			if (same_lane(tariff, component, eb_session_component(work, j)))
				work->lane[i] = j;
		work->grace_us[i] = component->grace_ms * 1000;
		work->counter[i] = 0;
		for (int dimension = 0; dimension < EB_NDIMENSIONS; dimension++)
			work->total[dimension][i] = (EbSessionLane){0, EB_NONE, 0};
		if (eb_session_dimension(component) == EB_DIM_NONE)
			continue;
		any = true;
		status = eb_session_tier_check(work, component);
		if (status != EB_OK)
			return status;
	}
	if (!any)
		return eb_fault_set(work->rating.fault, EB_BAD_ARGUMENT,
							"no component of the tariff prices sessions", NULL);
	return EB_OK;
}

/* The session as the files of bills see a service range: one run of its last day */
static void
open_rating(EbSessionWork *work)
{
	/* conditions may ask for the energy of the session, and for nothing else that a bill has */
	static const EbUsage nothing = {
		.from_us = INT64_MIN,
		.to_us = INT64_MIN,
		.channels = 1u << EB_IMPORT_KWH,
		.pf_u = EB_NO_PF,
	};
	EbRating *rating = &work->rating;
	const EbSession *session = work->session;
	EbRun *run = &rating->run[0];

	work->qty = (EbNamedQuantity){{"sessions", 8}, EB_MICRO};
	work->ctx = (EbRateContext){
		.attr = session->attr,
		.nattrs = session->nattrs,
		.qty = &work->qty,
		.nqty = 1,
		.final = true,
		.stop = session->stop,
	};
	rating->ctx = &work->ctx;
	rating->from_us = work->ctx.from_us = session->start_us;
	rating->to_us = work->ctx.to_us = session->segment[session->nsegments - 1].to_us;
	rating->first_day = eb_local_day(rating->zone, rating->from_us, NULL);
	rating->end_day = eb_local_day(rating->zone, rating->to_us - 1, NULL) + 1;
	if (rating->end_day <= rating->first_day) /* a session of no time, at midnight */
		rating->end_day = rating->first_day + 1;
	rating->bill_day = rating->first_day;
	rating->days_u = 0;
	rating->months_u = 0;
	rating->months = 0;
	rating->dated = true;
	rating->energy_dated = true;
	rating->usage = &nothing;
	memset(rating->total_u, 0, sizeof(rating->total_u));
	memset(&rating->net, 0, sizeof(rating->net));
	rating->quality = EB_ACTUAL;
	for (int i = 0; i < session->nsegments; i++)
	{
		rating->total_u[EB_IMPORT_KWH] += session->segment[i].ukwh;
		if (i > 0 && session->segment[i].from_us > session->segment[i - 1].to_us)
			rating->quality = EB_MISSING;
	}
	rating->version = NULL;
	rating->nlines = 0;
	rating->nruns = 1;
	memset(run, 0, sizeof(*run));
	run->day = rating->end_day - 1;
	run->end = rating->end_day;
	run->season = eb_season_of(rating->tariff, run->day);
	run->month = eb_date_from_day(run->day).month;
}

static void
open_walk(EbSessionWork *work)
{
	const EbSession *session = work->session;
	const EbSessionSegment *segment = session->segment;

	work->ngroups = 0;
	work->next = 0;
	memset(&work->piece, 0, sizeof(work->piece));
	work->piece.number = -1;
	memset(work->flat_done, 0, sizeof(work->flat_done));
	for (int i = 0; i < EB_NDIMENSIONS; i++)
		work->last_piece[i] = -1;
	work->charge_us = session->start_us;
	for (int i = 0; i < session->nsegments && segment[i].state == EB_SESSION_RESERVE; i++)
		work->charge_us = i + 1 < session->nsegments ? segment[i + 1].from_us : segment[i].to_us;
}

/* ---------------------------------------------------------------- close */

static EbStatus
limit_amount(const EbSessionWork *work, const EbComponent *component, eb_int128 *amount)
{
	EbPriceEnv env = eb_price_env(&work->rating, EB_NONE, work->piece.season);
	int64_t amount_n;
	int32_t factor_if;
	EbStatus status;

	env.day = work->piece.day;
	status =
		eb_price_value(&env, component->amount, &eb_price_exact, &amount_n, work->rating.fault);
	if (status != EB_OK)
		return status;
	*amount = (eb_int128) amount_n * EB_NANO_MONEY;
	status = eb_session_factor(work, component, &factor_if);
	return status == EB_OK ? eb_apply_factor_if(&work->rating, component, factor_if, amount)
						   : status;
}

/* Minimum and maximum of the session: a line of the difference */
static EbStatus
push_limit(EbSessionWork *work, int32_t index)
{
	EbRating *rating = &work->rating;
	const EbComponent *component = eb_session_component(work, index);
	const int32_t *member = EB_ARRAY(rating->tariff, int32_t, component->base);
	bool base[EB_MAX_COMPONENTS] = {false};
	EbLine line = {.component = index, .version = EB_NONE, .slot = EB_NONE};
	eb_int128 limit;
	eb_int128 sum = 0;
	eb_int128 price_n;
	EbStatus status;

	if (component->amount == EB_NONE)
		return EB_OK;
	status = limit_amount(work, component, &limit);
	if (status != EB_OK)
		return status;
	for (int i = 0; i < component->base.n; i++)
		base[member[i]] = true;
	for (int i = 0; i < rating->nlines; i++)
		if (base[rating->line[i].component] && !eb_add128(sum, rating->line[i].amount, &sum))
			return eb_overflow(rating->fault, "base of a minimum or maximum");
	if (component->kind == EB_KIND_MINIMUM ? sum >= limit : sum <= limit)
		return EB_OK;
	line.unit = EB_UNIT_SESSION;
	line.quantity_u = EB_MICRO;
	line.factor_n = EB_ONE;
	line.amount_raw = limit - sum;
	line.from_us = rating->from_us;
	line.to_us = rating->to_us;
	line.quality = rating->quality;
	price_n = eb_div_round(line.amount_raw, EB_NANO_MONEY, EB_HALF_UP);
	if (price_n < INT64_MIN || price_n > INT64_MAX)
		return eb_overflow(rating->fault, "amount of a minimum or maximum");
	line.price_n = (int64_t) price_n;
	return eb_push_amount(rating, &line, &component->round);
}

/* Components on other lines go by the rules of the last piece. */
static EbStatus
push_component(EbSessionWork *work, int32_t index, bool *due)
{
	const EbComponent *component = eb_session_component(work, index);
	bool limit = component->kind == EB_KIND_MINIMUM || component->kind == EB_KIND_MAXIMUM;
	EbStatus status;

	if (eb_session_dimension(component) != EB_DIM_NONE)
		return eb_session_push(work, index);
	if (component->kind == EB_KIND_PERCENT)
		return eb_rate_percent(&work->rating, index);
	if (!limit || component->min_scope != EB_MIN_SESSION ||
		work->piece.day < component->valid_from || work->piece.day >= component->valid_to)
		return EB_OK;
	status = eb_session_when(work, component, due);
	return status == EB_OK && *due ? push_limit(work, index) : status;
}

static EbStatus
rate_pieces(EbSessionWork *work)
{
	bool due[EB_MAX_COMPONENTS] = {false};
	bool found = true;
	EbStatus status = eb_session_next(work, &found);

	while (status == EB_OK && found)
	{
		status = eb_session_add_piece(work);
		if (status == EB_OK)
			status = eb_session_next(work, &found);
	}
	if (status == EB_OK)
		status = eb_session_add_steps(work);
	for (int32_t i = 0; i < work->rating.tariff->component.n && status == EB_OK; i++)
		status = push_component(work, i, &due[i]);
	if (status == EB_OK)
		status = eb_vat_lines(&work->rating, due);
	if (status == EB_OK)
		status = eb_rate_total_rounding(&work->rating);
	return status;
}

EbStatus
eb_session_rate(const EbTariff *tariff, const EbZone *zone, const EbSession *session,
				const EbSessionSpace *space, int *nlines, EbFault *fault)
{
	EbSessionWork work;
	EbStatus status = eb_session_check(session, fault);

	*nlines = 0;
	if (status != EB_OK)
		return status;
	work.session = session;
	work.group = space->group;
	work.capacity = space->groups;
	work.rating.tariff = tariff;
	work.rating.zone = zone;
	work.rating.fault = fault;
	work.rating.line = space->line;
	work.rating.capacity = space->lines;
	open_rating(&work);
	open_walk(&work);
	status = open_components(&work);
	if (status == EB_OK)
		status = rate_pieces(&work);
	*nlines = work.rating.nlines;
	return status;
}

EbStatus
eb_session_total(const EbTariff *tariff, const EbLine *line, int nlines, EbSessionTotal *total,
				 EbFault *fault)
{
	const EbRounding *round = &tariff->round_total;

	*total = (EbSessionTotal){0, 0};
	for (int i = 0; i < nlines; i++)
	{
		bool excl = line[i].role == EB_LINE_COMPONENT;

		if (!eb_add128(total->incl, line[i].amount, &total->incl) ||
			!eb_add128(total->excl, excl ? line[i].amount : 0, &total->excl))
			return eb_overflow(fault, "total");
	}
	if (round->step_n != 0 && !eb_round_step(total->excl, (eb_int128) round->step_n * EB_NANO_MONEY,
											 (EbRoundMode) round->mode, &total->excl))
		return eb_overflow(fault, "total");
	return EB_OK;
}
