/*
 * exchange.c -- one DL/T 645 request and its answer on a half-duplex line
 * In:  a request; the bytes that come back, with the instant of each.
 * Out: the accepted frame, an exception, or nothing. An answer counts only when address, function
 *      and identifier are those asked; anything else on the line is counted and passed over.
 * Source: doc/collector.md (timing, retries).
 */
#include "exchange.h"

#include <string.h>

#include "clock.h"

#define MARGIN_MS 200  /* on top of the longest delay of a reply */
#define SILENCE_MS 500 /* between two bytes of one frame */
#define RETRY_PAUSE_MS 200
#define BABBLE_MS 5000 /* an attempt ends after this, however the bytes trickle */
#define PREAMBLE 0xFE

static void
send_request(EbExchange *exchange)
{
	const EbPortConf *conf = exchange->bus->conf;
	int64_t request_ms = eb_line_ms(conf->line, exchange->request.length);
	int64_t first_ms = request_ms + conf->reply_ms + MARGIN_MS;

	eb_frame_begin(&exchange->reader, &eb_dlt645_codec);
	exchange->nrx = 0;
	exchange->foreign = false;
	exchange->waiting = true;
	exchange->until_ms = eb_clock_mono_ms() + first_ms + BABBLE_MS;
	exchange->meter->counts.requests++;
	eb_timer_after(&exchange->timer, first_ms);
	eb_bus_send(exchange->bus, exchange->request.bytes, exchange->request.length);
}

static void
finish(EbExchange *exchange, EbOutcome outcome)
{
	exchange->waiting = false;
	eb_timer_stop(&exchange->timer);
	exchange->done(exchange->bus, outcome);
}

/* Whether bytes other than preambles stand between the frame before and this one. */
static bool
behind_noise(const EbExchange *exchange, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to && i < exchange->nrx; i++)
		if (exchange->rx[i] != PREAMBLE)
			return true;
	return false;
}

static void
accept_frame(EbExchange *exchange, uint64_t last_end)
{
	uint64_t at = exchange->frame.offset;

	if (behind_noise(exchange, last_end, at))
		exchange->meter->counts.resyncs++;
	exchange->answer = (EbBytes){exchange->rx + at, exchange->frame.length};
	/* the first byte of the reply is its first preamble */
	while (at > last_end && exchange->rx[at - 1] == PREAMBLE)
		at--;
	exchange->read_at_ms = exchange->rx_at_ms[at];
}

/* True when the frame ends the exchange. */
static bool
judge(EbExchange *exchange, uint64_t last_end)
{
	EbCounts *counts = &exchange->meter->counts;

	switch (eb_dlt645_match(&exchange->request, &exchange->frame))
	{
		case EB_DLT645_ANSWER:
			accept_frame(exchange, last_end);
			eb_bus_well(exchange->bus);
			finish(exchange, EB_ANSWERED);
			return true;
		case EB_DLT645_EXCEPTION:
			accept_frame(exchange, last_end);
			eb_bus_well(exchange->bus);
			finish(exchange, EB_EXCEPTION);
			return true;
		case EB_DLT645_ECHO:
			counts->echoes++;
			return false;
		case EB_DLT645_FOREIGN:
			counts->foreign++;
			exchange->foreign = true;
			eb_log(EB_LOG_WARNING, "meter %s: foreign reply of %s", exchange->meter->conf->serial,
				   exchange->frame.address);
			return false;
	}
	return false;
}

/*
 * The attempt failed. Silence and damage on the line are worth another try; a sound frame with an
 * impossible value would come again.
 */
static void
fail(EbExchange *exchange, bool flood)
{
	const EbPortConf *conf = exchange->bus->conf;
	EbMeter *meter = exchange->meter;
	EbFrameError error = exchange->reader.first_error;
	const char *word = eb_frame_error_word(error);
	EbBytes bytes = {exchange->rx, exchange->nrx};
	bool heard = exchange->nrx > 0 && exchange->reader.nframes == 0;

	exchange->waiting = false;
	if (error == EB_FRAME_OK && heard)
		error = EB_FRAME_NO_START;
	if (flood)
	{
		meter->counts.flood++;
		word = "flood";
	}
	else if (error != EB_FRAME_OK)
	{
		meter->counts.error[error]++;
		word = eb_frame_error_word(error);
	}
	else
	{
		if (!exchange->foreign)
			meter->counts.silence++;
		word = exchange->foreign ? "foreign" : "silence";
		bytes.len = exchange->foreign ? bytes.len : 0;
	}
	eb_intake_bad(exchange->bus->intake, conf, meter, word, bytes,
				  exchange->nrx > 0 ? exchange->rx_at_ms[0] : eb_clock_real_ms());
	if (!flood && error != EB_FRAME_VALUE && exchange->attempt < conf->retries &&
		!exchange->bus->stopping)
	{
		exchange->attempt++;
		meter->counts.retries++;
		eb_timer_after(&exchange->timer, RETRY_PAUSE_MS);
		return;
	}
	finish(exchange, EB_UNANSWERED);
}

/* Waiting: the time is over. Not waiting: the pause before the next attempt is over. */
static void
exchange_timer(void *owner)
{
	EbExchange *exchange = owner;
	uint64_t last_end;

	if (!exchange->bus->is_open)
		return;
	if (!exchange->waiting)
	{
		send_request(exchange);
		return;
	}
	last_end = exchange->reader.last_end;
	while (eb_frame_finish(&exchange->reader, &exchange->frame))
	{
		if (judge(exchange, last_end))
			return;
		last_end = exchange->reader.last_end;
	}
	fail(exchange, false);
}

void
eb_exchange_init(EbExchange *exchange, EbBus *bus, void (*done)(EbBus *bus, EbOutcome outcome))
{
	exchange->bus = bus;
	exchange->done = done;
	eb_loop_add_timer(bus->loop, &exchange->timer, exchange_timer, exchange);
}

void
eb_exchange_start(EbExchange *exchange, EbMeter *meter, size_t reply_data)
{
	size_t limit = 2 * (EB_DLT645_MIN_FRAME + 4 + reply_data) + 64;

	exchange->meter = meter;
	exchange->attempt = 0;
	exchange->limit = limit < EB_EXCHANGE_BYTES ? limit : EB_EXCHANGE_BYTES;
	send_request(exchange);
}

void
eb_exchange_bytes(EbExchange *exchange, const uint8_t *bytes, size_t n, int64_t at_ms)
{
	const uint8_t *next;
	uint64_t last_end;
	int64_t left_ms;

	left_ms = exchange->until_ms - eb_clock_mono_ms();
	if (!exchange->waiting || left_ms < 0)
	{
		/* after a stop of the process nobody knows when these came; the timer tries again */
		exchange->bus->counts.stray += n;
		return;
	}
	if (n > exchange->limit - exchange->nrx)
	{
		exchange->bus->counts.stray += n - (exchange->limit - exchange->nrx);
		n = exchange->limit - exchange->nrx;
	}
	memcpy(exchange->rx + exchange->nrx, bytes, n);
	for (size_t i = 0; i < n; i++)
		exchange->rx_at_ms[exchange->nrx + i] = at_ms;
	next = exchange->rx + exchange->nrx;
	exchange->nrx += n;

	last_end = exchange->reader.last_end;
	while (eb_frame_feed(&exchange->reader, &next, &n, &exchange->frame))
	{
		if (judge(exchange, last_end))
			return;
		last_end = exchange->reader.last_end;
	}
	if (exchange->nrx == exchange->limit)
		fail(exchange, true);
	else if (exchange->timer.due_ms < eb_clock_mono_ms() + SILENCE_MS)
		eb_timer_after(&exchange->timer, left_ms < SILENCE_MS ? left_ms : SILENCE_MS);
}

void
eb_exchange_drop(EbExchange *exchange)
{
	exchange->waiting = false;
	eb_timer_stop(&exchange->timer);
}
