/*
 * iec62056.h -- IEC 62056-21 modes A to D: readouts of optical heads and 20 mA loops
 * In:  bytes of the line; out: frames with an item per line of data (codec/obis.h).
 *      The other way: the two requests that read, and which frame answers them.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 *		/?address! CR LF					request: who reads asks for the identification
 *		/XXX Z ident CR LF					identification: manufacturer, baud character
 *		06 V Z Y CR LF						acknowledgement: who reads accepts a speed
 *		STX lines ! CR LF ETX BCC			data; BCC = XOR behind STX up to and with ETX
 *		lines ! CR LF						the same without a checksum (old meters, mode D)
 *		SOH C D [STX text] ETX BCC			command
 *
 * Bytes of a 7E1 line received as 8N1 carry the parity in bit 7: it is checked and taken off. Where
 * a frame begins with a byte without parity bit, no byte of it may have one. A telegram is
 * identification and data together. An acknowledgement in front of further bytes is an echo and is
 * skipped.
 *
 * An identification is complete when no data follow it: the codec cannot know before the line is
 * silent. Who asked in mode C looks at eb_iec62056_waits() and calls eb_frame_finish(); the same ends
 * data without a checksum at the end of the input, as some heads cut the last line end.
 */
#ifndef EB_CODEC_IEC62056_H
#define EB_CODEC_IEC62056_H

#include "codec/frame.h"
#include "codec/request.h"

#define EB_IEC62056_MAX_ADDRESS 32

/* Bytes of an acknowledgement. */
#define EB_IEC62056_ACK_SIZE 6

/* "/?" address "!" CR LF */
#define EB_IEC62056_MAX_REQUEST (2 + EB_IEC62056_MAX_ADDRESS + 3)

extern const EbCodec eb_iec62056_codec;

/* A request as sent. */
typedef struct EbIec62056Request
{
	EbIecKind kind; /* EB_IEC_REQUEST or EB_IEC_ACK */
	size_t length;	/* bytes to send */
	uint8_t bytes[EB_IEC62056_MAX_REQUEST];
} EbIec62056Request;

/*
 * Asks the meter of that address, or with "" whichever is alone on the line. false: more than 32
 * characters, or one that is no letter, digit or blank; *request is then unchanged.
 */
extern bool eb_iec62056_sign_on(const char *address, EbIec62056Request *request);

/*
 * Accepts an identification by six bytes: 06, protocol, baud character, mode, CR, LF. They are the
 * caller's, for some meters want others than their identification says. false: not of this form, or
 * mode "1", which opens a meter for programming; *request is then unchanged.
 */
extern bool eb_iec62056_ack(const uint8_t six[EB_IEC62056_ACK_SIZE], EbIec62056Request *request);

/* The six bytes that a meter of baud character z ('0' .. '6') expects: protocol 0, readout. */
extern void eb_iec62056_readout(char z, uint8_t six[EB_IEC62056_ACK_SIZE]);

/* Bits per second that a baud character stands for, or -1. */
extern int eb_iec62056_baud(char z);

/*
 * How a meter of that baud character goes on: 'C' waits for the acknowledgement, 'B' switches to its
 * speed by itself, 'A' sends its data at the speed of the identification.
 */
extern char eb_iec62056_mode(char z);

/*
 * Whether what the reader holds is an identification and not one byte more: the meter waits for the
 * acknowledgement, or its data are still to come. eb_frame_finish() gives the identification.
 */
extern bool eb_iec62056_waits(const EbFrameReader *reader);

/*
 * Whether the frame answers the request: a sign-on is answered by an identification or a telegram, an
 * acknowledgement by data or a telegram; the meter's commands (B0, P0) refuse what was asked.
 * Nothing in a frame names the meter, so that a foreign one is known by its items alone.
 */
extern EbMatch eb_iec62056_match(const EbIec62056Request *request, const EbFrame *frame);

#endif /* EB_CODEC_IEC62056_H */
