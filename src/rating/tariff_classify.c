/*
 * tariff_classify.c -- what decides how a tariff cuts and sorts usage, as a text
 * In:  a node tree without lint errors, the tariff it was compiled to.
 * Out: a text for the fingerprint: tariffs with the same text share summaries. Parts that only some
 *      tariffs need are written only by these, so that others keep their fingerprints.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/architecture.md.
 */
#include <stdio.h>

#include "base/civil.h"
#include "rating/tariff_compile.h"
#include "rating/tariff_text.h"
#include "rating/tariff_types.h"

/* ---------------------------------------------------------------- dates and scopes */

/* The earliest of next and the two dates of a range that is after "after" */
static int32_t
earlier_date(const EbNode *range, int32_t after, int32_t next)
{
	int32_t day;

	EB_EACH(date, range)
		if (eb_parse_date(eb_node_text(date), &day) && day > after && day < next)
			next = day;
	return next;
}

/* The first day after "after" on which a component begins or ends to apply; INT32_MAX: none */
static int32_t
next_date(const EbNode *root, int32_t after)
{
	int32_t next = INT32_MAX;

	EB_EACH(component, eb_node_get(root, "components"))
	{
		next = earlier_date(eb_node_get(component, "valid"), after, next);
		next = earlier_date(eb_node_get(eb_node_get(component, "when"), "date"), after, next);
		EB_EACH(factor, eb_node_get(component, "factor_if"))
			next = earlier_date(eb_node_get(eb_node_get(factor, "if"), "date"), after, next);
	}
	return next;
}

static void
put_dates(EbWriter *writer)
{
	char date[EB_DATE_TEXT];
	int32_t day = next_date(writer->root, INT32_MIN);

	eb_put_string(writer, ",\"dates\":[");
	while (day != INT32_MAX && !writer->full)
	{
		eb_put(writer, date, (size_t) eb_format_date(day, date));
		eb_put(writer, ",", 1);
		day = next_date(writer->root, day);
	}
	eb_put(writer, "]", 1);
}

/* The scope of a component's tiers; a scope left out is "bill" */
static bool
has_scope(const EbNode *component, const char *name)
{
	const EbNode *tier = eb_node_get(component, "tier");
	const EbNode *scope = eb_node_get(tier, "scope");

	if (tier == NULL)
		return false;
	return scope != NULL ? eb_text_is(eb_node_text(scope), name) : strcmp(name, "bill") == 0;
}

static void
put_scopes(EbWriter *writer)
{
	eb_put_string(writer, ",\"scopes\":[");
	for (const EbWord *word = eb_tier_scope_word; word->name != NULL; word++)
	{
		bool used = false;

		EB_EACH(component, eb_node_get(writer->root, "components"))
			used = used || has_scope(component, word->name);
		if (used)
		{
			eb_put_string(writer, word->name);
			eb_put(writer, ",", 1);
		}
	}
	eb_put(writer, "]", 1);
}

/* ---------------------------------------------------------------- what is measured */

static void
put_integer(EbWriter *writer, int64_t value)
{
	char text[EB_DECIMAL_TEXT];

	eb_put(writer, text, (size_t) eb_decimal_format(value, 0, text));
	eb_put(writer, ",", 1);
}

/* What is measured as a demand; names and order decide where peaks are kept. */
static void
put_demands(EbWriter *writer)
{
	const EbField *field = eb_field_find(&eb_tariff_type, (EbText){"demands", 7});
	const EbNode *demands = eb_node_get(writer->root, "demands");

	if (eb_node_first(demands) == NULL)
		return;
	writer->classify = true;
	eb_write_field(writer, field, demands, writer->root, false);
	writer->classify = false;
}

/* Planes beyond the first: a channel, or a channel times the prices of a series */
static void
put_planes(EbWriter *writer, const EbTariff *tariff)
{
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);

	if (tariff->plane.n <= 1)
		return;
	eb_put_string(writer, ",\"planes\":[");
	for (int i = 1; i < tariff->plane.n; i++)
	{
		put_integer(writer, plane[i].channel);
		if (plane[i].series != EB_NONE)
		{
			EbSlice name = series[plane[i].series].name;

			eb_put_json_text(writer, (EbText){EB_ARRAY(tariff, char, name), name.n});
			eb_put(writer, ",", 1);
		}
	}
	eb_put(writer, "]", 1);
}

/* Points: days on which parts begin, or all of a series whose prices are part of the summary */
static void
put_series(EbWriter *writer, const EbTariff *tariff, const EbSeries *series)
{
	const EbPoint *point = EB_ARRAY(tariff, EbPoint, series->point);

	if (series->kind == EB_SERIES_BILL_MONTH)
		return;
	if (series->kind == EB_SERIES_DAYS)
		eb_put_string(writer, ",\"days\":[");
	else
	{
		eb_put(writer, ",", 1);
		eb_put_json_text(writer, (EbText){EB_ARRAY(tariff, char, series->name), series->name.n});
		eb_put_string(writer, ":[");
	}
	for (int i = 0; i < series->point.n && !writer->full; i++)
	{
		put_integer(writer, series->kind == EB_SERIES_DAYS ? point[i].day : point[i].at_us);
		if (series->kind != EB_SERIES_DAYS)
			put_integer(writer, point[i].price_n);
	}
	eb_put(writer, "]", 1);
}

static void
put_measured(EbWriter *writer, const EbTariff *tariff)
{
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);

	put_demands(writer);
	put_planes(writer, tariff);
	for (int i = 0; i < tariff->series.n && !writer->full; i++)
		put_series(writer, tariff, &series[i]);
	if (tariff->by_day)
		eb_put_string(writer, ",\"by_day\":true");
	if (tariff->in_order)
		eb_put_string(writer, ",\"in_order\":true");
}

/* ---------------------------------------------------------------- all of it */

/* Of a tariff that changes: the dates and fingerprints of its versions */
static void
put_versions(EbWriter *writer, const EbTariff *tariff)
{
	const EbVersion *version = EB_ARRAY(tariff, EbVersion, tariff->version);
	char hex[3];

	eb_put_string(writer, "{\"versions\":[");
	for (int i = 0; i < tariff->version.n && !writer->full; i++)
	{
		const EbTariff *one = eb_version_tariff(tariff, &version[i]);

		put_integer(writer, version[i].valid_from);
		put_integer(writer, version[i].valid_to);
		for (int j = 0; j < EB_FINGERPRINT_SIZE; j++)
		{
			snprintf(hex, sizeof(hex), "%02x", one->fingerprint[j]);
			eb_put_string(writer, hex);
		}
		eb_put(writer, ",", 1);
	}
	eb_put_string(writer, "]}");
}

EbStatus
eb_tariff_classifier(const EbNode *root, const EbTariff *tariff, char *buf, size_t size,
					 size_t *used)
{
	EbWriter writer = {.root = root, .buf = buf, .size = size};
	bool first = true;

	if (tariff->version.n > 0)
		put_versions(&writer, tariff);
	else
	{
		eb_put(&writer, "{", 1);
		for (const EbField *field = eb_tariff_type.field; field->name != NULL; field++)
		{
			const EbNode *value = eb_node_get(root, field->name);

			if (field->classifies && value != NULL && !writer.full &&
				eb_write_field(&writer, field, value, root, first))
				first = false;
		}
		put_scopes(&writer);
		put_dates(&writer);
		put_measured(&writer, tariff);
		eb_put(&writer, "}", 1);
	}
	*used = writer.len;
	return writer.full ? EB_NO_SPACE : EB_OK;
}
