/*
 * probe.c -- what answers on a port nobody knows anything about: --probe
 * In:  the path of a port. Out: lines on stdout, one per answer.
 *
 * Asked is for an address by DL/T 645, for two input registers of unit 1 by Modbus, and for an
 * identification by IEC 62056-21; none of these changes anything in a meter. It goes on until a
 * line setting gave an answer, for only one is right. Nothing else runs, so that it may wait.
 */
#include "probe.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "codec/dlt645.h"
#include "codec/iec62056.h"
#include "codec/modbus.h"
#include "log.h"
#include "port.h"
#include "run.h"
#include "trace.h"

/* Silence that ends an answer, and the longest answer. */
#define GAP_MS 300
#define ANSWER_BYTES 1024

/* Silence before a request: what is still coming is not an answer to it. */
#define QUIET_MS 50
#define QUIET_BYTES 4096

typedef enum ProbeKind
{
	PROBE_DLT645,
	PROBE_MODBUS,
	PROBE_IEC62056,
} ProbeKind;

typedef struct Probe
{
	ProbeKind kind;
	EbLine line;
} Probe;

/* 300 7E1 is how every optical head begins; the others as they are found on RS-485. */
static const Probe probes[] = {
	{PROBE_DLT645, {2400, 8, 'E', 1}},	 {PROBE_MODBUS, {2400, 8, 'E', 1}},
	{PROBE_IEC62056, {2400, 8, 'E', 1}}, {PROBE_DLT645, {2400, 8, 'N', 1}},
	{PROBE_MODBUS, {2400, 8, 'N', 1}},	 {PROBE_IEC62056, {2400, 8, 'N', 1}},
	{PROBE_DLT645, {9600, 8, 'E', 1}},	 {PROBE_MODBUS, {9600, 8, 'E', 1}},
	{PROBE_IEC62056, {9600, 8, 'E', 1}}, {PROBE_DLT645, {9600, 8, 'N', 1}},
	{PROBE_MODBUS, {9600, 8, 'N', 1}},	 {PROBE_IEC62056, {9600, 8, 'N', 1}},
	{PROBE_DLT645, {1200, 8, 'E', 1}},	 {PROBE_MODBUS, {1200, 8, 'E', 1}},
	{PROBE_IEC62056, {1200, 8, 'E', 1}}, {PROBE_DLT645, {1200, 8, 'N', 1}},
	{PROBE_MODBUS, {1200, 8, 'N', 1}},	 {PROBE_IEC62056, {1200, 8, 'N', 1}},
	{PROBE_IEC62056, {300, 7, 'E', 1}},
};

#define NPROBES ((int) (sizeof(probes) / sizeof(probes[0])))

typedef struct Prober
{
	const char *path;
	bool trace;
	EbPort port;
	uint8_t answer[ANSWER_BYTES];
	size_t len;
	int noises; /* answers that were none of the three protocols */
	EbFrameReader reader;
	EbFrame frame;
} Prober;

static const char *
line_text(EbLine line, char text[24])
{
	snprintf(text, 24, "%d %d%c%d", line.speed, line.data_bits, line.parity, line.stop_bits);
	return text;
}

/* Bytes that came within wait_ms; 0: none, or the port is gone. */
static size_t
read_some(Prober *prober, uint8_t *buf, size_t size, int64_t wait_ms)
{
	struct pollfd ready = {.fd = prober->port.fd, .events = POLLIN};
	size_t got = 0;

	if (poll(&ready, 1, (int) wait_ms) <= 0 ||
		prober->port.ops->read(&prober->port, buf, size, &got) != EB_PORT_OK)
		return 0;
	if (prober->trace && got > 0)
		eb_trace_line(prober->path, false, buf, got);
	return got;
}

static void
drop_input(Prober *prober)
{
	uint8_t chunk[256];
	size_t got;

	for (size_t all = 0; all < QUIET_BYTES; all += got)
		if ((got = read_some(prober, chunk, sizeof(chunk), QUIET_MS)) == 0)
			return;
}

/* Sends the request; its answer, as far as one came, is in prober->answer. */
static bool
converse(Prober *prober, const uint8_t *request, size_t n, int64_t wait_ms)
{
	size_t put = 0;

	drop_input(prober);
	prober->len = 0;
	if (prober->port.ops->write(&prober->port, request, n, &put) != EB_PORT_OK || put < n)
		return false;
	if (prober->trace)
		eb_trace_line(prober->path, true, request, n);
	wait_ms += eb_line_ms(prober->port.line, n);
	while (prober->len < sizeof(prober->answer))
	{
		size_t got = read_some(prober, prober->answer + prober->len,
							   sizeof(prober->answer) - prober->len, wait_ms);

		if (got == 0)
			break;
		prober->len += got;
		/* the own request may come back first */
		wait_ms = prober->len == n && memcmp(prober->answer, request, n) == 0 ? wait_ms : GAP_MS;
	}
	return true;
}

/* A line that could stand in a configuration. */
static void
print_found(const Prober *prober, const Probe *probe, const char *protocol, const char *who)
{
	char line[24];
	char shown[120];

	printf("%s %s: %s\n", line_text(probe->line, line), protocol,
		   eb_log_bytes(shown, sizeof(shown), (const uint8_t *) who, strlen(who)));
	printf("    ports: ( { name = \"bus\"; path = \"%s\"; protocol = \"%s\"; speed = %d; "
		   "format = \"%d%c%d\"; } );\n",
		   prober->path, protocol, probe->line.speed, probe->line.data_bits, probe->line.parity,
		   probe->line.stop_bits);
}

/* What the request asked for, in words; empty when the frame is no answer to it. */
static void
who_is(const Prober *prober, ProbeKind kind, EbMatch match, char who[80])
{
	const EbFrame *frame = &prober->frame;

	who[0] = '\0';
	if (match != EB_MATCH_ANSWER && match != EB_MATCH_EXCEPTION)
		return;
	if (kind == PROBE_DLT645)
		snprintf(who, 80, "meter %s", frame->address);
	else if (kind == PROBE_MODBUS)
		snprintf(who, 80, "unit 1 %s",
				 match == EB_MATCH_ANSWER ? "answers" : "answers, an exception");
	else
		snprintf(who, 80, "it calls itself %s%s", eb_frame_get(frame, frame->iec62056.manufacturer),
				 eb_frame_get(frame, frame->iec62056.ident));
}

/* Looks for an answer among the bytes; true when there is one. */
static bool
judge(Prober *prober, const Probe *probe, const EbCodec *codec, const void *request)
{
	const uint8_t *bytes = prober->answer;
	size_t n = prober->len;
	bool fed = true;
	char who[80] = "";

	eb_frame_begin(&prober->reader, codec, NULL);
	while (who[0] == '\0')
	{
		fed = fed && eb_frame_feed(&prober->reader, &bytes, &n, &prober->frame);
		if (!fed && !eb_frame_finish(&prober->reader, &prober->frame))
			break;
		who_is(prober, probe->kind,
			   probe->kind == PROBE_DLT645	 ? eb_dlt645_match(request, &prober->frame)
			   : probe->kind == PROBE_MODBUS ? eb_modbus_match(request, &prober->frame)
											 : eb_iec62056_match(request, &prober->frame),
			   who);
	}
	if (who[0] != '\0')
		print_found(prober, probe, codec->name, who);
	return who[0] != '\0';
}

/* One question at one line setting; true when it was answered. */
static bool
ask(Prober *prober, const Probe *probe)
{
	EbDlt645Request dlt645;
	EbModbusRequest modbus;
	EbIec62056Request iec62056;
	const EbCodec *codec = &eb_dlt645_codec;
	const void *request = &dlt645;
	bool sent = false;

	switch (probe->kind)
	{
		case PROBE_DLT645:
			eb_dlt645_address(&dlt645);
			sent = converse(prober, dlt645.bytes, dlt645.length, 700);
			break;
		case PROBE_MODBUS:
			codec = &eb_modbus_codec;
			request = &modbus;
			sent = eb_modbus_read(1, EB_MODBUS_INPUT, 0, 2, &modbus) &&
				   converse(prober, modbus.bytes, modbus.length, 500);
			break;
		case PROBE_IEC62056:
			codec = &eb_iec62056_codec;
			request = &iec62056;
			sent = eb_iec62056_sign_on("", &iec62056) &&
				   converse(prober, iec62056.bytes, iec62056.length, 1500);
			break;
	}
	if (!sent || prober->len == 0)
		return false;
	if (judge(prober, probe, codec, request))
		return true;
	prober->noises++;
	return false;
}

static EbPortStatus
open_port(Prober *prober, EbLine line)
{
	EbPortHow how = {.path = prober->path, .line = line};
	EbPortStatus status = eb_port_open(&prober->port, &how);
	struct pollfd ready = {.fd = prober->port.fd, .events = POLLOUT};

	if (status == EB_PORT_CONNECTING)
	{
		if (poll(&ready, 1, 10000) > 0)
			status = eb_port_connected(&prober->port);
		else
			status = eb_port_fault(&prober->port, EB_PORT_FAILED, prober->path, "does not answer");
	}
	if (status != EB_PORT_OK)
	{
		fprintf(stderr, "elecbill-collector: %s\n", prober->port.fault);
		eb_port_close(&prober->port);
	}
	return status;
}

/* A serial server has its own line settings: there is nothing to try. */
static bool
same_line(EbLine a, EbLine b)
{
	return a.speed == b.speed && a.data_bits == b.data_bits && a.parity == b.parity;
}

int
eb_probe(const char *path, bool trace)
{
	static Prober prober;
	bool fixed = strncmp(path, "tcp:", 4) == 0;
	EbLine line = probes[0].line;
	bool found = false;

	prober.path = path;
	prober.trace = trace;
	for (int i = 0; i < NPROBES; i++)
	{
		EbPortStatus status = EB_PORT_OK;

		if (!same_line(line, probes[i].line) && (found || fixed))
			break;
		if (i == 0 || !same_line(line, probes[i].line))
		{
			if (i > 0)
				eb_port_close(&prober.port);
			line = probes[i].line;
			status = open_port(&prober, line);
		}
		if (status != EB_PORT_OK)
			return status == EB_PORT_LOCKED ? EB_EXIT_LOCKED : EB_EXIT_NOTHING;
		found = ask(&prober, &probes[i]) || found;
	}
	eb_port_close(&prober.port);
	if (!found && prober.noises > 0)
		printf("nothing known answered, but bytes came %d times: another speed or protocol, or a "
			   "meter that speaks by itself; see --trace\n",
			   prober.noises);
	else if (!found)
		puts("nothing answered: is the port the right one, are A and B the right way round?");
	return found ? EB_EXIT_DONE : EB_EXIT_NOTHING;
}
