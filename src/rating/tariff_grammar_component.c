/*
 * tariff_grammar_component.c -- the JSON form of a tariff as tables: components
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
	{"reactive", EB_KIND_REACTIVE, "\"import_kvarh\"", "\"kvarh\"", "kvarh"},
	{"credit", EB_KIND_CREDIT, "\"export_kwh\"", "\"kwh\"", "kwh"},
	{"fixed", EB_KIND_FIXED, NULL, "\"bill\"", "bill day month unit"},
	{"capacity", EB_KIND_CAPACITY, "\"attr:contract_kva\"", "\"kva\"", "kva kw unit"},
	{"demand", EB_KIND_DEMAND, NULL, "\"kw\"", "kw kva"},
	{"percent", EB_KIND_PERCENT, NULL, NULL, NULL},
	{"power_factor", EB_KIND_POWER_FACTOR, NULL, NULL, NULL},
	{"minimum", EB_KIND_MINIMUM, NULL, NULL, NULL},
	{"maximum", EB_KIND_MAXIMUM, NULL, NULL, NULL},
	{"custom", EB_KIND_CUSTOM, NULL, "\"unit\"", NULL},
	{"session_flat", EB_KIND_SESSION_FLAT, NULL, "\"session\"", "session"},
	{"session_time", EB_KIND_SESSION_TIME, NULL, "\"hour\"", "hour minute"},
	{"idle", EB_KIND_IDLE, NULL, "\"hour\"", "hour minute"},
	{"reserve_flat", EB_KIND_RESERVE_FLAT, NULL, "\"session\"", "session"},
	{"reserve_time", EB_KIND_RESERVE_TIME, NULL, "\"hour\"", "hour minute"},
};

const EbWord eb_per_word[] = {
	{"kwh", EB_PER_KWH},	   {"kvarh", EB_PER_KVARH},		{"kw", EB_PER_KW},
	{"kva", EB_PER_KVA},	   {"day", EB_PER_DAY},			{"month", EB_PER_MONTH},
	{"bill", EB_PER_BILL},	   {"session", EB_PER_SESSION}, {"hour", EB_PER_HOUR},
	{"minute", EB_PER_MINUTE}, {"unit", EB_PER_UNIT},		{.name = NULL},
};

const EbWord eb_prorate_word[] = {
	{"none", EB_PRORATE_NONE},
	{"days", EB_PRORATE_DAYS},
	{"months", EB_PRORATE_MONTHS},
	{.name = NULL},
};

const EbWord eb_min_scope_word[] = {
	{"bill", EB_MIN_BILL},		 {"month", EB_MIN_MONTH}, {"year", EB_MIN_YEAR},
	{"session", EB_MIN_SESSION}, {.name = NULL},
};

const EbWord eb_pf_table_word[] = {
	{"cn_0.90", EB_PF_CN_090},
	{"cn_0.85", EB_PF_CN_085},
	{"cn_0.80", EB_PF_CN_080},
	{"cn", EB_PF_CN},
	{.name = NULL},
};

#define WORD_TYPE(says, words) \
	(&(const EbType){.kind = EB_TYPE_WORD, .what = (says), .word = (words)})

/* ---------------------------------------------------------------- component */

static const EbType pf_table_type = {
	.kind = EB_TYPE_CHOICE,
	.what = "the name of a table or a list of [power factor, percent]",
	.scalar = WORD_TYPE("the name of a power factor table", eb_pf_table_word),
	.list = &(const EbType){.kind = EB_TYPE_LIST,
							.check = EB_CHECK_PF_ROWS,
							.what = "a list of [power factor, percent]",
							.min = 1,
							.max = EB_MAX_ENTRIES,
							.element = &(const EbType){.kind = EB_TYPE_PAIR,
													   .what = "[power factor, percent]",
													   .element = &eb_amount_type,
													   .second = &eb_decimal_type}},
};

const EbType eb_linear_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_PF_LINEAR,
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
			{.name = "lane",
			 .type = &eb_name_type,
			 .rule = EB_INITIAL_CODE,
			 .kinds = ENERGY | SESSION},
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
			{.name = "tier", .type = &eb_tier_type, .kinds = PRICED & ~FIXED & ~FLATS},
			{.name = "demand", .type = &eb_name_type, .kinds = DEMAND},
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
			{.name = "table", .type = &pf_table_type, .kinds = POWER_FACTOR},
			{.name = "linear", .type = &eb_linear_type, .kinds = POWER_FACTOR},
			{.name = "amount", .type = &eb_price_type, .kinds = LOWEST | HIGHEST},
			{.name = "amount_incl", .type = &eb_price_type, .kinds = LOWEST | HIGHEST},
			{.name = "scope",
			 .type = WORD_TYPE("the scope of a minimum or maximum", eb_min_scope_word),
			 .initial = "\"bill\"",
			 .kinds = LOWEST | HIGHEST},
			{.name = "each",
			 .type = &each_type,
			 .initial = "{}",
			 .kinds = FIXED | CAPACITY | CUSTOM},
			{.name = "step_wh", .type = &eb_positive_milli_type, .kinds = ENERGY},
			{.name = "step_s", .type = &eb_positive_milli_type, .kinds = TIMES},
			{.name = "grace_s", .type = &eb_milli_type, .kinds = TIMES},
			{.name = "cap", .type = &eb_amount_type, .kinds = ENERGY | TIMES},
			{.name = "vat", .type = &eb_amount_type, .initial = "0"},
			{.name = "round", .type = &eb_round_type, .rule = EB_INITIAL_LINE_ROUND},
			{.name = "offset",
			 .type = &eb_bool_type,
			 .initial = "true",
			 .kinds = (PRICED & ~SESSION) | ON_BASE},
			{.name = NULL},
		},
};
