/*
 * tariff_check_state.h -- what the files of the check of a stored tariff share
 * Every function that looks at something returns false when it is damaged and says what in why.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_TARIFF_CHECK_STATE_H
#define EB_TARIFF_CHECK_STATE_H

#include "rating/tariff.h"

typedef struct EbCheck
{
	const EbTariff *tariff;
	size_t size;
	const char *why; /* the first damage */
} EbCheck;

/* Longest text, and most elements of a small list (labels, tests, values) */
#define EB_CHECK_MAX_TEXT 1000
#define EB_CHECK_MAX_LIST 1000

static inline bool
eb_check_that(EbCheck *check, bool ok, const char *why)
{
	if (!ok && check->why == NULL)
		check->why = why;
	return ok;
}

static inline bool
eb_check_within(int64_t value, int64_t low, int64_t high)
{
	return value >= low && value <= high;
}

/* tariff_check.c */
extern bool eb_check_slice(EbCheck *check, EbSlice slice, size_t element, int max, const char *why);
extern bool eb_check_text(EbCheck *check, EbSlice text, const char *why);
extern bool eb_check_labels(EbCheck *check, EbSlice label);
extern bool eb_check_round(EbCheck *check, const EbRounding *round);
/* tariff_check_time.c: local days [from, to), either end open; then calendar to series */
extern bool eb_check_dates(EbCheck *check, int32_t from, int32_t to, const char *why);
extern bool eb_check_time(EbCheck *check);
/* tariff_check_component.c: price nodes, components; demands, losses, net */
extern bool eb_check_nodes(EbCheck *check);
extern bool eb_check_components(EbCheck *check);
extern bool eb_check_measures(EbCheck *check);

#endif
