/*
 * net.c -- an account of credit for export, bill after bill
 * In:  the net rules of a tariff, the charges and the credit of a bill.
 * Out: what is used, paid, lost and kept; for rate_net.c and net_settle().
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/net.h"

static EbNetEnd
settlement(const EbNet *net)
{
	if (net->expire)
		return EB_NET_LOSE;
	return net->settle_carry ? EB_NET_KEEP : EB_NET_PAY;
}

EbNetRules
eb_net_rules(const EbNet *net)
{
	static const EbNetEnd excess[] = {
		[EB_EXCESS_CARRY] = EB_NET_KEEP,
		[EB_EXCESS_PAY] = EB_NET_PAY,
		[EB_EXCESS_LOST] = EB_NET_LOSE,
	};
	EbNetRules rules = {.own_bill = true, .each = EB_NET_KEEP, .settle = settlement(net)};

	switch ((EbNetMode) net->mode)
	{
		case EB_NET_ROLLOVER_KWH:
		case EB_NET_ROLLOVER_MONEY:
			return rules;
		case EB_NET_BILLING_CARRY:
			rules.own_bill = net->same_month;
			return rules;
		case EB_NET_OFFSET_KWH:
			rules.each = excess[net->excess];
			if (rules.each != EB_NET_KEEP)
				rules.settle = rules.each;
			return rules;
		case EB_NET_NONE:
		case EB_NET_BILLING:
		case EB_NET_BUY_ALL_SELL_ALL:
			break;
	}
	return (EbNetRules){.own_bill = false, .each = EB_NET_PAY, .settle = EB_NET_PAY};
}

bool
eb_net_bill(const EbNetRules *rules, bool settles, eb_int128 unit, EbNetBill *bill)
{
	EbNetEnd end = settles ? rules->settle : rules->each;
	eb_int128 whole;

	if (!eb_add128(bill->account, bill->credit, &whole))
		return false;
	bill->used = rules->own_bill ? whole : bill->account;
	if (bill->used > bill->charge)
		bill->used = bill->charge;
	if (bill->used < 0)
		bill->used = 0;
	bill->used -= bill->used % unit;
	bill->charge -= bill->used;
	bill->account = whole - bill->used;
	bill->paid = end == EB_NET_PAY ? bill->account : 0;
	bill->lost = end == EB_NET_LOSE ? bill->account : 0;
	if (end != EB_NET_KEEP)
		bill->account = 0;
	return true;
}
