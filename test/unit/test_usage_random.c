/*
 * test_usage_random.c -- random rows of all channels, against a minute-by-minute reading
 * Rows in random order are summed by several workers whose sums are merged; the oracle cuts each
 * row at every minute and looks up period, month, version and prices of that minute by hand. One
 * tariff with versions has everything: two channels beside import, prices that change inside days
 * and prices of the rows, and a tier that fills in order of time.
 */
#include "check.h"
#include "kit_json.h"
#include "kit_memory.h"
#include "kit_random.h"
#include "rating/usage_sum.h"

#define CASES 100000
#define HOUR_US (60 * EB_MINUTE_US)
#define MOST_ROWS 12
#define MOST_PIECES 2000
#define VERSIONS 3
#define MONTHS 3 /* from March 2026 on */
#define SLOTS 2	 /* day 08:00 to 20:00, night; as the rules name them */

/*
 * Versions change on 29 March (the day on which London loses an hour) and on 2 April. The first
 * knows import only. The second knows three channels and two kinds of prices. The third keeps
 * pieces.
 */
#define SCHEDULE \
	"'schedules':{'tou':[{'period':'day','spans':[['08:00','20:00']]},{'period':'night'}]}"
#define HEAD "{'elecbill':1,'currency':'GBP','zone':'Europe/London'," SCHEDULE
#define ENERGY "{'code':'energy','kind':'energy','price':{'period':{'day':2,'night':1}}}"
static const char json[] =
	"{'elecbill':1,'versions':["
	"{'version':1,'valid':['2026-03-01','2026-03-29'],'tariff':" HEAD ",'components':[" ENERGY
	"]}},"
	"{'version':2,'valid':['2026-03-29','2026-04-02'],'tariff':" HEAD
	",'series':{'row':'usage','spot':[['2026-03-28T00:00:00Z',0.5],['2026-03-29T00:30:00Z',-0.25],"
	"['2026-03-29T10:17:00Z',1.000000001],['2026-03-31T23:00:00Z',0.75]]},'components':[" ENERGY
	",{'code':'spot','kind':'energy','price':{'series':'spot'}}"
	",{'code':'sold','kind':'credit','price':{'series':'row'}}"
	",{'code':'q','kind':'reactive','price':0.01}]}},"
	"{'version':3,'valid':['2026-04-02','2026-05-01'],'tariff':" HEAD
	",'components':[{'code':'energy','kind':'energy','price':{'period':{'day':2,'night':1}},"
	"'tier':{'mode':'adder','order':'time','steps':[{'up_to':10,'price':0},{'price':1}]}}]}}]}";

static const EbZoneSpan london_span[] = {{INT64_MIN, 0},
										 {INT64_C(9584) * EB_DAY_US + HOUR_US, 3600}};
static const EbZone london = {london_span, 2};

static EbUsageRow row[MOST_ROWS];
static int nrows;

/* ---------------------------------------------------------------- the oracle */

/* What the minutes of one version come to, by month and period */
typedef struct Slow
{
	int64_t energy[EB_NCHANNELS][MONTHS][SLOTS];
	eb_int128 spot[MONTHS][SLOTS];
	eb_int128 sold[MONTHS][SLOTS];
	int64_t covered_us[EB_NCHANNELS];
} Slow;

static Slow slow[VERSIONS];
static int64_t slow_from_us; /* of what some version needs */
static int64_t slow_to_us;
static uint32_t slow_channels;
static EbPiece slow_piece[MOST_PIECES];
static int nslow_pieces;

/* Days since 2000-01-01 and minute of the clock in London, in the spring of 2026 */
static int32_t
clock_of(int64_t at_us, int *minute)
{
	int64_t minutes = at_us / EB_MINUTE_US;

	if (minutes >= 9584 * 1440 + 60)
		minutes += 60;
	*minute = (int) (minutes % 1440);
	return (int32_t) (minutes / 1440);
}

static int64_t
spot_price(int64_t at_us)
{
	int64_t minute = at_us / EB_MINUTE_US;

	if (minute >= INT64_C(9586) * 1440 + 23 * 60)
		return 750000000;
	if (minute >= INT64_C(9584) * 1440 + 10 * 60 + 17)
		return 1000000001;
	return minute >= INT64_C(9584) * 1440 + 30 ? -250000000 : 500000000;
}

static int64_t
rounded(int64_t energy, int64_t part, int64_t whole)
{
	return (int64_t) (((eb_int128) 2 * energy * part + whole) / (2 * (eb_int128) whole));
}

/* Where a minute belongs; slot 0 is day */
typedef struct Minute
{
	int version;
	int month;
	int slot;
} Minute;

static Minute
minute_of(int64_t at_us)
{
	int minute;
	int32_t day = clock_of(at_us, &minute);

	return (Minute){
		.version = day < 9584	? 0
				   : day < 9588 ? 1
								: 2,
		.month = day < 9587 ? 0 : 1,
		.slot = minute >= 480 && minute < 1200 ? 0 : 1,
	};
}

static void
slow_minute(const EbUsageRow *of, int64_t at_us, int64_t next_us, int64_t energy)
{
	Minute m = minute_of(at_us);
	Slow *sum = &slow[m.version];

	if (of->channel != EB_IMPORT_KWH && (m.version != 1 || of->channel == EB_EXPORT_KVARH))
		return;
	slow_from_us = at_us < slow_from_us ? at_us : slow_from_us;
	slow_to_us = next_us > slow_to_us ? next_us : slow_to_us;
	slow_channels |= 1u << of->channel;
	sum->covered_us[of->channel] += next_us - at_us;
	sum->energy[of->channel][m.month][m.slot] += energy;
	if (of->channel == EB_IMPORT_KWH && m.version == 1)
		sum->spot[m.month][m.slot] += (eb_int128) energy * spot_price(at_us);
	if (of->channel == EB_EXPORT_KWH)
		sum->sold[m.month][m.slot] += (eb_int128) energy * of->price_n;
}

/* Pieces of the last version: a minute goes on with the one before it in the same period */
static void
slow_row(const EbUsageRow *of)
{
	int64_t whole = of->to_us - of->from_us;
	Minute last = {-1, 0, 0};

	for (int64_t at_us = of->from_us; at_us < of->to_us;)
	{
		int64_t next_us = (at_us / EB_MINUTE_US + 1) * EB_MINUTE_US;
		Minute m = minute_of(at_us);
		int64_t energy;

		if (next_us > of->to_us)
			next_us = of->to_us;
		energy = rounded(of->energy_ukwh, next_us - of->from_us, whole) -
				 rounded(of->energy_ukwh, at_us - of->from_us, whole);
		slow_minute(of, at_us, next_us, energy);
		if (m.version == 2 && of->channel == EB_IMPORT_KWH)
		{
			if (memcmp(&m, &last, sizeof(m)) != 0)
				slow_piece[nslow_pieces++] = (EbPiece){at_us, of->from_us, 0};
			slow_piece[nslow_pieces - 1].energy_ukwh += energy;
		}
		last = m;
		at_us = next_us;
	}
}

static int
piece_order(const void *a, const void *b)
{
	const EbPiece *x = a;
	const EbPiece *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return (x->interval_us > y->interval_us) - (x->interval_us < y->interval_us);
}

static void
slow_sum(void)
{
	int n = 0;

	memset(slow, 0, sizeof(slow));
	nslow_pieces = 0;
	slow_from_us = INT64_MAX;
	slow_to_us = INT64_MIN;
	slow_channels = 0;
	for (int i = 0; i < nrows; i++)
		slow_row(&row[i]);
	qsort(slow_piece, (size_t) nslow_pieces, sizeof(EbPiece), piece_order);
	for (int i = 0; i < nslow_pieces; i++)
	{
		if (n > 0 && piece_order(&slow_piece[n - 1], &slow_piece[i]) == 0)
			slow_piece[n - 1].energy_ukwh += slow_piece[i].energy_ukwh;
		else
			slow_piece[n++] = slow_piece[i];
	}
	nslow_pieces = n;
}

/* ---------------------------------------------------------------- rows */

/* From 27 March to 5 April; some end where another begins, some begin together */
static void
some_rows(void)
{
	/* or only the evening of the day before the last version */
	bool evening = kit_below(4) == 0;
	int64_t from_us = evening ? 9587 * EB_DAY_US + 20 * HOUR_US : 9582 * EB_DAY_US;
	bool short_rows = evening || kit_below(2) == 0;
	int64_t span_us = evening ? 5 * HOUR_US : (kit_below(2) == 0 ? 3 : 8) * EB_DAY_US;

	nrows = 1 + (int) kit_below(MOST_ROWS);
	for (int i = 0; i < nrows; i++)
	{
		EbUsageRow *of = &row[i];
		int64_t unit = kit_below(2) == 0 ? EB_SECOND_US : 15 * EB_MINUTE_US;

		*of = (EbUsageRow){.from_us = from_us + kit_below(span_us / unit) * unit,
						   .energy_ukwh = kit_below(kit_below(3) == 0 ? 5 : 100000000),
						   .price_n = kit_below(2000000001) - 500000000,
						   .channel = (EbChannel) (kit_below(2) == 0 ? 0 : kit_below(4))};
		if (i > 0 && kit_below(3) == 0)
			of->from_us = kit_below(2) == 0 ? row[i - 1].to_us : row[i - 1].from_us;
		of->to_us = of->from_us + (1 + kit_below(short_rows ? 4 : EB_DAY_US / unit)) * unit;
	}
}

/* ---------------------------------------------------------------- comparing */

static int64_t
cells_of(const EbUsage *usage, int plane_at, int month, int slot)
{
	int32_t day = eb_day_from_date(2026, 3 + month, 1);

	for (int i = 0; i < usage->nparts; i++)
		if (usage->part_day[i] == day)
			return usage->cell[i * usage->ncells + plane_at + slot];
	return 0;
}

static eb_int128
money_of(const EbUsage *usage, int plane_at, int month, int slot)
{
	int32_t day = eb_day_from_date(2026, 3 + month, 1);

	for (int i = 0; i < usage->nparts; i++)
		if (usage->part_day[i] == day)
			return eb_money_cells(usage->cell + i * usage->ncells + plane_at + 2 * slot);
	return 0;
}

/* Every plane of a version, with what the oracle has for it */
static bool
same_planes(const EbTariff *tariff, const EbUsage *usage, const Slow *want)
{
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);
	bool same = true;

	for (int i = 0; i < tariff->plane.n; i++)
		for (int month = 0; month < MONTHS; month++)
			for (int slot = 0; slot < SLOTS; slot++)
			{
				int at = eb_plane_at(tariff, i);

				if (plane[i].series == EB_NONE)
					same &= cells_of(usage, at, month, slot) ==
							want->energy[plane[i].channel][month][slot];
				else
					same &=
						money_of(usage, at, month, slot) ==
						(plane[i].channel == EB_IMPORT_KWH ? want->spot : want->sold)[month][slot];
			}
	return same;
}

/* Range, channels and missing seconds of a version; rows begin and end at whole seconds */
static bool
same_range(int version, const EbUsage *usage)
{
	static const uint32_t needs[VERSIONS] = {1, 1 | 2 | 4, 1};
	/* midnights in London */
	const int64_t start_us[VERSIONS + 1] = {9556 * EB_DAY_US, 9584 * EB_DAY_US,
											9588 * EB_DAY_US - HOUR_US, 9617 * EB_DAY_US - HOUR_US};
	int64_t from_us = start_us[version] > slow_from_us ? start_us[version] : slow_from_us;
	int64_t to_us = start_us[version + 1] < slow_to_us ? start_us[version + 1] : slow_to_us;
	int64_t missing_us = 0;

	for (int i = 0; i < EB_NCHANNELS; i++)
		if ((needs[version] & slow_channels & (1u << i)) != 0 &&
			missing_us < to_us - from_us - slow[version].covered_us[i])
			missing_us = to_us - from_us - slow[version].covered_us[i];
	if (from_us >= to_us)
		from_us = to_us = INT64_MIN;
	return CHECK_INT(usage->from_us, from_us) & CHECK_INT(usage->to_us, to_us) &
		   CHECK_INT(usage->missing_s, missing_us / EB_SECOND_US) &
		   CHECK_INT(usage->quality, missing_us > 0 ? EB_MISSING : EB_ACTUAL) &
		   CHECK_INT(usage->channels, needs[version] & slow_channels);
}

static bool
compare(const EbClassifier *by, const EbUsage *usage)
{
	const EbUsage *last = &usage->sub[VERSIONS - 1];
	bool same = CHECK_INT(usage->nsub, VERSIONS);

	for (int i = 0; i < VERSIONS; i++)
		same &= CHECK(same_planes(by[i].tariff, &usage->sub[i], &slow[i])) &
				same_range(i, &usage->sub[i]);
	same &= CHECK_INT(last->npieces, nslow_pieces);
	if (same && nslow_pieces > 0)
		same &= CHECK_MEM(last->piece, slow_piece, sizeof(EbPiece) * (size_t) nslow_pieces);
	return same;
}

/* As the aggregate does: most rows lie in the segment of the one before */
static void
add_row(EbUsageSum *sum, const EbClassifier *by, EbUsageRow *of)
{
	EbFault fault;

	if (!eb_usage_is_near(sum, of->channel, of->from_us, of->to_us - of->from_us))
	{
		CHECK_INT(eb_usage_add(sum, by, of, &fault), EB_OK);
		return;
	}
	eb_usage_extend(sum, of->channel, of->from_us, of->to_us);
	CHECK(eb_usage_put(sum->now, of->channel, of->energy_ukwh, of->to_us - of->from_us));
}

static void
sum_rows(EbUsageSum *sum, const EbClassifier *by)
{
	EbUsageSum worker[3];
	int nworkers = 1 + (int) kit_below(3);
	EbFault fault;

	for (int i = 0; i < nworkers; i++)
		eb_usage_sum_init(&worker[i], &kit_memory, by, VERSIONS);
	for (int i = nrows; i-- > 0;)
		add_row(&worker[kit_below(nworkers)], by, &row[i]);
	while (--nworkers > 0)
		CHECK_INT(eb_usage_sum_merge(&worker[kit_below(nworkers)], &worker[nworkers], &fault),
				  EB_OK);
	*sum = worker[0];
}

static bool
test_case(const EbClassifier *by)
{
	EbUsageSum sum;
	EbUsage usage;
	EbFault fault;
	bool same;

	some_rows();
	slow_sum();
	sum_rows(&sum, by);
	CHECK_INT(eb_usage_finish(&sum, by, true, &kit_memory, &usage, &fault), EB_OK);
	same = compare(by, &usage);
	kit_memory_end();
	return same;
}

int
main(void)
{
	EbFault fault;
	const EbTariff *tariff = kit_json_tariff(json, &fault);
	EbClassifier by[VERSIONS];

	if (tariff == NULL || tariff->version.n != VERSIONS)
	{
		fprintf(stderr, "%s: %s\n", fault.message, fault.detail);
		return 1;
	}
	eb_classifier_init(by, tariff, &london);
	for (int i = 0; i < VERSIONS; i++)
	{
		by[i].cache = malloc(sizeof(EbTouCache));
		eb_tou_cache_init(by[i].cache, by[i].tariff, by[i].zone);
	}
	kit_seed("usage_random");
	for (int i = 0; i < CASES; i++)
		if (!test_case(by))
		{
			printf("in case %d\n", i);
			break;
		}
	for (int i = 0; i < VERSIONS; i++)
		free(by[i].cache);
	return check_done("test_usage_random");
}
