/*
 * demand.h -- a read outside the schedule: somebody wants to know now
 * It goes in front of the queue of its bus, never interrupts a request, and expires at its
 * deadline. The caller owns it until its end is told.
 */
#ifndef EB_DEMAND_H
#define EB_DEMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "meter.h"

typedef enum EbDemandKind
{
	EB_DEMAND_READ,	 /* the registers of the meter */
	EB_DEMAND_RELAY, /* whether its relay is open */
} EbDemandKind;

typedef enum EbDemandEnd
{
	EB_DEMAND_DONE,
	EB_DEMAND_FAILED,  /* why is in reason */
	EB_DEMAND_EXPIRED, /* its turn did not come in time */
} EbDemandEnd;

typedef struct EbDemand
{
	EbDemandKind kind;
	EbMeter *meter;		 /* eb_buses_demand() finds it by its serial */
	int64_t deadline_ms; /* monotonic: it is not begun later */
	void (*ended)(struct EbDemand *demand, EbDemandEnd end);
	void *owner;

	/* the answer */
	int rows; /* readings booked */
	bool has_relay;
	bool relay_open;
	char word[9];		/* the status word it was seen in, hex */
	const char *reason; /* of a failure */
	struct EbDemand *next;
} EbDemand;

/* Those that wait for their turn, the oldest first. */
typedef struct EbDemands
{
	EbLoop *loop;
	EbDemand *first;
	EbTimer expiry; /* of the first of them to expire */
} EbDemands;

extern void eb_demands_open(EbDemands *demands, EbLoop *loop);

/* All that wait have failed. */
extern void eb_demands_close(EbDemands *demands);

/* Behind the others; in front of them, one whose turn was broken off. */
extern void eb_demands_add(EbDemands *demands, EbDemand *demand);
extern void eb_demands_back(EbDemands *demands, EbDemand *demand);

/* The first, which waits no longer; NULL: none waits. */
extern EbDemand *eb_demands_take(EbDemands *demands);

/* Tells whoever asked how it ended. */
extern void eb_demand_end(EbDemand *demand, EbDemandEnd end, const char *reason);

#endif
