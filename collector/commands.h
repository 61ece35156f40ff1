/*
 * commands.h -- what somebody in the database wants to know now
 * Commands `read` and `relay_read` of elecbill.device_command are fetched, become demands of the
 * buses, and are answered by elecbill.command_ack(). Nothing else can be commanded: the collector
 * only reads.
 */
#ifndef EB_COMMANDS_H
#define EB_COMMANDS_H

#include "buses.h"
#include "demand.h"
#include "sink_pg.h"

/* Commands in hand at a time; more wait in the database. */
#define EB_COMMANDS_MAX 32

typedef enum EbCommandState
{
	EB_COMMAND_FREE,
	EB_COMMAND_ASKED,	 /* a bus has it */
	EB_COMMAND_ANSWERED, /* the database does not know yet */
} EbCommandState;

typedef struct EbCommand
{
	struct EbCommands *commands;
	EbCommandState state;
	char id[24];
	EbDemand demand;
	int64_t behind; /* its readings are numbers up to this one: they are delivered first */
	const char *outcome;
	char answer[160]; /* JSON */
} EbCommand;

typedef struct EbCommandCounts
{
	uint64_t taken;
	uint64_t done;
	uint64_t failed;
	uint64_t expired;
} EbCommandCounts;

typedef struct EbCommands
{
	const EbConfig *conf;
	EbSink *sink;
	EbBuses *buses;
	EbTimer poll;
	EbErrand listen;
	EbErrand fetch;
	bool fetch_out;
	bool fetch_again; /* somebody notified meanwhile */
	char fetch_max[12];
	EbErrand ack;
	EbCommand *acking; /* NULL: no answer is on its way */
	int64_t again_ms;  /* monotonic: no answer is sent before, for the last could not be taken */
	int nanswered;
	bool dropping; /* buses stop: what they did not read is handed out again */
	EbCommandCounts counts;
	EbCommand command[EB_COMMANDS_MAX];
} EbCommands;

extern void eb_commands_open(EbCommands *commands, EbLoop *loop, const EbConfig *conf, EbSink *sink,
							 EbBuses *buses);

/* A connection was made; the database has notified. */
extern void eb_commands_connected(EbCommands *commands);
extern void eb_commands_notified(EbCommands *commands);

/* Sends the next answer whose readings have been delivered. */
extern void eb_commands_tell(EbCommands *commands);

#endif
