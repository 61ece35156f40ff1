/*
 * usage_row.h -- the rows of usage(), register_usage() and compare(): which argument is what
 */
#ifndef ELECBILL_PG_USAGE_ROW_H
#define ELECBILL_PG_USAGE_ROW_H

#include "postgres.h"

#include "fmgr.h"

#include "rating/usage_sum.h"

/* Arguments that every row has: at, energy_wh, step; during, kwh; profile */
#define EB_STEP_ROW 3
#define EB_RANGE_ROW 2
#define EB_PROFILE_ROW 1

/* Where an argument of a transition function stands; 0: there is none. 0 itself is the state. */
typedef struct EbUsageArgs
{
	int tariff; /* or an array of them */
	int no;		/* which one of the array */
	int first;	/* of the row */
	int channel;
	int price;
	int ctx;
	int profile;   /* in the place of a row of a register */
	bool short_wh; /* energy_wh is an integer, not a bigint */
} EbUsageArgs;

/*
 * Told apart by their types: the tariff, or several and perhaps a number; then nrow arguments of
 * the row; then a text for the channel, a numeric for the price, jsonb for the ctx of compare(), a
 * load profile.
 */
extern EbUsageArgs eb_pg_usage_args(FunctionCallInfo fcinfo, int nrow);

/* Is an argument NULL that every row must have? Rows with one are passed over. */
static inline bool
eb_pg_usage_row_is_null(FunctionCallInfo fcinfo, const EbUsageArgs *args, int nrow)
{
	for (int i = args->tariff; i < args->first + nrow; i++)
		if (PG_ARGISNULL(i))
			return true;
	return args->channel != 0 && PG_ARGISNULL(args->channel);
}

/* The state as it was, for a row that is passed over */
extern Datum eb_pg_usage_pass_over(FunctionCallInfo fcinfo);

/* The channel of a row; UB400 when there is none of that name. */
extern EbChannel eb_pg_usage_channel(FunctionCallInfo fcinfo, const EbUsageArgs *args);

/* energy_wh of a row (at, energy_wh, step) */
static inline int64
eb_pg_usage_row_wh(FunctionCallInfo fcinfo, const EbUsageArgs *args)
{
	return args->short_wh ? PG_GETARG_INT32(args->first + 1) : PG_GETARG_INT64(args->first + 1);
}

/* A row with its channel and price, checked. Days of a step end by the clock of the zone. */
extern EbUsageRow
eb_pg_usage_step_row(FunctionCallInfo fcinfo, const EbUsageArgs *args, const EbZone *zone);
extern EbUsageRow eb_pg_usage_range_row(FunctionCallInfo fcinfo, const EbUsageArgs *args);

#endif /* ELECBILL_PG_USAGE_ROW_H */
