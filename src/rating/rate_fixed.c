/*
 * rate_fixed.c -- components by any quantity but energy: fixed charges, custom quantities
 * In:  the quantity of a component, the days and months of the bill (rate_service.c).
 * Out: lines, one per part of the bill where the price or the days of the month differ.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md (per, prorate). What is charged once per bill is charged by the
 *      rules of its last day; what is charged by days or months follows them.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* How often the price is due in the service range */
typedef enum Times
{
	TIMES_ONCE,
	TIMES_DAYS,
	TIMES_MONTHS,
	TIMES_MONTH_DAYS, /* days as parts of their months */
} Times;

static Times
times_of(const EbComponent *component)
{
	if (component->quantity.kind == EB_QTY_DAYS)
		return TIMES_DAYS;
	if (component->quantity.kind == EB_QTY_MONTHS)
		return TIMES_MONTHS;
	if (component->per == EB_PER_DAY)
		return TIMES_DAYS;
	if (component->prorate == EB_PRORATE_DAYS)
		return TIMES_MONTH_DAYS;
	if (component->prorate == EB_PRORATE_MONTHS || component->per == EB_PER_MONTH)
		return TIMES_MONTHS;
	return TIMES_ONCE;
}

/* The quantity that is charged each time: days and months count the times, not the quantity */
static EbStatus
quantity_of(const EbWork *work, int64_t *quantity_u)
{
	int kind = work->component->quantity.kind;

	*quantity_u = EB_MICRO;
	if (kind == EB_QTY_DAYS || kind == EB_QTY_MONTHS)
		return EB_OK;
	return eb_quantity_value(work->rating, &work->component->quantity, quantity_u);
}

static EbStatus
share_of(const EbWork *work, Times times, const EbPart *part, EbRatio *share)
{
	const EbRating *rating = work->rating;
	int32_t from = rating->run[part->first].day;
	int32_t to = rating->run[part->last].end;

	*share = (EbRatio){1, 1};
	switch (times)
	{
		case TIMES_ONCE:
			return EB_OK;
		case TIMES_DAYS:
			*share = (EbRatio){rating->days_u, EB_MICRO};
			if (rating->dated)
				*share = (EbRatio){rating->days_u * (to - from),
								   EB_MICRO * (rating->end_day - rating->first_day)};
			return eb_need_days(rating);
		case TIMES_MONTHS:
			if (eb_need_months(rating) != EB_OK)
				return EB_UNKNOWN;
			*share = eb_service_months(rating, from, to);
			return EB_OK;
		case TIMES_MONTH_DAYS:
			break;
	}
	*share = eb_month_shares(rating, from, to);
	return eb_need_dates(rating, "days as a part of their month");
}

static EbStatus
push_part(EbWork *work, Times times, const EbPart *part, int64_t quantity_u)
{
	EbDraft draft = EB_DRAFT_INIT;
	EbStatus status = share_of(work, times, part, &draft.share);

	if (status != EB_OK)
		return status;
	draft.unit = work->unit;
	if (work->component->quantity.kind == EB_QTY_DAYS)
		draft.unit = EB_UNIT_DAY;
	if (work->component->quantity.kind == EB_QTY_MONTHS)
		draft.unit = EB_UNIT_MONTH;
	draft.quantity_u = quantity_u;
	status =
		eb_unit_price(work->rating, work->component->price, EB_NONE, part->season, &draft.price_n);
	return status == EB_OK ? eb_push_line(work, part, &draft) : status;
}

/* The one instance of the scope that the bill lies in: the quantity is not known by parts. */
static EbStatus
enter_scope(EbWork *work)
{
	EbRating *rating = work->rating;
	EbTierScope scope = (EbTierScope) work->component->tier.scope;
	const EbRun *first = &rating->run[0];
	const EbRun *last = &rating->run[rating->nruns - 1];

	eb_measure_instance(work, scope);
	work->before_u = work->used_u = rating->ctx->before_ukwh[scope];
	if (first->scope_day[scope] == last->scope_day[scope])
		return EB_OK;
	eb_fault_set(rating->fault, EB_UNKNOWN, "a quantity is not known by month, quarter or year",
				 "Bill each of them alone, or use the scope bill.");
	return eb_fault_detail(rating->fault, EB_UNKNOWN, "The service range has more than one.");
}

static EbStatus
push_tiers(EbWork *work, EbPart *part, int64_t quantity_u)
{
	static const int64_t no_counter[1] = {0};
	EbDraft draft = EB_DRAFT_INIT;
	EbRating *rating = work->rating;
	int before_lines = rating->nlines;
	EbStatus status;

	status = enter_scope(work);
	if (status != EB_OK)
		return status;
	work->nslots = 1;
	work->slot[0] = EB_NONE;
	part->quantity_u[0] = part->total_u = quantity_u;
	status = eb_rate_tiers(work, part, no_counter);
	if (status != EB_OK || rating->nlines > before_lines)
		return status;
	draft.unit = work->unit;
	status = eb_zero_tier(work, part, &draft);
	return status == EB_OK ? eb_push_line(work, part, &draft) : status;
}

EbStatus
eb_rate_fixed(EbRating *rating, int32_t index)
{
	EbWork work;
	EbPart part;
	Times times;
	int64_t quantity_u = 0;
	int run = 0;
	bool found;
	EbStatus status;

	eb_work_init(&work, rating, index);
	times = times_of(work.component);
	/* lint refuses tiers over days or months */
	if (times == TIMES_ONCE)
	{
		status = eb_part_whole(&work, &part, &found);
		if (status == EB_OK && found)
			status = quantity_of(&work, &quantity_u);
		if (status != EB_OK || !found)
			return status;
		return work.component->has_tier ? push_tiers(&work, &part, quantity_u)
										: push_part(&work, times, &part, quantity_u);
	}
	for (;;)
	{
		status = eb_part_next(&work, NULL, &run, &part, &found);
		if (status == EB_OK && found)
			status = quantity_of(&work, &quantity_u);
		if (status == EB_OK && found)
			status = push_part(&work, times, &part, quantity_u);
		if (status != EB_OK || !found)
			return status;
	}
}
