/*
 * usage_moving.h -- usage of the rows in a frame that moves: rows come, and go in the order they came
 * What is kept beside the sum says when a part of it becomes empty, and how far the rows reach that
 * are left. All of it is exact: the sum is that of the rows in the frame, byte for byte.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_USAGE_MOVING_H
#define EB_USAGE_MOVING_H

#include "rating/usage_sum.h"

/* The end of a row that may become the outermost one of the frame */
typedef struct EbMovingEnd
{
	int64_t at_us;
	int64_t no; /* of the row */
} EbMovingEnd;

/* Ends in the order of their rows, each further inside than the one before it */
typedef struct EbMovingEnds
{
	EbMovingEnd *end;
	int32_t first;
	int32_t n;
	int32_t capacity;
	int32_t unused;
} EbMovingEnds;

/* How many rows of the frame lie in each part of a version */
typedef struct EbMovingParts
{
	int64_t *nrows; /* as part_day of the version */
	int32_t capacity;
	int32_t unused;
} EbMovingParts;

typedef struct EbUsageMoving
{
	EbUsageSum sum; /* of the rows in the frame */
	EbUsageSum one; /* a single row on its way in or out */
	EbMovingParts *parts;
	EbMovingEnds from;
	EbMovingEnds to;
	int64_t came; /* rows, from 0 on */
	int64_t went;
	int64_t nrows[EB_NCHANNELS]; /* in the frame, of channels that the tariff needs */
	bool goes;					 /* eb_usage_can_move(): otherwise rows only come */
} EbUsageMoving;

/*
 * Can rows be taken out of a sum again? Not where their order in time or windows of demands are
 * kept: a frame of these is summed anew.
 */
extern bool eb_usage_can_move(const EbClassifier *by, int n);

/* An empty frame for n classifiers. EB_NO_SPACE: there is no memory. */
extern EbStatus
eb_usage_moving_init(EbUsageMoving *moving, const EbMemory *memory, const EbClassifier *by, int n);

/* A row comes; answers as eb_usage_add(). */
extern EbStatus
eb_usage_moving_add(EbUsageMoving *moving, const EbClassifier *by, EbUsageRow *row, EbFault *fault);

/* The row that came first of those in the frame goes; it is the same as it was. Needs moving->goes. */
extern EbStatus eb_usage_moving_take(EbUsageMoving *moving, const EbClassifier *by, EbUsageRow *row,
									 EbFault *fault);

#endif
