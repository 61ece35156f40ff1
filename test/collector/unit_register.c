/*
 * unit_register.c -- what a value is stored as, how a meter fares: registers, flags, breaker, identity
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "clock.h"
#include "intake.h"
#include "log.h"
#include "register.h"

#define NEW_YEAR_MS INT64_C(1767225600000)
#define DAY_MS INT64_C(86400000)

static EbConfig conf;
static EbPortConf port;
static EbMeterConf asked = {.serial = "M", .address = "M", .port = &port, .decimals = 3};

/* The register code of an item; "-" when it has none. */
static const char *
code_of(EbProtocol protocol, const char *item)
{
	static char code[EB_CODE_SIZE];
	const char *unit;

	port.protocol = protocol;
	return eb_register_code(&conf, &asked, item, code, &unit) ? code : "-";
}

static void
test_codes(void)
{
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "00010000"), "1.8.0");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "00010400"), "1.8.4");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "00020100"), "2.8.1");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "00010001"), "-"); /* last settlement day */
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "00030000"), "-"); /* kvarh */
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "02010100"), "-"); /* volts */
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "00000000"), "-");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645_1997, "9010"), "1.8.0");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645_1997, "9014"), "1.8.4");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645_1997, "9021"), "2.8.1");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645_1997, "9410"), "-");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645_1997, "9110"), "-");
	CHECK_STR(code_of(EB_PROTOCOL_DLT698, "00100201"), "1.8.0");
	CHECK_STR(code_of(EB_PROTOCOL_DLT698, "00100205"), "1.8.4");
	CHECK_STR(code_of(EB_PROTOCOL_DLT698, "00100401"), "1.8.0");
	CHECK_STR(code_of(EB_PROTOCOL_DLT698, "00200202"), "2.8.1");
	CHECK_STR(code_of(EB_PROTOCOL_DLT698, "00100200"), "-");
	CHECK_STR(code_of(EB_PROTOCOL_DLT698, "00100301"), "-");
	CHECK_STR(code_of(EB_PROTOCOL_DLT698, "00110201"), "-");
	CHECK_STR(code_of(EB_PROTOCOL_P1, "1-0:1.8.1"), "1.8.1");
	CHECK_STR(code_of(EB_PROTOCOL_SML, "1-0:2.8.0*255"), "2.8.0");
	CHECK_STR(code_of(EB_PROTOCOL_IEC62056, "1.8.0"), "1.8.0");
	CHECK_STR(code_of(EB_PROTOCOL_IEC62056, "1.8.0*1"), "-"); /* history */
	CHECK_STR(code_of(EB_PROTOCOL_IEC62056, "F.F"), "-");
	CHECK_STR(code_of(EB_PROTOCOL_HDLC, "1-0:1.7.0*255"), "-");
	CHECK_STR(code_of(EB_PROTOCOL_P1, "0-1:24.2.1"), "-");
	CHECK_STR(code_of(EB_PROTOCOL_MBUS, "0"), "-"); /* a record has no meaning by itself */
	CHECK_STR(code_of(EB_PROTOCOL_MODBUS, "1.8.0"), "1.8.0");
	CHECK_STR(code_of(EB_PROTOCOL_CSVLINE, "usage"), "1.8.0");
}

/* Model before section before built-in; the meter's list has the last word. */
static void
test_configured(void)
{
	EbRegisterConf section[] = {{EB_PROTOCOL_DLT645, "00010000", "1.8.9", NULL, NULL},
								{EB_PROTOCOL_DLT645, "0000ab00", "1.8.7", NULL, NULL}};
	EbRegisterConf own[] = {{EB_PROTOCOL_DLT645, "00010000", "1.8.5", "Wh", NULL}};
	EbModelConf model = {.protocol = EB_PROTOCOL_DLT645, .nregisters = 1, .reg = own};
	const char *codes[] = {"1.8.2", "1.8.7"};
	char code[EB_CODE_SIZE];
	const char *unit;

	conf.reg = section;
	conf.nregisters = 2;
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "00010000"), "1.8.9");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "0000AB00"), "1.8.7");
	asked.model = &model;
	CHECK(eb_register_code(&conf, &asked, "00010000", code, &unit));
	CHECK_STR(code, "1.8.5");
	CHECK_STR(unit, "Wh");
	asked.ncodes = 2;
	asked.code = codes;
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "00010000"), "-");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "00010200"), "1.8.2");
	CHECK_STR(code_of(EB_PROTOCOL_DLT645, "0000AB00"), "1.8.7");
	CHECK_STR(code_of(EB_PROTOCOL_CSVLINE, "usage"), "1.8.2");
	asked.model = NULL;
	asked.ncodes = 0;
	conf.nregisters = 0;
}

/* Wh, and "~" behind them when digits were cut; "-": refused. */
static const char *
wh_of(const char *value, const char *unit, int decimals)
{
	static char text[40];
	int64_t wh;
	bool cut;

	if (!eb_register_wh(value, unit, decimals, &wh, &cut))
		return "-";
	snprintf(text, sizeof(text), "%lld%s", (long long) wh, cut ? "~" : "");
	return text;
}

static void
test_wh(void)
{
	CHECK_STR(wh_of("1234.56", "kWh", 3), "1234560");
	CHECK_STR(wh_of("1234.5678", "kWh", 3), "1234567~");
	CHECK_STR(wh_of("1234.567", "kWh", 1), "1234500~");
	CHECK_STR(wh_of("1234.9", "kWh", 0), "1234000~");
	CHECK_STR(wh_of("1234.000", "kWh", 0), "1234000");
	CHECK_STR(wh_of("-0.5", "kWh", 3), "-500");
	CHECK_STR(wh_of("14796777.1", "Wh", 3), "14796777~");
	CHECK_STR(wh_of("14796777.1", "Wh", 2), "14796770~");
	CHECK_STR(wh_of("5", "Wh", 3), "5");
	CHECK_STR(wh_of("1.2345678", "MWh", 3), "1234567~");
	CHECK_STR(wh_of("0.0000012", "MWh", 3), "1~");
	CHECK_STR(wh_of("12345.1234567", "kWh", 3),
			  "12345123~"); /* seven decimals, as some meters send */
	CHECK_STR(wh_of("12345.1230000", "kWh", 3), "12345123");
	CHECK_STR(wh_of("1.12345678901234567890123", "kWh", 3), "1123~");
	CHECK_STR(wh_of("1.1234567x", "kWh", 3), "-");
	CHECK_STR(wh_of("1", "kvarh", 3), "-");
	CHECK_STR(wh_of("230.1", "V", 3), "-");
	CHECK_STR(wh_of("1", "", 3), "-");
	CHECK_STR(wh_of("1", NULL, 3), "-");
	CHECK_STR(wh_of("", "kWh", 3), "-");
	CHECK_STR(wh_of("12x", "kWh", 3), "-");
	CHECK_STR(wh_of("99999999999999999999", "kWh", 3), "-");
	CHECK(eb_register_is_energy("Wh") && eb_register_is_energy("MWh"));
	CHECK(!eb_register_is_energy("kvarh") && !eb_register_is_energy(NULL));
}

/* Rows a frame of one value makes, and the flags of the last. */
static int
book(EbIntake *intake, EbMeter *meter, const char *id, const char *value, const char *unit,
	 int64_t at_ms)
{
	static EbFrame frame;
	EbFrameItem *item;

	memset(&frame, 0, sizeof(frame));
	frame.checked = true;
	eb_frame_clear(&frame);
	item = eb_frame_item(&frame, id);
	item->value = eb_frame_keep(&frame, value, strlen(value));
	item->unit = eb_frame_keep(&frame, unit, strlen(unit));
	item = eb_frame_item(&frame, id); /* the same once more is not booked */
	item->value = eb_frame_keep(&frame, "1", 1);
	item->unit = eb_frame_keep(&frame, unit, strlen(unit));
	return eb_intake_frame(intake, meter, &frame, (EbBytes){(const uint8_t *) "x", 1}, at_ms, 0);
}

/* The flags of the rows that were printed, in order. */
static void
flags_of(const char *lines, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (const char *at = lines; (at = strstr(at, "\"quality\":")) != NULL && used < size;)
	{
		at += strlen("\"quality\":");
		used += (size_t) snprintf(out + used, size - used, "%ld ", strtol(at, NULL, 10));
	}
}

static void
test_jump(void)
{
	char *lines = NULL;
	size_t size = 0;
	char flags[100];
	EbIntake intake = {.conf = &conf};
	EbMeter meter;

	port.protocol = EB_PROTOCOL_P1;
	asked.max_kw = 10;
	eb_meter_init(&meter, &asked);
	intake.lines = open_memstream(&lines, &size);
	CHECK_INT(book(&intake, &meter, "1-0:1.8.0", "100", "kWh", NEW_YEAR_MS), 1);
	/* 10 kW x 15 min x 1.2 = 3 kWh */
	CHECK_INT(book(&intake, &meter, "1-0:1.8.0", "103", "kWh", NEW_YEAR_MS + 900000), 1);
	CHECK_INT(book(&intake, &meter, "1-0:1.8.0", "106.001", "kWh", NEW_YEAR_MS + 1800000), 1);
	CHECK_INT(book(&intake, &meter, "1-0:2.8.0", "500", "kWh", NEW_YEAR_MS + 1800001), 1);
	/* the one that is compared with is the flagged one */
	CHECK_INT(book(&intake, &meter, "1-0:1.8.0", "106.002", "kWh", NEW_YEAR_MS + 2700000), 1);
	CHECK_INT(book(&intake, &meter, "1-0:1.8.0", "5", "kWh", NEW_YEAR_MS + 3600000), 1);
	CHECK_INT(book(&intake, &meter, "1-0:1.8.0", "230", "V", NEW_YEAR_MS + 4500000), 0);
	CHECK_INT(meter.nlast, 2);
	fclose(intake.lines);
	flags_of(lines, flags, sizeof(flags));
	CHECK_STR(flags, "0 0 32 0 0 0 ");
	free(lines);
	eb_meter_free(&meter);
	asked.max_kw = 0;
}

static void
test_breaker(void)
{
	EbBreaker breaker = {0};
	int64_t now_ms = 1000;

	CHECK(!eb_breaker_failed(&breaker, now_ms));
	CHECK(!eb_breaker_failed(&breaker, now_ms));
	CHECK(!breaker.open);
	CHECK(eb_breaker_failed(&breaker, now_ms));
	CHECK(breaker.open);
	CHECK_INT(breaker.probe_ms, now_ms + 5000);
	for (int64_t delay_ms = 10000; delay_ms < 900000; delay_ms *= 2)
	{
		CHECK(!eb_breaker_failed(&breaker, now_ms));
		CHECK_INT(breaker.probe_ms, now_ms + delay_ms);
	}
	for (int i = 0; i < 3; i++)
	{
		CHECK(!eb_breaker_failed(&breaker, now_ms));
		CHECK_INT(breaker.probe_ms, now_ms + 900000);
	}
	CHECK(eb_breaker_answered(&breaker));
	CHECK(!breaker.open);
	CHECK(!eb_breaker_answered(&breaker));
	/* two failures, an answer: counting begins anew */
	eb_breaker_failed(&breaker, now_ms);
	eb_breaker_failed(&breaker, now_ms);
	CHECK(!eb_breaker_answered(&breaker));
	eb_breaker_failed(&breaker, now_ms);
	CHECK(!eb_breaker_failed(&breaker, now_ms));
}

static void
test_identity(void)
{
	EbMeter meter;
	bool changed;

	eb_meter_init(&meter, &asked);
	CHECK(!eb_identity_due(&meter, NEW_YEAR_MS));
	CHECK(eb_identity_take(&meter, "anything", NEW_YEAR_MS, &changed));

	asked.identity = "00AB161";
	CHECK(eb_identity_due(&meter, NEW_YEAR_MS));
	CHECK(eb_identity_take(&meter, "0000000000ab161", NEW_YEAR_MS, &changed));
	CHECK(!changed);
	meter.last_ok_ms = NEW_YEAR_MS;
	CHECK(!eb_identity_due(&meter, NEW_YEAR_MS + DAY_MS - 1));
	CHECK(eb_identity_due(&meter, NEW_YEAR_MS + DAY_MS));
	CHECK(eb_identity_take(&meter, "", NEW_YEAR_MS + DAY_MS, &changed)); /* it does not tell */
	CHECK(eb_identity_take(&meter, "000000000000", NEW_YEAR_MS + DAY_MS, &changed));
	/* silent for a day, though it told who it is an hour ago */
	CHECK(eb_identity_due(&meter, NEW_YEAR_MS + DAY_MS + 3600000));
	meter.last_ok_ms = NEW_YEAR_MS + DAY_MS;
	CHECK(!eb_identity_due(&meter, NEW_YEAR_MS + DAY_MS + 3600000));

	CHECK(!eb_identity_take(&meter, "AB162", NEW_YEAR_MS + DAY_MS, &changed));
	CHECK(changed);
	CHECK_STR(meter.identity.seen, "AB162");
	CHECK(eb_identity_due(&meter, NEW_YEAR_MS + DAY_MS + 1)); /* asked each time until it is ours */
	CHECK(!eb_identity_take(&meter, "AB1610", NEW_YEAR_MS + DAY_MS, &changed));
	CHECK(!changed);
	CHECK(eb_identity_take(&meter, "AB161", NEW_YEAR_MS + DAY_MS, &changed));
	CHECK(changed);
	asked.identity = NULL;
}

/* Noise does not fill the log without end. */
static void
test_noise(void)
{
	uint8_t noise[] = {0x00, 0x16};
	char *lines = NULL;
	size_t size = 0;
	EbIntake intake = {.conf = &conf};

	port.name = "bus";
	eb_log_level(EB_LOG_ERROR);
	intake.lines = open_memstream(&lines, &size);
	for (int i = 0; i < 300; i++)
		eb_intake_bad(&intake, &port, NULL, "no_start", (EbBytes){noise, 2}, NEW_YEAR_MS);
	fclose(intake.lines);
	CHECK(intake.bad.count <= 300 && intake.bad.count > 0);
	CHECK(strstr(lines, "\"error\":\"no_start\",\"frame\":\"0016\"") != NULL);
	free(lines);
	eb_log_level(EB_LOG_INFO);
}

int
main(void)
{
	test_codes();
	test_configured();
	test_wh();
	test_jump();
	test_breaker();
	test_identity();
	test_noise();
	return check_done("collector registers");
}
