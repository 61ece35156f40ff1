/*
 * usage_json_read.c -- reading the text form of usage_summary
 * In:  JSON that claims to be what usage_json.c wrote.
 * Out: datums of the type, or UB400: what is read must be what would be written.
 * Floor: pg.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/jsonb_node.h"
#include "pg/usage_json.h"
#include "pg/zone.h"
#include "rating/tariff_json.h"

/* More parts than the days that zones cover cannot be. */
#define MAX_PARTS 110000

/* ---------------------------------------------------------------- energy and cost by slot */

static void
read_energy(const EbNode *node, int64 *cell)
{
	*cell = eb_pg_usage_number(node, EB_ENERGY_SCALE, 0, PG_INT64_MAX,
							   "A value of \"import_kwh\" is missing or out of range.");
}

static void
read_money(const EbNode *node, int64 *cell)
{
	eb_int128 money;

	cell[0] = cell[1] = 0;
	if (!eb_node_is(node, EB_NODE_NUMBER) ||
		eb_decimal_parse(node->text, EB_AMOUNT_SCALE, &money) != EB_OK ||
		!eb_money_add(cell, money))
		eb_pg_usage_refuse("A value of \"import_cost\" is missing or out of range.");
}

/* The numbers of one plane of a part, by the names of the shape */
static void
read_slots(const EbNode *node, const EbUsageShape *shape, bool energy, int64 *cell)
{
	EbShapeNames names = eb_shape_names(shape);
	void (*read)(const EbNode *, int64 *) = energy ? read_energy : read_money;
	int width = energy ? 1 : 2;

	if (shape->nschedules == 0)
		read(node, cell);
	for (int i = 0; i < shape->nschedules; i++)
	{
		int nperiods;
		const char *schedule = eb_shape_next_schedule(&names, &nperiods);
		const EbNode *map = shape->nschedules > 1 ? eb_node_get(node, schedule) : node;

		for (int j = 0; j < nperiods; j++, cell += width)
			read(eb_node_get(map, eb_shape_next(&names)), cell);
	}
}

static const EbNode *
plane_node(const EbNode *part, const EbUsageShape *shape, int plane)
{
	EbChannel channel = eb_shape_channel(shape, plane);
	EbShapeNames names = eb_shape_after_schedules(shape);

	if (plane < shape->nenergy)
		return eb_node_get(part, eb_pg_energy_key[channel]);
	for (int i = eb_shape_series(shape, plane); i > 0; i--)
		eb_shape_next(&names);
	return eb_node_get(eb_node_get(part, eb_pg_cost_key[channel]), eb_shape_next(&names));
}

static void
read_parts(const EbNode *parts, const EbUsageShape *shape, EbUsage *usage)
{
	int n = eb_node_count(parts);
	int64 *cell;
	int32 *part_day;

	if (!eb_node_is(parts, EB_NODE_ARRAY) || n > MAX_PARTS)
		eb_pg_usage_refuse("\"parts\" is not an array, or too long.");
	cell = palloc_extended(sizeof(int64) * Max(n, 1) * usage->ncells, MCXT_ALLOC_HUGE);
	part_day = palloc(sizeof(int32) * Max(n, 1));
	usage->cell = cell;
	n = 0;
	EB_EACH(item, parts)
	{
		if (eb_node_get(item, "from") == NULL)
			part_day[n] = EB_NO_DAY;
		else if (!eb_parse_date(eb_node_text(eb_node_get(item, "from")), &part_day[n]))
			eb_pg_usage_refuse("\"from\" of a part is not a date.");
		if (n > 0 && part_day[n] <= part_day[n - 1])
			eb_pg_usage_refuse("The parts do not rise.");
		if (part_day[n] != EB_NO_DAY && usage->from_us == PG_INT64_MIN)
			eb_pg_usage_refuse("A part has a date, the whole has none.");
		for (int plane = 0; plane < eb_shape_planes(shape); plane++)
			read_slots(plane_node(item, shape, plane), shape, plane < shape->nenergy,
					   cell + eb_shape_plane_at(shape, plane));
		cell += usage->ncells;
		n++;
	}
	usage->nparts = n;
	usage->part_day = part_day;
}

/* ---------------------------------------------------------------- the rest */

/* An instant, or unknown when the node is null and that may be */
static int64
read_instant(const EbNode *node, bool may_lack, const char *detail)
{
	int64 at_us = PG_INT64_MIN;

	if (may_lack && eb_node_is(node, EB_NODE_NULL))
		return at_us;
	if (!eb_node_is(node, EB_NODE_TEXT) || !eb_parse_instant(node->text, NULL, &at_us))
		eb_pg_usage_refuse(detail);
	return eb_pg_instant(at_us, "usage");
}

static void
read_during(const EbNode *during, EbUsage *usage)
{
	static const char *const detail = "\"during\" is not a pair of rising instants in UTC.";

	usage->from_us = usage->to_us = PG_INT64_MIN;
	if (during == NULL)
		return;
	if (!eb_node_is(during, EB_NODE_ARRAY) || eb_node_count(during) != 2)
		eb_pg_usage_refuse(detail);
	usage->from_us = read_instant(during->child, false, detail);
	usage->to_us = read_instant(during->child->next, false, detail);
	if (usage->from_us > usage->to_us)
		eb_pg_usage_refuse(detail);
}

static int64
read_given(const EbNode *node)
{
	return node == NULL ? 0
						: eb_pg_usage_number(node, EB_ENERGY_SCALE, 1, PG_INT64_MAX,
											 "\"days\" or \"months\" is not a positive number.");
}

static int32
read_quality(const EbNode *node)
{
	for (size_t i = 0; i < lengthof(eb_pg_quality_word); i++)
		if (eb_node_is(node, EB_NODE_TEXT) && eb_text_is(eb_node_text(node), eb_pg_quality_word[i]))
			return (int32) i;
	eb_pg_usage_refuse("\"quality\" is not actual, estimated or missing.");
}

static void
read_channels(const EbNode *root, EbUsage *usage)
{
	const EbNode *list = eb_node_get(root, "channels");
	const EbNode *undivided = eb_node_get(root, "undivided");

	usage->channels = list == NULL ? 1u << EB_IMPORT_KWH : 0;
	for (int i = 0; i < EB_NCHANNELS; i++)
	{
		EbText key = {eb_pg_energy_key[i], (int) strlen(eb_pg_energy_key[i])};

		if (eb_list_has(list, key))
			usage->channels |= 1u << i;
		if (eb_list_has(undivided, key))
			usage->channels |= EB_UNDIVIDED(i);
	}
}

static EbPeak
read_peak(const EbNode *node, int demand)
{
	const EbNode *part = eb_node_find(node, "part");
	EbPeak peak = {.demand = demand, .part_day = EB_NO_DAY};

	if (!eb_node_is(part, EB_NODE_NULL) && !eb_parse_date(eb_node_text(part), &peak.part_day))
		eb_pg_usage_refuse("\"part\" of a peak is not a date.");
	peak.at_us =
		read_instant(eb_node_find(node, "at"), true, "\"at\" of a peak is not an instant.");
	peak.ukw = eb_pg_usage_number(eb_node_get(node, "kw"), EB_ENERGY_SCALE, 0, PG_INT64_MAX,
								  "\"kw\" of a peak is missing or out of range.");
	return peak;
}

static bool
peaks_rise(const EbPeak *a, const EbPeak *b)
{
	if (a->part_day != b->part_day)
		return a->part_day < b->part_day;
	return a->ukw != b->ukw ? a->ukw > b->ukw : a->at_us <= b->at_us;
}

static void
read_peaks(const EbNode *peaks, EbUsage *usage)
{
	int demand = 0;
	int n = 0;
	EbPeak *peak;

	EB_EACH(list, peaks)
		n += eb_node_count(list);
	peak = palloc(sizeof(EbPeak) * Max(n, 1));
	usage->peak = peak;
	EB_EACH(list, peaks)
	{
		int first = usage->npeaks;

		EB_EACH(item, list)
		{
			peak[usage->npeaks] = read_peak(item, demand);
			if (usage->npeaks > first &&
				!peaks_rise(&peak[usage->npeaks - 1], &peak[usage->npeaks]))
				eb_pg_usage_refuse("The peaks of a demand are out of order.");
			usage->npeaks++;
		}
		demand++;
	}
}

static bool
pieces_rise(const EbPiece *a, const EbPiece *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us;
	return a->interval_us != b->interval_us ? a->interval_us < b->interval_us
											: a->energy_ukwh <= b->energy_ukwh;
}

static void
read_pieces(const EbNode *list, EbUsage *usage)
{
	static const char *const detail = "A piece is not [instant, kWh], or that and an instant.";
	EbPiece *piece =
		palloc_extended(sizeof(EbPiece) * Max(eb_node_count(list), 1), MCXT_ALLOC_HUGE);

	usage->piece = piece;
	EB_EACH(item, list)
	{
		int n = eb_node_count(item);

		if (!eb_node_is(item, EB_NODE_ARRAY) || n < 2 || n > 3)
			eb_pg_usage_refuse(detail);
		piece->at_us = piece->interval_us = read_instant(item->child, false, detail);
		piece->energy_ukwh =
			eb_pg_usage_number(item->child->next, EB_ENERGY_SCALE, 0, PG_INT64_MAX, detail);
		if (n == 3)
			piece->interval_us = read_instant(item->child->next->next, false, detail);
		if (usage->npieces > 0 && !pieces_rise(piece - 1, piece))
			eb_pg_usage_refuse("The pieces are out of order.");
		piece++;
		usage->npieces++;
	}
}

static void
read_quantities(const EbNode *root, EbUsage *usage)
{
	const EbNode *factor = eb_node_get(root, "power_factor");
	const EbNode *map = eb_node_get(root, "qty");
	const EbNode *list = eb_node_get(root, "items");
	EbNamedQuantity *qty = palloc(sizeof(EbNamedQuantity) * Max(eb_node_count(map), 1));
	int64 *item_u = palloc(sizeof(int64) * Max(eb_node_count(list), 1));

	usage->pf_u = EB_NO_PF;
	if (factor != NULL)
		usage->pf_u = eb_pg_usage_number(factor, EB_ENERGY_SCALE, 0, 1000000,
										 "\"power_factor\" is not a number of 0 to 1.");
	EB_EACH(item, map)
	{
		qty[usage->nqty].name = item->key;
		qty[usage->nqty++].value_u =
			eb_pg_usage_number(item, EB_ENERGY_SCALE, PG_INT64_MIN, PG_INT64_MAX,
							   "A value of \"qty\" is out of range.");
	}
	EB_EACH(item, list)
	{
		item_u[usage->nitems] = eb_pg_usage_number(item, EB_ENERGY_SCALE, 0, PG_INT64_MAX,
												   "A value of \"items\" is out of range.");
		if (usage->nitems > 0 && item_u[usage->nitems] < item_u[usage->nitems - 1])
			eb_pg_usage_refuse("The items are out of order.");
		usage->nitems++;
	}
	usage->qty = qty;
	usage->item_u = item_u;
}

static void
read_usage(const EbNode *root, const EbUsageShape *shape, EbUsage *usage)
{
	EbUsage *sub;
	int n = 0;

	memset(usage, 0, sizeof(*usage));
	usage->nslots = shape->nslots;
	usage->ncells = eb_shape_cells(shape);
	read_during(eb_node_get(root, "during"), usage);
	usage->days_u = read_given(eb_node_get(root, "days"));
	usage->months_u = read_given(eb_node_get(root, "months"));
	read_channels(root, usage);
	read_quantities(root, usage);
	usage->missing_s = eb_pg_usage_number(eb_node_get(root, "missing_s"), 0, 0, PG_INT64_MAX,
										  "\"missing_s\" is not a whole number of seconds.");
	usage->held = (int32) eb_pg_usage_number(eb_node_get(root, "held"), 0, 0, PG_INT32_MAX,
											 "\"held\" is not a count.");
	usage->quality = read_quality(eb_node_get(root, "quality"));
	if (shape->nversions == 0)
	{
		read_parts(eb_node_get(root, "parts"), shape, usage);
		read_peaks(eb_node_get(root, "peaks"), usage);
		read_pieces(eb_node_get(root, "pieces"), usage);
		return;
	}
	sub = palloc(sizeof(EbUsage) * shape->nversions);
	EB_EACH(item, eb_node_get(root, "versions"))
	{
		const EbShapeVersion *version;

		read_usage(eb_node_get(item, "usage"), eb_shape_version(shape, n, &version), &sub[n]);
		n++;
	}
	usage->sub = sub;
	usage->nsub = n;
}

EbUsageDatum *
eb_pg_usage_read(Jsonb *json)
{
	const EbNode *root = eb_pg_jsonb_node(json);
	const EbUsageShape *shape = eb_pg_usage_read_shape(root);
	EbUsage usage;
	EbUsageDatum *datum;
	StringInfoData text;
	Datum again;

	read_usage(root, shape, &usage);
	datum = eb_pg_usage_make(shape, &usage);

	/* whatever else stands in the JSON, or does not add up, shows here */
	initStringInfo(&text);
	eb_pg_usage_write(&text, datum);
	again = DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data));
	if (compareJsonbContainers(&json->root, &DatumGetJsonbP(again)->root) != 0)
		eb_pg_usage_refuse(
			"It has other keys or values than the type writes, or sums that are wrong.");
	return datum;
}
