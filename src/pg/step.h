/*
 * step.h -- the length of an interval that is given by its start
 */
#ifndef ELECBILL_PG_STEP_H
#define ELECBILL_PG_STEP_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "base/civil.h"

/* Longest interval of usage(): a value of more days is a reading, for register_usage() */
#define EB_MAX_STEP_US (32 * EB_DAY_US)

/*
 * End of the interval [from, from + step); days end at the same wall clock of the zone. UB400
 * unless the step is positive, without months, and at most 32 days.
 */
extern int64 eb_pg_step_end(const EbZone *zone, int64 from_us, const Interval *step);

#endif /* ELECBILL_PG_STEP_H */
