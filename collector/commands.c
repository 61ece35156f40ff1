/*
 * commands.c -- what somebody in the database wants to know now
 * In:  NOTIFY elecbill_command and a look every ten seconds, for a notification can be lost with
 *      its connection; rows of elecbill.command_next().
 * Out: demands of the buses; their ends by elecbill.command_ack(). A command whose answer does not
 *      arrive is handed out again after a minute: reading twice does no harm.
 * Source: doc/collector.md.
 */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "sink_remedy.h"

#define POLL_MS 10000

/* Before an answer is told again that the database could not take. */
#define AGAIN_MS 1000

static const char *const listen_sql = "LISTEN elecbill_command";

/* What is left of its time is told by the server: the clock here may be another. */
static const char *const fetch_sql =
	"SELECT c.command, c.meter, c.kind, "
	"pg_catalog.ceil(extract(epoch FROM c.deadline_at - pg_catalog.now()) * 1000)::bigint "
	"FROM elecbill.command_next($1::uuid, $2::int) AS c";

static const char *const ack_sql =
	"SELECT elecbill.command_ack($1::uuid, $2::bigint, $3::text, $4::jsonb)";

static void fetch(EbCommands *commands);

static int
places(const EbCommands *commands)
{
	int n = 0;

	for (int i = 0; i < EB_COMMANDS_MAX; i++)
		n += commands->command[i].state == EB_COMMAND_FREE;
	return n;
}

/* The database refuses: a person has to look. */
static void
refused(const char *what, const PGresult *result)
{
	eb_log(EB_LOG_ERROR, "database: %s: %s %.300s", what,
		   PQresultErrorField(result, PG_DIAG_SQLSTATE), PQresultErrorMessage(result));
}

static void
acked(void *owner, const PGresult *result)
{
	EbCommands *commands = owner;
	EbCommand *command = commands->acking;
	bool done = result != NULL && PQresultStatus(result) == PGRES_TUPLES_OK;
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	commands->acking = NULL;
	if (!done && eb_sink_remedy(state) == EB_REMEDY_RETRY)
	{
		commands->again_ms = eb_clock_mono_ms() + AGAIN_MS;
		return; /* eb_commands_tell() is called with every round of the loop */
	}
	if (!done)
		refused("answer to a command", result);
	command->state = EB_COMMAND_FREE;
	commands->nanswered--;
	eb_commands_tell(commands);
	if (commands->fetch_again)
		fetch(commands);
}

void
eb_commands_tell(EbCommands *commands)
{
	EbCommand *command = NULL;

	for (int i = 0; i < EB_COMMANDS_MAX && command == NULL; i++)
		if (commands->command[i].state == EB_COMMAND_ANSWERED &&
			commands->command[i].behind <= commands->sink->spool->acked)
			command = &commands->command[i];
	if (command == NULL || commands->acking != NULL || eb_clock_mono_ms() < commands->again_ms)
		return;
	commands->ack =
		(EbErrand){.sql = ack_sql,
				   .nparams = 4,
				   .param = {commands->conf->id, command->id, command->outcome, command->answer},
				   .ended = acked,
				   .owner = commands};
	commands->acking = command;
	if (!eb_sink_errand(commands->sink, &commands->ack))
		commands->acking = NULL;
}

static void
answer(EbCommand *command, const char *outcome)
{
	EbCommands *commands = command->commands;

	command->outcome = outcome;
	command->state = EB_COMMAND_ANSWERED;
	command->behind = commands->sink->spool->next - 1;
	commands->nanswered++;
	eb_commands_tell(commands);
}

/* What was asked for has been read, or not. One that came too late the database expires itself. */
static void
ended(EbDemand *demand, EbDemandEnd end)
{
	EbCommand *command = demand->owner;
	EbCommands *commands = command->commands;

	if (end == EB_DEMAND_EXPIRED || (commands->dropping && end == EB_DEMAND_FAILED))
	{
		commands->counts.expired += end == EB_DEMAND_EXPIRED;
		command->state = EB_COMMAND_FREE;
	}
	else if (end == EB_DEMAND_FAILED)
	{
		commands->counts.failed++;
		snprintf(command->answer, sizeof(command->answer), "{\"reason\": \"%s\"}",
				 demand->reason != NULL ? demand->reason : "");
		answer(command, "failed");
	}
	else
	{
		commands->counts.done++;
		if (demand->kind == EB_DEMAND_RELAY)
			snprintf(command->answer, sizeof(command->answer),
					 "{\"relay\": \"%s\", \"status_word\": \"%s\"}",
					 demand->relay_open ? "open" : "closed", demand->word);
		else
			snprintf(command->answer, sizeof(command->answer), "{\"readings\": %d}", demand->rows);
		answer(command, "acked");
	}
}

/* A row of command_next(): id, serial, kind, milliseconds that are left. */
static void
take(EbCommands *commands, const PGresult *result, int row)
{
	const char *id = PQgetvalue(result, row, 0);
	const char *kind = PQgetvalue(result, row, 2);
	EbCommand *command = NULL;

	for (int i = 0; i < EB_COMMANDS_MAX; i++)
	{
		EbCommand *place = &commands->command[i];

		if (place->state == EB_COMMAND_FREE)
			command = place;
		else if (strcmp(place->id, id) == 0)
			return; /* it was not answered within a minute, and is in hand */
	}
	if (command == NULL)
		return;
	commands->counts.taken++;
	command->commands = commands;
	snprintf(command->id, sizeof(command->id), "%s", id);
	command->demand = (EbDemand){
		.kind = strcmp(kind, "relay_read") == 0 ? EB_DEMAND_RELAY : EB_DEMAND_READ,
		.deadline_ms = eb_clock_mono_ms() + strtoll(PQgetvalue(result, row, 3), NULL, 10),
		.ended = ended,
		.owner = command};
	command->state = EB_COMMAND_ASKED;
	eb_log(EB_LOG_INFO, "command %s: %s of meter %s", id, kind, PQgetvalue(result, row, 1));
	if (eb_buses_demand(commands->buses, PQgetvalue(result, row, 1), &command->demand))
		return;
	command->demand.reason = "this collector does not read the meter";
	ended(&command->demand, EB_DEMAND_FAILED);
}

static void
fetched(void *owner, const PGresult *result)
{
	EbCommands *commands = owner;
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	commands->fetch_out = false;
	if (result == NULL)
		return;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		if (eb_sink_remedy(state) != EB_REMEDY_RETRY)
			refused("fetching commands", result);
		return;
	}
	for (int i = 0; i < PQntuples(result); i++)
		take(commands, result, i);
	if (commands->fetch_again)
		fetch(commands);
}

static void
fetch(EbCommands *commands)
{
	int n = places(commands);

	commands->fetch_again = commands->fetch_out || n == 0;
	if (commands->fetch_again)
		return;
	snprintf(commands->fetch_max, sizeof(commands->fetch_max), "%d", n);
	commands->fetch = (EbErrand){.sql = fetch_sql,
								 .nparams = 2,
								 .param = {commands->conf->id, commands->fetch_max},
								 .ended = fetched,
								 .owner = commands};
	commands->fetch_out = true;
	if (!eb_sink_errand(commands->sink, &commands->fetch))
		commands->fetch_out = false;
}

static void
poll_again(void *owner)
{
	EbCommands *commands = owner;

	eb_timer_after(&commands->poll, POLL_MS);
	fetch(commands);
}

static void
listens(void *owner, const PGresult *result)
{
	(void) owner;
	if (result != NULL && PQresultStatus(result) != PGRES_COMMAND_OK)
		refused("LISTEN", result);
}

void
eb_commands_connected(EbCommands *commands)
{
	commands->listen =
		(EbErrand){.sql = listen_sql, .nparams = 0, .ended = listens, .owner = commands};
	(void) eb_sink_errand(commands->sink, &commands->listen);
	poll_again(commands);
	eb_commands_tell(commands);
}

void
eb_commands_notified(EbCommands *commands)
{
	fetch(commands);
}

void
eb_commands_open(EbCommands *commands, EbLoop *loop, const EbConfig *conf, EbSink *sink,
				 EbBuses *buses)
{
	memset(commands, 0, sizeof(*commands));
	commands->conf = conf;
	commands->sink = sink;
	commands->buses = buses;
	eb_loop_add_timer(loop, &commands->poll, poll_again, commands);
}
