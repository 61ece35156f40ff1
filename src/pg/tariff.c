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
#include "utils/memutils.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/jsonb_node.h"
#include "pg/tariff.h"
#include "pg/tariff_kept.h"
#include "pg/zone.h"
#include "rating/tariff_check.h"
#include "rating/tariff_compile.h"
#include "rating/tariff_json.h"

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

/* The first error, whole */
static void
keep_first_error(void *arg, const EbFinding *finding)
{
	char **first = arg;

	if (finding->level == EB_LINT_ERROR && *first == NULL)
		*first = psprintf("%s%s%s", finding->path, finding->path[0] != '\0' ? ": " : "",
						  finding->message);
}

/*
 * Raises what compiling answered. The fault of pure code has a fixed size; the first finding is
 * asked for once more, whole.
 */
static void
pg_attribute_noreturn() raise_fault(const EbNode *root, EbStatus status, const EbFault *fault)
{
	char *first = NULL;

	eb_tariff_lint(root, keep_first_error, &first);
	if (first == NULL)
		eb_pg_raise(status, fault);
	ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg_internal("%s", fault->message),
					errdetail_internal("%s", first), errhint("%s", fault->hint)));
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

static Space
write_text(const EbNode *root, size_t size)
{
	Space space = space_make(size);

	while (eb_tariff_text(root, space.data, space.size, &space.used) == EB_NO_SPACE)
		space_double(&space);
	return space;
}

static Space
write_classifier(const EbNode *root, const EbTariff *tariff, size_t size)
{
	Space space = space_make(size);

	while (eb_tariff_classifier(root, tariff, space.data, space.size, &space.used) == EB_NO_SPACE)
		space_double(&space);
	return space;
}

static void
set_fingerprint(EbTariff *tariff, const EbNode *root, size_t size)
{
	Space text = write_classifier(root, tariff, size);
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

/* Of each version, and of the whole by those */
static void
set_fingerprints(EbTariff *tariff, const EbNode *root, size_t size)
{
	const EbVersion *version = EB_ARRAY(tariff, EbVersion, tariff->version);
	const EbNode *node = eb_node_first(eb_node_get(root, "versions"));

	for (int i = 0; i < tariff->version.n; i++, node = node->next)
		set_fingerprint((EbTariff *) eb_version_tariff(tariff, &version[i]),
						eb_node_get(node, "tariff"), size);
	set_fingerprint(tariff, root, size);
}

/* The block with its instants in the zone of the tariff */
static Space
compile_localized(const EbNode *root, size_t size)
{
	Space block = compile(root, size);
	EbTariff *tariff = (EbTariff *) block.data;
	char *zone = eb_pg_tariff_cstring(tariff, tariff->zone);
	EbFault fault;

	if (!eb_pg_zone_valid(zone))
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("tariff is not valid"),
						errdetail("%szone: time zone \"%s\" is not known",
								  tariff->version.n > 0 ? "versions[0].tariff." : "", zone),
						errhint("pg_timezone_names lists the zones of this server.")));
	eb_pg_check(eb_tariff_localize(tariff, eb_pg_zone(zone), &fault), &fault);
	pfree(zone);
	return block;
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
	block = compile_localized(root, guess);
	text = write_text(root, guess);
	if (text.used > MAX_TEXT)
		refuse_size();
	set_fingerprints((EbTariff *) block.data, root, guess);

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

static void
pg_attribute_noreturn() refuse_damaged(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("stored tariff is damaged"),
					errdetail_internal("%s", detail),
					errhint("Write the value anew from its JSON definition.")));
}

/* The datum with lengths that add up; the rest is as it was stored. */
static const EbTariffDatum *
stored_datum(Datum datum)
{
	const EbTariffDatum *stored = (const EbTariffDatum *) PG_DETOAST_DATUM(datum);
	Size size = VARSIZE(stored);

	if (size < offsetof(EbTariffDatum, data) || stored->block_size % 8 != 0 ||
		(uint64) stored->block_size + stored->text_size != size - offsetof(EbTariffDatum, data))
		refuse_damaged("Its lengths do not add up.");
	return stored;
}

/*
 * Blocks this backend has looked at, as copies: a value is compared byte by byte, which costs far
 * less than looking at it again, and a changed value is never taken for a known one. Large blocks
 * are not kept; they are looked at each time.
 */
#define NCHECKED 16
#define MAX_CHECKED (256 * 1024)

static struct
{
	char *block;
	uint32 size;
} checked[NCHECKED];
static int last_checked = 0; /* most calls ask for the same again */
static int next_checked = 0;

static bool
is_checked(const EbTariffDatum *stored, int i)
{
	return checked[i].size == stored->block_size && checked[i].block != NULL &&
		   memcmp(checked[i].block, stored->data, stored->block_size) == 0;
}

static void
remember_checked(const EbTariffDatum *stored)
{
	char *copy;

	if (stored->block_size > MAX_CHECKED)
		return;
	copy = MemoryContextAlloc(TopMemoryContext, stored->block_size);
	memcpy(copy, stored->data, stored->block_size);
	if (checked[next_checked].block != NULL)
		pfree(checked[next_checked].block);
	checked[next_checked].block = copy;
	checked[next_checked].size = stored->block_size;
	last_checked = next_checked;
	next_checked = (next_checked + 1) % NCHECKED;
}

static void
check_block(const EbTariffDatum *stored)
{
	EbFault fault;

	if (likely(is_checked(stored, last_checked)))
		return;
	for (int i = 0; i < NCHECKED; i++)
		if (is_checked(stored, i))
		{
			last_checked = i;
			return;
		}
	if (eb_tariff_check(stored->data, stored->block_size, &fault) != EB_OK)
		refuse_damaged(fault.detail);
	remember_checked(stored);
}

EbText
eb_pg_tariff_text(Datum datum)
{
	const EbTariffDatum *stored = stored_datum(datum);

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
	const EbTariffDatum *stored = stored_datum(datum);

	if (stored->format != EB_TARIFF_FORMAT)
		stored = make_from_text(text_cstring(PointerGetDatum(stored)));
	else
		check_block(stored);
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
	char *text = PG_GETARG_CSTRING(0);
	EbTariffDatum *datum = eb_pg_tariff_kept(text);

	if (datum == NULL)
	{
		datum = make_from_text(text);
		eb_pg_tariff_keep(text, datum);
	}
	PG_RETURN_POINTER(datum);
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
						errdetail("It is the first byte of the value."),
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

/* Where findings go, and whether one was an error */
typedef struct LintRows
{
	ReturnSetInfo *result;
	bool error;
} LintRows;

static void
put_finding(void *arg, const EbFinding *finding)
{
	static const char *const level[] = {"error", "warning", "note"};
	LintRows *rows = arg;

	rows->error = rows->error || finding->level == EB_LINT_ERROR;
	put_row(rows->result, level[finding->level], finding->path, finding->message);
}

/* The zone of a tariff, or of what pretends to be one */
static void
lint_zone(LintRows *rows, const EbNode *root, const char *path)
{
	EbText text = eb_node_text(eb_node_get(root, "zone"));
	char *zone = pnstrdup(text.data, text.len);

	if (text.len > 0 && strlen(zone) <= TZ_STRLEN_MAX && !eb_pg_zone_valid(zone))
	{
		put_row(rows->result, "error", path, psprintf("time zone \"%s\" is not known", zone));
		rows->error = true;
	}
}

/* What shows when a tariff without errors is compiled: its size, what needs the zone */
static void
lint_compiled(LintRows *rows, const EbNode *root)
{
	Space space = space_make(65536);
	EbFault fault;
	EbStatus status;
	EbTariff *tariff;
	char *message = NULL;

	while ((status = eb_tariff_compile(root, space.data, space.size, &space.used, &fault)) ==
		   EB_NO_SPACE)
		space_double(&space);
	tariff = (EbTariff *) space.data;
	if (status == EB_OK)
		status = eb_tariff_localize(tariff, eb_pg_tariff_zone(tariff), &fault);
	else if (status == EB_BAD_ARGUMENT)
		return; /* only named, not filled in yet: a note says so */
	if (status == EB_OUT_OF_RANGE)
		put_row(rows->result, "error", "", psprintf("%s: %s", fault.message, fault.hint));
	else if (status != EB_OK)
	{
		/* the last one: names in the path may hold others */
		for (char *at = strstr(fault.detail, ": "); at != NULL; at = strstr(at + 1, ": "))
			message = at;
		put_row(rows->result, "error", pnstrdup(fault.detail, message - fault.detail), message + 2);
	}
}

PG_FUNCTION_INFO_V1(elecbill_tariff_lint);
Datum
elecbill_tariff_lint(PG_FUNCTION_ARGS)
{
	Jsonb *json = PG_GETARG_JSONB_P(0);
	LintRows rows = {(ReturnSetInfo *) fcinfo->resultinfo, false};
	const EbNode *root;
	int n = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (VARSIZE_ANY_EXHDR(json) > MAX_JSONB)
	{
		put_row(rows.result, "error", "", "is too large");
		PG_RETURN_NULL();
	}
	root = eb_pg_jsonb_node(json);
	eb_tariff_lint(root, put_finding, &rows);
	lint_zone(&rows, root, "zone");
	EB_EACH(version, eb_node_get(root, "versions"))
		lint_zone(&rows, eb_node_get(version, "tariff"), psprintf("versions[%d].tariff.zone", n++));
	if (!rows.error)
		lint_compiled(&rows, root);
	PG_RETURN_NULL();
}
