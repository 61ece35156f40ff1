/*
 * dlt698.h -- DL/T 698.45: the object-oriented meters of State Grid
 * In:  bytes of the line; out: frames with items by object attribute descriptor (see codec/frame.h).
 *      The other way: the request that reads, and which reply belongs to which request.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * GET responses (one object or a list) and reports of the same form give items; of SET the
 * object and the result. Energies (OI 0000 to 00A3, attribute 2 and 4) have the unit and the places of the
 * standard, 10^-2 and 10^-4; everything else stays the number that was sent. Records, blocks,
 * and APDUs in several frames are found as frames, without items.
 *
 * A billing meter is only ever read: services that write have no builder, here or elsewhere.
 */
#ifndef EB_CODEC_DLT698_H
#define EB_CODEC_DLT698_H

#include "codec/axdr.h"
#include "codec/request.h"

/* The service that reads, first byte of the APDU. */
#define EB_DLT698_GET 0x05

/* Objects of one request: their answers fit into any meter's frame. */
#define EB_DLT698_MAX_ASKED 16

/* Preamble FE x 4, an address of 16 bytes and the longest list. */
#define EB_DLT698_MAX_REQUEST (4 + 32 + 4 * EB_DLT698_MAX_ASKED)

extern const EbCodec eb_dlt698_codec;

/*
 * Whether text is an address: 2 to 32 characters, an even number, most significant first, digits,
 * where A's may stand in pairs at the front as wildcard ("AAAAAAAAAAAA": whichever meter is alone
 * on the line).
 */
extern bool eb_dlt698_address_ok(const char *address);

/* A request as sent, kept to compare the reply with. */
typedef struct EbDlt698Request
{
	char address[33];
	uint8_t piid; /* 0..63; the reply repeats it */
	int noads;
	uint32_t oad[EB_DLT698_MAX_ASKED]; /* as they are written: 0x00100200 */
	size_t length;					   /* bytes to send */
	uint8_t bytes[EB_DLT698_MAX_REQUEST];
} EbDlt698Request;

/*
 * Asks for n objects (1 .. EB_DLT698_MAX_ASKED). piid: 0..63, another one for each request, so
 * that a late reply is known. false: no address, or n or piid out of range; *request is unchanged.
 */
extern bool eb_dlt698_get(const char *address, const uint32_t *oads, int n, uint8_t piid,
						  EbDlt698Request *request);

/*
 * Whether the frame answers the request: address, number and objects are those asked. A list of
 * which the meter refuses a part is an answer; EXCEPTION: it refuses everything, dlt698.dar.
 */
extern EbMatch eb_dlt698_match(const EbDlt698Request *request, const EbFrame *frame);

/*
 * Reads an APDU of n bytes into the frame's items, objects, number and result.
 * EB_FRAME_STRUCTURE: it ends inside a value; EB_FRAME_VALUE: a type that is none, or has no exact
 * text (float64); EB_FRAME_TOO_LONG: more than a frame may have.
 */
extern EbFrameError eb_dlt698_apdu(const uint8_t *bytes, size_t n, EbFrame *frame);

#endif /* EB_CODEC_DLT698_H */
