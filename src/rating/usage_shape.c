/*
 * usage_shape.c -- what the numbers of a usage are called
 * In:  shapes that src/pg/usage_shape.c made from a tariff or from JSON, or that were stored.
 * Out: names for the text form, places for merging and rating; a check of stored ones.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/usage_shape.h"

int
eb_shape_plane(const EbUsageShape *shape, EbChannel channel, int series)
{
	for (int plane = 0; plane < eb_shape_planes(shape); plane++)
		if (eb_shape_channel(shape, plane) == channel && eb_shape_series(shape, plane) == series)
			return plane;
	return EB_NONE;
}

const char *
eb_shape_next_schedule(EbShapeNames *names, int *nperiods)
{
	const char *name = eb_shape_next(names);

	*nperiods = (unsigned char) *names->next++;
	return name;
}

const char *
eb_shape_next_demand(EbShapeNames *names, int *keep)
{
	const char *name = eb_shape_next(names);

	*keep = (unsigned char) names->next[0] * 256 + (unsigned char) names->next[1];
	names->next += 2;
	return name;
}

EbShapeNames
eb_shape_after_schedules(const EbUsageShape *shape)
{
	EbShapeNames names = eb_shape_names(shape);

	for (int i = 0; i < shape->nschedules; i++)
	{
		int nperiods;

		eb_shape_next_schedule(&names, &nperiods);
		for (int j = 0; j < nperiods; j++)
			eb_shape_next(&names);
	}
	return names;
}

const EbUsageShape *
eb_shape_version(const EbUsageShape *shape, int index, const EbShapeVersion **version)
{
	const char *at = shape->names;

	for (;; index--)
	{
		const EbUsageShape *found =
			(const EbUsageShape *) (const void *) (at + sizeof(EbShapeVersion));

		*version = (const EbShapeVersion *) (const void *) at;
		if (index == 0)
			return found;
		at = (const char *) found + found->size;
	}
}

/* ---------------------------------------------------------------- checking what was stored */

/* Reads names that may not be there */
typedef struct Reader
{
	const char *next;
	const char *end;
	bool good;
} Reader;

static int
read_byte(Reader *reader)
{
	reader->good = reader->good && reader->next < reader->end;
	return reader->good ? (unsigned char) *reader->next++ : 0;
}

static void
read_name(Reader *reader)
{
	const char *end = NULL;

	if (reader->good)
		end = memchr(reader->next, '\0', (size_t) (reader->end - reader->next));
	reader->good = end != NULL;
	if (reader->good)
		reader->next = end + 1;
}

/* Planes of energy come first, each (channel, series) once, rising */
static void
read_planes(Reader *reader, const EbUsageShape *shape)
{
	int last = -1;

	for (int i = 0; i < eb_shape_planes(shape); i++)
	{
		int channel = read_byte(reader);
		int series = read_byte(reader);
		int rank = channel;

		if (i >= shape->nenergy)
			rank = EB_NCHANNELS + channel * EB_MAX_SERIES + series;
		if (channel >= EB_NCHANNELS || rank <= last ||
			(i < shape->nenergy ? series != EB_SHAPE_ENERGY : series >= shape->nseries) ||
			(i == 0 && channel != EB_IMPORT_KWH))
			reader->good = false;
		last = rank;
	}
}

static bool
check_names(const EbUsageShape *shape)
{
	Reader reader = {shape->names, (const char *) shape + shape->size, true};
	int nslots = 0;

	read_planes(&reader, shape);
	for (int i = 0; i < shape->nschedules && reader.good; i++)
	{
		int nperiods;

		read_name(&reader);
		nperiods = read_byte(&reader);
		nslots += nperiods;
		reader.good = reader.good && nperiods > 0;
		for (int j = 0; j < nperiods; j++)
			read_name(&reader);
	}
	for (int i = 0; i < shape->nseries; i++)
		read_name(&reader);
	for (int i = 0; i < shape->ndemands; i++)
	{
		read_name(&reader);
		read_byte(&reader);
		read_byte(&reader);
	}
	return reader.good && (shape->nschedules == 0 || nslots == shape->nslots);
}

/* A whole number of least .. most */
static bool
within(int32_t value, int32_t least, int32_t most)
{
	return value >= least && value <= most;
}

static bool
check_head(const EbUsageShape *shape, size_t size)
{
	bool changes = shape->nversions > 0;

	return shape->size >= (int32_t) sizeof(EbUsageShape) && (size_t) shape->size <= size &&
		   shape->size % 8 == 0 && within(shape->nversions, 0, EB_MAX_VERSIONS) &&
		   within(shape->nschedules, 0, changes ? 0 : EB_MAX_SCHEDULES) &&
		   within(shape->nslots, 1, shape->nschedules > 0 ? EB_MAX_SLOTS : 1) &&
		   within(shape->nenergy, changes ? 0 : 1, changes ? 0 : EB_NCHANNELS) &&
		   within(shape->nmoney, 0, changes ? 0 : EB_NCHANNELS * EB_MAX_SERIES) &&
		   within(shape->nseries, 0, changes ? 0 : EB_MAX_SERIES) &&
		   within(shape->ndemands, 0, changes ? 0 : EB_MAX_DEMANDS);
}

static bool
check_plain(const void *data, size_t size)
{
	const EbUsageShape *shape = data;

	return size >= sizeof(EbUsageShape) && check_head(shape, size) && shape->nversions == 0 &&
		   check_names(shape);
}

bool
eb_shape_check(const void *data, size_t size)
{
	const EbUsageShape *shape = data;
	const char *at;
	const char *end;

	if (size < sizeof(EbUsageShape) || !check_head(shape, size))
		return false;
	if (shape->nversions == 0)
		return check_names(shape);
	at = shape->names;
	end = (const char *) data + shape->size;
	for (int i = 0; i < shape->nversions; i++)
	{
		if (end - at < (ptrdiff_t) sizeof(EbShapeVersion))
			return false;
		at += sizeof(EbShapeVersion);
		if (!check_plain(at, (size_t) (end - at)))
			return false;
		at += ((const EbUsageShape *) (const void *) at)->size;
	}
	return at == end;
}
