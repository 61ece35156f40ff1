/*
 * load_profile_curve.h -- many load profiles as one: what they come to in each interval
 * In:  profiles of one step, direction and grid, in any order.
 * Out: the values of their sum, over the union of their ranges.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/load_profile.md.
 *
 * Nothing is invented and nothing is lost: a value counts where it stands, what is missing counts
 * for nothing. An interval where no profile has a value is missing. One where some have none, or
 * where a value is the energy of more time (EB_PROFILE_SPAN), is EB_PROFILE_PARTIAL, unless the same
 * missing intervals stand before the value in all profiles: then the sum is such a value, too.
 *
 * The state is made of exact sums and counts. So order does not matter, states add, and what was
 * added can be taken away again (moving windows).
 */
#ifndef EB_LOAD_PROFILE_CURVE_H
#define EB_LOAD_PROFILE_CURVE_H

#include "base/memory.h"
#include "rating/load_profile.h"

/* What is counted in each slot: flags of qualities by their bit, and two more */
#define EB_CURVE_MISSING 31 /* values that are missing */
#define EB_CURVE_JOINED 32	/* of these, how many have their energy in a value further on */
#define EB_CURVE_COUNTS 33

/*
 * Slot i stands in element first + i of each array; elements outside of [first, first + n) are 0.
 * Zeros but for memory is a curve of nothing.
 */
typedef struct EbProfileCurve
{
	EbMemory memory;
	int64_t start_us; /* of slot 0 */
	int64_t members;  /* 0: the rest is of no meaning */
	int32_t step_s;
	int32_t channel;
	int32_t first;
	int32_t n;
	int32_t capacity; /* of sum and count; cover has one more element */
	int32_t unused;
	eb_int128 *sum; /* Wh of what is there */
	int32_t *cover; /* profiles that begin with the slot less those that ended before it */
	int32_t *count[EB_CURVE_COUNTS]; /* NULL: all are 0 */
} EbProfileCurve;

/*
 * Adds a profile, or takes away one that was added; one without values is passed over. EB_CONFLICT
 * with the fault for another step, direction or grid; EB_BAD_ARGUMENT for a range of more than
 * EB_PROFILE_MOST_VALUES intervals; EB_OUT_OF_RANGE for more than 2^31 - 1 profiles, or when there
 * is no memory.
 */
extern EbStatus
eb_profile_curve_add(EbProfileCurve *curve, const EbProfile *profile, EbFault *fault);
extern EbStatus
eb_profile_curve_subtract(EbProfileCurve *curve, const EbProfile *profile, EbFault *fault);

/* Adds all that another curve holds. */
extern EbStatus
eb_profile_curve_merge(EbProfileCurve *curve, const EbProfileCurve *other, EbFault *fault);

/* Room for n slots from start_us on, all 0, in a curve of nothing: for who fills the arrays. */
extern EbStatus
eb_profile_curve_open(EbProfileCurve *curve, int64_t start_us, int32_t n, EbFault *fault);

/* Makes the array of a count that was all 0. */
extern EbStatus eb_profile_curve_count(EbProfileCurve *curve, int count, EbFault *fault);

/*
 * The sum as a draft; value has room for curve->n. EB_OUT_OF_RANGE with the fault when a sum is
 * beyond EB_PROFILE_MOST_WH.
 */
extern EbStatus eb_profile_curve_draft(const EbProfileCurve *curve, EbProfileDraft *draft,
									   EbProfileValue *value, EbFault *fault);

#endif
