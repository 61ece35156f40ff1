/*
 * tariff_grammar_tier.c -- the JSON form of a tariff as tables: conditions and tiers
 * In:  nothing.
 * Out: eb_condition_type, eb_tier_type and the tables below them; keys stand in the order of the
 *      canonical text.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "rating/tariff.h"
#include "rating/tariff_types.h"

const EbWord eb_tier_mode_word[] = {
	{"graduated", EB_TIER_GRADUATED},
	{"volume", EB_TIER_VOLUME},
	{"package", EB_TIER_PACKAGE},
	{"adder", EB_TIER_ADDER},
	{.name = NULL},
};

const EbWord eb_tier_scope_word[] = {
	{"interval", EB_SCOPE_INTERVAL}, {"day", EB_SCOPE_DAY},
	{"bill", EB_SCOPE_BILL},		 {"month", EB_SCOPE_MONTH},
	{"quarter", EB_SCOPE_QUARTER},	 {"year", EB_SCOPE_YEAR},
	{"session", EB_SCOPE_SESSION},	 {.name = NULL},
};

const EbWord eb_tier_order_word[] = {
	{"prorata", EB_ORDER_PRORATA},
	{"time", EB_ORDER_TIME},
	{"per_period", EB_ORDER_PER_PERIOD},
	{.name = NULL},
};

const EbWord eb_split_word[] = {
	{"days", EB_SPLIT_DAYS},
	{"continue", EB_SPLIT_CONTINUE},
	{"start", EB_SPLIT_START},
	{"end", EB_SPLIT_END},
	{.name = NULL},
};

/* Those without a value of their own are the unit of the quantity. */
const EbWord eb_step_unit_word[] = {
	{"kwh", EB_STEP_KWH},
	{"kwh_per_day", EB_STEP_KWH_PER_DAY},
	{"kwh_per_kw", EB_STEP_KWH_PER_KW},
	{"kwh_per_kw_day", EB_STEP_KWH_PER_KW_DAY},
	{"kwh_per_kva", EB_STEP_KWH_PER_KVA},
	{"kw", EB_STEP_KWH},
	{"pct_contract", EB_STEP_PCT_CONTRACT},
	{"kvarh", EB_STEP_KWH},
	{"money", EB_STEP_KWH},
	{"unit", EB_STEP_KWH},
	{.name = NULL},
};

/* ---------------------------------------------------------------- C: condition */

#define RANGE_FIELDS                                                                \
	{.name = "gt", .type = &eb_bound_type}, {.name = "ge", .type = &eb_bound_type}, \
		{.name = "lt", .type = &eb_bound_type},                                     \
	{                                                                               \
		.name = "le", .type = &eb_bound_type                                        \
	}

static const EbType range_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_RANGE,
	.what = "a range {\"gt\", \"ge\", \"lt\", \"le\"}",
	.field = (const EbField[]){RANGE_FIELDS, {.name = NULL}},
};

static const EbType attr_test_type = {
	.kind = EB_TYPE_CHOICE,
	.what = "a value, a list of values or a range",
	.scalar = &eb_scalar_type,
	.list = &(const EbType){.kind = EB_TYPE_LIST,
							.what = "a list of values",
							.min = 1,
							.max = EB_MAX_ENTRIES,
							.element = &eb_scalar_type},
	.object = &range_type,
};

const EbType eb_condition_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_CONDITION,
	.what = "a condition",
	.field =
		(const EbField[]){
			{.name = "season", .type = &eb_names_type},
			{.name = "months", .type = &eb_months_type},
			{.name = "days", .type = &eb_names_type},
			{.name = "not_days", .type = &eb_names_type},
			{.name = "date", .type = &eb_date_range_type},
			{.name = "attr",
			 .type = &(const EbType){.kind = EB_TYPE_MAP,
									 .what = "a test per attribute",
									 .min = 1,
									 .max = 16,
									 .key = &eb_name_type,
									 .element = &attr_test_type}},
			{.name = "qty",
			 .type = &(const EbType){.kind = EB_TYPE_MAP,
									 .what = "a range per quantity",
									 .min = 1,
									 .max = 16,
									 .key = &eb_quantity_type,
									 .element = &range_type}},
			{.name = "ratio",
			 .type = &(
				 const EbType){.kind = EB_TYPE_OBJECT,
							   .check = EB_CHECK_RANGE,
							   .what = "a ratio of two quantities and its range",
							   .field =
								   (const EbField[]){
									   {.name = "of", .type = &eb_quantity_type, .required = true},
									   {.name = "to", .type = &eb_quantity_type, .required = true},
									   RANGE_FIELDS,
									   {.name = NULL},
								   }}},
			{.name = "time",
			 .type = &(const EbType){.kind = EB_TYPE_PAIR,
									 .what = "a span [from, to) of two times",
									 .element = &eb_minute_type,
									 .second = &eb_minute_type}},
			{.name = "kwh", .type = &range_type},
			{.name = "kw", .type = &range_type},
			{.name = "amp", .type = &range_type},
			{.name = "seconds", .type = &range_type},
			{.name = "reservation",
			 .type = &(const EbType){.kind = EB_TYPE_WORD,
									 .what = "\"held\" or \"expired\"",
									 .word = (const EbWord[]){{"held", EB_RESERVATION_HELD},
															  {"expired", EB_RESERVATION_EXPIRED},
															  {.name = NULL}}}},
			{.name = NULL},
		},
};

/* ---------------------------------------------------------------- tier */

#define WORD_TYPE(says, words) \
	(&(const EbType){.kind = EB_TYPE_WORD, .what = (says), .word = (words)})

#define STEP_FIELDS                                                             \
	{.name = "up_to", .type = &eb_price_type},                                  \
		{.name = "unit",                                                        \
		 .type = WORD_TYPE("the unit of a step", eb_step_unit_word),            \
		 .initial = "\"kwh\""},                                                 \
		{.name = "price", .type = &eb_price_type},                              \
		{.name = "factor", .type = &eb_decimal_type, .initial = "1"},           \
		{.name = "flat", .type = &eb_price_type, .initial = "0"},               \
	{                                                                           \
		.name = "demand", .type = &eb_name_type, .rule = EB_INITIAL_ONLY_DEMAND \
	}

static const EbType steps_inside_type = {
	.kind = EB_TYPE_LIST,
	.what = "a list of steps",
	.min = 1,
	.max = EB_MAX_STEPS,
	.element = &(const EbType){.kind = EB_TYPE_OBJECT,
							   .what = "a step",
							   .field = (const EbField[]){STEP_FIELDS, {.name = NULL}}},
};

static const EbType steps_type = {
	.kind = EB_TYPE_LIST,
	.what = "a list of steps",
	.min = 1,
	.max = EB_MAX_STEPS,
	.element =
		&(const EbType){
			.kind = EB_TYPE_OBJECT,
			.what = "a step",
			.field =
				(const EbField[]){
					STEP_FIELDS,
					{.name = "steps", .type = &steps_inside_type},
					{.name = NULL},
				},
		},
};

static const EbType allowance_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "an allowance",
	.field =
		(const EbField[]){
			{.name = "attr", .type = &eb_name_type, .required = true},
			{.name = "at_least", .type = &eb_kwh_type, .required = true},
			{.name = "add", .type = &eb_kwh_type, .required = true},
			{.name = "per",
			 .type =
				 &(const EbType){.kind = EB_TYPE_WORD,
								 .what = "\"month\" or \"scope\"",
								 .word =
									 (const EbWord[]){{"month", 1}, {"scope", 0}, {.name = NULL}}},
			 .initial = "\"month\""},
			{.name = "widen",
			 .type = &(
				 const EbType){.kind = EB_TYPE_WORD,
							   .what = "\"all\" or \"first\"",
							   .word = (const EbWord[]){{"all", 1}, {"first", 0}, {.name = NULL}}},
			 .initial = "\"all\""},
			{.name = NULL},
		},
};

const EbType eb_tier_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "a tier",
	.field =
		(const EbField[]){
			{.name = "mode",
			 .type = WORD_TYPE("the mode of a tier", eb_tier_mode_word),
			 .initial = "\"graduated\""},
			{.name = "scope",
			 .type = WORD_TYPE("the scope of a tier", eb_tier_scope_word),
			 .initial = "\"bill\""},
			{.name = "order",
			 .type = WORD_TYPE("the order of a tier", eb_tier_order_word),
			 .initial = "\"prorata\""},
			{.name = "prorate",
			 .type = WORD_TYPE("\"none\", \"days\" or \"months\"", eb_prorate_word),
			 .initial = "\"none\""},
			{.name = "nominal_days",
			 .type = &(const EbType){.kind = EB_TYPE_INT,
									 .what = "a number of days from 1 to 366",
									 .min = 1,
									 .max = 366},
			 .initial = "30"},
			{.name = "split",
			 .type = WORD_TYPE("how a tier is split", eb_split_word),
			 .rule = EB_INITIAL_SCOPE_SPLIT},
			{.name = "by", .type = &eb_quantity_type},
			{.name = "flat_at_zero", .type = &eb_bool_type, .initial = "true"},
			{.name = "allowance",
			 .type = &(const EbType){.kind = EB_TYPE_LIST,
									 .what = "a list of allowances",
									 .max = 16,
									 .element = &allowance_type},
			 .initial = "[]"},
			{.name = "size", .type = &eb_positive_kwh_type},
			{.name = "free", .type = &eb_kwh_type, .initial = "0"},
			{.name = "steps", .type = &steps_type},
			{.name = NULL},
		},
};
