-- play.sql: only a demonstration plays another time and other people, only while its statement runs, and next to no real estate
\getenv owner PGUSER
\getenv super PGSUPERUSER
\set ON_ERROR_STOP 0
SELECT lower(regexp_replace(current_database(), '\W', '_', 'g')) || '_play' AS stranger \gset
\c - :super
SET client_min_messages = error;
SET SESSION AUTHORIZATION :owner;
SELECT plan(17);
SELECT throws_ok('CALL elecbill.load_demo(-1)', NULL, 'the seed is a number, 0 or more', 'a demonstration has a seed');
SELECT lives_ok($$DO $d$ BEGIN
	PERFORM elecbill._play('2025-01-01 04:00+00', 'ann');
	PERFORM elecbill.org_create('DEMO', 'Demo');
	IF (elecbill.current_login(), elecbill.now(), elecbill._sees_all()) <> ('ann', timestamptz '2025-01-01 04:00+00', false) THEN
		RAISE EXCEPTION 'not Ann in January';
	END IF;
	BEGIN
		PERFORM 1 / 0;
	EXCEPTION WHEN division_by_zero THEN NULL;
	END;
	IF elecbill.current_login() <> 'ann' THEN
		RAISE EXCEPTION 'what is caught does not end the play';
	END IF;
END $d$ $$, 'the owner plays somebody and some time');
SELECT is((SELECT count(*) FROM elecbill.org), 1::bigint, 'what was played is there');
SELECT is(elecbill.current_login(), :'owner', 'the next statement is that of the owner');
SELECT is(elecbill.now(), transaction_timestamp(), 'and of today');
SELECT throws_ok($$SELECT elecbill._play('2025-01-01', repeat('x', 129))$$, 'UB400', 'a login must not be NULL or long', 'a login has 128 bytes at most');
SELECT throws_ok($$SELECT elecbill._play('2025-01-01', NULL)$$, 'UB400', NULL, 'and is not NULL');

-- an org that comes while something is played: nothing of it is committed
DO $$ BEGIN
	PERFORM elecbill._play('2025-01-01 04:00+00', 'ann');
	PERFORM elecbill.org_create('REAL', 'Real');
	INSERT INTO elecbill.app_user (login) VALUES ('mate');
	PERFORM elecbill._play(NULL, NULL);
END $$;
SELECT is((SELECT string_agg(o.code, ',') FROM elecbill.org o), 'DEMO', 'no real org is made by somebody who is played');
SELECT is((SELECT count(*) FROM elecbill.app_user u WHERE u.created_by = 'ann'), 0::bigint, 'nor is anything signed by him');
SELECT lives_ok($$SELECT elecbill.org_create('REAL', 'Real')$$, 'the owner makes one');
SELECT throws_ok($$SELECT elecbill._play('2025-01-01', 'ann')$$, 'UB412', 'this database has an org beside the demonstration', 'then nothing is played any more');
SELECT is(elecbill.current_login(), :'owner', 'nobody is played');

SELECT throws_ok('CALL elecbill.load_demo()', 'UB412', 'the demo estate needs a database without any org', 'nor is a demonstration loaded');

-- a DEMO that is live is an estate like another
RESET SESSION AUTHORIZATION;
CREATE ROLE :"stranger";
GRANT USAGE ON SCHEMA elecbill TO :"stranger";
SET session_replication_role = replica;
DELETE FROM elecbill.org WHERE code = 'REAL';
UPDATE elecbill.org SET state = 'live', live_at = now();
SELECT throws_ok($$SELECT elecbill._play('2025-01-01', 'ann')$$, 'UB412', NULL, 'a live org is not played with, whatever its code');
UPDATE elecbill.org SET state = 'sandbox', live_at = NULL;
SET elecbill.login = 'ann';
SELECT throws_ok($$SELECT elecbill._play('2025-01-01', 'bob')$$, 'UB403', NULL, 'who works for somebody plays nobody');
RESET elecbill.login;
SET ROLE :"stranger";
SELECT throws_ok($$SELECT elecbill._play('2025-01-01', 'ann')$$, 'UB403', 'only the owner of the schema layer plays a demonstration', 'nor does a role that is not the owner');
RESET ROLE;
REVOKE ALL ON SCHEMA elecbill FROM :"stranger";
DROP ROLE :"stranger";
SELECT lives_ok($$SELECT elecbill._play('2025-01-01', '')$$, 'a superuser does');
SELECT * FROM finish();
