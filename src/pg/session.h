/*
 * session.h -- the session argument of rate_session(), session_total(), session_increment()
 */
#ifndef ELECBILL_PG_SESSION_H
#define ELECBILL_PG_SESSION_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "rating/session.h"

#define EB_MAX_SEGMENTS 100000

typedef struct EbPgSession
{
	EbSession session;
	const char *lang; /* of labels */
} EbPgSession;

/*
 * Reads {start, segments [{from, to, kwh, kw, amp, state}], expired, attrs, lang}; its texts may
 * point into the value. Instants without offset are wall clock of the zone. UB400 for unknown keys
 * and wrong values, UB422 for numbers out of range; what does not fit together is left to
 * eb_session_check().
 */
extern void eb_pg_session(Jsonb *json, const EbZone *zone, EbPgSession *result);

#endif /* ELECBILL_PG_SESSION_H */
