/*
 * spool_acked.c -- how far the database has taken the records, on disk
 * In:  numbers. Out: the file acked, always whole: the old one or the new one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crashpoint.h"
#include "spool_part.h"

static bool
write_temp(int fd, const uint8_t *bytes)
{
	bool ok = eb_write_at(fd, bytes, EB_ACKED_SIZE, 0);

	EB_CRASH_POINT("acked_before_sync");
	return ok && fsync(fd) == 0;
}

/* Writes the file beside its former self and puts it in its place. False: errno. */
static bool
replace(EbSpool *spool, const uint8_t *bytes)
{
	bool ok;
	int fd;

	EB_CRASH_POINT("acked_before_temp");
	fd = openat(spool->dir_fd, "acked.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
				0600);
	ok = fd >= 0 && write_temp(fd, bytes);
	if (fd >= 0)
	{
		int error = errno;

		close(fd);
		errno = error;
	}
	EB_CRASH_POINT("acked_after_temp");
	ok = ok && renameat(spool->dir_fd, "acked.new", spool->dir_fd, "acked") == 0;
	EB_CRASH_POINT("acked_after_rename");
	ok = ok && fsync(spool->dir_fd) == 0;
	EB_CRASH_POINT("acked_after_dir_sync");
	return ok;
}

bool
eb_acked_save(EbSpool *spool)
{
	/* what was only written may not survive: its numbers can be given again */
	EbAcked acked = {spool->acked, spool->synced_next};
	uint8_t bytes[EB_ACKED_SIZE];
	bool ok;

	if (acked.acked == spool->acked_disk.acked && acked.next == spool->acked_disk.next)
		return true;
	eb_acked_put(bytes, spool->uuid, acked);
	ok = replace(spool, bytes);
	if (!ok && (errno == ENOSPC || errno == EDQUOT) && spool->has_reserve)
	{
		eb_reserve_free(spool);
		ok = replace(spool, bytes);
	}
	if (ok)
		spool->acked_disk = acked;
	else
		eb_log(EB_LOG_WARNING, "spool: what the database took cannot be written down: %s",
			   strerror(errno));
	return ok;
}

bool
eb_acked_load(EbSpool *spool, EbAcked *acked, bool *known)
{
	uint8_t bytes[EB_ACKED_SIZE + 1];
	int n = eb_read_file(spool->dir_fd, "acked", bytes, sizeof(bytes));

	*known = false;
	unlinkat(spool->dir_fd, "acked.new", 0);
	if (n < 0 && errno == ENOENT)
		return true;
	switch (eb_acked_get(bytes, n > 0 ? (size_t) n : 0, spool->uuid, acked))
	{
		case EB_HEADER_GOOD:
			*known = true;
			return true;
		case EB_HEADER_FOREIGN:
			eb_log(EB_LOG_ERROR, "spool: %s belongs to another collector", spool->path);
			return false;
		default:
			eb_log(EB_LOG_WARNING,
				   "spool: the file acked is damaged; the kept records are delivered again");
			return true;
	}
}
