/*
 * probe.h -- what answers on a port nobody knows anything about: --probe
 */
#ifndef EB_PROBE_H
#define EB_PROBE_H

#include <stdbool.h>

/*
 * Asks on the port (a path as in the configuration) in the usual ways and speeds, prints what
 * answers and how it would be configured. Only requests that read are sent. trace: every byte on
 * stderr. Returns an exit code.
 */
extern int eb_probe(const char *path, bool trace);

#endif
