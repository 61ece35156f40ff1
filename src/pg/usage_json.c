/*
 * usage_json.c -- writing the text form of usage_summary
 * In:  datums of the type.
 * Out: JSON. usage_json_read.c reads it back, so text and value are one to one.
 * Floor: pg.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/json.h"

#include "base/civil.h"
#include "pg/usage.h"

const char *const eb_pg_energy_key[] = {"import_kwh", "export_kwh", "import_kvarh", "export_kvarh"};
const char *const eb_pg_cost_key[] = {"import_cost", "export_cost", "import_kvarh_cost",
									  "export_kvarh_cost"};
const char *const eb_pg_quality_word[] = {"actual", "estimated", "missing"};

#define ALL_CHANNELS ((1u << EB_NCHANNELS) - 1)

static void
write_decimal(StringInfo out, eb_int128 value, int scale)
{
	char text[EB_DECIMAL_TEXT];

	eb_decimal_format(value, scale, text);
	appendStringInfoString(out, text);
}

/* The key with its colon, and a comma before it unless it is the first */
static void
write_key(StringInfo out, const char *key)
{
	char last = out->data[out->len - 1];

	if (last != '{' && last != '[')
		appendStringInfoString(out, ", ");
	escape_json(out, key);
	appendStringInfoString(out, ": ");
}

/* ---------------------------------------------------------------- energy and cost by slot */

/* The numbers of a plane as the tariff divides them: one, by period, or by schedule and period */
static void
write_slots(StringInfo out, const EbUsageShape *shape, const eb_int128 *slot, int scale)
{
	EbShapeNames names = eb_shape_names(shape);

	if (shape->nschedules == 0)
		write_decimal(out, slot[0], scale);
	if (shape->nschedules > 1)
		appendStringInfoChar(out, '{');
	for (int i = 0; i < shape->nschedules; i++)
	{
		int nperiods;
		const char *schedule = eb_shape_next_schedule(&names, &nperiods);

		if (shape->nschedules > 1)
			write_key(out, schedule);
		appendStringInfoChar(out, '{');
		for (int j = 0; j < nperiods; j++, slot++)
		{
			write_key(out, eb_shape_next(&names));
			write_decimal(out, *slot, scale);
		}
		appendStringInfoChar(out, '}');
	}
	if (shape->nschedules > 1)
		appendStringInfoChar(out, '}');
}

/* The slots of a plane, of one part or (part EB_NONE) of all together */
static void
sum_slots(const EbUsageShape *shape, const EbUsage *usage, int plane, int part, eb_int128 *slot)
{
	bool energy = plane < shape->nenergy;
	int first = part == EB_NONE ? 0 : part;
	int end = part == EB_NONE ? usage->nparts : part + 1;

	for (int i = 0; i < shape->nslots; i++)
		slot[i] = 0;
	for (part = first; part < end; part++)
	{
		const int64 *cell =
			usage->cell + (Size) part * usage->ncells + eb_shape_plane_at(shape, plane);

		for (int i = 0; i < shape->nslots; i++)
			slot[i] += energy ? cell[i] : eb_money_cells(&cell[2 * i]);
	}
}

static const char *
series_name(const EbUsageShape *shape, int series)
{
	EbShapeNames names = eb_shape_after_schedules(shape);

	while (series-- > 0)
		eb_shape_next(&names);
	return eb_shape_next(&names);
}

/* Import energy by the first schedule: all divide the same */
static eb_int128
import_total(const EbUsageShape *shape, const EbUsage *usage, int part)
{
	EbShapeNames names = eb_shape_names(shape);
	eb_int128 slot[EB_MAX_SLOTS];
	eb_int128 total = 0;
	int n = 1;

	if (shape->nschedules > 0)
		eb_shape_next_schedule(&names, &n);
	sum_slots(shape, usage, 0, part, slot);
	for (int i = 0; i < n; i++)
		total += slot[i];
	return total;
}

/* "import_cost" and the other channels, each by series */
static void
write_costs(StringInfo out, const EbUsageShape *shape, const EbUsage *usage, int part)
{
	eb_int128 slot[EB_MAX_SLOTS];

	for (int plane = shape->nenergy; plane < eb_shape_planes(shape); plane++)
	{
		EbChannel channel = eb_shape_channel(shape, plane);

		if (plane == shape->nenergy || eb_shape_channel(shape, plane - 1) != channel)
		{
			write_key(out, eb_pg_cost_key[channel]);
			appendStringInfoChar(out, '{');
		}
		sum_slots(shape, usage, plane, part, slot);
		write_key(out, series_name(shape, eb_shape_series(shape, plane)));
		write_slots(out, shape, slot, EB_AMOUNT_SCALE);
		if (plane + 1 == eb_shape_planes(shape) || eb_shape_channel(shape, plane + 1) != channel)
			appendStringInfoChar(out, '}');
	}
}

/* "import_kwh" with its total, and the other channels; of a part, or of all */
static void
write_planes(StringInfo out, const EbUsageShape *shape, const EbUsage *usage, int part)
{
	eb_int128 slot[EB_MAX_SLOTS];

	for (int plane = 0; plane < shape->nenergy; plane++)
	{
		sum_slots(shape, usage, plane, part, slot);
		write_key(out, eb_pg_energy_key[eb_shape_channel(shape, plane)]);
		write_slots(out, shape, slot, EB_ENERGY_SCALE);
		if (plane > 0)
			continue;
		write_key(out, "total_kwh");
		write_decimal(out, import_total(shape, usage, part), EB_ENERGY_SCALE);
	}
	write_costs(out, shape, usage, part);
}

/* A local day, or null where nobody knows it */
static void
write_day(StringInfo out, int32 day, int32 unknown)
{
	char text[EB_DATE_TEXT];

	if (day == unknown)
	{
		appendStringInfoString(out, "null");
		return;
	}
	eb_format_date(day, text);
	appendStringInfo(out, "\"%s\"", text);
}

static void
write_parts(StringInfo out, const EbUsageShape *shape, const EbUsage *usage)
{
	write_key(out, "parts");
	appendStringInfoChar(out, '[');
	for (int part = 0; part < usage->nparts; part++)
	{
		appendStringInfoString(out, part > 0 ? ", {" : "{");
		write_key(out, "from");
		write_day(out, usage->part_day[part], EB_NO_DAY);
		write_planes(out, shape, usage, part);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

static void
write_channel_list(StringInfo out, const char *key, uint32 channels)
{
	write_key(out, key);
	appendStringInfoChar(out, '[');
	for (int i = 0; i < EB_NCHANNELS; i++)
		if (channels >> i & 1)
			appendStringInfo(out, "%s\"%s\"", out->data[out->len - 1] == '[' ? "" : ", ",
							 eb_pg_energy_key[i]);
	appendStringInfoChar(out, ']');
}

/* Which channels were measured or given, unless it is import energy alone; which of them at once */
static void
write_channels(StringInfo out, const EbUsage *usage)
{
	uint32 undivided = usage->channels / EB_UNDIVIDED(0);

	if ((usage->channels & ALL_CHANNELS) != 1u << EB_IMPORT_KWH)
		write_channel_list(out, "channels", usage->channels);
	if (undivided != 0)
		write_channel_list(out, "undivided", undivided);
}

/* ---------------------------------------------------------------- demand */

static void
write_instant(StringInfo out, int64 at_us)
{
	char text[EB_INSTANT_TEXT];

	if (at_us == PG_INT64_MIN)
	{
		appendStringInfoString(out, "null");
		return;
	}
	eb_format_instant(at_us, text);
	appendStringInfo(out, "\"%s\"", text);
}

/* The peaks of one demand, and the highest of them in *most; -1 when there is none */
static void
write_peaks(StringInfo out, const EbUsage *usage, int demand, int64 *most)
{
	*most = -1;
	appendStringInfoChar(out, '[');
	for (int i = 0; i < usage->npeaks; i++)
	{
		const EbPeak *peak = &usage->peak[i];

		if (peak->demand != demand)
			continue;
		*most = Max(*most, peak->ukw);
		appendStringInfoString(out, out->data[out->len - 1] == '[' ? "{" : ", {");
		write_key(out, "part");
		write_day(out, peak->part_day, EB_NO_DAY);
		write_key(out, "kw");
		write_decimal(out, peak->ukw, EB_ENERGY_SCALE);
		write_key(out, "at");
		write_instant(out, peak->at_us);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

/* "peaks", how many of a part count where it is not one, and "max_kw" */
static void
write_demands(StringInfo out, const EbUsageShape *shape, const EbUsage *usage)
{
	EbShapeNames names = eb_shape_after_schedules(shape);
	const char *name[EB_MAX_DEMANDS];
	int keep[EB_MAX_DEMANDS];
	int64 most[EB_MAX_DEMANDS];

	if (shape->ndemands == 0)
		return;
	for (int i = 0; i < shape->nseries; i++)
		eb_shape_next(&names);
	write_key(out, "peaks");
	appendStringInfoChar(out, '{');
	for (int i = 0; i < shape->ndemands; i++)
	{
		name[i] = eb_shape_next_demand(&names, &keep[i]);
		write_key(out, name[i]);
		write_peaks(out, usage, i, &most[i]);
	}
	appendStringInfoString(out, "}, \"keep\": {");
	for (int i = 0; i < shape->ndemands; i++)
		if (keep[i] != 1)
		{
			write_key(out, name[i]);
			appendStringInfo(out, "%d", keep[i]);
		}
	appendStringInfoString(out, "}, \"max_kw\": {");
	for (int i = 0; i < shape->ndemands; i++)
		if (most[i] >= 0)
		{
			write_key(out, name[i]);
			write_decimal(out, most[i], EB_ENERGY_SCALE);
		}
	appendStringInfoChar(out, '}');
}

/* ---------------------------------------------------------------- the rest */

/* [start, kWh], and behind it where the metered interval began when that is another instant */
static void
write_pieces(StringInfo out, const EbUsage *usage)
{
	if (usage->npieces == 0)
		return;
	write_key(out, "pieces");
	for (int i = 0; i < usage->npieces; i++)
	{
		const EbPiece *piece = &usage->piece[i];

		appendStringInfoString(out, i > 0 ? ", [" : "[[");
		write_instant(out, piece->at_us);
		appendStringInfoString(out, ", ");
		write_decimal(out, piece->energy_ukwh, EB_ENERGY_SCALE);
		if (piece->interval_us != piece->at_us)
		{
			appendStringInfoString(out, ", ");
			write_instant(out, piece->interval_us);
		}
		appendStringInfoChar(out, ']');
	}
	appendStringInfoChar(out, ']');
}

static void
write_quantities(StringInfo out, const EbUsage *usage)
{
	if (usage->pf_u != EB_NO_PF)
	{
		write_key(out, "power_factor");
		write_decimal(out, usage->pf_u, EB_ENERGY_SCALE);
	}
	if (usage->nqty > 0)
	{
		write_key(out, "qty");
		appendStringInfoChar(out, '{');
		for (int i = 0; i < usage->nqty; i++)
		{
			write_key(out, pnstrdup(usage->qty[i].name.data, usage->qty[i].name.len));
			write_decimal(out, usage->qty[i].value_u, EB_ENERGY_SCALE);
		}
		appendStringInfoChar(out, '}');
	}
	if (usage->nitems > 0)
	{
		write_key(out, "items");
		for (int i = 0; i < usage->nitems; i++)
		{
			appendStringInfoString(out, i > 0 ? ", " : "[");
			write_decimal(out, usage->item_u[i], EB_ENERGY_SCALE);
		}
		appendStringInfoChar(out, ']');
	}
}

static void
write_during(StringInfo out, const EbUsage *usage)
{
	write_key(out, "during");
	if (usage->from_us == PG_INT64_MIN)
	{
		appendStringInfoString(out, "null");
		return;
	}
	appendStringInfoChar(out, '[');
	write_instant(out, usage->from_us);
	appendStringInfoString(out, ", ");
	write_instant(out, usage->to_us);
	appendStringInfoChar(out, ']');
}

/* "days" or "months", when it was given */
static void
write_given(StringInfo out, const char *key, int64 value)
{
	if (value == 0)
		return;
	write_key(out, key);
	write_decimal(out, value, EB_ENERGY_SCALE);
}

static void write_usage(StringInfo out, const EbUsageShape *shape, const EbUsage *usage);

static void
write_versions(StringInfo out, const EbUsageShape *shape, const EbUsage *usage)
{
	eb_int128 total = 0;

	write_key(out, "versions");
	appendStringInfoChar(out, '[');
	for (int i = 0; i < shape->nversions; i++)
	{
		const EbShapeVersion *version;
		const EbUsageShape *sub = eb_shape_version(shape, i, &version);

		appendStringInfo(out, "%s{\"version\": %d, \"valid\": [", i > 0 ? ", " : "",
						 version->number);
		write_day(out, version->valid_from, PG_INT32_MIN);
		appendStringInfoString(out, ", ");
		write_day(out, version->valid_to, PG_INT32_MAX);
		appendStringInfoString(out, "], \"usage\": ");
		write_usage(out, sub, &usage->sub[i]);
		appendStringInfoChar(out, '}');
		total += import_total(sub, &usage->sub[i], EB_NONE);
	}
	appendStringInfoChar(out, ']');
	write_key(out, "total_kwh");
	write_decimal(out, total, EB_ENERGY_SCALE);
}

static void
write_usage(StringInfo out, const EbUsageShape *shape, const EbUsage *usage)
{
	appendStringInfoString(out, "{\"fingerprint\": \"");
	for (int i = 0; i < EB_FINGERPRINT_SIZE; i++)
		appendStringInfo(out, "%02x", shape->fingerprint[i]);
	appendStringInfoChar(out, '"');
	write_during(out, usage);
	write_given(out, "days", usage->days_u);
	write_given(out, "months", usage->months_u);
	if (shape->nversions > 0)
		write_versions(out, shape, usage);
	else
	{
		write_planes(out, shape, usage, EB_NONE);
		write_parts(out, shape, usage);
	}
	write_channels(out, usage);
	write_demands(out, shape, usage);
	write_pieces(out, usage);
	write_quantities(out, usage);
	write_key(out, "missing_s");
	appendStringInfo(out, INT64_FORMAT, usage->missing_s);
	write_key(out, "held");
	appendStringInfo(out, "%d", usage->held);
	write_key(out, "quality");
	appendStringInfo(out, "\"%s\"}", eb_pg_quality_word[usage->quality]);
}

void
eb_pg_usage_write(StringInfo out, const EbUsageDatum *datum)
{
	write_usage(out, eb_pg_usage_shape_of(datum), eb_pg_usage_view(datum));
}
