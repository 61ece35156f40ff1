/*
 * tariff_localize.c -- what a compiled tariff needs its time zone for
 * In:  a compiled tariff, the zone it names.
 * Out: dates and wall clocks of events and series as instants; series whose points are all local
 *      midnights become prices by day, the others must be used linearly: energy x price is summed
 *      when usage is measured, and nothing can be rounded or chosen by it afterwards.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md (series).
 */
#include "base/civil.h"
#include "rating/fault.h"
#include "rating/price.h"
#include "rating/tariff_compile.h"
#include "rating/tariff_json.h"

/* The tariff in hand, and where it stands: "versions[2].tariff." */
typedef struct Localize
{
	EbTariff *tariff;
	const EbZone *zone;
	EbFault *fault;
	char prefix[40];
} Localize;

#define EB_WRITABLE(tariff, type, slice) ((type *) (void *) ((char *) (tariff) + (slice).at))

static EbStatus __attribute__((format(printf, 2, 3)))
refuse(const Localize *work, const char *format, ...)
{
	char detail[sizeof(work->fault->detail)];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	eb_fault_set(work->fault, EB_BAD_ARGUMENT, "tariff is not valid",
				 "SELECT * FROM elecbill.tariff_lint(definition) names each fault with its path.");
	return eb_fault_detail(work->fault, EB_BAD_ARGUMENT, "%s%.*s", work->prefix, 190, detail);
}

#define KEY_BYTES (EB_MAX_NAME + 8)

/* A key as paths show it: .name, or ["a name"] */
static const char *
member(const Localize *work, EbSlice name, char key[KEY_BYTES])
{
	EbText text = {EB_ARRAY(work->tariff, char, name), name.n};

	snprintf(key, KEY_BYTES, eb_key_plain(text) ? ".%.*s" : "[\"%.*s\"]", EB_TEXT_ARG(text));
	return key;
}

/* ---------------------------------------------------------------- events */

static EbStatus
localize_event(const Localize *work, const EbEvent *event)
{
	EbInstantRange *range = EB_WRITABLE(work->tariff, EbInstantRange, event->range);
	int64_t before_us = INT64_MIN;
	char key[KEY_BYTES];

	for (int i = 0; i < event->range.n; i++)
	{
		if (range[i].from_local)
			range[i].from_us = eb_wall_instant(work->zone, range[i].from_us);
		if (range[i].to_local)
			range[i].to_us = eb_wall_instant(work->zone, range[i].to_us);
		range[i].from_local = range[i].to_local = 0;
		if (range[i].from_us >= range[i].to_us)
			return refuse(work, "events%s[%d]: the range ends before it begins",
						  member(work, event->name, key), i);
		if (range[i].from_us < before_us)
			return refuse(work, "events%s[%d]: begins before the range before it ends",
						  member(work, event->name, key), i);
		before_us = range[i].to_us;
	}
	return EB_OK;
}

/* ---------------------------------------------------------------- series */

static EbStatus
localize_series(const Localize *work, EbSeries *series)
{
	EbPoint *point = EB_WRITABLE(work->tariff, EbPoint, series->point);
	bool by_day = series->kind == EB_SERIES_INSTANT;
	char key[KEY_BYTES];

	for (int i = 0; i < series->point.n; i++)
	{
		if (point[i].local)
			point[i].at_us = eb_wall_instant(work->zone, point[i].at_us);
		point[i].local = 0;
		point[i].day = eb_local_day(work->zone, point[i].at_us, NULL);
		if (i > 0 && point[i].at_us <= point[i - 1].at_us)
			return refuse(work, "series%s: point %d is not after the point before it",
						  member(work, series->name, key), i);
		by_day = by_day && point[i].at_us == eb_day_start(work->zone, point[i].day);
	}
	if (by_day)
		series->kind = EB_SERIES_DAYS;
	return EB_OK;
}

/* Only series that change inside days keep their planes. */
static void
drop_planes(EbTariff *tariff)
{
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);
	EbPlane *plane = EB_WRITABLE(tariff, EbPlane, tariff->plane);
	int n = 0;

	for (int i = 0; i < tariff->plane.n; i++)
		if (plane[i].series == EB_NONE || series[plane[i].series].kind != EB_SERIES_DAYS)
			plane[n++] = plane[i];
	memset(plane + n, 0, (size_t) (tariff->plane.n - n) * sizeof(EbPlane));
	tariff->plane.n = n;
}

/* ---------------------------------------------------------------- linear use */

/* Series that are summed, bit by index */
static uint32_t
summed_series(const EbTariff *tariff)
{
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);
	uint32_t bits = 0;

	for (int i = 0; i < tariff->series.n; i++)
		if (series[i].kind == EB_SERIES_INSTANT || series[i].kind == EB_SERIES_USAGE)
			bits |= UINT32_C(1) << i;
	return bits;
}

/* What is read once for a bill or a part cannot change inside its days. */
static EbStatus
check_constant(const Localize *work, uint32_t summed, int component, const char *key, int32_t node)
{
	if ((eb_price_series(work->tariff, node) & summed) == 0)
		return EB_OK;
	return refuse(work, "components[%d].%s: cannot read a series that changes inside days",
				  component, key);
}

/*
 * Is every sum and product above a summed series without rounding, and every product with one of
 * them at most? Operands are lower nodes, so one pass over all nodes is enough.
 */
static EbStatus
check_nodes(const Localize *work, uint32_t summed)
{
	const EbTariff *tariff = work->tariff;
	const EbPriceNode *node = EB_ARRAY(tariff, EbPriceNode, tariff->node);

	for (int i = 0; i < tariff->node.n; i++)
	{
		const int32_t *operand = EB_ARRAY(tariff, int32_t, node[i].entry);
		int n = 0;

		if (node[i].kind != EB_PRICE_MUL && node[i].kind != EB_PRICE_ADD)
			continue;
		for (int j = 0; j < node[i].entry.n; j++)
			n += (eb_price_series(tariff, operand[j]) & summed) != 0;
		if (n > 0 && node[i].round.step_n > 0)
			return refuse(work, "series: a price that changes inside days cannot be rounded");
		if (n > 1 && node[i].kind == EB_PRICE_MUL)
			return refuse(work, "series: prices that change inside days cannot be multiplied");
	}
	return EB_OK;
}

static EbStatus
check_steps(const Localize *work, uint32_t summed, int index, const EbComponent *component,
			EbSlice steps)
{
	const EbStep *step = EB_ARRAY(work->tariff, EbStep, steps);
	EbStatus status = EB_OK;

	for (int i = 0; i < steps.n && status == EB_OK; i++)
	{
		status = check_constant(work, summed, index, "tier", step[i].up_to);
		if (status == EB_OK)
			status = check_constant(work, summed, index, "tier", step[i].flat);
		if (status == EB_OK && step[i].price != component->price)
			status = check_constant(work, summed, index, "tier", step[i].price);
		if (status == EB_OK)
			status = check_steps(work, summed, index, component, step[i].step);
	}
	return status;
}

static EbStatus
check_component(const Localize *work, uint32_t summed, int index, const EbComponent *component)
{
	const EbTariff *tariff = work->tariff;
	bool reads = (eb_price_series(tariff, component->price) & summed) != 0;
	EbStatus status = check_constant(work, summed, index, "percent", component->percent);

	if (status == EB_OK)
		status = check_constant(work, summed, index, "amount", component->amount);
	if (status == EB_OK)
		status = check_constant(work, summed, index, "amount_incl", component->amount_incl);
	if (status == EB_OK && component->has_tier)
		status = check_steps(work, summed, index, component, component->tier.step);
	if (status != EB_OK || !reads)
		return status;
	if (component->kind > EB_KIND_CREDIT && component->kind < EB_KIND_SESSION_FLAT)
		return check_constant(work, summed, index, "price", component->price);
	if (component->has_tier && component->tier.mode != EB_TIER_ADDER)
		return refuse(work,
					  "components[%d].tier: a price that changes inside days has no tiers but of "
					  "mode \"adder\"",
					  index);
	if (tariff->round_price.step_n > 0)
		return refuse(work,
					  "components[%d].price: changes inside days, so it cannot be rounded "
					  "(round.price)",
					  index);
	if (tariff->round_quantity.step_n > 0)
		return refuse(work,
					  "components[%d].price: changes inside days, so the quantity cannot be "
					  "rounded (round.quantity)",
					  index);
	return EB_OK;
}

static EbStatus
check_linear(const Localize *work)
{
	const EbTariff *tariff = work->tariff;
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	uint32_t summed = summed_series(tariff);
	EbStatus status = summed == 0 ? EB_OK : check_nodes(work, summed);

	for (int i = 0; i < tariff->component.n && status == EB_OK && summed != 0; i++)
		status = check_component(work, summed, i, &component[i]);
	return status;
}

/* ---------------------------------------------------------------- all of it */

static EbStatus
localize_tariff(const Localize *work)
{
	EbTariff *tariff = work->tariff;
	const EbEvent *event = EB_ARRAY(tariff, EbEvent, tariff->event);
	EbSeries *series = EB_WRITABLE(tariff, EbSeries, tariff->series);
	EbStatus status = EB_OK;

	for (int i = 0; i < tariff->event.n && status == EB_OK; i++)
		status = localize_event(work, &event[i]);
	for (int i = 0; i < tariff->series.n && status == EB_OK; i++)
		status = localize_series(work, &series[i]);
	if (status != EB_OK)
		return status;
	drop_planes(tariff);
	return check_linear(work);
}

EbStatus
eb_tariff_localize(EbTariff *tariff, const EbZone *zone, EbFault *fault)
{
	const EbVersion *version = EB_ARRAY(tariff, EbVersion, tariff->version);
	Localize work = {tariff, zone, fault, ""};
	EbStatus status = EB_OK;

	if (tariff->version.n == 0)
		return localize_tariff(&work);
	for (int i = 0; i < tariff->version.n && status == EB_OK; i++)
	{
		work.tariff = EB_WRITABLE(tariff, EbTariff, version[i].block);
		snprintf(work.prefix, sizeof(work.prefix), "versions[%d].tariff.", i);
		status = localize_tariff(&work);
	}
	return status;
}
