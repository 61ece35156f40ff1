/*
 * rate_ctx.c -- the ctx argument of rate(): what rating needs besides tariff and usage
 * In:  jsonb {attrs, before, past_kw, credit, charged, qty, service_days, final, during, lang, version}.
 * Out: EbRateContext (rating/rate.h).
 * Floor: pg.
 */
#include "postgres.h"

#include "utils/jsonb.h"

#include "base/civil.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/jsonb_node.h"
#include "pg/rate_ctx.h"
#include "rating/tariff_json.h"

/* A key of ctx and what reads it */
typedef struct CtxKey
{
	const char *name;
	void (*read)(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx);
} CtxKey;

static pg_attribute_noreturn() void refuse(const char *key, const char *wanted)
{
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("ctx.%s must be %s", key, wanted)));
}

static pg_attribute_noreturn() void refuse_key(const char *where, EbText key, const char *known)
{
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
					errmsg("unknown key \"%.*s\" in %s", key.len, key.data, where),
					errhint("Known are %s.", known)));
}

/* A number of kWh or of another quantity in 1e-6 */
static int64
read_quantity(const char *where, const EbNode *node)
{
	int64_t value_u = 0;
	EbStatus status = EB_BAD_ARGUMENT;

	if (node->kind == EB_NODE_NUMBER || node->kind == EB_NODE_TEXT)
		status = eb_node_decimal(node, EB_ENERGY_SCALE, &value_u);
	if (status == EB_OUT_OF_RANGE)
		ereport(ERROR,
				(errcode(EB_ERRCODE_WRONG_AMOUNT),
				 errmsg("\"%.*s\" in %s is out of range", node->key.len, node->key.data, where)));
	if (status != EB_OK)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("\"%.*s\" in %s must be a number of at most six decimals",
							   node->key.len, node->key.data, where)));
	return value_u;
}

const EbAttr *
eb_pg_attr_nodes(const EbNode *object, const char *where, int *n)
{
	EbAttr *attr = palloc(sizeof(EbAttr) * Max(eb_node_count(object), 1));

	*n = 0;
	EB_EACH(item, object)
	{
		char *number = palloc(EB_NUMBER_TEXT);

		if (item->kind == EB_NODE_NULL)
			continue;
		if (item->kind == EB_NODE_ARRAY || item->kind == EB_NODE_OBJECT)
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("attribute \"%.*s\" in %s must be a text, a number, true or "
								   "false",
								   item->key.len, item->key.data, where)));
		attr[*n].name = item->key;
		attr[(*n)++].value = eb_scalar_text(item, number);
	}
	return attr;
}

static void
read_attrs(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	if (value->kind != EB_NODE_OBJECT)
		refuse("attrs", "an object");
	ctx->rating.attr = eb_pg_attr_nodes(value, "ctx.attrs", &ctx->rating.nattrs);
}

/* The same where less than nothing makes no sense */
static int64
read_positive(const char *where, const EbNode *node)
{
	int64 value_u = read_quantity(where, node);

	if (value_u < 0)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("\"%.*s\" in %s must not be negative",
														  node->key.len, node->key.data, where)));
	return value_u;
}

/* Members of all objects in an object */
static int
count_inner(const EbNode *object)
{
	int n = 0;

	EB_EACH(item, object)
		n += item->kind == EB_NODE_OBJECT ? eb_node_count(item) : 1;
	return n;
}

/* Scopes that a bill may begin inside of */
static bool
scope_goes_on(const EbWord *word)
{
	return word != NULL && word->value != EB_SCOPE_INTERVAL && word->value != EB_SCOPE_SESSION;
}

static void
read_before(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	EbBefore *before;
	int n = 0;

	if (value->kind != EB_NODE_OBJECT)
		refuse("before", "an object {scope: kWh}");
	before = palloc(sizeof(EbBefore) * Max(count_inner(value), 1));
	EB_EACH(item, value)
	{
		const EbWord *word = eb_word_find(eb_tier_scope_word, item->key);

		if (!scope_goes_on(word))
			refuse_key("ctx.before", item->key, "bill, day, month, quarter, year");
		if (item->kind != EB_NODE_OBJECT)
			before[n++] =
				(EbBefore){(EbTierScope) word->value, {NULL, 0}, read_positive("ctx.before", item)};
		EB_EACH(period, item->kind == EB_NODE_OBJECT ? item : NULL)
			before[n++] = (EbBefore){(EbTierScope) word->value, period->key,
									 read_positive("ctx.before", period)};
	}
	ctx->rating.before = before;
	ctx->rating.nbefore = n;
}

/* "2026-01" */
static void
read_month(EbText text, EbPastPeak *past)
{
	char date[12] = "";
	int32_t day;

	if (text.len == 7)
		snprintf(date, sizeof(date), "%.*s-01", text.len, text.data);
	if (!eb_parse_date((EbText){date, (int) strlen(date)}, &day))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("\"%.*s\" in ctx.past_kw is no month", text.len, text.data),
						errhint("Months are written as 2026-01.")));
	past->year = eb_date_from_day(day).year;
	past->month = eb_date_from_day(day).month;
}

static void
read_past(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	EbPastPeak *past;
	int n = 0;

	if (value->kind != EB_NODE_OBJECT)
		refuse("past_kw", "an object {demand: {month: kW}}");
	past = palloc(sizeof(EbPastPeak) * Max(count_inner(value), 1));
	EB_EACH(demand, value)
	{
		if (demand->kind != EB_NODE_OBJECT)
			refuse("past_kw", "an object {demand: {month: kW}}");
		EB_EACH(month, demand)
		{
			past[n].demand = demand->key;
			read_month(month->key, &past[n]);
			past[n++].ukw = read_positive("ctx.past_kw", month);
		}
	}
	ctx->rating.past = past;
	ctx->rating.npast = n;
}

/* Money in 1e-15 */
static eb_int128
read_money(const char *where, const EbNode *node)
{
	eb_int128 money = 0;
	EbStatus status = EB_BAD_ARGUMENT;

	if (node->kind == EB_NODE_NUMBER || node->kind == EB_NODE_TEXT)
		status = eb_decimal_parse(node->text, EB_AMOUNT_SCALE, &money);
	if (status == EB_OUT_OF_RANGE)
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("%s is out of range", where)));
	if (status != EB_OK)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s must be a number of at most 15 decimals", where)));
	return money;
}

/* A number, or kWh by period; what stands under "" goes on over all periods and may be negative */
static void
read_credit(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	EbNamedQuantity *credit = palloc(sizeof(EbNamedQuantity) * Max(eb_node_count(value), 1));
	int n = 0;

	ctx->rating.credit = credit;
	if (value->kind != EB_NODE_OBJECT)
	{
		ctx->rating.credit_money = read_money("ctx.credit", value);
		if (ctx->rating.credit_money < 0)
			refuse("credit", "a number that is not negative");
		return;
	}
	EB_EACH(item, value)
	{
		credit[n].name = item->key;
		credit[n++].value_u = item->key.len == 0 ? read_quantity("ctx.credit", item)
												 : read_positive("ctx.credit", item);
	}
	ctx->rating.ncredit = n;
}

static void
read_charged(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	if (value->kind != EB_NODE_OBJECT)
		refuse("charged", "an object {\"year\": money}");
	EB_EACH(item, value)
	{
		if (!eb_text_is(item->key, "year"))
			refuse_key("ctx.charged", item->key, "year");
		ctx->rating.charged[EB_SCOPE_YEAR] = read_money("\"year\" in ctx.charged", item);
	}
}

static void
read_service_days(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	ctx->rating.service_days_u = read_quantity("ctx", value);
	if (ctx->rating.service_days_u <= 0)
		refuse("service_days", "positive");
}

static void
read_qty(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	EbNamedQuantity *qty = palloc(sizeof(EbNamedQuantity) * Max(eb_node_count(value), 1));
	int n = 0;

	if (value->kind != EB_NODE_OBJECT)
		refuse("qty", "an object {name: number}");
	EB_EACH(item, value)
	{
		qty[n].name = item->key;
		qty[n++].value_u = read_quantity("ctx.qty", item);
	}
	ctx->rating.qty = qty;
	ctx->rating.nqty = n;
}

static void
read_final(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	if (value->kind != EB_NODE_TRUE && value->kind != EB_NODE_FALSE)
		refuse("final", "true or false");
	ctx->rating.final = value->kind == EB_NODE_TRUE;
}

static void
read_during(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	const EbNode *from = eb_node_first(value);

	if (value->kind != EB_NODE_ARRAY || eb_node_count(value) != 2 ||
		!eb_parse_instant(eb_node_text(from), zone, &ctx->rating.from_us) ||
		!eb_parse_instant(eb_node_text(from->next), zone, &ctx->rating.to_us) ||
		ctx->rating.from_us >= ctx->rating.to_us)
		refuse("during", "[from, to) of two rising dates or instants");
}

static void
read_lang(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	if (value->kind != EB_NODE_TEXT)
		refuse("lang", "a language, \"zh\" or \"en\"");
	ctx->lang = pnstrdup(value->text.data, value->text.len);
}

static void
read_version(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	int64_t version;

	if (value->kind != EB_NODE_NUMBER || eb_node_decimal(value, 0, &version) != EB_OK ||
		version < 1 || version > PG_INT32_MAX)
		refuse("version", "a whole number from 1 on");
	ctx->has_version = true;
	ctx->version = (int32) version;
}

static const CtxKey ctx_key[] = {
	{"attrs", read_attrs},	   {"before", read_before},	  {"past_kw", read_past},
	{"credit", read_credit},   {"charged", read_charged}, {"qty", read_qty},
	{"final", read_final},	   {"during", read_during},	  {"service_days", read_service_days},
	{"version", read_version}, {"lang", read_lang},
};

static const CtxKey *
find_key(EbText name)
{
	for (int i = 0; i < (int) lengthof(ctx_key); i++)
		if (eb_text_is(name, ctx_key[i].name))
			return &ctx_key[i];
	return NULL;
}

void
eb_pg_rate_context(Jsonb *json, const EbZone *zone, EbPgRateContext *ctx)
{
	const EbNode *root;

	memset(ctx, 0, sizeof(*ctx));
	ctx->rating.from_us = ctx->rating.to_us = PG_INT64_MIN;
	ctx->rating.final = true;
	ctx->rating.stop = eb_pg_stop;
	ctx->lang = "zh";
	/* the default is read once per group: it has to cost nothing */
	if (JB_ROOT_IS_OBJECT(json) && JB_ROOT_COUNT(json) == 0)
		return;
	root = eb_pg_jsonb_node(json);
	if (root->kind != EB_NODE_OBJECT)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("ctx must be an object")));
	EB_EACH(item, root)
	{
		const CtxKey *key = find_key(item->key);

		if (key == NULL)
			refuse_key("ctx", item->key,
					   "attrs, before, past_kw, credit, charged, qty, service_days, final, during, "
					   "lang, version");
		key->read(item, zone, ctx);
	}
}

const EbAttr *
eb_pg_attrs(Jsonb *json, int *n)
{
	const EbNode *root;

	*n = 0;
	if (JB_ROOT_IS_OBJECT(json) && JB_ROOT_COUNT(json) == 0)
		return NULL;
	root = eb_pg_jsonb_node(json);
	if (root->kind != EB_NODE_OBJECT)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("attrs must be an object")));
	return eb_pg_attr_nodes(root, "attrs", n);
}
