/*
 * tariff.c -- the SQL type elecbill.tariff: every door into it, and tariff_lint()
 * In:  text, binary messages, jsonb.
 * Out: tariffs (tariff.h) for all that prices; jsonb and text again; findings as rows.
 * Floor: pg.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/jsonb_node.h"
#include "pg/tariff.h"
#include "pg/zone.h"
#include "rating/tariff_compile.h"

/* Of the JSON text; jsonb takes up to four times as much, by its headers. */
#define MAX_TEXT (1 << 20)
#define MAX_JSONB (4 * MAX_TEXT)

/* First byte of the binary form; the canonical text follows. */
#define WIRE_FORMAT 1

/* Room for pure code that answers EB_NO_SPACE: it is doubled until the work fits. */
typedef struct Space
{
	char *data;
	size_t size;
	size_t used;
} Space;

static Space
space_make(size_t size)
{
	return (Space){palloc(size), size, 0};
}

static void
space_double(Space *space)
{
	pfree(space->data);
	*space = space_make(2 * space->size);
}

/* ---------------------------------------------------------------- faults */

static void
refuse_size(void)
{
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("tariff is too large"),
					errdetail("Its JSON text has more than %d bytes.", MAX_TEXT),
					errhint("Give it fewer calendar days, or split it into versions.")));
}

/* Keeps the first error that is one in any version, else the first of kind "later". */
typedef struct FirstError
{
	char *text;
	bool later;
} FirstError;

static void
keep_first_error(void *arg, const EbFinding *finding)
{
	FirstError *first = arg;

	if (finding->level != EB_LINT_ERROR ||
		(first->text != NULL && (finding->later || !first->later)))
		return;
	first->later = finding->later;
	first->text =
		psprintf("%s%s%s", finding->path, finding->path[0] != '\0' ? ": " : "", finding->message);
}

/*
 * Raises what compiling answered. The fault of pure code has a fixed size; the first finding is
 * asked for once more, whole.
 */
static void
pg_attribute_noreturn() raise_fault(const EbNode *root, EbStatus status, const EbFault *fault)
{
	FirstError first = {NULL, false};

	eb_tariff_lint(root, keep_first_error, &first);
	if (first.text == NULL)
		eb_pg_raise(status, fault);
	ereport(ERROR, (errcode(status == EB_NOT_SUPPORTED ? ERRCODE_FEATURE_NOT_SUPPORTED
													   : EB_ERRCODE_BAD_ARGUMENT),
					errmsg_internal("%s", fault->message), errdetail_internal("%s", first.text),
					errhint("%s", fault->hint)));
}

/* ---------------------------------------------------------------- making */

static Space
compile(const EbNode *root, size_t size)
{
	Space space = space_make(size);
	EbFault fault;
	EbStatus status;

	while ((status = eb_tariff_compile(root, space.data, space.size, &space.used, &fault)) ==
		   EB_NO_SPACE)
		space_double(&space);
	if (status != EB_OK)
		raise_fault(root, status, &fault);
	return space;
}

typedef EbStatus (*WriteText)(const EbNode *root, char *buf, size_t size, size_t *used);

static Space
write_text(const EbNode *root, WriteText write, size_t size)
{
	Space space = space_make(size);

	while (write(root, space.data, space.size, &space.used) == EB_NO_SPACE)
		space_double(&space);
	return space;
}

static void
set_fingerprint(EbTariff *tariff, const EbNode *root, size_t size)
{
	Space text = write_text(root, eb_tariff_classifier, size);
	uint8 digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) text.data, text.used) < 0 ||
		pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "cannot compute the fingerprint of a tariff: %s", pg_cryptohash_error(hash));
	pg_cryptohash_free(hash);
	memcpy(tariff->fingerprint, digest, EB_FINGERPRINT_SIZE);
	pfree(text.data);
}

static void
check_zone(const EbTariff *tariff)
{
	char *zone = eb_pg_tariff_cstring(tariff, tariff->zone);

	if (!eb_pg_zone_valid(zone))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("tariff is not valid"),
						errdetail("zone: time zone \"%s\" is not known", zone),
						errhint("pg_timezone_names lists the zones of this server.")));
	pfree(zone);
}

EbTariffDatum *
eb_pg_tariff_make(Jsonb *json)
{
	size_t guess = Min(8192 + 8 * (size_t) VARSIZE_ANY_EXHDR(json), EB_TARIFF_MAX_SIZE);
	EbTariffDatum *datum;
	const EbNode *root;
	Space block;
	Space text;

	if (VARSIZE_ANY_EXHDR(json) > MAX_JSONB)
		refuse_size();
	root = eb_pg_jsonb_node(json);
	block = compile(root, guess);
	check_zone((EbTariff *) block.data);
	text = write_text(root, eb_tariff_text, guess);
	if (text.used > MAX_TEXT)
		refuse_size();
	set_fingerprint((EbTariff *) block.data, root, guess);

	datum = palloc(offsetof(EbTariffDatum, data) + block.used + text.used);
	SET_VARSIZE(datum, offsetof(EbTariffDatum, data) + block.used + text.used);
	datum->format = EB_TARIFF_FORMAT;
	datum->block_size = (uint32) block.used;
	datum->text_size = (uint32) text.used;
	memcpy(datum->data, block.data, block.used);
	memcpy(datum->data + block.used, text.data, text.used);
	pfree(block.data);
	pfree(text.data);
	return datum;
}

static EbTariffDatum *
make_from_text(char *text)
{
	if (strlen(text) > MAX_TEXT)
		refuse_size();
	return eb_pg_tariff_make(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text))));
}

/* ---------------------------------------------------------------- for the rest of the glue */

EbText
eb_pg_tariff_text(Datum datum)
{
	const EbTariffDatum *stored = (const EbTariffDatum *) PG_DETOAST_DATUM(datum);

	return (EbText){stored->data + stored->block_size, (int) stored->text_size};
}

static char *
text_cstring(Datum datum)
{
	EbText text = eb_pg_tariff_text(datum);

	return pnstrdup(text.data, text.len);
}

const EbTariff *
eb_pg_tariff(Datum datum)
{
	const EbTariffDatum *stored = (const EbTariffDatum *) PG_DETOAST_DATUM(datum);

	if (stored->format != EB_TARIFF_FORMAT)
		stored = make_from_text(text_cstring(PointerGetDatum(stored)));
	return (const EbTariff *) stored->data;
}

char *
eb_pg_tariff_cstring(const EbTariff *tariff, EbSlice text)
{
	return pnstrdup(EB_ARRAY(tariff, char, text), text.n);
}

/* ---------------------------------------------------------------- SQL: the type */

PG_FUNCTION_INFO_V1(elecbill_tariff_in);
Datum
elecbill_tariff_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(make_from_text(PG_GETARG_CSTRING(0)));
}

PG_FUNCTION_INFO_V1(elecbill_tariff_out);
Datum
elecbill_tariff_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(text_cstring(PG_GETARG_DATUM(0)));
}

PG_FUNCTION_INFO_V1(elecbill_tariff_recv);
Datum
elecbill_tariff_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	int format = pq_getmsgbyte(message);
	int size = message->len - message->cursor;
	int bytes;

	if (format != WIRE_FORMAT)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("binary form %d of a tariff is not known", format),
						errhint("This version reads form %d: a byte %d, then the JSON text.",
								WIRE_FORMAT, WIRE_FORMAT)));
	if (size > MAX_TEXT)
		refuse_size();
	PG_RETURN_POINTER(make_from_text(pq_getmsgtext(message, size, &bytes)));
}

PG_FUNCTION_INFO_V1(elecbill_tariff_send);
Datum
elecbill_tariff_send(PG_FUNCTION_ARGS)
{
	EbText text = eb_pg_tariff_text(PG_GETARG_DATUM(0));
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendbyte(&message, WIRE_FORMAT);
	pq_sendtext(&message, text.data, text.len);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

PG_FUNCTION_INFO_V1(elecbill_tariff_from_jsonb);
Datum
elecbill_tariff_from_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(eb_pg_tariff_make(PG_GETARG_JSONB_P(0)));
}

PG_FUNCTION_INFO_V1(elecbill_tariff_to_jsonb);
Datum
elecbill_tariff_to_jsonb(PG_FUNCTION_ARGS)
{
	char *text = text_cstring(PG_GETARG_DATUM(0));

	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* ---------------------------------------------------------------- SQL: tariff_lint() */

static void
put_row(ReturnSetInfo *result, const char *level, const char *path, const char *message)
{
	Datum value[3] = {CStringGetTextDatum(level), CStringGetTextDatum(path),
					  CStringGetTextDatum(message)};
	bool null[3] = {false, false, false};

	tuplestore_putvalues(result->setResult, result->setDesc, value, null);
}

static void
put_finding(void *arg, const EbFinding *finding)
{
	static const char *const level[] = {"error", "warning", "note"};

	put_row(arg, level[finding->level], finding->path, finding->message);
}

/* The zone of a tariff, or of what pretends to be one */
static void
lint_zone(ReturnSetInfo *result, const EbNode *root)
{
	for (const EbNode *member = root->kind == EB_NODE_OBJECT ? root->child : NULL; member != NULL;
		 member = member->next)
	{
		char *zone;

		if (member->key.len != 4 || memcmp(member->key.data, "zone", 4) != 0 ||
			member->kind != EB_NODE_TEXT || member->text.len == 0)
			continue;
		zone = pnstrdup(member->text.data, member->text.len);
		if (strlen(zone) <= TZ_STRLEN_MAX && !eb_pg_zone_valid(zone))
			put_row(result, "error", "zone", psprintf("time zone \"%s\" is not known", zone));
	}
}

PG_FUNCTION_INFO_V1(elecbill_tariff_lint);
Datum
elecbill_tariff_lint(PG_FUNCTION_ARGS)
{
	Jsonb *json = PG_GETARG_JSONB_P(0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const EbNode *root;

	InitMaterializedSRF(fcinfo, 0);
	if (VARSIZE_ANY_EXHDR(json) > MAX_JSONB)
	{
		put_row(result, "error", "", "is too large");
		PG_RETURN_NULL();
	}
	root = eb_pg_jsonb_node(json);
	eb_tariff_lint(root, put_finding, result);
	lint_zone(result, root);
	PG_RETURN_NULL();
}
