/*
 * spool_kit.h -- a spool in a temporary directory, and a disk that fails when it is told to
 * Link with -Wl,--wrap=pwrite,--wrap=pread,--wrap=fdatasync,--wrap=fsync,--wrap=openat: the calls of
 * the spool go through fault_*, which count down and then fail.
 */
#ifndef ELECBILL_TEST_SPOOL_KIT_H
#define ELECBILL_TEST_SPOOL_KIT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "log.h"
#include "spool.h"
#include "spool_part.h"

#define KIT_ID "6f1c2a52-0c0e-4b5b-9a51-5f3d8f0f7a11"
#define KIT_START_MS INT64_C(1767225600000)

/* One kind of failure: after so many good calls, errno; -1 calls: never. */
typedef struct Fault
{
	int after;	 /* good calls left; -1: never fails */
	int error;	 /* of every call from then on */
	int at_most; /* bytes of one pwrite; 0: as many as are asked */
} Fault;

extern Fault fault_pwrite, fault_pread, fault_fdatasync, fault_fsync, fault_openat;
extern void faults_off(void);

extern char kit_directory[];
extern EbConfig kit_conf;
extern EbLoop kit_loop;

/* An empty directory of its own, the configuration as it is by default. */
extern void kit_begin(void);
extern void kit_end(void);

/* Empties the directory. */
extern void kit_clear(void);

extern bool kit_open(EbSpool *spool);

/* The process dies: nothing is synced, nothing written down; descriptors close. */
extern void kit_kill(EbSpool *spool);

/* Row i has 1000 + i kWh, meter M(i % 7); the frame has frame_len bytes. */
extern bool kit_put(EbSpool *spool, int64_t i, size_t frame_len);
extern bool kit_is_row(const EbSpoolRow *row, int64_t i);

/*
 * Reads and acknowledges all that waits, in batches of at most batch rows. Returns the number of
 * rows; each row i is counted in seen[i], when i < n.
 */
extern int kit_drain(EbSpool *spool, int batch, int *seen, int n);

/* Fires a timer that is armed, whenever it is due. */
extern void kit_fire(EbTimer *timer);

/* Path of a file in the directory; of the segment with a first number. */
extern const char *kit_path(const char *name);
extern const char *kit_segment(int64_t first);

/* A whole file; *n its bytes. To be freed. */
extern uint8_t *kit_load(const char *path, size_t *n);
extern void kit_store(const char *path, const uint8_t *bytes, size_t n);
extern int kit_count_files(const char *begin);

#endif
