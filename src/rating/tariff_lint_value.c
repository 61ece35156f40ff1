/*
 * tariff_lint_value.c -- the check of a tariff: values that contain no other value
 * In:  a node and the type it must have.
 * Out: findings.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include "base/civil.h"
#include "rating/tariff_lint.h"

static bool
has_control_character(EbText text)
{
	for (int i = 0; i < text.len; i++)
		if ((unsigned char) text.data[i] < 0x20 || text.data[i] == 0x7f)
			return true;
	return false;
}

static void
lint_text(EbLint *lint, const EbPath *path, EbText text, int min, int max)
{
	if (text.len < min)
		eb_lint_error(lint, path, "must not be empty");
	else if (text.len > max)
		eb_lint_error(lint, path, "must not be longer than %d bytes", max);
	else if (has_control_character(text))
		eb_lint_error(lint, path, "must not hold a control character");
}

static void
lint_decimal(EbLint *lint, const EbPath *path, const EbNode *node, const EbType *type)
{
	int64_t value;

	switch (eb_node_decimal(node, type->scale, &value))
	{
		case EB_OK:
			if (type->sign == EB_SIGN_POSITIVE && value <= 0)
				eb_lint_error(lint, path, "must be above 0");
			else if (type->sign == EB_SIGN_NOT_NEGATIVE && value < 0)
				eb_lint_error(lint, path, "must not be negative");
			else if (type->max > 0 && value > type->max * (int64_t) eb_pow10(type->scale))
				eb_lint_error(lint, path, "must not be above %d", type->max);
			break;
		case EB_TOO_PRECISE:
			eb_lint_error(lint, path, "has more than %d decimals", type->scale);
			break;
		case EB_OUT_OF_RANGE:
			eb_lint_error(lint, path, "is too large");
			break;
		default:
			eb_lint_error(lint, path, "must be %s", type->what);
			break;
	}
}

static void
lint_int(EbLint *lint, const EbPath *path, const EbNode *node, const EbType *type)
{
	int64_t value;

	if (!eb_node_is(node, EB_NODE_NUMBER) || eb_node_decimal(node, 0, &value) != EB_OK ||
		value < type->min || value > type->max)
		eb_lint_error(lint, path, "must be %s", type->what);
}

static void
lint_word(EbLint *lint, const EbPath *path, EbText text, const EbType *type)
{
	const EbWord *word = eb_word_find(type->word, text);

	if (word == NULL)
		eb_lint_error(lint, path, "\"%.*s\" is not %s", EB_SHOWN(text), type->what);
}

static void
lint_currency(EbLint *lint, const EbPath *path, EbText text, const EbType *type)
{
	bool capital = text.len == 3;

	for (int i = 0; i < text.len && capital; i++)
		capital = text.data[i] >= 'A' && text.data[i] <= 'Z';
	if (!capital)
		eb_lint_error(lint, path, "must be %s", type->what);
}

static void
lint_quantity(EbLint *lint, const EbPath *path, EbText text)
{
	if (eb_text_is(text, "attr:"))
		eb_lint_error(lint, path, "the name of the attribute is missing");
	else
		lint_text(lint, path, text, 1, EB_MAX_NAME);
}

static void
lint_attr_value(EbLint *lint, const EbPath *path, const EbNode *node, const EbType *type)
{
	if (node->kind == EB_NODE_NUMBER)
		lint_decimal(lint, path, node, &eb_decimal_type);
	else if (node->kind == EB_NODE_TEXT)
		lint_text(lint, path, node->text, 0, type->max);
	else if (node->kind != EB_NODE_TRUE && node->kind != EB_NODE_FALSE)
		eb_lint_error(lint, path, "must be %s", type->what);
}

bool
eb_instant_us(EbText text, int64_t *at_us)
{
	const EbZoneSpan utc = {INT64_MIN, 0};
	const EbZone zone = {&utc, 1};

	return eb_parse_instant(text, &zone, at_us);
}

void
eb_lint_scalar(EbLint *lint, const EbPath *path, const EbNode *node, const EbType *type)
{
	EbText text = eb_node_text(node);
	int32_t day;
	int month;
	int mday;
	int minute;
	int64_t at_us;
	bool ok = node->kind == EB_NODE_TEXT;

	if (type->kind == EB_TYPE_BOOL)
		ok = node->kind == EB_NODE_TRUE || node->kind == EB_NODE_FALSE;
	else if (type->kind == EB_TYPE_DATE)
		ok = ok && eb_parse_date(text, &day);
	else if (type->kind == EB_TYPE_MONTH_DAY)
		ok = ok && eb_parse_month_day(text, &month, &mday);
	else if (type->kind == EB_TYPE_MINUTE)
		ok = ok && eb_parse_minute(text, &minute);
	else if (type->kind == EB_TYPE_INSTANT)
		ok = ok && eb_instant_us(text, &at_us);
	else if (type->kind == EB_TYPE_DECIMAL || type->kind == EB_TYPE_INT ||
			 type->kind == EB_TYPE_SCALAR)
		ok = true;

	if (!ok)
		eb_lint_error(lint, path, "must be %s", type->what);
	else if (type->kind == EB_TYPE_DECIMAL)
		lint_decimal(lint, path, node, type);
	else if (type->kind == EB_TYPE_INT)
		lint_int(lint, path, node, type);
	else if (type->kind == EB_TYPE_TEXT)
		lint_text(lint, path, text, type->min, type->max);
	else if (type->kind == EB_TYPE_WORD)
		lint_word(lint, path, text, type);
	else if (type->kind == EB_TYPE_CURRENCY)
		lint_currency(lint, path, text, type);
	else if (type->kind == EB_TYPE_QUANTITY)
		lint_quantity(lint, path, text);
	else if (type->kind == EB_TYPE_SCALAR)
		lint_attr_value(lint, path, node, type);
}
