/*
 * usage.c -- energy summed by part and period
 * In:  intervals with their energy (src/pg/usage_agg.c), differences of registers (register.c).
 * Out: EbUsage for rate.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#include <string.h>

#include "rating/fault.h"
#include "rating/usage.h"

EbStatus
eb_usage_overflow(EbFault *fault)
{
	return eb_fault_set(fault, EB_OUT_OF_RANGE, "energy is out of range",
						"A sum must stay below 9223372036854 kWh.");
}

EbStatus
eb_usage_conflict(EbFault *fault)
{
	return eb_fault_set(fault, EB_CONFLICT, "usage was classified by different tariffs",
						"Sum all of it with the tariff it is to be rated by.");
}

int
eb_plane_at(const EbTariff *tariff, int plane)
{
	const EbPlane *planes = EB_ARRAY(tariff, EbPlane, tariff->plane);
	int at = 0;

	for (int i = 0; i < plane; i++)
		at += (planes[i].series == EB_NONE ? 1 : 2) * eb_tariff_slots(tariff);
	return at;
}

int
eb_usage_cells(const EbTariff *tariff)
{
	return eb_plane_at(tariff, tariff->plane.n);
}

bool
eb_money_add(int64_t *cell, eb_int128 amount)
{
	eb_int128 sum = eb_money_cells(cell) + amount;
	eb_int128 high = sum / EB_MONEY_LOW - (sum % EB_MONEY_LOW < 0 ? 1 : 0);

	if (high < INT64_MIN || high > INT64_MAX)
		return false;
	cell[0] = (int64_t) high;
	cell[1] = (int64_t) (sum - high * EB_MONEY_LOW);
	return true;
}

int64_t
eb_spread_take(EbSpread *spread, int64_t end_us)
{
	int64_t until = spread->energy_ukwh;
	int64_t piece;

	/* a share is never larger than the whole, so it fits */
	if (end_us < spread->to_us)
		until = (int64_t) eb_div_round((eb_int128) spread->energy_ukwh * (end_us - spread->from_us),
									   spread->to_us - spread->from_us, EB_HALF_UP);
	piece = until - spread->done_ukwh;
	spread->done_ukwh = until;
	spread->at_us = end_us;
	return piece;
}
