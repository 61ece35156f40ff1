/*
 * import_urdb.c -- a record of the Utility Rate Database as the JSON form of a tariff
 * In:  a record as the API of OpenEI gives it (versions 3 to 8), or its answer with one item.
 * Out: JSON text. Bounds, charges and minimums are those of a month; prices are in US dollars.
 *      All keys must be known: those that do not touch prices are listed here and left out.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/import.md.
 */
#include <stdio.h>

#include "base/civil.h"
#include "rating/fault.h"
#include "rating/import_urdb.h"
#include "rating/tariff_json.h"

/* Keys that the importer reads, here or in the other files */
static const char *const read_key[] = {
	"annualmincharge",
	"coincidentrateschedule",
	"coincidentratestructure",
	"coincidentrateunit",
	"coincidentschedule",
	"country",
	"demandattrs",
	"demandratchetpercentage",
	"demandratestructure",
	"demandrateunit",
	"demandreactivepowercharge",
	"demandweekdayschedule",
	"demandweekendschedule",
	"demandwindow",
	"dgrules",
	"enddate",
	"energyattrs",
	"energyratestructure",
	"energyweekdayschedule",
	"energyweekendschedule",
	"fixedattrs",
	"fixedchargeeaaddl",
	"fixedchargefirstmeter",
	"fixedchargeunits",
	"fixedmonthlycharge",
	"flatdemandmonths",
	"flatdemandstructure",
	"flatdemandunit",
	"fueladjustmentsmonthly",
	"label",
	"lookbackMonths",
	"lookbackPercent",
	"lookbackRange",
	"lookbackmonths",
	"lookbackpercent",
	"lookbackrange",
	"mincharge",
	"minchargeunits",
	"minmonthlycharge",
	"name",
	"startdate",
	"usenetmetering",
	NULL,
};

/* Keys that touch no price: whose rate it is, who may take it, where it is written, remarks */
static const char *const idle_key[] = {
	"approved",
	"basicinformationcomments",
	"demandcomments",
	"demandtoulabels",
	"demandunits",
	"description",
	"eiaid",
	"energycomments",
	"energytoulabels",
	"is_default",
	"isdefault",
	"latest_update",
	"peakkwcapacityhistory",
	"peakkwcapacitymax",
	"peakkwcapacitymin",
	"peakkwhusagehistory",
	"peakkwhusagemax",
	"peakkwhusagemin",
	"phasewiring",
	"revisions",
	"sector",
	"servicetype",
	"source",
	"sourceparent",
	"supercedes",
	"supersedes",
	"type",
	"uri",
	"utility",
	"utility_id",
	"voltagecategory",
	"voltagemaximum",
	"voltageminimum",
	NULL,
};

static bool
is_listed(EbText key, const char *const *list)
{
	for (; *list != NULL; list++)
		if (eb_text_is(key, *list))
			return true;
	return false;
}

/* The record itself: the node, or the one item of an answer of the API */
static EbStatus
find_record(EbUrdb *urdb, const EbNode *source)
{
	const EbNode *items = eb_node_get(source, "items");

	urdb->root = source;
	if (items != NULL)
	{
		if (items->kind != EB_NODE_ARRAY || eb_node_count(items) != 1)
			return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, "items", "must be a list of one rate");
		urdb->root = items->child;
	}
	if (urdb->root->kind != EB_NODE_OBJECT)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, items != NULL ? "items[0]" : "",
							  "must be an object");
	return EB_OK;
}

static EbStatus
check_keys(const EbUrdb *urdb)
{
	EB_EACH(member, urdb->root)
		if (!is_listed(member->key, read_key) && !is_listed(member->key, idle_key))
		{
			eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, "", "has an unknown key \"%.*s\"",
						   member->key.len < 60 ? member->key.len : 60, member->key.data);
			snprintf(urdb->fault->hint, sizeof(urdb->fault->hint), "%s",
					 "Take it out when it does not touch the price.");
			return EB_BAD_ARGUMENT;
		}
	return EB_OK;
}

/* ---------------------------------------------------------------- what cannot be written */

/* Attributes are words for people that may change the price, as in "taxes: 7 %". */
static EbStatus
refuse_attributes(const EbUrdb *urdb)
{
	static const char *const key[] = {"demandattrs", "energyattrs", "fixedattrs"};

	for (int i = 0; i < 3; i++)
	{
		const EbNode *node = eb_node_get(urdb->root, key[i]);

		if (node == NULL || (node->kind == EB_NODE_ARRAY && node->child == NULL))
			continue;
		eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, key[i], "is free text that may touch the price");
		snprintf(urdb->fault->hint, sizeof(urdb->fault->hint), "%s",
				 "Take it out, and add to the tariff what it says.");
		return EB_NOT_SUPPORTED;
	}
	return EB_OK;
}

static EbStatus
refuse_amount(const EbUrdb *urdb, const char *key, const char *why)
{
	int64_t value_n;
	EbStatus status = eb_urdb_decimal(urdb, eb_node_get(urdb->root, key), key, &value_n);

	if (status == EB_OK && value_n != 0)
		return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, key, "%s", why);
	return status;
}

/* The hour of the system's peak is known afterwards only; a tariff has it as an event. */
static EbStatus
refuse_coincident(const EbUrdb *urdb)
{
	EbUrdbTable table;
	EbStatus status = eb_urdb_table(urdb, "coincidentratestructure", false, &table);

	for (int p = 0; p < table.nperiods && status == EB_OK; p++)
		if (eb_urdb_priced(&table, p))
			status = eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, table.key,
									"the hours of the coincident peak are not in it");
	return status;
}

static EbStatus
refuse_rest(const EbUrdb *urdb)
{
	const EbNode *country = eb_node_get(urdb->root, "country");
	EbStatus status = refuse_attributes(urdb);

	if (status == EB_OK && country != NULL && !eb_text_is(eb_node_text(country), "USA"))
		status = eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, "country", "its currency is not known");
	if (status == EB_OK)
		status = refuse_amount(urdb, "demandreactivepowercharge",
							   "it does not say of which reactive power");
	if (status == EB_OK)
		status = refuse_amount(urdb, "fixedchargeeaaddl", "meters are not counted");
	return status == EB_OK ? refuse_coincident(urdb) : status;
}

/* ---------------------------------------------------------------- export */

static EbStatus
read_net(EbUrdb *urdb)
{
	static const struct
	{
		const char *name;
		EbNetMode mode;
	} rule[] = {
		{"Net Metering", EB_NET_ROLLOVER_KWH},
		{"Net Billing Instantaneous", EB_NET_BILLING},
		{"Net Billing Hourly", EB_NET_BILLING},
		{"Buy All Sell All", EB_NET_BUY_ALL_SELL_ALL},
	};
	const EbNode *dgrules = eb_node_get(urdb->root, "dgrules");
	const EbNode *use = eb_node_get(urdb->root, "usenetmetering");
	bool on = eb_node_bool(use, false);
	int i = 0;

	urdb->net = on ? EB_NET_ROLLOVER_KWH : EB_NET_NONE;
	if (use != NULL && use->kind != EB_NODE_TRUE && use->kind != EB_NODE_FALSE)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, "usenetmetering", "must be true or false");
	if (dgrules == NULL)
		return EB_OK;
	while (i < 4 && !eb_text_is(eb_node_text(dgrules), rule[i].name))
		i++;
	if (i == 4)
		return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, "dgrules", "is not a known rule");
	if (on && rule[i].mode != EB_NET_ROLLOVER_KWH)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, "dgrules",
							  "usenetmetering is given, too, and says otherwise");
	urdb->net = rule[i].mode;
	return EB_OK;
}

/* ---------------------------------------------------------------- dates */

/* Seconds since 1970, or a text that begins with a date; read as a date of UTC. */
static EbStatus
read_day(const EbUrdb *urdb, const char *key, int32_t open, int32_t *day)
{
	const EbNode *node = eb_node_get(urdb->root, key);
	EbText text = eb_node_text(node);
	int64_t at_s;

	*day = open;
	if (node == NULL)
		return EB_OK;
	if (text.len > 10)
		text.len = 10;
	if (eb_parse_date(text, day))
		return EB_OK;
	if (node->kind == EB_NODE_NUMBER && eb_node_decimal(node, 0, &at_s) == EB_OK &&
		at_s > -EB_UNIX_TO_2000_S && at_s < INT64_C(32000000000))
	{
		at_s -= EB_UNIX_TO_2000_S;
		*day = (int32_t) (at_s / 86400 - (at_s % 86400 < 0 ? 1 : 0));
		return EB_OK;
	}
	return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, key,
						  "must be seconds since 1970 or a text that begins with YYYY-MM-DD");
}

/* enddate is the last day, as records show that end on the 31st. */
static EbStatus
read_dates(const EbUrdb *urdb, int32_t *from, int32_t *to)
{
	EbStatus status = read_day(urdb, "startdate", INT32_MIN, from);

	if (status == EB_OK)
		status = read_day(urdb, "enddate", INT32_MAX, to);
	if (status != EB_OK || *to == INT32_MAX)
		return status;
	(*to)++;
	if (*from >= *to)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, "enddate", "is before startdate");
	return EB_OK;
}

EbStatus
eb_import_urdb_valid(const EbNode *source, int32_t *from, int32_t *to, EbFault *fault)
{
	EbUrdb urdb = {.fault = fault};
	EbStatus status = find_record(&urdb, source);

	return status == EB_OK ? read_dates(&urdb, from, to) : status;
}

/* ---------------------------------------------------------------- text */

static void
write_head(EbUrdb *urdb)
{
	EbText label = eb_node_text(eb_node_get(urdb->root, "label"));
	EbText name = eb_node_text(eb_node_get(urdb->root, "name"));
	EbJson *json = urdb->json;

	eb_json_put_int(json, "elecbill", 1);
	if (label.len > 0)
	{
		eb_json_key(json, "code");
		eb_json_text(json, label);
	}
	if (name.len > 0)
	{
		eb_json_key(json, "name");
		eb_json_text(json, name);
	}
	eb_json_put_string(json, "currency", "USD");
	eb_json_key(json, "zone");
	eb_json_text(json, urdb->zone);
}

static void
write_schedules(EbUrdb *urdb)
{
	bool energy = eb_urdb_varies(&urdb->energy_at);
	bool demand = eb_urdb_varies(&urdb->demand_at) && eb_urdb_charges_periods(urdb);

	if (!energy && !demand)
		return;
	eb_json_key(urdb->json, "schedules");
	eb_json_open_object(urdb->json);
	if (energy)
		eb_urdb_write_schedule(urdb, "energy", &urdb->energy_at);
	if (demand)
		eb_urdb_write_schedule(urdb, "demand", &urdb->demand_at);
	eb_json_close_object(urdb->json);
}

static void
write_amount(EbUrdb *urdb, const char *code, const char *scope, int64_t amount_n)
{
	if (amount_n == 0)
		return;
	eb_json_open_object(urdb->json);
	eb_json_put_string(urdb->json, "code", code);
	eb_json_put_string(urdb->json, "kind", "minimum");
	eb_json_put_decimal(urdb->json, "amount", amount_n, EB_PRICE_SCALE);
	eb_json_put_string(urdb->json, "scope", scope);
	eb_json_close_object(urdb->json);
}

static bool
has_energy_prices(const EbUrdb *urdb)
{
	bool fuel = false;

	for (int m = 0; m < 12; m++)
		fuel = fuel || urdb->fuel_n[m] != 0;
	return fuel || urdb->energy_at.used != 0;
}

/* Is anything priced by energy or demand? */
static bool
has_usage_prices(const EbUrdb *urdb)
{
	return has_energy_prices(urdb) || eb_urdb_has_demands(urdb);
}

static void
write_components(EbUrdb *urdb, const EbUrdbCharges *charges)
{
	EbJson *json = urdb->json;

	eb_json_key(json, "components");
	eb_json_open_array(json);
	eb_urdb_write_energy(urdb);
	eb_urdb_write_demand_components(urdb);
	/* a minimum stands behind what it is held against */
	if (charges->fixed_n != 0 || !has_usage_prices(urdb))
	{
		eb_json_open_object(json);
		eb_json_put_string(json, "code", "fixed");
		eb_json_put_string(json, "kind", "fixed");
		eb_json_put_decimal(json, "price", charges->fixed_n, EB_PRICE_SCALE);
		eb_json_put_string(json, "per", charges->per_day ? "day" : "month");
		eb_json_close_object(json);
	}
	eb_urdb_write_credit(urdb);
	write_amount(urdb, "minimum", "month", charges->month_min_n);
	write_amount(urdb, "year_minimum", "year", charges->year_min_n);
	eb_json_close_array(json);
}

/* The record does not say what becomes of kWh left over: they lapse with the calendar year. */
static void
write_net(EbUrdb *urdb)
{
	static const char *const mode[] = {
		[EB_NET_ROLLOVER_KWH] = "rollover_kwh",
		[EB_NET_BILLING] = "billing",
		[EB_NET_BUY_ALL_SELL_ALL] = "buy_all_sell_all",
	};

	if (urdb->net == EB_NET_NONE || !has_energy_prices(urdb) ||
		(urdb->net != EB_NET_ROLLOVER_KWH && !urdb->sells))
		return;
	eb_json_key(urdb->json, "net");
	eb_json_open_object(urdb->json);
	eb_json_put_string(urdb->json, "mode", mode[urdb->net]);
	if (urdb->net == EB_NET_ROLLOVER_KWH && eb_urdb_varies(&urdb->energy_at))
		eb_json_put_string(urdb->json, "match", "time_of_day");
	eb_json_close_object(urdb->json);
}

static void
write_tariff(EbUrdb *urdb, const EbUrdbCharges *charges)
{
	eb_json_open_object(urdb->json);
	write_head(urdb);
	write_schedules(urdb);
	if (eb_urdb_has_demands(urdb))
	{
		eb_json_key(urdb->json, "demands");
		eb_json_open_object(urdb->json);
		eb_urdb_write_demands(urdb);
		eb_json_close_object(urdb->json);
	}
	write_components(urdb, charges);
	write_net(urdb);
	eb_json_close_object(urdb->json);
}

static bool
is_empty(const EbUrdb *urdb, const EbUrdbCharges *charges)
{
	return !has_usage_prices(urdb) && charges->fixed_n == 0 && charges->month_min_n == 0 &&
		   charges->year_min_n == 0;
}

EbStatus
eb_import_urdb(const EbNode *source, EbText zone, EbJson *json, EbFault *fault)
{
	EbUrdb urdb = {.zone = zone, .json = json, .fault = fault};
	EbUrdbCharges charges;
	int32_t from;
	int32_t to;
	EbStatus status = find_record(&urdb, source);

	if (status == EB_OK)
		status = check_keys(&urdb);
	if (status == EB_OK)
		status = refuse_rest(&urdb);
	if (status == EB_OK)
		status = read_dates(&urdb, &from, &to);
	if (status == EB_OK)
		status = read_net(&urdb);
	if (status == EB_OK)
		status = eb_urdb_read_energy(&urdb);
	if (status == EB_OK)
		status = eb_urdb_read_demand(&urdb);
	if (status == EB_OK)
		status = eb_urdb_read_fixed(&urdb, &charges);
	if (status == EB_OK)
		status = eb_urdb_read_minimums(&urdb, &charges);
	if (status != EB_OK)
		return status;
	if (is_empty(&urdb, &charges))
		return eb_urdb_refuse(&urdb, EB_BAD_ARGUMENT, "", "there is no price in it");
	write_tariff(&urdb, &charges);
	return EB_OK;
}
