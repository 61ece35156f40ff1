/*
 * tariff_grammar_component.c -- the JSON form of a tariff as tables: components and tiers
 * In:  nothing.
 * Out: eb_component_type and the tables below it; keys stand in the order of the canonical text.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "rating/tariff.h"
#include "rating/tariff_json.h"
#include "rating/tariff_types.h"

/* Bits of EbField.kinds: positions in eb_kind_word */
enum
{
	ENERGY = 1 << 0,
	REACTIVE = 1 << 1,
	CREDIT = 1 << 2,
	FIXED = 1 << 3,
	CAPACITY = 1 << 4,
	DEMAND = 1 << 5,
	PERCENT = 1 << 6,
	POWER_FACTOR = 1 << 7,
	LOWEST = 1 << 8,
	HIGHEST = 1 << 9,
	CUSTOM = 1 << 10,
	FLATS = 1 << 11 | 1 << 14,			 /* session_flat, reserve_flat */
	TIMES = 1 << 12 | 1 << 13 | 1 << 15, /* session_time, idle, reserve_time */
	METERED = ENERGY | REACTIVE | CREDIT,
	SESSION = FLATS | TIMES,
	PRICED = METERED | FIXED | CAPACITY | DEMAND | CUSTOM | SESSION,
	ON_BASE = PERCENT | POWER_FACTOR | LOWEST | HIGHEST,
};

const EbKindWord eb_kind_word[EB_KINDS] = {
	{"energy", EB_KIND_ENERGY, "\"import_kwh\"", "\"kwh\"", "kwh"},
	{"reactive", EB_NONE, "\"import_kvarh\"", "\"kvarh\"", "kvarh"},
	{"credit", EB_NONE, "\"export_kwh\"", "\"kwh\"", "kwh"},
	{"fixed", EB_KIND_FIXED, NULL, "\"bill\"", "bill day month unit"},
	{"capacity", EB_NONE, "\"attr:contract_kva\"", "\"kva\"", "kva kw unit"},
	{"demand", EB_NONE, NULL, "\"kw\"", "kw kva"},
	{"percent", EB_KIND_PERCENT, NULL, NULL, NULL},
	{"power_factor", EB_NONE, NULL, NULL, NULL},
	{"minimum", EB_KIND_MINIMUM, NULL, NULL, NULL},
	{"maximum", EB_KIND_MAXIMUM, NULL, NULL, NULL},
	{"custom", EB_KIND_CUSTOM, NULL, "\"unit\"", NULL},
	{"session_flat", EB_NONE, NULL, "\"session\"", "session"},
	{"session_time", EB_NONE, NULL, "\"hour\"", "hour minute"},
	{"idle", EB_NONE, NULL, "\"hour\"", "hour minute"},
	{"reserve_flat", EB_NONE, NULL, "\"session\"", "session"},
	{"reserve_time", EB_NONE, NULL, "\"hour\"", "hour minute"},
};

const EbWord eb_per_word[] = {
	{"kwh", EB_PER_KWH, false},	  {"kvarh", EB_NONE, true},		{"kw", EB_NONE, true},
	{"kva", EB_NONE, true},		  {"day", EB_PER_DAY, false},	{"month", EB_PER_MONTH, false},
	{"bill", EB_PER_BILL, false}, {"session", EB_NONE, true},	{"hour", EB_NONE, true},
	{"minute", EB_NONE, true},	  {"unit", EB_PER_UNIT, false}, {.name = NULL},
};

const EbWord eb_prorate_word[] = {
	{"none", EB_PRORATE_NONE, false},
	{"days", EB_PRORATE_DAYS, false},
	{"months", EB_PRORATE_MONTHS, false},
	{.name = NULL},
};

const EbWord eb_tier_mode_word[] = {
	{"graduated", EB_TIER_GRADUATED, false},
	{"volume", EB_TIER_VOLUME, false},
	{"package", EB_TIER_PACKAGE, false},
	{"adder", EB_TIER_ADDER, false},
	{.name = NULL},
};

const EbWord eb_tier_scope_word[] = {
	{"interval", EB_NONE, true},		  {"day", EB_NONE, true},
	{"bill", EB_SCOPE_BILL, false},		  {"month", EB_SCOPE_MONTH, false},
	{"quarter", EB_SCOPE_QUARTER, false}, {"year", EB_SCOPE_YEAR, false},
	{"session", EB_NONE, true},			  {.name = NULL},
};

const EbWord eb_tier_order_word[] = {
	{"prorata", EB_ORDER_PRORATA, false},
	{"time", EB_NONE, true},
	{"per_period", EB_ORDER_PER_PERIOD, false},
	{.name = NULL},
};

const EbWord eb_split_word[] = {
	{"days", EB_SPLIT_DAYS, false},
	{"continue", EB_SPLIT_CONTINUE, false},
	{"start", EB_SPLIT_START, false},
	{"end", EB_SPLIT_END, false},
	{.name = NULL},
};

const EbWord eb_step_unit_word[] = {
	{"kwh", EB_STEP_KWH, false},
	{"kwh_per_day", EB_STEP_KWH_PER_DAY, false},
	{"kwh_per_kw", EB_NONE, true},
	{"kwh_per_kw_day", EB_NONE, true},
	{"kwh_per_kva", EB_NONE, true},
	{"kw", EB_NONE, true},
	{"pct_contract", EB_NONE, true},
	{"kvarh", EB_NONE, true},
	{"money", EB_STEP_KWH, false},
	{"unit", EB_STEP_KWH, false},
	{.name = NULL},
};

const EbWord eb_min_scope_word[] = {
	{"bill", EB_MIN_BILL, false},
	{"month", EB_MIN_MONTH, false},
	{"year", EB_NONE, true},
	{"session", EB_NONE, true},
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
			{.name = "days", .type = &eb_names_type, .later = true},
			{.name = "not_days", .type = &eb_names_type, .later = true},
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
									 .second = &eb_minute_type},
			 .later = true},
			{.name = "kwh", .type = &range_type, .later = true},
			{.name = "kw", .type = &range_type, .later = true},
			{.name = "amp", .type = &range_type, .later = true},
			{.name = "seconds", .type = &range_type, .later = true},
			{.name = "reservation",
			 .type = &(const EbType){.kind = EB_TYPE_WORD,
									 .what = "\"held\" or \"expired\"",
									 .word = (const EbWord[]){{"held", 0, false},
															  {"expired", 1, false},
															  {.name = NULL}}},
			 .later = true},
			{.name = NULL},
		},
};

/* ---------------------------------------------------------------- tier */

static const EbType steps_type;

static const EbType step_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "a step",
	.field =
		(const EbField[]){
			{.name = "up_to", .type = &eb_price_type},
			{.name = "unit",
			 .type = &(const EbType){.kind = EB_TYPE_WORD,
									 .what = "the unit of a step",
									 .word = eb_step_unit_word},
			 .initial = "\"kwh\""},
			{.name = "price", .type = &eb_price_type},
			{.name = "factor", .type = &eb_decimal_type, .initial = "1"},
			{.name = "flat", .type = &eb_price_type, .initial = "0"},
			{.name = "demand", .type = &eb_name_type, .later = true},
			{.name = "steps", .type = &steps_type, .later = true},
			{.name = NULL},
		},
};

static const EbType steps_type = {
	.kind = EB_TYPE_LIST,
	.what = "a list of steps",
	.min = 1,
	.max = EB_MAX_STEPS,
	.element = &step_type,
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
			 .type = &(const EbType){.kind = EB_TYPE_WORD,
									 .what = "\"month\" or \"scope\"",
									 .word = (const EbWord[]){{"month", 1, false},
															  {"scope", 0, false},
															  {.name = NULL}}},
			 .initial = "\"month\""},
			{.name = "widen",
			 .type = &(const EbType){.kind = EB_TYPE_WORD,
									 .what = "\"all\" or \"first\"",
									 .word = (const EbWord[]){{"all", 1, false},
															  {"first", 0, false},
															  {.name = NULL}}},
			 .initial = "\"all\""},
			{.name = NULL},
		},
};

#define WORD_TYPE(says, words) \
	(&(const EbType){.kind = EB_TYPE_WORD, .what = (says), .word = (words)})

static const EbType tier_type = {
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

/* ---------------------------------------------------------------- component */

static const EbType pf_table_type = {
	.kind = EB_TYPE_CHOICE,
	.what = "the name of a table or a list of [power factor, percent]",
	.scalar = WORD_TYPE("the name of a power factor table", ((const EbWord[]){{"cn_0.90", 0, false},
																			  {"cn_0.85", 1, false},
																			  {"cn_0.80", 2, false},
																			  {"cn", 3, false},
																			  {.name = NULL}})),
	.list = &(const EbType){.kind = EB_TYPE_LIST,
							.what = "a list of [power factor, percent]",
							.min = 1,
							.max = EB_MAX_ENTRIES,
							.element = &(const EbType){.kind = EB_TYPE_PAIR,
													   .what = "[power factor, percent]",
													   .element = &eb_amount_type,
													   .second = &eb_decimal_type}},
};

static const EbType linear_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "an object",
	.field =
		(const EbField[]){
			{.name = "target", .type = &eb_amount_type, .required = true},
			{.name = "step", .type = &eb_positive_type, .required = true},
			{.name = "percent", .type = &eb_decimal_type, .required = true},
			{.name = "cap", .type = &eb_amount_type},
			{.name = NULL},
		},
};

static const EbType factor_if_type = {
	.kind = EB_TYPE_LIST,
	.what = "a list of factors with their conditions",
	.max = 16,
	.element =
		&(const EbType){
			.kind = EB_TYPE_OBJECT,
			.what = "a factor and its condition",
			.field =
				(const EbField[]){
					{.name = "if", .type = &eb_condition_type, .required = true},
					{.name = "factor", .type = &eb_decimal_type, .required = true},
					{.name = "round", .type = &eb_round_type, .initial = "null"},
					{.name = NULL},
				},
		},
};

static const EbType share_type = {.kind = EB_TYPE_MAP,
								  .what = "a limit of one quantity",
								  .min = 1,
								  .max = 1,
								  .key = &eb_quantity_type,
								  .element = &eb_kwh_type};

static const EbType base_type = {.kind = EB_TYPE_LIST,
								 .what = "a list of codes and groups",
								 .min = 1,
								 .max = EB_MAX_COMPONENTS,
								 .element = &eb_name_type};

static const EbType each_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_EACH,
	.what = "an object",
	.field =
		(const EbField[]){
			{.name = "min", .type = &eb_decimal_type},
			{.name = "max", .type = &eb_decimal_type},
			{.name = NULL},
		},
};

const EbType eb_component_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "a component",
	.field =
		(const EbField[]){
			{.name = "code", .type = &eb_name_type, .required = true},
			/* the kinds are in eb_kind_word: tariff_lint_component.c checks the word */
			{.name = "kind", .type = &eb_name_type, .required = true},
			{.name = "name", .type = &eb_label_type},
			{.name = "group", .type = &eb_name_type, .rule = EB_INITIAL_CODE},
			{.name = "rider", .type = &eb_name_type},
			{.name = "lane", .type = &eb_name_type, .rule = EB_INITIAL_CODE, .later = true},
			{.name = "when", .type = &eb_condition_type, .initial = "{}"},
			{.name = "valid", .type = &eb_date_range_type},
			{.name = "factor_if", .type = &factor_if_type, .initial = "[]"},
			{.name = "quantity",
			 .type = &eb_quantity_type,
			 .rule = EB_INITIAL_KIND_QUANTITY,
			 .kinds = METERED | FIXED | CAPACITY | CUSTOM},
			{.name = "price", .type = &eb_price_type, .kinds = PRICED},
			{.name = "per",
			 .type = WORD_TYPE("the unit of a price", eb_per_word),
			 .rule = EB_INITIAL_KIND_PER,
			 .kinds = PRICED},
			{.name = "schedule",
			 .type = &eb_name_type,
			 .rule = EB_INITIAL_ONLY_SCHEDULE,
			 .kinds = METERED | TIMES},
			{.name = "period", .type = &eb_names_type, .kinds = METERED | TIMES},
			{.name = "tier", .type = &tier_type, .kinds = PRICED & ~FIXED & ~FLATS},
			{.name = "demand", .type = &eb_name_type, .kinds = DEMAND, .later = true},
			{.name = "prorate",
			 .type = WORD_TYPE("\"none\", \"days\" or \"months\"", eb_prorate_word),
			 .initial = "\"none\"",
			 .kinds = FIXED | CAPACITY | DEMAND},
			{.name = "percent", .type = &eb_price_type, .kinds = PERCENT},
			{.name = "base", .type = &base_type, .initial = "[\"*\"]", .kinds = ON_BASE},
			{.name = "share_above", .type = &share_type, .kinds = PERCENT},
			{.name = "per_line",
			 .type = &eb_bool_type,
			 .initial = "false",
			 .kinds = PERCENT | POWER_FACTOR},
			{.name = "table", .type = &pf_table_type, .kinds = POWER_FACTOR, .later = true},
			{.name = "linear", .type = &linear_type, .kinds = POWER_FACTOR, .later = true},
			{.name = "amount", .type = &eb_price_type, .kinds = LOWEST | HIGHEST},
			{.name = "amount_incl",
			 .type = &eb_price_type,
			 .kinds = LOWEST | HIGHEST,
			 .later = true},
			{.name = "scope",
			 .type = WORD_TYPE("the scope of a minimum or maximum", eb_min_scope_word),
			 .initial = "\"bill\"",
			 .kinds = LOWEST | HIGHEST},
			{.name = "each", .type = &each_type, .initial = "{}", .later = true},
			{.name = "step_wh",
			 .type = &eb_positive_type,
			 .kinds = ENERGY | SESSION,
			 .later = true},
			{.name = "step_s", .type = &eb_positive_type, .kinds = ENERGY | SESSION, .later = true},
			{.name = "grace_s", .type = &eb_amount_type, .kinds = ENERGY | SESSION, .later = true},
			{.name = "cap", .type = &eb_amount_type, .kinds = ENERGY | SESSION, .later = true},
			{.name = "vat", .type = &eb_amount_type, .initial = "0", .later = true},
			{.name = "round", .type = &eb_round_type, .rule = EB_INITIAL_LINE_ROUND},
			{.name = "offset", .type = &eb_bool_type, .initial = "true", .later = true},
			{.name = NULL},
		},
};
