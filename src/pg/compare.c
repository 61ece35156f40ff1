/*
 * compare.c -- compare(): what the same rows cost under many tariffs, in one scan
 * In:  rows as those of usage(), with an array of tariffs and perhaps a ctx for rating.
 * Out: the total of each tariff. Tariffs that classify alike share one sum.
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/fmgrprotos.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/load_profile.h"
#include "pg/rate.h"
#include "pg/step.h"
#include "pg/tariff.h"
#include "pg/usage_class.h"
#include "pg/usage_wire.h"
#include "pg/zone.h"

#define COMPARE_FORMAT 1
#define MOST_TARIFFS 1000

/* The tariffs of a group */
typedef struct CompareSet
{
	ArrayType *array; /* a copy */
	Datum *tariff;	  /* its elements */
	int n;
	int nclasses;
	int *class_of; /* by tariff */
	EbUsageClass **class;
} CompareSet;

/* fn_extra of the transition function; what usage_class.c knows of stands first */
typedef struct CompareSite
{
	EbUsageSite usage;
	CompareSet *set; /* of a constant array, or of the state that came last from a worker */
} CompareSite;

typedef struct CompareState
{
	const CompareSet *set;
	Jsonb *ctx;		 /* NULL: none */
	bool fixed;		 /* the array need not be looked at again */
	EbUsageSum *sum; /* by class */
} CompareState;

/* ---------------------------------------------------------------- sets */

/* Adds the class of a tariff; returns its index. */
static int
add_class(CompareSet *set, EbUsageClass *class)
{
	int i = 0;

	while (i < set->nclasses && set->class[i] != class)
		i++;
	if (i == set->nclasses)
		set->class[set->nclasses++] = class;
	return i;
}

/* Everything of the set lives in the context; its classes are kept by flinfo. */
static CompareSet *
make_set(FunctionCallInfo fcinfo, EbUsageSite *site, MemoryContext context, ArrayType *array)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	CompareSet *set = palloc0(sizeof(CompareSet));
	bool *null;

	set->array = DatumGetArrayTypePCopy(PointerGetDatum(array));
	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("tariffs must be an array of one dimension")));
	deconstruct_array(set->array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &set->tariff,
					  &null, &set->n);
	if (set->n > MOST_TARIFFS)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("more than %d tariffs cannot be compared", MOST_TARIFFS)));
	set->class_of = palloc(sizeof(int) * Max(set->n, 1));
	set->class = palloc(sizeof(EbUsageClass *) * Max(set->n, 1));
	for (int i = 0; i < set->n; i++)
	{
		if (null[i])
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("tariff number %d must not be NULL", i + 1)));
		set->class_of[i] =
			add_class(set, eb_pg_usage_class(fcinfo, site, eb_pg_tariff(set->tariff[i])));
	}
	MemoryContextSwitchTo(caller);
	return set;
}

static CompareState *
new_state(MemoryContext context, const CompareSet *set, const Jsonb *ctx)
{
	CompareState *state = MemoryContextAllocZero(context, sizeof(CompareState));

	state->set = set;
	state->sum = MemoryContextAlloc(context, sizeof(EbUsageSum) * Max(set->nclasses, 1));
	for (int i = 0; i < set->nclasses; i++)
		eb_pg_usage_sum_init(&state->sum[i], context, set->class[i], NULL);
	if (ctx != NULL)
	{
		state->ctx = MemoryContextAlloc(context, VARSIZE(ctx));
		memcpy(state->ctx, ctx, VARSIZE(ctx));
	}
	return state;
}

static void
check_same(bool same, const char *what)
{
	if (!same)
		ereport(ERROR, (errcode(EB_ERRCODE_CONFLICT), errmsg("one group has two %s", what),
						errhint("compare() takes the same %s for all rows of a group.", what)));
}

static bool
same_bytes(const void *a, const void *b)
{
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static bool
same_ctx(const Jsonb *a, const Jsonb *b)
{
	return a == NULL || b == NULL ? a == b : same_bytes(a, b);
}

static CompareSite *
compare_site(FunctionCallInfo fcinfo, int nrow)
{
	CompareSite *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CompareSite));
		eb_pg_usage_site_init(fcinfo, &site->usage, nrow);
		fcinfo->flinfo->fn_extra = site;
	}
	return site;
}

/* The state of the group that the row belongs to; made when it is new */
static CompareState *
state_for_row(FunctionCallInfo fcinfo, CompareSite *site)
{
	CompareState *state = PG_ARGISNULL(0) ? NULL : (CompareState *) PG_GETARG_POINTER(0);
	int ctx_arg = site->usage.args.ctx;
	MemoryContext context = eb_pg_aggcontext(fcinfo);
	CompareSet *set = site->set;
	Jsonb *ctx = NULL;

	if (ctx_arg != 0 && !PG_ARGISNULL(ctx_arg))
		ctx = PG_GETARG_JSONB_P(ctx_arg);
	if (state != NULL)
	{
		check_same(state->fixed || same_bytes(state->set->array, PG_GETARG_ARRAYTYPE_P(1)),
				   "arrays of tariffs");
		check_same(same_ctx(state->ctx, ctx), "ctx");
		return state;
	}
	if (set == NULL)
	{
		bool constant = site->usage.constant;

		set = make_set(fcinfo, &site->usage, constant ? fcinfo->flinfo->fn_mcxt : context,
					   PG_GETARG_ARRAYTYPE_P(1));
		site->set = constant ? set : NULL;
	}
	state = new_state(context, set, ctx);
	state->fixed = site->usage.fixed;
	return state;
}

/* ---------------------------------------------------------------- rows */

static void
add_row(CompareState *state, int class, EbUsageRow row)
{
	const EbClassifier *by = state->set->class[class]->by;
	EbFault fault;

	eb_pg_usage_check(eb_usage_add(&state->sum[class], by, &row, &fault), &fault);
}

PG_FUNCTION_INFO_V1(elecbill_compare_accum_step);
Datum
elecbill_compare_accum_step(PG_FUNCTION_ARGS)
{
	CompareSite *site = compare_site(fcinfo, EB_STEP_ROW);
	const EbUsageArgs *args = &site->usage.args;
	CompareState *state;
	const Interval *step;
	EbUsageRow row = {0};

	if (eb_pg_usage_row_is_null(fcinfo, args, EB_STEP_ROW))
		return eb_pg_usage_pass_over(fcinfo);
	state = state_for_row(fcinfo, site);
	step = PG_GETARG_INTERVAL_P(args->first + 2);
	for (int i = 0; i < state->set->nclasses; i++)
	{
		const EbZone *zone = state->set->class[i]->zone;

		/* days end by the clock of each tariff's zone */
		if (i == 0)
			row = eb_pg_usage_step_row(fcinfo, args, zone);
		else if (step->day != 0)
			row.to_us = eb_pg_step_end(zone, row.from_us, step);
		add_row(state, i, row);
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(elecbill_compare_accum_range);
Datum
elecbill_compare_accum_range(PG_FUNCTION_ARGS)
{
	CompareSite *site = compare_site(fcinfo, EB_RANGE_ROW);
	const EbUsageArgs *args = &site->usage.args;
	CompareState *state;
	EbUsageRow row;

	if (eb_pg_usage_row_is_null(fcinfo, args, EB_RANGE_ROW))
		return eb_pg_usage_pass_over(fcinfo);
	row = eb_pg_usage_range_row(fcinfo, args);
	state = state_for_row(fcinfo, site);
	for (int i = 0; i < state->set->nclasses; i++)
		add_row(state, i, row);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(elecbill_compare_accum_profile);
Datum
elecbill_compare_accum_profile(PG_FUNCTION_ARGS)
{
	CompareSite *site = compare_site(fcinfo, EB_PROFILE_ROW);
	const EbUsageArgs *args = &site->usage.args;
	CompareState *state;
	EbProfile profile;

	if (eb_pg_usage_row_is_null(fcinfo, args, EB_PROFILE_ROW))
		return eb_pg_usage_pass_over(fcinfo);
	PG_GETARG_EB_PROFILE(args->first, &profile);
	state = state_for_row(fcinfo, site);
	for (int i = 0; i < state->set->nclasses; i++)
		eb_pg_usage_add_profile(fcinfo, &state->sum[i], state->set->class[i], &profile, false);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(elecbill_compare_combine);
Datum
elecbill_compare_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = eb_pg_aggcontext(fcinfo);
	CompareState *left = PG_ARGISNULL(0) ? NULL : (CompareState *) PG_GETARG_POINTER(0);
	const CompareState *right = PG_ARGISNULL(1) ? NULL : (CompareState *) PG_GETARG_POINTER(1);
	EbFault fault;

	if (left == NULL && right == NULL)
		PG_RETURN_NULL();
	if (right == NULL)
		PG_RETURN_POINTER(left);
	if (left == NULL)
		left = new_state(context, right->set, right->ctx);
	check_same(same_bytes(left->set->array, right->set->array), "arrays of tariffs");
	check_same(same_ctx(left->ctx, right->ctx), "ctx");
	for (int i = 0; i < left->set->nclasses; i++)
		eb_pg_usage_check(eb_usage_sum_merge(&left->sum[i], &right->sum[i], &fault), &fault);
	PG_RETURN_POINTER(left);
}

/* ---------------------------------------------------------------- workers */

PG_FUNCTION_INFO_V1(elecbill_compare_serialize);
Datum
elecbill_compare_serialize(PG_FUNCTION_ARGS)
{
	const CompareState *state = (CompareState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	eb_pg_aggcontext(fcinfo);
	pq_begintypsend(&buf);
	pq_sendint32(&buf, COMPARE_FORMAT);
	pq_sendint32(&buf, VARSIZE(state->set->array));
	pq_sendbytes(&buf, (const char *) state->set->array, VARSIZE(state->set->array));
	pq_sendint32(&buf, state->ctx != NULL ? VARSIZE(state->ctx) : 0);
	if (state->ctx != NULL)
		pq_sendbytes(&buf, (const char *) state->ctx, VARSIZE(state->ctx));
	for (int i = 0; i < state->set->nclasses; i++)
		eb_pg_usage_send_sum(&buf, &state->sum[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* A varlena that was sent with its size; NULL when that is 0 */
static void *
receive_varlena(StringInfo buf)
{
	int size = (int) pq_getmsgint(buf, 4);
	void *value;

	if (size == 0)
		return NULL;
	value = palloc(size);
	pq_copymsgbytes(buf, value, size);
	return value;
}

PG_FUNCTION_INFO_V1(elecbill_compare_deserialize);
Datum
elecbill_compare_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buf = {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), 0, 0};
	CompareSite *site = fcinfo->flinfo->fn_extra;
	CompareState *state;
	ArrayType *array;

	eb_pg_aggcontext(fcinfo);
	if (site == NULL)
		site = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CompareSite));
	if (pq_getmsgint(&buf, 4) != COMPARE_FORMAT)
		elog(ERROR, "unknown format of compare state");
	array = receive_varlena(&buf);
	if (site->set == NULL || !same_bytes(site->set->array, array))
		site->set = make_set(fcinfo, &site->usage, fcinfo->flinfo->fn_mcxt, array);
	state = new_state(CurrentMemoryContext, site->set, receive_varlena(&buf));
	for (int i = 0; i < state->set->nclasses; i++)
		eb_pg_usage_receive_sum(&buf, &state->sum[i]);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/* ---------------------------------------------------------------- totals */

static Datum
total_of(const EbTariff *tariff, const EbUsageDatum *usage, Jsonb *json)
{
	const EbZone *zone = eb_pg_tariff_zone(tariff);
	EbPgRateContext ctx;
	EbPgLines lines;
	eb_int128 total = 0;

	eb_pg_rate_context(json, zone, &ctx);
	eb_pg_rate_lines(tariff, zone, eb_pg_usage_for(PointerGetDatum(usage), tariff), &ctx.rating,
					 &lines);
	/* the sum was checked when the total was rounded */
	for (int i = 0; i < lines.n; i++)
		total += lines.line[i].amount;
	return eb_pg_numeric(total, EB_AMOUNT_SCALE, tariff->minor_unit);
}

PG_FUNCTION_INFO_V1(elecbill_compare_final);
Datum
elecbill_compare_final(PG_FUNCTION_ARGS)
{
	const CompareState *state;
	const CompareSet *set;
	const EbUsageDatum **usage;
	Jsonb *ctx;
	Datum *total;
	bool *null;
	int lower = 1;
	int n;

	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (const CompareState *) PG_GETARG_POINTER(0);
	set = state->set;
	n = set->n;
	ctx = state->ctx;
	if (ctx == NULL)
		ctx = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	usage = palloc(sizeof(EbUsageDatum *) * Max(set->nclasses, 1));
	for (int i = 0; i < set->nclasses; i++)
		usage[i] = eb_pg_usage_sum_make(&state->sum[i], set->class[i]);
	total = palloc0(sizeof(Datum) * Max(set->n, 1));
	null = palloc0(sizeof(bool) * Max(set->n, 1));
	for (int i = 0; i < set->n; i++)
	{
		const EbUsageDatum *of = usage[set->class_of[i]];

		null[i] = of == NULL;
		if (of != NULL)
			total[i] = total_of(eb_pg_tariff(set->tariff[i]), of, ctx);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(total, null, set->n > 0 ? 1 : 0, &n, &lower,
											 NUMERICOID, -1, false, TYPALIGN_INT));
}
