/*
 * trace.h -- bytes on a line, for people: --trace
 */
#ifndef EB_TRACE_H
#define EB_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct EbBus;

/* A line on stderr: instant of UTC with microseconds, port, > sent or < received, hex. */
extern void
eb_trace_bytes(void *owner, const struct EbBus *bus, bool sent, const uint8_t *bytes, size_t n);
extern void eb_trace_line(const char *port, bool sent, const uint8_t *bytes, size_t n);

#endif
