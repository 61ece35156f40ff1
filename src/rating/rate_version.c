/*
 * rate_version.c -- a bill in which the tariff changes
 * In:  the versions of a tariff, the usage of each (EbUsage.sub).
 * Out: the lines of each version for its days, in order of the versions; one bill.
 * Every version is rated over the whole service range, its components valid on its own days only.
 * So days, months, seasons and tier scopes mean the same as in a tariff whose components change.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (version change).
 */
#include <string.h>

#include "rating/fault.h"
#include "rating/rate_state.h"
#include "rating/tariff_json.h"

static bool
same_text(const EbTariff *a, EbSlice text_a, const EbTariff *b, EbSlice text_b)
{
	return text_a.n == text_b.n &&
		   memcmp(EB_ARRAY(a, char, text_a), EB_ARRAY(b, char, text_b), (size_t) text_a.n) == 0;
}

static const EbVersion *
version_at(const EbRateContext *ctx, int index)
{
	return EB_ARRAY(ctx->bill_tariff, EbVersion, ctx->bill_tariff->version) + index;
}

/* Which part of the bill's range a version prices; from >= to: none */
static EbDayRange
days_of(const EbRating *rating, const EbVersion *version)
{
	return (EbDayRange){
		version->valid_from > rating->first_day ? version->valid_from : rating->first_day,
		version->valid_to < rating->end_day ? version->valid_to : rating->end_day,
	};
}

/* Does any day of the bill lie in the version? */
static bool
has_days(const EbRating *rating, int index)
{
	EbDayRange days = days_of(rating, version_at(rating->ctx, index));

	return days.from < days.to;
}

/* ---------------------------------------------------------------- what other versions used */

/* Energy of n slots of a plane in the parts of a usage that begin on the days */
static bool
add_slots(const EbUsage *usage, int at, int n, EbDayRange days, int64_t *sum_u)
{
	for (int part = 0; part < usage->nparts; part++)
	{
		const int64_t *cell = usage->cell + part * usage->ncells + at;

		if (usage->part_day[part] < days.from || usage->part_day[part] >= days.to)
			continue;
		for (int i = 0; i < n; i++)
			if (!eb_add64(*sum_u, cell[i], sum_u))
				return false;
	}
	return true;
}

/* All energy of a plane: every schedule sorts the same, the first will do. */
static bool
add_plane(const EbTariff *tariff, const EbUsage *usage, int plane, EbDayRange days, int64_t *sum_u)
{
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	int n = tariff->schedule.n > 0 ? schedule->nslots : 1;

	return add_slots(usage, eb_plane_at(tariff, plane), n, days, sum_u);
}

/* What conditions see of the whole bill beside the version's own days */
static EbStatus
read_others(EbRating *one, const EbRating *bill)
{
	const EbRateContext *ctx = bill->ctx;

	for (int i = 0; i < ctx->bill_tariff->version.n; i++)
	{
		const EbVersion *version = version_at(ctx, i);
		const EbTariff *tariff = eb_version_tariff(ctx->bill_tariff, version);

		if (version == one->version || !has_days(bill, i))
			continue;
		for (int channel = 0; channel < EB_NCHANNELS; channel++)
		{
			int plane = eb_plane_find(tariff, (EbChannel) channel, EB_NONE);

			if (plane == EB_NONE)
				one->other_lacks |= 1u << channel;
			else if (!add_plane(tariff, &ctx->bill_usage->sub[i], plane,
								(EbDayRange){INT32_MIN, INT32_MAX}, &one->other_u[channel]))
				return eb_overflow(bill->fault, "energy");
		}
	}
	return EB_OK;
}

/* ---------------------------------------------------------------- tiers that count on */

static EbStatus
cannot_count_on(const EbRating *rating, const char *message)
{
	return eb_fault_set(rating->fault, EB_NOT_SUPPORTED, message,
						"Bill up to the day of the change and from it on.");
}

/*
 * The slot of another version that is slot which of the work: its period in the schedule of the
 * same name, or in the only one
 */
static int
slot_in(const EbTariff *other, const EbWork *work, int which)
{
	const EbTariff *tariff = work->rating->tariff;
	const EbSchedule *own = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbSlice *name = EB_ARRAY(tariff, EbSlice, tariff->period_name);
	const EbSchedule *schedule = EB_ARRAY(other, EbSchedule, other->schedule);
	const EbSlot *other_slot = EB_ARRAY(other, EbSlot, other->slot);
	const EbSlice *other_name = EB_ARRAY(other, EbSlice, other->period_name);

	for (int s = 0; s < other->schedule.n; s++)
	{
		int end = schedule[s].first_slot + schedule[s].nslots;

		if (other->schedule.n > 1 &&
			!same_text(other, schedule[s].name, tariff, own[work->component->schedule].name))
			continue;
		for (int i = schedule[s].first_slot; i < end; i++)
			if (same_text(other, other_name[other_slot[i].name], tariff,
						  name[slot[work->slot[which]].name]))
				return i;
	}
	return EB_NONE;
}

/* Do all periods of the schedule fill one counter, so that it does not matter which it was? */
static bool
counts_together(const EbWork *work)
{
	const EbTariff *tariff = work->rating->tariff;
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);

	if (work->component->schedule == EB_NONE)
		return true;
	return work->component->tier.order != EB_ORDER_PER_PERIOD &&
		   work->nslots == schedule[work->component->schedule].nslots;
}

/* Adds what another version used on the days to the counters of the work. */
static EbStatus
count_other(EbWork *work, const EbTariff *other, const EbUsage *usage, EbDayRange days)
{
	const EbRating *rating = work->rating;
	int plane = eb_plane_find(other, (EbChannel) work->component->quantity.kind, EB_NONE);
	bool fits = true;

	if (plane == EB_NONE)
		return cannot_count_on(rating, "a tier counts energy that an earlier version does not");
	if (counts_together(work))
		fits = add_plane(other, usage, plane, days, &work->before_all_u);
	for (int i = 0; !counts_together(work) && i < work->nslots && fits; i++)
	{
		int slot = slot_in(other, work, i);

		if (slot == EB_NONE)
			return cannot_count_on(rating, "a tier counts a period that an earlier version lacks");
		fits = add_slots(usage, eb_plane_at(other, plane) + slot, 1, days, &work->before_u[i]);
	}
	return fits ? EB_OK : eb_overflow(rating->fault, "energy used before");
}

/*
 * Does the `when` of the component in work hold on the days of another version's part? They must be
 * alike: energy inside a part is not known by days.
 */
static EbStatus
counts_part(const EbWork *work, const EbVersion *version, int32_t part_day, bool *counts)
{
	const EbRating *rating = work->rating;
	EbDayRange days = eb_part_range(eb_version_tariff(rating->ctx->bill_tariff, version), part_day);
	bool first = true;

	*counts = true;
	for (int i = 0; i < rating->nruns && work->component->has_when; i++)
	{
		const EbRun *run = &rating->run[i];
		bool holds;
		EbStatus status;

		if (run->end <= days.from || run->day >= days.to || run->end <= version->valid_from ||
			run->day >= version->valid_to)
			continue;
		status = eb_component_when(rating, work->component, run, &holds);
		if (status != EB_OK)
			return status;
		if (!first && holds != *counts)
			return cannot_count_on(
				rating, "a tier counts days that an earlier version does not tell apart");
		*counts = holds;
		first = false;
	}
	return EB_OK;
}

/* Adds the parts of another version that begin on the days, as far as `when` counts them. */
static EbStatus
count_parts(EbWork *work, int index, EbDayRange days)
{
	const EbRateContext *ctx = work->rating->ctx;
	const EbVersion *version = version_at(ctx, index);
	const EbUsage *usage = &ctx->bill_usage->sub[index];
	EbStatus status = EB_OK;

	for (int part = 0; part < usage->nparts && status == EB_OK; part++)
	{
		int32_t day = usage->part_day[part];
		bool counts;

		if (day < days.from || day >= days.to)
			continue;
		status = counts_part(work, version, day, &counts);
		if (status == EB_OK && counts)
			status = count_other(work, eb_version_tariff(ctx->bill_tariff, version), usage,
								 (EbDayRange){day, day + 1});
	}
	return status;
}

/* Does the version begin or end inside the instance in work? */
static bool
changes_inside(const EbWork *work)
{
	const EbVersion *version = work->rating->version;
	int32_t from = work->rating->run[work->first].day;
	int32_t to = work->rating->run[work->end - 1].end;

	return (version->valid_from > from && version->valid_from < to) ||
		   (version->valid_to > from && version->valid_to < to);
}

/*
 * The counters of a tier scope at the first day of the version: what earlier versions used in the
 * instance. Parts begin where instances do, so none of them lies across.
 */
EbStatus
eb_version_before(EbWork *work, EbTierScope scope)
{
	EbRating *rating = work->rating;
	const EbRateContext *ctx = rating->ctx;
	EbSplit split = (EbSplit) work->component->tier.split;
	EbDayRange earlier = {rating->run[work->first].scope_day[scope], rating->version->valid_from};
	EbStatus status = EB_OK;

	if (scope == EB_SCOPE_DAY || scope == EB_SCOPE_INTERVAL || !changes_inside(work))
		return EB_OK;
	if (split == EB_SPLIT_START || split == EB_SPLIT_END)
		return cannot_count_on(
			rating, "the tariff changes inside a tier scope that is split \"start\" or \"end\"");
	if (rating->run[work->first].day >= rating->version->valid_from)
		return EB_OK;
	if (split == EB_SPLIT_DAYS)
	{
		/* what was used before belongs to the part of the version that rated the first day */
		eb_forget_before(work);
		return EB_OK;
	}
	if (work->component->quantity.kind > EB_QTY_EXPORT_KVARH)
		return cannot_count_on(rating,
							   "the tariff changes inside a tier scope that counts net_kwh");
	for (int i = 0; version_at(ctx, i) != rating->version && status == EB_OK; i++)
	{
		const EbVersion *version = version_at(ctx, i);

		if (has_days(rating, i) && version->valid_to > earlier.from)
			status = count_parts(work, i, earlier);
	}
	return status;
}

/* ---------------------------------------------------------------- one bill of all lines */

/* Amounts of earlier versions' lines whose component, found by its code, is in the base */
EbStatus
eb_version_base(const EbRating *rating, const bool *in_base, eb_int128 *sum)
{
	const EbComponent *own = EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component);

	for (int i = 0; rating->version != NULL && i < rating->nearlier; i++)
	{
		const EbLine *line = &rating->earlier[i];
		const EbTariff *other =
			eb_version_tariff(rating->ctx->bill_tariff, version_at(rating->ctx, line->version));
		const EbComponent *component = EB_ARRAY(other, EbComponent, other->component);

		if (line->component == EB_NONE)
			continue;
		for (int j = 0; j < rating->tariff->component.n; j++)
			if (in_base[j] &&
				same_text(other, component[line->component].code, rating->tariff, own[j].code) &&
				!eb_add128(*sum, line->amount, sum))
				return eb_overflow(rating->fault, "base of a minimum or maximum");
	}
	return EB_OK;
}

static bool
has_limit_incl(const EbTariff *tariff)
{
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);

	for (int i = 0; i < tariff->component.n; i++)
		if (component[i].amount_incl != EB_NONE && component[i].min_scope != EB_MIN_SESSION)
			return true;
	return false;
}

/* What needs the whole bill: export that is carried, losses that do not follow the energy, ... */
static EbStatus
check_version(const EbRating *rating, const EbTariff *tariff)
{
	const EbLoss *loss = EB_ARRAY(tariff, EbLoss, tariff->loss);
	const char *what = NULL;

	for (int i = 0; i < tariff->loss.n; i++)
		if (loss[i].kind == EB_LOSS_CONSTANT || loss[i].kind == EB_LOSS_COPPER)
			what = "losses that do not depend on the energy alone";
	if (has_limit_incl(tariff))
		what = "a minimum or maximum with tax";
	if (tariff->net.mode != EB_NET_NONE && tariff->net.mode != EB_NET_BILLING &&
		tariff->net.mode != EB_NET_BUY_ALL_SELL_ALL)
		what = "net metering with credits";
	if (what == NULL)
		return EB_OK;
	eb_fault_set(rating->fault, EB_NOT_SUPPORTED, "such a tariff cannot change inside a bill",
				 "Bill up to the day of the change and from it on.");
	return eb_fault_detail(rating->fault, EB_NOT_SUPPORTED, "It has %s.", what);
}

/* One version in work, before anything is rated; usage: that of its days, with the whole bill's */
static void
open_version(EbRating *one, EbUsage *usage, const EbRating *bill, int index)
{
	const EbRateContext *ctx = bill->ctx;

	*usage = ctx->bill_usage->sub[index];
	usage->days_u = ctx->bill_usage->days_u;
	usage->months_u = ctx->bill_usage->months_u;
	one->version = version_at(ctx, index);
	one->tariff = eb_version_tariff(ctx->bill_tariff, one->version);
	one->zone = bill->zone;
	one->ctx = ctx;
	one->fault = bill->fault;
	one->earlier = bill->line;
	one->nearlier = bill->nlines;
	one->line = bill->line + bill->nlines;
	one->capacity = bill->capacity - bill->nlines;
	one->nlines = 0;
	one->other_lacks = 0;
	memset(one->other_u, 0, sizeof(one->other_u));
}

/* Each version needs the energy of all the others with its losses, so they come first. */
static EbStatus
prepare_version(const EbRating *bill, int index)
{
	EbDayRange days = days_of(bill, version_at(bill->ctx, index));
	bool alone = days.from == bill->first_day && days.to == bill->end_day;
	EbRating one;
	EbUsage usage;
	EbStatus status = EB_OK;

	open_version(&one, &usage, bill, index);
	if (!alone)
		status = check_version(bill, one.tariff);
	if (status != EB_OK || one.tariff->loss.n == 0)
		return status;
	status = eb_service_open(&one, &usage);
	return status == EB_OK ? eb_loss_apply(&one) : status;
}

static EbStatus
rate_version(EbRating *bill, int index)
{
	EbRating one;
	EbUsage usage;
	EbStatus status;

	open_version(&one, &usage, bill, index);
	one.last_version = one.version->valid_to >= bill->end_day;
	status = read_others(&one, bill);
	if (status == EB_OK)
		status = eb_rate_bill(&one, &usage);
	for (int i = 0; i < one.nlines; i++)
		one.line[i].version = index;
	bill->nlines += one.nlines;
	return status;
}

/* The days of the bill; each of them must have a version. */
static EbStatus
open_bill(EbRating *rating, const EbUsage *whole, EbRateContext *ctx)
{
	const EbTariff *tariff = rating->tariff;

	*ctx = *rating->ctx;
	if (ctx->from_us == INT64_MIN && ctx->to_us == INT64_MIN)
	{
		ctx->from_us = whole->from_us;
		ctx->to_us = whole->to_us;
	}
	if (ctx->from_us == INT64_MIN || ctx->to_us == INT64_MIN)
		return eb_fault_set(rating->fault, EB_UNKNOWN,
							"a tariff that changes needs the dates of the usage",
							"Give \"during\" with the usage, or in ctx.");
	if (ctx->from_us >= ctx->to_us)
		return eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "service range is empty", NULL);
	ctx->bill_tariff = tariff;
	ctx->bill_usage = whole;
	rating->ctx = ctx;
	rating->first_day = eb_local_day(rating->zone, ctx->from_us, NULL);
	rating->end_day = eb_local_day(rating->zone, ctx->to_us - 1, NULL) + 1;
	if (whole->nsub == tariff->version.n && version_at(ctx, 0)->valid_from <= rating->first_day &&
		version_at(ctx, tariff->version.n - 1)->valid_to >= rating->end_day)
		return EB_OK;
	if (whole->nsub != tariff->version.n)
		return eb_usage_conflict(rating->fault);
	return eb_fault_set(rating->fault, EB_UNKNOWN,
						"the tariff has no version for all days of the bill",
						"tariff_for() takes the days of the bill.");
}

EbStatus
eb_rate_versions(EbRating *rating, const EbUsage *whole)
{
	EbRateContext ctx;
	EbStatus status = open_bill(rating, whole, &ctx);

	for (int i = 0; i < rating->tariff->version.n && status == EB_OK; i++)
		if (has_days(rating, i))
			status = prepare_version(rating, i);
	for (int i = 0; i < rating->tariff->version.n && status == EB_OK; i++)
		if (has_days(rating, i))
			status = rate_version(rating, i);
	return status;
}
