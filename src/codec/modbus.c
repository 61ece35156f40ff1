/*
 * modbus.c -- Modbus RTU frames: finding them in a stream, and the request that reads
 * In:  bytes of the line; out: frames. What their registers mean is in modbus_map.c.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 *		unit function ... CRC(2, low byte first)
 *
 * There is no start byte. At each position the lengths are tried that the function allows there;
 * a frame is there when the CRC of one of them fits. Where a reply and a request would both be
 * possible, the reply goes first, so that all its bytes are waited for.
 */
#include "codec/modbus.h"

#include "base/crc.h"

#include <stdio.h>
#include <string.h>

#define LAST_UNIT 247
#define EXCEPTION 0x80
#define MAX_DATA 250 /* bytes of a reply: 125 registers or 2000 bits */

/* Functions that are looked for. Those that write are only recognised, as another master's. */
#define READ_COILS 1
#define READ_INPUTS 2
#define WRITE_COIL 5
#define WRITE_REGISTER 6
#define WRITE_COILS 15
#define WRITE_REGISTERS 16

typedef enum Kind
{
	KIND_EXCEPTION,
	KIND_REPLY,	  /* to a function that reads */
	KIND_REQUEST, /* or the reply to functions 5 and 6, which is the same */
	KIND_WRITE,	  /* request with data */
	KIND_WRITTEN  /* reply to it */
} Kind;

/* A frame that may be at a position; length 0: not before more bytes are there. */
typedef struct Candidate
{
	Kind kind;
	size_t length;
} Candidate;

static bool
known_function(uint8_t fc)
{
	return (fc >= READ_COILS && fc <= WRITE_REGISTER) || fc == WRITE_COILS || fc == WRITE_REGISTERS;
}

static bool
known_exception(uint8_t code)
{
	return (code >= 1 && code <= 8) || code == 10 || code == 11;
}

static bool
may_start(uint8_t unit, uint8_t fc)
{
	return unit <= LAST_UNIT && known_function(fc & (uint8_t) ~EXCEPTION);
}

/* Whether that many bytes of data can stand in a reply. */
static bool
reply_fits(uint8_t fc, uint8_t count)
{
	return count > 0 && count <= MAX_DATA && (fc <= READ_INPUTS || count % 2 == 0);
}

/* What may be at a position of which n >= 3 bytes are there, in the order of trying; returns how many. */
static int
list_candidates(const uint8_t *bytes, size_t n, Candidate candidate[2])
{
	uint8_t fc = bytes[1];
	int found = 0;

	if ((fc & EXCEPTION) != 0)
	{
		candidate[0] = (Candidate){KIND_EXCEPTION, EB_MODBUS_EXCEPTION};
		return known_exception(bytes[2]) ? 1 : 0;
	}
	if (fc <= EB_MODBUS_INPUT && reply_fits(fc, bytes[2]))
		candidate[found++] = (Candidate){KIND_REPLY, (size_t) 5 + bytes[2]};
	if (fc >= WRITE_COILS)
	{
		candidate[found++] = (Candidate){KIND_WRITE, n > 6 ? (size_t) 9 + bytes[6] : 0};
		candidate[found++] = (Candidate){KIND_WRITTEN, EB_MODBUS_REQUEST};
	}
	else
		candidate[found++] = (Candidate){KIND_REQUEST, EB_MODBUS_REQUEST};
	return found;
}

static uint16_t
high_first(const uint8_t *bytes)
{
	return (uint16_t) (bytes[0] << 8 | bytes[1]);
}

static bool
crc_fits(const uint8_t *bytes, size_t length)
{
	return eb_crc16_modbus(bytes, length - 2) ==
		   (uint16_t) (bytes[length - 1] << 8 | bytes[length - 2]);
}

static void
read_reply(const uint8_t *bytes, EbFrameModbus *own)
{
	size_t n = bytes[2];

	if (own->fc <= READ_INPUTS)
	{
		own->ndata = (int) n;
		memcpy(own->data, bytes + 3, n);
		return;
	}
	own->nregisters = (int) (n / 2);
	for (size_t i = 0; i < n / 2; i++)
		own->registers[i] = high_first(bytes + 3 + 2 * i);
}

/* A frame whose CRC fits. */
static EbFrameError
read_frame(const EbScanInput *in, Kind kind, EbFrame *frame)
{
	EbFrameModbus *own = &frame->modbus;

	memset(own, 0, sizeof(*own));
	own->unit = in->bytes[0];
	own->fc = in->bytes[1] & (uint8_t) ~EXCEPTION;
	own->exception = own->nregisters = own->ndata = -1;
	own->request = kind == KIND_REQUEST || kind == KIND_WRITE;
	eb_frame_clear(frame);
	frame->checked = true;
	frame->from_meter = !own->request;
	snprintf(frame->address, sizeof(frame->address), "%u", own->unit);
	switch (kind)
	{
		case KIND_EXCEPTION:
			own->exception = in->bytes[2];
			return EB_FRAME_OK;
		case KIND_REPLY:
			read_reply(in->bytes, own);
			if (in->map != NULL && own->nregisters >= 0)
				return eb_modbus_items(in->map, frame);
			return EB_FRAME_OK;
		case KIND_REQUEST:
		case KIND_WRITE:
		case KIND_WRITTEN:
			own->has_addr = true;
			own->addr = high_first(in->bytes + 2);
			own->count = high_first(in->bytes + 4);
			return EB_FRAME_OK;
	}
	return EB_FRAME_STRUCTURE;
}

/* Bytes in front of the next two that may start a frame; the last byte may, when its unit can be. */
static size_t
skip_noise(const uint8_t *bytes, size_t n)
{
	size_t at = 0;

	while (at + 1 < n && !may_start(bytes[at], bytes[at + 1]))
		at++;
	if (at + 1 == n && bytes[at] > LAST_UNIT)
		at++;
	return at;
}

/*
 * The first candidate that fits. MORE as soon as one does not have all its bytes: it might be the
 * one that goes first.
 */
static EbScan
try_candidates(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	Candidate candidate[2];
	int found = list_candidates(in->bytes, in->n, candidate);

	*error = EB_FRAME_OK;
	for (int i = 0; i < found; i++)
	{
		EbFrameError here = EB_FRAME_CHECKSUM;

		*length = candidate[i].length;
		if (*length == 0 || *length > in->n)
		{
			if (!in->ended)
				return EB_SCAN_MORE;
			here = EB_FRAME_TRUNCATED;
		}
		else if (crc_fits(in->bytes, *length))
		{
			/* A sound frame without the registers of the map is passed over as a whole. */
			*error = read_frame(in, candidate[i].kind, frame);
			return *error == EB_FRAME_OK ? EB_SCAN_FRAME : EB_SCAN_REFUSED;
		}
		if (*error == EB_FRAME_OK)
			*error = here;
	}
	*length = 1;
	return found > 0 ? EB_SCAN_REFUSED : EB_SCAN_SKIP;
}

static EbScan
scan(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	*length = skip_noise(in->bytes, in->n);
	if (*length > 0)
		return EB_SCAN_SKIP;
	if (in->n >= 3)
		return try_candidates(in, frame, length, error);
	if (!in->ended)
		return EB_SCAN_MORE;
	*error = EB_FRAME_TRUNCATED;
	*length = 1;
	return EB_SCAN_REFUSED;
}

static void
put_registers(const EbFrameModbus *own, EbFrameText *text)
{
	eb_frame_put(text, "\"registers\":[");
	for (int i = 0; i < own->nregisters; i++)
		eb_frame_put(text, "%s%u", i > 0 ? "," : "", own->registers[i]);
	eb_frame_put(text, "],");
}

static void
head(const EbFrame *frame, EbFrameText *text)
{
	const EbFrameModbus *own = &frame->modbus;

	eb_frame_put(text, "\"unit\":%u,\"fc\":%u,", own->unit, own->fc);
	if (own->exception >= 0)
		eb_frame_put(text, "\"exception\":%d,", own->exception);
	if (own->has_addr)
		eb_frame_put(text, "\"request\":%s,\"addr\":%u,\"count\":%u,",
					 own->request ? "true" : "false", own->addr, own->count);
	if (own->nregisters >= 0)
		put_registers(own, text);
	if (own->ndata >= 0)
	{
		eb_frame_put(text, "\"data\":\"");
		for (int i = 0; i < own->ndata; i++)
			eb_frame_put(text, "%02X", own->data[i]);
		eb_frame_put(text, "\",");
	}
}

const EbCodec eb_modbus_codec = {
	.name = "modbus",
	.scan = scan,
	.head = head,
};

bool
eb_modbus_read(unsigned unit, unsigned fc, unsigned addr, unsigned count, EbModbusRequest *request)
{
	uint16_t crc;

	if (unit < 1 || unit > LAST_UNIT || (fc != EB_MODBUS_HOLDING && fc != EB_MODBUS_INPUT) ||
		count < 1 || count > EB_MODBUS_MAX_COUNT || addr > 65536 - count)
		return false;
	*request =
		(EbModbusRequest){.unit = (uint8_t) unit,
						  .fc = (uint8_t) fc,
						  .addr = (uint16_t) addr,
						  .count = (uint16_t) count,
						  .length = EB_MODBUS_REQUEST,
						  .bytes = {(uint8_t) unit, (uint8_t) fc, (uint8_t) (addr >> 8),
									(uint8_t) addr, (uint8_t) (count >> 8), (uint8_t) count}};
	crc = eb_crc16_modbus(request->bytes, 6);
	request->bytes[6] = (uint8_t) crc;
	request->bytes[7] = (uint8_t) (crc >> 8);
	return true;
}

size_t
eb_modbus_reply_length(const EbModbusRequest *request)
{
	return 5 + 2 * (size_t) request->count;
}

EbMatch
eb_modbus_match(const EbModbusRequest *request, const EbFrame *frame)
{
	const EbFrameModbus *own = &frame->modbus;

	if (frame->codec != &eb_modbus_codec)
		return EB_MATCH_FOREIGN;
	if (!frame->from_meter)
		return EB_MATCH_ECHO;
	if (own->unit != request->unit || own->fc != request->fc)
		return EB_MATCH_FOREIGN;
	if (own->exception >= 0)
		return EB_MATCH_EXCEPTION;
	return own->nregisters == request->count ? EB_MATCH_ANSWER : EB_MATCH_FOREIGN;
}
