/*
 * kit_json.h -- JSON text as the node tree the pure core reads, for tests
 * Texts are in single quotes, so that C strings need no backslashes; no escapes. Members are
 * sorted by key in byte order, as jsonb gives them. Bad JSON aborts: tests are written by us.
 */
#ifndef ELECBILL_TEST_KIT_JSON_H
#define ELECBILL_TEST_KIT_JSON_H

#include <stdlib.h>
#include <string.h>

#include "rating/tariff_check.h"
#include "rating/tariff_compile.h"

#define KIT_MAX_NODES 4000

typedef struct KitJson
{
	const char *at;
	int n;
	EbNode node[KIT_MAX_NODES];
} KitJson;

static inline void
kit_json_blank(KitJson *json)
{
	json->at += strspn(json->at, " \t\n");
}

static inline int
kit_json_take(KitJson *json, char c)
{
	kit_json_blank(json);
	if (*json->at != c)
		return 0;
	json->at++;
	return 1;
}

static inline void
kit_json_need(KitJson *json, char c)
{
	if (!kit_json_take(json, c))
		abort();
}

static inline EbText
kit_json_text(KitJson *json)
{
	EbText text;

	kit_json_need(json, '\'');
	text = (EbText){json->at, (int) strcspn(json->at, "'")};
	json->at += text.len;
	kit_json_need(json, '\'');
	return text;
}

/* Shorter keys do not come first, unlike in jsonb: the compiler wants byte order */
static inline int
kit_json_compare(const EbNode *a, const EbNode *b)
{
	int common = a->key.len < b->key.len ? a->key.len : b->key.len;
	int order = memcmp(a->key.data, b->key.data, (size_t) common);

	return order != 0 ? order : a->key.len - b->key.len;
}

static inline EbNode *kit_json_value(KitJson *json);

static inline void
kit_json_children(KitJson *json, EbNode *parent, char close)
{
	EbNode *first = NULL;

	while (!kit_json_take(json, close))
	{
		EbText key = {"", 0};
		EbNode *child;
		EbNode **place = &first;

		if (first != NULL)
			kit_json_need(json, ',');
		if (close == '}')
		{
			key = kit_json_text(json);
			kit_json_need(json, ':');
		}
		child = kit_json_value(json);
		child->key = key;
		while (*place != NULL && (close == ']' || kit_json_compare(*place, child) < 0))
			place = (EbNode **) &(*place)->next;
		child->next = *place;
		*place = child;
	}
	parent->child = first;
}

static inline EbNode *
kit_json_value(KitJson *json)
{
	EbNode *node = &json->node[json->n++];

	if (json->n == KIT_MAX_NODES)
		abort();
	memset(node, 0, sizeof(*node));
	kit_json_blank(json);
	if (*json->at == '{' || *json->at == '[')
	{
		node->kind = *json->at == '{' ? EB_NODE_OBJECT : EB_NODE_ARRAY;
		json->at++;
		kit_json_children(json, node, node->kind == EB_NODE_OBJECT ? '}' : ']');
		return node;
	}
	if (*json->at == '\'')
	{
		node->kind = EB_NODE_TEXT;
		node->text = kit_json_text(json);
		return node;
	}
	node->text = (EbText){json->at, (int) strcspn(json->at, ",]} \n")};
	json->at += node->text.len;
	node->kind = EB_NODE_NUMBER;
	if (node->text.data[0] == 't')
		node->kind = EB_NODE_TRUE;
	if (node->text.data[0] == 'f')
		node->kind = EB_NODE_FALSE;
	if (node->text.data[0] == 'n')
		node->kind = EB_NODE_NULL;
	return node;
}

/* The tree lives until the next call. */
static inline const EbNode *
kit_json(const char *text)
{
	static KitJson json;

	json.at = text;
	json.n = 0;
	return kit_json_value(&json);
}

/* Shanghai, without its history */
static const EbZoneSpan kit_json_span = {INT64_MIN, 8 * 3600};
static const EbZone kit_json_zone = {&kit_json_span, 1};

/* A compiled tariff; it lives until the next call. What is wrong with it stands in *fault. */
static inline const EbTariff *
kit_json_tariff(const char *text, EbFault *fault)
{
	static int64_t block[1 << 16];
	size_t used;

	if (eb_tariff_compile(kit_json(text), block, sizeof(block), &used, fault) != EB_OK ||
		eb_tariff_localize((EbTariff *) block, &kit_json_zone, fault) != EB_OK)
		return NULL;
	if (eb_tariff_check(block, used, fault) != EB_OK)
		abort(); /* what the compiler makes can be stored and read */
	return (const EbTariff *) block;
}

#endif /* ELECBILL_TEST_KIT_JSON_H */
