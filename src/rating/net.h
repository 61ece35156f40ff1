/*
 * net.h -- an account of credit for export, bill after bill
 * One account holds money (1e-15) or kWh (1e-6). Each bill earns credit and has charges that
 * credit may pay; what is left over stays on the account, is paid out or expires, never two of
 * them: account + credit = used + paid + lost + account of the next bill.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (export against import).
 */
#ifndef EB_RATING_NET_H
#define EB_RATING_NET_H

#include <stdbool.h>

#include "base/decimal.h"
#include "rating/tariff.h"

/* What becomes of the account at the end of a bill */
typedef enum EbNetEnd
{
	EB_NET_KEEP,
	EB_NET_PAY,
	EB_NET_LOSE,
} EbNetEnd;

typedef struct EbNetRules
{
	bool own_bill;	 /* what a bill earns may pay its own charges */
	EbNetEnd each;	 /* at the end of a bill */
	EbNetEnd settle; /* ... of one that settles */
} EbNetRules;

/* In: charge, credit, account. Out: the rest, and what is left of charge and account. */
typedef struct EbNetBill
{
	eb_int128 charge;  /* what credit may pay; nothing is paid of a negative one */
	eb_int128 credit;  /* earned in this bill, not negative */
	eb_int128 account; /* from earlier bills, not negative */
	eb_int128 used;
	eb_int128 paid;
	eb_int128 lost;
} EbNetBill;

/* Do kWh cancel kWh before anything is priced? */
static inline bool
eb_net_mode_cancels(EbNetMode mode)
{
	return mode == EB_NET_ROLLOVER_KWH || mode == EB_NET_ROLLOVER_MONEY ||
		   mode == EB_NET_OFFSET_KWH;
}

/* Is its account one of kWh? */
static inline bool
eb_net_mode_kwh(EbNetMode mode)
{
	return mode == EB_NET_ROLLOVER_KWH || mode == EB_NET_OFFSET_KWH;
}

/* Of one bill: what net did with its kWh (rate_net.c), for the lines at its end */
typedef struct EbNetState
{
	bool cancels;		/* kWh were cancelled: runs have their cells before net, too */
	bool gross;			/* the runs show those now */
	bool by_period;		/* each period nets; else all energy together, in one slot */
	int32_t first_slot; /* of the periods that net */
	int32_t nslots;
	int64_t other_u[EB_NCHANNELS]; /* total_u of the state that is not shown */
	int64_t used_u[EB_MAX_SLOTS];  /* kWh cancelled, by period */
	int64_t left_u[EB_MAX_SLOTS];  /* kWh left over, by period; offset_kwh: all in the first */
	int64_t running_u;			   /* running net kWh, rollover_kwh */
} EbNetState;

extern EbNetRules eb_net_rules(const EbNet *net);

/*
 * One bill. unit: credit is used in whole multiples of it (> 0), what is less stays on the account.
 * False on overflow.
 */
extern bool eb_net_bill(const EbNetRules *rules, bool settles, eb_int128 unit, EbNetBill *bill);

#endif /* EB_RATING_NET_H */
