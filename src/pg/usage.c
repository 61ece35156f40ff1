/*
 * usage.c -- the SQL type elecbill.usage_summary: what was used, classified, no money yet
 * In:  EbUsage from the aggregates and usage_from().
 * Out: datums for rate() (usage_map.c); text (usage_json.c), binary form, merge.
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "pg/errors.h"
#include "pg/fault.h"
#include "pg/usage.h"
#include "rating/usage_merge.h"

/* First byte of the binary form; the JSON text follows. 1: by 0.1.0, of which 2 takes all. */
#define WIRE_FORMAT 2

EbUsageDatum *
eb_pg_usage_make(const EbUsageShape *shape, const EbUsage *usage)
{
	Size size = offsetof(EbUsageDatum, data) + shape->size + eb_usage_block_size(shape, usage);
	EbUsageDatum *datum = palloc(size); /* which refuses more than 1 GB */

	SET_VARSIZE(datum, size);
	datum->format = EB_USAGE_FORMAT;
	memcpy(datum->data, shape, shape->size);
	eb_usage_block_write(shape, usage, (EbUsageBlock *) (datum->data + shape->size));
	return datum;
}

const EbUsageDatum *
eb_pg_usage_datum(Datum value)
{
	const EbUsageDatum *datum = (const EbUsageDatum *) PG_DETOAST_DATUM(value);
	Size size = VARSIZE(datum) - offsetof(EbUsageDatum, data);
	const EbUsageShape *shape = eb_pg_usage_shape_of(datum);

	if (VARSIZE(datum) < offsetof(EbUsageDatum, data))
		elog(ERROR, "stored usage_summary is damaged");
	if (unlikely(datum->format == 1))
		return eb_pg_usage_convert(datum);
	if (datum->format != EB_USAGE_FORMAT)
		elog(ERROR, "unknown format %u of usage_summary", datum->format);
	if (!eb_shape_check(shape, size) ||
		!eb_usage_block_check(shape, eb_pg_usage_block_of(datum), size - shape->size))
		elog(ERROR, "stored usage_summary is damaged");
	return datum;
}

static void
view_block(const EbUsageShape *shape, const EbUsageBlock *block, EbUsage *usage)
{
	EbNamedQuantity *qty = NULL;
	EbUsage *sub;

	if (block->nqty > 0)
		qty = palloc(sizeof(EbNamedQuantity) * block->nqty);
	eb_usage_block_view(shape, block, qty, usage);
	if (block->nsub == 0)
		return;
	sub = palloc(sizeof(EbUsage) * block->nsub);
	for (int i = 0; i < block->nsub; i++)
	{
		const EbShapeVersion *version;

		view_block(eb_shape_version(shape, i, &version), eb_usage_block_sub(shape, block, i),
				   &sub[i]);
	}
	usage->sub = sub;
}

const EbUsage *
eb_pg_usage_view(const EbUsageDatum *datum)
{
	EbUsage *usage = palloc(sizeof(EbUsage));

	view_block(eb_pg_usage_shape_of(datum), eb_pg_usage_block_of(datum), usage);
	return usage;
}

static EbUsageDatum *
read_text(char *text)
{
	Datum json = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));

	return eb_pg_usage_read(DatumGetJsonbP(json));
}

PG_FUNCTION_INFO_V1(elecbill_usage_in);
Datum
elecbill_usage_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(read_text(PG_GETARG_CSTRING(0)));
}

PG_FUNCTION_INFO_V1(elecbill_usage_out);
Datum
elecbill_usage_out(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	eb_pg_usage_write(&out, eb_pg_usage_datum(PG_GETARG_DATUM(0)));
	PG_RETURN_CSTRING(out.data);
}

PG_FUNCTION_INFO_V1(elecbill_usage_recv);
Datum
elecbill_usage_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int version = pq_getmsgbyte(buf);
	int size;

	if (version < 1 || version > WIRE_FORMAT)
		ereport(ERROR, (errcode(EB_ERRCODE_BAD_ARGUMENT),
						errmsg("unknown version %d of usage_summary", version)));
	PG_RETURN_POINTER(read_text(pq_getmsgtext(buf, buf->len - buf->cursor, &size)));
}

PG_FUNCTION_INFO_V1(elecbill_usage_send);
Datum
elecbill_usage_send(PG_FUNCTION_ARGS)
{
	StringInfoData text;
	StringInfoData buf;

	initStringInfo(&text);
	eb_pg_usage_write(&text, eb_pg_usage_datum(PG_GETARG_DATUM(0)));
	pq_begintypsend(&buf);
	pq_sendbyte(&buf, WIRE_FORMAT);
	pq_sendtext(&buf, text.data, text.len);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(elecbill_usage_to_jsonb);
Datum
elecbill_usage_to_jsonb(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	eb_pg_usage_write(&out, eb_pg_usage_datum(PG_GETARG_DATUM(0)));
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data));
}

PG_FUNCTION_INFO_V1(elecbill_usage_from_jsonb);
Datum
elecbill_usage_from_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(eb_pg_usage_read(PG_GETARG_JSONB_P(0)));
}

PG_FUNCTION_INFO_V1(elecbill_usage_merge);
Datum
elecbill_usage_merge(PG_FUNCTION_ARGS)
{
	const EbUsageDatum *datum;
	const EbUsageShape *shape;
	const EbUsage *a;
	const EbUsage *b;
	void *memory;
	EbUsage merged;
	EbFault fault;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(PG_ARGISNULL(0) ? 1 : 0));
	datum = eb_pg_usage_datum(PG_GETARG_DATUM(0));
	shape = eb_pg_usage_shape_of(datum);
	a = eb_pg_usage_view(datum);
	b = PG_GETARG_EB_USAGE(1);
	memory = MemoryContextAllocHuge(CurrentMemoryContext, eb_usage_merge_size(a, b));
	eb_pg_check(eb_usage_merge(shape, a, b, memory, &merged, &fault), &fault);
	PG_RETURN_POINTER(eb_pg_usage_make(shape, &merged));
}
