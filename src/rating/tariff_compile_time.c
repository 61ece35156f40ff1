/*
 * tariff_compile_time.c -- the tariff compiler: calendar, seasons, schedules
 * In:  a node tree without lint errors.
 * Out: tags, calendar days, seasons, schedules and slots of the block.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "base/civil.h"
#include "rating/tariff_build.h"
#include "rating/tariff_lint.h"

void
eb_build_dates(const EbNode *range, int32_t *from, int32_t *to)
{
	*from = INT32_MIN;
	*to = INT32_MAX;
	if (eb_node_count(range) != 2)
		return;
	eb_parse_date(eb_node_text(range->child), from);
	eb_parse_date(eb_node_text(range->child->next), to);
}

uint16_t
eb_build_months(const EbNode *months)
{
	uint16_t bits = 0;

	EB_EACH(month, months)
		bits |= (uint16_t) (1u << eb_node_int(month, 0));
	return bits;
}

uint32_t
eb_build_seasons(const EbBuild *build, const EbNode *names)
{
	uint32_t bits = eb_list_has(names, (EbText){"*", 1}) ? 1 : 0;
	int number = 0;

	EB_EACH(season, eb_node_get(build->root, "seasons"))
	{
		number++;
		if (eb_list_has(names, season->key))
			bits |= 1u << number;
	}
	return bits;
}

/* ---------------------------------------------------------------- calendar */

uint64_t
eb_build_tags(EbBuild *build, const EbNode *list)
{
	uint64_t bits = 0;

	EB_EACH(item, list)
	{
		EbText name = eb_node_text(item);
		int tag = eb_build_word(eb_day_word, name, EB_NONE);
		int i = 0;

		if (tag == EB_NONE)
			tag = eb_build_word(eb_mark_word, name, EB_NONE);
		if (tag == EB_NONE)
		{
			while (i < build->ntags && !eb_text_equal(build->tag[i], name))
				i++;
			if (i == build->ntags && i < EB_MAX_TAGS - EB_TAG_NAMED)
				build->tag[build->ntags++] = name;
			tag = EB_TAG_NAMED + i;
		}
		bits |= UINT64_C(1) << (tag & 63);
	}
	return bits;
}

static bool
build_calendar(EbBuild *build)
{
	const EbNode *calendar = eb_node_get(build->root, "calendar");
	const EbNode *days = eb_node_get(calendar, "days");
	const EbNode *weekend = eb_node_get(calendar, "weekend");
	EbTariff *tariff = build->tariff;
	void *array;
	EbCalendarDay *day;

	tariff->weekend =
		weekend == NULL ? 3u << (EB_TAG_SUN - 1) : (uint16_t) eb_build_tags(build, weekend);
	if (!eb_build_array(build, eb_node_count(days), sizeof(EbCalendarDay), &tariff->calendar_day,
						&array))
		return false;
	day = array;
	/* dates in byte order are dates in order */
	EB_EACH(tags, days)
	{
		eb_parse_date(tags->key, &day->day);
		day->tags = eb_build_tags(build, tags);
		day++;
	}
	return true;
}

/* ---------------------------------------------------------------- seasons */

static int16_t
packed_month_day(const EbNode *node)
{
	int month = 0;
	int day = 0;

	eb_parse_month_day(eb_node_text(node), &month, &day);
	return (int16_t) (month * 32 + day);
}

static bool
build_seasons(EbBuild *build)
{
	const EbNode *seasons = eb_node_get(build->root, "seasons");
	EbTariff *tariff = build->tariff;
	EbText name[EB_MAX_SEASONS];
	int number = 0;
	int nranges = 0;
	void *array;
	EbSeasonRange *range;

	EB_EACH(season, seasons)
	{
		name[number++] = season->key;
		nranges += eb_node_count(season);
	}
	if (!eb_build_texts(build, name, number, &tariff->season) ||
		!eb_build_array(build, nranges, sizeof(EbSeasonRange), &tariff->season_range, &array))
		return false;
	range = array;
	number = 0;
	EB_EACH(season, seasons)
	{
		number++;
		EB_EACH(pair, season)
			*range++ = (EbSeasonRange){.season = (int16_t) number,
									   .from_md = packed_month_day(pair->child),
									   .to_md = packed_month_day(pair->child->next)};
	}
	return true;
}

/* ---------------------------------------------------------------- schedules */

int
eb_build_period(const EbBuild *build, EbText name)
{
	for (int i = 0; i < build->nperiods; i++)
		if (eb_text_equal(build->period[i], name))
			return i;
	return EB_NONE;
}

/* The slot of a period in the schedule whose slots begin at first; made when it is new. */
static int16_t
find_slot(EbBuild *build, int schedule, int first, EbText name)
{
	int period = eb_build_period(build, name);

	if (period == EB_NONE)
	{
		period = build->nperiods;
		build->period[build->nperiods++] = name;
	}
	for (int i = first; i < build->nslots; i++)
		if (build->slot[i].name == period)
			return (int16_t) i;
	build->slot[build->nslots] = (EbSlot){(int16_t) schedule, (int16_t) period};
	return (int16_t) build->nslots++;
}

static bool
build_spans(EbBuild *build, const EbNode *spans, EbSlice *slice)
{
	void *array;
	EbSpan *span;

	if (!eb_build_array(build, eb_node_count(spans), sizeof(EbSpan), slice, &array))
		return false;
	span = array;
	EB_EACH(pair, spans)
	{
		int from = 0;
		int to = 0;

		eb_parse_minute(eb_node_text(pair->child), &from);
		eb_parse_minute(eb_node_text(pair->child->next), &to);
		*span++ = (EbSpan){(int16_t) from, (int16_t) to};
	}
	return true;
}

static bool
build_rule(EbBuild *build, const EbNode *node, int schedule, int first_slot, EbRule *rule)
{
	rule->slot = find_slot(build, schedule, first_slot, eb_node_text(eb_node_get(node, "period")));
	rule->anchor_start = eb_text_is(eb_node_text(eb_node_get(node, "anchor")), "start");
	rule->months = eb_build_months(eb_node_get(node, "months"));
	rule->seasons = eb_build_seasons(build, eb_node_get(node, "season"));
	rule->days = eb_build_tags(build, eb_node_get(node, "days"));
	rule->not_days = eb_build_tags(build, eb_node_get(node, "not_days"));
	eb_build_dates(eb_node_get(node, "valid"), &rule->valid_from, &rule->valid_to);
	rule->event = eb_build_index(eb_node_get(build->root, "events"),
								 eb_node_text(eb_node_get(node, "event")));
	return build_spans(build, eb_node_get(node, "spans"), &rule->span);
}

static bool
build_schedule(EbBuild *build, const EbNode *node, int index, EbSchedule *schedule)
{
	void *array;
	EbRule *rule;

	schedule->first_slot = build->nslots;
	if (!eb_build_bytes(build, node->key, &schedule->name) ||
		!eb_build_array(build, eb_node_count(node), sizeof(EbRule), &schedule->rule, &array))
		return false;
	rule = array;
	EB_EACH(item, node)
		if (!build_rule(build, item, index, schedule->first_slot, rule++))
			return false;
	schedule->nslots = build->nslots - schedule->first_slot;
	return true;
}

static bool
build_schedules(EbBuild *build)
{
	const EbNode *schedules = eb_node_get(build->root, "schedules");
	EbTariff *tariff = build->tariff;
	void *array;
	int index = 0;

	if (!eb_build_array(build, eb_node_count(schedules), sizeof(EbSchedule), &tariff->schedule,
						&array))
		return false;
	EB_EACH(node, schedules)
	{
		if (!build_schedule(build, node, index, (EbSchedule *) array + index))
			return false;
		index++;
	}
	if (!eb_build_array(build, build->nslots, sizeof(EbSlot), &tariff->slot, &array))
		return false;
	memcpy(array, build->slot, (size_t) build->nslots * sizeof(EbSlot));
	return eb_build_texts(build, build->period, build->nperiods, &tariff->period_name);
}

int
eb_build_schedule(const EbBuild *build, const EbNode *reader)
{
	const EbNode *schedule = eb_schedule_of(build->root, reader);

	return schedule == NULL ? EB_NONE
							: eb_build_index(eb_node_get(build->root, "schedules"), schedule->key);
}

uint64_t
eb_build_slots(const EbBuild *build, int schedule, const EbNode *names)
{
	uint64_t slots = 0;

	if (names == NULL)
		return ~UINT64_C(0);
	for (int i = 0; i < build->nslots; i++)
		if (build->slot[i].schedule == schedule &&
			eb_list_has(names, build->period[build->slot[i].name]))
			slots |= UINT64_C(1) << i;
	return slots;
}

bool
eb_build_time(EbBuild *build)
{
	return build_calendar(build) && build_seasons(build) && build_schedules(build);
}
