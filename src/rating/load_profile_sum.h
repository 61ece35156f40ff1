/*
 * load_profile_sum.h -- what runs of values of a block come to, without looking at each
 * In:  a view of a block (load_profile.h).
 * Out: exact sums for usage_profile.c and profile_sum().
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/load_profile.md.
 */
#ifndef EB_LOAD_PROFILE_SUM_H
#define EB_LOAD_PROFILE_SUM_H

#include "rating/load_profile.h"

/* How many of the values [from, to) are missing; 0 <= from <= to <= n. */
extern int32_t eb_profile_missing(const EbProfile *profile, int32_t from, int32_t to);

/* The first value from i on that is missing; n when none is. */
extern int32_t eb_profile_next_missing(const EbProfile *profile, int32_t i);

/*
 * Sum of the values [from, to) in Wh (varh); what is missing counts for nothing. *present: how many
 * there are. 2^20 values of 1e15 Wh fit.
 */
extern eb_int128
eb_profile_sum(const EbProfile *profile, int32_t from, int32_t to, int32_t *present);

/* Values [from, to), of a group of such runs whose values are summed together */
typedef struct EbProfileRun
{
	int32_t from;
	int32_t to;
	int32_t group; /* runs of one stand together; the first is 0, the next 1, ... */
} EbProfileRun;

/* So many values have a sum of 64 bits, and so have their offsets from the base. */
#define EB_PROFILE_FITTING 4096

/*
 * What the offsets from the base of the values of each group come to, in sum[group]; those of what is
 * missing are 0. Runs count values from first on; a group holds at most EB_PROFILE_FITTING.
 */
extern void eb_profile_sum_runs(const EbProfile *profile, int32_t first, const EbProfileRun *run,
								int32_t nruns, uint64_t *sum);

/* Two times sixteen bytes of a block, and those of them that count: runs as a vector takes them */
typedef struct EbProfileStep
{
	uint8_t mask[2][16]; /* of a byte 0 or 255, of two 0 or 1 */
	int64_t at[2];		 /* bytes behind the first value */
} EbProfileStep;

/*
 * Runs of a group, over n values of one or two bytes, as steps; answers how many: 0 when the values
 * have less than sixteen bytes, at most one for each 32 bytes of the group and one for each run.
 */
extern int32_t eb_profile_steps(const EbProfileRun *run, int32_t nruns, int32_t n, int32_t width,
								EbProfileStep *step);

/* What the offsets of a group come to, by its steps for the width of the profile; it has n values. */
extern uint64_t eb_profile_sum_steps(const EbProfile *profile, int32_t first,
									 const EbProfileStep *step, int32_t nsteps, int32_t n);

#endif /* EB_LOAD_PROFILE_SUM_H */
