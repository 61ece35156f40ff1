/*
 * dlt698.c -- DL/T 698.45 frames: finding them in a stream, and the request that reads
 * In:  bytes of the line; out: frames. What the APDU inside says is in dlt698_data.c.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 *		FE .. 68 LL LL C SA A[..] CA HCS HCS APDU FCS FCS 16
 *
 * LL counts everything between 68 and 16; the low nibble of SA is one less than the bytes of the
 * address. HCS covers LL to CA, FCS LL to the APDU, both CRC-16/X.25, low byte first. Either is
 * right or there is no frame.
 */
#include "codec/dlt698.h"

#include "base/crc.h"

#include <stdio.h>
#include <string.h>

#define START 0x68
#define END 0x16
#define PREAMBLE 0xFE
#define OFFSET 0x33 /* added to each byte of a scrambled APDU */

/* Bits of the control byte. */
#define FROM_METER 0x80
#define ASKED 0x40 /* the exchange was begun by the client */
#define PART 0x20  /* the APDU is a part of a longer one */
#define SCRAMBLED 0x08
#define USER_DATA 0x03

#define LENGTH_MASK 0x3FFF
#define WILDCARD 0x40 /* of SA: the address has wildcards */

/* LL LL C SA, one byte of address, CA, HCS, FCS. */
#define MIN_COUNTED 10

static size_t
low_first(const uint8_t *bytes)
{
	return bytes[0] | (size_t) bytes[1] << 8;
}

static void
put_low_first(uint8_t *bytes, unsigned value)
{
	bytes[0] = (uint8_t) value;
	bytes[1] = (uint8_t) (value >> 8);
}

/* Bytes between 68 and APDU, HCS included, in a frame whose SA byte is there. */
static size_t
head_length(const uint8_t *bytes)
{
	return 4 + (bytes[4] & 0x0Fu) + 1 + 1 + 2;
}

static EbFrameError
read_frame(const uint8_t *bytes, size_t length, EbFrame *frame)
{
	EbFrameDlt698 *own = &frame->dlt698;
	uint8_t plain[EB_FRAME_MAX_LENGTH];
	size_t head = 1 + head_length(bytes);
	size_t naddress = (bytes[4] & 0x0Fu) + 1;
	const uint8_t *apdu = bytes + head;
	size_t n = length - head - 3;
	char *out = frame->address;

	memset(own, 0, sizeof(*own));
	own->service = EB_DLT698_OTHER;
	own->tag = own->piid = own->dar = -1;
	eb_frame_clear(frame);
	frame->checked = true;
	frame->from_meter = (bytes[3] & FROM_METER) != 0;
	for (size_t i = naddress; i > 0; i--, out += 2)
		snprintf(out, 3, "%02X", bytes[4 + i]);
	if ((bytes[3] & PART) != 0 || n == 0)
		return EB_FRAME_OK;
	if ((bytes[3] & SCRAMBLED) == 0)
		return eb_dlt698_apdu(apdu, n, frame);
	for (size_t i = 0; i < n; i++)
		plain[i] = (uint8_t) (apdu[i] - OFFSET);
	return eb_dlt698_apdu(plain, n, frame);
}

/* What is wrong with the n bytes from a start byte on, or OK; *length is then that of the frame. */
static EbFrameError
check_frame(const uint8_t *bytes, size_t n, EbFrame *frame, size_t *length)
{
	size_t counted, head;

	if (n < 3)
		return EB_FRAME_TRUNCATED;
	counted = low_first(bytes + 1) & LENGTH_MASK;
	if (counted < MIN_COUNTED)
		return EB_FRAME_STRUCTURE;
	if (counted + 2 > EB_FRAME_MAX_LENGTH && n >= EB_FRAME_MAX_LENGTH)
		return EB_FRAME_TOO_LONG;
	if (n < counted + 2)
		return EB_FRAME_TRUNCATED;
	head = head_length(bytes);
	if (counted < head + 2)
		return EB_FRAME_STRUCTURE;
	if (eb_crc16_x25(bytes + 1, head - 2) != low_first(bytes + head - 1) ||
		eb_crc16_x25(bytes + 1, counted - 2) != low_first(bytes + counted - 1))
		return EB_FRAME_CHECKSUM;
	if (bytes[counted + 1] != END)
		return EB_FRAME_STRUCTURE;
	*length = counted + 2;
	return read_frame(bytes, *length, frame);
}

static EbScan
scan(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	const uint8_t *start = memchr(in->bytes, START, in->n);

	if (start != in->bytes)
	{
		*length = start != NULL ? (size_t) (start - in->bytes) : in->n;
		return EB_SCAN_SKIP;
	}
	*error = check_frame(in->bytes, in->n, frame, length);
	if (*error == EB_FRAME_OK)
		return EB_SCAN_FRAME;
	if (*error == EB_FRAME_TRUNCATED && !in->ended)
		return EB_SCAN_MORE;
	*length = 1;
	return EB_SCAN_REFUSED;
}

static void
head(const EbFrame *frame, EbFrameText *text)
{
	static const char *const word[] = {
		[EB_DLT698_GET_REQUEST] = "get_request", [EB_DLT698_GET_RESPONSE] = "get_response",
		[EB_DLT698_SET_REQUEST] = "set_request", [EB_DLT698_SET_RESPONSE] = "set_response",
		[EB_DLT698_REPORT] = "report",
	};
	const EbFrameDlt698 *own = &frame->dlt698;

	eb_frame_put(text, "\"address\":\"%s\",\"from_meter\":%s,", frame->address,
				 frame->from_meter ? "true" : "false");
	if (own->service != EB_DLT698_OTHER)
		eb_frame_put(text, "\"service\":\"%s\",", word[own->service]);
	else if (own->tag >= 0)
		eb_frame_put(text, "\"service\":\"%02X\",", (unsigned) own->tag);
	else
		eb_frame_put(text, "\"service\":null,");
	if (own->dar >= 0)
		eb_frame_put(text, "\"dar\":%d,", own->dar);
	eb_frame_put(text, "\"oads\":[");
	for (int i = 0; i < own->noads; i++)
		eb_frame_put(text, "%s\"%08X\"", i > 0 ? "," : "", own->oad[i]);
	eb_frame_put(text, "],");
}

const EbCodec eb_dlt698_codec = {
	.name = "dlt698",
	.scan = scan,
	.head = head,
};

bool
eb_dlt698_address_ok(const char *address)
{
	size_t wild = strspn(address, "A");
	size_t digits = strspn(address + wild, "0123456789");

	return wild % 2 == 0 && digits % 2 == 0 && wild + digits >= 2 && wild + digits <= 32 &&
		   address[wild + digits] == '\0';
}

static unsigned
nibble(char digit)
{
	return digit == 'A' ? 0xA : (unsigned) (digit - '0');
}

/* The bytes of a request whose address, number and objects are given. */
static void
build(EbDlt698Request *request)
{
	size_t naddress = strlen(request->address) / 2;
	uint8_t *frame = request->bytes + 4;
	uint8_t *at = frame + 5;
	size_t counted;

	memset(request->bytes, PREAMBLE, 4);
	frame[0] = START;
	frame[3] = ASKED | USER_DATA;
	frame[4] = (uint8_t) ((request->address[0] == 'A' ? WILDCARD : 0) | (naddress - 1));
	for (size_t i = naddress; i > 0; i--)
	{
		const char *pair = request->address + 2 * (i - 1);

		*at++ = (uint8_t) (nibble(pair[0]) << 4 | nibble(pair[1]));
	}
	*at++ = 0; /* the client: of no concern */
	at += 2;   /* HCS, when the length is known */
	*at++ = EB_DLT698_GET;
	*at++ = request->noads == 1 ? 1 : 2;
	*at++ = request->piid;
	if (request->noads > 1)
		*at++ = (uint8_t) request->noads;
	for (int i = 0; i < request->noads; i++)
		for (int shift = 24; shift >= 0; shift -= 8)
			*at++ = (uint8_t) (request->oad[i] >> shift);
	*at++ = 0; /* no time tag */
	counted = (size_t) (at - frame) + 1;
	put_low_first(frame + 1, (unsigned) counted);
	put_low_first(frame + 6 + naddress, eb_crc16_x25(frame + 1, 5 + naddress));
	put_low_first(at, eb_crc16_x25(frame + 1, counted - 2));
	at[2] = END;
	request->length = 4 + counted + 2;
}

bool
eb_dlt698_get(const char *address, const uint32_t *oads, int n, uint8_t piid,
			  EbDlt698Request *request)
{
	if (!eb_dlt698_address_ok(address) || n < 1 || n > EB_DLT698_MAX_ASKED || piid > 63)
		return false;
	memset(request, 0, sizeof(*request));
	memcpy(request->address, address, strlen(address));
	request->piid = piid;
	request->noads = n;
	memcpy(request->oad, oads, (size_t) n * sizeof(uint32_t));
	build(request);
	return true;
}

/* A's of the asked address stand for any character. */
static bool
address_fits(const char *asked, const char *given)
{
	if (strlen(asked) != strlen(given))
		return false;
	for (; *asked != '\0'; asked++, given++)
		if (*asked != 'A' && *asked != *given)
			return false;
	return true;
}

EbMatch
eb_dlt698_match(const EbDlt698Request *request, const EbFrame *frame)
{
	const EbFrameDlt698 *own = &frame->dlt698;

	if (frame->codec != &eb_dlt698_codec)
		return EB_MATCH_FOREIGN;
	if (!frame->from_meter)
		return EB_MATCH_ECHO;
	if (own->service != EB_DLT698_GET_RESPONSE || own->piid != request->piid ||
		own->noads != request->noads || !address_fits(request->address, frame->address) ||
		memcmp(own->oad, request->oad, (size_t) own->noads * sizeof(uint32_t)) != 0)
		return EB_MATCH_FOREIGN;
	return own->dar > 0 && frame->nitems == 0 ? EB_MATCH_EXCEPTION : EB_MATCH_ANSWER;
}
