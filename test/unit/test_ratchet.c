/*
 * test_ratchet.c -- billing demand, and what a transformer uses up
 * 100,000 random ratchets against a walk over all months; the seed is printed, EB_SEED=n repeats a
 * run. Properties: not below the floor, monotone in every peak, percentage and in the lookback.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "rating/ratchet.h"
#include "rating/transformer.h"

#define CASES 100000
#define MONTHS 24
#define PERCENT INT64_C(1000000000)
#define KW INT64_C(1000000)

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
	int64_t peak[MONTHS];
	int64_t percent[MONTHS];
	int n;
	int lookback;
	int64_t floor;
	int64_t current;
} Case;

static Case
random_case(void)
{
	Case c = {.n = 1 + (int) below(MONTHS), .lookback = (int) below(MONTHS + 2)};

	for (int i = 0; i < c.n; i++)
	{
		c.peak[i] = below(4) == 0 ? 0 : below(2000 * KW);
		c.percent[i] = below(3) == 0 ? 0 : below(120 * PERCENT);
	}
	c.floor = below(2) == 0 ? 0 : below(1000 * KW);
	c.current = below(2) == 0 ? 100 * PERCENT : below(100 * PERCENT);
	return c;
}

static int64_t
billing(const Case *c)
{
	int64_t ukw;

	if (!eb_ratchet(c->peak, c->percent, c->n, c->lookback, c->floor, c->current, &ukw))
		abort();
	return ukw;
}

/* In 1e-17 kW, nothing rounded: month i is n - 1 - i months back */
static int
is_right(const Case *c)
{
	eb_int128 most = (eb_int128) c->floor * 100 * PERCENT;
	int64_t is = billing(c);

	for (int i = 0; i < c->n; i++)
	{
		eb_int128 kw = (eb_int128) c->peak[i] * (i == c->n - 1 ? c->current : c->percent[i]);

		if (c->n - 1 - i <= c->lookback && kw > most)
			most = kw;
	}
	return is >= c->floor && 2 * most >= (2 * (eb_int128) is - 1) * 100 * PERCENT &&
		   2 * most < (2 * (eb_int128) is + 1) * 100 * PERCENT;
}

static int
is_monotone(const Case *c)
{
	int64_t is = billing(c);
	int month = (int) below(c->n);
	Case more = *c;

	more.peak[month] += below(1000 * KW);
	if (billing(&more) < is)
		return 0;
	more = *c;
	more.percent[month] += below(50 * PERCENT);
	if (billing(&more) < is)
		return 0;
	more = *c;
	more.lookback++;
	if (billing(&more) < is)
		return 0;
	more = *c;
	more.floor += below(100 * KW);
	return billing(&more) >= is;
}

static void
test_worked(void)
{
	/* summer peaks count with 95 %, winter ones with 60 %: 746.59 kW of last July */
	const int64_t peak[3] = {900 * KW, 746590000, 500 * KW};
	const int64_t percent[3] = {60 * PERCENT, 95 * PERCENT, 60 * PERCENT};
	const int64_t huge[2] = {INT64_MAX, 0};
	const int64_t doubled[2] = {200 * PERCENT, 0};
	int64_t ukw;

	CHECK(eb_ratchet(peak, percent, 3, 11, 0, 100 * PERCENT, &ukw));
	CHECK_INT(ukw, 709260500);
	CHECK(eb_ratchet(peak, percent, 3, 11, 800 * KW, 100 * PERCENT, &ukw));
	CHECK_INT(ukw, 800 * KW);
	CHECK(eb_ratchet(peak, percent, 3, 0, 0, 100 * PERCENT, &ukw));
	CHECK_INT(ukw, 500 * KW);
	CHECK(eb_ratchet(huge, percent, 2, 1, 0, 100 * PERCENT, &ukw));
	CHECK(!eb_ratchet(huge, doubled, 2, 1, 0, 100 * PERCENT, &ukw));
	CHECK(eb_ratchet(huge, doubled, 2, 0, 0, 100 * PERCENT, &ukw));
}

static void
test_transformer(void)
{
	EbTransformer t = {
		.active_ukwh = 100000 * KW,
		.reactive_ukvarh = -40000 * KW,
		.kva_u = 400 * KW,
		.hours_n = 720 * PERCENT,
		.no_load_n = 800000000,
		.load_n = 4300000000,
		.k_n = PERCENT,
	};
	int64_t loss;

	CHECK(eb_transformer_loss(&t, &loss));
	CHECK_INT(loss, 1008986111);
	t.no_load_n = 0;
	CHECK(eb_transformer_loss(&t, &loss));
	CHECK_INT(loss, 432986111);
	/* the largest numbers there are, and what just does not fit */
	t = (EbTransformer){INT64_MIN, INT64_MIN, INT64_MAX, INT64_MAX, 0, INT64_MAX, INT64_MAX};
	CHECK(eb_transformer_loss(&t, &loss));
	CHECK_INT(loss, 18446744073709552); /* 2 x 2^63 / 1000 */
	t.no_load_n = INT64_MAX;
	CHECK(!eb_transformer_loss(&t, &loss));
	t = (EbTransformer){KW, 0, KW, PERCENT, INT64_MAX, 0, 0};
	CHECK(eb_transformer_loss(&t, &loss));
	CHECK_INT(loss, 9223372036854776);
}

int
main(void)
{
	const char *given = getenv("EB_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);
	int wrong[2] = {0};

	state = seed;
	printf("ratchet: EB_SEED=%" PRIu64 "\n", seed);
	test_worked();
	test_transformer();
	for (int i = 0; i < CASES; i++)
	{
		Case c = random_case();

		wrong[0] += !is_right(&c);
		wrong[1] += !is_monotone(&c);
	}
	CHECK_INT(wrong[0], 0);
	CHECK_INT(wrong[1], 0);
	return check_done("ratchet");
}
