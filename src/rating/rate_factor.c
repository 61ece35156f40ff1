/*
 * rate_factor.c -- the power factor adjustment
 * In:  active and reactive energy of the bill, or its power factor as given; a table.
 * Out: a percentage of earlier lines, with or without a line for each.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (power factor).
 */
#include "rating/power_factor.h"

#include "rating/fault.h"
#include "rating/rate_state.h"

/* In hundredths; known is false for a bill without any energy. */
static EbStatus
bill_power_factor(const EbRating *rating, int *pf, bool *known)
{
	const EbUsage *usage = rating->usage;
	int64_t active_u = rating->total_u[EB_IMPORT_KWH];
	int64_t reactive_u = rating->total_u[EB_IMPORT_KVARH];

	*known = true;
	if (usage->pf_u != EB_NO_PF)
	{
		*pf = (int) eb_div_round(usage->pf_u, EB_MICRO / EB_PF_ONE, EB_HALF_UP);
		return EB_OK;
	}
	if ((usage->channels >> EB_IMPORT_KVARH & 1) == 0)
		return eb_fault_set(rating->fault, EB_UNKNOWN,
							"the tariff needs a power factor that the usage lacks",
							"Give \"import_kvarh\" or \"power_factor\" with the usage.");
	*known = active_u != 0 || reactive_u != 0;
	*pf = eb_power_factor(active_u, reactive_u);
	return eb_need_total(rating, EB_IMPORT_KVARH);
}

/* The table of China that attr:pf_standard names */
static EbStatus
standard_table(const EbRating *rating, EbPfTable *table)
{
	static const EbText name = {"pf_standard", 11};
	int64_t standard_u;
	EbStatus status = eb_attr_number(rating, name, &standard_u);

	if (status != EB_OK)
		return status;
	/* 1e-6 to 1e-9; what is out of range is no standard */
	if (standard_u > 0 && standard_u < EB_MICRO)
		*table = eb_pf_cn_table(standard_u * 1000);
	if (*table != EB_PF_CN)
		return EB_OK;
	return eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "there is no such power factor standard",
						"Attribute \"pf_standard\" is 0.90, 0.85 or 0.80.");
}

static EbStatus
percent_at(const EbRating *rating, const EbComponent *component, int pf, int64_t *percent_n)
{
	const EbPfRow *row = EB_ARRAY(rating->tariff, EbPfRow, component->pf_row);
	EbPfTable table = (EbPfTable) component->pf_table;
	EbStatus status = EB_OK;

	switch (table)
	{
		case EB_PF_LINEAR:
			if (!eb_pf_linear_percent(&component->pf_linear, pf, percent_n))
				return eb_overflow(rating->fault, "percentage of a power factor");
			return EB_OK;
		case EB_PF_OWN:
			*percent_n = eb_pf_row_percent(row, component->pf_row.n, pf);
			return EB_OK;
		case EB_PF_CN:
			status = standard_table(rating, &table);
			break;
		case EB_PF_CN_090:
		case EB_PF_CN_085:
		case EB_PF_CN_080:
			break;
	}
	if (status == EB_OK)
		*percent_n = eb_pf_cn_percent(table, pf);
	return status;
}

/* Does the component apply anywhere? Only then must the usage tell the power factor. */
static EbStatus
applies_at_all(const EbRating *rating, const EbComponent *component, bool *applies)
{
	EbStatus status = EB_OK;

	*applies = false;
	for (int i = 0; i < rating->nruns && status == EB_OK && !*applies; i++)
	{
		status = eb_component_valid(rating, component, &rating->run[i], applies);
		if (status == EB_OK && *applies)
			status = eb_component_when(rating, component, &rating->run[i], applies);
	}
	return status;
}

EbStatus
eb_rate_power_factor(EbRating *rating, int32_t index)
{
	const EbComponent *component =
		EB_ARRAY(rating->tariff, EbComponent, rating->tariff->component) + index;
	int64_t percent_n = 0;
	int pf = 0;
	bool known = false;
	bool applies;
	EbStatus status = applies_at_all(rating, component, &applies);

	if (status == EB_OK && applies)
		status = bill_power_factor(rating, &pf, &known);
	if (status == EB_OK && known)
		status = percent_at(rating, component, pf, &percent_n);
	if (status != EB_OK || !known)
		return status;
	return eb_rate_percent_of(rating, index, &percent_n);
}
