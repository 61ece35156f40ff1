/*
 * kit_memory.h -- memory for what takes it from its caller (base/memory.h), for tests
 * Nothing is freed before kit_memory_end(), so that results may point into it.
 */
#ifndef ELECBILL_TEST_KIT_MEMORY_H
#define ELECBILL_TEST_KIT_MEMORY_H

#include <stdlib.h>

#include "base/memory.h"

typedef struct KitBlock
{
	struct KitBlock *next;
	size_t size;
	int64_t data[];
} KitBlock;

static KitBlock *kit_blocks;
static int kit_memory_left = -1; /* calls that are answered before there is none; below 0: all */

static inline void *
kit_resize(void *arg, void *old, size_t size)
{
	KitBlock *block;

	if (kit_memory_left == 0)
		return NULL;
	if (kit_memory_left > 0)
		kit_memory_left--;
	block = malloc(sizeof(KitBlock) + size);
	if (block == NULL)
		abort();
	*block = (KitBlock){kit_blocks, size};
	kit_blocks = block;
	if (old != NULL)
	{
		const KitBlock *from = (const KitBlock *) (const void *) ((char *) old - sizeof(KitBlock));

		memcpy(block->data, old, from->size < size ? from->size : size);
	}
	return block->data;
}

static const EbMemory kit_memory = {kit_resize, NULL};

static inline void
kit_memory_end(void)
{
	while (kit_blocks != NULL)
	{
		KitBlock *next = kit_blocks->next;

		free(kit_blocks);
		kit_blocks = next;
	}
}

#endif /* ELECBILL_TEST_KIT_MEMORY_H */
