/*
 * tariff_lint_price.c -- the check of a tariff: prices, named values, what they depend on
 * In:  price nodes, the names of seasons, schedules, values and series.
 * Out: findings.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (P).
 */
#include "rating/tariff_lint.h"

/* ---------------------------------------------------------------- one price object */

static const char *const price_form[] = {"period", "season", "attr", "series",
										 "ref",	   "mul",	 "add",	 NULL};

static void
lint_form(EbLint *lint, const EbPath *path, const EbNode *price)
{
	bool compound = eb_node_get(price, "mul") != NULL || eb_node_get(price, "add") != NULL;
	int forms = 0;

	for (int i = 0; price_form[i] != NULL; i++)
		forms += eb_node_get(price, price_form[i]) != NULL;
	if (forms != 1)
		eb_lint_error(lint, path,
					  "must have exactly one of \"period\", \"season\", \"attr\", "
					  "\"series\", \"ref\", \"mul\", \"add\"");
	if (eb_node_get(price, "attr") != NULL && eb_node_get(price, "of") == NULL)
		eb_lint_error(lint, path, "\"of\" is missing");
	if (eb_node_get(price, "of") != NULL && eb_node_get(price, "attr") == NULL)
		eb_lint_error(lint, path, "\"attr\" is missing");
	if (eb_node_get(price, "round") != NULL && !compound)
		eb_lint_error(lint, path, "\"round\" belongs to \"mul\" and \"add\"");
}

static void
lint_price_seasons(EbLint *lint, const EbPath *path, const EbNode *map)
{
	const EbNode *seasons = eb_node_get(lint->root, "seasons");
	int8_t season[EB_LEAP_DAYS];
	EbText second;
	bool outside = false;

	EB_EACH(entry, map)
	{
		EbPath below = eb_path_key(path, entry->key);

		if (!eb_season_known(lint->root, entry->key))
			eb_lint_error(lint, &below, "there is no season \"%.*s\"", EB_SHOWN(entry->key));
	}
	if (eb_node_get(map, "*") != NULL)
		return;
	EB_EACH(item, seasons)
		if (eb_node_member(map, item->key) == NULL)
			eb_lint_error(lint, path, "has no price for season \"%.*s\" and no \"*\"",
						  EB_SHOWN(item->key));
	eb_season_days(lint->root, season, &second);
	for (int day = 0; day < EB_LEAP_DAYS; day++)
		outside = outside || season[day] == 0;
	if (outside)
		eb_lint_error(lint, path, "has no price for dates outside all seasons: add \"*\"");
}

/* Rules that may be visited for all prices together, well below a second of work */
#define MAX_NAME_WORK 50000000

/* May so many rules be visited? Says so when it becomes too many. */
static bool
may_visit(EbLint *lint, const EbPath *path, int64_t rules)
{
	bool before = lint->name_work <= MAX_NAME_WORK;

	lint->name_work += rules;
	if (before && lint->name_work > MAX_NAME_WORK)
		eb_lint_error(lint, path, "cannot be checked: prices and rules name too many periods");
	return lint->name_work <= MAX_NAME_WORK;
}

/* A period that no schedule has is wrong whoever reads the price. */
static void
lint_price_names(EbLint *lint, const EbPath *path, const EbNode *map)
{
	int64_t rules = 0;

	if (map == NULL)
		return;
	EB_EACH(schedule, eb_node_get(lint->root, "schedules"))
		rules += eb_node_count(schedule);
	if (!may_visit(lint, path, rules * (eb_node_count(map) + 1)))
		return;
	EB_EACH(entry, map)
	{
		EbPath below = eb_path_key(path, entry->key);
		bool known = eb_text_is(entry->key, "*");

		EB_EACH(schedule, eb_node_get(lint->root, "schedules"))
			known = known || eb_period_known(schedule, entry->key);
		if (!known)
			eb_lint_error(lint, &below, "no schedule has a period \"%.*s\"", EB_SHOWN(entry->key));
	}
}

void
eb_lint_price(EbLint *lint, const EbPath *path, const EbNode *price)
{
	EbPath period = eb_path_name(path, "period");
	EbPath season = eb_path_name(path, "season");
	EbPath ref = eb_path_name(path, "ref");
	EbPath series = eb_path_name(path, "series");
	EbText value = eb_node_text(eb_node_get(price, "ref"));
	EbText points = eb_node_text(eb_node_get(price, "series"));

	lint_form(lint, path, price);
	lint_price_names(lint, &period, eb_node_get(price, "period"));
	if (eb_node_get(price, "season") != NULL)
		lint_price_seasons(lint, &season, eb_node_get(price, "season"));
	if (value.len > 0 && eb_value_index(lint->root, value) == EB_NONE)
		eb_lint_error(lint, &ref, "there is no value \"%.*s\"", EB_SHOWN(value));
	if (points.len > 0 && eb_node_member(eb_node_get(lint->root, "series"), points) == NULL)
		eb_lint_error(lint, &series, "there is no series \"%.*s\"", EB_SHOWN(points));
}

/* ---------------------------------------------------------------- named values */

int
eb_value_index(const EbNode *root, EbText name)
{
	int index = 0;

	EB_EACH(value, eb_node_get(root, "values"))
	{
		if (eb_text_equal(value->key, name))
			return index < EB_MAX_VALUES ? index : EB_NONE;
		index++;
	}
	return EB_NONE;
}

static const EbNode *
value_at(const EbNode *root, int index)
{
	const EbNode *value = eb_node_first(eb_node_get(root, "values"));

	while (value != NULL && index-- > 0)
		value = value->next;
	return value;
}

/* Size of a price: nodes that one evaluation visits at most, and how deep they lie */
typedef struct Size
{
	int nodes;
	int depth;
	bool broken;
} Size;

typedef struct SizeWalk
{
	EbLint *lint;
	const EbPath *path; /* of what is measured */
	EbValueCost *cost;
} SizeWalk;

static Size price_size(SizeWalk *walk, const EbNode *price, int depth);

static Size
broken(void)
{
	return (Size){.nodes = 1, .broken = true};
}

static Size
value_size(SizeWalk *walk, int index, int depth)
{
	EbValueCost *cost = &walk->cost[index];
	const EbNode *value = value_at(walk->lint->root, index);
	Size size;

	if (cost->busy && !cost->broken)
	{
		eb_lint_error(walk->lint, walk->path, "refers to itself through value \"%.*s\"",
					  EB_SHOWN(value->key));
		cost->broken = true;
	}
	if (cost->broken)
		return broken();
	if (cost->nodes == 0)
	{
		cost->busy = true;
		size = price_size(walk, value, depth);
		cost->busy = false;
		cost->nodes = size.nodes;
		cost->depth = (int16_t) size.depth;
		cost->broken = cost->broken || size.broken;
	}
	return (Size){cost->nodes, cost->depth, cost->broken};
}

/* Adds one part to a whole; the work is capped where it is too much anyway. */
static void
add_size(Size *whole, Size part)
{
	whole->nodes += part.nodes;
	if (whole->nodes > EB_MAX_PRICE_NODES + 1)
		whole->nodes = EB_MAX_PRICE_NODES + 1;
	if (part.depth + 1 > whole->depth)
		whole->depth = part.depth + 1;
	whole->broken = whole->broken || part.broken;
}

static Size
price_size(SizeWalk *walk, const EbNode *price, int depth)
{
	Size size = {.nodes = 1};
	int index = eb_value_index(walk->lint->root, eb_node_text(eb_node_get(price, "ref")));

	if (depth > EB_MAX_DEPTH)
	{
		eb_lint_error(walk->lint, walk->path, "is nested deeper than %d prices", EB_MAX_DEPTH);
		return broken();
	}
	if (!eb_node_is(price, EB_NODE_OBJECT))
		return size;
	if (index != EB_NONE)
		add_size(&size, value_size(walk, index, depth + 1));
	EB_EACH(form, price)
		if (!eb_text_is(form->key, "round"))
			EB_EACH(part, form)
			{
				if (size.broken)
					return size;
				add_size(&size, price_size(walk, part, depth + 1));
			}
	if (size.depth + depth > EB_MAX_DEPTH && !size.broken)
	{
		eb_lint_error(walk->lint, walk->path, "is nested deeper than %d prices", EB_MAX_DEPTH);
		size.broken = true;
	}
	return size;
}

bool
eb_lint_values(EbLint *lint, const EbPath *path, EbValueCost cost[EB_MAX_VALUES])
{
	EbPath values = eb_path_name(path, "values");
	bool sound = true;
	int index = 0;

	EB_EACH(value, eb_node_get(lint->root, "values"))
	{
		EbPath below = eb_path_key(&values, value->key);
		SizeWalk walk = {lint, &below, cost};
		Size size;

		if (index == EB_MAX_VALUES)
			return false; /* their number is reported */
		size = value_size(&walk, index++, 0);
		if (size.nodes > EB_MAX_PRICE_NODES)
			eb_lint_error(lint, &below, "is a price of more than %d parts", EB_MAX_PRICE_NODES);
		sound = sound && !size.broken && size.nodes <= EB_MAX_PRICE_NODES;
	}
	return sound;
}

bool
eb_lint_price_size(EbLint *lint, const EbPath *path, const EbNode *price,
				   EbValueCost cost[EB_MAX_VALUES])
{
	SizeWalk walk = {lint, path, cost};
	Size size = price_size(&walk, price, 0);

	if (size.nodes > EB_MAX_PRICE_NODES)
		eb_lint_error(lint, path, "is a price of more than %d parts", EB_MAX_PRICE_NODES);
	if (lint->price_parts <= EB_MAX_ALL_PRICE_NODES &&
		lint->price_parts + size.nodes > EB_MAX_ALL_PRICE_NODES)
		eb_lint_error(lint, path, "makes the prices of the tariff more than %d parts together",
					  EB_MAX_ALL_PRICE_NODES);
	lint->price_parts += size.nodes;
	return !size.broken && size.nodes <= EB_MAX_PRICE_NODES;
}

/* ---------------------------------------------------------------- periods of a price */

/* Follows a price into the values it refers to, each once */
typedef struct PeriodWalk
{
	EbLint *lint; /* NULL: only looks whether a period is read */
	const EbNode *root;
	const EbNode *schedule;
	const EbNode *filter;
	uint64_t visited[EB_MAX_VALUES / 64];
	bool reads;
} PeriodWalk;

/* Periods the schedule has and the map lacks */
static void
check_lacking(const PeriodWalk *walk, const EbPath *path, const EbNode *map)
{
	if (eb_node_get(map, "*") != NULL)
		return;
	EB_EACH(rule, walk->schedule)
	{
		EbText name = eb_node_text(eb_node_get(rule, "period"));
		bool counts = walk->filter == NULL || eb_list_has(walk->filter, name);

		for (const EbNode *earlier = walk->schedule->child; earlier != rule && counts;
			 earlier = earlier->next)
			counts = !eb_text_equal(eb_node_text(eb_node_get(earlier, "period")), name);
		if (counts && eb_node_member(map, name) == NULL)
			eb_lint_error(walk->lint, path,
						  "has no price for period \"%.*s\" of schedule \"%.*s\" and no \"*\"",
						  EB_SHOWN(name), EB_SHOWN(walk->schedule->key));
	}
}

/* Periods the map has and the schedule lacks; a named value may serve several schedules. */
static void
check_surplus(const PeriodWalk *walk, const EbPath *path, const EbNode *map)
{
	EB_EACH(entry, map)
	{
		EbPath below = eb_path_key(path, entry->key);

		if (!eb_text_is(entry->key, "*") && !eb_period_known(walk->schedule, entry->key))
			eb_lint_error(walk->lint, &below, "schedule \"%.*s\" has no period \"%.*s\"",
						  EB_SHOWN(walk->schedule->key), EB_SHOWN(entry->key));
	}
}

static void
walk_periods(PeriodWalk *walk, const EbPath *path, const EbNode *price, bool named)
{
	const EbNode *map = eb_node_get(price, "period");
	EbPath map_path = eb_path_name(path, "period");
	int index = eb_value_index(walk->root, eb_node_text(eb_node_get(price, "ref")));

	if (!eb_node_is(price, EB_NODE_OBJECT) || path->depth > EB_MAX_DEPTH)
		return;
	if (map != NULL)
	{
		int64_t rules = walk->lint != NULL ? eb_node_count(walk->schedule) : 0;

		walk->reads = true;
		if (walk->lint != NULL &&
			may_visit(walk->lint, &map_path, rules * (rules + eb_node_count(map))))
		{
			if (!named)
				check_surplus(walk, &map_path, map);
			check_lacking(walk, &map_path, map);
		}
	}
	if (index != EB_NONE && ((walk->visited[index / 64] >> index % 64) & 1) == 0)
	{
		const EbNode *value = value_at(walk->root, index);
		EbPath none = {NULL, {NULL, 0}, 0, 0};
		EbPath values = eb_path_name(walk->lint != NULL ? walk->lint->top : &none, "values");
		EbPath below = eb_path_key(&values, value->key);

		walk->visited[index / 64] |= UINT64_C(1) << index % 64;
		walk_periods(walk, &below, value, true);
	}
	EB_EACH(form, price)
	{
		EbPath form_path = eb_path_key(path, form->key);
		int n = 0;

		EB_EACH(part, form)
		{
			EbPath below = form->kind == EB_NODE_ARRAY ? eb_path_index(&form_path, n++)
													   : eb_path_key(&form_path, part->key);

			walk_periods(walk, &below, part, named);
		}
	}
}

bool
eb_price_reads_period(const EbNode *root, const EbNode *price)
{
	PeriodWalk walk = {.root = root};
	EbPath path = {NULL, {NULL, 0}, 0, 0};

	walk_periods(&walk, &path, price, true);
	return walk.reads;
}

void
eb_lint_price_periods(EbLint *lint, const EbPath *path, const EbNode *price, const EbNode *schedule,
					  const EbNode *filter)
{
	PeriodWalk walk = {.lint = lint, .root = lint->root, .schedule = schedule, .filter = filter};

	walk_periods(&walk, path, price, false);
}
