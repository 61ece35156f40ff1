/*
 * bus_listen.c -- a line on which meters push telegrams: P1, SML, DLMS over HDLC, IEC 62056-21 mode D
 * In:  bytes with the instant of their arrival.
 * Out: one frame per meter and interval for intake.c; telegrams come every few seconds. What is held
 *      of a telegram when the line falls silent is judged as it is.
 * Source: doc/collector.md.
 */
#include "listen.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* Bytes of a refused telegram that are kept to be told. */
#define TOLD_BYTES 1024

typedef struct Listener
{
	EbFrameReader reader;
	EbFrame frame;
	EbTimer timer;
	int64_t begun_ms;  /* UTC of the first byte since the last frame, or silence */
	int64_t silent_ms; /* monotonic: when the line has been silent for long enough */
	int64_t end_ms;	   /* monotonic: when --once stops listening */
	bool holding;	   /* bytes came since */
	size_t ntold;
	uint8_t told[TOLD_BYTES]; /* the first of them */
} Listener;

EbMeter *
eb_listen_meter(EbBus *bus, const EbFrame *frame)
{
	EbMeter *meter = frame->address[0] != '\0' ? eb_bus_find(bus, frame->address) : NULL;

	return meter != NULL ? meter : eb_bus_find(bus, "");
}

/* At most one frame per interval where the meter has one. */
static bool
is_surplus(const EbMeter *meter, int64_t at_ms)
{
	int64_t interval_ms = meter->conf->interval_s * INT64_C(1000);

	return interval_ms > 0 && meter->last_read_ms != EB_NO_INSTANT &&
		   meter->last_read_ms / interval_ms == at_ms / interval_ms;
}

/* Whether the device is the one that is configured, as far as it tells. */
static bool
is_ours(EbBus *bus, EbMeter *meter, const EbFrame *frame)
{
	bool changed = false;
	bool ours = eb_identity_take(meter, eb_identity_of(frame), eb_clock_real_ms(), &changed);

	if (changed)
		eb_bus_event(bus, ours ? "meter_known" : "meter_foreign", ours ? EB_LOG_INFO : EB_LOG_ERROR,
					 meter, "it calls itself \"%s\"", meter->identity.seen);
	meter->counts.foreign += !ours;
	return ours;
}

void
eb_listen_frame(EbBus *bus, const EbFrame *frame, EbBytes bytes, int64_t at_ms)
{
	EbMeter *meter = eb_listen_meter(bus, frame);

	eb_bus_well(bus);
	if (meter == NULL)
	{
		bus->counts.unknown++;
		eb_intake_bad(bus->intake, bus->conf, NULL, "unknown meter", bytes, at_ms);
		return;
	}
	if (!is_ours(bus, meter, frame))
		return;
	meter->last_ok_ms = at_ms;
	if (is_surplus(meter, at_ms))
		meter->counts.surplus++;
	else
		eb_intake_frame(bus->intake, meter, frame, bytes, at_ms, 0);
}

EbFrameError
eb_listen_error(EbFrameReader *reader)
{
	EbFrameError error = reader->first_error;

	reader->first_error = EB_FRAME_OK;
	return error;
}

/* Nothing is held any more. */
static void
let_go(Listener *listener)
{
	listener->holding = false;
	listener->ntold = 0;
}

/* A telegram; one without values, as the greeting of a meter, says nothing. */
static void
take_frame(EbBus *bus)
{
	Listener *listener = bus->own;
	const EbFrame *frame = &listener->frame;

	if (frame->from_meter && frame->nitems > 0)
		eb_listen_frame(bus, frame, (EbBytes){frame->wire, frame->length}, listener->begun_ms);
	let_go(listener);
}

/* A damaged telegram counts once, under the first reason found in it. */
static void
tell_refused(EbBus *bus)
{
	Listener *listener = bus->own;
	EbFrameError error = eb_listen_error(&listener->reader);

	if (error == EB_FRAME_OK)
		return;
	bus->counts.error[error]++;
	eb_intake_bad(bus->intake, bus->conf, NULL, eb_frame_error_word(error),
				  (EbBytes){listener->told, listener->ntold}, listener->begun_ms);
}

static void
set_timer(EbBus *bus)
{
	Listener *listener = bus->own;
	int64_t now_ms = eb_clock_mono_ms();
	int64_t wait_ms = INT64_MAX;

	if (bus->mode.once)
		wait_ms = listener->end_ms - now_ms;
	if (listener->holding && listener->silent_ms - now_ms < wait_ms)
		wait_ms = listener->silent_ms - now_ms;
	if (wait_ms < INT64_MAX)
		eb_timer_after(&listener->timer, wait_ms);
	else
		eb_timer_stop(&listener->timer);
}

/* The line is silent: whatever is held will not become more. */
static void
judge_rest(EbBus *bus)
{
	Listener *listener = bus->own;

	while (eb_frame_finish(&listener->reader, &listener->frame))
	{
		tell_refused(bus);
		take_frame(bus);
	}
	tell_refused(bus);
	let_go(listener);
}

static void
listen_timer(void *owner)
{
	EbBus *bus = owner;
	Listener *listener = bus->own;
	int64_t now_ms = eb_clock_mono_ms();

	if (!bus->is_open || bus->done)
		return;
	if (listener->holding && now_ms >= listener->silent_ms)
		judge_rest(bus);
	if (bus->mode.once && now_ms >= listener->end_ms)
		eb_bus_done(bus);
	else
		set_timer(bus);
}

static bool
listen_create(EbBus *bus)
{
	Listener *listener = calloc(1, sizeof(Listener));

	bus->own = listener;
	if (listener == NULL)
		return false;
	eb_frame_begin(&listener->reader, bus->protocol->codec, NULL);
	eb_loop_add_timer(bus->loop, &listener->timer, listen_timer, bus);
	return true;
}

static void
listen_destroy(EbBus *bus)
{
	Listener *listener = bus->own;

	if (listener != NULL)
		eb_loop_drop_timer(bus->loop, &listener->timer);
	free(listener);
	bus->own = NULL;
}

/* The reader goes on: what it knows of the port (P1: it sends a CRC) outlives an unplug. */
static void
listen_ready(EbBus *bus)
{
	Listener *listener = bus->own;

	listener->end_ms = eb_clock_mono_ms() + bus->mode.listen_ms;
	set_timer(bus);
}

static void
listen_bytes(EbBus *bus, const uint8_t *bytes, size_t n, int64_t at_ms)
{
	Listener *listener = bus->own;
	size_t room;

	if (!listener->holding)
		listener->begun_ms = at_ms;
	listener->holding = true;
	room = sizeof(listener->told) - listener->ntold;
	memcpy(listener->told + listener->ntold, bytes, n < room ? n : room);
	listener->ntold += n < room ? n : room;
	while (eb_frame_feed(&listener->reader, &bytes, &n, &listener->frame))
	{
		tell_refused(bus);
		take_frame(bus);
		/* what is left of this piece begins the next telegram */
		listener->begun_ms = at_ms;
		listener->holding = n > 0;
	}
	tell_refused(bus);
	listener->silent_ms = eb_clock_mono_ms() + bus->conf->gap_ms;
	set_timer(bus);
}

static void
listen_lost(EbBus *bus)
{
	Listener *listener = bus->own;

	judge_rest(bus);
	eb_timer_stop(&listener->timer);
}

static void
listen_stop(EbBus *bus)
{
	eb_bus_done(bus);
}

static int64_t
listen_deadline(const EbBus *bus)
{
	const Listener *listener = bus->own;

	return listener->timer.armed ? listener->timer.due_ms : INT64_MAX;
}

/* Slots are read from the clock anew with each telegram, gaps are nobody's: no more to do. */
const EbBusDriver eb_bus_listen = {
	.create = listen_create,
	.destroy = listen_destroy,
	.ready = listen_ready,
	.bytes = listen_bytes,
	.lost = listen_lost,
	.stop = listen_stop,
	.deadline = listen_deadline,
};
