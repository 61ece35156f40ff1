/*
 * tariff_lint_later.c -- the check of a tariff: series, demands, losses, net
 * In:  nodes whose types the walk has looked at.
 * Out: findings. This version rates none of these; a tariff for a later one is checked all the same.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "rating/tariff_lint.h"

void
eb_lint_points(EbLint *lint, const EbPath *path, const EbNode *points)
{
	int64_t last_us = INT64_MIN;
	int64_t at_us;
	int n = 0;

	EB_EACH(point, points)
	{
		EbPath below = eb_path_index(path, n++);

		if (!eb_instant_us(eb_node_text(eb_node_first(point)), &at_us))
			continue;
		if (at_us <= last_us)
			eb_lint_error(lint, &below, "is not after the point before it");
		last_us = at_us;
	}
}

/* Periods a demand or net names must be in the schedule it reads. */
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
	if (eb_node_int(eb_node_get(demand, "slide"), 0) >
		eb_node_int(eb_node_get(demand, "window"), 15))
		eb_lint_error(lint, path, "\"slide\" is above \"window\"");
	if (eb_node_decimal(eb_node_get(demand, "floor_kw"), EB_ENERGY_SCALE, &floor_u) == EB_OK &&
		eb_node_decimal(eb_node_get(demand, "cap_kw"), EB_ENERGY_SCALE, &cap_u) == EB_OK &&
		floor_u > cap_u)
		eb_lint_error(lint, path, "\"floor_kw\" is above \"cap_kw\"");
}

void
eb_lint_loss(EbLint *lint, const EbPath *path, const EbNode *loss)
{
	static const char *const needed[4][4] = {
		{"percent", "percent", NULL, NULL},
		{"factor", "factor", NULL, NULL},
		{"constant", "kva", "hours", NULL},
		{"copper", "kva", "hours", "load_kw"},
	};
	EbText kind = eb_node_text(eb_node_get(loss, "kind"));

	for (int i = 0; i < 4; i++)
		for (int j = 1; j < 4 && eb_text_is(kind, needed[i][0]) && needed[i][j] != NULL; j++)
			if (eb_node_get(loss, needed[i][j]) == NULL)
				eb_lint_error(lint, path, "\"%s\" is missing", needed[i][j]);
	if (eb_node_int(eb_node_get(loss, "sign"), 1) == 0)
		eb_lint_error(lint, path, "\"sign\" must be 1 or -1");
}

void
eb_lint_net(EbLint *lint, const EbPath *path, const EbNode *net)
{
	EbPath order = eb_path_name(path, "order");

	lint_periods(lint, &order, eb_node_get(net, "order"), eb_schedule_of(lint->root, NULL));
}
