/*
 * mbus.h -- M-Bus (EN 13757-2 and -3): meters of heat, water and electricity on two wires
 * In:  bytes of the line; out: frames with an item per record (see codec/frame.h).
 *      The other way: the two requests a master needs, and which frame answers them.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * A meter is only ever read: SND_UD, which writes, has no builder.
 */
#ifndef EB_CODEC_MBUS_H
#define EB_CODEC_MBUS_H

#include "codec/frame.h"
#include "codec/request.h"

/* 68 L L 68, 255 bytes, CS 16 */
#define EB_MBUS_MAX_FRAME 261
#define EB_MBUS_REQUEST 5

/* Primary addresses: 0..250 meters, and two that every meter answers. */
#define EB_MBUS_LAST_METER 250
#define EB_MBUS_SELECTED 253 /* the one that was selected by its number */
#define EB_MBUS_ANY 254		 /* whichever is alone on the line */

extern const EbCodec eb_mbus_codec;

typedef enum EbMbusAsk
{
	EB_MBUS_NKE, /* reset the link: answered by E5 */
	EB_MBUS_UD2	 /* give your data: answered by a long frame */
} EbMbusAsk;

/* A request as sent, kept to compare the answer with. */
typedef struct EbMbusRequest
{
	EbMbusAsk ask;
	uint8_t address;
	size_t length; /* bytes to send */
	uint8_t bytes[EB_MBUS_REQUEST];
} EbMbusRequest;

/*
 * Builders. false: address is none of 0..250, 253, 254; *request is then unchanged. fcb changes
 * with each telegram that arrived whole, and stays for a repetition; after a reset it is true.
 */
extern bool eb_mbus_nke(unsigned address, EbMbusRequest *request);
extern bool eb_mbus_request(unsigned address, bool fcb, EbMbusRequest *request);

/*
 * Whether the frame answers the request. An E5 names nobody: it answers the reset alone. The meter
 * refuses data by CI 70: mbus.application_error.
 */
extern EbMatch eb_mbus_match(const EbMbusRequest *request, const EbFrame *frame);

/*
 * Items of the n bytes of records behind the header of a reply; they replace those of *frame. *more:
 * the meter has further records for its next telegram. EB_FRAME_STRUCTURE: they run over the end,
 * or have more than ten extensions.
 */
extern EbFrameError eb_mbus_records(const uint8_t *bytes, size_t n, EbFrame *frame, bool *more);

#endif /* EB_CODEC_MBUS_H */
