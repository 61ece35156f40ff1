/*
 * unit_bus.c -- a bus with several meters: breaker, demands, identity, a port that comes and goes
 * Runs against real time: slots of one second, replies within some milliseconds.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus_kit.h"
#include "check.h"
#include "clock.h"
#include "log.h"

static Kit kit;

/* A silent meter costs its slots, then single probes; the others keep theirs. */
static void
test_breaker(void)
{
	EbMeter *silent;
	int before;

	kit_begin(&kit, 2);
	kit.port.retries = 1;
	kit.device[1].silent = true;
	kit_start(&kit);
	silent = &kit.bus->meter[1];
	for (int i = 0; i < 60 && !silent->breaker.open; i++)
		kit_run(&kit, 100);
	CHECK_STR(kit.events, "breaker_open 000000000002,");
	CHECK_INT(kit.device[1].requests, 6); /* three slots of two attempts */
	CHECK(kit.device[0].requests >= 3);
	before = kit.device[0].requests;
	kit_run(&kit, 3000);
	CHECK_INT(kit.device[1].requests, 6); /* given up without asking */
	CHECK_INT(kit.device[0].requests, before + 3);
	eb_buses_tally(&kit.buses);
	CHECK(silent->counts.gaps >= 5);
	CHECK_INT(kit.bus->meter[0].counts.gaps, 0);
	/* the probe comes 5 s after the third failure, alone; then it answers */
	kit_run(&kit, 2600);
	CHECK_INT(kit.device[1].requests, 7);
	CHECK_INT(silent->breaker.failures, 4);
	CHECK_INT(silent->breaker.delay_ms, 10000);
	kit.device[1].silent = false;
	silent->breaker.probe_ms = eb_clock_mono_ms() + 100;
	kit_run(&kit, 1500);
	CHECK(!silent->breaker.open);
	CHECK_STR(kit.events, "breaker_open 000000000002,breaker_closed 000000000002,");
	CHECK(silent->counts.rows > 0);
	kit_end(&kit);
}

/* How demands ended, in order: D done, F failed, E expired. */
static char ends[16];
static EbDemand *last_demand;

static void
take_end(EbDemand *demand, EbDemandEnd end)
{
	size_t n = strlen(ends);

	if (n + 1 < sizeof(ends))
		ends[n] = end == EB_DEMAND_DONE ? 'D' : end == EB_DEMAND_FAILED ? 'F' : 'E';
	last_demand = demand;
}

static EbDemand
demand_of(EbDemandKind kind, int64_t within_ms)
{
	EbDemand demand = {.kind = kind, .ended = take_end};

	demand.deadline_ms = eb_clock_mono_ms() + within_ms;
	return demand;
}

/* In front of the queue, never inside of a request; the relay; a meter that says nothing. */
static void
test_demand(void)
{
	EbDemand one = demand_of(EB_DEMAND_READ, 5000);
	EbDemand relay = demand_of(EB_DEMAND_RELAY, 5000);
	EbDemand silent = demand_of(EB_DEMAND_READ, 5000);
	EbDemand late;

	memset(ends, 0, sizeof(ends));
	kit_begin(&kit, 4);
	for (int i = 0; i < 4; i++)
		kit.meter[i].interval_s = 900;
	kit.device[2].silent = true;
	kit.device[3].word = 0x0010;
	kit_start(&kit);
	CHECK(eb_buses_demand(&kit.buses, "000000000004", &one));
	CHECK(eb_buses_demand(&kit.buses, "000000000004", &relay));
	CHECK(eb_buses_demand(&kit.buses, "000000000003", &silent));
	CHECK(!eb_buses_demand(&kit.buses, "000000000009", &silent));
	kit_run(&kit, 900);
	CHECK_STR(ends, "DDF");
	CHECK_INT(strncmp(kit.asked, "DDC", 3), 0);
	CHECK_INT(one.rows, 2);
	CHECK(relay.has_relay && relay.relay_open);
	CHECK_STR(relay.word, "0010");
	CHECK_STR(silent.reason, "no answer");
	CHECK_INT(kit_count(&kit, "\"meter\":\"000000000004\",\"register\":\"1.8.0\""),
			  kit.device[3].requests - 1);
	kit.device[3].word = 0;
	relay = demand_of(EB_DEMAND_RELAY, 5000);
	eb_bus_demand(kit.bus, (relay.meter = &kit.bus->meter[3], &relay));
	late = demand_of(EB_DEMAND_READ, -1);
	eb_bus_demand(kit.bus, (late.meter = &kit.bus->meter[0], &late));
	kit_run(&kit, 200);
	CHECK_STR(ends, "DDFED");
	CHECK(!relay.relay_open);
	kit_end(&kit);
}

/* A port that is not there: a demand expires in time. A line that is listened to: at once. */
static void
test_demand_in_vain(void)
{
	EbDemand demand;

	memset(ends, 0, sizeof(ends));
	kit_begin(&kit, 1);
	snprintf(kit.path, sizeof(kit.path), "/nowhere");
	eb_log_level(EB_LOG_ERROR - 1);
	kit_start(&kit);
	demand = demand_of(EB_DEMAND_READ, 300);
	CHECK(eb_buses_demand(&kit.buses, "000000000001", &demand));
	kit_run(&kit, 200);
	CHECK_STR(ends, "");
	kit_run(&kit, 300);
	CHECK_STR(ends, "E");
	demand = demand_of(EB_DEMAND_READ, 60000);
	CHECK(eb_buses_demand(&kit.buses, "000000000001", &demand));
	kit_end(&kit);
	CHECK_STR(ends, "EF"); /* nobody waits for ever */

	memset(ends, 0, sizeof(ends));
	kit_begin(&kit, 1);
	kit.port.protocol = EB_PROTOCOL_P1;
	kit.port.listens = true;
	kit_start(&kit);
	demand = demand_of(EB_DEMAND_READ, 60000);
	CHECK(eb_buses_demand(&kit.buses, "000000000001", &demand));
	CHECK_STR(ends, "F");
	kit_end(&kit);
	eb_log_level(EB_LOG_INFO);
}

/* One letter per request as ever, but the meter is left without an answer until its bus is stopped. */
static bool
say_nothing(Kit *unused, const uint8_t *request, size_t n)
{
	(void) unused;
	(void) request;
	(void) n;
	return true;
}

/* A bus is stopped in the midst of a demand, between two tries and while one is out. */
static void
test_demand_broken_off(void)
{
	for (int resting = 0; resting < 2; resting++)
	{
		EbDemand demand = demand_of(EB_DEMAND_READ, 60000);

		memset(ends, 0, sizeof(ends));
		kit_begin(&kit, 1);
		kit.meter[0].reads = false; /* nothing but the demand */
		kit.port.retries = 5;
		kit.port.reply_ms = resting ? 20 : 5000;
		kit.script = say_nothing;
		kit_start(&kit);
		kit_run(&kit, 20);
		CHECK(eb_buses_demand(&kit.buses, "000000000001", &demand));
		/* an attempt ends after 20 + 200 ms; then it rests for 200 ms */
		kit_run(&kit, 300);
		eb_bus_stop(kit.bus);
		CHECK_INT(kit.bus->done, resting);
		CHECK_INT((long) kit.bus->counts.bytes_out, 20); /* asked once */
		kit_end(&kit);
		CHECK_STR(ends, "F"); /* nobody waits for ever */
	}
}

/* A demand that comes in the pause behind an answer does not shorten it. */
static void
test_demand_in_pause(void)
{
	EbDemand first = demand_of(EB_DEMAND_READ, 5000);
	EbDemand second = demand_of(EB_DEMAND_READ, 5000);
	int64_t ended_ms;

	memset(ends, 0, sizeof(ends));
	kit_begin(&kit, 1);
	kit.meter[0].reads = false;
	kit.port.pause_ms = 400;
	kit_start(&kit);
	kit_run(&kit, 600);
	CHECK(eb_buses_demand(&kit.buses, "000000000001", &first));
	while (ends[0] == '\0')
		kit_run(&kit, 2);
	ended_ms = eb_clock_mono_ms();
	CHECK(eb_buses_demand(&kit.buses, "000000000001", &second));
	while (ends[1] == '\0')
		kit_run(&kit, 2);
	CHECK(eb_clock_mono_ms() - ended_ms >= 395);
	CHECK_STR(ends, "DD");
	kit_end(&kit);
}

/* Another device at the same address: nothing of it is stored, until the right one is back. */
static void
test_identity(void)
{
	int rows;

	kit_begin(&kit, 2);
	kit.meter[0].identity = kit.meter[1].identity = "000000004711";
	memcpy(kit.device[0].number, "000000004712", 13);
	kit_start(&kit);
	kit_run(&kit, 2100);
	CHECK_STR(kit.events, "meter_foreign 000000000001,");
	CHECK(kit.bus->meter[0].identity.foreign);
	CHECK_INT(kit.bus->meter[0].counts.rows, 0);
	CHECK(kit.bus->meter[0].counts.foreign >= 2);
	/* the second does not tell its number: it is asked once, and booked */
	CHECK(kit.bus->meter[1].counts.rows >= 4);
	CHECK_INT(kit.device[1].requests, 1 + (int) kit.bus->meter[1].counts.replies);
	memcpy(kit.device[0].number, "000000004711", 13);
	kit_run(&kit, 1100);
	CHECK_STR(kit.events, "meter_foreign 000000000001,meter_known 000000000001,");
	rows = (int) kit.bus->meter[0].counts.rows;
	CHECK(rows > 0);
	kit_run(&kit, 1000);
	CHECK(kit.bus->meter[0].counts.rows > (uint64_t) rows);
	/* a day later it is asked again */
	kit.device[0].requests = 0;
	kit.bus->meter[0].identity.known_ms -= INT64_C(86400000);
	kit_run(&kit, 1000);
	CHECK_INT(kit.device[0].requests, 2);
	kit_end(&kit);
}

/* The port appears later, under a name that is watched: it is opened soon, not after the pause. */
static void
test_plugged(void)
{
	char link[] = "/tmp/elecbill-plug.XXXXXX";
	char path[64];
	char device[64];
	int64_t opened_ms;

	CHECK(mkdtemp(link) != NULL);
	snprintf(path, sizeof(path), "%s/meter", link);
	kit_begin(&kit, 1);
	memcpy(device, kit.path, sizeof(device));
	memcpy(kit.path, path, sizeof(path));
	eb_log_level(EB_LOG_ERROR - 1);
	kit_start(&kit);
	kit_run(&kit, 1700); /* after tries at 0, 0.5 and 1.5 s the next would be at 3.5 s */
	CHECK(!kit.bus->is_open);
	CHECK_INT(symlink(device, path), 0);
	opened_ms = eb_clock_mono_ms();
	while (!kit.bus->is_open && eb_clock_mono_ms() - opened_ms < 3000)
		kit_run(&kit, 20);
	CHECK(kit.bus->is_open);
	CHECK(eb_clock_mono_ms() - opened_ms < 1000);
	eb_log_level(EB_LOG_INFO);
	kit_run(&kit, 1100);
	CHECK(kit.device[0].requests > 0);
	kit_end(&kit);
	unlink(path);
	rmdir(link);
}

/* What a bus takes over from the one before it. */
static void
test_inherit(void)
{
	static EbBus next;
	EbBusMode mode = {.done = NULL};

	kit_begin(&kit, 2);
	kit.meter[0].max_kw = 10;
	kit_start(&kit);
	kit_run(&kit, 600);
	CHECK(kit.bus->meter[0].counts.rows > 0);
	kit.bus->meter[1].breaker.open = true;
	CHECK(eb_bus_init(&next, &kit.loop, &kit.intake, &kit.conf, &kit.port, mode, NULL));
	eb_bus_inherit(&next, kit.bus);
	CHECK_INT(next.meter[0].counts.rows, (int64_t) kit.bus->meter[0].counts.rows);
	CHECK_INT(next.meter[0].nlast, 2);
	CHECK_INT(kit.bus->meter[0].nlast, 0);
	CHECK(next.meter[1].breaker.open);
	CHECK_INT(eb_bus_deadline(&next), INT64_MAX);
	CHECK(eb_bus_deadline(kit.bus) < eb_clock_mono_ms() + 1000);
	eb_bus_free(&next);
	kit_end(&kit);
}

int
main(void)
{
	test_breaker();
	test_demand();
	test_demand_in_vain();
	test_demand_broken_off();
	test_demand_in_pause();
	test_identity();
	test_plugged();
	test_inherit();
	return check_done("collector bus");
}
