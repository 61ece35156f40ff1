/*
 * unit_spool_crash.c -- the spool, killed at every named point
 * A child takes rows in and delivers them to a table in shared memory until it kills itself; the
 * next one goes on in the same directory. Rows that were synced are in the table in the end, and
 * twice only when they were delivered but not yet written down as acknowledged.
 * Built with -DEB_CRASH_POINTS.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "spool_kit.h"

#define ROWS 20000
#define PER_CHILD 400

/* What the rest of the world knows. */
typedef struct World
{
	int synced;			  /* rows below were synced */
	int refused;		  /* rows set aside */
	uint8_t stored[ROWS]; /* how often the database was given the row */
	int resent;			  /* rows that it had already */
	int batch;			  /* rows of a batch at most */
} World;

static World *world;

static const char *const points[] = {
	"spool_before_write",	 "spool_in_write",			"spool_after_write",
	"spool_before_sync",	 "spool_after_sync",		"segment_before_create",
	"segment_after_create",	 "segment_before_dir_sync", "segment_after_dir_sync",
	"segment_before_remove", "segment_after_remove",	"acked_before_temp",
	"acked_before_sync",	 "acked_after_temp",		"acked_after_rename",
	"acked_after_dir_sync",	 "rejected_before_write",	"rejected_after_write",
};

static void
note_synced(void *owner)
{
	EbSpool *spool = owner;

	world->synced = (int) (spool->synced_next - 1);
}

/* COMMIT, then the acknowledgement, which is not written down at once. */
static void
deliver(EbSpool *spool)
{
	EbSpoolBatch batch;

	if (!eb_spool_batch_open(&batch, world->batch))
		_exit(3);
	while (eb_spool_read(spool, &batch, batch.size) > 0)
	{
		for (int k = 0; k < batch.nrows; k++)
		{
			int i = (int) batch.row[k].seq - 1;

			if (!kit_is_row(&batch.row[k], i))
				_exit(4);
			world->resent += world->stored[i] > 0;
			world->stored[i]++;
			if (i % 50 == 49)
				eb_spool_reject(spool, &batch.row[k]);
		}
		eb_spool_ack(spool, &batch.row[batch.nrows - 1]);
	}
	eb_spool_batch_free(&batch);
}

/* Row i has the number i + 1: a row that was not synced is given its number again. */
static int
child(const char *crash_at)
{
	EbSpool spool;
	int first;

	if (crash_at != NULL)
		setenv("ELECBILL_CRASH_AT", crash_at, 1);
	if (!kit_open(&spool))
		_exit(5);
	spool.synced = note_synced;
	spool.owner = &spool;
	spool.segment_bytes = 2000;
	first = (int) spool.next - 1;
	if (first < world->synced)
		_exit(6); /* synced rows are gone */
	for (int i = first; i < first + PER_CHILD; i++)
	{
		if (!kit_put(&spool, i, i % 30))
			_exit(7);
		if (i % 7 == 0 && !eb_spool_sync(&spool))
			_exit(8);
		if (i % 11 == 0)
			deliver(&spool);
		if (i % 23 == 0)
			kit_fire(&spool.acker);
	}
	if (!eb_spool_sync(&spool))
		_exit(9);
	deliver(&spool);
	if (spool.counts.damaged + spool.counts.lost > 0)
		_exit(10);
	eb_spool_close(&spool);
	_exit(0);
}

static int
run(const char *crash_at)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		child(crash_at);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		exit(2);
	return status;
}

int
main(void)
{
	world = mmap(NULL, sizeof(World), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (world == MAP_FAILED)
		return 2;
	kit_begin();
	kit_conf.spool.keep_days = 0;
	world->batch = 40;
	for (size_t p = 0; p < sizeof(points) / sizeof(points[0]); p++)
		for (int pass = 1; pass <= 4; pass += 3)
		{
			char at[64];
			int status;

			snprintf(at, sizeof(at), "%s:%d", points[p], pass);
			status = run(at);
			if (!CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
				printf("    %s: status %d\n", at, status);
		}
	CHECK_INT(run(NULL), 0);
	CHECK(world->synced > 1000);
	for (int i = 0; i < world->synced; i++)
		CHECK(world->stored[i] > 0);
	/* each of the deaths may cost the batches since the last acknowledgement on disk */
	CHECK(world->resent > 0 && world->resent < 36 * 100);
	kit_end();
	return check_done("spool, killed");
}
