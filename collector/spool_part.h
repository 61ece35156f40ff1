/*
 * spool_part.h -- inside the spool: what its files share
 */
#ifndef EB_SPOOL_PART_H
#define EB_SPOOL_PART_H

#include "spool.h"

#define EB_SEGMENT_NAME 32

/* A file of this size was not written by the spool. */
#define EB_SEGMENT_LARGEST (INT64_C(64) * 1024 * 1024)

/* spool_segment.c: files of records. False: errno. */
extern const char *eb_segment_name(char name[EB_SEGMENT_NAME], int64_t first);
extern bool eb_segment_create(EbSpool *spool, int64_t first);
extern bool eb_segment_add(EbSpool *spool, EbSegment segment);
extern void eb_segment_forget(EbSpool *spool, size_t n); /* the n oldest, from the list only */

/* Removes the n oldest files; false when one could not be. */
extern bool eb_segment_remove(EbSpool *spool, size_t n);

/* Writes all or nothing further; false: errno. */
extern bool eb_write_at(int fd, const uint8_t *bytes, size_t n, int64_t at);

/* Up to n bytes from a place on; blocks the disk refuses read as zero. Returns the bytes there. */
extern size_t eb_read_at(int fd, uint8_t *bytes, size_t n, int64_t at);

/* Reads a small file whole: the bytes, or -1 with errno. */
extern int eb_read_file(int dir_fd, const char *name, uint8_t *bytes, size_t size);

/* Replaces a file by temp, fsync, rename, fsync of the directory. spool_acked.c */
extern bool eb_acked_save(EbSpool *spool);
/* False, with a line in the log: the directory belongs to another collector. */
extern bool eb_acked_load(EbSpool *spool, EbAcked *acked, bool *known);

/* spool_recover.c: the list of segments, next, acked and the place to read from. */
extern bool eb_spool_recover(EbSpool *spool);

/* spool_read.c: looks for acked + 1 from its segment on. */
extern void eb_spool_locate(EbSpool *spool);

/* spool_room.c */
extern bool eb_spool_room(EbSpool *spool, size_t bytes); /* makes room; false: there is none */
extern void eb_spool_prune(EbSpool *spool);				 /* removes what is acknowledged and old */
extern bool eb_spool_prune_one(EbSpool *spool);			 /* however young; false: there is none */
extern void eb_spool_lose(EbSpool *spool, const EbRow *row);
extern void eb_reserve_make(EbSpool *spool);
extern void eb_reserve_free(EbSpool *spool);

#endif
