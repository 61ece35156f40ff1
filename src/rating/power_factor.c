/*
 * power_factor.c -- the power factor of a bill, and the percentage that it costs or earns
 * In:  active and reactive energy; tables of China, rows or a line of the tariff.
 * Out: percentages for rate_factor.c, power_factor() and pf_adjust().
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (power factor).
 */
#include "rating/power_factor.h"

#include "base/wide.h"

#define LOWEST_CN 40				/* hundredths: the last row of the tables */
#define HUNDREDTH INT64_C(10000000) /* in 1e-9: of a power factor, of a percentage */

/* Hundredths of a percent by power factor from 0.40 to 1.00, ten in a row */
static const int16_t cn_percent[3][EB_PF_ONE - LOWEST_CN + 1] = {
	/* clang-format off */
	[EB_PF_CN_090] =
		{
			6500, 6300, 6100, 5900, 5700, 5500, 5300, 5100, 4900, 4700, /* 0.40 */
			4500, 4300, 4100, 3900, 3700, 3500, 3300, 3100, 2900, 2700, /* 0.50 */
			2500, 2300, 2100, 1900, 1700, 1500, 1400, 1300, 1200, 1100, /* 0.60 */
			1000, 950, 900, 850, 800, 750, 700, 650, 600, 550, /* 0.70 */
			500, 450, 400, 350, 300, 250, 200, 150, 100, 50, /* 0.80 */
			0, -15, -30, -45, -60, -75, -75, -75, -75, -75, /* 0.90 */
			-75, /* 1.00 */
		},
	[EB_PF_CN_085] =
		{
			5500, 5300, 5100, 4900, 4700, 4500, 4300, 4100, 3900, 3700, /* 0.40 */
			3500, 3300, 3100, 2900, 2700, 2500, 2300, 2100, 1900, 1700, /* 0.50 */
			1500, 1400, 1300, 1200, 1100, 1000, 950, 900, 850, 800, /* 0.60 */
			750, 700, 650, 600, 550, 500, 450, 400, 350, 300, /* 0.70 */
			250, 200, 150, 100, 50, 0, -10, -20, -30, -40, /* 0.80 */
			-50, -65, -80, -95, -110, -110, -110, -110, -110, -110, /* 0.90 */
			-110, /* 1.00 */
		},
	[EB_PF_CN_080] =
		{
			4500, 4300, 4100, 3900, 3700, 3500, 3300, 3100, 2900, 2700, /* 0.40 */
			2500, 2300, 2100, 1900, 1700, 1500, 1400, 1300, 1200, 1100, /* 0.50 */
			1000, 950, 900, 850, 800, 750, 700, 650, 600, 550, /* 0.60 */
			500, 450, 400, 350, 300, 250, 200, 150, 100, 50, /* 0.70 */
			0, -10, -20, -30, -40, -50, -60, -70, -80, -90, /* 0.80 */
			-100, -115, -130, -130, -130, -130, -130, -130, -130, -130, /* 0.90 */
			-130, /* 1.00 */
		},
	/* clang-format on */
};

static eb_uint128
square(int64_t value)
{
	eb_uint128 magnitude = value < 0 ? -(eb_uint128) value : (eb_uint128) value;

	return magnitude * magnitude;
}

/* P / sqrt(P^2 + Q^2) >= (2 n - 1) / 200, squared: the half below n */
static bool
reaches(eb_uint128 active2, eb_uint128 apparent2, unsigned n)
{
	unsigned odd = 2 * n - 1;

	return eb_wide_compare(eb_wide_mul(active2, 40000), eb_wide_mul(apparent2, odd * odd)) >= 0;
}

int
eb_power_factor(int64_t active, int64_t reactive)
{
	eb_uint128 active2 = square(active);
	eb_uint128 apparent2 = active2 + square(reactive);
	int pf = EB_PF_ONE;

	if (active == 0)
		return 0;
	while (pf > 0 && !reaches(active2, apparent2, (unsigned) pf))
		pf--;
	return pf;
}

int64_t
eb_pf_cn_percent(EbPfTable table, int pf)
{
	int row = pf < LOWEST_CN ? 0 : pf - LOWEST_CN;

	return cn_percent[table][row] * HUNDREDTH;
}

EbPfTable
eb_pf_cn_table(int64_t standard_n)
{
	if (standard_n == 90 * HUNDREDTH)
		return EB_PF_CN_090;
	if (standard_n == 85 * HUNDREDTH)
		return EB_PF_CN_085;
	if (standard_n == 80 * HUNDREDTH)
		return EB_PF_CN_080;
	return EB_PF_CN;
}

int64_t
eb_pf_row_percent(const EbPfRow *row, int nrows, int pf)
{
	int i = 0;

	while (i < nrows - 1 && pf * HUNDREDTH < row[i].pf_n)
		i++;
	return row[i].percent_n;
}

bool
eb_pf_linear_percent(const EbPfLinear *linear, int pf, int64_t *percent_n)
{
	int64_t pf_n = pf * HUNDREDTH;

	if (pf_n > linear->cap_n)
		pf_n = linear->cap_n;
	return eb_muldiv64(linear->target_n - pf_n, linear->percent_n, linear->step_n, percent_n);
}
