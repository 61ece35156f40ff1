/*
 * tier.c -- how a quantity fills steps
 * In:  a ladder of bounds, already in the unit of the quantity.
 * Out: units by step and period for rate_tier.c; the charge itself for tier_charge().
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/tier.h"

int
eb_ladder_find(const EbLadder *ladder, int64_t x_u)
{
	int k = 0;

	while (k < ladder->nsteps - 1 && x_u > ladder->bound_u[k])
		k++;
	return k;
}

int
eb_ladder_next(const EbLadder *ladder, int64_t x_u)
{
	int k = 0;

	while (k < ladder->nsteps - 1 && x_u >= ladder->bound_u[k])
		k++;
	return k;
}

bool
eb_ladder_fill(const EbLadder *ladder, int64_t before_u, int64_t quantity_u, int64_t *step_u)
{
	int64_t after_u;
	int64_t low;
	int64_t high;
	int64_t from;

	if (!eb_add64(before_u, quantity_u, &after_u))
		return false;
	low = quantity_u < 0 ? after_u : before_u;
	high = quantity_u < 0 ? before_u : after_u;
	from = low;
	for (int k = 0; k < ladder->nsteps; k++)
	{
		int64_t to = high;

		if (k < ladder->nsteps - 1 && ladder->bound_u[k] < high)
			to = ladder->bound_u[k];
		if (to < from)
			to = from;
		step_u[k] = quantity_u < 0 ? from - to : to - from;
		from = to;
	}
	return true;
}

int
eb_ladder_entered(const EbLadder *ladder, int k, int64_t before_u, int64_t after_u)
{
	if (k == 0)
		return 0;
	return (after_u > ladder->bound_u[k - 1]) - (before_u > ladder->bound_u[k - 1]);
}

/*
 * Takes step_u out of rest[0..n), whose sum is rest_sum, by shares; 0 < step_u / rest_sum < 1.
 * A share is never above what is there: R(x + d) - R(x) <= rest when d <= rest and rest is whole.
 */
static void
take_share(int64_t step_u, int64_t rest_sum, int64_t *rest, int64_t *cell, int n)
{
	int64_t part = step_u < 0 ? -step_u : step_u;
	int64_t whole = rest_sum < 0 ? -rest_sum : rest_sum;
	int64_t running = 0;
	int64_t taken = 0;

	for (int i = 0; i < n; i++)
	{
		eb_int128 share = step_u; /* of all of them */

		running += rest[i];
		if (i < n - 1)
			share = eb_div_round((eb_int128) running * part, whole, EB_HALF_UP);
		cell[i] = (int64_t) share - taken;
		taken = (int64_t) share;
		rest[i] -= cell[i];
	}
}

void
eb_tier_spread(const int64_t *step_u, int nsteps, const int64_t *period_u, int nperiods, int home,
			   int64_t *cell)
{
	int last = home;
	int64_t rest_sum = 0;
	int64_t *rest;

	for (int k = 0; k < nsteps; k++)
	{
		rest_sum += step_u[k];
		if (step_u[k] != 0)
			last = k;
		for (int i = 0; i < nperiods; i++)
			cell[k * nperiods + i] = 0;
	}
	/* the last step that has anything gets what the others leave */
	rest = cell + (size_t) last * (size_t) nperiods;
	for (int i = 0; i < nperiods; i++)
		rest[i] = period_u[i];
	for (int k = 0; k < last; k++)
	{
		if (step_u[k] == 0)
			continue;
		take_share(step_u[k], rest_sum, rest, cell + (size_t) k * (size_t) nperiods, nperiods);
		rest_sum -= step_u[k];
	}
}

int64_t
eb_package_count(int64_t x_u, int64_t free_u, int64_t size_u)
{
	eb_int128 over = (eb_int128) x_u - free_u;

	if (over <= 0)
		return 0;
	return (int64_t) eb_div_round(over, size_u, EB_CEIL);
}

bool
eb_tier_charge(const EbLadder *ladder, EbTierMode mode, const int64_t *price_n,
			   const int64_t *flat_n, int64_t quantity_u, eb_int128 *amount)
{
	/* 1e-9 to 1e-15 */
	const eb_int128 money = 1000000;
	int64_t step_u[EB_MAX_STEPS];

	if (mode == EB_TIER_VOLUME)
	{
		int k = eb_ladder_find(ladder, quantity_u);

		*amount = (eb_int128) quantity_u * price_n[k];
		return flat_n == NULL || eb_add128(*amount, flat_n[k] * money, amount);
	}
	*amount = 0;
	if (!eb_ladder_fill(ladder, 0, quantity_u, step_u))
		return false;
	for (int k = 0; k < ladder->nsteps; k++)
	{
		bool entered = k == 0 || quantity_u > ladder->bound_u[k - 1];

		if (!eb_add128(*amount, (eb_int128) step_u[k] * price_n[k], amount))
			return false;
		if (flat_n != NULL && entered && !eb_add128(*amount, flat_n[k] * money, amount))
			return false;
	}
	return true;
}
