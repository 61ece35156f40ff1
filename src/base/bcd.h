/*
 * bcd.h -- packed decimal digits of meters, as text
 * In:  bytes with two digits each, low byte first, as meters send them; out: decimal text.
 * Floor: base. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#ifndef EB_BASE_BCD_H
#define EB_BASE_BCD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More bytes than any item of a meter has (8, a maximum demand with its time). */
#define EB_BCD_MAX_BYTES 8

/* Sign, leading zero, point, digits and terminator. */
#define EB_BCD_TEXT_SIZE (2 * EB_BCD_MAX_BYTES + 4)

typedef enum EbBcd
{
	EB_BCD_OK,
	EB_BCD_ABSENT, /* every byte FF: the meter does not have this value; the text is empty */
	EB_BCD_BAD	   /* a nibble above 9; the text is empty */
} EbBcd;

/*
 * n bytes (1 .. EB_BCD_MAX_BYTES) as digits, most significant first, leading zeros kept. out has
 * 2 * n + 1 bytes.
 */
extern EbBcd eb_bcd_digits(const uint8_t *bytes, size_t n, char *out);

/*
 * n bytes (1 .. EB_BCD_MAX_BYTES) as a decimal number with that many places after the point (less
 * than 2 * n), without leading zeros. is_signed: the top bit of the last byte is the sign and no
 * digit; zero has no sign. out has EB_BCD_TEXT_SIZE bytes.
 */
extern EbBcd
eb_bcd_decimal(const uint8_t *bytes, size_t n, size_t places, bool is_signed, char *out);

/*
 * digits as a decimal number, the last places of them behind the point, without leading zeros; at
 * least one digit stays before the point. out has EB_BCD_TEXT_SIZE bytes or, for longer digits,
 * their length + 4.
 */
extern void eb_bcd_point(const char *digits, size_t places, bool negative, char *out);

#endif /* EB_BASE_BCD_H */
