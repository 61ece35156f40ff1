/*
 * sml.h -- SML: the files German household meters push every 1 to 4 s
 * In:  bytes of the info port; out: one frame per file with an item per list entry that has a unit
 *      (value times ten to the scaler, exact) or holds octets (as hex), by OBIS code.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 *		1B1B1B1B 01010101 messages padding 1B1B1B1B 1A n CRC
 *
 * n is the number of padding bytes; CRC-16/X.25, low byte first, over everything up to n. 1B1B1B1B
 * among the messages is doubled. Of the messages only GetListResponse (0701) is read.
 *
 * "sml" takes files as the norm has them. "sml-quirks" is chosen per port and also takes what meters
 * of certain server ids send against it, see quirks in sml.c; other meters are read as by "sml".
 */
#ifndef EB_CODEC_SML_H
#define EB_CODEC_SML_H

#include "base/scaled.h"
#include "codec/frame.h"

extern const EbCodec eb_sml_codec;
extern const EbCodec eb_sml_quirks_codec;

/* ------------------------------------------------------------- values (sml_value.c) */

typedef enum EbSmlType
{
	EB_SML_OCTETS = 0,	 /* none: not said */
	EB_SML_BOOLEAN = 4,	 /* one byte */
	EB_SML_INTEGER = 5,	 /* 1 to 8 bytes, two's complement */
	EB_SML_UNSIGNED = 6, /* 1 to 8 bytes */
	EB_SML_LIST = 7,	 /* n values follow */
	EB_SML_END = 8		 /* end of a message */
} EbSmlType;

typedef struct EbSmlValue
{
	EbSmlType type;
	size_t n;			  /* bytes, of a list values */
	const uint8_t *bytes; /* high byte first; of a list what follows */
} EbSmlValue;

/* Where a reader of values stands. */
typedef struct EbSmlReader
{
	const uint8_t *bytes;
	size_t n;
	size_t at;
} EbSmlReader;

/*
 * The next value; of a list its head only. false: no value of a known type and fitting length stands
 * there, or a list of more values than bytes are left; the reader has not moved.
 */
extern bool eb_sml_next(EbSmlReader *reader, EbSmlValue *value);

/*
 * Passes over that many values and all that is in them. Lists are counted, not entered: no depth is
 * too deep and the work is linear. false: as eb_sml_next.
 */
extern bool eb_sml_skip(EbSmlReader *reader, size_t count);

/* An integer or unsigned of up to 31 bits and sign; false: another value. */
extern bool eb_sml_small(const EbSmlValue *value, int32_t *number);

#define EB_SML_MAX_SCALER 18

/*
 * An integer or unsigned times ten to the scaler as decimal text, all digits of a negative scaler
 * kept ("0.0"). false: another value, or a scaler beyond EB_SML_MAX_SCALER. out has EB_SCALED_TEXT
 * bytes.
 */
extern bool eb_sml_decimal(const EbSmlValue *value, int32_t scaler, char *out);

#endif /* EB_CODEC_SML_H */
