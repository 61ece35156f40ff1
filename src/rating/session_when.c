/*
 * session_when.c -- do the conditions of a component hold in a piece of a session?
 * In:  the piece (session_cut.c): no bound of a condition lies inside it.
 * Out: what session_lane.c asks. Minimum inclusive, maximum exclusive: a running value that
 *      passes a bound is above it from there on, however the bound is written.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/session.md.
 */
#include "rating/fault.h"
#include "rating/session_state.h"

#define HOUR_US (60 * EB_MINUTE_US)

static EbStatus
lacks(const EbSessionWork *work, const char *what)
{
	eb_fault_set(work->rating.fault, EB_UNKNOWN, "the tariff needs what the session lacks",
				 "Give it with each segment.");
	return eb_fault_detail(work->rating.fault, EB_UNKNOWN, "It is \"%s\" of segment %d.", what,
						   (int) (work->piece.segment - work->session->segment) + 1);
}

/* A value that runs from from to to inside the piece; constant values meet bounds exactly. */
static bool
running_in_range(const EbRange *range, int64_t from, int64_t to)
{
	if (from == to)
		return (!range->has_gt || from > range->gt) && (!range->has_ge || from >= range->ge) &&
			   (!range->has_lt || from < range->lt) && (!range->has_le || from <= range->le);
	return (!range->has_gt || from >= range->gt) && (!range->has_ge || from >= range->ge) &&
		   (!range->has_lt || from < range->lt) && (!range->has_le || from < range->le);
}

/* Power of the segment: as given, else its energy over its time, compared exactly */
static EbStatus
power_holds(const EbSessionWork *work, const EbTest *test, bool *holds)
{
	const EbSessionSegment *segment = work->piece.segment;
	int64_t time_us = segment->to_us - segment->from_us;

	if (segment->ukw != EB_SESSION_UNKNOWN)
		*holds = eb_in_range(&test->range, segment->ukw, 1);
	else if ((segment->measured && time_us > 0) ||
			 (segment->ukwh == 0 && segment->state != EB_SESSION_CHARGE))
		*holds = eb_in_range(&test->range, (eb_int128) segment->ukwh * HOUR_US,
							 time_us > 0 ? time_us : 1);
	else
		return lacks(work, "kw");
	return EB_OK;
}

/* Where nothing is charged nothing flows. */
static EbStatus
current_holds(const EbSessionWork *work, const EbTest *test, bool *holds)
{
	const EbSessionSegment *segment = work->piece.segment;

	if (segment->uamp != EB_SESSION_UNKNOWN)
		*holds = eb_in_range(&test->range, segment->uamp, 1);
	else if (segment->ukwh == 0 && segment->state != EB_SESSION_CHARGE)
		*holds = eb_in_range(&test->range, 0, 1);
	else
		return lacks(work, "amp");
	return EB_OK;
}

static bool
time_holds(const EbSessionPiece *piece, const EbTest *test)
{
	bool after = piece->minute >= test->from_min;
	bool before = piece->minute < test->to_min;

	return test->from_min < test->to_min ? after && before : after || before;
}

static EbStatus
test_holds(const EbSessionWork *work, const EbCondition *condition, int index, bool *holds)
{
	const EbTest *test = EB_ARRAY(work->rating.tariff, EbTest, condition->test) + index;
	const EbSessionPiece *piece = &work->piece;
	bool reserved = piece->segment->state == EB_SESSION_RESERVE;
	EbCondition alone = {
		.date_from = INT32_MIN,
		.date_to = INT32_MAX,
		.test = {condition->test.at + index * (int32_t) sizeof(EbTest), 1},
	};

	switch ((EbTestKind) test->kind)
	{
		case EB_TEST_TIME:
			*holds = time_holds(piece, test);
			return EB_OK;
		case EB_TEST_KWH:
			*holds = running_in_range(&test->range, piece->run_ukwh, piece->run_ukwh + piece->ukwh);
			return EB_OK;
		case EB_TEST_SECONDS:
			*holds = running_in_range(&test->range, piece->elapsed_us,
									  piece->elapsed_us + piece->to_us - piece->from_us);
			return EB_OK;
		case EB_TEST_KW:
			return power_holds(work, test, holds);
		case EB_TEST_AMP:
			return current_holds(work, test, holds);
		case EB_TEST_RESERVATION:
			*holds =
				reserved && work->session->expired == (test->reservation == EB_RESERVATION_EXPIRED);
			return EB_OK;
		case EB_TEST_ATTR_IN:
		case EB_TEST_ATTR_RANGE:
		case EB_TEST_QTY:
		case EB_TEST_RATIO:
			break;
	}
	return eb_condition_holds(&work->rating, &alone, &work->rating.run[0], holds);
}

static EbStatus
condition_holds(const EbSessionWork *work, const EbCondition *condition, bool *holds)
{
	const EbSessionPiece *piece = &work->piece;

	*holds = (condition->seasons == 0 || (condition->seasons >> piece->season & 1) != 0) &&
			 (condition->months == 0 || (condition->months >> piece->month & 1) != 0) &&
			 (condition->days == 0 || (condition->days & piece->tags) != 0) &&
			 (condition->not_days & piece->tags) == 0 && piece->day >= condition->date_from &&
			 piece->day < condition->date_to;
	for (int i = 0; i < condition->test.n && *holds; i++)
	{
		EbStatus status = test_holds(work, condition, i, holds);

		if (status != EB_OK)
			return status;
	}
	return EB_OK;
}

EbStatus
eb_session_when(const EbSessionWork *work, const EbComponent *component, bool *holds)
{
	*holds = true;
	return component->has_when ? condition_holds(work, &component->when, holds) : EB_OK;
}

EbStatus
eb_session_factor(const EbSessionWork *work, const EbComponent *component, int32_t *factor_if)
{
	const EbFactorIf *factor = EB_ARRAY(work->rating.tariff, EbFactorIf, component->factor_if);

	*factor_if = EB_NONE;
	for (int i = 0; i < component->factor_if.n && *factor_if == EB_NONE; i++)
	{
		bool holds;
		EbStatus status = condition_holds(work, &factor[i].condition, &holds);

		if (status != EB_OK)
			return status;
		if (holds)
			*factor_if = i;
	}
	return EB_OK;
}
