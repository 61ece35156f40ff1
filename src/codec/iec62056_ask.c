/*
 * iec62056_ask.c -- IEC 62056-21: the two requests that read, and what answers them
 * In:  an address or the six bytes of an acknowledgement; out: bytes to send.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "codec/iec62056.h"

#include <string.h>

#define ACK 0x06

static bool
address_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ';
}

bool
eb_iec62056_sign_on(const char *address, EbIec62056Request *request)
{
	size_t n = strlen(address);

	if (n > EB_IEC62056_MAX_ADDRESS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!address_char(address[i]))
			return false;
	request->kind = EB_IEC_REQUEST;
	memcpy(request->bytes, "/?", 2);
	memcpy(request->bytes + 2, address, n);
	memcpy(request->bytes + 2 + n, "!\r\n", 3);
	request->length = n + 5;
	return true;
}

static bool
is_printable(uint8_t byte)
{
	return byte > 0x20 && byte < 0x7F;
}

bool
eb_iec62056_ack(const uint8_t six[EB_IEC62056_ACK_SIZE], EbIec62056Request *request)
{
	if (six[0] != ACK || !is_printable(six[1]) || !is_printable(six[2]) || !is_printable(six[3]) ||
		six[3] == '1' || six[4] != '\r' || six[5] != '\n')
		return false;
	request->kind = EB_IEC_ACK;
	memcpy(request->bytes, six, EB_IEC62056_ACK_SIZE);
	request->length = EB_IEC62056_ACK_SIZE;
	return true;
}

void
eb_iec62056_readout(char z, uint8_t six[EB_IEC62056_ACK_SIZE])
{
	const uint8_t readout[EB_IEC62056_ACK_SIZE] = {ACK, '0', (uint8_t) z, '0', '\r', '\n'};

	memcpy(six, readout, sizeof(readout));
}

int
eb_iec62056_baud(char z)
{
	static const int speed[] = {300, 600, 1200, 2400, 4800, 9600, 19200};

	if (z >= '0' && z <= '6')
		return speed[z - '0'];
	if (z >= 'A' && z <= 'F')
		return speed[z - 'A' + 1];
	return -1;
}

char
eb_iec62056_mode(char z)
{
	if (eb_iec62056_baud(z) < 0)
		return 'A';
	return z <= '6' ? 'C' : 'B';
}

EbMatch
eb_iec62056_match(const EbIec62056Request *request, const EbFrame *frame)
{
	if (frame->codec != &eb_iec62056_codec)
		return EB_MATCH_FOREIGN;
	if (!frame->from_meter)
		return EB_MATCH_ECHO;
	switch (frame->iec62056.kind)
	{
		case EB_IEC_TELEGRAM:
			return EB_MATCH_ANSWER;
		case EB_IEC_IDENT:
			return request->kind == EB_IEC_REQUEST ? EB_MATCH_ANSWER : EB_MATCH_FOREIGN;
		case EB_IEC_DATA:
			return request->kind == EB_IEC_ACK ? EB_MATCH_ANSWER : EB_MATCH_FOREIGN;
		case EB_IEC_COMMAND:
			return EB_MATCH_EXCEPTION;
		case EB_IEC_REQUEST:
		case EB_IEC_ACK:
			break;
	}
	return EB_MATCH_ECHO;
}
