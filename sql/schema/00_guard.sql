-- 00_guard.sql: the schema layer is made once; schema_version is the mark that it is there
IF pg_catalog.to_regclass('elecbill.schema_version') IS NOT NULL THEN
	RAISE EXCEPTION USING
		ERRCODE = 'UB412',
		MESSAGE = 'schema layer already exists',
		DETAIL = 'Table elecbill.schema_version is there.',
		HINT = 'CALL elecbill.upgrade_schema() brings an older schema layer up to date.';
END IF;
