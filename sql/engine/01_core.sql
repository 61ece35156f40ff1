-- 01_core.sql: the version of the library, the clock and the settings (src/pg/elecbill.c, src/pg/guc.c, src/pg/login.c, src/pg/refusal.c)

CREATE FUNCTION elecbill.version() RETURNS text
AS 'MODULE_PATHNAME', 'elecbill_version'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.version() IS
'version of the loaded library; pg_extension.extversion has that of the SQL objects';

CREATE FUNCTION elecbill.now() RETURNS timestamptz
AS 'MODULE_PATHNAME', 'elecbill_now'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.now() IS
'the only clock the schema reads: start of the transaction, or the setting elecbill.clock_override; while load_demo() plays, the instant it plays';

CREATE FUNCTION elecbill._play(at timestamptz, login text) RETURNS void
AS 'MODULE_PATHNAME', 'elecbill_play'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION elecbill._play(timestamptz, text) IS
'lets elecbill.now() and elecbill.current_login() answer this instant and this login (empty: the DBA) until the statement of the client ends, a transaction fails or at is NULL. For load_demo(): UB403 to anybody but the owner of the schema layer, working for nobody, UB412 where there is an org but a DEMO that is not live, here and when what was played is committed, UB400';

CREATE FUNCTION elecbill._lang(lang text DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'elecbill_lang'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._lang(text) IS
'language of the words for people: zh or en as given, else the setting elecbill.lang; UB400 for any other';

CREATE FUNCTION elecbill._batch_size() RETURNS integer
AS 'MODULE_PATHNAME', 'elecbill_batch_size'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._batch_size() IS 'the setting elecbill.batch_size';

CREATE FUNCTION elecbill.current_login() RETURNS text
AS 'MODULE_PATHNAME', 'elecbill_current_login'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.current_login() IS
'who is at work: the setting elecbill.login; else, where the setting elecbill.trust_jwt_claims is on, key sub of request.jwt.claims; else the role that logged in (session_user). Written into every row that says who did it; no call takes it as an argument. A transaction works for one login: setting another one in it is refused (42501), but to a superuser. UB403 the claims name nobody';

CREATE FUNCTION elecbill._sees_all() RETURNS boolean
AS 'MODULE_PATHNAME', 'elecbill_sees_all'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._sees_all() IS
'whether the session belongs to the owner of the schema layer, or to a superuser, and works for nobody (elecbill.login is empty): the DBA, whom no gate stops';

CREATE FUNCTION elecbill._duty() RETURNS text
AS 'MODULE_PATHNAME', 'elecbill_duty'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._duty() IS
'the setting elecbill.duty: the duties, with commas, one of which the call at work asks for; each public function sets its own, empty = any';

CREATE FUNCTION elecbill._refused(org text, call text, object text, state text, message text) RETURNS void
AS 'MODULE_PATHNAME', 'elecbill_refused'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION elecbill._refused(text, text, text, text, text) IS
'writes into audit_log that a call was refused, in a transaction of a background worker, so that it stays when the call is rolled back; in the server''s log when no worker is free. 42501 when the current role cannot write audit_log';
