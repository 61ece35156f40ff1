-- bill_run: runs, what parks an account, what is refused, and fsck() finding what is wrong
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
CALL elecbill.create_schema();
-- an estate of five homes; the serials are unique over all orgs. seed shuffles the order of the rows
CREATE FUNCTION pg_temp.estate(org text, seed numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(seed::double precision);
	PERFORM elecbill.org_create(org, org);
	PERFORM elecbill.tariff_approve(org || '/TOU', elecbill.tariff_draft(org || '/TOU', '[2025-01-01,)',
		'{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "schedules": {"tou": [{"period": "peak",
		"spans": [["08:00", "22:00"]]}, {"period": "valley"}]}, "components": [{"code": "energy",
		"kind": "energy", "price": {"period": {"peak": 0.568, "valley": 0.288}}, "tier": {"mode": "adder",
		"scope": "year", "steps": [{"up_to": 150, "price": 0}, {"price": 0.05}]}},
		{"code": "fee", "kind": "fixed", "price": 0.1, "per": "day"},
		{"code": "tax", "kind": "percent", "percent": 3}]}', 'ann'), 'bob');
	IF EXISTS (SELECT FROM elecbill.import_estate(org, convert_to(
		E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,interval_min,multiplier\n' || (
		SELECT string_agg(format('R%s,A%1$s,N%1$s,residential,%s-%1$s,DDS,7,2025-01-01,TOU,60,1.333', i, org), E'\n')
		FROM generate_series(1, 5) AS i), 'UTF8')))
	THEN
		RAISE EXCEPTION 'import failed';
	END IF;
	PERFORM elecbill.partition_maintain(1, '2025-01-01');
	INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
	SELECT g.id, t.at, t.at, 7000 + t.h * 100 + t.h * t.h % 97, g.org_id, 1
	FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id JOIN elecbill.org o ON o.id = m.org_id,
		LATERAL (SELECT h, timestamptz '2025-01-01 00:00+08' + h * interval '1 hour' AS at
			FROM generate_series(1, 59 * 24) AS h) AS t
	WHERE o.code = org AND g.code = '1.8.0' ORDER BY random();
END $$;
SELECT pg_temp.estate('PLAIN', 0.1), pg_temp.estate('WILD', 0.9);
CREATE VIEW lines AS SELECT o.code AS org, a.account_no, b.service, b.status, b.number, b.amount AS total,
	l.n, l.kind, l.component, l.grp, l.label, l.period, l.tier, l.quantity, l.unit, l.price, l.factor, l.amount_raw,
	l.amount, l.during, l.quality, s.during AS segment, s.start_wh, s.end_wh, s.energy_wh,
	b.snapshot #> '{parts,0,summary}' AS summary, b.snapshot #> '{parts,0,ctx}' AS ctx
FROM elecbill.bill b JOIN elecbill.org o ON o.id = b.org_id JOIN elecbill.customer_account a ON a.id = b.account_id
JOIN elecbill.bill_segment s ON s.bill_id = b.id JOIN elecbill.bill_line l ON l.bill_id = b.id AND l.segment_id = s.id;

-- what a run refuses at the door
\set VERBOSITY terse
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', NULL);
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', '[2025-01-01,)');
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', '[2025-01-02,2025-02-02)');
SELECT elecbill.bill_run_start('PLAIN', 'WEEK', '[2025-01-01,2025-02-01)');
SELECT elecbill.bill_run_start('NONE', 'MONTH', '[2025-01-01,2025-02-01)');
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', '[2025-01-01,2025-02-01)', 'rebill');
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', '[2025-01-01,2025-02-01)', 'weekly');
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', '[2199-01-01,2199-02-01)');
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', '[-infinity,2025-02-01)', 'offcycle');
CALL elecbill.bill_run_work(77);
CALL elecbill.bill_run_issue(NULL);
CALL elecbill.bill_month('PLAIN', 'MONTH', '2025-13');
CALL elecbill.bill_month('PLAIN', 'MONTH', NULL);
SELECT elecbill.simulate_bill('A1', '[2025-01-01,2025-02-01)');
SELECT elecbill.simulate_bill('B1', '[2025-01-01,2025-02-01)');
SELECT elecbill.simulate_bill('PLAIN/A1', NULL);
SELECT elecbill.explain_bill('2025-000001');
SELECT elecbill.explain_bill(NULL);
SELECT elecbill.simulate_bill('PLAIN/A1', '[2025-02-01,2025-03-01)');
SELECT count(*) AS runs FROM elecbill.bill_run;

-- step by step: cut, rate in parts, not issued before it is rated
SET elecbill.batch_size = 2;
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', '[2025-01-01,2025-02-01)');
SELECT no, cardinality(account_ids) AS accounts, state, issue_state FROM elecbill.bill_run_batch ORDER BY no;
CALL elecbill.bill_run_work(1, 0);
CALL elecbill.bill_run_work(1, 2);
SELECT status, done, total, accounts, bills, parked, drafts, issued FROM elecbill.bill_run_progress;
CALL elecbill.bill_run_issue(1);
SELECT current_setting('application_name') LIKE 'pg_regress%' AS name_restored;
CALL elecbill.bill_run_work(1);
SELECT status, done, total, accounts, bills, parked, drafts, issued FROM elecbill.bill_run_progress;
SELECT account_no, number IS NULL AS unnumbered, status FROM lines WHERE n = 1 ORDER BY 1;
SELECT count(*) AS nothing_summed_up_yet FROM elecbill.bill_summary;
CALL elecbill.bill_run_issue(1);
SELECT status, done, total, accounts, bills, parked, drafts, issued FROM elecbill.bill_run_progress;
SELECT account_no, right(number, 7) AS number, total, status FROM lines WHERE n = 1 ORDER BY 1;
SELECT n, kind, component, period, tier, quantity, unit, price, factor, amount_raw, amount, quality
FROM lines WHERE account_no = 'A1' ORDER BY n;
CALL elecbill.bill_run_work(1);
CALL elecbill.bill_run_issue(1);
SELECT elecbill.bill_run_retry(1) AS nothing_to_retry;
CALL elecbill.bill_month('PLAIN', 'MONTH', '2025-02');
SELECT a.account_no, c.scope, c.scope_start, c.kwh, c.as_of FROM elecbill.usage_counter c
JOIN elecbill.customer_account a ON a.id = c.account_id ORDER BY 1;

-- the same estate under hostile settings: other zone, date style, batches, workers, and a search_path
-- full of functions and operators that lie
CREATE SCHEMA evil;
CREATE FUNCTION evil.lie(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT pg_catalog.int4eq($1, 7)';
CREATE OPERATOR evil.>= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.lie);
CREATE OPERATOR evil.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.lie);
CREATE FUNCTION evil.zero(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT 0';
CREATE OPERATOR evil.+ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.zero);
CREATE FUNCTION evil.nought(numeric, numeric) RETURNS numeric LANGUAGE sql AS 'SELECT 0.0';
CREATE OPERATOR evil.* (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = evil.nought);
CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT ''evil''::pg_catalog.text';
CREATE FUNCTION evil.round(numeric, integer) RETURNS numeric LANGUAGE sql AS 'SELECT 0.0';
SET search_path = evil, pg_catalog;
SET timezone = 'America/St_Johns';
SET datestyle = 'SQL, DMY';
SET elecbill.batch_size = 100;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_seqscan = off;
CALL elecbill.bill_month('WILD', 'MONTH', '2025-01');
CALL elecbill.bill_month('WILD', 'MONTH', '2025-02');
RESET ALL;
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT count(*) AS lines FROM lines WHERE org = 'WILD';
SELECT to_jsonb(p) - '{org,number}'::text[] AS only_plain FROM lines p WHERE org = 'PLAIN'
EXCEPT SELECT to_jsonb(w) - '{org,number}'::text[] FROM lines w WHERE org = 'WILD';
SELECT count(DISTINCT number) AS numbers, min(right(number, 7)), max(right(number, 7)) FROM lines WHERE org = 'WILD';
DO $$ BEGIN
	PERFORM elecbill.explain_bill((SELECT min(number) FROM lines));
EXCEPTION WHEN SQLSTATE 'UB409' THEN
	RAISE WARNING '%', regexp_replace(SQLERRM, '[0-9]{4}-', 'YEAR-');
END $$;
SELECT count(*) > 5 AS explained FROM elecbill.explain_bill((SELECT 'WILD/' || min(number) FROM lines), 'zh');
SELECT elecbill.explain_bill((SELECT 'WILD/' || min(number) FROM lines), 'de');

-- one bad account among good ones is parked alone; a try at a time
INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
SELECT g.id, t.at, t.at, t.wh, g.org_id, 1
FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id,
	(VALUES (timestamptz '2025-03-15 00:00+08', 160000), ('2025-04-01 00:00+08', 170000)) AS t(at, wh)
WHERE m.serial LIKE 'PLAIN-%' AND g.code = '1.8.0';
INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
SELECT g.id, t.at, t.at, t.wh, g.org_id, 1
FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id,
	(VALUES (timestamptz '2025-03-16 00:00+08', 159000)) AS t(at, wh)
WHERE m.serial = 'PLAIN-3' AND g.code = '1.8.0';
CALL elecbill.bill_month('PLAIN', 'MONTH', '2025-03');
SELECT a.account_no, x.severity, x.code, x.sqlstate, x.message, x.detail, x.hint, x.state
FROM elecbill.bill_exception x JOIN elecbill.customer_account a ON a.id = x.account_id ORDER BY 1;
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', '[2025-03-01,2025-04-01)') AS march \gset
SELECT elecbill.bill_run_retry(:march);
SELECT a.account_no, x.state FROM elecbill.bill_exception x JOIN elecbill.customer_account a ON a.id = x.account_id
WHERE severity = 'error';
CALL elecbill.bill_run_work(:march);
SELECT a.account_no, x.state FROM elecbill.bill_exception x JOIN elecbill.customer_account a ON a.id = x.account_id
WHERE severity = 'error';
-- what is not the fault of an account stops the run, and the batch is still there afterwards
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', '[2025-03-01,2025-03-15)', 'offcycle') AS stopped \gset
CREATE FUNCTION pg_temp.full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER disk BEFORE INSERT ON elecbill.bill_exception FOR EACH ROW EXECUTE FUNCTION pg_temp.full();
CALL elecbill.bill_run_work(:stopped);
SELECT status, done, total, parked FROM elecbill.bill_run_progress WHERE run_id = :stopped;
DROP TRIGGER disk ON elecbill.bill_exception;
CALL elecbill.bill_run_work(:stopped);
SELECT status, done, total, parked FROM elecbill.bill_run_progress WHERE run_id = :stopped;
SELECT DISTINCT x.code, x.message FROM elecbill.bill_exception x WHERE run_id = :stopped;

-- the last agreement of an account, a point without a meter, a plan without a version
SELECT elecbill.simulate_bill('PLAIN/A1', '[2024-01-01,2024-02-01)');
SELECT elecbill.simulate_bill('PLAIN/A1', '[2025-03-01,2025-03-20)');
SELECT elecbill.simulate_bill('PLAIN/A1', '[2025-06-01,2025-07-01)');
SELECT elecbill.simulate_bill('PLAIN/A3', '[2025-03-01,2025-04-01)');
SELECT elecbill.simulate_bill('PLAIN/A1', '[2025-01-01,2025-02-01)', '{"elecbill": 1}');
SELECT sum(amount) = (SELECT total FROM lines WHERE org = 'PLAIN' AND account_no = 'A1' AND lower(service) = '2025-01-01' AND n = 1) AS same_as_billed
FROM elecbill.simulate_bill('PLAIN/A1', '[2025-01-01,2025-02-01)');
SELECT component, quantity, amount FROM elecbill.simulate_bill('WILD/A1', '[2025-01-01,2025-03-01)', '{"elecbill": 1,
	"currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "all", "kind": "energy", "price": 1}]}');
UPDATE elecbill.meter_installation SET valid = tstzrange(lower(valid), '2025-03-01 08:00+08')
WHERE meter_id = (SELECT id FROM elecbill.meter WHERE serial = 'WILD-5');
SELECT elecbill.simulate_bill('WILD/A5', '[2025-05-01,2025-06-01)');
SELECT elecbill.cancel_bill('x', 'y');
SELECT count(*) AS healthy FROM elecbill.fsck();

-- an agreement that is found out later: the tiers of February were counted without January
SELECT * FROM elecbill.import_estate('PLAIN', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,'
	'last_read_at,tariff\nR6,A6,N6,residential,PLAIN-6,DDS,7,2025-01-01,TOU\n', 'UTF8'));
INSERT INTO elecbill.reading (register_id, read_at, register_wh, org_id, source)
SELECT g.id, t.at, 7000 + t.h * 1000, g.org_id, 2
FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id,
	(VALUES (timestamptz '2025-02-01 00:00+08', 1), ('2025-03-01 00:00+08', 2)) AS t(at, h)
WHERE m.serial = 'PLAIN-6' AND g.code = '1.8.0';
CREATE TEMP TABLE former AS SELECT g.* FROM elecbill.customer_agreement g
JOIN elecbill.customer_account a ON a.id = g.account_id WHERE a.account_no = 'A6';
DELETE FROM elecbill.customer_agreement WHERE id IN (SELECT id FROM former);
INSERT INTO elecbill.customer_agreement (org_id, account_id, usage_point_id, tariff_plan_id, valid)
SELECT org_id, account_id, usage_point_id, tariff_plan_id, '[2025-02-01,)' FROM former;
SELECT elecbill.bill_run_start('PLAIN', 'MONTH', '[2025-02-01,2025-03-01)', 'offcycle') AS february \gset
CALL elecbill.bill_run_work(:february);
SELECT bills, parked FROM elecbill.bill_run_progress WHERE run_id = :february;
INSERT INTO elecbill.customer_agreement (org_id, account_id, usage_point_id, tariff_plan_id, valid)
SELECT org_id, account_id, usage_point_id, tariff_plan_id, '[2025-01-01,2025-02-01)' FROM former;
SELECT elecbill.simulate_bill('A6', '[2025-01-01,2025-02-01)');
SELECT elecbill.cancel_bill(id::text, 'January first') IS NOT NULL AS cancelled FROM elecbill.bill WHERE run_id = :february;
SELECT count(*) AS now_there_are_lines FROM elecbill.simulate_bill('A6', '[2025-01-01,2025-02-01)');
SELECT count(*) AS healthy FROM elecbill.fsck();

-- fsck() finds what no statement of the house could have done: each fault is planted and taken back
CREATE PROCEDURE pg_temp.plant(fault text, tables text[]) LANGUAGE plpgsql AS $$
DECLARE
	one text;
	found text;
BEGIN
	FOREACH one IN ARRAY tables LOOP
		EXECUTE format('ALTER TABLE elecbill.%I DISABLE TRIGGER USER', one);
	END LOOP;
	EXECUTE fault;
	SELECT string_agg(DISTINCT f.invariant, ' ' ORDER BY f.invariant) INTO found FROM elecbill.fsck() AS f;
	RAISE NOTICE '%: %', left(fault, 90), coalesce(found, 'nothing');
	ROLLBACK;
END $$;
SET client_min_messages = notice;
CALL pg_temp.plant('UPDATE elecbill.bill SET amount = amount + 0.01 WHERE id = 1', '{bill}');
CALL pg_temp.plant('UPDATE elecbill.bill_line SET amount = amount + 0.01 WHERE bill_id = 1 AND n = 1', '{bill_line}');
CALL pg_temp.plant('UPDATE elecbill.bill_line SET amount_raw = amount_raw + 0.000001 WHERE bill_id = 1 AND n = 1', '{bill_line}');
CALL pg_temp.plant('UPDATE elecbill.bill_line SET price = price + 0.1, amount_raw = quantity * (price + 0.1) WHERE bill_id = 1 AND n = 1', '{bill_line}');
CALL pg_temp.plant('DELETE FROM elecbill.bill_line WHERE bill_id = 1', '{bill_line}');
CALL pg_temp.plant('UPDATE elecbill.bill_segment SET end_wh = end_wh + 1 WHERE bill_id = 1', '{bill_segment}');
CALL pg_temp.plant('UPDATE elecbill.bill_segment SET start_at = start_at - interval ''1 day'' WHERE bill_id = 1', '{bill_segment}');
CALL pg_temp.plant('UPDATE elecbill.bill_segment SET energy_wh = energy_wh + 1000 WHERE bill_id = 1', '{bill_segment}');
CALL pg_temp.plant('UPDATE elecbill.bill SET number = ''2025-000099'' WHERE id = 1', '{bill}');
CALL pg_temp.plant('UPDATE elecbill.number_counter SET last = last + 1', '{}');
CALL pg_temp.plant('UPDATE elecbill.usage_counter SET kwh = kwh + 0.000001 WHERE account_id = 1', '{}');
CALL pg_temp.plant('DELETE FROM elecbill.usage_counter WHERE account_id = 1', '{}');
CALL pg_temp.plant('DELETE FROM elecbill.tariff_snapshot', '{tariff_snapshot}');
CALL pg_temp.plant('UPDATE elecbill.bill SET snapshot = jsonb_set(snapshot, ''{parts,0,scopes,0,before}'', ''1'') WHERE id = 6', '{bill}');
CALL pg_temp.plant('UPDATE elecbill.bill SET snapshot = jsonb_set(snapshot, ''{parts,0,summary,total_kwh}'', ''1'') WHERE id = 1', '{bill}');
CALL pg_temp.plant('DELETE FROM elecbill.bill_exception WHERE state = ''parked''', '{}');
CALL pg_temp.plant('UPDATE elecbill.bill_exception SET account_id = 1, state = ''parked'', severity = ''error'' WHERE account_id = 1', '{}');
CALL pg_temp.plant('UPDATE elecbill.bill_run_batch SET state = ''pending'', issue_state = ''pending'' WHERE run_id = 1 AND no = 1', '{}');
CALL pg_temp.plant('UPDATE elecbill.bill SET status = ''draft'', number = NULL, issued_at = NULL, due_on = NULL WHERE id = 1', '{bill}');
CALL pg_temp.plant('ALTER TABLE elecbill.bill DROP CONSTRAINT bill_service_excl; UPDATE elecbill.bill SET service = service * ''[2025-01-01,2025-02-01)'' + ''[2025-01-01,2025-02-01)'' WHERE account_id = 1', '{bill}');
CALL pg_temp.plant('ALTER TABLE elecbill.meter_installation DROP CONSTRAINT meter_installation_one_place; INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, role, valid) SELECT org_id, meter_id, usage_point_id, ''check'', valid FROM elecbill.meter_installation LIMIT 1', '{meter_installation}');
CALL pg_temp.plant('ALTER TABLE elecbill.meter_installation DROP CONSTRAINT meter_installation_one_main', '{}');
CALL pg_temp.plant('ALTER TABLE elecbill.tariff_version DROP CONSTRAINT tariff_version_valid_excl; INSERT INTO elecbill.tariff_version (org_id, tariff_plan_id, version, valid, known, definition, status, created_by, approved_by) SELECT org_id, tariff_plan_id, 99, valid, known, definition, status, created_by, approved_by FROM elecbill.tariff_version LIMIT 1', '{tariff_version}');
CALL pg_temp.plant('ALTER TABLE elecbill.payment DISABLE ROW LEVEL SECURITY', '{}');
CALL pg_temp.plant('ALTER VIEW elecbill.bill_summary RESET (security_invoker)', '{}');
CALL pg_temp.plant('UPDATE elecbill.reading SET quality = 512 WHERE read_at = ''2025-01-10 00:00+08''', '{reading}');
SELECT count(*) AS healthy FROM elecbill.fsck();
\set VERBOSITY default
SELECT elecbill.tap_invariants();
