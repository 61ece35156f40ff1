/*
 * guc.c -- the settings of elecbill: elecbill.clock_override, elecbill.batch_size, elecbill.lang
 * In:  values as text, from postgresql.conf, SET, ALTER ROLE/DATABASE ... SET.
 * Out: eb_guc_now(); _lang() and _batch_size(), because current_setting() knows the settings only
 *      after something else has loaded the library.
 * Floor: pg.
 */
#include "pg/guc.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "pg/errors.h"
#include "pg/login.h"
#include "pg/play.h"

static char *clock_override = NULL;
static int batch_size = 1000;
static int lang = 0;

static const struct config_enum_entry lang_options[] = {
	{"zh", 0, false}, {"en", 1, false}, {NULL, 0, false}};

/* The override as an instant, or the marker "none"; set by the assign hook. */
static TimestampTz clock_instant = DT_NOBEGIN;

/*
 * Text to instant, without raising: a check hook says what is wrong by returning false. A date and
 * an offset must be written out: with a zone taken from the session, the same setting would mean
 * another instant in another session.
 */
static bool
parse_instant(const char *text, TimestampTz *instant)
{
	char *field[MAXDATEFIELDS];
	int ftype[MAXDATEFIELDS];
	char work[MAXDATELEN + MAXDATEFIELDS];
	int nfields;
	int dtype;
	int kept = 1;
	int offset_s = 0;
	bool has_offset = false;
	struct pg_tm tm;
	fsec_t fsec;

	if (ParseDateTime(text, work, sizeof(work), field, ftype, MAXDATEFIELDS, &nfields) != 0)
		return false;
	if (nfields == 0 || ftype[0] != DTK_DATE)
		return false;
	/*
	 * No word is left to DecodeDateTime(): it would look it up among the abbreviations of zones, which
	 * a worker of a parallel query does not have yet when it is given its settings.
	 */
	for (int i = 1; i < nfields; i++)
	{
		if (ftype[i] == DTK_STRING && strcmp(field[i], "t") == 0)
			continue;
		if (ftype[i] == DTK_STRING && (strcmp(field[i], "z") == 0 || strcmp(field[i], "utc") == 0))
		{
			field[i] = "+00";
			ftype[i] = DTK_TZ;
		}
		if (ftype[i] != DTK_TIME && ftype[i] != DTK_TZ)
			return false;
		has_offset = has_offset || ftype[i] == DTK_TZ;
		field[kept] = field[i];
		ftype[kept++] = ftype[i];
	}
	if (!has_offset)
		return false;
	if (DecodeDateTime(field, ftype, kept, &dtype, &tm, &fsec, &offset_s) != 0)
		return false;
	return dtype == DTK_DATE && tm2timestamp(&tm, fsec, &offset_s, instant) == 0 &&
		   IS_VALID_TIMESTAMP(*instant);
}

static bool
clock_override_check(char **newval, void **extra, GucSource source)
{
	TimestampTz *instant = malloc(sizeof(TimestampTz));

	if (instant == NULL)
		return false;
	*instant = DT_NOBEGIN;
	if (*newval != NULL && (*newval)[0] != '\0' && !parse_instant(*newval, instant))
	{
		GUC_check_errdetail("It must be a date, a time and an offset from UTC, as in "
							"\"2026-02-01 00:00:00+08\", or empty.");
		free(instant);
		return false;
	}
	*extra = instant; /* guc.c frees it */
	return true;
}

static void
clock_override_assign(const char *newval, void *extra)
{
	clock_instant = *(TimestampTz *) extra;
}

void
eb_guc_define(void)
{
	DefineCustomStringVariable("elecbill.clock_override",
							   "Instant that elecbill.now() answers, for tests.",
							   "Empty: the start of the transaction.", &clock_override, "",
							   PGC_SUSET, 0, clock_override_check, clock_override_assign, NULL);
	DefineCustomIntVariable("elecbill.batch_size", "Accounts that a bill run commits together.",
							NULL, &batch_size, 1000, 1, 100000, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("elecbill.lang",
							 "Language of the labels on bills when the caller names none.", NULL,
							 &lang, 0, lang_options, PGC_USERSET, 0, NULL, NULL, NULL);
	eb_login_define();
	MarkGUCPrefixReserved("elecbill");
}

TimestampTz
eb_guc_now(void)
{
	TimestampTz played;

	if (clock_instant == DT_NOBEGIN && eb_play_now(&played))
		return played;
	return clock_instant == DT_NOBEGIN ? GetCurrentTransactionStartTimestamp() : clock_instant;
}

/* Language of labels: the argument where it is not NULL, else the setting. */
PG_FUNCTION_INFO_V1(elecbill_lang);

Datum
elecbill_lang(PG_FUNCTION_ARGS)
{
	char *given;

	if (PG_ARGISNULL(0))
		PG_RETURN_TEXT_P(cstring_to_text(lang_options[lang].name));
	given = text_to_cstring(PG_GETARG_TEXT_PP(0));
	for (const struct config_enum_entry *option = lang_options; option->name != NULL; option++)
		if (strcmp(given, option->name) == 0)
			PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	ereport(ERROR,
			(errcode(EB_ERRCODE_BAD_ARGUMENT),
			 errmsg("there are no words in language \"%s\"", given), errhint("Use zh or en.")));
}

PG_FUNCTION_INFO_V1(elecbill_batch_size);

Datum
elecbill_batch_size(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(batch_size);
}
