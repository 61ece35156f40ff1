/*
 * tariff_json.h -- reading a node tree: members, elements, texts, numbers
 * Every function takes NULL and nodes of another kind for "not there", so that a reader of a
 * tariff with faults needs no checks of its own.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_TARIFF_JSON_H
#define EB_TARIFF_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/decimal.h"
#include "rating/node.h"
#include "rating/tariff_grammar.h"

/* Longest canonical text of a number with its terminator */
#define EB_NUMBER_TEXT EB_DECIMAL_TEXT

static inline bool
eb_text_is(EbText text, const char *word)
{
	return strlen(word) == (size_t) text.len && memcmp(text.data, word, (size_t) text.len) == 0;
}

static inline bool
eb_text_equal(EbText a, EbText b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, (size_t) a.len) == 0);
}

/* Loops over the elements of an array or the members of an object. */
#define EB_EACH(item, node) \
	for (const EbNode *item = eb_node_first(node); item != NULL; item = item->next)

extern const EbNode *eb_node_first(const EbNode *node);
extern int eb_node_count(const EbNode *node);

/* Member of an object by name; get and member give NULL also when its value is null. */
extern const EbNode *eb_node_find(const EbNode *object, const char *key);
extern const EbNode *eb_node_get(const EbNode *object, const char *key);
extern const EbNode *eb_node_member(const EbNode *object, EbText key);

static inline bool
eb_node_is(const EbNode *node, EbNodeKind kind)
{
	return node != NULL && node->kind == kind;
}

/* Content of a text node; empty (len 0, data not NULL) otherwise. */
extern EbText eb_node_text(const EbNode *node);
/* That of a member */
extern EbText eb_text_of(const EbNode *object, const char *key);
/* The name under which base lists find a component, besides its code */
extern EbText eb_group_of(const EbNode *component);

/* May a path show the key without quotes? */
extern bool eb_key_plain(EbText key);

/* Value of a boolean node, initial otherwise. */
extern bool eb_node_bool(const EbNode *node, bool initial);

/* A number, or a text that is one, as an integer of 10^-scale; *result is 0 when it is none. */
extern EbStatus eb_node_decimal(const EbNode *node, int scale, int64_t *result);

/* Integer value or initial. */
extern int eb_node_int(const EbNode *node, int initial);

/* Is text one of the words, which stand with blanks between them? */
extern bool eb_text_in(EbText text, const char *words);

/* Is a text of the list equal to text? */
extern bool eb_list_has(const EbNode *list, EbText text);

/*
 * "A number, or a text, as an attribute's value": numbers in their shortest form, in buf when they
 * were longer; "true" and "false".
 */
extern EbText eb_scalar_text(const EbNode *node, char buf[EB_NUMBER_TEXT]);

#endif
