/*
 * usage_class.h -- what classifies the rows of an aggregate, kept for the life of a query
 * One class per fingerprint: tariffs that differ only in prices share it.
 */
#ifndef ELECBILL_PG_USAGE_CLASS_H
#define ELECBILL_PG_USAGE_CLASS_H

#include "postgres.h"

#include "fmgr.h"

#include "pg/usage.h"

/* Longest interval of usage(): a value of more days is a reading, for register_usage() */
#define EB_MAX_STEP_US (32 * EB_DAY_US)

typedef struct EbUsageClass
{
	struct EbUsageClass *next;
	const EbTariff *tariff; /* a copy, sorted: eb_pg_usage_tariff() */
	const EbZone *zone;
	EbUsageShape *shape;
	EbTouCache *cache;
} EbUsageClass;

/* The class of a tariff; made on first use and kept by flinfo of the running function. */
extern EbUsageClass *eb_pg_usage_class(FunctionCallInfo fcinfo, const EbTariff *tariff);

/* The memory context of the aggregate's states; raises when no aggregate is running. */
extern MemoryContext eb_pg_aggcontext(FunctionCallInfo fcinfo);

/*
 * Is the tariff of an aggregate (its first argument) the same for all rows of a group? True for
 * constants, parameters and the answers of subqueries that do not depend on the row; then it is
 * looked at once per group, otherwise once per row.
 */
extern bool eb_pg_tariff_is_fixed(FunctionCallInfo fcinfo);

/* Raises UB409: another tariff than the one that the group began with. */
extern void eb_pg_check_same_tariff(const EbTariff *tariff, const EbUsageShape *shape);

/* Room for n parts in the sum, in the given memory context. */
extern void eb_pg_usage_sum_reserve(EbUsageSum *sum, MemoryContext context, int64 n);

/* The sum as a datum in the current memory context. */
extern EbUsageDatum *eb_pg_usage_sum_make(const EbUsageSum *sum, const EbUsageShape *shape);

#endif /* ELECBILL_PG_USAGE_CLASS_H */
