/*
 * bus.c -- one port with its meters: opened, kept open, opened anew after an unplug
 * In:  readiness of the port's descriptor, timers, connections of a server.
 * Out: bytes for the driver. A port that is gone is closed at once (an open descriptor would keep
 *      its name busy) and looked for again after 0.5 s, doubling to 10 s.
 * Source: doc/collector.md.
 */
#include "bus.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "server.h"

#define BACKOFF_FIRST_MS 500
#define BACKOFF_LAST_MS 10000

/* What was plugged in a moment ago may not be ready, or not be ours to open. */
#define WAKE_MS 100

/* A serial server that does not answer is tried again later. */
#define CONNECT_MS 10000

/* Reads per event: a port that never falls silent must not keep the others waiting. */
#define READS_PER_EVENT 8

/* Bytes nobody waited for are dropped before a request, but not for ever. */
#define DRAIN_BYTES 65536

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
	bool connecting = !bus->is_open;

	close_port(bus);
	if (!connecting)
	{
		eb_bus_event(bus, "port_lost", EB_LOG_WARNING, NULL, "it is gone: %s", why);
		bus->driver->lost(bus);
	}
	if (bus->mode.once || bus->stopping)
		eb_bus_done(bus);
	else
		open_later(bus);
}

/* Nothing is left of what the port said before it was ours; a unit says nothing before. */
static void
settle(EbBus *bus)
{
	bus->settled = true;
	if (bus->server != NULL && bus->conf->server->idle_s > 0)
		eb_timer_after(&bus->timer, bus->conf->server->idle_s * INT64_C(1000));
	bus->driver->ready(bus);
}

/* A unit that has been silent for too long is gone, even if nobody said so. */
static void
check_idle(EbBus *bus)
{
	int64_t idle_ms = bus->conf->server->idle_s * INT64_C(1000);
	int64_t silent_ms = eb_clock_mono_ms() - bus->heard_ms;

	if (silent_ms >= idle_ms)
		port_lost(bus, "silent for too long");
	else
		eb_timer_after(&bus->timer, idle_ms - silent_ms);
}

static void
port_opened(EbBus *bus)
{
	const EbPortConf *conf = bus->conf;

	if (!eb_loop_watch(bus->loop, &bus->watch, bus->port.fd, EPOLLIN | EPOLLRDHUP))
	{
		port_lost(bus, "cannot be watched");
		return;
	}
	bus->is_open = true;
	bus->counts.opens++;
	bus->opened_ms = eb_clock_real_ms();
	if (bus->counts.opens > 1)
		eb_bus_event(bus, "port_open", EB_LOG_INFO, NULL, "it is back");
	eb_log(EB_LOG_INFO, "port %s is open: %s, %s, %d %d%c%d", conf->name, conf->path,
		   bus->port.ops->name, conf->line.speed, conf->line.data_bits, conf->line.parity,
		   conf->line.stop_bits);
	bus->heard_ms = eb_clock_mono_ms();
	if (bus->server == NULL)
		eb_timer_after(&bus->timer, conf->open_pause_ms);
	else
		settle(bus);
}

static void
open_failed(EbBus *bus, EbPortStatus status)
{
	eb_log(EB_LOG_ERROR, "port %s: %s", bus->conf->name, bus->port.fault);
	close_port(bus);
	bus->locked = status == EB_PORT_LOCKED && bus->counts.opens == 0 && !bus->mode.patient;
	if (bus->mode.once || bus->locked)
		eb_bus_done(bus);
	else
		open_later(bus);
}

static void
open_port(EbBus *bus)
{
	const EbPortConf *conf = bus->conf;
	EbPortHow how = {conf->path, conf->backend, conf->line, conf->low_latency, conf->rs485};
	EbPortStatus status = eb_port_open(&bus->port, &how);

	if (status == EB_PORT_OK)
		port_opened(bus);
	else if (status == EB_PORT_CONNECTING &&
			 eb_loop_watch(bus->loop, &bus->watch, bus->port.fd, EPOLLOUT))
		eb_timer_after(&bus->timer, CONNECT_MS);
	else
		open_failed(bus, status);
}

/* Takes the connection of a unit that has called; false: there is none, the server tells later. */
static bool
open_unit(EbBus *bus)
{
	int fd = eb_server_take(bus->server, bus->conf);

	if (fd < 0)
		return false;
	eb_timer_stop(&bus->timer);
	eb_port_adopt(&bus->port, fd, bus->conf->unit, bus->conf->heartbeat, bus->conf->line);
	port_opened(bus);
	return true;
}

/* The pause after opening is over, or it is time to open again, or a connection took too long. */
static void
bus_timer(void *owner)
{
	EbBus *bus = owner;

	if (bus->done)
		return;
	if (bus->settled)
		check_idle(bus);
	else if (bus->is_open)
		settle(bus);
	else if (bus->port.ops != NULL)
	{
		eb_port_fault(&bus->port, EB_PORT_FAILED, bus->conf->path, "does not answer");
		open_failed(bus, EB_PORT_FAILED);
	}
	else if (bus->server == NULL)
		open_port(bus);
	else if (!open_unit(bus) && bus->mode.once)
		eb_bus_done(bus);
}

static void
connected(EbBus *bus)
{
	EbPortStatus status = eb_port_connected(&bus->port);

	eb_timer_stop(&bus->timer);
	if (status == EB_PORT_OK)
		port_opened(bus);
	else
		open_failed(bus, status);
}

static void
trace(EbBus *bus, bool sent, const uint8_t *bytes, size_t n)
{
	if (bus->mode.trace != NULL && n > 0)
		bus->mode.trace(bus->mode.owner, bus, sent, bytes, n);
}

static void
bus_ready(void *owner, uint32_t events)
{
	EbBus *bus = owner;
	uint8_t chunk[512];
	size_t got = sizeof(chunk);

	if (!bus->is_open)
	{
		connected(bus);
		return;
	}
	bus->heard_ms = eb_clock_mono_ms();
	for (int i = 0; i < READS_PER_EVENT && got == sizeof(chunk) && bus->is_open; i++)
	{
		got = 0;
		if (bus->port.ops->read(&bus->port, chunk, sizeof(chunk), &got) != EB_PORT_OK)
		{
			port_lost(bus, bus->port.fault);
			return;
		}
		bus->counts.bytes_in += got;
		trace(bus, false, chunk, got);
		if (!bus->settled)
			bus->counts.stray += got;
		else if (got > 0)
			bus->driver->bytes(bus, chunk, got, eb_clock_real_ms());
	}
	/* what was said before the hang-up comes first: as long as there is some, the loop calls again */
	if (bus->is_open && got == 0 && (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0)
		port_lost(bus, "hang-up");
}

bool
eb_bus_init(EbBus *bus, EbLoop *loop, EbIntake *intake, const EbConfig *config,
			const EbPortConf *conf, EbBusMode mode, const EbBus *twin)
{
	memset(bus, 0, sizeof(*bus));
	bus->loop = loop;
	bus->intake = intake;
	bus->config = config;
	bus->conf = conf;
	bus->protocol = eb_protocol(conf->protocol);
	bus->driver = !conf->listens						  ? &eb_bus_master
				  : conf->protocol == EB_PROTOCOL_CSVLINE ? &eb_bus_csvline
														  : &eb_bus_listen;
	bus->mode = mode;
	bus->backoff_ms = BACKOFF_FIRST_MS;
	bus->opened_ms = EB_NO_INSTANT;
	bus->busy_permille = -1;
	bus->port.fd = bus->port.guard_fd = -1;
	bus->watch = (EbWatch){-1, bus_ready, bus};
	bus->borrows = twin != NULL;
	if (twin != NULL)
	{
		bus->meter = twin->meter;
		bus->nmeters = twin->nmeters;
		bus->by_address = twin->by_address;
	}
	else if (!eb_bus_make_meters(bus))
		return false;
	eb_loop_add_timer(loop, &bus->timer, bus_timer, bus);
	return bus->driver->create(bus);
}

void
eb_bus_start(EbBus *bus)
{
	bus->started = true;
	if (bus->server == NULL)
		open_port(bus);
	else if (bus->mode.once)
		eb_timer_after(&bus->timer, bus->mode.listen_ms); /* for its unit to call */
}

void
eb_bus_free(EbBus *bus)
{
	if (bus->driver == NULL)
		return;
	close_port(bus);
	eb_loop_drop_timer(bus->loop, &bus->timer);
	bus->driver->destroy(bus);
	bus->driver = NULL;
	if (bus->borrows)
		return;
	for (int i = 0; i < bus->nmeters; i++)
		eb_meter_free(&bus->meter[i]);
	free(bus->meter);
	free(bus->by_address);
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

int64_t
eb_bus_deadline(const EbBus *bus)
{
	if (bus->done || !bus->started)
		return INT64_MAX;
	if (bus->settled)
		return bus->driver->deadline(bus);
	if (bus->timer.armed)
		return bus->timer.due_ms;
	return eb_bus_waits(bus) ? INT64_MAX : 0;
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
eb_bus_demand(EbBus *bus, EbDemand *demand)
{
	demand->reason = "its meter cannot be asked";
	if (bus->driver->demand != NULL && !bus->stopping && !bus->done)
		bus->driver->demand(bus, demand);
	else
		demand->ended(demand, EB_DEMAND_FAILED);
}

void
eb_bus_wake(EbBus *bus)
{
	if (bus->port.ops == NULL && !bus->done && bus->timer.armed && bus->server == NULL)
		eb_timer_after(&bus->timer, WAKE_MS);
}

void
eb_bus_called(EbBus *bus)
{
	if (bus->is_open)
		port_lost(bus, "the unit called again"); /* it is taken after the pause */
	else if (eb_bus_waits(bus) && (!bus->timer.armed || bus->mode.once))
		open_unit(bus);
}

bool
eb_bus_waits(const EbBus *bus)
{
	return bus->server != NULL && bus->port.ops == NULL && !bus->done;
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

/* What came since the last answer belongs to nobody. False when the port is gone, and told. */
static bool
drain(EbBus *bus)
{
	uint8_t chunk[512];
	size_t got = 1;

	for (size_t all = 0; got > 0 && all < DRAIN_BYTES; all += got)
	{
		got = 0;
		if (bus->port.ops->read(&bus->port, chunk, sizeof(chunk), &got) != EB_PORT_OK)
		{
			port_lost(bus, bus->port.fault);
			return false;
		}
		bus->counts.bytes_in += got;
		bus->counts.stray += got;
		trace(bus, false, chunk, got);
	}
	return true;
}

/* A request is far smaller than any output buffer: what the port does not take now, it lost. */
bool
eb_bus_send(EbBus *bus, const uint8_t *bytes, size_t n)
{
	size_t put = 0;
	EbPortStatus status;

	if (!drain(bus))
		return false;
	status = bus->port.ops->write(&bus->port, bytes, n, &put);
	if (status != EB_PORT_OK || put < n)
	{
		port_lost(bus, status == EB_PORT_OK ? "it takes no more bytes" : bus->port.fault);
		return false;
	}
	bus->counts.bytes_out += n;
	trace(bus, true, bytes, n);
	return true;
}

bool
eb_bus_line(EbBus *bus, EbLine line)
{
	if (eb_port_set_line(&bus->port, line) == EB_PORT_OK)
		return true;
	port_lost(bus, bus->port.fault);
	return false;
}

void
eb_bus_event(EbBus *bus, const char *code, EbLogLevel severity, const EbMeter *meter,
			 const char *format, ...)
{
	char detail[160];
	va_list args;
	EbEvent event = {
		code,	severity,		   bus->conf->name, meter != NULL ? meter->conf->serial : NULL,
		detail, eb_clock_real_ms()};

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	if (meter != NULL)
		eb_log(severity, "meter %s: %s", meter->conf->serial, detail);
	else
		eb_log(severity, "port %s: %s", bus->conf->name, detail);
	if (bus->mode.event != NULL)
		bus->mode.event(bus->mode.owner, &event);
}
