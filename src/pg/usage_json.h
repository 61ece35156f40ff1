/*
 * usage_json.h -- what the files that read the text form of usage_summary share
 */
#ifndef ELECBILL_PG_USAGE_JSON_H
#define ELECBILL_PG_USAGE_JSON_H

#include "pg/usage.h"
#include "rating/node.h"

/* Raises UB400: this is no usage_summary. */
extern void eb_pg_usage_refuse(const char *detail) pg_attribute_noreturn();

/* A number of that scale within [least, most], or refused with the detail. */
extern int64
eb_pg_usage_number(const EbNode *node, int scale, int64 least, int64 most, const char *detail);

/* The names; nothing else is read before they fit together. */
extern EbUsageShape *eb_pg_usage_read_shape(const EbNode *root);

#endif /* ELECBILL_PG_USAGE_JSON_H */
