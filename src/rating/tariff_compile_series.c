/*
 * tariff_compile_series.c -- the tariff compiler: events and price series
 * In:  a node tree without lint errors.
 * Out: instants. Those that are written as a date or a wall clock need the zone of the tariff:
 *      they are marked as local, and tariff_localize.c turns them into instants.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "base/civil.h"
#include "rating/tariff_build.h"
#include "rating/tariff_types.h"

/* The instant, or the wall clock as if it were UTC; returns which. */
static bool
is_local(EbText text, int64_t *at_us)
{
	const EbZoneSpan utc = {INT64_MIN, 0};
	const EbZone zone = {&utc, 1};

	if (eb_parse_instant(text, NULL, at_us))
		return false;
	eb_parse_instant(text, &zone, at_us);
	return true;
}

static bool
build_ranges(EbBuild *build, const EbNode *list, EbSlice *slice)
{
	void *array;
	EbInstantRange *range;

	if (!eb_build_array(build, eb_node_count(list), sizeof(EbInstantRange), slice, &array))
		return false;
	range = array;
	EB_EACH(pair, list)
	{
		range->from_local = is_local(eb_node_text(pair->child), &range->from_us);
		range->to_local = is_local(eb_node_text(pair->child->next), &range->to_us);
		range++;
	}
	return true;
}

bool
eb_build_events(EbBuild *build)
{
	const EbNode *events = eb_node_get(build->root, "events");
	void *array;
	EbEvent *event;

	if (!eb_build_array(build, eb_node_count(events), sizeof(EbEvent), &build->tariff->event,
						&array))
		return false;
	event = array;
	EB_EACH(ranges, events)
	{
		if (!eb_build_bytes(build, ranges->key, &event->name) ||
			!build_ranges(build, ranges, &event->range))
			return false;
		event++;
	}
	return true;
}

static bool
build_points(EbBuild *build, const EbNode *points, EbSlice *slice)
{
	void *array;
	EbPoint *point;

	if (!eb_build_array(build, eb_node_count(points), sizeof(EbPoint), slice, &array))
		return false;
	point = array;
	EB_EACH(pair, points)
	{
		point->local = is_local(eb_node_text(pair->child), &point->at_us);
		eb_node_decimal(pair->child->next, EB_PRICE_SCALE, &point->price_n);
		point++;
	}
	return true;
}

bool
eb_build_series(EbBuild *build)
{
	const EbNode *map = eb_node_get(build->root, "series");
	void *array;
	EbSeries *series;

	if (!eb_build_array(build, eb_node_count(map), sizeof(EbSeries), &build->tariff->series,
						&array))
		return false;
	series = array;
	EB_EACH(node, map)
	{
		const EbNode *points = node;

		series->kind = EB_SERIES_INSTANT;
		if (node->kind == EB_NODE_TEXT)
			series->kind = EB_SERIES_USAGE;
		if (node->kind == EB_NODE_OBJECT)
		{
			series->kind = eb_field_word(&eb_series_object_type, node, "by");
			points = eb_node_get(node, "points");
		}
		if (!eb_build_bytes(build, node->key, &series->name) ||
			!build_points(build, points, &series->point))
			return false;
		series++;
	}
	return true;
}
