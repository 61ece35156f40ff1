/*
 * spool_read.c -- readings on disk: handing them out, and letting them go
 * In:  synced records. Out: batches in order, each from one segment.
 *
 * What cannot be read is skipped to the next record that fits; the numbers in between are counted
 * as damaged and count as acknowledged, so that damage never stops the delivery.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "crashpoint.h"
#include "spool_part.h"

/* An acknowledgement that is not written down yet costs duplicates, never a record. */
#define ACK_DELAY_MS 200

#define REJECTED_BYTES (INT64_C(8) * 1024 * 1024)

int64_t
eb_spool_ready(const EbSpool *spool)
{
	int64_t n = spool->synced_next - 1 - spool->acked;

	for (size_t i = 0; i < spool->nsegments; i++)
		if (spool->segment[i].first > spool->acked + 1)
			n -= spool->segment[i].skipped;
	return n > 0 ? n - spool->skip : 0;
}

bool
eb_spool_roomy(const EbSpool *spool)
{
	int64_t bytes = (int64_t) spool->tail_len;

	for (size_t i = spool->at_segment; i < spool->nsegments; i++)
		bytes += spool->segment[i].bytes;
	return !spool->full && spool->failing == 0 && bytes < spool->limit_bytes / 2;
}

bool
eb_spool_batch_open(EbSpoolBatch *batch, int size)
{
	batch->nrows = 0;
	batch->size = size;
	batch->row = calloc((size_t) size, sizeof(EbSpoolRow));
	batch->bytes = malloc(EB_SPOOL_BATCH_BYTES);
	return batch->row != NULL && batch->bytes != NULL;
}

void
eb_spool_batch_free(EbSpoolBatch *batch)
{
	free(batch->row);
	free(batch->bytes);
	memset(batch, 0, sizeof(*batch));
}

void
eb_spool_locate(EbSpool *spool)
{
	size_t i = 0;

	while (i + 1 < spool->nsegments && spool->segment[i + 1].first <= spool->acked + 1)
		i++;
	spool->at_segment = i;
	spool->at_byte = EB_SEGMENT_HEADER;
}

static int64_t
bound_of(const EbSpool *spool)
{
	size_t next = spool->at_segment + 1;

	return next < spool->nsegments ? spool->segment[next].first : INT64_MAX;
}

/* Bytes of the segment from the place on, at most a batch; *rest: what is left behind them. */
static size_t
load(const EbSpool *spool, uint8_t *bytes, int64_t *rest)
{
	const EbSegment *segment = &spool->segment[spool->at_segment];
	int64_t left = segment->bytes > spool->at_byte ? segment->bytes - spool->at_byte : 0;
	size_t n = (size_t) (left < EB_SPOOL_BATCH_BYTES ? left : EB_SPOOL_BATCH_BYTES);
	char name[EB_SEGMENT_NAME];
	size_t got;
	int fd;

	*rest = left - (int64_t) n;
	if (n == 0)
		return 0;
	fd = openat(spool->dir_fd, eb_segment_name(name, segment->first),
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	got = fd >= 0 ? eb_read_at(fd, bytes, n, spool->at_byte) : 0;
	/* a file that was removed or cut behind our back is damage like any other */
	memset(bytes + got, 0, n - got);
	if (fd >= 0)
		close(fd);
	return n;
}

/* Numbers up to below next, not counting those left out on purpose, will never be delivered. */
static void
give_up(EbSpool *spool, int64_t next, int64_t skipped)
{
	int64_t n = next - 1 - spool->acked - skipped;

	if (n > 0)
	{
		spool->counts.damaged += (uint64_t) n;
		eb_log(EB_LOG_ERROR, "spool: %lld records from number %lld on are damaged or gone",
			   (long long) n, (long long) (spool->acked + 1));
	}
	spool->acked = next - 1;
	if (!spool->acker.armed)
		eb_timer_after(&spool->acker, ACK_DELAY_MS);
}

/* Records at the place, as many as follow each other; *used: bytes of them and of older ones. */
static int
take_rows(EbSpool *spool, EbSpoolBatch *batch, size_t n, int max, size_t *used)
{
	int64_t expected = spool->acked + 1;
	int64_t bound = bound_of(spool);
	size_t length;
	int rows = 0;

	*used = 0;
	while (rows < max)
	{
		EbSpoolRow *row = &batch->row[rows];

		if (eb_record_get(batch->bytes + *used, n - *used, row, &length) != EB_RECORD_GOOD ||
			row->seq > expected || row->seq >= bound)
			break;
		*used += length;
		if (row->seq < expected)
			continue;
		row->end = spool->at_byte + (int64_t) *used;
		expected++;
		rows++;
	}
	return rows;
}

/* Nothing fits at the place: goes to what does. False: that is behind these bytes. */
static bool
skip_damage(EbSpool *spool, const uint8_t *bytes, size_t n, int64_t rest)
{
	EbSpoolRow row;
	size_t length;
	size_t at = eb_record_find(bytes, n, 0, spool->acked + 1, bound_of(spool));

	spool->counts.torn_bytes += at;
	spool->at_byte += (int64_t) at;
	if (at < n)
	{
		eb_record_get(bytes + at, n - at, &row, &length);
		give_up(spool, row.seq, 0);
		return true;
	}
	if (rest > 0)
	{
		/* the end of these bytes may be the beginning of a record */
		spool->counts.torn_bytes -= EB_RECORD_MAX - 1;
		spool->at_byte -= EB_RECORD_MAX - 1;
	}
	return false;
}

/* On to the next segment; false: there is none. */
static bool
next_segment(EbSpool *spool)
{
	const EbSegment *next;

	if (spool->at_segment + 1 >= spool->nsegments)
		return false;
	next = &spool->segment[++spool->at_segment];
	spool->at_byte = EB_SEGMENT_HEADER;
	if (next->first > spool->acked + 1)
		give_up(spool, next->first, next->skipped);
	return true;
}

int
eb_spool_read(EbSpool *spool, EbSpoolBatch *batch, int max)
{
	batch->nrows = 0;
	if (max > batch->size)
		max = batch->size;
	while (spool->at_segment < spool->nsegments && spool->acked + 1 < spool->synced_next)
	{
		int64_t rest;
		size_t used;
		size_t n = load(spool, batch->bytes, &rest);

		batch->nrows = take_rows(spool, batch, n, max, &used);
		if (batch->nrows > 0)
			return batch->nrows;
		if (used > 0)
			spool->at_byte += (int64_t) used;
		else if (n > 0)
			skip_damage(spool, batch->bytes, n, rest);
		else if (!next_segment(spool))
		{
			/* the end of the last segment is gone */
			give_up(spool, spool->synced_next, spool->skip);
			break;
		}
	}
	return 0;
}

void
eb_spool_ack(EbSpool *spool, const EbSpoolRow *last)
{
	if (last->seq <= spool->acked)
		return; /* dropped in the meantime to make room */
	spool->acked = last->seq;
	spool->at_byte = last->end;
	if (!spool->acker.armed)
		eb_timer_after(&spool->acker, ACK_DELAY_MS);
}

void
eb_spool_reject(EbSpool *spool, const EbSpoolRow *row)
{
	uint8_t bytes[EB_SEGMENT_HEADER + EB_RECORD_MAX];
	size_t len = 0;
	int64_t end;
	int fd = openat(spool->dir_fd, "rejected.seg", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	spool->counts.rejected++;
	end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	if (end >= REJECTED_BYTES)
	{
		/* one full file is kept beside the growing one */
		close(fd);
		renameat(spool->dir_fd, "rejected.seg", spool->dir_fd, "rejected.old.seg");
		fd = openat(spool->dir_fd, "rejected.seg", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		end = 0;
	}
	if (end == 0)
	{
		eb_segment_put(bytes, spool->uuid, EB_SEGMENT_FRESH);
		len = EB_SEGMENT_HEADER;
	}
	len += eb_record_put(bytes + len, row->seq, &row->row);
	EB_CRASH_POINT("rejected_before_write");
	if (fd < 0 || end < 0 || !eb_write_at(fd, bytes, len, end) || fdatasync(fd) != 0 ||
		(end == 0 && fsync(spool->dir_fd) != 0))
		eb_log(EB_LOG_ERROR, "spool: number %lld cannot be set aside: %s", (long long) row->seq,
			   strerror(errno));
	EB_CRASH_POINT("rejected_after_write");
	if (fd >= 0)
		close(fd);
}

/* Numbers below next are taken: the database knows them from a spool that is gone. */
static void
raise_next(EbSpool *spool, int64_t next)
{
	if (!eb_spool_sync(spool))
		return;
	eb_log(EB_LOG_WARNING, "spool: the database knows numbers up to %lld: counting goes on there",
		   (long long) (next - 1));
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
	if (eb_spool_ready(spool) == 0)
		spool->acked = next - 1;
	else
		spool->skip += next - spool->next;
	spool->next = spool->synced_next = next;
	eb_acked_save(spool);
}

void
eb_spool_compare(EbSpool *spool, int64_t acked_seq)
{
	int64_t kept = spool->nsegments > 0 ? spool->segment[0].first - 1 : spool->next - 1;
	int64_t acked = acked_seq > kept ? acked_seq : kept;

	if (acked_seq >= spool->next)
	{
		raise_next(spool, acked_seq + 1);
		return;
	}
	if (acked_seq >= spool->acked)
		return;
	eb_log(EB_LOG_WARNING,
		   "spool: the database knows %lld numbers less than it has taken (was a backup "
		   "restored?): %lld are delivered again",
		   (long long) (spool->acked - acked_seq), (long long) (spool->acked - acked));
	spool->acked = acked;
	eb_spool_locate(spool);
	eb_acked_save(spool);
}

EbSpoolState
eb_spool_state(const EbSpool *spool)
{
	EbSpoolState state = {0,		   eb_spool_ready(spool), EB_NO_INSTANT, spool->failing,
						  spool->full, spool->counts};
	uint8_t bytes[EB_RECORD_MAX];
	char name[EB_SEGMENT_NAME];
	EbSpoolRow row;
	size_t length;
	int fd;

	for (size_t i = 0; i < spool->nsegments; i++)
		state.bytes += spool->segment[i].bytes;
	if (state.records == 0 || spool->at_segment >= spool->nsegments)
		return state;
	fd = openat(spool->dir_fd, eb_segment_name(name, spool->segment[spool->at_segment].first),
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return state;
	if (eb_record_get(bytes, eb_read_at(fd, bytes, sizeof(bytes), spool->at_byte), &row, &length) ==
		EB_RECORD_GOOD)
		state.oldest_ms = row.row.read_at_ms;
	close(fd);
	return state;
}
