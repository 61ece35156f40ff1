/*
 * kit_rate.h -- a bill in one call, as text, for tests of rating
 * Usage is written "DATE PERIOD KWH, ..." ("-" for no period; DATE "-" for usage without dates);
 * lines come back as "code/period#tier quantity x price x factor = amount; ...".
 */
#ifndef ELECBILL_TEST_KIT_RATE_H
#define ELECBILL_TEST_KIT_RATE_H

#include <stdarg.h>
#include <stdio.h>

#include "kit_json.h"
#include "rating/calendar.h"
#include "rating/rate.h"
#include "rating/tariff_json.h"

#define KIT_MAX_LINES 100
#define KIT_MAX_PARTS 100

/* Shanghai, without its history */
static const EbZoneSpan kit_span = {INT64_MIN, 8 * 3600};
static const EbZone kit_zone = {&kit_span, 1};

/* What a test may set before kit_rate(); kit_begin() empties it */
static EbRateContext kit_ctx;
static EbAttr kit_attr[8];
static EbNamedQuantity kit_qty[8];
static const char *kit_from; /* service range of the usage, dates [from, to); NULL: none */
static const char *kit_to;
static int32_t kit_quality;
static int64_t kit_missing_s;

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
	kit_ctx.final = true;
	kit_ctx.from_us = kit_ctx.to_us = INT64_MIN;
	kit_from = from;
	kit_to = to;
	kit_quality = EB_ACTUAL;
	kit_missing_s = 0;
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

static inline void
kit_before(EbTierScope scope, const char *kwh)
{
	eb_decimal_parse64(kit_text(kwh), EB_ENERGY_SCALE, &kit_ctx.before_ukwh[scope]);
}

static inline int64_t
kit_instant(const char *date)
{
	int64_t at_us = INT64_MIN;

	if (date != NULL && !eb_parse_instant(kit_text(date), &kit_zone, &at_us))
		abort();
	return at_us;
}

/* The usage of the text, sorted into parts and slots */
static inline const EbUsage *
kit_usage(const EbTariff *tariff, const char *text)
{
	static int64_t energy[KIT_MAX_PARTS * EB_MAX_SLOTS];
	static int32_t part_day[KIT_MAX_PARTS];
	static EbUsage usage;
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *period = EB_ARRAY(tariff, EbSlice, tariff->period_name);

	memset(energy, 0, sizeof(energy));
	memset(&usage, 0, sizeof(usage));
	usage.from_us = kit_instant(kit_from);
	usage.to_us = kit_instant(kit_to);
	usage.quality = kit_quality;
	usage.missing_s = kit_missing_s;
	usage.nslots = tariff->slot.n > 0 ? tariff->slot.n : 1;
	usage.part_day = part_day;
	usage.energy_ukwh = energy;
	while (*text != '\0')
	{
		char date[20];
		char name[40];
		char kwh[40];
		int length;
		int32_t day = EB_NO_DAY;
		int64_t value;

		if (sscanf(text, " %19s %39s %39[^,]%n", date, name, kwh, &length) != 3)
			abort();
		text += length;
		text += *text == ',';
		if (eb_parse_date(kit_text(date), &day))
			day = eb_part_range(tariff, day).from;
		if (usage.nparts == 0 || part_day[usage.nparts - 1] != day)
			part_day[usage.nparts++] = day;
		if (eb_decimal_parse64(kit_text(kwh), EB_ENERGY_SCALE, &value) != EB_OK)
			abort();
		for (int i = 0; i < usage.nslots; i++)
		{
			EbText called = {"-", 1};

			if (tariff->slot.n > 0)
				called =
					(EbText){EB_ARRAY(tariff, char, period[slot[i].name]), period[slot[i].name].n};
			if (eb_text_is(called, name))
				energy[(usage.nparts - 1) * usage.nslots + i] += value;
		}
	}
	return &usage;
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

/* The bill as text, or "status message: detail" */
static inline const char *
kit_rate(const char *json, const char *usage)
{
	const EbTariff *tariff = kit_json_tariff(json, &kit_fault);
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
