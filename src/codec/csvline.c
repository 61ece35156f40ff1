/*
 * csvline.c -- meters that print a line: meter,usage[,time[,...]] LF or CR LF
 * In:  text bytes; out: one frame per line with the item "usage".
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * A refused line is refused whole. Going on at its second character, as binary protocols do, would
 * turn "meter one,5" into meter "one": here the next start is behind the line end.
 */
#include "codec/csvline.h"

#include "base/bcd.h"

#include <string.h>

#define MAX_METER 64
#define MAX_WHOLE 12
#define MAX_PLACES 6

/* State between two calls: the head of a line was too long, its tail is still to come. */
#define STATE_TAIL 1

/* A part of the line; the characters are not terminated. */
typedef struct Span
{
	const char *text;
	size_t n;
} Span;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
count_digits(const char *text, size_t n)
{
	size_t i = 0;

	while (i < n && is_digit(text[i]))
		i++;
	return i;
}

/* The next column without the blanks around it; *line then stands behind its comma. */
static Span
next_column(Span *line)
{
	const char *comma = memchr(line->text, ',', line->n);
	Span column = {line->text, comma != NULL ? (size_t) (comma - line->text) : line->n};
	size_t used = column.n + (comma != NULL ? 1 : 0);

	line->text += used;
	line->n -= used;
	while (column.n > 0 && (column.text[0] == ' ' || column.text[0] == '\t'))
	{
		column.text++;
		column.n--;
	}
	while (column.n > 0 && (column.text[column.n - 1] == ' ' || column.text[column.n - 1] == '\t'))
		column.n--;
	return column;
}

static bool
meter_ok(Span meter)
{
	for (size_t i = 0; i < meter.n; i++)
	{
		char c = meter.text[i];

		if (!is_digit(c) && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && c != '_' &&
			c != '.' && c != ':' && c != '-')
			return false;
	}
	return meter.n >= 1 && meter.n <= MAX_METER;
}

/* [0-9]{1,12}(.[0-9]{1,6})? to a decimal without leading zeros. */
static bool
read_usage(Span usage, char *value)
{
	char digits[MAX_WHOLE + MAX_PLACES + 1];
	size_t whole = count_digits(usage.text, usage.n);
	size_t places = 0;

	if (whole < 1 || whole > MAX_WHOLE)
		return false;
	if (whole < usage.n)
	{
		if (usage.text[whole] != '.')
			return false;
		places = count_digits(usage.text + whole + 1, usage.n - whole - 1);
		if (places < 1 || places > MAX_PLACES || whole + 1 + places != usage.n)
			return false;
		memcpy(digits + whole, usage.text + whole + 1, places);
	}
	memcpy(digits, usage.text, whole);
	digits[whole + places] = '\0';
	eb_bcd_point(digits, places, false, value);
	return true;
}

/* n digits at the front of *span as a number within low .. high; takes them from *span. */
static bool
take_number(Span *span, size_t n, int low, int high, int *number)
{
	if (count_digits(span->text, span->n) < n)
		return false;
	*number = 0;
	for (size_t i = 0; i < n; i++)
		*number = *number * 10 + (span->text[i] - '0');
	span->text += n;
	span->n -= n;
	return *number >= low && *number <= high;
}

static bool
take_char(Span *span, const char *one_of)
{
	if (span->n == 0 || strchr(one_of, span->text[0]) == NULL)
		return false;
	span->text++;
	span->n--;
	return true;
}

static bool
take_date(Span *span)
{
	static const int last_day[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;
	bool leap;

	if (!take_number(span, 4, 1, 9999, &year) || !take_char(span, "-") ||
		!take_number(span, 2, 1, 12, &month) || !take_char(span, "-") ||
		!take_number(span, 2, 1, 31, &day))
		return false;
	leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return day <= last_day[month - 1] && (month != 2 || day <= 28 || leap);
}

/*
 * YYYY-MM-DD, T or a blank, hh:mm[:ss[.f]], then Z or +hh[:mm] or -hh[:mm], with f of 1 to 6
 * digits: an instant. Without zone it would be a wall clock, and nobody says whose.
 */
static bool
is_instant(Span span)
{
	int number;

	if (!take_date(&span) || !take_char(&span, "T ") || !take_number(&span, 2, 0, 23, &number) ||
		!take_char(&span, ":") || !take_number(&span, 2, 0, 59, &number))
		return false;
	if (take_char(&span, ":"))
	{
		if (!take_number(&span, 2, 0, 59, &number))
			return false;
		if (take_char(&span, "."))
		{
			size_t digits = count_digits(span.text, span.n);

			if (digits < 1 || digits > 6)
				return false;
			span.text += digits;
			span.n -= digits;
		}
	}
	if (take_char(&span, "Z"))
		return span.n == 0;
	if (!take_char(&span, "+-") || !take_number(&span, 2, 0, 15, &number))
		return false;
	if (span.n > 0 && (!take_char(&span, ":") || !take_number(&span, 2, 0, 59, &number)))
		return false;
	return span.n == 0;
}

/* A line without its end. */
static EbFrameError
read_line(Span line, EbFrame *frame)
{
	Span meter, usage, time;
	EbFrameItem *item;
	char value[MAX_WHOLE + MAX_PLACES + 4];

	for (size_t i = 0; i < line.n; i++)
		if ((line.text[i] < 0x20 || line.text[i] > 0x7E) && line.text[i] != '\t')
			return EB_FRAME_CONTROL_BYTE;
	if (memchr(line.text, ',', line.n) == NULL)
		return EB_FRAME_STRUCTURE;
	meter = next_column(&line);
	usage = next_column(&line);
	time = next_column(&line);
	if (!meter_ok(meter))
		return EB_FRAME_STRUCTURE;

	frame->from_meter = true;
	memcpy(frame->address, meter.text, meter.n);
	frame->address[meter.n] = '\0';
	frame->checked = false;
	eb_frame_clear(frame);
	if (!read_usage(usage, value))
		return EB_FRAME_VALUE;
	item = eb_frame_item(frame, "usage");
	item->value = eb_frame_keep(frame, value, strlen(value));
	if (is_instant(time))
		item->time = eb_frame_keep(frame, time.text, time.n);
	return EB_FRAME_OK;
}

static EbScan
scan(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	const uint8_t *bytes = in->bytes;
	size_t n = in->n;
	size_t limit = n < EB_CSVLINE_MAX_LINE ? n : EB_CSVLINE_MAX_LINE;
	const uint8_t *end = memchr(bytes, '\n', *in->state == STATE_TAIL ? n : limit);
	Span line = {(const char *) bytes, end != NULL ? (size_t) (end - bytes) : 0};

	*length = end != NULL ? line.n + 1 : n;
	if (*in->state == STATE_TAIL)
	{
		if (end != NULL)
			*in->state = 0;
		return EB_SCAN_SKIP;
	}
	if (end == NULL && n > EB_CSVLINE_MAX_LINE)
	{
		*error = EB_FRAME_TOO_LONG;
		*length = limit;
		*in->state = STATE_TAIL;
		return EB_SCAN_REFUSED;
	}
	if (end == NULL && !in->ended)
		return EB_SCAN_MORE;
	if (end == NULL)
	{
		*error = EB_FRAME_TRUNCATED;
		return EB_SCAN_REFUSED;
	}
	/* CR LF, and CR CR LF where a meter's text mode added one more. */
	while (line.n > 0 && line.text[line.n - 1] == '\r')
		line.n--;
	*error = read_line(line, frame);
	return *error == EB_FRAME_OK ? EB_SCAN_FRAME : EB_SCAN_REFUSED;
}

static void
head(const EbFrame *frame, EbFrameText *text)
{
	eb_frame_put(text, "\"meter\":\"%s\",", frame->address);
}

const EbCodec eb_csvline_codec = {
	.name = "csvline",
	.scan = scan,
	.head = head,
};
