/*
 * protocol.h -- what the collector knows of each protocol: its codec, its line, who begins to speak
 */
#ifndef EB_PROTOCOL_H
#define EB_PROTOCOL_H

#include "ask.h"
#include "config.h"

typedef struct EbProtocolInfo
{
	const EbCodec *codec;
	const EbAsk *ask; /* NULL: its meters speak by themselves */
	EbLine line;
	int pause_ms; /* silence between a reply and the next request */
	int reply_ms; /* longest delay of a reply */
	int gap_ms;	  /* silence that ends what is held of a frame */
	int interval_s;
	bool named;	  /* frames name their meter: its address is the serial by default */
	int preamble; /* byte that may stand in front of a frame any number of times; -1: none */
} EbProtocolInfo;

extern const EbProtocolInfo *eb_protocol(EbProtocol protocol);

/* The protocol of that name; false when there is none. */
extern bool eb_protocol_find(const char *name, EbProtocol *protocol);

#endif
