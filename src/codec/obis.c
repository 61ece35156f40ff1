/*
 * obis.c -- what meters that write text share: the line id(value*unit), and OBIS codes
 * In:  characters of a telegram, or the six bytes of a code; out: items of a frame, text.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "codec/obis.h"

#include <stdio.h>
#include <string.h>

/* A part of a line; the characters are not terminated. */
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
count_digits(Span span, size_t from)
{
	size_t n = 0;

	while (from + n < span.n && is_digit(span.text[from + n]))
		n++;
	return n;
}

static Span
behind(Span span, size_t n)
{
	return (Span){span.text + n, span.n - n};
}

static Span
trim(Span span)
{
	while (span.n > 0 && (span.text[0] == ' ' || span.text[0] == '\t'))
		span = behind(span, 1);
	while (span.n > 0 && strchr(" \t\r", span.text[span.n - 1]) != NULL)
		span.n--;
	return span;
}

/* Takes what stands before the first such character, and the character. false: it is not there. */
static bool
take_until(Span *rest, char end, Span *part)
{
	const char *at = memchr(rest->text, end, rest->n);

	if (at == NULL)
		return false;
	*part = (Span){rest->text, (size_t) (at - rest->text)};
	*rest = behind(*rest, part->n + 1);
	return true;
}

/* Takes "(...)" from the front; there is no bracket inside. */
static bool
take_bracket(Span *rest, Span *part)
{
	if (rest->n == 0 || rest->text[0] != '(')
		return false;
	*rest = behind(*rest, 1);
	return take_until(rest, ')', part) && memchr(part->text, '(', part->n) == NULL;
}

/* Keeps a number without leading zeros; what is no plain decimal stays as it is. */
static EbFrameRef
keep_number(EbFrame *frame, Span value)
{
	Span number = value;
	size_t whole, places;
	EbFrameRef ref;

	if (number.n > 0 && number.text[0] == '-')
		number = behind(number, 1);
	whole = count_digits(number, 0);
	places = whole < number.n ? count_digits(number, whole + 1) : 0;
	if (whole == 0 || (whole < number.n &&
					   (number.text[whole] != '.' || places == 0 || whole + 1 + places < number.n)))
		return eb_frame_keep(frame, value.text, value.n);
	while (whole-- > 1 && number.text[0] == '0')
		number = behind(number, 1);
	if (value.text[0] != '-')
		return eb_frame_keep(frame, number.text, number.n);
	/* The sign moves over the zeros that fell. */
	ref = eb_frame_keep(frame, value.text + value.n - number.n - 1, number.n + 1);
	if (ref != 0)
		frame->text[ref] = '-';
	return ref;
}

static bool
has_unit(Span value)
{
	return memchr(value.text, '*', value.n) != NULL;
}

/* One id with its brackets, taken from the front of the line. */
typedef struct DataSet
{
	Span id;
	Span time; /* empty: none */
	Span value;
} DataSet;

/* false: the line goes on otherwise. */
static bool
take_set(Span *line, DataSet *set)
{
	size_t head = 0;

	while (head < line->n && strchr(" ()!/", line->text[head]) == NULL)
		head++;
	if (head == 0 || head > EB_OBIS_MAX_ID)
		return false;
	set->id = (Span){line->text, head};
	set->time = (Span){"", 0};
	*line = behind(*line, head);
	if (!take_bracket(line, &set->value))
		return false;
	if (line->n == 0 || line->text[0] != '(')
		return true;
	set->time = set->value;
	if (!take_bracket(line, &set->value))
		return false;
	if (has_unit(set->time) && !has_unit(set->value))
	{
		Span first = set->time;

		set->time = set->value;
		set->value = first;
	}
	return true;
}

static void
keep_set(EbFrame *frame, const DataSet *set)
{
	char id[EB_OBIS_MAX_ID + 1];
	Span unit = set->value, number;
	bool with_unit = take_until(&unit, '*', &number);
	EbFrameItem *item;

	number = trim(with_unit ? number : set->value);
	if (with_unit && number.n == 0)
		return;
	memcpy(id, set->id.text, set->id.n);
	id[set->id.n] = '\0';
	item = eb_frame_item(frame, id);
	if (item == NULL)
		return;
	item->value =
		with_unit ? keep_number(frame, number) : eb_frame_keep(frame, number.text, number.n);
	item->unit = with_unit ? eb_frame_keep(frame, unit.text, unit.n) : 0;
	item->time = eb_frame_keep(frame, set->time.text, set->time.n);
}

/* One line without its end: all of it is data sets, or it has no item. */
static void
read_line(EbFrame *frame, Span line)
{
	Span rest = line = trim(line);
	DataSet set;

	while (rest.n > 0)
		if (!take_set(&rest, &set))
			return;
	while (line.n > 0 && take_set(&line, &set))
		keep_set(frame, &set);
}

void
eb_obis_lines(EbFrame *frame, const char *text, size_t n)
{
	Span rest = {text, n}, line;

	while (rest.n > 0 && !frame->full)
	{
		if (!take_until(&rest, '\n', &line))
		{
			line = rest;
			rest.n = 0;
		}
		read_line(frame, line);
	}
}

bool
eb_obis_is_head(const uint8_t *line, size_t n)
{
	while (n > 0 && (line[n - 1] & 0x7F) == '\r')
		n--;
	if (n < 5 || (line[0] & 0x7F) != '/')
		return false;
	for (size_t i = 1; i < n; i++)
	{
		char c = (char) (line[i] & 0x7F);
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		if (c < 0x20 || c > 0x7E || strchr("/!()", c) != NULL || (i <= 3 && !letter))
			return false;
	}
	return true;
}

bool
eb_obis_has_head(const uint8_t *line, size_t n)
{
	/* An identification holds no slash: only the last one can begin it. */
	for (size_t i = n; i-- > 0;)
		if ((line[i] & 0x7F) == '/')
			return eb_obis_is_head(line + i, n - i);
	return false;
}

void
eb_obis_text(const uint8_t name[6], char *out)
{
	snprintf(out, EB_OBIS_TEXT_SIZE, "%u-%u:%u.%u.%u*%u", name[0], name[1], name[2], name[3],
			 name[4], name[5]);
}

const char *
eb_obis_unit(unsigned code)
{
	switch (code)
	{
		case 0x1B:
			return "W";
		case 0x1C:
			return "VA";
		case 0x1D:
			return "var";
		case 0x1E:
			return "Wh";
		case 0x1F:
			return "VAh";
		case 0x20:
			return "varh";
		case 0x21:
			return "A";
		case 0x23:
			return "V";
		case 0x2C:
			return "Hz";
	}
	return NULL;
}

/* A number 0..255 of one to three digits at the front of *text, and one of the characters behind it. */
static bool
take_part(const char **text, const char *one_of, int *part)
{
	int number = 0, digits = 0;

	while (digits < 3 && is_digit((*text)[digits]))
		number = number * 10 + ((*text)[digits++] - '0');
	if (digits == 0 || number > 255 || (*text)[digits] == '\0' ||
		strchr(one_of, (*text)[digits]) == NULL)
		return false;
	*part = number;
	*text += digits + 1;
	return true;
}

/* The same, with nothing behind it. */
static bool
take_last(const char *text, int *part)
{
	char with_end[5];
	const char *at = with_end;
	size_t n = strlen(text);

	if (n > 3)
		return false;
	memcpy(with_end, text, n);
	memcpy(with_end + n, ";", 2);
	return take_part(&at, ";", part) && *at == '\0';
}

bool
eb_obis_parse(const char *id, EbObis *obis)
{
	EbObis got = {-1, -1, -1, -1, -1, -1};
	const char *at = id;

	if (take_part(&at, "-", &got.a) && !take_part(&at, ":", &got.b))
		return false;
	if (!take_part(&at, ".", &got.c))
		return false;
	if (!take_last(at, &got.d))
	{
		if (!take_part(&at, ".", &got.d))
			return false;
		if (!take_last(at, &got.e) && (!take_part(&at, "*.&", &got.e) || !take_last(at, &got.f)))
			return false;
	}
	*obis = got;
	return true;
}

bool
eb_obis_register(const char *id, char *code)
{
	EbObis obis;

	if (!eb_obis_parse(id, &obis) || (obis.c != 1 && obis.c != 2) || obis.d != 8 || obis.e < 0 ||
		(obis.a != -1 && obis.a != 1) || (obis.b != -1 && obis.b != 0) ||
		(obis.f != -1 && obis.f != 255))
		return false;
	snprintf(code, EB_OBIS_CODE_SIZE, "%d.8.%u", obis.c, (unsigned) (uint8_t) obis.e);
	return true;
}
