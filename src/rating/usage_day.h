/*
 * usage_day.h -- the blocks that most blocks are, added in one go
 * In:  blocks as they are stored, classifiers with plans.
 * Out: sums of usage, the same as by usage_profile.h.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/load_profile.md.
 */
#ifndef EB_USAGE_DAY_H
#define EB_USAGE_DAY_H

#include "rating/usage_profile.h"

/*
 * Adds the values of a block if it is a simple one: offsets of one or two bytes, no quality, what is
 * missing lies inside, of a plan that is known and is simple. EB_NOT_SUPPORTED: it is none, or a damaged
 * one, and nothing was done. EB_OUT_OF_RANGE, EB_NO_SPACE as eb_usage_add(), without the fault.
 */
extern EbStatus
eb_usage_add_day(EbUsageSum *sum, const EbClassifier *by, const uint8_t *bytes, size_t size);

#endif /* EB_USAGE_DAY_H */
