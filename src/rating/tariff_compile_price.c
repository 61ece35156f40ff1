/*
 * tariff_compile_price.c -- the tariff compiler: price nodes
 * In:  prices without lint errors; periods and seasons of the build.
 * Out: nodes that refer to lower ones only; a named value is one node, however often it is used.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/tariff_build.h"
#include "rating/tariff_lint.h"

/* Puts a node on the pile at the end of the buffer. */
static bool
push(EbBuild *build, const EbPriceNode *node, int32_t *index)
{
	if (sizeof(EbPriceNode) > build->high - build->low)
		return false;
	build->high -= sizeof(EbPriceNode);
	memcpy((char *) build->tariff + build->high, node, sizeof(EbPriceNode));
	*index = build->nnodes++;
	return true;
}

/* Seasons count from 1 */
static int
season_number(const EbBuild *build, EbText name)
{
	int index = eb_build_index(eb_node_get(build->root, "seasons"), name);

	return index == EB_NONE ? EB_NONE : index + 1;
}

static bool
build_map(EbBuild *build, const EbNode *map, EbPriceNode *node, bool *reads)
{
	bool has_fallback = eb_node_get(map, "*") != NULL;
	void *array;
	EbPriceEntry *entry;

	node->fallback = EB_NONE;
	if (!eb_build_array(build, eb_node_count(map) - (has_fallback ? 1 : 0), sizeof(EbPriceEntry),
						&node->entry, &array))
		return false;
	entry = array;
	EB_EACH(item, map)
	{
		if (eb_text_is(item->key, "*"))
		{
			if (!eb_build_price(build, item, &node->fallback, reads))
				return false;
			continue;
		}
		entry->index = EB_NONE;
		if (node->kind == EB_PRICE_PERIOD)
			entry->index = eb_build_period(build, item->key);
		else if (node->kind == EB_PRICE_SEASON)
			entry->index = season_number(build, item->key);
		if (!eb_build_bytes(build, item->key, &entry->key) ||
			!eb_build_price(build, item, &entry->node, reads))
			return false;
		entry++;
	}
	return true;
}

static bool
build_operands(EbBuild *build, const EbNode *list, EbPriceNode *node, bool *reads)
{
	void *array;
	int32_t *operand;

	if (!eb_build_array(build, eb_node_count(list), sizeof(int32_t), &node->entry, &array))
		return false;
	operand = array;
	EB_EACH(item, list)
		if (!eb_build_price(build, item, operand++, reads))
			return false;
	return true;
}

static bool
build_ref(EbBuild *build, EbText name, EbPriceNode *node, bool *reads)
{
	int index = eb_value_index(build->root, name);
	const EbNode *value = eb_node_member(eb_node_get(build->root, "values"), name);
	void *array;

	if (build->value_node[index] == EB_NONE &&
		!eb_build_price(build, value, &build->value_node[index], &build->value_reads[index]))
		return false;
	if (build->value_reads[index])
		*reads = true;
	if (!eb_build_array(build, 1, sizeof(int32_t), &node->entry, &array))
		return false;
	*(int32_t *) array = build->value_node[index];
	return true;
}

static bool
build_object(EbBuild *build, const EbNode *price, EbPriceNode *node, bool *reads)
{
	const EbNode *period = eb_node_get(price, "period");
	const EbNode *season = eb_node_get(price, "season");
	const EbNode *attr = eb_node_get(price, "attr");
	const EbNode *ref = eb_node_get(price, "ref");
	const EbNode *mul = eb_node_get(price, "mul");
	const EbNode *series = eb_node_get(price, "series");

	if (period != NULL)
	{
		node->kind = EB_PRICE_PERIOD;
		*reads = true;
		return build_map(build, period, node, reads);
	}
	if (season != NULL)
	{
		node->kind = EB_PRICE_SEASON;
		return build_map(build, season, node, reads);
	}
	if (attr != NULL)
	{
		node->kind = EB_PRICE_ATTR;
		return eb_build_bytes(build, eb_node_text(attr), &node->attr) &&
			   build_map(build, eb_node_get(price, "of"), node, reads);
	}
	if (series != NULL)
	{
		node->kind = EB_PRICE_SERIES;
		node->series = eb_build_index(eb_node_get(build->root, "series"), eb_node_text(series));
		return true;
	}
	if (ref != NULL)
	{
		node->kind = EB_PRICE_REF;
		return build_ref(build, eb_node_text(ref), node, reads);
	}
	node->kind = mul != NULL ? EB_PRICE_MUL : EB_PRICE_ADD;
	node->round = eb_build_round(eb_node_find(price, "round"), (EbRounding){0, EB_HALF_UP, 0});
	return build_operands(build, mul != NULL ? mul : eb_node_get(price, "add"), node, reads);
}

bool
eb_build_price(EbBuild *build, const EbNode *price, int32_t *node, bool *reads)
{
	EbPriceNode made = {.kind = EB_PRICE_CONST, .fallback = EB_NONE, .series = EB_NONE};

	*node = EB_NONE;
	if (price == NULL)
		return true;
	if (!eb_node_is(price, EB_NODE_OBJECT))
		eb_node_decimal(price, EB_PRICE_SCALE, &made.value_n);
	else if (!build_object(build, price, &made, reads))
		return false;
	return push(build, &made, node);
}
