/*
 * address.h -- "HOST:PORT" of TCP
 */
#ifndef EB_ADDRESS_H
#define EB_ADDRESS_H

#include <stdbool.h>

#define EB_ADDRESS_HOST 256
#define EB_ADDRESS_PORT 6

typedef struct EbAddress
{
	char host[EB_ADDRESS_HOST]; /* "10.0.0.5", "meters.example", "::1" */
	char port[EB_ADDRESS_PORT]; /* "1" .. "65535" */
} EbAddress;

/* "10.0.0.5:4001", "meters.example:4001", "[::1]:4001"; false when it is none. */
extern bool eb_address_parse(const char *text, EbAddress *address);

#endif
