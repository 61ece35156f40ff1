/*
 * frame_json.c -- a frame as JSON, the same text for SQL, collector and tests
 * In:  a frame of any codec; out: one JSON object as frame_decode documents it.
 * Floor: codec. Pure C11: no PostgreSQL header, no I/O, no clock, no allocation, no global state.
 *
 * Texts of a meter go through eb_frame_put_text, which escapes them; what a codec writes with
 * eb_frame_put is its own.
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

void
eb_frame_put_text(EbFrameText *text, const char *string)
{
	eb_frame_put(text, "\"");
	while (*string != '\0')
	{
		size_t plain = strcspn(string, "\"\\");

		for (size_t i = 0; i < plain; i++)
			if ((unsigned char) string[i] < 0x20 || (unsigned char) string[i] > 0x7E)
				plain = i;
		eb_frame_put(text, "%.*s", (int) plain, string);
		string += plain;
		if (*string == '"' || *string == '\\')
			eb_frame_put(text, "\\%c", *string++);
		else if (*string != '\0')
			eb_frame_put(text, "\\u%04x", (unsigned) (unsigned char) *string++);
	}
	eb_frame_put(text, "\"");
}

static void
put_item(EbFrameText *text, const EbFrame *frame, const EbFrameItem *item)
{
	eb_frame_put(text, "{\"id\":");
	eb_frame_put_text(text, eb_frame_get(frame, item->id));
	eb_frame_put(text, ",\"value\":");
	if (item->absent)
		eb_frame_put(text, "null");
	else
		eb_frame_put_text(text, eb_frame_get(frame, item->value));
	if (item->unit != 0)
	{
		eb_frame_put(text, ",\"unit\":");
		eb_frame_put_text(text, eb_frame_get(frame, item->unit));
	}
	if (item->time != 0)
	{
		eb_frame_put(text, ",\"time\":");
		eb_frame_put_text(text, eb_frame_get(frame, item->time));
	}
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
		put_item(&text, frame, &frame->items[i]);
	}
	eb_frame_put(&text, "]}");
	return text.full ? 0 : text.used;
}
