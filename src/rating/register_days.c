/*
 * register_days.c -- the readings of one register as load profiles of local days
 * In:  readings as they were stored, in order of their instants.
 * Out: for each day that has intervals, their values by slot, and whether they can stand for the readings.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/fault.h"
#include "rating/register.h"
#include "rating/register_days.h"

/* A slot lies at most half an interval from its reading, and an interval is at most a day. */
#define SLOT_REACH_US (12 * 60 * EB_MINUTE_US)

/* Flags of the first reading of an interval that speak of the time before it: restart, rollover, jump */
#define SPEAKS_OF_BEFORE (EB_READING_RESTART | 64 | 32)

#define OWN_FLAGS (EB_PROFILE_SPAN | EB_PROFILE_PARTIAL)

/* ---------------------------------------------------------------- which readings count */

/* Whether a reading behind one without slot stands for its instant, or an earlier one */
static bool
is_passed(const EbReading *reading, size_t n, size_t i)
{
	for (size_t later = i + 1; later < n; later++)
	{
		if (reading[later].read_us - reading[i].read_us > SLOT_REACH_US)
			return false;
		if (reading[later].slot_us != EB_NO_SLOT && reading[later].slot_us <= reading[i].read_us)
			return true;
	}
	return false;
}

static bool
to_primary(int64_t multiplier, int64_t *wh)
{
	eb_int128 primary = ((eb_int128) *wh * multiplier + 5000) / 10000;

	*wh = (int64_t) primary;
	return primary < EB_REGISTER_LIMIT;
}

EbStatus
eb_register_count(const EbRegisterDays *of, EbReading *reading, size_t *n, EbFault *fault)
{
	int64_t slot_before = INT64_MIN;
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
	{
		EbReading one = reading[i];
		bool has_slot = one.slot_us != EB_NO_SLOT;
		int64_t boundary = has_slot ? one.slot_us : one.read_us;
		bool counts = boundary > slot_before && boundary >= of->from_us && boundary <= of->to_us &&
					  (has_slot || !is_passed(reading, *n, i));

		if (has_slot && one.slot_us > slot_before)
			slot_before = one.slot_us;
		if (!counts)
			continue;
		one.slot_us = boundary;
		if (of->multiplier != 10000 && !to_primary(of->multiplier, &one.register_wh))
			return eb_fault_set(fault, EB_OUT_OF_RANGE, "register times multiplier is out of range",
								"It must stay below 4611686018427387903 Wh.");
		/* behind i nobody looks for what was here: kept <= i */
		reading[kept++] = one;
	}
	*n = kept;
	return EB_OK;
}

/* ---------------------------------------------------------------- the energy between two of them */

/* False: missing */
static bool
energy_of(const EbReading *reading, size_t i, int64_t wrap_wh, int64_t *wh)
{
	const EbReading *before = &reading[i - 1];
	const EbReading *before_that = i >= 2 ? &reading[i - 2] : before;

	if ((reading[i].quality & EB_READING_RESTART) != 0)
		return false;
	/* a value that ran backwards is no start, unless the register began anew with it */
	if ((before->quality & EB_READING_RESTART) == 0 &&
		((before->quality & EB_READING_BACKWARDS) != 0 ||
		 !eb_register_delta(before_that->register_wh, before->register_wh, wrap_wh, wrap_wh / 10,
							wh)))
		return false;
	return eb_register_delta(before->register_wh, reading[i].register_wh, wrap_wh, wrap_wh / 10,
							 wh);
}

static int32_t
quality_of(const EbReading *reading, size_t i, bool known)
{
	int32_t quality = (reading[i - 1].quality & ~SPEAKS_OF_BEFORE) | reading[i].quality;

	if (!known && (reading[i].quality & EB_READING_RESTART) == 0)
		quality |= EB_READING_BACKWARDS;
	return quality;
}

/* ---------------------------------------------------------------- days */

/* The day that holds an instant, -1: none */
static int32_t
day_of(const EbRegisterDays *of, int64_t at_us)
{
	int32_t low = 0;
	int32_t high = of->ndays;

	if (of->ndays < 1 || at_us < of->start_us[0] || at_us >= of->start_us[of->ndays])
		return -1;
	while (high - low > 1)
	{
		int32_t middle = (low + high) / 2;

		if (at_us < of->start_us[middle])
			high = middle;
		else
			low = middle;
	}
	return low;
}

int32_t
eb_register_day_room(const EbRegisterDays *of)
{
	int64_t longest_us = 0;

	for (int32_t i = 0; i < of->ndays; i++)
		if (of->start_us[i + 1] - of->start_us[i] > longest_us)
			longest_us = of->start_us[i + 1] - of->start_us[i];
	return (int32_t) (longest_us / (of->step_s * EB_SECOND_US));
}

/* Puts the interval that ends at reading i into its slot. False: its energy is too much */
static bool
add_interval(const EbRegisterDays *of, const EbReading *reading, size_t i, int64_t wrap_wh,
			 EbRegisterDay *day, EbProfileValue *value)
{
	int64_t step_us = of->step_s * EB_SECOND_US;
	int64_t from_us = reading[i - 1].slot_us;
	int64_t to_us = reading[i].slot_us;
	int64_t behind_us = to_us - of->start_us[day->no];
	int64_t wh = 0;
	bool known = energy_of(reading, i, wrap_wh, &wh);
	int32_t quality = quality_of(reading, i, known);

	if (known && wh > EB_PROFILE_MOST_WH)
		return false;
	day->last_us = to_us;
	if ((quality & (EB_READING_BACKWARDS | OWN_FLAGS)) != 0)
		day->exact = false;
	if (behind_us % step_us != 0 || to_us - from_us < step_us)
		day->on_grid = false;
	if (day->on_grid)
	{
		EbProfileValue *slot = &value[behind_us / step_us - 1];

		slot->energy_wh = known ? wh : 0;
		slot->missing = !known;
		slot->quality =
			(quality & ~OWN_FLAGS) | (known && to_us - from_us > step_us ? EB_PROFILE_SPAN : 0);
	}
	return true;
}

static void
begin_day(const EbRegisterDays *of, int32_t no, int64_t first_us, EbRegisterDay *day,
		  EbProfileValue *value)
{
	int64_t length_us = of->start_us[no + 1] - of->start_us[no];
	int64_t step_us = of->step_s * EB_SECOND_US;

	*day = (EbRegisterDay){.no = no,
						   .n = (int32_t) (length_us / step_us),
						   .first_us = first_us,
						   .last_us = first_us,
						   .on_grid = length_us % step_us == 0 &&
									  (first_us - of->start_us[no]) % step_us == 0,
						   .exact = true};
	for (int32_t i = 0; i < day->n; i++)
		value[i] = (EbProfileValue){.missing = 1};
}

bool
eb_register_next_day(const EbRegisterDays *of, const EbReading *reading, size_t n, size_t *at,
					 EbRegisterDay *day, EbProfileValue *value)
{
	int64_t wrap_wh = of->wrap_wh;

	to_primary(of->multiplier, &wrap_wh);
	for (; *at + 1 < n; (*at)++)
	{
		int32_t no = day_of(of, reading[*at].slot_us);
		bool fits = true;

		if (no < 0 || reading[*at + 1].slot_us > of->start_us[no + 1])
			continue;
		begin_day(of, no, reading[*at].slot_us, day, value);
		for (; *at + 1 < n && reading[*at + 1].slot_us <= of->start_us[no + 1]; (*at)++)
			fits = fits && add_interval(of, reading, *at + 1, wrap_wh, day, value);
		if (!fits)
			day->last_us = day->first_us;
		return true;
	}
	return false;
}
