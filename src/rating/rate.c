/*
 * rate.c -- determinants and a tariff give bill lines
 * In:  EbUsage (usage.c, src/pg/usage.c), a compiled tariff, attributes and what was rated before.
 * Out: EbLine in the order of the components; src/pg/rate.c makes rows of them.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"

static EbStatus
check_usage(const EbTariff *tariff, const EbUsage *usage, EbFault *fault)
{
	int nslots = tariff->slot.n > 0 ? tariff->slot.n : 1;

	if (memcmp(tariff->fingerprint, usage->fingerprint, EB_FINGERPRINT_SIZE) == 0 &&
		usage->nslots == nslots)
		return EB_OK;
	return eb_usage_conflict(fault);
}

static bool
same_quantity(const EbTariff *tariff, const EbQuantity *a, const EbQuantity *b)
{
	return a->kind == b->kind && a->name.n == b->name.n &&
		   memcmp(EB_ARRAY(tariff, char, a->name), EB_ARRAY(tariff, char, b->name),
				  (size_t) a->name.n) == 0;
}

/*
 * What was rated before is one number per scope, so the tiers of that scope must all count the
 * same quantity.
 */
static EbStatus
check_before(const EbRating *rating, EbTierScope scope)
{
	const EbTariff *tariff = rating->tariff;
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	const EbComponent *first = NULL;

	if (rating->ctx->before_ukwh[scope] == 0)
		return EB_OK;
	for (int i = 0; i < tariff->component.n; i++)
	{
		if (!component[i].has_tier || component[i].tier.scope != (int) scope)
			continue;
		if (first != NULL && !same_quantity(tariff, &first->quantity, &component[i].quantity))
			return eb_fault_set(
				rating->fault, EB_CONFLICT, "tiers of one scope count different quantities",
				"Give \"before\" only where all tiers of the scope count the same.");
		first = &component[i];
	}
	return EB_OK;
}

/* Energy has periods and seasons of its own; all else is one quantity for the bill. */
static bool
by_energy(const EbComponent *component)
{
	return component->kind != EB_KIND_FIXED && component->quantity.kind == EB_QTY_IMPORT_KWH &&
		   (component->per == EB_PER_KWH || component->per == EB_PER_UNIT);
}

static EbStatus
rate_component(EbRating *rating, int32_t index)
{
	const EbComponent *component =
		EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component) + index;

	switch ((EbComponentKind) component->kind)
	{
		case EB_KIND_ENERGY:
		case EB_KIND_FIXED:
		case EB_KIND_CUSTOM:
			break;
		case EB_KIND_PERCENT:
			return eb_rate_percent(rating, index);
		case EB_KIND_MINIMUM:
		case EB_KIND_MAXIMUM:
			return eb_rate_limit(rating, index);
	}
	return by_energy(component) ? eb_rate_energy(rating, index) : eb_rate_fixed(rating, index);
}

EbStatus
eb_rate(const EbTariff *tariff, const EbZone *zone, const EbUsage *usage, const EbRateContext *ctx,
		EbLine *line, int capacity, int *nlines, EbFault *fault)
{
	EbRating rating;
	EbStatus status = check_usage(tariff, usage, fault);

	rating.tariff = tariff;
	rating.zone = zone;
	rating.ctx = ctx;
	rating.fault = fault;
	rating.line = line;
	rating.capacity = capacity;
	rating.nlines = 0;
	if (status == EB_OK)
		status = eb_service_open(&rating, usage);
	for (int scope = 0; scope < EB_NSCOPES && status == EB_OK; scope++)
		status = check_before(&rating, (EbTierScope) scope);
	for (int32_t i = 0; i < tariff->component.n && status == EB_OK; i++)
		status = rate_component(&rating, i);
	if (status == EB_OK)
		status = eb_rate_total_rounding(&rating);
	*nlines = rating.nlines;
	return status;
}
