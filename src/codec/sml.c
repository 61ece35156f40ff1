/*
 * sml.c -- SML files: finding them in a stream, and the values in them
 * In:  bytes of the info port; out: one frame per file. How values are coded is in sml_value.c.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "codec/sml.h"

#include "base/crc.h"
#include "codec/obis.h"

#include <stdio.h>
#include <string.h>

#define ESCAPE 0x1B
#define ESCAPE_SIZE 4
#define START 0x01
#define END 0x1A
#define HEAD_SIZE 8 /* escape and 01010101 */
#define TAIL_SIZE 8 /* escape, 1A, number of padding bytes, CRC */
#define MAX_PADDING 3

/* Escape bytes in a row; a value of half as many of them is none of a meter. */
#define MAX_RUN 64

#define GET_LIST_RESPONSE 0x0701
#define MAX_SERVER_ID 32

static const uint8_t head_bytes[HEAD_SIZE] = {ESCAPE, ESCAPE, ESCAPE, ESCAPE,
											  START,  START,  START,  START};

/* What meters do against the norm. */
#define QUIRK_KERMIT 1	 /* CRC-16/KERMIT, high byte first, of the file and of each message */
#define QUIRK_UNSIGNED 2 /* power of fewer than 4 bytes is positive, though sent as integer */

/* Server ids of ten bytes: these five, then a number high byte first. */
typedef struct Quirk
{
	uint8_t maker[5];
	uint64_t low;
	uint64_t high;
	unsigned what;
} Quirk;

/*
 * Holley DTZ541: volkszaehler/libsml #75, spacemanspiff2007/SmlLib #22; not all of them do it.
 * DZG DVS74: devZer0/libsml-testing (DVS-7412.2); the numbers are those told by libsml.
 */
static const Quirk quirks[] = {
	{{0x0A, 0x01, 'H', 'L', 'Y'}, 0, UINT64_MAX, QUIRK_KERMIT},
	{{0x0A, 0x01, 'D', 'Z', 'G'}, 42000000, 48999999, QUIRK_UNSIGNED},
	{{0x0A, 0x01, 'D', 'Z', 'G'}, 55000000, 58999999, QUIRK_UNSIGNED},
};

/* A file on its way into a frame. */
typedef struct File
{
	EbSmlReader reader;
	EbFrame *frame;
	bool allowed;	/* quirks are looked for */
	unsigned quirk; /* of the server id */
	bool kermit;	/* every message has that CRC */
} File;

static unsigned
find_quirk(const EbSmlValue *server)
{
	uint64_t number = 0;

	if (server->n != 10)
		return 0;
	for (size_t i = sizeof(quirks[0].maker); i < server->n; i++)
		number = number << 8 | server->bytes[i];
	for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++)
		if (memcmp(server->bytes, quirks[i].maker, sizeof(quirks[i].maker)) == 0 &&
			number >= quirks[i].low && number <= quirks[i].high)
			return quirks[i].what;
	return 0;
}

/* Adds the entry as item; other values than numbers with a unit and octets are passed over. */
static EbFrameError
add_item(File *file, const EbSmlValue *name, const EbSmlValue *unit, const EbSmlValue *scaler,
		 EbSmlValue value)
{
	static const uint8_t power[6] = {1, 0, 16, 7, 0, 255};
	char id[EB_OBIS_TEXT_SIZE], text[EB_SCALED_TEXT];
	int32_t code = 0, places = 0;
	EbFrameItem *item;

	if (name->type != EB_SML_OCTETS || name->n != 6)
		return EB_FRAME_OK;
	eb_obis_text(name->bytes, id);
	if (value.type == EB_SML_OCTETS && value.n > 0)
	{
		item = eb_frame_item(file->frame, id);
		if (item != NULL)
			item->value = eb_frame_keep_hex(file->frame, value.bytes, value.n);
		return EB_FRAME_OK;
	}
	if (!eb_sml_small(unit, &code) || eb_obis_unit((unsigned) code) == NULL ||
		(value.type != EB_SML_INTEGER && value.type != EB_SML_UNSIGNED))
		return EB_FRAME_OK;
	if ((file->quirk & QUIRK_UNSIGNED) != 0 && value.n < 4 &&
		memcmp(name->bytes, power, sizeof(power)) == 0)
		value.type = EB_SML_UNSIGNED;
	if ((scaler->n > 0 && !eb_sml_small(scaler, &places)) || !eb_sml_decimal(&value, places, text))
		return EB_FRAME_VALUE;
	item = eb_frame_item(file->frame, id);
	if (item == NULL)
		return EB_FRAME_OK;
	item->value = eb_frame_keep(file->frame, text, strlen(text));
	item->unit = eb_frame_keep_as(file->frame, "%s", eb_obis_unit((unsigned) code));
	return EB_FRAME_OK;
}

/* name, status, time, unit, scaler, value, signature */
static EbFrameError
read_entry(File *file)
{
	EbSmlReader *reader = &file->reader;
	EbSmlValue list, name, unit, scaler, value;

	if (!eb_sml_next(reader, &list) || list.type != EB_SML_LIST || list.n != 7 ||
		!eb_sml_next(reader, &name) ||
		!eb_sml_skip(reader, name.type == EB_SML_LIST ? name.n : 0) || !eb_sml_skip(reader, 2) ||
		!eb_sml_next(reader, &unit) || unit.type == EB_SML_LIST || !eb_sml_next(reader, &scaler) ||
		scaler.type == EB_SML_LIST || !eb_sml_next(reader, &value) ||
		!eb_sml_skip(reader, value.type == EB_SML_LIST ? value.n : 0) || !eb_sml_skip(reader, 1))
		return EB_FRAME_STRUCTURE;
	return add_item(file, &name, &unit, &scaler, value);
}

/* client, server, name of the list, sensor time, entries, signature, gateway time */
static EbFrameError
read_list(File *file)
{
	EbSmlReader *reader = &file->reader;
	EbSmlValue list, server, entries;
	EbFrame *frame = file->frame;
	EbFrameError error = EB_FRAME_OK;

	if (!eb_sml_next(reader, &list) || list.type != EB_SML_LIST || list.n != 7 ||
		!eb_sml_skip(reader, 1) || !eb_sml_next(reader, &server) || server.type != EB_SML_OCTETS ||
		server.n > MAX_SERVER_ID || !eb_sml_skip(reader, 2) || !eb_sml_next(reader, &entries) ||
		entries.type != EB_SML_LIST)
		return EB_FRAME_STRUCTURE;
	frame->sml.server_id = eb_frame_keep_hex(frame, server.bytes, server.n);
	snprintf(frame->address, sizeof(frame->address), "%s",
			 eb_frame_get(frame, frame->sml.server_id));
	if (file->allowed)
		file->quirk = find_quirk(&server);
	for (size_t i = 0; i < entries.n && error == EB_FRAME_OK; i++)
		error = read_entry(file);
	if (error == EB_FRAME_OK && !eb_sml_skip(reader, 2))
		error = EB_FRAME_STRUCTURE;
	return error;
}

/* transaction, group, abort, body (tag, content), CRC, end; bytes left over from another are ends */
static EbFrameError
read_message(File *file)
{
	EbSmlReader *reader = &file->reader;
	size_t from = reader->at, upto;
	EbSmlValue list, body, tag, crc, end;
	int32_t number;
	EbFrameError error = EB_FRAME_OK;

	if (!eb_sml_next(reader, &list))
		return EB_FRAME_STRUCTURE;
	if (list.type == EB_SML_END)
		return EB_FRAME_OK;
	if (list.type != EB_SML_LIST || list.n != 6 || !eb_sml_skip(reader, 3) ||
		!eb_sml_next(reader, &body) || body.type != EB_SML_LIST || body.n != 2 ||
		!eb_sml_next(reader, &tag) || !eb_sml_small(&tag, &number))
		return EB_FRAME_STRUCTURE;
	if (number == GET_LIST_RESPONSE)
		error = read_list(file);
	else if (!eb_sml_skip(reader, 1))
		error = EB_FRAME_STRUCTURE;
	if (error != EB_FRAME_OK)
		return error;
	upto = reader->at;
	if (!eb_sml_next(reader, &crc) || !eb_sml_small(&crc, &number) || !eb_sml_next(reader, &end) ||
		end.type != EB_SML_END)
		return EB_FRAME_STRUCTURE;
	if (number != eb_crc16_kermit(reader->bytes + from, upto - from))
		file->kermit = false;
	return EB_FRAME_OK;
}

/* Takes the escapes out of n bytes; returns how many are left. */
static size_t
unescape(const uint8_t *bytes, size_t n, uint8_t *out)
{
	size_t used = 0, run = 0;

	for (size_t i = 0; i < n; i++)
	{
		run = bytes[i] == ESCAPE ? run + 1 : 0;
		out[used++] = bytes[i];
		if (run == 2 * ESCAPE_SIZE)
		{
			used -= ESCAPE_SIZE;
			run = 0;
		}
	}
	return used;
}

/* The messages of a file of that length; its checksum is looked at when they are understood. */
static EbFrameError
read_file(const uint8_t *bytes, size_t length, File *file)
{
	EbFrame *frame = file->frame;
	uint8_t body[EB_FRAME_MAX_LENGTH];
	size_t padding = bytes[length - 3];
	size_t n = unescape(bytes + HEAD_SIZE, length - HEAD_SIZE - TAIL_SIZE, body);
	EbFrameError error = EB_FRAME_OK;

	eb_frame_clear(frame);
	frame->sml = (EbFrameSml){0};
	frame->from_meter = true;
	frame->checked = true;
	frame->address[0] = '\0';
	if (padding > MAX_PADDING || padding > n)
		return EB_FRAME_STRUCTURE;
	file->reader = (EbSmlReader){body, n - padding, 0};
	file->kermit = true;
	while (file->reader.at < file->reader.n && error == EB_FRAME_OK)
		error = read_message(file);
	if (error == EB_FRAME_OK && frame->full)
		error = EB_FRAME_TOO_LONG;
	return error;
}

/*
 * The end of the file that begins at bytes; sets *length. An escape is the last four of a run of
 * escape bytes that is not made of doubled ones alone. STRUCTURE: another escape than the end's.
 */
static EbFrameError
find_end(const uint8_t *bytes, size_t n, size_t *seen, size_t *length)
{
	size_t at = *seen > HEAD_SIZE ? *seen : HEAD_SIZE;

	while (at < n)
	{
		const uint8_t *run = memchr(bytes + at, ESCAPE, n - at);
		size_t end;

		*seen = run != NULL ? (size_t) (run - bytes) : n;
		for (end = *seen; end < n && bytes[end] == ESCAPE; end++)
			if (end - *seen == MAX_RUN)
				return EB_FRAME_STRUCTURE;
		if (end == n)
			break;
		at = end;
		if ((end - *seen) % (2 * ESCAPE_SIZE) < ESCAPE_SIZE)
			continue;
		if (bytes[end] != END)
			return EB_FRAME_STRUCTURE;
		if (end + TAIL_SIZE - ESCAPE_SIZE > n)
			break;
		*length = end + TAIL_SIZE - ESCAPE_SIZE;
		return EB_FRAME_OK;
	}
	return EB_FRAME_TRUNCATED;
}

static EbFrameError
check_file(const EbScanInput *in, size_t n, bool allowed, EbFrame *frame, size_t *length)
{
	const uint8_t *bytes = in->bytes;
	File file = {.frame = frame, .allowed = allowed};
	size_t size = 0;
	unsigned first, second;
	EbFrameError error = find_end(bytes, n, in->seen, &size);

	if (error != EB_FRAME_OK)
		return error;
	first = bytes[size - 2];
	second = bytes[size - 1];
	if (eb_crc16_x25(bytes, size - 2) == (second << 8 | first))
		error = read_file(bytes, size, &file);
	else if (!allowed || eb_crc16_kermit(bytes, size - 2) != (first << 8 | second) ||
			 read_file(bytes, size, &file) != EB_FRAME_OK || !file.kermit ||
			 (file.quirk & QUIRK_KERMIT) == 0)
		error = EB_FRAME_CHECKSUM;
	if (error == EB_FRAME_OK)
		*length = size;
	return error;
}

static EbScan
scan_file(const EbScanInput *in, bool allowed, EbFrame *frame, size_t *length, EbFrameError *error)
{
	const uint8_t *start = memchr(in->bytes, ESCAPE, in->n);
	bool all = in->n >= EB_FRAME_MAX_LENGTH;

	*length = start != NULL ? (size_t) (start - in->bytes) : in->n;
	if (*length > 0)
		return EB_SCAN_SKIP;
	*length = 1;
	if (memcmp(in->bytes, head_bytes, in->n < HEAD_SIZE ? in->n : HEAD_SIZE) != 0)
		return EB_SCAN_SKIP;
	*error = EB_FRAME_TRUNCATED;
	if (in->n >= HEAD_SIZE)
		*error = check_file(in, all ? EB_FRAME_MAX_LENGTH : in->n, allowed, frame, length);
	if (*error == EB_FRAME_OK)
		return EB_SCAN_FRAME;
	if (*error == EB_FRAME_TRUNCATED && all)
		*error = EB_FRAME_TOO_LONG;
	else if (*error == EB_FRAME_TRUNCATED && !in->ended)
		return EB_SCAN_MORE;
	return EB_SCAN_REFUSED;
}

static EbScan
scan(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	return scan_file(in, false, frame, length, error);
}

static EbScan
scan_quirks(const EbScanInput *in, EbFrame *frame, size_t *length, EbFrameError *error)
{
	return scan_file(in, true, frame, length, error);
}

static void
head(const EbFrame *frame, EbFrameText *text)
{
	if (frame->sml.server_id == 0)
		eb_frame_put(text, "\"server_id\":null,");
	else
		eb_frame_put(text, "\"server_id\":\"%s\",", eb_frame_get(frame, frame->sml.server_id));
}

const EbCodec eb_sml_codec = {
	.name = "sml",
	.scan = scan,
	.head = head,
};

const EbCodec eb_sml_quirks_codec = {
	.name = "sml-quirks",
	.scan = scan_quirks,
	.head = head,
};
