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

/* A block of DL/T 645 energies holds at most (255 - 4) / 4 values; no other frame holds more. */
#define EB_FRAME_MAX_ITEMS 64
#define EB_FRAME_MAX_RAW 255

/* What a reader holds at most: several of the longest frame, so that bytes are moved seldom. */
#define EB_FRAME_BUFFER 1024

/* Room for the JSON text of any frame, see eb_frame_json(). */
#define EB_FRAME_JSON_SIZE 16384

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
	EB_FRAME_CHECKSUM,	   /* sum wrong */
	EB_FRAME_TOO_LONG,	   /* line over 256 bytes */
	EB_FRAME_CONTROL_BYTE, /* byte outside 20H..7EH and TAB in a text line */
	EB_FRAME_VALUE,		   /* sound frame, impossible value */
	EB_FRAME_NERRORS
} EbFrameError;

/* One value of a frame. */
typedef struct EbFrameItem
{
	char id[16];	/* "00010000", "05060101.1", "usage" */
	char value[24]; /* decimal text in the scale the meter sends, or digits of a date */
	char unit[8];	/* "kWh"; empty: none */
	char time[40];	/* the meter's own time of the value; empty: none */
	bool absent;	/* the meter says "not supported": value is empty, JSON null */
} EbFrameItem;

/* What only DL/T 645 frames have. -1 stands for "not in this frame". */
typedef struct EbFrameDlt645
{
	uint8_t control;	   /* as sent: bit 7 from meter, 6 exception, 5 more, 4..0 function */
	bool more;			   /* further frames follow (control bit 5) */
	bool has_di;		   /* di is there */
	uint32_t di;		   /* DI3..DI0, 0x0001FF00 */
	int seq;			   /* number of a follow-up frame, or -1 */
	int error_word;		   /* error byte of an exception, or -1 */
	char read_address[13]; /* address inside a reply to function 13; empty: none */
	int nraw;			   /* bytes of raw, or -1 when the items say everything */
	uint8_t raw[EB_FRAME_MAX_RAW]; /* data after DI, less 33H, in wire order */
} EbFrameDlt645;

/* One frame. */
typedef struct EbFrame
{
	const struct EbCodec *codec;
	uint64_t offset;	  /* of its first byte, counted from eb_frame_begin() */
	size_t length;		  /* bytes on the wire, preamble not counted */
	const uint8_t *wire;  /* these bytes; valid until the next call with the same reader */
	bool from_meter;	  /* false: a request, as an echo gives it */
	char address[65];	  /* meter: 12 hex digits (DL/T 645) or the first column (CSV) */
	EbFrameDlt645 dlt645; /* all zero for other protocols */
	int nitems;
	EbFrameItem items[EB_FRAME_MAX_ITEMS];
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

/*
 * A protocol.
 * scan: judges bytes[0 .. n), n > 0; ended: no byte follows them. With EB_FRAME_BUFFER / 2 bytes it
 * never says MORE. *state is the codec's own, zero when a stream begins and after it ended. Fills
 * all of *frame but codec, offset, length and wire.
 * head: writes the JSON keys that only this protocol has, each followed by a comma.
 */
typedef struct EbCodec
{
	const char *name; /* the protocol argument of frame_decode */
	bool checked;	  /* frames carry a checksum; without one quality carries "unchecked" */
	EbScan (*scan)(const uint8_t *bytes, size_t n, bool ended, unsigned *state, EbFrame *frame,
				   size_t *length, EbFrameError *error);
	void (*head)(const EbFrame *frame, EbFrameText *text);
} EbCodec;

/* A stream of bytes on its way through a codec. Owned by the caller; the counters are his to read. */
typedef struct EbFrameReader
{
	const EbCodec *codec;
	uint64_t fed;	   /* bytes taken since eb_frame_begin() */
	uint64_t skipped;  /* of these, bytes that belong to no frame (preambles too) */
	uint64_t nframes;  /* frames found, requests too */
	uint64_t nreplies; /* frames found that come from a meter */
	uint64_t last_end; /* offset behind the last frame found */
	/* Places refused, by reason; one damaged frame may count at several places. */
	uint64_t refused[EB_FRAME_NERRORS];
	EbFrameError first_error; /* reason of the first place refused, or EB_FRAME_OK */
	unsigned state;			  /* the codec's own, zero at the start */
	size_t start;			  /* buffer[start .. held) is not yet judged */
	size_t held;
	uint8_t buffer[EB_FRAME_BUFFER];
} EbFrameReader;

/* The codec of that name (n bytes, no terminator needed), or NULL. */
extern const EbCodec *eb_codec_find(const char *name, size_t n);

/* The codecs of this version one after the other, NULL behind the last. */
extern const EbCodec *eb_codec_at(size_t i);

/* Begins a stream, or begins anew: all counters are zero afterwards. */
extern void eb_frame_begin(EbFrameReader *reader, const EbCodec *codec);

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

/* For codecs: a new item with that id, empty otherwise; NULL when the frame is full. */
extern EbFrameItem *eb_frame_item(EbFrame *frame, const char *id);

#endif /* EB_CODEC_FRAME_H */
