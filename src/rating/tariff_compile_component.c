/*
 * tariff_compile_component.c -- the tariff compiler: components
 * In:  components without lint errors; periods and slots of the build.
 * Out: EbComponent with every name resolved to a position and every default filled in.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "rating/tariff_build.h"
#include "rating/tariff_lint.h"

/* A default as it stands in the grammar, without its quotes */
static EbText
initial_word(const char *quoted)
{
	return (EbText){quoted + 1, (int) strlen(quoted) - 2};
}

/* ---------------------------------------------------------------- schedule and periods */

/*
 * The schedule whose periods split the component: only when a price reads them, the component
 * counts some of them, or each has its own counter.
 */
static void
build_schedule(const EbBuild *build, const EbNode *node, bool reads, EbComponent *component)
{
	const EbNode *filter = eb_node_get(node, "period");
	bool per_period = component->has_tier && component->tier.order == EB_ORDER_PER_PERIOD;

	component->schedule = EB_NONE;
	if (reads || filter != NULL || per_period)
		component->schedule = eb_build_schedule(build, node);
	component->slots = eb_build_slots(build, component->schedule, filter);
}

/* ---------------------------------------------------------------- bases */

static bool
in_base(const EbNode *base, const EbNode *component)
{
	return base == NULL || eb_list_has(base, (EbText){"*", 1}) ||
		   eb_list_has(base, eb_text_of(component, "code")) ||
		   eb_list_has(base, eb_group_of(component));
}

static bool
build_base(EbBuild *build, const EbNode *node, EbSlice *slice)
{
	const EbNode *base = eb_node_get(node, "base");
	const EbNode *first = eb_node_first(eb_node_get(build->root, "components"));
	int n = 0;
	int index = 0;
	void *array;
	int32_t *member;

	for (const EbNode *other = first; other != node; other = other->next)
		n += in_base(base, other);
	if (!eb_build_array(build, n, sizeof(int32_t), slice, &array))
		return false;
	member = array;
	for (const EbNode *other = first; other != node; other = other->next, index++)
		if (in_base(base, other))
			*member++ = index;
	return true;
}

/* ---------------------------------------------------------------- shares, factors, names */

static bool
build_share(EbBuild *build, const EbNode *share, EbComponent *component)
{
	const EbNode *limit = eb_node_first(share);

	component->has_share_above = limit != NULL;
	if (limit == NULL)
		return true;
	eb_node_decimal(limit, EB_ENERGY_SCALE, &component->share_above_u);
	return eb_build_quantity(build, limit->key, &component->share_of);
}

static bool
build_factors(EbBuild *build, const EbNode *list, EbSlice *slice)
{
	void *array;
	EbFactorIf *factor;

	if (!eb_build_array(build, eb_node_count(list), sizeof(EbFactorIf), slice, &array))
		return false;
	factor = array;
	EB_EACH(node, list)
	{
		factor->factor_n = eb_build_decimal(node, "factor", EB_PRICE_SCALE, EB_ONE);
		factor->round = eb_build_round(eb_node_find(node, "round"), (EbRounding){0, EB_HALF_UP, 0});
		if (!eb_build_condition(build, eb_node_get(node, "if"), &factor->condition))
			return false;
		factor++;
	}
	return true;
}

static bool
build_names(EbBuild *build, const EbNode *node, EbComponent *component)
{
	const EbNode *lane = eb_node_get(node, "lane");

	return eb_build_bytes(build, eb_text_of(node, "code"), &component->code) &&
		   eb_build_bytes(build, eb_group_of(node), &component->group) &&
		   eb_build_bytes(build, eb_text_of(node, "rider"), &component->rider) &&
		   eb_build_bytes(build, eb_text_of(node, lane != NULL ? "lane" : "code"),
						  &component->lane) &&
		   eb_build_label(build, eb_node_get(node, "name"), &component->label);
}

static bool
build_prices(EbBuild *build, const EbNode *node, EbComponent *component)
{
	bool reads = false;

	if (!eb_build_price(build, eb_node_get(node, "price"), &component->price, &reads) ||
		!eb_build_price(build, eb_node_get(node, "percent"), &component->percent, &reads) ||
		!eb_build_price(build, eb_node_get(node, "amount"), &component->amount, &reads) ||
		!eb_build_price(build, eb_node_get(node, "amount_incl"), &component->amount_incl, &reads) ||
		!eb_build_tier(build, eb_node_get(node, "tier"), component, &reads))
		return false;
	build_schedule(build, node, reads, component);
	return true;
}

/* ---------------------------------------------------------------- power factor */

static bool
build_pf_rows(EbBuild *build, const EbNode *table, EbSlice *slice)
{
	void *array;
	EbPfRow *row;

	if (!eb_build_array(build, eb_node_count(table), sizeof(EbPfRow), slice, &array))
		return false;
	row = array;
	EB_EACH(pair, table)
	{
		eb_node_decimal(pair->child, EB_PRICE_SCALE, &row->pf_n);
		eb_node_decimal(pair->child->next, EB_PRICE_SCALE, &row->percent_n);
		row++;
	}
	return true;
}

static bool
build_power_factor(EbBuild *build, const EbNode *node, EbComponent *component)
{
	const EbNode *table = eb_node_get(node, "table");
	const EbNode *linear = eb_node_get(node, "linear");

	component->pf_table = eb_build_word(eb_pf_table_word, eb_node_text(table), EB_PF_OWN);
	if (linear != NULL)
	{
		component->pf_table = EB_PF_LINEAR;
		component->pf_linear = (EbPfLinear){
			.target_n = eb_field_decimal(&eb_linear_type, linear, "target"),
			.step_n = eb_field_decimal(&eb_linear_type, linear, "step"),
			.percent_n = eb_field_decimal(&eb_linear_type, linear, "percent"),
			.cap_n = eb_build_decimal(linear, "cap", EB_PRICE_SCALE, INT64_MAX),
		};
	}
	return build_pf_rows(build, table, &component->pf_row);
}

/* ---------------------------------------------------------------- component */

/* What is plain numbers and words */
static void
build_values(EbBuild *build, const EbNode *node, EbComponent *component)
{
	const EbKindWord *kind = eb_kind_find(eb_text_of(node, "kind"));
	const EbNode *each = eb_node_get(node, "each");

	component->kind = kind->value;
	component->per = EB_PER_BILL;
	if (kind->per != NULL)
		component->per = eb_build_word(eb_per_word, initial_word(kind->per), EB_PER_BILL);
	component->per = eb_build_word(eb_per_word, eb_text_of(node, "per"), component->per);
	component->prorate =
		eb_build_word(eb_prorate_word, eb_text_of(node, "prorate"), EB_PRORATE_NONE);
	component->min_scope = eb_build_word(eb_min_scope_word, eb_text_of(node, "scope"), EB_MIN_BILL);
	component->per_line = eb_node_bool(eb_node_get(node, "per_line"), false);
	component->round = eb_build_round(eb_node_find(node, "round"), build->tariff->round_line);
	eb_build_dates(eb_node_get(node, "valid"), &component->valid_from, &component->valid_to);
	component->demand =
		eb_build_index(eb_node_get(build->root, "demands"), eb_text_of(node, "demand"));
	component->offset = eb_node_bool(eb_node_get(node, "offset"), true);
	component->each_min = eb_node_get(each, "min") != NULL;
	component->each_max = eb_node_get(each, "max") != NULL;
	component->each_min_n = eb_build_decimal(each, "min", EB_PRICE_SCALE, 0);
	component->each_max_n = eb_build_decimal(each, "max", EB_PRICE_SCALE, 0);
	component->step_mwh = eb_field_decimal(&eb_component_type, node, "step_wh");
	component->step_ms = eb_field_decimal(&eb_component_type, node, "step_s");
	component->grace_ms = eb_field_decimal(&eb_component_type, node, "grace_s");
	component->cap_n = eb_build_decimal(node, "cap", EB_PRICE_SCALE, EB_NO_CAP);
	component->vat_n = eb_field_decimal(&eb_component_type, node, "vat");
}

static bool
build_component(EbBuild *build, const EbNode *node, EbComponent *component)
{
	const EbKindWord *kind = eb_kind_find(eb_text_of(node, "kind"));
	const EbNode *when = eb_node_get(node, "when");
	EbText quantity = eb_text_of(node, "quantity");
	bool on_base = kind->value == EB_KIND_PERCENT || kind->value == EB_KIND_POWER_FACTOR ||
				   kind->value == EB_KIND_MINIMUM || kind->value == EB_KIND_MAXIMUM;

	if (quantity.len == 0 && kind->quantity != NULL)
		quantity = initial_word(kind->quantity);
	build_values(build, node, component);
	component->has_when = eb_node_first(when) != NULL;
	return build_names(build, node, component) &&
		   eb_build_quantity(build, quantity, &component->quantity) &&
		   eb_build_condition(build, when, &component->when) &&
		   build_factors(build, eb_node_get(node, "factor_if"), &component->factor_if) &&
		   build_prices(build, node, component) &&
		   build_share(build, eb_node_get(node, "share_above"), component) &&
		   build_power_factor(build, node, component) &&
		   (!on_base || build_base(build, node, &component->base));
}

bool
eb_build_components(EbBuild *build)
{
	const EbNode *components = eb_node_get(build->root, "components");
	void *array;
	EbComponent *component;

	if (!eb_build_array(build, eb_node_count(components), sizeof(EbComponent),
						&build->tariff->component, &array))
		return false;
	component = array;
	EB_EACH(node, components)
		if (!build_component(build, node, component++))
			return false;
	return true;
}
