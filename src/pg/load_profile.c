/*
 * load_profile.c -- the SQL type elecbill.load_profile: text, binary messages, arrays
 * In:  text, messages, arrays of energies and qualities.
 * Out: profiles, and views of them for all that reads them; text and messages again.
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/load_profile.h"
#include "rating/load_profile_text.h"
#include "rating/load_profile_wire.h"

/* ---------------------------------------------------------------- for the rest of the glue */

void
eb_pg_profile_damaged(const EbFault *fault)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("stored load_profile is damaged"),
					errdetail_internal("%s", fault->detail), errhint("Write the value anew.")));
}

Datum
eb_pg_profile_make(const EbProfileDraft *draft)
{
	struct varlena *datum;
	EbFault fault;
	size_t size;

	eb_pg_check(eb_profile_size(draft, &size, &fault), &fault);
	datum = palloc(VARHDRSZ + size);
	SET_VARSIZE(datum, VARHDRSZ + size);
	eb_profile_write(draft, (uint8 *) VARDATA(datum));
	return PointerGetDatum(datum);
}

EbProfileValue *
eb_pg_profile_values(int32 n)
{
	return palloc(sizeof(EbProfileValue) * Max(n, 1));
}

int32
eb_pg_profile_step(const Interval *step)
{
	int64 step_s = step->day * INT64CONST(86400) + step->time / EB_SECOND_US;
	EbFault fault;

	if (step->month != 0 || step->time % EB_SECOND_US != 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("step of a load profile must be whole seconds, without months"),
						errhint("Give it in days, hours, minutes and seconds: 15 min, 1 day.")));
	eb_pg_check(eb_profile_check_step(step_s, &fault), &fault);
	return (int32) step_s;
}

int32
eb_pg_profile_channel(const text *direction)
{
	EbText name = {VARDATA_ANY(direction), VARSIZE_ANY_EXHDR(direction)};
	int channel = eb_profile_channel(name);

	if (channel < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("there is no direction \"%.*s\"",
							   pg_mbcliplen(name.data, name.len, 64), name.data),
						errhint("Directions are import, export, import_kvarh and export_kvarh.")));
	return channel;
}

/* ---------------------------------------------------------------- SQL: the type */

PG_FUNCTION_INFO_V1(elecbill_load_profile_in);
Datum
elecbill_load_profile_in(PG_FUNCTION_ARGS)
{
	char *string = PG_GETARG_CSTRING(0);
	EbText text = {string, (int) strlen(string)};
	EbProfileDraft draft;
	EbProfileValue *value;
	EbFault fault;

	eb_pg_check(eb_profile_parse(text, &draft, NULL, &fault), &fault);
	value = eb_pg_profile_values(draft.n);
	eb_pg_check(eb_profile_parse(text, &draft, value, &fault), &fault);
	PG_RETURN_EB_PROFILE(&draft);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_out);
Datum
elecbill_load_profile_out(PG_FUNCTION_ARGS)
{
	EbProfile profile;
	size_t size;
	char *text;

	PG_GETARG_EB_PROFILE(0, &profile);
	size = eb_profile_text(&profile, NULL, 0);
	text = palloc(size + 1);
	eb_profile_text(&profile, text, size);
	text[size] = '\0';
	PG_RETURN_CSTRING(text);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_recv);
Datum
elecbill_load_profile_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	int size = message->len - message->cursor;
	struct varlena *datum = palloc(VARHDRSZ + size);
	EbProfile profile;
	EbFault fault;

	SET_VARSIZE(datum, VARHDRSZ + size);
	pq_copymsgbytes(message, VARDATA(datum), size);
	eb_pg_check(eb_profile_from_wire((uint8 *) VARDATA(datum), size, &profile, &fault), &fault);
	PG_RETURN_POINTER(datum);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_send);
Datum
elecbill_load_profile_send(PG_FUNCTION_ARGS)
{
	struct varlena *stored = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	Size size = VARSIZE_ANY_EXHDR(stored);
	bytea *message = palloc(VARHDRSZ + size);
	EbProfile profile;

	eb_pg_profile(PointerGetDatum(stored), &profile); /* refuses what is damaged */
	SET_VARSIZE(message, VARHDRSZ + size);
	memcpy(VARDATA(message), VARDATA_ANY(stored), size);
	eb_profile_to_wire((uint8 *) VARDATA(message), size);
	PG_RETURN_BYTEA_P(message);
}

/* ---------------------------------------------------------------- SQL: from arrays */

/* A plain list of integers, not too many; a NULL in it is a NULL of the result */
static Datum *
deconstruct(ArrayType *array, const char *what, bool **null, int *n)
{
	Datum *element;
	EbFault fault;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must be a plain list", what),
						errdetail("The array has %d dimensions.", ARR_NDIM(array)),
						errhint("Make a profile of each row.")));
	eb_pg_check(eb_profile_check_count(ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)), &fault),
				&fault);
	if (ARR_ELEMTYPE(array) == INT8OID)
		deconstruct_array(array, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &element, null, n);
	else
		deconstruct_array(array, INT4OID, 4, true, TYPALIGN_INT, &element, null, n);
	return element;
}

static void
set_qualities(EbProfileValue *value, int n, ArrayType *array)
{
	bool *null;
	int nqualities;
	Datum *element = deconstruct(array, "quality", &null, &nqualities);

	if (nqualities != n)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("there must be as many qualities as energies"),
						errdetail("There are %d and %d.", nqualities, n),
						errhint("NULL stands for 0; without the list all are 0.")));
	for (int i = 0; i < n; i++)
		value[i].quality = null[i] ? 0 : DatumGetInt32(element[i]);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile);
Datum
elecbill_load_profile(PG_FUNCTION_ARGS)
{
	EbProfileDraft draft = {.start_us = PG_GETARG_TIMESTAMPTZ(0),
							.step_s = eb_pg_profile_step(PG_GETARG_INTERVAL_P(1))};
	EbProfileValue *value;
	bool *null;
	Datum *element = deconstruct(PG_GETARG_ARRAYTYPE_P(2), "energy_wh", &null, &draft.n);

	value = eb_pg_profile_values(draft.n);
	for (int i = 0; i < draft.n; i++)
		value[i] = (EbProfileValue){null[i] ? 0 : DatumGetInt64(element[i]), 0, null[i]};
	draft.value = value;
	if (PG_NARGS() > 3)
		set_qualities(value, draft.n, PG_GETARG_ARRAYTYPE_P(3));
	if (PG_NARGS() > 4)
		draft.channel = eb_pg_profile_channel(PG_GETARG_TEXT_PP(4));
	PG_RETURN_EB_PROFILE(&draft);
}
