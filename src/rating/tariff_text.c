/*
 * tariff_text.c -- the canonical JSON text of a tariff
 * In:  a node tree without lint errors, the grammar (tariff_grammar.h).
 * Out: text: keys in the order of the grammar, defaults left out, numbers in their shortest form,
 *      members of maps in byte order.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include <stdio.h>

#include "base/civil.h"
#include "rating/tariff_lint.h"
#include "rating/tariff_text.h"

static void write_value(EbWriter *writer, const EbNode *node, const EbType *type);

void
eb_put(EbWriter *writer, const char *data, size_t len)
{
	if (writer->full || len > writer->size - writer->len)
	{
		writer->full = true;
		return;
	}
	memcpy(writer->buf + writer->len, data, len);
	writer->len += len;
}

void
eb_put_string(EbWriter *writer, const char *text)
{
	eb_put(writer, text, strlen(text));
}

void
eb_put_json_text(EbWriter *writer, EbText text)
{
	char escape[8];

	eb_put(writer, "\"", 1);
	for (int i = 0; i < text.len; i++)
	{
		char c = text.data[i];

		if (c == '"' || c == '\\')
		{
			eb_put(writer, "\\", 1);
			eb_put(writer, &c, 1);
		}
		else if ((unsigned char) c < 0x20)
		{
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned) c);
			eb_put_string(writer, escape);
		}
		else
			eb_put(writer, &c, 1);
	}
	eb_put(writer, "\"", 1);
}

void
eb_put_decimal(EbWriter *writer, const EbNode *node, int scale)
{
	char buf[EB_DECIMAL_TEXT];
	int64_t value = 0;

	eb_node_decimal(node, scale, &value);
	eb_put(writer, buf, (size_t) eb_decimal_format(value, scale, buf));
}

/* ---------------------------------------------------------------- defaults */

static void
put_minor_unit(EbWriter *writer)
{
	int decimals = eb_node_int(eb_node_get(writer->root, "minor_unit"), 2);
	char buf[EB_DECIMAL_TEXT];

	eb_decimal_format(1, decimals, buf);
	eb_put_string(writer, "{\"step\":");
	eb_put_string(writer, buf);
	eb_put(writer, "}", 1);
}

/* round.line as it is written, else the minor unit */
static void
put_line_round(EbWriter *writer)
{
	const EbNode *line = eb_node_find(eb_node_get(writer->root, "round"), "line");

	if (line != NULL)
		write_value(writer, line, &eb_round_type);
	else
		put_minor_unit(writer);
}

static void
put_only_schedule(EbWriter *writer)
{
	const EbNode *schedule = eb_schedule_of(writer->root, NULL);

	if (schedule != NULL)
		eb_put_json_text(writer, schedule->key);
}

static void
put_only_demand(EbWriter *writer)
{
	const EbNode *demand = eb_node_first(eb_node_get(writer->root, "demands"));

	if (demand != NULL && demand->next == NULL)
		eb_put_json_text(writer, demand->key);
}

static void
put_split(EbWriter *writer, const EbNode *tier)
{
	EbText scope = eb_node_text(eb_node_get(tier, "scope"));

	eb_put_string(writer, eb_text_is(scope, "year") || eb_text_is(scope, "quarter") ? "\"continue\""
																					: "\"days\"");
}

/* Canonical text of a key's default; nothing when it has none. */
static void
put_initial(EbWriter *writer, const EbField *field, const EbNode *object)
{
	const EbKindWord *kind = eb_kind_find(eb_node_text(eb_node_get(object, "kind")));
	const EbNode *window = eb_node_get(object, "window");
	const char *text = field->initial;

	switch ((EbInitial) field->rule)
	{
		case EB_INITIAL_TEXT:
			break;
		case EB_INITIAL_CODE:
			eb_put_json_text(writer, eb_node_text(eb_node_get(object, "code")));
			return;
		case EB_INITIAL_KIND_QUANTITY:
			text = kind != NULL ? kind->quantity : NULL;
			break;
		case EB_INITIAL_KIND_PER:
			text = kind != NULL ? kind->per : NULL;
			break;
		case EB_INITIAL_ONLY_SCHEDULE:
			put_only_schedule(writer);
			return;
		case EB_INITIAL_LINE_ROUND:
			put_line_round(writer);
			return;
		case EB_INITIAL_MINOR_UNIT:
			put_minor_unit(writer);
			return;
		case EB_INITIAL_WINDOW:
			if (window != NULL)
				eb_put_decimal(writer, window, 0);
			text = window != NULL ? NULL : "15";
			break;
		case EB_INITIAL_SCOPE_SPLIT:
			put_split(writer, object);
			return;
		case EB_INITIAL_ONLY_DEMAND:
			put_only_demand(writer);
			return;
	}
	if (text != NULL)
		eb_put_string(writer, text);
}

/* Is what was written from start on the default of its key? The writer is left as it was. */
static bool
wrote_initial(EbWriter *writer, size_t start, const EbField *field, const EbNode *object)
{
	size_t end = writer->len;
	bool same;

	put_initial(writer, field, object);
	same = !writer->full && writer->len - end == end - start &&
		   memcmp(writer->buf + start, writer->buf + end, end - start) == 0;
	writer->len = end;
	return same;
}

bool
eb_field_is_initial(const EbField *field, const EbNode *value, const EbNode *object,
					const EbNode *root)
{
	char buf[4 * EB_MAX_NAME]; /* defaults are short: what does not fit is none */
	EbWriter writer = {.root = root, .buf = buf, .size = sizeof(buf)};

	write_value(&writer, value, field->type);
	return !writer.full && wrote_initial(&writer, 0, field, object);
}

/* ---------------------------------------------------------------- values */

bool
eb_write_field(EbWriter *writer, const EbField *field, const EbNode *value, const EbNode *object,
			   bool first)
{
	size_t start = writer->len;
	size_t value_start;

	if (!first)
		eb_put(writer, ",", 1);
	eb_put(writer, "\"", 1);
	eb_put_string(writer, field->name);
	eb_put(writer, "\":", 2);
	value_start = writer->len;
	write_value(writer, value, field->type);
	if (writer->full || !wrote_initial(writer, value_start, field, object))
		return true;
	writer->len = start;
	return false;
}

static void
write_object(EbWriter *writer, const EbNode *object, const EbType *type)
{
	const EbNode *root = writer->root;
	bool first = true;

	if (type == &eb_tariff_type)
		writer->root = object;

	eb_put(writer, "{", 1);
	for (const EbField *field = type->field; field->name != NULL && !writer->full; field++)
	{
		const EbNode *value = eb_node_find(object, field->name);

		if (writer->classify && type == &eb_demand_type && !field->classifies)
			continue;
		if (value != NULL && eb_write_field(writer, field, value, object, first))
			first = false;
	}
	eb_put(writer, "}", 1);
	writer->root = root;
}

static void
write_map(EbWriter *writer, const EbNode *map, const EbType *type)
{
	eb_put(writer, "{", 1);
	for (const EbNode *value = eb_node_first(map); value != NULL && !writer->full;
		 value = value->next)
	{
		eb_put_json_text(writer, value->key);
		eb_put(writer, ":", 1);
		write_value(writer, value, type->element);
		if (value->next != NULL)
			eb_put(writer, ",", 1);
	}
	eb_put(writer, "}", 1);
}

static void
write_list(EbWriter *writer, const EbNode *list, const EbType *type)
{
	const EbType *element = type->element;

	eb_put(writer, "[", 1);
	for (const EbNode *value = eb_node_first(list); value != NULL && !writer->full;
		 value = value->next)
	{
		write_value(writer, value, element);
		if (type->kind == EB_TYPE_PAIR)
			element = type->second;
		if (value->next != NULL)
			eb_put(writer, ",", 1);
	}
	eb_put(writer, "]", 1);
}

static void
write_scalar(EbWriter *writer, const EbNode *node, const EbType *type)
{
	if (node->kind == EB_NODE_TRUE)
		eb_put_string(writer, "true");
	else if (node->kind == EB_NODE_FALSE)
		eb_put_string(writer, "false");
	else if (type->kind == EB_TYPE_DECIMAL || type->kind == EB_TYPE_INT)
		eb_put_decimal(writer, node, type->scale);
	else if (node->kind == EB_NODE_NUMBER)
		eb_put_decimal(writer, node, EB_PRICE_SCALE);
	else
		eb_put_json_text(writer, eb_node_text(node));
}

static void
write_value(EbWriter *writer, const EbNode *node, const EbType *type)
{
	if (type->kind == EB_TYPE_CHOICE)
		type = eb_type_choose(type, node);
	if (node->kind == EB_NODE_NULL || type == NULL)
		eb_put_string(writer, "null");
	else if (type->kind < EB_TYPE_OBJECT)
		write_scalar(writer, node, type);
	else if (type->kind == EB_TYPE_OBJECT)
		write_object(writer, node, type);
	else if (type->kind == EB_TYPE_MAP)
		write_map(writer, node, type);
	else
		write_list(writer, node, type);
}

EbStatus
eb_tariff_text(const EbNode *root, char *buf, size_t size, size_t *used)
{
	EbWriter writer = {.root = root, .buf = buf, .size = size};

	write_value(&writer, root, eb_root_type(root));
	*used = writer.len;
	return writer.full ? EB_NO_SPACE : EB_OK;
}
