/*
 * guc.h -- the settings of elecbill
 * No setting changes an amount: what changes money is in versioned rows.
 */
#ifndef ELECBILL_PG_GUC_H
#define ELECBILL_PG_GUC_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* Defines the settings and reserves the prefix "elecbill". Called once, by _PG_init(). */
extern void eb_guc_define(void);

/*
 * The instant that stands for now: elecbill.clock_override when it is set, else the start of the
 * transaction.
 */
extern TimestampTz eb_guc_now(void);

#endif /* ELECBILL_PG_GUC_H */
