/*
 * load_profile_sum.c -- the aggregate sum(load_profile): the curve of an estate
 * In:  profiles of one step, direction and grid, in any order.
 * Out: load_profile. States are exact sums and counts: neither order nor workers change a byte, and
 *      a window takes away what it leaves.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/memutils.h"

#include "pg/fault.h"
#include "pg/load_profile.h"
#include "pg/usage_class.h"
#include "pg/usage_wire.h"
#include "rating/load_profile_curve.h"

#define WIRE_FORMAT 1

static EbProfileCurve *
new_curve(MemoryContext context)
{
	EbProfileCurve *curve = MemoryContextAllocZero(context, sizeof(EbProfileCurve));

	curve->memory = eb_pg_memory(context);
	return curve;
}

/* A moving aggregate has a state from the first row on, if that is NULL, too. */
static EbProfileCurve *
curve_of_row(FunctionCallInfo fcinfo)
{
	MemoryContext context = eb_pg_aggcontext(fcinfo);

	return PG_ARGISNULL(0) ? new_curve(context) : (EbProfileCurve *) PG_GETARG_POINTER(0);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_sum_accum);
Datum
elecbill_load_profile_sum_accum(PG_FUNCTION_ARGS)
{
	EbProfileCurve *curve = curve_of_row(fcinfo);
	EbProfile profile;
	EbFault fault;

	if (!PG_ARGISNULL(1))
	{
		PG_GETARG_EB_PROFILE(1, &profile);
		eb_pg_check(eb_profile_curve_add(curve, &profile, &fault), &fault);
	}
	PG_RETURN_POINTER(curve);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_sum_accum_inv);
Datum
elecbill_load_profile_sum_accum_inv(PG_FUNCTION_ARGS)
{
	EbProfileCurve *curve = curve_of_row(fcinfo);
	EbProfile profile;
	EbFault fault;

	if (!PG_ARGISNULL(1))
	{
		PG_GETARG_EB_PROFILE(1, &profile);
		eb_pg_check(eb_profile_curve_subtract(curve, &profile, &fault), &fault);
	}
	PG_RETURN_POINTER(curve);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_sum_combine);
Datum
elecbill_load_profile_sum_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = eb_pg_aggcontext(fcinfo);
	EbProfileCurve *left = PG_ARGISNULL(0) ? NULL : (EbProfileCurve *) PG_GETARG_POINTER(0);
	const EbProfileCurve *right =
		PG_ARGISNULL(1) ? NULL : (const EbProfileCurve *) PG_GETARG_POINTER(1);
	EbFault fault;

	if (left == NULL && right == NULL)
		PG_RETURN_NULL();
	if (left == NULL)
		left = new_curve(context);
	if (right != NULL)
		eb_pg_check(eb_profile_curve_merge(left, right, &fault), &fault);
	PG_RETURN_POINTER(left);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_sum_serialize);
Datum
elecbill_load_profile_sum_serialize(PG_FUNCTION_ARGS)
{
	const EbProfileCurve *curve = (const EbProfileCurve *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	eb_pg_aggcontext(fcinfo);
	pq_begintypsend(&buf);
	pq_sendint32(&buf, WIRE_FORMAT);
	pq_sendint64(&buf, curve->members);
	pq_sendint64(&buf, curve->start_us);
	pq_sendint32(&buf, curve->step_s);
	pq_sendint32(&buf, curve->channel);
	pq_sendint32(&buf, curve->n);
	if (curve->members > 0)
	{
		eb_pg_send_array(&buf, curve->sum + curve->first, curve->n, sizeof(eb_int128));
		eb_pg_send_array(&buf, curve->cover + curve->first, curve->n + 1, sizeof(int32));
		for (int i = 0; i < EB_CURVE_COUNTS; i++)
		{
			pq_sendbyte(&buf, curve->count[i] != NULL);
			if (curve->count[i] != NULL)
				eb_pg_send_array(&buf, curve->count[i] + curve->first, curve->n, sizeof(int32));
		}
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_sum_deserialize);
Datum
elecbill_load_profile_sum_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	EbProfileCurve *curve = new_curve(CurrentMemoryContext);
	StringInfoData buf = {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), 0, 0};
	EbFault fault;
	int64 start_us;
	int32 n;

	eb_pg_aggcontext(fcinfo);
	if (pq_getmsgint(&buf, 4) != WIRE_FORMAT)
		elog(ERROR, "unknown format of the state of sum(load_profile)");
	curve->members = pq_getmsgint64(&buf);
	start_us = pq_getmsgint64(&buf);
	curve->step_s = (int32) pq_getmsgint(&buf, 4);
	curve->channel = (int32) pq_getmsgint(&buf, 4);
	n = (int32) pq_getmsgint(&buf, 4);
	if (curve->members > 0)
	{
		eb_pg_check(eb_profile_curve_open(curve, start_us, n, &fault), &fault);
		pq_copymsgbytes(&buf, (char *) curve->sum, (int) sizeof(eb_int128) * n);
		pq_copymsgbytes(&buf, (char *) curve->cover, (int) sizeof(int32) * (n + 1));
		for (int i = 0; i < EB_CURVE_COUNTS; i++)
		{
			if (pq_getmsgbyte(&buf) == 0)
				continue;
			eb_pg_check(eb_profile_curve_count(curve, i, &fault), &fault);
			pq_copymsgbytes(&buf, (char *) curve->count[i], (int) sizeof(int32) * n);
		}
	}
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(curve);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_sum_final);
Datum
elecbill_load_profile_sum_final(PG_FUNCTION_ARGS)
{
	const EbProfileCurve *curve;
	EbProfileDraft draft;
	EbProfileValue *value;
	EbFault fault;
	Datum result;

	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	curve = (const EbProfileCurve *) PG_GETARG_POINTER(0);
	if (curve->members == 0)
		PG_RETURN_NULL();
	value = eb_pg_profile_values(curve->n);
	eb_pg_check(eb_profile_curve_draft(curve, &draft, value, &fault), &fault);
	result = eb_pg_profile_make(&draft);
	pfree(value);
	PG_RETURN_DATUM(result);
}
