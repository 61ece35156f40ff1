/*
 * ask_modbus.c -- what a Modbus meter is asked, and what it answers
 * In:  the registers of its model that are read. Out: as few requests as they fit in; frames for
 *      intake.c, their items named by register code.
 * Source: doc/collector.md.
 */
#include <stdlib.h>

#include "ask.h"
#include "bus.h"

/* Codes of exceptions. */
#define BUSY 6
#define NO_PATH 10	   /* a gateway: it does not know the way */
#define NO_RESPONSE 11 /* a gateway: the meter is silent */

/* Meters whose registers cannot be asked for are refused with the configuration. */
static void
modbus_plan(EbPlan *plan, const EbMeterConf *conf, const EbMeter *meter)
{
	unsigned unit = (unsigned) strtoul(conf->address, NULL, 10);
	EbModbusRequest request;
	EbModbusMap map;

	(void) meter;
	for (int from = 0, next; from < conf->nmodbus && plan->kind == EB_PLAN_REGISTERS; from = next)
	{
		EbStep step = {.kind = EB_STEP_VALUES, .what = (uint32_t) from};

		next = eb_modbus_gather(conf->modbus, conf->nmodbus, from, conf->model->max_count, unit,
								&request, &map);
		if (next < 0)
			return;
		step.request = (uint16_t) request.length;
		step.reply = step.most = (uint16_t) eb_modbus_reply_length(&request);
		eb_plan_add(plan, step);
	}
}

static bool
modbus_build(EbTurn *turn, EbQuestion *question)
{
	const EbMeterConf *conf = turn->meter->conf;
	int next = eb_modbus_gather(conf->modbus, conf->nmodbus, (int) eb_turn_step(turn)->what,
								conf->model->max_count, (unsigned) strtoul(conf->address, NULL, 10),
								&question->modbus, &question->map);

	question->bytes = question->modbus.bytes;
	question->length = question->modbus.length;
	return next > 0;
}

static EbMatch
modbus_match(const EbQuestion *question, const EbFrame *frame)
{
	return eb_modbus_match(&question->modbus, frame);
}

static EbNext
modbus_take(EbTurn *turn, const EbReply *reply)
{
	eb_turn_book(turn, reply);
	return EB_NEXT_STEP;
}

static EbNext
modbus_refused(EbTurn *turn, const EbReply *reply)
{
	const EbModbusRequest *request = &reply->question->modbus;
	int code = reply->frame->modbus.exception;

	if (code == BUSY)
		return EB_NEXT_BUSY;
	eb_turn_refused(turn, "refuses %u registers from %u.%04XH: exception %d", request->count,
					request->fc, request->addr, code);
	return EB_NEXT_STEP;
}

static bool
modbus_unreached(const EbFrame *frame)
{
	return frame->modbus.exception == NO_PATH || frame->modbus.exception == NO_RESPONSE;
}

const EbAsk eb_ask_modbus = {
	.plan = modbus_plan,
	.build = modbus_build,
	.match = modbus_match,
	.take = modbus_take,
	.refused = modbus_refused,
	.unreached = modbus_unreached,
};
