/*
 * listener.c -- a socket on which others call
 * In:  calls. Out: connections for the owner, some at a time. While no descriptor or memory is free
 *      the calls wait in the kernel, and are looked at once a second: the socket stays ready, and
 *      the loop would do nothing else.
 */
#define _GNU_SOURCE /* accept4 */
#include "listener.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define BACKLOG 128
#define ACCEPTS_PER_EVENT 16
#define REST_MS 1000

/* Nobody's fault but ours: the call is still there. */
static bool
is_short(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void
take_calls(void *owner, uint32_t events)
{
	EbListener *listener = owner;

	(void) events;
	for (int i = 0; i < ACCEPTS_PER_EVENT && listener->watch.fd >= 0; i++)
	{
		struct sockaddr_storage from;
		socklen_t size = sizeof(from);
		int fd = accept4(listener->watch.fd, (struct sockaddr *) &from, &size,
						 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
		{
			listener->taken(listener->owner, fd, (struct sockaddr *) &from, size);
			continue;
		}
		if (is_short(errno))
		{
			eb_log(EB_LOG_ERROR, "calls have to wait: %s", strerror(errno));
			eb_loop_watch(listener->loop, &listener->watch, listener->watch.fd, 0);
			eb_timer_after(&listener->rest, REST_MS);
		}
		return;
	}
}

static void
rest_over(void *owner)
{
	EbListener *listener = owner;

	if (listener->watch.fd >= 0)
		eb_loop_watch(listener->loop, &listener->watch, listener->watch.fd, EPOLLIN);
}

void
eb_listener_init(EbListener *listener, EbLoop *loop,
				 void (*taken)(void *owner, int fd, const struct sockaddr *from, socklen_t size),
				 void *owner)
{
	listener->loop = loop;
	listener->taken = taken;
	listener->owner = owner;
	listener->watch = (EbWatch){-1, take_calls, listener};
	eb_loop_add_timer(loop, &listener->rest, rest_over, listener);
}

bool
eb_listener_open(EbListener *listener, const struct sockaddr *at, socklen_t size)
{
	int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;
	int error;

	if (fd < 0)
		return false;
	if ((at->sa_family == AF_UNIX ||
		 setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0) &&
		bind(fd, at, size) == 0 && listen(fd, BACKLOG) == 0 &&
		eb_loop_watch(listener->loop, &listener->watch, fd, EPOLLIN))
		return true;
	error = errno;
	close(fd);
	errno = error;
	return false;
}

void
eb_listener_close(EbListener *listener)
{
	int fd = listener->watch.fd;

	eb_timer_stop(&listener->rest);
	if (fd < 0)
		return;
	eb_loop_unwatch(listener->loop, &listener->watch);
	close(fd);
}

void
eb_listener_free(EbListener *listener)
{
	eb_listener_close(listener);
	eb_loop_drop_timer(listener->loop, &listener->rest);
}
