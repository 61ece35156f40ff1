/*
 * test_tier_property.c -- 100,000 random ladders against a form that walks unit by unit
 * The seed is printed; EB_SEED=n repeats a run. The oracle knows no overlap, no clamp and no
 * share: it puts each unit into the step it falls in.
 * Properties of the tariff reference, section 7: 4 (continuity, monotone), 5 (telescopes),
 * 7 (by period = by tier = in), 8 (equal prices), 17 (times ten).
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "rating/tier.h"

#define CASES 100000
#define MOST_UNITS 300

static uint64_t state;

/* splitmix64 */
static uint64_t
next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int64_t
below(int64_t n)
{
	return (int64_t) (next() % (uint64_t) n);
}

typedef struct Case
{
	EbLadder ladder;
	int64_t price_n[EB_MAX_STEPS];
	int64_t flat_n[EB_MAX_STEPS];
	int64_t before;
	int64_t quantity;
} Case;

static Case
random_case(void)
{
	Case c;
	int64_t bound = 0;

	c.ladder.nsteps = 1 + (int) below(6);
	for (int k = 0; k < c.ladder.nsteps; k++)
	{
		bound += 1 + below(60);
		c.ladder.bound_u[k] = bound;
		c.price_n[k] = below(4) == 0 ? -below(1000000000) : below(3000000000);
		c.flat_n[k] = below(3) == 0 ? below(1000000000) : 0;
	}
	c.before = below(3) == 0 ? 0 : below(MOST_UNITS);
	c.quantity = below(MOST_UNITS);
	return c;
}

/* The step of the n-th unit, counted from 1 */
static int
step_of_unit(const Case *c, int64_t n)
{
	for (int k = 0; k < c->ladder.nsteps - 1; k++)
		if (n <= c->ladder.bound_u[k])
			return k;
	return c->ladder.nsteps - 1;
}

static eb_int128
slow_graduated(const Case *c, int64_t units)
{
	eb_int128 amount = c->flat_n[0] * (eb_int128) 1000000;
	int entered = 0;

	for (int64_t n = 1; n <= units; n++)
	{
		int k = step_of_unit(c, n);

		amount += c->price_n[k];
		for (; entered < k; entered++)
			amount += c->flat_n[entered + 1] * (eb_int128) 1000000;
	}
	return amount;
}

static eb_int128
slow_volume(const Case *c, int64_t units)
{
	int k = units == 0 ? 0 : step_of_unit(c, units);
	eb_int128 amount = c->flat_n[k] * (eb_int128) 1000000;

	for (int64_t n = 1; n <= units; n++)
		amount += c->price_n[k];
	return amount;
}

static eb_int128
fast(const Case *c, EbTierMode mode, int64_t units)
{
	eb_int128 amount = 0;

	if (!eb_tier_charge(&c->ladder, mode, c->price_n, c->flat_n, units, &amount))
		abort();
	return amount;
}

/* F(before + q) - F(before) without flats is the sum over the steps that are filled. */
static int
fills_right(const Case *c)
{
	int64_t step_u[EB_MAX_STEPS];
	int64_t slow[EB_MAX_STEPS] = {0};
	eb_int128 amount = 0;
	eb_int128 wanted = 0;

	if (!eb_ladder_fill(&c->ladder, c->before, c->quantity, step_u))
		return 0;
	for (int64_t n = c->before + 1; n <= c->before + c->quantity; n++)
	{
		slow[step_of_unit(c, n)]++;
		wanted += c->price_n[step_of_unit(c, n)];
	}
	for (int k = 0; k < c->ladder.nsteps; k++)
	{
		if (slow[k] != step_u[k])
			return 0;
		amount += (eb_int128) step_u[k] * c->price_n[k];
	}
	return amount == wanted;
}

/* Taking the same units back undoes the fill. */
static int
undoes(const Case *c)
{
	int64_t there[EB_MAX_STEPS];
	int64_t back[EB_MAX_STEPS];

	if (!eb_ladder_fill(&c->ladder, c->before, c->quantity, there) ||
		!eb_ladder_fill(&c->ladder, c->before + c->quantity, -c->quantity, back))
		return 0;
	for (int k = 0; k < c->ladder.nsteps; k++)
		if (there[k] != -back[k])
			return 0;
	return 1;
}

static int
spreads_right(const Case *c)
{
	int nperiods = 1 + (int) below(5);
	int64_t period_u[5];
	int64_t step_u[EB_MAX_STEPS];
	int64_t cell[EB_MAX_STEPS * 5];
	int64_t total = 0;
	int ok = 1;

	for (int i = 0; i < nperiods; i++)
		total += period_u[i] = below(4) == 0 ? 0 : below(MOST_UNITS);
	if (!eb_ladder_fill(&c->ladder, c->before, total, step_u))
		return 0;
	eb_tier_spread(step_u, c->ladder.nsteps, period_u, nperiods,
				   eb_ladder_next(&c->ladder, c->before), cell);
	for (int k = 0; k < c->ladder.nsteps; k++)
	{
		int64_t sum = 0;

		for (int i = 0; i < nperiods; i++)
		{
			int64_t one = cell[k * nperiods + i];
			int64_t error = one * total - step_u[k] * period_u[i];

			/* never negative; off its exact share by less than one unit per step before it */
			ok = ok && one >= 0 && llabs(error) <= (k + 1) * total;
			sum += one;
		}
		ok = ok && sum == step_u[k];
	}
	for (int i = 0; i < nperiods; i++)
	{
		int64_t sum = 0;

		for (int k = 0; k < c->ladder.nsteps; k++)
			sum += cell[k * nperiods + i];
		ok = ok && sum == period_u[i];
	}
	return ok;
}

static int
grows_right(const Case *c)
{
	Case even = *c;
	Case tenfold = *c;
	int64_t x = c->before;
	eb_int128 step;

	for (int k = 0; k < c->ladder.nsteps; k++)
	{
		even.price_n[k] = c->price_n[0];
		even.flat_n[k] = 0;
		tenfold.price_n[k] *= 10;
		tenfold.flat_n[k] *= 10;
	}
	/* one unit more costs the price of its step and the flat it enters: no other jump */
	step = fast(c, EB_TIER_GRADUATED, x + 1) - fast(c, EB_TIER_GRADUATED, x);
	if (step != c->price_n[step_of_unit(c, x + 1)] +
					(step_of_unit(c, x + 1) != eb_ladder_find(&c->ladder, x)
						 ? c->flat_n[step_of_unit(c, x + 1)] * (eb_int128) 1000000
						 : 0))
		return 0;
	return fast(&even, EB_TIER_GRADUATED, x) == (eb_int128) x * c->price_n[0] &&
		   fast(&even, EB_TIER_VOLUME, x) == (eb_int128) x * c->price_n[0] &&
		   fast(&tenfold, EB_TIER_GRADUATED, x) == 10 * fast(c, EB_TIER_GRADUATED, x);
}

static int
charges_right(const Case *c)
{
	return fast(c, EB_TIER_GRADUATED, c->quantity) == slow_graduated(c, c->quantity) &&
		   fast(c, EB_TIER_VOLUME, c->quantity) == slow_volume(c, c->quantity);
}

int
main(void)
{
	const char *given = getenv("EB_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);
	int wrong[5] = {0};

	state = seed;
	printf("tier_property: EB_SEED=%" PRIu64 "\n", seed);
	for (int i = 0; i < CASES; i++)
	{
		Case c = random_case();

		wrong[0] += !charges_right(&c);
		wrong[1] += !fills_right(&c);
		wrong[2] += !undoes(&c);
		wrong[3] += !spreads_right(&c);
		wrong[4] += !grows_right(&c);
	}
	for (int i = 0; i < 5; i++)
		CHECK_INT(wrong[i], 0);
	return check_done("tier_property");
}
