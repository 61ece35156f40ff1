/*
 * load_profile_pack.h -- single values with their instants as one load profile
 * In:  values as they come, a slot for each.
 * Out: the values of a profile, in order, what is missing between them too.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_LOAD_PROFILE_PACK_H
#define EB_LOAD_PROFILE_PACK_H

#include "rating/load_profile.h"

/* As energy_wh of an entry */
#define EB_PROFILE_NO_WH INT64_MIN

/* 16 bytes, for there are many */
typedef struct EbProfileEntry
{
	int32_t slot; /* steps from an instant that all share; may be negative */
	int32_t quality;
	int64_t energy_wh; /* or EB_PROFILE_NO_WH: missing */
} EbProfileEntry;

/* Order of slots, then of the rest; so equal sets are equal when sorted. */
static inline int
eb_profile_entry_compare(const EbProfileEntry *a, const EbProfileEntry *b)
{
	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	if (a->energy_wh != b->energy_wh)
		return a->energy_wh < b->energy_wh ? -1 : 1;
	return (a->quality > b->quality) - (a->quality < b->quality);
}

/*
 * The slot of an instant, counted from start_us. EB_BAD_ARGUMENT with the fault when it is off the
 * grid, or EB_PROFILE_MOST_VALUES or more steps away.
 */
extern EbStatus
eb_profile_slot(int64_t start_us, int32_t step_s, int64_t at_us, int32_t *slot, EbFault *fault);

/*
 * How many values n > 0 entries make, sorted by slot at least, in draft->n; draft->start_us is the
 * instant of slot 0 and becomes that of the first value. EB_BAD_ARGUMENT with the fault when they
 * are too many, EB_CONFLICT when one slot has two values or qualities.
 */
extern EbStatus eb_profile_pack_count(const EbProfileEntry *entry, int64_t n, EbProfileDraft *draft,
									  EbFault *fault);

/* The values; there is room for draft->n. */
extern void eb_profile_pack(const EbProfileEntry *entry, int64_t n, EbProfileValue *value);

#endif
