-- 01_core.sql: the version of the library, the clock and the settings (src/pg/elecbill.c, src/pg/guc.c)

CREATE FUNCTION elecbill.version() RETURNS text
AS 'MODULE_PATHNAME', 'elecbill_version'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.version() IS
'version of the loaded library; pg_extension.extversion has that of the SQL objects';

CREATE FUNCTION elecbill.now() RETURNS timestamptz
AS 'MODULE_PATHNAME', 'elecbill_now'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.now() IS
'the only clock the schema reads: start of the transaction, or the setting elecbill.clock_override';

CREATE FUNCTION elecbill._lang(lang text DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'elecbill_lang'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._lang(text) IS
'language of the words for people: zh or en as given, else the setting elecbill.lang; UB400 for any other';

CREATE FUNCTION elecbill._batch_size() RETURNS integer
AS 'MODULE_PATHNAME', 'elecbill_batch_size'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._batch_size() IS 'the setting elecbill.batch_size';
