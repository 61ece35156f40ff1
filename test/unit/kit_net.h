/*
 * kit_net.h -- a bill with import and export in one call, as text, for tests of net
 * Usage is written "DATE PERIOD IMPORT EXPORT, ..." ("-" for no period; DATE "-" for usage without
 * dates); lines come back as kit_rate.h writes them, those of net as "net/period quantity = amount".
 */
#ifndef ELECBILL_TEST_KIT_NET_H
#define ELECBILL_TEST_KIT_NET_H

#include "kit_rate.h"

#define KIT_NET_CELLS (KIT_MAX_PARTS * EB_MAX_SLOTS * 2)

static EbNamedQuantity kit_credit[EB_MAX_SLOTS + 1];

static inline void
kit_add_credit(const char *period, const char *kwh)
{
	EbNamedQuantity *credit = &kit_credit[kit_ctx.ncredit++];

	kit_ctx.credit = kit_credit;
	credit->name = kit_text(period);
	if (eb_decimal_parse64(kit_text(kwh), EB_ENERGY_SCALE, &credit->value_u) != EB_OK)
		abort();
}

static inline EbText
kit_period(const EbTariff *tariff, int slot)
{
	const EbSlot *slots = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *period = EB_ARRAY(tariff, EbSlice, tariff->period_name);
	EbSlice name = {0, 0};

	if (tariff->slot.n > 0)
		name = period[slots[slot].name];
	return (EbText){EB_ARRAY(tariff, char, name), name.n};
}

static inline void
kit_put_cell(const EbTariff *tariff, int64_t *row, EbChannel channel, const char *period,
			 const char *kwh)
{
	int plane = eb_plane_find(tariff, channel, EB_NONE);
	int64_t value;

	if (eb_decimal_parse64(kit_text(kwh), EB_ENERGY_SCALE, &value) != EB_OK)
		abort();
	if (plane == EB_NONE)
		return;
	row += eb_plane_at(tariff, plane);
	for (int i = 0; i < eb_tariff_slots(tariff); i++)
	{
		EbText name = kit_period(tariff, i);

		if (name.len == 0 || eb_text_is(name, period))
			row[i] += value;
	}
}

static inline EbUsage *
kit_net_usage(const EbTariff *tariff, const char *text)
{
	static int64_t cell[KIT_NET_CELLS];
	static int64_t spare[KIT_NET_CELLS];
	static int32_t part_day[KIT_MAX_PARTS];
	static EbUsage usage;

	memset(cell, 0, sizeof(cell));
	usage = (EbUsage){
		.from_us = kit_instant(kit_from),
		.to_us = kit_instant(kit_to),
		.nslots = eb_tariff_slots(tariff),
		.ncells = eb_usage_cells(tariff),
		.channels = 1u << EB_IMPORT_KWH | 1u << EB_EXPORT_KWH,
		.pf_u = EB_NO_PF,
		.part_day = part_day,
		.cell = cell,
		.spare = spare,
	};
	while (*text != '\0')
	{
		char date[20];
		char name[40];
		char import[40];
		char export[40];
		int length;
		int32_t day = EB_NO_DAY;
		int64_t *row;

		if (sscanf(text, " %19s %39s %39s %39[^,]%n", date, name, import, export, &length) != 4)
			abort();
		text += length;
		text += *text == ',';
		if (eb_parse_date(kit_text(date), &day))
			day = eb_part_range(tariff, day).from;
		if (usage.nparts == 0 || part_day[usage.nparts - 1] != day)
			part_day[usage.nparts++] = day;
		row = cell + (usage.nparts - 1) * usage.ncells;
		kit_put_cell(tariff, row, EB_IMPORT_KWH, name, import);
		kit_put_cell(tariff, row, EB_EXPORT_KWH, name, export);
	}
	return &usage;
}

static inline void
kit_write_net_line(const EbTariff *tariff, const EbLine *line)
{
	static const char *const role[] = {
		[EB_LINE_NET] = "net",
		[EB_LINE_NET_CARRY] = "net_carry",
		[EB_LINE_NET_EARNED] = "net_earned",
		[EB_LINE_NET_PAID] = "net_paid",
		[EB_LINE_NET_LOST] = "net_lost",
	};
	EbText name = {"", 0};

	if (line->slot != EB_NONE)
		name = kit_period(tariff, line->slot);
	kit_add("%s%s%.*s", role[line->role], name.len > 0 ? "/" : "", name.len, name.data);
	kit_number(" ", line->quantity_u, EB_ENERGY_SCALE);
	kit_number(" = ", line->amount, EB_AMOUNT_SCALE);
}

/* The bill as text, or "status message: detail" */
static inline const char *
kit_net(const char *json, const char *usage)
{
	const EbTariff *tariff = kit_json_tariff(json, &kit_fault);
	EbStatus status = EB_BAD_ARGUMENT;

	kit_bill[kit_length = 0] = '\0';
	kit_nlines = 0;
	if (tariff != NULL)
		status = eb_rate(tariff, &kit_zone, kit_net_usage(tariff, usage), &kit_ctx, kit_line,
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
		if (kit_line[i].role >= EB_LINE_NET)
			kit_write_net_line(tariff, &kit_line[i]);
		else
			kit_write_line(tariff, &kit_line[i]);
	}
	return kit_bill;
}

/* Money of the last bill on its carry line, 1e-15 */
static inline eb_int128
kit_carried_money(void)
{
	for (int i = 0; i < kit_nlines; i++)
		if (kit_line[i].role == EB_LINE_NET_CARRY)
			return kit_line[i].amount_raw;
	return 0;
}

#endif /* ELECBILL_TEST_KIT_NET_H */
