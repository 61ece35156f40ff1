/*
 * session.h -- a charging session under a tariff gives lines
 * In:  a compiled tariff, what meter and connector said from plugging in to unplugging.
 * Out: EbLine, as rate.h gives them for bills; amounts without and with tax.
 * Floor: rating. Pure C11: no PostgreSQL header, no I/O, no clock, no global state.
 * Source: doc/session.md; the meaning of OCPI 2.2.1 tariffs.
 */
#ifndef EB_SESSION_H
#define EB_SESSION_H

#include "rating/rate.h"

typedef enum EbSessionState
{
	EB_SESSION_CHARGE,	/* plugged in, the car takes energy or may do so */
	EB_SESSION_IDLE,	/* plugged in, charging is over or waits */
	EB_SESSION_RESERVE, /* the connector is held for somebody who has not come yet */
} EbSessionState;

#define EB_SESSION_UNKNOWN INT64_MIN

/* Time between two meter values */
typedef struct EbSessionSegment
{
	int64_t from_us; /* [from, to); no time at all: its energy lies at the instant */
	int64_t to_us;
	int64_t ukwh;	  /* 1e-6 kWh, spread evenly; 0 when it was not measured */
	int64_t ukw;	  /* 1e-6 kW; EB_SESSION_UNKNOWN: the mean of ukwh */
	int64_t uamp;	  /* 1e-6 A; EB_SESSION_UNKNOWN */
	int32_t state;	  /* EbSessionState */
	int32_t measured; /* ukwh was given */
} EbSessionSegment;

typedef struct EbSession
{
	int64_t start_us; /* running time counts from here; not after the first segment */
	const EbSessionSegment *segment;
	int nsegments;
	bool expired; /* nobody came before the reservation ended */
	const EbAttr *attr;
	int nattrs;
	EbStop stop; /* NULL: rate to the end */
} EbSession;

/* What pieces of one component, period and price sum to; memory of the caller */
typedef struct EbSessionGroup
{
	int32_t component;
	int32_t slot;	   /* EB_NONE: not split by period */
	int32_t tier;	   /* order time: step from 1; else 0 */
	int32_t factor_if; /* EB_NONE: none */
	int32_t season;
	int32_t day;	/* local day of the first piece */
	int32_t series; /* the price follows a series: it differs from piece to piece */
	int32_t unused;
	int64_t quantity; /* 1e-6 kWh or microseconds */
	int64_t rest;	  /* of quantity, while steps take from it */
	eb_int128 price;  /* 1e-18 currency per unit, of the last piece */
	eb_int128 cost;	  /* sum of quantity x price */
	int64_t from_us;
	int64_t to_us;
} EbSessionGroup;

typedef struct EbSessionSpace
{
	EbSessionGroup *group;
	int groups; /* elements of group */
	EbLine *line;
	int lines; /* elements of line */
} EbSessionSpace;

/* Amounts of a session, 1e-15 */
typedef struct EbSessionTotal
{
	eb_int128 excl; /* without tax, rounded as the tariff rounds totals */
	eb_int128 incl;
} EbSessionTotal;

/* Do the segments make sense by themselves? EB_BAD_ARGUMENT, EB_OUT_OF_RANGE: their energy. */
extern EbStatus eb_session_check(const EbSession *session, EbFault *fault);

/*
 * The version of a tariff that a session which starts then is rated under, and its number in
 * tariff->version: the whole session goes by the prices that were in force when it began. A tariff
 * without versions is its own, *index EB_NONE. EB_UNKNOWN: no version holds on that day.
 */
extern EbStatus eb_session_version(const EbTariff *tariff, const EbZone *zone, int64_t start_us,
								   const EbTariff **version, int32_t *index, EbFault *fault);

/*
 * Rates a session under a tariff without versions into space->line[0..*nlines), in the order of
 * the components; then tax and rounding of the total. EB_NO_SPACE: space is too small for groups
 * or lines. EB_BAD_ARGUMENT: segments that overlap, run backwards or make no sense, a tariff that
 * prices no sessions. EB_UNKNOWN: the tariff needs what the session lacks (named).
 * EB_NOT_SUPPORTED: a tier that counts beyond the session. EB_OUT_OF_RANGE: overflow.
 */
extern EbStatus
eb_session_rate(const EbTariff *tariff, const EbZone *zone, const EbSession *session,
				const EbSessionSpace *space, int *nlines, EbFault *fault);

/* Sums the lines; EB_OUT_OF_RANGE: overflow. */
extern EbStatus eb_session_total(const EbTariff *tariff, const EbLine *line, int nlines,
								 EbSessionTotal *total, EbFault *fault);

#endif /* EB_SESSION_H */
