/*
 * turn.c -- what protocols do with the answers of a turn
 * In:  answers, refusals, names and status words as ask_*.c finds them.
 * Out: rows by intake.c, counts, events, the answer to a demand.
 */
#include <stdarg.h>
#include <stdio.h>

#include "ask.h"
#include "bus.h"
#include "clock.h"

const EbStep *
eb_turn_step(const EbTurn *turn)
{
	return &turn->plan.steps[turn->plan.step];
}

int
eb_turn_quality(const EbTurn *turn, const char *address, int64_t at_ms)
{
	int quality = 0;

	if (turn->demand == NULL && !turn->bus->mode.once && eb_sched_late(turn->task, at_ms))
		quality |= EB_QUALITY_LATE;
	if (address[0] == 'A' && address[1] == 'A')
		quality |= EB_QUALITY_FOREIGN_ADDRESS;
	return quality;
}

void
eb_turn_book(EbTurn *turn, const EbReply *reply)
{
	turn->rows +=
		eb_intake_frame(turn->bus->intake, turn->meter, reply->frame, reply->bytes, reply->at_ms,
						eb_turn_quality(turn, reply->frame->address, reply->at_ms));
}

void
eb_turn_bad(EbTurn *turn, const EbReply *reply, EbFrameError error)
{
	turn->meter->counts.error[error]++;
	eb_intake_bad(turn->bus->intake, turn->bus->conf, turn->meter, eb_frame_error_word(error),
				  reply->bytes, reply->at_ms);
	turn->failed = true;
}

void
eb_turn_refused(EbTurn *turn, const char *format, ...)
{
	char why[120];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	turn->meter->counts.exceptions++;
	turn->failed = true;
	eb_log(EB_LOG_WARNING, "meter %s %s", turn->meter->conf->serial, why);
}

bool
eb_turn_identity(EbTurn *turn, const char *name)
{
	EbMeter *meter = turn->meter;
	bool changed = false;
	bool ours = eb_identity_take(meter, name, eb_clock_real_ms(), &changed);

	if (!ours)
	{
		turn->failed = true;
		meter->counts.foreign++;
	}
	if (changed)
		eb_bus_event(turn->bus, ours ? "meter_known" : "meter_foreign",
					 ours ? EB_LOG_INFO : EB_LOG_ERROR, meter, "it calls itself \"%s\"",
					 meter->identity.seen);
	return ours;
}

void
eb_turn_relay(EbTurn *turn, bool open, const char *word)
{
	EbDemand *demand = turn->demand;

	if (demand == NULL)
		return;
	demand->has_relay = true;
	demand->relay_open = open;
	snprintf(demand->word, sizeof(demand->word), "%s", word);
}
