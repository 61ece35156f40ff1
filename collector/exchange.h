/*
 * exchange.h -- one DL/T 645 request and its answer on a half-duplex line
 * Sends, waits, tries again; tells the owner once how it ended. One exchange at a time.
 */
#ifndef EB_EXCHANGE_H
#define EB_EXCHANGE_H

#include "bus.h"
#include "codec/dlt645.h"

/* Bytes taken per attempt: twice the longest reply and some noise. */
#define EB_EXCHANGE_BYTES (2 * EB_DLT645_MAX_FRAME + 64)

typedef enum EbOutcome
{
	EB_ANSWERED,   /* exchange->frame, its bytes and instant */
	EB_EXCEPTION,  /* the meter refuses: exchange->frame.dlt645.error_word */
	EB_UNANSWERED, /* silence or damaged bytes, told and counted; all attempts used */
} EbOutcome;

typedef struct EbExchange
{
	EbBus *bus;
	void (*done)(EbBus *bus, EbOutcome outcome);
	EbTimer timer;
	bool waiting; /* a request is out */
	EbMeter *meter;
	EbDlt645Request request;
	int attempt;
	size_t limit;	  /* bytes this attempt may take */
	int64_t until_ms; /* monotonic: the attempt ends then, whatever still arrives */

	EbFrameReader reader;
	EbFrame frame;
	EbBytes answer;		/* bytes of the accepted frame, inside rx */
	int64_t read_at_ms; /* UTC of its first byte */
	bool foreign;		/* somebody else spoke during this attempt */
	size_t nrx;
	uint8_t rx[EB_EXCHANGE_BYTES];
	int64_t rx_at_ms[EB_EXCHANGE_BYTES]; /* UTC, of each byte */
} EbExchange;

extern void
eb_exchange_init(EbExchange *exchange, EbBus *bus, void (*done)(EbBus *bus, EbOutcome outcome));

/* Asks meter what exchange->request says. reply_data: bytes of data the reply has at most. */
extern void eb_exchange_start(EbExchange *exchange, EbMeter *meter, size_t reply_data);

/* Bytes that arrived; strays are counted when nothing was asked. */
extern void eb_exchange_bytes(EbExchange *exchange, const uint8_t *bytes, size_t n, int64_t at_ms);

/* The port is gone: forget the request, tell nobody. */
extern void eb_exchange_drop(EbExchange *exchange);

#endif
