-- audit.sql: what was done and what was refused is written down, stays, and cannot be changed unseen
\getenv super PGSUPERUSER
\getenv owner PGUSER
\set ON_ERROR_STOP 1
SELECT current_database() AS db \gset
SET elecbill.clock_override = '2026-03-10 04:00+00';
SELECT elecbill.org_create('garden', 'Garden');
-- transactions of other databases of the cluster count, too: until they are over a row may be left for later
CREATE PROCEDURE pg_temp.wait() LANGUAGE plpgsql AS $$
BEGIN
	WHILE EXISTS (SELECT FROM elecbill.audit_log a WHERE a.xid >= pg_snapshot_xmin(pg_current_snapshot())) LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
SELECT plan(26);
SELECT lives_ok($$SELECT elecbill.duty_grant('garden', 'b1', 'billing')$$, 'a duty is given');
SELECT is((SELECT format('%s %s %s %s %s %s', a.login, a.action, a.object, a.outcome, a.after, a.at = elecbill.now()) FROM elecbill.audit_log a ORDER BY id DESC LIMIT 1),
	:'owner' || ' duty_grant b1 done "billing" t', 'the log says who gave it, to whom, when');
SELECT lives_ok($$SELECT elecbill.duty_grant('garden', 'b1', 'billing')$$, 'given again');
SELECT is((SELECT count(*) FROM elecbill.audit_log), 1::bigint, 'nothing was done, nothing is said');

-- a refusal is written though its transaction is gone
SELECT throws_ok($$SELECT elecbill.payment_order_create('10001', NULL, 1, 'alipay', 'k')$$, 'UB404', NULL, 'an order for an account that does not exist is refused');
SELECT is((SELECT format('%s %s %s %s %s', a.outcome, a.action, a.object, a.state, a.message) FROM elecbill.audit_log a ORDER BY id DESC LIMIT 1),
	'refused payment_order_create 10001 UB404 there is no account ''10001''', 'and that is written');
BEGIN;
SELECT throws_ok($$SELECT elecbill.payment_order_create('10002', NULL, 1, 'alipay', 'k')$$, 'UB404', NULL, 'refused inside a transaction');
SELECT elecbill._refused('garden', 'by_hand', 'a "quoted"; DROP TABLE x; 缴费', 'UB403', repeat('x', 5000));
ROLLBACK;
SELECT is((SELECT count(*) FROM elecbill.audit_log a WHERE a.object = '10002'), 1::bigint, 'that is rolled back: it stays');
SELECT is((SELECT format('%s %s %s', o.code, a.object, length(a.message)) FROM elecbill.audit_log a JOIN elecbill.org o ON o.id = a.org_id WHERE a.action = 'by_hand'),
	'garden a "quoted"; DROP TABLE x; 缴费 5000', 'whatever it says');
SELECT lives_ok($$SELECT elecbill._refused(NULL, 'x', NULL, 'UB400', NULL)$$, 'even next to nothing');
-- who holds what the worker needs is answered all the same: then the server's log has it
BEGIN;
SET LOCAL statement_timeout = '60s';
LOCK TABLE elecbill.audit_log IN SHARE MODE;
SELECT throws_ok($$SELECT elecbill.payment_order_create('10003', NULL, 1, 'alipay', 'k')$$, 'UB404', NULL, 'a refusal never waits for itself');
ROLLBACK;

-- append-only
SELECT throws_ok('UPDATE elecbill.audit_log SET login = ''x''', 'UB403', 'audit_log is append-only', 'no row is changed');
SELECT throws_ok('DELETE FROM elecbill.audit_log', 'UB403', 'audit_log is append-only', 'or removed');
SELECT throws_ok('TRUNCATE elecbill.audit_log', 'UB403', 'audit_log is append-only', 'nor are all');

-- the seal
CALL pg_temp.wait();
SELECT is(elecbill.audit_seal(), 5, 'all five are sealed');
SELECT is(elecbill.audit_seal(), 0, 'once');
SELECT is_empty('SELECT * FROM elecbill._fsck_audit()', 'and are found in order');
BEGIN;
SELECT elecbill.duty_grant('garden', 'b2', 'billing');
SELECT is(elecbill.audit_seal(), 0, 'a row of a transaction that runs is not complete');
COMMIT;
CALL pg_temp.wait();
SELECT is(elecbill.audit_seal(), 1, 'it is when that is over');
SELECT set_eq($$SELECT s.n, s.rows FROM elecbill.audit_seal s$$, $$VALUES (1, 5), (2, 1)$$, 'two seals');
SELECT is((SELECT s.sha256 FROM elecbill.audit_seal s WHERE n = 2),
	(SELECT sha256(s.sha256 || convert_to(elecbill._audit_text(a), 'UTF8')) FROM elecbill.audit_seal s, elecbill.audit_log a WHERE s.n = 1 AND a.object = 'b2'),
	'a chain anybody can work out');
SELECT throws_ok('DELETE FROM elecbill.audit_seal', 'UB403', 'audit_seal is append-only', 'that is append-only, too');

-- whoever can switch the triggers off is found out
BEGIN;
ALTER TABLE elecbill.audit_log DISABLE TRIGGER USER;
UPDATE elecbill.audit_log SET login = 'somebody' WHERE object = 'b1';
SELECT results_eq('SELECT * FROM elecbill._fsck_audit()', $$VALUES ('audit', 'seal 1', 'its rows are not those that were sealed')$$, 'a row that was changed');
ROLLBACK;
BEGIN;
ALTER TABLE elecbill.audit_log DISABLE TRIGGER USER;
DELETE FROM elecbill.audit_log WHERE object = '10001';
SELECT results_eq('SELECT * FROM elecbill._fsck_audit()', $$VALUES ('audit', 'seal 1', '5 rows were sealed, 4 are there')$$, 'a row that is gone');
ROLLBACK;
BEGIN;
ALTER TABLE elecbill.audit_seal DISABLE TRIGGER USER;
DELETE FROM elecbill.audit_seal WHERE n = 1;
SELECT results_eq('SELECT * FROM elecbill._fsck_audit() WHERE object ~ ''seal''', $$VALUES ('audit', 'seal 2', 'it does not follow the seal before')$$, 'a seal that is gone');
ROLLBACK;
BEGIN;
ALTER TABLE elecbill.audit_log DISABLE TRIGGER USER;
INSERT INTO elecbill.audit_log (id, at, action, object, xid) OVERRIDING SYSTEM VALUE VALUES (-5, '2026-03-08 00:00+00', 'x', 'slipped in', '3');
SELECT results_eq('SELECT * FROM elecbill._fsck_audit()', $$VALUES ('audit', 'row -5', 'it was not sealed')$$, 'a row that slipped in');
ROLLBACK;
SELECT * FROM finish();
