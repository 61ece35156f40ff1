/*
 * tariff_lint_component.c -- the check of a tariff: components and what they refer to
 * In:  the list of components, names of schedules and demands, sizes of named values.
 * Out: findings.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/tariff_lint.h"
#include "rating/tariff_text.h"

/* A component in hand of the checks */
typedef struct Component
{
	EbLint *lint;
	const EbPath *path;
	const EbNode *node;
	const EbKindWord *kind; /* NULL: unknown */
} Component;

static bool
has(const Component *component, const char *key)
{
	return eb_node_get(component->node, key) != NULL;
}

static bool
kind_is(const Component *component, const char *name)
{
	return component->kind != NULL && strcmp(component->kind->name, name) == 0;
}

/* ---------------------------------------------------------------- names and kinds */

static void
lint_names(const Component *component)
{
	EbPath code = eb_path_name(component->path, "code");
	EbText name = eb_text_of(component->node, "code");
	const EbNode *first = eb_node_first(eb_node_get(component->lint->root, "components"));

	if (eb_text_is(name, "*") || eb_text_is(eb_text_of(component->node, "group"), "*"))
		eb_lint_error(component->lint, component->path,
					  "\"*\" stands for all components and cannot be a code or group");
	for (const EbNode *other = first; other != component->node && name.len > 0; other = other->next)
		if (eb_text_equal(eb_text_of(other, "code"), name))
		{
			eb_lint_error(component->lint, &code, "another component has the code \"%.*s\"",
						  EB_SHOWN(name));
			return;
		}
}

/* Version 0.1.0 took these for every kind when they were the default, which says nothing. */
static bool
was_taken(const Component *component, const EbField *field, const EbNode *value)
{
	return (eb_text_is(value->key, "lane") || eb_text_is(value->key, "each")) &&
		   eb_field_is_initial(field, value, component->node, component->lint->root);
}

static void
lint_kind(const Component *component)
{
	EbPath path = eb_path_name(component->path, "kind");
	EbText name = eb_text_of(component->node, "kind");

	if (component->kind == NULL)
	{
		if (name.len > 0)
			eb_lint_error(component->lint, &path, "\"%.*s\" is not a kind of component",
						  EB_SHOWN(name));
		return;
	}
	EB_EACH(member, component->node)
	{
		const EbField *field = eb_field_find(&eb_component_type, member->key);
		EbPath below = eb_path_key(component->path, member->key);

		if (field == NULL || field->kinds == 0 ||
			((field->kinds >> (component->kind - eb_kind_word)) & 1) != 0)
			continue;
		if (was_taken(component, field, member))
			eb_lint_warning(component->lint, &below, "is not used by kind \"%s\"",
							component->kind->name);
		else
			eb_lint_error(component->lint, &below, "is not used by kind \"%s\"",
						  component->kind->name);
	}
}

static void
lint_needed(const Component *component)
{
	const char *needed = NULL;

	if (component->kind == NULL)
		return;
	if (kind_is(component, "percent"))
		needed = "percent";
	else if (kind_is(component, "power_factor"))
		needed = has(component, "linear") ? NULL : "table";
	else if (kind_is(component, "minimum") || kind_is(component, "maximum"))
		needed = has(component, "amount_incl") ? NULL : "amount";
	else if (!has(component, "tier"))
		needed = "price";
	if (needed != NULL && !has(component, needed))
		eb_lint_error(component->lint, component->path, "\"%s\" is missing", needed);
	if (kind_is(component, "custom") && !has(component, "quantity"))
		eb_lint_error(component->lint, component->path, "\"quantity\" is missing");
	if (kind_is(component, "demand") && !has(component, "demand"))
		eb_lint_error(component->lint, component->path, "\"demand\" is missing");
	if (has(component, "table") && has(component, "linear"))
		eb_lint_error(component->lint, component->path,
					  "must not have both \"table\" and \"linear\"");
}

/* Metered kinds have periods, so their quantity is one that intervals have. */
static void
lint_quantity(const Component *component)
{
	EbPath path = eb_path_name(component->path, "quantity");
	EbText name = eb_text_of(component->node, "quantity");
	const char *unit = NULL;

	if (kind_is(component, "energy") || kind_is(component, "credit"))
		unit = "_kwh";
	else if (kind_is(component, "reactive"))
		unit = "_kvarh";
	if (unit == NULL || name.len == 0 || eb_word_find(eb_quantity_word, name) == NULL)
	{
		if (unit != NULL && name.len > 0)
			eb_lint_error(component->lint, &path, "\"%.*s\" is not metered: use kind \"custom\"",
						  EB_SHOWN(name));
		return;
	}
	if ((size_t) name.len < strlen(unit) ||
		memcmp(name.data + name.len - strlen(unit), unit, strlen(unit)) != 0)
		eb_lint_error(component->lint, &path, "\"%.*s\" does not fit kind \"%s\"", EB_SHOWN(name),
					  component->kind->name);
}

static void
lint_per(const Component *component)
{
	EbPath path = eb_path_name(component->path, "per");
	EbText name = eb_text_of(component->node, "per");

	if (component->kind != NULL && component->kind->units != NULL &&
		eb_word_find(eb_per_word, name) != NULL && !eb_text_in(name, component->kind->units))
		eb_lint_error(component->lint, &path, "\"%.*s\" does not fit kind \"%s\"", EB_SHOWN(name),
					  component->kind->name);
}

static void
lint_demand_name(const Component *component)
{
	EbPath path = eb_path_name(component->path, "demand");
	EbText name = eb_text_of(component->node, "demand");

	if (name.len > 0 && eb_node_member(eb_node_get(component->lint->root, "demands"), name) == NULL)
		eb_lint_error(component->lint, &path, "there is no demand \"%.*s\"", EB_SHOWN(name));
}

/* What a session is at each moment is not known for a bill. */
static void
lint_session_keys(const Component *component, const EbPath *path, const EbNode *condition)
{
	static const char *const key[] = {"time", "kwh", "kw", "amp", "seconds", "reservation"};

	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++)
	{
		EbPath below = eb_path_name(path, key[i]);

		if (eb_node_get(condition, key[i]) != NULL)
			eb_lint_error(component->lint, &below, "belongs to components of charging sessions");
	}
}

static void
lint_conditions(const Component *component)
{
	EbPath when = eb_path_name(component->path, "when");
	EbPath list = eb_path_name(component->path, "factor_if");
	int n = 0;

	if (component->kind == NULL || component->kind->value >= EB_KIND_SESSION_FLAT ||
		component->kind->value == EB_KIND_ENERGY)
		return;
	lint_session_keys(component, &when, eb_node_get(component->node, "when"));
	EB_EACH(factor, eb_node_get(component->node, "factor_if"))
	{
		EbPath here = eb_path_index(&list, n++);
		EbPath below = eb_path_name(&here, "if");

		lint_session_keys(component, &below, eb_node_get(factor, "if"));
	}
}

/* The first of a lane that holds prices, so one that always holds ends it for its kind. */
static void
lint_lane(const Component *component)
{
	const EbNode *first = eb_node_first(eb_node_get(component->lint->root, "components"));
	EbPath path = eb_path_name(component->path, "lane");
	EbText lane = eb_text_of(component->node, "lane");

	for (const EbNode *other = first; other != component->node && lane.len > 0; other = other->next)
		if (eb_text_equal(eb_text_of(other, "lane"), lane) &&
			eb_text_equal(eb_text_of(other, "kind"), eb_text_of(component->node, "kind")) &&
			eb_node_first(eb_node_get(other, "when")) == NULL &&
			eb_node_get(other, "valid") == NULL && eb_node_get(other, "period") == NULL)
		{
			eb_lint_warning(component->lint, &path,
							"never applies: component \"%.*s\" of the lane comes first",
							EB_SHOWN(eb_text_of(other, "code")));
			return;
		}
}

/* ---------------------------------------------------------------- schedules and prices */

const EbNode *
eb_schedule_of(const EbNode *root, const EbNode *reader)
{
	const EbNode *schedules = eb_node_get(root, "schedules");
	const EbNode *only = eb_node_first(schedules);
	EbText name = eb_text_of(reader, "schedule");

	if (name.len > 0)
		return eb_node_member(schedules, name);
	return only != NULL && only->next == NULL ? only : NULL;
}

/* What is wrong when eb_schedule_of() finds none but one is needed */
static void
report_schedule(const Component *component, const EbPath *path)
{
	if (eb_node_first(eb_node_get(component->lint->root, "schedules")) == NULL)
		eb_lint_error(component->lint, path, "needs a schedule, the tariff has none");
	else if (!has(component, "schedule"))
		eb_lint_error(component->lint, path, "needs \"schedule\", the tariff has several");
}

static void
lint_schedule(const Component *component)
{
	const EbNode *schedule = eb_schedule_of(component->lint->root, component->node);
	EbPath path = eb_path_name(component->path, "schedule");
	EbPath period = eb_path_name(component->path, "period");
	EbText name = eb_text_of(component->node, "schedule");
	EbText order = eb_text_of(eb_node_get(component->node, "tier"), "order");
	int n = 0;

	if (name.len > 0 && schedule == NULL)
		eb_lint_error(component->lint, &path, "there is no schedule \"%.*s\"", EB_SHOWN(name));
	if ((has(component, "period") || eb_text_is(order, "per_period")) && schedule == NULL)
		report_schedule(component, component->path);
	EB_EACH(item, eb_node_get(component->node, "period"))
	{
		EbPath below = eb_path_index(&period, n++);
		EbText text = eb_node_text(item);

		if (schedule != NULL && text.len > 0 && !eb_period_known(schedule, text))
			eb_lint_error(component->lint, &below, "schedule \"%.*s\" has no period \"%.*s\"",
						  EB_SHOWN(schedule->key), EB_SHOWN(text));
	}
}

/* Keys of a step that are prices */
static const char *const step_price[] = {"up_to", "price", "flat"};

/* One price of the component: sound, and with a price for every period it is asked for */
static void
lint_one_price(const Component *component, const EbPath *path, const EbNode *price,
			   EbValueCost cost[EB_MAX_VALUES])
{
	EbLint *lint = component->lint;
	const EbNode *schedule = eb_schedule_of(lint->root, component->node);
	const EbField *field = eb_field_find(&eb_component_type, (EbText){"schedule", 8});

	if (price == NULL || !eb_lint_price_size(lint, path, price, cost) ||
		!eb_price_reads_period(lint->root, price))
		return;
	if (component->kind != NULL && ((field->kinds >> (component->kind - eb_kind_word)) & 1) == 0)
		eb_lint_error(lint, path, "kind \"%s\" has no periods", component->kind->name);
	else if (schedule == NULL)
		report_schedule(component, path);
	else
		eb_lint_price_periods(lint, path, price, schedule, eb_node_get(component->node, "period"));
}

/* Of steps, and of those inside them: one level, what lies deeper is an unknown key. */
static void
lint_step_prices(const Component *component, const EbPath *path, const EbNode *list,
				 EbValueCost cost[EB_MAX_VALUES])
{
	int n = 0;

	EB_EACH(step, list)
	{
		EbPath here = eb_path_index(path, n++);
		EbPath inside = eb_path_name(&here, "steps");

		for (int i = 0; i < 3; i++)
		{
			EbPath below = eb_path_name(&here, step_price[i]);

			lint_one_price(component, &below, eb_node_get(step, step_price[i]), cost);
		}
		if (path->depth < EB_MAX_DEPTH)
			lint_step_prices(component, &inside, eb_node_get(step, "steps"), cost);
	}
}

static void
lint_prices(const Component *component, EbValueCost cost[EB_MAX_VALUES])
{
	static const char *const key[] = {"price", "percent", "amount", "amount_incl"};
	EbPath tier = eb_path_name(component->path, "tier");
	EbPath steps = eb_path_name(&tier, "steps");

	for (int i = 0; i < 4; i++)
	{
		EbPath below = eb_path_name(component->path, key[i]);

		lint_one_price(component, &below, eb_node_get(component->node, key[i]), cost);
	}
	lint_step_prices(component, &steps, eb_node_get(eb_node_get(component->node, "tier"), "steps"),
					 cost);
}

/* Does a price of it hang on the period? All of them can be followed. */
static bool
reads_period(const Component *component)
{
	const EbNode *root = component->lint->root;
	bool reads = eb_price_reads_period(root, eb_node_get(component->node, "price"));

	EB_EACH(step, eb_node_get(eb_node_get(component->node, "tier"), "steps"))
		for (int i = 0; i < 3; i++)
		{
			reads = reads || eb_price_reads_period(root, eb_node_get(step, step_price[i]));
			EB_EACH(inside, eb_node_get(step, "steps"))
				reads = reads || eb_price_reads_period(root, eb_node_get(inside, step_price[i]));
		}
	return reads;
}

/* ---------------------------------------------------------------- bases */

static bool
answers_to(const EbNode *component, EbText name)
{
	return eb_text_equal(eb_text_of(component, "code"), name) ||
		   eb_text_equal(eb_group_of(component), name);
}

static void
lint_base_name(const Component *component, const EbPath *path, EbText name)
{
	const EbNode *first = eb_node_first(eb_node_get(component->lint->root, "components"));
	bool before = false;
	bool after = false;
	bool passed = false;

	for (const EbNode *other = first; other != NULL; other = other->next)
	{
		passed = passed || other == component->node;
		if (other != component->node && answers_to(other, name))
		{
			before = before || !passed;
			after = after || passed;
		}
	}
	if (!before && after)
		eb_lint_error(component->lint, path, "\"%.*s\" does not come before this component",
					  EB_SHOWN(name));
	else if (!before)
		eb_lint_error(component->lint, path, "there is no component or group \"%.*s\"",
					  EB_SHOWN(name));
	else if (after)
		eb_lint_warning(component->lint, path, "a later component of \"%.*s\" is not counted",
						EB_SHOWN(name));
}

static void
lint_base(const Component *component)
{
	const EbNode *base = eb_node_get(component->node, "base");
	const EbNode *first = eb_node_first(eb_node_get(component->lint->root, "components"));
	EbPath path = eb_path_name(component->path, "base");
	int n = 0;

	if (first == component->node && base == NULL && component->kind != NULL &&
		eb_field_find(&eb_component_type, (EbText){"base", 4})->kinds >>
				(component->kind - eb_kind_word) &
			1)
		eb_lint_error(component->lint, component->path, "no component comes before this one");
	EB_EACH(item, base)
	{
		EbPath below = eb_path_index(&path, n++);
		EbText name = eb_node_text(item);

		if (eb_text_is(name, "*") && eb_node_count(base) > 1)
			eb_lint_error(component->lint, &below, "\"*\" stands alone");
		else if (eb_text_is(name, "*") && first == component->node)
			eb_lint_error(component->lint, &below, "no component comes before this one");
		else if (name.len > 0 && !eb_text_is(name, "*"))
			lint_base_name(component, &below, name);
	}
}

static bool
same_names(const EbNode *a, const EbNode *b)
{
	const EbNode *x = eb_node_first(a);
	const EbNode *y = eb_node_first(b);

	for (; x != NULL && y != NULL; x = x->next, y = y->next)
		if (!eb_text_equal(eb_node_text(x), eb_node_text(y)))
			return false;
	return x == NULL && y == NULL;
}

/* A maximum below a minimum of the same lines, both by key "amount" or "amount_incl" */
static void
lint_limit(const Component *component, const char *key)
{
	EbPath path = eb_path_name(component->path, key);
	int64_t min_n;
	int64_t max_n;

	if (!kind_is(component, "maximum") || has(component, "when") || has(component, "valid") ||
		eb_node_decimal(eb_node_get(component->node, key), EB_PRICE_SCALE, &max_n) != EB_OK)
		return;
	EB_EACH(other, eb_node_get(component->lint->root, "components"))
		if (eb_text_is(eb_text_of(other, "kind"), "minimum") &&
			eb_node_get(other, "when") == NULL && eb_node_get(other, "valid") == NULL &&
			eb_text_equal(eb_text_of(other, "scope"), eb_text_of(component->node, "scope")) &&
			same_names(eb_node_get(other, "base"), eb_node_get(component->node, "base")) &&
			eb_node_decimal(eb_node_get(other, key), EB_PRICE_SCALE, &min_n) == EB_OK &&
			min_n > max_n)
			eb_lint_error(component->lint, &path, "the maximum is below minimum \"%.*s\"",
						  EB_SHOWN(eb_text_of(other, "code")));
}

void
eb_lint_components(EbLint *lint, const EbPath *path, bool prices_sound,
				   EbValueCost cost[EB_MAX_VALUES])
{
	EbPath list = eb_path_name(path, "components");
	const EbNode *components = eb_node_get(lint->root, "components");
	int n = 0;

	if (eb_node_count(components) > EB_MAX_COMPONENTS)
		return; /* reported */
	EB_EACH(node, components)
	{
		EbPath here = eb_path_index(&list, n++);
		EbPath tier = eb_path_name(&here, "tier");
		Component component = {lint, &here, node, eb_kind_find(eb_text_of(node, "kind"))};

		lint_names(&component);
		lint_kind(&component);
		lint_needed(&component);
		lint_quantity(&component);
		lint_per(&component);
		lint_demand_name(&component);
		lint_conditions(&component);
		lint_lane(&component);
		lint_schedule(&component);
		if (prices_sound)
			lint_prices(&component, cost);
		if (eb_node_get(node, "tier") != NULL)
			eb_lint_tier(lint, &tier, eb_node_get(node, "tier"), node);
		eb_lint_use(lint, &here, node, !prices_sound || reads_period(&component));
		lint_base(&component);
		lint_limit(&component, "amount");
		lint_limit(&component, "amount_incl");
	}
}
