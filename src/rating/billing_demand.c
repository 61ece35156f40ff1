/*
 * billing_demand.c -- the kW that are billed
 * In:  the highest windows of the usage, peaks of earlier months and the contract from ctx.
 * Out: the billing demand of an instance of its scope (bill, tier month, quarter, year), for
 *      charges (rate_demand.c) and for steps in kWh per kW (rate_ladder.c).
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (demand).
 */
#include "rating/billing_demand.h"

#include "rating/fault.h"
#include "rating/ratchet.h"
#include "rating/tariff_json.h"

#define MONTH_NAMES 12
#define MOST_LOOKBACK 36 /* months: the grammar allows no more */

EbDemandScope
eb_demand_scope(const EbRating *rating, int32_t index, const EbRun *run)
{
	const EbDemand *demand = EB_ARRAY(rating->tariff, EbDemand, rating->tariff->demand) + index;
	EbTierScope scope = (EbTierScope) demand->per;

	return (EbDemandScope){rating, demand, index, scope, run->scope_day[scope]};
}

/* Months since year 0 of the month that an instance is named after: that of its last day */
static int
month_of(const EbDemandScope *demand)
{
	const EbRating *rating = demand->rating;
	int32_t last = rating->bill_day;
	EbDate date;

	if (demand->scope != EB_SCOPE_BILL)
		last = eb_scope_range(rating->tariff, demand->scope, demand->first_day).to - 1;
	date = eb_date_from_day(last);
	return date.year * MONTH_NAMES + date.month - 1;
}

/* The peak of an earlier month: as given, or measured in an earlier month of this bill */
static EbStatus
past_kw(const EbDemandScope *demand, int month, int64_t *ukw)
{
	const EbRating *rating = demand->rating;
	EbText name = eb_demand_name(rating->tariff, demand->index);
	int32_t seen = EB_NO_DAY;

	*ukw = 0;
	for (int i = 0; i < rating->ctx->npast; i++)
	{
		const EbPastPeak *past = &rating->ctx->past[i];

		if (past->year * MONTH_NAMES + past->month - 1 == month && past->ukw > *ukw &&
			eb_text_equal(past->demand, name))
			*ukw = past->ukw;
	}
	for (int i = 0; i < rating->nruns && demand->scope == EB_SCOPE_MONTH; i++)
	{
		EbDemandScope other = eb_demand_scope(rating, demand->index, &rating->run[i]);
		int64_t other_ukw = 0;
		EbStatus status = EB_OK;

		if (other.first_day == seen)
			continue;
		seen = other.first_day;
		if (month_of(&other) == month)
			status = eb_demand_measured(&other, &other_ukw);
		if (status != EB_OK)
			return status;
		if (other_ukw > *ukw)
			*ukw = other_ukw;
	}
	return EB_OK;
}

/* The highest of this month's peak, what earlier ones still claim, and the floor */
static EbStatus
apply_ratchet(const EbDemandScope *demand, int64_t floor_ukw, int64_t *ukw)
{
	const EbRatchet *ratchet = &demand->demand->ratchet;
	int64_t peak_ukw[MOST_LOOKBACK + 1];
	int64_t percent_n[MOST_LOOKBACK + 1] = {0};
	int64_t current_n = EB_HUNDRED_PERCENT;
	int n = 0;
	EbStatus status = EB_OK;

	if (ratchet->lookback > 0)
	{
		int month;

		status = eb_need_dates(demand->rating, "which months a ratchet looks back to");
		if (status != EB_OK)
			return status;
		month = month_of(demand);
		current_n = ratchet->current_n[month % MONTH_NAMES];
		for (int back = ratchet->lookback; back > 0 && status == EB_OK; back--, n++)
		{
			int of_year = (month - back) % MONTH_NAMES;

			peak_ukw[n] = 0;
			percent_n[n] = ratchet->percent_n[of_year];
			if (ratchet->months == 0 || (ratchet->months >> (of_year + 1) & 1))
				status = past_kw(demand, month - back, &peak_ukw[n]);
		}
	}
	peak_ukw[n++] = *ukw;
	if (status == EB_OK &&
		!eb_ratchet(peak_ukw, percent_n, n, ratchet->lookback, floor_ukw, current_n, ukw))
		status = eb_overflow(demand->rating->fault, "billing demand");
	return status;
}

static EbStatus
floor_kw(const EbDemandScope *demand, int64_t *floor_ukw)
{
	static const EbText contract = {"contract_kw", 11};
	int64_t contract_ukw;
	int64_t share_ukw;
	EbStatus status;

	*floor_ukw = demand->demand->has_floor ? demand->demand->floor_ukw : 0;
	if (!demand->demand->has_floor_pct)
		return EB_OK;
	status = eb_attr_number(demand->rating, contract, &contract_ukw);
	if (status != EB_OK)
		return status;
	if (!eb_muldiv64(contract_ukw, demand->demand->floor_pct_n, EB_HUNDRED_PERCENT, &share_ukw))
		return eb_overflow(demand->rating->fault, "share of the contract");
	if (share_ukw > *floor_ukw)
		*floor_ukw = share_ukw;
	return EB_OK;
}

EbStatus
eb_demand_kw(const EbDemandScope *demand, int64_t *ukw)
{
	int64_t floor_ukw = 0;
	EbStatus status = eb_demand_check(demand);

	if (status == EB_OK)
		status = floor_kw(demand, &floor_ukw);
	if (status == EB_OK)
		status = eb_demand_measured(demand, ukw);
	if (status == EB_OK)
		status = apply_ratchet(demand, floor_ukw, ukw);
	if (status != EB_OK)
		return status;
	if (demand->demand->has_cap && *ukw > demand->demand->cap_ukw)
		*ukw = demand->demand->cap_ukw;
	return eb_round_micro(&demand->demand->round, ukw)
			   ? EB_OK
			   : eb_overflow(demand->rating->fault, "billing demand");
}

EbStatus
eb_billing_demand(const EbRating *rating, int32_t index, int64_t *ukw)
{
	const EbRun *last = &rating->run[rating->nruns - 1];
	EbDemandScope demand = eb_demand_scope(rating, index, last);
	EbText name = eb_demand_name(rating->tariff, index);

	if (rating->run[0].scope_day[demand.scope] == demand.first_day)
		return eb_demand_kw(&demand, ukw);
	eb_fault_set(rating->fault, EB_UNKNOWN, "a demand has more than one value in the bill",
				 "Bill each month, quarter or year alone, or measure the demand per bill.");
	return eb_fault_detail(rating->fault, EB_UNKNOWN, "It is the demand \"%.*s\".",
						   EB_TEXT_ARG(name));
}
