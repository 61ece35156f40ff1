/*
 * rate_loss.c -- losses between the meter and where energy is billed
 * In:  the losses of a tariff, import energy by run and period, the kvarh, attributes.
 * Out: the same cells (and pieces, and energy x price) with the losses in them: what is rated,
 *      and what conditions look at, is the energy with its losses. Demand stays as measured.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (losses).
 */
#include "rating/fault.h"
#include "rating/rate_state.h"
#include "rating/transformer.h"

#define HOUR_US (3600 * EB_SECOND_US)

/* Parts of a sum that is scaled: each by the running total, so that they add up to the result */
typedef struct Scale
{
	int64_t from_u; /* what the parts add up to, not 0 */
	int64_t to_u;	/* ... and are to */
	int64_t taken_u;
	int64_t given_u;
} Scale;

static bool
scale_next(Scale *scale, int64_t part_u, int64_t *result_u)
{
	int64_t num;
	int64_t until_u;

	if (!eb_add64(scale->taken_u, part_u, &scale->taken_u))
		return false;
	num = scale->from_u < 0 ? -scale->taken_u : scale->taken_u;
	if (!eb_muldiv64(scale->to_u, num, scale->from_u < 0 ? -scale->from_u : scale->from_u,
					 &until_u) ||
		__builtin_sub_overflow(until_u, scale->given_u, result_u))
		return false;
	scale->given_u = until_u;
	return true;
}

static EbStatus
overflow(const EbRating *rating)
{
	return eb_overflow(rating->fault, "energy with its losses");
}

/* ---------------------------------------------------------------- where the energy lies */

/* Slots of schedule i; a tariff without schedules has one for all energy */
static void
slots_of(const EbTariff *tariff, int i, int *from, int *n)
{
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);

	*from = tariff->schedule.n > 0 ? schedule[i].first_slot : 0;
	*n = tariff->schedule.n > 0 ? schedule[i].nslots : 1;
}

static int
count_schedules(const EbTariff *tariff)
{
	return tariff->schedule.n > 0 ? tariff->schedule.n : 1;
}

static bool
sum_run(const EbTariff *tariff, const EbRun *run, int64_t *sum_u)
{
	int from;
	int n;

	*sum_u = 0;
	slots_of(tariff, 0, &from, &n);
	for (int i = from; i < from + n && run->cell != NULL; i++)
		if (!eb_add64(*sum_u, run->cell[i], sum_u))
			return false;
	return true;
}

/* All schedules sort the same energy: each of them gets the same sum again. */
static bool
scale_run(const EbTariff *tariff, const EbRun *run, int64_t from_u, int64_t to_u)
{
	for (int s = 0; s < count_schedules(tariff); s++)
	{
		Scale scale = {from_u, to_u, 0, 0};
		int from;
		int n;

		slots_of(tariff, s, &from, &n);
		for (int i = from; i < from + n; i++)
			if (!scale_next(&scale, run->cell[i], &run->cell[i]))
				return false;
	}
	return true;
}

static bool
scale_cells(EbRating *rating, int64_t from_u, int64_t to_u)
{
	Scale scale = {from_u, to_u, 0, 0};

	for (int i = 0; i < rating->nruns; i++)
	{
		const EbRun *run = &rating->run[i];
		int64_t sum_u;
		int64_t wanted_u;

		if (run->cell == NULL)
			continue;
		if (!sum_run(rating->tariff, run, &sum_u) || !scale_next(&scale, sum_u, &wanted_u))
			return false;
		/* corrections that cancel each other in a run leave nothing to scale */
		if (sum_u != 0 && !scale_run(rating->tariff, run, sum_u, wanted_u))
			return false;
	}
	return true;
}

/* ---------------------------------------------------------------- pieces, money, no energy */

static bool
sum_pieces(const EbUsage *usage, int64_t *sum_u)
{
	*sum_u = 0;
	for (int i = 0; i < usage->npieces; i++)
		if (!eb_add64(*sum_u, usage->piece[i].energy_ukwh, sum_u))
			return false;
	return true;
}

/* Adds to the cell of each schedule that an instant lies in. */
static bool
add_to_cells(const EbRating *rating, const EbRun *run, const EbSegment *segment, int64_t more_u)
{
	for (int s = 0; s < count_schedules(rating->tariff); s++)
	{
		int64_t *cell = &run->cell[segment->slot[s]];

		if (!eb_add64(*cell, more_u, cell))
			return false;
	}
	return true;
}

/* Where energy is known in order of time, its pieces are scaled and the cells follow them. */
static EbStatus
scale_pieces(EbRating *rating, int64_t from_u, int64_t to_u)
{
	Scale scale = {from_u, to_u, 0, 0};
	EbSegment segment = {.from_us = INT64_MIN, .to_us = INT64_MIN};
	int run = 0;

	for (int i = 0; i < rating->usage->npieces; i++)
	{
		EbPiece *piece = &rating->usage->piece[i];
		int64_t before_u = piece->energy_ukwh;

		if (piece->at_us < segment.from_us || piece->at_us >= segment.to_us)
		{
			EbStatus status = eb_piece_place(rating, piece->at_us, &segment, &run);

			if (status != EB_OK)
				return status;
		}
		if (run == rating->nruns || rating->run[run].cell == NULL)
			return eb_fault_set(rating->fault, EB_CONFLICT,
								"usage has energy in order of time outside its own days", NULL);
		if (!scale_next(&scale, before_u, &piece->energy_ukwh) ||
			!add_to_cells(rating, &rating->run[run], &segment, piece->energy_ukwh - before_u))
			return overflow(rating);
	}
	return EB_OK;
}

/* Energy x price of the import channel grows as the energy does, half-up at 1e-15. */
static EbStatus
scale_money(EbRating *rating, int64_t from_u, int64_t to_u)
{
	const EbTariff *tariff = rating->tariff;
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);
	EbRatio ratio = {from_u < 0 ? -to_u : to_u, from_u < 0 ? -from_u : from_u};

	for (int p = 0; p < tariff->plane.n; p++)
	{
		int at = eb_plane_at(tariff, p);

		if (plane[p].series == EB_NONE || plane[p].channel != EB_IMPORT_KWH)
			continue;
		for (int i = 0; i < rating->nruns; i++)
			for (int slot = 0; slot < eb_tariff_slots(tariff) && rating->run[i].cell; slot++)
			{
				int64_t *cell = &rating->run[i].cell[at + 2 * slot];
				eb_int128 money = eb_money_cells(cell);
				eb_int128 scaled;

				if (!eb_scale128(money, ratio, &scaled) || !eb_money_add(cell, scaled - money))
					return overflow(rating);
			}
	}
	return EB_OK;
}

static bool
has_money(const EbTariff *tariff)
{
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);

	for (int p = 0; p < tariff->plane.n; p++)
		if (plane[p].series != EB_NONE && plane[p].channel == EB_IMPORT_KWH)
			return true;
	return false;
}

/* Can a loss be spread over the time of the service range? Not where energy cancels out. */
static bool
is_empty(const EbRating *rating)
{
	bool any = false;

	for (int i = 0; i < rating->nruns; i++)
	{
		if (rating->run[i].cell == NULL)
			continue;
		any = true;
		for (int slot = 0; slot < eb_tariff_slots(rating->tariff); slot++)
			if (rating->run[i].cell[slot] != 0)
				return false;
	}
	return any && rating->dated && rating->usage->npieces == 0 && !has_money(rating->tariff);
}

/* A transformer loses energy though nobody uses any: as much in each hour. */
static EbStatus
spread_by_time(EbRating *rating, int64_t to_u)
{
	int64_t total_us = 0;
	int64_t at_us = rating->from_us;

	while (at_us < rating->to_us)
	{
		EbSegment segment;
		int64_t end_us;
		int run;
		EbStatus status = eb_piece_place(rating, at_us, &segment, &run);

		if (status != EB_OK)
			return status;
		end_us = segment.to_us < rating->to_us ? segment.to_us : rating->to_us;
		if (run < rating->nruns && rating->run[run].cell != NULL)
		{
			add_to_cells(rating, &rating->run[run], &segment, end_us - at_us);
			total_us += end_us - at_us;
		}
		at_us = end_us;
	}
	return scale_cells(rating, total_us, to_u) ? EB_OK : overflow(rating);
}

static EbStatus
bring_to(EbRating *rating, int64_t from_u, int64_t to_u)
{
	int64_t pieces_u;
	EbStatus status = EB_OK;

	if (from_u == to_u)
		return EB_OK;
	if (from_u == 0 && is_empty(rating))
		return spread_by_time(rating, to_u);
	if (from_u == 0)
	{
		eb_fault_set(rating->fault, EB_UNKNOWN, "there is no energy to add a loss to",
					 "Give the periods or the dates of the usage, 0 kWh too.");
		return EB_UNKNOWN;
	}
	if (!sum_pieces(rating->usage, &pieces_u))
		return overflow(rating);
	if (rating->usage->npieces > 0 && pieces_u == from_u)
		status = scale_pieces(rating, from_u, to_u);
	else if (!scale_cells(rating, from_u, to_u))
		status = overflow(rating);
	return status == EB_OK ? scale_money(rating, from_u, to_u) : status;
}

/* ---------------------------------------------------------------- how much is lost */

/* Hours of the loss, 1e-9: as named, else those of the bill, an hour more or less with the clock */
static EbStatus
hours_of(const EbRating *rating, const EbLoss *loss, int64_t *hours_n)
{
	*hours_n = loss->hours_n;
	if (*hours_n != 0)
		return EB_OK;
	if (rating->dated && eb_muldiv64(rating->to_us - rating->from_us, EB_ONE, HOUR_US, hours_n))
		return EB_OK;
	if (!rating->dated && rating->days_u > 0 && eb_mul64(rating->days_u, 24 * 1000, hours_n))
		return EB_OK;
	return rating->dated ? overflow(rating)
						 : eb_need_dates(rating, "the hours of a transformer loss");
}

/* Rated power that a loss goes by, 1e-6 kVA: not below 0 when something is taken off */
static EbStatus
kva_of(const EbRating *rating, const EbLoss *loss, int64_t *kva_u)
{
	int64_t minus_u = 0;
	EbStatus status = eb_quantity_value(rating, &loss->kva, kva_u);

	if (status == EB_OK && loss->has_minus)
		status = eb_quantity_value(rating, &loss->minus, &minus_u);
	if (status != EB_OK)
		return status;
	if (*kva_u < 0 || minus_u < 0)
		return eb_fault_set(rating->fault, EB_BAD_ARGUMENT,
							"capacity of a transformer must not be negative", NULL);
	*kva_u = *kva_u > minus_u ? *kva_u - minus_u : 0;
	return EB_OK;
}

/* kVA x hours x factor */
static EbStatus
constant_loss(const EbRating *rating, const EbLoss *loss, int64_t *lost_u)
{
	int64_t hours_n;
	int64_t kva_u;
	eb_int128 product;
	EbStatus status = hours_of(rating, loss, &hours_n);

	if (status == EB_OK)
		status = kva_of(rating, loss, &kva_u);
	if (status != EB_OK)
		return status;
	if (!eb_mul128((eb_int128) kva_u * hours_n, loss->factor_n, &product))
		return overflow(rating);
	product = eb_div_round(product, (eb_int128) EB_ONE * EB_ONE, EB_HALF_UP);
	if (product < INT64_MIN || product > INT64_MAX)
		return overflow(rating);
	*lost_u = (int64_t) product;
	return EB_OK;
}

/* By the current that active and reactive energy draw: transformer.h */
static EbStatus
copper_loss(const EbRating *rating, const EbLoss *loss, int64_t *lost_u)
{
	EbTransformer transformer = {
		.active_ukwh = rating->total_u[EB_IMPORT_KWH],
		.reactive_ukvarh = rating->total_u[EB_IMPORT_KVARH],
		.load_n = loss->load_kw_n,
		.k_n = loss->k_n,
	};
	EbStatus status = eb_need_channel(rating, EB_IMPORT_KVARH);

	if (status == EB_OK)
		status = hours_of(rating, loss, &transformer.hours_n);
	if (status == EB_OK)
		status = kva_of(rating, loss, &transformer.kva_u);
	if (status != EB_OK)
		return status;
	if (transformer.kva_u == 0 || transformer.hours_n <= 0)
		return eb_fault_set(rating->fault, EB_BAD_ARGUMENT,
							"capacity of a transformer must be positive", NULL);
	return eb_transformer_loss(&transformer, lost_u) ? EB_OK : overflow(rating);
}

/* A loss is never above its cap, nor, when it is deducted, above the reading. */
static bool
limit_loss(const EbLoss *loss, int64_t reading_u, int64_t *lost_u)
{
	int64_t most_u = reading_u < 0 ? 0 : reading_u;
	int64_t cap_u;

	if (loss->has_cap)
	{
		if (!eb_muldiv64(most_u, loss->cap_pct_n, EB_HUNDRED_PERCENT, &cap_u))
			return false;
		if (*lost_u > cap_u)
			*lost_u = cap_u;
	}
	if (loss->sign < 0 && *lost_u > most_u)
		*lost_u = most_u;
	return true;
}

/* What the reading becomes with the loss, 1e-6 kWh */
static EbStatus
with_loss(const EbRating *rating, const EbLoss *loss, int64_t reading_u, int64_t *result_u)
{
	int64_t lost_u = 0;
	bool fits = true;
	EbStatus status = EB_OK;

	switch ((EbLossKind) loss->kind)
	{
		case EB_LOSS_FACTOR:
			return eb_muldiv64(reading_u, loss->factor_n, EB_ONE, result_u) ? EB_OK
																			: overflow(rating);
		case EB_LOSS_PERCENT:
			fits = eb_muldiv64(reading_u, loss->percent_n, EB_HUNDRED_PERCENT, &lost_u);
			break;
		case EB_LOSS_CONSTANT:
			status = constant_loss(rating, loss, &lost_u);
			break;
		case EB_LOSS_COPPER:
			status = copper_loss(rating, loss, &lost_u);
			break;
	}
	if (status != EB_OK)
		return status;
	if (!fits || !limit_loss(loss, reading_u, &lost_u) ||
		!eb_add64(reading_u, loss->sign < 0 ? -lost_u : lost_u, result_u))
		return overflow(rating);
	return EB_OK;
}

EbStatus
eb_loss_apply(EbRating *rating)
{
	const EbLoss *loss = EB_ARRAY(rating->tariff, EbLoss, rating->tariff->loss);
	EbStatus status = EB_OK;

	for (int i = 0; i < rating->tariff->loss.n && status == EB_OK; i++)
	{
		int64_t reading_u = rating->total_u[EB_IMPORT_KWH];
		int64_t billed_u = 0;

		status = with_loss(rating, &loss[i], reading_u, &billed_u);
		if (status == EB_OK)
			status = bring_to(rating, reading_u, billed_u);
		if (status == EB_OK)
			status = eb_sum_channels(rating);
	}
	return status;
}
