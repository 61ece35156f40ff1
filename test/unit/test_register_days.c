/*
 * test_register_days.c -- readings of a register as profiles of days: which count, what is between them
 * Days of four hours with slots of one keep the cases small enough to be worked out by hand.
 */
#include "check.h"
#include "rating/register.h"
#include "rating/register_days.h"

#define HOUR_US (60 * EB_MINUTE_US)
#define BASE_US (INT64_C(9000) * 24 * HOUR_US)
#define NDAYS 3

static int64_t start[NDAYS + 1];
static EbReading reading[64];
static size_t nreadings;
static EbProfileValue value[32];

static EbRegisterDays
days_of(void)
{
	for (int i = 0; i <= NDAYS; i++)
		start[i] = BASE_US + i * 4 * HOUR_US;
	nreadings = 0;
	return (EbRegisterDays){.start_us = start,
							.from_us = INT64_MIN,
							.to_us = INT64_MAX,
							.multiplier = 10000,
							.wrap_wh = 10000000,
							.ndays = NDAYS,
							.step_s = 3600};
}

/* A reading two seconds behind the slot of an hour */
static void
put(int hour, int64_t wh, int32_t quality)
{
	reading[nreadings++] = (EbReading){.read_us = BASE_US + hour * HOUR_US + 2 * EB_SECOND_US,
									   .slot_us = BASE_US + hour * HOUR_US,
									   .register_wh = wh,
									   .quality = quality};
}

static void
put_by_hand(int minute, int64_t wh)
{
	reading[nreadings++] = (EbReading){
		.read_us = BASE_US + minute * EB_MINUTE_US, .slot_us = EB_NO_SLOT, .register_wh = wh};
}

/* The days in words: number, first and last minute, "grid" or "off", "exact" or "held", values */
static const char *
words(const EbRegisterDays *of)
{
	static char text[1024];
	size_t len = 0;
	size_t at = 0;
	EbRegisterDay day;
	static EbFault fault;

	text[0] = '\0';
	if (eb_register_count(of, reading, &nreadings, &fault) != EB_OK)
		return fault.message;
	while (eb_register_next_day(of, reading, nreadings, &at, &day, value))
	{
		len +=
			(size_t) snprintf(text + len, sizeof(text) - len, "%s%d %d-%d %s %s", len ? "; " : "",
							  day.no, (int) ((day.first_us - BASE_US) / EB_MINUTE_US),
							  (int) ((day.last_us - BASE_US) / EB_MINUTE_US),
							  day.on_grid ? "grid" : "off", day.exact ? "exact" : "held");
		for (int i = 0; i < day.n && day.on_grid; i++)
		{
			if (value[i].missing)
				len += (size_t) snprintf(text + len, sizeof(text) - len, " -");
			else
				len += (size_t) snprintf(text + len, sizeof(text) - len, " %d",
										 (int) value[i].energy_wh);
			if (value[i].quality != 0)
				len += (size_t) snprintf(text + len, sizeof(text) - len, "~%d", value[i].quality);
		}
	}
	return text;
}

static void
plain_days(void)
{
	EbRegisterDays of = days_of();

	for (int hour = 0; hour <= 8; hour++)
		put(hour, 100 + hour * hour, 0);
	CHECK_STR(words(&of), "0 0-240 grid exact 1 3 5 7; 1 240-480 grid exact 9 11 13 15");
	/* rounded on the cumulative value: 100, 101, 104, ... times 1.333 are 133, 135, 139, 145, 155 */
	of = days_of();
	of.multiplier = 13330;
	for (int hour = 0; hour <= 4; hour++)
		put(hour, 100 + hour * hour, 0);
	CHECK_STR(words(&of), "0 0-240 grid exact 2 4 6 10");
	of = days_of();
	CHECK_STR(words(&of), "");
	put(0, 1, 0);
	CHECK_STR(words(&of), "");
}

static void
gaps(void)
{
	EbRegisterDays of = days_of();

	put(0, 100, 0), put(1, 110, 0), put(3, 130, 2), put(4, 131, 0);
	CHECK_STR(words(&of), "0 0-240 grid exact 10 - 20~1026 1~2");
	/* from the first slot on; what crosses a midnight belongs to no day */
	of = days_of();
	put(0, 100, 0), put(2, 120, 0), put(3, 130, 0), put(6, 160, 0), put(8, 180, 0);
	CHECK_STR(words(&of), "0 0-180 grid exact - 20~1024 10 -; 1 360-480 grid exact - - - 20~1024");
}

static void
differences(void)
{
	EbRegisterDays of = days_of();

	/* rolls over at 10,000,000 */
	put(0, 9999990, 0), put(1, 5, 64), put(2, 6, 0);
	CHECK_STR(words(&of), "0 0-120 grid exact 15~64 1 - -");
	/* begins anew: what went before is missing, what comes after counts, before is not asked */
	of = days_of();
	put(0, 500, 0), put(1, 510, 0), put(2, 3, 512), put(3, 7, 0), put(4, 8, 0);
	CHECK_STR(words(&of), "0 0-240 grid exact 10 -~512 4 1");
	/* falls: neither the way down nor the one from there is known */
	of = days_of();
	put(0, 500, 0), put(1, 510, 0), put(2, 509, 0), put(3, 512, 0), put(4, 514, 0);
	CHECK_STR(words(&of), "0 0-240 grid held 10 -~16 -~16 2");
	/* the flag alone says it, for it was true when the value came */
	of = days_of();
	put(0, 500, 0), put(1, 510, 16), put(2, 520, 0), put(3, 530, 0), put(4, 540, 0);
	CHECK_STR(words(&of), "0 0-240 grid held 10~16 -~16 10 10");
	/* it fell onto the midnight: the day before is held, and so is the first hour of this one */
	of = days_of();
	put(3, 500, 0), put(4, 490, 0), put(5, 495, 0), put(6, 499, 0), put(7, 500, 0), put(8, 501, 0);
	CHECK_STR(words(&of), "0 180-240 grid held - - - -~16; 1 240-480 grid held -~16 4 1 1");
	/* flags that the profile has for itself are not believed */
	of = days_of();
	put(0, 1, 0), put(1, 2, 1024), put(2, 3, 2048 | 2), put(3, 4, 0), put(4, 5, 0);
	CHECK_STR(words(&of), "0 0-240 grid held 1 1~2 1~2 1");
	/* more than a profile holds */
	of = days_of();
	of.wrap_wh = INT64_C(1000000000000);
	of.multiplier = INT64_C(10000000000);
	put(0, 0, 0), put(1, 90000000000, 0), put(2, 90000000001, 0);
	CHECK_STR(words(&of), "0 0-0 grid exact - - - -");
	of = days_of();
	of.multiplier = INT64_C(10000000000);
	put(0, INT64_C(1000000000000000000), 0);
	CHECK_STR(words(&of), "register times multiplier is out of range");
}

static void
which_count(void)
{
	EbRegisterDays of = days_of();

	/* the earliest of a slot; a later one of an earlier slot is out of order */
	put(0, 100, 0), put(1, 110, 0), put(1, 111, 0), put(2, 120, 0), put(1, 119, 0), put(3, 130, 0),
		put(4, 140, 0);
	reading[2].read_us += EB_SECOND_US;
	reading[4].read_us = reading[3].read_us + EB_SECOND_US;
	CHECK_STR(words(&of), "0 0-240 grid exact 10 10 10 10");
	/* by hand between two slots: it counts, off the grid */
	of = days_of();
	put(0, 100, 0), put_by_hand(30, 105), put(1, 110, 0), put(2, 120, 0), put(3, 130, 0),
		put(4, 140, 0);
	CHECK_STR(words(&of), "0 0-240 off exact");
	/* by hand on a slot that has no other */
	of = days_of();
	put(0, 100, 0), put_by_hand(60, 105), put(2, 120, 0), put(3, 130, 0), put(4, 140, 0);
	CHECK_STR(words(&of), "0 0-240 grid exact 5 15 10 10");
	/* by hand, and then a reading that stands for an earlier instant */
	of = days_of();
	put(0, 100, 0), put_by_hand(63, 105), put(1, 110, 0), put(2, 120, 0), put(3, 130, 0),
		put(4, 140, 0);
	reading[2].read_us += 4 * EB_MINUTE_US;
	CHECK_STR(words(&of), "0 0-240 grid exact 10 10 10 10");
	/* within from .. to only */
	of = days_of();
	of.from_us = BASE_US + HOUR_US;
	of.to_us = BASE_US + 3 * HOUR_US;
	for (int hour = 0; hour <= 4; hour++)
		put(hour, 100 + hour, 0);
	CHECK_STR(words(&of), "0 60-180 grid exact - 1 1 -");
}

static void
other_grids(void)
{
	EbRegisterDays of = days_of();

	/* slots of another length than the day has room for */
	of.step_s = 7200 + 3600;
	put(0, 1, 0), put(4, 2, 0);
	CHECK_STR(words(&of), "0 0-240 off exact");
	/* values closer than the slots */
	of = days_of();
	of.step_s = 7200;
	for (int hour = 0; hour <= 4; hour++)
		put(hour, hour, 0);
	CHECK_STR(words(&of), "0 0-240 off exact");
	/* a day of three slots, one of five */
	of = days_of();
	start[1] -= HOUR_US;
	for (int hour = 0; hour <= 8; hour++)
		put(hour, hour * 2, 0);
	CHECK_STR(words(&of), "0 0-180 grid exact 2 2 2; 1 180-480 grid exact 2 2 2 2 2");
	CHECK_INT(eb_register_day_room(&of), 5);
}

int
main(void)
{
	plain_days();
	gaps();
	differences();
	which_count();
	other_grids();
	return check_done("register_days");
}
