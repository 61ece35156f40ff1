/*
 * refusal.c -- what was refused is written down though its transaction is rolled back
 * In:  elecbill._refused(), called where an error is caught and raised again.
 * Out: a row of elecbill.audit_log, written by elecbill._audit_refusal() in a background worker, whose
 *      transaction is its own. Without a free worker (max_worker_processes), on a standby, and where
 *      the worker fails, the server's log has it.
 * Floor: pg.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/guc.h"
#include "pg/login.h"

#define NFIELDS 7 /* org, call, object, SQLSTATE, message, login, role */

/* What the worker is told: the fields follow as C strings, absent ones as nothing */
typedef struct Refusal
{
	Oid database;
	Oid session_user; /* may log in */
	Oid owner;		  /* whose rights the row is written by */
	TimestampTz at;
	bool written; /* by the worker, when its transaction is committed */
	bool null[NFIELDS];
	Size at_field[NFIELDS];
	char data[FLEXIBLE_ARRAY_MEMBER];
} Refusal;

PGDLLEXPORT void elecbill_refusal_main(Datum main_arg);

static void
write_row(const Refusal *refusal)
{
	Oid type[NFIELDS + 1];
	Datum value[NFIELDS + 1];
	char null[NFIELDS + 1];

	for (int i = 0; i < NFIELDS; i++)
	{
		type[i] = TEXTOID;
		null[i] = refusal->null[i] ? 'n' : ' ';
		value[i] = CStringGetTextDatum(refusal->data + refusal->at_field[i]);
	}
	type[NFIELDS] = TIMESTAMPTZOID;
	null[NFIELDS] = ' ';
	value[NFIELDS] = TimestampTzGetDatum(refusal->at);
	SPI_execute_with_args("SELECT elecbill._audit_refusal($1, $2, $3, $4, $5, $6, $7, $8)",
						  NFIELDS + 1, type, value, null, false, 0);
}

void
elecbill_refusal_main(Datum main_arg)
{
	dsm_segment *segment;
	Refusal *refusal;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	segment = dsm_attach(DatumGetUInt32(main_arg));
	if (segment == NULL)
		elog(ERROR, "could not attach to what was refused");
	refusal = dsm_segment_address(segment);
	BackgroundWorkerInitializeConnectionByOid(refusal->database, refusal->session_user, 0);
	StartTransactionCommand();
	/* whoever waits for this worker may hold what it needs, and no deadlock detector sees that */
	SetConfigOption("lock_timeout", "1s", PGC_SUSET, PGC_S_OVERRIDE);
	PushActiveSnapshot(GetTransactionSnapshot());
	/* the owner of the tables need not be able to log in */
	SetUserIdAndSecContext(refusal->owner, SECURITY_LOCAL_USERID_CHANGE);
	SPI_connect();
	write_row(refusal);
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	refusal->written = true;
	dsm_detach(segment);
}

/* In a segment of shared memory; NULL: there is none to be had. */
static dsm_segment *
tell_worker(char *const *field)
{
	Size size = offsetof(Refusal, data);
	dsm_segment *segment;
	Refusal *refusal;

	for (int i = 0; i < NFIELDS; i++)
		size += (field[i] == NULL ? 0 : strlen(field[i])) + 1;
	segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
	if (segment == NULL)
		return NULL;
	refusal = dsm_segment_address(segment);
	refusal->database = MyDatabaseId;
	refusal->session_user = GetAuthenticatedUserId();
	refusal->owner = GetUserId();
	refusal->at = eb_guc_now();
	refusal->written = false;
	size = 0;
	for (int i = 0; i < NFIELDS; i++)
	{
		const char *text = field[i] == NULL ? "" : field[i];

		refusal->null[i] = field[i] == NULL;
		refusal->at_field[i] = size;
		memcpy(refusal->data + size, text, strlen(text) + 1);
		size += strlen(text) + 1;
	}
	return segment;
}

static bool
run_worker(const dsm_segment *segment)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(unconstify(dsm_segment *, segment))),
		.bgw_notify_pid = MyProcPid,
	};
	BackgroundWorkerHandle *handle;

	strlcpy(worker.bgw_name, "elecbill refusal", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "elecbill refusal", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "elecbill", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "elecbill_refusal_main", BGW_MAXLEN);
	/* on a standby it would not start before the promotion */
	return !RecoveryInProgress() && RegisterDynamicBackgroundWorker(&worker, &handle) &&
		   WaitForBackgroundWorkerShutdown(handle) == BGWH_STOPPED &&
		   ((const Refusal *) dsm_segment_address(unconstify(dsm_segment *, segment)))->written;
}

/* Members of an extension are open to everyone: whoever cannot write the log has nothing to say here. */
static void
check_right(void)
{
	Oid schema = get_namespace_oid("elecbill", false);
	Oid log = get_relname_relid("audit_log", schema);

	if (!OidIsValid(log) || pg_class_aclcheck(log, GetUserId(), ACL_INSERT) != ACLCHECK_OK)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("permission denied for function %s", "_refused")));
}

PG_FUNCTION_INFO_V1(elecbill_refused);
Datum
elecbill_refused(PG_FUNCTION_ARGS)
{
	char *field[NFIELDS];
	dsm_segment *segment;
	bool told;

	check_right();
	for (int i = 0; i < PG_NARGS(); i++)
		field[i] = PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
	field[5] = eb_login();
	field[6] = GetUserNameFromId(GetSessionUserId(), false);
	segment = tell_worker(field);
	told = segment != NULL && run_worker(segment);
	if (segment != NULL)
		dsm_detach(segment);
	if (!told)
		ereport(
			LOG,
			(errmsg("elecbill refused %s: %s", field[1] ? field[1] : "a call",
					field[4] ? field[4] : ""),
			 errdetail("Login %s, SQLSTATE %s, object %s. No background worker could write it into "
					   "elecbill.audit_log.",
					   field[5], field[3] ? field[3] : "?", field[2] ? field[2] : "?"),
			 errhint(
				 "Where no worker was free, raise max_worker_processes; else the log has its error.")));
	PG_RETURN_VOID();
}
