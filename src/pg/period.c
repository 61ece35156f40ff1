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
#include "pg/period.h"
#include "pg/range.h"
#include "pg/tariff.h"
#include "pg/zone.h"
#include "rating/usage.h"

/* ---------------------------------------------------------------- sites */

/*
 * A second call with the same tariff makes a cache: two megabytes are too much for a tariff that is
 * asked for once, or takes turns with others.
 */
static void
open_cache(EbPeriodSite *site, MemoryContext context)
{
	if (site->copy != NULL)
		return;
	if (site->cache == NULL)
		site->cache = MemoryContextAlloc(context, sizeof(EbTouCache));
	site->copy = MemoryContextAlloc(context, site->tariff->size);
	memcpy(site->copy, site->tariff, site->tariff->size);
	site->now = NULL;
}

EbPeriodSite *
eb_pg_period_site(FunctionCallInfo fcinfo, const EbTariff *tariff)
{
	EbPeriodSite *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(EbPeriodSite));
		fcinfo->flinfo->fn_extra = site;
	}
	site->tariff = tariff;
	if (site->zone != NULL &&
		memcmp(site->fingerprint, tariff->fingerprint, EB_FINGERPRINT_SIZE) == 0)
	{
		open_cache(site, fcinfo->flinfo->fn_mcxt);
		return site;
	}
	if (site->copy != NULL)
		pfree(site->copy);
	site->copy = NULL;
	site->now = NULL;
	site->zone = eb_pg_tariff_zone(tariff);
	memcpy(site->fingerprint, tariff->fingerprint, EB_FINGERPRINT_SIZE);
	return site;
}

/* Makes site->now the version of the local day. */
static void
find_version(EbPeriodSite *site, int32 day)
{
	const EbTariff *tariff = site->copy != NULL ? site->copy : site->tariff;

	site->now = eb_tariff_on(tariff, day, &site->days);
	if (site->now == NULL)
	{
		char date[EB_DATE_TEXT];

		eb_format_date(day, date);
		ereport(ERROR,
				(errcode(EB_ERRCODE_UNKNOWN), errmsg("the tariff has no version on %s", date)));
	}
	if (site->copy != NULL)
		eb_tou_cache_init(site->cache, site->now, site->zone);
}

const EbSegment *
eb_pg_period_find(EbPeriodSite *site, int64 at_us, const EbTariff **tariff)
{
	int32 day = eb_local_day(site->zone, at_us, NULL);
	const EbSegment *found;
	EbFault fault;

	if (site->now == NULL || day < site->days.from || day >= site->days.to)
		find_version(site, day);
	*tariff = site->now;
	if (site->copy == NULL)
	{
		/* without a copy nothing of this tariff may be kept */
		EbStatus status = eb_tou_segment(site->now, site->zone, at_us, &site->segment, &fault);

		site->now = NULL;
		eb_pg_check(status, &fault);
		return &site->segment;
	}
	found = eb_tou_find(site->cache, at_us, &fault);
	if (found == NULL)
		eb_pg_raise(EB_UNKNOWN, &fault);
	site->segment = *found;
	if (site->days.to != INT32_MAX)
		site->segment.to_us = Min(site->segment.to_us, eb_day_start(site->zone, site->days.to));
	return &site->segment;
}

/* ---------------------------------------------------------------- names */

int
eb_pg_find_schedule(const EbTariff *tariff, const text *name)
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

EbText
eb_pg_period_name(const EbTariff *tariff, int slot)
{
	EbSlice name = EB_ARRAY(tariff, EbSlice,
							tariff->period_name)[EB_ARRAY(tariff, EbSlot, tariff->slot)[slot].name];

	return (EbText){EB_ARRAY(tariff, char, name), name.n};
}

static Datum
period_datum(const EbTariff *tariff, int slot)
{
	EbText name = eb_pg_period_name(tariff, slot);

	return PointerGetDatum(cstring_to_text_with_len(name.data, name.len));
}

/* ---------------------------------------------------------------- SQL */

PG_FUNCTION_INFO_V1(elecbill_tariff_period);
Datum
elecbill_tariff_period(PG_FUNCTION_ARGS)
{
	const EbTariff *tariff;
	const EbSegment *segment;
	int64 at_us;
	int schedule;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	at_us = eb_pg_instant(PG_GETARG_TIMESTAMPTZ(1), "instant");
	segment = eb_pg_period_find(eb_pg_period_site(fcinfo, PG_GETARG_EB_TARIFF(0)), at_us, &tariff);
	schedule = eb_pg_find_schedule(tariff, PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));
	if (schedule == EB_NONE)
		PG_RETURN_NULL();
	return period_datum(tariff, segment->slot[schedule]);
}

/* A piece of an interval: time of one period in one part of one version */
typedef struct Piece
{
	const EbTariff *tariff; /* NULL: none yet */
	int slot;
	int32 part_day;
} Piece;

static void
put_piece(ReturnSetInfo *result, const Piece *piece, EbSpread *spread, int64 to_us)
{
	Datum value[3];
	bool null[3] = {false, piece->slot == EB_NONE, false};

	value[0] = eb_pg_range_make(spread->at_us, to_us);
	value[1] = null[1] ? (Datum) 0 : period_datum(piece->tariff, piece->slot);
	value[2] = eb_pg_numeric(eb_spread_take(spread, to_us), EB_ENERGY_SCALE, 0);
	tuplestore_putvalues(result->setResult, result->setDesc, value, null);
}

PG_FUNCTION_INFO_V1(elecbill_split_interval);
Datum
elecbill_split_interval(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	text *name = PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3);
	EbPeriodSite *site;
	EbSpread spread = {0};
	Piece last = {0};
	int64 next_us;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	site = eb_pg_period_site(fcinfo, PG_GETARG_EB_TARIFF(0));
	eb_pg_range(PG_GETARG_RANGE_P(1), "interval", &spread.from_us, &spread.to_us);
	spread.energy_ukwh = eb_pg_energy(PG_GETARG_DATUM(2), "kwh");
	spread.at_us = spread.from_us;
	if (spread.energy_ukwh < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("energy of an interval must not be negative")));

	for (int64 at_us = spread.from_us; at_us < spread.to_us; at_us = next_us)
	{
		Piece piece;
		const EbSegment *segment = eb_pg_period_find(site, at_us, &piece.tariff);
		int schedule = eb_pg_find_schedule(piece.tariff, name);

		CHECK_FOR_INTERRUPTS();
		next_us = segment->to_us;
		piece.slot = schedule == EB_NONE ? EB_NONE : segment->slot[schedule];
		piece.part_day = segment->part_day;
		if (last.tariff != NULL && (piece.tariff != last.tariff || piece.slot != last.slot ||
									piece.part_day != last.part_day))
			put_piece(result, &last, &spread, at_us);
		last = piece;
	}
	put_piece(result, &last, &spread, spread.to_us);
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
