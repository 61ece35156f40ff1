/*
 * usage.h -- the SQL type elecbill.usage_summary as the rest of the glue sees it
 * A datum explains itself: a shape (rating/usage_shape.h) holds the names beside the numbers.
 */
#ifndef ELECBILL_PG_USAGE_H
#define ELECBILL_PG_USAGE_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "rating/usage_block.h"

/* 1 was written by version 0.1.0: it held import energy only (usage_old.c) */
#define EB_USAGE_FORMAT 2

/* On disk. The type is aligned to 8 bytes. */
typedef struct EbUsageDatum
{
	int32 vl_len_;					  /* varlena header, do not touch directly */
	uint32 format;					  /* EB_USAGE_FORMAT */
	char data[FLEXIBLE_ARRAY_MEMBER]; /* EbUsageShape, EbUsageBlock */
} EbUsageDatum;

static inline const EbUsageShape *
eb_pg_usage_shape_of(const EbUsageDatum *datum)
{
	return (const EbUsageShape *) datum->data;
}

static inline const EbUsageBlock *
eb_pg_usage_block_of(const EbUsageDatum *datum)
{
	return (const EbUsageBlock *) (datum->data + eb_pg_usage_shape_of(datum)->size);
}

/*
 * A copy of a tariff (and of its versions) that classifies into the slots and planes of a summary.
 * It is not fit for rating.
 */
extern EbTariff *eb_pg_usage_tariff(const EbTariff *tariff);

/* The shape that such a copy gives, in the current memory context. */
extern EbUsageShape *eb_pg_usage_shape(const EbTariff *sorted);

/* Where each slot of the tariff stands when the periods of each schedule are in byte order */
extern void eb_pg_rank_slots(const EbTariff *tariff, int16 *rank);

/* A datum in the current memory context; the fingerprint is that of the shape. */
extern EbUsageDatum *eb_pg_usage_make(const EbUsageShape *shape, const EbUsage *usage);

/* A datum, detoasted, of the present format; what does not hold together is an error. */
extern const EbUsageDatum *eb_pg_usage_datum(Datum datum);

/* What it says as the pure core takes it, pointing into the datum. */
extern const EbUsage *eb_pg_usage_view(const EbUsageDatum *datum);

static inline const EbUsage *
eb_pg_usage(Datum datum)
{
	return eb_pg_usage_view(eb_pg_usage_datum(datum));
}

/* Kept from call to call, all 0 at first: where slots and planes of tariffs stand in summaries */
typedef struct EbUsageMap
{
	/* of the last fingerprint */
	uint8 fingerprint[EB_FINGERPRINT_SIZE];
	bool known;
	bool identical; /* each slot stands where it does in the tariff */
	int16 rank[EB_MAX_SLOTS];
	/* of the last summary and tariff */
	bool in_place; /* each plane does, too */
	int ncells;
	int place[EB_SHAPE_MAX_PLANES];
	/* for a tariff that does not change, if the caller sets both: the shape of the last summary */
	const EbTariff *tariff;
	MemoryContext context;
	EbUsageShape *shape;
} EbUsageMap;

/*
 * A summary with the slots and planes of a tariff, for rating, in *usage. UB409 when another tariff
 * classified it.
 */
extern void eb_pg_usage_map(Datum datum, const EbTariff *tariff, EbUsageMap *map, EbUsage *usage);

/* The usage for one rating, with a copy of its own of what that writes to (losses, net). */
extern const EbUsage *eb_pg_usage_fresh(const EbUsage *usage, const EbTariff *tariff);

/* The same for who asks once. */
extern const EbUsage *eb_pg_usage_for(Datum datum, const EbTariff *tariff);

#define PG_GETARG_EB_USAGE(n) eb_pg_usage(PG_GETARG_DATUM(n))
#define PG_GETARG_EB_USAGE_FOR(n, tariff) eb_pg_usage_for(PG_GETARG_DATUM(n), (tariff))

/* A datum that version 0.1.0 stored, as one of the present format (usage_old.c) */
extern const EbUsageDatum *eb_pg_usage_convert(const EbUsageDatum *old);

/* Keys of JSON by channel: energy, and energy x price by series */
extern const char *const eb_pg_energy_key[EB_NCHANNELS];
extern const char *const eb_pg_cost_key[EB_NCHANNELS];

/* Words of quality, by EbQuality */
extern const char *const eb_pg_quality_word[EB_MISSING + 1];

/*
 * The text form: writing (usage_json.c), and the one door for reading (usage_json_read.c), which
 * raises UB400.
 */
extern void eb_pg_usage_write(StringInfo out, const EbUsageDatum *datum);
extern EbUsageDatum *eb_pg_usage_read(Jsonb *json);

#endif /* ELECBILL_PG_USAGE_H */
