/*
 * test_session_property.c -- 100,000 random sessions
 * The seed is printed; EB_SEED=n repeats a run. Each session: its lines sum to its total, a
 * segment cut in two at any whole point changes nothing, ten times the prices are ten times the
 * amounts. Each tenth is rated by the oracle of kit_session_oracle.h, too.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "kit_json.h"
#include "kit_session_oracle.h"

#define CASES 100000
#define CASES_BY_TARIFF 100
#define ORACLE_EACH 10

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

static int
below(int n)
{
	return (int) (next() % (uint64_t) n);
}

/* ---------------------------------------------------------------- random tariffs and sessions */

static int
maybe(int value)
{
	return below(3) == 0 ? value : NO_BOUND;
}

static Component
random_component(void)
{
	Component c = {
		.kind = below(KINDS),
		.lane = below(3),
		.price = below(3) == 0 ? 0 : below(400000),
		.step = below(2) * (1 + below(900)),
		.grace = below(3) == 0 ? below(600) : 0,
		.vat = below(3) * 10,
		.min_seconds = maybe(below(1500)),
		.min_units = maybe(below(900)),
		.fast = below(4) == 0 ? 2 * below(2) - 1 : 0,
		.weekdays = below(5) == 0,
		.expired = below(3) == 0,
	};

	if (below(2) == 0)
	{
		c.from = 12 * 60 + below(150);
		c.to = 12 * 60 + below(150);
	}
	c.peak_price = c.kind < FLAT && below(2) == 0 ? below(400000) : c.price;
	if (c.kind < FLAT && below(4) == 0)
	{
		c.bound = 36 * (1 + below(40)) * (c.kind == ENERGY ? 100 : 1);
		c.next_price = below(400000);
		c.order = below(3);
		c.peak_price = c.price;
	}
	c.max_seconds = maybe(c.min_seconds + 1 + below(900));
	c.max_units = maybe(c.min_units + 1 + below(900));
	return c;
}

static Tariff
random_tariff(void)
{
	Tariff tariff = {
		.n = 1 + below(MOST_COMPONENTS),
		.peak_from = 12 * 60 + below(150),
		.peak_to = 15 * 60 + below(60),
		.minimum = below(4) == 0 ? below(3000) : 0,
	};

	for (int i = 0; i < tariff.n; i++)
		tariff.component[i] = random_component();
	return tariff;
}

static const EbTariff *
compile(const Tariff *tariff, int scale, int64_t *block, size_t size)
{
	EbFault fault;
	size_t used;

	if (eb_tariff_compile(kit_json(json_of(tariff, scale)), block, size, &used, &fault) == EB_OK)
		return (const EbTariff *) block;
	printf("%s\n%s: %s\n", json_of(tariff, scale), fault.message, fault.detail);
	abort();
}

static void
add_segment(Case *c, int64_t *at_us, int32_t what)
{
	int seconds = 1 + below(below(3) == 0 ? 30 : 500);

	c->segment[c->session.nsegments++] = (EbSessionSegment){
		.from_us = *at_us,
		.to_us = *at_us + seconds * EB_SECOND_US,
		.ukwh = what == EB_SESSION_CHARGE && below(4) > 0 ? seconds * UKWH : 0,
		.ukw = EB_SESSION_UNKNOWN,
		.uamp = EB_SESSION_UNKNOWN,
		.state = what,
		.measured = 1,
	};
	*at_us += seconds * EB_SECOND_US + (below(6) == 0 ? below(300) * EB_SECOND_US : 0);
}

/* Around noon of UTC, on the day the clock changes or the one after, a Saturday */
static void
random_case(Case *c)
{
	int64_t at_us = CHANGE_US + below(2) * EB_DAY_US + (below(5400) - 3600) * EB_SECOND_US;
	int n = 1 + below(6);

	c->session = (EbSession){.start_us = at_us, .segment = c->segment};
	while (c->session.nsegments < 2 && below(3) == 0)
		add_segment(c, &at_us, EB_SESSION_RESERVE);
	c->session.expired = c->session.nsegments > 0 && below(2) == 0;
	for (int i = 0; i < n; i++)
		add_segment(c, &at_us, below(3) == 0 ? EB_SESSION_IDLE : EB_SESSION_CHARGE);
}

/* One segment becomes two that say the same; false: it has no whole point inside. */
static bool
split_segment(Case *c)
{
	int i = below(c->session.nsegments);
	EbSessionSegment *segment = &c->segment[i];
	int64_t seconds = (segment->to_us - segment->from_us) / EB_SECOND_US;
	int64_t first;

	if (seconds < 2)
		return false;
	first = 1 + below((int) seconds - 1);
	memmove(segment + 1, segment, sizeof(*segment) * (size_t) (c->session.nsegments - i));
	c->session.nsegments++;
	segment[0].to_us = segment[1].from_us = segment[0].from_us + first * EB_SECOND_US;
	segment[0].ukwh = segment[0].ukwh / seconds * first;
	segment[1].ukwh -= segment[0].ukwh;
	return true;
}

typedef struct Result
{
	int n;
	EbLine line[200];
	EbSessionTotal total;
} Result;

static int
rate(const EbTariff *tariff, const Case *c, Result *result)
{
	static EbSessionGroup group[200];
	EbSessionSpace space = {group, 200, result->line, 200};
	EbSession session = c->session;
	EbFault fault;

	session.segment = c->segment;
	return CHECK_INT(eb_session_rate(tariff, &zone, &session, &space, &result->n, &fault), EB_OK) &&
		   CHECK_INT(eb_session_total(tariff, result->line, result->n, &result->total, &fault),
					 EB_OK);
}

/* ---------------------------------------------------------------- properties */

static void
check_sum(const Result *result)
{
	eb_int128 sum = 0;
	eb_int128 tax = 0;

	for (int i = 0; i < result->n; i++)
	{
		sum += result->line[i].amount;
		if (result->line[i].role == EB_LINE_VAT)
			tax += result->line[i].amount;
	}
	CHECK(sum == result->total.incl);
	CHECK(sum - tax == result->total.excl);
}

static bool
same_line(const EbLine *a, const EbLine *b)
{
	return a->component == b->component && a->slot == b->slot && a->quantity_u == b->quantity_u &&
		   a->price_n == b->price_n && a->amount == b->amount && a->from_us == b->from_us &&
		   a->to_us == b->to_us && a->quality == b->quality;
}

static void
check_split(const EbTariff *tariff, const Case *c, const Result *whole)
{
	static Result split;
	Case cut = *c;

	if (!split_segment(&cut) || !rate(tariff, &cut, &split) || !CHECK_INT(split.n, whole->n))
		return;
	for (int i = 0; i < split.n; i++)
		CHECK(same_line(&split.line[i], &whole->line[i]));
}

static void
check_scaled(const EbTariff *tenfold, const Case *c, const Result *plain)
{
	static Result scaled;

	if (!rate(tenfold, c, &scaled) || !CHECK_INT(scaled.n, plain->n))
		return;
	for (int i = 0; i < scaled.n; i++)
		CHECK(scaled.line[i].amount_raw == 10 * plain->line[i].amount_raw);
}

static void
check_oracle(const Tariff *tariff, const Case *c, const Result *result)
{
	EbSessionTotal wanted;

	oracle_rate(tariff, c, &wanted);
	if (!CHECK(result->total.excl == wanted.excl && result->total.incl == wanted.incl))
		printf("    %s\n", json_of(tariff, 1));
}

int
main(void)
{
	static int64_t block[1 << 14];
	static int64_t tenfold_block[1 << 14];
	static Result result;
	const char *seed = getenv("EB_SEED");

	state = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t) time(NULL);
	printf("session_property: EB_SEED=%" PRIu64 "\n", state);
	for (int i = 0; i < CASES / CASES_BY_TARIFF && check_failed < 20; i++)
	{
		Tariff spec = random_tariff();
		const EbTariff *tariff = compile(&spec, 1, block, sizeof(block));
		const EbTariff *tenfold = compile(&spec, 10, tenfold_block, sizeof(tenfold_block));

		for (int j = 0; j < CASES_BY_TARIFF && check_failed < 20; j++)
		{
			Case c;

			random_case(&c);
			if (!rate(tariff, &c, &result))
				break;
			check_sum(&result);
			check_split(tariff, &c, &result);
			check_scaled(tenfold, &c, &result);
			if (j % ORACLE_EACH == 0)
				check_oracle(&spec, &c, &result);
		}
	}
	return check_done("session_property");
}
