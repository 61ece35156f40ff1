/*
 * civil.c -- instants, local dates and wall clocks
 * In:  instants and a zone as a table of offsets (src/pg/zone.c makes it).
 * Out: local dates, weekdays and the instants where local days begin, for rating/calendar.c and
 *      rating/tou.c.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/architecture.md, doc/rating.md.
 */
#include <stddef.h>

#include "base/civil.h"

/* Days from 1 March of the year 0 to 1 January 2000; years that begin in March end in a leap day */
#define MARCH_0_TO_2000 730425
#define DAYS_OF_400_YEARS 146097
#define DAYS_OF_4_YEARS 1461

/* No offset of a zone comes near: a span that ended so long before a wall clock never shows it. */
#define OFFSET_LIMIT_US (2 * EB_DAY_US)

/* Days from 1 March to the first of the month, March = 0: months of 31 30 31 30 31 repeat */
static int
days_before_month(int month)
{
	return (153 * month + 2) / 5;
}

int32_t
eb_day_from_date(int year, int month, int day)
{
	int march_year = month <= 2 ? year - 1 : year;
	int march_month = (month + 9) % 12;

	return 365 * march_year + march_year / 4 - march_year / 100 + march_year / 400 +
		   days_before_month(march_month) + day - 1 - MARCH_0_TO_2000;
}

EbDate
eb_date_from_day(int32_t day)
{
	int n = day + MARCH_0_TO_2000;
	int century = (4 * n + 3) / DAYS_OF_400_YEARS;
	int year;
	int month;

	n -= century * DAYS_OF_400_YEARS / 4;
	year = (4 * n + 3) / DAYS_OF_4_YEARS;
	n -= year * DAYS_OF_4_YEARS / 4;
	month = (5 * n + 2) / 153;
	return (EbDate){
		.year = 100 * century + year + (month >= 10 ? 1 : 0),
		.month = month >= 10 ? month - 9 : month + 3,
		.day = n - days_before_month(month) + 1,
	};
}

int
eb_weekday(int32_t day)
{
	int shifted = (day + 5) % 7; /* 2000-01-01 was a Saturday */

	return shifted < 0 ? shifted + 7 : shifted;
}

int
eb_month_days(int year, int month)
{
	static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

int
eb_zone_find(const EbZone *zone, int64_t at_us)
{
	int low = 0;
	int high = zone->nspans;

	while (high - low > 1)
	{
		int middle = low + (high - low) / 2;

		if (zone->span[middle].from_us <= at_us)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int32_t
eb_local_day(const EbZone *zone, int64_t at_us, int *minute)
{
	int64_t wall_us = at_us + zone->span[eb_zone_find(zone, at_us)].offset_s * EB_SECOND_US;
	int64_t day = wall_us / EB_DAY_US;

	if (wall_us < day * EB_DAY_US)
		day--;
	if (minute != NULL)
		*minute = (int) ((wall_us - day * EB_DAY_US) / EB_MINUTE_US);
	return (int32_t) day;
}

int64_t
eb_wall_instant(const EbZone *zone, int64_t wall_us)
{
	int i = eb_zone_find(zone, wall_us - OFFSET_LIMIT_US);
	int64_t at_us;

	/* the first span whose wall clock goes beyond wall_us shows it, or begins after the gap */
	for (;; i++)
	{
		at_us = wall_us - zone->span[i].offset_s * EB_SECOND_US;
		if (i == zone->nspans - 1 || at_us < zone->span[i + 1].from_us)
			break;
	}
	return at_us > zone->span[i].from_us ? at_us : zone->span[i].from_us;
}

int64_t
eb_day_start(const EbZone *zone, int32_t day)
{
	return eb_wall_instant(zone, day * EB_DAY_US);
}

/* n digits at text[at]; -1 when one is missing */
static int
digits_at(EbText text, int at, int n)
{
	int value = 0;

	if (at + n > text.len)
		return -1;
	for (int i = at; i < at + n; i++)
	{
		if (text.data[i] < '0' || text.data[i] > '9')
			return -1;
		value = value * 10 + (text.data[i] - '0');
	}
	return value;
}

bool
eb_parse_date(EbText text, int32_t *day)
{
	int year = digits_at(text, 0, 4);
	int month = digits_at(text, 5, 2);
	int mday = digits_at(text, 8, 2);

	if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-' || year < 1900 ||
		year > 2999 || month < 1 || month > 12 || mday < 1 || mday > eb_month_days(year, month))
		return false;
	*day = eb_day_from_date(year, month, mday);
	return true;
}

bool
eb_parse_month_day(EbText text, int *month, int *day)
{
	int read_month = digits_at(text, 0, 2);
	int read_day = digits_at(text, 3, 2);

	/* 2000 is a leap year: 02-29 is a date */
	if (text.len != 5 || text.data[2] != '-' || read_month < 1 || read_month > 12 || read_day < 1 ||
		read_day > eb_month_days(2000, read_month))
		return false;
	*month = read_month;
	*day = read_day;
	return true;
}

bool
eb_parse_minute(EbText text, int *minute)
{
	int hour = digits_at(text, 0, 2);
	int rest = digits_at(text, 3, 2);

	if (text.len != 5 || text.data[2] != ':' || hour < 0 || rest < 0 || rest > 59 ||
		hour * 60 + rest > EB_DAY_MINUTES)
		return false;
	*minute = hour * 60 + rest;
	return true;
}

/* ":SS[.ffffff]" from *at on, in microseconds, when there is any; false when malformed */
static bool
take_seconds(EbText text, int *at, int64_t *us)
{
	int seconds;
	int64_t unit = EB_SECOND_US;

	*us = 0;
	if (*at >= text.len || text.data[*at] != ':')
		return true;
	seconds = digits_at(text, *at + 1, 2);
	if (seconds < 0 || seconds > 59)
		return false;
	*us = seconds * EB_SECOND_US;
	*at += 3;
	if (*at >= text.len || text.data[*at] != '.')
		return true;
	(*at)++;
	if (digits_at(text, *at, 1) < 0)
		return false;
	for (; digits_at(text, *at, 1) >= 0; (*at)++)
	{
		unit /= 10;
		if (unit == 0)
			return false;
		*us += digits_at(text, *at, 1) * unit;
	}
	return true;
}

/* "Z", "+HH", "-HHMM", "+HH:MM" from at to the end, in seconds; false when it is none of these */
static bool
take_offset(EbText text, int at, int *offset_s)
{
	int hours = digits_at(text, at + 1, 2);
	int minutes = 0;
	int end = at + 3;

	if (text.data[at] == 'Z')
	{
		*offset_s = 0;
		return at + 1 == text.len;
	}
	if (text.data[at] != '+' && text.data[at] != '-')
		return false;
	if (end < text.len)
	{
		end += text.data[end] == ':' ? 1 : 0;
		minutes = digits_at(text, end, 2);
		end += 2;
	}
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || end != text.len)
		return false;
	*offset_s = (hours * 3600 + minutes * 60) * (text.data[at] == '-' ? -1 : 1);
	return true;
}

bool
eb_parse_instant(EbText text, const EbZone *zone, int64_t *at_us)
{
	EbText date = {text.data, text.len < 10 ? text.len : 10};
	EbText clock = {text.data + 11, 5};
	int64_t us = 0;
	int32_t day;
	int minute = 0;
	int offset_s;
	int at = 16;

	if (!eb_parse_date(date, &day))
		return false;
	if (text.len > 10)
	{
		if (text.len < at || (text.data[10] != 'T' && text.data[10] != ' ') ||
			!eb_parse_minute(clock, &minute) || minute == EB_DAY_MINUTES ||
			!take_seconds(text, &at, &us))
			return false;
	}
	us += day * EB_DAY_US + minute * EB_MINUTE_US;
	if (text.len > 10 && at < text.len)
	{
		if (!take_offset(text, at, &offset_s))
			return false;
		*at_us = us - offset_s * EB_SECOND_US;
		return true;
	}
	if (zone == NULL)
		return false;
	*at_us = eb_wall_instant(zone, us);
	return true;
}

/* n decimal digits and the character behind them; returns what follows */
static char *
put_digits(char *buf, int value, int n, char separator)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		buf[i] = (char) ('0' + value % 10);
	buf[n] = separator;
	return buf + n + 1;
}

int
eb_format_date(int32_t day, char *buf)
{
	EbDate date = eb_date_from_day(day);
	char *end = put_digits(buf, date.year, 4, '-');

	end = put_digits(end, date.month, 2, '-');
	put_digits(end, date.day, 2, '\0');
	return EB_DATE_TEXT - 1;
}

int
eb_format_instant(int64_t at_us, char *buf)
{
	int32_t day = (int32_t) (at_us / EB_DAY_US - (at_us % EB_DAY_US < 0 ? 1 : 0));
	int64_t rest = at_us - day * EB_DAY_US;
	int second = (int) (rest / EB_SECOND_US);
	int fraction = (int) (rest % EB_SECOND_US);
	char *end = buf + eb_format_date(day, buf);

	*end++ = 'T';
	end = put_digits(end, second / 3600, 2, ':');
	end = put_digits(end, second / 60 % 60, 2, ':');
	end = put_digits(end, second % 60, 2, fraction > 0 ? '.' : 'Z');
	if (fraction > 0)
		end = put_digits(end, fraction, 6, 'Z');
	*end = '\0';
	return (int) (end - buf);
}
