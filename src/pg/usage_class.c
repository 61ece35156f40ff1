/*
 * usage_class.c -- what classifies the rows of an aggregate, kept for the life of a query
 * In:  the tariff argument of usage() and register_usage(), or an array of tariffs and a number.
 * Out: classifiers and shapes, shared by all groups of the query; memory for their sums.
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/tariff.h"
#include "pg/usage_class.h"
#include "pg/zone.h"

/* ---------------------------------------------------------------- sites */

/*
 * Is the first argument of the aggregate the same for all rows of a group? True for constants,
 * parameters and the answers of subqueries that do not depend on the row; then it is looked at
 * once per group, otherwise once per row.
 */
static void
look_at_tariff(FunctionCallInfo fcinfo, EbUsageSite *site)
{
	Aggref *aggref = AggGetAggref(fcinfo);
	Node *tariff;

	/* a window function has no Aggref */
	if (aggref == NULL)
		return;
	tariff = (Node *) linitial_node(TargetEntry, aggref->args)->expr;
	site->constant = IsA(tariff, Const);
	site->fixed = site->constant || IsA(tariff, Param);
}

void
eb_pg_usage_site_init(FunctionCallInfo fcinfo, EbUsageSite *site, int nrow)
{
	look_at_tariff(fcinfo, site);
	site->args = eb_pg_usage_args(fcinfo, nrow);
	site->profiles = nrow == EB_PROFILE_ROW;
}

EbUsageSite *
eb_pg_usage_site(FunctionCallInfo fcinfo, int nrow)
{
	EbUsageSite *site = fcinfo->flinfo->fn_extra;

	if (likely(site != NULL))
		return site;
	site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(EbUsageSite));
	eb_pg_usage_site_init(fcinfo, site, nrow);
	fcinfo->flinfo->fn_extra = site;
	return site;
}

/* ---------------------------------------------------------------- classes */

/*
 * What a classifier keeps, some megabytes of which few pages are ever touched. In one piece: from
 * what is freed malloc() learns how much to hold back (twice the largest piece), and with less of it
 * every query takes the memory of its groups anew from the system, page by page.
 */
static void
make_caches(EbClassifier *by, bool profiles)
{
	Size size = MAXALIGN(sizeof(EbTouCache));
	char *room = palloc(size + (profiles ? sizeof(EbPlans) : 0));

	by->cache = (EbTouCache *) room;
	eb_tou_cache_init(by->cache, by->tariff, by->zone);
	by->cache->stop = eb_pg_stop;
	if (!profiles)
		return;
	by->plans = (EbPlans *) (room + size);
	eb_plans_init(by->plans);
}

static void
make_classifiers(EbUsageClass *class, bool profiles)
{
	class->n = eb_classifier_count(class->tariff);
	class->versions = class->tariff->version.n > 0;
	class->whole = class->versions;
	class->by = palloc(sizeof(EbClassifier) * class->n);
	eb_classifier_init(class->by, class->tariff, class->zone);
	for (int i = 0; i < class->n; i++)
	{
		EbClassifier *by = &class->by[i];

		class->whole |= by->layout.ntables > 0;
		make_caches(by, profiles);
	}
}

EbUsageClass *
eb_pg_usage_class(FunctionCallInfo fcinfo, EbUsageSite *site, const EbTariff *tariff)
{
	EbUsageClass *class = site->first;
	MemoryContext caller;

	for (; class != NULL; class = class->next)
		if (memcmp(class->shape->fingerprint, tariff->fingerprint, EB_FINGERPRINT_SIZE) == 0)
			return class;
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	class = palloc0(sizeof(EbUsageClass));
	class->zone = eb_pg_tariff_zone(tariff);
	class->tariff = eb_pg_usage_tariff(tariff);
	class->shape = eb_pg_usage_shape(class->tariff);
	make_classifiers(class, site->profiles);
	class->next = site->first;
	site->first = class;
	MemoryContextSwitchTo(caller);
	return class;
}

/* The tariff of that number in the array of the row */
static const EbTariff *
tariff_of_no(FunctionCallInfo fcinfo, const EbUsageSite *site, int32 no)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(site->args.tariff);
	bool isnull = true;
	Datum value = (Datum) 0;
	int n = ARR_NDIM(array) == 1 ? ARR_DIMS(array)[0] : 0;
	int index = ARR_NDIM(array) == 1 ? ARR_LBOUND(array)[0] + no - 1 : 0;

	if (no >= 1 && no <= n)
		value = array_get_element(PointerGetDatum(array), 1, &index, -1, -1, false, TYPALIGN_DOUBLE,
								  &isnull);
	if (isnull)
		ereport(ERROR, (errcode(EB_ERRCODE_UNKNOWN), errmsg("there is no tariff number %d", no),
						errdetail("Length of the array: %d.", n)));
	return eb_pg_tariff(value);
}

static EbUsageClass *
class_of_no(FunctionCallInfo fcinfo, EbUsageSite *site, int32 no)
{
	EbUsageClass *class;
	MemoryContext caller;

	if (!site->constant)
		return eb_pg_usage_class(fcinfo, site, tariff_of_no(fcinfo, site, no));
	if (no >= 1 && no <= site->nnumbers && site->of_no[no - 1] != NULL)
		return site->of_no[no - 1];
	class = eb_pg_usage_class(fcinfo, site, tariff_of_no(fcinfo, site, no));
	if (no > site->nnumbers)
	{
		int n = Max(no, 2 * site->nnumbers);
		EbUsageClass **of_no;

		caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		of_no = palloc0(sizeof(EbUsageClass *) * n);
		MemoryContextSwitchTo(caller);
		if (site->nnumbers > 0)
			memcpy(of_no, site->of_no, sizeof(EbUsageClass *) * site->nnumbers);
		site->of_no = of_no;
		site->nnumbers = n;
	}
	site->of_no[no - 1] = class;
	return class;
}

static void
refuse_two_tariffs(void)
{
	ereport(ERROR,
			(errcode(EB_ERRCODE_CONFLICT), errmsg("one group cannot be classified by two tariffs"),
			 errdetail("They differ in more than prices: in zone, calendar, seasons, periods "
					   "or tier scopes."),
			 errhint("GROUP BY the key of the tariff, too.")));
}

EbUsageClass *
eb_pg_usage_class_of_row(FunctionCallInfo fcinfo, EbUsageSite *site, const EbUsageClass *before,
						 int32 *no)
{
	EbUsageClass *class;

	if (site->args.no != 0)
	{
		int32 number = PG_GETARG_INT32(site->args.no);

		if (before != NULL && site->fixed && number == *no)
			return unconstify(EbUsageClass *, before);
		class = class_of_no(fcinfo, site, number);
		*no = number;
	}
	else
	{
		if (before != NULL && site->fixed)
			return unconstify(EbUsageClass *, before);
		class = site->only;
		if (class == NULL)
			class = eb_pg_usage_class(fcinfo, site, PG_GETARG_EB_TARIFF(site->args.tariff));
		if (site->constant)
			site->only = class;
	}
	if (before != NULL && before != class)
		refuse_two_tariffs();
	return class;
}

/* ---------------------------------------------------------------- sums */

MemoryContext
eb_pg_aggcontext(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

static void *
resize(void *context, void *old, size_t size)
{
	return old == NULL ? MemoryContextAllocHuge(context, size) : repalloc_huge(old, size);
}

EbMemory
eb_pg_memory(MemoryContext context)
{
	return (EbMemory){resize, context};
}

void
eb_pg_usage_check(EbStatus status, const EbFault *fault)
{
	/* memory that ends raises by itself; this is an array of 2^31 elements */
	if (status == EB_NO_SPACE)
		elog(ERROR, "one group has too many intervals with demands or tiers in order of time");
	eb_pg_check(status, fault);
}

void
eb_pg_usage_sum_init(EbUsageSum *sum, MemoryContext context, const EbUsageClass *class, void *room)
{
	EbMemory memory = eb_pg_memory(context);
	EbStatus status = room != NULL ? eb_usage_sum_init_in(sum, &memory, class->by, class->n, room)
								   : eb_usage_sum_init(sum, &memory, class->by, class->n);

	/* memory raises before it answers NULL */
	if (status != EB_OK)
		elog(ERROR, "cannot make a sum of usage");
}

void
eb_pg_usage_make_plans(FunctionCallInfo fcinfo, EbUsageClass *class)
{
	for (int i = 0; i < class->n; i++)
	{
		class->by[i].plans = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(EbPlans));
		eb_plans_init(class->by[i].plans);
	}
}

EbUsageDatum *
eb_pg_usage_sum_make(const EbUsageSum *sum, const EbUsageClass *class)
{
	EbMemory memory = eb_pg_memory(CurrentMemoryContext);
	EbUsage usage;
	EbFault fault;

	if (sum->from_us > sum->to_us)
		return NULL;
	eb_pg_usage_check(eb_usage_finish(sum, class->by, class->versions, &memory, &usage, &fault),
					  &fault);
	return eb_pg_usage_make(class->shape, &usage);
}
