/*
 * tariff_lint_tier.c -- the check of a tariff: tiers, their bounds, their units
 * In:  a tier and its component.
 * Out: findings. Bounds that hang on two attributes at once are compared when they are rated.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (tier).
 */
#include "rating/tariff_lint.h"

typedef struct Tier
{
	EbLint *lint;
	const EbPath *path;
	const EbNode *node;
	const EbNode *component;
	EbText mode;
} Tier;

static bool
mode_is(const Tier *tier, const char *mode)
{
	return eb_text_is(tier->mode, mode);
}

/* ---------------------------------------------------------------- one bound */

/* Seasons and an attribute at which bounds are compared */
typedef struct BoundCase
{
	EbText season;
	EbText attr;  /* name of the attribute that is known; empty: none */
	EbText value; /* its value; empty name and value: no entry of the map fits */
} BoundCase;

static bool bound_value(const EbNode *bound, const BoundCase *when, int64_t *value_u);

static bool
entry_value(const EbNode *map, EbText key, const BoundCase *when, int64_t *value_u)
{
	const EbNode *entry = eb_node_member(map, key);

	return bound_value(entry != NULL ? entry : eb_node_get(map, "*"), when, value_u);
}

/* The bound in 1e-6; false when this case does not say. */
static bool
bound_value(const EbNode *bound, const BoundCase *when, int64_t *value_u)
{
	EbText attr = eb_node_text(eb_node_get(bound, "attr"));

	if (!eb_node_is(bound, EB_NODE_OBJECT))
		return eb_node_decimal(bound, EB_ENERGY_SCALE, value_u) == EB_OK;
	if (eb_node_get(bound, "season") != NULL)
		return entry_value(eb_node_get(bound, "season"), when->season, when, value_u);
	if (attr.len > 0 && eb_text_equal(attr, when->attr))
		return entry_value(eb_node_get(bound, "of"), when->value, when, value_u);
	return false;
}

/* Decimals of 1e-6 above 0 */
static void
lint_bound(const Tier *tier, const EbPath *path, const EbNode *bound)
{
	static const char *const map[] = {"period", "season", "of"};
	bool per_period = eb_text_is(eb_node_text(eb_node_get(tier->node, "order")), "per_period");
	int64_t value;

	if (path->depth > EB_MAX_DEPTH)
		return; /* reported by the walk */
	if (!eb_node_is(bound, EB_NODE_OBJECT))
	{
		if (eb_node_decimal(bound, EB_PRICE_SCALE, &value) == EB_OK && value <= 0)
			eb_lint_error(tier->lint, path, "must be above 0");
		else if (eb_node_decimal(bound, EB_PRICE_SCALE, &value) == EB_OK && value % 1000 != 0)
			eb_lint_error(tier->lint, path, "has more than %d decimals", EB_ENERGY_SCALE);
		return;
	}
	if (!per_period && eb_price_reads_period(tier->lint->root, bound))
		eb_lint_error(tier->lint, path, "bounds by period need the order \"per_period\"");
	for (int i = 0; i < 3; i++)
	{
		EbPath here = eb_path_name(path, map[i]);

		EB_EACH(entry, eb_node_get(bound, map[i]))
		{
			EbPath below = eb_path_key(&here, entry->key);

			lint_bound(tier, &below, entry);
		}
	}
}

/* ---------------------------------------------------------------- bounds rise */

/* Members that may be visited, below a second of work */
#define MAX_BOUND_WORK 100000000

static bool
reads_season(const EbNode *bound, int depth)
{
	bool reads = false;

	if (!eb_node_is(bound, EB_NODE_OBJECT) || depth > EB_MAX_DEPTH)
		return false;
	if (eb_node_get(bound, "season") != NULL)
		return true;
	EB_EACH(entry, eb_node_get(bound, "of"))
		reads = reads || reads_season(entry, depth + 1);
	return reads;
}

/* The first map by attribute in a bound, through maps by season */
static const EbNode *
find_attr_map(const EbNode *bound, int depth)
{
	if (!eb_node_is(bound, EB_NODE_OBJECT) || depth > EB_MAX_DEPTH)
		return NULL;
	if (eb_node_get(bound, "attr") != NULL)
		return bound;
	EB_EACH(entry, eb_node_get(bound, "season"))
	{
		const EbNode *found = find_attr_map(entry, depth + 1);

		if (found != NULL)
			return found;
	}
	return NULL;
}

static bool
rises(const EbNode *low, const EbNode *high, const BoundCase *when)
{
	int64_t low_u;
	int64_t high_u;

	return !bound_value(low, when, &low_u) || !bound_value(high, when, &high_u) || low_u < high_u;
}

static bool
rises_in_season(const Tier *tier, const EbNode *low, const EbNode *high, EbText season)
{
	const EbNode *map[2] = {find_attr_map(low, 0), find_attr_map(high, 0)};
	int members =
		eb_node_count(eb_node_get(map[0], "of")) + eb_node_count(eb_node_get(map[1], "of"));
	BoundCase when = {season, {"", 0}, {"", 0}};
	bool ok = rises(low, high, &when);

	for (int i = 0; i < 2; i++)
	{
		when.attr = eb_node_text(eb_node_get(map[i], "attr"));
		EB_EACH(entry, eb_node_get(map[i], "of"))
		{
			when.value = entry->key;
			tier->lint->bound_work += members;
			ok = ok && tier->lint->bound_work <= MAX_BOUND_WORK && rises(low, high, &when);
		}
	}
	return ok;
}

static void
lint_rising(const Tier *tier, const EbPath *path, const EbNode *low, const EbNode *high)
{
	bool ok = rises_in_season(tier, low, high, (EbText){"*", 1});

	if (reads_season(low, 0) || reads_season(high, 0))
		EB_EACH(season, eb_node_get(tier->lint->root, "seasons"))
			ok = ok && rises_in_season(tier, low, high, season->key);
	if (tier->lint->bound_work > MAX_BOUND_WORK)
		eb_lint_error(tier->lint, path, "cannot be compared: the bounds have too many values");
	else if (!ok)
		eb_lint_error(tier->lint, path, "is not above the bound of the step before");
}

/* ---------------------------------------------------------------- steps */

/* Does the unit of a bound measure what the component counts? */
static bool
unit_fits(const Tier *tier, EbText unit)
{
	EbText kind = eb_node_text(eb_node_get(tier->component, "kind"));
	EbText quantity = eb_node_text(eb_node_get(tier->component, "quantity"));
	bool kwh = eb_text_is(kind, "energy") || eb_text_is(kind, "credit") ||
			   eb_text_is(quantity, "import_kwh") || eb_text_is(quantity, "export_kwh") ||
			   eb_text_is(quantity, "net_kwh");

	if (unit.len == 0 || eb_text_is(unit, "unit"))
		return true;
	if (unit.len >= 3 && memcmp(unit.data, "kwh", 3) == 0)
		return kwh;
	if (eb_text_is(unit, "kvarh"))
		return eb_text_is(kind, "reactive");
	if (eb_text_is(unit, "kw") || eb_text_is(unit, "pct_contract"))
		return eb_text_is(kind, "demand");
	return eb_text_is(kind, "custom"); /* money */
}

/* The unit of a step, "kwh" when it is left out */
static EbText
unit_of(const EbNode *step)
{
	EbText unit = eb_text_of(step, "unit");

	return unit.len > 0 ? unit : (EbText){"kwh", 3};
}

/* Steps that count kWh for each kW name the demand; with one demand it is that. */
static void
lint_step_demand(const Tier *tier, const EbPath *path, const EbNode *step)
{
	const EbNode *demands = eb_node_get(tier->lint->root, "demands");
	EbPath demand = eb_path_name(path, "demand");
	EbText name = eb_text_of(step, "demand");
	bool by_kw =
		eb_text_is(unit_of(step), "kwh_per_kw") || eb_text_is(unit_of(step), "kwh_per_kw_day");

	if (name.len > 0 && eb_node_member(demands, name) == NULL)
		eb_lint_error(tier->lint, &demand, "there is no demand \"%.*s\"", EB_SHOWN(name));
	if (name.len > 0 && !by_kw)
		eb_lint_error(tier->lint, &demand,
					  "belongs to the units \"kwh_per_kw\" and "
					  "\"kwh_per_kw_day\"");
	if (by_kw && name.len == 0 && eb_node_get(step, "up_to") != NULL && eb_node_count(demands) != 1)
		eb_lint_error(tier->lint, path,
					  eb_node_count(demands) == 0 ? "counts by kW, the tariff has no demand"
												  : "needs \"demand\", the tariff has several");
}

static void lint_steps(const Tier *tier, const EbPath *path, const EbNode *list);

static void
lint_step(const Tier *tier, const EbPath *path, const EbNode *step, const EbNode *before)
{
	const EbNode *up_to = eb_node_get(step, "up_to");
	const EbNode *inside = eb_node_get(step, "steps");
	EbPath bound = eb_path_name(path, "up_to");
	EbPath unit = eb_path_name(path, "unit");
	EbPath steps = eb_path_name(path, "steps");
	bool priced = eb_node_get(step, "price") != NULL || eb_node_get(step, "flat") != NULL ||
				  inside != NULL || eb_node_get(tier->component, "price") != NULL ||
				  mode_is(tier, "adder");

	if (up_to == NULL && step->next != NULL)
		eb_lint_error(tier->lint, path, "\"up_to\" is missing: only the last step has no bound");
	if (up_to != NULL && step->next == NULL)
		eb_lint_error(tier->lint, &bound, "the last step has no bound");
	if (up_to != NULL)
		lint_bound(tier, &bound, up_to);
	if (up_to != NULL && before != NULL && eb_node_get(before, "up_to") != NULL)
		lint_rising(tier, &bound, eb_node_get(before, "up_to"), up_to);
	if (!unit_fits(tier, eb_text_of(step, "unit")))
		eb_lint_error(tier->lint, &unit, "\"%.*s\" does not fit the quantity",
					  EB_SHOWN(eb_text_of(step, "unit")));
	if (up_to != NULL && before != NULL && !eb_text_equal(unit_of(step), unit_of(before)))
		eb_lint_error(tier->lint, path, "steps of one tier must have the same unit");
	if (!priced)
		eb_lint_error(tier->lint, path, "has no \"price\", and neither has the component");
	lint_step_demand(tier, path, step);
	lint_steps(tier, &steps, inside);
}

static void
lint_steps(const Tier *tier, const EbPath *path, const EbNode *list)
{
	const EbNode *before = NULL;
	int n = 0;

	EB_EACH(step, list)
	{
		EbPath here = eb_path_index(path, n++);

		lint_step(tier, &here, step, before);
		before = step;
	}
}

/* Has every step a price of its own, down to those inside? */
static bool
own_prices(const EbNode *list)
{
	EB_EACH(step, list)
		if (eb_node_get(step, "steps") != NULL ? !own_prices(eb_node_get(step, "steps"))
											   : eb_node_get(step, "price") == NULL)
			return false;
	return true;
}

/* Steps as they are rated: those inside one stand in its place */
static int
count_steps(const EbNode *list)
{
	int n = 0;

	EB_EACH(step, list)
	{
		int inside = eb_node_count(eb_node_get(step, "steps"));

		n += inside > 0 ? inside : 1;
	}
	return n;
}

/* A tier counts what is used, not time. */
static void
lint_counted(const Tier *tier)
{
	EbText per = eb_text_of(tier->component, "per");
	EbText quantity = eb_text_of(tier->component, "quantity");

	if (eb_text_is(per, "day") || eb_text_is(per, "month") || eb_text_is(quantity, "days") ||
		eb_text_is(quantity, "months"))
		eb_lint_error(tier->lint, tier->path, "days and months have no tiers");
}

void
eb_lint_tier(EbLint *lint, const EbPath *path, const EbNode *node, const EbNode *component)
{
	Tier tier = {lint, path, node, component, eb_node_text(eb_node_get(node, "mode"))};
	const EbNode *list = eb_node_get(node, "steps");
	EbPath steps = eb_path_name(path, "steps");
	bool package;

	if (tier.mode.len == 0)
		tier.mode = (EbText){"graduated", 9};
	package = mode_is(&tier, "package");
	if (package && eb_node_get(node, "size") == NULL)
		eb_lint_error(lint, path, "\"size\" is missing");
	if (package && eb_node_get(component, "price") == NULL)
		eb_lint_error(lint, path, "the component has no \"price\" for a package");
	if (package && (list != NULL || eb_node_get(node, "allowance") != NULL))
		eb_lint_error(lint, path, "mode \"package\" has no steps and no allowance");
	if (!package && list == NULL)
		eb_lint_error(lint, path, "\"steps\" is missing");
	if (!package && (eb_node_get(node, "size") != NULL || eb_node_get(node, "free") != NULL))
		eb_lint_error(lint, path, "\"size\" and \"free\" belong to mode \"package\"");
	if (!mode_is(&tier, "volume") && eb_node_get(node, "by") != NULL)
		eb_lint_error(lint, path, "\"by\" belongs to mode \"volume\"");
	if (eb_text_is(eb_text_of(node, "order"), "time") && (package || mode_is(&tier, "volume")))
		eb_lint_warning(lint, path, "mode \"%.*s\" has one price for all: the order says nothing",
						EB_SHOWN(tier.mode));
	lint_steps(&tier, &steps, list);
	if (eb_node_count(list) <= EB_MAX_STEPS && count_steps(list) > EB_MAX_STEPS)
		eb_lint_error(lint, path, "has %d steps with those inside, at most %d are allowed",
					  count_steps(list), EB_MAX_STEPS);
	if (eb_node_count(list) > 0 && own_prices(list) && !mode_is(&tier, "adder") &&
		eb_node_get(component, "price") != NULL)
		eb_lint_warning(lint, path,
						"the price of the component is not used: every step has its own");
	lint_counted(&tier);
	eb_lint_tier_use(lint, path, node, component);
}
