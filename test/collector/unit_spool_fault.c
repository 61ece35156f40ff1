/*
 * unit_spool_fault.c -- the spool on a disk that is full, broken, read-only, or killed at random
 * What was accepted is delivered once, or counted: accepted rows = delivered + lost + damaged.
 */
#include <sys/time.h>

#include "spool_kit.h"

/* pwrite takes a few bytes at a time: nothing is wrong with that. */
static void
test_short_writes(void)
{
	EbSpool spool;
	int seen[50] = {0};

	kit_clear();
	for (int at_most = 1; at_most < 40; at_most += 13)
	{
		CHECK(kit_open(&spool));
		fault_pwrite.at_most = at_most;
		for (int i = 0; i < 50; i++)
			CHECK(kit_put(&spool, i, 3));
		CHECK(eb_spool_sync(&spool));
		CHECK_INT(kit_drain(&spool, 9, seen, 50), 50);
		CHECK_INT(spool.counts.failures, 0);
		faults_off();
		eb_spool_close(&spool);
	}
}

/* A directory whose name did not get on disk would be gone with all that is in it. */
static void
test_new_directory(void)
{
	static char directory[100];
	EbSpool spool;

	kit_clear();
	snprintf(directory, sizeof(directory), "%s/new", kit_directory);
	kit_conf.spool.directory = directory;
	fault_fsync = (Fault){0, EIO, 0};
	CHECK(!kit_open(&spool));
	CHECK_INT(kit_count_files("new"), 0);
	faults_off();
	CHECK(kit_open(&spool));
	CHECK(kit_put(&spool, 0, 0));
	eb_spool_close(&spool);
	CHECK(kit_open(&spool));
	CHECK_INT(eb_spool_ready(&spool), 1);
	eb_spool_close(&spool);
	kit_clear();
}

/* The disk is full in the middle of a record; rows wait in memory until there is space again. */
static void
test_no_space(int error)
{
	EbSpool spool;
	int seen[60] = {0};

	for (int good = 0; good < 12; good++)
	{
		memset(seen, 0, sizeof(seen));
		kit_clear();
		CHECK(kit_open(&spool));
		CHECK(spool.has_reserve);
		for (int i = 0; i < 20; i++)
			CHECK(kit_put(&spool, i, 3));
		CHECK(eb_spool_sync(&spool));
		fault_pwrite = (Fault){good, error, 17}; /* torn: some bytes go out before */
		for (int i = 20; i < 40; i++)
			CHECK(kit_put(&spool, i, 3));
		CHECK_INT(eb_spool_state(&spool).failing, error);
		CHECK_INT(kit_count_files("reserve"), error == ENOSPC ? 0 : 1);
		kit_fire(&spool.syncer); /* still full */
		CHECK_INT(eb_spool_ready(&spool), 20);
		CHECK_INT(kit_drain(&spool, 9, seen, 60), 20);
		faults_off();
		kit_fire(&spool.syncer);
		CHECK_INT(eb_spool_state(&spool).failing, 0);
		CHECK_INT(eb_spool_ready(&spool), 20);
		for (int i = 40; i < 60; i++)
			CHECK(kit_put(&spool, i, 3));
		eb_spool_close(&spool);
		CHECK(kit_open(&spool));
		CHECK_INT(kit_drain(&spool, 9, seen, 60), 40);
		for (int i = 0; i < 60; i++)
			CHECK_INT(seen[i], 1);
		CHECK_INT(spool.counts.lost + spool.counts.damaged, 0);
		CHECK_INT(spool.acked, 60);
		eb_spool_close(&spool);
	}
}

/* A sync fails: the pages may be gone although they can still be read. All goes into a new file. */
static void
test_sync_fails(void)
{
	EbSpool spool;
	int seen[30] = {0};

	kit_clear();
	CHECK(kit_open(&spool));
	for (int i = 0; i < 10; i++)
		CHECK(kit_put(&spool, i, 0));
	CHECK(eb_spool_sync(&spool));
	for (int i = 10; i < 20; i++)
		CHECK(kit_put(&spool, i, 0));
	fault_fdatasync = (Fault){0, EIO, 0};
	CHECK(!eb_spool_sync(&spool));
	CHECK(!eb_spool_sync(&spool));
	CHECK_INT(eb_spool_ready(&spool), 10);
	faults_off();
	CHECK(eb_spool_sync(&spool));
	CHECK_INT(eb_spool_ready(&spool), 20);
	CHECK_INT(kit_count_files("spool-"), 2);
	CHECK_INT(kit_drain(&spool, 100, seen, 30), 20);
	for (int i = 0; i < 20; i++)
		CHECK_INT(seen[i], 1);
	eb_spool_close(&spool);
}

/* A read-only file system: rows wait in memory, which ends; then each is counted. */
static void
test_read_only(void)
{
	EbSpool spool;
	int accepted = 0, refused = 0;
	int seen[400] = {0};

	kit_clear();
	CHECK(kit_open(&spool));
	fault_openat = (Fault){0, EROFS, 0};
	for (int i = 0; i < 400; i++)
		if (kit_put(&spool, i, 8000))
			accepted++;
		else
			refused++;
	CHECK(accepted > 100 && refused > 100);
	CHECK_INT(spool.counts.lost, refused);
	CHECK_INT(spool.next, accepted + 1);
	faults_off();
	kit_fire(&spool.syncer);
	CHECK_INT(kit_drain(&spool, 50, seen, 400), accepted);
	fault_openat = (Fault){0, EROFS, 0};
	spool.fd = spool.fd >= 0 ? (close(spool.fd), -1) : -1;
	CHECK(kit_put(&spool, 0, 0));
	eb_spool_close(&spool); /* what is in memory then is lost, and counted */
	CHECK_INT(spool.counts.lost, refused + 1);
	faults_off();
}

/* The acknowledgement cannot be written: it is tried again; a restart costs duplicates only. */
static void
test_acked_fails(void)
{
	EbSpool spool;
	int seen[20] = {0};

	kit_clear();
	CHECK(kit_open(&spool));
	for (int i = 0; i < 10; i++)
		CHECK(kit_put(&spool, i, 0));
	CHECK(eb_spool_sync(&spool));
	CHECK_INT(kit_drain(&spool, 4, seen, 20), 10);
	CHECK(spool.acker.armed);
	for (int after = 0; after < 2; after++)
	{
		fault_fsync = (Fault){after, EIO, 0};
		kit_fire(&spool.acker);
		CHECK(spool.acker.armed);
	}
	faults_off();
	kit_fire(&spool.acker);
	CHECK(!spool.acker.armed);
	CHECK_INT(spool.acked_disk.acked, 10);
	kit_kill(&spool);
	CHECK(kit_open(&spool));
	CHECK_INT(eb_spool_ready(&spool), 0);
	eb_spool_close(&spool);
}

/* A block of an old segment that the disk cannot read any more. */
static void
test_read_error(void)
{
	EbSpool spool;
	int seen[2000] = {0};
	int n;

	kit_clear();
	CHECK(kit_open(&spool));
	for (int i = 0; i < 2000; i++)
		CHECK(kit_put(&spool, i, 0));
	CHECK(eb_spool_sync(&spool));
	fault_pread = (Fault){0, EIO, 0};
	n = kit_drain(&spool, 500, seen, 2000); /* nothing can be read: all is given up, no end of it */
	CHECK_INT(n + (int) spool.counts.damaged, 2000);
	CHECK_INT(eb_spool_ready(&spool), 0);
	faults_off();
	eb_spool_close(&spool);
}

/* The limit: what is acknowledged goes; then the newest are refused, each counted. */
static void
test_limit_newest(void)
{
	EbSpool spool;
	int seen[4000] = {0};
	int accepted = 0;

	kit_clear();
	kit_conf.spool.size_mib = 1;
	CHECK(kit_open(&spool));
	for (int i = 0; i < 4000; i++)
		accepted += kit_put(&spool, i, 400);
	CHECK(accepted > 1500 && accepted < 2500);
	CHECK_INT(spool.counts.lost, 4000 - accepted);
	CHECK(eb_spool_state(&spool).full);
	CHECK(!eb_spool_roomy(&spool));
	CHECK(eb_spool_state(&spool).bytes <= 1024 * 1024);
	CHECK_INT(kit_drain(&spool, 300, seen, 4000), accepted / 100 * 100);
	for (int i = 0; i < accepted / 100 * 100; i++)
		CHECK_INT(seen[i], 1);
	CHECK(kit_put(&spool, 0, 400)); /* acknowledged segments make room, also young ones */
	CHECK(!eb_spool_state(&spool).full);
	CHECK(eb_spool_roomy(&spool));
	eb_spool_close(&spool);
}

static void
test_limit_oldest(void)
{
	EbSpool spool;
	EbSpoolBatch batch;
	int seen[4000] = {0};
	int delivered;

	kit_clear();
	kit_conf.spool.size_mib = 1;
	kit_conf.spool.drop_oldest = true;
	CHECK(kit_open(&spool));
	CHECK(eb_spool_batch_open(&batch, 10));
	for (int i = 0; i < 100; i++)
		CHECK(kit_put(&spool, i, 400));
	CHECK_INT(eb_spool_read(&spool, &batch, 10), 10); /* out while they are dropped */
	for (int i = 100; i < 4000; i++)
		CHECK(kit_put(&spool, i, 400));
	CHECK(eb_spool_sync(&spool));
	CHECK(spool.counts.lost > 1000);
	eb_spool_ack(&spool, &batch.row[9]); /* committed all the same */
	delivered = kit_drain(&spool, 300, seen, 4000);
	CHECK_INT(delivered + (int) spool.counts.lost, 4000);
	CHECK_INT(spool.counts.damaged, 0);
	for (int i = 0; i < 4000; i++)
		CHECK_INT(seen[i], i >= 4000 - delivered);
	eb_spool_batch_free(&batch);
	eb_spool_close(&spool);
}

/*
 * The oldest have to go, and how far the database has come cannot be written down: what it has taken
 * is neither lost nor delivered again.
 */
static void
test_limit_oldest_delivered(void)
{
	EbSpool spool;
	int seen[4000] = {0};
	int delivered;

	kit_clear();
	kit_conf.spool.size_mib = 1;
	kit_conf.spool.drop_oldest = true;
	CHECK(kit_open(&spool));
	for (int i = 0; i < 1800; i++)
		CHECK(kit_put(&spool, i, 400));
	delivered = kit_drain(&spool, 300, seen, 4000);
	CHECK(delivered >= 1700);
	fault_fsync = (Fault){0, EIO, 0};
	for (int i = 1800; i < 2600; i++)
		CHECK(kit_put(&spool, i, 400));
	CHECK_INT((long) spool.counts.lost, 0);
	CHECK_INT((long) spool.acked, delivered);
	faults_off();
	CHECK(eb_spool_sync(&spool));
	kit_drain(&spool, 300, seen, 4000);
	for (int i = 0; i < 2600; i++)
		CHECK_INT(seen[i], 1);
	CHECK_INT((long) spool.counts.damaged, 0);
	eb_spool_close(&spool);
}

/* Space that others need is left free. */
static void
test_floor(void)
{
	EbSpool spool;

	kit_clear();
	kit_conf.spool.free_mib = 1048576; /* a tebibyte is not there */
	CHECK(kit_open(&spool));
	if (spool.free_bytes < INT64_C(1) << 40)
	{
		CHECK(!kit_put(&spool, 0, 0));
		CHECK_INT(spool.counts.lost, 1);
		kit_conf.spool.free_mib = 0;
		CHECK(kit_put(&spool, 0, 0));
	}
	eb_spool_close(&spool);
}

/* Acknowledged segments go when they are older than keep_days, and not before. */
static void
test_keep(void)
{
	EbSpool spool;
	struct timeval old[2] = {{0, 0}, {0, 0}};
	int64_t first[3];

	kit_clear();
	CHECK(kit_open(&spool));
	for (int k = 0; k < 3; k++)
	{
		spool.segment_bytes = 1;
		CHECK(kit_put(&spool, k, 0));
		CHECK(eb_spool_sync(&spool));
		first[k] = spool.segment[spool.nsegments - 1].first;
	}
	eb_spool_close(&spool);
	CHECK_INT(kit_count_files("spool-"), 3);
	old[0].tv_sec = old[1].tv_sec = (time_t) (eb_clock_real_ms() / 1000 - 7 * 86400 - 5);
	utimes(kit_segment(first[0]), old);
	CHECK(kit_open(&spool)); /* not acknowledged: it stays, however old */
	CHECK_INT(kit_count_files("spool-"), 3);
	CHECK_INT(kit_drain(&spool, 10, NULL, 0), 3);
	kit_fire(&spool.acker);
	CHECK_INT(kit_count_files("spool-"), 2);
	eb_spool_close(&spool);
	old[0].tv_sec = old[1].tv_sec += 10; /* not seven days yet */
	utimes(kit_segment(first[1]), old);
	CHECK(kit_open(&spool));
	CHECK_INT(kit_count_files("spool-"), 2);
	eb_spool_close(&spool);
	kit_conf.spool.keep_days = 0;
	CHECK(kit_open(&spool));
	CHECK_INT(kit_count_files("spool-"), 1); /* the last one grows on */
	CHECK_INT(spool.next, 4);
	eb_spool_close(&spool);
}

static uint32_t dice = 12345;

static uint32_t
roll(uint32_t n)
{
	dice = dice * 1664525u + 1013904223u;
	return (dice >> 8) % n;
}

/* Dies; of what was not synced, any part may be on disk. */
static void
power_cut(EbSpool *spool)
{
	int64_t synced = spool->nsegments > 0 ? spool->segment[spool->nsegments - 1].bytes : 0;
	bool has_file = spool->fd >= 0;
	char path[200];
	struct stat file;

	if (has_file)
		snprintf(path, sizeof(path), "%s", kit_segment(spool->segment[spool->nsegments - 1].first));
	kit_kill(spool);
	if (has_file && stat(path, &file) == 0 && file.st_size > synced &&
		truncate(path, (off_t) (synced + roll((uint32_t) (file.st_size - synced) + 1))) != 0)
		exit(2);
}

/*
 * Rows are put, synced, delivered; the disk fails now and then, the power goes. Every row that was
 * synced is delivered, in order, and again only when its acknowledgement was not written down.
 */
static void
test_random(uint32_t seed)
{
	enum
	{
		ROWS = 3000
	};
	static int seen[ROWS];
	EbSpool spool;
	int64_t row_of_seq = 0;
	int put = 0, synced = 0;

	dice = seed;
	memset(seen, 0, sizeof(seen));
	kit_clear();
	kit_conf.spool.size_mib = 4;
	CHECK(kit_open(&spool));
	while (put < ROWS)
	{
		uint32_t what = roll(100);

		if (what < 80)
			CHECK(kit_put(&spool, put++, roll(10) == 0 ? roll(2000) : 0));
		else if (what < 85)
			eb_spool_sync(&spool);
		else if (what < 90)
			kit_drain(&spool, 1 + (int) roll(200), seen, ROWS);
		else if (what < 93)
			kit_fire(&spool.acker);
		else if (what == 93)
			fault_pwrite = (Fault){(int) roll(4), ENOSPC, 50};
		else if (what == 94)
			fault_fdatasync = (Fault){(int) roll(2), EIO, 0};
		else if (what == 95)
			fault_fsync = (Fault){(int) roll(3), EIO, 0};
		else if (what < 99)
			faults_off();
		synced = put - spool.tail_rows;
		if (what == 99 && spool.failing == 0)
		{
			faults_off();
			power_cut(&spool);
			CHECK(kit_open(&spool));
			row_of_seq = spool.next - 1;
			CHECK(row_of_seq >= synced && row_of_seq <= put);
			put = (int) row_of_seq; /* what was not synced is read from the meters again */
		}
	}
	faults_off();
	CHECK(eb_spool_sync(&spool));
	kit_drain(&spool, 100, seen, ROWS);
	for (int i = 0; i < ROWS; i++)
		if (!CHECK(seen[i] > 0))
			printf("    seed %u: row %d was synced and is not delivered\n", seed, i);
	CHECK_INT(spool.counts.lost + spool.counts.damaged, 0);
	CHECK_INT(spool.acked, ROWS);
	eb_spool_close(&spool);
}

int
main(void)
{
	kit_begin();
	test_short_writes();
	test_new_directory();
	test_no_space(ENOSPC);
	test_no_space(EIO);
	test_sync_fails();
	test_read_only();
	test_acked_fails();
	test_read_error();
	test_limit_newest();
	test_limit_oldest();
	test_limit_oldest_delivered();
	test_floor();
	test_keep();
	for (uint32_t seed = 1; seed <= 20; seed++)
		test_random(seed);
	kit_end();
	return check_done("spool, failing disk");
}
