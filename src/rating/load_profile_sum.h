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

/* Sixteen bytes of a block, and those of them that count: runs as a vector takes them */
typedef struct EbProfileStep
{
	uint8_t mask[16];
	int32_t at;	  /* bytes behind the first value */
	int32_t ends; /* the group: it is its last step; below 0: there are more */
} EbProfileStep;

/*
 * Runs over n values of one or two bytes as steps; answers how many: 0 when the values have less than
 * sixteen bytes, at most one for each sixteen bytes of values and one for each run.
 */
extern int32_t eb_profile_steps(const EbProfileRun *run, int32_t nruns, int32_t n, int32_t width,
								EbProfileStep *step);

/* The same as eb_profile_sum_runs() by steps for the width of the profile. */
extern void eb_profile_sum_steps(const EbProfile *profile, int32_t first, const EbProfileStep *step,
								 int32_t nsteps, uint64_t *sum);

#endif /* EB_LOAD_PROFILE_SUM_H */
