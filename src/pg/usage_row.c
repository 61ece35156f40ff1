/*
 * usage_row.c -- the rows of usage(), register_usage() and compare()
 * In:  arguments of a transition function, in any of its forms.
 * Out: rows for usage_sum.c, checked.
 * Floor: pg.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/range.h"
#include "pg/step.h"
#include "pg/tariff_channel.h"
#include "pg/usage_class.h"
#include "pg/usage_row.h"
#include "pg/zone.h"

EbUsageArgs
eb_pg_usage_args(FunctionCallInfo fcinfo, int nrow)
{
	EbUsageArgs args = {.tariff = 1, .first = 2};

	if (OidIsValid(get_element_type(get_fn_expr_argtype(fcinfo->flinfo, 1))) &&
		get_fn_expr_argtype(fcinfo->flinfo, 2) == INT4OID)
		args.no = args.first++;
	args.short_wh = get_fn_expr_argtype(fcinfo->flinfo, args.first + 1) == INT4OID;
	for (int i = args.first + nrow; i < PG_NARGS(); i++)
	{
		Oid type = get_fn_expr_argtype(fcinfo->flinfo, i);

		if (type == TEXTOID)
			args.channel = i;
		else if (type == NUMERICOID)
			args.price = i;
		else if (type == JSONBOID)
			args.ctx = i;
		else
			args.profile = i;
	}
	return args;
}

Datum
eb_pg_usage_pass_over(FunctionCallInfo fcinfo)
{
	eb_pg_aggcontext(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

EbChannel
eb_pg_usage_channel(FunctionCallInfo fcinfo, const EbUsageArgs *args)
{
	text *name;

	if (args->channel == 0)
		return EB_IMPORT_KWH;
	name = PG_GETARG_TEXT_PP(args->channel);
	for (int i = 0; i < EB_NCHANNELS; i++)
		if (strlen(eb_pg_channel_name[i]) == VARSIZE_ANY_EXHDR(name) &&
			memcmp(eb_pg_channel_name[i], VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)) == 0)
			return (EbChannel) i;
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
					errmsg("there is no channel \"%.*s\"",
						   pg_mbcliplen(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), 64),
						   VARDATA_ANY(name)),
					errhint("Channels are import, export, import_kvarh and export_kvarh.")));
}

/* A row of that energy without its time */
static EbUsageRow
make_row(FunctionCallInfo fcinfo, const EbUsageArgs *args, int64 energy_ukwh)
{
	EbUsageRow row = {.energy_ukwh = energy_ukwh, .price_n = EB_NO_PRICE};

	row.channel = eb_pg_usage_channel(fcinfo, args);
	if (args->price != 0 && !PG_ARGISNULL(args->price))
		row.price_n = eb_pg_price(PG_GETARG_DATUM(args->price), "price");
	if (energy_ukwh < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("energy of an interval must not be negative"),
						errhint("Export is a quantity of its own; a correction is a reading.")));
	return row;
}

EbUsageRow
eb_pg_usage_step_row(FunctionCallInfo fcinfo, const EbUsageArgs *args, const EbZone *zone)
{
	int64 energy_wh = eb_pg_usage_row_wh(fcinfo, args);
	int64 from_us = eb_pg_instant(PG_GETARG_TIMESTAMPTZ(args->first), "start of an interval");
	int64 to_us = eb_pg_step_end(zone, from_us, PG_GETARG_INTERVAL_P(args->first + 2));
	int64 energy_ukwh;
	EbUsageRow row;

	if (!eb_mul64(energy_wh, EB_WH, &energy_ukwh))
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("energy is out of range"),
						errdetail("The value is " INT64_FORMAT " Wh.", energy_wh)));
	row = make_row(fcinfo, args, energy_ukwh);
	row.from_us = from_us;
	row.to_us = to_us;
	return row;
}

EbUsageRow
eb_pg_usage_range_row(FunctionCallInfo fcinfo, const EbUsageArgs *args)
{
	int64 from_us;
	int64 to_us;
	EbUsageRow row;

	eb_pg_range(PG_GETARG_RANGE_P(args->first), "interval", &from_us, &to_us);
	if (to_us - from_us > EB_MAX_STEP_US)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("interval must be at most 32 days long"),
				 errhint("Longer differences of a register are for register_usage().")));
	row = make_row(fcinfo, args, eb_pg_energy(PG_GETARG_DATUM(args->first + 1), "kwh"));
	row.from_us = from_us;
	row.to_us = to_us;
	return row;
}
