/*
 * kit_demand.h -- bills with measured windows, reactive energy or a power factor, for tests of rating
 * Windows are added by begin() and add_peak(); lines come back as those of kit_rate().
 */
#ifndef ELECBILL_TEST_KIT_DEMAND_H
#define ELECBILL_TEST_KIT_DEMAND_H

#include "kit_rate.h"

#define MAX_PEAKS 64

static EbPeak peak[MAX_PEAKS];
static int npeaks;
static EbPastPeak past[40];
static int64_t kvarh_u; /* of the first part; below 0: not measured */
static int64_t pf_u;

static inline void
kit_measure(const char *from, const char *to)
{
	kit_begin(from, to);
	npeaks = 0;
	kvarh_u = -1;
	pf_u = EB_NO_PF;
	kit_ctx.past = past;
}

/* A window that starts at an instant; NULL: nobody knows when */
static inline void
kit_add_peak(int demand, const char *at, int64_t ukw)
{
	peak[npeaks++] = (EbPeak){demand, EB_NO_DAY, at == NULL ? INT64_MIN : kit_instant(at), ukw};
}

static inline void
kit_add_past(const char *demand, int year, int month, int64_t kw)
{
	past[kit_ctx.npast++] = (EbPastPeak){kit_text(demand), year, month, kw * EB_KWH};
}

/* What usage() makes of the windows and of reactive energy */
static inline const EbUsage *
kit_measured(const EbTariff *tariff, const char *text)
{
	static int64_t cell[KIT_MAX_PARTS * EB_MAX_SLOTS * 4];
	static EbUsage usage;
	int plane = eb_plane_find(tariff, EB_IMPORT_KVARH, EB_NONE);

	usage = *kit_usage(tariff, text);
	memset(cell, 0, sizeof(cell));
	usage.ncells = eb_usage_cells(tariff);
	for (int part = 0; part < usage.nparts; part++)
		memcpy(&cell[part * usage.ncells], &usage.cell[part * usage.nslots],
			   (size_t) usage.nslots * sizeof(*cell));
	usage.cell = cell;
	usage.pf_u = pf_u;
	if (kvarh_u >= 0)
	{
		usage.channels |= 1u << EB_IMPORT_KVARH;
		cell[eb_plane_at(tariff, plane)] = kvarh_u;
	}
	for (int i = 0; i < npeaks; i++)
		if (peak[i].at_us != INT64_MIN)
			peak[i].part_day =
				eb_part_range(tariff, eb_local_day(&kit_zone, peak[i].at_us, NULL)).from;
	usage.peak = peak;
	usage.npeaks = npeaks;
	return &usage;
}

static inline const char *
kit_measured_bill(const char *json, const char *used)
{
	const EbTariff *tariff = kit_json_tariff(json, &kit_fault);
	EbStatus status = EB_BAD_ARGUMENT;

	kit_bill[kit_length = 0] = '\0';
	if (tariff != NULL)
		status = eb_rate(tariff, &kit_zone, kit_measured(tariff, used), &kit_ctx, kit_line,
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

#endif /* ELECBILL_TEST_KIT_DEMAND_H */
