/*
 * rate_vat.h -- tax lines of bills and sessions
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_RATE_VAT_H
#define EB_RATE_VAT_H

#include "rating/rate_state.h"

/*
 * One line for each tax rate of the lines so far: percent of the sum of their rounded amounts. Then
 * the minimums and maximums with tax (amount_incl) of the components that due names: a line of
 * what is missing or too much, with the component and role EB_LINE_VAT.
 */
extern EbStatus eb_vat_lines(EbRating *rating, const bool *due);

/* The tax part of a line: not in the amount without tax */
static inline bool
eb_line_is_tax(const EbLine *line)
{
	return line->role == EB_LINE_VAT;
}

#endif /* EB_RATE_VAT_H */
