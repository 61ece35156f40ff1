/*
 * condition.c -- quantities by name, and whether conditions hold
 * In:  conditions of components and factors, the bill in work, a run of its days.
 * Out: which runs a component rates (rate_part.c), which factor it takes.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md (C); quantities before quantity rounding.
 */
#include "rating/fault.h"
#include "rating/rate_state.h"
#include "rating/tariff_json.h"

static EbText
text_of(const EbRating *rating, EbSlice text)
{
	return (EbText){EB_ARRAY(rating->tariff, char, text), text.n};
}

static EbStatus
lacks(const EbRating *rating, const char *what, EbText name, const char *hint)
{
	eb_fault_set(rating->fault, EB_UNKNOWN, "the tariff needs a quantity that is not given", hint);
	return eb_fault_detail(rating->fault, EB_UNKNOWN, "It is %s \"%.*s\".", what,
						   EB_TEXT_ARG(name));
}

static EbStatus
attr_number(const EbRating *rating, EbSlice name, int64_t *value_u)
{
	const EbRateContext *ctx = rating->ctx;
	const EbAttr *attr = eb_attr_find(ctx->attr, ctx->nattrs, rating->tariff, name);

	if (attr == NULL)
		return lacks(rating, "the attribute", text_of(rating, name), "Give it in ctx.attrs.");
	if (eb_decimal_parse64(attr->value, EB_ENERGY_SCALE, value_u) == EB_OK)
		return EB_OK;
	eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "attribute must be a number",
				 "At most six decimals are taken.");
	return eb_fault_detail(rating->fault, EB_BAD_ARGUMENT, "Attribute \"%.*s\" is \"%.*s\".",
						   EB_TEXT_ARG(attr->name), EB_TEXT_ARG(attr->value));
}

static EbStatus
named_number(const EbRating *rating, EbSlice name, int64_t *value_u)
{
	EbText wanted = text_of(rating, name);

	for (int i = 0; i < rating->ctx->nqty; i++)
		if (eb_text_equal(rating->ctx->qty[i].name, wanted))
		{
			*value_u = rating->ctx->qty[i].value_u;
			return EB_OK;
		}
	return lacks(rating, "the quantity", wanted, "Give it in ctx.qty.");
}

EbStatus
eb_quantity_value(const EbRating *rating, const EbQuantity *quantity, int64_t *value_u)
{
	switch ((EbQuantityKind) quantity->kind)
	{
		case EB_QTY_IMPORT_KWH:
			*value_u = rating->import_ukwh;
			return EB_OK;
		case EB_QTY_DAYS:
			*value_u = rating->days_u;
			return eb_need_days(rating);
		case EB_QTY_MONTHS:
			*value_u = rating->months_u;
			return eb_need_months(rating);
		case EB_QTY_ONE:
			*value_u = EB_MICRO;
			return EB_OK;
		case EB_QTY_ATTR:
			return attr_number(rating, quantity->name, value_u);
		case EB_QTY_NAMED:
			break;
	}
	return named_number(rating, quantity->name, value_u);
}

/* value / per against the bounds; per > 0 */
static bool
in_range(const EbRange *range, eb_int128 value, int64_t per)
{
	return (!range->has_gt || value > (eb_int128) range->gt * per) &&
		   (!range->has_ge || value >= (eb_int128) range->ge * per) &&
		   (!range->has_lt || value < (eb_int128) range->lt * per) &&
		   (!range->has_le || value <= (eb_int128) range->le * per);
}

/* A ratio to nothing is in no range. */
static EbStatus
ratio_holds(const EbRating *rating, const EbTest *test, bool *holds)
{
	int64_t of_u;
	int64_t to_u = 0;
	EbStatus status = eb_quantity_value(rating, &test->of, &of_u);

	if (status == EB_OK)
		status = eb_quantity_value(rating, &test->to, &to_u);
	if (status != EB_OK)
		return status;
	*holds = to_u > 0 && in_range(&test->range, (eb_int128) of_u * EB_MICRO, to_u);
	return EB_OK;
}

/* An attribute the account does not have fulfils nothing. */
static EbStatus
attr_holds(const EbRating *rating, const EbTest *test, bool *holds)
{
	const EbRateContext *ctx = rating->ctx;
	const EbAttr *attr = eb_attr_find(ctx->attr, ctx->nattrs, rating->tariff, test->of.name);
	const EbSlice *value = EB_ARRAY(rating->tariff, EbSlice, test->value);
	int64_t number;

	*holds = false;
	if (attr == NULL)
		return EB_OK;
	if (test->kind == EB_TEST_ATTR_RANGE)
	{
		EbStatus status = attr_number(rating, test->of.name, &number);

		*holds = status == EB_OK && in_range(&test->range, number, 1);
		return status;
	}
	for (int i = 0; i < test->value.n && !*holds; i++)
		*holds = eb_text_equal(attr->value, text_of(rating, value[i]));
	return EB_OK;
}

static EbStatus
test_holds(const EbRating *rating, const EbTest *test, bool *holds)
{
	int64_t value_u;
	EbStatus status;

	switch ((EbTestKind) test->kind)
	{
		case EB_TEST_ATTR_IN:
		case EB_TEST_ATTR_RANGE:
			return attr_holds(rating, test, holds);
		case EB_TEST_RATIO:
			return ratio_holds(rating, test, holds);
		case EB_TEST_QTY:
			break;
	}
	status = eb_quantity_value(rating, &test->of, &value_u);
	*holds = status == EB_OK && in_range(&test->range, value_u, 1);
	return status;
}

EbStatus
eb_condition_holds(const EbRating *rating, const EbCondition *condition, const EbRun *run,
				   bool *holds)
{
	const EbTest *test = EB_ARRAY(rating->tariff, EbTest, condition->test);
	bool by_date = eb_condition_dated(condition);
	EbStatus status = by_date ? eb_need_dates(rating, "whether a condition holds") : EB_OK;

	if (status != EB_OK)
		return status;
	*holds = !by_date || ((condition->seasons == 0 || (condition->seasons >> run->season & 1)) &&
						  (condition->months == 0 || (condition->months >> run->month & 1)) &&
						  run->day >= condition->date_from && run->day < condition->date_to);
	for (int i = 0; i < condition->test.n && *holds; i++)
	{
		status = test_holds(rating, &test[i], holds);
		if (status != EB_OK)
			return status;
	}
	return EB_OK;
}

EbStatus
eb_component_valid(const EbRating *rating, const EbComponent *component, const EbRun *run,
				   bool *valid)
{
	*valid = true;
	if (eb_days_open(component->valid_from, component->valid_to))
		return EB_OK;
	*valid = run->day >= component->valid_from && run->day < component->valid_to;
	return eb_need_dates(rating, "whether a component is valid");
}

EbStatus
eb_component_when(const EbRating *rating, const EbComponent *component, const EbRun *run,
				  bool *holds)
{
	*holds = true;
	if (!component->has_when)
		return EB_OK;
	return eb_condition_holds(rating, &component->when, run, holds);
}

EbStatus
eb_component_factor(const EbRating *rating, const EbComponent *component, const EbRun *run,
					int32_t *factor_if)
{
	const EbFactorIf *factor = EB_ARRAY(rating->tariff, EbFactorIf, component->factor_if);

	*factor_if = EB_NONE;
	for (int i = 0; i < component->factor_if.n && *factor_if == EB_NONE; i++)
	{
		bool holds;
		EbStatus status = eb_condition_holds(rating, &factor[i].condition, run, &holds);

		if (status != EB_OK)
			return status;
		if (holds)
			*factor_if = i;
	}
	return EB_OK;
}
