/*
 * axdr.h -- values as DL/T 698.45 and DLMS write them: a type byte, then the value, high byte first
 * In:  bytes of an APDU; out: numbers, texts and moments as decimal text.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * Both protocols share the types up to 24; behind them the same number means different things, so
 * dlt698_data.c and cosem.c each know their own.
 */
#ifndef EB_CODEC_AXDR_H
#define EB_CODEC_AXDR_H

#include "codec/frame.h"

/* Types that both have. */
#define EB_AXDR_NULL 0x00
#define EB_AXDR_ARRAY 0x01
#define EB_AXDR_STRUCTURE 0x02
#define EB_AXDR_BOOL 0x03
#define EB_AXDR_BITS 0x04
#define EB_AXDR_INT32 0x05
#define EB_AXDR_UINT32 0x06
#define EB_AXDR_OCTETS 0x09
#define EB_AXDR_VISIBLE 0x0A
#define EB_AXDR_UTF8 0x0C
#define EB_AXDR_INT8 0x0F
#define EB_AXDR_INT16 0x10
#define EB_AXDR_UINT8 0x11
#define EB_AXDR_UINT16 0x12
#define EB_AXDR_INT64 0x14
#define EB_AXDR_UINT64 0x15
#define EB_AXDR_ENUM 0x16
#define EB_AXDR_FLOAT32 0x17
#define EB_AXDR_FLOAT64 0x18

/* What is still to be read of an APDU. */
typedef struct EbAxdr
{
	const uint8_t *at;
	size_t left;
} EbAxdr;

/* A value, read as far as its bytes: what they mean is the caller's to say. */
typedef struct EbAxdrValue
{
	uint8_t type;
	const uint8_t *bytes; /* nothing of an array or structure: its elements come next */
	size_t n;			  /* bytes; elements of an array or structure */
} EbAxdrValue;

/* n bytes; false: there are fewer, nothing is taken. */
extern bool eb_axdr_take(EbAxdr *in, size_t n, const uint8_t **bytes);

/* One byte. */
extern bool eb_axdr_byte(EbAxdr *in, uint8_t *byte);

/*
 * Reads a value of a type both protocols have, from its type byte on.
 * EB_FRAME_STRUCTURE: the bytes end first; EB_FRAME_VALUE: the type is none of those, and nobody
 * knows where the next value begins.
 */
extern EbFrameError eb_axdr_value(EbAxdr *in, EbAxdrValue *value);

/* Whether the type is an integer, an enumeration or a truth value (1 or 0). */
extern bool eb_axdr_is_integer(uint8_t type);

extern bool eb_axdr_is_list(uint8_t type);

/*
 * An integer times ten to the power of exponent as an item's value; -0 is 0, no leading zeros, as
 * many places as the exponent says. EB_FRAME_VALUE: exponent not within -18 .. 18.
 */
extern EbFrameError
eb_axdr_keep_integer(EbFrame *frame, EbFrameItem *item, const EbAxdrValue *value, int exponent);

/*
 * A binary32 times ten to the power of exponent as an item's value: the shortest decimal that reads
 * back as the same bits; NaN and infinity are absent. EB_FRAME_VALUE as above.
 */
extern EbFrameError
eb_axdr_keep_float32(EbFrame *frame, EbFrameItem *item, const EbAxdrValue *value, int exponent);

/* Bytes of a string as an item's value: characters when all are printable, else hex digits. */
extern void eb_axdr_keep_string(EbFrame *frame, EbFrameItem *item, const uint8_t *bytes, size_t n);

/*
 * "YYYY-MM-DD hh:mm:ss" of a year of two bytes, month, day, and hour, minute, second at clock;
 * 0 (the empty text): no such moment, or a meter that says "not specified" (FF).
 */
extern EbFrameRef eb_axdr_keep_moment(EbFrame *frame, const uint8_t *date, const uint8_t *clock);

#endif /* EB_CODEC_AXDR_H */
