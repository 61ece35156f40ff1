/*
 * usage_part.c -- the room of a sum: its versions, and the cells of their parts
 * In:  what a tariff needs (usage_layout.c), the days where parts begin.
 * Out: rows of cells for usage_sum.c and usage_profile.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <string.h>

#include "rating/usage_sum.h"

static void *
take_memory(const EbMemory *memory, size_t size)
{
	void *taken = memory->resize(memory->arg, NULL, size);

	if (taken != NULL)
		memset(taken, 0, size);
	return taken;
}

static bool
init_version(EbVersionSum *version, const EbMemory *memory, const EbUsageLayout *layout)
{
	version->layout = layout;
	if (layout->series != 0)
		version->price_n = take_memory(memory, EB_MAX_SERIES * sizeof(int64_t));
	if (layout->ntables > 0)
		version->table = take_memory(memory, (size_t) layout->ntables * sizeof(EbWindowTable));
	if ((layout->series != 0 && version->price_n == NULL) ||
		(layout->ntables > 0 && version->table == NULL))
		return false;
	for (int i = 0; i < layout->ntables; i++)
		version->table[i] = eb_window_table(layout->table[i].slide_min);
	return true;
}

/* Bytes of the first parts of a version: their cells, and behind them their days */
static size_t
first_parts_size(const EbUsageLayout *layout)
{
	return EB_FIRST_PARTS * ((size_t) layout->ncells + 1) * sizeof(int64_t);
}

EbStatus
eb_usage_sum_init(EbUsageSum *sum, const EbMemory *memory, const EbClassifier *by, int n)
{
	size_t size = (size_t) n * sizeof(EbVersionSum);
	char *parts;

	for (int i = 0; i < n; i++)
		size += first_parts_size(&by[i].layout);
	memset(sum, 0, sizeof(*sum));
	sum->memory = *memory;
	sum->from_us = INT64_MAX;
	sum->to_us = INT64_MIN;
	sum->n = n;
	sum->now = sum->of = take_memory(memory, size);
	if (sum->of == NULL)
		return EB_NO_SPACE;
	parts = (char *) (sum->of + n);
	for (int i = 0; i < n; i++)
	{
		const EbUsageLayout *layout = &by[i].layout;

		sum->of[i].capacity = EB_FIRST_PARTS;
		sum->of[i].cell = (int64_t *) (void *) parts;
		sum->of[i].part_day = (int32_t *) (sum->of[i].cell + EB_FIRST_PARTS * layout->ncells);
		parts += first_parts_size(layout);
		if (!init_version(&sum->of[i], memory, layout))
			return EB_NO_SPACE;
	}
	return EB_OK;
}

/* Index of the part, or where it belongs */
static int
find_part(const EbVersionSum *version, int32_t day)
{
	int low = 0;
	int high = version->nparts;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (version->part_day[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The array with more room; the first parts stay where they are. */
static void *
move_parts(const EbVersionSum *version, const EbMemory *memory, void *array, size_t size,
		   size_t more)
{
	bool first = version->capacity == EB_FIRST_PARTS;
	void *moved = memory->resize(memory->arg, first ? NULL : array, more);

	if (moved != NULL && first)
		memcpy(moved, array, size);
	return moved;
}

/* Room for one part more; the rows may move. */
static bool
reserve_part(EbVersionSum *version, const EbMemory *memory)
{
	size_t stride = (size_t) version->layout->ncells * sizeof(*version->cell);
	size_t n = (size_t) version->capacity;
	ptrdiff_t row = version->row != NULL ? version->row - version->cell : 0;
	void *days;
	void *cells;

	if (version->nparts < version->capacity)
		return true;
	if (version->capacity > INT32_MAX / 2)
		return false;
	days = move_parts(version, memory, version->part_day, n * sizeof(*version->part_day),
					  2 * n * sizeof(*version->part_day));
	if (days == NULL)
		return false;
	cells = move_parts(version, memory, version->cell, n * stride, 2 * n * stride);
	if (cells == NULL)
		return false;
	version->part_day = days;
	version->cell = cells;
	version->capacity *= 2;
	if (version->row != NULL)
		version->row = version->cell + row;
	return true;
}

int64_t *
eb_usage_row_of(EbVersionSum *version, const EbMemory *memory, int32_t day)
{
	int at = find_part(version, day);
	size_t stride = (size_t) version->layout->ncells;
	size_t behind = (size_t) (version->nparts - at);
	int64_t *row;

	if (at < version->nparts && version->part_day[at] == day)
		return version->cell + (size_t) at * stride;
	if (!reserve_part(version, memory))
		return NULL;
	row = version->cell + (size_t) at * stride;
	memmove(version->part_day + at + 1, version->part_day + at,
			behind * sizeof(*version->part_day));
	memmove(row + stride, row, behind * stride * sizeof(*row));
	memset(row, 0, stride * sizeof(*row));
	version->part_day[at] = day;
	version->nparts++;
	return row;
}

int64_t *
eb_usage_any_part(EbVersionSum *version, const EbMemory *memory, int32_t day)
{
	int nparts = version->nparts;
	int64_t *row = eb_usage_row_of(version, memory, day);

	if (version->nparts != nparts)
		version->row = NULL; /* rows have moved */
	return row;
}
