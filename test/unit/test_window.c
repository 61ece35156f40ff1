/*
 * test_window.c -- the highest windows of demands, against a slow reading of the rules
 * Random loads of import and reactive energy with gaps, in random order, split among workers that
 * are merged in random order, over days on which clocks change. The oracle knows no bucket, no
 * table and no pruning: it looks at every window, asks every interval for its share, and sorts.
 */
#include "check.h"
#include "kit_json.h"
#include "kit_memory.h"
#include "kit_random.h"
#include "rating/peak.h"
#include "rating/usage_sum.h"

#define CASES 2000
#define HOUR_US (60 * EB_MINUTE_US)
#define MOST_ROWS 200
#define MOST_WINDOWS 8000

/* ---------------------------------------------------------------- by hand */

static void
test_power(void)
{
	int64_t u = 0;

	/* 2.5 kWh in a quarter of an hour are 10 kW */
	CHECK(eb_window_power(2500000, 15, &u) && u == 10000000);
	CHECK(eb_window_power(1, 1440, &u) && u == 0);
	CHECK(eb_window_power(12, 1440, &u) && u == 1); /* exactly a half goes up */
	CHECK(!eb_window_power(INT64_MAX, 1, &u));
	/* 3 and 4 make 5; in an hour and in a quarter */
	CHECK(eb_window_apparent(3000000, 4000000, 60, &u) && u == 5000000);
	CHECK(eb_window_apparent(3000000, 4000000, 15, &u) && u == 20000000);
	CHECK(eb_window_apparent(0, 0, 15, &u) && u == 0);
	CHECK(eb_window_apparent(7, 0, 60, &u) && u == 7);
	CHECK(eb_window_apparent(1, 1, 60, &u) && u == 1); /* 1.414 */
	CHECK(eb_window_apparent(2, 2, 60, &u) && u == 3); /* 2.828 */
	CHECK(eb_window_apparent(1000000, 1000000, 60, &u) && u == 1414214);
	CHECK(eb_window_apparent(INT64_C(1) << 55, INT64_C(1) << 55, 60, &u));
	/* 2^55 x 1.41421356237309504880 */
	CHECK_INT(u, INT64_C(50952413380206181));
	CHECK(eb_window_apparent(INT64_C(1) << 55, INT64_C(1) << 55, 1, &u) &&
		  u == INT64_C(3057144802812370831));
	CHECK(!eb_window_apparent((INT64_C(1) << 55) + 1, 0, 60, &u));
}

/* ---------------------------------------------------------------- zones */

static const EbZoneSpan utc[] = {{INT64_MIN, 0}};

/* London, March and October 2026: an hour is lost and comes twice */
static const EbZoneSpan london[] = {{INT64_MIN, 0},
									{INT64_C(9584) * EB_DAY_US + HOUR_US, 3600},
									{INT64_C(9794) * EB_DAY_US + HOUR_US, 0}};

/* Lord Howe, October 2026: half an hour is lost, so a day has 47 half hours */
static const EbZoneSpan lord_howe[] = {
	{INT64_MIN, 37800}, {INT64_C(9772) * EB_DAY_US + 15 * HOUR_US + 30 * EB_MINUTE_US, 39600}};

/* As in Newfoundland once: at 00:01 the clock goes back to 23:01 of the day before */
static const EbZoneSpan newfoundland[] = {
	{INT64_MIN, -9000}, {INT64_C(9794) * EB_DAY_US + 2 * HOUR_US + 31 * EB_MINUTE_US, -12600}};

typedef struct Place
{
	EbZone zone;
	int32_t first_day; /* two days from here on; a month or a change of the clock is in them */
} Place;

static const Place places[] = {
	{{utc, 1}, 9892},		   /* 31 January 2027, a Sunday */
	{{london, 3}, 9583},	   /* 28 March 2026 */
	{{london, 3}, 9793},	   /* 24 October 2026 */
	{{lord_howe, 2}, 9772},	   /* 3 October 2026 */
	{{newfoundland, 2}, 9793}, /* 24 October 2026 */
	{{london, 3}, 9800},	   /* 31 October 2026: a Saturday */
};

static int32_t
wall_day(const EbZone *zone, int64_t at_us, int *minute)
{
	int i = zone->nspans - 1;
	int64_t wall_s;

	while (zone->span[i].from_us > at_us)
		i--;
	wall_s = at_us / EB_SECOND_US + zone->span[i].offset_s;
	*minute = (int) (wall_s % 86400 / 60);
	return (int32_t) (wall_s / 86400);
}

/* The first minute whose date is the day, found by looking at each */
static int64_t
look_for_day(const EbZone *zone, int32_t day)
{
	int64_t at_us = day * EB_DAY_US - 30 * HOUR_US;
	int minute;

	while (wall_day(zone, at_us, &minute) < day)
		at_us += EB_MINUTE_US;
	return at_us;
}

/* The same, looked for once; days from the one before the first on */
static int64_t
day_start(const Place *place, int32_t day)
{
	static int64_t known[6][8];
	int64_t *at_us = &known[place - places][day - place->first_day + 1];

	if (*at_us == 0)
		*at_us = look_for_day(&place->zone, day);
	return *at_us;
}

/* ---------------------------------------------------------------- tariffs */

/* Times as hours of the wall clock: peak 8 to 22 */
static const char json[] =
	"{'elecbill':1,'currency':'XXX','schedules':{'tou':[{'period':'peak','spans':[['08:00','22:00']]},"
	"{'period':'valley'}]},'demands':{"
	"'a':{'window':%d},"
	"'b':{'window':%d,'slide':%d,'schedule':'tou','period':['peak']},"
	"'c':{'quantity':'import_kva','window':%d,'slide':%d,'agg':'top_mean','n':2,'distinct':'day'},"
	"'d':{'quantity':'import_kvar','window':%d,'agg':'top_mean','n':4,'distinct':'window','months':[2,3,11]},"
	"'e':{'window':%d,'agg':'top_mean','n':2,'distinct':'week'},"
	"'f':{'window':%d,'slide':%d,'agg':'top_mean','n':2,'distinct':'month','schedule':'tou','period':['valley']}},"
	"'components':[{'code':'energy','kind':'energy','price':{'period':{'peak':1,'valley':2}}}%s]}";
static const char used[] = ",{'code':'%c','kind':'demand','demand':'%c','price':1}";

static int
some_window(void)
{
	static const int window[] = {15, 15, 30, 60, 60, 120, 10, 1440, 45, 180};

	return window[kit_below(10)];
}

/* A length that divides the window */
static int
some_slide(int window_min)
{
	int n;

	do
		n = 1 + (int) kit_below(6);
	while (window_min % n != 0);
	return window_min / n;
}

static const EbTariff *
some_tariff(void)
{
	static char text[4000];
	char components[500] = "";
	EbFault fault;
	const EbTariff *tariff;
	int w[6];

	for (int i = 0; i < 6; i++)
	{
		char code = (char) ('a' + i);
		size_t length = strlen(components);

		w[i] = some_window();
		snprintf(components + length, sizeof(components) - length, used, code, code);
	}
	snprintf(text, sizeof(text), json, w[0], w[1], some_slide(w[1]), w[2], some_slide(w[2]), w[3],
			 w[4], w[5], some_slide(w[5]), components);
	tariff = kit_json_tariff(text, &fault);
	if (tariff == NULL)
	{
		fprintf(stderr, "%s: %s\n", fault.message, fault.detail);
		abort();
	}
	return tariff;
}

/* ---------------------------------------------------------------- loads */

static EbUsageRow row[MOST_ROWS];
static int nrows;
static int meters; /* 2: every interval is there twice */

/*
 * Intervals of a channel from start to end of the days; lengths of many kinds, some left out, unless
 * the load is to be a neat one
 */
static void
some_rows(const Place *place, EbChannel channel, bool neat)
{
	static const int step_min[] = {30, 60, 60, 15, 7, 90, 25};
	int64_t step_us = step_min[kit_below(neat ? 1 : 7)] * EB_MINUTE_US;
	int64_t gap = 3 + kit_below(60);
	int64_t most = kit_below(3) == 0 ? 3 : 5000000;
	bool hole = !neat && kit_below(4) == 0; /* in the place of the second day */
	int64_t hole_us = day_start(place, place->first_day + 1);
	int64_t hole_end_us = day_start(place, place->first_day + 2);
	int64_t from_us = day_start(place, place->first_day + neat);
	int64_t to_us = day_start(place, place->first_day + (hole ? 3 : 2));

	if (!neat && kit_below(3) == 0)
		from_us += kit_below(3600) * EB_SECOND_US;
	while (from_us + (neat ? step_us : 1) <= to_us &&
		   nrows < (channel == EB_IMPORT_KWH ? MOST_ROWS / 2 : MOST_ROWS))
	{
		int64_t length_us = step_us;

		if (!neat && kit_below(20) == 0)
			length_us = (1 + kit_below(7200)) * EB_SECOND_US;
		if (neat || kit_below(gap) != 0)
			row[nrows++] = (EbUsageRow){.from_us = from_us,
										.to_us = from_us + length_us,
										.energy_ukwh = kit_below(most),
										.price_n = EB_NO_PRICE,
										.channel = channel};
		from_us += length_us;
		if (hole && from_us >= hole_us && from_us < hole_end_us)
			from_us = hole_end_us;
	}
}

/* Another meter that reads the same intervals: gaps are found only where none overlap */
static void
double_rows(void)
{
	int n = nrows;

	meters = 2;
	for (int i = 0; i < n && nrows < MOST_ROWS; i++, nrows++)
	{
		row[nrows] = row[i];
		row[nrows].energy_ukwh = kit_below(1000000);
	}
}

static void
shuffle(void)
{
	for (int i = nrows - 1; i > 0; i--)
	{
		int j = (int) kit_below(i + 1);
		EbUsageRow swap = row[i];

		row[i] = row[j];
		row[j] = swap;
	}
}

/* ---------------------------------------------------------------- the oracle */

static int64_t
rounded(int64_t energy, int64_t part, int64_t whole)
{
	return (int64_t) (((eb_int128) 2 * energy * part + whole) / (2 * (eb_int128) whole));
}

/* Energy of a channel in [from, to), false when a second of it is not covered */
static bool
energy_of(EbChannel channel, int64_t from_us, int64_t to_us, int64_t *energy)
{
	int64_t covered_us = 0;
	int64_t twice = 0; /* the meters, when there are two */

	*energy = 0;
	for (int i = 0; i < nrows; i++)
	{
		int64_t from = row[i].from_us > from_us ? row[i].from_us : from_us;
		int64_t to = row[i].to_us < to_us ? row[i].to_us : to_us;
		int64_t whole = row[i].to_us - row[i].from_us;

		if (row[i].channel != channel || from >= to)
			continue;
		covered_us += to - from;
		*energy += rounded(row[i].energy_ukwh, to - row[i].from_us, whole) -
				   rounded(row[i].energy_ukwh, from - row[i].from_us, whole);
		for (int j = 0; j < i && meters == 2; j++)
			if (row[j].channel == channel && row[j].from_us == row[i].from_us)
				twice += to - from;
	}
	return covered_us - twice == to_us - from_us;
}

static EbPeak window[MOST_WINDOWS];
static int nwindows;

static int
by_part_and_power(const void *a, const void *b)
{
	const EbPeak *x = a;
	const EbPeak *y = b;

	if (x->part_day != y->part_day)
		return x->part_day < y->part_day ? -1 : 1;
	if (x->ukw != y->ukw)
		return x->ukw > y->ukw ? -1 : 1;
	return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

static int64_t
kva_by_search(int64_t p, int64_t q, int minutes)
{
	eb_int128 sum = (eb_int128) p * p + (eb_int128) q * q;
	int64_t n = 0;

	for (int64_t step = INT64_C(1) << 40; step > 0; step /= 2)
		while ((eb_int128) (2 * (n + step) - 1) * (2 * (n + step) - 1) * minutes * minutes <=
			   sum * 14400)
			n += step;
	return n;
}

static void
take_window(const EbTariff *tariff, int index, const EbZone *zone, int64_t at_us)
{
	const EbDemand *demand = EB_ARRAY(tariff, EbDemand, tariff->demand) + index;
	int64_t to_us = at_us + demand->window_min * EB_MINUTE_US;
	int minute;
	int32_t day = wall_day(zone, at_us, &minute);
	EbDate date = eb_date_from_day(day);
	bool peak = minute >= 480 && minute < 1320;
	int64_t p = 0;
	int64_t q = 0;
	EbPeak *found = &window[nwindows];

	if (index != 3 && !energy_of(EB_IMPORT_KWH, at_us, to_us, &p))
		return;
	if ((index == 2 || index == 3) && !energy_of(EB_IMPORT_KVARH, at_us, to_us, &q))
		return;
	if ((index == 1 && !peak) || (index == 5 && peak) ||
		(index == 3 && date.month != 2 && date.month != 3 && date.month != 11))
		return;
	found->demand = index;
	found->at_us = at_us;
	found->part_day = eb_day_from_date(date.year, date.month, 1);
	found->ukw = index == 2 ? kva_by_search(p, q, demand->window_min)
							: rounded(index == 3 ? q : p, 60, demand->window_min);
	nwindows++;
}

static int64_t
same_number(const EbZone *zone, int index, int64_t at_us)
{
	int minute;
	int32_t day = wall_day(zone, at_us, &minute);

	if (index == 2)
		return day;
	if (index == 4)
		return (day + 5) / 7; /* 2000-01-03 was a Monday */
	return index == 5 ? eb_date_from_day(day).month : at_us;
}

/* What the rules say of a demand, into peak[]; returns how many */
static int
slow_peaks(const EbTariff *tariff, int index, const Place *place, EbPeak *peak)
{
	static const int keep[] = {1, 1, 2, 4, 2, 2};
	const EbDemand *demand = EB_ARRAY(tariff, EbDemand, tariff->demand) + index;
	int n = 0;

	nwindows = 0;
	for (int32_t day = place->first_day - 1; day < place->first_day + 4; day++)
	{
		int64_t end_us = day_start(place, day + 1);
		int64_t slide_us = demand->slide_min * EB_MINUTE_US;

		for (int64_t at_us = day_start(place, day); at_us < end_us; at_us += slide_us)
		{
			int64_t to_us = at_us + demand->window_min * EB_MINUTE_US;

			/* a block must end with the day, and no window goes past a day that slides do not fill */
			if (to_us > end_us &&
				(demand->slide_min == demand->window_min || (end_us - at_us) % slide_us != 0))
				continue;
			take_window(tariff, index, &place->zone, at_us);
		}
	}
	qsort(window, (size_t) nwindows, sizeof(EbPeak), by_part_and_power);
	for (int i = 0; i < nwindows; i++)
	{
		int of_part = 0;
		bool again = false;

		for (int j = 0; j < n; j++)
			if (peak[j].part_day == window[i].part_day)
			{
				of_part++;
				again |= same_number(&place->zone, index, peak[j].at_us) ==
						 same_number(&place->zone, index, window[i].at_us);
			}
		if (of_part < keep[index] && !again)
			peak[n++] = window[i];
	}
	return n;
}

/* ---------------------------------------------------------------- the sum */

/* The rows summed by one, or by several whose sums are merged in any order */
static void
sum_rows(EbUsageSum *sum, const EbClassifier *by)
{
	EbUsageSum worker[4];
	int nworkers = 1 + (int) kit_below(4);
	EbFault fault;

	for (int i = 0; i < nworkers; i++)
		eb_usage_sum_init(&worker[i], &kit_memory, by, 1);
	for (int i = 0; i < nrows; i++)
		CHECK_INT(eb_usage_add(&worker[kit_below(nworkers)], by, &row[i], &fault), EB_OK);
	while (nworkers > 1)
	{
		int into = (int) kit_below(nworkers - 1);

		CHECK_INT(eb_usage_sum_merge(&worker[into], &worker[nworkers - 1], &fault), EB_OK);
		nworkers--;
	}
	*sum = worker[0];
}

static bool
test_case(EbTouCache *cache)
{
	static EbPeak want[200];
	const Place *place = &places[kit_below(6)];
	const EbTariff *tariff = some_tariff();
	EbClassifier by;
	EbUsageSum sum;
	EbUsage usage;
	EbFault fault;
	int nwant = 0;
	bool twice = kit_below(4) == 0;
	bool ok;

	nrows = 0;
	meters = 1;
	some_rows(place, EB_IMPORT_KWH, twice);
	some_rows(place, EB_IMPORT_KVARH, twice);
	if (twice)
		double_rows();
	shuffle();
	eb_classifier_init(&by, tariff, &place->zone);
	eb_tou_cache_init(cache, tariff, &place->zone);
	by.cache = cache;
	sum_rows(&sum, &by);
	CHECK_INT(eb_usage_finish(&sum, &by, false, &kit_memory, &usage, &fault), EB_OK);
	for (int i = 0; i < 6; i++)
		nwant += slow_peaks(tariff, i, place, want + nwant);
	ok = CHECK_INT(usage.npeaks, nwant) &&
		 (nwant == 0 || CHECK_MEM(usage.peak, want, sizeof(EbPeak) * (size_t) nwant));
	for (int i = 0; i < nwant && !ok; i++)
		printf("    want %d: at %" PRId64 " %" PRId64 "\n", want[i].demand, want[i].at_us,
			   want[i].ukw);
	for (int i = 0; i < usage.npeaks && !ok; i++)
		printf("    is %d: at %" PRId64 " %" PRId64 "\n", usage.peak[i].demand, usage.peak[i].at_us,
			   usage.peak[i].ukw);
	kit_memory_end();
	return ok;
}

int
main(void)
{
	EbTouCache *cache = malloc(sizeof(EbTouCache));

	test_power();
	kit_seed("window");
	for (int i = 0; i < CASES; i++)
		if (!test_case(cache))
		{
			printf("in case %d\n", i);
			break;
		}
	free(cache);
	return check_done("test_window");
}
