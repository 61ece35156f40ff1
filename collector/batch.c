/*
 * batch.c -- rows of the queue as the parameters of one call of elecbill.ingest()
 * In:  rows. Out: array literals as text, the same for every setting of the server. Text of a
 *      meter reaches SQL only in here, as a quoted array element of a parameter.
 */
#include "batch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "clock.h"

const char *const eb_batch_sql =
	"SELECT accepted, duplicate, conflict, rejected FROM elecbill.ingest($1::uuid, $2::bigint, "
	"$3::text[], $4::text[], $5::timestamptz[], $6::numeric[], $7::int[], $8::timestamptz[], "
	"$9::bytea[])";

/* A text that grows; failed stays true once memory was short. */
typedef struct Text
{
	char *data;
	size_t len;
	size_t size;
	bool failed;
} Text;

static void
put_bytes(Text *text, const char *bytes, size_t n)
{
	if (text->failed)
		return;
	if (text->len + n + 1 > text->size)
	{
		size_t size = 2 * (text->len + n + 1);
		char *data = realloc(text->data, size);

		if (data == NULL)
		{
			text->failed = true;
			return;
		}
		text->data = data;
		text->size = size;
	}
	memcpy(text->data + text->len, bytes, n);
	text->len += n;
	text->data[text->len] = '\0';
}

static void
put(Text *text, const char *string)
{
	put_bytes(text, string, strlen(string));
}

/* An element in quotes; NULL without. */
static void
put_quoted(Text *text, const char *string)
{
	if (string == NULL)
	{
		put(text, "NULL");
		return;
	}
	put(text, "\"");
	for (; *string != '\0'; string++)
	{
		if (*string == '"' || *string == '\\')
			put(text, "\\");
		put_bytes(text, string, 1);
	}
	put(text, "\"");
}

static void
put_instant(Text *text, int64_t at_ms)
{
	char instant[EB_CLOCK_TEXT];

	put_quoted(text, at_ms == EB_NO_INSTANT ? NULL : eb_clock_text(instant, at_ms));
}

/* bytea in hex: "\\x6812" inside an array literal */
static void
put_frame(Text *text, const uint8_t *frame, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	if (frame == NULL)
	{
		put(text, "NULL");
		return;
	}
	put(text, "\"\\\\x");
	for (size_t i = 0; i < len; i++)
	{
		char pair[2] = {digits[frame[i] >> 4], digits[frame[i] & 15]};

		put_bytes(text, pair, 2);
	}
	put(text, "\"");
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

static void
put_row(Text *text, const EbRow *row)
{
	bool is_bad = row->code[0] == '\0';
	char number[EB_DECIMAL_TEXT];

	put_quoted(&text[P_METERS], row->serial);
	put_quoted(&text[P_REGISTERS], is_bad ? NULL : row->code);
	put_instant(&text[P_READ_AT], row->read_at_ms);
	if (!is_bad)
		eb_decimal_format(row->register_wh, 3, number);
	put(&text[P_KWH], is_bad ? "NULL" : number);
	snprintf(number, sizeof(number), "%d", row->quality);
	put(&text[P_QUALITY], number);
	put_instant(&text[P_METER_AT], row->meter_at_ms);
	put_frame(&text[P_FRAMES], row->frame, row->frame_len);
}

bool
eb_batch_make(EbBatch *batch, const char *collector, const EbQueue *queue, size_t n,
			  int64_t first_seq)
{
	Text text[EB_BATCH_PARAMS];
	char number[32];
	bool ok = true;

	memset(text, 0, sizeof(text));
	put(&text[P_COLLECTOR], collector);
	snprintf(number, sizeof(number), "%lld", (long long) first_seq);
	put(&text[P_FIRST_SEQ], number);
	for (int i = P_METERS; i <= P_FRAMES; i++)
		put(&text[i], "{");
	for (size_t row = 0; row < n; row++)
	{
		for (int i = P_METERS; i <= P_FRAMES && row > 0; i++)
			put(&text[i], ",");
		put_row(text, eb_queue_at(queue, row));
	}
	for (int i = 0; i < EB_BATCH_PARAMS; i++)
	{
		if (i >= P_METERS)
			put(&text[i], "}");
		batch->param[i] = text[i].data;
		ok = ok && !text[i].failed;
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
		free(batch->param[i]);
		batch->param[i] = NULL;
	}
}
