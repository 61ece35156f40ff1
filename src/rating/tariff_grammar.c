/*
 * tariff_grammar.c -- the JSON form of a tariff as tables: everything but components and tiers
 * In:  nothing.
 * Out: eb_tariff_type and the tables below it; keys stand in the order of the canonical text.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "base/decimal.h"
#include "rating/tariff.h"
#include "rating/tariff_json.h"
#include "rating/tariff_types.h"

const EbWord eb_day_word[] = {
	{"mon", EB_TAG_MON},		 {"tue", EB_TAG_MON + 1},	  {"wed", EB_TAG_MON + 2},
	{"thu", EB_TAG_MON + 3},	 {"fri", EB_TAG_MON + 4},	  {"sat", EB_TAG_MON + 5},
	{"sun", EB_TAG_SUN},		 {"weekend", EB_TAG_WEEKEND}, {"weekday", EB_TAG_WEEKDAY},
	{"workday", EB_TAG_WORKDAY}, {"offday", EB_TAG_OFFDAY},	  {.name = NULL},
};

const EbWord eb_mark_word[] = {
	{"holiday", EB_TAG_HOLIDAY},
	{"makeup", EB_TAG_MAKEUP},
	{"hot", EB_TAG_HOT},
	{.name = NULL},
};

const EbWord eb_mode_word[] = {
	{"half_up", EB_HALF_UP}, {"half_even", EB_HALF_EVEN}, {"up", EB_UP},  {"down", EB_DOWN},
	{"floor", EB_FLOOR},	 {"ceil", EB_CEIL},			  {.name = NULL},
};

const EbWord eb_quantity_word[] = {
	{"import_kwh", EB_QTY_IMPORT_KWH},
	{"export_kwh", EB_QTY_EXPORT_KWH},
	{"net_kwh", EB_QTY_NET_KWH},
	{"import_kvarh", EB_QTY_IMPORT_KVARH},
	{"export_kvarh", EB_QTY_EXPORT_KVARH},
	{"days", EB_QTY_DAYS},
	{"months", EB_QTY_MONTHS},
	{"meters", EB_QTY_NAMED},
	{"sessions", EB_QTY_NAMED},
	{.name = NULL},
};

/* ---------------------------------------------------------------- plain values */

const EbType eb_bool_type = {.kind = EB_TYPE_BOOL, .what = "true or false"};
const EbType eb_name_type = {.kind = EB_TYPE_TEXT, .what = "a text", .min = 1, .max = EB_MAX_NAME};
const EbType eb_label_text_type = {.kind = EB_TYPE_TEXT, .what = "a text", .min = 1, .max = 1000};
const EbType eb_label_type = {
	.kind = EB_TYPE_CHOICE,
	.what = "a text or a text per language",
	.scalar = &eb_label_text_type,
	.object = &(const EbType){.kind = EB_TYPE_MAP,
							  .what = "a text per language",
							  .min = 1,
							  .max = 50,
							  .key = &eb_name_type,
							  .element = &eb_label_text_type},
};
const EbType eb_date_type = {.kind = EB_TYPE_DATE, .what = "a date \"YYYY-MM-DD\""};
const EbType eb_month_day_type = {.kind = EB_TYPE_MONTH_DAY, .what = "a day \"MM-DD\""};
const EbType eb_minute_type = {.kind = EB_TYPE_MINUTE, .what = "a time \"HH:MM\""};
const EbType eb_instant_type = {.kind = EB_TYPE_INSTANT,
								.what = "an instant \"YYYY-MM-DDTHH:MM:SS+HH:MM\""};
const EbType eb_quantity_type = {.kind = EB_TYPE_QUANTITY, .what = "the name of a quantity"};
const EbType eb_scalar_type = {
	.kind = EB_TYPE_SCALAR, .what = "a text, a number, true or false", .max = 1000};

const EbType eb_decimal_type = {
	.kind = EB_TYPE_DECIMAL, .what = "a decimal number", .scale = EB_PRICE_SCALE};
const EbType eb_amount_type = {.kind = EB_TYPE_DECIMAL,
							   .what = "a decimal number",
							   .scale = EB_PRICE_SCALE,
							   .sign = EB_SIGN_NOT_NEGATIVE};
const EbType eb_positive_type = {.kind = EB_TYPE_DECIMAL,
								 .what = "a decimal number",
								 .scale = EB_PRICE_SCALE,
								 .sign = EB_SIGN_POSITIVE};
const EbType eb_bound_type = {
	.kind = EB_TYPE_DECIMAL, .what = "a decimal number", .scale = EB_ENERGY_SCALE};
const EbType eb_kwh_type = {.kind = EB_TYPE_DECIMAL,
							.what = "a decimal number",
							.scale = EB_ENERGY_SCALE,
							.sign = EB_SIGN_NOT_NEGATIVE};
const EbType eb_positive_kwh_type = {.kind = EB_TYPE_DECIMAL,
									 .what = "a decimal number",
									 .scale = EB_ENERGY_SCALE,
									 .sign = EB_SIGN_POSITIVE};
const EbType eb_milli_type = {.kind = EB_TYPE_DECIMAL,
							  .what = "a decimal number",
							  .scale = 3,
							  .sign = EB_SIGN_NOT_NEGATIVE,
							  .max = EB_MAX_SESSION_STEP};
const EbType eb_positive_milli_type = {.kind = EB_TYPE_DECIMAL,
									   .what = "a decimal number",
									   .scale = 3,
									   .sign = EB_SIGN_POSITIVE,
									   .max = EB_MAX_SESSION_STEP};

/* ---------------------------------------------------------------- lists of names */

const EbType eb_names_type = {.kind = EB_TYPE_LIST,
							  .what = "a list of names",
							  .min = 1,
							  .max = EB_MAX_SLOTS,
							  .element = &eb_name_type};
const EbType eb_months_type = {
	.kind = EB_TYPE_LIST,
	.what = "a list of months",
	.min = 1,
	.max = 12,
	.element =
		&(const EbType){.kind = EB_TYPE_INT, .what = "a month from 1 to 12", .min = 1, .max = 12},
};
const EbType eb_date_range_type = {.kind = EB_TYPE_PAIR,
								   .what = "a range [from, to) of two dates",
								   .nullable = true,
								   .element = &eb_date_type,
								   .second = &eb_date_type};
const EbType eb_instant_ranges_type = {
	.kind = EB_TYPE_LIST,
	.check = EB_CHECK_INSTANTS,
	.what = "a list of ranges",
	.min = 1,
	.max = EB_MAX_ENTRIES,
	.element = &(const EbType){.kind = EB_TYPE_PAIR,
							   .what = "a range [from, to) of two instants",
							   .element = &eb_instant_type,
							   .second = &eb_instant_type},
};

/* ---------------------------------------------------------------- R: rounding */

const EbType eb_round_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "a rounding {\"step\", \"mode\"} or null",
	.nullable = true,
	.field =
		(const EbField[]){
			{.name = "step", .type = &eb_positive_type, .required = true},
			{.name = "mode",
			 .type = &(const EbType){.kind = EB_TYPE_WORD,
									 .what = "a rounding mode",
									 .word = eb_mode_word},
			 .initial = "\"half_up\""},
			{.name = NULL},
		},
};

static const EbType rounds_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "an object",
	.field =
		(const EbField[]){
			{.name = "quantity", .type = &eb_round_type, .initial = "null"},
			{.name = "price", .type = &eb_round_type, .initial = "null"},
			{.name = "line", .type = &eb_round_type, .rule = EB_INITIAL_MINOR_UNIT},
			{.name = "total", .type = &eb_round_type, .initial = "null"},
			{.name = NULL},
		},
};

/* ---------------------------------------------------------------- P: price */

static const EbType price_map_type = {.kind = EB_TYPE_MAP,
									  .what = "a price for each name",
									  .min = 1,
									  .max = EB_MAX_PRICES,
									  .key = &eb_name_type,
									  .element = &eb_price_type};
static const EbType price_list_type = {.kind = EB_TYPE_LIST,
									   .what = "a list of prices",
									   .min = 1,
									   .max = EB_MAX_SLOTS,
									   .element = &eb_price_type};

/* Which of its keys make a price is checked in tariff_lint_price.c. */
static const EbType price_object_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_PRICE,
	.what = "a price",
	.field =
		(const EbField[]){
			{.name = "period", .type = &price_map_type},
			{.name = "season", .type = &price_map_type},
			{.name = "attr", .type = &eb_name_type},
			{.name = "of", .type = &price_map_type},
			{.name = "series", .type = &eb_name_type},
			{.name = "ref", .type = &eb_name_type},
			{.name = "mul", .type = &price_list_type},
			{.name = "add", .type = &price_list_type},
			{.name = "round", .type = &eb_round_type, .initial = "null"},
			{.name = NULL},
		},
};

const EbType eb_price_type = {
	.kind = EB_TYPE_CHOICE,
	.what = "a decimal number or a price object",
	.scalar = &eb_decimal_type,
	.object = &price_object_type,
};

/* ---------------------------------------------------------------- calendar and seasons */

static const EbType day_name_type = {
	.kind = EB_TYPE_WORD, .what = "a day of the week", .word = eb_day_word};

/* Sorted into weekdays and marks in tariff_lint_time.c. */
static const EbType calendar_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "a calendar",
	.field =
		(const EbField[]){
			{.name = "weekend",
			 .type = &(const EbType){.kind = EB_TYPE_LIST,
									 .what = "a list of days of the week",
									 .max = 7,
									 .element = &day_name_type},
			 .initial = "[\"sat\",\"sun\"]"},
			{.name = "days",
			 .type = &(const EbType){.kind = EB_TYPE_MAP,
									 .what = "a list of tags per date",
									 .max = EB_MAX_CALENDAR_DAYS,
									 .key = &eb_date_type,
									 .element = &eb_names_type},
			 .initial = "{}"},
			{.name = NULL},
		},
};

static const EbType seasons_type = {
	.kind = EB_TYPE_MAP,
	.what = "ranges of days per season",
	.max = EB_MAX_SEASONS,
	.key = &eb_name_type,
	.element =
		&(const EbType){
			.kind = EB_TYPE_LIST,
			.what = "a list of ranges",
			.min = 1,
			.max = EB_MAX_SEASON_RANGES,
			.element = &(const EbType){.kind = EB_TYPE_PAIR,
									   .what = "a range [from, to) of two days",
									   .element = &eb_month_day_type,
									   .second = &eb_month_day_type},
		},
};

/* ---------------------------------------------------------------- schedules */

static const EbType spans_type = {
	.kind = EB_TYPE_LIST,
	.what = "a list of spans",
	.min = 1,
	.max = EB_MAX_SPANS,
	.element = &(const EbType){.kind = EB_TYPE_PAIR,
							   .check = EB_CHECK_SPAN,
							   .what = "a span [from, to) of two times",
							   .element = &eb_minute_type,
							   .second = &eb_minute_type},
};

static const EbType rule_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_RULE,
	.what = "a rule",
	.field =
		(const EbField[]){
			{.name = "period", .type = &eb_name_type, .required = true},
			{.name = "spans", .type = &spans_type},
			{.name = "months", .type = &eb_months_type},
			{.name = "season", .type = &eb_names_type},
			{.name = "days", .type = &eb_names_type},
			{.name = "not_days", .type = &eb_names_type},
			{.name = "event", .type = &eb_name_type},
			{.name = "valid", .type = &eb_date_range_type},
			{.name = "anchor",
			 .type =
				 &(const EbType){
					 .kind = EB_TYPE_WORD,
					 .what = "\"instant\" or \"start\"",
					 .word = (const EbWord[]){{"instant", 0}, {"start", 1}, {.name = NULL}}},
			 .initial = "\"instant\""},
			{.name = NULL},
		},
};

static const EbType schedules_type = {
	.kind = EB_TYPE_MAP,
	.what = "a list of rules per schedule",
	.max = EB_MAX_SCHEDULES,
	.key = &eb_name_type,
	.element = &(const EbType){.kind = EB_TYPE_LIST,
							   .what = "a list of rules",
							   .min = 1,
							   .max = EB_MAX_RULES,
							   .element = &rule_type},
};

/* ---------------------------------------------------------------- the tariff */

static const EbType currency_type = {.kind = EB_TYPE_CURRENCY,
									 .what = "a currency of three capital letters"};

static const EbType values_type = {.kind = EB_TYPE_MAP,
								   .what = "a price for each name",
								   .max = EB_MAX_VALUES,
								   .key = &eb_name_type,
								   .element = &eb_price_type};

static const EbType events_type = {.kind = EB_TYPE_MAP,
								   .what = "ranges of instants per event",
								   .max = EB_MAX_EVENTS,
								   .key = &eb_name_type,
								   .element = &eb_instant_ranges_type};

static const EbType format_type = {
	.kind = EB_TYPE_INT, .what = "1, the version of the format", .min = 1, .max = 1};

const EbType eb_tariff_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "an object",
	.field =
		(const EbField[]){
			{.name = "elecbill", .type = &format_type, .required = true},
			{.name = "code", .type = &eb_name_type},
			{.name = "name", .type = &eb_label_type},
			{.name = "currency", .type = &currency_type, .required = true},
			{.name = "minor_unit",
			 .type = &(const EbType){.kind = EB_TYPE_INT,
									 .what = "a number of decimals from 0 to 6",
									 .max = 6},
			 .initial = "2"},
			{.name = "zone", .type = &eb_name_type, .initial = "\"UTC\"", .classifies = true},
			{.name = "year_start",
			 .type = &eb_month_day_type,
			 .initial = "\"01-01\"",
			 .classifies = true},
			{.name = "month_day",
			 .type = &(const EbType){.kind = EB_TYPE_INT,
									 .what = "a day of the month from 1 to 28",
									 .min = 1,
									 .max = 28},
			 .initial = "1",
			 .classifies = true},
			{.name = "round", .type = &rounds_type, .initial = "{}"},
			{.name = "calendar",
			 .type = &(const EbType){.kind = EB_TYPE_CHOICE,
									 .what = "a calendar or the code of one",
									 .scalar = &eb_name_type,
									 .object = &calendar_type},
			 .initial = "{}",
			 .classifies = true},
			{.name = "seasons", .type = &seasons_type, .initial = "{}", .classifies = true},
			{.name = "schedules", .type = &schedules_type, .initial = "{}", .classifies = true},
			{.name = "events", .type = &events_type, .initial = "{}", .classifies = true},
			{.name = "series", .type = &eb_series_type, .initial = "{}"},
			{.name = "values", .type = &values_type, .initial = "{}"},
			{.name = "demands", .type = &eb_demands_type, .initial = "{}"},
			{.name = "losses", .type = &eb_losses_type, .initial = "[]"},
			{.name = "components",
			 .type = &(const EbType){.kind = EB_TYPE_LIST,
									 .what = "a list of components",
									 .min = 1,
									 .max = EB_MAX_COMPONENTS,
									 .element = &eb_component_type},
			 .required = true},
			{.name = "net", .type = &eb_net_type, .initial = "{}"},
			{.name = NULL},
		},
};

/* ---------------------------------------------------------------- a tariff that changes */

static const EbType version_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "a version",
	.field =
		(const EbField[]){
			{.name = "version",
			 .type =
				 &(const EbType){
					 .kind = EB_TYPE_INT, .what = "a number from 1 on", .min = 1, .max = INT32_MAX},
			 .required = true},
			{.name = "valid", .type = &eb_date_range_type},
			{.name = "tariff", .type = &eb_tariff_type, .required = true},
			{.name = NULL},
		},
};

const EbType eb_versions_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "an object",
	.field =
		(const EbField[]){
			{.name = "elecbill", .type = &format_type, .required = true},
			{.name = "versions",
			 .type = &(const EbType){.kind = EB_TYPE_LIST,
									 .what = "a list of versions",
									 .min = 1,
									 .max = EB_MAX_VERSIONS,
									 .element = &version_type},
			 .required = true},
			{.name = NULL},
		},
};

const EbType *
eb_root_type(const EbNode *root)
{
	return eb_node_find(root, "versions") != NULL ? &eb_versions_type : &eb_tariff_type;
}

/* ---------------------------------------------------------------- looking up */

const EbWord *
eb_word_find(const EbWord *word, EbText text)
{
	for (; word->name != NULL; word++)
		if (eb_text_is(text, word->name))
			return word;
	return NULL;
}

const EbKindWord *
eb_kind_find(EbText text)
{
	for (int i = 0; i < EB_KINDS; i++)
		if (eb_text_is(text, eb_kind_word[i].name))
			return &eb_kind_word[i];
	return NULL;
}

const EbType *
eb_type_choose(const EbType *choice, const EbNode *node)
{
	if (node->kind == EB_NODE_NULL)
		return NULL;
	if (node->kind == EB_NODE_ARRAY)
		return choice->list;
	return node->kind == EB_NODE_OBJECT ? choice->object : choice->scalar;
}

const EbField *
eb_field_find(const EbType *object, EbText key)
{
	for (const EbField *field = object->field; field->name != NULL; field++)
		if (eb_text_is(key, field->name))
			return field;
	return NULL;
}

/* ---------------------------------------------------------------- values with their defaults */

/* The canonical text of the default without its quotes; empty: none */
static EbText
initial_text(const EbField *field)
{
	const char *text = field->initial != NULL ? field->initial : "";
	int len = (int) strlen(text);

	return len > 1 && text[0] == '"' ? (EbText){text + 1, len - 2} : (EbText){text, len};
}

int
eb_field_word(const EbType *object, const EbNode *node, const char *key)
{
	const EbField *field = eb_field_find(object, (EbText){key, (int) strlen(key)});
	const EbNode *value = eb_node_get(node, key);
	const EbWord *word =
		eb_word_find(field->type->word, value != NULL ? eb_node_text(value) : initial_text(field));

	return word != NULL ? word->value : EB_NONE;
}

int64_t
eb_field_decimal(const EbType *object, const EbNode *node, const char *key)
{
	const EbField *field = eb_field_find(object, (EbText){key, (int) strlen(key)});
	const EbNode *value = eb_node_get(node, key);
	int64_t number = 0;

	if (value != NULL)
		eb_node_decimal(value, field->type->scale, &number);
	else if (field->initial != NULL)
		eb_decimal_parse64(initial_text(field), field->type->scale, &number);
	return number;
}
