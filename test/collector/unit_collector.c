/*
 * unit_collector.c -- the parts of the collector that do no I/O: line, budget, schedule, clock text
 * Instants are worked out by hand: 1767225600 s is 2026-01-01 00:00 UTC, a multiple of a day.
 */
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "check.h"
#include "clock.h"
#include "config.h"
#include "intake.h"
#include "log.h"
#include "plan.h"
#include "sched.h"

#define NEW_YEAR_MS INT64_C(1767225600000)
#define MINUTE_MS INT64_C(60000)

static EbConfig conf;
static EbPortConf ports[1];
static EbMeterConf meters[3];
static EbMeter meter[3];

/* Three meters on one 2400 8E1 bus: 900 s, 900 s with freeze, 3600 s. */
static void
make_conf(void)
{
	static const uint32_t block = 0x0001FF00;

	memset(&conf, 0, sizeof(conf));
	memset(meters, 0, sizeof(meters));
	ports[0] = (EbPortConf){.name = "bus", .protocol = EB_PROTOCOL_DLT645};
	ports[0].line = (EbLine){2400, 8, 'E', 1};
	ports[0].pause_ms = 20;
	ports[0].reply_ms = 500;
	ports[0].retries = 2;
	conf.port = ports;
	conf.nports = 1;
	conf.meter = meters;
	conf.nmeters = 3;
	for (int i = 0; i < 3; i++)
	{
		meters[i].serial = meters[i].address = "000000000161";
		meters[i].port = &ports[0];
		meters[i].interval_s = i == 2 ? 3600 : 900;
		meters[i].utc_offset_s = 8 * 3600;
		meters[i].nread = 1;
		meters[i].read = &block;
		meters[i].reads = true;
	}
	meters[1].freeze = true;
	meters[1].offset_s = 60;
	for (int i = 0; i < 3; i++)
		eb_meter_init(&meter[i], &meters[i]);
}

static bool
open_sched(EbSched *sched)
{
	return eb_sched_open(sched, meter, conf.nmeters, eb_plan_budget(&conf, &ports[0]).cost_ms);
}

static void
test_line(void)
{
	EbLine line = {2400, 8, 'E', 1};

	/* 20 bytes of 11 bits at 2400 baud: 91.67 ms, rounded up */
	CHECK_INT(eb_line_ms(line, 20), 92);
	CHECK_INT(eb_line_ms(line, 40), 184);
	CHECK_INT(eb_line_ms(line, 0), 0);
	CHECK(eb_line_parse("7E1", &line));
	CHECK_INT(line.data_bits, 7);
	CHECK_INT(eb_line_ms(line, 24), 100);
	CHECK(!eb_line_parse("8X1", &line));
	CHECK(!eb_line_parse("8E", &line));
	CHECK(!eb_line_parse("9N1", &line));
}

static void
test_budget(void)
{
	EbBudget budget = eb_plan_budget(&conf, &ports[0]);

	CHECK_INT(budget.nmeters, 3);
	CHECK_INT(budget.interval_ms, 900000);

	/*
	 * a block: (92 + 500 + 184 + 20) x 3 = 2388 ms; the hourly meter counts a quarter of it. The
	 * freeze, once a day, has a block and twice 25 bytes: (92 + 500 + 115 + 20) x 3 x 2 + 2388 =
	 * 6750, x 900 / 86400 = 70.3
	 */
	CHECK_INT(budget.cost_ms, 2388 + 2388 + 597 + 71);
	ports[0].listens = true;
	CHECK_INT(eb_plan_budget(&conf, &ports[0]).interval_ms, 0);
	ports[0].listens = false;
}

/* Every protocol has its cost: lines, delays and pauses worked out by hand, no retries. */
static void
test_budgets(void)
{
	static const EbModbusRegister registers[] = {
		{"1.8.0", 4, 0x48, {EB_MODBUS_FLOAT32, EB_MODBUS_ABCD, 1, 0, false, 0, "kWh", 0}},
		{"2.8.0", 4, 0x4A, {EB_MODBUS_FLOAT32, EB_MODBUS_ABCD, 1, 0, false, 0, "kWh", 0}},
		{"1.8.1", 4, 0x156, {EB_MODBUS_FLOAT32, EB_MODBUS_ABCD, 1, 0, false, 0, "kWh", 0}}};
	static const uint32_t objects[] = {0x00100200, 0x00200200};
	EbModelConf model = {.protocol = EB_PROTOCOL_MODBUS, .max_count = 60};
	EbMeterConf saved = meters[0];
	EbPortConf port = ports[0];

	conf.nmeters = 1;
	ports[0].retries = 0;
	meters[0].address = "1";

	/* two requests of 8 bytes, replies of 13 and 9: 9 + 14 and 9 + 10 ms at 9600 8N1 */
	ports[0].protocol = EB_PROTOCOL_MODBUS;
	ports[0].line = (EbLine){9600, 8, 'N', 1};
	meters[0].model = &model;
	meters[0].modbus = registers;
	meters[0].nmodbus = 3;
	CHECK_INT(eb_plan_budget(&conf, &ports[0]).cost_ms, 9 + 500 + 14 + 20 + 9 + 500 + 10 + 20);

	/* 5 bytes and E5; 5 bytes and 150: 23 + 5, 23 + 688 ms at 2400 8E1 */
	ports[0].protocol = EB_PROTOCOL_MBUS;
	ports[0].line = (EbLine){2400, 8, 'E', 1};
	CHECK_INT(eb_plan_budget(&conf, &ports[0]).cost_ms, 23 + 500 + 5 + 20 + 23 + 500 + 688 + 20);

	/* 6 and 64 bytes at 300 7E1: 200 + 2134; 6 at 300 and 2048 at 9600: 200 + 2134 */
	ports[0].protocol = EB_PROTOCOL_IEC62056;
	ports[0].line = (EbLine){300, 7, 'E', 1};
	ports[0].readout = 2048;
	ports[0].switch_speed = 9600;
	CHECK_INT(eb_plan_budget(&conf, &ports[0]).cost_ms,
			  200 + 500 + 2134 + 20 + 200 + 500 + 2134 + 20);

	/* one request for two objects: 42 and 98 bytes at 9600 8E1 */
	ports[0].protocol = EB_PROTOCOL_DLT698;
	ports[0].line = (EbLine){9600, 8, 'E', 1};
	meters[0].read = objects;
	meters[0].nread = 2;
	CHECK_INT(eb_plan_budget(&conf, &ports[0]).cost_ms, 49 + 500 + 113 + 20);

	/* 1997: 18 bytes and 38 at 1200 8E1 */
	ports[0].protocol = EB_PROTOCOL_DLT645_1997;
	ports[0].line = (EbLine){1200, 8, 'E', 1};
	meters[0].read = (const uint32_t[]){0x901F};
	meters[0].nread = 1;
	CHECK_INT(eb_plan_budget(&conf, &ports[0]).cost_ms, 165 + 500 + 349 + 20);

	meters[0] = saved;
	ports[0] = port;
	conf.nmeters = 3;
}

static void
test_address(void)
{
	EbAddress address;

	CHECK(eb_address_parse("10.0.0.5:4001", &address));
	CHECK_STR(address.host, "10.0.0.5");
	CHECK_STR(address.port, "4001");
	CHECK(eb_address_parse("[::1]:1", &address));
	CHECK_STR(address.host, "::1");
	CHECK(eb_address_parse("meters.example:65535", &address));
	CHECK(!eb_address_parse("meters.example:65536", &address));
	CHECK(!eb_address_parse("meters.example:0", &address));
	CHECK(!eb_address_parse("meters.example:", &address));
	CHECK(!eb_address_parse("meters.example", &address));
	CHECK(!eb_address_parse(":1", &address));
	CHECK(!eb_address_parse("::1:1", &address));
	CHECK(!eb_address_parse("[::1]1", &address));
	CHECK(!eb_address_parse("[::1:1", &address));
	CHECK(!eb_address_parse("a:1x", &address));
}

static void
test_slots(void)
{
	EbSched sched;
	EbTask *task;
	int64_t wait_ms;
	int64_t at = NEW_YEAR_MS;

	CHECK(open_sched(&sched));
	CHECK_INT(sched.ntasks, 4);

	/* in the order of the configuration, each once per slot */
	task = eb_sched_next(&sched, at, &wait_ms);
	CHECK(task != NULL && task->meter == &meter[0] && task->kind == EB_TASK_REGISTERS);
	task = eb_sched_next(&sched, at, &wait_ms);
	CHECK(task != NULL && task->meter == &meter[2]);
	/* 2026-01-01 00:00 UTC is 08:00 in China: the freeze of that midnight is still due */
	task = eb_sched_next(&sched, at, &wait_ms);
	CHECK(task != NULL && task->meter == &meter[1] && task->kind == EB_TASK_FREEZE);
	/* meter 1 has an offset of a minute */
	CHECK(eb_sched_next(&sched, at, &wait_ms) == NULL);
	CHECK_INT(wait_ms, MINUTE_MS);
	CHECK(eb_sched_next(&sched, at + MINUTE_MS - 1, &wait_ms) == NULL);
	CHECK_INT(wait_ms, 1);
	task = eb_sched_next(&sched, at + MINUTE_MS, &wait_ms);
	CHECK(task != NULL && task->meter == &meter[1] && task->kind == EB_TASK_REGISTERS);
	CHECK(eb_sched_next(&sched, at + MINUTE_MS, &wait_ms) == NULL);
	CHECK_INT(wait_ms, 14 * MINUTE_MS);
	eb_sched_close(&sched);
}

static void
test_late_and_missed(void)
{
	EbSched sched;
	EbTask *task;
	int64_t wait_ms;
	int64_t slot = NEW_YEAR_MS;

	conf.nmeters = 1;
	CHECK(open_sched(&sched));
	/* started seven minutes after the slot: read, and late; the worst case of the bus is 2.4 s */
	task = eb_sched_next(&sched, slot + 7 * MINUTE_MS, &wait_ms);
	CHECK(task != NULL);
	CHECK(eb_sched_late(task, slot + 7 * MINUTE_MS));
	CHECK(eb_sched_late(task, slot + 2389));
	CHECK(!eb_sched_late(task, slot + 2388));
	CHECK_INT(task->gaps, 0);

	/* not tried because the port went away: due again within half the interval, not beyond */
	eb_sched_give_back(task);
	CHECK(eb_sched_next(&sched, slot + 7 * MINUTE_MS + 29000, &wait_ms) == task);
	eb_sched_give_back(task);
	CHECK(eb_sched_next(&sched, slot + 450000, &wait_ms) == NULL);
	CHECK_INT(wait_ms, 450000);
	CHECK_INT(task->gaps, 1);

	/* asleep for an hour: three slots missed, one read, no catching up */
	CHECK(eb_sched_next(&sched, slot + 60 * MINUTE_MS + 5, &wait_ms) == task);
	CHECK_INT(task->gaps, 4);
	CHECK(eb_sched_next(&sched, slot + 60 * MINUTE_MS + 6, &wait_ms) == NULL);

	/* clock set back by half an hour: those slots were read */
	CHECK(eb_sched_next(&sched, slot + 30 * MINUTE_MS, &wait_ms) == NULL);
	CHECK_INT(wait_ms, 45 * MINUTE_MS);
	/* set back by years: it was wrong before */
	CHECK(eb_sched_next(&sched, slot - 1000 * 86400 * INT64_C(1000), &wait_ms) == task);
	eb_sched_close(&sched);
	conf.nmeters = 3;
}

/* A read outside the schedule takes its slot; a clock set back within a slot changes nothing. */
static void
test_taken(void)
{
	EbSched sched;
	int64_t wait_ms;
	int64_t slot = NEW_YEAR_MS;

	conf.nmeters = 1;
	CHECK(open_sched(&sched));
	eb_sched_take(&sched.task[0], slot + 100000);
	CHECK(eb_sched_next(&sched, slot + 100001, &wait_ms) == NULL);
	CHECK_INT(wait_ms, 900000 - 100001);
	CHECK(eb_sched_next(&sched, slot + 50000, &wait_ms) == NULL);
	CHECK_INT(wait_ms, 900000 - 50000);
	/* three slots later: two were missed between */
	eb_sched_take(&sched.task[0], slot + 3 * 900000);
	CHECK_INT(sched.task[0].gaps, 2);
	CHECK(eb_sched_of(&sched, &meter[0]) == &sched.task[0]);
	CHECK(eb_sched_of(&sched, &meter[1]) == NULL);
	eb_sched_close(&sched);
	conf.nmeters = 3;
}

/* Under a new configuration a slot is not read a second time. */
static void
test_inherited(void)
{
	EbSched old;
	EbSched sched;
	int64_t wait_ms;

	conf.nmeters = 2;
	CHECK(open_sched(&old));
	CHECK(eb_sched_next(&old, NEW_YEAR_MS, &wait_ms) == &old.task[0]);
	old.task[0].gaps = 7;
	meters[1].serial = "another";
	CHECK(open_sched(&sched));
	eb_sched_inherit(&sched, &old);
	CHECK_INT(sched.task[0].gaps, 7);
	CHECK(eb_sched_next(&sched, NEW_YEAR_MS + MINUTE_MS, &wait_ms) == &sched.task[1]);
	eb_sched_close(&sched);
	meters[0].interval_s = 450;
	CHECK(open_sched(&sched));
	eb_sched_inherit(&sched, &old);
	CHECK(eb_sched_next(&sched, NEW_YEAR_MS + 1, &wait_ms) == &sched.task[0]);
	meters[0].interval_s = 900;
	meters[1].serial = meters[0].serial;
	eb_sched_close(&sched);
	eb_sched_close(&old);
	conf.nmeters = 3;
}

static void
test_before_1970(void)
{
	EbTask task = {.interval_ms = 900000};

	CHECK_INT(eb_sched_slot(&task, -1), -1);
	CHECK_INT(eb_sched_slot(&task, -900000), -1);
	CHECK_INT(eb_sched_slot(&task, -900001), -2);
	CHECK_INT(eb_sched_slot(&task, 0), 0);
	CHECK_INT(eb_sched_start(&task, -2), -1800000);
}

static void
test_clock(void)
{
	char text[EB_CLOCK_TEXT];
	int offset_s;

	CHECK_STR(eb_clock_text(text, NEW_YEAR_MS + 7), "2026-01-01 00:00:00.007+00");
	CHECK_STR(eb_clock_text(text, -1), "1969-12-31 23:59:59.999+00");
	CHECK_INT(eb_clock_parse("2026-01-01 08:00", 8 * 3600), NEW_YEAR_MS);
	CHECK_INT(eb_clock_parse("2026-01-01T00:00:01.5Z", 8 * 3600), NEW_YEAR_MS + 1500);
	CHECK_INT(eb_clock_parse("2025-12-31 19:00:00-05:00", 0), NEW_YEAR_MS);
	CHECK_INT(eb_clock_parse("2026-01-01T05:45:00.123456+0545", 0), NEW_YEAR_MS + 123);
	CHECK_INT(eb_clock_parse("2024-02-29 00:00", 0), INT64_C(1709164800000));
	CHECK(eb_clock_parse("2000-00-00 00:00", 0) == EB_NO_INSTANT);
	CHECK(eb_clock_parse("2026-02-29 00:00", 0) == EB_NO_INSTANT);
	CHECK(eb_clock_parse("2026-01-01 24:00", 0) == EB_NO_INSTANT);
	CHECK(eb_clock_parse("2026-01-01 10:60", 0) == EB_NO_INSTANT);
	CHECK(eb_clock_parse("2026-01-01", 0) == EB_NO_INSTANT);
	CHECK(eb_clock_parse("2026-01-01 10:00 ", 0) == EB_NO_INSTANT);
	CHECK(eb_clock_parse("2026-01-01 10:00:1", 0) == EB_NO_INSTANT);
	CHECK(eb_clock_parse("", 0) == EB_NO_INSTANT);
	CHECK(eb_clock_parse_offset("-03:30", &offset_s));
	CHECK_INT(offset_s, -12600);
	CHECK(!eb_clock_parse_offset("8", &offset_s));
	CHECK(!eb_clock_parse_offset("+15:00", &offset_s));
	CHECK(!eb_clock_parse_offset("+08:00x", &offset_s));
}

static void
test_escapes(void)
{
	char shown[24];

	CHECK_STR(eb_log_bytes(shown, sizeof(shown), (const uint8_t *) "a\n\\\x7f", 4),
			  "a\\x0A\\x5C\\x7F");
	CHECK_STR(eb_log_bytes(shown, sizeof(shown), (const uint8_t *) "0123456789abcdefghij", 20),
			  "0123456789abcdefg...");
	CHECK_STR(eb_log_bytes(shown, sizeof(shown), NULL, 0), "");
}

int
main(void)
{
	make_conf();
	test_line();
	test_budget();
	test_budgets();
	test_address();
	test_slots();
	test_late_and_missed();
	test_taken();
	test_inherited();
	test_before_1970();
	test_clock();
	test_escapes();
	return check_done("collector parts");
}
