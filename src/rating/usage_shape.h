/*
 * usage_shape.h -- what the numbers of a usage are called
 * A shape stands beside the numbers wherever they are kept, so that they explain themselves. It is
 * one flat block. Schedules, the periods of each, series and demands stand in byte order of their
 * names; in a tariff periods stand in the order of its rules.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_USAGE_SHAPE_H
#define EB_USAGE_SHAPE_H

#include <string.h>

#include "rating/usage.h"

/*
 * names holds, without gaps: per plane its channel and its series (of the shape; EB_SHAPE_ENERGY:
 * none) as bytes; per schedule its name and NUL (empty when it is the only one), the number of its
 * periods as a byte, per period its name and NUL; per series its name and NUL; per demand its name
 * and NUL, and two bytes that say how many peaks of a part are kept, the high one first.
 * The shape of a tariff that changes has none of it: in the place of names stand an EbShapeVersion
 * and the shape of each version.
 */
typedef struct EbUsageShape
{
	uint8_t fingerprint[EB_FINGERPRINT_SIZE];
	int32_t size; /* bytes, names included, rounded up to a multiple of 8 */
	int32_t nschedules;
	int32_t nslots;	 /* >= 1; 1 when there is no schedule */
	int32_t nenergy; /* planes of energy: a cell for each slot; import first */
	int32_t nmoney;	 /* planes of energy x price of a series: two cells for each slot */
	int32_t nseries; /* that these need */
	int32_t ndemands;
	int32_t nversions;
	char names[];
} EbUsageShape;

#define EB_SHAPE_ENERGY 255
#define EB_SHAPE_MAX_PLANES (EB_NCHANNELS * (1 + EB_MAX_SERIES))

/* Stands before the shape of a version */
typedef struct EbShapeVersion
{
	int32_t valid_from; /* as in EbVersion */
	int32_t valid_to;
	int32_t number;
	int32_t unused;
} EbShapeVersion;

static inline int
eb_shape_planes(const EbUsageShape *shape)
{
	return shape->nenergy + shape->nmoney;
}

/* Cells of a part */
static inline int
eb_shape_cells(const EbUsageShape *shape)
{
	return (shape->nenergy + 2 * shape->nmoney) * shape->nslots;
}

/* First cell of a plane */
static inline int
eb_shape_plane_at(const EbUsageShape *shape, int plane)
{
	int money = plane > shape->nenergy ? plane - shape->nenergy : 0;

	return (plane + money) * shape->nslots;
}

static inline EbChannel
eb_shape_channel(const EbUsageShape *shape, int plane)
{
	return (EbChannel) (unsigned char) shape->names[2 * plane];
}

/* Of the shape, or EB_SHAPE_ENERGY */
static inline int
eb_shape_series(const EbUsageShape *shape, int plane)
{
	return (unsigned char) shape->names[2 * plane + 1];
}

/* Index of a plane, or EB_NONE */
extern int eb_shape_plane(const EbUsageShape *shape, EbChannel channel, int series);

/*
 * Walks the names in the order in which they stand: nschedules times a schedule and behind it its
 * periods, then nseries series, then ndemands demands.
 */
typedef struct EbShapeNames
{
	const char *next;
} EbShapeNames;

static inline EbShapeNames
eb_shape_names(const EbUsageShape *shape)
{
	return (EbShapeNames){shape->names + 2 * eb_shape_planes(shape)};
}

/* The next name, of a period or a series */
static inline const char *
eb_shape_next(EbShapeNames *names)
{
	const char *name = names->next;

	names->next += strlen(name) + 1;
	return name;
}

extern const char *eb_shape_next_schedule(EbShapeNames *names, int *nperiods);
/* *keep: peaks of a part that count; 0: all that there are */
extern const char *eb_shape_next_demand(EbShapeNames *names, int *keep);

/* Walks over the schedules and their periods. */
extern EbShapeNames eb_shape_after_schedules(const EbUsageShape *shape);

/* The shape of a version, and what stands before it. */
extern const EbUsageShape *
eb_shape_version(const EbUsageShape *shape, int index, const EbShapeVersion **version);

/* Is what stands in size bytes a shape? Everything in it is within bounds then. */
extern bool eb_shape_check(const void *data, size_t size);

#endif /* EB_USAGE_SHAPE_H */
