/*
 * rate_service.c -- the service range of a bill: its runs of days, its months
 * In:  the range of the usage or of ctx, the parts of the usage (usage.h).
 * Out: runs with their season, scopes and energy for rate_part.c; shares of months for
 *      rate_fixed.c and rate_ladder.c.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
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

static EbStatus
add_run(EbRating *rating, int32_t day, int32_t end)
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
	run->day = day;
	run->end = end;
	run->season = eb_season_of(rating->tariff, day);
	run->month = eb_date_from_day(day).month;
	for (int scope = 0; scope < EB_NSCOPES; scope++)
		run->scope_day[scope] = eb_scope_start(rating->tariff, (EbTierScope) scope, day);
	run->energy_ukwh = NULL;
	rating->nruns++;
	return EB_OK;
}

static EbStatus
cut_runs(EbRating *rating)
{
	int32_t day = rating->first_day;

	while (day < rating->end_day)
	{
		int32_t end = eb_part_range(rating->tariff, day).to;
		EbStatus status = add_run(rating, day, end < rating->end_day ? end : rating->end_day);

		if (status != EB_OK)
			return status;
		day = end;
	}
	return EB_OK;
}

static bool
any_energy(const EbUsage *usage, int part)
{
	for (int i = 0; i < usage->nslots; i++)
		if (usage->energy_ukwh[part * usage->nslots + i] != 0)
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
	rating->run[0].energy_ukwh = usage->energy_ukwh;
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

		while (run < rating->nruns && rating->run[run].end <= day)
			run++;
		if (run < rating->nruns && eb_part_range(rating->tariff, rating->run[run].day).from == day)
			rating->run[run].energy_ukwh = &usage->energy_ukwh[part * usage->nslots];
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

/* All energy, by the first schedule: each schedule sorts the same energy */
static bool
sum_import(EbRating *rating, const EbUsage *usage)
{
	const EbSchedule *schedule = EB_ARRAY(rating->tariff, EbSchedule, rating->tariff->schedule);
	int first = rating->tariff->schedule.n > 0 ? schedule->first_slot : 0;
	int n = rating->tariff->schedule.n > 0 ? schedule->nslots : 1;

	rating->import_ukwh = 0;
	for (int part = 0; part < usage->nparts; part++)
		for (int i = first; i < first + n; i++)
			if (!eb_add64(rating->import_ukwh, usage->energy_ukwh[part * usage->nslots + i],
						  &rating->import_ukwh))
				return false;
	return true;
}

static EbStatus
open_range(EbRating *rating, const EbUsage *usage)
{
	bool own = rating->ctx->from_us != INT64_MIN || rating->ctx->to_us != INT64_MIN;

	rating->from_us = own ? rating->ctx->from_us : usage->from_us;
	rating->to_us = own ? rating->ctx->to_us : usage->to_us;
	rating->dated = rating->from_us != INT64_MIN;
	rating->first_day = rating->end_day = 0;
	rating->nruns = 0;
	if (!rating->dated)
	{
		rating->run[rating->nruns++] = (EbRun){.season = EB_NONE};
		return EB_OK;
	}
	if (rating->from_us >= rating->to_us)
		return eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "service range is empty", NULL);
	rating->first_day = eb_local_day(rating->zone, rating->from_us, NULL);
	rating->end_day = eb_local_day(rating->zone, rating->to_us - 1, NULL) + 1;
	if (rating->first_day < EB_DAY_MIN + 366 || rating->end_day > EB_DAY_MAX - 366)
		return eb_fault_set(rating->fault, EB_OUT_OF_RANGE, "service range is out of range", NULL);
	return cut_runs(rating);
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

EbStatus
eb_service_open(EbRating *rating, const EbUsage *usage)
{
	EbStatus status = open_range(rating, usage);

	if (status == EB_OK)
		status = count_days(rating, usage);
	if (status != EB_OK)
		return status;
	rating->quality = usage->missing_s > 0 ? EB_MISSING : usage->quality;
	if (!sum_import(rating, usage))
		return eb_overflow(rating->fault, "energy");
	if (usage->nparts > 0 && usage->part_day[0] == EB_NO_DAY)
		return place_undated(rating, usage);
	return place_dated(rating, usage);
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
