/*
 * loop.c -- one thread, one epoll: descriptors that became ready and timers that are due
 * In:  watches and timers of ports, sink and signals.
 * Out: their callbacks, one after the other; nothing in a callback waits.
 */
#include "loop.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

bool
eb_loop_open(EbLoop *loop)
{
	memset(loop, 0, sizeof(*loop));
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd >= 0;
}

void
eb_loop_close(EbLoop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

bool
eb_loop_watch(EbLoop *loop, EbWatch *watch, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data = {.ptr = watch}};

	if (watch->fd == fd)
		return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return false;
	watch->fd = fd;
	return true;
}

void
eb_loop_unwatch(EbLoop *loop, EbWatch *watch)
{
	if (watch->fd < 0)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
	/* the batch in hand may still hold an event of this descriptor */
	for (int i = 0; i < loop->nevents; i++)
		if (loop->event[i].data.ptr == watch)
			loop->event[i].data.ptr = NULL;
}

void
eb_loop_add_timer(EbLoop *loop, EbTimer *timer, void (*fire)(void *), void *owner)
{
	timer->armed = false;
	timer->fire = fire;
	timer->owner = owner;
	timer->next = loop->timers;
	loop->timers = timer;
}

void
eb_timer_after(EbTimer *timer, int64_t delay_ms)
{
	timer->due_ms = eb_clock_mono_ms() + (delay_ms > 0 ? delay_ms : 0);
	timer->armed = true;
}

void
eb_timer_stop(EbTimer *timer)
{
	timer->armed = false;
}

void
eb_loop_drop_timer(EbLoop *loop, EbTimer *timer)
{
	EbTimer **at = &loop->timers;

	while (*at != NULL && *at != timer)
		at = &(*at)->next;
	if (*at != NULL)
		*at = timer->next;
	timer->armed = false;
	timer->next = NULL;
}

/* Milliseconds to the next timer, -1 when none is armed. */
static int
next_wait(const EbLoop *loop)
{
	int64_t now_ms = eb_clock_mono_ms();
	int64_t wait_ms = -1;

	for (const EbTimer *timer = loop->timers; timer != NULL; timer = timer->next)
	{
		int64_t left_ms = timer->due_ms > now_ms ? timer->due_ms - now_ms : 0;

		if (timer->armed && (wait_ms < 0 || left_ms < wait_ms))
			wait_ms = left_ms;
	}
	return wait_ms > INT32_MAX ? INT32_MAX : (int) wait_ms;
}

static void
fire_due(EbLoop *loop)
{
	int64_t now_ms = eb_clock_mono_ms();

	for (EbTimer *timer = loop->timers; timer != NULL && !loop->stop; timer = timer->next)
		if (timer->armed && timer->due_ms <= now_ms)
		{
			timer->armed = false;
			timer->fire(timer->owner);
		}
}

bool
eb_loop_run(EbLoop *loop)
{
	while (!loop->stop)
	{
		int n = epoll_wait(loop->epoll_fd, loop->event, EB_LOOP_EVENTS, next_wait(loop));

		if (n < 0 && errno != EINTR)
			return false;
		loop->nevents = n > 0 ? n : 0;
		for (int i = 0; i < loop->nevents && !loop->stop; i++)
		{
			EbWatch *watch = loop->event[i].data.ptr;

			if (watch != NULL)
				watch->ready(watch->owner, loop->event[i].events);
		}
		loop->nevents = 0;
		fire_due(loop);
		if (loop->round != NULL)
			loop->round(loop->owner);
	}
	return true;
}
