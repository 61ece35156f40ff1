/*
 * rate_service.c -- the service range of a bill: its runs of days, its months
 * In:  the range of the usage or of ctx, the parts of the usage (usage.h).
 * Out: runs with their season, scopes and energy for rate_part.c; shares of months for
 *      rate_fixed.c and rate_ladder.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include <string.h>

#include "rating/fault.h"
#include "rating/rate_state.h"

/* Every length of a month, 28 to 31 days, divides it */
#define MONTH_PARTS 377580

/* A million days: more is a mistake */
#define LONGEST_U INT64_C(1000000000000)

/* The same day of the month n months later, or the last one of a shorter month */
static int32_t
add_months(int32_t day, int n)
{
	EbDate date = eb_date_from_day(day);
	int month = date.year * 12 + date.month - 1 + n;
	int last = eb_month_days(month / 12, month % 12 + 1);

	return eb_day_from_date(month / 12, month % 12 + 1, date.day < last ? date.day : last);
}

/* Months counted from the first day, to the nearest whole number, at least one */
static int32_t
whole_months(int32_t first_day, int32_t end_day)
{
	int n = (end_day - first_day) / 31;
	int32_t from;
	int32_t to;

	/* a month and half of the shortest one: no bill of one month gets here */
	if (end_day - first_day < 28 + 14)
		return 1;
	while (add_months(first_day, n + 1) <= end_day)
		n++;
	from = add_months(first_day, n);
	to = add_months(first_day, n + 1);
	if (2 * (end_day - from) >= to - from)
		n++;
	return n > 0 ? n : 1;
}

EbStatus
eb_need_dates(const EbRating *rating, const char *what)
{
	if (rating->dated)
		return EB_OK;
	eb_fault_set(rating->fault, EB_UNKNOWN, "the tariff needs the dates of the usage",
				 "Give \"during\" with the usage, or in ctx.");
	return eb_fault_detail(rating->fault, EB_UNKNOWN, "They decide %s.", what);
}

EbStatus
eb_need_days(const EbRating *rating)
{
	return rating->days_u > 0 ? EB_OK : eb_need_dates(rating, "the number of days");
}

EbStatus
eb_need_months(const EbRating *rating)
{
	return rating->months_u > 0 ? EB_OK : eb_need_dates(rating, "the number of months");
}

/* The instances of the scopes that hold the last run: mostly the next run is in them too */
typedef struct Scopes
{
	unsigned read; /* bit by scope: tiers or demands ask for it */
	EbDayRange range[EB_NSCOPES];
	EbDayRange month; /* of the calendar */
	int month_of_year;
} Scopes;

static void
open_scopes(const EbTariff *tariff, Scopes *scopes)
{
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	const EbDemand *demand = EB_ARRAY(tariff, EbDemand, tariff->demand);

	scopes->read = 0;
	for (int i = 0; i < tariff->component.n; i++)
		if (component[i].has_tier)
			scopes->read |= 1u << component[i].tier.scope;
	for (int i = 0; i < tariff->demand.n; i++)
		scopes->read |= 1u << demand[i].per;
	for (int scope = 0; scope < EB_NSCOPES; scope++)
		scopes->range[scope] = (EbDayRange){EB_DAY_MIN, INT32_MIN};
	scopes->month.to = INT32_MIN;
	scopes->month_of_year = 0;
}

static EbStatus
add_run(EbRating *rating, Scopes *scopes, int32_t part_day, int32_t day, int32_t end)
{
	EbRun *run = &rating->run[rating->nruns];

	if (rating->nruns == EB_MAX_RUNS)
	{
		eb_fault_set(rating->fault, EB_OUT_OF_RANGE, "service range is too long for one bill",
					 "Rate it year by year.");
		return eb_fault_detail(rating->fault, EB_OUT_OF_RANGE,
							   "Months, seasons and dates cut it into more than %d parts.",
							   EB_MAX_RUNS);
	}
	run->part_day = part_day;
	run->day = day;
	run->end = end;
	run->season = rating->tariff->season.n > 0 ? eb_season_of(rating->tariff, day) : 0;
	if (day >= scopes->month.to)
	{
		EbDate date = eb_date_from_day(day);

		scopes->month_of_year = date.month;
		scopes->month.from = day - date.day + 1;
		scopes->month.to = scopes->month.from + eb_month_days(date.year, date.month);
	}
	run->month = scopes->month_of_year;
	for (int scope = 0; scope < EB_NSCOPES; scope++)
	{
		if ((scopes->read >> scope & 1) != 0 && day >= scopes->range[scope].to)
			scopes->range[scope] = scope == EB_SCOPE_MONTH && rating->tariff->month_day == 1
									   ? scopes->month
									   : eb_scope_range(rating->tariff, (EbTierScope) scope, day);
		run->scope_day[scope] = scopes->range[scope].from;
	}
	run->cell = run->other = NULL;
	rating->nruns++;
	return EB_OK;
}

static EbStatus
cut_runs(EbRating *rating)
{
	int32_t day = rating->first_day;
	Scopes scopes;

	open_scopes(rating->tariff, &scopes);
	while (day < rating->end_day)
	{
		EbDayRange part = eb_part_range(rating->tariff, day);
		int32_t end = part.to;
		EbStatus status;

		if (rating->version != NULL && rating->version->valid_from > day &&
			rating->version->valid_from < end)
			end = rating->version->valid_from;
		if (rating->version != NULL && rating->version->valid_to > day &&
			rating->version->valid_to < end)
			end = rating->version->valid_to;
		status =
			add_run(rating, &scopes, part.from, day, end < rating->end_day ? end : rating->end_day);
		if (status != EB_OK)
			return status;
		day = end;
	}
	return EB_OK;
}

/* Does a part hold anything, in whatever plane? */
static bool
any_energy(const EbUsage *usage, int part)
{
	for (int i = 0; i < usage->ncells; i++)
		if (usage->cell[part * usage->ncells + i] != 0)
			return true;
	return false;
}

/*
 * Energy without dates goes to the first run; rate_part.c refuses what would divide it. Merged
 * with energy that has dates it belongs nowhere.
 */
static EbStatus
place_undated(EbRating *rating, const EbUsage *usage)
{
	if (usage->nparts > 1)
		return eb_fault_set(rating->fault, EB_UNKNOWN, "a part of the usage has no dates",
							"Give \"during\" with every usage that is merged.");
	rating->run[0].cell = usage->cell;
	rating->energy_dated = rating->nruns == 1;
	return EB_OK;
}

/* Both ascend: each part of the usage is the run that began on the same day. */
static EbStatus
place_dated(EbRating *rating, const EbUsage *usage)
{
	int run = 0;

	for (int part = 0; part < usage->nparts; part++)
	{
		int32_t day = usage->part_day[part];

		while (run < rating->nruns && (rating->run[run].end <= day ||
									   (!eb_in_version(rating, rating->run[run].day) &&
										rating->run[run].day < rating->version->valid_from)))
			run++;
		if (run < rating->nruns && rating->run[run].part_day == day)
			rating->run[run].cell = &usage->cell[part * usage->ncells];
		else if (any_energy(usage, part))
		{
			EbDate date = eb_date_from_day(day);

			eb_fault_set(rating->fault, EB_CONFLICT, "usage lies outside the service range",
						 "Make \"during\" in ctx as wide as the usage.");
			return eb_fault_detail(rating->fault, EB_CONFLICT,
								   "There is energy in the days from %04d-%02d-%02d on.", date.year,
								   date.month, date.day);
		}
	}
	rating->energy_dated = true;
	return EB_OK;
}

EbStatus
eb_sum_channels(EbRating *rating)
{
	const EbTariff *tariff = rating->tariff;
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	int n = tariff->schedule.n > 0 ? schedule->nslots : 1;

	memset(rating->total_u, 0, sizeof(rating->total_u));
	if (rating->version != NULL)
		memcpy(rating->total_u, rating->other_u, sizeof(rating->total_u));
	for (int i = 0; i < tariff->plane.n && plane[i].series == EB_NONE; i++)
	{
		int at = eb_plane_at(tariff, i) + (tariff->schedule.n > 0 ? schedule->first_slot : 0);
		int64_t *total_u = &rating->total_u[plane[i].channel];

		for (int run = 0; run < rating->nruns; run++)
			for (int slot = at; slot < at + n && rating->run[run].cell != NULL; slot++)
				if (!eb_add64(*total_u, rating->run[run].cell[slot], total_u))
					return eb_overflow(rating->fault, "energy");
	}
	return EB_OK;
}

/* Takes the runs of the bill before, if this one has the same; false: it may not. */
static bool
take_kept(EbRating *rating)
{
	const EbKeptRuns *kept = rating->ctx->kept;

	if (kept == NULL || kept->nruns == 0 || rating->version != NULL ||
		kept->tariff != rating->tariff || kept->zone != rating->zone ||
		kept->from_us != rating->from_us || kept->to_us != rating->to_us)
		return false;
	rating->first_day = kept->first_day;
	rating->end_day = kept->end_day;
	rating->bill_day = kept->end_day - 1;
	rating->nruns = kept->nruns;
	memcpy(rating->run, kept->run, sizeof(EbRun) * (size_t) kept->nruns);
	return true;
}

static void
keep_runs(const EbRating *rating)
{
	EbKeptRuns *kept = rating->ctx->kept;

	if (kept == NULL || rating->version != NULL || rating->nruns > EB_KEPT_RUNS)
		return;
	kept->tariff = rating->tariff;
	kept->zone = rating->zone;
	kept->from_us = rating->from_us;
	kept->to_us = rating->to_us;
	kept->first_day = rating->first_day;
	kept->end_day = rating->end_day;
	kept->nruns = rating->nruns;
	memcpy(kept->run, rating->run, sizeof(EbRun) * (size_t) kept->nruns);
}

static EbStatus
open_range(EbRating *rating, const EbUsage *usage)
{
	EbStatus status;
	bool own = rating->ctx->from_us != INT64_MIN || rating->ctx->to_us != INT64_MIN;

	rating->from_us = own ? rating->ctx->from_us : usage->from_us;
	rating->to_us = own ? rating->ctx->to_us : usage->to_us;
	rating->dated = rating->from_us != INT64_MIN;
	rating->first_day = rating->end_day = 0;
	rating->bill_day = EB_NO_DAY;
	rating->nruns = 0;
	if (!rating->dated)
	{
		rating->run[rating->nruns++] = (EbRun){.season = EB_NONE};
		return EB_OK;
	}
	if (take_kept(rating))
		return EB_OK;
	if (rating->from_us >= rating->to_us)
		return eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "service range is empty", NULL);
	rating->first_day = eb_local_day(rating->zone, rating->from_us, NULL);
	rating->end_day = eb_local_day(rating->zone, rating->to_us - 1, NULL) + 1;
	if (rating->first_day < EB_DAY_MIN + 366 || rating->end_day > EB_DAY_MAX - 366)
		return eb_fault_set(rating->fault, EB_OUT_OF_RANGE, "service range is out of range", NULL);
	rating->bill_day = rating->end_day - 1;
	status = cut_runs(rating);
	if (status == EB_OK)
		keep_runs(rating);
	return status;
}

/* Days and months as given with the usage, else by the range */
static EbStatus
count_days(EbRating *rating, const EbUsage *usage)
{
	rating->days_u = usage->days_u;
	rating->months_u = usage->months_u;
	rating->months = 0;
	if (rating->days_u < 0 || rating->days_u > LONGEST_U || rating->months_u < 0 ||
		rating->months_u > LONGEST_U)
		return eb_fault_set(rating->fault, EB_OUT_OF_RANGE, "days or months are out of range",
							NULL);
	if (!rating->dated)
		return EB_OK;
	if (rating->days_u == 0)
		rating->days_u = (rating->end_day - rating->first_day) * EB_MICRO;
	if (rating->months_u == 0)
	{
		rating->months = whole_months(rating->first_day, rating->end_day);
		rating->months_u = rating->months * EB_MICRO;
	}
	return EB_OK;
}

static EbStatus
check_service_days(const EbRating *rating)
{
	int64_t days_u = rating->ctx->service_days_u;

	if (days_u == 0 || (days_u > 0 && (rating->days_u == 0 || days_u <= rating->days_u)))
		return EB_OK;
	return eb_fault_set(rating->fault, EB_BAD_ARGUMENT,
						"days in service must be positive and not more than the days of the bill",
						NULL);
}

EbStatus
eb_service_open(EbRating *rating, const EbUsage *usage)
{
	EbStatus status = open_range(rating, usage);

	if (status == EB_OK)
		status = count_days(rating, usage);
	if (status == EB_OK)
		status = check_service_days(rating);
	if (status != EB_OK)
		return status;
	rating->usage = usage;
	rating->quality = usage->missing_s > 0 ? EB_MISSING : usage->quality;
	if (usage->nparts > 0 && usage->part_day[0] == EB_NO_DAY)
		status = place_undated(rating, usage);
	else
		status = place_dated(rating, usage);
	return status == EB_OK ? eb_sum_channels(rating) : status;
}

/* Months from the first service day to day: whole ones, and a part of the one that holds it */
static void
months_until(const EbRating *rating, int32_t day, int *whole, EbRatio *part)
{
	int last = rating->months - 1; /* the last month ends where the service does */
	int n = (day - rating->first_day) / 31;
	int32_t from;
	int32_t to;

	n = n < last ? n : last;
	while (n < last && add_months(rating->first_day, n + 1) <= day)
		n++;
	from = add_months(rating->first_day, n);
	to = n == last ? rating->end_day : add_months(rating->first_day, n + 1);
	*whole = n;
	*part = (EbRatio){day - from, to - from};
}

EbRatio
eb_service_months(const EbRating *rating, int32_t from, int32_t to)
{
	int before;
	int after;
	EbRatio first;
	EbRatio last;

	if (!rating->dated)
		return (EbRatio){rating->months_u, 1000000};
	if (rating->months == 0)
		return (EbRatio){rating->months_u * (to - from),
						 EB_MICRO * (rating->end_day - rating->first_day)};
	months_until(rating, from, &before, &first);
	months_until(rating, to, &after, &last);
	return (EbRatio){(after - before) * first.den * last.den + last.num * first.den -
						 first.num * last.den,
					 first.den * last.den};
}

EbRatio
eb_month_shares(const EbRating *rating, int32_t from, int32_t to)
{
	EbRatio sum = {0, MONTH_PARTS};

	while (from < to)
	{
		EbDayRange month = eb_scope_range(rating->tariff, EB_SCOPE_MONTH, from);
		int32_t end = month.to < to ? month.to : to;

		sum.num += (end - from) * (int64_t) (MONTH_PARTS / (month.to - month.from));
		from = end;
	}
	return sum;
}
