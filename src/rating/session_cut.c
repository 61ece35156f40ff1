/*
 * session_cut.c -- a session in pieces that no boundary cuts
 * In:  segments in the order of time; schedules, calendar, series and conditions of the tariff.
 * Out: pieces whose energies add up to those of the segments exactly.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/session.md.
 */
#include "rating/fault.h"
#include "rating/session_state.h"

/* ---------------------------------------------------------------- checks */

static EbStatus
bad_segment(EbFault *fault, int index, const char *message, const char *hint)
{
	eb_fault_set(fault, EB_BAD_ARGUMENT, message, hint);
	return eb_fault_detail(fault, EB_BAD_ARGUMENT, "It is segment %d of the session.", index + 1);
}

static EbStatus
check_segment(const EbSession *session, int i, EbFault *fault)
{
	const EbSessionSegment *segment = &session->segment[i];
	const EbSessionSegment *before = i > 0 ? segment - 1 : NULL;

	if (segment->from_us > segment->to_us)
		return bad_segment(fault, i, "segment must not end before it begins", NULL);
	if (before == NULL && segment->from_us < session->start_us)
		return bad_segment(fault, i, "segment begins before the session starts", NULL);
	if (before != NULL && segment->from_us < before->from_us)
		return bad_segment(fault, i, "segments must be in the order of time", NULL);
	if (before != NULL && segment->from_us < before->to_us)
		return bad_segment(fault, i, "segment overlaps the one before it", NULL);
	if (segment->ukwh < 0)
		return bad_segment(fault, i, "energy of a segment must not be negative",
						   "What a car gives back is export: rate it as usage.");
	if ((segment->ukw < 0 && segment->ukw != EB_SESSION_UNKNOWN) ||
		(segment->uamp < 0 && segment->uamp != EB_SESSION_UNKNOWN))
		return bad_segment(fault, i, "power and current of a segment must not be negative", NULL);
	if (segment->state != EB_SESSION_RESERVE)
		return EB_OK;
	if (segment->ukwh != 0)
		return bad_segment(fault, i, "a reservation takes no energy", NULL);
	if (before != NULL && before->state != EB_SESSION_RESERVE)
		return bad_segment(fault, i, "a reservation comes before the charge", NULL);
	return EB_OK;
}

EbStatus
eb_session_check(const EbSession *session, EbFault *fault)
{
	int64_t ukwh = 0;

	if (session->nsegments < 1)
		return eb_fault_set(fault, EB_BAD_ARGUMENT, "session has no segment", NULL);
	for (int i = 0; i < session->nsegments; i++)
	{
		EbStatus status = check_segment(session, i, fault);

		if (status != EB_OK)
			return status;
		if (!eb_add64(ukwh, session->segment[i].ukwh, &ukwh))
			return eb_overflow(fault, "energy of the session");
	}
	if (session->expired && session->segment[0].state != EB_SESSION_RESERVE)
		return eb_fault_set(fault, EB_BAD_ARGUMENT,
							"a session without reservation cannot have expired", NULL);
	return EB_OK;
}

/* ---------------------------------------------------------------- the next cut */

/* Where the piece ends: the first boundary behind its beginning */
typedef struct Cut
{
	int64_t at_us;
	int64_t origin_us;	 /* running time is 0 there */
	int64_t midnight_us; /* of the local day, on the clock of the piece */
	int64_t bound_ukwh;	 /* of the session, the next above what it has; INT64_MAX: none */
} Cut;

static void
cut_at(const EbSessionWork *work, Cut *cut, int64_t at_us)
{
	if (at_us > work->next_us && at_us < cut->at_us)
		cut->at_us = at_us;
}

/* gt, ge, lt, le of a running value: it passes each once */
static void
cut_at_range(const EbSessionWork *work, Cut *cut, const EbTest *test)
{
	const int64_t bound[] = {test->range.gt, test->range.ge, test->range.lt, test->range.le};
	const uint8_t has[] = {test->range.has_gt, test->range.has_ge, test->range.has_lt,
						   test->range.has_le};

	for (int i = 0; i < 4; i++)
	{
		int64_t at_us;

		if (!has[i])
			continue;
		if (test->kind == EB_TEST_KWH)
		{
			if (bound[i] > work->piece.run_ukwh && bound[i] < cut->bound_ukwh)
				cut->bound_ukwh = bound[i];
		}
		else if (eb_add64(cut->origin_us, bound[i], &at_us))
			cut_at(work, cut, at_us);
	}
}

static void
cut_at_condition(const EbSessionWork *work, Cut *cut, const EbCondition *condition)
{
	const EbTest *test = EB_ARRAY(work->rating.tariff, EbTest, condition->test);

	for (int i = 0; i < condition->test.n; i++)
	{
		if (test[i].kind == EB_TEST_TIME)
		{
			cut_at(work, cut, cut->midnight_us + test[i].from_min * EB_MINUTE_US);
			cut_at(work, cut, cut->midnight_us + test[i].to_min * EB_MINUTE_US);
		}
		else if (test[i].kind == EB_TEST_KWH || test[i].kind == EB_TEST_SECONDS)
			cut_at_range(work, cut, &test[i]);
	}
}

/* The first point of a series behind the beginning of the piece */
static void
cut_at_series(const EbSessionWork *work, Cut *cut, const EbSeries *series)
{
	const EbPoint *point = EB_ARRAY(work->rating.tariff, EbPoint, series->point);
	int low = 0;
	int high = series->point.n;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (point[middle].at_us <= work->next_us)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < series->point.n)
		cut_at(work, cut, point[low].at_us);
}

static void
find_cut(const EbSessionWork *work, Cut *cut)
{
	const EbTariff *tariff = work->rating.tariff;
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);

	cut_at(work, cut, work->piece.time.to_us);
	for (int i = 0; i < tariff->series.n; i++)
		if (series[i].kind == EB_SERIES_INSTANT)
			cut_at_series(work, cut, &series[i]);
	for (int i = 0; i < tariff->component.n; i++)
	{
		const EbFactorIf *factor = EB_ARRAY(tariff, EbFactorIf, component[i].factor_if);

		if (component[i].has_when)
			cut_at_condition(work, cut, &component[i].when);
		for (int j = 0; j < component[i].factor_if.n; j++)
			cut_at_condition(work, cut, &factor[j].condition);
	}
}

/* ---------------------------------------------------------------- the next piece */

/*
 * Energy of the segment until an instant of it: R(E t / T), R half-up, so that pieces add up to E
 * wherever the cuts are. A segment of no time, for stamps are often of whole minutes, has it all.
 */
static int64_t
energy_until(const EbSessionSegment *segment, int64_t at_us)
{
	if (at_us == segment->to_us)
		return segment->ukwh;
	return (int64_t) eb_div_round((eb_int128) segment->ukwh * (at_us - segment->from_us),
								  segment->to_us - segment->from_us, EB_HALF_UP);
}

/*
 * Instant at which the segment has come to that energy, down to the microsecond: rounded up it
 * could lie behind a boundary that the energy before it does not reach.
 */
int64_t
eb_session_instant(const EbSessionSegment *segment, int64_t ukwh)
{
	return segment->from_us +
		   (int64_t) eb_div_round((eb_int128) (segment->to_us - segment->from_us) * ukwh,
								  segment->ukwh, EB_DOWN);
}

static EbStatus
place_piece(EbSessionWork *work, int64_t *midnight_us)
{
	const EbZone *zone = work->rating.zone;
	const EbTariff *tariff = work->rating.tariff;
	EbSessionPiece *piece = &work->piece;
	int64_t wall_us =
		work->next_us + zone->span[eb_zone_find(zone, work->next_us)].offset_s * EB_SECOND_US;
	int minute;
	int32_t day = eb_local_day(zone, work->next_us, &minute);

	if (piece->number == 0 || day != piece->day)
	{
		piece->day = day;
		piece->month = eb_date_from_day(day).month;
		piece->season = eb_season_of(tariff, day);
		piece->tags = eb_day_tags(tariff, day);
	}
	piece->minute = minute;
	*midnight_us = work->next_us - (wall_us - day * EB_DAY_US);
	if (piece->number > 0 && work->next_us < piece->time.to_us &&
		work->next_us >= piece->time.from_us)
		return EB_OK;
	return eb_tou_segment(tariff, zone, work->next_us, &piece->time, work->rating.fault);
}

/* Ends the piece at the first cut, in time or in energy, and moves on. */
static void
end_piece(EbSessionWork *work, const Cut *cut)
{
	EbSessionPiece *piece = &work->piece;
	const EbSessionSegment *segment = piece->segment;
	int64_t end_us = cut->at_us;
	int64_t end_ukwh = energy_until(segment, end_us);

	if (cut->bound_ukwh != INT64_MAX)
	{
		int64_t bound_ukwh = cut->bound_ukwh - piece->run_ukwh + work->next_ukwh;

		if (bound_ukwh <= end_ukwh)
		{
			int64_t at_us = eb_session_instant(segment, bound_ukwh);

			if (bound_ukwh < end_ukwh || at_us < end_us)
			{
				end_us = at_us;
				end_ukwh = bound_ukwh;
			}
		}
	}
	piece->to_us = end_us;
	piece->ukwh = end_ukwh - work->next_ukwh;
	work->next_us = end_us;
	work->next_ukwh = end_ukwh;
}

/* The segment in work has no time and no energy left. */
static bool
segment_done(const EbSessionWork *work)
{
	const EbSessionSegment *segment = work->piece.segment;

	return segment == NULL || (work->next_us == segment->to_us && work->next_ukwh == segment->ukwh);
}

EbStatus
eb_session_next(EbSessionWork *work, bool *found)
{
	const EbSession *session = work->session;
	EbSessionPiece *piece = &work->piece;
	Cut cut = {.bound_ukwh = INT64_MAX};
	EbStatus status;

	*found = true;
	if (eb_rate_stopped(&work->rating))
		return EB_STOPPED;
	if (segment_done(work))
	{
		*found = work->next < session->nsegments;
		if (!*found)
			return EB_OK;
		piece->segment = &session->segment[work->next++];
		work->next_us = piece->segment->from_us;
		work->next_ukwh = 0;
	}
	piece->number++;
	piece->run_ukwh += piece->ukwh;
	status = place_piece(work, &cut.midnight_us);
	if (status != EB_OK)
		return status;
	cut.origin_us =
		piece->segment->state == EB_SESSION_RESERVE ? session->start_us : work->charge_us;
	piece->from_us = work->next_us;
	piece->elapsed_us = work->next_us - cut.origin_us;
	cut.at_us = piece->segment->to_us;
	find_cut(work, &cut);
	end_piece(work, &cut);
	return EB_OK;
}
