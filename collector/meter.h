/*
 * meter.h -- a meter while the collector runs: what was counted, what was learned, how it fares
 */
#ifndef EB_METER_H
#define EB_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "report.h"

/*
 * A meter that failed in three slots is asked again by single requests, after 5 s, then after
 * twice as long each time, at last every 15 min; its slots are given up without asking, so that
 * the others of its bus keep theirs. One answer closes the breaker.
 */
typedef struct EbBreaker
{
	int failures;	  /* slots in a row without any answer */
	bool open;		  /* not asked in its slots */
	int64_t delay_ms; /* before the next probe */
	int64_t probe_ms; /* monotonic: when it is */
} EbBreaker;

/* Whether the device is the one that is configured; asked once a day, and after a gap of a day. */
typedef struct EbIdentity
{
	int64_t known_ms; /* UTC of the last answer to it, EB_NO_INSTANT: never */
	bool foreign;	  /* another device: nothing of it is stored */
	char seen[40];	  /* what it called itself */
} EbIdentity;

/* The last value of a register, where its next one is compared with max_kw. */
typedef struct EbLast
{
	char code[EB_CODE_SIZE];
	int64_t register_wh;
	int64_t read_at_ms;
} EbLast;

typedef struct EbMeter
{
	const EbMeterConf *conf;
	EbCounts counts;
	char address[13];	  /* DL/T 645: where it is asked; learned when configured as AAAAAAAAAAAA */
	int tariffs;		  /* DL/T 645 without blocks: tariffs it has; -1: blocks work */
	int64_t last_read_ms; /* read_at of its last row, EB_NO_INSTANT at the start */
	int64_t last_came_ms; /* when that one came: rows of one millisecond are booked apart */
	int64_t last_ok_ms;	  /* UTC of its last answer that was no refusal */
	EbBreaker breaker;
	EbIdentity identity;
	EbLast *last; /* with max_kw only; as many as were seen */
	int nlast;
} EbMeter;

extern void eb_meter_init(EbMeter *meter, const EbMeterConf *conf);
extern void eb_meter_free(EbMeter *meter);

/* Takes over what is known of the same meter under a former configuration. */
extern void eb_meter_inherit(EbMeter *meter, EbMeter *old);

/* A slot without any answer, at now_ms (monotonic); true when the breaker opens by it. */
extern bool eb_breaker_failed(EbBreaker *breaker, int64_t now_ms);

/* An answer; true when the breaker was open. */
extern bool eb_breaker_answered(EbBreaker *breaker);

/* Whether the device has to be asked who it is, at now_ms (UTC). */
extern bool eb_identity_due(const EbMeter *meter, int64_t now_ms);

/*
 * The device says that it is name, at now_ms (UTC); empty: it does not tell. True when it may be
 * booked. changed: it was another one before this answer.
 */
extern bool eb_identity_take(EbMeter *meter, const char *name, int64_t now_ms, bool *changed);

/* What a frame says of the device that sent it: an item that is its number, else its address. */
extern const char *eb_identity_of(const EbFrame *frame);

#endif
