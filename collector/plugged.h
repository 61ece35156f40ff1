/*
 * plugged.h -- told when something is plugged in
 * Watches the directories of the ports, so that a port that went away is opened again soon after it
 * is back, and not after a pause.
 */
#ifndef EB_PLUGGED_H
#define EB_PLUGGED_H

#include "config.h"
#include "loop.h"

#define EB_PLUGGED_DIRS 32

typedef struct EbPlugged
{
	EbLoop *loop;
	EbWatch watch;
	void (*changed)(void *owner);
	void *owner;
	char *dir[EB_PLUGGED_DIRS];
	int ndirs;
} EbPlugged;

/* Directories of the ports and /dev; those that are not there yet are watched when they come. */
extern void eb_plugged_open(EbPlugged *plugged, EbLoop *loop, const EbConfig *config,
							void (*changed)(void *owner), void *owner);
extern void eb_plugged_close(EbPlugged *plugged);

#endif
