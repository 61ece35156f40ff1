/*
 * kit_rate.h -- a bill in one call, as text, for tests of rating
 * Usage is written "DATE PERIOD KWH, ..." ("-" for no period; DATE "-" for usage without dates;
 * "DATE PERIOD KWH export_kwh" for another channel) or "INSTANT MINUTES KWH, ..." for intervals;
 * lines come back as "code/period#tier quantity x price x factor = amount; ...".
 */
#ifndef ELECBILL_TEST_KIT_RATE_H
#define ELECBILL_TEST_KIT_RATE_H

#include <stdarg.h>
#include <stdio.h>

#include "kit_json.h"
#include "rating/calendar.h"
#include "rating/price.h"
#include "rating/rate.h"
#include "rating/tou.h"
#include "rating/tariff_json.h"

#define KIT_MAX_LINES 100
#define KIT_MAX_PARTS 400
#define KIT_MAX_CELLS 256 /* of a part */
#define KIT_MAX_PIECES 4000

/* Shanghai, without its history */
static const EbZoneSpan kit_span = {INT64_MIN, 8 * 3600};
static const EbZone kit_zone = {&kit_span, 1};

/* What a test may set before kit_rate(); kit_begin() empties it */
static EbRateContext kit_ctx;
static EbAttr kit_attr[8];
static EbNamedQuantity kit_qty[8];
static EbBefore kit_before_of[8];
static const char *kit_from; /* service range of the usage, dates [from, to); NULL: none */
static const char *kit_to;
static int32_t kit_quality;
static int64_t kit_missing_s;
static int64_t kit_item[20]; /* items of the usage, 1e-6 */
static int kit_nitems;

/* The lines of the last bill */
static EbLine kit_line[KIT_MAX_LINES];
static int kit_nlines;
static EbFault kit_fault;

static inline EbText
kit_text(const char *text)
{
	return (EbText){text, (int) strlen(text)};
}

static inline void
kit_begin(const char *from, const char *to)
{
	memset(&kit_ctx, 0, sizeof(kit_ctx));
	kit_ctx.attr = kit_attr;
	kit_ctx.qty = kit_qty;
	kit_ctx.before = kit_before_of;
	kit_ctx.final = true;
	kit_ctx.from_us = kit_ctx.to_us = INT64_MIN;
	kit_from = from;
	kit_to = to;
	kit_quality = EB_ACTUAL;
	kit_missing_s = 0;
	kit_nitems = 0;
}

static inline void
kit_add_attr(const char *name, const char *value)
{
	kit_attr[kit_ctx.nattrs++] = (EbAttr){kit_text(name), kit_text(value)};
}

static inline void
kit_add_qty(const char *name, const char *value)
{
	kit_qty[kit_ctx.nqty].name = kit_text(name);
	eb_decimal_parse64(kit_text(value), EB_ENERGY_SCALE, &kit_qty[kit_ctx.nqty++].value_u);
}

/* Used before in a scope: in all periods (period ""), or in one */
static inline void
kit_before_period(EbTierScope scope, const char *period, const char *kwh)
{
	EbBefore *before = kit_before_of;

	while (before < kit_before_of + kit_ctx.nbefore &&
		   (before->scope != scope || !eb_text_is(before->period, period)))
		before++;
	if (before == kit_before_of + kit_ctx.nbefore)
		kit_ctx.nbefore++;
	*before = (EbBefore){.scope = scope, .period = kit_text(period)};
	eb_decimal_parse64(kit_text(kwh), EB_ENERGY_SCALE, &before->ukwh);
}

static inline void
kit_before(EbTierScope scope, const char *kwh)
{
	kit_before_period(scope, "", kwh);
}

static inline void
kit_add_item(const char *value)
{
	eb_decimal_parse64(kit_text(value), EB_ENERGY_SCALE, &kit_item[kit_nitems++]);
}

static inline int64_t
kit_instant(const char *date)
{
	int64_t at_us = INT64_MIN;

	if (date != NULL && !eb_parse_instant(kit_text(date), &kit_zone, &at_us))
		abort();
	return at_us;
}

/* Energy by part, in the memory of the usage that kit_usage() returns */
static int64_t kit_cell[KIT_MAX_PARTS * KIT_MAX_CELLS];
static int64_t kit_spare[KIT_MAX_PARTS * KIT_MAX_CELLS];
static int32_t kit_part_day[KIT_MAX_PARTS];
static EbPiece kit_piece[KIT_MAX_PIECES];
static EbUsage kit_used;

/* The part of a day: found, or made in its place */
static inline int64_t *
kit_part(const EbTariff *tariff, int32_t day)
{
	int at = 0;

	if (day != EB_NO_DAY)
		day = eb_part_range(tariff, day).from;
	while (at < kit_used.nparts && kit_part_day[at] < day)
		at++;
	if (at == kit_used.nparts || kit_part_day[at] != day)
	{
		size_t row = (size_t) kit_used.ncells * sizeof(*kit_cell);
		size_t behind = (size_t) (kit_used.nparts - at);

		if (++kit_used.nparts > KIT_MAX_PARTS)
			abort();
		memmove(kit_cell + (at + 1) * kit_used.ncells, kit_cell + at * kit_used.ncells,
				behind * row);
		memset(kit_cell + at * kit_used.ncells, 0, row);
		memmove(kit_part_day + at + 1, kit_part_day + at, behind * sizeof(*kit_part_day));
		kit_part_day[at] = day;
	}
	return kit_cell + at * kit_used.ncells;
}

/* The first cell of a channel, which then is measured; aborts when the tariff needs none */
static inline int
kit_channel(const EbTariff *tariff, const char *name)
{
	static const char *const names[] = {"import_kwh", "export_kwh", "import_kvarh", "export_kvarh"};
	int channel = 0;

	while (channel < EB_NCHANNELS && strcmp(names[channel], name) != 0)
		channel++;
	if (channel == EB_NCHANNELS || eb_plane_find(tariff, (EbChannel) channel, EB_NONE) == EB_NONE)
		abort();
	kit_used.channels |= 1u << channel;
	return eb_plane_at(tariff, eb_plane_find(tariff, (EbChannel) channel, EB_NONE));
}

/* "DATE PERIOD KWH [CHANNEL]": to the period in every schedule that has it */
static inline void
kit_add_energy(const EbTariff *tariff, const char *date, const char *period_name, char *amount)
{
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *period = EB_ARRAY(tariff, EbSlice, tariff->period_name);
	char *channel = strchr(amount, ' ');
	int64_t *cell;
	int32_t day = EB_NO_DAY;
	int64_t value;

	if (channel != NULL)
		*channel++ = '\0';
	eb_parse_date(kit_text(date), &day);
	if (eb_decimal_parse64(kit_text(amount), EB_ENERGY_SCALE, &value) != EB_OK)
		abort();
	cell = kit_part(tariff, day) + kit_channel(tariff, channel != NULL ? channel : "import_kwh");
	for (int i = 0; i < kit_used.nslots; i++)
	{
		EbText called = {"-", 1};

		if (tariff->slot.n > 0)
			called = (EbText){EB_ARRAY(tariff, char, period[slot[i].name]), period[slot[i].name].n};
		if (eb_text_is(called, period_name))
			cell[i] += value;
	}
}

/* Adds a piece that lies in one segment and under one point of every series. */
static inline void
kit_add_piece(const EbTariff *tariff, const EbSegment *segment, int64_t interval_us, int64_t at_us,
			  int64_t energy_ukwh)
{
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);
	int64_t *cell = kit_part(tariff, segment->part_day);
	int nschedules = tariff->schedule.n > 0 ? tariff->schedule.n : 1;

	for (int p = 0; p < tariff->plane.n; p++)
		for (int i = 0; i < nschedules && plane[p].channel == EB_IMPORT_KWH; i++)
		{
			int64_t price_n;

			if (plane[p].series == EB_NONE)
				cell[eb_plane_at(tariff, p) + segment->slot[i]] += energy_ukwh;
			else if (eb_series_at(tariff, plane[p].series, at_us, &price_n, &kit_fault) != EB_OK ||
					 !eb_money_add(&cell[eb_plane_at(tariff, p) + 2 * segment->slot[i]],
								   (eb_int128) energy_ukwh * price_n))
				abort();
		}
	if (kit_used.npieces == KIT_MAX_PIECES)
		abort();
	kit_piece[kit_used.npieces++] = (EbPiece){at_us, interval_us, energy_ukwh};
}

/* Where the piece that begins at at_us ends: at a segment, or at the next point of a series */
static inline int64_t
kit_piece_end(const EbTariff *tariff, int64_t at_us, int64_t end_us, EbSegment *segment)
{
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);

	if (eb_tou_segment(tariff, &kit_zone, at_us, segment, &kit_fault) != EB_OK)
		abort();
	if (segment->to_us < end_us)
		end_us = segment->to_us;
	for (int i = 0; i < tariff->series.n; i++)
		for (int j = 0; j < series[i].point.n; j++)
		{
			int64_t point_us = EB_ARRAY(tariff, EbPoint, series[i].point)[j].at_us;

			if (point_us > at_us && point_us < end_us)
				end_us = point_us;
		}
	return end_us;
}

/* Import spread evenly over [from_us, to_us), cut where a segment or a price ends */
static inline void
kit_spread(const EbTariff *tariff, int64_t from_us, int64_t to_us, int64_t energy_ukwh)
{
	int64_t at_us = from_us;
	int64_t done = 0;

	while (at_us < to_us)
	{
		EbSegment segment;
		int64_t end_us = kit_piece_end(tariff, at_us, to_us, &segment);
		int64_t until = (int64_t) eb_div_round((eb_int128) energy_ukwh * (end_us - from_us),
											   to_us - from_us, EB_HALF_UP);

		kit_add_piece(tariff, &segment, from_us, at_us, until - done);
		done = until;
		at_us = end_us;
	}
}

/* "INSTANT MINUTES KWH"; intervals ascend */
static inline void
kit_add_interval(const EbTariff *tariff, const char *instant, const char *minutes, const char *kwh)
{
	int64_t from_us = kit_instant(instant);
	int64_t length;
	int64_t energy;

	if (eb_decimal_parse64(kit_text(minutes), 0, &length) != EB_OK ||
		eb_decimal_parse64(kit_text(kwh), EB_ENERGY_SCALE, &energy) != EB_OK)
		abort();
	kit_spread(tariff, from_us, from_us + length * EB_MINUTE_US, energy);
}

/* The usage of the text; it lives until the next call. */
static inline EbUsage *
kit_usage(const EbTariff *tariff, const char *text)
{
	memset(&kit_used, 0, sizeof(kit_used));
	memcpy(kit_used.fingerprint, tariff->fingerprint, EB_FINGERPRINT_SIZE);
	kit_used.from_us = kit_instant(kit_from);
	kit_used.to_us = kit_instant(kit_to);
	kit_used.quality = kit_quality;
	kit_used.missing_s = kit_missing_s;
	kit_used.nslots = eb_tariff_slots(tariff);
	kit_used.ncells = eb_usage_cells(tariff);
	kit_used.channels = 1u << EB_IMPORT_KWH;
	kit_used.pf_u = EB_NO_PF;
	kit_used.part_day = kit_part_day;
	kit_used.cell = kit_cell;
	kit_used.spare = kit_spare;
	kit_used.piece = kit_piece;
	kit_used.item_u = kit_item;
	kit_used.nitems = kit_nitems;
	if (kit_used.ncells > KIT_MAX_CELLS)
		abort();
	while (*text != '\0')
	{
		char date[20];
		char name[40];
		char kwh[40];
		int length;

		if (sscanf(text, " %19s %39s %39[^,]%n", date, name, kwh, &length) != 3)
			abort();
		text += length;
		text += *text == ',';
		if (strchr(date, 'T') != NULL)
			kit_add_interval(tariff, date, name, kwh);
		else
			kit_add_energy(tariff, date, name, kwh);
	}
	return &kit_used;
}

/* What kit_rate() returns; lines are added behind what there is */
static char kit_bill[20000];
static size_t kit_length;

static inline void __attribute__((format(printf, 1, 2))) kit_add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	kit_length +=
		(size_t) vsnprintf(kit_bill + kit_length, sizeof(kit_bill) - kit_length, format, args);
	va_end(args);
	if (kit_length >= sizeof(kit_bill))
		abort();
}

static inline void
kit_number(const char *before, eb_int128 value, int scale)
{
	char text[EB_DECIMAL_TEXT];

	eb_decimal_format(value, scale, text);
	kit_add("%s%s", before, text);
}

static inline void
kit_write_line(const EbTariff *tariff, const EbLine *line)
{
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *period = EB_ARRAY(tariff, EbSlice, tariff->period_name);
	EbSlice code = {0, 0};
	EbSlice name;

	if (line->component != EB_NONE)
		code = EB_ARRAY(tariff, EbComponent, tariff->component)[line->component].code;
	kit_add("%.*s", code.n, EB_ARRAY(tariff, char, code));
	if (line->slot != EB_NONE)
	{
		name = period[slot[line->slot].name];
		kit_add("/%.*s", name.n, EB_ARRAY(tariff, char, name));
	}
	if (line->tier != 0)
		kit_add("#%d", line->tier);
	kit_number(" ", line->quantity_u, EB_ENERGY_SCALE);
	kit_number(" x ", line->price_n, EB_PRICE_SCALE);
	if (line->factor_n != EB_ONE)
		kit_number(" x ", line->factor_n, EB_PRICE_SCALE);
	kit_number(" = ", line->amount, EB_AMOUNT_SCALE);
}

/* A tariff as rate() gets it: compiled, its series read in the zone. Lives until the next call. */
static inline const EbTariff *
kit_tariff_of(const char *json)
{
	EbTariff *tariff = (EbTariff *) kit_json_tariff(json, &kit_fault);

	if (tariff == NULL || eb_tariff_localize(tariff, &kit_zone, &kit_fault) != EB_OK)
		return NULL;
	return tariff;
}

/* The bill as text, or "status message: detail" */
static inline const char *
kit_rate(const char *json, const char *usage)
{
	const EbTariff *tariff = kit_tariff_of(json);
	EbStatus status = EB_BAD_ARGUMENT;

	kit_bill[kit_length = 0] = '\0';
	kit_nlines = 0;
	if (tariff != NULL)
		status = eb_rate(tariff, &kit_zone, kit_usage(tariff, usage), &kit_ctx, kit_line,
						 KIT_MAX_LINES, &kit_nlines, &kit_fault);
	if (status != EB_OK)
	{
		kit_add("%d %s%s%s", (int) status, kit_fault.message,
				kit_fault.detail[0] != '\0' ? ": " : "", kit_fault.detail);
		return kit_bill;
	}
	for (int i = 0; i < kit_nlines; i++)
	{
		if (i > 0)
			kit_add("; ");
		kit_write_line(tariff, &kit_line[i]);
	}
	return kit_bill;
}

/* The sum of the bill as text, or the fault */
static inline const char *
kit_total(const char *json, const char *usage)
{
	static char text[EB_DECIMAL_TEXT];
	const char *lines = kit_rate(json, usage);
	eb_int128 sum = 0;

	if (lines[0] >= '1' && lines[0] <= '9')
		return lines;
	for (int i = 0; i < kit_nlines; i++)
		sum += kit_line[i].amount;
	eb_decimal_format(sum, EB_AMOUNT_SCALE, text);
	return text;
}

#endif /* ELECBILL_TEST_KIT_RATE_H */
