/*
 * tariff_grammar_measure.c -- the JSON form of a tariff as tables: series, demands, losses, net
 * In:  nothing.
 * Out: types of tariff_types.h; keys stand in the order of the canonical text.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "rating/tariff.h"
#include "rating/tariff_types.h"

#define WORD_TYPE(says, ...)               \
	(&(const EbType){.kind = EB_TYPE_WORD, \
					 .what = (says),       \
					 .word = (const EbWord[]){__VA_ARGS__, {.name = NULL}}})
#define INT_TYPE(says, lowest, highest) \
	(&(const EbType){.kind = EB_TYPE_INT, .what = (says), .min = (lowest), .max = (highest)})

/* ---------------------------------------------------------------- series */

static const EbType points_type = {
	.kind = EB_TYPE_LIST,
	.check = EB_CHECK_POINTS,
	.what = "a list of [instant or date, price]",
	.min = 1,
	.max = 100000,
	.element = &(const EbType){.kind = EB_TYPE_PAIR,
							   .what = "[instant or date, price]",
							   .element = &eb_instant_type,
							   .second = &eb_decimal_type},
};

const EbType eb_series_object_type = {
	.kind = EB_TYPE_OBJECT,
	.what = "a series",
	.field =
		(const EbField[]){
			{.name = "by",
			 .type = WORD_TYPE("\"instant\" or \"bill_month\"", {"instant", EB_SERIES_INSTANT},
							   {"bill_month", EB_SERIES_BILL_MONTH}),
			 .initial = "\"instant\""},
			{.name = "points", .type = &points_type, .required = true},
			{.name = NULL},
		},
};

const EbType eb_series_type = {
	.kind = EB_TYPE_MAP,
	.what = "prices from an instant on, per series",
	.max = EB_MAX_SERIES,
	.key = &eb_name_type,
	.element =
		&(const EbType){
			.kind = EB_TYPE_CHOICE,
			.what = "a list of points, \"usage\" or the code of a series",
			.scalar = &eb_name_type,
			.list = &points_type,
			.object = &eb_series_object_type,
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

const EbType eb_ratchet_type = {
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

/* Keys that do not classify change what the measured kW cost, not what is measured. */
const EbType eb_demand_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_DEMAND,
	.what = "a demand",
	.field =
		(const EbField[]){
			{.name = "quantity",
			 .type = WORD_TYPE("a measured power", {"import_kw", EB_IMPORT_KW},
							   {"export_kw", EB_EXPORT_KW}, {"import_kva", EB_IMPORT_KVA},
							   {"import_kvar", EB_IMPORT_KVAR}),
			 .initial = "\"import_kw\"",
			 .classifies = true},
			{.name = "window",
			 .type = INT_TYPE("a number of minutes from 1 to 1440", 1, 1440),
			 .initial = "15",
			 .classifies = true},
			{.name = "slide",
			 .type = INT_TYPE("a number of minutes from 1 to 1440", 1, 1440),
			 .rule = EB_INITIAL_WINDOW,
			 .classifies = true},
			{.name = "agg",
			 .type = WORD_TYPE("\"max\" or \"top_mean\"", {"max", 0}, {"top_mean", 1}),
			 .initial = "\"max\"",
			 .classifies = true},
			{.name = "n",
			 .type = INT_TYPE("a number from 1 to 1000", 1, 1000),
			 .initial = "1",
			 .classifies = true},
			{.name = "distinct",
			 .type = WORD_TYPE("\"window\", \"day\", \"week\" or \"month\"",
							   {"window", EB_DISTINCT_WINDOW}, {"day", EB_DISTINCT_DAY},
							   {"week", EB_DISTINCT_WEEK}, {"month", EB_DISTINCT_MONTH}),
			 .initial = "\"window\"",
			 .classifies = true},
			{.name = "per",
			 .type = WORD_TYPE("\"bill\", \"month\", \"quarter\" or \"year\"",
							   {"bill", EB_SCOPE_BILL}, {"month", EB_SCOPE_MONTH},
							   {"quarter", EB_SCOPE_QUARTER}, {"year", EB_SCOPE_YEAR}),
			 .initial = "\"bill\"",
			 .classifies = true},
			{.name = "schedule",
			 .type = &eb_name_type,
			 .rule = EB_INITIAL_ONLY_SCHEDULE,
			 .classifies = true},
			{.name = "period", .type = &eb_names_type, .classifies = true},
			{.name = "season", .type = &eb_names_type, .classifies = true},
			{.name = "months", .type = &eb_months_type, .classifies = true},
			{.name = "event", .type = &eb_name_type, .classifies = true},
			{.name = "round", .type = &eb_round_type, .initial = "null"},
			{.name = "floor_kw", .type = &eb_kwh_type},
			{.name = "floor_contract_pct", .type = &eb_amount_type},
			{.name = "cap_kw", .type = &eb_kwh_type},
			{.name = "ratchet", .type = &eb_ratchet_type},
			{.name = NULL},
		},
};

const EbType eb_demands_type = {.kind = EB_TYPE_MAP,
								.what = "what is measured, per demand",
								.max = EB_MAX_DEMANDS,
								.key = &eb_name_type,
								.element = &eb_demand_type};

/* ---------------------------------------------------------------- losses */

const EbType eb_loss_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_LOSS,
	.what = "a loss",
	.field =
		(const EbField[]){
			{.name = "code", .type = &eb_name_type, .required = true},
			{.name = "kind",
			 .type = WORD_TYPE("\"percent\", \"factor\", \"constant\" or \"copper\"",
							   {"percent", EB_LOSS_PERCENT}, {"factor", EB_LOSS_FACTOR},
							   {"constant", EB_LOSS_CONSTANT}, {"copper", EB_LOSS_COPPER}),
			 .required = true},
			{.name = "percent", .type = &eb_amount_type},
			{.name = "factor", .type = &eb_amount_type},
			{.name = "kva", .type = &eb_quantity_type},
			{.name = "minus", .type = &eb_quantity_type},
			{.name = "hours", .type = &eb_positive_type},
			{.name = "sign", .type = INT_TYPE("1 or -1", -1, 1), .initial = "1"},
			{.name = "cap_pct", .type = &eb_amount_type},
			{.name = "load_kw", .type = &eb_amount_type},
			{.name = "k", .type = &eb_amount_type, .initial = "1"},
			{.name = NULL},
		},
};

const EbType eb_losses_type = {.kind = EB_TYPE_LIST,
							   .what = "a list of losses",
							   .max = EB_MAX_LOSSES,
							   .element = &eb_loss_type};

/* ---------------------------------------------------------------- net */

const EbType eb_net_type = {
	.kind = EB_TYPE_OBJECT,
	.check = EB_CHECK_NET,
	.what = "an object",
	.field =
		(const EbField[]){
			{.name = "mode",
			 .type = WORD_TYPE(
				 "a mode of net metering", {"none", EB_NET_NONE},
				 {"rollover_kwh", EB_NET_ROLLOVER_KWH}, {"rollover_money", EB_NET_ROLLOVER_MONEY},
				 {"billing", EB_NET_BILLING}, {"billing_carry", EB_NET_BILLING_CARRY},
				 {"buy_all_sell_all", EB_NET_BUY_ALL_SELL_ALL}, {"offset_kwh", EB_NET_OFFSET_KWH}),
			 .initial = "\"none\""},
			{.name = "settle_month",
			 .type = INT_TYPE("a month from 1 to 12", 1, 12),
			 .initial = "12"},
			{.name = "true_up_price", .type = &eb_decimal_type, .initial = "0"},
			{.name = "settle",
			 .type = WORD_TYPE("\"pay\" or \"carry\"", {"pay", 0}, {"carry", 1}),
			 .initial = "\"pay\""},
			{.name = "expire", .type = &eb_bool_type, .initial = "false"},
			{.name = "same_month", .type = &eb_bool_type, .initial = "false"},
			{.name = "match",
			 .type = WORD_TYPE("\"period\" or \"time_of_day\"", {"period", 0}, {"time_of_day", 1}),
			 .initial = "\"period\""},
			{.name = "order", .type = &eb_names_type},
			{.name = "excess",
			 .type = WORD_TYPE("\"carry\", \"pay\" or \"lost\"", {"carry", EB_EXCESS_CARRY},
							   {"pay", EB_EXCESS_PAY}, {"lost", EB_EXCESS_LOST}),
			 .initial = "\"carry\""},
			{.name = NULL},
		},
};
