/*
 * session_json.c -- a charging session as jsonb
 * In:  jsonb {start, segments, expired, attrs, lang}.
 * Out: EbSession (rating/session.h).
 * Floor: pg.
 */
#include "postgres.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/jsonb_node.h"
#include "pg/rate_ctx.h"
#include "pg/session.h"
#include "pg/zone.h"
#include "rating/tariff_json.h"

/* Where a value stands, for messages: segment 0 is the session itself */
typedef struct Place
{
	int segment;
	const char *key;
} Place;

static pg_attribute_noreturn() void refuse(Place place, const char *wanted)
{
	if (place.segment > 0)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT),
				 errmsg("\"%s\" of segment %d must be %s", place.key, place.segment, wanted)));
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
					errmsg("\"%s\" of a session must be %s", place.key, wanted)));
}

static void
check_keys(const EbNode *object, int segment, const char *const *known, const char *hint)
{
	EB_EACH(item, object)
	{
		const char *const *key = known;

		while (*key != NULL && !eb_text_is(item->key, *key))
			key++;
		if (*key == NULL && segment > 0)
			ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
							errmsg("unknown key \"%.*s\" in segment %d", item->key.len,
								   item->key.data, segment),
							errhint("Known are %s.", hint)));
		if (*key == NULL)
			ereport(ERROR,
					(errcode(EB_ERRCODE_BAD_ARGUMENT),
					 errmsg("unknown key \"%.*s\" in a session", item->key.len, item->key.data),
					 errhint("Known are %s.", hint)));
	}
}

static int64
read_instant(const EbNode *object, Place place, const EbZone *zone)
{
	const EbNode *node = eb_node_get(object, place.key);
	int64_t at_us;

	if (node == NULL || node->kind != EB_NODE_TEXT || !eb_parse_instant(node->text, zone, &at_us))
		refuse(place, "an instant like \"2026-01-05T16:35:00+01:00\"");
	return eb_pg_instant(at_us, place.key);
}

/* A number in 1e-6, or initial where there is none */
static int64
read_number(const EbNode *object, Place place, int64 initial)
{
	const EbNode *node = eb_node_get(object, place.key);
	int64_t value;
	EbStatus status = EB_BAD_ARGUMENT;

	if (node == NULL)
		return initial;
	if (node->kind == EB_NODE_NUMBER || node->kind == EB_NODE_TEXT)
		status = eb_node_decimal(node, EB_ENERGY_SCALE, &value);
	if (status == EB_OUT_OF_RANGE)
		ereport(ERROR, (errcode(EB_ERRCODE_WRONG_AMOUNT),
						errmsg("\"%s\" of segment %d is out of range", place.key, place.segment)));
	if (status != EB_OK)
		refuse(place, "a number of at most six decimals");
	return value;
}

static int32
read_state(const EbNode *object, Place place)
{
	static const EbWord state[] = {
		{"charge", EB_SESSION_CHARGE},
		{"idle", EB_SESSION_IDLE},
		{"reserve", EB_SESSION_RESERVE},
		{.name = NULL},
	};
	const EbNode *node = eb_node_get(object, place.key);
	const EbWord *word = eb_word_find(state, eb_node_text(node));

	if (node == NULL)
		return EB_SESSION_CHARGE;
	if (word == NULL)
		refuse(place, "\"charge\", \"idle\" or \"reserve\"");
	return word->value;
}

static void
read_segment(const EbNode *node, int number, const EbZone *zone, EbSessionSegment *segment)
{
	static const char *const known[] = {"from", "to", "kwh", "kw", "amp", "state", NULL};

	if (node->kind != EB_NODE_OBJECT)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("segment %d must be an object", number)));
	check_keys(node, number, known, "from, to, kwh, kw, amp, state");
	segment->from_us = read_instant(node, (Place){number, "from"}, zone);
	segment->to_us = read_instant(node, (Place){number, "to"}, zone);
	segment->ukwh = read_number(node, (Place){number, "kwh"}, 0);
	segment->measured = eb_node_get(node, "kwh") != NULL;
	segment->ukw = read_number(node, (Place){number, "kw"}, EB_SESSION_UNKNOWN);
	segment->uamp = read_number(node, (Place){number, "amp"}, EB_SESSION_UNKNOWN);
	segment->state = read_state(node, (Place){number, "state"});
}

static void
read_segments(const EbNode *list, const EbZone *zone, EbSession *session)
{
	int n = eb_node_count(list);
	EbSessionSegment *segment;

	if (!eb_node_is(list, EB_NODE_ARRAY))
		refuse((Place){0, "segments"}, "a list of objects");
	if (n > EB_MAX_SEGMENTS)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("session has more than %d segments", EB_MAX_SEGMENTS)));
	session->segment = segment = palloc_array(EbSessionSegment, Max(n, 1));
	EB_EACH(item, list)
		read_segment(item, ++session->nsegments, zone, segment++);
}

void
eb_pg_session(Jsonb *json, const EbZone *zone, EbPgSession *result)
{
	static const char *const known[] = {"start", "segments", "expired", "attrs", "lang", NULL};
	const EbNode *root = eb_pg_jsonb_node(json);
	const EbNode *expired = eb_node_get(root, "expired");
	const EbNode *attrs = eb_node_get(root, "attrs");
	const EbNode *lang = eb_node_get(root, "lang");
	EbSession *session = &result->session;

	memset(result, 0, sizeof(*result));
	if (root->kind != EB_NODE_OBJECT)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("session must be an object")));
	check_keys(root, 0, known, "start, segments, expired, attrs, lang");
	read_segments(eb_node_get(root, "segments"), zone, session);
	if (eb_node_get(root, "start") != NULL)
		session->start_us = read_instant(root, (Place){0, "start"}, zone);
	else if (session->nsegments > 0)
		session->start_us = session->segment[0].from_us;
	if (expired != NULL && expired->kind != EB_NODE_TRUE && expired->kind != EB_NODE_FALSE)
		refuse((Place){0, "expired"}, "true or false");
	session->expired = eb_node_bool(expired, false);
	if (attrs != NULL && attrs->kind != EB_NODE_OBJECT)
		refuse((Place){0, "attrs"}, "an object");
	session->attr = eb_pg_attr_nodes(attrs, "the session", &session->nattrs);
	if (lang != NULL && lang->kind != EB_NODE_TEXT)
		refuse((Place){0, "lang"}, "a language, \"zh\" or \"en\"");
	result->lang = lang != NULL ? pnstrdup(lang->text.data, lang->text.len) : "zh";
	session->stop = eb_pg_stop;
}
