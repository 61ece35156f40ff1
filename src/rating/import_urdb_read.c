/*
 * import_urdb_read.c -- values of a URDB record, with their paths
 * In:  nodes that anybody may have written.
 * Out: numbers, tables of tiers, matrices of periods; faults that name the place.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <stdarg.h>
#include <stdio.h>

#include "rating/fault.h"
#include "rating/import_urdb.h"
#include "rating/tariff_json.h"

/* What a last tier has where no bound is meant: 1e38 of one writer, 1e10 of another */
#define NO_BOUND_U (INT64_C(10000000000) * 1000000)

static const char *const unit_name[] = {
	[EB_URDB_KWH] = "kwh",
	[EB_URDB_KWH_PER_KW] = "kwh/kw",
	[EB_URDB_KWH_DAILY] = "kwh daily",
	[EB_URDB_KWH_PER_KW_DAILY] = "kwh/kw daily",
};

#define NUNITS ((int) (sizeof(unit_name) / sizeof(unit_name[0])))

EbStatus
eb_urdb_refuse(const EbUrdb *urdb, EbStatus status, const char *path, const char *format, ...)
{
	char what[160];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	eb_fault_set(urdb->fault, status,
				 status == EB_NOT_SUPPORTED ? "the rate cannot be written as a tariff"
											: "the rate is not valid",
				 NULL);
	return eb_fault_detail(urdb->fault, status, "%s%s%s", path, path[0] != '\0' ? ": " : "", what);
}

static EbStatus
read_scaled(const EbUrdb *urdb, const EbNode *node, const char *path, int scale, int64_t *value)
{
	EbStatus status = node == NULL ? EB_OK : eb_node_decimal(node, scale, value);

	if (node == NULL)
		*value = 0;
	if (status == EB_TOO_PRECISE)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "has more than %d decimals", scale);
	if (status == EB_OUT_OF_RANGE)
		return eb_urdb_refuse(urdb, EB_OUT_OF_RANGE, path, "is out of range");
	if (status != EB_OK)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "must be a number");
	return EB_OK;
}

EbStatus
eb_urdb_decimal(const EbUrdb *urdb, const EbNode *node, const char *path, int64_t *value_n)
{
	return read_scaled(urdb, node, path, EB_PRICE_SCALE, value_n);
}

EbStatus
eb_urdb_amount(const EbUrdb *urdb, const char *key, int64_t *value_n)
{
	EbStatus status = eb_urdb_decimal(urdb, eb_node_get(urdb->root, key), key, value_n);

	if (status == EB_OK && *value_n < 0)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, key, "must not be negative");
	return status;
}

EbStatus
eb_urdb_int(const EbUrdb *urdb, const EbNode *node, const char *path, int lowest, int highest,
			int *value)
{
	*value = eb_node_int(node, lowest - 1);
	if (*value < lowest || *value > highest)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "must be a whole number from %d to %d",
							  lowest, highest);
	return EB_OK;
}

EbStatus
eb_urdb_twelve(const EbUrdb *urdb, const char *key, const EbNode *element[12])
{
	const EbNode *list = eb_node_get(urdb->root, key);
	int n = 0;

	element[0] = NULL;
	if (list == NULL)
		return EB_OK;
	if (list->kind != EB_NODE_ARRAY || eb_node_count(list) != 12)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, key, "must be a list of twelve");
	EB_EACH(item, list)
		element[n++] = item;
	return EB_OK;
}

/* ---------------------------------------------------------------- structures */

static bool
same_word(EbText text, const char *word)
{
	if (strlen(word) != (size_t) text.len)
		return false;
	for (int i = 0; i < text.len; i++)
	{
		char c = text.data[i];

		if (c >= 'A' && c <= 'Z')
			c = (char) (c - 'A' + 'a');
		if (c != word[i])
			return false;
	}
	return true;
}

static int
find_unit(const EbNode *unit)
{
	for (int i = 0; i < NUNITS; i++)
		if (unit == NULL || same_word(eb_node_text(unit), unit_name[i]))
			return i;
	return EB_NONE;
}

EbUrdbTier
eb_urdb_tier(const EbUrdbTable *table, int period, int tier)
{
	const EbNode *node = eb_node_first(table->period[period]);
	EbUrdbTier read = {.has_max = false};
	EbStatus status;
	int64_t adj_n;

	while (tier-- > 0)
		node = node->next;
	eb_node_decimal(eb_node_get(node, "rate"), EB_PRICE_SCALE, &read.price_n);
	eb_node_decimal(eb_node_get(node, "adj"), EB_PRICE_SCALE, &adj_n);
	read.price_n += adj_n;
	status = eb_node_decimal(eb_node_get(node, "max"), EB_ENERGY_SCALE, &read.max_u);
	read.has_max = status == EB_OK && read.max_u < NO_BOUND_U;
	read.has_sell = eb_node_get(node, "sell") != NULL;
	eb_node_decimal(eb_node_get(node, "sell"), EB_PRICE_SCALE, &read.sell_n);
	read.unit = (EbUrdbUnit) find_unit(eb_node_get(node, "unit"));
	return read;
}

bool
eb_urdb_priced(const EbUrdbTable *table, int period)
{
	for (int i = 0; i < table->ntiers[period]; i++)
		if (eb_urdb_tier(table, period, i).price_n != 0)
			return true;
	return false;
}

/* Keys and values of a tier; a bound out of range is none. */
static EbStatus
check_tier(const EbUrdb *urdb, const EbNode *tier, const char *path, bool of_energy)
{
	static const char *const known[] = {"rate", "adj", "sell", "max", "unit"};
	char below[EB_URDB_PATH + 8];
	int64_t value_n[3] = {0, 0, 0};
	int64_t price_n;
	int64_t max_u;
	EbStatus status;

	if (tier->kind != EB_NODE_OBJECT)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "must be an object");
	EB_EACH(member, tier)
	{
		int i = 0;

		while (i < 5 && !eb_text_is(member->key, known[i]))
			i++;
		if (i == 5)
			return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "has an unknown key \"%.*s\"",
								  member->key.len < 40 ? member->key.len : 40, member->key.data);
	}
	for (int i = 0; i < 3; i++)
	{
		snprintf(below, sizeof(below), "%s.%s", path, known[i]);
		status = eb_urdb_decimal(urdb, eb_node_get(tier, known[i]), below, &value_n[i]);
		if (status != EB_OK)
			return status;
	}
	snprintf(below, sizeof(below), "%s.max", path);
	status = read_scaled(urdb, eb_node_get(tier, "max"), below, EB_ENERGY_SCALE, &max_u);
	if (status != EB_OK && status != EB_OUT_OF_RANGE)
		return status;
	snprintf(below, sizeof(below), "%s.unit", path);
	if (of_energy && find_unit(eb_node_get(tier, "unit")) == EB_NONE)
		return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, below,
							  "is none of kWh, kWh/kW, kWh daily, kWh/kW daily");
	if (!of_energy && eb_node_get(tier, "unit") != NULL &&
		!same_word(eb_node_text(eb_node_get(tier, "unit")), "kw"))
		return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, below, "is not kW");
	snprintf(below, sizeof(below), "%s.sell", path);
	if (!of_energy && value_n[2] != 0)
		return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, below, "demand is not sold");
	if (!eb_add64(value_n[0], value_n[1], &price_n))
		return eb_urdb_refuse(urdb, EB_OUT_OF_RANGE, path, "rate and adj are out of range");
	return EB_OK;
}

static bool
per_kw(EbUrdbUnit unit)
{
	return unit == EB_URDB_KWH_PER_KW || unit == EB_URDB_KWH_PER_KW_DAILY;
}

static bool
daily(EbUrdbUnit unit)
{
	return unit == EB_URDB_KWH_DAILY || unit == EB_URDB_KWH_PER_KW_DAILY;
}

/* Has the scale of a tier's bounds another tier after it? An inner scale ends at the next per kW. */
static bool
scale_goes_on(const EbUrdbTable *table, int period, int tier)
{
	bool kw = per_kw(eb_urdb_tier(table, period, tier).unit);

	for (int i = tier + 1; i < table->ntiers[period]; i++)
	{
		if (per_kw(eb_urdb_tier(table, period, i).unit) == kw)
			return true;
		if (!kw)
			return false;
	}
	return false;
}

/* Bounds rise, and all tiers of a scale but its last have one. */
static EbStatus
check_bound(const EbUrdb *urdb, const EbUrdbTable *table, int period, int tier, int64_t *below_u)
{
	EbUrdbTier read = eb_urdb_tier(table, period, tier);
	bool goes_on = scale_goes_on(table, period, tier);
	char path[EB_URDB_PATH];

	snprintf(path, sizeof(path), "%s[%d][%d].max", table->key, period, tier);
	if (goes_on && !read.has_max)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "is missing");
	if (!goes_on && read.has_max)
		return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, path, "what lies above it has no price");
	if (read.has_max && read.max_u <= *below_u)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "is not above the bound before it");
	*below_u = read.max_u;
	return EB_OK;
}

/* Units per kW first, and all by day or none */
static EbStatus
check_units(const EbUrdb *urdb, const EbUrdbTable *table, int period)
{
	char path[EB_URDB_PATH];

	for (int i = 1; i < table->ntiers[period]; i++)
	{
		EbUrdbUnit first = eb_urdb_tier(table, period, 0).unit;
		EbUrdbUnit unit = eb_urdb_tier(table, period, i).unit;

		snprintf(path, sizeof(path), "%s[%d][%d].unit", table->key, period, i);
		if ((per_kw(unit) && !per_kw(first)) || daily(unit) != daily(first))
			return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, path,
								  "does not go with that of the first tier");
	}
	return EB_OK;
}

/* Tiers of kWh that follow one per kW cut it; the two have scales of their own. */
static EbStatus
check_bounds(const EbUrdb *urdb, const EbUrdbTable *table, int period)
{
	int64_t outer_u = 0;
	int64_t inner_u = 0;
	EbStatus status = EB_OK;

	for (int i = 0; i < table->ntiers[period] && status == EB_OK; i++)
	{
		bool inner = per_kw(eb_urdb_tier(table, period, 0).unit) &&
					 !per_kw(eb_urdb_tier(table, period, i).unit);

		if (!inner)
			inner_u = 0;
		status = check_bound(urdb, table, period, i, inner ? &inner_u : &outer_u);
	}
	return status;
}

static EbStatus
check_period(const EbUrdb *urdb, const EbUrdbTable *table, int period, bool of_energy)
{
	char path[EB_URDB_PATH];
	int n = 0;
	EbStatus status;

	EB_EACH(tier, table->period[period])
	{
		snprintf(path, sizeof(path), "%s[%d][%d]", table->key, period, n++);
		status = check_tier(urdb, tier, path, of_energy);
		if (status != EB_OK)
			return status;
	}
	status = check_units(urdb, table, period);
	return status == EB_OK ? check_bounds(urdb, table, period) : status;
}

EbStatus
eb_urdb_table(const EbUrdb *urdb, const char *key, bool of_energy, EbUrdbTable *table)
{
	const EbNode *list = eb_node_get(urdb->root, key);
	char path[EB_URDB_PATH];

	table->key = key;
	table->nperiods = 0;
	if (list == NULL)
		return EB_OK;
	if (list->kind != EB_NODE_ARRAY)
		return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, key, "must be a list of periods");
	EB_EACH(period, list)
	{
		int n = table->nperiods;
		EbStatus status;

		snprintf(path, sizeof(path), "%s[%d]", key, n);
		if (n == EB_MAX_SLOTS)
			return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, key, "has more than %d periods",
								  EB_MAX_SLOTS);
		if (period->kind != EB_NODE_ARRAY)
			return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "must be a list of tiers");
		table->period[n] = period;
		table->ntiers[n] = eb_node_count(period);
		if (table->ntiers[n] > EB_MAX_STEPS)
			return eb_urdb_refuse(urdb, EB_NOT_SUPPORTED, path, "has more than %d tiers",
								  EB_MAX_STEPS);
		status = check_period(urdb, table, n, of_energy);
		if (status != EB_OK)
			return status;
		table->nperiods++;
	}
	return EB_OK;
}

/* ---------------------------------------------------------------- matrices */

static EbStatus
read_matrix(const EbUrdb *urdb, const EbUrdbTable *table, const char *key, int8_t at[12][24],
			uint64_t *used)
{
	const EbNode *months[12];
	char path[EB_URDB_PATH];
	EbStatus status = eb_urdb_twelve(urdb, key, months);

	for (int m = 0; status == EB_OK && m < 12; m++)
	{
		int h = 0;

		snprintf(path, sizeof(path), "%s[%d]", key, m);
		if (months[m]->kind != EB_NODE_ARRAY || eb_node_count(months[m]) != 24)
			return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "must be a list of 24 hours");
		EB_EACH(hour, months[m])
		{
			int period;

			snprintf(path, sizeof(path), "%s[%d][%d]", key, m, h);
			status = eb_urdb_int(urdb, hour, path, 0, table->nperiods - 1, &period);
			if (status == EB_OK && table->ntiers[period] == 0)
				status = eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, path, "period %d of %s has no tiers",
										period, table->key);
			if (status != EB_OK)
				return status;
			at[m][h++] = (int8_t) period;
			*used |= UINT64_C(1) << period;
		}
	}
	return status;
}

EbStatus
eb_urdb_matrix(const EbUrdb *urdb, const EbUrdbTable *table, const char *weekday,
			   const char *weekend, EbUrdbMatrix *matrix)
{
	const char *const key[2] = {weekday, weekend};

	memset(matrix, 0, sizeof(*matrix));
	for (int i = 0; i < 2; i++)
	{
		EbStatus status = EB_OK;
		bool given = eb_node_get(urdb->root, key[i]) != NULL;

		if (given && table->nperiods == 0)
			return eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, key[i], "there is no %s", table->key);
		if (given)
			status = read_matrix(urdb, table, key[i], matrix->at[i], &matrix->used);
		else if (table->nperiods > 1)
			status = eb_urdb_refuse(urdb, EB_BAD_ARGUMENT, key[i], "is missing");
		if (status != EB_OK)
			return status;
	}
	/* one period needs no matrix */
	if (matrix->used == 0 && table->nperiods == 1 && table->ntiers[0] > 0)
		matrix->used = 1;
	return EB_OK;
}
