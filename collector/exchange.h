/*
 * exchange.h -- one request and its answer on a half-duplex line
 * Sends, waits, tries again; tells the owner once how it ended. One exchange at a time.
 */
#ifndef EB_EXCHANGE_H
#define EB_EXCHANGE_H

#include "ask.h"
#include "bus.h"

/* Bytes of a failed attempt that are kept to be told. */
#define EB_EXCHANGE_TOLD 1024

#define EB_EXCHANGE_MARKS 64

typedef enum EbOutcome
{
	EB_ANSWERED,   /* exchange->reply */
	EB_EXCEPTION,  /* the meter refuses: exchange->reply */
	EB_UNANSWERED, /* silence or damaged bytes, told and counted; all attempts used */
} EbOutcome;

typedef enum EbExchangeState
{
	EB_EXCHANGE_IDLE,
	EB_EXCHANGE_SENDING, /* until the line changes to another speed */
	EB_EXCHANGE_WAITING,
	EB_EXCHANGE_RESTING, /* before the next attempt */
} EbExchangeState;

/* From this byte on, what arrived came at this instant. */
typedef struct EbMark
{
	uint64_t offset;
	int64_t at_ms; /* UTC */
} EbMark;

typedef struct EbExchange
{
	EbBus *bus;
	const EbAsk *ask;
	void (*done)(EbBus *bus, EbOutcome outcome);
	EbTimer timer;
	EbExchangeState state;
	EbMeter *meter;
	EbQuestion question; /* filled by the owner before eb_exchange_start() */
	EbReply reply;
	int retries;
	int attempt;
	size_t limit;	  /* bytes this attempt may take */
	size_t taken;	  /* bytes that came, an echo not counted */
	int nframes;	  /* frames found in them */
	size_t echoed;	  /* bytes of the request that came back so far */
	bool echo_over;	  /* no further byte is compared with the request */
	int64_t echo_ms;  /* UTC of the first of them */
	int64_t sent_ms;  /* monotonic: when the request went out */
	int64_t until_ms; /* monotonic: the attempt ends then, whatever still arrives */
	bool foreign;	  /* somebody else spoke during this attempt */

	EbFrameReader reader;
	EbFrame frame;
	int nmarks;
	EbMark mark[EB_EXCHANGE_MARKS];
	size_t ntold;
	uint8_t told[EB_EXCHANGE_TOLD]; /* the first bytes of the attempt */
} EbExchange;

extern void
eb_exchange_init(EbExchange *exchange, EbBus *bus, void (*done)(EbBus *bus, EbOutcome outcome));

/* Asks meter what exchange->question says, and again so often. */
extern void eb_exchange_start(EbExchange *exchange, EbMeter *meter, int retries);

/* Bytes that arrived; strays are counted when nothing was asked. */
extern void eb_exchange_bytes(EbExchange *exchange, const uint8_t *bytes, size_t n, int64_t at_ms);

/* Whether a request is out: a stop waits for its end. */
extern bool eb_exchange_in_flight(const EbExchange *exchange);

/* When its timer is due, monotonic; INT64_MAX: no request is in hand; 0: nothing will end it. */
extern int64_t eb_exchange_deadline(const EbExchange *exchange);

/* The port is gone: forget the request, tell nobody. */
extern void eb_exchange_drop(EbExchange *exchange);

/* Before its memory goes. */
extern void eb_exchange_close(EbExchange *exchange);

#endif
