-- total.sql: meters that tell their tariff registers and no total (1.8.1 and 1.8.2) are billed by the sum of them
SELECT plan(19);
SET client_min_messages = warning;
SELECT set_config('elecbill.clock_override', '2026-03-02 00:00+00', false) \g /dev/null
SELECT elecbill.org_create('NL', 'Homes', 'Europe/Amsterdam', 'EUR') \g /dev/null
SELECT elecbill.tariff_approve('T', elecbill.tariff_draft('T', '[2024-01-01,)', '{"elecbill": 1, "currency": "EUR", "zone": "Europe/Amsterdam",
	"components": [{"code": "energy", "kind": "energy", "price": "0.25"}]}', 'ann'), 'bob') \g /dev/null
SELECT elecbill.partition_maintain(1, '2026-01-01'), elecbill.partition_maintain(1, '2026-02-01') \g /dev/null
SELECT is((SELECT string_agg(message, '; ') FROM elecbill.import_estate('NL', convert_to(
E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,protocol,digits,interval_min
R1,A1,Jan,residential,M1,E350,300.5,2026-01-01,T,p1,6,15
R2,A2,Piet,residential,M2,DDS,300.5,2026-01-01,T,csvline,6,15
R3,A3,Kees,residential,M3,E350,999999.5,2026-01-01,T,p1,6,15
', 'UTF8'))), NULL, 'the estate is taken');
SELECT is((SELECT string_agg(g.code || CASE WHEN g.adds THEN '+' ELSE '' END, ' ' ORDER BY g.code)
	FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id WHERE m.serial = 'M1'),
	'1.8.0 1.8.1+ 1.8.2+', 'a DSMR meter has two registers that add up');


SELECT elecbill.collector_create('NL', 'c') AS collector \gset
-- what a meter said at an instant: registers, kWh; how many were accepted
CREATE SEQUENCE pg_temp.sent;
CREATE FUNCTION pg_temp.said(collector uuid, meter text, at timestamptz, registers text[], kwh numeric[]) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s accepted, %s duplicate', r.accepted, r.duplicate)
	FROM elecbill.ingest(collector, nextval('pg_temp.sent') * 100, array_fill(meter, ARRAY[cardinality(registers)]), registers,
		array_fill(at, ARRAY[cardinality(registers)]), kwh, array_fill(0, ARRAY[cardinality(registers)]), array_fill(at, ARRAY[cardinality(registers)])) AS r $$;
CREATE FUNCTION pg_temp.total(meter text, at timestamptz) RETURNS numeric LANGUAGE sql AS $$
	SELECT r.register_wh * 0.001 FROM elecbill.reading r JOIN elecbill.meter_register g ON g.id = r.register_id AND g.code = '1.8.0'
	JOIN elecbill.meter m ON m.id = g.meter_id AND m.serial = $1 WHERE r.read_at = $2 $$;

SELECT is(pg_temp.said(:'collector', 'M1', '2026-02-01 00:00+01', '{1.8.1,1.8.2}', '{250.1,150.4}'), '2 accepted, 0 duplicate', 'a telegram of two registers');
SELECT is(pg_temp.total('M1', '2026-02-01 00:00+01'), 400.5, 'has a total');
SELECT is(pg_temp.said(:'collector', 'M1', '2026-02-01 00:00+01', '{1.8.1,1.8.2}', '{250.1,150.4}'), '0 accepted, 2 duplicate', 'sent again it changes nothing');
SELECT pg_temp.said(:'collector', 'M1', '2026-02-10 00:00+01', '{1.8.1}', '{260}') \g /dev/null
SELECT is(pg_temp.total('M1', '2026-02-10 00:00+01'), NULL, 'one register alone is no total');
SELECT pg_temp.said(:'collector', 'M1', '2026-02-10 00:00+01', '{1.8.2}', '{160}') \g /dev/null
SELECT is(pg_temp.total('M1', '2026-02-10 00:00+01'), 420.000, 'the rest of a telegram may come in the next batch');
SELECT elecbill.reading_add('NL', 'M1', r.code, '2026-02-11 00:00+01', r.kwh) FROM (VALUES ('1.8.1', 261), ('1.8.2', 162)) AS r(code, kwh) \g /dev/null
SELECT is(pg_temp.total('M1', '2026-02-11 00:00+01'), 423.000, 'read by hand it adds up as well');

SELECT pg_temp.said(:'collector', 'M3', '2026-02-01 00:00+01', '{1.8.1,1.8.2}', '{600000.2,400000.3}') \g /dev/null
SELECT is(pg_temp.total('M3', '2026-02-01 00:00+01'), 0.5, 'the sum rolls over as a register of its size does');
SELECT pg_temp.said(:'collector', 'M3', '2026-02-10 00:00+01', '{1.8.1,1.8.2}', '{999999.9,400000.3}'),
	pg_temp.said(:'collector', 'M3', '2026-02-10 00:15+01', '{1.8.1,1.8.2}', '{0.1,400000.3}') \g /dev/null
SELECT is(pg_temp.total('M3', '2026-02-10 00:15+01') - pg_temp.total('M3', '2026-02-10 00:00+01'), 0.2, 'and runs on where one of them rolls over');

SELECT throws_ok($$SELECT elecbill.meter_sum('NL', 'M2')$$, 'UB412', 'meter ''M2'' has no tariff registers that could add up', 'a meter without tariff registers adds up nothing');
INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
	SELECT m.org_id, m.id, c.code, 1000000000 FROM elecbill.meter m, (VALUES ('1.8.1'), ('1.8.2')) AS c(code) WHERE m.serial = 'M2';
SELECT pg_temp.said(:'collector', 'M2', '2026-02-01 00:00+01', '{1.8.1,1.8.2}', '{200,150}') \g /dev/null
SELECT is(pg_temp.total('M2', '2026-02-01 00:00+01'), NULL, 'a meter of which nobody said so has no total');
SELECT is(elecbill.meter_sum('NL', 'M2'), 1::bigint, 'when somebody does, telegrams that are there are added up');
SELECT is(pg_temp.total('M2', '2026-02-01 00:00+01'), 350.000, 'to a total');
SELECT throws_ok($$SELECT elecbill.meter_sum('NL', 'M2')$$, 'UB409', 'meter ''M2'' tells its total itself', 'once');
SELECT throws_ok($$SELECT elecbill.meter_sum('NL', 'M9')$$, 'UB404', 'there is no meter ''M9'' of organisation ''NL''', 'and for a meter that is there');
SELECT throws_ok($$UPDATE elecbill.meter_register SET wrap_wh = 10000000$$, 'UB403', NULL, 'nothing else of a register changes');

SELECT elecbill.bill_run_start('NL', 'MONTH', '[2026-01-01,2026-02-01)') AS run \gset
CALL elecbill.bill_run_work(:run);
SELECT results_eq($$SELECT a.account_no::text, sum(s.energy_wh)::bigint, max(b.amount) FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	JOIN elecbill.bill_segment s ON s.bill_id = b.id GROUP BY 1 ORDER BY 1$$,
	$$VALUES ('A1', 100000::bigint, 25.00), ('A2', 49500, 12.38), ('A3', 1000, 0.25)$$, 'and their homes are billed');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'all adds up');
SELECT * FROM finish();
