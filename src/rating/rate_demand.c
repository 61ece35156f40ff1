/*
 * rate_demand.c -- components by kW
 * In:  the billing demand of each instance of its scope (billing_demand.c).
 * Out: one charge per instance, by its price or by steps in kW.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (demand).
 */
#include "rating/billing_demand.h"
#include "rating/fault.h"

/*
 * The runs of the instance that the version in work rates, and their share of its days: a tariff
 * that changes charges the demand of the whole instance by days.
 */
static bool
enter_version(EbWork *work)
{
	const EbRating *rating = work->rating;
	int32_t days = rating->run[work->end - 1].end - rating->run[work->first].day;

	while (work->first < work->end && !eb_in_version(rating, rating->run[work->first].day))
		work->first++;
	while (work->end > work->first && !eb_in_version(rating, rating->run[work->end - 1].day))
		work->end--;
	if (work->first == work->end)
		return false;
	work->share = (EbRatio){rating->run[work->end - 1].end - rating->run[work->first].day, days};
	return true;
}

static EbStatus
push_kw(EbWork *work, EbPart *part, int64_t ukw)
{
	static const int64_t no_counter[1] = {0};
	EbRating *rating = work->rating;
	EbDraft draft = EB_DRAFT_INIT;
	int before_lines = rating->nlines;
	EbStatus status = EB_OK;

	draft.unit = work->unit;
	draft.quantity_u = ukw;
	if (work->component->has_tier)
	{
		/* days do not divide a demand: its bounds hold for each part of the bill */
		part->days = work->days;
		work->nslots = 1;
		work->slot[0] = EB_NONE;
		part->quantity_u[0] = part->total_u = ukw;
		status = eb_rate_tiers(work, part, no_counter);
		work->nslots = 0;
		if (status != EB_OK || rating->nlines > before_lines)
			return status;
		status = eb_zero_tier(work, part, &draft);
	}
	else
		status = eb_part_price(work, part, work->component->price, EB_NONE, &draft.price_n);
	return status == EB_OK ? eb_push_line(work, part, &draft) : status;
}

/* Prorated: each part of the instance with its own price, for its share of the month or bill */
static EbStatus
rate_parts(EbWork *work, const EbDemandScope *demand)
{
	int run = work->first;
	int64_t ukw = 0;
	bool known = false;
	EbPart part;

	for (;;)
	{
		bool found;
		EbStatus status = eb_part_next(work, NULL, &run, &part, &found);

		if (status == EB_OK && found)
			status = eb_part_share(work, &part, &work->share);
		if (status == EB_OK && found && !known)
			status = eb_demand_kw(demand, &ukw);
		known = true;
		if (status == EB_OK && found)
			status = push_kw(work, &part, ukw);
		if (status != EB_OK || !found)
			return status;
	}
}

static EbStatus
rate_instance(EbWork *work, const EbDemandScope *demand)
{
	EbPart part;
	bool applies;
	int64_t ukw = 0;
	EbStatus status;

	if (work->component->prorate != EB_PRORATE_NONE)
		return rate_parts(work, demand);
	if (work->rating->version != NULL && !enter_version(work))
		return EB_OK;
	status = eb_part_whole(work, &part, &applies);
	if (status == EB_OK && applies)
		status = eb_demand_kw(demand, &ukw);
	if (status != EB_OK || !applies)
		return status;
	return push_kw(work, &part, ukw);
}

EbStatus
eb_rate_demand(EbRating *rating, int32_t index)
{
	EbWork work;
	EbTierScope scope;
	EbStatus status = EB_OK;
	int end;

	eb_work_init(&work, rating, index);
	work.quality = rating->quality;
	scope = eb_demand_scope(rating, work.component->demand, &rating->run[0]).scope;
	if (scope != EB_SCOPE_BILL)
		status = eb_need_dates(rating, "the month, quarter or year a demand belongs to");
	for (work.first = 0; status == EB_OK && work.first < rating->nruns; work.first = work.end)
	{
		EbDemandScope demand =
			eb_demand_scope(rating, work.component->demand, &rating->run[work.first]);

		work.end = work.first + 1;
		while (work.end < rating->nruns &&
			   rating->run[work.end].scope_day[scope] == demand.first_day)
			work.end++;
		eb_measure_instance(&work, scope);
		end = work.end;
		status = rate_instance(&work, &demand);
		work.end = end;
	}
	return status;
}
