/*
 * register_days.h -- the readings of one register as load profiles of local days
 * In:  readings as they were stored, in order of their instants.
 * Out: for each day that has intervals, their values by slot, and whether they can stand for the readings.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * The rules are those of _boundary_readings() and _register_intervals() (sql/schema/36_usage_view.sql),
 * said again here for the speed of packing; pgTAP and fsck() compare the two.
 */
#ifndef EB_REGISTER_DAYS_H
#define EB_REGISTER_DAYS_H

#include "rating/load_profile.h"

/* As slot_us: the reading has no slot, its own instant counts */
#define EB_NO_SLOT INT64_MIN

/* Flag of a reading: the value was below the one before it when it came */
#define EB_READING_BACKWARDS 16

typedef struct EbReading
{
	int64_t read_us;
	int64_t slot_us;	 /* eb_register_count() makes it the instant the reading stands for */
	int64_t register_wh; /* ... and this the primary value */
	int32_t quality;	 /* flags of a reading */
	int32_t unused;
} EbReading;

/* What is known of the register, and the days that are asked for */
typedef struct EbRegisterDays
{
	const int64_t *start_us; /* ndays + 1 midnights, rising, whole seconds */
	int64_t from_us; /* readings that stand for an instant from .. to count, both included */
	int64_t to_us;
	int64_t multiplier; /* > 0, in 1e-4 */
	int64_t wrap_wh;	/* of the register itself, > 0 */
	int32_t ndays;
	int32_t step_s; /* of the slots */
} EbRegisterDays;

typedef struct EbRegisterDay
{
	int32_t no;		  /* from 0 */
	int32_t n;		  /* slots of the day */
	int64_t first_us; /* its intervals lie from here to last_us without a hole */
	int64_t last_us;
	bool on_grid; /* each of them fills slots: the values are good */
	bool exact;	  /* none of them ran backwards, or starts from a value that did */
} EbRegisterDay;

/*
 * Leaves those of *n readings, sorted by read_us, that count: of the readings in a slot the earliest, one
 * without a slot where it stands in order between slots. EB_OUT_OF_RANGE with the fault when a primary
 * value is 2^62 Wh or more.
 */
extern EbStatus
eb_register_count(const EbRegisterDays *of, EbReading *reading, size_t *n, EbFault *fault);

/* Room that the values of the longest day take, in values */
extern int32_t eb_register_day_room(const EbRegisterDays *of);

/*
 * The next day with an interval from one counted reading to the next that does not leave the day; *at is
 * 0 at first. False when there is none left. An energy beyond EB_PROFILE_MOST_WH leaves the day without
 * any interval (first_us = last_us).
 */
extern bool eb_register_next_day(const EbRegisterDays *of, const EbReading *reading, size_t n,
								 size_t *at, EbRegisterDay *day, EbProfileValue *value);

#endif
