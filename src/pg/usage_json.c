/*
 * usage_json.c -- the text form of usage_summary
 * In:  datums of the type; JSON that claims to be one.
 * Out: JSON. What is read must be what would be written, so text and value are one to one.
 * Floor: pg.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "pg/errors.h"
#include "pg/jsonb_node.h"
#include "pg/usage.h"
#include "pg/zone.h"
#include "rating/tariff_json.h"

/* More parts than the days that zones cover cannot be. */
#define MAX_PARTS 110000

static const char *const quality_word[] = {"actual", "estimated", "missing"};

/* ---------------------------------------------------------------- writing */

static void
write_decimal(StringInfo out, eb_int128 value, int scale)
{
	char text[EB_DECIMAL_TEXT];

	eb_decimal_format(value, scale, text);
	appendStringInfoString(out, text);
}

/* "import_kwh" as the tariff divides it, and its sum: that of one schedule, all are alike */
static void
write_energy(StringInfo out, const EbUsageShape *shape, const eb_int128 *slot)
{
	EbUsageName name = eb_pg_usage_names(shape);
	eb_int128 total = shape->nschedules == 0 ? slot[0] : 0;
	int at = 0;

	appendStringInfoString(out, "\"import_kwh\": ");
	if (shape->nschedules == 0)
		write_decimal(out, slot[0], EB_ENERGY_SCALE);
	if (shape->nschedules > 1)
		appendStringInfoChar(out, '{');
	for (int i = 0; i < shape->nschedules; i++)
	{
		const char *schedule = eb_pg_usage_next_schedule(&name);

		if (i > 0)
			appendStringInfoString(out, ", ");
		if (shape->nschedules > 1)
		{
			escape_json(out, schedule);
			appendStringInfoString(out, ": ");
		}
		for (int j = 0; j < name.nperiods; j++, at++)
		{
			appendStringInfoString(out, j == 0 ? "{" : ", ");
			escape_json(out, eb_pg_usage_next_period(&name));
			appendStringInfoString(out, ": ");
			write_decimal(out, slot[at], EB_ENERGY_SCALE);
			if (i == 0)
				total += slot[at];
		}
		appendStringInfoChar(out, '}');
	}
	if (shape->nschedules > 1)
		appendStringInfoChar(out, '}');
	appendStringInfoString(out, ", \"total_kwh\": ");
	write_decimal(out, total, EB_ENERGY_SCALE);
}

static void
write_parts(StringInfo out, const EbUsageShape *shape, const EbUsage *usage)
{
	appendStringInfoString(out, "\"parts\": [");
	for (int part = 0; part < usage->nparts; part++)
	{
		eb_int128 slot[EB_MAX_SLOTS];
		char day[EB_DATE_TEXT];

		for (int i = 0; i < usage->nslots; i++)
			slot[i] = usage->energy_ukwh[part * usage->nslots + i];
		appendStringInfoString(out, part > 0 ? ", {\"from\": " : "{\"from\": ");
		if (usage->part_day[part] == EB_NO_DAY)
			appendStringInfoString(out, "null");
		else
		{
			eb_format_date(usage->part_day[part], day);
			appendStringInfo(out, "\"%s\"", day);
		}
		appendStringInfoString(out, ", ");
		write_energy(out, shape, slot);
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, ']');
}

static void
write_during(StringInfo out, const EbUsage *usage)
{
	char from[EB_INSTANT_TEXT];
	char to[EB_INSTANT_TEXT];

	if (usage->from_us == PG_INT64_MIN)
	{
		appendStringInfoString(out, "\"during\": null");
		return;
	}
	eb_format_instant(usage->from_us, from);
	eb_format_instant(usage->to_us, to);
	appendStringInfo(out, "\"during\": [\"%s\", \"%s\"]", from, to);
}

/* "days" or "months", when it was given */
static void
write_given(StringInfo out, const char *key, int64 value)
{
	if (value == 0)
		return;
	appendStringInfo(out, ", \"%s\": ", key);
	write_decimal(out, value, EB_ENERGY_SCALE);
}

void
eb_pg_usage_write(StringInfo out, const EbUsageDatum *datum)
{
	const EbUsageShape *shape = eb_pg_usage_shape_of(datum);
	const EbUsage *usage = eb_pg_usage_view(datum);
	eb_int128 slot[EB_MAX_SLOTS] = {0};

	for (int part = 0; part < usage->nparts; part++)
		for (int i = 0; i < usage->nslots; i++)
			slot[i] += usage->energy_ukwh[part * usage->nslots + i];
	appendStringInfoString(out, "{\"fingerprint\": \"");
	for (int i = 0; i < EB_FINGERPRINT_SIZE; i++)
		appendStringInfo(out, "%02x", usage->fingerprint[i]);
	appendStringInfoString(out, "\", ");
	write_during(out, usage);
	write_given(out, "days", usage->days_u);
	write_given(out, "months", usage->months_u);
	appendStringInfoString(out, ", ");
	write_energy(out, shape, slot);
	appendStringInfoString(out, ", ");
	write_parts(out, shape, usage);
	appendStringInfo(out, ", \"missing_s\": " INT64_FORMAT ", \"held\": %d, \"quality\": \"%s\"}",
					 usage->missing_s, usage->held, quality_word[usage->quality]);
}

/* ---------------------------------------------------------------- reading */

static void
pg_attribute_noreturn() refuse(const char *detail)
{
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("this is no usage_summary"),
					errdetail("%s", detail),
					errhint("Only what the type itself wrote can be read; usage_from() takes "
							"quantities from elsewhere.")));
}

static int64
read_number(const EbNode *node, int scale, int64 least, int64 most, const char *detail)
{
	int64 value;

	if (!eb_node_is(node, EB_NODE_NUMBER) || eb_node_decimal(node, scale, &value) != EB_OK ||
		value < least || value > most)
		refuse(detail);
	return value;
}

static void
read_fingerprint(const EbNode *node, uint8 *fingerprint)
{
	EbText text = eb_node_text(node);

	if (text.len != 2 * EB_FINGERPRINT_SIZE ||
		strspn(pnstrdup(text.data, text.len), "0123456789abcdef") != (size_t) text.len)
		refuse("\"fingerprint\" is not 32 hexadecimal digits.");
	hex_decode(text.data, text.len, (char *) fingerprint);
}

static int
compare_keys(const void *a, const void *b)
{
	EbText x = (*(const EbNode *const *) a)->key;
	EbText y = (*(const EbNode *const *) b)->key;
	int order = memcmp(x.data, y.data, Min(x.len, y.len));

	return order != 0 ? order : x.len - y.len;
}

/* The members of an object in byte order of their keys, as slots are; at most max */
static const EbNode **
sorted_members(const EbNode *object, int max, int *n)
{
	const EbNode **member;

	if (!eb_node_is(object, EB_NODE_OBJECT))
		refuse("\"import_kwh\" is neither a number nor an object.");
	*n = eb_node_count(object);
	if (*n < 1 || *n > max)
		refuse("\"import_kwh\" has no names, or too many.");
	member = palloc(sizeof(EbNode *) * *n);
	*n = 0;
	EB_EACH(item, object)
		member[(*n)++] = item;
	qsort(member, *n, sizeof(EbNode *), compare_keys);
	return member;
}

static void
append_key(StringInfo out, EbText key)
{
	appendBinaryStringInfo(out, key.data, key.len);
	appendStringInfoChar(out, '\0');
}

static int
append_periods(StringInfo out, const EbNode *object, int max)
{
	int n;
	const EbNode **member = sorted_members(object, max, &n);

	appendStringInfoChar(out, (char) n);
	for (int i = 0; i < n; i++)
		append_key(out, member[i]->key);
	return n;
}

/* The names, from the "import_kwh" of the whole */
static EbUsageShape *
read_shape(const EbNode *energy)
{
	EbUsageShape head = {.nslots = 1};
	EbUsageShape *shape;
	StringInfoData out;

	initStringInfo(&out);
	appendBinaryStringInfo(&out, (char *) &head, offsetof(EbUsageShape, names));
	if (!eb_node_is(energy, EB_NODE_NUMBER) && eb_node_is(eb_node_first(energy), EB_NODE_OBJECT))
	{
		const EbNode **schedule = sorted_members(energy, EB_MAX_SCHEDULES, &head.nschedules);

		head.nslots = 0;
		for (int i = 0; i < head.nschedules; i++)
		{
			append_key(&out, schedule[i]->key);
			head.nslots += append_periods(&out, schedule[i], EB_MAX_SLOTS - head.nslots);
		}
	}
	else if (!eb_node_is(energy, EB_NODE_NUMBER))
	{
		head.nschedules = 1;
		appendStringInfoChar(&out, '\0');
		head.nslots = append_periods(&out, energy, EB_MAX_SLOTS);
	}
	while (out.len % MAXIMUM_ALIGNOF != 0)
		appendStringInfoChar(&out, '\0');
	head.size = out.len;
	shape = (EbUsageShape *) out.data;
	memcpy(shape, &head, offsetof(EbUsageShape, names));
	return shape;
}

static int64
read_energy(const EbNode *node)
{
	return read_number(node, EB_ENERGY_SCALE, 0, PG_INT64_MAX,
					   "A value of \"import_kwh\" is missing or out of range.");
}

/* The energies of one part by the names of the shape */
static void
read_slots(const EbNode *energy, const EbUsageShape *shape, int64 *slot)
{
	EbUsageName name = eb_pg_usage_names(shape);

	if (shape->nschedules == 0)
		*slot = read_energy(energy);
	for (int i = 0; i < shape->nschedules; i++)
	{
		const char *schedule = eb_pg_usage_next_schedule(&name);
		const EbNode *map = shape->nschedules > 1 ? eb_node_get(energy, schedule) : energy;

		for (int j = 0; j < name.nperiods; j++)
			*slot++ = read_energy(eb_node_get(map, eb_pg_usage_next_period(&name)));
	}
}

static void
read_parts(const EbNode *parts, const EbUsageShape *shape, EbUsage *usage)
{
	int n = eb_node_count(parts);
	int64 *energy;
	int32 *part_day;

	if (!eb_node_is(parts, EB_NODE_ARRAY) || n > MAX_PARTS)
		refuse("\"parts\" is not an array, or too long.");
	energy = palloc(sizeof(int64) * Max(n, 1) * shape->nslots);
	part_day = palloc(sizeof(int32) * Max(n, 1));
	n = 0;
	EB_EACH(item, parts)
	{
		if (eb_node_get(item, "from") == NULL)
			part_day[n] = EB_NO_DAY;
		else if (!eb_parse_date(eb_node_text(eb_node_get(item, "from")), &part_day[n]))
			refuse("\"from\" of a part is not a date.");
		if (n > 0 && part_day[n] <= part_day[n - 1])
			refuse("The parts do not rise.");
		if (part_day[n] != EB_NO_DAY && usage->from_us == PG_INT64_MIN)
			refuse("A part has a date, the whole has none.");
		read_slots(eb_node_get(item, "import_kwh"), shape, energy + (Size) n * shape->nslots);
		n++;
	}
	usage->nparts = n;
	usage->part_day = part_day;
	usage->energy_ukwh = energy;
}

static void
read_during(const EbNode *during, EbUsage *usage)
{
	const EbNode *from = eb_node_first(during);

	usage->from_us = usage->to_us = PG_INT64_MIN;
	if (during == NULL)
		return;
	if (!eb_node_is(during, EB_NODE_ARRAY) || eb_node_count(during) != 2 ||
		!eb_parse_instant(eb_node_text(from), NULL, &usage->from_us) ||
		!eb_parse_instant(eb_node_text(from->next), NULL, &usage->to_us) ||
		usage->from_us > usage->to_us)
		refuse("\"during\" is not a pair of rising instants in UTC.");
	eb_pg_instant(usage->from_us, "usage");
	eb_pg_instant(usage->to_us, "usage");
}

static int64
read_given(const EbNode *node)
{
	return node == NULL ? 0
						: read_number(node, EB_ENERGY_SCALE, 1, PG_INT64_MAX,
									  "\"days\" or \"months\" is not a positive number.");
}

static int32
read_quality(const EbNode *node)
{
	for (size_t i = 0; i < lengthof(quality_word); i++)
		if (eb_node_is(node, EB_NODE_TEXT) && eb_text_is(eb_node_text(node), quality_word[i]))
			return (int32) i;
	refuse("\"quality\" is not actual, estimated or missing.");
}

EbUsageDatum *
eb_pg_usage_read(Jsonb *json)
{
	const EbNode *root = eb_pg_jsonb_node(json);
	EbUsage usage = {0};
	EbUsageShape *shape;
	EbUsageDatum *datum;
	StringInfoData text;
	Datum again;

	if (!eb_node_is(root, EB_NODE_OBJECT))
		refuse("It is not a JSON object.");
	shape = read_shape(eb_node_get(root, "import_kwh"));
	read_fingerprint(eb_node_get(root, "fingerprint"), shape->fingerprint);
	read_during(eb_node_get(root, "during"), &usage);
	read_parts(eb_node_get(root, "parts"), shape, &usage);
	usage.nslots = shape->nslots;
	usage.days_u = read_given(eb_node_get(root, "days"));
	usage.months_u = read_given(eb_node_get(root, "months"));
	usage.missing_s = read_number(eb_node_get(root, "missing_s"), 0, 0, PG_INT64_MAX,
								  "\"missing_s\" is not a whole number of seconds.");
	usage.held = (int32) read_number(eb_node_get(root, "held"), 0, 0, PG_INT32_MAX,
									 "\"held\" is not a count.");
	usage.quality = read_quality(eb_node_get(root, "quality"));
	datum = eb_pg_usage_make(shape, &usage);

	/* whatever else stands in the JSON, or does not add up, shows here */
	initStringInfo(&text);
	eb_pg_usage_write(&text, datum);
	again = DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data));
	if (compareJsonbContainers(&json->root, &DatumGetJsonbP(again)->root) != 0)
		refuse("It has other keys or values than the type writes, or sums that are wrong.");
	return datum;
}
