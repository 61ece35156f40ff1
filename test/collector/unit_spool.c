/*
 * unit_spool.c -- the spool: bytes, order, recovery after a death at any byte
 */
#include "spool_kit.h"

/* A record put and got back; and nothing else comes out of it, whatever bit is turned. */
static void
test_record(void)
{
	uint8_t bytes[EB_RECORD_MAX], frame[] = {0x68, 0x00, 0xff};
	EbRow row = {.serial = "M\"1\\,{}", .code = "1.8.0", .read_at_ms = KIT_START_MS + 7};
	EbSpoolRow got;
	size_t n, length;

	row.meter_at_ms = -1;
	row.register_wh = 1234560;
	row.quality = 257;
	row.frame = frame;
	row.frame_len = sizeof(frame);
	n = eb_record_put(bytes, 41, &row);
	/* head 8, fixed 28, lengths 2 + 2 + 2 + 4, "M\"1\\,{}" 7, "1.8.0" 5, "1234.56" 7, frame 3 */
	CHECK_INT(n, 68);
	CHECK(eb_record_get(bytes, n, &got, &length) == EB_RECORD_GOOD);
	CHECK_INT(length, n);
	CHECK_INT(got.seq, 41);
	CHECK_STR(got.row.serial, row.serial);
	CHECK_STR(got.row.code, "1.8.0");
	CHECK_INT(got.row.read_at_ms, row.read_at_ms);
	CHECK_INT(got.row.meter_at_ms, -1);
	CHECK_INT(got.row.register_wh, 1234560);
	CHECK_INT(got.row.quality, 257);
	CHECK_INT(got.row.frame_len, 3);
	CHECK_MEM(got.row.frame, frame, 3);
	for (size_t cut = 0; cut < n; cut++)
	{
		uint8_t *part = malloc(cut + 1); /* of its own size: a read beyond is seen */

		memcpy(part, bytes, cut);
		CHECK(eb_record_get(part, cut, &got, &length) == EB_RECORD_SHORT);
		free(part);
	}
	for (size_t bit = 0; bit < 8 * n; bit++)
	{
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		CHECK(eb_record_get(bytes, n, &got, &length) != EB_RECORD_GOOD);
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
}

static void
test_record_limits(void)
{
	static uint8_t frame[EB_RECORD_FRAME + 100];
	uint8_t bytes[EB_RECORD_MAX];
	char serial[EB_SERIAL_MAX + 10];
	EbRow row = {.serial = NULL, .read_at_ms = KIT_START_MS, .meter_at_ms = EB_NO_INSTANT};
	EbSpoolRow got;
	size_t n, length;

	/* a frame that could not be read: no meter, no register, no value */
	row.frame = frame;
	row.frame_len = sizeof(frame);
	n = eb_record_put(bytes, 1, &row);
	CHECK(eb_record_get(bytes, n, &got, &length) == EB_RECORD_GOOD);
	CHECK(got.row.serial == NULL);
	CHECK_STR(got.row.code, "");
	CHECK_INT(got.row.meter_at_ms, EB_NO_INSTANT);
	CHECK_INT(got.row.frame_len, EB_RECORD_FRAME);
	/* the longest of everything */
	memset(serial, 'x', sizeof(serial));
	serial[EB_SERIAL_MAX] = '\0';
	row.serial = serial;
	memset(row.code, 'c', EB_CODE_SIZE - 1);
	row.register_wh = INT64_MIN;
	row.quality = INT32_MAX;
	n = eb_record_put(bytes, INT64_MAX, &row);
	CHECK(n <= EB_RECORD_MAX);
	CHECK(eb_record_get(bytes, n, &got, &length) == EB_RECORD_GOOD);
	CHECK_STR(got.row.serial, serial);
	CHECK_STR(got.row.code, row.code);
	CHECK_INT(got.row.register_wh, INT64_MIN);
	CHECK_INT(got.seq, INT64_MAX);
}

static void
test_heads(void)
{
	uint8_t mine[EB_SPOOL_UUID], other[EB_SPOOL_UUID] = {1}, bytes[EB_ACKED_SIZE];
	EbAcked acked;
	unsigned flags;

	CHECK(eb_uuid_parse("6F1c2a52-0c0e-4b5b-9a51-5f3d8f0f7a11", mine));
	CHECK_INT(mine[0], 0x6f);
	CHECK_INT(mine[15], 0x11);
	CHECK(!eb_uuid_parse("6f1c2a52-0c0e-4b5b-9a51-5f3d8f0f7a1", mine));
	CHECK(!eb_uuid_parse("6f1c2a52x0c0e-4b5b-9a51-5f3d8f0f7a11", mine));
	CHECK(!eb_uuid_parse("6f1c2a52-0c0e-4b5b-9a51-5f3d8f0f7a1g", mine));
	CHECK(eb_uuid_parse(KIT_ID, mine));
	eb_segment_put(bytes, mine, EB_SEGMENT_FRESH);
	CHECK(eb_segment_get(bytes, EB_SEGMENT_HEADER, mine, &flags) == EB_HEADER_GOOD);
	CHECK_INT(flags, EB_SEGMENT_FRESH);
	CHECK(eb_segment_get(bytes, EB_SEGMENT_HEADER, other, &flags) == EB_HEADER_FOREIGN);
	CHECK(eb_segment_get(bytes, EB_SEGMENT_HEADER - 1, mine, &flags) == EB_HEADER_BAD);
	for (int bit = 0; bit < 8 * EB_SEGMENT_HEADER; bit++)
	{
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		CHECK(eb_segment_get(bytes, EB_SEGMENT_HEADER, mine, &flags) == EB_HEADER_BAD);
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	eb_acked_put(bytes, mine, (EbAcked){7, 12});
	CHECK(eb_acked_get(bytes, EB_ACKED_SIZE, mine, &acked) == EB_HEADER_GOOD);
	CHECK(acked.acked == 7 && acked.next == 12);
	CHECK(eb_acked_get(bytes, EB_ACKED_SIZE, other, &acked) == EB_HEADER_FOREIGN);
	for (int bit = 0; bit < 8 * EB_ACKED_SIZE; bit++)
	{
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
		CHECK(eb_acked_get(bytes, EB_ACKED_SIZE, mine, &acked) == EB_HEADER_BAD);
		bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
	}
	eb_acked_put(bytes, mine, (EbAcked){7, 7}); /* would give number 7 again */
	CHECK(eb_acked_get(bytes, EB_ACKED_SIZE, mine, &acked) == EB_HEADER_BAD);
}

static int nsynced;

static void
note_synced(void *owner)
{
	nsynced++;
}

/* Only what is synced is handed out; what was acknowledged stays so over a restart. */
static void
test_order(void)
{
	EbSpool spool;
	EbSpoolBatch batch;
	int seen[250] = {0};

	kit_clear();
	CHECK(kit_open(&spool));
	spool.synced = note_synced;
	nsynced = 0;
	CHECK(eb_spool_batch_open(&batch, 10));
	for (int i = 0; i < 99; i++)
		CHECK(kit_put(&spool, i, i % 5));
	CHECK_INT(eb_spool_ready(&spool), 0);
	CHECK_INT(eb_spool_read(&spool, &batch, 10), 0);
	CHECK(spool.syncer.armed);
	CHECK(kit_put(&spool, 99, 0)); /* the hundredth: a group is full */
	CHECK_INT(nsynced, 1);
	CHECK_INT(eb_spool_ready(&spool), 100);
	CHECK(kit_put(&spool, 100, 0));
	kit_fire(&spool.syncer);
	CHECK_INT(eb_spool_ready(&spool), 101);
	CHECK_INT(eb_spool_read(&spool, &batch, 10), 10);
	CHECK(kit_is_row(&batch.row[9], 9));
	CHECK_INT(eb_spool_read(&spool, &batch, 3), 3); /* the same again, until acknowledged */
	CHECK(kit_is_row(&batch.row[0], 0));
	eb_spool_ack(&spool, &batch.row[2]);
	CHECK_INT(eb_spool_read(&spool, &batch, 10), 10);
	CHECK_INT(batch.row[0].seq, 4);
	CHECK(kit_is_row(&batch.row[0], 3));
	CHECK_INT(eb_spool_state(&spool).records, 98);
	CHECK_INT(eb_spool_state(&spool).oldest_ms, KIT_START_MS + 3000);
	eb_spool_batch_free(&batch);
	eb_spool_close(&spool);

	CHECK(kit_open(&spool));
	CHECK_INT(eb_spool_ready(&spool), 98);
	for (int i = 101; i < 250; i++)
		CHECK(kit_put(&spool, i, 0));
	CHECK(eb_spool_sync(&spool));
	CHECK_INT(kit_drain(&spool, 40, seen, 250), 247);
	for (int i = 0; i < 250; i++)
		CHECK_INT(seen[i], i >= 3);
	CHECK_INT(eb_spool_ready(&spool), 0);
	CHECK_INT(eb_spool_state(&spool).oldest_ms, EB_NO_INSTANT);
	eb_spool_close(&spool);
	CHECK_INT(kit_count_files("spool-"), 1);
}

/* The process dies while the last of three records is written: cut at every byte of it. */
static void
test_torn_tail(void)
{
	EbSpool spool;
	size_t n, third;
	uint8_t *bytes;
	char path[200];

	kit_clear();
	CHECK(kit_open(&spool));
	for (int i = 0; i < 3; i++)
		CHECK(kit_put(&spool, i, 20));
	CHECK(eb_spool_sync(&spool));
	third = (size_t) spool.segment[0].bytes;
	eb_spool_close(&spool);
	snprintf(path, sizeof(path), "%s", kit_segment(1));
	bytes = kit_load(path, &n);
	CHECK_INT(n, third);
	third = EB_SEGMENT_HEADER + 2 * ((n - EB_SEGMENT_HEADER) / 3);
	for (size_t cut = 0; cut < n; cut++)
	{
		int whole = cut < EB_SEGMENT_HEADER
						? 0
						: (int) ((cut - EB_SEGMENT_HEADER) / ((n - EB_SEGMENT_HEADER) / 3));
		int seen[4] = {0};

		kit_clear();
		kit_store(path, bytes, cut);
		CHECK(kit_open(&spool));
		CHECK_INT(eb_spool_ready(&spool), whole);
		CHECK_INT(spool.next, whole + 1);
		CHECK(kit_put(&spool, 3, 0));
		eb_spool_close(&spool);
		CHECK(kit_open(&spool));
		CHECK_INT(kit_drain(&spool, 10, seen, 4), whole + 1);
		CHECK_INT(seen[0] + seen[1] + seen[2], whole);
		CHECK_INT(seen[3], 1);
		CHECK_INT(spool.counts.damaged, 0);
		eb_spool_close(&spool);
	}
	/* and with a tail that is no record: zeros of a file system, noise */
	for (int junk = 1; junk < 3000; junk += 97)
	{
		uint8_t *longer = calloc(n + (size_t) junk, 1);

		memcpy(longer, bytes, n);
		for (int i = 0; i < junk && junk % 2 == 0; i++)
			longer[n + (size_t) i] = (uint8_t) (i * 37 + junk);
		kit_clear();
		kit_store(path, longer, n + (size_t) junk);
		CHECK(kit_open(&spool));
		CHECK_INT(eb_spool_ready(&spool), 3);
		CHECK_INT(spool.counts.torn_bytes, junk);
		eb_spool_close(&spool);
		free(longer);
	}
	free(bytes);
}

/* One record in the middle is damaged, at every byte: the others come, one is counted. */
static void
test_bad_middle(bool last_segment)
{
	EbSpool spool;
	size_t n, length;
	uint8_t *bytes;
	char path[200];

	kit_clear();
	kit_conf.spool.size_mib = 1; /* segments of 256 KiB */
	CHECK(kit_open(&spool));
	for (int i = 0; i < 5; i++)
		CHECK(kit_put(&spool, i, 100));
	CHECK(eb_spool_sync(&spool));
	length = (size_t) (spool.segment[0].bytes - EB_SEGMENT_HEADER) / 5;
	if (!last_segment)
	{
		spool.segment_bytes = 1; /* the next group goes into a new one */
		CHECK(kit_put(&spool, 5, 0));
		CHECK(eb_spool_sync(&spool));
		CHECK(kit_put(&spool, 6, 0));
	}
	eb_spool_close(&spool);
	CHECK_INT(kit_count_files("spool-"), last_segment ? 1 : 2);
	snprintf(path, sizeof(path), "%s", kit_segment(1));
	bytes = kit_load(path, &n);
	for (size_t at = EB_SEGMENT_HEADER + 2 * length; at < EB_SEGMENT_HEADER + 3 * length; at++)
	{
		int seen[7] = {0};

		bytes[at] ^= 0x10;
		kit_store(path, bytes, n);
		bytes[at] ^= 0x10;
		unlink(kit_path("acked"));
		CHECK(kit_open(&spool));
		CHECK_INT(kit_drain(&spool, 10, seen, 7), last_segment ? 4 : 6);
		CHECK(seen[0] == 1 && seen[1] == 1 && seen[2] == 0 && seen[3] == 1 && seen[4] == 1);
		CHECK_INT(spool.counts.damaged, 1);
		CHECK_INT(spool.counts.torn_bytes, length);
		CHECK_INT(eb_spool_ready(&spool), 0);
		eb_spool_close(&spool);
	}
	free(bytes);
}

/* The file acked is lost, cut or damaged: all that is kept comes again, no number is given twice. */
static void
test_acked_lost(void)
{
	EbSpool spool;
	size_t n;
	uint8_t *bytes;

	kit_clear();
	CHECK(kit_open(&spool));
	for (int i = 0; i < 20; i++)
		CHECK(kit_put(&spool, i, 0));
	CHECK(eb_spool_sync(&spool));
	CHECK_INT(kit_drain(&spool, 7, NULL, 0), 20);
	CHECK(kit_put(&spool, 20, 0));
	eb_spool_close(&spool);
	bytes = kit_load(kit_path("acked"), &n);
	CHECK_INT(n, EB_ACKED_SIZE);
	for (size_t cut = 0; cut <= n; cut++)
	{
		int seen[21] = {0};

		kit_store(kit_path("acked"), bytes, cut);
		CHECK(kit_open(&spool));
		CHECK_INT(spool.next, 22);
		CHECK_INT(kit_drain(&spool, 7, seen, 21), cut < n ? 21 : 1);
		CHECK_INT(seen[20], 1);
		kit_kill(&spool);
	}
	/* everything is gone, but the segments were delivered and removed: numbering goes on */
	kit_store(kit_path("acked"), bytes, n);
	unlink(kit_segment(1));
	CHECK(kit_open(&spool));
	CHECK_INT(spool.next, 22);
	CHECK(kit_put(&spool, 5, 0));
	CHECK(eb_spool_sync(&spool));
	CHECK_INT(kit_drain(&spool, 7, NULL, 0), 1);
	CHECK_INT(spool.counts.damaged, 1); /* number 21 was synced and is gone */
	eb_spool_close(&spool);
	free(bytes);
}

static void
test_owner(void)
{
	EbSpool spool, second;

	kit_clear();
	CHECK(kit_open(&spool));
	CHECK(kit_put(&spool, 0, 0));
	CHECK(!kit_open(&second)); /* locked */
	eb_spool_close(&spool);
	kit_conf.id = "6f1c2a52-0c0e-4b5b-9a51-5f3d8f0f7a12";
	CHECK(!kit_open(&spool)); /* of another collector */
	unlink(kit_path("acked"));
	CHECK(!kit_open(&spool));
	kit_conf.id = KIT_ID;
	CHECK(kit_open(&spool));
	CHECK_INT(eb_spool_ready(&spool), 1);
	eb_spool_close(&spool);
	kit_conf.spool.directory = "/nowhere/at/all";
	CHECK(!kit_open(&spool));
	eb_spool_close(&spool);
	unsetenv("STATE_DIRECTORY");
	kit_conf.spool.directory = NULL;
	CHECK_STR(eb_spool_directory(&kit_conf), "/var/lib/elecbill");
	setenv("STATE_DIRECTORY", "/state", 1);
	CHECK_STR(eb_spool_directory(&kit_conf), "/state");
}

/* The database knows less (a backup), or more (another spool), than the spool. */
static void
test_compare(void)
{
	EbSpool spool;
	int seen[40] = {0};

	kit_clear();
	CHECK(kit_open(&spool));
	for (int i = 0; i < 20; i++)
		CHECK(kit_put(&spool, i, 0));
	CHECK(eb_spool_sync(&spool));
	CHECK_INT(kit_drain(&spool, 6, seen, 40), 20);
	eb_spool_compare(&spool, 20);
	CHECK_INT(eb_spool_ready(&spool), 0);
	eb_spool_compare(&spool, 12);
	CHECK_INT(eb_spool_ready(&spool), 8);
	CHECK_INT(kit_drain(&spool, 6, seen, 40), 8);
	for (int i = 0; i < 20; i++)
		CHECK_INT(seen[i], i < 12 ? 1 : 2);

	/* more: with rows waiting, then with none */
	CHECK(kit_put(&spool, 20, 0));
	eb_spool_compare(&spool, 1000);
	CHECK_INT(spool.next, 1001);
	CHECK_INT(eb_spool_ready(&spool), 1);
	CHECK(kit_put(&spool, 21, 0));
	CHECK(eb_spool_sync(&spool));
	CHECK_INT(eb_spool_ready(&spool), 2);
	kit_kill(&spool);
	unlink(kit_path("acked")); /* also when it has to be found out from the files */
	CHECK(kit_open(&spool));
	CHECK_INT(eb_spool_ready(&spool), 22);
	memset(seen, 0, sizeof(seen));
	CHECK_INT(kit_drain(&spool, 50, seen, 40), 22);
	CHECK_INT(spool.counts.damaged, 0);
	CHECK(seen[20] == 1 && seen[21] == 1);
	eb_spool_compare(&spool, 5000);
	CHECK_INT(eb_spool_ready(&spool), 0);
	CHECK(kit_put(&spool, 22, 0));
	CHECK(eb_spool_sync(&spool));
	CHECK_INT(eb_spool_ready(&spool), 1);
	CHECK_INT(kit_drain(&spool, 50, seen, 40), 1);
	CHECK_INT(spool.acked, 5001);
	CHECK_INT(spool.counts.damaged, 0);
	eb_spool_close(&spool);
}

/* A row that the database will never take stands in a file of its own. */
static void
test_reject(void)
{
	EbSpool spool;
	EbSpoolBatch batch;
	EbSpoolRow row;
	size_t n, length;
	uint8_t *bytes;

	kit_clear();
	CHECK(kit_open(&spool));
	CHECK(eb_spool_batch_open(&batch, 10));
	CHECK(kit_put(&spool, 0, 9) && kit_put(&spool, 1, 9));
	CHECK(eb_spool_sync(&spool));
	CHECK_INT(eb_spool_read(&spool, &batch, 10), 2);
	eb_spool_reject(&spool, &batch.row[0]);
	eb_spool_reject(&spool, &batch.row[1]);
	eb_spool_ack(&spool, &batch.row[1]);
	CHECK_INT(spool.counts.rejected, 2);
	eb_spool_batch_free(&batch);
	eb_spool_close(&spool);
	bytes = kit_load(kit_path("rejected.seg"), &n);
	CHECK(eb_record_get(bytes + EB_SEGMENT_HEADER, n - EB_SEGMENT_HEADER, &row, &length) ==
		  EB_RECORD_GOOD);
	CHECK(kit_is_row(&row, 0));
	CHECK(eb_record_get(bytes + EB_SEGMENT_HEADER + length, n - EB_SEGMENT_HEADER - length, &row,
						&length) == EB_RECORD_GOOD);
	CHECK(kit_is_row(&row, 1));
	CHECK_INT(n, EB_SEGMENT_HEADER + 2 * length);
	free(bytes);
}

int
main(void)
{
	kit_begin();
	test_record();
	test_record_limits();
	test_heads();
	test_order();
	test_torn_tail();
	test_bad_middle(true);
	test_bad_middle(false);
	test_acked_lost();
	test_owner();
	test_compare();
	test_reject();
	kit_end();
	return check_done("spool");
}
