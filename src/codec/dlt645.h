/*
 * dlt645.h -- DL/T 645 of 2007 and 1997: the meters of Chinese buildings on RS-485
 * In:  bytes of the line; out: frames with items by data identifier (see codec/frame.h).
 *      The other way: the requests that read, and which reply belongs to which request.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * A billing meter is only ever read: function codes that write have no builder, here or elsewhere.
 * Both years have the same frame; they differ in the function codes and in the identifiers: four
 * bytes in 2007 (0001FF00), two in 1997 (901F).
 */
#ifndef EB_CODEC_DLT645_H
#define EB_CODEC_DLT645_H

#include "codec/frame.h"
#include "codec/request.h"

#define EB_DLT645_MIN_FRAME 12
#define EB_DLT645_MAX_FRAME (EB_DLT645_MIN_FRAME + 255)

typedef enum EbDlt645Year
{
	EB_DLT645_2007,
	EB_DLT645_1997
} EbDlt645Year;

/* What can be asked. */
typedef enum EbDlt645Ask
{
	EB_DLT645_READ,	  /* an identifier */
	EB_DLT645_NEXT,	  /* the part that follows the one before */
	EB_DLT645_ADDRESS /* who is there; 2007 alone */
} EbDlt645Ask;

/* Preamble FE x 4 and the longest request (follow-up: DI and number). */
#define EB_DLT645_MAX_REQUEST (4 + EB_DLT645_MIN_FRAME + 5)

extern const EbCodec eb_dlt645_codec;
extern const EbCodec eb_dlt645_1997_codec;

/*
 * Whether text is an address: 12 characters, most significant first, digits, where A's may stand
 * in pairs at the front as wildcard ("AAAAAAAAAAAA": whichever meter is alone on the line). The
 * broadcast address 999999999999 is none: nobody answers it.
 */
extern bool eb_dlt645_address_ok(const char *address);

/* A request as sent, kept to compare the reply with. */
typedef struct EbDlt645Request
{
	EbDlt645Year year;
	EbDlt645Ask ask;
	char address[13];
	uint32_t di;   /* READ and NEXT */
	uint8_t seq;   /* NEXT of 2007: 1, 2, ... */
	size_t length; /* bytes to send */
	uint8_t bytes[EB_DLT645_MAX_REQUEST];
} EbDlt645Request;

/*
 * Builders. false: the address is none (see above); *request is then unchanged.
 * Parts have a number only in 2007. In 1997 seq is not sent, and no reply tells which part it is:
 * after a part that did not arrive the whole has to be read anew, never the part.
 */
extern bool
eb_dlt645_read(EbDlt645Year year, const char *address, uint32_t di, EbDlt645Request *request);
extern bool eb_dlt645_next(EbDlt645Year year, const char *address, uint32_t di, uint8_t seq,
						   EbDlt645Request *request);

/* Asks the one meter of 2007 on the line for its address; sent to AAAAAAAAAAAA. */
extern void eb_dlt645_address(EbDlt645Request *request);

/*
 * Whether the frame answers the request: address, function, DI (and number) are those asked; then
 * see dlt645.more. EB_MATCH_EXCEPTION: the reason is dlt645.error_word.
 */
extern EbMatch eb_dlt645_match(const EbDlt645Request *request, const EbFrame *frame);

/* Whether an address still carries the wildcard: quality flag foreign_address. */
extern bool eb_dlt645_wildcard(const char *address);

/*
 * Items of a reply: data of DI di (less 33H, wire order), taken apart where it is a block; they
 * replace those of *frame, nothing else of it is looked at. EB_FRAME_OK: items filled.
 * EB_FRAME_STRUCTURE: DI or length not in the table of that year, the data stay raw.
 * EB_FRAME_VALUE: a nibble above 9, the whole frame is refused. In the last two cases the items
 * are of no use.
 */
extern EbFrameError
eb_dlt645_items(EbDlt645Year year, uint32_t di, const uint8_t *data, size_t n, EbFrame *frame);
extern EbFrameError
eb_dlt645_2007_items(uint32_t di, const uint8_t *data, size_t n, EbFrame *frame);
extern EbFrameError
eb_dlt645_1997_items(uint32_t di, const uint8_t *data, size_t n, EbFrame *frame);

/* The 2007 identifier of the same quantity: 0x901F is 0x0001FF00; 0 when there is none. */
extern uint32_t eb_dlt645_equivalent(uint32_t di_1997);

#endif /* EB_CODEC_DLT645_H */
