/*
 * events.h -- what happened, on its way to elecbill.collector_event()
 * Events are gathered in memory and told when the database is there. They are news, not readings:
 * a crash costs those that were not told, and when too many wait the oldest go, counted.
 */
#ifndef EB_EVENTS_H
#define EB_EVENTS_H

#include "bus.h"
#include "sink_pg.h"

#define EB_EVENTS_MAX 512
#define EB_EVENTS_AT_ONCE 64

/* An event with its texts. */
typedef struct EbEventKept
{
	char code[32];
	EbLogLevel severity;
	char port[40];
	char serial[EB_SERIAL_MAX + 1]; /* empty: of no meter */
	char detail[160];
	int64_t at_ms;
} EbEventKept;

typedef struct EbEvents
{
	const EbConfig *conf;
	EbSink *sink; /* NULL: events only go to the log */
	EbErrand errand;
	bool out;	/* the errand is */
	char *json; /* its parameter */
	int nout;	/* events in it */
	int first;	/* the oldest */
	int n;
	uint64_t lost; /* that made room, since it was told last */
	uint64_t told;
	EbEventKept kept[EB_EVENTS_MAX];
} EbEvents;

extern void eb_events_open(EbEvents *events, const EbConfig *conf, EbSink *sink);
extern void eb_events_close(EbEvents *events);

/* Keeps a copy. The log has it from whom it comes. */
extern void eb_events_add(EbEvents *events, const EbEvent *event);

/* There is a connection: tells what waits. */
extern void eb_events_tell(EbEvents *events);

#endif
