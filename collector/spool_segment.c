/*
 * spool_segment.c -- the files of the spool: made, listed, removed
 * In:  bytes and places. Out: files; what the disk refuses is told by errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "crashpoint.h"
#include "spool_part.h"

/* Smallest piece a disk can refuse. */
#define BLOCK 4096

const char *
eb_segment_name(char name[EB_SEGMENT_NAME], int64_t first)
{
	snprintf(name, EB_SEGMENT_NAME, "spool-%016llx.seg", (unsigned long long) first);
	return name;
}

bool
eb_write_at(int fd, const uint8_t *bytes, size_t n, int64_t at)
{
	while (n > 0)
	{
		ssize_t written = pwrite(fd, bytes, n, at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
		{
			errno = written == 0 ? ENOSPC : errno;
			return false;
		}
		bytes += written;
		n -= (size_t) written;
		at += written;
	}
	return true;
}

/* As pread, without interruptions. */
static ssize_t
read_some(int fd, uint8_t *bytes, size_t n, int64_t at)
{
	ssize_t got;

	do
		got = pread(fd, bytes, n, at);
	while (got < 0 && errno == EINTR);
	return got;
}

size_t
eb_read_at(int fd, uint8_t *bytes, size_t n, int64_t at)
{
	size_t len = 0;

	while (len < n)
	{
		ssize_t got = read_some(fd, bytes + len, n - len, at + (int64_t) len);

		if (got < 0)
		{
			/* block by block: what is behind the bad one can still be read */
			size_t block = n - len < BLOCK ? n - len : BLOCK;

			got = read_some(fd, bytes + len, block, at + (int64_t) len);
			if (got < 0)
			{
				memset(bytes + len, 0, block);
				got = (ssize_t) block;
			}
		}
		if (got == 0)
			break;
		len += (size_t) got;
	}
	return len;
}

int
eb_read_file(int dir_fd, const char *name, uint8_t *bytes, size_t size)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got;

	if (fd < 0)
		return -1;
	got = read_some(fd, bytes, size, 0);
	close(fd);
	return (int) got;
}

bool
eb_segment_add(EbSpool *spool, EbSegment segment)
{
	if (spool->nsegments == spool->segments_size)
	{
		size_t size = 2 * spool->segments_size + 16;
		EbSegment *list = realloc(spool->segment, size * sizeof(*list));

		if (list == NULL)
			return false;
		spool->segment = list;
		spool->segments_size = size;
	}
	spool->segment[spool->nsegments++] = segment;
	return true;
}

/*
 * The file of a new segment, which becomes the one that grows. One that holds nothing yet is made
 * anew under its name.
 */
bool
eb_segment_create(EbSpool *spool, int64_t first)
{
	uint8_t header[EB_SEGMENT_HEADER];
	char name[EB_SEGMENT_NAME];
	EbSegment segment = {first, EB_SEGMENT_HEADER, eb_clock_real_ms(), spool->skip};
	bool known = spool->nsegments > 0 && spool->segment[spool->nsegments - 1].first == first;
	int fd;

	if (known)
		segment.skipped += spool->segment[spool->nsegments - 1].skipped;
	EB_CRASH_POINT("segment_before_create");
	fd = openat(spool->dir_fd, eb_segment_name(name, first),
				O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	EB_CRASH_POINT("segment_after_create");
	eb_segment_put(header, spool->uuid, segment.skipped > 0 ? EB_SEGMENT_FRESH : 0);
	EB_CRASH_POINT("segment_before_dir_sync");
	if (!eb_write_at(fd, header, sizeof(header), 0) || fsync(spool->dir_fd) != 0 ||
		(!known && !eb_segment_add(spool, segment)))
	{
		int error = errno;

		close(fd);
		errno = error;
		return false;
	}
	EB_CRASH_POINT("segment_after_dir_sync");
	if (known)
		spool->segment[spool->nsegments - 1] = segment;
	spool->skip = 0;
	spool->fd = fd;
	return true;
}

void
eb_segment_forget(EbSpool *spool, size_t n)
{
	spool->nsegments -= n;
	memmove(spool->segment, spool->segment + n, spool->nsegments * sizeof(*spool->segment));
	if (spool->at_segment >= n)
		spool->at_segment -= n;
	else
	{
		spool->at_segment = 0;
		spool->at_byte = EB_SEGMENT_HEADER;
	}
}

bool
eb_segment_remove(EbSpool *spool, size_t n)
{
	char name[EB_SEGMENT_NAME];
	size_t done = 0;

	EB_CRASH_POINT("segment_before_remove");
	while (done < n &&
		   (unlinkat(spool->dir_fd, eb_segment_name(name, spool->segment[done].first), 0) == 0 ||
			errno == ENOENT))
		done++;
	EB_CRASH_POINT("segment_after_remove");
	eb_segment_forget(spool, done);
	return done == n;
}
