/*
 * dlt645_value.h -- the values of DL/T 645, both years: how their bytes become text
 * In:  data less 33H, low byte first; out: items of the frame. Which identifier has which form is
 *      in dlt645_item.c (2007) and dlt645_1997.c.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#ifndef EB_CODEC_DLT645_VALUE_H
#define EB_CODEC_DLT645_VALUE_H

#include "codec/frame.h"

/* How the bytes of one value are written. */
typedef enum EbDlt645Form
{
	EB_DLT645_NUMBER,	/* BCD with places; is_signed: sign in the top bit */
	EB_DLT645_DEMAND,	/* XX.XXXX kW and YYMMDDhhmm of its moment */
	EB_DLT645_MINUTE,	/* YYMMDDhhmm */
	EB_DLT645_YEARLESS, /* MMDDhhmm */
	EB_DLT645_DATE,		/* YYMMDDWW, WW the weekday */
	EB_DLT645_SECOND,	/* hhmmss */
	EB_DLT645_DIGITS,	/* 12 BCD digits of a number that is a name */
	EB_DLT645_BITS		/* status word of two bytes, as hex */
} EbDlt645Form;

/* The values of one identifier are all alike. */
typedef struct EbDlt645Kind
{
	EbDlt645Form form;
	uint8_t size; /* bytes of one value */
	uint8_t places;
	bool is_signed;
	const char *unit; /* empty: none */
} EbDlt645Kind;

/*
 * Adds an item. EB_FRAME_VALUE: a nibble above 9. EB_FRAME_STRUCTURE: no room for another.
 */
extern EbFrameError
eb_dlt645_add(EbFrame *frame, const char *id, const EbDlt645Kind *kind, const uint8_t *data);

#endif /* EB_CODEC_DLT645_VALUE_H */
