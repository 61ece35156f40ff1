/*
 * load_profile_compare.c -- which load profiles are equal, which comes first; hashes
 * In:  profiles.
 * Out: answers for operators and operator classes. Equal contents are equal bytes.
 * Floor: pg.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"

#include "pg/load_profile.h"
#include "rating/load_profile_ops.h"

static bool
is_equal(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	struct varlena *b = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));

	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static int
compare(FunctionCallInfo fcinfo)
{
	EbProfile a;
	EbProfile b;

	PG_GETARG_EB_PROFILE(0, &a);
	PG_GETARG_EB_PROFILE(1, &b);
	return eb_profile_compare(&a, &b);
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
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));

	return hash_any((unsigned char *) VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value));
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_hash_extended);
Datum
elecbill_load_profile_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));

	return hash_any_extended((unsigned char *) VARDATA_ANY(value), (int) VARSIZE_ANY_EXHDR(value),
							 PG_GETARG_INT64(1));
}
