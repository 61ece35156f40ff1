/*
 * load_profile_bytes.h -- where things stand in the bytes of a load profile
 * For the files that read and write them; load_profile.h is for everybody else.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_LOAD_PROFILE_BYTES_H
#define EB_LOAD_PROFILE_BYTES_H

#include "rating/load_profile.h"

#define EB_PROFILE_ALL_FLAGS (EB_PROFILE_HAS_MISSING | EB_PROFILE_HAS_QUALITY)

/* Places in the header */
#define EB_AT_FORMAT 0
#define EB_AT_WIDTH 1
#define EB_AT_CHANNEL 2
#define EB_AT_FLAGS 3
#define EB_AT_START 4
#define EB_AT_STEP 12
#define EB_AT_N 16
#define EB_AT_BASE 20

static inline size_t
eb_profile_bitmap_size(int32_t n)
{
	return ((size_t) n + 7) / 8;
}

/* Bytes for the offsets from the base, of which this is the largest */
static inline int32_t
eb_profile_least_width(uint64_t largest)
{
	if (largest == 0)
		return 0;
	if (largest <= UINT8_MAX)
		return 1;
	if (largest <= UINT16_MAX)
		return 2;
	return largest <= UINT32_MAX ? 4 : 8;
}

static inline bool
eb_profile_wh_is_good(int64_t wh)
{
	return wh >= -EB_PROFILE_MOST_WH && wh <= EB_PROFILE_MOST_WH;
}

static inline bool
eb_profile_step_is_good(int64_t step_s)
{
	return step_s >= 1 && step_s <= 86400 && 86400 % step_s == 0;
}

/* Within the years that there are; n from 0 to EB_PROFILE_MOST_VALUES, the step at most a day */
static inline bool
eb_profile_time_fits(int64_t start_us, int32_t step_s, int32_t n)
{
	return start_us >= EB_PROFILE_FROM_US &&
		   start_us <= EB_PROFILE_TO_US - n * (step_s * EB_SECOND_US);
}

/* ... and of whole seconds */
static inline bool
eb_profile_time_is_good(int64_t start_us, int32_t step_s, int32_t n)
{
	return start_us % EB_SECOND_US == 0 && eb_profile_time_fits(start_us, step_s, n);
}

#endif
