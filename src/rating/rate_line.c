/*
 * rate_line.c -- amounts and lines
 * In:  quantity, price and factors of a line (rate_*.c).
 * Out: EbLine with the exact amount and the rounded one. Order of rounding: quantity (rate_part.c),
 *      price, line; the total last (rate_adjust.c).
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md, doc/architecture.md.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

EbStatus
eb_overflow(EbFault *fault, const char *what)
{
	eb_fault_set(fault, EB_OUT_OF_RANGE, "number is out of range", NULL);
	return eb_fault_detail(fault, EB_OUT_OF_RANGE, "It is the %s.", what);
}

bool
eb_scale128(eb_int128 value, EbRatio ratio, eb_int128 *result)
{
	/* whole and rest apart: rest * num stays below 2^126 */
	eb_int128 whole = value / ratio.den;
	eb_int128 rest = value % ratio.den;

	return eb_mul128(whole, ratio.num, &whole) &&
		   eb_add128(whole, eb_div_round(rest * ratio.num, ratio.den, EB_HALF_UP), result);
}

EbPriceEnv
eb_price_env(const EbRating *rating, int32_t slot, int32_t season)
{
	EbPriceEnv env = {
		.tariff = rating->tariff,
		.attr = rating->ctx->attr,
		.nattrs = rating->ctx->nattrs,
		.period = EB_NONE,
		.season = season,
	};

	if (slot != EB_NONE)
		env.period = EB_ARRAY(rating->tariff, EbSlot, rating->tariff->slot)[slot].name;
	return env;
}

EbStatus
eb_unit_price(const EbRating *rating, int32_t node, int32_t slot, int32_t season, int64_t *price_n)
{
	EbPriceEnv env = eb_price_env(rating, slot, season);

	if (eb_rate_stopped(rating))
		return EB_STOPPED;
	return eb_price_value(&env, node, &rating->tariff->round_price, price_n, rating->fault);
}

static bool
round_money(eb_int128 value, const EbRounding *round, eb_int128 *result)
{
	*result = value;
	if (round->step_n == 0)
		return true;
	return eb_round_step(value, (eb_int128) round->step_n * EB_NANO_MONEY,
						 (EbRoundMode) round->mode, result);
}

EbStatus
eb_apply_factor_if(const EbRating *rating, const EbComponent *component, int32_t factor_if,
				   eb_int128 *amount)
{
	const EbFactorIf *factor;

	if (factor_if == EB_NONE)
		return EB_OK;
	factor = EB_ARRAY(rating->tariff, EbFactorIf, component->factor_if) + factor_if;
	if (eb_scale128(*amount, (EbRatio){factor->factor_n, EB_ONE}, amount) &&
		round_money(*amount, &factor->round, amount))
		return EB_OK;
	return eb_overflow(rating->fault, "amount of a line");
}

int64_t
eb_shown_factor(const EbRating *rating, const EbComponent *component, int32_t factor_if,
				int64_t factor_n)
{
	int64_t product = factor_n;

	if (factor_if != EB_NONE)
		factor_n = EB_ARRAY(rating->tariff, EbFactorIf, component->factor_if)[factor_if].factor_n;
	else
		factor_n = EB_ONE;
	if (!eb_muldiv64(product, factor_n, EB_ONE, &product))
		product = product < 0 ? INT64_MIN : INT64_MAX;
	return product;
}

static int64_t
run_start(const EbRating *rating, int run)
{
	return run == 0 ? rating->from_us : eb_day_start(rating->zone, rating->run[run].day);
}

EbStatus
eb_push_amount(EbRating *rating, EbLine *line, const EbRounding *round)
{
	if (!round_money(line->amount_raw, round, &line->amount))
		return eb_overflow(rating->fault, "amount of a line");
	if (rating->nlines == rating->capacity)
		return EB_NO_SPACE;
	if (eb_rate_stopped(rating))
		return EB_STOPPED;
	rating->line[rating->nlines++] = *line;
	return EB_OK;
}

EbStatus
eb_push_line(EbWork *work, const EbPart *part, const EbDraft *draft)
{
	EbRating *rating = work->rating;
	const EbComponent *component = work->component;
	EbLine line = {
		.component = work->index,
		.slot = draft->slot,
		.tier = draft->tier,
		.unit = draft->unit,
		.quantity_u = draft->quantity_u,
		.price_n = draft->price_n,
		.factor_n = eb_shown_factor(rating, component, part->factor_if, draft->factor_n),
		.amount_raw = (eb_int128) draft->quantity_u * draft->price_n,
		.from_us = run_start(rating, part->first),
		.to_us =
			part->last + 1 == rating->nruns ? rating->to_us : run_start(rating, part->last + 1),
		.quality = work->quality,
		.last_run = part->last,
	};
	EbStatus status;

	if (draft->share.num != draft->share.den &&
		(!eb_muldiv64(line.quantity_u, draft->share.num, draft->share.den, &line.quantity_u) ||
		 !eb_scale128(line.amount_raw, draft->share, &line.amount_raw)))
		return eb_overflow(rating->fault, "amount of a line");
	if (draft->factor_n != EB_ONE &&
		!eb_scale128(line.amount_raw, (EbRatio){draft->factor_n, EB_ONE}, &line.amount_raw))
		return eb_overflow(rating->fault, "amount of a line");
	status = eb_apply_factor_if(rating, component, part->factor_if, &line.amount_raw);
	return status == EB_OK ? eb_push_amount(rating, &line, &component->round) : status;
}
