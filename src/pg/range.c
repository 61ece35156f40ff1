/*
 * range.c -- tstzrange as two instants, and back
 * In:  range arguments of SQL-callable functions.
 * Out: instants for the pure core.
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "pg/errors.h"
#include "pg/range.h"
#include "pg/zone.h"

void
eb_pg_range(RangeType *range, const char *what, int64 *from_us, int64 *to_us)
{
	TypeCacheEntry *type = lookup_type_cache(RangeTypeGetOid(range), TYPECACHE_RANGE_INFO);
	RangeBound lower;
	RangeBound upper;
	bool empty;

	range_deserialize(type, range, &lower, &upper, &empty);
	if (empty)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must not be empty", what)));
	if (lower.infinite || upper.infinite)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must have both bounds", what)));
	*from_us = eb_pg_instant(DatumGetTimestampTz(lower.val), what) + (lower.inclusive ? 0 : 1);
	*to_us = eb_pg_instant(DatumGetTimestampTz(upper.val), what) + (upper.inclusive ? 1 : 0);
	if (*from_us >= *to_us)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must not be empty", what)));
}

Datum
eb_pg_range_make(int64 from_us, int64 to_us)
{
	TypeCacheEntry *type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	RangeBound lower = {.val = TimestampTzGetDatum(from_us), .inclusive = true, .lower = true};
	RangeBound upper = {.val = TimestampTzGetDatum(to_us)};

	return RangeTypePGetDatum(make_range(type, &lower, &upper, false));
}
