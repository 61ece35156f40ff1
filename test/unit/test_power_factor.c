/*
 * test_power_factor.c -- the power factor to the last digit, and what it costs
 * 100,000 random energies, most of them a hair from where it turns, against whole square roots;
 * the seed is printed, EB_SEED=n repeats a run. The tables of China are compared with the whole
 * table in vectors/tariff under $ELECBILL_SHARED (default ../shared), where that is there.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "rating/power_factor.h"

#define CASES 100000
#define PERCENT INT64_C(1000000000)

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

/* The largest root whose square is not above value, bit by bit */
static int64_t
root(eb_int128 value)
{
	int64_t found = 0;

	for (int bit = 62; bit >= 0; bit--)
	{
		int64_t more = found | INT64_C(1) << bit;

		if ((eb_int128) more * more <= value)
			found = more;
	}
	return found;
}

/* 200 P / sqrt(P^2 + Q^2) cut to a whole number m: half-up in hundredths is (m + 1) / 2 */
static int
slow(int64_t p, int64_t q)
{
	eb_int128 square = (eb_int128) p * p;

	return p == 0 ? 0 : (int) ((root(40000 * square / (square + (eb_int128) q * q)) + 1) / 2);
}

/* Q for which P / S is (2 n - 1) / 200, give or take 1 */
static int64_t
turning_point(int64_t p)
{
	int64_t odd = 2 * (1 + below(100)) - 1;
	int64_t q = root((40000 - odd * odd) * (eb_int128) p * p / (odd * odd)) - 1 + below(4);

	return q < 0 ? 0 : q;
}

static int
is_right(void)
{
	int64_t p = below(INT64_C(1) << (1 + below(44)));
	int64_t q = below(3) == 0 ? below(INT64_C(1) << (1 + below(44))) : turning_point(p);
	int64_t times = 1 + below(INT64_MAX / ((p > q ? p : q) + 1));
	int pf = eb_power_factor(p, q);

	/* signs and units do not matter; more kvarh never help */
	return pf == slow(p, q) && pf == eb_power_factor(-p, q) && pf == eb_power_factor(p, -q) &&
		   pf == eb_power_factor(p * times, q * times) && eb_power_factor(p, q + 1 + q / 7) <= pf &&
		   eb_power_factor(p + 1 + p / 7, q) >= pf;
}

static void
test_edges(void)
{
	CHECK_INT(eb_power_factor(0, 0), 0);
	CHECK_INT(eb_power_factor(0, 5), 0);
	CHECK_INT(eb_power_factor(5, 0), 100);
	CHECK_INT(eb_power_factor(3, 4), 60);
	CHECK_INT(eb_power_factor(100000, 45000), 91);
	CHECK_INT(eb_power_factor(INT64_MIN, INT64_MIN), 71);
	CHECK_INT(eb_power_factor(INT64_MAX, 0), 100);
	CHECK_INT(eb_power_factor(1, INT64_MIN), 0);
}

static void
test_tables(void)
{
	int rising = 0;

	for (int table = EB_PF_CN_090; table <= EB_PF_CN_080; table++)
	{
		for (int pf = 0; pf < EB_PF_ONE; pf++)
			rising += eb_pf_cn_percent(table, pf) < eb_pf_cn_percent(table, pf + 1);
		CHECK_INT(eb_pf_cn_percent(table, 90 - 5 * table), 0);
		CHECK_INT(eb_pf_cn_percent(table, 89 - 5 * table), PERCENT / 2);
		CHECK_INT(eb_pf_cn_percent(table, 0), eb_pf_cn_percent(table, 40));
	}
	CHECK_INT(rising, 0);
	CHECK_INT(eb_pf_cn_table(900000000), EB_PF_CN_090);
	CHECK_INT(eb_pf_cn_table(850000000), EB_PF_CN_085);
	CHECK_INT(eb_pf_cn_table(800000000), EB_PF_CN_080);
	CHECK_INT(eb_pf_cn_table(900000001), EB_PF_CN);
}

static int64_t
number(const char *text)
{
	int64_t value = INT64_MIN;

	eb_decimal_parse64((EbText){text, (int) strlen(text)}, EB_PRICE_SCALE, &value);
	return value;
}

/* Every row of the published table */
static void
test_published(void)
{
	const char *shared = getenv("ELECBILL_SHARED");
	char line[200];
	char cell[4][20];
	FILE *file;
	int nrows = 0;

	snprintf(line, sizeof(line), "%s/vectors/tariff/cn_power_factor_table.csv",
			 shared != NULL ? shared : "../shared");
	file = fopen(line, "r");
	if (file == NULL)
	{
		printf("power_factor: there is no %s: not compared\n", line);
		return;
	}
	while (fgets(line, sizeof(line), file) != NULL)
	{
		if (sscanf(line, "%19[0-9.],%19[-0-9.],%19[-0-9.],%19[-0-9.]", cell[0], cell[1], cell[2],
				   cell[3]) != 4)
			continue;
		nrows++;
		for (int table = EB_PF_CN_090; table <= EB_PF_CN_080; table++)
			CHECK_INT(eb_pf_cn_percent(table, (int) (number(cell[0]) / 10000000)),
					  number(cell[table + 1]));
	}
	fclose(file);
	CHECK_INT(nrows, 61);
}

static void
test_own(void)
{
	const EbPfRow row[] = {{950000000, -2 * PERCENT}, {900000000, 0}, {750000000, 3 * PERCENT}};
	EbPfLinear linear = {800000000, 10000000, PERCENT / 10, 950000000};
	int64_t percent = 0;

	CHECK_INT(eb_pf_row_percent(row, 3, 100), -2 * PERCENT);
	CHECK_INT(eb_pf_row_percent(row, 3, 95), -2 * PERCENT);
	CHECK_INT(eb_pf_row_percent(row, 3, 94), 0);
	CHECK_INT(eb_pf_row_percent(row, 3, 90), 0);
	CHECK_INT(eb_pf_row_percent(row, 3, 89), 3 * PERCENT);
	CHECK_INT(eb_pf_row_percent(row, 3, 10), 3 * PERCENT);
	/* Taiwan: 0.1 % per 0.01 around 0.80, no more than at 0.95 */
	CHECK(eb_pf_linear_percent(&linear, 90, &percent));
	CHECK_INT(percent, -PERCENT);
	CHECK(eb_pf_linear_percent(&linear, 100, &percent));
	CHECK_INT(percent, -3 * PERCENT / 2);
	CHECK(eb_pf_linear_percent(&linear, 70, &percent));
	CHECK_INT(percent, PERCENT);
	/* a third of a step */
	linear.step_n = 30000000;
	CHECK(eb_pf_linear_percent(&linear, 79, &percent));
	CHECK_INT(percent, 33333333);
	linear = (EbPfLinear){INT64_MAX, 1, INT64_MAX, INT64_MAX};
	CHECK(!eb_pf_linear_percent(&linear, 79, &percent));
}

int
main(void)
{
	const char *given = getenv("EB_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);
	int wrong = 0;

	state = seed;
	printf("power_factor: EB_SEED=%" PRIu64 "\n", seed);
	test_edges();
	test_tables();
	test_published();
	test_own();
	for (int i = 0; i < CASES; i++)
		wrong += !is_right();
	CHECK_INT(wrong, 0);
	return check_done("power_factor");
}
