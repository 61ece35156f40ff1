/*
 * run.h -- the collector at work: buses, queue and sink on one loop
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
	EB_EXIT_LOCKED = 3,	 /* a port is held by another process, or readings could not be delivered */
	EB_EXIT_NOTHING = 4, /* --once read nothing */
	EB_EXIT_INTERNAL = 70,
};

typedef struct EbRunMode
{
	bool once;	  /* every meter once, JSON lines on stdout */
	bool dry_run; /* no database */
	int listen_s; /* --once: how long lines of meters that speak by themselves are taken */
} EbRunMode;

/* Until it is done or a signal ends it; returns an exit code. */
extern int eb_run(const EbConfig *conf, EbRunMode mode);

#endif
