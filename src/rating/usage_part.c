/*
 * usage_part.c -- the room of a sum: its versions, and the cells of their parts
 * In:  what a tariff needs (usage_layout.c), the days where parts begin.
 * Out: rows of cells for usage_sum.c and usage_profile.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <string.h>

#include "rating/usage_sum.h"

/* Bytes of the days of the first parts, a multiple of 8 */
#define FIRST_DAYS_SIZE ((EB_FIRST_PARTS * sizeof(int32_t) + 7) / 8 * 8)

static void *
take_memory(const EbMemory *memory, size_t size)
{
	void *taken = memory->resize(memory->arg, NULL, size);

	if (taken != NULL)
		memset(taken, 0, size);
	return taken;
}

EbRowSum *
eb_usage_rows(EbVersionSum *version, const EbMemory *memory)
{
	if (version->rows != NULL)
		return version->rows;
	version->rows = take_memory(memory, sizeof(EbRowSum));
	if (version->rows == NULL)
		return NULL;
	version->rows->version = version;
	version->rows->layout = version->layout;
	return version->rows;
}

/* What the layout needs whatever is added */
static bool
init_rows(EbVersionSum *version, const EbMemory *memory)
{
	const EbUsageLayout *layout = version->layout;
	EbRowSum *rows;

	if (layout->series == 0 && layout->ntables == 0)
		return true;
	rows = eb_usage_rows(version, memory);
	if (rows == NULL)
		return false;
	if (layout->series != 0)
		rows->price_n = take_memory(memory, EB_MAX_SERIES * sizeof(int64_t));
	if (layout->ntables > 0)
		rows->table = take_memory(memory, (size_t) layout->ntables * sizeof(EbWindowTable));
	if ((layout->series != 0 && rows->price_n == NULL) ||
		(layout->ntables > 0 && rows->table == NULL))
		return false;
	for (int i = 0; i < layout->ntables; i++)
		rows->table[i] = eb_window_table(layout->table[i].slide_min);
	return true;
}

/* Bytes of the first parts of a version: their days, and behind them their cells */
static size_t
first_parts_size(const EbUsageLayout *layout)
{
	return FIRST_DAYS_SIZE + EB_FIRST_PARTS * (size_t) layout->ncells * sizeof(int64_t);
}

size_t
eb_usage_sum_room(const EbClassifier *by, int n)
{
	size_t size = (size_t) n * sizeof(EbVersionSum);

	for (int i = 0; i < n; i++)
		size += first_parts_size(&by[i].layout);
	return size;
}

EbStatus
eb_usage_sum_init_in(EbUsageSum *sum, const EbMemory *memory, const EbClassifier *by, int n,
					 void *room)
{
	EbVersionSum *version = room;
	char *parts = (char *) (version + n);

	*sum = (EbUsageSum){
		.memory = *memory,
		.from_us = INT64_MAX,
		.to_us = INT64_MIN,
		.n = n,
		.of = version,
	};
	for (int i = 0; i < n; i++)
	{
		version[i].layout = &by[i].layout;
		version[i].capacity = EB_FIRST_PARTS;
		version[i].part_day = (int32_t *) (void *) parts;
		version[i].cell = (int64_t *) (void *) (parts + FIRST_DAYS_SIZE);
		parts += first_parts_size(&by[i].layout);
		if (!init_rows(&version[i], memory))
			return EB_NO_SPACE;
	}
	return EB_OK;
}

EbStatus
eb_usage_sum_init(EbUsageSum *sum, const EbMemory *memory, const EbClassifier *by, int n)
{
	void *room = take_memory(memory, eb_usage_sum_room(by, n));

	return room != NULL ? eb_usage_sum_init_in(sum, memory, by, n, room) : EB_NO_SPACE;
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
	EbRowSum *rows = version->rows;
	bool has_row = rows != NULL && rows->row != NULL;
	ptrdiff_t row = has_row ? rows->row - version->cell : 0;
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
	if (has_row)
		rows->row = version->cell + row;
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
		eb_usage_forget_row(version);
	return row;
}
