/*
 * rate_net_credit.c -- kWh carried in from earlier bills
 * In:  ctx.credit, the periods of the schedule that nets.
 * Out: kWh by period, for rate_net.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (export against import).
 */
#include "rating/fault.h"
#include "rating/rate_net.h"
#include "rating/tou.h"

/* Hours whose periods take the place of each other when match is time_of_day */
static const int match_minute[] = {0, 5 * 60, 11 * 60, 17 * 60};

#define NMATCHES ((int) (sizeof(match_minute) / sizeof(match_minute[0])))

/* How far from the service range a workday is looked for */
#define NEAR_DAYS 31

/* Slot of the period, EB_NONE when the schedule has none of that name */
static int
slot_of(const EbNetCells *net, EbText period)
{
	const EbTariff *tariff = net->rating->tariff;
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *name = EB_ARRAY(tariff, EbSlice, tariff->period_name);

	for (int i = 0; net->schedule != NULL && i < net->schedule->nslots; i++)
	{
		EbSlice text = name[slot[net->schedule->first_slot + i].name];

		if (text.n == period.len &&
			memcmp(EB_ARRAY(tariff, char, text), period.data, (size_t) text.n) == 0)
			return i;
	}
	return EB_NONE;
}

/* A number of ctx.credit, in kWh: the account of all energy */
static EbStatus
read_number(EbNetCells *net, bool one_account)
{
	EbRating *rating = net->rating;
	eb_int128 ukwh = rating->ctx->credit_money / EB_ONE;

	if (rating->ctx->credit_money == 0)
		return EB_OK;
	if (!one_account)
		return eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "credit must be kWh by period",
							"Give it as {\"period\": kWh}.");
	if (rating->ctx->credit_money % EB_ONE != 0)
		return eb_fault_set(rating->fault, EB_TOO_PRECISE, "credit has more than 6 decimals", NULL);
	if (ukwh > INT64_MAX)
		return eb_overflow(rating->fault, "credit");
	net->credit_u[0] = (int64_t) ukwh;
	return EB_OK;
}

/*
 * kWh by period, and without one: the account of all energy, or where periods have accounts of
 * their own the running net kWh, which is their sum when it is not given.
 */
static EbStatus
read_credit(EbNetCells *net, bool one_account)
{
	EbRating *rating = net->rating;
	const EbRateContext *ctx = rating->ctx;
	bool running = false;
	int64_t sum = 0;
	EbStatus status = read_number(net, one_account);

	for (int i = 0; i < ctx->ncredit && status == EB_OK; i++)
	{
		EbText period = ctx->credit[i].name;
		int slot = period.len == 0 || one_account ? 0 : slot_of(net, period);

		if (period.len > 0 && slot_of(net, period) == EB_NONE)
		{
			eb_fault_set(rating->fault, EB_UNKNOWN, "credit is for a period that does not net",
						 NULL);
			return eb_fault_detail(rating->fault, EB_UNKNOWN, "It is period \"%.*s\".",
								   EB_TEXT_ARG(period));
		}
		if (period.len == 0 && !one_account)
		{
			running = true;
			rating->net.running_u = ctx->credit[i].value_u;
		}
		else if (!eb_add64(net->credit_u[slot], ctx->credit[i].value_u, &net->credit_u[slot]) ||
				 !eb_add64(sum, ctx->credit[i].value_u, &sum))
			status = eb_overflow(rating->fault, "credit");
	}
	if (!running)
		rating->net.running_u = one_account ? net->credit_u[0] : sum;
	return status;
}

/* ---------------------------------------------------------------- periods at the same hours */

/* Which periods have any time in the service range */
static EbStatus
find_present(const EbNetCells *net, uint64_t *present)
{
	const EbRating *rating = net->rating;
	const EbTariff *tariff = rating->tariff;
	int index = (int) (net->schedule - EB_ARRAY(tariff, EbSchedule, tariff->schedule));
	int64_t at_us = rating->from_us;
	EbSegment segment;

	*present = 0;
	while (at_us < rating->to_us)
	{
		EbStatus status = eb_tou_segment(tariff, rating->zone, at_us, &segment, rating->fault);

		if (status != EB_OK)
			return status;
		if (eb_rate_stopped(rating))
			return EB_STOPPED;
		*present |= UINT64_C(1) << (segment.slot[index] - net->schedule->first_slot);
		at_us = segment.to_us;
	}
	return EB_OK;
}

/* The first workday from day on, in steps of 1 or -1; EB_NO_DAY: none is near. */
static int32_t
near_workday(const EbTariff *tariff, int32_t day, int step)
{
	for (int i = 0; i < NEAR_DAYS; i++, day += step)
		if (eb_day_tags(tariff, day) >> EB_TAG_WORKDAY & 1)
			return day;
	return EB_NO_DAY;
}

/*
 * kWh of a period that the service range does not have go to the period at the same time of day:
 * the workday before the range says when the period was, its first workday what is there now.
 */
static EbStatus
match_time_of_day(EbNetCells *net)
{
	const EbRating *rating = net->rating;
	const EbTariff *tariff = rating->tariff;
	int32_t was = near_workday(tariff, rating->first_day - 1, -1);
	int32_t is = near_workday(tariff, rating->first_day, 1);
	uint64_t present;
	EbStatus status = eb_need_dates(rating, "which period takes the kWh of another");

	if (status == EB_OK)
		status = find_present(net, &present);
	if (status != EB_OK || was == EB_NO_DAY || is == EB_NO_DAY)
		return status;
	for (int i = 0; i < net->schedule->nslots; i++)
	{
		if (present >> i & 1 || net->credit_u[i] == 0)
			continue;
		for (int k = 0; k < NMATCHES; k++)
		{
			int before = eb_tou_slot(tariff, net->schedule, was, match_minute[k]);
			int now = eb_tou_slot(tariff, net->schedule, is, match_minute[k]);

			if (before != net->schedule->first_slot + i || now == EB_NONE)
				continue;
			now -= net->schedule->first_slot;
			if (!eb_add64(net->credit_u[now], net->credit_u[i], &net->credit_u[now]))
				return eb_overflow(rating->fault, "credit");
			net->credit_u[i] = 0;
			break;
		}
	}
	return EB_OK;
}

EbStatus
eb_net_credit(EbNetCells *net)
{
	const EbNet *rules = &net->rating->tariff->net;
	bool one_account = rules->mode == EB_NET_OFFSET_KWH || net->schedule == NULL;
	EbStatus status = read_credit(net, one_account);

	if (status == EB_OK && !one_account && rules->match_time_of_day &&
		net->rating->ctx->ncredit > 0)
		status = match_time_of_day(net);
	return status;
}
