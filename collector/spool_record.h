/*
 * spool_record.h -- the bytes of the spool: segment header, record, acknowledgement
 * Little endian. A segment is a header and records; a record is len, CRC-32C of the len bytes that
 * follow, then seq, read_at, meter_at (us since 1970, INT64_MIN: none), quality, and with their
 * lengths in front meter, register, value (kWh) and frame. An empty text or frame is none.
 * No I/O, no allocation. Source: doc/collector.md.
 */
#ifndef EB_SPOOL_RECORD_H
#define EB_SPOOL_RECORD_H

#include <stdbool.h>

#include "row.h"

#define EB_SPOOL_UUID 16

/* magic 8, version 2, flags 2, uuid 16, CRC-32C 4 */
#define EB_SEGMENT_HEADER 32

/* Numbers are left out before this segment; nothing is missing there. */
#define EB_SEGMENT_FRESH 1

/* magic 8, uuid 16, acknowledged 8, next 8, CRC-32C 4 */
#define EB_ACKED_SIZE 44

/* Longest frame kept; more of it is cut. */
#define EB_RECORD_FRAME 8192

/* len, CRC; the fixed fields; two texts and a value (sign, 19 digits, point) with their lengths */
#define EB_RECORD_HEAD 8
#define EB_RECORD_MAX \
	(EB_RECORD_HEAD + 28 + 2 + EB_SERIAL_MAX + 2 + EB_CODE_SIZE + 2 + 24 + 4 + EB_RECORD_FRAME)

/* A record as read; frame points into the bytes it was read from. */
typedef struct EbSpoolRow
{
	int64_t seq;
	int64_t end; /* place behind it in its segment; set by eb_spool_read */
	EbRow row;
	char serial[EB_SERIAL_MAX + 1];
} EbSpoolRow;

typedef enum EbRecordSign
{
	EB_RECORD_GOOD,
	EB_RECORD_SHORT, /* may be one, but the bytes end within it */
	EB_RECORD_BAD,
} EbRecordSign;

/* Writes a record; seq >= 1, texts of the row within their limits. Returns its bytes. */
extern size_t eb_record_put(uint8_t out[EB_RECORD_MAX], int64_t seq, const EbRow *row);

/* The record that begins at bytes. GOOD fills row and *length. */
extern EbRecordSign eb_record_get(const uint8_t *bytes, size_t n, EbSpoolRow *row, size_t *length);

/*
 * Behind damage: place of the first whole record at or after from whose number lies in
 * [low, high); n when there is none.
 */
extern size_t
eb_record_find(const uint8_t *bytes, size_t n, size_t from, int64_t low, int64_t high);

typedef enum EbHeaderSign
{
	EB_HEADER_GOOD,
	EB_HEADER_BAD,	   /* too short, or damaged */
	EB_HEADER_FOREIGN, /* of another collector */
	EB_HEADER_LATER,   /* of a later version of this program */
} EbHeaderSign;

extern void
eb_segment_put(uint8_t out[EB_SEGMENT_HEADER], const uint8_t uuid[EB_SPOOL_UUID], unsigned flags);
extern EbHeaderSign
eb_segment_get(const uint8_t *bytes, size_t n, const uint8_t uuid[EB_SPOOL_UUID], unsigned *flags);

/* acked: highest number that needs no delivery any more; next: lowest never used. */
typedef struct EbAcked
{
	int64_t acked;
	int64_t next;
} EbAcked;

extern void
eb_acked_put(uint8_t out[EB_ACKED_SIZE], const uint8_t uuid[EB_SPOOL_UUID], EbAcked acked);
extern EbHeaderSign
eb_acked_get(const uint8_t *bytes, size_t n, const uint8_t uuid[EB_SPOOL_UUID], EbAcked *acked);

/* "6f1c2a52-0c0e-4b5b-9a51-5f3d8f0f7a11"; false when it is none. */
extern bool eb_uuid_parse(const char *text, uint8_t uuid[EB_SPOOL_UUID]);

#endif
