/*
 * ratchet.h -- billing demand from this month's peak and those before it
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (demand).
 */
#ifndef EB_RATING_RATCHET_H
#define EB_RATING_RATCHET_H

#include "base/decimal.h"

/*
 * Peaks of n months (>= 1), the oldest first, the last one of this month: 1e-6 kW, >= 0. Each
 * earlier one counts with the percentage of its own month (1e-9: 80 means 80 %, >= 0) for lookback
 * months, this month's with current_n. The highest of these and of the floor, rounded half-up at
 * 1e-6 kW. False on overflow.
 */
extern bool eb_ratchet(const int64_t *peak_ukw, const int64_t *percent_n, int n, int lookback,
					   int64_t floor_ukw, int64_t current_n, int64_t *billing_ukw);

#endif /* EB_RATING_RATCHET_H */
