/*
 * rate_ctx.h -- the ctx argument of rate(): what rating needs besides tariff and usage
 */
#ifndef ELECBILL_PG_RATE_CTX_H
#define ELECBILL_PG_RATE_CTX_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "rating/rate.h"

typedef struct EbPgRateContext
{
	EbRateContext rating;
	const char *lang; /* language of labels; "zh" unless named */
	bool has_version;
	int32 version;
} EbPgRateContext;

/* Reads ctx; its texts may point into the value. Unknown keys and wrong values are UB400. */
extern void eb_pg_rate_context(Jsonb *json, const EbZone *zone, EbPgRateContext *ctx);

/* {name: text, number, true or false}; *n attributes in the current memory context. */
extern const EbAttr *eb_pg_attrs(Jsonb *json, int *n);

/* The same of a node that is an object; where names it in messages. */
extern const EbAttr *eb_pg_attr_nodes(const EbNode *object, const char *where, int *n);

#endif /* ELECBILL_PG_RATE_CTX_H */
