/*
 * frame.c -- frame_decode: a meter's bytes as JSON, by the codecs the collector uses
 * In:  the name of a protocol and the bytes; out: jsonb as the comment of the function says.
 * Floor: pg, on codec.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "codec/modbus.h"
#include "pg/errors.h"

/* Bytes judged between two looks for a cancel request. */
#define FRAME_SLICE 65536

/* What one call works with; too large for the stack of a backend deep in a query. */
typedef struct FrameWork
{
	EbFrameReader reader;
	EbFrame frame;
	EbModbusMap map;
	char json[EB_FRAME_JSON_SIZE];
} FrameWork;

static const EbCodec *
find_codec(text *protocol)
{
	const EbCodec *codec = eb_codec_find(VARDATA_ANY(protocol), VARSIZE_ANY_EXHDR(protocol));
	StringInfoData known;

	if (codec != NULL)
		return codec;
	initStringInfo(&known);
	for (size_t i = 0; (codec = eb_codec_at(i)) != NULL; i++)
		appendStringInfo(&known, "%s%s", i > 0 ? ", " : "", codec->name);
	ereport(ERROR, (errcode(EB_ERRCODE_UNKNOWN),
					errmsg("unknown meter protocol \"%s\"", text_to_cstring(protocol)),
					errdetail("This version decodes: %s.", known.data),
					errhint("Protocols are named in lower case, without blanks.")));
}

/* The register map behind the name of Modbus, or NULL. */
static const EbModbusMap *
find_map(text *protocol, EbModbusMap *map)
{
	const char *name = VARDATA_ANY(protocol);
	const char *wanted;
	size_t at;
	const EbModbusMap *found =
		eb_modbus_protocol_map(name, VARSIZE_ANY_EXHDR(protocol), map, &wanted, &at);

	if (wanted != NULL)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("bad register map \"%s\"", text_to_cstring(protocol)),
						errdetail("At character %d there should be %s.",
								  pg_mbstrlen_with_len(name, (int) at) + 1, wanted),
						errhint("Write modbus:INDEX=TYPE[/ORDER][*SCALE][,...], for example "
								"modbus:0=float32,2=u32/CDAB*0.001.")));
	return found;
}

/* Adds the frame in work to the array. */
static void
add_frame(FrameWork *work, StringInfo out)
{
	size_t length = eb_frame_json(&work->frame, work->json, sizeof(work->json));

	if (length == 0)
		elog(ERROR, "a meter frame does not fit into %zu bytes of JSON", sizeof(work->json));
	if (out->data[out->len - 1] != '[')
		appendStringInfoChar(out, ',');
	appendBinaryStringInfo(out, work->json, (int) length);
}

static void
add_frames(FrameWork *work, const uint8_t *bytes, size_t n, StringInfo out)
{
	while (n > 0)
	{
		size_t slice = Min(n, FRAME_SLICE);

		CHECK_FOR_INTERRUPTS();
		n -= slice;
		while (eb_frame_feed(&work->reader, &bytes, &slice, &work->frame))
			add_frame(work, out);
	}
	while (eb_frame_finish(&work->reader, &work->frame))
		add_frame(work, out);
}

/*
 * A byte above 7E stands in the JSON as \u00XX. Most server encodings lack these characters, and a
 * frame must not raise for that: there it is a question mark.
 */
static void
spell_foreign(char *json)
{
	char *to = json;

	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_LATIN1)
		return;
	while (*json != '\0')
	{
		if (json[0] == '\\' && json[1] == 'u' && json[4] > '7')
		{
			*to++ = '?';
			json += strlen("\\u00XX");
			continue;
		}
		if (*json == '\\')
			*to++ = *json++;
		*to++ = *json++;
	}
	*to = '\0';
}

PG_FUNCTION_INFO_V1(elecbill_frame_decode);
Datum
elecbill_frame_decode(PG_FUNCTION_ARGS)
{
	text *protocol = PG_GETARG_TEXT_PP(0);
	const EbCodec *codec = find_codec(protocol);
	bytea *bytes = PG_GETARG_BYTEA_PP(1);
	FrameWork *work = palloc(sizeof(*work));
	EbFrameError verdict;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"protocol\":\"%s\",\"frames\":[", codec->name);
	eb_frame_begin(&work->reader, codec, find_map(protocol, &work->map));
	add_frames(work, (const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &out);
	verdict = eb_frame_verdict(&work->reader);
	if (verdict == EB_FRAME_OK)
		appendStringInfoString(&out, "],\"valid\":true,\"error\":null}");
	else
		appendStringInfo(&out, "],\"valid\":false,\"error\":\"%s\"}", eb_frame_error_word(verdict));
	pfree(work);
	spell_foreign(out.data);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}
