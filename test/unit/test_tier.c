/*
 * test_tier.c -- ladders, shares and packages: published numbers and bounds
 * Sources in brackets are cases of the tariff vectors and sections of the tariff reference.
 */
#include "check.h"
#include "rating/allocate.h"
#include "rating/tier.h"

/* whole kWh in 1e-6; prices and flats in thousandths */
#define KWH(x) ((int64_t) (x) *EB_KWH)
#define MILLI(x) ((int64_t) (x) * (EB_ONE / 1000))

static const EbLadder seed = {3, {KWH(200), KWH(400)}};
static const int64_t seed_price[] = {MILLI(500), MILLI(600), MILLI(800)};

/* An amount as text: the exact one, not a double */
static const char *
charge(const EbLadder *ladder, EbTierMode mode, const int64_t *price_n, const int64_t *flat_n,
	   int64_t quantity_u)
{
	static char text[EB_DECIMAL_TEXT];
	eb_int128 amount;

	if (!eb_tier_charge(ladder, mode, price_n, flat_n, quantity_u, &amount))
		return "overflow";
	eb_decimal_format(amount, EB_AMOUNT_SCALE, text);
	return text;
}

static const char *
seed_charge(int64_t quantity_u)
{
	return charge(&seed, EB_TIER_GRADUATED, seed_price, NULL, quantity_u);
}

/* The first seed's tiers; it prints 360 for 500 kWh, its own formula gives 300. [3, example 1] */
static void
test_seed(void)
{
	CHECK_STR(seed_charge(KWH(150)), "75");
	CHECK_STR(seed_charge(KWH(200)), "100");
	CHECK_STR(seed_charge(KWH(300)), "160");
	CHECK_STR(seed_charge(KWH(500)), "300");
	CHECK_STR(seed_charge(0), "0");
	CHECK_STR(seed_charge(200010000), "100.006"); /* 2.2 */
	CHECK_STR(seed_charge(1), "0.0000005");
}

static void
test_published(void)
{
	const EbLadder lago = {3, {KWH(10), KWH(20)}};
	const int64_t lago_price[] = {MILLI(10000), MILLI(5000), MILLI(5000)};
	const int64_t lago_flat[] = {MILLI(2000), MILLI(3000), MILLI(3000)};
	const EbLadder slab = {3, {KWH(100), KWH(200)}};
	const int64_t slab_price[] = {MILLI(2000), MILLI(1000), MILLI(500)};
	const int64_t slab_flat[] = {MILLI(10000), 0, MILLI(50000)};
	const EbLadder flats = {2, {KWH(5)}};
	const int64_t no_price[] = {0, 0};
	const int64_t om_flat[] = {MILLI(100000), MILLI(50000)};
	const EbLadder om_volume = {2, {KWH(15)}};
	const int64_t om_price[] = {MILLI(10000), MILLI(5000)};

	CHECK_STR(charge(&lago, EB_TIER_GRADUATED, lago_price, lago_flat, 0), "2"); /* lago-grad-0 */
	CHECK_STR(charge(&lago, EB_TIER_GRADUATED, lago_price, lago_flat, KWH(11)), "110"); /* -11 */
	CHECK_STR(charge(&slab, EB_TIER_VOLUME, slab_price, slab_flat, 0), "10"); /* lago-vol-0 */
	CHECK_STR(charge(&slab, EB_TIER_VOLUME, slab_price, slab_flat, KWH(100)), "210");
	CHECK_STR(charge(&slab, EB_TIER_VOLUME, slab_price, slab_flat, KWH(101)), "101");
	CHECK_STR(charge(&slab, EB_TIER_VOLUME, slab_price, slab_flat, KWH(200)), "200");
	CHECK_STR(charge(&slab, EB_TIER_VOLUME, slab_price, slab_flat, KWH(300)), "200");
	/* om-gradB-5.001 */
	CHECK_STR(charge(&flats, EB_TIER_GRADUATED, no_price, om_flat, 5001000), "150");
	CHECK_STR(charge(&flats, EB_TIER_GRADUATED, no_price, om_flat, KWH(5)), "100");
	/* om-vol-16; om-delta-vol-15-16: 150, then 80 - 150 = -70 */
	CHECK_STR(charge(&om_volume, EB_TIER_VOLUME, om_price, NULL, KWH(15)), "150");
	CHECK_STR(charge(&om_volume, EB_TIER_VOLUME, om_price, NULL, KWH(16)), "80");
}

static void
test_find(void)
{
	const EbLadder one = {1, {0}};
	const EbLadder empty_step = {3, {KWH(100), KWH(100)}};

	CHECK_INT(eb_ladder_find(&seed, 0), 0);
	CHECK_INT(eb_ladder_find(&seed, KWH(200)), 0);
	CHECK_INT(eb_ladder_find(&seed, KWH(200) + 1), 1);
	CHECK_INT(eb_ladder_find(&seed, KWH(400)), 1);
	CHECK_INT(eb_ladder_find(&seed, INT64_MAX), 2);
	CHECK_INT(eb_ladder_find(&seed, -1), 0);
	CHECK_INT(eb_ladder_next(&seed, 0), 0);
	CHECK_INT(eb_ladder_next(&seed, KWH(200) - 1), 0);
	CHECK_INT(eb_ladder_next(&seed, KWH(200)), 1);
	CHECK_INT(eb_ladder_next(&empty_step, KWH(100)), 2);
	CHECK_INT(eb_ladder_find(&empty_step, KWH(100) + 1), 2);
	CHECK_INT(eb_ladder_find(&one, INT64_MAX), 0);
	CHECK_INT(eb_ladder_next(&one, INT64_MAX), 0);
}

/* Beijing: 300 kWh after 2800 in the year are 80 + 220 [cn-bj-inc-2800-300] */
static void
test_fill(void)
{
	const EbLadder beijing = {3, {KWH(2880), KWH(4800)}};
	int64_t step_u[3];

	CHECK(eb_ladder_fill(&beijing, KWH(2800), KWH(300), step_u));
	CHECK_INT(step_u[0], KWH(80));
	CHECK_INT(step_u[1], KWH(220));
	CHECK_INT(step_u[2], 0);
	CHECK(eb_ladder_fill(&beijing, KWH(2700), KWH(3000), step_u));
	CHECK_INT(step_u[0], KWH(180));
	CHECK_INT(step_u[1], KWH(1920));
	CHECK_INT(step_u[2], KWH(900));
	/* taking back 100 of 2900: 20 of the second step, 80 of the first */
	CHECK(eb_ladder_fill(&beijing, KWH(2900), KWH(-100), step_u));
	CHECK_INT(step_u[0], KWH(-80));
	CHECK_INT(step_u[1], KWH(-20));
	CHECK_INT(step_u[2], 0);
	/* below zero the first step has no end */
	CHECK(eb_ladder_fill(&beijing, 0, KWH(-5), step_u));
	CHECK_INT(step_u[0], KWH(-5));
	CHECK(eb_ladder_fill(&beijing, KWH(4800), 0, step_u));
	CHECK_INT(step_u[0] | step_u[1] | step_u[2], 0);
	CHECK(!eb_ladder_fill(&beijing, INT64_MAX, 1, step_u));
	CHECK(eb_ladder_fill(&beijing, INT64_MAX - 1, 1, step_u));
	CHECK_INT(step_u[2], 1);
}

static void
test_entered(void)
{
	CHECK_INT(eb_ladder_entered(&seed, 1, 0, KWH(200)), 0);
	CHECK_INT(eb_ladder_entered(&seed, 1, 0, KWH(200) + 1), 1);
	CHECK_INT(eb_ladder_entered(&seed, 1, KWH(201), KWH(250)), 0);
	CHECK_INT(eb_ladder_entered(&seed, 2, KWH(500), KWH(100)), -1);
	CHECK_INT(eb_ladder_entered(&seed, 0, 0, KWH(500)), 0); /* the first is its caller's matter */
}

/* 80 kWh peak, 80 valley, bound 100: 50 + 50 and 30 + 30 [2.5] */
static void
test_spread(void)
{
	const int64_t step_u[] = {KWH(100), KWH(60)};
	const int64_t period_u[] = {KWH(80), KWH(80)};
	const int64_t thirds[] = {1, 1, 1};
	const int64_t two_steps[] = {1, 2};
	const int64_t none[] = {0, 0};
	const int64_t cancel[] = {KWH(5), KWH(-5)};
	int64_t cell[6];

	eb_tier_spread(step_u, 2, period_u, 2, 0, cell);
	CHECK_INT(cell[0], KWH(50));
	CHECK_INT(cell[1], KWH(50));
	CHECK_INT(cell[2], KWH(30));
	CHECK_INT(cell[3], KWH(30));
	/* one millionth over three periods: it cannot be divided, and nothing is lost */
	eb_tier_spread(two_steps, 2, thirds, 3, 0, cell);
	CHECK_INT(cell[0] + cell[1] + cell[2], 1);
	CHECK_INT(cell[3] + cell[4] + cell[5], 2);
	for (int i = 0; i < 3; i++)
		CHECK(cell[i] + cell[3 + i] == 1 && cell[i] >= 0 && cell[3 + i] >= 0);
	/* nothing in sum: the home step takes what cancels */
	eb_tier_spread(none, 2, cancel, 2, 1, cell);
	CHECK_INT(cell[0], 0);
	CHECK_INT(cell[2], KWH(5));
	CHECK_INT(cell[3], KWH(-5));
}

static void
test_package(void)
{
	CHECK_INT(eb_package_count(KWH(10), 0, KWH(10)), 1); /* om-pkg-0-10 */
	CHECK_INT(eb_package_count(KWH(10) + 1, 0, KWH(10)), 2);
	CHECK_INT(eb_package_count(0, 0, KWH(10)), 0);
	CHECK_INT(eb_package_count(KWH(121), KWH(200), KWH(10)), 0); /* lago-pkg-121-free200 */
	CHECK_INT(eb_package_count(KWH(201), KWH(200), KWH(10)), 1);
	CHECK_INT(eb_package_count(INT64_MAX, 0, 1), INT64_MAX);
	CHECK_INT(eb_package_count(INT64_MIN, INT64_MAX, 1), 0);
}

static void
test_overflow(void)
{
	const EbLadder ladder = {2, {INT64_MAX / 2}};
	const int64_t most[] = {INT64_MAX, INT64_MAX};
	const int64_t least[] = {INT64_MIN, INT64_MIN};

	/* the largest charge of one step fits, 2^126 */
	CHECK(strcmp(charge(&ladder, EB_TIER_VOLUME, most, NULL, INT64_MAX), "overflow") != 0);
	CHECK(strcmp(charge(&ladder, EB_TIER_GRADUATED, least, NULL, INT64_MAX), "overflow") != 0);
	CHECK(strcmp(charge(&ladder, EB_TIER_GRADUATED, most, most, INT64_MAX), "overflow") != 0);
}

static void
check_shares(int64_t total, const int64_t *weight, int n, const int64_t *wanted)
{
	int64_t share[8];
	eb_int128 rest[8];
	int64_t sum = 0;

	eb_allocate(total, weight, n, share, rest);
	for (int i = 0; i < n; i++)
	{
		CHECK_INT(share[i], wanted[i]);
		sum += share[i];
	}
	CHECK_INT(sum, total);
}

static void
test_allocate(void)
{
	check_shares(10000, (int64_t[]){1, 1, 1}, 3, (int64_t[]){3334, 3333, 3333});
	check_shares(-10000, (int64_t[]){1, 1, 1}, 3, (int64_t[]){-3334, -3333, -3333});
	check_shares(2, (int64_t[]){1, 1, 1}, 3, (int64_t[]){1, 1, 0});
	check_shares(7, (int64_t[]){0, 3, 0, 1}, 4, (int64_t[]){0, 5, 0, 2});
	check_shares(INT64_MIN, (int64_t[]){INT64_MAX, INT64_MAX}, 2,
				 (int64_t[]){INT64_MIN / 2, INT64_MIN / 2});
	check_shares(1, (int64_t[]){1}, 1, (int64_t[]){1});
}

int
main(void)
{
	test_seed();
	test_published();
	test_find();
	test_fill();
	test_entered();
	test_spread();
	test_package();
	test_overflow();
	test_allocate();
	return check_done("tier");
}
