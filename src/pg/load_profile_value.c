/*
 * load_profile_value.c -- what a load profile says: its values as rows, and single facts
 * In:  profiles.
 * Out: rows and scalars.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "pg/convert.h"
#include "pg/load_profile.h"
#include "pg/range.h"
#include "rating/load_profile_sum.h"

/* ---------------------------------------------------------------- rows */

/* Where a function that returns rows stands in its profile */
typedef struct Walk
{
	EbProfile profile;
	EbProfileQuality quality;
	int64 at_us;
	int32 i;
} Walk;

/* The walk of this call; made on the first, when the profile is opened where it lives long enough */
static Walk *
walk_of(FunctionCallInfo fcinfo, FuncCallContext **context)
{
	MemoryContext caller;
	Walk *walk;
	TupleDesc desc;

	if (!SRF_IS_FIRSTCALL())
	{
		*context = SRF_PERCALL_SETUP();
		return (*context)->user_fctx;
	}
	*context = SRF_FIRSTCALL_INIT();
	caller = MemoryContextSwitchTo((*context)->multi_call_memory_ctx);
	walk = palloc0(sizeof(Walk));
	PG_GETARG_EB_PROFILE(0, &walk->profile);
	walk->at_us = walk->profile.start_us;
	if (get_call_result_type(fcinfo, NULL, &desc) == TYPEFUNC_COMPOSITE)
		(*context)->tuple_desc = BlessTupleDesc(desc);
	(*context)->user_fctx = walk;
	MemoryContextSwitchTo(caller);
	return walk;
}

PG_FUNCTION_INFO_V1(elecbill_profile_values);
Datum
elecbill_profile_values(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	Walk *walk = walk_of(fcinfo, &context);
	Datum value[3];
	bool null[3] = {false, false, false};

	if (walk->i == walk->profile.n)
		SRF_RETURN_DONE(context);
	null[1] = eb_profile_is_missing(&walk->profile, walk->i);
	value[0] = TimestampTzGetDatum(walk->at_us);
	value[1] = Int64GetDatum(eb_profile_wh(&walk->profile, walk->i));
	value[2] = Int32GetDatum(eb_profile_next_quality(&walk->profile, &walk->quality));
	walk->at_us += eb_profile_step_us(&walk->profile);
	walk->i++;
	SRF_RETURN_NEXT(context, HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, value, null)));
}

PG_FUNCTION_INFO_V1(elecbill_profile_gaps);
Datum
elecbill_profile_gaps(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	Walk *walk = walk_of(fcinfo, &context);
	const EbProfile *profile = &walk->profile;
	int32 first;

	while (walk->i < profile->n && !eb_profile_is_missing(profile, walk->i))
		walk->i++;
	first = walk->i;
	while (walk->i < profile->n && eb_profile_is_missing(profile, walk->i))
		walk->i++;
	if (first == walk->i)
		SRF_RETURN_DONE(context);
	SRF_RETURN_NEXT(context,
					eb_pg_range_make(profile->start_us + first * eb_profile_step_us(profile),
									 profile->start_us + walk->i * eb_profile_step_us(profile)));
}

/* ---------------------------------------------------------------- single facts */

PG_FUNCTION_INFO_V1(elecbill_profile_during);
Datum
elecbill_profile_during(PG_FUNCTION_ARGS)
{
	EbProfile profile;

	PG_GETARG_EB_PROFILE(0, &profile);
	PG_RETURN_DATUM(eb_pg_range_make(profile.start_us, eb_profile_end_us(&profile)));
}

PG_FUNCTION_INFO_V1(elecbill_profile_step);
Datum
elecbill_profile_step(PG_FUNCTION_ARGS)
{
	EbProfile profile;
	Interval *step = palloc0(sizeof(Interval));

	PG_GETARG_EB_PROFILE(0, &profile);
	step->time = eb_profile_step_us(&profile);
	PG_RETURN_INTERVAL_P(step);
}

PG_FUNCTION_INFO_V1(elecbill_profile_count);
Datum
elecbill_profile_count(PG_FUNCTION_ARGS)
{
	EbProfile profile;

	PG_GETARG_EB_PROFILE(0, &profile);
	PG_RETURN_INT32(profile.n);
}

PG_FUNCTION_INFO_V1(elecbill_profile_missing);
Datum
elecbill_profile_missing(PG_FUNCTION_ARGS)
{
	EbProfile profile;

	PG_GETARG_EB_PROFILE(0, &profile);
	PG_RETURN_INT32(eb_profile_missing(&profile, 0, profile.n));
}

PG_FUNCTION_INFO_V1(elecbill_profile_direction);
Datum
elecbill_profile_direction(PG_FUNCTION_ARGS)
{
	EbProfile profile;

	PG_GETARG_EB_PROFILE(0, &profile);
	PG_RETURN_TEXT_P(cstring_to_text(eb_profile_direction[profile.channel]));
}

PG_FUNCTION_INFO_V1(elecbill_profile_at);
Datum
elecbill_profile_at(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	EbProfile profile;
	int32 i;

	PG_GETARG_EB_PROFILE(0, &profile);
	if (at < profile.start_us || at >= eb_profile_end_us(&profile))
		PG_RETURN_NULL();
	i = (int32) ((at - profile.start_us) / eb_profile_step_us(&profile));
	if (eb_profile_is_missing(&profile, i))
		PG_RETURN_NULL();
	PG_RETURN_INT64(eb_profile_wh(&profile, i));
}

PG_FUNCTION_INFO_V1(elecbill_profile_sum);
Datum
elecbill_profile_sum(PG_FUNCTION_ARGS)
{
	EbProfile profile;
	eb_int128 sum;
	int32 present;

	PG_GETARG_EB_PROFILE(0, &profile);
	sum = eb_profile_sum(&profile, 0, profile.n, &present);
	if (present == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(eb_pg_numeric(sum, 0, 0));
}
