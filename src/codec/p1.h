/*
 * p1.h -- DSMR P1: the telegrams smart meters push by themselves every 1 to 10 s
 * In:  bytes of the customer port; out: one frame per telegram with an item per line (codec/obis.h).
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 *		/XXX5 ident CR LF CR LF lines !CRC CR LF
 *
 * The CRC is CRC-16/ARC over "/" to "!", in hex; some meters drop its leading zeros. Versions 2 and 3
 * and some later meters send none: such a telegram is taken when "!" begins a line and a line end
 * follows it, and never again from a port that once sent a good CRC (this outlives the end of the
 * input, see EB_STATE_LASTING). The line end behind the CRC is not part of the frame.
 */
#ifndef EB_CODEC_P1_H
#define EB_CODEC_P1_H

#include "codec/frame.h"

/* The item that carries the meter's own time of the telegram. */
#define EB_P1_TIME_ID "0-0:1.0.0"

extern const EbCodec eb_p1_codec;

/*
 * "YYMMDDhhmmssS" or "...W" (summer, winter) as an instant, microseconds since 2000-01-01 00:00 UTC.
 * winter_offset_s: seconds of local winter time east of UTC; summer is an hour more. Without a
 * letter (versions 2 and 3) nobody says which: false, as for anything that is no date or time.
 */
extern bool eb_p1_instant(const char *text, int32_t winter_offset_s, int64_t *at_us);

#endif /* EB_CODEC_P1_H */
