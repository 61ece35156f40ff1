/*
 * price.h -- what a price node is worth here and now
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (P).
 */
#ifndef EB_RATING_PRICE_H
#define EB_RATING_PRICE_H

#include "rating/rate.h"

/* What a node may look at */
typedef struct EbPriceEnv
{
	const EbTariff *tariff;
	const EbAttr *attr;
	int nattrs;
	int32_t period; /* index of tariff->period_name; EB_NONE: no period here */
	int32_t season; /* 0 = none of the named ones; EB_NONE: the date is not known */
	int32_t day;	/* local day, for series of kind DAYS; EB_NO_DAY: not known */
	int32_t
		bill_day; /* last day of the bill, for series of kind BILL_MONTH; EB_NO_DAY: not known */
} EbPriceEnv;

/* What a node depends on, as bits */
#define EB_USES_PERIOD 1u
#define EB_USES_SEASON 2u
#define EB_USES_ATTR 4u
#define EB_USES_SERIES 8u

/* The bits of a node and all below it; EB_NONE gives 0. */
extern unsigned eb_price_uses(const EbTariff *tariff, int32_t node);

/*
 * The value of a node in 1e-9; EB_NONE is 0. Products and sums are computed exactly and rounded
 * once, by the node's round; without one they stay exact for the node above, and the outermost
 * is rounded by round, or half-up at 1e-9 when its step is 0. EB_UNKNOWN: attribute, period or
 * date that is not known; EB_OUT_OF_RANGE: more than 38 digits, or nodes nested too deep.
 */
extern EbStatus eb_price_value(const EbPriceEnv *env, int32_t node, const EbRounding *round,
							   int64_t *value_n, EbFault *fault);

/*
 * A price as constant + sum of factor x series, over series of kind INSTANT and USAGE (of others
 * the value is part of the constant). What q kWh cost that way: constant x q + sum of factor x
 * money cells of the series. Each in 1e-9; constant rounded half-up, factors exact.
 */
typedef struct EbLinearTerm
{
	int32_t series;
	int32_t unused;
	int64_t factor_n;
} EbLinearTerm;

typedef struct EbLinear
{
	int64_t constant_n;
	int32_t nterms; /* 0: a plain price */
	int32_t unused;
	EbLinearTerm term[EB_MAX_SERIES]; /* ascending series, factor not 0 */
} EbLinear;

/*
 * The price as a linear form; EB_NONE is 0. A price without such series is rounded by round as
 * eb_price_value() does it. EB_BAD_ARGUMENT: series are multiplied with each other or rounded
 * (eb_tariff_localize() refuses such a tariff); EB_OUT_OF_RANGE: a factor of more than 9 decimals;
 * else as eb_price_value().
 */
extern EbStatus eb_price_linear(const EbPriceEnv *env, int32_t node, const EbRounding *round,
								EbLinear *linear, EbFault *fault);

/* The series that a node and all below it read, bit by index; EB_NONE gives 0. */
extern uint32_t eb_price_series(const EbTariff *tariff, int32_t node);

/*
 * The price of a series at an instant, 1e-9: that of the last point not after it. EB_UNKNOWN: the
 * instant is before the first point. EB_BAD_ARGUMENT: a series of kind USAGE has no points.
 */
extern EbStatus eb_series_at(const EbTariff *tariff, int32_t series, int64_t at_us,
							 int64_t *price_n, EbFault *fault);

/* The rounding of what has no rule of its own: none but to 1e-9 */
extern const EbRounding eb_price_exact;

/* The attribute of that name, or NULL. */
extern const EbAttr *
eb_attr_find(const EbAttr *attr, int nattrs, const EbTariff *tariff, EbSlice name);

#endif /* EB_RATING_PRICE_H */
