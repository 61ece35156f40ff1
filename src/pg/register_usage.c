/*
 * register_usage.c -- the aggregate register_usage(): cumulative values, differences, usage
 * In:  rows (tariff, boundary, register_wh, wrap_wh, quality) of one register, or with a channel of
 *      one register for each, in any order; with load profiles in the place of some values or without.
 * Out: usage_summary. The values are kept, 16 bytes each, and put in order at the end; so neither
 *      order nor workers change a byte. Profiles are summed as they come.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/load_profile.h"
#include "pg/tariff.h"
#include "pg/usage_class.h"
#include "pg/usage_wire.h"
#include "pg/zone.h"
#include "rating/register.h"

#define REGISTER_FORMAT 3
#define FIRST_CAPACITY 64
#define REGISTER_ROW 4 /* boundary, register_wh, wrap_wh, quality */

/* The register of one channel */
typedef struct Register
{
	EbRegisterValue *value;
	int64 n;
	int64 capacity;
	int64 wrap_wh; /* 0: never rolls over */
	bool sorted;
} Register;

typedef struct RegisterState
{
	EbUsageClass *class; /* NULL in a state without profiles that came from a worker: see tariff */
	const EbTariff *tariff;
	int32 no;	/* of its tariff in the array */
	bool fixed; /* the tariff, or the array, need not be looked at again */
	Register of[EB_NCHANNELS];
	EbUsageSum *profiles; /* NULL: there were none */
} RegisterState;

#define ST_SORT sort_values
#define ST_ELEMENT_TYPE EbRegisterValue
#define ST_COMPARE(a, b) eb_register_compare(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static RegisterState *
new_state(MemoryContext context, const EbTariff *tariff)
{
	RegisterState *state = MemoryContextAllocZero(context, sizeof(RegisterState));

	state->tariff = tariff;
	return state;
}

static void
reserve(Register *of, MemoryContext context, int64 n)
{
	Size size;

	if (n <= of->capacity)
		return;
	of->capacity = Max(Max(n, 2 * of->capacity), FIRST_CAPACITY);
	size = sizeof(EbRegisterValue) * of->capacity;
	of->value =
		of->value == NULL ? MemoryContextAllocHuge(context, size) : repalloc_huge(of->value, size);
}

static inline void
append(Register *of, EbRegisterValue value)
{
	if (of->n == 0)
		of->sorted = true;
	else if (eb_register_compare(&of->value[of->n - 1], &value) > 0)
		of->sorted = false;
	of->value[of->n++] = value;
}

/* The first value of a register says where it rolls over, the others have to agree. */
static void
check_wrap(Register *of, int64 wrap_wh)
{
	if (of->n == 0)
		of->wrap_wh = wrap_wh;
	if (of->wrap_wh != wrap_wh)
		ereport(ERROR,
				(errcode(EB_ERRCODE_CONFLICT),
				 errmsg("one register cannot roll over at two values"),
				 errdetail("They are " INT64_FORMAT " and " INT64_FORMAT " Wh.",
						   Min(of->wrap_wh, wrap_wh), Max(of->wrap_wh, wrap_wh)),
				 errhint("GROUP BY the register: a meter that was exchanged is another one.")));
}

/* The state of the group that the row belongs to, with the tariff checked; made when it is new */
static RegisterState *
state_for_row(FunctionCallInfo fcinfo, MemoryContext context, EbUsageSite *site)
{
	RegisterState *state = PG_ARGISNULL(0) ? NULL : (RegisterState *) PG_GETARG_POINTER(0);
	int32 no = state != NULL ? state->no : 0;
	EbUsageClass *class =
		eb_pg_usage_class_of_row(fcinfo, site, state != NULL ? state->class : NULL, &no);

	if (state == NULL)
		state = new_state(context, class->tariff);
	state->class = class;
	state->no = no;
	state->fixed = site->fixed && site->args.no == 0;
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

static EbUsageSum *
new_sum(MemoryContext context, const EbUsageClass *class)
{
	EbUsageSum *sum = MemoryContextAlloc(context, sizeof(EbUsageSum));

	eb_pg_usage_sum_init(sum, context, class, NULL);
	return sum;
}

/* Adds a load profile: differences of a register whose values nobody needs. Its ends are known. */
static void
add_profile(FunctionCallInfo fcinfo, RegisterState *state, Datum datum)
{
	EbProfile profile;

	eb_pg_profile(datum, &profile);
	if (state->profiles == NULL)
		state->profiles = new_sum(eb_pg_aggcontext(fcinfo), state->class);
	eb_usage_mark(state->profiles, state->class->by, (EbChannel) profile.channel, profile.start_us);
	eb_usage_mark(state->profiles, state->class->by, (EbChannel) profile.channel,
				  eb_profile_end_us(&profile));
	eb_pg_usage_add_profile(fcinfo, state->profiles, state->class, &profile, true);
}

PG_FUNCTION_INFO_V1(elecbill_register_usage_accum);
Datum
elecbill_register_usage_accum(PG_FUNCTION_ARGS)
{
	EbUsageSite *site = eb_pg_usage_site(fcinfo, REGISTER_ROW);
	const EbUsageArgs *args = &site->args;
	RegisterState *state = PG_ARGISNULL(0) ? NULL : (RegisterState *) PG_GETARG_POINTER(0);
	Register *of;
	MemoryContext context;
	TimestampTz boundary;
	int64 register_wh;
	int64 wrap_wh;
	bool restart;

	/* without tariff, boundary or value; wrap_wh and quality may be NULL */
	if (unlikely(eb_pg_usage_row_is_null(fcinfo, args, 2)))
		return eb_pg_usage_pass_over(fcinfo);
	boundary = eb_pg_instant(PG_GETARG_TIMESTAMPTZ(args->first), "boundary");
	register_wh = checked_register(PG_GETARG_INT64(args->first + 1), "register_wh");
	wrap_wh = checked_wrap(fcinfo, args->first + 2);
	restart = !PG_ARGISNULL(args->first + 3) &&
			  (PG_GETARG_INT32(args->first + 3) & EB_READING_RESTART) != 0;
	if (unlikely(state == NULL || !state->fixed))
		state = state_for_row(fcinfo, eb_pg_aggcontext(fcinfo), site);
	of = &state->of[eb_pg_usage_channel(fcinfo, args)];
	if (unlikely(of->wrap_wh != wrap_wh))
		check_wrap(of, wrap_wh);
	if (unlikely(of->n == of->capacity))
	{
		context = eb_pg_aggcontext(fcinfo);
		reserve(of, context, of->n + 1);
	}
	append(of, eb_register_value(boundary, register_wh, restart));
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(elecbill_register_usage_accum_profile);
Datum
elecbill_register_usage_accum_profile(PG_FUNCTION_ARGS)
{
	EbUsageSite *site = eb_pg_usage_site(fcinfo, REGISTER_ROW);
	int profile = site->args.profile;
	RegisterState *state;

	if (PG_ARGISNULL(profile))
		return elecbill_register_usage_accum(fcinfo);
	for (int i = site->args.tariff; i < site->args.first; i++)
		if (PG_ARGISNULL(i))
			return eb_pg_usage_pass_over(fcinfo);
	state = state_for_row(fcinfo, eb_pg_aggcontext(fcinfo), site);
	add_profile(fcinfo, state, PG_GETARG_DATUM(profile));
	PG_RETURN_POINTER(state);
}

static const EbTariff *
copy_tariff(MemoryContext context, const EbTariff *tariff)
{
	EbTariff *copy = MemoryContextAlloc(context, tariff->size);

	memcpy(copy, tariff, tariff->size);
	return copy;
}

static void
merge_profiles(RegisterState *left, MemoryContext context, const RegisterState *right)
{
	EbFault fault;

	if (right->profiles == NULL)
		return;
	left->class = right->class;
	if (left->profiles == NULL)
		left->profiles = new_sum(context, left->class);
	eb_pg_usage_check(eb_usage_sum_merge(left->profiles, right->profiles, &fault), &fault);
}

static void
merge_register(Register *left, MemoryContext context, const Register *right)
{
	if (right->n == 0)
		return;
	check_wrap(left, right->wrap_wh);
	reserve(left, context, left->n + right->n);
	left->sorted = right->sorted &&
				   (left->n == 0 || (left->sorted && eb_register_compare(&left->value[left->n - 1],
																		 right->value) <= 0));
	memcpy(left->value + left->n, right->value, sizeof(EbRegisterValue) * right->n);
	left->n += right->n;
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
		left = new_state(context, copy_tariff(context, right->tariff));
	if (memcmp(left->tariff->fingerprint, right->tariff->fingerprint, EB_FINGERPRINT_SIZE) != 0)
		eb_pg_raise(eb_usage_conflict(&fault), &fault);
	for (int i = 0; i < EB_NCHANNELS; i++)
		merge_register(&left->of[i], context, &right->of[i]);
	merge_profiles(left, context, right);
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
	for (const Register *of = state->of; of < state->of + EB_NCHANNELS; of++)
	{
		pq_sendint64(&buf, of->n);
		pq_sendint64(&buf, of->wrap_wh);
		pq_sendbyte(&buf, of->sorted);
		eb_pg_send_array(&buf, of->value, of->n, sizeof(EbRegisterValue));
	}
	pq_sendbyte(&buf, state->profiles != NULL);
	if (state->profiles != NULL)
		eb_pg_usage_send_sum(&buf, state->profiles);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* The class of a state that came from a worker, kept by flinfo of the running function */
static EbUsageClass *
class_of_tariff(FunctionCallInfo fcinfo, const EbTariff *tariff)
{
	EbUsageSite *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
		site = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(EbUsageSite));
	return eb_pg_usage_class(fcinfo, site, tariff);
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
	state = new_state(CurrentMemoryContext, tariff);
	for (Register *of = state->of; of < state->of + EB_NCHANNELS; of++)
	{
		int64 n = pq_getmsgint64(&buf);

		of->wrap_wh = pq_getmsgint64(&buf);
		of->sorted = pq_getmsgbyte(&buf) != 0;
		if (n == 0)
			continue;
		reserve(of, CurrentMemoryContext, n);
		size = sizeof(EbRegisterValue) * n;
		memcpy(of->value, pq_getmsgbytes(&buf, size), size);
		of->n = n;
	}
	if (pq_getmsgbyte(&buf) != 0)
	{
		state->class = class_of_tariff(fcinfo, tariff);
		state->profiles = new_sum(CurrentMemoryContext, state->class);
		eb_pg_usage_receive_sum(&buf, state->profiles);
	}
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/* Sorting changes the order of the values, which nobody sees, and not what the state says. */
static void
sum_register(Register *of, EbChannel channel, EbUsageSum *sum, const EbUsageClass *class)
{
	EbFault fault;

	if (of->n == 0)
		return;
	if (!of->sorted)
	{
		sort_values(of->value, of->n);
		of->sorted = true;
	}
	eb_pg_usage_check(
		eb_register_usage(of->value, of->n, of->wrap_wh, channel, sum, class->by, &fault), &fault);
}

PG_FUNCTION_INFO_V1(elecbill_register_usage_final);
Datum
elecbill_register_usage_final(PG_FUNCTION_ARGS)
{
	RegisterState *state;
	const EbUsageClass *class;
	EbUsageDatum *datum;
	EbUsageSum sum;
	EbFault fault;

	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (RegisterState *) PG_GETARG_POINTER(0);
	class = state->class != NULL ? state->class : class_of_tariff(fcinfo, state->tariff);
	eb_pg_usage_sum_init(&sum, CurrentMemoryContext, class, NULL);
	if (state->profiles != NULL)
		eb_pg_usage_check(eb_usage_sum_merge(&sum, state->profiles, &fault), &fault);
	for (int i = 0; i < EB_NCHANNELS; i++)
		sum_register(&state->of[i], (EbChannel) i, &sum, class);
	datum = eb_pg_usage_sum_make(&sum, class);
	if (datum == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(datum);
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
