/*
 * elecbill.c -- the module: what the server calls when it loads the library, version and clock
 * In:  nothing.
 * Out: settings (guc.c); elecbill.version(), elecbill.now().
 * Floor: pg.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/guc.h"

PG_MODULE_MAGIC;

void _PG_init(void);

void
_PG_init(void)
{
	eb_guc_define();
}

PG_FUNCTION_INFO_V1(elecbill_version);
Datum
elecbill_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(ELECBILL_VERSION));
}

PG_FUNCTION_INFO_V1(elecbill_now);
Datum
elecbill_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(eb_guc_now());
}
