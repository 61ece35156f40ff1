/*
 * spool_room.c -- how much of the disk the spool may have, and what goes when it is too much
 * Acknowledged segments go first; then the newest readings are refused, or, with drop = "oldest",
 * the oldest go. Every reading that goes so is counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "clock.h"
#include "spool_part.h"

#define MIB (INT64_C(1024) * 1024)
#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define RESERVE_BYTES MIB
#define STATE_BYTES (INT64_C(64) * 1024) /* left for the file acked when there is no reserve */
#define FREE_CHECK_MS 1000
#define LOST_PER_MINUTE 100

static int64_t
total_bytes(const EbSpool *spool)
{
	int64_t bytes = (int64_t) spool->tail_len;

	for (size_t i = 0; i < spool->nsegments; i++)
		bytes += spool->segment[i].bytes;
	return bytes;
}

/* Bytes free on the file system; asked once a second, counted down in between. */
static int64_t
free_bytes(EbSpool *spool)
{
	int64_t now_ms = eb_clock_mono_ms();
	struct statvfs fs;

	if (spool->free_checked_ms != 0 && now_ms - spool->free_checked_ms < FREE_CHECK_MS)
		return spool->free_bytes;
	if (fstatvfs(spool->dir_fd, &fs) != 0)
		return INT64_MAX;
	spool->free_checked_ms = now_ms;
	spool->free_bytes = (int64_t) (fs.f_bavail * fs.f_frsize);
	return spool->free_bytes;
}

static bool
fits(EbSpool *spool, size_t bytes)
{
	int64_t floor = spool->conf->spool.free_mib * MIB + (spool->has_reserve ? 0 : STATE_BYTES);

	return total_bytes(spool) + (int64_t) bytes <= spool->limit_bytes &&
		   free_bytes(spool) - (int64_t) bytes >= floor;
}

/* The oldest segment holds nothing but acknowledged records, also as far as the disk knows. */
static bool
oldest_is_acked(const EbSpool *spool)
{
	return spool->nsegments > 1 && spool->segment[1].first - 1 <= spool->acked &&
		   spool->segment[1].first - 1 <= spool->acked_disk.acked;
}

/*
 * The only segment holds nothing but acknowledged records: it goes too, for a small disk has no room
 * for another. The numbers go on behind it, as acked tells.
 */
static bool
remove_only(EbSpool *spool)
{
	if (spool->nsegments != 1 || spool->segment[0].bytes <= EB_SEGMENT_HEADER ||
		spool->tail_len > 0 || spool->acked + 1 < spool->next || !eb_acked_save(spool))
		return false;
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
	spool->tail_written = 0;
	spool->free_checked_ms = 0;
	return eb_segment_remove(spool, 1);
}

bool
eb_spool_prune_one(EbSpool *spool)
{
	if (spool->nsegments == 1)
		return remove_only(spool);
	if (!oldest_is_acked(spool) && (!eb_acked_save(spool) || !oldest_is_acked(spool)))
		return false;
	spool->free_checked_ms = 0;
	return eb_segment_remove(spool, 1);
}

void
eb_spool_prune(EbSpool *spool)
{
	int64_t before_ms = eb_clock_real_ms() - spool->conf->spool.keep_days * DAY_MS;

	while (oldest_is_acked(spool) && spool->segment[0].written_ms <= before_ms)
		if (!eb_segment_remove(spool, 1))
			return;
}

/*
 * Removes the oldest segment although its records were not delivered. The spool stays full until
 * the database takes what is left: the room this makes is paid for with readings.
 */
static bool
drop_oldest(EbSpool *spool)
{
	int64_t first = spool->acked + 1;
	int64_t behind;
	int64_t lost;

	if (spool->nsegments < 2)
		return false;
	behind = spool->segment[1].first;
	if (behind <= first)
	{
		/* delivered, only not written down: losing that costs duplicates at most */
		spool->free_checked_ms = 0;
		return eb_segment_remove(spool, 1);
	}
	lost = behind - first - spool->segment[1].skipped;
	if (!eb_segment_remove(spool, 1))
		return false;
	eb_log(EB_LOG_ERROR,
		   "spool: full; records %lld to %lld were dropped before the database took them",
		   (long long) first, (long long) (behind - 1 - spool->segment[0].skipped));
	spool->counts.lost += (uint64_t) lost;
	spool->full = true;
	spool->full_until = behind;
	spool->acked = behind - 1;
	spool->free_checked_ms = 0;
	eb_spool_locate(spool);
	eb_acked_save(spool);
	return true;
}

bool
eb_spool_room(EbSpool *spool, size_t bytes)
{
	while (!fits(spool, bytes))
		if (!eb_spool_prune_one(spool) && !(spool->conf->spool.drop_oldest && drop_oldest(spool)))
		{
			if (!spool->full)
				eb_log(EB_LOG_ERROR,
					   "spool: %s is full: readings are lost until the database takes some",
					   spool->path);
			spool->full = true;
			return false;
		}
	if (spool->full && spool->acked >= spool->full_until)
	{
		eb_log(EB_LOG_WARNING, "spool: there is room again; %llu readings were lost",
			   (unsigned long long) spool->counts.lost);
		spool->full = false;
	}
	spool->free_bytes -= (int64_t) bytes;
	return true;
}

/* Each is counted; of those of one minute, the first are told. */
void
eb_spool_lose(EbSpool *spool, const EbRow *row)
{
	char instant[EB_CLOCK_TEXT];

	spool->counts.lost++;
	if (eb_log_share(&spool->lost_told, LOST_PER_MINUTE, "spool: lost readings"))
		eb_log(EB_LOG_WARNING, "spool: lost: meter %s register %s at %s",
			   row->serial != NULL ? row->serial : "unknown",
			   row->code[0] != '\0' ? row->code : "none", eb_clock_text(instant, row->read_at_ms));
}

/* Space set aside, so that a full disk still takes what was acknowledged. */
void
eb_reserve_make(EbSpool *spool)
{
	int fd;

	if (spool->has_reserve || free_bytes(spool) < 2 * RESERVE_BYTES)
		return;
	fd = openat(spool->dir_fd, "reserve", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	spool->has_reserve = posix_fallocate(fd, 0, RESERVE_BYTES) == 0;
	close(fd);
	if (!spool->has_reserve)
		unlinkat(spool->dir_fd, "reserve", 0);
	spool->free_checked_ms = 0;
}

void
eb_reserve_free(EbSpool *spool)
{
	unlinkat(spool->dir_fd, "reserve", 0);
	spool->has_reserve = false;
	spool->free_checked_ms = 0;
}
