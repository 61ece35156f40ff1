/*
 * bus_csvline.c -- a line on which meters speak by themselves: meter,usage[,time]
 * In:  bytes with the instant of their arrival.
 * Out: frames for intake.c. A line that does not end within two seconds is dropped, with its tail
 *      when that still comes; so is what was being said when the port was opened. A line without
 *      its head would look whole.
 * Source: doc/collector.md.
 */
#include "listen.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codec/csvline.h"

#define HALF_LINE_MS 2000

/* Silence that no meter makes inside a line: 96 bytes at 9600 baud. */
#define QUIET_MS 100

typedef struct Listener
{
	EbFrameReader reader;
	EbFrame frame;
	EbTimer timer;		/* of a line that does not end, or of --once */
	bool in_step;		/* at the start of a line, or inside one from its start on */
	bool tail;			/* the rest of a dropped line is still to come */
	int64_t quiet_from; /* monotonic: last byte, or the opening */
	int64_t drop_ms;	/* monotonic: when the line begun has had its time */
	int64_t end_ms;		/* monotonic: when --once stops listening */
	int64_t line_at_ms; /* UTC of the first byte of the line */
	size_t len;
	uint8_t line[EB_CSVLINE_MAX_LINE + 2]; /* as far as it fits */
} Listener;

static void
refuse(EbBus *bus, EbFrameError error)
{
	Listener *listener = bus->own;

	bus->counts.error[error]++;
	eb_intake_bad(bus->intake, bus->conf, NULL, eb_frame_error_word(error),
				  (EbBytes){listener->line, listener->len}, listener->line_at_ms);
}

static void
take_frame(EbBus *bus)
{
	Listener *listener = bus->own;

	eb_listen_frame(bus, &listener->frame, (EbBytes){listener->line, listener->len},
					listener->line_at_ms);
}

/* Bytes up to a line end, or the piece of a line: the codec sees them as they came. */
static void
take_piece(EbBus *bus, const uint8_t *bytes, size_t n, int64_t at_ms)
{
	Listener *listener = bus->own;
	bool ends = bytes[n - 1] == '\n';
	size_t room = sizeof(listener->line) - listener->len;
	EbFrameError error;

	if (listener->len == 0)
	{
		listener->line_at_ms = at_ms;
		listener->drop_ms = listener->quiet_from + HALF_LINE_MS;
	}
	memcpy(listener->line + listener->len, bytes, n < room ? n : room);
	listener->len += n < room ? n : room;
	while (eb_frame_feed(&listener->reader, &bytes, &n, &listener->frame))
		take_frame(bus);
	error = eb_listen_error(&listener->reader);
	if (error != EB_FRAME_OK)
		refuse(bus, error);
	if (ends)
		listener->len = 0;
}

/* Waits for the end of the line begun, and for the end of --once. */
static void
set_timer(EbBus *bus)
{
	Listener *listener = bus->own;
	int64_t now_ms = eb_clock_mono_ms();
	int64_t wait_ms = 0;

	if (bus->mode.once)
		wait_ms = listener->end_ms - now_ms;
	if (listener->len > 0 && (!bus->mode.once || listener->drop_ms - now_ms < wait_ms))
		wait_ms = listener->drop_ms - now_ms;
	if (bus->mode.once || listener->len > 0)
		eb_timer_after(&listener->timer, wait_ms);
	else
		eb_timer_stop(&listener->timer);
}

/* Drops what is held of a line; a line that was too long has been told already. */
static void
drop_half_line(EbBus *bus)
{
	Listener *listener = bus->own;

	while (eb_frame_finish(&listener->reader, &listener->frame))
		take_frame(bus);
	if (eb_listen_error(&listener->reader) != EB_FRAME_OK)
		refuse(bus, EB_FRAME_TRUNCATED);
	listener->len = 0;
}

static void
listener_timer(void *owner)
{
	EbBus *bus = owner;
	Listener *listener = bus->own;
	int64_t now_ms = eb_clock_mono_ms();

	if (!bus->is_open || bus->done)
		return;
	if (listener->len > 0 && now_ms >= listener->drop_ms)
	{
		drop_half_line(bus);
		listener->in_step = false;
		listener->tail = true;
	}
	if (bus->mode.once && now_ms >= listener->end_ms)
		eb_bus_done(bus);
	else
		set_timer(bus);
}

static bool
listener_create(EbBus *bus)
{
	Listener *listener = calloc(1, sizeof(Listener));

	bus->own = listener;
	if (listener == NULL)
		return false;
	eb_frame_begin(&listener->reader, &eb_csvline_codec, NULL);
	eb_loop_add_timer(bus->loop, &listener->timer, listener_timer, bus);
	return true;
}

static void
listener_destroy(EbBus *bus)
{
	Listener *listener = bus->own;

	if (listener != NULL)
		eb_loop_drop_timer(bus->loop, &listener->timer);
	free(listener);
	bus->own = NULL;
}

static void
listener_ready(EbBus *bus)
{
	Listener *listener = bus->own;

	eb_frame_begin(&listener->reader, &eb_csvline_codec, NULL);
	listener->len = 0;
	listener->in_step = bus->server != NULL; /* a connection begins with a line */
	listener->tail = false;
	listener->quiet_from = eb_clock_mono_ms();
	listener->end_ms = listener->quiet_from + bus->mode.listen_ms;
	set_timer(bus);
}

static void
listener_bytes(EbBus *bus, const uint8_t *bytes, size_t n, int64_t at_ms)
{
	Listener *listener = bus->own;
	int64_t now_ms = eb_clock_mono_ms();

	if (!listener->in_step && !listener->tail && now_ms - listener->quiet_from >= QUIET_MS)
		listener->in_step = true;
	listener->quiet_from = now_ms;
	if (!listener->in_step)
	{
		const uint8_t *end = memchr(bytes, '\n', n);
		size_t dropped = end != NULL ? (size_t) (end - bytes) + 1 : n;

		bus->counts.stray += dropped;
		bytes += dropped;
		n -= dropped;
		listener->in_step = end != NULL;
		listener->tail = listener->tail && end == NULL;
	}
	while (n > 0)
	{
		const uint8_t *end = memchr(bytes, '\n', n);
		size_t piece = end != NULL ? (size_t) (end - bytes) + 1 : n;

		take_piece(bus, bytes, piece, at_ms);
		bytes += piece;
		n -= piece;
	}
	set_timer(bus);
}

static void
listener_lost(EbBus *bus)
{
	Listener *listener = bus->own;

	drop_half_line(bus);
	eb_timer_stop(&listener->timer);
}

static void
listener_stop(EbBus *bus)
{
	eb_bus_done(bus);
}

static int64_t
listener_deadline(const EbBus *bus)
{
	const Listener *listener = bus->own;

	return listener->timer.armed ? listener->timer.due_ms : INT64_MAX;
}

/* Slots are read from the clock anew with each line, gaps are nobody's: no more to do. */
const EbBusDriver eb_bus_csvline = {
	.create = listener_create,
	.destroy = listener_destroy,
	.ready = listener_ready,
	.bytes = listener_bytes,
	.lost = listener_lost,
	.stop = listener_stop,
	.deadline = listener_deadline,
};
