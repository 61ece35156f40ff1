/*
 * server.c -- a TCP port on which terminal units call
 * In:  connections; the first bytes of each.
 * Out: a connection with the port whose id it told, for that bus. How many may wait, how long, and
 *      how often a unit may call again is bounded: a storm of calls costs the others nothing.
 * Source: doc/collector.md.
 */
#include "server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "bus.h"
#include "clock.h"

#define LISTEN_AGAIN_MS 10000

/* A call that has told its id waits for its port, which pauses at most 10 s between two. */
#define WAIT_MS 30000

/* Anybody can call, and say anything. */
#define TOLD_PER_MINUTE 120

static bool
may_tell(EbServer *server)
{
	return eb_log_share(&server->told, TOLD_PER_MINUTE, "calls of units");
}

static void
hang_up(EbCall *call)
{
	int fd = call->watch.fd;

	eb_loop_unwatch(call->server->loop, &call->watch);
	close(fd);
}

static int
by_id(const void *a, const void *b)
{
	const EbBus *const *x = a;
	const EbBus *const *y = b;

	return strcmp((*x)->conf->unit, (*y)->conf->unit);
}

/* Order of the n bytes to an id: 0 when they begin with it. */
static int
compare(const uint8_t *bytes, size_t n, const char *id)
{
	size_t len = strlen(id);
	int order = memcmp(bytes, id, n < len ? n : len);

	return order != 0 ? order : n < len ? -1 : 0;
}

/*
 * The bus whose id the bytes begin with; no id is the beginning of another. *more: they are the
 * beginning of some id.
 */
static EbBus *
find_bus(const EbServer *server, const uint8_t *bytes, size_t n, bool *more)
{
	int low = 0;
	int high = server->nids;

	while (low < high)
	{
		int middle = (low + high) / 2;
		int order = compare(bytes, n, server->bus[middle]->conf->unit);

		if (order == 0)
			return server->bus[middle];
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	*more = low < server->nids && n < strlen(server->bus[low]->conf->unit) &&
			memcmp(bytes, server->bus[low]->conf->unit, n) == 0;
	return NULL;
}

/* A bus that takes connections of any meter and has none at the moment. */
static EbBus *
free_bus(const EbServer *server)
{
	for (int i = server->nids; i < server->nbuses; i++)
		if (eb_bus_waits(server->bus[i]))
			return server->bus[i];
	return NULL;
}

static void
set_timer(EbServer *server)
{
	int64_t first_ms = INT64_MAX;

	for (int i = 0; i < EB_SERVER_CALLS; i++)
		if (server->call[i].watch.fd >= 0 && server->call[i].until_ms < first_ms)
			first_ms = server->call[i].until_ms;
	if (first_ms < INT64_MAX)
		eb_timer_after(&server->timer, first_ms - eb_clock_mono_ms());
	else if (server->listener.watch.fd >= 0)
		eb_timer_stop(&server->timer);
}

/* It has told who it is. An older call of the same unit is over. */
static void
registered(EbCall *call, EbBus *bus)
{
	EbServer *server = call->server;

	for (int i = 0; i < EB_SERVER_CALLS; i++)
	{
		EbCall *other = &server->call[i];

		if (other != call && other->watch.fd >= 0 && other->conf == bus->conf &&
			bus->conf->unit[0] != '\0')
		{
			server->counts.replaced++;
			hang_up(other);
		}
	}
	server->counts.registered++;
	call->conf = bus->conf;
	call->until_ms = eb_clock_mono_ms() + WAIT_MS;
	/* it is not read from here on, only watched for its end */
	eb_loop_watch(server->loop, &call->watch, call->watch.fd, EPOLLRDHUP);
	if (may_tell(server))
		eb_log(EB_LOG_INFO, "server %s: %s is port %s", server->conf->name, call->peer,
			   bus->conf->name);
	eb_bus_called(bus);
}

/* Bytes of a unit: looked at, taken only as far as they are its id. */
static void
call_ready(void *owner, uint32_t events)
{
	EbCall *call = owner;
	EbServer *server = call->server;
	uint8_t bytes[EB_SERVER_ID];
	ssize_t n = recv(call->watch.fd, bytes, sizeof(bytes), MSG_PEEK);
	bool more = false;
	EbBus *bus;

	if (n <= 0 || call->conf != NULL)
	{
		if (n == 0 || (n < 0 && errno != EAGAIN) ||
			(events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0)
			hang_up(call);
		return;
	}
	bus = find_bus(server, bytes, (size_t) n, &more);
	if (bus != NULL)
		n = recv(call->watch.fd, bytes, strlen(bus->conf->unit), 0);
	else if (!more)
		bus = free_bus(server);
	if (bus != NULL)
		registered(call, bus);
	else if (!more || (events & EPOLLRDHUP) != 0)
	{
		char shown[100];

		server->counts.refused++;
		if (may_tell(server))
			eb_log(EB_LOG_WARNING, "server %s: %s is no unit of this collector: %s",
				   server->conf->name, call->peer,
				   eb_log_bytes(shown, sizeof(shown), bytes, (size_t) n));
		hang_up(call);
	}
	set_timer(server);
}

/* How little a call has to lose: the rank of those that go first is the highest. */
static int
rank_of(const EbCall *call, const char *host)
{
	return call->conf != NULL ? 0 : strcmp(call->host, host) != 0 ? 1 : 2;
}

/*
 * A free place; when there is none, that of the call that has waited longest without an id. A crowd
 * from one host goes at its own cost.
 */
static EbCall *
place_of(EbServer *server, const char *host)
{
	EbCall *oldest = NULL;

	for (int i = 0; i < EB_SERVER_CALLS; i++)
	{
		EbCall *call = &server->call[i];

		if (call->watch.fd < 0)
			return call;
		if (oldest == NULL || rank_of(call, host) > rank_of(oldest, host) ||
			(rank_of(call, host) == rank_of(oldest, host) && call->number < oldest->number))
			oldest = call;
	}
	server->counts.crowded++;
	hang_up(oldest);
	return oldest;
}

static void
take_call(void *owner, int fd, const struct sockaddr *from, socklen_t size)
{
	EbServer *server = owner;
	EbCall *call;
	char host[sizeof(call->host)] = "";
	char port[8] = "";

	getnameinfo(from, size, host, sizeof(host), port, sizeof(port),
				NI_NUMERICHOST | NI_NUMERICSERV);
	call = place_of(server, host);
	memcpy(call->host, host, sizeof(host));
	snprintf(call->peer, sizeof(call->peer), "%s:%s", host, port);
	server->counts.calls++;
	call->number = ++server->ncalls;
	call->conf = NULL;
	call->until_ms = eb_clock_mono_ms() + server->conf->register_s * INT64_C(1000);
	/* told once of what comes: the bytes stay where they are until they are an id */
	if (!eb_loop_watch(server->loop, &call->watch, fd, EPOLLIN | EPOLLRDHUP | EPOLLET))
		close(fd);
	set_timer(server);
}

/* False: why stands in fault. */
static bool
listen_at(EbListener *listener, const char *at, char fault[100])
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST};
	struct addrinfo *found = NULL;
	EbAddress address;
	int error = eb_address_parse(at, &address)
					? getaddrinfo(address.host, address.port, &hints, &found)
					: EAI_NONAME;
	bool ok = error == 0 && eb_listener_open(listener, found->ai_addr, found->ai_addrlen);

	if (!ok)
		snprintf(fault, 100, "%s", error != 0 ? gai_strerror(error) : strerror(errno));
	if (found != NULL)
		freeaddrinfo(found);
	return ok;
}

void
eb_server_start(EbServer *server)
{
	char fault[100];

	if (listen_at(&server->listener, server->conf->listen, fault))
	{
		eb_log(EB_LOG_INFO, "server %s listens on %s", server->conf->name, server->conf->listen);
		return;
	}
	eb_log(EB_LOG_ERROR, "server %s: %s: %s", server->conf->name, server->conf->listen, fault);
	eb_timer_after(&server->timer, LISTEN_AGAIN_MS);
}

/* Calls whose time is over; or it is time to listen again. */
static void
server_timer(void *owner)
{
	EbServer *server = owner;
	int64_t now_ms = eb_clock_mono_ms();

	if (server->listener.watch.fd < 0)
	{
		eb_server_start(server);
		return;
	}
	for (int i = 0; i < EB_SERVER_CALLS; i++)
	{
		EbCall *call = &server->call[i];

		if (call->watch.fd < 0 || call->until_ms > now_ms)
			continue;
		server->counts.late++;
		if (may_tell(server))
			eb_log(EB_LOG_WARNING, "server %s: %s %s", server->conf->name, call->peer,
				   call->conf == NULL ? "told no id" : "waited for its port in vain");
		hang_up(call);
	}
	set_timer(server);
}

bool
eb_server_init(EbServer *server, EbLoop *loop, const EbServerConf *conf)
{
	memset(server, 0, sizeof(*server));
	server->loop = loop;
	server->conf = conf;
	eb_listener_init(&server->listener, loop, take_call, server);
	for (int i = 0; i < EB_SERVER_CALLS; i++)
	{
		server->call[i].server = server;
		server->call[i].watch = (EbWatch){-1, call_ready, &server->call[i]};
	}
	eb_loop_add_timer(loop, &server->timer, server_timer, server);
	return eb_server_room(server, 0);
}

bool
eb_server_room(EbServer *server, int nbuses)
{
	EbBus **bus = realloc(server->bus, ((size_t) nbuses + 1) * sizeof(EbBus *));

	if (bus != NULL)
		server->bus = bus;
	return bus != NULL;
}

/* The port of that name; NULL: it is gone. */
static const EbPortConf *
same_port(const EbServer *server, const EbPortConf *conf)
{
	for (int i = 0; i < server->nbuses; i++)
		if (strcmp(server->bus[i]->conf->name, conf->name) == 0)
			return server->bus[i]->conf;
	return NULL;
}

void
eb_server_buses(EbServer *server, const EbServerConf *conf, EbBus *const *bus, int nbuses)
{
	server->conf = conf;
	server->nids = server->nbuses = 0;
	for (int with_id = 1; with_id >= 0; with_id--)
	{
		for (int i = 0; i < nbuses; i++)
			if (bus[i]->conf->server == conf && (bus[i]->conf->unit[0] != '\0') == with_id)
			{
				bus[i]->server = server;
				server->bus[server->nbuses++] = bus[i];
			}
		if (with_id)
			server->nids = server->nbuses;
	}
	qsort(server->bus, (size_t) server->nids, sizeof(EbBus *), by_id);
	for (int i = 0; i < EB_SERVER_CALLS; i++)
	{
		EbCall *call = &server->call[i];

		if (call->watch.fd < 0 || call->conf == NULL)
			continue;
		call->conf = same_port(server, call->conf);
		if (call->conf == NULL)
			hang_up(call);
	}
}

void
eb_server_free(EbServer *server)
{
	if (server->conf == NULL)
		return;
	for (int i = 0; i < EB_SERVER_CALLS; i++)
		if (server->call[i].watch.fd >= 0)
			hang_up(&server->call[i]);
	eb_listener_free(&server->listener);
	eb_loop_drop_timer(server->loop, &server->timer);
	free(server->bus);
	server->bus = NULL;
	server->conf = NULL;
}

int
eb_server_take(EbServer *server, const EbPortConf *conf)
{
	EbCall *newest = NULL;
	int fd;

	for (int i = 0; i < EB_SERVER_CALLS; i++)
	{
		EbCall *call = &server->call[i];

		if (call->watch.fd >= 0 && call->conf == conf &&
			(newest == NULL || call->number > newest->number))
			newest = call;
	}
	if (newest == NULL)
		return -1;
	fd = newest->watch.fd;
	eb_loop_unwatch(server->loop, &newest->watch);
	return fd;
}
