/*
 * demand.c -- max_demand() and top_demands(): the power of windows, without a tariff
 * In:  rows (at, kwh, step, win) or (load profile, win) with slide, n, distinct_by and zone or
 *      without, in any order.
 * Out: the highest power and where it was; the n highest powers.
 * Floor: pg.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/load_profile.h"
#include "pg/step.h"
#include "pg/usage_class.h"
#include "pg/usage_wire.h"
#include "pg/zone.h"
#include "rating/peak.h"
#include "rating/register.h"

#define DEMAND_FORMAT 2
#define MOST_PEAKS 10000
#define MAX_ZONE 64

/* What must be the same in all rows of a group */
typedef struct DemandRule
{
	int32 window_min;
	int32 slide_min;
	int32 n;
	int32 distinct; /* EbDistinct */
	int32 channel;	/* of profiles; rows do not say */
	char zone[MAX_ZONE];
} DemandRule;

typedef struct DemandState
{
	DemandRule rule;
	const EbZone *zone;
	EbMemory memory;
	EbWindowTable table;
} DemandState;

/* Which argument is what; 0: there is none */
typedef struct DemandArgs
{
	int win;
	int slide;
	int n;
	int distinct;
	int zone;
} DemandArgs;

static DemandState *
new_state(MemoryContext context, const DemandRule *rule)
{
	DemandState *state = MemoryContextAllocZero(context, sizeof(DemandState));

	state->rule = *rule;
	state->zone = eb_pg_zone(rule->zone);
	state->memory = eb_pg_memory(context);
	state->table = eb_window_table(rule->slide_min);
	return state;
}

/* ---------------------------------------------------------------- arguments */

/* Behind the row: win [, slide] [, n, distinct_by] [, zone] */
static DemandArgs
find_args(FunctionCallInfo fcinfo, int win)
{
	DemandArgs args = {.win = win};

	for (int i = win + 1; i < PG_NARGS(); i++)
	{
		Oid type = get_fn_expr_argtype(fcinfo->flinfo, i);

		if (type == INTERVALOID)
			args.slide = i;
		else if (type == INT4OID)
			args.n = i;
		else if (args.n == i - 1)
			args.distinct = i;
		else
			args.zone = i;
	}
	return args;
}

static const DemandArgs *
demand_args(FunctionCallInfo fcinfo, int win)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		DemandArgs *args = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(DemandArgs));

		*args = find_args(fcinfo, win);
		fcinfo->flinfo->fn_extra = args;
	}
	return fcinfo->flinfo->fn_extra;
}

/* An interval as minutes that divide the whole */
static int32
minutes_of(const Interval *interval, int32 whole, const char *what, const char *of)
{
	int64 minutes = interval->time / EB_MINUTE_US + (int64) interval->day * EB_DAY_MINUTES;

	if (interval->month != 0 || interval->time % EB_MINUTE_US != 0 || minutes < 1 ||
		whole % minutes != 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s must be whole minutes that divide %s", what, of),
						errhint("Usual are 15 min, 30 min and 1 h.")));
	return (int32) minutes;
}

static EbDistinct
distinct_of(const text *word)
{
	static const char *const name[] = {"window", "day", "week", "month"};

	for (int i = 0; i < (int) lengthof(name); i++)
		if (strlen(name[i]) == VARSIZE_ANY_EXHDR(word) &&
			memcmp(name[i], VARDATA_ANY(word), VARSIZE_ANY_EXHDR(word)) == 0)
			return (EbDistinct) i;
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
					errmsg("distinct_by must be window, day, week or month")));
}

static DemandRule
rule_of_row(FunctionCallInfo fcinfo, const DemandArgs *args)
{
	DemandRule rule = {.n = 1, .distinct = EB_DISTINCT_WINDOW, .zone = "UTC"};

	for (int i = args->win; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("length of a window, slide, n, "
								   "distinct_by and zone must not be NULL")));
	rule.window_min =
		minutes_of(PG_GETARG_INTERVAL_P(args->win), EB_DAY_MINUTES, "length of a window", "a day");
	rule.slide_min = rule.window_min;
	if (args->slide != 0)
		rule.slide_min =
			minutes_of(PG_GETARG_INTERVAL_P(args->slide), rule.window_min, "slide", "the window");
	if (args->n != 0)
	{
		rule.n = PG_GETARG_INT32(args->n);
		rule.distinct = distinct_of(PG_GETARG_TEXT_PP(args->distinct));
	}
	if (rule.n < 1 || rule.n > MOST_PEAKS)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("n must be from 1 to %d", MOST_PEAKS)));
	if (args->zone != 0)
	{
		memset(rule.zone, 0, sizeof(rule.zone));
		text_to_cstring_buffer(PG_GETARG_TEXT_PP(args->zone), rule.zone, sizeof(rule.zone));
	}
	return rule;
}

static void
check_same_rule(const DemandState *state, const DemandRule *rule)
{
	if (memcmp(&state->rule, rule, sizeof(DemandRule)) != 0)
		ereport(ERROR, (errcode(EB_ERRCODE_CONFLICT), errmsg("windows of one group must be alike"),
						errdetail("Length, slide, n, distinct_by, zone and direction must be the "
								  "same in all rows."),
						errhint("GROUP BY what differs.")));
}

/* The state of the group that the row belongs to; made when it is new */
static DemandState *
state_for_row(FunctionCallInfo fcinfo, const DemandRule *rule)
{
	MemoryContext context = eb_pg_aggcontext(fcinfo);
	DemandState *state = PG_ARGISNULL(0) ? NULL : (DemandState *) PG_GETARG_POINTER(0);

	if (state == NULL)
		state = new_state(context, rule);
	check_same_rule(state, rule);
	return state;
}

static void
refuse_negative(void)
{
	ereport(ERROR,
			(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("energy of an interval must not be negative"),
			 errhint("Export is a quantity of its own; a correction is a reading.")));
}

/* Adds the energy of [from, to). */
static void
add_energy(DemandState *state, int64 from_us, int64 to_us, int64 ukwh)
{
	EbSpread spread = eb_spread(from_us, to_us, ukwh);
	EbFault fault;

	eb_pg_usage_check(
		eb_window_add(&state->table, &state->memory, state->zone, &spread, to_us, &fault), &fault);
}

/* ---------------------------------------------------------------- states */

PG_FUNCTION_INFO_V1(elecbill_demand_accum);
Datum
elecbill_demand_accum(PG_FUNCTION_ARGS)
{
	DemandState *state;
	DemandRule rule;
	int64 from_us;
	int64 kwh;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return eb_pg_usage_pass_over(fcinfo);
	rule = rule_of_row(fcinfo, demand_args(fcinfo, 4));
	state = state_for_row(fcinfo, &rule);
	from_us = eb_pg_instant(PG_GETARG_TIMESTAMPTZ(1), "start of an interval");
	kwh = eb_pg_energy(PG_GETARG_DATUM(2), "kwh");
	if (kwh < 0)
		refuse_negative();
	add_energy(state, from_us, eb_pg_step_end(state->zone, from_us, PG_GETARG_INTERVAL_P(3)), kwh);
	PG_RETURN_POINTER(state);
}

/* Values over a span go to all of it, but say nothing of windows shorter than it when it is long. */
static void
add_profile(DemandState *state, const EbProfile *profile)
{
	int64 step_us = eb_profile_step_us(profile);
	int64 exact_us = Max(EB_REGISTER_EXACT_US, state->rule.window_min * EB_MINUTE_US);
	int64 from_us = profile->start_us; /* behind the value before this one */
	EbProfileQuality walk = {0};

	for (int32 i = 0; i < profile->n; i++)
	{
		bool span = (eb_profile_next_quality(profile, &walk) & EB_PROFILE_SPAN) != 0;
		int64 to_us = profile->start_us + (i + 1) * step_us;

		if (eb_profile_is_missing(profile, i))
			continue;
		if (!span)
			from_us = to_us - step_us;
		if (!span || to_us - from_us <= exact_us)
			add_energy(state, from_us, to_us, eb_profile_wh(profile, i) * EB_WH);
		from_us = to_us;
	}
}

PG_FUNCTION_INFO_V1(elecbill_demand_accum_profile);
Datum
elecbill_demand_accum_profile(PG_FUNCTION_ARGS)
{
	DemandState *state;
	DemandRule rule;
	EbProfile profile;

	if (PG_ARGISNULL(1))
		return eb_pg_usage_pass_over(fcinfo);
	PG_GETARG_EB_PROFILE(1, &profile);
	rule = rule_of_row(fcinfo, demand_args(fcinfo, 2));
	rule.channel = profile.channel;
	state = state_for_row(fcinfo, &rule);
	if (profile.base_wh < 0)
		refuse_negative();
	add_profile(state, &profile);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(elecbill_demand_combine);
Datum
elecbill_demand_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = eb_pg_aggcontext(fcinfo);
	DemandState *left = PG_ARGISNULL(0) ? NULL : (DemandState *) PG_GETARG_POINTER(0);
	const DemandState *right = PG_ARGISNULL(1) ? NULL : (DemandState *) PG_GETARG_POINTER(1);
	EbFault fault;

	if (left == NULL && right == NULL)
		PG_RETURN_NULL();
	if (right == NULL)
		PG_RETURN_POINTER(left);
	if (left == NULL)
		left = new_state(context, &right->rule);
	check_same_rule(left, &right->rule);
	eb_pg_usage_check(eb_window_merge(&left->table, &left->memory, &right->table, &fault), &fault);
	PG_RETURN_POINTER(left);
}

PG_FUNCTION_INFO_V1(elecbill_demand_serialize);
Datum
elecbill_demand_serialize(PG_FUNCTION_ARGS)
{
	const DemandState *state = (DemandState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	eb_pg_aggcontext(fcinfo);
	pq_begintypsend(&buf);
	pq_sendint32(&buf, DEMAND_FORMAT);
	pq_sendbytes(&buf, (const char *) &state->rule, sizeof(DemandRule));
	eb_pg_usage_send_table(&buf, &state->table);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(elecbill_demand_deserialize);
Datum
elecbill_demand_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buf = {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), 0, 0};
	DemandState *state;
	DemandRule rule;

	eb_pg_aggcontext(fcinfo);
	if (pq_getmsgint(&buf, 4) != DEMAND_FORMAT)
		elog(ERROR, "unknown format of demand state");
	pq_copymsgbytes(&buf, (char *) &rule, sizeof(rule));
	state = new_state(CurrentMemoryContext, &rule);
	eb_pg_usage_receive_table(&buf, &state->memory, &state->table);
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/* ---------------------------------------------------------------- the end */

/* The highest windows of the state, falling */
static EbPeakList
find_peaks(const DemandState *state)
{
	EbMemory memory = eb_pg_memory(CurrentMemoryContext);
	EbWindowReader reader = eb_window_open(&state->table, NULL, state->rule.window_min);
	EbPeakList list = {
		.keep = state->rule.n, .distinct = (EbDistinct) state->rule.distinct, .zone = state->zone};
	EbWindow window;
	EbStatus status;
	EbFault fault;

	while (eb_window_next(&reader, &window, &status))
	{
		EbPeak peak = {.at_us = window.from_us};

		if (!eb_window_power(window.active_ukwh, state->rule.window_min, &peak.ukw))
			eb_pg_raise(eb_usage_overflow(&fault), &fault);
		if (!eb_peak_put(&list, &memory, peak))
			elog(ERROR, "no memory for peaks");
	}
	if (status != EB_OK)
		eb_pg_raise(eb_usage_overflow(&fault), &fault);
	return list;
}

PG_FUNCTION_INFO_V1(elecbill_demand_max);
Datum
elecbill_demand_max(PG_FUNCTION_ARGS)
{
	EbPeakList list;
	TupleDesc row;
	Datum value[2];
	bool null[2] = {false, false};

	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	list = find_peaks((DemandState *) PG_GETARG_POINTER(0));
	if (list.n == 0)
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "max_demand() must return a row");
	value[0] = eb_pg_numeric(list.peak[0].ukw, EB_ENERGY_SCALE, 0);
	value[1] = TimestampTzGetDatum(list.peak[0].at_us);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), value, null)));
}

PG_FUNCTION_INFO_V1(elecbill_demand_top);
Datum
elecbill_demand_top(PG_FUNCTION_ARGS)
{
	EbPeakList list;
	Datum *value;

	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	list = find_peaks((DemandState *) PG_GETARG_POINTER(0));
	value = palloc(sizeof(Datum) * Max(list.n, 1));
	for (int i = 0; i < list.n; i++)
		value[i] = eb_pg_numeric(list.peak[i].ukw, EB_ENERGY_SCALE, 0);
	PG_RETURN_ARRAYTYPE_P(construct_array(value, list.n, NUMERICOID, -1, false, TYPALIGN_INT));
}
