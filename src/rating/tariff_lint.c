/*
 * tariff_lint.c -- the check of a tariff: walks the whole grammar and reports by path
 * In:  a node tree (node.h), the grammar (tariff_grammar.h).
 * Out: findings, to the sink of the caller; what needs to look around is in tariff_lint_*.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/civil.h"
#include "rating/tariff_lint.h"

/* EB_MAX_DEPTH keys with their brackets, the leaf, and where the version is */
#define PATH_BYTES ((EB_MAX_DEPTH + 8) * (EB_SHOWN_BYTES + 16))
#define MESSAGE_BYTES 600

/* ---------------------------------------------------------------- findings */

/* Writes the path from the root on, a step only when it fits whole; returns the bytes written. */
static int
write_path(const EbPath *path, char *buf)
{
	char step[EB_SHOWN_BYTES + 16];
	int len;
	int n;

	if (path->up == NULL)
	{
		buf[0] = '\0';
		return 0;
	}
	len = write_path(path->up, buf);
	if (path->key.data == NULL)
		n = snprintf(step, sizeof(step), "[%d]", path->index);
	else if (eb_key_plain(path->key) && path->key.len <= EB_SHOWN_BYTES)
		n = snprintf(step, sizeof(step), "%s%.*s", len > 0 ? "." : "", path->key.len,
					 path->key.data);
	else
		n = snprintf(step, sizeof(step), "[\"%.*s\"]", EB_SHOWN(path->key));
	if (len + n >= PATH_BYTES)
		return len;
	memcpy(buf + len, step, (size_t) n + 1);
	return len + n;
}

static void
report(EbLint *lint, const EbPath *path, EbLintLevel level, const char *message)
{
	char where[PATH_BYTES];
	EbFinding finding = {level, where, message};
	bool full = lint->nfindings >= EB_LINT_MAX_FINDINGS;

	/* who compiles goes by the errors: the first one is told behind any number of warnings */
	if (full && !(level == EB_LINT_ERROR && lint->nerrors == 1))
	{
		if (lint->nfindings++ > EB_LINT_MAX_FINDINGS)
			return;
		where[0] = '\0';
		finding = (EbFinding){EB_LINT_NOTE, where, "there are more findings"};
	}
	else
	{
		lint->nfindings += full ? 0 : 1;
		write_path(path, where);
	}
	lint->sink(lint->arg, &finding);
}

void
eb_lint_error(EbLint *lint, const EbPath *path, const char *format, ...)
{
	char message[MESSAGE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	lint->nerrors++;
	report(lint, path, EB_LINT_ERROR, message);
}

void
eb_lint_warning(EbLint *lint, const EbPath *path, const char *format, ...)
{
	char message[MESSAGE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	report(lint, path, EB_LINT_WARNING, message);
}

void
eb_lint_note(EbLint *lint, const EbPath *path, const char *format, ...)
{
	char message[MESSAGE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	report(lint, path, EB_LINT_NOTE, message);
}

/* ---------------------------------------------------------------- the walk */

static void lint_value(EbLint *lint, const EbPath *path, const EbNode *node, const EbType *type);

/* What a container must fulfil beyond the types of its members */
static void
lint_check(EbLint *lint, const EbPath *path, const EbNode *node, EbTypeCheck check)
{
	switch (check)
	{
		case EB_CHECK_NONE:
			break;
		case EB_CHECK_PRICE:
			eb_lint_price(lint, path, node);
			break;
		case EB_CHECK_RANGE:
			eb_lint_range(lint, path, node);
			break;
		case EB_CHECK_CONDITION:
			eb_lint_condition(lint, path, node);
			break;
		case EB_CHECK_SPAN:
			eb_lint_span(lint, path, node);
			break;
		case EB_CHECK_RULE:
			eb_lint_rule(lint, path, node);
			break;
		case EB_CHECK_POINTS:
			eb_lint_points(lint, path, node);
			break;
		case EB_CHECK_DEMAND:
			eb_lint_demand(lint, path, node);
			break;
		case EB_CHECK_LOSS:
			eb_lint_loss(lint, path, node);
			break;
		case EB_CHECK_EACH:
			eb_lint_each(lint, path, node);
			break;
		case EB_CHECK_NET:
			eb_lint_net(lint, path, node);
			break;
		case EB_CHECK_INSTANTS:
			eb_lint_instants(lint, path, node);
			break;
		case EB_CHECK_PF_ROWS:
			eb_lint_pf_rows(lint, path, node);
			break;
		case EB_CHECK_PF_LINEAR:
			eb_lint_pf_linear(lint, path, node);
			break;
	}
}

static void
lint_object(EbLint *lint, const EbPath *path, const EbNode *object, const EbType *type)
{
	const EbNode *previous = NULL;

	EB_EACH(value, object)
	{
		EbPath below = eb_path_key(path, value->key);
		const EbField *field = eb_field_find(type, value->key);

		if (previous != NULL && eb_text_equal(previous->key, value->key))
			eb_lint_error(lint, &below, "key is given twice");
		else if (field == NULL)
			eb_lint_error(lint, &below, "unknown key");
		else
		{
			int nerrors = lint->nerrors;

			lint_value(lint, &below, value, field->type);
			if (field->classifies)
				lint->ntime_errors += lint->nerrors - nerrors;
		}
		previous = value;
	}
	for (const EbField *field = type->field; field->name != NULL; field++)
		if (field->required && eb_node_get(object, field->name) == NULL)
			eb_lint_error(lint, path, "\"%s\" is missing", field->name);
}

/* False when there are too few or too many, which is reported: do not look at them. */
static bool
lint_count(EbLint *lint, const EbPath *path, const EbNode *node, const EbType *type)
{
	int n = eb_node_count(node);

	if (n < type->min)
		eb_lint_error(lint, path, n == 0 ? "must not be empty" : "has %d elements, needs %d", n,
					  type->min);
	else if (n > type->max)
		eb_lint_error(lint, path, "has %d elements, at most %d are allowed", n, type->max);
	return n >= type->min && n <= type->max;
}

static void
lint_map(EbLint *lint, const EbPath *path, const EbNode *map, const EbType *type)
{
	const EbNode *previous = NULL;

	if (!lint_count(lint, path, map, type))
		return;
	EB_EACH(value, map)
	{
		EbPath below = eb_path_key(path, value->key);
		EbNode key = {.kind = EB_NODE_TEXT, .text = value->key};

		if (previous != NULL && eb_text_equal(previous->key, value->key))
			eb_lint_error(lint, &below, "key is given twice");
		eb_lint_scalar(lint, &below, &key, type->key);
		lint_value(lint, &below, value, type->element);
		previous = value;
	}
}

static void
lint_list(EbLint *lint, const EbPath *path, const EbNode *list, const EbType *type)
{
	int n = 0;

	if (!lint_count(lint, path, list, type))
		return;
	EB_EACH(value, list)
	{
		EbPath below = eb_path_index(path, n++);

		lint_value(lint, &below, value, type->element);
	}
}

/* Dates in a pair are a range [from, to). */
static void
lint_pair_order(EbLint *lint, const EbPath *path, const EbNode *from, const EbNode *to,
				const EbType *type)
{
	int32_t from_day;
	int32_t to_day;

	if (type->second->kind == EB_TYPE_DATE && eb_parse_date(eb_node_text(from), &from_day) &&
		eb_parse_date(eb_node_text(to), &to_day) && from_day >= to_day)
		eb_lint_error(lint, path, "the range ends before it begins");
}

static void
lint_pair(EbLint *lint, const EbPath *path, const EbNode *pair, const EbType *type)
{
	const EbNode *from = eb_node_first(pair);
	const EbNode *to = from != NULL ? from->next : NULL;
	EbPath from_path = eb_path_index(path, 0);
	EbPath to_path = eb_path_index(path, 1);
	bool open_from = eb_node_is(from, EB_NODE_NULL) && type->nullable;
	bool open_to = eb_node_is(to, EB_NODE_NULL) && type->nullable;

	if (to == NULL || to->next != NULL)
	{
		eb_lint_error(lint, path, "must be %s", type->what);
		return;
	}
	if (open_from && open_to)
		eb_lint_error(lint, path, "a range without beginning and end says nothing");
	if (!open_from)
		lint_value(lint, &from_path, from, type->element);
	if (!open_to)
		lint_value(lint, &to_path, to, type->second);
	lint_pair_order(lint, path, from, to, type);
}

/* A whole tariff: all values by themselves, then what needs to look around */
static void
lint_tariff(EbLint *lint, const EbPath *path, const EbNode *tariff)
{
	const EbNode *root = lint->root;
	const EbPath *outer = lint->top;
	EbPath top = *path;
	EbValueCost cost[EB_MAX_VALUES] = {0};
	bool prices_sound;

	top.depth = 0;
	lint->root = tariff;
	lint->top = &top;
	lint->ntime_errors = 0;
	lint_object(lint, &top, tariff, &eb_tariff_type);
	eb_lint_time(lint, &top);
	eb_lint_series(lint, &top);
	prices_sound = eb_lint_values(lint, &top, cost);
	eb_lint_components(lint, &top, prices_sound, cost);
	lint->root = root;
	lint->top = outer;
}

static void
lint_value(EbLint *lint, const EbPath *path, const EbNode *node, const EbType *type)
{
	EbNodeKind container = EB_NODE_ARRAY;

	if (type->kind == EB_TYPE_CHOICE && eb_type_choose(type, node) != NULL)
		type = eb_type_choose(type, node);
	if (type->nullable && node->kind == EB_NODE_NULL && type->kind != EB_TYPE_PAIR)
		return;
	if (type->kind < EB_TYPE_OBJECT)
	{
		eb_lint_scalar(lint, path, node, type);
		return;
	}
	if (type->kind == EB_TYPE_OBJECT || type->kind == EB_TYPE_MAP)
		container = EB_NODE_OBJECT;
	if (type->kind == EB_TYPE_CHOICE || node->kind != container)
	{
		eb_lint_error(lint, path, "must be %s", type->what);
		return;
	}
	if (path->depth >= EB_MAX_DEPTH)
	{
		eb_lint_error(lint, path, "is nested deeper than %d levels", EB_MAX_DEPTH);
		return;
	}
	if (type == &eb_tariff_type)
		lint_tariff(lint, path, node);
	else if (type->kind == EB_TYPE_OBJECT)
		lint_object(lint, path, node, type);
	else if (type->kind == EB_TYPE_MAP)
		lint_map(lint, path, node, type);
	else if (type->kind == EB_TYPE_LIST)
		lint_list(lint, path, node, type);
	else
		lint_pair(lint, path, node, type);
	lint_check(lint, path, node, type->check);
}

void
eb_tariff_lint(const EbNode *root, EbLintSink sink, void *arg)
{
	EbPath path = {NULL, {NULL, 0}, 0, 0};
	EbLint lint = {.root = root, .top = &path, .sink = sink, .arg = arg};
	const EbType *type = eb_root_type(root);

	lint_value(&lint, &path, root, type);
	if (type == &eb_versions_type)
		eb_lint_versions(&lint, &path, eb_node_get(root, "versions"));
}
