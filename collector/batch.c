/*
 * batch.c -- rows of the spool as the parameters of one call of elecbill.ingest()
 * In:  rows. Out: arrays in the binary form of the wire, the same for every setting of the server.
 *      Text of a meter reaches SQL only in here, as an element of a parameter: nothing is quoted,
 *      for nothing is parsed.
 * Binary because the server would spend a fifth of a call on parsing text.
 */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

const char *const eb_batch_sql =
	"SELECT accepted, duplicate, conflict, rejected FROM elecbill.ingest($1::uuid, $2::bigint, "
	"$3::text[], $4::text[], $5::timestamptz[], $6::numeric[], $7::int[], $8::timestamptz[], "
	"$9::bytea[])";

const int eb_batch_format[EB_BATCH_PARAMS] = {1, 1, 1, 1, 1, 1, 1, 1, 1};

/* Type numbers of pg_type; they never change. */
enum
{
	OID_BYTEA = 17,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_TIMESTAMPTZ = 1184,
	OID_NUMERIC = 1700
};

/* 2000-01-01 00:00 UTC, from where PostgreSQL counts its microseconds */
#define EPOCH_MS INT64_C(946684800000)

#define NUMERIC_NEG 0x4000

/* Bytes that grow; failed stays true once memory was short. */
typedef struct Bytes
{
	char *data;
	size_t len;
	size_t size;
	bool failed;
} Bytes;

static void
put_bytes(Bytes *bytes, const void *data, size_t n)
{
	if (bytes->failed)
		return;
	if (bytes->len + n > bytes->size)
	{
		size_t size = 2 * (bytes->len + n) + 64;
		char *grown = realloc(bytes->data, size);

		if (grown == NULL)
		{
			bytes->failed = true;
			return;
		}
		bytes->data = grown;
		bytes->size = size;
	}
	if (n > 0)
		memcpy(bytes->data + bytes->len, data, n);
	bytes->len += n;
}

/* An integer of n bytes, high byte first. */
static void
put_int(Bytes *bytes, int64_t value, int n)
{
	uint8_t wire[8];

	for (int i = 0; i < n; i++)
		wire[i] = (uint8_t) ((uint64_t) value >> 8 * (n - 1 - i));
	put_bytes(bytes, wire, (size_t) n);
}

/* Head of an array of n elements of a type, any of which may be NULL. */
static void
put_array(Bytes *bytes, int oid, int n)
{
	put_int(bytes, n > 0 ? 1 : 0, 4); /* dimensions */
	put_int(bytes, 1, 4);
	put_int(bytes, oid, 4);
	if (n > 0)
	{
		put_int(bytes, n, 4);
		put_int(bytes, 1, 4); /* index of the first */
	}
}

/* An element of n bytes; NULL is one too. */
static void
put_element(Bytes *bytes, const void *data, size_t n)
{
	put_int(bytes, data != NULL ? (int64_t) n : -1, 4);
	if (data != NULL)
		put_bytes(bytes, data, n);
}

static void
put_text(Bytes *bytes, const char *text)
{
	put_element(bytes, text, text != NULL ? strlen(text) : 0);
}

static void
put_instant(Bytes *bytes, int64_t at_ms)
{
	if (at_ms == EB_NO_INSTANT)
	{
		put_element(bytes, NULL, 0);
		return;
	}
	put_int(bytes, 8, 4);
	put_int(bytes, (at_ms - EPOCH_MS) * 1000, 8);
}

/* kWh as numeric: digits of base 10000, without leading and trailing zeros; the fewest places. */
static void
put_kwh(Bytes *bytes, int64_t wh)
{
	uint64_t rest = wh < 0 ? 0 - (uint64_t) wh : (uint64_t) wh;
	int part = (int) (rest % 1000);
	int scale = part == 0 ? 0 : part % 100 == 0 ? 1 : part % 10 == 0 ? 2 : 3;
	int digit[8];
	int n = 0;
	int weight = -1; /* of the first digit: -1 is the one behind the point */
	int last = 0;	 /* place of the last digit that is not zero */

	digit[n++] = part * 10;
	for (rest /= 1000; rest > 0; rest /= 10000)
	{
		digit[n++] = (int) (rest % 10000);
		weight++;
	}
	while (last < n && digit[last] == 0)
		last++;
	put_int(bytes, 8 + 2 * (n - last), 4);
	put_int(bytes, n - last, 2);
	put_int(bytes, last < n ? weight : 0, 2);
	put_int(bytes, wh < 0 ? NUMERIC_NEG : 0, 2);
	put_int(bytes, scale, 2);
	for (int i = n - 1; i >= last; i--)
		put_int(bytes, digit[i], 2);
}

/* The places of the arrays in the call. */
enum
{
	P_COLLECTOR,
	P_FIRST_SEQ,
	P_METERS,
	P_REGISTERS,
	P_READ_AT,
	P_KWH,
	P_QUALITY,
	P_METER_AT,
	P_FRAMES
};

static const int oid_of[EB_BATCH_PARAMS] = {
	0, 0, OID_TEXT, OID_TEXT, OID_TIMESTAMPTZ, OID_NUMERIC, OID_INT4, OID_TIMESTAMPTZ, OID_BYTEA};

static void
put_row(Bytes *bytes, const EbRow *row)
{
	bool is_bad = row->code[0] == '\0';

	put_text(&bytes[P_METERS], row->serial);
	put_text(&bytes[P_REGISTERS], is_bad ? NULL : row->code);
	put_instant(&bytes[P_READ_AT], row->read_at_ms);
	if (is_bad)
		put_element(&bytes[P_KWH], NULL, 0);
	else
		put_kwh(&bytes[P_KWH], row->register_wh);
	put_int(&bytes[P_QUALITY], 4, 4);
	put_int(&bytes[P_QUALITY], row->quality, 4);
	put_instant(&bytes[P_METER_AT], row->meter_at_ms);
	put_element(&bytes[P_FRAMES], row->frame, row->frame_len);
}

bool
eb_batch_make(EbBatch *batch, const uint8_t collector[EB_SPOOL_UUID], const EbSpoolRow *row, int n,
			  int64_t first_seq)
{
	Bytes bytes[EB_BATCH_PARAMS];
	bool any_frame = false;
	bool ok = true;

	memset(bytes, 0, sizeof(bytes));
	put_bytes(&bytes[P_COLLECTOR], collector, EB_SPOOL_UUID);
	put_int(&bytes[P_FIRST_SEQ], first_seq, 8);
	for (int i = P_METERS; i <= P_FRAMES; i++)
		put_array(&bytes[i], oid_of[i], n);
	for (int k = 0; k < n; k++)
	{
		put_row(bytes, &row[k].row);
		any_frame = any_frame || row[k].row.frame != NULL;
	}
	for (int i = 0; i < EB_BATCH_PARAMS; i++)
	{
		batch->value[i] = bytes[i].data;
		batch->length[i] = (int) bytes[i].len;
		ok = ok && !bytes[i].failed;
	}
	if (!any_frame)
	{
		/* the server need not look at an array of NULLs */
		free(batch->value[P_FRAMES]);
		batch->value[P_FRAMES] = NULL;
	}
	if (!ok)
		eb_batch_free(batch);
	return ok;
}

void
eb_batch_free(EbBatch *batch)
{
	for (int i = 0; i < EB_BATCH_PARAMS; i++)
	{
		free(batch->value[i]);
		batch->value[i] = NULL;
	}
}

char *
eb_batch_texts(const char *const *text, int n, int *length)
{
	Bytes bytes;

	memset(&bytes, 0, sizeof(bytes));
	put_array(&bytes, OID_TEXT, n);
	for (int i = 0; i < n; i++)
		put_text(&bytes, text[i]);
	*length = (int) bytes.len;
	if (!bytes.failed)
		return bytes.data;
	free(bytes.data);
	return NULL;
}
