/*
 * login.c -- who is at work, and who may see everything
 * In:  the settings elecbill.login, which an application sets for the person it serves,
 *      elecbill.trust_jwt_claims and elecbill.duty; the role that logged in.
 * Out: elecbill.current_login(), elecbill._sees_all(), elecbill._duty().
 * Floor: pg.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "pg/errors.h"
#include "pg/login.h"
#include "pg/play.h"

#define CLAIMS "request.jwt.claims"

static char *login = NULL;
static bool trust_jwt_claims = false;
static char *duty = NULL;

/* A login that was set before the library was there, and is none: nobody, not the role that logged in */
static bool is_garbled = false;

/* For whom this transaction works, once it was said. */
static bool defined = false;
static LocalTransactionId said_in = InvalidLocalTransactionId;
static char said[EB_LOGIN_LENGTH + 1] = "";

/* A blank or a sign without width beyond ASCII: U+0080 to 00A0, 00AD, 1680, 2000 to 200F, 2028 to 202F, ... */
static bool
is_unseen(const unsigned char *at)
{
	if (GetDatabaseEncoding() != PG_UTF8)
		return false;
	switch (at[0])
	{
		case 0xC2:
			return at[1] <= 0xA0 || at[1] == 0xAD;
		case 0xE1:
			return (at[1] == 0x9A && at[2] == 0x80) || (at[1] == 0xA0 && at[2] == 0x8E);
		case 0xE2:
			return (at[1] == 0x80 && (at[2] <= 0x8F || (at[2] >= 0xA8 && at[2] <= 0xAF))) ||
				   (at[1] == 0x81 && at[2] >= 0x9F && at[2] <= 0xAF);
		case 0xE3:
			return at[1] == 0x80 && at[2] == 0x80;
		case 0xEF:
			return at[1] == 0xBB && at[2] == 0xBF;
		default:
			return false;
	}
}

/* Blanks and control characters would make one login look like another in a list. */
static bool
is_login(const char *text)
{
	for (const unsigned char *at = (const unsigned char *) text; *at != '\0'; at++)
		if (*at <= ' ' || *at == 0x7f || is_unseen(at))
			return false;
	return strlen(text) <= EB_LOGIN_LENGTH;
}

/*
 * An application says for whom it works and becomes resident, but whoever can slip in an expression could
 * RESET ROLE and set another login. So a transaction works for one person, or for nobody.
 */
static bool
is_said(const char *text)
{
	if (said_in == MyProc->lxid)
		return text[0] == '\0' || strcmp(text, said) == 0;
	said_in = MyProc->lxid;
	strlcpy(said, text, sizeof(said));
	return true;
}

static bool
check_login(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL)
		return true;
	if (!is_login(*newval))
	{
		GUC_check_errdetail("A login has at most %d bytes, no blank and no control character.",
							EB_LOGIN_LENGTH);
		return false;
	}
	if (defined && source == PGC_S_SESSION && IsTransactionState() && !superuser() &&
		!is_said(*newval))
	{
		GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
		GUC_check_errmsg("this transaction works for another login");
		GUC_check_errhint("One transaction works for one person.");
		return false;
	}
	return true;
}

static void
assign_login(const char *newval, void *extra)
{
	if (defined)
		is_garbled = false;
}

void
eb_login_define(void)
{
	const char *planted = GetConfigOption("elecbill.login", true, false);

	is_garbled = planted != NULL && !is_login(planted);
	DefineCustomStringVariable("elecbill.login", "Whom the session works for.",
							   "Empty: the role that logged in. GRANT SET ON PARAMETER lets an "
							   "application set it.",
							   &login, "", PGC_SUSET, 0, check_login, assign_login, NULL);
	/* what was set before the library was there counts */
	defined = true;
	if (login[0] != '\0' && MyProc != NULL && IsTransactionState())
		(void) is_said(login);
	DefineCustomBoolVariable(
		"elecbill.trust_jwt_claims", "Whether request.jwt.claims says whom the session works for.",
		"Anybody can set the claims: only for a role by which nothing logs in but a "
		"gateway that checks them.",
		&trust_jwt_claims, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable(
		"elecbill.duty", "Duties that the call at work asks for.",
		"Set by the functions themselves; alone it gives no right.", &duty, "", PGC_USERSET,
		GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE, NULL, NULL, NULL);
}

/* The claims, where they are trusted and there are any; else NULL. */
static const char *
trusted_claims(void)
{
	const char *claims = trust_jwt_claims ? GetConfigOption(CLAIMS, true, false) : NULL;

	return claims == NULL || claims[0] == '\0' ? NULL : claims;
}

/* Claims that name nobody are no reason to take the gateway's own role for the person. */
static char *
claimed_login(const char *claims)
{
	Jsonb *parsed = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(claims)));
	JsonbValue *subject = JB_ROOT_IS_OBJECT(parsed)
							  ? getKeyJsonValueFromContainer(&parsed->root, "sub", 3, NULL)
							  : NULL;
	char *name = subject != NULL && subject->type == jbvString
					 ? pnstrdup(subject->val.string.val, subject->val.string.len)
					 : "";

	if (name[0] == '\0' || !is_login(name))
		ereport(ERROR,
				(errcode(EB_ERRCODE_NOT_ALLOWED), errmsg("%s names nobody", CLAIMS),
				 errdetail("Its key \"sub\" must be a login of 1 to %d bytes without blanks.",
						   EB_LOGIN_LENGTH)));
	return name;
}

bool
eb_works_for_somebody(void)
{
	return is_garbled || (login != NULL && login[0] != '\0') || trusted_claims() != NULL;
}

char *
eb_login(void)
{
	const char *claims;
	char *played = eb_play_login();

	if (played != NULL && played[0] != '\0')
		return played;
	if (login != NULL && login[0] != '\0')
		return login;
	if (is_garbled)
		ereport(ERROR, (errcode(EB_ERRCODE_NOT_ALLOWED), errmsg("elecbill.login names nobody"),
						errdetail("It has 1 to %d bytes, no blank and no control character.",
								  EB_LOGIN_LENGTH)));
	claims = trusted_claims();
	return claims != NULL ? claimed_login(claims) : GetUserNameFromId(GetSessionUserId(), false);
}

PG_FUNCTION_INFO_V1(elecbill_current_login);
Datum
elecbill_current_login(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(eb_login()));
}

Oid
eb_layer_owner(void)
{
	Oid schema = get_namespace_oid("elecbill", true);
	Oid table = OidIsValid(schema) ? get_relname_relid("schema_version", schema) : InvalidOid;
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Who owns the tables reads them anyway; a superuser, too. But a session that works for somebody has
 * that person's rights alone. Not the current role: inside a SECURITY DEFINER function it is the owner.
 */
PG_FUNCTION_INFO_V1(elecbill_sees_all);
Datum
elecbill_sees_all(PG_FUNCTION_ARGS)
{
	Oid owner;
	const char *played = eb_play_login();

	if (played != NULL && played[0] != '\0')
		PG_RETURN_BOOL(false);
	if (eb_works_for_somebody())
		PG_RETURN_BOOL(false);
	owner = eb_layer_owner();
	PG_RETURN_BOOL(superuser_arg(GetSessionUserId()) ||
				   (OidIsValid(owner) && is_member_of_role(GetSessionUserId(), owner)));
}

PG_FUNCTION_INFO_V1(elecbill_duty);
Datum
elecbill_duty(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(duty != NULL ? duty : ""));
}
