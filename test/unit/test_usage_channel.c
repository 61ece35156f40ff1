/*
 * test_usage_channel.c -- channels, prices, versions and demands of usage, worked out by hand
 */
#include "check.h"
#include "kit_json.h"
#include "kit_memory.h"
#include "rating/register.h"

#define HOUR_US (60 * EB_MINUTE_US)

static const EbZoneSpan shanghai_span[] = {{INT64_MIN, 28800}};
static const EbZone shanghai = {shanghai_span, 1};

static int64_t
local(int year, int month, int day, int hour, int minute)
{
	return eb_day_from_date(year, month, day) * EB_DAY_US + (hour - 8) * HOUR_US +
		   minute * EB_MINUTE_US;
}

/* Classifies for the tariff of the test */
static EbClassifier of[2];
static int nof;

static void
use(const char *json)
{
	EbFault fault;
	const EbTariff *tariff = kit_json_tariff(json, &fault);

	if (tariff == NULL)
	{
		fprintf(stderr, "%s: %s\n", fault.message, fault.detail);
		abort();
	}
	nof = eb_classifier_count(tariff);
	eb_classifier_init(of, tariff, &shanghai);
	for (int i = 0; i < nof; i++)
	{
		of[i].cache = kit_resize(NULL, NULL, sizeof(EbTouCache));
		eb_tou_cache_init(of[i].cache, of[i].tariff, of[i].zone);
	}
}

static EbUsageSum
empty(void)
{
	EbUsageSum sum;

	CHECK_INT(eb_usage_sum_init(&sum, &kit_memory, of, nof), EB_OK);
	return sum;
}

static EbUsage
end(const EbUsageSum *sum)
{
	EbUsage usage;
	EbFault fault;

	CHECK_INT(eb_usage_finish(sum, of, nof > 1, &kit_memory, &usage, &fault), EB_OK);
	return usage;
}

#define HEAD "{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai',"
#define SPOT                                                                         \
	HEAD "'series':{'s':[['2026-02-03T00:00:00Z',0.5],['2026-02-03T03:30:00Z',1]]}," \
		 "'components':[{'code':'e','kind':'energy','price':{'series':'s'}},"        \
		 "{'code':'c','kind':'credit','price':1}]}"

/* 2 kWh from 10:00 to 12:00, the price doubles at 11:30: 1.5 x 0.5 + 0.5 x 1 */
static void
test_price_changes(void)
{
	EbUsageRow row = {.from_us = local(2026, 2, 3, 10, 0),
					  .to_us = local(2026, 2, 3, 12, 0),
					  .energy_ukwh = 2 * EB_KWH,
					  .price_n = 7};
	EbUsageSum sum;
	EbUsage usage;
	EbFault fault;

	use(SPOT);
	sum = empty();
	CHECK_INT(eb_usage_add(&sum, of, &row, &fault), EB_OK);
	CHECK(row.crossed);
	usage = end(&sum);
	CHECK_INT(usage.ncells, 4); /* import, export, import x s */
	CHECK_INT(usage.cell[0], 2 * EB_KWH);
	CHECK(eb_money_cells(usage.cell + 2) == (eb_int128) 1250000 * EB_ONE);
	CHECK_INT(usage.channels, 1u << EB_IMPORT_KWH);

	/* before the first point there is no price: an error, never 0 */
	row.from_us = local(2026, 2, 3, 7, 59);
	CHECK_INT(eb_usage_add(&sum, of, &row, &fault), EB_UNKNOWN);
	CHECK_STR(fault.message, "price of an interval is not known");
	CHECK_STR(fault.detail, "Series \"s\" has none there.");
	/* what does not need the price does not ask for it */
	row.channel = EB_EXPORT_KWH;
	CHECK_INT(eb_usage_add(&sum, of, &row, &fault), EB_OK);
}

static void
test_price_of_row(void)
{
	EbUsageRow row = {.from_us = local(2026, 2, 3, 10, 0),
					  .to_us = local(2026, 2, 3, 11, 0),
					  .energy_ukwh = 3,
					  .price_n = -500000000};
	EbUsageSum sum;
	EbUsage usage;
	EbFault fault;

	use(HEAD
		"'series':{'s':'usage'},'components':[{'code':'e','kind':'energy','price':{'series':'s'}}]}");
	sum = empty();
	CHECK_INT(eb_usage_add(&sum, of, &row, &fault), EB_OK);
	usage = end(&sum);
	CHECK(eb_money_cells(usage.cell + 1) == (eb_int128) -1500000000);
	CHECK_INT(usage.cell[1], -1); /* high and low: the low one is never negative */
	CHECK_INT(usage.cell[2], EB_MONEY_LOW - 1500000000);
	row.price_n = EB_NO_PRICE;
	CHECK_INT(eb_usage_add(&sum, of, &row, &fault), EB_UNKNOWN);
	CHECK_STR(fault.hint, "Give usage() the price of each row.");
	/* money may leave its cells though energy does not */
	row.price_n = INT64_MAX;
	row.energy_ukwh = INT64_C(2000000000000);
	CHECK_INT(eb_usage_add(&sum, of, &row, &fault), EB_OUT_OF_RANGE);
}

/* The channel that lacks most says what is missing; one that nobody needs says nothing */
static void
test_missing_of_channels(void)
{
	EbUsageSum sum;
	EbUsage usage;
	EbUsageRow row = {.from_us = local(2026, 2, 3, 8, 0), .price_n = EB_NO_PRICE};
	EbFault fault;

	use(SPOT);
	sum = empty();
	for (int channel = 0; channel < EB_NCHANNELS; channel++)
	{
		row.channel = (EbChannel) channel;
		row.to_us = local(2026, 2, 3, channel == EB_EXPORT_KWH ? 11 : 20 - channel, 0);
		CHECK_INT(eb_usage_add(&sum, of, &row, &fault), EB_OK);
	}
	usage = end(&sum);
	CHECK_INT(usage.to_us, local(2026, 2, 3, 20, 0));
	CHECK_INT(usage.missing_s, 9 * 3600);
	CHECK_INT(usage.quality, EB_MISSING);
	CHECK_INT(usage.channels, 1u << EB_IMPORT_KWH | 1u << EB_EXPORT_KWH);
}

#define CHANGES                                                                                   \
	"{'elecbill':1,'versions':[{'version':1,'valid':['2026-01-01','2026-02-04'],'tariff':" DEMAND \
	"},{'version':2,'valid':['2026-02-04','2026-03-01'],'tariff':" DEMAND "}]}"
#define DEMAND                                                     \
	HEAD "'demands':{'d':{'window':30,'slide':15}},'components':[" \
		 "{'code':'e','kind':'energy','price':1},"                 \
		 "{'code':'d','kind':'demand','demand':'d','price':1}]}"

/* 1, 2, 4 and 8 kWh in the quarters around midnight, where the tariff changes */
static void
test_versions(void)
{
	int64_t at_us = local(2026, 2, 3, 23, 30);
	EbUsageSum sum;
	EbUsage usage;
	EbFault fault;
	EbUsageRow row;

	use(CHANGES);
	sum = empty();
	for (int i = 0; i < 4; i++, at_us += 15 * EB_MINUTE_US)
	{
		row = (EbUsageRow){.from_us = at_us,
						   .to_us = at_us + 15 * EB_MINUTE_US,
						   .energy_ukwh = EB_KWH << i,
						   .price_n = EB_NO_PRICE};
		CHECK_INT(eb_usage_add(&sum, of, &row, &fault), EB_OK);
	}
	usage = end(&sum);
	CHECK_INT(usage.nsub, 2);
	CHECK_INT(usage.nparts, 0);
	CHECK_INT(usage.sub[0].to_us, local(2026, 2, 4, 0, 0));
	CHECK_INT(usage.sub[1].from_us, local(2026, 2, 4, 0, 0));
	CHECK_INT(usage.sub[0].cell[0], 3 * EB_KWH);
	CHECK_INT(usage.sub[1].cell[0], 12 * EB_KWH);
	/* the window from 23:45 to 00:15 belongs to the day on which it starts */
	CHECK_INT(usage.sub[0].npeaks, 1);
	CHECK_INT(usage.sub[0].peak[0].ukw, 12 * EB_KWH);
	CHECK_INT(usage.sub[0].peak[0].at_us, local(2026, 2, 3, 23, 45));
	CHECK_INT(usage.sub[1].npeaks, 1);
	CHECK_INT(usage.sub[1].peak[0].ukw, 24 * EB_KWH);

	row.to_us = local(2026, 3, 1, 1, 0);
	row.from_us = row.to_us - 2 * HOUR_US;
	CHECK_INT(eb_usage_add(&sum, of, &row, &fault), EB_UNKNOWN);
	CHECK_STR(fault.message, "the tariff has no version of 2026-03-01");
}

/* A difference over more than an hour says nothing of half an hour */
static void
test_register_demand(void)
{
	EbRegisterValue value[3];
	EbUsageSum sum;
	EbUsage usage;
	EbFault fault;

	use(DEMAND);
	value[0] = eb_register_value(local(2026, 2, 3, 8, 0), 0, false);
	value[1] = eb_register_value(local(2026, 2, 3, 9, 0), 6000, false);
	value[2] = eb_register_value(local(2026, 2, 3, 11, 0), 60000, false);
	sum = empty();
	CHECK_INT(eb_register_usage(value, 3, 0, EB_IMPORT_KWH, &sum, of, &fault), EB_OK);
	usage = end(&sum);
	CHECK_INT(usage.npeaks, 1);
	CHECK_INT(usage.peak[0].ukw, 6 * EB_KWH);
	CHECK_INT(usage.cell[0], 60 * EB_KWH);
	/* a register of a channel that nobody needs leaves no trace */
	sum = empty();
	CHECK_INT(eb_register_usage(value, 3, 0, EB_EXPORT_KWH, &sum, of, &fault), EB_OK);
	CHECK(sum.from_us > sum.to_us);
	CHECK_INT(end(&sum).from_us, INT64_MIN);
}

int
main(void)
{
	test_price_changes();
	test_price_of_row();
	test_missing_of_channels();
	test_versions();
	test_register_demand();
	kit_memory_end();
	return check_done("test_usage_channel");
}
