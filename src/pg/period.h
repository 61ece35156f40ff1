/*
 * period.h -- finding the periods of instants, fast where one call site asks for one tariff again
 */
#ifndef ELECBILL_PG_PERIOD_H
#define ELECBILL_PG_PERIOD_H

#include "postgres.h"

#include "fmgr.h"

#include "rating/tou.h"

/* What one expression knows of the tariff it was called with last; kept by flinfo */
typedef struct EbPeriodSite
{
	uint8 fingerprint[EB_FINGERPRINT_SIZE]; /* of that tariff */
	const EbZone *zone;
	const EbTariff *tariff; /* this call's */
	const EbTariff *now;	/* the version that holds on days; NULL: not looked up */
	EbDayRange days;
	EbTariff *copy; /* of the tariff, for the cache; NULL: it was not asked for twice in a row */
	EbTouCache *cache;
	EbSegment segment;
} EbPeriodSite;

/* The site of the running function, for this call with this tariff. */
extern EbPeriodSite *eb_pg_period_site(FunctionCallInfo fcinfo, const EbTariff *tariff);

/*
 * The segment of an instant; *tariff is the version whose slots it holds and the segment ends where
 * that ends. The answer is good until the next call. UB404 when no version or no rule holds.
 */
extern const EbSegment *eb_pg_period_find(EbPeriodSite *site, int64 at_us, const EbTariff **tariff);

/* Index of the schedule of that name; without a name the only one; EB_NONE: there is none. */
extern int eb_pg_find_schedule(const EbTariff *tariff, const text *name);

/* The name of the period of a slot. */
extern EbText eb_pg_period_name(const EbTariff *tariff, int slot);

#endif /* ELECBILL_PG_PERIOD_H */
