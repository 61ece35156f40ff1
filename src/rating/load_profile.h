/*
 * load_profile.h -- a block of equal intervals: what was used in each, what is missing, how good it is
 * In:  values in order, or the bytes of a block.
 * Out: bytes, and a view of them that costs nothing to open.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/architecture.md, doc/load_profile.md.
 *
 * Bytes, native order, no alignment: format (1), width (1), channel (1), flags (1), start (8), step (4), n (4),
 * base (8); then n offsets from base of width bytes (0: all are base); then, when some are missing, a bitmap,
 * the least bit first; then, when there are qualities, their number (4) and runs (count 4, quality 4).
 * One content has one form: base is the least value that is not missing (0: there is none), the width the
 * least that holds the rest, missing offsets and spare bits are 0, neighbouring runs differ, the last
 * quality 0 is left out.
 */
#ifndef EB_LOAD_PROFILE_H
#define EB_LOAD_PROFILE_H

#include <string.h>

#include "base/civil.h"
#include "rating/tariff.h"

#define EB_PROFILE_FORMAT 1
#define EB_PROFILE_HEADER 28

/* Two years of minutes */
#define EB_PROFILE_MOST_VALUES (1 << 20)

/* A value lies within +-1e15 Wh. Sums of many take 128 bits. */
#define EB_PROFILE_MOST_WH INT64_C(1000000000000000)

/*
 * Flag of a quality: the value is the energy of the missing intervals right before it, too. What is
 * known is their sum alone.
 */
#define EB_PROFILE_SPAN 1024

/*
 * Flag of a quality: the value is not exactly that of its interval. Sums over several meters or
 * intervals have it where some of them are missing; so has the end of a span that was cut.
 */
#define EB_PROFILE_PARTIAL 2048

/* All of a profile lies in 1900 to 2199 UTC, as what the zone tables cover. */
#define EB_PROFILE_FROM_US (-36524 * EB_DAY_US)
#define EB_PROFILE_TO_US (73049 * EB_DAY_US)

/* In flags */
#define EB_PROFILE_HAS_MISSING 1
#define EB_PROFILE_HAS_QUALITY 2

/* Points into the bytes. The values of what is missing are those of base: ask. */
typedef struct EbProfile
{
	int64_t start_us;
	int64_t base_wh;
	int32_t step_s;
	int32_t n;
	int32_t width;	 /* 0, 1, 2, 4, 8 */
	int32_t channel; /* EbChannel; Wh or varh */
	int32_t nruns;
	int32_t unused;
	const uint8_t *value;
	const uint8_t *missing; /* NULL: nothing is */
	const uint8_t *run;		/* NULL: all qualities are 0 */
} EbProfile;

/*
 * Opens a block of that size: header and lengths are checked, so every access by the view stays
 * inside. EB_BAD_ARGUMENT with the fault: damaged.
 */
extern EbStatus
eb_profile_open(const uint8_t *bytes, size_t size, EbProfile *profile, EbFault *fault);

/* ... and that it is the one form of its content: for bytes from outside. */
extern EbStatus
eb_profile_check(const uint8_t *bytes, size_t size, EbProfile *profile, EbFault *fault);

static inline int64_t
eb_profile_step_us(const EbProfile *profile)
{
	return profile->step_s * INT64_C(1000000);
}

static inline int64_t
eb_profile_end_us(const EbProfile *profile)
{
	return profile->start_us + profile->n * eb_profile_step_us(profile);
}

static inline bool
eb_profile_is_missing(const EbProfile *profile, int32_t i)
{
	return profile->missing != NULL && ((profile->missing[i / 8] >> (i % 8)) & 1) != 0;
}

static inline int64_t
eb_profile_wh(const EbProfile *profile, int32_t i)
{
	uint64_t offset = 0;

	switch (profile->width)
	{
		case 1:
			offset = profile->value[i];
			break;
		case 2:
		{
			uint16_t two;

			memcpy(&two, profile->value + (size_t) i * 2, 2);
			offset = two;
			break;
		}
		case 4:
		{
			uint32_t four;

			memcpy(&four, profile->value + (size_t) i * 4, 4);
			offset = four;
			break;
		}
		case 8:
			memcpy(&offset, profile->value + (size_t) i * 8, 8);
			break;
		default:
			break;
	}
	return profile->base_wh + (int64_t) offset; /* eb_profile_open() looked at those of 8 bytes */
}

/* Run i of qualities: how many values, which flags */
static inline int32_t
eb_profile_run(const EbProfile *profile, int32_t i, int32_t *quality)
{
	int32_t count;

	memcpy(&count, profile->run + (size_t) i * 8, 4);
	memcpy(quality, profile->run + (size_t) i * 8 + 4, 4);
	return count;
}

/* Walks the qualities; all 0 at first */
typedef struct EbProfileQuality
{
	int32_t run;  /* the next one */
	int32_t left; /* values left of the one before it */
	int32_t quality;
} EbProfileQuality;

/* Of the first value, then of the one after it, and so on */
static inline int32_t
eb_profile_next_quality(const EbProfile *profile, EbProfileQuality *walk)
{
	if (walk->left == 0)
	{
		if (walk->run == profile->nruns)
			return 0;
		walk->left = eb_profile_run(profile, walk->run++, &walk->quality);
	}
	walk->left--;
	return walk->quality;
}

/* One value of a block that is being made */
typedef struct EbProfileValue
{
	int64_t energy_wh; /* 0 when missing */
	int32_t
		quality; /* flags as of readings, and EB_PROFILE_SPAN if not missing, EB_PROFILE_PARTIAL */
	int32_t missing; /* not 0: yes */
} EbProfileValue;

/* A block that is being made */
typedef struct EbProfileDraft
{
	int64_t start_us; /* whole seconds, from EB_PROFILE_FROM_US; the end until EB_PROFILE_TO_US */
	int32_t step_s;	  /* 1 to 86400, divides the day */
	int32_t n;		  /* 0 to EB_PROFILE_MOST_VALUES */
	int32_t channel;
	int32_t unused;
	const EbProfileValue *value;
} EbProfileDraft;

/* Checks the draft (EB_BAD_ARGUMENT, EB_OUT_OF_RANGE with the fault) and says how many bytes it takes. */
extern EbStatus eb_profile_size(const EbProfileDraft *draft, size_t *size, EbFault *fault);

/* The first part of that check, which does not look at the values: for who has none yet. */
extern EbStatus eb_profile_check_head(const EbProfileDraft *draft, EbFault *fault);

/* Writes as many bytes of a draft that was checked. */
extern void eb_profile_write(const EbProfileDraft *draft, uint8_t *bytes);

/* The values of a view: all, or n of them from the first on */
extern void eb_profile_read(const EbProfile *profile, EbProfileValue *value);
extern void
eb_profile_read_some(const EbProfile *profile, int32_t first, int32_t n, EbProfileValue *value);

/* Checks a step, and fills the fault: for who divides by it before there is a draft. */
extern EbStatus eb_profile_check_step(int64_t step_s, EbFault *fault);

/* Checks a number of values, and fills the fault: for who takes memory for them. */
extern EbStatus eb_profile_check_count(int64_t n, EbFault *fault);

/* EB_CONFLICT with the fault unless two profiles have one step, and starts whole steps apart. */
extern EbStatus eb_profile_check_grid(int64_t a_us, int32_t a_step_s, int64_t b_us,
									  int32_t b_step_s, EbFault *fault);

/* Channels as they are called: import, export, import_kvarh, export_kvarh */
extern const char *const eb_profile_direction[EB_NCHANNELS];

/* The channel of that name, or -1 */
extern int eb_profile_channel(EbText name);

#endif
