/*
 * tariff_lint_use.c -- the check of a tariff: keys that are there and that nothing would read
 * In:  components and their tiers, whose types the walk has looked at; keys of other kinds are
 *      refused in tariff_lint_component.c, by the grammar.
 * Out: errors for keys that another key of the same component puts out of use, for somebody meant
 *      something by them; warnings for those that change nothing as the rest stands; notes.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "rating/tariff_lint.h"

static bool
is_word(const EbNode *object, const char *key, const char *words)
{
	EbText text = eb_text_of(object, key);

	return text.len > 0 && eb_text_in(text, words);
}

/* Warns that a key which is there is not used, and why. */
static void
warn_unused(EbLint *lint, const EbPath *path, const EbNode *object, const char *key,
			const char *why)
{
	EbPath below = eb_path_name(path, key);

	if (eb_node_get(object, key) != NULL)
		eb_lint_warning(lint, &below, "is not used: %s", why);
}

static void
refuse_unused(EbLint *lint, const EbPath *path, const EbNode *object, const char *key,
			  const char *why)
{
	EbPath below = eb_path_name(path, key);

	if (eb_node_get(object, key) != NULL)
		eb_lint_error(lint, &below, "is not used: %s", why);
}

/* ---------------------------------------------------------------- components */

/* What is due for each day or month counts those, whatever else it says of days. */
static void
lint_times(EbLint *lint, const EbPath *path, const EbNode *component)
{
	bool prorated = is_word(component, "prorate", "days months");
	bool counted =
		is_word(component, "per", "day month") || is_word(component, "quantity", "days months");

	if (prorated &&
		(is_word(component, "per", "day") || is_word(component, "quantity", "days months")))
		warn_unused(lint, path, component, "prorate", "days or months are counted already");
	if ((prorated || counted) && eb_node_first(eb_node_get(component, "each")) != NULL)
		refuse_unused(lint, path, component, "each", "items are not counted by days or months");
	if ((is_word(component, "quantity", "days") && is_word(component, "per", "month")) ||
		(is_word(component, "quantity", "months") && is_word(component, "per", "day")))
		warn_unused(lint, path, component, "per", "the quantity says what is counted");
	if (prorated && is_word(component, "kind", "capacity"))
		refuse_unused(lint, path, component, "tier", "what is prorated has one price");
}

/* A minimum or maximum with tax is held against the bill as it stands, and bears no tax. */
static void
lint_incl(EbLint *lint, const EbPath *path, const EbNode *component)
{
	EbPath incl = eb_path_name(path, "amount_incl");

	if (eb_node_get(component, "amount_incl") == NULL)
		return;
	refuse_unused(lint, path, component, "vat", "\"amount_incl\" is with tax");
	refuse_unused(lint, path, component, "factor_if", "\"amount_incl\" has no factor");
	if (eb_node_get(component, "amount") == NULL)
		refuse_unused(lint, path, component, "round", "\"amount_incl\" is not rounded");
	if (is_word(component, "scope", "year"))
		eb_lint_error(lint, &incl, "a yearly minimum or maximum has no amount with tax");
}

/* Net modes that keep no account look at no component. */
static void
lint_offset(EbLint *lint, const EbPath *path, const EbNode *component)
{
	const EbNode *net = eb_node_get(lint->root, "net");
	EbPath below = eb_path_name(path, "offset");
	EbText mode = eb_text_of(net, "mode");
	bool offset = !eb_node_is(eb_node_get(component, "offset"), EB_NODE_FALSE);

	if (mode.len == 0 || eb_text_in(mode, "none billing buy_all_sell_all"))
		warn_unused(lint, path, component, "offset", "\"net\" keeps no account");
	else if (offset && eb_text_in(mode, "rollover_kwh offset_kwh") &&
			 is_word(component, "kind", "credit"))
		eb_lint_warning(lint, &below, "the net mode leaves no export to a credit that takes part");
}

void
eb_lint_use(EbLint *lint, const EbPath *path, const EbNode *component, bool reads_period)
{
	const EbKindWord *kind = eb_kind_find(eb_text_of(component, "kind"));

	if (kind == NULL)
		return; /* reported */
	if (!reads_period && eb_node_get(component, "period") == NULL &&
		!is_word(eb_node_get(component, "tier"), "order", "per_period"))
		warn_unused(lint, path, component, "schedule", "no price reads a period");
	lint_times(lint, path, component);
	lint_incl(lint, path, component);
	if (kind->value < EB_KIND_SESSION_FLAT)
		lint_offset(lint, path, component);
	else
		eb_lint_note(lint, path, "kind \"%s\" prices sessions: it gives no line in a bill",
					 kind->name);
}

/* ---------------------------------------------------------------- steps */

/* Prices, factor and flat of a step stand in those inside it. */
static bool
lint_steps(EbLint *lint, const EbPath *path, const EbNode *list)
{
	static const char *const own[] = {"price", "factor", "flat"};
	bool flat = false;
	int n = 0;

	EB_EACH(step, list)
	{
		const EbNode *inside = eb_node_get(step, "steps");
		EbPath here = eb_path_index(path, n++);

		for (int i = 0; i < 3 && inside != NULL; i++)
			warn_unused(lint, &here, step, own[i], "the steps inside have theirs");
		if (inside != NULL)
			EB_EACH(below, inside)
				flat = flat || eb_node_get(below, "flat") != NULL;
		else
			flat = flat || eb_node_get(step, "flat") != NULL;
	}
	return flat;
}

static bool
has_step_unit(const EbNode *list, const char *words)
{
	EB_EACH(step, list)
		if (is_word(step, "unit", words) || has_step_unit(eb_node_get(step, "steps"), words))
			return true;
	return false;
}

/* ---------------------------------------------------------------- scopes */

/* A day has no months, an interval not even days. */
static void
lint_short_scope(EbLint *lint, const EbPath *path, const EbNode *tier, bool interval)
{
	EbPath prorate = eb_path_name(path, "prorate");
	EbPath allowance = eb_path_name(path, "allowance");
	EbPath steps = eb_path_name(path, "steps");
	const EbNode *list = eb_node_get(tier, "steps");
	bool daily = has_step_unit(list, "kwh_per_day kwh_per_kw_day");
	bool prorated = is_word(tier, "prorate", "days");
	int n = 0;

	if (is_word(tier, "prorate", "months"))
		eb_lint_error(lint, &prorate, "a tier per day or interval does not count by months");
	if (interval && prorated)
		eb_lint_error(lint, &prorate, "a tier per interval does not count by days");
	if (interval && daily)
		eb_lint_error(lint, &steps, "a tier per interval does not count by days");
	EB_EACH(one, eb_node_get(tier, "allowance"))
	{
		EbPath here = eb_path_index(&allowance, n++);

		if (!is_word(one, "per", "scope") && (!prorated || daily))
			eb_lint_error(lint, &here,
						  "a tier per day or interval does not count by months: \"per\" \"scope\"");
	}
}

/* What a session counts is the session alone. */
static void
lint_session_scope(EbLint *lint, const EbPath *path, const EbNode *tier)
{
	const EbNode *list = eb_node_get(tier, "steps");
	EbPath steps = eb_path_name(path, "steps");
	bool nested = false;

	EB_EACH(step, list)
		nested = nested || eb_node_get(step, "steps") != NULL;
	if (is_word(tier, "prorate", "days months"))
		refuse_unused(lint, path, tier, "prorate", "a session has no days or months");
	if (eb_node_first(eb_node_get(tier, "allowance")) != NULL)
		refuse_unused(lint, path, tier, "allowance", "it is for bills");
	refuse_unused(lint, path, tier, "by", "a session counts what is priced");
	if (nested)
		eb_lint_error(lint, &steps, "a session has no steps inside of steps");
	if (has_step_unit(list, "kwh_per_day kwh_per_kw kwh_per_kw_day kwh_per_kva pct_contract"))
		eb_lint_error(lint, &steps, "a session has no contract and no days: the unit is for bills");
}

/* Kinds that have no periods, or that count by something else */
static void
lint_kind_scope(EbLint *lint, const EbPath *path, const EbNode *tier, const EbKindWord *kind)
{
	EbPath order = eb_path_name(path, "order");
	EbPath scope = eb_path_name(path, "scope");
	bool metered = kind->value <= EB_KIND_CREDIT;
	bool session = kind->value >= EB_KIND_SESSION_FLAT;

	if (!metered && !session && is_word(tier, "order", "time"))
		eb_lint_error(lint, &order, "kind \"%s\" has no periods and no time", kind->name);
	if (!metered && !session && is_word(tier, "order", "per_period"))
		eb_lint_warning(lint, &order, "is not used: kind \"%s\" has no periods", kind->name);
	if (!metered && !session && is_word(tier, "scope", "interval"))
		eb_lint_error(lint, &scope, "kind \"%s\" has no intervals", kind->name);
	if (kind->value != EB_KIND_ENERGY && !session && is_word(tier, "scope", "session"))
		eb_lint_error(lint, &scope, "kind \"%s\" is not of sessions", kind->name);
	if (kind->value == EB_KIND_DEMAND && is_word(tier, "scope", "day month quarter year"))
		eb_lint_error(lint, &scope, "is not used: \"per\" of the demand says how often it is due");
	if (session && !is_word(tier, "scope", "session"))
		eb_lint_error(lint, path, "kind \"%s\" needs the scope \"session\"", kind->name);
}

void
eb_lint_tier_use(EbLint *lint, const EbPath *path, const EbNode *tier, const EbNode *component)
{
	const EbKindWord *kind = eb_kind_find(eb_text_of(component, "kind"));
	EbPath steps = eb_path_name(path, "steps");
	bool flat = lint_steps(lint, &steps, eb_node_get(tier, "steps"));

	if (kind == NULL)
		return; /* reported */
	if (!is_word(tier, "prorate", "days"))
		warn_unused(lint, path, tier, "nominal_days", "\"prorate\" is not \"days\"");
	if (!flat)
		warn_unused(lint, path, tier, "flat_at_zero", "no step has a \"flat\"");
	if (is_word(tier, "scope", "interval day session"))
		warn_unused(lint, path, tier, "split", "the scope is not cut");
	lint_kind_scope(lint, path, tier, kind);
	if (is_word(tier, "scope", "interval day"))
		lint_short_scope(lint, path, tier, is_word(tier, "scope", "interval"));
	if (is_word(tier, "scope", "session"))
		lint_session_scope(lint, path, tier);
}
