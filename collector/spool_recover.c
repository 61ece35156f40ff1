/*
 * spool_recover.c -- what a former process left in the directory
 * In:  any files. Out: the list of segments, the next number, what is acknowledged.
 *
 * Only the last segment is scanned: its torn tail is cut. Damage in older ones is met when they
 * are read. Nothing is removed here that could hold a record.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "spool_part.h"

static int
by_first(const void *one, const void *two)
{
	int64_t a = ((const EbSegment *) one)->first;
	int64_t b = ((const EbSegment *) two)->first;

	return (a > b) - (a < b);
}

/* Number of "spool-%016x.seg"; 0: another name. */
static int64_t
number_of(const char *name)
{
	char again[EB_SEGMENT_NAME];
	int64_t first;

	if (strlen(name) != 26 || strncmp(name, "spool-", 6) != 0 ||
		strspn(name + 6, "0123456789abcdef") != 16 || name[6] > '7')
		return 0;
	first = strtoll(name + 6, NULL, 16);
	return strcmp(eb_segment_name(again, first), name) == 0 ? first : 0;
}

static bool
list_segments(EbSpool *spool)
{
	int fd = openat(spool->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	bool ok = dir != NULL;

	for (struct dirent *entry; ok && (entry = readdir(dir)) != NULL;)
	{
		int64_t first = number_of(entry->d_name);

		if (first > 0)
			ok = eb_segment_add(spool, (EbSegment){.first = first});
	}
	if (!ok)
		eb_log(EB_LOG_ERROR, "spool: %s: %s", spool->path, strerror(errno));
	if (dir != NULL)
		closedir(dir);
	if (spool->nsegments > 0)
		qsort(spool->segment, spool->nsegments, sizeof(*spool->segment), by_first);
	return ok;
}

/* Whole file, and its records one after the other. */
typedef struct Scan
{
	uint8_t *bytes;
	size_t n;
	size_t at;	  /* behind the last whole record */
	int64_t last; /* its number; first - 1: none */
} Scan;

/* Reads the segment and finds its last record; false: no memory, or no file of ours. */
static bool
scan_segment(int fd, const EbSegment *segment, int64_t bound, Scan *scan)
{
	EbSpoolRow row;
	size_t length;
	size_t next;

	memset(scan, 0, sizeof(*scan));
	if (segment->bytes > EB_SEGMENT_LARGEST ||
		(scan->bytes = malloc((size_t) segment->bytes + 1)) == NULL)
		return false;
	scan->n = eb_read_at(fd, scan->bytes, (size_t) segment->bytes, 0);
	scan->at = scan->n < EB_SEGMENT_HEADER ? scan->n : EB_SEGMENT_HEADER;
	scan->last = segment->first - 1;
	while ((next = eb_record_find(scan->bytes, scan->n, scan->at, scan->last + 1, bound)) < scan->n)
	{
		eb_record_get(scan->bytes + next, scan->n - next, &row, &length);
		scan->at = next + length;
		scan->last = row.seq;
	}
	return true;
}

/* Header, size and age of a segment; false: the directory must not be used. */
static bool
look_at(EbSpool *spool, EbSegment *segment, unsigned *flags)
{
	uint8_t header[EB_SEGMENT_HEADER];
	char name[EB_SEGMENT_NAME];
	int fd = openat(spool->dir_fd, eb_segment_name(name, segment->first),
					O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat file;
	EbHeaderSign sign;

	*flags = 0;
	if (fd < 0 || fstat(fd, &file) != 0)
	{
		eb_log(EB_LOG_ERROR, "spool: %s/%s: %s", spool->path, name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	segment->bytes = file.st_size;
	segment->written_ms = file.st_mtim.tv_sec * INT64_C(1000);
	sign = eb_segment_get(header, eb_read_at(fd, header, sizeof(header), 0), spool->uuid, flags);
	close(fd);
	if (sign == EB_HEADER_BAD)
		eb_log(EB_LOG_WARNING, "spool: the header of %s is damaged", name);
	else if (sign != EB_HEADER_GOOD)
		eb_log(EB_LOG_ERROR, "spool: %s/%s belongs to another %s", spool->path, name,
			   sign == EB_HEADER_FOREIGN ? "collector" : "version");
	return sign == EB_HEADER_GOOD || sign == EB_HEADER_BAD;
}

static int
open_segment(const EbSpool *spool, const EbSegment *segment)
{
	char name[EB_SEGMENT_NAME];

	return openat(spool->dir_fd, eb_segment_name(name, segment->first),
				  O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

/* Numbers left out on purpose in front of segment i are those behind the last record before it. */
static void
count_skipped(EbSpool *spool, size_t i)
{
	int fd = i > 0 ? open_segment(spool, &spool->segment[i - 1]) : -1;
	Scan scan = {.bytes = NULL};

	if (fd >= 0 && scan_segment(fd, &spool->segment[i - 1], spool->segment[i].first, &scan))
		spool->segment[i].skipped = spool->segment[i].first - 1 - scan.last;
	free(scan.bytes);
	if (fd >= 0)
		close(fd);
}

/* The last record there is; behind it, the tail is cut. The segment stays open to grow further. */
static bool
scan_last(EbSpool *spool, int64_t *last)
{
	EbSegment *segment = &spool->segment[spool->nsegments - 1];
	int64_t size = segment->bytes;
	Scan scan;
	bool ok;

	spool->fd = open_segment(spool, segment);
	if (spool->fd < 0 || !scan_segment(spool->fd, segment, INT64_MAX, &scan))
	{
		eb_log(EB_LOG_ERROR, "spool: the last segment cannot be read");
		return false;
	}
	*last = scan.last;
	segment->bytes = scan.at >= EB_SEGMENT_HEADER ? (int64_t) scan.at : EB_SEGMENT_HEADER;
	free(scan.bytes);
	if (size > (int64_t) scan.at)
	{
		spool->counts.torn_bytes += (uint64_t) (size - (int64_t) scan.at);
		eb_log(EB_LOG_WARNING, "spool: %lld bytes of a torn record were cut behind number %lld",
			   (long long) (size - (int64_t) scan.at), (long long) *last);
	}
	/* what is there now was perhaps never synced */
	ok = ftruncate(spool->fd, (off_t) scan.at) == 0 && fdatasync(spool->fd) == 0;
	if (!ok)
		eb_log(EB_LOG_WARNING, "spool: the last segment cannot be written: %s", strerror(errno));
	if (!ok || scan.at < EB_SEGMENT_HEADER || size < EB_SEGMENT_HEADER ||
		segment->bytes >= spool->segment_bytes)
	{
		close(spool->fd);
		spool->fd = -1;
	}
	return true;
}

/* Where numbering goes on, and what needs no delivery. */
static bool
set_numbers(EbSpool *spool, EbAcked acked, bool known)
{
	int64_t last = 0;

	if (spool->nsegments > 0 && !scan_last(spool, &last))
		return false;
	spool->next = last + 1;
	if (known && acked.next > spool->next)
	{
		/* records that were synced are gone: their numbers are not given again */
		spool->next = acked.next;
		if (spool->fd >= 0)
			close(spool->fd);
		spool->fd = -1;
	}
	spool->synced_next = spool->next;
	if (known)
		spool->acked = acked.acked < spool->next ? acked.acked : spool->next - 1;
	else
		spool->acked = spool->nsegments > 0 ? spool->segment[0].first - 1 : spool->next - 1;
	spool->acked_disk = known ? acked : (EbAcked){-1, -1};
	return true;
}

bool
eb_spool_recover(EbSpool *spool)
{
	EbAcked acked = {0, 1};
	bool known;
	unsigned flags;

	if (!eb_acked_load(spool, &acked, &known) || !list_segments(spool))
		return false;
	for (size_t i = 0; i < spool->nsegments; i++)
	{
		if (!look_at(spool, &spool->segment[i], &flags))
			return false;
		if ((flags & EB_SEGMENT_FRESH) != 0 &&
			(!known || spool->segment[i].first > acked.acked + 1))
			count_skipped(spool, i);
	}
	if (!set_numbers(spool, acked, known))
		return false;
	eb_spool_locate(spool);
	if (eb_spool_ready(spool) > 0)
		eb_log(EB_LOG_INFO, "spool: %lld records wait for the database",
			   (long long) eb_spool_ready(spool));
	return true;
}
