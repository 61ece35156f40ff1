/*
 * memory.h -- memory of whoever calls: pure code asks for it and owns none
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_BASE_MEMORY_H
#define EB_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* resize is as realloc(), aligned to 8 bytes; NULL: there is no more, what was there stays. */
typedef struct EbMemory
{
	void *(*resize)(void *arg, void *old, size_t size);
	void *arg;
} EbMemory;

/*
 * The array with room for n elements, moved when it had less; grows at least to the double. NULL:
 * there is no memory.
 */
static inline void *
eb_memory_room(const EbMemory *memory, void *array, int32_t *capacity, int64_t n, size_t element)
{
	int64_t room = n > 2 * (int64_t) *capacity ? n : 2 * (int64_t) *capacity;

	if (n <= *capacity)
		return array;
	if (room > INT32_MAX)
		room = INT32_MAX;
	if (n > room)
		return NULL;
	array = memory->resize(memory->arg, array, (size_t) room * element);
	if (array != NULL)
		*capacity = (int32_t) room;
	return array;
}

#endif /* EB_BASE_MEMORY_H */
