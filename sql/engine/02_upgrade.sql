-- 02_upgrade.sql: the schema layer follows the engine (sql/schema; table elecbill.schema_version)

CREATE PROCEDURE elecbill.upgrade_schema() LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $upgrade$
DECLARE
	engine text := (SELECT extversion FROM pg_extension WHERE extname = 'elecbill');
	layer text;
BEGIN
	IF to_regclass('elecbill.schema_version') IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = 'there is no schema layer to upgrade',
			HINT = 'CALL elecbill.create_schema() makes it.';
	END IF;
	IF elecbill.version() <> engine THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = 'engine and library are of different versions',
			DETAIL = format('The SQL objects are %s, the loaded library is %s.',
				engine, elecbill.version()),
			HINT = 'ALTER EXTENSION elecbill UPDATE, then connect anew.';
	END IF;
	EXECUTE 'SELECT step FROM elecbill.schema_version
		ORDER BY string_to_array(step, ''.'')::integer[] DESC LIMIT 1' INTO layer;
	IF string_to_array(layer, '.')::integer[] > string_to_array(engine, '.')::integer[] THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = 'the schema layer is newer than the engine',
			DETAIL = format('The schema layer is %s, the engine %s.', layer, engine),
			HINT = 'Install the newer elecbill, then ALTER EXTENSION elecbill UPDATE.';
	END IF;
	IF layer = engine THEN
		RAISE NOTICE 'schema layer is %, nothing to upgrade', layer;
		RETURN;
	END IF;
	CALL elecbill._schema_steps(layer);
	RAISE NOTICE 'schema layer is now %', engine;
END $upgrade$;
COMMENT ON PROCEDURE elecbill.upgrade_schema() IS
'brings the schema layer to the version of the engine; UB412 without a layer, or when it is newer';
