/*
 * bus_csvline.c -- a line on which meters speak by themselves: meter,usage[,time]
 * In:  bytes with the instant of their arrival.
 * Out: frames for intake.c. A line that does not end within two seconds is dropped, with its tail
 *      when that still comes; so is what was being said when the port was opened. A line without
 *      its head would look whole.
 * Source: doc/collector.md.
 */
#include <stdlib.h>
#include <string.h>

#include "bus.h"
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

static uint64_t
refused(const EbFrameReader *reader)
{
	uint64_t n = 0;

	for (int i = 1; i < EB_FRAME_NERRORS; i++)
		n += reader->refused[i];
	return n;
}

static void
refuse(EbBus *bus, EbFrameError error)
{
	Listener *listener = bus->own;

	bus->counts.error[error]++;
	eb_intake_bad(bus->intake, bus->conf, NULL, eb_frame_error_word(error),
				  (EbBytes){listener->line, listener->len}, listener->line_at_ms);
}

/* At most one line per interval where the meter has one. */
static bool
is_surplus(const EbMeter *meter, int64_t at_ms)
{
	int64_t interval_ms = meter->conf->interval_s * INT64_C(1000);

	return interval_ms > 0 && meter->last_read_ms != EB_NO_INSTANT &&
		   meter->last_read_ms / interval_ms == at_ms / interval_ms;
}

static void
take_frame(EbBus *bus)
{
	Listener *listener = bus->own;
	EbBytes bytes = {listener->line, listener->len};
	EbMeter *meter = eb_bus_find(bus, listener->frame.address);

	eb_bus_well(bus);
	if (meter == NULL)
	{
		bus->counts.unknown++;
		eb_intake_bad(bus->intake, bus->conf, NULL, "unknown meter", bytes, listener->line_at_ms);
	}
	else if (is_surplus(meter, listener->line_at_ms))
		meter->counts.surplus++;
	else
		eb_intake_frame(bus->intake, meter, &listener->frame, bytes, listener->line_at_ms, 0);
}

/* Which reason a refused line was counted under. */
static EbFrameError
last_error(const EbFrameReader *reader, const uint64_t before[EB_FRAME_NERRORS])
{
	for (int i = 1; i < EB_FRAME_NERRORS; i++)
		if (reader->refused[i] != before[i])
			return (EbFrameError) i;
	return EB_FRAME_OK;
}

/* Bytes up to a line end, or the piece of a line: the codec sees them as they came. */
static void
take_piece(EbBus *bus, const uint8_t *bytes, size_t n, int64_t at_ms)
{
	Listener *listener = bus->own;
	bool ends = bytes[n - 1] == '\n';
	uint64_t before[EB_FRAME_NERRORS];
	size_t room = sizeof(listener->line) - listener->len;
	EbFrameError error;

	if (listener->len == 0)
	{
		listener->line_at_ms = at_ms;
		listener->drop_ms = listener->quiet_from + HALF_LINE_MS;
	}
	memcpy(listener->line + listener->len, bytes, n < room ? n : room);
	listener->len += n < room ? n : room;
	memcpy(before, listener->reader.refused, sizeof(before));
	while (eb_frame_feed(&listener->reader, &bytes, &n, &listener->frame))
		take_frame(bus);
	error = last_error(&listener->reader, before);
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
	uint64_t before = refused(&listener->reader);

	while (eb_frame_finish(&listener->reader, &listener->frame))
		take_frame(bus);
	if (refused(&listener->reader) != before)
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
	eb_frame_begin(&listener->reader, &eb_csvline_codec);
	eb_loop_add_timer(bus->loop, &listener->timer, listener_timer, bus);
	return true;
}

static void
listener_destroy(EbBus *bus)
{
	free(bus->own);
	bus->own = NULL;
}

static void
listener_ready(EbBus *bus)
{
	Listener *listener = bus->own;

	eb_frame_begin(&listener->reader, &eb_csvline_codec);
	listener->len = 0;
	listener->in_step = false;
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

/* Slots are read from the clock anew with each line, gaps are nobody's: no more to do. */
const EbBusDriver eb_bus_csvline = {
	.create = listener_create,
	.destroy = listener_destroy,
	.ready = listener_ready,
	.bytes = listener_bytes,
	.lost = listener_lost,
	.stop = listener_stop,
};
