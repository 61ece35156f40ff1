/*
 * usage_from.h -- reading the numbers of usage_from()
 */
#ifndef ELECBILL_PG_USAGE_FROM_H
#define ELECBILL_PG_USAGE_FROM_H

#include "pg/usage.h"
#include "rating/node.h"

/*
 * A number of 10^-scale, EB_ENERGY_SCALE or EB_AMOUNT_SCALE, that fits one cell or two; negative
 * ones are refused unless they may be. what names it.
 */
extern eb_int128
eb_pg_from_number(const EbNode *node, int scale, bool may_be_negative, const char *what);

/* "during" in any of its forms; UB400 when it is no range that rises. */
extern void eb_pg_from_during(const EbNode *node, const EbZone *zone, int64 *from_us, int64 *to_us);

/*
 * A number by period, in any of its forms, by slot of the tariff: one number, {period: number} or
 * {schedule: {period: number}}; what names it. True: one number stands for several periods, and is
 * in the first of each schedule. UB404 when a schedule is lacking.
 */
extern bool eb_pg_from_slots(const EbTariff *tariff, const EbNode *node, int scale,
							 bool may_be_negative, const char *what, eb_int128 *slot);

/* UB400 for a member of the object that is none of the n known keys, or that is no object. */
extern void
eb_pg_from_keys(const EbNode *object, const char *const *known, int n, const char *what);

/* Reads power_factor, qty, items, days, months and quality into the usage. */
extern void eb_pg_from_quantities(const EbNode *root, EbUsage *usage);

#endif /* ELECBILL_PG_USAGE_FROM_H */
