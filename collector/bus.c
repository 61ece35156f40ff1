/*
 * bus.c -- one port with its meters: opened, kept open, opened anew after an unplug
 * In:  readiness of the port's descriptor, timers.
 * Out: bytes for the driver. A port that is gone is closed at once (an open descriptor would keep
 *      its name busy) and looked for again after 0.5 s, doubling to 10 s.
 * Source: doc/collector.md.
 */
#include "bus.h"

#include <string.h>

#include "clock.h"

#define BACKOFF_FIRST_MS 500
#define BACKOFF_LAST_MS 10000

/* Reads per event: a port that never falls silent must not keep the others waiting. */
#define READS_PER_EVENT 8

static void bus_ready(void *owner, uint32_t events);

static void
open_later(EbBus *bus)
{
	eb_timer_after(&bus->timer, bus->backoff_ms);
	bus->backoff_ms *= 2;
	if (bus->backoff_ms > BACKOFF_LAST_MS)
		bus->backoff_ms = BACKOFF_LAST_MS;
}

static void
close_port(EbBus *bus)
{
	eb_timer_stop(&bus->timer);
	eb_loop_unwatch(bus->loop, &bus->watch);
	eb_port_close(&bus->port);
	bus->is_open = bus->settled = false;
}

static void
port_lost(EbBus *bus, const char *why)
{
	eb_log(EB_LOG_WARNING, "port %s is gone: %s", bus->conf->name, why);
	close_port(bus);
	bus->driver->lost(bus);
	if (bus->mode.once || bus->stopping)
		eb_bus_done(bus);
	else
		open_later(bus);
}

static void
open_port(EbBus *bus)
{
	EbPortStatus status =
		eb_port_open(&bus->port, bus->conf->path, bus->conf->backend, bus->conf->line);

	if (status == EB_PORT_OK &&
		!eb_loop_watch(bus->loop, &bus->watch, bus->port.fd, EPOLLIN | EPOLLRDHUP))
	{
		eb_port_close(&bus->port);
		status = eb_port_fault(&bus->port, EB_PORT_FAILED, bus->conf->path, "cannot be watched");
	}
	if (status != EB_PORT_OK)
	{
		eb_log(EB_LOG_ERROR, "port %s: %s", bus->conf->name, bus->port.fault);
		bus->locked = status == EB_PORT_LOCKED && bus->counts.opens == 0;
		if (bus->mode.once || bus->locked)
			eb_bus_done(bus);
		else
			open_later(bus);
		return;
	}
	bus->is_open = true;
	bus->counts.opens++;
	eb_log(EB_LOG_INFO, "port %s is open: %s, %s, %d %d%c%d", bus->conf->name, bus->conf->path,
		   bus->port.ops->name, bus->conf->line.speed, bus->conf->line.data_bits,
		   bus->conf->line.parity, bus->conf->line.stop_bits);
	eb_timer_after(&bus->timer, bus->conf->open_pause_ms);
}

/* The pause after opening is over, or it is time to open again. */
static void
bus_timer(void *owner)
{
	EbBus *bus = owner;

	if (bus->done)
		return;
	if (bus->is_open)
	{
		bus->settled = true;
		bus->driver->ready(bus);
	}
	else
		open_port(bus);
}

static void
bus_ready(void *owner, uint32_t events)
{
	EbBus *bus = owner;
	uint8_t chunk[512];
	size_t got = sizeof(chunk);

	for (int i = 0; i < READS_PER_EVENT && got == sizeof(chunk) && bus->is_open; i++)
	{
		got = 0;
		if (bus->port.ops->read(&bus->port, chunk, sizeof(chunk), &got) != EB_PORT_OK)
		{
			port_lost(bus, bus->port.fault);
			return;
		}
		bus->counts.bytes_in += got;
		if (!bus->settled)
			bus->counts.stray += got;
		else if (got > 0)
			bus->driver->bytes(bus, chunk, got, eb_clock_real_ms());
	}
	if (bus->is_open && (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0)
		port_lost(bus, "hang-up");
}

bool
eb_bus_init(EbBus *bus, EbLoop *loop, EbIntake *intake, const EbPortConf *conf, EbMeter *meters,
			int nmeters, EbBusMode mode)
{
	memset(bus, 0, sizeof(*bus));
	bus->loop = loop;
	bus->intake = intake;
	bus->conf = conf;
	bus->driver = conf->protocol == EB_PROTOCOL_DLT645 ? &eb_bus_dlt645 : &eb_bus_csvline;
	bus->mode = mode;
	bus->meter = meters;
	bus->nmeters = nmeters;
	bus->backoff_ms = BACKOFF_FIRST_MS;
	bus->port.fd = bus->port.guard_fd = -1;
	bus->watch = (EbWatch){-1, bus_ready, bus};
	eb_loop_add_timer(loop, &bus->timer, bus_timer, bus);
	return bus->driver->create(bus);
}

void
eb_bus_start(EbBus *bus)
{
	open_port(bus);
}

void
eb_bus_free(EbBus *bus)
{
	if (bus->driver == NULL)
		return;
	close_port(bus);
	bus->driver->destroy(bus);
	bus->driver = NULL;
}

void
eb_bus_stop(EbBus *bus)
{
	if (bus->stopping || bus->done)
		return;
	bus->stopping = true;
	if (bus->settled)
		bus->driver->stop(bus);
	else
		eb_bus_done(bus);
}

void
eb_bus_clock_set(EbBus *bus)
{
	if (bus->settled && bus->driver->clock_set != NULL)
		bus->driver->clock_set(bus);
}

void
eb_bus_tally(EbBus *bus)
{
	if (bus->driver->tally != NULL)
		bus->driver->tally(bus);
}

void
eb_bus_done(EbBus *bus)
{
	if (bus->done)
		return;
	bus->done = true;
	close_port(bus);
	bus->mode.done(bus->mode.owner);
}

void
eb_bus_well(EbBus *bus)
{
	bus->backoff_ms = BACKOFF_FIRST_MS;
}

/* A request is far smaller than any output buffer: what the port does not take now, it lost. */
bool
eb_bus_send(EbBus *bus, const uint8_t *bytes, size_t n)
{
	size_t put = 0;
	EbPortStatus status = bus->port.ops->write(&bus->port, bytes, n, &put);

	if (status != EB_PORT_OK || put < n)
	{
		port_lost(bus, status == EB_PORT_OK ? "it takes no more bytes" : bus->port.fault);
		return false;
	}
	bus->counts.bytes_out += n;
	return true;
}

EbMeter *
eb_bus_meter(EbBus *bus, const EbMeterConf *conf)
{
	for (int i = 0; i < bus->nmeters; i++)
		if (bus->meter[i].conf == conf)
			return &bus->meter[i];
	return NULL;
}

EbMeter *
eb_bus_find(EbBus *bus, const char *address)
{
	for (int i = 0; i < bus->nmeters; i++)
		if (bus->meter[i].conf->port == bus->conf &&
			strcmp(bus->meter[i].conf->address, address) == 0)
			return &bus->meter[i];
	return NULL;
}
