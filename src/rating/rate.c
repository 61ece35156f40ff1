/*
 * rate.c -- determinants and a tariff give bill lines
 * In:  EbUsage (usage.c, src/pg/usage.c), a compiled tariff, attributes and what was rated before.
 * Out: EbLine in the order of the components; src/pg/rate.c makes rows of them.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"
#include "rating/tariff_json.h"

static EbStatus
check_usage(const EbTariff *tariff, const EbUsage *usage, EbFault *fault)
{
	int nslots = tariff->slot.n > 0 ? tariff->slot.n : 1;

	if (memcmp(tariff->fingerprint, usage->fingerprint, EB_FINGERPRINT_SIZE) == 0 &&
		usage->nslots == nslots && (usage->nparts == 0 || usage->ncells == eb_usage_cells(tariff)))
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

/* What was rated before in a scope counts one quantity, so its tiers must all count the same. */
static EbStatus
check_scope(const EbRating *rating, EbTierScope scope)
{
	const EbTariff *tariff = rating->tariff;
	const EbComponent *component = EB_ARRAY(tariff, EbComponent, tariff->component);
	const EbComponent *first = NULL;

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

static bool
has_period(const EbTariff *tariff, EbText period)
{
	const EbSlice *name = EB_ARRAY(tariff, EbSlice, tariff->period_name);

	for (int i = 0; i < tariff->period_name.n; i++)
		if (eb_text_equal((EbText){EB_ARRAY(tariff, char, name[i]), name[i].n}, period))
			return true;
	return false;
}

static EbStatus
check_before(const EbRating *rating)
{
	EbFault *fault = rating->fault;

	for (int i = 0; i < rating->ctx->nbefore; i++)
	{
		const EbBefore *before = &rating->ctx->before[i];
		EbStatus status = EB_OK;

		if (before->period.len > 0 && !has_period(rating->tariff, before->period))
		{
			eb_fault_set(fault, EB_UNKNOWN, "the tariff has no such period",
						 "Take the names of its schedules.");
			return eb_fault_detail(fault, EB_UNKNOWN, "\"before\" names \"%.*s\".",
								   EB_TEXT_ARG(before->period));
		}
		if (before->scope == EB_SCOPE_INTERVAL && before->ukwh != 0)
			return eb_fault_set(fault, EB_BAD_ARGUMENT,
								"nothing is used before in the scope of an interval", NULL);
		if (before->ukwh != 0)
			status = check_scope(rating, before->scope);
		if (status != EB_OK)
			return status;
	}
	return EB_OK;
}

/* Energy has periods and seasons of its own; all else is one quantity for the bill. */
static bool
by_energy(const EbComponent *component)
{
	return component->kind != EB_KIND_FIXED && component->kind != EB_KIND_CAPACITY &&
		   component->quantity.kind <= EB_QTY_NET_KWH &&
		   (component->per == EB_PER_KWH || component->per == EB_PER_KVARH ||
			component->per == EB_PER_UNIT);
}

static EbStatus
rate_component(EbRating *rating, int32_t index)
{
	const EbComponent *component =
		EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component) + index;

	switch ((EbComponentKind) component->kind)
	{
		case EB_KIND_ENERGY:
		case EB_KIND_REACTIVE:
		case EB_KIND_CREDIT:
		case EB_KIND_FIXED:
		case EB_KIND_CAPACITY:
		case EB_KIND_CUSTOM:
			break;
		case EB_KIND_DEMAND:
			return eb_rate_demand(rating, index);
		case EB_KIND_POWER_FACTOR:
			return eb_rate_power_factor(rating, index);
		case EB_KIND_SESSION_FLAT:
		case EB_KIND_SESSION_TIME:
		case EB_KIND_IDLE:
		case EB_KIND_RESERVE_FLAT:
		case EB_KIND_RESERVE_TIME:
			return EB_OK;
		case EB_KIND_PERCENT:
			return eb_rate_percent(rating, index);
		case EB_KIND_MINIMUM:
		case EB_KIND_MAXIMUM:
			return eb_rate_limit(rating, index);
	}
	return by_energy(component) ? eb_rate_energy(rating, index) : eb_rate_fixed(rating, index);
}

EbStatus
eb_rate_bill(EbRating *rating, const EbUsage *usage)
{
	const EbTariff *tariff = rating->tariff;
	EbStatus status = eb_service_open(rating, usage);

	if (status == EB_OK && rating->version == NULL)
		status = eb_loss_apply(rating);
	if (status == EB_OK)
		status = eb_net_open(rating);
	if (status == EB_OK)
		status = check_before(rating);
	for (int32_t i = 0; i < tariff->component.n && status == EB_OK; i++)
	{
		eb_net_show(rating, EB_ARRAY(tariff, EbComponent, tariff->component) + i);
		status = rate_component(rating, i);
	}
	if (status == EB_OK)
		status = eb_net_close(rating);
	if (status == EB_OK)
		status = eb_rate_vat(rating);
	if (status == EB_OK)
		status = eb_rate_total_rounding(rating);
	return status;
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
	rating.version = NULL;
	if (status == EB_OK)
		status =
			tariff->version.n > 0 ? eb_rate_versions(&rating, usage) : eb_rate_bill(&rating, usage);
	*nlines = rating.nlines;
	return status;
}
