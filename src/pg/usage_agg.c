/*
 * usage_agg.c -- the aggregate usage(): energies of intervals, classified and summed
 * In:  rows (tariff, range, kWh) or (tariff, start, Wh, length), with a channel and a price or
 *      without, or (tariff, load profile), in any order; or an array of tariffs and a number in the
 *      place of the tariff.
 * Out: usage_summary. States are exact sums, so neither order nor workers change a byte.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/timestamp.h"

#include "pg/fault.h"
#include "pg/load_profile.h"
#include "pg/usage_class.h"
#include "pg/usage_wire.h"
#include "rating/usage_day.h"

/* Bytes of memory that come at once, or a multiple of them */
#define CACHE_LINE 64

/* What a day of quarter hours takes in its row */
#define FETCHED_LINES 5

/* The versions of the sum stand behind it. */
typedef struct UsageState
{
	EbUsageSum sum;
	EbUsageClass *class;
	int32 no;	/* of its tariff in the array */
	bool fixed; /* the tariff, or the array, need not be looked at again */
} UsageState;

static UsageState *
new_state(MemoryContext context, EbUsageClass *class)
{
	Size size = sizeof(UsageState) + eb_usage_sum_room(class->by, class->n);
	UsageState *state = MemoryContextAllocZero(context, size);

	eb_pg_usage_sum_init(&state->sum, context, class, state + 1);
	state->class = class;
	return state;
}

/* The state of the group that the row belongs to, with the tariff checked; made when it is new */
static UsageState *
state_for_row(FunctionCallInfo fcinfo, MemoryContext context, EbUsageSite *site)
{
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);
	int32 no = state != NULL ? state->no : 0;
	EbUsageClass *class =
		eb_pg_usage_class_of_row(fcinfo, site, state != NULL ? state->class : NULL, &no);

	if (state == NULL)
		state = new_state(context, class);
	state->no = no;
	state->fixed = site->fixed;
	return state;
}

static void
add_row(UsageState *state, EbUsageRow row)
{
	EbFault fault;

	eb_pg_usage_check(eb_usage_add(&state->sum, state->class->by, &row, &fault), &fault);
}

/* A row (at, energy_wh, step) that is not near the one before it */
static Datum
accum_step(FunctionCallInfo fcinfo, EbUsageSite *site)
{
	UsageState *state = state_for_row(fcinfo, eb_pg_aggcontext(fcinfo), site);

	add_row(state, eb_pg_usage_step_row(fcinfo, &site->args, state->class->zone));
	PG_RETURN_POINTER(state);
}

/* Most rows: the period of the row before goes on, and only its energy counts. */
static inline bool
add_near(UsageState *state, EbChannel channel, TimestampTz at, int64 energy_wh,
		 const Interval *step)
{
	int64 energy_ukwh;
	EbFault fault;

	if (unlikely(step->day != 0 || step->month != 0 || step->time <= 0 || energy_wh < 0 ||
				 !eb_usage_is_near(&state->sum, channel, at, step->time) ||
				 !eb_mul64(energy_wh, EB_WH, &energy_ukwh)))
		return false;
	eb_usage_extend(&state->sum, channel, at, at + step->time);
	if (unlikely(!eb_usage_put(state->sum.now, channel, energy_ukwh, step->time)))
		eb_pg_raise(eb_usage_overflow(&fault), &fault);
	return true;
}

PG_FUNCTION_INFO_V1(elecbill_usage_accum);
Datum
elecbill_usage_accum(PG_FUNCTION_ARGS)
{
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);

	if (unlikely(PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4)))
		return eb_pg_usage_pass_over(fcinfo);
	if (likely(state != NULL && state->fixed &&
			   add_near(state, EB_IMPORT_KWH, PG_GETARG_TIMESTAMPTZ(2), PG_GETARG_INT64(3),
						PG_GETARG_INTERVAL_P(4))))
		PG_RETURN_POINTER(state);
	return accum_step(fcinfo, eb_pg_usage_site(fcinfo, EB_STEP_ROW));
}

PG_FUNCTION_INFO_V1(elecbill_usage_accum_step);
Datum
elecbill_usage_accum_step(PG_FUNCTION_ARGS)
{
	EbUsageSite *site = eb_pg_usage_site(fcinfo, EB_STEP_ROW);
	const EbUsageArgs *args = &site->args;
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);

	if (eb_pg_usage_row_is_null(fcinfo, args, EB_STEP_ROW))
		return eb_pg_usage_pass_over(fcinfo);
	if (state != NULL && state->fixed &&
		(args->no == 0 || PG_GETARG_INT32(args->no) == state->no) &&
		add_near(state, eb_pg_usage_channel(fcinfo, args), PG_GETARG_TIMESTAMPTZ(args->first),
				 eb_pg_usage_row_wh(fcinfo, args), PG_GETARG_INTERVAL_P(args->first + 2)))
		PG_RETURN_POINTER(state);
	return accum_step(fcinfo, site);
}

PG_FUNCTION_INFO_V1(elecbill_usage_accum_range);
Datum
elecbill_usage_accum_range(PG_FUNCTION_ARGS)
{
	EbUsageSite *site = eb_pg_usage_site(fcinfo, EB_RANGE_ROW);
	UsageState *state;
	EbUsageRow row;

	if (eb_pg_usage_row_is_null(fcinfo, &site->args, EB_RANGE_ROW))
		return eb_pg_usage_pass_over(fcinfo);
	row = eb_pg_usage_range_row(fcinfo, &site->args);
	state = state_for_row(fcinfo, eb_pg_aggcontext(fcinfo), site);
	add_row(state, row);
	PG_RETURN_POINTER(state);
}

static pg_noinline void
refuse_overflow(void)
{
	EbFault fault;

	eb_pg_raise(eb_usage_overflow(&fault), &fault);
}

/*
 * The rows of a page lie from its end to its start: the next one is right before this one. The next
 * page mostly stands behind this one in memory, so that its first row is as far from the first one.
 */
static inline void
fetch_next_row(EbUsageClass *class, const char *row)
{
	for (int i = 1; i <= FETCHED_LINES; i++)
		__builtin_prefetch(row - i * CACHE_LINE);
	if (unlikely(row > class->last_row))
		for (int i = 0; i < FETCHED_LINES; i++)
			__builtin_prefetch(row + BLCKSZ + i * CACHE_LINE);
	class->last_row = row;
}

/* Adds a simple block that is stored in the row; false: it is none, and nothing was done. */
static inline bool
add_day(UsageState *state, const struct varlena *stored)
{
	EbStatus status;

	if (VARATT_IS_EXTENDED(stored))
		return false;
	status = eb_usage_add_day(&state->sum, state->class->by, (const uint8 *) VARDATA(stored),
							  VARSIZE(stored) - VARHDRSZ);
	if (unlikely(status == EB_OUT_OF_RANGE))
		refuse_overflow();
	return status == EB_OK;
}

/* Any row of a profile */
static pg_noinline Datum
accum_profile(FunctionCallInfo fcinfo)
{
	EbUsageSite *site = eb_pg_usage_site(fcinfo, EB_PROFILE_ROW);
	UsageState *state;
	EbProfile profile;

	if (eb_pg_usage_row_is_null(fcinfo, &site->args, EB_PROFILE_ROW))
		return eb_pg_usage_pass_over(fcinfo);
	state = state_for_row(fcinfo, eb_pg_aggcontext(fcinfo), site);
	if (add_day(state, (const struct varlena *) PG_GETARG_POINTER(site->args.first)))
		PG_RETURN_POINTER(state);
	PG_GETARG_EB_PROFILE(site->args.first, &profile);
	eb_pg_usage_add_profile(fcinfo, &state->sum, state->class, &profile, false);
	PG_RETURN_POINTER(state);
}

/* Most rows are (tariff, profile) of a tariff that was looked at before. */
PG_FUNCTION_INFO_V1(elecbill_usage_accum_profile);
Datum
elecbill_usage_accum_profile(PG_FUNCTION_ARGS)
{
	UsageState *state = (UsageState *) PG_GETARG_POINTER(0);
	const struct varlena *stored = (const struct varlena *) PG_GETARG_POINTER(2);

	if (unlikely(PG_ARGISNULL(0) || PG_ARGISNULL(2) || PG_NARGS() != 3 || !state->fixed))
		return accum_profile(fcinfo);
	fetch_next_row(state->class, (const char *) stored);
	if (likely(add_day(state, stored)))
		PG_RETURN_POINTER(state);
	return accum_profile(fcinfo);
}

PG_FUNCTION_INFO_V1(elecbill_usage_combine);
Datum
elecbill_usage_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = eb_pg_aggcontext(fcinfo);
	UsageState *left = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);
	const UsageState *right = PG_ARGISNULL(1) ? NULL : (UsageState *) PG_GETARG_POINTER(1);
	EbFault fault;

	if (left == NULL && right == NULL)
		PG_RETURN_NULL();
	if (right != NULL)
	{
		if (left == NULL)
			left = new_state(context, right->class);
		if (memcmp(left->class->shape->fingerprint, right->class->shape->fingerprint,
				   EB_FINGERPRINT_SIZE) != 0)
			eb_pg_raise(eb_usage_conflict(&fault), &fault);
		eb_pg_usage_check(eb_usage_sum_merge(&left->sum, &right->sum, &fault), &fault);
	}
	PG_RETURN_POINTER(left);
}

PG_FUNCTION_INFO_V1(elecbill_usage_serialize);
Datum
elecbill_usage_serialize(PG_FUNCTION_ARGS)
{
	const UsageState *state = (UsageState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	eb_pg_aggcontext(fcinfo);
	pq_begintypsend(&buf);
	eb_pg_usage_send_class(&buf, state->class);
	eb_pg_usage_send_sum(&buf, &state->sum);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(elecbill_usage_deserialize);
Datum
elecbill_usage_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	UsageState *state;
	StringInfoData buf = {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), 0, 0};

	eb_pg_aggcontext(fcinfo);
	state = new_state(CurrentMemoryContext, eb_pg_usage_receive_class(fcinfo, &buf));
	eb_pg_usage_receive_sum(&buf, &state->sum);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(elecbill_usage_final);
Datum
elecbill_usage_final(PG_FUNCTION_ARGS)
{
	const UsageState *state;
	EbUsageDatum *datum;

	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (const UsageState *) PG_GETARG_POINTER(0);
	datum = eb_pg_usage_sum_make(&state->sum, state->class);
	if (datum == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(datum);
}
