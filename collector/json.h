/*
 * json.h -- text as JSON wants it
 */
#ifndef EB_JSON_H
#define EB_JSON_H

#include <stddef.h>
#include <stdio.h>

/* Bytes of the UTF-8 character at text; 0 when it is none. Nothing is read behind a 0. */
extern size_t eb_utf8_size(const char *text);

/*
 * Text in quotes, escaped; NULL gives null. A byte that is no UTF-8 is written as the character of
 * its number, so that every reader takes what a meter sent.
 */
extern void eb_json_put_text(FILE *out, const char *text);

#endif
