/*
 * dlt645.h -- DL/T 645-2007: the meters of Chinese buildings on RS-485
 * In:  bytes of the line; out: frames with items by data identifier (see codec/frame.h).
 *      The other way: the three requests that read, and which reply belongs to which request.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * A billing meter is only ever read: function codes that write have no builder, here or elsewhere.
 */
#ifndef EB_CODEC_DLT645_H
#define EB_CODEC_DLT645_H

#include "codec/frame.h"

#define EB_DLT645_MIN_FRAME 12
#define EB_DLT645_MAX_FRAME (EB_DLT645_MIN_FRAME + 255)

/* Function codes, the low five bits of the control byte. */
#define EB_DLT645_READ 0x11
#define EB_DLT645_NEXT 0x12
#define EB_DLT645_ADDRESS 0x13

/* Preamble FE x 4 and the longest request (follow-up: DI and number). */
#define EB_DLT645_MAX_REQUEST (4 + EB_DLT645_MIN_FRAME + 5)

extern const EbCodec eb_dlt645_codec;

/*
 * Whether text is an address: 12 characters, most significant first, digits, where A's may stand
 * in pairs at the front as wildcard ("AAAAAAAAAAAA": whichever meter is alone on the line). The
 * broadcast address 999999999999 is none: nobody answers it.
 */
extern bool eb_dlt645_address_ok(const char *address);

/* A request as sent, kept to compare the reply with. */
typedef struct EbDlt645Request
{
	char address[13];
	uint8_t function; /* EB_DLT645_READ, _NEXT or _ADDRESS */
	uint32_t di;	  /* READ and NEXT */
	uint8_t seq;	  /* NEXT: 1, 2, ... */
	size_t length;	  /* bytes to send */
	uint8_t bytes[EB_DLT645_MAX_REQUEST];
} EbDlt645Request;

/* Builders. false: the address is none (see above); *request is then unchanged. */
extern bool eb_dlt645_read(const char *address, uint32_t di, EbDlt645Request *request);
extern bool eb_dlt645_next(const char *address, uint32_t di, uint8_t seq, EbDlt645Request *request);

/* Asks the one meter on the line for its address; sent to AAAAAAAAAAAA. */
extern void eb_dlt645_address(EbDlt645Request *request);

typedef enum EbDlt645Match
{
	EB_DLT645_ANSWER,	 /* address, function, DI (and number) are those asked; see dlt645.more */
	EB_DLT645_ECHO,		 /* a request: the own one, or another master's */
	EB_DLT645_EXCEPTION, /* the asked meter refuses: dlt645.error_word */
	EB_DLT645_FOREIGN	 /* another meter, function, DI or number: not for us, a late reply maybe */
} EbDlt645Match;

/* Whether the frame answers the request. */
extern EbDlt645Match eb_dlt645_match(const EbDlt645Request *request, const EbFrame *frame);

/* Whether an address still carries the wildcard: quality flag foreign_address. */
extern bool eb_dlt645_wildcard(const char *address);

/*
 * Items of a reply: data of DI di (less 33H, wire order), taken apart where it is a block; they
 * replace those of *frame, nothing else of it is looked at. EB_FRAME_OK: items filled.
 * EB_FRAME_STRUCTURE: DI or length not in the table, the data stay raw. EB_FRAME_VALUE: a nibble
 * above 9, the whole frame is refused. In the last two cases the items are of no use.
 */
extern EbFrameError eb_dlt645_items(uint32_t di, const uint8_t *data, size_t n, EbFrame *frame);

#endif /* EB_CODEC_DLT645_H */
