/*
 * log.c -- one line per event on stderr, with the priority prefix journald understands
 * In:  events of every other module.
 * Out: stderr. Nothing a meter sends reaches it unescaped; a line that repeats is printed once
 *      a minute with its count, so a babbling meter cannot fill a disk.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

#define LOG_LINE 512
#define LOG_SLOTS 64
#define LOG_HOLD_MS 60000

/* One line of the last minute and how often it came again. */
typedef struct LogSlot
{
	EbLogLevel level;
	int64_t first_ms; /* monotonic; the slot is free when text is empty */
	unsigned repeats;
	char text[LOG_LINE];
} LogSlot;

static LogSlot log_slot[LOG_SLOTS];
static EbLogLevel log_level = EB_LOG_INFO;

void
eb_log_level(EbLogLevel level)
{
	log_level = level;
}

/* Control bytes become blanks: one event is one line, whatever a library put into its message. */
static void
print_line(EbLogLevel level, const char *text, unsigned repeats)
{
	char line[LOG_LINE + 64];
	int n = snprintf(line, sizeof(line), "<%d>%s", (int) level, text);

	if (repeats > 0)
		n = snprintf(line, sizeof(line), "<%d>%s (%u more times)", (int) level, text, repeats);
	for (int i = 0; i < n; i++)
		if ((unsigned char) line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	fprintf(stderr, "%s\n", line);
}

static void
free_slot(LogSlot *slot)
{
	if (slot->repeats > 0)
		print_line(slot->level, slot->text, slot->repeats);
	slot->text[0] = '\0';
	slot->repeats = 0;
}

void
eb_log(EbLogLevel level, const char *format, ...)
{
	LogSlot *oldest = &log_slot[0];
	int64_t now_ms = eb_clock_mono_ms();
	char text[LOG_LINE];
	va_list args;

	if (level > log_level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	for (int i = 0; i < LOG_SLOTS; i++)
	{
		LogSlot *slot = &log_slot[i];

		if (slot->text[0] != '\0' && now_ms - slot->first_ms >= LOG_HOLD_MS)
			free_slot(slot);
		if (slot->text[0] != '\0' && slot->level == level && strcmp(slot->text, text) == 0)
		{
			slot->repeats++;
			return;
		}
		if (oldest->text[0] != '\0' && (slot->text[0] == '\0' || slot->first_ms < oldest->first_ms))
			oldest = slot;
	}
	free_slot(oldest);
	oldest->level = level;
	oldest->first_ms = now_ms;
	memcpy(oldest->text, text, sizeof(text));
	print_line(level, text, 0);
}

void
eb_log_flush(int due_only)
{
	int64_t now_ms = eb_clock_mono_ms();

	for (int i = 0; i < LOG_SLOTS; i++)
		if (log_slot[i].text[0] != '\0' &&
			(!due_only || now_ms - log_slot[i].first_ms >= LOG_HOLD_MS))
			free_slot(&log_slot[i]);
}

bool
eb_log_share(EbLogShare *share, int most, const char *what)
{
	int64_t minute = eb_clock_mono_ms() / 60000;

	if (minute != share->minute)
		*share = (EbLogShare){minute, 0};
	if (share->count <= most)
		share->count++;
	if (share->count == most + 1)
	{
		share->count++;
		eb_log(EB_LOG_WARNING, "%s: %d within a minute, more are only counted", what, most);
	}
	return share->count <= most;
}

const char *
eb_log_bytes(char *buf, size_t size, const uint8_t *bytes, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++)
	{
		if (used + 8 > size)
		{
			memcpy(buf + used, "...", 4);
			return buf;
		}
		if (bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '\\')
			buf[used++] = (char) bytes[i];
		else
			used += (size_t) snprintf(buf + used, size - used, "\\x%02X", bytes[i]);
	}
	buf[used] = '\0';
	return buf;
}
