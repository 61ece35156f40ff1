/*
 * allocate.c -- sharing a sum so that the shares add up
 * In:  a total in whole units, weights.
 * Out: whole units per weight for allocate(); later for shared losses and sub-meters.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/allocate.h"

static int
count_above(const eb_int128 *rest, int n, eb_int128 limit)
{
	int count = 0;

	for (int i = 0; i < n; i++)
		count += rest[i] > limit;
	return count;
}

/* The smallest number that at most wanted remainders exceed; remainders are below sum. */
static eb_int128
limit_of_largest(const eb_int128 *rest, int n, int wanted, eb_int128 sum)
{
	eb_int128 low = -1;
	eb_int128 high = sum;

	while (high - low > 1)
	{
		eb_int128 middle = low + (high - low) / 2;

		if (count_above(rest, n, middle) <= wanted)
			high = middle;
		else
			low = middle;
	}
	return high;
}

void
eb_allocate(int64_t total, const int64_t *weight, int n, int64_t *share, eb_int128 *rest)
{
	/* the magnitude of the smallest integer does not fit 64 bits */
	eb_int128 units = total < 0 ? -(eb_int128) total : total;
	eb_int128 sum = 0;
	eb_int128 left = units;
	eb_int128 limit;
	int equal;

	for (int i = 0; i < n; i++)
		sum += weight[i];
	for (int i = 0; i < n; i++)
	{
		eb_int128 product = units * weight[i];

		share[i] = (int64_t) (product / sum);
		rest[i] = product % sum;
		left -= share[i];
	}
	/* fewer than n are left: those above the limit get one, then the first of those at it */
	limit = limit_of_largest(rest, n, (int) left, sum);
	equal = (int) left - count_above(rest, n, limit);
	for (int i = 0; i < n; i++)
	{
		if (rest[i] > limit || (rest[i] == limit && equal-- > 0))
			share[i]++;
		if (total < 0)
			share[i] = -share[i];
	}
}
