/*
 * ask_dlt645.c -- what a DL/T 645 meter is asked, and what it answers; both years
 * In:  identifiers of the configuration; replies, whole or in parts.
 * Out: frames for intake.c. A part counts only when its number follows the one before. Where the
 *      number is not enough (1997 has none; the first part came to a repeated request) another
 *      frame in between, or the rest of one before the part, says that answers are late, and the part
 *      may be of another reading. A meter that has no blocks is asked for their parts. A daily freeze
 *      is booked only when its time was the same before and after its values.
 * Source: doc/collector.md.
 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "bus.h"

#define WILDCARD "AAAAAAAAAAAA"

/* Identifiers of 2007 beside those of the configuration. */
#define DI_FREEZE_TIME 0x05060001
#define DI_FREEZE_VALUES 0x05060101
#define DI_NUMBER 0x04000402 /* of the meter */
#define DI_RELAY 0x04000503	 /* third status word */
#define DI_NUMBER_1997 0xC032

/* Bit of the third status word, and of the error byte; in 1997 the place of the bit is not certain. */
#define RELAY_OPEN 0x0010
#define NO_SUCH_DATA 0x02
#define NO_SUCH_DATA_1997 0x03

/* Tariffs a meter without blocks is asked for until it refuses one. */
#define TARIFFS 4

#define MAX_JOINED 1024
#define PREAMBLE 4

typedef struct Own
{
	uint8_t seq; /* of the part that is asked for; 0: a question of the plan */
	size_t njoined;
	uint8_t joined[MAX_JOINED]; /* data of the parts, less 33H */
	bool doubtful;				/* the first part may be the late answer to a former request */
	uint64_t foreign, resyncs, stray; /* counts when the last part came */

	/* the first part, whose instant and bytes count; or the values of a freeze */
	EbFrame frame;
	int64_t at_ms;
	size_t nbytes;
	uint8_t bytes[EB_DLT645_MAX_FRAME];

	bool has_values;	/* of a freeze */
	bool again;			/* its time changed in between: once more */
	char frozen_at[24]; /* its time, as sent */
} Own;

static bool
is_1997(const EbMeterConf *conf)
{
	return conf->port->protocol == EB_PROTOCOL_DLT645_1997;
}

static EbDlt645Year
year_of(const EbTurn *turn)
{
	return is_1997(turn->meter->conf) ? EB_DLT645_1997 : EB_DLT645_2007;
}

/* Whether di stands for total and tariffs in one reply. */
static bool
is_block(const EbMeterConf *conf, uint32_t di)
{
	return is_1997(conf) ? (di & 0xF) == 0xF : (di & 0xFF00) == 0xFF00;
}

/* data: bytes of the reply behind its identifier. */
static void
add(EbPlan *plan, const EbMeterConf *conf, EbStepKind kind, uint32_t di, size_t data)
{
	size_t name = kind == EB_STEP_ADDRESS ? 0 : is_1997(conf) ? 2 : 4;
	EbStep step = {.kind = kind, .what = di};

	step.request = (uint16_t) (PREAMBLE + EB_DLT645_MIN_FRAME + name);
	step.reply = (uint16_t) (PREAMBLE + EB_DLT645_MIN_FRAME + name + data);
	step.most = data > 4 ? PREAMBLE + EB_DLT645_MAX_FRAME : step.reply;
	eb_plan_add(plan, step);
}

/* A block as single identifiers: total, then tariffs. */
static void
add_singles(EbPlan *plan, const EbMeterConf *conf, uint32_t block, int tariffs)
{
	for (uint32_t tariff = 0; tariff <= (uint32_t) tariffs; tariff++)
		add(plan, conf, EB_STEP_VALUES,
			is_1997(conf) ? (block & 0xFFF0) | tariff : (block & 0xFFFF00FF) | tariff << 8, 4);
}

static void
dlt645_plan(EbPlan *plan, const EbMeterConf *conf, const EbMeter *meter)
{
	if (!is_1997(conf) && strcmp(meter != NULL ? meter->address : conf->address, WILDCARD) == 0)
		add(plan, conf, EB_STEP_ADDRESS, 0, 6);
	if (plan->identity)
		add(plan, conf, EB_STEP_IDENTITY, is_1997(conf) ? DI_NUMBER_1997 : DI_NUMBER, 6);
	if (plan->kind == EB_PLAN_RELAY && !is_1997(conf))
		add(plan, conf, EB_STEP_RELAY, DI_RELAY, 2);
	if (plan->kind == EB_PLAN_FREEZE)
	{
		add(plan, conf, EB_STEP_FREEZE_TIME, DI_FREEZE_TIME, 5);
		add(plan, conf, EB_STEP_FREEZE_VALUES, DI_FREEZE_VALUES, 20);
		add(plan, conf, EB_STEP_FREEZE_TIME, DI_FREEZE_TIME, 5);
	}
	for (int i = 0; i < conf->nread && plan->kind == EB_PLAN_REGISTERS; i++)
		if (!is_block(conf, conf->read[i]))
			add(plan, conf, EB_STEP_VALUES, conf->read[i], 4);
		else if (meter != NULL && meter->tariffs >= 0)
			add_singles(plan, conf, conf->read[i], meter->tariffs);
		else
			add(plan, conf, EB_STEP_VALUES, conf->read[i], 20);
}

static void
dlt645_begin(EbTurn *turn)
{
	Own *own = turn->own;

	own->seq = 0; /* the port may have gone in the midst of a reply */
	own->njoined = 0;
	own->frozen_at[0] = '\0';
	own->has_values = own->again = false;
}

static bool
dlt645_build(EbTurn *turn, EbQuestion *question)
{
	const Own *own = turn->own;
	const EbStep *step = eb_turn_step(turn);
	const char *address = turn->meter->address;
	bool built = true;

	if (step->kind == EB_STEP_ADDRESS)
		eb_dlt645_address(&question->dlt645);
	else if (own->seq > 0)
		built = eb_dlt645_next(year_of(turn), address, step->what, own->seq, &question->dlt645);
	else
		built = eb_dlt645_read(year_of(turn), address, step->what, &question->dlt645);
	question->bytes = question->dlt645.bytes;
	question->length = question->dlt645.length;
	/* parts of 1997 have no number: a repetition would give the next part, or none */
	question->once = own->seq > 0 && year_of(turn) == EB_DLT645_1997;
	return built;
}

static EbMatch
dlt645_match(const EbQuestion *question, const EbFrame *frame)
{
	return eb_dlt645_match(&question->dlt645, frame);
}

static void
take_address(EbTurn *turn, const EbFrame *frame)
{
	EbMeter *meter = turn->meter;

	memcpy(meter->address, frame->dlt645.read_address, sizeof(meter->address));
	if (!eb_dlt645_address_ok(meter->address))
		memcpy(meter->address, WILDCARD, sizeof(WILDCARD));
}

static const char *
first_value(const EbFrame *frame)
{
	return frame->nitems == 1 ? eb_frame_get(frame, frame->items[0].value) : "";
}

/* Both times of a freeze were the same: its values are those of that midnight. */
static EbNext
take_freeze_time(EbTurn *turn, const EbReply *reply)
{
	Own *own = turn->own;
	const char *time = first_value(reply->frame);

	if (own->frozen_at[0] == '\0')
	{
		snprintf(own->frozen_at, sizeof(own->frozen_at), "%s", time);
		return time[0] != '\0' ? EB_NEXT_STEP : EB_NEXT_END; /* never frozen, or no such clock */
	}
	if (!own->has_values)
		return EB_NEXT_STEP; /* they were not readable, and told */
	if (strcmp(own->frozen_at, time) == 0)
	{
		turn->rows += eb_intake_freeze(
			turn->bus->intake, turn->meter, &own->frame, (EbBytes){own->bytes, own->nbytes},
			own->frozen_at, own->at_ms, eb_turn_quality(turn, own->frame.address, own->at_ms));
		return EB_NEXT_STEP;
	}
	turn->failed = own->again;
	if (own->again)
		return EB_NEXT_STEP;
	dlt645_begin(turn);
	own->again = true;
	eb_plan_make(&turn->plan, EB_PLAN_FREEZE, false, turn->meter->conf, turn->meter);
	return EB_NEXT_SAME;
}

/* Keeps a reply whose bytes are gone with the next one. */
static void
keep(Own *own, const EbReply *reply)
{
	own->frame = *reply->frame;
	own->at_ms = reply->at_ms;
	own->nbytes = reply->bytes.len;
	memcpy(own->bytes, reply->bytes.data, reply->bytes.len);
}

static EbNext
take_relay(EbTurn *turn, const EbFrame *frame)
{
	const char *word = first_value(frame);
	unsigned bits;

	if (sscanf(word, "%4x", &bits) == 1)
		eb_turn_relay(turn, (bits & RELAY_OPEN) != 0, word);
	return EB_NEXT_STEP;
}

/* A whole reply, its items decoded. */
static EbNext
take_reply(EbTurn *turn, const EbReply *reply)
{
	Own *own = turn->own;

	switch (eb_turn_step(turn)->kind)
	{
		case EB_STEP_ADDRESS:
			take_address(turn, reply->frame);
			return EB_NEXT_STEP;
		case EB_STEP_IDENTITY:
			return eb_turn_identity(turn, first_value(reply->frame)) ? EB_NEXT_STEP : EB_NEXT_END;
		default:
			break;
	}
	if (reply->frame->nitems == 0)
	{
		/* a sound frame with data that are not in the table of the codec */
		eb_turn_bad(turn, reply, EB_FRAME_STRUCTURE);
		return EB_NEXT_STEP;
	}
	switch (eb_turn_step(turn)->kind)
	{
		case EB_STEP_RELAY:
			return take_relay(turn, reply->frame);
		case EB_STEP_FREEZE_TIME:
			return take_freeze_time(turn, reply);
		case EB_STEP_FREEZE_VALUES:
			if (reply->frame != &own->frame)
				keep(own, reply);
			own->has_values = true;
			return EB_NEXT_STEP;
		default:
			eb_turn_book(turn, reply);
			return EB_NEXT_STEP;
	}
}

/* All parts are there: the first one's address, instant and bytes, the data of all. */
static EbNext
take_joined(EbTurn *turn)
{
	Own *own = turn->own;
	EbReply reply = {NULL, &own->frame, {own->bytes, own->nbytes}, own->at_ms, false};
	EbFrameError error = eb_dlt645_items(year_of(turn), eb_turn_step(turn)->what, own->joined,
										 own->njoined, &own->frame);

	own->seq = 0;
	own->njoined = 0;
	if (error == EB_FRAME_VALUE)
	{
		eb_turn_bad(turn, &reply, EB_FRAME_VALUE);
		return EB_NEXT_STEP;
	}
	if (error != EB_FRAME_OK)
		eb_frame_clear(&own->frame);
	return take_reply(turn, &reply);
}

/*
 * Whether another frame came since the last part, and this one may be of another reading for it: its
 * number does not tell. A glitch of the line is shorter than any frame.
 */
static bool
is_disturbed(const EbTurn *turn)
{
	const Own *own = turn->own;

	return own->seq > 0 && own->doubtful &&
		   (turn->meter->counts.foreign > own->foreign ||
			turn->meter->counts.resyncs > own->resyncs ||
			turn->bus->counts.stray >= own->stray + EB_DLT645_MIN_FRAME);
}

/* The parts in hand are worth nothing: the block is asked for anew, as often as a request is. */
static EbNext
drop_parts(EbTurn *turn, const EbReply *reply)
{
	Own *own = turn->own;

	own->seq = 0;
	own->njoined = 0;
	if (turn->again++ < turn->bus->conf->retries)
		return EB_NEXT_SAME;
	eb_turn_bad(turn, reply, EB_FRAME_STRUCTURE);
	return EB_NEXT_STEP;
}

/* A part of a reply; asks for the next one, whose number must follow. */
static EbNext
take_part(EbTurn *turn, const EbReply *reply)
{
	Own *own = turn->own;
	const EbFrameDlt645 *data = &reply->frame->dlt645;
	size_t n = data->nraw > 0 ? (size_t) data->nraw : 0;

	if (is_disturbed(turn))
		return drop_parts(turn, reply);
	if (own->seq == 0)
	{
		keep(own, reply);
		own->doubtful = reply->repeated || year_of(turn) == EB_DLT645_1997;
	}
	own->foreign = turn->meter->counts.foreign;
	own->resyncs = turn->meter->counts.resyncs;
	own->stray = turn->bus->counts.stray;
	if (n == 0 || own->njoined + n > MAX_JOINED || own->seq == 255)
	{
		own->seq = 0;
		own->njoined = 0;
		eb_turn_bad(turn, reply, EB_FRAME_STRUCTURE);
		return EB_NEXT_STEP;
	}
	memcpy(own->joined + own->njoined, data->raw, n);
	own->njoined += n;
	if (!data->more)
		return take_joined(turn);
	own->seq++;
	return EB_NEXT_SAME;
}

static EbNext
dlt645_take(EbTurn *turn, const EbReply *reply)
{
	if (reply->frame->dlt645.more || reply->question->dlt645.ask == EB_DLT645_NEXT)
		return take_part(turn, reply);
	return take_reply(turn, reply);
}

/*
 * The meter refused the question in hand. True when it has no blocks, or not so many tariffs: it
 * is remembered in meter->tariffs, and the plan goes on with what the meter has.
 */
static bool
has_less(EbTurn *turn, int error_word)
{
	EbPlan *plan = &turn->plan;
	EbMeter *meter = turn->meter;
	bool old = is_1997(meter->conf);
	uint32_t di = eb_turn_step(turn)->what;
	int tariff = (int) (old ? di & 0xF : di >> 8 & 0xFF);

	if ((error_word & (old ? NO_SUCH_DATA_1997 : NO_SUCH_DATA)) == 0 ||
		eb_turn_step(turn)->kind != EB_STEP_VALUES || (!old && di >> 24 != 0))
		return false;
	if (is_block(meter->conf, di))
	{
		meter->tariffs = TARIFFS;
		add_singles(plan, meter->conf, di, meter->tariffs);
		return true;
	}
	if (tariff == 0 || tariff > meter->tariffs)
		return false;
	meter->tariffs = tariff - 1;
	while (plan->step + 1 < plan->nsteps &&
		   (old ? plan->steps[plan->step + 1].what & 0xF
				: plan->steps[plan->step + 1].what >> 8 & 0xFF) > (uint32_t) tariff)
		plan->step++;
	return true;
}

static EbNext
dlt645_refused(EbTurn *turn, const EbReply *reply)
{
	Own *own = turn->own;
	int error_word = reply->frame->dlt645.error_word;

	own->seq = 0;
	own->njoined = 0;
	switch (eb_turn_step(turn)->kind)
	{
		case EB_STEP_ADDRESS: /* it may still answer to the wildcard */
			return EB_NEXT_STEP;
		case EB_STEP_IDENTITY: /* it has no number, or does not tell it */
			return eb_turn_identity(turn, "") ? EB_NEXT_STEP : EB_NEXT_END;
		default:
			break;
	}
	if (has_less(turn, error_word))
		return EB_NEXT_STEP;
	eb_turn_refused(turn, "refuses %0*X: error %02X", is_1997(turn->meter->conf) ? 4 : 8,
					(unsigned) eb_turn_step(turn)->what, (unsigned) error_word);
	return turn->plan.kind == EB_PLAN_FREEZE ? EB_NEXT_END : EB_NEXT_STEP;
}

/* A part that does not come: the parts before it are worth nothing. */
static bool
dlt645_again(EbTurn *turn)
{
	Own *own = turn->own;
	bool in_parts = own->seq > 0;

	own->seq = 0;
	own->njoined = 0;
	return in_parts;
}

const EbAsk eb_ask_dlt645 = {
	.own_size = sizeof(Own),
	.plan = dlt645_plan,
	.begin = dlt645_begin,
	.build = dlt645_build,
	.match = dlt645_match,
	.take = dlt645_take,
	.refused = dlt645_refused,
	.again = dlt645_again,
};
