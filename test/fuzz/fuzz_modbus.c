/*
 * fuzz_modbus.c -- libFuzzer: any bytes as a Modbus line, as a register map, as registers
 * Raw noise seldom has a good CRC, so the input is also framed: its bytes become a reply with the
 * right CRC, which must be found, and whose values must be those of the map. A map is either
 * refused at a place inside its text, or keeps to its limits.
 */
#include "codec/modbus.h"

#include "base/crc.h"
#include "base/float32.h"
#include "base/scaled.h"

#include "fuzz.h"

/* The input as one reply of registers; returns its length. */
static size_t
frame_input(const uint8_t *bytes, size_t n, uint8_t *frame)
{
	size_t count = (n - 2 < 250 ? n - 2 : 250) & ~(size_t) 1;
	uint16_t crc;

	frame[0] = bytes[0] % 248;
	frame[1] = 3 + bytes[1] % 2;
	frame[2] = (uint8_t) count;
	memcpy(frame + 3, bytes + 2, count);
	crc = eb_crc16_modbus(frame, 3 + count);
	frame[3 + count] = (uint8_t) crc;
	frame[4 + count] = (uint8_t) (crc >> 8);
	return 5 + count;
}

static void
framed_input_is_found(const EbModbusMap *map, const uint8_t *frame, size_t n)
{
	static EbFrameReader reader;
	static EbFrame got;
	const uint8_t *from = frame;
	size_t left = n;

	eb_frame_begin(&reader, &eb_modbus_codec, map);
	if (eb_frame_feed(&reader, &from, &left, &got) && got.offset == 0)
	{
		HOLD(got.length == n && got.modbus.nregisters == frame[2] / 2);
		HOLD(got.nitems == (map != NULL ? map->nparts : 0));
	}
	else
		HOLD(map != NULL && reader.first_error == EB_FRAME_VALUE);
}

/* The map the input spells, or NULL. */
static const EbModbusMap *
map_of(const uint8_t *bytes, size_t n)
{
	static EbModbusMap map;
	size_t at = n + 1;
	const char *wanted = eb_modbus_map_parse((const char *) bytes, n, &map, &at);

	HOLD(at <= n && (wanted != NULL || at == n));
	if (wanted != NULL)
		return NULL;
	HOLD(map.nparts >= 1 && map.nparts <= EB_MODBUS_MAX_COUNT);
	for (int i = 0; i < map.nparts; i++)
	{
		const EbModbusForm *form = &map.part[i].form;

		HOLD(map.part[i].index + eb_modbus_words(form->type) <= EB_MODBUS_MAX_COUNT);
		HOLD(form->factor != 0 && form->places >= 0 && form->places <= 18);
		HOLD(form->factor < 1000000000000000000 && form->factor > -1000000000000000000);
		HOLD(form->divisor >= 0 && form->divisor <= 1000000000);
	}
	return &map;
}

/* A binary32 as decimal reads back as the same bits. */
static void
float_reads_back(const uint8_t *bytes)
{
	char text[EB_SCALED_TEXT];
	uint32_t bits, back;
	EbFloat32 real;
	float value;

	memcpy(&bits, bytes, sizeof(bits));
	if (!eb_float32_shortest(bits, &real))
	{
		HOLD((bits & 0x7F800000) == 0x7F800000);
		return;
	}
	eb_scaled_text(real.negative, real.digits, real.exponent, text);
	value = strtof(text, NULL);
	memcpy(&back, &value, sizeof(back));
	HOLD(back == bits || (bits == 0x80000000 && back == 0));
}

/* What a builder makes is found, is an echo, and asks what was to be asked. */
static void
request_comes_back(const uint8_t *bytes)
{
	static EbFrameReader reader;
	static EbFrame frame;
	EbModbusRequest request;
	unsigned addr = (unsigned) bytes[0] << 8 | bytes[1];
	unsigned count = 1 + bytes[2] % 125;
	const uint8_t *from = request.bytes;
	size_t left;

	if (!eb_modbus_read(1 + bytes[3] % 247, 3 + bytes[4] % 2, addr, count, &request))
	{
		HOLD(addr + count > 65536);
		return;
	}
	left = request.length;
	eb_frame_begin(&reader, &eb_modbus_codec, NULL);
	HOLD(eb_frame_feed(&reader, &from, &left, &frame) || eb_frame_finish(&reader, &frame));
	/*
	 * Of the requests for a register from 0200 to 02FF one in 65,536 is also a reply of one register,
	 * with a CRC that fits: nothing in the bytes tells them apart.
	 */
	if (frame.length == 7 && bytes[0] == 2)
	{
		HOLD(eb_modbus_match(&request, &frame) ==
			 (count == 1 ? EB_MATCH_ANSWER : EB_MATCH_FOREIGN));
		return;
	}
	HOLD(frame.length == request.length && frame.modbus.request);
	HOLD(frame.modbus.addr == addr && frame.modbus.count == count);
	HOLD(eb_modbus_match(&request, &frame) == EB_MATCH_ECHO);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t frame[EB_MODBUS_MAX_FRAME];
	const char map_text[] = "0=float32/BADC*0.1,0=u64/DCBA,1=s16*-2,2=s32/CDAB*0.001";
	const EbModbusMap *map = map_of(bytes, n);

	fuzz_codec_map(&eb_modbus_codec, map, bytes, n);
	if (n < 6)
		return 0;
	if (map == NULL)
		map = map_of((const uint8_t *) map_text, sizeof(map_text) - 1);
	n = frame_input(bytes, n, frame);
	fuzz_codec_map(&eb_modbus_codec, map, frame, n);
	framed_input_is_found(map, frame, n);
	framed_input_is_found(NULL, frame, n);
	float_reads_back(bytes);
	request_comes_back(bytes);
	return 0;
}
