/*
 * listener.h -- a socket on which others call
 */
#ifndef EB_LISTENER_H
#define EB_LISTENER_H

#include <stdbool.h>
#include <sys/socket.h>

#include "loop.h"

typedef struct EbListener
{
	EbLoop *loop;
	EbWatch watch; /* fd -1: it does not listen */
	EbTimer rest;  /* no call can be taken until then */
	/* a connection, the owner's from then on */
	void (*taken)(void *owner, int fd, const struct sockaddr *from, socklen_t size);
	void *owner;
} EbListener;

/* Once, before it is opened. */
extern void
eb_listener_init(EbListener *listener, EbLoop *loop,
				 void (*taken)(void *owner, int fd, const struct sockaddr *from, socklen_t size),
				 void *owner);

/* Listens at that address; false: errno. */
extern bool eb_listener_open(EbListener *listener, const struct sockaddr *at, socklen_t size);

/* No further call; it may be opened again. */
extern void eb_listener_close(EbListener *listener);

/* Before its memory goes; as eb_loop_drop_timer(). */
extern void eb_listener_free(EbListener *listener);

#endif
