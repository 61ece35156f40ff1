/*
 * usage_merge.h -- two usages as one
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_USAGE_MERGE_H
#define EB_USAGE_MERGE_H

#include "rating/usage_shape.h"

/* Bytes, aligned to 8, in which the arrays of the merged usage find room. */
extern size_t eb_usage_merge_size(const EbUsage *a, const EbUsage *b);

/*
 * a and b, both of the shape, as one: energies, money, quantities, missing seconds and held
 * differences add; the range spans both; days and months are the larger ones. Peaks of windows do
 * not add: those stay that count (the shape says how many). Items and pieces stand together. One
 * power factor stays. Associative and commutative; a usage of nothing is neutral. The time between
 * their ranges, if any, belongs to neither and is not counted as missing. EB_CONFLICT: different
 * fingerprints, or two power factors that are not the same. EB_OUT_OF_RANGE: overflow.
 */
extern EbStatus eb_usage_merge(const EbUsageShape *shape, const EbUsage *a, const EbUsage *b,
							   void *memory, EbUsage *usage, EbFault *fault);

/* The order of EbUsage.peak: demand, part, kW falling, instant */
extern int eb_peak_compare(const EbPeak *a, const EbPeak *b);

/*
 * Leaves of n peaks, which are in order, those that count: of a demand and part as many as the
 * shape says, of the same window (or where nobody knows it) the highest. Returns how many stay.
 */
extern int eb_peak_settle(const EbUsageShape *shape, EbPeak *peak, int n);

#endif /* EB_USAGE_MERGE_H */
