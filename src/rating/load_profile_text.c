/*
 * load_profile_text.c -- load profiles as a person writes them
 * In:  profiles; text of anybody.
 * Out: text; drafts.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "base/civil.h"
#include "rating/fault.h"
#include "rating/load_profile_text.h"

/* A number beyond this is read as this, and refused. */
#define TOO_LARGE INT64_C(100000000000000000)

#define DAY_S 86400

/* Longest word quoted in a message */
#define QUOTED 40

/* ---------------------------------------------------------------- steps */

/* n and the letter of its unit, unless n is 0; returns what follows */
static char *
put_part(char *at, int32_t n, char unit)
{
	if (n >= 10)
		*at++ = (char) ('0' + n / 10);
	if (n > 0)
	{
		*at++ = (char) ('0' + n % 10);
		*at++ = unit;
	}
	return at;
}

int
eb_profile_step_text(int32_t step_s, char *buf)
{
	char *at = buf;

	*at++ = 'P';
	if (step_s == DAY_S)
		at = put_part(at, 1, 'D');
	else
	{
		*at++ = 'T';
		at = put_part(at, step_s / 3600, 'H');
		at = put_part(at, step_s / 60 % 60, 'M');
		at = put_part(at, step_s % 60, 'S');
	}
	*at = '\0';
	return (int) (at - buf);
}

/* Digits at the beginning of the text, which moves behind them; false when there are none */
static bool
take_digits(EbText *text, int64_t *value)
{
	int n = 0;

	*value = 0;
	for (; n < text->len && text->data[n] >= '0' && text->data[n] <= '9'; n++)
		if (*value < TOO_LARGE)
			*value = *value * 10 + (text->data[n] - '0');
	if (*value > TOO_LARGE)
		*value = TOO_LARGE;
	text->data += n;
	text->len -= n;
	return n > 0;
}

static bool
take_char(EbText *text, char wanted)
{
	if (text->len == 0 || text->data[0] != wanted)
		return false;
	text->data++;
	text->len--;
	return true;
}

bool
eb_profile_parse_step(EbText text, int32_t *step_s)
{
	static const char unit[] = {'H', 'M', 'S'};
	static const int32_t seconds[] = {3600, 60, 1};
	int64_t sum = 0;
	int next = 0;

	if (text.len == 3 && memcmp(text.data, "P1D", 3) == 0)
	{
		*step_s = DAY_S;
		return true;
	}
	if (!take_char(&text, 'P') || !take_char(&text, 'T') || text.len == 0)
		return false;
	while (text.len > 0)
	{
		int64_t n;

		if (!take_digits(&text, &n) || text.len == 0 || n > DAY_S)
			return false;
		while (next < 3 && unit[next] != text.data[0])
			next++;
		if (next == 3)
			return false;
		sum += n * seconds[next++];
		text.data++;
		text.len--;
	}
	*step_s = (int32_t) sum;
	return sum >= 1 && sum <= DAY_S;
}

/* ---------------------------------------------------------------- writing */

typedef struct Writer
{
	char *buf;
	size_t size;
	size_t len; /* also of what did not fit */
} Writer;

static inline void
put_char(Writer *out, char c)
{
	if (out->len < out->size)
		out->buf[out->len] = c;
	out->len++;
}

static void
put_text(Writer *out, const char *text)
{
	for (; *text != '\0'; text++)
		put_char(out, *text);
}

static void
put_number(Writer *out, int64_t value)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t) value : (uint64_t) value;
	char digit[20];
	int n = 0;

	if (value < 0)
		put_char(out, '-');
	do
		digit[n++] = (char) ('0' + rest % 10);
	while ((rest /= 10) > 0);
	while (n > 0)
		put_char(out, digit[--n]);
}

static void
put_value(Writer *out, const EbProfileValue *value, int32_t count)
{
	put_char(out, ' ');
	if (value->missing != 0)
		put_char(out, '-');
	else
		put_number(out, value->energy_wh);
	if (value->quality != 0)
	{
		put_char(out, '~');
		put_number(out, value->quality);
	}
	if (count > 1)
	{
		put_char(out, '*');
		put_number(out, count);
	}
}

static EbProfileValue
value_at(const EbProfile *profile, int32_t i, EbProfileQuality *walk)
{
	bool missing = eb_profile_is_missing(profile, i);

	return (EbProfileValue){missing ? 0 : eb_profile_wh(profile, i),
							eb_profile_next_quality(profile, walk), missing};
}

size_t
eb_profile_text(const EbProfile *profile, char *buf, size_t size)
{
	Writer out = {buf, size, 0};
	EbProfileQuality walk = {0};
	EbProfileValue value = {0};
	int32_t count = 0;
	char text[EB_INSTANT_TEXT + EB_STEP_TEXT];

	put_text(&out, eb_profile_direction[profile->channel]);
	put_char(&out, ' ');
	eb_format_instant(profile->start_us, text);
	put_text(&out, text);
	put_char(&out, '/');
	eb_profile_step_text(profile->step_s, text);
	put_text(&out, text);
	for (int32_t i = 0; i < profile->n; i++)
	{
		EbProfileValue next = value_at(profile, i, &walk);

		if (count > 0 && (next.energy_wh != value.energy_wh || next.quality != value.quality ||
						  next.missing != value.missing))
		{
			put_value(&out, &value, count);
			count = 0;
		}
		value = next;
		count++;
	}
	if (count > 0)
		put_value(&out, &value, count);
	return out.len;
}

/* ---------------------------------------------------------------- reading */

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word of the text, which moves behind it; empty at the end */
static EbText
take_word(EbText *text)
{
	EbText word;

	while (text->len > 0 && is_space(text->data[0]))
	{
		text->data++;
		text->len--;
	}
	word = (EbText){text->data, 0};
	while (word.len < text->len && !is_space(word.data[word.len]))
		word.len++;
	text->data += word.len;
	text->len -= word.len;
	return word;
}

/* Bytes of a word that are quoted: no half of a UTF-8 character */
static int
quoted(EbText word)
{
	int shown = word.len < QUOTED ? word.len : QUOTED;

	while (shown < word.len && ((unsigned char) word.data[shown] & 0xC0) == 0x80 && shown > 0)
		shown--;
	return shown;
}

static EbStatus
refuse_word(EbFault *fault, const char *what, EbText word)
{
	eb_fault_set(fault, EB_BAD_ARGUMENT, "text of a load profile is not valid",
				 "It reads like: import 2025-02-28T16:00:00Z/PT15M 120 130 - 140~2 0*92");
	if (word.len == 0)
		return eb_fault_detail(fault, EB_BAD_ARGUMENT, "There is no %s.", what);
	return eb_fault_detail(fault, EB_BAD_ARGUMENT, "This is no %s: \"%.*s%s\".", what, quoted(word),
						   word.data, word.len > QUOTED ? "..." : "");
}

/* Here, while it is known how the value was written */
static EbStatus
refuse_large(EbFault *fault, EbText word)
{
	eb_fault_set(fault, EB_OUT_OF_RANGE, "value of a load profile is out of range",
				 "It must lie within 1000000000000000 Wh of 0.");
	return eb_fault_detail(fault, EB_OUT_OF_RANGE, "It is written \"%.*s%s\".", quoted(word),
						   word.data, word.len > QUOTED ? "..." : "");
}

/* Start and step */
static bool
parse_grid(EbText word, EbProfileDraft *draft)
{
	const char *slash = word.len > 0 ? memchr(word.data, '/', (size_t) word.len) : NULL;
	EbText start;

	if (slash == NULL)
		return false;
	start = (EbText){word.data, (int) (slash - word.data)};
	return eb_parse_instant(start, NULL, &draft->start_us) &&
		   eb_profile_parse_step((EbText){slash + 1, word.len - start.len - 1}, &draft->step_s);
}

/* "-" or Wh, then ~quality and *count when there are any */
static bool
parse_value(EbText word, EbProfileValue *value, int32_t *count)
{
	bool negative = take_char(&word, '-');
	int64_t number;

	*value = (EbProfileValue){0};
	*count = 1;
	if (take_digits(&word, &number))
		value->energy_wh = negative ? -number : number;
	else if (negative)
		value->missing = 1;
	else
		return false;
	if (take_char(&word, '~'))
	{
		if (!take_digits(&word, &number) || number > INT32_MAX)
			return false;
		value->quality = (int32_t) number;
	}
	if (take_char(&word, '*'))
	{
		if (!take_digits(&word, &number) || number < 1 || number > EB_PROFILE_MOST_VALUES)
			return false;
		*count = (int32_t) number;
	}
	return word.len == 0;
}

static EbStatus
too_many(EbFault *fault)
{
	eb_fault_set(fault, EB_BAD_ARGUMENT, "load profile has too many values",
				 "Cut it into several.");
	return eb_fault_detail(fault, EB_BAD_ARGUMENT, "At most %d are allowed.",
						   EB_PROFILE_MOST_VALUES);
}

EbStatus
eb_profile_parse(EbText text, EbProfileDraft *draft, EbProfileValue *value, EbFault *fault)
{
	EbText word = take_word(&text);
	EbProfileValue one;
	int32_t count;

	*draft = (EbProfileDraft){.channel = eb_profile_channel(word), .value = value};
	if (draft->channel < 0)
		return refuse_word(fault, "direction", word);
	word = take_word(&text);
	if (!parse_grid(word, draft))
		return refuse_word(fault, "start with its step", word);
	for (word = take_word(&text); word.len > 0; word = take_word(&text))
	{
		if (!parse_value(word, &one, &count))
			return refuse_word(fault, "value", word);
		if (one.energy_wh >= TOO_LARGE || one.energy_wh <= -TOO_LARGE)
			return refuse_large(fault, word);
		if (count > EB_PROFILE_MOST_VALUES - draft->n)
			return too_many(fault);
		for (int32_t i = 0; i < count && value != NULL; i++)
			value[draft->n + i] = one;
		draft->n += count;
	}
	return EB_OK;
}
