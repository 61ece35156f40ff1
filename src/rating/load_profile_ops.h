/*
 * load_profile_ops.h -- what can be done with one load profile, or two
 * In:  views of profiles (load_profile.h).
 * Out: drafts of new ones; what the check of eb_profile_size() says of them belongs to it.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/load_profile.md.
 */
#ifndef EB_LOAD_PROFILE_OPS_H
#define EB_LOAD_PROFILE_OPS_H

#include "rating/load_profile.h"

/*
 * The intervals that begin in [from, to). A span (EB_PROFILE_SPAN) that is cut is no longer one: its
 * value becomes EB_PROFILE_PARTIAL. So slices side by side have the values of the whole. value has
 * room for profile->n.
 */
extern void eb_profile_slice(const EbProfile *profile, int64_t from_us, int64_t to_us,
							 EbProfileDraft *draft, EbProfileValue *value);

/*
 * The values times a factor (1e-9). The running total is rounded, half away from 0, never a value:
 * the sum is off by less than 1 Wh. value has room for profile->n. EB_OUT_OF_RANGE with the fault.
 */
extern EbStatus eb_profile_scale(const EbProfile *profile, int64_t factor_n, EbProfileDraft *draft,
								 EbProfileValue *value, EbFault *fault);

/*
 * How many intervals eb_profile_resample() makes, in *n. EB_BAD_ARGUMENT with the fault when
 * neither step is a whole number of the other, or there are too many.
 */
extern EbStatus
eb_profile_resample_count(const EbProfile *profile, int32_t step_s, int32_t *n, EbFault *fault);

/*
 * The same energy in other steps, counted from the same start; the sum stays. Longer ones: the sum
 * of what is there, EB_PROFILE_PARTIAL where a part is missing or beyond the end, missing where all
 * is; a span across intervals is one across the longer ones. Shorter ones: nothing is known of how
 * the energy was spread, so each value becomes a span, or
 * EB_PROFILE_PARTIAL behind a gap that it is not of. value has room for the count and for
 * profile->n. EB_OUT_OF_RANGE with the fault, too.
 */
extern EbStatus eb_profile_resample(const EbProfile *profile, int32_t step_s, EbProfileDraft *draft,
									EbProfileValue *value, EbFault *fault);

/*
 * a less b in each interval of a, of the direction of a; missing where a or b is, or b has no
 * interval. Spans give spans where both sides are known. Both are of energy, or both of reactive
 * energy, of one step and grid, else EB_CONFLICT with the fault. value has room for a->n, less for
 * b->n.
 */
extern EbStatus eb_profile_subtract(const EbProfile *a, const EbProfile *b, EbProfileDraft *draft,
									EbProfileValue *value, EbProfileValue *less, EbFault *fault);

/* Number of the first of the highest values, spans left out (they are of more time); -1: none. */
extern int32_t eb_profile_highest(const EbProfile *profile);

/*
 * Below 0, 0 or above 0: an order of all profiles, of start, step, direction, number of values, then
 * values (a missing one comes last), then qualities. 0 only for equal bytes.
 */
extern int eb_profile_compare(const EbProfile *a, const EbProfile *b);

#endif
