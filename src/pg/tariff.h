/*
 * tariff.h -- the SQL type elecbill.tariff as the rest of the glue sees it
 * A datum holds the compiled block (rating/tariff.h) and behind it the canonical JSON text. The
 * text is the truth; the block is a cache, and another EB_TARIFF_FORMAT means compile again.
 */
#ifndef ELECBILL_PG_TARIFF_H
#define ELECBILL_PG_TARIFF_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

#include "rating/tariff.h"

/* On disk. The type is aligned to 8 bytes, so the block can be used where it lies. */
typedef struct EbTariffDatum
{
	int32 vl_len_;					  /* varlena header, do not touch directly */
	uint32 format;					  /* EB_TARIFF_FORMAT of the block */
	uint32 block_size;				  /* bytes of the block, a multiple of 8 */
	uint32 text_size;				  /* bytes of the text, no terminator */
	char data[FLEXIBLE_ARRAY_MEMBER]; /* block, text */
} EbTariffDatum;

/*
 * The compiled tariff of a datum, detoasted; compiled again when the stored block is of another
 * format. Lives in the datum or in the current memory context; never free it. A damaged datum is an
 * error (ERRCODE_DATA_CORRUPTED): the whole block is looked at unless this backend has just done so.
 */
extern const EbTariff *eb_pg_tariff(Datum datum);

/* The canonical text of a datum; same lifetime. */
extern EbText eb_pg_tariff_text(Datum datum);

/*
 * The one door: JSON to a tariff. Raises UB400 for what is wrong in it, UB422 when it is too large.
 */
extern EbTariffDatum *eb_pg_tariff_make(Jsonb *json);

#define PG_GETARG_EB_TARIFF(n) eb_pg_tariff(PG_GETARG_DATUM(n))

/* A text of a compiled tariff as a C string in the current memory context. */
extern char *eb_pg_tariff_cstring(const EbTariff *tariff, EbSlice text);

#endif /* ELECBILL_PG_TARIFF_H */
