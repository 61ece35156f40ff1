/*
 * float32.h -- the shortest decimal of an IEEE 754 binary32
 * In:  the 32 bits a meter sends; out: digits and exponent, by integers alone.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#ifndef EB_BASE_FLOAT32_H
#define EB_BASE_FLOAT32_H

#include <stdbool.h>
#include <stdint.h>

/* digits * 10^exponent; digits of 0 to 9 places, without a zero at their end. 0 has no sign. */
typedef struct EbFloat32
{
	bool negative;
	uint32_t digits;
	int exponent; /* -53 .. 38 */
} EbFloat32;

/*
 * The decimal with the fewest digits that reads back as the same 32 bits; of several the nearest to
 * the exact value, of two as near the even one. false: NaN or infinity.
 */
extern bool eb_float32_shortest(uint32_t bits, EbFloat32 *out);

#endif /* EB_BASE_FLOAT32_H */
