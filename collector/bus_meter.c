/*
 * bus_meter.c -- the meters of a bus: made, found by address, taken over from another bus
 * In:  the configuration. Out: an array in its order, and the same sorted by address.
 */
#include <stdlib.h>
#include <string.h>

#include "bus.h"

static int
by_address(const void *a, const void *b)
{
	const EbMeter *const *x = a;
	const EbMeter *const *y = b;

	return strcmp((*x)->conf->address, (*y)->conf->address);
}

bool
eb_bus_make_meters(EbBus *bus)
{
	int n = 0;

	for (int i = 0; i < bus->config->nmeters; i++)
		n += bus->config->meter[i].port == bus->conf;
	bus->meter = calloc((size_t) n + 1, sizeof(EbMeter));
	bus->by_address = calloc((size_t) n + 1, sizeof(EbMeter *));
	if (bus->meter == NULL || bus->by_address == NULL)
		return false;
	for (int i = 0; i < bus->config->nmeters; i++)
		if (bus->config->meter[i].port == bus->conf)
		{
			eb_meter_init(&bus->meter[bus->nmeters], &bus->config->meter[i]);
			bus->by_address[bus->nmeters] = &bus->meter[bus->nmeters];
			bus->nmeters++;
		}
	qsort(bus->by_address, (size_t) n, sizeof(EbMeter *), by_address);
	return true;
}

EbMeter *
eb_bus_find(EbBus *bus, const char *address)
{
	int low = 0;
	int high = bus->nmeters;

	while (low < high)
	{
		int middle = (low + high) / 2;
		int order = strcmp(bus->by_address[middle]->conf->address, address);

		if (order == 0)
			return bus->by_address[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void
eb_bus_inherit(EbBus *bus, EbBus *old)
{
	for (int i = 0; i < bus->nmeters && !bus->borrows; i++)
		for (int k = 0; k < old->nmeters; k++)
			if (strcmp(bus->meter[i].conf->serial, old->meter[k].conf->serial) == 0)
				eb_meter_inherit(&bus->meter[i], &old->meter[k]);
	if (bus->driver == old->driver && bus->driver->inherit != NULL)
		bus->driver->inherit(bus, old);
}
