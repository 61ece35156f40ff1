/*
 * test_tariff_compile.c -- compiler, canonical text, classifier: src/rating/tariff_compile*.c,
 * tariff_text.c
 */
#include "base/civil.h"
#include "kit_lint.h"

/* ---------------------------------------------------------------- compiling */

static const EbTariff *
compile(const char *text)
{
	EbFault fault;
	const EbTariff *tariff = kit_json_tariff(text, &fault);

	if (!CHECK(tariff != NULL))
	{
		printf("    %s: %s\n", fault.message, fault.detail);
		abort();
	}
	return tariff;
}

static const EbComponent *
component_at(const EbTariff *tariff, int index)
{
	return EB_ARRAY(tariff, EbComponent, tariff->component) + index;
}

static const char *
text_at(const EbTariff *tariff, EbSlice text)
{
	static char buf[4][128];
	static int next = 0;

	next = (next + 1) % 4;
	snprintf(buf[next], sizeof(buf[next]), "%.*s", text.n, EB_ARRAY(tariff, char, text));
	return buf[next];
}

static void
test_compile_head(void)
{
	const EbTariff *tariff = compile(
		around("'code':'c','name':{'en':'English','zh':'Chinese'},'minor_unit':3,'zone':'Asia/"
			   "Taipei','year_start':'12-01','month_day':5,'round':{'price':{'step':0.0001},"
			   "'total':{'step':1,'mode':'floor'}},",
			   ENERGY));
	const EbLabel *label = EB_ARRAY(tariff, EbLabel, tariff->label);

	CHECK_INT(tariff->format, EB_TARIFF_FORMAT);
	CHECK_INT(tariff->size % 8, 0);
	CHECK_STR(text_at(tariff, tariff->code), "c");
	CHECK_STR(text_at(tariff, tariff->currency), "CNY");
	CHECK_STR(text_at(tariff, tariff->zone), "Asia/Taipei");
	CHECK_INT(tariff->label.n, 2);
	CHECK_STR(text_at(tariff, label[1].lang), "zh");
	CHECK_STR(text_at(tariff, label[1].text), "Chinese");
	CHECK_INT(tariff->minor_unit, 3);
	CHECK_INT(tariff->month_day, 5);
	CHECK_INT(tariff->year_start, 12 * 32 + 1);
	CHECK_INT(tariff->weekend, 1 << 5 | 1 << 6);
	CHECK_INT(tariff->round_quantity.step_n, 0);
	CHECK_INT(tariff->round_price.step_n, 100000);
	CHECK_INT(tariff->round_line.step_n, 1000000);
	CHECK_INT(tariff->round_total.step_n, EB_ONE);
	CHECK_INT(tariff->round_total.mode, EB_FLOOR);
	CHECK_INT(compile(around("'round':{'line':null},", ENERGY))->round_line.step_n, 0);
	CHECK_STR(text_at(tariff, compile(around("", ENERGY))->zone), "UTC");
}

static void
test_compile_time(void)
{
	const EbTariff *tariff = compile(
		around("'calendar':{'weekend':['fri'],'days':{'2026-02-17':['holiday','spring'],"
			   "'2026-01-01':['holiday']}},"
			   "'seasons':{'w':[['11-15','03-15']],'s':[['06-01','09-01'],['04-01','05-01']]},"
			   "'schedules':{'b':[{'period':'x','days':['spring','workday'],'not_days':['hot'],"
			   "'spans':[['22:00','06:30'],['12:00','24:00']],'anchor':'start','season':['*','w'],"
			   "'months':[1,12],'valid':['2026-01-01',null]},{'period':'y'},{'period':'x'}],"
			   "'a':[{'period':'y'}]},",
			   ENERGY));
	const EbCalendarDay *day = EB_ARRAY(tariff, EbCalendarDay, tariff->calendar_day);
	const EbSeasonRange *range = EB_ARRAY(tariff, EbSeasonRange, tariff->season_range);
	const EbSchedule *schedules = EB_ARRAY(tariff, EbSchedule, tariff->schedule);
	const EbSlot *slot = EB_ARRAY(tariff, EbSlot, tariff->slot);
	const EbRule *rule = EB_ARRAY(tariff, EbRule, schedules[1].rule);
	const EbSpan *span = EB_ARRAY(tariff, EbSpan, rule->span);
	uint64_t holiday = UINT64_C(1) << EB_TAG_HOLIDAY;
	uint64_t spring = UINT64_C(1) << EB_TAG_NAMED;

	CHECK_INT(tariff->weekend, 1 << 4);
	CHECK_INT(tariff->calendar_day.n, 2);
	CHECK_INT(day[0].day, eb_day_from_date(2026, 1, 1));
	CHECK_INT(day[0].tags, holiday);
	CHECK_INT(day[1].tags, holiday | spring);
	CHECK_INT(tariff->tag.n, 1);
	CHECK_STR(text_at(tariff, *EB_ARRAY(tariff, EbSlice, tariff->tag)), "spring");
	CHECK_INT(tariff->season.n, 2);
	CHECK_INT(tariff->season_range.n, 3);
	CHECK_INT(range[0].season, 1);
	CHECK_INT(range[2].season, 2);
	CHECK_INT(range[2].from_md, 11 * 32 + 15);
	CHECK_INT(range[2].to_md, 3 * 32 + 15);
	CHECK_INT(tariff->schedule.n, 2);
	CHECK_STR(text_at(tariff, schedules[0].name), "a");
	CHECK_INT(schedules[0].nslots, 1);
	CHECK_INT(schedules[1].first_slot, 1);
	CHECK_INT(schedules[1].nslots, 2);
	CHECK_INT(tariff->slot.n, 3);
	CHECK_INT(tariff->period_name.n, 2); /* y of both schedules is one name */
	CHECK_INT(slot[0].name, slot[2].name);
	CHECK_INT(slot[2].schedule, 1);
	CHECK_INT(rule[0].slot, 1);
	CHECK_INT(rule[1].slot, 2);
	CHECK_INT(rule[2].slot, 1);
	CHECK_INT(rule->anchor_start, 1);
	CHECK_INT(rule->months, 1 << 1 | 1 << 12);
	CHECK_INT(rule->seasons, 1 << 0 | 1 << 2);
	CHECK_INT(rule->days, spring | UINT64_C(1) << EB_TAG_WORKDAY);
	CHECK_INT(rule->not_days, UINT64_C(1) << EB_TAG_HOT);
	CHECK_INT(rule->valid_from, eb_day_from_date(2026, 1, 1));
	CHECK_INT(rule->valid_to, INT32_MAX);
	CHECK_INT(rule[1].valid_from, INT32_MIN);
	CHECK_INT(rule[1].span.n, 0);
	CHECK_INT(span[0].from_min, 22 * 60);
	CHECK_INT(span[0].to_min, 6 * 60 + 30);
	CHECK_INT(span[1].to_min, 1440);
}

static void
test_compile_price(void)
{
	const EbTariff *tariff = compile(
		around(TOU "'seasons':{'s':[['06-01','09-01']]},"
				   "'values':{'f':{'period':{'peak':1.7,'*':1}},'unused':5},",
			   "{'code':'a','kind':'energy','price':{'mul':[0.6,{'ref':'f'}],'round':{'step':"
			   "0.0001}}},"
			   "{'code':'b','kind':'energy','price':{'season':{'s':{'attr':'k','of':{'1':2,'*':3}}"
			   ",'*':4}}}"));
	const EbPriceNode *node = EB_ARRAY(tariff, EbPriceNode, tariff->node);
	const EbPriceNode *mul = &node[component_at(tariff, 0)->price];
	const int32_t *operand = EB_ARRAY(tariff, int32_t, mul->entry);
	const EbPriceNode *ref = &node[operand[1]];
	const EbPriceNode *map = &node[EB_ARRAY(tariff, int32_t, ref->entry)[0]];
	const EbPriceEntry *entry = EB_ARRAY(tariff, EbPriceEntry, map->entry);
	const EbPriceNode *season = &node[component_at(tariff, 1)->price];
	const EbPriceEntry *in_season = EB_ARRAY(tariff, EbPriceEntry, season->entry);
	const EbPriceNode *attr = &node[in_season->node];

	CHECK_INT(mul->kind, EB_PRICE_MUL);
	CHECK_INT(mul->round.step_n, 100000);
	CHECK_INT(node[operand[0]].value_n, 600000000);
	CHECK_INT(ref->kind, EB_PRICE_REF);
	CHECK_INT(map->kind, EB_PRICE_PERIOD);
	CHECK_INT(map->entry.n, 1);
	CHECK_INT(entry->index, 0);
	CHECK_INT(node[entry->node].value_n, 1700000000);
	CHECK_INT(node[map->fallback].value_n, EB_ONE);
	CHECK_INT(component_at(tariff, 0)->schedule, 0); /* it reads periods through the value */
	CHECK_INT(component_at(tariff, 1)->schedule, EB_NONE);
	CHECK_INT(season->kind, EB_PRICE_SEASON);
	CHECK_INT(in_season->index, 1);
	CHECK_INT(node[season->fallback].value_n, 4 * (int64_t) EB_ONE);
	CHECK_INT(attr->kind, EB_PRICE_ATTR);
	CHECK_STR(text_at(tariff, attr->attr), "k");
	CHECK_STR(text_at(tariff, EB_ARRAY(tariff, EbPriceEntry, attr->entry)->key), "1");
	CHECK_INT(tariff->node.n, 11); /* the unused value is left out */
	for (int i = 0; i < tariff->node.n; i++)
		for (int j = 0; j < node[i].entry.n && node[i].kind >= EB_PRICE_REF; j++)
			CHECK(EB_ARRAY(tariff, int32_t, node[i].entry)[j] < i);
}

static void
test_compile_tier(void)
{
	const EbTariff *tariff = compile(around(
		TOU, "{'code':'a','kind':'energy','price':0.5,'round':null,'tier':{'mode':'adder','scope':"
			 "'year','allowance':[{'attr':'persons','at_least':5,'add':100,'widen':'first'}],"
			 "'steps':[{'up_to':2760,'price':0},{'up_to':4800.5,'price':0.05,'flat':2,'factor':3},"
			 "{}]}},"
			 "{'code':'b','kind':'energy','price':7,'tier':{'mode':'volume','by':'attr:kva',"
			 "'prorate':'days','nominal_days':31,'flat_at_zero':false,'split':'end','order':"
			 "'per_period','steps':[{'up_to':5,'unit':'kwh_per_day'},{'price':8}]}},"
			 "{'code':'c','kind':'custom','quantity':'sms','price':15,'tier':{'mode':'package',"
			 "'size':10,'free':2.5}}"));
	const EbPriceNode *node = EB_ARRAY(tariff, EbPriceNode, tariff->node);
	const EbComponent *a = component_at(tariff, 0);
	const EbComponent *b = component_at(tariff, 1);
	const EbComponent *c = component_at(tariff, 2);
	const EbStep *step = EB_ARRAY(tariff, EbStep, a->tier.step);
	const EbAllowance *allowance = EB_ARRAY(tariff, EbAllowance, a->tier.allowance);

	CHECK_INT(a->has_tier, 1);
	CHECK_INT(a->tier.mode, EB_TIER_ADDER);
	CHECK_INT(a->tier.scope, EB_SCOPE_YEAR);
	CHECK_INT(a->tier.split, EB_SPLIT_CONTINUE);
	CHECK_INT(a->tier.flat_at_zero, 1);
	CHECK_INT(a->tier.nominal_days, 30);
	CHECK_INT(a->tier.step.n, 3);
	CHECK_INT(node[step[1].up_to].value_n, INT64_C(4800500000000));
	CHECK_INT(node[step[1].flat].value_n, 2 * (int64_t) EB_ONE);
	CHECK_INT(step[1].factor_n, 3 * (int64_t) EB_ONE);
	CHECK_INT(step[2].up_to, EB_NONE);
	CHECK_INT(step[2].price, EB_NONE); /* an adder adds nothing there */
	CHECK_INT(step[2].factor_n, EB_ONE);
	CHECK_INT(allowance->at_least, 5 * EB_KWH);
	CHECK_INT(allowance->add_ukwh, 100 * EB_KWH);
	CHECK_INT(allowance->per_month, 1);
	CHECK_INT(allowance->widen_all, 0);
	CHECK_INT(a->round.step_n, 0);
	CHECK_INT(b->round.step_n, 10000000);
	CHECK_INT(a->schedule, EB_NONE);
	CHECK_INT(b->schedule, 0); /* each period has a counter */
	CHECK(b->slots == ~UINT64_C(0));
	CHECK_INT(b->tier.order, EB_ORDER_PER_PERIOD);
	CHECK_INT(b->tier.split, EB_SPLIT_END);
	CHECK_INT(b->tier.prorate, EB_PRORATE_DAYS);
	CHECK_INT(b->tier.nominal_days, 31);
	CHECK_INT(b->tier.flat_at_zero, 0);
	CHECK_INT(b->tier.has_by, 1);
	CHECK_INT(b->tier.by.kind, EB_QTY_ATTR);
	CHECK_STR(text_at(tariff, b->tier.by.name), "kva");
	CHECK_INT(EB_ARRAY(tariff, EbStep, b->tier.step)[0].price, b->price);
	CHECK_INT(EB_ARRAY(tariff, EbStep, b->tier.step)[0].unit, EB_STEP_KWH_PER_DAY);
	CHECK_INT(c->quantity.kind, EB_QTY_NAMED);
	CHECK_STR(text_at(tariff, c->quantity.name), "sms");
	CHECK_INT(c->tier.size_u, 10 * EB_KWH);
	CHECK_INT(c->tier.free_u, 2500000);
	CHECK_INT(c->per, EB_PER_UNIT);
}

static void
test_compile_component(void)
{
	const EbTariff *tariff = compile(around(
		TOU, "{'code':'e1','kind':'energy','group':'g','price':1,'period':['valley'],"
			 "'when':{'months':[7],'season':['*'],'date':[null,'2026-05-01'],'attr':{'a':[1.50,"
			 "'x',true],'b':{'ge':2}},'qty':{'attr:kva':{'lt':5}},'ratio':{'of':'import_kwh',"
			 "'to':'attr:kva','ge':260}}},"
			 "{'code':'f','kind':'fixed','price':9,'per':'month','prorate':'days','rider':'r',"
			 "'valid':['2026-01-01','2026-02-01'],'factor_if':[{'if':{'qty':{'import_kwh':{'le':0}"
			 "}},'factor':0.5,'round':{'step':1}}]},"
			 "{'code':'e2','kind':'energy','group':'g','price':1},"
			 "{'code':'p','kind':'percent','percent':8,'base':['g'],'share_above':{'import_kwh':"
			 "600},'per_line':true},"
			 "{'code':'m','kind':'minimum','amount':10,'scope':'month'},"
			 "{'code':'x','kind':'maximum','amount':99}"));
	const EbComponent *e1 = component_at(tariff, 0);
	const EbComponent *f = component_at(tariff, 1);
	const EbComponent *p = component_at(tariff, 3);
	const EbComponent *m = component_at(tariff, 4);
	const EbTest *test = EB_ARRAY(tariff, EbTest, e1->when.test);
	const EbFactorIf *factor = EB_ARRAY(tariff, EbFactorIf, f->factor_if);

	CHECK_STR(text_at(tariff, e1->group), "g");
	CHECK_INT(e1->schedule, 0);
	CHECK_INT(e1->slots, 1 << 1);
	CHECK_INT(e1->per, EB_PER_KWH);
	CHECK_INT(e1->quantity.kind, EB_QTY_IMPORT_KWH);
	CHECK_INT(e1->has_when, 1);
	CHECK_INT(e1->when.months, 1 << 7);
	CHECK_INT(e1->when.seasons, 1);
	CHECK_INT(e1->when.date_from, INT32_MIN);
	CHECK_INT(e1->when.date_to, eb_day_from_date(2026, 5, 1));
	CHECK_INT(e1->when.test.n, 4);
	CHECK_INT(test[0].kind, EB_TEST_ATTR_IN);
	CHECK_INT(test[0].value.n, 3);
	CHECK_STR(text_at(tariff, EB_ARRAY(tariff, EbSlice, test[0].value)[0]), "1.5");
	CHECK_STR(text_at(tariff, EB_ARRAY(tariff, EbSlice, test[0].value)[2]), "true");
	CHECK_INT(test[1].kind, EB_TEST_ATTR_RANGE);
	CHECK_INT(test[1].range.has_ge, 1);
	CHECK_INT(test[1].range.has_gt, 0);
	CHECK_INT(test[1].range.ge, 2 * EB_KWH);
	CHECK_INT(test[2].kind, EB_TEST_QTY);
	CHECK_INT(test[2].of.kind, EB_QTY_ATTR);
	CHECK_INT(test[3].kind, EB_TEST_RATIO);
	CHECK_INT(test[3].of.kind, EB_QTY_IMPORT_KWH);
	CHECK_STR(text_at(tariff, test[3].to.name), "kva");
	CHECK_STR(text_at(tariff, f->group), "f");
	CHECK_STR(text_at(tariff, f->rider), "r");
	CHECK_INT(f->quantity.kind, EB_QTY_ONE);
	CHECK_INT(f->per, EB_PER_MONTH);
	CHECK_INT(f->prorate, EB_PRORATE_DAYS);
	CHECK_INT(f->valid_to, eb_day_from_date(2026, 2, 1));
	CHECK_INT(f->has_when, 0);
	CHECK_INT(f->factor_if.n, 1);
	CHECK_INT(factor->factor_n, EB_ONE / 2);
	CHECK_INT(factor->round.step_n, EB_ONE);
	CHECK_INT(EB_ARRAY(tariff, EbTest, factor->condition.test)->range.has_le, 1);
	CHECK_INT(p->base.n, 2);
	CHECK_INT(EB_ARRAY(tariff, int32_t, p->base)[0], 0);
	CHECK_INT(EB_ARRAY(tariff, int32_t, p->base)[1], 2);
	CHECK_INT(p->has_share_above, 1);
	CHECK_INT(p->share_above_u, 600 * (int64_t) EB_KWH);
	CHECK_INT(p->per_line, 1);
	CHECK_INT(m->base.n, 4); /* all before */
	CHECK_INT(m->min_scope, EB_MIN_MONTH);
	CHECK_INT(component_at(tariff, 5)->min_scope, EB_MIN_BILL);
	CHECK_INT(e1->base.n, 0);
}

/* Every size of buffer: none is overrun (the sanitizer looks), and the block is the same. */
static void
test_compile_space(void)
{
	const char *text = around(TOU "'values':{'f':{'period':{'*':1}}},",
							  "{'code':'a','kind':'energy','price':{'mul':[2,{'ref':'f'}]}},"
							  "{'code':'p','kind':'percent','percent':5}");
	const EbNode *root = kit_json(text);
	static int64_t whole[2000];
	size_t used;
	EbFault fault;

	CHECK_INT(eb_tariff_compile(root, whole, sizeof(whole), &used, &fault), EB_OK);
	for (size_t size = 0; size <= used + 1200; size += 4)
	{
		int64_t *block = malloc(size + 8);
		size_t again = 0;
		EbStatus status = eb_tariff_compile(root, block, size, &again, &fault);

		if (size < used)
			CHECK_INT(status, EB_NO_SPACE);
		if (status == EB_OK)
			CHECK(again == used && memcmp(block, whole, used) == 0);
		if (size >= used + 1200 - 4)
			CHECK_INT(status, EB_OK);
		free(block);
	}
	CHECK_INT(eb_tariff_compile(kit_json(around("'calendar':'cn',", ENERGY)), whole, sizeof(whole),
								&used, &fault),
			  EB_BAD_ARGUMENT);
	CHECK_STR(fault.message, "the calendar of the tariff is not filled in");
	CHECK_INT(eb_tariff_compile(kit_json("{}"), whole, sizeof(whole), &used, &fault),
			  EB_BAD_ARGUMENT);
	CHECK_STR(fault.detail, "\"elecbill\" is missing");
}

/* ---------------------------------------------------------------- canonical text */

static const char *
canonical(const char *text)
{
	static char buf[20000];
	size_t used;

	if (!CHECK_INT(eb_tariff_text(kit_json(text), buf, sizeof(buf) - 1, &used), EB_OK))
		return "";
	buf[used] = '\0';
	for (char *c = buf; *c != '\0'; c++) /* as the tests write it */
		if (*c == '"')
			*c = '\'';
	return buf;
}

static void
test_text(void)
{
	static char again[20000];
	const char *text;

	/* keys in order, defaults and trailing zeros left out */
	CHECK_STR(canonical(around("'zone':'UTC','code':'c','minor_unit':2,'month_day':1,'round':{"
							   "'line':{'mode':'half_up','step':0.010},'total':null},'calendar':{"
							   "'weekend':['sat','sun']},'schedules':{'t':[{'period':'p','anchor':"
							   "'instant'}]},",
							   "{'price':'0.50','kind':'energy','per':'kwh','quantity':"
							   "'import_kwh','code':'a','group':'a','schedule':'t','round':{'step':"
							   "0.01}}")),
			  "{'elecbill':1,'code':'c','currency':'CNY','schedules':{'t':[{'period':'p'}]},"
			  "'components':[{'code':'a','kind':'energy','price':0.5}]}");
	/* what differs from a default that hangs on another key stays */
	CHECK_STR(canonical(around("'minor_unit':3,'round':{'line':{'step':0.01}},",
							   "{'code':'a','kind':'energy','price':1,'round':{'step':0.001}}")),
			  "{'elecbill':1,'currency':'CNY','minor_unit':3,'round':{'line':{'step':0.01}},"
			  "'components':[{'code':'a','kind':'energy','price':1,'round':{'step':0.001}}]}");
	CHECK_STR(canonical(around("'round':{'line':null},",
							   "{'code':'a','kind':'energy','price':1,'round':null}")),
			  "{'elecbill':1,'currency':'CNY','round':{'line':null},'components':[{'code':'a',"
			  "'kind':'energy','price':1}]}");
	CHECK_STR(canonical(around("", "{'code':'a','kind':'energy','tier':{'scope':'year','split':"
								   "'continue','mode':'graduated','steps':[{'price':1,'factor':1,"
								   "'flat':0,'unit':'kwh'}]}}")),
			  "{'elecbill':1,'currency':'CNY','components':[{'code':'a','kind':'energy','tier':{"
			  "'scope':'year','steps':[{'price':1}]}}]}");
	CHECK_STR(canonical(around("", "{'code':'a','kind':'energy','tier':{'split':'continue','steps':"
								   "[{'price':1}]}}")),
			  "{'elecbill':1,'currency':'CNY','components':[{'code':'a','kind':'energy','tier':{"
			  "'split':'continue','steps':[{'price':1}]}}]}");
	CHECK_STR(canonical(around("'demands':{'m':{'window':30,'slide':30,'n':1}},",
							   "{'code':'d','kind':'demand','demand':'m','price':1,'per':'kw'}")),
			  "{'elecbill':1,'currency':'CNY','demands':{'m':{'window':30}},'components':[{'code':"
			  "'d','kind':'demand','price':1,'demand':'m'}]}");
	CHECK_STR(canonical(around("", "{'code':'a','kind':'energy','price':1e-3,'when':{'attr':{'k':["
								   "1.50,'1.50',true]},'date':[null,'2026-01-01']}}")),
			  "{'elecbill':1,'currency':'CNY','components':[{'code':'a','kind':'energy','when':{"
			  "'date':[null,'2026-01-01'],'attr':{'k':[1.5,'1.50',true]}},'price':0.001}]}");
	/* the text of the text is the text */
	text = canonical(around(TOU "'name':{'zh':'b','en':'a'},'values':{'b':1,'a':{'mul':[2,{'ref':"
								"'b'}]}},",
							"{'code':'a','kind':'energy','price':{'ref':'a'}}"));
	snprintf(again, sizeof(again), "%s", text);
	CHECK_STR(canonical(again), again);
	CHECK(strstr(again, "'name':{'en':'a','zh':'b'}") != NULL);
}

static void
test_text_space(void)
{
	const EbNode *root = kit_json(around(TOU, ENERGY));
	char whole[1000];
	size_t used;

	CHECK_INT(eb_tariff_text(root, whole, sizeof(whole), &used), EB_OK);
	for (size_t size = 0; size < used; size++)
	{
		char *buf = malloc(size + 1);
		size_t again;

		CHECK_INT(eb_tariff_text(root, buf, size, &again), EB_NO_SPACE);
		free(buf);
	}
}

/* ---------------------------------------------------------------- classifier */

static const char *
classifier(const char *text)
{
	static char buf[2][4000];
	static int next = 0;
	static EbFault fault;
	const EbTariff *tariff;
	size_t used;

	next = 1 - next;
	tariff = kit_json_tariff(text, &fault);
	if (!CHECK(tariff != NULL))
		return fault.detail;
	CHECK_INT(eb_tariff_classifier(kit_json(text), tariff, buf[next], sizeof(buf[next]) - 1, &used),
			  EB_OK);
	buf[next][used] = '\0';
	return buf[next];
}

static void
test_classifier(void)
{
#define CLASSES(head, component) classifier(around(head, component))
#define DIFFER(head, component) CHECK(strcmp(CLASSES(TOU, ENERGY), CLASSES(head, component)) != 0)
	/* prices, names, rounding and currency do not classify */
	CHECK_STR(CLASSES(TOU "'code':'x','name':'y','round':{'total':{'step':1}},'values':{'v':2},",
					  "{'code':'b','kind':'energy','price':{'period':{'peak':1,'valley':2}}},"
					  "{'code':'f','kind':'fixed','price':3}"),
			  CLASSES(TOU, ENERGY));
	DIFFER("", ENERGY);
	DIFFER(TOU "'zone':'Asia/Shanghai',", ENERGY);
	DIFFER(TOU "'month_day':2,", ENERGY);
	DIFFER(TOU "'year_start':'12-01',", ENERGY);
	DIFFER(TOU "'seasons':{'s':[['06-01','07-01']]},", ENERGY);
	DIFFER(TOU "'calendar':{'days':{'2026-01-01':['holiday']}},", ENERGY);
	DIFFER(TOU, "{'code':'a','kind':'energy','price':1,'valid':['2026-01-01',null]}");
	DIFFER(TOU, "{'code':'a','kind':'energy','price':1,'when':{'date':['2026-01-01',null]}}");
	DIFFER(TOU, "{'code':'a','kind':'energy','price':1,'factor_if':[{'if':{'date':[null,"
				"'2026-01-01']},'factor':2}]}");
	DIFFER(TOU, "{'code':'a','kind':'energy','tier':{'scope':'year','steps':[{'price':1}]}}");
	/* where a date comes from, and how often, does not matter */
	CHECK_STR(CLASSES("", "{'code':'a','kind':'energy','price':1,'valid':['2026-01-01',"
						  "'2027-01-01']}"),
			  CLASSES("", "{'code':'a','kind':'energy','price':1,'valid':[null,'2027-01-01']},"
						  "{'code':'b','kind':'energy','price':1,'valid':['2026-01-01',"
						  "'2027-01-01']}"));
}

int
main(void)
{
	test_compile_head();
	test_compile_time();
	test_compile_price();
	test_compile_tier();
	test_compile_component();
	test_compile_space();
	test_text();
	test_text_space();
	test_classifier();
	return check_done("tariff_compile");
}
