/*
 * power_factor.h -- the power factor of a bill, and the percentage that it costs or earns
 * A power factor is counted in hundredths, 0 to 100: no table tells finer ones apart.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (power factor).
 */
#ifndef EB_RATING_POWER_FACTOR_H
#define EB_RATING_POWER_FACTOR_H

#include "rating/tariff_component.h"

#define EB_PF_ONE 100

/*
 * P / sqrt(P^2 + Q^2) in hundredths, rounded half-up, exactly: no root is drawn. P and Q in the
 * same unit; their signs do not matter. 0 where P is 0, whatever Q is.
 */
extern int eb_power_factor(int64_t active, int64_t reactive);

/*
 * The percentage (1e-9: 0.5 means 0.5 %, above 0 a surcharge) by a table of China: EB_PF_CN_090,
 * _085 or _080. Below 0.40 that of 0.40. Source: (83)水电财字第215号.
 */
extern int64_t eb_pf_cn_percent(EbPfTable table, int pf);

/* The table for a standard of 0.90, 0.85 or 0.80 (1e-9); EB_PF_CN for any other. */
extern EbPfTable eb_pf_cn_table(int64_t standard_n);

/* By the highest row that is not above the power factor; the lowest row holds for all below it. */
extern int64_t eb_pf_row_percent(const EbPfRow *row, int nrows, int pf);

/*
 * percent for every step the power factor lies below target, exactly and rounded half-up at 1e-9;
 * above the target the same to the other side, up to cap. False on overflow.
 */
extern bool eb_pf_linear_percent(const EbPfLinear *linear, int pf, int64_t *percent_n);

#endif /* EB_RATING_POWER_FACTOR_H */
