/*
 * frame_text.c -- items and texts of a frame, kept inside the frame
 * In:  what a codec has read; out: references that stay good when the frame is copied.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 */
#include "codec/frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
eb_frame_get(const EbFrame *frame, EbFrameRef ref)
{
	return frame->text + ref;
}

void
eb_frame_clear(EbFrame *frame)
{
	frame->nitems = 0;
	frame->full = false;
	frame->text[0] = '\0';
	frame->text_used = 1;
}

/* n characters and their terminator, not yet written; 0 when there is no room. */
static EbFrameRef
take_room(EbFrame *frame, size_t n)
{
	size_t at = frame->text_used;

	if (n == 0)
		return 0;
	if (n >= EB_FRAME_TEXT_SIZE - at)
	{
		frame->full = true;
		return 0;
	}
	frame->text[at + n] = '\0';
	frame->text_used = at + n + 1;
	return (EbFrameRef) at;
}

EbFrameRef
eb_frame_keep(EbFrame *frame, const char *string, size_t n)
{
	EbFrameRef ref = take_room(frame, n);

	if (ref != 0)
		memcpy(frame->text + ref, string, n);
	return ref;
}

EbFrameRef
eb_frame_keep_as(EbFrame *frame, const char *format, ...)
{
	char string[256];
	int length;
	va_list args;

	va_start(args, format);
	length = vsnprintf(string, sizeof(string), format, args);
	va_end(args);
	if (length < 0 || (size_t) length >= sizeof(string))
	{
		frame->full = true;
		return 0;
	}
	return eb_frame_keep(frame, string, (size_t) length);
}

EbFrameRef
eb_frame_keep_hex(EbFrame *frame, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	EbFrameRef ref = take_room(frame, 2 * n);

	for (size_t i = 0; ref != 0 && i < n; i++)
	{
		frame->text[ref + 2 * i] = digits[bytes[i] >> 4];
		frame->text[ref + 2 * i + 1] = digits[bytes[i] & 0x0F];
	}
	return ref;
}

EbFrameItem *
eb_frame_item(EbFrame *frame, const char *id)
{
	EbFrameItem *item;
	EbFrameRef ref;

	if (frame->nitems == EB_FRAME_MAX_ITEMS)
	{
		frame->full = true;
		return NULL;
	}
	ref = eb_frame_keep(frame, id, strlen(id));
	if (ref == 0)
		return NULL;
	item = &frame->items[frame->nitems++];
	*item = (EbFrameItem){.id = ref};
	return item;
}
