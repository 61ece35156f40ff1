/*
 * port_tcp.c -- raw TCP: to a serial server (ser2net, Moxa), and from a terminal unit
 * In:  "HOST:PORT", or a connection that was accepted by server.c.
 * Out: bytes. Connecting goes on in the background; a host name is looked up once per opening, and
 *      everything waits for that: give an address.
 * Source: doc/collector.md.
 */
#include "port.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"

/* Requests are small and must go out at once; a dead peer is noticed within a minute. */
static void
set_options(int fd)
{
	const int on = 1;
	const int idle_s = 30;
	const int interval_s = 10;
	const int probes = 3;
	const unsigned timeout_ms = 30000;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

static EbPortStatus
tcp_open(EbPort *port, const char *path)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *found = NULL;
	EbAddress address;
	int error;

	if (!eb_address_parse(path, &address))
		return eb_port_fault(port, EB_PORT_FAILED, path, "is no HOST:PORT");
	error = getaddrinfo(address.host, address.port, &hints, &found);
	if (error != 0)
		return eb_port_fault(port, EB_PORT_FAILED, path, gai_strerror(error));
	port->fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (port->fd >= 0)
	{
		set_options(port->fd);
		errno = 0;
		if (connect(port->fd, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS)
		{
			error = errno;
			close(port->fd);
			port->fd = -1;
			errno = error;
		}
	}
	freeaddrinfo(found);
	if (port->fd < 0)
		return eb_port_fault(port, EB_PORT_FAILED, path, strerror(errno));
	return EB_PORT_CONNECTING;
}

EbPortStatus
eb_port_connected(EbPort *port)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(port->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
		return EB_PORT_OK;
	return eb_port_fault(port, EB_PORT_FAILED, "connect", strerror(error));
}

/* The end of the stream is told by the loop, as a hang-up. */
static EbPortStatus
tcp_read(EbPort *port, uint8_t *buf, size_t size, size_t *got)
{
	ssize_t n = recv(port->fd, buf, size, 0);

	if (n == 0)
		return eb_port_fault(port, EB_PORT_GONE, "read", "closed by the other side");
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return eb_port_fault(port, EB_PORT_GONE, "read", strerror(errno));
	*got = n > 0 ? (size_t) n : 0;
	return EB_PORT_OK;
}

static EbPortStatus
tcp_write(EbPort *port, const uint8_t *buf, size_t size, size_t *put)
{
	ssize_t n = send(port->fd, buf, size, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return eb_port_fault(port, EB_PORT_GONE, "write", strerror(errno));
	*put = n > 0 ? (size_t) n : 0;
	return EB_PORT_OK;
}

static void
tcp_close(EbPort *port)
{
	if (port->fd >= 0)
		close(port->fd);
}

/*
 * Length of a saying that the n bytes begin with, 0: none. A piece that is the beginning of one
 * and no more is held until the rest comes.
 */
static size_t
saying_at(EbPort *port, const uint8_t *bytes, size_t n)
{
	for (int i = 0; i < EB_PORT_SAYINGS; i++)
	{
		size_t len = strlen(port->saying[i]);
		size_t here = n < len ? n : len;

		if (here == 0 || memcmp(bytes, port->saying[i], here) != 0)
			continue;
		if (here == len)
		{
			port->sayings++;
			return len;
		}
		port->held_of = i;
		port->held = here;
		return here;
	}
	return 0;
}

/*
 * What a unit says of itself is no byte of a meter. A unit sends it as a packet of its own, so it
 * is looked for where a piece begins.
 */
static EbPortStatus
unit_read(EbPort *port, uint8_t *buf, size_t size, size_t *got)
{
	size_t held = port->held;
	size_t off = 0;
	size_t len = 1;
	EbPortStatus status = tcp_read(port, buf + held, size - held, got);

	if (status != EB_PORT_OK || *got == 0)
		return status;
	memcpy(buf, port->saying[port->held_of], held);
	*got += held;
	port->held = 0;
	while (off < *got && len > 0)
	{
		len = saying_at(port, buf + off, *got - off);
		off += len;
	}
	*got -= off;
	memmove(buf, buf + off, *got);
	return EB_PORT_OK;
}

const EbPortOps eb_port_tcp = {"tcp", tcp_open, tcp_read, tcp_write, NULL, tcp_close};
const EbPortOps eb_port_unit = {"unit", NULL, unit_read, tcp_write, NULL, tcp_close};
