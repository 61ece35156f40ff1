/*
 * rate_row.c -- bill lines as rows of elecbill.rate_line
 * In:  EbLine of rating, the tariff whose names they carry.
 * Out: rows; labels in the language that was asked for.
 * Floor: pg.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "pg/convert.h"
#include "pg/rate.h"

#define RATE_LINE_COLUMNS 15
#define DURING_COLUMN 12 /* of rate_line, from 0 */

/* Code and labels of the lines that no component makes */
typedef struct RoleName
{
	const char *code;
	const char *zh;
	const char *en;
} RoleName;

static const RoleName role_name[] = {
	[EB_LINE_COMPONENT] = {"", "", ""},
	[EB_LINE_ROUNDING] = {"rounding", "尾差", "rounding"},
	[EB_LINE_VAT] = {"vat", "增值税", "VAT"},
	[EB_LINE_NET] = {"net", "余额抵扣", "credit used"},
	[EB_LINE_NET_CARRY] = {"net_carry", "结转下期", "carried to the next bill"},
	[EB_LINE_NET_EARNED] = {"net_earned", "上网电费转入余额", "put on the account"},
	[EB_LINE_NET_PAID] = {"net_paid", "余额结算", "account paid out"},
	[EB_LINE_NET_LOST] = {"net_lost", "余额失效", "account expired"},
};

static const char *const unit_name[] = {
	[EB_UNIT_KWH] = "kwh",		   [EB_UNIT_BILL] = "bill",	 [EB_UNIT_DAY] = "day",
	[EB_UNIT_MONTH] = "month",	   [EB_UNIT_PIECE] = "unit", [EB_UNIT_PERCENT] = "percent",
	[EB_UNIT_KVARH] = "kvarh",	   [EB_UNIT_KW] = "kw",		 [EB_UNIT_KVA] = "kva",
	[EB_UNIT_SESSION] = "session", [EB_UNIT_HOUR] = "hour",	 [EB_UNIT_MINUTE] = "minute",
	[EB_UNIT_MONEY] = "money",
};

static const char *const quality_name[] = {"actual", "estimated", "missing"};

static Datum
slice_datum(const EbTariff *tariff, EbSlice slice)
{
	return PointerGetDatum(cstring_to_text_with_len(EB_ARRAY(tariff, char, slice), slice.n));
}

/* The label in the language, or EB_NONE */
static int
find_label(const EbTariff *tariff, const EbComponent *component, const char *lang)
{
	const EbLabel *label = EB_ARRAY(tariff, EbLabel, component->label);

	for (int i = 0; i < component->label.n; i++)
		if (label[i].lang.n == (int) strlen(lang) &&
			memcmp(EB_ARRAY(tariff, char, label[i].lang), lang, label[i].lang.n) == 0)
			return i;
	return EB_NONE;
}

/* The label in the language, else the one for all, else Chinese, else any; without one, the code */
static Datum
label_datum(const EbTariff *tariff, const EbComponent *component, const char *lang)
{
	int found = find_label(tariff, component, lang);

	if (component->label.n == 0)
		return slice_datum(tariff, component->code);
	if (found == EB_NONE)
		found = find_label(tariff, component, "");
	if (found == EB_NONE)
		found = find_label(tariff, component, "zh");
	if (found == EB_NONE)
		found = 0;
	return slice_datum(tariff, EB_ARRAY(tariff, EbLabel, component->label)[found].text);
}

static Datum
during_datum(TypeCacheEntry *range, const EbLine *line)
{
	RangeBound from = {.val = TimestampTzGetDatum(line->from_us), .inclusive = true, .lower = true};
	RangeBound to = {.val = TimestampTzGetDatum(line->to_us)};

	return RangeTypePGetDatum(make_range(range, &from, &to, false));
}

/* code, grp, label of a line */
static void
name_line(const EbTariff *tariff, const EbLine *line, const char *lang, Datum *value)
{
	const EbComponent *component;

	if (line->component == EB_NONE)
	{
		const RoleName *role = &role_name[line->role];

		value[0] = value[1] = CStringGetTextDatum(role->code);
		value[2] = CStringGetTextDatum(strcmp(lang, "zh") == 0 ? role->zh : role->en);
		return;
	}
	component = EB_ARRAY(tariff, EbComponent, tariff->component) + line->component;
	value[0] = slice_datum(tariff, component->code);
	/* what a limit with tax adds is tax */
	value[1] = line->role == EB_LINE_VAT ? CStringGetTextDatum(role_name[EB_LINE_VAT].code)
										 : slice_datum(tariff, component->group);
	value[2] = label_datum(tariff, component, lang);
}

static Datum
period_datum(const EbTariff *tariff, const EbLine *line)
{
	int period = EB_ARRAY(tariff, EbSlot, tariff->slot)[line->slot].name;

	return slice_datum(tariff, EB_ARRAY(tariff, EbSlice, tariff->period_name)[period]);
}

static void
put_line(ReturnSetInfo *result, TypeCacheEntry *range, const EbTariff *whole,
		 const EbPgRateContext *ctx, const EbLine *line, int n)
{
	const EbVersion *version = NULL;
	const EbTariff *tariff = whole;
	Datum value[RATE_LINE_COLUMNS];
	bool null[RATE_LINE_COLUMNS] = {false};

	memset(value, 0, sizeof(value));
	if (line->version != EB_NONE)
	{
		version = EB_ARRAY(whole, EbVersion, whole->version) + line->version;
		tariff = eb_version_tariff(whole, version);
	}
	value[0] = Int32GetDatum(n);
	name_line(tariff, line, ctx->lang, &value[1]);
	null[4] = line->slot == EB_NONE;
	if (!null[4])
		value[4] = period_datum(tariff, line);
	null[5] = line->tier == 0;
	value[5] = Int32GetDatum(line->tier);
	value[6] = eb_pg_numeric(line->quantity_u, EB_ENERGY_SCALE, 0);
	value[7] = CStringGetTextDatum(unit_name[line->unit]);
	value[8] = eb_pg_numeric(line->price_n, EB_PRICE_SCALE, 0);
	value[9] = eb_pg_numeric(line->factor_n, EB_PRICE_SCALE, 0);
	value[10] = eb_pg_numeric(line->amount_raw, EB_AMOUNT_SCALE, 0);
	value[11] = eb_pg_numeric(line->amount, EB_AMOUNT_SCALE, whole->minor_unit);
	null[DURING_COLUMN] = line->from_us == PG_INT64_MIN;
	if (!null[DURING_COLUMN])
		value[DURING_COLUMN] = during_datum(range, line);
	null[13] = version == NULL && !ctx->has_version;
	value[13] = Int32GetDatum(version != NULL ? version->number : ctx->version);
	value[14] = CStringGetTextDatum(quality_name[line->quality]);
	tuplestore_putvalues(result->setResult, result->setDesc, value, null);
}

void
eb_pg_return_lines(FunctionCallInfo fcinfo, const EbTariff *tariff, const EbPgRateContext *ctx,
				   const EbLine *line, int n)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TypeCacheEntry *range;

	InitMaterializedSRF(fcinfo, 0);
	range = lookup_type_cache(TupleDescAttr(result->setDesc, DURING_COLUMN)->atttypid,
							  TYPECACHE_RANGE_INFO);
	for (int i = 0; i < n; i++)
		put_line(result, range, tariff, ctx, &line[i], i + 1);
}
