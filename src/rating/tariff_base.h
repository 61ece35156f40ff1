/*
 * tariff_base.h -- what every part of the compiled tariff is made of
 * All positions are byte offsets from the start of the block (tariff.h).
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 */
#ifndef EB_TARIFF_BASE_H
#define EB_TARIFF_BASE_H

#include "base/decimal.h"
#include "rating/node.h"

#define EB_NONE (-1)

/* n elements from byte offset at; text has n bytes and no terminator */
typedef struct EbSlice
{
	int32_t at;
	int32_t n;
} EbSlice;

#define EB_ARRAY(tariff, type, slice) \
	((const type *) (const void *) ((const char *) (tariff) + (slice).at))

typedef struct EbRounding
{
	int64_t step_n; /* 1e-9 of the unit; 0 = do not round */
	int32_t mode;	/* EbRoundMode */
	int32_t unused;
} EbRounding;

/* Label in one language; lang empty = any */
typedef struct EbLabel
{
	EbSlice lang;
	EbSlice text;
} EbLabel;

/* What a meter counts: each has registers and intervals of its own */
typedef enum EbChannel
{
	EB_IMPORT_KWH,
	EB_EXPORT_KWH,
	EB_IMPORT_KVARH,
	EB_EXPORT_KVARH,
	EB_NCHANNELS
} EbChannel;

#endif
