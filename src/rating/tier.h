/*
 * tier.h -- how a quantity fills steps
 * Step k holds what lies above bound k - 1 and up to bound k (lower exclusive, upper inclusive);
 * the last step has no end, the first none below. Quantities and bounds are integers of 1e-6,
 * prices and flats of 1e-9, amounts of 1e-15.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#ifndef EB_RATING_TIER_H
#define EB_RATING_TIER_H

#include <stdbool.h>

#include "base/decimal.h"
#include "rating/tariff.h"

typedef struct EbLadder
{
	int nsteps;					   /* 1 .. EB_MAX_STEPS */
	int64_t bound_u[EB_MAX_STEPS]; /* nsteps - 1 of them, none below the one before */
} EbLadder;

/* The step that holds x: a quantity equal to a bound still lies in the step below it. */
extern int eb_ladder_find(const EbLadder *ladder, int64_t x_u);

/* The step the next unit after x falls into. */
extern int eb_ladder_next(const EbLadder *ladder, int64_t x_u);

/*
 * What of quantity_u units lies in each step when before_u were used before them: step_u has
 * nsteps values of the sign of quantity_u, their sum is quantity_u. False when before + quantity
 * leaves 64 bits.
 */
extern bool
eb_ladder_fill(const EbLadder *ladder, int64_t before_u, int64_t quantity_u, int64_t *step_u);

/* +1 when step k is entered between before and after, -1 when it is left, else 0. */
extern int eb_ladder_entered(const EbLadder *ladder, int k, int64_t before_u, int64_t after_u);

/*
 * Splits the steps over periods by the share of each period: cell[step * nperiods + period], where
 * a step sums to step_u and a period to period_u exactly. The steps take turns from what the
 * earlier ones left, each by rounding the running share half-up, so no cell is negative unless a
 * value given is. All of step_u have one sign; sum of steps = sum of periods. When all steps are
 * 0, step home takes the periods (which may cancel each other).
 */
extern void eb_tier_spread(const int64_t *step_u, int nsteps, const int64_t *period_u, int nperiods,
						   int home, int64_t *cell);

/* ceil(max(0, x - free) / size): packages begun; size > 0. */
extern int64_t eb_package_count(int64_t x_u, int64_t free_u, int64_t size_u);

/*
 * The charge of the first quantity_u (>= 0) units, not rounded. GRADUATED: each step at its price,
 * and the flat of each step entered, the first always. VOLUME: all at the step where the quantity
 * falls, and its flat. price_n and flat_n have nsteps values; flat_n may be NULL. False on
 * overflow.
 */
extern bool eb_tier_charge(const EbLadder *ladder, EbTierMode mode, const int64_t *price_n,
						   const int64_t *flat_n, int64_t quantity_u, eb_int128 *amount);

#endif /* EB_RATING_TIER_H */
