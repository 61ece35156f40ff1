/*
 * sim_iec62056.c -- IEC 62056-21 meters: modes A, B, C by sign-on
 * In:  options, sign-on and acknowledgement of a master. Out: identification, data block.
 *
 * The speed of the master's side of a pseudo-terminal can be seen here: data asked for at a new
 * speed go out whole only when the master has set it, else as the noise they would be.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define MAX_METERS 32

typedef struct Meter
{
	char address[33];
	char baud; /* '0'..'6' mode C, 'A'..'F' mode B, '-' mode A */
	long kwh;  /* hundredths */
} Meter;

static Meter meter[MAX_METERS];
static int nmeters;
static Meter *waits; /* has identified itself, and waits for an acknowledgement */
static bool no_check;

static void take_bytes(const uint8_t *bytes, size_t n);

/* ADDRESS=Z:KWH */
static void
add_meter(char *text)
{
	Meter *m = &meter[nmeters];
	int used = 0;
	char *end;

	if (nmeters == MAX_METERS ||
		sscanf(text, "%32[A-Za-z0-9]=%c:%n", m->address, &m->baud, &used) != 2 || used == 0 ||
		strchr("0123456ABCDEF-", m->baud) == NULL)
		sim_die("--iec62056 takes ADDRESS=Z:KWH, Z 0 to 6, A to F, or - for mode A", text);
	m->kwh = sim_parse_kwh(text + used, &end);
	nmeters++;
	sim.take_bytes = take_bytes;
}

static void
take_no_check(char *value)
{
	(void) value;
	no_check = true;
}

/* Speed of a character of mode B or C; 300 of mode A. */
static long
speed_of(char baud)
{
	if (baud == '-')
		return 300;
	return 300L << (baud >= 'A' ? baud - 'A' + 1 : baud - '0');
}

static void
send_data(Meter *m, long speed)
{
	char text[256];
	size_t n = 0;

	if (!no_check)
		text[n++] = 0x02;
	n += (size_t) snprintf(text + n, sizeof(text) - n,
						   "C.1.0(%s)\r\n0.9.1(000000)\r\n1.8.0(%06ld.%02ld*kWh)\r\n"
						   "1.8.0*1(%06ld.%02ld*kWh)\r\n2.8.0(000000.00*kWh)\r\n!\r\n",
						   m->address, m->kwh / 100, m->kwh % 100, m->kwh / 200, m->kwh / 2 % 100);
	if (!no_check)
	{
		text[n++] = 0x03;
		text[n] = (char) sim_xor((uint8_t *) text + 1, n - 1);
		n++;
	}
	m->kwh += sim.grow;
	sim_nap(sim.delay_ms);
	if (sim_speed() == speed)
	{
		sim_send(text, n);
		sim_log_hex("served", (uint8_t *) text, n);
		return;
	}
	if (sim.log != NULL)
		fprintf(sim.log, "speed %ld wanted %ld\n", sim_speed(), speed);
	for (size_t i = 0; i < n; i++)
		sim_send("\xF0", 1);
}

static void
sign_on(Meter *m)
{
	char ident[64];
	int n = m->baud == '-' ? snprintf(ident, sizeof(ident), "/EBSsim%s\r\n", m->address)
						   : snprintf(ident, sizeof(ident), "/EBS%csim%s\r\n", m->baud, m->address);

	sim_nap(sim.delay_ms);
	sim_send(ident, (size_t) n);
	sim_log_hex("ident", (uint8_t *) ident, (size_t) n);
	waits = NULL;
	if (m->baud >= '0' && m->baud <= '9')
		waits = m;
	else
	{
		if (m->baud != '-')
			sim_nap(300); /* mode B: the master has this long to follow */
		send_data(m, speed_of(m->baud));
	}
}

static void
take_request(const uint8_t *request, size_t n)
{
	sim_asked(request, n);
	if (request[0] == 0x06)
	{
		Meter *m = waits;

		/* Only a readout of the offered speed, or of the old one, is a question for data. */
		waits = NULL;
		if (m == NULL || request[3] != '0' ||
			(request[2] != (uint8_t) m->baud && request[2] != '0'))
			return;
		sim_nap(300);
		send_data(m, speed_of((char) request[2]));
		return;
	}
	for (int i = 0; i < nmeters; i++)
		if (n == 5 || (n - 5 == strlen(meter[i].address) &&
					   memcmp(request + 2, meter[i].address, n - 5) == 0))
		{
			sign_on(&meter[i]);
			return;
		}
}

/* A sign-on up to its line end, or six bytes of acknowledgement. */
static long
request_length(const uint8_t *bytes, size_t n)
{
	const uint8_t *end;

	if (bytes[0] == 0x06)
		return n < 6 ? 0 : bytes[4] == '\r' && bytes[5] == '\n' ? 6 : -1;
	if (bytes[0] != '/')
		return -1;
	end = memchr(bytes, '\n', n);
	if (end == NULL)
		return n > 40 ? -1 : 0;
	n = (size_t) (end - bytes) + 1;
	return n >= 5 && memcmp(bytes, "/?", 2) == 0 && memcmp(end - 2, "!\r", 2) == 0 ? (long) n : -1;
}

static void
take_bytes(const uint8_t *bytes, size_t n)
{
	sim_collect(bytes, n, request_length, take_request);
}

const SimOption sim_iec62056_options[] = {
	{"iec62056", true, add_meter,
	 "ADDRESS=Z:KWH: an IEC 62056-21 meter; Z 0..6 mode C, A..F mode B, - mode A"},
	{"no-bcc", false, take_no_check, "its data without STX and check"},
	{NULL, false, NULL, NULL},
};
