/*
 * usage_shape.c -- tariffs whose slots stand in the order of a summary, and the names of those
 * In:  compiled tariffs.
 * Out: copies that usage.c, usage_agg.c and usage_from.c classify with; shapes.
 * Floor: pg.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "pg/usage.h"

/* Peaks of a part that can count for the demand; 0: only a zone could tell */
static int
peaks_kept(const EbDemand *demand)
{
	/* a part lies in one month, and two days or weeks are told apart by their instants */
	if (!demand->top_mean || demand->distinct == EB_DISTINCT_MONTH)
		return 1;
	return demand->distinct == EB_DISTINCT_WINDOW && demand->n <= PG_UINT16_MAX ? demand->n : 0;
}

/* Bytes of the name of a slot's period */
static EbText
slot_name(const EbTariff *tariff, int slot)
{
	int period = EB_ARRAY(tariff, EbSlot, tariff->slot)[slot].name;
	EbSlice name = EB_ARRAY(tariff, EbSlice, tariff->period_name)[period];

	return (EbText){EB_ARRAY(tariff, char, name), name.n};
}

static bool
is_before(EbText a, EbText b)
{
	int order = memcmp(a.data, b.data, Min(a.len, b.len));

	return order < 0 || (order == 0 && a.len < b.len);
}

void
eb_pg_rank_slots(const EbTariff *tariff, int16 *rank)
{
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);

	for (int i = 0; i < tariff->slot.n; i++)
	{
		rank[i] = 0;
		for (int j = 0; j < tariff->slot.n; j++)
			if (slot[j].schedule < slot[i].schedule ||
				(slot[j].schedule == slot[i].schedule &&
				 is_before(slot_name(tariff, j), slot_name(tariff, i))))
				rank[i]++;
	}
}

static uint64
ranked_bits(const EbTariff *tariff, uint64 slots, const int16 *rank)
{
	uint64 ranked = 0;

	/* all bits mean all slots, whatever their number */
	if (slots == ~UINT64CONST(0))
		return slots;
	for (int i = 0; i < tariff->slot.n; i++)
		if (slots >> i & 1)
			ranked |= UINT64CONST(1) << rank[i];
	return ranked;
}

static void
sort_slots(EbTariff *copy)
{
	EbSlot *slot = (EbSlot *) ((char *) copy + copy->slot.at);
	EbDemand *demand = (EbDemand *) ((char *) copy + copy->demand.at);
	EbSlot unsorted[EB_MAX_SLOTS];
	int16 rank[EB_MAX_SLOTS];

	eb_pg_rank_slots(copy, rank);
	if (copy->slot.n > 0)
		memcpy(unsorted, slot, sizeof(EbSlot) * copy->slot.n);
	for (int i = 0; i < copy->slot.n; i++)
		slot[rank[i]] = unsorted[i];
	for (int i = 0; i < copy->schedule.n; i++)
	{
		EbSlice rules = EB_ARRAY(copy, EbSchedule, copy->schedule)[i].rule;
		EbRule *rule = (EbRule *) ((char *) copy + rules.at);

		for (int j = 0; j < rules.n; j++)
			rule[j].slot = rank[rule[j].slot];
	}
	for (int i = 0; i < copy->demand.n; i++)
		demand[i].slots = ranked_bits(copy, demand[i].slots, rank);
}

/* Energy before money, then by channel and series, whose order is that of their names */
static int
plane_order(const EbPlane *plane)
{
	return (plane->series == EB_NONE ? 0 : EB_NCHANNELS * EB_MAX_SERIES) +
		   plane->channel * EB_MAX_SERIES + plane->series;
}

static void
sort_planes(EbTariff *copy)
{
	EbPlane *plane = (EbPlane *) ((char *) copy + copy->plane.at);

	for (int i = 1; i < copy->plane.n; i++)
		for (int j = i; j > 0 && plane_order(&plane[j]) < plane_order(&plane[j - 1]); j--)
		{
			EbPlane swap = plane[j];

			plane[j] = plane[j - 1];
			plane[j - 1] = swap;
		}
}

EbTariff *
eb_pg_usage_tariff(const EbTariff *tariff)
{
	EbTariff *copy = palloc(tariff->size);
	const EbVersion *version;

	memcpy(copy, tariff, tariff->size);
	sort_slots(copy);
	sort_planes(copy);
	version = EB_ARRAY(copy, EbVersion, copy->version);
	for (int i = 0; i < copy->version.n; i++)
	{
		EbTariff *sub = (EbTariff *) ((char *) copy + version[i].block.at);

		sort_slots(sub);
		sort_planes(sub);
	}
	return copy;
}

/* ---------------------------------------------------------------- shapes */

static void
append_name(StringInfo out, const EbTariff *tariff, EbSlice name)
{
	appendBinaryStringInfo(out, EB_ARRAY(tariff, char, name), name.n);
	appendStringInfoChar(out, '\0');
}

static void
append_schedules(StringInfo out, const EbTariff *sorted)
{
	const EbSchedule *schedule = EB_ARRAY(sorted, EbSchedule, sorted->schedule);
	const EbSlot *slot = EB_ARRAY(sorted, EbSlot, sorted->slot);
	const EbSlice *period = EB_ARRAY(sorted, EbSlice, sorted->period_name);

	for (int i = 0; i < sorted->schedule.n; i++)
	{
		append_name(out, sorted, sorted->schedule.n > 1 ? schedule[i].name : (EbSlice){0, 0});
		appendStringInfoChar(out, (char) schedule[i].nslots);
		for (int j = 0; j < schedule[i].nslots; j++)
			append_name(out, sorted, period[slot[schedule[i].first_slot + j].name]);
	}
}

/* The planes, and in number[] what the series are called in the shape: those that planes need */
static void
append_planes(StringInfo out, EbUsageShape *head, const EbTariff *sorted, int *number)
{
	const EbPlane *plane = EB_ARRAY(sorted, EbPlane, sorted->plane);

	for (int i = 0; i < sorted->series.n; i++)
		number[i] = EB_NONE;
	for (int i = 0; i < sorted->plane.n; i++)
		if (plane[i].series != EB_NONE)
			number[plane[i].series] = 0;
	for (int i = 0; i < sorted->series.n; i++)
		if (number[i] != EB_NONE)
			number[i] = head->nseries++;
	for (int i = 0; i < sorted->plane.n; i++)
	{
		bool energy = plane[i].series == EB_NONE;

		head->nenergy += energy;
		head->nmoney += !energy;
		appendStringInfoChar(out, (char) plane[i].channel);
		appendStringInfoChar(out, (char) (energy ? EB_SHAPE_ENERGY : number[plane[i].series]));
	}
}

static void
append_demands(StringInfo out, const EbTariff *sorted)
{
	const EbDemand *demand = EB_ARRAY(sorted, EbDemand, sorted->demand);

	for (int i = 0; i < sorted->demand.n; i++)
	{
		int keep = peaks_kept(&demand[i]);

		append_name(out, sorted, demand[i].name);
		appendStringInfoChar(out, (char) (keep >> 8));
		appendStringInfoChar(out, (char) keep);
	}
}

static void append_shape(StringInfo out, const EbTariff *sorted);

static void
append_versions(StringInfo out, const EbTariff *sorted)
{
	const EbVersion *version = EB_ARRAY(sorted, EbVersion, sorted->version);

	for (int i = 0; i < sorted->version.n; i++)
	{
		EbShapeVersion head = {version[i].valid_from, version[i].valid_to, version[i].number, 0};

		appendBinaryStringInfo(out, (char *) &head, sizeof(head));
		append_shape(out, eb_version_tariff(sorted, &version[i]));
	}
}

static void
append_shape(StringInfo out, const EbTariff *sorted)
{
	int start = out->len;
	int number[EB_MAX_SERIES];
	EbUsageShape head = {.nschedules = sorted->schedule.n,
						 .nslots = eb_tariff_slots(sorted),
						 .ndemands = sorted->demand.n,
						 .nversions = sorted->version.n};

	memcpy(head.fingerprint, sorted->fingerprint, sizeof(head.fingerprint));
	appendBinaryStringInfo(out, (char *) &head, sizeof(head));
	if (sorted->version.n > 0)
		append_versions(out, sorted);
	else
	{
		append_planes(out, &head, sorted, number);
		append_schedules(out, sorted);
		for (int i = 0; i < sorted->series.n; i++)
			if (number[i] != EB_NONE)
				append_name(out, sorted, EB_ARRAY(sorted, EbSeries, sorted->series)[i].name);
		append_demands(out, sorted);
	}
	while (out->len % MAXIMUM_ALIGNOF != 0)
		appendStringInfoChar(out, '\0');
	head.size = out->len - start;
	memcpy(out->data + start, &head, sizeof(head));
}

EbUsageShape *
eb_pg_usage_shape(const EbTariff *sorted)
{
	StringInfoData out;

	initStringInfo(&out);
	append_shape(&out, sorted);
	return (EbUsageShape *) out.data;
}
