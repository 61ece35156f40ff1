/*
 * peak.c -- the highest windows of a demand
 * In:  windows without a gap (window.c) that count for the demand.
 * Out: for each part as many as the demand needs.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <string.h>

#include "rating/peak.h"

int64_t
eb_peak_number(const EbZone *zone, EbDistinct distinct, int64_t at_us)
{
	int32_t day;

	if (distinct == EB_DISTINCT_WINDOW)
		return at_us;
	day = eb_local_day(zone, at_us, NULL);
	if (distinct == EB_DISTINCT_WEEK)
		return day - eb_weekday(day);
	return distinct == EB_DISTINCT_MONTH ? day - eb_date_from_day(day).day + 1 : day;
}

/* Peaks [from, to) of the part, or where they belong; the last part is mostly the one */
static void
find_part(const EbPeakList *list, int32_t part_day, int32_t *from, int32_t *to)
{
	*to = list->n;
	while (*to > list->first && list->peak[*to - 1].part_day > part_day)
		(*to)--;
	*from = *to;
	while (*from > list->first && list->peak[*from - 1].part_day == part_day)
		(*from)--;
}

static void
take_out(EbPeakList *list, int32_t at)
{
	memmove(list->peak + at, list->peak + at + 1,
			(size_t) (list->n - at - 1) * sizeof(*list->peak));
	list->n--;
}

static bool
put_in(EbPeakList *list, const EbMemory *memory, int32_t at, EbPeak peak)
{
	EbPeak *room =
		eb_memory_room(memory, list->peak, &list->capacity, (int64_t) list->n + 1, sizeof(EbPeak));

	if (room == NULL)
		return false;
	list->peak = room;
	memmove(room + at + 1, room + at, (size_t) (list->n - at) * sizeof(*room));
	room[at] = peak;
	list->n++;
	return true;
}

/* The peak of [from, to) with the number of another, or to */
static int32_t
find_number(const EbPeakList *list, int32_t from, int32_t to, const EbPeak *peak)
{
	int64_t number = eb_peak_number(list->zone, list->distinct, peak->at_us);

	while (from < to &&
		   eb_peak_number(list->zone, list->distinct, list->peak[from].at_us) != number)
		from++;
	return from;
}

bool
eb_peak_put(EbPeakList *list, const EbMemory *memory, EbPeak peak)
{
	int32_t from;
	int32_t to;
	int32_t same;

	find_part(list, peak.part_day, &from, &to);
	if (to - from == list->keep && !eb_peak_is_above(&peak, &list->peak[to - 1]))
		return true;
	same = find_number(list, from, to, &peak);
	if (same < to && !eb_peak_is_above(&peak, &list->peak[same]))
		return true;
	if (same == to && to - from == list->keep)
		same = to - 1;
	if (same < to)
	{
		take_out(list, same);
		to--;
	}
	while (from < to && eb_peak_is_above(&list->peak[from], &peak))
		from++;
	return put_in(list, memory, from, peak);
}
