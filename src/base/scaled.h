/*
 * scaled.h -- an integer times a power of ten, as plain decimal text
 * In:  what a meter sends: a number and its scale; out: its digits, nothing rounded, no exponent.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#ifndef EB_BASE_SCALED_H
#define EB_BASE_SCALED_H

#include <stdbool.h>

#include "base/wide.h"

#define EB_SCALED_MIN_EXPONENT (-80)
#define EB_SCALED_MAX_EXPONENT 60

/* Sign, 39 digits, point, and the zeros of the longest exponents. */
#define EB_SCALED_TEXT 128

/*
 * magnitude * 10^exponent with its sign, exponent within the limits above. The places of a negative
 * exponent are all written, also zeros; 0 has no sign. out has EB_SCALED_TEXT bytes.
 */
extern void eb_scaled_text(bool negative, eb_uint128 magnitude, int exponent, char *out);

#endif /* EB_BASE_SCALED_H */
