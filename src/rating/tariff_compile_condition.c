/*
 * tariff_compile_condition.c -- the tariff compiler: quantities and conditions
 * In:  nodes without lint errors.
 * Out: EbQuantity, EbCondition.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md (Q, C).
 */
#include "base/civil.h"
#include "rating/tariff_build.h"
#include "rating/tariff_types.h"

#define ATTR_PREFIX "attr:"
#define ATTR_PREFIX_BYTES 5

bool
eb_build_quantity(EbBuild *build, EbText name, EbQuantity *quantity)
{
	*quantity = (EbQuantity){.kind = EB_QTY_ONE};
	if (name.len == 0)
		return true;
	quantity->kind = eb_build_word(eb_quantity_word, name, EB_QTY_NAMED);
	if (name.len > ATTR_PREFIX_BYTES && memcmp(name.data, ATTR_PREFIX, ATTR_PREFIX_BYTES) == 0)
	{
		quantity->kind = EB_QTY_ATTR;
		name.data += ATTR_PREFIX_BYTES;
		name.len -= ATTR_PREFIX_BYTES;
	}
	if (quantity->kind != EB_QTY_NAMED && quantity->kind != EB_QTY_ATTR)
		return true;
	return eb_build_bytes(build, name, &quantity->name);
}

static void
build_range(const EbNode *range, EbRange *result)
{
	result->has_gt =
		eb_node_decimal(eb_node_get(range, "gt"), EB_ENERGY_SCALE, &result->gt) == EB_OK;
	result->has_ge =
		eb_node_decimal(eb_node_get(range, "ge"), EB_ENERGY_SCALE, &result->ge) == EB_OK;
	result->has_lt =
		eb_node_decimal(eb_node_get(range, "lt"), EB_ENERGY_SCALE, &result->lt) == EB_OK;
	result->has_le =
		eb_node_decimal(eb_node_get(range, "le"), EB_ENERGY_SCALE, &result->le) == EB_OK;
}

/* "attr": a value, a list of values, a range */
static bool
build_attr_test(EbBuild *build, const EbNode *node, EbTest *test)
{
	const EbNode *value = node->kind == EB_NODE_ARRAY ? node->child : node;
	int n = node->kind == EB_NODE_ARRAY ? eb_node_count(node) : 1;
	char buf[EB_NUMBER_TEXT];
	void *array;

	test->of.kind = EB_QTY_ATTR;
	if (!eb_build_bytes(build, node->key, &test->of.name))
		return false;
	if (node->kind == EB_NODE_OBJECT)
	{
		test->kind = EB_TEST_ATTR_RANGE;
		build_range(node, &test->range);
		return true;
	}
	test->kind = EB_TEST_ATTR_IN;
	if (!eb_build_array(build, n, sizeof(EbSlice), &test->value, &array))
		return false;
	for (int i = 0; i < n; i++, value = value->next)
		if (!eb_build_bytes(build, eb_scalar_text(value, buf), (EbSlice *) array + i))
			return false;
	return true;
}

/* What only a session has; the tests stand one behind the other from test on. */
static EbTest *
build_session_tests(const EbNode *node, EbTest *test)
{
	static const struct
	{
		const char *key;
		EbTestKind kind;
	} running[] = {{"kwh", EB_TEST_KWH},
				   {"kw", EB_TEST_KW},
				   {"amp", EB_TEST_AMP},
				   {"seconds", EB_TEST_SECONDS}};
	const EbNode *time = eb_node_get(node, "time");
	int from = 0;
	int to = 0;

	if (time != NULL)
	{
		eb_parse_minute(eb_node_text(time->child), &from);
		eb_parse_minute(eb_node_text(time->child->next), &to);
		test->kind = EB_TEST_TIME;
		test->from_min = (int16_t) from;
		test->to_min = (int16_t) to;
		test++;
	}
	for (int i = 0; i < 4; i++)
		if (eb_node_get(node, running[i].key) != NULL)
		{
			test->kind = (int32_t) running[i].kind;
			build_range(eb_node_get(node, running[i].key), &test->range);
			test++;
		}
	if (eb_node_get(node, "reservation") != NULL)
	{
		test->kind = EB_TEST_RESERVATION;
		test->reservation = eb_field_word(&eb_condition_type, node, "reservation");
		test++;
	}
	return test;
}

/* Keys of which each is one test */
static int
count_tests(const EbNode *node)
{
	static const char *const key[] = {"ratio", "time",	  "kwh",		"kw",
									  "amp",   "seconds", "reservation"};
	int n = eb_node_count(eb_node_get(node, "attr")) + eb_node_count(eb_node_get(node, "qty"));

	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++)
		n += eb_node_get(node, key[i]) != NULL;
	return n;
}

static bool
build_tests(EbBuild *build, const EbNode *node, EbTest *test)
{
	const EbNode *ratio = eb_node_get(node, "ratio");

	test = build_session_tests(node, test);
	EB_EACH(item, eb_node_get(node, "attr"))
		if (!build_attr_test(build, item, test++))
			return false;
	EB_EACH(item, eb_node_get(node, "qty"))
	{
		test->kind = EB_TEST_QTY;
		build_range(item, &test->range);
		if (!eb_build_quantity(build, item->key, &test->of))
			return false;
		test++;
	}
	if (ratio == NULL)
		return true;
	test->kind = EB_TEST_RATIO;
	build_range(ratio, &test->range);
	return eb_build_quantity(build, eb_node_text(eb_node_get(ratio, "of")), &test->of) &&
		   eb_build_quantity(build, eb_node_text(eb_node_get(ratio, "to")), &test->to);
}

bool
eb_build_condition(EbBuild *build, const EbNode *node, EbCondition *condition)
{
	void *array;

	condition->seasons = eb_build_seasons(build, eb_node_get(node, "season"));
	condition->months = eb_build_months(eb_node_get(node, "months"));
	condition->days = eb_build_tags(build, eb_node_get(node, "days"));
	condition->not_days = eb_build_tags(build, eb_node_get(node, "not_days"));
	eb_build_dates(eb_node_get(node, "date"), &condition->date_from, &condition->date_to);
	return eb_build_array(build, count_tests(node), sizeof(EbTest), &condition->test, &array) &&
		   build_tests(build, node, array);
}
