/*
 * billing_demand.h -- the kW that are billed, by instance of the demand's scope
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (demand).
 */
#ifndef EB_RATING_BILLING_DEMAND_H
#define EB_RATING_BILLING_DEMAND_H

#include "rating/rate_state.h"

/* One demand in one instance of its scope */
typedef struct EbDemandScope
{
	const EbRating *rating;
	const EbDemand *demand;
	int32_t index; /* of the demand */
	EbTierScope scope;
	int32_t first_day; /* where the instance starts */
} EbDemandScope;

static inline EbText
eb_demand_name(const EbTariff *tariff, int32_t index)
{
	EbSlice name = EB_ARRAY(tariff, EbDemand, tariff->demand)[index].name;

	return (EbText){EB_ARRAY(tariff, char, name), name.n};
}

/* The instance that holds the run */
extern EbDemandScope eb_demand_scope(const EbRating *rating, int32_t index, const EbRun *run);

/*
 * Its billing demand in 1e-6 kW (kVA, kvar): the measured one, what the ratchet still claims and
 * the floors, whichever is highest, then the cap, then rounding. EB_UNKNOWN: the usage lacks the
 * demand, or the dates that tell instances apart.
 */
extern EbStatus eb_demand_kw(const EbDemandScope *scope, int64_t *ukw);

/* demand_window.c: what was measured: the highest window or the mean of the n highest, 1e-6 kW */
extern EbStatus eb_demand_measured(const EbDemandScope *scope, int64_t *ukw);
/* EB_UNKNOWN, named: there are no windows though there is time that counts, or they have no dates. */
extern EbStatus eb_demand_check(const EbDemandScope *scope);

#endif /* EB_RATING_BILLING_DEMAND_H */
