/*
 * json_write.c -- writing JSON text into memory of the caller
 * In:  keys and values in the order of the text.
 * Out: JSON for the importers of tariffs (import_urdb.c, import_ocpi.c).
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "rating/json_write.h"

void
eb_json_init(EbJson *json, char *buf, size_t size)
{
	*json = (EbJson){.buf = buf, .size = size};
}

static void
put(EbJson *json, const char *data, size_t n)
{
	if (json->len <= json->size && n <= json->size - json->len && n > 0)
		memcpy(json->buf + json->len, data, n);
	json->len += n;
}

/* What stands between this value and the one before it */
static void
begin_value(EbJson *json)
{
	if (json->comma && !json->keyed)
		put(json, ",", 1);
	json->comma = true;
	json->keyed = false;
}

static void
put_quoted(EbJson *json, EbText text)
{
	char escape[8];
	int done = 0;

	put(json, "\"", 1);
	for (int i = 0; i < text.len; i++)
	{
		unsigned char c = (unsigned char) text.data[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(json, text.data + done, (size_t) (i - done));
		if (c < 0x20)
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned) c);
		else
			snprintf(escape, sizeof(escape), "\\%c", c);
		put(json, escape, strlen(escape));
		done = i + 1;
	}
	if (done < text.len)
		put(json, text.data + done, (size_t) (text.len - done));
	put(json, "\"", 1);
}

static void
open_with(EbJson *json, const char *bracket)
{
	begin_value(json);
	put(json, bracket, 1);
	json->comma = false;
}

static void
close_with(EbJson *json, const char *bracket)
{
	put(json, bracket, 1);
	json->comma = true;
}

void
eb_json_open_object(EbJson *json)
{
	open_with(json, "{");
}

void
eb_json_close_object(EbJson *json)
{
	close_with(json, "}");
}

void
eb_json_open_array(EbJson *json)
{
	open_with(json, "[");
}

void
eb_json_close_array(EbJson *json)
{
	close_with(json, "]");
}

void
eb_json_key_text(EbJson *json, EbText key)
{
	begin_value(json);
	put_quoted(json, key);
	put(json, ":", 1);
	json->keyed = true;
}

void
eb_json_key(EbJson *json, const char *key)
{
	eb_json_key_text(json, (EbText){key, (int) strlen(key)});
}

void
eb_json_text(EbJson *json, EbText text)
{
	begin_value(json);
	put_quoted(json, text);
}

void
eb_json_string(EbJson *json, const char *text)
{
	eb_json_text(json, (EbText){text, (int) strlen(text)});
}

static void
put_word(EbJson *json, const char *word)
{
	begin_value(json);
	put(json, word, strlen(word));
}

void
eb_json_bool(EbJson *json, bool value)
{
	put_word(json, value ? "true" : "false");
}

void
eb_json_null(EbJson *json)
{
	put_word(json, "null");
}

void
eb_json_int(EbJson *json, int64_t value)
{
	eb_json_decimal(json, value, 0);
}

void
eb_json_decimal(EbJson *json, eb_int128 value, int scale)
{
	char number[EB_DECIMAL_TEXT];

	eb_decimal_format(value, scale, number);
	put_word(json, number);
}

void
eb_json_minute(EbJson *json, int minute)
{
	char text[16];

	snprintf(text, sizeof(text), "%02d:%02d", minute / 60 % 100, minute % 60);
	eb_json_string(json, text);
}

void
eb_json_date(EbJson *json, int32_t day)
{
	char text[EB_DATE_TEXT];

	eb_format_date(day, text);
	eb_json_string(json, text);
}

void
eb_json_put_string(EbJson *json, const char *key, const char *text)
{
	eb_json_key(json, key);
	eb_json_string(json, text);
}

void
eb_json_put_int(EbJson *json, const char *key, int64_t value)
{
	eb_json_key(json, key);
	eb_json_int(json, value);
}

void
eb_json_put_decimal(EbJson *json, const char *key, eb_int128 value, int scale)
{
	eb_json_key(json, key);
	eb_json_decimal(json, value, scale);
}

void
eb_json_put_bool(EbJson *json, const char *key, bool value)
{
	eb_json_key(json, key);
	eb_json_bool(json, value);
}
