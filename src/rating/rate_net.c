/*
 * rate_net.c -- export against import: kWh that cancel kWh before anything is priced
 * In:  the energy of the runs (rate_service.c, after losses), kWh carried in (ctx.credit).
 * Out: runs with what net leaves of it; what is carried on, for rate_account.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (export against import).
 */
#include "rating/fault.h"
#include "rating/net.h"
#include "rating/rate_net.h"

static EbStatus
not_with(const EbRating *rating, const char *what)
{
	eb_fault_set(rating->fault, EB_NOT_SUPPORTED, "kWh cannot be cancelled in this tariff",
				 "Net mode \"billing\" or \"billing_carry\" works on money.");
	return eb_fault_detail(rating->fault, EB_NOT_SUPPORTED, "It has %s.", what);
}

static bool
reads_net(const EbComponent *component)
{
	return component->offset && component->schedule != EB_NONE &&
		   (component->quantity.kind == EB_QTY_IMPORT_KWH ||
			component->quantity.kind == EB_QTY_EXPORT_KWH ||
			component->quantity.kind == EB_QTY_NET_KWH);
}

/* The schedule of the components that net concerns: there must not be two. */
static EbStatus
find_schedule(EbNetCells *net)
{
	const EbTariff *tariff = net->rating->tariff;
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);

	net->schedule = NULL;
	for (int i = 0; i < tariff->component.n; i++)
	{
		if (!reads_net(&component[i]))
			continue;
		if (net->schedule != NULL && net->schedule != &schedule[component[i].schedule])
			return not_with(net->rating, "energy by the periods of two schedules");
		net->schedule = &schedule[component[i].schedule];
	}
	net->rating->net.by_period = net->schedule != NULL;
	net->rating->net.first_slot = net->schedule != NULL ? net->schedule->first_slot : 0;
	net->rating->net.nslots = net->schedule != NULL ? net->schedule->nslots : 1;
	return EB_OK;
}

static EbStatus
find_planes(EbNetCells *net)
{
	EbRating *rating = net->rating;
	const EbPlane *plane = EB_ARRAY(rating->tariff, EbPlane, rating->tariff->plane);
	int export = eb_plane_find(rating->tariff, EB_EXPORT_KWH, EB_NONE);

	if (rating->usage->spare == NULL)
		return eb_fault_set(rating->fault, EB_NOT_SUPPORTED,
							"kWh of export are not set against import here", NULL);
	if (rating->tariff->in_order)
		return not_with(rating, "tiers that are filled in the order of time, or by interval");
	for (int i = 0; i < rating->tariff->plane.n; i++)
		if (plane[i].series != EB_NONE)
			return not_with(rating, "prices that change from instant to instant");
	if (export == EB_NONE || (rating->usage->channels >> EB_EXPORT_KWH & 1) == 0)
	{
		eb_fault_set(rating->fault, EB_UNKNOWN, "the tariff needs a quantity that is not given",
					 "Give it with the usage, 0 too.");
		return eb_fault_detail(rating->fault, EB_UNKNOWN, "It is the quantity \"export_kwh\".");
	}
	net->export_at = eb_plane_at(rating->tariff, export);
	return EB_OK;
}

/* ---------------------------------------------------------------- cancelling */

static bool
sum_slot(const EbRating *rating, int at, int64_t *sum)
{
	*sum = 0;
	for (int i = 0; i < rating->nruns; i++)
		if (rating->run[i].cell != NULL && !eb_add64(*sum, rating->run[i].cell[at], sum))
			return false;
	return true;
}

/* kWh that were imported and exported in the same run, up to *rest of them */
static void
take_own(const EbRating *rating, int at, int export_at, int64_t *rest)
{
	for (int i = 0; i<rating->nruns && * rest> 0; i++)
	{
		int64_t *cell = rating->run[i].cell;
		int64_t own;

		if (cell == NULL)
			continue;
		own = cell[at] < cell[export_at] ? cell[at] : cell[export_at];
		own = own < *rest ? own : *rest;
		if (own <= 0)
			continue;
		cell[at] -= own;
		cell[export_at] -= own;
		*rest -= own;
	}
}

/* rest kWh from the first day on; a negative rest is added to the first run that has cells. */
static bool
take_rest(const EbRating *rating, int at, int64_t rest)
{
	for (int i = 0; i < rating->nruns && rest != 0; i++)
	{
		int64_t *cell = rating->run[i].cell;
		int64_t part = rest;

		if (cell == NULL || (rest > 0 && cell[at] <= 0))
			continue;
		if (rest > 0 && cell[at] < rest)
			part = cell[at];
		if (!eb_add64(cell[at], -part, &cell[at]))
			return false;
		rest -= part;
	}
	return true;
}

static void
clear_slot(const EbRating *rating, int at)
{
	for (int i = 0; i < rating->nruns; i++)
		if (rating->run[i].cell != NULL)
			rating->run[i].cell[at] = 0;
}

/* Import of a period less its export and credit; what is left of these is carried or sold. */
static bool
cancel_period(EbNetCells *net, int which)
{
	EbNetState *state = &net->rating->net;
	int at = state->first_slot + which;
	int export_at = net->export_at + at;
	int64_t need;
	int64_t have;
	int64_t rest;

	if (!sum_slot(net->rating, at, &need) || !sum_slot(net->rating, export_at, &have) ||
		!eb_add64(have, net->credit_u[which], &have))
		return false;
	state->used_u[which] = rest = need < have ? need : have;
	if (!eb_add64(have, -rest, &state->left_u[which]))
		return false;
	take_own(net->rating, at, export_at, &rest);
	return take_rest(net->rating, at, rest) &&
		   (net->rating->tariff->net.mode == EB_NET_ROLLOVER_KWH ||
			take_rest(net->rating, export_at, rest));
}

/* Periods in the order in which they are to be cancelled: those the tariff names, then the rest */
static int
cancel_order(const EbNetCells *net, int *which)
{
	const EbTariff *tariff = net->rating->tariff;
	const int32_t *order = EB_ARRAY(tariff, int32_t, tariff->net.order);
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	uint64_t done = 0;
	int n = 0;

	for (int k = 0; net->schedule != NULL && k < tariff->net.order.n; k++)
		for (int i = 0; i < net->schedule->nslots; i++)
			if (slot[net->schedule->first_slot + i].name == order[k] && (done >> i & 1) == 0)
			{
				which[n++] = i;
				done |= UINT64_C(1) << i;
			}
	for (int i = 0; i < net->rating->net.nslots; i++)
		if ((done >> i & 1) == 0)
			which[n++] = i;
	return n;
}

/* All export and credit cancel import, period after period; the rest is in left_u[0]. */
static bool
cancel_all(EbNetCells *net)
{
	EbNetState *state = &net->rating->net;
	int which[EB_MAX_SLOTS];
	int n = cancel_order(net, which);
	int64_t pool = net->credit_u[0];
	int64_t sum;

	for (int i = 0; i < n; i++)
		if (!sum_slot(net->rating, net->export_at + state->first_slot + i, &sum) ||
			!eb_add64(pool, sum, &pool))
			return false;
	for (int i = 0; i < n; i++)
	{
		int at = state->first_slot + which[i];
		int64_t used;

		if (!sum_slot(net->rating, at, &used))
			return false;
		used = used < 0 ? 0 : used;
		used = used < pool ? used : pool;
		state->used_u[which[i]] = used;
		if (!take_rest(net->rating, at, used))
			return false;
		pool -= used;
	}
	state->left_u[0] = pool;
	return true;
}

/* ---------------------------------------------------------------- cells */

/* Moves all energy of a plane into the first slot, where no period nets alone. */
static bool
fold_slots(const EbRating *rating, int at)
{
	const EbSchedule *first = EB_ARRAY(rating->tariff, EbSchedule, rating->tariff->schedule);
	int n = rating->tariff->schedule.n > 0 ? first->nslots : 1;

	for (int i = 0; i < rating->nruns; i++)
	{
		int64_t *cell = rating->run[i].cell;

		for (int k = 1; cell != NULL && k < n; k++)
		{
			if (!eb_add64(cell[at], cell[at + k], &cell[at]))
				return false;
			cell[at + k] = 0;
		}
	}
	return true;
}

/* Every schedule sorts the same energy: those that do not net get all of it in one slot. */
static bool
tell_other_schedules(const EbNetCells *net, int plane_at, int64_t *total)
{
	const EbRating *rating = net->rating;
	const EbSchedule *schedule = EB_ARRAY(rating->tariff, EbSchedule, rating->tariff->schedule);
	const EbSchedule *own = net->schedule != NULL ? net->schedule : schedule;

	*total = 0;
	for (int i = 0; i < rating->nruns; i++)
	{
		int64_t *cell = rating->run[i].cell;
		int64_t sum = 0;

		if (cell == NULL)
			continue;
		cell += plane_at;
		for (int k = 0; k < rating->net.nslots; k++)
			if (!eb_add64(sum, cell[rating->net.first_slot + k], &sum))
				return false;
		for (int s = 0; s < rating->tariff->schedule.n; s++)
			for (int k = 0; &schedule[s] != own && k < schedule[s].nslots; k++)
				cell[schedule[s].first_slot + k] = k == 0 ? sum : 0;
		if (!eb_add64(*total, sum, total))
			return false;
	}
	return true;
}

static void
keep_gross(EbRating *rating)
{
	const EbUsage *usage = rating->usage;

	memcpy(usage->spare, usage->cell,
		   sizeof(int64_t) * (size_t) usage->nparts * (size_t) usage->ncells);
	for (int i = 0; i < rating->nruns; i++)
		if (rating->run[i].cell != NULL)
			rating->run[i].other = usage->spare + (rating->run[i].cell - usage->cell);
	memcpy(rating->net.other_u, rating->total_u, sizeof(rating->total_u));
}

/* max(0, running net kWh + export - import): what a settlement pays for */
static bool
count_running(EbRating *rating)
{
	EbNetState *state = &rating->net;

	if (!eb_add64(state->running_u, rating->total_u[EB_EXPORT_KWH], &state->running_u) ||
		!eb_add64(state->running_u, -rating->total_u[EB_IMPORT_KWH], &state->running_u))
		return false;
	if (state->running_u < 0)
		state->running_u = 0;
	return true;
}

static bool
cancel(EbNetCells *net)
{
	EbRating *rating = net->rating;
	EbNetMode mode = (EbNetMode) rating->tariff->net.mode;

	if (net->schedule == NULL && (!fold_slots(rating, 0) || !fold_slots(rating, net->export_at)))
		return false;
	if (mode == EB_NET_OFFSET_KWH && !cancel_all(net))
		return false;
	for (int i = 0; mode != EB_NET_OFFSET_KWH && i < rating->net.nslots; i++)
		if (!cancel_period(net, i))
			return false;
	for (int i = 0; mode != EB_NET_ROLLOVER_MONEY && i < rating->net.nslots; i++)
		clear_slot(rating, net->export_at + rating->net.first_slot + i);
	return count_running(rating) && tell_other_schedules(net, 0, &rating->total_u[EB_IMPORT_KWH]) &&
		   tell_other_schedules(net, net->export_at, &rating->total_u[EB_EXPORT_KWH]);
}

EbStatus
eb_net_open(EbRating *rating)
{
	const EbNet *rules = &rating->tariff->net;
	EbNetCells net;
	EbStatus status;

	rating->net.cancels = false;
	status = eb_account_check(rating);
	if (status != EB_OK || !eb_net_mode_cancels((EbNetMode) rules->mode))
		return status;
	net = (EbNetCells){.rating = rating};
	memset(&rating->net, 0, sizeof(rating->net));
	status = find_schedule(&net);
	if (status == EB_OK)
		status = find_planes(&net);
	if (status == EB_OK && net.schedule != NULL && rules->mode != EB_NET_OFFSET_KWH)
		status = eb_need_periods(rating, EB_EXPORT_KWH);
	if (status == EB_OK && eb_net_mode_kwh((EbNetMode) rules->mode))
		status = eb_net_credit(&net);
	if (status != EB_OK)
		return status;
	keep_gross(rating);
	rating->net.cancels = true;
	return cancel(&net) ? EB_OK : eb_overflow(rating->fault, "energy");
}

void
eb_net_show(EbRating *rating, const EbComponent *component)
{
	EbNetState *state = &rating->net;

	if (!state->cancels || state->gross == !component->offset)
		return;
	state->gross = !component->offset;
	for (int i = 0; i < rating->nruns; i++)
	{
		int64_t *shown = rating->run[i].cell;

		rating->run[i].cell = rating->run[i].other;
		rating->run[i].other = shown;
	}
	for (int i = 0; i < EB_NCHANNELS; i++)
	{
		int64_t shown = rating->total_u[i];

		rating->total_u[i] = state->other_u[i];
		state->other_u[i] = shown;
	}
}
