/*
 * test_tariff_random.c -- random tariffs: text -> tariff -> text is the identity
 * Tariffs are put together from parts that each may be there or not, defaults written out among
 * them. The canonical text is its own canonical text, compiles to the same block, classifies alike
 * and, said in other words (keys in reverse, defaults written out), stays the same text.
 * EB_SEED repeats a run, EB_CASES says how many.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "kit_json.h"

static uint64_t state;

static unsigned
draw(unsigned n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned) (state >> 33) % n;
}

/* ---------------------------------------------------------------- putting together */

typedef struct Text
{
	char data[60000];
	size_t len;
} Text;

static void
add(Text *text, const char *part)
{
	size_t len = strlen(part);

	if (text->len + len >= sizeof(text->data))
		abort();
	memcpy(text->data + text->len, part, len + 1);
	text->len += len;
}

/* Do two members begin with the same key? */
static bool
same_key(const char *a, const char *b)
{
	size_t len = strcspn(a, ":");

	return len == strcspn(b, ":") && memcmp(a, b, len) == 0;
}

/* Members of an object, each with a chance of one half, in the order given or in reverse */
static void
add_some(Text *text, const char *const *member, int n)
{
	const char *taken[40];
	int ntaken = 0;
	bool reverse = draw(2) == 1;

	for (int i = 0; i < n; i++)
	{
		const char *one = member[reverse ? n - 1 - i : i];
		bool there = draw(2) == 1;

		for (int j = 0; j < ntaken; j++)
			there = there || same_key(taken[j], one);
		if (there)
			continue;
		taken[ntaken++] = one;
		add(text, ",");
		add(text, one);
	}
}

#define COUNT(list) ((int) (sizeof(list) / sizeof((list)[0])))

static const char *const head[] = {
	"'code':'t'",
	"'name':{'zh':'电','en':'T'}",
	"'minor_unit':2",
	"'zone':'UTC'",
	"'year_start':'12-01'",
	"'year_start':'01-01'",
	"'month_day':1",
	"'month_day':5",
	"'round':{'price':{'step':0.0001,'mode':'half_up'},'line':{'step':0.01},'total':null}",
	"'round':{'line':null,'total':{'mode':'floor','step':1.50}}",
	"'net':{'mode':'rollover_kwh','settle_month':12,'match':'time_of_day','true_up_price':0.10}",
	"'net':{'mode':'billing_carry','settle':'pay','expire':false}",
	("'losses':[{'code':'p','kind':'percent','percent':3.0,'sign':1},{'code':'c','kind':'copper',"
	 "'kva':'attr:contract_kva','load_kw':4.30,'k':1}]"),
	"'losses':[]",
};

static const char *const demand[] = {
	"'quantity':'import_kw'",
	"'quantity':'import_kva'",
	"'window':15,'slide':15",
	"'window':60,'slide':15",
	"'per':'month'",
	"'per':'bill'",
	"'schedule':'one'",
	"'schedule':'two','period':['on']",
	"'season':['s','*']",
	"'months':[1,2]",
	"'event':'e'",
	"'round':{'step':0.10,'mode':'up'}",
	"'floor_kw':5.000",
	"'ratchet':{'lookback':3,'percent':[1,2,3,4,5,6,7,8,9,10,11,12.50],'current':100}",
	"'agg':'top_mean','n':3,'distinct':'day'",
	"'agg':'max'",
};

static const char *const price[] = {
	"'price':0.50",
	"'price':'0.5'",
	"'price':{'period':{'a':1,'b':{'season':{'s':2.0,'*':1}},'*':3}},'schedule':'one'",
	"'price':{'mul':[{'ref':'v'},1.70],'round':{'step':0.0001}}",
	"'price':{'mul':[{'ref':'v'},1.7],'round':null}",
	"'price':{'attr':'kv','of':{'10':1,'*':2}}",
	"'price':{'add':[{'series':'d'},{'series':'m'}]}",
	"'tier':{'mode':'graduated','scope':'year','split':'continue','steps':[{'up_to':200.0,'price':1,"
	"'unit':'kwh','factor':1,'flat':0},{'price':2,'flat':1.5}]}",
	"'tier':{'order':'time','scope':'day','flat_at_zero':true,'steps':[{'up_to':100,'unit':"
	"'kwh_per_kw','demand':'x','steps':[{'up_to':5,'price':1},{'price':2}]},{'price':3}]}",
	"'price':1,'tier':{'mode':'package','size':10,'free':0}",
	"'price':1,'tier':{'mode':'adder','allowance':[{'attr':'persons','at_least':5,'add':100,'per':"
	"'month','widen':'first'}],'nominal_days':30,'prorate':'days','steps':[{'up_to':{'season':{'s':"
	"260,'*':200}}},{'price':0.05}]}",
};

static const char *const component[] = {
	"'name':'label'",
	"'group':'g'",
	"'rider':'r'",
	"'lane':'l'",
	"'when':{}",
	("'when':{'days':['mon','fest'],'not_days':['holiday'],'attr':{'kv':['10','35']},'qty':{"
	 "'import_kwh':{'gt':5.0}},'ratio':{'of':'import_kwh','to':'attr:contract_kva','ge':260}}"),
	"'when':{'time':['22:00','06:00'],'kw':{'ge':5,'lt':50},'reservation':'held'}",
	"'valid':['2026-01-01',null]",
	"'factor_if':[{'if':{'season':['s']},'factor':0.90,'round':null}]",
	"'factor_if':[]",
	"'quantity':'import_kwh'",
	"'quantity':'net_kwh'",
	"'per':'kwh'",
	"'step_wh':100",
	"'cap':30",
	"'vat':0",
	"'vat':13.0",
	"'round':{'step':0.01}",
	"'round':null",
	"'offset':true",
	"'offset':false",
};

static const char *const last[] = {
	"{'code':'f','kind':'fixed','price':1,'per':'bill','prorate':'none'}",
	"{'code':'f','kind':'fixed','price':1,'per':'month','quantity':'attr:n','prorate':'days'}",
	"{'code':'f','kind':'fixed','price':1,'each':{'max':9.50}}",
	("{'code':'d','kind':'demand','demand':'x','price':39,'tier':{'steps':[{'up_to':50,'unit':'kw',"
	 "'price':1},{'price':2}]}}"),
	"{'code':'q','kind':'power_factor','table':'cn_0.90','base':['*'],'per_line':true}",
	"{'code':'q','kind':'power_factor','table':[[0.950,-0.5],[0.9,0]],'base':['c0']}",
	"{'code':'q','kind':'power_factor','linear':{'target':0.80,'step':0.01,'percent':-0.1}}",
	"{'code':'p','kind':'percent','percent':8,'share_above':{'import_kwh':600},'per_line':false}",
	"{'code':'m','kind':'minimum','amount':10,'amount_incl':12,'scope':'month'}",
	"{'code':'i','kind':'idle','price':0.5,'per':'minute','step_s':60,'grace_s':900.500,'cap':30}",
	"{'code':'u','kind':'custom','quantity':'meters','price':2,'per':'unit'}",
};

/* What the parts refer to is always there. */
static void
add_tariff(Text *text)
{
	int n = 1 + (int) draw(3);

	add(text, "{'elecbill':1,'currency':'CNY'");
	add_some(text, head, COUNT(head));
	add(text,
		",'calendar':{'weekend':['sat','sun'],'days':{'2026-02-17':['fest','holiday']}},"
		"'seasons':{'s':[['06-01','10-01']]},'events':{'e':[['2026-01-01','2026-01-02']]},"
		"'schedules':{'two':[{'period':'on','event':'e','anchor':'instant'},{'period':'off'}],"
		"'one':[{'period':'a','spans':[['22:00','06:00']],'anchor':'start','days':['weekday']},"
		"{'period':'b'}]},'values':{'v':1.250},'series':{'d':[['2020-01-01',0.10]],'m':{'by':"
		"'bill_month','points':[['2020-01-01',1]]},'u':'usage','i':{'by':'instant','points':[["
		"'2020-01-01T00:30:00+08:00',1]]}},'demands':{'x':{}");
	add(text, ",'y':{'window':15");
	add_some(text, demand, COUNT(demand));
	add(text, "}},'components':[");
	for (int i = 0; i < n; i++)
	{
		char begin[60];

		snprintf(begin, sizeof(begin), "%s{'code':'c%d','kind':'energy',", i > 0 ? "," : "", i);
		add(text, begin);
		add(text, price[draw((unsigned) COUNT(price))]);
		add_some(text, component, COUNT(component));
		add(text, "}");
	}
	if (draw(2) == 1)
	{
		add(text, ",");
		add(text, last[draw((unsigned) COUNT(last))]);
	}
	add(text, "]}");
}

static void
add_versions(Text *text)
{
	add(text, "{'elecbill':1,'versions':[{'version':1,'valid':[null,'2026-01-01'],'tariff':");
	add_tariff(text);
	add(text, "},{'valid':['2026-01-01',null],'version':2,'tariff':");
	add_tariff(text);
	add(text, "}]}");
}

/* ---------------------------------------------------------------- the property */

/* Some parts do not go together: such cases are left out. */
static void
count_errors(void *arg, const EbFinding *finding)
{
	*(int *) arg += finding->level == EB_LINT_ERROR;
}

static bool
write_text(const EbNode *root, Text *text)
{
	if (eb_tariff_text(root, text->data, sizeof(text->data) - 1, &text->len) != EB_OK)
		return false;
	text->data[text->len] = '\0';
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] == '"')
			text->data[i] = '\'';
	return true;
}

static bool
compile(const EbNode *root, int64_t *block, size_t size, size_t *used)
{
	EbFault fault;

	return eb_tariff_compile(root, block, size, used, &fault) == EB_OK &&
		   eb_tariff_localize((EbTariff *) block, &kit_json_zone, &fault) == EB_OK &&
		   eb_tariff_check(block, *used, &fault) == EB_OK;
}

static bool
comes_back(const Text *text)
{
	static Text canonical, again;
	static int64_t block[20000], other[20000];
	size_t used;
	size_t used_again;

	if (!write_text(kit_json(text->data), &canonical) ||
		!compile(kit_json(text->data), block, sizeof(block), &used))
		return false;
	return write_text(kit_json(canonical.data), &again) &&
		   strcmp(canonical.data, again.data) == 0 &&
		   compile(kit_json(canonical.data), other, sizeof(other), &used_again) &&
		   used == used_again && memcmp(block, other, used) == 0;
}

int
main(void)
{
	const char *seed = getenv("EB_SEED");
	const char *cases = getenv("EB_CASES");
	int wanted = cases != NULL ? (int) strtol(cases, NULL, 10) : 300;
	static Text text;
	int done = 0;
	bool ok = true;

	state = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t) time(NULL);
	printf("tariff_random: EB_SEED=%llu\n", (unsigned long long) state);
	for (int drawn = 0; done < wanted && drawn < 100 * wanted && ok; drawn++)
	{
		int errors = 0;

		text.len = 0;
		if (draw(8) == 0)
			add_versions(&text);
		else
			add_tariff(&text);
		eb_tariff_lint(kit_json(text.data), count_errors, &errors);
		if (errors > 0)
			continue;
		ok = comes_back(&text);
		done++;
	}
	CHECK_INT(done, wanted);
	if (!CHECK(ok))
		printf("%s\n", text.data);
	return check_done("tariff_random");
}
