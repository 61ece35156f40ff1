/*
 * bus.h -- one port with its meters: opened, kept open, opened anew after an unplug
 * What is said on it is the driver's affair: bus_master.c asks, bus_listen.c and bus_csvline.c
 * listen. Buses never wait for each other.
 */
#ifndef EB_BUS_H
#define EB_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "demand.h"
#include "intake.h"
#include "loop.h"
#include "meter.h"
#include "port.h"
#include "protocol.h"
#include "report.h"

struct EbBus;
struct EbServer;

typedef struct EbBusDriver
{
	bool (*create)(struct EbBus *bus); /* fills bus->own; false: no memory */
	void (*destroy)(struct EbBus *bus);
	void (*ready)(struct EbBus *bus); /* the port is open and was left in peace for a while */
	void (*bytes)(struct EbBus *bus, const uint8_t *bytes, size_t n, int64_t at_ms); /* UTC */
	void (*lost)(struct EbBus *bus);	  /* the port is gone; ready() comes again */
	void (*stop)(struct EbBus *bus);	  /* finish what is in flight, then eb_bus_done() */
	void (*clock_set)(struct EbBus *bus); /* somebody set the clock; may be NULL */
	void (*tally)(struct EbBus *bus);	  /* bring the meters' counts up to date; may be NULL */
	void (*demand)(struct EbBus *bus, EbDemand *demand); /* NULL: its meters cannot be asked */
	/* what the schedule of another bus with the same driver knows of the same meters; may be NULL */
	void (*inherit)(struct EbBus *bus, const struct EbBus *old);
	int64_t (*deadline)(const struct EbBus *bus); /* of an open bus, see eb_bus_deadline() */
} EbBusDriver;

extern const EbBusDriver eb_bus_master;
extern const EbBusDriver eb_bus_csvline;
extern const EbBusDriver eb_bus_listen;

/* Something an operator wants to know later too: the codes of device_event. */
typedef struct EbEvent
{
	const char *code;	 /* "breaker_open", "meter_foreign", "port_lost", ... */
	EbLogLevel severity; /* info, warning or error */
	const char *port;
	const char *serial; /* NULL: of the port */
	const char *detail; /* as words; "" */
	int64_t at_ms;		/* UTC */
} EbEvent;

/* How the collector runs, and whom a bus tells. */
typedef struct EbBusMode
{
	bool once;	  /* every meter once, or what is said in listen_ms */
	bool patient; /* a port that another process holds is waited for */
	int64_t listen_ms;
	void (*done)(void *owner);							/* the bus has finished */
	void (*event)(void *owner, const EbEvent *event);	/* NULL: nobody wants to know */
	void (*trace)(void *owner, const struct EbBus *bus, /* bytes on the line; NULL: nobody */
				  bool sent, const uint8_t *bytes, size_t n);
	void *owner;
} EbBusMode;

typedef struct EbBus
{
	EbLoop *loop;
	EbIntake *intake;
	const EbConfig *config;
	const EbPortConf *conf;
	const EbProtocolInfo *protocol;
	const EbBusDriver *driver;
	struct EbServer *server; /* where its connections come from; NULL: it opens its port itself */
	EbBusMode mode;
	EbMeter *meter; /* those of the port, in the order of the configuration */
	int nmeters;
	EbMeter **by_address; /* the same, sorted */
	bool borrows;		  /* from another bus on the same port: meter and by_address */
	void *own;			  /* the driver's */

	EbPort port;
	EbWatch watch;
	EbTimer timer; /* the pause after opening, or the wait before opening again */
	int64_t backoff_ms;
	bool started;
	bool is_open;
	bool settled; /* the pause after opening is over */
	bool stopping;
	bool done;
	bool locked;	   /* the first opening failed because another process holds the port */
	int64_t opened_ms; /* UTC of the last opening, EB_NO_INSTANT: never */
	int64_t heard_ms;  /* monotonic: last bytes, or the opening */
	EbCounts counts;

	uint64_t sampled_busy_ms; /* counts.busy_ms a while ago */
	int busy_permille;		  /* of that while; -1: not known yet */
} EbBus;

/*
 * Makes the meters of the port, or takes those of twin, another bus on the same port. False when
 * there is no memory. The port is opened by eb_bus_start.
 */
extern bool eb_bus_init(EbBus *bus, EbLoop *loop, EbIntake *intake, const EbConfig *config,
						const EbPortConf *conf, EbBusMode mode, const EbBus *twin);
extern void eb_bus_start(EbBus *bus);
extern void eb_bus_free(EbBus *bus);

/* No new request; calls mode.done when the one in flight is finished, perhaps at once. */
extern void eb_bus_stop(EbBus *bus);

/*
 * A bus that takes the place of another, before it starts: meters of the same serial keep their
 * counts, breaker, identity, last values and slots.
 */
extern void eb_bus_inherit(EbBus *bus, EbBus *old);

/*
 * When something is due at the latest, monotonic: INT64_MAX when it may wait for ever, 0 when
 * nothing will ever wake it up though it has work to do.
 */
extern int64_t eb_bus_deadline(const EbBus *bus);

/* Somebody set the clock. Counts up to now. */
extern void eb_bus_clock_set(EbBus *bus);
extern void eb_bus_tally(EbBus *bus);

/*
 * A read outside the schedule, in front of the queue of the bus; see demand.h. Its end is told
 * later, or at once when its meter cannot be asked.
 */
extern void eb_bus_demand(EbBus *bus, EbDemand *demand);

/* Something was plugged in: a port that waits to be opened is tried soon. */
extern void eb_bus_wake(EbBus *bus);

/* The unit of the bus has called: its connection is taken, in place of an older one. */
extern void eb_bus_called(EbBus *bus);

/* Whether the bus waits for a connection of its server. */
extern bool eb_bus_waits(const EbBus *bus);

/* For drivers. eb_bus_send is false when the port is gone; the driver has been told then. */
extern bool eb_bus_send(EbBus *bus, const uint8_t *bytes, size_t n);
extern bool eb_bus_line(EbBus *bus, EbLine line); /* sets the line; false as above */
extern void eb_bus_done(EbBus *bus);
extern void eb_bus_well(EbBus *bus); /* the port works: the next unplug waits short again */
extern EbMeter *eb_bus_find(EbBus *bus, const char *address);

/* Inside of the bus: makes the meters of its port; false when there is no memory. bus_meter.c */
extern bool eb_bus_make_meters(EbBus *bus);

extern void eb_bus_event(EbBus *bus, const char *code, EbLogLevel severity, const EbMeter *meter,
						 const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
