/*
 * tariff_lint_cover.c -- the check of a tariff: does a rule match every minute of every day?
 * In:  a schedule whose names and types are sound.
 * Out: an error for the first minutes no rule covers, warnings for rules and spans that never
 *      give a minute.
 *
 * Days are real dates. Rules change at their "valid" dates; between two of these, and before and
 * after them, 28 years show every date on every weekday. Each is looked at with every set of the
 * calendar tags the rules ask for, whether or not the calendar holds such a day now: holidays are
 * filled in later. Tags that always appear together count as one. Dates of the same month, season
 * and weekday are looked at once; where a rule is anchored at the start of its span, also once for
 * every set of tags the day before may have.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "base/civil.h"
#include "rating/tariff_cover.h"

/* 28 years and a day: the Gregorian calendar repeats itself inside a century */
#define CYCLE_DAYS 10228
#define FIRST_YEAR 2020	 /* example dates of rules without "valid" */
#define MAX_WORK 8000000 /* rules looked at, over all days and schedules: half a second */
#define MINUTE_WORDS ((EB_DAY_MINUTES + 63) / 64)
#define LAST_WORD ((UINT64_C(1) << EB_DAY_MINUTES % 64) - 1)

/* What rules ask of a date */
typedef struct CoverDay
{
	int32_t day;
	int month;
	int season;
	uint32_t tags;
} CoverDay;

/* ---------------------------------------------------------------- one day */

static CoverDay
day_facts(const EbCover *cover, int32_t day, unsigned groups)
{
	EbDate date = eb_date_from_day(day);
	int leap_day = eb_day_from_date(2000, date.month, date.day) - eb_day_from_date(2000, 1, 1);
	int weekday = eb_weekday(day);
	bool weekend = ((cover->weekend >> weekday) & 1) != 0;
	bool holiday = (groups & 1u) != 0; /* meaningful when asks_workday() */
	bool makeup = (groups & 2u) != 0;
	bool workday = (!weekend && !holiday) || makeup;

	return (CoverDay){
		.day = day,
		.month = date.month,
		.season = cover->season[leap_day],
		.tags = 1u << weekday | 1u << (weekend ? EB_TAG_WEEKEND : EB_TAG_WEEKDAY) |
				1u << (workday ? EB_TAG_WORKDAY : EB_TAG_OFFDAY) | groups << EB_COVER_BIT,
	};
}

static bool
day_matches(const EbCoverRule *rule, const CoverDay *day)
{
	return (rule->months == 0 || ((rule->months >> day->month) & 1) != 0) &&
		   (rule->seasons == 0 || ((rule->seasons >> day->season) & 1) != 0) &&
		   (rule->days == 0 || (rule->days & day->tags) != 0) && (rule->not_days & day->tags) == 0;
}

/* Takes the minutes [from, to) that are still free; take false: only looks for one. */
static bool
claim(uint64_t covered[MINUTE_WORDS], int from, int to, bool take)
{
	bool fresh = false;

	for (int word = from / 64; word < MINUTE_WORDS && word * 64 < to; word++)
	{
		int low = from > word * 64 ? from - word * 64 : 0;
		int high = to < word * 64 + 64 ? to - word * 64 : 64;
		uint64_t bits = (high == 64 ? ~UINT64_C(0) : (UINT64_C(1) << high) - 1);

		bits &= ~UINT64_C(0) << low;
		fresh = fresh || (bits & ~covered[word]) != 0;
		if (take)
			covered[word] |= bits;
	}
	return fresh;
}

static void
claim_span(uint64_t covered[MINUTE_WORDS], EbCoverSpan *span, bool today, bool yesterday, bool take)
{
	bool fresh = false;

	if (span->from < span->to)
		fresh = today && claim(covered, span->from, span->to, take);
	else
	{
		fresh = today && claim(covered, span->from, EB_DAY_MINUTES, take);
		fresh = (yesterday && claim(covered, 0, span->to, take)) || fresh;
	}
	span->reached = span->reached || fresh;
}

static bool
all_covered(const uint64_t covered[MINUTE_WORDS])
{
	for (int word = 0; word < MINUTE_WORDS - 1; word++)
		if (covered[word] != ~UINT64_C(0))
			return false;
	return covered[MINUTE_WORDS - 1] == LAST_WORD;
}

/* First minute from start on whose state is as wanted; EB_DAY_MINUTES when there is none. */
static int
next_minute(const uint64_t covered[MINUTE_WORDS], int start, bool wanted)
{
	int minute = start;

	while (minute < EB_DAY_MINUTES && ((covered[minute / 64] >> minute % 64) & 1) != wanted)
		minute++;
	return minute;
}

/* Appends ", NAME" for each group that the day has. */
static void
describe_tags(const EbCover *cover, uint32_t tags, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (int group = 0; group < cover->ngroups; group++)
	{
		int i = 0;

		while (cover->tag[i].group != group)
			i++;
		if (((tags >> (EB_COVER_BIT + group)) & 1) == 0 ||
			cover->tag[i].name.len > EB_SHOWN_BYTES || len + EB_SHOWN_BYTES + 3 > size)
			continue;
		memcpy(buf + len, ", ", 2);
		memcpy(buf + len + 2, cover->tag[i].name.data, (size_t) cover->tag[i].name.len);
		len += 2 + (size_t) cover->tag[i].name.len;
		buf[len] = '\0';
	}
}

static void
report_gap(EbCover *cover, const uint64_t covered[MINUTE_WORDS], const CoverDay *day)
{
	int from = next_minute(covered, 0, false);
	int to = next_minute(covered, from, true);
	EbDate date = eb_date_from_day(day->day);
	char tags[4 * (EB_SHOWN_BYTES + 2)];

	cover->gap = true;
	describe_tags(cover, day->tags, tags, sizeof(tags));
	eb_lint_error(cover->lint, cover->path,
				  "no rule covers %02d:%02d to %02d:%02d, for example on %04d-%02d-%02d (%s%s)",
				  from / 60, from % 60, to / 60, to % 60, date.year, date.month, date.day,
				  eb_day_word[eb_weekday(day->day)].name, tags);
}

static void
sweep(EbCover *cover, const CoverDay *today, const CoverDay *yesterday)
{
	uint64_t covered[MINUTE_WORDS] = {0};

	cover->lint->cover_work++;
	for (int i = 0; i < cover->nrules && !all_covered(covered); i++)
	{
		const EbCoverRule *rule = &cover->rule[i];
		bool now;
		bool before;

		cover->lint->cover_work++;
		if (today->day < rule->valid_from || today->day >= rule->valid_to)
			continue;
		now = day_matches(rule, today);
		before = rule->anchor_start ? day_matches(rule, yesterday) : now;
		if (!now && !before)
			continue;
		for (int j = rule->first_span; j < rule->first_span + rule->nspans; j++)
			claim_span(covered, &cover->span[j], now, before, !rule->event);
	}
	if (!cover->gap && !all_covered(covered))
		report_gap(cover, covered, today);
}

/* ---------------------------------------------------------------- all days */

static void
sweep_tags(EbCover *cover, int32_t day)
{
	unsigned sets = 1u << cover->ngroups;
	unsigned others = cover->reads_yesterday ? sets : 1;

	for (unsigned groups = 0; groups < sets && cover->lint->cover_work < MAX_WORK; groups++)
	{
		CoverDay today = day_facts(cover, day, groups);

		for (unsigned other = 0; other < others && cover->lint->cover_work < MAX_WORK; other++)
		{
			CoverDay yesterday = day_facts(cover, day - 1, other);

			sweep(cover, &today, &yesterday);
		}
	}
}

/* Which one it is of the days of a leap year, from 0 on; before: the day before it, or below 0 */
static int
leap_day_of(int32_t day, int before)
{
	EbDate date;

	/* most days are one more; behind 28 February and 31 December one has to look */
	if (before >= 0 && before != 58 && before != EB_LEAP_DAYS - 1)
		return before + 1;
	date = eb_date_from_day(day);
	return eb_day_from_date(2000, date.month, date.day) - eb_day_from_date(2000, 1, 1);
}

/* The days [from, to), over which no rule begins or ends to be valid */
static void
sweep_interval(EbCover *cover, int32_t from, int32_t to)
{
	int leap_day = -1;

	memset(cover->seen, 0, sizeof(cover->seen));
	for (int32_t day = from; day < to && cover->lint->cover_work < MAX_WORK; day++)
	{
		uint8_t bit = (uint8_t) (1u << eb_weekday(day));
		uint8_t *seen;
		int before;

		leap_day = leap_day_of(day, leap_day);
		before = leap_day > 0 ? leap_day - 1 : EB_LEAP_DAYS - 1;
		seen = &cover->seen[cover->run[leap_day]][cover->run[before] != cover->run[leap_day]];
		if ((*seen & bit) != 0)
			continue;
		*seen |= bit;
		sweep_tags(cover, day);
	}
}

/* The first day after "after" on which a rule begins or ends; INT32_MAX when there is none. */
static int32_t
next_boundary(const EbCover *cover, int32_t after)
{
	int32_t next = INT32_MAX;

	for (int i = 0; i < cover->nrules; i++)
	{
		if (cover->rule[i].valid_from > after && cover->rule[i].valid_from < next)
			next = cover->rule[i].valid_from;
		if (cover->rule[i].valid_to > after && cover->rule[i].valid_to < next)
			next = cover->rule[i].valid_to;
	}
	return next;
}

static void
sweep_all(EbCover *cover)
{
	int32_t from = next_boundary(cover, INT32_MIN);
	int32_t to;

	if (from == INT32_MAX)
	{
		from = eb_day_from_date(FIRST_YEAR, 1, 1);
		sweep_interval(cover, from, from + CYCLE_DAYS);
		return;
	}
	sweep_interval(cover, from - CYCLE_DAYS, from);
	for (; from != INT32_MAX; from = to)
	{
		to = next_boundary(cover, from);
		sweep_interval(cover, from, to < from + CYCLE_DAYS ? to : from + CYCLE_DAYS);
	}
}

static void
report_unreached(EbCover *cover)
{
	for (int i = 0; i < cover->nrules; i++)
	{
		const EbCoverRule *rule = &cover->rule[i];
		EbPath here = eb_path_index(cover->path, i);
		EbPath spans = eb_path_name(&here, "spans");
		int reached = 0;

		for (int j = rule->first_span; j < rule->first_span + rule->nspans; j++)
			reached += cover->span[j].reached;
		if (reached == 0)
			eb_lint_warning(cover->lint, &here,
							"rule never applies: earlier rules leave no minute to it");
		for (int j = 0; j < rule->nspans && reached > 0; j++)
		{
			EbPath below = eb_path_index(&spans, j);

			if (!cover->span[rule->first_span + j].reached)
				eb_lint_warning(cover->lint, &below, "span never applies: it is covered before");
		}
	}
}

void
eb_lint_cover(EbLint *lint, const EbPath *path, const EbNode *schedule)
{
	EbCover cover = {.lint = lint, .path = path};

	eb_cover_read(&cover, schedule);
	if (cover.ngroups <= EB_COVER_GROUPS)
		sweep_all(&cover);
	if (cover.ngroups > EB_COVER_GROUPS || lint->cover_work >= MAX_WORK)
		eb_lint_error(lint, path, "has too many kinds of days to be checked: use fewer tags");
	else
		report_unreached(&cover);
}
