/*
 * usage_class.c -- what classifies the rows of an aggregate, kept for the life of a query
 * In:  the tariff argument of usage() and register_usage().
 * Out: zone, names and the cache of segments, shared by all groups of the query.
 * Floor: pg.
 */
#include "postgres.h"

#include "nodes/primnodes.h"
#include "utils/memutils.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/usage_class.h"
#include "pg/zone.h"

EbUsageClass *
eb_pg_usage_class(FunctionCallInfo fcinfo, const EbTariff *tariff)
{
	EbUsageClass *class = fcinfo->flinfo->fn_extra;
	MemoryContext caller;

	for (; class != NULL; class = class->next)
		if (memcmp(class->tariff->fingerprint, tariff->fingerprint, EB_FINGERPRINT_SIZE) == 0)
			return class;
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	class = palloc(sizeof(EbUsageClass));
	class->zone = eb_pg_tariff_zone(tariff);
	class->tariff = eb_pg_usage_tariff(tariff);
	class->shape = eb_pg_usage_shape(class->tariff);
	class->cache = palloc(sizeof(EbTouCache));
	eb_tou_cache_init(class->cache, class->tariff, class->zone);
	class->cache->stop = eb_pg_stop;
	class->next = fcinfo->flinfo->fn_extra;
	fcinfo->flinfo->fn_extra = class;
	MemoryContextSwitchTo(caller);
	return class;
}

MemoryContext
eb_pg_aggcontext(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

bool
eb_pg_tariff_is_fixed(FunctionCallInfo fcinfo)
{
	Aggref *aggref = AggGetAggref(fcinfo);
	Node *tariff;

	/* a window function has no Aggref */
	if (aggref == NULL)
		return false;
	tariff = (Node *) linitial_node(TargetEntry, aggref->args)->expr;
	return IsA(tariff, Const) || IsA(tariff, Param);
}

void
eb_pg_check_same_tariff(const EbTariff *tariff, const EbUsageShape *shape)
{
	if (memcmp(tariff->fingerprint, shape->fingerprint, EB_FINGERPRINT_SIZE) != 0)
		ereport(ERROR,
				(errcode(EB_ERRCODE_CONFLICT),
				 errmsg("one group cannot be classified by two tariffs"),
				 errdetail("They differ in more than prices: in zone, calendar, seasons, periods "
						   "or tier scopes."),
				 errhint("GROUP BY the key of the tariff, too.")));
}

void
eb_pg_usage_sum_reserve(EbUsageSum *sum, MemoryContext context, int64 n)
{
	int32 *old_day = sum->part_day;
	int64 *old_cell = sum->cell;
	Size stride = eb_usage_stride(sum);
	int32 *part_day;
	int64 *cell;

	if (n <= sum->capacity)
		return;
	n = Max(n, 2 * (int64) sum->capacity);
	if (n > PG_INT32_MAX)
		elog(ERROR, "too many parts in a usage");
	part_day = MemoryContextAlloc(context, sizeof(int32) * n);
	cell = MemoryContextAllocHuge(context, sizeof(int64) * n * stride);
	eb_usage_sum_grow(sum, (int32) n, part_day, cell);
	if (old_day != NULL)
	{
		pfree(old_day);
		pfree(old_cell);
	}
}

EbUsageDatum *
eb_pg_usage_sum_make(const EbUsageSum *sum, const EbUsageShape *shape)
{
	int64 *energy = palloc(sizeof(int64) * Max(sum->nparts, 1) * sum->nslots);
	EbUsage usage;
	EbFault fault;

	eb_pg_check(eb_usage_finish(sum, energy, &usage, &fault), &fault);
	return eb_pg_usage_make(shape, &usage);
}
