/*
 * usage_layout.c -- what a sum of usage keeps for a tariff, and where
 * In:  a compiled tariff: its planes, demands and versions.
 * Out: classifiers for usage_sum.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <string.h>

#include "rating/usage_sum.h"

static void
lay_out_planes(EbUsageLayout *layout, const EbTariff *tariff)
{
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);

	for (int i = 0; i < tariff->plane.n; i++)
	{
		EbChannelLayout *channel = &layout->channel[plane[i].channel];
		EbMoneyPlane *money = &channel->money[channel->nmoney];

		if (plane[i].series == EB_NONE)
		{
			channel->at = eb_plane_at(tariff, i);
			layout->nenergy += layout->nslots;
			continue;
		}
		channel->nmoney++;
		*money = (EbMoneyPlane){.at = eb_plane_at(tariff, i), .series = plane[i].series};
		if (series[plane[i].series].kind == EB_SERIES_USAGE)
			money->of_row = channel->of_row = 1;
		else
			layout->series |= 1u << plane[i].series;
	}
}

static void
lay_out_table(EbUsageLayout *layout, EbChannel channel, const EbDemand *demand)
{
	EbWindowKey *key = layout->table;

	while (key < layout->table + layout->ntables &&
		   (key->channel != (int) channel || key->slide_min != demand->slide_min))
		key++;
	if (key == layout->table + layout->ntables)
	{
		*key = (EbWindowKey){.channel = (int16_t) channel, .slide_min = demand->slide_min};
		layout->channel[channel].tables |= UINT64_C(1) << layout->ntables++;
	}
	if (key->most_min < demand->window_min)
		key->most_min = demand->window_min;
}

static void
lay_out_demands(EbUsageLayout *layout, const EbTariff *tariff)
{
	const EbDemand *demand = EB_ARRAY(tariff, EbDemand, tariff->demand);

	for (int i = 0; i < tariff->demand.n; i++)
	{
		if (demand[i].quantity != EB_EXPORT_KW && demand[i].quantity != EB_IMPORT_KVAR)
			lay_out_table(layout, EB_IMPORT_KWH, &demand[i]);
		if (demand[i].quantity == EB_EXPORT_KW)
			lay_out_table(layout, EB_EXPORT_KWH, &demand[i]);
		if (demand[i].quantity == EB_IMPORT_KVA || demand[i].quantity == EB_IMPORT_KVAR)
			lay_out_table(layout, EB_IMPORT_KVARH, &demand[i]);
	}
}

static void
lay_out(EbUsageLayout *layout, const EbTariff *tariff)
{
	memset(layout, 0, sizeof(*layout));
	layout->nschedules = tariff->schedule.n > 0 ? tariff->schedule.n : 1;
	layout->nslots = eb_tariff_slots(tariff);
	layout->ncells = eb_usage_cells(tariff);
	layout->in_order = tariff->in_order;
	for (int i = 0; i < EB_NCHANNELS; i++)
		layout->channel[i].at = EB_NONE;
	lay_out_planes(layout, tariff);
	lay_out_demands(layout, tariff);
	for (int i = 0; i < EB_NCHANNELS; i++)
	{
		EbChannelLayout *channel = &layout->channel[i];

		channel->plain = channel->at != EB_NONE && channel->nmoney == 0 && channel->tables == 0 &&
						 !(layout->in_order && i == EB_IMPORT_KWH);
	}
}

/* A window of one version may end in the next one, which then is not plain for that channel, either. */
static void
spread_windows(EbClassifier *by, int n)
{
	for (int i = 0; i < EB_NCHANNELS; i++)
	{
		uint64_t tables = 0;

		for (int j = 0; j < n; j++)
			tables |= by[j].layout.channel[i].tables;
		for (int j = 0; j < n && tables != 0; j++)
			by[j].layout.channel[i].plain = 0;
	}
}

void
eb_classifier_init(EbClassifier *by, const EbTariff *tariff, const EbZone *zone)
{
	const EbVersion *version = EB_ARRAY(tariff, EbVersion, tariff->version);

	for (int i = 0; i < eb_classifier_count(tariff); i++)
	{
		by[i] = (EbClassifier){
			.tariff = tariff, .zone = zone, .from_us = INT64_MIN, .to_us = INT64_MAX};
		if (tariff->version.n > 0)
		{
			by[i].tariff = eb_version_tariff(tariff, &version[i]);
			if (version[i].valid_from != INT32_MIN)
				by[i].from_us = eb_day_start(zone, version[i].valid_from);
			if (version[i].valid_to != INT32_MAX)
				by[i].to_us = eb_day_start(zone, version[i].valid_to);
		}
		lay_out(&by[i].layout, by[i].tariff);
	}
	spread_windows(by, eb_classifier_count(tariff));
}
