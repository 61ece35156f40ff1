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

EbStatus
eb_attr_number(const EbRating *rating, EbText name, int64_t *value_u)
{
	const EbRateContext *ctx = rating->ctx;
	const EbAttr *attr = ctx->attr;

	while (attr < ctx->attr + ctx->nattrs && !eb_text_equal(attr->name, name))
		attr++;
	if (attr == ctx->attr + ctx->nattrs)
		return lacks(rating, "the attribute", name, "Give it in ctx.attrs.");
	if (eb_decimal_parse64(attr->value, EB_ENERGY_SCALE, value_u) == EB_OK)
		return EB_OK;
	eb_fault_set(rating->fault, EB_BAD_ARGUMENT, "attribute must be a number",
				 "At most six decimals are taken.");
	return eb_fault_detail(rating->fault, EB_BAD_ARGUMENT, "Attribute \"%.*s\" is \"%.*s\".",
						   EB_TEXT_ARG(attr->name), EB_TEXT_ARG(attr->value));
}

static const EbNamedQuantity *
find_named(const EbNamedQuantity *qty, int n, EbText name)
{
	for (int i = 0; i < n; i++)
		if (eb_text_equal(qty[i].name, name))
			return &qty[i];
	return NULL;
}

/* What ctx says wins over what the usage says. */
static EbStatus
named_number(const EbRating *rating, EbSlice name, int64_t *value_u)
{
	EbText wanted = text_of(rating, name);
	const EbNamedQuantity *found = find_named(rating->ctx->qty, rating->ctx->nqty, wanted);

	if (found == NULL)
		found = find_named(rating->usage->qty, rating->usage->nqty, wanted);
	if (found == NULL)
		return lacks(rating, "the quantity", wanted, "Give it in ctx.qty, or with the usage.");
	*value_u = found->value_u;
	return EB_OK;
}

static const char *const channel_name[] = {"import_kwh", "export_kwh", "import_kvarh",
										   "export_kvarh"};

EbStatus
eb_need_channel(const EbRating *rating, EbChannel channel)
{
	const char *name = channel_name[channel];

	if ((rating->usage->channels >> channel & 1) != 0)
		return EB_OK;
	return lacks(rating, "the channel", (EbText){name, (int) strlen(name)},
				 "Give it with the usage.");
}

EbStatus
eb_need_total(const EbRating *rating, EbChannel channel)
{
	EbStatus status = eb_need_channel(rating, channel);

	if (status != EB_OK || rating->version == NULL || (rating->other_lacks >> channel & 1) == 0)
		return status;
	eb_fault_set(rating->fault, EB_NOT_SUPPORTED,
				 "a version of the tariff does not count what another needs of the whole bill",
				 "Bill up to the day of the change and from it on.");
	return eb_fault_detail(rating->fault, EB_NOT_SUPPORTED, "It is the channel \"%s\".",
						   channel_name[channel]);
}

EbStatus
eb_need_periods(const EbRating *rating, EbChannel channel)
{
	if ((rating->usage->channels & EB_UNDIVIDED(channel)) == 0)
		return EB_OK;
	eb_fault_set(rating->fault, EB_UNKNOWN, "the tariff needs a channel by period",
				 "Give it with the usage as {period: number}, or interval values to usage().");
	return eb_fault_detail(rating->fault, EB_UNKNOWN, "It is the channel \"%s\".",
						   channel_name[channel]);
}

static EbStatus
net_energy(const EbRating *rating, int64_t *value_u)
{
	EbStatus status = eb_need_total(rating, EB_EXPORT_KWH);

	if (status != EB_OK)
		return status;
	if (__builtin_sub_overflow(rating->total_u[EB_IMPORT_KWH], rating->total_u[EB_EXPORT_KWH],
							   value_u))
		return eb_overflow(rating->fault, "energy");
	return EB_OK;
}

EbStatus
eb_quantity_value(const EbRating *rating, const EbQuantity *quantity, int64_t *value_u)
{
	switch ((EbQuantityKind) quantity->kind)
	{
		case EB_QTY_IMPORT_KWH:
		case EB_QTY_EXPORT_KWH:
		case EB_QTY_IMPORT_KVARH:
		case EB_QTY_EXPORT_KVARH:
			*value_u = rating->total_u[quantity->kind];
			return eb_need_total(rating, (EbChannel) quantity->kind);
		case EB_QTY_NET_KWH:
			return net_energy(rating, value_u);
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
			return eb_attr_number(rating, text_of(rating, quantity->name), value_u);
		case EB_QTY_NAMED:
			break;
	}
	return named_number(rating, quantity->name, value_u);
}

bool
eb_in_range(const EbRange *range, eb_int128 value, int64_t per)
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
	*holds = to_u > 0 && eb_in_range(&test->range, (eb_int128) of_u * EB_MICRO, to_u);
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
		EbStatus status = eb_attr_number(rating, text_of(rating, test->of.name), &number);

		*holds = status == EB_OK && eb_in_range(&test->range, number, 1);
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
		case EB_TEST_TIME:
		case EB_TEST_KWH:
		case EB_TEST_KW:
		case EB_TEST_AMP:
		case EB_TEST_SECONDS:
		case EB_TEST_RESERVATION:
			*holds = false;
			return EB_OK;
	}
	status = eb_quantity_value(rating, &test->of, &value_u);
	*holds = status == EB_OK && eb_in_range(&test->range, value_u, 1);
	return status;
}

/* Does the first day of the run fulfil what the condition says about dates? */
static bool
date_holds(const EbRating *rating, const EbCondition *condition, const EbRun *run)
{
	uint64_t tags = 0;

	if ((condition->seasons != 0 && (condition->seasons >> run->season & 1) == 0) ||
		(condition->months != 0 && (condition->months >> run->month & 1) == 0) ||
		run->day < condition->date_from || run->day >= condition->date_to)
		return false;
	if (condition->days != 0 || condition->not_days != 0)
		tags = eb_day_tags(rating->tariff, run->day);
	return (condition->days == 0 || (condition->days & tags) != 0) &&
		   (condition->not_days & tags) == 0;
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
	*holds = !by_date || date_holds(rating, condition, run);
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
	*valid = eb_in_version(rating, run->day);
	if (!*valid || eb_days_open(component->valid_from, component->valid_to))
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
