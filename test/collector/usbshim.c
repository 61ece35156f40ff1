/*
 * usbshim.c -- USB adapters that are not there, for tests: preloaded into the collector
 * libserialport's list of ports is made of the lines of the file $USBSHIM: SERIAL PATH.
 */
#include <libserialport.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_PORTS 8

struct sp_port
{
	char serial[64], path[256];
};

enum sp_return
sp_list_ports(struct sp_port ***list)
{
	const char *name = getenv("USBSHIM");
	FILE *file = name != NULL ? fopen(name, "r") : NULL;
	struct sp_port port;
	int n = 0;

	*list = calloc(MAX_PORTS + 1, sizeof(**list));
	while (file != NULL && n < MAX_PORTS && fscanf(file, "%63s %255s", port.serial, port.path) == 2)
	{
		(*list)[n] = malloc(sizeof(port));
		*(*list)[n++] = port;
	}
	if (file != NULL)
		fclose(file);
	return SP_OK;
}

void
sp_free_port_list(struct sp_port **list)
{
	for (int i = 0; list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

char *
sp_get_port_name(const struct sp_port *port)
{
	return (char *) port->path;
}

char *
sp_get_port_usb_serial(const struct sp_port *port)
{
	return (char *) port->serial;
}

enum sp_transport
sp_get_port_transport(const struct sp_port *port)
{
	(void) port;
	return SP_TRANSPORT_USB;
}
