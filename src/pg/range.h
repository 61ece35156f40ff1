/*
 * range.h -- tstzrange as two instants, and back
 */
#ifndef ELECBILL_PG_RANGE_H
#define ELECBILL_PG_RANGE_H

#include "postgres.h"

#include "utils/rangetypes.h"

/*
 * [from, to) of a tstzrange; an exclusive lower or inclusive upper bound moves by a microsecond.
 * UB400 when the range is empty, unbounded or outside of the zone tables (zone.h).
 */
extern void eb_pg_range(RangeType *range, const char *what, int64 *from_us, int64 *to_us);

/* The tstzrange [from, to). */
extern Datum eb_pg_range_make(int64 from_us, int64 to_us);

#endif /* ELECBILL_PG_RANGE_H */
