/*
 * usage_agg.c -- the aggregate usage(): energies of intervals, classified and summed
 * In:  rows (tariff, range, kWh) or (tariff, start, Wh, length), in any order.
 * Out: usage_summary. States are exact sums, so neither order nor workers change a byte.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/range.h"
#include "pg/tariff.h"
#include "pg/usage_class.h"
#include "pg/zone.h"

typedef struct UsageState
{
	EbUsageSum sum;
	EbTouCache *cache;		   /* NULL in a state that came from a worker: it is only merged */
	const EbUsageShape *shape; /* of the class, or a copy of its own */
	bool fixed;				   /* the tariff need not be looked at again */
} UsageState;

static UsageState *
new_state(MemoryContext context, const EbUsageShape *shape)
{
	UsageState *state = MemoryContextAllocZero(context, sizeof(UsageState));

	eb_usage_sum_init(&state->sum, shape->nslots, shape->nschedules);
	state->shape = shape;
	return state;
}

/* The state of the group that the row belongs to, with the tariff checked; made when it is new */
static UsageState *
state_for_row(FunctionCallInfo fcinfo, MemoryContext context)
{
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);
	EbUsageClass *class;

	if (state != NULL)
	{
		if (!state->fixed)
			eb_pg_check_same_tariff(PG_GETARG_EB_TARIFF(1), state->shape);
		return state;
	}
	class = eb_pg_usage_class(fcinfo, PG_GETARG_EB_TARIFF(1));
	state = new_state(context, class->shape);
	state->cache = class->cache;
	state->fixed = eb_pg_tariff_is_fixed(fcinfo);
	return state;
}

static void
add_interval(UsageState *state, MemoryContext context, int64 from_us, int64 to_us,
			 int64 energy_ukwh)
{
	EbSpread spread = eb_spread(from_us, to_us, energy_ukwh);
	EbFault fault;
	EbStatus status;

	if (energy_ukwh < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("energy of an interval must not be negative"),
						errhint("Export is a quantity of its own; a correction is a reading.")));
	while ((status = eb_usage_add(&state->sum, state->cache, &spread, &fault)) == EB_NO_SPACE)
		eb_pg_usage_sum_reserve(&state->sum, context, state->sum.nparts + 1);
	eb_pg_check(status, &fault);
}

/* End of an interval of the given length; a day ends at the same wall clock of the tariff's zone */
static int64
step_end(const EbZone *zone, int64 from_us, const Interval *step)
{
	int64 to_us = from_us;

	if (step->month == 0 && step->day >= -32 && step->day <= 32 && step->time >= -EB_MAX_STEP_US &&
		step->time <= EB_MAX_STEP_US)
	{
		if (step->day != 0)
		{
			int64 offset_us = zone->span[eb_zone_find(zone, from_us)].offset_s * EB_SECOND_US;

			to_us = eb_wall_instant(zone, from_us + offset_us + step->day * EB_DAY_US);
		}
		to_us += step->time;
	}
	if (to_us <= from_us || to_us - from_us > EB_MAX_STEP_US)
		ereport(
			ERROR,
			(errcode(EB_ERRCODE_BAD_ARGUMENT),
			 errmsg("length of an interval must be positive, without months, and at most 32 days"),
			 errhint("Longer differences of a register are for register_usage().")));
	return to_us;
}

PG_FUNCTION_INFO_V1(elecbill_usage_accum);
Datum
elecbill_usage_accum(PG_FUNCTION_ARGS)
{
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);
	TimestampTz at;
	int64 energy_wh;
	int64 energy_ukwh;
	const Interval *step;
	MemoryContext context;

	if (unlikely(PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(4)))
	{
		eb_pg_aggcontext(fcinfo);
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	at = PG_GETARG_TIMESTAMPTZ(2);
	energy_wh = PG_GETARG_INT64(3);
	step = PG_GETARG_INTERVAL_P(4);

	/* most rows: the period of the row before goes on */
	if (likely(state != NULL && state->fixed && step->day == 0 && step->month == 0 &&
			   step->time > 0 && energy_wh >= 0 && eb_usage_is_near(&state->sum, at, step->time) &&
			   eb_mul64(energy_wh, EB_WH, &energy_ukwh)))
	{
		EbFault fault;

		eb_usage_extend(&state->sum, at, at + step->time);
		if (unlikely(!eb_usage_put(&state->sum, energy_ukwh, step->time)))
			eb_pg_raise(eb_usage_overflow(&fault), &fault);
		PG_RETURN_POINTER(state);
	}

	context = eb_pg_aggcontext(fcinfo);
	state = state_for_row(fcinfo, context);
	if (!eb_mul64(energy_wh, EB_WH, &energy_ukwh))
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("energy is out of range"),
						errdetail("The value is " INT64_FORMAT " Wh.", energy_wh)));
	eb_pg_instant(at, "start of an interval");
	add_interval(state, context, at,
				 eb_pg_instant(step_end(state->cache->zone, at, step), "end of an interval"),
				 energy_ukwh);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(elecbill_usage_accum_range);
Datum
elecbill_usage_accum_range(PG_FUNCTION_ARGS)
{
	MemoryContext context = eb_pg_aggcontext(fcinfo);
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);
	int64 from_us;
	int64 to_us;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	eb_pg_range(PG_GETARG_RANGE_P(2), "interval", &from_us, &to_us);
	if (to_us - from_us > EB_MAX_STEP_US)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("interval must be at most 32 days long"),
				 errhint("Longer differences of a register are for register_usage().")));
	state = state_for_row(fcinfo, context);
	add_interval(state, context, from_us, to_us, eb_pg_energy(PG_GETARG_DATUM(3), "kwh"));
	PG_RETURN_POINTER(state);
}

/* A copy that points nowhere into the other state */
static UsageState *
copy_state(MemoryContext context, const UsageState *from)
{
	EbUsageShape *shape = MemoryContextAlloc(context, from->shape->size);

	memcpy(shape, from->shape, from->shape->size);
	return new_state(context, shape);
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
			left = copy_state(context, right);
		if (memcmp(left->shape->fingerprint, right->shape->fingerprint, EB_FINGERPRINT_SIZE) != 0)
			eb_pg_raise(eb_usage_conflict(&fault), &fault);
		eb_pg_usage_sum_reserve(&left->sum, context, (int64) left->sum.nparts + right->sum.nparts);
		eb_pg_check(eb_usage_sum_merge(&left->sum, &right->sum, &fault), &fault);
	}
	PG_RETURN_POINTER(left);
}

PG_FUNCTION_INFO_V1(elecbill_usage_serialize);
Datum
elecbill_usage_serialize(PG_FUNCTION_ARGS)
{
	const UsageState *state = (UsageState *) PG_GETARG_POINTER(0);
	const EbUsageSum *sum = &state->sum;
	StringInfoData buf;

	eb_pg_aggcontext(fcinfo);
	pq_begintypsend(&buf);
	pq_sendint32(&buf, EB_USAGE_FORMAT);
	pq_sendint32(&buf, state->shape->size);
	pq_sendbytes(&buf, (const char *) state->shape, state->shape->size);
	pq_sendint64(&buf, sum->from_us);
	pq_sendint64(&buf, sum->to_us);
	pq_sendint32(&buf, sum->nparts);
	for (int part = 0; part < sum->nparts; part++)
	{
		pq_sendint32(&buf, sum->part_day[part]);
		for (int i = 0; i < eb_usage_stride(sum); i++)
			pq_sendint64(&buf, sum->cell[(Size) part * eb_usage_stride(sum) + i]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(elecbill_usage_deserialize);
Datum
elecbill_usage_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	UsageState *state;
	EbUsageShape *shape;
	StringInfoData buf;
	int size;

	eb_pg_aggcontext(fcinfo);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgint(&buf, 4) != EB_USAGE_FORMAT)
		elog(ERROR, "unknown format of usage state");
	size = (int) pq_getmsgint(&buf, 4);
	shape = palloc(size);
	memcpy(shape, pq_getmsgbytes(&buf, size), size);
	state = new_state(CurrentMemoryContext, shape);
	state->sum.from_us = pq_getmsgint64(&buf);
	state->sum.to_us = pq_getmsgint64(&buf);
	size = (int) pq_getmsgint(&buf, 4);
	eb_pg_usage_sum_reserve(&state->sum, CurrentMemoryContext, size);
	state->sum.nparts = size;
	for (int part = 0; part < size; part++)
	{
		state->sum.part_day[part] = (int32) pq_getmsgint(&buf, 4);
		for (int i = 0; i < eb_usage_stride(&state->sum); i++)
			state->sum.cell[(Size) part * eb_usage_stride(&state->sum) + i] = pq_getmsgint64(&buf);
	}
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(elecbill_usage_final);
Datum
elecbill_usage_final(PG_FUNCTION_ARGS)
{
	const UsageState *state;

	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (const UsageState *) PG_GETARG_POINTER(0);
	PG_RETURN_POINTER(eb_pg_usage_sum_make(&state->sum, state->shape));
}
