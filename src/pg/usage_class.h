/*
 * usage_class.h -- what classifies the rows of an aggregate, kept for the life of a query
 * One class per fingerprint: tariffs that differ only in prices share it.
 */
#ifndef ELECBILL_PG_USAGE_CLASS_H
#define ELECBILL_PG_USAGE_CLASS_H

#include "postgres.h"

#include "fmgr.h"

#include "pg/usage.h"
#include "pg/usage_row.h"
#include "rating/usage_profile.h"

typedef struct EbUsageClass
{
	struct EbUsageClass *next;
	const EbTariff *tariff; /* a copy, sorted: eb_pg_usage_tariff(); NULL: of a worker, see wire */
	const EbZone *zone;
	EbUsageShape *shape;
	EbClassifier *by;	  /* by version, or one */
	const char *last_row; /* where it stood: to compare, not to look at */
	int n;
	bool versions;
	bool
		whole; /* the end needs the tariff, not only its layout: a state carries it to the leader */
} EbUsageClass;

/* What the transition function of an aggregate keeps in fn_extra */
typedef struct EbUsageSite
{
	EbUsageClass *first;
	EbUsageClass *only;	  /* of a constant tariff */
	EbUsageClass **of_no; /* by number, of a constant array */
	int nnumbers;
	bool fixed;	   /* the tariff, or array of them, is the same for all rows of a group */
	bool constant; /* and of all groups */
	bool profiles; /* rows are load profiles */
	EbUsageArgs args;
} EbUsageSite;

/* Made on the first call; rows have nrow arguments that must be there. */
extern EbUsageSite *eb_pg_usage_site(FunctionCallInfo fcinfo, int nrow);

/* The same for who keeps more in fn_extra: fills a site of zeros. */
extern void eb_pg_usage_site_init(FunctionCallInfo fcinfo, EbUsageSite *site, int nrow);

/* The class of a tariff; made on first use and kept by flinfo of the running function. */
extern EbUsageClass *
eb_pg_usage_class(FunctionCallInfo fcinfo, EbUsageSite *site, const EbTariff *tariff);

/*
 * The class of the row's tariff. The row before it in its group had class and number *no, NULL when
 * it is the first: UB409 when the tariffs classify differently.
 */
extern EbUsageClass *eb_pg_usage_class_of_row(FunctionCallInfo fcinfo, EbUsageSite *site,
											  const EbUsageClass *before, int32 *no);

/* The memory context of the aggregate's states; raises when no aggregate is running. */
extern MemoryContext eb_pg_aggcontext(FunctionCallInfo fcinfo);

/* Memory for sums, in the given context. */
extern EbMemory eb_pg_memory(MemoryContext context);

/* Raises what adding to a sum, or the end of one, answered, unless it is EB_OK. */
extern void eb_pg_usage_check(EbStatus status, const EbFault *fault);

/* An empty sum; room: for eb_usage_sum_init_in(), or NULL. */
extern void
eb_pg_usage_sum_init(EbUsageSum *sum, MemoryContext context, const EbUsageClass *class, void *room);

/* Plans for load profiles, kept by flinfo of the running function */
extern void eb_pg_usage_make_plans(FunctionCallInfo fcinfo, EbUsageClass *class);

/* Adds a load profile to a sum of the class (eb_usage_add_profile()); raises what it answers. */
static inline void
eb_pg_usage_add_profile(FunctionCallInfo fcinfo, EbUsageSum *sum, EbUsageClass *class,
						const EbProfile *profile, bool differences)
{
	EbFault fault;
	EbStatus status;

	if (unlikely(class->by->plans == NULL))
		eb_pg_usage_make_plans(fcinfo, class);
	status = eb_usage_add_profile(sum, class->by, profile, differences, &fault);
	if (unlikely(status != EB_OK))
		eb_pg_usage_check(status, &fault);
}

/* The sum as a datum in the current memory context; NULL when nothing was added to it. */
extern EbUsageDatum *eb_pg_usage_sum_make(const EbUsageSum *sum, const EbUsageClass *class);

#endif /* ELECBILL_PG_USAGE_CLASS_H */
