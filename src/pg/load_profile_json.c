/*
 * load_profile_json.c -- load_profile as jsonb and back
 *     {"start": "2025-02-28T16:00:00Z", "step": "PT15M", "direction": "import", "wh": [120, null, 140],
 *      "quality": [[2, 0], [1, 2]]}
 * The qualities are runs of [count, flags], from the first value on; those left out are 0.
 * In:  profiles; jsonb of anybody.
 * Out: jsonb; profiles.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/convert.h"
#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/load_profile.h"
#include "rating/load_profile_text.h"

static const char *const key_name[] = {"start", "step", "direction", "wh", "quality"};

#define NEEDED 4 /* of the keys; without qualities all are 0 */

/* ---------------------------------------------------------------- writing */

static void
push_text(JsonbParseState **state, const char *key, const char *text)
{
	JsonbValue name = {.type = jbvString};
	JsonbValue value = {.type = jbvString};

	name.val.string.val = unconstify(char *, key);
	name.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &name);
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	pushJsonbValue(state, WJB_VALUE, &value);
}

static void
push_list(JsonbParseState **state, const char *key)
{
	JsonbValue name = {.type = jbvString};

	name.val.string.val = unconstify(char *, key);
	name.val.string.len = strlen(key);
	pushJsonbValue(state, WJB_KEY, &name);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
}

static void
push_number(JsonbParseState **state, int64 number)
{
	JsonbValue value = {.type = jbvNumeric};

	value.val.numeric = int64_to_numeric(number);
	pushJsonbValue(state, WJB_ELEM, &value);
}

static void
push_values(JsonbParseState **state, const EbProfile *profile)
{
	JsonbValue null = {.type = jbvNull};

	push_list(state, "wh");
	for (int32 i = 0; i < profile->n; i++)
		if (eb_profile_is_missing(profile, i))
			pushJsonbValue(state, WJB_ELEM, &null);
		else
			push_number(state, eb_profile_wh(profile, i));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_qualities(JsonbParseState **state, const EbProfile *profile)
{
	push_list(state, "quality");
	for (int32 i = 0; i < profile->nruns; i++)
	{
		int32 quality;
		int32 count = eb_profile_run(profile, i, &quality);

		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
		push_number(state, count);
		push_number(state, quality);
		pushJsonbValue(state, WJB_END_ARRAY, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_to_jsonb);
Datum
elecbill_load_profile_to_jsonb(PG_FUNCTION_ARGS)
{
	JsonbParseState *state = NULL;
	char start[EB_INSTANT_TEXT];
	char step[EB_STEP_TEXT];
	EbProfile profile;

	PG_GETARG_EB_PROFILE(0, &profile);
	eb_format_instant(profile.start_us, start);
	eb_profile_step_text(profile.step_s, step);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_text(&state, "start", start);
	push_text(&state, "step", step);
	push_text(&state, "direction", eb_profile_direction[profile.channel]);
	push_values(&state, &profile);
	if (profile.nruns > 0)
		push_qualities(&state, &profile);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* ---------------------------------------------------------------- reading */

static void
pg_attribute_noreturn() refuse(const char *detail)
{
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("JSON of a load profile is not valid"),
					errdetail_internal("%s", detail),
					errhint("It reads like: {\"start\": \"2025-02-28T16:00:00Z\", \"step\": "
							"\"PT15M\", \"direction\": \"import\", \"wh\": [120, null]}")));
}

/* No other key, and no needed one missing */
static void
check_keys(JsonbContainer *object, JsonbValue *member[])
{
	int known = 0;

	for (int i = 0; i < (int) lengthof(key_name); i++)
	{
		member[i] = getKeyJsonValueFromContainer(object, key_name[i], strlen(key_name[i]), NULL);
		known += member[i] != NULL;
		if (i < NEEDED && member[i] == NULL)
			refuse(psprintf("Key \"%s\" is not there.", key_name[i]));
	}
	if (known != (int) JsonContainerSize(object))
		refuse("It has a key other than start, step, direction, wh and quality.");
}

static EbText
text_of(const JsonbValue *member, const char *key)
{
	if (member->type != jbvString)
		refuse(psprintf("\"%s\" is no text.", key));
	return (EbText){member->val.string.val, member->val.string.len};
}

static JsonbContainer *
list_of(const JsonbValue *member, const char *key)
{
	if (member->type != jbvBinary || !JsonContainerIsArray(member->val.binary.data))
		refuse(psprintf("\"%s\" is no list.", key));
	return member->val.binary.data;
}

/* A whole number of least .. most */
static int64
number_of(const JsonbValue *element, const char *key, int64 least, int64 most)
{
	int64 number;

	if (element->type != jbvNumeric)
		refuse(psprintf("\"%s\" has an element that is no number.", key));
	number = eb_pg_int64_from_numeric(NumericGetDatum(element->val.numeric), 0, key);
	if (number < least || number > most)
		refuse(psprintf("\"%s\" has the number " INT64_FORMAT ".", key, number));
	return number;
}

static void
read_values(JsonbContainer *list, EbProfileValue *value)
{
	JsonbIterator *iterator = JsonbIteratorInit(list);
	JsonbIteratorToken token;
	JsonbValue element;
	int32 i = 0;

	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		value[i] = (EbProfileValue){.missing = element.type == jbvNull};
		if (value[i].missing == 0)
			value[i].energy_wh = number_of(&element, "wh", PG_INT64_MIN, PG_INT64_MAX);
		i++;
	}
}

/* A run of [count, flags] */
static void
read_run(const JsonbValue *element, EbProfileValue *value, int32 n, int32 *at)
{
	JsonbContainer *pair = list_of(element, "quality");
	int64 count;
	int32 quality;

	if (JsonContainerSize(pair) != 2)
		refuse("\"quality\" has a list that is not [count, flags].");
	count = number_of(getIthJsonbValueFromContainer(pair, 0), "quality", 1, PG_INT64_MAX);
	quality = (int32) number_of(getIthJsonbValueFromContainer(pair, 1), "quality", 0, PG_INT32_MAX);
	if (count > n - *at)
		refuse("\"quality\" is of more values than there are.");
	for (; count > 0; count--)
		value[(*at)++].quality = quality;
}

static void
read_qualities(JsonbContainer *list, EbProfileValue *value, int32 n)
{
	JsonbIterator *iterator = JsonbIteratorInit(list);
	JsonbIteratorToken token;
	JsonbValue element;
	int32 at = 0;

	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			read_run(&element, value, n, &at);
}

PG_FUNCTION_INFO_V1(elecbill_load_profile_from_jsonb);
Datum
elecbill_load_profile_from_jsonb(PG_FUNCTION_ARGS)
{
	Jsonb *json = PG_GETARG_JSONB_P(0);
	JsonbValue *member[lengthof(key_name)];
	EbProfileDraft draft = {0};
	EbProfileValue *value;
	JsonbContainer *wh;
	EbFault fault;

	if (!JB_ROOT_IS_OBJECT(json))
		refuse("It is no object.");
	check_keys(&json->root, member);
	if (!eb_parse_instant(text_of(member[0], "start"), NULL, &draft.start_us))
		refuse("\"start\" is no instant.");
	if (!eb_profile_parse_step(text_of(member[1], "step"), &draft.step_s))
		refuse("\"step\" is none.");
	draft.channel = eb_profile_channel(text_of(member[2], "direction"));
	wh = list_of(member[3], "wh");
	draft.n = JsonContainerSize(wh);
	eb_pg_check(eb_profile_check_head(&draft, &fault), &fault);
	draft.value = value = eb_pg_profile_values(draft.n);
	read_values(wh, value);
	if (member[4] != NULL)
		read_qualities(list_of(member[4], "quality"), value, draft.n);
	PG_RETURN_EB_PROFILE(&draft);
}
