/*
 * fuzz_tariff.c -- libFuzzer: any JSON as a tariff
 * Lint never falls; what it lets through compiles; the canonical text of that is its own canonical
 * text and compiles to the same block; the block passes the check of stored tariffs and can be used.
 * JSON is read by json-c, which the project does not use elsewhere.
 */
#include <json-c/json.h>

#include "rating/tariff_check.h"
#include "rating/tariff_compile.h"
#include "use_tariff.h"

#define MAX_NODES 20000
#define MAX_DEPTH 60

/* A tree and the JSON its texts point into */
typedef struct Tree
{
	struct json_object *json;
	EbNode node[MAX_NODES];
	int n;
} Tree;

typedef struct Count
{
	int errors;
} Count;

static int
compare_keys(const void *left, const void *right)
{
	const EbNode *a = left;
	const EbNode *b = right;
	int order = memcmp(a->key.data, b->key.data,
					   (size_t) (a->key.len < b->key.len ? a->key.len : b->key.len));

	return order != 0 ? order : a->key.len - b->key.len;
}

static void fill(Tree *tree, EbNode *node, struct json_object *json);

/* n children side by side; NULL when there is no room. */
static EbNode *
take_children(Tree *tree, int n)
{
	EbNode *first = &tree->node[tree->n];

	if (n == 0 || n > MAX_NODES - tree->n)
		return NULL;
	tree->n += n;
	memset(first, 0, (size_t) n * sizeof(EbNode));
	for (int i = 0; i + 1 < n; i++)
		first[i].next = &first[i + 1];
	return first;
}

static void
fill_object(Tree *tree, EbNode *node, struct json_object *json)
{
	EbNode *child = take_children(tree, json_object_object_length(json));
	struct json_object_iterator at = json_object_iter_begin(json);
	struct json_object_iterator end = json_object_iter_end(json);
	int i = 0;

	node->kind = EB_NODE_OBJECT;
	node->child = child;
	if (child == NULL)
		return;
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
	{
		const char *key = json_object_iter_peek_name(&at);

		child[i].key = (EbText){key, (int) strlen(key)};
		fill(tree, &child[i++], json_object_iter_peek_value(&at));
	}
	qsort(child, (size_t) i, sizeof(EbNode), compare_keys);
	for (int j = 0; j < i; j++)
		child[j].next = j + 1 < i ? &child[j + 1] : NULL;
}

static void
fill(Tree *tree, EbNode *node, struct json_object *json)
{
	EbNode *child;

	switch (json_object_get_type(json))
	{
		case json_type_null:
			break;
		case json_type_boolean:
			node->kind = json_object_get_boolean(json) ? EB_NODE_TRUE : EB_NODE_FALSE;
			break;
		case json_type_double:
		case json_type_int:
			node->kind = EB_NODE_NUMBER;
			node->text.data = json_object_to_json_string(json);
			node->text.len = (int) strlen(node->text.data);
			break;
		case json_type_string:
			node->kind = EB_NODE_TEXT;
			node->text = (EbText){json_object_get_string(json), json_object_get_string_len(json)};
			break;
		case json_type_object:
			fill_object(tree, node, json);
			break;
		case json_type_array:
			node->kind = EB_NODE_ARRAY;
			child = take_children(tree, (int) json_object_array_length(json));
			node->child = child;
			for (size_t i = 0; child != NULL && i < json_object_array_length(json); i++)
				fill(tree, &child[i], json_object_array_get_idx(json, i));
			break;
	}
}

static const EbNode *
parse(Tree *tree, const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);

	tree->n = 1;
	memset(tree->node, 0, sizeof(EbNode));
	tree->json = json_tokener_parse_ex(tokener, text, (int) size);
	json_tokener_free(tokener);
	if (tree->json == NULL)
		return NULL;
	fill(tree, tree->node, tree->json);
	return tree->node;
}

static void
count(void *arg, const EbFinding *finding)
{
	Count *found = arg;

	HOLD(finding->message[0] != '\0');
	found->errors += finding->level == EB_LINT_ERROR;
}

/* A block in memory of exactly its size, so that a read beyond it is seen */
static void *
compile(const EbNode *root, size_t *used, EbStatus *status)
{
	EbFault fault;

	for (size_t size = 16384;; size *= 2)
	{
		void *buf = malloc(size);
		void *block;

		HOLD(buf != NULL && size <= EB_TARIFF_MAX_SIZE);
		*status = eb_tariff_compile(root, buf, size, used, &fault);
		if (*status == EB_OK)
		{
			block = malloc(*used);
			memcpy(block, buf, *used);
			free(buf);
			return block;
		}
		free(buf);
		HOLD(*status == EB_NO_SPACE || fault.message[0] != '\0');
		if (*status != EB_NO_SPACE)
			return NULL;
	}
}

static void
text_comes_back(const EbNode *root, const void *block, size_t used)
{
	static Tree tree;
	static char text[1 << 20];
	static char again[1 << 20];
	size_t size;
	size_t size_again;
	size_t used_again;
	EbStatus status;
	void *other;

	HOLD(eb_tariff_text(root, text, sizeof(text), &size) == EB_OK);
	HOLD(parse(&tree, text, size) != NULL);
	HOLD(eb_tariff_text(tree.node, again, sizeof(again), &size_again) == EB_OK);
	HOLD(size == size_again && memcmp(text, again, size) == 0);
	other = compile(tree.node, &used_again, &status);
	HOLD(other != NULL && used == used_again && memcmp(other, block, used) == 0);
	free(other);
	json_object_put(tree.json);
}

/* In its zone, if it can be; then it passes the check of stored tariffs. */
static void
use(void *block, size_t used)
{
	const EbZoneSpan span[] = {{INT64_MIN, 3600}, {INT64_C(822099600000000), 7200}};
	const EbZone zone = {span, 2}; /* 2026-01-19 01:00 UTC: an hour is missing */

	if (eb_tariff_localize(block, &zone, &use_fault) != EB_OK)
	{
		HOLD(strstr(use_fault.detail, ": ") != NULL);
		return;
	}
	HOLD(eb_tariff_check(block, used, &use_fault) == EB_OK);
	use_tariff(block, &zone);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static Tree tree;
	const EbNode *root = parse(&tree, (const char *) bytes, n);
	Count found = {0};
	EbStatus status;
	size_t used;
	void *block;

	if (root == NULL)
		return 0;
	eb_tariff_lint(root, count, &found);
	block = compile(root, &used, &status);
	if (found.errors > 0)
		HOLD(status == EB_BAD_ARGUMENT);
	else
		HOLD(status == EB_OK || status == EB_BAD_ARGUMENT); /* a calendar that is only named */
	if (block != NULL)
	{
		text_comes_back(root, block, used);
		use(block, used);
	}
	free(block);
	json_object_put(tree.json);
	return 0;
}
