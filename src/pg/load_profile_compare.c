/*
 * load_profile_compare.c -- which load profiles are equal, which comes first; hashes
 * In:  profiles.
 * Out: answers for operators and operator classes. Equal contents are equal bytes.
 * Floor: pg.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "common/hashfn.h"
#include "fmgr.h"

#include "pg/load_profile.h"
#include "rating/load_profile_ops.h"

/*
 * Sorts and indexes call these without end in one memory context: what was stored out of line, and had
 * to be copied, is freed at once.
 */
static bool
is_equal(FunctionCallInfo fcinfo)
{
	struct varlena *a;
	struct varlena *b;
	bool equal;

	/* this is known without a copy */
	if (toast_raw_datum_size(PG_GETARG_DATUM(0)) != toast_raw_datum_size(PG_GETARG_DATUM(1)))
		return false;
	a = PG_GETARG_VARLENA_PP(0);
	b = PG_GETARG_VARLENA_PP(1);
	equal = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return equal;
}

static int
compare(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	EbProfile first;
	EbProfile second;
	int order;

	eb_pg_profile(PointerGetDatum(a), &first);
	eb_pg_profile(PointerGetDatum(b), &second);
	order = eb_profile_compare(&first, &second);
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_eq);
Datum
elecbill_load_profile_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(is_equal(fcinfo));
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_ne);
Datum
elecbill_load_profile_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!is_equal(fcinfo));
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_lt);
Datum
elecbill_load_profile_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_le);
Datum
elecbill_load_profile_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_ge);
Datum
elecbill_load_profile_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_gt);
Datum
elecbill_load_profile_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_cmp);
Datum
elecbill_load_profile_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_hash);
Datum
elecbill_load_profile_hash(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	Datum hash = hash_any((unsigned char *) VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value));

	PG_FREE_IF_COPY(value, 0);
	return hash;
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_hash_extended);
Datum
elecbill_load_profile_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	Datum hash = hash_any_extended((unsigned char *) VARDATA_ANY(value),
								   (int) VARSIZE_ANY_EXHDR(value), PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(value, 0);
	return hash;
}
