/*
 * usage_from.c -- usage_from(tariff, jsonb): quantities that somebody else measured
 * In:  kWh of a bill, in all or by period, with or without the days they belong to; other
 *      channels, kW, a power factor, named quantities.
 * Out: usage_summary, as if the aggregates had made it; what was shared by days says "estimated".
 *      What the tariff does not need is left out, what it needs and is not there rate() names.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/jsonb_node.h"
#include "pg/tariff.h"
#include "pg/usage_from.h"
#include "pg/zone.h"
#include "rating/tariff_json.h"
#include "rating/usage_merge.h"

/* The usage of one version in the making; a tariff that does not change is one version */
typedef struct Version
{
	const EbTariff *tariff; /* sorted */
	const EbUsageShape *shape;
	int32 first_day; /* local days [first, end) of the range in which it is valid */
	int32 end_day;
	int32 *part_day; /* where the boundary run of each part begins */
	EbPeak *peak;
	int peak_room;
	EbUsage usage;
} Version;

typedef struct From
{
	const EbTariff *tariff; /* sorted */
	const EbUsageShape *shape;
	const EbZone *zone;
	bool dated;
	int32 first_day; /* local days [first, end) that the range touches */
	int32 end_day;
	int nversions; /* at least 1 */
	Version *version;
	EbUsage usage; /* what is one for the bill */
} From;

/* ---------------------------------------------------------------- versions and their parts */

static void
set_range(From *from, const EbNode *during)
{
	eb_pg_from_during(during, from->zone, &from->usage.from_us, &from->usage.to_us);
	from->dated = true;
	from->first_day = eb_local_day(from->zone, from->usage.from_us, NULL);
	from->end_day = eb_local_day(from->zone, from->usage.to_us - 1, NULL) + 1;
}

/* Room for the parts of the version: its runs of days, or one whose days nobody knows */
static void
make_parts(From *from, Version *version)
{
	EbUsage *usage = &version->usage;
	int n = from->dated ? 0 : 1;

	for (int32 day = version->first_day; day < version->end_day;
		 day = eb_part_range(version->tariff, day).to)
		n++;
	version->part_day = palloc(sizeof(int32) * Max(n, 1));
	version->part_day[0] = EB_NO_DAY;
	if (from->dated && n > 0)
		version->part_day[0] = eb_part_range(version->tariff, version->first_day).from;
	for (int i = 1; i < n; i++)
		version->part_day[i] = eb_part_range(version->tariff, version->part_day[i - 1]).to;
	*usage = (EbUsage){
		.from_us = PG_INT64_MIN,
		.to_us = PG_INT64_MIN,
		.nparts = n,
		.nslots = version->shape->nslots,
		.ncells = eb_shape_cells(version->shape),
		.pf_u = EB_NO_PF,
		.part_day = version->part_day,
	};
	memcpy(usage->fingerprint, version->shape->fingerprint, EB_FINGERPRINT_SIZE);
	usage->cell = palloc0(sizeof(int64) * Max(n, 1) * usage->ncells);
	if (n > 0 && from->dated)
	{
		usage->from_us = Max(from->usage.from_us, eb_day_start(from->zone, version->first_day));
		usage->to_us = Min(from->usage.to_us, eb_day_start(from->zone, version->end_day));
	}
}

static void
make_versions(From *from)
{
	const EbVersion *version = EB_ARRAY(from->tariff, EbVersion, from->tariff->version);
	int n = from->tariff->version.n;

	from->nversions = Max(n, 1);
	from->version = palloc0(sizeof(Version) * from->nversions);
	if (n > 0 && !from->dated)
		ereport(ERROR, (errcode(EB_ERRCODE_UNKNOWN),
						errmsg("usage of a tariff that changes lacks its days"),
						errhint("Give \"during\".")));
	if (n > 0 &&
		(version[0].valid_from > from->first_day || version[n - 1].valid_to < from->end_day))
		ereport(ERROR, (errcode(EB_ERRCODE_UNKNOWN),
						errmsg("no version of the tariff is valid on some days of the usage")));
	for (int i = 0; i < from->nversions; i++)
	{
		Version *made = &from->version[i];

		made->tariff = from->tariff;
		made->shape = from->shape;
		made->first_day = from->first_day;
		made->end_day = from->end_day;
		if (n > 0)
		{
			const EbShapeVersion *shape_version;

			made->tariff = eb_version_tariff(from->tariff, &version[i]);
			made->shape = eb_shape_version(from->shape, i, &shape_version);
			made->first_day = Max(from->first_day, version[i].valid_from);
			made->end_day = Max(Min(from->end_day, version[i].valid_to), made->first_day);
		}
		make_parts(from, made);
	}
}

/* The version and part that hold a local day of the range */
static Version *
find_part(const From *from, int32 day, int *part)
{
	Version *version = from->version;

	while (day >= version->end_day)
		version++;
	day = eb_part_range(version->tariff, day).from;
	for (*part = 0; version->part_day[*part] != day; (*part)++)
		;
	return version;
}

/* A demand or series must be one that a version knows, when any knows some. */
static void
check_name(const From *from, bool is_demand, EbText wanted)
{
	bool any = false;

	for (int i = 0; i < from->nversions; i++)
	{
		const EbTariff *tariff = from->version[i].tariff;
		int n = is_demand ? tariff->demand.n : tariff->series.n;

		any = any || n > 0;
		for (int k = 0; k < n; k++)
		{
			EbSlice name = is_demand ? EB_ARRAY(tariff, EbDemand, tariff->demand)[k].name
									 : EB_ARRAY(tariff, EbSeries, tariff->series)[k].name;

			if (eb_text_equal(wanted, (EbText){EB_ARRAY(tariff, char, name), name.n}))
				return;
		}
	}
	if (any)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("the tariff has no %s \"%.*s\"", is_demand ? "demand" : "series",
							   wanted.len, wanted.data)));
}

static void
check_costs(const From *from, const EbNode *object)
{
	for (int channel = 0; channel < EB_NCHANNELS; channel++)
		EB_EACH(item, eb_node_get(object, eb_pg_cost_key[channel]))
			check_name(from, false, item->key);
}

/* ---------------------------------------------------------------- energy and cost */

/* Adds to a cell, or to two that hold money. */
static void
add_cell(int64 *cell, bool energy, eb_int128 value)
{
	eb_int128 sum = *cell + value;
	EbFault fault;

	if (energy ? sum < PG_INT64_MIN || sum > PG_INT64_MAX : !eb_money_add(cell, value))
		eb_pg_raise(eb_usage_overflow(&fault), &fault);
	if (energy)
		*cell = (int64) sum;
}

/* The share of days [first, end) of the range, rounded on the running total */
static eb_int128
share(const From *from, eb_int128 value, int32 first, int32 end)
{
	int32 days = from->end_day - from->first_day;

	return eb_div_round(value * (end - from->first_day), days, EB_HALF_UP) -
		   eb_div_round(value * (first - from->first_day), days, EB_HALF_UP);
}

/* Adds the slots of a plane to a part, or shares them over all parts of the version by days. */
static void
add_plane(const From *from, Version *version, int plane, int part, const eb_int128 *slot)
{
	bool energy = plane < version->shape->nenergy;
	int width = energy ? 1 : 2;
	int first = part == EB_NONE ? 0 : part;
	int end = part == EB_NONE ? version->usage.nparts : part + 1;
	int64 *cell = version->usage.cell + eb_shape_plane_at(version->shape, plane);

	for (int i = first; i < end; i++)
	{
		int32 day = i == 0 ? version->first_day : version->part_day[i];
		int32 until = i + 1 < version->usage.nparts ? version->part_day[i + 1] : version->end_day;

		for (int k = 0; k < version->shape->nslots; k++)
			add_cell(cell + (Size) i * version->usage.ncells + k * width, energy,
					 part == EB_NONE && from->dated ? share(from, slot[k], day, until) : slot[k]);
	}
}

static char *
series_name(const Version *version, int plane)
{
	int series = EB_ARRAY(version->tariff, EbPlane, version->tariff->plane)[plane].series;

	return eb_pg_tariff_cstring(
		version->tariff, EB_ARRAY(version->tariff, EbSeries, version->tariff->series)[series].name);
}

static const EbNode *
find_cost(const Version *version, const EbNode *object, int plane)
{
	EbChannel channel = eb_shape_channel(version->shape, plane);
	const EbNode *costs = eb_node_get(object, eb_pg_cost_key[channel]);

	if (costs != NULL && !eb_node_is(costs, EB_NODE_OBJECT))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s must be {series: money}", eb_pg_cost_key[channel])));
	return eb_node_get(costs, series_name(version, plane));
}

static void
lacks_cost(const Version *version, int plane)
{
	const char *key = eb_pg_cost_key[eb_shape_channel(version->shape, plane)];

	ereport(ERROR, (errcode(EB_ERRCODE_UNKNOWN),
					errmsg("usage lacks %s of series \"%s\"", key, series_name(version, plane)),
					errhint("Give %s as {series: money}: kWh x price of each interval, summed. Or "
							"give interval values to usage().",
							key)));
}

static bool
any_slot(const eb_int128 *slot, int n)
{
	while (n > 0 && slot[n - 1] == 0)
		n--;
	return n > 0;
}

/*
 * All energy and cost of an object, for a part of a version, or shared over its parts. The cost of
 * energy that is not 0 must be there for each series.
 */
static void
read_planes(const From *from, Version *version, const EbNode *object, int part)
{
	const EbUsageShape *shape = version->shape;
	eb_int128 slot[EB_MAX_SLOTS];
	uint32 used = 0; /* channels with energy */

	for (int plane = 0; plane < eb_shape_planes(shape); plane++)
	{
		bool energy = plane < shape->nenergy;
		EbChannel channel = eb_shape_channel(shape, plane);
		const char *key = energy ? eb_pg_energy_key[channel] : eb_pg_cost_key[channel];
		const EbNode *node = energy ? eb_node_get(object, key) : find_cost(version, object, plane);

		if (node == NULL)
		{
			if (!energy && used >> channel & 1)
				lacks_cost(version, plane);
			continue;
		}
		if (eb_pg_from_slots(version->tariff, node, energy ? EB_ENERGY_SCALE : EB_AMOUNT_SCALE,
							 !energy, key, slot))
			version->usage.channels |= EB_UNDIVIDED(channel);
		add_plane(from, version, plane, part, slot);
		if (energy)
			version->usage.channels |= 1u << channel;
		if (energy && any_slot(slot, shape->nslots))
			used |= 1u << channel;
	}
}

/* ---------------------------------------------------------------- demand */

static void
add_peak(Version *version, EbPeak peak)
{
	if (version->usage.npeaks == version->peak_room)
	{
		version->peak_room = Max(2 * version->peak_room, EB_MAX_DEMANDS);
		version->peak = version->peak == NULL
							? palloc(sizeof(EbPeak) * version->peak_room)
							: repalloc(version->peak, sizeof(EbPeak) * version->peak_room);
	}
	version->peak[version->usage.npeaks++] = peak;
}

/* "max_kw" of an object, for a part of the version or (EB_NONE) for all of its days */
static void
read_peaks(const From *from, Version *version, const EbNode *object, int part)
{
	const EbNode *map = eb_node_get(object, "max_kw");
	const EbDemand *demand = EB_ARRAY(version->tariff, EbDemand, version->tariff->demand);
	int32 part_day = EB_NO_DAY;

	if (map != NULL && !eb_node_is(map, EB_NODE_OBJECT))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("max_kw must be {demand: kW}")));
	EB_EACH(item, map)
		check_name(from, true, item->key);
	if (part != EB_NONE || version->usage.nparts == 1)
		part_day = version->part_day[Max(part, 0)];
	for (int i = 0; i < version->tariff->demand.n; i++)
	{
		EbSlice name = demand[i].name;
		const EbNode *kw =
			eb_node_member(map, (EbText){EB_ARRAY(version->tariff, char, name), name.n});

		if (kw != NULL && version->usage.nparts > 0)
			add_peak(version,
					 (EbPeak){i, part_day, PG_INT64_MIN,
							  (int64) eb_pg_from_number(kw, EB_ENERGY_SCALE, false, "max_kw")});
	}
}

static int
compare_peaks(const void *a, const void *b)
{
	return eb_peak_compare(a, b);
}

/* ---------------------------------------------------------------- the whole */

/* [{"from": date, "import_kwh": ...}]: what belongs to the run of days that holds the date */
static void
read_parts(const From *from, const EbNode *list)
{
	static const char *const known[] = {
		"from",		   "import_kwh",  "export_kwh",		   "import_kvarh",		"export_kvarh",
		"import_cost", "export_cost", "import_kvarh_cost", "export_kvarh_cost", "max_kw"};

	if (!eb_node_is(list, EB_NODE_ARRAY) || eb_node_count(list) == 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("parts must be an array")));
	EB_EACH(item, list)
	{
		Version *version;
		int32 day;
		int part;

		eb_pg_from_keys(item, known, lengthof(known), "a part of the usage");
		if (!eb_parse_date(eb_node_text(eb_node_get(item, "from")), &day) ||
			day < from->first_day || day >= from->end_day)
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("from of a part must be a local day of during")));
		version = find_part(from, day, &part);
		check_costs(from, item);
		read_planes(from, version, item, part);
		read_peaks(from, version, item, part);
	}
}

/* Numbers of the whole range: it makes a difference to some price how they were shared by days. */
static void
read_whole(From *from, const EbNode *root)
{
	bool guessed = false;
	int nparts = 0;

	check_costs(from, root);
	for (int i = 0; i < from->nversions; i++)
	{
		Version *version = &from->version[i];

		read_planes(from, version, root, EB_NONE);
		read_peaks(from, version, root, EB_NONE);
		guessed = guessed || (version->usage.nparts > 1 && eb_parts_matter(version->tariff)) ||
				  (version->usage.nparts > 0 && nparts > 0);
		nparts += version->usage.nparts;
	}
	if (guessed && from->usage.quality == EB_ACTUAL)
		from->usage.quality = EB_ESTIMATED;
}

/* Is any of the determinants there that stand in the place of parts? */
static bool
has_any(const EbNode *root)
{
	bool any = eb_node_get(root, "max_kw") != NULL;

	for (int i = 0; i < EB_NCHANNELS; i++)
		any = any || eb_node_get(root, eb_pg_energy_key[i]) != NULL ||
			  eb_node_get(root, eb_pg_cost_key[i]) != NULL;
	return any;
}

static EbUsageDatum *
finish(From *from)
{
	EbUsage *sub = palloc(sizeof(EbUsage) * from->nversions);

	for (int i = 0; i < from->nversions; i++)
	{
		Version *version = &from->version[i];

		if (version->usage.npeaks > 0)
			qsort(version->peak, version->usage.npeaks, sizeof(EbPeak), compare_peaks);
		version->usage.npeaks =
			eb_peak_settle(version->shape, version->peak, version->usage.npeaks);
		version->usage.peak = version->peak;
		/* a day that nobody knows is none where nothing was used */
		if (!from->dated && version->usage.channels == 0)
			version->usage.nparts = 0;
		version->usage.quality = from->usage.quality;
		from->usage.channels |= version->usage.channels;
		sub[i] = version->usage;
	}
	if (from->tariff->version.n == 0)
	{
		from->usage.nparts = sub->nparts;
		from->usage.ncells = sub->ncells;
		from->usage.part_day = sub->part_day;
		from->usage.cell = sub->cell;
		from->usage.peak = sub->peak;
		from->usage.npeaks = sub->npeaks;
	}
	from->usage.nslots = from->shape->nslots;
	from->usage.sub = sub;
	from->usage.nsub = from->tariff->version.n;
	return eb_pg_usage_make(from->shape, &from->usage);
}

PG_FUNCTION_INFO_V1(elecbill_usage_from);
Datum
elecbill_usage_from(PG_FUNCTION_ARGS)
{
	static const char *const known[] = {"during",
										"days",
										"months",
										"parts",
										"import_kwh",
										"export_kwh",
										"import_kvarh",
										"export_kvarh",
										"import_cost",
										"export_cost",
										"import_kvarh_cost",
										"export_kvarh_cost",
										"max_kw",
										"power_factor",
										"qty",
										"items",
										"quality"};
	const EbNode *root = eb_pg_jsonb_node(PG_GETARG_JSONB_P(1));
	const EbNode *list;
	From from = {.usage = {.from_us = PG_INT64_MIN, .to_us = PG_INT64_MIN}};

	from.tariff = eb_pg_usage_tariff(PG_GETARG_EB_TARIFF(0));
	from.shape = eb_pg_usage_shape(from.tariff);
	from.zone = eb_pg_tariff_zone(from.tariff);
	eb_pg_from_keys(root, known, lengthof(known), "usage");
	list = eb_node_get(root, "parts");
	if (list != NULL && (eb_node_get(root, "during") == NULL || has_any(root)))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("parts stand beside during, in the place of import_kwh")));
	if (eb_node_get(root, "during") != NULL)
		set_range(&from, eb_node_get(root, "during"));
	eb_pg_from_quantities(root, &from.usage);
	make_versions(&from);
	if (list != NULL)
		read_parts(&from, list);
	else
		read_whole(&from, root);
	PG_RETURN_POINTER(finish(&from));
}
