/*
 * tier.c -- tiers and periods for those who have limits and prices but no tariff
 * In:  quantities and arrays of numeric.
 * Out: tier_charge(), tier_lines(), tou_charge(); exact, not rounded (rating/tier.h).
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "rating/tier.h"

#define MAX_PRODUCTS 10000

/* Limits and prices of a call, checked */
typedef struct Steps
{
	EbLadder ladder;
	const int64 *price_n;
} Steps;

/* All arguments of tier_charge() but the quantity; read once where they are constants */
typedef struct ChargeRules
{
	Steps steps;
	EbTierMode mode;
	const int64 *flat_n; /* NULL: none */
} ChargeRules;

static void
check_count(int n, int wanted, const char *what)
{
	if (n != wanted)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s must have %d elements, not %d", what, wanted, n),
						errhint("There is one price more than limits: the last step has none.")));
}

static Steps
read_steps(ArrayType *limits, ArrayType *prices)
{
	Steps steps;
	int nlimits;
	int nprices;
	int64 *limit_u =
		eb_pg_int64_array(limits, EB_ENERGY_SCALE, "limits", EB_MAX_STEPS - 1, &nlimits);

	steps.price_n = eb_pg_int64_array(prices, EB_PRICE_SCALE, "prices", EB_MAX_STEPS, &nprices);
	check_count(nprices, nlimits + 1, "prices");
	for (int i = 0; i < nlimits; i++)
	{
		if (limit_u[i] <= (i == 0 ? 0 : limit_u[i - 1]))
			ereport(ERROR,
					(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("limits must rise from above 0"),
					 i == 0 ? errdetail("Limit 1 is not above 0.")
							: errdetail("Limit %d is not above limit %d.", i + 1, i),
					 errhint("Sort the limits, or merge steps that are equal.")));
		steps.ladder.bound_u[i] = limit_u[i];
	}
	steps.ladder.nsteps = nprices;
	return steps;
}

static int64
read_quantity(Datum value, const char *what)
{
	int64 quantity_u = eb_pg_energy(value, what);

	if (quantity_u < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must not be negative", what)));
	return quantity_u;
}

static EbTierMode
read_mode(text *mode)
{
	char *word = text_to_cstring(mode);

	if (strcmp(word, "graduated") == 0)
		return EB_TIER_GRADUATED;
	if (strcmp(word, "volume") == 0)
		return EB_TIER_VOLUME;
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("unknown tier mode \"%s\"", word),
					errhint("It is graduated or volume; packages and adders need a tariff.")));
}

static void
raise_overflow(void)
{
	ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("charge is out of range")));
}

static void
read_rules(FunctionCallInfo fcinfo, ChargeRules *rules)
{
	rules->steps = read_steps(PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_ARRAYTYPE_P(2));
	rules->mode = read_mode(PG_GETARG_TEXT_PP(3));
	rules->flat_n = NULL;
	if (!PG_ARGISNULL(4))
	{
		int nflats;

		rules->flat_n = eb_pg_int64_array(PG_GETARG_ARRAYTYPE_P(4), EB_PRICE_SCALE, "flats",
										  EB_MAX_STEPS, &nflats);
		check_count(nflats, rules->steps.ladder.nsteps, "flats");
	}
}

/*
 * Is the argument written down in the query? A parameter is not good enough: PL/pgSQL keeps the
 * state of an expression while its variables change.
 */
static bool
is_constant(const FmgrInfo *flinfo, int arg)
{
	const FuncExpr *call = (const FuncExpr *) flinfo->fn_expr;

	return call != NULL && IsA(call, FuncExpr) && arg < list_length(call->args) &&
		   IsA(list_nth(call->args, arg), Const);
}

/* The rules of a call whose arrays are the same in every call, else NULL */
static const ChargeRules *
constant_rules(FunctionCallInfo fcinfo)
{
	FmgrInfo *flinfo = fcinfo->flinfo;

	if (flinfo->fn_extra == NULL)
	{
		MemoryContext caller;
		ChargeRules *rules;

		for (int i = 1; i < 5; i++)
			if (!is_constant(flinfo, i))
				return NULL;
		caller = MemoryContextSwitchTo(flinfo->fn_mcxt);
		rules = palloc(sizeof(ChargeRules));
		read_rules(fcinfo, rules);
		MemoryContextSwitchTo(caller);
		flinfo->fn_extra = rules;
	}
	return (const ChargeRules *) flinfo->fn_extra;
}

PG_FUNCTION_INFO_V1(elecbill_tier_charge);
Datum
elecbill_tier_charge(PG_FUNCTION_ARGS)
{
	const ChargeRules *rules;
	ChargeRules own;
	int64 quantity_u;
	eb_int128 amount;

	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	quantity_u = read_quantity(PG_GETARG_DATUM(0), "quantity");
	rules = constant_rules(fcinfo);
	if (rules == NULL)
	{
		read_rules(fcinfo, &own);
		rules = &own;
	}
	if (!eb_tier_charge(&rules->steps.ladder, rules->mode, rules->steps.price_n, rules->flat_n,
						quantity_u, &amount))
		raise_overflow();
	return eb_pg_numeric(amount, EB_AMOUNT_SCALE, 0);
}

/* One row of tier_lines(): tier, from_kwh, to_kwh, quantity, price, amount */
static void
put_tier_line(ReturnSetInfo *result, const Steps *steps, int k, int64 quantity_u)
{
	bool last = k == steps->ladder.nsteps - 1;
	Datum value[6];
	bool null[6] = {false, false, last, false, false, false};

	value[0] = Int32GetDatum(k + 1);
	value[1] = eb_pg_numeric(k == 0 ? 0 : steps->ladder.bound_u[k - 1], EB_ENERGY_SCALE, 0);
	value[2] = last ? (Datum) 0 : eb_pg_numeric(steps->ladder.bound_u[k], EB_ENERGY_SCALE, 0);
	value[3] = eb_pg_numeric(quantity_u, EB_ENERGY_SCALE, 0);
	value[4] = eb_pg_numeric(steps->price_n[k], EB_PRICE_SCALE, 0);
	value[5] = eb_pg_numeric((eb_int128) quantity_u * steps->price_n[k], EB_AMOUNT_SCALE, 0);
	tuplestore_putvalues(result->setResult, result->setDesc, value, null);
}

PG_FUNCTION_INFO_V1(elecbill_tier_lines);
Datum
elecbill_tier_lines(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int64 quantity_u = read_quantity(PG_GETARG_DATUM(0), "quantity");
	Steps steps = read_steps(PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_ARRAYTYPE_P(2));
	int64 before_u = read_quantity(PG_GETARG_DATUM(3), "before");
	int64 step_u[EB_MAX_STEPS];

	if (!eb_ladder_fill(&steps.ladder, before_u, quantity_u, step_u))
		raise_overflow();
	InitMaterializedSRF(fcinfo, 0);
	for (int k = 0; k < steps.ladder.nsteps; k++)
		if (step_u[k] != 0)
			put_tier_line(result, &steps, k, step_u[k]);
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(elecbill_tou_charge);
Datum
elecbill_tou_charge(PG_FUNCTION_ARGS)
{
	int nprices;
	int nquantities;
	int64 *price_n = eb_pg_int64_array(PG_GETARG_ARRAYTYPE_P(0), EB_PRICE_SCALE, "prices",
									   MAX_PRODUCTS, &nprices);
	int64 *quantity_u = eb_pg_int64_array(PG_GETARG_ARRAYTYPE_P(1), EB_ENERGY_SCALE, "quantities",
										  MAX_PRODUCTS, &nquantities);
	eb_int128 sum = 0;

	if (nprices != nquantities)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("every price needs its quantity"),
						errdetail("There are %d prices and %d quantities.", nprices, nquantities)));
	for (int i = 0; i < nprices; i++)
		if (!eb_add128(sum, (eb_int128) price_n[i] * quantity_u[i], &sum))
			raise_overflow();
	return eb_pg_numeric(sum, EB_AMOUNT_SCALE, 0);
}
