/*
 * fuzz_usage.c -- libFuzzer: a stored usage summary, any bytes
 * The input is what stands behind the format of a datum: shape and block. What the check lets
 * through is read to its end, written again, and merged with itself; no answer may read or write
 * outside, and what was written once is written alike ever after.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rating/usage_block.h"
#include "rating/usage_merge.h"

/* Stops the fuzzer with the input when a property is broken; stays in optimised builds. */
#define HOLD(cond)                                                             \
	do                                                                         \
	{                                                                          \
		if (!(cond))                                                           \
		{                                                                      \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                           \
		}                                                                      \
	} while (0)

/* Usage in a block, with its versions; free what is in it */
typedef struct View
{
	EbUsage usage;
	EbUsage *sub;
	EbNamedQuantity **qty;
	int n;
} View;

static void
view_one(View *view, const EbUsageShape *shape, const EbUsageBlock *block, EbUsage *usage)
{
	EbNamedQuantity *qty = malloc(((size_t) block->nqty + 1) * sizeof(*qty));

	eb_usage_block_view(shape, block, qty, usage);
	view->qty[view->n++] = qty;
}

static void
open_view(View *view, const EbUsageShape *shape, const EbUsageBlock *block)
{
	size_t n = (size_t) shape->nversions + 1;

	*view = (View){.sub = malloc(n * sizeof(EbUsage)), .qty = malloc(n * sizeof(*view->qty))};
	view_one(view, shape, block, &view->usage);
	for (int i = 0; i < shape->nversions; i++)
	{
		const EbShapeVersion *version;

		view_one(view, eb_shape_version(shape, i, &version), eb_usage_block_sub(shape, block, i),
				 &view->sub[i]);
	}
	view->usage.sub = view->sub;
}

static void
close_view(View *view)
{
	while (view->n > 0)
		free(view->qty[--view->n]);
	free(view->qty);
	free(view->sub);
}

static EbUsageBlock *
write_block(const EbUsageShape *shape, const EbUsage *usage)
{
	EbUsageBlock *block = malloc(eb_usage_block_size(shape, usage));

	eb_usage_block_write(shape, usage, block);
	return block;
}

static void
read_all(const EbUsageShape *shape, const EbUsageBlock *block)
{
	View view;
	View again;
	EbUsageBlock *once;
	EbUsageBlock *twice;
	EbUsage merged;
	EbFault fault;
	void *memory;

	open_view(&view, shape, block);
	once = write_block(shape, &view.usage);
	HOLD(eb_usage_block_check(shape, once, once->size));
	open_view(&again, shape, once);
	twice = write_block(shape, &again.usage);
	HOLD(once->size == twice->size && memcmp(once, twice, once->size) == 0);
	memory = malloc(eb_usage_merge_size(&view.usage, &again.usage) + 1);
	if (eb_usage_merge(shape, &view.usage, &again.usage, memory, &merged, &fault) == EB_OK)
		free(write_block(shape, &merged));
	free(memory);
	free(twice);
	close_view(&again);
	free(once);
	close_view(&view);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	/* as large as the input, so that reading beyond it is seen */
	char *copy = malloc(n > 0 ? n : 1);
	const EbUsageShape *shape = (const EbUsageShape *) (const void *) copy;

	if (n > 0)
		memcpy(copy, bytes, n);
	if (eb_shape_check(copy, n) &&
		eb_usage_block_check(shape, copy + shape->size, n - (size_t) shape->size))
		read_all(shape, (const EbUsageBlock *) (const void *) (copy + shape->size));
	free(copy);
	return 0;
}
