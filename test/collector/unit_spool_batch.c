/*
 * unit_spool_batch.c -- records as parameters of ingest(), and what errors of the database mean
 * The bytes are those of PostgreSQL's binary formats, worked out by hand.
 */
#include "batch.h"
#include "sink_remedy.h"
#include "spool_kit.h"

/* Head of an array of n elements of a type. */
#define HEAD(type, n) \
	0, 0, 0, 1, 0, 0, 0, 1, 0, 0, (type) >> 8, (type) &0xFF, 0, 0, 0, n, 0, 0, 0, 1

#define NULL_ELEMENT 0xFF, 0xFF, 0xFF, 0xFF

static void
check_param(const EbBatch *batch, int i, const uint8_t *want, size_t n)
{
	if (CHECK_INT(batch->length[i], n))
		CHECK_MEM(batch->value[i], want, n);
}

#define CHECK_PARAM(i, ...)                           \
	do                                                \
	{                                                 \
		static const uint8_t want[] = {__VA_ARGS__};  \
		check_param(&batch, (i), want, sizeof(want)); \
	} while (0)

static void
test_batch(void)
{
	static const uint8_t uuid[EB_SPOOL_UUID] = {0x6f, 0x1c};
	static const uint8_t frame[] = {0x68, 0x00, 0xff};
	EbSpoolRow row[2];
	EbBatch batch;

	memset(row, 0, sizeof(row));
	row[0].row = (EbRow){.serial = "M\"\\", .code = "1.8.0", .read_at_ms = 946684800001};
	row[0].row.meter_at_ms = 946684799999; /* a millisecond before 2000 */
	row[0].row.register_wh = 1234560;
	row[0].row.quality = 258;
	row[1].row = (EbRow){.serial = NULL, .read_at_ms = 946684800000, .meter_at_ms = EB_NO_INSTANT};
	row[1].row.frame = frame;
	row[1].row.frame_len = sizeof(frame);
	CHECK(eb_batch_make(&batch, uuid, row, 2, 258));
	CHECK_MEM(batch.value[0], uuid, 16);
	CHECK_INT(batch.length[0], 16);
	CHECK_PARAM(1, 0, 0, 0, 0, 0, 0, 1, 2);
	CHECK_PARAM(2, HEAD(25, 2), 0, 0, 0, 3, 'M', '"', '\\', NULL_ELEMENT);
	CHECK_PARAM(3, HEAD(25, 2), 0, 0, 0, 5, '1', '.', '8', '.', '0', NULL_ELEMENT);
	CHECK_PARAM(4, HEAD(1184, 2), 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0x03, 0xE8, 0, 0, 0, 8, 0, 0, 0, 0,
				0, 0, 0, 0);
	/* 1234.56: digits 1234 5600, the first before the point, two places shown */
	CHECK_PARAM(5, HEAD(1700, 2), 0, 0, 0, 12, 0, 2, 0, 0, 0, 0, 0, 2, 0x04, 0xD2, 0x15, 0xE0,
				NULL_ELEMENT);
	CHECK_PARAM(6, HEAD(23, 2), 0, 0, 0, 4, 0, 0, 1, 2, 0, 0, 0, 4, 0, 0, 0, 0);
	CHECK_PARAM(7, HEAD(1184, 2), 0, 0, 0, 8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFC, 0x18,
				NULL_ELEMENT);
	CHECK_PARAM(8, HEAD(17, 2), NULL_ELEMENT, 0, 0, 0, 3, 0x68, 0x00, 0xff);
	eb_batch_free(&batch);

	CHECK(eb_batch_make(&batch, uuid, row, 1, 1));
	CHECK(batch.value[8] == NULL); /* no frame at all */
	eb_batch_free(&batch);
	CHECK(eb_batch_make(&batch, uuid, row, 0, 1));
	CHECK_PARAM(2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 25);
	eb_batch_free(&batch);
}

/* Digits, weight of the first, places shown. */
static void
check_kwh(int64_t wh, int weight, int scale, int sign, const int *digit, int ndigits)
{
	EbSpoolRow row;
	EbBatch batch;
	uint8_t want[64];
	size_t n = 0;

	memset(&row, 0, sizeof(row));
	row.row = (EbRow){.code = "1.8.0", .register_wh = wh};
	want[n++] = (uint8_t) (ndigits >> 8);
	want[n++] = (uint8_t) ndigits;
	want[n++] = (uint8_t) (weight >> 8);
	want[n++] = (uint8_t) weight;
	want[n++] = (uint8_t) (sign >> 8);
	want[n++] = (uint8_t) sign;
	want[n++] = 0;
	want[n++] = (uint8_t) scale;
	for (int i = 0; i < ndigits; i++)
	{
		want[n++] = (uint8_t) (digit[i] >> 8);
		want[n++] = (uint8_t) digit[i];
	}
	CHECK(eb_batch_make(&batch, want, &row, 1, 1));
	CHECK_INT(batch.length[5], 24 + n);
	CHECK_MEM(batch.value[5] + 24, want, n);
	eb_batch_free(&batch);
}

#define KWH(wh, weight, scale, sign, ...)                                               \
	do                                                                                  \
	{                                                                                   \
		static const int digit[] = {__VA_ARGS__};                                       \
		check_kwh(wh, weight, scale, sign, digit, (int) (sizeof(digit) / sizeof(int))); \
	} while (0)

static void
test_numeric(void)
{
	check_kwh(0, 0, 0, 0, NULL, 0);
	KWH(1, -1, 3, 0, 10);				/* 0.001 */
	KWH(10, -1, 2, 0, 100);				/* 0.01 */
	KWH(500, -1, 1, 0, 5000);			/* 0.5 */
	KWH(1000, 0, 0, 0, 1);				/* 1 */
	KWH(9999999, 0, 3, 0, 9999, 9990);	/* 9999.999 */
	KWH(10000000, 1, 0, 0, 1);			/* 10000 */
	KWH(10000500, 1, 1, 0, 1, 0, 5000); /* 10000.5 */
	KWH(20001000, 1, 0, 0, 2, 1);		/* 20001 */
	KWH(-1500, 0, 1, 0x4000, 1, 5000);
	KWH(INT64_MAX, 3, 3, 0, 9223, 3720, 3685, 4775, 8070); /* 9223372036854775.807 */
	KWH(INT64_MIN, 3, 3, 0x4000, 9223, 3720, 3685, 4775, 8080);
}

static void
test_remedy(void)
{
	static const struct
	{
		const char *state;
		EbRemedy remedy;
		bool stays;
	} want[] = {
		{"08006", EB_REMEDY_RETRY, false}, {"57P01", EB_REMEDY_RETRY, false},
		{"53100", EB_REMEDY_RETRY, false}, {"40001", EB_REMEDY_RETRY, true},
		{"40P01", EB_REMEDY_RETRY, true},  {"25006", EB_REMEDY_RETRY, false},
		{"57014", EB_REMEDY_HALVE, true},  {"22003", EB_REMEDY_BISECT, true},
		{"22021", EB_REMEDY_BISECT, true}, {"23514", EB_REMEDY_BISECT, true},
		{"UB409", EB_REMEDY_BISECT, true}, {"UB422", EB_REMEDY_BISECT, true},
		{"42883", EB_REMEDY_HOLD, false},  {"28000", EB_REMEDY_HOLD, false},
		{"UB400", EB_REMEDY_HOLD, false},  {"UB403", EB_REMEDY_HOLD, false},
		{"UB404", EB_REMEDY_HOLD, false},  {"UB412", EB_REMEDY_HOLD, false},
		{"XX000", EB_REMEDY_HOLD, false},  {"25001", EB_REMEDY_HOLD, false},
		{"57000", EB_REMEDY_HOLD, false},  {"", EB_REMEDY_RETRY, false},
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (!CHECK_INT(eb_sink_remedy(want[i].state), want[i].remedy) ||
			!CHECK_INT(eb_sink_stays(want[i].state), want[i].stays))
			printf("    %s\n", want[i].state);
	CHECK_INT(eb_sink_remedy(NULL), EB_REMEDY_RETRY);
	CHECK(!eb_sink_stays(NULL));
}

int
main(void)
{
	test_batch();
	test_numeric();
	test_remedy();
	return check_done("batch");
}
