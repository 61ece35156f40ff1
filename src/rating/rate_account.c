/*
 * rate_account.c -- the account of export: credit used, earned, paid out, carried to the next bill
 * In:  the lines of the components, what net left of the kWh (rate_net.c), ctx.credit.
 * Out: lines of role NET. The bill says all the next one needs: ctx.credit of the next bill is the
 *      amount_raw of the carry line of money, or {period: quantity} of the carry lines of kWh.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (export against import).
 */
#include "rating/fault.h"
#include "rating/net.h"
#include "rating/rate_net.h"

static bool
holds_money(const EbRating *rating)
{
	EbNetMode mode = (EbNetMode) rating->tariff->net.mode;

	return mode == EB_NET_ROLLOVER_MONEY || mode == EB_NET_BILLING_CARRY;
}

static bool
holds_kwh(const EbRating *rating)
{
	return eb_net_mode_kwh((EbNetMode) rating->tariff->net.mode);
}

EbStatus
eb_account_check(const EbRating *rating)
{
	const EbRateContext *ctx = rating->ctx;
	bool given = ctx->ncredit > 0 || ctx->credit_money != 0;
	bool negative = ctx->credit_money < 0;

	for (int i = 0; i < ctx->ncredit; i++)
		negative = negative || ctx->credit[i].value_u < 0;
	if (negative)
		return eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "credit must not be negative", NULL);
	if (given && !holds_money(rating) && !holds_kwh(rating))
		return eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "the tariff keeps no credit",
							"Its net mode pays export on each bill.");
	if (ctx->ncredit > 0 && holds_money(rating))
		return eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "credit must be money",
							"Give it as a number; the tariff keeps no kWh.");
	return EB_OK;
}

/* ---------------------------------------------------------------- lines */

static EbLine
net_line(const EbRating *rating, EbLineRole role, EbUnit unit, int64_t quantity_u)
{
	return (EbLine){
		.component = EB_NONE,
		.role = (int32_t) role,
		.version = EB_NONE,
		.slot = EB_NONE,
		.unit = (int32_t) unit,
		.quantity_u = quantity_u,
		.factor_n = EB_ONE,
		.from_us = rating->from_us,
		.to_us = rating->to_us,
		.quality = rating->quality,
		.last_run = rating->nruns - 1,
	};
}

/* kWh of a period (EB_NONE: of all energy), at no price; none is no line. */
static EbStatus
push_kwh(EbRating *rating, EbLineRole role, int32_t slot, int64_t ukwh)
{
	EbLine line = net_line(rating, role, EB_UNIT_KWH, ukwh);
	const EbRounding none = {0};

	line.slot = slot;
	return ukwh == 0 ? EB_OK : eb_push_amount(rating, &line, &none);
}

/* Money, 1e-15: sign times it is due with this bill. The quantity shows it at 1e-6. */
static EbStatus
push_money(EbRating *rating, EbLineRole role, eb_int128 money, int sign)
{
	eb_int128 shown_u = eb_div_round(money, EB_ONE, EB_HALF_UP);
	const EbRounding none = {0};
	EbLine line;

	if (money == 0)
		return EB_OK;
	if (shown_u > INT64_MAX)
		return eb_overflow(rating->fault, "credit");
	line = net_line(rating, role, EB_UNIT_MONEY, (int64_t) shown_u);
	line.price_n = (int64_t) sign * EB_ONE;
	line.amount_raw = sign * money;
	return eb_push_amount(rating, &line, &none);
}

/* What is kept on the account is not due: amount 0. */
static EbStatus
push_kept_money(EbRating *rating, EbLineRole role, eb_int128 money)
{
	EbStatus status = push_money(rating, role, money, 1);

	if (status == EB_OK && money != 0)
		rating->line[rating->nlines - 1].amount = 0;
	return status;
}

static EbStatus
push_paid_kwh(EbRating *rating, int64_t ukwh)
{
	EbLine line = net_line(rating, EB_LINE_NET_PAID, EB_UNIT_KWH, ukwh);

	line.price_n = -rating->tariff->net.true_up_n;
	line.amount_raw = (eb_int128) ukwh * line.price_n;
	return ukwh == 0 ? EB_OK : eb_push_amount(rating, &line, &rating->tariff->round_line);
}

/* ---------------------------------------------------------------- settlement */

/* Is this the bill that settles: final, and its last day in the month of the settlement? */
static EbStatus
find_settlement(const EbRating *rating, const EbNetRules *rules, bool *settles)
{
	const EbRateContext *ctx = rating->ctx;
	EbStatus status;

	*settles = false;
	if (rules->each == rules->settle || !ctx->final)
		return EB_OK;
	status = eb_need_dates(rating, "whether the bill settles the account");
	if (status != EB_OK)
		return status;
	*settles = eb_date_from_day(rating->end_day - 1).month == rating->tariff->net.settle_month;
	return EB_OK;
}

/* ---------------------------------------------------------------- kWh */

static int32_t
slot_of(const EbRating *rating, int which)
{
	return rating->net.by_period ? rating->net.first_slot + which : EB_NONE;
}

static EbStatus
push_cancelled(EbRating *rating)
{
	EbStatus status = EB_OK;

	for (int i = 0; i < rating->net.nslots && status == EB_OK; i++)
		status = push_kwh(rating, EB_LINE_NET, slot_of(rating, i), rating->net.used_u[i]);
	return status;
}

/* Accounts by period, and then the running net kWh, 0 too: it is not their sum. */
static EbStatus
push_carried(EbRating *rating)
{
	const EbNetState *state = &rating->net;
	EbLine running = net_line(rating, EB_LINE_NET_CARRY, EB_UNIT_KWH, state->running_u);
	const EbRounding none = {0};
	bool any = state->running_u != 0;
	EbStatus status = EB_OK;

	for (int i = 0; i < state->nslots && status == EB_OK; i++)
	{
		any = any || state->left_u[i] != 0;
		status = push_kwh(rating, EB_LINE_NET_CARRY, slot_of(rating, i), state->left_u[i]);
	}
	return status == EB_OK && any ? eb_push_amount(rating, &running, &none) : status;
}

static EbStatus
close_kwh(EbRating *rating, const EbNetRules *rules, bool settles)
{
	const EbNetState *state = &rating->net;
	bool accounts = state->by_period && rating->tariff->net.mode == EB_NET_ROLLOVER_KWH;
	int64_t due = accounts ? state->running_u : state->left_u[0];

	switch (settles ? rules->settle : rules->each)
	{
		case EB_NET_PAY:
			return push_paid_kwh(rating, due);
		case EB_NET_LOSE:
			return push_kwh(rating, EB_LINE_NET_LOST, EB_NONE, due);
		case EB_NET_KEEP:
			break;
	}
	return accounts ? push_carried(rating)
					: push_kwh(rating, EB_LINE_NET_CARRY, EB_NONE, state->left_u[0]);
}

/* ---------------------------------------------------------------- money */

static bool
is_of(const EbComponent *component, EbComponentKind kind)
{
	return component->kind == (int) kind && component->offset;
}

/*
 * The lines so far: energy that credit may pay, and what export earned. Nothing else is paid by
 * credit: no fixed charge, demand, minimum or tax, no energy that is marked offset false.
 */
static bool
read_lines(const EbRating *rating, EbNetBill *bill)
{
	const EbComponent *component = EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component);

	*bill = (EbNetBill){.account = rating->ctx->credit_money};
	for (int i = 0; i < rating->nlines; i++)
	{
		const EbLine *line = &rating->line[i];

		if (line->role != EB_LINE_COMPONENT)
			continue;
		if (is_of(&component[line->component], EB_KIND_ENERGY) &&
			!eb_add128(bill->charge, line->amount, &bill->charge))
			return false;
		if (is_of(&component[line->component], EB_KIND_CREDIT) &&
			!eb_add128(bill->credit, -line->amount, &bill->credit))
			return false;
	}
	if (bill->credit < 0)
		bill->credit = 0;
	return true;
}

/* The account after the lines so far */
static EbStatus
settle_money(const EbRating *rating, const EbNetRules *rules, bool settles, EbNetBill *bill)
{
	int64_t step_n = rating->tariff->round_line.step_n;
	eb_int128 unit = step_n > 0 ? (eb_int128) step_n * EB_NANO_MONEY : 1;

	if (read_lines(rating, bill) && eb_net_bill(rules, settles, unit, bill))
		return EB_OK;
	return eb_overflow(rating->fault, "credit");
}

static EbStatus
close_money(EbRating *rating, const EbNetRules *rules, bool settles)
{
	EbNetBill bill;
	EbStatus status = settle_money(rating, rules, settles, &bill);

	if (status == EB_OK)
		status = push_money(rating, EB_LINE_NET_EARNED, bill.credit, 1);
	if (status == EB_OK)
		status = push_money(rating, EB_LINE_NET, bill.used, -1);
	if (status == EB_OK)
		status = push_money(rating, EB_LINE_NET_PAID, bill.paid, -1);
	if (status == EB_OK)
		status = push_kept_money(rating, EB_LINE_NET_LOST, bill.lost);
	return status == EB_OK ? push_kept_money(rating, EB_LINE_NET_CARRY, bill.account) : status;
}

EbStatus
eb_net_limit_base(const EbRating *rating, const bool *in_base, eb_int128 *sum)
{
	const EbComponent *component = EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component);
	EbNetRules rules = eb_net_rules(&rating->tariff->net);
	EbNetBill bill;
	bool energy = false;
	bool credit = false;
	EbStatus status;

	if (!holds_money(rating))
		return EB_OK;
	for (int i = 0; i < rating->tariff->component.n; i++)
	{
		energy = energy || (in_base[i] && is_of(&component[i], EB_KIND_ENERGY));
		credit = credit || (in_base[i] && is_of(&component[i], EB_KIND_CREDIT));
	}
	status = settle_money(rating, &rules, false, &bill);
	if (status != EB_OK)
		return status;
	if (eb_add128(*sum, credit ? bill.credit : 0, sum) &&
		eb_add128(*sum, energy ? -bill.used : 0, sum))
		return EB_OK;
	return eb_overflow(rating->fault, "base of a minimum or maximum");
}

EbStatus
eb_net_close(EbRating *rating)
{
	EbNetRules rules;
	bool settles;
	EbStatus status;

	if (!holds_money(rating) && !holds_kwh(rating))
		return EB_OK;
	rules = eb_net_rules(&rating->tariff->net);
	status = find_settlement(rating, &rules, &settles);
	if (status == EB_OK && rating->net.cancels)
		status = push_cancelled(rating);
	if (status != EB_OK)
		return status;
	return holds_money(rating) ? close_money(rating, &rules, settles)
							   : close_kwh(rating, &rules, settles);
}
