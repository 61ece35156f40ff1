/*
 * port_name.c -- the device of an adapter by its USB serial number
 * In:  the number, as --list prints it. Out: the device it has at the moment.
 * An adapter keeps its number when it is plugged in elsewhere and comes back under another name.
 */
#include "port.h"

#include <libserialport.h>
#include <stdio.h>
#include <string.h>

bool
eb_port_by_usb(const char *serial, char *path)
{
	struct sp_port **list;
	bool found = false;

	if (sp_list_ports(&list) != SP_OK)
		return false;
	for (struct sp_port **port = list; *port != NULL && !found; port++)
	{
		const char *name = sp_get_port_name(*port);
		const char *number =
			sp_get_port_transport(*port) == SP_TRANSPORT_USB ? sp_get_port_usb_serial(*port) : NULL;

		found = name != NULL && number != NULL && strcmp(number, serial) == 0;
		if (found)
			snprintf(path, PATH_MAX, "%s", name);
	}
	sp_free_port_list(list);
	return found;
}
