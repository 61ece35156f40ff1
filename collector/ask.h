/*
 * ask.h -- what a protocol has to know so that a bus can ask its meters
 * A turn is what is asked of one meter, one question after the other: the plan. A protocol makes
 * the plan, builds each question, and says what an answer means (EbAsk, ask_*.c); everything else
 * is the same for all: bus_master.c has the turns, exchange.c sends, waits and tries again.
 */
#ifndef EB_ASK_H
#define EB_ASK_H

#include "codec/dlt645.h"
#include "codec/dlt698.h"
#include "codec/iec62056.h"
#include "codec/mbus.h"
#include "codec/modbus.h"
#include "intake.h"
#include "meter.h"
#include "plan.h"
#include "sched.h"

struct EbBus;
struct EbDemand;

/* A request as it goes out, and how its answer is waited for. */
typedef struct EbQuestion
{
	union
	{
		EbDlt645Request dlt645;
		EbModbusRequest modbus;
		EbMbusRequest mbus;
		EbIec62056Request iec62056;
		EbDlt698Request dlt698;
	};
	EbModbusMap map;	   /* Modbus: the registers of the reply */
	const uint8_t *bytes;  /* inside the union */
	size_t length;		   /* 0: nothing is sent, the meter goes on by itself */
	size_t most;		   /* bytes of the longest answer there can be */
	bool once;			   /* it must not be repeated: the answer to a repetition is another one */
	EbLine line;		   /* to send with */
	EbLine then;		   /* to hear the answer with */
	int switch_ms;		   /* from the last bit sent to that line */
	const uint8_t *before; /* what the meter said a moment ago, without which the answer is none */
	size_t nbefore;
	bool (*whole)(const EbFrameReader *reader); /* ends the waiting early; NULL: nothing does */
} EbQuestion;

/* An accepted answer or exception. The frame is the exchange's, until the next request. */
typedef struct EbReply
{
	const EbQuestion *question;
	const EbFrame *frame;
	EbBytes bytes;
	int64_t at_ms; /* UTC of its first byte */
	bool repeated; /* it was asked for before: the answer may be to an earlier request */
} EbReply;

/* What is asked of one meter now. */
typedef struct EbTurn
{
	struct EbBus *bus;
	EbMeter *meter;
	EbTask *task;			 /* NULL: for a demand alone */
	struct EbDemand *demand; /* NULL: for the schedule */
	EbPlan plan;
	int rows;	   /* booked */
	bool answered; /* at least one answer or exception came */
	bool failed;   /* some step gave nothing */
	bool busy;	   /* the meter had no time for the step in hand: it is asked a second time */
	int again;	   /* how often it was begun anew, see EbAsk.again */
	void *own;	   /* of the protocol, own_size bytes */
} EbTurn;

typedef enum EbNext
{
	EB_NEXT_STEP, /* the next question of the plan */
	EB_NEXT_SAME, /* this step again: it has a further question */
	EB_NEXT_HEAR, /* the next step without a pause: the meter goes on speaking */
	EB_NEXT_BUSY, /* this step again once, in a second */
	EB_NEXT_END,  /* no further question */
} EbNext;

typedef struct EbAsk
{
	size_t own_size;

	/* Adds the questions of a plan. meter is NULL for a budget: nothing is known of it then. */
	void (*plan)(EbPlan *plan, const EbMeterConf *conf, const EbMeter *meter);

	/* A new turn begins, its plan made: forget the one before. NULL: nothing to forget. */
	void (*begin)(EbTurn *turn);

	/* The request of the step in hand; false: it cannot be built. */
	bool (*build)(EbTurn *turn, EbQuestion *question);

	EbMatch (*match)(const EbQuestion *question, const EbFrame *frame);

	/* An answer: books it. */
	EbNext (*take)(EbTurn *turn, const EbReply *reply);

	/* An exception. */
	EbNext (*refused)(EbTurn *turn, const EbReply *reply);

	/* Whether an exception comes from a gateway that does not reach the meter. NULL: never. */
	bool (*unreached)(const EbFrame *frame);

	/*
	 * A question was not answered that makes no sense alone: goes back to where the whole begins,
	 * true. False: it is worth nothing more, the turn ends. NULL: always false.
	 */
	bool (*again)(EbTurn *turn);
} EbAsk;

extern const EbAsk eb_ask_dlt645; /* both years */
extern const EbAsk eb_ask_modbus;
extern const EbAsk eb_ask_mbus;
extern const EbAsk eb_ask_iec62056;
extern const EbAsk eb_ask_dlt698;

/* For ask_*.c, in bus_master.c. The step in hand. */
extern const EbStep *eb_turn_step(const EbTurn *turn);

/* Books the energies of an answer. */
extern void eb_turn_book(EbTurn *turn, const EbReply *reply);

/* Flags of a reading of this turn that arrived at at_ms. */
extern int eb_turn_quality(const EbTurn *turn, const char *address, int64_t at_ms);

/* A sound frame that is of no use: told and counted, the turn has failed. */
extern void eb_turn_bad(EbTurn *turn, const EbReply *reply, EbFrameError error);

/* The meter refuses: told and counted, the turn has failed. what and why as printf would have it. */
extern void
eb_turn_refused(EbTurn *turn, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The device says who it is; empty: it does not tell. False when it is another one than configured:
 * nothing of it is booked, and the turn has failed.
 */
extern bool eb_turn_identity(EbTurn *turn, const char *name);

/* The status word of the relay, as a demand wants it: open or closed, and its bits in hex. */
extern void eb_turn_relay(EbTurn *turn, bool open, const char *word);

#endif
