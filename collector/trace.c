/*
 * trace.c -- bytes on a line, for people: --trace
 * In:  what a bus sends and receives, as it does. Out: stderr, not held back by the log's limits.
 */
#include "trace.h"

#include <stdio.h>
#include <time.h>

#include "bus.h"
#include "log.h"

#define BYTES_OF_LINE 32

void
eb_trace_line(const char *port, bool sent, const uint8_t *bytes, size_t n)
{
	struct timespec now;
	struct tm utc;
	char instant[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(instant, sizeof(instant), "%Y-%m-%dT%H:%M:%S", &utc);
	for (size_t i = 0; i < n; i++)
	{
		if (i % BYTES_OF_LINE == 0)
			fprintf(stderr, "%s<%d>%s.%06ldZ %s %c", i > 0 ? "\n" : "", (int) EB_LOG_DEBUG, instant,
					now.tv_nsec / 1000, port, sent ? '>' : '<');
		fprintf(stderr, " %02X", bytes[i]);
	}
	fputc('\n', stderr);
}

void
eb_trace_bytes(void *owner, const EbBus *bus, bool sent, const uint8_t *bytes, size_t n)
{
	(void) owner;
	eb_trace_line(bus->conf->name, sent, bytes, n);
}
