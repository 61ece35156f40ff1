/*
 * buses.c -- all buses of a collector: made from the configuration, woken, told, counted
 * In:  a checked configuration. Out: buses, servers, the watch for adapters.
 */
#include "buses.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* A timer may be late because the computer was; a bus that is later than this hangs. */
#define OVERDUE_MS 10000

void
eb_buses_wake(void *owner)
{
	EbBuses *buses = owner;

	for (int i = 0; i < buses->nbuses; i++)
		eb_bus_wake(buses->bus[i]);
}

/* Connections of units without an id share the meters of their port. */
int
eb_buses_of(const EbPortConf *port)
{
	return port->server != NULL && port->unit[0] == '\0' ? port->connections : 1;
}

static bool
make_buses(EbBuses *buses)
{
	const EbConfig *config = buses->config;

	for (int i = 0; i < config->nports; i++)
		for (int k = 0; k < eb_buses_of(&config->port[i]); k++)
		{
			EbBus *bus = calloc(1, sizeof(EbBus));

			if (bus == NULL)
				return false;
			buses->bus[buses->nbuses++] = bus;
			if (!eb_bus_init(bus, buses->loop, buses->intake, config, &config->port[i], buses->mode,
							 k > 0 ? buses->bus[buses->nbuses - 1 - k] : NULL))
				return false;
		}
	return true;
}

static bool
make_servers(EbBuses *buses)
{
	for (int i = 0; i < buses->config->nservers; i++)
	{
		EbServer *server = calloc(1, sizeof(EbServer));

		if (server == NULL)
			return false;
		buses->server[buses->nservers++] = server;
		if (!eb_server_init(server, buses->loop, &buses->config->server[i]) ||
			!eb_server_room(server, buses->nbuses))
			return false;
		eb_server_buses(server, server->conf, buses->bus, buses->nbuses);
	}
	return true;
}

bool
eb_buses_init(EbBuses *buses, EbLoop *loop, EbIntake *intake, const EbConfig *config,
			  EbBusMode mode)
{
	int n = 0;

	memset(buses, 0, sizeof(*buses));
	buses->loop = loop;
	buses->intake = intake;
	buses->config = config;
	buses->mode = mode;
	buses->plugged.watch.fd = -1;
	for (int i = 0; i < config->nports; i++)
		n += eb_buses_of(&config->port[i]);
	buses->bus = calloc((size_t) n + 1, sizeof(EbBus *));
	buses->server = calloc((size_t) config->nservers + 1, sizeof(EbServer *));
	if (buses->bus == NULL || buses->server == NULL || !make_buses(buses) || !make_servers(buses))
		return false;
	eb_plugged_open(&buses->plugged, loop, config, eb_buses_wake, buses);
	return true;
}

void
eb_buses_start(EbBuses *buses)
{
	for (int i = 0; i < buses->nservers; i++)
		eb_server_start(buses->server[i]);
	for (int i = 0; i < buses->nbuses; i++)
		eb_bus_start(buses->bus[i]);
}

/* Those that borrow their meters first. */
void
eb_buses_discard(EbBus **bus, int n)
{
	for (int i = n - 1; i >= 0; i--)
	{
		eb_bus_free(bus[i]);
		free(bus[i]);
	}
}

void
eb_buses_free(EbBuses *buses)
{
	eb_plugged_close(&buses->plugged);
	for (int i = 0; i < buses->nservers; i++)
	{
		eb_server_free(buses->server[i]);
		free(buses->server[i]);
	}
	free(buses->server);
	eb_buses_discard(buses->leaving, buses->nleaving);
	eb_buses_discard(buses->bus, buses->nbuses);
	free(buses->leaving);
	free(buses->bus);
	buses->nservers = buses->nleaving = buses->nbuses = 0;
	buses->server = NULL;
	buses->leaving = buses->bus = NULL;
}

void
eb_buses_stop(EbBuses *buses)
{
	for (int i = 0; i < buses->nbuses; i++)
		eb_bus_stop(buses->bus[i]);
}

void
eb_buses_clock_set(EbBuses *buses)
{
	for (int i = 0; i < buses->nbuses; i++)
		eb_bus_clock_set(buses->bus[i]);
}

void
eb_buses_tally(EbBuses *buses)
{
	for (int i = 0; i < buses->nbuses; i++)
		eb_bus_tally(buses->bus[i]);
}

bool
eb_buses_done(const EbBuses *buses)
{
	for (int i = 0; i < buses->nbuses; i++)
		if (!buses->bus[i]->done)
			return false;
	for (int i = 0; i < buses->nleaving; i++)
		if (!buses->leaving[i]->done)
			return false;
	return true;
}

bool
eb_buses_locked(const EbBuses *buses)
{
	for (int i = 0; i < buses->nbuses; i++)
		if (buses->bus[i]->locked)
			return true;
	return false;
}

bool
eb_buses_demand(EbBuses *buses, const char *serial, EbDemand *demand)
{
	for (int i = 0; i < buses->nbuses; i++)
		for (int k = 0; k < buses->bus[i]->nmeters; k++)
			if (strcmp(buses->bus[i]->meter[k].conf->serial, serial) == 0)
			{
				demand->meter = &buses->bus[i]->meter[k];
				eb_bus_demand(buses->bus[i], demand);
				return true;
			}
	return false;
}

void
eb_buses_each(const EbBuses *buses, void *arg, void (*port)(void *arg, const EbBus *bus),
			  void (*meter)(void *arg, const EbBus *bus, const EbMeter *meter))
{
	for (int i = 0; i < buses->nbuses; i++)
		port(arg, buses->bus[i]);
	for (int i = 0; i < buses->nbuses; i++)
		for (int k = 0; k < buses->bus[i]->nmeters && !buses->bus[i]->borrows; k++)
			meter(arg, buses->bus[i], &buses->bus[i]->meter[k]);
}

/* A line that is only listened to is busy while bytes come. */
void
eb_buses_sample(EbBuses *buses, int64_t elapsed_ms)
{
	for (int i = 0; i < buses->nbuses; i++)
	{
		EbBus *bus = buses->bus[i];
		uint64_t busy_ms = bus->conf->listens
							   ? (uint64_t) eb_line_ms(bus->conf->line, bus->counts.bytes_in)
							   : bus->counts.busy_ms;
		int64_t permille = (int64_t) (busy_ms - bus->sampled_busy_ms) * 1000 / elapsed_ms;

		/* a request that began earlier is counted at its end */
		bus->busy_permille = permille < 1000 ? (int) permille : 1000;
		bus->sampled_busy_ms = busy_ms;
	}
}

const EbBus *
eb_buses_overdue(const EbBuses *buses)
{
	int64_t now_ms = eb_clock_mono_ms();

	for (int i = 0; i < buses->nbuses; i++)
		if (now_ms - OVERDUE_MS > eb_bus_deadline(buses->bus[i]))
			return buses->bus[i];
	return NULL;
}
