/*
 * usage_wire.h -- sums of usage on their way from a worker to the leader
 * Both are the same program on the same machine: arrays travel as they lie in memory.
 */
#ifndef ELECBILL_PG_USAGE_WIRE_H
#define ELECBILL_PG_USAGE_WIRE_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "pg/usage_class.h"

/* n elements as they lie in memory; raises when they are more than a message holds. */
extern void eb_pg_send_array(StringInfo buf, const void *array, Size n, Size element);

/* What the leader needs to merge and to end sums of the class */
extern void eb_pg_usage_send_class(StringInfo buf, const EbUsageClass *class);

/* One per fingerprint, kept by flinfo of the running function */
extern EbUsageClass *eb_pg_usage_receive_class(FunctionCallInfo fcinfo, StringInfo buf);

extern void eb_pg_usage_send_sum(StringInfo buf, const EbUsageSum *sum);

/* Into an empty sum of the same class */
extern void eb_pg_usage_receive_sum(StringInfo buf, EbUsageSum *sum);

/* A table of windows, and into an empty one of the same slide */
extern void eb_pg_usage_send_table(StringInfo buf, const EbWindowTable *table);
extern void eb_pg_usage_receive_table(StringInfo buf, const EbMemory *memory, EbWindowTable *table);

#endif /* ELECBILL_PG_USAGE_WIRE_H */
