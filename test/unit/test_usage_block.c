/*
 * test_usage_block.c -- usage as a flat block: what was written is read, damage is found
 * Random usages, the seed is printed, EB_SEED=n repeats a run; each is written, read, written
 * again, then damaged byte by byte. The sanitizers see to it that what passes the check can be read.
 */
#include "check.h"
#include "kit_usage.h"

#define CASES 2000
#define DAMAGES 200

/* Views of a block and its versions */
typedef struct Views
{
	EbUsage usage;
	EbUsage sub[EB_MAX_VERSIONS];
	EbNamedQuantity *qty[1 + EB_MAX_VERSIONS];
	int nqty;
} Views;

static void
view_one(Views *views, const EbUsageShape *shape, const EbUsageBlock *block, EbUsage *usage)
{
	EbNamedQuantity *qty = malloc(((size_t) block->nqty + 1) * sizeof(*qty));

	views->qty[views->nqty++] = qty;
	eb_usage_block_view(shape, block, qty, usage);
}

static const EbUsage *
view(Views *views, const EbUsageShape *shape, const EbUsageBlock *block)
{
	views->nqty = 0;
	view_one(views, shape, block, &views->usage);
	for (int i = 0; i < block->nsub; i++)
	{
		const EbShapeVersion *version;

		view_one(views, eb_shape_version(shape, i, &version), eb_usage_block_sub(shape, block, i),
				 &views->sub[i]);
	}
	views->usage.sub = views->sub;
	return &views->usage;
}

static void
forget(Views *views)
{
	while (views->nqty > 0)
		free(views->qty[--views->nqty]);
}

/* Writes what a block says once more; true when the bytes are the same */
static bool
same_again(const EbUsageShape *shape, const EbUsageBlock *block)
{
	static Views views;
	const EbUsage *usage = view(&views, shape, block);
	EbUsageBlock *again = kit_block(shape, usage);
	bool same = again->size == block->size && memcmp(again, block, block->size) == 0;

	free(again);
	forget(&views);
	return same;
}

static void
walk_names(const EbUsageShape *shape)
{
	EbShapeNames names = eb_shape_after_schedules(shape);
	int keep;

	for (int i = 0; i < shape->nseries; i++)
		eb_shape_next(&names);
	for (int i = 0; i < shape->ndemands; i++)
		eb_shape_next_demand(&names, &keep);
	for (int i = 0; i < shape->nversions; i++)
	{
		const EbShapeVersion *version;

		walk_names(eb_shape_version(shape, i, &version));
	}
}

/* Can it be read to its end, or is it refused? It is as large as it is: reading beyond is seen. */
static bool
is_refused(const char *bytes, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);
	const EbUsageShape *shape = (const EbUsageShape *) (const void *) copy;
	bool good;

	memcpy(copy, bytes, size);
	good = eb_shape_check(copy, size) &&
		   eb_usage_block_check(shape, copy + shape->size, size - (size_t) shape->size);
	if (good)
	{
		walk_names(shape);
		same_again(shape, (const EbUsageBlock *) (const void *) (copy + shape->size));
	}
	free(copy);
	return !good;
}

/* It ends too early, which must show, or a few bytes are changed, which may. */
static int
damage(const char *both, size_t size, int *unseen)
{
	int refused = 0;

	for (int i = 0; i < DAMAGES; i++)
	{
		char *copy = malloc(size);

		memcpy(copy, both, size);
		if (kit_below(4) == 0)
			*unseen += !is_refused(copy, (size_t) kit_below((int) size));
		for (int n = 1 + kit_below(3); n > 0; n--)
			copy[kit_below((int) size)] = (char) (kit_below(2) == 0 ? 255 : kit_below(256));
		refused += is_refused(copy, size);
		free(copy);
	}
	return refused;
}

int
main(void)
{
	int good = 0;
	int refused = 0;
	int unseen = 0;

	kit_seed();
	for (int i = 0; i < CASES; i++)
	{
		static KitShape shape_kit;
		static KitUsage kit[1 + KIT_VERSIONS];
		EbUsage sub[KIT_VERSIONS];
		const EbUsageShape *shape;
		EbUsageBlock *block;
		char *both;

		kit_shape(&shape_kit, kit_below(4) == 0);
		shape = kit_shape_of(&shape_kit);
		block = kit_block(shape, kit_any_usage(shape, kit, sub));
		good += eb_shape_check(shape, (size_t) shape->size) &&
				eb_usage_block_check(shape, block, block->size) && same_again(shape, block);
		both = malloc((size_t) shape->size + block->size);
		memcpy(both, shape, (size_t) shape->size);
		memcpy(both + shape->size, block, block->size);
		refused += damage(both, (size_t) shape->size + block->size, &unseen);
		free(both);
		free(block);
	}
	CHECK_INT(good, CASES);
	CHECK_INT(unseen, 0);
	/* most damage shows; what does not is a number that was changed to another */
	CHECK(refused > CASES * DAMAGES / 4);
	CHECK(refused < CASES * DAMAGES);
	return check_done("usage_block");
}
