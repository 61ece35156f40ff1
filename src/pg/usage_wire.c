/*
 * usage_wire.c -- sums of usage on their way from a worker to the leader
 * In:  states of usage(), register_usage() and compare().
 * Out: bytes, and states again.
 * Floor: pg.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "utils/memutils.h"

#include "pg/usage_wire.h"

#define WIRE_FORMAT 2

void
eb_pg_send_array(StringInfo buf, const void *array, Size n, Size element)
{
	if (n * element > MaxAllocSize)
		elog(ERROR, "one group is too large for a worker to send");
	if (n > 0)
		pq_sendbytes(buf, array, (int) (n * element));
}

static void
receive_array(StringInfo buf, void *array, Size n, Size element)
{
	if (n > 0)
		memcpy(array, pq_getmsgbytes(buf, (int) (n * element)), n * element);
}

/* Room for as many elements as were sent, and they in it */
static void *
receive_new_array(StringInfo buf, const EbMemory *memory, int32 n, Size element)
{
	void *array;

	if (n == 0)
		return NULL;
	array = memory->resize(memory->arg, NULL, n * element);
	receive_array(buf, array, n, element);
	return array;
}

/* ---------------------------------------------------------------- classes */

/*
 * Few bytes when sums only have to be added. A tariff with demands or versions goes along, for it
 * is asked at the end.
 */
void
eb_pg_usage_send_class(StringInfo buf, const EbUsageClass *class)
{
	const EbUsageLayout *layout = &class->by[0].layout;

	pq_sendint32(buf, WIRE_FORMAT);
	pq_sendbyte(buf, class->whole);
	if (class->whole)
	{
		pq_sendint32(buf, class->tariff->size);
		pq_sendbytes(buf, (const char *) class->tariff, class->tariff->size);
		return;
	}
	pq_sendint32(buf, class->shape->size);
	pq_sendbytes(buf, (const char *) class->shape, class->shape->size);
	pq_sendint32(buf, layout->nslots);
	pq_sendint32(buf, layout->nschedules);
	pq_sendint32(buf, layout->nenergy);
	pq_sendint32(buf, layout->ncells);
	for (int i = 0; i < EB_NCHANNELS; i++)
		pq_sendint32(buf, layout->channel[i].at);
}

static EbUsageClass *
find_class(const EbUsageSite *site, const uint8 *fingerprint)
{
	EbUsageClass *class = site->first;

	while (class != NULL &&
		   memcmp(class->shape->fingerprint, fingerprint, EB_FINGERPRINT_SIZE) != 0)
		class = class->next;
	return class;
}

/* A class without its tariff; the one that is kept when there was one before */
static EbUsageClass *
receive_shape(StringInfo buf, MemoryContext context, EbUsageSite *site)
{
	int size = (int) pq_getmsgint(buf, 4);
	EbUsageClass *class = MemoryContextAllocZero(context, sizeof(EbUsageClass));
	EbUsageClass *found;
	EbUsageLayout *layout;

	class->shape = MemoryContextAlloc(context, size);
	pq_copymsgbytes(buf, (char *) class->shape, size);
	class->n = 1;
	class->by = MemoryContextAllocZero(context, sizeof(EbClassifier));
	class->by->from_us = PG_INT64_MIN;
	class->by->to_us = PG_INT64_MAX;
	layout = &class->by->layout;
	layout->nslots = (int) pq_getmsgint(buf, 4);
	layout->nschedules = (int) pq_getmsgint(buf, 4);
	layout->nenergy = (int) pq_getmsgint(buf, 4);
	layout->ncells = (int) pq_getmsgint(buf, 4);
	for (int i = 0; i < EB_NCHANNELS; i++)
		layout->channel[i].at = (int) pq_getmsgint(buf, 4);
	found = find_class(site, class->shape->fingerprint);
	if (found == NULL)
	{
		class->next = site->first;
		site->first = class;
		return class;
	}
	pfree(class->by);
	pfree(class->shape);
	pfree(class);
	return found;
}

EbUsageClass *
eb_pg_usage_receive_class(FunctionCallInfo fcinfo, StringInfo buf)
{
	EbUsageSite *site = fcinfo->flinfo->fn_extra;
	EbUsageClass *class;
	EbTariff *tariff;
	int size;

	if (site == NULL)
		site = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(EbUsageSite));
	if (pq_getmsgint(buf, 4) != WIRE_FORMAT)
		elog(ERROR, "unknown format of usage state");
	if (pq_getmsgbyte(buf) == 0)
		return receive_shape(buf, fcinfo->flinfo->fn_mcxt, site);
	size = (int) pq_getmsgint(buf, 4);
	tariff = palloc(size);
	pq_copymsgbytes(buf, (char *) tariff, size);
	class = eb_pg_usage_class(fcinfo, site, tariff);
	pfree(tariff);
	return class;
}

/* ---------------------------------------------------------------- sums */

void
eb_pg_usage_send_table(StringInfo buf, const EbWindowTable *table)
{
	pq_sendint32(buf, table->ndays);
	pq_sendint32(buf, table->nbuckets);
	eb_pg_send_array(buf, table->day, table->ndays, sizeof(EbWindowDay));
	eb_pg_send_array(buf, table->bucket, table->nbuckets, sizeof(EbBucket));
}

void
eb_pg_usage_receive_table(StringInfo buf, const EbMemory *memory, EbWindowTable *table)
{
	table->ndays = table->day_capacity = (int) pq_getmsgint(buf, 4);
	table->nbuckets = table->bucket_capacity = (int) pq_getmsgint(buf, 4);
	table->day = receive_new_array(buf, memory, table->ndays, sizeof(EbWindowDay));
	table->bucket = receive_new_array(buf, memory, table->nbuckets, sizeof(EbBucket));
}

static void
send_version(StringInfo buf, const EbVersionSum *version)
{
	const EbRowSum *rows = version->rows;
	int npieces = rows != NULL ? rows->npieces : 0;

	pq_sendint32(buf, version->nparts);
	pq_sendint32(buf, npieces);
	eb_pg_send_array(buf, version->part_day, version->nparts, sizeof(int32));
	eb_pg_send_array(buf, version->cell, (Size) version->nparts * version->layout->ncells,
					 sizeof(int64));
	eb_pg_send_array(buf, version->covered_us, EB_NCHANNELS, sizeof(int64));
	if (npieces > 0)
		eb_pg_send_array(buf, rows->piece, npieces, sizeof(EbPiece));
	for (int i = 0; i < version->layout->ntables; i++)
		eb_pg_usage_send_table(buf, &rows->table[i]);
}

static void
receive_version(StringInfo buf, const EbMemory *memory, EbVersionSum *version)
{
	int ncells = version->layout->ncells;
	int npieces;

	version->nparts = (int) pq_getmsgint(buf, 4);
	npieces = (int) pq_getmsgint(buf, 4);
	if (version->nparts > EB_FIRST_PARTS)
	{
		version->capacity = version->nparts;
		version->part_day = memory->resize(memory->arg, NULL, version->nparts * sizeof(int32));
		version->cell =
			memory->resize(memory->arg, NULL, (Size) version->nparts * ncells * sizeof(int64));
	}
	receive_array(buf, version->part_day, version->nparts, sizeof(int32));
	receive_array(buf, version->cell, version->nparts, ncells * sizeof(int64));
	receive_array(buf, version->covered_us, EB_NCHANNELS, sizeof(int64));
	if (npieces > 0)
	{
		EbRowSum *rows = eb_usage_rows(version, memory);

		rows->piece = receive_new_array(buf, memory, npieces, sizeof(EbPiece));
		rows->npieces = rows->piece_capacity = npieces;
	}
	for (int i = 0; i < version->layout->ntables; i++)
		eb_pg_usage_receive_table(buf, memory, &version->rows->table[i]);
}

void
eb_pg_usage_send_sum(StringInfo buf, const EbUsageSum *sum)
{
	pq_sendint64(buf, sum->from_us);
	pq_sendint64(buf, sum->to_us);
	pq_sendint64(buf, sum->held);
	pq_sendint32(buf, sum->quality);
	pq_sendint32(buf, sum->channels);
	for (int i = 0; i < sum->n; i++)
		send_version(buf, &sum->of[i]);
}

void
eb_pg_usage_receive_sum(StringInfo buf, EbUsageSum *sum)
{
	sum->from_us = pq_getmsgint64(buf);
	sum->to_us = pq_getmsgint64(buf);
	sum->held = pq_getmsgint64(buf);
	sum->quality = (int) pq_getmsgint(buf, 4);
	sum->channels = pq_getmsgint(buf, 4);
	for (int i = 0; i < sum->n; i++)
		receive_version(buf, &sum->memory, &sum->of[i]);
}
