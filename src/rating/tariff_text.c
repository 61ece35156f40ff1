/*
 * tariff_text.c -- the canonical JSON text of a tariff
 * In:  a node tree without lint errors, the grammar (tariff_grammar.h).
 * Out: text: keys in the order of the grammar, defaults left out, numbers in their shortest form,
 *      members of maps in byte order; and the classifier, the part of it that sorts usage.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include <stdio.h>

#include "base/civil.h"
#include "rating/tariff_lint.h"

typedef struct Writer
{
	const EbNode *root;
	char *buf;
	size_t size;
	size_t len;
	bool full;
} Writer;

static void write_value(Writer *writer, const EbNode *node, const EbType *type);

static void
put(Writer *writer, const char *data, size_t len)
{
	if (writer->full || len > writer->size - writer->len)
	{
		writer->full = true;
		return;
	}
	memcpy(writer->buf + writer->len, data, len);
	writer->len += len;
}

static void
put_string(Writer *writer, const char *text)
{
	put(writer, text, strlen(text));
}

static void
put_json_text(Writer *writer, EbText text)
{
	char escape[8];

	put(writer, "\"", 1);
	for (int i = 0; i < text.len; i++)
	{
		char c = text.data[i];

		if (c == '"' || c == '\\')
		{
			put(writer, "\\", 1);
			put(writer, &c, 1);
		}
		else if ((unsigned char) c < 0x20)
		{
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned) c);
			put_string(writer, escape);
		}
		else
			put(writer, &c, 1);
	}
	put(writer, "\"", 1);
}

static void
put_decimal(Writer *writer, const EbNode *node, int scale)
{
	char buf[EB_DECIMAL_TEXT];
	int64_t value;

	eb_node_decimal(node, scale, &value);
	put(writer, buf, (size_t) eb_decimal_format(value, scale, buf));
}

/* ---------------------------------------------------------------- defaults */

static void
put_minor_unit(Writer *writer)
{
	int decimals = eb_node_int(eb_node_get(writer->root, "minor_unit"), 2);
	char buf[EB_DECIMAL_TEXT];

	eb_decimal_format(1, decimals, buf);
	put_string(writer, "{\"step\":");
	put_string(writer, buf);
	put(writer, "}", 1);
}

/* round.line as it is written, else the minor unit */
static void
put_line_round(Writer *writer)
{
	const EbNode *line = eb_node_find(eb_node_get(writer->root, "round"), "line");

	if (line != NULL)
		write_value(writer, line, &eb_round_type);
	else
		put_minor_unit(writer);
}

static void
put_only_schedule(Writer *writer)
{
	const EbNode *schedule = eb_schedule_of(writer->root, NULL);

	if (schedule != NULL)
		put_json_text(writer, schedule->key);
}

static void
put_split(Writer *writer, const EbNode *tier)
{
	EbText scope = eb_node_text(eb_node_get(tier, "scope"));

	put_string(writer, eb_text_is(scope, "year") || eb_text_is(scope, "quarter") ? "\"continue\""
																				 : "\"days\"");
}

/* Canonical text of a key's default; nothing when it has none. */
static void
put_initial(Writer *writer, const EbField *field, const EbNode *object)
{
	const EbKindWord *kind = eb_kind_find(eb_node_text(eb_node_get(object, "kind")));
	const EbNode *window = eb_node_get(object, "window");
	const char *text = field->initial;

	switch ((EbInitial) field->rule)
	{
		case EB_INITIAL_TEXT:
			break;
		case EB_INITIAL_CODE:
			put_json_text(writer, eb_node_text(eb_node_get(object, "code")));
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
				put_decimal(writer, window, 0);
			text = window != NULL ? NULL : "15";
			break;
		case EB_INITIAL_SCOPE_SPLIT:
			put_split(writer, object);
			return;
	}
	if (text != NULL)
		put_string(writer, text);
}

/* Is what was written from start on the default of its key? The writer is left as it was. */
static bool
wrote_initial(Writer *writer, size_t start, const EbField *field, const EbNode *object)
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
	Writer writer = {.root = root, .buf = buf, .size = sizeof(buf)};

	write_value(&writer, value, field->type);
	return !writer.full && wrote_initial(&writer, 0, field, object);
}

/* ---------------------------------------------------------------- values */

/* Writes "key":value and returns true, or nothing when the value is the default. */
static bool
write_field(Writer *writer, const EbField *field, const EbNode *value, const EbNode *object,
			bool first)
{
	size_t start = writer->len;
	size_t value_start;

	if (!first)
		put(writer, ",", 1);
	put(writer, "\"", 1);
	put_string(writer, field->name);
	put(writer, "\":", 2);
	value_start = writer->len;
	write_value(writer, value, field->type);
	if (writer->full || !wrote_initial(writer, value_start, field, object))
		return true;
	writer->len = start;
	return false;
}

static void
write_object(Writer *writer, const EbNode *object, const EbType *type)
{
	bool first = true;

	put(writer, "{", 1);
	for (const EbField *field = type->field; field->name != NULL && !writer->full; field++)
	{
		const EbNode *value = eb_node_find(object, field->name);

		if (value != NULL && write_field(writer, field, value, object, first))
			first = false;
	}
	put(writer, "}", 1);
}

static void
write_map(Writer *writer, const EbNode *map, const EbType *type)
{
	put(writer, "{", 1);
	for (const EbNode *value = eb_node_first(map); value != NULL && !writer->full;
		 value = value->next)
	{
		put_json_text(writer, value->key);
		put(writer, ":", 1);
		write_value(writer, value, type->element);
		if (value->next != NULL)
			put(writer, ",", 1);
	}
	put(writer, "}", 1);
}

static void
write_list(Writer *writer, const EbNode *list, const EbType *type)
{
	const EbType *element = type->element;

	put(writer, "[", 1);
	for (const EbNode *value = eb_node_first(list); value != NULL && !writer->full;
		 value = value->next)
	{
		write_value(writer, value, element);
		if (type->kind == EB_TYPE_PAIR)
			element = type->second;
		if (value->next != NULL)
			put(writer, ",", 1);
	}
	put(writer, "]", 1);
}

static void
write_scalar(Writer *writer, const EbNode *node, const EbType *type)
{
	if (node->kind == EB_NODE_TRUE)
		put_string(writer, "true");
	else if (node->kind == EB_NODE_FALSE)
		put_string(writer, "false");
	else if (type->kind == EB_TYPE_DECIMAL || type->kind == EB_TYPE_INT)
		put_decimal(writer, node, type->scale);
	else if (node->kind == EB_NODE_NUMBER)
		put_decimal(writer, node, EB_PRICE_SCALE);
	else
		put_json_text(writer, eb_node_text(node));
}

static void
write_value(Writer *writer, const EbNode *node, const EbType *type)
{
	if (type->kind == EB_TYPE_CHOICE)
		type = eb_type_choose(type, node);
	if (node->kind == EB_NODE_NULL || type == NULL)
		put_string(writer, "null");
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
	Writer writer = {.root = root, .buf = buf, .size = size};

	write_value(&writer, root, &eb_tariff_type);
	*used = writer.len;
	return writer.full ? EB_NO_SPACE : EB_OK;
}

/* ---------------------------------------------------------------- classifier */

/* The earliest of next and the two dates of a range that is after "after" */
static int32_t
earlier_date(const EbNode *range, int32_t after, int32_t next)
{
	int32_t day;

	EB_EACH(date, range)
		if (eb_parse_date(eb_node_text(date), &day) && day > after && day < next)
			next = day;
	return next;
}

/* The first day after "after" on which a component begins or ends to apply; INT32_MAX: none */
static int32_t
next_date(const EbNode *root, int32_t after)
{
	int32_t next = INT32_MAX;

	EB_EACH(component, eb_node_get(root, "components"))
	{
		next = earlier_date(eb_node_get(component, "valid"), after, next);
		next = earlier_date(eb_node_get(eb_node_get(component, "when"), "date"), after, next);
		EB_EACH(factor, eb_node_get(component, "factor_if"))
			next = earlier_date(eb_node_get(eb_node_get(factor, "if"), "date"), after, next);
	}
	return next;
}

static void
put_dates(Writer *writer)
{
	char date[EB_DATE_TEXT];
	int32_t day = next_date(writer->root, INT32_MIN);

	put_string(writer, ",\"dates\":[");
	while (day != INT32_MAX && !writer->full)
	{
		put(writer, date, (size_t) eb_format_date(day, date));
		put(writer, ",", 1);
		day = next_date(writer->root, day);
	}
	put(writer, "]", 1);
}

/* The scope of a component's tiers; a scope left out is "bill" */
static bool
has_scope(const EbNode *component, const char *name)
{
	const EbNode *tier = eb_node_get(component, "tier");
	const EbNode *scope = eb_node_get(tier, "scope");

	if (tier == NULL)
		return false;
	return scope != NULL ? eb_text_is(eb_node_text(scope), name) : strcmp(name, "bill") == 0;
}

static void
put_scopes(Writer *writer)
{
	put_string(writer, ",\"scopes\":[");
	for (const EbWord *word = eb_tier_scope_word; word->name != NULL; word++)
	{
		bool used = false;

		EB_EACH(component, eb_node_get(writer->root, "components"))
			used = used || has_scope(component, word->name);
		if (used)
		{
			put_string(writer, word->name);
			put(writer, ",", 1);
		}
	}
	put(writer, "]", 1);
}

EbStatus
eb_tariff_classifier(const EbNode *root, char *buf, size_t size, size_t *used)
{
	Writer writer = {.root = root, .buf = buf, .size = size};
	bool first = true;

	put(&writer, "{", 1);
	for (const EbField *field = eb_tariff_type.field; field->name != NULL; field++)
	{
		const EbNode *value = eb_node_get(root, field->name);

		if (field->classifies && value != NULL && !writer.full &&
			write_field(&writer, field, value, root, first))
			first = false;
	}
	put_scopes(&writer);
	put_dates(&writer);
	put(&writer, "}", 1);
	*used = writer.len;
	return writer.full ? EB_NO_SPACE : EB_OK;
}
