/*
 * rate_ctx.c -- the ctx argument of rate(): what rating needs besides tariff and usage
 * In:  jsonb {attrs, before, qty, final, during, lang, version}.
 * Out: EbRateContext (rating/rate.h).
 * Floor: pg.
 */
#include "postgres.h"

#include "utils/jsonb.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/jsonb_node.h"
#include "pg/rate_ctx.h"
#include "rating/tariff_json.h"

/* A key of ctx and what reads it; NULL: part of the format, not of this version */
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

static pg_attribute_noreturn() void refuse_later(const char *where, EbText key)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("\"%.*s\" in %s is not supported yet", key.len, key.data, where)));
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

static const EbAttr *
read_attr_nodes(const EbNode *object, const char *where, int *n)
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
	ctx->rating.attr = read_attr_nodes(value, "ctx.attrs", &ctx->rating.nattrs);
}

static void
read_before(const EbNode *value, const EbZone *zone, EbPgRateContext *ctx)
{
	if (value->kind != EB_NODE_OBJECT)
		refuse("before", "an object {scope: kWh}");
	EB_EACH(item, value)
	{
		const EbWord *word = eb_word_find(eb_tier_scope_word, item->key);
		int64 before_ukwh;

		if (word == NULL)
			refuse_key("ctx.before", item->key, "bill, month, quarter, year");
		if (word->later)
			refuse_later("ctx.before", item->key);
		before_ukwh = read_quantity("ctx.before", item);
		if (before_ukwh < 0)
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("\"%s\" in ctx.before must not be negative", word->name)));
		ctx->rating.before_ukwh[word->value] = before_ukwh;
	}
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
	{"attrs", read_attrs},	   {"before", read_before}, {"qty", read_qty},
	{"final", read_final},	   {"during", read_during}, {"lang", read_lang},
	{"version", read_version}, {"past_kw", NULL},		{"credit", NULL},
	{"service_days", NULL},
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
			refuse_key("ctx", item->key, "attrs, before, qty, final, during, lang, version");
		if (key->read == NULL)
			refuse_later("ctx", item->key);
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
	return read_attr_nodes(root, "attrs", n);
}
