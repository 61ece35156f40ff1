/*
 * frame.h -- the one face of all meter protocols: bytes in, frames out
 * In:  the bytes of a line, whole, one by one or in chunks of any size.
 * Out: frames with their items as decimal text, for collector/ and src/pg/frame.c.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * A codec is one function that judges the bytes from one position on (EbCodec.scan). It never
 * sees how the bytes arrived, so chunks of any size give the same frames; frame.c does the rest.
 */
#ifndef EB_CODEC_FRAME_H
#define EB_CODEC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The longest frame of any protocol: a readout or telegram of 8 KiB. A reader holds two, so that
 * bytes are moved seldom.
 */
#define EB_FRAME_MAX_LENGTH 8192
#define EB_FRAME_BUFFER (2 * EB_FRAME_MAX_LENGTH)

/* Items and text of one frame; a frame with more is refused, too_long. */
#define EB_FRAME_MAX_ITEMS 512
#define EB_FRAME_TEXT_SIZE 24576

#define EB_FRAME_MAX_RAW 255

/*
 * Room for the JSON text of any frame, see eb_frame_json(): the text, at most doubled by escapes,
 * the punctuation of every item, and the keys of a protocol.
 */
#define EB_FRAME_JSON_SIZE 81920

/*
 * Why bytes are refused. The words and the order of the checks are those of the frame vectors:
 * minimum length, fixed bytes, announced length, checksum, end byte, values.
 */
typedef enum EbFrameError
{
	EB_FRAME_OK = 0,
	EB_FRAME_NO_START,	   /* no start byte at all */
	EB_FRAME_TRUNCATED,	   /* starts, but the input ends first */
	EB_FRAME_STRUCTURE,	   /* fixed bytes or lengths wrong, no second column, bad meter name */
	EB_FRAME_CHECKSUM,	   /* sum, CRC or BCC wrong */
	EB_FRAME_TOO_LONG,	   /* CSV: line over 256 bytes; else more than a frame may have */
	EB_FRAME_CONTROL_BYTE, /* byte outside 20H..7EH and TAB in a text line */
	EB_FRAME_VALUE,		   /* sound frame, impossible value */
	EB_FRAME_PARITY,	   /* bytes of a 7E1 line received as 8N1, one of them with odd parity */
	EB_FRAME_NERRORS
} EbFrameError;

/* A text of a frame: where it stands in EbFrame.text. 0 is the empty text. See eb_frame_get(). */
typedef uint16_t EbFrameRef;

/* One value of a frame. */
typedef struct EbFrameItem
{
	EbFrameRef id;	  /* "00010000", "1-0:1.8.0*255", "usage" */
	EbFrameRef value; /* decimal text in the scale the meter sends, digits of a date, or a name */
	EbFrameRef unit;  /* "kWh"; empty: none */
	EbFrameRef time;  /* the meter's own time of the value; empty: none */
	bool absent;	  /* the meter says "not supported": value is empty, JSON null */
} EbFrameItem;

/* What only frames of one protocol have. -1 stands for "not in this frame". */
typedef struct EbFrameDlt645
{
	uint8_t control;	   /* as sent: bit 7 from meter, 6 exception, 5 more, 4..0 function */
	bool more;			   /* further frames follow (control bit 5) */
	bool has_di;		   /* di is there */
	uint32_t di;		   /* DI3..DI0, 0x0001FF00; DL/T 645-1997: DI1 DI0, 0x9010 */
	int seq;			   /* number of a follow-up frame, or -1 */
	int error_word;		   /* error byte of an exception, or -1 */
	char read_address[13]; /* address inside a reply to function 13; empty: none */
	int nraw;			   /* bytes of raw, or -1 when there is no data after a DI */
	uint8_t raw[EB_FRAME_MAX_RAW]; /* data after DI, less 33H, in wire order */
} EbFrameDlt645;

typedef struct EbFrameModbus
{
	uint8_t unit;
	uint8_t fc;		/* function code without bit 7 */
	int exception;	/* 1..11, or -1 */
	bool request;	/* asks, reads or writes; else a reply */
	bool has_addr;	/* addr and count are there: a request, or the reply to a write */
	uint16_t addr;	/* from 0, as on the wire */
	uint16_t count; /* registers or bits; of functions 5 and 6 the value */
	int nregisters; /* of a reply 03, 04, or -1 */
	uint16_t registers[125];
	int ndata; /* bytes of a reply 01, 02, or -1 */
	uint8_t data[250];
} EbFrameModbus;

typedef enum EbIecKind
{
	EB_IEC_REQUEST,	 /* /?address! */
	EB_IEC_ACK,		 /* 06 protocol Z mode */
	EB_IEC_IDENT,	 /* identification alone */
	EB_IEC_TELEGRAM, /* identification and data */
	EB_IEC_DATA,	 /* STX block alone */
	EB_IEC_COMMAND	 /* SOH block */
} EbIecKind;

typedef struct EbFrameIec62056
{
	EbIecKind kind;
	char baud_char; /* Z of the identification or acknowledgement; 0: none */
	int baud;		/* what it stands for, or -1 */
	int mode;		/* character of the acknowledgement, or -1 */
	int bcc;		/* as received, or -1 when the frame has none */
	EbFrameRef manufacturer;
	EbFrameRef ident;
	EbFrameRef command; /* two characters */
	EbFrameRef text;	/* of a command, between STX and ETX */
} EbFrameIec62056;

typedef struct EbFrameP1
{
	EbFrameRef ident; /* with the leading slash */
	bool has_crc;
} EbFrameP1;

typedef enum EbMbusKind
{
	EB_MBUS_ACK,   /* E5 */
	EB_MBUS_SHORT, /* 10 C A CS 16 */
	EB_MBUS_LONG   /* 68 L L 68 ... 16 */
} EbMbusKind;

typedef struct EbFrameMbus
{
	EbMbusKind kind;
	int control;
	int address; /* primary, 0..255 */
	int ci;
	int medium;
	int application_error;	 /* of CI 70, or -1 */
	EbFrameRef meter_id;	 /* 8 hex digits; empty: none */
	EbFrameRef manufacturer; /* three letters; empty: none */
	bool more;				 /* further records in the next telegram */
	bool encrypted;			 /* the records are, and none is read */
} EbFrameMbus;

typedef struct EbFrameSml
{
	EbFrameRef server_id; /* hex */
} EbFrameSml;

typedef enum EbDlt698Service
{
	EB_DLT698_GET_REQUEST,
	EB_DLT698_GET_RESPONSE,
	EB_DLT698_SET_REQUEST,
	EB_DLT698_SET_RESPONSE,
	EB_DLT698_REPORT, /* sent by the meter without being asked */
	EB_DLT698_OTHER	  /* see tag */
} EbDlt698Service;

#define EB_DLT698_MAX_OADS 64

typedef struct EbFrameDlt698
{
	EbDlt698Service service;
	int tag;   /* first byte of the APDU; -1: a part of one, or none */
	int piid;  /* number of the request, 0..63, or -1 */
	int dar;   /* result: the last that refuses, else 0; -1: the frame has none */
	int noads; /* what the frame is about, in order */
	uint32_t oad[EB_DLT698_MAX_OADS];
} EbFrameDlt698;

typedef struct EbFrameHdlc
{
	EbFrameRef dst; /* hex, as on the wire */
	EbFrameRef src;
	uint8_t control;
	EbFrameRef information; /* hex of what stands between HCS and FCS; empty: none */
	EbFrameRef time;		/* of the push, wall clock; empty: none */
} EbFrameHdlc;

/* One frame. Texts are references into it, so it may be copied as a whole. */
typedef struct EbFrame
{
	const struct EbCodec *codec;
	uint64_t offset;	 /* of its first byte, counted from eb_frame_begin() */
	size_t length;		 /* bytes on the wire, preamble not counted */
	const uint8_t *wire; /* these bytes; valid until the next call with the same reader */
	bool from_meter;	 /* false: a request, as an echo gives it */
	bool checked;		 /* a checksum was there; without one quality carries "unchecked" */
	char address[65];	 /* who speaks, as far as the line says it: 12 hex digits (DL/T 645), first
						  * column (CSV), unit (Modbus) or primary address (M-Bus) in decimal, server
						  * id (SML), hex digits (DL/T 698.45: 2 to 32, HDLC: 2 to 8); empty: the
						  * protocol names nobody */
	union
	{
		EbFrameDlt645 dlt645; /* both DL/T 645 */
		EbFrameModbus modbus;
		EbFrameIec62056 iec62056;
		EbFrameP1 p1;
		EbFrameMbus mbus;
		EbFrameSml sml;
		EbFrameDlt698 dlt698;
		EbFrameHdlc hdlc;
	};
	int nitems;
	bool full;		  /* items or text did not fit */
	size_t text_used; /* of text */
	EbFrameItem items[EB_FRAME_MAX_ITEMS];
	char text[EB_FRAME_TEXT_SIZE];
} EbFrame;

/* JSON text as it grows in a caller's buffer; full: something did not fit. */
typedef struct EbFrameText
{
	char *out;
	size_t size;
	size_t used;
	bool full;
} EbFrameText;

/* What EbCodec.scan says of the bytes from one position on. */
typedef enum EbScan
{
	EB_SCAN_MORE,	 /* cannot be judged before more bytes come; never when ended */
	EB_SCAN_FRAME,	 /* a frame of *length bytes */
	EB_SCAN_REFUSED, /* a frame could have started here and does not: *error, go on after *length */
	EB_SCAN_SKIP	 /* *length bytes that start nothing */
} EbScan;

/* The registers of a Modbus reply by number, see codec/modbus.h. */
struct EbModbusMap;

/* Bits of a codec's state that tell something of the port and outlive the end of the input. */
#define EB_STATE_LASTING 0xFFFF0000u

/* What a codec judges. */
typedef struct EbScanInput
{
	const uint8_t *bytes;
	size_t n;		 /* > 0 */
	bool ended;		 /* no byte follows them */
	unsigned *state; /* the codec's own for the stream, zero when it begins; after it ended only
					  * the bits EB_STATE_LASTING are left */
	size_t *seen; /* the codec's own for this position, zero at each new one: how far earlier calls
					  * that said MORE have looked, so that a late end is not searched for twice */
	const struct EbModbusMap *map; /* Modbus alone; NULL: none */
} EbScanInput;

/*
 * A protocol.
 * scan: judges the bytes from one position on. With EB_FRAME_MAX_LENGTH bytes it never says MORE.
 * Fills all of *frame but codec, offset, length and wire.
 * head: writes the JSON keys that only this protocol has, each followed by a comma.
 */
typedef struct EbCodec
{
	const char *name; /* the protocol argument of frame_decode */
	EbScan (*scan)(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error);
	void (*head)(const EbFrame *frame, EbFrameText *text);
} EbCodec;

/* A stream of bytes on its way through a codec. Owned by the caller; the counters are his to read. */
typedef struct EbFrameReader
{
	const EbCodec *codec;
	const struct EbModbusMap *map;
	uint64_t fed;	   /* bytes taken since eb_frame_begin() */
	uint64_t skipped;  /* of these, bytes that belong to no frame (preambles too) */
	uint64_t nframes;  /* frames found, requests too */
	uint64_t nreplies; /* frames found that come from a meter */
	uint64_t last_end; /* offset behind the last frame found */
	/* Places refused, by reason; one damaged frame may count at several places. */
	uint64_t refused[EB_FRAME_NERRORS];
	EbFrameError first_error; /* reason of the first place refused, or EB_FRAME_OK */
	unsigned state;			  /* of EbScanInput, zero at the start */
	size_t seen;			  /* of EbScanInput */
	size_t start;			  /* buffer[start .. held) is not yet judged */
	size_t held;
	uint8_t buffer[EB_FRAME_BUFFER];
} EbFrameReader;

/*
 * The codec of that name (n bytes, no terminator needed), or NULL. Behind "modbus" a colon and a
 * register map may follow; they are not looked at here, see eb_modbus_map_parse().
 */
extern const EbCodec *eb_codec_find(const char *name, size_t n);

/* The codecs of this version one after the other, NULL behind the last. */
extern const EbCodec *eb_codec_at(size_t i);

/*
 * Begins a stream, or begins anew: all counters are zero afterwards. map names the registers of
 * Modbus replies and outlives the reader; NULL: none.
 */
extern void
eb_frame_begin(EbFrameReader *reader, const EbCodec *codec, const struct EbModbusMap *map);

/*
 * Takes bytes until a frame is complete. true: *frame is filled, *bytes and *n stand behind what
 * was taken; call again, also when *n is 0 (a second frame may be held). false: all bytes were
 * taken and no frame is complete. A frame is given as soon as its last byte is there.
 *		while (eb_frame_feed(&reader, &bytes, &n, &frame)) use(&frame);
 */
extern bool eb_frame_feed(EbFrameReader *reader, const uint8_t **bytes, size_t *n, EbFrame *frame);

/*
 * The input ended (or the line was silent for longer than a frame may pause): judges what is held
 * as final. true: *frame is filled, call again. false: nothing is held any more; the reader may be
 * fed again, offsets go on.
 */
extern bool eb_frame_finish(EbFrameReader *reader, EbFrame *frame);

/*
 * After eb_frame_finish(): EB_FRAME_OK when at least one frame was found that is not an echo, else
 * the reason of the first place where a frame could have started. A request in front of further
 * bytes is an echo; a request that ends the input is a frame like any other.
 */
extern EbFrameError eb_frame_verdict(const EbFrameReader *reader);

/* The word of the vectors for an error: "no_start", "checksum", ...; "ok" for EB_FRAME_OK. */
extern const char *eb_frame_error_word(EbFrameError error);

/*
 * The frame as one JSON object, ASCII, terminated, in the form frame_decode documents. Returns its
 * length, or 0 when size is too small; EB_FRAME_JSON_SIZE is enough for every frame.
 */
extern size_t eb_frame_json(const EbFrame *frame, char *out, size_t size);

/* For codecs: adds text as printf would. */
extern void
eb_frame_put(EbFrameText *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For codecs: adds a text in quotes, escaped as JSON wants it. */
extern void eb_frame_put_text(EbFrameText *text, const char *string);

/* A text of a frame; "" for 0. */
extern const char *eb_frame_get(const EbFrame *frame, EbFrameRef ref);

/* For codecs: no items and no text. Before anything is kept. */
extern void eb_frame_clear(EbFrame *frame);

/* For codecs: keeps n characters; 0 and frame->full when there is no room. */
extern EbFrameRef eb_frame_keep(EbFrame *frame, const char *string, size_t n);

/* As eb_frame_keep, as printf would write it; at most 255 characters. */
extern EbFrameRef
eb_frame_keep_as(EbFrame *frame, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As eb_frame_keep, n bytes as upper-case hex digits. */
extern EbFrameRef eb_frame_keep_hex(EbFrame *frame, const uint8_t *bytes, size_t n);

/* For codecs: a new item, empty but for its id; NULL and frame->full when there is no room. */
extern EbFrameItem *eb_frame_item(EbFrame *frame, const char *id);

#endif /* EB_CODEC_FRAME_H */
