/*
 * ask_dlt698.c -- what a DL/T 698.45 meter is asked, and what it answers
 * In:  objects of the configuration. Out: GET requests for a few objects each; frames for intake.c.
 * Source: doc/collector.md.
 */
#include "ask.h"
#include "bus.h"

#define OAD_NUMBER 0x40020200 /* of the meter */
#define PREAMBLE 4
#define TEMPORARY 2 /* result: it may work later */

/* Objects of one request: with total and tariffs of each a reply stays below 255 bytes. */
#define OBJECTS 4

/* Bytes around the objects, and of an object with five values of four bytes. */
#define FRAME_BYTES 30
#define OBJECT_BYTES 32
#define MOST_BYTES 1024

/* Numbers of requests are six bits. */
#define PIIDS 64

typedef struct Own
{
	uint8_t piid; /* of the last request; it goes on from turn to turn */
} Own;

static void
add(EbPlan *plan, EbStepKind kind, uint32_t what, uint16_t count)
{
	eb_plan_add(plan, (EbStep){.kind = kind,
							   .what = what,
							   .count = count,
							   .request = (uint16_t) (PREAMBLE + FRAME_BYTES + 4 * count),
							   .reply = (uint16_t) (PREAMBLE + FRAME_BYTES + OBJECT_BYTES * count),
							   .most = MOST_BYTES});
}

static void
dlt698_plan(EbPlan *plan, const EbMeterConf *conf, const EbMeter *meter)
{
	(void) meter;
	if (plan->kind != EB_PLAN_REGISTERS)
		return;
	if (plan->identity)
		add(plan, EB_STEP_IDENTITY, OAD_NUMBER, 1);
	for (int i = 0; i < conf->nread; i += OBJECTS)
		add(plan, EB_STEP_VALUES, (uint32_t) i,
			(uint16_t) (conf->nread - i < OBJECTS ? conf->nread - i : OBJECTS));
}

static bool
dlt698_build(EbTurn *turn, EbQuestion *question)
{
	Own *own = turn->own;
	const EbStep *step = eb_turn_step(turn);
	const EbMeterConf *conf = turn->meter->conf;
	const uint32_t *objects =
		step->kind == EB_STEP_IDENTITY ? &step->what : conf->read + step->what;
	bool built;

	own->piid = (uint8_t) ((own->piid + 1) % PIIDS);
	built = eb_dlt698_get(conf->address, objects, step->count, own->piid, &question->dlt698);
	question->bytes = question->dlt698.bytes;
	question->length = question->dlt698.length;
	return built;
}

static EbMatch
dlt698_match(const EbQuestion *question, const EbFrame *frame)
{
	return eb_dlt698_match(&question->dlt698, frame);
}

static EbNext
dlt698_take(EbTurn *turn, const EbReply *reply)
{
	const EbFrame *frame = reply->frame;

	if (eb_turn_step(turn)->kind == EB_STEP_IDENTITY)
		return eb_turn_identity(turn,
								frame->nitems > 0 ? eb_frame_get(frame, frame->items[0].value) : "")
				   ? EB_NEXT_STEP
				   : EB_NEXT_END;
	eb_turn_book(turn, reply);
	if (frame->dlt698.dar > 0)
		eb_turn_refused(turn, "refuses one of %d objects from %08X: result %d", frame->dlt698.noads,
						(unsigned) reply->question->dlt698.oad[0], frame->dlt698.dar);
	return EB_NEXT_STEP;
}

static EbNext
dlt698_refused(EbTurn *turn, const EbReply *reply)
{
	int result = reply->frame->dlt698.dar;

	if (eb_turn_step(turn)->kind == EB_STEP_IDENTITY)
		return eb_turn_identity(turn, "") ? EB_NEXT_STEP : EB_NEXT_END;
	if (result == TEMPORARY)
		return EB_NEXT_BUSY;
	eb_turn_refused(turn, "refuses %08X: result %d", (unsigned) reply->question->dlt698.oad[0],
					result);
	return EB_NEXT_STEP;
}

const EbAsk eb_ask_dlt698 = {
	.own_size = sizeof(Own),
	.plan = dlt698_plan,
	.build = dlt698_build,
	.match = dlt698_match,
	.take = dlt698_take,
	.refused = dlt698_refused,
};
