/*
 * run.h -- the collector at work: buses, spool and sink on one loop
 */
#ifndef EB_RUN_H
#define EB_RUN_H

#include <stdbool.h>

#include "config.h"

/* Exit codes of the program. */
enum
{
	EB_EXIT_DONE = 0,
	EB_EXIT_USAGE = 1,
	EB_EXIT_CONFIG = 2,
	EB_EXIT_LOCKED = 3,	 /* a port or the spool is held by another process or cannot be used, or
							--once lost readings */
	EB_EXIT_NOTHING = 4, /* --once read nothing, --probe found nothing */
	EB_EXIT_INTERNAL = 70,
};

typedef struct EbRunMode
{
	bool once;	  /* every meter once, JSON lines on stdout */
	bool dry_run; /* no spool and no database */
	bool trace;	  /* bytes of every port on stderr */
	int listen_s; /* --once: how long lines of meters that speak by themselves are taken */
} EbRunMode;

/*
 * Until it is done or a signal ends it; returns an exit code. conf was allocated with malloc() and
 * is released here, with whatever took its place.
 */
extern int eb_run(EbConfig *conf, EbRunMode mode);

#endif
