/*
 * sd.c -- what the collector tells the service manager
 * In:  the variables the manager sets. Out: datagrams; a manager that does not take one is not
 *      waited for.
 * Source: sd_notify(3), sd_watchdog_enabled(3).
 */
#define _GNU_SOURCE
#include "sd.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

/* Milliseconds of WATCHDOG_USEC when it is meant for this process, else 0. */
static int64_t
watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (usec == NULL || (pid != NULL && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return strtoll(usec, NULL, 10) / 1000;
}

void
eb_sd_open(EbSd *sd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;

	memset(sd, 0, sizeof(*sd));
	sd->fd = -1;
	if (len < 2 || len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@') /* a name without a file */
		to.sun_path[0] = '\0';
	sd->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sd->fd >= 0 && connect(sd->fd, (struct sockaddr *) &to,
							   (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len)) != 0)
	{
		eb_log(EB_LOG_WARNING, "the service manager's socket %s cannot be reached: %m", path);
		eb_sd_close(sd);
	}
	if (sd->fd >= 0)
		sd->watchdog_ms = watchdog_ms();
}

void
eb_sd_close(EbSd *sd)
{
	if (sd->fd >= 0)
		close(sd->fd);
	sd->fd = -1;
	sd->watchdog_ms = 0;
}

static void
tell(EbSd *sd, const char *message)
{
	if (sd->fd >= 0 && send(sd->fd, message, strlen(message), MSG_NOSIGNAL) < 0)
		eb_log(EB_LOG_WARNING, "the service manager takes no message: %m");
}

void
eb_sd_ready(EbSd *sd)
{
	tell(sd, "READY=1\n");
	eb_sd_feed(sd);
}

/* The instant lets the manager tell this reload from one it asked for later. */
void
eb_sd_reloading(EbSd *sd)
{
	char message[80];

	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%lld\n",
			 (long long) eb_clock_mono_us());
	tell(sd, message);
}

void
eb_sd_stopping(EbSd *sd)
{
	tell(sd, "STOPPING=1\n");
}

void
eb_sd_status(EbSd *sd, const char *format, ...)
{
	char status[sizeof(sd->status)];
	char message[sizeof(status) + 16];
	va_list args;

	va_start(args, format);
	vsnprintf(status, sizeof(status), format, args);
	va_end(args);
	for (char *at = status; *at != '\0'; at++)
		if (*at == '\n')
			*at = ' ';
	if (strcmp(status, sd->status) == 0)
		return;
	memcpy(sd->status, status, sizeof(status));
	snprintf(message, sizeof(message), "STATUS=%s\n", status);
	tell(sd, message);
}

bool
eb_sd_hungry(const EbSd *sd)
{
	return sd->watchdog_ms > 0 && eb_clock_mono_ms() - sd->fed_ms >= sd->watchdog_ms / 2;
}

void
eb_sd_feed(EbSd *sd)
{
	sd->fed_ms = eb_clock_mono_ms();
	if (sd->watchdog_ms > 0)
		tell(sd, "WATCHDOG=1\n");
}
