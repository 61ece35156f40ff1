/*
 * test_rate_property.c -- 100,000 random bills of one tier component against a slow oracle
 * The seed is printed; EB_SEED=n repeats a run. The oracle knows no spans, no runs and no ladders:
 * it reads the hour from the instant, and walks the energy step by step.
 * Properties of the tariff reference, section 7: 3 (a cut interval), 5 (telescopes), 7 (by period =
 * by tier = in), 8 (equal prices), 9 (adders of 0), 17 (times ten).
 */
#include "check.h"
#include "kit_tier_case.h"

#define CASES 100000
#define USAGES 20 /* of a tariff */

/* What a bill comes to: units and flats by step and period (PERIODS: both together) */
typedef struct Answer
{
	int64_t unit[4][PERIODS];
	int64_t flat[4][PERIODS + 1];
	int64_t packages[PERIODS + 1];
	int64_t base[PERIODS];
	eb_int128 amount; /* 1e-15 */
} Answer;

/* ---------------------------------------------------------------- the oracle */

/* The period of a minute of the bill, and the instance of the scope that it lies in */
static int
period_of(int minute)
{
	int hour = minute % EB_DAY_MINUTES / 60;

	return hour >= 8 && hour < 22 ? PEAK : VALLEY;
}

static int
instance_of(const Case *c, int minute, int interval)
{
	int day = minute / EB_DAY_MINUTES;

	switch (c->scope)
	{
		case EB_SCOPE_INTERVAL:
			return interval;
		case EB_SCOPE_DAY:
			return day;
		case EB_SCOPE_MONTH:
			return FIRST_DAY + day >= 31; /* 20 May is day 0, 1 June day 12 */
		default:
			return 0;
	}
}

static int
step_of(const Case *c, int64_t x_u, bool next)
{
	int k = 0;

	while (k < c->nsteps - 1 && (next ? x_u >= c->bound_u[k] : x_u > c->bound_u[k]))
		k++;
	return k;
}

static void
count_flats(const Case *c, int64_t used_u, int64_t after_u, int column, Answer *answer)
{
	if (used_u == 0)
		answer->flat[0][column]++;
	for (int k = 1; k < c->nsteps; k++)
		if (used_u <= c->bound_u[k - 1] && after_u > c->bound_u[k - 1])
			answer->flat[k][column]++;
}

/* Units of a counter from used on, step by step */
static void
fill(const Case *c, int64_t used_u, int64_t quantity_u, int p, Answer *answer)
{
	while (quantity_u > 0)
	{
		int k = step_of(c, used_u, true);
		int64_t room_u = k < c->nsteps - 1 ? c->bound_u[k] - used_u : quantity_u;
		int64_t take_u = room_u < quantity_u ? room_u : quantity_u;

		answer->unit[k][p] += take_u;
		used_u += take_u;
		quantity_u -= take_u;
	}
}

static int64_t
packages(const Case *c, int64_t x_u)
{
	int64_t n = 0;

	for (x_u -= c->free_u; x_u > 0; x_u -= c->size_u)
		n++;
	return n;
}

/* One beginning of the counter: pieces in order of time, by the period they lie in */
typedef struct Instance
{
	int64_t used_u[PERIODS];
	int64_t quantity_u[PERIODS];
	bool seen[PERIODS]; /* an interval is one of those periods only that it touches */
} Instance;

/* Quantities of periods that share a counter (column PERIODS), or of one alone */
static void
close_counter(const Case *c, int64_t used_u, const int64_t *quantity_u, int column, Answer *answer)
{
	int64_t total_u = quantity_u[PEAK] + quantity_u[VALLEY];
	int64_t after_u = used_u + total_u;

	if (c->mode == EB_TIER_PACKAGE)
	{
		answer->packages[column] += packages(c, after_u) - packages(c, used_u);
		return;
	}
	if (c->mode != EB_TIER_VOLUME)
	{
		count_flats(c, used_u, after_u, column, answer);
		return;
	}
	/* F(before + q) - F(before) */
	for (int p = 0; p < PERIODS; p++)
		answer->amount += (eb_int128) quantity_u[p] * c->price[step_of(c, after_u, false)][p];
	if (used_u == 0 || step_of(c, after_u, false) != step_of(c, used_u, false))
		answer->amount += (eb_int128) c->flat[step_of(c, after_u, false)] * 1000000;
	if (used_u > 0 && step_of(c, after_u, false) != step_of(c, used_u, false))
	{
		answer->amount += (eb_int128) used_u * c->price[step_of(c, after_u, false)][PEAK];
		answer->amount -= (eb_int128) used_u * c->price[step_of(c, used_u, false)][PEAK];
		answer->amount -= (eb_int128) c->flat[step_of(c, used_u, false)] * 1000000;
	}
}

static void
close_instance(const Case *c, const Instance *instance, Answer *answer)
{
	if (c->order == EB_ORDER_PER_PERIOD)
		for (int p = 0; p < PERIODS; p++)
		{
			int64_t alone_u[PERIODS] = {0};

			alone_u[p] = instance->quantity_u[p];
			if (c->scope == EB_SCOPE_INTERVAL && !instance->seen[p])
				continue;
			close_counter(c, instance->used_u[p], alone_u, p, answer);
		}
	else
		close_counter(c, instance->used_u[PEAK] + instance->used_u[VALLEY], instance->quantity_u,
					  PERIODS, answer);
}

/* A piece of one period: into the steps at once, where its order in time or its period decides */
static void
add_piece(const Case *c, Instance *instance, int p, int64_t piece_u, Answer *answer)
{
	int64_t used_u = instance->used_u[p] + instance->quantity_u[p];

	answer->base[p] += piece_u;
	if (c->order != EB_ORDER_PER_PERIOD)
		used_u += instance->used_u[1 - p] + instance->quantity_u[1 - p];
	if (c->mode == EB_TIER_GRADUATED || c->mode == EB_TIER_ADDER)
		fill(c, used_u, piece_u, p, answer);
	instance->quantity_u[p] += piece_u;
	instance->seen[p] = true;
}

/*
 * Walks the minutes of each interval: a piece ends where the period, the day or the month does.
 * For order prorata the units by step are right, those by period and step are not.
 */
static Answer
oracle(const Case *c)
{
	static Answer answer;
	Instance instance = {{c->before_u[PEAK], c->before_u[VALLEY]}, {0, 0}, {false, false}};
	int last = c->scope == EB_SCOPE_INTERVAL ? -1 : 0;
	int ends = c->scope == EB_SCOPE_DAY ? DAYS - 1 : c->scope == EB_SCOPE_MONTH ? 1 : 0;

	memset(&answer, 0, sizeof(answer));
	for (int i = 0; i < c->n; i++)
	{
		const Interval *it = &c->interval[i];
		int64_t done_u = 0;

		for (int minute = 0; minute < it->length; minute++)
		{
			int at = it->minute + minute;
			int now = instance_of(c, at, i);
			int64_t until_u = (2 * it->ukwh * (minute + 1) + it->length) / (2 * it->length);

			for (; last < now; last++)
			{
				if (last >= 0)
					close_instance(c, &instance, &answer);
				if (last >= 0 || c->scope != EB_SCOPE_INTERVAL)
					instance = (Instance){{0, 0}, {0, 0}, {false, false}};
			}
			/* cumulative rounding: whatever the cuts, pieces end at these sums */
			if (minute + 1 < it->length && period_of(at + 1) == period_of(at) &&
				(at + 1) % EB_DAY_MINUTES != 0)
				continue;
			add_piece(c, &instance, period_of(at), until_u - done_u, &answer);
			done_u = until_u;
		}
	}
	if (c->scope == EB_SCOPE_INTERVAL)
	{
		if (last >= 0)
			close_instance(c, &instance, &answer);
		return answer;
	}
	for (; last <= ends; last++)
	{
		close_instance(c, &instance, &answer);
		instance = (Instance){{0, 0}, {0, 0}, {false, false}};
	}
	return answer;
}

/* What all units and flats cost; the units of order prorata are the engine's own. */
static eb_int128
cost(const Case *c, const Answer *answer)
{
	eb_int128 sum = answer->amount;

	for (int p = 0; p <= PERIODS; p++)
	{
		sum += (eb_int128) answer->packages[p] * c->base[PEAK] * 1000000;
		for (int k = 0; k < c->nsteps; k++)
			sum += (eb_int128) answer->flat[k][p] * c->flat[k] * 1000000;
		if (p == PERIODS)
			break;
		if (c->mode == EB_TIER_ADDER)
			sum += (eb_int128) answer->base[p] * c->base[p];
		for (int k = 0; k < c->nsteps; k++)
			sum += (eb_int128) answer->unit[k][p] * c->price[k][p];
	}
	return sum;
}

/* ---------------------------------------------------------------- comparing */

static eb_int128
rate(const EbTariff *tariff, EbUsage *usage)
{
	eb_int128 sum = 0;
	EbStatus status = eb_rate(tariff, &kit_zone, usage, &kit_ctx, kit_line, KIT_MAX_LINES,
							  &kit_nlines, &kit_fault);

	if (status != EB_OK)
	{
		printf("%d %s: %s\n", (int) status, kit_fault.message, kit_fault.detail);
		return INT64_MIN;
	}
	for (int i = 0; i < kit_nlines; i++)
		sum += kit_line[i].amount;
	return sum;
}

/* Units of the lines by step and period; false when a line is not quantity x price. */
static bool
read_lines(const Case *c, int64_t unit[4][PERIODS + 1])
{
	memset(unit, 0, 4 * sizeof(*unit));
	for (int i = 0; i < kit_nlines; i++)
	{
		const EbLine *line = &kit_line[i];

		if (line->amount != (eb_int128) line->quantity_u * line->price_n)
			return false;
		if (line->unit == EB_UNIT_KWH && line->tier > 0)
			unit[line->tier - 1][line->slot == EB_NONE ? PERIODS : line->slot] += line->quantity_u;
	}
	return c->nsteps > 0;
}

/* Steps and periods add up to what went in, and each cell is near its exact share [7.7] */
static bool
sums_agree(const Case *c, const Answer *answer, int64_t unit[4][PERIODS + 1])
{
	int64_t by_period[PERIODS] = {0};
	bool ok = true;

	for (int k = 0; k < c->nsteps; k++)
	{
		int64_t step_u = answer->unit[k][PEAK] + answer->unit[k][VALLEY];

		ok = ok && unit[k][PEAK] + unit[k][VALLEY] + unit[k][PERIODS] == step_u;
		for (int p = 0; p < PERIODS; p++)
			by_period[p] += unit[k][p];
	}
	for (int p = 0; p < PERIODS && c->mode == EB_TIER_GRADUATED; p++)
		ok = ok && (unit[0][PERIODS] != 0 || by_period[p] == answer->base[p] ||
					c->price[0][PEAK] == c->price[0][VALLEY]);
	return ok;
}

/* Is the bill the oracle's? Of prorata the oracle knows the steps, not how periods share them. */
static void
check_bill(const Case *c, eb_int128 total)
{
	Answer answer = oracle(c);
	int64_t unit[4][PERIODS + 1];

	CHECK(read_lines(c, unit));
	if (c->mode == EB_TIER_GRADUATED || (c->mode == EB_TIER_ADDER && c->order != EB_ORDER_PRORATA))
		CHECK(sums_agree(c, &answer, unit));
	if (c->mode == EB_TIER_GRADUATED && c->order == EB_ORDER_PRORATA)
		for (int k = 0; k < c->nsteps; k++)
			for (int p = 0; p < PERIODS; p++)
				answer.unit[k][p] = unit[k][p] + (p == PEAK ? unit[k][PERIODS] : 0);
	if (!CHECK(total == cost(c, &answer)))
		printf("    mode %s, scope %s, order %s\n", mode_name[c->mode], scope_name[c->scope],
			   order_name[c->order]);
}

/* Prices that do not matter, intervals that are cut, prices ten times as high */
static void
check_relations(Case *c, eb_int128 total)
{
	Case flat = *c;
	int64_t energy = 0;

	kit_begin("2024-05-20", "2024-06-10");
	if (c->scope != EB_SCOPE_INTERVAL)
	{
		const EbTariff *tariff = compile(c, 1);

		CHECK(rate(tariff, make_usage(tariff, c, true)) == total);
	}
	CHECK(rate(compile(c, 10), &kit_used) == total * 10);
	if (c->mode == EB_TIER_PACKAGE || c->mode == EB_TIER_VOLUME)
		return;
	for (int i = 0; i < c->n; i++)
		energy += c->interval[i].ukwh;
	for (int k = 0; k < c->nsteps; k++)
	{
		flat.flat[k] = 0;
		flat.price[k][PEAK] = flat.price[k][VALLEY] = c->mode == EB_TIER_ADDER ? 0 : 777000001;
	}
	flat.base[PEAK] = flat.base[VALLEY] = 777000001;
	CHECK(rate(compile(&flat, 1), &kit_used) == (eb_int128) energy * 777000001);
}

/* What a bill of two parts comes to is what both come to, one after the other [7.5] */
static void
check_increment(Case *c, const EbTariff *tariff, eb_int128 total)
{
	Case first = *c;
	Case second = *c;
	eb_int128 sum;

	if (c->scope != EB_SCOPE_BILL && c->scope != EB_SCOPE_YEAR)
		return;
	if (c->order == EB_ORDER_PRORATA && c->mode == EB_TIER_GRADUATED)
		return; /* shares of a part are not the shares of the whole */
	first.n = c->n / 2;
	second.n = c->n - first.n;
	for (int i = 0; i < second.n; i++)
		second.interval[i] = c->interval[first.n + i];
	sum = rate(tariff, make_usage(tariff, &first, false));
	for (int p = 0; p < PERIODS; p++)
		second.before_u[p] += oracle(&first).base[p];
	set_before(&second);
	/* what was nothing yet owes its first flat only once */
	for (int p = 0; p < PERIODS; p++)
		if (second.before_u[p] == 0)
			return;
	sum += rate(tariff, make_usage(tariff, &second, false));
	CHECK(sum == total);
}

/* One tariff with many usages; the relations need others compiled, so they come last. */
static bool
check_tariff(void)
{
	Case c = random_tariff();
	const EbTariff *tariff = compile(&c, 1);
	eb_int128 total = 0;

	if (!CHECK(tariff != NULL))
	{
		printf("%s: %s\n", kit_fault.message, kit_fault.detail);
		return false;
	}
	for (int j = 0; j < USAGES; j++)
	{
		random_usage(&c);
		kit_begin("2024-05-20", "2024-06-10");
		set_before(&c);
		total = rate(tariff, make_usage(tariff, &c, false));
		check_bill(&c, total);
	}
	check_increment(&c, tariff, total);
	if (c.before_u[PEAK] == 0 && c.before_u[VALLEY] == 0)
		check_relations(&c, total);
	return check_failed < 10;
}

int
main(void)
{
	kit_seed("rate_property");
	for (int i = 0; i < CASES / USAGES; i++)
		if (!check_tariff())
			break;
	return check_done("rate_property");
}
