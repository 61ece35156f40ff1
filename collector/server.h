/*
 * server.h -- a TCP port on which terminal units call
 * A unit (a GPRS modem, a concentrator) opens a connection and tells its id; from then on what
 * flows there is the line of its meters. The port of that id (path = "unit:SERVER/ID") is a bus as
 * any other.
 */
#ifndef EB_SERVER_H
#define EB_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "listener.h"
#include "log.h"
#include "loop.h"

struct EbBus;

/* Connections that have not told who they are, or wait for their port: no storm goes beyond. */
#define EB_SERVER_CALLS 64

/* Longest id. */
#define EB_SERVER_ID 64

typedef struct EbCall
{
	struct EbServer *server;
	EbWatch watch;			/* fd -1: free */
	int64_t until_ms;		/* monotonic: closed when it is still here then */
	uint64_t number;		/* rising: the newest of two */
	const EbPortConf *conf; /* whose id it told; NULL: not yet */
	char host[48];			/* where it comes from */
	char peer[56];			/* the same with its port, for the log */
} EbCall;

typedef struct EbServerCounts
{
	uint64_t calls;		 /* connections accepted */
	uint64_t registered; /* of these, told the id of a port */
	uint64_t refused;	 /* told another one */
	uint64_t late;		 /* told none in time */
	uint64_t crowded;	 /* closed because too many waited */
	uint64_t replaced;	 /* closed because the unit called again */
} EbServerCounts;

typedef struct EbServer
{
	EbLoop *loop;
	const EbServerConf *conf;
	struct EbBus **bus; /* those with an id, sorted by it, then those that take any meter's calls */
	int nids;
	int nbuses;
	EbListener listener;
	EbTimer timer; /* the next call that is late, or the next try to listen */
	EbLogShare told;
	uint64_t ncalls;
	EbCall call[EB_SERVER_CALLS];
	EbServerCounts counts;
} EbServer;

/* False when there is no memory. It has no buses yet. */
extern bool eb_server_init(EbServer *server, EbLoop *loop, const EbServerConf *conf);

/* Room for so many buses; false when there is no memory. */
extern bool eb_server_room(EbServer *server, int nbuses);

/*
 * Of all buses, for which there is room, takes those whose conf->server is conf, which is the
 * server's from now on. Calls that wait for a port go on waiting for the one of that name.
 */
extern void
eb_server_buses(EbServer *server, const EbServerConf *conf, struct EbBus *const *bus, int nbuses);

/* Listens; when the port is taken it tries again. */
extern void eb_server_start(EbServer *server);

/* No further call. */
extern void eb_server_free(EbServer *server);

/* A connection for the port, the newest: the caller's from then on; -1: there is none. */
extern int eb_server_take(EbServer *server, const EbPortConf *conf);

#endif
