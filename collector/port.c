/*
 * port.c -- choosing a backend, and what all backends share
 * In:  a path, line settings and options from the configuration.
 * Out: a port opened for this process alone, its name resolved anew at every open, because an
 *      adapter that is plugged in again may come back under another one.
 */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

EbPortStatus
eb_port_fault(EbPort *port, EbPortStatus status, const char *what, const char *why)
{
	snprintf(port->fault, sizeof(port->fault), "%.90s: %.90s", what, why);
	return status;
}

/* libserialport 0.1.1 opens no pseudo-terminal: they go to termios. */
static bool
is_pty(const char *path)
{
	return strncmp(path, "/dev/pts/", 9) == 0;
}

/*
 * One owner: flock keeps out a second collector, TIOCEXCL everybody who is not root. The lock is
 * taken before a backend touches the settings, which may be another program's, and it is bound to
 * the open file: it ends with close(), also after kill -9.
 */
static EbPortStatus
claim(EbPort *port, const char *path)
{
	port->guard_fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (port->guard_fd < 0)
		return eb_port_fault(port, errno == EBUSY ? EB_PORT_LOCKED : EB_PORT_FAILED, path,
							 strerror(errno));
	if (flock(port->guard_fd, LOCK_EX | LOCK_NB) != 0)
		return eb_port_fault(port, errno == EWOULDBLOCK ? EB_PORT_LOCKED : EB_PORT_FAILED, path,
							 errno == EWOULDBLOCK ? "held by another process" : strerror(errno));
	if (tcgetattr(port->guard_fd, &port->saved) != 0)
		return eb_port_fault(port, EB_PORT_FAILED, path, strerror(errno));
	return EB_PORT_OK;
}

/* Takes and opens a device. */
static EbPortStatus
open_device(EbPort *port, const EbPortHow *how)
{
	char resolved[PATH_MAX];
	EbPortStatus status;

	if (strncmp(how->path, "usb:", 4) == 0)
	{
		if (!eb_port_by_usb(how->path + 4, resolved))
			return eb_port_fault(port, EB_PORT_FAILED, how->path, "no such adapter is plugged in");
	}
	else if (realpath(how->path, resolved) == NULL)
		return eb_port_fault(port, EB_PORT_FAILED, how->path, strerror(errno));
	port->ops =
		how->backend == EB_BACKEND_TTY || (how->backend == EB_BACKEND_AUTO && is_pty(resolved))
			? &eb_port_tty
			: &eb_port_lsp;
	status = claim(port, resolved);
	if (status == EB_PORT_OK)
		status = port->ops->open(port, resolved);
	if (status == EB_PORT_OK && ioctl(port->fd, TIOCEXCL) != 0)
		status = eb_port_fault(port, EB_PORT_FAILED, "TIOCEXCL", strerror(errno));
	return status == EB_PORT_OK ? eb_port_options(port, how) : status;
}

EbPortStatus
eb_port_open(EbPort *port, const EbPortHow *how)
{
	EbPortStatus status;

	memset(port, 0, sizeof(*port));
	port->fd = port->guard_fd = -1;
	port->line = how->line;
	if (strncmp(how->path, "tcp:", 4) == 0)
	{
		port->ops = &eb_port_tcp;
		status = port->ops->open(port, how->path + 4);
	}
	else
		status = open_device(port, how);
	if (status != EB_PORT_OK && status != EB_PORT_CONNECTING)
		eb_port_close(port);
	return status;
}

void
eb_port_adopt(EbPort *port, int fd, const char *id, const char *heartbeat, EbLine line)
{
	memset(port, 0, sizeof(*port));
	port->ops = &eb_port_unit;
	port->fd = fd;
	port->guard_fd = -1;
	port->line = line;
	snprintf(port->saying[0], sizeof(port->saying[0]), "%s", id);
	snprintf(port->saying[1], sizeof(port->saying[1]), "%s", heartbeat);
}

EbPortStatus
eb_port_set_line(EbPort *port, EbLine line)
{
	if (port->ops->set_line == NULL || memcmp(&port->line, &line, sizeof(line)) == 0)
		return EB_PORT_OK;
	port->line = line;
	return port->ops->set_line(port);
}

/* Both descriptors go at once: an open one keeps the name of an unplugged adapter busy. */
void
eb_port_close(EbPort *port)
{
	if (port->ops == NULL)
		return;
	if (port->fd >= 0 && port->guard_fd >= 0)
	{
		/* a pseudo-terminal would stay exclusive while its other side is open */
		ioctl(port->fd, TIOCNXCL);
		tcsetattr(port->guard_fd, TCSANOW, &port->saved);
	}
	port->ops->close(port);
	if (port->guard_fd >= 0)
		close(port->guard_fd);
	port->ops = NULL;
	port->fd = port->guard_fd = -1;
}

/* A start bit, the data bits, a parity bit when there is one, the stop bits. */
int64_t
eb_line_ms(EbLine line, size_t nbytes)
{
	int64_t bits = 1 + line.data_bits + (line.parity != 'N') + line.stop_bits;

	return ((int64_t) nbytes * bits * 1000 + line.speed - 1) / line.speed;
}

bool
eb_line_parse(const char *format, EbLine *line)
{
	if (strlen(format) != 3 || strchr("78", format[0]) == NULL ||
		strchr("NEO", format[1]) == NULL || strchr("12", format[2]) == NULL)
		return false;
	line->data_bits = format[0] - '0';
	line->parity = format[1];
	line->stop_bits = format[2] - '0';
	return true;
}
