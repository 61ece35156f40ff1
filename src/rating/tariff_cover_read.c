/*
 * tariff_cover_read.c -- a schedule as the coverage check reads it: rules as bits, tags in groups
 * In:  a schedule whose names and types are sound.
 * Out: EbCover, for tariff_lint_cover.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "base/civil.h"
#include "rating/tariff_cover.h"

static int
find_tag(EbCover *cover, EbText name)
{
	int i = 0;

	while (i < cover->ntags && !eb_text_equal(cover->tag[i].name, name))
		i++;
	if (i == cover->ntags && i < EB_COVER_TAGS)
		cover->tag[cover->ntags++] = (EbCoverTag){.name = name};
	return i < EB_COVER_TAGS ? i : EB_NONE;
}

/* Notes the calendar tags of a list; returns the tags that follow from the date, as bits. */
static uint32_t
read_tags(EbCover *cover, int rule, const EbNode *list, bool negated)
{
	uint32_t bits = 0;

	EB_EACH(item, list)
	{
		const EbWord *word = eb_word_find(eb_day_word, eb_node_text(item));
		int i;

		if (word != NULL)
		{
			bits |= 1u << word->value;
			continue;
		}
		i = find_tag(cover, eb_node_text(item));
		if (i != EB_NONE && negated)
			cover->tag[i].in_not_days[rule / 64] |= UINT64_C(1) << rule % 64;
		else if (i != EB_NONE)
			cover->tag[i].in_days[rule / 64] |= UINT64_C(1) << rule % 64;
	}
	return bits;
}

static uint32_t
read_seasons(EbCover *cover, const EbNode *names)
{
	uint32_t bits = 0;
	int number = 0;

	if (eb_list_has(names, (EbText){"*", 1}))
		bits = 1;
	EB_EACH(season, eb_node_get(cover->lint->root, "seasons"))
	{
		number++;
		if (eb_list_has(names, season->key))
			bits |= 1u << number;
	}
	return bits;
}

static void
read_spans(EbCover *cover, EbCoverRule *rule, const EbNode *spans)
{
	rule->first_span = cover->nspans;
	EB_EACH(pair, spans)
	{
		int from = 0;
		int to = 0;

		eb_parse_minute(eb_node_text(pair->child), &from);
		eb_parse_minute(eb_node_text(pair->child->next), &to);
		cover->span[cover->nspans++] = (EbCoverSpan){(int16_t) from, (int16_t) to, false};
		if (rule->anchor_start && to <= from)
			cover->reads_yesterday = true;
	}
	if (cover->nspans == rule->first_span)
		cover->span[cover->nspans++] = (EbCoverSpan){0, EB_DAY_MINUTES, false};
	rule->nspans = cover->nspans - rule->first_span;
}

static void
read_rule(EbCover *cover, const EbNode *node)
{
	EbCoverRule *rule = &cover->rule[cover->nrules];
	const EbNode *valid = eb_node_get(node, "valid");

	*rule = (EbCoverRule){.valid_from = INT32_MIN, .valid_to = INT32_MAX};
	EB_EACH(month, eb_node_get(node, "months"))
		rule->months |= (uint16_t) (1u << eb_node_int(month, 0));
	rule->seasons = read_seasons(cover, eb_node_get(node, "season"));
	rule->days = read_tags(cover, cover->nrules, eb_node_get(node, "days"), false);
	rule->not_days = read_tags(cover, cover->nrules, eb_node_get(node, "not_days"), true);
	if (valid != NULL)
	{
		eb_parse_date(eb_node_text(valid->child), &rule->valid_from);
		eb_parse_date(eb_node_text(valid->child->next), &rule->valid_to);
	}
	rule->anchor_start = eb_text_is(eb_node_text(eb_node_get(node, "anchor")), "start");
	rule->event = eb_node_get(node, "event") != NULL;
	read_spans(cover, rule, eb_node_get(node, "spans"));
	cover->nrules++;
}

/* Is "workday" or "offday" asked for? Then holiday and makeup mean more than their names. */
static bool
asks_workday(const EbCover *cover)
{
	uint32_t bits = 1u << EB_TAG_WORKDAY | 1u << EB_TAG_OFFDAY;

	for (int i = 0; i < cover->nrules; i++)
		if (((cover->rule[i].days | cover->rule[i].not_days) & bits) != 0)
			return true;
	return false;
}

/* Does no rule ask for it? */
static bool
idle_tag(const EbCoverTag *tag)
{
	for (int i = 0; i < EB_RULE_WORDS; i++)
		if ((tag->in_days[i] | tag->in_not_days[i]) != 0)
			return false;
	return true;
}

static bool
same_tag(const EbCoverTag *a, const EbCoverTag *b)
{
	return memcmp(a->in_days, b->in_days, sizeof(a->in_days)) == 0 &&
		   memcmp(a->in_not_days, b->in_not_days, sizeof(a->in_not_days)) == 0;
}

/* Puts tags that rules cannot tell apart into one group, and the groups into the rules' bits. */
static void
group_tags(EbCover *cover)
{
	/* holiday and makeup are tags 0 and 1; "workday" asks for both, each apart from all others */
	int apart = asks_workday(cover) ? 2 : 0;

	for (int i = 0; i < cover->ntags; i++)
	{
		EbCoverTag *tag = &cover->tag[i];

		tag->group = EB_NONE;
		if (i >= apart && idle_tag(tag))
			continue;
		for (int j = apart; j < i && i >= apart && tag->group == EB_NONE; j++)
			if (same_tag(tag, &cover->tag[j]))
				tag->group = cover->tag[j].group;
		if (tag->group != EB_NONE)
			continue;
		tag->group = cover->ngroups++;
		for (int r = 0; r < cover->nrules && tag->group < EB_COVER_GROUPS; r++)
		{
			if ((tag->in_days[r / 64] >> r % 64) & 1)
				cover->rule[r].days |= 1u << (EB_COVER_BIT + tag->group);
			if ((tag->in_not_days[r / 64] >> r % 64) & 1)
				cover->rule[r].not_days |= 1u << (EB_COVER_BIT + tag->group);
		}
	}
}

/* Weekend of the calendar as bits; of a calendar that is filled in later, Saturday and Sunday */
static unsigned
weekend_bits(const EbNode *root)
{
	const EbNode *weekend = eb_node_get(eb_node_get(root, "calendar"), "weekend");
	unsigned bits = 0;

	if (weekend == NULL)
		return 3u << (EB_TAG_SUN - 1);
	EB_EACH(day, weekend)
	{
		const EbWord *word = eb_word_find(eb_day_word, eb_node_text(day));

		bits |= word != NULL ? 1u << word->value : 0;
	}
	return bits;
}

/* Days of one month and season in a row get one number. */
static void
number_runs(EbCover *cover)
{
	EbDate last = {0, 0, 0};
	int run = -1;

	for (int i = 0; i < EB_LEAP_DAYS; i++)
	{
		EbDate date = eb_date_from_day(eb_day_from_date(2000, 1, 1) + i);

		if (i == 0 || date.month != last.month || cover->season[i] != cover->season[i - 1])
			run++;
		cover->run[i] = (int16_t) run;
		last = date;
	}
}

void
eb_cover_read(EbCover *cover, const EbNode *schedule)
{
	EbText second;

	cover->weekend = weekend_bits(cover->lint->root);
	eb_season_days(cover->lint->root, cover->season, &second);
	number_runs(cover);
	find_tag(cover, (EbText){"holiday", 7});
	find_tag(cover, (EbText){"makeup", 6});
	EB_EACH(rule, schedule)
		read_rule(cover, rule);
	group_tags(cover);
}
