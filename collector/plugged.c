/*
 * plugged.c -- told when something is plugged in
 * In:  the paths of the ports; inotify. Out: a call when a name appears or its rights change.
 */
#include "plugged.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* An adapter appears with wrong rights at first; a link to it comes after it. */
#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_ATTRIB)

static void
add_dir(EbPlugged *plugged, const char *dir)
{
	for (int i = 0; i < plugged->ndirs; i++)
		if (strcmp(plugged->dir[i], dir) == 0)
			return;
	if (plugged->ndirs < EB_PLUGGED_DIRS && (plugged->dir[plugged->ndirs] = strdup(dir)) != NULL)
		plugged->ndirs++;
}

/* /dev/serial/by-id is made with the first adapter; watching twice changes nothing. */
static void
watch_dirs(EbPlugged *plugged)
{
	for (int i = 0; i < plugged->ndirs; i++)
		(void) inotify_add_watch(plugged->watch.fd, plugged->dir[i], EVENTS | IN_ONLYDIR);
}

static void
plugged_ready(void *owner, uint32_t events)
{
	EbPlugged *plugged = owner;
	char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	(void) events;
	while (read(plugged->watch.fd, bytes, sizeof(bytes)) > 0)
		continue;
	watch_dirs(plugged);
	plugged->changed(plugged->owner);
}

void
eb_plugged_open(EbPlugged *plugged, EbLoop *loop, const EbConfig *config,
				void (*changed)(void *owner), void *owner)
{
	int fd;

	memset(plugged, 0, sizeof(*plugged));
	plugged->loop = loop;
	plugged->watch = (EbWatch){-1, plugged_ready, plugged};
	plugged->changed = changed;
	plugged->owner = owner;
	for (int i = 0; i < config->nports; i++)
	{
		char path[PATH_MAX];

		bool is_path = config->port[i].path[0] == '/';

		if (!is_path && strncmp(config->port[i].path, "usb:", 4) != 0)
			continue;
		add_dir(plugged, "/dev");
		snprintf(path, sizeof(path), "%s", config->port[i].path);
		if (is_path)
			add_dir(plugged, dirname(path));
	}
	if (plugged->ndirs == 0)
		return;
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd >= 0 && !eb_loop_watch(loop, &plugged->watch, fd, EPOLLIN))
		close(fd);
	if (plugged->watch.fd >= 0)
		watch_dirs(plugged);
}

void
eb_plugged_close(EbPlugged *plugged)
{
	int fd = plugged->watch.fd;

	if (plugged->loop == NULL)
		return;
	eb_loop_unwatch(plugged->loop, &plugged->watch);
	if (fd >= 0)
		close(fd);
	for (int i = 0; i < plugged->ndirs; i++)
		free(plugged->dir[i]);
	plugged->ndirs = 0;
	plugged->loop = NULL;
}
