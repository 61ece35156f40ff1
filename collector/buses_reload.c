/*
 * buses_reload.c -- buses of a new configuration beside those of the old one
 * In:  a checked configuration. Out: buses that are the same are left alone and only told where
 *      their configuration now stands; the others finish what is in flight, for two seconds at
 *      most, and are replaced.
 *
 * Whether two groups are the same is told by the prints of all their settings, so that no key can be
 * forgotten here. The old configuration is of no use to any bus when the reload is over.
 */
#include <stdlib.h>
#include <string.h>

#include "buses.h"
#include "clock.h"

#define LEAVE_MS 2000

/* What a reload will do; made before anything is changed. */
typedef struct Change
{
	const EbConfig *config;
	EbBus **bus;
	int nbuses;
	bool *kept; /* by place in bus: it is an old one */
	EbServer **server;
	int nservers;
	bool *kept_server;
	EbBus **leaving;
	int nleaving;
} Change;

static bool
same_model(const EbModelConf *a, const EbModelConf *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->print == b->print && (a->name == NULL || strcmp(a->name, b->name) == 0);
}

/* Whether a bus can go on under the new configuration, of which conf is the port. */
static bool
same_bus(const EbBus *bus, const EbConfig *config, const EbPortConf *conf)
{
	int n = 0;

	if (bus->done || bus->borrows || bus->conf->print != conf->print)
		return false;
	for (int i = 0; i < config->nmeters; i++)
	{
		const EbMeterConf *meter = &config->meter[i];

		if (meter->port != conf)
			continue;
		if (n >= bus->nmeters || bus->meter[n].conf->print != meter->print ||
			!same_model(bus->meter[n].conf->model, meter->model))
			return false;
		n++;
	}
	return n == bus->nmeters;
}

/* The old bus, and those that borrow from it, that a port keeps; -1: it gets new ones. */
static int
find_same(const EbBuses *buses, const EbConfig *config, const EbPortConf *conf)
{
	if (buses->config->registers_print != config->registers_print)
		return -1;
	for (int i = 0; i < buses->nbuses; i++)
		if (strcmp(buses->bus[i]->conf->name, conf->name) == 0)
			return same_bus(buses->bus[i], config, conf) ? i : -1;
	return -1;
}

static bool
plan_port(const EbBuses *buses, Change *change, const EbPortConf *conf)
{
	EbBusMode mode = buses->mode;
	int first = change->nbuses;
	int same = find_same(buses, change->config, conf);

	mode.patient = true;
	for (int k = 0; k < eb_buses_of(conf); k++)
	{
		change->kept[change->nbuses] = same >= 0;
		if (same >= 0)
		{
			change->bus[change->nbuses++] = buses->bus[same + k];
			continue;
		}
		change->bus[change->nbuses] = calloc(1, sizeof(EbBus));
		if (change->bus[change->nbuses] == NULL ||
			!eb_bus_init(change->bus[change->nbuses++], buses->loop, buses->intake, change->config,
						 conf, mode, k > 0 ? change->bus[first] : NULL))
			return false;
	}
	return true;
}

static bool
plan_server(const EbBuses *buses, Change *change, const EbServerConf *conf)
{
	int at = change->nservers++;

	for (int i = 0; i < buses->nservers; i++)
		if (strcmp(buses->server[i]->conf->name, conf->name) == 0 &&
			strcmp(buses->server[i]->conf->listen, conf->listen) == 0)
		{
			change->server[at] = buses->server[i];
			change->kept_server[at] = true;
			return eb_server_room(change->server[at], change->nbuses);
		}
	change->server[at] = calloc(1, sizeof(EbServer));
	return change->server[at] != NULL && eb_server_init(change->server[at], buses->loop, conf) &&
		   eb_server_room(change->server[at], change->nbuses);
}

static bool
make_plan(const EbBuses *buses, const EbConfig *config, Change *change)
{
	size_t n = 0;

	memset(change, 0, sizeof(*change));
	change->config = config;
	for (int i = 0; i < config->nports; i++)
		n += (size_t) eb_buses_of(&config->port[i]);
	change->bus = calloc(n + 1, sizeof(EbBus *));
	change->kept = calloc(n + 1, sizeof(bool));
	change->server = calloc((size_t) config->nservers + 1, sizeof(EbServer *));
	change->kept_server = calloc((size_t) config->nservers + 1, sizeof(bool));
	change->leaving = calloc((size_t) buses->nbuses + 1, sizeof(EbBus *));
	if (change->bus == NULL || change->kept == NULL || change->server == NULL ||
		change->kept_server == NULL || change->leaving == NULL)
		return false;
	for (int i = 0; i < config->nports; i++)
		if (!plan_port(buses, change, &config->port[i]))
			return false;
	for (int i = 0; i < config->nservers; i++)
		if (!plan_server(buses, change, &config->server[i]))
			return false;
	return true;
}

/* There was no memory: what was made goes again. */
static void
drop_plan(Change *change)
{
	for (int i = change->nbuses - 1; i >= 0; i--)
		if (!change->kept[i] && change->bus[i] != NULL)
			eb_buses_discard(&change->bus[i], 1);
	for (int i = 0; i < change->nservers; i++)
		if (!change->kept_server[i] && change->server[i] != NULL)
		{
			eb_server_free(change->server[i]);
			free(change->server[i]);
		}
	free(change->bus);
	free(change->server);
	free(change->leaving);
}

/* A bus that is kept reads the same values in another place. */
static void
rebind(EbBus *bus, const EbConfig *config)
{
	int n = 0;

	for (int i = 0; i < config->nports; i++)
		if (strcmp(config->port[i].name, bus->conf->name) == 0)
			bus->conf = &config->port[i];
	bus->config = config;
	for (int i = 0; i < config->nmeters && !bus->borrows; i++)
		if (config->meter[i].port == bus->conf)
			bus->meter[n++].conf = &config->meter[i];
}

static bool
is_kept(const Change *change, const EbBus *bus)
{
	for (int i = 0; i < change->nbuses; i++)
		if (change->bus[i] == bus)
			return true;
	return false;
}

static void
change_servers(EbBuses *buses, const Change *change)
{
	for (int i = 0; i < buses->nservers; i++)
	{
		bool kept = false;

		for (int k = 0; k < change->nservers; k++)
			kept = kept || change->server[k] == buses->server[i];
		if (kept)
			continue;
		eb_server_free(buses->server[i]);
		free(buses->server[i]);
	}
	free(buses->server);
	buses->server = change->server;
	buses->nservers = change->nservers;
	for (int i = 0; i < change->nservers; i++)
	{
		eb_server_buses(change->server[i], &change->config->server[i], buses->bus, buses->nbuses);
		if (!change->kept_server[i])
			eb_server_start(change->server[i]);
	}
}

/* Nothing is left to do; the timer only ends a round. */
static void
leave_now(void *owner)
{
	(void) owner;
}

bool
eb_buses_reload(EbBuses *buses, const EbConfig *config)
{
	Change change;

	if (!make_plan(buses, config, &change))
	{
		drop_plan(&change);
		free(change.kept);
		free(change.kept_server);
		return false;
	}
	for (int i = 0; i < buses->nbuses; i++)
		if (!is_kept(&change, buses->bus[i]))
			change.leaving[change.nleaving++] = buses->bus[i];
	for (int i = 0; i < change.nbuses; i++)
		if (change.kept[i])
			rebind(change.bus[i], config);
	free(buses->bus);
	buses->bus = change.bus;
	buses->nbuses = change.nbuses;
	buses->leaving = change.leaving;
	buses->nleaving = change.nleaving;
	buses->config = config;
	change_servers(buses, &change);
	eb_plugged_close(&buses->plugged);
	eb_plugged_open(&buses->plugged, buses->loop, config, eb_buses_wake, buses);
	free(change.kept);
	free(change.kept_server);

	buses->reloading = true;
	buses->leave_ms = eb_clock_mono_ms() + LEAVE_MS;
	if (buses->leaver.fire == NULL)
		eb_loop_add_timer(buses->loop, &buses->leaver, leave_now, buses);
	eb_timer_after(&buses->leaver, LEAVE_MS);
	for (int i = 0; i < buses->nleaving; i++)
		eb_bus_stop(buses->leaving[i]);
	return true;
}

/* A meter and the bus it is on. */
typedef struct Place
{
	const char *serial;
	int at; /* of buses->leaving */
} Place;

static int
by_serial(const void *a, const void *b)
{
	return strcmp(((const Place *) a)->serial, ((const Place *) b)->serial);
}

/* The meters of the buses that leave, sorted by serial; *n of them. NULL: none, or no memory. */
static Place *
places_of(const EbBuses *buses, size_t *n)
{
	Place *place;

	*n = 0;
	for (int i = 0; i < buses->nleaving; i++)
		*n += buses->leaving[i]->borrows ? 0 : (size_t) buses->leaving[i]->nmeters;
	place = *n > 0 ? malloc(*n * sizeof(Place)) : NULL;
	*n = 0;
	for (int i = 0; i < buses->nleaving && place != NULL; i++)
		for (int k = 0; k < buses->leaving[i]->nmeters && !buses->leaving[i]->borrows; k++)
			place[(*n)++] = (Place){buses->leaving[i]->meter[k].conf->serial, i};
	if (place != NULL)
		qsort(place, *n, sizeof(Place), by_serial);
	return place;
}

/* What is known of its meters, wherever they were. */
static void
inherit(EbBuses *buses, EbBus *bus, const Place *place, size_t n)
{
	for (int i = 0; i < buses->nleaving; i++)
	{
		EbBus *old = buses->leaving[i];
		bool shares = false;

		for (int k = 0; k < bus->nmeters && !shares && place != NULL; k++)
		{
			Place wanted = {bus->meter[k].conf->serial, 0};
			const Place *found = bsearch(&wanted, place, n, sizeof(Place), by_serial);

			shares = found != NULL && found->at == i;
		}
		if (shares)
			eb_bus_inherit(bus, old);
		if (strcmp(old->conf->name, bus->conf->name) == 0 && !old->borrows)
		{
			bus->counts = old->counts;
			bus->sampled_busy_ms = old->sampled_busy_ms;
		}
	}
}

bool
eb_buses_settle(EbBuses *buses)
{
	Place *place;
	size_t n;

	for (int i = 0; i < buses->nleaving && eb_clock_mono_ms() < buses->leave_ms; i++)
		if (!buses->leaving[i]->done)
			return false;
	if (!buses->reloading)
		return true;
	buses->reloading = false;
	eb_timer_stop(&buses->leaver);
	eb_buses_tally(buses);
	place = places_of(buses, &n);
	for (int i = 0; i < buses->nbuses; i++)
		if (!buses->bus[i]->started && !buses->bus[i]->borrows)
			inherit(buses, buses->bus[i], place, n);
	free(place);
	eb_buses_discard(buses->leaving, buses->nleaving);
	free(buses->leaving);
	buses->leaving = NULL;
	buses->nleaving = 0;
	for (int i = 0; i < buses->nbuses; i++)
		if (!buses->bus[i]->started && !buses->bus[i]->stopping)
			eb_bus_start(buses->bus[i]);
	return true;
}
