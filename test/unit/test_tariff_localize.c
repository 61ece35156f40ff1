/*
 * test_tariff_localize.c -- series and events in the zone of the tariff, planes, linear prices
 * The zone of kit_json.h is eight hours east of Greenwich.
 */
#include "check.h"
#include "kit_json.h"
#include "kit_lint.h"
#include "rating/price.h"
#include "rating/tariff_check.h"

static EbFault fault;

static const EbTariff *
compiled(const char *head, const char *components)
{
	const EbTariff *tariff = kit_json_tariff(around(head, components), &fault);

	if (!CHECK(tariff != NULL))
		printf("    %s: %s\n", fault.message, fault.detail);
	return tariff;
}

static const EbSeries *
only_series(const EbTariff *tariff)
{
	return EB_ARRAY(tariff, EbSeries, tariff->series);
}

/* "0:-1 1:-1 0:2" -- channel:series of the planes */
static const char *
planes(const EbTariff *tariff)
{
	static char text[200];
	const EbPlane *plane = EB_ARRAY(tariff, EbPlane, tariff->plane);
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < tariff->plane.n; i++)
		len += (size_t) snprintf(text + len, sizeof(text) - len, "%s%d:%d", i > 0 ? " " : "",
								 plane[i].channel, plane[i].series);
	return text;
}

#define SERIES_ENERGY "{'code':'e','kind':'energy','price':{'series':'s'}}"

static void
test_series_kinds(void)
{
	const EbTariff *tariff =
		compiled("'series':{'s':[['2026-01-01',0.5],['2026-02-01T00:00:00',0.6]"
				 ",['2026-02-28T16:00:00Z',0.7]]},",
				 SERIES_ENERGY);
	const EbPoint *point = EB_ARRAY(tariff, EbPoint, only_series(tariff)->point);

	CHECK_INT(only_series(tariff)->kind, EB_SERIES_DAYS);
	CHECK_INT(point[0].day, eb_day_from_date(2026, 1, 1));
	CHECK_INT(point[0].at_us, point[0].day * EB_DAY_US - 8 * 60 * EB_MINUTE_US);
	CHECK_INT(point[1].day, eb_day_from_date(2026, 2, 1));
	CHECK_INT(point[2].day, eb_day_from_date(2026, 3, 1));
	CHECK_STR(planes(tariff), "0:-1");
	tariff = compiled("'series':{'s':[['2026-01-01',0.5],['2026-02-01T00:30:00+08:00',0.6]]},",
					  SERIES_ENERGY);
	CHECK_INT(only_series(tariff)->kind, EB_SERIES_INSTANT);
	CHECK_STR(planes(tariff), "0:-1 0:0");
	tariff = compiled("'series':{'s':{'by':'bill_month','points':[['2026-01-01T00:30:00',0.5]]}},",
					  SERIES_ENERGY);
	CHECK_INT(only_series(tariff)->kind, EB_SERIES_BILL_MONTH);
	CHECK_STR(planes(tariff), "0:-1");
	tariff = compiled("'series':{'s':'usage'},", SERIES_ENERGY);
	CHECK_INT(only_series(tariff)->kind, EB_SERIES_USAGE);
	CHECK_INT(only_series(tariff)->point.n, 0);
	CHECK_STR(planes(tariff), "0:-1 0:0");
	CHECK(kit_json_tariff(around("'series':{'s':'day-ahead'},", SERIES_ENERGY), &fault) == NULL);
	CHECK_STR(fault.message, "a series of the tariff is not filled in");
	/* a date and an instant may be the same moment: here they are a minute apart the wrong way */
	CHECK(kit_json_tariff(around("'series':{'s':[['2026-01-02',1],['2026-01-01T15:59:00Z',2]]},",
								 SERIES_ENERGY),
						  &fault) == NULL);
	CHECK_STR(fault.detail, "series.s: point 1 is not after the point before it");
}

static void
test_events(void)
{
	const EbTariff *tariff = compiled(
		"'events':{'a':[['2026-01-01','2026-01-02']],'b':[['2026-01-01T08:00:00+08:00',"
		"'2026-01-01T01:00:00Z'],['2026-01-02T08:00:00','2026-01-03']]},'schedules':{'s':["
		"{'period':'x','event':'b'},{'period':'y'}]},'demands':{'m':{'event':'a'},'n':{}},",
		ENERGY);
	const EbEvent *event = EB_ARRAY(tariff, EbEvent, tariff->event);
	const EbInstantRange *range = EB_ARRAY(tariff, EbInstantRange, event[1].range);
	const EbSchedule *schedule = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	const EbRule *rule = EB_ARRAY(tariff, EbRule, schedule->rule);
	const EbDemand *demand = EB_ARRAY(tariff, EbDemand, tariff->demand);
	int64_t day_us = eb_day_from_date(2026, 1, 1) * EB_DAY_US;

	CHECK_INT(tariff->event.n, 2);
	CHECK_INT(range[0].from_us, day_us);
	CHECK_INT(range[0].to_us, day_us + 60 * EB_MINUTE_US);
	CHECK_INT(range[1].from_us, day_us + EB_DAY_US);
	CHECK_INT(range[1].to_us, day_us + 40 * 60 * EB_MINUTE_US);
	CHECK_INT(rule[0].event, 1);
	CHECK_INT(rule[1].event, EB_NONE);
	CHECK_INT(demand[0].event, 0);
	CHECK_INT(demand[1].event, EB_NONE);
	CHECK(kit_json_tariff(around("'events':{'e':[['2026-01-02','2026-01-01T16:00:00Z']]},", ENERGY),
						  &fault) == NULL);
	CHECK_STR(fault.detail, "events.e[0]: the range ends before it begins");
}

#define CODE "{'code':'e','kind':'energy',"

static void
test_planes(void)
{
	CHECK_STR(planes(compiled("", ENERGY)), "0:-1");
	CHECK_STR(planes(compiled("", "{'code':'e','kind':'reactive','price':1}")), "0:-1 2:-1");
	CHECK_STR(planes(compiled("", "{'code':'e','kind':'credit','price':1}")), "0:-1 1:-1");
	CHECK_STR(planes(compiled("", CODE "'quantity':'net_kwh','price':1}")), "0:-1 1:-1");
	CHECK_STR(planes(compiled("", CODE "'price':1,'when':{'qty':{'export_kvarh':{'gt':0}}}}")),
			  "0:-1 3:-1");
	CHECK_STR(planes(compiled("", CODE "'price':1,'factor_if':[{'factor':2,'if':{'ratio':{'of':"
									   "'import_kvarh','to':'import_kwh','gt':0}}}]}")),
			  "0:-1 2:-1");
	CHECK_STR(planes(compiled("", CODE "'tier':{'mode':'volume','by':'export_kwh','steps':[{'price'"
									   ":1}]}}")),
			  "0:-1 1:-1");
	CHECK_STR(planes(compiled("'losses':[{'code':'c','kind':'copper','kva':'attr:contract_kva',"
							  "'load_kw':4}],",
							  ENERGY)),
			  "0:-1 2:-1");
	CHECK_STR(planes(compiled("'demands':{'m':{'quantity':'import_kva'}},", ENERGY)), "0:-1 2:-1");
	CHECK_STR(planes(compiled("'demands':{'m':{'quantity':'export_kw'}},", ENERGY)), "0:-1 1:-1");
	CHECK_STR(planes(compiled("'net':{'mode':'offset_kwh'},", ENERGY)), "0:-1 1:-1");
	CHECK_STR(planes(compiled("", ENERGY ",{'code':'f','kind':'power_factor','table':'cn'}")),
			  "0:-1 2:-1");
	CHECK_STR(
		planes(compiled("'series':{'d':[['2026-01-01',1]],'s':[['2026-01-01T01:00:00',1]],'u':"
						"'usage'},",
						"{'code':'n','kind':'energy','quantity':'net_kwh','price':{'add':[{"
						"'series':'s'},{'series':'d'}]}},{'code':'u','kind':'energy','price':{"
						"'series':'u'}}")),
		"0:-1 1:-1 0:1 0:2 1:1");
}

static void
test_flags(void)
{
	const EbTariff *tariff = compiled("", ENERGY);

	CHECK_INT(tariff->by_day + tariff->in_order + tariff->sessions, 0);
	CHECK_INT(compiled("", CODE "'tier':{'scope':'day','steps':[{'price':1}]}}")->by_day, 1);
	CHECK_INT(compiled("", CODE "'price':1,'when':{'not_days':['sun']}}")->by_day, 1);
	CHECK_INT(compiled("", "{'code':'i','kind':'idle','price':1,'when':{'days':['sun']}}")->by_day,
			  0);
	CHECK_INT(compiled("", CODE "'tier':{'order':'time','steps':[{'price':1}]}}")->in_order, 1);
	CHECK_INT(compiled("", CODE "'tier':{'scope':'interval','steps':[{'price':1}]}}")->in_order, 1);
	CHECK_INT(compiled("", "{'code':'i','kind':'idle','price':1}")->sessions, 1);
	CHECK_INT(compiled("", CODE "'price':1,'when':{'kw':{'ge':5}}}")->sessions, 1);
	CHECK_INT(compiled("", CODE "'price':1,'step_wh':5}")->sessions, 1);
}

/* What a price that changes inside days must not do, with its path */
static void
test_linear_use(void)
{
#define SPOT "'series':{'s':[['2026-01-01T01:00:00',1]],'u':'usage'},"
#define REFUSED(head, components, want)                                   \
	do                                                                    \
	{                                                                     \
		CHECK(kit_json_tariff(around(head, components), &fault) == NULL); \
		CHECK_STR(fault.detail, want);                                    \
	} while (0)
	static const char *const inside = "cannot read a series that changes inside days";
	char want[200];

	compiled(SPOT, CODE "'price':{'mul':[1.2,{'series':'s'}]}}");
	compiled(SPOT,
			 CODE "'price':{'series':'s'},'tier':{'mode':'adder','steps':[{'up_to':5},{'price'"
				  ":1}]}}");
	REFUSED(SPOT, CODE "'price':{'mul':[1.2,{'series':'s'}],'round':{'step':0.01}}}",
			"series: a price that changes inside days cannot be rounded");
	REFUSED(SPOT, CODE "'price':{'add':[1,{'mul':[{'series':'u'},{'series':'s'}]}]}}",
			"series: prices that change inside days cannot be multiplied");
	REFUSED(SPOT "'round':{'price':{'step':0.01}},", CODE "'price':{'series':'s'}}",
			"components[0].price: changes inside days, so it cannot be rounded (round.price)");
	REFUSED(SPOT "'round':{'quantity':{'step':1}},", CODE "'price':{'series':'u'}}",
			"components[0].price: changes inside days, so the quantity cannot be rounded "
			"(round.quantity)");
	REFUSED(SPOT, CODE "'price':{'series':'s'},'tier':{'steps':[{'up_to':5},{'price':1}]}}",
			"components[0].tier: a price that changes inside days has no tiers but of mode "
			"\"adder\"");
	snprintf(want, sizeof(want), "components[0].tier: %s", inside);
	REFUSED(SPOT, CODE "'tier':{'steps':[{'up_to':5,'price':{'series':'s'}},{'price':1}]}}", want);
	REFUSED(SPOT, CODE "'price':1,'tier':{'steps':[{'up_to':{'series':'s'}},{'price':1}]}}", want);
	snprintf(want, sizeof(want), "components[1].percent: %s", inside);
	REFUSED(SPOT, ENERGY ",{'code':'p','kind':'percent','percent':{'series':'s'}}", want);
	snprintf(want, sizeof(want), "components[1].amount: %s", inside);
	REFUSED(SPOT, ENERGY ",{'code':'p','kind':'minimum','amount':{'series':'s'}}", want);
	snprintf(want, sizeof(want), "components[0].price: %s", inside);
	REFUSED(SPOT, "{'code':'f','kind':'fixed','price':{'series':'s'}}", want);
	/* all of it is fine for a series that changes at midnight */
	compiled("'series':{'s':[['2026-01-01',1]]},'round':{'price':{'step':0.01}},",
			 "{'code':'f','kind':'fixed','price':{'mul':[{'series':'s'},{'series':'s'}],'round':{"
			 "'step':0.1}}}");
}

static void
test_versions(void)
{
	const char *text =
		"{'elecbill':1,'versions':[{'version':7,'valid':[null,'2026-01-01'],'tariff':"
		"{'elecbill':1,'code':'t','currency':'CNY','components':[{'code':'e','kind':"
		"'energy','price':1}]}},{'version':9,'valid':['2026-01-01','2027-01-01'],"
		"'tariff':{'elecbill':1,'code':'t','currency':'CNY','series':{'s':[["
		"'2026-01-01',1]]},'round':{'total':{'step':0.05}},'components':[{'code':'f',"
		"'kind':'fixed','price':{'series':'s'}},{'code':'e','kind':'energy','price':2}"
		"]}}]}";
	const EbTariff *tariff = kit_json_tariff(text, &fault);
	const EbVersion *version;
	const EbTariff *second;

	if (!CHECK(tariff != NULL))
		return;
	version = EB_ARRAY(tariff, EbVersion, tariff->version);
	CHECK_INT(tariff->version.n, 2);
	CHECK_INT(tariff->component.n, 0);
	CHECK_INT(tariff->round_total.step_n, EB_ONE / 20);
	CHECK_INT(version[0].number, 7);
	CHECK_INT(version[0].valid_from, INT32_MIN);
	CHECK_INT(version[1].valid_from, eb_day_from_date(2026, 1, 1));
	CHECK_INT(version[1].valid_to, eb_day_from_date(2027, 1, 1));
	CHECK_INT(eb_version_tariff(tariff, &version[0])->component.n, 1);
	second = eb_version_tariff(tariff, &version[1]);
	CHECK_INT(second->component.n, 2);
	CHECK_INT(only_series(second)->kind, EB_SERIES_DAYS);
	CHECK(
		kit_json_tariff("{'elecbill':1,'versions':[{'version':1,'tariff':{'elecbill':1,'currency':"
						"'CNY','series':{'s':'usage'},'components':[{'code':'f','kind':'fixed',"
						"'price':{'series':'s'}}]}}]}",
						&fault) == NULL);
	CHECK_STR(fault.detail, "versions[0].tariff.components[0].price: cannot read a series that "
							"changes inside days");
}

static const char *
classifier(const char *head, const char *components)
{
	static char buf[2][4000];
	static int next = 0;
	const EbTariff *tariff = compiled(head, components);
	size_t used;

	next = 1 - next;
	CHECK_INT(eb_tariff_classifier(kit_json(around(head, components)), tariff, buf[next],
								   sizeof(buf[next]) - 1, &used),
			  EB_OK);
	buf[next][used] = '\0';
	return buf[next];
}

#define SAME(head, other) \
	CHECK_STR(classifier(head, SERIES_ENERGY), classifier(other, SERIES_ENERGY))
#define DIFFER(head, other) \
	CHECK(strcmp(classifier(head, SERIES_ENERGY), classifier(other, SERIES_ENERGY)) != 0)

/* What shares a summary: of series by day the dates, of others all, of those by month nothing */
static void
test_classifier(void)
{
	SAME("'series':{'s':[['2026-01-01',1]]},", "'series':{'s':[['2026-01-01',2]]},");
	DIFFER("'series':{'s':[['2026-01-01',1]]},", "'series':{'s':[['2026-01-02',1]]},");
	DIFFER("'series':{'s':[['2026-01-01T01:00:00',1]]},",
		   "'series':{'s':[['2026-01-01T01:00:00',2]]},");
	SAME("'series':{'s':[['2026-01-01T01:00:00',1]]},",
		 "'series':{'s':[['2025-12-31T17:00:00Z',1.0]]},");
	SAME("'series':{'s':{'by':'bill_month','points':[['2026-01-01',1]]}},",
		 "'series':{'s':{'by':'bill_month','points':[['2026-02-01',2]]}},");
	DIFFER("'series':{'s':'usage'},", "'series':{'s':[['2026-01-01',1]]},");
#define MORE(head) "'series':{'s':'usage'}," head
	SAME(MORE("'demands':{'m':{}},"), MORE("'demands':{'m':{'floor_kw':5,'round':{'step':1},"
										   "'ratchet':{'lookback':3,'percent':80}}},"));
	DIFFER(MORE("'demands':{'m':{}},"), MORE("'demands':{'m':{'window':30}},"));
	DIFFER(MORE("'demands':{'m':{}},"), MORE("'demands':{'n':{}},"));
	DIFFER(MORE(""), MORE("'demands':{'n':{}},"));
	SAME(MORE(""), MORE("'losses':[{'code':'l','kind':'percent','percent':3}],"));
	DIFFER(MORE(""), MORE("'net':{'mode':'billing'},"));
	DIFFER(MORE(""), MORE("'events':{'e':[['2026-01-01','2026-01-02']]},"));
	/* a day more that is asked for makes parts of days */
	CHECK(strcmp(classifier("", "{'code':'e','kind':'energy','price':1}"),
				 classifier(
					 "", "{'code':'e','kind':'energy','price':1,'when':{'days':['sun']}}")) != 0);
	CHECK(strcmp(classifier("", "{'code':'e','kind':'energy','price':1}"),
				 classifier("", "{'code':'e','kind':'reactive','price':1}")) != 0);
}

/* Every byte of a block, changed in turn: the check answers, and never twice otherwise */
static void
test_check(void)
{
	static int64_t copy[4000];
	const EbTariff *tariff = compiled(
		TOU "'series':{'s':[['2026-01-01',1]]},'demands':{'m':{}},", CODE
		"'price':{'period':{'peak':{'series':'s'},'*':1}},'tier':{'steps':[{'up_to':5},{'price'"
		":1}]}},{'code':'d','kind':'demand','demand':'m','price':1}");
	size_t size = tariff->size;
	unsigned char *byte = (unsigned char *) copy;
	int refused = 0;

	CHECK(size <= sizeof(copy));
	memcpy(copy, tariff, size);
	CHECK_INT(eb_tariff_check(copy, size, &fault), EB_OK);
	CHECK_INT(eb_tariff_check(copy, size - 8, &fault), EB_BAD_ARGUMENT);
	CHECK_STR(fault.detail, "What is wrong: size.");
	for (size_t i = 0; i < size; i++)
	{
		byte[i] ^= 0x80;
		refused += eb_tariff_check(copy, size, &fault) == EB_BAD_ARGUMENT;
		byte[i] ^= 0x80;
	}
	CHECK(refused > (int) size / 4);
	CHECK_INT(eb_tariff_check(copy, size, &fault), EB_OK);
}

int
main(void)
{
	test_series_kinds();
	test_events();
	test_planes();
	test_flags();
	test_linear_use();
	test_versions();
	test_classifier();
	test_check();
	return check_done("tariff_localize");
}
