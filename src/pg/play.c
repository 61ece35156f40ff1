/*
 * play.c -- a demonstration plays months that are past, and the work of several people
 * In:  the instant and the login that load_demo() sets, step by step.
 * Out: elecbill._play(); eb_play_now(), eb_play_login().
 * Floor: pg.
 *
 * elecbill.clock_override and elecbill.login belong to the superuser, for good reason: who can set
 * them can date back a payment and sign for somebody else. The owner of the tables may do the same
 * here, but only in a database without any org but a DEMO that is no live one, which is asked again
 * before what was played is committed, and only within the statement that plays it, until its
 * transaction fails or the demonstration is over: nothing of it is a setting that could stay behind.
 * Workers of a parallel query do not know of it, so load_demo() lets its session have none.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/errors.h"
#include "pg/login.h"
#include "pg/play.h"

static bool playing = false;
static bool used = false; /* somebody asked in this transaction, and was told */
static TimestampTz statement = 0;
static TimestampTz instant = 0;
static char login[EB_LOGIN_LENGTH + 1] = "";

static bool
is_playing(void)
{
	if (!playing || statement != GetCurrentStatementStartTimestamp())
		return false;
	used = true;
	return true;
}

bool
eb_play_now(TimestampTz *now)
{
	*now = instant;
	return is_playing();
}

char *
eb_play_login(void)
{
	return is_playing() ? login : NULL;
}

static bool
is_foreign_org(void)
{
	bool found;

	SPI_connect();
	SPI_execute("SELECT FROM elecbill.org AS o WHERE o.code OPERATOR(pg_catalog.<>) 'DEMO' "
				"OR o.state OPERATOR(pg_catalog.=) 'live'",
				true, 1);
	found = SPI_processed > 0;
	SPI_finish();
	return found;
}

static void
refuse_foreign_org(void)
{
	if (is_foreign_org())
		ereport(ERROR,
				(errcode(EB_ERRCODE_WRONG_STATE),
				 errmsg("this database has an org beside the demonstration"),
				 errdetail("Its bills and payments have the dates and the signatures they have."),
				 errhint("Play the demonstration in a database of its own.")));
}

/* Commits are steps of the play; a failure ends it. */
static void
play_end(XactEvent event, void *arg)
{
	if (used && (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE))
	{
		/* an org may have come since: what was seen of it is seen here, too */
		PushActiveSnapshot(GetTransactionSnapshot());
		refuse_foreign_org();
		PopActiveSnapshot();
	}
	if (event == XACT_EVENT_ABORT)
		playing = false;
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
		used = false;
}

static void
play_allow(void)
{
	Oid owner = eb_layer_owner();

	if (eb_works_for_somebody() || !OidIsValid(owner) || !has_privs_of_role(GetUserId(), owner) ||
		!has_privs_of_role(GetSessionUserId(), owner))
		ereport(ERROR, (errcode(EB_ERRCODE_NOT_ALLOWED),
						errmsg("only the owner of the schema layer plays a demonstration")));
	refuse_foreign_org();
}

PG_FUNCTION_INFO_V1(elecbill_play);
Datum
elecbill_play(PG_FUNCTION_ARGS)
{
	static bool registered = false;

	if (PG_ARGISNULL(0))
	{
		playing = false;
		PG_RETURN_VOID();
	}
	if (PG_ARGISNULL(1) || strlen(text_to_cstring(PG_GETARG_TEXT_PP(1))) > EB_LOGIN_LENGTH)
		ereport(ERROR,
				(errcode(EB_ERRCODE_BAD_ARGUMENT), errmsg("a login must not be NULL or long")));
	play_allow();
	if (!registered)
	{
		RegisterXactCallback(play_end, NULL);
		registered = true;
	}
	strlcpy(login, text_to_cstring(PG_GETARG_TEXT_PP(1)), sizeof(login));
	instant = PG_GETARG_TIMESTAMPTZ(0);
	statement = GetCurrentStatementStartTimestamp();
	playing = true;
	PG_RETURN_VOID();
}
