/*
 * usage_block.c -- usage as one flat block, free of pointers
 * In:  EbUsage of the aggregates, of usage_from(), of merging; blocks that were stored.
 * Out: blocks for src/pg/usage.c to store; usage that points into them.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/usage_block.h"

/* Where the arrays of a block stand, in bytes from its start */
typedef struct Layout
{
	size_t peak;
	size_t piece;
	size_t qty;
	size_t item;
	size_t part_day;
	size_t qty_name;
	size_t sub;
} Layout;

static size_t
pad(size_t bytes)
{
	return (bytes + 7) & ~(size_t) 7;
}

/* No sum overflows: counts are int32, a part has at most 8704 cells. */
static Layout
lay_out(const EbUsageShape *shape, size_t nparts, size_t npeaks, size_t npieces, size_t nqty,
		size_t nitems, size_t qty_size)
{
	Layout at;

	at.peak = sizeof(EbUsageBlock) + nparts * (size_t) eb_shape_cells(shape) * sizeof(int64_t);
	at.piece = at.peak + npeaks * sizeof(EbPeak);
	at.qty = at.piece + npieces * sizeof(EbPiece);
	at.item = at.qty + nqty * sizeof(int64_t);
	at.part_day = at.item + nitems * sizeof(int64_t);
	at.qty_name = at.part_day + pad(nparts * sizeof(int32_t));
	at.sub = at.qty_name + pad(qty_size);
	return at;
}

static Layout
lay_out_block(const EbUsageShape *shape, const EbUsageBlock *block)
{
	return lay_out(shape, (size_t) block->nparts, (size_t) block->npeaks, (size_t) block->npieces,
				   (size_t) block->nqty, (size_t) block->nitems, (size_t) block->qty_size);
}

static size_t
qty_size(const EbUsage *usage)
{
	size_t size = 0;

	for (int i = 0; i < usage->nqty; i++)
		size += (size_t) usage->qty[i].name.len + 1;
	return size;
}

static Layout
lay_out_usage(const EbUsageShape *shape, const EbUsage *usage)
{
	return lay_out(shape, (size_t) usage->nparts, (size_t) usage->npeaks, (size_t) usage->npieces,
				   (size_t) usage->nqty, (size_t) usage->nitems, qty_size(usage));
}

size_t
eb_usage_block_size(const EbUsageShape *shape, const EbUsage *usage)
{
	size_t size = lay_out_usage(shape, usage).sub;

	for (int i = 0; i < usage->nsub; i++)
	{
		const EbShapeVersion *version;

		size += eb_usage_block_size(eb_shape_version(shape, i, &version), &usage->sub[i]);
	}
	return size;
}

static void
copy(char *to, const void *from, size_t size)
{
	if (size > 0)
		memcpy(to, from, size);
}

static void
write_qty(const EbUsage *usage, char *value, char *name)
{
	for (int i = 0; i < usage->nqty; i++)
	{
		const EbNamedQuantity *qty = &usage->qty[i];

		memcpy(value + (size_t) i * sizeof(int64_t), &qty->value_u, sizeof(int64_t));
		copy(name, qty->name.data, (size_t) qty->name.len);
		name += qty->name.len + 1;
	}
}

void
eb_usage_block_write(const EbUsageShape *shape, const EbUsage *usage, EbUsageBlock *block)
{
	Layout at = lay_out_usage(shape, usage);
	char *base = (char *) block;
	char *next = base + at.sub;

	/* what is padded, and the NUL of each name; all else is written */
	memset(base + at.part_day, 0, at.sub - at.part_day);
	*block = (EbUsageBlock){
		.channels = usage->channels,
		.from_us = usage->from_us,
		.to_us = usage->to_us,
		.missing_s = usage->missing_s,
		.days_u = usage->days_u,
		.months_u = usage->months_u,
		.pf_u = usage->pf_u,
		.held = usage->held,
		.quality = usage->quality,
		.nparts = usage->nparts,
		.npeaks = usage->npeaks,
		.npieces = usage->npieces,
		.nqty = usage->nqty,
		.nitems = usage->nitems,
		.nsub = usage->nsub,
		.qty_size = (int32_t) qty_size(usage),
	};
	copy(block->data, usage->cell, at.peak - sizeof(EbUsageBlock));
	copy(base + at.peak, usage->peak, (size_t) usage->npeaks * sizeof(EbPeak));
	copy(base + at.piece, usage->piece, (size_t) usage->npieces * sizeof(EbPiece));
	copy(base + at.item, usage->item_u, (size_t) usage->nitems * sizeof(int64_t));
	copy(base + at.part_day, usage->part_day, (size_t) usage->nparts * sizeof(int32_t));
	write_qty(usage, base + at.qty, base + at.qty_name);
	for (int i = 0; i < usage->nsub; i++)
	{
		const EbShapeVersion *version;
		EbUsageBlock *sub = (EbUsageBlock *) (void *) next;

		eb_usage_block_write(eb_shape_version(shape, i, &version), &usage->sub[i], sub);
		next += sub->size;
	}
	block->size = (uint32_t) (next - base);
}

/* ---------------------------------------------------------------- reading */

/* EbChannel and EB_UNDIVIDED(), nothing else */
#define CHANNEL_BITS (((1u << EB_NCHANNELS) - 1) * (1u | EB_UNDIVIDED(0)))

static bool
check_counts(const EbUsageShape *shape, const EbUsageBlock *block)
{
	return block->nparts >= 0 && block->npeaks >= 0 && block->npieces >= 0 && block->nqty >= 0 &&
		   block->nitems >= 0 && block->qty_size >= 0 && block->held >= 0 &&
		   block->missing_s >= 0 && block->quality >= EB_ACTUAL && block->quality <= EB_MISSING &&
		   block->nsub == shape->nversions && (block->channels & ~CHANNEL_BITS) == 0 &&
		   (block->nsub == 0 || (block->nparts == 0 && block->npeaks == 0 && block->npieces == 0));
}

static bool
check_peaks(const EbUsageShape *shape, const EbUsageBlock *block, size_t at)
{
	const EbPeak *peak = (const EbPeak *) (const void *) ((const char *) block + at);

	for (int i = 0; i < block->npeaks; i++)
		if (peak[i].demand < 0 || peak[i].demand >= shape->ndemands)
			return false;
	return true;
}

/* As many names as there are quantities, the last one with its NUL */
static bool
check_names(const EbUsageBlock *block, size_t at)
{
	const char *name = (const char *) block + at;
	int n = 0;

	for (int i = 0; i < block->qty_size; i++)
		n += name[i] == '\0';
	return n == block->nqty && (n == 0 ? block->qty_size == 0 : name[block->qty_size - 1] == '\0');
}

bool
eb_usage_block_check(const EbUsageShape *shape, const void *data, size_t size)
{
	const EbUsageBlock *block = data;
	const char *next = data;
	Layout at;

	if (size < sizeof(EbUsageBlock) || block->size != size || !check_counts(shape, block))
		return false;
	at = lay_out_block(shape, block);
	if (at.sub > size || !check_peaks(shape, block, at.peak) || !check_names(block, at.qty_name))
		return false;
	size -= at.sub;
	next += at.sub;
	for (int i = 0; i < block->nsub; i++)
	{
		const EbUsageBlock *sub = (const EbUsageBlock *) (const void *) next;
		const EbShapeVersion *version;
		const EbUsageShape *sub_shape = eb_shape_version(shape, i, &version);

		if (size < sizeof(EbUsageBlock) || sub->size > size || sub->size % 8 != 0 ||
			!eb_usage_block_check(sub_shape, sub, sub->size))
			return false;
		size -= sub->size;
		next += sub->size;
	}
	return size == 0;
}

static void
view_qty(const char *value, const char *name, int n, EbNamedQuantity *qty)
{
	for (int i = 0; i < n; i++)
	{
		qty[i].name = (EbText){name, (int) strlen(name)};
		memcpy(&qty[i].value_u, value + (size_t) i * sizeof(int64_t), sizeof(int64_t));
		name += qty[i].name.len + 1;
	}
}

void
eb_usage_block_view(const EbUsageShape *shape, const EbUsageBlock *block, EbNamedQuantity *qty,
					EbUsage *usage)
{
	Layout at = lay_out_block(shape, block);
	char *base = (char *) (uintptr_t) block;

	*usage = (EbUsage){
		.from_us = block->from_us,
		.to_us = block->to_us,
		.missing_s = block->missing_s,
		.held = block->held,
		.quality = block->quality,
		.nparts = block->nparts,
		.nslots = shape->nslots,
		.ncells = eb_shape_cells(shape),
		.channels = block->channels,
		.days_u = block->days_u,
		.months_u = block->months_u,
		.pf_u = block->pf_u,
		.part_day = (const int32_t *) (void *) (base + at.part_day),
		.cell = (int64_t *) (void *) (base + sizeof(EbUsageBlock)),
		.peak = (const EbPeak *) (void *) (base + at.peak),
		.piece = (EbPiece *) (void *) (base + at.piece),
		.qty = qty,
		.item_u = (const int64_t *) (void *) (base + at.item),
		.npeaks = block->npeaks,
		.npieces = block->npieces,
		.nqty = block->nqty,
		.nitems = block->nitems,
		.nsub = block->nsub,
	};
	memcpy(usage->fingerprint, shape->fingerprint, EB_FINGERPRINT_SIZE);
	view_qty(base + at.qty, base + at.qty_name, block->nqty, qty);
}

const EbUsageBlock *
eb_usage_block_sub(const EbUsageShape *shape, const EbUsageBlock *block, int index)
{
	const char *at = (const char *) block + lay_out_block(shape, block).sub;

	for (; index > 0; index--)
		at += ((const EbUsageBlock *) (const void *) at)->size;
	return (const EbUsageBlock *) (const void *) at;
}
