/*
 * tariff_check.h -- is a stored block a tariff that can be read without harm?
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_TARIFF_CHECK_H
#define EB_TARIFF_CHECK_H

#include "rating/tariff.h"

/*
 * Looks at every offset, count, enumeration, index and order of a localized block of EB_TARIFF_FORMAT
 * in size bytes, aligned to 8. EB_OK: classifying usage and rating never read outside of it.
 * EB_BAD_ARGUMENT: it is damaged; the detail says where.
 */
extern EbStatus eb_tariff_check(const void *block, size_t size, EbFault *fault);

#endif
