/*
 * import_urdb_energy.c -- energy, export and fuel adjustment of a URDB record
 * In:  energyratestructure with its matrices, fueladjustmentsmonthly, the rule for generation.
 * Out: a schedule, and components: one for all months, or where there are tiers one for each group
 *      of months that have the same periods, because tiers of a bill need equal bounds in each.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <stdio.h>

#include "rating/fault.h"
#include "rating/import_urdb.h"
#include "rating/tariff_json.h"

/* ---------------------------------------------------------------- reading */

static uint64_t
periods_of_month(const EbUrdbMatrix *matrix, int month)
{
	uint64_t periods = 0;

	if (!eb_urdb_varies(matrix))
		return matrix->used;
	for (int day = 0; day < 2; day++)
		for (int hour = 0; hour < 24; hour++)
			periods |= UINT64_C(1) << matrix->at[day][month][hour];
	return periods;
}

static int
first_period(uint64_t periods)
{
	return __builtin_ctzll(periods);
}

static bool
has_tiers(const EbUrdb *urdb)
{
	for (int p = 0; p < urdb->energy.nperiods; p++)
		if ((urdb->energy_at.used >> p & 1) && urdb->energy.ntiers[p] > 1)
			return true;
	return false;
}

static bool
same_bound(const EbUrdbTier *a, const EbUrdbTier *b)
{
	return a->unit == b->unit && a->has_max == b->has_max && (!a->has_max || a->max_u == b->max_u);
}

/* Tiers are filled by the energy of the month: two periods of one month must have equal bounds. */
static EbStatus
check_equal_bounds(const EbUrdb *urdb, uint64_t periods)
{
	const EbUrdbTable *table = &urdb->energy;
	int first = first_period(periods);
	char path[EB_URDB_PATH];

	for (int p = first + 1; p < table->nperiods; p++)
	{
		if ((periods >> p & 1) == 0)
			continue;
		snprintf(path, sizeof(path), "%s[%d]", table->key, p);
		if (table->ntiers[p] != table->ntiers[first])
			return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, path,
								  "has %d tiers, but period %d of the same month has %d",
								  table->ntiers[p], first, table->ntiers[first]);
		for (int t = 0; t < table->ntiers[p]; t++)
		{
			EbUrdbTier a = eb_urdb_tier(table, first, t);
			EbUrdbTier b = eb_urdb_tier(table, p, t);

			snprintf(path, sizeof(path), "%s[%d][%d].max", table->key, p, t);
			if (!same_bound(&a, &b))
				return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, path,
									  "is not that of period %d in the same month", first);
		}
	}
	return EB_OK;
}

/* The price of export may be given with each tier; it must be one for each period. */
static EbStatus
read_sell(EbUrdb *urdb, int period)
{
	const EbUrdbTable *table = &urdb->energy;
	EbUrdbTier first = eb_urdb_tier(table, period, 0);
	char path[EB_URDB_PATH];

	for (int t = 0; t < table->ntiers[period]; t++)
	{
		EbUrdbTier tier = eb_urdb_tier(table, period, t);

		snprintf(path, sizeof(path), "%s[%d][%d].sell", table->key, period, t);
		if (tier.has_sell && tier.sell_n != first.sell_n)
			return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, path,
								  "is not that of the first tier: export has no tiers");
		if (urdb->net == EB_NET_ROLLOVER_KWH && tier.sell_n != 0 && tier.sell_n != tier.price_n)
			return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, path,
								  "net metering sells at the price of purchase");
		urdb->sells = urdb->sells || tier.sell_n != 0;
	}
	return EB_OK;
}

static EbStatus
read_fuel(EbUrdb *urdb)
{
	static const char *const key = "fueladjustmentsmonthly";
	const EbNode *month[12];
	char path[EB_URDB_PATH];
	EbStatus status = eb_urdb_twelve(urdb, key, month);

	memset(urdb->fuel_n, 0, sizeof(urdb->fuel_n));
	for (int m = 0; m < 12 && status == EB_OK && month[0] != NULL; m++)
	{
		snprintf(path, sizeof(path), "%s[%d]", key, m);
		status = eb_urdb_decimal(urdb, month[m], path, &urdb->fuel_n[m]);
	}
	return status;
}

static bool
is_per_kw(const EbUrdbTable *table, uint64_t periods)
{
	for (int p = 0; p < table->nperiods; p++)
		for (int t = 0; (periods >> p & 1) && t < table->ntiers[p]; t++)
		{
			EbUrdbUnit unit = eb_urdb_tier(table, p, t).unit;

			if (unit == EB_URDB_KWH_PER_KW || unit == EB_URDB_KWH_PER_KW_DAILY)
				return true;
		}
	return false;
}

/* A single tier per kW has no bound: hours of use do not matter then. */
EbStatus
eb_urdb_read_energy(EbUrdb *urdb)
{
	EbStatus status = eb_urdb_table(urdb, "energyratestructure", true, &urdb->energy);

	if (status == EB_OK)
		status = eb_urdb_matrix(urdb, &urdb->energy, "energyweekdayschedule",
								"energyweekendschedule", &urdb->energy_at);
	if (status == EB_OK)
		status = read_fuel(urdb);
	for (int p = 0; p < urdb->energy.nperiods && status == EB_OK; p++)
		if (urdb->energy_at.used >> p & 1)
			status = read_sell(urdb, p);
	if (status != EB_OK || !has_tiers(urdb))
		return status;
	urdb->per_kw = is_per_kw(&urdb->energy, urdb->energy_at.used);
	for (int m = 0; m < 12 && status == EB_OK; m++)
		status = check_equal_bounds(urdb, periods_of_month(&urdb->energy_at, m));
	return status;
}

/* ---------------------------------------------------------------- components */

/* Price of a tier in each of the periods, that of purchase or of export */
static void
write_price(EbUrdb *urdb, uint64_t periods, int tier, bool sell)
{
	EbJson *json = urdb->json;
	bool by_period = eb_urdb_varies(&urdb->energy_at);

	eb_json_key(json, "price");
	if (by_period)
	{
		eb_json_open_object(json);
		eb_json_key(json, "period");
		eb_json_open_object(json);
	}
	for (int p = 0; p < urdb->energy.nperiods; p++)
	{
		EbUrdbTier read;
		char name[EB_URDB_NAME];

		if ((periods >> p & 1) == 0)
			continue;
		read = eb_urdb_tier(&urdb->energy, p, tier);
		snprintf(name, sizeof(name), "p%d", p);
		if (by_period)
			eb_json_key(json, name);
		eb_json_decimal(json, sell ? read.sell_n : read.price_n, EB_PRICE_SCALE);
	}
	if (by_period)
	{
		eb_json_close_object(json);
		eb_json_close_object(json);
	}
}

static void
write_component(EbUrdb *urdb, const char *code, int number, const char *kind, const char *group)
{
	char name[EB_URDB_NAME];

	snprintf(name, sizeof(name), number > 0 ? "%s_%d" : "%s", code, number);
	eb_json_open_object(urdb->json);
	eb_json_put_string(urdb->json, "code", name);
	eb_json_put_string(urdb->json, "kind", kind);
	eb_json_put_string(urdb->json, "group", group);
}

/* Which schedule, and which of its periods */
static void
write_periods(EbUrdb *urdb, uint64_t periods)
{
	if (!eb_urdb_varies(&urdb->energy_at))
		return;
	eb_json_put_string(urdb->json, "schedule", "energy");
	if (periods == urdb->energy_at.used)
		return;
	eb_json_key(urdb->json, "period");
	eb_json_open_array(urdb->json);
	for (int p = 0; p < urdb->energy.nperiods; p++)
		if (periods >> p & 1)
			eb_urdb_write_period(urdb, p);
	eb_json_close_array(urdb->json);
}

/* One step without what lies inside it */
static void
open_step(EbUrdb *urdb, uint64_t periods, int tier)
{
	static const char *const unit[] = {
		[EB_URDB_KWH] = "kwh",
		[EB_URDB_KWH_PER_KW] = "kwh_per_kw",
		[EB_URDB_KWH_DAILY] = "kwh_per_day",
		[EB_URDB_KWH_PER_KW_DAILY] = "kwh_per_kw_day",
	};
	EbUrdbTier read = eb_urdb_tier(&urdb->energy, first_period(periods), tier);
	EbJson *json = urdb->json;

	eb_json_open_object(json);
	if (read.has_max)
		eb_json_put_decimal(json, "up_to", read.max_u, EB_ENERGY_SCALE);
	eb_json_put_string(json, "unit", unit[read.unit]);
	if (read.unit == EB_URDB_KWH_PER_KW || read.unit == EB_URDB_KWH_PER_KW_DAILY)
		eb_json_put_string(json, "demand", "peak");
	write_price(urdb, periods, tier, false);
}

/* Steps of the periods; those of kWh that follow one per kW stand inside it. */
static void
write_steps(EbUrdb *urdb, uint64_t periods)
{
	EbJson *json = urdb->json;
	int first = first_period(periods);
	EbUrdbUnit outer = eb_urdb_tier(&urdb->energy, first, 0).unit;
	bool inside = false;

	eb_json_key(json, "steps");
	eb_json_open_array(json);
	for (int t = 0; t < urdb->energy.ntiers[first]; t++)
	{
		bool inner = eb_urdb_tier(&urdb->energy, first, t).unit != outer;

		if (inside && !inner)
			eb_json_close_array(json);
		if (t > 0 && !inner)
			eb_json_close_object(json);
		if (!inside && inner)
		{
			eb_json_key(json, "steps");
			eb_json_open_array(json);
		}
		inside = inner;
		open_step(urdb, periods, t);
		if (inner)
			eb_json_close_object(json);
	}
	if (inside)
		eb_json_close_array(json);
	eb_json_close_object(json);
	eb_json_close_array(json);
}

/*
 * Bounds are those of a month: they grow with the months of the bill, unless they count its days.
 */
static void
write_tiers(EbUrdb *urdb, uint64_t periods)
{
	EbUrdbUnit unit = eb_urdb_tier(&urdb->energy, first_period(periods), 0).unit;

	eb_json_key(urdb->json, "tier");
	eb_json_open_object(urdb->json);
	if (unit == EB_URDB_KWH || unit == EB_URDB_KWH_PER_KW)
		eb_json_put_string(urdb->json, "prorate", "months");
	write_steps(urdb, periods);
	eb_json_close_object(urdb->json);
}

static void
write_tiered(EbUrdb *urdb)
{
	unsigned done = 0;
	int number = 0;

	for (int m = 0; m < 12; m++)
	{
		uint64_t periods = periods_of_month(&urdb->energy_at, m);
		unsigned months = 0;

		if (done >> m & 1)
			continue;
		for (int other = m; other < 12; other++)
			if (periods_of_month(&urdb->energy_at, other) == periods)
				months |= 1u << other;
		done |= months;
		write_component(urdb, "energy", months == EB_URDB_ALL_MONTHS ? 0 : ++number, "energy",
						"energy");
		eb_urdb_write_when(urdb, months);
		write_periods(urdb, periods);
		if (urdb->energy.ntiers[first_period(periods)] > 1)
			write_tiers(urdb, periods);
		else
			write_price(urdb, periods, 0, false);
		eb_json_close_object(urdb->json);
	}
}

/* A component for each adjustment, in the months that have it */
static void
write_fuel(EbUrdb *urdb)
{
	unsigned done = 0;
	int number = 0;

	for (int m = 0; m < 12; m++)
	{
		unsigned months = 0;

		if (done >> m & 1 || urdb->fuel_n[m] == 0)
			continue;
		for (int other = m; other < 12; other++)
			if (urdb->fuel_n[other] == urdb->fuel_n[m])
				months |= 1u << other;
		done |= months;
		write_component(urdb, "fuel", months == EB_URDB_ALL_MONTHS ? 0 : ++number, "energy",
						"energy");
		eb_urdb_write_when(urdb, months);
		eb_json_put_decimal(urdb->json, "price", urdb->fuel_n[m], EB_PRICE_SCALE);
		eb_json_close_object(urdb->json);
	}
}

void
eb_urdb_write_energy(EbUrdb *urdb)
{
	if (urdb->energy_at.used != 0 && has_tiers(urdb))
		write_tiered(urdb);
	else if (urdb->energy_at.used != 0)
	{
		write_component(urdb, "energy", 0, "energy", "energy");
		write_periods(urdb, urdb->energy_at.used);
		write_price(urdb, urdb->energy_at.used, 0, false);
		eb_json_close_object(urdb->json);
	}
	write_fuel(urdb);
}

void
eb_urdb_write_credit(EbUrdb *urdb)
{
	if (!urdb->sells || urdb->net == EB_NET_ROLLOVER_KWH)
		return;
	write_component(urdb, "credit", 0, "credit", "credit");
	write_periods(urdb, urdb->energy_at.used);
	write_price(urdb, urdb->energy_at.used, 0, true);
	eb_json_close_object(urdb->json);
}
