/*
 * rate.h -- the lines of one rating, for all SQL functions that rate
 */
#ifndef ELECBILL_PG_RATE_H
#define ELECBILL_PG_RATE_H

#include "postgres.h"

#include "fmgr.h"

#include "pg/rate_ctx.h"

#define EB_FEW_LINES 64

/* Few lines fit in it, more get memory of their own. */
typedef struct EbPgLines
{
	EbLine few[EB_FEW_LINES];
	EbLine *line;
	int n;
} EbPgLines;

/* Rates into lines->line[0 .. n). */
extern void eb_pg_rate_lines(const EbTariff *tariff, const EbZone *zone, const EbUsage *usage,
							 const EbRateContext *ctx, EbPgLines *lines);

/* Lines as rows of elecbill.rate_line, the result of the set-returning function that runs. */
extern void eb_pg_return_lines(FunctionCallInfo fcinfo, const EbTariff *tariff,
							   const EbPgRateContext *ctx, const EbLine *line, int n);

#endif /* ELECBILL_PG_RATE_H */
