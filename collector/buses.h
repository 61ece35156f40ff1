/*
 * buses.h -- all buses of a collector: made from the configuration, woken, told, counted
 */
#ifndef EB_BUSES_H
#define EB_BUSES_H

#include "bus.h"
#include "plugged.h"
#include "server.h"

typedef struct EbBuses
{
	EbLoop *loop;
	EbIntake *intake;
	const EbConfig *config;
	EbBusMode mode;
	EbBus **bus; /* one per port; of a port for units without an id, one per connection */
	int nbuses;
	EbServer **server;
	int nservers;
	EbPlugged plugged;

	bool reloading;
	EbBus **leaving; /* those a new configuration has replaced, until they have finished */
	int nleaving;
	int64_t leave_ms; /* monotonic: they are not waited for any longer */
	EbTimer leaver;	  /* ends a round then */
} EbBuses;

/* False when there is no memory. Nothing is opened before eb_buses_start(). */
extern bool eb_buses_init(EbBuses *buses, EbLoop *loop, EbIntake *intake, const EbConfig *config,
						  EbBusMode mode);
extern void eb_buses_start(EbBuses *buses);
extern void eb_buses_free(EbBuses *buses);

/* As eb_bus_stop(), eb_bus_clock_set() and eb_bus_tally() of each. */
extern void eb_buses_stop(EbBuses *buses);
extern void eb_buses_clock_set(EbBuses *buses);
extern void eb_buses_tally(EbBuses *buses);

/* Whether all have finished, and whether the port of one is held by another process. */
extern bool eb_buses_done(const EbBuses *buses);
extern bool eb_buses_locked(const EbBuses *buses);

/* As eb_bus_demand() for the meter of that serial; false: there is none, nothing is told. */
extern bool eb_buses_demand(EbBuses *buses, const char *serial, EbDemand *demand);

/* Each port, then each meter; counts are up to date after eb_buses_tally(). */
extern void
eb_buses_each(const EbBuses *buses, void *arg, void (*port)(void *arg, const EbBus *bus),
			  void (*meter)(void *arg, const EbBus *bus, const EbMeter *meter));

/* How busy each was in the last elapsed_ms. */
extern void eb_buses_sample(EbBuses *buses, int64_t elapsed_ms);

/* A bus that has not done by now what it had to do by a time that is long over; NULL: none. */
extern const EbBus *eb_buses_overdue(const EbBuses *buses);

/*
 * The configuration is now config. A bus whose port, meters and registers are the same goes on as
 * if nothing had happened; the others are stopped, and new ones take their place, with what is
 * known of their meters, when these have finished what is in flight: eb_buses_settle(). False when
 * there is no memory: then everything is as before. From loop->round only. buses_reload.c
 */
extern bool eb_buses_reload(EbBuses *buses, const EbConfig *config);

/* From loop->round: goes on with a reload; false: it is not over yet. */
extern bool eb_buses_settle(EbBuses *buses);

/* For buses_reload.c: how many buses a port has; ends n of them; tries ports that are closed. */
extern int eb_buses_of(const EbPortConf *port);
extern void eb_buses_discard(EbBus **bus, int n);
extern void eb_buses_wake(void *buses);

#endif
