/*
 * period.c -- which period an instant has, how an interval falls apart, where a local day begins
 * In:  a tariff, an instant or a range with its energy; a date and a zone.
 * Out: tariff_period(), split_interval(), day_start().
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/range.h"
#include "pg/tariff.h"
#include "pg/zone.h"
#include "rating/usage.h"

/* Index of the schedule of that name; without a name the only one; EB_NONE: there is none */
static int
find_schedule(const EbTariff *tariff, const text *name)
{
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);

	if (name == NULL && tariff->schedule.n > 1)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("the tariff has several schedules"),
				 errhint("Say which one: \"%s\", for example.",
						 eb_pg_tariff_cstring(tariff, schedule[0].name))));
	if (name == NULL)
		return tariff->schedule.n == 1 ? 0 : EB_NONE;
	for (int i = 0; i < tariff->schedule.n; i++)
		if (schedule[i].name.n == (int) VARSIZE_ANY_EXHDR(name) &&
			memcmp(EB_ARRAY(tariff, char, schedule[i].name), VARDATA_ANY(name),
				   schedule[i].name.n) == 0)
			return i;
	ereport(ERROR, (errcode(EB_ERRCODE_UNKNOWN),
					errmsg("the tariff has no schedule \"%s\"", text_to_cstring(name))));
}

static Datum
period_of_slot(const EbTariff *tariff, int slot)
{
	EbSlice name = EB_ARRAY(tariff, EbSlice,
							tariff->period_name)[EB_ARRAY(tariff, EbSlot, tariff->slot)[slot].name];

	return PointerGetDatum(cstring_to_text_with_len(EB_ARRAY(tariff, char, name), name.n));
}

PG_FUNCTION_INFO_V1(elecbill_tariff_period);
Datum
elecbill_tariff_period(PG_FUNCTION_ARGS)
{
	const EbTariff *tariff;
	EbSegment segment;
	EbFault fault;
	int64 at_us;
	int schedule;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	tariff = PG_GETARG_EB_TARIFF(0);
	at_us = eb_pg_instant(PG_GETARG_TIMESTAMPTZ(1), "instant");
	schedule = find_schedule(tariff, PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));
	if (schedule == EB_NONE)
		PG_RETURN_NULL();
	eb_pg_check(eb_tou_segment(tariff, eb_pg_tariff_zone(tariff), at_us, &segment, &fault), &fault);
	return period_of_slot(tariff, segment.slot[schedule]);
}

/* One piece of an interval: a row */
static void
put_piece(ReturnSetInfo *result, const EbTariff *tariff, int64 from_us, int slot, EbSpread *spread,
		  int64 to_us)
{
	Datum value[3];
	bool null[3] = {false, slot == EB_NONE, false};

	value[0] = eb_pg_range_make(from_us, to_us);
	value[1] = slot == EB_NONE ? (Datum) 0 : period_of_slot(tariff, slot);
	value[2] = eb_pg_numeric(eb_spread_take(spread, to_us), EB_ENERGY_SCALE, 0);
	tuplestore_putvalues(result->setResult, result->setDesc, value, null);
}

PG_FUNCTION_INFO_V1(elecbill_split_interval);
Datum
elecbill_split_interval(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const EbTariff *tariff;
	const EbZone *zone;
	EbSpread spread = {0};
	EbSegment segment;
	EbFault fault;
	int schedule;
	int slot = EB_NONE;
	int32 part_day = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	tariff = PG_GETARG_EB_TARIFF(0);
	zone = eb_pg_tariff_zone(tariff);
	schedule = find_schedule(tariff, PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3));
	eb_pg_range(PG_GETARG_RANGE_P(1), "interval", &spread.from_us, &spread.to_us);
	spread.energy_ukwh = eb_pg_energy(PG_GETARG_DATUM(2), "kwh");
	spread.at_us = spread.from_us;
	if (spread.energy_ukwh < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("energy of an interval must not be negative")));

	/* a piece ends where the next one has another period or part */
	for (int64 at_us = spread.from_us; at_us < spread.to_us; at_us = segment.to_us)
	{
		int next;

		CHECK_FOR_INTERRUPTS();
		eb_pg_check(eb_tou_segment(tariff, zone, at_us, &segment, &fault), &fault);
		next = schedule == EB_NONE ? EB_NONE : segment.slot[schedule];
		if (at_us > spread.from_us && (next != slot || segment.part_day != part_day))
			put_piece(result, tariff, spread.at_us, slot, &spread, at_us);
		slot = next;
		part_day = segment.part_day;
	}
	put_piece(result, tariff, spread.at_us, slot, &spread, spread.to_us);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(elecbill_day_start);
Datum
elecbill_day_start(PG_FUNCTION_ARGS)
{
	DateADT day = PG_GETARG_DATEADT(0);
	const EbZone *zone = eb_pg_zone(text_to_cstring(PG_GETARG_TEXT_PP(1)));

	if (day < EB_ZONE_FROM_US / EB_DAY_US || day > EB_ZONE_TO_US / EB_DAY_US)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("day must lie between 1900 and 2200")));
	PG_RETURN_TIMESTAMPTZ(eb_day_start(zone, day));
}
