/*
 * iec62056_parts.h -- where the parts of an IEC 62056-21 frame stand
 * In:  the bytes from a start byte on; out: places in them. For iec62056.c alone.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#ifndef EB_CODEC_IEC62056_PARTS_H
#define EB_CODEC_IEC62056_PARTS_H

#include "codec/frame.h"

#define EB_IEC_SOH 0x01
#define EB_IEC_STX 0x02
#define EB_IEC_ETX 0x03
#define EB_IEC_ACK_BYTE 0x06

/* The bytes from one position on. */
typedef struct EbIecInput
{
	const uint8_t *bytes;
	size_t n;
	bool ended;	 /* no byte follows the n */
	bool parity; /* bit 7 is even parity; else it is zero */
	size_t *seen;
} EbIecInput;

/* Where the parts of a frame stand, counted from its first byte. */
typedef struct EbIecParts
{
	EbIecKind kind;
	bool has_ident;
	bool block;	  /* between SOH or STX and ETX, with a checksum */
	bool odd;	  /* one byte of the identification has a wrong bit 7 */
	bool one_bit; /* the BCC is wrong by a single bit */
	size_t ident; /* length of the identification, line ends not counted */
	size_t body;  /* behind the identification: SOH, STX or the first line */
	size_t mark;  /* ETX or "!"; 0: no body */
	size_t end;	  /* behind the frame */
} EbIecParts;

/* A byte without bit 7. */
static inline uint8_t
eb_iec_plain(uint8_t byte)
{
	return byte & 0x7F;
}

static inline bool
eb_iec_printable(uint8_t byte)
{
	return eb_iec_plain(byte) >= 0x20 && eb_iec_plain(byte) <= 0x7E;
}

/* At most EB_FRAME_MAX_LENGTH of the n bytes; the first tells whether bit 7 is parity. */
extern EbIecInput eb_iec_input(const uint8_t *bytes, size_t n, bool ended, size_t *seen);

/* Whether bit 7 of a byte is not what the line says it is. */
extern bool eb_iec_is_odd(const EbIecInput *in, uint8_t byte);

/* Whether the bytes are an acknowledgement, or the begin of one when they are fewer than six. */
extern bool eb_iec_is_ack(const uint8_t *bytes, size_t n);

/*
 * The frame that begins with a slash, SOH or STX: form and checksum. EB_FRAME_TRUNCATED: more bytes
 * are needed. With parts->odd or one_bit the frame has to be refused as a whole.
 */
extern EbFrameError eb_iec_find(const EbIecInput *in, EbIecParts *parts);

/* Whether the bytes are an identification and its line ends, nothing else. */
extern bool eb_iec_is_ident(const EbIecInput *in);

#endif /* EB_CODEC_IEC62056_PARTS_H */
