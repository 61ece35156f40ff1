/*
 * load_profile_ops.c -- load profiles from load profiles: slice, scale, resample, add, subtract
 * In:  profiles, ranges, factors, steps.
 * Out: profiles.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/load_profile.h"
#include "pg/usage_class.h"
#include "rating/load_profile_curve.h"
#include "rating/load_profile_ops.h"

/* [from, to) of any tstzrange: unbounded sides lead to the ends of time, an empty one nowhere */
static void
open_range(RangeType *range, int64 *from_us, int64 *to_us)
{
	TypeCacheEntry *type = lookup_type_cache(RangeTypeGetOid(range), TYPECACHE_RANGE_INFO);
	RangeBound lower;
	RangeBound upper;
	bool empty;

	range_deserialize(type, range, &lower, &upper, &empty);
	*from_us = PG_INT64_MIN;
	*to_us = PG_INT64_MAX;
	if (empty)
		*to_us = PG_INT64_MIN;
	if (!empty && !lower.infinite)
		*from_us = DatumGetTimestampTz(lower.val);
	if (!empty && !lower.infinite && !lower.inclusive && *from_us < PG_INT64_MAX)
		(*from_us)++;
	if (!empty && !upper.infinite)
		*to_us = DatumGetTimestampTz(upper.val);
	if (!empty && !upper.infinite && upper.inclusive && *to_us < PG_INT64_MAX)
		(*to_us)++;
}

PG_FUNCTION_INFO_V1(elecbill_profile_slice);
Datum
elecbill_profile_slice(PG_FUNCTION_ARGS)
{
	EbProfile profile;
	EbProfileDraft draft;
	int64 from_us;
	int64 to_us;

	PG_GETARG_EB_PROFILE(0, &profile);
	open_range(PG_GETARG_RANGE_P(1), &from_us, &to_us);
	eb_profile_slice(&profile, from_us, to_us, &draft, eb_pg_profile_values(profile.n));
	PG_RETURN_EB_PROFILE(&draft);
}

static Datum
scale(Datum datum, Datum factor)
{
	EbProfile profile;
	EbProfileDraft draft;
	EbFault fault;

	eb_pg_profile(datum, &profile);
	eb_pg_check(eb_profile_scale(&profile, eb_pg_price(factor, "factor"), &draft,
								 eb_pg_profile_values(profile.n), &fault),
				&fault);
	return eb_pg_profile_make(&draft);
}

PG_FUNCTION_INFO_V1(elecbill_profile_scale);
Datum
elecbill_profile_scale(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(scale(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

PG_FUNCTION_INFO_V1(elecbill_profile_scaled);
Datum
elecbill_profile_scaled(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(scale(PG_GETARG_DATUM(1), PG_GETARG_DATUM(0)));
}

PG_FUNCTION_INFO_V1(elecbill_profile_resample);
Datum
elecbill_profile_resample(PG_FUNCTION_ARGS)
{
	int32 step_s = eb_pg_profile_step(PG_GETARG_INTERVAL_P(1));
	EbProfile profile;
	EbProfileDraft draft;
	EbFault fault;
	int32 n;

	PG_GETARG_EB_PROFILE(0, &profile);
	eb_pg_check(eb_profile_resample_count(&profile, step_s, &n, &fault), &fault);
	eb_pg_check(eb_profile_resample(&profile, step_s, &draft,
									eb_pg_profile_values(Max(n, profile.n)), &fault),
				&fault);
	PG_RETURN_EB_PROFILE(&draft);
}

PG_FUNCTION_INFO_V1(elecbill_profile_add);
Datum
elecbill_profile_add(PG_FUNCTION_ARGS)
{
	EbProfileCurve curve = {.memory = eb_pg_memory(CurrentMemoryContext)};
	EbProfile a;
	EbProfile b;
	EbProfileDraft draft;
	EbFault fault;

	PG_GETARG_EB_PROFILE(0, &a);
	PG_GETARG_EB_PROFILE(1, &b);
	eb_pg_check(eb_profile_curve_add(&curve, &a, &fault), &fault);
	eb_pg_check(eb_profile_curve_add(&curve, &b, &fault), &fault);
	if (curve.members == 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(eb_profile_compare(&a, &b) <= 0 ? 0 : 1));
	eb_pg_check(eb_profile_curve_draft(&curve, &draft, eb_pg_profile_values(curve.n), &fault),
				&fault);
	PG_RETURN_EB_PROFILE(&draft);
}

PG_FUNCTION_INFO_V1(elecbill_profile_subtract);
Datum
elecbill_profile_subtract(PG_FUNCTION_ARGS)
{
	EbProfile a;
	EbProfile b;
	EbProfileDraft draft;
	EbFault fault;

	PG_GETARG_EB_PROFILE(0, &a);
	PG_GETARG_EB_PROFILE(1, &b);
	eb_pg_check(eb_profile_subtract(&a, &b, &draft, eb_pg_profile_values(a.n),
									eb_pg_profile_values(b.n), &fault),
				&fault);
	PG_RETURN_EB_PROFILE(&draft);
}

PG_FUNCTION_INFO_V1(elecbill_profile_max);
Datum
elecbill_profile_max(PG_FUNCTION_ARGS)
{
	EbProfile profile;
	TupleDesc desc;
	Datum value[2];
	bool null[2] = {false, false};
	int32 i;

	PG_GETARG_EB_PROFILE(0, &profile);
	i = eb_profile_highest(&profile);
	if (i < 0)
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "profile_max() must return a row");
	value[0] = TimestampTzGetDatum(profile.start_us + i * eb_profile_step_us(&profile));
	value[1] = Int64GetDatum(eb_profile_wh(&profile, i));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), value, null)));
}
