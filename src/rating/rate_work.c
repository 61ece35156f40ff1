/*
 * rate_work.c -- one component in work: what it reads
 * In:  a component, the channels and slots of the usage.
 * Out: EbWork with its unit, its slots, and where their energy lies in a run, for rate_*.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

/* What the prices of a component look at */
typedef struct Reads
{
	unsigned uses;	 /* EB_USES_... */
	uint32_t series; /* bit by index */
} Reads;

static void
read_node(const EbTariff *tariff, int32_t node, Reads *reads)
{
	reads->uses |= eb_price_uses(tariff, node);
	reads->series |= eb_price_series(tariff, node);
}

static void
read_steps(const EbTariff *tariff, EbSlice steps, Reads *reads)
{
	const EbStep *step = EB_ARRAY(tariff, EbStep, steps);

	for (int i = 0; i < steps.n; i++)
	{
		read_node(tariff, step[i].price, reads);
		read_node(tariff, step[i].up_to, reads);
		read_node(tariff, step[i].flat, reads);
		read_steps(tariff, step[i].step, reads);
	}
}

/* Seasons and series; a tariff without them is not searched. */
static void
read_prices(EbWork *work)
{
	const EbTariff *tariff = work->rating->tariff;
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);
	const EbComponent *component = work->component;
	Reads reads = {0, 0};

	work->by_season = work->by_series = false;
	work->day_series = 0;
	if (tariff->season.n == 0 && tariff->series.n == 0)
		return;
	read_node(tariff, component->price, &reads);
	if (component->has_tier)
		read_steps(tariff, component->tier.step, &reads);
	work->by_season = tariff->season.n > 0 && (reads.uses & EB_USES_SEASON) != 0;
	for (int i = 0; i < tariff->series.n; i++)
	{
		if ((reads.series >> i & 1) == 0)
			continue;
		if (series[i].kind == EB_SERIES_DAYS)
			work->day_series |= 1u << i;
		else if (series[i].kind != EB_SERIES_BILL_MONTH)
			work->by_series = true;
	}
}

static bool
names_days(const EbCondition *condition)
{
	return condition->days != 0 || condition->not_days != 0;
}

/* Do its conditions tell one kind of day from another? */
static bool
tells_days(const EbTariff *tariff, const EbComponent *component)
{
	const EbFactorIf *factor = EB_ARRAY(tariff, EbFactorIf, component->factor_if);

	if (!tariff->by_day)
		return false;
	for (int i = 0; i < component->factor_if.n; i++)
		if (names_days(&factor[i].condition))
			return true;
	return component->has_when && names_days(&component->when);
}

/* Are the steps filled bit by bit, so that quantities are rounded afterwards? */
static bool
fills_piecewise(const EbComponent *component)
{
	const EbTier *tier = &component->tier;
	bool in_order = tier->order == EB_ORDER_TIME &&
					(tier->mode == EB_TIER_GRADUATED || tier->mode == EB_TIER_ADDER);

	return component->has_tier &&
		   (in_order || tier->scope == EB_SCOPE_DAY || tier->scope == EB_SCOPE_INTERVAL);
}

static int32_t
line_unit(const EbComponent *component)
{
	switch ((EbPer) component->per)
	{
		case EB_PER_KWH:
			return EB_UNIT_KWH;
		case EB_PER_KVARH:
			return EB_UNIT_KVARH;
		case EB_PER_KW:
			return EB_UNIT_KW;
		case EB_PER_KVA:
			return EB_UNIT_KVA;
		case EB_PER_SESSION:
			return EB_UNIT_SESSION;
		case EB_PER_HOUR:
			return EB_UNIT_HOUR;
		case EB_PER_MINUTE:
			return EB_UNIT_MINUTE;
		case EB_PER_BILL:
			return EB_UNIT_BILL;
		case EB_PER_DAY:
			return EB_UNIT_DAY;
		case EB_PER_MONTH:
			return EB_UNIT_MONTH;
		case EB_PER_UNIT:
			break;
	}
	return EB_UNIT_PIECE;
}

void
eb_work_init(EbWork *work, EbRating *rating, int32_t index)
{
	const EbTariff *tariff = rating->tariff;
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component) + index;

	work->rating = rating;
	work->component = component;
	work->index = index;
	work->unit = line_unit(component);
	work->quality = EB_ACTUAL;
	read_prices(work);
	work->by_kind_of_day = tells_days(tariff, component);
	work->piecewise = false;
	work->plane_at = work->less_at = EB_NONE;
	work->nslots = 0;
	work->stretch_end = 0;
	work->first = 0;
	work->end = rating->nruns;
	work->days = rating->end_day - rating->first_day;
	work->days_u = rating->days_u;
	work->months_u = rating->months_u;
	work->before_all_u = 0;
	work->used_u = 0;
	work->share = (EbRatio){1, 1};
}

/* Where the channel's energy lies in a run; EB_NONE: the tariff keeps none, so there is none */
static EbStatus
channel_at(const EbRating *rating, EbChannel channel, int32_t *at)
{
	int plane = eb_plane_find(rating->tariff, channel, EB_NONE);

	*at = plane == EB_NONE ? EB_NONE : eb_plane_at(rating->tariff, plane);
	return eb_need_channel(rating, channel);
}

EbStatus
eb_work_energy(EbWork *work)
{
	const EbTariff *tariff = work->rating->tariff;
	const EbComponent *component = work->component;
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	bool net = component->quantity.kind == EB_QTY_NET_KWH;
	EbChannel channel = net ? EB_IMPORT_KWH : (EbChannel) component->quantity.kind;
	EbStatus status = channel_at(work->rating, channel, &work->plane_at);

	if (status == EB_OK && net)
		status = channel_at(work->rating, EB_EXPORT_KWH, &work->less_at);
	work->piecewise = fills_piecewise(component);
	work->unit = channel >= EB_IMPORT_KVARH ? EB_UNIT_KVARH : EB_UNIT_KWH;
	work->quality = work->rating->quality;
	work->nslots = 1;
	work->slot[0] = EB_NONE;
	if (component->schedule == EB_NONE)
		return status;
	if (status == EB_OK)
		status = eb_need_periods(work->rating, channel);
	if (status == EB_OK && net)
		status = eb_need_periods(work->rating, EB_EXPORT_KWH);
	schedule += component->schedule;
	work->nslots = 0;
	for (int i = schedule->first_slot; i < schedule->first_slot + schedule->nslots; i++)
		if (component->slots >> i & 1)
			work->slot[work->nslots++] = i;
	return status;
}

/* The slots of the tariff that slot which of the work adds up */
static void
slot_range(const EbWork *work, int which, int *from, int *n)
{
	const EbTariff *tariff = work->rating->tariff;
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);

	*from = work->slot[which];
	*n = 1;
	if (*from != EB_NONE)
		return;
	/* every schedule sorts the same energy: the first will do */
	*from = tariff->schedule.n > 0 ? schedule->first_slot : 0;
	*n = tariff->schedule.n > 0 ? schedule->nslots : 1;
}

bool
eb_run_energy(const EbWork *work, const EbRun *run, int which, int64_t *sum_u)
{
	int from;
	int n;

	if (run->cell == NULL)
		return true;
	slot_range(work, which, &from, &n);
	for (int i = from; i < from + n; i++)
	{
		if (work->plane_at != EB_NONE && !eb_add64(*sum_u, run->cell[work->plane_at + i], sum_u))
			return false;
		if (work->less_at != EB_NONE &&
			__builtin_sub_overflow(*sum_u, run->cell[work->less_at + i], sum_u))
			return false;
	}
	return true;
}

bool
eb_slot_money(const EbWork *work, const EbRun *run, int plane_at, int which, eb_int128 *sum)
{
	int from;
	int n;

	slot_range(work, which, &from, &n);
	for (int i = from; i < from + n; i++)
		if (!eb_add128(*sum, eb_money_cells(&run->cell[plane_at + 2 * i]), sum))
			return false;
	return true;
}
