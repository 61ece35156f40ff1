/*
 * rate_piece.c -- the energy of a part in order of time
 * In:  the pieces of the usage, sorted by instant, each inside one period and one part.
 * Out: those that a part of a component counts, with their slot, for rate_fill.c and rate_loss.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (order time, scope interval).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* The first piece at or after the instant */
static int
first_piece(const EbUsage *usage, int64_t at_us)
{
	int low = 0;
	int high = usage->npieces;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (usage->piece[middle].at_us < at_us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
eb_piece_open(EbPieceWalk *walk, const EbWork *work, const EbPart *part)
{
	const EbRating *rating = work->rating;
	const EbRun *first = &rating->run[part->first];
	const EbRun *last = &rating->run[part->last];

	walk->work = work;
	walk->part = part;
	walk->segment.from_us = walk->segment.to_us = INT64_MIN;
	walk->run = 0;
	walk->which = EB_NONE;
	/* a zone change may lead back over a midnight: one day more at both ends */
	walk->next = first_piece(rating->usage, eb_day_start(rating->zone, first->day - 1));
	walk->end_us = eb_day_start(rating->zone, last->end + 1);
}

/* The run of a local day; the number of runs when it lies in none */
static int
find_run(const EbRating *rating, int32_t day)
{
	int low = 0;
	int high = rating->nruns;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (rating->run[middle].end <= day)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rating->nruns && rating->run[low].day <= day ? low : rating->nruns;
}

EbStatus
eb_piece_place(const EbRating *rating, int64_t at_us, EbSegment *segment, int *run)
{
	EbStatus status = eb_tou_segment(rating->tariff, rating->zone, at_us, segment, rating->fault);

	if (status != EB_OK)
		return status;
	*run = find_run(rating, eb_local_day(rating->zone, at_us, NULL));
	return eb_rate_stopped(rating) ? EB_STOPPED : EB_OK;
}

/* Which slot of the work a segment lies in; EB_NONE: none of them, or not in the part */
static EbStatus
enter_segment(EbPieceWalk *walk, int64_t at_us)
{
	const EbWork *work = walk->work;
	const EbRating *rating = work->rating;
	EbStatus status = eb_piece_place(rating, at_us, &walk->segment, &walk->run);

	walk->which = EB_NONE;
	if (status != EB_OK || walk->run == rating->nruns || !eb_part_has(walk->part, walk->run))
		return status;
	if (work->component->schedule == EB_NONE)
	{
		walk->which = 0;
		return EB_OK;
	}
	for (int i = 0; i < work->nslots; i++)
		if (work->slot[i] == walk->segment.slot[work->component->schedule])
			walk->which = i;
	return EB_OK;
}

EbStatus
eb_piece_next(EbPieceWalk *walk, const EbPiece **piece)
{
	const EbUsage *usage = walk->work->rating->usage;

	for (*piece = NULL; walk->next < usage->npieces; walk->next++)
	{
		const EbPiece *next = &usage->piece[walk->next];
		EbStatus status = EB_OK;

		if (next->at_us >= walk->end_us)
			break;
		if (next->at_us < walk->segment.from_us || next->at_us >= walk->segment.to_us)
			status = enter_segment(walk, next->at_us);
		if (status != EB_OK)
			return status;
		if (walk->which == EB_NONE)
			continue;
		walk->next++;
		*piece = next;
		break;
	}
	return EB_OK;
}

EbStatus
eb_piece_complete(const EbWork *work, const EbPart *part, bool *complete)
{
	int64_t sum_u[EB_MAX_SLOTS] = {0};
	EbPieceWalk walk;
	const EbPiece *piece;
	EbStatus status;

	eb_piece_open(&walk, work, part);
	while ((status = eb_piece_next(&walk, &piece)) == EB_OK && piece != NULL)
		if (!eb_add64(sum_u[walk.which], piece->energy_ukwh, &sum_u[walk.which]))
			return eb_overflow(work->rating->fault, "energy");
	*complete = status == EB_OK;
	for (int i = 0; i < work->nslots; i++)
		*complete = *complete && sum_u[i] == part->quantity_u[i];
	return status;
}
