/*
 * usage_profile.h -- blocks of equal intervals, classified and summed without looking at each value
 * In:  views of blocks (load_profile.h), classifiers.
 * Out: sums of usage, the same to the last digit as by a row for each value.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/rating.md, doc/load_profile.md.
 */
#ifndef EB_USAGE_PROFILE_H
#define EB_USAGE_PROFILE_H

#include "rating/usage_plan.h"

/*
 * Adds the values of a block, as eb_usage_add() would add a row for each that is not missing. A
 * value over a span (EB_PROFILE_SPAN) goes as the difference of a register over all of it.
 * differences: all of them do (eb_register_add()). Classifiers without plans take the values one by
 * one. EB_BAD_ARGUMENT: a value is negative. Else as eb_usage_add().
 */
extern EbStatus eb_usage_add_profile(EbUsageSum *sum, const EbClassifier *by,
									 const EbProfile *profile, bool differences, EbFault *fault);

#endif /* EB_USAGE_PROFILE_H */
