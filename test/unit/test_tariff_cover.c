/*
 * test_tariff_cover.c -- minutes without a rule, rules without a minute: src/rating/tariff_lint_cover.c
 * Random schedules are also searched by brute force, with the engine that will read them.
 */
#include "base/civil.h"
#include "kit_lint.h"
#include "rating/tou.h"

static const char *
schedule(const char *rules)
{
	static char text[60000];

	snprintf(text, sizeof(text), "'schedules':{'t':[%s]},", rules);
	return around(text, ENERGY);
}

static void
test_coverage(void)
{
	CHECK_CLEAN(schedule("{'period':'p','spans':[['08:00','22:00']]},"
						 "{'period':'v','spans':[['22:00','08:00']]}"));
	CHECK_FIRST(schedule("{'period':'p','spans':[['08:00','22:00']]},"
						 "{'period':'v','spans':[['22:00','07:59']]}"),
				"error schedules.t: no rule covers 07:59 to 08:00, for example on 2020-01-01 "
				"(wed)");
	CHECK_FIRST(schedule("{'period':'p','months':[1,2,3,4,5,6,8,9,10,11,12]}"),
				"error schedules.t: no rule covers 00:00 to 24:00, for example on 2020-07-01 "
				"(wed)");
	CHECK_FIRST(schedule("{'period':'p','days':['mon','tue','wed','thu','sat','sun']}"),
				"error schedules.t: no rule covers 00:00 to 24:00, for example on 2020-01-03 "
				"(fri)");
	CHECK_FIRST(schedule("{'period':'p','days':['weekday'],'not_days':['holiday']},"
						 "{'period':'q','days':['weekend']}"),
				"error schedules.t: no rule covers 00:00 to 24:00, for example on 2020-01-01 "
				"(wed, holiday)");
	CHECK_CLEAN(schedule("{'period':'p','days':['workday']},{'period':'q','days':['offday']}"));
	CHECK_FIRST(schedule("{'period':'p','days':['workday']},"
						 "{'period':'q','days':['weekend','holiday']}"),
				"");
	CHECK_FIRST(schedule("{'period':'p','days':['workday']},"
						 "{'period':'q','days':['holiday']},{'period':'r','days':['sat']}"),
				"error schedules.t: no rule covers 00:00 to 24:00, for example on 2020-01-05 "
				"(sun)");
	/* the day the rules change, and the days on both sides */
	CHECK_CLEAN(schedule("{'period':'p','valid':[null,'2026-01-01']},"
						 "{'period':'q','valid':['2026-01-01',null]}"));
	CHECK_FIRST(schedule("{'period':'p','valid':[null,'2026-01-01']},"
						 "{'period':'q','valid':['2026-01-02',null]}"),
				"error schedules.t: no rule covers 00:00 to 24:00, for example on 2026-01-01 "
				"(thu)");
	/* a short validity is asked only for the months it has */
	CHECK_CLEAN(schedule("{'period':'p','valid':['2026-07-01','2026-08-01'],'months':[7]},"
						 "{'period':'q','valid':[null,'2026-07-01']},"
						 "{'period':'q','valid':['2026-08-01',null]}"));
	/* 29 February is a day too */
	CHECK_FIRST(around("'seasons':{'leap':[['02-29','03-01']]},'schedules':{'t':[{'period':'p',"
					   "'season':['*']}]},",
					   ENERGY),
				"error schedules.t: no rule covers 00:00 to 24:00, for example on 2020-02-29 "
				"(sat)");
	/* nights anchored at their start: winter's end at 07:00, summer's at 06:00 */
	CHECK_FIRST(around("'seasons':{'summer':[['06-01','10-01']]},'schedules':{'t':["
					   "{'period':'n','season':['summer'],'spans':[['22:00','06:00']],"
					   "'anchor':'start'},"
					   "{'period':'n','season':['*'],'spans':[['23:00','07:00']],"
					   "'anchor':'start'},"
					   "{'period':'d','season':['summer'],'spans':[['06:00','22:00']]},"
					   "{'period':'d','season':['*'],'spans':[['07:00','23:00']]}]},",
					   ENERGY),
				"error schedules.t: no rule covers 06:00 to 07:00, for example on 2020-10-01 "
				"(thu)");
}

static void
test_unreachable(void)
{
	CHECK_FIRST(schedule("{'period':'a'},{'period':'b','spans':[['08:00','22:00']]}"),
				"warning schedules.t[1]: rule never applies: earlier rules leave no minute to it");
	CHECK_FIRST(schedule("{'period':'a','spans':[['06:00','12:00'],['08:00','09:00']]},"
						 "{'period':'b'}"),
				"warning schedules.t[0].spans[1]: span never applies: it is covered before");
	CHECK_FIRST(schedule("{'period':'a','days':['mon'],'not_days':['weekday']},{'period':'b'}"),
				"warning schedules.t[0]: rule never applies: earlier rules leave no minute to it");
	CHECK_CLEAN(schedule("{'period':'a','days':['holiday']},{'period':'b','days':['holiday','sat']}"
						 ",{'period':'c'}"));
	CHECK_FIRST(schedule("{'period':'a','spans':[['24:00','02:00']]},{'period':'b'}"),
				"error schedules.t[0].spans[0]: a span cannot begin at 24:00");
	CHECK_FIRST(schedule("{'period':'a','months':[1,13]},{'period':'b'}"),
				"error schedules.t[0].months[1]: must be a month from 1 to 12");
	CHECK_FIRST(schedule("{'period':'a','months':[1,1]},{'period':'b'}"),
				"error schedules.t[0].months[1]: month 1 is given twice");
	CHECK_FIRST(schedule("{'period':'*'}"), "error schedules.t[0]: a period cannot be named \"*\"");
}

/* ---------------------------------------------------------------- coverage by brute force */

static uint32_t random_state = 20240701;

static unsigned
pick(unsigned n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

static const char *
pick_word(const char *const *word, unsigned n)
{
	return word[pick(n)];
}

/* A rule with random conditions; few enough that gaps and full cover both are common */
static void
random_rule(char *text, size_t size)
{
	static const char *const day[] = {"mon",	 "sat",		"sun",	   "weekend",
									  "weekday", "workday", "offday",  "holiday",
									  "makeup",	 "hot",		"festival"};
	static const char *const hour[] = {"00:00", "06:30", "08:00", "12:15", "22:00"};
	size_t len = 0;

	len += (size_t) snprintf(text + len, size - len, "{'period':'p%u'", pick(4));
	if (pick(2))
		len += (size_t) snprintf(text + len, size - len, ",'spans':[['%s','%s']]",
								 pick_word(hour, 5), pick_word(hour, 5));
	if (pick(4) == 0)
		len += (size_t) snprintf(text + len, size - len, ",'months':[%u,%u]", 1 + pick(6),
								 7 + pick(6));
	if (pick(4) == 0)
		len += (size_t) snprintf(text + len, size - len, ",'season':['%s']", pick(2) ? "s" : "*");
	if (pick(3) == 0)
		len += (size_t) snprintf(text + len, size - len, ",'days':['%s','%s']", pick_word(day, 11),
								 pick_word(day, 11));
	if (pick(3) == 0)
		len += (size_t) snprintf(text + len, size - len, ",'not_days':['%s']", pick_word(day, 11));
	if (pick(5) == 0)
		len += (size_t) snprintf(text + len, size - len, ",'valid':[%s,'2025-06-20']",
								 pick(2) ? "null" : "'2025-06-01'");
	if (pick(3) == 0)
		len += (size_t) snprintf(text + len, size - len, ",'anchor':'start'");
	snprintf(text + len, size - len, "}");
}

#define FIRST_DAY eb_day_from_date(2025, 5, 29)
#define NDAYS 38

/* The rules, and a last one that catches what they leave, as a period of its own */
static const EbTariff *
with_rest(const char *rules)
{
	static char text[60000];
	size_t len = (size_t) snprintf(text, sizeof(text),
								   "{'elecbill':1,'currency':'CNY','calendar':{'days':{");
	EbFault fault;

	for (int day = FIRST_DAY - 1; day < FIRST_DAY + NDAYS; day++)
	{
		EbDate date = eb_date_from_day(day);

		len += (size_t) snprintf(text + len, sizeof(text) - len,
								 "%s'%04d-%02d-%02d':['holiday','makeup','hot','festival']",
								 day < FIRST_DAY ? "" : ",", date.year, date.month, date.day);
	}
	snprintf(text + len, sizeof(text) - len,
			 "}},'seasons':{'s':[['06-10','06-25']]},"
			 "'schedules':{'t':[%s,{'period':'rest'}]},'components':[" ENERGY "]}",
			 rules);
	return kit_json_tariff(text, &fault);
}

/*
 * Five weeks around the changes of season, month and validity, each date and the one before it with
 * every set of tags: does a rule match wherever one may begin or end?
 */
static bool
brute_covered(const char *rules)
{
	static const int minute[] = {0, 6 * 60 + 30, 8 * 60, 12 * 60 + 15, 22 * 60};
	static const int tag[] = {EB_TAG_HOLIDAY, EB_TAG_MAKEUP, EB_TAG_HOT, EB_TAG_NAMED};
	const EbTariff *tariff = with_rest(rules);
	const EbSchedule *one;

	if (!CHECK(tariff != NULL))
		return false;
	one = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	for (unsigned sets = 0; sets < 256; sets++)
	{
		for (int i = 0; i < tariff->calendar_day.n; i++)
		{
			EbCalendarDay *day = (EbCalendarDay *) (uintptr_t) EB_ARRAY(tariff, EbCalendarDay,
																		tariff->calendar_day) +
								 i;

			day->tags = 0;
			for (int j = 0; j < 4; j++)
				if ((i % 2 == 0 ? sets : sets >> 4) >> j & 1)
					day->tags |= UINT64_C(1) << tag[j];
		}
		for (int day = FIRST_DAY; day < FIRST_DAY + NDAYS; day++)
			for (int i = 0; i < 5; i++)
				if (eb_tou_slot(tariff, one, day, minute[i]) == tariff->slot.n - 1)
					return false;
	}
	return true;
}

static void
test_coverage_random(void)
{
	int ncovered = 0;
	int ngaps = 0;

	for (int round = 0; round < 100; round++)
	{
		char rules[4000] = "";
		char text[5000];
		unsigned n = 1 + pick(5);
		bool gap;
		bool covered;

		for (unsigned i = 0; i < n; i++)
		{
			char rule[400];

			random_rule(rule, sizeof(rule));
			strncat(rules, rule, sizeof(rules) - strlen(rules) - 1);
			if (i + 1 < n)
				strncat(rules, ",", sizeof(rules) - strlen(rules) - 1);
		}
		snprintf(text, sizeof(text), "'seasons':{'s':[['06-10','06-25']]},'schedules':{'t':[%s]},",
				 rules);
		gap = strstr(lint(around(text, ENERGY))->all, "no rule covers") != NULL;
		covered = brute_covered(rules);
		/* the search sees five weeks: it may miss a gap, never invent one */
		if (!CHECK(gap || covered))
			printf("%s\n%s\n", rules, lint(around(text, ENERGY))->all);
		if (!gap && covered)
			ncovered++;
		if (gap && !covered)
			ngaps++;
	}
	CHECK(ncovered >= 12);
	CHECK(ngaps >= 25);
}

int
main(void)
{
	test_coverage();
	test_unreachable();
	test_coverage_random();
	return check_done("tariff_cover");
}
