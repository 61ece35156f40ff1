/*
 * clock.h -- the two clocks of the collector and the text of an instant
 * Waiting is measured on the monotonic clock, slots and readings on UTC. Instants of readings
 * are milliseconds since 1970-01-01 00:00 UTC.
 */
#ifndef EB_CLOCK_H
#define EB_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define EB_NO_INSTANT INT64_MIN

/* An instant before this one (2026-01-01 00:00 UTC) means that the clock was never set. */
#define EB_CLOCK_EARLIEST_MS INT64_C(1767225600000)

#define EB_CLOCK_TEXT 40

extern int64_t eb_clock_mono_ms(void);
extern int64_t eb_clock_mono_us(void);
extern int64_t eb_clock_real_ms(void);

/*
 * A descriptor that becomes readable when somebody sets the clock; -1 when there is none.
 * eb_clock_stepped reads it and arms it again; true when the clock was set.
 */
extern int eb_clock_watch(void);
extern bool eb_clock_stepped(int fd);

/* Whether something has synchronised the clock since the computer was started. */
extern bool eb_clock_synced(void);

/* "2026-11-20 09:47:17.123+00", read the same by every server setting. Returns buf. */
extern const char *eb_clock_text(char buf[EB_CLOCK_TEXT], int64_t at_ms);

/*
 * Instant of "YYYY-MM-DD hh:mm[:ss[.fraction]]" (blank or T between), with Z, +hh, +hhmm or
 * +hh:mm behind it, or, without any, on a wall clock utc_offset_s ahead of UTC.
 * EB_NO_INSTANT when the text is no such date.
 */
extern int64_t eb_clock_parse(const char *text, int utc_offset_s);

/* Wall-clock offset "+08:00", "-03:30", "Z" in seconds; false when malformed or beyond 14 h. */
extern bool eb_clock_parse_offset(const char *text, int *utc_offset_s);

#endif
