/*
 * health.h -- how the collector fares, for programs that ask: a unix socket, and TCP on request
 * A client sends one line, "status" (JSON) or "metrics" (Prometheus text), or the same as an HTTP
 * request ("GET /metrics HTTP/1.1"), gets the answer, and the connection ends. Nobody is waited
 * for: what a client does not take stays in its own buffer, until its time is over.
 * Source: doc/collector.md.
 */
#ifndef EB_HEALTH_H
#define EB_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"
#include "listener.h"
#include "loop.h"

#define EB_HEALTH_CLIENTS 8
#define EB_HEALTH_REQUEST 4096

typedef enum EbHealthTopic
{
	EB_HEALTH_STATUS,
	EB_HEALTH_METRICS,
} EbHealthTopic;

/* How far an answer has been written: the places mean what its writer wants, 0 at the start. */
typedef struct EbHealthCursor
{
	EbHealthTopic topic;
	int part;
	int at;
} EbHealthCursor;

/* Writes the next piece, some 10 KiB, and moves the cursor; false: it was the last. */
typedef bool (*EbHealthWriter)(void *owner, EbHealthCursor *cursor, FILE *out);

typedef enum EbHealthState
{
	EB_HEALTH_FREE,
	EB_HEALTH_ASKING,
	EB_HEALTH_ANSWERING,
	EB_HEALTH_LEAVING, /* all is sent; what the client still says is read and dropped */
} EbHealthState;

struct EbHealth;

typedef struct EbHealthClient
{
	struct EbHealth *health;
	EbHealthState state;
	EbWatch watch;
	EbTimer timer;	 /* the client's time is over */
	uint64_t number; /* rising: who came first */
	size_t got;
	EbHealthCursor cursor;
	bool last; /* the piece in hand is the last */
	char *piece;
	size_t piece_len;
	size_t sent; /* of the piece */
	char request[EB_HEALTH_REQUEST];
} EbHealthClient;

typedef struct EbHealth
{
	EbLoop *loop;
	EbHealthWriter writer;
	void *owner;
	EbListener local;
	EbListener tcp;
	char path[108]; /* of the unix socket; empty: there is none */
	uint64_t nclients;
	uint64_t dropped; /* clients that took too long, or made room for others */
	EbHealthClient client[EB_HEALTH_CLIENTS];
} EbHealth;

/*
 * The sockets of conf: path (NULL: collector.sock in $RUNTIME_DIRECTORY; none without that or when
 * it is empty), and listen. One that cannot be had is told in the log; the collector works without.
 */
extern void eb_health_open(EbHealth *health, EbLoop *loop, EbHealthWriter writer, void *owner,
						   const EbHealthConf *conf);

/* Every client is sent away: what its cursor meant is gone. reopen: for other sockets too. */
extern void eb_health_drop_clients(EbHealth *health);
extern void eb_health_reopen(EbHealth *health, const EbHealthConf *conf);
extern void eb_health_close(EbHealth *health);

/* "127.0.0.1:9810", "[::1]:9810": nobody outside this computer can ask. */
extern bool eb_health_listen_ok(const char *text);

#endif
