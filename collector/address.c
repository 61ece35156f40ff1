/*
 * address.c -- "HOST:PORT" of TCP
 * In:  text of the configuration. Out: what getaddrinfo() wants.
 */
#include "address.h"

#include <stdlib.h>
#include <string.h>

bool
eb_address_parse(const char *text, EbAddress *address)
{
	bool bracket = text[0] == '[';
	const char *host = text + bracket;
	size_t len = strcspn(host, bracket ? "]" : ":");
	const char *port = host + len + bracket;

	if (len == 0 || len >= sizeof(address->host) || host[len] == '\0' || *port != ':')
		return false;
	port++;
	if (*port == '0' || strlen(port) >= sizeof(address->port) ||
		strspn(port, "0123456789") != strlen(port) || *port == '\0' ||
		strtol(port, NULL, 10) > 65535)
		return false;
	memcpy(address->host, host, len);
	address->host[len] = '\0';
	memcpy(address->port, port, strlen(port) + 1);
	return true;
}
