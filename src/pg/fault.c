/*
 * fault.c -- what pure code returned, as an error of PostgreSQL
 * In:  EbStatus and EbFault (base/status.h).
 * Out: ereport with a SQLSTATE of errors.h.
 * Floor: pg.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "pg/errors.h"
#include "pg/fault.h"

static int
status_errcode(EbStatus status)
{
	switch (status)
	{
		case EB_BAD_ARGUMENT:
		case EB_TOO_PRECISE:
			return EB_ERRCODE_BAD_ARGUMENT;
		case EB_UNKNOWN:
			return EB_ERRCODE_UNKNOWN;
		case EB_CONFLICT:
			return EB_ERRCODE_CONFLICT;
		case EB_OUT_OF_RANGE:
			return EB_ERRCODE_WRONG_AMOUNT;
		case EB_NOT_SUPPORTED:
			return ERRCODE_FEATURE_NOT_SUPPORTED;
		case EB_OK:
		case EB_NO_SPACE:
		case EB_STOPPED:
			break;
	}
	return ERRCODE_INTERNAL_ERROR; /* a caller of ours did not deal with the status */
}

bool
eb_pg_stop(void)
{
	return (QueryCancelPending || ProcDiePending) && INTERRUPTS_CAN_BE_PROCESSED();
}

void
eb_pg_raise(EbStatus status, const EbFault *fault)
{
	if (status == EB_STOPPED)
	{
		CHECK_FOR_INTERRUPTS();
		elog(ERROR, "work was stopped without a cause");
	}
	ereport(ERROR, (errcode(status_errcode(status)), errmsg_internal("%s", fault->message),
					fault->detail[0] ? errdetail_internal("%s", fault->detail) : 0,
					fault->hint[0] ? errhint("%s", fault->hint) : 0));
}
