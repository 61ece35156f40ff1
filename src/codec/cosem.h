/*
 * cosem.h -- DLMS data notifications: what a meter pushes inside HDLC
 * In:  the information of an HDLC frame; out: items by OBIS code.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#ifndef EB_CODEC_COSEM_H
#define EB_CODEC_COSEM_H

#include "codec/frame.h"

/*
 * Reads E6 E7 00 0F, invoke id, time and body into items and hdlc.time of the frame, which keeps
 * what it has. Information that begins otherwise (enciphered, an answer) gives nothing and is no
 * error. EB_FRAME_STRUCTURE: the body ends too soon, is no list, or has a type of unknown length;
 * EB_FRAME_VALUE: a number without an exact text; EB_FRAME_TOO_LONG: more than a frame may have.
 */
extern EbFrameError eb_cosem_push(const uint8_t *bytes, size_t n, EbFrame *frame);

#endif /* EB_CODEC_COSEM_H */
