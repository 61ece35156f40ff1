/*
 * net.c -- net_settle(): an account of export over the bills of years
 * In:  charges and credits of bills that follow each other, the rules of net.
 * Out: what is used, kept and paid with each; the same rules as in a bill (rating/net.h).
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/jsonb_node.h"
#include "rating/net.h"
#include "rating/tariff_json.h"

#define MAX_BILLS 10000

typedef struct Settle
{
	EbNet net;
	int first_month; /* of the first bill */
	int scale;		 /* of the account: money or kWh */
	eb_int128 account;
} Settle;

/* A word and the number it stands for */
typedef struct Word
{
	const char *name;
	int value;
} Word;

static const Word mode_word[] = {
	{"none", EB_NET_NONE},
	{"rollover_kwh", EB_NET_ROLLOVER_KWH},
	{"rollover_money", EB_NET_ROLLOVER_MONEY},
	{"billing", EB_NET_BILLING},
	{"billing_carry", EB_NET_BILLING_CARRY},
	{"buy_all_sell_all", EB_NET_BUY_ALL_SELL_ALL},
	{"offset_kwh", EB_NET_OFFSET_KWH},
	{.name = NULL},
};

static const Word settle_word[] = {{"pay", 0}, {"carry", 1}, {.name = NULL}};

static const Word excess_word[] = {
	{"carry", EB_EXCESS_CARRY},
	{"pay", EB_EXCESS_PAY},
	{"lost", EB_EXCESS_LOST},
	{.name = NULL},
};

static pg_attribute_noreturn() void refuse_option(const EbNode *option, const char *wanted)
{
	ereport(ERROR,
			(errcode(EB_ERRCODE_BAD_ARGUMENT),
			 errmsg("option \"%.*s\" must be %s", option->key.len, option->key.data, wanted)));
}

static int8
read_word(const EbNode *option, const Word *word, const char *wanted)
{
	for (; word->name != NULL; word++)
		if (eb_text_is(eb_node_text(option), word->name))
			return (int8) word->value;
	refuse_option(option, wanted);
}

static int8
read_bool(const EbNode *option)
{
	if (option->kind != EB_NODE_TRUE && option->kind != EB_NODE_FALSE)
		refuse_option(option, "true or false");
	return option->kind == EB_NODE_TRUE;
}

/* A number of the scale; UB422 when it is too large */
static eb_int128
read_number(const EbNode *option, int scale, const char *wanted)
{
	eb_int128 value = 0;
	EbStatus status = EB_BAD_ARGUMENT;

	if (option->kind == EB_NODE_NUMBER || option->kind == EB_NODE_TEXT)
		status = eb_decimal_parse(option->text, scale, &value);
	if (status == EB_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(EB_ERRCODE_WRONG_AMOUNT),
				 errmsg("option \"%.*s\" is out of range", option->key.len, option->key.data)));
	if (status != EB_OK)
		refuse_option(option, wanted);
	return value;
}

static void
read_option(const EbNode *option, Settle *settle)
{
	EbText key = option->key;
	eb_int128 value;

	if (eb_text_is(key, "settle"))
		settle->net.settle_carry = read_word(option, settle_word, "\"pay\" or \"carry\"");
	else if (eb_text_is(key, "excess"))
		settle->net.excess = read_word(option, excess_word, "\"carry\", \"pay\" or \"lost\"");
	else if (eb_text_is(key, "expire"))
		settle->net.expire = read_bool(option);
	else if (eb_text_is(key, "same_month"))
		settle->net.same_month = read_bool(option);
	else if (eb_text_is(key, "true_up_price"))
	{
		value = read_number(option, EB_PRICE_SCALE, "a price of at most nine decimals");
		if (value < PG_INT64_MIN || value > PG_INT64_MAX)
			ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT),
							errmsg("option \"true_up_price\" is out of range")));
		settle->net.true_up_n = (int64) value;
	}
	else if (eb_text_is(key, "first_month"))
	{
		settle->first_month = eb_node_int(option, 0);
		if (settle->first_month < 1 || settle->first_month > 12)
			refuse_option(option, "a month from 1 to 12");
	}
	else if (eb_text_is(key, "account"))
	{
		settle->account =
			read_number(option, settle->scale,
						settle->scale == EB_ENERGY_SCALE ? "kWh of at most six decimals"
														 : "money of at most fifteen decimals");
		if (settle->account < 0)
			refuse_option(option, "0 or more");
	}
	else
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("unknown option \"%.*s\"", key.len, key.data),
						errhint("Known are account, excess, expire, first_month, same_month, "
								"settle and true_up_price.")));
}

static Settle
read_rules(text *mode, int32 settle_month, Jsonb *opts)
{
	Settle settle = {.first_month = 1, .scale = EB_AMOUNT_SCALE};
	char *name = text_to_cstring(mode);
	const Word *word = mode_word;
	const EbNode *root = eb_pg_jsonb_node(opts);

	while (word->name != NULL && strcmp(word->name, name) != 0)
		word++;
	if (word->name == NULL)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("unknown net mode \"%s\"", name),
						errhint("It is none, rollover_kwh, rollover_money, billing, billing_carry, "
								"buy_all_sell_all or offset_kwh.")));
	if (settle_month < 1 || settle_month > 12)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("settle_month must be from 1 to 12"),
				 errdetail("It is %d.", settle_month)));
	if (root->kind != EB_NODE_OBJECT)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("opts must be an object")));
	settle.net.mode = (int8) word->value;
	settle.net.settle_month = (int8) settle_month;
	if (eb_net_mode_kwh((EbNetMode) word->value))
		settle.scale = EB_ENERGY_SCALE;
	EB_EACH(option, root)
		read_option(option, &settle);
	return settle;
}

static eb_int128 *
read_amounts(ArrayType *array, int scale, const char *what, int *n)
{
	Datum *element = eb_pg_numeric_elements(array, what, MAX_BILLS, n);
	eb_int128 *result = palloc(sizeof(eb_int128) * Max(*n, 1));

	for (int i = 0; i < *n; i++)
		result[i] =
			eb_pg_int128_from_numeric(element[i], scale, psprintf("element %d of %s", i + 1, what));
	return result;
}

static void
check_credits(const eb_int128 *credit, int n)
{
	for (int i = 0; i < n; i++)
		if (credit[i] < 0)
			ereport(ERROR,
					(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("credits must not be negative"),
					 errdetail("Element %d is.", i + 1)));
}

/* One row of net_settle(): n, charge, used, account, paid */
static void
put_bill(ReturnSetInfo *result, const Settle *settle, int n, const EbNetBill *bill)
{
	eb_int128 paid = bill->paid;
	Datum value[5];
	bool null[5] = {false};

	/* kWh x price: 1e-6 x 1e-9 */
	if (settle->scale == EB_ENERGY_SCALE && !eb_mul128(paid, settle->net.true_up_n, &paid))
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("payment is out of range")));
	value[0] = Int32GetDatum(n);
	value[1] = eb_pg_numeric(bill->charge, settle->scale, 0);
	value[2] = eb_pg_numeric(bill->used, settle->scale, 0);
	value[3] = eb_pg_numeric(bill->account, settle->scale, 0);
	value[4] = eb_pg_numeric(paid, EB_AMOUNT_SCALE, 0);
	tuplestore_putvalues(result->setResult, result->setDesc, value, null);
}

PG_FUNCTION_INFO_V1(elecbill_net_settle);
Datum
elecbill_net_settle(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Settle settle = read_rules(PG_GETARG_TEXT_PP(0), PG_GETARG_INT32(3), PG_GETARG_JSONB_P(4));
	EbNetRules rules = eb_net_rules(&settle.net);
	int ncharges;
	int ncredits;
	eb_int128 *charge = read_amounts(PG_GETARG_ARRAYTYPE_P(1), settle.scale, "charges", &ncharges);
	eb_int128 *credit = read_amounts(PG_GETARG_ARRAYTYPE_P(2), settle.scale, "credits", &ncredits);
	EbNetBill bill = {.account = settle.account};

	if (ncharges != ncredits)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("every bill needs a charge and a credit"),
				 errdetail("There are %d charges and %d credits.", ncharges, ncredits)));
	check_credits(credit, ncredits);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < ncharges; i++)
	{
		int month = (settle.first_month - 1 + i) % 12 + 1;

		bill.charge = charge[i];
		bill.credit = credit[i];
		if (!eb_net_bill(&rules, month == settle.net.settle_month, 1, &bill))
			ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("account is out of range"),
							errdetail("It is that after bill %d.", i + 1)));
		put_bill(result, &settle, i + 1, &bill);
	}
	PG_RETURN_NULL();
}
