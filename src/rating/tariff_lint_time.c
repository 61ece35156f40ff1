/*
 * tariff_lint_time.c -- the check of a tariff: calendar, seasons, and the names in schedules
 * In:  a node tree; whether rules cover every minute is in tariff_lint_cover.c.
 * Out: findings.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "base/civil.h"
#include "rating/tariff_lint.h"

/* ---------------------------------------------------------------- calendar */

#define NAMED_TAGS (EB_MAX_TAGS - EB_TAG_NAMED)

static void
lint_weekend(EbLint *lint, const EbPath *path, const EbNode *weekend)
{
	unsigned seen = 0;
	int n = 0;

	EB_EACH(day, weekend)
	{
		EbPath below = eb_path_index(path, n++);
		const EbWord *word = eb_word_find(eb_day_word, eb_node_text(day));

		if (word == NULL)
			continue;
		if (word->value > EB_TAG_SUN)
			eb_lint_error(lint, &below, "\"%s\" is not a day of the week", word->name);
		else if ((seen >> word->value) & 1)
			eb_lint_error(lint, &below, "\"%s\" is given twice", word->name);
		seen |= 1u << word->value;
	}
}

static void
lint_day_tags(EbLint *lint, const EbPath *path, const EbNode *tags)
{
	int n = 0;

	EB_EACH(tag, tags)
	{
		EbPath below = eb_path_index(path, n++);
		EbText name = eb_node_text(tag);

		if (eb_word_find(eb_day_word, name) != NULL)
			eb_lint_error(lint, &below, "\"%.*s\" follows from the date and is not given",
						  EB_SHOWN(name));
		for (const EbNode *other = tags->child; other != tag; other = other->next)
			if (eb_text_equal(eb_node_text(other), name))
				eb_lint_error(lint, &below, "\"%.*s\" is given twice", EB_SHOWN(name));
	}
}

/* Adds the named tags of a list that are not there yet; n stops at NAMED_TAGS + 1. */
static void
collect_tags(const EbNode *list, EbText name[NAMED_TAGS + 1], int *n)
{
	EB_EACH(tag, list)
	{
		EbText text = eb_node_text(tag);
		int i = 0;

		if (eb_word_find(eb_day_word, text) != NULL || eb_word_find(eb_mark_word, text) != NULL)
			continue;
		while (i < *n && !eb_text_equal(name[i], text))
			i++;
		if (i == *n && *n <= NAMED_TAGS)
			name[(*n)++] = text;
	}
}

static void
lint_tag_count(EbLint *lint, const EbPath *path, const EbNode *days)
{
	EbText name[NAMED_TAGS + 1];
	int n = 0;

	EB_EACH(day, days)
		collect_tags(day, name, &n);
	EB_EACH(schedule, eb_node_get(lint->root, "schedules"))
		EB_EACH(rule, schedule)
		{
			collect_tags(eb_node_get(rule, "days"), name, &n);
			collect_tags(eb_node_get(rule, "not_days"), name, &n);
		}
	EB_EACH(component, eb_node_get(lint->root, "components"))
	{
		const EbNode *when = eb_node_get(component, "when");

		collect_tags(eb_node_get(when, "days"), name, &n);
		collect_tags(eb_node_get(when, "not_days"), name, &n);
		EB_EACH(factor, eb_node_get(component, "factor_if"))
		{
			collect_tags(eb_node_get(eb_node_get(factor, "if"), "days"), name, &n);
			collect_tags(eb_node_get(eb_node_get(factor, "if"), "not_days"), name, &n);
		}
	}
	if (n > NAMED_TAGS)
		eb_lint_error(lint, path, "there are more than %d tags besides the known ones", NAMED_TAGS);
}

static void
lint_calendar(EbLint *lint, const EbPath *path)
{
	const EbNode *calendar = eb_node_get(lint->root, "calendar");
	EbPath here = eb_path_name(path, "calendar");
	EbPath weekend = eb_path_name(&here, "weekend");
	EbPath days = eb_path_name(&here, "days");

	if (eb_node_is(calendar, EB_NODE_TEXT))
		eb_lint_note(lint, &here, "the days of calendar \"%.*s\" are filled in by tariff_for()",
					 EB_SHOWN(calendar->text));
	lint_weekend(lint, &weekend, eb_node_get(calendar, "weekend"));
	EB_EACH(day, eb_node_get(calendar, "days"))
	{
		EbPath below = eb_path_key(&days, day->key);

		lint_day_tags(lint, &below, day);
	}
	lint_tag_count(lint, &here, eb_node_get(calendar, "days"));
}

/* ---------------------------------------------------------------- seasons */

int
eb_leap_day(EbText month_day)
{
	int month;
	int day;

	if (!eb_parse_month_day(month_day, &month, &day))
		return -1;
	return eb_day_from_date(2000, month, day) - eb_day_from_date(2000, 1, 1);
}

/* Marks [from, to) of the year with the season; false when a day has another one already. */
static bool
mark_season(int8_t season[EB_LEAP_DAYS], int from, int to, int number)
{
	bool free = true;
	int day = from;

	if (from < 0 || to < 0)
		return true;
	do
	{
		if (season[day] != 0)
			free = false;
		else
			season[day] = (int8_t) number;
		day = (day + 1) % EB_LEAP_DAYS;
	} while (day != to);
	return free;
}

bool
eb_season_days(const EbNode *root, int8_t season[EB_LEAP_DAYS], EbText *second)
{
	bool apart = true;
	int number = 0;

	memset(season, 0, EB_LEAP_DAYS);
	EB_EACH(ranges, eb_node_get(root, "seasons"))
	{
		number++;
		EB_EACH(range, ranges)
		{
			const EbNode *from = eb_node_first(range);
			const EbNode *to = from != NULL ? from->next : NULL;

			if (number <= EB_MAX_SEASONS &&
				!mark_season(season, eb_leap_day(eb_node_text(from)), eb_leap_day(eb_node_text(to)),
							 number) &&
				apart)
			{
				apart = false;
				*second = ranges->key;
			}
		}
	}
	return apart;
}

static void
lint_season_ranges(EbLint *lint, const EbPath *path)
{
	const EbNode *seasons = eb_node_get(lint->root, "seasons");
	EbPath here = eb_path_name(path, "seasons");
	int8_t season[EB_LEAP_DAYS];
	EbText second = {"", 0};

	EB_EACH(ranges, seasons)
	{
		EbPath below = eb_path_key(&here, ranges->key);
		int n = 0;

		if (eb_text_is(ranges->key, "*"))
			eb_lint_error(lint, &below, "\"*\" is the season of all other dates and is not given");
		EB_EACH(range, ranges)
		{
			EbPath range_path = eb_path_index(&below, n++);
			int from = eb_leap_day(eb_node_text(eb_node_first(range)));

			if (from >= 0 && eb_node_count(range) == 2 &&
				from == eb_leap_day(eb_node_text(range->child->next)))
				eb_lint_error(lint, &range_path, "the range has no day");
		}
	}
	if (!eb_season_days(lint->root, season, &second))
		eb_lint_error(lint, &here, "season \"%.*s\" and another one share a day", EB_SHOWN(second));
}

bool
eb_season_known(const EbNode *root, EbText name)
{
	EB_EACH(ranges, eb_node_get(root, "seasons"))
		if (eb_text_equal(ranges->key, name))
			return true;
	return eb_text_is(name, "*");
}

void
eb_lint_seasons(EbLint *lint, const EbPath *path, const EbNode *names)
{
	int n = 0;

	EB_EACH(name, names)
	{
		EbPath below = eb_path_index(path, n++);
		EbText text = eb_node_text(name);

		if (name->kind == EB_NODE_TEXT && !eb_season_known(lint->root, text))
			eb_lint_error(lint, &below, "there is no season \"%.*s\"", EB_SHOWN(text));
	}
}

/* ---------------------------------------------------------------- rules */

bool
eb_period_known(const EbNode *schedule, EbText name)
{
	EB_EACH(rule, schedule)
		if (eb_text_equal(eb_node_text(eb_node_get(rule, "period")), name))
			return true;
	return false;
}

/* Does a day of the calendar have the tag? There may be many days, so they are read once. */
static bool
calendar_has(EbLint *lint, EbText name)
{
	if (lint->tags_of != lint->root)
	{
		lint->tags_of = lint->root;
		lint->ntags = 0;
		EB_EACH(day, eb_node_get(eb_node_get(lint->root, "calendar"), "days"))
			collect_tags(day, lint->tag, &lint->ntags);
	}
	for (int i = 0; i < lint->ntags; i++)
		if (eb_text_equal(lint->tag[i], name))
			return true;
	return lint->ntags > NAMED_TAGS; /* too many, which is reported: not all of them are there */
}

/* A tag that this tariff invents should be on some day of its calendar. */
void
eb_lint_tags(EbLint *lint, const EbPath *path, const EbNode *tags)
{
	const EbNode *days = eb_node_get(eb_node_get(lint->root, "calendar"), "days");
	int n = 0;

	EB_EACH(tag, tags)
	{
		EbPath below = eb_path_index(path, n++);
		EbText name = eb_node_text(tag);
		bool known = eb_node_first(days) == NULL || eb_word_find(eb_day_word, name) != NULL ||
					 eb_word_find(eb_mark_word, name) != NULL;

		if (tag->kind == EB_NODE_TEXT && !known && !calendar_has(lint, name))
			eb_lint_warning(lint, &below, "no day of the calendar has the tag \"%.*s\"",
							EB_SHOWN(name));
	}
}

void
eb_lint_months(EbLint *lint, const EbPath *path, const EbNode *months)
{
	unsigned seen = 0;
	int n = 0;

	EB_EACH(item, months)
	{
		EbPath below = eb_path_index(path, n++);
		int month = eb_node_int(item, 0);

		if (month < 1 || month > 12)
			continue;
		if ((seen >> month) & 1)
			eb_lint_error(lint, &below, "month %d is given twice", month);
		seen |= 1u << month;
	}
}

void
eb_lint_span(EbLint *lint, const EbPath *path, const EbNode *span)
{
	int from;

	if (eb_node_count(span) == 2 && eb_parse_minute(eb_node_text(span->child), &from) &&
		from == EB_DAY_MINUTES)
		eb_lint_error(lint, path, "a span cannot begin at 24:00");
}

/* Only what follows midnight can belong to the day before. */
static void
lint_anchor(EbLint *lint, const EbPath *path, const EbNode *rule)
{
	EbPath anchor = eb_path_name(path, "anchor");
	bool wraps = false;

	EB_EACH(span, eb_node_get(rule, "spans"))
	{
		int from;
		int to;

		wraps = wraps || eb_node_count(span) != 2 ||
				!eb_parse_minute(eb_node_text(span->child), &from) ||
				!eb_parse_minute(eb_node_text(span->child->next), &to) || (to <= from && to > 0);
	}
	if (!wraps && eb_text_is(eb_node_text(eb_node_get(rule, "anchor")), "start"))
		eb_lint_warning(lint, &anchor, "is not used: no span goes on after midnight");
}

void
eb_lint_rule(EbLint *lint, const EbPath *path, const EbNode *rule)
{
	EbPath months = eb_path_name(path, "months");
	EbPath season = eb_path_name(path, "season");
	EbPath days = eb_path_name(path, "days");
	EbPath not_days = eb_path_name(path, "not_days");
	EbPath event = eb_path_name(path, "event");
	EbText name = eb_node_text(eb_node_get(rule, "event"));

	if (eb_text_is(eb_node_text(eb_node_get(rule, "period")), "*"))
		eb_lint_error(lint, path, "a period cannot be named \"*\"");
	eb_lint_months(lint, &months, eb_node_get(rule, "months"));
	eb_lint_seasons(lint, &season, eb_node_get(rule, "season"));
	eb_lint_tags(lint, &days, eb_node_get(rule, "days"));
	eb_lint_tags(lint, &not_days, eb_node_get(rule, "not_days"));
	lint_anchor(lint, path, rule);
	if (name.len > 0 && eb_node_member(eb_node_get(lint->root, "events"), name) == NULL)
		eb_lint_error(lint, &event, "there is no event \"%.*s\"", EB_SHOWN(name));
}

/* ---------------------------------------------------------------- all of it */

static void
lint_slots(EbLint *lint, const EbPath *path, const EbNode *schedules)
{
	int slots = 0;

	EB_EACH(schedule, schedules)
	{
		EbPath below = eb_path_key(path, schedule->key);
		int spans = 0;

		EB_EACH(rule, schedule)
		{
			bool first = true;

			for (const EbNode *other = schedule->child; other != rule && first; other = other->next)
				first = !eb_text_equal(eb_node_text(eb_node_get(other, "period")),
									   eb_node_text(eb_node_get(rule, "period")));
			slots += first ? 1 : 0;
			spans += eb_node_count(eb_node_get(rule, "spans"));
		}
		if (spans > EB_MAX_SCHEDULE_SPANS)
			eb_lint_error(lint, &below, "has %d spans, at most %d are allowed", spans,
						  EB_MAX_SCHEDULE_SPANS);
	}
	if (slots > EB_MAX_SLOTS)
		eb_lint_error(lint, path, "have %d periods together, at most %d are allowed", slots,
					  EB_MAX_SLOTS);
}

void
eb_lint_time(EbLint *lint, const EbPath *path)
{
	const EbNode *schedules = eb_node_get(lint->root, "schedules");
	EbPath here = eb_path_name(path, "schedules");
	int nerrors = lint->nerrors;

	lint_calendar(lint, path);
	lint_season_ranges(lint, path);
	lint_slots(lint, &here, schedules);
	lint->ntime_errors += lint->nerrors - nerrors;
	if (lint->ntime_errors > 0)
		return; /* minutes are counted once what names them is sound */
	EB_EACH(schedule, schedules)
	{
		EbPath below = eb_path_key(&here, schedule->key);

		eb_lint_cover(lint, &below, schedule);
	}
}
