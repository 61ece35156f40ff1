/*
 * usage_moving.c -- the aggregate usage() over window frames that move
 * In:  rows that enter a frame, and the same rows when they leave it; in any form of usage().
 * Out: usage_summary of the rows in the frame, byte for byte what usage() of them alone gives.
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"

#include "pg/usage_class.h"
#include "rating/usage_moving.h"

typedef struct MovingState
{
	EbUsageMoving moving;
	EbUsageClass *class; /* NULL: there was no row yet */
	int32 no;			 /* of its tariff in the array */
} MovingState;

/* What both transition functions keep in fn_extra */
typedef struct MovingSite
{
	EbUsageSite site;
	int nrow; /* EB_STEP_ROW or EB_RANGE_ROW */
} MovingSite;

static MovingSite *
moving_site(FunctionCallInfo fcinfo)
{
	MovingSite *site = fcinfo->flinfo->fn_extra;

	if (likely(site != NULL))
		return site;
	site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(MovingSite));
	site->nrow = EB_STEP_ROW;
	for (int i = 1; i < PG_NARGS(); i++)
		if (get_fn_expr_argtype(fcinfo->flinfo, i) == TSTZRANGEOID)
			site->nrow = EB_RANGE_ROW;
	eb_pg_usage_site_init(fcinfo, &site->site, site->nrow);
	fcinfo->flinfo->fn_extra = site;
	return site;
}

static EbUsageRow
row_of(FunctionCallInfo fcinfo, const MovingSite *site, const EbUsageClass *class)
{
	if (site->nrow == EB_RANGE_ROW)
		return eb_pg_usage_range_row(fcinfo, &site->site.args);
	return eb_pg_usage_step_row(fcinfo, &site->site.args, class->zone);
}

/* The class of the row, with the state made ready for it when it is the first */
static void
enter_class(FunctionCallInfo fcinfo, MovingState *state, MemoryContext context, EbUsageSite *site)
{
	EbUsageClass *class = eb_pg_usage_class_of_row(fcinfo, site, state->class, &state->no);
	EbMemory memory = eb_pg_memory(context);

	if (state->class != NULL)
		return;
	/* memory raises before it answers NULL */
	if (eb_usage_moving_init(&state->moving, &memory, class->by, class->n) != EB_OK)
		elog(ERROR, "cannot make a sum of usage");
	state->class = class;
}

PG_FUNCTION_INFO_V1(elecbill_usage_moving_accum);
Datum
elecbill_usage_moving_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = eb_pg_aggcontext(fcinfo);
	MovingSite *site = moving_site(fcinfo);
	MovingState *state = PG_ARGISNULL(0) ? NULL : (MovingState *) PG_GETARG_POINTER(0);
	EbUsageRow row;
	EbFault fault;

	/* the state of a moving aggregate must never be NULL */
	if (state == NULL)
		state = MemoryContextAllocZero(context, sizeof(MovingState));
	if (eb_pg_usage_row_is_null(fcinfo, &site->site.args, site->nrow))
		PG_RETURN_POINTER(state);
	enter_class(fcinfo, state, context, &site->site);
	row = row_of(fcinfo, site, state->class);
	eb_pg_usage_check(eb_usage_moving_add(&state->moving, state->class->by, &row, &fault), &fault);
	PG_RETURN_POINTER(state);
}

/* NULL: what the tariff keeps cannot be taken out, PostgreSQL sums the frame anew. */
PG_FUNCTION_INFO_V1(elecbill_usage_moving_accum_inv);
Datum
elecbill_usage_moving_accum_inv(PG_FUNCTION_ARGS)
{
	MovingSite *site = moving_site(fcinfo);
	MovingState *state = (MovingState *) PG_GETARG_POINTER(0);
	EbUsageRow row;
	EbFault fault;

	eb_pg_aggcontext(fcinfo);
	if (eb_pg_usage_row_is_null(fcinfo, &site->site.args, site->nrow))
		PG_RETURN_POINTER(state);
	if (!state->moving.goes)
		PG_RETURN_NULL();
	row = row_of(fcinfo, site, state->class);
	eb_pg_usage_check(eb_usage_moving_take(&state->moving, state->class->by, &row, &fault), &fault);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(elecbill_usage_moving_final);
Datum
elecbill_usage_moving_final(PG_FUNCTION_ARGS)
{
	const MovingState *state = PG_ARGISNULL(0) ? NULL : (MovingState *) PG_GETARG_POINTER(0);
	EbUsageDatum *datum = NULL;

	eb_pg_aggcontext(fcinfo);
	if (state != NULL && state->class != NULL)
		datum = eb_pg_usage_sum_make(&state->moving.sum, state->class);
	if (datum == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(datum);
}
