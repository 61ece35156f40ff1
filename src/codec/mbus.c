/*
 * mbus.c -- M-Bus frames: finding them in a stream, and the requests a master needs
 * In:  bytes of the line; out: frames. What their records mean is in mbus_record.c.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 *		E5                               acknowledge
 *		10 C A CS 16                     short, from the master alone
 *		68 L L 68 C A CI data[L-3] CS 16 long
 *
 * CS is the sum from C on. An E5 has nothing that proves it: it counts only at the begin of the
 * input or right behind a frame, where nothing was refused before and no byte but 00 and FF (the
 * glitches of a bus that turns around) was passed over. E5 inside a damaged frame stays data.
 */
#include "codec/mbus.h"

#include <stdio.h>
#include <string.h>

#define ACK 0xE5
#define START_SHORT 0x10
#define START_LONG 0x68
#define END 0x16

#define SHORT_FRAME 5
#define LONG_HEAD 4	  /* 68 L L 68 */
#define MIN_LONG 6	  /* before L is looked at */
#define MIN_CONTENT 3 /* C A CI */
#define FULL_HEADER \
	12 /* of CI 72: number, manufacturer, version, medium, access, status, signature */

#define DIRECTION 0x80 /* of the control byte: never set in a frame */
#define FROM_MASTER 0x40

#define CI_ERROR 0x70
#define CI_VARIABLE 0x72

#define CONTROL_NKE 0x40
#define CONTROL_UD2 0x5B
#define CONTROL_FCB 0x20

/* Bit of EbScanInput.state: something was refused or passed over since the last frame. */
#define DOUBT 1U

static uint8_t
sum(const uint8_t *bytes, size_t n)
{
	unsigned total = 0;

	for (size_t i = 0; i < n; i++)
		total += bytes[i];
	return (uint8_t) total;
}

static void
begin_frame(EbFrame *frame, EbMbusKind kind)
{
	EbFrameMbus *own = &frame->mbus;

	memset(own, 0, sizeof(*own));
	own->kind = kind;
	own->application_error = -1;
	eb_frame_clear(frame);
	frame->checked = kind != EB_MBUS_ACK;
	frame->from_meter = true;
	frame->address[0] = '\0';
}

/* Control byte and address. */
static void
read_link(const uint8_t *bytes, EbFrame *frame)
{
	frame->mbus.control = bytes[0];
	frame->mbus.address = bytes[1];
	frame->from_meter = (bytes[0] & FROM_MASTER) == 0;
	snprintf(frame->address, sizeof(frame->address), "%u", bytes[1]);
}

/*
 * Whether the security mode of the signature (DES 2 and 3, AES 5 to 10, TLS 13) hides the records.
 * Old meters have anything there, which then is none of these.
 */
static bool
is_encrypted(const uint8_t *header)
{
	unsigned mode = header[11] & 0x1F;

	return mode == 2 || mode == 3 || mode == 5 || (mode >= 7 && mode <= 10) || mode == 13;
}

/* Who speaks, and its records. header: n bytes behind CI 72. */
static EbFrameError
read_variable(const uint8_t *header, size_t n, EbFrame *frame)
{
	EbFrameMbus *own = &frame->mbus;
	uint8_t number[4] = {header[3], header[2], header[1], header[0]};
	unsigned letters = (unsigned) (header[4] | header[5] << 8);
	EbFrameError error = EB_FRAME_OK;

	own->encrypted = is_encrypted(header);
	if (!own->encrypted)
		error = eb_mbus_records(header + FULL_HEADER, n - FULL_HEADER, frame, &own->more);
	if (error != EB_FRAME_OK)
		return error;
	own->medium = header[7];
	own->meter_id = eb_frame_keep_hex(frame, number, sizeof(number));
	own->manufacturer =
		eb_frame_keep_as(frame, "%c%c%c", (int) (letters >> 10 & 0x1F) + '@',
						 (int) (letters >> 5 & 0x1F) + '@', (int) (letters & 0x1F) + '@');
	return frame->full ? EB_FRAME_TOO_LONG : EB_FRAME_OK;
}

/* The n >= 3 bytes from the control byte on. */
static EbFrameError
read_content(const uint8_t *bytes, size_t n, EbFrame *frame)
{
	EbFrameMbus *own = &frame->mbus;

	begin_frame(frame, EB_MBUS_LONG);
	read_link(bytes, frame);
	own->ci = bytes[2];
	if (own->ci == CI_ERROR)
		own->application_error = n > MIN_CONTENT ? bytes[3] : 0;
	if (own->ci != CI_VARIABLE)
		return EB_FRAME_OK;
	if (n < MIN_CONTENT + FULL_HEADER)
		return EB_FRAME_STRUCTURE;
	return read_variable(bytes + MIN_CONTENT, n - MIN_CONTENT, frame);
}

static EbFrameError
check_long(const uint8_t *bytes, size_t n, EbFrame *frame, size_t *length)
{
	size_t content;

	if (n < MIN_LONG)
		return EB_FRAME_TRUNCATED;
	content = bytes[1];
	if (bytes[2] != content || bytes[3] != START_LONG || content < MIN_CONTENT)
		return EB_FRAME_STRUCTURE;
	*length = LONG_HEAD + content + 2;
	if (n < *length)
		return EB_FRAME_TRUNCATED;
	if (sum(bytes + LONG_HEAD, content) != bytes[LONG_HEAD + content])
		return EB_FRAME_CHECKSUM;
	if (bytes[*length - 1] != END || (bytes[LONG_HEAD] & DIRECTION) != 0)
		return EB_FRAME_STRUCTURE;
	return read_content(bytes + LONG_HEAD, content, frame);
}

/* Only a master sends these: the direction bit tells them from five bytes of something else. */
static EbFrameError
check_short(const uint8_t *bytes, size_t n, EbFrame *frame, size_t *length)
{
	*length = SHORT_FRAME;
	if (n < SHORT_FRAME)
		return EB_FRAME_TRUNCATED;
	if ((bytes[1] & (DIRECTION | FROM_MASTER)) != FROM_MASTER)
		return EB_FRAME_STRUCTURE;
	if (sum(bytes + 1, 2) != bytes[3])
		return EB_FRAME_CHECKSUM;
	if (bytes[4] != END)
		return EB_FRAME_STRUCTURE;
	begin_frame(frame, EB_MBUS_SHORT);
	read_link(bytes + 1, frame);
	return EB_FRAME_OK;
}

/* Bytes that start nothing; an E5 in doubt is one of them. */
static size_t
skip_noise(const EbScanInput *in)
{
	size_t at = 0;

	for (; at < in->n; at++)
	{
		uint8_t byte = in->bytes[at];

		if (byte == START_SHORT || byte == START_LONG || (byte == ACK && *in->state != DOUBT))
			break;
		if (byte != 0x00 && byte != 0xFF)
			*in->state = DOUBT;
	}
	return at;
}

static EbScan
scan(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	*length = skip_noise(in);
	if (*length > 0)
		return EB_SCAN_SKIP;
	if (in->bytes[0] == ACK)
	{
		begin_frame(frame, EB_MBUS_ACK);
		*length = 1;
		return EB_SCAN_FRAME;
	}
	*error = in->bytes[0] == START_SHORT ? check_short(in->bytes, in->n, frame, length)
										 : check_long(in->bytes, in->n, frame, length);
	if (*error == EB_FRAME_TRUNCATED && !in->ended)
		return EB_SCAN_MORE;
	*in->state = *error == EB_FRAME_OK ? 0 : DOUBT;
	if (*error == EB_FRAME_OK)
		return EB_SCAN_FRAME;
	*length = 1;
	return EB_SCAN_REFUSED;
}

static void
head(const EbFrame *frame, EbFrameText *text)
{
	static const char *const kind[] = {
		[EB_MBUS_ACK] = "ack", [EB_MBUS_SHORT] = "short", [EB_MBUS_LONG] = "long"};
	const EbFrameMbus *own = &frame->mbus;

	eb_frame_put(text, "\"kind\":\"%s\",", kind[own->kind]);
	if (own->kind == EB_MBUS_ACK)
		return;
	eb_frame_put(text, "\"control\":\"%02X\",\"address\":%d,", (unsigned) own->control,
				 own->address);
	if (own->kind == EB_MBUS_SHORT)
		return;
	eb_frame_put(text, "\"ci\":\"%02X\",", (unsigned) own->ci);
	if (own->application_error >= 0)
		eb_frame_put(text, "\"application_error\":%d,", own->application_error);
	if (own->meter_id == 0)
		return;
	eb_frame_put(text, "\"meter_id\":\"%s\",\"manufacturer\":", eb_frame_get(frame, own->meter_id));
	eb_frame_put_text(text, eb_frame_get(frame, own->manufacturer));
	eb_frame_put(text, ",\"medium\":%d,\"more\":%s,\"encrypted\":%s,", own->medium,
				 own->more ? "true" : "false", own->encrypted ? "true" : "false");
}

const EbCodec eb_mbus_codec = {
	.name = "mbus",
	.scan = scan,
	.head = head,
};

/* A short frame; the caller has set what was asked. */
static bool
build(EbMbusAsk ask, unsigned address, unsigned control, EbMbusRequest *request)
{
	if (address > EB_MBUS_LAST_METER && address != EB_MBUS_SELECTED && address != EB_MBUS_ANY)
		return false;
	*request = (EbMbusRequest){.ask = ask,
							   .address = (uint8_t) address,
							   .length = SHORT_FRAME,
							   .bytes = {START_SHORT, (uint8_t) control, (uint8_t) address,
										 (uint8_t) (control + address), END}};
	return true;
}

bool
eb_mbus_nke(unsigned address, EbMbusRequest *request)
{
	return build(EB_MBUS_NKE, address, CONTROL_NKE, request);
}

bool
eb_mbus_request(unsigned address, bool fcb, EbMbusRequest *request)
{
	return build(EB_MBUS_UD2, address, CONTROL_UD2 | (fcb ? CONTROL_FCB : 0U), request);
}

EbMatch
eb_mbus_match(const EbMbusRequest *request, const EbFrame *frame)
{
	const EbFrameMbus *own = &frame->mbus;
	bool anyone = request->address == EB_MBUS_SELECTED || request->address == EB_MBUS_ANY;

	if (frame->codec != &eb_mbus_codec)
		return EB_MATCH_FOREIGN;
	if (!frame->from_meter)
		return EB_MATCH_ECHO;
	if (own->kind == EB_MBUS_ACK)
		return request->ask == EB_MBUS_NKE ? EB_MATCH_ANSWER : EB_MATCH_FOREIGN;
	if (request->ask != EB_MBUS_UD2 || (!anyone && own->address != request->address))
		return EB_MATCH_FOREIGN;
	if (own->ci == CI_ERROR)
		return EB_MATCH_EXCEPTION;
	return own->ci == CI_VARIABLE ? EB_MATCH_ANSWER : EB_MATCH_FOREIGN;
}
