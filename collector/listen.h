/*
 * listen.h -- what the drivers of lines that are listened to share
 */
#ifndef EB_LISTEN_H
#define EB_LISTEN_H

#include "bus.h"

/* Whose the frame is: the meter of its address, else the one without an address; NULL: nobody's. */
extern EbMeter *eb_listen_meter(EbBus *bus, const EbFrame *frame);

/* A frame that a meter pushed: booked once per interval when it is the configured device. */
extern void eb_listen_frame(EbBus *bus, const EbFrame *frame, EbBytes bytes, int64_t at_ms);

/* The first reason for which the reader refused something since this was asked last. */
extern EbFrameError eb_listen_error(EbFrameReader *reader);

#endif
