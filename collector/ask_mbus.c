/*
 * ask_mbus.c -- what a meter of M-Bus is asked, and what it answers
 * In:  its primary address. Out: a reset of the link, then its data; frames for intake.c, their
 *      items named by record number. Of a meter with several telegrams the first is read: numbers
 *      of records begin anew in each.
 * Source: doc/collector.md.
 */
#include <stdlib.h>

#include "ask.h"
#include "bus.h"

#define BUSY 8 /* application error */

/* A usual answer, for the budget. */
#define REPLY_BYTES 150

static void
mbus_plan(EbPlan *plan, const EbMeterConf *conf, const EbMeter *meter)
{
	(void) conf;
	(void) meter;
	if (plan->kind != EB_PLAN_REGISTERS)
		return;
	eb_plan_add(plan,
				(EbStep){.kind = EB_STEP_OPEN, .request = EB_MBUS_REQUEST, .reply = 1, .most = 1});
	eb_plan_add(plan, (EbStep){.kind = EB_STEP_VALUES,
							   .request = EB_MBUS_REQUEST,
							   .reply = REPLY_BYTES,
							   .most = EB_MBUS_MAX_FRAME});
}

/* After each reset the first data have the frame count bit set, and it stays for a repetition. */
static bool
mbus_build(EbTurn *turn, EbQuestion *question)
{
	unsigned address = (unsigned) strtoul(turn->meter->conf->address, NULL, 10);
	bool built = eb_turn_step(turn)->kind == EB_STEP_OPEN
					 ? eb_mbus_nke(address, &question->mbus)
					 : eb_mbus_request(address, true, &question->mbus);

	question->bytes = question->mbus.bytes;
	question->length = question->mbus.length;
	return built;
}

static EbMatch
mbus_match(const EbQuestion *question, const EbFrame *frame)
{
	return eb_mbus_match(&question->mbus, frame);
}

static EbNext
mbus_take(EbTurn *turn, const EbReply *reply)
{
	const EbFrame *frame = reply->frame;

	if (eb_turn_step(turn)->kind == EB_STEP_OPEN)
		return EB_NEXT_STEP;
	if (eb_turn_identity(turn, eb_frame_get(frame, frame->mbus.meter_id)))
		eb_turn_book(turn, reply);
	return EB_NEXT_STEP;
}

static EbNext
mbus_refused(EbTurn *turn, const EbReply *reply)
{
	int error = reply->frame->mbus.application_error;

	if (error == BUSY)
		return EB_NEXT_BUSY;
	eb_turn_refused(turn, "refuses its data: application error %d", error);
	return EB_NEXT_END;
}

const EbAsk eb_ask_mbus = {
	.plan = mbus_plan,
	.build = mbus_build,
	.match = mbus_match,
	.take = mbus_take,
	.refused = mbus_refused,
};
