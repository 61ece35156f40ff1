/*
 * transformer.c -- what a transformer between the user and the meter uses up
 * In:  active and reactive energy of a bill, the plate of the transformer.
 * Out: kWh of iron and copper loss for rate_loss.c and transformer_loss().
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (losses).
 */
#include "rating/transformer.h"

#include "base/wide.h"

/* 1e-9 kW x 1e-9 h is 1e-18 kWh: this many make 1e-6 kWh */
#define IRON_DEN INT64_C(1000000000000)

/* 1e-9 x 1e-9 kW x 1e-12 kWh^2 over 1e-12 kVA^2 x 1e-9 h, in 1e-6 kWh */
#define COPPER_DEN 1000

static eb_uint128
square(int64_t value)
{
	eb_uint128 magnitude = value < 0 ? -(eb_uint128) value : (eb_uint128) value;

	return magnitude * magnitude;
}

/* The copper loss as an exact quotient, in 1e-6 kWh; the divisor stays below 2^199 */
static void
copper(const EbTransformer *transformer, EbWide *num, EbWide *den)
{
	eb_uint128 factor = (eb_uint128) transformer->k_n * (eb_uint128) transformer->load_n;
	eb_uint128 apparent = square(transformer->active_ukwh) + square(transformer->reactive_ukvarh);
	eb_uint128 time = (eb_uint128) transformer->hours_n * COPPER_DEN;

	*num = eb_wide_mul(factor, apparent);
	*den = eb_wide_mul(square(transformer->kva_u), time);
}

/* What rest / den + part / IRON_DEN, below 2, is rounded half-up: 0, 1 or 2 */
static bool
round_up(EbWide rest, EbWide den, eb_uint128 part, int *up)
{
	EbWide twice;
	EbWide more;

	*up = 0;
	if (!eb_wide_scale(rest, 2 * IRON_DEN, &twice) || !eb_wide_scale(den, 2 * part, &more) ||
		!eb_wide_add(twice, more, &twice) || !eb_wide_scale(den, IRON_DEN, &den))
		return false;
	for (eb_uint128 halves = 1; halves <= 3; halves += 2)
	{
		if (!eb_wide_scale(den, halves, &more))
			return false;
		*up += eb_wide_compare(twice, more) >= 0;
	}
	return true;
}

bool
eb_transformer_loss(const EbTransformer *transformer, int64_t *loss_ukwh)
{
	eb_uint128 iron = (eb_uint128) transformer->no_load_n * (eb_uint128) transformer->hours_n;
	EbWide num;
	EbWide den;
	EbWide whole;
	EbWide rest;
	eb_uint128 sum;
	int up;

	copper(transformer, &num, &den);
	eb_wide_divide(num, den, &whole, &rest);
	if (whole.high != 0 || whole.low > (eb_uint128) INT64_MAX ||
		!round_up(rest, den, iron % IRON_DEN, &up))
		return false;
	sum = whole.low + iron / IRON_DEN + (eb_uint128) up;
	*loss_ukwh = (int64_t) sum;
	return sum <= (eb_uint128) INT64_MAX;
}
