/*
 * tariff_grammar_later.c -- the JSON form of a tariff as tables: what this version checks but does
 * not rate (series, demands, losses, net)
 * In:  nothing.
 * Out: types of tariff_types.h; keys stand in the order of the canonical text.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "rating/tariff.h"
#include "rating/tariff_types.h"

#define WORD_TYPE(says, words) \
	(&(const EbType){.kind = EB_TYPE_WORD, .what = (says), .word = (words)})
#define INT_TYPE(says, lowest, highest) \
	(&(const EbType){.kind = EB_TYPE_INT, .what = (says), .min = (lowest), .max = (highest)})

/* ---------------------------------------------------------------- series */

static const EbType points_type = {
	.kind = EB_TYPE_LIST,
	.check = EB_CHECK_POINTS,
	.what = "a list of [instant, price]",
	.min = 1,
	.max = 100000,
	.element = &(const EbType){.kind = EB_TYPE_PAIR,
							   .what = "[instant, price]",
							   .element = &eb_instant_type,
							   .second = &eb_decimal_type},
};

const EbType eb_series_type = {
	.kind = EB_TYPE_MAP,
	.what = "prices from an instant on, per series",
	.max = EB_MAX_ENTRIES,
	.key = &eb_name_type,
	.element =
		&(const EbType){
			.kind = EB_TYPE_CHOICE,
			.what = "a list of points, \"usage\" or the code of a series",
			.scalar = &eb_name_type,
			.list = &points_type,
			.object =
				&(const EbType){
					.kind = EB_TYPE_OBJECT,
					.what = "a series",
					.field =
						(const EbField[]){
							{.name = "by",
							 .type = WORD_TYPE("\"instant\" or \"bill_month\"",
											   ((const EbWord[]){{"instant", 0, false},
																 {"bill_month", 1, false},
																 {.name = NULL}})),
							 .initial = "\"instant\""},
							{.name = "points", .type = &points_type, .required = true},
							{.name = NULL},
						},
				},
		},
};

/* ---------------------------------------------------------------- demands */

static const EbType twelve_type = {
	.kind = EB_TYPE_CHOICE,
	.what = "a percentage or a list of twelve, one for each month",
	.scalar = &eb_amount_type,
	.list = &(const EbType){.kind = EB_TYPE_LIST,
							.what = "a list of twelve percentages",
							.min = 12,
							.max = 12,
							.element = &eb_amount_type},
};

static const EbType ratchet_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "a ratchet",
	.field =
		(const EbField[]){
			{.name = "lookback",
			 .type = INT_TYPE("a number of months from 1 to 36", 1, 36),
			 .required = true},
			{.name = "percent", .type = &twelve_type, .required = true},
			{.name = "months", .type = &eb_months_type},
			{.name = "current", .type = &twelve_type, .initial = "100"},
			{.name = NULL},
		},
};

static const EbType demand_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_DEMAND,
	.what = "a demand",
	.field =
		(const EbField[]){
			{.name = "quantity",
			 .type = WORD_TYPE("a measured power", ((const EbWord[]){{"import_kw", 0, false},
																	 {"export_kw", 1, false},
																	 {"import_kva", 2, false},
																	 {"import_kvar", 3, false},
																	 {.name = NULL}})),
			 .initial = "\"import_kw\""},
			{.name = "window",
			 .type = INT_TYPE("a number of minutes from 1 to 1440", 1, 1440),
			 .initial = "15"},
			{.name = "slide",
			 .type = INT_TYPE("a number of minutes from 1 to 1440", 1, 1440),
			 .rule = EB_INITIAL_WINDOW},
			{.name = "agg",
			 .type = WORD_TYPE(
				 "\"max\" or \"top_mean\"",
				 ((const EbWord[]){{"max", 0, false}, {"top_mean", 1, false}, {.name = NULL}})),
			 .initial = "\"max\""},
			{.name = "n", .type = INT_TYPE("a number from 1 to 1000", 1, 1000), .initial = "1"},
			{.name = "distinct",
			 .type = WORD_TYPE("\"window\", \"day\", \"week\" or \"month\"",
							   ((const EbWord[]){{"window", 0, false},
												 {"day", 1, false},
												 {"week", 2, false},
												 {"month", 3, false},
												 {.name = NULL}})),
			 .initial = "\"window\""},
			{.name = "per",
			 .type = WORD_TYPE("\"bill\", \"month\", \"quarter\" or \"year\"",
							   ((const EbWord[]){{"bill", 0, false},
												 {"month", 1, false},
												 {"quarter", 2, false},
												 {"year", 3, false},
												 {.name = NULL}})),
			 .initial = "\"bill\""},
			{.name = "schedule", .type = &eb_name_type, .rule = EB_INITIAL_ONLY_SCHEDULE},
			{.name = "period", .type = &eb_names_type},
			{.name = "season", .type = &eb_names_type},
			{.name = "months", .type = &eb_months_type},
			{.name = "event", .type = &eb_name_type},
			{.name = "round", .type = &eb_round_type, .initial = "null"},
			{.name = "floor_kw", .type = &eb_kwh_type},
			{.name = "floor_contract_pct", .type = &eb_amount_type},
			{.name = "cap_kw", .type = &eb_kwh_type},
			{.name = "ratchet", .type = &ratchet_type},
			{.name = NULL},
		},
};

const EbType eb_demands_type = {.kind = EB_TYPE_MAP,
								.what = "what is measured, per demand",
								.max = EB_MAX_VALUES,
								.key = &eb_name_type,
								.element = &demand_type};

/* ---------------------------------------------------------------- losses */

const EbType eb_losses_type = {
	.kind = EB_TYPE_LIST,
	.what = "a list of losses",
	.max = 16,
	.element =
		&(const EbType){
			.kind = EB_TYPE_OBJECT,
			.check = EB_CHECK_LOSS,
			.what = "a loss",
			.field =
				(const EbField[]){
					{.name = "code", .type = &eb_name_type, .required = true},
					{.name = "kind",
					 .type = WORD_TYPE("\"percent\", \"factor\", \"constant\" or \"copper\"",
									   ((const EbWord[]){{"percent", 0, false},
														 {"factor", 1, false},
														 {"constant", 2, false},
														 {"copper", 3, false},
														 {.name = NULL}})),
					 .required = true},
					{.name = "percent", .type = &eb_amount_type},
					{.name = "factor", .type = &eb_amount_type},
					{.name = "kva", .type = &eb_quantity_type},
					{.name = "minus", .type = &eb_quantity_type},
					{.name = "hours", .type = &eb_amount_type},
					{.name = "sign", .type = INT_TYPE("1 or -1", -1, 1), .initial = "1"},
					{.name = "cap_pct", .type = &eb_amount_type},
					{.name = "load_kw", .type = &eb_amount_type},
					{.name = "k", .type = &eb_amount_type, .initial = "1"},
					{.name = NULL},
				},
		},
};

/* ---------------------------------------------------------------- net */

const EbType eb_net_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_NET,
	.what = "an object",
	.field =
		(const EbField[]){
			{.name = "mode",
			 .type = WORD_TYPE("a mode of net metering",
							   ((const EbWord[]){{"none", 0, false},
												 {"rollover_kwh", 1, false},
												 {"rollover_money", 2, false},
												 {"billing", 3, false},
												 {"billing_carry", 4, false},
												 {"buy_all_sell_all", 5, false},
												 {"offset_kwh", 6, false},
												 {.name = NULL}})),
			 .initial = "\"none\""},
			{.name = "settle_month",
			 .type = INT_TYPE("a month from 1 to 12", 1, 12),
			 .initial = "12"},
			{.name = "true_up_price", .type = &eb_decimal_type, .initial = "0"},
			{.name = "settle",
			 .type = WORD_TYPE("\"pay\" or \"carry\"",
							   ((const EbWord[]){{"pay", 0, false},
												 {"carry", 1, false},
												 {.name = NULL}})),
			 .initial = "\"pay\""},
			{.name = "expire", .type = &eb_bool_type, .initial = "false"},
			{.name = "same_month", .type = &eb_bool_type, .initial = "false"},
			{.name = "match",
			 .type = WORD_TYPE("\"period\" or \"time_of_day\"",
							   (
								   (const EbWord[]){{"period", 0, false},
													{"time_of_day", 1, false},
													{.name = NULL}})),
			 .initial = "\"period\""},
			{.name = "order", .type = &eb_names_type},
			{.name = "excess",
			 .type = WORD_TYPE("\"carry\", \"pay\" or \"lost\"",
							   ((const EbWord[]){{"carry", 0, false},
												 {"pay", 1, false},
												 {"lost", 2, false},
												 {.name = NULL}})),
			 .initial = "\"carry\""},
			{.name = NULL},
		},
};
