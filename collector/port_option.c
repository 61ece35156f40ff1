/*
 * port_option.c -- what only some adapters can do: low latency, RS-485 direction in the kernel
 * In:  an open serial port. Out: its options set. Low latency that an adapter does not have costs
 *      time only and is told; a direction that cannot be switched would jam the bus.
 */
#include "port.h"

#include <errno.h>
#include <linux/serial.h>
#include <string.h>
#include <sys/ioctl.h>

#include "log.h"

static void
set_low_latency(EbPort *port, const char *path)
{
	struct serial_struct serial;

	memset(&serial, 0, sizeof(serial));
	if (ioctl(port->fd, TIOCGSERIAL, &serial) == 0)
	{
		serial.flags |= ASYNC_LOW_LATENCY;
		if (ioctl(port->fd, TIOCSSERIAL, &serial) == 0)
			return;
	}
	eb_log(EB_LOG_WARNING, "%s: low_latency: %s", path, strerror(errno));
}

EbPortStatus
eb_port_options(EbPort *port, const EbPortHow *how)
{
	struct serial_rs485 rs485;

	if (how->low_latency)
		set_low_latency(port, how->path);
	if (!how->rs485)
		return EB_PORT_OK;
	memset(&rs485, 0, sizeof(rs485));
	rs485.flags = SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND;
	if (ioctl(port->fd, TIOCSRS485, &rs485) == 0)
		return EB_PORT_OK;
	return eb_port_fault(port, EB_PORT_FAILED, "rs485", strerror(errno));
}
