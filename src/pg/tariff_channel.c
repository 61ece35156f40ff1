/*
 * tariff_channel.c -- tariff_channels(): what has to be measured for a tariff
 * In:  a tariff.
 * Out: names of channels for whoever gathers readings (usage(), register_usage()).
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/tariff.h"
#include "pg/tariff_channel.h"

const char *const eb_pg_channel_name[EB_NCHANNELS] = {
	[EB_IMPORT_KWH] = "import",
	[EB_EXPORT_KWH] = "export",
	[EB_IMPORT_KVARH] = "import_kvarh",
	[EB_EXPORT_KVARH] = "export_kvarh",
};

static uint32
channels_of(const EbTariff *tariff)
{
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);
	const EbVersion *version = EB_ARRAY(tariff, EbVersion, tariff->version);
	uint32 channels = 0;

	for (int i = 0; i < tariff->plane.n; i++)
		channels |= 1u << plane[i].channel;
	for (int i = 0; i < tariff->version.n; i++)
		channels |= channels_of(eb_version_tariff(tariff, &version[i]));
	return channels;
}

PG_FUNCTION_INFO_V1(elecbill_tariff_channels);
Datum
elecbill_tariff_channels(PG_FUNCTION_ARGS)
{
	uint32 channels = channels_of(PG_GETARG_EB_TARIFF(0));
	Datum name[EB_NCHANNELS];
	int n = 0;

	for (int i = 0; i < EB_NCHANNELS; i++)
		if (channels >> i & 1)
			name[n++] = CStringGetTextDatum(eb_pg_channel_name[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(name, n, TEXTOID, -1, false, TYPALIGN_INT));
}
