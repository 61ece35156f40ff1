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

/* The share of the days in service, when the bill says how many they are; false on overflow */
static bool
in_service(const EbRating *rating, EbRatio *share)
{
	EbRatio days = {rating->ctx->service_days_u, rating->days_u};

	return days.num == 0 || eb_ratio_times(eb_ratio_shorten(*share), eb_ratio_shorten(days), share);
}

/* Days as parts of their months; without dates the days in service are part of all days. */
static EbStatus
month_days(const EbRating *rating, int32_t from, int32_t to, EbRatio *share)
{
	EbStatus status = EB_OK;

	if (rating->dated)
		*share = eb_month_shares(rating, from, to);
	else if (rating->ctx->service_days_u > 0 && rating->days_u > 0)
		*share = (EbRatio){rating->months_u > 0 ? rating->months_u : EB_MICRO, EB_MICRO};
	else
		status = eb_need_dates(rating, "days as a part of their month");
	if (status == EB_OK && !in_service(rating, share))
		return eb_overflow(rating->fault, "share of a month");
	return status;
}

/* Neighbouring runs [from, to) of days */
static EbStatus
share_of_days(const EbRating *rating, Times times, int32_t from, int32_t to, EbRatio *share)
{
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
	return month_days(rating, from, to, share);
}

/* *sum += more, in lowest terms; false on overflow */
static bool
add_ratio(EbRatio *sum, EbRatio more)
{
	EbRatio dens = eb_ratio_shorten((EbRatio){sum->den, more.den});
	EbRatio result;
	int64_t left;
	int64_t right;

	if (!eb_mul64(sum->num, dens.den, &left) || !eb_mul64(more.num, dens.num, &right) ||
		!eb_add64(left, right, &result.num) || !eb_mul64(sum->den, dens.den, &result.den))
		return false;
	*sum = eb_ratio_shorten(result);
	return true;
}

/* The part may leave out days between its first and its last one. */
static EbStatus
share_of(const EbWork *work, Times times, const EbPart *part, EbRatio *share)
{
	const EbRating *rating = work->rating;
	const EbRun *run = rating->run;
	EbRatio sum = {0, 1};

	if (times == TIMES_ONCE || !work->by_kind_of_day)
		return share_of_days(rating, times, run[part->first].day, run[part->last].end, share);
	for (int i = part->first; i <= part->last; i++)
	{
		EbStatus status = EB_OK;

		if (!eb_part_has(part, i))
			continue;
		status = share_of_days(rating, times, run[i].day, run[i].end, share);
		if (status != EB_OK)
			return status;
		if (!add_ratio(&sum, *share))
			return eb_overflow(rating->fault, "share of a month");
	}
	*share = sum;
	return EB_OK;
}

EbStatus
eb_part_share(const EbWork *work, const EbPart *part, EbRatio *share)
{
	return share_of(work, times_of(work->component), part, share);
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
	status = eb_part_price(work, part, work->component->price, EB_NONE, &draft.price_n);
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
	EbStatus status;

	work->nslots = 1;
	work->slot[0] = EB_NONE;
	eb_measure_instance(work, scope);
	status = eb_take_before(work, scope);
	work->used_u = work->before_all_u;
	if (status != EB_OK)
		return status;
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
	part->quantity_u[0] = part->total_u = quantity_u;
	status = eb_rate_tiers(work, part, no_counter);
	if (status != EB_OK || rating->nlines > before_lines)
		return status;
	draft.unit = work->unit;
	status = eb_zero_tier(work, part, &draft);
	return status == EB_OK ? eb_push_line(work, part, &draft) : status;
}

/* Charged once: by the rules of the last day */
static EbStatus
rate_once(EbWork *work)
{
	EbPart part;
	int64_t quantity_u = 0;
	bool found;
	EbStatus status = eb_part_whole(work, &part, &found);

	if (status != EB_OK || !found)
		return status;
	if (work->component->each_min || work->component->each_max)
		return eb_rate_each(work, &part);
	status = quantity_of(work, &quantity_u);
	if (status != EB_OK)
		return status;
	return work->component->has_tier ? push_tiers(work, &part, quantity_u)
									 : push_part(work, TIMES_ONCE, &part, quantity_u);
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
		return rate_once(&work);
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
