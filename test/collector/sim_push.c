/*
 * sim_push.c -- meters that speak by themselves: DSMR P1, SML, DLMS over HDLC, IEC 62056-21 mode D
 * In:  options. Out: a telegram when the terminal is opened, and another one every --every MS. The
 *      meters of a line call themselves SIM, SIN, SIO, ... (SML: SIM01, SIM02, ...).
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_METERS 8
#define MAX_TELEGRAM 1024

typedef struct Meter
{
	size_t (*build)(long kwh, int who, uint8_t *out);
	long kwh; /* hundredths */
} Meter;

static Meter meter[MAX_METERS];
static int nmeters;
static bool no_check;

static bool speak(bool just_opened);

static void
add_meter(size_t (*build)(long kwh, int who, uint8_t *out), const char *text)
{
	char *end;

	if (nmeters == MAX_METERS)
		sim_die("telegrams", "too many");
	meter[nmeters].build = build;
	meter[nmeters++].kwh = sim_parse_kwh(text, &end);
	sim.speak = speak;
}

/* Lines, CRC-16/ARC over everything up to the exclamation mark, as four hex digits. */
static size_t
build_p1(long kwh, int who, uint8_t *out)
{
	char *text = (char *) out;
	time_t now = time(NULL);
	struct tm utc;
	int n;

	gmtime_r(&now, &utc);
	n = snprintf(
		text, MAX_TELEGRAM,
		"/EBS5sim\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(%02d%02d%02d%02d%02d%02dW)\r\n"
		"0-0:96.1.1(5349%02X)\r\n1-0:1.8.1(%06ld.%02ld0*kWh)\r\n1-0:1.8.2(000001.000*kWh)\r\n"
		"1-0:2.8.1(000000.000*kWh)\r\n1-0:1.7.0(00.417*kW)\r\n"
		"0-1:24.2.1(161129200000W)(00981.443*m3)\r\n!",
		utc.tm_year % 100, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
		'M' + who, kwh / 100, kwh % 100);
	if (no_check)
		n += snprintf(text + n, MAX_TELEGRAM - (size_t) n, "\r\n");
	else
		n += snprintf(text + n, MAX_TELEGRAM - (size_t) n, "%04X\r\n",
					  sim_crc16(0xA001, 0, out, (size_t) n));
	return (size_t) n;
}

/* A data block behind an identification, without having been asked. */
static size_t
build_mode_d(long kwh, int who, uint8_t *out)
{
	char *text = (char *) out;
	int n = snprintf(text, MAX_TELEGRAM, "/EBS3sim\r\n\r\n");
	int begin = n + 1;

	n += snprintf(text + n, MAX_TELEGRAM - (size_t) n,
				  "\x02%s%c)\r\n1.8.0(%06ld.%02ld*kWh)\r\n!\r\n\x03", "0.0.0(SI", 'M' + who,
				  kwh / 100, kwh % 100);
	out[n] = sim_xor(out + begin, (size_t) (n - begin));
	return (size_t) n + 1;
}

/* Adds the CRC and the end of an SML message that begins at start. */
static uint8_t *
end_message(uint8_t *at, const uint8_t *start)
{
	*at++ = 0x63;
	sim_put_x25(at, start);
	at += 2;
	*at++ = 0x00;
	return at;
}

#define PUT(literal) (memcpy(at, literal, sizeof(literal) - 1), at += sizeof(literal) - 1)

/* Open, list of one register, close; the register in tenths of a Wh, as most meters send it. */
static size_t
build_sml(long kwh, int who, uint8_t *out)
{
	uint8_t *at = out;
	const uint8_t *start;
	unsigned long long tenths = (unsigned long long) kwh * 100;
	int padding;

	PUT("\x1B\x1B\x1B\x1B\x01\x01\x01\x01");
	start = at;
	PUT("\x76\x05\x00\x00\x00\x01\x62\x00\x62\x00\x72\x63\x01\x01\x76\x01\x01\x05\x00\x00\x00\x01"
		"\x06SIM0");
	*at++ = (uint8_t) ('1' + who);
	PUT("\x01\x01");
	at = end_message(at, start);
	start = at;
	PUT("\x76\x05\x00\x00\x00\x02\x62\x00\x62\x00\x72\x63\x07\x01\x77\x01\x06SIM0");
	*at++ = (uint8_t) ('1' + who);
	PUT("\x01\x72\x62\x01\x65\x00\x00\x00\x01\x72"
		"\x77\x07\x01\x00\x01\x08\x00\xFF\x65\x00\x01\x01\x80\x01\x62\x1E\x52\xFF\x59");
	for (int shift = 56; shift >= 0; shift -= 8)
		*at++ = (uint8_t) (tenths >> shift);
	PUT("\x01\x77\x07\x01\x00\x10\x07\x00\xFF\x01\x01\x62\x1B\x52\x00\x53\x01\xA1\x01\x01\x01");
	at = end_message(at, start);
	start = at;
	PUT("\x76\x05\x00\x00\x00\x03\x62\x00\x62\x00\x72\x63\x02\x01\x71\x01");
	at = end_message(at, start);
	for (padding = 0; (at - out) % 4 != 0; padding++)
		*at++ = 0;
	PUT("\x1B\x1B\x1B\x1B\x1A");
	*at++ = (uint8_t) padding;
	sim_put_x25(at, out);
	return (size_t) (at - out) + 2;
}

/* A list of structures with scaler and unit; hundredths of a kWh are 10 Wh. */
static size_t
build_hdlc(long kwh, int who, uint8_t *out)
{
	uint8_t *at = out + 1;
	size_t counted;

	PUT("\xA0\x00\x41\x08\x83\x13..\xE6\xE7\x00\x0F\x40\x00\x00\x00\x00\x01\x03"
		"\x02\x02\x09\x06\x00\x00\x60\x01\x00\xFF\x0A\x03SI");
	*at++ = (uint8_t) ('M' + who);
	PUT("\x02\x03\x09\x06\x01\x00\x01\x08\x00\xFF\x06");
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (uint8_t) (kwh >> shift);
	PUT("\x02\x02\x0F\x01\x16\x1E\x02\x03\x09\x06\x01\x00\x01\x07\x00\xFF\x06\x00\x00\x06\x7E"
		"\x02\x02\x0F\x00\x16\x1B");
	counted = (size_t) (at - out) + 1;
	out[0] = 0x7E;
	out[1] = (uint8_t) (0xA0 | counted >> 8);
	out[2] = (uint8_t) counted;
	sim_put_x25(out + 7, out + 1);
	sim_put_x25(at, out + 1);
	at[2] = 0x7E;
	return counted + 2;
}

/* All telegrams, one after the other. */
static bool
speak(bool just_opened)
{
	static bool done;

	if (just_opened)
		sim_nap(600); /* longer than a reader's pause after opening */
	else if (sim.every_ms == 0 && done)
		return false;
	else
		sim_nap(sim.every_ms);
	done = true;
	for (int i = 0; i < nmeters && !sim.stopped; i++)
	{
		uint8_t telegram[MAX_TELEGRAM];
		size_t n = meter[i].build(meter[i].kwh, i, telegram);

		sim_send(telegram, n);
		sim_log_hex("served", telegram, n);
		meter[i].kwh += sim.grow;
	}
	return true;
}

static void
add_p1(char *value)
{
	add_meter(build_p1, value);
}

static void
add_mode_d(char *value)
{
	add_meter(build_mode_d, value);
}

static void
add_sml(char *value)
{
	add_meter(build_sml, value);
}

static void
add_hdlc(char *value)
{
	add_meter(build_hdlc, value);
}

static void
take_no_check(char *value)
{
	(void) value;
	no_check = true;
}

const SimOption sim_push_options[] = {
	{"p1", true, add_p1, "KWH: DSMR P1 telegrams"},
	{"no-crc", false, take_no_check, "without their CRC, as of versions 2 and 3"},
	{"sml", true, add_sml, "KWH: SML telegrams"},
	{"hdlc", true, add_hdlc, "KWH: DLMS push in HDLC"},
	{"mode-d", true, add_mode_d, "KWH: IEC 62056-21 mode D"},
	{NULL, false, NULL, NULL},
};
