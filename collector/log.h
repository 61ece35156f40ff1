/*
 * log.h -- one line per event on stderr, with the priority prefix journald understands
 * A line that repeats within a minute is counted, not printed again.
 */
#ifndef EB_LOG_H
#define EB_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum EbLogLevel
{
	EB_LOG_ERROR = 3, /* syslog priorities */
	EB_LOG_WARNING = 4,
	EB_LOG_INFO = 6,
	EB_LOG_DEBUG = 7,
} EbLogLevel;

/* Lines of a higher number than level are not printed. */
extern void eb_log_level(EbLogLevel level);

extern void eb_log(EbLogLevel level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints how often the lines held back were repeated; due_only: those of more than a minute ago. */
extern void eb_log_flush(int due_only);

/* Lines of one kind in the minute in hand; all zero at the start. */
typedef struct EbLogShare
{
	int64_t minute; /* monotonic */
	int count;
} EbLogShare;

/*
 * Counts one more of what others can cause as often as they like, each different from the one
 * before. True for the first most of a minute; that there are more is told once.
 */
extern bool eb_log_share(EbLogShare *share, int most, const char *what);

/* Bytes of a meter as printable ASCII (\xNN for the rest), cut with "..." to fit size (>= 8). */
extern const char *eb_log_bytes(char *buf, size_t size, const uint8_t *bytes, size_t len);

#endif
