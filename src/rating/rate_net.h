/*
 * rate_net.h -- what the files of net share while kWh are cancelled
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_RATE_NET_H
#define EB_RATE_NET_H

#include "rating/rate_state.h"

/* The cells that net reads */
typedef struct EbNetCells
{
	EbRating *rating;
	const EbSchedule *schedule;		/* whose periods net; NULL: all energy together */
	int export_at;					/* where its plane begins; that of import begins at 0 */
	int64_t credit_u[EB_MAX_SLOTS]; /* carried in, by period; of one account: in the first */
} EbNetCells;

/* rate_net_credit.c: reads ctx.credit; also the running net kWh of rating->net. */
extern EbStatus eb_net_credit(EbNetCells *net);

/* rate_account.c: is ctx.credit of the kind that the account of the tariff holds? */
extern EbStatus eb_account_check(const EbRating *rating);

#endif /* EB_RATE_NET_H */
