/*
 * usage_json_shape.c -- the names in the text form of usage_summary
 * In:  JSON that claims to be what usage_json.c wrote.
 * Out: the shape that usage_json_read.c reads the numbers by.
 * Floor: pg.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "pg/errors.h"
#include "pg/usage_json.h"
#include "rating/tariff_json.h"

void
eb_pg_usage_refuse(const char *detail)
{
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("this is no usage_summary"),
					errdetail("%s", detail),
					errhint("Only what the type itself wrote can be read; usage_from() takes "
							"quantities from elsewhere.")));
}

int64
eb_pg_usage_number(const EbNode *node, int scale, int64 least, int64 most, const char *detail)
{
	int64 value;

	if (!eb_node_is(node, EB_NODE_NUMBER) || eb_node_decimal(node, scale, &value) != EB_OK ||
		value < least || value > most)
		eb_pg_usage_refuse(detail);
	return value;
}

static void
read_fingerprint(const EbNode *node, uint8 *fingerprint)
{
	EbText text = eb_node_text(node);

	if (text.len != 2 * EB_FINGERPRINT_SIZE ||
		strspn(pnstrdup(text.data, text.len), "0123456789abcdef") != (size_t) text.len)
		eb_pg_usage_refuse("\"fingerprint\" is not 32 hexadecimal digits.");
	hex_decode(text.data, text.len, (char *) fingerprint);
}

static void
append_key(StringInfo out, EbText key)
{
	appendBinaryStringInfo(out, key.data, key.len);
	appendStringInfoChar(out, '\0');
}

/* Members stand in byte order of their keys, as slots do; at most max of them */
static int
append_periods(StringInfo out, const EbNode *object, int max)
{
	int n = eb_node_count(object);

	if (!eb_node_is(object, EB_NODE_OBJECT))
		eb_pg_usage_refuse("\"import_kwh\" is neither a number nor an object.");
	if (n < 1 || n > max)
		eb_pg_usage_refuse("\"import_kwh\" has no names, or too many.");
	appendStringInfoChar(out, (char) n);
	EB_EACH(item, object)
		append_key(out, item->key);
	return n;
}

/* The names of schedules and periods, from the "import_kwh" of the whole */
static void
append_schedules(StringInfo out, EbUsageShape *head, const EbNode *energy)
{
	head->nslots = 1;
	if (eb_node_is(energy, EB_NODE_NUMBER))
		return;
	if (!eb_node_is(eb_node_first(energy), EB_NODE_OBJECT))
	{
		head->nschedules = 1;
		appendStringInfoChar(out, '\0');
		head->nslots = append_periods(out, energy, EB_MAX_SLOTS);
		return;
	}
	head->nslots = 0;
	EB_EACH(schedule, energy)
	{
		if (++head->nschedules > EB_MAX_SCHEDULES)
			eb_pg_usage_refuse("\"import_kwh\" has no names, or too many.");
		append_key(out, schedule->key);
		head->nslots += append_periods(out, schedule, EB_MAX_SLOTS - head->nslots);
	}
}

/* Number of a series in the list, which rises; made when it is new */
static int
number_series(EbText *list, int *n, EbText name)
{
	int at = 0;

	while (at < *n && !eb_text_equal(list[at], name))
		at++;
	if (at == EB_MAX_SERIES)
		eb_pg_usage_refuse("There are too many series.");
	if (at == *n)
		list[(*n)++] = name;
	return at;
}

static int
compare_texts(const void *a, const void *b)
{
	const EbText *x = a;
	const EbText *y = b;
	int order = memcmp(x->data, y->data, Min(x->len, y->len));

	return order != 0 ? order : x->len - y->len;
}

/* The series of all "..._cost", in byte order */
static int
list_series(const EbNode *root, EbText *list)
{
	int n = 0;

	for (int channel = 0; channel < EB_NCHANNELS; channel++)
		EB_EACH(item, eb_node_get(root, eb_pg_cost_key[channel]))
			number_series(list, &n, item->key);
	qsort(list, n, sizeof(EbText), compare_texts);
	return n;
}

static void
append_plane(StringInfo out, int channel, int series)
{
	appendStringInfoChar(out, (char) channel);
	appendStringInfoChar(out, (char) series);
}

static void
append_planes(StringInfo out, EbUsageShape *head, const EbNode *root, EbText *series)
{
	for (int channel = 0; channel < EB_NCHANNELS; channel++)
		if (eb_node_get(root, eb_pg_energy_key[channel]) != NULL)
		{
			append_plane(out, channel, EB_SHAPE_ENERGY);
			head->nenergy++;
		}
	for (int channel = 0; channel < EB_NCHANNELS; channel++)
		EB_EACH(item, eb_node_get(root, eb_pg_cost_key[channel]))
		{
			int n = head->nseries;

			append_plane(out, channel, number_series(series, &n, item->key));
			head->nmoney++;
		}
}

/* The names of the demands, with the number of peaks that each keeps in a part */
static void
append_demands(StringInfo out, EbUsageShape *head, const EbNode *root)
{
	const EbNode *keep = eb_node_get(root, "keep");

	EB_EACH(item, eb_node_get(root, "peaks"))
	{
		const EbNode *number = eb_node_member(keep, item->key);
		int n = 1;

		if (++head->ndemands > EB_MAX_DEMANDS)
			eb_pg_usage_refuse("There are too many demands.");
		if (number != NULL)
			n = (int) eb_pg_usage_number(number, 0, 0, PG_UINT16_MAX,
										 "\"keep\" of a demand is not a count.");
		append_key(out, item->key);
		appendStringInfoChar(out, (char) (n >> 8));
		appendStringInfoChar(out, (char) n);
	}
}

static void append_shape(StringInfo out, const EbNode *root);

static int32
read_valid(const EbNode *node, int32 open)
{
	int32 day = open;

	if (!eb_node_is(node, EB_NODE_NULL) && !eb_parse_date(eb_node_text(node), &day))
		eb_pg_usage_refuse("\"valid\" of a version is not a pair of dates.");
	return day;
}

static void
append_versions(StringInfo out, EbUsageShape *head, const EbNode *versions)
{
	if (!eb_node_is(versions, EB_NODE_ARRAY) || eb_node_count(versions) < 1 ||
		eb_node_count(versions) > EB_MAX_VERSIONS)
		eb_pg_usage_refuse("\"versions\" is not an array, or too long.");
	EB_EACH(item, versions)
	{
		const EbNode *valid = eb_node_get(item, "valid");
		EbShapeVersion version = {.unused = 0};

		if (!eb_node_is(valid, EB_NODE_ARRAY) || eb_node_count(valid) != 2)
			eb_pg_usage_refuse("\"valid\" of a version is not a pair of dates.");
		version.valid_from = read_valid(valid->child, PG_INT32_MIN);
		version.valid_to = read_valid(valid->child->next, PG_INT32_MAX);
		version.number = (int32) eb_pg_usage_number(eb_node_get(item, "version"), 0, PG_INT32_MIN,
													PG_INT32_MAX, "\"version\" is not a number.");
		appendBinaryStringInfo(out, (char *) &version, sizeof(version));
		append_shape(out, eb_node_get(item, "usage"));
		head->nversions++;
	}
}

static void
append_shape(StringInfo out, const EbNode *root)
{
	const EbNode *versions = eb_node_get(root, "versions");
	EbUsageShape head = {.nslots = 1};
	EbText series[EB_MAX_SERIES];
	int start = out->len;

	if (!eb_node_is(root, EB_NODE_OBJECT))
		eb_pg_usage_refuse("It is not a JSON object.");
	appendBinaryStringInfo(out, (char *) &head, sizeof(head));
	read_fingerprint(eb_node_get(root, "fingerprint"), head.fingerprint);
	if (versions != NULL)
		append_versions(out, &head, versions);
	else
	{
		head.nseries = list_series(root, series);
		append_planes(out, &head, root, series);
		append_schedules(out, &head, eb_node_get(root, "import_kwh"));
		for (int i = 0; i < head.nseries; i++)
			append_key(out, series[i]);
		append_demands(out, &head, root);
	}
	while (out->len % MAXIMUM_ALIGNOF != 0)
		appendStringInfoChar(out, '\0');
	head.size = out->len - start;
	memcpy(out->data + start, &head, sizeof(head));
}

EbUsageShape *
eb_pg_usage_read_shape(const EbNode *root)
{
	StringInfoData out;

	initStringInfo(&out);
	append_shape(&out, root);
	if (!eb_shape_check(out.data, out.len))
		eb_pg_usage_refuse("Its keys do not fit together.");
	return (EbUsageShape *) out.data;
}
