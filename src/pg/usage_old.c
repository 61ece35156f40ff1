/*
 * usage_old.c -- summaries that version 0.1.0 stored
 * In:  datums of format 1: import energy by period, nothing else.
 * Out: datums of the present format. Tables keep the old ones until their rows are written again.
 * Floor: pg.
 */
#include "postgres.h"

#include "pg/usage.h"

typedef struct OldShape
{
	uint8 fingerprint[EB_FINGERPRINT_SIZE];
	int32 size; /* bytes, names included, rounded up to a multiple of 8 */
	int32 nschedules;
	int32 nslots;
	int32 unused;
	char names[FLEXIBLE_ARRAY_MEMBER]; /* schedules and periods as in EbUsageShape, no planes */
} OldShape;

typedef struct OldDatum
{
	int32 vl_len_;
	uint32 format; /* 1 */
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
} OldDatum;

static void
pg_attribute_noreturn() damaged(void)
{
	elog(ERROR, "stored usage_summary of format 1 is damaged");
}

/* The shape with the one plane that there was: import energy */
static EbUsageShape *
convert_shape(const OldShape *old)
{
	static const char plane[2] = {EB_IMPORT_KWH, (char) EB_SHAPE_ENERGY};
	Size names_size = old->size - offsetof(OldShape, names);
	Size size = MAXALIGN(sizeof(EbUsageShape) + sizeof(plane) + names_size);
	EbUsageShape *shape = palloc0(size);

	memcpy(shape->fingerprint, old->fingerprint, sizeof(shape->fingerprint));
	shape->size = (int32) size;
	shape->nschedules = old->nschedules;
	shape->nslots = old->nslots;
	shape->nenergy = 1;
	memcpy(shape->names, plane, sizeof(plane));
	memcpy(shape->names + sizeof(plane), old->names, names_size);
	if (!eb_shape_check(shape, size))
		damaged();
	return shape;
}

const EbUsageDatum *
eb_pg_usage_convert(const EbUsageDatum *stored)
{
	const OldDatum *old = (const OldDatum *) stored;
	const OldShape *shape = (const OldShape *) old->data;
	Size size = VARSIZE(old);
	Size cells_size;
	EbUsage usage = {.channels = 1u << EB_IMPORT_KWH, .pf_u = EB_NO_PF};

	if (size < offsetof(OldDatum, data) + offsetof(OldShape, names) ||
		shape->size < (int32) offsetof(OldShape, names) || shape->size % 8 != 0 ||
		offsetof(OldDatum, data) + shape->size > size || old->nparts < 0 || shape->nslots < 1 ||
		shape->nslots > EB_MAX_SLOTS || old->quality < EB_ACTUAL || old->quality > EB_MISSING)
		damaged();
	cells_size = sizeof(int64) * old->nparts * shape->nslots;
	if (offsetof(OldDatum, data) + shape->size + cells_size + sizeof(int32) * old->nparts != size)
		damaged();
	usage.from_us = old->from_us;
	usage.to_us = old->to_us;
	usage.missing_s = old->missing_s;
	usage.days_u = old->days_u;
	usage.months_u = old->months_u;
	usage.held = old->held;
	usage.quality = old->quality;
	usage.nparts = old->nparts;
	usage.nslots = usage.ncells = shape->nslots;
	usage.cell = (int64 *) (old->data + shape->size);
	usage.part_day = (const int32 *) (old->data + shape->size + cells_size);
	return eb_pg_usage_make(convert_shape(shape), &usage);
}
