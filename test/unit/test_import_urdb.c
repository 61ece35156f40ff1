/*
 * test_import_urdb.c -- random rates of the Utility Rate Database, whole and broken
 * The seed is printed; EB_SEED=n repeats a run. What the importer takes compiles as a tariff, and
 * its text is as long as it was measured to be; what it refuses it refuses with a path or a word.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "kit_json.h"
#include "rating/import.h"

#define CASES 30000
#define MOST_NODES 4000
#define MOST_TEXT 60000

static uint64_t state;
static EbNode pool[MOST_NODES];
static int used;
static int broken; /* of 100 values, how many are of another kind */

/* splitmix64 */
static uint64_t
next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int
below(int n)
{
	return (int) (next() % (uint64_t) n);
}

static EbText
text_of(const char *text)
{
	return (EbText){text, (int) strlen(text)};
}

static EbNode *
node_of(EbNodeKind kind)
{
	EbNode *node = &pool[used < MOST_NODES - 1 ? used++ : used];

	*node = (EbNode){.kind = kind, .key = {"", 0}, .text = {"", 0}};
	return node;
}

static EbNode *
number(const char *text)
{
	EbNode *node = node_of(EB_NODE_NUMBER);

	node->text = text_of(text);
	return node;
}

static EbNode *
word(const char *text)
{
	EbNode *node = node_of(EB_NODE_TEXT);

	node->text = text_of(text);
	return node;
}

static void
append(EbNode *parent, const char *key, EbNode *child)
{
	const EbNode **place = &parent->child;

	child->key = text_of(key);
	while (*place != NULL)
		place = (const EbNode **) &((EbNode *) *place)->next;
	*place = child;
}

#define PICK(...) pick((const char *const[]){__VA_ARGS__, NULL})

static const char *
pick(const char *const *of)
{
	int n = 0;

	while (of[n] != NULL)
		n++;
	return of[below(n)];
}

/* The value, or now and then something else in its place */
static EbNode *
perhaps(EbNode *value)
{
	EbNode *node;

	if (below(100) >= broken)
		return value;
	switch (below(7))
	{
		case 0:
			return node_of(EB_NODE_NULL);
		case 1:
			return node_of(EB_NODE_TRUE);
		case 2:
			return number(PICK("-1", "0", "1e99", "1e-99", "7", "0.5", "-0.000000001", "64"));
		case 3:
			return word(PICK("", "x", "1", "kW", "2025-01-01"));
		case 4:
			return node_of(EB_NODE_ARRAY);
		case 5:
			node = node_of(EB_NODE_OBJECT);
			append(node, PICK("rate", "max", "0", "items"), value);
			return node;
		default:
			node = node_of(EB_NODE_ARRAY);
			append(node, "", value);
			return node;
	}
}

static EbNode *
amount(void)
{
	return perhaps(number(PICK("0", "0", "0.1", "12", "0.000000001", "120", "3.25")));
}

/* Tiers of a period; bounds are the same in every period of a rate that is not broken */
static EbNode *
tiers(bool energy, int n, const char *unit)
{
	static const char *const bound[] = {"100", "250.5", "900", "2000"};
	EbNode *list = node_of(EB_NODE_ARRAY);

	for (int i = 0; i < n; i++)
	{
		EbNode *tier = node_of(EB_NODE_OBJECT);

		append(tier, "rate", amount());
		if (below(3) == 0)
			append(tier, "adj", amount());
		if (i + 1 < n)
			append(tier, "max", perhaps(number(bound[i])));
		if (energy)
			append(tier, "unit", perhaps(word(unit)));
		if (energy && below(20) == 0)
			append(tier, "sell", perhaps(number("0.04")));
		append(list, "", perhaps(tier));
	}
	return perhaps(list);
}

static EbNode *
structure(bool energy, int periods)
{
	static const char *const units[] = {"kWh", "kWh daily", "kWh/kW", "kWh/kW daily", "KWH"};
	EbNode *list = node_of(EB_NODE_ARRAY);
	const char *unit = units[below(5)];
	int n = 1 + below(4);

	for (int i = 0; i < periods; i++)
		append(list, "", tiers(energy, n, unit));
	return perhaps(list);
}

static EbNode *
period(int periods)
{
	static const char *const digit[] = {"0", "1", "2", "3", "4"};

	return perhaps(number(digit[below(periods)]));
}

static EbNode *
twelve(int periods)
{
	EbNode *list = node_of(EB_NODE_ARRAY);

	for (int m = 0; m < 12; m++)
		append(list, "", period(periods));
	return perhaps(list);
}

static EbNode *
matrix(int periods)
{
	EbNode *list = node_of(EB_NODE_ARRAY);
	int turn = below(24);
	int months = below(2) ? 12 : 1;

	for (int m = 0; m < 12; m++)
	{
		EbNode *day = node_of(EB_NODE_ARRAY);
		int other = m % months == 0 ? below(periods) : 0;

		for (int h = 0; h < 24; h++)
			append(day, "",
				   h < turn ? number("0")
							: perhaps(number(other == 0	  ? "0"
											 : other == 1 ? "1"
														  : "2")));
		append(list, "", perhaps(day));
	}
	return perhaps(list);
}

static EbNode *
random_rate(void)
{
	EbNode *rate = node_of(EB_NODE_OBJECT);
	int energy = 1 + below(3);
	int demand = 1 + below(3);
	bool ratchet = below(4) == 0;

	if (below(10) > 0)
	{
		append(rate, "energyratestructure", structure(true, energy));
		append(rate, "energyweekdayschedule", matrix(energy));
		append(rate, "energyweekendschedule", matrix(energy));
	}
	if (below(3) == 0)
	{
		append(rate, "demandratestructure", structure(false, demand));
		append(rate, "demandweekdayschedule", matrix(demand));
		append(rate, "demandweekendschedule", matrix(demand));
	}
	if (below(3) == 0)
	{
		append(rate, "flatdemandstructure", structure(false, demand));
		append(rate, "flatdemandmonths", twelve(demand));
		append(rate, "flatdemandunit", perhaps(word(PICK("kW", "kVA", "hp"))));
	}
	if (below(3) == 0)
		append(rate, "demandwindow", perhaps(number(PICK("5", "15", "30", "60", "25"))));
	if (ratchet)
		append(rate, "lookbackpercent", perhaps(number("0.8")));
	if (ratchet && below(2))
		append(rate, "lookbackrange", perhaps(number("11")));
	else if (ratchet)
		append(rate, "lookbackmonths", twelve(2));
	if (below(6) == 0)
		append(rate, "demandratchetpercentage", twelve(2));
	if (below(4) == 0)
		append(rate, "fueladjustmentsmonthly", twelve(5));
	if (below(2))
		append(rate, "fixedchargefirstmeter", amount());
	if (below(2))
		append(rate, "fixedchargeunits", perhaps(word(PICK("$/day", "$/month", "$/year"))));
	if (below(3) == 0)
		append(rate, "minmonthlycharge", amount());
	if (below(3) == 0)
		append(rate, "annualmincharge", amount());
	if (below(3) == 0)
		append(rate, "dgrules",
			   perhaps(word(PICK("Net Metering", "Net Billing Hourly", "Buy All Sell All"))));
	append(rate, "name", perhaps(word("a rate")));
	if (below(100) < broken)
		append(rate, "surprise", number("1"));
	return perhaps(rate);
}

/* The tree of kit_json.h reads texts in single quotes. */
static bool
compiles(char *text)
{
	EbFault fault;

	for (char *at = text; *at != '\0'; at++)
		if (*at == '"')
			*at = '\'';
	if (kit_json_tariff(text, &fault) != NULL)
		return true;
	printf("%s: %s\n%s\n", fault.message, fault.detail, text);
	return false;
}

/* 1: taken and right, 0: refused and said why, -1: wrong */
static int
try_rate(const EbNode *rate)
{
	static char text[MOST_TEXT];
	EbFault fault = {.message = ""};
	EbFault again;
	EbJson json;
	EbJson measured;
	EbStatus status;

	eb_json_init(&json, text, sizeof(text) - 1);
	eb_json_init(&measured, NULL, 0);
	status = eb_import_urdb(rate, text_of("UTC"), &json, &fault);
	if (status != eb_import_urdb(rate, text_of("UTC"), &measured, &again) ||
		json.len != measured.len || !eb_json_fits(&json))
		return -1;
	if (status != EB_OK)
		return fault.message[0] != '\0' && fault.detail[0] != '\0' && json.len == 0 ? 0 : -1;
	text[json.len] = '\0';
	return compiles(text) ? 1 : -1;
}

int
main(void)
{
	const char *given = getenv("EB_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) time(NULL);
	int count[3] = {0};

	state = seed;
	printf("import_urdb: EB_SEED=%" PRIu64 "\n", seed);
	for (int i = 0; i < CASES; i++)
	{
		broken = i % 2 == 0 ? 0 : 1 + i % 5;
		used = 0;
		count[1 + try_rate(random_rate())]++;
		if (count[0] > 3)
			break;
	}
	CHECK_INT(count[0], 0);
	CHECK(count[1] > CASES / 10);
	CHECK(count[2] > CASES / 10);
	return check_done("import_urdb");
}
