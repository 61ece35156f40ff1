/*
 * health.c -- how the collector fares, for programs that ask: a unix socket, and TCP on request
 * In:  one line or one HTTP request per connection. Out: what status.c and metrics.c write.
 *
 * The answer is made in pieces, as the client takes them, so that neither memory nor the time of
 * the loop grows with the number of meters. A client has five seconds; when all places are taken
 * the oldest makes room.
 */
#include "health.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "log.h"

#define CLIENT_MS 5000

static void client_ready(void *owner, uint32_t events);

static void
drop_client(EbHealthClient *client)
{
	int fd = client->watch.fd;

	eb_timer_stop(&client->timer);
	if (client->state == EB_HEALTH_FREE)
		return;
	eb_loop_unwatch(client->health->loop, &client->watch);
	close(fd);
	free(client->piece);
	client->piece = NULL;
	client->state = EB_HEALTH_FREE;
}

static void
client_late(void *owner)
{
	EbHealthClient *client = owner;

	client->health->dropped++;
	drop_client(client);
}

/* The next piece of the answer; false when there is no memory. */
static bool
next_piece(EbHealthClient *client)
{
	EbHealth *health = client->health;
	FILE *out;

	free(client->piece);
	client->piece = NULL;
	client->sent = 0;
	out = open_memstream(&client->piece, &client->piece_len);
	if (out == NULL)
		return false;
	client->last = !health->writer(health->owner, &client->cursor, out);
	return fclose(out) == 0;
}

/* A piece of other text: the head of an answer, or a refusal, which is the last. */
static bool
first_piece(EbHealthClient *client, const char *text, bool last)
{
	client->piece = strdup(text);
	client->piece_len = client->piece != NULL ? strlen(text) : 0;
	client->sent = 0;
	client->last = last;
	return client->piece != NULL;
}

/* Sends what the client takes now, in one call: others wait too. */
static void
answer(EbHealthClient *client)
{
	ssize_t n;

	while (client->sent == client->piece_len || client->piece == NULL)
	{
		if (client->last)
		{
			/* it may still be sending its headers: closing now could cost it the answer */
			shutdown(client->watch.fd, SHUT_WR);
			client->state = EB_HEALTH_LEAVING;
			eb_loop_watch(client->health->loop, &client->watch, client->watch.fd, EPOLLIN);
			return;
		}
		if (!next_piece(client))
		{
			drop_client(client);
			return;
		}
	}
	n = send(client->watch.fd, client->piece + client->sent, client->piece_len - client->sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		client->sent += (size_t) n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		drop_client(client);
}

/* What is asked for in the first line; 0: in a line, 1: by HTTP, -1: nothing we have. */
static int
topic_of(const char *line, EbHealthTopic *topic)
{
	static const char *const words[] = {"status", "metrics"};

	for (int i = 0; i < 2; i++)
	{
		size_t len = strlen(words[i]);

		*topic = (EbHealthTopic) i;
		if (strcmp(line, words[i]) == 0)
			return 0;
		if (strncmp(line, "GET /", 5) == 0 && strncmp(line + 5, words[i], len) == 0 &&
			strncmp(line + 5 + len, " HTTP/1.", 8) == 0)
			return 1;
	}
	return -1;
}

/* The request is whole: its first line ends the text. */
static void
begin_answer(EbHealthClient *client)
{
	static const char *const heads[] = {
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		"Connection: close\r\n\r\n",
	};
	bool is_http = strstr(client->request, " HTTP/") != NULL;
	const char *head = "";
	bool ok = false;

	switch (topic_of(client->request, &client->cursor.topic))
	{
		case 0:
			ok = true;
			break;
		case 1:
			ok = true;
			head = heads[client->cursor.topic];
			break;
		default:
			head = is_http ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
							 "Connection: close\r\n\r\n"
						   : "one line: status or metrics\n";
			break;
	}
	client->cursor.part = client->cursor.at = 0;
	client->state = EB_HEALTH_ANSWERING;
	if (!first_piece(client, head, !ok))
	{
		drop_client(client);
		return;
	}
	eb_loop_watch(client->health->loop, &client->watch, client->watch.fd, EPOLLOUT);
}

/* A line is whole with its end, an HTTP request with its empty line. */
static bool
is_whole(const char *request)
{
	const char *end = strchr(request, '\n');

	if (end == NULL)
		return false;
	if (strstr(request, " HTTP/1.") == NULL || strstr(request, " HTTP/1.") > end)
		return true;
	return strstr(request, "\n\r\n") != NULL || strstr(request, "\n\n") != NULL;
}

static void
take_request(EbHealthClient *client)
{
	ssize_t n = recv(client->watch.fd, client->request + client->got,
					 sizeof(client->request) - 1 - client->got, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		client->got += (size_t) n;
	client->request[client->got] = '\0';
	if (n > 0 && !is_whole(client->request) && client->got < sizeof(client->request) - 1)
		return;
	if (client->got == 0 || n < 0)
	{
		drop_client(client);
		return;
	}
	client->request[strcspn(client->request, "\r\n")] = '\0';
	begin_answer(client);
}

static void
client_ready(void *owner, uint32_t events)
{
	EbHealthClient *client = owner;
	char rest[512];

	if (client->state == EB_HEALTH_ASKING)
		take_request(client);
	else if (client->state == EB_HEALTH_ANSWERING && (events & (EPOLLERR | EPOLLHUP)) != 0)
		drop_client(client);
	else if (client->state == EB_HEALTH_ANSWERING)
		answer(client);
	else if (client->state == EB_HEALTH_LEAVING &&
			 recv(client->watch.fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
		drop_client(client);
}

/* A free place, else that of the client who came first. */
static EbHealthClient *
place(EbHealth *health)
{
	EbHealthClient *oldest = &health->client[0];

	for (int i = 0; i < EB_HEALTH_CLIENTS; i++)
	{
		EbHealthClient *client = &health->client[i];

		if (client->state == EB_HEALTH_FREE)
			return client;
		if (client->number < oldest->number)
			oldest = client;
	}
	client_late(oldest);
	return oldest;
}

static void
take_client(void *owner, int fd, const struct sockaddr *from, socklen_t size)
{
	EbHealth *health = owner;
	EbHealthClient *client = place(health);

	(void) from;
	(void) size;
	client->watch = (EbWatch){-1, client_ready, client};
	client->got = 0;
	client->number = ++health->nclients;
	client->state = EB_HEALTH_ASKING;
	if (!eb_loop_watch(health->loop, &client->watch, fd, EPOLLIN))
	{
		client->state = EB_HEALTH_FREE;
		close(fd);
		return;
	}
	eb_timer_after(&client->timer, CLIENT_MS);
}

/* False, told, when the socket cannot be had. */
static bool
listen_at(EbListener *listener, const struct sockaddr *at, socklen_t len, const char *name)
{
	if (eb_listener_open(listener, at, len))
		return true;
	eb_log(EB_LOG_ERROR, "health at %s: %s", name, strerror(errno));
	return false;
}

/* Whether somebody answers at a socket that is already there. */
static bool
is_taken(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool taken =
		fd >= 0 && (connect(fd, (const struct sockaddr *) at, sizeof(*at)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return taken;
}

/* A socket left behind by a collector that was killed is removed; nothing else is. */
static void
listen_local(EbHealth *health, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct stat st;
	mode_t mask;

	if (strlen(path) >= sizeof(at.sun_path))
	{
		eb_log(EB_LOG_ERROR, "health at %s: the path is too long", path);
		return;
	}
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
	{
		if (is_taken(&at))
		{
			eb_log(EB_LOG_ERROR, "health at %s: another process answers there", path);
			return;
		}
		unlink(path);
	}
	mask = umask(0117); /* for the group too, which may read how things are */
	if (listen_at(&health->local, (struct sockaddr *) &at, sizeof(at), path))
		memcpy(health->path, path, strlen(path) + 1);
	umask(mask);
}

/* The loopback address that text names; false when it is another one, or none. */
static bool
loopback(const char *text, struct sockaddr_storage *at, socklen_t *len)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
							  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	EbAddress address;
	bool ok = false;

	if (!eb_address_parse(text, &address) ||
		getaddrinfo(address.host, address.port, &wanted, &found) != 0)
		return false;
	if (found->ai_family == AF_INET)
	{
		const struct sockaddr_in *v4 = (const struct sockaddr_in *) found->ai_addr;

		ok = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	}
	else if (found->ai_family == AF_INET6)
	{
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) found->ai_addr;

		ok = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	}
	if (ok)
	{
		memcpy(at, found->ai_addr, found->ai_addrlen);
		*len = found->ai_addrlen;
	}
	freeaddrinfo(found);
	return ok;
}

bool
eb_health_listen_ok(const char *text)
{
	struct sockaddr_storage at;
	socklen_t len;

	return loopback(text, &at, &len);
}

static void
open_sockets(EbHealth *health, const EbHealthConf *conf)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");
	struct sockaddr_storage at;
	socklen_t len;
	char path[256];

	health->path[0] = path[0] = '\0';
	if (conf->socket != NULL)
		snprintf(path, sizeof(path), "%s", conf->socket);
	else if (directory != NULL && directory[0] == '/') /* several are separated by colons */
		snprintf(path, sizeof(path), "%.*s/collector.sock", (int) strcspn(directory, ":"),
				 directory);
	if (path[0] != '\0')
		listen_local(health, path);
	if (conf->listen != NULL && loopback(conf->listen, &at, &len))
		listen_at(&health->tcp, (struct sockaddr *) &at, len, conf->listen);
}

void
eb_health_drop_clients(EbHealth *health)
{
	for (int i = 0; i < EB_HEALTH_CLIENTS; i++)
		drop_client(&health->client[i]);
}

static void
close_sockets(EbHealth *health)
{
	eb_health_drop_clients(health);
	eb_listener_close(&health->local);
	eb_listener_close(&health->tcp);
	if (health->path[0] != '\0')
		unlink(health->path);
	health->path[0] = '\0';
}

void
eb_health_open(EbHealth *health, EbLoop *loop, EbHealthWriter writer, void *owner,
			   const EbHealthConf *conf)
{
	memset(health, 0, sizeof(*health));
	health->loop = loop;
	health->writer = writer;
	health->owner = owner;
	for (int i = 0; i < EB_HEALTH_CLIENTS; i++)
	{
		EbHealthClient *client = &health->client[i];

		client->health = health;
		client->watch.fd = -1;
		eb_loop_add_timer(loop, &client->timer, client_late, client);
	}
	eb_listener_init(&health->local, loop, take_client, health);
	eb_listener_init(&health->tcp, loop, take_client, health);
	open_sockets(health, conf);
}

void
eb_health_reopen(EbHealth *health, const EbHealthConf *conf)
{
	close_sockets(health);
	open_sockets(health, conf);
}

void
eb_health_close(EbHealth *health)
{
	if (health->loop == NULL)
		return;
	close_sockets(health);
	health->loop = NULL;
}
