/*
 * step.c -- the length of an interval that is given by its start
 * In:  start and step of a row, a zone.
 * Out: its end.
 * Floor: pg.
 */
#include "postgres.h"

#include "pg/errors.h"
#include "pg/step.h"
#include "pg/zone.h"

int64
eb_pg_step_end(const EbZone *zone, int64 from_us, const Interval *step)
{
	int64 to_us = from_us;

	if (step->month == 0 && step->day >= -32 && step->day <= 32 && step->time >= -EB_MAX_STEP_US &&
		step->time <= EB_MAX_STEP_US)
	{
		if (step->day != 0)
		{
			int64 offset_us = zone->span[eb_zone_find(zone, from_us)].offset_s * EB_SECOND_US;

			to_us = eb_wall_instant(zone, from_us + offset_us + step->day * EB_DAY_US);
		}
		to_us += step->time;
	}
	if (to_us <= from_us || to_us - from_us > EB_MAX_STEP_US)
		ereport(
			ERROR,
			(errcode(EB_ERRCODE_BAD_ARGUMENT),
			 errmsg("length of an interval must be positive, without months, and at most 32 days"),
			 errhint("Longer differences of a register are for register_usage().")));
	return eb_pg_instant(to_us, "end of an interval");
}
