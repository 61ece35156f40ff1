/*
 * usage.h -- determinants: what was used, classified as the tariff needs it, no money yet
 * A part is a run of local days without a boundary inside: every calendar month, tier month,
 * tier quarter, tier year (year_start), season and valid/when date of the tariff starts a new one.
 * Within a part the energy is kept per slot (schedule, period), in 1e-6 kWh.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/architecture.md, doc/rating.md.
 */
#ifndef EB_USAGE_H
#define EB_USAGE_H

#include "rating/tou.h"

/* part_day of energy whose dates nobody knows: usage_from() without "during" */
#define EB_NO_DAY INT32_MIN

typedef enum EbQuality
{
	EB_ACTUAL = 0,
	EB_ESTIMATED = 1, /* shared by days, or from estimated readings */
	EB_MISSING = 2,	  /* intervals are missing inside the range */
} EbQuality;

/* Summary in hand of rate(): parts ascending, energy[part * nslots + slot] (nslots >= 1) */
typedef struct EbUsage
{
	uint8_t fingerprint[EB_FINGERPRINT_SIZE];
	int64_t from_us; /* range covered, [from, to); INT64_MIN both: no range known */
	int64_t to_us;
	int64_t missing_s; /* seconds inside the range without data */
	int32_t held;	   /* differences that were implausible (register ran backwards) */
	int32_t quality;   /* EbQuality of the values themselves */
	int32_t nparts;
	int32_t nslots;				/* slots of the tariff; 1 when it has no schedule */
	int64_t days_u;				/* days and months of the bill in 1e-6, as given to usage_from(); */
	int64_t months_u;			/* 0: derive them from the range */
	const int32_t *part_day;	/* first local day of each part's boundary run (not of the data) */
	const int64_t *energy_ukwh; /* >= 0 unless the caller gave corrections */
} EbUsage;

/*
 * Energy that is spread evenly over [from, to). Piece i of several gets R(E t_i / T) -
 * R(E t_(i-1) / T), R half-up, so the pieces add up to E wherever the cuts are.
 */
typedef struct EbSpread
{
	int64_t from_us; /* < to_us */
	int64_t to_us;
	int64_t energy_ukwh;
	int64_t at_us;	   /* pieces before at_us were taken; begins as from_us */
	int64_t done_ukwh; /* their energy; begins as 0 */
	bool crossed;	   /* pieces went where their price may differ */
} EbSpread;

static inline EbSpread
eb_spread(int64_t from_us, int64_t to_us, int64_t energy_ukwh)
{
	return (EbSpread){from_us, to_us, energy_ukwh, from_us, 0, false};
}

/* Energy of [at_us, end_us), end_us at most to_us; at_us moves to end_us. */
extern int64_t eb_spread_take(EbSpread *spread, int64_t end_us);

/* Usage that is being summed; order does not matter. The caller gives the memory. */
typedef struct EbUsageSum
{
	int64_t from_us; /* everything added lies in [from, to); from > to: nothing yet */
	int64_t to_us;
	int64_t held;		/* differences and values that could not be used */
	int32_t quality;	/* EbQuality of the values; missing time is found at the end */
	int32_t nslots;		/* of the tariff, 1 when it has none */
	int32_t nschedules; /* 1 when the tariff has none */
	int32_t nparts;
	int32_t capacity; /* parts that fit */
	int32_t unused;
	int32_t *part_day; /* ascending */
	int64_t *cell;	   /* by part: nslots energies in 1e-6 kWh, then the microseconds covered */
	int64_t *row;	   /* the cells of segment; NULL: there is no segment yet */
	EbSegment segment; /* of the last interval: the next one mostly lies in it too */
} EbUsageSum;

/* Elements of cell per part */
static inline int
eb_usage_stride(const EbUsageSum *sum)
{
	return sum->nslots + 1;
}

extern void eb_usage_sum_init(EbUsageSum *sum, int nslots, int nschedules);

/* Moves the sum into larger memory: capacity elements, and capacity rows of cells. */
extern void eb_usage_sum_grow(EbUsageSum *sum, int32_t capacity, int32_t *part_day, int64_t *cell);

/* Time that must be covered: it counts as missing where no interval is added. */
static inline void
eb_usage_extend(EbUsageSum *sum, int64_t from_us, int64_t to_us)
{
	if (from_us < sum->from_us)
		sum->from_us = from_us;
	if (to_us > sum->to_us)
		sum->to_us = to_us;
}

/*
 * Adds what is left of the spread. EB_NO_SPACE: there is no room for another part; make some with
 * eb_usage_sum_grow() and call again with the same spread, which knows how far it came.
 * EB_OUT_OF_RANGE: the sum leaves 64 bits. EB_UNKNOWN: no rule covers an instant. EB_STOPPED: the
 * stop of the cache said so.
 */
extern EbStatus eb_usage_add(EbUsageSum *sum, EbTouCache *cache, EbSpread *spread, EbFault *fault);

/* Adds to the row of the segment; false on overflow: the sum is of no use then. */
static inline bool
eb_usage_put(EbUsageSum *sum, int64_t energy_ukwh, int64_t covered_us)
{
	int64_t *row = sum->row;

	for (int i = 0; i < sum->nschedules; i++)
		if (!eb_add64(row[sum->segment.slot[i]], energy_ukwh, &row[sum->segment.slot[i]]))
			return false;
	return eb_add64(row[sum->nslots], covered_us, &row[sum->nslots]);
}

/* Does the interval lie in the segment of the last one? Then eb_usage_put() is enough. */
static inline bool
eb_usage_is_near(const EbUsageSum *sum, int64_t from_us, int64_t step_us)
{
	return sum->row != NULL && from_us >= sum->segment.from_us && from_us < sum->segment.to_us &&
		   step_us <= sum->segment.to_us - from_us;
}

/* Adds another sum; capacity must hold the parts of both. EB_OUT_OF_RANGE: overflow. */
extern EbStatus eb_usage_sum_merge(EbUsageSum *into, const EbUsageSum *from, EbFault *fault);

/*
 * The sum as usage. energy_ukwh has room for nparts x nslots; part_day is that of the sum. The
 * fingerprint is left to the caller. Seconds without data are those of [from, to) that no interval
 * covers, rounded up; they are exact as long as intervals do not overlap.
 */
extern EbStatus
eb_usage_finish(const EbUsageSum *sum, int64_t *energy_ukwh, EbUsage *usage, EbFault *fault);

/*
 * a and b as one: energies, missing seconds and held differences add; the range spans both; days
 * and months are the larger ones. Associative and commutative. The time between their ranges, if
 * any, belongs to neither and is not counted as missing. The arrays have room for the parts of
 * both. EB_CONFLICT: different fingerprints. EB_OUT_OF_RANGE: overflow.
 */
extern EbStatus eb_usage_merge(const EbUsage *a, const EbUsage *b, int32_t *part_day,
							   int64_t *energy_ukwh, EbUsage *usage, EbFault *fault);

/* The faults of a sum that leaves 64 bits, and of two that do not belong together. */
extern EbStatus eb_usage_overflow(EbFault *fault);
extern EbStatus eb_usage_conflict(EbFault *fault);

/* No more parts than this have an instant of [from, to] in them. */
extern int
eb_usage_count_parts(const EbTariff *tariff, const EbZone *zone, int64_t from_us, int64_t to_us);

#endif
