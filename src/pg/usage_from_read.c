/*
 * usage_from_read.c -- the numbers of usage_from(): one, by period, by schedule and period
 * In:  JSON that people write.
 * Out: numbers by slot of a tariff.
 * Floor: pg.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "pg/errors.h"
#include "pg/tariff.h"
#include "pg/usage_from.h"
#include "pg/zone.h"
#include "rating/tariff_json.h"

static char *
cstring(EbText text)
{
	return pnstrdup(text.data, text.len);
}

void
eb_pg_from_keys(const EbNode *object, const char *const *known, int n, const char *what)
{
	if (!eb_node_is(object, EB_NODE_OBJECT))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must be an object", what)));
	EB_EACH(item, object)
	{
		bool found = false;

		for (int i = 0; i < n && !found; i++)
			found = eb_text_is(item->key, known[i]);
		if (!found)
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("%s has an unknown key \"%s\"", what, cstring(item->key))));
	}
}

eb_int128
eb_pg_from_number(const EbNode *node, int scale, bool may_be_negative, const char *what)
{
	eb_int128 value = 0;
	eb_int128 most = (eb_int128) PG_INT64_MAX * (scale == EB_ENERGY_SCALE ? 1 : EB_MONEY_LOW);
	EbStatus status = EB_BAD_ARGUMENT;

	if (eb_node_is(node, EB_NODE_NUMBER) || eb_node_is(node, EB_NODE_TEXT))
		status = eb_decimal_parse(node->text, scale, &value);
	if (status == EB_OK && (value < -most || value > most))
		status = EB_OUT_OF_RANGE;
	if (status == EB_TOO_PRECISE)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s has more than %d decimals", what, scale)));
	if (status == EB_OUT_OF_RANGE)
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("%s is out of range", what)));
	if (status != EB_OK || (value < 0 && !may_be_negative))
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT),
				 may_be_negative ? errmsg("%s must be a number", what)
								 : errmsg("%s must be a number that is not negative", what)));
	return value;
}

/* ---------------------------------------------------------------- the range */

static void
bad_during(void)
{
	ereport(ERROR,
			(errcode(EB_ERRCODE_BAD_ARGUMENT),
			 errmsg("during must be a range of two rising instants"),
			 errdetail("Wanted is [\"2026-01-01\", \"2026-02-01\"] (local days), the same with "
					   "\"T00:00\" (local time) or \"T00:00Z\", or the text of a tstzrange.")));
}

/* The text of a tstzrange in ISO style: ["from","to") */
static void
split_range_text(EbText text, EbText *bound)
{
	const char *comma = text.len > 2 ? memchr(text.data, ',', text.len) : NULL;

	if (comma == NULL || text.data[0] != '[' || text.data[text.len - 1] != ')')
		bad_during();
	bound[0] = (EbText){text.data + 1, (int) (comma - text.data) - 1};
	bound[1] = (EbText){comma + 1, (int) (text.data + text.len - comma) - 2};
	for (int i = 0; i < 2; i++)
		if (bound[i].len > 1 && bound[i].data[0] == '"' && bound[i].data[bound[i].len - 1] == '"')
			bound[i] = (EbText){bound[i].data + 1, bound[i].len - 2};
}

void
eb_pg_from_during(const EbNode *node, const EbZone *zone, int64 *from_us, int64 *to_us)
{
	EbText bound[2];

	if (eb_node_is(node, EB_NODE_TEXT))
		split_range_text(eb_node_text(node), bound);
	else if (eb_node_is(node, EB_NODE_ARRAY) && eb_node_count(node) == 2)
	{
		bound[0] = eb_node_text(eb_node_first(node));
		bound[1] = eb_node_text(eb_node_first(node)->next);
	}
	else
		bad_during();
	if (!eb_parse_instant(bound[0], zone, from_us) || !eb_parse_instant(bound[1], zone, to_us) ||
		*from_us >= *to_us)
		bad_during();
	eb_pg_instant(*from_us, "during");
	eb_pg_instant(*to_us, "during");
}

/* ---------------------------------------------------------------- by period */

/* What is being read */
typedef struct Reading
{
	const EbTariff *tariff;
	int scale;
	bool may_be_negative;
	const char *what;
	eb_int128 *slot;
	bool undivided; /* one number for several periods */
} Reading;

/* "peak, valley" */
static char *
period_list(const EbTariff *tariff, const EbSchedule *schedule)
{
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *period = EB_ARRAY(tariff, EbSlice, tariff->period_name);
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < schedule->nslots; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "",
						 eb_pg_tariff_cstring(tariff, period[slot[schedule->first_slot + i].name]));
	return list.data;
}

/* Slot of the period in the schedule, or EB_NONE */
static int
find_period(const EbTariff *tariff, const EbSchedule *schedule, EbText wanted)
{
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *period = EB_ARRAY(tariff, EbSlice, tariff->period_name);

	for (int i = schedule->first_slot; i < schedule->first_slot + schedule->nslots; i++)
	{
		EbSlice name = period[slot[i].name];

		if (eb_text_equal(wanted, (EbText){EB_ARRAY(tariff, char, name), name.n}))
			return i;
	}
	return EB_NONE;
}

/* {period: number} of one schedule; a period that is not named has 0 */
static void
read_periods(const Reading *reading, const EbSchedule *schedule, const EbNode *map)
{
	EB_EACH(item, map)
	{
		int at = find_period(reading->tariff, schedule, item->key);

		if (at == EB_NONE)
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("the tariff has no period \"%s\"", cstring(item->key)),
							errdetail("Schedule \"%s\" has %s.",
									  eb_pg_tariff_cstring(reading->tariff, schedule->name),
									  period_list(reading->tariff, schedule))));
		reading->slot[at] =
			eb_pg_from_number(item, reading->scale, reading->may_be_negative, reading->what);
	}
}

/* One number: it belongs to the only period of each schedule, or stands in the first */
static void
read_single(Reading *reading, const EbNode *number)
{
	const EbTariff *tariff = reading->tariff;
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	eb_int128 value =
		eb_pg_from_number(number, reading->scale, reading->may_be_negative, reading->what);

	reading->slot[0] = value;
	for (int i = 0; i < tariff->schedule.n; i++)
	{
		reading->slot[schedule[i].first_slot] = value;
		if (schedule[i].nslots > 1 && value != 0)
			reading->undivided = true;
	}
}

/* Every schedule divides the same energy */
static void
check_sums(const Reading *reading)
{
	const EbTariff *tariff = reading->tariff;
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	eb_int128 first = 0;

	for (int i = 0; i < tariff->schedule.n; i++)
	{
		eb_int128 sum = 0;

		for (int j = 0; j < schedule[i].nslots; j++)
			if (!eb_add128(sum, reading->slot[schedule[i].first_slot + j], &sum))
				ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT),
								errmsg("%s is out of range", reading->what)));
		if (i > 0 && sum != first)
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("the schedules do not divide the same %s", reading->what),
							errdetail("The sums of \"%s\" and \"%s\" differ.",
									  eb_pg_tariff_cstring(tariff, schedule[0].name),
									  eb_pg_tariff_cstring(tariff, schedule[i].name))));
		first = sum;
	}
}

/* {schedule: {period: number}} */
static void
read_schedules(const Reading *reading, const EbNode *map)
{
	const EbTariff *tariff = reading->tariff;
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);

	for (int i = 0; i < tariff->schedule.n; i++)
	{
		EbSlice name = schedule[i].name;
		const EbNode *member = eb_node_member(map, (EbText){EB_ARRAY(tariff, char, name), name.n});

		if (member == NULL)
			ereport(ERROR, (errcode(EB_ERRCODE_UNKNOWN),
							errmsg("usage lacks the %s of schedule \"%s\"", reading->what,
								   eb_pg_tariff_cstring(tariff, name))));
		if (!eb_node_is(member, EB_NODE_OBJECT))
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("%s of schedule \"%s\" must be {period: number}", reading->what,
								   eb_pg_tariff_cstring(tariff, name))));
		read_periods(reading, &schedule[i], member);
	}
	if (eb_node_count(map) != tariff->schedule.n)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s names a schedule that the tariff has not", reading->what)));
	check_sums(reading);
}

bool
eb_pg_from_slots(const EbTariff *tariff, const EbNode *node, int scale, bool may_be_negative,
				 const char *what, eb_int128 *slot)
{
	Reading reading = {tariff, scale, may_be_negative, what, slot, false};

	for (int i = 0; i < eb_tariff_slots(tariff); i++)
		slot[i] = 0;
	if (!eb_node_is(node, EB_NODE_OBJECT))
		read_single(&reading, node);
	else if (tariff->schedule.n == 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("the tariff has no periods"),
						errhint("Give %s as a number.", what)));
	else if (tariff->schedule.n > 1 || eb_node_is(eb_node_first(node), EB_NODE_OBJECT))
		read_schedules(&reading, node);
	else
		read_periods(&reading, EB_ARRAY(tariff, EbSchedule, tariff->schedule), node);
	return reading.undivided;
}

/* ---------------------------------------------------------------- what is one for the bill */

/* A number of 1e-6, not negative, by the name of its key */
static int64
read_quantity(const EbNode *node)
{
	return (int64) eb_pg_from_number(node, EB_ENERGY_SCALE, false, cstring(node->key));
}

/* "days" or "months": the number, 0 when it is to be derived */
static int64
read_given(const EbNode *node)
{
	int64 value = node == NULL ? 0 : read_quantity(node);

	if (node != NULL && value == 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s must be positive", cstring(node->key))));
	return value;
}

static int32
read_quality(const EbNode *node)
{
	if (node == NULL)
		return EB_ACTUAL;
	for (size_t i = 0; i < lengthof(eb_pg_quality_word); i++)
		if (eb_text_is(eb_node_text(node), eb_pg_quality_word[i]))
			return (int32) i;
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
					errmsg("quality must be actual, estimated or missing")));
}

static void
read_qty(const EbNode *map, EbUsage *usage)
{
	EbNamedQuantity *qty = palloc(sizeof(EbNamedQuantity) * Max(eb_node_count(map), 1));

	if (map != NULL && !eb_node_is(map, EB_NODE_OBJECT))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("qty must be {name: number}")));
	EB_EACH(item, map)
	{
		qty[usage->nqty].name = item->key;
		qty[usage->nqty++].value_u = (int64) eb_pg_from_number(
			item, EB_ENERGY_SCALE, true, psprintf("quantity \"%s\"", cstring(item->key)));
	}
	usage->qty = qty;
}

static int
compare_items(const void *a, const void *b)
{
	int64 x = *(const int64 *) a;
	int64 y = *(const int64 *) b;

	return (x > y) - (x < y);
}

static void
read_items(const EbNode *list, EbUsage *usage)
{
	int64 *item_u = palloc(sizeof(int64) * Max(eb_node_count(list), 1));

	if (list != NULL && !eb_node_is(list, EB_NODE_ARRAY))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("items must be [number]")));
	EB_EACH(item, list)
		item_u[usage->nitems++] =
			(int64) eb_pg_from_number(item, EB_ENERGY_SCALE, false, "an item");
	qsort(item_u, usage->nitems, sizeof(int64), compare_items);
	usage->item_u = item_u;
}

void
eb_pg_from_quantities(const EbNode *root, EbUsage *usage)
{
	const EbNode *factor = eb_node_get(root, "power_factor");

	usage->quality = read_quality(eb_node_get(root, "quality"));
	usage->days_u = read_given(eb_node_get(root, "days"));
	usage->months_u = read_given(eb_node_get(root, "months"));
	usage->pf_u = factor == NULL ? EB_NO_PF : read_quantity(factor);
	if (usage->pf_u > EB_KWH)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("power_factor must be 0 to 1")));
	read_qty(eb_node_get(root, "qty"), usage);
	read_items(eb_node_get(root, "items"), usage);
}
