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
} EbPriceEnv;

/* What a node depends on, as bits */
#define EB_USES_PERIOD 1u
#define EB_USES_SEASON 2u
#define EB_USES_ATTR 4u

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

/* The rounding of what has no rule of its own: none but to 1e-9 */
extern const EbRounding eb_price_exact;

/* The attribute of that name, or NULL. */
extern const EbAttr *
eb_attr_find(const EbAttr *attr, int nattrs, const EbTariff *tariff, EbSlice name);

#endif /* EB_RATING_PRICE_H */
