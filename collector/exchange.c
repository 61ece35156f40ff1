/*
 * exchange.c -- one request and its answer on a half-duplex line
 * In:  a question; the bytes that come back, with the instant of each.
 * Out: the accepted frame, an exception, or nothing. An answer counts only when the protocol says
 *      that it is the one asked for; anything else on the line is counted and passed over.
 * Source: doc/collector.md (timing, retries).
 */
#include "exchange.h"

#include <string.h>

#include "clock.h"

#define MARGIN_MS 200 /* on top of the longest delay of a reply */
#define RETRY_PAUSE_MS 200
#define BABBLE_MS 4000 /* an attempt may take so much longer than its bytes need */
#define NOISE_BYTES 64 /* an attempt may take so many more than twice the answer */

static void
forget_bytes(EbExchange *exchange)
{
	const EbBus *bus = exchange->bus;
	const EbQuestion *question = &exchange->question;

	eb_frame_begin(&exchange->reader, bus->protocol->codec,
				   question->map.nparts > 0 ? &question->map : NULL);
	exchange->taken = exchange->ntold = 0;
	exchange->nframes = 0;
	exchange->nmarks = 0;
	exchange->foreign = false;
	if (question->nbefore > 0)
	{
		const uint8_t *bytes = question->before;
		size_t n = question->nbefore;

		while (eb_frame_feed(&exchange->reader, &bytes, &n, &exchange->frame))
			continue;
	}
}

/* From now on the answer may come. sent_ms: what of the request is still on the way. */
static void
begin_waiting(EbExchange *exchange, int64_t sent_ms)
{
	const EbPortConf *conf = exchange->bus->conf;
	int64_t first_ms = sent_ms + conf->reply_ms + MARGIN_MS;
	int64_t bytes_ms = eb_line_ms(exchange->question.then, exchange->limit);

	exchange->state = EB_EXCHANGE_WAITING;
	exchange->until_ms = eb_clock_mono_ms() + first_ms + bytes_ms + BABBLE_MS;
	eb_timer_after(&exchange->timer, first_ms);
}

static void
send_request(EbExchange *exchange)
{
	EbBus *bus = exchange->bus;
	const EbQuestion *question = &exchange->question;
	int64_t request_ms = eb_line_ms(question->line, question->length);
	bool same_line = question->line.speed == question->then.speed;

	forget_bytes(exchange);
	exchange->echoed = 0;
	exchange->echo_over = question->length == 0 || bus->conf->echo == EB_ECHO_OFF;
	exchange->sent_ms = eb_clock_mono_ms();
	exchange->meter->counts.requests += question->length > 0;
	if (same_line)
		begin_waiting(exchange, request_ms);
	else
	{
		exchange->state = EB_EXCHANGE_SENDING;
		eb_timer_after(&exchange->timer, request_ms + question->switch_ms);
	}
	if (eb_bus_line(bus, question->line) && question->length > 0)
		eb_bus_send(bus, question->bytes, question->length);
}

/* The attempt is over: until now the line was taken by it. */
static void
count_time(EbExchange *exchange)
{
	exchange->bus->counts.busy_ms += (uint64_t) (eb_clock_mono_ms() - exchange->sent_ms);
}

static void
finish(EbExchange *exchange, EbOutcome outcome)
{
	exchange->state = EB_EXCHANGE_IDLE;
	eb_timer_stop(&exchange->timer);
	exchange->done(exchange->bus, outcome);
}

/* A full list keeps every second mark: instants of bytes long past become a little early. */
static void
mark_instant(EbExchange *exchange, int64_t at_ms)
{
	if (exchange->nmarks > 0 && exchange->mark[exchange->nmarks - 1].at_ms == at_ms)
		return;
	if (exchange->nmarks == EB_EXCHANGE_MARKS)
	{
		for (int i = 0; 2 * i < EB_EXCHANGE_MARKS; i++)
			exchange->mark[i] = exchange->mark[2 * i];
		exchange->nmarks = EB_EXCHANGE_MARKS / 2;
	}
	exchange->mark[exchange->nmarks++] = (EbMark){exchange->reader.fed, at_ms};
}

static int64_t
instant_of(const EbExchange *exchange, uint64_t offset)
{
	int64_t at_ms = exchange->nmarks > 0 ? exchange->mark[0].at_ms : eb_clock_real_ms();

	for (int i = 0; i < exchange->nmarks && exchange->mark[i].offset <= offset; i++)
		at_ms = exchange->mark[i].at_ms;
	return at_ms;
}

/* Whether the byte belongs to a preamble; what was not kept is taken for noise. */
static bool
is_preamble(const EbExchange *exchange, uint64_t at)
{
	return at < exchange->ntold && exchange->told[at] == exchange->bus->protocol->preamble;
}

static void
accept_frame(EbExchange *exchange, uint64_t last_end)
{
	uint64_t at = exchange->frame.offset;

	/* the first byte of the reply is its first preamble */
	while (at > last_end && is_preamble(exchange, at - 1))
		at--;
	if (at > last_end)
		exchange->meter->counts.resyncs++;
	exchange->reply = (EbReply){&exchange->question,
								&exchange->frame,
								{exchange->frame.wire, exchange->frame.length},
								instant_of(exchange, at),
								exchange->attempt > 0};
}

static void fail(EbExchange *exchange, bool flood);

/* True when the frame ends the attempt. */
static bool
judge(EbExchange *exchange, uint64_t last_end)
{
	EbCounts *counts = &exchange->meter->counts;
	EbMatch match = exchange->ask->match(&exchange->question, &exchange->frame);

	if (exchange->frame.offset + exchange->frame.length <= exchange->question.nbefore)
		return false; /* what it said before, alone */
	exchange->nframes++;
	if (match == EB_MATCH_EXCEPTION && exchange->ask->unreached != NULL &&
		exchange->ask->unreached(&exchange->frame))
	{
		fail(exchange, false);
		return true;
	}
	switch (match)
	{
		case EB_MATCH_ANSWER:
		case EB_MATCH_EXCEPTION:
			accept_frame(exchange, last_end);
			count_time(exchange);
			eb_bus_well(exchange->bus);
			finish(exchange, match == EB_MATCH_ANSWER ? EB_ANSWERED : EB_EXCEPTION);
			return true;
		case EB_MATCH_ECHO:
			counts->echoes++;
			return false;
		case EB_MATCH_FOREIGN:
			counts->foreign++;
			exchange->foreign = true;
			eb_log(EB_LOG_WARNING, "meter %s: foreign reply of %s", exchange->meter->conf->serial,
				   exchange->frame.address);
			return false;
	}
	return false;
}

/* Tells why the attempt gave nothing; the word, and whether it is worth another one. */
static bool
tell_failure(EbExchange *exchange, bool flood)
{
	EbCounts *counts = &exchange->meter->counts;
	EbFrameError error = exchange->reader.first_error;
	EbBytes bytes = {exchange->told, exchange->ntold};
	const char *word;

	if (error == EB_FRAME_OK && exchange->taken > 0 && exchange->nframes == 0)
		error = EB_FRAME_NO_START;
	if (flood)
	{
		counts->flood++;
		word = "flood";
	}
	else if (error != EB_FRAME_OK)
	{
		counts->error[error]++;
		word = eb_frame_error_word(error);
	}
	else
	{
		counts->silence += !exchange->foreign;
		word = exchange->foreign ? "foreign" : "silence";
		bytes.len = exchange->foreign ? bytes.len : 0;
	}
	eb_intake_bad(exchange->bus->intake, exchange->bus->conf, exchange->meter, word, bytes,
				  instant_of(exchange, 0));
	return !flood && error != EB_FRAME_VALUE;
}

/*
 * The attempt failed. Silence and damage on the line are worth another try; a sound frame with an
 * impossible value would come again.
 */
static void
fail(EbExchange *exchange, bool flood)
{
	bool again = tell_failure(exchange, flood);

	count_time(exchange);
	if (again && exchange->attempt < exchange->retries && !exchange->bus->stopping)
	{
		exchange->attempt++;
		exchange->meter->counts.retries++;
		exchange->state = EB_EXCHANGE_RESTING;
		eb_timer_after(&exchange->timer, RETRY_PAUSE_MS);
		return;
	}
	finish(exchange, EB_UNANSWERED);
}

/* Gives bytes to the codec; true when the exchange has ended. */
static bool
feed(EbExchange *exchange, const uint8_t *bytes, size_t n, int64_t at_ms)
{
	size_t room = sizeof(exchange->told) - exchange->ntold;
	uint64_t last_end = exchange->reader.last_end;

	mark_instant(exchange, at_ms);
	memcpy(exchange->told + exchange->ntold, bytes, n < room ? n : room);
	exchange->ntold += n < room ? n : room;
	exchange->taken += n;
	while (eb_frame_feed(&exchange->reader, &bytes, &n, &exchange->frame))
	{
		if (judge(exchange, last_end))
		{
			exchange->bus->counts.stray += exchange->state == EB_EXCHANGE_WAITING ? 0 : n;
			return true;
		}
		last_end = exchange->reader.last_end;
	}
	return false;
}

/* The line is silent: what is held is judged as it is. True when the exchange has ended. */
static bool
end_of_bytes(EbExchange *exchange)
{
	uint64_t last_end = exchange->reader.last_end;

	while (eb_frame_finish(&exchange->reader, &exchange->frame))
	{
		if (judge(exchange, last_end))
			return true;
		last_end = exchange->reader.last_end;
	}
	return false;
}

/* Bytes that looked like the request coming back, and then did not. True as feed(). */
static bool
give_back_echo(EbExchange *exchange)
{
	size_t n = exchange->echoed;

	exchange->echo_over = true;
	exchange->echoed = 0;
	if (exchange->bus->conf->echo == EB_ECHO_ON)
		return false; /* what came in its place is not known any more */
	return n > 0 && feed(exchange, exchange->question.bytes, n, exchange->echo_ms);
}

/*
 * Takes the request off what comes first; returns the bytes it was. With echo "auto" they must be
 * those sent: as long as they are, they wait in exchange->echoed.
 */
static size_t
take_echo(EbExchange *exchange, const uint8_t *bytes, size_t n, int64_t at_ms)
{
	const EbQuestion *question = &exchange->question;
	bool any = exchange->bus->conf->echo == EB_ECHO_ON;
	size_t used = 0;

	if (exchange->echoed == 0)
		exchange->echo_ms = at_ms;
	while (used < n && exchange->echoed < question->length &&
		   (any || bytes[used] == question->bytes[exchange->echoed]))
	{
		used++;
		exchange->echoed++;
	}
	if (exchange->echoed == question->length)
	{
		exchange->meter->counts.echoes++;
		exchange->echo_over = true;
		exchange->echoed = 0;
	}
	return used;
}

/* The line changes its speed when the request has left it; what came before is no answer. */
static void
switch_line(EbExchange *exchange)
{
	if (!eb_bus_line(exchange->bus, exchange->question.then))
		return;
	forget_bytes(exchange);
	exchange->echo_over = true;
	begin_waiting(exchange, 0);
}

static void
exchange_timer(void *owner)
{
	EbExchange *exchange = owner;

	if (!exchange->bus->is_open)
		return;
	if (exchange->state == EB_EXCHANGE_RESTING)
		send_request(exchange);
	else if (exchange->state == EB_EXCHANGE_SENDING)
		switch_line(exchange);
	else if (exchange->state == EB_EXCHANGE_WAITING && !give_back_echo(exchange) &&
			 !end_of_bytes(exchange))
		fail(exchange, false);
}

void
eb_exchange_init(EbExchange *exchange, EbBus *bus, void (*done)(EbBus *bus, EbOutcome outcome))
{
	exchange->bus = bus;
	exchange->ask = bus->protocol->ask;
	exchange->done = done;
	exchange->state = EB_EXCHANGE_IDLE;
	eb_loop_add_timer(bus->loop, &exchange->timer, exchange_timer, exchange);
}

void
eb_exchange_start(EbExchange *exchange, EbMeter *meter, int retries)
{
	exchange->meter = meter;
	exchange->attempt = 0;
	exchange->retries = exchange->question.once ? 0 : retries;
	exchange->limit = 2 * exchange->question.most + NOISE_BYTES;
	send_request(exchange);
}

void
eb_exchange_bytes(EbExchange *exchange, const uint8_t *bytes, size_t n, int64_t at_ms)
{
	EbBus *bus = exchange->bus;
	int64_t left_ms = exchange->until_ms - eb_clock_mono_ms();

	if (exchange->state == EB_EXCHANGE_SENDING)
		return; /* an echo, or what the change of speed makes of the line */
	if (exchange->state != EB_EXCHANGE_WAITING || left_ms < 0)
	{
		/* after a stop of the process nobody knows when these came; the timer tries again */
		bus->counts.stray += n;
		return;
	}
	if (!exchange->echo_over)
	{
		size_t used = take_echo(exchange, bytes, n, at_ms);

		bytes += used;
		n -= used;
		if (n > 0 && !exchange->echo_over && give_back_echo(exchange))
			return;
	}
	if (n > exchange->limit - exchange->taken)
	{
		bus->counts.stray += n - (exchange->limit - exchange->taken);
		n = exchange->limit - exchange->taken;
	}
	if (n > 0 && feed(exchange, bytes, n, at_ms))
		return;
	if (exchange->taken >= exchange->limit)
		fail(exchange, true);
	else if (n > 0 && exchange->question.whole != NULL &&
			 exchange->question.whole(&exchange->reader) && end_of_bytes(exchange))
		return;
	else if (exchange->timer.due_ms < eb_clock_mono_ms() + bus->conf->gap_ms)
		eb_timer_after(&exchange->timer, left_ms < bus->conf->gap_ms ? left_ms : bus->conf->gap_ms);
}

bool
eb_exchange_in_flight(const EbExchange *exchange)
{
	return exchange->state == EB_EXCHANGE_WAITING || exchange->state == EB_EXCHANGE_SENDING;
}

void
eb_exchange_drop(EbExchange *exchange)
{
	exchange->state = EB_EXCHANGE_IDLE;
	eb_timer_stop(&exchange->timer);
}

int64_t
eb_exchange_deadline(const EbExchange *exchange)
{
	if (exchange->state == EB_EXCHANGE_IDLE)
		return INT64_MAX;
	return exchange->timer.armed ? exchange->timer.due_ms : 0;
}

void
eb_exchange_close(EbExchange *exchange)
{
	if (exchange->bus != NULL)
		eb_loop_drop_timer(exchange->bus->loop, &exchange->timer);
}
