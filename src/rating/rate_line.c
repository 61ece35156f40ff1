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

static int64_t
common_divisor(int64_t a, int64_t b)
{
	while (b != 0)
	{
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a < 0 ? -a : a;
}

EbRatio
eb_ratio_shorten(EbRatio ratio)
{
	int64_t divisor = common_divisor(ratio.num, ratio.den);

	return (EbRatio){ratio.num / divisor, ratio.den / divisor};
}

bool
eb_ratio_times(EbRatio a, EbRatio b, EbRatio *product)
{
	EbRatio left = eb_ratio_shorten((EbRatio){a.num, b.den});
	EbRatio right = eb_ratio_shorten((EbRatio){b.num, a.den});

	return eb_mul64(left.num, right.num, &product->num) &&
		   eb_mul64(left.den, right.den, &product->den);
}

static EbPriceEnv
price_env(const EbRating *rating, int32_t slot, int32_t season, int32_t day)
{
	EbPriceEnv env = {
		.tariff = rating->tariff,
		.attr = rating->ctx->attr,
		.nattrs = rating->ctx->nattrs,
		.period = EB_NONE,
		.season = season,
		.day = day,
		.bill_day = rating->bill_day,
	};

	if (slot != EB_NONE)
		env.period = EB_ARRAY(rating->tariff, EbSlot, rating->tariff->slot)[slot].name;
	return env;
}

EbPriceEnv
eb_price_env(const EbRating *rating, int32_t slot, int32_t season)
{
	return price_env(rating, slot, season, EB_NO_DAY);
}

EbPriceEnv
eb_run_env(const EbRating *rating, int32_t slot, const EbRun *run)
{
	return price_env(rating, slot, run->season, rating->dated ? run->day : EB_NO_DAY);
}

EbPriceEnv
eb_part_env(const EbRating *rating, int32_t slot, const EbPart *part)
{
	return price_env(rating, slot, part->season, part->day);
}

EbStatus
eb_part_price(const EbWork *work, const EbPart *part, int32_t node, int32_t slot, int64_t *price_n)
{
	const EbRating *rating = work->rating;
	EbPriceEnv env = eb_part_env(rating, slot, part);

	if (eb_rate_stopped(rating))
		return EB_STOPPED;
	return eb_price_value(&env, node, &rating->tariff->round_price, price_n, rating->fault);
}

/* To a multiple of step; most amounts and steps fit 64 bits, where dividing is quick. */
static bool
round_step(eb_int128 value, eb_int128 step, EbRoundMode mode, eb_int128 *result)
{
	int64_t small = (int64_t) value;
	int64_t by = (int64_t) step;
	int64_t rest;

	if (mode != EB_HALF_UP || small != value || by != step || by > INT64_MAX / 4 ||
		small > INT64_MAX / 2 || small < -INT64_MAX / 2)
		return eb_round_step(value, step, mode, result);
	rest = small % by;
	small -= rest;
	if (2 * rest >= by)
		small += by;
	else if (-2 * rest >= by)
		small -= by;
	*result = small;
	return true;
}

static bool
round_money(eb_int128 value, const EbRounding *round, eb_int128 *result)
{
	*result = value;
	if (round->step_n == 0)
		return true;
	return round_step(value, (eb_int128) round->step_n * EB_NANO_MONEY, (EbRoundMode) round->mode,
					  result);
}

bool
eb_round_micro(const EbRounding *round, int64_t *value_u)
{
	eb_int128 rounded;

	if (round->step_n == 0)
		return true;
	if (!eb_round_step((eb_int128) *value_u * 1000, round->step_n, (EbRoundMode) round->mode,
					   &rounded))
		return false;
	rounded = eb_div_round(rounded, 1000, EB_HALF_UP);
	*value_u = (int64_t) rounded;
	return rounded >= INT64_MIN && rounded <= INT64_MAX;
}

EbStatus
eb_round_quantity(const EbRating *rating, int64_t *quantity_u)
{
	return eb_round_micro(&rating->tariff->round_quantity, quantity_u)
			   ? EB_OK
			   : eb_overflow(rating->fault, "energy");
}

/* NULL: none holds */
static const EbFactorIf *
factor_at(const EbRating *rating, const EbComponent *component, int32_t factor_if)
{
	const EbFactorIf *factor = EB_ARRAY(rating->tariff, EbFactorIf, component->factor_if);

	return factor_if == EB_NONE ? NULL : &factor[factor_if];
}

/* amount x ratios, which are one ratio as far as 64 bits hold it, so that it is rounded once */
static bool
scale_amount(eb_int128 *amount, const EbRatio *ratio, int n)
{
	EbRatio product = {1, 1};

	for (int i = 0; i < n; i++)
	{
		EbRatio before = product;
		EbRatio next = ratio[i];

		if (next.num == next.den)
			continue;
		if (before.num == before.den)
			product = next;
		else if (!eb_ratio_times(eb_ratio_shorten(before), eb_ratio_shorten(next), &product))
		{
			if (!eb_scale128(*amount, before, amount))
				return false;
			product = next;
		}
	}
	return product.num == product.den || eb_scale128(*amount, product, amount);
}

EbStatus
eb_apply_factors(const EbRating *rating, const EbComponent *component, int32_t factor_if,
				 EbRatio share, EbRatio step, eb_int128 *amount)
{
	const EbFactorIf *factor = factor_at(rating, component, factor_if);
	EbRatio ratio[] = {share, step, {factor != NULL ? factor->factor_n : EB_ONE, EB_ONE}};

	if (scale_amount(amount, ratio, 3) &&
		(factor == NULL || round_money(*amount, &factor->round, amount)))
		return EB_OK;
	return eb_overflow(rating->fault, "amount of a line");
}

EbStatus
eb_apply_factor_if(const EbRating *rating, const EbComponent *component, int32_t factor_if,
				   eb_int128 *amount)
{
	const EbRatio one = {1, 1};

	return eb_apply_factors(rating, component, factor_if, one, one, amount);
}

int64_t
eb_shown_factor(const EbRating *rating, const EbComponent *component, int32_t factor_if,
				int64_t factor_n)
{
	const EbFactorIf *factor = factor_at(rating, component, factor_if);
	int64_t product;

	if (factor == NULL)
		return factor_n;
	if (!eb_muldiv64(factor_n, factor->factor_n, EB_ONE, &product))
		product = factor_n < 0 ? INT64_MIN : INT64_MAX;
	return product;
}

static int64_t
run_start(const EbRating *rating, int run)
{
	return run == 0 ? rating->from_us : eb_day_start(rating->zone, rating->run[run].day);
}

/* Rounds the line, which stands behind the last one, and counts it. */
static EbStatus
close_line(EbRating *rating, EbLine *line, const EbRounding *round)
{
	if (!round_money(line->amount_raw, round, &line->amount))
		return eb_overflow(rating->fault, "amount of a line");
	if (eb_rate_stopped(rating))
		return EB_STOPPED;
	rating->nlines++;
	return EB_OK;
}

EbStatus
eb_push_amount(EbRating *rating, const EbLine *line, const EbRounding *round)
{
	if (rating->nlines == rating->capacity)
		return EB_NO_SPACE;
	rating->line[rating->nlines] = *line;
	return close_line(rating, &rating->line[rating->nlines], round);
}

/* The average price of an amount, in 1e-9; of nothing it is the price as it stands */
static int64_t
average_price(eb_int128 amount, int64_t quantity_u, int64_t price_n)
{
	if (quantity_u == 0)
		return price_n;
	if (quantity_u < 0)
		amount = -amount;
	amount =
		eb_div_round(amount, quantity_u < 0 ? -(eb_int128) quantity_u : quantity_u, EB_HALF_UP);
	if (amount < INT64_MIN || amount > INT64_MAX)
		return amount < 0 ? INT64_MIN : INT64_MAX;
	return (int64_t) amount;
}

/* Quantity x price and what series add, before shares and factors; credit is negative */
static bool
line_amount(const EbWork *work, const EbDraft *draft, EbLine *line)
{
	line->amount_raw = (eb_int128) draft->quantity_u * draft->price_n;
	if (draft->extra != 0 && !eb_add128(line->amount_raw, draft->extra, &line->amount_raw))
		return false;
	if (draft->averaged)
		line->price_n = average_price(line->amount_raw, line->quantity_u, line->price_n);
	if (work->component->kind != EB_KIND_CREDIT)
		return true;
	if (line->price_n == INT64_MIN || !eb_mul128(line->amount_raw, -1, &line->amount_raw))
		return false;
	line->price_n = -line->price_n;
	return true;
}

EbStatus
eb_push_line(EbWork *work, const EbPart *part, const EbDraft *draft)
{
	EbRating *rating = work->rating;
	const EbComponent *component = work->component;
	EbRatio share = draft->share.num != draft->share.den ? draft->share : work->share;
	EbLine *line = &rating->line[rating->nlines];
	EbStatus status = EB_OK;

	if (rating->nlines == rating->capacity)
		return EB_NO_SPACE;
	*line = (EbLine){
		.component = work->index,
		.role = EB_LINE_COMPONENT,
		.version = EB_NONE,
		.slot = draft->slot,
		.tier = draft->tier,
		.unit = draft->unit,
		.quantity_u = draft->quantity_u,
		.price_n = draft->price_n,
		.factor_n = eb_shown_factor(rating, component, part->factor_if, draft->factor_n),
		.amount_raw = 0,
		.amount = 0,
		.from_us = run_start(rating, part->first),
		.to_us =
			part->last + 1 == rating->nruns ? rating->to_us : run_start(rating, part->last + 1),
		.quality = work->quality,
		.last_run = part->last,
	};
	if (!line_amount(work, draft, line) ||
		(share.num != share.den &&
		 !eb_muldiv64(line->quantity_u, share.num, share.den, &line->quantity_u)))
		return eb_overflow(rating->fault, "amount of a line");
	/* most lines have none */
	if (part->factor_if != EB_NONE || share.num != share.den || draft->factor_n != EB_ONE)
		status = eb_apply_factors(rating, component, part->factor_if, share,
								  (EbRatio){draft->factor_n, EB_ONE}, &line->amount_raw);
	return status == EB_OK ? close_line(rating, line, &component->round) : status;
}

/* Money cells of a series over the runs of the part, in 1e-15 */
static EbStatus
series_money(const EbWork *work, const EbPart *part, int which, int series, eb_int128 *money)
{
	const EbRating *rating = work->rating;
	bool net = work->component->quantity.kind == EB_QTY_NET_KWH;
	int channel = net ? EB_IMPORT_KWH : work->component->quantity.kind;

	*money = 0;
	for (int way = 0; way < (net ? 2 : 1); way++)
	{
		int plane =
			eb_plane_find(rating->tariff, (EbChannel) (way == 0 ? channel : EB_EXPORT_KWH), series);
		eb_int128 sum = 0;

		if (plane == EB_NONE)
			return eb_fault_set(rating->fault, EB_UNKNOWN,
								"usage was not summed with the prices of a series",
								"Sum it with the tariff it is to be rated by.");
		for (int run = part->first; run <= part->last; run++)
			if (eb_part_has(part, run) && rating->run[run].cell != NULL &&
				!eb_slot_money(work, &rating->run[run], eb_plane_at(rating->tariff, plane), which,
							   &sum))
				return eb_overflow(rating->fault, "energy times price of a series");
		if (!eb_add128(*money, way == 0 ? sum : -sum, money))
			return eb_overflow(rating->fault, "energy times price of a series");
	}
	return EB_OK;
}

/* What the series of a price add to constant x quantity: exact, then half-up once at 1e-15 */
static EbStatus
add_series(const EbWork *work, const EbPart *part, int which, const EbLinear *linear,
		   EbDraft *draft)
{
	eb_int128 sum = 0;

	for (int i = 0; i < linear->nterms; i++)
	{
		eb_int128 money;
		EbStatus status = series_money(work, part, which, linear->term[i].series, &money);

		if (status != EB_OK)
			return status;
		if (!eb_mul128(money, linear->term[i].factor_n, &money) || !eb_add128(sum, money, &sum))
			return eb_overflow(work->rating->fault, "energy times price of a series");
	}
	draft->extra = eb_div_round(sum, EB_ONE, EB_HALF_UP);
	draft->averaged = linear->nterms > 0;
	return EB_OK;
}

/* The price of a draft whose series are summed */
static EbStatus
price_by_series(const EbWork *work, const EbPart *part, int which, EbDraft *draft)
{
	const EbRating *rating = work->rating;
	EbPriceEnv env = eb_part_env(rating, draft->slot, part);
	EbLinear linear;
	EbStatus status = eb_price_linear(&env, work->component->price, &rating->tariff->round_price,
									  &linear, rating->fault);

	draft->price_n = linear.constant_n;
	return status == EB_OK ? add_series(work, part, which, &linear, draft) : status;
}

EbStatus
eb_push_base(EbWork *work, const EbPart *part, int which, int64_t quantity_u, bool nothing_too)
{
	EbDraft draft = EB_DRAFT_INIT;
	EbStatus status;

	if (eb_rate_stopped(work->rating))
		return EB_STOPPED;
	if (quantity_u == 0 && !work->by_series && !nothing_too)
		return EB_OK;
	draft.slot = work->slot[which];
	draft.unit = work->unit;
	draft.quantity_u = quantity_u;
	status = work->by_series
				 ? price_by_series(work, part, which, &draft)
				 : eb_part_price(work, part, work->component->price, draft.slot, &draft.price_n);
	if (status != EB_OK || (quantity_u == 0 && draft.extra == 0 && !nothing_too))
		return status;
	return eb_push_line(work, part, &draft);
}
