/*
 * usage_map.c -- a stored summary with the slots and planes of the tariff that is to rate it
 * In:  summaries, whose periods and planes stand in byte order of their names.
 * Out: EbUsage for rating; mostly it points into the datum.
 * Floor: pg.
 */
#include "postgres.h"

#include "pg/fault.h"
#include "pg/usage.h"
#include "rating/net.h"

static void
pg_attribute_noreturn() refuse(void)
{
	EbFault fault;

	eb_pg_raise(eb_usage_conflict(&fault), &fault);
}

/* Equal fingerprints mean equal schedules, periods in the same order. */
static void
learn_slots(EbUsageMap *map, const EbTariff *tariff)
{
	memcpy(map->fingerprint, tariff->fingerprint, sizeof(map->fingerprint));
	eb_pg_rank_slots(tariff, map->rank);
	map->rank[0] = tariff->slot.n > 0 ? map->rank[0] : 0;
	map->identical = true;
	for (int i = 0; i < tariff->slot.n; i++)
		map->identical = map->identical && map->rank[i] == i;
	map->known = true;
}

/* Number of the series in the shape, by its name */
static int
find_series(const EbUsageShape *shape, const EbTariff *tariff, int series)
{
	EbSlice wanted = EB_ARRAY(tariff, EbSeries, tariff->series)[series].name;
	EbShapeNames names = eb_shape_after_schedules(shape);

	for (int i = 0; i < shape->nseries; i++)
	{
		const char *name = eb_shape_next(&names);

		if (strlen(name) == (size_t) wanted.n &&
			memcmp(name, EB_ARRAY(tariff, char, wanted), wanted.n) == 0)
			return i;
	}
	return EB_NONE;
}

/* Where in the shape each plane of the tariff stands; true when all stand where they do there */
static bool
find_planes(const EbUsageShape *shape, const EbTariff *tariff, int *place)
{
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);
	bool identical = eb_shape_planes(shape) == tariff->plane.n;

	for (int i = 0; i < tariff->plane.n; i++)
	{
		int series = EB_SHAPE_ENERGY;

		if (plane[i].series != EB_NONE)
			series = find_series(shape, tariff, plane[i].series);
		place[i] = eb_shape_plane(shape, (EbChannel) plane[i].channel, series);
		if (place[i] == EB_NONE)
			refuse();
		identical = identical && place[i] == i;
	}
	return identical;
}

/* The cells in the order of the tariff */
static void
arrange(const EbUsageShape *shape, const EbTariff *tariff, const int *place, const int16 *rank,
		const EbUsage *from, int64 *cell)
{
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);

	for (int part = 0; part < from->nparts; part++)
		for (int i = 0; i < tariff->plane.n; i++)
		{
			const int64 *row =
				from->cell + (Size) part * from->ncells + eb_shape_plane_at(shape, place[i]);
			int width = plane[i].series == EB_NONE ? 1 : 2;

			for (int slot = 0; slot < from->nslots; slot++)
				for (int k = 0; k < width; k++)
					*cell++ = row[rank[slot] * width + k];
		}
}

static void
map_cells(const EbUsageShape *shape, const EbTariff *tariff, const EbUsageMap *map, EbUsage *usage)
{
	int64 *cell;

	if (map->identical && map->in_place)
		return;
	cell = palloc(sizeof(int64) * usage->nparts * map->ncells + 1);
	arrange(shape, tariff, map->place, map->rank, usage, cell);
	usage->ncells = map->ncells;
	usage->cell = cell;
}

static void map_block(const EbUsageShape *shape, const EbUsageBlock *block, const EbTariff *tariff,
					  EbUsageMap *map, EbUsage *usage);

/* What is one for the bill stands with the whole; each version reads it there. */
static void
inherit(const EbUsage *whole, EbUsage *sub)
{
	sub->pf_u = whole->pf_u;
	sub->qty = whole->qty;
	sub->nqty = whole->nqty;
	sub->item_u = whole->item_u;
	sub->nitems = whole->nitems;
}

static void
map_versions(const EbUsageShape *shape, const EbUsageBlock *block, const EbTariff *tariff,
			 EbUsage *usage)
{
	const EbVersion *version = EB_ARRAY(tariff, EbVersion, tariff->version);
	EbUsage *sub = palloc(sizeof(EbUsage) * block->nsub);

	if (block->nsub != tariff->version.n)
		refuse();
	for (int i = 0; i < block->nsub; i++)
	{
		const EbShapeVersion *shape_version;
		const EbUsageShape *sub_shape = eb_shape_version(shape, i, &shape_version);
		EbUsageMap map = {.known = false};

		map_block(sub_shape, eb_usage_block_sub(shape, block, i),
				  eb_version_tariff(tariff, &version[i]), &map, &sub[i]);
		inherit(usage, &sub[i]);
	}
	usage->sub = sub;
}

static void
map_block(const EbUsageShape *shape, const EbUsageBlock *block, const EbTariff *tariff,
		  EbUsageMap *map, EbUsage *usage)
{
	EbNamedQuantity *qty = NULL;

	if (memcmp(shape->fingerprint, tariff->fingerprint, EB_FINGERPRINT_SIZE) != 0 ||
		shape->nslots != eb_tariff_slots(tariff) || shape->ndemands != tariff->demand.n)
		refuse();
	if (block->nqty > 0)
		qty = palloc(sizeof(EbNamedQuantity) * block->nqty);
	eb_usage_block_view(shape, block, qty, usage);
	if (!map->known || memcmp(map->fingerprint, shape->fingerprint, EB_FINGERPRINT_SIZE) != 0)
		learn_slots(map, tariff);
	map->in_place = find_planes(shape, tariff, map->place);
	map->ncells = eb_usage_cells(tariff);
	map_cells(shape, tariff, map, usage);
	if (block->nsub > 0)
		map_versions(shape, block, tariff, usage);
}

/* Maps a summary whose shape is that of the last one; false: it is another, or stored in some way. */
static bool
map_again(const EbUsageDatum *datum, const EbTariff *tariff, const EbUsageMap *map, EbUsage *usage)
{
	const EbUsageBlock *block;
	Size size = map->shape->size;

	if (VARATT_IS_EXTENDED(datum) || datum->format != EB_USAGE_FORMAT ||
		VARSIZE(datum) < offsetof(EbUsageDatum, data) + size ||
		memcmp(eb_pg_usage_shape_of(datum), map->shape, size) != 0)
		return false;
	block = eb_pg_usage_block_of(datum);
	if (!eb_usage_block_check(map->shape, block,
							  VARSIZE(datum) - offsetof(EbUsageDatum, data) - size) ||
		block->nqty > 0)
		return false;
	eb_usage_block_view(map->shape, block, NULL, usage);
	map_cells(map->shape, tariff, map, usage);
	return true;
}

static void
remember_shape(EbUsageMap *map, const EbUsageShape *shape)
{
	map->shape = MemoryContextAlloc(map->context, shape->size);
	memcpy(map->shape, shape, shape->size);
}

void
eb_pg_usage_map(Datum value, const EbTariff *tariff, EbUsageMap *map, EbUsage *usage)
{
	const EbUsageDatum *datum = (const EbUsageDatum *) DatumGetPointer(value);

	if (map->shape != NULL && map->tariff == tariff && map_again(datum, tariff, map, usage))
		return;
	if (map->shape != NULL)
		pfree(map->shape);
	map->shape = NULL;
	datum = eb_pg_usage_datum(value);
	map_block(eb_pg_usage_shape_of(datum), eb_pg_usage_block_of(datum), tariff, map, usage);
	if (map->tariff == tariff && usage->nsub == 0)
		remember_shape(map, eb_pg_usage_shape_of(datum));
}

const EbUsage *
eb_pg_usage_for(Datum value, const EbTariff *tariff)
{
	EbUsage *usage = palloc(sizeof(EbUsage));
	EbUsageMap map = {.known = false};

	eb_pg_usage_map(value, tariff, &map, usage);
	return usage;
}

/* Does rating write to cells and pieces: losses, net? */
static bool
rating_writes(const EbTariff *tariff)
{
	return tariff->loss.n > 0 || eb_net_mode_cancels((EbNetMode) tariff->net.mode);
}

static void *
copy_of(const void *data, Size size)
{
	void *copy = palloc(size + 1);

	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

static void
freshen(EbUsage *usage, const EbTariff *tariff)
{
	const EbVersion *version = EB_ARRAY(tariff, EbVersion, tariff->version);
	Size ncells = (Size) usage->nparts * usage->ncells;
	EbUsage *sub = palloc(sizeof(EbUsage) * usage->nsub + 1);

	for (int i = 0; i < usage->nsub; i++)
	{
		sub[i] = usage->sub[i];
		freshen(&sub[i], eb_version_tariff(tariff, &version[i]));
	}
	usage->sub = sub;
	if (!rating_writes(tariff))
		return;
	usage->spare = palloc(sizeof(int64) * ncells + 1);
	usage->cell = copy_of(usage->cell, sizeof(int64) * ncells);
	usage->piece = copy_of(usage->piece, sizeof(EbPiece) * usage->npieces);
}

const EbUsage *
eb_pg_usage_fresh(const EbUsage *usage, const EbTariff *tariff)
{
	EbUsage *copy;

	if (!rating_writes(tariff) && usage->nsub == 0)
		return usage;
	copy = palloc_object(EbUsage);
	*copy = *usage;
	freshen(copy, tariff);
	return copy;
}
