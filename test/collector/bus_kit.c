/*
 * bus_kit.c -- a bus on a pseudo-terminal, with DL/T 645 meters that answer as they are told
 */
#define _GNU_SOURCE
#include "bus_kit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"

static const uint32_t block = 0x0001FF00;

static void
must(bool good, const char *what)
{
	if (good)
		return;
	printf("the kit needs: %s\n", what);
	exit(1);
}

static void
take_event(void *owner, const EbEvent *event)
{
	Kit *kit = owner;
	size_t used = strlen(kit->events);

	snprintf(kit->events + used, sizeof(kit->events) - used, "%s %s,", event->code,
			 event->serial != NULL ? event->serial : "-");
}

static void
bus_done(void *owner)
{
	Kit *kit = owner;

	kit->loop.stop = true;
}

static void
stop_loop(void *owner)
{
	Kit *kit = owner;

	kit->loop.stop = true;
}

void
kit_send(Kit *kit, const void *bytes, size_t n)
{
	must(write(kit->master, bytes, n) == (ssize_t) n, "the terminal takes what meters say");
}

static void
put_bcd(uint8_t *out, int n, long value)
{
	for (int i = 0; i < n; i++, value /= 100)
		out[i] = (uint8_t) (value / 10 % 10 * 16 + value % 10);
}

void
kit_reply(Kit *kit, const char *address, uint8_t control, const uint8_t *data, size_t n)
{
	uint8_t frame[300] = {0x68};
	uint8_t sum = 0;

	put_bcd(frame + 1, 6, strtol(address, NULL, 10));
	frame[7] = 0x68;
	frame[8] = control;
	frame[9] = (uint8_t) n;
	for (size_t i = 0; i < n; i++)
		frame[10 + i] = (uint8_t) (data[i] + 0x33);
	for (size_t i = 0; i < 10 + n; i++)
		sum = (uint8_t) (sum + frame[i]);
	frame[10 + n] = sum;
	frame[11 + n] = 0x16;
	kit_send(kit, frame, 12 + n);
}

static void
answer(Kit *kit, KitMeter *device, const uint8_t *request)
{
	uint8_t data[32];
	uint32_t di = 0;

	for (int i = 0; i < 4; i++)
	{
		data[i] = (uint8_t) (request[10 + i] - 0x33);
		di |= (uint32_t) data[i] << 8 * i;
	}
	if (di == block)
	{
		put_bcd(data + 4, 4, device->kwh);
		put_bcd(data + 8, 4, device->kwh);
		kit_reply(kit, device->address, 0x91, data, 12);
	}
	else if (di == 0x04000503)
	{
		data[4] = (uint8_t) device->word;
		data[5] = (uint8_t) (device->word >> 8);
		kit_reply(kit, device->address, 0x91, data, 6);
	}
	else if (di == 0x04000402 && device->number[0] != '\0')
	{
		put_bcd(data + 4, 6, strtol(device->number, NULL, 10));
		kit_reply(kit, device->address, 0x91, data, 10);
	}
	else
		kit_reply(kit, device->address, 0xD1, (const uint8_t[]){0x02}, 1);
}

static void
take_request(Kit *kit, const uint8_t *request, size_t n)
{
	uint8_t address[6];

	for (int i = 0; i < kit->conf.nmeters; i++)
	{
		KitMeter *device = &kit->device[i];

		put_bcd(address, 6, strtol(device->address, NULL, 10));
		if (memcmp(address, request + 1, 6) != 0)
			continue;
		if (kit->nasked < KIT_ASKED - 1)
			kit->asked[kit->nasked++] = (char) ('A' + i);
		device->requests++;
		if (kit->script != NULL && kit->script(kit, request, n))
			return;
		if (!device->silent)
			answer(kit, device, request);
	}
}

static void
master_ready(void *owner, uint32_t events)
{
	Kit *kit = owner;
	ssize_t n = read(kit->master, kit->held + kit->nheld, sizeof(kit->held) - kit->nheld);
	size_t at = 0;

	(void) events;
	if (n > 0)
		kit->nheld += (size_t) n;
	while (at < kit->nheld)
	{
		size_t length = at + 10 <= kit->nheld ? 12u + kit->held[at + 9] : 12;

		if (kit->held[at] != 0x68)
			at++;
		else if (at + length > kit->nheld)
			break;
		else
		{
			take_request(kit, kit->held + at, length);
			at += length;
		}
	}
	kit->nheld -= at;
	memmove(kit->held, kit->held + at, kit->nheld);
}

void
kit_begin(Kit *kit, int n)
{
	static const char *const address[KIT_METERS] = {"000000000001", "000000000002", "000000000003",
													"000000000004"};

	memset(kit, 0, sizeof(*kit));
	must(eb_loop_open(&kit->loop), "a loop");
	kit->conf.port = &kit->port;
	kit->conf.nports = 1;
	kit->conf.meter = kit->meter;
	kit->conf.nmeters = n;
	kit->port = (EbPortConf){.name = "bus",
							 .path = kit->path,
							 .backend = EB_BACKEND_TTY,
							 .line = {115200, 8, 'E', 1},
							 .pause_ms = 5,
							 .reply_ms = 60,
							 .gap_ms = 50};
	for (int i = 0; i < n; i++)
	{
		memcpy(kit->device[i].address, address[i], 13);
		kit->device[i].kwh = 100 * (i + 1);
		kit->meter[i] = (EbMeterConf){.serial = address[i],
									  .address = address[i],
									  .port = &kit->port,
									  .interval_s = 1,
									  .decimals = 3,
									  .reads = true,
									  .nread = 1,
									  .read = &block};
	}
	kit->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	must(kit->master >= 0 && grantpt(kit->master) == 0 && unlockpt(kit->master) == 0 &&
			 ptsname_r(kit->master, kit->path, sizeof(kit->path)) == 0,
		 "a terminal");
	kit->watch = (EbWatch){-1, master_ready, kit};
	must(eb_loop_watch(&kit->loop, &kit->watch, kit->master, EPOLLIN), "its watch");
	eb_loop_add_timer(&kit->loop, &kit->stop, stop_loop, kit);
	kit->intake = (EbIntake){.conf = &kit->conf};
	kit->intake.lines = open_memstream(&kit->lines, &kit->lines_size);
}

void
kit_start(Kit *kit)
{
	EbBusMode mode = {.done = bus_done, .event = take_event, .owner = kit};

	must(eb_buses_init(&kit->buses, &kit->loop, &kit->intake, &kit->conf, mode), "memory");
	kit->bus = kit->buses.bus[0];
	eb_buses_start(&kit->buses);
}

void
kit_run(Kit *kit, int64_t ms)
{
	kit->loop.stop = false;
	eb_timer_after(&kit->stop, ms);
	must(eb_loop_run(&kit->loop), "the loop runs");
	fflush(kit->intake.lines);
}

void
kit_end(Kit *kit)
{
	eb_buses_free(&kit->buses);
	eb_loop_unwatch(&kit->loop, &kit->watch);
	close(kit->master);
	fclose(kit->intake.lines);
	free(kit->lines);
	eb_loop_close(&kit->loop);
}

int
kit_count(Kit *kit, const char *text)
{
	int n = 0;

	fflush(kit->intake.lines);
	for (const char *at = kit->lines; at != NULL && (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}
