/*
 * import_urdb_demand.c -- demand charges of a URDB record
 * In:  flatdemandstructure by month, demandratestructure with its matrices, window, look-back.
 * Out: demands and the components that price them.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <stdio.h>

#include "rating/fault.h"
#include "rating/import_urdb.h"
#include "rating/tariff_json.h"

/* Months before this one whose peaks count where the record names no number: a year with it */
#define YEAR_BACK 11

/* ---------------------------------------------------------------- reading */

/* kW or kVA; horse power is no exact number of kW, and a peak of each day is not measured. */
static EbStatus
read_unit(const EbUrdb *urdb, const char *key, bool *kva)
{
	const EbNode *unit = eb_node_get(urdb->root, key);

	*kva = eb_text_is(eb_node_text(unit), "kVA");
	if (unit == NULL || *kva || eb_text_is(eb_node_text(unit), "kW"))
		return EB_OK;
	return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, key, "is neither kW nor kVA");
}

static EbStatus
read_flat(EbUrdb *urdb)
{
	const EbNode *month[12];
	char path[EB_URDB_PATH];
	EbStatus status = eb_urdb_table(urdb, "flatdemandstructure", false, &urdb->flat);

	memset(urdb->flat_at, 0, sizeof(urdb->flat_at));
	if (status == EB_OK)
		status = eb_urdb_twelve(urdb, "flatdemandmonths", month);
	if (status != EB_OK)
		return status;
	if (month[0] == NULL && urdb->flat.nperiods > 1)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, "flatdemandmonths", "is missing");
	for (int m = 0; m < 12 && urdb->flat.nperiods > 0; m++)
	{
		int period = 0;

		snprintf(path, sizeof(path), "flatdemandmonths[%d]", m);
		if (month[0] != NULL)
			status = eb_urdb_int(urdb, month[m], path, 0, urdb->flat.nperiods - 1, &period);
		if (status == EB_OK && urdb->flat.ntiers[period] == 0)
			status = eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path,
									"period %d of flatdemandstructure has no tiers", period);
		if (status != EB_OK)
			return status;
		urdb->flat_at[m] = (int8_t) period;
	}
	return read_unit(urdb, "flatdemandunit", &urdb->flat_kva);
}

/* A share of 1 as percent: 0.8 is 80 %. */
static EbStatus
read_share(const EbUrdb *urdb, const EbNode *node, const char *path, int64_t *percent_n)
{
	EbStatus status = eb_urdb_decimal(urdb, node, path, percent_n);

	if (status == EB_OK && (*percent_n < 0 || *percent_n > EB_ONE))
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "must be from 0 to 1");
	*percent_n *= 100;
	return status;
}

/* The same key as versions before 8 wrote it, in mixed case */
static const EbNode *
get_either(const EbUrdb *urdb, const char *key, const char *mixed, const char **found)
{
	const EbNode *node = eb_node_get(urdb->root, key);

	*found = key;
	if (node != NULL || eb_node_get(urdb->root, mixed) == NULL)
		return node;
	*found = mixed;
	return eb_node_get(urdb->root, mixed);
}

/* Months whose peaks count for every month: 0 or 1, false or true, twelve times */
static EbStatus
read_mask(const EbUrdb *urdb, unsigned *months)
{
	const char *key;
	const EbNode *element[12];
	char path[EB_URDB_PATH];
	EbStatus status;

	*months = 0;
	get_either(urdb, "lookbackmonths", "lookbackMonths", &key);
	status = eb_urdb_twelve(urdb, key, element);
	for (int m = 0; m < 12 && status == EB_OK && element[0] != NULL; m++)
	{
		int on = eb_node_bool(element[m], false) ? 1 : 0;

		snprintf(path, sizeof(path), "%s[%d]", key, m);
		if (element[m]->kind != EB_NODE_TRUE && element[m]->kind != EB_NODE_FALSE)
			status = eb_urdb_int(urdb, element[m], path, 0, 1, &on);
		*months |= (unsigned) on << m;
	}
	return status;
}

static EbStatus
read_lookback(EbUrdb *urdb)
{
	EbUrdbRatchet *ratchet = &urdb->ratchet;
	const char *key;
	const char *range_key;
	const EbNode *share = get_either(urdb, "lookbackpercent", "lookbackPercent", &key);
	const EbNode *range = get_either(urdb, "lookbackrange", "lookbackRange", &range_key);
	int lookback = 0;
	EbStatus status = read_share(urdb, share, key, &ratchet->percent_n[0]);

	if (status == EB_OK && range != NULL)
		status = eb_urdb_int(urdb, range, range_key, 0, 36, &lookback);
	if (status == EB_OK)
		status = read_mask(urdb, &ratchet->months);
	if (status != EB_OK || ratchet->percent_n[0] == 0)
		return status;
	if (lookback > 0 && ratchet->months != 0)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, range_key, "lookbackmonths is given, too");
	if (lookback == 0 && ratchet->months == 0)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, key,
							  "neither lookbackrange nor lookbackmonths is given");
	ratchet->key = key;
	ratchet->lookback = lookback > 0 ? lookback : YEAR_BACK;
	for (int m = 1; m < 12; m++)
		ratchet->percent_n[m] = ratchet->percent_n[0];
	return EB_OK;
}

static EbStatus
read_ratchet(EbUrdb *urdb)
{
	static const char *const key = "demandratchetpercentage";
	const EbNode *month[12];
	int64_t percent_n[12] = {0};
	char path[EB_URDB_PATH];
	bool any = false;
	EbStatus status = eb_urdb_twelve(urdb, key, month);

	memset(&urdb->ratchet, 0, sizeof(urdb->ratchet));
	for (int m = 0; m < 12 && status == EB_OK && month[0] != NULL; m++)
	{
		snprintf(path, sizeof(path), "%s[%d]", key, m);
		status = read_share(urdb, month[m], path, &percent_n[m]);
		any = any || percent_n[m] != 0;
	}
	if (status == EB_OK)
		status = read_lookback(urdb);
	if (status != EB_OK || !any)
		return status;
	if (urdb->ratchet.lookback > 0)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, key, "%s is given, too", urdb->ratchet.key);
	urdb->ratchet.key = key;
	urdb->ratchet.lookback = YEAR_BACK;
	memcpy(urdb->ratchet.percent_n, percent_n, sizeof(percent_n));
	return EB_OK;
}

static EbStatus
read_window(EbUrdb *urdb)
{
	const EbNode *node = eb_node_get(urdb->root, "demandwindow");
	EbStatus status = EB_OK;

	urdb->window = 15;
	if (node != NULL)
		status = eb_urdb_int(urdb, node, "demandwindow", 1, 1440, &urdb->window);
	if (status == EB_OK && 1440 % urdb->window != 0)
		return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, "demandwindow",
							  "a day is no whole number of windows");
	return status;
}

static bool
is_charged(const EbUrdb *urdb, int period)
{
	return (urdb->demand_at.used >> period & 1) && eb_urdb_priced(&urdb->demand, period);
}

bool
eb_urdb_charges_periods(const EbUrdb *urdb)
{
	for (int p = 0; p < urdb->demand.nperiods; p++)
		if (is_charged(urdb, p))
			return true;
	return false;
}

static bool
charges_flat(const EbUrdb *urdb)
{
	for (int m = 0; m < 12 && urdb->flat.nperiods > 0; m++)
		if (eb_urdb_priced(&urdb->flat, urdb->flat_at[m]))
			return true;
	return false;
}

/* Where peaks are of one kind the look-back is theirs; else the record does not say whose. */
static EbStatus
check_ratchet(const EbUrdb *urdb)
{
	const EbUrdbRatchet *ratchet = &urdb->ratchet;
	bool flat = charges_flat(urdb);
	bool tou = eb_urdb_charges_periods(urdb);

	if (ratchet->lookback == 0)
		return EB_OK;
	if (!flat && !tou && !urdb->per_kw)
		return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, ratchet->key, "there is no charge by demand");
	if (tou && (flat || urdb->per_kw))
		return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, ratchet->key,
							  "it is not clear which of the demands looks back");
	return EB_OK;
}

EbStatus
eb_urdb_read_demand(EbUrdb *urdb)
{
	EbStatus status = read_window(urdb);

	if (status == EB_OK)
		status = read_flat(urdb);
	if (status == EB_OK)
		status = eb_urdb_table(urdb, "demandratestructure", false, &urdb->demand);
	if (status == EB_OK)
		status = eb_urdb_matrix(urdb, &urdb->demand, "demandweekdayschedule",
								"demandweekendschedule", &urdb->demand_at);
	if (status == EB_OK)
		status = read_unit(urdb, "demandrateunit", &urdb->demand_kva);
	if (status == EB_OK)
		status = read_ratchet(urdb);
	return status == EB_OK ? check_ratchet(urdb) : status;
}

bool
eb_urdb_has_demands(const EbUrdb *urdb)
{
	return urdb->per_kw || charges_flat(urdb) || eb_urdb_charges_periods(urdb);
}

/* ---------------------------------------------------------------- demands */

static void
write_ratchet(EbUrdb *urdb)
{
	const EbUrdbRatchet *ratchet = &urdb->ratchet;
	EbJson *json = urdb->json;
	bool same = true;

	if (ratchet->lookback == 0)
		return;
	for (int m = 1; m < 12; m++)
		same = same && ratchet->percent_n[m] == ratchet->percent_n[0];
	eb_json_key(json, "ratchet");
	eb_json_open_object(json);
	eb_json_put_int(json, "lookback", ratchet->lookback);
	eb_json_key(json, "percent");
	if (same)
		eb_json_decimal(json, ratchet->percent_n[0], EB_PRICE_SCALE);
	else
	{
		eb_json_open_array(json);
		for (int m = 0; m < 12; m++)
			eb_json_decimal(json, ratchet->percent_n[m], EB_PRICE_SCALE);
		eb_json_close_array(json);
	}
	if (ratchet->months != 0)
		eb_urdb_write_months(urdb, "months", ratchet->months);
	eb_json_close_object(json);
}

static void
open_demand(EbUrdb *urdb, const char *name, bool kva)
{
	eb_json_key(urdb->json, name);
	eb_json_open_object(urdb->json);
	if (kva)
		eb_json_put_string(urdb->json, "quantity", "import_kva");
	eb_json_put_int(urdb->json, "window", urdb->window);
}

static void
demand_name(int period, char name[EB_URDB_NAME])
{
	snprintf(name, EB_URDB_NAME, "demand_%d", period);
}

static void
write_tou_demand(EbUrdb *urdb, int period)
{
	EbJson *json = urdb->json;
	char name[EB_URDB_NAME];

	demand_name(period, name);
	open_demand(urdb, name, urdb->demand_kva);
	if (eb_urdb_varies(&urdb->demand_at))
	{
		eb_json_put_string(json, "schedule", "demand");
		eb_json_key(json, "period");
		eb_json_open_array(json);
		eb_urdb_write_period(urdb, period);
		eb_json_close_array(json);
	}
	write_ratchet(urdb);
	eb_json_close_object(json);
}

void
eb_urdb_write_demands(EbUrdb *urdb)
{
	if (urdb->per_kw)
	{
		open_demand(urdb, "peak", false);
		write_ratchet(urdb);
		eb_json_close_object(urdb->json);
	}
	if (charges_flat(urdb))
	{
		open_demand(urdb, "flat", urdb->flat_kva);
		write_ratchet(urdb);
		eb_json_close_object(urdb->json);
	}
	for (int p = 0; p < urdb->demand.nperiods; p++)
		if (is_charged(urdb, p))
			write_tou_demand(urdb, p);
}

/* ---------------------------------------------------------------- components */

static void
write_tiers(EbUrdb *urdb, const EbUrdbTable *table, int period)
{
	EbJson *json = urdb->json;
	EbUrdbTier tier = eb_urdb_tier(table, period, 0);

	if (table->ntiers[period] == 1)
	{
		eb_json_put_decimal(json, "price", tier.price_n, EB_PRICE_SCALE);
		return;
	}
	eb_json_key(json, "tier");
	eb_json_open_object(json);
	eb_json_key(json, "steps");
	eb_json_open_array(json);
	for (int t = 0; t < table->ntiers[period]; t++)
	{
		tier = eb_urdb_tier(table, period, t);
		eb_json_open_object(json);
		if (tier.has_max)
			eb_json_put_decimal(json, "up_to", tier.max_u, EB_ENERGY_SCALE);
		eb_json_put_string(json, "unit", "kw");
		eb_json_put_decimal(json, "price", tier.price_n, EB_PRICE_SCALE);
		eb_json_close_object(json);
	}
	eb_json_close_array(json);
	eb_json_close_object(json);
}

static void
write_component(EbUrdb *urdb, const char *code, const char *demand, bool kva)
{
	eb_json_open_object(urdb->json);
	eb_json_put_string(urdb->json, "code", code);
	eb_json_put_string(urdb->json, "kind", "demand");
	eb_json_put_string(urdb->json, "group", "demand");
	eb_json_put_string(urdb->json, "demand", demand);
	if (kva)
		eb_json_put_string(urdb->json, "per", "kva");
}

/* A component for each period of the flat charge, in its months */
static void
write_flat(EbUrdb *urdb, int period)
{
	unsigned months = 0;
	char code[EB_URDB_NAME];

	for (int m = 0; m < 12; m++)
		if (urdb->flat_at[m] == period)
			months |= 1u << m;
	if (months == 0 || !eb_urdb_priced(&urdb->flat, period))
		return;
	snprintf(code, sizeof(code), "flat_%d", period);
	write_component(urdb, code, "flat", urdb->flat_kva);
	eb_urdb_write_when(urdb, months);
	write_tiers(urdb, &urdb->flat, period);
	eb_json_close_object(urdb->json);
}

void
eb_urdb_write_demand_components(EbUrdb *urdb)
{
	char name[EB_URDB_NAME];

	for (int p = 0; p < urdb->flat.nperiods; p++)
		write_flat(urdb, p);
	for (int p = 0; p < urdb->demand.nperiods; p++)
	{
		if (!is_charged(urdb, p))
			continue;
		demand_name(p, name);
		write_component(urdb, name, name, urdb->demand_kva);
		write_tiers(urdb, &urdb->demand, p);
		eb_json_close_object(urdb->json);
	}
}
