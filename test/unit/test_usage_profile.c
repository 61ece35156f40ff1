/*
 * test_usage_profile.c -- random load profiles under random tariffs, against a row for each value
 * Both sums are finished, and every member of the two usages must be equal. Tariffs have periods
 * that cut intervals, seasons, a calendar, events, two schedules, prices that change inside days,
 * demands, tiers in order of time, or versions; profiles all widths, gaps, qualities and spans.
 */
#include <stdarg.h>

#include "check.h"
#include "kit_json.h"
#include "kit_memory.h"
#include "kit_random.h"
#include "rating/load_profile_sum.h"
#include "rating/register.h"
#include "rating/usage_day.h"

#define CASES 6000
#define MOST_VALUES 3000
#define MOST_PROFILES 6
#define HOUR_US (60 * EB_MINUTE_US)

static const EbZoneSpan london_span[] = {{INT64_MIN, 0},
										 {INT64_C(9584) * EB_DAY_US + HOUR_US, 3600},
										 {INT64_C(9794) * EB_DAY_US + HOUR_US, 0}};
static const EbZone london = {london_span, 3};

static bool
one_in(int n)
{
	return kit_below(n) == 0;
}

/* ---------------------------------------------------------------- tariffs */

typedef struct Text
{
	char data[20000];
	size_t len;
} Text;

static Text text;

static void __attribute__((format(printf, 1, 2))) add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text.len +=
		(size_t) vsnprintf(text.data + text.len, sizeof(text.data) - text.len, format, args);
	va_end(args);
}

static void
add_schedules(void)
{
	int from = one_in(2) ? (int) kit_below(700) : (int) kit_below(12) * 60;
	int to = one_in(2) ? 720 + (int) kit_below(719) : 720 + (int) kit_below(12) * 60;

	add("'schedules':{'tou':[{'period':'day','spans':[['%02d:%02d','%02d:%02d']]%s},", from / 60,
		from % 60, to / 60, to % 60, one_in(3) ? ",'days':['weekday']" : "");
	if (one_in(2))
		add("{'period':'hot','event':'e'},");
	add("{'period':'evening','spans':[['18:00','21:30']]},{'period':'night'}]");
	if (one_in(3))
		add(",'half':[{'period':'first','spans':[['00:00','12:00']]},{'period':'second'}]");
	add("}");
}

static void
add_price(void)
{
	if (strstr(text.data, "'half'") != NULL)
		add("'schedule':'tou',");
	add("'price':{'period':{'day':0.5,'evening':0.75,'night':0.25%s}}",
		strstr(text.data, "'hot'") != NULL ? ",'hot':1" : "");
}

/* One version, or all of a tariff */
static void
add_tariff(void)
{
	bool plain = one_in(2);

	text.len = 0;
	add("{'elecbill':1,'currency':'GBP','zone':'Europe/London','calendar':{'weekend':['sat','sun']},"
		"'events':{'e':[['2026-03-28T10:20:30Z','2026-03-28T11:00:00Z'],"
		"['2026-04-01T16:00:00Z','2026-04-01T18:00:00Z']]},'seasons':{'s':[['03-31','10-01']]},");
	add_schedules();
	if (!plain && one_in(2))
		add(",'series':{'spot':{'by':'instant','points':[['2026-01-01T00:00:00Z',0.5],"
			"['2026-03-29T00:30:00Z',-0.25],['2026-03-29T10:17:00Z',1.000000001]]}}");
	if (!plain && one_in(2))
		add(",'demands':{'main':{'window':60%s}}", one_in(2) ? ",'slide':15" : "");
	add(",'components':[{'code':'energy','kind':'energy',");
	add_price();
	if (!plain && one_in(3))
		add(",'tier':{'mode':'adder','order':'time','steps':[{'up_to':10,'price':0},{'price':1}]}");
	else if (one_in(3))
		add(",'tier':{'mode':'adder','scope':'year','steps':[{'up_to':10,'price':0},{'price':1}]}");
	add("}");
	if (strstr(text.data, "'half'") != NULL)
		add(",{'code':'half','kind':'energy','schedule':'half','price':{'period':{'first':1,"
			"'second':2}}}");
	if (strstr(text.data, "'spot'") != NULL)
		add(",{'code':'spot','kind':'energy','price':{'series':'spot'}}");
	if (strstr(text.data, "'main'") != NULL)
		add(",{'code':'demand','kind':'demand','price':3,'demand':'main'}");
	if (one_in(2))
		add(",{'code':'season','kind':'energy','price':{'season':{'s':1,'*':2}}}");
	if (one_in(2))
		add(",{'code':'sold','kind':'credit','price':0.05}");
	if (one_in(2))
		add(",{'code':'q','kind':'reactive','price':0.01}");
	add("]}");
}

/* A tariff in one static block; NULL: its parts do not go together */
static const EbTariff *
draw_tariff(EbFault *fault)
{
	static char version[2][sizeof(text.data) / 3];

	if (!one_in(3))
		add_tariff();
	else
	{
		for (int i = 0; i < 2; i++)
		{
			add_tariff();
			memcpy(version[i], text.data, text.len + 1);
		}
		text.len = 0;
		add("{'elecbill':1,'versions':[{'version':1,'valid':['2026-01-01','2026-03-30'],'tariff':%s}"
			",{'version':2,'valid':['2026-03-30',null],'tariff':%s}]}",
			version[0], version[1]);
	}
	return kit_json_tariff(text.data, fault);
}

/* ---------------------------------------------------------------- profiles */

static EbProfileValue value[MOST_PROFILES][MOST_VALUES];
static uint8_t *block[MOST_PROFILES];
static size_t block_size[MOST_PROFILES];
static EbProfile profile[MOST_PROFILES];
static int nprofiles;
static int ndays; /* added by eb_usage_add_day() */

/* How large values are */
static int64_t
draw_most(void)
{
	static const int64_t most[] = {1, 200, 1500, 60000, 5000000, INT64_C(4000000000)};

	return most[kit_below(6)];
}

static void
draw_values(EbProfileValue *of, int n)
{
	int64_t most = draw_most();
	int64_t base = one_in(3) ? kit_below(100000) : 0;
	int missing = one_in(2) ? 0 : one_in(4) ? 1 : 1 + (int) kit_below(20);
	bool qualities = one_in(3);
	bool spans = one_in(4);

	for (int i = 0; i < n; i++)
	{
		of[i] = (EbProfileValue){.missing = missing > 0 && one_in(missing)};
		if (of[i].missing == 0)
			of[i].energy_wh = base + kit_below(most);
		if (qualities && one_in(10))
			of[i].quality = (int32_t) kit_below(64);
		if (spans && of[i].missing == 0 && one_in(4))
			of[i].quality |= EB_PROFILE_SPAN;
	}
}

static void
draw_profile(int index)
{
	static const int step[] = {1, 45, 60, 300, 900, 900, 900, 1800, 3600, 7200, 28800, 86400};
	EbProfileDraft draft = {.value = value[index]};
	EbFault fault;

	draft.step_s = step[kit_below(12)];
	draft.n = one_in(20)			 ? 0
			  : draft.step_s >= 7200 ? (int32_t) kit_below(40)
									 : (int32_t) kit_below(one_in(4) ? MOST_VALUES : 100);
	draft.start_us = 9584 * EB_DAY_US + (kit_below(10 * 86400) - 4 * 86400) * EB_SECOND_US;
	if (!one_in(3))
		draft.start_us -= draft.start_us % (draft.step_s * EB_SECOND_US);
	draft.channel = one_in(2) ? EB_IMPORT_KWH : (int32_t) kit_below(EB_NCHANNELS);
	draw_values(value[index], draft.n);
	CHECK_INT(eb_profile_size(&draft, &block_size[index], &fault), EB_OK);
	block[index] = realloc(block[index], block_size[index]);
	eb_profile_write(&draft, block[index]);
	CHECK_INT(eb_profile_check(block[index], block_size[index], &profile[index], &fault), EB_OK);
}

/* Sums of runs of the values, added up one by one */
static void
check_sums(int index)
{
	const EbProfile *of = &profile[index];

	for (int i = 0; i < 3; i++)
	{
		int32_t from = (int32_t) kit_below(of->n + 1);
		int32_t to = from + (int32_t) kit_below(of->n - from + 1);
		int64_t sum = 0;
		int32_t present = 0;
		int32_t is;

		for (int32_t j = from; j < to; j++)
		{
			sum += value[index][j].energy_wh;
			present += !value[index][j].missing;
		}
		CHECK(eb_profile_sum(of, from, to, &is) == sum);
		CHECK_INT(is, present);
		CHECK_INT(eb_profile_missing(of, from, to), to - from - present);
	}
}

/* ---------------------------------------------------------------- the oracle */

/* A row for each value; those over a span, and all where they are differences, as registers do */
static EbStatus
add_rows(EbUsageSum *sum, const EbClassifier *by, int index, bool differences, EbFault *fault)
{
	const EbProfile *of = &profile[index];
	int64_t step_us = of->step_s * EB_SECOND_US;
	EbStatus status = EB_OK;

	for (int i = of->n - 1; i >= 0 && status == EB_OK; i--)
	{
		const EbProfileValue *this = &value[index][i];
		EbUsageRow row = {.from_us = of->start_us + i * step_us,
						  .to_us = of->start_us + (i + 1) * step_us,
						  .energy_ukwh = this->energy_wh * 1000,
						  .price_n = EB_NO_PRICE,
						  .channel = (EbChannel) of->channel};
		bool span = (this->quality & 1024) != 0;

		if (this->missing)
			continue;
		for (int j = i - 1; span && j >= 0 && value[index][j].missing; j--)
			row.from_us -= step_us;
		row.guess = (span || differences) && row.to_us - row.from_us > HOUR_US;
		status = eb_usage_add(sum, by, &row, fault);
		if (row.guess && row.crossed)
			sum->quality = EB_ESTIMATED;
	}
	return status;
}

/* In one go if it is a simple block, else as any block */
static EbStatus
add_block(EbUsageSum *sum, const EbClassifier *by, int index, bool differences, EbFault *fault)
{
	EbStatus status = EB_NOT_SUPPORTED;
	EbUsageSum first;

	eb_usage_sum_init(&first, &kit_memory, by, sum->n);
	if (!differences && one_in(2) && /* so that there is a plan */
		eb_usage_add_profile(&first, by, &profile[index], false, fault) == EB_OK)
		status = eb_usage_add_day(sum, by, block[index], block_size[index]);
	ndays += status == EB_OK;
	return status == EB_NOT_SUPPORTED
			   ? eb_usage_add_profile(sum, by, &profile[index], differences, fault)
			   : status;
}

/* ---------------------------------------------------------------- comparing */

static bool
same_usage(const EbUsage *is, const EbUsage *want)
{
	bool same = CHECK_INT(is->from_us, want->from_us) & CHECK_INT(is->to_us, want->to_us) &
				CHECK_INT(is->missing_s, want->missing_s) & CHECK_INT(is->held, want->held) &
				CHECK_INT(is->quality, want->quality) & CHECK_INT(is->nparts, want->nparts) &
				CHECK_INT(is->ncells, want->ncells) & CHECK_INT(is->channels, want->channels) &
				CHECK_INT(is->npeaks, want->npeaks) & CHECK_INT(is->npieces, want->npieces) &
				CHECK_INT(is->nsub, want->nsub);

	if (!same)
		return false;
	if (is->nparts > 0)
		same &=
			CHECK_MEM(is->part_day, want->part_day, sizeof(int32_t) * (size_t) is->nparts) &
			CHECK_MEM(is->cell, want->cell, sizeof(int64_t) * (size_t) (is->nparts * is->ncells));
	if (is->npeaks > 0)
		same &= CHECK_MEM(is->peak, want->peak, sizeof(EbPeak) * (size_t) is->npeaks);
	if (is->npieces > 0)
		same &= CHECK_MEM(is->piece, want->piece, sizeof(EbPiece) * (size_t) is->npieces);
	for (int i = 0; i < is->nsub; i++)
		same &= same_usage(&is->sub[i], &want->sub[i]);
	return same;
}

static bool
test_case(const EbClassifier *by, int n, bool versions)
{
	bool differences = one_in(3);
	EbUsageSum sum;
	EbUsageSum worker;
	EbUsageSum rows;
	EbUsage is;
	EbUsage want;
	EbFault fault = {.message = ""};
	EbFault wanted = {.message = ""};
	EbStatus status = EB_OK;
	EbStatus refused = EB_OK;
	bool same = true;

	nprofiles = 1 + (int) kit_below(MOST_PROFILES);
	eb_usage_sum_init(&sum, &kit_memory, by, n);
	eb_usage_sum_init(&worker, &kit_memory, by, n);
	eb_usage_sum_init(&rows, &kit_memory, by, n);
	for (int i = 0; i < nprofiles && status == EB_OK && refused == EB_OK; i++)
	{
		EbUsageSum *into = one_in(3) ? &worker : &sum;

		draw_profile(i);
		check_sums(i);
		refused = add_rows(&rows, by, i, differences, &wanted);
		status = one_in(8) ? add_rows(into, by, i, differences, &fault)
						   : add_block(into, by, i, differences, &fault);
	}
	same &= CHECK_INT(status, refused) & CHECK_STR(fault.message, wanted.message);
	if (status == EB_OK)
	{
		CHECK_INT(eb_usage_sum_merge(&sum, &worker, &fault), EB_OK);
		CHECK_INT(eb_usage_finish(&sum, by, versions, &kit_memory, &is, &fault), EB_OK);
		CHECK_INT(eb_usage_finish(&rows, by, versions, &kit_memory, &want, &fault), EB_OK);
		same &= same_usage(&is, &want);
	}
	kit_memory_end();
	return same;
}

/* Cases of one tariff; plans are kept from one to the next. */
static bool
test_tariff(const EbTariff *tariff)
{
	EbClassifier by[2];
	int n = eb_classifier_count(tariff);
	bool same = true;

	eb_classifier_init(by, tariff, &london);
	for (int i = 0; i < n; i++)
	{
		by[i].cache = malloc(sizeof(EbTouCache));
		eb_tou_cache_init(by[i].cache, by[i].tariff, by[i].zone);
		by[i].plans = malloc(sizeof(EbPlans));
		eb_plans_init(by[i].plans);
	}
	for (int i = 0; i < 20 && same; i++)
		same = test_case(by, n, tariff->version.n > 0);
	for (int i = 0; i < n; i++)
	{
		free(by[i].cache);
		free(by[i].plans);
	}
	return same;
}

/* ---------------------------------------------------------------- what is refused, and room */

static void
test_refusals(void)
{
	EbProfileValue some[] = {{.energy_wh = 5}, {.energy_wh = -1}};
	EbProfileDraft draft = {.start_us = 0, .step_s = 900, .n = 2, .value = some};
	uint8_t bytes[100];
	size_t size;
	EbFault fault;
	EbProfile view;
	EbUsageSum sum;
	EbClassifier by;
	const EbTariff *tariff;

	tariff = kit_json_tariff("{'elecbill':1,'currency':'GBP','zone':'Europe/London','components':["
							 "{'code':'energy','kind':'energy','price':1}]}",
							 &fault);
	eb_classifier_init(&by, tariff, &london);
	eb_usage_sum_init(&sum, &kit_memory, &by, 1);
	CHECK_INT(eb_profile_size(&draft, &size, &fault), EB_OK);
	eb_profile_write(&draft, bytes);
	CHECK_INT(eb_profile_open(bytes, size, &view, &fault), EB_OK);
	CHECK_INT(eb_usage_add_profile(&sum, &by, &view, false, &fault), EB_BAD_ARGUMENT);
	CHECK_STR(fault.message, "energy of an interval must not be negative");
	kit_memory_end();
}

/* More days than there are plans, each of them asked for twice */
static void
test_many_plans(void)
{
	static EbProfileValue some[96];
	EbProfileDraft draft = {.step_s = 900, .n = 96, .value = some};
	uint8_t bytes[400];
	size_t size;
	EbFault fault;
	EbProfile view;
	EbUsageSum sum;
	EbClassifier by;
	EbUsage usage;
	int64_t total = 0;

	eb_classifier_init(&by,
					   kit_json_tariff("{'elecbill':1,'currency':'GBP','zone':'Europe/London',"
									   "'schedules':{'tou':[{'period':'a','spans':[['07:00',"
									   "'19:00']]},{'period':'b'}]},'components':[{'code':'energy',"
									   "'kind':'energy','price':{'period':{'a':1,'b':2}}}]}",
									   &fault),
					   &london);
	by.cache = malloc(sizeof(EbTouCache));
	eb_tou_cache_init(by.cache, by.tariff, by.zone);
	by.plans = malloc(sizeof(EbPlans));
	eb_plans_init(by.plans);
	eb_usage_sum_init(&sum, &kit_memory, &by, 1);
	for (int i = 0; i < 96; i++)
		some[i].energy_wh = i;
	for (int day = 0; day < 5000; day++)
	{
		draft.start_us = day * EB_DAY_US;
		eb_profile_size(&draft, &size, &fault);
		eb_profile_write(&draft, bytes);
		eb_profile_open(bytes, size, &view, &fault);
		for (int i = 0; i < 2; i++)
			CHECK_INT(eb_usage_add_profile(&sum, &by, &view, false, &fault), EB_OK);
	}
	CHECK_INT(eb_usage_finish(&sum, &by, false, &kit_memory, &usage, &fault), EB_OK);
	for (int i = 0; i < usage.nparts * usage.ncells; i++)
		total += usage.cell[i];
	CHECK_INT(total, INT64_C(5000) * 2 * (95 * 96 / 2) * 1000);
	free(by.cache);
	free(by.plans);
	kit_memory_end();
}

int
main(void)
{
	const char *wanted = getenv("EB_CASES");
	int cases = wanted != NULL ? (int) strtol(wanted, NULL, 10) : CASES;
	int refused = 0;

	kit_seed("usage_profile");
	test_refusals();
	test_many_plans();
	for (int i = 0; i < cases; i += 20)
	{
		EbFault fault;
		const EbTariff *tariff = draw_tariff(&fault);

		if (tariff == NULL && refused++ < 3)
			printf("%s: %s\n%s\n", fault.message, fault.detail, text.data);
		if (tariff != NULL && !test_tariff(tariff))
		{
			printf("in case %d: %s\n", i, text.data);
			break;
		}
	}
	CHECK_INT(refused, 0);
	CHECK(ndays > cases / 200);
	return check_done("test_usage_profile");
}
