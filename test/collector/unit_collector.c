/*
 * unit_collector.c -- the parts of the collector that do no I/O: schedule, clock text, plan, queue,
 * noise, batch
 * Instants are worked out by hand: 1767225600 s is 2026-01-01 00:00 UTC, a multiple of a day.
 */
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "check.h"
#include "clock.h"
#include "codec/dlt645.h"
#include "config.h"
#include "intake.h"
#include "log.h"
#include "plan.h"
#include "queue.h"
#include "report.h"
#include "sched.h"

#define NEW_YEAR_MS INT64_C(1767225600000)
#define MINUTE_MS INT64_C(60000)

static EbConfig conf;
static EbPortConf ports[1];
static EbMeterConf meters[3];

/* Three meters on one 2400 8E1 bus: 900 s, 900 s with freeze, 3600 s. */
static void
make_conf(void)
{
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
		meters[i].port = &ports[0];
		meters[i].interval_s = i == 2 ? 3600 : 900;
		meters[i].utc_offset_s = 8 * 3600;
		meters[i].nread = 1;
		meters[i].read[0] = 0x0001FF00;
	}
	meters[1].freeze = true;
	meters[1].offset_s = 60;
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
	EbBudget budget = eb_sched_budget(&conf, &ports[0]);

	CHECK_INT(budget.nmeters, 3);
	CHECK_INT(budget.interval_ms, 900000);

	/*
	 * a block: (92 + 500 + 184 + 20) x 3 = 2388 ms; the hourly meter counts a quarter of it, the
	 * freeze 3 requests a day: 7164 x 900 / 86400 = 74.6
	 */
	CHECK_INT(budget.cost_ms, 2388 + 2388 + 597 + 75);
}

static void
test_slots(void)
{
	EbSched sched;
	EbTask *task;
	int64_t wait_ms;
	int64_t at = NEW_YEAR_MS;

	CHECK(eb_sched_open(&sched, &conf, &ports[0]));
	CHECK_INT(sched.ntasks, 4);

	/* in the order of the configuration, each once per slot */
	task = eb_sched_next(&sched, at, &wait_ms);
	CHECK(task != NULL && task->meter == &meters[0] && task->kind == EB_TASK_REGISTERS);
	task = eb_sched_next(&sched, at, &wait_ms);
	CHECK(task != NULL && task->meter == &meters[2]);
	/* 2026-01-01 00:00 UTC is 08:00 in China: the freeze of that midnight is still due */
	task = eb_sched_next(&sched, at, &wait_ms);
	CHECK(task != NULL && task->meter == &meters[1] && task->kind == EB_TASK_FREEZE);
	/* meter 1 has an offset of a minute */
	CHECK(eb_sched_next(&sched, at, &wait_ms) == NULL);
	CHECK_INT(wait_ms, MINUTE_MS);
	CHECK(eb_sched_next(&sched, at + MINUTE_MS - 1, &wait_ms) == NULL);
	CHECK_INT(wait_ms, 1);
	task = eb_sched_next(&sched, at + MINUTE_MS, &wait_ms);
	CHECK(task != NULL && task->meter == &meters[1] && task->kind == EB_TASK_REGISTERS);
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
	CHECK(eb_sched_open(&sched, &conf, &ports[0]));
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
test_codes(void)
{
	EbRegisterConf own[] = {{0x00010000, "1.8.9"}, {0x00000000, "1.8.7"}};
	EbMeterConf meter = {.ncodes = 0};
	char code[EB_CODE_SIZE];

	CHECK(eb_config_code(&conf, &meter, 0x00010000, code));
	CHECK_STR(code, "1.8.0");
	CHECK(eb_config_code(&conf, &meter, 0x00010400, code));
	CHECK_STR(code, "1.8.4");
	CHECK(eb_config_code(&conf, &meter, 0x00020100, code));
	CHECK_STR(code, "2.8.1");
	CHECK(!eb_config_code(&conf, &meter, 0x00010001, code)); /* last settlement day */
	CHECK(!eb_config_code(&conf, &meter, 0x00030000, code)); /* kvarh */
	CHECK(!eb_config_code(&conf, &meter, 0x02010100, code)); /* volts */
	CHECK(!eb_config_code(&conf, &meter, 0x00000000, code));
	conf.reg = own;
	conf.nregisters = 2;
	CHECK(eb_config_code(&conf, &meter, 0x00010000, code));
	CHECK_STR(code, "1.8.9");
	CHECK(eb_config_code(&conf, &meter, 0x00000000, code));
	meter.ncodes = 1;
	meter.code[0] = "1.8.2";
	CHECK(eb_config_code(&conf, &meter, 0x00010200, code));
	CHECK(!eb_config_code(&conf, &meter, 0x00010100, code));
	conf.nregisters = 0;
}

static void
test_queue_and_batch(void)
{
	uint8_t frame[] = {0x68, 0x00, 0xff};
	EbRow row = {.serial = "M\"1\\,{}", .code = "1.8.0", .read_at_ms = NEW_YEAR_MS};
	EbQueue queue;
	EbBatch batch;

	row.meter_at_ms = EB_NO_INSTANT;
	row.register_wh = 1234560;
	CHECK(eb_queue_open(&queue, 2));
	CHECK(eb_queue_put(&queue, &row));
	row.serial = NULL;
	row.code[0] = '\0';
	row.quality = 1;
	row.frame = frame;
	row.frame_len = sizeof(frame);
	CHECK(eb_queue_put(&queue, &row));
	frame[0] = 0; /* the queue has its own copy */
	CHECK(!eb_queue_put(&queue, &row));
	CHECK_INT(queue.lost, 1);

	CHECK(eb_batch_make(&batch, "id", &queue, 2, 41));
	CHECK_STR(batch.param[0], "id");
	CHECK_STR(batch.param[1], "41");
	CHECK_STR(batch.param[2], "{\"M\\\"1\\\\,{}\",NULL}");
	CHECK_STR(batch.param[3], "{\"1.8.0\",NULL}");
	CHECK_STR(batch.param[4], "{\"2026-01-01 00:00:00.000+00\",\"2026-01-01 00:00:00.000+00\"}");
	CHECK_STR(batch.param[5], "{1234.56,NULL}");
	CHECK_STR(batch.param[6], "{0,1}");
	CHECK_STR(batch.param[7], "{NULL,NULL}");
	CHECK_STR(batch.param[8], "{NULL,\"\\\\x6800ff\"}");
	eb_batch_free(&batch);

	/* the ring goes round */
	eb_queue_ack(&queue, 1);
	row.frame = NULL;
	row.register_wh = 5;
	CHECK(eb_queue_put(&queue, &row));
	CHECK_INT(queue.count, 2);
	CHECK_INT(eb_queue_at(&queue, 1)->register_wh, 5);
	CHECK_INT(eb_queue_at(&queue, 0)->frame_len, 3);
	eb_queue_ack(&queue, 5);
	CHECK_INT(queue.count, 0);
	CHECK_INT(queue.acked, 3);
	eb_queue_close(&queue);
}

static int nbooked;

static void
note_booked(void *owner)
{
	nbooked++;
}

/* Noise is kept, but never in the place of readings, and not without end. */
static void
test_noise(void)
{
	uint8_t noise[] = {0x00, 0x16};
	EbPortConf port = {.name = "bus", .protocol = EB_PROTOCOL_DLT645};
	EbIntake intake = {.conf = &conf, .booked = note_booked, .bad_minute = -1};
	EbQueue queue;

	eb_log_level(EB_LOG_ERROR);
	conf.keep_bad_frames = true;
	CHECK(eb_queue_open(&queue, 8));
	intake.queue = &queue;
	for (int i = 0; i < 8; i++)
		eb_intake_bad(&intake, &port, NULL, "no_start", (EbBytes){noise, 2}, NEW_YEAR_MS);
	CHECK_INT(queue.count, 4);
	CHECK_INT(queue.lost, 0);
	CHECK_INT(nbooked, 4);
	eb_queue_close(&queue);

	CHECK(eb_queue_open(&queue, 1000));
	intake.bad_minute = -1;
	for (int i = 0; i < 300; i++)
		eb_intake_bad(&intake, &port, NULL, "no_start", (EbBytes){noise, 2}, NEW_YEAR_MS);
	CHECK(queue.count == 120 || queue.count == 240); /* a minute may end in between */
	eb_queue_close(&queue);
	conf.keep_bad_frames = false;
	eb_log_level(EB_LOG_INFO);
}

/* What a meter is asked, and what instead when it refuses. */
static void
test_plan(void)
{
	EbMeterConf asked = {.nread = 2, .read = {0x0001FF00, 0x00020000}};
	EbMeter meter = {.conf = &asked, .address = "000000000161", .tariffs = -1};
	EbPlan plan;

	eb_plan_make(&plan, &meter, EB_TASK_REGISTERS);
	CHECK_INT(plan.nsteps, 2);
	CHECK_INT(plan.di[0], 0x0001FF00);
	CHECK(!eb_plan_refused(&plan, &meter, 0x04)); /* not authorised: others would not help */
	CHECK(eb_plan_refused(&plan, &meter, 0x02));
	CHECK_INT(plan.nsteps, 7);
	CHECK_INT(plan.di[1], 0x00020000);
	CHECK_INT(plan.di[2], 0x00010000);
	CHECK_INT(plan.di[6], 0x00010400);
	plan.step = 5; /* tariff 3 is refused: 4 is not asked, and neither is one the next time */
	CHECK(eb_plan_refused(&plan, &meter, 0x02));
	CHECK_INT(plan.step, 6);
	eb_plan_make(&plan, &meter, EB_TASK_REGISTERS);
	CHECK_INT(plan.nsteps, 4);
	CHECK_INT(plan.di[2], 0x00010200);
	plan.step = 3;
	CHECK(!eb_plan_refused(&plan, &meter, 0x02)); /* the reverse total is simply not there */

	/* a single identifier beyond the tariffs says nothing about those the meter has */
	asked.read[1] = 0x00010900;
	eb_plan_make(&plan, &meter, EB_TASK_REGISTERS);
	plan.step = 3;
	CHECK(!eb_plan_refused(&plan, &meter, 0x02));
	CHECK_INT(meter.tariffs, 2);

	/* the longest: sixteen blocks, each refused in turn */
	memcpy(meter.address, "AAAAAAAAAAAA", 13);
	meter.tariffs = -1;
	asked.nread = EB_CONFIG_MAX_READ;
	for (int i = 0; i < EB_CONFIG_MAX_READ; i++)
		asked.read[i] = 0x0001FF00;
	eb_plan_make(&plan, &meter, EB_TASK_REGISTERS);
	CHECK_INT(plan.di[0], EB_DI_ASK_ADDRESS);
	for (plan.step = 1; plan.step <= EB_CONFIG_MAX_READ; plan.step++)
		CHECK(eb_plan_refused(&plan, &meter, 0x02));
	CHECK_INT(plan.nsteps, 1 + 6 * EB_CONFIG_MAX_READ);

	eb_plan_make(&plan, &meter, EB_TASK_FREEZE);
	CHECK_INT(plan.nsteps, 4);
	CHECK_INT(plan.di[1], EB_DI_FREEZE_TIME);
	CHECK_INT(plan.di[2], EB_DI_FREEZE_VALUES);
	CHECK_INT(plan.di[3], EB_DI_FREEZE_TIME);
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
	test_slots();
	test_late_and_missed();
	test_before_1970();
	test_clock();
	test_codes();
	test_queue_and_batch();
	test_noise();
	test_plan();
	test_escapes();
	return check_done("collector parts");
}
