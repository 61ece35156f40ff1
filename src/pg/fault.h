/*
 * fault.h -- what pure code returned, as an error of PostgreSQL
 */
#ifndef ELECBILL_PG_FAULT_H
#define ELECBILL_PG_FAULT_H

#include "postgres.h"

#include "base/status.h"

/* Raises the fault with the SQLSTATE of its status (any but EB_OK). */
extern void eb_pg_raise(EbStatus status, const EbFault *fault) pg_attribute_noreturn();

/* Is the query to be cancelled? For EbStop: eb_pg_raise() turns EB_STOPPED into that error. */
extern bool eb_pg_stop(void);

/* Raises unless the status is EB_OK. */
static inline void
eb_pg_check(EbStatus status, const EbFault *fault)
{
	if (unlikely(status != EB_OK))
		eb_pg_raise(status, fault);
}

#endif /* ELECBILL_PG_FAULT_H */
