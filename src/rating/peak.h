/*
 * peak.h -- the highest windows of a demand
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#ifndef EB_PEAK_H
#define EB_PEAK_H

#include "base/memory.h"
#include "rating/usage.h"

/* Of two windows the higher; the earlier when they are equal */
static inline bool
eb_peak_is_above(const EbPeak *a, const EbPeak *b)
{
	return a->ukw > b->ukw || (a->ukw == b->ukw && a->at_us < b->at_us);
}

/* Windows with the same number count once: the instant, local day, Monday or first of the month */
extern int64_t eb_peak_number(const EbZone *zone, EbDistinct distinct, int64_t at_us);

/* Peaks of one demand by part, in each the highest first */
typedef struct EbPeakList
{
	EbPeak *peak;
	int32_t n;
	int32_t capacity;
	int32_t first; /* of the demand that is being filled; those before are of others */
	int32_t keep;  /* of a part at most */
	EbDistinct distinct;
	const EbZone *zone;
} EbPeakList;

/*
 * Adds a window in any order. Of windows with the same number the highest stays, of the numbers of
 * a part the highest; what falls out cannot come back, so the order does not matter. false: there
 * is no memory.
 */
extern bool eb_peak_put(EbPeakList *list, const EbMemory *memory, EbPeak peak);

#endif
