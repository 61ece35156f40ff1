/*
 * bus.h -- one port with its meters: opened, kept open, opened anew after an unplug
 * What is said on it is the driver's affair: bus_dlt645.c asks, bus_csvline.c listens. Buses
 * never wait for each other.
 */
#ifndef EB_BUS_H
#define EB_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "intake.h"
#include "loop.h"
#include "port.h"
#include "report.h"

struct EbBus;

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
} EbBusDriver;

extern const EbBusDriver eb_bus_dlt645;
extern const EbBusDriver eb_bus_csvline;

/* How the collector runs, and whom a bus tells that it has finished. */
typedef struct EbBusMode
{
	bool once; /* every meter once, or the lines of listen_ms */
	int64_t listen_ms;
	void (*done)(void *owner);
	void *owner;
} EbBusMode;

typedef struct EbBus
{
	EbLoop *loop;
	EbIntake *intake;
	const EbPortConf *conf;
	const EbBusDriver *driver;
	EbBusMode mode;
	EbMeter *meter; /* of all buses; those of this one have conf->port == this->conf */
	int nmeters;
	void *own; /* the driver's */

	EbPort port;
	EbWatch watch;
	EbTimer timer; /* the pause after opening, or the wait before opening again */
	int64_t backoff_ms;
	bool is_open;
	bool settled; /* the pause after opening is over */
	bool stopping;
	bool done;
	bool locked; /* the first opening failed because another process holds the port */
	EbCounts counts;
} EbBus;

/* False when there is no memory. The port is opened by eb_bus_start. */
extern bool eb_bus_init(EbBus *bus, EbLoop *loop, EbIntake *intake, const EbPortConf *conf,
						EbMeter *meters, int nmeters, EbBusMode mode);
extern void eb_bus_start(EbBus *bus);
extern void eb_bus_free(EbBus *bus);

/* No new request; calls mode.done when the one in flight is finished, perhaps at once. */
extern void eb_bus_stop(EbBus *bus);

/* Somebody set the clock. Counts up to now. */
extern void eb_bus_clock_set(EbBus *bus);
extern void eb_bus_tally(EbBus *bus);

/* For drivers. eb_bus_send is false when the port is gone; the driver has been told then. */
extern bool eb_bus_send(EbBus *bus, const uint8_t *bytes, size_t n);
extern void eb_bus_done(EbBus *bus);
extern void eb_bus_well(EbBus *bus); /* the port works: the next unplug waits short again */
extern EbMeter *eb_bus_meter(EbBus *bus, const EbMeterConf *conf);
extern EbMeter *eb_bus_find(EbBus *bus, const char *address);

#endif
