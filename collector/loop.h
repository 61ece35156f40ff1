/*
 * loop.h -- one thread, one epoll: descriptors that became ready and timers that are due
 * Watches and timers belong to their owners; the loop only points at them.
 */
#ifndef EB_LOOP_H
#define EB_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

typedef struct EbWatch
{
	int fd; /* -1: not watched */
	void (*ready)(void *owner, uint32_t events);
	void *owner;
} EbWatch;

typedef struct EbTimer
{
	bool armed;
	int64_t due_ms; /* monotonic */
	void (*fire)(void *owner);
	void *owner;
	struct EbTimer *next;
} EbTimer;

#define EB_LOOP_EVENTS 64

typedef struct EbLoop
{
	int epoll_fd;
	bool stop;
	EbTimer *timers;
	struct epoll_event event[EB_LOOP_EVENTS];
	int nevents; /* of the batch being handed out */

	void (*round)(void *owner); /* after each round, when no callback is running; or NULL */
	void *owner;
} EbLoop;

/* False when the kernel refuses (errno). */
extern bool eb_loop_open(EbLoop *loop);
extern void eb_loop_close(EbLoop *loop);

/* Watches fd, or changes what is waited for when it is watched already. */
extern bool eb_loop_watch(EbLoop *loop, EbWatch *watch, int fd, uint32_t events);
/* Before the descriptor is closed. No event of this watch is handed out afterwards. */
extern void eb_loop_unwatch(EbLoop *loop, EbWatch *watch);

/* Once per timer, before it is armed. */
extern void eb_loop_add_timer(EbLoop *loop, EbTimer *timer, void (*fire)(void *), void *owner);
extern void eb_timer_after(EbTimer *timer, int64_t delay_ms);
extern void eb_timer_stop(EbTimer *timer);
/* Before its memory goes: from loop->round only, or when the loop does not run. */
extern void eb_loop_drop_timer(EbLoop *loop, EbTimer *timer);

/* Until somebody sets loop->stop; false when epoll fails. */
extern bool eb_loop_run(EbLoop *loop);

#endif
