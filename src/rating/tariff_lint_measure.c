/*
 * tariff_lint_measure.c -- the check of a tariff: series, demands, losses, net, power factor
 * In:  nodes whose types the walk has looked at.
 * Out: findings.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "base/civil.h"
#include "rating/tariff_lint.h"
#include "rating/tariff_text.h"

/* ---------------------------------------------------------------- series and events */

/*
 * Instants with their offset and wall clocks are only compared among themselves here; how they lie
 * to each other hangs on the zone (tariff_localize.c).
 */
static bool
instant_of(const EbNode *node, bool *local, int64_t *at_us)
{
	EbText text = eb_node_text(node);

	*local = !eb_parse_instant(text, NULL, at_us);
	return !*local || eb_instant_us(text, at_us);
}

void
eb_lint_points(EbLint *lint, const EbPath *path, const EbNode *points)
{
	int64_t last_us[2] = {INT64_MIN, INT64_MIN};
	int n = 0;

	EB_EACH(point, points)
	{
		EbPath below = eb_path_index(path, n++);
		bool local;
		int64_t at_us;

		if (!instant_of(eb_node_first(point), &local, &at_us))
			continue;
		if (at_us <= last_us[local])
			eb_lint_error(lint, &below, "is not after the point before it");
		last_us[local] = at_us;
	}
}

void
eb_lint_instants(EbLint *lint, const EbPath *path, const EbNode *ranges)
{
	int64_t last_us[2] = {INT64_MIN, INT64_MIN};
	int n = 0;

	EB_EACH(range, ranges)
	{
		EbPath below = eb_path_index(path, n++);
		const EbNode *to = eb_node_count(range) == 2 ? range->child->next : NULL;
		bool local_from;
		bool local_to;
		int64_t from_us;
		int64_t to_us;

		if (to == NULL || !instant_of(range->child, &local_from, &from_us) ||
			!instant_of(to, &local_to, &to_us))
			continue;
		if (local_from == local_to && from_us >= to_us)
			eb_lint_error(lint, &below, "the range ends before it begins");
		else if (from_us < last_us[local_from])
			eb_lint_error(lint, &below, "begins before the range before it ends");
		last_us[local_to] = to_us;
	}
}

/* The rows of a usage have one column of prices. */
void
eb_lint_series(EbLint *lint, const EbPath *path)
{
	EbPath map = eb_path_name(path, "series");
	bool usage = false;

	EB_EACH(series, eb_node_get(lint->root, "series"))
	{
		EbPath here = eb_path_key(&map, series->key);

		if (eb_text_is(eb_node_text(series), "usage"))
		{
			if (usage)
				eb_lint_error(lint, &here, "another series is \"usage\" already");
			usage = true;
		}
		else if (series->kind == EB_NODE_TEXT)
			eb_lint_note(lint, &here, "the points of series \"%.*s\" are filled in by tariff_for()",
						 EB_SHOWN(series->text));
	}
}

/* ---------------------------------------------------------------- demands */

/* Periods a demand names must be in the schedule it reads. */
static void
lint_periods(EbLint *lint, const EbPath *path, const EbNode *names, const EbNode *schedule)
{
	int n = 0;

	EB_EACH(name, names)
	{
		EbPath below = eb_path_index(path, n++);
		EbText text = eb_node_text(name);

		if (schedule == NULL)
			eb_lint_error(lint, &below, "it is not clear which schedule has period \"%.*s\"",
						  EB_SHOWN(text));
		else if (!eb_period_known(schedule, text))
			eb_lint_error(lint, &below, "schedule \"%.*s\" has no period \"%.*s\"",
						  EB_SHOWN(schedule->key), EB_SHOWN(text));
	}
}

/* Windows start at multiples of their length from midnight, so they fill the day. */
static void
lint_window(EbLint *lint, const EbPath *path, const EbNode *demand)
{
	EbPath months = eb_path_name(path, "months");
	int window = eb_node_int(eb_node_get(demand, "window"), 15);
	int slide = eb_node_int(eb_node_get(demand, "slide"), window);
	EbText agg = eb_node_text(eb_node_get(demand, "agg"));

	if (window > 0 && EB_DAY_MINUTES % window != 0)
		eb_lint_error(lint, path, "\"window\" must divide a day of 1440 minutes");
	else if (slide > window)
		eb_lint_error(lint, path, "\"slide\" is above \"window\"");
	else if (slide > 0 && window > 0 && window % slide != 0)
		eb_lint_error(lint, path, "\"slide\" must divide \"window\"");
	if (!eb_text_is(agg, "top_mean") &&
		(eb_node_get(demand, "n") != NULL || eb_node_get(demand, "distinct") != NULL))
		eb_lint_error(lint, path, "\"n\" and \"distinct\" belong to \"top_mean\"");
	eb_lint_months(lint, &months, eb_node_get(demand, "months"));
}

void
eb_lint_demand(EbLint *lint, const EbPath *path, const EbNode *demand)
{
	EbPath schedule = eb_path_name(path, "schedule");
	EbPath period = eb_path_name(path, "period");
	EbPath season = eb_path_name(path, "season");
	EbPath event = eb_path_name(path, "event");
	EbText named = eb_node_text(eb_node_get(demand, "schedule"));
	EbText happens = eb_node_text(eb_node_get(demand, "event"));
	int64_t floor_u;
	int64_t cap_u;

	if (named.len > 0 && eb_node_member(eb_node_get(lint->root, "schedules"), named) == NULL)
		eb_lint_error(lint, &schedule, "there is no schedule \"%.*s\"", EB_SHOWN(named));
	else
		lint_periods(lint, &period, eb_node_get(demand, "period"),
					 eb_schedule_of(lint->root, demand));
	eb_lint_seasons(lint, &season, eb_node_get(demand, "season"));
	if (happens.len > 0 && eb_node_member(eb_node_get(lint->root, "events"), happens) == NULL)
		eb_lint_error(lint, &event, "there is no event \"%.*s\"", EB_SHOWN(happens));
	if (named.len > 0 && eb_node_get(demand, "period") == NULL)
		eb_lint_warning(lint, &schedule, "is not used: all periods count");
	lint_window(lint, path, demand);
	if (eb_node_decimal(eb_node_get(demand, "floor_kw"), EB_ENERGY_SCALE, &floor_u) == EB_OK &&
		eb_node_decimal(eb_node_get(demand, "cap_kw"), EB_ENERGY_SCALE, &cap_u) == EB_OK &&
		floor_u > cap_u)
		eb_lint_error(lint, path, "\"floor_kw\" is above \"cap_kw\"");
}

/* ---------------------------------------------------------------- losses */

/* Keys of each kind: first those it needs, behind "|" those it may have */
static const char *const loss_keys[4][10] = {
	{"percent", "percent", "|", "sign", "cap_pct", NULL},
	{"factor", "factor", "|", NULL},
	{"constant", "kva", "factor", "|", "minus", "hours", "sign", "cap_pct", NULL},
	{"copper", "kva", "load_kw", "|", "minus", "hours", "k", "sign", "cap_pct", NULL},
};

void
eb_lint_loss(EbLint *lint, const EbPath *path, const EbNode *loss)
{
	static const char *const own[] = {"percent", "factor",	"kva",	"minus",   "hours",
									  "k",		 "load_kw", "sign", "cap_pct", NULL};
	EbText kind = eb_node_text(eb_node_get(loss, "kind"));
	const char *const *keys = NULL;
	bool needed = true;
	uint32_t known = 0;

	for (int i = 0; i < 4; i++)
		if (eb_text_is(kind, loss_keys[i][0]))
			keys = loss_keys[i];
	for (int i = 1; keys != NULL && keys[i] != NULL; i++)
	{
		if (needed && keys[i][0] != '|' && eb_node_get(loss, keys[i]) == NULL)
			eb_lint_error(lint, path, "\"%s\" is missing", keys[i]);
		needed = needed && keys[i][0] != '|';
		for (int j = 0; own[j] != NULL; j++)
			known |= strcmp(own[j], keys[i]) == 0 ? 1u << j : 0;
	}
	for (int j = 0; keys != NULL && own[j] != NULL; j++)
	{
		EbPath below = eb_path_name(path, own[j]);

		if ((known >> j & 1) == 0 && eb_node_get(loss, own[j]) != NULL)
			eb_lint_error(lint, &below, "is not used by kind \"%s\"", keys[0]);
	}
	if (eb_node_int(eb_node_get(loss, "sign"), 1) == 0)
		eb_lint_error(lint, path, "\"sign\" must be 1 or -1");
}

/* ---------------------------------------------------------------- net */

/* Keys that say something only to some modes */
static const struct
{
	const char *key;
	const char *modes;
} net_key[] = {
	{"settle_month", "rollover_kwh rollover_money billing_carry offset_kwh"},
	{"settle", "rollover_kwh rollover_money billing_carry offset_kwh"},
	{"expire", "rollover_kwh rollover_money billing_carry offset_kwh"},
	{"true_up_price", "rollover_kwh offset_kwh"},
	{"match", "rollover_kwh"},
	{"same_month", "billing_carry"},
	{"order", "offset_kwh"},
	{"excess", "offset_kwh"},
};

/* Is there a price for what is exported? */
static bool
has_credit(const EbNode *root)
{
	EB_EACH(component, eb_node_get(root, "components"))
		if (eb_text_is(eb_node_text(eb_node_get(component, "kind")), "credit"))
			return true;
	return false;
}

/* A key the mode does not use: version 0.1.0 took defaults, which say nothing, so they are taken. */
static void
lint_net_key(EbLint *lint, const EbPath *path, const EbNode *net, const char *key, EbText mode)
{
	const EbField *field = eb_field_find(&eb_net_type, (EbText){key, (int) strlen(key)});
	const EbNode *value = eb_node_get(net, key);
	EbPath below = eb_path_name(path, key);

	if (value == NULL)
		return;
	if (eb_field_is_initial(field, value, net, lint->root))
		eb_lint_warning(lint, &below, "is not used by mode \"%.*s\"", EB_SHOWN(mode));
	else
		eb_lint_error(lint, &below, "is not used by mode \"%.*s\"", EB_SHOWN(mode));
}

/* What is paid or lost with every bill, or goes on for ever, leaves nothing to settle. */
static void
lint_settlement(EbLint *lint, const EbPath *path, const EbNode *net)
{
	EbText excess = eb_node_text(eb_node_get(net, "excess"));
	bool each_bill = eb_text_in(excess, "pay lost") && excess.len > 0;
	bool expires = eb_node_bool(eb_node_get(net, "expire"), false);
	bool carries = eb_text_is(eb_node_text(eb_node_get(net, "settle")), "carry");
	struct
	{
		const char *key;
		bool unused;
	} use[] = {
		{"expire", each_bill},
		{"settle", each_bill || expires},
		{"settle_month", each_bill || (carries && !expires)},
		{"true_up_price", each_bill ? eb_text_is(excess, "lost") : carries || expires},
	};

	for (size_t i = 0; i < sizeof(use) / sizeof(use[0]); i++)
	{
		EbPath below = eb_path_name(path, use[i].key);

		if (use[i].unused && eb_node_get(net, use[i].key) != NULL)
			eb_lint_warning(lint, &below, "is not used: %s",
							each_bill ? "\"excess\" leaves nothing to settle"
							: expires ? "\"expire\" leaves nothing to pay"
									  : "\"settle\" is \"carry\"");
	}
}

void
eb_lint_net(EbLint *lint, const EbPath *path, const EbNode *net)
{
	EbPath order = eb_path_name(path, "order");
	EbText mode = eb_node_text(eb_node_get(net, "mode"));
	const EbNode *names = eb_node_get(net, "order");
	int n = 0;

	if (mode.len == 0)
		mode = (EbText){"none", 4};
	for (size_t i = 0; i < sizeof(net_key) / sizeof(net_key[0]); i++)
		if (!eb_text_in(mode, net_key[i].modes))
			lint_net_key(lint, path, net, net_key[i].key, mode);
	if (eb_text_in(mode, net_key[0].modes))
		lint_settlement(lint, path, net);
	if ((eb_text_is(mode, "rollover_money") || eb_text_is(mode, "billing") ||
		 eb_text_is(mode, "billing_carry") || eb_text_is(mode, "buy_all_sell_all")) &&
		!has_credit(lint->root))
		eb_lint_warning(lint, path, "no component of kind \"credit\" gives export a price");
	EB_EACH(name, names)
	{
		EbPath below = eb_path_index(&order, n++);
		bool known = false;

		EB_EACH(schedule, eb_node_get(lint->root, "schedules"))
			known = known || eb_period_known(schedule, eb_node_text(name));
		if (!known)
			eb_lint_error(lint, &below, "no schedule has a period \"%.*s\"",
						  EB_SHOWN(eb_node_text(name)));
		for (const EbNode *other = names->child; other != name; other = other->next)
			if (eb_text_equal(eb_node_text(other), eb_node_text(name)))
				eb_lint_error(lint, &below, "\"%.*s\" is given twice", EB_SHOWN(name->text));
	}
}

/* ---------------------------------------------------------------- power factor */

void
eb_lint_pf_rows(EbLint *lint, const EbPath *path, const EbNode *rows)
{
	int64_t before_n = INT64_C(2) * EB_ONE;
	int n = 0;

	EB_EACH(row, rows)
	{
		EbPath below = eb_path_index(path, n++);
		int64_t pf_n;

		if (eb_node_decimal(eb_node_first(row), EB_PRICE_SCALE, &pf_n) != EB_OK)
			continue;
		if (pf_n > EB_ONE)
			eb_lint_error(lint, &below, "a power factor is not above 1");
		else if (pf_n >= before_n)
			eb_lint_error(lint, &below, "is not below the power factor of the row before");
		before_n = pf_n;
	}
}

void
eb_lint_pf_linear(EbLint *lint, const EbPath *path, const EbNode *linear)
{
	int64_t target_n;
	int64_t cap_n;

	if (eb_node_decimal(eb_node_get(linear, "target"), EB_PRICE_SCALE, &target_n) != EB_OK)
		return;
	if (target_n > EB_ONE)
		eb_lint_error(lint, path, "\"target\" is above 1");
	if (eb_node_decimal(eb_node_get(linear, "cap"), EB_PRICE_SCALE, &cap_n) == EB_OK &&
		cap_n < target_n)
		eb_lint_error(lint, path, "\"cap\" is below \"target\"");
}
