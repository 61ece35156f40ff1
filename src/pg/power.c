/*
 * power.c -- demand, power factor and transformer losses for those who have numbers but no tariff
 * In:  numeric values and arrays.
 * Out: ratchet(), power_factor(), pf_adjust(), transformer_loss(); by the rules of rate().
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "rating/power_factor.h"
#include "rating/ratchet.h"
#include "rating/transformer.h"

#define MAX_PEAKS 1200 /* a hundred years of months */

static pg_attribute_noreturn() void raise_overflow(const char *what)
{
	ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT), errmsg("%s is out of range", what)));
}

static void
refuse_negative(int64 value, const char *what)
{
	if (value < 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must not be negative", what)));
}

static void
refuse_negatives(const int64 *value, int n, const char *what)
{
	for (int i = 0; i < n; i++)
		if (value[i] < 0)
			ereport(ERROR,
					(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("%s must not be negative", what),
					 errdetail("Element %d is.", i + 1)));
}

static int64
read_energy(Datum value, const char *what)
{
	int64 energy_u = eb_pg_energy(value, what);

	refuse_negative(energy_u, what);
	return energy_u;
}

/* A number of nine decimals from 0 on */
static int64
read_plain(Datum value, const char *what)
{
	int64 value_n = eb_pg_price(value, what);

	refuse_negative(value_n, what);
	return value_n;
}

PG_FUNCTION_INFO_V1(elecbill_power_ratchet);
Datum
elecbill_power_ratchet(PG_FUNCTION_ARGS)
{
	int npeaks;
	int npercents;
	int64 *peak_ukw =
		eb_pg_int64_array(PG_GETARG_ARRAYTYPE_P(0), EB_ENERGY_SCALE, "peaks", MAX_PEAKS, &npeaks);
	int64 *percent_n = eb_pg_int64_array(PG_GETARG_ARRAYTYPE_P(1), EB_PRICE_SCALE, "percent",
										 MAX_PEAKS, &npercents);
	int32 lookback = PG_GETARG_INT32(2);
	int64 floor_ukw = read_energy(PG_GETARG_DATUM(3), "floor");
	int64 current_n = read_plain(PG_GETARG_DATUM(4), "current percentage");
	int64 billing_ukw;

	refuse_negatives(peak_ukw, npeaks, "peaks");
	refuse_negatives(percent_n, npercents, "percent");
	refuse_negative(lookback, "lookback");
	if (npeaks == 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("peaks must not be empty"),
						errhint("The last one is that of this month.")));
	if (npeaks != npercents)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("every peak needs the percentage of its month"),
						errdetail("There are %d peaks and %d percentages.", npeaks, npercents)));
	if (!eb_ratchet(peak_ukw, percent_n, npeaks, lookback, floor_ukw, current_n, &billing_ukw))
		raise_overflow("billing demand");
	return eb_pg_numeric(billing_ukw, EB_ENERGY_SCALE, 0);
}

PG_FUNCTION_INFO_V1(elecbill_power_factor);
Datum
elecbill_power_factor(PG_FUNCTION_ARGS)
{
	int64 active_u = read_energy(PG_GETARG_DATUM(0), "active energy");
	int64 reactive_u = read_energy(PG_GETARG_DATUM(1), "reactive energy");

	if (active_u == 0 && reactive_u == 0)
		PG_RETURN_NULL();
	return eb_pg_numeric(eb_power_factor(active_u, reactive_u), 2, 2);
}

PG_FUNCTION_INFO_V1(elecbill_power_adjust);
Datum
elecbill_power_adjust(PG_FUNCTION_ARGS)
{
	int64 pf_n = read_plain(PG_GETARG_DATUM(0), "power factor");
	EbPfTable table = eb_pf_cn_table(eb_pg_price(PG_GETARG_DATUM(1), "standard"));
	int64 hundredths;

	if (pf_n > EB_ONE)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("power factor must not be above 1")));
	if (table == EB_PF_CN)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("there is no such standard"),
						errhint("It is 0.90, 0.85 or 0.80.")));
	hundredths = (int64) eb_div_round(pf_n, EB_ONE / EB_PF_ONE, EB_HALF_UP);
	return eb_pg_numeric(eb_pf_cn_percent(table, (int) hundredths), EB_PRICE_SCALE, 2);
}

PG_FUNCTION_INFO_V1(elecbill_power_transformer_loss);
Datum
elecbill_power_transformer_loss(PG_FUNCTION_ARGS)
{
	EbTransformer transformer = {
		.active_ukwh = read_energy(PG_GETARG_DATUM(0), "active energy"),
		.reactive_ukvarh = read_energy(PG_GETARG_DATUM(1), "reactive energy"),
		.kva_u = read_energy(PG_GETARG_DATUM(2), "kva"),
		.hours_n = read_plain(PG_GETARG_DATUM(3), "hours"),
		.no_load_n = read_plain(PG_GETARG_DATUM(4), "no-load loss"),
		.load_n = read_plain(PG_GETARG_DATUM(5), "load loss"),
		.k_n = read_plain(PG_GETARG_DATUM(6), "k"),
	};
	int64 loss_ukwh;

	if (transformer.kva_u == 0 || transformer.hours_n == 0)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("%s must be positive", transformer.kva_u == 0 ? "kva" : "hours")));
	if (!eb_transformer_loss(&transformer, &loss_ukwh))
		raise_overflow("loss");
	return eb_pg_numeric(loss_ukwh, EB_ENERGY_SCALE, 0);
}
