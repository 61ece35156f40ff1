/*
 * allocate.h -- sharing a sum so that the shares add up
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (allocate): largest remainder, ties by index.
 */
#ifndef EB_RATING_ALLOCATE_H
#define EB_RATING_ALLOCATE_H

#include <stdbool.h>

#include "base/decimal.h"

/*
 * total units over n weights (>= 0, sum > 0): share[i] gets the whole units of its part, the units
 * left go one each to the largest remainders, the first of equals first. A negative total gives
 * the shares of its magnitude, negative. rest is work space of n elements.
 */
extern void
eb_allocate(int64_t total, const int64_t *weight, int n, int64_t *share, eb_int128 *rest);

#endif /* EB_RATING_ALLOCATE_H */
