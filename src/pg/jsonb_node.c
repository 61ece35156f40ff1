/*
 * jsonb_node.c -- jsonb as the node tree the pure core reads (rating/node.h)
 * In:  jsonb.
 * Out: EbNode.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "pg/jsonb_node.h"

#define MAX_DIGITS 18
#define TOO_LARGE INT64CONST(1000000000000000000)

static void fill_container(EbNode *node, JsonbContainer *container, int depth);

static EbText
cstring_as_text(const char *cstring)
{
	return (EbText){cstring, (int) strlen(cstring)};
}

static EbText
string_as_text(const JsonbValue *value)
{
	return (EbText){value->val.string.val, value->val.string.len};
}

/* Written out, 1e131071 would be a text of 128 kB, and a value of 1 MB holds 100,000 of them. */
static EbText
number_as_text(Numeric number)
{
	Datum size = DirectFunctionCall1(numeric_abs, NumericGetDatum(number));
	Datum limit = NumericGetDatum(int64_to_numeric(TOO_LARGE));

	if (DatumGetBool(DirectFunctionCall2(numeric_ge, size, limit)))
		return cstring_as_text("1e99");
	if (DatumGetInt32(DirectFunctionCall1(numeric_min_scale, NumericGetDatum(number))) > MAX_DIGITS)
		return cstring_as_text("1e-99");
	return cstring_as_text(DatumGetCString(DirectFunctionCall1(
		numeric_out, DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(number)))));
}

static void
fill_node(EbNode *node, const JsonbValue *value, int depth)
{
	switch (value->type)
	{
		case jbvBool:
			node->kind = value->val.boolean ? EB_NODE_TRUE : EB_NODE_FALSE;
			break;
		case jbvNumeric:
			node->kind = EB_NODE_NUMBER;
			node->text = number_as_text(value->val.numeric);
			break;
		case jbvString:
			node->kind = EB_NODE_TEXT;
			node->text = string_as_text(value);
			break;
		case jbvBinary:
			fill_container(node, value->val.binary.data, depth + 1);
			break;
		default:
			node->kind = EB_NODE_NULL;
			break;
	}
}

static int
compare_keys(const void *left, const void *right)
{
	const EbNode *a = left;
	const EbNode *b = right;
	int order = memcmp(a->key.data, b->key.data, Min(a->key.len, b->key.len));

	return order != 0 ? order : a->key.len - b->key.len;
}

static void
fill_container(EbNode *node, JsonbContainer *container, int depth)
{
	bool object = JsonContainerIsObject(container);
	int n = JsonContainerSize(container);
	EbNode *child = NULL;
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue value;
	int i = 0;

	CHECK_FOR_INTERRUPTS();
	if (depth > EB_NODE_MAX_DEPTH)
		return;
	node->kind = object ? EB_NODE_OBJECT : EB_NODE_ARRAY;
	if (n > 0)
		child = palloc0_array(EbNode, n);
	(void) JsonbIteratorNext(&iterator, &value, true); /* the container itself */
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			child[i].key = string_as_text(&value);
		else if (token == WJB_VALUE || token == WJB_ELEM)
			fill_node(&child[i++], &value, depth);
	}
	if (object && n > 1)
		qsort(child, n, sizeof(EbNode), compare_keys);
	for (i = 0; i + 1 < n; i++)
		child[i].next = &child[i + 1];
	node->child = child;
}

const EbNode *
eb_pg_jsonb_node(Jsonb *json)
{
	EbNode *root = palloc0_object(EbNode);
	JsonbValue scalar;

	if (JB_ROOT_IS_SCALAR(json))
	{
		JsonbExtractScalar(&json->root, &scalar);
		fill_node(root, &scalar, 0);
	}
	else
		fill_container(root, &json->root, 0);
	return root;
}
