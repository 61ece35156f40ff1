-- core: version, clock, settings, and the guards of the schema procedures
SELECT elecbill.version() = extversion AS same_version FROM pg_extension WHERE extname = 'elecbill';

-- the clock stands still inside a transaction
BEGIN;
SELECT elecbill.now() = now() AS start_of_transaction, pg_sleep(0.01) IS NOT NULL AS waited;
SELECT elecbill.now() = now() AND elecbill.now() < clock_timestamp() AS still;
COMMIT;

-- the clock cannot be moved by the owner of the database
SET elecbill.clock_override = '2026-02-01 00:00:00+08';
SHOW elecbill.clock_override;

-- the other settings have ranges, and no setting can be invented
SHOW elecbill.batch_size;
SET elecbill.batch_size = 0;
SET elecbill.batch_size = 100001;
SET elecbill.batch_size = 100000;
SHOW elecbill.lang;
SET elecbill.lang = 'de';
SET elecbill.lang = 'en';
SET elecbill.prices = 'low';

-- no schema layer yet
\set SHOW_CONTEXT never
CALL elecbill.upgrade_schema();
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;

-- a superuser moves it, in tests
\set owner :USER
\getenv superuser PGSUPERUSER
\c - :superuser
SET timezone = 'UTC';
SET elecbill.clock_override = '2026-02-01 00:00:00+08';
SELECT elecbill.now();
SET timezone = 'Asia/Shanghai';
SELECT elecbill.now();
SET elecbill.clock_override = '2026-02-01T00:00:00.25Z';
SELECT elecbill.now();
-- so it is in a worker of a parallel query, which is given it before the words for zones
SET force_parallel_mode = on;
SELECT elecbill.now();
RESET force_parallel_mode;
SET elecbill.clock_override = '';
SELECT elecbill.now() = now() AS start_of_transaction;
-- an instant without an offset would depend on the session, a moving one on the hour
SET elecbill.clock_override = '2026-02-01 00:00:00';
SET elecbill.clock_override = '2026-02-01 00:00:00 Asia/Shanghai';
SET elecbill.clock_override = 'now';
SET elecbill.clock_override = 'infinity';
SET elecbill.clock_override = '2026-02-30 00:00:00+00';
SET elecbill.clock_override = '294277-01-01 00:00:00+00';
SET elecbill.clock_override = 'x';

-- the schema layer is made once, and is as old as it says
\c - :owner
CALL elecbill.create_schema();
CALL elecbill.create_schema();
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
CALL elecbill.upgrade_schema();
SELECT step FROM elecbill.schema_version;
INSERT INTO elecbill.schema_version (step) VALUES ('99.0.0');
CALL elecbill.upgrade_schema();
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
DELETE FROM elecbill.schema_version WHERE step = '99.0.0';
-- a library that is ahead of the SQL objects, or behind them
\c - :superuser
UPDATE pg_extension SET extversion = '0.0.9' WHERE extname = 'elecbill';
\c - :owner
CALL elecbill.upgrade_schema();
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
