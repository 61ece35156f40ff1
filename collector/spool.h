/*
 * spool.h -- readings on disk between the meters and the database
 * Everything goes through it. A record is written at once and synced with its group; only synced
 * records are read for delivery, and only what the database has committed is acknowledged. The
 * files are those of one collector, numbered without gap from 1; a number is never used again.
 *
 * Files in the directory: spool-NUMBER.seg (16 hex digits: the number of its first record), acked,
 * rejected.seg, reserve, lock. Source: doc/collector.md.
 */
#ifndef EB_SPOOL_H
#define EB_SPOOL_H

#include <limits.h>

#include "loop.h"
#include "spool_record.h"

/* Of a batch: 20,000 readings, or 250 frames of the longest kind. */
#define EB_SPOOL_BATCH_BYTES (2 * 1024 * 1024)

typedef struct EbSpoolCounts
{
	uint64_t rows;		 /* accepted since the start */
	uint64_t lost;		 /* readings that found no room, or were dropped to make room */
	uint64_t damaged;	 /* records that can no longer be read */
	uint64_t torn_bytes; /* bytes of the files that are no record */
	uint64_t rejected;	 /* records put into rejected.seg */
	uint64_t failures;	 /* of writing or syncing */
} EbSpoolCounts;

typedef struct EbSegment
{
	int64_t first;		/* number its name tells */
	int64_t bytes;		/* of the file, as far as it is synced */
	int64_t written_ms; /* UTC */
	int64_t skipped;	/* numbers left out before it on purpose */
} EbSegment;

typedef struct EbSpool
{
	const EbConfig *conf;
	EbLoop *loop;
	void (*synced)(void *owner); /* more can be read; NULL: nobody wants to know */
	void *owner;
	uint8_t uuid[EB_SPOOL_UUID];
	char path[PATH_MAX];
	int dir_fd;
	int lock_fd;
	int64_t limit_bytes;
	int64_t segment_bytes;

	EbSegment *segment; /* rising; the last is the one that grows, when fd is open */
	size_t nsegments;
	size_t segments_size;
	int fd;
	int64_t next;		 /* number of the next record */
	int64_t synced_next; /* all below are on disk */
	int64_t skip;		 /* numbers to be left out before the next segment */

	uint8_t *tail; /* records that are not known to be on disk */
	size_t tail_len;
	size_t tail_written; /* bytes of it that were written behind the synced ones */
	int tail_rows;
	int failing;	/* errno of the last try to write, 0: none */
	EbTimer syncer; /* sync, or the next try */

	int64_t acked; /* all up to it need no delivery */
	EbAcked acked_disk;
	EbTimer acker;
	size_t at_segment; /* where the record acked + 1 is looked for */
	int64_t at_byte;

	bool full;			/* told already */
	int64_t full_until; /* drop = "oldest": full until this number is acknowledged */
	bool has_reserve;
	int64_t free_bytes;		 /* of the file system, less what was written since */
	int64_t free_checked_ms; /* monotonic */
	EbLogShare lost_told;
	EbSpoolCounts counts;
} EbSpool;

/* A run of records in order, without a gap in their numbers. */
typedef struct EbSpoolBatch
{
	EbSpoolRow *row;
	int nrows;
	int size;
	uint8_t *bytes; /* the frames of the rows point into it */
} EbSpoolBatch;

/* What status and metrics tell. */
typedef struct EbSpoolState
{
	int64_t bytes;	   /* of all segments */
	int64_t records;   /* that wait for the database */
	int64_t oldest_ms; /* read_at of the first of them; EB_NO_INSTANT: none */
	int failing;	   /* errno; 0: writing works */
	bool full;
	EbSpoolCounts counts;
} EbSpoolState;

/*
 * Opens conf->spool.directory, makes it when only its last part is missing, and recovers what is
 * there. False, with a line in the log, when it cannot be used or another process has it.
 */
extern bool eb_spool_open(EbSpool *spool, EbLoop *loop, const EbConfig *conf);

/* The limits of a new configuration, whose collector and directory are the same. */
extern void eb_spool_reload(EbSpool *spool, const EbConfig *conf);

/* Syncs and writes down what was acknowledged. What could not be synced is counted as lost. */
extern void eb_spool_close(EbSpool *spool);

/* Takes a copy of the row; false when there is no room: then it is lost, and counted. */
extern bool eb_spool_put(EbSpool *spool, const EbRow *row);

/* Syncs at once; false when the disk refuses. */
extern bool eb_spool_sync(EbSpool *spool);

/* Less than half full: frames that could not be read may be kept too. */
extern bool eb_spool_roomy(const EbSpool *spool);

/* Synced records that wait for the database. */
extern int64_t eb_spool_ready(const EbSpool *spool);

extern bool eb_spool_batch_open(EbSpoolBatch *batch, int size);
extern void eb_spool_batch_free(EbSpoolBatch *batch);

/*
 * The oldest records that wait, at most max (<= batch->size) and EB_SPOOL_BATCH_BYTES. Damage on
 * the way is skipped, counted and told. Returns their number; 0: there is none.
 */
extern int eb_spool_read(EbSpool *spool, EbSpoolBatch *batch, int max);

/* The records up to last, one of a batch, are in the database. */
extern void eb_spool_ack(EbSpool *spool, const EbSpoolRow *last);

/* Sets a record aside in rejected.seg: the database will never take it. It still has to be acked. */
extern void eb_spool_reject(EbSpool *spool, const EbSpoolRow *row);

/*
 * What the database has acknowledged, when a connection was made. Less than here: the kept records
 * behind it are delivered again. As much as the next number here, or more: numbering goes on above.
 */
extern void eb_spool_compare(EbSpool *spool, int64_t acked_seq);

extern EbSpoolState eb_spool_state(const EbSpool *spool);

/* Directory of the configuration, else $STATE_DIRECTORY, else /var/lib/elecbill. */
extern const char *eb_spool_directory(const EbConfig *conf);

#endif
