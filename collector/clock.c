/*
 * clock.c -- the two clocks of the collector and the text of an instant
 * In:  the kernel's clocks; wall-clock text of meters.
 * Out: milliseconds for loop, sched and readings; text for SQL and JSON.
 */
#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/civil.h"

#define DAY_MS INT64_C(86400000)

static int64_t
clock_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
eb_clock_mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t
eb_clock_mono_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
eb_clock_real_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

/* The timer itself lies ten years ahead; only its cancellation by a clock step matters. */
static bool
arm_watch(int fd)
{
	struct itimerspec far = {{0, 0}, {0, 0}};

	far.it_value.tv_sec = time(NULL) + 10 * 366 * 86400;
	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL) == 0;
}

int
eb_clock_watch(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd >= 0 && !arm_watch(fd))
	{
		close(fd);
		return -1;
	}
	return fd;
}

bool
eb_clock_stepped(int fd)
{
	uint64_t expirations;
	bool stepped = read(fd, &expirations, sizeof(expirations)) < 0 && errno == ECANCELED;

	arm_watch(fd);
	return stepped;
}

/* Once is enough: a clock that ran freely for a while is still better than one that was never set. */
bool
eb_clock_synced(void)
{
	static bool synced;
	struct timex now = {0};

	synced = synced || (adjtimex(&now) >= 0 && (now.status & STA_UNSYNC) == 0);
	return synced;
}

const char *
eb_clock_text(char buf[EB_CLOCK_TEXT], int64_t at_ms)
{
	int64_t ms = ((at_ms % 1000) + 1000) % 1000;
	time_t seconds = (time_t) ((at_ms - ms) / 1000);
	struct tm utc;
	size_t used;

	gmtime_r(&seconds, &utc);
	used = strftime(buf, EB_CLOCK_TEXT, "%Y-%m-%d %H:%M:%S", &utc);
	snprintf(buf + used, EB_CLOCK_TEXT - used, ".%03d+00", (int) ms);
	return buf;
}

/* Exactly n digits at *text, which moves behind them; -1 when there are not as many. */
static int
take_digits(const char **text, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++, (*text)++)
	{
		if (**text < '0' || **text > '9')
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value;
}

static bool
take_char(const char **text, const char *allowed)
{
	if (**text == '\0' || strchr(allowed, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

bool
eb_clock_parse_offset(const char *text, int *utc_offset_s)
{
	int sign = *text == '-' ? -1 : 1;
	int hours;
	int minutes = 0;

	*utc_offset_s = 0;
	if (strcmp(text, "Z") == 0)
		return true;
	if (!take_char(&text, "+-") || (hours = take_digits(&text, 2)) < 0)
		return false;
	if (*text != '\0')
	{
		(void) take_char(&text, ":");
		minutes = take_digits(&text, 2);
	}
	if (*text != '\0' || minutes < 0 || minutes > 59 || hours * 60 + minutes > 14 * 60)
		return false;
	*utc_offset_s = sign * (hours * 60 + minutes) * 60;
	return true;
}

/* Seconds and their fraction, cut to the millisecond; -1 when malformed. */
static int
take_second_ms(const char **text)
{
	int second = take_digits(text, 2);
	int ms = 0;
	int unit = 100;

	if (second < 0 || second > 59)
		return -1;
	if (!take_char(text, "."))
		return second * 1000;
	if (**text < '0' || **text > '9')
		return -1;
	for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
		ms += (**text - '0') * unit;
	return second * 1000 + ms;
}

int64_t
eb_clock_parse(const char *text, int utc_offset_s)
{
	int year = take_digits(&text, 4);
	int month = take_char(&text, "-") ? take_digits(&text, 2) : -1;
	int day = take_char(&text, "-") ? take_digits(&text, 2) : -1;
	int hour = take_char(&text, " T") ? take_digits(&text, 2) : -1;
	int minute = take_char(&text, ":") ? take_digits(&text, 2) : -1;
	int second_ms = 0;
	int64_t day_1970;

	if (year < 1900 || month < 1 || month > 12 || day < 1 || day > eb_month_days(year, month))
		return EB_NO_INSTANT;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return EB_NO_INSTANT;
	if (take_char(&text, ":") && (second_ms = take_second_ms(&text)) < 0)
		return EB_NO_INSTANT;
	if (*text != '\0' && !eb_clock_parse_offset(text, &utc_offset_s))
		return EB_NO_INSTANT;

	day_1970 = eb_day_from_date(year, month, day) + EB_UNIX_TO_2000_S / 86400;
	return day_1970 * DAY_MS + (hour * 60 + minute) * INT64_C(60000) + second_ms -
		   utc_offset_s * INT64_C(1000);
}
