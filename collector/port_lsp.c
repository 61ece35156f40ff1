/*
 * port_lsp.c -- serial ports by libserialport
 * In:  the resolved name of a real port (the library takes neither symlinks nor pseudo-terminals).
 * Out: bytes. Waiting and hang-ups are the loop's: after an unplug the library's own calls
 *      report "nothing there" for ever, so only its non-blocking calls are used, with its
 *      descriptor in epoll.
 * Source: doc/collector.md.
 */
#include "port.h"

#include <errno.h>
#include <libserialport.h>
#include <string.h>

/* The library tells errors through errno; SP_ERR_ARG means that it knows no such port. */
static EbPortStatus
lsp_fault(EbPort *port, const char *what, enum sp_return result)
{
	return eb_port_fault(port, EB_PORT_FAILED, what,
						 result == SP_ERR_FAIL	 ? strerror(errno)
						 : result == SP_ERR_ARG	 ? "libserialport knows no such port"
						 : result == SP_ERR_MEM	 ? "out of memory"
						 : result == SP_ERR_SUPP ? "not supported by the port"
												 : "libserialport failed");
}

static enum sp_return
set_line(struct sp_port *sp, EbLine line)
{
	enum sp_parity parity = line.parity == 'N'	 ? SP_PARITY_NONE
							: line.parity == 'E' ? SP_PARITY_EVEN
												 : SP_PARITY_ODD;
	enum sp_return result;

	if ((result = sp_set_baudrate(sp, line.speed)) != SP_OK ||
		(result = sp_set_bits(sp, line.data_bits)) != SP_OK ||
		(result = sp_set_parity(sp, parity)) != SP_OK ||
		(result = sp_set_stopbits(sp, line.stop_bits)) != SP_OK)
		return result;
	return sp_set_flowcontrol(sp, SP_FLOWCONTROL_NONE);
}

static EbPortStatus
lsp_open(EbPort *port, const char *path)
{
	enum sp_return result;

	if ((result = sp_get_port_by_name(path, &port->sp)) != SP_OK)
		return lsp_fault(port, path, result);
	if ((result = sp_open(port->sp, SP_MODE_READ_WRITE)) != SP_OK)
		return lsp_fault(port, path, result);
	if ((result = sp_get_port_handle(port->sp, &port->fd)) != SP_OK)
		return lsp_fault(port, path, result);
	if ((result = set_line(port->sp, port->line)) != SP_OK)
		return lsp_fault(port, "line settings", result);
	sp_flush(port->sp, SP_BUF_BOTH);
	return EB_PORT_OK;
}

static EbPortStatus
lsp_read(EbPort *port, uint8_t *buf, size_t size, size_t *got)
{
	enum sp_return result = sp_nonblocking_read(port->sp, buf, size);

	if (result < 0)
		return eb_port_fault(port, EB_PORT_GONE, "read", strerror(errno));
	*got = (size_t) result;
	return EB_PORT_OK;
}

static EbPortStatus
lsp_write(EbPort *port, const uint8_t *buf, size_t size, size_t *put)
{
	enum sp_return result = sp_nonblocking_write(port->sp, buf, size);

	if (result < 0)
		return eb_port_fault(port, EB_PORT_GONE, "write", strerror(errno));
	*put = (size_t) result;
	return EB_PORT_OK;
}

static void
lsp_close(EbPort *port)
{
	if (port->sp == NULL)
		return;
	if (port->fd >= 0)
		sp_close(port->sp);
	sp_free_port(port->sp);
	port->sp = NULL;
}

static EbPortStatus
lsp_set_line(EbPort *port)
{
	enum sp_return result = set_line(port->sp, port->line);

	return result == SP_OK ? EB_PORT_OK : lsp_fault(port, "line settings", result);
}

const EbPortOps eb_port_lsp = {"lsp", lsp_open, lsp_read, lsp_write, lsp_set_line, lsp_close};
