/*
 * json_write.h -- writing JSON text into memory of the caller
 * Values are written one after the other; commas are set where they belong. What does not fit is
 * counted but not written, so the length a text needs is known after one try.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#ifndef EB_JSON_WRITE_H
#define EB_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/decimal.h"

typedef struct EbJson
{
	char *buf;
	size_t size; /* bytes of buf */
	size_t len;	 /* bytes of the text, also of what did not fit */
	bool comma;	 /* a value stands before the next one */
	bool keyed;	 /* a key stands before it */
} EbJson;

/* buf may be NULL when size is 0: then the text is only measured. */
extern void eb_json_init(EbJson *json, char *buf, size_t size);

/* Is the text complete in buf? It has no terminator. */
static inline bool
eb_json_fits(const EbJson *json)
{
	return json->len <= json->size;
}

extern void eb_json_open_object(EbJson *json);
extern void eb_json_close_object(EbJson *json);
extern void eb_json_open_array(EbJson *json);
extern void eb_json_close_array(EbJson *json);

/* The name of the member that the next value is. */
extern void eb_json_key(EbJson *json, const char *key);
extern void eb_json_key_text(EbJson *json, EbText key);

/* Values. A text is UTF-8; quotes, backslashes and control characters in it are escaped. */
extern void eb_json_text(EbJson *json, EbText text);
extern void eb_json_string(EbJson *json, const char *text);
extern void eb_json_bool(EbJson *json, bool value);
extern void eb_json_null(EbJson *json);
extern void eb_json_int(EbJson *json, int64_t value);

/* value x 10^-scale (0..38) in its shortest decimal form */
extern void eb_json_decimal(EbJson *json, eb_int128 value, int scale);

/* Minutes of the day, 0..1440, as "HH:MM"; a local day as "YYYY-MM-DD". */
extern void eb_json_minute(EbJson *json, int minute);
extern void eb_json_date(EbJson *json, int32_t day);

/* Member with a string, a number, a truth, in one call */
extern void eb_json_put_string(EbJson *json, const char *key, const char *text);
extern void eb_json_put_int(EbJson *json, const char *key, int64_t value);
extern void eb_json_put_decimal(EbJson *json, const char *key, eb_int128 value, int scale);
extern void eb_json_put_bool(EbJson *json, const char *key, bool value);

#endif /* EB_JSON_WRITE_H */
