/*
 * usage_block.h -- usage as one flat block, free of pointers: what usage_summary stores
 * A block holds the numbers; the shape (usage_shape.h) that was stored with it holds their names.
 * Slots stand in the order of the shape, not in that of a tariff.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_USAGE_BLOCK_H
#define EB_USAGE_BLOCK_H

#include "rating/usage_shape.h"

/*
 * data: cells int64[nparts][cells of the shape], EbPeak[npeaks], EbPiece[npieces], the values of
 * qty int64[nqty], items int64[nitems], part_day int32[nparts] padded to 8 bytes, the names of qty,
 * each with NUL, padded to 8 bytes; then the blocks of the versions.
 */
typedef struct EbUsageBlock
{
	uint32_t size; /* bytes, a multiple of 8 */
	uint32_t channels;
	int64_t from_us; /* as in EbUsage, down to quality */
	int64_t to_us;
	int64_t missing_s;
	int64_t days_u;
	int64_t months_u;
	int64_t pf_u;
	int32_t held;
	int32_t quality;
	int32_t nparts;
	int32_t npeaks;
	int32_t npieces;
	int32_t nqty;
	int32_t nitems;
	int32_t nsub;	  /* nversions of the shape */
	int32_t qty_size; /* bytes of the names of qty */
	int32_t unused;
	char data[];
} EbUsageBlock;

/* Bytes that a usage of the shape takes; a block has less than 4 GB. */
extern size_t eb_usage_block_size(const EbUsageShape *shape, const EbUsage *usage);

/* Writes them. Padding is 0, so equal usages give equal bytes. */
extern void
eb_usage_block_write(const EbUsageShape *shape, const EbUsage *usage, EbUsageBlock *block);

/*
 * Is what stands in size bytes (aligned to 8) a block of the shape, and nothing behind it? Counts
 * and sizes fit and every index is within bounds then. The shape must be a checked one.
 */
extern bool eb_usage_block_check(const EbUsageShape *shape, const void *data, size_t size);

/*
 * A checked block as usage that points into it; qty has room for block->nqty. sub is left empty:
 * see eb_usage_block_sub(). The usage must not be written to where the block must not.
 */
extern void eb_usage_block_view(const EbUsageShape *shape, const EbUsageBlock *block,
								EbNamedQuantity *qty, EbUsage *usage);

/* The block of a version. */
extern const EbUsageBlock *
eb_usage_block_sub(const EbUsageShape *shape, const EbUsageBlock *block, int index);

#endif /* EB_USAGE_BLOCK_H */
