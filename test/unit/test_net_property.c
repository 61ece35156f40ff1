/*
 * test_net_property.c -- random years of import and export, bill after bill, in every net mode
 * The seed is printed; EB_SEED=n repeats a run. Each bill begins with what the one before says that
 * it carries on. The oracle keeps the accounts itself, period by period. Properties of the tariff
 * reference, section 7: 7 (kWh in = kWh out), 18 (offset with no export, and with export = import);
 * and: credit in + earned = used + paid + lost + credit out, of money and of kWh.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "kit_net.h"

#define YEARS 1200 /* of each tariff: 100,000 bills in all */
#define MONTHS 14
#define PERIODS 3

/* 0.7, 0.4, 0.9 to buy, 0.3, 0.2, 0.5 to sell, in order of the rules */
static const int64_t buy_n[PERIODS] = {700000000, 400000000, 900000000};
static const int64_t sell_n[PERIODS] = {300000000, 200000000, 500000000};
#define TRUE_UP_N INT64_C(250000000)

#define HEAD                                                                                           \
	"{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai','round':{'line':null},'schedules':{'tou':[" \
	"{'period':'a','spans':[['08:00','12:00']]},{'period':'b','spans':[['12:00','20:00']]},"           \
	"{'period':'c'}]},'components':[{'code':'energy','kind':'energy',"                                 \
	"'price':{'period':{'a':0.7,'b':0.4,'c':0.9}}},{'code':'fixed','kind':'fixed','price':5}"
#define SELLS ",{'code':'credit','kind':'credit','price':{'period':{'a':0.3,'b':0.2,'c':0.5}}}"
#define NET(rest) "],'net':{" rest "}}"

/* A tariff, and what the oracle knows of it */
typedef struct Program
{
	const char *json;
	bool kwh;	 /* the account is of kWh */
	bool cancel; /* kWh cancel kWh of their period */
	bool offset; /* ... or of all periods, b first */
	bool own;	 /* money earned may pay the same bill */
	int settle;	 /* month; 0: never */
	bool pays;	 /* the settlement does; else it takes */
} Program;

static const Program program[] = {
	{HEAD NET("'true_up_price':0.25,'mode':'rollover_kwh'"), true, true, false, false, 12, true},
	{HEAD NET("'true_up_price':0.25,'mode':'rollover_kwh','settle_month':4,'expire':true"), true,
	 true, false, false, 4, false},
	{HEAD NET("'true_up_price':0.25,'mode':'offset_kwh','order':['b','a']"), true, false, true,
	 false, 12, true},
	{HEAD NET("'true_up_price':0.25,'mode':'offset_kwh','order':['b','a'],'settle':'carry'"), true,
	 false, true, false, 0, false},
	{HEAD SELLS NET("'mode':'rollover_money'"), false, true, false, true, 12, true},
	{HEAD SELLS NET("'mode':'billing_carry','settle_month':7"), false, false, false, false, 7,
	 true},
	{HEAD SELLS NET("'mode':'billing_carry','same_month':true,'expire':true"), false, false, false,
	 true, 12, false},
};

#define NPROGRAMS ((int) (sizeof(program) / sizeof(program[0])))

static uint64_t state;

/* splitmix64 */
static uint64_t
next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int64_t
below(int64_t n)
{
	return (int64_t) (next() % (uint64_t) n);
}

/* kWh of a month and period: often none, now and then plenty, with all six decimals */
static int64_t
random_kwh(void)
{
	switch (below(4))
	{
		case 0:
			return 0;
		case 1:
			return below(INT64_C(2000000000));
		default:
			return below(INT64_C(400000000));
	}
}

/* The oracle's books */
typedef struct Book
{
	int64_t kwh[PERIODS];
	int64_t running;
	eb_int128 money;
} Book;

/* What the bill says */
typedef struct Said
{
	int64_t energy[PERIODS];
	int64_t cancelled[PERIODS];
	int64_t carried[PERIODS];
	int64_t carried_all; /* the carry line without a period */
	int64_t paid_kwh;
	int64_t lost_kwh;
	eb_int128 earned;
	eb_int128 used;
	eb_int128 paid;
	eb_int128 lost;
	eb_int128 carried_money;
	eb_int128 credit;
	eb_int128 total;
} Said;

static Said
read_bill(void)
{
	Said said = {.total = 0};

	for (int i = 0; i < kit_nlines; i++)
	{
		const EbLine *line = &kit_line[i];
		bool kwh = line->unit == EB_UNIT_KWH;

		said.total += line->amount;
		if (line->role == EB_LINE_COMPONENT && line->component == 0)
			said.energy[line->slot] += line->quantity_u;
		if (line->role == EB_LINE_COMPONENT && line->component == 2)
			said.credit -= line->amount;
		if (line->role == EB_LINE_NET && kwh)
			said.cancelled[line->slot] += line->quantity_u;
		if (line->role == EB_LINE_NET && !kwh)
			said.used -= line->amount;
		if (line->role == EB_LINE_NET_CARRY && kwh && line->slot != EB_NONE)
			said.carried[line->slot] += line->quantity_u;
		if (line->role == EB_LINE_NET_CARRY && kwh && line->slot == EB_NONE)
			said.carried_all += line->quantity_u;
		if (line->role == EB_LINE_NET_CARRY && !kwh)
			said.carried_money += line->amount_raw;
		if (line->role == EB_LINE_NET_EARNED)
			said.earned += line->amount;
		if (line->role == EB_LINE_NET_PAID)
			said.paid -= line->amount;
		if (line->role == EB_LINE_NET_PAID && kwh)
			said.paid_kwh += line->quantity_u;
		if (line->role == EB_LINE_NET_LOST && kwh)
			said.lost_kwh += line->quantity_u;
		if (line->role == EB_LINE_NET_LOST && !kwh)
			said.lost += line->amount_raw;
	}
	return said;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* One bill of kWh by the oracle, and whether the engine says the same */
static bool
same_kwh(const Program *p, Book *book, const int64_t *import, const int64_t *export, bool settles,
		 const Said *said)
{
	static const int order[PERIODS] = {1, 0, 2};
	int64_t pool = book->kwh[0];
	int64_t sum = 0;
	eb_int128 total = (eb_int128) 5 * 1000000000000000;
	bool same = true;

	for (int i = 0; i < PERIODS; i++)
	{
		pool += export[i];
		sum += export[i] - import[i];
	}
	book->running = book->running + sum > 0 ? book->running + sum : 0;
	for (int k = 0; k < PERIODS; k++)
	{
		int i = order[k];
		int64_t have = p->offset ? pool : book->kwh[i] + export[i];
		int64_t used = least(have, import[i]);

		same = same && said->energy[i] == import[i] - used && said->cancelled[i] == used;
		total += (eb_int128) (import[i] - used) * buy_n[i];
		pool -= used;
		book->kwh[i] = p->offset ? 0 : have - used;
		if (!p->offset)
			same = same && said->carried[i] == (settles ? 0 : book->kwh[i]);
	}
	if (p->offset)
		book->kwh[0] = book->running = pool;
	same = same && said->carried_all == (settles ? 0 : book->running);
	same = same && said->paid_kwh == (settles && p->pays ? book->running : 0);
	same = same && said->lost_kwh == (settles && !p->pays ? book->running : 0);
	if (settles && p->pays)
		total -= (eb_int128) book->running * TRUE_UP_N;
	if (settles)
		memset(book, 0, sizeof(*book));
	return same && said->total == total;
}

static bool
same_money(const Program *p, Book *book, const int64_t *import, const int64_t *export, bool settles,
		   const Said *said)
{
	eb_int128 charge = 0;
	eb_int128 earned = 0;
	eb_int128 pool;
	eb_int128 used;
	bool same = true;

	for (int i = 0; i < PERIODS; i++)
	{
		int64_t own = p->cancel ? least(import[i], export[i]) : 0;

		same = same && said->energy[i] == import[i] - own && said->cancelled[i] == own;
		charge += (eb_int128) (import[i] - own) * buy_n[i];
		earned += (eb_int128) (export[i] - own) * sell_n[i];
	}
	pool = book->money + (p->own ? earned : 0);
	used = pool < charge ? pool : charge;
	book->money += earned - used;
	same = same && said->credit == earned && said->earned == earned && said->used == used;
	same = same && said->paid == (settles && p->pays ? book->money : 0);
	same = same && said->lost == (settles && !p->pays ? book->money : 0);
	same = same && said->carried_money == (settles ? 0 : book->money);
	same = same && said->total == charge + (eb_int128) 5 * 1000000000000000 - used - said->paid;
	if (settles)
		book->money = 0;
	return same;
}

/* ctx.credit from the lines of the bill before */
static void
carry_on(const Program *p, const Said *said)
{
	static const char *const name[PERIODS] = {"a", "b", "c"};

	kit_ctx.credit = kit_credit;
	kit_ctx.ncredit = 0;
	kit_ctx.credit_money = said->carried_money;
	for (int i = 0; i < PERIODS && p->kwh && !p->offset; i++)
		if (said->carried[i] != 0)
			kit_credit[kit_ctx.ncredit++] = (EbNamedQuantity){kit_text(name[i]), said->carried[i]};
	if (p->kwh)
		kit_credit[kit_ctx.ncredit++] = (EbNamedQuantity){kit_text(""), said->carried_all};
}

/* A month as the parts of its days; kWh by slot */
static EbUsage
month_usage(const EbTariff *tariff, int month, const int64_t *import, const int64_t *export)
{
	static int64_t cell[2 * PERIODS];
	static int64_t spare[2 * PERIODS];
	static int32_t part_day;
	int year = 2026 + (month - 1) / 12;
	int32_t first = eb_day_from_date(year, (month - 1) % 12 + 1, 1);
	int32_t end = eb_day_from_date(2026 + month / 12, month % 12 + 1, 1);
	EbUsage usage = {
		.from_us = eb_day_start(&kit_zone, first),
		.to_us = eb_day_start(&kit_zone, end),
		.nparts = 1,
		.nslots = PERIODS,
		.ncells = eb_usage_cells(tariff),
		.channels = 1u << EB_IMPORT_KWH | 1u << EB_EXPORT_KWH,
		.pf_u = EB_NO_PF,
		.part_day = &part_day,
		.cell = cell,
		.spare = spare,
	};
	int at = eb_plane_at(tariff, eb_plane_find(tariff, EB_EXPORT_KWH, EB_NONE));

	part_day = first;
	memcpy(cell, import, PERIODS * sizeof(int64_t));
	memcpy(cell + at, export, PERIODS * sizeof(int64_t));
	return usage;
}

static bool
rate_month(const EbTariff *tariff, int month, const int64_t *import, const int64_t *export)
{
	EbUsage usage = month_usage(tariff, month, import, export);

	return eb_rate(tariff, &kit_zone, &usage, &kit_ctx, kit_line, KIT_MAX_LINES, &kit_nlines,
				   &kit_fault) == EB_OK;
}

/* Fourteen bills in a row */
static bool
right_year(const EbTariff *tariff, const Program *p)
{
	Book book = {.running = 0};
	Said said = {.total = 0};

	for (int month = 1; month <= MONTHS; month++)
	{
		int64_t import[PERIODS];
		int64_t export[PERIODS];
		bool settles = (month - 1) % 12 + 1 == p->settle;

		for (int i = 0; i < PERIODS; i++)
		{
			import[i] = random_kwh();
			export[i] = random_kwh();
		}
		kit_begin(NULL, NULL);
		carry_on(p, &said);
		if (!rate_month(tariff, month, import, export))
			return false;
		said = read_bill();
		if (p->kwh ? !same_kwh(p, &book, import, export, settles, &said)
				   : !same_money(p, &book, import, export, settles, &said))
			return false;
	}
	return true;
}

/* Property 18, with tiers: no export is the plain bill; export = import leaves nothing to pay. */
#define TIERED                                                                                  \
	"{'elecbill':1,'currency':'CNY','zone':'Asia/Shanghai','schedules':{'tou':[{'period':'a',"  \
	"'spans':[['08:00','12:00']]},{'period':'b','spans':[['12:00','20:00']]},{'period':'c'}]}," \
	"'components':[{'code':'energy','kind':'energy','price':{'period':{'a':0.7,'b':0.4,"        \
	"'c':0.9}},'tier':{'mode':'adder','steps':[{'up_to':100,'price':0},{'price':0.1}]}},"       \
	"{'code':'levy','kind':'energy','price':0.01,'offset':false}]"

static void
check_offset(void)
{
	static EbLine plain[KIT_MAX_LINES];
	const int64_t none[PERIODS] = {0};
	int wrong = 0;

	for (int n = 0; n < 2000; n++)
	{
		const EbTariff *tariff = kit_json_tariff(TIERED "}", &kit_fault);
		int64_t import[PERIODS];
		int64_t all = 0;
		int nplain;
		bool same = true;
		EbUsage usage;

		for (int i = 0; i < PERIODS; i++)
			all += import[i] = random_kwh();
		kit_begin(NULL, NULL);
		usage = month_usage(kit_json_tariff(TIERED ",'net':{'mode':'offset_kwh'}}", &kit_fault), 3,
							import, none);
		usage.ncells = PERIODS;
		tariff = kit_json_tariff(TIERED "}", &kit_fault);
		same = eb_rate(tariff, &kit_zone, &usage, &kit_ctx, plain, KIT_MAX_LINES, &nplain,
					   &kit_fault) == EB_OK;
		tariff = kit_json_tariff(TIERED ",'net':{'mode':'offset_kwh'}}", &kit_fault);
		same = same && rate_month(tariff, 3, import, none) && kit_nlines == nplain &&
			   memcmp(plain, kit_line, sizeof(EbLine) * (size_t) nplain) == 0;
		same = same && rate_month(tariff, 3, import, import);
		for (int i = 0; i < kit_nlines; i++)
		{
			if (kit_line[i].component == 0)
				same = same && kit_line[i].quantity_u == 0 && kit_line[i].amount == 0;
			if (kit_line[i].component == 1)
				all -= kit_line[i].quantity_u;
		}
		wrong += !same || all != 0;
	}
	CHECK_INT(wrong, 0);
}

int
main(void)
{
	const char *given = getenv("EB_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);

	state = seed;
	printf("net_property: EB_SEED=%" PRIu64 "\n", seed);
	for (int i = 0; i < NPROGRAMS; i++)
	{
		const EbTariff *tariff = kit_json_tariff(program[i].json, &kit_fault);
		int wrong = 0;

		if (!CHECK(tariff != NULL))
			continue;
		for (int n = 0; n < YEARS; n++)
			wrong += !right_year(tariff, &program[i]);
		if (!CHECK_INT(wrong, 0))
			printf("    %s\n", program[i].json);
	}
	check_offset();
	return check_done("net_property");
}
