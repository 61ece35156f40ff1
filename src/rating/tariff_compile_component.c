/*
 * tariff_compile_component.c -- the tariff compiler: components and tiers
 * In:  components without lint errors; periods and slots of the build.
 * Out: EbComponent with every name resolved to a position and every default filled in.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/tariff.md.
 */
#include "rating/tariff_build.h"
#include "rating/tariff_lint.h"

static EbText
text_of(const EbNode *object, const char *key)
{
	return eb_node_text(eb_node_get(object, key));
}

static int64_t
decimal_of(const EbNode *object, const char *key, int scale, int64_t initial)
{
	const EbNode *node = eb_node_get(object, key);
	int64_t value;

	if (node == NULL)
		return initial;
	eb_node_decimal(node, scale, &value);
	return value;
}

static EbText
group_of(const EbNode *component)
{
	EbText group = text_of(component, "group");

	return group.len > 0 ? group : text_of(component, "code");
}

/* ---------------------------------------------------------------- tier */

/* A step without a price takes that of its component; in mode adder it adds nothing. */
static bool
build_steps(EbBuild *build, const EbNode *steps, const EbComponent *component, EbTier *tier,
			bool *reads)
{
	void *array;
	EbStep *step;

	if (!eb_build_array(build, eb_node_count(steps), sizeof(EbStep), &tier->step, &array))
		return false;
	step = array;
	EB_EACH(node, steps)
	{
		step->unit = eb_build_word(eb_step_unit_word, text_of(node, "unit"), EB_STEP_KWH);
		step->factor_n = decimal_of(node, "factor", EB_PRICE_SCALE, EB_ONE);
		if (!eb_build_price(build, eb_node_get(node, "up_to"), &step->up_to, reads) ||
			!eb_build_price(build, eb_node_get(node, "price"), &step->price, reads) ||
			!eb_build_price(build, eb_node_get(node, "flat"), &step->flat, reads))
			return false;
		if (step->price == EB_NONE && tier->mode != EB_TIER_ADDER)
			step->price = component->price;
		step++;
	}
	return true;
}

static bool
build_allowances(EbBuild *build, const EbNode *list, EbSlice *slice)
{
	void *array;
	EbAllowance *allowance;

	if (!eb_build_array(build, eb_node_count(list), sizeof(EbAllowance), slice, &array))
		return false;
	allowance = array;
	EB_EACH(node, list)
	{
		allowance->at_least = decimal_of(node, "at_least", EB_ENERGY_SCALE, 0);
		allowance->add_ukwh = decimal_of(node, "add", EB_ENERGY_SCALE, 0);
		allowance->per_month = !eb_text_is(text_of(node, "per"), "scope");
		allowance->widen_all = !eb_text_is(text_of(node, "widen"), "first");
		if (!eb_build_bytes(build, text_of(node, "attr"), &allowance->attr))
			return false;
		allowance++;
	}
	return true;
}

static bool
build_tier(EbBuild *build, const EbNode *node, EbComponent *component, bool *reads)
{
	EbTier *tier = &component->tier;
	EbText by = text_of(node, "by");
	bool runs_on;

	component->has_tier = node != NULL;
	if (node == NULL)
		return true;
	tier->mode =
		(int8_t) eb_build_word(eb_tier_mode_word, text_of(node, "mode"), EB_TIER_GRADUATED);
	tier->scope = (int8_t) eb_build_word(eb_tier_scope_word, text_of(node, "scope"), EB_SCOPE_BILL);
	tier->order =
		(int8_t) eb_build_word(eb_tier_order_word, text_of(node, "order"), EB_ORDER_PRORATA);
	tier->prorate =
		(int8_t) eb_build_word(eb_prorate_word, text_of(node, "prorate"), EB_PRORATE_NONE);
	runs_on = tier->scope == EB_SCOPE_YEAR || tier->scope == EB_SCOPE_QUARTER;
	tier->split = (int8_t) eb_build_word(eb_split_word, text_of(node, "split"),
										 runs_on ? EB_SPLIT_CONTINUE : EB_SPLIT_DAYS);
	tier->nominal_days = eb_node_int(eb_node_get(node, "nominal_days"), 30);
	tier->flat_at_zero = eb_node_bool(eb_node_get(node, "flat_at_zero"), true);
	tier->has_by = by.len > 0;
	tier->size_u = decimal_of(node, "size", EB_ENERGY_SCALE, 0);
	tier->free_u = decimal_of(node, "free", EB_ENERGY_SCALE, 0);
	return eb_build_quantity(build, by, &tier->by) &&
		   build_allowances(build, eb_node_get(node, "allowance"), &tier->allowance) &&
		   build_steps(build, eb_node_get(node, "steps"), component, tier, reads);
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
	const EbNode *schedule = eb_schedule_of(build->root, node);
	bool per_period = component->has_tier && component->tier.order == EB_ORDER_PER_PERIOD;
	int index = 0;

	component->schedule = EB_NONE;
	component->slots = ~UINT64_C(0);
	if (schedule == NULL || !(reads || filter != NULL || per_period))
		return;
	EB_EACH(other, eb_node_get(build->root, "schedules"))
	{
		if (other == schedule)
			component->schedule = index;
		index++;
	}
	if (filter == NULL)
		return;
	component->slots = 0;
	for (int i = 0; i < build->nslots; i++)
		if (build->slot[i].schedule == component->schedule &&
			eb_list_has(filter, build->period[build->slot[i].name]))
			component->slots |= UINT64_C(1) << i;
}

/* ---------------------------------------------------------------- bases */

static bool
in_base(const EbNode *base, const EbNode *component)
{
	return base == NULL || eb_list_has(base, (EbText){"*", 1}) ||
		   eb_list_has(base, text_of(component, "code")) || eb_list_has(base, group_of(component));
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

/* ---------------------------------------------------------------- component */

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
		factor->factor_n = decimal_of(node, "factor", EB_PRICE_SCALE, EB_ONE);
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
	return eb_build_bytes(build, text_of(node, "code"), &component->code) &&
		   eb_build_bytes(build, group_of(node), &component->group) &&
		   eb_build_bytes(build, text_of(node, "rider"), &component->rider) &&
		   eb_build_label(build, eb_node_get(node, "name"), &component->label);
}

static bool
build_prices(EbBuild *build, const EbNode *node, EbComponent *component)
{
	bool reads = false;

	if (!eb_build_price(build, eb_node_get(node, "price"), &component->price, &reads) ||
		!eb_build_price(build, eb_node_get(node, "percent"), &component->percent, &reads) ||
		!eb_build_price(build, eb_node_get(node, "amount"), &component->amount, &reads) ||
		!build_tier(build, eb_node_get(node, "tier"), component, &reads))
		return false;
	build_schedule(build, node, reads, component);
	return true;
}

static bool
build_component(EbBuild *build, const EbNode *node, EbComponent *component)
{
	const EbKindWord *kind = eb_kind_find(text_of(node, "kind"));
	const EbNode *when = eb_node_get(node, "when");
	EbText quantity = text_of(node, "quantity");
	bool on_base = kind->value == EB_KIND_PERCENT || kind->value == EB_KIND_MINIMUM ||
				   kind->value == EB_KIND_MAXIMUM;

	component->kind = kind->value;
	component->per = EB_PER_BILL;
	if (kind->value == EB_KIND_ENERGY)
		component->per = EB_PER_KWH;
	else if (kind->value == EB_KIND_CUSTOM)
		component->per = EB_PER_UNIT;
	component->per = eb_build_word(eb_per_word, text_of(node, "per"), component->per);
	if (quantity.len == 0 && kind->value == EB_KIND_ENERGY)
		quantity = (EbText){"import_kwh", 10};
	component->prorate = eb_build_word(eb_prorate_word, text_of(node, "prorate"), EB_PRORATE_NONE);
	component->min_scope = eb_build_word(eb_min_scope_word, text_of(node, "scope"), EB_MIN_BILL);
	component->per_line = eb_node_bool(eb_node_get(node, "per_line"), false);
	component->round = eb_build_round(eb_node_find(node, "round"), build->tariff->round_line);
	eb_build_dates(eb_node_get(node, "valid"), &component->valid_from, &component->valid_to);
	component->has_when = eb_node_first(when) != NULL;
	return build_names(build, node, component) &&
		   eb_build_quantity(build, quantity, &component->quantity) &&
		   eb_build_condition(build, when, &component->when) &&
		   build_factors(build, eb_node_get(node, "factor_if"), &component->factor_if) &&
		   build_prices(build, node, component) &&
		   build_share(build, eb_node_get(node, "share_above"), component) &&
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
