/*
 * sd.h -- what the collector tells the service manager
 * The protocol of sd_notify(3): one datagram per message to the socket that NOTIFY_SOCKET names.
 * Without that variable nothing is sent.
 */
#ifndef EB_SD_H
#define EB_SD_H

#include <stdbool.h>
#include <stdint.h>

typedef struct EbSd
{
	int fd;				 /* -1: nobody wants to know */
	int64_t watchdog_ms; /* how long the manager waits for a sign of life; 0: it does not */
	int64_t fed_ms;		 /* monotonic: the last one */
	char status[200];	 /* last STATUS */
} EbSd;

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. */
extern void eb_sd_open(EbSd *sd);
extern void eb_sd_close(EbSd *sd);

/* Configuration and spool are open; the database need not be there. Also the end of a reload. */
extern void eb_sd_ready(EbSd *sd);
extern void eb_sd_reloading(EbSd *sd);
extern void eb_sd_stopping(EbSd *sd);

/* A line for people; sent when it differs from the last. */
extern void eb_sd_status(EbSd *sd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A sign of life is due: half of the manager's time has passed since the last. */
extern bool eb_sd_hungry(const EbSd *sd);
extern void eb_sd_feed(EbSd *sd);

#endif
