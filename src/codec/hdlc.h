/*
 * hdlc.h -- DLMS push over HDLC: meters that speak by themselves (Norway's and Sweden's HAN port)
 * In:  bytes of the line; out: frames with items by OBIS code (see codec/frame.h).
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * These meters do not stuff bytes: 7E and 7D stand inside frames as they are, so a frame is cut by
 * its length, never by a flag. Of segments and enciphered APDUs the frame is given, without items.
 */
#ifndef EB_CODEC_HDLC_H
#define EB_CODEC_HDLC_H

#include "codec/frame.h"

extern const EbCodec eb_hdlc_codec;

#endif /* EB_CODEC_HDLC_H */
