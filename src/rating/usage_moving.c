/*
 * usage_moving.c -- usage of the rows in a frame that moves
 * In:  rows that come, and the same rows again when they go (src/pg/usage_moving.c).
 * Out: sums for usage_finish.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 *
 * Every row is summed alone first. That sum is then added to the frame or subtracted from it, so
 * what goes is to the last digit what came.
 */
#include <string.h>

#include "rating/usage_moving.h"

bool
eb_usage_can_move(const EbClassifier *by, int n)
{
	for (int i = 0; i < n; i++)
		if (by[i].layout.ntables > 0 || by[i].layout.in_order)
			return false;
	return true;
}

EbStatus
eb_usage_moving_init(EbUsageMoving *moving, const EbMemory *memory, const EbClassifier *by, int n)
{
	EbStatus status;

	memset(moving, 0, sizeof(*moving));
	moving->goes = eb_usage_can_move(by, n);
	status = eb_usage_sum_init(&moving->sum, memory, by, n);
	if (status != EB_OK || !moving->goes)
		return status;
	moving->parts = memory->resize(memory->arg, NULL, (size_t) n * sizeof(EbMovingParts));
	if (moving->parts == NULL)
		return EB_NO_SPACE;
	memset(moving->parts, 0, (size_t) n * sizeof(EbMovingParts));
	return eb_usage_sum_init(&moving->one, memory, by, n);
}

/* ---------------------------------------------------------------- how far the rows reach */

/* Makes room behind the last end; what has gone before the first one is used again. */
static bool
reserve_end(EbMovingEnds *ends, const EbMemory *memory)
{
	void *room;

	if (ends->first + ends->n < ends->capacity)
		return true;
	if (ends->first > ends->n)
	{
		memcpy(ends->end, ends->end + ends->first, (size_t) ends->n * sizeof(*ends->end));
		ends->first = 0;
		return true;
	}
	room = eb_memory_room(memory, ends->end, &ends->capacity, (int64_t) ends->first + ends->n + 1,
						  sizeof(*ends->end));
	if (room == NULL)
		return false;
	ends->end = room;
	return true;
}

/*
 * The end of the newest row. Ends before it that are not further out can never be the outermost
 * again: their rows go first. sign 1: the least is outermost, -1: the greatest.
 */
static bool
push_end(EbMovingEnds *ends, const EbMemory *memory, EbMovingEnd end, int sign)
{
	while (ends->n > 0)
	{
		int64_t last_us = ends->end[ends->first + ends->n - 1].at_us;

		if (sign > 0 ? last_us < end.at_us : last_us > end.at_us)
			break;
		ends->n--;
	}
	if (!reserve_end(ends, memory))
		return false;
	ends->end[ends->first + ends->n++] = end;
	return true;
}

static void
drop_end(EbMovingEnds *ends, int64_t no)
{
	if (ends->n > 0 && ends->end[ends->first].no == no)
	{
		ends->first++;
		ends->n--;
	}
}

static void
set_range(EbUsageMoving *moving)
{
	const EbMovingEnds *from = &moving->from;
	const EbMovingEnds *to = &moving->to;

	moving->sum.from_us = from->n > 0 ? from->end[from->first].at_us : INT64_MAX;
	moving->sum.to_us = to->n > 0 ? to->end[to->first].at_us : INT64_MIN;
	moving->sum.channels = 0;
	for (int i = 0; i < EB_NCHANNELS; i++)
		if (moving->nrows[i] > 0)
			moving->sum.channels |= 1u << i;
}

/* ---------------------------------------------------------------- parts */

/* Adds cells to others, or subtracts them: sign 1, -1. */
static EbStatus
move_cells(int64_t *cell, const int64_t *add, const EbUsageLayout *layout, int sign, EbFault *fault)
{
	for (int i = 0; i < layout->nenergy; i++)
		if (!eb_add64(cell[i], sign * add[i], &cell[i]))
			return eb_usage_overflow(fault);
	for (int i = layout->nenergy; i < layout->ncells; i += 2)
		if (!eb_money_add(cell + i, sign * eb_money_cells(add + i)))
			return eb_usage_overflow(fault);
	return EB_OK;
}

/* The index of a part, made when it is new; -1: there is no memory. */
static int32_t
part_index(EbVersionSum *version, EbMovingParts *parts, const EbMemory *memory, int32_t day)
{
	int32_t nparts = version->nparts;
	void *room =
		eb_memory_room(memory, parts->nrows, &parts->capacity, nparts + 1, sizeof(*parts->nrows));
	const int64_t *cell;
	int32_t index;

	if (room == NULL)
		return -1;
	parts->nrows = room;
	cell = eb_usage_part(version, memory, day);
	if (cell == NULL)
		return -1;
	index = (int32_t) ((cell - version->cell) / version->layout->ncells);
	if (version->nparts > nparts)
	{
		memmove(parts->nrows + index + 1, parts->nrows + index,
				(size_t) (nparts - index) * sizeof(*parts->nrows));
		parts->nrows[index] = 0;
	}
	return index;
}

static void
remove_part(EbVersionSum *version, EbMovingParts *parts, int32_t index)
{
	size_t stride = (size_t) version->layout->ncells;
	size_t behind = (size_t) (version->nparts - index - 1);
	int64_t *cell = version->cell + (size_t) index * stride;

	memmove(version->part_day + index, version->part_day + index + 1,
			behind * sizeof(*version->part_day));
	memmove(cell, cell + stride, behind * stride * sizeof(*cell));
	memmove(parts->nrows + index, parts->nrows + index + 1, behind * sizeof(*parts->nrows));
	version->nparts--;
}

/* What one row has of a version comes or goes: sign 1, -1. A part without rows is none. */
static EbStatus
move_version(EbVersionSum *version, EbMovingParts *parts, const EbMemory *memory,
			 const EbVersionSum *one, int sign, EbFault *fault)
{
	EbStatus status = EB_OK;

	for (int i = 0; i < one->nparts && status == EB_OK; i++)
	{
		size_t stride = (size_t) version->layout->ncells;
		int32_t index = part_index(version, parts, memory, one->part_day[i]);

		if (index < 0)
			return EB_NO_SPACE;
		status = move_cells(version->cell + (size_t) index * stride,
							one->cell + (size_t) i * stride, version->layout, sign, fault);
		parts->nrows[index] += sign;
		if (parts->nrows[index] == 0)
			remove_part(version, parts, index);
	}
	for (int i = 0; i < EB_NCHANNELS && status == EB_OK; i++)
		if (!eb_add64(version->covered_us[i], sign * one->covered_us[i], &version->covered_us[i]))
			status = eb_usage_overflow(fault);
	return status;
}

/* ---------------------------------------------------------------- rows */

/* Empties the sum of one row. The part of the last one stays: the next mostly lies in it too. */
static void
clear_one(EbUsageSum *one)
{
	for (int i = 0; i < one->n; i++)
	{
		EbVersionSum *version = &one->of[i];

		if (version->nparts == 1 && version->rows != NULL && version->rows == one->now &&
			one->now->row != NULL)
			memset(version->cell, 0, (size_t) version->layout->ncells * sizeof(*version->cell));
		else
		{
			version->nparts = 0;
			eb_usage_forget_row(version);
		}
		memset(version->covered_us, 0, sizeof(version->covered_us));
	}
	one->from_us = INT64_MAX;
	one->to_us = INT64_MIN;
	one->channels = 0;
}

/* The sum of a row alone */
static EbStatus
sum_one(EbUsageSum *one, const EbClassifier *by, EbUsageRow *row, EbFault *fault)
{
	clear_one(one);
	if (one->now == NULL)
		return eb_usage_add(one, by, row, fault);
	if (one->now->version->nparts == 1 &&
		eb_usage_is_near(one, row->channel, row->from_us, row->to_us - row->from_us))
	{
		eb_usage_extend(one, row->channel, row->from_us, row->to_us);
		return eb_usage_put(one->now, row->channel, row->energy_ukwh, row->to_us - row->from_us)
				   ? EB_OK
				   : eb_usage_overflow(fault);
	}
	one->now->version->nparts = 0;
	one->now->row = NULL;
	return eb_usage_add(one, by, row, fault);
}

static EbStatus
move_row(EbUsageMoving *moving, const EbClassifier *by, EbUsageRow *row, int sign, EbFault *fault)
{
	EbUsageSum *one = &moving->one;
	EbUsageSum *sum = &moving->sum;
	EbStatus status = sum_one(one, by, row, fault);

	for (int i = 0; i < sum->n && status == EB_OK; i++)
		status =
			move_version(&sum->of[i], &moving->parts[i], &sum->memory, &one->of[i], sign, fault);
	if (one->channels != 0)
		moving->nrows[row->channel] += sign;
	return status;
}

EbStatus
eb_usage_moving_add(EbUsageMoving *moving, const EbClassifier *by, EbUsageRow *row, EbFault *fault)
{
	const EbUsageSum *one = &moving->one;
	const EbMemory *memory = &moving->sum.memory;
	EbStatus status;

	if (!moving->goes)
		return eb_usage_add(&moving->sum, by, row, fault);
	status = move_row(moving, by, row, 1, fault);
	if (status == EB_OK && one->channels != 0 &&
		(!push_end(&moving->from, memory, (EbMovingEnd){one->from_us, moving->came}, 1) ||
		 !push_end(&moving->to, memory, (EbMovingEnd){one->to_us, moving->came}, -1)))
		status = EB_NO_SPACE;
	moving->came++;
	set_range(moving);
	return status;
}

EbStatus
eb_usage_moving_take(EbUsageMoving *moving, const EbClassifier *by, EbUsageRow *row, EbFault *fault)
{
	EbStatus status = move_row(moving, by, row, -1, fault);

	drop_end(&moving->from, moving->went);
	drop_end(&moving->to, moving->went);
	moving->went++;
	set_range(moving);
	return status;
}
