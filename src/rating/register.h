/*
 * register.h -- cumulative values of a meter give the energy between them
 * In:  register values at instants, in order.
 * Out: energy per interval, summed as usage (usage.h).
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/architecture.md.
 */
#ifndef EB_REGISTER_H
#define EB_REGISTER_H

#include "rating/usage_sum.h"

/* Flag of a reading (doc/collector.md): there is no difference to the value before it */
#define EB_READING_RESTART 512

/* A register can show less than this, in Wh. */
#define EB_REGISTER_LIMIT (INT64_MAX / 2)

/* A difference over more time that goes to more than one period is an estimate. */
#define EB_REGISTER_EXACT_US (60 * EB_MINUTE_US)

/* 16 bytes, for there are many: the value is doubled, its last bit says restart */
typedef struct EbRegisterValue
{
	int64_t boundary_us;
	int64_t code;
} EbRegisterValue;

static inline EbRegisterValue
eb_register_value(int64_t boundary_us, int64_t register_wh, bool restart)
{
	return (EbRegisterValue){boundary_us, register_wh * 2 + (restart ? 1 : 0)};
}

/* Order of instants, then of values; so equal sets are equal when sorted. */
static inline int
eb_register_compare(const EbRegisterValue *a, const EbRegisterValue *b)
{
	if (a->boundary_us != b->boundary_us)
		return a->boundary_us < b->boundary_us ? -1 : 1;
	return (a->code > b->code) - (a->code < b->code);
}

/*
 * Wh from prev to cur, both >= 0; false = hold. A register that runs backwards has rolled over
 * when it stood in the last tenth below wrap_wh, stands in the first, and at most max_wh went
 * through. wrap_wh > 0, or 0: it never rolls over.
 */
extern bool eb_register_delta(int64_t prev_wh, int64_t cur_wh, int64_t wrap_wh, int64_t max_wh,
							  int64_t *delta_wh);

/*
 * Adds a difference in Wh, >= 0, between two instants. Where it is cut and longer than
 * EB_REGISTER_EXACT_US the quality is EB_ESTIMATED; else as eb_usage_add().
 */
extern EbStatus eb_register_add(EbUsageSum *sum, const EbClassifier *by, EbChannel channel,
								int64_t from_us, int64_t to_us, int64_t wh, EbFault *fault);

/*
 * Adds the differences of n sorted values of a channel to the sum. Each is spread evenly over its
 * time. A difference onto a restart is missing; one that is held is missing and counted. Equal
 * values at one instant are one; an instant with several values is held and passed over. What is
 * longer than an hour says nothing of the demand in windows shorter than it. A tariff that prices
 * energy by a column of the rows has no price for it: EB_UNKNOWN. Else as eb_usage_add().
 */
extern EbStatus
eb_register_usage(const EbRegisterValue *value, size_t n, int64_t wrap_wh, EbChannel channel,
				  EbUsageSum *sum, const EbClassifier *by, EbFault *fault);

#endif
