/*
 * tariff_kept.h -- tariffs that were read from text a short while ago
 * A query names a tariff as a literal, often twice, and mostly the next query names it again.
 */
#ifndef ELECBILL_PG_TARIFF_KEPT_H
#define ELECBILL_PG_TARIFF_KEPT_H

#include "postgres.h"

#include "pg/tariff.h"

/* What the text gave before, as a copy in the current memory context; NULL: it is not known. */
extern EbTariffDatum *eb_pg_tariff_kept(const char *text);

/* Keeps what the text gave, as a copy, in the place of what is kept longest. */
extern void eb_pg_tariff_keep(const char *text, const EbTariffDatum *datum);

#endif /* ELECBILL_PG_TARIFF_KEPT_H */
