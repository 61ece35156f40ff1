/*
 * tariff_plane.c -- what usage has to keep for a compiled tariff
 * In:  components, demands, losses, net and series, compiled.
 * Out: planes (EbPlane): a channel for all that names it, a channel x series for prices that read
 *      a series which changes inside days; by_day, in_order and sessions of the tariff. For the
 *      compiler, and for the check of a stored tariff, which must come to the same.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include <string.h>

#include "rating/price.h"
#include "rating/tariff_plane.h"

/* Channels as bits, and for each the series its prices read */
typedef struct Needs
{
	unsigned channels;
	uint32_t series[EB_NCHANNELS];
} Needs;

static unsigned
quantity_channels(const EbQuantity *quantity)
{
	if (quantity->kind < EB_NCHANNELS)
		return 1u << quantity->kind;
	if (quantity->kind == EB_QTY_NET_KWH)
		return 1u << EB_IMPORT_KWH | 1u << EB_EXPORT_KWH;
	return 0;
}

static unsigned
condition_channels(const EbTariff *tariff, const EbCondition *condition)
{
	const EbTest *test = EB_ARRAY(tariff, EbTest, condition->test);
	unsigned channels = 0;

	for (int i = 0; i < condition->test.n; i++)
	{
		if (test[i].kind == EB_TEST_QTY || test[i].kind == EB_TEST_RATIO)
			channels |= quantity_channels(&test[i].of);
		if (test[i].kind == EB_TEST_RATIO)
			channels |= quantity_channels(&test[i].to);
	}
	return channels;
}

/* Does a condition ask what only a session knows? */
static bool
asks_session(const EbTariff *tariff, const EbCondition *condition)
{
	const EbTest *test = EB_ARRAY(tariff, EbTest, condition->test);

	for (int i = 0; i < condition->test.n; i++)
		if (test[i].kind >= EB_TEST_TIME)
			return true;
	return false;
}

static bool
asks_days(const EbCondition *condition)
{
	return condition->days != 0 || condition->not_days != 0;
}

static void
need_component(const EbTariff *tariff, const EbComponent *component, Needs *needs)
{
	const EbFactorIf *factor = EB_ARRAY(tariff, EbFactorIf, component->factor_if);
	unsigned own = quantity_channels(&component->quantity);
	uint32_t series = eb_price_series(tariff, component->price);

	for (int i = 0; i < EB_NCHANNELS; i++)
		if ((own >> i & 1) != 0 && component->kind <= EB_KIND_CREDIT)
			needs->series[i] |= series;
	needs->channels |= own | condition_channels(tariff, &component->when);
	for (int i = 0; i < component->factor_if.n; i++)
		needs->channels |= condition_channels(tariff, &factor[i].condition);
	if (component->has_tier && component->tier.has_by)
		needs->channels |= quantity_channels(&component->tier.by);
	if (component->has_share_above)
		needs->channels |= quantity_channels(&component->share_of);
	if (component->kind == EB_KIND_POWER_FACTOR)
		needs->channels |= 1u << EB_IMPORT_KVARH;
}

static void
set_flags(const EbTariff *tariff, const EbComponent *component, EbPlanes *planes)
{
	const EbFactorIf *factor = EB_ARRAY(tariff, EbFactorIf, component->factor_if);
	const EbTier *tier = component->has_tier ? &component->tier : NULL;
	bool session = component->kind >= EB_KIND_SESSION_FLAT;
	bool days = asks_days(&component->when);

	for (int i = 0; i < component->factor_if.n; i++)
	{
		days = days || asks_days(&factor[i].condition);
		session = session || asks_session(tariff, &factor[i].condition);
	}
	session = session || asks_session(tariff, &component->when) || component->step_mwh > 0 ||
			  component->min_scope == EB_MIN_SESSION ||
			  (tier != NULL && tier->scope == EB_SCOPE_SESSION);
	if (session)
		planes->sessions = 1;
	if ((days && component->kind < EB_KIND_SESSION_FLAT) ||
		(tier != NULL && tier->scope == EB_SCOPE_DAY))
		planes->by_day = 1;
	if (tier != NULL && (tier->order == EB_ORDER_TIME || tier->scope == EB_SCOPE_INTERVAL))
		planes->in_order = 1;
}

static Needs
gather_needs(const EbTariff *tariff, EbPlanes *planes)
{
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	const EbLoss *loss = EB_ARRAY(tariff, EbLoss, tariff->loss);
	const EbDemand *demand = EB_ARRAY(tariff, EbDemand, tariff->demand);
	Needs needs = {.channels = 1u << EB_IMPORT_KWH};

	for (int i = 0; i < tariff->component.n; i++)
	{
		need_component(tariff, &component[i], &needs);
		set_flags(tariff, &component[i], planes);
	}
	for (int i = 0; i < tariff->loss.n; i++)
	{
		needs.channels |= quantity_channels(&loss[i].kva) | quantity_channels(&loss[i].minus);
		if (loss[i].kind == EB_LOSS_COPPER)
			needs.channels |= 1u << EB_IMPORT_KVARH;
	}
	for (int i = 0; i < tariff->demand.n; i++)
	{
		if (demand[i].quantity == EB_EXPORT_KW)
			needs.channels |= 1u << EB_EXPORT_KWH;
		if (demand[i].quantity == EB_IMPORT_KVA || demand[i].quantity == EB_IMPORT_KVAR)
			needs.channels |= 1u << EB_IMPORT_KVARH;
	}
	if (tariff->net.mode != EB_NET_NONE)
		needs.channels |= 1u << EB_EXPORT_KWH;
	return needs;
}

void
eb_tariff_planes(const EbTariff *tariff, EbPlanes *planes)
{
	const EbSeries *series = EB_ARRAY(tariff, EbSeries, tariff->series);
	Needs needs;

	memset(planes, 0, sizeof(*planes));
	needs = gather_needs(tariff, planes);
	for (int16_t channel = 0; channel < EB_NCHANNELS; channel++)
		if ((needs.channels >> channel & 1) != 0)
			planes->plane[planes->n++] = (EbPlane){channel, EB_NONE, 0};
	for (int16_t channel = 0; channel < EB_NCHANNELS; channel++)
		for (int16_t i = 0; i < tariff->series.n; i++)
			if ((needs.series[channel] >> i & 1) != 0 &&
				(series[i].kind == EB_SERIES_INSTANT || series[i].kind == EB_SERIES_USAGE))
				planes->plane[planes->n++] = (EbPlane){channel, i, 0};
}
