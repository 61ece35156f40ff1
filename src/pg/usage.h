/*
 * usage.h -- the SQL type elecbill.usage_summary as the rest of the glue sees it
 * A datum explains itself: it holds the names of schedules and periods beside the numbers.
 */
#ifndef ELECBILL_PG_USAGE_H
#define ELECBILL_PG_USAGE_H

#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "rating/usage.h"

#define EB_USAGE_FORMAT 1

/*
 * What the slots of a summary are called. Schedules, and the periods of each, stand in byte order
 * of their names; in a tariff periods stand in the order of its rules. Per schedule there is its
 * name and NUL (empty when it is the only one), the number of its periods as a byte, and per
 * period its name and NUL. No schedule: no names, and one slot.
 */
typedef struct EbUsageShape
{
	uint8 fingerprint[EB_FINGERPRINT_SIZE];
	int32 size; /* bytes, names included, rounded up to a multiple of 8 */
	int32 nschedules;
	int32 nslots; /* >= 1 */
	int32 unused;
	char names[FLEXIBLE_ARRAY_MEMBER];
} EbUsageShape;

/* On disk. The type is aligned to 8 bytes. */
typedef struct EbUsageDatum
{
	int32 vl_len_; /* varlena header, do not touch directly */
	uint32 format; /* EB_USAGE_FORMAT */
	int64 from_us; /* as in EbUsage */
	int64 to_us;
	int64 missing_s;
	int64 days_u;
	int64 months_u;
	int32 held;
	int32 quality;
	int32 nparts;
	int32 unused;
	char data
		[FLEXIBLE_ARRAY_MEMBER]; /* shape, energy int64[nparts][nslots], part_day int32[nparts] */
} EbUsageDatum;

static inline const EbUsageShape *
eb_pg_usage_shape_of(const EbUsageDatum *datum)
{
	return (const EbUsageShape *) datum->data;
}

/* A copy of a tariff that classifies into the slots of a summary. It is not fit for rating. */
extern EbTariff *eb_pg_usage_tariff(const EbTariff *tariff);

/* The shape that such a copy gives, in the current memory context. */
extern EbUsageShape *eb_pg_usage_shape(const EbTariff *sorted);

/* A datum in the current memory context; the fingerprint is that of the shape. */
extern EbUsageDatum *eb_pg_usage_make(const EbUsageShape *shape, const EbUsage *usage);

/* A datum, detoasted; and what it says as the pure core takes it, pointing into the datum. */
extern const EbUsageDatum *eb_pg_usage_datum(Datum datum);
extern const EbUsage *eb_pg_usage_view(const EbUsageDatum *datum);

static inline const EbUsage *
eb_pg_usage(Datum datum)
{
	return eb_pg_usage_view(eb_pg_usage_datum(datum));
}

/* The same with the slots of a tariff, for rating; UB409 when another tariff classified it. */
extern const EbUsage *eb_pg_usage_for(Datum datum, const EbTariff *tariff);

#define PG_GETARG_EB_USAGE(n) eb_pg_usage(PG_GETARG_DATUM(n))
#define PG_GETARG_EB_USAGE_FOR(n, tariff) eb_pg_usage_for(PG_GETARG_DATUM(n), (tariff))

/* Walks the names of a shape in the order of its slots. */
typedef struct EbUsageName
{
	const char *next;	  /* in names */
	const char *schedule; /* empty when it is the only one */
	int32 nperiods;
} EbUsageName;

extern EbUsageName eb_pg_usage_names(const EbUsageShape *shape);
extern const char *eb_pg_usage_next_schedule(EbUsageName *name); /* reads nperiods, too */
extern const char *eb_pg_usage_next_period(EbUsageName *name);

/* The text form (usage_json.c): writing, and the one door for reading, which raises UB400. */
extern void eb_pg_usage_write(StringInfo out, const EbUsageDatum *datum);
extern EbUsageDatum *eb_pg_usage_read(Jsonb *json);

#endif /* ELECBILL_PG_USAGE_H */
