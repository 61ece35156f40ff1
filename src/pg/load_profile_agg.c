/*
 * load_profile_agg.c -- the aggregate load_profile_agg(): rows of instants and energies, packed
 * In:  rows (at, energy_wh, step), with a quality and a direction or without, in any order.
 * Out: load_profile. The values are kept, 16 bytes each, and put in order at the end when they did
 *      not come so; so neither order nor workers change a byte.
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
#include "pg/usage_class.h"
#include "pg/usage_wire.h"
#include "pg/zone.h"
#include "rating/load_profile_pack.h"

#define WIRE_FORMAT 1
#define FIRST_CAPACITY 32

typedef struct PackState
{
	int64 start_us; /* of slot 0, the first that came */
	int64 next_us;	/* of the slot after that of the last entry */
	int64 n;
	int64 capacity;
	EbProfileEntry *entry;
	Interval step; /* as it was given */
	int32 step_s;
	int32 channel;
	bool sorted;
} PackState;

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE EbProfileEntry
#define ST_COMPARE(a, b) eb_profile_entry_compare(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* ---------------------------------------------------------------- rows */

static void
reserve(PackState *state, MemoryContext context, int64 n)
{
	Size size;

	if (n <= state->capacity)
		return;
	state->capacity = Max(Max(n, 2 * state->capacity), FIRST_CAPACITY);
	size = sizeof(EbProfileEntry) * state->capacity;
	state->entry = state->entry == NULL ? MemoryContextAllocHuge(context, size)
										: repalloc_huge(state->entry, size);
}

static void
append(PackState *state, EbProfileEntry entry)
{
	if (state->n > 0 && entry.slot < state->entry[state->n - 1].slot)
		state->sorted = false;
	state->entry[state->n++] = entry;
}

static PackState *
new_state(MemoryContext context, int64 start_us, int32 step_s, int32 channel)
{
	PackState *state = MemoryContextAllocZero(context, sizeof(PackState));

	state->start_us = start_us;
	state->step_s = step_s;
	state->channel = channel;
	state->sorted = true;
	return state;
}

static void
check_same(const PackState *state, int32 step_s, int32 channel)
{
	if (state->step_s != step_s)
		ereport(ERROR,
				(errcode(EB_ERRCODE_CONFLICT), errmsg("one load profile cannot have two steps"),
				 errdetail("They are %d and %d s.", Min(state->step_s, step_s),
						   Max(state->step_s, step_s)),
				 errhint("GROUP BY the step; profile_resample() brings profiles to one.")));
	if (state->channel != channel)
		ereport(
			ERROR,
			(errcode(EB_ERRCODE_CONFLICT), errmsg("one load profile cannot have two directions"),
			 errdetail("They are %s and %s.", eb_profile_direction[Min(state->channel, channel)],
					   eb_profile_direction[Max(state->channel, channel)]),
			 errhint("GROUP BY the direction.")));
}

/* The slot of an instant that does not follow the one before it */
static int32
slot_of(const PackState *state, TimestampTz at)
{
	EbFault fault;
	int32 slot;

	eb_pg_check(
		eb_profile_slot(state->start_us, state->step_s, eb_pg_instant(at, "at"), &slot, &fault),
		&fault);
	return slot;
}

/* Here, because INT64_MIN has a meaning of its own in entries */
static int64
checked_wh(int64 energy_wh)
{
	if (unlikely(energy_wh < -EB_PROFILE_MOST_WH || energy_wh > EB_PROFILE_MOST_WH))
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("energy_wh is out of range"),
						errdetail("The value is " INT64_FORMAT " Wh.", energy_wh),
						errhint("It must lie within 1000000000000000 Wh of 0.")));
	return energy_wh;
}

/* The state that the row belongs to, made when it is the first */
static PackState *
state_for_row(FunctionCallInfo fcinfo, TimestampTz at)
{
	PackState *state = PG_ARGISNULL(0) ? NULL : (PackState *) PG_GETARG_POINTER(0);
	const Interval *step = PG_GETARG_INTERVAL_P(3);
	int32 channel = PG_NARGS() > 5 ? eb_pg_profile_channel(PG_GETARG_TEXT_PP(5)) : EB_IMPORT_KWH;

	if (unlikely(state == NULL))
	{
		state = new_state(eb_pg_aggcontext(fcinfo), eb_pg_instant(at, "at"),
						  eb_pg_profile_step(step), channel);
		state->next_us = at;
		state->step = *step;
	}
	else if (unlikely(memcmp(&state->step, step, sizeof(Interval)) != 0 ||
					  state->channel != channel))
		check_same(state, eb_pg_profile_step(step), channel);
	return state;
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_agg_accum);
Datum
elecbill_load_profile_agg_accum(PG_FUNCTION_ARGS)
{
	EbProfileEntry entry = {.energy_wh = EB_PROFILE_NO_WH};
	PackState *state;
	TimestampTz at;

	/* without instant, step or direction; an energy that is NULL is missing */
	if (PG_ARGISNULL(1) || PG_ARGISNULL(3) || (PG_NARGS() > 5 && PG_ARGISNULL(5)))
		return eb_pg_usage_pass_over(fcinfo);
	at = PG_GETARG_TIMESTAMPTZ(1);
	state = state_for_row(fcinfo, at);
	if (!PG_ARGISNULL(2))
		entry.energy_wh = checked_wh(PG_GETARG_INT64(2));
	if (PG_NARGS() > 4 && !PG_ARGISNULL(4))
		entry.quality = PG_GETARG_INT32(4);
	if (state->n > 0)
		entry.slot = state->entry[state->n - 1].slot + 1;
	if (unlikely(at != state->next_us || entry.slot == EB_PROFILE_MOST_VALUES))
		entry.slot = slot_of(state, at);
	if (unlikely(state->n == state->capacity))
		reserve(state, eb_pg_aggcontext(fcinfo), state->n + 1);
	append(state, entry);
	state->next_us = at + state->step_s * EB_SECOND_US;
	PG_RETURN_POINTER(state);
}

/* ---------------------------------------------------------------- workers */

PG_FUNCTION_INFO_V1(elecbill_load_profile_agg_combine);
Datum
elecbill_load_profile_agg_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = eb_pg_aggcontext(fcinfo);
	PackState *left = PG_ARGISNULL(0) ? NULL : (PackState *) PG_GETARG_POINTER(0);
	const PackState *right = PG_ARGISNULL(1) ? NULL : (PackState *) PG_GETARG_POINTER(1);
	int32 shift;

	if (left == NULL && right == NULL)
		PG_RETURN_NULL();
	if (right == NULL)
		PG_RETURN_POINTER(left);
	if (left == NULL)
	{
		left = new_state(context, right->start_us, right->step_s, right->channel);
		left->step = right->step;
	}
	check_same(left, right->step_s, right->channel);
	shift = slot_of(left, right->start_us);
	left->sorted = left->sorted && right->sorted;
	reserve(left, context, left->n + right->n);
	for (int64 i = 0; i < right->n; i++)
	{
		EbProfileEntry entry = right->entry[i];

		/* both within 2^20 of 0 */
		entry.slot += shift;
		append(left, entry);
	}
	left->next_us =
		left->start_us + (left->entry[left->n - 1].slot + 1) * (left->step_s * EB_SECOND_US);
	PG_RETURN_POINTER(left);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_agg_serialize);
Datum
elecbill_load_profile_agg_serialize(PG_FUNCTION_ARGS)
{
	const PackState *state = (PackState *) PG_GETARG_POINTER(0);
	StringInfoData buf;

	eb_pg_aggcontext(fcinfo);
	pq_begintypsend(&buf);
	pq_sendint32(&buf, WIRE_FORMAT);
	pq_sendbytes(&buf, (const char *) state, sizeof(PackState));
	eb_pg_send_array(&buf, state->entry, state->n, sizeof(EbProfileEntry));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_agg_deserialize);
Datum
elecbill_load_profile_agg_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	PackState *state = palloc(sizeof(PackState));
	StringInfoData buf = {VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), 0, 0};

	eb_pg_aggcontext(fcinfo);
	if (pq_getmsgint(&buf, 4) != WIRE_FORMAT)
		elog(ERROR, "unknown format of the state of load_profile_agg()");
	pq_copymsgbytes(&buf, (char *) state, sizeof(PackState));
	state->entry = NULL;
	state->capacity = 0;
	reserve(state, CurrentMemoryContext, state->n);
	pq_copymsgbytes(&buf, (char *) state->entry, (int) (state->n * sizeof(EbProfileEntry)));
	pq_getmsgend(&buf);
	PG_RETURN_POINTER(state);
}

/* ---------------------------------------------------------------- the end */

PG_FUNCTION_INFO_V1(elecbill_load_profile_agg_final);
Datum
elecbill_load_profile_agg_final(PG_FUNCTION_ARGS)
{
	PackState *state;
	EbProfileDraft draft = {0};
	EbProfileValue *value;
	EbFault fault;
	Datum result;

	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (PackState *) PG_GETARG_POINTER(0);
	if (!state->sorted)
	{
		/* the same state in another order; a window goes on adding to it */
		sort_entries(state->entry, state->n);
		state->sorted = true;
		state->next_us = state->start_us +
						 (state->entry[state->n - 1].slot + 1) * (state->step_s * EB_SECOND_US);
	}
	draft.start_us = state->start_us;
	draft.step_s = state->step_s;
	draft.channel = state->channel;
	eb_pg_check(eb_profile_pack_count(state->entry, state->n, &draft, &fault), &fault);
	draft.value = value = eb_pg_profile_values(draft.n);
	eb_profile_pack(state->entry, state->n, value);
	result = eb_pg_profile_make(&draft);
	pfree(value);
	PG_RETURN_DATUM(result);
}
