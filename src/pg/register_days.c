/*
 * register_days.c -- the aggregate _register_days(): stored readings of a register, packed by day
 * In:  rows (read_at, slot_at, register_wh, quality) of one register in any order; what else there is
 *      to know of it is in every row, and the first one counts.
 * Out: elecbill.register_day[], a row for each day with intervals.
 * Floor: pg.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/load_profile.h"
#include "pg/usage_class.h"
#include "pg/zone.h"
#include "rating/register.h"
#include "rating/register_days.h"

#define FIRST_CAPACITY 256
#define MOST_DAYS 4000
#define DAY_COLUMNS 6

/* Arguments behind those of the reading */
enum
{
	ARG_READ_AT = 1,
	ARG_SLOT_AT,
	ARG_REGISTER_WH,
	ARG_QUALITY,
	ARG_FROM,
	ARG_TO,
	ARG_STARTS,
	ARG_STEP,
	ARG_MULTIPLIER,
	ARG_WRAP_WH,
	ARG_DIRECTION,
	NARGS
};

typedef struct DaysState
{
	EbRegisterDays of;
	EbReading *reading;
	size_t n;
	size_t capacity;
	int32 channel;
	bool sorted;
} DaysState;

static inline int
reading_compare(const EbReading *a, const EbReading *b)
{
	return (a->read_us > b->read_us) - (a->read_us < b->read_us);
}

#define ST_SORT sort_readings
#define ST_ELEMENT_TYPE EbReading
#define ST_COMPARE(a, b) reading_compare(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static pg_attribute_noreturn() void bad_argument(const char *detail)
{
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("days of a register cannot be packed"),
					errdetail("%s", detail)));
}

/* Midnights rise, are at most four days apart, and few enough. */
static void
read_starts(DaysState *state, ArrayType *array)
{
	int n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const TimestampTz *start = (const TimestampTz *) ARR_DATA_PTR(array);
	int64 *start_us;

	if (ARR_NDIM(array) != 1 || array_contains_nulls(array) || n < 2 || n > MOST_DAYS + 1)
		bad_argument("The starts must be 2 to 4001 instants.");
	start_us = palloc(sizeof(int64) * n);
	for (int i = 0; i < n; i++)
	{
		start_us[i] = eb_pg_instant(start[i], "start");
		if (start_us[i] % USECS_PER_SEC != 0 ||
			(i > 0 &&
			 (start_us[i] <= start_us[i - 1] || start_us[i] - start_us[i - 1] > 4 * USECS_PER_DAY)))
			bad_argument("The starts must be whole seconds and rise from day to day.");
	}
	state->of.start_us = start_us;
	state->of.ndays = n - 1;
}

static int64
checked_multiplier(Datum multiplier)
{
	int64 result = eb_pg_int64_from_numeric(multiplier, 4, "multiplier");

	if (result <= 0 || result > INT64CONST(10000000000))
		bad_argument("The multiplier must be above 0 and at most 1000000.");
	return result;
}

static DaysState *
first_row(FunctionCallInfo fcinfo, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	DaysState *state = palloc0(sizeof(DaysState));

	for (int i = ARG_FROM; i < NARGS; i++)
		if (PG_ARGISNULL(i))
			bad_argument("Only slot and quality of a reading may be NULL.");
	state->of.step_s = eb_pg_profile_step(PG_GETARG_INTERVAL_P(ARG_STEP));
	read_starts(state, PG_GETARG_ARRAYTYPE_P(ARG_STARTS));
	/* what lies outside of the days is wanted only as far as it says how good their first value is */
	state->of.from_us = Max(PG_GETARG_TIMESTAMPTZ(ARG_FROM), EB_ZONE_FROM_US);
	state->of.to_us = Min(PG_GETARG_TIMESTAMPTZ(ARG_TO), EB_ZONE_TO_US);
	state->of.multiplier = checked_multiplier(PG_GETARG_DATUM(ARG_MULTIPLIER));
	state->of.wrap_wh = PG_GETARG_INT64(ARG_WRAP_WH);
	if (state->of.wrap_wh <= 0 || state->of.wrap_wh > INT64CONST(1000000000000000))
		bad_argument("wrap_wh must be above 0 and at most 1000000000000000.");
	state->channel = eb_pg_profile_channel(PG_GETARG_TEXT_PP(ARG_DIRECTION));
	state->capacity = FIRST_CAPACITY;
	state->reading = palloc(sizeof(EbReading) * state->capacity);
	state->sorted = true;
	MemoryContextSwitchTo(old);
	return state;
}

PG_FUNCTION_INFO_V1(elecbill_register_days_accum);
Datum
elecbill_register_days_accum(PG_FUNCTION_ARGS)
{
	DaysState *state = PG_ARGISNULL(0) ? NULL : (DaysState *) PG_GETARG_POINTER(0);
	EbReading one = {.slot_us = EB_NO_SLOT};

	if (PG_ARGISNULL(ARG_READ_AT) || PG_ARGISNULL(ARG_REGISTER_WH))
		return eb_pg_usage_pass_over(fcinfo);
	if (unlikely(state == NULL))
		state = first_row(fcinfo, eb_pg_aggcontext(fcinfo));
	one.read_us = PG_GETARG_TIMESTAMPTZ(ARG_READ_AT);
	if (!PG_ARGISNULL(ARG_SLOT_AT))
		one.slot_us = PG_GETARG_TIMESTAMPTZ(ARG_SLOT_AT);
	one.register_wh = PG_GETARG_INT64(ARG_REGISTER_WH);
	if (!PG_ARGISNULL(ARG_QUALITY))
		one.quality = PG_GETARG_INT32(ARG_QUALITY);
	if (one.register_wh < 0 || one.register_wh >= EB_REGISTER_LIMIT || one.quality < 0)
		bad_argument("A register or a quality is out of range.");
	/* nothing out there can count, and differences of what is left fit */
	if (unlikely(one.read_us < EB_ZONE_FROM_US || one.read_us > EB_ZONE_TO_US ||
				 (one.slot_us != EB_NO_SLOT &&
				  (one.slot_us < EB_ZONE_FROM_US || one.slot_us > EB_ZONE_TO_US))))
		PG_RETURN_POINTER(state);
	if (unlikely(state->n == state->capacity))
	{
		state->capacity *= 2;
		state->reading = repalloc_huge(state->reading, sizeof(EbReading) * state->capacity);
	}
	if (state->n > 0 && one.read_us < state->reading[state->n - 1].read_us)
		state->sorted = false;
	state->reading[state->n++] = one;
	PG_RETURN_POINTER(state);
}

static Datum
day_row(const DaysState *state, TupleDesc desc, const EbRegisterDay *day,
		const EbProfileValue *value)
{
	int64 start_us = state->of.start_us[day->no];
	bool whole = day->on_grid && day->first_us == start_us &&
				 day->last_us == state->of.start_us[day->no + 1];
	EbProfileDraft draft = {.start_us = start_us,
							.step_s = state->of.step_s,
							.n = day->n,
							.channel = state->channel,
							.value = value};
	Datum column[DAY_COLUMNS] = {
		Int32GetDatum(day->no + 1),		   TimestampTzGetDatum(day->first_us),
		TimestampTzGetDatum(day->last_us), BoolGetDatum(day->on_grid),
		BoolGetDatum(day->exact),
	};
	bool null[DAY_COLUMNS] = {false};

	null[DAY_COLUMNS - 1] = !whole;
	if (whole)
		column[DAY_COLUMNS - 1] = eb_pg_profile_make(&draft);
	return HeapTupleGetDatum(heap_form_tuple(desc, column, null));
}

static ArrayType *
all_days(DaysState *state, Oid type)
{
	TupleDesc desc = lookup_rowtype_tupdesc_copy(type, -1);
	EbProfileValue *value = eb_pg_profile_values(eb_register_day_room(&state->of));
	Datum *row = palloc(sizeof(Datum) * state->of.ndays);
	EbRegisterDay day;
	size_t at = 0;
	int n = 0;

	while (eb_register_next_day(&state->of, state->reading, state->n, &at, &day, value))
	{
		/* boundaries rise, so each day comes once */
		Assert(n < state->of.ndays);
		row[n++] = day_row(state, desc, &day, value);
	}
	return construct_array(row, n, type, -1, false, TYPALIGN_DOUBLE);
}

PG_FUNCTION_INFO_V1(elecbill_register_days_final);
Datum
elecbill_register_days_final(PG_FUNCTION_ARGS)
{
	DaysState *state;
	EbFault fault;

	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (DaysState *) PG_GETARG_POINTER(0);
	if (!state->sorted)
		sort_readings(state->reading, state->n);
	eb_pg_check(eb_register_count(&state->of, state->reading, &state->n, &fault), &fault);
	PG_RETURN_ARRAYTYPE_P(all_days(state, get_element_type(get_fn_expr_rettype(fcinfo->flinfo))));
}
