/*
 * usage_from.c -- usage_from(tariff, jsonb): quantities that somebody else measured
 * In:  kWh of a bill, in all or by period, with or without the days they belong to.
 * Out: usage_summary, as if the aggregates had made it; what was shared by days says "estimated".
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/jsonb_node.h"
#include "pg/tariff.h"
#include "pg/usage.h"
#include "pg/zone.h"
#include "rating/tariff_json.h"

/* The runs of days (parts) of a range, and what was used in each */
typedef struct Parts
{
	int n;
	int32 first_day; /* local days [first, end) that the range touches */
	int32 end_day;
	int32 *part_day; /* where the boundary run of each part begins */
	int64 *energy_ukwh;
} Parts;

static char *
cstring(EbText text)
{
	return pnstrdup(text.data, text.len);
}

static void
check_keys(const EbNode *object, const char *const *known, int n, const char *what)
{
	static const char *const later[] = {"export_kwh", "import_kvarh", "export_kvarh",
										"max_kw",	  "power_factor", "items"};

	if (!eb_node_is(object, EB_NODE_OBJECT))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must be an object", what)));
	EB_EACH(item, object)
	{
		bool found = false;

		for (int i = 0; i < n && !found; i++)
			found = eb_text_is(item->key, known[i]);
		for (size_t i = 0; i < lengthof(later) && !found; i++)
			if (eb_text_is(item->key, later[i]))
				ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
								errmsg("usage of \"%s\" is not rated by this version", later[i])));
		if (!found)
			ereport(ERROR,
					(errcode(EB_ERRCODE_BAD_ARGUMENT),
					 errmsg("%s has an unknown key \"%s\"", what, cstring(item->key)),
					 eb_text_is(item->key, "qty") ? errhint("Named quantities go to rate(), in its "
															"context.")
												  : 0));
	}
}

/* A number >= 0 with at most six decimals, in 1e-6 */
static int64
read_number(const EbNode *node, const char *what)
{
	int64 value;
	EbStatus status = eb_node_decimal(node, EB_ENERGY_SCALE, &value);

	if (status == EB_TOO_PRECISE)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s has more than 6 decimals", what)));
	if (status == EB_OUT_OF_RANGE)
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("%s is out of range", what)));
	if (status != EB_OK || value < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s must be a number that is not negative", what)));
	return value;
}

/* "peak, valley" */
static char *
period_list(const EbTariff *tariff, const EbSchedule *schedule)
{
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *period = EB_ARRAY(tariff, EbSlice, tariff->period_name);
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < schedule->nslots; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "",
						 eb_pg_tariff_cstring(tariff, period[slot[schedule->first_slot + i].name]));
	return list.data;
}

/* {period: kWh} of one schedule; a period that is not named used nothing */
static void
read_periods(const EbTariff *tariff, const EbSchedule *schedule, const EbNode *map, int64 *slot)
{
	const EbSlot *slots = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *period = EB_ARRAY(tariff, EbSlice, tariff->period_name);

	EB_EACH(item, map)
	{
		int at = EB_NONE;

		for (int i = 0; i < schedule->nslots && at == EB_NONE; i++)
		{
			EbSlice name = period[slots[schedule->first_slot + i].name];

			if (eb_text_equal(item->key, (EbText){EB_ARRAY(tariff, char, name), name.n}))
				at = schedule->first_slot + i;
		}
		if (at == EB_NONE)
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("the tariff has no period \"%s\"", cstring(item->key)),
							errdetail("Schedule \"%s\" has %s.",
									  eb_pg_tariff_cstring(tariff, schedule->name),
									  period_list(tariff, schedule))));
		slot[at] = read_number(item, "import_kwh");
	}
}

/* One number: it belongs to the only period of each schedule */
static void
read_single(const EbTariff *tariff, const EbNode *number, int64 *slot)
{
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	int64 value = read_number(number, "import_kwh");

	slot[0] = value;
	for (int i = 0; i < tariff->schedule.n; i++)
	{
		if (schedule[i].nslots > 1)
			ereport(ERROR,
					(errcode(EB_ERRCODE_UNKNOWN), errmsg("usage lacks the kWh of each period"),
					 errdetail("Schedule \"%s\" has %s.",
							   eb_pg_tariff_cstring(tariff, schedule[i].name),
							   period_list(tariff, &schedule[i])),
					 errhint("Give import_kwh as {period: kWh}, or interval values to usage().")));
		slot[schedule[i].first_slot] = value;
	}
}

/* Every schedule divides the same energy */
static void
check_sums(const EbTariff *tariff, const int64 *slot)
{
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	eb_int128 first = 0;

	for (int i = 0; i < tariff->schedule.n; i++)
	{
		eb_int128 sum = 0;

		for (int j = 0; j < schedule[i].nslots; j++)
			sum += slot[schedule[i].first_slot + j];
		if (i > 0 && sum != first)
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("the schedules do not divide the same energy"),
							errdetail("The sums of \"%s\" and \"%s\" differ.",
									  eb_pg_tariff_cstring(tariff, schedule[0].name),
									  eb_pg_tariff_cstring(tariff, schedule[i].name))));
		first = sum;
	}
}

/* {schedule: {period: kWh}} */
static void
read_schedules(const EbTariff *tariff, const EbNode *map, int64 *slot)
{
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	int known = 0;

	for (int i = 0; i < tariff->schedule.n; i++)
	{
		EbSlice name = schedule[i].name;
		const EbNode *member = eb_node_member(map, (EbText){EB_ARRAY(tariff, char, name), name.n});

		if (member == NULL)
			ereport(ERROR,
					(errcode(EB_ERRCODE_UNKNOWN), errmsg("usage lacks the kWh of schedule \"%s\"",
														 eb_pg_tariff_cstring(tariff, name))));
		if (!eb_node_is(member, EB_NODE_OBJECT))
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("import_kwh of schedule \"%s\" must be {period: kWh}",
								   eb_pg_tariff_cstring(tariff, name))));
		read_periods(tariff, &schedule[i], member, slot);
		known++;
	}
	if (eb_node_count(map) != known)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("import_kwh names a schedule that the tariff has not")));
	check_sums(tariff, slot);
}

/* "import_kwh" in any of its forms, added to the slots */
static void
read_energy(const EbTariff *tariff, const EbNode *node, int64 *slot)
{
	int64 read[EB_MAX_SLOTS] = {0};
	EbFault fault;

	if (node == NULL)
		ereport(ERROR, (errcode(EB_ERRCODE_UNKNOWN), errmsg("usage lacks import_kwh"),
						errhint("Give import_kwh as a number, or as {period: kWh}.")));
	if (!eb_node_is(node, EB_NODE_OBJECT))
		read_single(tariff, node, read);
	else if (tariff->schedule.n == 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("the tariff has no periods"),
						errhint("Give import_kwh as a number.")));
	else if (tariff->schedule.n > 1 || eb_node_is(eb_node_first(node), EB_NODE_OBJECT))
		read_schedules(tariff, node, read);
	else
		read_periods(tariff, EB_ARRAY(tariff, EbSchedule, tariff->schedule), node, read);
	for (int i = 0; i < Max(tariff->slot.n, 1); i++)
		if (!eb_add64(slot[i], read[i], &slot[i]))
			eb_pg_raise(eb_usage_overflow(&fault), &fault);
}

static void
bad_during(void)
{
	ereport(ERROR,
			(errcode(EB_ERRCODE_BAD_ARGUMENT),
			 errmsg("during must be a range of two rising instants"),
			 errdetail("Wanted is [\"2026-01-01\", \"2026-02-01\"] (local days), the same with "
					   "\"T00:00\" (local time) or \"T00:00Z\", or the text of a tstzrange.")));
}

/* The text of a tstzrange in ISO style: ["from","to") */
static void
split_range_text(EbText text, EbText *bound)
{
	const char *comma = text.len > 2 ? memchr(text.data, ',', text.len) : NULL;

	if (comma == NULL || text.data[0] != '[' || text.data[text.len - 1] != ')')
		bad_during();
	bound[0] = (EbText){text.data + 1, (int) (comma - text.data) - 1};
	bound[1] = (EbText){comma + 1, (int) (text.data + text.len - comma) - 2};
	for (int i = 0; i < 2; i++)
		if (bound[i].len > 1 && bound[i].data[0] == '"' && bound[i].data[bound[i].len - 1] == '"')
			bound[i] = (EbText){bound[i].data + 1, bound[i].len - 2};
}

static void
read_during(const EbNode *node, const EbZone *zone, EbUsage *usage)
{
	EbText bound[2];

	if (eb_node_is(node, EB_NODE_TEXT))
		split_range_text(eb_node_text(node), bound);
	else if (eb_node_is(node, EB_NODE_ARRAY) && eb_node_count(node) == 2)
	{
		bound[0] = eb_node_text(eb_node_first(node));
		bound[1] = eb_node_text(eb_node_first(node)->next);
	}
	else
		bad_during();
	if (!eb_parse_instant(bound[0], zone, &usage->from_us) ||
		!eb_parse_instant(bound[1], zone, &usage->to_us) || usage->from_us >= usage->to_us)
		bad_during();
	eb_pg_instant(usage->from_us, "during");
	eb_pg_instant(usage->to_us, "during");
}

/* The parts of the range, without energy yet; or one part whose days nobody knows */
static Parts
make_parts(const EbTariff *tariff, const EbZone *zone, const EbUsage *usage, bool dated)
{
	int nslots = Max(tariff->slot.n, 1);
	Parts parts = {.n = 1};

	if (dated)
	{
		parts.first_day = eb_local_day(zone, usage->from_us, NULL);
		parts.end_day = eb_local_day(zone, usage->to_us - 1, NULL) + 1;
		parts.n = 0;
		for (int32 day = parts.first_day; day < parts.end_day; day = eb_part_range(tariff, day).to)
			parts.n++;
	}
	parts.part_day = palloc(sizeof(int32) * parts.n);
	parts.energy_ukwh = palloc0(sizeof(int64) * parts.n * nslots);
	parts.part_day[0] = dated ? eb_part_range(tariff, parts.first_day).from : EB_NO_DAY;
	for (int i = 1; i < parts.n; i++)
		parts.part_day[i] = eb_part_range(tariff, parts.part_day[i - 1]).to;
	return parts;
}

/* [{"from": date, "import_kwh": ...}]: the energy of the run of days that holds the date */
static void
read_parts(const EbTariff *tariff, const EbNode *list, Parts *parts)
{
	static const char *const known[] = {"from", "import_kwh"};
	int nslots = Max(tariff->slot.n, 1);

	if (!eb_node_is(list, EB_NODE_ARRAY) || eb_node_count(list) == 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("parts must be an array")));
	EB_EACH(item, list)
	{
		int32 day;
		int part = 0;

		check_keys(item, known, lengthof(known), "a part of the usage");
		if (!eb_parse_date(eb_node_text(eb_node_get(item, "from")), &day) ||
			day < parts->first_day || day >= parts->end_day)
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("from of a part must be a local day of during")));
		day = eb_part_range(tariff, day).from;
		while (parts->part_day[part] != day)
			part++;
		read_energy(tariff, eb_node_get(item, "import_kwh"), parts->energy_ukwh + part * nslots);
	}
}

/* Shares the energy by days, each slot with its rounding on the running total */
static void
share_by_days(const EbTariff *tariff, const int64 *slot, Parts *parts)
{
	int nslots = Max(tariff->slot.n, 1);
	int32 days = parts->end_day - parts->first_day;

	for (int i = 0; i < nslots; i++)
	{
		int64 done = 0;

		for (int part = 0; part < parts->n; part++)
		{
			int32 end = part + 1 < parts->n ? parts->part_day[part + 1] : parts->end_day;
			int64 until = slot[i];

			if (part + 1 < parts->n)
				until = (int64) eb_div_round((eb_int128) slot[i] * (end - parts->first_day), days,
											 EB_HALF_UP);
			parts->energy_ukwh[part * nslots + i] = until - done;
			done = until;
		}
	}
}

static int32
read_quality(const EbNode *node)
{
	EbText text = eb_node_text(node);

	if (node == NULL || eb_text_is(text, "actual"))
		return EB_ACTUAL;
	if (eb_text_is(text, "estimated"))
		return EB_ESTIMATED;
	if (!eb_text_is(text, "missing"))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("quality must be actual, estimated or missing")));
	return EB_MISSING;
}

/* "days" or "months": the number, 0 when it is to be derived */
static int64
read_given(const EbNode *node, const char *what)
{
	int64 value = node == NULL ? 0 : read_number(node, what);

	if (node != NULL && value == 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must be positive", what)));
	return value;
}

PG_FUNCTION_INFO_V1(elecbill_usage_from);
Datum
elecbill_usage_from(PG_FUNCTION_ARGS)
{
	static const char *const known[] = {"during",	  "days",  "months",
										"import_kwh", "parts", "quality"};
	const EbTariff *tariff = eb_pg_usage_tariff(PG_GETARG_EB_TARIFF(0));
	const EbZone *zone = eb_pg_tariff_zone(tariff);
	const EbNode *root = eb_pg_jsonb_node(PG_GETARG_JSONB_P(1));
	const EbNode *during;
	const EbNode *list;
	EbUsage usage = {.from_us = PG_INT64_MIN, .to_us = PG_INT64_MIN};
	Parts parts;

	check_keys(root, known, lengthof(known), "usage");
	during = eb_node_get(root, "during");
	list = eb_node_get(root, "parts");
	if (list != NULL && (during == NULL || eb_node_get(root, "import_kwh") != NULL))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("parts stand beside during, in the place of import_kwh")));
	if (during != NULL)
		read_during(during, zone, &usage);
	usage.quality = read_quality(eb_node_get(root, "quality"));
	parts = make_parts(tariff, zone, &usage, during != NULL);
	if (list != NULL)
		read_parts(tariff, list, &parts);
	else
	{
		int64 slot[EB_MAX_SLOTS] = {0};

		read_energy(tariff, eb_node_get(root, "import_kwh"), slot);
		share_by_days(tariff, slot, &parts);
		if (parts.n > 1 && eb_parts_matter(tariff) && usage.quality == EB_ACTUAL)
			usage.quality = EB_ESTIMATED;
	}
	usage.days_u = read_given(eb_node_get(root, "days"), "days");
	usage.months_u = read_given(eb_node_get(root, "months"), "months");
	usage.nslots = Max(tariff->slot.n, 1);
	usage.nparts = parts.n;
	usage.part_day = parts.part_day;
	usage.energy_ukwh = parts.energy_ukwh;
	PG_RETURN_POINTER(eb_pg_usage_make(eb_pg_usage_shape(tariff), &usage));
}
