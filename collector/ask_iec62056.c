/*
 * ask_iec62056.c -- how a meter of IEC 62056-21 is read out: sign-on, acknowledgement, speed, data
 * In:  its address; its identification, which says how it goes on. Out: frames for intake.c.
 *
 * Mode C waits for an acknowledgement, sent at the old speed; when it has left the line, and a
 * little later, the line changes to the new speed. Mode B changes by itself, mode A goes on as it
 * began. A port that has no line of its own (TCP) keeps its speed, and the meter is asked to.
 * Source: doc/collector.md.
 */
#include <string.h>

#include "ask.h"
#include "bus.h"

/* Identification with manufacturer, baud character and the longest text. */
#define IDENT_BYTES 64

typedef struct Own
{
	char baud_char; /* of the identification */
	size_t nident;	/* its bytes: data without a checksum are a telegram only behind them */
	uint8_t ident[IDENT_BYTES];
} Own;

static void
iec_plan(EbPlan *plan, const EbMeterConf *conf, const EbMeter *meter)
{
	uint16_t readout = (uint16_t) conf->port->readout;
	uint16_t sign_on = (uint16_t) (5 + strlen(conf->address));

	(void) meter;
	if (plan->kind != EB_PLAN_REGISTERS)
		return;
	/* mode A answers with everything at once */
	eb_plan_add(
		plan,
		(EbStep){.kind = EB_STEP_OPEN, .request = sign_on, .reply = IDENT_BYTES, .most = readout});
	eb_plan_add(plan, (EbStep){.kind = EB_STEP_VALUES,
							   .request = EB_IEC62056_ACK_SIZE,
							   .reply = readout,
							   .most = readout,
							   .speed = conf->port->switch_speed});
}

static void
iec_begin(EbTurn *turn)
{
	Own *own = turn->own;

	own->baud_char = '\0';
	own->nident = 0;
}

/* The baud character of a speed; '0' when it has none. */
static char
baud_char_of(int speed)
{
	for (char z = '0'; z <= '6'; z++)
		if (eb_iec62056_baud(z) == speed)
			return z;
	return '0';
}

/* The acknowledgement, and the line behind it. */
static bool
build_ack(EbTurn *turn, EbQuestion *question)
{
	const Own *own = turn->own;
	const EbPortConf *port = turn->bus->conf;
	bool fixed = turn->bus->port.ops->set_line == NULL;
	uint8_t six[EB_IEC62056_ACK_SIZE];

	if (port->has_ack)
		memcpy(six, port->ack, sizeof(six));
	else
		eb_iec62056_readout(fixed ? baud_char_of(port->line.speed) : own->baud_char, six);
	if (!fixed)
		question->then.speed = eb_iec62056_baud((char) six[2]);
	question->switch_ms = port->switch_ms;
	return eb_iec62056_ack(six, &question->iec62056);
}

static bool
iec_build(EbTurn *turn, EbQuestion *question)
{
	const Own *own = turn->own;
	bool built = true;

	if (eb_turn_step(turn)->kind == EB_STEP_OPEN)
	{
		built = eb_iec62056_sign_on(turn->meter->conf->address, &question->iec62056);
		question->whole = eb_iec62056_waits;
	}
	else
	{
		question->before = own->ident;
		question->nbefore = own->nident;
		question->once = true; /* a meter that does not send has given up: it wants a new sign-on */
		if (eb_iec62056_mode(own->baud_char) == 'C')
			built = build_ack(turn, question);
		else
			question->iec62056.kind = EB_IEC_ACK; /* nothing is sent, the same is waited for */
		if (eb_iec62056_mode(own->baud_char) == 'B')
			question->line.speed = question->then.speed = eb_iec62056_baud(own->baud_char);
	}
	question->bytes = question->iec62056.bytes;
	question->length = question->iec62056.length;
	return built;
}

static EbMatch
iec_match(const EbQuestion *question, const EbFrame *frame)
{
	return eb_iec62056_match(&question->iec62056, frame);
}

static EbNext
iec_take(EbTurn *turn, const EbReply *reply)
{
	const EbFrame *frame = reply->frame;
	Own *own = turn->own;

	if (frame->iec62056.kind == EB_IEC_IDENT)
	{
		own->baud_char = frame->iec62056.baud_char;
		own->nident = reply->bytes.len <= IDENT_BYTES ? reply->bytes.len : 0;
		memcpy(own->ident, reply->bytes.data, own->nident);
		return eb_iec62056_mode(own->baud_char) == 'C' ? EB_NEXT_STEP : EB_NEXT_HEAR;
	}
	if (eb_turn_identity(turn, eb_identity_of(frame)))
		eb_turn_book(turn, reply);
	return EB_NEXT_END;
}

/* In readout no command is expected: P0 asks for a password, B0 ends the session. */
static EbNext
iec_refused(EbTurn *turn, const EbReply *reply)
{
	eb_turn_refused(turn, "gives no readout, but the command %s",
					eb_frame_get(reply->frame, reply->frame->iec62056.command));
	return EB_NEXT_END;
}

static bool
iec_again(EbTurn *turn)
{
	bool signed_on = turn->plan.step > 0;

	turn->plan.step = 0;
	return signed_on;
}

const EbAsk eb_ask_iec62056 = {
	.own_size = sizeof(Own),
	.plan = iec_plan,
	.begin = iec_begin,
	.build = iec_build,
	.match = iec_match,
	.take = iec_take,
	.refused = iec_refused,
	.again = iec_again,
};
