/*
 * price_walk.h -- what the files of price evaluation share
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_RATING_PRICE_WALK_H
#define EB_RATING_PRICE_WALK_H

#include "rating/price.h"
#include "rating/tariff_grammar.h"

/* Nodes inside nodes; lint allows less (EB_MAX_DEPTH nested and EB_MAX_DEPTH references) */
#define EB_PRICE_NESTING 1200

/* digits x 10^-scale, without trailing zeros after the point: products stay short */
typedef struct EbExact
{
	eb_int128 digits;
	int scale;
} EbExact;

/* One evaluation: a node may refer to another many times, so visits are counted */
typedef struct EbPriceWalk
{
	const EbPriceEnv *env;
	EbFault *fault;
	int visits;
	int depth;
	bool linear; /* series that change inside days count as 0: their slope is asked for apart */
} EbPriceWalk;

static inline const EbPriceNode *
eb_price_node_at(const EbTariff *tariff, int32_t node)
{
	return EB_ARRAY(tariff, EbPriceNode, tariff->node) + node;
}

static inline const EbSeries *
eb_series_find(const EbTariff *tariff, int32_t series)
{
	return EB_ARRAY(tariff, EbSeries, tariff->series) + series;
}

/* Does it change inside days, so that energy x price has to be summed? */
static inline bool
eb_series_summed(const EbSeries *series)
{
	return series->kind == EB_SERIES_INSTANT || series->kind == EB_SERIES_USAGE;
}

/* price.c; the sums and products are false when they have too many digits */
extern void eb_exact_strip(EbExact *number);
extern bool eb_exact_add(const EbExact *a, const EbExact *b, EbExact *sum);
extern bool eb_exact_mul(const EbExact *a, const EbExact *b, EbExact *product);
/* To a multiple of step_n (1e-9), as a number of at most nine decimals */
extern bool eb_exact_round(EbExact *number, int64_t step_n, int32_t mode);
extern EbStatus eb_price_too_long(EbFault *fault);
/* The value of a node, not rounded beyond what the nodes say */
extern EbStatus eb_price_node(EbPriceWalk *walk, int32_t node, EbExact *result);
/* The entry of a map (period, season, attribute) that holds here and now */
extern EbStatus eb_price_choose(EbPriceWalk *walk, const EbPriceNode *map, int32_t *chosen);

/* price_series.c: the price of a day, or of the month that holds bill_day; DAYS and BILL_MONTH */
extern EbStatus eb_series_day(const EbPriceWalk *walk, const EbSeries *series, EbExact *result);

#endif /* EB_RATING_PRICE_WALK_H */
