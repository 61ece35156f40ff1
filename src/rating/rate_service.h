/*
 * rate_service.h -- the service range of a bill, cut into runs of days
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#ifndef EB_RATE_SERVICE_H
#define EB_RATE_SERVICE_H

#include "base/civil.h"
#include "rating/tariff.h"

/* One run of the service range, local days [day, end); one without days when nothing is dated */
typedef struct EbRun
{
	int32_t day;
	int32_t end;
	int32_t season;				   /* EB_NONE: date not known */
	int32_t month;				   /* 1..12; 0: date not known */
	int32_t scope_day[EB_NSCOPES]; /* where the tier scope that holds it starts */
	int32_t part_day;			   /* where its part starts, before the service range perhaps */
	int64_t *cell;				   /* as in EbUsage; NULL: none used */
	int64_t *other;				   /* before net when cell is after it, and the other way round */
} EbRun;

#define EB_KEPT_RUNS 4

/*
 * The runs of a bill, kept by whoever rates many bills of one tariff: those of a month mostly have
 * one service range. All 0 at first; tariff and zone must stay where they are.
 */
typedef struct EbKeptRuns
{
	const EbTariff *tariff;
	const EbZone *zone;
	int64_t from_us;
	int64_t to_us;
	int32_t first_day;
	int32_t end_day;
	int32_t nruns; /* 0: none are kept */
	int32_t unused;
	EbRun run[EB_KEPT_RUNS];
} EbKeptRuns;

#endif /* EB_RATE_SERVICE_H */
