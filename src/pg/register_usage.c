/*
 * register_usage.c -- the aggregate register_usage(): cumulative values, differences, usage
 * In:  rows (tariff, boundary, register_wh, wrap_wh, quality) of one register, in any order.
 * Out: usage_summary. The values are kept, 16 bytes each, and put in order at the end; so neither
 *      order nor workers change a byte.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/tariff.h"
#include "pg/usage_class.h"
#include "pg/zone.h"
#include "rating/register.h"

#define REGISTER_FORMAT 1
#define FIRST_CAPACITY 64

typedef struct RegisterState
{
	const EbUsageClass *class; /* NULL in a state that came from a worker: see tariff */
	const EbTariff *tariff;
	EbRegisterValue *value;
	int64 n;
	int64 capacity;
	int64 wrap_wh; /* 0: never rolls over */
	bool fixed;	   /* the tariff need not be looked at again */
	bool sorted;
} RegisterState;

#define ST_SORT sort_values
#define ST_ELEMENT_TYPE EbRegisterValue
#define ST_COMPARE(a, b) eb_register_compare(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static RegisterState *
new_state(MemoryContext context, const EbTariff *tariff, int64 wrap_wh)
{
	RegisterState *state = MemoryContextAllocZero(context, sizeof(RegisterState));

	state->tariff = tariff;
	state->wrap_wh = wrap_wh;
	state->sorted = true;
	return state;
}

static void
reserve(RegisterState *state, MemoryContext context, int64 n)
{
	Size size;

	if (n <= state->capacity)
		return;
	state->capacity = Max(Max(n, 2 * state->capacity), FIRST_CAPACITY);
	size = sizeof(EbRegisterValue) * state->capacity;
	state->value = state->value == NULL ? MemoryContextAllocHuge(context, size)
										: repalloc_huge(state->value, size);
}

static inline void
append(RegisterState *state, EbRegisterValue value)
{
	if (state->n > 0 && eb_register_compare(&state->value[state->n - 1], &value) > 0)
		state->sorted = false;
	state->value[state->n++] = value;
}

static void
check_same_wrap(const RegisterState *state, int64 wrap_wh)
{
	if (state->wrap_wh != wrap_wh)
		ereport(ERROR,
				(errcode(EB_ERRCODE_CONFLICT),
				 errmsg("one register cannot roll over at two values"),
				 errdetail("They are " INT64_FORMAT " and " INT64_FORMAT " Wh.",
						   Min(state->wrap_wh, wrap_wh), Max(state->wrap_wh, wrap_wh)),
				 errhint("GROUP BY the register: a meter that was exchanged is another one.")));
}

/* The state of the group that the row belongs to, with the tariff checked; made when it is new */
static RegisterState *
state_for_row(FunctionCallInfo fcinfo, MemoryContext context, int64 wrap_wh)
{
	RegisterState *state = PG_ARGISNULL(0) ? NULL : (RegisterState *) PG_GETARG_POINTER(0);
	const EbUsageClass *class;

	if (state != NULL)
	{
		if (!state->fixed)
			eb_pg_check_same_tariff(PG_GETARG_EB_TARIFF(1), state->class->shape);
		check_same_wrap(state, wrap_wh);
		return state;
	}
	class = eb_pg_usage_class(fcinfo, PG_GETARG_EB_TARIFF(1));
	state = new_state(context, class->tariff, wrap_wh);
	state->class = class;
	state->fixed = eb_pg_tariff_is_fixed(fcinfo);
	return state;
}

static int64
checked_wrap(FunctionCallInfo fcinfo, int argument)
{
	int64 wrap_wh = PG_ARGISNULL(argument) ? 0 : PG_GETARG_INT64(argument);

	if (!PG_ARGISNULL(argument) && wrap_wh <= 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("wrap_wh must be positive"),
						errdetail("The value is " INT64_FORMAT ".", wrap_wh),
						errhint("A register of n digits before its kWh point rolls over at "
								"10^(n+3) Wh.")));
	return wrap_wh;
}

static int64
checked_register(int64 register_wh, const char *what)
{
	if (register_wh < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must not be negative", what),
						errdetail("The value is " INT64_FORMAT ".", register_wh)));
	if (register_wh >= EB_REGISTER_LIMIT)
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("%s is out of range", what),
						errdetail("The value is " INT64_FORMAT ".", register_wh)));
	return register_wh;
}

PG_FUNCTION_INFO_V1(elecbill_register_usage_accum);
Datum
elecbill_register_usage_accum(PG_FUNCTION_ARGS)
{
	RegisterState *state = PG_ARGISNULL(0) ? NULL : (RegisterState *) PG_GETARG_POINTER(0);
	MemoryContext context;
	TimestampTz boundary;
	int64 register_wh;
	int64 wrap_wh;
	bool restart;

	if (unlikely(PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3)))
	{
		eb_pg_aggcontext(fcinfo);
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	boundary = eb_pg_instant(PG_GETARG_TIMESTAMPTZ(2), "boundary");
	register_wh = checked_register(PG_GETARG_INT64(3), "register_wh");
	wrap_wh = checked_wrap(fcinfo, 4);
	restart = !PG_ARGISNULL(5) && (PG_GETARG_INT32(5) & EB_READING_RESTART) != 0;
	if (unlikely(state == NULL || !state->fixed || state->wrap_wh != wrap_wh ||
				 state->n == state->capacity))
	{
		context = eb_pg_aggcontext(fcinfo);
		state = state_for_row(fcinfo, context, wrap_wh);
		reserve(state, context, state->n + 1);
	}
	append(state, eb_register_value(boundary, register_wh, restart));
	PG_RETURN_POINTER(state);
}

static const EbTariff *
copy_tariff(MemoryContext context, const EbTariff *tariff)
{
	EbTariff *copy = MemoryContextAlloc(context, tariff->size);

	memcpy(copy, tariff, tariff->size);
	return copy;
}

PG_FUNCTION_INFO_V1(elecbill_register_usage_combine);
Datum
elecbill_register_usage_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = eb_pg_aggcontext(fcinfo);
	RegisterState *left = PG_ARGISNULL(0) ? NULL : (RegisterState *) PG_GETARG_POINTER(0);
	const RegisterState *right = PG_ARGISNULL(1) ? NULL : (RegisterState *) PG_GETARG_POINTER(1);
	EbFault fault;

	if (left == NULL && right == NULL)
		PG_RETURN_NULL();
	if (right == NULL)
		PG_RETURN_POINTER(left);
	if (left == NULL)
		left = new_state(context, copy_tariff(context, right->tariff), right->wrap_wh);
	if (memcmp(left->tariff->fingerprint, right->tariff->fingerprint, EB_FINGERPRINT_SIZE) != 0)
		eb_pg_raise(eb_usage_conflict(&fault), &fault);
	check_same_wrap(left, right->wrap_wh);
	reserve(left, context, left->n + right->n);
	left->sorted = left->sorted && right->sorted &&
				   (left->n == 0 || right->n == 0 ||
					eb_register_compare(&left->value[left->n - 1], right->value) <= 0);
	memcpy(left->value + left->n, right->value, sizeof(EbRegisterValue) * right->n);
	left->n += right->n;
	PG_RETURN_POINTER(left);
}

PG_FUNCTION_INFO_V1(elecbill_register_usage_serialize);
Datum
elecbill_register_usage_serialize(PG_FUNCTION_ARGS)
{
	const RegisterState *state = (RegisterState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	eb_pg_aggcontext(fcinfo);
	pq_begintypsend(&buf);
	pq_sendint32(&buf, REGISTER_FORMAT);
	pq_sendint32(&buf, state->tariff->size);
	pq_sendbytes(&buf, (const char *) state->tariff, state->tariff->size);
	pq_sendint64(&buf, state->wrap_wh);
	pq_sendbyte(&buf, state->sorted);
	pq_sendint64(&buf, state->n);
	pq_sendbytes(&buf, (const char *) state->value, sizeof(EbRegisterValue) * state->n);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(elecbill_register_usage_deserialize);
Datum
elecbill_register_usage_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	RegisterState *state;
	EbTariff *tariff;
	StringInfoData buf = {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), 0, 0};
	int size;

	eb_pg_aggcontext(fcinfo);
	if (pq_getmsgint(&buf, 4) != REGISTER_FORMAT)
		elog(ERROR, "unknown format of register state");
	size = (int) pq_getmsgint(&buf, 4);
	tariff = palloc(size);
	memcpy(tariff, pq_getmsgbytes(&buf, size), size);
	state = new_state(CurrentMemoryContext, tariff, pq_getmsgint64(&buf));
	state->sorted = pq_getmsgbyte(&buf) != 0;
	state->n = pq_getmsgint64(&buf);
	reserve(state, CurrentMemoryContext, state->n);
	size = sizeof(EbRegisterValue) * state->n;
	memcpy(state->value, pq_getmsgbytes(&buf, size), size);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/* Sorting changes the order of the values, which nobody sees, and not what the state says. */
PG_FUNCTION_INFO_V1(elecbill_register_usage_final);
Datum
elecbill_register_usage_final(PG_FUNCTION_ARGS)
{
	RegisterState *state;
	const EbUsageClass *class;
	EbUsageSum sum;
	EbFault fault;

	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (RegisterState *) PG_GETARG_POINTER(0);
	class = state->class != NULL ? state->class : eb_pg_usage_class(fcinfo, state->tariff);
	if (!state->sorted)
	{
		sort_values(state->value, state->n);
		state->sorted = true;
	}
	eb_usage_sum_init(&sum, class->shape->nslots, class->shape->nschedules);
	eb_pg_usage_sum_reserve(&sum, CurrentMemoryContext,
							eb_usage_count_parts(class->tariff, class->zone,
												 state->value[0].boundary_us,
												 state->value[state->n - 1].boundary_us));
	eb_pg_check(
		eb_register_usage(state->value, state->n, state->wrap_wh, &sum, class->cache, &fault),
		&fault);
	PG_RETURN_POINTER(eb_pg_usage_sum_make(&sum, class->shape));
}

PG_FUNCTION_INFO_V1(elecbill_register_delta);
Datum
elecbill_register_delta(PG_FUNCTION_ARGS)
{
	int64 prev_wh = checked_register(PG_GETARG_INT64(0), "prev_wh");
	int64 cur_wh = checked_register(PG_GETARG_INT64(1), "cur_wh");
	int64 wrap_wh = checked_wrap(fcinfo, 2);
	int64 max_wh = PG_GETARG_INT64(3);
	int64 delta_wh;

	if (max_wh < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("max_wh must not be negative"),
						errdetail("The value is " INT64_FORMAT ".", max_wh)));
	if (!eb_register_delta(prev_wh, cur_wh, wrap_wh, max_wh, &delta_wh))
		PG_RETURN_NULL();
	PG_RETURN_INT64(delta_wh);
}
