/*
 * spool.c -- readings on disk: taking them in
 * In:  rows of intake.c.
 * Out: records in the last segment, synced in groups.
 *
 * Records stay in memory (tail) until they are synced. After a failed write or sync nobody knows
 * which of them are on disk, so the segment is cut behind the last synced record and the whole tail
 * goes into a new one; until that works it waits in memory, which is bounded.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "crashpoint.h"
#include "spool_part.h"

#define MIB (INT64_C(1024) * 1024)
#define SEGMENT_BYTES (8 * MIB)
#define TAIL_BYTES ((size_t) 1024 * 1024)
#define SYNC_BYTES (TAIL_BYTES / 2)
#define RETRY_MS 1000

static EbSegment *
last_segment(EbSpool *spool)
{
	return &spool->segment[spool->nsegments - 1];
}

static void
close_segment(EbSpool *spool)
{
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
	spool->tail_written = 0;
}

/* The tail stays in memory and is tried again, in a segment of its own. Returns false. */
static bool
fail(EbSpool *spool)
{
	int error = errno;

	spool->counts.failures++;
	if (spool->failing != error)
		eb_log(EB_LOG_ERROR, "spool: %s cannot be written: %s", spool->path, strerror(error));
	spool->failing = error;
	if (spool->fd >= 0 && ftruncate(spool->fd, last_segment(spool)->bytes) != 0)
		eb_log(EB_LOG_DEBUG, "spool: a torn tail stays: %s", strerror(errno));
	close_segment(spool);
	if (error == ENOSPC || error == EDQUOT)
	{
		eb_reserve_free(spool);
		eb_spool_prune_one(spool);
	}
	eb_timer_after(&spool->syncer, RETRY_MS);
	return false;
}

static bool
write_tail(EbSpool *spool)
{
	size_t left = spool->tail_len - spool->tail_written;

	if (left == 0)
		return true;
	if (spool->fd < 0 && !eb_segment_create(spool, spool->synced_next))
		return fail(spool);
	EB_CRASH_POINT("spool_before_write");
#ifdef EB_CRASH_POINTS
	eb_write_at(spool->fd, spool->tail + spool->tail_written, left / 2,
				last_segment(spool)->bytes + (int64_t) spool->tail_written);
	EB_CRASH_POINT("spool_in_write");
#endif
	if (!eb_write_at(spool->fd, spool->tail + spool->tail_written, left,
					 last_segment(spool)->bytes + (int64_t) spool->tail_written))
		return fail(spool);
	spool->tail_written = spool->tail_len;
	EB_CRASH_POINT("spool_after_write");
	return true;
}

bool
eb_spool_sync(EbSpool *spool)
{
	eb_timer_stop(&spool->syncer);
	if (spool->tail_len == 0)
		return true;
	if (!write_tail(spool))
		return false;
	EB_CRASH_POINT("spool_before_sync");
	if (fdatasync(spool->fd) != 0)
		return fail(spool);
	EB_CRASH_POINT("spool_after_sync");
	last_segment(spool)->bytes += (int64_t) spool->tail_len;
	last_segment(spool)->written_ms = eb_clock_real_ms();
	spool->tail_len = spool->tail_written = 0;
	spool->tail_rows = 0;
	spool->synced_next = spool->next;
	if (spool->failing != 0)
		eb_log(EB_LOG_WARNING, "spool: %s can be written again", spool->path);
	spool->failing = 0;
	eb_reserve_make(spool);
	if (last_segment(spool)->bytes >= spool->segment_bytes)
		close_segment(spool);
	if (spool->synced != NULL)
		spool->synced(spool->owner);
	return true;
}

bool
eb_spool_put(EbSpool *spool, const EbRow *row)
{
	uint8_t record[EB_RECORD_MAX];
	size_t len = eb_record_put(record, spool->next, row);

	if (!eb_spool_room(spool, len) || spool->tail_len + len > TAIL_BYTES)
	{
		eb_spool_lose(spool, row);
		return false;
	}
	memcpy(spool->tail + spool->tail_len, record, len);
	spool->tail_len += len;
	spool->tail_rows++;
	spool->next++;
	spool->counts.rows++;
	if (spool->failing != 0 || !write_tail(spool))
		return true;
	if (spool->tail_rows >= spool->conf->spool.sync_records || spool->tail_len >= SYNC_BYTES)
		eb_spool_sync(spool);
	else if (!spool->syncer.armed)
		eb_timer_after(&spool->syncer, spool->conf->spool.sync_ms);
	return true;
}

static void
sync_due(void *owner)
{
	eb_spool_sync(owner);
}

static void
ack_due(void *owner)
{
	EbSpool *spool = owner;

	if (eb_acked_save(spool))
		eb_spool_prune(spool);
	else
		eb_timer_after(&spool->acker, RETRY_MS);
}

const char *
eb_spool_directory(const EbConfig *conf)
{
	const char *directory = conf->spool.directory;

	if (directory == NULL || directory[0] == '\0')
		directory = getenv("STATE_DIRECTORY");
	return directory != NULL && directory[0] != '\0' ? directory : "/var/lib/elecbill";
}

/* The name of a directory that was made a moment ago is on disk when the one above it is. */
static bool
sync_above(const EbSpool *spool)
{
	int fd = openat(spool->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (!ok)
		rmdir(spool->path);
	errno = error;
	return ok;
}

/* The directory and its lock. */
static bool
take_directory(EbSpool *spool)
{
	bool made = mkdir(spool->path, 0700) == 0;

	if (!made && errno != EEXIST)
		return false;
	spool->dir_fd = open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->dir_fd < 0 || (made && !sync_above(spool)))
		return false;
	spool->lock_fd = openat(spool->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return spool->lock_fd >= 0 && flock(spool->lock_fd, LOCK_EX | LOCK_NB) == 0;
}

static void
release(EbSpool *spool)
{
	close_segment(spool);
	if (spool->lock_fd >= 0)
		close(spool->lock_fd);
	if (spool->dir_fd >= 0)
		close(spool->dir_fd);
	spool->lock_fd = spool->dir_fd = -1;
	free(spool->segment);
	free(spool->tail);
	spool->segment = NULL;
	spool->nsegments = 0;
	spool->tail = NULL;
}

bool
eb_spool_open(EbSpool *spool, EbLoop *loop, const EbConfig *conf)
{
	memset(spool, 0, sizeof(*spool));
	spool->conf = conf;
	spool->loop = loop;
	spool->fd = spool->dir_fd = spool->lock_fd = -1;
	spool->limit_bytes = conf->spool.size_mib * MIB;
	spool->segment_bytes =
		spool->limit_bytes / 4 < SEGMENT_BYTES ? spool->limit_bytes / 4 : SEGMENT_BYTES;
	snprintf(spool->path, sizeof(spool->path), "%s", eb_spool_directory(conf));
	eb_loop_add_timer(loop, &spool->syncer, sync_due, spool);
	eb_loop_add_timer(loop, &spool->acker, ack_due, spool);
	spool->tail = malloc(TAIL_BYTES);
	if (spool->tail == NULL || !eb_uuid_parse(conf->id, spool->uuid) || !take_directory(spool))
	{
		eb_log(EB_LOG_ERROR, "spool: %s: %s", spool->path,
			   errno == EWOULDBLOCK ? "another process has it" : strerror(errno));
		release(spool);
		return false;
	}
	if (!eb_spool_recover(spool))
	{
		release(spool);
		return false;
	}
	eb_spool_prune(spool);
	eb_reserve_make(spool);
	return true;
}

void
eb_spool_reload(EbSpool *spool, const EbConfig *conf)
{
	spool->conf = conf;
	spool->limit_bytes = conf->spool.size_mib * MIB;
	spool->segment_bytes =
		spool->limit_bytes / 4 < SEGMENT_BYTES ? spool->limit_bytes / 4 : SEGMENT_BYTES;
}

void
eb_spool_close(EbSpool *spool)
{
	if (spool->tail == NULL)
		return;
	if (!eb_spool_sync(spool))
	{
		spool->counts.lost += (uint64_t) spool->tail_rows;
		eb_log(EB_LOG_ERROR, "spool: %d readings could not be written and are lost",
			   spool->tail_rows);
	}
	eb_timer_stop(&spool->syncer);
	eb_timer_stop(&spool->acker);
	eb_acked_save(spool);
	release(spool);
}
