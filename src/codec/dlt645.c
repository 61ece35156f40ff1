/*
 * dlt645.c -- DL/T 645 frames of both years: finding them in a stream, and the requests that read
 * In:  bytes of the line; out: frames. What their data mean is in dlt645_item.c and dlt645_1997.c.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 *		FE .. 68 A0 A1 A2 A3 A4 A5 68 C L DATA[L] CS 16
 *
 * 68 and 16 occur inside addresses, data and checksums: a frame is known by its two 68, its length
 * and its sum, never by its end. After a failure the next byte may start the real frame.
 */
#include "codec/dlt645.h"

#include <stdio.h>
#include <string.h>

#define START 0x68
#define END 0x16
#define PREAMBLE 0xFE
#define OFFSET 0x33 /* added to each data byte on the wire */

#define FROM_METER 0x80
#define EXCEPTION 0x40
#define MORE 0x20
#define FUNCTION 0x1F
#define NO_FUNCTION 0xFF

/* In what the years differ. */
typedef struct Year
{
	const EbCodec *codec;
	size_t di_size;
	bool numbered;		 /* a part carries its number */
	uint8_t function[3]; /* by EbDlt645Ask; the only ones that requests are built with */
	EbFrameError (*items)(uint32_t di, const uint8_t *data, size_t n, EbFrame *frame);
} Year;

static const Year years[] = {
	[EB_DLT645_2007] = {&eb_dlt645_codec, 4, true, {0x11, 0x12, 0x13}, eb_dlt645_2007_items},
	[EB_DLT645_1997] =
		{&eb_dlt645_1997_codec, 2, false, {0x01, 0x02, NO_FUNCTION}, eb_dlt645_1997_items},
};

static uint8_t
sum(const uint8_t *bytes, size_t n)
{
	unsigned total = 0;

	for (size_t i = 0; i < n; i++)
		total += bytes[i];
	return (uint8_t) total;
}

/* Six bytes, low byte first, as 12 hex digits. */
static void
address_text(const uint8_t *bytes, char *out)
{
	snprintf(out, 13, "%02X%02X%02X%02X%02X%02X", bytes[5], bytes[4], bytes[3], bytes[2], bytes[1],
			 bytes[0]);
}

/* Data of a read or follow-up behind its function code: DI, value, and the number of a part. */
static EbFrameError
read_data(const Year *year, EbFrame *frame, const uint8_t *data, size_t n)
{
	EbFrameDlt645 *own = &frame->dlt645;
	bool follow = (own->control & FUNCTION) == year->function[EB_DLT645_NEXT];
	EbFrameError error;

	own->has_di = true;
	for (size_t i = year->di_size; i-- > 0;)
		own->di = own->di << 8 | data[i];
	data += year->di_size;
	n -= year->di_size;
	if (follow && year->numbered && n > 0)
		own->seq = data[--n];
	if (!frame->from_meter)
		return EB_FRAME_OK;
	own->nraw = (int) n;
	memcpy(own->raw, data, n);
	/* A part of a value means nothing by itself. */
	if (own->more || follow)
		return EB_FRAME_OK;
	error = year->items(own->di, data, n, frame);
	if (error != EB_FRAME_STRUCTURE)
		return error;
	/* Not in the table: raw is all there is to say. */
	eb_frame_clear(frame);
	return EB_FRAME_OK;
}

/* A frame whose form and sum are right. */
static EbFrameError
read_frame(const Year *year, const uint8_t *bytes, EbFrame *frame)
{
	EbFrameDlt645 *own = &frame->dlt645;
	uint8_t function = bytes[8] & FUNCTION;
	uint8_t data[255];
	size_t n = bytes[9];

	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t) (bytes[10 + i] - OFFSET);
	memset(own, 0, sizeof(*own));
	own->control = bytes[8];
	own->more = (own->control & MORE) != 0;
	own->seq = own->error_word = own->nraw = -1;
	eb_frame_clear(frame);
	frame->checked = true;
	frame->from_meter = (own->control & FROM_METER) != 0;
	address_text(bytes + 1, frame->address);
	if ((own->control & EXCEPTION) != 0)
	{
		/* Some meters repeat the identifier in front of the error byte. */
		own->error_word = n > 0 ? data[n - 1] : 0;
		return EB_FRAME_OK;
	}
	if (function == year->function[EB_DLT645_ADDRESS])
	{
		if (n == 6)
			address_text(data, own->read_address);
	}
	else if (n >= year->di_size && (function == year->function[EB_DLT645_READ] ||
									function == year->function[EB_DLT645_NEXT]))
		return read_data(year, frame, data, n);
	return EB_FRAME_OK;
}

/* What is wrong with the n bytes from a start byte on, or OK; *length is then that of the frame. */
static EbFrameError
check_frame(const Year *year, const uint8_t *bytes, size_t n, EbFrame *frame, size_t *length)
{
	if (n < EB_DLT645_MIN_FRAME)
		return EB_FRAME_TRUNCATED;
	if (bytes[7] != START)
		return EB_FRAME_STRUCTURE;
	*length = (size_t) EB_DLT645_MIN_FRAME + bytes[9];
	if (n < *length)
		return EB_FRAME_TRUNCATED;
	if (sum(bytes, *length - 2) != bytes[*length - 2])
		return EB_FRAME_CHECKSUM;
	if (bytes[*length - 1] != END)
		return EB_FRAME_STRUCTURE;
	return read_frame(year, bytes, frame);
}

static EbScan
scan_year(const Year *year, const EbScanInput *in, EbFrame *frame, size_t *length,
		  EbFrameError *error)
{
	const uint8_t *start = memchr(in->bytes, START, in->n);

	if (start != in->bytes)
	{
		*length = start != NULL ? (size_t) (start - in->bytes) : in->n;
		return EB_SCAN_SKIP;
	}
	*error = check_frame(year, in->bytes, in->n, frame, length);
	if (*error == EB_FRAME_OK)
		return EB_SCAN_FRAME;
	if (*error == EB_FRAME_TRUNCATED && !in->ended)
		return EB_SCAN_MORE;
	*length = 1;
	return EB_SCAN_REFUSED;
}

static EbScan
scan_2007(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	return scan_year(&years[EB_DLT645_2007], in, frame, length, error);
}

static EbScan
scan_1997(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	return scan_year(&years[EB_DLT645_1997], in, frame, length, error);
}

static void
head(const EbFrame *frame, EbFrameText *text)
{
	const EbFrameDlt645 *own = &frame->dlt645;

	eb_frame_put(text, "\"address\":\"%s\",\"control\":\"%02X\",\"from_meter\":%s,\"more\":%s,",
				 frame->address, own->control, frame->from_meter ? "true" : "false",
				 own->more ? "true" : "false");
	if (own->has_di)
		eb_frame_put(text, "\"di\":\"%0*X\",", frame->codec == &eb_dlt645_codec ? 8 : 4, own->di);
	if (own->seq >= 0)
		eb_frame_put(text, "\"seq\":%d,", own->seq);
	if (own->error_word >= 0)
		eb_frame_put(text, "\"error_word\":\"%02X\",", (unsigned) own->error_word);
	if (own->read_address[0] != '\0')
		eb_frame_put(text, "\"read_address\":\"%s\",", own->read_address);
	if (own->nraw >= 0)
	{
		eb_frame_put(text, "\"raw\":\"");
		for (int i = 0; i < own->nraw; i++)
			eb_frame_put(text, "%02X", own->raw[i]);
		eb_frame_put(text, "\",");
	}
}

const EbCodec eb_dlt645_codec = {
	.name = "dlt645",
	.scan = scan_2007,
	.head = head,
};

const EbCodec eb_dlt645_1997_codec = {
	.name = "dlt645-1997",
	.scan = scan_1997,
	.head = head,
};

EbFrameError
eb_dlt645_items(EbDlt645Year year, uint32_t di, const uint8_t *data, size_t n, EbFrame *frame)
{
	return years[year].items(di, data, n, frame);
}

bool
eb_dlt645_wildcard(const char *address)
{
	return address[0] == 'A' && address[1] == 'A';
}

bool
eb_dlt645_address_ok(const char *address)
{
	size_t wild = strspn(address, "A");
	size_t digits = strspn(address + wild, "0123456789");

	return wild % 2 == 0 && wild + digits == 12 && address[12] == '\0' &&
		   strcmp(address, "999999999999") != 0;
}

static unsigned
nibble(char digit)
{
	return digit == 'A' ? 0xA : (unsigned) (digit - '0');
}

/* The bytes of a request whose address, function and data (not yet plus 33H) are given. */
static void
build(EbDlt645Request *request, const uint8_t *data, size_t n)
{
	uint8_t *frame = request->bytes + 4;

	memset(request->bytes, PREAMBLE, 4);
	frame[0] = frame[7] = START;
	for (size_t i = 0; i < 6; i++)
	{
		const char *pair = request->address + 10 - 2 * i;

		frame[1 + i] = (uint8_t) (nibble(pair[0]) << 4 | nibble(pair[1]));
	}
	frame[8] = years[request->year].function[request->ask];
	frame[9] = (uint8_t) n;
	for (size_t i = 0; i < n; i++)
		frame[10 + i] = (uint8_t) (data[i] + OFFSET);
	frame[10 + n] = sum(frame, 10 + n);
	frame[11 + n] = END;
	request->length = 4 + EB_DLT645_MIN_FRAME + n;
}

/* READ has the identifier as data; NEXT the number of the part behind it, where the year has one. */
static bool
ask(EbDlt645Year year, const char *address, EbDlt645Ask what, uint32_t di, uint8_t seq,
	EbDlt645Request *request)
{
	uint8_t data[5] = {(uint8_t) di, (uint8_t) (di >> 8), (uint8_t) (di >> 16),
					   (uint8_t) (di >> 24)};
	size_t n = years[year].di_size;

	if (!eb_dlt645_address_ok(address))
		return false;
	if (what == EB_DLT645_NEXT && years[year].numbered)
		data[n++] = seq;
	memset(request, 0, sizeof(*request));
	memcpy(request->address, address, 12);
	request->year = year;
	request->ask = what;
	request->di = di;
	request->seq = seq;
	build(request, data, n);
	return true;
}

bool
eb_dlt645_read(EbDlt645Year year, const char *address, uint32_t di, EbDlt645Request *request)
{
	return ask(year, address, EB_DLT645_READ, di, 0, request);
}

bool
eb_dlt645_next(EbDlt645Year year, const char *address, uint32_t di, uint8_t seq,
			   EbDlt645Request *request)
{
	return seq > 0 && ask(year, address, EB_DLT645_NEXT, di, seq, request);
}

void
eb_dlt645_address(EbDlt645Request *request)
{
	memset(request, 0, sizeof(*request));
	memcpy(request->address, "AAAAAAAAAAAA", 12);
	request->ask = EB_DLT645_ADDRESS;
	build(request, NULL, 0);
}

/* A's of the asked address stand for any character, an A given back by the meter too. */
static bool
address_fits(const char *asked, const char *given)
{
	for (size_t i = 0; i < 12; i++)
		if (asked[i] != 'A' && asked[i] != given[i])
			return false;
	return true;
}

EbMatch
eb_dlt645_match(const EbDlt645Request *request, const EbFrame *frame)
{
	const EbFrameDlt645 *own = &frame->dlt645;
	const Year *year = &years[request->year];

	if (frame->codec != year->codec)
		return EB_MATCH_FOREIGN;
	if (!frame->from_meter)
		return EB_MATCH_ECHO;
	if (!address_fits(request->address, frame->address) ||
		(own->control & FUNCTION) != year->function[request->ask])
		return EB_MATCH_FOREIGN;
	if (own->error_word >= 0)
		return EB_MATCH_EXCEPTION;
	if (request->ask == EB_DLT645_ADDRESS)
		return own->read_address[0] != '\0' ? EB_MATCH_ANSWER : EB_MATCH_FOREIGN;
	if (!own->has_di || own->di != request->di)
		return EB_MATCH_FOREIGN;
	if (request->ask == EB_DLT645_NEXT && year->numbered && own->seq != request->seq)
		return EB_MATCH_FOREIGN;
	return EB_MATCH_ANSWER;
}
