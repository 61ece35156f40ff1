/*
 * frame_json.c -- a frame as JSON, the same text for SQL, collector and tests
 * In:  a frame of any codec; out: one JSON object as frame_decode documents it.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * Nothing is escaped here: a codec lets only printable ASCII without quote and backslash into the
 * text fields of a frame, and refuses or ignores everything else.
 */
#include "codec/frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
eb_frame_put(EbFrameText *text, const char *format, ...)
{
	size_t room = text->size - text->used;
	int length;
	va_list args;

	if (text->full)
		return;
	va_start(args, format);
	length = vsnprintf(text->out + text->used, room, format, args);
	va_end(args);
	if (length < 0 || (size_t) length >= room)
		text->full = true;
	else
		text->used += (size_t) length;
}

EbFrameItem *
eb_frame_item(EbFrame *frame, const char *id)
{
	EbFrameItem *item;
	size_t length = strlen(id);

	if (frame->nitems == EB_FRAME_MAX_ITEMS || length >= sizeof(item->id))
		return NULL;
	item = &frame->items[frame->nitems++];
	memset(item, 0, sizeof(*item));
	memcpy(item->id, id, length);
	return item;
}

static void
put_item(EbFrameText *text, const EbFrameItem *item)
{
	eb_frame_put(text, "{\"id\":\"%s\",\"value\":", item->id);
	if (item->absent)
		eb_frame_put(text, "null");
	else
		eb_frame_put(text, "\"%s\"", item->value);
	if (item->unit[0] != '\0')
		eb_frame_put(text, ",\"unit\":\"%s\"", item->unit);
	if (item->time[0] != '\0')
		eb_frame_put(text, ",\"time\":\"%s\"", item->time);
	eb_frame_put(text, "}");
}

size_t
eb_frame_json(const EbFrame *frame, char *out, size_t size)
{
	EbFrameText text = {.out = out, .size = size};

	eb_frame_put(&text, "{\"offset\":%llu,\"length\":%zu,", (unsigned long long) frame->offset,
				 frame->length);
	frame->codec->head(frame, &text);
	eb_frame_put(&text, "\"items\":[");
	for (int i = 0; i < frame->nitems; i++)
	{
		eb_frame_put(&text, "%s", i > 0 ? "," : "");
		put_item(&text, &frame->items[i]);
	}
	eb_frame_put(&text, "]}");
	return text.full ? 0 : text.used;
}
