/*
 * batch.h -- rows of the queue as the parameters of one call of elecbill.ingest()
 */
#ifndef EB_BATCH_H
#define EB_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "queue.h"

#define EB_BATCH_PARAMS 9

extern const char *const eb_batch_sql;

/* All texts; released by eb_batch_free. */
typedef struct EbBatch
{
	char *param[EB_BATCH_PARAMS];
} EbBatch;

/* The n oldest rows, the first with number first_seq; false when there is no memory. */
extern bool eb_batch_make(EbBatch *batch, const char *collector, const EbQueue *queue, size_t n,
						  int64_t first_seq);
extern void eb_batch_free(EbBatch *batch);

#endif
