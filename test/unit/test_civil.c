/*
 * test_civil.c -- local dates and wall clocks, against a calendar counted day by day
 */
#include <stddef.h>

#include "base/civil.h"
#include "check.h"

#define HOUR_US (60 * EB_MINUTE_US)

/* Hours from 2000-01-01 00:00 UTC to the given UTC hour */
static int64_t
utc(int year, int month, int day, int hour, int minute)
{
	return eb_day_from_date(year, month, day) * EB_DAY_US + hour * HOUR_US + minute * EB_MINUTE_US;
}

static EbText
text(const char *s)
{
	return (EbText){.data = s, .len = (int) strlen(s)};
}

/* Count every day of eleven centuries */
static void
test_dates(void)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int32_t day = EB_DAY_MIN;
	int weekday = 0; /* 1900-01-01 was a Monday */
	int wrong = 0;

	for (int year = 1900; year <= 2999; year++)
		for (int month = 1; month <= 12; month++)
		{
			bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
			int days = month_days[month - 1] + (month == 2 && leap ? 1 : 0);

			wrong += eb_month_days(year, month) != days;
			for (int mday = 1; mday <= days; mday++)
			{
				EbDate date = eb_date_from_day(day);

				wrong += eb_day_from_date(year, month, mday) != day;
				wrong += date.year != year || date.month != month || date.day != mday;
				wrong += eb_weekday(day) != weekday;
				day++;
				weekday = (weekday + 1) % 7;
			}
		}
	CHECK_INT(wrong, 0);
	CHECK_INT(day - 1, EB_DAY_MAX);
	CHECK_INT(eb_day_from_date(2000, 1, 1), 0);
	CHECK_INT(eb_weekday(eb_day_from_date(2026, 11, 1)), 6);
}

/* Both changes of 2026 in New York: 2 hours become 3, 2 become 1 */
static void
test_new_york(void)
{
	const EbZoneSpan span[] = {
		{INT64_MIN, -5 * 3600},
		{utc(2026, 3, 8, 7, 0), -4 * 3600},
		{utc(2026, 11, 1, 6, 0), -5 * 3600},
	};
	const EbZone zone = {span, 3};
	int32_t spring = eb_day_from_date(2026, 3, 8);
	int32_t autumn = eb_day_from_date(2026, 11, 1);
	int minute;

	CHECK_INT(eb_zone_find(&zone, INT64_MIN), 0);
	CHECK_INT(eb_zone_find(&zone, span[1].from_us - 1), 0);
	CHECK_INT(eb_zone_find(&zone, span[1].from_us), 1);
	CHECK_INT(eb_zone_find(&zone, INT64_MAX), 2);

	CHECK_INT(eb_day_start(&zone, spring), utc(2026, 3, 8, 5, 0));
	CHECK_INT(eb_day_start(&zone, spring + 1) - eb_day_start(&zone, spring), 23 * HOUR_US);
	CHECK_INT(eb_day_start(&zone, autumn + 1) - eb_day_start(&zone, autumn), 25 * HOUR_US);

	CHECK_INT(eb_local_day(&zone, utc(2026, 3, 8, 6, 59), &minute), spring);
	CHECK_INT(minute, 119);
	CHECK_INT(eb_local_day(&zone, utc(2026, 3, 8, 7, 0), &minute), spring);
	CHECK_INT(minute, 180);
	CHECK_INT(eb_local_day(&zone, utc(2026, 3, 8, 5, 0) - 1, &minute), spring - 1);
	CHECK_INT(minute, 1439);
	CHECK_INT(eb_local_day(&zone, utc(1999, 1, 1, 4, 59), NULL), eb_day_from_date(1998, 12, 31));

	/* 02:30 does not exist: the first instant after the gap; 01:30 comes twice: the first */
	CHECK_INT(eb_wall_instant(&zone, utc(2026, 3, 8, 2, 30)), utc(2026, 3, 8, 7, 0));
	CHECK_INT(eb_wall_instant(&zone, utc(2026, 3, 8, 3, 0)), utc(2026, 3, 8, 7, 0));
	CHECK_INT(eb_wall_instant(&zone, utc(2026, 11, 1, 1, 30)), utc(2026, 11, 1, 5, 30));
	CHECK_INT(eb_wall_instant(&zone, utc(2026, 11, 1, 2, 0)), utc(2026, 11, 1, 7, 0));
}

/* Midnight twice (Havana), midnight missing (Cairo), half an hour (Lord Howe), a day lost (Apia) */
static void
test_odd_days(void)
{
	const EbZoneSpan havana[] = {{INT64_MIN, -4 * 3600}, {utc(2026, 11, 1, 5, 0), -5 * 3600}};
	const EbZoneSpan cairo[] = {{INT64_MIN, 2 * 3600}, {utc(2026, 4, 23, 22, 0), 3 * 3600}};
	const EbZoneSpan howe[] = {{INT64_MIN, 39600}, {utc(2026, 4, 4, 15, 0), 37800}};
	const EbZoneSpan apia[] = {{INT64_MIN, -10 * 3600}, {utc(2011, 12, 30, 10, 0), 14 * 3600}};
	EbZone zone = {havana, 2};
	int32_t day = eb_day_from_date(2026, 11, 1);
	int minute;

	CHECK_INT(eb_day_start(&zone, day), utc(2026, 11, 1, 4, 0));
	CHECK_INT(eb_day_start(&zone, day + 1), utc(2026, 11, 2, 5, 0));
	CHECK_INT(eb_local_day(&zone, utc(2026, 11, 1, 5, 0), &minute), day);
	CHECK_INT(minute, 0);

	zone = (EbZone){cairo, 2};
	day = eb_day_from_date(2026, 4, 24);
	CHECK_INT(eb_day_start(&zone, day), utc(2026, 4, 23, 22, 0));
	CHECK_INT(eb_local_day(&zone, eb_day_start(&zone, day), &minute), day);
	CHECK_INT(minute, 60);
	CHECK_INT(eb_day_start(&zone, day + 1), utc(2026, 4, 24, 21, 0));

	zone = (EbZone){howe, 2};
	day = eb_day_from_date(2026, 4, 5);
	CHECK_INT(eb_day_start(&zone, day + 1) - eb_day_start(&zone, day), 24 * HOUR_US + HOUR_US / 2);
	CHECK_INT(eb_wall_instant(&zone, utc(2026, 4, 5, 1, 45)), utc(2026, 4, 4, 14, 45));
	CHECK_INT(eb_wall_instant(&zone, utc(2026, 4, 5, 2, 15)), utc(2026, 4, 4, 15, 45));

	zone = (EbZone){apia, 2};
	day = eb_day_from_date(2011, 12, 30);
	CHECK_INT(eb_day_start(&zone, day), utc(2011, 12, 30, 10, 0));
	CHECK_INT(eb_day_start(&zone, day), eb_day_start(&zone, day + 1));
	CHECK_INT(eb_local_day(&zone, utc(2011, 12, 30, 10, 0), NULL), day + 1);
}

static void
test_parse(void)
{
	static const char *const bad_date[] = {"",			 "2026-1-01",  "2026-02-29",  "2026-13-01",
										   "2026-00-01", "2026-01-00", "2026-01-32",  "1899-12-31",
										   "3000-01-01", "2026/01/01", "2026-01-01 ", "+026-01-01"};
	static const char *const bad_month_day[] = {"",		 "1-01",  "13-01",	"02-30", "04-31",
												"00-01", "01-00", "01-011", "01:01"};
	static const char *const bad_minute[] = {"",	  "8:00",  "24:01",	 "25:00", "23:60",
											 "-1:00", "08-00", "08:000", "08:0"};
	int32_t day = 0;
	int month = 0;
	int mday = 0;
	int minute = 0;

	CHECK(eb_parse_date(text("2024-02-29"), &day) && day == eb_day_from_date(2024, 2, 29));
	CHECK(eb_parse_date((EbText){.data = "1900-01-01xyz", .len = 10}, &day) && day == EB_DAY_MIN);
	CHECK(eb_parse_date(text("2999-12-31"), &day) && day == EB_DAY_MAX);
	for (size_t i = 0; i < sizeof(bad_date) / sizeof(bad_date[0]); i++)
		CHECK(!eb_parse_date(text(bad_date[i]), &day));

	CHECK(eb_parse_month_day(text("02-29"), &month, &mday) && month == 2 && mday == 29);
	for (size_t i = 0; i < sizeof(bad_month_day) / sizeof(bad_month_day[0]); i++)
		CHECK(!eb_parse_month_day(text(bad_month_day[i]), &month, &mday));

	CHECK(eb_parse_minute(text("00:00"), &minute) && minute == 0);
	CHECK(eb_parse_minute(text("23:59"), &minute) && minute == 1439);
	CHECK(eb_parse_minute(text("24:00"), &minute) && minute == 1440);
	for (size_t i = 0; i < sizeof(bad_minute) / sizeof(bad_minute[0]); i++)
		CHECK(!eb_parse_minute(text(bad_minute[i]), &minute));
}

static void
test_instants(void)
{
	static const struct
	{
		const char *input;
		int64_t at_us;
		const char *output; /* NULL: the input */
	} good[] = {
		{"2026-01-31T23:59:59.999999Z", INT64_C(823219199999999), NULL},
		{"1999-12-31T23:59:59.500000Z", -500000, NULL},
		{"2000-01-01T00:00:00Z", 0, NULL},
		{"2000-01-01 00:00:01.5Z", 1500000, "2000-01-01T00:00:01.500000Z"},
		{"2000-01-01 08:00:00+08", 0, "2000-01-01T00:00:00Z"},
		{"1999-12-31T19:30-0430", 0, "2000-01-01T00:00:00Z"},
		{"2000-01-01T05:45+05:45", 0, "2000-01-01T00:00:00Z"},
		{"2000-01-01", -8 * HOUR_US, "1999-12-31T16:00:00Z"},
		{"2000-01-01T08:00", 0, "2000-01-01T00:00:00Z"},
	};
	static const char *const bad[] = {"",
									  "2000-01-01T",
									  "2000-01-01T8:00Z",
									  "2000-01-01T24:00Z",
									  "2000-01-01T00:00:60Z",
									  "2000-01-01T00:00:00.Z",
									  "2000-01-01T00:00:00.1234567Z",
									  "2000-01-01T00:00z",
									  "2000-01-01T00:00+8",
									  "2000-01-01T00:00+08:",
									  "2000-01-01T00:00+08:0",
									  "2000-01-01T00:00+24",
									  "2000-01-01T00:00+08:60",
									  "2000-01-01T00:00Z ",
									  "2000-01-01Z",
									  "2000-01-01x00:00Z",
									  "2000-02-30T00:00Z",
									  "infinity"};
	const EbZoneSpan span = {INT64_MIN, 8 * 3600};
	const EbZone shanghai = {&span, 1};
	char buf[EB_INSTANT_TEXT];
	int64_t at_us;
	int len;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		CHECK(eb_parse_instant(text(good[i].input), &shanghai, &at_us));
		CHECK_INT(at_us, good[i].at_us);
		len = eb_format_instant(at_us, buf);
		CHECK_INT(len, strlen(buf));
		CHECK_STR(buf, good[i].output ? good[i].output : good[i].input);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK(!eb_parse_instant(text(bad[i]), &shanghai, &at_us)))
			printf("    input \"%s\"\n", bad[i]);
	/* without a zone there must be an offset */
	CHECK(!eb_parse_instant(text("2000-01-01"), NULL, &at_us));
	CHECK(!eb_parse_instant(text("2000-01-01T00:00:00"), NULL, &at_us));
	CHECK(eb_parse_instant(text("2000-01-01T00:00:00Z"), NULL, &at_us));
}

int
main(void)
{
	test_instants();
	test_dates();
	test_new_york();
	test_odd_days();
	test_parse();
	return check_done("test_civil");
}
