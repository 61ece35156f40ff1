/*
 * tariff_json.c -- reading a node tree: members, elements, texts, numbers
 * In:  nodes (node.h), checked or not.
 * Out: values for tariff_lint.c, tariff_text.c and tariff_compile.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "rating/tariff_json.h"

const EbNode *
eb_node_first(const EbNode *node)
{
	if (node == NULL || (node->kind != EB_NODE_ARRAY && node->kind != EB_NODE_OBJECT))
		return NULL;
	return node->child;
}

int
eb_node_count(const EbNode *node)
{
	int n = 0;

	EB_EACH(item, node)
		n++;
	return n;
}

static const EbNode *
find_member(const EbNode *object, EbText key)
{
	if (eb_node_is(object, EB_NODE_OBJECT))
		EB_EACH(item, object)
			if (eb_text_equal(item->key, key))
				return item;
	return NULL;
}

const EbNode *
eb_node_find(const EbNode *object, const char *key)
{
	return find_member(object, (EbText){key, (int) strlen(key)});
}

const EbNode *
eb_node_member(const EbNode *object, EbText key)
{
	const EbNode *member = find_member(object, key);

	return eb_node_is(member, EB_NODE_NULL) ? NULL : member;
}

const EbNode *
eb_node_get(const EbNode *object, const char *key)
{
	return eb_node_member(object, (EbText){key, (int) strlen(key)});
}

EbText
eb_node_text(const EbNode *node)
{
	if (!eb_node_is(node, EB_NODE_TEXT))
		return (EbText){"", 0};
	return node->text;
}

bool
eb_key_plain(EbText key)
{
	for (int i = 0; i < key.len; i++)
	{
		char c = key.data[i];

		if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			  (c >= 'A' && c <= 'Z')))
			return false;
	}
	return key.len > 0;
}

EbText
eb_text_of(const EbNode *object, const char *key)
{
	return eb_node_text(eb_node_get(object, key));
}

EbText
eb_group_of(const EbNode *component)
{
	EbText group = eb_text_of(component, "group");

	return group.len > 0 ? group : eb_text_of(component, "code");
}

bool
eb_node_bool(const EbNode *node, bool initial)
{
	if (eb_node_is(node, EB_NODE_TRUE))
		return true;
	return eb_node_is(node, EB_NODE_FALSE) ? false : initial;
}

EbStatus
eb_node_decimal(const EbNode *node, int scale, int64_t *result)
{
	EbStatus status;

	*result = 0;
	if (!eb_node_is(node, EB_NODE_NUMBER) && !eb_node_is(node, EB_NODE_TEXT))
		return EB_BAD_ARGUMENT;
	status = eb_decimal_parse64(node->text, scale, result);
	if (status != EB_OK)
		*result = 0;
	return status;
}

int
eb_node_int(const EbNode *node, int initial)
{
	int64_t value;

	if (!eb_node_is(node, EB_NODE_NUMBER) || eb_node_decimal(node, 0, &value) != EB_OK ||
		value < INT32_MIN || value > INT32_MAX)
		return initial;
	return (int) value;
}

bool
eb_text_in(EbText text, const char *words)
{
	while (*words != '\0')
	{
		size_t len = strcspn(words, " ");

		if (eb_text_equal(text, (EbText){words, (int) len}))
			return true;
		words += len + (words[len] == ' ' ? 1 : 0);
	}
	return false;
}

bool
eb_list_has(const EbNode *list, EbText text)
{
	EB_EACH(item, list)
		if (eb_node_is(item, EB_NODE_TEXT) && eb_text_equal(item->text, text))
			return true;
	return false;
}

EbText
eb_scalar_text(const EbNode *node, char buf[EB_NUMBER_TEXT])
{
	int64_t value;

	if (eb_node_is(node, EB_NODE_TRUE))
		return (EbText){"true", 4};
	if (eb_node_is(node, EB_NODE_FALSE))
		return (EbText){"false", 5};
	if (eb_node_is(node, EB_NODE_NUMBER) && eb_node_decimal(node, EB_PRICE_SCALE, &value) == EB_OK)
		return (EbText){buf, eb_decimal_format(value, EB_PRICE_SCALE, buf)};
	return eb_node_text(node);
}
