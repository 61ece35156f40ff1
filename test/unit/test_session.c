/*
 * test_session.c -- charging sessions: OCPI's examples by hand, steps, limits, tiers, bad input
 */
#include "check.h"
#include "kit_session.h"

#define TARIFF(components) "{'elecbill':1,'currency':'EUR','components':[" components "]}"
#define EXACT(components) \
	"{'elecbill':1,'currency':'EUR','round':{'line':null},'components':[" components "]}"

/* Example 5 of the tariff reference: periods, service fee, idle fee after 15 minutes */
static const char site[] =
	"{'elecbill':1,'code':'cn-ev-site','currency':'CNY','zone':'Asia/Shanghai',"
	"'schedules':{'tou':[{'period':'peak','spans':[['10:00','15:00'],['18:00','21:00']]},"
	"{'period':'flat','spans':[['07:00','10:00'],['15:00','18:00'],['21:00','23:00']]},"
	"{'period':'valley','spans':[['23:00','07:00']]}]},'components':["
	"{'code':'energy','kind':'energy','price':{'period':{'peak':1,'flat':0.7,'valley':0.4}}},"
	"{'code':'service','kind':'energy','price':0.8},"
	"{'code':'idle','kind':'idle','price':0.5,'per':'minute','step_s':60,'grace_s':900,'cap':30}]}";

static void
test_site(void)
{
	CHECK_STR(kit_rate_session(site, "2023-11-20T14:30; charge 120 20; idle 42.333333 0"),
			  "energy/peak 5 x 1 = 5; energy/flat 15 x 0.7 = 10.5; service 20 x 0.8 = 16; "
			  "idle 28 x 0.5 = 14");
	CHECK_STR(kit_session_total(site, "2023-11-20T14:30; charge 120 20; idle 42.333333 0"),
			  "45.5 45.5");
	CHECK_STR(kit_session_total(site, "2023-11-20T09:00; charge 600 40"), "67.2 67.2");
	CHECK_STR(kit_session_total(site, "2023-11-20T22:00; charge 600 30"), "37.8 37.8");
	/* within the grace time: nothing, not even a begun step; then by the begun minute; then the cap */
	CHECK_STR(kit_rate_session(site, "2023-11-20T14:30; idle 15 0"), "");
	CHECK_STR(kit_rate_session(site, "2023-11-20T14:30; idle 15.01 0"), "idle 1 x 0.5 = 0.5");
	CHECK_STR(kit_rate_session(site, "2023-11-20T14:30; idle 10 0; charge 5 0; idle 10 0"),
			  "idle 5 x 0.5 = 2.5");
	CHECK_STR(kit_rate_session(site, "2023-11-20T14:30; idle 75 0"), "idle 60 x 0.5 = 30");
	CHECK_STR(kit_rate_session(site, "2023-11-20T14:30; idle 76 0"),
			  "idle 61 x 0.5 = 30.5; idle 1 x -0.5 = -0.5");
}

#define TIME_STEPS                                                                \
	"{'code':'t1','kind':'session_time','lane':'time','price':1.2,'step_s':1800," \
	"'when':{'time':['00:00','17:00']}},"                                         \
	"{'code':'p1','kind':'idle','lane':'parking','price':1,'step_s':900,"         \
	"'when':{'time':['00:00','17:00']}},"                                         \
	"{'code':'t2','kind':'session_time','lane':'time','price':2.4,'step_s':900,"  \
	"'when':{'time':['17:00','20:00']}},"                                         \
	"{'code':'p2','kind':'idle','lane':'parking','price':1,'step_s':900,"         \
	"'when':{'time':['17:00','20:00']}},"                                         \
	"{'code':'t3','kind':'session_time','lane':'time','price':2.4,'step_s':900,"  \
	"'when':{'time':['20:00','24:00']}}"

static const char steps[] =
	"{'elecbill':1,'currency':'EUR','zone':'Asia/Shanghai','round':{'line':null},"
	"'components':[" TIME_STEPS "]}";

static void
test_steps(void)
{
	/* ocpi-22, ocpi-23, ocpi-24, ocpi-30 */
	CHECK_STR(kit_rate_session(steps, "2026-01-05T16:55; charge 10 0; idle 2 0"),
			  "t1 0.083333 x 1.2 = 0.1; t2 0.083333 x 2.4 = 0.2; p2 0.25 x 1 = 0.25");
	CHECK_STR(kit_rate_session(steps, "2026-01-05T16:35; charge 35 0"),
			  "t1 0.416667 x 1.2 = 0.5; t2 0.333333 x 2.4 = 0.8");
	CHECK_STR(kit_session_total(steps, "2026-01-05T19:40; charge 12 0; idle 20 0"), "0.73 0.73");
	/* who pays for charging again after idle time pays its step, and no step of the idle time */
	CHECK_STR(kit_rate_session(steps, "2026-01-05T17:00; idle 7 0; charge 10 0"),
			  "t2 0.25 x 2.4 = 0.6; p2 0.116667 x 1 = 0.116666666666667");
	CHECK_STR(kit_rate_session(EXACT("{'code':'a','kind':'energy','lane':'e','price':0.2,"
									 "'step_wh':500,'when':{'time':['00:00','17:00']}},"
									 "{'code':'b','kind':'energy','lane':'e','price':0.27,"
									 "'step_wh':500,'when':{'time':['17:00','24:00']}}"),
							   "2026-01-05T16:30; charge 30 4.3; charge 5 1.1"),
			  "a 4.3 x 0.2 = 0.86; b 1.2 x 0.27 = 0.324");
	/* a whole number of steps is not stepped; the step of a lane is its own */
	CHECK_STR(kit_rate_session(EXACT("{'code':'a','kind':'energy','price':1,'step_wh':100},"
									 "{'code':'b','kind':'energy','price':1,'step_wh':1000}"),
							   "2026-01-05; charge 30 4.3"),
			  "a 4.3 x 1 = 4.3; b 5 x 1 = 5");
}

static void
test_conditions(void)
{
	static const char power[] =
		EXACT("{'code':'slow','kind':'energy','lane':'e','price':0.2,'when':{'kw':{'lt':16}}},"
			  "{'code':'fast','kind':'energy','lane':'e','price':0.35,'when':{'kw':{'lt':32}}},"
			  "{'code':'top','kind':'energy','lane':'e','price':0.5}");
	static const char amps[] =
		EXACT("{'code':'e','kind':'energy','price':1,'when':{'amp':{'ge':16,'lt':32}}}");
	static const char bands[] =
		EXACT("{'code':'free','kind':'session_time','lane':'t','price':0,'when':{'kwh':{'lt':5}}},"
			  "{'code':'paid','kind':'session_time','lane':'t','price':6,'when':{'kwh':{'ge':5}}},"
			  "{'code':'late','kind':'energy','price':1,'when':{'seconds':{'ge':1800}}}");
	static const char wraps[] = EXACT("{'code':'night','kind':'energy','lane':'e','price':1,"
									  "'when':{'time':['22:00','06:00'],'days':['mon']}},"
									  "{'code':'day','kind':'energy','lane':'e','price':2}");

	CHECK_STR(kit_rate_session(
				  power, "2026-01-05; charge 60 1 kw=6; charge 60 40 kw=48; charge 60 0.5 kw=4"),
			  "slow 1.5 x 0.2 = 0.3; top 40 x 0.5 = 20");
	/* power that is not given is the mean: 8 kWh in half an hour are 16 kW, no longer below 16 */
	CHECK_STR(kit_rate_session(power, "2026-01-05; charge 30 7.999999"),
			  "slow 7.999999 x 0.2 = 1.5999998");
	CHECK_STR(kit_rate_session(power, "2026-01-05; charge 30 8"), "fast 8 x 0.35 = 2.8");
	CHECK_STR(kit_rate_session(amps, "2026-01-05; charge 30 8 amp=16; charge 30 9 amp=32"),
			  "e 8 x 1 = 8");
	CHECK_STR(kit_rate_session(amps, "2026-01-05; charge 30 8"),
			  "2 the tariff needs what the session lacks: It is \"amp\" of segment 1.");
	/* 10 kWh in an hour: 5 kWh after 30 minutes */
	CHECK_STR(kit_rate_session(bands, "2026-01-05; charge 60 10"),
			  "free 0.5 x 0 = 0; paid 0.5 x 6 = 3; late 5 x 1 = 5");
	/* running time counts from the start, through gaps, without the reservation */
	CHECK_STR(kit_rate_session(bands, "2026-01-05; charge 10 2; gap 40 0; charge 10 2"),
			  "free 0.333333 x 0 = 0; late 2 x 1 = 2");
	CHECK_STR(kit_rate_session(bands, "2026-01-05; reserve 30 0; charge 30 4"), "free 0.5 x 0 = 0");
	CHECK_INT(kit_line[0].quality, EB_ACTUAL);
	/* a segment of no time: its energy lies at the instant, its power is not known */
	CHECK_STR(kit_rate_session(wraps, "2026-01-05T00:00; charge 0 2"), "night 2 x 1 = 2");
	CHECK_STR(kit_rate_session(bands, "2026-01-05; charge 30 4; charge 0 2; charge 30 0"),
			  "free 0.5 x 0 = 0; paid 0.5 x 6 = 3; late 2 x 1 = 2");
	CHECK_STR(kit_rate_session(power, "2026-01-05; charge 0 2"),
			  "2 the tariff needs what the session lacks: It is \"kw\" of segment 1.");
	CHECK_STR(kit_rate_session(power, "2026-01-05; charge 0 2 kw=16"), "fast 2 x 0.35 = 0.7");
	/* Monday 5 January 22:00 to Tuesday 06:00: Monday's night ends at midnight */
	CHECK_STR(kit_rate_session(wraps, "2026-01-05T21:00; charge 240 4"),
			  "night 2 x 1 = 2; day 2 x 2 = 4");
}

static void
test_reservation(void)
{
	static const char held[] =
		TARIFF("{'code':'gone','kind':'reserve_time','lane':'r','price':6,'step_s':600,'vat':20,"
			   "'when':{'reservation':'expired'}},"
			   "{'code':'held','kind':'reserve_time','lane':'r','price':3,'step_s':600,'vat':20},"
			   "{'code':'fee','kind':'reserve_flat','price':4,'vat':20,"
			   "'when':{'reservation':'expired'}},"
			   "{'code':'start','kind':'session_flat','price':0.5,'vat':20},"
			   "{'code':'energy','kind':'energy','price':0.25,'vat':10}");

	CHECK_STR(kit_rate_session(held, "2026-01-05; reserve 22 0; charge 60 20"),
			  "held 0.5 x 3 = 1.5; start 1 x 0.5 = 0.5; energy 20 x 0.25 = 5; "
			  "vat  2 x 20 = 0.4; vat  5 x 10 = 0.5");
	CHECK_STR(kit_session_total(held, "2026-01-05; reserve 22 0; charge 60 20"), "7 7.9");
	CHECK_STR(kit_session_total(held, "2026-01-05; reserve 60 0; expired"), "10 12");
}

static void
test_flats(void)
{
	static const char flats[] =
		EXACT("{'code':'day','kind':'session_flat','lane':'f','price':1,"
			  "'when':{'time':['06:00','18:00']}},"
			  "{'code':'night','kind':'session_flat','lane':'f','price':2},"
			  "{'code':'more','kind':'session_flat','price':5,'when':{'kwh':{'ge':10}}}");

	/* once per lane, by the first piece that has one */
	CHECK_STR(kit_rate_session(flats, "2026-01-05T17:00; charge 120 8; charge 60 3; idle 60 0"),
			  "day 1 x 1 = 1; more 1 x 5 = 5");
	CHECK_STR(kit_rate_session(flats, "2026-01-05T18:00; idle 1000 0"), "night 1 x 2 = 2");
	CHECK_STR(kit_rate_session(flats, "2026-01-05T18:00; charge 60 10"), "night 1 x 2 = 2");
}

#define LIMITED(limit) EXACT("{'code':'energy','kind':'energy','price':0.25,'vat':10}," limit)

static void
test_limits(void)
{
	static const char low[] =
		LIMITED("{'code':'least','kind':'minimum','scope':'session','amount':0.5,"
				"'amount_incl':0.55}");
	static const char high[] = LIMITED("{'code':'most','kind':'maximum','scope':'session',"
									   "'amount':10,'amount_incl':10.8}");
	static const char both[] = LIMITED("{'code':'least','kind':'minimum','scope':'session',"
									   "'amount_incl':1},"
									   "{'code':'most','kind':'maximum','scope':'session',"
									   "'amount':2,'vat':10}");

	CHECK_STR(kit_session_total(low, "2026-01-05; charge 60 20"), "5 5.5");
	CHECK_STR(kit_rate_session(low, "2026-01-05; charge 60 1"),
			  "energy 1 x 0.25 = 0.25; least 1 x 0.25 = 0.25; vat  0.25 x 10 = 0.025; "
			  "vat least 1 x 0.025 = 0.025");
	CHECK_STR(kit_session_total(low, "2026-01-05; charge 60 1"), "0.5 0.55");
	CHECK_STR(kit_session_total(high, "2026-01-05; charge 60 100"), "10 10.8");
	/* without tax below the maximum, with tax above it */
	CHECK_STR(kit_session_total(high, "2026-01-05; charge 60 39.6"), "9.9 10.8");
	CHECK_STR(kit_session_total(both, "2026-01-05; charge 60 1"), "0.25 1");
	CHECK_STR(kit_session_total(both, "2026-01-05; charge 60 40"), "2 2.2");
	/* a limit of the bill is none of the session */
	CHECK_STR(kit_session_total(LIMITED("{'code':'least','kind':'minimum','amount':9}"),
								"2026-01-05; charge 60 4"),
			  "1 1.1");
}

static void
test_rounding(void)
{
	CHECK_STR(kit_session_total(TARIFF("{'code':'e','kind':'energy','price':0.333,'vat':19}"),
								"2026-01-05; charge 60 5"),
			  "1.67 1.99");
	CHECK_STR(kit_session_total("{'elecbill':1,'currency':'CHF','round':{'total':{'step':0.05}},"
								"'components':[{'code':'e','kind':'energy','price':1,'vat':8}]}",
								"2026-01-05; charge 60 1.13"),
			  "1.15 1.2");
	CHECK_STR(kit_rate_session("{'elecbill':1,'currency':'JPY','minor_unit':0,"
							   "'round':{'quantity':{'step':1}},"
							   "'components':[{'code':'e','kind':'energy','price':31},"
							   "{'code':'t','kind':'session_time','price':100}]}",
							   "2026-01-05; charge 90 7.5"),
			  "e 8 x 31 = 248; t 1.5 x 100 = 150");
	CHECK_STR(kit_rate_session(TARIFF("{'code':'e','kind':'energy','price':0.5,'factor_if':"
									  "[{'if':{'attr':{'member':'gold'}},'factor':0.8}]},"
									  "{'code':'tax','kind':'percent','percent':13}"),
							   "2026-01-05; charge 60 10"),
			  "e 10 x 0.5 = 5; tax 5 x 13 = 0.65");
	kit_add_attr("member", "gold");
	CHECK_STR(kit_rate_session(TARIFF("{'code':'e','kind':'energy','price':0.5,'factor_if':"
									  "[{'if':{'attr':{'member':'gold'}},'factor':0.8}]},"
									  "{'code':'tax','kind':'percent','percent':13}"),
							   "2026-01-05; charge 60 10"),
			  "e 10 x 0.5 x 0.8 = 4; tax 4 x 13 = 0.52");
	/* 20 minutes at 7.40 an hour, half as much again, are 3.70 exactly: nothing to round up */
	CHECK_STR(kit_rate_session(TARIFF("{'code':'t','kind':'session_time','price':7.4,'factor_if':"
									  "[{'if':{'attr':{'member':'gold'}},'factor':1.5,"
									  "'round':{'step':0.01,'mode':'up'}}]}"),
							   "2026-01-05; charge 20 1"),
			  "t 0.333333 x 7.4 x 1.5 = 3.7");
	kit_begin(NULL, NULL);
}

/* Leaves something on the stack where a session is rated next. */
static void
smear_stack(void)
{
	volatile unsigned char junk[400000];

	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = 0x5a;
}

/* A session has no versions, and the month it is named after is that of its first day. */
static void
test_month(void)
{
	const char *tariff =
		"{'elecbill':1,'currency':'EUR','round':{'total':{'step':1}},'series':{'tax':{"
		"'by':'bill_month','points':[['2026-01-01',10],['2026-02-01',20]]}},'components':["
		"{'code':'e','kind':'energy','price':1},"
		"{'code':'tax','kind':'percent','percent':{'series':'tax'}}]}";

	smear_stack();
	CHECK_STR(kit_rate_session(tariff, "2026-01-31T23:00; charge 120 8"),
			  "e 8 x 1 = 8; tax 8 x 10 = 0.8;  1 x 0.2 = 0.2");
}

#define TIERED(tier)                                                                     \
	"{'elecbill':1,'currency':'EUR','zone':'Asia/Shanghai','schedules':{'tou':["         \
	"{'period':'peak','spans':[['08:00','12:00']]},{'period':'valley'}]},'components':[" \
	"{'code':'e','kind':'energy','price':{'period':{'peak':2,'valley':1}},"              \
	"'tier':{'scope':'session'," tier "}}]}"
#define BANDS                                                                      \
	"'steps':[{'up_to':10,'price':{'period':{'peak':0.7,'valley':0.4}},'flat':1}," \
	"{'price':{'period':{'peak':1,'valley':0.45}},'flat':0.5}]"

static void
test_tiers(void)
{
	/* 8 kWh peak, then 8 kWh valley; the orders of the reference, a tenth of its numbers */
	static const char two_hours[] = "2026-01-05T10:00; charge 240 16";

	CHECK_STR(kit_rate_session(TIERED("'order':'prorata'," BANDS), two_hours),
			  "e/peak#1 5 x 0.7 = 3.5; e/valley#1 5 x 0.4 = 2; e/peak#2 3 x 1 = 3; "
			  "e/valley#2 3 x 0.45 = 1.35; e#1 1 x 1 = 1; e#2 1 x 0.5 = 0.5");
	CHECK_STR(kit_rate_session(TIERED("'order':'time'," BANDS), two_hours),
			  "e/peak#1 8 x 0.7 = 5.6; e/valley#1 2 x 0.4 = 0.8; e/valley#2 6 x 0.45 = 2.7; "
			  "e#1 1 x 1 = 1; e#2 1 x 0.5 = 0.5");
	CHECK_STR(kit_rate_session(TIERED("'order':'per_period'," BANDS), two_hours),
			  "e/peak#1 8 x 0.7 = 5.6; e/peak#1 1 x 1 = 1; "
			  "e/valley#1 8 x 0.4 = 3.2; e/valley#1 1 x 1 = 1");
	CHECK_STR(kit_rate_session(TIERED("'mode':'volume'," BANDS), two_hours),
			  "e/peak#2 8 x 1 = 8; e/valley#2 8 x 0.45 = 3.6; e#2 1 x 0.5 = 0.5");
	CHECK_STR(
		kit_rate_session(TIERED("'mode':'adder','steps':[{'up_to':10,'price':0},{'price':0.3}]"),
						 two_hours),
		"e/peak 8 x 2 = 16; e/valley 8 x 1 = 8; e#2 6 x 0.3 = 1.8");
	CHECK_STR(kit_rate_session(TIERED("'mode':'adder','order':'time','steps':[{'up_to':10,"
									  "'price':0},{'price':0.3}]"),
							   two_hours),
			  "e/peak 8 x 2 = 16; e/valley 8 x 1 = 8; e#2 6 x 0.3 = 1.8");
	CHECK_STR(kit_rate_session(EXACT("{'code':'t','kind':'session_time','price':2,"
									 "'tier':{'scope':'session','mode':'package','size':0.5,"
									 "'free':1}}"),
							   "2026-01-05; charge 121 0"),
			  "t 3 x 2 = 6");
	CHECK_STR(kit_rate_session(EXACT("{'code':'t','kind':'session_time','per':'minute',"
									 "'step_s':600,'tier':{'scope':'session','order':'time',"
									 "'steps':[{'up_to':30,'price':0},{'price':0.1}]}}"),
							   "2026-01-05; charge 42 0"),
			  "t#1 30 x 0 = 0; t#2 20 x 0.1 = 2");
	CHECK_STR(kit_rate_session(
				  TARIFF("{'code':'e','kind':'energy','tier':{'steps':[{'price':1}]}}"), two_hours),
			  "6 a session cannot be rated by such a tier: Its scope is not \"session\": it counts "
			  "beyond the session.");
}

/* Quantities far beyond a session: a thousand hours, five million MWh */
static void
test_large(void)
{
	CHECK_STR(kit_rate_session(EXACT("{'code':'t','kind':'session_time','tier':{'scope':'session',"
									 "'steps':[{'up_to':10,'price':1},{'price':2}]}}"),
							   "2026-01-05; charge 60000 0"),
			  "t#1 10 x 1 = 10; t#2 990 x 2 = 1980");
	CHECK_STR(kit_rate_session(EXACT("{'code':'e','kind':'energy','tier':{'scope':'session',"
									 "'steps':[{'up_to':10,'price':1},{'price':2}]}}"),
							   "2026-01-05; charge 60 5000000000"),
			  "e#1 10 x 1 = 10; e#2 4999999990 x 2 = 9999999980");
	CHECK_STR(kit_rate_session(EXACT("{'code':'e','kind':'energy','tier':{'scope':'session',"
									 "'steps':[{'up_to':10,'price':1},{'price':9000000000}]}}"),
							   "2026-01-05; charge 60 9000000000000"),
			  "4 number is out of range: It is the amount of a line.");
}

static void
test_series(void)
{
	static const char spot[] =
		"{'elecbill':1,'currency':'EUR','round':{'line':null},'series':{'spot':["
		"['2026-01-05T00:00:00Z',0.1],['2026-01-05T00:15:00Z',0.2],"
		"['2026-01-05T00:30:00Z',-0.05]]},"
		"'components':[{'code':'e','kind':'energy','price':{'add':[0.05,"
		"{'mul':[1.25,{'series':'spot'}]}]}}]}";

	/* 0.175, 0.3, -0.0125: one line with their average */
	CHECK_STR(kit_rate_session(spot, "2026-01-05T00:00Z; charge 60 4"), "e 4 x 0.1125 = 0.45");
	CHECK_STR(kit_rate_session(spot, "2026-01-04T23:59Z; charge 60 4"),
			  "2 no price before the first point of a series: The series is \"spot\".");
}

static void
test_bad_input(void)
{
	static const char plain[] = TARIFF("{'code':'e','kind':'energy','price':1}");
	EbSessionSpace space = {kit_group, KIT_MAX_GROUPS, kit_line, KIT_MAX_LINES};

	CHECK_STR(kit_rate_session(plain, "2026-01-05;"), "1 session has no segment");
	CHECK_STR(kit_rate_session(plain, "2026-01-05; charge -5 1"),
			  "1 segment must not end before it begins: It is segment 1 of the session.");
	CHECK_STR(kit_rate_session(plain, "2026-01-05; charge 30 1; gap -10 0; charge 30 1"),
			  "1 segment overlaps the one before it: It is segment 2 of the session.");
	CHECK_STR(kit_rate_session(plain, "2026-01-05; charge 30 1; gap -40 0; charge 5 1"),
			  "1 segments must be in the order of time: It is segment 2 of the session.");
	CHECK_STR(kit_rate_session(plain, "2026-01-05; gap -5 0; charge 10 1"),
			  "1 segment begins before the session starts: It is segment 1 of the session.");
	CHECK_STR(kit_rate_session(plain, "2026-01-05; charge 30 -1"),
			  "1 energy of a segment must not be negative: It is segment 1 of the session.");
	CHECK_STR(kit_rate_session(plain, "2026-01-05; reserve 30 1"),
			  "1 a reservation takes no energy: It is segment 1 of the session.");
	CHECK_STR(kit_rate_session(plain, "2026-01-05; charge 30 1; reserve 30 0"),
			  "1 a reservation comes before the charge: It is segment 2 of the session.");
	CHECK_STR(kit_rate_session(plain, "2026-01-05; charge 30 1; expired"),
			  "1 a session without reservation cannot have expired");
	CHECK_STR(kit_rate_session(TARIFF("{'code':'f','kind':'fixed','price':1}"),
							   "2026-01-05; charge 30 1"),
			  "1 no component of the tariff prices sessions");
	CHECK_STR(kit_rate_session(TARIFF("{'code':'e','kind':'energy','price':1,"
									  "'valid':['2026-02-01',null]}"),
							   "2026-01-05; charge 30 1"),
			  "2 the tariff is not valid at the time of the session");
	CHECK_STR(kit_rate_session(TARIFF("{'code':'e','kind':'energy','quantity':'export_kwh',"
									  "'price':1}"),
							   "2026-01-05; charge 30 1"),
			  "2 a session has no energy but what the car takes");
	CHECK_STR(
		kit_rate_session(plain, "2026-01-05; charge 30 9000000000000; charge 30 9000000000000"),
		"4 number is out of range: It is the energy of the session.");
	space.groups = 0;
	CHECK_INT(eb_session_rate(kit_json_tariff(plain, &kit_fault), &kit_zone,
							  kit_session("2026-01-05; charge 30 1"), &space, &kit_nlines,
							  &kit_fault),
			  EB_NO_SPACE);
	space = (EbSessionSpace){kit_group, KIT_MAX_GROUPS, kit_line, 0};
	CHECK_INT(eb_session_rate(kit_json_tariff(plain, &kit_fault), &kit_zone,
							  kit_session("2026-01-05; charge 30 1"), &space, &kit_nlines,
							  &kit_fault),
			  EB_NO_SPACE);
}

int
main(void)
{
	kit_begin(NULL, NULL);
	test_site();
	test_steps();
	test_conditions();
	test_reservation();
	test_flats();
	test_limits();
	test_rounding();
	test_tiers();
	test_large();
	test_series();
	test_bad_input();
	test_month();
	return check_done("session");
}
