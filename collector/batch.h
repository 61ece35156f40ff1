/*
 * batch.h -- rows of the spool as the parameters of one call of elecbill.ingest()
 */
#ifndef EB_BATCH_H
#define EB_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "spool_record.h"

#define EB_BATCH_PARAMS 9

extern const char *const eb_batch_sql;

/* For PQsendQueryParams: all in binary form; a value that is NULL is SQL's NULL. */
typedef struct EbBatch
{
	char *value[EB_BATCH_PARAMS];
	int length[EB_BATCH_PARAMS];
} EbBatch;

/* The formats of the parameters. */
extern const int eb_batch_format[EB_BATCH_PARAMS];

/*
 * n rows, the first with number first_seq, the others counting up. No rows: the call tells that all
 * below first_seq needs no delivery. False when there is no memory; else eb_batch_free.
 */
extern bool eb_batch_make(EbBatch *batch, const uint8_t collector[EB_SPOOL_UUID],
						  const EbSpoolRow *row, int n, int64_t first_seq);
extern void eb_batch_free(EbBatch *batch);

/* n texts as a text[] in binary form, to be freed; NULL when there is no memory. */
extern char *eb_batch_texts(const char *const *text, int n, int *length);

#endif
