/*
 * list.c -- the serial ports of this computer: --list
 * In:  what libserialport knows. Out: lines on stdout, made to be copied into a configuration.
 */
#include "list.h"

#include <libserialport.h>
#include <stdbool.h>
#include <stdio.h>

#include "json.h"
#include "run.h"

/* Text of a device: whoever made it may have put anything there. */
static void
print_text(const char *label, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	printf("  %s ", label);
	eb_json_put_text(stdout, text);
}

static void
print_port(const struct sp_port *port)
{
	int vendor;
	int product;

	fputs(sp_get_port_name(port), stdout);
	switch (sp_get_port_transport(port))
	{
		case SP_TRANSPORT_USB:
			if (sp_get_port_usb_vid_pid(port, &vendor, &product) == SP_OK)
				printf("  usb %04x:%04x", (unsigned) vendor, (unsigned) product);
			print_text("vendor", sp_get_port_usb_manufacturer(port));
			print_text("product", sp_get_port_usb_product(port));
			print_text("serial", sp_get_port_usb_serial(port));
			break;
		case SP_TRANSPORT_BLUETOOTH:
			print_text("bluetooth", sp_get_port_bluetooth_address(port));
			break;
		default:
			print_text("native", sp_get_port_description(port));
			break;
	}
	fputc('\n', stdout);
}

int
eb_list(void)
{
	struct sp_port **ports;

	if (sp_list_ports(&ports) != SP_OK)
	{
		fputs("elecbill-collector: the ports cannot be listed\n", stderr);
		return EB_EXIT_INTERNAL;
	}
	for (int i = 0; ports[i] != NULL; i++)
		print_port(ports[i]);
	if (ports[0] == NULL)
		puts("no serial port");
	else
		puts("A port is named in the configuration by its path, or, on USB, as \"usb:SERIAL\".");
	sp_free_port_list(ports);
	return EB_EXIT_DONE;
}
